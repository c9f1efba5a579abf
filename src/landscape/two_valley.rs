//! The two-valley landscape of Yang, Zhang, Ouyang, Tang and Tu (arXiv 2601.10962): a flat valley at x > 0, a
//! sharp one at x < 0, and a slow training direction y along which both deepen and flatten.

use super::{Kink, Landscape};
use crate::error::{Result, require, require_finite, require_positive};
use crate::math::{Point, Tensor};

/// Which valley: the sign of x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// x ≥ 0.
    Flat,
    /// x < 0.
    Sharp,
}

impl Side {
    /// Both sides, flat first.
    pub const BOTH: [Self; 2] = [Self::Flat, Self::Sharp];

    /// +1 for the flat valley, −1 for the sharp one.
    pub fn sign(self) -> f64 {
        match self {
            Self::Flat => 1.0,
            Self::Sharp => -1.0,
        }
    }
}

/// The two-valley loss.
///
/// # Formula
/// With i = 1, s = +1 for x ≥ 0 (flat) and i = 2, s = −1 for x < 0 (sharp),
/// ```text
/// L(x, y) = L0(y) + x (x − s g_i(y))/f_i(y)
/// g_i(y)  = 2 x_i y/(y + y_b)
/// f_i(y)  = f0 (x_i/x0)² (y + y_f)²/(y + y_b)²
/// L0(y)   = L_d exp(−y/y_d) + x0²/f0
/// ```
/// Minima at x1* = x1 y/(y+y_b) and −x2* = −x2 y/(y+y_b), equal depth below the ridge
/// ΔL(y) = (x0²/f0) y²/(y+y_f)², curvature H_xx = 2/f_i, flatness ratio γ = f1/f2 = (x1/x2)².
/// The ridge x = 0 is a cusp: the gradient and the Hessian jump there.
///
/// Two ablations replace the y of one factor by a constant: [`TwoValley::with_barrier_at`] holds ΔL(y),
/// [`TwoValley::with_flatness_at`] holds f_i(y). The minimum is then at x_i* = sqrt(ΔL f_i) as before.
///
/// # Units
/// x, y and L are dimensionless.
///
/// # Limitations
/// y must stay above −min(y_f, y_b); the training runs of the paper have y > 0.
///
/// # References
/// arXiv 2601.10962, model section, and its code repository YangNing1995/Transient_Dynamics_SGD.
///
/// # Examples
/// ```
/// use freezeout::landscape::{Side, TwoValley};
/// let model = TwoValley::default();
/// assert!((model.barrier(5.0) - 0.04).abs() < 1e-15);
/// assert!((model.minimum(Side::Flat, 5.0) - 0.8 * 5.0 / 35.0).abs() < 1e-15);
/// assert!((model.flatness_ratio() - 1.514_793).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoValley {
    parameters: TwoValleyParameters,
    /// sqrt(u_i) = curvature_root[i]·q(y), u = 1/f: x0/(x_i sqrt(f0)).
    curvature_root: [f64; 2],
    /// x0/sqrt(f0), the square root of the barrier scale.
    barrier_root: f64,
    /// q(y), the y-dependence of sqrt(u).
    q: Ratio,
    /// r(y), the y-dependence of sqrt(ΔL).
    r: Ratio,
    /// L_d/y_d².
    ramp_curvature: f64,
}

/// (a y + b)/(y + y_f) with a, b ≥ 0, or a constant.
///
/// Numerator and denominator are kept apart, so that no difference of large numbers is taken when y_f is large.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ratio {
    slope: f64,
    offset: f64,
    /// a y_f − b: the derivative is this over (y + y_f)².
    rise: f64,
}

impl Ratio {
    fn new(slope: f64, offset: f64, y_f: f64) -> Self {
        Self {
            slope,
            offset,
            rise: slope * y_f - offset,
        }
    }

    fn constant(value: f64, y_f: f64) -> Self {
        Self::new(value, value * y_f, y_f)
    }

    /// The ratio at y, given w = 1/(y + y_f).
    #[inline(always)]
    fn value(&self, y: f64, w: f64) -> f64 {
        (self.slope * y + self.offset) * w
    }
}

/// The eight parameters of [`TwoValley`]; the default is the paper's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoValleyParameters {
    /// Flatness scale f0.
    pub f0: f64,
    /// Width scale x0.
    pub x0: f64,
    /// Asymptotic position of the flat minimum x1.
    pub x1: f64,
    /// Asymptotic distance of the sharp minimum x2.
    pub x2: f64,
    /// y_f.
    pub y_f: f64,
    /// y_b.
    pub y_b: f64,
    /// Decay length of the driving loss y_d.
    pub y_d: f64,
    /// Amplitude of the driving loss L_d.
    pub l_d: f64,
}

impl Default for TwoValleyParameters {
    fn default() -> Self {
        Self {
            f0: 1.0,
            x0: 1.0,
            x1: 0.8,
            x2: 0.65,
            y_f: 20.0,
            y_b: 30.0,
            y_d: 100.0,
            l_d: 1.0,
        }
    }
}

/// First and second derivatives of the loss at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Derivatives {
    /// ∂L/∂x.
    pub x: f64,
    /// ∂L/∂y.
    pub y: f64,
    /// ∂²L/∂x².
    pub xx: f64,
    /// ∂²L/∂x∂y.
    pub xy: f64,
    /// ∂²L/∂y².
    pub yy: f64,
}

impl TwoValley {
    /// The landscape with the given parameters.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] naming the parameter that is not positive and finite
    /// (`l_d` may be any finite number).
    pub fn new(parameters: TwoValleyParameters) -> Result<Self> {
        let p = parameters;
        for (name, value) in [
            ("f0", p.f0),
            ("x0", p.x0),
            ("x1", p.x1),
            ("x2", p.x2),
            ("y_f", p.y_f),
            ("y_b", p.y_b),
            ("y_d", p.y_d),
        ] {
            require_positive(name, value)?;
        }
        require_finite("l_d", p.l_d)?;
        Ok(Self::from_valid(parameters))
    }

    fn from_valid(parameters: TwoValleyParameters) -> Self {
        let p = parameters;
        let barrier_root = p.x0 / p.f0.sqrt();
        Self {
            parameters,
            curvature_root: [barrier_root / p.x1, barrier_root / p.x2],
            barrier_root,
            q: Ratio::new(1.0, p.y_b, p.y_f),
            r: Ratio::new(1.0, 0.0, p.y_f),
            ramp_curvature: p.l_d / (p.y_d * p.y_d),
        }
    }

    /// Ablation: the barrier keeps its value at `y` for all y, while the flatness still varies.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when y is negative or not finite.
    pub fn with_barrier_at(mut self, y: f64) -> Result<Self> {
        require("barrier_at", y, |v| v >= 0.0, "a finite y >= 0 is needed")?;
        self.r = Ratio::constant(self.r(y), self.parameters.y_f);
        Ok(self)
    }

    /// Ablation: both flatnesses keep their value at `y` for all y, while the barrier still varies.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when y is negative or not finite.
    pub fn with_flatness_at(mut self, y: f64) -> Result<Self> {
        require("flatness_at", y, |v| v >= 0.0, "a finite y >= 0 is needed")?;
        self.q = Ratio::constant(self.q(y), self.parameters.y_f);
        Ok(self)
    }

    /// The parameters given at construction.
    pub fn parameters(&self) -> &TwoValleyParameters {
        &self.parameters
    }

    fn q(&self, y: f64) -> f64 {
        self.q.value(y, 1.0 / (y + self.parameters.y_f))
    }

    fn r(&self, y: f64) -> f64 {
        self.r.value(y, 1.0 / (y + self.parameters.y_f))
    }

    /// Barrier ΔL(y), the same from both valleys.
    pub fn barrier(&self, y: f64) -> f64 {
        (self.barrier_root * self.r(y)).powi(2)
    }

    /// Flatness f_i(y); the curvature of the valley is 2/f_i.
    pub fn flatness(&self, side: Side, y: f64) -> f64 {
        let root = match side {
            Side::Flat => self.curvature_root[0],
            Side::Sharp => self.curvature_root[1],
        };
        (root * self.q(y)).powi(-2)
    }

    /// d ln f_i/dy, the same in both valleys.
    ///
    /// # Examples
    /// ```
    /// use freezeout::landscape::TwoValley;
    /// // 2/(y + y_f) − 2/(y + y_b)
    /// assert!((TwoValley::default().log_flatness_slope(5.0) - (2.0 / 25.0 - 2.0 / 35.0)).abs() < 1e-15);
    /// ```
    pub fn log_flatness_slope(&self, y: f64) -> f64 {
        let w = 1.0 / (y + self.parameters.y_f);
        -2.0 * self.q.rise * w * w / self.q(y)
    }

    /// Signed position of the valley's minimum: x1*(y) > 0 or −x2*(y) < 0.
    pub fn minimum(&self, side: Side, y: f64) -> f64 {
        side.sign() * (self.barrier(y) * self.flatness(side, y)).sqrt()
    }

    /// γ = f1/f2 = (x1/x2)², independent of y.
    pub fn flatness_ratio(&self) -> f64 {
        (self.parameters.x1 / self.parameters.x2).powi(2)
    }

    /// L0(y), the loss on the ridge.
    pub fn ridge_loss(&self, y: f64) -> f64 {
        self.parameters.l_d * (-y / self.parameters.y_d).exp()
            + self.parameters.x0.powi(2) / self.parameters.f0
    }

    /// Speed dy/dt = −d(L0 − ΔL)/dy of the noise-free motion along a valley floor, the same in both valleys.
    pub fn floor_velocity(&self, y: f64) -> f64 {
        let p = &self.parameters;
        let w = 1.0 / (y + p.y_f);
        let barrier_slope = 2.0 * self.barrier_root.powi(2) * self.r(y) * (self.r.rise * w * w);
        p.l_d / p.y_d * (-y / p.y_d).exp() + barrier_slope
    }

    /// All derivatives at (x, y), given `ramp` = exp(−y/y_d).
    ///
    /// The exponential is an argument so that a block kernel can supply its vectorised one; everything else
    /// is straight-line arithmetic with one division, and selects on the side.
    #[inline(always)]
    pub fn derivatives(&self, x: f64, y: f64, ramp: f64) -> Derivatives {
        let p = &self.parameters;
        let [flat_root, sharp_root] = self.curvature_root;
        let root = if x >= 0.0 { flat_root } else { -sharp_root };
        // L = L0 + X² P − 2 X V with X = s root_i x ≥ 0, s = ±1, P = q², V = q r sqrt(ΔL scale)
        let scaled = root * x;
        let w = 1.0 / (y + p.y_f);
        let w2 = w * w;
        let (q, r) = (self.q.value(y, w), self.r.value(y, w));
        let (q1, r1) = (self.q.rise * w2, self.r.rise * w2);
        // q'' = −2 w q', and the same for r
        let curvature = 2.0 * q * q;
        let curvature_y = 4.0 * q * q1;
        let curvature_yy = 4.0 * q1 * (q1 - 2.0 * w * q);
        let m = 2.0 * self.barrier_root;
        let cross = q * r1 + q1 * r;
        let slope = m * q * r;
        let slope_y = m * cross;
        let slope_yy = 2.0 * m * (q1 * r1 - w * cross);
        let l02 = self.ramp_curvature * ramp;
        let half = 0.5 * scaled;
        Derivatives {
            x: root * (scaled * curvature - slope),
            y: scaled * (half * curvature_y - slope_y) - p.y_d * l02,
            xx: root * root * curvature,
            xy: root * (scaled * curvature_y - slope_y),
            yy: scaled * (half * curvature_yy - slope_yy) + l02,
        }
    }

    fn derivatives_at(&self, theta: &Point<2>) -> Derivatives {
        self.derivatives(theta[0], theta[1], (-theta[1] / self.parameters.y_d).exp())
    }
}

impl Default for TwoValley {
    /// The paper's parameters.
    fn default() -> Self {
        Self::from_valid(TwoValleyParameters::default())
    }
}

impl Landscape<2> for TwoValley {
    fn loss(&self, theta: &Point<2>) -> f64 {
        let (x, y) = (theta[0], theta[1]);
        let side = if x >= 0.0 { Side::Flat } else { Side::Sharp };
        let f = self.flatness(side, y);
        // x (x − g)/f with g = 2 x*.
        self.ridge_loss(y) + x * (x - 2.0 * self.minimum(side, y)) / f
    }
    fn gradient(&self, theta: &Point<2>) -> Point<2> {
        let d = self.derivatives_at(theta);
        Point::<2>::new(d.x, d.y)
    }
    fn hessian(&self, theta: &Point<2>) -> Tensor<2> {
        let d = self.derivatives_at(theta);
        Tensor::<2>::new(d.xx, d.xy, d.xy, d.yy)
    }
    fn kinks(&self) -> Vec<Kink> {
        vec![Kink {
            axis: 0,
            position: 0.0,
        }]
    }
}
