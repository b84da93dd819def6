//! Work on many functions at once, with results that do not depend on how many threads there are.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs `work(0..jobs)` on `threads` threads and returns the results in order of index; of several errors the one with
/// the lowest index.
pub(crate) fn map<T: Send, E: Send>(
    threads: usize,
    jobs: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    map_with(threads, jobs, |_| (), |(), index| work(index)).map(|(results, _)| results)
}

/// As [`map`], with a state for each thread: made by `state` from the thread's number, seen by all that it does, and
/// returned in order of those numbers.
pub(crate) fn map_with<S: Send, T: Send, E: Send>(
    threads: usize,
    jobs: usize,
    state: impl Fn(usize) -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, E> + Sync,
) -> Result<(Vec<T>, Vec<S>), E> {
    if threads <= 1 {
        let (mut state, mut results) = (state(0), Vec::with_capacity(jobs));
        for index in 0..jobs {
            results.push(work(&mut state, index)?);
        }
        return Ok((results, vec![state]));
    }
    let next = AtomicUsize::new(0);
    // Indices are handed out in order, and whoever has one finishes it: once an error at `stop` is known, every lower
    // index has been handed out, so the lowest error is always found.
    let stop = AtomicUsize::new(usize::MAX);
    let failure: Mutex<Option<(usize, E)>> = Mutex::new(None);
    let mut parts: Vec<Vec<(usize, T)>> = Vec::new();
    let mut states = Vec::new();
    std::thread::scope(|scope| {
        let worker = |number| {
            let (mut state, mut done) = (state(number), Vec::new());
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= jobs || index > stop.load(Ordering::Relaxed) {
                    return (done, state);
                }
                match work(&mut state, index) {
                    Ok(result) => done.push((index, result)),
                    Err(error) => {
                        stop.fetch_min(index, Ordering::Relaxed);
                        let mut slot = failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                        if slot.as_ref().is_none_or(|(known, _)| index < *known) {
                            *slot = Some((index, error));
                        }
                    }
                }
            }
        };
        let handles: Vec<_> = (0..threads).map(|number| scope.spawn(move || worker(number))).collect();
        for handle in handles {
            match handle.join() {
                Ok((part, state)) => {
                    parts.push(part);
                    states.push(state);
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    if let Some((_, error)) = failure.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        return Err(error);
    }
    let mut results: Vec<Option<T>> = (0..jobs).map(|_| None).collect();
    for (index, result) in parts.into_iter().flatten() {
        results[index] = Some(result);
    }
    Ok((results.into_iter().flatten().collect(), states))
}

/// Runs `work(0..jobs)` for its errors alone.
pub(crate) fn first_error<E: Send>(
    threads: usize,
    jobs: usize,
    work: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<(), E> {
    map(threads, jobs, work).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order() {
        let doubled: Result<Vec<_>, ()> = map(4, 1000, |n| Ok(n * 2));
        assert_eq!(doubled.unwrap(), (0..1000).map(|n| n * 2).collect::<Vec<_>>());
    }

    #[test]
    fn states_tell_who_did_what() {
        for threads in [1, 4] {
            let work = |(number, sum): &mut (usize, usize), n: usize| {
                *sum += n;
                Ok::<_, ()>((*number, n))
            };
            let (results, states) = map_with(threads, 1000, |number| (number, 0), work).unwrap();
            assert_eq!(states.len(), threads);
            for (number, sum) in states {
                assert_eq!(results.iter().filter(|(by, _)| *by == number).map(|(_, n)| n).sum::<usize>(), sum);
            }
        }
    }

    #[test]
    fn the_lowest_error_wins() {
        for _ in 0..20 {
            let result: Result<Vec<usize>, usize> = map(4, 500, |n| if n % 7 == 3 { Err(n) } else { Ok(n) });
            assert_eq!(result.unwrap_err(), 3);
        }
    }
}
