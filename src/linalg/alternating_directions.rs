//! Alternating directions for chains on a plane whose jumps follow the axes: L* = L0* + L1*.
//!
//! With a = τ/2 a step of Peaceman and Rachford from t to t + τ, and a damping step from t to t + τ/2, are
//!
//! ```text
//! P(t + τ)   = (1 − aL1*)⁻¹ (1 + aL0*) (1 − aL0*)⁻¹ (1 + aL1*) P
//! P(t + τ/2) = (1 − aL1*)⁻¹ (1 − aL0*)⁻¹ P
//! ```
//!
//! Every factor acts on lines of cells. As (1 + aL) R = 2R − 1 with R = (1 − aL)⁻¹, a step costs two solves on all lines
//! and no product. L*P = 0 is kept exactly, mass to rounding.
//!
//! # Limitations
//! The damping step is positive; that of Peaceman and Rachford is not when a times an exit rate exceeds one and P is
//! rough on the scale of the cells, and it does not damp the roughest modes.

use super::chain::Eliminated;
use crate::error::{Error, Result, require_positive};
use rayon::prelude::*;

/// Lines that are solved side by side.
const LANES: usize = 16;
/// Entries of a square tile.
const TILE: usize = LANES * LANES;
/// Entries of a block from which threads share the work.
const SHARED: usize = 1 << 14;

/// Rates of the cells of a plane along one axis; the last axis runs fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisRates {
    /// To the next cell along the axis.
    pub up: Vec<f64>,
    /// To the previous cell along the axis.
    pub down: Vec<f64>,
    /// Out of the plane.
    pub killing: Vec<f64>,
}

/// Rates of a plane laid out for time steps by alternating directions.
///
/// # Method
/// Second order in the step, unconditionally stable where L0 and L1 are in detailed balance with the same weights. The
/// lines are eliminated without subtraction, sixteen side by side; the result does not depend on the number of threads.
///
/// # References
/// D. W. Peaceman, H. H. Rachford, J. SIAM 3 (1955) 28; R. Rannacher, Numer. Math. 43 (1984) 309 (damping).
#[derive(Debug, Clone, PartialEq)]
pub struct AlternatingDirections {
    extents: [usize; 2],
    /// Extents rounded up to whole tiles; cells beyond the plane stay empty.
    padded: [usize; 2],
    /// Rates along each axis in blocks [lines / LANES][cells of the line][LANES].
    rates: [AxisRates; 2],
}

/// Coefficients of the solves along one axis for one step, in the same blocks.
struct Sweep {
    /// Probability that a visit goes up.
    forward: Vec<f64>,
    /// 1/s, s the rate of leaving.
    weight: Vec<f64>,
    /// Rate from the next cell down to this one over s.
    backward: Vec<f64>,
}

impl AlternatingDirections {
    /// Plane of `extents` cells with these rates along its two axes.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] unless the rates are finite and non-negative, with none of up and down out of the
    /// plane; [`Error::DimensionMismatch`].
    pub fn new(extents: [usize; 2], rates: &[AxisRates; 2]) -> Result<Self> {
        let cells = extents[0] * extents[1];
        let padded = extents.map(|n| n.next_multiple_of(LANES));
        let blocks = |length: usize| AxisRates {
            up: vec![0.0; length],
            down: vec![0.0; length],
            killing: vec![0.0; length],
        };
        let mut plane = Self {
            extents,
            padded,
            rates: [blocks(0), blocks(0)],
        };
        for axis in 0..2 {
            let mut blocks = blocks(padded[0] * padded[1]);
            let given = &rates[axis];
            for (values, block) in [
                (&given.up, &mut blocks.up),
                (&given.down, &mut blocks.down),
                (&given.killing, &mut blocks.killing),
            ] {
                if values.len() != cells {
                    return Err(Error::DimensionMismatch {
                        name: "rates along an axis".into(),
                        expected: cells,
                        got: values.len(),
                    });
                }
                if let Some(&value) = values.iter().find(|r| !(**r >= 0.0 && r.is_finite())) {
                    return Err(Error::InvalidParameter {
                        name: "rate along an axis".into(),
                        value,
                        requirement: "rates are finite and >= 0".into(),
                    });
                }
                plane.fill(axis, values, block);
            }
            for across in 0..extents[1 - axis] {
                let outward = blocks.down[plane.place(axis, 0, across)]
                    + blocks.up[plane.place(axis, extents[axis] - 1, across)];
                if outward > 0.0 {
                    return Err(Error::InvalidParameter {
                        name: "rate along an axis".into(),
                        value: outward,
                        requirement: "no jump leaves the plane; killing does".into(),
                    });
                }
            }
            plane.rates[axis] = blocks;
        }
        Ok(plane)
    }

    /// Place in the blocks of the lines along `axis`.
    fn place(&self, axis: usize, along: usize, across: usize) -> usize {
        (across / LANES * self.padded[axis] + along) * LANES + across % LANES
    }

    /// Values on the cells into the blocks of the lines along `axis`.
    fn fill(&self, axis: usize, values: &[f64], blocks: &mut [f64]) {
        for (i, row) in values.chunks_exact(self.extents[1]).enumerate() {
            for (j, &value) in row.iter().enumerate() {
                let (along, across) = if axis == 0 { (i, j) } else { (j, i) };
                blocks[self.place(axis, along, across)] = value;
            }
        }
    }

    /// Factors of 1 − aL on all lines along `axis`.
    fn factorise(&self, axis: usize, a: f64) -> Sweep {
        let size = self.padded[0] * self.padded[1];
        let mut sweep = Sweep {
            forward: vec![0.0; size],
            weight: vec![0.0; size],
            backward: vec![0.0; size],
        };
        let rates = &self.rates[axis];
        let block = self.padded[axis] * LANES;
        (sweep.forward.par_chunks_exact_mut(block))
            .zip(sweep.weight.par_chunks_exact_mut(block))
            .zip(sweep.backward.par_chunks_exact_mut(block))
            .enumerate()
            .with_min_len(SHARED.div_ceil(block))
            .for_each(|(b, ((forward, weight), backward))| {
                let here = b * block..(b + 1) * block;
                let from = [&rates.up, &rates.down, &rates.killing].map(|r| &r[here.clone()]);
                pulp::Arch::new().dispatch(
                    #[inline(always)]
                    || factorise_block(from, a, [forward, weight, backward]),
                );
            });
        sweep
    }

    /// P after `steps` steps of `dt`; with `damped`, the first two (or the only one) are two damping steps each.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`]; [`Error::InvalidParameter`] unless dt > 0.
    pub fn advance(&self, p: &[f64], dt: f64, steps: usize, damped: bool) -> Result<Vec<f64>> {
        require_positive("time step", dt)?;
        if p.len() != self.extents[0] * self.extents[1] {
            return Err(Error::DimensionMismatch {
                name: "probabilities".into(),
                expected: self.extents[0] * self.extents[1],
                got: p.len(),
            });
        }
        let a = 0.5 * dt;
        let sweeps = [0, 1].map(|axis| self.factorise(axis, a));
        let size = self.padded[0] * self.padded[1];
        // the same plane in blocks of lines along either axis
        let (mut first, mut second, mut scratch) = (vec![0.0; size], vec![0.0; size], vec![0.0; size]);
        self.fill(1, p, &mut second);
        // 0 to 4 half steps
        let damping = if damped { 2 * steps.min(2) } else { 0 };
        for _ in 0..damping {
            self.solve(&sweeps, 0, &second, &mut first, &mut scratch, false);
            self.solve(&sweeps, 1, &first, &mut second, &mut scratch, false);
        }
        let left = steps - damping / 2;
        if left > 0 {
            self.explicit(1, a, &second, &mut scratch);
            second.copy_from_slice(&scratch);
        }
        for step in 0..left {
            self.solve(&sweeps, 0, &second, &mut first, &mut scratch, true);
            self.solve(&sweeps, 1, &first, &mut second, &mut scratch, step + 1 < left);
        }
        let at = |cell: usize| second[self.place(1, cell % self.extents[1], cell / self.extents[1])];
        Ok((0..p.len()).map(at).collect())
    }

    /// q ← R p, or 2 R p − p with `reflected`, on all lines along `axis`; p comes in blocks of the other axis.
    fn solve(
        &self,
        sweeps: &[Sweep; 2],
        axis: usize,
        p: &[f64],
        q: &mut [f64],
        scratch: &mut [f64],
        reflected: bool,
    ) {
        let sweep = &sweeps[axis];
        let (block, other) = (self.padded[axis] * LANES, self.padded[1 - axis] * LANES);
        q.par_chunks_exact_mut(block)
            .zip(scratch.par_chunks_exact_mut(block))
            .enumerate()
            .with_min_len(SHARED.div_ceil(block))
            .for_each(|(b, (q, y))| {
                let here = b * block..(b + 1) * block;
                let coefficients = [
                    &sweep.forward[here.clone()],
                    &sweep.weight[here.clone()],
                    &sweep.backward[here],
                ];
                pulp::Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        for (c, tile) in q.chunks_exact_mut(TILE).enumerate() {
                            transpose_tile(&p[c * other + b * TILE..][..TILE], tile);
                        }
                        solve_block(q, y, coefficients, reflected);
                    },
                );
            });
    }

    /// out ← (1 + aL) p on all lines along `axis`.
    fn explicit(&self, axis: usize, a: f64, p: &[f64], out: &mut [f64]) {
        let AxisRates { up, down, killing } = &self.rates[axis];
        let block = self.padded[axis] * LANES;
        for start in (0..p.len()).step_by(block) {
            for i in start..start + block {
                let mut change = -p[i] * (up[i] + down[i] + killing[i]);
                if i >= start + LANES {
                    change += p[i - LANES] * up[i - LANES];
                }
                if i + LANES < start + block {
                    change += p[i + LANES] * down[i + LANES];
                }
                out[i] = p[i] + a * change;
            }
        }
    }
}

#[inline(always)]
fn factorise_block(rates: [&[f64]; 3], a: f64, coefficients: [&mut [f64]; 3]) {
    let [up, down, killing] = rates.map(|r| r.as_chunks::<LANES>().0);
    let [forward, weight, backward] = coefficients.map(|c| c.as_chunks_mut::<LANES>().0);
    // killing and inverse pivot of the cell before
    let (mut kept, mut inverse) = ([0.0; LANES], [0.0; LANES]);
    for i in 0..up.len() {
        for l in 0..LANES {
            let (u, d) = (a * up[i][l], a * down[i][l]);
            let last = Eliminated {
                killing: kept[l],
                inverse_pivot: inverse[l],
            };
            let (share, now) = last.next(u, d, 1.0 + a * killing[i][l]);
            if i > 0 {
                backward[i - 1][l] = share;
            }
            (kept[l], inverse[l]) = (now.killing, now.inverse_pivot);
            forward[i][l] = u * now.inverse_pivot;
            weight[i][l] = now.inverse_pivot;
        }
    }
}

#[inline(always)]
fn solve_block(q: &mut [f64], y: &mut [f64], coefficients: [&[f64]; 3], reflected: bool) {
    let (q, _) = q.as_chunks_mut::<LANES>();
    let (y, _) = y.as_chunks_mut::<LANES>();
    let [forward, weight, backward] = coefficients.map(|c| c.as_chunks::<LANES>().0);
    let mut carried = [0.0; LANES];
    for ((q, y), forward) in q.iter().zip(&mut *y).zip(forward) {
        for l in 0..LANES {
            let value = q[l] + carried[l];
            y[l] = value;
            carried[l] = forward[l] * value;
        }
    }
    let mut next = [0.0; LANES];
    for (((q, y), weight), backward) in q.iter_mut().zip(&*y).zip(weight).zip(backward).rev() {
        for l in 0..LANES {
            let value = y[l] * weight[l] + backward[l] * next[l];
            next[l] = value;
            q[l] = if reflected { 2.0 * value - q[l] } else { value };
        }
    }
}

#[inline(always)]
fn transpose_tile(from: &[f64], to: &mut [f64]) {
    let (from, _) = from.as_chunks::<LANES>();
    let (to, _) = to.as_chunks_mut::<LANES>();
    for (i, row) in to.iter_mut().enumerate().take(LANES) {
        for l in 0..LANES {
            row[l] = from[l][i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rates that differ from cell to cell, with killing out of one end of each axis.
    fn plane(extents: [usize; 2], killed: bool) -> [AxisRates; 2] {
        let cells = extents[0] * extents[1];
        let rate = |seed: usize, cell: usize| 0.5 + ((cell * 37 + seed * 11) % 23) as f64;
        [0, 1].map(|axis| {
            let along = |cell: usize| {
                if axis == 0 {
                    cell / extents[1]
                } else {
                    cell % extents[1]
                }
            };
            let at_end = |cell: usize| along(cell) + 1 == extents[axis];
            let rates = |seed: usize, none: &dyn Fn(usize) -> bool| -> Vec<f64> {
                (0..cells)
                    .map(|c| if none(c) { 0.0 } else { rate(seed + 3 * axis, c) })
                    .collect()
            };
            AxisRates {
                up: rates(1, &at_end),
                down: rates(2, &|c| along(c) == 0),
                killing: rates(5, &|c| !killed || !at_end(c)),
            }
        })
    }

    /// L_axis* P, cell by cell.
    fn apply(extents: [usize; 2], rates: &[AxisRates; 2], axis: usize, p: &[f64]) -> Vec<f64> {
        let stride = if axis == 0 { extents[1] } else { 1 };
        let r = &rates[axis];
        let mut out = vec![0.0; p.len()];
        for cell in 0..p.len() {
            out[cell] -= p[cell] * (r.up[cell] + r.down[cell] + r.killing[cell]);
            if r.up[cell] > 0.0 {
                out[cell + stride] += p[cell] * r.up[cell];
            }
            if r.down[cell] > 0.0 {
                out[cell - stride] += p[cell] * r.down[cell];
            }
        }
        out
    }

    #[test]
    fn a_step_satisfies_its_defining_equations() {
        // (1 − aL1) P″ = (1 + aL0) P′ and (1 − aL0) P′ = (1 + aL1) P, with P′ from the damping step's own factor
        for extents in [[5, 3], [16, 33], [40, 17]] {
            let rates = plane(extents, true);
            let a = 0.07;
            let plane = AlternatingDirections::new(extents, &rates).unwrap();
            let p: Vec<f64> = (0..extents[0] * extents[1])
                .map(|c| 1.0 + (c % 7) as f64)
                .collect();
            let plus = |axis: usize, sign: f64, p: &[f64]| -> Vec<f64> {
                apply(extents, &rates, axis, p)
                    .iter()
                    .zip(p)
                    .map(|(l, p)| p + sign * a * l)
                    .collect()
            };
            let result = plane.advance(&p, 2.0 * a, 1, false).unwrap();
            // both sides multiplied by (1 − aL0)(1 + aL0)⁻¹ would need a solve: check the residual of the whole step
            // with x = (1 − aL0)⁻¹ (1 + aL1) P, which is (1 + aL0)⁻¹ (1 − aL1) P″ = (rhs + lhs)/2
            let (lhs, rhs) = (plus(1, -1.0, &result), plus(1, 1.0, &p));
            let x: Vec<f64> = lhs.iter().zip(&rhs).map(|(l, r)| 0.5 * (l + r)).collect();
            let back = plus(0, -1.0, &x);
            let scale: f64 = rhs.iter().fold(0.0, |m, r| f64::max(m, r.abs()));
            for (b, r) in back.iter().zip(&rhs) {
                // roundings of a few sums with a times a rate of order one
                assert!((b - r).abs() < 1e-13 * scale, "{extents:?}: {b} and {r}");
            }
        }
    }

    #[test]
    fn damping_steps_are_positive_and_conserve_mass() {
        let extents = [40, 17];
        let rates = plane(extents, false);
        let plane = AlternatingDirections::new(extents, &rates).unwrap();
        let mut p = vec![0.0; 680];
        p[300] = 1.0;
        let damped = plane.advance(&p, 3.0, 2, true).unwrap();
        assert!(damped.iter().all(|p| *p > 0.0));
        // hundreds of roundings of a sum of one
        assert!((damped.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        let plain = plane.advance(&p, 3.0, 2, false).unwrap();
        assert!((plain.iter().sum::<f64>() - 1.0).abs() < 1e-13);
        // the negative control: without damping a large step from one cell is not positive
        assert!(plain.iter().any(|p| *p < 0.0));
    }

    #[test]
    fn refuses_rates_out_of_the_plane() {
        let mut rates = plane([5, 3], false);
        rates[1].up[2] = 1.0;
        assert!(AlternatingDirections::new([5, 3], &rates).is_err());
        let good = plane([5, 3], false);
        assert!(AlternatingDirections::new([5, 4], &good).is_err());
        let good = AlternatingDirections::new([5, 3], &good).unwrap();
        assert!(good.advance(&[1.0; 15], 0.0, 1, false).is_err());
        assert!(good.advance(&[1.0; 14], 0.1, 1, false).is_err());
    }
}
