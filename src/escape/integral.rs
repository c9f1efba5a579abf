//! The mean first-passage time of one variable by exact quadrature, independent of the grid.

use super::problem::{LEVELS, PARTS, Problem};
use crate::error::{Error, Result};
use crate::math::Point;
use crate::rates::{Determined, ScaleAndSpeed};
use crate::region::{Boundary, PointSet};

/// What keeps [`mean_first_passage_time_integral`] from covering a problem; none when it does.
pub fn why_no_integral(problem: &Problem<1>) -> Option<&'static str> {
    let periodic = problem.domain().boundaries()[0].contains(&Boundary::Periodic);
    [
        (problem.start().as_point().is_none(), "the start is not a point"),
        (periodic, "the axis is periodic"),
        (
            problem.domain().restriction().is_some(),
            "the domain is a sublevel set",
        ),
    ]
    .into_iter()
    .find_map(|(applies, reason)| applies.then_some(reason))
}

/// The mean time to reach the nearest edges of the target, or ends that absorb, from the start point.
///
/// # Method
/// Quadrature in the calculus of the problem, see [`ScaleAndSpeed`]; nothing is taken from the grid but the width of what it may see: panels are no
/// wider than its finest cells.
///
/// # Errors
/// [`Error::Inconsistent`] where [`why_no_integral`] says why; those of [`ScaleAndSpeed`].
pub fn mean_first_passage_time_integral(problem: &Problem<1>) -> Result<Determined> {
    if let Some(reason) = why_no_integral(problem) {
        return Err(Error::Inconsistent {
            subject: "mean first-passage time by quadrature".into(),
            requirement: reason.into(),
        });
    }
    let [lower, upper] = problem.domain().bounds()[0];
    let start = problem.start().as_point().map_or(f64::NAN, |at| at[0]);
    let faces = |target: &PointSet<1>| {
        target
            .faces(problem.diffusion(), problem.domain().bounds())
            .unwrap_or_default()
    };
    let mut edges: Vec<f64> = problem
        .target()
        .map(faces)
        .unwrap_or_default()
        .iter()
        .map(|plane| plane.position)
        .filter(|x| *x > lower && *x < upper)
        .collect();
    edges.extend([lower, upper]);
    edges.sort_by(f64::total_cmp);
    // between two edges all points belong to the target or none
    let in_target = |a: f64, b: f64| problem.in_target(&Point::<1>::new(0.5 * (a + b)));
    let pieces = || edges.windows(2).filter(|e| in_target(e[0], e[1]));
    let absorbs = |side: usize| problem.domain().boundaries()[0][side] == Boundary::Absorbing;
    let left = pieces()
        .map(|e| e[1])
        .rfind(|x| *x <= start)
        .or(absorbs(0).then_some(lower));
    let right = pieces()
        .map(|e| e[0])
        .find(|x| *x >= start)
        .or(absorbs(1).then_some(upper));
    let diffusion = problem.discretised();
    let finest = problem.grid(PARTS[LEVELS - 1])?;
    let line = ScaleAndSpeed::new(&diffusion, lower, upper)?
        .in_calculus(problem.calculus())
        .with_panels_ending_at(finest.axes()[0].faces());
    match (left, right) {
        (Some(left), Some(right)) => line.mean_exit_time(start, left, right),
        (Some(edge), None) | (None, Some(edge)) => Ok(line.first_passage(start, edge)?.mean),
        (None, None) => Err(Error::EmptySet {
            name: "target".into(),
        }),
    }
}
