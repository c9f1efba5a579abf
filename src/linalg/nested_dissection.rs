//! Order of elimination by nested dissection, and the blocks that follow from it.
//!
//! A set of states is cut in two halves that touch only through a separator; the halves are eliminated
//! first (recursively), the separator last. On an N×N grid the factors then hold O(N² log N) numbers
//! and cost O(N³) operations, against O(N³) and O(N⁴) for a band.
//!
//! # Limitations
//! Cuts are at the median coordinate (geometric) or the median breadth-first level (graph); no
//! refinement of separators. A graph without small separators ends in one dense block.

use crate::error::{Error, Result};
use crate::linalg::SparseRates;

/// States left together in one dense block at the bottom of the recursion.
const LEAF_STATES: usize = 24;

/// A set of states eliminated together as one dense front.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Position of the first pivot in the order of elimination.
    pub first: usize,
    /// Number of pivots.
    pub pivots: usize,
    /// Positions of the later states that the pivots touch, ascending.
    pub boundary: Vec<u32>,
    /// Blocks whose contribution enters here (at most two, ascending).
    pub children: Vec<usize>,
    /// First block and first pivot of the subtree that ends with this block.
    pub subtree: (usize, usize),
}

/// A fill-reducing order of elimination with its symbolic factorisation.
///
/// # Method
/// The pattern is symmetrised; separators are the smaller one-sided boundary of a median cut along the
/// axis that gives the smaller one, so that stencils of any reach and periodic axes are served. The
/// same order serves any chain with the same pattern.
///
/// # References
/// A. George, Nested dissection of a regular finite element mesh, SIAM J. Numer. Anal. 10 (1973) 345.
#[derive(Debug, Clone)]
pub struct NestedDissection {
    /// State eliminated k-th.
    pub(crate) order: Vec<u32>,
    /// When a state is eliminated.
    pub(crate) position: Vec<u32>,
    /// Blocks in post-order: children before parents.
    pub(crate) blocks: Vec<Block>,
}

impl NestedDissection {
    /// Order for states that are cells of a plane, by their integer coordinates.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when there is not one coordinate pair a state.
    pub fn geometric(rates: &SparseRates, coordinates: &[[i32; 2]]) -> Result<Self> {
        rates.check_length("coordinates", coordinates.len())?;
        Self::build(rates, Some(coordinates))
    }

    /// Order from the graph of transitions alone.
    ///
    /// # Errors
    /// None for a valid chain.
    pub fn graph(rates: &SparseRates) -> Result<Self> {
        Self::build(rates, None)
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.order.len()
    }

    fn build(rates: &SparseRates, coordinates: Option<&[[i32; 2]]>) -> Result<Self> {
        let n = rates.states();
        let mut tree = Tree {
            pattern: Pattern::new(rates),
            coordinates,
            region: vec![0; n],
            regions: 0,
            level: if coordinates.is_none() {
                vec![0; n]
            } else {
                Vec::new()
            },
            order: Vec::with_capacity(n),
            blocks: Vec::new(),
        };
        let mut pending = vec![Step::Divide((0..n as u32).collect())];
        let mut roots: Vec<usize> = Vec::new();
        // Explicit stack: the depth of the recursion follows the input.
        while let Some(step) = pending.pop() {
            match step {
                Step::Divide(states) => match tree.cut(&states) {
                    None => tree.close(states, 0, &mut roots),
                    Some([left, right, separator]) => {
                        let parts = [left, right].map(|p| (!p.is_empty()).then_some(p));
                        let children = parts.iter().flatten().count();
                        pending.push(Step::Close(separator, children));
                        pending.extend(parts.into_iter().rev().flatten().map(Step::Divide));
                    }
                },
                Step::Close(separator, children) => tree.close(separator, children, &mut roots),
            }
        }
        let Tree {
            pattern,
            order,
            mut blocks,
            ..
        } = tree;
        let mut position = vec![0; n];
        for (k, &state) in order.iter().enumerate() {
            position[state as usize] = k as u32;
        }
        for b in 0..blocks.len() {
            let end = (blocks[b].first + blocks[b].pivots) as u32;
            let mut boundary = Vec::new();
            for &state in &order[blocks[b].first..end as usize] {
                let later = pattern.neighbours(state).iter().map(|&j| position[j as usize]);
                boundary.extend(later.filter(|&p| p >= end));
            }
            for c in blocks[b].children.clone() {
                boundary.extend(blocks[c].boundary.iter().filter(|&&p| p >= end));
            }
            boundary.sort_unstable();
            boundary.dedup();
            blocks[b].boundary = boundary;
        }
        if order.len() != n {
            return Err(Error::DimensionMismatch {
                name: "elimination order".into(),
                expected: n,
                got: order.len(),
            });
        }
        Ok(Self {
            order,
            position,
            blocks,
        })
    }
}

enum Step {
    Divide(Vec<u32>),
    Close(Vec<u32>, usize),
}

/// Symmetrised adjacency.
struct Pattern {
    starts: Vec<usize>,
    targets: Vec<u32>,
}

impl Pattern {
    fn new(rates: &SparseRates) -> Self {
        let reversed = rates.transpose();
        let mut starts = vec![0];
        let mut targets = Vec::with_capacity(rates.transitions() + rates.transitions() / 4);
        for i in 0..rates.states() {
            let (mut a, mut b) = (
                rates.row(i).0.iter().peekable(),
                reversed.row(i).0.iter().peekable(),
            );
            loop {
                let next = match (a.peek(), b.peek()) {
                    (Some(&&x), Some(&&y)) => x.min(y),
                    (Some(&&x), None) | (None, Some(&&x)) => x,
                    (None, None) => break,
                };
                a.next_if(|&&x| x == next);
                b.next_if(|&&x| x == next);
                targets.push(next);
            }
            starts.push(targets.len());
        }
        Self { starts, targets }
    }

    fn neighbours(&self, state: u32) -> &[u32] {
        &self.targets[self.starts[state as usize]..self.starts[state as usize + 1]]
    }
}

struct Tree<'a> {
    pattern: Pattern,
    coordinates: Option<&'a [[i32; 2]]>,
    /// Which part of the current recursion a state belongs to.
    region: Vec<u32>,
    regions: u32,
    level: Vec<i32>,
    order: Vec<u32>,
    blocks: Vec<Block>,
}

impl Tree<'_> {
    /// Appends a block that takes the last `children` roots below it.
    fn close(&mut self, states: Vec<u32>, children: usize, roots: &mut Vec<usize>) {
        let first = self.order.len();
        let children = roots.split_off(roots.len() - children);
        let here = (self.blocks.len(), first);
        let subtree = children.first().map_or(here, |&c| self.blocks[c].subtree);
        roots.push(self.blocks.len());
        self.blocks.push(Block {
            first,
            pivots: states.len(),
            boundary: Vec::new(),
            children,
            subtree,
        });
        self.order.extend(states);
    }

    /// Left half, right half and separator; None when the states stay together.
    fn cut(&mut self, states: &[u32]) -> Option<[Vec<u32>; 3]> {
        if states.len() <= LEAF_STATES {
            return None;
        }
        let mut best: Option<[Vec<u32>; 3]> = None;
        match self.coordinates {
            Some(x) => {
                for axis in 0..2 {
                    let candidate = self.cut_at_median(states, &|s| x[s as usize][axis]);
                    if let Some(mut parts) = candidate
                        && best.as_ref().is_none_or(|b| parts[2].len() < b[2].len())
                    {
                        parts[2].sort_by_key(|&s| (x[s as usize][1 - axis], x[s as usize][axis]));
                        best = Some(parts);
                    }
                }
            }
            None => {
                self.find_levels(states);
                let level = std::mem::take(&mut self.level);
                best = self.cut_at_median(states, &|s| level[s as usize]);
                self.level = level;
            }
        }
        best
    }

    fn cut_at_median(&mut self, states: &[u32], key: &dyn Fn(u32) -> i32) -> Option<[Vec<u32>; 3]> {
        let mut keys: Vec<i32> = states.iter().map(|&s| key(s)).collect();
        let lowest = *keys.iter().min()?;
        let middle = keys.len() / 2;
        let median = *keys.select_nth_unstable(middle).1;
        // left: key < cut
        let cut = if median > lowest {
            median
        } else {
            *keys.iter().filter(|&&k| k > lowest).min()?
        };
        let (left, right) = (self.regions + 1, self.regions + 2);
        self.regions += 2;
        for &s in states {
            self.region[s as usize] = if key(s) < cut { left } else { right };
        }
        let region = &self.region;
        let touches = |s: u32, other| {
            self.pattern
                .neighbours(s)
                .iter()
                .any(|&j| region[j as usize] == other)
        };
        let side = |own, other| -> Vec<u32> {
            states
                .iter()
                .copied()
                .filter(|&s| region[s as usize] == own && touches(s, other))
                .collect()
        };
        let (from_left, from_right) = (side(left, right), side(right, left));
        let separator = if from_left.len() <= from_right.len() {
            from_left
        } else {
            from_right
        };
        for &s in &separator {
            self.region[s as usize] = 0;
        }
        let part = |own| {
            states
                .iter()
                .copied()
                .filter(|&s| self.region[s as usize] == own)
                .collect()
        };
        Some([part(left), part(right), separator])
    }

    /// Breadth-first levels from a far end of the region; separate components follow each other.
    fn find_levels(&mut self, states: &[u32]) {
        self.regions += 1;
        let here = self.regions;
        for &s in states {
            self.region[s as usize] = here;
        }
        let mut base = 0;
        for &start in states {
            if self.region[start as usize] != here {
                continue;
            }
            self.regions += 1;
            let seen = self.regions;
            let far = self.breadth_first(start, here, seen, base).0;
            self.regions += 1;
            let done = self.regions;
            base = self.breadth_first(far, seen, done, base).1 + 1;
        }
    }

    /// Visits the component of `start` in region `from`, moving it to region `to`; last state and level.
    fn breadth_first(&mut self, start: u32, from: u32, to: u32, base: i32) -> (u32, i32) {
        let mut queue = std::collections::VecDeque::from([start]);
        self.region[start as usize] = to;
        self.level[start as usize] = base;
        let mut last = (start, base);
        while let Some(s) = queue.pop_front() {
            last = (s, self.level[s as usize]);
            for &j in self.pattern.neighbours(s) {
                if self.region[j as usize] == from {
                    self.region[j as usize] = to;
                    self.level[j as usize] = last.1 + 1;
                    queue.push_back(j);
                }
            }
        }
        last
    }
}
