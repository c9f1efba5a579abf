//! What happens at the ends of the axes, and how far a jump may reach.

use crate::diffusion::Calculus;
use crate::error::{Error, Result};
use crate::grid::{CellSet, Grid};
use crate::region::Boundary;

/// Which drift the jumps of a full tensor know.
///
/// All are second order. With [`JumpDrift::Centre`] the mean displacement is exact, and with it the rates of linear processes; with
/// [`JumpDrift::Integral`] the ratio of a jump and its reverse is, and with it the height of walls that turned tensors of strong anisotropy reach by
/// jumps of many cells, which the drift at the centre makes up to six times too high at 1:100. As their errors differ, each is a check of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JumpDrift {
    /// [`JumpDrift::Integral`] for jumps of more than two cells, [`JumpDrift::Centre`] for shorter ones.
    #[default]
    ByLength,
    /// That at the centre of the cell.
    Centre,
    /// ∫ D⁻¹ b along the jump: e^{U_i − U_j} for a constant D and b = −D ∇U, however long the jump.
    Integral,
}

impl JumpDrift {
    /// Whether a jump by so many cells along each axis knows the drift along its way.
    pub(super) fn is_integral(self, jump: [i32; 2]) -> bool {
        /// Longest jump, in cells along an axis, over which the drift at the start will do.
        const SHORT: i32 = 2;
        match self {
            Self::Centre => false,
            Self::Integral => true,
            Self::ByLength => jump.iter().any(|cells| cells.abs() > SHORT),
        }
    }
}

/// Choices of [`super::Generator::assemble_with`]; the default reflects everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Discretisation<const D: usize> {
    /// Interpretation of multiplicative noise; other than Ito only for tensors that are diagonal everywhere.
    pub calculus: Calculus,
    /// Lower and upper boundary of each axis.
    pub boundaries: [[Boundary; 2]; D],
    /// Cells that belong to the domain (a sublevel set of the landscape, say); none: all.
    pub domain: Option<CellSet>,
    /// What the faces between the domain and the other cells do.
    pub domain_boundary: Boundary,
    /// By cell, axis and side, the faces that absorb where they are reflecting ends of the grid or of the domain; none: none of them.
    pub window: Option<Vec<[[bool; 2]; D]>>,
    /// Largest jump in cells along an axis.
    pub reach: usize,
    /// The drift along jumps of a full tensor.
    pub jump_drift: JumpDrift,
}

impl<const D: usize> Default for Discretisation<D> {
    fn default() -> Self {
        Self {
            calculus: Calculus::Ito,
            boundaries: [[Boundary::Reflecting; 2]; D],
            domain: None,
            domain_boundary: Boundary::Reflecting,
            window: None,
            reach: 8,
            jump_drift: JumpDrift::default(),
        }
    }
}

impl<const D: usize> Discretisation<D> {
    pub(super) fn is_periodic(&self, axis: usize) -> bool {
        self.boundaries[axis][0] == Boundary::Periodic
    }

    pub(super) fn check(&self, grid: &Grid<D>) -> Result<()> {
        for (axis, [lower, upper]) in self.boundaries.iter().enumerate() {
            if (*lower == Boundary::Periodic) != (*upper == Boundary::Periodic) {
                return Err(Error::Inconsistent {
                    subject: format!("boundaries of axis {axis}"),
                    requirement: "either both ends of an axis are periodic or none".into(),
                });
            }
            let cells = grid.axes()[axis].cells();
            if *lower == Boundary::Periodic && cells < 3 {
                return Err(Error::InvalidParameter {
                    name: format!("cells of axis {axis}"),
                    value: cells as f64,
                    requirement: "a periodic axis needs at least three cells".into(),
                });
            }
        }
        if self.domain_boundary == Boundary::Periodic {
            return Err(Error::Inconsistent {
                subject: "domain_boundary".into(),
                requirement: "the edge of a domain reflects or absorbs".into(),
            });
        }
        let lengths = [
            (
                "domain",
                self.domain.as_ref().map(|domain| domain.members().len()),
            ),
            ("window", self.window.as_ref().map(Vec::len)),
        ];
        match lengths
            .into_iter()
            .find(|(_, length)| length.is_some_and(|n| n != grid.cells()))
        {
            Some((name, Some(got))) => Err(Error::DimensionMismatch {
                name: name.into(),
                expected: grid.cells(),
                got,
            }),
            _ => Ok(()),
        }
    }
}
