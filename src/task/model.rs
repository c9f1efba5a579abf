//! From names to objects: the only place that matches on the models of a configuration.

use super::config::{Config, LandscapeModel, NoiseConfig, NoiseModel};
use crate::diffusion::{Diffusion, Sgd};
use crate::ensemble::TwoValleyWalk;
use crate::error::{Error, Result, require_non_negative};
use crate::landscape::{Kink, Slice, TwoValley, TwoValleyParameters};
use crate::math::{Point, Tensor};
use crate::noise::{HessianPower, Isotropic};
use crate::transfer::{PathLaw, PathSettings, propagate};

/// The landscape and noise of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    landscape: TwoValley,
    noise: NoiseConfig,
}

/// The diffusion on a slice of fixed y, with the noise known at run time only.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(clippy::large_enum_variant)] // few are alive at a time, and calls into them are hot: no box
pub enum SliceDiffusion {
    /// Hessian-power noise of the slice's own curvature.
    HessianPower(Sgd<Slice<TwoValley>, HessianPower<Slice<TwoValley>>>),
    /// Isotropic noise.
    Isotropic(Sgd<Slice<TwoValley>, Isotropic>),
}

impl Diffusion<1> for SliceDiffusion {
    fn drift(&self, theta: &Point<1>) -> Point<1> {
        match self {
            Self::HessianPower(sgd) => sgd.drift(theta),
            Self::Isotropic(sgd) => sgd.drift(theta),
        }
    }
    fn tensor(&self, theta: &Point<1>) -> Tensor<1> {
        match self {
            Self::HessianPower(sgd) => sgd.tensor(theta),
            Self::Isotropic(sgd) => sgd.tensor(theta),
        }
    }
    fn kinks(&self) -> Vec<Kink> {
        match self {
            Self::HessianPower(sgd) => sgd.kinks(),
            Self::Isotropic(sgd) => sgd.kinks(),
        }
    }
}

impl Model {
    /// Builds the model and checks every parameter.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key that is out of range.
    pub fn new(config: &Config) -> Result<Self> {
        let l = &config.landscape;
        let LandscapeModel::TwoValley = l.model;
        let parameters = TwoValleyParameters {
            f0: l.f0,
            x0: l.x0,
            x1: l.x1,
            x2: l.x2,
            y_f: l.y_f,
            y_b: l.y_b,
            y_d: l.y_d,
            l_d: l.l_d,
        };
        let mut landscape = TwoValley::new(parameters).map_err(|e| under("landscape", e))?;
        if let Some(y) = l.barrier_at {
            landscape = landscape.with_barrier_at(y).map_err(|e| under("landscape", e))?;
        }
        if let Some(y) = l.flatness_at {
            landscape = landscape.with_flatness_at(y).map_err(|e| under("landscape", e))?;
        }
        let model = Self {
            landscape,
            noise: config.noise.clone(),
        };
        let n = &config.noise;
        for (name, value) in [("power", n.power), ("floor", n.floor), ("curvature", n.curvature)] {
            require_non_negative(name, value).map_err(|e| under("noise", e))?;
        }
        // Building one walk checks the rest.
        model.walk(0.01, 0.01).map_err(|e| under("noise", e))?;
        Ok(model)
    }

    /// The same noise on another landscape.
    #[must_use]
    pub fn with_landscape(&self, landscape: TwoValley) -> Self {
        Self {
            landscape,
            noise: self.noise.clone(),
        }
    }

    /// The same landscape under another noise.
    #[must_use]
    pub fn with_noise(&self, noise: NoiseConfig) -> Self {
        Self {
            landscape: self.landscape,
            noise,
        }
    }

    /// The landscape.
    pub fn landscape(&self) -> &TwoValley {
        &self.landscape
    }

    /// Whether landscape and noise are the paper's, so that its stored results apply.
    pub fn is_papers(&self) -> bool {
        self.landscape == TwoValley::default() && self.noise == NoiseConfig::default()
    }

    /// Whether the paper's formulas apply: C ∝ H₊ and no ablation of the landscape.
    pub fn has_papers_formulas(&self) -> bool {
        let unablated = TwoValley::new(*self.landscape.parameters());
        self.noise.model == NoiseModel::HessianPower
            && self.noise.power == 1.0
            && unablated == Ok(self.landscape)
    }

    /// SGD in the plane with learning rate η and C/B = 2σ H₊^p + floor (or 2σ h I).
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range.
    pub fn walk(&self, learning_rate: f64, sigma: f64) -> Result<TwoValleyWalk> {
        let n = &self.noise;
        match n.model {
            NoiseModel::HessianPower => TwoValleyWalk::discrete(&Sgd::hessian_power(
                self.landscape,
                n.power,
                learning_rate,
                sigma,
                n.floor,
            )?),
            NoiseModel::Isotropic => {
                let noise = Isotropic::new(2.0 * sigma * n.curvature)?;
                TwoValleyWalk::discrete(&Sgd::new(self.landscape, noise, learning_rate, 1.0)?)
            }
        }
    }

    /// Law of x under the SGD map while y moves on its mean path; the same noise as [`Model::walk`].
    ///
    /// # Errors
    /// Those of [`crate::transfer::propagate`].
    pub fn path_law(&self, learning_rate: f64, sigma: f64, settings: &PathSettings) -> Result<PathLaw> {
        let n = &self.noise;
        match n.model {
            NoiseModel::HessianPower => propagate(
                &Sgd::hessian_power(self.landscape, n.power, learning_rate, sigma, n.floor)?,
                settings,
            ),
            NoiseModel::Isotropic => {
                let noise = Isotropic::new(2.0 * sigma * n.curvature)?;
                propagate(&Sgd::new(self.landscape, noise, learning_rate, 1.0)?, settings)
            }
        }
    }

    /// The diffusion in the plane under Hessian-power noise of strength Δ, with the configured floor at η = 0.01.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range, or for isotropic noise, which the planar route does not serve.
    pub fn plane(&self, noise_strength: f64) -> Result<Sgd<TwoValley, HessianPower<TwoValley>>> {
        let n = &self.noise;
        match n.model {
            // D = η/2 (2σ H^p + floor): only the floor depends on η, and it is negligible.
            NoiseModel::HessianPower => {
                Sgd::hessian_power(self.landscape, n.power, 0.01, noise_strength / 0.01, n.floor)
            }
            NoiseModel::Isotropic => Err(Error::Config {
                key: "noise.model".into(),
                message: "the planar route needs hessian_power noise".into(),
            }),
        }
    }

    /// The control: D = Δ on the slice at y.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range.
    pub fn isotropic_slice(&self, y: f64, noise_strength: f64) -> Result<Sgd<Slice<TwoValley>, Isotropic>> {
        Sgd::new(
            Slice::new(self.landscape, y)?,
            Isotropic::new(2.0 * noise_strength)?,
            1.0,
            1.0,
        )
    }

    /// The diffusion on the slice at y with noise strength Δ: D = Δ (∂²L/∂x²)^p, or Δ h. No floor.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range.
    pub fn slice(&self, y: f64, noise_strength: f64) -> Result<SliceDiffusion> {
        let slice = Slice::new(self.landscape, y)?;
        let n = &self.noise;
        // η and σ enter as their product only.
        Ok(match n.model {
            NoiseModel::HessianPower => {
                SliceDiffusion::HessianPower(Sgd::hessian_power(slice, n.power, 1.0, noise_strength, 0.0)?)
            }
            NoiseModel::Isotropic => {
                let noise = Isotropic::new(2.0 * noise_strength * n.curvature)?;
                SliceDiffusion::Isotropic(Sgd::new(slice, noise, 1.0, 1.0)?)
            }
        })
    }
}

/// Prefixes the parameter of an error with the section of the configuration it came from.
pub(crate) fn under(section: &str, error: Error) -> Error {
    match error {
        Error::InvalidParameter {
            name,
            value,
            requirement,
        } => Error::Config {
            key: format!("{section}.{name}"),
            message: format!("{value} is not allowed: {requirement}"),
        },
        Error::EmptySet { name } => Error::Config {
            key: format!("{section}.{name}"),
            message: "the set is empty".into(),
        },
        Error::Unstable { .. } => Error::Config {
            key: section.into(),
            message: error.to_string(),
        },
        other => other,
    }
}
