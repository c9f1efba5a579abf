//! `[noise]`: the gradient noise that every task of a configuration is about.

use super::landscape::{AnyLandscape, LandscapeKeys};
use super::model_keys::{Given, Model, check_keys, matrix};
use super::table::{self, Numbers};
use crate::diffusion::Calculus;
use crate::error::{Error, Result, require_non_negative, require_positive};
use crate::landscape::{Kink, SmoothedLandscape};
use crate::math::{Formula, Lanes, Point, PointBlock, Tensor};
use crate::noise::{
    Constant, Expression, GradientNoise, HessianPower, LossScaled, RandomShift, Tabulated, TabulatedCurvature,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A noise known at run time only.
pub type AnyNoise<const D: usize> = Box<dyn GradientNoise<D> + Send>;

/// `[noise]`: the covariance C(θ) of the gradient of one sample, from which `[sgd]` makes D; without `[sgd]`, D itself. Without this section, of
/// the two-valley model: the paper's C = H₊ + 1e-8.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseKeys {
    /// a built-in noise with its own keys; hessian_power unless tensor or table is given
    pub model: Option<NoiseModel>,
    /// the matrix itself, [[..], [..]], in place of a model: numbers, or formulas in the variables and parameters of the landscape
    pub tensor: Option<Vec<Vec<Entry>>>,
    /// the matrix as tables, in place of a model: splines, on either side of the kinks of the landscape, where they may jump
    pub table: Option<TensorTable>,
    /// where in the step the noise is evaluated: at its start, as SGD does, or elsewhere for comparison, which adds a drift
    pub calculus: Option<CalculusName>,
    /// exponent p: 1 is aligned with the Hessian, 2 is a random shift to leading order
    pub power: Option<f64>,
    /// factor
    pub strength: Option<f64>,
    /// multiple of the identity that is added
    pub floor: Option<f64>,
    /// covariance of the shift ξ, rows
    pub covariance: Option<Vec<Vec<f64>>>,
    /// Gauss-Hermite points a direction: exact for polynomials of degree 2 points - 1
    pub points: Option<usize>,
    /// added to the loss, which must not be negative
    pub residual_loss: Option<f64>,
}

/// Names of built-in noises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoiseModel {
    /// [`HessianPower`].
    HessianPower,
    /// A multiple of the identity.
    Isotropic,
    /// [`RandomShift`].
    RandomShift,
    /// [`LossScaled`].
    LossScaled,
}

/// An entry of a matrix.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number or a formula")]
pub enum Entry {
    /// A number.
    Number(f64),
    /// A formula.
    Formula(String),
}

/// A tensor in tables.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TensorTable {
    /// an HDF5 or npz file, relative to the working directory; none when the numbers stand here
    #[serde(default)]
    pub file: Option<String>,
    /// the entries xx, or xx, xy, yy, as paths in the file or the numbers themselves; xx alone in two variables is noise along the first of them only
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Numbers>,
    /// the curvature h of the loss along the first variable, in place of entries: C_xx = strength h_+^power + floor
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curvature: Option<Numbers>,
    /// exponent of the curvature; 1 unless given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<f64>,
    /// added to the power of the curvature
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<f64>,
    /// positions along each axis: paths in the file, or the numbers themselves
    pub axes: Vec<Numbers>,
    /// factor
    #[serde(default = "one")]
    pub strength: f64,
}

fn one() -> f64 {
    1.0
}

/// Where in the step the noise is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalculusName {
    /// start of the step, as SGD does
    Ito,
    /// middle of the step: ½ Σ_jk B_kj ∂_k B_ij added to the Ito drift, B the symmetric root of 2D
    Stratonovich,
    /// div D added to the Ito drift
    Klimontovich,
    /// end of the step: of one variable another name of klimontovich, refused elsewhere
    AntiIto,
}

/// The built-in noises: what they are and the keys they take.
pub const MODELS: [Model; 4] = [
    Model {
        name: "hessian_power",
        text: "strength H_+^power + floor, of the loss's own Hessian with negative eigenvalues clipped",
        keys: &[
            ("power", Given::Default(1.0)),
            ("strength", Given::Default(1.0)),
            ("floor", Given::Default(0.0)),
        ],
    },
    Model {
        name: "isotropic",
        text: "strength times the identity",
        keys: &[("strength", Given::Default(1.0))],
    },
    Model {
        name: "random_shift",
        text: "the loss of a sample is the landscape moved by a Gaussian ξ: strength Cov grad L(θ + ξ) + floor, drift -E grad L(θ + ξ)",
        keys: &[
            ("covariance", Given::Required),
            ("points", Given::Default(10.0)),
            ("strength", Given::Default(1.0)),
            ("floor", Given::Default(0.0)),
        ],
    },
    Model {
        name: "loss_scaled",
        text: "strength 2 (L + residual_loss) H_+ + floor, the noise of a mean-squared error",
        keys: &[
            ("residual_loss", Given::Default(0.0)),
            ("strength", Given::Default(1.0)),
            ("floor", Given::Default(0.0)),
        ],
    },
];

/// Keys that need no model.
const GENERAL: [&str; 4] = ["model", "tensor", "table", "calculus"];

impl NoiseKeys {
    /// The paper's noise C = H₊ + 1e-8.
    pub fn papers() -> Self {
        Self {
            model: Some(NoiseModel::HessianPower),
            floor: Some(1e-8),
            ..Self::default()
        }
    }

    /// Checks that the keys say one thing.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key.
    pub fn check(&self) -> Result<()> {
        let given = [self.model.is_some(), self.tensor.is_some(), self.table.is_some()];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err(Error::config(
                "model",
                "only one of model, tensor and table is possible",
            ));
        }
        check_keys(self, &GENERAL, self.entry())?;
        for (key, given) in [("power", self.power), ("floor", self.floor)] {
            given.map_or(Ok(0.0), |value| require_non_negative(key, value))?;
        }
        self.strength
            .map_or(Ok(1.0), |value| require_positive("strength", value))?;
        Ok(())
    }

    /// Where in the step the noise is evaluated.
    pub fn calculus(&self) -> Calculus {
        match self.calculus {
            None | Some(CalculusName::Ito) => Calculus::Ito,
            Some(CalculusName::Stratonovich) => Calculus::Stratonovich,
            Some(CalculusName::Klimontovich | CalculusName::AntiIto) => Calculus::Klimontovich,
        }
    }

    /// The loss whose gradient is the drift: of a random shift the mean over the shift, else the landscape itself.
    ///
    /// # Errors
    /// [`Error::Config`] naming a key of this section.
    pub fn mean_landscape<const D: usize>(&self, landscape: AnyLandscape<D>) -> Result<AnyLandscape<D>> {
        match (self.model, self.entry()) {
            (Some(NoiseModel::RandomShift), Some(entry)) => {
                let covariance = matrix("covariance", entry.required("covariance", &self.covariance)?)?;
                Ok(Box::new(SmoothedLandscape::new(
                    landscape,
                    &covariance,
                    self.points(entry)?,
                )?))
            }
            _ => Ok(landscape),
        }
    }

    /// The noise; `landscape` builds the loss where one is needed, `domain` is where a tensor must be symmetric.
    ///
    /// # Errors
    /// [`Error::Config`] naming a key of this section, or what `landscape` says.
    pub fn covariance<const D: usize>(
        &self,
        keys: &LandscapeKeys,
        landscape: impl Fn() -> Result<AnyLandscape<D>>,
        domain: &[Vec<f64>],
    ) -> Result<AnyNoise<D>> {
        self.check()?;
        if let Some(tensor) = &self.tensor {
            return tensor_of(tensor, keys, domain);
        }
        if let Some(table) = &self.table {
            let kinks = keys.kinks::<D>().map_err(|e| e.at("landscape"))?;
            return table.covariance(&kinks).map_err(|e| e.at("table"));
        }
        let Some(entry) = self.entry() else {
            return Err(Error::config("model", "this key is required"));
        };
        let number = |key, given| entry.number(key, given);
        let strength = require_positive("strength", number("strength", self.strength)?)?;
        Ok(match self.model {
            Some(NoiseModel::Isotropic) => Box::new(Constant::new(Tensor::<D>::identity() * strength)?),
            None | Some(NoiseModel::HessianPower) => Box::new(HessianPower::new(
                landscape()?,
                number("power", self.power)?,
                strength,
                number("floor", self.floor)?,
            )?),
            Some(NoiseModel::RandomShift) => {
                let covariance = matrix("covariance", entry.required("covariance", &self.covariance)?)?;
                let floor = number("floor", self.floor)?;
                // the floor is not scaled
                let noise =
                    RandomShift::new(landscape()?, &covariance, self.points(entry)?, floor / strength)?;
                Box::new(Scaled(strength, noise))
            }
            Some(NoiseModel::LossScaled) => {
                let (residual, floor) = (
                    number("residual_loss", self.residual_loss)?,
                    number("floor", self.floor)?,
                );
                let noise = LossScaled::new(landscape()?, residual, floor / strength)?;
                Box::new(Scaled(strength, noise))
            }
        })
    }

    fn points(&self, entry: &Model) -> Result<usize> {
        Ok(match self.points {
            Some(points) => points,
            None => entry.number("points", None)? as usize,
        })
    }

    /// The entry of the table of models; none for a tensor or a table.
    pub fn entry(&self) -> Option<&'static Model> {
        let name = match self.model {
            None if self.tensor.is_some() || self.table.is_some() => return None,
            None | Some(NoiseModel::HessianPower) => "hessian_power",
            Some(NoiseModel::Isotropic) => "isotropic",
            Some(NoiseModel::RandomShift) => "random_shift",
            Some(NoiseModel::LossScaled) => "loss_scaled",
        };
        MODELS.iter().find(|model| model.name == name)
    }
}

impl TensorTable {
    /// The same in the plane with half of the points along an axis; see [`table::thinned`].
    pub(crate) fn thinned(&self, axis: usize, kinks: &[Kink]) -> Result<Option<Self>> {
        let file = self.file.as_deref();
        let own: Vec<&Numbers> = self.entries.iter().chain(&self.curvature).collect();
        let found = table::thinned(file, &self.axes, &own, axis, kinks)?;
        Ok(found.map(|(axes, mut entries)| {
            let curvature = self.curvature.as_ref().and_then(|_| entries.pop());
            Self {
                file: None,
                entries,
                curvature,
                axes,
                ..self.clone()
            }
        }))
    }

    fn covariance<const D: usize>(&self, kinks: &[Kink]) -> Result<AnyNoise<D>> {
        let file = self.file.as_deref();
        table::require_use(file, self.axes.iter().chain(&self.entries).chain(&self.curvature))?;
        let (axes, shape) = table::axes::<D>(file, &self.axes)?;
        let strength = require_positive("strength", self.strength)?;
        let read = |key: &str, numbers: &Numbers| numbers.of_shape(key, file, &shape);
        if let Some(curvature) = &self.curvature {
            if !self.entries.is_empty() {
                return Err(Error::config(
                    "curvature",
                    "give entries or curvature: each of them is the noise",
                ));
            }
            let (power, floor) = (self.power.unwrap_or(1.0), self.floor.unwrap_or(0.0));
            let curvature = read("curvature", curvature)?;
            let noise = TabulatedCurvature::with_kinks(axes, curvature, [power, strength, floor], kinks);
            return Ok(Box::new(noise?));
        }
        if self.power.is_some() || self.floor.is_some() {
            return Err(Error::config(
                "curvature",
                "power and floor belong to a curvature, and none is given",
            ));
        }
        let entries = self.entries.iter().map(|entry| read("entries", entry));
        let mut entries = entries.collect::<Result<Vec<_>>>()?;
        if let (1, [across]) = (D - 1, entries.as_slice()) {
            let none = vec![0.0; across.len()];
            entries.extend([none.clone(), none]);
        }
        Ok(Box::new(Scaled(
            strength,
            Tabulated::with_kinks(axes, entries, kinks)?,
        )))
    }
}

/// A noise times a number.
struct Scaled<N>(f64, N);

impl<const D: usize, N: GradientNoise<D>> GradientNoise<D> for Scaled<N> {
    fn covariance(&self, theta: &Point<D>) -> Tensor<D> {
        self.1.covariance(theta) * self.0
    }
    fn covariance_block(&self, points: &PointBlock<D>, covariance: &mut [[Lanes; D]; D]) {
        self.1.covariance_block(points, covariance);
        let entries = covariance.as_flattened_mut().as_flattened_mut();
        entries.iter_mut().for_each(|entry| *entry *= self.0);
    }
}

/// A matrix of numbers or formulas.
fn tensor_of<const D: usize>(
    rows: &[Vec<Entry>],
    keys: &LandscapeKeys,
    domain: &[Vec<f64>],
) -> Result<AnyNoise<D>> {
    if rows.len() != D || rows.iter().any(|row| row.len() != D) {
        return Err(Error::config(
            "tensor",
            format!("{D} rows of {D} entries are needed"),
        ));
    }
    let number = |entry: &Entry| match entry {
        Entry::Number(value) => Some(*value),
        Entry::Formula(_) => None,
    };
    let numbers: Option<Vec<f64>> = rows.iter().flatten().map(number).collect();
    if let Some(numbers) = numbers {
        let tensor = Tensor::<D>::from_row_slice(&numbers);
        return Ok(Box::new(Constant::new(tensor).map_err(|e| e.at("tensor"))?));
    }
    let text = |entry: &Entry| match entry {
        // shortest text that gives the same number back
        Entry::Number(value) => format!("{value:?}"),
        Entry::Formula(text) => text.clone(),
    };
    let texts: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(text).collect()).collect();
    require_symmetric::<D>(keys, &texts, domain)?;
    let upper = (0..D).flat_map(|r| (r..D).map(move |c| (r, c)));
    let upper: Vec<&str> = upper.map(|(r, c)| texts[r][c].as_str()).collect();
    let noise = Expression::new(&upper, &keys.names::<D>(), &keys.parameters);
    Ok(Box::new(noise.map_err(|e| e.at("tensor"))?))
}

/// Compares the entries above the diagonal with those below it at points spread over the domain.
fn require_symmetric<const D: usize>(
    keys: &LandscapeKeys,
    texts: &[Vec<String>],
    domain: &[Vec<f64>],
) -> Result<()> {
    /// Rounding of two formulas for the same entry.
    const ASYMMETRY: f64 = 1e-12;
    const POINTS: usize = 1000;
    const IRRATIONAL: [f64; 4] = [0.754_877_666, 0.569_840_291, 0.414_213_562, 0.732_050_808];
    for r in 0..D {
        for c in 0..r {
            let lower: Formula<D> = keys.formula("tensor", &texts[r][c])?;
            let upper: Formula<D> = keys.formula("tensor", &texts[c][r])?;
            for k in 0..POINTS {
                // a Kronecker sequence: no two points share a coordinate
                let theta = Point::<D>::from_fn(|d, _| {
                    let (a, b) = match domain.get(d).map_or(&[][..], Vec::as_slice) {
                        [a, b] => (*a, *b),
                        _ => (0.0, 1.0),
                    };
                    a + (b - a) * ((k as f64 + 0.5) * IRRATIONAL[d % IRRATIONAL.len()]).fract()
                });
                let (a, b) = (lower.value(&theta), upper.value(&theta));
                if (a - b).abs() > ASYMMETRY * a.abs().max(b.abs()) {
                    let at: Vec<String> = theta.iter().map(|v| format!("{v:.6}")).collect();
                    return Err(Error::config(
                        "tensor",
                        format!("the tensor is not symmetric: {a} and {b} at ({})", at.join(", ")),
                    ));
                }
            }
        }
    }
    Ok(())
}
