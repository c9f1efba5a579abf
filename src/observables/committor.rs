//! The committor: the probability to reach B before A.

use crate::error::Result;
use crate::generator::Generator;
use crate::grid::CellSet;

/// q_i = Pr(reach `b` before `a` | start in cell i); 0 in `a`, 1 in `b`.
///
/// # Formula
/// (K − L) q = (rate into b), K the killing into a ∪ b.
///
/// # Errors
/// [`crate::Error::OverlappingSets`]; [`crate::Error::Unreachable`] when some cell reaches neither.
///
/// # References
/// E and Vanden-Eijnden 2006.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::generator::Generator;
/// use freezeout::grid::{Axis, CellSet, Grid};
/// use freezeout::observables::committor;
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
/// let grid = Grid::new([Axis::with_faces_at(-2.0, 2.0, 400, &[-1.0, 0.0, 1.0])?]);
/// let (a, b) = (CellSet::new("a", &grid, |x| x[0] < -1.0)?, CellSet::new("b", &grid, |x| x[0] > 1.0)?);
/// let q = committor(&Generator::assemble(&ou, grid.clone())?, &a, &b)?;
/// assert!((grid.interpolate(&q, [0.0]) - 0.5).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn committor<const D: usize>(generator: &Generator<D>, a: &CellSet, b: &CellSet) -> Result<Vec<f64>> {
    a.require_disjoint(b)?;
    let both = a.union(b);
    let mut q = generator
        .resolvent_outside(&both)?
        .solve(&generator.killing_into(b))?;
    for (i, value) in q.iter_mut().enumerate() {
        if b.contains(i) {
            *value = 1.0;
        }
    }
    Ok(q)
}
