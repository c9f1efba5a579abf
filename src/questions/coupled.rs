//! `[coupled]`: stationary relaxation of two to six weakly coupled variables, from the modes of each alone.

use crate::diffusion::{Diffusion, Sgd};
use crate::error::{Error, Result, shown};
use crate::generator::Generator;
use crate::grid::{Axis as GridAxis, Grid};
use crate::landscape::{Expression, Landscape};
use crate::math::{Point, Tensor};
use crate::noise::Isotropic;
use crate::observables::{CoupledGap, Factor, Product, coupled_gap, spectral_gap};
use crate::output::{Records, ResultFile, records};
use crate::plot::{Axis, Colour, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::setting::Setting;
use crate::setting::landscape::AnyLandscape;
use crate::setting::parameter_range::ParameterRange;
use crate::statistics::{Extrapolated, Range};
use crate::task::{Cost, FigureEntry, MainNumber, Rows, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[coupled]`: gap of d variables with the loss Σ L_i(θ_i) + J Σ θ_i θ_j, L_1 the landscape of one variable, under noise that is the same everywhere.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coupled {
    /// d, any numbers between 2 and 6
    pub dimension: Vec<usize>,
    /// J
    pub coupling: ParameterRange,
    /// largest rate of the products of modes in which the gap is expanded: one, or one a dimension; the error is the larger change from half of it and from 1/√2 of it
    pub largest_rate: ParameterRange,
    /// which variables are coupled: "chain" neighbours, "star" the first with all others
    #[serde(default = "chain")]
    pub form: Form,
    /// a formula in the variable of the landscape: the loss of all variables but the first, that of the first unless given
    #[serde(default)]
    pub others: Option<String>,
    /// points of sinc functions along each variable
    #[serde(default = "default_points")]
    pub points: usize,
    /// cells along each variable of the coarsest of four grids in the plane, the independent check at d = 2
    #[serde(default = "default_cells")]
    pub cells: usize,
}

/// Which variables are coupled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// each with the next
    Chain,
    /// the first with all others
    Star,
}

fn chain() -> Form {
    Form::Chain
}

fn default_points() -> usize {
    160
}

fn default_cells() -> usize {
    40
}

records! {
    /// spectral gap of weakly coupled variables, by an expansion in products of the modes of each alone, and by a grid in the plane
    pub struct CoupledResult in "coupled" {
        attributes {
            /// T, the noise strength times the covariance.
            temperature: f64,
        }
        /// how weak the coupling is, and what the error is
        regime: Vec<String> => [note] "text",
        /// number of variables
        dimension: Vec<u64> => [dimension] "1" "d",
        /// coupling
        coupling: Vec<f64> => [coupling] "loss" "J",
        /// slowest relaxation
        spectral_gap: Vec<f64> => [dimension, coupling] "1/time" missing "the expansion does not converge: the coupling is too strong for the largest rate",
        /// larger change of spectral_gap from half and from 1/√2 of the largest rate: an estimate, not a bound
        spectral_gap_error: Vec<f64> => [dimension, coupling] "1/time" missing "no gap",
        /// products of modes in the expansion
        functions: Vec<f64> => [dimension, coupling] "1" missing "no gap",
        /// the smallest gap of the variables alone, each on four grids
        gap_without_coupling: Vec<f64> => [dimension] "1/time",
        /// discretisation error of gap_without_coupling
        gap_without_coupling_error: Vec<f64> => [dimension] "1/time",
        /// gap of two variables on four grids in the plane
        planar_gap: Option<Vec<f64>> => [coupling] "1/time",
        /// discretisation error of planar_gap
        planar_gap_error: Option<Vec<f64>> => [coupling] "1/time",
    }
}

/// L_1(x) + L_2(y) + J x y.
struct Pair<'a> {
    losses: [&'a dyn Landscape<1>; 2],
    coupling: f64,
}

impl Landscape<2> for Pair<'_> {
    fn loss(&self, theta: &Point<2>) -> f64 {
        let [first, second] = self.losses;
        first.loss(&[theta[0]].into()) + second.loss(&[theta[1]].into()) + self.coupling * theta[0] * theta[1]
    }
    fn gradient(&self, theta: &Point<2>) -> Point<2> {
        Point::<2>::from_fn(|d, _| {
            self.losses[d].gradient(&[theta[d]].into())[0] + self.coupling * theta[1 - d]
        })
    }
    fn hessian(&self, theta: &Point<2>) -> Tensor<2> {
        Tensor::<2>::from_fn(|i, j| {
            if i == j {
                self.losses[i].hessian(&[theta[i]].into())[0]
            } else {
                self.coupling
            }
        })
    }
}

/// Cells along an axis of four grids, in those of the coarsest.
const PARTS: [usize; 4] = [1, 2, 3, 4];
/// Relative rounding of a solve.
const ROUNDING: f64 = 1e-12;

impl Task for Coupled {
    const USES: &'static [&'static str] = &["sgd", "region"];
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "coupled",
        description: "spectral gap of two to six coupled variables over the coupling, and its error",
        group: "coupled",
        figure,
    }];
    const SHAPED_BY: &'static [&'static str] = &["dimension", "coupling.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = CoupledResult::find(file)? else {
            return Ok(Vec::new());
        };
        let dimensions: Vec<i64> = result.dimension.iter().map(|d| *d as i64).collect();
        let rows = Rows::along("dimension", &dimensions).times("coupling", &result.coupling);
        Ok(rows.column("spectral_gap", &result.spectral_gap, &result.spectral_gap_error))
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds of an expansion in some thousand functions, and of a cell of the finest grid in the plane; its bytes.
        const EXPANSION: f64 = 2.0;
        const CELL: (f64, f64) = (4e-5, 2e3);
        let couplings = self.coupling.count();
        let cells = ((PARTS[3] * self.cells) as f64).powi(2);
        Cost::default()
            .with_time(
                "coupled.largest_rate",
                EXPANSION * couplings * self.dimension.len() as f64,
            )
            .with_time("coupled.cells", CELL.0 * cells * couplings)
            .with_memory("coupled.cells", CELL.1 * cells)
            .with_result("coupled.coupling", 100.0 * couplings)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        /// Points at which the noise is looked at, and what two of its values may differ by.
        const LOOKS: usize = 200;
        const SAME: f64 = 1e-12;
        let fail = |key: &str, message: String| Error::config(&format!("coupled.{key}"), message);
        if setting.landscape.dimension().map_err(|e| e.at("landscape"))? != 1 {
            return Err(Error::config(
                "coupled",
                "the landscape is that of one of the variables: a loss of one variable is needed",
            ));
        }
        if self.dimension.is_empty() || self.dimension.iter().any(|d| !(2..=6).contains(d)) {
            return Err(fail(
                "dimension",
                "one number or more, all of them between 2 and 6, are needed".into(),
            ));
        }
        if !(8..=2000).contains(&self.points) {
            return Err(fail("points", "between 8 and 2000 are possible".into()));
        }
        if !(8..=250).contains(&self.cells) {
            return Err(fail("cells", "between 8 and 250 are possible".into()));
        }
        let sgd = setting.sgd(|keys| keys.on_a_line())?;
        let domain = setting
            .whole_domain::<1>("give coupled variables a domain alone, beyond which they never get")?;
        let [ends] = *domain.bounds();
        let at = |k: usize| ends[0] + (ends[1] - ends[0]) * (k as f64 + 0.5) / LOOKS as f64;
        let tensor = |k: usize| sgd.tensor(&[at(k)].into())[0];
        let temperature = tensor(0);
        if !(0..LOOKS).all(|k| (tensor(k) - temperature).abs() <= SAME * temperature) {
            return Err(Error::config(
                "noise",
                "coupled variables need noise that is the same everywhere: isotropic, or a number as tensor",
            ));
        }
        let first: AnyLandscape<1> = setting.landscape.on_a_line().map_err(|e| e.at("landscape"))?;
        let other: AnyLandscape<1> = match &self.others {
            None => setting.landscape.on_a_line().map_err(|e| e.at("landscape"))?,
            Some(text) => {
                let (names, parameters) = (setting.landscape.names::<1>(), &setting.landscape.parameters);
                let loss = Expression::<1>::new(text, &names, parameters, Vec::new());
                Box::new(loss.map_err(|e| e.at("coupled.others"))?)
            }
        };
        let couplings = self
            .coupling
            .values("coupled.coupling", |_| true, "a finite number is needed")?;
        let rates = self.largest_rate.positive("coupled.largest_rate")?;
        if rates.len() != 1 && rates.len() != self.dimension.len() {
            let message = format!(
                "{} are given: one, or one for each of the {} dimensions, is needed",
                rates.len(),
                self.dimension.len()
            );
            return Err(fail("largest_rate", message));
        }
        let task = self.clone();
        Ok(Box::new(move |progress| {
            let problem = Problem {
                losses: [&*first, &*other],
                ends,
                temperature,
            };
            let bar = progress.task(
                "coupled variables",
                (task.dimension.len() * couplings.len()) as u64,
            );
            let mut gaps: Vec<Option<CoupledGap>> = Vec::new();
            for (k, d) in task.dimension.iter().enumerate() {
                for coupling in &couplings {
                    gaps.push(problem.gap(&task, *d, *coupling, rates[k.min(rates.len() - 1)])?);
                    bar.advance(1);
                }
            }
            let alone = problem.gaps_alone(task.cells)?;
            let slowest = if alone[0].value <= alone[1].value {
                alone[0]
            } else {
                alone[1]
            };
            let planar = task.dimension.contains(&2).then(|| {
                let gap = |coupling: &f64| problem.planar_gap(task.cells, *coupling);
                couplings.iter().map(gap).collect::<Result<Vec<Extrapolated>>>()
            });
            let planar = planar.transpose()?;
            let column = |of: &dyn Fn(&CoupledGap) -> f64| -> Vec<f64> {
                gaps.iter().map(|gap| gap.as_ref().map_or(f64::NAN, of)).collect()
            };
            let strongest = couplings.iter().fold(0.0_f64, |largest, j| largest.max(j.abs()));
            let spread = problem.spread(task.points);
            let without: Vec<String> = (gaps.iter().enumerate())
                .filter(|(_, gap)| gap.is_none())
                .map(|(k, _)| {
                    let (d, coupling) = (k / couplings.len(), k % couplings.len());
                    format!("d = {} at J = {}", task.dimension[d], shown(couplings[coupling]))
                })
                .collect();
            let missing = match without.len() {
                0 => String::new(),
                count => format!(
                    "; {count} of {} gaps are missing, where the expansion does not converge: {}",
                    gaps.len(),
                    without.join(", ")
                ),
            };
            let result = CoupledResult {
                temperature,
                regime: vec![format!(
                    "an expansion in the modes of the variables alone, for J <x y> far below T: the strongest coupling is {:.2} T over the standard deviations of two variables; the error is the larger change from half and from 1/√2 of the largest rate, where each doubling costs a power of d{missing}",
                    strongest * spread / temperature
                )],
                dimension: task.dimension.iter().map(|d| *d as u64).collect(),
                spectral_gap: column(&|gap| gap.rate),
                spectral_gap_error: column(&|gap| gap.error),
                functions: column(&|gap| gap.levels[3].0 as f64),
                gap_without_coupling: vec![slowest.value; task.dimension.len()],
                gap_without_coupling_error: vec![slowest.error; task.dimension.len()],
                planar_gap: planar
                    .as_ref()
                    .map(|gaps| gaps.iter().map(|gap| gap.value).collect()),
                planar_gap_error: planar.map(|gaps| gaps.iter().map(|gap| gap.error).collect()),
                coupling: couplings,
            };
            Ok(vec![result.group()?])
        }))
    }
}

/// The variables: the first, and each of the others.
struct Problem<'a> {
    losses: [&'a dyn Landscape<1>; 2],
    ends: [f64; 2],
    temperature: f64,
}

impl Problem<'_> {
    /// The gap of d variables; none where the expansion does not converge.
    fn gap(&self, task: &Coupled, d: usize, coupling: f64, largest_rate: f64) -> Result<Option<CoupledGap>> {
        let factor = |k: usize| Factor {
            loss: self.losses[k.min(1)],
            ends: self.ends,
            points: task.points,
        };
        let factors: Vec<Factor<'_>> = (0..d).map(factor).collect();
        let are_coupled = |i: usize, j: usize| match task.form {
            Form::Chain => i.abs_diff(j) == 1,
            Form::Star => i != j && i.min(j) == 0,
        };
        let entry = |i: usize, j: usize| if are_coupled(i, j) { coupling } else { 0.0 };
        let matrix: Vec<Vec<f64>> = (0..d).map(|i| (0..d).map(|j| entry(i, j)).collect()).collect();
        let found = coupled_gap(&factors, &matrix, self.temperature, largest_rate);
        found.map_err(|error| match error {
            Error::InvalidParameter { .. } => error.at("coupled"),
            other => other,
        })
    }

    /// The gap of each variable alone.
    fn gaps_alone(&self, cells: usize) -> Result<[Extrapolated; 2]> {
        let gap = |loss: &dyn Landscape<1>| {
            self.on_grids(|parts| {
                let grid = Grid::new([self.axis(parts * cells)?]);
                let line = [Generator::assemble(&self.diffusion(loss)?, grid)?];
                Ok(Product::new(&line)?.spectral_gap()?.1.rate)
            })
        };
        Ok([gap(self.losses[0])?, gap(self.losses[1])?])
    }

    /// The gap of the first variable coupled with another, on grids in the plane.
    fn planar_gap(&self, cells: usize, coupling: f64) -> Result<Extrapolated> {
        let pair = Pair {
            losses: self.losses,
            coupling,
        };
        self.on_grids(|parts| {
            let axis = self.axis(parts * cells)?;
            let grid = Grid::new([axis.clone(), axis]);
            Ok(spectral_gap(&Generator::assemble(&self.diffusion(&pair)?, grid)?)?.rate)
        })
    }

    fn on_grids(&self, gap: impl Fn(usize) -> Result<f64>) -> Result<Extrapolated> {
        let [a, b, c, d] = PARTS;
        let gap = |parts: usize| {
            gap(parts).map_err(|e| {
                let message = format!("the grids beside the expansion cannot be solved ({e}): end it where exp(−L/T) is negligible");
                Error::config("region.domain", message)
            })
        };
        let levels = [gap(a)?, gap(b)?, gap(c)?, gap(d)?];
        Ok(Extrapolated::within(Range::Positive, levels, true, ROUNDING))
    }

    fn axis(&self, cells: usize) -> Result<GridAxis> {
        GridAxis::uniform(self.ends[0], self.ends[1], cells)
    }

    fn diffusion<L>(&self, loss: L) -> Result<Sgd<L, Isotropic>> {
        Sgd::with_noise_strength(loss, Isotropic::new(1.0)?, self.temperature)
    }

    /// Product of the standard deviations of the first variable and another in their own stationary laws.
    fn spread(&self, points: usize) -> f64 {
        let at = |k: usize| self.ends[0] + (self.ends[1] - self.ends[0]) * k as f64 / points as f64;
        let deviation = |loss: &dyn Landscape<1>| {
            let height = |k: usize| loss.loss(&[at(k)].into());
            let lowest = (0..=points).map(height).fold(f64::INFINITY, f64::min);
            let sums = (0..=points).fold([0.0; 3], |[all, first, second], k| {
                let (x, weight) = (at(k), (-(height(k) - lowest) / self.temperature).exp());
                [all + weight, first + x * weight, second + x * x * weight]
            });
            (sums[2] / sums[0] - (sums[1] / sums[0]).powi(2)).sqrt()
        };
        deviation(self.losses[0]) * deviation(self.losses[1])
    }
}

/// Gaps over the coupling for each number of variables, beside the grid in the plane; and their relative errors.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = CoupledResult::of(file)?;
    let n = result.coupling.len();
    let mut gaps = Panel::new("", Axis::linear("coupling *J*"), Axis::linear("spectral gap"));
    let mut errors = Panel::new(
        "",
        Axis::linear("coupling *J*"),
        Axis::log("relative error of the gap"),
    );
    let mut planar = None;
    if let (Some(gap), Some(error)) = (&result.planar_gap, &result.planar_gap_error) {
        let style = Style::reference();
        planar = Some(Layer::line(
            &result.coupling,
            gap,
            "grid in the plane",
            style.with_colour(Colour::BLACK),
        ));
        let relative: Vec<f64> = gap.iter().zip(error).map(|(gap, error)| error / gap).collect();
        errors = errors.with(Layer::line(&result.coupling, &relative, "", style));
    }
    for (k, d) in result.dimension.iter().enumerate() {
        let (gap, error) = (
            &result.spectral_gap[k * n..(k + 1) * n],
            &result.spectral_gap_error[k * n..(k + 1) * n],
        );
        let style = Style::nth(k);
        let relative: Vec<f64> = gap.iter().zip(error).map(|(gap, error)| error / gap).collect();
        gaps = gaps
            .with(Layer::line(&result.coupling, gap, "", style.with_width(0.6)))
            .with(Layer::points(
                &result.coupling,
                gap,
                error,
                &format!("*d* = {d}"),
                style,
            ));
        errors = errors
            .with(Layer::line(
                &result.coupling,
                &relative,
                "",
                style.with_width(0.6),
            ))
            .with(Layer::points(&result.coupling, &relative, &[], "", style));
    }
    // above the points that it goes through
    gaps = planar.into_iter().fold(gaps, Panel::with);
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.75,
        panels: vec![gaps, errors],
    })
}
