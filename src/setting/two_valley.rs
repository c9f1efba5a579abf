//! The two-valley model of a configuration: landscape and noise, with the ways in which tasks let them run.

use super::noise::{NoiseKeys, NoiseModel};
use crate::diffusion::Diffusion;
use crate::diffusion::Sgd;
use crate::ensemble::TwoValleyWalk;
use crate::error::{Error, Result, require, require_non_negative, require_positive};
use crate::landscape::{Side, Slice, TwoValley};
use crate::math::{Point, Tensor};
use crate::noise::{GradientNoise, HessianPower, Isotropic};
use crate::rates::ParabolicValleys;
use crate::transfer::{PathLaw, PathSettings, propagate};

/// What the authors' code adds to C/B.
const REGULARISER: f64 = 1e-8;

/// The two-valley landscape with a noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoValleyModel {
    landscape: TwoValley,
    noise: TwoValleyNoise,
}

/// The noises that the two-valley tasks know; the tasks themselves say how strong they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TwoValleyNoise {
    /// C/B = 2σ (strength·H₊^power + floor) + regulariser.
    HessianPower {
        /// Exponent p.
        power: f64,
        /// Factor.
        strength: f64,
        /// Added to the power of the curvature.
        floor: f64,
        /// Added to C/B of steps, whatever σ, as in the authors' code, so that C can be factorised. It has no limit η → 0 at fixed Δ and is below
        /// all errors: routes without steps do not know it, but for the density in the plane, which needs a positive D.
        regulariser: f64,
    },
    /// C/B = 2σ·strength·I.
    Isotropic {
        /// Factor.
        strength: f64,
    },
}

impl TwoValleyNoise {
    /// Refuses what is out of range, whatever the noise strength.
    fn check(&self, landscape: TwoValley) -> Result<()> {
        match *self {
            Self::HessianPower {
                power,
                strength,
                floor,
                regulariser,
            } => {
                require_positive("strength", strength)?;
                require_non_negative("floor", floor)?;
                HessianPower::new(landscape, power, strength, floor + regulariser)?;
            }
            Self::Isotropic { strength } => {
                require_positive("strength", strength)?;
            }
        }
        Ok(())
    }
}

/// Noise of a slice, known at run time only.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "few are alive at a time, and calls into them are hot: no box"
)]
pub enum SliceNoise {
    /// Power of the slice's own curvature.
    HessianPower(HessianPower<Slice<TwoValley>>),
    /// The same everywhere.
    Isotropic(Isotropic),
}

impl GradientNoise<1> for SliceNoise {
    fn covariance(&self, theta: &Point<1>) -> Tensor<1> {
        match self {
            Self::HessianPower(noise) => noise.covariance(theta),
            Self::Isotropic(noise) => noise.covariance(theta),
        }
    }
}

/// SGD's diffusion on a slice of fixed y.
pub type SliceSgd = Sgd<Slice<TwoValley>, SliceNoise>;

impl TwoValleyModel {
    /// The landscape with the noise of `[noise]`.
    ///
    /// # Errors
    /// [`Error::Config`] when the noise is none of [`TwoValleyNoise`], or a key is out of range.
    pub fn new(landscape: TwoValley, noise: &NoiseKeys) -> Result<Self> {
        if noise
            .calculus
            .is_some_and(|c| c != super::noise::CalculusName::Ito)
        {
            return Err(Error::config(
                "noise.calculus",
                "SGD evaluates its noise before the step: for this question the calculus is ito",
            ));
        }
        let number = |key, given| match noise.entry() {
            Some(entry) => entry.number(key, given),
            None => Err(Error::config(
                "model",
                "this question knows hessian_power and isotropic",
            )),
        };
        let strength = number("strength", noise.strength).map_err(|e| e.at("noise"))?;
        let noise = match noise.model {
            None | Some(NoiseModel::HessianPower) => TwoValleyNoise::HessianPower {
                power: number("power", noise.power).map_err(|e| e.at("noise"))?,
                strength,
                floor: number("floor", noise.floor).map_err(|e| e.at("noise"))?,
                regulariser: 0.0,
            },
            Some(NoiseModel::Isotropic) => TwoValleyNoise::Isotropic { strength },
            _ => {
                return Err(Error::config(
                    "noise.model",
                    "this question knows hessian_power and isotropic",
                ));
            }
        };
        noise.check(landscape).map_err(|e| e.at("noise"))?;
        Ok(Self { landscape, noise })
    }

    /// The landscape with the paper's noise C/B = 2σ H₊^power + 1e-8.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range.
    pub fn papers(landscape: TwoValley, power: f64) -> Result<Self> {
        let noise = TwoValleyNoise::HessianPower {
            power,
            strength: 1.0,
            floor: 0.0,
            regulariser: REGULARISER,
        };
        noise.check(landscape)?;
        Ok(Self { landscape, noise })
    }

    /// The same noise on another landscape.
    #[must_use]
    pub fn with_landscape(&self, landscape: TwoValley) -> Self {
        Self { landscape, ..*self }
    }

    /// The same landscape under another noise.
    #[must_use]
    pub fn with_noise(&self, noise: TwoValleyNoise) -> Self {
        Self { noise, ..*self }
    }

    /// The landscape.
    pub fn landscape(&self) -> &TwoValley {
        &self.landscape
    }

    /// Whether landscape and noise are the paper's, so that its stored results apply.
    pub fn is_papers(&self) -> bool {
        let is_papers = matches!(self.noise, TwoValleyNoise::HessianPower { strength: 1.0, .. });
        self.landscape == TwoValley::default() && is_papers && self.is_aligned()
    }

    /// Whether C ∝ H₊ but for a floor no higher than the paper's, which is below all errors.
    fn is_aligned(&self) -> bool {
        matches!(self.noise, TwoValleyNoise::HessianPower { power: 1.0, floor, .. } if floor <= REGULARISER)
    }

    /// Whether the paper's formulas apply: C ∝ H₊ and no ablation of the landscape.
    pub fn has_papers_formulas(&self) -> bool {
        self.is_aligned() && TwoValley::new(*self.landscape.parameters()) == Ok(self.landscape)
    }

    /// The slice at y with noise strength Δ as two parabolas of constant diffusivity: exact where the noise is a power of the curvature, none where it
    /// has a floor besides.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range.
    pub fn parabolic_valleys(&self, y: f64, noise_strength: f64) -> Result<Option<ParabolicValleys>> {
        let of = |(power, strength)| {
            ParabolicValleys::of_two_valley(&self.landscape, y, power, noise_strength * strength)
        };
        self.power_of_curvature().map(of).transpose()
    }

    /// p and the factor s of C = s H^p, up to a floor no higher than the paper's, which is below all errors; none for a higher floor.
    pub fn power_of_curvature(&self) -> Option<(f64, f64)> {
        match self.noise {
            TwoValleyNoise::HessianPower { floor, .. } if floor > REGULARISER => None,
            TwoValleyNoise::HessianPower { power, strength, .. } => Some((power, strength)),
            TwoValleyNoise::Isotropic { strength } => Some((0.0, strength)),
        }
    }

    /// SGD in the plane with learning rate η and C/B = 2σ C(θ).
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range.
    pub fn walk(&self, learning_rate: f64, sigma: f64) -> Result<TwoValleyWalk> {
        match self.noise {
            TwoValleyNoise::HessianPower {
                power,
                strength,
                floor,
                regulariser,
            } => TwoValleyWalk::discrete(&Sgd::hessian_power(
                self.landscape,
                power,
                learning_rate,
                sigma * strength,
                2.0 * sigma * floor + regulariser,
            )?),
            TwoValleyNoise::Isotropic { strength } => {
                TwoValleyWalk::discrete(&Sgd::isotropic(self.landscape, learning_rate, sigma * strength)?)
            }
        }
    }

    /// Refuses a noise strength Δ, called `name`, under which there are no valleys up to y = `end`, or valleys too narrow for a grid across both.
    ///
    /// # Formula
    /// The lower of the two barriers in noise temperatures, E = ΔL/D at y = `end`, where it is highest; a bottom lies sqrt(2E) standard deviations of its
    /// valley from the ridge. .03 ≤ E ≤ 5e6 is allowed: below, runs do not notice the ridge; above, a deviation is a 3000th of the distance, and all
    /// routes across the ridge say what is known before, that nothing hops.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`].
    pub fn check_strength(&self, name: &str, noise_strength: f64, end: f64) -> Result<()> {
        const BARRIERS: [f64; 2] = [0.03, 5e6];
        // E is proportional to 1/Δ
        let unit = self.slice(end, 1.0)?;
        let barriers = Side::BOTH.map(|side| {
            let bottom = Point::<1>::new(self.landscape.minimum(side, end));
            self.landscape.barrier(end) / unit.tensor(&bottom)[0]
        });
        let lowest = barriers[0].min(barriers[1]);
        let [strongest, weakest] = BARRIERS.map(|barrier| lowest / barrier);
        let requirement = format!(
            "at y = {end} the lower barrier is {:.1e} noise temperatures; between {weakest:.1e} and {strongest:.1e} there are valleys that a grid can hold",
            lowest / noise_strength
        );
        require(
            name,
            noise_strength,
            |strength| (weakest..=strongest).contains(&strength),
            &requirement,
        )?;
        Ok(())
    }

    /// Δ = ησ·strength of [`TwoValleyModel::walk`].
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range.
    pub fn noise_strength(&self, learning_rate: f64, sigma: f64) -> Result<f64> {
        let (TwoValleyNoise::HessianPower { strength, .. } | TwoValleyNoise::Isotropic { strength }) =
            self.noise;
        Ok(Sgd::isotropic(self.landscape, learning_rate, sigma * strength)?.noise_strength())
    }

    /// Law of x under the SGD map while y moves on its mean path; the same noise as [`TwoValleyModel::walk`].
    ///
    /// # Errors
    /// Those of [`crate::transfer::propagate`].
    pub fn path_law(&self, learning_rate: f64, sigma: f64, settings: &PathSettings) -> Result<PathLaw> {
        match self.noise {
            TwoValleyNoise::HessianPower {
                power,
                strength,
                floor,
                regulariser,
            } => propagate(
                &Sgd::hessian_power(
                    self.landscape,
                    power,
                    learning_rate,
                    sigma * strength,
                    2.0 * sigma * floor + regulariser,
                )?,
                settings,
            ),
            TwoValleyNoise::Isotropic { strength } => propagate(
                &Sgd::isotropic(self.landscape, learning_rate, sigma * strength)?,
                settings,
            ),
        }
    }

    /// [`TwoValleyModel::path_law`] with that of [`PathSettings::coarser`], whose difference bounds its error.
    ///
    /// # Errors
    /// Those of [`crate::transfer::propagate`].
    pub fn path_laws(&self, learning_rate: f64, sigma: f64, settings: &PathSettings) -> Result<[PathLaw; 2]> {
        let law = |settings: &PathSettings| self.path_law(learning_rate, sigma, settings);
        Ok([law(settings)?, law(&settings.coarser())?])
    }

    /// The diffusion in the plane, D = Δ (strength·H₊^p + floor + regulariser).
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range, [`Error::Config`] for isotropic noise, which the planar route does not serve.
    pub fn plane(&self, noise_strength: f64) -> Result<Sgd<TwoValley, HessianPower<TwoValley>>> {
        let TwoValleyNoise::HessianPower {
            power,
            strength,
            floor,
            regulariser,
        } = self.noise
        else {
            return Err(Error::config(
                "noise.model",
                "the planar route needs hessian_power noise",
            ));
        };
        let noise = HessianPower::new(self.landscape, power, strength, floor + regulariser)?;
        Sgd::with_noise_strength(self.landscape, noise, noise_strength)
    }

    /// The control: D = Δ on the slice at y.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range.
    pub fn isotropic_slice(&self, y: f64, noise_strength: f64) -> Result<SliceSgd> {
        let noise = SliceNoise::Isotropic(Isotropic::new(1.0)?);
        Sgd::with_noise_strength(Slice::new(self.landscape, y)?, noise, noise_strength)
    }

    /// The diffusion on the slice at y with noise strength Δ: D = Δ (strength·(∂²L/∂x²)^p + floor), or Δ·strength.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a parameter out of range.
    pub fn slice(&self, y: f64, noise_strength: f64) -> Result<SliceSgd> {
        let slice = Slice::new(self.landscape, y)?;
        let noise = match self.noise {
            TwoValleyNoise::HessianPower {
                power,
                strength,
                floor,
                ..
            } => SliceNoise::HessianPower(HessianPower::new(slice, power, strength, floor)?),
            TwoValleyNoise::Isotropic { strength } => SliceNoise::Isotropic(Isotropic::new(strength)?),
        };
        Sgd::with_noise_strength(slice, noise, noise_strength)
    }
}
