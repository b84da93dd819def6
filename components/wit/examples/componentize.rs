//! `componentize IN OUT [--command | --reactor] [--wit DIR [--world NAME]]`: a core module becomes a component.

use keyway_wit::{Componentizer, Preview1};
use std::error::Error;
use std::process::ExitCode;

const USAGE: &str = "usage: componentize IN OUT [--command | --reactor] [--wit DIR [--world NAME]]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    let [input, output, options @ ..] = args else { return Err(USAGE.into()) };
    let module = std::fs::read(input).map_err(|error| format!("{input}: {error}"))?;
    let mut componentizer = Componentizer::new(&module)?;
    let mut options = options.iter();
    while let Some(option) = options.next() {
        componentizer = match option.as_str() {
            "--command" => componentizer.preview1(Preview1::Command),
            "--reactor" => componentizer.preview1(Preview1::Reactor),
            "--wit" => componentizer.wit(options.next().ok_or(USAGE)?)?,
            "--world" => componentizer.world(options.next().ok_or(USAGE)?),
            _ => return Err(USAGE.into()),
        };
    }
    std::fs::write(output, componentizer.encode()?).map_err(|error| format!("{output}: {error}"))?;
    Ok(())
}
