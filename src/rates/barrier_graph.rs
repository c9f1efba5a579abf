//! Minima joined by saddles, and the rates between them.

use super::nonquadratic::require_identity;
use super::{NonquadraticPassage, PowerLaw, SaddlePassage};
use crate::diffusion::{ARRIVAL, Sgd, noise_free_limit};
use crate::error::{Error, Result};
use crate::landscape::{AlongCrease, Crease, CriticalPoint, Kink, Landscape};
use crate::math::{Point, Tensor, symmetric_root};
use crate::noise::Isotropic;

/// Minima of a loss and the saddles of index one that join them, in any dimension.
///
/// # Formula
/// k(a → b) = Σ over the saddles s between a and b of the Eyring-Kramers-Langer rate through s, [`SaddlePassage::log_rate`].
///
/// # Method
/// From each saddle the loss is descended along either side of its growing direction; the minima where that ends are joined by it. Rates hold for
/// barriers of several temperatures, relative error O(T/ΔL), and for isolated saddles: what several of them let through adds up. Where a saddle or a minimum
/// lies on a kink, or is quartic along a direction, the rate is that of [`NonquadraticPassage`].
///
/// # References
/// H. Eyring, J. Chem. Phys. 3, 107 (1935); J. S. Langer, Ann. Phys. 54, 258 (1969); D. J. Wales, Energy Landscapes (2003), ch. 4.
///
/// # Examples
/// ```
/// use freezeout::landscape::{MuellerBrown, critical_points};
/// use freezeout::rates::BarrierGraph;
/// let found = critical_points(&MuellerBrown, [[-1.5, 1.2], [-0.5, 2.0]], 50)?;
/// let graph = BarrierGraph::new(&MuellerBrown, &found.points)?;
/// // the highest minimum stands between the two others
/// assert_eq!(graph.saddles.iter().map(|s| s.joins).collect::<Vec<_>>(), [[1, 2], [0, 2]]);
/// assert!((graph.barrier(0, 1)? - 106.034_674).abs() < 1e-5);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BarrierGraph<const D: usize> {
    /// By loss, lowest first.
    pub minima: Vec<CriticalPoint<D>>,
    /// By loss, lowest first.
    pub saddles: Vec<Saddle<D>>,
    /// M, symmetric and positive definite.
    mobility: Tensor<D>,
    /// The passage through each saddle, from either minimum.
    passages: Vec<[Passage<D>; 2]>,
}

/// One way over a saddle.
#[derive(Debug, Clone, PartialEq)]
enum Passage<const D: usize> {
    Smooth(SaddlePassage<D>),
    Nonquadratic {
        minimum: [PowerLaw; D],
        across: PowerLaw,
        beside: Vec<PowerLaw>,
        barrier: f64,
    },
}

impl<const D: usize> Passage<D> {
    fn between(
        landscape: &impl Landscape<D>,
        minimum: &CriticalPoint<D>,
        saddle: &CriticalPoint<D>,
    ) -> Result<Self> {
        if minimum.is_quadratic() && saddle.is_quadratic() {
            return Ok(Self::Smooth(SaddlePassage::between(landscape, minimum, saddle)?));
        }
        let law = |point: &CriticalPoint<D>, k: usize| match (point.crease, point.quartic) {
            (Some(Crease { slopes, .. }), _) if point.eigenvalues[k].is_infinite() => {
                PowerLaw::cusp(slopes.map(f64::abs))
            }
            (_, Some(quartic)) if point.eigenvalues[k] == 0.0 => PowerLaw::quartic(quartic.coefficient.abs()),
            _ => PowerLaw::parabola(point.eigenvalues[k].abs()),
        };
        Ok(Self::Nonquadratic {
            minimum: std::array::from_fn(|k| law(minimum, k)),
            // the one direction in which the loss falls is the first
            across: law(saddle, 0),
            beside: (1..D).map(|k| law(saddle, k)).collect(),
            barrier: saddle.loss - minimum.loss,
        })
    }

    fn log_rate(&self, mobility: &Tensor<D>, temperature: f64) -> Result<f64> {
        match self {
            Self::Smooth(passage) => passage.log_rate(mobility, temperature),
            Self::Nonquadratic {
                minimum,
                across,
                beside,
                barrier,
            } => {
                require_identity(mobility)?;
                NonquadraticPassage {
                    minimum: *minimum,
                    across: *across,
                    beside,
                    barrier: *barrier,
                }
                .log_rate(temperature)
            }
        }
    }
}

/// A saddle with the minima that it joins.
#[derive(Debug, Clone, PartialEq)]
pub struct Saddle<const D: usize> {
    /// The saddle.
    pub point: CriticalPoint<D>,
    /// Numbers of the minima on either side, lower first; equal for a saddle that leads back.
    pub joins: [usize; 2],
}

impl<const D: usize> Saddle<D> {
    /// Whether it is a way from one minimum to another.
    pub fn leads(&self, from: usize, to: usize) -> bool {
        from != to && self.joins.contains(&from) && self.joins.contains(&to)
    }
}

impl<const D: usize> BarrierGraph<D> {
    /// The graph of the stationary points of `landscape` under noise that is a multiple of the identity; those of index above one play no part.
    ///
    /// # Errors
    /// As [`BarrierGraph::with_mobility`].
    pub fn new(landscape: &impl Landscape<D>, points: &[CriticalPoint<D>]) -> Result<Self> {
        Self::with_mobility(landscape, points, &Tensor::<D>::identity())
    }

    /// The graph under dθ = −M∇L dt + sqrt(2TM) dW, M symmetric and positive definite: which minimum the descent −M∇L from a saddle ends in hangs on M.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when a descent ends at none of the minima, which says that one is missing; [`Error::Inconsistent`] for a saddle on a kink that the
    /// stationary point does not know of.
    pub fn with_mobility(
        landscape: &impl Landscape<D>,
        points: &[CriticalPoint<D>],
        mobility: &Tensor<D>,
    ) -> Result<Self> {
        let of_index = |index: usize| {
            let mut found: Vec<CriticalPoint<D>> =
                points.iter().filter(|p| p.index == index).cloned().collect();
            found.sort_by(|a, b| a.loss.total_cmp(&b.loss));
            found
        };
        let minima = of_index(0);
        let positions: Vec<Point<D>> = minima.iter().map(|minimum| minimum.position).collect();
        let (mut saddles, mut passages) = (Vec::new(), Vec::new());
        for point in of_index(1) {
            let mut joins = descend(landscape, &point, &positions, mobility)?;
            joins.sort_unstable();
            let passage = |minimum: usize| Passage::between(landscape, &minima[minimum], &point);
            passages.push([passage(joins[0])?, passage(joins[1])?]);
            saddles.push(Saddle { point, joins });
        }
        Ok(Self {
            minima,
            saddles,
            mobility: *mobility,
            passages,
        })
    }

    /// M.
    pub fn mobility(&self) -> &Tensor<D> {
        &self.mobility
    }

    /// Rate from minimum `from` to minimum `to` over the saddles between them, zero without one; see [`SaddlePassage::log_rate`] for units and
    /// conditions.
    ///
    /// # Errors
    /// Those of [`SaddlePassage::log_rate`] and [`NonquadraticPassage::log_rate`]; [`Error::Inconsistent`] for a kink or a quartic point with a mobility other than the identity.
    pub fn rate(&self, from: usize, to: usize, temperature: f64) -> Result<f64> {
        let mut rate = 0.0;
        for (number, saddle) in self.saddles.iter().enumerate() {
            if saddle.leads(from, to) {
                rate += self.log_rate_over(number, from, temperature)?.exp();
            }
        }
        Ok(rate)
    }

    /// ln of the rate over saddle number `saddle` from minimum `from`, one of those that it joins; see [`SaddlePassage::log_rate`].
    ///
    /// # Errors
    /// As [`BarrierGraph::rate`].
    pub fn log_rate_over(&self, saddle: usize, from: usize, temperature: f64) -> Result<f64> {
        let side = usize::from(from == self.saddles[saddle].joins[1]);
        self.passages[saddle][side].log_rate(&self.mobility, temperature)
    }

    /// Height over minimum `from` of the lowest pass on the way to minimum `to`.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when no saddles join them.
    pub fn barrier(&self, from: usize, to: usize) -> Result<f64> {
        let mut joined: Vec<usize> = (0..self.minima.len()).collect();
        for saddle in &self.saddles {
            let [a, b] = saddle.joins.map(|minimum| joined[minimum]);
            joined
                .iter_mut()
                .filter(|part| **part == b)
                .for_each(|part| *part = a);
            if joined[from] == joined[to] {
                return Ok(saddle.point.loss - self.minima[from].loss);
            }
        }
        Err(Error::Unreachable {
            target: format!("minimum {to}"),
            reason: format!("no saddles join it to minimum {from}"),
        })
    }
}

/// L in the coordinates z = M^−½ θ, in which −M∇L is the steepest descent.
struct Stretched<L, const D: usize> {
    landscape: L,
    /// M^½.
    root: Tensor<D>,
}

impl<const D: usize, L: Landscape<D>> Landscape<D> for Stretched<L, D> {
    fn loss(&self, z: &Point<D>) -> f64 {
        self.landscape.loss(&(self.root * z))
    }
    fn gradient(&self, z: &Point<D>) -> Point<D> {
        self.root * self.landscape.gradient(&(self.root * z))
    }
    fn hessian(&self, z: &Point<D>) -> Tensor<D> {
        self.root * self.landscape.hessian(&(self.root * z)) * self.root
    }
}

/// The minima to which the loss falls on either side of a saddle.
fn descend<const D: usize>(
    landscape: &impl Landscape<D>,
    saddle: &CriticalPoint<D>,
    minima: &[Point<D>],
    mobility: &Tensor<D>,
) -> Result<[usize; 2]> {
    /// First step off the saddle, in distances to the next minimum; where it is quartic the motion begins with the third power of it.
    const STEP: f64 = 1e-2;
    const QUARTIC_STEP: f64 = 0.1;
    let root = symmetric_root(mobility);
    let Some(inverse) = root.try_inverse() else {
        return Err(Error::NotPositive {
            name: "mobility".into(),
            position: format!("{:?}", saddle.position.as_slice()),
            eigenvalues: format!("{:?}", mobility.as_slice()),
        });
    };
    let at = inverse * saddle.position;
    let minima: Vec<Point<D>> = minima.iter().map(|minimum| inverse * minimum).collect();
    let distance = |to: &Point<D>| (to - at).norm();
    let nearest = minima.iter().map(distance).fold(f64::INFINITY, f64::min);
    let along = |kink: Option<Kink>| Stretched {
        landscape: AlongCrease::new(landscape, kink),
        root,
    };
    let hessian = along(saddle.crease.map(|crease| crease.kink)).hessian(&at);
    let eigen = nalgebra::DMatrix::from_iterator(D, D, hessian.iter().copied()).symmetric_eigen();
    let lowest = (0..D)
        .min_by(|a, b| eigen.eigenvalues[*a].total_cmp(&eigen.eigenvalues[*b]))
        .unwrap_or(0);
    let direction = match saddle.crease {
        Some(Crease { kink, .. }) if saddle.eigenvalues[0].is_infinite() => {
            (inverse * Point::<D>::from_fn(|d, _| if d == kink.axis { 1.0 } else { 0.0 })).normalize()
        }
        _ => Point::<D>::from_iterator(eigen.eigenvectors.column(lowest).iter().copied()),
    };
    let noise = Isotropic::new(1.0)?;
    let step = match saddle.quartic {
        Some(_) => QUARTIC_STEP,
        None => STEP,
    };
    let reached = |rest: &Point<D>| {
        let closest =
            |a: &usize, b: &usize| (minima[*a] - rest).norm().total_cmp(&(minima[*b] - rest).norm());
        let found = (0..minima.len()).min_by(closest)?;
        ((minima[found] - rest).norm() < 0.1 * nearest).then_some(found)
    };
    let end = |sign: f64| {
        let start = at + direction * (sign * step * nearest);
        let flow = Sgd::with_noise_strength(along(None), noise, 1.0)?;
        let rest = noise_free_limit(&flow, start, nearest, &minima);
        let mut found = rest.as_ref().and_then(reached);
        // in a groove the motion goes to and fro across the kink: on it, it goes on along it
        for kink in landscape.kinks() {
            let Some(rest) = rest.filter(|_| found.is_none()) else {
                break;
            };
            let across = (root * rest)[kink.axis] - kink.position;
            if across.abs() <= 2.0 * ARRIVAL * nearest * root.norm() {
                let flow = Sgd::with_noise_strength(along(Some(kink)), noise, 1.0)?;
                found = noise_free_limit(&flow, rest, nearest, &minima)
                    .as_ref()
                    .and_then(reached);
            }
        }
        found.ok_or_else(|| Error::Unreachable {
            target: "minimum".into(),
            reason: format!(
                "the descent from the saddle at {:?} ends at none that is known",
                saddle.position.as_slice()
            ),
        })
    };
    Ok([end(1.0)?, end(-1.0)?])
}
