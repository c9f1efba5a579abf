//! `[region]`: the part of parameter space in which the process lives.

use super::lists::{one_or_lists, one_or_lists_if_given};
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
    /// keep only the cells whose loss is below this
    #[serde(default)]
    pub sublevel: Option<f64>,
    /// what the edge of the sublevel set does
    #[serde(default = "reflecting")]
    pub sublevel_boundary: BoundaryName,
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
    /// The domain in D variables.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key of this section.
    pub fn domain<const D: usize>(&self) -> Result<Domain<D>> {
        let domain = Domain::new(pairs("domain", &self.domain)?)?;
        let edge_is_wall = self.sublevel_boundary == BoundaryName::Wall;
        let domain = match &self.boundaries {
            Some(given) => {
                let names = pairs("boundaries", given)?;
                let walls = names.map(|ends| ends.map(|end| end == BoundaryName::Wall));
                domain
                    .with_boundaries(names.map(|ends| ends.map(BoundaryName::get)))?
                    .with_walls(walls, edge_is_wall)
            }
            None => domain.with_walls([[false; 2]; D], edge_is_wall),
        };
        let edge = self.sublevel_boundary.get();
        if edge == Boundary::Periodic {
            return Err(Error::config(
                "sublevel_boundary",
                "the edge of a sublevel set reflects or absorbs",
            ));
        }
        match self.sublevel {
            Some(level) => {
                domain.restricted_to(PointSet::sublevel(level).map_err(|e| e.at("sublevel"))?, edge)
            }
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
