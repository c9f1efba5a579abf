//! `[stationary_map]`: the static picture, P_ss(y, Δ) at fixed y with the freezing line across it.

use super::freezing_theory::{Freezing, FreezingTheory, freezing, settled};
use super::valley_columns::TimeScales;
use crate::error::Result;
use crate::landscape::Side;
use crate::output::{Group, Records, ResultFile, records};
use crate::plot::{
    self, Axis, Colour, ColourMap, ColourScale, Dash, Figure, Layer, ONE_COLUMN, Panel, Style, cell_edges,
};
use crate::rates::{ScaleAndSpeed, confining_domain};
use crate::setting::Setting;
use crate::setting::parameter_range::{ParameterRange, Scale, Spaced};
use crate::setting::two_valley::TwoValleyModel;
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[stationary_map]`: P_ss(y, Δ) at fixed y.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StationaryMap {
    /// Positions.
    pub y: ParameterRange,
    /// Δ.
    pub noise_strength: ParameterRange,
}

impl Default for StationaryMap {
    fn default() -> Self {
        Self {
            y: ParameterRange::Spaced(Spaced {
                from: 0.25,
                to: 12.0,
                points: 48,
                scale: Scale::Linear,
            }),
            noise_strength: ParameterRange::log(1e-5, 3e-3, 41),
        }
    }
}

records! {
    /// stationary P_flat at fixed y (exact Ito integral) and the mean freezing position from y = 0
    pub struct StationaryMapResult in "stationary_map" {
        /// whether the valleys follow y, at the noise strength with the largest adiabatic parameter
        regime: Vec<String> => [note] "text",
        /// slow direction
        y: Vec<f64> => [y] "1" "y",
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// stationary probability of x > 0
        p_flat: Vec<f64> => [y, noise_strength] "1" "P_ss",
        /// mean y of the last hop, two-state theory from the stationary state at a vanishing barrier
        freezing_y: Vec<f64> => [noise_strength] "1" "⟨y⟩" missing "hops go on at the end of the path",
        /// error of freezing_y in time, slices and their interpolation; that it is adiabatic is none of it
        freezing_y_error: Vec<f64> => [noise_strength] "1" missing "hops go on at the end of the path",
        /// final P_flat of the same runs
        final_p_flat: Vec<f64> => [noise_strength] "1" "P_flat",
        /// error of final_p_flat, as that of freezing_y
        final_p_flat_error: Vec<f64> => [noise_strength] "1",
        /// Time scales along the path at each noise strength.
        time_scales: TimeScales => [noise_strength],
    }
}

/// Density at which the line is cut, relative to the valley bottoms.
const CUT: f64 = 1e-20;

impl Task for StationaryMap {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "stationary_map",
        description: "stationary P_flat over position and noise strength, with the freezing line",
        group: "stationary_map",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["y.points", "noise_strength.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = StationaryMapResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("noise_strength", &result.noise_strength);
        Ok([
            rows.column("final_p_flat", &result.final_p_flat, &result.final_p_flat_error),
            rows.column("freezing_y", &result.freezing_y, &result.freezing_y_error),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds of a slice, and of the freezing theory of one noise strength.
        const SLICE: f64 = 5e-3;
        const THEORY: f64 = 0.1;
        let (y, strengths) = (self.y.count(), self.noise_strength.count());
        Cost::default()
            .with_result("stationary_map.y", 8.0 * y * strengths)
            .with_time("stationary_map.y", SLICE * y * strengths)
            .with_time("stationary_map.noise_strength", THEORY * strengths)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let model = setting.two_valley()?;
        let y = self.y.positive("stationary_map.y")?;
        let strengths = self.noise_strength.positive("stationary_map.noise_strength")?;
        model
            .slice(y[0], strengths[0])
            .map_err(|e| e.at("stationary_map"))?;
        Ok(Box::new(move |progress| run(&model, y, strengths, progress)))
    }
}

/// `/stationary_map`.
fn run(model: &TwoValleyModel, y: Vec<f64>, strengths: Vec<f64>, progress: &Progress) -> Result<Vec<Group>> {
    let bar = progress.task("stationary map", strengths.len() as u64);
    let columns: Vec<(Vec<f64>, Freezing)> = strengths
        .par_iter()
        .with_max_len(1)
        .map(|&strength| {
            let column = y
                .iter()
                .map(|&y| {
                    let slice = model.slice(y, strength)?;
                    let [flat, sharp] = Side::BOTH.map(|side| model.landscape().minimum(side, y));
                    let (lower, upper) = confining_domain(&slice, sharp, flat, CUT)?;
                    Ok(ScaleAndSpeed::new(&slice, lower, upper)?
                        .probability((0.0, upper), (lower, 0.0))?
                        .value)
                })
                .collect::<Result<Vec<f64>>>()?;
            let theory = FreezingTheory {
                start_y: 0.0,
                ..FreezingTheory::default()
            };
            let frozen = freezing(model, &theory, strength)?;
            bar.advance(1);
            Ok((column, frozen))
        })
        .collect::<Result<_>>()?;
    let (time_scales, regime) = TimeScales::of(columns.iter().map(|(_, frozen)| &frozen.regime));
    let along = |of: &dyn Fn(&Freezing) -> f64| columns.iter().map(|(_, frozen)| of(frozen)).collect();
    let result = StationaryMapResult {
        regime,
        p_flat: (0..y.len())
            .flat_map(|i| columns.iter().map(move |column| column.0[i]))
            .collect(),
        freezing_y: along(&|frozen| settled(&frozen.last.hop).0),
        freezing_y_error: along(&Freezing::last_hop_y_error),
        final_p_flat: along(&|frozen| frozen.path.final_p_flat()),
        final_p_flat_error: along(&|frozen| frozen.path.p_flat_error + frozen.rate_error),
        time_scales,
        y,
        noise_strength: strengths,
    };
    Ok(vec![result.group()?])
}

/// Map of the stationary P_flat at fixed y over noise strength and y, with the line of the mean freezing position.
///
/// The axis of y is logarithmic when its spacing grows. Thin lines are contours of P_flat at multiples of 0.1.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let StationaryMapResult {
        y,
        noise_strength: noise,
        p_flat: p,
        freezing_y: line,
        ..
    } = Records::of(file)?;
    let scale = spacing(&y);
    let (x_edges, y_edges) = (cell_edges(&noise, plot::Scale::Log)?, cell_edges(&y, scale)?);
    let vertical = match scale {
        plot::Scale::Log => Axis::log("*y*"),
        plot::Scale::Linear => Axis::linear("*y*"),
    };
    let panel = Panel::new(
        "",
        Axis::log("noise strength Δ = *ησ*").with_range(x_edges[0], x_edges[noise.len()]),
        vertical.with_range(y_edges[0], y_edges[y.len()]),
    );
    let contours = Style::reference()
        .with_dash(Dash::Solid)
        .with_colour(Colour::WHITE)
        .with_width(0.4);
    // White under black can be seen on any colour.
    let rim = Style::nth(0).with_colour(Colour::WHITE).with_width(3.0);
    let black = rim.with_colour(Colour::BLACK).with_width(1.5);
    let panel = panel
        .with(Layer::Map {
            x: x_edges,
            y: y_edges,
            values: p.clone(),
            colours: ColourScale {
                map: ColourMap::Cividis,
                axis: Axis::linear("stationary *P*_{flat}, lines every 0.1"),
                bar: true,
            },
        })
        .with(Layer::Contour {
            x: noise.clone(),
            y,
            values: p,
            levels: (1..10).map(|k| f64::from(k) * 0.1).collect(),
            label: String::new(),
            style: contours,
        })
        .with(Layer::line(&noise, &line, "", rim))
        .with(Layer::line(
            &noise,
            &line,
            "mean freezing position ⟨*y*_{freeze}⟩",
            black,
        ));
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.9,
        panels: vec![panel],
    })
}

/// The scale on which positive values are closer to evenly spaced.
fn spacing(values: &[f64]) -> plot::Scale {
    /// Last step over first from which the axis is logarithmic.
    const GROWTH: f64 = 3.0;
    match values {
        [a, b, .., c, d] if *a > 0.0 && (d - c) > GROWTH * (b - a) => plot::Scale::Log,
        _ => plot::Scale::Linear,
    }
}
