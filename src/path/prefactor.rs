//! The rate of escape along an instanton, with its prefactor, without detailed balance.

use super::geometric_action::{Level, extrapolated, minimised};
use super::segment::Metric;
use super::{MinimumAction, Path};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::math::{Point, Tensor, singular_sylvester, sylvester};
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
/// Instantons with N, 2N and 4N pieces as [`minimum_action_path`](super::minimum_action_path) finds them; from a focus, where equal pieces do not resolve the spiral,
/// with pieces that grow in proportion to the way from it. The matrix Riccati equation is integrated by the implicit midpoint rule; its
/// tangential part, which the flow makes unstable near s, is taken from the path, Z φ̇ = ṗ, behind its fastest point. ∫F dt is of second order and is extrapolated over the
/// three levels. Derivatives of b and D are fourth-order central differences with a step of 1e-3 of the length (relative error about 1e-10). Neglected: relative
/// corrections O(D). The formula needs one isolated instanton that enters a saddle of index one, and V twice differentiable there: it is
/// refused when Z grows without bound on the way (a caustic: the path is no local minimum) or does not arrive at Z_s. A bent instanton enters along the separatrix, where V
/// is not smooth, if the saddle attracts more slowly than it repels, and along the growing direction if it attracts faster. With equal rates (Maier and Stein's process)
/// it enters at any angle, the Lyapunov equation leaves one entry of Z_s open, and the angle determines it.
/// For a symmetric pair of instantons the rate counts one of them.
///
/// # Errors
/// Those of [`minimum_action_path`](super::minimum_action_path); [`Error::InvalidParameter`] when an end of `initial` is no fixed point, the first not attracting, or the last
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
    let growth_rate = saddle.rates.iter().copied().fold(f64::MIN, f64::max);
    // A double eigenvalue splits by the square root of the error of its matrix.
    let is_focus = start.rotation > 1e-4 * start.rates.iter().map(|r| r.abs()).fold(0.0, f64::max);
    let core = is_focus.then(|| CORE * initial.length());
    let instanton = minimised(diffusion, initial, intervals, core)?;
    let start_curvature = start.curvature()?;
    let (mut irreversibilities, mut determinants) = ([0.0; 3], [0.0; 3]);
    for (level, factor) in [1, 2, 4].into_iter().enumerate() {
        let path = Level::minimised(diffusion, &instanton.path, factor * intervals, core)?.path;
        let arrival = saddle.arrival_curvature(growth_rate, &path)?;
        irreversibilities[level] = irreversibility(diffusion, &path, start_curvature, arrival)?;
        determinants[level] = 0.5 * determinant(&arrival).abs().ln();
    }
    // Levels that agree to 1e-8, the rounding of second differences, are the limit.
    let (irreversibility, error) = extrapolated(irreversibilities, 1e3)?;
    let (at_saddle, saddle_error) = extrapolated(determinants, 1e3)?;
    let at_start = 0.5 * determinant(&start_curvature).ln();
    let log_rate = (growth_rate / std::f64::consts::TAU).ln() + at_start
        - at_saddle
        - irreversibility
        - instanton.action;
    if !log_rate.is_finite() {
        return Err(Error::NotFinite {
            quantity: "prefactor of the escape rate".into(),
            reason: format!("logarithms of the curvatures are {at_start} and {at_saddle}"),
        });
    }
    Ok(InstantonRate {
        log_rate,
        error: error + saddle_error + instanton.error,
        growth_rate,
        irreversibility,
        instanton,
    })
}

/// Share of the path within which pieces do not shrink any further towards a focus.
const CORE: f64 = 1e-3;
/// Relative step of the differences.
const DIFFERENCE: f64 = 1e-3;

/// Linear drift at a fixed point.
struct FixedPoint<const D: usize> {
    /// Real parts of the eigenvalues of ∂b.
    rates: Vec<f64>,
    /// Largest imaginary part of them.
    rotation: f64,
    jacobian: Tensor<D>,
    tensor: Tensor<D>,
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
        let eigenvalues = DMatrix::from_iterator(D, D, jacobian.iter().copied()).complex_eigenvalues();
        Ok(Self {
            rates: eigenvalues.iter().map(|c| c.re).collect(),
            rotation: eigenvalues.iter().map(|c| c.im).fold(0.0, f64::max),
            jacobian,
            tensor: diffusion.tensor(theta),
        })
    }

    fn refused(&self, requirement: &str) -> Error {
        Error::Inconsistent {
            subject: format!("drift at a fixed point with the rates {:?}", self.rates),
            requirement: requirement.into(),
        }
    }

    /// Z: ∂b Z⁻¹ + Z⁻¹ ∂bᵀ = −2D.
    fn curvature(&self) -> Result<Tensor<D>> {
        let lyapunov = sylvester(&self.jacobian, &self.jacobian.transpose(), &(self.tensor * -2.0));
        let curvature = lyapunov.and_then(|sigma| sigma.try_inverse());
        curvature
            .map(symmetric)
            .ok_or_else(|| self.refused("no two of its eigenvalues may cancel"))
    }

    /// The same at a saddle of growth rate λ₊. With a rate −λ₊ the equation leaves Z⁻¹ + k (r₊ r₋ᵀ + r₋ r₊ᵀ) open, r the right eigenvectors: the momentum at
    /// the end of the path, along the left eigenvector l₊ of λ₊, and its direction φ there determine k by Z⁻¹ p = φ.
    fn arrival_curvature(&self, growth: f64, path: &Path<D>) -> Result<Tensor<D>> {
        /// Rates that cancel up to this share, far above the rounding of differences.
        const RESONANCE: f64 = 1e-6;
        /// Pieces from the end at which the direction of a path is read.
        const PIECES: usize = 4;
        let (jacobian, size) = (&self.jacobian, self.jacobian.norm());
        let [grown, shrunk] =
            [-growth, growth].map(|shift| null_vectors(jacobian + Tensor::<D>::identity() * shift));
        let (Some(grown), Some(shrunk)) = (grown, shrunk) else {
            return self.curvature();
        };
        if shrunk.singular_value > RESONANCE * size {
            return self.curvature();
        }
        let wanted = self.tensor * -2.0;
        let found = singular_sylvester(jacobian, &jacobian.transpose(), &wanted, RESONANCE);
        let (sigma, _) = found
            .filter(|(_, residual)| *residual <= RESONANCE * self.tensor.norm())
            .ok_or_else(|| {
                self.refused(
                    "opposite rates whose directions the noise couples leave no smooth quasi-potential",
                )
            })?;
        let points = path.points();
        let last = points.len() - 1;
        let direction = (points[last - PIECES.min(last)] - points[last]).normalize();
        let momentum =
            grown.left * (-growth * grown.left.dot(&direction) / grown.left.dot(&(self.tensor * grown.left)));
        let missing = shrunk.left.dot(&(direction - sigma * momentum));
        let share = missing / (shrunk.left.dot(&shrunk.right) * grown.right.dot(&momentum));
        let open = grown.right * shrunk.right.transpose();
        let inverse = (sigma + (open + open.transpose()) * share).try_inverse();
        let curvature = inverse.filter(|z| z.iter().all(|v| v.is_finite()));
        curvature
            .map(symmetric)
            .ok_or_else(|| self.refused("a path that arrives along the separatrix has no rate of this form"))
    }
}

/// Unit vectors that a matrix takes to its least singular value.
struct NullVectors<const D: usize> {
    left: Point<D>,
    right: Point<D>,
    singular_value: f64,
}

fn null_vectors<const D: usize>(matrix: Tensor<D>) -> Option<NullVectors<D>> {
    let decomposed = DMatrix::from_iterator(D, D, matrix.iter().copied()).svd(true, true);
    let (u, v) = (decomposed.u?, decomposed.v_t?);
    let (least, singular_value) = decomposed.singular_values.argmin();
    Some(NullVectors {
        left: Point::<D>::from_fn(|i, _| u[(i, least)]),
        right: Point::<D>::from_fn(|i, _| v[(least, i)]),
        singular_value,
    })
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
    // Before the fastest piece the flow attracts Z, behind it only its normal part.
    let lengths: Vec<f64> = path
        .points()
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).norm())
        .collect();
    let fastest = (0..pieces)
        .max_by(|&i, &j| (lengths[i] / durations[i]).total_cmp(&(lengths[j] / durations[j])))
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
