//! `[transfer_operator]`: the exact law of SGD at its learning rate, without the diffusion limit and without sampling noise.

use super::escape::EscapeRecords;
use super::passage_sets::say_sets;
use crate::diffusion::{Diffusion, check_map_stability};
use crate::error::{Error, Result};
use crate::escape::FieldQuantity;
use crate::output::{Records, ResultFile, records};
use crate::plot::{Axis, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::region::PointSet;
use crate::setting::Setting;
use crate::setting::sets::SetKeys;
use crate::task::{Cost, FigureEntry, MainNumber, Task, Work};
use crate::transfer::{Resolution, SpectralGap, TransferOperator as StepOperator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[transfer_operator]`: a route of one-variable escape at finite learning rate.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferOperator {
    /// where the escape begins: a ball of radius 0
    pub start: SetKeys,
    /// where it ends: at the first step that lands there
    pub target: SetKeys,
}

records! {
    /// exact law of the SGD map at its learning rate on the line (Chapman-Kolmogorov operator): stationary law, mean escape time, spectral gap; errors
    /// from panels of half the length
    pub struct TransferOperatorResult in "transfer_operator" {
        attributes {
            /// η.
            learning_rate: f64,
        }
        /// nodes of the quadrature
        node: Vec<f64> => [node] "1" "θ",
        /// stationary density at the nodes
        stationary_density: Vec<f64> => [node] "1" "p",
        /// variance of the stationary law
        stationary_variance: f64 => [] "1",
        /// change with panels of half the length
        stationary_variance_error: f64 => [] "1",
        /// mean time, learning rate times steps, to the first step that ends in the target
        mean_first_passage_time: f64 => [] "time" "τ",
        /// change with panels of half the length
        mean_first_passage_time_error: f64 => [] "time",
        /// slowest relaxation, -ln(λ)/η of the eigenvalue λ nearest to one
        spectral_gap: f64 => [] "1/time",
        /// change with panels of half the length, with what the iteration for λ left
        spectral_gap_error: f64 => [] "1/time",
    }
}

/// Relative rounding of a solve, below which a change between resolutions says nothing.
const ROUNDING: f64 = 1e-12;

/// What the iteration for the eigenvalue λ left of the gap -ln(λ)/η.
fn unconverged(gap: &SpectralGap, learning_rate: f64) -> f64 {
    gap.remaining * gap.one_minus_eigenvalue / ((1.0 - gap.one_minus_eigenvalue) * learning_rate)
}

/// About how many nodes the operator has, and how many of them a step spans to one side; none where the problem cannot be built.
fn size(setting: &Setting) -> Option<(f64, f64)> {
    const SAMPLES: usize = 256;
    if !matches!(setting.landscape.dimension(), Ok(1)) {
        return None;
    }
    let sgd = setting.sgd(|keys| keys.on_a_line()).ok()?;
    let rate = sgd.learning_rate()?;
    let domain = setting.region.as_ref()?.domain::<1>().ok()?;
    let [[lower, upper]] = *domain.bounds();
    let resolution = Resolution::default().refined(REFINEMENT);
    let width = (upper - lower) / SAMPLES as f64;
    let (mut nodes, mut bandwidth) = (0.0_f64, 0.0_f64);
    for k in 0..SAMPLES {
        let x = [lower + width * (k as f64 + 0.5)].into();
        let deviation = (2.0 * rate * sgd.tensor(&x)[0]).sqrt();
        let density = resolution.order as f64 / (resolution.panel_length * deviation);
        let reach = rate * sgd.drift(&x)[0].abs() + resolution.reach * deviation;
        // No panel is wider than a segment, however wide the step.
        nodes += density * width;
        bandwidth = bandwidth.max(density * reach);
    }
    Some((nodes, bandwidth.min(nodes)))
}

/// Ratio of the two resolutions whose difference is the error.
const REFINEMENT: f64 = 2.0;

impl Task for TransferOperator {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "transfer_operator",
        description: "stationary law of SGD at its learning rate, beside its limit of small steps",
        group: "transfer_operator",
        figure,
    }];
    const USES: &'static [&'static str] = &["sgd", "region"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = TransferOperatorResult::find(file)? else {
            return Ok(Vec::new());
        };
        let (time, gap) = (result.mean_first_passage_time, result.spectral_gap);
        Ok([
            MainNumber::new(
                "mean_first_passage_time",
                "time",
                time,
                result.mean_first_passage_time_error,
            ),
            MainNumber::new("spectral_gap", "1/time", gap, result.spectral_gap_error),
            MainNumber::new(
                "stationary_variance",
                "1",
                result.stationary_variance,
                result.stationary_variance_error,
            ),
        ]
        .concat())
    }

    fn cost(&self, setting: &Setting) -> Cost {
        /// Bytes of an entry of the band: kernel and elimination.
        const ENTRY: f64 = 16.0;
        /// Seconds of a multiplication in an elimination, of which there are about four on two resolutions.
        const MULTIPLICATION: f64 = 2e-9;
        // What cannot be judged is refused when it is checked.
        let (nodes, bandwidth) = size(setting).unwrap_or((0.0, 0.0));
        // A narrower step asks for more nodes, a longer domain too.
        Cost::default()
            .with_memory("region.domain", ENTRY * nodes * (2.0 * bandwidth + 1.0))
            .with_time("region.domain", MULTIPLICATION * nodes * bandwidth * bandwidth)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        if setting.landscape.dimension().map_err(|e| e.at("landscape"))? != 1 {
            return Err(Error::config(
                "transfer_operator",
                "the transfer operator is made for one variable",
            ));
        }
        let sgd = setting.sgd(|keys| keys.on_a_line())?;
        let Some(learning_rate) = sgd.learning_rate() else {
            return Err(Error::config(
                "sgd.learning_rate",
                "this key is required: the transfer operator is about SGD's own steps, not their limit",
            ));
        };
        let domain = setting.whole_domain::<1>(
            "SGD knows no walls: give the transfer operator a domain alone, wide enough for the stationary law",
        )?;
        let set = |key: &str, keys: &SetKeys| {
            let set = keys.set(&setting.landscape, &sgd, domain.bounds());
            set.map_err(|e| e.at(&format!("transfer_operator.{key}")))
        };
        let (start, target) = (set("start", &self.start)?, set("target", &self.target)?);
        let Some(start) = start.as_point().map(|at| at[0]) else {
            return Err(Error::config(
                "transfer_operator.start",
                "a ball of radius 0 is needed",
            ));
        };
        check_map_stability(&sgd, learning_rate, [start].into(), domain.size())
            .map_err(|e| e.at("sgd.learning_rate"))?;
        let is_target = move |target: &PointSet<1>, sgd: &_, x: f64| target.contains(&[x].into(), sgd);
        if is_target(&target, &sgd, start) {
            return Err(Error::config(
                "transfer_operator.target",
                "the target covers the start",
            ));
        }
        let edges = target.faces(&sgd, domain.bounds()).unwrap_or_default();
        let edges: Vec<f64> = edges.into_iter().map(|plane| plane.position).collect();
        let [ends] = *domain.bounds();
        let task = self.clone();
        Ok(Box::new(move |progress| {
            let bar = progress.task("transfer operator", 2);
            let at = |resolution: Resolution| {
                let operator = StepOperator::new(&sgd, ends, &edges, resolution)?;
                let law = operator.stationary()?;
                let inside = |x| !is_target(&target, &sgd, x);
                let gap = operator.spectral_gap()?;
                let numbers = [
                    operator.variance(&law.mass)?,
                    operator.mean_exit_time_from(&sgd, start, inside)?,
                    gap.gap,
                ];
                bar.advance(1);
                Ok((operator, law, numbers, unconverged(&gap, learning_rate)))
            };
            let (_, _, coarse, _) = at(Resolution::default())?;
            let (operator, law, fine, unconverged) = at(Resolution::default().refined(REFINEMENT))?;
            let error = |k: usize| (fine[k] - coarse[k]).abs() + ROUNDING * fine[k].abs();
            let grid = operator.grid();
            let result = TransferOperatorResult {
                learning_rate,
                node: grid.nodes().to_vec(),
                stationary_density: law.mass.iter().zip(grid.weights()).map(|(m, w)| m / w).collect(),
                stationary_variance: fine[0],
                stationary_variance_error: error(0),
                mean_first_passage_time: fine[1],
                mean_first_passage_time_error: error(1),
                spectral_gap: fine[2],
                spectral_gap_error: error(2) + unconverged,
            };
            let mut group = result.group()?;
            say_sets(&mut group, &task.start, &task.target)?;
            Ok(vec![group])
        }))
    }
}

/// The stationary density of SGD at its learning rate, on a linear (a) and on a logarithmic axis (b), with that of the limit of small steps where the
/// file holds `[escape]`.
///
/// It is shown where it is at least 1e-10 of its largest value.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    const LEAST: f64 = 1e-10;
    let result = TransferOperatorResult::of(file)?;
    let largest = result.stationary_density.iter().copied().fold(0.0, f64::max);
    let shown = result.node.iter().zip(&result.stationary_density);
    let shown = shown
        .filter(|(_, density)| **density >= LEAST * largest)
        .map(|(x, _)| *x);
    let (first, last) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), x| {
        (first.min(x), last.max(x))
    });
    let mut name = "θ".to_owned();
    let mut limit = None;
    if let Some(escape) = EscapeRecords::find(file)
        && let [(variable, x)] = escape.axes()?.as_slice()
        && let Some(density) = escape.field(FieldQuantity::StationaryDensity)
    {
        name = format!("*{variable}*");
        limit = Some((x.clone(), density));
    }
    let sgd = format!("SGD, *η* = {}", result.learning_rate);
    let vertical = Axis::log("stationary density *p*").with_range(LEAST * largest, 2.0 * largest);
    // One legend serves both panels, where it has room.
    let kinds = [
        (Axis::linear("stationary density *p*"), ["", ""]),
        (vertical, [sgd.as_str(), "limit *η* → 0"]),
    ];
    let panels = kinds.map(|(vertical, labels)| {
        let mut panel = Panel::new("", Axis::linear(&name).with_range(first, last), vertical).with(
            Layer::line(&result.node, &result.stationary_density, labels[0], Style::nth(0)),
        );
        if let Some((x, density)) = &limit {
            let style = Style::nth(1).with_dash(Dash::Dashed);
            panel = panel.with(Layer::line(x, density, labels[1], style));
        }
        panel
    });
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.7,
        panels: panels.into(),
    })
}
