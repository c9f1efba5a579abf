//! `[landscape]`: the loss or the drift that every task of a configuration is about.

use super::model_keys::{Given, Model, check_keys, matrix, point};
use super::table::{self, Numbers};
use crate::error::{Error, Result, require_non_negative, shown};
use crate::landscape::{
    AsymmetricDoubleWell, DegenerateValley, DoubleWell, Expression, Kink, Landscape, MuellerBrown, Quadratic,
    RoundedRidge, Slice, Tabulated, TiltedDoubleWell, TwoValley, TwoValleyParameters,
};
use crate::math::{Formula, Lanes, Point, PointBlock, Tensor};
use crate::output::Record;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A landscape known at run time only.
pub type AnyLandscape<const D: usize> = Box<dyn Landscape<D> + Send>;

/// `[landscape]`: the loss L, or a drift that is no gradient. Without this section: the two-valley model with the paper's parameters.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LandscapeKeys {
    /// a built-in landscape with its own keys
    pub model: Option<LandscapeModel>,
    /// L as a formula, in place of a model
    pub loss: Option<String>,
    /// the drift itself as formulas, one a variable, in place of a loss: dθ/dt = drift without noise, no gradient needed
    pub drift: Option<Vec<String>>,
    /// L as a table in an HDF5 file, in place of a model: a spline through its values, on either side of each declared kink, where it needs a point
    pub table: Option<LossTable>,
    /// names of the variables in formulas and results; x, y unless given (a loss without y is of x alone)
    pub variables: Option<Vec<String>>,
    /// named numbers in formulas, { barrier = 0.25 }
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, f64>,
    /// surfaces { axis, position } on which a derivative of the loss or the noise jumps; built-in models know theirs
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinks: Vec<KinkKeys>,
    /// flatness scale
    pub f0: Option<f64>,
    /// width scale
    pub x0: Option<f64>,
    /// asymptotic position of the flat minimum
    pub x1: Option<f64>,
    /// asymptotic distance of the sharp minimum
    pub x2: Option<f64>,
    /// length over which the barrier grows
    pub y_f: Option<f64>,
    /// length over which the valleys part
    pub y_b: Option<f64>,
    /// decay length of the driving loss
    pub y_d: Option<f64>,
    /// amplitude of the driving loss
    pub l_d: Option<f64>,
    /// hold y here: the slice of one variable
    pub y: Option<f64>,
    /// ablation: the barrier keeps its value at this y
    pub barrier_at: Option<f64>,
    /// ablation: the flatness keeps its value at this y
    pub flatness_at: Option<f64>,
    /// the ridge rounded over this width, where y is held
    pub ridge_width: Option<f64>,
    /// barrier height
    pub barrier: Option<f64>,
    /// distance of the minima from the barrier
    pub half_distance: Option<f64>,
    /// slope added to the loss
    pub tilt: Option<f64>,
    /// curvature of the left well in units of that of the right one
    pub curvature_ratio: Option<f64>,
    /// loss of the right well, that of the left one being zero
    pub depth_difference: Option<f64>,
    /// rows of the Hessian
    pub hessian: Option<Vec<Vec<f64>>>,
    /// position of the minimum
    pub minimum: Option<Vec<f64>>,
    /// width of the valley as a formula in the second variable
    pub width: Option<String>,
    /// curvature along the valley
    pub confinement: Option<f64>,
}

/// Names of built-in landscapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LandscapeModel {
    /// [`TwoValley`], or with `y` its [`Slice`].
    TwoValley,
    /// [`DoubleWell`].
    DoubleWell,
    /// [`TiltedDoubleWell`].
    TiltedDoubleWell,
    /// [`AsymmetricDoubleWell`].
    AsymmetricDoubleWell,
    /// [`DegenerateValley`].
    DegenerateValley,
    /// [`MuellerBrown`].
    MuellerBrown,
    /// [`Quadratic`].
    Quadratic,
}

/// A loss in a table.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LossTable {
    /// an HDF5 or npz file, relative to the working directory; none when the numbers stand here
    #[serde(default)]
    pub file: Option<String>,
    /// path of the loss in the file, one axis a variable, or the numbers themselves
    pub loss: Numbers,
    /// positions along each axis: paths in the file, or the numbers themselves
    pub axes: Vec<Numbers>,
}

impl LossTable {
    /// The same in the plane with half of the points along an axis; see [`table::thinned`].
    pub(crate) fn thinned(&self, axis: usize, kinks: &[Kink]) -> Result<Option<Self>> {
        let file = self.file.as_deref();
        let found = table::thinned(file, &self.axes, &[&self.loss], axis, kinks)?;
        Ok(found.and_then(|(axes, mut tables)| {
            Some(Self {
                file: None,
                loss: tables.pop()?,
                axes,
            })
        }))
    }
}

/// The surface on which coordinate `axis` equals `position`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KinkKeys {
    /// index of the variable, from 0
    pub axis: usize,
    /// its value
    pub position: f64,
}

/// The built-in landscapes: what they are and the keys they take.
pub const MODELS: [Model; 7] = [
    Model {
        name: "two_valley",
        text: "flat valley at x > 0, sharp one at x < 0, slow direction y; one variable x where y is held",
        keys: &[
            ("f0", Given::Default(1.0)),
            ("x0", Given::Default(1.0)),
            ("x1", Given::Default(0.8)),
            ("x2", Given::Default(0.65)),
            ("y_f", Given::Default(20.0)),
            ("y_b", Given::Default(30.0)),
            ("y_d", Given::Default(100.0)),
            ("l_d", Given::Default(1.0)),
            ("y", Given::Optional),
            ("barrier_at", Given::Optional),
            ("flatness_at", Given::Optional),
            ("ridge_width", Given::Optional),
        ],
    },
    Model {
        name: "double_well",
        text: "one variable, L = barrier ((x/half_distance)^2 - 1)^2",
        keys: &[
            ("barrier", Given::Default(0.25)),
            ("half_distance", Given::Default(1.0)),
        ],
    },
    Model {
        name: "tilted_double_well",
        text: "the same + tilt x",
        keys: &[
            ("barrier", Given::Default(0.25)),
            ("half_distance", Given::Default(1.0)),
            ("tilt", Given::Required),
        ],
    },
    Model {
        name: "asymmetric_double_well",
        text: "one variable, wells of unequal width; the barrier is that of the left well",
        keys: &[
            ("barrier", Given::Default(0.25)),
            ("half_distance", Given::Default(1.0)),
            ("curvature_ratio", Given::Required),
            ("depth_difference", Given::Default(0.0)),
        ],
    },
    Model {
        name: "degenerate_valley",
        text: "two variables, L = x^2/(2 width^2) + confinement y^2/2",
        keys: &[("width", Given::Required), ("confinement", Given::Default(0.0))],
    },
    Model {
        name: "mueller_brown",
        text: "two variables, the standard surface with three minima",
        keys: &[],
    },
    Model {
        name: "quadratic",
        text: "any number of variables, L = (θ - minimum)ᵀ hessian (θ - minimum)/2",
        keys: &[("hessian", Given::Required), ("minimum", Given::Required)],
    },
];

/// Largest number of variables.
pub const MOST_VARIABLES: usize = 4;

/// Keys that need no model.
const GENERAL: [&str; 7] = [
    "model",
    "loss",
    "drift",
    "table",
    "variables",
    "parameters",
    "kinks",
];

impl LandscapeKeys {
    /// Number of variables; most questions are about one or two, see [`LandscapeKeys::line_or_plane`].
    ///
    /// # Errors
    /// [`Error::Config`] when the keys say more than one thing, or their numbers of variables differ.
    pub fn dimension(&self) -> Result<usize> {
        let given = [
            self.model.is_some(),
            self.loss.is_some(),
            self.drift.is_some(),
            self.table.is_some(),
        ];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err(Error::config(
                "loss",
                "only one of model, loss, drift and table is possible",
            ));
        }
        check_keys(self, &GENERAL, self.entry())?;
        // They become names of records.
        for name in self.variables.iter().flatten() {
            Record::coordinate(name, "1", Vec::<f64>::new())
                .map_err(|_| Error::config("variables", format!("{name:?} is not allowed: a name starts with a letter and has letters a-z, digits and underscores only, at most 63")))?;
        }
        let named = self.variables.as_ref().map(Vec::len);
        let found = match (self.model, &self.drift, &self.table, &self.loss) {
            (_, Some(drift), _, _) => drift.len(),
            (_, _, Some(table), _) => table.axes.len(),
            (_, _, _, Some(loss)) => named.unwrap_or(if self.knows_y(loss) { 2 } else { 1 }),
            (Some(LandscapeModel::MuellerBrown | LandscapeModel::DegenerateValley), ..) => 2,
            (Some(LandscapeModel::Quadratic), ..) => self.minimum.as_ref().map_or(1, Vec::len),
            (None | Some(LandscapeModel::TwoValley), ..) if self.y.is_none() => 2,
            _ => 1,
        };
        if !(1..=MOST_VARIABLES).contains(&found) {
            return Err(Error::config(
                "variables",
                format!("one to {MOST_VARIABLES} variables are possible, not {found}"),
            ));
        }
        if found > 2 && named.is_none() {
            return Err(Error::config(
                "variables",
                "names are needed for more than two variables",
            ));
        }
        match named {
            Some(named) if named != found => Err(Error::config(
                "variables",
                format!("{named} name(s) for a landscape of {found} variable(s)"),
            )),
            _ => Ok(found),
        }
    }

    /// Whether a formula has a y that is no parameter.
    fn knows_y(&self, formula: &str) -> bool {
        let mut words = formula.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word == "y") && !self.parameters.contains_key("y")
    }

    /// [`LandscapeKeys::dimension`] for questions about one or two variables.
    ///
    /// # Errors
    /// Those of [`LandscapeKeys::dimension`]; [`Error::Config`] for more than two.
    pub fn line_or_plane(&self) -> Result<usize> {
        match self.dimension()? {
            more @ 3.. => Err(Error::config(
                "variables",
                format!("one or two variables are possible here, not {more}"),
            )),
            few => Ok(few),
        }
    }

    /// Names of the variables: those given, or x and y.
    pub fn names<const D: usize>(&self) -> [&str; D] {
        std::array::from_fn(|d| match &self.variables {
            Some(names) => names.get(d).map_or("", String::as_str),
            None => ["x", "y"].get(d).copied().unwrap_or(""),
        })
    }

    /// Refuses declared kinks outside of a domain.
    ///
    /// # Errors
    /// [`Error::Config`], relative to the section.
    pub fn check_kinks<const D: usize>(&self, bounds: &[[f64; 2]; D]) -> Result<()> {
        let is_outside = |kink: &&KinkKeys| {
            let within = |[lower, upper]: &[f64; 2]| (*lower..=*upper).contains(&kink.position);
            bounds.get(kink.axis).is_some_and(|ends| !within(ends))
        };
        let Some(kink) = self.kinks.iter().find(is_outside) else {
            return Ok(());
        };
        Err(Error::config(
            "kinks",
            format!(
                "position {} on axis {} lies outside region.domain: leave it out, or widen the domain",
                shown(kink.position),
                kink.axis
            ),
        ))
    }

    /// The declared kinks; those of built-in models stand in the models.
    ///
    /// # Errors
    /// [`Error::Config`] for an axis that does not exist or a position that is not finite.
    pub fn kinks<const D: usize>(&self) -> Result<Vec<Kink>> {
        if self.kinks.iter().any(|k| k.axis >= D || !k.position.is_finite()) {
            return Err(Error::config(
                "kinks",
                format!("axis must be below {D} and position finite"),
            ));
        }
        let kink = |k: &KinkKeys| Kink {
            axis: k.axis,
            position: k.position,
        };
        Ok(self.kinks.iter().map(kink).collect())
    }

    /// A formula in the variables and parameters of this section.
    ///
    /// # Errors
    /// [`Error::Expression`] under `key`.
    pub fn formula<const D: usize>(&self, key: &str, text: &str) -> Result<Formula<D>> {
        Formula::parse(text, &self.names::<D>(), &self.parameters).map_err(|e| e.at(key))
    }

    /// The two-valley landscape in the plane, without regard to `y`.
    ///
    /// # Errors
    /// [`Error::Config`] when the section names another landscape or a parameter is out of range.
    pub fn two_valley(&self) -> Result<TwoValley> {
        if self.ridge_width.is_some() {
            return Err(Error::config(
                "ridge_width",
                "the ridge can be rounded on a line only: hold y, and ask [escape] or [transfer_operator]",
            ));
        }
        self.with_cusp()
    }

    /// The same with its ridge as it is, whatever `ridge_width` says.
    fn with_cusp(&self) -> Result<TwoValley> {
        let Some(entry) = self.entry().filter(|entry| entry.name == "two_valley") else {
            return Err(Error::config(
                "model",
                "this question is about the two_valley model only",
            ));
        };
        let parameters = TwoValleyParameters {
            f0: entry.number("f0", self.f0)?,
            x0: entry.number("x0", self.x0)?,
            x1: entry.number("x1", self.x1)?,
            x2: entry.number("x2", self.x2)?,
            y_f: entry.number("y_f", self.y_f)?,
            y_b: entry.number("y_b", self.y_b)?,
            y_d: entry.number("y_d", self.y_d)?,
            l_d: entry.number("l_d", self.l_d)?,
        };
        let mut landscape = TwoValley::new(parameters)?;
        if let Some(y) = self.barrier_at {
            landscape = landscape.with_barrier_at(y)?;
        }
        if let Some(y) = self.flatness_at {
            landscape = landscape.with_flatness_at(y)?;
        }
        Ok(landscape)
    }

    /// The landscape of one variable.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key that is missing or out of range.
    pub fn on_a_line(&self) -> Result<AnyLandscape<1>> {
        self.declared(self.bare_on_a_line()?)
    }

    fn bare_on_a_line(&self) -> Result<AnyLandscape<1>> {
        let Some(entry) = self.entry() else {
            return self.bare_in_any_dimension();
        };
        let number = |key, given| entry.number(key, given);
        Ok(match self.model {
            Some(LandscapeModel::DoubleWell) => Box::new(DoubleWell::new(
                number("barrier", self.barrier)?,
                number("half_distance", self.half_distance)?,
            )?),
            Some(LandscapeModel::TiltedDoubleWell) => Box::new(TiltedDoubleWell::new(
                number("barrier", self.barrier)?,
                number("half_distance", self.half_distance)?,
                number("tilt", self.tilt)?,
            )?),
            Some(LandscapeModel::AsymmetricDoubleWell) => Box::new(AsymmetricDoubleWell::new(
                number("barrier", self.barrier)?,
                number("half_distance", self.half_distance)?,
                number("curvature_ratio", self.curvature_ratio)?,
                number("depth_difference", self.depth_difference)?,
            )?),
            None | Some(LandscapeModel::TwoValley) => {
                let y = require_non_negative("y", number("y", self.y)?)?;
                match self.ridge_width {
                    Some(width) => Box::new(RoundedRidge::new(self.with_cusp()?, y, width)?),
                    None => Box::new(Slice::new(self.with_cusp()?, y)?),
                }
            }
            _ => self.bare_in_any_dimension()?,
        })
    }

    /// The landscape of two variables.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key that is missing or out of range.
    pub fn in_the_plane(&self) -> Result<AnyLandscape<2>> {
        self.declared(self.bare_in_the_plane()?)
    }

    fn bare_in_the_plane(&self) -> Result<AnyLandscape<2>> {
        let Some(entry) = self.entry() else {
            return self.bare_in_any_dimension();
        };
        Ok(match self.model {
            Some(LandscapeModel::MuellerBrown) => Box::new(MuellerBrown),
            Some(LandscapeModel::DegenerateValley) => {
                let text = entry.required("width", &self.width)?;
                let names = [self.names::<2>()[1]];
                let width = Formula::<1>::parse(text, &names, &self.parameters).map_err(|e| e.at("width"))?;
                let confinement = entry.number("confinement", self.confinement)?;
                Box::new(DegenerateValley::new(width, confinement)?)
            }
            None | Some(LandscapeModel::TwoValley) => Box::new(self.two_valley()?),
            _ => self.bare_in_any_dimension()?,
        })
    }

    /// The landscape of any number of variables: a formula, a table or a quadratic.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key that is missing or out of range.
    pub fn in_any_dimension<const D: usize>(&self) -> Result<AnyLandscape<D>> {
        self.declared(self.bare_in_any_dimension()?)
    }

    /// A landscape with the declared kinks beside its own.
    fn declared<const D: usize>(&self, loss: AnyLandscape<D>) -> Result<AnyLandscape<D>> {
        let mut kinks = loss.kinks();
        let new = self.kinks::<D>()?.into_iter();
        kinks.extend(
            new.filter(|kink| !loss.kinks().contains(kink))
                .collect::<Vec<_>>(),
        );
        if kinks.len() == loss.kinks().len() {
            return Ok(loss);
        }
        Ok(Box::new(Declared { loss, kinks }))
    }

    fn bare_in_any_dimension<const D: usize>(&self) -> Result<AnyLandscape<D>> {
        if let Some(text) = &self.loss {
            let loss = Expression::new(text, &self.names::<D>(), &self.parameters, Vec::new());
            return Ok(Box::new(loss.map_err(|e| e.at("loss"))?));
        }
        if let Some(LossTable { file, loss, axes }) = &self.table {
            let table = || {
                let file = file.as_deref();
                table::require_use(file, axes.iter().chain([loss]))?;
                let (axes, shape) = table::axes::<D>(file, axes)?;
                Ok((axes, loss.of_shape("loss", file, &shape)?))
            };
            let (axes, loss) = table().map_err(|e: Error| e.at("table"))?;
            let loss = Tabulated::with_kinks(axes, loss, self.kinks::<D>()?);
            return Ok(Box::new(loss.map_err(|e| e.at("table"))?));
        }
        match (self.model, self.entry()) {
            (Some(LandscapeModel::Quadratic), Some(entry)) => {
                let hessian = matrix("hessian", entry.required("hessian", &self.hessian)?)?;
                let minimum = point("minimum", entry.required("minimum", &self.minimum)?)?;
                Ok(Box::new(Quadratic::new(hessian, minimum)?))
            }
            _ => Err(Error::config("drift", "this noise needs a loss, not a drift")),
        }
    }

    /// The entry of the table of models; none for a formula, a drift or a table.
    fn entry(&self) -> Option<&'static Model> {
        let name = match self.model {
            None if self.loss.is_some() || self.drift.is_some() || self.table.is_some() => return None,
            None | Some(LandscapeModel::TwoValley) => "two_valley",
            Some(LandscapeModel::DoubleWell) => "double_well",
            Some(LandscapeModel::TiltedDoubleWell) => "tilted_double_well",
            Some(LandscapeModel::AsymmetricDoubleWell) => "asymmetric_double_well",
            Some(LandscapeModel::DegenerateValley) => "degenerate_valley",
            Some(LandscapeModel::MuellerBrown) => "mueller_brown",
            Some(LandscapeModel::Quadratic) => "quadratic",
        };
        MODELS.iter().find(|model| model.name == name)
    }
}

/// A loss with the kinks that are declared beside its own.
struct Declared<const D: usize> {
    loss: AnyLandscape<D>,
    kinks: Vec<Kink>,
}

impl<const D: usize> Landscape<D> for Declared<D> {
    fn loss(&self, theta: &Point<D>) -> f64 {
        self.loss.loss(theta)
    }
    fn gradient(&self, theta: &Point<D>) -> Point<D> {
        self.loss.gradient(theta)
    }
    fn hessian(&self, theta: &Point<D>) -> Tensor<D> {
        self.loss.hessian(theta)
    }
    fn kinks(&self) -> Vec<Kink> {
        self.kinks.clone()
    }
    fn loss_block(&self, points: &PointBlock<D>, loss: &mut Lanes) {
        self.loss.loss_block(points, loss);
    }
    fn gradient_block(&self, points: &PointBlock<D>, gradient: &mut [Lanes; D]) {
        self.loss.gradient_block(points, gradient);
    }
    fn hessian_block(&self, points: &PointBlock<D>, hessian: &mut [[Lanes; D]; D]) {
        self.loss.hessian_block(points, hessian);
    }
}
