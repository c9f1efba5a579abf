//! The rows of a generator: every jump of every state followed to where it ends.

use super::cells::{Cells, Landing};
use super::jumps::Jumps;
use crate::error::Result;
use crate::linalg::{Chain, SparseRates};
use rayon::prelude::*;

/// States whose rows one thread follows at a time.
const PIECE: usize = 4096;

/// Rates among states: neighbours on a line, or any others.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rates {
    Chain(Chain),
    Sparse(SparseRates),
}

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
    /// The rates as a birth-death chain on a `line`, where states that are not neighbours are not connected; else sparse.
    pub fn into_rates(self, line: bool) -> Result<Rates> {
        if !line {
            return Ok(Rates::Sparse(SparseRates::new(
                self.row_starts,
                self.targets,
                self.rates,
            )?));
        }
        let n = self.row_starts.len() - 1;
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
        Ok(Rates::Chain(Chain::new(up, down)?))
    }

    /// The rates of each state to the other states outside `set`, into the set and through boundaries.
    pub fn new<const D: usize>(cells: &Cells<D>, jumps: &Jumps<D>, set: Option<&[bool]>) -> Self {
        let states: Vec<usize> = (0..cells.len())
            .filter(|&s| set.is_none_or(|set| !set[cells.cell_of[s]]))
            .collect();
        let mut number = vec![u32::MAX; cells.len()];
        for (new, &state) in states.iter().enumerate() {
            number[state] = new as u32;
        }
        let pieces: Vec<Self> = states
            .par_chunks(PIECE)
            .map(|piece| Self::rows(cells, jumps, piece.to_vec(), &number, set))
            .collect();
        let transitions = pieces.iter().map(|piece| piece.targets.len()).sum();
        let mut outside = Self {
            row_starts: Vec::with_capacity(states.len() + 1),
            targets: Vec::with_capacity(transitions),
            rates: Vec::with_capacity(transitions),
            into_set: Vec::with_capacity(states.len()),
            through_boundary: Vec::with_capacity(states.len()),
            states,
        };
        outside.row_starts.push(0);
        for piece in pieces {
            let before = outside.targets.len();
            let starts = piece.row_starts[1..].iter().map(|start| before + start);
            outside.row_starts.extend(starts);
            outside.targets.extend(piece.targets);
            outside.rates.extend(piece.rates);
            outside.into_set.extend(piece.into_set);
            outside.through_boundary.extend(piece.through_boundary);
        }
        outside
    }

    /// The same of some states; `number` is the new number of every state.
    fn rows<const D: usize>(
        cells: &Cells<D>,
        jumps: &Jumps<D>,
        states: Vec<usize>,
        number: &[u32],
        set: Option<&[bool]>,
    ) -> Self {
        let mut outside = Self {
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
            jumps.of_state(state, cells, set, |landing, rate| match landing {
                Landing::State(target) if rate > 0.0 => row.push((number[target], rate)),
                Landing::Set(_) => outside.into_set[new] += rate,
                Landing::Absorbed(_) => outside.through_boundary[new] += rate,
                Landing::State(_) | Landing::Reflected => {}
            });
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
