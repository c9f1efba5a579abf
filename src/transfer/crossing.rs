//! Steps across the ridge x = 0.

use super::kernel::{Kernel, dot};
use std::ops::Range;

/// Sources whose column has targets on both sides, and the probability of crossing from each.
pub(super) struct Crossing {
    pub(super) window: Range<usize>,
    pub(super) probability: Vec<f64>,
}

impl Crossing {
    /// Crossings of a kernel between sources split at `source_split` and targets split at `target_split`.
    pub(super) fn new(kernel: &Kernel, source_split: usize, target_split: usize) -> Self {
        let mut window = kernel.sources()..0;
        for i in 0..kernel.sources() {
            let (range, _) = kernel.column(i);
            let reaches_across = if i < source_split {
                range.end > target_split
            } else {
                range.start < target_split
            };
            if reaches_across {
                window = window.start.min(i)..i + 1;
            }
        }
        if window.start > window.end {
            window = 0..0;
        }
        let mut probability = vec![0.0; window.len()];
        let ones = vec![1.0; kernel.targets()];
        let empty = Self {
            window,
            probability: Vec::new(),
        };
        empty.expectation(kernel, source_split, target_split, &ones, &mut probability);
        Self { probability, ..empty }
    }

    /// out_i = Σ_{j on the other side} T_ji values_j for the sources of the window.
    pub(super) fn expectation(
        &self,
        kernel: &Kernel,
        source_split: usize,
        target_split: usize,
        values: &[f64],
        out: &mut [f64],
    ) {
        for (i, out) in self.window.clone().zip(out) {
            let (range, column) = kernel.column(i);
            let other = if i < source_split {
                range.start.max(target_split)..range.end
            } else {
                range.start..range.end.min(target_split)
            };
            *out = if other.is_empty() {
                0.0
            } else {
                dot(
                    &column[other.start - range.start..other.end - range.start],
                    &values[other],
                )
            };
        }
    }
}
