//! From the names of `[escape]` to a drift and a noise: the only place that matches on its models.

use super::config::{Escape, EscapeLandscape, EscapeNoise};
use super::under;
use super::{table, wrong};
use crate::error::{Error, Result, require_non_negative, require_positive};
use crate::landscape::{
    AsymmetricDoubleWell, DegenerateValley, DoubleWell, Expression, Landscape, MuellerBrown, Quadratic,
    Slice, SmoothedLandscape, Tabulated, TiltedDoubleWell, TwoValley,
};
use crate::math::{Formula, Point, Tensor};
use crate::noise::{self, GradientNoise, HessianPower, LossScaled, RandomShift};

/// A landscape known at run time only.
pub(super) type AnyLandscape<const D: usize> = Box<dyn Landscape<D> + Send>;
/// A noise known at run time only.
pub(super) type AnyNoise<const D: usize> = Box<dyn GradientNoise<D> + Send>;

/// What moves θ when there is no noise.
pub(super) enum Drift<const D: usize> {
    /// b = −∇L.
    Gradient(AnyLandscape<D>),
    /// b as formulas.
    Formulas(Vec<Formula<D>>),
}

impl<const D: usize> Drift<D> {
    pub fn new(task: &Escape, two_valley: &TwoValley, build: Build<D>) -> Result<Self> {
        let given = [
            task.loss.is_some(),
            task.landscape.is_some(),
            task.drift.is_some(),
        ];
        if given.iter().filter(|g| **g).count() != 1 {
            return Err(wrong(
                "loss",
                "exactly one of loss, landscape and drift is required",
            ));
        }
        if let Some(texts) = &task.drift {
            if texts.len() != D {
                return Err(wrong("drift", format!("{D} formulas are needed, one a variable")));
            }
            let formulas = texts
                .iter()
                .map(|text| formula(task, "drift", text))
                .collect::<Result<_>>()?;
            return Ok(Self::Formulas(formulas));
        }
        Ok(Self::Gradient(match &task.noise {
            EscapeNoise::RandomShift {
                covariance, points, ..
            } => {
                let covariance = matrix("noise.covariance", covariance)?;
                let mean = SmoothedLandscape::new(build(task, two_valley)?, &covariance, *points);
                Box::new(mean.map_err(|e| under("escape.noise", e))?)
            }
            _ => build(task, two_valley)?,
        }))
    }

    pub fn at(&self, theta: &Point<D>) -> Point<D> {
        match self {
            Self::Gradient(landscape) => -landscape.gradient(theta),
            Self::Formulas(entries) => Point::<D>::from_fn(|d, _| entries[d].value(theta)),
        }
    }

    pub fn landscape(&self) -> Option<&(dyn Landscape<D> + Send)> {
        match self {
            Self::Gradient(landscape) => Some(&**landscape),
            Self::Formulas(_) => None,
        }
    }
}

/// Builds the landscape that a task names.
pub(super) type Build<const D: usize> = fn(&Escape, &TwoValley) -> Result<AnyLandscape<D>>;

/// The landscapes of one variable.
pub(super) fn on_a_line(task: &Escape, two_valley: &TwoValley) -> Result<AnyLandscape<1>> {
    let in_task = |e| under("escape.landscape", e);
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
                .map_err(|e| in_key("landscape.width", e))?;
            Box::new(DegenerateValley::new(width, *confinement).map_err(|e| under("escape.landscape", e))?)
        }
        _ => in_any_dimension(task)?,
    })
}

fn in_any_dimension<const D: usize>(task: &Escape) -> Result<AnyLandscape<D>> {
    let in_task = |e| under("escape.landscape", e);
    Ok(match (&task.loss, &task.landscape) {
        (Some(text), _) => Box::new(
            Expression::new(text, &names::<D>(task), &task.parameters, Vec::new())
                .map_err(|e| in_key("loss", e))?,
        ),
        (None, Some(EscapeLandscape::Quadratic { hessian, minimum })) => {
            let minimum = super::point("landscape.minimum", minimum)?;
            Box::new(Quadratic::new(matrix("landscape.hessian", hessian)?, minimum).map_err(in_task)?)
        }
        (None, Some(EscapeLandscape::Table { file, loss, axes })) => {
            let (axes, shape) = table::axes::<D>("landscape", file, axes)?;
            let values = table::values("landscape", file, loss, &shape)?;
            Box::new(Tabulated::new(axes, values).map_err(in_task)?)
        }
        (None, _) => {
            return Err(wrong(
                "landscape.model",
                format!(
                    "this landscape does not have {D} variable(s): give escape.variables as many names as it has"
                ),
            ));
        }
    })
}

/// The gradient covariance that a task names, its strength included.
pub(super) fn noise<const D: usize>(
    task: &Escape,
    two_valley: &TwoValley,
    build: Build<D>,
) -> Result<AnyNoise<D>> {
    let in_task = |e| under("escape.noise", e);
    let landscape = || {
        if task.drift.is_some() {
            return Err(wrong("noise.model", "this noise needs a loss, not a drift"));
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
            Box::new(noise::Constant::new(tensor).map_err(|e| in_key("noise.tensor", e))?)
        }
        EscapeNoise::HessianPower {
            power,
            strength,
            floor,
        } => Box::new(HessianPower::new(landscape()?, *power, *strength, *floor).map_err(in_task)?),
        EscapeNoise::Expression { tensor } => {
            if tensor.len() != D || tensor.iter().any(|row| row.len() != D) {
                return Err(wrong(
                    "noise.tensor",
                    format!("{D} rows of {D} entries are needed"),
                ));
            }
            check_symmetric::<D>(task, tensor)?;
            let upper = (0..D).flat_map(|r| (r..D).map(move |c| tensor[r][c].as_str()));
            let texts: Vec<&str> = upper.collect();
            Box::new(
                noise::Expression::new(&texts, &names::<D>(task), &task.parameters)
                    .map_err(|e| in_key("noise.tensor", e))?,
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
            let (axes, shape) = table::axes::<D>("noise", file, axes)?;
            let entries = entries
                .iter()
                .map(|entry| table::values("noise", file, entry, &shape))
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
                    return Err(wrong(
                        "noise.tensor",
                        format!(
                            "the tensor is not symmetric: {a} and {b} at {}",
                            super::problem::position(&theta)
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
pub(super) fn formula<const D: usize>(task: &Escape, key: &str, text: &str) -> Result<Formula<D>> {
    Formula::parse(text, &names::<D>(task), &task.parameters).map_err(|e| in_key(key, e))
}

/// Names the key in an error about a formula or a matrix.
pub(super) fn in_key(key: &str, error: Error) -> Error {
    match error {
        Error::Config { .. } => error,
        other => wrong(key, other.to_string()),
    }
}

pub(super) fn names<const D: usize>(task: &Escape) -> [&str; D] {
    let mut names = [""; D];
    for (name, variable) in names.iter_mut().zip(&task.variables) {
        *name = variable;
    }
    names
}

fn matrix<const D: usize>(key: &str, rows: &[Vec<f64>]) -> Result<Tensor<D>> {
    if rows.len() != D || rows.iter().any(|row| row.len() != D) {
        return Err(wrong(key, format!("{D} rows of {D} entries are needed")));
    }
    Ok(Tensor::<D>::from_fn(|r, c| rows[r][c]))
}
