//! The discretised one-step kernel: a banded stochastic matrix in panels.

use super::gaussian::{Gaussian, weighted_gaussian};
use super::panels::PanelGrid;
use std::ops::Range;

/// T_ji = probability that a step from source node i ends in the quadrature cell of target node j.
///
/// # Formula
/// T_ji = w_j N(x_j; m_i, s_i²)/(1 − d_i) with Σ_j T_ji = 1; the defect d_i = 1 − Σ_j w_j N(x_j; m_i, s_i²) is what
/// quadrature, the cut of the band and the ends of the domain lose, kept per source.
#[derive(Debug, Clone, Default)]
pub(super) struct Kernel {
    order: usize,
    targets: usize,
    /// Target range of each source panel.
    ranges: Vec<Range<usize>>,
    /// Start of each source panel's block in `values`.
    offsets: Vec<usize>,
    /// Columns of length ranges[p].len(), one a source.
    values: Vec<f64>,
    defects: Vec<f64>,
}

impl Kernel {
    /// Replaces the kernel, reusing its memory: sources in panels of `order` step by `gaussians` onto `target`.
    pub(super) fn assemble(&mut self, order: usize, gaussians: &[Gaussian], target: &PanelGrid, reach: f64) {
        self.order = order;
        self.targets = target.nodes().len();
        self.ranges.clear();
        self.offsets.clear();
        let mut length = 0;
        for panel in gaussians.chunks(order) {
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for g in panel {
                low = low.min(g.mean - reach * g.standard_deviation);
                high = high.max(g.mean + reach * g.standard_deviation);
            }
            let mut range = target.nodes_within(low, high);
            if range.is_empty() {
                // Everything lands beyond one end: the nearest panel takes it, and the defect says so.
                range = if range.start >= self.targets {
                    self.targets - target.order()..self.targets
                } else {
                    0..target.order()
                };
            }
            self.offsets.push(length);
            length += range.len() * panel.len();
            self.ranges.push(range);
        }
        self.values.resize(length, 0.0);
        self.defects.resize(gaussians.len(), 0.0);
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || self.fill(gaussians, target),
        );
    }

    #[inline(always)]
    fn fill(&mut self, gaussians: &[Gaussian], target: &PanelGrid) {
        let normal = (2.0 * std::f64::consts::PI).sqrt();
        for (p, panel) in gaussians.chunks(self.order).enumerate() {
            let range = self.ranges[p].clone();
            let nodes = &target.nodes()[range.clone()];
            let weights = &target.weights()[range.clone()];
            for (c, &g) in panel.iter().enumerate() {
                let start = self.offsets[p] + c * range.len();
                let column = &mut self.values[start..start + range.len()];
                weighted_gaussian(g, nodes, weights, column);
                let sum = sum(column);
                self.defects[p * self.order + c] = 1.0 - sum / (normal * g.standard_deviation);
                let inverse = 1.0 / sum;
                for value in column {
                    *value *= inverse;
                }
            }
        }
    }

    /// Number of sources.
    pub(super) fn sources(&self) -> usize {
        self.defects.len()
    }

    /// Number of targets.
    pub(super) fn targets(&self) -> usize {
        self.targets
    }

    /// Target range and values of the step from source i.
    pub(super) fn column(&self, source: usize) -> (Range<usize>, &[f64]) {
        let panel = source / self.order;
        let range = self.ranges[panel].clone();
        let start = self.offsets[panel] + (source % self.order) * range.len();
        let values = &self.values[start..start + range.len()];
        (range, values)
    }

    /// Σ_i mass_i |d_i|: probability per step that the discretisation had to put back.
    pub(super) fn defect(&self, mass: &[f64]) -> f64 {
        self.defects.iter().zip(mass).map(|(d, m)| d.abs() * m).sum()
    }

    /// out = T mass.
    pub(super) fn apply(&self, mass: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (p, masses) in mass.chunks(self.order).enumerate() {
                    let range = self.ranges[p].clone();
                    let block = &self.values[self.offsets[p]..];
                    add_columns(&mut out[range.clone()], block, range.len(), masses);
                }
            },
        );
    }

    /// out_i = Σ_{j in allowed(i)} T_ji values_j, where a source below `split` may only reach targets below it
    /// and a source above only targets above; `split` is a panel boundary of both grids (in nodes).
    pub(super) fn apply_adjoint_same_side(
        &self,
        values: &[f64],
        source_split: usize,
        target_split: usize,
        out: &mut [f64],
    ) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (p, out) in out.chunks_mut(self.order).enumerate() {
                    let range = self.ranges[p].clone();
                    let allowed = if p * self.order < source_split {
                        range.start..range.end.min(target_split)
                    } else {
                        range.start.max(target_split)..range.end
                    };
                    let block = &self.values[self.offsets[p]..];
                    dot_columns(out, block, range, allowed, values);
                }
            },
        );
    }

    /// out_i = Σ_j T_ji values_j.
    pub(super) fn apply_adjoint(&self, values: &[f64], out: &mut [f64]) {
        self.apply_adjoint_same_side(values, 0, 0, out);
    }
}

/// out += Σ_c masses_c column_c, four columns at a time.
#[inline(always)]
fn add_columns(out: &mut [f64], block: &[f64], length: usize, masses: &[f64]) {
    let mut columns = block.chunks_exact(length);
    let mut fours = masses.chunks_exact(4);
    for m in &mut fours {
        let (Some(a), Some(b), Some(c), Some(d)) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        else {
            return;
        };
        let rows = a.iter().zip(b).zip(c).zip(d);
        for (out, (((a, b), c), d)) in out.iter_mut().zip(rows) {
            *out += (m[0] * a + m[1] * b) + (m[2] * c + m[3] * d);
        }
    }
    for (m, column) in fours.remainder().iter().zip(columns) {
        for (out, value) in out.iter_mut().zip(column) {
            *out += m * value;
        }
    }
}

/// out_c = Σ_{j in allowed} column_c[j] values[j].
#[inline(always)]
fn dot_columns(out: &mut [f64], block: &[f64], range: Range<usize>, allowed: Range<usize>, values: &[f64]) {
    if allowed.is_empty() {
        out.fill(0.0);
        return;
    }
    let local = allowed.start - range.start..allowed.end - range.start;
    let values = &values[allowed];
    for (out, column) in out.iter_mut().zip(block.chunks_exact(range.len())) {
        *out = dot(&column[local.clone()], values);
    }
}

const LANES: usize = 16;

/// Dot product in sixteen partial sums, so that any vector width gives the same bits.
#[inline(always)]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut partial = [0.0; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f64 = a_blocks
        .remainder()
        .iter()
        .zip(b_blocks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_blocks.zip(b_blocks) {
        for k in 0..LANES {
            partial[k] += x[k] * y[k];
        }
    }
    reduce(partial) + tail
}

#[inline(always)]
fn sum(a: &[f64]) -> f64 {
    let mut partial = [0.0; LANES];
    let blocks = a.chunks_exact(LANES);
    let tail: f64 = blocks.remainder().iter().sum();
    for x in blocks {
        for k in 0..LANES {
            partial[k] += x[k];
        }
    }
    reduce(partial) + tail
}

#[inline(always)]
fn reduce(mut partial: [f64; LANES]) -> f64 {
    let mut width = LANES / 2;
    while width > 0 {
        for k in 0..width {
            partial[k] += partial[k + width];
        }
        width /= 2;
    }
    partial[0]
}
