//! Which schedule of the noise ends with the most runs in the flat valley: the two-state theory as a problem of control.
//!
//! ```text
//! dP/dt = λ(y(t), Δ(t)) (P_ss(y(t), Δ(t)) − P)   →   largest P(T) over Δ(t) between two bounds
//! ```

use super::slow_path::{floor_position, floor_time};
use super::{NoiseSchedule, slice_rates};
use crate::diffusion::Diffusion;
use crate::error::{Result, require, require_positive};
use crate::landscape::{Side, TwoValley};
use crate::math::Point;
use crate::math::log_domain::probability_from_log_odds;
use rayon::prelude::*;

/// Gap and odds of slices along the path for noise strengths between two bounds; see [`ScheduleDesign::new`].
///
/// # Method
/// Slices in the middle of steps of equal time of the floor and at noise strengths in equal ratios; logarithms by cubics through the four nearest
/// strengths. Hops above barriers of 60 noise temperatures are left out: their rate is below e^{−60} relaxation rates.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::freezing::ScheduleDesign;
/// use freezeout::landscape::{Slice, TwoValley};
/// let model = TwoValley::default();
/// let slice = |y: f64, strength: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, strength, 0.0);
/// let design = ScheduleDesign::new(&model, slice, [1.0, 20.0], [5e-4, 2e-3], 60, 9)?;
/// let best = design.best(0.5, 6)?;
/// // no piece can be changed for the better
/// let constant = design.final_p_flat(0.5, &[2e-3; 6])?;
/// assert!(design.final_p_flat(0.5, &best)? >= constant);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleDesign {
    /// y at the ends of the steps.
    y: Vec<f64>,
    /// Length of a step in time.
    step: f64,
    /// ln of the noise strengths.
    log_strengths: Vec<f64>,
    /// ln λ and ln of the odds, one row a step; no gap where hops are left out.
    slices: Vec<Vec<Option<(f64, f64)>>>,
}

/// Largest barrier, in noise temperatures, above which there are hops.
const LARGEST_BARRIER: f64 = 60.0;
/// Cells of the coarsest of the three grids of a slice.
const CELLS: usize = 200;

impl ScheduleDesign {
    /// Slices of `model` under the diffusions `slice(y, Δ)` in `steps` steps from y = `start` to `end`, for `strengths` values of Δ between bounds.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for ends or bounds that do not ascend or fewer than four strengths; errors of the floor and of the slices.
    pub fn new<S: Diffusion<1>>(
        model: &TwoValley,
        slice: impl Fn(f64, f64) -> Result<S> + Sync,
        [start, end]: [f64; 2],
        [weakest, strongest]: [f64; 2],
        steps: usize,
        strengths: usize,
    ) -> Result<Self> {
        require_positive("start", start)?;
        require("end", end, |y| y > start, "it must exceed the start")?;
        require_positive("weakest", weakest)?;
        require(
            "strongest",
            strongest,
            |d| d > weakest,
            "it must exceed the weakest",
        )?;
        require("steps", steps as f64, |n| n >= 1.0, "at least one step is needed")?;
        require(
            "strengths",
            strengths as f64,
            |n| n >= 4.0,
            "at least four are needed",
        )?;
        let duration = floor_time(model, start, end, 1.0)?;
        let step = duration / steps as f64;
        let position = |halves: usize| floor_position(model, start, 0.5 * step * halves as f64);
        let places: Vec<f64> = (0..=2 * steps)
            .into_par_iter()
            .map(position)
            .collect::<Result<_>>()?;
        let ratio = (strongest / weakest).ln() / (strengths - 1) as f64;
        let log_strengths: Vec<f64> = (0..strengths).map(|k| weakest.ln() + ratio * k as f64).collect();
        let at = |y: f64, strength: f64| -> Result<Option<(f64, f64)>> {
            let diffusion = slice(y, strength)?;
            let barriers = Side::BOTH
                .map(|side| model.barrier(y) / diffusion.tensor(&Point::<1>::new(model.minimum(side, y)))[0]);
            if barriers[0].min(barriers[1]) > LARGEST_BARRIER {
                return Ok(None);
            }
            let rates = slice_rates(model, &diffusion, y, CELLS)?;
            Ok(Some((rates.spectral_gap.ln(), rates.log_odds)))
        };
        let slices = (0..steps)
            .into_par_iter()
            .map(|k| {
                let y = places[2 * k + 1];
                log_strengths.iter().map(|log| at(y, log.exp())).collect()
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            y: places.into_iter().step_by(2).collect(),
            step,
            log_strengths,
            slices,
        })
    }

    /// y at the ends of the steps.
    pub fn y(&self) -> &[f64] {
        &self.y
    }

    /// Length of a step in time.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Gap λ, stationary P_flat, and their derivatives by ln Δ, in step k; none where there are no hops.
    fn at(&self, k: usize, strength: f64) -> Option<[f64; 4]> {
        let (n, log) = (self.log_strengths.len(), strength.ln());
        let ratio = (self.log_strengths[n - 1] - self.log_strengths[0]) / (n - 1) as f64;
        let place = (log - self.log_strengths[0]) / ratio;
        let first = (place.floor() as isize - 1).clamp(0, n as isize - 4) as usize;
        let nodes: Vec<(f64, f64)> = self.slices[k][first..first + 4]
            .iter()
            .map_while(|node| *node)
            .collect();
        if nodes.len() < 4 {
            // next to barriers without hops
            return None;
        }
        let u = place - first as f64;
        let weights = lagrange(u);
        let of = |weights: &[f64; 4]| {
            let pairs = || nodes.iter().zip(weights);
            (
                pairs().map(|(node, w)| node.0 * w).sum::<f64>(),
                pairs().map(|(node, w)| node.1 * w).sum::<f64>(),
            )
        };
        let (values, slopes) = (of(&weights.0), of(&weights.1));
        let (gap, p) = (values.0.exp(), probability_from_log_odds(values.1));
        Some([gap, p, gap * slopes.0 / ratio, p * (1.0 - p) * slopes.1 / ratio])
    }

    /// λ and the stationary P_flat in each step under strengths constant over pieces of equal time; none where there are no hops.
    pub fn rates(&self, strengths: &[f64]) -> Vec<Option<(f64, f64)>> {
        let n = self.slices.len();
        (0..n)
            .map(|k| {
                self.at(k, strengths[piece(k, n, strengths.len())])
                    .map(|[gap, p, ..]| (gap, p))
            })
            .collect()
    }

    fn check(&self, p: f64, strengths: &[f64]) -> Result<()> {
        require(
            "initial P_flat",
            p,
            |p| (0.0..=1.0).contains(&p),
            "a probability is needed",
        )?;
        let n = strengths.len() as f64;
        require(
            "pieces",
            n,
            |n| n >= 1.0 && n <= self.slices.len() as f64,
            "as many as steps at most",
        )?;
        let (low, high) = (
            self.log_strengths[0],
            self.log_strengths[self.log_strengths.len() - 1],
        );
        for strength in strengths {
            // the bounds themselves, to rounding
            let inside = |d: f64| d > 0.0 && d.ln() >= low - 1e-9 && d.ln() <= high + 1e-9;
            require(
                "noise_strength",
                *strength,
                inside,
                "it must lie between the bounds of the design",
            )?;
        }
        Ok(())
    }

    /// P_flat at the end under noise strengths constant over pieces of equal time.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for strengths out of the bounds, more pieces than steps, or no probability.
    pub fn final_p_flat(&self, initial_p_flat: f64, strengths: &[f64]) -> Result<f64> {
        self.check(initial_p_flat, strengths)?;
        let n = self.slices.len();
        Ok((0..n).fold(initial_p_flat, |p, k| {
            self.stepped(k, p, strengths[piece(k, n, strengths.len())])
        }))
    }

    /// P after step k from P before it.
    fn stepped(&self, k: usize, p: f64, strength: f64) -> f64 {
        match self.at(k, strength) {
            Some([gap, stationary, ..]) => p + (p - stationary) * (-gap * self.step).exp_m1(),
            None => p,
        }
    }

    /// ∂P(T)/∂ ln Δ of each piece, by the adjoint: one solve back for all of them.
    ///
    /// # Formula
    /// With a(t) = ∂P(T)/∂P(t) = exp(−∫_t^T λ), dP(T)/dlnΔ = Σ a · ∂(step)/∂lnΔ, the steps' derivatives exact.
    ///
    /// # Errors
    /// As [`ScheduleDesign::final_p_flat`].
    pub fn gradient(&self, initial_p_flat: f64, strengths: &[f64]) -> Result<Vec<f64>> {
        self.check(initial_p_flat, strengths)?;
        let n = self.slices.len();
        let strength = |k: usize| strengths[piece(k, n, strengths.len())];
        let mut before = Vec::with_capacity(n);
        let mut p = initial_p_flat;
        for k in 0..n {
            before.push(p);
            p = self.stepped(k, p, strength(k));
        }
        let mut gradient = vec![0.0; strengths.len()];
        let mut adjoint = 1.0;
        for k in (0..n).rev() {
            let Some([gap, stationary, gap_slope, stationary_slope]) = self.at(k, strength(k)) else {
                continue;
            };
            let decay = (-gap * self.step).exp();
            let step_slope = stationary_slope * -(-gap * self.step).exp_m1()
                - (before[k] - stationary) * self.step * gap_slope * decay;
            gradient[piece(k, n, strengths.len())] += adjoint * step_slope;
            adjoint *= decay;
        }
        Ok(gradient)
    }

    /// The best noise strengths for `pieces` of equal time.
    ///
    /// # Method
    /// P(T) grows with P at any time before, as a(t) > 0. The best strength of a piece is therefore the one with the largest P at its end from
    /// the best P at its start, whatever comes later: one piece after the other, each by a scan of the strengths and golden sections about the best.
    /// That is the global optimum of the family, not a local one; [`ScheduleDesign::gradient`] vanishes there but at the bounds.
    ///
    /// # Errors
    /// As [`ScheduleDesign::final_p_flat`].
    pub fn best(&self, initial_p_flat: f64, pieces: usize) -> Result<Vec<f64>> {
        /// Strengths of the scan.
        const SCAN: usize = 200;
        let (low, high) = (
            self.log_strengths[0],
            self.log_strengths[self.log_strengths.len() - 1],
        );
        self.check(initial_p_flat, &vec![low.exp(); pieces])?;
        let n = self.slices.len();
        let mut p = initial_p_flat;
        let mut best = Vec::with_capacity(pieces);
        for own in 0..pieces {
            let steps: Vec<usize> = (0..n).filter(|k| piece(*k, n, pieces) == own).collect();
            let end = |log: f64| steps.iter().fold(p, |p, k| self.stepped(*k, p, log.exp()));
            let at = |k: usize| low + (high - low) * k as f64 / SCAN as f64;
            // of equal values the weakest noise
            let first = (0..=SCAN).fold((f64::NEG_INFINITY, 0), |best, k| {
                let value = end(at(k));
                if value > best.0 { (value, k) } else { best }
            });
            let (mut a, mut b) = (at(first.1.saturating_sub(1)), at((first.1 + 1).min(SCAN)));
            const GOLDEN: f64 = 0.618_033_988_749_894_9;
            while b - a > 1e-6 {
                let (c, d) = (b - GOLDEN * (b - a), a + GOLDEN * (b - a));
                if end(c) >= end(d) {
                    b = d;
                } else {
                    a = c;
                }
            }
            let refined = 0.5 * (a + b);
            let log = if end(refined) > first.0 {
                refined
            } else {
                at(first.1)
            };
            best.push(log.exp());
            p = end(log);
        }
        Ok(best)
    }

    /// Batches of the size at the strongest noise that a step draws on average, at a learning rate that stays: the mean of Δ_max/Δ.
    pub fn batches_a_step(&self, strengths: &[f64]) -> f64 {
        let n = self.slices.len();
        let of = |k: usize| self.batches(strengths[piece(k, n, strengths.len())]);
        (0..n).map(of).sum::<f64>() / n as f64
    }

    fn batches(&self, strength: f64) -> f64 {
        self.log_strengths[self.log_strengths.len() - 1].exp() / strength
    }

    /// The best noise strengths for `pieces` of equal time within a budget of samples: [`ScheduleDesign::batches_a_step`] is `budget` at most.
    ///
    /// # Method
    /// Dynamic programming: V_k(P) = max over Δ of V_{k+1}(P after piece k) − μ Δ_max/Δ, on 401 values of P, closer to each other towards 0 and 1, and 201 strengths in equal ratios, each piece
    /// being affine in P; the price μ of a sample by bisection until the budget is met. What the price leaves of the budget is spent by changes of two
    /// pieces at a time until none is better. No schedule of these strengths within the budget ends above the dual bound min over μ of
    /// V_0 + μ budget, which is returned with the strengths: the distance to it says how far from the global optimum they can be.
    ///
    /// # Errors
    /// As [`ScheduleDesign::final_p_flat`]; [`crate::Error::InvalidParameter`] for a budget below one, which is what the strongest noise needs.
    pub fn best_within(&self, initial_p_flat: f64, pieces: usize, budget: f64) -> Result<(Vec<f64>, f64)> {
        const SCAN: usize = 200;
        const PRICES: usize = 50;
        require(
            "budget",
            budget,
            |b| b >= 1.0,
            "the strongest noise needs one batch a step",
        )?;
        let free = self.best(initial_p_flat, pieces)?;
        if self.batches_a_step(&free) <= budget {
            let bound = self.final_p_flat(initial_p_flat, &free)?;
            return Ok((free, bound));
        }
        let n = self.slices.len();
        let (low, high) = (
            self.log_strengths[0],
            self.log_strengths[self.log_strengths.len() - 1],
        );
        let strengths: Vec<f64> = (0..=SCAN)
            .map(|j| (low + (high - low) * j as f64 / SCAN as f64).exp())
            .collect();
        let choices: Vec<Vec<Choice>> = (0..pieces)
            .map(|own| {
                let steps: Vec<usize> = (0..n).filter(|k| piece(*k, n, pieces) == own).collect();
                let end = |p: f64, d: f64| steps.iter().fold(p, |p, k| self.stepped(*k, p, d));
                let choice = |d: &f64| Choice {
                    ends: [end(0.0, *d), end(1.0, *d)],
                    batches: self.batches(*d) * steps.len() as f64 / n as f64,
                };
                strengths.iter().map(choice).collect()
            })
            .collect();
        let exceeds = |chosen: &[usize]| batches(&choices, chosen) > budget;
        // without the budget at least as much is reached
        let mut bound = self.final_p_flat(initial_p_flat, &free)?;
        let mut at_price = |price: f64| {
            let (value, chosen) = cheapest(&choices, initial_p_flat, price);
            bound = bound.min(value + price * budget);
            chosen
        };
        let mut price = [0.0, 1e-3];
        while exceeds(&at_price(price[1])) {
            price[1] *= 2.0;
        }
        for _ in 0..PRICES {
            let middle = 0.5 * (price[0] + price[1]);
            let end = usize::from(!exceeds(&at_price(middle)));
            price[end] = middle;
        }
        let mut chosen = at_price(price[1]);
        spend(&choices, initial_p_flat, budget, &mut chosen);
        Ok((chosen.into_iter().map(|j| strengths[j]).collect(), bound))
    }

    /// The strengths as a schedule along the path.
    ///
    /// # Errors
    /// As [`NoiseSchedule::new`].
    pub fn schedule(&self, strengths: &[f64]) -> Result<NoiseSchedule> {
        let n = self.slices.len();
        let mut changes = Vec::new();
        let mut values = vec![strengths[0]];
        for k in 1..n {
            let (before, own) = (piece(k - 1, n, strengths.len()), piece(k, n, strengths.len()));
            if own != before && strengths[own] != strengths[before] {
                changes.push(self.y[k]);
                values.push(strengths[own]);
            }
        }
        NoiseSchedule::new(&changes, &values)
    }
}

/// What a strength does in a piece.
struct Choice {
    /// P after it from P = 0 and from P = 1; affine between.
    ends: [f64; 2],
    /// Its part of the batches a step.
    batches: f64,
}

impl Choice {
    fn end(&self, p: f64) -> f64 {
        self.ends[0] + (self.ends[1] - self.ends[0]) * p
    }
}

/// Batches a step of a choice in each piece.
fn batches(pieces: &[Vec<Choice>], chosen: &[usize]) -> f64 {
    pieces
        .iter()
        .zip(chosen)
        .map(|(choices, j)| choices[*j].batches)
        .sum()
}

/// Improves the choices within the budget by changes of two pieces at a time, the other made as weak as what is left allows, until none is better.
fn spend(pieces: &[Vec<Choice>], initial: f64, budget: f64, chosen: &mut [usize]) {
    let end = |chosen: &[usize]| {
        let all = pieces.iter().zip(chosen);
        all.fold(initial, |p, (choices, j)| choices[*j].end(p))
    };
    let mut best = end(chosen);
    loop {
        let before = best;
        for a in 0..pieces.len() {
            for b in (0..pieces.len()).filter(|b| *b != a) {
                for j in 0..pieces[a].len() {
                    let mut tried = chosen.to_vec();
                    tried[a] = j;
                    let left = budget - batches(pieces, &tried) + pieces[b][tried[b]].batches;
                    // batches fall along the strengths
                    tried[b] = pieces[b].partition_point(|choice| choice.batches > left);
                    if tried[b] == pieces[b].len() {
                        continue;
                    }
                    for k in [tried[b], chosen[b].max(tried[b])] {
                        tried[b] = k;
                        let p = end(&tried);
                        if p > best {
                            best = p;
                            chosen.copy_from_slice(&tried);
                        }
                    }
                }
            }
        }
        if best - before < 1e-9 {
            return;
        }
    }
}

/// The choice in each piece with the largest P at the end less the price of all batches, from P = `initial`, and this value; see
/// [`ScheduleDesign::best_within`].
fn cheapest(pieces: &[Vec<Choice>], initial: f64, price: f64) -> (f64, Vec<usize>) {
    const INTERVALS: usize = 400;
    // extrema of Chebyshev's polynomial: values of P near 1 are told apart
    let grid = |i: usize| {
        (0.5 * std::f64::consts::PI * i as f64 / INTERVALS as f64)
            .sin()
            .powi(2)
    };
    let nodes: Vec<f64> = (0..=INTERVALS).map(grid).collect();
    // of a value function on the grid, at P; convex, so that what is between is not below it
    let between = |values: &[f64], p: f64| {
        let i = nodes.partition_point(|node| *node <= p).clamp(1, INTERVALS) - 1;
        values[i] + (values[i + 1] - values[i]) * (p - nodes[i]) / (nodes[i + 1] - nodes[i])
    };
    let best = |choices: &[Choice], after: &[f64], p: f64| {
        let value = |choice: &Choice| between(after, choice.end(p)) - price * choice.batches;
        choices
            .iter()
            .enumerate()
            .fold((f64::NEG_INFINITY, 0), |best, (j, choice)| {
                let value = value(choice);
                if value > best.0 { (value, j) } else { best }
            })
    };
    // values after each piece, the last first
    let mut values = vec![nodes.clone()];
    for choices in pieces[1..].iter().rev() {
        let after = &values[values.len() - 1];
        let row = nodes.iter().map(|p| best(choices, after, *p).0);
        let row = row.collect();
        values.push(row);
    }
    let mut p = initial;
    let mut chosen = Vec::with_capacity(pieces.len());
    let value = values
        .last()
        .map_or(0.0, |after| best(&pieces[0], after, initial).0);
    for (choices, after) in pieces.iter().zip(values.iter().rev()) {
        let j = best(choices, after, p).1;
        p = choices[j].end(p);
        chosen.push(j);
    }
    (value, chosen)
}

/// The piece in which step k of n lies.
fn piece(k: usize, n: usize, pieces: usize) -> usize {
    k * pieces / n
}

/// Weights and their derivatives of the cubic through values at 0, 1, 2, 3, at u.
fn lagrange(u: f64) -> ([f64; 4], [f64; 4]) {
    let (mut weights, mut slopes) = ([1.0; 4], [0.0; 4]);
    for i in 0..4 {
        for j in (0..4).filter(|j| *j != i) {
            let factor = 1.0 / (i as f64 - j as f64);
            slopes[i] = slopes[i] * (u - j as f64) * factor + weights[i] * factor;
            weights[i] *= (u - j as f64) * factor;
        }
    }
    (weights, slopes)
}
