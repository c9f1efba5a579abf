//! The rows of a generator: every jump of every state followed to where it ends.

use super::cells::Landing;
use super::{Generator, Jumps};
use crate::error::Result;
use crate::linalg::{Chain, SparseRates};

/// Rates among the states outside a set, and out of them.
pub(super) struct Outside {
    pub states: Vec<usize>,
    pub row_starts: Vec<usize>,
    pub targets: Vec<u32>,
    pub rates: Vec<f64>,
    pub into_set: Vec<f64>,
    pub through_boundary: Vec<f64>,
}

impl Outside {
    /// The rates as a sparse chain.
    pub fn into_sparse(self) -> Result<SparseRates> {
        SparseRates::new(self.row_starts, self.targets, self.rates)
    }

    /// The rates as a birth-death chain; states that are not neighbours on the line are not connected.
    pub fn chain(&self) -> Result<Chain> {
        let n = self.states.len();
        let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
        for i in 0..n {
            for e in self.row_starts[i]..self.row_starts[i + 1] {
                let side = if self.targets[e] as usize > i {
                    &mut up
                } else {
                    &mut down
                };
                side[i] = self.rates[e];
            }
        }
        Chain::new(up, down)
    }
}

impl<const D: usize> Generator<D> {
    /// The rates of each state to the other states outside `set`, into the set and through boundaries.
    pub(super) fn outside(&self, set: Option<&[bool]>) -> Outside {
        let states: Vec<usize> = (0..self.cells.len())
            .filter(|&s| set.is_none_or(|set| !set[self.cells.cell_of[s]]))
            .collect();
        let mut number = vec![u32::MAX; self.cells.len()];
        for (new, &state) in states.iter().enumerate() {
            number[state] = new as u32;
        }
        let mut outside = Outside {
            row_starts: vec![0],
            targets: Vec::with_capacity(2 * (D + 1) * states.len()),
            rates: Vec::with_capacity(2 * (D + 1) * states.len()),
            into_set: vec![0.0; states.len()],
            through_boundary: vec![0.0; states.len()],
            states,
        };
        let mut row: Vec<(u32, f64)> = Vec::new();
        for (new, &state) in outside.states.iter().enumerate() {
            row.clear();
            let mut visit = |landing: Landing, rate: f64| match landing {
                Landing::State(target) if rate > 0.0 => row.push((number[target], rate)),
                Landing::Set(_) => outside.into_set[new] += rate,
                Landing::Absorbed(_) => outside.through_boundary[new] += rate,
                Landing::State(_) | Landing::Reflected => {}
            };
            let from = self.cells.grid.indices(self.cells.cell_of[state]);
            match &self.jumps {
                Jumps::Faces(faces) => faces[state].jumps(&self.cells, from, set, visit),
                Jumps::Offsets(offsets, edges) => {
                    offsets[state].jumps(&self.cells, from, set, &mut visit);
                    let first = edges.partition_point(|&(s, _)| s < state);
                    for (_, edge) in edges[first..].iter().take_while(|(s, _)| *s == state) {
                        edge.jumps(&self.cells, from, set, &mut visit);
                    }
                }
            }
            row.sort_unstable_by_key(|&(target, _)| target);
            for &(target, rate) in &row {
                // on a short periodic axis two jumps may meet
                let again = outside.targets.len() > outside.row_starts[new]
                    && outside.targets.last() == Some(&target);
                match outside.rates.last_mut() {
                    Some(last) if again => *last += rate,
                    // a jump around the whole axis is none
                    _ if target as usize == new => {}
                    _ => {
                        outside.targets.push(target);
                        outside.rates.push(rate);
                    }
                }
            }
            outside.row_starts.push(outside.targets.len());
        }
        outside
    }
}
