//! What all tasks of a configuration are about: landscape, noise, strength of the noise, region, and the seed.

use super::landscape_keys::LandscapeKeys;
use super::noise_keys::NoiseKeys;
use super::region_keys::RegionKeys;
use super::sgd_keys::SgdKeys;
use super::two_valley::TwoValleyModel;
use crate::error::{Error, Result};
use std::borrow::Cow;

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
        TwoValleyModel::new(
            self.landscape.two_valley().map_err(|e| e.at("landscape"))?,
            &*self.noise()?,
        )
    }
}
