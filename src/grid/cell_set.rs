//! Sets of cells: starts, targets, valleys.

use super::product::Grid;
use crate::error::{Error, Result};
use crate::math::Point;

/// A named subset of the cells of a grid, not empty unless made by [`CellSet::none`].
#[derive(Debug, Clone, PartialEq)]
pub struct CellSet {
    name: String,
    member: Vec<bool>,
}

impl CellSet {
    /// The cells whose centre satisfies `predicate`.
    ///
    /// # Errors
    /// [`Error::EmptySet`] when there is none.
    pub fn new<const D: usize>(
        name: &str,
        grid: &Grid<D>,
        predicate: impl Fn(&Point<D>) -> bool,
    ) -> Result<Self> {
        let member = (0..grid.cells()).map(|cell| predicate(&grid.centre(cell)));
        Self::of_members(name, member.collect())
    }

    /// The cells that are marked.
    ///
    /// # Errors
    /// As [`CellSet::new`].
    pub(crate) fn of_members(name: &str, member: Vec<bool>) -> Result<Self> {
        if member.contains(&true) {
            Ok(Self {
                name: name.into(),
                member,
            })
        } else {
            Err(Error::EmptySet { name: name.into() })
        }
    }

    /// The empty set: the target of a process that ends at absorbing boundaries only.
    pub fn none<const D: usize>(name: &str, grid: &Grid<D>) -> Self {
        Self {
            name: name.into(),
            member: vec![false; grid.cells()],
        }
    }

    /// Name used in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the set contains cell `cell`.
    pub fn contains(&self, cell: usize) -> bool {
        self.member[cell]
    }

    /// Membership of every cell.
    pub fn members(&self) -> &[bool] {
        &self.member
    }

    /// The cells in either set.
    pub fn union(&self, other: &Self) -> Self {
        Self {
            name: format!("{} or {}", self.name, other.name),
            member: self
                .member
                .iter()
                .zip(&other.member)
                .map(|(a, b)| *a || *b)
                .collect(),
        }
    }

    /// Checks that two sets share no cell.
    ///
    /// # Errors
    /// [`Error::OverlappingSets`].
    pub fn require_disjoint(&self, other: &Self) -> Result<()> {
        let cells = self
            .member
            .iter()
            .zip(&other.member)
            .filter(|(a, b)| **a && **b)
            .count();
        if cells == 0 {
            return Ok(());
        }
        Err(Error::OverlappingSets {
            first: self.name.clone(),
            second: other.name.clone(),
            cells,
        })
    }
}
