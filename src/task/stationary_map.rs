//! Task: the static picture, P_ss(y, Δ) at fixed y with the freezing line across it.

use super::freezing_theory::{FreezingTheory, freezing};
use super::parameter_range::{ParameterRange, Scale, Spaced};
use super::progress::Progress;
use super::setting::Setting;
use super::two_valley::TwoValleyModel;
use super::work::{Task, Work};
use crate::error::Result;
use crate::landscape::Side;
use crate::output::{Group, Record};
use crate::rates::{ScaleAndSpeed, confining_domain};
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

/// Density at which the line is cut, relative to the valley bottoms.
const CUT: f64 = 1e-20;

impl Task for StationaryMap {
    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let model = setting.two_valley()?;
        let (y, strengths) = check(&model, self)?;
        Ok(Box::new(move |progress| run(&model, y, strengths, progress)))
    }
}

fn check(model: &TwoValleyModel, task: &StationaryMap) -> Result<(Vec<f64>, Vec<f64>)> {
    let y = task.y.positive("stationary_map.y")?;
    let strengths = task.noise_strength.positive("stationary_map.noise_strength")?;
    model
        .slice(y[0], strengths[0])
        .map_err(|e| e.at("stationary_map"))?;
    Ok((y, strengths))
}

/// `/stationary_map`.
fn run(model: &TwoValleyModel, y: Vec<f64>, strengths: Vec<f64>, progress: &Progress) -> Result<Vec<Group>> {
    let bar = progress.task("stationary map", strengths.len() as u64);
    let columns: Vec<(Vec<f64>, f64, f64)> = strengths
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
            Ok((column, frozen.last.mean_y, frozen.path.final_p_flat()))
        })
        .collect::<Result<_>>()?;
    let mut group = Group::new("stationary_map")?.with_description(
        "stationary P_flat at fixed y (exact Ito integral) and the mean freezing position from y = 0",
    );
    group.push(
        Record::coordinate("y", "1", y.clone())?
            .with_symbol("y")
            .with_description("slow direction"),
    )?;
    group.push(
        Record::coordinate("noise_strength", "1", strengths.clone())?
            .with_symbol("Δ")
            .with_description("noise strength learning_rate * sigma"),
    )?;
    let map: Vec<f64> = (0..y.len())
        .flat_map(|i| columns.iter().map(move |(column, _, _)| column[i]))
        .collect();
    group.push(
        Record::new(
            "p_flat",
            "1",
            &[("y", y.len()), ("noise_strength", strengths.len())],
            map,
        )?
        .with_symbol("P_ss")
        .with_description("stationary probability of x > 0"),
    )?;
    group.push(
        Record::new(
            "freezing_y",
            "1",
            &[("noise_strength", strengths.len())],
            columns.iter().map(|c| c.1).collect::<Vec<_>>(),
        )?
        .with_symbol("⟨y⟩")
        .with_description(
            "mean y of the last hop, two-state theory from the stationary state at a vanishing barrier",
        ),
    )?;
    group.push(
        Record::new(
            "final_p_flat",
            "1",
            &[("noise_strength", strengths.len())],
            columns.iter().map(|c| c.2).collect::<Vec<_>>(),
        )?
        .with_symbol("P_flat")
        .with_description("final P_flat of the same runs"),
    )?;
    Ok(vec![group])
}
