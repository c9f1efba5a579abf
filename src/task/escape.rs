//! `[escape]`: stationary law, escape, relaxation and transitions of a landscape and a noise, each number with its error.

use super::keys::point;
use super::landscape_keys::AnyLandscape;
use super::progress::Progress;
use super::set_keys::SetKeys;
use super::setting::Setting;
use super::work::{Task, Work};
use crate::error::{Error, Result};
use crate::escape::{
    Densities, EscapeResult, Field, FieldQuantity, LEVELS, LeastAction, LeastActionSettings, Level,
    MOST_SADDLES, NoFormula, PassageLaw, Problem, Quantity, Settings, SimulatedPassage, Simulation,
    SimulationMethod, SmallNoiseRate, least_action, mean_first_passage_time_integral, simulate,
    small_noise_rate, why_no_integral,
};
use crate::grid::Concentration;
use crate::output::{Group, Record};
use crate::rates::Determined;
use crate::statistics::Extrapolated;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[escape]`: dθ = b dt + sqrt(2D) dW on three grids, from a start to a target.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escape {
    /// cells along each axis on the coarsest of three grids, each with half the cell size of the one before
    pub cells: Vec<usize>,
    /// places where the cells are smaller
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concentrate: Vec<ConcentrationKeys>,
    /// longest jump in cells along an axis, for tensors that are not diagonal
    #[serde(default = "default_reach")]
    pub reach: usize,
    /// where the escape begins
    pub start: SetKeys,
    /// where it ends; not needed when an end of the domain absorbs
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathKeys>,
    /// the same problem simulated, compared with the grid; none unless given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<SimulationKeys>,
}

fn default_reach() -> usize {
    8
}

fn default_modes() -> usize {
    1
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
    #[serde(skip_serializing_if = "Option::is_none")]
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
    /// Langevin paths with two time steps, extrapolated, or SGD itself with the learning rate of [sgd]
    pub method: MethodName,
    /// runs
    pub runs: usize,
    /// the coarser of two time steps of Langevin paths; unless given, a 50th of the fastest relaxation time at the start
    #[serde(skip_serializing_if = "Option::is_none")]
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

impl Task for Escape {
    const USES: &'static [&'static str] = &["sgd", "region"];

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        match setting.landscape.dimension() {
            Ok(1) => self.work(
                setting,
                |keys| keys.on_a_line(),
                |problem, group| {
                    let found = match why_no_integral(problem) {
                        Some(reason) => Err(reason.to_string()),
                        None => mean_first_passage_time_integral(problem).map_err(|e| e.to_string()),
                    };
                    push_integral(group, found)
                },
            ),
            Ok(_) => self.work(setting, |keys| keys.in_the_plane(), |_, _| Ok(())),
            Err(error) => Err(error.at("landscape")),
        }
    }
}

/// Adds to the group what only problems of one dimension have.
type More<const D: usize> = fn(&Problem<D>, &mut Group) -> Result<()>;

impl Escape {
    fn work<const D: usize>(
        &self,
        setting: &Setting,
        landscape: fn(&super::landscape_keys::LandscapeKeys) -> Result<AnyLandscape<D>>,
        more: More<D>,
    ) -> Result<Work> {
        let problem = self.problem(setting, landscape)?;
        self.settings().check().map_err(|e| e.at("escape"))?;
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
            let mut groups = task.groups(&problem, &names, seed, progress)?;
            if let Some(group) = groups.first_mut() {
                more(&problem, group)?;
            }
            Ok(groups)
        }))
    }

    /// The problem that the keys describe, in a landscape of D variables.
    fn problem<const D: usize>(
        &self,
        setting: &Setting,
        landscape: fn(&super::landscape_keys::LandscapeKeys) -> Result<AnyLandscape<D>>,
    ) -> Result<Problem<D>> {
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
        let region = setting
            .region
            .as_ref()
            .ok_or_else(|| Error::config("region", "this section is required"))?;
        let domain = region.domain::<D>().map_err(|e| e.at("region"))?;
        let diffusion = setting.diffusion(landscape)?;
        let set = |key: &str, keys: &SetKeys| {
            let set = keys.set(&setting.landscape, &*diffusion, domain.bounds());
            set.map_err(|e| e.at(&format!("escape.{key}")))
        };
        let start = set("start", &self.start)?;
        let target = self.target.as_ref().map(|keys| set("target", keys)).transpose()?;
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
            .with_kinks(setting.landscape.kinks::<D>().map_err(|e| e.at("landscape"))?)
            .with_reach(self.reach)
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

    /// `/escape`, and `/escape_path` if asked for.
    fn groups<const D: usize>(
        &self,
        problem: &Problem<D>,
        names: &[&str; D],
        seed: u64,
        progress: &Progress,
    ) -> Result<Vec<Group>> {
        let bar = progress.task("escape", LEVELS as u64 + 1);
        let simulation = self.simulation.as_ref().map(SimulationKeys::simulation);
        let in_simulation = |e: Error| e.at("escape.simulation");
        let result = problem.solve(&self.settings(), &|level| {
            bar.advance(1);
            match &simulation {
                Some(simulation) => simulation.check_work(problem, level).map_err(in_simulation),
                None => Ok(()),
            }
        })?;
        bar.advance(1);
        let mut groups = vec![group(names, self.slow_modes, problem, &result)?];
        if let Some(simulation) = &simulation {
            let bar = progress.task("simulation", simulation.paths() as u64);
            let passage = simulate(problem, simulation, result.finest(), seed, &|n| bar.advance(n));
            push_simulation(
                &mut groups[0],
                simulation.method,
                &passage.map_err(in_simulation)?,
            )?;
        }
        if let Some(keys) = &self.path {
            let settings = keys.settings()?;
            let found = least_action(problem, &settings);
            let rate = found
                .as_ref()
                .ok()
                .map(|found| small_noise_rate(problem, found, settings.pieces));
            groups.push(path_group(problem, &result, &found, rate.as_ref())?);
        }
        Ok(groups)
    }
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
        "domain" | "boundaries" | "sublevel" | "sublevel_boundary" => "region",
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

/// Meaning of NaN in fields.
const OUTSIDE: &str = "outside the sublevel of the loss, or not a finite number there";

/// `/escape`: attributes, fields on the finest grid, what happens in time, numbers.
fn group<const D: usize>(
    variables: &[&str; D],
    slow_modes: usize,
    problem: &Problem<D>,
    result: &EscapeResult<D>,
) -> Result<Group> {
    let mut group = Group::new("escape")?.with_description(
        "stationary law, escape and relaxation of dθ = b dt + sqrt(2D) dW; numbers extrapolated from three grids, fields on the finest",
    );
    group.set_attribute("calculus", format!("{:?}", problem.calculus()))?;
    group.set_attribute("alpha", problem.calculus().alpha())?;
    let finest = result.finest();
    match (finest.factorisation(), finest.has_detailed_balance()) {
        (Some(how), _) => group.set_attribute("factorisation_of_the_gap", format!("{how:?}"))?,
        (None, Some(false)) => group.set_attribute(
            "factorisation_of_the_gap",
            "elimination without subtraction, no detailed balance",
        )?,
        _ => {}
    }
    let shape = push_fields(&mut group, variables, slow_modes, problem, finest)?;
    for (quantity, change) in result.changes() {
        group.push(
            Record::scalar(&format!("{}_change", quantity.name()), "1", *change)?.with_description(
                "largest change from the middle to the finest grid over the largest value; the error left is a third of it at order 2",
            ),
        )?;
    }
    if let Some(law) = result.passage_law() {
        push_law(&mut group, law)?;
    }
    if let Some(densities) = result.densities() {
        push_densities(&mut group, densities, &shape)?;
    }
    for (quantity, number) in result.numbers() {
        push_number(&mut group, *quantity, number)?;
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
    group.push(
        Record::scalar("slow_mode_frequency", "1/time", finest.slow_mode_frequency())?.with_description(
            "imaginary part of the slowest eigenvalue on the finest grid; zero with detailed balance",
        ),
    )?;
    Ok(group)
}

/// Value, error and order of a number.
fn push_number(group: &mut Group, quantity: Quantity, number: &Extrapolated) -> Result<()> {
    let (name, unit) = (quantity.name(), quantity.unit());
    group.push(Record::scalar(&name, unit, number.value)?.with_description(quantity.description()))?;
    group.push(
        Record::scalar(&format!("{name}_error"), unit, number.error)?
            .with_description("discretisation error from three grids"),
    )?;
    group.push(
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

/// The survival probability and the distribution of the first-passage time.
fn push_law(group: &mut Group, law: &PassageLaw) -> Result<()> {
    group.push(
        Record::coordinate("first_passage_time", "time", law.times.clone())?
            .with_description("time since the start, at which the law of the first-passage time is given"),
    )?;
    let shape = [("first_passage_time", law.times.len())];
    for (numbers, name, symbol, description) in [
        (
            &law.survival,
            "survival",
            "S",
            "probability that the target has not been reached yet",
        ),
        (
            &law.distribution,
            "first_passage_distribution",
            "F",
            "probability that the target has been reached",
        ),
    ] {
        let values: Vec<f64> = numbers.iter().map(|n| n.value).collect();
        group.push(
            Record::new(name, "1", &shape, values)?
                .with_symbol(symbol)
                .with_description(description),
        )?;
        let errors: Vec<f64> = numbers.iter().map(|n| n.error).collect();
        group.push(
            Record::new(&format!("{name}_error"), "1", &shape, errors)?.with_description(
                "discretisation error from three grids, with the error in time from halved steps",
            ),
        )?;
    }
    Ok(())
}

/// The density in time.
fn push_densities(group: &mut Group, densities: &Densities, shape: &[(&str, usize)]) -> Result<()> {
    let times = ("density_time", densities.times.len());
    group.push(
        Record::coordinate("density_time", "time", densities.times.clone())?
            .with_description("time since the start, at which the density is given"),
    )?;
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
    )
}

/// The mean first-passage time by quadrature with its error, or the attribute that says why there is none.
fn push_integral(group: &mut Group, found: std::result::Result<Determined, String>) -> Result<()> {
    const NAME: &str = "mean_first_passage_time_integral";
    match found {
        Ok(time) if time.value.is_finite() => {
            group.push(Record::scalar(NAME, "time", time.value)?.with_symbol("τ").with_description(
                "mean first-passage time from the start point by exact quadrature of the Ito equation, no grid",
            ))?;
            let error = time.value * time.relative_error;
            group.push(
                Record::scalar(&format!("{NAME}_error"), "time", error)?.with_description(
                    "change when every panel of the quadrature is halved, at least rounding",
                ),
            )
        }
        Ok(_) => group.set_attribute(&format!("{NAME}_left_out"), "it exceeds the largest number"),
        Err(reason) => group.set_attribute(&format!("{NAME}_left_out"), reason),
    }
}

/// The simulated mean first-passage time.
fn push_simulation(group: &mut Group, method: SimulationMethod, passage: &SimulatedPassage) -> Result<()> {
    if let Some(bias) = passage.bias {
        group.push(
            Record::scalar("simulated_time_step_bias", "time", bias.value)?.with_description(
                "error of the finer time step, taken off by extrapolation; of order 1, or 1/2 at kinks and basins",
            ),
        )?;
    }
    let method = match method {
        SimulationMethod::Sgd => "SGD itself, time = learning rate times iterations",
        SimulationMethod::Langevin => "Langevin paths, two time steps extrapolated",
    };
    group.set_attribute("simulation", method)?;
    for (name, unit, value, description) in [
        (
            "simulated_mean_first_passage_time",
            "time",
            passage.mean.value,
            method,
        ),
        (
            "simulated_mean_first_passage_time_standard_error",
            "time",
            passage.mean.standard_error,
            "standard error",
        ),
        (
            "simulated_time_step",
            "time",
            passage.time_step,
            "time step, the coarser of two for Langevin paths",
        ),
        (
            "simulated_censored",
            "1",
            passage.censored as f64,
            "runs that had not escaped by the end",
        ),
    ] {
        group.push(Record::scalar(name, unit, value)?.with_description(description))?;
    }
    Ok(())
}

/// `/escape_path`: the path of least action and the formulas for small noise, beside the rate of the grid.
fn path_group<const D: usize>(
    problem: &Problem<D>,
    result: &EscapeResult<D>,
    found: &Result<LeastAction<D>>,
    rate: Option<&std::result::Result<SmallNoiseRate, NoFormula>>,
) -> Result<Group> {
    let mut group = Group::new("escape_path")?.with_description(
        "path of least action from the attractor of the start, and escape rates for small noise, without a grid",
    );
    let found = match found {
        Ok(found) => found,
        Err(reason) => {
            let reason = reason.to_string();
            group.set_attribute("left_out", reason.as_str())?;
            push_formula(&mut group, &format!("none: {reason}"))?;
            return Ok(group);
        }
    };
    push_path(&mut group, problem, result, found)?;
    push_saddles(&mut group, problem, found)?;
    match rate {
        Some(Ok(rate)) => push_rate(&mut group, rate, result.escape_rate())?,
        Some(Err(reason)) => {
            let reason = reason.to_string();
            group.set_attribute("escape_rate_theory_left_out", reason.as_str())?;
            push_formula(&mut group, &format!("none: {reason}"))?;
        }
        None => {}
    }
    Ok(group)
}

fn push_formula(group: &mut Group, text: &str) -> Result<()> {
    let description = "formula of escape_rate_theory, or why there is none";
    group.push(Record::scalar("formula", "text", text)?.with_description(description))
}

fn push_path<const D: usize>(
    group: &mut Group,
    problem: &Problem<D>,
    result: &EscapeResult<D>,
    found: &LeastAction<D>,
) -> Result<()> {
    let points = found.path.points();
    let along = [("point", points.len())];
    let components: Vec<f64> = (1..=D).map(|k| k as f64).collect();
    group.push(
        Record::coordinate("component", "1", components)?.with_description("variables, counted from 1"),
    )?;
    let position: Vec<f64> = points.iter().flat_map(|theta| theta.iter().copied()).collect();
    group.push(
        Record::new("position", "1", &[along[0], ("component", D)], position)?
            .with_symbol("φ")
            .with_description("path of least action, points at equal distances"),
    )?;
    let mut push = |name: &str, symbol: &str, description: &str, values: Vec<f64>| {
        let record = Record::new(name, "1", &along, values)?.with_symbol(symbol);
        group.push(record.with_description(description).with_missing(OUTSIDE))
    };
    push(
        "arclength",
        "s",
        "length of the path up to the point",
        found.path.arclengths(),
    )?;
    push(
        "action",
        "S",
        "geometric action of the path up to the point; flat where the drift carries along it",
        found.action_along(problem)?,
    )?;
    if let Some(landscape) = problem.landscape() {
        let loss = points.iter().map(|theta| landscape.loss(theta)).collect();
        push("loss", "L", "loss along the path", loss)?;
    }
    if let Some(potential) = result.field(FieldQuantity::EffectivePotential) {
        let potential = points
            .iter()
            .map(|theta| result.grid().interpolate(potential, *theta))
            .map(|value| if value.is_finite() { value } else { f64::NAN })
            .collect();
        let description = "-ln of the stationary density along the path, interpolated on the finest grid";
        push("effective_potential", "Φ", description, potential)?;
    }
    Ok(())
}

fn push_saddles<const D: usize>(
    group: &mut Group,
    problem: &Problem<D>,
    found: &LeastAction<D>,
) -> Result<()> {
    const NO_MORE: &str = "the path passes no further saddle";
    // of one size for all paths, so that those of a sweep can be stacked
    let padded = |values: Vec<f64>, size: usize| {
        let missing = size - values.len();
        values
            .into_iter()
            .chain(std::iter::repeat_n(f64::NAN, missing))
            .collect::<Vec<f64>>()
    };
    let positions = found
        .saddles
        .iter()
        .flat_map(|s| s.position.iter().copied())
        .collect();
    let shape = [("saddle", MOST_SADDLES), ("component", D)];
    group.push(
        Record::new(
            "saddle_position",
            "1",
            &shape,
            padded(positions, MOST_SADDLES * D),
        )?
        .with_description("saddles on the path in order, by Newton's method")
        .with_missing(NO_MORE),
    )?;
    if let Some(landscape) = problem.landscape() {
        let losses = found
            .saddles
            .iter()
            .map(|s| landscape.loss(&s.position))
            .collect();
        group.push(
            Record::new(
                "saddle_loss",
                "1",
                &[("saddle", MOST_SADDLES)],
                padded(losses, MOST_SADDLES),
            )?
            .with_description("loss at the saddles")
            .with_missing(NO_MORE),
        )?;
        if let Some(saddle) = found.limiting_saddle(problem) {
            let barrier = landscape.loss(&saddle.position) - landscape.loss(&found.path.start());
            group.push(
                Record::scalar("loss_barrier", "1", barrier)?
                    .with_symbol("ΔL")
                    .with_description("loss of the highest saddle less that of the attractor of the start"),
            )?;
        }
    }
    let instanton = match &found.instanton {
        Ok(instanton) => instanton,
        Err(reason) => return group.set_attribute("exponent_left_out", reason.to_string()),
    };
    group.push(Record::scalar("exponent", "1", instanton.action)?.with_symbol("V").with_description(
        "quasi-potential of the first saddle, or of the end of a path without one: an upper bound, the lowest of several local minima",
    ))?;
    group.push(
        Record::scalar("exponent_error", "1", instanton.error)?
            .with_description("discretisation error of exponent; a path of another shape may be lower"),
    )
}

fn push_rate(group: &mut Group, rate: &SmallNoiseRate, grid: Option<Extrapolated>) -> Result<()> {
    let name = "escape_rate_theory";
    let value = rate.log_rate.exp();
    push_formula(group, rate.formula.name())?;
    let regime = format!("{}: {}", rate.formula.name(), rate.formula.regime());
    for (name, unit, value, description) in [
        (name.to_string(), "1/time", value, regime.as_str()),
        (
            format!("{name}_error"),
            "1/time",
            value * rate.error,
            "discretisation error of what enters the formula; the formula itself is uncertain by escape_rate_theory_expected_deviation",
        ),
        (
            format!("{name}_expected_deviation"),
            "1",
            rate.deviation,
            "scale of the relative error of the formula: 1/exponent, noise over barrier",
        ),
        (
            format!("{name}_log"),
            "1",
            rate.log_rate,
            "natural logarithm of escape_rate_theory, below the smallest number too",
        ),
    ] {
        group.push(Record::scalar(&name, unit, value)?.with_description(description))?;
    }
    if let Some(barrier) = rate.reduced_barrier {
        for (name, value, description) in [
            (
                "reduced_barrier",
                barrier,
                "loss barrier over T, by Newton's method; exponent must be the same",
            ),
            (
                "reduced_barrier_error",
                barrier * rate.error,
                "bound of its error",
            ),
        ] {
            group.push(Record::scalar(name, "1", value)?.with_description(description))?;
        }
    }
    let Some(Extrapolated {
        value: grid, error, ..
    }) = grid
    else {
        return Ok(());
    };
    for (name, value, description) in [
        ("escape_rate", grid, "rate of the grid, as in /escape"),
        ("escape_rate_error", error, "its discretisation error"),
    ] {
        group.push(Record::scalar(name, "1/time", value)?.with_description(description))?;
    }
    if let Some(reason) = rate.incomparable {
        return group.set_attribute("not_compared", reason);
    }
    if value > 0.0 && grid > 0.0 {
        let description =
            "rate of the grid over escape_rate_theory: 1 up to escape_rate_theory_expected_deviation";
        group.push(Record::scalar("escape_rate_ratio", "1", grid / value)?.with_description(description))?;
    }
    Ok(())
}
