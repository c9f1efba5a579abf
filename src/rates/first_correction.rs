//! The first correction in T to the rates over saddles, in any number of variables.

use super::SaddlePassage;
use super::cusp_correction::cusp_coefficient;
use super::eyring_kramers::require_indices;
use super::nonquadratic::require_identity;
use super::point_correction::PointCorrection;
use super::quartic_correction::quartic_correction;
use super::smooth_correction::Frame;
use crate::error::{Error, Result};
use crate::landscape::{CriticalPoint, Landscape};
use crate::math::{Tensor, even_limit, symmetric_root};

/// The change c_s T^p_s − c_a T^p_a of k = k_0 (1 + …); see [`first_correction`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirstCorrection {
    /// Of the mass of the well.
    pub minimum: PointCorrection,
    /// Of the flow over the saddle.
    pub saddle: PointCorrection,
}

impl FirstCorrection {
    /// Relative change of the rate.
    pub fn change(&self, temperature: f64) -> f64 {
        self.saddle.change(temperature) - self.minimum.change(temperature)
    }

    /// Relative error to expect of k_0 (1 + change): the size of the last terms taken, as of any asymptotic series, and of what is known of the next; an
    /// estimate for small T, not a bound.
    pub fn expected_deviation(&self, temperature: f64) -> f64 {
        self.saddle.expected_deviation(temperature) + self.minimum.expected_deviation(temperature)
    }
}

/// The first correction to the rate [`BarrierGraph::log_rate_over`](super::BarrierGraph::log_rate_over) of dθ = −M∇L dt + sqrt(2TM) dW, M symmetric.
///
/// # Formula
/// k = k_0 (1 + c_s T^p_s − c_a T^p_a), p = 1, ½ at a quartic. With the eigenvalues λ_i and orthonormal eigenvectors v_i of M^½ H M^½, and t_ijk and f_iijj the
/// third and fourth derivatives of L along M^½ v_i/|λ_i|^½, a smooth point has
///
/// ```text
/// G   = Σ_j (Σ_i t_iij)²/8 + Σ_ijk t_ijk²/12 − Σ_ij f_iijj/8
/// c_a = G at the minimum
/// c_s = G − (Σ_i t_1ii)²/4 − Σ_jk t_1jk² |λ_1|/(2 (|λ_1| + |λ_j| + |λ_k|)) at the saddle, λ_1 its negative eigenvalue.
/// ```
///
/// On a line c_a = 5L'''²/(24 L''³) − L''''/(8 L''²) and c_s = −5L'''²/(24 |L''|³) − L''''/(8 L''²).
///
/// At a quartic, M = I, ±(L − L_0) = |c|u⁴ + e_5 u⁵ + e_6 u⁶ along the bottom v(u) of the other directions, and e^{g_1 u + g_2 u²} is how the weight of u changes:
/// |det H_vv|^−½ where the loss rises along u, times |λ_1|(1 + (e·v')²) at a saddle that is crossed along e; |det H_vv|^½ (1 + |v'|²) where it falls, and
/// the flow goes with one over the integral. With m = Γ(3/4)/Γ(1/4) the integral over u changes by
///
/// ```text
/// m T^½ [(21/16 e_5²/|c|² − 3/2 g_1 e_5/|c| + g_1²)/2 − 3/4 e_6/|c| + g_2]/|c|^½.
/// ```
///
/// On a kink, M = I, L = Q(v) ± y (s + b·v + v·g v/2) + k y²/2 at the distance y on its lower or upper side, all but Q with a value s_±, b_±, … for each. With
/// p_± the share of 1/|s_±|, and ± the side,
///
/// ```text
/// q = Σ p ± b/|s|,   δ = Σ p ± g/|s| ± (2 Σ p b bᵀ/s² − q qᵀ) − t[H⁻¹q]        (+ on a crest, − in a groove; t the third derivatives of Q)
/// c = (G or c_s of Q) + q·H⁻¹q/2 − tr(H⁻¹δ)/2 + e·δe/λ_1 − Σ p k/s²,        e·δe/λ_1 at a saddle that is crossed along the groove.
/// ```
///
/// # Units
/// 1/loss, 1/loss^½ at a quartic.
///
/// # Method
/// G is the second order of the mean of exp(−(L − L_2)/T) in the Gaussian exp(−Σ|λ_i|u_i²/2T), L_2 the parabola: of the mass of the well, and of
/// T∫|∇h|² e^{−L/T} with the committor h of the parabola. The rest is what the committor gains by its own first correction, g(u_1) q(u), which solves
/// Δq − Σ|λ_i|u_i ∂_i q − |λ_1| q = ∂_1 L_3; its second does not enter, as the form is stationary. At a quartic the committor is one of the distance along the
/// bottom, h(u + v'·(v − v(u))), or of that from the bent crest; across a kink the process is in equilibrium, which adds T q·v + T v·δv/2 to Q. Derivatives are
/// differences of the Hessian and, at a quartic, of the loss along the bottom, extrapolated from steps of a fifth of the distance between the two points, or to
/// the nearest kink. The series is asymptotic: for x⁴/4 − x²/2 it is 1 − 1.5 T − 4.9 T² …, and tells nothing where c T is of order one.
///
/// # Errors
/// Those of [`SaddlePassage::between`]; [`Error::Inconsistent`] for an M that is not symmetric, or not I at a kink or a quartic,
/// [`Error::InvalidParameter`] for one that is not positive definite; [`Error::NotFinite`] when the Hessian is not finite around a point.
///
/// # References
/// On a line: O. Edholm and O. Leimar, Physica A 98, 313 (1979). That there is a full series in any dimension: B. Helffer, M. Klein and F. Nier, Mat. Contemp.
/// 26, 41 (2004). The form that is stationary: A. Bovier et al., J. Eur. Math. Soc. 6, 399 (2004).
///
/// # Examples
/// ```
/// use freezeout::landscape::{DoubleWell, critical_point};
/// use freezeout::math::{Point, Tensor};
/// use freezeout::rates::first_correction;
/// let well = DoubleWell::new(0.25, 1.0)?;
/// let [minimum, saddle] = [-1.0, 0.0].map(|x| critical_point(&well, Point::<1>::new(x)));
/// let correction = first_correction(&well, &minimum?, &saddle?, &Tensor::<1>::identity())?;
/// assert!((correction.change(1e-3) + 1.5e-3).abs() < 1e-11);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn first_correction<const D: usize>(
    landscape: &impl Landscape<D>,
    minimum: &CriticalPoint<D>,
    saddle: &CriticalPoint<D>,
    mobility: &Tensor<D>,
) -> Result<FirstCorrection> {
    /// First step of the differences, in distances.
    const STEP: f64 = 0.2;
    if minimum.is_quadratic() && saddle.is_quadratic() {
        // refuses what is no minimum, no saddle of index one or no mobility
        SaddlePassage::between(landscape, minimum, saddle)?.log_rate(mobility, 1.0)?;
    } else {
        require_indices(minimum, saddle)?;
        require_identity(mobility)?;
    }
    if *mobility != mobility.transpose() {
        return Err(Error::Inconsistent {
            subject: "mobility".into(),
            requirement: "it must be symmetric: the correction is that of processes in detailed balance"
                .into(),
        });
    }
    let root = symmetric_root(mobility);
    let at = |point: &CriticalPoint<D>| {
        let apart = (saddle.position - minimum.position).norm();
        let own = point.crease.map(|crease| crease.kink);
        let kinks = landscape.kinks();
        let free = kinks
            .iter()
            .filter(|kink| Some(**kink) != own)
            .map(|kink| (point.position[kink.axis] - kink.position).abs());
        let first = STEP * free.fold(apart, f64::min);
        let linear = |first: f64, of: &dyn Fn(f64) -> [f64; 2]| {
            let (coefficient, error) = even_limit(first, |step| of(step)[0]);
            PointCorrection {
                coefficient,
                power: 1.0,
                size: coefficient.abs(),
                error,
                next: even_limit(first, |step| of(step)[1]).0,
            }
        };
        let found = match (&point.crease, &point.quartic) {
            (Some(crease), _) => linear(first, &|step| {
                cusp_coefficient(landscape, point, crease, first, step)
            }),
            (None, Some(quartic)) => quartic_correction(landscape, point, quartic, first),
            (None, None) => {
                let frame = Frame::new(landscape, &point.position, &root);
                // steps along the frame are longer than those of θ by the length of its vectors
                linear(first / frame.longest(), &|step| {
                    [
                        frame.coefficient(landscape, step),
                        frame.next(landscape, 0.5 * step),
                    ]
                })
            }
        };
        if [found.coefficient, found.size, found.error, found.next]
            .iter()
            .all(|v| v.is_finite())
        {
            return Ok(found);
        }
        Err(Error::NotFinite {
            quantity: "first correction to the rate".into(),
            reason: format!("at {:?}", point.position.as_slice()),
        })
    };
    Ok(FirstCorrection {
        minimum: at(minimum)?,
        saddle: at(saddle)?,
    })
}
