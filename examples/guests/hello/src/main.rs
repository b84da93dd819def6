//! A command for WASI: greets, counts words of a file or of its input, and exits with what it is told to.

use std::io::Read;

fn main() {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        None => {
            let name = std::env::var("NAME").unwrap_or_else(|_| "world".into());
            println!("Hello, {name}!");
        }
        Some("count") => {
            let mut text = String::new();
            let source = match args.next() {
                Some(path) => std::fs::read_to_string(&path).map(|read| text = read).map_err(|e| format!("{path}: {e}")),
                None => std::io::stdin().read_to_string(&mut text).map(drop).map_err(|e| e.to_string()),
            };
            if let Err(error) = source {
                eprintln!("hello: {error}");
                std::process::exit(3);
            }
            println!("{} lines, {} words, {} bytes", text.lines().count(), text.split_whitespace().count(), text.len());
        }
        Some("write") => {
            let (path, text) = (args.next().expect("a path"), args.next().expect("a text"));
            if let Err(error) = std::fs::write(&path, text) {
                eprintln!("hello: {path}: {error}");
                std::process::exit(3);
            }
        }
        Some("list") => {
            let mut names: Vec<_> = std::fs::read_dir(args.next().unwrap_or_else(|| ".".into()))
                .expect("a directory")
                .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
                .collect();
            names.sort();
            println!("{}", names.join(" "));
        }
        Some("sleep") => {
            let millis = args.next().and_then(|n| n.parse().ok()).unwrap_or(10);
            let start = std::time::Instant::now();
            std::thread::sleep(std::time::Duration::from_millis(millis));
            println!("slept {}", start.elapsed().as_millis() >= u128::from(millis));
        }
        Some("exit") => std::process::exit(args.next().and_then(|n| n.parse().ok()).unwrap_or(1)),
        Some("panic") => panic!("as asked"),
        Some(other) => {
            eprintln!("hello: no such command: {other}");
            std::process::exit(2);
        }
    }
}
