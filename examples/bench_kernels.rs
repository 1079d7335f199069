//! Times the filter kernels on one thread: `cargo run --release --example bench_kernels [name part]…`.

use ndarray::Array2;
use perilune::filter::focal::{self, FocalKernel};
use perilune::filter::{
    frost, gamma_map, kuan, lee, lee_sigma, quegan, refined_lee, sigma_range, tv_bregman,
};

/// Speckle of 4 looks (gamma-distributed power) over a slowly varying scene.
fn speckle(rows: usize, cols: usize) -> Array2<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    Array2::from_shape_fn((rows, cols), |(y, x)| {
        let scene = 0.1 * (1.5 + (x as f64 / 200.0).sin() + 0.5 * (y as f64 / 90.0).cos());
        let looks: f64 = (0..4).map(|_| -uniform().ln()).sum();
        (scene * looks / 4.0) as f32
    })
}

/// Processor time of this process, which other programs on the machine disturb less than the wall clock.
fn cpu_seconds() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let size = 2048;
    let kernel = FocalKernel::circle(10.0).expect("a radius in range");
    let (hy, hx) = kernel.halo();
    let whole = speckle(size + 2 * hy, size + 2 * hx);
    let mut masked = whole.clone();
    for ((y, x), value) in masked.indexed_iter_mut() {
        if y < hy || x < hx || y >= size + hy || x >= size + hx || (x * 7 + y * 13) % 101 == 0 {
            *value = f32::NAN;
        }
    }
    let classes = whole.mapv(|v| (v * 20.0).floor().min(5.0));
    let time = |name: &str, run: &dyn Fn() -> Array2<f32>| {
        if !wanted.is_empty() && !wanted.iter().any(|w| name.contains(w.as_str())) {
            return;
        }
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let start = cpu_seconds();
            let out = run();
            best = best.min(cpu_seconds() - start);
            assert_eq!(out.dim(), (size, size));
        }
        println!("{name:40} {:8.2} ns per pixel", best * 1e9 / (size * size) as f64);
    };
    time("focal_median r10", &|| focal::focal_median(whole.view(), &kernel));
    time("focal_median r10 masked", &|| {
        focal::focal_median(masked.view(), &kernel)
    });
    for radius in [1.5, 3.0, 30.0, 100.0] {
        let kernel = FocalKernel::circle(radius).expect("a radius in range");
        let (hy, hx) = kernel.halo();
        let side = size + 2 * hy.max(hx);
        let image = speckle(side, side);
        time(&format!("focal_median r{radius}"), &|| {
            focal::focal_median(image.view(), &kernel)
        });
    }
    time("focal_mean r10", &|| focal::focal_mean(whole.view(), &kernel));
    time("focal_mean r10 masked", &|| {
        focal::focal_mean(masked.view(), &kernel)
    });
    time("focal_std r10", &|| focal::focal_std(whole.view(), &kernel));
    time("focal_min r10", &|| focal::focal_min(whole.view(), &kernel));
    time("focal_max r10 masked", &|| {
        focal::focal_max(masked.view(), &kernel)
    });
    time("focal_mode r10, 6 classes", &|| {
        focal::focal_mode(classes.view(), &kernel)
    });
    time("focal_mode r10, every pixel different", &|| {
        focal::focal_mode(whole.view(), &kernel)
    });
    time("focal_median r10, 6 classes", &|| {
        focal::focal_median(classes.view(), &kernel)
    });
    time("focal_percentile 90 r10", &|| {
        focal::focal_percentile(whole.view(), &kernel, 90.0)
    });

    let (three, four) = (speckle(size + 6, size + 6), speckle(size + 8, size + 8));
    let mut three_masked = three.clone();
    for ((y, x), value) in three_masked.indexed_iter_mut() {
        if (x * 7 + y * 13) % 101 == 0 {
            *value = f32::NAN;
        }
    }
    time("refined_lee", &|| refined_lee::filter_tile(three.view()));
    time("refined_lee masked", &|| {
        refined_lee::filter_tile(three_masked.view())
    });
    time("lee 7", &|| lee::filter_tile(three.view(), 7, 4.0));
    time("kuan 7", &|| kuan::filter_tile(three.view(), 7, 4.0));
    time("gamma_map 7", &|| gamma_map::filter_tile(three.view(), 7, 4.0));
    time("frost 7", &|| frost::filter_tile(three.view(), 7, 2.0));
    let range = sigma_range::sigma_range(4.0, 0.9).expect("looks and a share in range");
    time("lee_sigma 9", &|| {
        lee_sigma::filter_tile(four.view(), 9, 4.0, &range, 0.4)
    });
    time("quegan 7, four images", &|| {
        let views = [three.view(), three.view(), three.view(), three.view()];
        quegan::filter_tiles(&views, 7).swap_remove(0)
    });
    let decibels = speckle(size, size).mapv(|v| 10.0 * v.log10());
    let tv = tv_bregman::TvBregman::new(0.35, 100, 1e-3, true).expect("parameters in range");
    time("tv_bregman 0.35", &|| {
        tv_bregman::denoise(decibels.view(), &tv, usize::MAX).expect("an image in memory")
    });
}
