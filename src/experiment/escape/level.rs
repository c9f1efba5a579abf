//! Everything that is known on one grid: numbers, and fields over its cells.

use super::on_grid::{end_cells, interpolate, oriented, shares};
use super::problem::Problem;
use crate::error::{Error, Result};
use crate::generator::{Boundary, Generator};
use crate::grid::{CellSet, Grid};
use crate::math::Point;
use crate::observables::{
    committor, effective_potential, first_passage_variance, log_stationary_probability,
    mean_first_passage_time, quasi_stationary, reactive_flux, slow_modes, spectral_gap,
};

/// A result on one grid.
pub(super) struct Number {
    pub name: String,
    pub unit: &'static str,
    pub description: &'static str,
    pub value: f64,
    /// Whether its error is expected to be of second order in the cells.
    pub smooth: bool,
    /// Relative error of the solver.
    pub solver: f64,
}

/// A result in every cell.
pub(super) struct Field {
    pub name: &'static str,
    pub unit: &'static str,
    pub symbol: &'static str,
    pub description: &'static str,
    /// By cell, then by entry.
    pub values: Vec<f64>,
    /// Name and number of entries a cell, if more than one.
    pub entries: Option<(&'static str, usize)>,
}

/// A problem solved on one grid.
pub(super) struct Level<const D: usize> {
    pub generator: Generator<D>,
    pub target: CellSet,
    /// Weights with which the start averages over cells; none for a point.
    pub start: Option<Vec<f64>>,
    pub numbers: Vec<Number>,
    pub fields: Vec<Field>,
    /// Imaginary part of the slowest eigenvalue.
    pub frequency: f64,
    /// What did not converge, and why.
    pub left_out: Vec<String>,
    /// How the gap was factorised, and by what test; empty without a gap.
    pub factorisation: String,
}

impl<const D: usize> Level<D> {
    pub fn new(problem: &Problem<D>, level: usize, modes: usize) -> Result<Self> {
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
            left_out: Vec::new(),
            factorisation: String::new(),
        };
        this.landscape(problem)?;
        if !problem.absorbs() {
            this.stationary(problem, start.as_ref(), modes)?;
        }
        this.first_passage(problem)?;
        if let Some(start) = &start {
            this.transitions(problem, start)?;
        }
        Ok(this)
    }

    pub fn grid(&self) -> &Grid<D> {
        self.generator.grid()
    }

    /// The value at the start of a function known in every cell.
    pub fn at_start(&self, problem: &Problem<D>, values: &[f64]) -> f64 {
        match (&self.start, problem.start.as_point()) {
            (Some(weights), _) => weights.iter().zip(values).map(|(w, v)| w * v).sum(),
            (None, Some(at)) => interpolate(self.grid(), values, at),
            (None, None) => f64::NAN,
        }
    }

    /// Cell probabilities of the process at the start.
    pub fn initial(&self, problem: &Problem<D>) -> Vec<f64> {
        match (&self.start, problem.start.as_point()) {
            (Some(weights), _) => weights.clone(),
            (None, at) => {
                let mut probability = vec![0.0; self.grid().cells()];
                for (cell, share) in at.map(|at| shares(self.grid(), at)).unwrap_or_default() {
                    probability[cell] += share;
                }
                probability
            }
        }
    }

    fn number(
        &mut self,
        name: &str,
        unit: &'static str,
        description: &'static str,
        value: f64,
        smooth: bool,
    ) {
        self.numbers.push(Number {
            name: name.into(),
            unit,
            description,
            value,
            smooth,
            solver: ROUNDING,
        });
    }

    fn field(
        &mut self,
        name: &'static str,
        unit: &'static str,
        symbol: &'static str,
        description: &'static str,
        values: Vec<f64>,
    ) {
        self.fields.push(Field {
            name,
            unit,
            symbol,
            description,
            values,
            entries: None,
        });
    }

    fn vectors(
        &mut self,
        name: &'static str,
        unit: &'static str,
        symbol: &'static str,
        description: &'static str,
        values: &[Point<D>],
    ) {
        self.fields.push(Field {
            name,
            unit,
            symbol,
            description,
            values: values.iter().flat_map(|p| p.iter().copied()).collect(),
            entries: Some(("component", D)),
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
        if let Some(landscape) = problem.drift.landscape() {
            let loss = centres.iter().map(|theta| landscape.loss(theta)).collect();
            self.field("loss", "1", "L", "loss at the cell centres", loss);
        }
        let spurious: Vec<Point<D>> = centres
            .iter()
            .map(|theta| problem.spurious_drift(theta))
            .collect();
        if spurious.iter().any(|p| p.norm() > 0.0) {
            let description = "drift that a calculus with α would add to the Ito equation, divided by α (1/2 Stratonovich, 1 anti-Ito)";
            self.vectors("spurious_drift", "1/time", "∇·D", description, &spurious);
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
        self.field("stationary_density", "1", "p", "stationary density", density);
        let potential = effective_potential(&self.generator)?;
        self.field(
            "effective_potential",
            "1",
            "Φ",
            "-ln p, zero at its minimum",
            potential,
        );
        if D > 1 || problem.boundaries()[0][0] == Boundary::Periodic {
            let current = self
                .generator
                .current(&probability, &vec![1.0; probability.len()])?;
            let description = "stationary probability current; zero with detailed balance";
            self.vectors("stationary_current", "1/time", "J", description, &current);
        }
        let ends = end_cells(self.grid(), problem);
        let at_ends = ends.iter().map(|&i| probability[i]).sum();
        self.number(
            "end_probability",
            "1",
            "stationary probability of the outermost cells at reflecting ends: small unless the walls are meant; it falls with the cells",
            at_ends,
            false,
        );
        let modes = self.modes(problem, modes);
        self.unless_unconverged("spectral_gap and slow modes", modes)
    }

    /// Notes an iteration that did not converge as a result left out: the others stand without it.
    fn unless_unconverged(&mut self, what: &str, result: Result<()>) -> Result<()> {
        match result {
            Err(error @ Error::NotConverged { .. }) => {
                self.left_out.push(format!("{what}: {error}"));
                Ok(())
            }
            other => other,
        }
    }

    fn modes(&mut self, problem: &Problem<D>, count: usize) -> Result<()> {
        let smooth = problem.sublevel.is_none();
        const DESCRIPTION: &str = "slowest relaxation rate, no sets involved";
        let reversible = match spectral_gap(&self.generator) {
            Ok(gap) => Some(gap),
            Err(Error::NoDetailedBalance { .. }) => None,
            Err(other) => return Err(other),
        };
        let is_reversible = reversible.is_some();
        self.factorisation = "elimination without subtraction, no detailed balance".into();
        if let Some(gap) = reversible {
            self.factorisation = format!("{:?}", gap.factorisation);
            self.number("spectral_gap", "1/time", DESCRIPTION, gap.rate, smooth);
            if count == 1 {
                self.field(
                    "slow_mode",
                    "1",
                    "f",
                    MODE,
                    oriented(self.grid(), gap.eigenfunction),
                );
                return Ok(());
            }
        }
        if count == 0 {
            return Ok(());
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
                    self.number("spectral_gap", "1/time", DESCRIPTION, -mode.eigenvalue.re, smooth);
                }
            }
            if count > 1 {
                self.number(
                    &format!("mode_{}_rate", k + 1),
                    "1/time",
                    "minus the real part of the eigenvalue of a slow mode",
                    -mode.eigenvalue.re,
                    smooth,
                );
                self.number(
                    &format!("mode_{}_frequency", k + 1),
                    "1/time",
                    "imaginary part of the eigenvalue of a slow mode",
                    mode.eigenvalue.im,
                    smooth,
                );
            }
        }
        let residual = modes.iter().fold(0.0_f64, |most, mode| most.max(mode.residual));
        self.numbers[first..]
            .iter_mut()
            .for_each(|n| n.solver = residual.max(ROUNDING));
        self.fields.push(Field {
            name: "slow_mode",
            unit: "1",
            symbol: "f",
            description: MODE,
            values: real,
            entries: (modes.len() > 1).then_some(("mode", modes.len())),
        });
        Ok(())
    }

    fn first_passage(&mut self, problem: &Problem<D>) -> Result<()> {
        let smooth = problem.fitted && problem.sublevel.is_none();
        let time = mean_first_passage_time(&self.generator, &self.target)?;
        let deviation: Vec<f64> = first_passage_variance(&self.generator, &self.target)?
            .into_iter()
            .map(f64::sqrt)
            .collect();
        let (at_start, spread) = (self.at_start(problem, &time), self.at_start(problem, &deviation));
        let from = "from the start point, or averaged over the start set with the stationary weights";
        self.number("mean_first_passage_time", "time", from, at_start, smooth);
        if problem.start.as_point().is_some() {
            let description = "standard deviation of the first-passage time from the start point";
            self.number("first_passage_deviation", "time", description, spread, smooth);
        }
        self.field(
            "mean_first_passage_time_field",
            "time",
            "τ",
            "mean time to reach the target or an absorbing end from the cell centre; zero inside the target",
            time,
        );
        self.field(
            "first_passage_deviation_field",
            "time",
            "σ_τ",
            "standard deviation of that time",
            deviation,
        );
        if problem.absorbs() && problem.target.is_some() {
            let stopped = self.generator.resolvent_outside(&self.target)?;
            let mut hit = stopped.solve(&self.generator.killing_into(&self.target))?;
            for (cell, value) in hit.iter_mut().enumerate() {
                if self.target.contains(cell) {
                    *value = 1.0;
                }
            }
            let value = self.at_start(problem, &hit);
            let description = "probability to reach the target before an absorbing end";
            self.number("target_probability", "1", description, value, smooth);
            self.field("target_probability_field", "1", "q", description, hit);
        }
        let rate = self.quasi_stationary(smooth);
        self.unless_unconverged("escape_rate", rate)
    }

    fn quasi_stationary(&mut self, smooth: bool) -> Result<()> {
        let law = quasi_stationary(&self.generator, &self.target)?;
        let description = "quasi-stationary rate into the target or an absorbing end";
        self.number("escape_rate", "1/time", description, law.escape_rate, smooth);
        let density = self.density(&law.probability);
        let description = "density of the process that has not escaped yet, after long times";
        self.field("quasi_stationary_density", "1", "ν", description, density);
        Ok(())
    }

    fn transitions(&mut self, problem: &Problem<D>, start: &CellSet) -> Result<()> {
        let smooth = problem.fitted && problem.sublevel.is_none();
        let description = "probability to reach the target before the start";
        let flux = match reactive_flux(&self.generator, start, &self.target) {
            Ok(flux) => flux,
            // sets that touch have a committor, but no reactive rate
            Err(Error::OverlappingSets { .. }) => {
                let covered = (0..self.grid().cells()).all(|i| start.contains(i) || self.target.contains(i));
                if !covered {
                    let q = committor(&self.generator, start, &self.target)?;
                    self.field("committor", "1", "q", description, q);
                }
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let (duration, constant) = (flux.mean_duration(), flux.rate_constant());
        for (name, unit, description, value) in [
            (
                "reactive_rate",
                "1/time",
                "transitions from start to target per time, stationary",
                flux.rate,
            ),
            (
                "reactive_probability",
                "1",
                "probability to be on the way from start to target, stationary",
                flux.probability,
            ),
            (
                "mean_transition_duration",
                "time",
                "from leaving the start for the last time to the target",
                duration,
            ),
            (
                "rate_constant",
                "1/time",
                "transitions per time spent after a visit to the start and before the target",
                constant,
            ),
        ] {
            self.number(name, unit, description, value, smooth);
        }
        let reactive = self.density(&flux.reactive_probability);
        self.field("committor", "1", "q", description, flux.forward_committor);
        self.field(
            "backward_committor",
            "1",
            "q⁻",
            "probability that the start was visited after the target",
            flux.backward_committor,
        );
        self.field(
            "reactive_density",
            "1",
            "p q⁺q⁻",
            "density of trajectories on their way",
            reactive,
        );
        self.vectors(
            "reactive_current",
            "1/time",
            "J_AB",
            "current of trajectories on their way from start to target",
            &flux.current,
        );
        Ok(())
    }
}

/// Relative rounding of sums over the cells of positive terms.
const ROUNDING: f64 = 1e-13;

const MODE: &str =
    "eigenfunctions of the slowest modes (real parts), mean square one, growing along the first variable";
