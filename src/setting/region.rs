//! `[region]`: the part of parameter space in which the process lives.

use super::landscape::LandscapeKeys;
use super::lists::{one_or_lists, one_or_lists_if_given};
use super::sets::SetKeys;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::region::{Boundary, Domain, PointSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[region]`: where the process lives and what happens at the ends.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionKeys {
    /// lower and upper end of each axis, [[-2.5, 2.5]]; for one variable also [-2.5, 2.5]
    #[serde(deserialize_with = "one_or_lists")]
    pub domain: Vec<Vec<f64>>,
    /// what the lower and upper end of each axis do, [["reflecting", "absorbing"]], "wall" for one that reflects and is meant; all reflect unless given
    #[serde(default, deserialize_with = "one_or_lists_if_given")]
    pub boundaries: Option<Vec<Vec<BoundaryName>>>,
    /// keep only the points whose loss is below this
    #[serde(default)]
    pub sublevel: Option<f64>,
    /// keep only the points of this set, { expression = "x^2 + y^2 < 1" }; of a drift too
    #[serde(default)]
    pub within: Option<SetKeys>,
    /// what the edge of `sublevel` or `within` does
    #[serde(default = "reflecting", alias = "sublevel_boundary")]
    pub edge: BoundaryName,
    /// a set: where reflecting ends and edges lie in it, they absorb; in the plane
    #[serde(default)]
    pub window: Option<SetKeys>,
}

/// What an end of the domain does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoundaryName {
    /// no flux, where the grid must end; said when the density has not died out there
    Reflecting,
    /// no flux, at a wall of the problem
    Wall,
    /// the process ends there
    Absorbing,
    /// glued to the other end
    Periodic,
}

fn reflecting() -> BoundaryName {
    BoundaryName::Reflecting
}

impl BoundaryName {
    fn get(self) -> Boundary {
        match self {
            Self::Reflecting | Self::Wall => Boundary::Reflecting,
            Self::Absorbing => Boundary::Absorbing,
            Self::Periodic => Boundary::Periodic,
        }
    }
}

impl RegionKeys {
    /// Whether the region is a box and its ends are all there is to it.
    pub fn is_box(&self) -> bool {
        self.sublevel.is_none() && self.within.is_none() && self.window.is_none()
    }

    /// The box in D variables.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key of this section.
    pub fn domain<const D: usize>(&self) -> Result<Domain<D>> {
        let domain = Domain::new(pairs("domain", &self.domain)?)?;
        let edge_is_wall = self.edge == BoundaryName::Wall;
        match &self.boundaries {
            Some(given) => {
                let names = pairs("boundaries", given)?;
                let walls = names.map(|ends| ends.map(|end| end == BoundaryName::Wall));
                Ok(domain
                    .with_boundaries(names.map(|ends| ends.map(BoundaryName::get)))?
                    .with_walls(walls, edge_is_wall))
            }
            None => Ok(domain.with_walls([[false; 2]; D], edge_is_wall)),
        }
    }

    /// What of the box the process lives in, and where its walls let it out.
    ///
    /// # Errors
    /// [`Error::Config`] and others naming the key of this section.
    pub fn restricted<const D: usize>(
        &self,
        keys: &LandscapeKeys,
        diffusion: &dyn Diffusion<D>,
    ) -> Result<Domain<D>> {
        let mut domain = self.domain::<D>()?;
        let bounds = *domain.bounds();
        let set = |key: &str, set: &SetKeys| set.set(keys, diffusion, &bounds).map_err(|e| e.at(key));
        let level = |level: f64| PointSet::sublevel(level).map_err(|e| e.at("sublevel"));
        let mut parts = Vec::new();
        parts.extend(self.sublevel.map(level).transpose()?);
        parts.extend(
            self.within
                .as_ref()
                .map(|within| set("within", within))
                .transpose()?,
        );
        let edge = self.edge.get();
        if edge == Boundary::Periodic {
            return Err(Error::config("edge", "the edge of a set reflects or absorbs"));
        }
        if parts.len() > 1 {
            parts = vec![PointSet::all(parts)?];
        }
        if let Some(part) = parts.pop() {
            domain = domain.restricted_to(part, edge)?;
        }
        match &self.window {
            Some(window) => domain
                .with_window(set("window", window)?)
                .map_err(|e| e.at("window")),
            None => Ok(domain),
        }
    }
}

/// One pair a variable.
fn pairs<T: Copy, const D: usize>(key: &str, given: &[Vec<T>]) -> Result<[[T; 2]; D]> {
    let pairs: Option<Vec<[T; 2]>> = given.iter().map(|pair| pair.as_slice().try_into().ok()).collect();
    pairs.and_then(|pairs| pairs.try_into().ok()).ok_or_else(|| {
        Error::config(
            key,
            format!("{D} pair(s) are needed, one a variable, [[lower, upper], ...]"),
        )
    })
}
