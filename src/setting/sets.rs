//! Sets of points as a configuration writes them.

use super::landscape::LandscapeKeys;
use super::model_keys::point;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::math::Formula;
use crate::region::{Basin, PointSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// the same set for grids and simulations
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SetKeys {
    /// |θ - centre| < radius; radius 0 is a point, allowed as a start
    Ball {
        /// centre
        centre: Vec<f64>,
        /// radius
        radius: f64,
    },
    /// an ellipse with its axes turned by the angle, in radian
    Ellipse {
        /// centre
        centre: Vec<f64>,
        /// semi-axes
        semi_axes: Vec<f64>,
        /// angle of the first axis to the first variable, radian, in the plane
        #[serde(default)]
        angle: f64,
    },
    /// lower < θ < upper in every coordinate
    Box {
        /// lower corner
        lower: Vec<f64>,
        /// upper corner
        upper: Vec<f64>,
    },
    /// normal·θ > offset
    HalfSpace {
        /// normal, of any length
        normal: Vec<f64>,
        /// offset
        offset: f64,
    },
    /// points that the noise-free motion takes where it takes the point `of`
    Basin {
        /// a point of the basin
        of: Vec<f64>,
    },
    /// loss below a value
    Sublevel {
        /// the value
        below: f64,
    },
    /// a condition left > right or left < right, "x^2 + y > 1"
    Expression(String),
    /// points in all of several sets
    All(Vec<SetKeys>),
}

impl SetKeys {
    /// The set as a configuration has it, with every number as a real one: sets that are written the same have the same text.
    ///
    /// # Errors
    /// [`Error::Config`] when it cannot be written.
    pub fn text(&self) -> Result<String> {
        let value = toml::Value::try_from(self).map_err(|error| Error::config("set", error.to_string()))?;
        Ok(value.to_string())
    }

    /// The set in D variables; basins are those of the noise-free motion of `diffusion` within `bounds`.
    ///
    /// # Errors
    /// [`Error::Config`] and others, relative to the key of the set.
    pub fn set<const D: usize>(
        &self,
        keys: &LandscapeKeys,
        diffusion: &dyn Diffusion<D>,
        bounds: &[[f64; 2]; D],
    ) -> Result<PointSet<D>> {
        match self {
            Self::Ball { centre, radius } => PointSet::ball(point("centre", centre)?, *radius),
            Self::Ellipse {
                centre,
                semi_axes,
                angle,
            } => PointSet::ellipse(point("centre", centre)?, point("semi_axes", semi_axes)?, *angle),
            Self::Box { lower, upper } => PointSet::between(point("lower", lower)?, point("upper", upper)?),
            Self::HalfSpace { normal, offset } => PointSet::half_space(point("normal", normal)?, *offset),
            Self::Basin { of } => Ok(PointSet::basin(Basin::new(diffusion, point("of", of)?, bounds)?)),
            Self::Sublevel { .. } if diffusion.landscape().is_none() => Err(Error::config(
                "sublevel",
                "a sublevel set needs a loss, not a drift",
            )),
            Self::Sublevel { below } => PointSet::sublevel(*below),
            Self::Expression(text) => {
                let condition = Formula::parse_condition(text, &keys.names::<D>(), &keys.parameters);
                Ok(PointSet::condition(condition.map_err(|e| e.at("expression"))?))
            }
            Self::All(parts) => {
                let parts = parts.iter().map(|part| part.set(keys, diffusion, bounds));
                PointSet::all(parts.collect::<Result<_>>()?)
            }
        }
    }
}
