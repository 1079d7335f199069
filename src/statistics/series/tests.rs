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
