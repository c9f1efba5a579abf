//! Task: which cause does the work? Discrete SGD with one ingredient of the model changed at a time.

use super::final_probability::mean_curvature;
use super::valley_columns::{
    TAIL, ValleyMeans, check_size, ensemble_cost, ensemble_regime, simulate_cells, starts,
};
use crate::diffusion::sigma;
use crate::ensemble::{Cell, Protocol, stream::experiment_number};
use crate::error::{Error, Result};
use crate::output::{Estimates, Group, Records, ResultFile, records};
use crate::plot::{Axis, Colour, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::setting::Setting;
use crate::setting::parameter_range::ParameterRange;
use crate::setting::two_valley::{TwoValleyModel, TwoValleyNoise};
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use crate::transfer::{PathLaw, PathSettings, Start};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[ablations]`: one ingredient changed at a time.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ablations {
    /// Δ.
    pub noise_strength: ParameterRange,
    /// η.
    pub learning_rate: f64,
    /// Runs per variant and noise strength.
    pub runs: usize,
    /// Steps per run.
    pub steps: u64,
    /// Starting x, taken in turn by the runs.
    pub start_x: Vec<f64>,
    /// Starting y, at which barrier or flatness are held.
    pub start_y: f64,
}

impl Default for Ablations {
    fn default() -> Self {
        Self {
            noise_strength: ParameterRange::List(vec![1e-4, 2e-4, 5e-4, 1e-3]),
            learning_rate: 0.01,
            runs: 1000,
            steps: 50_000,
            start_x: vec![-0.01, 0.01],
            start_y: 1.0,
        }
    }
}

records! {
    /// discrete SGD with one ingredient changed: barrier or flatness held at its value at the start, slow motion sped up, slowed or stopped,
    /// other noise
    pub struct AblationsResult in "ablations" {
        attributes {
            /// η.
            learning_rate: f64,
            /// Starting y.
            start_y: f64,
            /// Runs per variant and noise strength.
            runs: i64,
            /// Steps per run.
            steps: i64,
        }
        /// how far from the limit of small steps the runs are, and whether they are frozen at their end
        regime: Option<Vec<String>> => [note] "text",
        /// the changed ingredient
        variant: Vec<String> => [variant] "text",
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// Means of the runs.
        means: ValleyMeans => [variant, noise_strength],
        /// powers p of the noise at which the collapse on learning_rate * sigma is tried
        power: Vec<f64> => [power] "1" "p",
        /// learning rates at which it is tried
        collapse_learning_rate: Vec<f64> => [collapse_learning_rate] "1" "η",
        /// The map of SGD at these powers and learning rates.
        collapse: CollapseColumns => [power, collapse_learning_rate, noise_strength],
    }
}

records! {
    /// Freezing by the transfer operator, without sampling noise.
    pub struct CollapseColumns {
        /// learning rate times the mean iteration of the last sign change of x
        freezing_time_transfer: Vec<f64> => [] "time" "η⟨t_f⟩",
        /// change of freezing_time_transfer with kernels kept twice as long on panels longer by a quarter
        freezing_time_transfer_error: Vec<f64> => [] "time",
        /// probability that x never changes its sign
        trapped_transfer: Vec<f64> => [] "1",
        /// probability that the last sign change falls into the final 1 % of the run
        unfrozen_transfer: Vec<f64> => [] "1",
    }
}

/// Powers of the noise that are tried beside the first.
pub const POWERS: [(&str, f64); 2] = [(POWER_3_2, 1.5), (POWER_2, 2.0)];
/// Learning rates at which the collapse is tried, in those of the task.
const COLLAPSE_FACTORS: [f64; 3] = [0.5, 1.0, 2.0];

/// A learning rate with the law of the map on fine and on coarser panels.
type Law = (f64, [PathLaw; 2]);

impl CollapseColumns {
    fn new(task: &Ablations, model: &TwoValleyModel, strengths: &[f64], progress: &Progress) -> Result<Self> {
        let mut cells = Vec::new();
        for (_, power) in POWERS {
            let model = TwoValleyModel::papers(*model.landscape(), power)?;
            for factor in COLLAPSE_FACTORS {
                cells.extend(strengths.iter().map(|strength| (model, factor, *strength)));
            }
        }
        let bar = progress.task("collapse", cells.len() as u64);
        let laws: Vec<Law> = cells
            .par_iter()
            .with_max_len(1)
            .map(|(model, factor, strength)| {
                let eta = factor * task.learning_rate;
                let settings = PathSettings {
                    steps: ((task.steps as f64 / factor).ceil() as usize).max(1),
                    starts: Start::in_equal_parts(&task.start_x),
                    start_y: task.start_y,
                    ..PathSettings::default()
                };
                let laws = model.path_laws(eta, sigma(*strength, eta), &settings)?;
                bar.advance(1);
                Ok((eta, laws))
            })
            .collect::<Result<_>>()?;
        let column = |of: &dyn Fn(&Law) -> f64| laws.iter().map(of).collect::<Vec<f64>>();
        let time = |eta: f64, law: &PathLaw| eta * law.mean_freezing_iteration();
        Ok(Self {
            freezing_time_transfer: column(&|(eta, [law, _])| time(*eta, law)),
            freezing_time_transfer_error: column(&|(eta, [law, coarse])| {
                (time(*eta, law) - time(*eta, coarse)).abs()
            }),
            trapped_transfer: column(&|(_, [law, _])| law.no_sign_change),
            unfrozen_transfer: column(&|(_, [law, _])| law.last_sign_change_within(TAIL)),
        })
    }
}

impl AblationsResult {
    /// What a column of the means, such as `means.unfrozen_fraction`, says about one variant: an entry a noise strength.
    ///
    /// # Errors
    /// [`Error::Input`] when the file lacks the variant.
    pub fn row<'a>(&self, variant: &str, column: &'a [f64]) -> Result<&'a [f64]> {
        let n = self.noise_strength.len();
        let row = self.variant.iter().position(|name| name == variant);
        row.map(|k| &column[k * n..(k + 1) * n])
            .ok_or_else(|| Error::Input {
                path: "ablations/variant".into(),
                message: format!("{variant} is missing"),
            })
    }
}

/// Variant: nothing changed.
pub const FULL_MODEL: &str = "full model";
/// Variant: the barrier stays at its height at the start.
pub const BARRIER_HELD: &str = "barrier held";
/// Variant: the valleys keep the flatness of the start.
pub const FLATNESS_HELD: &str = "flatness held";
/// Variant: y stays at its start.
pub const Y_HELD: &str = "y held";
/// Variant: C ∝ H₊^1.5.
pub const POWER_3_2: &str = "p = 1.5";
/// Variant: C ∝ H₊².
pub const POWER_2: &str = "p = 2";

/// One changed ingredient.
struct Variant {
    name: &'static str,
    model: TwoValleyModel,
    ramp: f64,
    hold_y: bool,
    /// Whether the noise shakes y too.
    slow_noise: bool,
}

fn variants(model: &TwoValleyModel, task: &Ablations) -> Result<Vec<Variant>> {
    let plain = |name, model| Variant {
        name,
        model,
        ramp: 1.0,
        hold_y: false,
        slow_noise: true,
    };
    let landscape = *model.landscape();
    let curvature = mean_curvature(&landscape, task.start_y);
    let power = |power: f64| TwoValleyModel::papers(landscape, power);
    Ok(vec![
        plain(FULL_MODEL, *model),
        plain(
            BARRIER_HELD,
            model.with_landscape(landscape.with_barrier_at(task.start_y)?),
        ),
        plain(
            FLATNESS_HELD,
            model.with_landscape(landscape.with_flatness_at(task.start_y)?),
        ),
        Variant {
            ramp: 2.0,
            ..plain("ramp x 2", *model)
        },
        Variant {
            ramp: 0.5,
            ..plain("ramp / 2", *model)
        },
        Variant {
            hold_y: true,
            ..plain(Y_HELD, *model)
        },
        // the control is about x: noise of this strength along y would push y forward, which the densities along the path do not know
        Variant {
            slow_noise: false,
            ..plain(
                "isotropic noise",
                model.with_noise(TwoValleyNoise::Isotropic { strength: curvature }),
            )
        },
        plain(POWER_3_2, power(1.5)?),
        plain(POWER_2, power(2.0)?),
    ])
}

/// The cells of all variants, variant by variant, checked.
fn cells(
    seed: u64,
    model: &TwoValleyModel,
    task: &Ablations,
) -> Result<(Vec<&'static str>, Vec<f64>, Vec<Cell>)> {
    const SECTION: &str = "ablations";
    let strengths = task.noise_strength.positive("ablations.noise_strength")?;
    check_size(SECTION, task.runs, task.steps)?;
    let starts = starts(SECTION, &task.start_x, task.start_y)?;
    if task.start_y <= 0.0 {
        return Err(Error::Config {
            key: "ablations.start_y".into(),
            message: "a positive y is needed to hold a barrier".into(),
        });
    }
    if !(task.learning_rate.is_finite() && task.learning_rate > 0.0) {
        return Err(Error::Config {
            key: "ablations.learning_rate".into(),
            message: format!(
                "{} is not allowed: a positive finite number is needed",
                task.learning_rate
            ),
        });
    }
    let variants = variants(model, task).map_err(|e| e.at(SECTION))?;
    let mut cells = Vec::new();
    for variant in &variants {
        for &strength in &strengths {
            let mut walk = variant
                .model
                .walk(task.learning_rate, sigma(strength, task.learning_rate))
                .and_then(|w| w.with_ramp(variant.ramp))
                .map_err(|e| e.at(SECTION))?;
            if variant.hold_y {
                walk = walk.with_y_held();
            }
            if !variant.slow_noise {
                walk = walk.without_slow_noise();
            }
            walk.check_stability(task.start_y)
                .map_err(|e| e.at("ablations.learning_rate"))?;
            if POWERS.iter().any(|(name, _)| *name == variant.name) {
                let eta = COLLAPSE_FACTORS[COLLAPSE_FACTORS.len() - 1] * task.learning_rate;
                let fastest = variant
                    .model
                    .walk(eta, sigma(strength, eta))
                    .map_err(|e| e.at(SECTION))?;
                fastest
                    .check_stability(task.start_y)
                    .map_err(|e| e.at("ablations.learning_rate, of which twice is tried too"))?;
            }
            let protocol = Protocol {
                starts: starts.clone(),
                runs: task.runs,
                steps: task.steps,
                record_every: None,
                seed,
                experiment: experiment_number(&format!("{SECTION} {} {strength:e}", variant.name)),
            };
            cells.push(Cell { walk, protocol });
        }
    }
    Ok((variants.iter().map(|v| v.name).collect(), strengths, cells))
}

impl Task for Ablations {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "ablations",
        description: "freezing and P_flat with one ingredient of the model changed at a time",
        group: "ablations",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["noise_strength.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = AblationsResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("variant", &result.variant).times("noise_strength", &result.noise_strength);
        let means = &result.means;
        Ok([
            rows.means("p_flat", &means.p_flat),
            rows.means("mean_freezing_y", &means.mean_freezing_y),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Variants of the model.
        const VARIANTS: f64 = 8.0;
        /// Seconds of the transfer operator in one cell.
        const TRANSFER: f64 = 0.5;
        let strengths = self.noise_strength.count();
        let maps = (POWERS.len() * COLLAPSE_FACTORS.len()) as f64 * strengths;
        ensemble_cost("ablations", "steps", VARIANTS * strengths, self.runs, self.steps)
            .with_time("ablations.noise_strength", TRANSFER * maps)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task) = (setting.two_valley()?, self.clone());
        let (names, strengths, cells) = cells(setting.seed, &model, self)?;
        Ok(Box::new(move |progress| {
            run(&task, &model, &names, strengths, &cells, progress)
        }))
    }
}

/// `/ablations`.
fn run(
    task: &Ablations,
    model: &TwoValleyModel,
    names: &[&'static str],
    strengths: Vec<f64>,
    cells: &[Cell],
    progress: &Progress,
) -> Result<Vec<Group>> {
    let ensembles = simulate_cells(cells, "ablations", progress)?;
    let means = ValleyMeans::new(&ensembles)?;
    let result = AblationsResult {
        regime: Some(ensemble_regime(cells, &means.unfrozen_fraction)?),
        learning_rate: task.learning_rate,
        start_y: task.start_y,
        runs: task.runs as i64,
        steps: task.steps as i64,
        variant: names.iter().map(|name| (*name).to_string()).collect(),
        power: POWERS.map(|(_, power)| power).to_vec(),
        collapse_learning_rate: COLLAPSE_FACTORS
            .map(|factor| factor * task.learning_rate)
            .to_vec(),
        collapse: CollapseColumns::new(task, model, &strengths, progress)?,
        noise_strength: strengths,
        means,
    };
    Ok(vec![result.group()?])
}

/// Share of runs not frozen at the end from which a point is drawn hollow.
const UNFROZEN: f64 = 0.01;

/// Mean freezing position (a) and P_flat (b) against noise strength, one colour and marker for each variant of the model; the first
/// variant, the full model, is black. Hollow points: more than 1 % of the runs still hop at the end, so that the position is that of the
/// end of the run.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = AblationsResult::of(file)?;
    let (variants, noise, means) = (&result.variant, &result.noise_strength, &result.means);
    let (n, unfrozen) = (noise.len(), &means.unfrozen_fraction);
    let positions = (&means.mean_freezing_y, Axis::log("⟨*y*_{freeze}⟩"));
    let mut panels = Vec::new();
    for (quantity, axis) in [positions, (&means.p_flat, Axis::linear("*P*_{flat}"))] {
        let Estimates {
            value: values,
            standard_error,
        } = quantity;
        let mut panel = Panel::new("", Axis::log("noise strength Δ = *ησ*"), axis);
        // The full model last, on top of the others; one legend serves both panels.
        for v in (0..variants.len()).rev() {
            let part = v * n..(v + 1) * n;
            let style = style(v);
            panel = panel.with(Layer::line(
                noise,
                &values[part.clone()],
                "",
                style.with_width(0.8),
            ));
            for hollow in [false, true] {
                let is_shown = |k: &usize| (unfrozen[v * n + k] > UNFROZEN) == hollow;
                let shown: Vec<usize> = (0..n).filter(is_shown).collect();
                let pick = |values: &[f64]| -> Vec<f64> { shown.iter().map(|k| values[*k]).collect() };
                let error = pick(&standard_error[part.clone()]);
                let style = if hollow { style.with_hollow_points() } else { style };
                panel = panel.with(Layer::points(
                    &pick(noise),
                    &pick(&values[part.clone()]),
                    &error,
                    "",
                    style,
                ));
            }
        }
        if panels.is_empty() {
            for (v, name) in variants.iter().enumerate() {
                let (label, style) = (shown(name), style(v));
                let is_hollow = unfrozen[v * n..(v + 1) * n].iter().all(|share| *share > UNFROZEN);
                let points = if is_hollow {
                    style.with_hollow_points()
                } else {
                    style
                };
                panel = panel
                    .with(Layer::line(&[], &[], &label, style.with_width(0.8)))
                    .with(Layer::points(&[], &[], &[], &label, points));
            }
            let hollow = Style::nth(0).with_colour(Colour::GREY).with_hollow_points();
            panel = panel.with(Layer::points(&[], &[], &[], "not frozen at the end", hollow));
        }
        panels.push(panel);
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.72,
        panels,
    })
}

/// The name of a variant in the signs of a figure.
fn shown(name: &str) -> String {
    let name = name.replace(" x ", " × ").replace("p = ", "*p* = ");
    match name.strip_prefix("y ") {
        Some(rest) => format!("*y* {rest}"),
        None => name,
    }
}

/// Black for the full model; then six colours with full lines, and two others with dashed ones.
fn style(variant: usize) -> Style {
    const COLOURS: usize = 6;
    /// Brown and dark blue, neither of which the palette has.
    const DASHED: [Colour; 2] = [Colour(0x8c, 0x4b, 0x2b), Colour(0x20, 0x30, 0x60)];
    match variant.checked_sub(1) {
        None => Style::nth(0).with_colour(Colour::BLACK),
        Some(k) if k < COLOURS => Style::nth(k + 1).with_colour(Colour::nth(k)),
        Some(k) => Style::nth(k + 1)
            .with_colour(DASHED[k % DASHED.len()])
            .with_dash(Dash::Dashed),
    }
}
