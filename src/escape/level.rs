//! Everything that is known on one grid: numbers, and fields over its cells.

use super::cut::{Cut, cuts};
use super::problem::Problem;
use super::quantity::{FieldQuantity, Quantity};
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::grid::{CellSet, Grid};
use crate::math::Point;
use crate::observables::{
    Factorisation, FirstPassageMoments, QuasiStationary, ReactiveFlux, SlowMode, committor,
    effective_potential, first_passage_moments_of, log_stationary_probability, long_time_motion,
    quasi_stationary_of, reactive_flux, slow_modes, spectral_gap,
};
use crate::region::Boundary;
use nalgebra::Complex;
use rayon::prelude::*;

/// A number on one grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// What it is.
    pub quantity: Quantity,
    /// Its value.
    pub value: f64,
    /// Whether its error is expected to be of second order in the cells.
    pub is_smooth: bool,
    /// Relative error of the solver.
    pub solver: f64,
}

/// A field on one grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What it is.
    pub quantity: FieldQuantity,
    /// By cell, then by entry.
    pub values: Vec<f64>,
    /// Entries a cell: variables of a vector, slow modes.
    pub entries: usize,
}

/// A problem solved on one grid.
pub struct Level<const D: usize> {
    generator: Generator<D>,
    target: CellSet,
    /// Weights with which the start averages over cells; none for a point.
    start: Option<Vec<f64>>,
    numbers: Vec<Number>,
    fields: Vec<Field>,
    cuts: Vec<Cut>,
    stationary: Vec<f64>,
    modes: Vec<SlowMode>,
    /// The gap with detailed balance.
    gap: Option<f64>,
    left_out: Vec<(Quantity, Error)>,
    has_detailed_balance: Option<bool>,
    factorisation: Option<Factorisation>,
}

/// Relative rounding of sums over the cells of positive terms.
pub(super) const ROUNDING: f64 = 1e-13;

impl<const D: usize> Level<D> {
    pub(super) fn new(problem: &Problem<D>, parts: usize, modes: usize) -> Result<Self> {
        let grid = problem.grid(parts)?;
        problem.check_finite(&grid)?;
        let (start, target) = problem.sets(&grid)?;
        let discretisation = problem.discretisation(&grid)?;
        let generator = Generator::assemble_with(&problem.discretised(), grid, &discretisation)?;
        let mut this = Self {
            generator,
            target,
            start: None,
            numbers: Vec::new(),
            fields: Vec::new(),
            cuts: Vec::new(),
            stationary: Vec::new(),
            modes: Vec::new(),
            gap: None,
            left_out: Vec::new(),
            has_detailed_balance: None,
            factorisation: None,
        };
        this.landscape(problem)?;
        let is_recurrent = !problem.domain().absorbs();
        if is_recurrent {
            this.add_stationary(problem, start.as_ref())?;
        }
        // what needs factorisations of its own is found at once, and noted in a fixed order
        let (generator, target) = (&this.generator, &this.target);
        let from = start.as_ref().filter(|_| problem.target().is_some());
        let (modes, (passages, transitions)) = rayon::join(
            || is_recurrent.then(|| find_modes(generator, modes)).transpose(),
            || {
                rayon::join(
                    || {
                        problem
                            .ends()
                            .then(|| Passages::new(problem, generator, target))
                            .transpose()
                    },
                    || {
                        from.map(|start| Transitions::new(generator, start, target))
                            .transpose()
                    },
                )
            },
        );
        if let Some(found) = modes? {
            this.add_modes(found);
        }
        if let Some(passages) = passages? {
            this.add_passages(problem, passages)?;
        }
        if let Some(transitions) = transitions? {
            this.add_transitions(problem, transitions);
        }
        this.note_cuts(problem);
        Ok(this)
    }

    fn note_cuts(&mut self, problem: &Problem<D>) {
        let laws = [
            FieldQuantity::StationaryDensity,
            FieldQuantity::QuasiStationaryDensity,
        ];
        let laws = laws.into_iter().filter_map(|law| self.field(law));
        let cut_by = laws.map(|law| cuts(problem, self.grid(), &law.values));
        let larger = |a: Cut, b: Cut| if b.probability > a.probability { b } else { a };
        self.cuts = cut_by
            .reduce(|a, b| a.into_iter().zip(b).map(|(a, b)| larger(a, b)).collect())
            .unwrap_or_default();
        let probabilities = self.cuts.iter().map(|cut| cut.probability);
        let largest = probabilities.fold(0.0, f64::max);
        self.add_number(Quantity::CutProbability, largest, false);
    }

    /// The grid.
    pub fn grid(&self) -> &Grid<D> {
        self.generator.grid()
    }

    /// The generator on it.
    pub fn generator(&self) -> &Generator<D> {
        &self.generator
    }

    /// The cells of the target.
    pub fn target(&self) -> &CellSet {
        &self.target
    }

    /// Weights with which a start set averages over the cells; none for a point, or where there is no stationary law.
    pub fn start_weights(&self) -> Option<&[f64]> {
        self.start.as_deref()
    }

    /// All numbers but those of slow modes, which stand in [`Level::modes`].
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// The value of a number, if it is known.
    pub fn value(&self, quantity: Quantity) -> Option<f64> {
        let number = self.numbers.iter().find(|n| n.quantity == quantity);
        number.map(|n| n.value)
    }

    /// Whether a number is expected to be of second order in the cells.
    pub fn is_smooth(&self, quantity: Quantity) -> bool {
        let number = self.numbers.iter().find(|n| n.quantity == quantity);
        number.is_some_and(|n| n.is_smooth)
    }

    /// All fields.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// A field, if it is known.
    pub fn field(&self, quantity: FieldQuantity) -> Option<&Field> {
        self.fields.iter().find(|f| f.quantity == quantity)
    }

    /// Imaginary part of the slowest eigenvalue; zero with detailed balance.
    pub fn slow_mode_frequency(&self) -> f64 {
        self.modes.first().map_or(0.0, |mode| mode.eigenvalue.im.abs())
    }

    /// What reflecting ends cut off that are not walls: of the stationary law or that before the escape, the larger.
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// What did not converge, and how.
    pub fn left_out(&self) -> &[(Quantity, Error)] {
        &self.left_out
    }

    /// Whether there is detailed balance; not asked where the process ends.
    pub fn has_detailed_balance(&self) -> Option<bool> {
        self.has_detailed_balance
    }

    /// How the gap was factorised, and by what test; none without detailed balance.
    pub fn factorisation(&self) -> Option<&Factorisation> {
        self.factorisation.as_ref()
    }

    /// The value at the start of a function of the process that ends in the target; NaN for a start set without a stationary law.
    ///
    /// # Method
    /// At a point [`Grid::interpolate_between`] the kinks and edges of the problem, from cells outside the target.
    pub fn at_start(&self, problem: &Problem<D>, values: &[f64]) -> f64 {
        match (&self.start, problem.start().as_point()) {
            (Some(weights), _) => weights.iter().zip(values).map(|(w, v)| w * v).sum(),
            (None, Some(at)) => {
                let states = self.generator.states();
                let usable = |cell: usize| !self.target.contains(cell) && states.binary_search(&cell).is_ok();
                self.grid()
                    .interpolate_between(values, *at, problem.breaks(), usable)
            }
            (None, None) => f64::NAN,
        }
    }

    /// Cell probabilities of the process at the start.
    pub fn initial(&self, problem: &Problem<D>) -> Vec<f64> {
        match (&self.start, problem.start().as_point()) {
            (Some(weights), _) => weights.clone(),
            (None, at) => {
                let mut probability = vec![0.0; self.grid().cells()];
                let states = self.generator.states();
                if let Some(at) = at {
                    let shares = self.grid().spread(*at);
                    // what would begin outside the domain begins in the cell of the point
                    let own = shares
                        .iter()
                        .max_by(|a, b| a.1.total_cmp(&b.1))
                        .map(|(cell, _)| *cell);
                    for (cell, share) in shares {
                        let inside = states.binary_search(&cell).is_ok();
                        probability[if inside { cell } else { own.unwrap_or(cell) }] += share;
                    }
                }
                probability
            }
        }
    }

    fn add_number(&mut self, quantity: Quantity, value: f64, is_smooth: bool) {
        self.numbers.push(Number {
            quantity,
            value,
            is_smooth,
            solver: ROUNDING,
        });
    }

    fn add_field(&mut self, quantity: FieldQuantity, values: Vec<f64>) {
        self.fields.push(Field {
            quantity,
            values,
            entries: 1,
        });
    }

    fn add_vectors(&mut self, quantity: FieldQuantity, values: &[Point<D>]) {
        self.fields.push(Field {
            quantity,
            values: values.iter().flat_map(|p| p.iter().copied()).collect(),
            entries: D,
        });
    }

    fn density(&self, probability: &[f64]) -> Vec<f64> {
        let volume = |i: usize| self.grid().volume(i);
        probability
            .iter()
            .enumerate()
            .map(|(i, p)| p / volume(i))
            .collect()
    }

    fn landscape(&mut self, problem: &Problem<D>) -> Result<()> {
        let cells = (0..self.grid().cells()).into_par_iter();
        let centres: Vec<Point<D>> = cells.map(|i| self.grid().centre(i)).collect();
        if let Some(landscape) = problem.landscape() {
            let loss = centres.par_iter().map(|theta| landscape.loss(theta)).collect();
            self.add_field(FieldQuantity::Loss, loss);
        }
        let spurious: Vec<Point<D>> = centres
            .par_iter()
            .map(|theta| problem.spurious_drift(theta))
            .collect();
        if spurious.iter().any(|p| p.norm() > 0.0) {
            self.add_vectors(FieldQuantity::SpuriousDrift, &spurious);
        }
        Ok(())
    }

    fn add_stationary(&mut self, problem: &Problem<D>, start: Option<&CellSet>) -> Result<()> {
        let log = log_stationary_probability(&self.generator)?;
        let probability: Vec<f64> = log.iter().map(|l| l.exp()).collect();
        if let Some(start) = start {
            // relative to the most probable cell of the set, which may be far below rounding of the whole
            let inside = |i: &usize| start.contains(*i);
            let most = (0..log.len())
                .filter(inside)
                .map(|i| log[i])
                .fold(f64::NEG_INFINITY, f64::max);
            let mut weights: Vec<f64> = (0..log.len())
                .map(|i| if inside(&i) { (log[i] - most).exp() } else { 0.0 })
                .collect();
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|w| *w /= sum);
            self.start = Some(weights);
        }
        let density = self.density(&probability);
        self.add_field(FieldQuantity::StationaryDensity, density);
        let potential = effective_potential(&self.generator)?;
        self.add_field(FieldQuantity::EffectivePotential, potential);
        if D > 1 || problem.domain().boundaries()[0][0] == Boundary::Periodic {
            let current = self
                .generator
                .current(&probability, &vec![1.0; probability.len()])?;
            self.add_vectors(FieldQuantity::StationaryCurrent, &current);
        }
        let smooth = problem.is_smooth();
        let of = |set: &CellSet| {
            (0..log.len())
                .filter(|i| set.contains(*i))
                .map(|i| probability[i])
                .sum()
        };
        if problem.target().is_some() {
            let target = of(&self.target);
            self.add_number(Quantity::StationaryTargetProbability, target, smooth);
        }
        if let Some(start) = start {
            self.add_number(Quantity::StationaryStartProbability, of(start), smooth);
        }
        if let Some(motion) = long_time_motion(&self.generator)? {
            self.add_number(Quantity::MeanVelocity, motion.velocity, problem.is_regular());
            self.add_number(
                Quantity::EffectiveDiffusivity,
                motion.diffusivity,
                problem.is_regular(),
            );
        }
        self.stationary = probability;
        Ok(())
    }

    fn add_modes(&mut self, found: FoundModes) {
        self.has_detailed_balance = found.has_detailed_balance;
        self.factorisation = found.factorisation;
        self.gap = found.gap;
        self.modes = found.modes;
        self.left_out.extend(found.left_out);
    }

    /// The slow modes of this grid.
    pub fn modes(&self) -> &[SlowMode] {
        &self.modes
    }

    /// A number of a slow mode on this grid, where the mode stands at `place` among its modes.
    pub(super) fn of_mode(&self, quantity: Quantity, place: usize) -> Option<f64> {
        let mode = self.modes.get(place)?;
        match (quantity, self.gap) {
            (Quantity::SpectralGap, Some(gap)) if place == 0 => Some(gap),
            (Quantity::SpectralGap | Quantity::ModeRate(_), _) => Some(-mode.eigenvalue.re),
            (Quantity::ModeFrequency(_), _) => Some(mode.eigenvalue.im),
            _ => None,
        }
    }

    /// Finds more modes, where those of another grid are not among those known.
    pub(super) fn find_more_modes(&mut self, count: usize) -> Result<()> {
        self.modes = slow_modes(&self.generator, count)?.modes;
        Ok(())
    }

    /// Adds the field of the first `count` modes, those at `places` in that order: NaN for one that is not known.
    pub(super) fn add_mode_field(&mut self, places: &[Option<usize>], count: usize) {
        let cells = self.grid().cells();
        let mut values = vec![f64::NAN; cells * count];
        for (k, place) in places.iter().enumerate().take(count) {
            let Some(mode) = place.and_then(|place| self.modes.get(place)) else {
                continue;
            };
            // the phase with which the real part is as large as it can be
            let square: Complex<f64> = (mode.eigenfunction.iter().zip(&self.stationary))
                .map(|(f, p)| f * f * *p)
                .sum();
            let phase = Complex::from_polar(1.0, -0.5 * square.arg());
            let part = |f: &Complex<f64>| {
                let turned = f * phase;
                if mode.eigenvalue.im < 0.0 {
                    turned.im
                } else {
                    turned.re
                }
            };
            let part = oriented(self.grid(), mode.eigenfunction.iter().map(part).collect());
            for (cell, value) in part.into_iter().enumerate() {
                values[cell * count + k] = value;
            }
        }
        self.fields.push(Field {
            quantity: FieldQuantity::SlowMode,
            values,
            entries: count,
        });
    }

    /// Stationary probabilities of the cells; empty where the process ends.
    pub(super) fn stationary_probability(&self) -> &[f64] {
        &self.stationary
    }

    fn add_passages(&mut self, problem: &Problem<D>, passages: Passages) -> Result<()> {
        let smooth = problem.is_smooth();
        let FirstPassageMoments {
            mean: time,
            deviation,
        } = passages.moments;
        let at_start = self.at_start(problem, &time);
        // the variance is smooth where its root is not, near the target; in units of the longest time it stays in range
        let longest = time.iter().copied().fold(0.0, f64::max);
        let variance: Vec<f64> = deviation.iter().map(|d| (d / longest).powi(2)).collect();
        let spread = longest * self.at_start(problem, &variance).sqrt();
        self.add_number(Quantity::MeanFirstPassageTime, at_start, smooth);
        if problem.start().as_point().is_some() {
            self.add_number(Quantity::FirstPassageDeviation, spread, smooth);
        }
        self.add_field(FieldQuantity::MeanFirstPassageTime, time);
        self.add_field(FieldQuantity::FirstPassageDeviation, deviation);
        if let Some(hit) = passages.hit {
            let value = self.at_start(problem, &hit);
            self.add_number(Quantity::TargetProbability, value, smooth);
            self.add_field(FieldQuantity::TargetProbability, hit);
        }
        match passages.law {
            Ok(law) => {
                self.add_number(Quantity::EscapeRate, law.escape_rate, smooth);
                let density = self.density(&law.probability);
                self.add_field(FieldQuantity::QuasiStationaryDensity, density);
                Ok(())
            }
            // the others stand without an iteration that did not converge
            Err(error @ Error::NotConverged { .. }) => {
                self.left_out.push((Quantity::EscapeRate, error));
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    fn add_transitions(&mut self, problem: &Problem<D>, transitions: Transitions<D>) {
        let smooth = problem.is_smooth();
        let flux = match transitions {
            Transitions::Apart(flux) => *flux,
            Transitions::Touching(committor) => {
                if let Some(q) = committor {
                    self.add_field(FieldQuantity::Committor, q);
                }
                return;
            }
        };
        let (duration, constant) = (flux.mean_duration(), flux.rate_constant());
        for (quantity, value) in [
            (Quantity::ReactiveRate, flux.rate),
            (Quantity::ReactiveProbability, flux.probability),
            (Quantity::MeanTransitionDuration, duration),
            (Quantity::RateConstant, constant),
        ] {
            self.add_number(quantity, value, smooth);
        }
        let reactive = self.density(&flux.reactive_probability);
        self.add_field(FieldQuantity::Committor, flux.forward_committor);
        self.add_field(FieldQuantity::BackwardCommittor, flux.backward_committor);
        self.add_field(FieldQuantity::ReactiveDensity, reactive);
        self.add_vectors(FieldQuantity::ReactiveCurrent, &flux.current);
    }
}

/// What is known of the slow modes of a grid.
#[derive(Default)]
struct FoundModes {
    modes: Vec<SlowMode>,
    gap: Option<f64>,
    has_detailed_balance: Option<bool>,
    factorisation: Option<Factorisation>,
    left_out: Option<(Quantity, Error)>,
}

/// The slow modes; an iteration that did not converge is a result left out.
fn find_modes<const D: usize>(generator: &Generator<D>, count: usize) -> Result<FoundModes> {
    let mut found = FoundModes::default();
    let without = |found: FoundModes, quantity: Quantity, error: Error| match error {
        Error::NotConverged { .. } => Ok(FoundModes {
            left_out: Some((quantity, error)),
            ..found
        }),
        other => Err(other),
    };
    let reversible = match spectral_gap(generator) {
        Ok(gap) => Some(gap),
        Err(Error::NoDetailedBalance { .. }) => None,
        Err(other) => return without(found, Quantity::SpectralGap, other),
    };
    found.has_detailed_balance = Some(reversible.is_some());
    if let Some(gap) = reversible {
        found.factorisation = Some(gap.factorisation);
        found.gap = Some(gap.rate);
        if count == 1 {
            let f = gap.eigenfunction.into_iter();
            found.modes = vec![SlowMode {
                eigenvalue: Complex::new(-gap.rate, 0.0),
                eigenfunction: f.map(|f| Complex::new(f, 0.0)).collect(),
                residual: ROUNDING,
            }];
            return Ok(found);
        }
    }
    let all = match slow_modes(generator, count) {
        Ok(all) => all,
        Err(error) => return without(found, Quantity::SpectralGap, error),
    };
    found.modes = all.modes;
    found.left_out = all
        .unconverged
        .map(|error| (Quantity::ModeRate(found.modes.len() + 1), error));
    Ok(found)
}

/// What the process that ends in the target says, all from one factorisation.
struct Passages {
    moments: FirstPassageMoments,
    /// The probability to end in the target, where there are other ends.
    hit: Option<Vec<f64>>,
    law: Result<QuasiStationary>,
}

impl Passages {
    fn new<const D: usize>(problem: &Problem<D>, generator: &Generator<D>, target: &CellSet) -> Result<Self> {
        let stopped = generator.resolvent_outside(target)?;
        let (moments, law) = rayon::join(
            || first_passage_moments_of(&stopped),
            || quasi_stationary_of(&stopped),
        );
        let moments = moments?;
        let hit = if problem.domain().absorbs() && problem.target().is_some() {
            let mut hit = stopped.solve(&generator.killing_into(target))?;
            for (cell, value) in hit.iter_mut().enumerate() {
                if target.contains(cell) {
                    *value = 1.0;
                }
            }
            Some(hit)
        } else {
            None
        };
        Ok(Self { moments, hit, law })
    }
}

/// What goes from one set to another.
enum Transitions<const D: usize> {
    /// Between sets that lie apart.
    Apart(Box<ReactiveFlux<D>>),
    /// Sets that touch have a committor, unless they cover all, but no reactive rate.
    Touching(Option<Vec<f64>>),
}

impl<const D: usize> Transitions<D> {
    fn new(generator: &Generator<D>, start: &CellSet, target: &CellSet) -> Result<Self> {
        match reactive_flux(generator, start, target) {
            Ok(flux) => Ok(Self::Apart(Box::new(flux))),
            Err(Error::OverlappingSets { .. }) => {
                let cells = generator.grid().cells();
                let covered = (0..cells).all(|i| start.contains(i) || target.contains(i));
                let q = (!covered).then(|| committor(generator, start, target));
                Ok(Self::Touching(q.transpose()?))
            }
            Err(other) => Err(other),
        }
    }
}

/// With the sign that makes it grow along the variables, the first before the second; even functions curve upward.
fn oriented<const D: usize>(grid: &Grid<D>, mut values: Vec<f64>) -> Vec<f64> {
    let slope = |cell: usize| -> f64 {
        grid.axes()
            .iter()
            .zip(grid.indices(cell))
            .enumerate()
            .map(|(d, (axis, i))| {
                // -1/2 to 1/2 along the axis
                let u = (i as f64 + 0.5) / axis.cells() as f64 - 0.5;
                0.3_f64.powi(d as i32) * (u + 0.1 * u * u)
            })
            .sum()
    };
    let along: f64 = values.iter().enumerate().map(|(cell, v)| v * slope(cell)).sum();
    if along < 0.0 {
        values.iter_mut().for_each(|v| *v = -*v);
    }
    values
}
