//! `[freezing.design]`: the noise along the path after which most runs are in one valley, and what it gains over the usual schedules.

use crate::diffusion::Diffusion;
use crate::error::{Error, Result, shown};
use crate::freezing::{
    NoiseSchedule, SlowFast, ValleyDesign, ValleyPathSettings, Valleys, compared_schedules,
};
use crate::output::{Records, ResultFile, records};
use crate::plot::{
    Axis, ColourMap, ColourScale, Figure, Layer, Panel, Scale, Style, TWO_COLUMNS, cell_edges,
};
use crate::task::{Compared, MainNumber, Progress, Rows, SgdGains, gains};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[freezing.design]`: factors on the noise between two bounds, constant over pieces of equal time, that end with the most runs in one valley.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezingDesign {
    /// an x in the valley that is to be reached, at the end of the path
    pub valley: f64,
    /// smallest factor on the noise that may be used
    pub weakest: f64,
    /// largest factor on the noise that may be used
    pub strongest: f64,
    /// pieces of equal time of the free schedule
    #[serde(default = "default_pieces")]
    pub pieces: usize,
    /// factors in equal ratios among which it chooses
    #[serde(default = "default_factors")]
    pub factors: usize,
}

fn default_pieces() -> usize {
    10
}

fn default_factors() -> usize {
    13
}

records! {
    /// the factors on the noise along the path with the largest final probability of one valley, their neighbours, and the best of the usual families
    pub struct FreezingDesignResult in "freezing_design" {
        attributes {
            /// An x in the valley that is to be reached.
            valley: f64,
            /// Smallest factor allowed.
            weakest: f64,
            /// Largest factor allowed.
            strongest: f64,
        }
        /// slow positions at the ends of the pieces
        piece_end: Vec<f64> => [end] "1" "s",
        /// factors among which the design chooses
        factor: Vec<f64> => [factor] "1" "f",
        /// names of the schedules
        schedule: Vec<String> => [schedule] "text",
        /// slow positions
        s: Vec<f64> => [position] "1" "s",
        /// factor on the noise of each schedule
        noise_factor: Vec<f64> => [schedule, position] "1" "f",
        /// final probability under the best schedule by the passages with which it was found
        p_design: f64 => [] "1",
        /// no choice of the factors ends above this, not even one for each run by the valley it is in
        p_bound: f64 => [] "1",
        /// final probability with the factor of one piece of the best schedule replaced, by the adjoint of the master equation
        p_one_changed: Vec<f64> => [piece, factor] "1",
        /// final probability of the valley, master equation
        p_chosen: Vec<f64> => [schedule] "1",
        /// error of p_chosen in time, sections and their interpolation; that it is adiabatic is none of it
        p_chosen_error: Vec<f64> => [schedule] "1",
        /// final probability of the valley, Fokker-Planck equation along the path
        p_chosen_density: Vec<f64> => [schedule] "1",
        /// change of p_chosen_density on half as many cells with eight times the tolerance
        p_chosen_density_error: Vec<f64> => [schedule] "1",
        /// what the best gains
        gains: Option<FreezingGains> => [schedule],
        /// SGD itself at its learning rate
        sgd: Option<FreezingDesignSgd> => [schedule],
        /// what the best gains by SGD
        sgd_gains: Option<SgdGains> => [schedule],
    }
}

records! {
    /// Final probability under the best schedule less that under each.
    pub struct FreezingGains {
        /// p_chosen of the best schedule less that of each
        gain: Vec<f64> => [] "1",
        /// error of gain, the sum of both
        gain_error: Vec<f64> => [] "1",
    }
}

records! {
    /// Fractions of the runs of SGD that end in the valley.
    pub struct FreezingDesignSgd {
        /// fraction of runs that end in the valley
        p_chosen_sgd: Vec<f64> => [] "1",
        /// standard error of p_chosen_sgd
        p_chosen_sgd_standard_error: Vec<f64> => [] "1",
    }
}

/// Final probability of the chosen valley by each route, with its error.
pub(super) struct Reached {
    pub master: (f64, f64),
    pub density: (f64, f64),
    pub sgd: Option<(f64, f64)>,
}

impl FreezingDesign {
    pub(super) fn check(&self, [lower, upper]: [f64; 2]) -> Result<()> {
        let fail =
            |key: &str, message: String| Err(Error::config(&format!("freezing.design.{key}"), message));
        if !(self.valley > lower && self.valley < upper) {
            return fail(
                "valley",
                format!("{} does not lie within region.domain", self.valley),
            );
        }
        if !(self.weakest > 0.0 && self.weakest.is_finite()) {
            return fail(
                "weakest",
                format!(
                    "{} is not allowed: a positive finite factor is needed",
                    self.weakest
                ),
            );
        }
        if !(self.strongest > self.weakest && self.strongest.is_finite()) {
            return fail("strongest", format!("it must exceed weakest = {}", self.weakest));
        }
        for (key, count, most) in [("pieces", self.pieces, 40), ("factors", self.factors, 40)] {
            if !(2..=most).contains(&count) {
                return fail(key, format!("from 2 to {most} are possible"));
            }
        }
        Ok(())
    }

    /// Refuses a `valley` that is nearer to a ridge at the end of the path than to a bottom.
    pub(super) fn check_valley<T: Diffusion<2>>(&self, problem: &SlowFast<T>, shallowest: f64) -> Result<()> {
        let [_, end] = problem.range();
        let found =
            Valleys::find(problem, end, self.weakest, shallowest).map_err(|e| e.at("freezing.end"))?;
        let distance = |x: f64| (x - self.valley).abs();
        let bottoms: Vec<f64> = found.valleys.iter().map(|valley| valley.minimum).collect();
        let nearest = |places: &[f64]| places.iter().map(|x| distance(*x)).fold(f64::INFINITY, f64::min);
        if nearest(&found.ridges) >= nearest(&bottoms) {
            return Ok(());
        }
        let bottoms: Vec<String> = bottoms.iter().map(|x| format!("{x:.3}")).collect();
        Err(Error::config(
            "freezing.design.valley",
            format!(
                "{} lies on the ridge between two valleys rather than in one: the bottoms at the end are {}",
                shown(self.valley),
                bottoms.join(", ")
            ),
        ))
    }

    /// Schedules that are followed by every route.
    pub(super) const SCHEDULES: f64 = 10.0;

    pub(super) fn run<T: Diffusion<2>>(
        &self,
        problem: &SlowFast<T>,
        starts: &[(f64, f64)],
        settings: &ValleyPathSettings,
        reached: impl Fn(usize, &NoiseSchedule) -> Result<Reached>,
        progress: &Progress,
    ) -> Result<FreezingDesignResult> {
        /// Positions at which the schedules are written.
        const POSITIONS: usize = 241;
        let bounds = [self.weakest, self.strongest];
        let bar = progress.task("rates for the design", 1);
        let design = ValleyDesign::new(
            problem,
            starts,
            self.valley,
            bounds,
            self.pieces,
            self.factors,
            settings,
        )?;
        let best = design.best();
        drop(bar);
        let nearest = |factor: f64| design.factors()[design.nearest(factor)];
        let value = |strengths: &[f64]| {
            let choice: Vec<usize> = strengths.iter().map(|f| design.nearest(*f)).collect();
            design.probability(&choice)
        };
        let schedules = compared_schedules(&design.strengths(&best)?, bounds, nearest, value)?;
        let bar = progress.task("schedules of the design", schedules.len() as u64);
        let mut found = Vec::with_capacity(schedules.len());
        for (k, named) in schedules.iter().enumerate() {
            found.push(reached(k, &design.schedule(&named.strengths)?)?);
            bar.advance(1);
        }
        let ends = design.ends();
        let last = (POSITIONS - 1) as f64;
        let s: Vec<f64> = (0..POSITIONS)
            .map(|k| ends[0] + (ends[self.pieces] - ends[0]) * k as f64 / last)
            .collect();
        let piece = |s: f64| ends[1..self.pieces].partition_point(|end| *end <= s);
        let along = |strengths: &[f64]| s.iter().map(|s| strengths[piece(*s)]).collect::<Vec<f64>>();
        let column = |of: &dyn Fn(&Reached) -> f64| found.iter().map(of).collect::<Vec<f64>>();
        let (p_chosen, p_chosen_error) = (column(&|r| r.master.0), column(&|r| r.master.1));
        let (gain, gain_error) = gains(&p_chosen, &p_chosen_error, |best, other| best + other);
        let sgd: Option<Vec<(f64, f64)>> = found.iter().map(|r| r.sgd).collect();
        let sgd = sgd.map(|sgd| {
            let (p_chosen_sgd, p_chosen_sgd_standard_error): (Vec<f64>, Vec<f64>) = sgd.into_iter().unzip();
            let gains = SgdGains::new(&p_chosen_sgd, &p_chosen_sgd_standard_error);
            let reached = FreezingDesignSgd {
                p_chosen_sgd,
                p_chosen_sgd_standard_error,
            };
            (reached, gains)
        });
        let (sgd, sgd_gains) = sgd.unzip();
        Ok(FreezingDesignResult {
            valley: self.valley,
            weakest: self.weakest,
            strongest: self.strongest,
            piece_end: ends.to_vec(),
            factor: design.factors().to_vec(),
            schedule: schedules.iter().map(|named| named.name.clone()).collect(),
            noise_factor: schedules
                .iter()
                .flat_map(|named| along(&named.strengths))
                .collect(),
            p_design: design.probability(&best)?,
            p_bound: design.bound(),
            p_one_changed: design.with_one_changed(&best)?.concat(),
            p_chosen,
            p_chosen_error,
            p_chosen_density: column(&|r| r.density.0),
            p_chosen_density_error: column(&|r| r.density.1),
            gains: Some(FreezingGains { gain, gain_error }),
            sgd,
            sgd_gains,
            s,
        })
    }
}

/// What each schedule reaches.
///
/// # Errors
/// As [`Records::find`].
pub(super) fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
    let Some(result) = FreezingDesignResult::find(file)? else {
        return Ok(Vec::new());
    };
    let rows = Rows::along("schedule", &result.schedule);
    let mut numbers = [
        rows.column("p_chosen", &result.p_chosen, &result.p_chosen_error),
        rows.column(
            "p_chosen_density",
            &result.p_chosen_density,
            &result.p_chosen_density_error,
        ),
    ]
    .concat();
    if let Some(sgd) = &result.sgd {
        numbers.extend(rows.column(
            "p_chosen_sgd",
            &sgd.p_chosen_sgd,
            &sgd.p_chosen_sgd_standard_error,
        ));
    }
    if let Some(gains) = &result.gains {
        numbers.extend(rows.column("gain", &gains.gain, &gains.gain_error));
    }
    if let Some(sgd) = &result.sgd_gains {
        numbers.extend(rows.column("gain_sgd", &sgd.gain_sgd, &sgd.gain_sgd_standard_error));
    }
    Ok(numbers)
}

/// The best factors beside the usual ones, what all of them reach, and what becomes of it when one piece is changed.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = FreezingDesignResult::of(file)?;
    let (first, last) = (result.piece_end[0], result.piece_end[result.piece_end.len() - 1]);
    let slow = || Axis::linear("slow position *s*").with_range(first, last);
    let [noise, reached] = Compared {
        names: &result.schedule,
        at: &result.s,
        strength: &result.noise_factor,
        full: &result.p_chosen,
        open: &result.p_chosen_density,
        runs: result
            .sgd
            .as_ref()
            .map(|sgd| [&sgd.p_chosen_sgd[..], &sgd.p_chosen_sgd_standard_error]),
    }
    .panels(
        Panel::new("schedules", slow(), Axis::log("factor on the noise *f*")),
        "rates ●, density ○",
        "final *P*",
    );
    /// Losses of P that are none.
    const ROUNDING: f64 = 1e-9;
    let pieces = result.piece_end.len() - 1;
    let count = result.factor.len();
    let lost = (0..count).flat_map(|k| {
        let result = &result;
        (0..pieces).map(move |j| {
            let lost = result.p_design - result.p_one_changed[j * count + k];
            if lost > ROUNDING { lost } else { f64::NAN }
        })
    });
    let changed = Panel::new("one piece changed", slow(), Axis::log("factor *f* of the piece"))
        .with(Layer::Map {
            x: result.piece_end.clone(),
            y: cell_edges(&result.factor, Scale::Log)?,
            values: lost.collect(),
            colours: ColourScale {
                map: ColourMap::Cividis,
                axis: Axis::log("loss of *P* (grey: none)"),
                bar: true,
            },
        })
        .with(Layer::line(
            &result.s,
            &result.noise_factor[..result.s.len()],
            "",
            Style::nth(0).with_width(2.0),
        ));
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 3,
        aspect: 1.0,
        panels: vec![noise, reached, changed],
    })
}
