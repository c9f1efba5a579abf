//! Ito diffusions in the form that the vectorised loops call: drift and noise columns as straight-line code.

use super::two_valley::{NoiseRoot, TwoValleyStep};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require_finite, require_positive};
use crate::math::Point;

/// dθ = a(θ) dt + Σ_j b^j(θ) dW^j in D dimensions with M independent Wiener processes, in the Ito sense.
///
/// # Formula
/// With the diffusion tensor D(θ) of [`crate::diffusion::Diffusion`], Σ_j b^j (b^j)ᵀ = 2 D.
///
/// # Method
/// Both methods should be `#[inline(always)]` and without branches or calls that do not inline: the compiler then
/// advances a whole vector of walkers at once. Anything else is correct too, and slower.
pub trait Ito<const D: usize, const M: usize>: Copy + Send + Sync {
    /// a(θ).
    fn drift(&self, theta: [f64; D]) -> [f64; D];
    /// The columns b^1 … b^M.
    fn noise(&self, theta: [f64; D]) -> [[f64; D]; M];
}

/// The quartic double well with constant diffusivity: dx = −L'(x) dt + sqrt(2D) dW, L = ΔL ((x/a)² − 1)².
///
/// # Examples
/// ```
/// use freezeout::ensemble::{DoubleWellWalk, Ito};
/// let walk = DoubleWellWalk::new(0.25, 1.0, 0.125)?;
/// assert_eq!(walk.drift([2.0]), [-6.0]); // x − x³
/// assert_eq!(walk.noise([2.0]), [[0.5]]);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoubleWellWalk {
    linear: f64,
    cubic: f64,
    noise: f64,
}

impl DoubleWellWalk {
    /// Barrier ΔL, minima at ±`half_width`, diffusivity D.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming the parameter that is not positive and finite.
    pub fn new(barrier: f64, half_width: f64, diffusivity: f64) -> Result<Self> {
        let barrier = require_positive("barrier", barrier)?;
        let half_width = require_positive("half_width", half_width)?;
        let linear = 4.0 * barrier / (half_width * half_width);
        Ok(Self {
            linear,
            cubic: linear / (half_width * half_width),
            noise: (2.0 * require_positive("diffusivity", diffusivity)?).sqrt(),
        })
    }
}

impl Ito<1, 1> for DoubleWellWalk {
    #[inline(always)]
    fn drift(&self, [x]: [f64; 1]) -> [f64; 1] {
        [x * (self.linear - self.cubic * (x * x))]
    }
    #[inline(always)]
    fn noise(&self, _theta: [f64; 1]) -> [[f64; 1]; 1] {
        [[self.noise]]
    }
}

/// A drift that is linear and a diffusivity that is constant on either side of x = 0, both with a jump there.
///
/// A slice of the two-valley landscape with Hessian-power noise is of this kind, and so is the
/// Ornstein-Uhlenbeck process.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::ensemble::PiecewiseLinear;
/// use freezeout::landscape::{Slice, TwoValley};
/// let slice = Slice::new(TwoValley::default(), 3.0)?;
/// let walk = PiecewiseLinear::new(&Sgd::hessian_power(slice, 1.0, 0.04, 0.025, 0.0)?)?;
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PiecewiseLinear {
    /// Drift at 0+ and 0−.
    offset: [f64; 2],
    slope: [f64; 2],
    noise: [f64; 2],
}

impl PiecewiseLinear {
    /// The coefficients of `diffusion`, found from its values at x = ±1 and ±2.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] when the values at ±1/2 and ±3 show that the diffusion is not of this kind;
    /// [`Error::NotFinite`] when one of the coefficients is not finite.
    pub fn new(diffusion: &impl Diffusion<1>) -> Result<Self> {
        /// Rounding in the evaluation of the diffusion, relative to its largest term.
        const ROUNDING: f64 = 1e-12;
        let mut walk = Self {
            offset: [0.0; 2],
            slope: [0.0; 2],
            noise: [0.0; 2],
        };
        for (i, side) in [1.0, -1.0].into_iter().enumerate() {
            let drift = |x: f64| diffusion.drift(&Point::<1>::new(side * x))[0];
            let tensor = |x: f64| diffusion.tensor(&Point::<1>::new(side * x))[(0, 0)];
            let slope = drift(2.0) - drift(1.0);
            let offset = drift(1.0) - slope;
            let diffusivity = tensor(1.0);
            walk.offset[i] = require_finite("drift", offset)?;
            walk.slope[i] = require_finite("drift slope", slope * side)?;
            walk.noise[i] = (2.0 * require_finite("diffusivity", diffusivity)?).sqrt();
            for x in [0.5, 3.0] {
                let scale = offset.abs() + (slope * x).abs();
                let wrong = (drift(x) - offset - slope * x).abs() > ROUNDING * scale;
                if wrong || (tensor(x) - diffusivity).abs() > ROUNDING * diffusivity {
                    return Err(Error::Inconsistent {
                        subject: format!("diffusion at x = {}", side * x),
                        requirement:
                            "a drift linear and a diffusivity constant on either side of x = 0 are needed"
                                .into(),
                    });
                }
            }
        }
        Ok(walk)
    }
}

impl Ito<1, 1> for PiecewiseLinear {
    #[inline(always)]
    fn drift(&self, [x]: [f64; 1]) -> [f64; 1] {
        let ([o0, o1], [s0, s1]) = (self.offset, self.slope);
        let (offset, slope) = if x >= 0.0 { (o0, s0) } else { (o1, s1) };
        [offset + slope * x]
    }
    #[inline(always)]
    fn noise(&self, [x]: [f64; 1]) -> [[f64; 1]; 1] {
        let [n0, n1] = self.noise;
        [[if x >= 0.0 { n0 } else { n1 }]]
    }
}

impl<N: NoiseRoot> Ito<2, 2> for TwoValleyStep<N> {
    #[inline(always)]
    fn drift(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        self.drift_and_noise(x, y).0
    }
    #[inline(always)]
    fn noise(&self, [x, y]: [f64; 2]) -> [[f64; 2]; 2] {
        self.drift_and_noise(x, y).1
    }
}
