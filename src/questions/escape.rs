//! `[escape]`: stationary law, escape, relaxation and transitions of a landscape and a noise, each number with its error.

use super::passage_sets::say_sets;
use crate::error::{Error, Result};
use crate::escape::{
    CUT, Densities, EscapeResult, Field, FieldQuantity, LEVELS, LeastAction, LeastActionSettings, Level,
    MOST_SADDLES, NoFormula, PARTS, PassageLaw, Problem, Quantity, Settings, SimulatedPassage, Simulation,
    SimulationMethod, SmallNoiseRate, least_action, mean_first_passage_time_integral, simulate,
    small_noise_rate, too_small, undeclared_kink, why_no_integral,
};
use crate::generator::{Generator, JumpDrift};
use crate::grid::Concentration;
use crate::linalg::SparseRates;
use crate::output::{Attribute, Group, Record, Records, ResultFile, WARNING, records};
use crate::path::Path;
use crate::plot::{
    Axis, Colour, ColourMap, ColourScale, Dash, Figure, Layer, Panel, Scale, Style, TWO_COLUMNS, cell_edges,
};
use crate::rates::Determined;
use crate::setting::lists::one_or_list;
use crate::setting::model_keys::point;
use crate::setting::noise::CalculusName;
use crate::setting::sections::{Landscape, Setting};
use crate::setting::sets::SetKeys;
use crate::statistics::{Estimate, Extrapolated};
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// `[escape]`: dθ = b dt + sqrt(2D) dW on four grids, from a start to a target.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escape {
    /// cells along each axis on the coarsest of four grids, whose cells are cut into 1, 2, 3 and 4 parts, a few more where edges and kinks need it; for one variable a number will do
    #[serde(deserialize_with = "one_or_list")]
    pub cells: Vec<usize>,
    /// places where the cells are smaller
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concentrate: Vec<ConcentrationKeys>,
    /// longest jump in cells along an axis, for tensors that are not diagonal
    #[serde(default = "default_reach")]
    pub reach: usize,
    /// drift that these jumps know: that at the centre of the cell, or its integral along the jump, which steep walls under strong anisotropy need
    #[serde(default)]
    pub jump_drift: JumpDriftName,
    /// where the escape begins
    pub start: SetKeys,
    /// where it ends; not needed when an end of the domain absorbs
    #[serde(default)]
    pub target: Option<SetKeys>,
    /// number of relaxation modes
    #[serde(default = "default_modes")]
    pub slow_modes: usize,
    /// times at which the distribution of the first-passage time is recorded
    #[serde(default)]
    pub first_passage_times: Vec<f64>,
    /// times at which the density that began at the start is recorded
    #[serde(default)]
    pub density_times: Vec<f64>,
    /// least action and formulas for small noise, without a grid, compared with it; none unless given
    #[serde(default)]
    pub path: Option<PathKeys>,
    /// the same problem simulated, compared with the grid; none unless given
    #[serde(default)]
    pub simulation: Option<SimulationKeys>,
}

fn default_reach() -> usize {
    8
}

fn default_modes() -> usize {
    1
}

/// Which drift the jumps of a full tensor know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JumpDriftName {
    /// its integral along jumps of more than two cells, that at the centre for shorter ones
    #[default]
    ByLength,
    /// that at the centre of the cell: exact mean displacement
    Centre,
    /// its integral along the jump: exact height of walls
    Integral,
}

/// cells along an axis that are smaller around a place
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcentrationKeys {
    /// index of the variable, from 0
    pub axis: usize,
    /// centre
    pub at: f64,
    /// distance at which the effect has halved
    pub width: f64,
    /// ratio of the largest to the smallest cell, above 1
    pub factor: f64,
}

/// `[escape.path]`: the path of least action from the attractor of the start, and what follows from it
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PathKeys {
    /// end of the path, a minimum or a saddle; unless given, where the noise-free motion from the target's centre rests
    pub to: Option<Vec<f64>>,
    /// pieces of the coarsest of three paths, at least 8
    pub points: usize,
    /// initial paths are bent by this part of the distance to either side
    pub bend: f64,
}

impl Default for PathKeys {
    fn default() -> Self {
        Self {
            to: None,
            points: 64,
            bend: 0.3,
        }
    }
}

/// `[escape.simulation]`: first passages simulated
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SimulationKeys {
    /// Langevin paths with two time steps, extrapolated, or SGD itself with the learning rate of `[sgd]`
    pub method: MethodName,
    /// runs
    pub runs: usize,
    /// the coarser of two time steps of Langevin paths; unless given, a 50th of the fastest relaxation time at the start
    pub time_step: Option<f64>,
    /// horizon in mean first-passage times of the grid; later escapes are censored
    pub longest_time: f64,
}

impl Default for SimulationKeys {
    fn default() -> Self {
        Self {
            method: MethodName::Langevin,
            runs: 10_000,
            time_step: None,
            longest_time: 30.0,
        }
    }
}

/// How paths are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MethodName {
    /// dθ = b dt + sqrt(2D) dW
    Langevin,
    /// θ − η(∇L + ξ)
    Sgd,
}

/// What a cell of the finest grid costs.
struct CellCost {
    bytes: f64,
    seconds: f64,
    /// Power with which the time of a cell grows with their number, beyond [`PLANE_MEASURED`].
    growth: f64,
}

/// Measured at 4e5 cells.
const LINE: CellCost = CellCost {
    bytes: 350.0,
    seconds: 3.5e-6,
    growth: 0.0,
};
/// Measured at [`PLANE_MEASURED`] cells.
const PLANE: CellCost = CellCost {
    bytes: 2000.0,
    seconds: 4e-5,
    growth: 0.2,
};
const PLANE_MEASURED: f64 = 1.6e5;
/// Fields that are recorded beside modes and densities.
const FIELDS: f64 = 8.0;
/// Bytes and seconds a cell of laws in time.
const EVOLUTION: (f64, f64) = (5000.0, 6e-4);
/// Bytes and seconds a piece of a path.
const PATH: (f64, f64) = (4000.0, 3e-3);
/// Bytes of a simulated run.
const RUN: f64 = 100.0;
/// Seconds of a simulated step in one variable and in two.
const STEP: [f64; 2] = [9e-8, 2e-7];

/// The numbers of the grid that come first.
const MAIN: [Quantity; 8] = [
    Quantity::MeanFirstPassageTime,
    Quantity::FirstPassageDeviation,
    Quantity::TargetProbability,
    Quantity::EscapeRate,
    Quantity::SpectralGap,
    Quantity::StationaryTargetProbability,
    Quantity::ReactiveRate,
    Quantity::MeanTransitionDuration,
];

impl Task for Escape {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "escape",
        description: "a problem of one's own: loss, effective potential, densities, first-passage times, committor",
        group: "escape",
        figure,
    }];
    const USES: &'static [&'static str] = &["sgd", "region"];

    const SHAPED_BY: &'static [&'static str] = &["cells", "slow_modes"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let mut numbers = Vec::new();
        if let Some(records) = EscapeRecords::find(file) {
            numbers.extend(MAIN.iter().filter_map(|quantity| {
                let number = records.number(*quantity)?;
                Some(MainNumber::new(
                    &quantity.name(),
                    quantity.unit(),
                    number.value,
                    number.standard_error,
                ))
            }));
            if let Some(integral) = records.integral() {
                numbers.push(MainNumber::new(
                    "mean_first_passage_time_integral",
                    "time",
                    integral.mean_first_passage_time,
                    integral.mean_first_passage_time_error,
                ));
            }
            if let Some(simulation) = records.simulation() {
                numbers.push(MainNumber::new(
                    "simulated_mean_first_passage_time",
                    "time",
                    simulation.mean_first_passage_time,
                    simulation.mean_first_passage_time_standard_error,
                ));
            }
        }
        if let Some(path) = EscapePathResult::find(file)? {
            if let (Some(exponent), Some(error)) = (path.exponent, path.exponent_error) {
                numbers.push(MainNumber::new("exponent", "1", exponent, error));
            }
            if let (Some(rate), Some(deviation)) = (
                path.escape_rate_theory,
                path.escape_rate_theory_expected_deviation,
            ) {
                numbers.push(MainNumber::new(
                    "escape_rate_theory",
                    "1/time",
                    rate,
                    rate * deviation,
                ));
            }
        }
        Ok(numbers.concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// What a slow mode costs beside all the rest.
        const MODE: f64 = 0.2;
        let dimensions = self.cells.len();
        // Cells of the finest grid; what a cell costs counts the coarser grids too.
        let cells: f64 = self
            .cells
            .iter()
            .map(|n| PARTS[LEVELS - 1] as f64 * *n as f64)
            .product();
        let known = if dimensions == 1 { LINE } else { PLANE };
        let growth = (cells / PLANE_MEASURED).max(1.0).powf(known.growth);
        let times = self.density_times.len() as f64 + self.first_passage_times.len() as f64;
        let modes = self.slow_modes as f64;
        let mut cost = Cost::default()
            .with_memory("escape.cells", known.bytes * cells)
            .with_memory("escape.slow_modes", known.bytes * cells * MODE * modes)
            .with_result(
                "escape.cells",
                8.0 * cells * (FIELDS + self.density_times.len() as f64),
            )
            .with_result("escape.slow_modes", 8.0 * cells * modes)
            .with_time("escape.cells", known.seconds * cells * growth)
            .with_time("escape.slow_modes", known.seconds * cells * growth * MODE * modes);
        if times > 0.0 {
            cost = cost
                .with_memory("escape.density_times", EVOLUTION.0 * cells)
                .with_time("escape.density_times", EVOLUTION.1 * cells * growth);
        }
        if let Some(path) = &self.path {
            let points = path.points as f64;
            cost = cost
                .with_memory("escape.path.points", PATH.0 * points)
                .with_result("escape.path.points", 100.0 * points)
                .with_time("escape.path.points", PATH.1 * points);
        }
        if let Some(simulation) = &self.simulation {
            cost = cost.with_memory("escape.simulation.runs", RUN * simulation.runs as f64);
        }
        cost
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        match setting.landscape.line_or_plane() {
            Ok(1) => self.work(
                setting,
                |keys| keys.on_a_line(),
                |problem, numbers| {
                    let found = match why_no_integral(problem) {
                        Some(reason) => Err(reason.to_string()),
                        None => mean_first_passage_time_integral(problem).map_err(|e| e.to_string()),
                    };
                    integral_group(numbers, found).map(Some)
                },
            ),
            Ok(_) => self.work(setting, |keys| keys.in_the_plane(), |_, _| Ok(None)),
            Err(error) => Err(error.at("landscape")),
        }
    }
}

/// The generator of a problem of `[escape]` on one grid.
#[derive(Debug, Clone, PartialEq)]
pub struct AssembledGenerator {
    /// Rates among the states, in 1/time.
    pub rates: SparseRates,
    /// Rate of each state through absorbing boundaries, in 1/time.
    pub killing: Vec<f64>,
    /// Cell of each state, the last variable running fastest; those outside of the domain are no states.
    pub states: Vec<usize>,
    /// Faces of the cells along each variable.
    pub faces: Vec<Vec<f64>>,
}

/// A group that only problems of one dimension have; the group of the numbers may say why it is empty.
type More<const D: usize> = fn(&Problem<D>, &mut Group) -> Result<Option<Group>>;

impl Escape {
    /// The generator on the grid whose cells are those of `cells` cut into `parts`.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key that is out of range; those of [`Generator::assemble_with`].
    ///
    /// # Examples
    /// ```
    /// let text = include_str!("../../paper/experiments/double_well.toml");
    /// let config = freezeout::run::parse(text)?;
    /// let generator = config.escape.as_ref().unwrap().generator(&config.setting()?, 1)?;
    /// // Of a line every inner cell has two neighbours, and faces are one more than cells.
    /// let states = generator.states.len();
    /// assert_eq!(generator.rates.transitions(), 2 * (states - 1));
    /// assert_eq!(generator.faces[0].len(), states + 1);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn generator(&self, setting: &Setting, parts: usize) -> Result<AssembledGenerator> {
        match setting.landscape.dimension() {
            Ok(1) => self.assembled(setting, |keys| keys.on_a_line(), parts),
            Ok(_) => self.assembled(setting, |keys| keys.in_the_plane(), parts),
            Err(error) => Err(error.at("landscape")),
        }
    }

    fn assembled<const D: usize>(
        &self,
        setting: &Setting,
        landscape: Landscape<D>,
        parts: usize,
    ) -> Result<AssembledGenerator> {
        let problem = self.problem(setting, landscape)?;
        let grid = problem.grid(parts)?;
        problem.check_finite(&grid)?;
        let discretisation = problem.discretisation(&grid)?;
        let generator = Generator::assemble_with(&problem.discretised(), grid, &discretisation)?;
        Ok(AssembledGenerator {
            rates: generator.rates()?.into_owned(),
            killing: generator.killing().to_vec(),
            states: generator.states().to_vec(),
            faces: generator
                .grid()
                .axes()
                .iter()
                .map(|axis| axis.faces().to_vec())
                .collect(),
        })
    }

    fn work<const D: usize>(
        &self,
        setting: &Setting,
        landscape: Landscape<D>,
        more: More<D>,
    ) -> Result<Work> {
        let problem = self.problem(setting, landscape)?;
        setting
            .landscape
            .check_kinks(problem.domain().bounds())
            .map_err(|e| e.at("landscape"))?;
        self.settings().check().map_err(|e| e.at("escape"))?;
        // Every mode but the stationary one needs a cell.
        let cells: usize = self.cells.iter().product();
        if self.slow_modes >= cells {
            return Err(Error::config(
                "escape.slow_modes",
                format!("{} modes need more than {cells} cells", self.slow_modes),
            ));
        }
        if self.slow_modes > default_modes() && problem.domain().absorbs() {
            return Err(Error::config(
                "escape.slow_modes",
                "relaxation modes are those of a closed domain, and an end absorbs: leave the key out, or let all ends reflect",
            ));
        }
        if let Some(keys) = &self.path {
            let settings = keys.settings();
            let checked = settings.and_then(|settings| settings.check(&problem));
            checked.map_err(|e| e.at("escape.path"))?;
        }
        if let Some(keys) = &self.simulation {
            let checked = keys.simulation().check(&problem);
            checked.map_err(|e| e.at("escape.simulation"))?;
        }
        let (task, seed) = (self.clone(), setting.seed);
        let names = setting.landscape.names::<D>().map(String::from);
        Ok(Box::new(move |progress| {
            let names = names.each_ref().map(String::as_str);
            task.groups(&problem, &names, more, seed, progress)
        }))
    }

    /// The problem that the keys describe, in a landscape of D variables.
    fn problem<const D: usize>(&self, setting: &Setting, landscape: Landscape<D>) -> Result<Problem<D>> {
        let names = setting.landscape.names::<D>();
        if let Some(name) = names
            .iter()
            .enumerate()
            .find(|(k, n)| TAKEN.contains(n) || names[..*k].contains(n))
        {
            return Err(Error::config(
                "landscape.variables",
                format!(
                    "{:?} is the name of a result or of another variable: choose another name",
                    name.1
                ),
            ));
        }
        let region = setting.region()?;
        let diffusion = setting.diffusion(landscape)?;
        let domain = region.restricted::<D>(&setting.landscape, &*diffusion);
        let domain = domain.map_err(|e| e.at("region"))?;
        let set = |key: &str, keys: &SetKeys| {
            let set = keys.set(&setting.landscape, &*diffusion, domain.bounds());
            set.map_err(|e| e.at(&format!("escape.{key}")))
        };
        let start = set("start", &self.start)?;
        let target = self.target.as_ref().map(|keys| set("target", keys)).transpose()?;
        if D > 1 && setting.noise()?.calculus == Some(CalculusName::AntiIto) {
            return Err(Error::config(
                "noise.calculus",
                "of several variables \"anti_ito\" has two meanings: say \"klimontovich\" for the drift div D; noise at the end of the step is not offered",
            ));
        }
        let cells = self.cells.as_slice().try_into();
        let cells = cells.map_err(|_| {
            Error::config(
                "escape.cells",
                format!("{D} number(s) are needed, one a variable"),
            )
        })?;
        let concentrations = self.concentrate.iter();
        let concentrations = concentrations.map(|c| Concentration::new(c.axis, c.at, c.width, c.factor));
        let concentrations = concentrations.collect::<Result<_>>();
        let mut builder = Problem::builder(diffusion, domain, cells)
            .with_calculus(setting.noise()?.calculus())
            .with_concentrations(concentrations.map_err(|e| e.at("escape.concentrate"))?)
            .with_reach(self.reach)
            .with_jump_drift(match self.jump_drift {
                JumpDriftName::ByLength => JumpDrift::ByLength,
                JumpDriftName::Centre => JumpDrift::Centre,
                JumpDriftName::Integral => JumpDrift::Integral,
            })
            .from(start);
        if let Some(target) = target {
            builder = builder.to(target);
        }
        builder.build().map_err(in_its_section)
    }

    fn settings(&self) -> Settings {
        Settings {
            slow_modes: self.slow_modes,
            first_passage_times: self.first_passage_times.clone(),
            density_times: self.density_times.clone(),
        }
    }

    /// `/escape` with the groups below it, and `/escape_path` if asked for.
    fn groups<const D: usize>(
        &self,
        problem: &Problem<D>,
        names: &[&str; D],
        more: More<D>,
        seed: u64,
        progress: &Progress,
    ) -> Result<Vec<Group>> {
        let bar = progress.task("escape", LEVELS as u64 + 1);
        let simulation = self.simulation.as_ref().map(SimulationKeys::simulation);
        let in_simulation = |e: Error| e.at("escape.simulation");
        let is_said = OnceLock::new();
        let solved = problem.solve(&self.settings(), &|level| {
            bar.advance(1);
            let Some(simulation) = &simulation else {
                return Ok(());
            };
            simulation.check_work(problem, level).map_err(in_simulation)?;
            let step = simulation.check(problem).map_err(in_simulation)?;
            if is_said.set(()).is_ok()
                && let Some(line) = long_simulation::<D>(simulation, level, step)
            {
                progress.note(&line);
            }
            Ok(())
        });
        bar.advance(1);
        let result = match (solved, &self.path) {
            (Ok(result), _) => result,
            // paths need no grid
            (Err(error), Some(keys)) if is_of_the_grid(&error) => {
                let mut path = self.path(problem, keys, None, progress)?;
                let text = format!("without [escape], as the grid failed: {error}");
                path.set_attribute(WARNING, text)?;
                return Ok(vec![path]);
            }
            (Err(error), _) => return Err(error),
        };
        let mut groups = grid_groups(names, self.slow_modes, problem, &result)?;
        if let Some(target) = &self.target {
            say_sets(&mut groups[0], &self.start, target)?;
        }
        let more = more(problem, &mut groups[0])?;
        groups.extend(more);
        if let Some(simulation) = &simulation {
            let bar = progress.task("simulation", simulation.paths() as u64);
            // what the grid has found is kept whatever becomes of the simulation
            match simulate(problem, simulation, result.finest(), seed, &|n| bar.advance(n)) {
                Ok(passage) => {
                    groups[0].set_attribute(SIMULATION, method_text(simulation.method))?;
                    groups.push(SimulationRecords::from(&passage).group()?);
                }
                Err(error) => {
                    let reason = format!("the simulation failed: {error}");
                    groups[0].set_attribute("simulation_left_out", reason.as_str())?;
                    let known = groups[0].attributes().get(WARNING).cloned();
                    let text = match known {
                        Some(Attribute::Text(known)) => format!("{known}; {reason}"),
                        _ => reason,
                    };
                    groups[0].set_attribute(WARNING, text)?;
                    groups.push(SimulationRecords::empty_group()?);
                }
            }
        }
        if let Some(keys) = &self.path {
            groups.push(self.path(problem, keys, Some(&result), progress)?);
        }
        Ok(groups)
    }

    /// `/escape_path`.
    fn path<const D: usize>(
        &self,
        problem: &Problem<D>,
        keys: &PathKeys,
        grid: Option<&EscapeResult<D>>,
        progress: &Progress,
    ) -> Result<Group> {
        let settings = keys.settings()?;
        let found = least_action(problem, &settings);
        if let Err(error) = &found {
            progress.note(&format!("escape.path is left out: {error}"));
        }
        let rate = found
            .as_ref()
            .ok()
            .map(|found| small_noise_rate(problem, found, settings.pieces));
        path_group(problem, grid, &found, rate.as_ref())
    }
}

/// Whether an error says that no grid can solve the problem, whatever else can.
fn is_of_the_grid(error: &Error) -> bool {
    match error {
        Error::At { source, .. } => is_of_the_grid(source),
        Error::NotFinite { .. }
        | Error::NotConverged { .. }
        | Error::Unreachable { .. }
        | Error::TooAnisotropic { .. } => true,
        _ => false,
    }
}

/// A line about a simulation that takes longer than a minute, which nobody can know before a grid has been solved.
fn long_simulation<const D: usize>(simulation: &Simulation, level: &Level<D>, step: f64) -> Option<String> {
    const LONG: f64 = 60.0;
    let mean = level.value(Quantity::MeanFirstPassageTime)?;
    // Of Langevin paths both time steps: three times the work of the coarser.
    let levels = (simulation.paths() / simulation.runs) as f64;
    let steps = (2.0 * levels - 1.0) * simulation.runs as f64 * mean / step;
    let seconds = STEP[D - 1] * steps / rayon::current_num_threads() as f64;
    (seconds > LONG).then(|| {
        format!(
            "escape.simulation.runs: {} runs of {mean:.3e} on average take {steps:.1e} steps, about {:.0} min",
            simulation.runs,
            seconds / 60.0
        )
    })
}

impl PathKeys {
    fn settings<const D: usize>(&self) -> Result<LeastActionSettings<D>> {
        Ok(LeastActionSettings {
            to: self.to.as_ref().map(|to| point("to", to)).transpose()?,
            pieces: self.points,
            bend: self.bend,
        })
    }
}

impl SimulationKeys {
    fn simulation(&self) -> Simulation {
        Simulation {
            method: match self.method {
                MethodName::Langevin => SimulationMethod::Langevin,
                MethodName::Sgd => SimulationMethod::Sgd,
            },
            runs: self.runs,
            time_step: self.time_step,
            longest_time: self.longest_time,
        }
    }
}

/// Names the section in which the key of an error about a problem stands.
fn in_its_section(error: Error) -> Error {
    let key = match &error {
        Error::Config { key, .. } => key.as_str(),
        Error::InvalidParameter { name, .. } => name.as_str(),
        Error::NotPositive { .. } => "tensor",
        _ => "",
    };
    let section = match key.split('.').next().unwrap_or_default() {
        "kinks" | "loss" | "drift" => "landscape",
        "calculus" | "tensor" => "noise",
        "domain" | "boundaries" | "sublevel" | "within" | "edge" | "window" => "region",
        "noise" => return error,
        _ => "escape",
    };
    error.at(section)
}

/// Names of records that variables of the problem would collide with.
const TAKEN: [&str; 12] = [
    "loss",
    "committor",
    "survival",
    "density",
    "component",
    "mode",
    "density_time",
    "first_passage_time",
    "escape_rate",
    "spectral_gap",
    "slow_mode",
    "rate_constant",
];

/// The groups of functions of the variables, and of the density in time.
const FIELD_GROUP: &str = "escape/fields";
const DENSITY_GROUP: &str = "escape/density_in_time";

/// Meaning of NaN in fields.
const OUTSIDE: &str = "outside the sublevel of the loss, or not a finite number there";

/// `/escape` with attributes and numbers, and below it how they converge, fields on the finest grid, and what happens in time.
fn grid_groups<const D: usize>(
    variables: &[&str; D],
    slow_modes: usize,
    problem: &Problem<D>,
    result: &EscapeResult<D>,
) -> Result<Vec<Group>> {
    let mut group = Group::new("escape")?.with_description(
        "stationary law, escape and relaxation of dθ = b dt + sqrt(2D) dW: numbers extrapolated from four grids",
    );
    let mut convergence =
        Group::new("escape/convergence")?.with_description("how numbers and fields change between the grids");
    let mut fields = Group::new(FIELD_GROUP)?
        .with_description("functions of the variables on the cells of the finest grid");
    group.set_attribute("calculus", problem.calculus().name())?;
    group.set_attribute("alpha", problem.calculus().alpha())?;
    if !problem.is_regular() && problem.domain().restriction().is_none() {
        group.set_attribute(
            "cells",
            "faces crowd so that widths cannot vary smoothly, and the tensor is not diagonal: numbers are not extrapolated",
        )?;
    }
    for (name, kind) in ["lower_end", "upper_end"]
        .into_iter()
        .zip(problem.feller_boundaries())
    {
        if let Some(kind) = kind {
            group.set_attribute(name, format!("the noise vanishes there; {}", kind.meaning()))?;
        }
    }
    let finest = result.finest();
    match (finest.factorisation(), finest.has_detailed_balance()) {
        (Some(how), _) => group.set_attribute("factorisation_of_the_gap", how.to_string())?,
        (None, Some(false)) => group.set_attribute(
            "factorisation_of_the_gap",
            "elimination without subtraction, no detailed balance",
        )?,
        _ => {}
    }
    if let Some(balance) = finest.has_detailed_balance() {
        group.set_attribute("detailed_balance", if balance { "yes" } else { "no" })?;
    }
    let shape = push_fields(&mut fields, variables, slow_modes, problem, finest)?;
    for (quantity, change) in result.changes() {
        convergence.push(
            Record::scalar(&format!("{}_change", quantity.name()), "1", *change)?.with_description(
                "largest change from the middle to the finest grid over the largest value; the error left is a third of it at order 2",
            ),
        )?;
    }
    for (quantity, number) in result.numbers() {
        push_number(&mut group, &mut convergence, *quantity, number)?;
    }
    let left_out: Vec<String> = result
        .left_out()
        .iter()
        .map(|(quantity, error)| match quantity {
            Quantity::SpectralGap => format!("spectral_gap and slow modes: {error}"),
            other => format!("{}: {error}", other.name()),
        })
        .collect();
    if !left_out.is_empty() {
        group.set_attribute("left_out", left_out.join("; "))?;
    }
    let warnings: Vec<String> = [
        too_small(problem, finest.cuts()),
        undeclared_kink(problem, result),
        without_digits(result.numbers()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !warnings.is_empty() {
        group.set_attribute(WARNING, warnings.join("; "))?;
    }
    group.push(
        Record::scalar("slow_mode_frequency", "1/time", finest.slow_mode_frequency())?.with_description(
            "imaginary part of the slowest eigenvalue on the finest grid; zero with detailed balance",
        ),
    )?;
    let mut groups = vec![group, convergence];
    if let Some(law) = result.passage_law() {
        groups.push(LawRecords::from(law).group()?);
    }
    if let Some(densities) = result.densities() {
        groups.push(density_group(densities, &fields, &shape)?);
    }
    groups.insert(2, fields);
    Ok(groups)
}

/// Which main numbers are missing, as four grids tell no digit of them.
fn without_digits(numbers: &[(Quantity, Extrapolated)]) -> Option<String> {
    let lost = numbers
        .iter()
        .filter(|(quantity, number)| MAIN.contains(quantity) && number.value.is_nan());
    let lost: Vec<String> = lost.map(|(quantity, _)| quantity.name()).collect();
    (!lost.is_empty()).then(|| {
        format!(
            "{} missing, as the grids differ by more than the numbers: give more cells (escape.cells)",
            lost.join(", ")
        )
    })
}

/// Value and error of a number, and its order of convergence.
fn push_number(
    group: &mut Group,
    convergence: &mut Group,
    quantity: Quantity,
    number: &Extrapolated,
) -> Result<()> {
    let (name, unit) = (quantity.name(), quantity.unit());
    const NO_DIGITS: &str = "the grids differ by more than the number";
    let value = Record::scalar(&name, unit, number.value)?.with_description(quantity.description());
    group.push(value.with_missing(NO_DIGITS))?;
    group.push(
        Record::scalar(&format!("{name}_error"), unit, number.error)?
            .with_description("discretisation error from four grids")
            .with_missing(NO_DIGITS),
    )?;
    convergence.push(
        Record::scalar(&format!("{name}_order"), "1", number.order)?
            .with_description("observed order of convergence; extrapolated only near the order expected")
            .with_missing("the changes between grids do not shrink with one sign"),
    )
}

/// Name and size of the dimension that a field has besides the variables.
fn entries<const D: usize>(field: &Field) -> Option<(&'static str, usize)> {
    if field.quantity.is_vector() {
        return Some(("component", D));
    }
    (field.entries > 1).then_some(("mode", field.entries))
}

/// Writes the fields and returns the dimensions of those with one entry a cell.
fn push_fields<'a, const D: usize>(
    group: &mut Group,
    variables: &[&'a str; D],
    slow_modes: usize,
    problem: &Problem<D>,
    level: &Level<D>,
) -> Result<Vec<(&'a str, usize)>> {
    let grid = level.grid();
    let mut shape: Vec<(&str, usize)> = Vec::new();
    for (name, axis) in variables.iter().zip(grid.axes()) {
        group
            .push(Record::coordinate(name, "1", axis.centres().to_vec())?.with_description("cell centres"))?;
        shape.push((name, axis.cells()));
        let faces = Record::coordinate(&format!("{name}_face"), "1", axis.faces().to_vec())?;
        group.push(faces.with_description("faces of the cells, one more than there are cells"))?;
    }
    for (name, count) in [("component", D), ("mode", slow_modes)] {
        if level
            .fields()
            .iter()
            .any(|f| entries::<D>(f) == Some((name, count)))
        {
            let numbers: Vec<f64> = (1..=count).map(|k| k as f64).collect();
            group.push(Record::coordinate(name, "1", numbers)?.with_description("counted from 1"))?;
        }
    }
    let inside: Vec<bool> = (0..grid.cells())
        .map(|i| problem.in_domain(&grid.centre(i)))
        .collect();
    for field in level.fields() {
        let values: Vec<f64> = field
            .values
            .iter()
            .enumerate()
            .map(|(k, v)| if inside[k / field.entries] { *v } else { f64::NAN })
            .collect();
        let mut shape = shape.clone();
        shape.extend(entries::<D>(field));
        let quantity = field.quantity;
        group.push(
            Record::new(quantity.name(), quantity.unit(), &shape, values)?
                .with_symbol(quantity.symbol())
                .with_description(quantity.description())
                .with_missing(OUTSIDE),
        )?;
    }
    Ok(shape)
}

records! {
    /// the law of the first-passage time
    pub struct LawRecords in "escape/first_passage_law" {
        /// time since the start, at which the law of the first-passage time is given
        first_passage_time: Vec<f64> => [first_passage_time] "time",
        /// probability that the target has not been reached yet
        survival: Vec<f64> => [first_passage_time] "1" "S",
        /// discretisation error from four grids, with the error in time from halved steps
        survival_error: Vec<f64> => [first_passage_time] "1",
        /// probability that the target has been reached
        first_passage_distribution: Vec<f64> => [first_passage_time] "1" "F",
        /// discretisation error from four grids, with the error in time from halved steps
        first_passage_distribution_error: Vec<f64> => [first_passage_time] "1",
    }
}

impl From<&PassageLaw> for LawRecords {
    fn from(law: &PassageLaw) -> Self {
        let values = |numbers: &[Extrapolated]| numbers.iter().map(|n| n.value).collect();
        let errors = |numbers: &[Extrapolated]| numbers.iter().map(|n| n.error).collect();
        Self {
            first_passage_time: law.times.clone(),
            survival: values(&law.survival),
            survival_error: errors(&law.survival),
            first_passage_distribution: values(&law.distribution),
            first_passage_distribution_error: errors(&law.distribution),
        }
    }
}

/// The density in time, on the cells of the fields.
fn density_group(densities: &Densities, fields: &Group, shape: &[(&str, usize)]) -> Result<Group> {
    let mut group =
        Group::new(DENSITY_GROUP)?.with_description("the density of the process that begins at the start");
    let times = ("density_time", densities.times.len());
    group.push(
        Record::coordinate("density_time", "time", densities.times.clone())?
            .with_description("time since the start, at which the density is given"),
    )?;
    for centres in shape.iter().filter_map(|(name, _)| fields.record(name)) {
        group.push(centres.clone())?;
    }
    let mut dimensions = vec![times];
    dimensions.extend(shape);
    group.push(
        Record::new("density", "1", &dimensions, densities.values.concat())?
            .with_symbol("p(t)")
            .with_description("density of the process that begins at the start; absorbing ends remove it, the target does not"),
    )?;
    group.push(
        Record::new("density_error", "1", &[times], densities.errors.clone())?.with_description(
            "estimated error in time, summed over the cells; that of the grid is of second order",
        ),
    )?;
    group.push(
        Record::new("density_negative", "1", &[times], densities.negative.clone())?.with_description(
            "sum of negative probabilities, an error of the time steps that density_error counts",
        ),
    )?;
    Ok(group)
}

records! {
    /// the mean first-passage time by quadrature
    pub struct IntegralRecords in "escape/integral" {
        /// mean first-passage time from the start point by exact quadrature of the Ito equation, no grid
        mean_first_passage_time: f64 => [] "time" "τ",
        /// change when every panel of the quadrature is halved, at least rounding
        mean_first_passage_time_error: f64 => [] "time",
    }
}

/// The mean first-passage time by quadrature; where there is none the group is empty and an attribute of the numbers says why.
fn integral_group(numbers: &mut Group, found: std::result::Result<Determined, String>) -> Result<Group> {
    let left_out = match found {
        Ok(time) if time.value.is_finite() => {
            let records = IntegralRecords {
                mean_first_passage_time: time.value,
                mean_first_passage_time_error: time.value * time.relative_error,
            };
            return records.group();
        }
        Ok(_) => "it exceeds the largest number".into(),
        Err(reason) => reason,
    };
    numbers.set_attribute("mean_first_passage_time_integral_left_out", left_out)?;
    IntegralRecords::empty_group()
}

records! {
    /// the simulated mean first-passage time
    pub struct SimulationRecords in "escape/simulation" {
        /// error of the finer time step, taken off by extrapolation; of order 1, or 1/2 at kinks and basins
        time_step_bias: Option<f64> => [] "time",
        /// mean first-passage time simulated, as the attribute simulation of escape says
        mean_first_passage_time: f64 => [] "time",
        /// standard error
        mean_first_passage_time_standard_error: f64 => [] "time",
        /// time step, the coarser of two for Langevin paths
        time_step: f64 => [] "time",
        /// runs that had not escaped by the end
        censored: f64 => [] "1",
    }
}

impl From<&SimulatedPassage> for SimulationRecords {
    fn from(passage: &SimulatedPassage) -> Self {
        Self {
            time_step_bias: passage.bias.map(|bias| bias.value),
            mean_first_passage_time: passage.mean.value,
            mean_first_passage_time_standard_error: passage.mean.standard_error,
            time_step: passage.time_step,
            censored: passage.censored as f64,
        }
    }
}

/// How the simulation was made, for the attribute of the group.
fn method_text(method: SimulationMethod) -> &'static str {
    match method {
        SimulationMethod::Sgd => "SGD itself, time = learning rate times iterations",
        SimulationMethod::Langevin => "Langevin paths, two time steps extrapolated",
    }
}

records! {
    /// path of least action from the attractor of the start, and escape rates for small noise, without a grid
    pub struct EscapePathResult in "escape_path" {
        /// variables, counted from 1
        component: Option<Vec<f64>> => [component] "1",
        /// path of least action, points at equal distances
        position: Option<Vec<f64>> => [point, component] "1" "φ",
        /// length of the path up to the point
        arclength: Option<Vec<f64>> => [point] "1" "s",
        /// geometric action of the path up to the point; flat where the drift carries along it
        action: Option<Vec<f64>> => [point] "1" "S",
        /// loss along the path
        loss: Option<Vec<f64>> => [point] "1" "L" missing "not a finite number there",
        /// -ln of the stationary density along the path, interpolated on the finest grid
        effective_potential: Option<Vec<f64>> => [point] "1" "Φ" missing "outside the sublevel of the loss, or not a finite number there",
        /// saddles on the path in order, by Newton's method
        saddle_position: Option<Vec<f64>> => [saddle, component] "1" missing "the path passes no further saddle",
        /// loss at the saddles
        saddle_loss: Option<Vec<f64>> => [saddle] "1" missing "the path passes no further saddle",
        /// loss of the highest saddle less that of the attractor of the start
        loss_barrier: Option<f64> => [] "1" "ΔL",
        /// quasi-potential of the first saddle, or of the end of a path without one: an upper bound, the lowest of several local minima
        exponent: Option<f64> => [] "1" "V",
        /// discretisation error of exponent; a path of another shape may be lower
        exponent_error: Option<f64> => [] "1",
        /// number of an instanton, the lowest first
        instanton: Option<Vec<u64>> => [instanton] "1",
        /// instantons whose rates escape_rate_theory is the sum of, points at equal distances, or from a focus at ones that grow in proportion
        instanton_position: Option<Vec<f64>> => [instanton, instanton_point, component] "1" "φ" missing "there is no further instanton",
        /// formula of escape_rate_theory, or why there is none
        formula: Vec<String> => [] "text",
        /// escape rate for small noise by the formula, where the attribute regime says that it holds
        escape_rate_theory: Option<f64> => [] "1/time",
        /// discretisation error of what enters the formula; the formula itself is uncertain by escape_rate_theory_expected_deviation
        escape_rate_theory_error: Option<f64> => [] "1/time",
        /// scale of the relative error of the formula: 1/exponent, noise over barrier
        escape_rate_theory_expected_deviation: Option<f64> => [] "1",
        /// natural logarithm of escape_rate_theory, below the smallest number too
        escape_rate_theory_log: Option<f64> => [] "1",
        /// loss barrier over T, by Newton's method; exponent must be the same
        reduced_barrier: Option<f64> => [] "1",
        /// bound of its error
        reduced_barrier_error: Option<f64> => [] "1",
        /// rate of the grid, as in /escape
        escape_rate: Option<f64> => [] "1/time",
        /// its discretisation error
        escape_rate_error: Option<f64> => [] "1/time",
        /// rate of the grid over escape_rate_theory: 1 up to escape_rate_theory_expected_deviation
        escape_rate_ratio: Option<f64> => [] "1",
    }
}

impl EscapePathResult {
    /// A result that says only why there is none.
    fn without(reason: &str) -> Self {
        Self {
            component: None,
            position: None,
            arclength: None,
            action: None,
            loss: None,
            effective_potential: None,
            saddle_position: None,
            saddle_loss: None,
            loss_barrier: None,
            exponent: None,
            exponent_error: None,
            instanton: None,
            instanton_position: None,
            formula: vec![format!("none: {reason}")],
            escape_rate_theory: None,
            escape_rate_theory_error: None,
            escape_rate_theory_expected_deviation: None,
            escape_rate_theory_log: None,
            reduced_barrier: None,
            reduced_barrier_error: None,
            escape_rate: None,
            escape_rate_error: None,
            escape_rate_ratio: None,
        }
    }

    fn add_path<const D: usize>(
        &mut self,
        problem: &Problem<D>,
        result: Option<&EscapeResult<D>>,
        found: &LeastAction<D>,
    ) -> Result<()> {
        let (points, saddles) = (found.path.points(), &found.saddles);
        self.component = Some((1..=D).map(|k| k as f64).collect());
        self.position = Some(points.iter().flat_map(|theta| theta.iter().copied()).collect());
        self.arclength = Some(found.path.arclengths());
        self.action = Some(found.action_along(problem)?);
        let positions = saddles.iter().flat_map(|s| s.position.iter().copied());
        self.saddle_position = padded(positions.collect(), MOST_SADDLES * D);
        if let Some(landscape) = problem.landscape() {
            self.loss = Some(points.iter().map(|theta| landscape.loss(theta)).collect());
            let losses = saddles.iter().map(|s| landscape.loss(&s.position));
            self.saddle_loss = padded(losses.collect(), MOST_SADDLES);
            let limiting = found.limiting_saddle(problem);
            self.loss_barrier =
                limiting.map(|saddle| landscape.loss(&saddle.position) - landscape.loss(&found.path.start()));
        }
        if let Some(result) = result
            && let Some(potential) = result.field(FieldQuantity::EffectivePotential)
        {
            let at = |theta: &_| result.grid().interpolate(potential, *theta);
            let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
            self.effective_potential = Some(points.iter().map(at).map(finite).collect());
        }
        if let Ok(instanton) = &found.instanton {
            self.exponent = Some(instanton.action);
            self.exponent_error = Some(instanton.error);
        }
        Ok(())
    }

    fn add_rate<const D: usize>(&mut self, rate: &SmallNoiseRate<D>, grid: Option<Extrapolated>) {
        let value = rate.log_rate.exp();
        self.formula = vec![rate.formula.name().into()];
        self.escape_rate_theory = Some(value);
        self.escape_rate_theory_error = Some(value * rate.error);
        self.escape_rate_theory_expected_deviation = Some(rate.deviation);
        self.escape_rate_theory_log = Some(rate.log_rate);
        if let Some(first) = rate.instantons.first() {
            let paths = rate.instantons.iter().flat_map(Path::points);
            let positions = paths.flat_map(|theta| theta.iter().copied()).collect();
            // one for each path that the search begins with, at most
            let most = 2 * D - 1;
            self.instanton = Some((1..=most as u64).collect());
            self.instanton_position = padded(positions, most * D * first.points().len());
        }
        self.reduced_barrier = rate.reduced_barrier;
        self.reduced_barrier_error = rate.reduced_barrier.map(|barrier| barrier * rate.error);
        let Some(grid) = grid else { return };
        self.escape_rate = Some(grid.value);
        self.escape_rate_error = Some(grid.error);
        if rate.incomparable.is_none() && value > 0.0 && grid.value > 0.0 {
            self.escape_rate_ratio = Some(grid.value / value);
        }
    }
}

/// Values of one size for all paths, so that those of a sweep can be stacked.
fn padded(values: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    let missing = size - values.len();
    Some(
        values
            .into_iter()
            .chain(std::iter::repeat_n(f64::NAN, missing))
            .collect(),
    )
}

/// `/escape_path`: the path of least action and the formulas for small noise, beside the rate of the grid.
fn path_group<const D: usize>(
    problem: &Problem<D>,
    result: Option<&EscapeResult<D>>,
    found: &Result<LeastAction<D>>,
    rate: Option<&std::result::Result<SmallNoiseRate<D>, NoFormula>>,
) -> Result<Group> {
    let found = match found {
        Ok(found) => found,
        Err(reason) => {
            let reason = reason.to_string();
            let mut group = EscapePathResult::without(&reason).group()?;
            group.set_attribute("left_out", reason)?;
            return Ok(group);
        }
    };
    let no_formula = rate
        .and_then(|rate| rate.as_ref().err())
        .map(NoFormula::to_string);
    let mut records = EscapePathResult::without(no_formula.as_deref().unwrap_or_default());
    records.add_path(problem, result, found)?;
    if let Some(Ok(rate)) = rate {
        records.add_rate(rate, result.and_then(EscapeResult::escape_rate));
    }
    let mut group = records.group()?;
    let incomparable = rate
        .and_then(|rate| rate.as_ref().ok())
        .and_then(|rate| rate.incomparable);
    let regime = rate
        .and_then(|rate| rate.as_ref().ok())
        .map(|rate| rate.formula.regime());
    for (name, text) in [
        (
            "exponent_left_out",
            found.instanton.as_ref().err().map(Error::to_string),
        ),
        ("escape_rate_theory_left_out", no_formula),
        ("regime", regime.map(String::from)),
        ("not_compared", incomparable.map(|reason| reason.to_string())),
    ] {
        if let Some(text) = text {
            group.set_attribute(name, text)?;
        }
    }
    Ok(group)
}

/// Attribute with how the problem was simulated.
const SIMULATION: &str = "simulation";

/// `/escape` and the groups below it as they stand in a result file.
pub struct EscapeRecords<'a> {
    file: &'a ResultFile,
    group: &'a Group,
}

impl<'a> EscapeRecords<'a> {
    /// Name of the group.
    pub(crate) const GROUP: &'static str = "escape";

    /// The group, if the file has it.
    pub fn find(file: &'a ResultFile) -> Option<Self> {
        file.group(Self::GROUP).map(|group| Self { file, group })
    }

    /// A number with its error, where it is one and not a sweep of many.
    pub fn number(&self, quantity: Quantity) -> Option<Estimate> {
        let get = |name: &str| match self.group.record(name)?.numbers()?.as_slice() {
            [value] => Some(*value),
            _ => None,
        };
        let value = get(&quantity.name()).filter(|value| value.is_finite())?;
        Some(Estimate {
            value,
            standard_error: get(&format!("{}_error", quantity.name()))?,
            samples: 1,
        })
    }

    /// Whether reflecting ends cut off more than the numbers can bear.
    pub fn is_domain_too_small(&self) -> bool {
        self.group
            .record(&Quantity::CutProbability.name())
            .and_then(Record::numbers)
            .is_some_and(|cut| cut.iter().any(|cut| *cut > CUT))
    }

    /// Whether the simulation is of SGD itself, with steps of its own.
    pub fn simulates_sgd(&self) -> bool {
        let sgd = Attribute::Text(method_text(SimulationMethod::Sgd).into());
        self.group.attributes().get(SIMULATION) == Some(&sgd)
    }

    /// Names of the variables with the cell centres of the finest grid.
    ///
    /// # Errors
    /// [`Error::Input`] when the group holds no field.
    pub fn axes(&self) -> Result<Vec<(&'a str, Vec<f64>)>> {
        let field = |name: &str| self.file.record(&format!("{FIELD_GROUP}/{name}"));
        let field_of_time = field(FieldQuantity::MeanFirstPassageTime.name())?;
        let axis = |name: &'a str| {
            let centres = field(name)?.numbers().ok_or_else(|| Error::Input {
                path: format!("{FIELD_GROUP}/{name}"),
                message: "numbers are needed".into(),
            })?;
            Ok((name, centres))
        };
        field_of_time.dimensions().iter().map(|d| axis(&d.name)).collect()
    }

    /// A field with one entry a cell, the last variable running fastest.
    pub fn field(&self, quantity: FieldQuantity) -> Option<Vec<f64>> {
        self.file.group(FIELD_GROUP)?.record(quantity.name())?.numbers()
    }

    /// Whether the stationary current is none but rounding.
    pub fn has_detailed_balance(&self) -> bool {
        matches!(self.group.attributes().get("detailed_balance"), Some(Attribute::Text(text)) if text == "yes")
    }

    /// The mean first-passage time by quadrature.
    pub fn integral(&self) -> Option<IntegralRecords> {
        IntegralRecords::of(self.file).ok()
    }

    /// The simulated mean first-passage time.
    pub fn simulation(&self) -> Option<SimulationRecords> {
        SimulationRecords::of(self.file).ok()
    }
}

/// Loss, effective potential, densities, first-passage times and committor: lines for one variable, maps for two, with the path of least action in
/// the plane. What the file lacks is left out. Potentials are shown up to 30 noise units above their minimum.
///
/// # Errors
/// [`Error::NothingToDraw`] when nothing can be shown.
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let records = EscapeRecords::find(file).ok_or_else(|| Error::Input {
        path: "escape".into(),
        message: "the result file has no such group".into(),
    })?;
    let (aspect, panels) = match records.axes()?.as_slice() {
        [(name, x)] => (0.7, lines(&records, name, x)),
        [(across, x), (up, y)] => {
            let mut panels = maps(file, &records, [across, up], [x, y])?;
            panels.extend(survival(&records));
            (0.8, panels)
        }
        _ => {
            return Err(Error::NothingToDraw {
                message: "one or two variables can be shown".into(),
            });
        }
    };
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect,
        panels,
    })
}

/// Height above the minimum up to which potentials are shown, in units of the noise.
const HIGHEST: f64 = 30.0;

fn lines(records: &EscapeRecords, name: &str, x: &[f64]) -> Vec<Panel> {
    let get = |quantity| records.field(quantity).filter(|values| values.len() == x.len());
    let axis = || Axis::linear(&format!("*{name}*"));
    let black = Style::nth(0).with_colour(Colour::BLACK).with_dash(Dash::Dotted);
    let mut panels = Vec::new();
    if let Some(loss) = get(FieldQuantity::Loss) {
        panels.push(Panel::new("", axis(), Axis::linear("loss *L*")).with(Layer::line(
            x,
            &loss,
            "",
            Style::nth(0),
        )));
    }
    if let Some(potential) = get(FieldQuantity::EffectivePotential) {
        let shown: Vec<f64> = potential
            .iter()
            .map(|v| if *v <= HIGHEST { *v } else { f64::NAN })
            .collect();
        panels.push(
            Panel::new("", axis(), Axis::linear("effective potential *Φ* = −ln *p*")).with(Layer::line(
                x,
                &shown,
                "",
                Style::nth(0),
            )),
        );
    }
    let mut densities = Panel::new("", axis(), Axis::linear("density"));
    for (record, label, style) in [
        (FieldQuantity::StationaryDensity, "stationary", Style::nth(0)),
        (
            FieldQuantity::QuasiStationaryDensity,
            "before the escape",
            Style::nth(1).with_dash(Dash::Dashed),
        ),
    ] {
        if let Some(values) = get(record) {
            densities = densities.with(Layer::line(x, &values, label, style));
        }
    }
    panels.push(densities);
    panels.extend(density_in_time(records, name, x));
    if let Some(q) = get(FieldQuantity::Committor) {
        panels.push(
            Panel::new("", axis(), Axis::linear("committor *q*").with_range(0.0, 1.0))
                .with(Layer::line(x, &q, "", Style::nth(0)))
                .with(Layer::Horizontal {
                    y: 0.5,
                    label: String::new(),
                    style: Style::reference(),
                }),
        );
    }
    if let (Some(time), Some(deviation)) = (
        get(FieldQuantity::MeanFirstPassageTime),
        get(FieldQuantity::FirstPassageDeviation),
    ) {
        panels.push(
            Panel::new("", axis(), Axis::linear("first-passage time"))
                .with(Layer::line(x, &time, "mean *τ*", Style::nth(0)))
                .with(Layer::line(x, &deviation, "standard deviation", black)),
        );
    }
    let modes = modes(records, x.len());
    if !modes.is_empty() {
        let panel = Panel::new("", axis(), Axis::linear("slow modes"));
        panels.push(modes.iter().enumerate().fold(panel, |panel, (k, mode)| {
            panel.with(Layer::line(x, mode, &format!("{}", k + 1), Style::nth(k)))
        }));
    }
    panels.extend(survival(records));
    panels
}

/// A few of the times at which the density is written, spread from the first to the last, each with the density on the cells.
fn snapshots(records: &EscapeRecords, cells: usize, most: usize) -> Vec<(f64, Vec<f64>)> {
    let Some(group) = records.file.group(DENSITY_GROUP) else {
        return Vec::new();
    };
    let get = |name: &str| group.record(name).and_then(Record::numbers).unwrap_or_default();
    let (times, densities) = (get("density_time"), get("density"));
    let all: Vec<_> = times.iter().zip(densities.chunks_exact(cells.max(1))).collect();
    let count = all.len().min(most);
    let spread = (0..count).map(|k| k * (all.len() - 1) / (count - 1).max(1));
    spread.map(|k| (*all[k].0, all[k].1.to_vec())).collect()
}

/// The density at a few of its times.
fn density_in_time(records: &EscapeRecords, name: &str, x: &[f64]) -> Option<Panel> {
    const MOST_TIMES: usize = 6;
    let axes = (
        Axis::linear(&format!("*{name}*")),
        Axis::linear("density in time *p*(*t*)"),
    );
    let mut panel = Panel::new("", axes.0, axes.1);
    for (n, (time, density)) in snapshots(records, x.len(), MOST_TIMES).iter().enumerate() {
        panel = panel.with(Layer::line(x, density, &format!("*t* = {time}"), Style::nth(n)));
    }
    (!panel.layers.is_empty()).then_some(panel)
}

/// The probability that the target has not been reached, on a logarithmic axis where the law is exponential: a straight line.
fn survival(records: &EscapeRecords) -> Option<Panel> {
    let law = LawRecords::of(records.file).ok()?;
    if law.first_passage_time.len() < 2 {
        return None;
    }
    let (times, values) = (&law.first_passage_time, &law.survival);
    let panel = Panel::new("", Axis::linear("time *t*"), Axis::log("survival *S*(*t*)"));
    let panel = panel.with(Layer::line(times, values, "", Style::nth(0).with_width(0.7)));
    Some(panel.with(Layer::points(
        times,
        values,
        &law.survival_error,
        "",
        Style::nth(0),
    )))
}

fn maps(
    file: &ResultFile,
    records: &EscapeRecords,
    names: [&str; 2],
    axes: [&[f64]; 2],
) -> Result<Vec<Panel>> {
    let [x, y] = axes;
    // records run along the last variable first, maps along the first
    let turned = |values: &[f64]| -> Vec<f64> {
        (0..y.len())
            .flat_map(|j| (0..x.len()).map(move |i| (i, j)))
            .map(|(i, j)| values[i * y.len() + j])
            .collect()
    };
    let get = |quantity| {
        let values = records.field(quantity)?;
        (values.len() == x.len() * y.len()).then(|| turned(&values))
    };
    let (x_edges, y_edges) = (cell_edges(x, Scale::Linear)?, cell_edges(y, Scale::Linear)?);
    let plane = |values: Vec<f64>, colours: ColourScale| {
        Panel::new(
            "",
            Axis::linear(&format!("*{}*", names[0])).with_range(x_edges[0], x_edges[x.len()]),
            Axis::linear(&format!("*{}*", names[1])).with_range(y_edges[0], y_edges[y.len()]),
        )
        .with(Layer::Map {
            x: x_edges.clone(),
            y: y_edges.clone(),
            values,
            colours,
        })
    };
    let mut panels = Vec::new();
    for (record, title, colours, highest, contours) in [
        (
            FieldQuantity::Loss,
            "loss *L*",
            ColourMap::Viridis,
            Limit::Potential,
            12,
        ),
        (
            FieldQuantity::EffectivePotential,
            "effective potential *Φ* = −ln *p*",
            ColourMap::Viridis,
            Limit::Potential,
            12,
        ),
        (
            FieldQuantity::MeanFirstPassageTime,
            "mean first-passage time *τ*",
            ColourMap::Cividis,
            Limit::Decades,
            0,
        ),
        (
            FieldQuantity::TargetProbability,
            "probability to reach the target",
            ColourMap::Cividis,
            Limit::Unit,
            10,
        ),
        (
            FieldQuantity::Committor,
            "committor *q*",
            ColourMap::Cividis,
            Limit::Unit,
            10,
        ),
        (
            FieldQuantity::ReactiveDensity,
            "density of transitions",
            ColourMap::Viridis,
            Limit::None,
            0,
        ),
        (
            FieldQuantity::QuasiStationaryDensity,
            "density before the escape",
            ColourMap::Viridis,
            Limit::None,
            0,
        ),
    ] {
        let Some(mut values) = get(record) else {
            continue;
        };
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let lowest = finite().fold(f64::INFINITY, f64::min);
        let mut highest_shown = finite().fold(f64::NEG_INFINITY, f64::max);
        if !(highest_shown > lowest) {
            continue;
        }
        let mut bar = Axis::linear(title);
        match highest {
            Limit::Potential => {
                // the valleys, not the walls: a third of the cells, or what the noise can climb
                let cut = if record == FieldQuantity::Loss {
                    quantile(&values, 0.6)
                } else {
                    lowest + HIGHEST
                };
                highest_shown = highest_shown.min(cut);
                values.iter_mut().for_each(|v| {
                    if *v > highest_shown {
                        *v = f64::NAN;
                    }
                });
                bar = bar.with_range(lowest, highest_shown);
            }
            Limit::Unit => bar = bar.with_range(0.0, 1.0),
            Limit::Decades if highest_shown > DECADES * smallest_positive(&values) => {
                bar = Axis::log(title).with_range(smallest_positive(&values), highest_shown);
            }
            Limit::None | Limit::Decades => bar = bar.with_range(lowest, highest_shown),
        }
        let colours = ColourScale {
            map: colours,
            axis: bar,
            bar: true,
        };
        let mut panel = plane(values.clone(), colours);
        if contours > 0 {
            let step = (highest_shown - lowest) / f64::from(contours);
            panel = panel.with(Layer::Contour {
                x: x.to_vec(),
                y: y.to_vec(),
                values,
                levels: (1..contours).map(|k| lowest + step * f64::from(k)).collect(),
                label: String::new(),
                style: Style::reference()
                    .with_dash(Dash::Solid)
                    .with_colour(Colour::WHITE)
                    .with_width(0.4),
            });
        }
        if record == FieldQuantity::Loss || record == FieldQuantity::EffectivePotential {
            // the legend once
            let labelled = panels.is_empty();
            panel = path(file, labelled).into_iter().fold(panel, Panel::with);
            panel = sets(&get, axes, labelled).into_iter().fold(panel, Panel::with);
        }
        let current = match record {
            FieldQuantity::EffectivePotential if !records.has_detailed_balance() => {
                records.field(FieldQuantity::StationaryCurrent)
            }
            FieldQuantity::ReactiveDensity => records.field(FieldQuantity::ReactiveCurrent),
            _ => None,
        };
        panel = current
            .and_then(|current| arrows(&current, axes))
            .into_iter()
            .fold(panel, Panel::with);
        panels.push(panel);
    }
    const MOST_TIMES: usize = 4;
    for (time, density) in snapshots(records, x.len() * y.len(), MOST_TIMES) {
        // each with a scale of its own: a density that spreads is soon a hundred times lower than at first
        let highest = density.iter().copied().fold(0.0, f64::max);
        if highest == 0.0 {
            continue;
        }
        let colours = ColourScale {
            map: ColourMap::Viridis,
            axis: Axis::linear(&format!("density *p* at *t* = {time}")).with_range(0.0, highest),
            bar: true,
        };
        panels.push(plane(turned(&density), colours));
    }
    for (k, mode) in modes(records, x.len() * y.len()).into_iter().enumerate().take(2) {
        let colours = ColourScale {
            map: ColourMap::Diverging,
            axis: Axis::linear(&format!("slow mode {}", k + 1)).with_range(-1.0, 1.0),
            bar: true,
        };
        panels.push(plane(turned(&mode), colours));
    }
    Ok(panels)
}

/// The slow modes, each over the cells and scaled to a largest value of one.
fn modes(records: &EscapeRecords, cells: usize) -> Vec<Vec<f64>> {
    let all = records.field(FieldQuantity::SlowMode).unwrap_or_default();
    let count = all.len() / cells.max(1);
    if count * cells != all.len() {
        return Vec::new();
    }
    (0..count)
        .map(|k| {
            let own: Vec<f64> = all.iter().skip(k).step_by(count).copied().collect();
            let finite = own.iter().filter(|v| v.is_finite());
            let largest = finite.fold(0.0, |a: f64, v| a.max(v.abs()));
            own.into_iter().map(|v| v / largest).collect()
        })
        .collect()
}

/// Paths in the plane with which the search for instantons begins.
const INITIAL_PATHS: usize = 3;

/// The path of least action and the instantons whose rates are summed, if there are any: white under black can be seen on any colour.
fn path(file: &ResultFile, labelled: bool) -> Vec<Layer> {
    let Ok(Some(EscapePathResult {
        position: Some(points),
        instanton_position,
        ..
    })) = EscapePathResult::find(file)
    else {
        return Vec::new();
    };
    let along = |points: &[f64], component: usize| -> Vec<f64> {
        points.iter().skip(component).step_by(2).copied().collect()
    };
    let rim = Style::nth(0).with_colour(Colour::WHITE).with_width(2.4);
    let line = rim.with_colour(Colour::BLACK).with_width(1.2);
    let drawn = |points: &[f64], label: &str, style: Style| {
        let (x, y) = (along(points, 0), along(points, 1));
        let label = if labelled { label } else { "" };
        [Layer::line(&x, &y, "", rim), Layer::line(&x, &y, label, style)]
    };
    // one instanton is the first part of the path
    let instantons = instanton_position.unwrap_or_default();
    let instantons: Vec<&[f64]> = instantons
        .chunks((instantons.len() / INITIAL_PATHS).max(1))
        .filter(|points| points[0].is_finite())
        .collect();
    let mut layers = drawn(&points, "least action", line).to_vec();
    for (k, points) in instantons.iter().enumerate().filter(|_| instantons.len() > 1) {
        let label = if k == 0 { "instantons" } else { "" };
        layers.extend(drawn(points, label, line.with_dash(Dash::Dashed)));
    }
    layers
}

/// Outlines of the sets of the start and of the target: where the committor is 0 and 1, or the target alone, where no time passes.
fn sets(get: &impl Fn(FieldQuantity) -> Option<Vec<f64>>, [x, y]: [&[f64]; 2], labelled: bool) -> Vec<Layer> {
    let outline = |values: Vec<f64>, label: &str, colour: usize| Layer::Contour {
        x: x.to_vec(),
        y: y.to_vec(),
        values,
        levels: vec![0.5],
        label: if labelled { label.into() } else { String::new() },
        style: Style::nth(colour).with_width(1.4),
    };
    let members = |values: &[f64], of: f64| -> Vec<f64> {
        values.iter().map(|v| if *v == of { 1.0 } else { 0.0 }).collect()
    };
    match (
        get(FieldQuantity::Committor),
        get(FieldQuantity::MeanFirstPassageTime),
    ) {
        (Some(q), _) => vec![
            outline(members(&q, 0.0), "start", 1),
            outline(members(&q, 1.0), "target", 3),
        ],
        (None, Some(time)) => vec![outline(members(&time, 0.0), "target", 3)],
        (None, None) => Vec::new(),
    }
}

/// A current as arrows on a raster, as long as the raster is wide where it is strongest; none where it is weaker than a hundredth of that.
fn arrows(current: &[f64], [x, y]: [&[f64]; 2]) -> Option<Layer> {
    /// Arrows along a side, and the weakest shown.
    const ALONG: usize = 18;
    const WEAKEST: f64 = 0.01;
    if current.len() != 2 * x.len() * y.len() {
        return None;
    }
    let at = |i: usize, j: usize| [0, 1].map(|c| current[2 * (i * y.len() + j) + c]);
    let (width, height) = (x[x.len() - 1] - x[0], y[y.len() - 1] - y[0]);
    // in units of the sides, as they are drawn
    let length = |[a, b]: [f64; 2]| (a / width).hypot(b / height);
    let places = |n: usize| (0..ALONG.min(n)).map(move |k| (2 * k + 1) * n / (2 * ALONG.min(n)));
    let raster: Vec<(usize, usize)> = places(x.len())
        .flat_map(|i| places(y.len()).map(move |j| (i, j)))
        .filter(|(i, j)| length(at(*i, *j)).is_finite())
        .collect();
    let strongest = raster.iter().map(|(i, j)| length(at(*i, *j))).fold(0.0, f64::max);
    if strongest == 0.0 {
        return None;
    }
    let (mut across, mut up) = (Vec::new(), Vec::new());
    for (i, j) in raster {
        let own = at(i, j);
        if length(own) < WEAKEST * strongest {
            continue;
        }
        // the square root keeps weak currents in sight
        let size = (length(own) / strongest).sqrt() / ALONG as f64 / length(own);
        let (dx, dy) = (own[0] / width * size, own[1] / height * size);
        let tip = [x[i] + 0.5 * dx * width, y[j] + 0.5 * dy * height];
        let tail = [x[i] - 0.5 * dx * width, y[j] - 0.5 * dy * height];
        let barb = |side: f64| {
            let (bx, by) = (-0.3 * dx + side * 0.2 * dy, -0.3 * dy - side * 0.2 * dx);
            [tip[0] + bx * width, tip[1] + by * height]
        };
        for point in [tail, tip, barb(1.0), tip, barb(-1.0), [f64::NAN; 2]] {
            across.push(point[0]);
            up.push(point[1]);
        }
    }
    let style = Style::nth(0).with_colour(Colour::BLACK).with_width(0.6);
    Some(Layer::line(&across, &up, "current", style))
}

/// How far a colour scale reaches.
#[derive(Clone, Copy)]
enum Limit {
    /// Over all values.
    None,
    /// Over all values, on a logarithmic scale where they span decades.
    Decades,
    /// From 0 to 1.
    Unit,
    /// From the minimum to where the noise hardly gets.
    Potential,
}

/// Ratio of values from which on they are shown on a logarithmic scale.
const DECADES: f64 = 100.0;

fn smallest_positive(values: &[f64]) -> f64 {
    let positive = values.iter().copied().filter(|v| *v > 0.0);
    positive.fold(f64::INFINITY, f64::min)
}

/// The value below which a share of the finite values lies.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((share * last as f64) as usize)
        .copied()
        .unwrap_or(f64::NAN)
}
