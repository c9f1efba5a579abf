//! A small version of the scan of `validation/scan.py`: stated errors cover the truth, and not by being large.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{covered, number, run};
use freezeout::generator::Generator;
use freezeout::grid::{Axis, Grid, MappedAxes};
use freezeout::landscape::Kink;
use freezeout::math::{Point, Tensor};
use freezeout::observables::slow_modes;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Problems that `python3 validation/scan.py --write tests/scan --problems 9 --seed 11` made, with their known answers: one of each kind.
#[test]
fn stated_errors_of_random_problems_cover_the_truth() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scan");
    let known = fs::read_to_string(folder.join("known.txt")).unwrap();
    let mut problems: BTreeMap<&str, Vec<(&str, f64)>> = BTreeMap::new();
    for line in known.lines() {
        let [problem, _, record, truth] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        problems
            .entry(problem)
            .or_default()
            .push((record, truth.parse().unwrap()));
    }
    assert_eq!(problems.len(), 11);
    let mut ratios = Vec::new();
    for (problem, answers) in problems {
        let file = run(&fs::read_to_string(folder.join(format!("{problem}.toml"))).unwrap());
        // rounding of the integrals on a line, tails beyond the walls in the plane: as in the scan
        let uncertainty = if problem.starts_with("line") { 2e-12 } else { 1e-10 };
        for (record, truth) in answers {
            let (value, error) = (number(&file, record), number(&file, &format!("{record}_error")));
            let (off, unknown) = ((value - truth).abs(), uncertainty * truth.abs());
            assert!(
                off <= error + unknown,
                "{problem}: {record} = {value} ± {error:e}, true {truth}"
            );
            ratios.push(error / off.max(unknown));
        }
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    assert!(median < 30.0, "{median}");
}

/// A target that equal cells meet on a face, a start that they do not.
#[test]
fn a_full_tensor_and_a_start_between_cells() {
    for cells in [28, 36] {
        let file = run(&format!(
            r#"
name = "ornstein_uhlenbeck"
landscape.variables = ["x", "y"]
landscape.drift = ["-x + 0.7*y", "-0.4*x - 2*y"]
noise.tensor = [[0.3, 0.1], [0.1, 0.2]]
region.domain = [[-4, 4], [-2.4, 2.4]]
[escape]
cells = [{cells}, {cells}]
start = {{ ball = {{ centre = [1.0, 0.5], radius = 0.0 }} }}
target = {{ half_space = {{ normal = [1.0, 0.0], offset = 2.0 }} }}
"#
        ));
        // computed without freezeout, seven digits
        let (_, error) = covered(&file, "mean_first_passage_time", 351.7111);
        assert!(error < 0.02 * 351.7, "{error}");
        // both axes have equal cells
        assert_eq!(common::escape::field(&file, "fields/x").len(), 4 * cells);
    }
}

struct Rotating;

impl freezeout::diffusion::Diffusion<2> for Rotating {
    fn drift(&self, t: &Point<2>) -> Point<2> {
        Point::<2>::new(-t[0] + 0.7 * t[1], -0.4 * t[0] - 2.0 * t[1])
    }
    fn tensor(&self, _: &Point<2>) -> Tensor<2> {
        Tensor::<2>::new(0.3, 0.1, 0.1, 0.2)
    }
}

/// The cause: with a full tensor a jump of the cells' width is an error of first order, however small the cells.
#[test]
fn smooth_widths_keep_the_second_order() {
    let bounds = [[-3.6, 3.6], [-2.6, 2.6]];
    let planes = [
        Kink {
            axis: 0,
            position: 1.13,
        },
        Kink {
            axis: 1,
            position: 0.37,
        },
    ];
    let axes = MappedAxes::new(&bounds, &[24, 24], &[], &planes, [false; 2]).unwrap();
    let pieces = |cells: usize| {
        Grid::new([0, 1].map(|d| {
            let [lower, upper] = bounds[d];
            let mut axis = Axis::with_faces_at(lower, upper, 24, &[planes[d].position]).unwrap();
            for _ in 0..cells {
                axis = axis.refined();
            }
            axis
        }))
    };
    // eigenvalues of B: 1.5 ± i sqrt(0.03); the imaginary part after extrapolation at order 2
    let error = |grids: [Grid<2>; 2]| {
        let [coarse, fine] = grids.map(|grid| {
            let modes = slow_modes(&Generator::assemble(&Rotating, grid).unwrap(), 1)
                .unwrap()
                .modes;
            modes[0].eigenvalue.im
        });
        ((4.0 * fine - coarse) / 3.0 - 0.03_f64.sqrt()).abs()
    };
    let smooth = error([1, 2].map(|level| axes.grid(level).unwrap()));
    let jumping = error([1, 2].map(pieces));
    println!("smooth {smooth:e}, jumping {jumping:e}");
    assert!(
        smooth < 1e-7 && jumping > 100.0 * smooth,
        "{smooth:e} {jumping:e}"
    );
}
