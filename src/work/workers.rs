//! Work in many pieces, on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::context::current;
use crate::error::{Error, Result};
use crate::{interrupt, panics};

/// Calls `one` with every number below `count`, in no order, on at most so many threads, each with a `worker` of its own.
///
/// # Errors
/// The first error, or panic, of any thread; the others end after the piece that they are at. `Interrupted`.
pub fn for_each<W>(
    threads: usize,
    count: usize,
    worker: impl Fn() -> W + Sync,
    one: impl Fn(&mut W, usize) -> Result<()> + Sync,
) -> Result<()> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let work = || {
        let mut worker = worker();
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            interrupt::check()?;
            one(&mut worker, index)?;
        }
        Ok(())
    };
    let context = current();
    let to_its_end = || {
        if let Err(e) = panics::caught(work) {
            failed.store(true, Ordering::Relaxed);
            failure.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(e);
        }
    };
    let threads = threads.min(count);
    if threads <= 1 {
        to_its_end();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let _entered = context.enter();
                    to_its_end();
                });
            }
        });
    }
    failure
        .into_inner()
        .unwrap_or_else(|e| e.into_inner())
        .map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once() {
        for threads in [1, 3, 64] {
            let done: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
            for_each(
                threads,
                done.len(),
                || (),
                |(), i| {
                    done[i].fetch_add(1, Ordering::Relaxed);
                    Ok(())
                },
            )
            .unwrap();
            assert!(done.iter().all(|n| n.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn a_panic_of_a_thread_is_an_error() {
        // More pieces than the other threads can do while the panic is being told.
        const PIECES: usize = 1_000_000_000;
        for threads in [1, 4] {
            let done = AtomicUsize::new(0);
            let error = for_each(
                threads,
                PIECES,
                || (),
                |(), i| {
                    assert!(i != 7, "seven");
                    done.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                },
            )
            .unwrap_err()
            .to_string();
            assert!(
                error.contains("internal error") && error.contains("seven"),
                "{error}"
            );
            assert!(done.load(Ordering::Relaxed) < PIECES - 1);
        }
    }

    #[test]
    fn a_panic_in_the_making_of_a_worker_is_an_error() {
        let error = for_each(4, 10, || -> u8 { panic!("no room") }, |_, _| Ok(())).unwrap_err();
        assert!(error.to_string().contains("no room"), "{error}");
    }

    #[test]
    fn the_first_error_ends_the_work() {
        let error = for_each(
            2,
            1_000_000_000,
            || (),
            |(), i| match i {
                5 => Err(Error::message("five")),
                _ => Ok(()),
            },
        );
        assert_eq!(error.unwrap_err().to_string(), "five");
    }
}
