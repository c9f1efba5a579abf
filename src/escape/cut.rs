//! What reflecting ends of the domain cut off, when they stand only because a grid must end somewhere.

use super::problem::Problem;
use super::vanishing_noise::FellerBoundary;
use crate::grid::Grid;
use crate::region::Boundary;

/// Probability beyond an end above which the domain is called too small: what it does to times and rates is of the same relative size.
pub const CUT: f64 = 1e-6;
/// Probability beyond the ends of the domain that is suggested instead.
const SUGGESTED: f64 = 1e-9;

/// A reflecting end that is no wall of the problem; see [`cuts`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Axis and side (0 lower, 1 upper) of an end of the box; none for the edge of the set to which the domain is restricted.
    pub end: Option<(usize, usize)>,
    /// Probability that would lie beyond it.
    pub probability: f64,
    /// Where the end could stand; none where the density does not fall towards it, or the edge is that of a set.
    pub suggestion: Option<f64>,
}

/// The probability beyond each reflecting end that is not declared a wall, for a density on the cells of a grid of the problem.
///
/// # Formula
/// Σ over the cells at the end of p ℓ dA, with the decay length ℓ = d/ln(p'/p) of the last two cells at distance d; where the density does
/// not fall ℓ is the length of the axis.
///
/// # Method
/// Right for an exponential tail, too much for one that falls faster, as in every confining loss.
pub fn cuts<const D: usize>(problem: &Problem<D>, grid: &Grid<D>, density: &[f64]) -> Vec<Cut> {
    let domain = problem.domain();
    let inside: Option<Vec<bool>> = domain.restriction().map(|_| {
        (0..grid.cells())
            .map(|cell| problem.in_domain(&grid.centre(cell)))
            .collect()
    });
    let reflects = |d: usize, side: usize| {
        let is_met = !problem.feller_boundaries()[side].is_some_and(FellerBoundary::is_never_met);
        domain.boundaries()[d][side] == Boundary::Reflecting && !domain.walls()[d][side] && is_met
    };
    let edge_reflects =
        matches!(domain.restriction(), Some((_, Boundary::Reflecting))) && !domain.edge_is_wall();
    // by end of the box, then the edge of the set: probability, and decay length weighed with it where the density falls
    let mut sums = vec![[0.0_f64; 2]; 2 * D + 1];
    for cell in 0..grid.cells() {
        let is_inside = |cell: usize| inside.as_ref().is_none_or(|inside| inside[cell]);
        if !(density[cell] > 0.0) || !is_inside(cell) {
            continue;
        }
        let indices = grid.indices(cell);
        for d in 0..D {
            let axis = &grid.axes()[d];
            let stride: usize = grid.axes()[d + 1..].iter().map(|a| a.cells()).product();
            let neighbour = |side: usize| match (side, indices[d]) {
                (0, 0) => None,
                (0, _) => Some(cell - stride),
                (_, i) if i + 1 == axis.cells() => None,
                _ => Some(cell + stride),
            };
            for side in 0..2 {
                let end = match neighbour(side) {
                    None if reflects(d, side) => 2 * d + side,
                    Some(next) if edge_reflects && !is_inside(next) => 2 * D,
                    _ => continue,
                };
                let length = axis.upper() - axis.lower();
                let within = neighbour(1 - side).filter(|next| is_inside(*next));
                let width = axis.width(indices[d]);
                let area = grid.volume(cell) / width;
                let rise = within.map(|next| {
                    let apart = (grid.centre(next)[d] - grid.centre(cell)[d]).abs();
                    (density[next] / density[cell]).ln() / apart
                });
                let (at_end, decay) = match rise {
                    Some(rise) if rise > 1.0 / length => {
                        (density[cell] * (-0.5 * width * rise).exp(), 1.0 / rise)
                    }
                    _ => (density[cell], length),
                };
                let probability = at_end * area * decay;
                sums[end][0] += probability;
                if decay < length {
                    sums[end][1] += probability * decay;
                }
            }
        }
    }
    let cut = |(k, [probability, weighed]): (usize, &[f64; 2])| {
        let end = (k < 2 * D).then_some((k / 2, k % 2));
        let decay = weighed / probability;
        let suggestion = end
            .filter(|_| *probability > CUT && decay > 0.0)
            .map(|(d, side)| {
                let distance = decay * (probability / SUGGESTED).ln();
                domain.bounds()[d][side] + if side == 0 { -distance } else { distance }
            });
        Cut {
            end,
            probability: *probability,
            suggestion,
        }
    };
    sums.iter().enumerate().map(cut).collect()
}

/// One line about the ends that cut off more than [`CUT`]; none when the domain is large enough.
pub fn too_small<const D: usize>(problem: &Problem<D>, cuts: &[Cut]) -> Option<String> {
    let over: Vec<&Cut> = cuts.iter().filter(|cut| cut.probability > CUT).collect();
    if over.is_empty() {
        return None;
    }
    let mut bounds = *problem.domain().bounds();
    let mut parts = Vec::new();
    for cut in &over {
        let place = match cut.end {
            Some((d, side)) => {
                let ends = ["lower", "upper"][side];
                if let Some(suggestion) = cut.suggestion {
                    bounds[d][side] = rounded(suggestion, bounds[d][1] - bounds[d][0]);
                }
                format!(
                    "the {ends} end {} of variable {d}",
                    problem.domain().bounds()[d][side]
                )
            }
            None => "the edge of the sublevel set".into(),
        };
        parts.push(format!("{:.1e} beyond {place}", cut.probability.min(1.0)));
    }
    let advice = if over.iter().any(|cut| cut.suggestion.is_some()) {
        let pairs: Vec<String> = bounds.iter().map(|[a, b]| format!("[{a}, {b}]")).collect();
        format!("try domain = [{}], or", pairs.join(", "))
    } else if over.iter().all(|cut| cut.end.is_none()) {
        "raise the sublevel, or".into()
    } else {
        "the density does not fall towards it: move the end, or".into()
    };
    Some(format!(
        "domain too small: it reflects where the density has not died out ({}); {advice} declare the end a \"wall\" under region.boundaries",
        parts.join(", ")
    ))
}

/// To a digit below a hundredth of `scale`.
fn rounded(value: f64, scale: f64) -> f64 {
    let unit = 10f64.powf((0.01 * scale).log10().ceil());
    let steps = (value / unit).round();
    // a division by ten or a hundred is exact where the product is not
    if unit < 1.0 {
        steps / (1.0 / unit).round()
    } else {
        steps * unit
    }
}
