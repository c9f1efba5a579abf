//! `[network_escape]` and `[network_schedules]`: sections of a network, their table read by `[freezing]`, restarts, schedules, and what is refused.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run};
use freezeout::network::{
    Batch, CrossEntropy, Curve, FLATNESS_EIGENVALUES, FiniteSum, Images, LayerHessian, Perceptron, Samples,
    distance, scaled_sharpness, split, tabulate,
};
use freezeout::output::{Records, ResultFile};
use freezeout::questions::network_escape::NetworkEscapeResult;
use freezeout::questions::network_schedules::NetworkSchedulesResult;
use freezeout::statistics::variance;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::sync::OnceLock;

const ESCAPE: &str = r#"
name = "sections"
[network_escape]
hidden = [8, 8]
train = 5
test = 20
batch_size = 5
time = 60.0
sections = [2.0, 5.0, 10.0, 20.0]
restarts = 6
horizon = 20.0
looks = 4
parts = 12
string_steps = 30
"#;

fn small() -> &'static ResultFile {
    static FILE: OnceLock<ResultFile> = OnceLock::new();
    FILE.get_or_init(|| run(ESCAPE))
}

fn digits(train: usize) -> (Perceptron, Samples) {
    let (samples, _) = split(&Images::digits().unwrap(), train, 1).unwrap();
    (Perceptron::new(&[64, 12, 9, 10]).unwrap(), samples)
}

/// Slope, curvature and noise of a section against differences of the loss along it and gradients sample by sample.
#[test]
fn a_section_is_that_of_differences_and_single_samples() {
    let (network, samples) = digits(6);
    let mut loss = CrossEntropy::new(&network, &samples).unwrap();
    let from = network.initial_state(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    let to = network.initial_state(&mut Xoshiro256PlusPlus::seed_from_u64(2));
    let points = tabulate(&Curve::straight(&from, &to, 8, 1), &mut loss).unwrap();
    let length = distance(&from, &to);
    let tangent: Vec<f64> = from.iter().zip(&to).map(|(a, b)| (b - a) / length).collect();
    let middle: Vec<f64> = from.iter().zip(&to).map(|(a, b)| a + 0.25 * (b - a)).collect();
    // the third of ten: two parts from the first end
    let found = points[3];
    let mut at = |by: f64, batch: Batch<'_>| {
        let moved: Vec<f64> = middle.iter().zip(&tangent).map(|(m, t)| m + by * t).collect();
        let mut gradient = vec![0.0; moved.len()];
        let value = loss.gradient(&moved, batch, &mut gradient);
        (value, gradient)
    };
    // steps so short that no unit switches
    let h = 1e-6;
    let (right, left) = (at(h, Batch::All), at(-h, Batch::All));
    let along = |g: &[f64]| g.iter().zip(&tangent).map(|(g, t)| g * t).sum::<f64>();
    let slope = (right.0 - left.0) / (2.0 * h);
    let curvature = (along(&right.1) - along(&left.1)) / (2.0 * h);
    assert!(
        (found.slope - slope).abs() < 1e-7 * (1.0 + slope.abs()),
        "{} {slope}",
        found.slope
    );
    assert!(
        (found.curvature - curvature).abs() < 1e-6 * (1.0 + curvature.abs()),
        "{} {curvature}",
        found.curvature
    );
    let (value, gradient) = at(0.0, Batch::All);
    assert!((found.loss - value).abs() < 1e-13);
    let across: f64 = gradient
        .iter()
        .zip(&tangent)
        .map(|(g, t)| (g - slope * t).powi(2))
        .sum();
    assert!((found.across / across.sqrt() - 1.0).abs() < 1e-5);
    let singles: Vec<Vec<f64>> = (0..samples.count())
        .map(|n| at(0.0, Batch::Some(&[n])).1)
        .collect();
    let noise = variance(&singles.iter().map(|g| along(g)).collect::<Vec<f64>>())
        .unwrap()
        .value;
    assert!(
        (found.noise / noise - 1.0).abs() < 1e-10,
        "{} {noise}",
        found.noise
    );
    let trace: f64 = (0..gradient.len())
        .map(|k| {
            variance(&singles.iter().map(|g| g[k]).collect::<Vec<f64>>())
                .unwrap()
                .value
        })
        .sum();
    assert!((found.noise_share / (noise / trace) - 1.0).abs() < 1e-10);
}

/// The string lies lower than the line from which it was made, and keeps its ends.
#[test]
fn a_string_lies_below_the_line() {
    let (network, samples) = digits(6);
    let mut loss = CrossEntropy::new(&network, &samples).unwrap();
    let from = network.initial_state(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    let to = network.initial_state(&mut Xoshiro256PlusPlus::seed_from_u64(2));
    let string = Curve::string(&from, &to, [10, 2], 40, 0.1, &mut loss);
    let line = Curve::straight(&from, &to, 10, 2);
    assert!(distance(&string.states[2], &from) == 0.0 && distance(&string.states[12], &to) < 1e-12);
    assert!(string.length > line.length);
    let mut height = |curve: &Curve| loss.evaluate(&curve.states[7]).loss;
    assert!(height(&string) < height(&line));
}

/// A unit may be rescaled without changing what the network says; flatness by eigenvalues changes at will, rises along directions as long as the weights do not.
#[test]
fn scaled_sharpness_does_not_see_a_rescaling_and_flatness_does() {
    let (network, samples) = digits(6);
    let mut loss = CrossEntropy::new(&network, &samples).unwrap();
    let theta = network.initial_state(&mut Xoshiro256PlusPlus::seed_from_u64(3));
    let scale = 3.0;
    // every unit of the second layer three times as large, and what it leads to a third; a different factor for the first
    let mut scaled = theta.clone();
    let factor = |unit: usize| if unit == 0 { 7.0 } else { scale };
    for (k, w) in scaled[network.weights(1)].iter_mut().enumerate() {
        *w *= factor(k / 12);
    }
    for (k, b) in scaled[network.biases(1)].iter_mut().enumerate() {
        *b *= factor(k);
    }
    for (k, w) in scaled[network.weights(2)].iter_mut().enumerate() {
        *w /= factor(k % 9);
    }
    let (here, there) = (loss.evaluate(&theta), loss.evaluate(&scaled));
    assert!((here.loss - there.loss).abs() < 1e-12);
    let [a, b] = [&theta, &scaled].map(|at| scaled_sharpness(&mut loss, at, 1, 5));
    assert!(a > 1e-4 && (a / b - 1.0).abs() < 1e-9, "{a} {b}");
    let mut largest = |at: &[f64]| {
        let mut here = loss.linearise(at);
        LayerHessian::new(&mut here, 1, FLATNESS_EIGENVALUES)
            .unwrap()
            .values()[0]
    };
    let ratio = largest(&theta) / largest(&scaled);
    assert!(ratio > 4.0, "{ratio}");
}

#[test]
fn sections_and_restarts_are_consistent() {
    let result = NetworkEscapeResult::of(small()).unwrap();
    let (count, points, looks) = (4, result.position.len(), result.look.len());
    assert_eq!((points, looks, result.checkpoint_time.len()), (25, 4, count));
    assert!(
        result.distance[3] < 0.5 * result.distance[0],
        "{:?}",
        result.distance
    );
    let s = &result.section;
    for k in 0..2 * count {
        // both ends of a section are end points: lower than the state of training
        let at = |xi: f64| {
            let place = result
                .position
                .iter()
                .position(|x| (x - xi).abs() < 1e-9)
                .unwrap();
            s.loss[k * points + place]
        };
        assert!(
            at(0.0) < result.checkpoint_loss[k % count] && at(1.0) < 0.02,
            "{} {}",
            at(0.0),
            at(1.0)
        );
        assert!(s.log10_rate[k].is_finite());
        // more noise, faster or as fast
        assert!(s.log10_rate_training_noise[k] > s.log10_rate[k] - 0.5);
    }
    for k in 0..count {
        let survival = &result.restarted.side_survival[k * looks..(k + 1) * looks];
        assert!(survival.windows(2).all(|pair| pair[1] <= pair[0]));
        // either a rate, or a bound, or all gone at once
        let r = &result.restarted;
        assert!(r.side_rate[k].is_finite() || r.side_rate_bound[k].is_finite() || survival[0] == 0.0);
    }
    let c = &result.crossing;
    for (way, survival) in [&result.restarted.side_survival, &result.restarted.basin_survival]
        .into_iter()
        .enumerate()
    {
        for k in 0..count {
            let entry = way * count + k;
            // nobody is lost before the horizon: those that have not survived have come out
            let out = 6.0 * (1.0 - survival[(k + 1) * looks - 1]);
            assert!(
                (out - c.crossings[entry] as f64).abs() < 1e-9,
                "{out} {}",
                c.crossings[entry]
            );
            assert_eq!(c.crossing_ridge[entry].is_nan(), c.crossings[entry] == 0);
            assert_eq!(c.crossing_step[entry].is_nan(), c.crossings[entry] < 2);
            assert!(c.crossings[entry] == 0 || (0.0..=1.0).contains(&c.hop_share[entry]));
        }
    }
    let r = &result.restarted;
    let mut moved = r
        .iteration_distance
        .iter()
        .chain(&r.iteration_distance_error)
        .chain(&r.mean_distance_error);
    assert!(moved.all(|d| *d > 0.0));
    assert!(result.noise_in_section().all(|share| share > 0.0 && share < 0.1));
    let rows = result.path_covariance.len() / result.path_s.len();
    assert_eq!((rows, result.path_s.len()), (result.path_x.len(), 25));
    assert!(result.path_covariance.iter().all(|c| *c > 0.0));
}

trait Shares {
    fn noise_in_section(&self) -> Box<dyn Iterator<Item = f64> + '_>;
}

impl Shares for NetworkEscapeResult {
    fn noise_in_section(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        Box::new(self.section.noise_share.iter().copied())
    }
}

/// The table in the result file is one that `[freezing]` reads by itself, and says the same.
#[cfg(feature = "cli")]
#[test]
fn freezing_reads_the_table_of_sections() {
    use freezeout::questions::freezing::FreezingResult;
    let result = NetworkEscapeResult::of(small()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sections.h5");
    freezeout::output::write(&path, small()).unwrap();
    let (x, s) = (&result.path_x, &result.path_s);
    let (last_x, last_s) = (x[x.len() - 1], s[s.len() - 1]);
    let at = path.to_str().unwrap();
    let text = format!(
        r#"
name = "read"
[landscape]
variables = ["x", "s"]
table = {{ file = {at:?}, loss = "network_escape/path_loss", axes = ["network_escape/path_x", "network_escape/path_s"] }}
[noise]
table = {{ file = {at:?}, entries = ["network_escape/path_covariance"], axes = ["network_escape/path_x", "network_escape/path_s"] }}
[sgd]
learning_rate = 0.1
batch_size = 5.0
[region]
domain = [[{:?}, {last_x:?}], [{:?}, {last_s:?}]]
[freezing]
start = {:?}
end = {last_s:?}
start_x = [0.0]
velocity = "1"
snapshots = [5.0, 10.0, {last_s:?}]
runs = 0
"#,
        x[0], s[0], s[0]
    );
    if result.predicted_x[1].is_nan() {
        panic!("{:?}", result.freezing_note);
    }
    let found = FreezingResult::of(&run(&text)).unwrap();
    let points = found.x.len();
    for k in 0..3 {
        let density = &found.density[k * points..(k + 1) * points];
        let step = found.x[1] - found.x[0];
        let mean: f64 = density.iter().zip(&found.x).map(|(p, x)| p * x * step).sum();
        assert!(
            (mean - result.predicted_x[k + 1]).abs() < 2e-2 * last_x,
            "{mean} {:?}",
            result.predicted_x
        );
    }
}

#[test]
fn numbers_do_not_depend_on_threads() {
    // looks at the last checkpoint lie beyond the end of training, too
    let text = ESCAPE
        .replace("restarts = 6", "restarts = 2")
        .replace("time = 60.0", "time = 30.0");
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let file = pool.install(|| run(&text));
        let records = file.group("network_escape").unwrap().records().to_vec();
        records
            .iter()
            .map(|r| format!("{:?}", r.values()))
            .collect::<Vec<_>>()
    };
    assert_eq!(on(1), on(3));
}

const SCHEDULES: &str = r#"
name = "schedules"
[network_schedules]
hidden = [8, 8]
train = 5
test = 20
batch_size = 5
time = 40.0
factor = 5
change = [4.0, 20.0]
repeats = 3
"#;

#[test]
fn schedules_begin_and_end_with_constant_noise() {
    for lever in ["batch_size", "learning_rate"] {
        let result = NetworkSchedulesResult::of(&run(&format!("{SCHEDULES}lever = \"{lever}\"\n"))).unwrap();
        assert_eq!(result.change, [0.0, 4.0, 20.0, 40.0]);
        assert_eq!((result.test_loss.len(), result.lever[0].as_str()), (12, lever));
        let m = &result.means;
        let by_hand = result.flatness[3..6].iter().sum::<f64>() / 3.0;
        assert!((m.mean_flatness[1] - by_hand).abs() < 1e-12);
        // of the constant strengths the lower one is its own reference
        assert_eq!(m.flatness_dip[0].min(m.flatness_dip[3]), 0.0);
        assert!(result.freezing_time.iter().all(|t| (0.0..=40.0).contains(t)));
        // runs of one schedule differ, and schedules differ
        assert!(result.test_loss[0] != result.test_loss[1] && result.test_loss[0] != result.test_loss[9]);
    }
}

#[test]
fn what_is_out_of_range_is_refused_with_its_key() {
    for (base, from, to, key) in [
        (
            ESCAPE,
            "sections = [2.0, 5.0, 10.0, 20.0]",
            "sections = [2.0, 5.0, 10.0]",
            "network_escape.sections",
        ),
        (
            ESCAPE,
            "sections = [2.0, 5.0",
            "sections = [5.0, 2.0",
            "network_escape.sections",
        ),
        (ESCAPE, "20.0]", "70.0]", "network_escape.sections"),
        (ESCAPE, "restarts = 6", "restarts = 1", "network_escape.restarts"),
        (
            ESCAPE,
            "horizon = 20.0",
            "horizon = 200.0",
            "network_escape.horizon",
        ),
        (ESCAPE, "looks = 4", "looks = 0", "network_escape.looks"),
        (ESCAPE, "parts = 12", "parts = 2", "network_escape.parts"),
        (ESCAPE, "parts = 12", "party = 12", "parts"),
        (ESCAPE, "batch_size = 5", "batch_size = 51", "batch_size"),
        (ESCAPE, "time = 60.0", "time = -1.0", "network_escape.time"),
        (ESCAPE, "hidden = [8, 8]", "hidden = []", "network_escape.hidden"),
        (ESCAPE, "train = 5", "train = 0", "network_escape.train"),
        (
            SCHEDULES,
            "change = [4.0, 20.0]",
            "change = [4.0, 40.0]",
            "network_schedules.change",
        ),
        (SCHEDULES, "factor = 5", "factor = 1", "network_schedules.factor"),
        (SCHEDULES, "factor = 5", "factor = 50", "batch_size"),
        (
            SCHEDULES,
            "repeats = 3",
            "repeats = 1",
            "network_schedules.repeats",
        ),
        (
            SCHEDULES,
            "hidden = [8, 8]",
            "hidden = [8]",
            "network_schedules.hidden",
        ),
        (SCHEDULES, "repeats = 3", "lever = \"momentum\"", "momentum"),
    ] {
        assert!(base.contains(from), "{from}");
        let message = refused(&base.replacen(from, to, 1));
        assert!(
            message.contains(key) && message.lines().count() == 1,
            "{to}: {message}"
        );
    }
}
