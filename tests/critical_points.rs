//! Rates over saddles: first correction, cusps and quartics, weak coupling, and the task, against quadrature, grids and closed forms.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, refused_by_command, run};
use common::extrapolate;
use freezeout::Error;
use freezeout::diffusion::Sgd;
use freezeout::generator::{Discretisation, Generator};
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::judgement::agreement::comparisons;
use freezeout::landscape::{
    CriticalPoint, DoubleWell, Expression, Kink, Landscape, MuellerBrown, Quadratic, Side, Slice, TwoValley,
    critical_point, critical_points, quartic_coefficient,
};
use freezeout::math::{Point, Tensor};
use freezeout::noise::{Isotropic, LossScaled};
use freezeout::observables::{CoupledGap, Factor, Product, coupled_gap, slow_modes, spectral_gap};
use freezeout::output::{Records, ResultFile};
use freezeout::questions::critical_points::{CriticalPointsResult, figure as critical_points_figure};
use freezeout::rates::literature::PowerLawEscape;
use freezeout::rates::{
    BarrierGraph, FirstCorrection, NonquadraticPassage, PowerLaw, SaddlePassage, ScaleAndSpeed,
    confining_domain, first_correction,
};
use std::collections::BTreeMap;

fn formula<const D: usize>(text: &str) -> Expression<D> {
    Expression::new(
        text,
        &["x", "y", "z"][..D].try_into().unwrap(),
        &BTreeMap::new(),
        vec![],
    )
    .unwrap()
}

/// ln of 1/(mean time from a to b) on a line, by quadrature.
fn exact_log_rate(loss: &impl Landscape<1>, a: f64, b: f64, temperature: f64) -> f64 {
    let sgd = Sgd::with_noise_strength(loss, Isotropic::new(1.0).unwrap(), temperature).unwrap();
    let (lower, upper) = confining_domain(&sgd, a.min(b), a.max(b), 1e-20).unwrap();
    let line = ScaleAndSpeed::new(&sgd, lower, upper).unwrap();
    -line.first_passage(a, b).unwrap().mean.log
}

/// ln of the spectral gap on a square, from three grids.
fn grid_log_gap(loss: &impl Landscape<2>, temperature: f64, [lower, upper]: [f64; 2], cells: usize) -> f64 {
    let sgd = Sgd::with_noise_strength(loss, Isotropic::new(1.0).unwrap(), temperature).unwrap();
    let gap = |cells: usize| {
        let axis = Axis::uniform(lower, upper, cells).unwrap();
        let grid = Grid::new([axis.clone(), axis]);
        // far above what is reached, and below what leaves the range of numbers
        let highest = 2.5_f64.max(30.0 * temperature).min(400.0 * temperature);
        let low = |theta: &Point<2>| loss.loss(theta) < highest;
        let discretisation = Discretisation {
            domain: Some(CellSet::new("low", &grid, low).unwrap()),
            ..Discretisation::default()
        };
        let generator = Generator::assemble_with(&sgd, grid, &discretisation).unwrap();
        match spectral_gap(&generator) {
            Err(Error::NoDetailedBalance { .. }) => {
                -slow_modes(&generator, 1).unwrap().modes[0].eigenvalue.re
            }
            gap => gap.unwrap().rate,
        }
    };
    extrapolate([1, 2, 4].map(|k| gap(k * cells).ln()).to_vec())
}

/// Deviation of `law` from `exact` over T^order at T, T/2 and T/4: constant where the order is that of the deviation, and else twofold each time.
fn scaled_deviations(warmest: f64, order: i32, mut deviation: impl FnMut(f64) -> f64) -> [f64; 3] {
    cooled(warmest, 2.0).map(|temperature| deviation(temperature) / temperature.powi(order))
}

fn cooled(warmest: f64, by: f64) -> [f64; 3] {
    [warmest, warmest / by, warmest / (by * by)]
}

/// Whether the last of these is near the others: within a third, where another order would be off by half or by two.
fn is_constant([_, b, c]: [f64; 3]) -> bool {
    (b / c - 1.0).abs() < 0.33
}

fn stationary<const D: usize>(loss: &impl Landscape<D>, start: [f64; D]) -> CriticalPoint<D> {
    critical_point(loss, Point::<D>::from(start)).unwrap()
}

fn left_by_differences(correction: &FirstCorrection) -> f64 {
    correction.minimum.error + correction.saddle.error
}

/// Wells of unequal width: third derivatives at both points.
#[test]
fn first_correction_on_a_line_leaves_the_square_of_the_temperature() {
    let loss = formula::<1>("x^4/4 - x^2/2 + 0.1*x^3 - 0.05*x");
    let (a, s, b) = (
        stationary(&loss, [-1.2]),
        stationary(&loss, [0.0]),
        stationary(&loss, [0.9]),
    );
    let passage = SaddlePassage::between(&loss, &a, &s).unwrap();
    let correction = first_correction(&loss, &a, &s, &Tensor::<1>::identity()).unwrap();
    // 5 L'''²/24 L''³ and L''''/8 L''² with L''' = 6x + 0.6 and L'''' = 6
    let closed = |x: f64, sign: f64| {
        let (second, third) = ((3.0 * x * x - 1.0 + 0.6 * x).abs(), 6.0 * x + 0.6);
        sign * 5.0 * third * third / (24.0 * second.powi(3)) - 6.0 / (8.0 * second * second)
    };
    let known = closed(s.position[0], -1.0) - closed(a.position[0], 1.0);
    let error = left_by_differences(&correction);
    assert!((correction.change(1.0) - known).abs() <= error && error < 1e-7);
    let deviation = |coefficient: f64| {
        let (loss, passage) = (&loss, &passage);
        move |temperature: f64| {
            let exact = exact_log_rate(loss, a.position[0], b.position[0], temperature);
            let law = passage.log_rate(&Tensor::<1>::identity(), temperature).unwrap();
            (exact - law).exp() - 1.0 - coefficient * temperature
        }
    };
    let corrected = scaled_deviations(0.008, 2, deviation(known));
    assert!(is_constant(corrected), "{corrected:?}");
    // Without it the deviation is c T.
    let plain = scaled_deviations(0.008, 1, deviation(0.0));
    assert!((plain[2] / known - 1.0).abs() < 0.1, "{plain:?} {known}");
    // Negative controls: without the correction, with that of the other well, with the sign at the top of the well.
    for wrong in [
        0.0,
        first_correction(&loss, &b, &s, &Tensor::<1>::identity())
            .unwrap()
            .change(1.0),
        closed(s.position[0], 1.0) - closed(a.position[0], 1.0),
    ] {
        let deviations = scaled_deviations(0.008, 2, deviation(wrong));
        assert!(!is_constant(deviations), "{wrong} {deviations:?}");
    }
}

/// A bent valley whose width changes along it: all kinds of third and fourth derivatives.
const BENT: &str =
    "(x^2 - 1)^2/4 + 0.08*x + (1 + 0.5*x + 0.3*x^2)*(y - 0.4*x^2 + 0.2*x)^2 + 0.2*y^3*x^2 + 0.3*y^4";

/// The three points of [`BENT`], turned.
fn bent_points(loss: &impl Landscape<2>, turn: &Tensor<2>) -> [CriticalPoint<2>; 3] {
    [[-1.0, 0.5], [0.1, 0.0], [0.95, 0.1]]
        .map(|start| critical_point(loss, turn * Point::<2>::from(start)).unwrap())
}

#[test]
fn first_correction_in_the_plane_leaves_the_square_of_the_temperature() {
    let loss = formula::<2>(BENT);
    let unity = Tensor::<2>::identity();
    let [a, s, b] = bent_points(&loss, &unity);
    assert_eq!([a.index, s.index, b.index], [0, 1, 0]);
    let ways = [&a, &b].map(|minimum| {
        let passage = SaddlePassage::between(&loss, minimum, &s).unwrap();
        let correction = first_correction(&loss, minimum, &s, &unity).unwrap();
        (passage, correction)
    });
    // the gap is the sum of both rates
    let law = |temperature: f64, factor: &dyn Fn(&FirstCorrection) -> f64| -> f64 {
        let rate = |(passage, correction): &(SaddlePassage<2>, FirstCorrection)| {
            passage.log_rate(&unity, temperature).unwrap().exp() * (1.0 + factor(correction) * temperature)
        };
        ways.iter().map(rate).sum()
    };
    let exact = [0.032, 0.016, 0.008].map(|t| grid_log_gap(&loss, t, [-1.8, 1.8], 100).exp());
    let deviations = |order: i32, factor: &dyn Fn(&FirstCorrection) -> f64| -> [f64; 3] {
        let mut exact = exact.iter();
        scaled_deviations(0.032, order, |t| exact.next().unwrap() / law(t, factor) - 1.0)
    };
    let whole = |correction: &FirstCorrection| correction.change(1.0);
    let right = deviations(2, &whole);
    println!("{ways:?}\n{right:?} {:?}", deviations(1, &|_| 0.0));
    assert!(is_constant(right), "{right:?}");
    assert!(is_constant(deviations(1, &|_| 0.0)));
    // Negative control: without the ratio of determinants even the first order is not met.
    let ratio = ways[1].0.saddle_hessian.determinant().abs() / ways[1].0.minimum_hessian.determinant();
    let mut each = exact.iter();
    let bare = scaled_deviations(0.032, 1, |t| {
        each.next().unwrap() / (law(t, &whole) * ratio.sqrt()) - 1.0
    });
    assert!(!is_constant(bare), "{bare:?}");
    // Negative controls: none, that of the well alone, of the saddle alone, and that of Laplace's method for the saddle's own weight.
    let wrong: [&dyn Fn(&FirstCorrection) -> f64; 3] =
        [&|_| 0.0, &|c| -c.minimum.coefficient, &|c| c.saddle.coefficient];
    for factor in wrong {
        let deviations = deviations(2, factor);
        assert!(!is_constant(deviations), "{deviations:?}");
    }
}

/// L(Rᵀθ).
struct Turned<L>(L, Tensor<2>);

impl<L: Landscape<2>> Landscape<2> for Turned<L> {
    fn loss(&self, theta: &Point<2>) -> f64 {
        self.0.loss(&(self.1.transpose() * theta))
    }
    fn gradient(&self, theta: &Point<2>) -> Point<2> {
        self.1 * self.0.gradient(&(self.1.transpose() * theta))
    }
    fn hessian(&self, theta: &Point<2>) -> Tensor<2> {
        self.1 * self.0.hessian(&(self.1.transpose() * theta)) * self.1.transpose()
    }
}

#[test]
fn rates_and_corrections_turn_with_the_axes() {
    let (sine, cosine) = 0.7_f64.sin_cos();
    let turn = Tensor::<2>::new(cosine, -sine, sine, cosine);
    let mobility = Tensor::<2>::new(1.0, 0.4, 0.4, 0.5);
    let numbers = |turn: Tensor<2>, mobility: Tensor<2>| {
        let loss = Turned(formula::<2>(BENT), turn);
        let [a, s, _] = bent_points(&loss, &turn);
        let rate = SaddlePassage::between(&loss, &a, &s)
            .unwrap()
            .log_rate(&mobility, 0.02)
            .unwrap();
        (rate, first_correction(&loss, &a, &s, &mobility).unwrap())
    };
    let (rate, correction) = numbers(Tensor::<2>::identity(), mobility);
    // a rotated product of matrices is symmetric up to rounding only
    let turned = |turn: Tensor<2>| {
        let product = turn * mobility * turn.transpose();
        (product + product.transpose()) * 0.5
    };
    let (same, also) = numbers(turn, turned(turn));
    assert!((same - rate).abs() < 1e-11);
    let apart = (also.change(1.0) - correction.change(1.0)).abs();
    let error = left_by_differences(&correction);
    assert!(
        apart <= left_by_differences(&also) + error && error < 1e-6,
        "{apart}"
    );
    // Negative control: a tensor that is turned the wrong way, by the transposed rotation.
    let (other, different) = numbers(turn, turned(turn.transpose()));
    assert!((other - rate).abs() > 0.05 && (different.change(1.0) - correction.change(1.0)).abs() > 0.05);
    // The law of M is that of the loss in the coordinates in which M is one.
    let asymmetric = Tensor::<2>::new(1.0, 0.4, 0.3, 0.5);
    let loss = formula::<2>(BENT);
    let [a, s, _] = bent_points(&loss, &Tensor::<2>::identity());
    assert!(first_correction(&loss, &a, &s, &asymmetric).is_err());
    assert!(first_correction(&loss, &s, &a, &mobility).is_err());
}

/// ln(exact/law) at two temperatures.
fn log_deviations(temperatures: [f64; 2], exact: impl Fn(f64) -> f64, law: impl Fn(f64) -> f64) -> [f64; 2] {
    temperatures.map(|t| exact(t) - law(t))
}

/// (|x| − 1)⁴/4: a cusp between quartic wells.
#[test]
fn a_cusp_between_quartic_wells() {
    let kink = Kink {
        axis: 0,
        position: 0.0,
    };
    let loss = Expression::<1>::new("(abs(x) - 1)^4/4", &["x"], &BTreeMap::new(), vec![kink]).unwrap();
    let law = |minimum: PowerLaw| {
        move |temperature: f64| {
            let passage = NonquadraticPassage {
                minimum: [minimum],
                across: PowerLaw::cusp([1.0; 2]),
                beside: &[],
                barrier: 0.25,
            };
            passage.log_rate(temperature).unwrap()
        }
    };
    let exact = |temperature: f64| exact_log_rate(&loss, -1.0, 1.0, temperature);
    let temperatures = [0.01, 0.005];
    let [warm, cold] = log_deviations(temperatures, exact, law(PowerLaw::quartic(0.25)));
    // the deviation vanishes like T
    assert!(
        cold.abs() < 0.05 && (warm / cold - 2.0).abs() < 0.2,
        "{warm} {cold}"
    );
    // Negative controls: another coefficient, and a parabola in place of the quartic.
    for wrong in [PowerLaw::quartic(0.3), PowerLaw::parabola(0.1)] {
        let [warm, cold] = log_deviations(temperatures, exact, law(wrong));
        assert!(!((warm / cold - 2.0).abs() < 0.2), "{warm} {cold}");
    }
}

/// x⁶/6 − x⁴/4: minima of curvature 2 at ±1, a quartic top; in the plane along a bent valley.
#[test]
fn quartic_saddles() {
    let line = formula::<1>("x^6/6 - x^4/4");
    let (coefficient, error) = quartic_coefficient(&line, &Point::<1>::zeros(), 0.3).unwrap();
    assert!(
        (coefficient + 0.25).abs() <= error.max(1e-14) && error < 1e-9,
        "{coefficient} {error}"
    );
    let passage = |coefficient: f64| NonquadraticPassage {
        minimum: [PowerLaw::parabola(2.0)],
        across: PowerLaw::quartic(coefficient),
        beside: &[],
        barrier: 1.0 / 12.0,
    };
    let exact = |temperature: f64| exact_log_rate(&line, -1.0, 1.0, temperature);
    let law = |coefficient: f64| move |t: f64| passage(coefficient).log_rate(t).unwrap();
    // the deviation vanishes like T^½
    let [warm, cold] = log_deviations([4e-5, 1e-5], exact, law(0.25));
    assert!(
        cold.abs() < 0.05 && (warm / cold - 2.0).abs() < 0.2,
        "{warm} {cold}"
    );
    let [warm, cold] = log_deviations([4e-5, 1e-5], exact, law(0.3));
    assert!(!((warm / cold - 2.0).abs() < 0.2), "{warm} {cold}");

    // The same along a bent valley: L_xxxx alone says −1/4 + 0.16.
    let plane = formula::<2>("x^6/6 - x^4/4 + (y - 0.4*x^2)^2");
    let (coefficient, error) = quartic_coefficient(&plane, &Point::<2>::zeros(), 0.3).unwrap();
    assert!(
        (coefficient + 0.25).abs() <= error.max(1e-13) && error < 1e-8,
        "{coefficient} {error}"
    );
    let minimum = critical_point(&plane, Point::<2>::new(1.0, 0.4)).unwrap();
    let [soft, hard] = [0, 1].map(|k| PowerLaw::parabola(minimum.eigenvalues[k]));
    let beside = [PowerLaw::parabola(2.0)];
    let passage = |coefficient: f64| NonquadraticPassage {
        minimum: [soft, hard],
        across: PowerLaw::quartic(coefficient),
        beside: &beside,
        barrier: 1.0 / 12.0,
    };
    let temperatures = [0.005, 0.00125];
    let gaps = temperatures.map(|t| grid_log_gap(&plane, t, [-1.6, 1.6], 100) - 2f64.ln());
    // a deviation of T^½ and T together falls twofold to fourfold
    let falls = |coefficient: f64| {
        let [warm, cold] = [0, 1].map(|k| gaps[k] - passage(coefficient).log_rate(temperatures[k]).unwrap());
        println!("{coefficient} {warm} {cold}");
        (1.8..4.2).contains(&(warm / cold))
    };
    assert!(falls(0.25));
    assert!(!falls(0.09));
    // A parabolic saddle has no flat direction, and a law needs its directions.
    assert!(quartic_coefficient(&formula::<1>("x^4/4 - x^2/2"), &Point::<1>::zeros(), 0.3).is_err());
    assert!(
        NonquadraticPassage {
            beside: &[],
            ..passage(0.25)
        }
        .log_rate(0.1)
        .is_err()
    );
    assert!(passage(-0.25).log_rate(0.1).is_err());
}

/// Gap of x⁴/4 − x²/2 at T = 0.1.
const GAP: f64 = 0.033_545_287_308;

fn well_and_springs(springs: usize, coupling: f64, largest_rate: f64) -> Option<CoupledGap> {
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let spring = Quadratic::new(Tensor::<1>::new(1.0), Point::<1>::zeros()).unwrap();
    let mut factors = vec![Factor {
        loss: &well,
        ends: [-2.6, 2.6],
        points: 120,
    }];
    factors.resize(
        springs + 1,
        Factor {
            loss: &spring,
            ends: [-3.2, 3.2],
            points: 120,
        },
    );
    let mut matrix = vec![vec![0.0; springs + 1]; springs + 1];
    for k in 1..=springs {
        matrix[0][k] = coupling;
        matrix[k][0] = coupling;
    }
    coupled_gap(&factors, &matrix, 0.1, largest_rate).unwrap()
}

#[test]
fn a_double_well_beside_five_springs_keeps_its_gap() {
    for springs in [0, 1, 5] {
        let gap = well_and_springs(springs, 0.0, 4.1).unwrap();
        assert!((gap.rate - GAP).abs() < 1e-11 && gap.error < 1e-10, "{gap:?}");
    }
    // as generators on grids: six coordinates, of which the double well is the second
    let line = |loss: &dyn Landscape<1>, end: f64, cells: usize| {
        let sgd = Sgd::with_noise_strength(loss, Isotropic::new(1.0).unwrap(), 0.1).unwrap();
        Generator::assemble(&sgd, Grid::new([Axis::uniform(-end, end, cells).unwrap()])).unwrap()
    };
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let spring = Quadratic::new(Tensor::<1>::new(1.0), Point::<1>::zeros()).unwrap();
    let gap = |cells: usize| {
        let factors: Vec<Generator<1>> = (0..6)
            .map(|k| {
                if k == 1 {
                    line(&well, 2.5, cells)
                } else {
                    line(&spring, 2.5, cells)
                }
            })
            .collect();
        let product = Product::new(&factors).unwrap();
        // exp(−L/T) with its normalisation, at the centres of cells
        let at = cells / 2;
        let there = product.log_stationary_density(&[at; 6]).unwrap();
        let x = factors[0].grid().centre(at)[0];
        let moved = product
            .log_stationary_density(&[at, at, at, at, at, at + 3])
            .unwrap();
        let moved_x = factors[0].grid().centre(at + 3)[0];
        assert!((there - moved - (moved_x * moved_x - x * x) / 0.2).abs() < 1e-3);
        let (slowest, gap) = product.spectral_gap().unwrap();
        assert_eq!(slowest, 1);
        gap.rate
    };
    let found = extrapolate([200, 400, 800].map(gap).to_vec());
    assert!((found / GAP - 1.0).abs() < 1e-7, "{found}");
    assert!(Product::new(&[]).is_err());
}

/// Coupled parabolas: the gap is the smallest eigenvalue of their Hessian.
#[test]
fn coupled_springs_in_six_dimensions() {
    let springs: Vec<Quadratic<1>> = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0]
        .iter()
        .map(|h| Quadratic::new(Tensor::<1>::new(*h), Point::<1>::zeros()).unwrap())
        .collect();
    let factors: Vec<Factor<'_>> = springs
        .iter()
        .map(|loss| Factor {
            loss,
            ends: [-9.0, 9.0],
            points: 160,
        })
        .collect();
    let coupling: Vec<Vec<f64>> = (0..6)
        .map(|i: usize| {
            (0..6)
                .map(|j| if i.abs_diff(j) == 1 { 0.15 } else { 0.0 })
                .collect()
        })
        .collect();
    let hessian = nalgebra::DMatrix::from_fn(6, 6, |i, j| {
        coupling[i][j]
            + if i == j {
                springs[i].hessian(&Point::<1>::zeros())[0]
            } else {
                0.0
            }
    });
    let exact = hessian.symmetric_eigenvalues().min();
    let gap = coupled_gap(&factors, &coupling, 1.0, 6.1).unwrap().unwrap();
    println!("{gap:?} {exact}");
    assert!(
        (gap.rate - exact).abs() <= gap.error && gap.error < 0.05,
        "{gap:?} {exact}"
    );
    // Negative control: the gap without coupling.
    assert!((1.0 - exact).abs() > 2.0 * gap.error, "{gap:?} {exact}");
}

/// Four double wells in a chain: the change from half the largest rate passes through zero with the coupling and covers nothing there.
#[test]
fn errors_of_coupled_wells_do_not_vanish_by_luck() {
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let factor = Factor {
        loss: &well,
        ends: [-2.6, 2.6],
        points: 120,
    };
    let gap = |largest_rate: f64| {
        let coupling = |i: usize, j: usize| if i.abs_diff(j) == 1 { 0.0375 } else { 0.0 };
        let matrix: Vec<Vec<f64>> = (0..4).map(|i| (0..4).map(|j| coupling(i, j)).collect()).collect();
        coupled_gap(&[factor; 4], &matrix, 0.1, largest_rate)
            .unwrap()
            .unwrap()
    };
    let (coarse, fine) = (gap(5.5), gap(8.0));
    let missed = (coarse.rate - fine.rate).abs();
    assert!(missed <= coarse.error, "{coarse:?} {fine:?}");
    // Negative control: the one change.
    let from_half = (coarse.levels[3].1 - coarse.levels[1].1).abs();
    assert!(missed > from_half, "{coarse:?} {fine:?}");
}

#[test]
fn a_coupled_double_well_has_the_gap_of_the_grid_and_of_any_number_of_springs() {
    let plane = formula::<2>("(x^2 - 1)^2/4 + y^2/2 + 0.1*x*y");
    let grid = grid_log_gap(&plane, 0.1, [-2.8, 2.8], 70).exp();
    let planar = well_and_springs(1, 0.1, 16.1).unwrap();
    assert!((planar.rate / grid - 1.0).abs() < 1e-6, "{planar:?} {grid}");
    assert!((planar.rate - grid).abs() < planar.error + 1e-7);
    // In turned axes five equal springs are one with √5 of the coupling, and four that are not coupled.
    let many = well_and_springs(5, 0.1 / 5f64.sqrt(), 5.1).unwrap();
    println!("{planar:?} {many:?} {grid}");
    assert!(
        (many.rate - grid).abs() <= many.error && many.error < 0.01 * grid,
        "{many:?} {grid}"
    );
    // Negative controls: no coupling, and that of one spring a spring.
    assert!((GAP - grid).abs() > 5.0 * many.error);
    let stronger = well_and_springs(5, 0.1, 4.1).unwrap();
    assert!(
        (stronger.rate - grid).abs() > many.error + stronger.error,
        "{stronger:?}"
    );
    // Where coupling is strong against the noise the expansion, whose rate is negative, gives no gap.
    assert!(well_and_springs(1, 0.8, 8.1).is_none());
}

#[test]
fn what_cannot_be_expanded_is_refused() {
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let factor = |ends: [f64; 2], points: usize| Factor {
        loss: &well,
        ends,
        points,
    };
    let coupled = |coupling: &[Vec<f64>], temperature: f64, largest: f64, factor: Factor<'_>| {
        coupled_gap(&[factor; 2], coupling, temperature, largest)
            .unwrap_err()
            .to_string()
    };
    let none = vec![vec![0.0; 2]; 2];
    let good = factor([-2.6, 2.6], 100);
    for (coupling, temperature, largest, factor, wanted) in [
        (vec![vec![0.0, 0.1], vec![0.2, 0.0]], 0.1, 4.0, good, "symmetric"),
        (
            vec![vec![0.1, 0.1], vec![0.1, 0.0]],
            0.1,
            4.0,
            good,
            "belongs to its loss",
        ),
        (vec![vec![0.0, 0.1]], 0.1, 4.0, good, "coupling"),
        (none.clone(), -0.1, 4.0, good, "temperature"),
        (none.clone(), 0.1, 0.01, good, "largest_rate"),
        (none.clone(), 0.1, 1e5, good, "largest_rate"),
        (none.clone(), 0.1, 4.0, factor([-1.2, 1.2], 100), "wider ends"),
        (none.clone(), 0.1, 4.0, factor([-2.6, 2.6], 12), "more points"),
        (none, 0.1, 4.0, factor([2.6, -2.6], 100), "length"),
    ] {
        let message = coupled(&coupling, temperature, largest, factor);
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
}

/// [`BENT`] with the grid beside it.
fn bent_wells(strengths: &str, escape: f64) -> String {
    format!(
        r#"
name = "bent"
landscape = {{ loss = "{BENT}", variables = ["x", "y"] }}
noise = {{ model = "isotropic", strength = 1.0 }}
sgd.noise_strength = {escape:?}
[region]
domain = [[-2.0, 2.0], [-2.0, 2.0]]
[critical_points]
{strengths}
"#
    )
}

fn numbers(file: &ResultFile, name: &str) -> Vec<f64> {
    file.record(&format!("critical_points/{name}"))
        .unwrap()
        .numbers()
        .unwrap()
}

#[test]
fn the_task_finds_points_passes_and_rates() {
    let file = run(&bent_wells("noise_strength = [0.04, 0.02, 0.01]", 0.01));
    assert_eq!(numbers(&file, "index"), [0.0, 0.0, 1.0]);
    let (loss, barrier) = (numbers(&file, "loss"), numbers(&file, "barrier"));
    assert!((barrier[1] - (loss[2] - loss[0])).abs() < 1e-14 && barrier[0].is_nan());
    assert!((barrier[2] - (loss[2] - loss[1])).abs() < 1e-14);
    // the gap of the grid, within the stated error, which is of the order of T
    let formula = formula::<2>(BENT);
    let (gap, error) = (
        numbers(&file, "spectral_gap"),
        numbers(&file, "spectral_gap_error"),
    );
    for (k, temperature) in [0.04, 0.02, 0.01].into_iter().enumerate() {
        let grid = grid_log_gap(&formula, temperature, [-1.8, 1.8], 50).exp();
        assert!(
            (gap[k] - grid).abs() < error[k] && error[k] < 6.0 * temperature * grid,
            "{} {} {grid}",
            gap[k],
            error[k]
        );
        // Negative control: a saddle that is half of T higher.
        assert!((gap[k] * (-0.5_f64).exp() - grid).abs() > error[k]);
    }
    let (rate, time) = (numbers(&file, "rate"), numbers(&file, "escape_time"));
    assert!((rate[1] * time[0] - 1.0).abs() < 1e-14 && (rate[2] * time[1] - 1.0).abs() < 1e-14);
    assert_eq!((rate[0], rate[3]), (0.0, 0.0));
}

/// Beside the grid its gap is compared where both are of one process: not with a mobility, and not at other noise strengths alone.
#[test]
fn the_gap_is_held_against_the_grid_of_the_same_process() {
    let escape = r#"
[escape]
cells = [24, 24]
start = { ball = { centre = [-0.9, 0.4], radius = 0.0 } }
target = { half_space = { normal = [1.0, 0.0], offset = 0.8 } }
"#;
    let rows = |keys: &str| {
        let text = bent_wells(keys, 0.05).replace("[-2.0, 2.0], [-2.0, 2.0]", "[-1.7, 1.7], [-1.2, 1.9]");
        let all = comparisons(&run(&(text + escape))).unwrap();
        all.into_iter()
            .filter(|row| row.route == "Eyring-Kramers-Langer")
            .count()
    };
    assert_eq!(rows(""), 1);
    assert_eq!(rows("noise_strength = [0.03, 0.05]"), 1);
    assert_eq!(rows("noise_strength = [0.03]"), 0);
    assert_eq!(rows("mobility = [[1.0, 0.3], [0.3, 0.5]]"), 0);
}

/// Three wells in a row of the Müller-Brown surface: the gap of the chain against that of the grid, with a deviation that shrinks like T², like T without the
/// correction.
#[test]
fn the_chain_of_mueller_and_brown_has_the_gap_of_the_grid() {
    let text = r#"
name = "chain"
landscape.model = "mueller_brown"
noise = { model = "isotropic", strength = 1.0 }
[region]
domain = [[-1.5, 1.2], [-0.5, 2.0]]
[critical_points]
noise_strength = [4.0, 2.0, 1.0]
"#;
    let file = run(text);
    let grid = [4.0, 2.0, 1.0].map(|t| grid_log_gap(&MuellerBrown, t, [-1.6, 2.1], 120).exp());
    let rates = numbers(&file, "rate_without_correction");
    // the slower of two rates of 0 - 2 - 1
    let uncorrected = |k: usize| {
        let rate = |from: usize, to: usize| rates[9 * k + 3 * from + to];
        let (sum, product) = (
            rate(0, 2) + rate(2, 0) + rate(2, 1) + rate(1, 2),
            rate(0, 2) * rate(2, 1) + rate(0, 2) * rate(1, 2) + rate(2, 0) * rate(1, 2),
        );
        2.0 * product / (sum + (sum * sum - 4.0 * product).sqrt())
    };
    let (gap, error) = (
        numbers(&file, "spectral_gap"),
        numbers(&file, "spectral_gap_error"),
    );
    let temperature = |k: usize| 4.0 / f64::from(1 << k);
    let first = [0, 1, 2].map(|k| (grid[k] / uncorrected(k) - 1.0) / temperature(k));
    let second = [0, 1, 2].map(|k| (grid[k] / gap[k] - 1.0) / temperature(k).powi(2));
    println!("{gap:?} {error:?} {grid:?} {first:?} {second:?}");
    (0..3).for_each(|k| assert!((gap[k] - grid[k]).abs() < error[k]));
    assert!(is_constant(first) && is_constant(second), "{first:?} {second:?}");
    // Negative control: the pass from 1 to 2 alone.
    assert!((rates[9 * 2 + 5] / grid[2] - 1.0).abs() > 0.3);
}

/// Stationary points of known places in three variables, whose errors cover them; products of lines with three points each.
#[test]
fn stated_errors_cover_known_points() {
    let text = r#"
name = "wells"
landscape = { loss = "(x^2 - 1)^2/4 + 3*(y^2 - 1/4)^2 + (z - 0.3)^2", variables = ["x", "y", "z"] }
[region]
domain = [[-1.7, 1.7], [-1.2, 1.2], [-1.0, 1.0]]
[critical_points]
starts = 100
"#;
    let file = run(text);
    assert!(file.record("critical_points/rate").is_err());
    let (position, error) = (numbers(&file, "position"), numbers(&file, "position_error"));
    let (loss, loss_error) = (numbers(&file, "loss"), numbers(&file, "loss_error"));
    assert_eq!(loss.len(), 9);
    for (k, point) in position.chunks_exact(3).enumerate() {
        let near = |value: f64, known: &[f64]| {
            known
                .iter()
                .copied()
                .min_by(|a, b| (a - value).abs().total_cmp(&(b - value).abs()))
                .unwrap()
        };
        let known = [
            near(point[0], &[-1.0, 0.0, 1.0]),
            near(point[1], &[-0.5, 0.0, 0.5]),
            0.3,
        ];
        for ((at, known), error) in point.iter().zip(known).zip(&error[3 * k..]) {
            assert!(
                (at - known).abs() <= *error && *error < 1e-13,
                "{point:?} {error:e}"
            );
        }
        let exact = 0.25 * (known[0] * known[0] - 1.0).powi(2) + 3.0 * (known[1] * known[1] - 0.25).powi(2);
        assert!(
            (loss[k] - exact).abs() <= loss_error[k] && loss_error[k] < 1e-13,
            "{} {exact}",
            loss[k]
        );
    }
    // four minima, each with two passes: 1/4 in x, 3/16 in y, of which the lower one leads away
    let barrier = numbers(&file, "barrier");
    assert_eq!(barrier.len(), 16);
    let lowest = barrier[..4].iter().copied().fold(f64::INFINITY, f64::min);
    assert!((lowest - 0.1875).abs() < 1e-13, "{barrier:?}");
    let highest = barrier[..4].iter().copied().fold(0.0, f64::max);
    assert!((highest - 0.25).abs() < 1e-13, "{barrier:?}");
}

#[test]
fn what_has_no_rates_or_points_is_refused() {
    let text = bent_wells("starts = 50", 0.01);
    for (from, to, wanted) in [
        ("starts = 50", "starts = 0", "critical_points.starts"),
        ("starts = 50", "start = 50", "starts"),
        (
            "starts = 50",
            "noise_strength = -0.1",
            "critical_points.noise_strength",
        ),
        (
            "starts = 50",
            "mobility = [[1.0, 0.5], [0.4, 1.0]]",
            "critical_points.mobility",
        ),
        (
            "starts = 50",
            "mobility = [[1.0, 2.0], [2.0, 1.0]]",
            "critical_points.mobility",
        ),
        ("starts = 50", "mobility = [[1.0]]", "critical_points.mobility"),
        (
            "model = \"isotropic\", strength = 1.0",
            "model = \"hessian_power\"",
            "same multiple of the identity",
        ),
        (
            "model = \"isotropic\", strength = 1.0",
            "tensor = [[1.0, 0.1], [0.1, 1.0]]",
            "same multiple of the identity",
        ),
        (
            "domain = [[-2.0, 2.0], [-2.0, 2.0]]",
            "domain = [[-2.0, 2.0], [-2.0, 2.0]]\nsublevel = 1.0",
            "region",
        ),
        (
            "domain = [[-2.0, 2.0], [-2.0, 2.0]]",
            "domain = [[-2.0, 2.0], [-2.0, inf]]",
            "region.domain",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let message = refused(&text.replace(from, to));
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
    let without_noise = text.replace(
        "noise = { model = \"isotropic\", strength = 1.0 }\nsgd.noise_strength = 0.01",
        "",
    );
    let message = refused(&without_noise.replace("starts = 50", "noise_strength = 0.1"));
    assert!(message.contains("critical_points.noise_strength"), "{message}");
    let drift =
        "name = \"d\"\nlandscape.drift = [\"-x\"]\n[region]\ndomain = [[-1.0, 1.0]]\n[critical_points]\n";
    assert!(refused(drift).contains("landscape.drift"));
}

/// (x − ½)⁶/6 − (x − ½)⁴/4 multiplied out, along a bent valley: near the saddle the gradient is rounding, of which its third power says little.
const QUARTIC: &str = "(x^6 - 3*x^5 + 3.75*x^4 - 2.5*x^3 + 0.9375*x^2 - 0.1875*x + 0.015625)/6 \
     - (x^4 - 2*x^3 + 1.5*x^2 - 0.5*x + 0.0625)/4 + (y - 0.4*x^2)^2";

#[test]
fn quartic_saddles_are_found_with_their_rates() {
    let loss = formula::<2>(QUARTIC);
    let found = critical_points(&loss, [[-0.9, 1.9], [-0.5, 1.6]], 60).unwrap();
    let index: Vec<usize> = found.points.iter().map(|point| point.index).collect();
    assert_eq!((index, found.euler_characteristic), (vec![0, 0, 1], 1));
    assert!(found.points[..2].iter().all(CriticalPoint::is_quadratic));
    let saddle = &found.points[2];
    let quartic = saddle.quartic.unwrap();
    // along the tangent (1, 0.4) of the valley
    let known = -0.25 / 1.16_f64.powi(2);
    let off = (saddle.position - Point::<2>::new(0.5, 0.1)).norm();
    println!("{saddle:?} {off:e}");
    assert!(
        (quartic.coefficient - known).abs() <= quartic.coefficient_error && quartic.coefficient_error < 1e-6
    );
    assert!(off <= quartic.place_error && quartic.place_error < 1e-6);
    assert!(saddle.eigenvalues[0] == 0.0 && (saddle.eigenvalues[1] - 2.32).abs() < 1e-9);

    let graph = BarrierGraph::new(&loss, &found.points).unwrap();
    let laws = |temperature: f64| {
        let rate = |from: usize, to: usize| graph.rate(from, to, temperature).unwrap();
        (rate(0, 1) + rate(1, 0)).ln()
    };
    // the deviation falls like T^½ and T together, between twofold and fourfold
    let temperatures = [0.005, 0.00125];
    let gaps = temperatures.map(|t| grid_log_gap(&loss, t, [-1.0, 2.0], 100));
    let [warm, cold] = [0, 1].map(|k| gaps[k] - laws(temperatures[k]));
    println!("{warm} {cold}");
    assert!(
        (1.8..4.2).contains(&(warm / cold)) && cold.abs() < 0.3,
        "{warm} {cold}"
    );
    let turned = Tensor::<2>::new(1.0, 0.2, 0.2, 1.0);
    let turned = BarrierGraph::with_mobility(&loss, &found.points, &turned).unwrap();
    assert!(turned.rate(0, 1, 0.01).unwrap_err().is_bad_input());

    let file = run(&bent_wells("starts = 60", 0.005).replace(BENT, QUARTIC));
    let (c, error) = (numbers(&file, "quartic"), numbers(&file, "quartic_error"));
    assert!(c[0].is_nan() && (c[2] - known).abs() <= error[2]);
    let rates = numbers(&file, "rate_without_correction");
    assert!(((rates[1] + rates[2]).ln() - laws(0.005)).abs() < 1e-6);
    let (gap, error) = (
        numbers(&file, "spectral_gap")[0],
        numbers(&file, "spectral_gap_error")[0],
    );
    assert!(
        (gaps[0].exp() - gap).abs() < error && error < 0.1 * gap,
        "{gap} {error} {}",
        gaps[0].exp()
    );
    // Negative controls: a point of inflection with a slope of the third power is no such point, nor is a parabola.
    assert!(critical_points(&formula::<1>("x^3"), [[-1.0, 1.2]], 20).is_err());
    let wells = critical_points(&DoubleWell::new(0.25, 1.0).unwrap(), [[-1.5, 1.6]], 20).unwrap();
    assert!(wells.points.iter().all(CriticalPoint::is_quadratic));
}

fn kinked<const D: usize>(text: &str, axis: usize) -> Expression<D> {
    let kink = Kink { axis, position: 0.0 };
    let names = ["x", "y", "z"][..D].try_into().unwrap();
    Expression::new(text, &names, &BTreeMap::new(), vec![kink]).unwrap()
}

/// Rates out of either minimum over the one saddle and what the first correction changes them by.
fn both_ways<const D: usize>(
    loss: &impl Landscape<D>,
    bounds: [[f64; 2]; D],
) -> (BarrierGraph<D>, [FirstCorrection; 2]) {
    let found = critical_points(loss, bounds, 60).unwrap();
    let graph = BarrierGraph::new(loss, &found.points).unwrap();
    assert_eq!((graph.minima.len(), graph.saddles.len()), (2, 1));
    let correction = |from: usize| {
        first_correction(
            loss,
            &graph.minima[from],
            &graph.saddles[0].point,
            &Tensor::<D>::identity(),
        )
        .unwrap()
    };
    let corrections = [correction(0), correction(1)];
    (graph, corrections)
}

/// Deviations of the rate out of the left minimum on a line, over T^order, with `share` of the first correction; whether the stated error covers them.
fn line_deviations(
    loss: &impl Landscape<1>,
    temperatures: [f64; 3],
    order: i32,
    share: f64,
) -> ([f64; 3], bool) {
    let (graph, corrections) = both_ways(loss, [[-2.0, 2.0]]);
    let from = usize::from(graph.minima[0].position[0] > 0.0);
    let [a, b] = [from, 1 - from].map(|k| graph.minima[k].position[0]);
    let mut covered = true;
    let deviations = temperatures.map(|temperature| {
        let law = graph.log_rate_over(0, from, temperature).unwrap();
        let ratio = (exact_log_rate(loss, a, b, temperature) - law).exp();
        let change = 1.0 + share * corrections[from].change(temperature);
        covered &= (ratio - change).abs() <= corrections[from].expected_deviation(temperature);
        (ratio / change - 1.0) / temperature.powi(order)
    });
    (deviations, covered)
}

/// Quartic tops and wells with terms of order five and six: what the correction of order T^½ leaves is of order T.
#[test]
fn first_corrections_of_quartics_on_a_line_leave_the_temperature() {
    let top = formula::<1>("x^6/6 - x^4/4 + 0.1*x^5");
    let well = formula::<1>("(x^2 - 1)^4*(1 + 0.3*x)/4");
    // from T to T/4 another power of T^½ is off by two
    let check = |loss: &Expression<1>, warmest: f64| {
        let temperatures = cooled(warmest, 4.0);
        let (left, covered) = line_deviations(loss, temperatures, 1, 1.0);
        assert!(covered && is_constant(left), "{left:?}");
        // Negative controls: without it, and with the wrong sign.
        for share in [0.0, -1.0] {
            let (wrong, _) = line_deviations(loss, temperatures, 1, share);
            assert!(!is_constant(wrong), "{wrong:?}");
        }
    };
    check(&top, 1.6e-3);
    check(&well, 4e-3);
}

/// Cusps with curvatures and third derivatives that differ on both sides: what the correction of order T leaves is of order T².
#[test]
fn first_corrections_of_cusps_on_a_line_leave_the_square_of_the_temperature() {
    let crest = kinked::<1>("(abs(x) - 1)^2*(1 + 0.2*x) + 0.3*x^2", 0);
    let (left, covered) = line_deviations(&crest, cooled(0.02, 2.0), 2, 1.0);
    assert!(covered && is_constant(left), "{left:?}");
    for share in [0.0, -1.0] {
        let (wrong, _) = line_deviations(&crest, cooled(0.02, 2.0), 2, share);
        assert!(!is_constant(wrong), "{wrong:?}");
    }
}

/// Gap of a plane against the sum of both corrected rates: the deviations over T^order, and whether the errors cover them.
fn plane_deviations(
    loss: &impl Landscape<2>,
    bounds: [[f64; 2]; 2],
    gaps: &[(f64, f64)],
    order: i32,
    share: f64,
) -> ([f64; 3], bool) {
    let (graph, corrections) = both_ways(loss, bounds);
    let mut covered = true;
    let deviations = std::array::from_fn(|k| {
        let (temperature, gap) = gaps[k];
        let rate = |from: usize| graph.log_rate_over(0, from, temperature).unwrap().exp();
        let sum = |of: &dyn Fn(&FirstCorrection) -> f64| {
            rate(0) * of(&corrections[0]) + rate(1) * of(&corrections[1])
        };
        let law = sum(&|correction| 1.0 + share * correction.change(temperature));
        covered &= (gap - law).abs() <= sum(&|correction| correction.expected_deviation(temperature));
        (gap / law - 1.0) / temperature.powi(order)
    });
    (deviations, covered)
}

fn plane_gaps(loss: &impl Landscape<2>, temperatures: [f64; 3], edge: f64, cells: usize) -> Vec<(f64, f64)> {
    temperatures
        .map(|t| (t, grid_log_gap(loss, t, [-edge, edge], cells).exp()))
        .to_vec()
}

/// Crests and grooves whose slopes, curvatures and stiffness change along them: as a minimum, over the crest, along the groove.
#[test]
fn first_corrections_of_cusps_in_the_plane_leave_the_square_of_the_temperature() {
    let crest = "(abs(x) - 1)^2*(1 + 0.3*y) + 2*(y - 0.3*x)^2 + 0.3*y^3 + 0.4*y^4 + 0.2*y^2*abs(x)";
    let groove = "(x^2 - 1)^2 + 1.5*abs(y)*(1 + 0.3*x + 0.2*x^2) + 0.3*y + 0.5*y^2 + 0.5*x*abs(y)*y";
    for (text, axis, warmest, edge) in [(crest, 0, 0.08, 2.0), (groove, 1, 0.12, 1.7)] {
        let loss = kinked::<2>(text, axis);
        let gaps = plane_gaps(&loss, cooled(warmest, 2.0), edge, 80);
        let bounds = [[-1.6, 1.6]; 2];
        let (left, covered) = plane_deviations(&loss, bounds, &gaps, 2, 1.0);
        println!("{text} {left:?} {covered}");
        assert!(covered && is_constant(left), "{left:?}");
        // Negative controls: without it, and with the wrong sign.
        for share in [0.0, -1.0] {
            let (wrong, _) = plane_deviations(&loss, bounds, &gaps, 2, share);
            assert!(!is_constant(wrong), "{wrong:?}");
        }
    }
}

/// A quartic beside the way over the saddle, whose crest bends with it: what the correction of order T^½ leaves is of order T.
#[test]
fn the_first_correction_of_a_quartic_beside_a_pass_leaves_the_temperature() {
    let loss = formula::<2>("(x^2 - 1)^2/4 + y^4 + 0.5*x^4*y^2 + 0.5*x*(1 - x^2)^2*y^2");
    let gaps = plane_gaps(&loss, cooled(0.032, 4.0), 1.7, 100);
    let bounds = [[-1.6, 1.6], [-1.2, 1.2]];
    let (left, covered) = plane_deviations(&loss, bounds, &gaps, 1, 1.0);
    println!("{left:?} {covered}");
    assert!(covered && is_constant(left), "{left:?}");
    for share in [0.0, -1.0] {
        let (wrong, _) = plane_deviations(&loss, bounds, &gaps, 1, share);
        println!("{wrong:?}");
        assert!(!is_constant(wrong), "{wrong:?}");
    }
}

/// Four terms of the first correction are zero: the error is that of sixth derivatives.
#[test]
fn errors_cover_where_the_first_correction_vanishes() {
    let loss = formula::<1>("-cos(x) + cos(3*x)/81");
    let (a, s) = (stationary(&loss, [0.1]), stationary(&loss, [3.1]));
    let correction = first_correction(&loss, &a, &s, &Tensor::<1>::identity()).unwrap();
    assert!(correction.change(1.0).abs() < 1e-8);
    let passage = SaddlePassage::between(&loss, &a, &s).unwrap();
    for height in [8.0, 12.0, 25.0] {
        let temperature = passage.barrier / height;
        let law = passage.log_rate(&Tensor::<1>::identity(), temperature).unwrap();
        // from the bottom of one well to those of both neighbours: twice the rate over one saddle
        let sgd = Sgd::with_noise_strength(&loss, Isotropic::new(1.0).unwrap(), temperature).unwrap();
        let line = ScaleAndSpeed::new(&sgd, -std::f64::consts::TAU, std::f64::consts::TAU).unwrap();
        let time = line.first_passage(0.0, std::f64::consts::TAU).unwrap().mean.log;
        // reflected at the other neighbour, whose well has the mass of a half: two wells before the passage over one saddle
        let ratio = (-time + 1.5_f64.ln() - law).exp();
        let error = correction.expected_deviation(temperature);
        println!("{height} {ratio} {error}");
        assert!(
            (ratio - 1.0).abs() <= error && error < 4.0 / (height * height),
            "{ratio} {error}"
        );
        assert!((ratio - 1.0).abs() > 1e-3);
    }
}

/// What was taken for something else: noise that is the same on a line only, another calculus, kinks without a jump, grooves along which a descent slides.
#[test]
fn noise_kinks_and_descents_are_what_they_are() {
    let plane = |loss: &str, noise: &str, more: &str| {
        format!(
            "name = \"plane\"\n[landscape]\nloss = \"{loss}\"\nvariables = [\"x\", \"y\"]\n{more}[noise]\n{noise}\n[sgd]\nnoise_strength = 0.06\n[region]\ndomain = [[-2.2, 2.2], [-2.2, 2.2]]\n[critical_points]\n"
        )
    };
    let wells = "(x^2 - 1)^2/4 + y^2";
    let growing = "tensor = [[\"1 + (x + y)^2\", 0.0], [0.0, \"1 + (x + y)^2\"]]";
    assert!(refused(&plane(wells, growing, "")).contains("same multiple of the identity"));
    let linear = format!("tensor = [[\"{wells} + 0.1\", 0.0], [0.0, \"{wells} + 0.1\"]]");
    assert!(numbers(&run(&plane(wells, &linear, "")), "rate")[1] > 0.0);
    let other = format!("{linear}\ncalculus = \"stratonovich\"");
    assert!(refused(&plane(wells, &other, "")).contains("noise.calculus"));
    let negative = "tensor = [[\"2 - (x^2 - 1)^2/4 - y^2\", 0.0], [0.0, \"2 - (x^2 - 1)^2/4 - y^2\"]]";
    assert!(refused(&plane(wells, negative, "")).contains("negative"));
    // a groove without a jump, although the loss is zero there and bends
    let isotropic = "model = \"isotropic\"\nstrength = 1.0";
    let declared = "kinks = [{ axis = 0, position = 0.0 }]\n";
    let bent = "if(x < 0, -2*x + x^2, 3*x*(1 - x)^2 + 0.3*x^2) + y^2";
    assert_eq!(
        numbers(&run(&plane(bent, isotropic, declared)), "index"),
        [0.0, 0.0, 1.0]
    );
    // the descent from the saddle slides along the groove
    let groove = run(&plane(
        "(y^2 - 1)^2 + 2*abs(x) + 0.4*x*y + x^2",
        isotropic,
        declared,
    ));
    assert!(numbers(&groove, "rate")[1] > 0.0 && numbers(&groove, "index") == [0.0, 0.0, 1.0]);
    let quartic = plane("(abs(x) - 1)^2 + y^4", isotropic, declared);
    refused_by_command(&quartic, &["along which the loss is quartic"]);
    let stiffer = plane("if(x > 0, 2*x^2, x^2/2) + y^2", isotropic, declared);
    refused_by_command(&stiffer, &["curvature jumps"]);
    // two starts in a row without a new point: the sum says that some are missing
    let few = plane(&format!("{wells} + (y^2 - 1)^2/3 - y^2"), isotropic, "") + "starts = 1\n";
    let all = run(&few.replace("starts = 1", "starts = 100"));
    assert_eq!(numbers(&all, "index").len(), 9);
    let regime = |file: &ResultFile| CriticalPointsResult::of(file).unwrap().regime.unwrap().concat();
    assert!(regime(&all).contains("is 1, as it must be"), "{}", regime(&all));
    assert!(regime(&all).contains("the lowest barrier is"), "{}", regime(&all));
    // close to a bifurcation the correction is no correction
    let near = "name = \"near\"\n[landscape]\nloss = \"x^6/6 - x^4/4 - 5e-6*x^2\"\nvariables = [\"x\"]\n[noise]\nmodel = \"isotropic\"\nstrength = 1.0\n[sgd]\nnoise_strength = 0.01\n[region]\ndomain = [[-1.9, 1.9]]\n[critical_points]\n";
    let near = run(near);
    assert!(numbers(&near, "rate")[1].is_nan() && numbers(&near, "rate_without_correction")[1] > 0.0);
}

/// Three wells under a mobility that turns the descent from the highest saddle into another one than the loss alone would: splitting probabilities of a grid
/// with a full tensor, computed without freezeout, say that of the ways out of the left well .9823, .9891, .9925 lead to (.87, .92) first at T = .06, .04, .03.
#[test]
fn a_mobility_turns_the_descent() {
    let text = r#"
name = "three"
[landscape]
variables = ["x", "y"]
loss = "- 0.92677856*exp(-2.49892895*((x - (-1.40048286))^2 + (y - (-0.33108975))^2)) - 0.63622016*exp(-2.04807985*((x - (0.93790959))^2 + (y - (1.00511131))^2)) - 0.63900617*exp(-1.50486326*((x - (1.28401163))^2 + (y - (-0.8725734))^2)) + 0.1*(x^2 + y^2)"
[noise]
model = "isotropic"
strength = 1.0
[sgd]
noise_strength = 0.03
[region]
domain = [[-2.2, 2.2], [-2.2, 2.2]]
[critical_points]
mobility = [[1.0, 0.9], [0.9, 1.0]]
"#;
    // rates from the left well to the upper and to the lower one on the right
    let out = |text: &str| {
        let file = run(text);
        let (position, minimum) = (numbers(&file, "position"), numbers(&file, "minimum"));
        let at = |k: usize| minimum[k] as usize;
        let left = (0..3).find(|k| position[2 * at(*k)] < 0.0).unwrap();
        let upper = (0..3).find(|k| position[2 * at(*k) + 1] > 0.5).unwrap();
        let rates = numbers(&file, "rate_without_correction");
        [rates[3 * left + upper], rates[3 * left + 3 - left - upper]]
    };
    let [upper, lower] = out(text);
    assert!(upper > 0.0 && lower < 0.01 * upper, "{upper} {lower}");
    // Negative control: without the mobility the descent ends in the other one.
    let [upper, lower] = out(&text.replace("mobility = [[1.0, 0.9], [0.9, 1.0]]\n", ""));
    assert!(lower > 0.0 && upper < 0.01 * lower, "{upper} {lower}");
}

/// D = Δ (L + L₀): the exact rate on a line, which the law misses in proportion to dT/dL = Δ and with the first correction in proportion to its square.
#[test]
fn noise_that_grows_with_the_loss() {
    let text = r#"
name = "least_squares"
landscape = { loss = "(x^2 - 1)^2/4", variables = ["x"] }
noise.tensor = [["(x^2 - 1)^2/4 + 0.15"]]
sgd.noise_strength = 0.1
[region]
domain = [[-2.0, 2.0]]
[critical_points]
noise_strength = [0.2, 0.1, 0.05]
"#;
    let file = run(text);
    let slopes = numbers(&file, "temperature_slope");
    let known = slopes.iter().zip([0.2, 0.1, 0.05]);
    assert!(
        known
            .into_iter()
            .all(|(slope, known)| (slope / known - 1.0).abs() < 1e-12)
    );
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let exact = [0, 1, 2].map(|k| {
        // C = 2 (L + L₀) L'' of the minimum
        let noise = LossScaled::at_minimum(well, &Point::<1>::new(1.0), 0.15, 0.0).unwrap();
        let sgd = Sgd::with_noise_strength(well, noise, slopes[k] / 4.0).unwrap();
        let line = ScaleAndSpeed::new(&sgd, -6.0, 6.0).unwrap();
        (-line.first_passage(-1.0, 1.0).unwrap().mean.log).exp()
    });
    let [rate, error, uncorrected] = ["rate", "rate_error", "rate_without_correction"].map(|name| {
        let all = numbers(&file, name);
        [0, 1, 2].map(|k| all[4 * k + 1])
    });
    let first = [0, 1, 2].map(|k| (exact[k] / uncorrected[k] - 1.0) / slopes[k]);
    let second = [0, 1, 2].map(|k| (exact[k] / rate[k] - 1.0) / slopes[k].powi(2));
    println!("{first:?} {second:?}");
    (0..3).for_each(|k| assert!((exact[k] - rate[k]).abs() < error[k]));
    assert!(is_constant(first) && is_constant(second), "{first:?} {second:?}");
    // the law of Mori et al.
    let law = PowerLawEscape::new(2.0, 0.1, 2.0).unwrap();
    let law = law.log_escape_rate(0.15, 0.4, &[2.0], &[-1.0]).unwrap();
    assert!((uncorrected[1].ln() - law).abs() < 1e-12);
    // Negative control: without what 1/T adds to the mass of the well the first order is off.
    let without = [0, 1, 2]
        .map(|k| (exact[k] / (rate[k] - uncorrected[k] * slopes[k] / 2.0) - 1.0) / slopes[k].powi(2));
    assert!(!is_constant(without), "{without:?}");
    // A maximum alone has no rates.
    let hill = r#"
name = "hill"
landscape = { loss = "-(x^2 + y^2)/2", variables = ["x", "y"] }
noise.tensor = [["1 - (x^2 + y^2)/2", 0.0], [0.0, "1 - (x^2 + y^2)/2"]]
sgd.noise_strength = 0.1
[region]
domain = [[-0.9, 0.8], [-0.9, 0.8]]
[critical_points]
"#;
    let file = run(hill);
    assert!(numbers(&file, "index") == [2.0] && numbers(&file, "rate").is_empty());
    let tree = critical_points_figure(&file);
    assert!(matches!(tree, Err(Error::NothingToDraw { .. })));
    // Noise that vanishes in the minima does not leave them.
    refused_by_command(&text.replace(" + 0.15", ""), &["noise: it must not vanish"]);
}

/// The ridge of the two-valley model is a saddle of index one, and the rate over it is the exact one as T falls, with a deviation in proportion to T.
#[test]
fn the_ridge_of_the_two_valleys_is_a_saddle_with_the_rate_of_a_cusp() {
    let slice = Slice::new(TwoValley::default(), 5.0).unwrap();
    let found = critical_points(&slice, [[-1.0, 1.0]], 20).unwrap();
    assert_eq!(
        found.points.iter().map(|p| p.index).collect::<Vec<_>>(),
        [0, 0, 1]
    );
    assert_eq!(found.euler_characteristic, 1);
    let ridge = &found.points[2];
    let crease = ridge.crease.unwrap();
    // slopes ±2x*/f on either side
    let model = TwoValley::default();
    for (slope, side) in crease.slopes.into_iter().zip([Side::Sharp, Side::Flat]) {
        let known = -side.sign() * 2.0 * model.minimum(side, 5.0).abs() / model.flatness(side, 5.0);
        assert!((slope / known - 1.0).abs() < 1e-9, "{slope} {known}");
    }
    assert!(ridge.eigenvalues[0] == f64::NEG_INFINITY && ridge.position[0] == 0.0);
    let graph = BarrierGraph::new(&slice, &found.points).unwrap();
    assert_eq!(graph.saddles[0].joins, [0, 1]);
    assert!((graph.barrier(0, 1).unwrap() - 0.04).abs() < 1e-15);
    let from = usize::from(graph.minima[1].position[0] > 0.0);
    let (a, b) = (graph.minima[from].position[0], graph.minima[1 - from].position[0]);
    let deviation = |temperature: f64| {
        let rate = graph.log_rate_over(0, from, temperature).unwrap();
        (rate - exact_log_rate(&slice, a, b, temperature)).exp_m1()
    };
    let [coarse, fine] = [0.002, 0.001].map(deviation);
    assert!(
        fine.abs() < 0.06 && (coarse / fine - 2.0).abs() < 0.4,
        "{coarse} {fine}"
    );
    // Negative control: a parabola in place of the cusp is off by more than a factor of two.
    let parabola = PowerLaw::parabola(2.0 / model.flatness(Side::Flat, 5.0))
        .log_integral(0.001)
        .unwrap();
    let cusp = PowerLaw::cusp(crease.slopes.map(f64::abs))
        .log_integral(0.001)
        .unwrap();
    assert!((parabola - cusp).exp() > 2.0, "{}", (parabola - cusp).exp());
    let faster =
        BarrierGraph::with_mobility(&slice, &found.points, &(Tensor::<1>::identity() * 2.0)).unwrap();
    assert!(faster.log_rate_over(0, 0, 0.001).is_err());
}

/// A ridge with a pass on it, a groove, and what is none of them.
#[test]
fn kinked_points_in_the_plane_are_found_where_zero_lies_between_both_slopes() {
    let kinked = |text: &str| {
        let kink = Kink {
            axis: 0,
            position: 0.0,
        };
        Expression::<2>::new(text, &["x", "y"], &BTreeMap::new(), vec![kink]).unwrap()
    };
    let indices = |text: &str| {
        let found = critical_points(&kinked(text), [[-2.0, 2.0], [-2.0, 2.0]], 60).unwrap();
        let on_kink = found.points.iter().filter(|p| p.crease.is_some());
        let places: Vec<(f64, usize)> = on_kink.map(|p| (p.position[1], p.index)).collect();
        (places, found.euler_characteristic)
    };
    // two wells at x = ±1 with a ridge -|x| between them, lowest at y = .25: one saddle
    let (ridge, sum) = indices("x^2/2 - if(x > 0, x, -x) + (y - 0.25)^2/2 + 0.1*x*y");
    assert!(
        ridge.len() == 1 && (ridge[0].0 - 0.25).abs() < 1e-12 && ridge[0].1 == 1 && sum == 1,
        "{ridge:?}"
    );
    // a double well along the ridge: two passes and a hilltop between them
    let (passes, sum) = indices("x^2/2 - if(x > 0, x, -x) + (y^2 - 1)^2/4");
    assert_eq!(passes.iter().map(|p| p.1).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(sum, 1);
    // a groove with a double well along it: two minima and a saddle
    let (groove, sum) = indices("if(x > 0, x, -x) + (y^2 - 1)^2/4 + 0.1*y");
    assert_eq!(groove.iter().map(|p| p.1).collect::<Vec<_>>(), [0, 0, 1]);
    assert_eq!(sum, 1);
    // Negative control: the slope is steeper beyond the kink, but of one sign
    let (none, _) = indices("if(x > 0, 2*x, x) + (x + 1.5)^2 + y^2/2 - 1.5*x");
    assert!(none.is_empty(), "{none:?}");
    let jump = kinked("x^2 + y^2 + if(x > 0, 1, 0)");
    assert!(matches!(
        critical_points(&jump, [[-1.0, 1.0]; 2], 5),
        Err(Error::Inconsistent { .. })
    ));
}

/// The rate over a ridge in the plane, against a grid.
#[test]
fn the_rate_over_a_ridge_in_the_plane_is_that_of_a_grid() {
    let text = "x^2/2 - if(x > 0, x, -x) + y^2/2 + 0.3*x^2*y^2";
    let kink = Kink {
        axis: 0,
        position: 0.0,
    };
    let loss = Expression::<2>::new(text, &["x", "y"], &BTreeMap::new(), vec![kink]).unwrap();
    let found = critical_points(&loss, [[-2.0, 2.0], [-2.0, 2.0]], 60).unwrap();
    let graph = BarrierGraph::new(&loss, &found.points).unwrap();
    let deviation = |temperature: f64| {
        let rate = graph.rate(0, 1, temperature).unwrap();
        // two wells alike: the gap is twice the rate
        ((2.0 * rate).ln() - grid_log_gap(&loss, temperature, [-2.6, 2.6], 40)).exp_m1()
    };
    let [coarse, fine] = [0.08, 0.04].map(deviation);
    assert!(
        fine.abs() < 0.2 && (coarse / fine - 2.0).abs() < 0.6,
        "{coarse} {fine}"
    );
}

#[test]
fn the_task_lists_a_ridge_with_its_rate() {
    let text = "name = \"ridge\"\n[landscape]\nloss = \"x^2/2 - if(x > 0, x, -x) + y^2/2\"\nvariables = [\"x\", \"y\"]\nkinks = [{ axis = 0, position = 0.0 }]\n[noise]\nmodel = \"isotropic\"\nstrength = 0.05\n[region]\ndomain = [[-2.0, 2.0], [-2.0, 2.0]]\n[critical_points]\n";
    let file = run(text);
    let numbers = |name: &str| {
        file.record(&format!("critical_points/{name}"))
            .unwrap()
            .numbers()
            .unwrap()
    };
    assert_eq!(numbers("index"), [0.0, 0.0, 1.0]);
    assert!(numbers("curvature")[4].is_nan() && (numbers("curvature")[5] - 1.0).abs() < 1e-12);
    assert!((numbers("barrier")[1] - 0.5).abs() < 1e-12);
    // k = T/(2T)·exp(−10)·... : T sqrt(2πT) / (2T · 2πT), slopes and curvatures one
    let known = 0.05 / (0.1 * (std::f64::consts::TAU * 0.05).sqrt()) * (-10f64).exp();
    assert!((numbers("rate_without_correction")[1] / known - 1.0).abs() < 1e-9);
    // exact on a line: the flow over the crest of curvature 1 loses T, the wells nothing
    assert!((numbers("rate")[1] / (known * (1.0 - 0.05)) - 1.0).abs() < 1e-6);
    // Negative control: without the kink declared nothing lies on it.
    let bare = text.replace("kinks = [{ axis = 0, position = 0.0 }]\n", "");
    let indices = run(&bare)
        .record("critical_points/index")
        .unwrap()
        .numbers()
        .unwrap();
    assert!(!indices.contains(&1.0), "{indices:?}");
}

fn coupled(keys: &str) -> String {
    format!(
        "name = \"coupled\"\n[landscape]\nmodel = \"double_well\"\n[noise]\nmodel = \"isotropic\"\nstrength = 0.1\n[region]\ndomain = [[-2.6, 2.6]]\n[coupled]\n{keys}"
    )
}

/// `[coupled]`: the grid in the plane at d = 2, closed forms without coupling and of springs, and an error that grows with the dimension.
#[test]
fn coupled_variables_have_the_gap_of_the_plane_and_errors_that_say_where_they_end() {
    let file = run(&coupled(
        "dimension = [2, 3]\ncoupling = [0.0, 0.1]\nlargest_rate = [12.0, 6.0]\ncells = 24\n",
    ));
    let numbers = |name: &str| {
        file.record(&format!("coupled/{name}"))
            .unwrap()
            .numbers()
            .unwrap()
    };
    let (gap, error) = (numbers("spectral_gap"), numbers("spectral_gap_error"));
    let (planar, planar_error) = (numbers("planar_gap"), numbers("planar_gap_error"));
    for k in 0..2 {
        let distance = (gap[k] - planar[k]).abs();
        assert!(
            distance <= error[k].hypot(planar_error[k]),
            "{k}: {gap:?} {error:?} {planar:?} {planar_error:?}"
        );
        // Negative control: the error is small enough that the next coupling is another number.
        assert!(k == 0 || (gap[k - 1] - planar[k]).abs() > 20.0 * error[k].hypot(planar_error[k]));
    }
    for d in 0..2 {
        assert!(
            (gap[2 * d] - GAP).abs() <= error[2 * d] + 1e-11
                && (numbers("gap_without_coupling")[d] / GAP - 1.0).abs() < 1e-4
        );
        assert!((numbers("gap_without_coupling")[d] - GAP).abs() <= numbers("gap_without_coupling_error")[d]);
    }
    assert!(
        comparisons(&file)
            .unwrap()
            .iter()
            .filter(|row| row.route == "products of modes")
            .all(|row| row.agrees())
    );
    // springs of curvature 2 beside it, as a star: a single spring and the well against the plane too
    let file = run(&coupled(
        "dimension = [2]\ncoupling = [0.1]\nlargest_rate = 16.0\nothers = \"x^2\"\nform = \"star\"\ncells = 24\n",
    ));
    let rows = comparisons(&file).unwrap();
    assert!(rows.len() == 1 && rows[0].agrees(), "{rows:?}");
}

#[test]
fn what_is_no_coupled_problem_is_refused_by_its_key() {
    for (keys, wanted) in [
        (
            "dimension = [7]\ncoupling = 0.1\nlargest_rate = 4.0",
            "coupled.dimension",
        ),
        (
            "dimension = []\ncoupling = 0.1\nlargest_rate = 4.0",
            "coupled.dimension",
        ),
        (
            "dimension = [2, 3]\ncoupling = 0.1\nlargest_rate = [1.0, 2.0, 3.0]",
            "coupled.largest_rate",
        ),
        (
            "dimension = [2]\ncoupling = 0.1\nlargest_rate = -1.0",
            "coupled.largest_rate",
        ),
        (
            "dimension = [2]\ncoupling = 0.1\nlargest_rate = 4.0\npoints = 2",
            "coupled.points",
        ),
        (
            "dimension = [2]\ncoupling = 0.1\nlargest_rate = 4.0\ncells = 1",
            "coupled.cells",
        ),
        (
            "dimension = [2]\ncoupling = 0.1\nlargest_rate = 4.0\nform = \"ring\"",
            "coupled.form",
        ),
        (
            "dimension = [2]\ncoupling = 0.1\nlargest_rate = 4.0\nothers = \"q^2\"",
            "coupled.others",
        ),
    ] {
        let message = refused(&coupled(keys));
        assert!(message.contains(wanted), "{keys}: {message}");
    }
    let noise =
        coupled("dimension = [2]\ncoupling = 0.1\nlargest_rate = 4.0").replace("isotropic", "hessian_power");
    assert!(refused(&noise).contains("same everywhere"), "{}", refused(&noise));
}

#[test]
fn points_without_an_index_are_refused_and_gaps_between_passes_are_said() {
    let config = |loss: &str, more: &str| {
        format!(
            "name = \"points\"\nlandscape.loss = \"{loss}\"\nlandscape.variables = [\"x\", \"y\"]\nregion.domain = [[-6.0, 6.0], [-6.0, 6.0]]\n{more}[critical_points]\n"
        )
    };
    // a saddle of three valleys, a bottom that is a ring, and a slope
    for (loss, wanted) in [
        ("x^3 - 3*x*y^2 + 0.2*(x^2 + y^2)^2", "singular"),
        ("(x^2 + y^2 - 1)^2", "singular"),
        ("x + 2*y", "no stationary point"),
    ] {
        refused_by_command(&config(loss, ""), &["region.domain", wanted]);
    }
    let regime = |file: &ResultFile| CriticalPointsResult::of(file).unwrap().regime.unwrap().concat();
    // control: the same saddle opened
    let opened = run(&config("x^3 - 3*x*y^2 + 0.2*(x^2 + y^2)^2 + 0.1*(x^2 + y^2)", ""));
    assert!(
        regime(&opened).starts_with("passes join all"),
        "{}",
        regime(&opened)
    );
    // two parabolas whose ridge nobody declared
    let apart = "if(x > 0, (x - 1)^2/2, (x + 1)^2/2) + y^2/2";
    let found = run(&config(apart, ""));
    assert!(
        regime(&found).starts_with("no pass was found"),
        "{}",
        regime(&found)
    );
    let declared = run(&config(
        apart,
        "landscape.kinks = [{ axis = 0, position = 0.0 }]\n",
    ));
    assert!(
        regime(&declared).starts_with("passes join all"),
        "{}",
        regime(&declared)
    );
}
