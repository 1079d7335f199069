//! Runs of several contexts in one process: each has its own ceiling, threads, stop and listener.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use perilune::interrupt::Reason;
use perilune::raster::Raster;
use perilune::raster::execute::Run;
use perilune::raster::stats::{Moments, stats};
use perilune::raster::synthetic::{Distribution, random};
use perilune::work::{self, Context, Held, Progress};

use super::common::utm_grid;

#[derive(Default)]
struct Counted {
    pixels: AtomicU64,
    tasks: AtomicU64,
}

impl Progress for Counted {
    fn start(&self, _: u64, _: &str) {
        self.tasks.fetch_add(1, Ordering::Relaxed);
    }
    fn advance(&self, n: u64) {
        self.pixels.fetch_add(n, Ordering::Relaxed);
    }
    fn finish(&self) {}
}

fn image(rows: usize) -> Raster {
    random(utm_grid(rows, 700), Distribution::Uniform, 3).unwrap()
}

#[test]
fn two_ceilings_live_side_by_side() {
    let image = image(600);
    let run = |memory: usize, threads: usize| {
        let listener = Arc::new(Counted::default());
        let context = Context::new()
            .with_memory(memory)
            .with_threads(threads)
            .with_progress(listener.clone());
        let _entered = context.enter();
        let tile = Run::prepare(&image.grid, &image.ports(), image.grid.window())
            .unwrap()
            .tile();
        let found = stats(&image).unwrap();
        (
            tile,
            found,
            listener.pixels.load(Ordering::Relaxed),
            listener.tasks.load(Ordering::Relaxed),
        )
    };
    let (small, large) = std::thread::scope(|scope| {
        let small = scope.spawn(|| run(1 << 19, 2));
        let large = scope.spawn(|| run(1 << 30, 2));
        (small.join().unwrap(), large.join().unwrap())
    });
    assert!(
        small.0.0 * small.0.1 < large.0.0 * large.0.1,
        "{:?} {:?}",
        small.0,
        large.0
    );
    let (a, b) = (&small.1[0], &large.1[0]);
    // To the last bit, whatever the tiles.
    let shown = |m: &Moments| [m.count() as f64, m.min(), m.max(), m.mean(), m.std(), m.sum()];
    assert_eq!(shown(a), shown(b));
    // Each heard of its own run alone.
    assert_eq!((small.2, small.3), (600 * 700, 1));
    assert_eq!((large.2, large.3), (600 * 700, 1));
}

#[test]
fn what_one_holds_the_other_does_not() {
    let (one, other) = (
        Context::new().with_memory(1 << 20),
        Context::new().with_memory(1 << 20),
    );
    let inside = one.enter();
    let before = other.budget().left();
    let held = Held::hold(1 << 19);
    assert!(Held::within(1 << 20, work::memory()).is_none());
    assert_eq!(other.budget().left(), before);
    {
        let _inner = other.enter();
        assert!(Held::within(1 << 18, work::memory()).is_some());
    }
    drop(inside);
    // It is given back to the ledger that it was taken from, wherever that happens.
    let left = one.budget().left();
    std::thread::spawn(move || drop(held)).join().unwrap();
    assert!(one.budget().left() > left);
}

#[test]
fn one_is_stopped_and_the_other_goes_on() {
    struct StopAt(Arc<perilune::interrupt::Stop>);
    impl Progress for StopAt {
        fn start(&self, _: u64, _: &str) {}
        fn advance(&self, _: u64) {
            self.0.request(Reason::Signal);
        }
        fn finish(&self) {}
    }
    let image = image(3000);
    let stopped = Context::new().with_threads(2);
    let stopped = stopped
        .clone()
        .with_progress(Arc::new(StopAt(stopped.stop().clone())));
    let (broken, whole) = std::thread::scope(|scope| {
        let broken = scope.spawn(|| {
            let _entered = stopped.enter();
            stats(&image).map(|_| ()).unwrap_err().to_string()
        });
        let whole = scope.spawn(|| {
            let _entered = Context::new().with_threads(2).enter();
            stats(&image).unwrap()[0].count()
        });
        (broken.join().unwrap(), whole.join().unwrap())
    });
    assert!(broken.contains("interrupted"), "{broken}");
    assert_eq!(whole, 3000 * 700);
}
