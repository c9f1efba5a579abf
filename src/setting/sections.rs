//! What all tasks of a configuration are about: landscape, noise, strength of the noise, region, and the seed.

use super::landscape::{AnyLandscape, LandscapeKeys};
use super::noise::{AnyNoise, NoiseKeys};
use super::region::RegionKeys;
use super::sgd::{Preconditioner, SgdKeys};
use super::two_valley::TwoValleyModel;
use crate::diffusion::{Diffusion, DriftDiffusion, DriftExpression, RmsPreconditioned, Sgd};
use crate::error::{Error, Result};
use crate::math::Point;
use crate::region::{Boundary, Domain};
use std::borrow::Cow;

/// How the landscape of D variables is built from its keys.
pub type Landscape<const D: usize> = fn(&LandscapeKeys) -> Result<AnyLandscape<D>>;

/// A diffusion known at run time only.
pub type AnyDiffusion<const D: usize> = Box<dyn Diffusion<D> + Send>;

/// What `[sgd]` says.
enum Strength {
    /// η and B.
    Steps(f64, f64),
    /// Δ.
    Limit(f64),
}

/// Puts an error into `section`, unless its key begins with that of another section already.
fn in_section(section: &str, other: &str, error: Error) -> Error {
    match &error {
        Error::Config { key, .. } | Error::At { key, .. } if key.starts_with(other) => error,
        _ => error.at(section),
    }
}

/// The sections that mean the same for every task.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Seed of all random streams.
    pub seed: u64,
    /// `[landscape]`.
    pub landscape: LandscapeKeys,
    /// `[noise]`, if given.
    pub noise: Option<NoiseKeys>,
    /// `[sgd]`, if given.
    pub sgd: Option<SgdKeys>,
    /// `[region]`, if given.
    pub region: Option<RegionKeys>,
}

impl Setting {
    /// The same in the plane with half of the points of its tables along an axis; none without a table that has enough of them.
    ///
    /// # Errors
    /// [`Error::Config`] and [`Error::Input`] for a table that cannot be read.
    pub fn with_thinned_tables(&self, axis: usize) -> Result<Option<Self>> {
        let kinks = self.landscape.kinks::<2>()?;
        let loss = self
            .landscape
            .table
            .as_ref()
            .map(|table| table.thinned(axis, &kinks));
        let loss = loss.transpose().map_err(|e| e.at("landscape.table"))?.flatten();
        let noise = self.noise.as_ref().and_then(|noise| noise.table.as_ref());
        let noise = noise.map(|table| table.thinned(axis, &kinks)).transpose();
        let noise = noise.map_err(|e| e.at("noise.table"))?.flatten();
        if loss.is_none() && noise.is_none() {
            return Ok(None);
        }
        let mut thinned = self.clone();
        if loss.is_some() {
            thinned.landscape.table = loss;
        }
        if let (Some(keys), true) = (&mut thinned.noise, noise.is_some()) {
            keys.table = noise;
        }
        Ok(Some(thinned))
    }

    /// The noise: that of `[noise]`, or of the two-valley model the paper's.
    ///
    /// # Errors
    /// [`Error::Config`] when a landscape of one's own comes without a noise, or a key of the section is wrong.
    pub fn noise(&self) -> Result<Cow<'_, NoiseKeys>> {
        match &self.noise {
            Some(noise) => {
                noise.check().map_err(|e| e.at("noise"))?;
                Ok(Cow::Borrowed(noise))
            }
            None if self.landscape.two_valley().is_ok() => Ok(Cow::Owned(NoiseKeys::papers())),
            None => Err(Error::config(
                "noise",
                "this section is required: only the two-valley model has a noise of its own",
            )),
        }
    }

    /// `[region]`.
    ///
    /// # Errors
    /// [`Error::Config`] when it is not given.
    pub fn region(&self) -> Result<&RegionKeys> {
        let region = self.region.as_ref();
        region.ok_or_else(|| Error::config("region", "this section is required"))
    }

    /// The box of `[region]` for a question to which its ends are but where nothing gets; `otherwise` says what is wanted.
    ///
    /// # Errors
    /// [`Error::Config`] when the section is missing, wrong, or more than a domain.
    pub fn whole_domain<const D: usize>(&self, otherwise: &str) -> Result<Domain<D>> {
        let region = self.region()?;
        let domain = region.domain::<D>().map_err(|e| e.at("region"))?;
        if *domain.boundaries() != [[Boundary::Reflecting; 2]; D] || !region.is_box() {
            return Err(Error::config("region", otherwise));
        }
        self.landscape
            .check_kinks(domain.bounds())
            .map_err(|e| e.at("landscape"))?;
        Ok(domain)
    }

    /// The diffusion in D variables: SGD on the landscape, its limit of small steps, or a drift that is no gradient. Without `[sgd]` the noise is D
    /// itself.
    ///
    /// # Errors
    /// [`Error::Config`] and others naming the key that is wrong.
    pub fn diffusion<const D: usize>(&self, landscape: Landscape<D>) -> Result<AnyDiffusion<D>> {
        let preconditioner = self.sgd.and_then(|sgd| sgd.preconditioner);
        let Some(texts) = &self.landscape.drift else {
            let sgd = self.plain_sgd(landscape)?;
            return match preconditioner {
                None => Ok(Box::new(sgd)),
                Some(Preconditioner::Rms) if D == 1 => {
                    self.require_noise(&sgd)?;
                    Ok(Box::new(RmsPreconditioned::new(sgd)))
                }
                Some(Preconditioner::Rms) => Err(Error::config(
                    "sgd.preconditioner",
                    "steps are divided by the rms of the noise in one variable only",
                )),
            };
        };
        if preconditioner.is_some() {
            return Err(Error::config(
                "sgd.preconditioner",
                "steps are divided along the gradient of a loss: give loss or model in place of landscape.drift",
            ));
        }
        let noise = self.covariance(landscape)?;
        let texts: [&str; D] = std::array::from_fn(|d| texts.get(d).map_or("", String::as_str));
        let keys = &self.landscape;
        let drift = DriftExpression::new(&texts, &keys.names::<D>(), &keys.parameters);
        let drift = drift.map_err(|e| e.at("drift").at("landscape"))?;
        let diffusion = match self.strength() {
            Strength::Steps(rate, batch) => DriftDiffusion::of_map(drift, noise, rate, batch),
            Strength::Limit(strength) => DriftDiffusion::new(drift, noise, strength),
        };
        let kinks = keys.kinks::<D>().map_err(|e| e.at("landscape"))?;
        Ok(Box::new(diffusion.map_err(|e| e.at("sgd"))?.with_kinks(kinks)))
    }

    /// SGD on the landscape in D variables, or its limit of small steps.
    ///
    /// # Errors
    /// [`Error::Config`] and others naming the key that is wrong; a drift that is no gradient is refused, and so are steps that are divided.
    pub fn sgd<const D: usize>(&self, landscape: Landscape<D>) -> Result<Sgd<AnyLandscape<D>, AnyNoise<D>>> {
        if self.sgd.is_some_and(|sgd| sgd.preconditioner.is_some()) {
            return Err(Error::config(
                "sgd.preconditioner",
                "this question is about plain steps: ask it in a file of its own, without the key",
            ));
        }
        self.plain_sgd(landscape)
    }

    /// Refuses noise that vanishes somewhere in the domain: steps cannot be divided by it.
    fn require_noise<const D: usize>(&self, sgd: &Sgd<AnyLandscape<D>, AnyNoise<D>>) -> Result<()> {
        const LOOKS: usize = 1000;
        let ends = self.region.as_ref().and_then(|region| region.domain.first());
        let Some([lower, upper]) = ends.map(Vec::as_slice) else {
            return Ok(());
        };
        let at = |k: usize| lower + (upper - lower) * (k as f64 + 0.5) / LOOKS as f64;
        let vanishes = |x: &f64| !(sgd.tensor(&Point::<D>::repeat(*x))[(0, 0)] > 0.0);
        match (0..LOOKS).map(at).find(vanishes) {
            None => Ok(()),
            Some(x) => Err(Error::config(
                "sgd.preconditioner",
                format!(
                    "the noise vanishes at {x:.4}, and steps are divided by it: give noise.floor, or another noise"
                ),
            )),
        }
    }

    fn plain_sgd<const D: usize>(
        &self,
        landscape: Landscape<D>,
    ) -> Result<Sgd<AnyLandscape<D>, AnyNoise<D>>> {
        let noise = self.covariance(landscape)?;
        let loss = landscape(&self.landscape).map_err(|e| e.at("landscape"))?;
        let mean = self.noise()?.mean_landscape(loss).map_err(|e| e.at("noise"))?;
        let sgd = match self.strength() {
            Strength::Steps(rate, batch) => Sgd::new(mean, noise, rate, batch),
            Strength::Limit(strength) => Sgd::with_noise_strength(mean, noise, strength),
        };
        sgd.map_err(|e| e.at("sgd"))
    }

    fn covariance<const D: usize>(&self, landscape: Landscape<D>) -> Result<AnyNoise<D>> {
        let domain = self.region.as_ref().map_or(&[][..], |region| &region.domain);
        let loss = || landscape(&self.landscape).map_err(|e| e.at("landscape"));
        let covariance = self.noise()?.covariance(&self.landscape, loss, domain);
        covariance.map_err(|e| in_section("noise", "landscape.", e))
    }

    fn strength(&self) -> Strength {
        let sgd = self.sgd.unwrap_or_default();
        match (sgd.learning_rate, sgd.noise_strength) {
            (Some(rate), _) => Strength::Steps(rate, sgd.batch_size.unwrap_or(1.0)),
            (None, strength) => Strength::Limit(strength.unwrap_or(1.0)),
        }
    }

    /// The two-valley model in the plane with its noise.
    ///
    /// # Errors
    /// [`Error::Config`] when landscape or noise are others, naming the key.
    pub fn two_valley(&self) -> Result<TwoValleyModel> {
        self.landscape.dimension().map_err(|e| e.at("landscape"))?;
        if self.landscape.y.is_some() {
            return Err(Error::config(
                "landscape.y",
                "this question moves y itself: leave the key out",
            ));
        }
        let landscape = self.landscape.two_valley().map_err(|e| e.at("landscape"))?;
        match &self.noise {
            Some(_) => TwoValleyModel::new(landscape, &*self.noise()?),
            None => TwoValleyModel::papers(landscape, 1.0),
        }
    }
}
