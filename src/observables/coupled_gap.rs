//! The gap of many weakly coupled coordinates, from the modes of each alone.

use crate::error::{Error, Result, require_finite, require_positive};
use crate::landscape::Landscape;
use crate::linalg::{Arnoldi, dominant_eigenpairs};
use nalgebra::DMatrix;

/// One coordinate of a coupled problem.
#[derive(Clone, Copy)]
pub struct Factor<'a> {
    /// L_i, smooth.
    pub loss: &'a dyn Landscape<1>,
    /// The interval beyond which exp(−L_i/2T) vanishes.
    pub ends: [f64; 2],
    /// Equidistant points on it, some hundred.
    pub points: usize,
}

/// Gap with the numbers that its error is from; see [`coupled_gap`].
#[derive(Debug, Clone, PartialEq)]
pub struct CoupledGap {
    /// Gap in 1/time.
    pub rate: f64,
    /// Largest change from half and from 1/√2 of the largest rate.
    pub error: f64,
    /// Number of functions and gap with a quarter, half, 1/√2 and all of the largest rate.
    pub levels: [(usize, f64); 4],
}

/// Smallest non-zero rate of dθ_i = −L_i'(θ_i) dt − Σ_j J_ij θ_j dt + sqrt(2T) dW_i, J symmetric with zeros on its diagonal: the loss is
/// Σ_i L_i(θ_i) + ½ Σ_ij J_ij θ_i θ_j.
///
/// # Formula
/// With the right eigenfunctions u_n of each coordinate alone, L_i u_n = −λ_n u_n, and their products φ_a, the generator is
/// ⟨φ_a, L φ_b⟩ = −λ_a δ_ab − Σ_{i≠j} J_ij ⟨u_{a_j}, θ_j u_{b_j}⟩ ⟨u_{a_i}, u_{b_i}'⟩ in the stationary law without coupling, λ_a = Σ_i λ_{a_i}.
///
/// # Units
/// 1/time; J in loss/θ².
///
/// # Method
/// Galerkin's method in all products with λ_a ≤ `largest_rate`, whose number grows with the dimension like that of the ways to sum up rates, not like that
/// of the cells of a grid. The constant is in the basis and its rate is zero exactly. Modes are those of T∂² − L'²/4T + L''/2 on equidistant points with
/// sinc functions, exact but for terms exponentially small in their number; the gap by Arnoldi's iteration with the inverse. The error is the larger change from half and from 1/√2 of the largest rate, far
/// above what is left where the method converges: its error falls like a power of J θ²/T for every mode more. From one of the two alone it would vanish where the gap happens to return to what it was. It is not a bound, and the method is no use where J θ_i θ_j
/// is above T or a rate is below 1e-9 of the largest. There is no gap where the expansion does not converge: where the change is above the gap, or does not shrink with the largest rate.
///
/// # Errors
/// [`Error::Inconsistent`] for a J that is not symmetric with zeros on its diagonal, and for kinks; [`Error::DimensionMismatch`]; [`Error::InvalidParameter`]
/// naming what is out of range, among it a `largest_rate` whose quarter leaves no function or that asks for more than 4000; [`Error::NotConverged`] when a
/// coordinate needs more points or wider ends.
///
/// # References
/// D. T. Colbert and W. H. Miller, J. Chem. Phys. 96, 1982 (1992), for the sinc functions; H. Risken, The Fokker-Planck Equation (1989), sec. 5.5 and 6.6, for
/// the eigenfunctions and expansions in them.
///
/// # Examples
/// ```
/// use freezeout::landscape::Quadratic;
/// use freezeout::math::{Point, Tensor};
/// use freezeout::observables::{Factor, coupled_gap};
/// // Two parabolas of curvature 1 coupled with 0.1: rates 1 ± 0.1.
/// let loss = Quadratic::new(Tensor::<1>::new(1.0), Point::<1>::zeros())?;
/// let factor = Factor { loss: &loss, ends: [-8.0, 8.0], points: 120 };
/// let gap = coupled_gap(&[factor; 2], &[vec![0.0, 0.1], vec![0.1, 0.0]], 1.0, 6.5)?.unwrap();
/// assert!((gap.rate - 0.9).abs() <= gap.error.max(1e-9));
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn coupled_gap(
    factors: &[Factor<'_>],
    coupling: &[Vec<f64>],
    temperature: f64,
    largest_rate: f64,
) -> Result<Option<CoupledGap>> {
    require_positive("temperature", temperature)?;
    require_positive("largest_rate", largest_rate)?;
    check_coupling(factors.len(), coupling)?;
    let modes = factors
        .iter()
        .map(|factor| Modes::new(factor, temperature, largest_rate));
    let modes = modes.collect::<Result<Vec<_>>>()?;
    let level = |part: f64| gap(&modes, coupling, part * largest_rate);
    let levels = [
        level(0.25)?,
        level(0.5)?,
        level(std::f64::consts::FRAC_1_SQRT_2)?,
        level(1.0)?,
    ];
    let change = |a: usize, b: usize| (levels[a].1 - levels[b].1).abs();
    let (first, last) = (change(0, 1), change(1, 3).max(change(2, 3)));
    let rate = levels[3].1;
    // uncoupled coordinates do not change at all; where coupling is strong even the sign may be wrong
    if !(rate > last) || (last > first && last > ROUNDING * rate) {
        return Ok(None);
    }
    Ok(Some(CoupledGap {
        rate,
        error: last + ROUNDING * largest_rate,
        levels,
    }))
}

/// Rounding of a rate, relative to the largest.
const ROUNDING: f64 = 1e-12;

fn check_coupling(count: usize, coupling: &[Vec<f64>]) -> Result<()> {
    let lengths = [coupling.len()].into_iter().chain(coupling.iter().map(Vec::len));
    if let Some(got) = lengths.into_iter().find(|length| *length != count) {
        return Err(Error::DimensionMismatch {
            name: "coupling".into(),
            expected: count,
            got,
        });
    }
    for (i, row) in coupling.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            require_finite("coupling", *value)?;
            if *value != coupling[j][i] || (i == j && *value != 0.0) {
                return Err(Error::Inconsistent {
                    subject: format!("coupling of coordinates {i} and {j}"),
                    requirement: "the matrix must be symmetric, and what concerns one coordinate alone belongs to its loss".into(),
                });
            }
        }
    }
    Ok(())
}

/// The slow modes of one coordinate with the matrices that a coupling needs.
struct Modes {
    rates: Vec<f64>,
    /// ⟨u_m, θ u_n⟩.
    position: DMatrix<f64>,
    /// ⟨u_m, u_n'⟩.
    slope: DMatrix<f64>,
}

impl Modes {
    fn new(factor: &Factor<'_>, temperature: f64, largest_rate: f64) -> Result<Self> {
        /// Largest rate of the constant, which is zero, relative to the next.
        const TOLERANCE: f64 = 1e-9;
        let [lower, upper] = factor.ends;
        let n = factor.points;
        if !factor.loss.kinks().is_empty() {
            return Err(Error::Inconsistent {
                subject: "kinks of the loss".into(),
                requirement: "modes are expanded in smooth functions: smooth losses are needed".into(),
            });
        }
        require_positive("length of the interval", upper - lower)?;
        require_positive("points - 2", n as f64 - 2.0)?;
        let width = (upper - lower) / (n as f64 - 1.0);
        let at = |k: usize| lower + width * k as f64;
        let slopes: Vec<f64> = (0..n).map(|k| factor.loss.gradient(&[at(k)].into())[0]).collect();
        let sign = |apart: usize| if apart.is_multiple_of(2) { 1.0 } else { -1.0 };
        let operator = DMatrix::from_fn(n, n, |i, j| {
            let apart = i.abs_diff(j);
            if apart > 0 {
                return temperature * 2.0 * sign(apart) / (apart as f64 * width).powi(2);
            }
            let curvature = factor.loss.hessian(&[at(i)].into())[0];
            let kinetic = temperature * (std::f64::consts::PI / width).powi(2) / 3.0;
            kinetic + slopes[i] * slopes[i] / (4.0 * temperature) - 0.5 * curvature
        });
        if operator.iter().any(|v| !v.is_finite()) {
            return Err(Error::NotFinite {
                quantity: "loss of a coordinate or its derivatives".into(),
                reason: format!("between {lower} and {upper}"),
            });
        }
        let eigen = operator.symmetric_eigen();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*a].total_cmp(&eigen.eigenvalues[*b]));
        let [lowest, next] = [0, 1].map(|k| eigen.eigenvalues[order[k]]);
        if !(lowest.abs() <= TOLERANCE * next) {
            return Err(Error::NotConverged {
                method: "modes of a coordinate: more points, wider ends or a higher temperature are needed; rate of the constant".into(),
                iterations: n,
                residual: lowest.abs(),
                tolerance: TOLERANCE * next,
            });
        }
        order.retain(|k| eigen.eigenvalues[*k] <= largest_rate);
        let vectors = DMatrix::from_fn(n, order.len(), |i, k| eigen.eigenvectors[(i, order[k])]);
        // u' sqrt(p) = (∂ + L'/2T) (u sqrt(p))
        let derivative = DMatrix::from_fn(n, n, |i, j| {
            if i == j {
                return slopes[i] / (2.0 * temperature);
            }
            sign(i.abs_diff(j)) / ((i as f64 - j as f64) * width)
        });
        let positions = DMatrix::from_fn(n, order.len(), |i, k| at(i) * vectors[(i, k)]);
        Ok(Self {
            rates: order.iter().map(|k| eigen.eigenvalues[*k].max(0.0)).collect(),
            position: vectors.tr_mul(&positions),
            slope: vectors.tr_mul(&(derivative * &vectors)),
        })
    }
}

/// Number of products with rates up to `largest`, and the gap among them.
fn gap(modes: &[Modes], coupling: &[Vec<f64>], largest: f64) -> Result<(usize, f64)> {
    /// Where a dense matrix takes a minute.
    const MOST: usize = 4000;
    let mut products = Vec::new();
    collect(modes, largest, MOST, &mut Vec::new(), &mut products);
    // the constant, whose rate is zero whatever the others are
    let functions = products.len();
    if !(2..=MOST).contains(&functions) {
        return Err(Error::InvalidParameter {
            name: "largest_rate".into(),
            value: largest,
            requirement: format!("it must leave between 2 and {MOST} products of modes"),
        });
    }
    let products = &products[1..];
    let element = |a: &[usize], b: &[usize]| {
        let differ: Vec<usize> = (0..a.len()).filter(|i| a[*i] != b[*i]).collect();
        let mut sum = 0.0;
        for (i, row) in coupling.iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                if *value != 0.0 && differ.iter().all(|k| *k == i || *k == j) {
                    sum += value * modes[i].slope[(a[i], b[i])] * modes[j].position[(a[j], b[j])];
                }
            }
        }
        sum
    };
    let n = products.len();
    let rate = |a: &[usize]| a.iter().zip(modes).map(|(n, modes)| modes.rates[*n]).sum::<f64>();
    let matrix = DMatrix::from_fn(n, n, |a, b| {
        let uncoupled = if a == b { rate(&products[a]) } else { 0.0 };
        uncoupled + element(&products[a], &products[b])
    });
    let factors = matrix.lu();
    let inverse = |x: &[f64]| {
        let solution = factors.solve(&nalgebra::DVector::from_column_slice(x));
        solution
            .map(|x| x.as_slice().to_vec())
            .ok_or_else(|| Error::NotFinite {
                quantity: "inverse of the generator".into(),
                reason: format!("a rate among {n} products of modes is zero"),
            })
    };
    // overlaps with every mode
    let start: Vec<f64> = (0..n).map(|k| 1.0 / (1.0 + k as f64)).collect();
    let options = Arnoldi {
        count: 1,
        tolerance: 1e-11,
        dimension: 100.min(n),
    };
    let pairs = dominant_eigenpairs(inverse, &start, &vec![1.0; n], &options)?.pairs;
    let slowest = pairs.first().map_or(f64::NAN, |pair| pair.value.re);
    Ok((functions, 1.0 / slowest))
}

/// Numbers of modes whose rates add up to no more than `left`, the constant first; one more than `most` at most.
fn collect(modes: &[Modes], left: f64, most: usize, chosen: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    let Some(next) = modes.get(chosen.len()) else {
        found.push(chosen.clone());
        return;
    };
    for (n, rate) in next.rates.iter().enumerate() {
        if *rate > left || found.len() > most {
            return;
        }
        chosen.push(n);
        collect(modes, left - rate, most, chosen, found);
        chosen.pop();
    }
}
