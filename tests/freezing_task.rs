//! `[freezing]` from configurations: the two-valley model written as a formula, SGD on it, and what is refused.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run};
use freezeout::landscape::{Kink, Landscape, Tabulated, TwoValley};
use freezeout::math::Point;
use freezeout::output::Records;
use freezeout::questions::freezing::FreezingResult;
use freezeout::questions::freezing_design::FreezingDesignResult;
use freezeout::run::{Job, parse};
use freezeout::two_valleys::schedules::SchedulesResult;

const HEAD: &str = r#"
name = "valleys"
[landscape]
variables = ["x", "y"]
loss = "exp(-y/100) + 1 + if(x > 0, x*(x - 1.6*y/(y+30))/(0.64*((y+20)/(y+30))^2), x*(x + 1.3*y/(y+30))/(0.4225*((y+20)/(y+30))^2))"
kinks = [{ axis = 0, position = 0.0 }]
[noise]
model = "hessian_power"
[region]
domain = [[-1.1, 1.3], [0.0, 25.0]]
"#;

#[test]
fn a_formula_of_the_two_valley_model_freezes_as_the_model_does() {
    let tail = "[sgd]\nlearning_rate = 0.01\nbatch_size = 5.0\n[freezing]\nslow = \"y\"\nstart = 1.0\nend = 20.0\nstart_x = [-0.01, 0.01]\nruns = 1500\n";
    let found = FreezingResult::of(&run(&format!("{HEAD}{tail}"))).unwrap();
    // flat is the first in the order of appearance or the second: the larger one
    let flat = usize::from(found.p_final[1] > found.p_final[0]);
    assert!((found.p_final[flat] - 0.9609).abs() < 1e-4, "{:?}", found.p_final);
    assert!((found.p_final_density[flat] - 0.9607).abs() < 1e-4 + found.p_final_density_error);
    assert!((found.freezing_position - 4.339).abs() < 1e-3 + found.freezing_position_error);
    assert!(found.regime[0].starts_with("adiabatic"), "{:?}", found.regime);
    // the transfer operator of SGD at this learning rate ends at .952 (-.0086 of the limit)
    let sgd = found.sgd.unwrap();
    let off = sgd.p_final_sgd[flat] - 0.9521;
    assert!(off.abs() < 4.0 * sgd.p_final_sgd_standard_error[flat], "{off}");
    // control: that is not the isotropic law
    assert!((sgd.p_final_sgd[flat] - 0.5517).abs() > 0.1);
}

/// A cosine decay of the noise until y = 5 by `[freezing.change]` and by `[schedules]`, which follow the same process by code of their own: theory, its limit of many steps,
/// density, and SGD with a decaying learning rate at the times of the floor.
#[test]
fn a_change_over_time_is_that_of_schedules() {
    let task = "[freezing]\nstart = 1.0\nend = 20.0\nstart_x = [-0.01, 0.01]\n";
    let change = "runs = 1000\nlever = \"learning_rate\"\n[freezing.change]\nuntil = 5.0\nafter = 0.1\nshape = \"cosine\"\npieces = 4\n";
    let of = |keys: &str| {
        let text = format!("{HEAD}[sgd]\nlearning_rate = 0.02\nbatch_size = 10.0\n{task}{keys}");
        let found = FreezingResult::of(&run(&text)).unwrap();
        let flat = usize::from(found.p_final[1] > found.p_final[0]);
        (found, flat)
    };
    let known = "name = \"schedules\"\n[landscape]\nmodel = \"two_valley\"\n[schedules]\nbefore = 1e-3\nafter = 1e-4\nchange_y = [5.0]\nshape = [\"cosine\"]\npieces = 4\nlearning_rate = 0.02\nclock = \"time\"\nlever = \"learning_rate\"\nruns = 0\n";
    let known = SchedulesResult::of(&run(known)).unwrap();
    let (found, flat) = of(change);
    let close = |a: f64, b: f64, error: f64| assert!((a - b).abs() <= error + 2e-5, "{a} {b} ± {error}");
    let errors = found.p_final_error + known.p_flat_two_state_error[0];
    close(found.p_final[flat], known.p_flat_two_state[0], errors);
    let (own, other) = (found.continuous.unwrap(), known.continuous.unwrap());
    let errors = own.p_final_continuous_error[flat] + other.p_flat_continuous_error[0];
    close(own.p_final_continuous[flat], other.p_flat_continuous[0], errors);
    let errors = found.p_final_density_error + known.p_flat_density_error[0];
    close(found.p_final_density[flat], known.p_flat_density[0], errors);
    let sgd = found.sgd.unwrap();
    let off = sgd.p_final_sgd[flat] - known.p_flat_transfer[0];
    assert!(off.abs() < 4.0 * sgd.p_final_sgd_standard_error[flat], "{off}");
    // control: a jump at the same place is another schedule
    let (jump, flat) = of("runs = 0\nschedule = [[5.0, 0.1]]\n");
    assert!((jump.p_final[flat] - found.p_final[flat]).abs() > 0.01);
}

/// One valley of curvature 1 + s on a slope c: ds/dt = c at its bottom, c − D/2(1 + s) averaged over its law.
#[test]
fn the_gradient_in_a_valley_is_that_at_its_bottom_or_its_average() {
    let text = "name = \"slope\"\n[landscape]\nvariables = [\"x\", \"s\"]\nloss = \"(1 + s)*x^2/2 - 0.1*s\"\n[noise]\nmodel = \"isotropic\"\nstrength = 0.05\n[region]\ndomain = [[-3.0, 3.0], [0.0, 3.0]]\n[freezing]\nstart = 0.0\nend = 2.0\nstart_x = [0.5]\n";
    let of = |keys: &str| {
        FreezingResult::of(&run(&format!("{text}{keys}")))
            .unwrap()
            .duration
    };
    let at = |s: f64| (s + 0.025 / 0.1 * (0.1 * (1.0 + s) - 0.025).ln()) / 0.1;
    let (bottom, average) = (of(""), of("gradient = \"average\"\n"));
    assert!((bottom - 20.0).abs() < 1e-6, "{bottom}");
    assert!(
        (average - (at(2.0) - at(0.0))).abs() < 1e-4 * average,
        "{average} {}",
        at(2.0) - at(0.0)
    );
}

/// Loss and curvature of the two-valley model at 241 x 51 points, its ridge declared: a spline on either side of it. Without the kink one spline
/// rounds the ridge.
#[test]
fn a_table_of_the_two_valley_model_freezes_as_the_model_does() {
    let model = TwoValley::default();
    let x: Vec<f64> = (0..=240).map(|k| -1.1 + 0.01 * f64::from(k)).collect();
    let y: Vec<f64> = (0..=50).map(|k| 0.5 * f64::from(k)).collect();
    let rows = |of: &dyn Fn(&Point<2>) -> f64| -> Vec<Vec<f64>> {
        let row = |x: &f64| y.iter().map(|y| of(&Point::<2>::new(*x, *y))).collect();
        x.iter().map(row).collect()
    };
    let loss = rows(&|theta| model.loss(theta));
    let curvature = rows(&|theta| model.hessian(theta)[(0, 0)]);
    let text = format!(
        "name = \"table\"\n[landscape]\nvariables = [\"x\", \"y\"]\nkinks = [{{ axis = 0, position = 0.0 }}]\ntable = {{ loss = {loss:?}, axes = [{x:?}, {y:?}] }}\n[noise]\ntable = {{ curvature = {curvature:?}, axes = [{x:?}, {y:?}] }}\n[sgd]\nnoise_strength = 1e-3\n[region]\ndomain = [[-1.1, 1.3], [0.0, 25.0]]\n[freezing]\nslow = \"y\"\nstart = 1.0\nend = 20.0\nstart_x = [-0.01, 0.01]\n"
    );
    let found = FreezingResult::of(&run(&text)).unwrap();
    // of the model itself, by its own route: P .960858, by the density .96076, last hop 4.33917
    let flat = usize::from(found.p_final[1] > found.p_final[0]);
    let (p, density) = (
        found.p_final[flat] - 0.960_858,
        found.p_final_density[flat] - 0.960_76,
    );
    let hop = found.freezing_position - 4.339_17;
    assert!(p.abs() < 2e-5 + found.p_final_error, "{p}");
    assert!(density.abs() < 2e-5 + found.p_final_density_error, "{density}");
    assert!(hop.abs() < 2e-4 + found.freezing_position_error, "{hop}");
    // what half of the points would change covers it
    let change = found.tables.unwrap().p_final_table_change[flat];
    assert!(
        p.abs() <= change + found.p_final_error && change < 1e-4,
        "{change}"
    );
    // control: one spline over the ridge, by which P is .9527 and the last hop 4.33445, has other slopes beside it
    let beside = Point::<2>::new(0.003, 5.0);
    let off = |kinks: Vec<Kink>| {
        let table = Tabulated::with_kinks([x.clone(), y.clone()], loss.concat(), kinks).unwrap();
        (table.gradient(&beside) - model.gradient(&beside)).amax()
    };
    let declared = Kink {
        axis: 0,
        position: 0.0,
    };
    assert!(off(vec![declared]) < 1e-6 && off(Vec::new()) > 0.1);
}

/// Parting valleys in a table of few points: their spline is off by more than any stated error, and what half of them would change says so.
#[test]
fn a_coarse_table_says_how_much_hangs_on_its_points() {
    let loss = |x: f64, s: f64| (x * x - 1.0).powi(2) * (0.1 + s) + 0.2 * x * s - 0.1 * s;
    let of = |landscape: &str| {
        let text = format!(
            "name = \"table\"\n{landscape}\n[noise]\nmodel = \"isotropic\"\nstrength = 0.1\n[region]\ndomain = [[-2.5, 2.5], [0.1, 2.0]]\n[freezing]\nstart = 0.1\nend = 2.0\nstart_x = [1.0]\nvelocity = \"0.003\"\n"
        );
        FreezingResult::of(&run(&text)).unwrap()
    };
    let known =
        of("[landscape]\nvariables = [\"x\", \"s\"]\nloss = \"(x^2 - 1)^2*(0.1 + s) + 0.2*x*s - 0.1*s\"");
    let table = |points: usize| {
        let x: Vec<f64> = (0..points)
            .map(|k| -2.5 + 5.0 * k as f64 / (points - 1) as f64)
            .collect();
        let s: Vec<f64> = (0..20).map(|k| 0.1 + 0.1 * f64::from(k)).collect();
        let row = |x: &f64| s.iter().map(|s| loss(*x, *s)).collect();
        let values: Vec<Vec<f64>> = x.iter().map(row).collect();
        of(&format!(
            "[landscape]\nvariables = [\"x\", \"s\"]\ntable = {{ loss = {values:?}, axes = [{x:?}, {s:?}] }}"
        ))
    };
    for points in [33, 65] {
        let found = table(points);
        let (off, change) = (
            (found.p_final[0] - known.p_final[0]).abs(),
            found.tables.unwrap().p_final_table_change[0],
        );
        let stated = found.p_final_error + known.p_final_error;
        assert!(
            off <= change + stated && change < 300.0 * off,
            "{points}: {off} {change}"
        );
        // control: of the coarser table the stated error alone would not cover
        assert!(points > 33 || off > stated, "{points}: {off} {stated}");
    }
    assert!(known.tables.is_none());
}

/// Two wells whose barrier is .77 noise temperatures at the start. References from a master equation of both wells with rates by quadrature, written
/// for this test alone: P = .2978337 on the right, mean last hop .288552.
#[test]
fn runs_that_start_below_the_threshold_have_errors_that_cover() {
    let freezing = |keys: &str| {
        FreezingResult::of(&run(&format!(
            "name = \"low\"\n[landscape]\nvariables = [\"x\", \"s\"]\nloss = \"(0.15 + 0.8*s)*(x^2 - 1)^2 + 0.1*sin(3*s)*x + 0.05*x^3\"\n[noise]\ntensor = [[\"0.2 + 0.1*x^2\", 0.0], [0.0, 0.0]]\n[region]\ndomain = [[-3.4, 3.4], [0.0, 3.0]]\n[freezing]\nstart = 0.1\nend = 2.5\nstart_x = [1.0, -1.0, 1.2]\nvelocity = \"0.0219334 + 0.0243969*s\"\nschedule = [[0.5161217954724983, 0.6931373360222502], [1.7168339947504818, 0.08317648032267003]]\npoints = 5\nsnapshots = [2.5]\n{keys}"
        )))
        .unwrap()
    };
    let (p, hop) = (0.297_833_7, 0.288_552);
    // digits of the references
    let (p_digits, hop_digits) = (5e-8, 5e-7);
    for keys in ["", "shallowest = 0.0", "shallowest = 1.0"] {
        let found = freezing(keys);
        let right = (0..2)
            .max_by(|a, b| found.valley_x[a * 5 + 4].total_cmp(&found.valley_x[b * 5 + 4]))
            .unwrap();
        let (off, moved) = (found.p_final[right] - p, found.freezing_position - hop);
        assert!(
            off.abs() <= found.p_final_error + p_digits,
            "{keys}: {off:e} {:e}",
            found.p_final_error
        );
        assert!(
            moved.abs() <= found.freezing_position_error + hop_digits,
            "{keys}: {moved:e} {:e}",
            found.freezing_position_error
        );
        // control: taking the start for one valley is far off, and only its error says so
        let is_one = keys.ends_with("1.0");
        assert_eq!(off.abs() > 0.01, is_one, "{keys}: {off}");
        assert_eq!(
            found.p_final_error > 1e-4,
            is_one,
            "{keys}: {}",
            found.p_final_error
        );
    }
}

/// A quartic with two valleys that part with s, in the plane (x, s) or (s, x).
fn parting(variables: &str, slow: usize, noise: &str, task: &str) -> FreezingResult {
    let domain = ["[[0.0, 1.0], [-2.2, 2.2]]", "[[-2.2, 2.2], [0.0, 1.0]]"][slow];
    FreezingResult::of(&run(&format!(
        "name = \"parting\"\n[landscape]\nvariables = {variables}\nloss = \"s*(x^2 - 1)^2 + 0.05*x\"\n[noise]\n{noise}\n[sgd]\nnoise_strength = 0.05\n[region]\ndomain = {domain}\n[freezing]\nslow = \"s\"\nvelocity = \"0.002\"\nstart = 0.1\nend = 0.8\nstart_x = [-0.5, 0.5]\npoints = 11\nsnapshots = [0.8]\n{task}"
    )))
    .unwrap()
}

#[test]
fn the_slow_variable_may_be_the_first_and_langevin_paths_follow_the_density() {
    let isotropic = "model = \"isotropic\"";
    let second = parting(
        "[\"x\", \"s\"]",
        1,
        isotropic,
        "langevin_time_step = 0.02\nruns = 2000\n",
    );
    let first = parting(
        "[\"s\", \"x\"]",
        0,
        isotropic,
        "langevin_time_step = 0.02\nruns = 2000\n",
    );
    for (a, b) in [
        (&first.p_final, &second.p_final),
        (&first.p_final_density, &second.p_final_density),
        (&first.probability, &second.probability),
    ] {
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }
    for result in [&first, &second] {
        let paths = result.langevin.as_ref().unwrap();
        for k in 0..2 {
            let (p, sigma) = (
                paths.p_final_langevin[k],
                paths.p_final_langevin_standard_error[k],
            );
            // steps of a fortieth of the relaxation time: of first order
            let off = (p - result.p_final_density[k]).abs();
            assert!(
                off < 4.0 * sigma + 0.005,
                "{k}: {p} ± {sigma} {}",
                result.p_final_density[k]
            );
        }
        // control: neither valley has its share of the start
        assert!((paths.p_final_langevin[0] - 0.5).abs() > 0.1, "{paths:?}");
    }
}

/// The noise from a table of the curvature across is that of its formula, to the spline through the table.
#[cfg(feature = "files")]
#[test]
fn a_table_of_the_curvature_is_a_noise() {
    use freezeout::output::{Group, Record, ResultFile, write};
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sections.h5");
    let x: Vec<f64> = (0..=220).map(|k| -2.2 + 0.02 * f64::from(k)).collect();
    let s: Vec<f64> = (0..=20).map(|k| 0.05 * f64::from(k)).collect();
    let curvature: Vec<f64> = x
        .iter()
        .flat_map(|x| s.iter().map(move |s| s * (12.0 * x * x - 4.0)))
        .collect();
    let mut group = Group::new("sections").unwrap();
    group
        .push(Record::coordinate("x", "1", x.clone()).unwrap())
        .unwrap();
    group
        .push(Record::coordinate("s", "1", s.clone()).unwrap())
        .unwrap();
    let shape = [("x", x.len()), ("s", s.len())];
    group
        .push(Record::new("curvature", "1", &shape, curvature).unwrap())
        .unwrap();
    let mut file = ResultFile::new();
    file.push(group).unwrap();
    write(&path, &file).unwrap();
    let with = |more: &str| {
        format!(
            "table = {{ file = \"{}\", axes = [\"sections/x\", \"sections/s\"], {more} }}",
            path.display()
        )
    };
    let curvature = "curvature = \"sections/curvature\", power = 1.0, strength = 0.1, floor = 0.3";
    let found = parting("[\"x\", \"s\"]", 1, &with(curvature), "");
    let formula = "tensor = [[\"0.1*max(s*(12*x^2 - 4), 0) + 0.3\", 0.0], [0.0, 0.0]]";
    let known = parting("[\"x\", \"s\"]", 1, formula, "");
    for (a, b) in found.p_final.iter().zip(&known.p_final) {
        // a quadratic curvature is its spline
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    // control: another power is another noise
    let squared = curvature.replace("power = 1.0", "power = 0.0");
    let other = parting("[\"x\", \"s\"]", 1, &with(&squared), "");
    assert!((other.p_final[0] - known.p_final[0]).abs() > 0.01);
    for wrong in [
        "entries = [\"sections/curvature\"], power = 2.0",
        "entries = [\"sections/curvature\"], curvature = \"sections/curvature\"",
    ] {
        let message = refused(&format!(
            "{}\n[sgd]\nnoise_strength = 0.05\n[freezing]\nstart = 1.0\nend = 20.0\nstart_x = [0.01]\n",
            HEAD.replace("model = \"hessian_power\"", &with(wrong))
        ));
        assert!(message.contains("noise.table.curvature"), "{message}");
    }
}

#[test]
fn the_designed_noise_reaches_by_every_route_what_was_promised() {
    let text = "name = \"parting\"\n[landscape]\nvariables = [\"x\", \"s\"]\nloss = \"s*(x^2 - 1)^2 + 0.05*x\"\n[noise]\nmodel = \"isotropic\"\n[sgd]\nlearning_rate = 0.02\nbatch_size = 1.0\n[region]\ndomain = [[-2.6, 2.6], [0.0, 1.0]]\n[freezing]\nvelocity = \"0.002\"\nstart = 0.1\nend = 0.8\nstart_x = [0.8]\npoints = 11\nsnapshots = [0.8]\nruns = 1000\n[freezing.design]\nvalley = -1.0\nweakest = 1.0\nstrongest = 8.0\npieces = 4\nfactors = 4\n";
    let found = FreezingDesignResult::of(&run(text)).unwrap();
    assert_eq!((found.schedule.len(), found.schedule[0].as_str()), (10, "best"));
    assert!((found.p_chosen[0] - found.p_design).abs() < 1e-5 + found.p_chosen_error[0]);
    assert!(found.p_bound >= found.p_design && found.p_bound <= 1.0 + 1e-9);
    // no usual schedule of the tabulated factors is better
    let usual = (5..10).map(|k| found.p_chosen[k]).fold(0.0, f64::max);
    assert!(found.p_chosen[0] >= usual - 1e-6, "{:?}", found.p_chosen);
    assert!(found.p_one_changed.iter().all(|p| *p <= found.p_design + 1e-9));
    let sgd = found.sgd.as_ref().unwrap();
    let (gains, sgd_gains) = (found.gains.as_ref().unwrap(), found.sgd_gains.as_ref().unwrap());
    for k in 0..10 {
        assert!((gains.gain[k] - (found.p_chosen[0] - found.p_chosen[k])).abs() < 1e-15);
        // independent runs of binomial law, and errors of the theory far below theirs
        let variance = |k: usize| sgd.p_chosen_sgd[k] * (1.0 - sgd.p_chosen_sgd[k]) / 1000.0;
        let expected = if k == 0 {
            0.0
        } else {
            (variance(0) + variance(k)).sqrt()
        };
        assert!((sgd_gains.gain_sgd_standard_error[k] / expected - 1.0).abs() < 2e-3 || expected == 0.0);
        assert!(gains.gain_error[k] < 1e-3);
    }
    for (k, (p, error)) in sgd
        .p_chosen_sgd
        .iter()
        .zip(&sgd.p_chosen_sgd_standard_error)
        .enumerate()
    {
        let density = found.p_chosen_density[k];
        // steps of .02 in a valley of curvature 8 s: the law of the map is within a few per cent of that of the diffusion
        assert!(
            (p - density).abs() < 4.0 * error + 0.03,
            "{k}: {p} {error} {density}"
        );
    }
}

#[test]
fn a_learning_rate_that_leaves_the_valleys_is_refused_with_step_and_value() {
    let task = "[sgd]\nlearning_rate = 0.6\nbatch_size = 300.0\n[freezing]\nstart = 1.0\nend = 20.0\nstart_x = [0.01]\n";
    let message = refused(&format!("{HEAD}{task}"));
    assert!(
        message.contains("sgd.learning_rate") && message.contains("step "),
        "{message}"
    );
    assert!(message.contains("must be below 2"), "{message}");
}

/// Valleys of curvature 8 (.2 + s) about, at a speed of .01 from s = .1 to 2.5.
fn deepening(sgd: &str, keys: &str) -> String {
    format!(
        "name = \"deepening\"\n[landscape]\nvariables = [\"x\", \"s\"]\nparameters = {{ tilt = 0.1 }}\nloss = \"(0.2+s)*(x^2 - 1)^2 + tilt*x\"\n[noise]\nmodel = \"isotropic\"\n[sgd]\n{sgd}\n[region]\ndomain = [[-3.0, 3.0], [0.0, 3.0]]\n[freezing]\nstart = 0.1\nend = 2.5\nstart_x = [1.0]\n{keys}\n"
    )
}

/// A learning rate that falls or grows by ten is held against the valleys where it is that large, and steps are counted piece by piece.
#[test]
fn each_piece_of_a_schedule_has_its_own_learning_rate() {
    let of = |rate: f64, keys: &str| {
        deepening(
            &format!("learning_rate = {rate}\nbatch_size = 0.8"),
            &format!("velocity = \"0.01\"\n{keys}"),
        )
    };
    let lever = "lever = \"learning_rate\"\nschedule = ";
    let accepts = |text: &str| Job::new(&parse(text).unwrap(), text).map(|_| ()).unwrap();
    // η H = .35 at s = .2, and .22 at s = 2.5
    accepts(&of(0.1, &format!("{lever}[[0.2, 0.1]]")));
    for (rate, keys, wanted) in [
        // the same η everywhere: 240 units of time in steps of .1
        (
            0.1,
            "schedule = [[0.2, 0.1]]".to_string(),
            ["s = 2.5000 (step 2400, where each is 0.1)", "η H = 2.190"],
        ),
        // 10 units in steps of .01, and 230 in steps of .1
        (
            0.1,
            format!("{lever}[[0.2, 10.0]]"),
            ["s = 2.5000 (step 3300, where each is 0.1)", "η H = 2.190"],
        ),
        // 10 units in steps of .6, the last of which is too long
        (
            0.6,
            format!("{lever}[[0.2, 0.1]]"),
            ["s = 0.2000 (step 17, where each is 0.6)", "take less than"],
        ),
        (
            0.01,
            "langevin_time_step = 0.1".to_string(),
            ["freezing.langevin_time_step", "(step 2400, where each is 0.1)"],
        ),
    ] {
        let message = refused(&of(rate, &keys));
        for part in wanted {
            assert!(message.contains(part), "{keys}: {message}");
        }
    }
}

#[test]
fn a_path_that_does_not_lead_on_is_refused_before_it_runs() {
    let sgd = "noise_strength = 0.05";
    for (loss, keys, wanted) in [
        (
            "x^4/4 - x^2/2 + 0.1*x",
            "gradient = \"average\"",
            "cannot be reached",
        ),
        (
            "x^4/4 - x^2/2 - 0.01*s + 0.1*sin(8*s)*x",
            "change = { until = 1.0, after = 0.2 }",
            "does not move on at s = ",
        ),
        ("-x^4", "velocity = \"0.01\"", "does not lead inwards"),
    ] {
        let text = deepening(sgd, keys).replace("(0.2+s)*(x^2 - 1)^2 + tilt*x", loss);
        let message = refused(&text.replace("parameters = { tilt = 0.1 }\n", ""));
        assert!(message.contains(wanted), "{loss}: {message}");
    }
}

/// 4000 runs in steps of .02 over a time of 2.4/v, a tenth as long where the learning rate is a tenth.
#[test]
fn the_time_that_a_speed_or_a_clock_takes_is_in_the_estimate() {
    let seconds = |keys: &str| {
        let text = deepening("learning_rate = 0.02\nbatch_size = 0.1", keys);
        parse(&text).unwrap().costs()[0].1.time()
    };
    let slow = seconds("velocity = \"1e-5\"");
    assert!(slow > 3600.0, "{slow}");
    let fast = seconds("velocity = \"1e-2\"");
    assert!(
        ((slow - 2.0) / (fast - 2.0) / 1000.0 - 1.0).abs() < 1e-6,
        "{fast}"
    );
    let clock = seconds("clock = { position = [0.0, 1.0, 2.0, 3.0], time = [0.0, 1e5, 2e5, 3e5] }");
    assert!((clock / slow - 1.0).abs() < 1e-6, "{clock} {slow}");
    let shorter = "velocity = \"1e-2\"\nlever = \"learning_rate\"\n";
    for keys in ["schedule = [[1.3, 0.1]]", "change = { until = 1.3, after = 0.1 }"] {
        let shorter = seconds(&format!("{shorter}{keys}"));
        assert!(shorter > 5.0 * fast - 10.0, "{keys}: {shorter} {fast}");
    }
}

#[test]
fn what_cannot_be_followed_is_refused_with_its_key() {
    let task = "[freezing]\nstart = 1.0\nend = 20.0\nstart_x = [0.01]\n";
    let text = |extra: &str| format!("{HEAD}[sgd]\nnoise_strength = 1e-3\n{task}{extra}\n");
    for (extra, names) in [
        ("slow = \"z\"", "freezing.slow"),
        ("langevin_time_step = 0.0", "freezing.langevin_time_step"),
        (
            "langevin_time_step = 0.01\nruns = 0",
            "freezing.langevin_time_step",
        ),
        ("velocity = \"1 + x\"", "freezing.velocity"),
        ("velocity = \"1 +\"", "freezing.velocity"),
        ("schedule = [[30.0, 0.1]]", "freezing.schedule"),
        ("schedule = [[3.0, -0.1]]", "freezing.schedule"),
        ("snapshots = [5.0, 2.0]", "freezing.snapshots"),
        ("points = 1", "freezing.points"),
        ("runs = 1", "freezing.runs"),
        ("shalowest = 2.0", "shallowest"),
        (
            "design = { valley = 3.0, weakest = 0.1, strongest = 2.0 }",
            "freezing.design.valley",
        ),
        (
            "design = { valley = 0.3, weakest = 0.0, strongest = 2.0 }",
            "freezing.design.weakest",
        ),
        (
            "design = { valley = 0.3, weakest = 3.0, strongest = 2.0 }",
            "freezing.design.strongest",
        ),
        (
            "design = { valley = 0.3, weakest = 0.1, strongest = 2.0, pieces = 1 }",
            "freezing.design.pieces",
        ),
        (
            "design = { valley = 0.3, weakest = 0.1, strongest = 2.0, factors = 1 }",
            "freezing.design.factors",
        ),
        (
            "design = { valey = 0.3, weakest = 0.1, strongest = 2.0 }",
            "valley",
        ),
        (
            "clock = { file = \"nowhere.h5\", position = \"s\", time = \"t\" }",
            "cannot read nowhere.h5",
        ),
        (
            "clock = { position = [1.0, 2.0, 3.0, 4.0], time = [0.0, 1.0, 2.0, 3.0] }",
            "freezing.clock",
        ),
        (
            "clock = { position = [1.0, 9.0, 12.0, 21.0], time = [0.0, 2.0, 1.0, 3.0] }",
            "freezing.clock: time must ascend",
        ),
        ("change = { until = 30.0, after = 0.1 }", "freezing.change.until"),
        ("change = { until = 3.0, after = -0.1 }", "freezing.change.after"),
        (
            "change = { until = 3.0, after = 0.1, pieces = 0 }",
            "freezing.change.pieces",
        ),
        (
            "change = { until = 3.0, after = 0.1, shape = \"table\" }",
            "freezing.change.table",
        ),
        (
            "change = { until = 3.0, after = 0.1, shape = \"table\", table = [[0.0, 1.0], [0.5, 4.0], [1.0, 0.3]] }",
            "freezing.change.table: 0.3 is not allowed: points ascend",
        ),
        (
            "change = { until = 3.0, after = 0.1, shape = \"linear\", returns = 3 }",
            "freezing.change.returns: it is not used",
        ),
        (
            "change = { until = 3.0, after = 0.1, table = [[0.0, 1.0], [1.0, 0.1]] }",
            "freezing.change.table: it is not used",
        ),
        (
            "change = { until = 3.0, after = 0.1, shape = \"cosin\" }",
            "cosine",
        ),
        (
            "schedule = [[3.0, 0.1]]\nchange = { until = 3.0, after = 0.1 }",
            "freezing.change: give schedule or change",
        ),
        (
            "gradient = \"average\"\nvelocity = \"1\"",
            "freezing.gradient: it is not used",
        ),
        ("lever = \"batch\"", "batch_size"),
    ] {
        let message = refused(&text(extra));
        assert!(message.contains(names), "{extra}: {message}");
    }
    let message = refused(&text("").replace("end = 20.0", "end = 30.0"));
    assert!(
        message.contains("freezing.end") && message.contains("25"),
        "{message}"
    );
    let message = refused(&text("").replace("start_x = [0.01]", "start_x = [3.0]"));
    assert!(message.contains("freezing.start_x"), "{message}");
    let noise = "tensor = [[0.05, 0.0], [0.0, \"-1 - x^2\"]]";
    let message = refused(&text("").replace("model = \"hessian_power\"", noise));
    assert!(message.contains("none may be negative"), "{message}");
}
