//! Against what statsmodels, scipy and pymannkendall say of the same series: tests/reference/series.py.

use super::*;

const RECORDED: &str = include_str!("recorded.txt");

#[test]
fn results_are_the_recorded_ones() {
    let (mut times, mut values) = (Vec::new(), Vec::new());
    let mut seen = 0;
    for line in RECORDED.lines().filter(|line| !line.starts_with('#')) {
        let (what, rest) = line.split_once(' ').unwrap();
        let recorded: Vec<f64> = rest.split(' ').map(|x| x.parse().unwrap()).collect();
        let found = match what {
            "times" => {
                times = recorded;
                continue;
            }
            "values" => {
                values = recorded;
                continue;
            }
            "mann_kendall" => {
                let found = mann_kendall(&values, &mut Vec::new()).unwrap();
                vec![found.tau, found.z, found.p_value]
            }
            "theil_sen" => {
                let found = theil_sen(&times, &values, &mut Vec::new()).unwrap();
                vec![found.slope, found.offset, found.low, found.high]
            }
            // The values with others that are masked between them, in other lanes than others.
            _ => harmonics(&times, &values),
        };
        assert_eq!(found.len(), recorded.len(), "{what}");
        for (a, b) in found.iter().zip(&recorded) {
            assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{what}: {a} for {b}");
        }
        seen += 1;
    }
    assert_eq!(seen, 21);
}

/// Of lane 5; the others hold other series, with gaps at other times.
fn harmonics(times: &[f64], values: &[f64]) -> Vec<f64> {
    let (mut all, mut planes) = (Vec::new(), Vec::new());
    for (i, (time, value)) in times.iter().zip(values).enumerate() {
        // A time at which this series has no value, once in three.
        if i % 3 == 1 {
            all.push(time + 0.003);
            planes.push(plane(i, f64::NAN));
        }
        all.push(*time);
        planes.push(plane(i, *value));
    }
    let mut out = vec![[0.0; LANES]; Harmonics::results(2)];
    let first = times.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(all.iter().all(|t| *t >= first));
    Harmonics::new(&all, &[1.0, 0.5]).fit(&planes, &mut out);
    out.iter().map(|plane| plane[5]).collect()
}

fn plane(time: usize, value: f64) -> [f64; LANES] {
    std::array::from_fn(|i| match i {
        5 => value,
        _ if (time + i) % 7 < 2 => f64::NAN,
        _ => ((time * 31 + i * 17) % 101) as f64 * 1e3,
    })
}

#[test]
fn what_series_do_not_tell_is_masked() {
    let times: Vec<f64> = (0..40).map(|i| 20.0 + f64::from(i) * 0.1).collect();
    let model = Harmonics::new(&times, &[1.0, 0.5]);
    let mut out = vec![[0.0; LANES]; Harmonics::results(2)];
    let planes: Vec<[f64; LANES]> = (0..40)
        .map(|t| {
            std::array::from_fn(|i| match i {
                // Six values are as many as there are terms; of one time of the year they tell no wave; none at all.
                0 if t < 6 => 1.0,
                1 if t % 10 == 0 => t as f64,
                3 => (t * t % 13) as f64,
                _ => f64::NAN,
            })
        })
        .collect();
    model.fit(&planes, &mut out);
    for plane in &out {
        assert!([0, 1, 2].iter().all(|i| plane[*i].is_nan()));
        assert!(plane[3].is_finite());
    }
    assert_eq!(mann_kendall(&[1.0], &mut Vec::new()), None);
    assert_eq!(theil_sen(&[2.0, 2.0], &[1.0, 3.0], &mut Vec::new()), None);
    let flat = mann_kendall(&[4.0; 5], &mut Vec::new()).unwrap();
    assert_eq!((flat.tau, flat.z, flat.p_value), (0.0, 0.0, 1.0));
}

/// What tests/reference/over_time.py wrote: lines of a name and numbers.
const OVER_TIME: &str = include_str!("over_time.txt");

/// The numbers of each line of one of two names, where the second follows the first.
fn pairs(first: &str, second: &str) -> Vec<(Vec<f64>, Vec<f64>)> {
    let numbers = |line: &str, name: &str| -> Option<Vec<f64>> {
        let rest = line.strip_prefix(name)?.strip_prefix(' ')?;
        Some(rest.split(' ').map(|x| x.parse().unwrap()).collect())
    };
    let lines: Vec<&str> = OVER_TIME.lines().collect();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        if let Some(given) = numbers(line, first) {
            let told = lines[i..].iter().find_map(|line| numbers(line, second)).unwrap();
            found.push((given, told));
        }
    }
    assert!(!found.is_empty(), "{first}");
    found
}

#[test]
fn tails_of_gamma_distributions_are_scipys() {
    let mut count = 0;
    for line in OVER_TIME.lines().filter_map(|line| line.strip_prefix("gamma ")) {
        let v: Vec<f64> = line.split(' ').map(|x| x.parse().unwrap()).collect();
        let found = crate::statistics::gamma::upper(v[0], v[1]);
        // Of tails of 1e-300 the exponential leaves fewer digits.
        let tolerance = 1e-13 * (1.0 + v[1]);
        assert!(
            (found - v[2]).abs() <= tolerance * v[2] + 1e-300,
            "{v:?}: {found}"
        );
        count += 1;
    }
    assert_eq!(count, 56);
}

/// In lane `lane` of all bands the given series, elsewhere others with gaps; between its times some at which it has no value.
fn among_others(values: &[f64], bands: usize, lane: usize) -> Vec<[f64; LANES]> {
    let mut planes = Vec::new();
    for (t, image) in values.chunks(bands).enumerate() {
        if t % 3 == 1 {
            planes.extend((0..bands).map(|b| {
                // Masked where one band is.
                std::array::from_fn(|i| {
                    if i == lane && b + 1 == bands {
                        f64::NAN
                    } else {
                        0.3 + ((t * 7 + i + b) % 5) as f64
                    }
                })
            }));
        }
        planes.extend(image.iter().enumerate().map(|(b, v)| {
            std::array::from_fn(|i| match i {
                _ if i == lane => *v,
                _ if (t + i) % 9 < 2 => f64::NAN,
                _ => ((t * 13 + i * 29 + b * 3) % 17) as f64 + 0.5,
            })
        }));
    }
    planes
}

#[test]
fn geometric_medians_are_those_of_hdstats_and_no_sum_is_smaller() {
    let sums = pairs("points", "smallest_sum");
    for ((given, hdstats), (_, smallest)) in pairs("points", "hdstats").into_iter().zip(sums) {
        let (n, bands) = (given[0] as usize, given[1] as usize);
        let points = &given[2..];
        let planes = among_others(points, bands, 9);
        let mut out = vec![[0.0; LANES]; bands];
        let median = Geomedian {
            bands,
            tolerance: 1e-9,
            most_steps: 100_000,
        };
        median.fit(&planes, &mut out);
        let found: Vec<f64> = out.iter().map(|plane| plane[9]).collect();
        let sum: f64 = points
            .chunks(bands)
            .map(|p| {
                p.iter()
                    .zip(&found)
                    .map(|(a, b)| (a - b) * (a - b))
                    .sum::<f64>()
                    .sqrt()
            })
            .sum();
        assert!(
            sum <= smallest[0] * (1.0 + 1e-9),
            "{n} × {bands}: {sum} for {}",
            smallest[0]
        );
        // Of an even number of numbers any between the middle two is one; hdstats computes in f32.
        for (a, b) in found.iter().zip(&hdstats).filter(|_| bands > 1) {
            assert!((a - b).abs() < 2e-3, "{n} × {bands}: {found:?} for {hdstats:?}");
        }
        // What is in the other lanes does not matter.
        let alone: Vec<[f64; LANES]> = planes.iter().map(|plane| [plane[9]; LANES]).collect();
        let mut again = out.clone();
        median.fit(&alone, &mut again);
        assert!(again.iter().zip(&found).all(|(plane, v)| plane[30] == *v));
    }
}

#[test]
fn points_that_are_one_are_their_median() {
    let median = Geomedian {
        bands: 2,
        tolerance: 1e-6,
        most_steps: 100,
    };
    let mut planes = vec![[4.0; LANES]; 10];
    planes.iter_mut().for_each(|plane| plane[1] = f64::NAN);
    // One of two bands.
    (0..10).step_by(2).for_each(|p| planes[p][2] = f64::NAN);
    let mut out = vec![[0.0; LANES]; 2];
    median.fit(&planes, &mut out);
    assert_eq!((out[0][0], out[1][0]), (4.0, 4.0));
    assert!(out[0][1].is_nan() && out[1][2].is_nan());
}

#[test]
fn cumulative_sums_are_those_of_all_orders() {
    for (values, told) in pairs("cusum_values", "cusum") {
        let planes = among_others(&values, 1, 40);
        let permutations = 20_000;
        let cusum = Cusum::new(planes.len(), permutations, 5);
        let mut out = vec![[0.0; LANES]; Cusum::RESULTS];
        cusum.fit(&planes, &mut out);
        let found: Vec<f64> = out.iter().map(|plane| plane[40]).collect();
        // The place is among the planes, of which some are masked.
        let place = (0..planes.len())
            .filter(|t| !planes[*t][40].is_nan())
            .nth(told[1] as usize - 1);
        assert_eq!(found[1] as usize, place.unwrap() + 1, "{values:?}");
        assert!(
            (found[0] - told[0]).abs() < 1e-9 && (found[2] - told[2]).abs() < 1e-9,
            "{found:?}"
        );
        // Four standard deviations of a share of so many.
        let allowed = 4.0 * (told[3] * (1.0 - told[3]) / permutations as f64).sqrt() + 1e-12;
        assert!(
            (found[3] - told[3]).abs() <= allowed,
            "{values:?}: {} for {}",
            found[3],
            told[3]
        );
    }
}

/// The example of Taylor's article, a deficit of trade in 24 months: S is largest in the eleventh, with a confidence of 99 % and more.
#[test]
fn the_trade_deficit_changes_after_the_eleventh_month() {
    let months = [
        10.7, 13.0, 11.4, 11.5, 12.5, 14.1, 14.8, 14.1, 12.6, 16.0, 11.7, 10.6, 10.0, 11.4, 7.9, 9.5, 8.0,
        11.8, 10.5, 11.2, 9.2, 10.1, 10.4, 10.5,
    ];
    let planes: Vec<[f64; LANES]> = months.iter().map(|v| [*v; LANES]).collect();
    let mut out = vec![[0.0; LANES]; Cusum::RESULTS];
    Cusum::new(24, 1000, 1).fit(&planes, &mut out);
    assert_eq!(out[1], [12.0; LANES]);
    assert!(out[3][0] >= 0.99 && out[3].iter().all(|v| *v == out[3][0]));
}

#[test]
fn levels_without_a_change_have_none() {
    let mut planes = vec![[0.1; LANES]; 30];
    planes.iter_mut().for_each(|plane| plane[1] = f64::NAN);
    planes[3][1] = 7.0;
    let mut out = vec![[5.0; LANES]; Cusum::RESULTS];
    Cusum::new(30, 100, 1).fit(&planes, &mut out);
    assert_eq!((out[0][0], out[3][0]), (0.0, 0.0));
    assert!(out[1][0].is_nan() && out[2][0].is_nan());
    assert!(out.iter().all(|plane| plane[1].is_nan()));
}

/// Numbers of the images, and what each change is.
fn omnibus(given: &[f64]) -> (f64, Vec<usize>, Vec<(usize, Change)>) {
    let (images, bands) = (given[0] as usize, given[1] as usize);
    let planes = among_others(&given[4..], bands, 17);
    let valid: Vec<usize> = (0..planes.len() / bands)
        .filter(|at| !planes[at * bands + bands - 1][17].is_nan())
        .collect();
    assert_eq!(valid.len(), images);
    let tests = Omnibus::new(planes.len() / bands, bands, given[2], given[3]);
    let mut told = Vec::new();
    let mut scratch = Scratch::default();
    let found = tests
        .series(&planes, 17, &mut scratch, |at, change| told.push((at, change)))
        .unwrap();
    assert!(told.iter().map(|(at, _)| *at).eq(valid.iter().copied()));
    let number = |at: usize| valid.iter().position(|v| *v == at).unwrap() + 1;
    let changes: Vec<(usize, Change)> = told
        .iter()
        .filter(|(_, change)| *change != Change::None)
        .map(|(at, change)| (number(*at), *change))
        .collect();
    assert_eq!(found.frequency, changes.len());
    if let (Some(first), Some(last)) = (changes.first(), changes.last()) {
        assert_eq!(
            (number(found.first - 1), number(found.last - 1)),
            (first.0, last.0)
        );
    }
    (
        found.p_value,
        changes.iter().map(|(at, _)| *at).collect(),
        changes,
    )
}

#[test]
fn the_omnibus_test_is_what_scipy_says() {
    let mut changes = 0;
    for (given, told) in pairs("omnibus_powers", "omnibus") {
        let (p_value, found, _) = omnibus(&given);
        assert!(
            (p_value - told[0]).abs() <= 1e-10 * told[0],
            "{p_value} for {}",
            told[0]
        );
        let wanted: Vec<usize> = told[1..].iter().map(|v| *v as usize).collect();
        assert_eq!(found, wanted);
        changes += found.len();
    }
    assert!(changes > 8);
}

#[test]
fn two_powers_are_as_the_f_distribution_has_them() {
    for line in OVER_TIME
        .lines()
        .filter_map(|line| line.strip_prefix("two_powers "))
    {
        let v: Vec<f64> = line.split(' ').map(|x| x.parse().unwrap()).collect();
        let (p_value, ..) = omnibus(&[2.0, 1.0, v[0], 0.01, 1.0, v[1]]);
        // Of one look the approximation is at its worst.
        let allowed = if v[0] < 2.0 { 0.03 } else { 0.004 };
        assert!((p_value - v[2]).abs() < allowed, "{v:?}: {p_value}");
    }
}

/// −ln Q that chance exceeds once in a hundred is one whose p-value is 0.01.
#[test]
fn chance_is_taken_for_a_change_as_often_as_said() {
    for line in OVER_TIME
        .lines()
        .filter_map(|line| line.strip_prefix("quantile_of_chance "))
    {
        let v: Vec<f64> = line.split(' ').map(|x| x.parse().unwrap()).collect();
        let (images, bands) = (v[0] as usize, v[1] as usize);
        // One power apart from the others, by as much as makes that −ln Q.
        let minus_log = |power: f64| {
            let k = images as f64;
            let all = (k - 1.0 + power) / k;
            v[2] * bands as f64 * (k * all.ln() - power.ln())
        };
        let (mut low, mut high) = (1.0, 1e9);
        for _ in 0..200 {
            let middle = f64::sqrt(low * high);
            if minus_log(middle) < v[4] {
                low = middle
            } else {
                high = middle
            }
        }
        let mut given = vec![v[0], v[1], v[2], v[3]];
        given.extend((0..images).flat_map(|i| vec![if i == 1 { high } else { 1.0 }; bands]));
        let (p_value, ..) = omnibus(&given);
        // Four standard deviations of 400,000 draws; of one look the terms that are left out tell.
        let allowed = if v[2] < 2.0 { 0.003 } else { 0.0007 };
        assert!((p_value - v[3]).abs() < allowed, "{v:?}: {p_value}");
    }
}

#[test]
fn changes_have_directions() {
    let powers = [
        1.0, 1.0, 1.1, 0.9, 9.0, 9.0, 10.0, 10.0, 0.8, 40.0, 0.9, 44.0, 0.1, 2.0,
    ];
    let mut given = vec![7.0, 2.0, 20.0, 0.001];
    given.extend(powers);
    let (_, _, changes) = omnibus(&given);
    assert_eq!(
        changes,
        [(3, Change::Rise), (5, Change::Mixed), (7, Change::Fall)]
    );
    // Powers of 0 and below are none.
    let mut planes = vec![[1.0; LANES]; 2];
    planes[1][0] = 0.0;
    planes[1][1] = -1.0;
    let tests = Omnibus::new(2, 1, 4.0, 0.01);
    let found = |i| tests.series(&planes, i, &mut Scratch::default(), |_, _| {});
    assert!(found(0).is_none() && found(1).is_none() && found(2).is_some_and(|f| f.p_value == 1.0));
}
