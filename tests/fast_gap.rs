//! The spectral gap by the plain factorisation: where the test lets it through, and where it must not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use freezeout::diffusion::Diffusion;
use freezeout::error::Error;
use freezeout::generator::{Discretisation, Generator};
use freezeout::grid::{Axis, Grid};
use freezeout::linalg::{Cholesky, DetailedBalance, Elimination, NestedDissection, SparseRates};
use freezeout::math::{Point, Tensor};
use freezeout::observables::{Factorisation, Refusal, slow_modes, spectral_gap, stationary_probability};
use freezeout::region::Boundary;
use std::sync::Arc;

/// L = (x² − 1)²/4 + y² + coupling·xy in isotropic noise, and a rotation that breaks detailed balance.
struct Wells {
    temperature: f64,
    coupling: f64,
    rotation: f64,
}

impl Diffusion<2> for Wells {
    fn drift(&self, t: &Point<2>) -> Point<2> {
        let gradient = [
            t[0].powi(3) - t[0] + self.coupling * t[1],
            2.0 * t[1] + self.coupling * t[0],
        ];
        Point::<2>::new(
            -gradient[0] - self.rotation * gradient[1],
            -gradient[1] + self.rotation * gradient[0],
        )
    }
    fn tensor(&self, _: &Point<2>) -> Tensor<2> {
        Tensor::<2>::from_diagonal_element(self.temperature)
    }
}

/// The x-part of the uncoupled problem.
struct Line(f64);

impl Diffusion<1> for Line {
    fn drift(&self, t: &Point<1>) -> Point<1> {
        Point::<1>::new(t[0] - t[0].powi(3))
    }
    fn tensor(&self, _: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.0)
    }
}

fn axes(cells: [usize; 2]) -> [Axis; 2] {
    [
        Axis::uniform(-1.8, 1.8, cells[0]).unwrap(),
        Axis::uniform(-1.2, 1.2, cells[1]).unwrap(),
    ]
}

fn wells(temperature: f64, coupling: f64, rotation: f64, cells: [usize; 2]) -> Generator<2> {
    let model = Wells {
        temperature,
        coupling,
        rotation,
    };
    Generator::assemble(&model, Grid::new(axes(cells))).unwrap()
}

/// What the docs state for both routes: eigenfunction to 1e-9, so the rate far below.
const STATED: f64 = 1e-9;

#[test]
fn both_factorisations_give_the_same_gap() {
    for (coupling, cells) in [(0.0, [60, 50]), (0.3, [60, 50]), (-0.6, [81, 40])] {
        let generator = wells(0.1, coupling, 0.0, cells);
        let gap = spectral_gap(&generator).unwrap();
        let Factorisation::Cholesky {
            imbalance,
            rounding,
            defect,
        } = gap.factorisation
        else {
            panic!("refused: {:?}", gap.factorisation);
        };
        assert!(imbalance <= STATED && rounding <= STATED && defect <= 1e-4);
        // elimination without subtraction, and Arnoldi instead of inverse iteration
        let mode = &slow_modes(&generator, 1).unwrap().modes[0];
        assert_close!(gap.rate, -mode.eigenvalue.re, STATED);
        let sign = (gap.eigenfunction[0] * mode.eigenfunction[0].re).signum();
        for (f, g) in gap.eigenfunction.iter().zip(&mode.eigenfunction) {
            // inverse iteration stops when the rate stands still: f is then good to the root of that, 1e-6
            assert!(
                (f - sign * g.re).abs() < 1e-5 * (1.0 + f.abs()),
                "{f} and {}",
                g.re
            );
        }
    }
}

#[test]
fn a_separable_plane_has_the_gap_of_its_line() {
    // L = L_x + L_y on the same cells: eigenvalues add, and 2 of the harmonic direction lies above
    for temperature in [0.08, 0.2] {
        let plane = spectral_gap(&wells(temperature, 0.0, 0.0, [120, 40])).unwrap();
        let [x, _] = axes([120, 40]);
        let line = spectral_gap(&Generator::assemble(&Line(temperature), Grid::new([x])).unwrap()).unwrap();
        assert!(matches!(plane.factorisation, Factorisation::Cholesky { .. }));
        assert_eq!(line.factorisation, Factorisation::SubtractionFree(Refusal::Line));
        assert_close!(plane.rate, line.rate, 1e-10);
    }
}

/// A gap near 1e-14: ΔL/T = 1/(4 · 0.008) = 31.
const COLD: f64 = 0.008;

#[test]
fn behind_a_high_barrier_elimination_is_chosen_and_right() {
    let generator = wells(COLD, 0.0, 0.0, [120, 60]);
    let gap = spectral_gap(&generator).unwrap();
    // ε times rates of 1e2 over a gap of 1e-14: larger than one, and seen in the first solve at the latest
    match gap.factorisation {
        Factorisation::SubtractionFree(Refusal::NegativePivot) => {}
        Factorisation::SubtractionFree(Refusal::Rounding(amplified)) => assert!(amplified > 1e-3),
        other => panic!("plain factorisation let through: {other:?}"),
    }
    assert!(gap.rate < 5e-14 && gap.rate > 1e-16, "{}", gap.rate);
    let [x, _] = axes([120, 60]);
    let line = spectral_gap(&Generator::assemble(&Line(COLD), Grid::new([x])).unwrap()).unwrap();
    // two eliminations of some hundred roundings each
    assert_close!(gap.rate, line.rate, 1e-11);
}

/// Mean time from x near −1 until killed at rate 1 in the column near x = 1: by sums along the line, by elimination in
/// the plane, and by the plain factorisation.
///
/// The plane is the product of its lines, so the time depends on x alone. With d_i = f_i − f_{i+1} left of the column m
/// and e_i = f_i − f_{i−1} right of it, the equations of the line are sums of positive terms:
/// up_i d_i = 1 + down_i d_{i−1}, down_i e_i = 1 + up_i e_{i+1}, f_m = 1 + down_m d_{m−1} + up_m e_{m+1}.
fn crossing_times(temperature: f64) -> (f64, f64, freezeout::Result<f64>) {
    let cells = [120, 60];
    let (from, column) = (26, 93);
    let [x, _] = axes(cells);
    let line = Generator::assemble(&Line(temperature), Grid::new([x])).unwrap();
    let (up, down) = (line.chain().unwrap().up(), line.chain().unwrap().down());
    let (mut d, mut sum) = (0.0, 0.0);
    for i in 0..column {
        d = (1.0 + down[i] * d) / up[i];
        sum += if i >= from { d } else { 0.0 };
    }
    let e = (column + 1..cells[0])
        .rev()
        .fold(0.0, |e, i| (1.0 + up[i] * e) / down[i]);
    let summed = sum + 1.0 + down[column] * d + up[column] * e;

    let generator = wells(temperature, 0.0, 0.0, cells);
    let rates = generator.sparse().unwrap();
    let killed = |s: usize| if s / cells[1] == column { 1.0 } else { 0.0 };
    let killing: Vec<f64> = (0..rates.states()).map(killed).collect();
    let order = Arc::new(NestedDissection::graph(rates).unwrap());
    let ones = vec![1.0; rates.states()];
    let start = from * cells[1] + cells[1] / 2;
    let elimination = Elimination::new(rates, &killing, order.clone()).unwrap();
    let balance = DetailedBalance::new(rates).unwrap().unwrap();
    let plain = Cholesky::new(rates, &balance, &killing, None, &order);
    (
        summed,
        elimination.solve(&ones).unwrap()[start],
        plain.and_then(|factor| Ok(factor.solve(&ones)?[start])),
    )
}

#[test]
fn the_plain_factorisation_fails_behind_a_high_barrier_and_elimination_does_not() {
    let (summed, eliminated, plain) = crossing_times(0.1);
    assert_close!(eliminated, summed, STATED);
    assert_close!(plain.unwrap(), summed, STATED);
    // the negative control: ε times rates of 1e2 over an escape rate of 1e-14 is larger than one
    let (summed, eliminated, plain) = crossing_times(COLD);
    assert!(summed > 1e12, "{summed:e}");
    assert_close!(eliminated, summed, STATED);
    match plain {
        Ok(plain) => assert!(
            !((plain / summed - 1.0).abs() < 1e-3),
            "plain {plain:e} is right by chance: {summed:e}"
        ),
        // a pivot that rounding has made negative
        Err(error) => assert!(matches!(error, Error::NotPositive { .. }), "{error}"),
    }
}

#[test]
fn without_detailed_balance_or_with_loss_there_is_no_gap() {
    match spectral_gap(&wells(0.2, 0.0, 0.3, [40, 30])) {
        Err(Error::NoDetailedBalance { imbalance, allowed }) => {
            assert!(imbalance > 1e-3 && allowed == 1e-9, "{imbalance:e} {allowed:e}")
        }
        other => panic!("{other:?}"),
    }
    let one_way = SparseRates::from_transitions(3, [(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0)]).unwrap();
    assert_eq!(DetailedBalance::new(&one_way).unwrap(), None);
    let model = Wells {
        temperature: 0.2,
        coupling: 0.0,
        rotation: 0.0,
    };
    let absorbing = Discretisation {
        boundaries: [
            [Boundary::Reflecting; 2],
            [Boundary::Reflecting, Boundary::Absorbing],
        ],
        ..Discretisation::default()
    };
    let plane = Generator::assemble_with(&model, Grid::new(axes([40, 30])), &absorbing).unwrap();
    let refusal = spectral_gap(&plane).unwrap_err();
    assert!(
        matches!(&refusal, Error::Inconsistent { subject, .. } if subject == "absorbing boundary"),
        "{refusal}"
    );
}

#[test]
fn the_stationary_law_along_a_tree_is_that_of_elimination() {
    // ln P down to −300: ΔL/T = 2.6/0.008; a plane that is a product, and one that is not
    for coupling in [0.0, 0.5] {
        let generator = wells(COLD, coupling, 0.0, [120, 60]);
        let rates = generator.sparse().unwrap();
        let balance = DetailedBalance::new(rates).unwrap().unwrap();
        // rounding of ln P of size 300 is 6e-14
        assert!(balance.imbalance < 1e-12, "{:e}", balance.imbalance);
        let order = Arc::new(NestedDissection::graph(rates).unwrap());
        let eliminated = Elimination::stationary_logarithm(rates, order).unwrap();
        let along = generator.log_stationary().unwrap();
        assert_eq!(along, balance.log_probability);
        assert!(along.iter().fold(0.0, |a: f64, b| a.min(*b)) < -300.0);
        for (a, b) in along.iter().zip(&eliminated) {
            // some hundred roundings of that size
            assert!((a - b).abs() < 1e-10, "{a} and {b}");
        }
    }
    // a current: the tree would be wrong, and is not used
    let generator = wells(0.2, 0.0, 0.3, [40, 30]);
    let rates = generator.sparse().unwrap();
    let balance = DetailedBalance::new(rates).unwrap().unwrap();
    let order = Arc::new(NestedDissection::graph(rates).unwrap());
    let eliminated = Elimination::stationary_logarithm(rates, order).unwrap();
    let law = generator.log_stationary().unwrap();
    let distance = |a: &[f64]| {
        a.iter()
            .zip(&eliminated)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max)
    };
    assert!(distance(&law) < 1e-10 && distance(&balance.log_probability) > 0.1);
}

#[test]
fn cholesky_agrees_with_elimination_on_a_killed_chain() {
    // rates from energies that differ from state to state, killed everywhere
    let energy = |i: usize| ((i * 7) % 5) as f64;
    let transitions = (0..30usize).flat_map(|i| {
        [i + 1, i + 6].into_iter().filter(|&j| j < 30).flat_map(move |j| {
            let rate = |a: usize, b: usize| (0.5 * (energy(a) - energy(b))).exp();
            [(i, j, rate(i, j)), (j, i, rate(j, i))]
        })
    });
    let rates = SparseRates::from_transitions(30, transitions).unwrap();
    let killing: Vec<f64> = (0..30).map(|i| 0.1 + (i % 3) as f64).collect();
    let rhs: Vec<f64> = (0..30).map(|i| (i as f64).sin()).collect();
    let order = Arc::new(NestedDissection::graph(&rates).unwrap());
    let balance = DetailedBalance::new(&rates).unwrap().unwrap();
    let plain = Cholesky::new(&rates, &balance, &killing, None, &order).unwrap();
    let a = plain.solve(&rhs).unwrap();
    let b = Elimination::new(&rates, &killing, order.clone())
        .unwrap()
        .solve(&rhs)
        .unwrap();
    for (a, b) in a.iter().zip(&b) {
        // condition number about 1e2
        assert!((a - b).abs() < 1e-13, "{a} and {b}");
    }
    let held = Cholesky::new(&rates, &balance, &killing, Some(4), &order)
        .unwrap()
        .solve(&rhs)
        .unwrap();
    assert_eq!(held[4], 0.0);
    // the equations of the other states hold
    let applied = rates.apply(&held).unwrap();
    for i in (0..30).filter(|&i| i != 4) {
        assert!((killing[i] * held[i] - applied[i] - rhs[i]).abs() < 1e-12);
    }
    assert!(plain.solve(&[1.0]).is_err());
    assert!(Cholesky::new(&rates, &balance, &[0.0], None, &order).is_err());
}

/// L = x²(x² − 1)² + 0.03 x: three minima, barriers of 0.15.
struct ThreeWells(f64);

impl Diffusion<1> for ThreeWells {
    fn drift(&self, t: &Point<1>) -> Point<1> {
        let square = t[0] * t[0];
        Point::<1>::new(-2.0 * t[0] * (square - 1.0) * (3.0 * square - 1.0) - 0.03)
    }
    fn tensor(&self, _: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.0)
    }
}

#[test]
fn modes_on_either_side_of_a_spectral_gap_of_many_orders_are_found() {
    for noise in [0.03, 0.008] {
        let line = Grid::new([Axis::uniform(-1.5, 1.5, 600).unwrap()]);
        let generator = Generator::assemble(&ThreeWells(noise), line).unwrap();
        let p = stationary_probability(&generator).unwrap();
        let modes = slow_modes(&generator, 4).unwrap().modes;
        let rates: Vec<f64> = modes.iter().map(|m| -m.eigenvalue.re).collect();
        assert_eq!(rates.len(), 4);
        // the square of the residual, and rounding of sums over the cells
        assert_close!(rates[0], spectral_gap(&generator).unwrap().rate, 1e-11);
        // two slow modes between the wells; the fast ones relax within them, at curvatures of 2 to 8
        assert!(
            rates[1] > rates[0] && rates[2] > 1.0 && rates[3] > rates[2],
            "{rates:?}"
        );
        if noise < 0.01 {
            assert!(rates[1] < 1e-5 * rates[2], "{rates:?}");
        }
        for mode in &modes {
            let f: Vec<f64> = mode.eigenfunction.iter().map(|f| f.re).collect();
            let lf = generator.apply(&f).unwrap();
            let norm =
                |v: &dyn Fn(usize) -> f64| (0..f.len()).map(|i| p[i] * v(i).powi(2)).sum::<f64>().sqrt();
            let defect = norm(&|i| lf[i] - mode.eigenvalue.re * f[i]) / norm(&|i| f[i]);
            // rounding of Lf: ε times rates of 1e3 to 1e4
            assert!(
                defect < 1e-9 * (1.0 - mode.eigenvalue.re),
                "{defect:e} {}",
                mode.eigenvalue
            );
        }
    }
}
