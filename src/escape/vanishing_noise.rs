//! Ends of a line at which the noise vanishes, by Feller's classification.

use crate::diffusion::Calculus;

/// What an end of a line is for the process, whatever is asked of it there, where the noise vanishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FellerBoundary {
    /// Reached in finite time, and left again if it reflects.
    Regular,
    /// Reached in finite time and never left.
    Exit,
    /// Never reached.
    Entrance,
    /// Never reached, and nothing gathers there.
    Natural,
    /// Never reached, but approached for ever: no stationary law, no finite mean times.
    Gathering,
}

impl FellerBoundary {
    /// Its name with what it means, a line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Regular => "regular boundary: reached in finite time, and left again if it reflects",
            Self::Exit => "exit boundary: reached in finite time and never left",
            Self::Entrance => "entrance boundary: never reached",
            Self::Natural => "natural boundary: never reached",
            Self::Gathering => {
                "natural boundary: approached for ever, so that no stationary law and no finite times exist"
            }
        }
    }

    /// Whether what is asked of the end makes no difference, as the process never meets it.
    pub fn is_never_met(self) -> bool {
        matches!(self, Self::Entrance | Self::Natural)
    }
}

/// The kind of the end of a line at `end`, which goes on to `inside`, for the drift b and the tensor D as functions of the position; none where the
/// noise does not vanish there.
///
/// # Formula
/// At distance u from the end, D ~ u^p and κ = lim u b/D, with b the drift of the Ito equation, positive inward. The scale density goes as
/// u^−κ and the speed density as u^(κ−p), so that of Feller's integrals
/// ```text
/// ∫s < ∞ iff κ < 1,   ∫m < ∞ iff κ > p − 1,   ∫∫ s m and ∫∫ m s < ∞ iff p < 2 with them
/// ```
/// Where κ is infinite b ~ u^q dominates, and the end is met, in the sense in which b points, in the time ∫du/|b|: if q < 1.
///
/// # Method
/// Exponents from two distances, 1e-5 and 1e-6 of the way to `inside`: right for D and b that behave as powers there.
///
/// # References
/// W. Feller, Ann. Math. 55, 468 (1952); S. Karlin and H. Taylor, A Second Course in Stochastic Processes, 15.6.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Calculus::Ito;
/// use freezeout::escape::{FellerBoundary, feller_boundary};
/// // the square-root process dx = (a − x) dt + sqrt(2x) dW reaches 0 for a < 1
/// let of = |a: f64| feller_boundary(&|x| a - x, &|x| x, Ito, 0.0, 1.0);
/// assert_eq!(of(0.5), Some(FellerBoundary::Regular));
/// assert_eq!(of(1.0), Some(FellerBoundary::Entrance));
/// assert_eq!(of(0.0), Some(FellerBoundary::Exit));
/// assert_eq!(feller_boundary(&|x| -x, &|_| 0.1, Ito, 0.0, 1.0), None);
/// ```
pub fn feller_boundary(
    drift: &dyn Fn(f64) -> f64,
    tensor: &dyn Fn(f64) -> f64,
    calculus: Calculus,
    end: f64,
    inside: f64,
) -> Option<FellerBoundary> {
    /// Two exponents that differ by less are the same.
    const SAME: f64 = 1e-3;
    let way = inside - end;
    let tensor = |u: f64| tensor(end + u * way);
    let inward = |u: f64| drift(end + u * way) * way.signum();
    let (far, near) = (1e-5, 1e-6);
    if tensor(0.0) > SAME * tensor(near) {
        return None;
    }
    let power = |f: &dyn Fn(f64) -> f64| (f(far) / f(near)).ln() / (far / near).ln();
    let p = power(&tensor);
    let ratio = |u: f64| inward(u) * u * way.abs() / tensor(u);
    let growth = power(&ratio);
    let is_slow = p >= 2.0 - SAME;
    if inward(near) != 0.0 && growth < -SAME {
        let is_slow = growth + p - 1.0 >= 1.0 - SAME;
        return Some(match (inward(near) > 0.0, is_slow) {
            (true, false) => FellerBoundary::Entrance,
            (true, true) => FellerBoundary::Natural,
            (false, false) => FellerBoundary::Exit,
            (false, true) => FellerBoundary::Gathering,
        });
    }
    // the calculus adds α D' to the drift
    let kappa = ratio(near) + calculus.alpha() * p;
    let gathers = kappa <= p - 1.0 + SAME;
    Some(match (is_slow, gathers) {
        (true, true) => FellerBoundary::Gathering,
        (true, false) => FellerBoundary::Natural,
        (false, true) => FellerBoundary::Exit,
        (false, false) if kappa >= 1.0 - SAME => FellerBoundary::Entrance,
        (false, false) => FellerBoundary::Regular,
    })
}
