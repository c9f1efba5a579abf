//! The mean first-passage time of one variable by exact quadrature, independent of the grid.

use super::problem::Problem;
use crate::error::{Error, Result};
use crate::math::Point;
use crate::output::{Group, Record};
use crate::rates::{Determined, ScaleAndSpeed};
use crate::region::Boundary;

const NAME: &str = "mean_first_passage_time_integral";

/// Adds the time with its error to `group`, or the attribute that says why there is none.
pub(super) fn push(problem: &Problem<1>, group: &mut Group) -> Result<()> {
    let found = match why_not(problem) {
        Some(reason) => Err(reason.to_string()),
        None => time(problem).map_err(|e| e.to_string()),
    };
    match found {
        Ok(time) if time.value.is_finite() => {
            group.push(Record::scalar(NAME, "time", time.value)?.with_symbol("τ").with_description(
                "mean first-passage time from the start point by exact quadrature of the Ito equation, no grid",
            ))?;
            let error = time.value * time.relative_error;
            group.push(
                Record::scalar(&format!("{NAME}_error"), "time", error)?.with_description(
                    "change when every panel of the quadrature is halved, at least rounding",
                ),
            )
        }
        Ok(_) => group.set_attribute(&format!("{NAME}_left_out"), "it exceeds the largest number"),
        Err(reason) => group.set_attribute(&format!("{NAME}_left_out"), reason),
    }
}

/// What the quadrature does not cover.
fn why_not(problem: &Problem<1>) -> Option<&'static str> {
    let periodic = problem.boundaries()[0].contains(&Boundary::Periodic);
    [
        (problem.start.as_point().is_none(), "the start is not a point"),
        (periodic, "the axis is periodic"),
        (problem.sublevel.is_some(), "the domain is a sublevel set"),
        // div D is a point mass on a jump of D, which a quadrature between kinks leaves out
        (
            problem.calculus.alpha() != 0.0 && problem.has_kinks(),
            "with kinks the calculus must be Ito",
        ),
    ]
    .into_iter()
    .find_map(|(applies, reason)| applies.then_some(reason))
}

/// The mean time to reach the nearest edges of the target, or ends that absorb.
fn time(problem: &Problem<1>) -> Result<Determined> {
    let [lower, upper] = problem.bounds[0];
    let start = problem.start.as_point().map_or(f64::NAN, |at| at[0]);
    let mut edges = match &problem.target {
        Some(target) => target.faces(&problem.drift, &problem.bounds).unwrap_or_default(),
        None => Vec::new(),
    }
    .iter()
    .map(|plane| plane.position)
    .filter(|x| *x > lower && *x < upper)
    .collect::<Vec<f64>>();
    edges.extend([lower, upper]);
    edges.sort_by(f64::total_cmp);
    // between two edges all points belong to the target or none
    let in_target = |a: f64, b: f64| problem.in_target(&Point::<1>::new(0.5 * (a + b)));
    let pieces = || edges.windows(2).filter(|e| in_target(e[0], e[1]));
    let absorbs = |side: usize| problem.boundaries()[0][side] == Boundary::Absorbing;
    let left = pieces()
        .map(|e| e[1])
        .rfind(|x| *x <= start)
        .or(absorbs(0).then_some(lower));
    let right = pieces()
        .map(|e| e[0])
        .find(|x| *x >= start)
        .or(absorbs(1).then_some(upper));
    let diffusion = problem.ito();
    let line = ScaleAndSpeed::new(&diffusion, lower, upper)?;
    match (left, right) {
        (Some(left), Some(right)) => line.mean_exit_time(start, left, right),
        (Some(edge), None) | (None, Some(edge)) => Ok(line.first_passage(start, edge)?.mean),
        (None, None) => Err(Error::EmptySet {
            name: "target".into(),
        }),
    }
}
