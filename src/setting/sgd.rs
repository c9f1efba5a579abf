//! `[sgd]`: how strong the noise is.

use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the gradient of a step is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preconditioner {
    /// the root mean square of its noise, as RMSProp and Adam do: drift -L'/sqrt(C), D = Δ
    Rms,
}

/// `[sgd]`: learning rate η and batch size B, D = (η/2B) C; or the noise strength Δ = η/2B alone, D = Δ C. Tasks over several learning rates or noise
/// strengths have their own keys for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SgdKeys {
    /// η
    pub learning_rate: Option<f64>,
    /// B, 1 unless given
    pub batch_size: Option<f64>,
    /// Δ, in place of both
    pub noise_strength: Option<f64>,
    /// what steps are divided by, nothing unless given: in one variable, for `[escape]` and `[rare_events]`
    pub preconditioner: Option<Preconditioner>,
}

impl SgdKeys {
    /// Checks that the keys say one thing.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key.
    pub fn check(&self) -> Result<()> {
        match (self.learning_rate, self.batch_size, self.noise_strength) {
            (Some(_), _, None) | (None, None, Some(_)) => Ok(()),
            (_, _, Some(_)) => Err(Error::config(
                "noise_strength",
                "it stands for learning_rate and batch_size: give one or the other",
            )),
            (None, _, None) => Err(Error::config(
                "learning_rate",
                "this key is required unless noise_strength is given",
            )),
        }
    }
}
