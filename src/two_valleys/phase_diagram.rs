//! `[phase_diagram]`: SGD ensembles over learning rate and σ.

use super::reference::PaperPhaseDiagram;
use super::valley_columns::{
    TAIL, ValleyMeans, check_size, ensemble_cost, ensemble_regime, simulate_cells, starts,
};
use crate::ensemble::{Cell, Protocol, stream::experiment_number};
use crate::error::Result;
use crate::output::{Estimates, Records, ResultFile, records};
use crate::plot::{Axis, ColourMap, ColourScale, Figure, Layer, Panel, Scale, TWO_COLUMNS, cell_edges};
use crate::setting::Setting;
use crate::setting::parameter_range::ParameterRange;
use crate::setting::two_valley::TwoValleyModel;
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use crate::transfer::{PathLaw, PathSettings, SlowMotion, Start};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[phase_diagram]`: P_flat and freezing over a grid of learning rate and σ. Defaults are the paper's protocol.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PhaseDiagram {
    /// η, rows.
    pub learning_rate: ParameterRange,
    /// σ, columns.
    pub sigma: ParameterRange,
    /// Runs per cell.
    pub runs: usize,
    /// Steps per run.
    pub steps: u64,
    /// Starting x, taken in turn by the runs.
    pub start_x: Vec<f64>,
    /// Starting y.
    pub start_y: f64,
    /// Control: y stays at its start.
    pub hold_y: bool,
    /// Factor on the slow drift of y.
    pub ramp: f64,
    /// Whether the transfer operator solves the cells too, without sampling noise.
    pub transfer: bool,
}

impl Default for PhaseDiagram {
    fn default() -> Self {
        Self {
            learning_rate: ParameterRange::log(0.01, 0.1, 10),
            sigma: ParameterRange::log(0.01, 0.1, 10),
            runs: 2000,
            steps: 20_000,
            start_x: vec![-0.01, 0.01],
            start_y: 5.0,
            hold_y: false,
            ramp: 1.0,
            transfer: false,
        }
    }
}

records! {
    /// ensembles of discrete SGD over learning rate (rows) and sigma (columns): valley at the end of the run and freezing
    pub struct PhaseDiagramResult in "phase_diagram" {
        attributes {
            /// Runs per cell.
            runs: i64,
            /// Steps per run.
            steps: i64,
            /// Starting y.
            start_y: f64,
        }
        /// how far from the limit of small steps the runs are, and whether they are frozen at their end
        regime: Option<Vec<String>> => [note] "text",
        /// learning rate
        learning_rate: Vec<f64> => [learning_rate] "1" "η",
        /// noise amplitude, C/B = 2 sigma H^p
        sigma: Vec<f64> => [sigma] "1" "σ",
        /// Means of the runs.
        means: ValleyMeans => [learning_rate, sigma],
        /// The transfer operator, if it was wanted.
        transfer: Option<TransferColumns> => [learning_rate, sigma],
    }
}

records! {
    /// The same cells by the transfer operator of the SGD map, y on its mean path.
    pub struct TransferColumns {
        /// fraction of runs that end at x >= 0
        p_flat_transfer: Vec<f64> => [] "1",
        /// change of p_flat_transfer with kernels kept twice as long on panels longer by a quarter
        p_flat_transfer_error: Vec<f64> => [] "1",
        /// mean iteration of the last sign change of x, 1 for runs without any
        mean_freezing_iteration_transfer: Vec<f64> => [] "iterations",
        /// change of mean_freezing_iteration_transfer as of p_flat_transfer
        mean_freezing_iteration_transfer_error: Vec<f64> => [] "iterations",
        /// probability that x never changes its sign
        trapped_transfer: Vec<f64> => [] "1",
        /// probability that the last sign change falls into the final 1 % of the run
        unfrozen_transfer: Vec<f64> => [] "1",
    }
}

impl TransferColumns {
    /// The columns of all cells (η, σ).
    fn new(
        task: &PhaseDiagram,
        model: &TwoValleyModel,
        cells: &[(f64, f64)],
        progress: &Progress,
    ) -> Result<Self> {
        let bar = progress.task("transfer operator", cells.len() as u64);
        let settings = PathSettings {
            steps: task.steps as usize,
            starts: Start::in_equal_parts(&task.start_x),
            start_y: task.start_y,
            motion: match task.hold_y {
                true => SlowMotion::Fixed,
                false => SlowMotion::Mean,
            },
            ramp: task.ramp,
            ..PathSettings::default()
        };
        let laws: Vec<[PathLaw; 2]> = cells
            .par_iter()
            .with_max_len(1)
            .map(|&(learning_rate, sigma)| {
                let laws = model.path_laws(learning_rate, sigma, &settings)?;
                bar.advance(1);
                Ok(laws)
            })
            .collect::<Result<_>>()?;
        let value =
            |of: &dyn Fn(&PathLaw) -> f64| -> Vec<f64> { laws.iter().map(|[law, _]| of(law)).collect() };
        let change = |of: &dyn Fn(&PathLaw) -> f64| -> Vec<f64> {
            laws.iter()
                .map(|[law, coarse]| (of(law) - of(coarse)).abs())
                .collect()
        };
        Ok(Self {
            p_flat_transfer: value(&PathLaw::final_p_flat),
            p_flat_transfer_error: change(&PathLaw::final_p_flat),
            mean_freezing_iteration_transfer: value(&PathLaw::mean_freezing_iteration),
            mean_freezing_iteration_transfer_error: change(&PathLaw::mean_freezing_iteration),
            trapped_transfer: value(&|law| law.no_sign_change),
            unfrozen_transfer: value(&|law| law.last_sign_change_within(TAIL)),
        })
    }
}

const SECTION: &str = "phase_diagram";

impl Task for PhaseDiagram {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "phase_diagram",
        description: "P_flat and freezing time over learning rate and noise, beside the authors' own where they apply",
        group: "phase_diagram",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["learning_rate.points", "sigma.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = PhaseDiagramResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("learning_rate", &result.learning_rate).times("sigma", &result.sigma);
        let means = &result.means;
        Ok([
            rows.means("p_flat", &means.p_flat),
            rows.means("mean_freezing_iteration", &means.mean_freezing_iteration),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds a cell of the transfer operator.
        const TRANSFER: f64 = 0.2;
        let cells = self.learning_rate.count() * self.sigma.count();
        let cost = ensemble_cost(SECTION, "steps", cells, self.runs, self.steps);
        match self.transfer {
            true => cost.with_time("phase_diagram.transfer", TRANSFER * cells),
            false => cost,
        }
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let model = setting.two_valley()?;
        let learning_rates = self.learning_rate.positive("phase_diagram.learning_rate")?;
        let sigmas = self.sigma.positive("phase_diagram.sigma")?;
        check_size(SECTION, self.runs, self.steps)?;
        let starts = starts(SECTION, &self.start_x, self.start_y)?;
        let mut cells = Vec::new();
        for &learning_rate in &learning_rates {
            for &sigma in &sigmas {
                let walk = model
                    .walk(learning_rate, sigma)
                    .and_then(|w| w.with_ramp(self.ramp));
                let mut walk = walk.map_err(|e| e.at(SECTION))?;
                if self.hold_y {
                    walk = walk.with_y_held();
                }
                walk.check_stability(self.start_y)
                    .map_err(|e| e.at("phase_diagram.learning_rate"))?;
                let protocol = Protocol {
                    starts: starts.clone(),
                    runs: self.runs,
                    steps: self.steps,
                    record_every: None,
                    seed: setting.seed,
                    // the cell's random numbers depend on its parameters, not on its place in the table
                    experiment: experiment_number(&format!("{SECTION} {learning_rate:e} {sigma:e}")),
                };
                cells.push(Cell { walk, protocol });
            }
        }
        let of_any_size = |task: &Self| Self {
            runs: 0,
            transfer: false,
            ..task.clone()
        };
        let is_papers = model.is_papers() && of_any_size(self) == of_any_size(&Self::default());
        let task = self.clone();
        Ok(Box::new(move |progress| {
            let of_row =
                |rate: &f64| -> Vec<(f64, f64)> { sigmas.iter().map(|sigma| (*rate, *sigma)).collect() };
            let pairs: Vec<(f64, f64)> = learning_rates.iter().flat_map(of_row).collect();
            let transfer = match task.transfer {
                true => Some(TransferColumns::new(&task, &model, &pairs, progress)?),
                false => None,
            };
            let means = ValleyMeans::new(&simulate_cells(&cells, "phase diagram", progress)?)?;
            let result = PhaseDiagramResult {
                runs: task.runs as i64,
                steps: task.steps as i64,
                start_y: task.start_y,
                transfer,
                learning_rate: learning_rates,
                sigma: sigmas,
                regime: Some(ensemble_regime(&cells, &means.unfrozen_fraction)?),
                means,
            };
            let mut groups = vec![result.group()?];
            if is_papers {
                groups.push(PaperPhaseDiagram::published()?.group()?);
            }
            Ok(groups)
        }))
    }
}

/// Maps of P_flat and η⟨t_f⟩ over learning rate and σ: ours on the left and the authors' on the right where the file has them, else the
/// two quantities side by side.
///
/// Maps of a row share one range of colours.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let ours = PhaseDiagramResult::of(file)?;
    let theirs = PaperPhaseDiagram::find(file)?;
    let has_scores = theirs.as_ref().is_some_and(|theirs| ours.has_cells_of(theirs));
    let means = &ours.means;
    let mut sources = vec![(
        "this work",
        (&ours.learning_rate, &ours.sigma),
        [&means.p_flat.value, &means.mean_freezing_iteration.value],
    )];
    if let Some(theirs) = &theirs {
        let quantities = [&theirs.p_flat, &theirs.mean_freezing_iteration];
        sources.push((
            "authors' data",
            (&theirs.learning_rate, &theirs.sigma),
            quantities,
        ));
    }
    let mut panels = Vec::new();
    for (row, (symbol, scale, map)) in [
        ("*P*_{flat}", Scale::Linear, ColourMap::Cividis),
        ("*η*⟨*t*_f⟩", Scale::Log, ColourMap::Viridis),
    ]
    .into_iter()
    .enumerate()
    {
        let mut diagrams = Vec::new();
        for (_, axes, quantities) in &sources {
            // A freezing time is shown in the time of the gradient flow, eta times iterations.
            diagrams.push(Diagram::new(*axes, quantities[row], row == 1)?);
        }
        let range = common_range(diagrams.iter().flat_map(|d| d.values.iter().copied()), scale);
        for (n, ((source, ..), diagram)) in sources.iter().zip(diagrams).enumerate() {
            let axis = if scale == Scale::Log {
                Axis::log(symbol)
            } else {
                Axis::linear(symbol)
            };
            let axis = match range {
                Some((low, high)) => axis.with_range(low, high),
                None => axis,
            };
            let (mut x, mut y) = (Axis::log("learning rate *η*"), Axis::log("noise *σ*"));
            if sources.len() > 1 && (row == 0 || has_scores) {
                x = x.without_labels();
            }
            if n > 0 || (sources.len() == 1 && row > 0) {
                y = y.without_labels();
            }
            let colours = ColourScale {
                map,
                axis,
                bar: n + 1 == sources.len(),
            };
            let title = if sources.len() > 1 {
                format!("{symbol}, {source}")
            } else {
                String::new()
            };
            panels.push(Panel::new(&title, x, y).with(Layer::Map {
                x: diagram.learning_rate,
                y: diagram.sigma,
                values: diagram.values,
                colours,
            }));
        }
    }
    if let Some(theirs) = theirs.filter(|theirs| ours.has_cells_of(theirs)) {
        let columns = ["*P*_{flat}", "⟨*t*_f⟩"];
        for (n, (symbol, z)) in columns.into_iter().zip(ours.z_scores(&theirs)).enumerate() {
            let diagram = Diagram::new((&ours.learning_rate, &ours.sigma), &z, false)?;
            let y = Axis::log("noise *σ*");
            let colours = ColourScale {
                map: ColourMap::Diverging,
                axis: Axis::linear("*z*").with_range(-LARGEST_Z, LARGEST_Z),
                bar: n == 1,
            };
            panels.push(
                Panel::new(
                    &format!("*z* of {symbol}, ours − theirs"),
                    Axis::log("learning rate *η*"),
                    if n == 0 { y } else { y.without_labels() },
                )
                .with(Layer::Map {
                    x: diagram.learning_rate,
                    y: diagram.sigma,
                    values: z_by_row(&diagram.values),
                    colours,
                }),
            );
        }
    }
    Ok(Figure {
        width: 0.75 * TWO_COLUMNS,
        columns: 2,
        aspect: 0.85,
        panels,
    })
}

/// Range of the colours of z-scores.
const LARGEST_Z: f64 = 4.0;

/// Scores as they are drawn: none where nothing is compared.
fn z_by_row(z: &[f64]) -> Vec<f64> {
    z.iter()
        .map(|z| if z.is_finite() { *z } else { f64::NAN })
        .collect()
}

impl PhaseDiagramResult {
    /// Whether the authors have simulated the same cells.
    pub fn has_cells_of(&self, authors: &PaperPhaseDiagram) -> bool {
        let is_same = |a: &[f64], b: &[f64]| {
            /// Rounding of logarithmically spaced values.
            const ROUNDING: f64 = 1e-6;
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a / b - 1.0).abs() < ROUNDING)
        };
        is_same(&self.learning_rate, &authors.learning_rate) && is_same(&self.sigma, &authors.sigma)
    }

    /// Our P_flat and mean freezing iterations less the authors', over the combined standard errors; NaN where the mean iteration is one of the first few,
    /// which are not compared.
    pub fn z_scores(&self, authors: &PaperPhaseDiagram) -> [Vec<f64>; 2] {
        // Runs behind each of the authors' fractions.
        const RUNS: f64 = 2000.0;
        let cells = |ours: &Estimates, theirs: &[f64]| -> Vec<(f64, f64, f64)> {
            let ours = ours.value.iter().zip(&ours.standard_error);
            ours.zip(theirs).map(|((v, e), w)| (*v, *e, *w)).collect()
        };
        let probability = cells(&self.means.p_flat, &authors.p_flat);
        let probability = probability.into_iter().map(|(p, e, q)| {
            // The authors' sampling error from the pooled fraction; never zero unless both are 0 or 1.
            let pooled = 0.5 * (p + q);
            (p - q) / e.hypot((pooled * (1.0 - pooled) / RUNS).sqrt())
        });
        let time = cells(
            &self.means.mean_freezing_iteration,
            &authors.mean_freezing_iteration,
        );
        let time = time
            .into_iter()
            .map(|(t, e, s)| match s > SMALLEST_FREEZING_ITERATION {
                // The authors publish means only; their spread is ours, both with 2000 runs.
                true => (t - s) / (std::f64::consts::SQRT_2 * e),
                false => f64::NAN,
            });
        [probability.collect(), time.collect()]
    }
}

/// Mean freezing iterations below this are dominated by the first few steps and are not compared.
pub const SMALLEST_FREEZING_ITERATION: f64 = 20.0;

struct Diagram {
    /// Edges of the cells.
    learning_rate: Vec<f64>,
    sigma: Vec<f64>,
    /// Learning rate fastest.
    values: Vec<f64>,
}

impl Diagram {
    /// The table, rows of the learning rate; each row times its learning rate if so wanted.
    fn new((learning_rate, sigma): (&Vec<f64>, &Vec<f64>), table: &[f64], scaled: bool) -> Result<Self> {
        let (rows, columns) = (learning_rate.len(), sigma.len());
        let factor = |row: usize| if scaled { learning_rate[row] } else { 1.0 };
        let transposed = (0..columns).flat_map(|j| (0..rows).map(move |i| (i, j)));
        Ok(Self {
            values: transposed
                .map(|(i, j)| factor(i) * table[i * columns + j])
                .collect(),
            learning_rate: cell_edges(learning_rate, Scale::Log)?,
            sigma: cell_edges(sigma, Scale::Log)?,
        })
    }
}

fn common_range(values: impl Iterator<Item = f64>, scale: Scale) -> Option<(f64, f64)> {
    let drawn = values.filter(|v| v.is_finite() && (scale == Scale::Linear || *v > 0.0));
    let (low, high) = drawn.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    (low < high).then_some((low, high))
}
