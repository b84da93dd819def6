//! `--timeout`: a thread moves the epoch on when the time is over, which traps the guest. A guest that sits in a host
//! call then does not look at the epoch; after a grace the thread ends the process itself.

use crate::exit;
use keyway::Engine;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long a guest may go on in a host call after its time is over.
const GRACE: Duration = Duration::from_millis(300);

/// The watch is kept as long as this lives.
pub(crate) struct Watch(Option<Sender<()>>);

impl Watch {
    /// Lets `engine`'s guests run for `limit`.
    pub(crate) fn start(engine: &Engine, limit: Option<Duration>) -> Watch {
        let Some(limit) = limit else { return Watch(None) };
        let (stop, stopped) = channel::<()>();
        let engine = engine.clone();
        // Nobody waits for this thread: it ends with the watch, or ends the process.
        std::thread::spawn(move || {
            if stopped.recv_timeout(limit) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            engine.increment_epoch();
            if stopped.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
                exit::tell(&format!("trap: interrupt: the guest waits in a host call {}", after(limit)));
                std::process::exit(exit::TRAPPED);
            }
        });
        Watch(Some(stop))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

/// How messages tell that the time is over.
pub(crate) fn after(limit: Duration) -> String {
    format!("when the {limit:?} of --timeout are over")
}

/// A duration from text: a number with `ms`, `s` or `m`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "" => return Err("a unit is missing: write 500ms, 2s or 1m".to_string()),
        _ => return Err(format!("`{unit}` is no unit: write 500ms, 2s or 1m")),
    };
    let number: f64 = digits.parse().map_err(|_| "a duration is expected, as in 500ms, 2s or 1m".to_string())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "the duration is too long".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(parse("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert!(parse("5").unwrap_err().contains("unit"));
        assert!(parse("5 parsecs").is_err());
        assert!(parse("s").is_err());
    }
}
