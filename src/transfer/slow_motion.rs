//! The two-valley map split into a fast Gaussian step in x and a slow motion in y.

use super::gaussian::Gaussian;
use super::panels::Resolution;
use crate::diffusion::Sgd;
use crate::error::{Error, Result, require, require_finite, require_positive};
use crate::landscape::{Side, TwoValley};
use crate::math::Point;
use crate::noise::GradientNoise;

/// How y moves while the law of x is propagated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlowMotion {
    /// y_{k+1} = y_k − η r ⟨∂L/∂y⟩, averaged over the current law of x: the mean of SGD's y, its fluctuations neglected.
    Mean,
    /// y_{k+1} = y_k + η r v(y_k) with the noise-free velocity v of the valley floor.
    Floor,
    /// y stays where it is.
    Fixed,
}

/// One starting point of the fast coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// x_0.
    pub x: f64,
    /// Probability of starting here; the weights of all starts sum to one.
    pub weight: f64,
}

impl Start {
    /// The same weight for each of these positions.
    pub fn in_equal_parts(positions: &[f64]) -> Vec<Self> {
        let weight = 1.0 / positions.len() as f64;
        positions.iter().map(|&x| Self { x, weight }).collect()
    }
}

/// What to propagate and how accurately.
#[derive(Debug, Clone, PartialEq)]
pub struct PathSettings {
    /// Number of SGD steps.
    pub steps: usize,
    /// Where x starts.
    pub starts: Vec<Start>,
    /// y_0.
    pub start_y: f64,
    /// How y moves.
    pub motion: SlowMotion,
    /// Factor r ≥ 0 on the velocity of y: 1 is SGD, 0 no motion.
    pub ramp: f64,
    /// Largest change between kernels: shift of a minimum in units of the valley's standard deviation, and change
    /// of the barrier exponent E in units of 1 + E/15. The error of the law falls like its square.
    pub refresh: f64,
    /// Discretisation in x.
    pub resolution: Resolution,
    /// C₀ of steps along x times sqrt(C₀/C_xx), divided by the rms of the noise as RMSProp takes them; none for plain steps.
    pub rms_reference: Option<f64>,
}

impl Default for PathSettings {
    /// The paper's phase diagram: 20000 steps from (±0.01, 5), half of the runs each.
    fn default() -> Self {
        Self {
            steps: 20_000,
            starts: vec![
                Start {
                    x: -0.01,
                    weight: 0.5,
                },
                Start { x: 0.01, weight: 0.5 },
            ],
            start_y: 5.0,
            motion: SlowMotion::Mean,
            ramp: 1.0,
            refresh: 0.05,
            resolution: Resolution {
                panel_length: 7.0,
                ..Resolution::default()
            },
            rms_reference: None,
        }
    }
}

impl PathSettings {
    /// The same on panels longer by a quarter, with kernels kept twice as long and a hundred times the defect allowed: errors in the schedule are
    /// four times as large, so that the difference of the two laws is a bound of the error of this one.
    #[must_use]
    pub fn coarser(&self) -> Self {
        /// Length of its panels in those of this one.
        const COARSER: f64 = 1.25;
        Self {
            refresh: 2.0 * self.refresh,
            resolution: Resolution {
                allowed_defect: 100.0 * self.resolution.allowed_defect,
                ..self.resolution.refined(1.0 / COARSER)
            },
            ..self.clone()
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        self.resolution.validate()?;
        require(
            "steps",
            self.steps as f64,
            |v| v >= 1.0,
            "at least one step is needed",
        )?;
        require("start_y", self.start_y, |v| v >= 0.0, "a finite y >= 0 is needed")?;
        require("ramp", self.ramp, |v| v >= 0.0, "a finite factor >= 0 is needed")?;
        require_positive("refresh", self.refresh)?;
        if self.starts.is_empty() {
            return Err(Error::EmptySet {
                name: "starts".into(),
            });
        }
        let mut total = 0.0;
        for start in &self.starts {
            require_finite("start_x", start.x)?;
            total += require(
                "start weight",
                start.weight,
                |v| v >= 0.0,
                "a probability is needed",
            )?;
        }
        // The sum of a few decimal fractions.
        require(
            "sum of the start weights",
            total,
            |v| (v - 1.0).abs() < 1e-12,
            "it must be one",
        )?;
        Ok(())
    }
}

/// The two-valley SGD map, seen from the slow path.
pub(super) struct SplitMap<'a, N> {
    sgd: &'a Sgd<TwoValley, N>,
    learning_rate: f64,
    rms_reference: Option<f64>,
}

impl<'a, N: GradientNoise<2>> SplitMap<'a, N> {
    pub(super) fn new(sgd: &'a Sgd<TwoValley, N>, rms_reference: Option<f64>) -> Result<Self> {
        let (learning_rate, _) = sgd.learning_rate_and_batch_size()?;
        Ok(Self {
            sgd,
            learning_rate,
            rms_reference,
        })
    }

    pub(super) fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn model(&self) -> &TwoValley {
        self.sgd.landscape()
    }

    /// exp(−y/y_d), which the derivatives of the landscape take as an argument.
    fn driving(&self, y: f64) -> f64 {
        (-y / self.model().parameters().y_d).exp()
    }

    /// C_xx of the full covariance, and by what a step along x is multiplied.
    fn noise(&self, x: f64, y: f64) -> (f64, f64) {
        let variance = self.sgd.noise().covariance(&Point::<2>::new(x, y))[(0, 0)];
        let gain = self
            .rms_reference
            .map_or(1.0, |reference| (reference / variance).sqrt());
        (variance, gain)
    }

    /// Law of x_{k+1} from (x, y).
    pub(super) fn step(&self, x: f64, y: f64) -> Result<Gaussian> {
        let (variance, gain) = self.noise(x, y);
        let slope = gain * self.model().derivatives(x, y, self.driving(y)).x;
        let (mean, standard_deviation) = self.sgd.step_law(x, slope, gain * gain * variance)?;
        Gaussian::new(x, mean, standard_deviation)
    }

    /// ∂L/∂y and ∂²L/∂y².
    pub(super) fn slow_gradient(&self, x: f64, y: f64) -> [f64; 2] {
        let d = self.model().derivatives(x, y, self.driving(y));
        [d.y, d.yy]
    }

    pub(super) fn floor_velocity(&self, y: f64) -> f64 {
        self.model().floor_velocity(y)
    }

    /// Minimum, stationary standard deviation of the linearised map, and barrier exponent ΔL/D of one valley.
    pub(super) fn valley(&self, side: Side, y: f64) -> Result<Valley> {
        let eta = self.learning_rate;
        let minimum = self.model().minimum(side, y);
        // A minimum at x = 0 belongs to both branches: step off it on the right side.
        let inside = if minimum == 0.0 {
            side.sign() * f64::MIN_POSITIVE
        } else {
            minimum
        };
        let (_, gain) = self.noise(inside, y);
        let curvature = gain * 2.0 / self.model().flatness(side, y);
        let product = eta * curvature;
        if product >= 2.0 {
            return Err(Error::Unstable {
                product,
                position: format!("({minimum:.4}, {y:.4})"),
                limit: 2.0 / curvature,
            });
        }
        let variance = self.step(inside, y)?.standard_deviation.powi(2);
        Ok(Valley {
            minimum,
            deviation: (variance / (product * (2.0 - product))).sqrt(),
            exponent: gain * self.model().barrier(y) * 2.0 * eta / variance,
        })
    }
}

/// The linearised map in one valley.
#[derive(Debug, Clone, Copy)]
pub(super) struct Valley {
    pub(super) minimum: f64,
    pub(super) deviation: f64,
    pub(super) exponent: f64,
}
