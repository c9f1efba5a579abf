//! One step of SGD, or of Euler-Maruyama, in the two-valley landscape.

use super::noise_law::NoiseLaw;
use super::stream::Polar;
use crate::diffusion::Sgd;
use crate::error::{Error, Result, require, require_non_negative, require_positive};
use crate::landscape::{Side, TwoValley};
use crate::math::{Point, elementary};
use crate::noise::{GradientNoise, HessianPower, Isotropic, Power, power_covariance, power_root};

/// The root of the covariance of a step's noise, as a function of the Hessian (xx, xy, yy).
///
/// Implementors are the noises with which [`TwoValleyStep`] can run in a vectorised loop: straight-line code.
pub trait NoiseRoot: Copy + Send + Sync {
    /// A symmetric matrix (xx, xy, yy) whose square is `factor` times the covariance of the noise in θ of one step.
    fn root(&self, hessian: [f64; 3], factor: f64) -> [f64; 3];

    /// By what the drift along x is multiplied.
    #[inline(always)]
    fn gain(&self, _hessian: [f64; 3]) -> f64 {
        1.0
    }
}

/// Noise whose covariance is s H₊^p + ε I, p = 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlignedRoot {
    scale: f64,
    floor: f64,
}

/// Noise whose covariance is s H₊^p + ε I, p = 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiftRoot {
    scale: f64,
    floor: f64,
}

/// Noise whose covariance is s H₊^p + ε I for any p ≥ 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerRoot {
    power: f64,
    scale: f64,
    floor: f64,
}

/// Noise of equal strength in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IsotropicRoot {
    variance: f64,
}

/// Steps along x times sqrt(C₀/C_xx), C = s H₊^p + ε I: the noise along x is that of C₀ everywhere; y has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsRoot {
    power: f64,
    scale: f64,
    floor: f64,
    /// C₀ in the units of s and ε, and of the noise of a step.
    reference: f64,
    variance: f64,
}

impl NoiseRoot for RmsRoot {
    #[inline(always)]
    fn root(&self, _hessian: [f64; 3], factor: f64) -> [f64; 3] {
        [(self.variance * factor).sqrt(), 0.0, 0.0]
    }

    #[inline(always)]
    fn gain(&self, hessian: [f64; 3]) -> f64 {
        let [along_x, ..] = power_covariance(hessian, Power::Real(self.power), self.scale, self.floor);
        (self.reference / along_x).sqrt()
    }
}

impl NoiseRoot for AlignedRoot {
    #[inline(always)]
    fn root(&self, hessian: [f64; 3], factor: f64) -> [f64; 3] {
        power_root(hessian, Power::One, factor * self.scale, factor * self.floor)
    }
}

impl NoiseRoot for ShiftRoot {
    #[inline(always)]
    fn root(&self, hessian: [f64; 3], factor: f64) -> [f64; 3] {
        power_root(hessian, Power::Two, factor * self.scale, factor * self.floor)
    }
}

impl NoiseRoot for PowerRoot {
    #[inline(always)]
    fn root(&self, hessian: [f64; 3], factor: f64) -> [f64; 3] {
        power_root(
            hessian,
            Power::Real(self.power),
            factor * self.scale,
            factor * self.floor,
        )
    }
}

impl NoiseRoot for IsotropicRoot {
    #[inline(always)]
    fn root(&self, _hessian: [f64; 3], factor: f64) -> [f64; 3] {
        let amplitude = (self.variance * factor).sqrt();
        [amplitude, 0.0, amplitude]
    }
}

/// The step of a planar walk in the two-valley landscape, with everything that does not change worked out.
///
/// # Formula
/// ```text
/// x' = x − g h ∂L/∂x          + (R z)_x
/// y' = y − ρ m h ∂L/∂y        + m (R z)_y,    R² = h η C(θ)/B,   z ~ N(0, I)
/// ```
/// g = 1 but for steps divided by the rms of the noise ([`RmsRoot`]). With h = η this is SGD itself, θ − η (∇L + ξ) with Cov ξ = C/B; with smaller h it is the Euler-Maruyama step
/// of its diffusion. ρ is the ramp factor on the slow drift, and m = 0 where y is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoValleyStep<N> {
    model: TwoValley,
    noise: N,
    time_step: f64,
    inverse_time_step: f64,
    slow_drift: f64,
    slow_noise: f64,
    decay_rate: f64,
}

/// Where one step leads, and how far inside its valley it began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stepped {
    /// New x.
    pub x: f64,
    /// New y.
    pub y: f64,
    /// Positive when the OLD x lies beyond half-way between the ridge and the minimum of its own side.
    pub depth: f64,
}

impl<N: NoiseRoot> TwoValleyStep<N> {
    /// One step from (x, y) with the given noise.
    #[inline(always)]
    pub fn step(&self, x: f64, y: f64, noise: Polar) -> Stepped {
        let d = self
            .model
            .derivatives(x, y, elementary::exp(-self.decay_rate * y));
        let hessian = [d.xx, d.xy, d.yy];
        let [rxx, rxy, ryy] = self.noise.root(hessian, noise.squared_radius);
        let [z1, z2] = noise.direction;
        // On the side s the gradient is s(2u|x| − v) and x* = v/2u, so |x| > x*/2 reads 4u|x| − v > 0.
        let depth = d.xx * x + d.x;
        Stepped {
            x: x - self.time_step * (self.noise.gain(hessian) * d.x) + (rxx * z1 + rxy * z2),
            y: y - self.slow_drift * d.y + self.slow_noise * (rxy * z1 + ryy * z2),
            depth: if x >= 0.0 { depth } else { -depth },
        }
    }

    /// Drift and noise columns of the diffusion, both in units of time.
    #[inline(always)]
    pub(super) fn drift_and_noise(&self, x: f64, y: f64) -> ([f64; 2], [[f64; 2]; 2]) {
        let d = self
            .model
            .derivatives(x, y, elementary::exp(-self.decay_rate * y));
        let hessian = [d.xx, d.xy, d.yy];
        let [rxx, rxy, ryy] = self.noise.root(hessian, self.inverse_time_step);
        let m = self.slow_noise;
        (
            [
                -self.noise.gain(hessian) * d.x,
                -self.slow_drift * self.inverse_time_step * d.y,
            ],
            [[rxx, m * rxy], [rxy, m * ryy]],
        )
    }

    /// Whether (x, y) lies beyond half-way between the ridge and the minimum of its side.
    pub(super) fn is_deep(&self, x: f64, y: f64) -> bool {
        self.step(x, y, Polar::ZERO).depth > 0.0
    }

    /// y must stay above this for the landscape to be defined.
    pub(super) fn lowest_y(&self) -> f64 {
        let p = self.model.parameters();
        -p.y_f.min(p.y_b)
    }
}

/// A two-valley problem with any of its noises, ready for simulation.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::ensemble::TwoValleyWalk;
/// use freezeout::landscape::TwoValley;
/// let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 0.1, 0.02, 1e-8)?;
/// let walk = TwoValleyWalk::discrete(&sgd)?.with_y_held();
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoValleyWalk {
    pub(super) step: AnyStep,
    pub(super) law: NoiseLaw,
}

/// A step with the noise known at run time only; matched once per block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AnyStep {
    Aligned(TwoValleyStep<AlignedRoot>),
    Shift(TwoValleyStep<ShiftRoot>),
    Power(TwoValleyStep<PowerRoot>),
    Isotropic(TwoValleyStep<IsotropicRoot>),
    Rms(TwoValleyStep<RmsRoot>),
}

macro_rules! with_step {
    ($any:expr, $step:ident => $body:expr) => {
        match $any {
            $crate::ensemble::two_valley::AnyStep::Aligned($step) => $body,
            $crate::ensemble::two_valley::AnyStep::Shift($step) => $body,
            $crate::ensemble::two_valley::AnyStep::Power($step) => $body,
            $crate::ensemble::two_valley::AnyStep::Isotropic($step) => $body,
            $crate::ensemble::two_valley::AnyStep::Rms($step) => $body,
        }
    };
}
pub(super) use with_step;

/// What can be simulated in the two-valley landscape: SGD with one of the noises that have a vectorised root.
pub trait TwoValleySgd {
    /// The walk with time step h; h = η is SGD itself.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when h is not positive and finite.
    fn walk(&self, time_step: f64) -> Result<TwoValleyWalk>;
    /// η.
    ///
    /// # Errors
    /// [`crate::Error::Inconsistent`] when there is none.
    fn learning_rate(&self) -> Result<f64>;
}

fn new_step<N>(model: TwoValley, noise: N, time_step: f64) -> TwoValleyStep<N> {
    TwoValleyStep {
        model,
        noise,
        time_step,
        inverse_time_step: 1.0 / time_step,
        slow_drift: time_step,
        slow_noise: 1.0,
        decay_rate: 1.0 / model.parameters().y_d,
    }
}

impl TwoValleySgd for Sgd<TwoValley, HessianPower<TwoValley>> {
    fn walk(&self, time_step: f64) -> Result<TwoValleyWalk> {
        require_positive("time_step", time_step)?;
        let model = *self.landscape();
        let factor = self.noise_factor(time_step)?;
        let (scale, floor) = (factor * self.noise().scale(), factor * self.noise().floor());
        let step = match self.noise().power() {
            Power::One => AnyStep::Aligned(new_step(model, AlignedRoot { scale, floor }, time_step)),
            Power::Two => AnyStep::Shift(new_step(model, ShiftRoot { scale, floor }, time_step)),
            Power::Real(power) => {
                AnyStep::Power(new_step(model, PowerRoot { power, scale, floor }, time_step))
            }
        };
        Ok(TwoValleyWalk::fresh(step))
    }
    fn learning_rate(&self) -> Result<f64> {
        Ok(self.learning_rate_and_batch_size()?.0)
    }
}

impl TwoValleySgd for Sgd<TwoValley, Isotropic> {
    fn walk(&self, time_step: f64) -> Result<TwoValleyWalk> {
        require_positive("time_step", time_step)?;
        let variance = GradientNoise::<2>::covariance(self.noise(), &Point::<2>::zeros())[(0, 0)];
        let variance = self.noise_factor(time_step)? * variance;
        let step = new_step(*self.landscape(), IsotropicRoot { variance }, time_step);
        Ok(TwoValleyWalk::fresh(AnyStep::Isotropic(step)))
    }
    fn learning_rate(&self) -> Result<f64> {
        Ok(self.learning_rate_and_batch_size()?.0)
    }
}

impl TwoValleyWalk {
    fn fresh(step: AnyStep) -> Self {
        let law = NoiseLaw::Gaussian;
        Self { step, law }
    }

    /// The same walk under another law of its noise.
    ///
    /// Noise of [`NoiseLaw::Stable`] is along x alone: the y-part of a rare jump would throw y out of the domain of the landscape.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for β outside of [0, 1) or α outside of (0, 2).
    ///
    /// # Examples
    /// ```
    /// use freezeout::diffusion::Sgd;
    /// use freezeout::ensemble::{NoiseLaw, TwoValleyWalk};
    /// use freezeout::landscape::TwoValley;
    /// let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 0.001, 0.1, 0.0)?;
    /// let walk = TwoValleyWalk::discrete(&sgd)?;
    /// assert!(walk.with_law(NoiseLaw::Momentum(0.9)).is_ok()); // Δ = .01·.1, as of a learning rate of .01 without momentum
    /// assert!(walk.with_law(NoiseLaw::Stable(2.0)).is_err()); // that is Gaussian
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn with_law(self, law: NoiseLaw) -> Result<Self> {
        match law {
            NoiseLaw::Momentum(beta) => {
                let wanted = "0 ≤ β < 1 is needed";
                require("momentum", beta, |beta| (0.0..1.0).contains(&beta), wanted)?;
            }
            NoiseLaw::Stable(alpha) => {
                let wanted = "0 < α < 2 is needed";
                require("stability", alpha, |alpha| alpha > 0.0 && alpha < 2.0, wanted)?;
                return Ok(Self { law, ..self }.without_slow_noise());
            }
            NoiseLaw::Gaussian | NoiseLaw::Labels => (),
        }
        Ok(Self { law, ..self })
    }

    /// SGD itself: one step is one iteration.
    ///
    /// # Errors
    /// [`crate::Error::Inconsistent`] without a learning rate.
    pub fn discrete(sgd: &impl TwoValleySgd) -> Result<Self> {
        sgd.walk(sgd.learning_rate()?)
    }

    /// SGD with steps along x divided by the rms of the noise as RMSProp takes them, times sqrt(`reference`): x' = x − η g (∂L/∂x + ξ_x), g = sqrt(C₀/C_xx), C₀ the
    /// reference in the units of C. Along y steps are plain and without noise, so that runs move on as fast as those of plain SGD.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a reference that is not positive, [`Error::Inconsistent`] without a learning rate.
    ///
    /// # Examples
    /// ```
    /// use freezeout::diffusion::Sgd;
    /// use freezeout::ensemble::TwoValleyWalk;
    /// use freezeout::landscape::{Side, TwoValley};
    /// use freezeout::math::Point;
    /// use freezeout::noise::GradientNoise;
    /// let model = TwoValley::default();
    /// let sgd = Sgd::hessian_power(model, 1.0, 0.01, 0.1, 0.0)?;
    /// let at = Point::<2>::new(model.minimum(Side::Flat, 1.0), 1.0);
    /// let walk = TwoValleyWalk::divided_by_rms(&sgd, sgd.noise().covariance(&at)[(0, 0)])?;
    /// assert!(walk.check_stability(1.0)? < 0.1); // the sharp valley is stepped through more slowly: ηh is .103
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn divided_by_rms(sgd: &Sgd<TwoValley, HessianPower<TwoValley>>, reference: f64) -> Result<Self> {
        let reference = require_positive("reference", reference)?;
        let time_step = sgd.learning_rate_and_batch_size()?.0;
        let noise = sgd.noise();
        let root = RmsRoot {
            power: noise.power().value(),
            scale: noise.scale(),
            floor: noise.floor(),
            reference,
            variance: sgd.noise_factor(time_step)? * reference,
        };
        Ok(Self::fresh(AnyStep::Rms(new_step(
            *sgd.landscape(),
            root,
            time_step,
        ))))
    }

    /// Control: y keeps its starting value.
    pub fn with_y_held(mut self) -> Self {
        with_step!(&mut self.step, step => {
            step.slow_drift = 0.0;
            step.slow_noise = 0.0;
        });
        self
    }

    /// Ablation: the slow drift −∂L/∂y is multiplied by `factor`; the noise is not.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when the factor is negative or not finite.
    pub fn with_ramp(mut self, factor: f64) -> Result<Self> {
        require_non_negative("ramp", factor)?;
        with_step!(&mut self.step, step => step.slow_drift *= factor);
        Ok(self)
    }

    /// The same walk without noise along y: routes that know x alone leave it out too.
    #[must_use]
    pub fn without_slow_noise(mut self) -> Self {
        with_step!(&mut self.step, step => step.slow_noise = 0.0);
        self
    }

    /// The largest product of time step and curvature on the minima from `y` on, which must stay below 2.
    ///
    /// # Errors
    /// [`Error::Unstable`] when it does not.
    pub fn check_stability(&self, y: f64) -> Result<f64> {
        with_step!(&self.step, step => {
            let mut largest = 0.0_f64;
            // f_i is monotonic in y, so that its extremes stand at the ends (10^9 for ∞).
            for y in [y, 1e9] {
                for side in Side::BOTH {
                    let d = step.model.derivatives(step.model.minimum(side, y), y, 0.0);
                    let curvature = step.noise.gain([d.xx, d.xy, d.yy]) * 2.0 / step.model.flatness(side, y);
                    let product = step.time_step * curvature;
                    if product.is_nan() || product >= 2.0 {
                        return Err(Error::Unstable {
                            product,
                            position: format!("the {} minimum at y = {y}", format!("{side:?}").to_lowercase()),
                            limit: 2.0 / curvature,
                        });
                    }
                    largest = largest.max(product);
                }
            }
            Ok(largest)
        })
    }

    /// Time that passes in one step.
    pub fn time_step(&self) -> f64 {
        with_step!(&self.step, step => step.time_step)
    }

    /// One step from (x, y) with the given noise: the reference for the vectorised loop.
    pub fn step(&self, x: f64, y: f64, noise: Polar) -> Stepped {
        with_step!(&self.step, step => step.step(x, y, noise))
    }
}
