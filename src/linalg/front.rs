//! Dense elimination of one block of states without subtraction.
//!
//! Eliminating state p redirects every visit: with s_p = k_p + Σ_{j later} r_pj,
//!
//! ```text
//! r_ij ← r_ij + r_ip r_pj/s_p,     k_i ← k_i + r_ip k_p/s_p.
//! ```
//!
//! Killing is the last column of the rows, so that it is redirected like any other transition. The rates
//! of a panel of pivots to all states behind the panel are first summed into one number R_p per row,
//! which obeys the same rule; the pivots inside the panel then need no other entries, and everything
//! outside follows by matrix products of non-negative numbers.
//!
//! # Limitations
//! Rates below about 1e-290 lose relative accuracy; a pivot that small is reported.

use crate::error::{Error, Result};
use crate::math::Instructions;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Pivots eliminated between two matrix products.
const PANEL: usize = 32;
/// Multiply-adds from which a product is shared between threads.
const SHARED_PRODUCT: usize = 1 << 22;
/// Smallest pivot that still has full relative precision below it.
pub(crate) const SMALLEST_PIVOT: f64 = f64::MIN_POSITIVE / f64::EPSILON;

/// Rates among `pivots` states to be eliminated and `boundary` later ones.
///
/// `upper` holds, row by row, the rates of pivots to pivots of the same or a later panel, to the boundary
/// and to killing; `lower`, column by column, the rates into pivots from pivots of a later panel and from
/// the boundary. After elimination: `upper` = probabilities r_pj/s_p for j > p, `lower` = rates r_ip for i > p.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    pivots: usize,
    boundary: usize,
    upper: Vec<f64>,
    lower: Vec<f64>,
    exit_rates: Vec<f64>,
}

/// Rates among the boundary states that visits to the pivots add; last column: killing.
#[derive(Debug, Clone)]
pub(crate) struct Contribution {
    boundary: usize,
    rates: Vec<f64>,
}

/// Memory of contributions that have been added to their parents, for those to come: the system would have to clear its pages again.
#[derive(Debug, Default)]
pub(crate) struct Spare(Mutex<Vec<Vec<f64>>>);

impl Spare {
    /// Zeros in the smallest piece of memory that holds them.
    fn zeros(&self, length: usize) -> Vec<f64> {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = (0..pieces.len()).filter(|&i| pieces[i].capacity() >= length);
        let smallest = fitting.min_by_key(|&i| pieces[i].capacity());
        let mut piece = smallest.map(|i| pieces.swap_remove(i)).unwrap_or_default();
        drop(pieces);
        piece.clear();
        piece.resize(length, 0.0);
        piece
    }

    /// Takes back the memory of a contribution.
    pub fn take_back(&self, contribution: Contribution) {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.push(contribution.rates);
    }
}

/// Zeros that are written at once: pages that are read before they are written are mapped twice.
fn zeros(length: usize) -> Vec<f64> {
    std::iter::repeat_n(0.0, length).collect()
}

impl Front {
    pub fn new(pivots: usize, boundary: usize, spare: &Spare) -> (Self, Contribution) {
        let size = pivots + boundary;
        let front = Self {
            pivots,
            boundary,
            upper: zeros(pivots * (size + 1)),
            lower: zeros(pivots * size),
            exit_rates: zeros(pivots),
        };
        let rates = spare.zeros(boundary * (boundary + 1));
        (front, Contribution { boundary, rates })
    }

    /// Length of a row of `upper`.
    fn width(&self) -> usize {
        self.pivots + self.boundary + 1
    }

    /// Adds to the rate from local state `i` to `j`, one of which is a pivot; `j` = size means killing.
    pub fn add(&mut self, i: usize, j: usize, rate: f64) {
        let (width, size) = (self.width(), self.width() - 1);
        if i < self.pivots && j >= i / PANEL * PANEL {
            self.upper[i * width + j] += rate;
        } else {
            self.lower[j * size + i] += rate;
        }
    }

    /// Adds a child's contribution; `local[a]` is where its a-th boundary state stands here.
    pub fn add_child(&mut self, own: &mut Contribution, child: &Contribution, local: &[usize]) {
        let (pivots, size) = (self.pivots, self.pivots + self.boundary);
        for (&i, row) in local.iter().zip(child.rates.chunks_exact(child.boundary + 1)) {
            let to_killing = row[child.boundary];
            if i < pivots {
                for (&j, &rate) in local.iter().zip(row) {
                    self.add(i, j, rate);
                }
                self.add(i, size, to_killing);
            } else {
                let target = &mut own.rates[(i - pivots) * (own.boundary + 1)..][..own.boundary + 1];
                for (&j, &rate) in local.iter().zip(row) {
                    if j < pivots {
                        self.lower[j * size + i] += rate;
                    } else {
                        target[j - pivots] += rate;
                    }
                }
                target[own.boundary] += to_killing;
            }
        }
    }

    /// Eliminates all pivots and adds what they redirect to `contribution`.
    ///
    /// With `rooted`, the very last pivot has nowhere to go and is left standing.
    pub fn eliminate(&mut self, contribution: &mut Contribution, rooted: bool) -> Result<()> {
        let (k, width) = (self.pivots, self.width());
        let size = width - 1;
        for first in (0..k).step_by(PANEL) {
            let end = (first + PANEL).min(k);
            let n = end - first;
            {
                let (done, rest) = self.upper.split_at_mut(first * width);
                let panel = &mut rest[..n * width];
                let (left, right) = self.lower.split_at_mut(first * size);
                let columns = &mut right[..n * size];
                if first > 0 {
                    let done = MatRef::from_row_major_slice(&*done, first, width);
                    let left = MatRef::from_column_major_slice(&*left, size, first);
                    multiply_add(
                        MatMut::from_row_major_slice_mut(panel, n, width).get_mut(.., first..),
                        left.get(first..end, ..),
                        done.get(.., first..),
                    );
                    multiply_add(
                        MatMut::from_column_major_slice_mut(columns, size, n).get_mut(end.., ..),
                        left.get(end.., ..),
                        done.get(.., first..end),
                    );
                }
                let exit_rates = &mut self.exit_rates[first..end];
                Instructions::Native.run(
                    #[inline(always)]
                    || {
                        eliminate_panel(panel, width, first, exit_rates, rooted && end == k)?;
                        redirect_rows(panel, width, first, exit_rates);
                        redirect_columns(columns, size, panel, width, first..end);
                        Ok::<(), Error>(())
                    },
                )?;
            }
        }
        let m = self.boundary;
        if m > 0 {
            multiply_add(
                MatMut::from_row_major_slice_mut(&mut contribution.rates, m, m + 1),
                MatRef::from_column_major_slice(&self.lower, size, k).get(k.., ..),
                MatRef::from_row_major_slice(&self.upper, k, width).get(.., k..),
            );
            // a return to where one came from is no transition
            for i in 0..m {
                contribution.rates[i * (m + 1) + i] = 0.0;
            }
        }
        Ok(())
    }

    /// Forward half of (K − L) f = g: divides by exit rates and passes visits on.
    pub fn forward(&self, x: &mut [f64]) {
        let size = self.width() - 1;
        Instructions::Native.run(
            #[inline(always)]
            || {
                for p in 0..self.pivots {
                    let (head, later) = x[p..].split_at_mut(1);
                    head[0] /= self.exit_rates[p];
                    add_scaled(later, head[0], &self.lower[p * size + p + 1..(p + 1) * size]);
                }
            },
        );
    }

    /// Backward half of (K − L) f = g.
    pub fn backward(&self, x: &mut [f64]) {
        let (width, size) = (self.width(), self.width() - 1);
        Instructions::Native.run(
            #[inline(always)]
            || {
                for p in (0..self.pivots).rev() {
                    let (head, later) = x[p..].split_at_mut(1);
                    head[0] += dot(later, &self.upper[p * width + p + 1..p * width + size]);
                }
            },
        );
    }

    /// Forward half of (K − L)ᵀ P = g.
    pub fn forward_adjoint(&self, x: &mut [f64]) {
        let (width, size) = (self.width(), self.width() - 1);
        Instructions::Native.run(
            #[inline(always)]
            || {
                for p in 0..self.pivots {
                    let (head, later) = x[p..].split_at_mut(1);
                    add_scaled(later, head[0], &self.upper[p * width + p + 1..p * width + size]);
                }
            },
        );
    }

    /// Backward half of (K − L)ᵀ P = g.
    pub fn backward_adjoint(&self, x: &mut [f64]) {
        let size = self.width() - 1;
        Instructions::Native.run(
            #[inline(always)]
            || {
                for p in (0..self.pivots).rev() {
                    let (head, later) = x[p..].split_at_mut(1);
                    head[0] += dot(later, &self.lower[p * size + p + 1..(p + 1) * size]);
                    head[0] /= self.exit_rates[p];
                }
            },
        );
    }

    /// Balance ln P_p = ln Σ_{i > p} P_i r_ip − ln s_p for all pivots, the root keeping its value.
    ///
    /// Sums are taken over plain numbers relative to the largest weight of the boundary, and in logarithms where
    /// terms lost to underflow could matter.
    pub fn backward_logarithmic(&self, x: &mut [f64], rooted: bool) {
        let size = self.width() - 1;
        let pivots = self.pivots - usize::from(rooted);
        let scale = x[pivots..].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut weights: Vec<f64> = x.iter().map(|v| (v - scale).exp()).collect();
        // below this sum, lost terms of at most the smallest number times a rate may count
        let trusted = 1e-290 * self.lower.iter().copied().fold(0.0, f64::max) / f64::EPSILON;
        for p in (0..pivots).rev() {
            let rates = &self.lower[p * size + p + 1..(p + 1) * size];
            let influx = dot(&weights[p + 1..], rates);
            x[p] = if influx.is_finite() && influx > trusted {
                scale + influx.ln() - self.exit_rates[p].ln()
            } else {
                log_sum(&x[p + 1..], rates) - self.exit_rates[p].ln()
            };
            weights[p] = (x[p] - scale).exp();
        }
    }
}

/// Eliminates within the panel (rows of `width`, diagonal block at column `first`).
#[inline(always)]
fn eliminate_panel(
    panel: &mut [f64],
    width: usize,
    first: usize,
    exit_rates: &mut [f64],
    rooted: bool,
) -> Result<()> {
    let n = exit_rates.len();
    // rate to everything behind the panel
    let mut behind: Vec<f64> = panel
        .chunks_exact(width)
        .map(|row| row[first + n..].iter().sum())
        .collect();
    for p in 0..n {
        let (head, later) = panel.split_at_mut((p + 1) * width);
        let row = &mut head[p * width + first..][..n];
        let exit = behind[p] + row[p + 1..].iter().sum::<f64>();
        if rooted && p + 1 == n {
            exit_rates[p] = 1.0;
            break;
        }
        if !(exit.is_finite() && exit >= SMALLEST_PIVOT) {
            return Err(Error::NotFinite {
                quantity: "pivot of the elimination".into(),
                reason: format!(
                    "the rate {exit:e} out of a set of states leaves the range of f64: the barrier is too high for plain numbers"
                ),
            });
        }
        exit_rates[p] = exit;
        row[p + 1..].iter_mut().for_each(|r| *r /= exit);
        let escape = behind[p] / exit;
        for (i, other) in later.chunks_exact_mut(width).enumerate() {
            let other = &mut other[first..first + n];
            let into = other[p];
            behind[p + 1 + i] += into * escape;
            for (o, &r) in other[p + 1..].iter_mut().zip(&row[p + 1..]) {
                *o += into * r;
            }
            other[p + 1 + i] = 0.0;
        }
    }
    Ok(())
}

/// Applies the panel's elimination to its columns behind the diagonal block.
#[inline(always)]
fn redirect_rows(panel: &mut [f64], width: usize, first: usize, exit_rates: &[f64]) {
    let n = exit_rates.len();
    let mut start = first + n;
    while start < width {
        // columns that stay in the first-level cache
        let end = (start + 128).min(width);
        for (p, &exit) in exit_rates.iter().enumerate() {
            let (done, rest) = panel.split_at_mut(p * width);
            let (rates_into, row) = rest[first..].split_at_mut(n);
            let row = &mut row[start - first - n..end - first - n];
            for (q, source) in done.chunks_exact(width).enumerate() {
                add_scaled(row, rates_into[q], &source[start..end]);
            }
            row.iter_mut().for_each(|r| *r /= exit);
        }
        start = end;
    }
}

/// Applies the panel's elimination to the rates into it, from the states behind its pivots `own`.
#[inline(always)]
fn redirect_columns(columns: &mut [f64], size: usize, panel: &[f64], width: usize, own: Range<usize>) {
    let (first, end, n) = (own.start, own.end, own.len());
    for p in 0..n {
        let (source, targets) = columns[p * size..].split_at_mut(size);
        for (q, target) in targets.chunks_exact_mut(size).take(n - p - 1).enumerate() {
            let probability = panel[p * width + first + p + 1 + q];
            add_scaled(&mut target[end..], probability, &source[end..]);
        }
    }
    for p in 0..n {
        for i in p + 1..n {
            columns[p * size + first + i] = panel[i * width + first + p];
        }
    }
}

/// dst += lhs · rhs, large products shared between threads in a way that does not depend on their number.
fn multiply_add(dst: MatMut<'_, f64>, lhs: MatRef<'_, f64>, rhs: MatRef<'_, f64>) {
    let (rows, columns) = (dst.nrows(), dst.ncols());
    if rows == 0 || columns == 0 || lhs.ncols() == 0 {
        return;
    }
    if rows * columns * lhs.ncols() < SHARED_PRODUCT || rows.max(columns) < 128 {
        matmul(dst, Accum::Add, lhs, rhs, 1.0, Par::Seq);
    } else if columns >= rows {
        let (a, b) = dst.split_at_col_mut(columns / 2);
        let (r, s) = rhs.split_at_col(columns / 2);
        rayon::join(|| multiply_add(a, lhs, r), || multiply_add(b, lhs, s));
    } else {
        let (a, b) = dst.split_at_row_mut(rows / 2);
        let (l, k) = lhs.split_at_row(rows / 2);
        rayon::join(|| multiply_add(a, l, rhs), || multiply_add(b, k, rhs));
    }
}

#[inline(always)]
fn add_scaled(y: &mut [f64], a: f64, x: &[f64]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

/// Σ a_i b_i in eight running sums.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_blocks, b_blocks) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = a_blocks
        .remainder()
        .iter()
        .zip(b_blocks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_blocks.zip(b_blocks) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    tail + sums.iter().sum::<f64>()
}

/// ln Σ exp(x_i) r_i.
fn log_sum(x: &[f64], rates: &[f64]) -> f64 {
    let terms = || {
        x.iter()
            .zip(rates)
            .filter(|&(_, &r)| r > 0.0)
            .map(|(x, r)| x + r.ln())
    };
    let largest = terms().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + terms().map(|t| (t - largest).exp()).sum::<f64>().ln()
}
