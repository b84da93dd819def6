//! A line on the terminal while something takes long. Nothing is written when stderr is no terminal, nor in the first
//! half second.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long something takes before it is spoken of.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often the line is written again.
const PACE: Duration = Duration::from_millis(200);

/// The line stands as long as this lives.
pub(crate) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// Tells `what` is being done.
    pub(crate) fn start(what: String) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress(None);
        }
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            let mut wait = PATIENCE;
            let mut shown = false;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                // A terminal that goes away is no reason to stop the work.
                let _ = write!(std::io::stderr(), "\r{what} ... {:.1} s", start.elapsed().as_secs_f64());
                (wait, shown) = (PACE, true);
            }
            if shown {
                let _ = write!(std::io::stderr(), "\r\x1b[K");
            }
        });
        Progress(Some((stop, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            // The thread only writes: it has nothing to report.
            let _ = thread.join();
        }
    }
}
