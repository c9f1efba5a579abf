//! From the keys of `[escape]` to a diffusion, sets and grids, with every parameter checked.

use super::escape_config::{Escape, EscapeModel, EscapeNoise, EscapeSet};
use super::model::under;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require_non_negative, require_positive};
use crate::grid::{Axis, CellSet, Grid};
use crate::landscape::{Expression, Kink, Landscape, MuellerBrown};
use crate::math::{Formula, Point, Tensor};
use crate::noise::{GradientNoise, HessianPower};

/// A landscape known at run time only.
type AnyLandscape<const D: usize> = Box<dyn Landscape<D> + Send>;

/// A diffusion tensor known at run time only.
enum AnyTensor<const D: usize> {
    Constant(Tensor<D>),
    HessianPower { power: f64, strength: f64, floor: f64 },
    Expression(Vec<Formula<D>>),
}

/// A set of points known at run time only.
pub(super) enum PointSet<const D: usize> {
    Ball(Point<D>, f64),
    HalfSpace(Point<D>, f64),
    Box(Point<D>, Point<D>),
    Condition(Formula<D>),
}

/// Everything that `[escape]` says, checked.
pub(super) struct Problem<const D: usize> {
    landscape: AnyLandscape<D>,
    tensor: AnyTensor<D>,
    kinks: Vec<Kink>,
    sublevel: Option<f64>,
    pub start: PointSet<D>,
    pub target: PointSet<D>,
    /// The coarsest grid.
    pub grid: Grid<D>,
    /// Whether the edges of start and target lie on faces of the grid.
    pub fitted: bool,
    /// Whether the edge of the domain does.
    pub fitted_domain: bool,
}

fn wrong(key: &str, message: impl Into<String>) -> Error {
    Error::Config {
        key: format!("escape.{key}"),
        message: message.into(),
    }
}

fn point<const D: usize>(key: &str, values: &[f64]) -> Result<Point<D>> {
    if values.len() != D || values.iter().any(|v| !v.is_finite()) {
        return Err(wrong(
            key,
            format!("{D} finite numbers are needed, one a variable"),
        ));
    }
    Ok(Point::<D>::from_column_slice(values))
}

impl<const D: usize> PointSet<D> {
    fn new(key: &str, set: &EscapeSet, parse: &dyn Fn(&str) -> Result<Formula<D>>) -> Result<Self> {
        Ok(match set {
            EscapeSet::Ball { centre, radius } => Self::Ball(
                point(&format!("{key}.centre"), centre)?,
                require_non_negative("radius", *radius).map_err(|e| under(&format!("escape.{key}"), e))?,
            ),
            EscapeSet::HalfSpace { normal, offset } => {
                let normal: Point<D> = point(&format!("{key}.normal"), normal)?;
                if normal.norm() == 0.0 || !offset.is_finite() {
                    return Err(wrong(
                        key,
                        "a normal other than zero and a finite offset are needed",
                    ));
                }
                Self::HalfSpace(normal, *offset)
            }
            EscapeSet::Box { lower, upper } => {
                let (lower, upper): (Point<D>, Point<D>) = (
                    point(&format!("{key}.lower"), lower)?,
                    point(&format!("{key}.upper"), upper)?,
                );
                if (0..D).any(|d| lower[d] >= upper[d]) {
                    return Err(wrong(key, "each lower bound must be below the upper one"));
                }
                Self::Box(lower, upper)
            }
            EscapeSet::Expression(text) => Self::Condition(parse(text)?),
        })
    }

    pub fn contains(&self, theta: &Point<D>) -> bool {
        match self {
            Self::Ball(centre, radius) => (theta - centre).norm() < *radius,
            Self::HalfSpace(normal, offset) => normal.dot(theta) > *offset,
            Self::Box(lower, upper) => (0..D).all(|d| theta[d] > lower[d] && theta[d] < upper[d]),
            Self::Condition(formula) => formula.value(theta) > 0.0,
        }
    }

    /// The point that the set is, if it is one.
    pub fn as_point(&self) -> Option<&Point<D>> {
        match self {
            Self::Ball(centre, radius) if *radius == 0.0 => Some(centre),
            _ => None,
        }
    }

    /// Planes θ[axis] = position on which the edge lies; none when it lies elsewhere.
    fn faces(&self, domain: &[[f64; 2]]) -> Option<Vec<Kink>> {
        let plane = |axis, position| Kink { axis, position };
        match self {
            Self::Ball(centre, radius) if D == 1 || *radius == 0.0 => Some(
                (0..D)
                    .flat_map(|d| [plane(d, centre[d] - radius), plane(d, centre[d] + radius)])
                    .collect(),
            ),
            Self::HalfSpace(normal, offset) => {
                let axis = (0..D).find(|&d| normal[d] != 0.0)?;
                let single = (0..D).all(|d| d == axis || normal[d] == 0.0);
                single.then(|| vec![plane(axis, offset / normal[axis])])
            }
            Self::Box(lower, upper) => Some(
                (0..D)
                    .flat_map(|d| [plane(d, lower[d]), plane(d, upper[d])])
                    .collect(),
            ),
            Self::Condition(_) if D == 1 => Some(
                self.crossings(domain[0])
                    .into_iter()
                    .map(|x| plane(0, x))
                    .collect(),
            ),
            Self::Ball(..) | Self::Condition(_) => None,
        }
    }

    /// Ends of the set on a line, found on a fine scan and bisected.
    fn crossings(&self, [lower, upper]: [f64; 2]) -> Vec<f64> {
        const SCAN: usize = 20_000;
        let at = |k: usize| lower + (upper - lower) * (k as f64 / SCAN as f64);
        let inside = |x: f64| self.contains(&Point::<D>::from_element(x));
        (0..SCAN)
            .filter(|&k| inside(at(k)) != inside(at(k + 1)))
            .map(|k| {
                let (mut a, mut b) = (at(k), at(k + 1));
                for _ in 0..60 {
                    let middle = 0.5 * (a + b);
                    if inside(middle) == inside(a) {
                        a = middle
                    } else {
                        b = middle
                    }
                }
                0.5 * (a + b)
            })
            .collect()
    }
}

impl<const D: usize> Problem<D> {
    pub fn new(task: &Escape, landscape: AnyLandscape<D>) -> Result<Self> {
        let mut names = [""; D];
        for (name, variable) in names.iter_mut().zip(&task.variables) {
            *name = variable;
        }
        if task.domain.len() != D || task.cells.len() != D {
            return Err(wrong(
                "domain",
                format!("domain and cells need {D} entries, one a variable"),
            ));
        }
        let parse = |text: &str| Formula::parse_condition(text, &names, &task.parameters);
        let start = PointSet::new("start", &task.start, &parse)?;
        let target = PointSet::new("target", &task.target, &parse)?;
        let kinks: Vec<Kink> = task
            .kinks
            .iter()
            .map(|k| Kink {
                axis: k.axis,
                position: k.position,
            })
            .collect();
        if kinks.iter().any(|k| k.axis >= D || !k.position.is_finite()) {
            return Err(wrong(
                "kinks",
                format!("axis must be below {D} and position finite"),
            ));
        }
        let edges = [start.faces(&task.domain), target.faces(&task.domain)];
        let fitted = edges.iter().all(Option::is_some);
        let planes: Vec<Kink> = kinks
            .iter()
            .copied()
            .chain(landscape.kinks())
            .chain(edges.into_iter().flatten().flatten())
            .collect();
        let axes: Vec<Axis> = (0..D)
            .map(|d| axis(task.domain[d], task.cells[d], d, &planes))
            .collect::<Result<_>>()?;
        let axes: [Axis; D] = axes
            .try_into()
            .map_err(|_| wrong("domain", "one entry a variable"))?;
        let problem = Self {
            landscape,
            tensor: AnyTensor::new(task, &names)?,
            kinks,
            sublevel: task.sublevel,
            fitted_domain: task.sublevel.is_none(),
            start,
            target,
            grid: Grid::new(axes),
            fitted,
        };
        problem.check()?;
        Ok(problem)
    }

    /// The cells below the sublevel; none when there is none.
    pub fn domain(&self, grid: &Grid<D>) -> Result<Option<CellSet>> {
        self.sublevel
            .map(|_| CellSet::new("sublevel", grid, |theta| self.in_domain(theta)))
            .transpose()
            .map_err(|e| under("escape", e))
    }

    fn in_domain(&self, theta: &Point<D>) -> bool {
        self.sublevel
            .is_none_or(|level| self.landscape.loss(theta) < level)
    }

    /// Start and target on `grid`; no start cells for a point.
    pub fn sets(&self, grid: &Grid<D>) -> Result<(Option<CellSet>, CellSet)> {
        let set = |name: &str, set: &PointSet<D>| {
            CellSet::new(name, grid, |theta| set.contains(theta) && self.in_domain(theta))
                .map_err(|e| under("escape", e))
        };
        let target = set("target", &self.target)?;
        let start = match self.start.as_point() {
            Some(_) => None,
            None => Some(set("start", &self.start)?),
        };
        Ok((start, target))
    }

    fn check(&self) -> Result<()> {
        let (start, target) = self.sets(&self.grid)?;
        if let Some(start) = start {
            start.require_disjoint(&target)?;
        }
        if let Some(at) = self.start.as_point() {
            if self.target.contains(at) {
                return Err(wrong("target", "the target covers the start"));
            }
            let axes = self.grid.axes();
            if (0..D).any(|d| !(at[d] > axes[d].lower() && at[d] < axes[d].upper())) {
                return Err(wrong("start", "the start lies outside the domain"));
            }
            if !self.in_domain(at) {
                return Err(wrong("start", "the start lies above the sublevel"));
            }
        }
        for cell in 0..self.grid.cells() {
            let theta = self.grid.centre(cell);
            if !self.in_domain(&theta) {
                continue;
            }
            let finite =
                self.landscape.loss(&theta).is_finite() && self.drift(&theta).iter().all(|v| v.is_finite());
            if !finite {
                return Err(wrong(
                    "loss",
                    format!("loss or gradient is not finite at {}", position(&theta)),
                ));
            }
            self.check_tensor(&theta)?;
        }
        Ok(())
    }

    fn check_tensor(&self, theta: &Point<D>) -> Result<()> {
        /// Rounding of two formulas for the same entry.
        const ASYMMETRY: f64 = 1e-12;
        let tensor = self.tensor(theta);
        if tensor.iter().any(|v| !v.is_finite()) {
            return Err(wrong(
                "noise",
                format!("the tensor is not finite at {}", position(theta)),
            ));
        }
        if (tensor - tensor.transpose()).amax() > ASYMMETRY * tensor.amax() {
            return Err(wrong(
                "noise",
                format!("the tensor is not symmetric at {}", position(theta)),
            ));
        }
        let mut eigenvalues: Vec<f64> = nalgebra::DMatrix::from_iterator(D, D, tensor.iter().copied())
            .symmetric_eigenvalues()
            .iter()
            .copied()
            .collect();
        eigenvalues.sort_by(f64::total_cmp);
        if eigenvalues[0] > 0.0 {
            return Ok(());
        }
        Err(Error::NotPositive {
            name: "diffusion tensor".into(),
            position: position(theta),
            eigenvalues: format!(
                "{eigenvalues:?}; a strictly positive tensor is needed, give the noise a floor"
            ),
        })
    }

    pub fn loss(&self, theta: &Point<D>) -> f64 {
        self.landscape.loss(theta)
    }
}

/// The landscape of the task in D variables.
pub(super) fn expression<const D: usize>(task: &Escape) -> Result<AnyLandscape<D>> {
    let mut names = [""; D];
    for (name, variable) in names.iter_mut().zip(&task.variables) {
        *name = variable;
    }
    match &task.loss {
        Some(text) => Ok(Box::new(Expression::new(
            text,
            &names,
            &task.parameters,
            Vec::new(),
        )?)),
        None => Err(wrong("loss", "either loss or model is required")),
    }
}

/// The landscape of the task in two variables, where the built-in models live.
pub(super) fn planar(task: &Escape) -> Result<AnyLandscape<2>> {
    match (&task.loss, task.model) {
        (None, Some(EscapeModel::MuellerBrown)) => Ok(Box::new(MuellerBrown)),
        (Some(_), Some(_)) => Err(wrong("model", "loss and model exclude each other")),
        _ => expression(task),
    }
}

fn position<const D: usize>(theta: &Point<D>) -> String {
    let parts: Vec<String> = theta.iter().map(|v| format!("{v:.6}")).collect();
    format!("({})", parts.join(", "))
}

/// An axis with faces on `planes`; planes closer than a millionth of a cell to an earlier one are that one.
fn axis([lower, upper]: [f64; 2], cells: usize, d: usize, planes: &[Kink]) -> Result<Axis> {
    let near = 1e-6 * (upper - lower) / cells.max(1) as f64;
    let mut faces: Vec<f64> = Vec::new();
    for plane in planes.iter().filter(|p| p.axis == d) {
        let taken = |f: &f64| (f - plane.position).abs() <= near;
        if !faces.iter().chain([&lower, &upper]).any(taken) {
            faces.push(plane.position);
        }
    }
    Axis::with_faces_at(lower, upper, cells, &faces).map_err(|e| under("escape.domain", e))
}

impl<const D: usize> AnyTensor<D> {
    fn new(task: &Escape, names: &[&str; D]) -> Result<Self> {
        let noise = |e| under("escape.noise", e);
        let square = || wrong("noise.tensor", format!("{D} rows of {D} entries are needed"));
        Ok(match &task.noise {
            EscapeNoise::Isotropic { strength } => Self::Constant(
                Tensor::<D>::identity() * require_positive("strength", *strength).map_err(noise)?,
            ),
            EscapeNoise::Constant { tensor } => {
                if tensor.len() != D || tensor.iter().any(|row| row.len() != D) {
                    return Err(square());
                }
                Self::Constant(Tensor::<D>::from_fn(|r, c| tensor[r][c]))
            }
            EscapeNoise::HessianPower {
                power,
                strength,
                floor,
            } => {
                let unused =
                    crate::landscape::Quadratic::<D>::new(Tensor::<D>::identity(), Point::<D>::zeros())?;
                HessianPower::new(unused, *power, *strength, *floor).map_err(noise)?;
                Self::HessianPower {
                    power: *power,
                    strength: *strength,
                    floor: *floor,
                }
            }
            EscapeNoise::Expression { tensor } => {
                if tensor.len() != D || tensor.iter().any(|row| row.len() != D) {
                    return Err(square());
                }
                Self::Expression(
                    tensor
                        .iter()
                        .flatten()
                        .map(|text| Formula::parse(text, names, &task.parameters))
                        .collect::<Result<_>>()?,
                )
            }
        })
    }
}

impl<const D: usize> Diffusion<D> for Problem<D> {
    fn drift(&self, theta: &Point<D>) -> Point<D> {
        -self.landscape.gradient(theta)
    }
    fn tensor(&self, theta: &Point<D>) -> Tensor<D> {
        match &self.tensor {
            AnyTensor::Constant(tensor) => *tensor,
            AnyTensor::Expression(entries) => Tensor::<D>::from_fn(|r, c| entries[r * D + c].value(theta)),
            AnyTensor::HessianPower {
                power,
                strength,
                floor,
            } => match HessianPower::new(Borrowed(&*self.landscape), *power, *strength, *floor) {
                Ok(noise) => noise.covariance(theta),
                // The parameters were checked; a NaN would be refused as a tensor that is not finite.
                Err(_) => Tensor::<D>::from_element(f64::NAN),
            },
        }
    }
    fn kinks(&self) -> Vec<Kink> {
        let mut kinks = self.kinks.clone();
        kinks.extend(self.landscape.kinks());
        kinks
    }
}

/// A landscape behind a reference.
struct Borrowed<'a, const D: usize>(&'a (dyn Landscape<D> + Send));

impl<const D: usize> Landscape<D> for Borrowed<'_, D> {
    fn loss(&self, theta: &Point<D>) -> f64 {
        self.0.loss(theta)
    }
    fn gradient(&self, theta: &Point<D>) -> Point<D> {
        self.0.gradient(theta)
    }
    fn hessian(&self, theta: &Point<D>) -> Tensor<D> {
        self.0.hessian(theta)
    }
}
