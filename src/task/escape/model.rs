//! From the keys of `[escape]` to a problem: the only place that matches on its models.

use super::config::{Escape, EscapeLandscape, EscapeNoise, EscapeSet};
use crate::diffusion::{Diffusion, DriftDiffusion, Sgd};
use crate::error::{Error, Result, require_non_negative, require_positive};
use crate::escape::Problem;
use crate::grid::Concentration;
use crate::landscape::{
    AsymmetricDoubleWell, DegenerateValley, DoubleWell, Expression, Kink, Landscape, MuellerBrown, Quadratic,
    ShiftedMean, Slice, Tabulated, TiltedDoubleWell, TwoValley,
};
use crate::math::{Formula, Point, Tensor};
use crate::noise::{self, GradientNoise, HessianPower, LossScaled, RandomShift};
use crate::region::{Basin, Boundary, Domain, PointSet};

/// A landscape known at run time only.
type AnyLandscape<const D: usize> = Box<dyn Landscape<D> + Send>;
/// A noise known at run time only.
type AnyNoise<const D: usize> = Box<dyn GradientNoise<D> + Send>;
/// A diffusion known at run time only.
type AnyDiffusion<const D: usize> = Box<dyn Diffusion<D> + Send>;

/// The problem that the keys describe; names in errors are relative to the section.
pub(super) fn problem<const D: usize>(
    task: &Escape,
    two_valley: &TwoValley,
    build: Build<D>,
) -> Result<Problem<D>> {
    check_names(task)?;
    let domain = domain(task)?;
    let diffusion = diffusion(task, two_valley, build)?;
    let set =
        |key: &str, keys: &EscapeSet| set(task, keys, &*diffusion, domain.bounds()).map_err(|e| e.at(key));
    let start = set("start", &task.start)?;
    let target = task.target.as_ref().map(|keys| set("target", keys)).transpose()?;
    let cells = task.cells.as_slice().try_into();
    let cells =
        cells.map_err(|_| Error::config("cells", format!("{D} numbers are needed, one a variable")))?;
    let concentrations = task.concentrate.iter();
    let concentrations = concentrations.map(|c| Concentration::new(c.axis, c.at, c.width, c.factor));
    let kinks = task.kinks.iter().map(|k| Kink {
        axis: k.axis,
        position: k.position,
    });
    let builder = Problem::builder(diffusion, domain, cells)
        .with_calculus(task.calculus.get())
        .with_concentrations(
            concentrations
                .collect::<Result<_>>()
                .map_err(|e| e.at("concentrate"))?,
        )
        .with_kinks(kinks.collect())
        .with_reach(task.reach)
        .from(start);
    match target {
        Some(target) => builder.to(target).build(),
        None => builder.build(),
    }
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

fn check_names(task: &Escape) -> Result<()> {
    for (k, name) in task.variables.iter().enumerate() {
        if TAKEN.contains(&name.as_str()) || task.variables[..k].contains(name) {
            return Err(Error::config(
                "variables",
                format!("{name:?} is the name of a result or of another variable: choose another name"),
            ));
        }
    }
    Ok(())
}

fn domain<const D: usize>(task: &Escape) -> Result<Domain<D>> {
    if task.domain.len() != D || task.domain.iter().any(|pair| pair.len() != 2) {
        let message = format!("{D} pairs [lower, upper] are needed, one a variable");
        return Err(Error::config("domain", message));
    }
    let mut domain = Domain::new(std::array::from_fn(|d| [task.domain[d][0], task.domain[d][1]]))?;
    if let Some(given) = &task.boundaries {
        if given.len() != D || given.iter().any(|pair| pair.len() != 2) {
            let message = format!("{D} pairs are needed, one a variable");
            return Err(Error::config("boundaries", message));
        }
        let boundaries = std::array::from_fn(|d| [given[d][0].get(), given[d][1].get()]);
        domain = domain.with_boundaries(boundaries)?;
    }
    let edge = task.sublevel_boundary.get();
    if edge == Boundary::Periodic {
        let message = "the edge of a sublevel set reflects or absorbs";
        return Err(Error::config("sublevel_boundary", message));
    }
    match task.sublevel {
        Some(level) => domain.restricted_to(PointSet::sublevel(level).map_err(|e| e.at("sublevel"))?, edge),
        None => Ok(domain),
    }
}

/// SGD on the landscape, or its limit, or a diffusion with a drift of formulas.
fn diffusion<const D: usize>(
    task: &Escape,
    two_valley: &TwoValley,
    build: Build<D>,
) -> Result<AnyDiffusion<D>> {
    /// The noise is D itself.
    const STRENGTH: f64 = 1.0;
    let given = [
        task.loss.is_some(),
        task.landscape.is_some(),
        task.drift.is_some(),
    ];
    if given.iter().filter(|g| **g).count() != 1 {
        return Err(Error::config(
            "loss",
            "exactly one of loss, landscape and drift is required",
        ));
    }
    if task.learning_rate.is_none() && task.batch_size.is_some() {
        let message = "it needs learning_rate, without which noise is D itself";
        return Err(Error::config("batch_size", message));
    }
    let batch_size = task.batch_size.unwrap_or(1.0);
    if let Some(texts) = &task.drift {
        if texts.len() != D {
            return Err(Error::config(
                "drift",
                format!("{D} formulas are needed, one a variable"),
            ));
        }
        let formulas = texts.iter().map(|text| formula(task, "drift", text));
        let formulas: Vec<Formula<D>> = formulas.collect::<Result<_>>()?;
        let drift = move |theta: &Point<D>| Point::<D>::from_fn(|d, _| formulas[d].value(theta));
        let noise = noise(task, two_valley, build)?;
        return Ok(match task.learning_rate {
            Some(rate) => Box::new(DriftDiffusion::of_map(drift, noise, rate, batch_size)?),
            None => Box::new(DriftDiffusion::new(drift, noise, STRENGTH)?),
        });
    }
    let landscape: AnyLandscape<D> = match &task.noise {
        EscapeNoise::RandomShift {
            covariance, points, ..
        } => {
            let covariance = matrix("noise.covariance", covariance)?;
            let mean = ShiftedMean::new(build(task, two_valley)?, &covariance, *points);
            Box::new(mean.map_err(|e| e.at("noise"))?)
        }
        _ => build(task, two_valley)?,
    };
    let noise = noise(task, two_valley, build)?;
    Ok(match task.learning_rate {
        Some(rate) => Box::new(Sgd::new(landscape, noise, rate, batch_size)?),
        None => Box::new(Sgd::with_noise_strength(landscape, noise, STRENGTH)?),
    })
}

/// A set; names in errors are relative to its key.
fn set<const D: usize>(
    task: &Escape,
    keys: &EscapeSet,
    diffusion: &dyn Diffusion<D>,
    bounds: &[[f64; 2]; D],
) -> Result<PointSet<D>> {
    match keys {
        EscapeSet::Ball { centre, radius } => PointSet::ball(point("centre", centre)?, *radius),
        EscapeSet::Ellipse {
            centre,
            semi_axes,
            angle,
        } => PointSet::ellipse(point("centre", centre)?, point("semi_axes", semi_axes)?, *angle),
        EscapeSet::HalfSpace { normal, offset } => PointSet::half_space(point("normal", normal)?, *offset),
        EscapeSet::Box { lower, upper } => PointSet::between(point("lower", lower)?, point("upper", upper)?),
        EscapeSet::Expression(text) => Formula::parse_condition(text, &names::<D>(task), &task.parameters)
            .map(PointSet::condition)
            .map_err(|e| e.at("expression")),
        EscapeSet::Sublevel { below } => PointSet::sublevel(*below),
        EscapeSet::Basin { of } => Ok(PointSet::basin(Basin::new(diffusion, point("of", of)?, bounds)?)),
        EscapeSet::All(parts) => {
            let parts = parts.iter().map(|part| set(task, part, diffusion, bounds));
            PointSet::all(parts.collect::<Result<_>>()?)
        }
    }
}

/// Builds the landscape that a task names.
pub(super) type Build<const D: usize> = fn(&Escape, &TwoValley) -> Result<AnyLandscape<D>>;

/// The landscapes of one variable.
pub(super) fn on_a_line(task: &Escape, two_valley: &TwoValley) -> Result<AnyLandscape<1>> {
    let in_task = |e: Error| e.at("landscape");
    Ok(match &task.landscape {
        Some(EscapeLandscape::DoubleWell {
            barrier,
            half_distance,
        }) => Box::new(DoubleWell::new(*barrier, *half_distance).map_err(in_task)?),
        Some(EscapeLandscape::TiltedDoubleWell {
            barrier,
            half_distance,
            tilt,
        }) => Box::new(TiltedDoubleWell::new(*barrier, *half_distance, *tilt).map_err(in_task)?),
        Some(EscapeLandscape::AsymmetricDoubleWell {
            barrier,
            half_distance,
            curvature_ratio,
            depth_difference,
        }) => Box::new(
            AsymmetricDoubleWell::new(*barrier, *half_distance, *curvature_ratio, *depth_difference)
                .map_err(in_task)?,
        ),
        Some(EscapeLandscape::TwoValleySlice { y }) => {
            require_non_negative("y", *y).map_err(in_task)?;
            Box::new(Slice::new(*two_valley, *y).map_err(in_task)?)
        }
        _ => in_any_dimension(task)?,
    })
}

/// The landscapes of two variables.
pub(super) fn in_the_plane(task: &Escape, two_valley: &TwoValley) -> Result<AnyLandscape<2>> {
    Ok(match &task.landscape {
        Some(EscapeLandscape::MuellerBrown {}) => Box::new(MuellerBrown),
        Some(EscapeLandscape::TwoValley {}) => Box::new(*two_valley),
        Some(EscapeLandscape::DegenerateValley { width, confinement }) => {
            let variable = task.variables.get(1).map_or("y", String::as_str);
            let width = Formula::<1>::parse(width, &[variable], &task.parameters)
                .map_err(|e| e.at("landscape.width"))?;
            Box::new(DegenerateValley::new(width, *confinement).map_err(|e: Error| e.at("landscape"))?)
        }
        _ => in_any_dimension(task)?,
    })
}

fn in_any_dimension<const D: usize>(task: &Escape) -> Result<AnyLandscape<D>> {
    let in_task = |e: Error| e.at("landscape");
    Ok(match (&task.loss, &task.landscape) {
        (Some(text), _) => Box::new(
            Expression::new(text, &names::<D>(task), &task.parameters, Vec::new())
                .map_err(|e| e.at("loss"))?,
        ),
        (None, Some(EscapeLandscape::Quadratic { hessian, minimum })) => {
            let minimum = point("landscape.minimum", minimum)?;
            Box::new(Quadratic::new(matrix("landscape.hessian", hessian)?, minimum).map_err(in_task)?)
        }
        (None, Some(EscapeLandscape::Table { file, loss, axes })) => {
            let (axes, shape) = table_axes::<D>("landscape", file, axes)?;
            let values = table_values("landscape", file, loss, &shape)?;
            Box::new(Tabulated::new(axes, values).map_err(in_task)?)
        }
        (None, _) => {
            return Err(Error::config(
                "landscape.model",
                format!(
                    "this landscape does not have {D} variable(s): give escape.variables as many names as it has"
                ),
            ));
        }
    })
}

/// The gradient covariance that a task names, its strength included.
fn noise<const D: usize>(task: &Escape, two_valley: &TwoValley, build: Build<D>) -> Result<AnyNoise<D>> {
    let in_task = |e: Error| e.at("noise");
    let landscape = || {
        if task.drift.is_some() {
            return Err(Error::config(
                "noise.model",
                "this noise needs a loss, not a drift",
            ));
        }
        build(task, two_valley)
    };
    let strong = |strength: f64| require_positive("strength", strength).map_err(in_task);
    Ok(match &task.noise {
        EscapeNoise::Isotropic { strength } => {
            Box::new(noise::Constant::new(Tensor::<D>::identity() * strong(*strength)?).map_err(in_task)?)
        }
        EscapeNoise::Constant { tensor } => {
            let tensor = matrix("noise.tensor", tensor)?;
            Box::new(noise::Constant::new(tensor).map_err(|e| e.at("noise.tensor"))?)
        }
        EscapeNoise::HessianPower {
            power,
            strength,
            floor,
        } => Box::new(HessianPower::new(landscape()?, *power, *strength, *floor).map_err(in_task)?),
        EscapeNoise::Expression { tensor } => {
            if tensor.len() != D || tensor.iter().any(|row| row.len() != D) {
                return Err(Error::config(
                    "noise.tensor",
                    format!("{D} rows of {D} entries are needed"),
                ));
            }
            check_symmetric::<D>(task, tensor)?;
            let upper = (0..D).flat_map(|r| (r..D).map(move |c| tensor[r][c].as_str()));
            let texts: Vec<&str> = upper.collect();
            Box::new(
                noise::Expression::new(&texts, &names::<D>(task), &task.parameters)
                    .map_err(|e| e.at("noise.tensor"))?,
            )
        }
        EscapeNoise::RandomShift {
            covariance,
            points,
            strength,
            floor,
        } => {
            let covariance = matrix("noise.covariance", covariance)?;
            let noise = RandomShift::new(landscape()?, &covariance, *points, *floor).map_err(in_task)?;
            Box::new(Scaled(strong(*strength)?, noise))
        }
        EscapeNoise::LossScaled {
            residual_loss,
            strength,
            floor,
        } => {
            let noise = LossScaled::new(landscape()?, *residual_loss, *floor).map_err(in_task)?;
            Box::new(Scaled(strong(*strength)?, noise))
        }
        EscapeNoise::Table {
            file,
            entries,
            axes,
            strength,
        } => {
            let (axes, shape) = table_axes::<D>("noise", file, axes)?;
            let entries = entries
                .iter()
                .map(|entry| table_values("noise", file, entry, &shape))
                .collect::<Result<_>>()?;
            let noise = noise::Tabulated::new(axes, entries).map_err(in_task)?;
            Box::new(Scaled(strong(*strength)?, noise))
        }
    })
}

/// Compares the entries above the diagonal with those below it at points spread over the domain.
fn check_symmetric<const D: usize>(task: &Escape, tensor: &[Vec<String>]) -> Result<()> {
    /// Rounding of two formulas for the same entry.
    const ASYMMETRY: f64 = 1e-12;
    const POINTS: usize = 1000;
    for r in 0..D {
        for c in 0..r {
            let (lower, upper): (Formula<D>, Formula<D>) = (
                formula(task, "noise.tensor", &tensor[r][c])?,
                formula(task, "noise.tensor", &tensor[c][r])?,
            );
            for k in 0..POINTS {
                // a Kronecker sequence: no two points share a coordinate
                let theta = Point::<D>::from_fn(|d, _| {
                    let ends = task.domain.get(d).map_or(&[][..], Vec::as_slice);
                    let (a, b) = match ends {
                        [a, b] => (*a, *b),
                        _ => (0.0, 1.0),
                    };
                    a + (b - a) * ((k as f64 + 0.5) * [0.754_877_666, 0.569_840_291][d % 2]).fract()
                });
                let (a, b) = (lower.value(&theta), upper.value(&theta));
                if (a - b).abs() > ASYMMETRY * a.abs().max(b.abs()) {
                    return Err(Error::config(
                        "noise.tensor",
                        format!(
                            "the tensor is not symmetric: {a} and {b} at ({})",
                            theta
                                .iter()
                                .map(|v| format!("{v:.6}"))
                                .collect::<Vec<_>>()
                                .join(", ")
                        ),
                    ));
                }
            }
        }
    }
    Ok(())
}

/// A noise times a number.
struct Scaled<N>(f64, N);

impl<const D: usize, N: GradientNoise<D>> GradientNoise<D> for Scaled<N> {
    fn covariance(&self, theta: &Point<D>) -> Tensor<D> {
        self.1.covariance(theta) * self.0
    }
}

/// A formula in the variables of the task.
fn formula<const D: usize>(task: &Escape, key: &str, text: &str) -> Result<Formula<D>> {
    Formula::parse(text, &names::<D>(task), &task.parameters).map_err(|e| e.at(key))
}

fn names<const D: usize>(task: &Escape) -> [&str; D] {
    let mut names = [""; D];
    for (name, variable) in names.iter_mut().zip(&task.variables) {
        *name = variable;
    }
    names
}

fn matrix<const D: usize>(key: &str, rows: &[Vec<f64>]) -> Result<Tensor<D>> {
    if rows.len() != D || rows.iter().any(|row| row.len() != D) {
        return Err(Error::config(key, format!("{D} rows of {D} entries are needed")));
    }
    Ok(Tensor::<D>::from_fn(|r, c| rows[r][c]))
}

/// The positions along each axis and the shape that a table on them has.
fn table_axes<const D: usize>(
    section: &str,
    file: &str,
    names: &[String],
) -> Result<([Vec<f64>; D], Vec<usize>)> {
    let axes: Vec<Vec<f64>> = names
        .iter()
        .map(|name| crate::output::read_array(file, name).map(|(_, values)| values))
        .collect::<Result<_>>()?;
    let shape = axes.iter().map(Vec::len).collect();
    let axes: [Vec<f64>; D] = axes.try_into().map_err(|_| {
        Error::config(
            &format!("{section}.axes"),
            format!("{D} names are needed, one a variable"),
        )
    })?;
    Ok((axes, shape))
}

/// A table of the given shape.
fn table_values(section: &str, file: &str, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
    let (found, values) = crate::output::read_array(file, name)?;
    if found == shape {
        return Ok(values);
    }
    Err(Error::Config {
        key: section.into(),
        message: format!("{name} in {file} has shape {found:?}, its axes have {shape:?} points"),
    })
}

pub(super) fn point<const D: usize>(key: &str, values: &[f64]) -> Result<Point<D>> {
    if values.len() != D || values.iter().any(|v| !v.is_finite()) {
        let message = format!("{D} finite numbers are needed, one a variable");
        return Err(Error::config(key, message));
    }
    Ok(Point::<D>::from_column_slice(values))
}
