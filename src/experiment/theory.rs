//! Tasks without simulation: the freezing theory and the effective potential.

use super::config::{EffectivePotential, FreezingTheory};
use super::model::{Model, under};
use super::progress::Progress;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::freezing::{HopRates, LastHop, TwoState, last_hop, two_state};
use crate::generator::Generator;
use crate::grid::{Axis, Grid};
use crate::landscape::{Landscape, Side};
use crate::math::Point;
use crate::observables::effective_potential;
use crate::output::{Group, Record};

/// Intervals of the coarser of the two integrations of the master equation.
const STEPS: usize = 1000;
/// A path that starts at y0 = 0 begins where the barrier is this many noise temperatures: there it is still in the
/// stationary state of the slice.
const VANISHING_BARRIER: f64 = 0.02;

/// The freezing theory at one noise strength.
pub(super) struct Freezing {
    pub path: TwoState,
    pub last: LastHop,
    pub slice_error: f64,
}

/// Solves the freezing theory at one noise strength.
pub(super) fn freezing(model: &Model, task: &FreezingTheory, noise_strength: f64) -> Result<Freezing> {
    let landscape = model.landscape();
    let slice = |y: f64| model.slice(y, noise_strength);
    let start = if task.start_y > 0.0 {
        task.start_y
    } else {
        vanishing_barrier(model, noise_strength, task.end_y)?
    };
    let rates = HopRates::new(landscape, slice, start, task.end_y, task.nodes)?;
    let initial = if task.start_y > 0.0 {
        task.start_p_flat
    } else {
        rates.stationary_p_flat(start)
    };
    let path = two_state(landscape, &rates, initial, task.ramp, STEPS)?;
    let last = last_hop(landscape, &rates, &path, task.ramp);
    Ok(Freezing {
        path,
        last,
        slice_error: rates.relative_error(),
    })
}

fn vanishing_barrier(model: &Model, noise_strength: f64, end: f64) -> Result<f64> {
    let exponent = |y: f64| -> Result<f64> {
        let x = model.landscape().minimum(Side::Flat, y);
        Ok(model.landscape().barrier(y) / model.slice(y, noise_strength)?.tensor(&Point::<1>::new(x))[0])
    };
    let mut y = end;
    while exponent(y)? > VANISHING_BARRIER {
        y *= 0.9;
        if y < 1e-12 {
            return Err(Error::Config {
                key: "freezing_theory.start_y".into(),
                message: "0 needs a barrier that vanishes at y = 0, and this one does not".into(),
            });
        }
    }
    Ok(y)
}

pub(super) fn check_freezing_theory(model: &Model, task: &FreezingTheory) -> Result<Vec<f64>> {
    let fail = |key: &str, message: &str| {
        Err(Error::Config {
            key: format!("freezing_theory.{key}"),
            message: message.into(),
        })
    };
    let strengths = task.noise_strength.positive("freezing_theory.noise_strength")?;
    if !(task.start_y.is_finite()
        && task.start_y >= 0.0
        && task.end_y.is_finite()
        && task.end_y > task.start_y)
    {
        return fail("end_y", "0 <= start_y < end_y are needed, both finite");
    }
    if !(0.0..=1.0).contains(&task.start_p_flat) {
        return fail("start_p_flat", "a probability between 0 and 1 is needed");
    }
    if !(8..=400).contains(&task.nodes) {
        return fail("nodes", "between 8 and 400 slices are supported");
    }
    if !(task.ramp.is_finite() && task.ramp > 0.0) {
        return fail("ramp", "a positive finite factor is needed");
    }
    model
        .slice(task.start_y.max(1.0), strengths[0])
        .map_err(|e| under("freezing_theory", e))?;
    Ok(strengths)
}

/// `/freezing_theory`: final P_flat and the mean freezing position and time against the noise strength.
pub(super) fn freezing_theory(
    model: &Model,
    task: &FreezingTheory,
    progress: &Progress,
) -> Result<Vec<Group>> {
    let strengths = check_freezing_theory(model, task)?;
    let bar = progress.task("freezing theory", strengths.len() as u64);
    let mut results = Vec::new();
    for &strength in &strengths {
        results.push(freezing(model, task, strength)?);
        bar.advance(1);
    }
    let mut group = Group::new("freezing_theory")?.with_description(
        "two-state master equation along the slow path with exact slice rates, no fitted constant; eta -> 0",
    );
    group.set_attribute("start_y", task.start_y)?;
    group.set_attribute("start_p_flat", task.start_p_flat)?;
    group.set_attribute("ramp", task.ramp)?;
    let n = strengths.len();
    group.push(
        Record::coordinate("noise_strength", "1", strengths.clone())?
            .with_symbol("Δ")
            .with_description("noise strength learning_rate * sigma"),
    )?;
    let column = |value: &dyn Fn(&Freezing) -> f64| results.iter().map(value).collect::<Vec<f64>>();
    for (name, unit, symbol, text, values) in [
        (
            "p_flat",
            "1",
            "P_flat",
            "final probability of the flat valley",
            column(&|r| r.path.final_p_flat()),
        ),
        (
            "p_flat_error",
            "1",
            "",
            "change of p_flat when the step of the master equation is halved, plus the error of the slices",
            column(&|r| r.path.p_flat_error + r.slice_error),
        ),
        (
            "mean_freezing_y",
            "1",
            "⟨y⟩",
            "mean y of the last valley-to-valley hop, exact last-hop law",
            column(&|r| r.last.mean_y),
        ),
        (
            "mean_freezing_y_poisson",
            "1",
            "⟨y⟩_P",
            "the same if hops were a Poisson process with the mean hop flux (approximation)",
            column(&|r| r.last.mean_y_poisson),
        ),
        (
            "mean_freezing_y_ridge",
            "1",
            "⟨y⟩_r",
            "mean y of the last visit to the ridge, the diffusion limit of the last sign change of x",
            column(&|r| r.last.mean_y_ridge),
        ),
        (
            "mean_freezing_time",
            "time (eta * iterations)",
            "⟨t⟩",
            "mean time of the last hop",
            column(&|r| r.last.mean_time),
        ),
        (
            "mean_freezing_time_ridge",
            "time (eta * iterations)",
            "⟨t⟩_r",
            "mean time of the last visit to the ridge",
            column(&|r| r.last.mean_time_ridge),
        ),
        (
            "mean_hops",
            "1",
            "",
            "expected number of valley-to-valley hops along the path",
            column(&|r| r.path.hops[r.path.hops.len() - 1]),
        ),
    ] {
        group.push(
            Record::new(name, unit, &[("noise_strength", n)], values)?
                .with_symbol(symbol)
                .with_description(text),
        )?;
    }
    Ok(vec![group])
}

pub(super) fn check_effective_potential(model: &Model, task: &EffectivePotential) -> Result<Vec<f64>> {
    let y = task.y.positive("effective_potential.y")?;
    if !(8..=1_000_000).contains(&task.cells) {
        return Err(Error::Config {
            key: "effective_potential.cells".into(),
            message: "between 8 and 1000000 cells are supported".into(),
        });
    }
    model
        .slice(y[0], task.noise_strength)
        .map_err(|e| under("effective_potential", e))?;
    Ok(y)
}

/// `/effective_potential`: loss and effective potential on slices, in units of the loss.
pub(super) fn effective_potential_task(model: &Model, task: &EffectivePotential) -> Result<Vec<Group>> {
    let positions = check_effective_potential(model, task)?;
    let landscape = model.landscape();
    let mut group = Group::new("effective_potential")?.with_description(
        "loss and effective potential on slices of fixed y, both relative to the bottom of the flat valley",
    );
    group.set_attribute("noise_strength", task.noise_strength)?;
    // One grid for all slices, wide enough for the widest.
    let (mut lower, mut upper) = (0.0_f64, 0.0_f64);
    for &y in &positions {
        lower = lower.min(1.8 * landscape.minimum(Side::Sharp, y));
        upper = upper.max(1.8 * landscape.minimum(Side::Flat, y));
    }
    let grid = Grid::new([Axis::with_faces_at(lower, upper, task.cells, &[0.0])?]);
    let x = grid.axes()[0].centres().to_vec();
    let n = x.len();
    let (mut loss, mut numerical, mut temperature) = (Vec::new(), Vec::new(), Vec::new());
    for &y in &positions {
        let slice = model.slice(y, task.noise_strength)?;
        let bottom = landscape.loss(&Point::<2>::new(landscape.minimum(Side::Flat, y), y));
        loss.extend(x.iter().map(|&x| landscape.loss(&Point::<2>::new(x, y)) - bottom));
        // Geometric mean of the two valleys' D: the paper's effective temperature 2Δ/sqrt(f1 f2) for p = 1.
        let d = Side::BOTH.map(|side| slice.tensor(&Point::<1>::new(landscape.minimum(side, y)))[0]);
        let t = (d[0] * d[1]).sqrt();
        temperature.push(t);
        let phi = effective_potential(&Generator::assemble(&slice, grid.clone())?)?;
        numerical.extend(phi.iter().map(|phi| t * phi));
    }
    group.push(
        Record::coordinate("x", "1", x)?
            .with_symbol("x")
            .with_description("transverse direction"),
    )?;
    group.push(
        Record::coordinate("y", "1", positions.clone())?
            .with_symbol("y")
            .with_description("slow direction"),
    )?;
    let shape = [("y", positions.len()), ("x", n)];
    group.push(
        Record::new(
            "effective_temperature",
            "loss",
            &[("y", positions.len())],
            temperature,
        )?
        .with_symbol("T_eff")
        .with_description("geometric mean of the diffusivities of the two valleys"),
    )?;
    group.push(
        Record::new("loss", "loss", &shape, loss)?
            .with_symbol("L")
            .with_description("loss above the bottom of the flat valley"),
    )?;
    group.push(
        Record::new("effective_potential", "loss", &shape, numerical)?
            .with_symbol("T_eff Φ")
            .with_description("-T_eff ln p of the stationary density (Ito), minimum at zero"),
    )?;
    Ok(vec![group])
}
