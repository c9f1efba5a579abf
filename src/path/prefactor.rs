//! The rate of escape along an instanton, with its prefactor, without detailed balance.

use super::geometric_action::{Level, extrapolated};
use super::segment::Metric;
use super::{MinimumAction, Path, minimum_action_path};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::math::{Point, Tensor, sylvester};
use nalgebra::DMatrix;

/// Rate of escape through a saddle; see [`instanton_rate`].
#[derive(Debug, Clone, PartialEq)]
pub struct InstantonRate<const D: usize> {
    /// ln k, k in 1/time.
    pub log_rate: f64,
    /// Bound of the discretisation error of `log_rate`; the asymptotic error O(D) is not in it.
    pub error: f64,
    /// λ₊, the growth rate of the drift at the saddle, in 1/time.
    pub growth_rate: f64,
    /// ∫ F dt along the instanton; zero for a reversible process with constant D.
    pub irreversibility: f64,
    /// The instanton and its action.
    pub instanton: MinimumAction<D>,
}

/// Rate of escape from an attracting fixed point through a saddle, for small noise: the Eyring-Kramers law of a process without detailed balance.
///
/// # Formula
/// k = (λ₊/2π) sqrt(det Z_a/|det Z_s|) exp(−∫ F dt) exp(−V), with V the action of the instanton from the fixed point a to the saddle
/// s, Z = Hess V, λ₊ the positive eigenvalue of ∂b at s, and, p = ∇V,
/// F = div b + D : Z + 2 div D · p, which is div ℓ + div D · p for the transverse part ℓ = b + D∇V. Along the instanton
/// dZ/dt = −(Q + AᵀZ + ZA + 2ZDZ), A = ∂²H/∂p∂θ, Q = ∂²H/∂θ², H = b·p + pᵀDp; at a and s the Lyapunov equation
/// ∂b Z⁻¹ + Z⁻¹ ∂bᵀ = −2D.
///
/// # Units
/// 1/time.
///
/// # Method
/// Instantons with N, 2N and 4N pieces from [`minimum_action_path`]. The matrix Riccati equation is integrated by the implicit midpoint rule; its
/// tangential part, which the flow makes unstable near s, is taken from the path, Z φ̇ = ṗ, behind its fastest point. ∫F dt is of second order and is extrapolated over the
/// three levels. Derivatives of b and D are fourth-order central differences with a step of 1e-3 of the length (relative error about 1e-10). Neglected: relative
/// corrections O(D). The formula needs one isolated instanton that enters a saddle of index one, and V twice differentiable there: it is
/// refused when the start is a focus (equal pieces do not resolve the spiral: an error of 2 % of the rate was seen beyond the bound), when Z grows without bound on the way (a caustic: the path is no local minimum) or does not arrive at Z_s.
/// For a symmetric pair of instantons the rate counts one of them. The prefactor is tested for straight instantons; of a bent one it is to be checked
/// against a grid.
///
/// # Errors
/// Those of [`minimum_action_path`]; [`Error::InvalidParameter`] when an end of `initial` is no fixed point, the first not attracting or a focus, or the last
/// no saddle of index one; [`Error::NotConverged`] for a caustic, and when Z does not arrive at Z_s within 10 %.
///
/// # References
/// F. Bouchet and J. Reygner, Ann. Henri Poincaré 17, 3499 (2016); the term with div D follows from the Fokker-Planck equation in Ito's sense.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::landscape::DoubleWell;
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// use freezeout::path::{Path, instanton_rate};
/// // Kramers: sqrt(2)/2π e^{−ΔL/T} with T = ηC/2B = 0.05.
/// let sgd = Sgd::new(DoubleWell::new(0.25, 1.0)?, Isotropic::new(0.1)?, 1.0, 1.0)?;
/// let initial = Path::straight(Point::<1>::new(-1.0), Point::<1>::new(0.0), 50)?;
/// let exact = (2f64.sqrt() / std::f64::consts::TAU).ln() - 5.0;
/// assert!((instanton_rate(&sgd, &initial, 50)?.log_rate - exact).abs() < 1e-4);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn instanton_rate<const D: usize>(
    diffusion: &impl Diffusion<D>,
    initial: &Path<D>,
    intervals: usize,
) -> Result<InstantonRate<D>> {
    let (start, saddle) = (
        FixedPoint::at(diffusion, initial, &initial.start())?,
        FixedPoint::at(diffusion, initial, &initial.end())?,
    );
    let growing = |point: &FixedPoint<D>| point.rates.iter().filter(|r| **r >= 0.0).count();
    for (name, point, wanted) in [("start", &start, 0), ("saddle", &saddle, 1)] {
        if growing(point) != wanted {
            return Err(Error::Inconsistent {
                subject: format!("{name} of the path"),
                requirement: format!(
                    "the drift has {} growing directions there where {wanted} are needed",
                    growing(point)
                ),
            });
        }
    }
    // A double eigenvalue splits by the square root of the error of its matrix.
    if start.rotation > 1e-4 * start.rates.iter().map(|r| r.abs()).fold(0.0, f64::max) {
        return Err(Error::InvalidParameter {
            name: "rotation of the drift at the start".into(),
            value: start.rotation,
            requirement: "real rates are needed: equal pieces do not resolve an instanton that spirals out"
                .into(),
        });
    }
    let growth_rate = saddle.rates.iter().copied().fold(f64::MIN, f64::max);
    let instanton = minimum_action_path(diffusion, initial, intervals)?;
    let mut levels = [0.0; 3];
    for (level, factor) in levels.iter_mut().zip([1, 2, 4]) {
        let path = Level::minimised(diffusion, &instanton.path, factor * intervals)?.path;
        *level = irreversibility(diffusion, &path, start.curvature, saddle.curvature)?;
    }
    // Levels that agree to 1e-8, the rounding of second differences, are the limit.
    let (irreversibility, error) = extrapolated(levels, 1e3)?;
    let ratio = determinant(&start.curvature) / determinant(&saddle.curvature).abs();
    let log_rate =
        (growth_rate / std::f64::consts::TAU).ln() + 0.5 * ratio.ln() - irreversibility - instanton.action;
    if !log_rate.is_finite() {
        return Err(Error::NotFinite {
            quantity: "prefactor of the escape rate".into(),
            reason: format!("determinants of the curvature have the ratio {ratio}"),
        });
    }
    Ok(InstantonRate {
        log_rate,
        error: error + instanton.error,
        growth_rate,
        irreversibility,
        instanton,
    })
}

/// Relative step of the differences.
const DIFFERENCE: f64 = 1e-3;

/// Linear drift at a fixed point.
struct FixedPoint<const D: usize> {
    /// Real parts of the eigenvalues of ∂b.
    rates: Vec<f64>,
    /// Largest imaginary part of them.
    rotation: f64,
    /// Z: ∂b Z⁻¹ + Z⁻¹ ∂bᵀ = −2D.
    curvature: Tensor<D>,
}

impl<const D: usize> FixedPoint<D> {
    fn at(diffusion: &impl Diffusion<D>, path: &Path<D>, theta: &Point<D>) -> Result<Self> {
        let step = DIFFERENCE * path.length();
        let jacobian = Expansion::at(diffusion, theta, &Point::zeros(), step)?.mixed;
        let speed = diffusion.drift(theta).norm();
        // What the drift would be this far from a fixed point.
        if !(speed <= 1e-8 * path.length() * jacobian.norm()) {
            return Err(Error::InvalidParameter {
                name: format!("|drift| at {:?}", theta.as_slice()),
                value: speed,
                requirement: "the path must start and end at fixed points of the drift".into(),
            });
        }
        let dynamic = DMatrix::from_iterator(D, D, jacobian.iter().copied());
        let lyapunov = sylvester(
            &jacobian,
            &jacobian.transpose(),
            &(diffusion.tensor(theta) * -2.0),
        );
        let Some(curvature) = lyapunov.and_then(|sigma| sigma.try_inverse()) else {
            return Err(Error::Inconsistent {
                subject: format!("drift at {:?}", theta.as_slice()),
                requirement: "no two of its eigenvalues may cancel".into(),
            });
        };
        let eigenvalues = dynamic.complex_eigenvalues();
        Ok(Self {
            rates: eigenvalues.iter().map(|c| c.re).collect(),
            rotation: eigenvalues.iter().map(|c| c.im).fold(0.0, f64::max),
            curvature: symmetric(curvature),
        })
    }
}

fn determinant<const D: usize>(matrix: &Tensor<D>) -> f64 {
    DMatrix::from_iterator(D, D, matrix.iter().copied()).determinant()
}

fn symmetric<const D: usize>(matrix: Tensor<D>) -> Tensor<D> {
    (matrix + matrix.transpose()) * 0.5
}

/// Second derivatives of H = b·p + pᵀDp at (θ, p).
struct Expansion<const D: usize> {
    tensor: Tensor<D>,
    /// A_ij = ∂²H/∂p_i∂θ_j, of trace div b + 2 div D · p.
    mixed: Tensor<D>,
    /// Q = ∂²H/∂θ².
    second: Tensor<D>,
}

impl<const D: usize> Expansion<D> {
    /// Fourth order: central differences with two steps, extrapolated.
    fn at(diffusion: &impl Diffusion<D>, theta: &Point<D>, p: &Point<D>, step: f64) -> Result<Self> {
        let (fine, coarse) = (
            Self::differences(diffusion, theta, p, step),
            Self::differences(diffusion, theta, p, 2.0 * step),
        );
        let mixed = (fine.0 * 4.0 - coarse.0) / 3.0;
        let second = (fine.1 * 4.0 - coarse.1) / 3.0;
        if !mixed.iter().chain(second.iter()).all(|v| v.is_finite()) {
            return Err(Error::NotFinite {
                quantity: "derivatives of drift or diffusion tensor".into(),
                reason: format!("at {:?}", theta.as_slice()),
            });
        }
        Ok(Self {
            tensor: diffusion.tensor(theta),
            mixed,
            second,
        })
    }

    /// A and Q by central differences.
    fn differences(
        diffusion: &impl Diffusion<D>,
        theta: &Point<D>,
        p: &Point<D>,
        step: f64,
    ) -> (Tensor<D>, Tensor<D>) {
        let velocity = |x: &Point<D>| diffusion.drift(x) + diffusion.tensor(x) * p * 2.0;
        let value = |x: &Point<D>| p.dot(&(diffusion.drift(x) + diffusion.tensor(x) * p));
        let axis = |k: usize| {
            let mut e = Point::<D>::zeros();
            e[k] = step;
            e
        };
        let (mut mixed, mut second) = (Tensor::<D>::zeros(), Tensor::<D>::zeros());
        let centre = value(theta);
        for j in 0..D {
            let e = axis(j);
            mixed.set_column(
                j,
                &((velocity(&(theta + e)) - velocity(&(theta - e))) / (2.0 * step)),
            );
            second[(j, j)] = (value(&(theta + e)) + value(&(theta - e)) - 2.0 * centre) / (step * step);
            for k in 0..j {
                let f = axis(k);
                let cross = value(&(theta + e + f)) - value(&(theta + e - f)) - value(&(theta - e + f))
                    + value(&(theta - e - f));
                second[(j, k)] = cross / (4.0 * step * step);
                second[(k, j)] = second[(j, k)];
            }
        }
        (mixed, second)
    }

    /// Z at the end of a piece that takes the time `duration`, by the implicit midpoint rule.
    fn advanced(&self, z: &Tensor<D>, duration: f64) -> Option<Tensor<D>> {
        const MOST: usize = 50;
        let mut middle = *z;
        let half = 0.5 * duration;
        for _ in 0..MOST {
            // Newton for M − Z + τ/2 (Q + AᵀM + MA + 2MDM) = 0.
            let closed = self.mixed + self.tensor * middle * 2.0;
            let residual = middle - z
                + (self.second
                    + self.mixed.transpose() * middle
                    + middle * self.mixed
                    + middle * self.tensor * middle * 2.0)
                    * half;
            let identity = Tensor::<D>::identity() * 0.5;
            let change = sylvester(
                &(identity + closed.transpose() * half),
                &(identity + closed * half),
                &residual,
            )?;
            middle = symmetric(middle - change);
            if change.norm() <= 1e-13 * middle.norm() {
                return Some(middle * 2.0 - z);
            }
        }
        None
    }
}

/// ∫ F dt along the instanton.
fn irreversibility<const D: usize>(
    diffusion: &impl Diffusion<D>,
    path: &Path<D>,
    start: Tensor<D>,
    saddle: Tensor<D>,
) -> Result<f64> {
    /// Relative distance of Z from Z_s at the end of the path above which the formula is refused.
    const ARRIVAL: f64 = 0.1;
    let step = DIFFERENCE * path.length();
    let pieces = path.points().len() - 1;
    let refused = |piece: usize, residual: f64| Error::NotConverged {
        method: format!(
            "curvature of the quasi-potential along the instanton (lost at piece {piece} of {pieces}: a caustic)"
        ),
        iterations: piece,
        residual,
        tolerance: ARRIVAL,
    };
    let mut expansions = Vec::with_capacity(pieces);
    let mut momenta = Vec::with_capacity(pieces);
    let mut durations = Vec::with_capacity(pieces);
    for pair in path.points().windows(2) {
        let (middle, delta) = ((pair[0] + pair[1]) * 0.5, pair[1] - pair[0]);
        let Metric { drift, inverse } = Metric::at(diffusion, &middle)?;
        let duration = (delta.dot(&(inverse * delta)) / drift.dot(&(inverse * drift))).sqrt();
        let momentum = inverse * (delta / duration - drift) * 0.5;
        expansions.push(Expansion::at(diffusion, &middle, &momentum, step)?);
        momenta.push(momentum);
        durations.push(duration);
    }
    // Equal pieces: the fastest takes the least time. Before it the flow attracts Z, behind it only its normal part.
    let fastest = (0..pieces)
        .min_by(|&i, &j| durations[i].total_cmp(&durations[j]))
        .unwrap_or(0);
    let tangents = path.tangents();
    let mut z = start;
    let mut sum = 0.0;
    for i in 0..pieces {
        let Some(mut next) = expansions[i].advanced(&z, durations[i]) else {
            return Err(refused(i, f64::INFINITY));
        };
        if (fastest..pieces - 1).contains(&i) {
            let t = tangents[i + 1];
            let distance = (path.points()[i + 2] - path.points()[i]).norm() * 0.5;
            // Z t = dp/ds, from the path.
            let change = (momenta[i + 1] - momenta[i]) / distance;
            let normal = Tensor::<D>::identity() - t * t.transpose();
            next = normal * next * normal + change * t.transpose() + t * change.transpose() * normal;
            next = symmetric(next);
        } else if i + 1 == pieces {
            let distance = (z - saddle).norm() / saddle.norm();
            if !(distance <= ARRIVAL) {
                return Err(refused(i, distance));
            }
            next = saddle;
        }
        sum +=
            durations[i] * (expansions[i].mixed.trace() + (expansions[i].tensor * (z + next)).trace() * 0.5);
        z = next;
    }
    Ok(sum)
}
