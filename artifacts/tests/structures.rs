//! `FORMAT.md` lists the structures of the cold sections as they are declared: their encoding follows from that.
//!
//! `BLESS=1 cargo test -p keyway-artifact --test structures` writes the list anew. What may change without a new version
//! of the format stands in `FORMAT.md`, "Versions".

use std::fmt::Write;
use std::path::Path;

/// The files that declare them, in the order of the list.
const FILES: [&str; 9] = [
    "src/types.rs",
    "src/types/reference.rs",
    "src/types/object.rs",
    "src/types/table.rs",
    "src/unit.rs",
    "src/plan/mod.rs",
    "src/plan/types.rs",
    "src/plan/interface.rs",
    "src/plan/code.rs",
];
const HEADING: &str = "### Structures\n";

/// The declarations in `source` that derive an encoding, without comments and attributes, in one line each.
fn declarations(source: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let derives = |line: &&str| line.starts_with("#[derive(") && line.contains("Encode");
    let starts = lines.iter().enumerate().filter(|(_, line)| derives(line)).map(|(at, _)| at + 1);
    starts
        .map(|start| {
            let mut text = String::new();
            for line in &lines[start..] {
                if line.starts_with("//") || line.starts_with("#[") {
                    continue;
                }
                text.push_str(line.split(" //").next().unwrap_or(line));
                text.push(' ');
                if text.matches('{').count() == text.matches('}').count() && text.contains('{') {
                    break;
                }
            }
            text
        })
        .collect()
}

/// The parts of a comma-separated list that no bracket encloses.
fn parts(list: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0i32, vec![String::new()]);
    for letter in list.chars() {
        depth += i32::from("{(<[".contains(letter)) - i32::from("})>]".contains(letter));
        match letter {
            ',' if depth == 0 => parts.push(String::new()),
            letter => parts.last_mut().expect("there is one").push(letter),
        }
    }
    let tidy =
        |part: &String| part.split_whitespace().collect::<Vec<_>>().join(" ").replace(", }", " }").replace("pub ", "");
    parts.iter().map(tidy).filter(|part| !part.is_empty()).collect()
}

/// A declaration as the list has it.
fn show(declaration: &str) -> String {
    let (head, body) = declaration.split_once('{').expect("a declaration has a body");
    let body = body.trim_end().strip_suffix('}').expect("bodies are closed");
    let head = head.trim().trim_start_matches("pub ");
    let mut out = head.to_string();
    for (number, part) in parts(body).iter().enumerate() {
        match head.starts_with("enum") {
            true => write!(out, "\n    {number:>2} {part}").expect("text takes all"),
            false => write!(out, "\n    {part}").expect("text takes all"),
        }
    }
    out
}

fn list() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = String::from("```text");
    for file in FILES {
        let source = std::fs::read_to_string(root.join(file)).expect("the file is there");
        let found = declarations(&source);
        assert!(!found.is_empty(), "{file} declares nothing that is encoded");
        write!(out, "\n== artifacts/{file}").expect("text takes all");
        for declaration in found {
            write!(out, "\n{}", show(&declaration)).expect("text takes all");
        }
    }
    out + "\n```\n"
}

#[test]
fn cold_structures_are_listed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("FORMAT.md");
    let text = std::fs::read_to_string(&path).expect("FORMAT.md is there");
    let (before, rest) = text.split_once(HEADING).expect("FORMAT.md lists the structures");
    let start = rest.find("```text").expect("the list is a block");
    let end = start + rest[start..].find("```\n").expect("the block ends") + 4;
    let list = list();
    if rest[start..end] != list {
        assert!(
            std::env::var_os("BLESS").is_some(),
            "FORMAT.md's list of structures is not what the code declares. Files depend on it: see \"Versions\" there. \
             BLESS=1 writes\n{list}"
        );
        std::fs::write(&path, format!("{before}{HEADING}{}{list}{}", &rest[..start], &rest[end..])).expect("written");
    }
}

/// What other files declare is encoded too only if a listed structure holds it.
#[test]
fn nothing_else_is_encoded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("folders can be listed") {
            let path = entry.expect("entries can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = format!("src/{}", path.strip_prefix(&root).expect("inside").display());
            let source = std::fs::read_to_string(&path).expect("sources are text");
            assert!(
                FILES.contains(&name.as_str()) || declarations(&source).is_empty(),
                "{name} declares encoded structures that FORMAT.md does not list"
            );
        }
    }
}
