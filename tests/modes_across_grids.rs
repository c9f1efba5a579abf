//! Slow modes that change places between grids, pairs that become complex in a sweep, modes that do not converge beside some that do.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::command::run_to_file;
use common::escape::{field, run};
use freezeout::diffusion::DriftDiffusion;
use freezeout::escape::{Problem, Quantity, Settings};
use freezeout::math::Point;
use freezeout::noise::Isotropic;
use freezeout::region::{Domain, PointSet};
use freezeout::statistics::Extrapolated;
use std::cell::RefCell;

/// Independent Ornstein-Uhlenbeck processes of rates 1 and 1.012; the cells of the faster one are wide, so that it is the slower one on the coarsest
/// grid.
#[test]
fn rates_that_cross_between_grids_keep_their_order() {
    const RATES: [f64; 2] = [1.0, 1.012];
    let drift = |x: &Point<2>| Point::<2>::new(-RATES[1] * x[0], -RATES[0] * x[1]);
    let process = DriftDiffusion::new(drift, Isotropic::new(1.0).unwrap(), 1.0).unwrap();
    let domain = Domain::new([[-6.5, 6.5]; 2]).unwrap();
    let problem = Problem::builder(process, domain, [20, 60])
        .from(PointSet::point([0.0, 0.0].into()).unwrap())
        .to(PointSet::half_space([1.0, 0.0].into(), 1.3).unwrap())
        .build()
        .unwrap();
    let settings = Settings {
        slow_modes: 2,
        ..Settings::default()
    };
    let by_number = RefCell::new(Vec::new());
    let result = problem
        .solve(&settings, &|level| {
            let rates = level.modes().iter().map(|mode| -mode.eigenvalue.re);
            by_number.borrow_mut().push(rates.collect::<Vec<_>>());
            Ok(())
        })
        .unwrap();
    for (k, rate) in RATES.into_iter().enumerate() {
        let number = result.number(Quantity::ModeRate(k + 1)).unwrap();
        assert!((number.order - 2.0).abs() < 0.1, "{k}: {number:?}");
        assert!(
            (number.value - rate).abs() <= number.error && number.error < 2e-3,
            "{k}: {number:?}"
        );
    }
    // the negative control: by their numbers
    let levels = by_number.into_inner();
    assert!(levels.len() == 4 && levels.iter().all(|rates| rates.len() == 2));
    let mixed = Extrapolated::from_grids([0, 1, 2, 3].map(|l: usize| levels[l][0]), true, 0.0);
    assert!(!((mixed.order - 2.0).abs() < 0.1), "{mixed:?} {levels:?}");
}

#[test]
fn a_pair_that_becomes_complex_in_a_sweep_is_stacked() {
    let text = |modes: usize| {
        format!(
            r#"
name = "pair"
[landscape]
variables = ["x", "y"]
drift = ["-x + a*y", "-0.4*x - 2*y"]
parameters = {{ a = 0.5 }}
[noise]
model = "isotropic"
strength = 0.3
[region]
domain = [[-4, 4], [-3, 3]]
[escape]
cells = [16, 16]
slow_modes = {modes}
start = {{ ball = {{ centre = [0.0, 0.0], radius = 0.0 }} }}
target = {{ half_space = {{ normal = [1.0, 0.0], offset = 1.0 }} }}
[[sweep]]
parameter = "landscape.parameters.a"
values = [0.2, 1.4]
"#
        )
    };
    // eigenvalues 3/2 ± sqrt(1 − 1.6 a)/2: real, then a pair
    for modes in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        run_to_file(folder.path(), &text(modes), "out.h5");
        let file = freezeout::output::read(folder.path().join("out.h5")).unwrap();
        assert_eq!(file.record("escape/fields/slow_mode").unwrap().shape()[0], 2);
        let frequencies = field(&file, "slow_mode_frequency");
        let exact = (1.6 * 1.4_f64 - 1.0).sqrt() / 2.0;
        assert!(
            frequencies[0] == 0.0 && (frequencies[1] - exact).abs() < 1e-2,
            "{frequencies:?}"
        );
        assert!(field(&file, "spectral_gap").iter().all(|gap| *gap > 1.0));
    }
}

/// Two modes 1e16 times slower than the others: what rounding covers is left out by name, the rest stands.
#[test]
fn modes_that_converged_stand_where_others_do_not() {
    let text = r#"
name = "three_wells"
[landscape]
variables = ["x"]
drift = ["-2*x*(x^2 - 1)*(3*x^2 - 1)"]
[noise]
model = "isotropic"
strength = 0.004
[region]
domain = [[-1.5, 1.5]]
[escape]
cells = [150]
slow_modes = 4
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { half_space = { normal = [1.0], offset = 0.5 } }
"#;
    let file = run(text);
    let rate = |k: usize| field(&file, &format!("mode_{k}_rate"))[0];
    assert!((field(&file, "spectral_gap")[0] / rate(1) - 1.0).abs() < 1e-6);
    assert!(rate(1) < 1e-15 && rate(2) > rate(1));
    let group = file.group("escape").unwrap();
    let left_out = group.attributes().get("left_out");
    assert!(left_out.is_some_and(|value| format!("{value:?}").contains("mode_3_rate")));
    assert!(file.record("escape/mode_3_rate").is_err());
    // and at twice the noise nothing is left out
    let file = run(&text.replace("0.004", "0.008"));
    assert!((1..=4).all(|k| file.record(&format!("escape/mode_{k}_rate")).is_ok()));
}
