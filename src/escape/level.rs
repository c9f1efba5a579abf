//! Everything that is known on one grid: numbers, and fields over its cells.

use super::cut::{Cut, cuts};
use super::problem::Problem;
use super::quantity::{FieldQuantity, Quantity};
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::grid::{CellSet, Grid};
use crate::math::Point;
use crate::observables::{
    Factorisation, FirstPassageMoments, committor, effective_potential, first_passage_moments,
    log_stationary_probability, quasi_stationary, reactive_flux, slow_modes, spectral_gap,
};
use crate::region::Boundary;

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
    frequency: f64,
    cuts: Vec<Cut>,
    left_out: Vec<(Quantity, Error)>,
    has_detailed_balance: Option<bool>,
    factorisation: Option<Factorisation>,
}

/// Relative rounding of sums over the cells of positive terms.
const ROUNDING: f64 = 1e-13;

impl<const D: usize> Level<D> {
    pub(super) fn new(problem: &Problem<D>, level: usize, modes: usize) -> Result<Self> {
        let grid = problem.grid(level)?;
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
            frequency: 0.0,
            cuts: Vec::new(),
            left_out: Vec::new(),
            has_detailed_balance: None,
            factorisation: None,
        };
        this.landscape(problem)?;
        if !problem.domain().absorbs() {
            this.stationary(problem, start.as_ref(), modes)?;
        }
        this.first_passage(problem)?;
        if let Some(start) = &start {
            this.transitions(problem, start)?;
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
        let all = self.cuts.iter().map(|cut| cut.probability).sum();
        self.add_number(Quantity::CutProbability, all, false);
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

    /// All numbers.
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// The value of a number, if it is known.
    pub fn value(&self, quantity: Quantity) -> Option<f64> {
        let number = self.numbers.iter().find(|n| n.quantity == quantity);
        number.map(|n| n.value)
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
        self.frequency
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

    /// The value at the start of a function known in every cell; NaN for a start set without a stationary law.
    pub fn at_start(&self, problem: &Problem<D>, values: &[f64]) -> f64 {
        match (&self.start, problem.start().as_point()) {
            (Some(weights), _) => weights.iter().zip(values).map(|(w, v)| w * v).sum(),
            (None, Some(at)) => self.grid().interpolate(values, *at),
            (None, None) => f64::NAN,
        }
    }

    /// Cell probabilities of the process at the start.
    pub fn initial(&self, problem: &Problem<D>) -> Vec<f64> {
        match (&self.start, problem.start().as_point()) {
            (Some(weights), _) => weights.clone(),
            (None, at) => {
                let mut probability = vec![0.0; self.grid().cells()];
                for (cell, share) in at.map(|at| self.grid().shares(*at)).unwrap_or_default() {
                    probability[cell] += share;
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
        let centres: Vec<Point<D>> = (0..self.grid().cells()).map(|i| self.grid().centre(i)).collect();
        if let Some(landscape) = problem.landscape() {
            let loss = centres.iter().map(|theta| landscape.loss(theta)).collect();
            self.add_field(FieldQuantity::Loss, loss);
        }
        let spurious: Vec<Point<D>> = centres
            .iter()
            .map(|theta| problem.spurious_drift(theta))
            .collect();
        if spurious.iter().any(|p| p.norm() > 0.0) {
            self.add_vectors(FieldQuantity::SpuriousDrift, &spurious);
        }
        Ok(())
    }

    fn stationary(&mut self, problem: &Problem<D>, start: Option<&CellSet>, modes: usize) -> Result<()> {
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
        let modes = self.modes(problem, modes);
        self.unless_unconverged(Quantity::SpectralGap, modes)
    }

    /// Notes an iteration that did not converge as a result left out: the others stand without it.
    fn unless_unconverged(&mut self, quantity: Quantity, result: Result<()>) -> Result<()> {
        match result {
            Err(error @ Error::NotConverged { .. }) => {
                self.left_out.push((quantity, error));
                Ok(())
            }
            other => other,
        }
    }

    fn modes(&mut self, problem: &Problem<D>, count: usize) -> Result<()> {
        let smooth = problem.domain().restriction().is_none();
        let reversible = match spectral_gap(&self.generator) {
            Ok(gap) => Some(gap),
            Err(Error::NoDetailedBalance { .. }) => None,
            Err(other) => return Err(other),
        };
        let is_reversible = reversible.is_some();
        self.has_detailed_balance = Some(is_reversible);
        if let Some(gap) = reversible {
            self.factorisation = Some(gap.factorisation);
            self.add_number(Quantity::SpectralGap, gap.rate, smooth);
            if count == 1 {
                let mode = oriented(self.grid(), gap.eigenfunction);
                self.add_field(FieldQuantity::SlowMode, mode);
                return Ok(());
            }
        }
        let modes = slow_modes(&self.generator, count)?;
        let cells = self.grid().cells();
        let mut real = vec![0.0; cells * modes.len()];
        let first = self.numbers.len();
        for (k, mode) in modes.iter().enumerate() {
            let values = oriented(self.grid(), mode.eigenfunction.iter().map(|f| f.re).collect());
            for (cell, value) in values.into_iter().enumerate() {
                real[cell * modes.len() + k] = value;
            }
            if k == 0 {
                self.frequency = mode.eigenvalue.im.abs();
                if !is_reversible {
                    self.add_number(Quantity::SpectralGap, -mode.eigenvalue.re, smooth);
                }
            }
            if count > 1 {
                self.add_number(Quantity::ModeRate(k + 1), -mode.eigenvalue.re, smooth);
                self.add_number(Quantity::ModeFrequency(k + 1), mode.eigenvalue.im, smooth);
            }
        }
        let residual = modes.iter().fold(0.0_f64, |most, mode| most.max(mode.residual));
        self.numbers[first..]
            .iter_mut()
            .for_each(|n| n.solver = residual.max(ROUNDING));
        self.fields.push(Field {
            quantity: FieldQuantity::SlowMode,
            values: real,
            entries: modes.len(),
        });
        Ok(())
    }

    fn first_passage(&mut self, problem: &Problem<D>) -> Result<()> {
        let smooth = problem.is_smooth();
        let FirstPassageMoments {
            mean: time,
            deviation,
        } = first_passage_moments(&self.generator, &self.target)?;
        let (at_start, spread) = (self.at_start(problem, &time), self.at_start(problem, &deviation));
        self.add_number(Quantity::MeanFirstPassageTime, at_start, smooth);
        if problem.start().as_point().is_some() {
            self.add_number(Quantity::FirstPassageDeviation, spread, smooth);
        }
        self.add_field(FieldQuantity::MeanFirstPassageTime, time);
        self.add_field(FieldQuantity::FirstPassageDeviation, deviation);
        if problem.domain().absorbs() && problem.target().is_some() {
            let stopped = self.generator.resolvent_outside(&self.target)?;
            let mut hit = stopped.solve(&self.generator.killing_into(&self.target))?;
            for (cell, value) in hit.iter_mut().enumerate() {
                if self.target.contains(cell) {
                    *value = 1.0;
                }
            }
            let value = self.at_start(problem, &hit);
            self.add_number(Quantity::TargetProbability, value, smooth);
            self.add_field(FieldQuantity::TargetProbability, hit);
        }
        let rate = self.quasi_stationary(smooth);
        self.unless_unconverged(Quantity::EscapeRate, rate)
    }

    fn quasi_stationary(&mut self, smooth: bool) -> Result<()> {
        let law = quasi_stationary(&self.generator, &self.target)?;
        self.add_number(Quantity::EscapeRate, law.escape_rate, smooth);
        let density = self.density(&law.probability);
        self.add_field(FieldQuantity::QuasiStationaryDensity, density);
        Ok(())
    }

    fn transitions(&mut self, problem: &Problem<D>, start: &CellSet) -> Result<()> {
        let smooth = problem.is_smooth();
        let flux = match reactive_flux(&self.generator, start, &self.target) {
            Ok(flux) => flux,
            // sets that touch have a committor, but no reactive rate
            Err(Error::OverlappingSets { .. }) => {
                let covered = (0..self.grid().cells()).all(|i| start.contains(i) || self.target.contains(i));
                if !covered {
                    let q = committor(&self.generator, start, &self.target)?;
                    self.add_field(FieldQuantity::Committor, q);
                }
                return Ok(());
            }
            Err(other) => return Err(other),
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
        Ok(())
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
