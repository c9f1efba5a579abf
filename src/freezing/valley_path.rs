//! The valleys along the slow path, the master equation of their probabilities, and its last-hop law.
//!
//! ```text
//! dP_i/dt = up_{i−1} P_{i−1} + down_{i+1} P_{i+1} − (up_i + down_i) P_i,   ds/dt = v(s),   up_i + down_{i+1} = λ_i
//! ```

use super::regime::{Moment, Regime};
use super::section_grid::{section_axis, section_bounds};
use super::section_rates::{RidgeRates, section_rates};
use super::{LastEvent, NoiseSchedule, SlowFast, Valley, Valleys};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require};
use crate::generator::Generator;
use crate::grid::Grid;
use crate::linalg::{Chain, FIRST_STAGE, SinglyDiagonal};
use crate::math::log_domain::log_add_exp;
use crate::observables::{Evolution, TimeStep, Trial, density_error, log_stationary_probability};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Accuracy of a [`ValleyPath`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValleyPathSettings {
    /// Barrier in noise temperatures from which on a valley counts.
    pub shallowest: f64,
    /// Cells a standard deviation of a valley, of the coarsest of the three grids of a section.
    pub resolution: f64,
    /// Change of a logarithm of a rate by interpolation below which there are sections enough.
    pub interpolation: f64,
}

impl Default for ValleyPathSettings {
    /// Barriers from a quarter of a noise temperature on, four cells a deviation, 1e-6.
    fn default() -> Self {
        Self {
            shallowest: 0.25,
            resolution: 4.0,
            interpolation: 1e-6,
        }
    }
}

/// What is known at one slow position.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    s: f64,
    valleys: Valleys,
    ridges: Vec<RidgeRates>,
    relative_error: f64,
    velocity: f64,
}

/// A stretch of the path with the same valleys and the same factor on the noise; nodes and the points half-way between them in equal steps.
#[derive(Debug, Clone, PartialEq)]
struct Segment {
    /// The name of each valley: its number in the whole path.
    names: Vec<usize>,
    nodes: Vec<Node>,
    /// Time at every second node, since the start of the path.
    time: Vec<f64>,
    interpolation_error: f64,
    /// Probability that a run in a valley of the segment before is in each of these at the start; rows are these.
    entry: DMatrix<f64>,
}

/// Valleys and hop rates along the slow path of a problem under a schedule of its noise.
///
/// # Method
/// The path is cut where the number of valleys changes (found by bisection between 64 sections a piece of the schedule) and where the schedule jumps.
/// Within a stretch the sections lie in equal steps, as many as the interpolation of the logarithms of the rates, by parabolas, needs. At a cut a run
/// goes to the valley in which the stationary law of the section has the part of its old one.
///
/// # Limitations
/// Valleys that come and go between two of the 64 sections are not seen. See [`SlowFast`] and [`Valleys::find`].
#[derive(Debug, Clone, PartialEq)]
pub struct ValleyPath {
    segments: Vec<Segment>,
    count: usize,
}

/// What a piece of a path does to the probabilities of its valleys.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    /// Valleys at its start.
    pub first: Valleys,
    /// Valleys at its end.
    pub last: Valleys,
    /// From the probabilities at the start to those at the end.
    pub matrix: DMatrix<f64>,
}

/// Probabilities of the valleys along the path; see [`ValleyPath::follow`].
#[derive(Debug, Clone, PartialEq)]
pub struct ValleyProbabilities {
    /// Slow positions.
    pub s: Vec<f64>,
    /// Times since the start.
    pub time: Vec<f64>,
    /// Probability of each valley of the path, zero where it does not exist: one list a valley.
    pub probability: Vec<Vec<f64>>,
    /// Expected number of hops so far.
    pub hops: Vec<f64>,
    /// Pr(no hop after s), and its mean.
    pub last_hop: LastEvent,
    /// Error of the final probabilities: time steps, sections and their interpolation. That it is adiabatic is none of it, nor what counts as a valley;
    /// see [`ValleyProbabilities::against`].
    pub error: f64,
}

impl ValleyProbabilities {
    /// Adds to the errors how far the final probabilities and the mean last hop are from those of the same runs on a path with more valleys, `finer`, of
    /// which those in one basin at the end of `path` count as one.
    ///
    /// # Method
    /// A run in one of two valleys that count as one is taken to have forgotten in which, and hops between them are none. Where a barrier at the
    /// threshold is passed in no time this changes nothing; where it is not, both numbers follow the threshold, and the change says by how much.
    pub fn against(&mut self, path: &ValleyPath, finer: &ValleyPath, found: &Self) {
        let last =
            |probabilities: &[Vec<f64>], name: usize| probabilities[name].last().copied().unwrap_or(0.0);
        let (names, ridges) = path.at_end();
        let (others, _) = finer.at_end();
        let mut change: Vec<f64> = names.iter().map(|name| last(&self.probability, *name)).collect();
        for name in others {
            if let Some(Some(valley)) = finer.valley(name).last() {
                let basin = ridges.partition_point(|ridge| *ridge < valley.minimum);
                change[basin] -= last(&found.probability, name);
            }
        }
        self.error += change.iter().map(|c| c.abs()).fold(0.0, f64::max);
        let (own, other) = (&mut self.last_hop, &found.last_hop);
        own.mean_y_error += (own.mean_y - other.mean_y).abs();
        own.mean_time_error += (own.mean_time - other.mean_time).abs();
    }
}

impl ValleyPath {
    /// The valleys of `problem` under the factors of `schedule` on its noise.
    ///
    /// # Errors
    /// Those of [`Valleys::find`] and [`section_rates`]; [`Error::Unreachable`] where s does not move on.
    pub fn new<T: Diffusion<2>>(
        problem: &SlowFast<T>,
        schedule: &NoiseSchedule,
        settings: &ValleyPathSettings,
    ) -> Result<Self> {
        let [start, end] = problem.range();
        let mut path = Self {
            segments: Vec::new(),
            count: 0,
        };
        let mut time = 0.0;
        let mut before: Option<(f64, f64)> = None;
        for (from, to, factor) in schedule.pieces(start, end) {
            for [from, to] in stretches(problem, from, to, factor, settings.shallowest)? {
                let mut segment = Segment::new(problem, [from, to], factor, time, settings)?;
                path.connect(problem, &mut segment, before)?;
                time = segment.time[segment.time.len() - 1];
                before = Some((to, factor));
                path.segments.push(segment);
            }
        }
        Ok(path)
    }

    /// Whether a path has the same valleys with either of two thresholds ([`ValleyPathSettings::shallowest`]).
    ///
    /// # Errors
    /// Those of [`Valleys::find`].
    pub fn is_the_same_from<T: Diffusion<2>>(
        problem: &SlowFast<T>,
        schedule: &NoiseSchedule,
        [one, other]: [f64; 2],
    ) -> Result<bool> {
        let [start, end] = problem.range();
        for (from, to, factor) in schedule.pieces(start, end) {
            let of = |shallowest| stretches(problem, from, to, factor, shallowest);
            let count = |s: f64, shallowest| {
                Valleys::find(problem, s, factor, shallowest).map(|found| found.valleys.len())
            };
            if of(one)? != of(other)? || count(from, one)? != count(from, other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Number of valleys that ever are on the path.
    pub fn valleys(&self) -> usize {
        self.count
    }

    /// Duration of the path.
    pub fn duration(&self) -> f64 {
        self.segments.last().map_or(0.0, |s| s.time[s.time.len() - 1])
    }

    /// Largest discretisation error of the logarithms of the rates, where hops are neither too rare to happen nor so frequent that they only keep up.
    pub fn relative_error(&self) -> f64 {
        let all = self.segments.iter().map(Segment::relative_error);
        all.fold(0.0, f64::max)
    }

    /// Largest error of the logarithms of the rates by interpolation, in the same places.
    pub fn interpolation_error(&self) -> f64 {
        let all = self.segments.iter().map(|segment| segment.interpolation_error);
        all.fold(0.0, f64::max)
    }

    /// Slow positions and times of the nodes.
    pub fn clock(&self) -> (Vec<f64>, Vec<f64>) {
        let (mut s, mut time) = (Vec::new(), Vec::new());
        for segment in &self.segments {
            s.extend(segment.knots().map(|node| node.s));
            time.extend(&segment.time);
        }
        (s, time)
    }

    /// Slow positions at the ends of `pieces` pieces of equal time from the start of the path to the position `to`, both among them.
    pub fn equal_times(&self, to: f64, pieces: usize) -> Vec<f64> {
        let (s, time) = self.clock();
        let line = |x: &[f64], y: &[f64], at: f64| {
            let k = x.partition_point(|x| *x <= at).clamp(1, x.len() - 1);
            if at >= x[k] {
                return y[k];
            }
            y[k - 1] + (y[k] - y[k - 1]) * (at - x[k - 1]) / (x[k] - x[k - 1])
        };
        let duration = line(&s, &time, to);
        (0..=pieces)
            .map(|j| match j {
                0 => s[0],
                j if j == pieces => to,
                j => line(&time, &s, duration * j as f64 / pieces as f64),
            })
            .collect()
    }

    /// ds/dt at the nodes.
    pub fn velocity(&self) -> Vec<f64> {
        let knots = self.segments.iter().flat_map(Segment::knots);
        knots.map(|node| node.velocity).collect()
    }

    /// The valley of the given number at the nodes, where it exists.
    pub fn valley(&self, number: usize) -> Vec<Option<Valley>> {
        let mut out = Vec::new();
        for segment in &self.segments {
            let place = segment.names.iter().position(|name| *name == number);
            out.extend(segment.knots().map(|node| place.map(|k| node.valleys.valleys[k])));
        }
        out
    }

    /// Numbers of the valleys at the end, in ascending x, and the ridges between them.
    pub fn at_end(&self) -> (Vec<usize>, Vec<f64>) {
        self.segments.last().map_or((Vec::new(), Vec::new()), |segment| {
            let last = &segment.nodes[segment.nodes.len() - 1];
            (segment.names.clone(), last.valleys.ridges.clone())
        })
    }

    /// The valleys with their ridges at the node nearest to s: numbers and x of the ridges.
    pub fn near(&self, s: f64) -> (Vec<usize>, Vec<f64>) {
        let distance = |node: &Node| (node.s - s).abs();
        let all = self.segments.iter().flat_map(|segment| {
            let of = move |node| (segment, node);
            segment.nodes.iter().map(of)
        });
        let nearest = all.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
        nearest.map_or((Vec::new(), Vec::new()), |(segment, node)| {
            (segment.names.clone(), node.valleys.ridges.clone())
        })
    }

    /// What each piece of the path does to the probabilities of its valleys; the pieces end at the positions `inner` of a schedule's changes.
    pub(super) fn passages(&self, inner: &[f64], tolerance: f64) -> Result<Vec<Passage>> {
        let mut out: Vec<Passage> = Vec::with_capacity(inner.len() + 1);
        for segment in &self.segments {
            let own = segment.passage(tolerance)?;
            let (first, last) = (&segment.nodes[0], &segment.nodes[segment.nodes.len() - 1]);
            let piece = inner.partition_point(|end| *end <= first.s);
            if piece == out.len() {
                out.push(Passage {
                    first: first.valleys.clone(),
                    last: last.valleys.clone(),
                    matrix: own,
                });
            } else {
                let before = &mut out[piece];
                before.last = last.valleys.clone();
                before.matrix = own * &segment.entry * &before.matrix;
            }
        }
        Ok(out)
    }

    /// The valleys of some sections along the whole path.
    pub(super) fn sampled(&self) -> Vec<Valleys> {
        /// Sections a stretch.
        const SECTIONS: usize = 16;
        let mut out = Vec::new();
        for segment in &self.segments {
            let stride = ((segment.nodes.len() - 1) / SECTIONS).max(1);
            out.extend(
                segment
                    .nodes
                    .iter()
                    .step_by(stride)
                    .map(|node| node.valleys.clone()),
            );
        }
        out
    }

    /// Names of the valleys of a new segment and where its runs come from: `before` is the end of the last segment and its factor.
    fn connect<T: Diffusion<2>>(
        &mut self,
        problem: &SlowFast<T>,
        segment: &mut Segment,
        before: Option<(f64, f64)>,
    ) -> Result<()> {
        let here = &segment.nodes[0].valleys;
        let (Some(old), Some((s, factor))) = (self.segments.last(), before) else {
            segment.names = (0..here.valleys.len()).collect();
            self.count = here.valleys.len();
            return Ok(());
        };
        let there = &old.nodes[old.nodes.len() - 1].valleys;
        segment.entry = shares(problem, s, factor, there, here)?;
        // a valley keeps its name when it takes most of the old one, and more of it than others do
        let largest = |of: &dyn Fn(usize) -> f64, n: usize| (0..n).max_by(|a, b| of(*a).total_cmp(&of(*b)));
        let mut names = Vec::with_capacity(here.valleys.len());
        for (k, valley) in here.valleys.iter().enumerate() {
            let nearest = |i: usize| -(there.valleys[i].minimum - valley.minimum).abs();
            let from = largest(
                &|i| segment.entry[(k, i)] + 1e-12 * nearest(i),
                there.valleys.len(),
            );
            let own = from.filter(|i| {
                let distance = |j: usize| -(here.valleys[j].minimum - there.valleys[*i].minimum).abs();
                let takers = here.valleys.len();
                let claim = |j: usize| {
                    if segment.entry[(j, *i)] > 0.0 {
                        distance(j)
                    } else {
                        f64::NEG_INFINITY
                    }
                };
                largest(&claim, takers) == Some(k)
            });
            names.push(own.map(|i| old.names[i]));
        }
        segment.names = names
            .into_iter()
            .map(|name| {
                name.unwrap_or_else(|| {
                    self.count += 1;
                    self.count - 1
                })
            })
            .collect();
        Ok(())
    }

    /// Probabilities along the path of runs that start at the points (x, probability) of the first section.
    ///
    /// # Method
    /// Steps of second order, L-stable, non-negative and mass-exact ([`SinglyDiagonal`]) under step doubling with the local `tolerance`; a run starts in the
    /// valley of its side of the ridges. Last hops by Simpson sums.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for starts out of the bounds of x or probabilities that do not sum to one.
    pub fn follow<T: Diffusion<2>>(
        &self,
        problem: &SlowFast<T>,
        starts: &[(f64, f64)],
        tolerance: f64,
    ) -> Result<ValleyProbabilities> {
        let first = self.segments.first().ok_or_else(|| Error::EmptySet {
            name: "slow path".into(),
        })?;
        let mut p = first.shares_of_starts(problem, starts)?;
        let mut out = ValleyProbabilities {
            s: Vec::new(),
            time: Vec::new(),
            probability: vec![Vec::new(); self.count],
            hops: Vec::new(),
            last_hop: LastEvent {
                none_after: Vec::new(),
                mean_y: 0.0,
                mean_y_error: 0.0,
                mean_time: 0.0,
                mean_time_error: 0.0,
                late: 0.0,
            },
            error: 0.0,
        };
        // probabilities of each segment's own valleys at its knots, for the last hops
        let mut laws: Vec<Vec<Vec<f64>>> = Vec::new();
        let mut hops = 0.0;
        for (k, segment) in self.segments.iter().enumerate() {
            if k > 0 {
                p = (&segment.entry * DVector::from_vec(p)).data.into();
            }
            let (law, error) = segment.follow(&p, tolerance)?;
            for (i, node) in segment.knots().enumerate() {
                out.s.push(node.s);
                out.time.push(segment.time[i]);
                for list in &mut out.probability {
                    list.push(0.0);
                }
                let last = out.s.len() - 1;
                for (name, p) in segment.names.iter().zip(&law[i]) {
                    out.probability[*name][last] = *p;
                }
                if i > 0 {
                    hops += segment.hops(i - 1, &law);
                }
                out.hops.push(hops);
            }
            out.error += error;
            p = law[law.len() - 1].clone();
            laws.push(law);
        }
        out.error += self.relative_error() + self.interpolation_error();
        out.last_hop = self.last_hop(&laws, &out);
        Ok(out)
    }

    fn last_hop(&self, laws: &[Vec<Vec<f64>>], path: &ValleyProbabilities) -> LastEvent {
        let law = |stride: usize| {
            let mut none_after = vec![0.0; path.s.len()];
            let mut survival: Vec<f64> = Vec::new();
            let mut last = path.s.len();
            for (k, segment) in self.segments.iter().enumerate().rev() {
                // what becomes of a run in each valley at the end of this segment
                let after: Vec<f64> = match self.segments.get(k + 1) {
                    None => vec![1.0; segment.names.len()],
                    Some(next) => next
                        .entry
                        .tr_mul(&DVector::from_column_slice(&survival))
                        .data
                        .into(),
                };
                let all = segment.survival(&after, stride);
                let first = last - all.len();
                for (i, s) in all.iter().enumerate() {
                    none_after[first + i] = s.iter().zip(&laws[k][i]).map(|(s, p)| s * p).sum();
                }
                survival.clone_from(&all[0]);
                last = first;
            }
            none_after
        };
        let (fine, coarse) = (law(1), law(2));
        // ∫ (1 − Pr) w ds by Simpson's rule on every `stride`-th knot, in steps of one length within a segment
        let mean = |weight: &dyn Fn(&Node) -> f64, law: &[f64], stride: usize| -> f64 {
            let mut first = 0;
            let mut sum = 0.0;
            for segment in &self.segments {
                let knots: Vec<&Node> = segment.knots().step_by(stride).collect();
                let value = |k: usize| (1.0 - law[first + k * stride]) * weight(knots[k]);
                for k in (0..knots.len() - 2).step_by(2) {
                    let length = knots[k + 2].s - knots[k].s;
                    sum += length / 6.0 * (value(k) + 4.0 * value(k + 1) + value(k + 2));
                }
                first += segment.time.len();
            }
            sum
        };
        let n = path.s.len();
        let (length, duration) = (path.s[n - 1] - path.s[0], path.time[n - 1]);
        let tail = path
            .s
            .partition_point(|s| *s < path.s[0] + 0.9 * length)
            .min(n - 1);
        let late = 1.0 - fine[tail];
        let length_of = |_: &Node| 1.0;
        let time_of = |node: &Node| 1.0 / node.velocity;
        // that of the survival, that of the sums, and what is left at the end
        let error = |weight: &dyn Fn(&Node) -> f64, whole: f64| {
            let found = mean(weight, &fine, 1);
            (found - mean(weight, &coarse, 1)).abs() + (found - mean(weight, &fine, 2)).abs() + late * whole
        };
        LastEvent {
            mean_y: path.s[0] + mean(&length_of, &fine, 1),
            mean_y_error: error(&length_of, length),
            mean_time: mean(&time_of, &fine, 1),
            mean_time_error: error(&time_of, duration),
            late,
            none_after: fine,
        }
    }

    /// Time scales along the path.
    pub fn regime(&self) -> Regime {
        let mut regime = Regime::default();
        for segment in &self.segments {
            let moments: Vec<Moment<'_>> = segment
                .nodes
                .iter()
                .map(|node| Moment {
                    s: node.s,
                    valleys: &node.valleys.valleys,
                    log_exchange: node
                        .ridges
                        .iter()
                        .map(|ridge| ridge.log_gap)
                        .min_by(f64::total_cmp),
                })
                .collect();
            for k in (1..moments.len()).step_by(2) {
                let velocity = segment.nodes[k].velocity;
                regime.add([&moments[k - 1], &moments[k], &moments[k + 1]], velocity);
            }
        }
        regime.ended()
    }
}

/// Parts of [from, to] with one number of valleys each.
fn stretches<T: Diffusion<2>>(
    problem: &SlowFast<T>,
    from: f64,
    to: f64,
    factor: f64,
    shallowest: f64,
) -> Result<Vec<[f64; 2]>> {
    const SAMPLES: usize = 64;
    let count = |s: f64| Valleys::find(problem, s, factor, shallowest).map(|found| found.valleys.len());
    let at = |k: usize| from + (to - from) * k as f64 / SAMPLES as f64;
    let counts: Vec<usize> = (0..=SAMPLES)
        .into_par_iter()
        .map(|k| count(at(k)))
        .collect::<Result<_>>()?;
    let mut out = Vec::new();
    let mut start = from;
    for k in 0..SAMPLES {
        let (mut here, mut left) = (at(k), counts[k]);
        while left != counts[k + 1] {
            // the first change after here
            let (mut low, mut high) = (here, at(k + 1));
            while high - low > 1e-11 * (to - from) {
                let middle = 0.5 * (low + high);
                if count(middle)? == left {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            out.push([start, low]);
            start = high;
            (here, left) = (high, count(high)?);
        }
    }
    out.push([start, to]);
    out.retain(|[from, to]| to > from);
    Ok(out)
}

/// Share of the stationary law of each basin of `old` that lies in each of `new`: rows are the new ones.
pub(super) fn shares<T: Diffusion<2>>(
    problem: &SlowFast<T>,
    s: f64,
    factor: f64,
    old: &Valleys,
    new: &Valleys,
) -> Result<DMatrix<f64>> {
    const RESOLUTION: f64 = 16.0;
    let section = problem.section(s, factor);
    let mut faces: Vec<f64> = section.kinks().iter().map(|kink| kink.position).collect();
    faces.extend(old.ridges.iter().chain(&new.ridges));
    let bounds = section_bounds(&section, problem.bounds(), &[old, new]);
    let grid = Grid::new([section_axis(
        Some(&section),
        bounds,
        &[old, new],
        &faces,
        RESOLUTION,
    )?]);
    let log_p = log_stationary_probability(&Generator::assemble(&section, grid.clone())?)?;
    let basin = |ridges: &[f64], x: f64| ridges.partition_point(|ridge| *ridge < x);
    let mut parts = DMatrix::from_element(new.valleys.len(), old.valleys.len(), f64::NEG_INFINITY);
    let mut whole = vec![f64::NEG_INFINITY; old.valleys.len()];
    for (k, log_p) in log_p.iter().enumerate() {
        let x = grid.centre(k)[0];
        let (i, j) = (basin(&old.ridges, x), basin(&new.ridges, x));
        parts[(j, i)] = log_add_exp(parts[(j, i)], *log_p);
        whole[i] = log_add_exp(whole[i], *log_p);
    }
    for (i, mut column) in parts.column_iter_mut().enumerate() {
        column.apply(|part| *part = (*part - whole[i]).exp());
    }
    Ok(parts)
}

impl Segment {
    fn new<T: Diffusion<2>>(
        problem: &SlowFast<T>,
        [from, to]: [f64; 2],
        factor: f64,
        start: f64,
        settings: &ValleyPathSettings,
    ) -> Result<Self> {
        /// Steps to begin with, and most of them.
        const STEPS: [usize; 2] = [8, 2048];
        let node = |s: f64| node(problem, s, factor, settings);
        let at = |k: usize, steps: usize| from + (to - from) * k as f64 / (2 * steps) as f64;
        let mut steps = STEPS[0];
        let mut nodes: Vec<Node> = (0..=2 * steps)
            .into_par_iter()
            .map(|k| node(at(k, steps)))
            .collect::<Result<_>>()?;
        let count = nodes[0].valleys.valleys.len();
        loop {
            if let Some(other) = nodes.iter().find(|node| node.valleys.valleys.len() != count) {
                return Err(Error::Unreachable {
                    target: format!("s = {to:.6}"),
                    reason: format!(
                        "the valleys cannot be followed: {count} at s = {from:.6}, but {} at s = {:.6} between two of the sections looked at",
                        other.valleys.valleys.len(),
                        other.s
                    ),
                });
            }
            let segment = Self {
                names: Vec::new(),
                time: times(&nodes, start)?,
                interpolation_error: 0.0,
                entry: DMatrix::zeros(0, 0),
                nodes,
            };
            let error = segment.distance() / 8.0;
            if error <= settings.interpolation || steps >= STEPS[1] {
                return Ok(Self {
                    interpolation_error: error,
                    ..segment
                });
            }
            steps *= 2;
            let between: Vec<Node> = (0..steps)
                .into_par_iter()
                .map(|k| node(at(2 * k + 1, steps)))
                .collect::<Result<_>>()?;
            let mut between = between.into_iter();
            nodes = segment
                .nodes
                .into_iter()
                .flat_map(|node| [Some(node), between.next()])
                .flatten()
                .collect();
        }
    }

    fn knots(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().step_by(2)
    }

    /// Whether a rate at a ridge matters: it makes neither next to no hops in the whole segment nor so many that P only keeps up.
    fn matters(&self, ridge: &RidgeRates) -> bool {
        const HOPS: [f64; 2] = [1e-9, 1e9];
        let hops = ridge.log_gap.exp() * (self.time[self.time.len() - 1] - self.time[0]);
        hops > HOPS[0] && hops < HOPS[1]
    }

    fn relative_error(&self) -> f64 {
        let nodes = self
            .nodes
            .iter()
            .filter(|node| node.ridges.iter().any(|ridge| self.matters(ridge)));
        nodes.map(|node| node.relative_error).fold(0.0, f64::max)
    }

    /// Largest distance of a logarithm at every second node from the parabola through the three nearest others, where it matters.
    fn distance(&self) -> f64 {
        let mut largest: f64 = 0.0;
        for k in (1..self.nodes.len() - 3).step_by(2) {
            let [a, b, c, d] = [k - 1, k, k + 1, k + 3].map(|k| &self.nodes[k]);
            for i in 0..b.ridges.len() {
                if !self.matters(&b.ridges[i]) {
                    continue;
                }
                let [a, b, c, d] = [a, b, c, d].map(|node| node.ridges[i].logarithms());
                for j in 0..b.len() {
                    // at the first quarter of the parabola's interval
                    let at = 0.375 * a[j] + 0.75 * c[j] - 0.125 * d[j];
                    largest = largest.max((at - b[j]).abs());
                }
            }
        }
        largest
    }

    /// Rates of the chain of valleys at s, per unit of s.
    fn chain(&self, s: f64) -> Result<Chain> {
        let n = self.names.len();
        let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
        let (k, weights) = self.parabola(s);
        let nodes = &self.nodes[k..k + 3];
        let of = |value: &dyn Fn(&Node) -> f64| -> f64 {
            nodes.iter().zip(weights).map(|(node, w)| w * value(node)).sum()
        };
        let velocity = of(&|node| node.velocity);
        for i in 0..n - 1 {
            let rate = |way: usize| of(&|node| node.ridges[i].log_transfers()[way]).exp() / velocity;
            up[i] = rate(0);
            down[i + 1] = rate(1);
        }
        Chain::new(up, down)
    }

    /// The first of the three nodes about s, and their weights.
    fn parabola(&self, s: f64) -> (usize, [f64; 3]) {
        let last = self.nodes.len() - 1;
        let (from, to) = (self.nodes[0].s, self.nodes[last].s);
        let steps = last / 2;
        let position = (s - from) / (to - from) * steps as f64;
        let k = (position as usize).min(steps - 1);
        let u = position - k as f64;
        let weights = [
            (2.0 * u - 1.0) * (u - 1.0),
            4.0 * u * (1.0 - u),
            u * (2.0 * u - 1.0),
        ];
        (2 * k, weights)
    }

    /// Shares of the starts (x, probability) in the valleys.
    fn shares_of_starts<T: Diffusion<2>>(
        &self,
        problem: &SlowFast<T>,
        starts: &[(f64, f64)],
    ) -> Result<Vec<f64>> {
        let [lower, upper] = problem.bounds();
        let valleys = &self.nodes[0].valleys;
        let mut p = vec![0.0; valleys.valleys.len()];
        let mut total = 0.0;
        for &(x, share) in starts {
            require(
                "start x",
                x,
                |x| x > lower && x < upper,
                "it must lie within the bounds of x",
            )?;
            require(
                "start probability",
                share,
                |p| p >= 0.0,
                "a probability is needed",
            )?;
            total += share;
            let k = valleys.ridges.partition_point(|ridge| *ridge < x);
            p[k] += share;
        }
        require(
            "sum of the start probabilities",
            total,
            |t| (t - 1.0).abs() < 1e-12,
            "it must be one",
        )?;
        Ok(p)
    }

    /// From the probabilities at the start to those at the end.
    fn passage(&self, tolerance: f64) -> Result<DMatrix<f64>> {
        let n = self.nodes[0].valleys.valleys.len();
        let mut matrix = DMatrix::zeros(n, n);
        for k in 0..n {
            let mut start = vec![0.0; n];
            start[k] = 1.0;
            let (law, _) = self.follow(&start, tolerance)?;
            matrix.column_mut(k).copy_from_slice(&law[law.len() - 1]);
        }
        Ok(matrix)
    }

    /// Probabilities at the knots and the error in time.
    fn follow(&self, start: &[f64], tolerance: f64) -> Result<(Vec<Vec<f64>>, f64)> {
        let mut law = vec![start.to_vec()];
        let knots: Vec<f64> = self.knots().map(|node| node.s).collect();
        if start.len() == 1 {
            return Ok((vec![start.to_vec(); knots.len()], 0.0));
        }
        let mut control = TimeStep::new(tolerance, 1e-3 * (knots[1] - knots[0]))?;
        let mut evolution = Master { segment: self };
        let mut state = State {
            p: start.to_vec(),
            s: knots[0],
            limited: 0.0,
        };
        for pair in knots.windows(2) {
            control.follow(&mut evolution, &mut state, pair[0], pair[1])?;
            state.s = pair[1];
            law.push(state.p.clone());
        }
        Ok((law, control.counts().error))
    }

    /// Hops a time of a run in each valley.
    fn hazards(node: &Node) -> Vec<f64> {
        let n = node.ridges.len() + 1;
        let mut out = vec![0.0; n];
        for (i, ridge) in node.ridges.iter().enumerate() {
            out[i] += ridge.log_up.exp();
            out[i + 1] += ridge.log_down.exp();
        }
        out
    }

    /// Expected hops in the interval after knot k, by the trapezoidal rule.
    fn hops(&self, k: usize, law: &[Vec<f64>]) -> f64 {
        let flux = |k: usize| -> f64 {
            let node = &self.nodes[2 * k];
            let rates = Self::hazards(node);
            rates.iter().zip(&law[k]).map(|(rate, p)| rate * p).sum::<f64>()
        };
        0.5 * (flux(k) + flux(k + 1)) * (self.time[k + 1] - self.time[k])
    }

    /// Probability of no hop from each knot to the end, and with `after` beyond it; hazards summed by Simpson's rule, or trapezoidal for stride 2.
    fn survival(&self, after: &[f64], stride: usize) -> Vec<Vec<f64>> {
        let steps = self.time.len() - 1;
        let mut out = vec![after.to_vec(); steps + 1];
        let hazards: Vec<Vec<f64>> = self.nodes.iter().map(Self::hazards).collect();
        for k in (0..steps).rev() {
            let length = self.nodes[2 * k + 2].s - self.nodes[2 * k].s;
            for i in 0..after.len() {
                let per_s = |j: usize| hazards[j][i] / self.nodes[j].velocity;
                let (a, b, c) = (per_s(2 * k), per_s(2 * k + 1), per_s(2 * k + 2));
                let integral = if stride == 1 {
                    length / 6.0 * (a + 4.0 * b + c)
                } else {
                    0.5 * length * (a + c)
                };
                out[k][i] = out[k + 1][i] * (-integral).exp();
            }
        }
        out
    }
}

fn node<T: Diffusion<2>>(
    problem: &SlowFast<T>,
    s: f64,
    factor: f64,
    settings: &ValleyPathSettings,
) -> Result<Node> {
    let valleys = Valleys::find(problem, s, factor, settings.shallowest)?;
    let rates = section_rates(problem, s, factor, &valleys, settings.resolution)?;
    // stationary weights of the valleys
    let mut log_weights = vec![0.0];
    for ridge in &rates.ridges {
        log_weights.push(log_weights[log_weights.len() - 1] + ridge.log_odds);
    }
    let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights = log_weights.iter().map(|w| (w - largest).exp());
    let (mut sum, mut mean) = (0.0, 0.0);
    for (weight, valley) in weights.zip(&valleys.valleys) {
        sum += weight;
        mean += weight * valley.velocity;
    }
    let velocity = mean / sum;
    if !(velocity > 0.0 && velocity.is_finite()) {
        return Err(Error::Unreachable {
            target: format!("s = {:.6}", problem.range()[1]),
            reason: format!("s does not move on at s = {s:.6}: its velocity there is {velocity:.3e}"),
        });
    }
    Ok(Node {
        s,
        valleys,
        ridges: rates.ridges,
        relative_error: rates.relative_error,
        velocity,
    })
}

/// Times at every second node, by Simpson's rule.
fn times(nodes: &[Node], start: f64) -> Result<Vec<f64>> {
    let mut time = vec![start];
    for k in (0..nodes.len() - 1).step_by(2) {
        let [a, b, c] = [k, k + 1, k + 2].map(|k| 1.0 / nodes[k].velocity);
        let length = nodes[k + 2].s - nodes[k].s;
        time.push(time[time.len() - 1] + length / 6.0 * (a + 4.0 * b + c));
    }
    Ok(time)
}

/// The master equation on a segment, s in place of the time.
struct Master<'a> {
    segment: &'a Segment,
}

#[derive(Debug, Clone)]
struct State {
    p: Vec<f64>,
    s: f64,
    limited: f64,
}

impl Trial for State {
    fn error(coarse: &Self, fine: &Self) -> f64 {
        density_error(&coarse.p, &fine.p)
    }
    fn limited(&self) -> f64 {
        self.limited
    }
}

impl Evolution for Master<'_> {
    type State = State;

    fn step(&mut self, from: &State, ds: f64) -> Result<State> {
        let chains = [
            self.segment.chain(from.s + FIRST_STAGE * ds)?,
            self.segment.chain(from.s + ds)?,
        ];
        let advanced = SinglyDiagonal::new([&chains[0], &chains[1]], [&[], &[]], ds)?.forward(&from.p)?;
        Ok(State {
            p: advanced.state,
            s: from.s + ds,
            limited: advanced.limited,
        })
    }
}
