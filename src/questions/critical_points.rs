//! `[critical_points]`: minima, saddles and the rates between them at high barriers, in up to four variables.

use crate::diffusion::Calculus;
use crate::error::{Error, Result};
use crate::landscape::{self, AlongCrease, CriticalPoint, CriticalPoints, Landscape as _, Quartic, spread};
use crate::linalg::{
    Arnoldi, Elimination, NestedDissection, SparseRates, dominant_eigenpairs, most_probable, remove_mean,
};
use crate::math::{Point, Tensor};
use crate::noise::GradientNoise;
use crate::output::{Group, Records, ResultFile, WARNING, records};
use crate::plot::{
    Axis, Colour, ColourMap, ColourScale, Dash, Figure, Layer, Marker, ONE_COLUMN, Panel, Scale, Style,
    cell_edges, round_step,
};
use crate::rates::{BarrierGraph, LossInTemperatures, first_correction};
use crate::setting::Setting;
use crate::setting::landscape::AnyLandscape;
use crate::setting::model_keys::matrix;
use crate::setting::parameter_range::ParameterRange;
use crate::setting::sections::Landscape;
use crate::task::{Cost, FigureEntry, InAnyDimension, MainNumber, Rows, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `[critical_points]`: stationary points of the loss in the domain, passes between minima, and Eyring-Kramers-Langer rates where the noise is constant or
/// grows with the loss, C = (a + b L) 1.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CriticalPointsKeys {
    /// starts of Newton's iteration that must in a row lead to no new point, after which the search ends
    #[serde(default = "default_starts")]
    pub starts: usize,
    /// noise strengths Δ = η/2B one after another, in place of that of `[sgd]`
    #[serde(default)]
    pub noise_strength: Option<ParameterRange>,
    /// rows of a symmetric matrix M that multiplies the gradient and the covariance of the noise: dθ = -M ∇L dt + sqrt(2TM) dW; the identity unless given
    #[serde(default)]
    pub mobility: Option<Vec<Vec<f64>>>,
}

fn default_starts() -> usize {
    200
}

records! {
    /// stationary points of the loss, passes between its minima, and the rates over them
    pub struct CriticalPointsResult in "critical_points" {
        attributes {
            /// Points from which Newton's iteration started.
            starts: i64,
            /// Sum of (-1)^index: 1 where the loss rises outward on the whole edge of the domain and no point is missing.
            euler_characteristic: i64,
        }
        /// whether passes join all minima and points are missing, and how high barriers are in temperatures
        regime: Option<Vec<String>> => [note] "text",
        /// names of the variables
        variable: Vec<String> => [variable] "text",
        /// stationary points, by loss
        position: Vec<f64> => [point, variable] "1" "θ",
        /// largest Newton step that is left from there and from neighbouring floating-point numbers
        position_error: Vec<f64> => [point, variable] "1",
        /// loss at each point
        loss: Vec<f64> => [point] "loss" "L",
        /// largest change of the loss among neighbouring floating-point numbers, at least rounding of the largest loss
        loss_error: Vec<f64> => [point] "loss",
        /// number of negative curvatures: 0 at minima, 1 at saddles
        index: Vec<u64> => [point] "1",
        /// eigenvalues of the Hessian, ascending; 0 along a quartic; the first is missing on the crest of a ridge, the last in a groove
        curvature: Vec<f64> => [point, direction] "loss" "λ" missing "across a kink, which has none",
        /// c of L = c u^4 along the direction of curvature 0
        quartic: Option<Vec<f64>> => [point] "loss" "c" missing "all curvatures differ from 0",
        /// what differences of the Hessian may leave of it
        quartic_error: Option<Vec<f64>> => [point] "loss" missing "all curvatures differ from 0",
        /// the point that each minimum is, by loss
        minimum: Vec<u64> => [minimum] "1",
        /// the point that each saddle of index one is, by loss
        saddle: Option<Vec<u64>> => [saddle] "1",
        /// minimum to which the loss falls on one side of a saddle
        first_minimum: Option<Vec<u64>> => [saddle] "1",
        /// and on the other; the same where the saddle leads back
        second_minimum: Option<Vec<u64>> => [saddle] "1",
        /// height over a minimum of the lowest pass to another one
        barrier: Vec<f64> => [minimum, other] "loss" "ΔL" missing "no saddles join them",
        /// rounding of both losses
        barrier_error: Vec<f64> => [minimum, other] "loss" missing "no saddles join them",
        /// rates, where the noise is constant or a function of the loss
        rates: Option<BarrierRates> => [],
    }
}

records! {
    /// rates of Eyring, Kramers and Langer with their first correction in the temperature
    pub struct BarrierRates {
        attributes {
            /// Noise strength of the problem itself, in place of which others may be given.
            problem_noise_strength: f64,
        }
        /// noise strength
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// temperature T of D = T M, at the lowest minimum
        temperature: Vec<f64> => [noise_strength] "loss" "T",
        /// dT/dL of noise that grows with the loss
        temperature_slope: Option<Vec<f64>> => [noise_strength] "1" "dT/dL",
        /// matrix M that multiplies gradient and covariance
        mobility: Vec<f64> => [direction, variable] "1" "M",
        /// rate from a minimum to another over the saddles between them, with the first correction in T
        rate: Vec<f64> => [noise_strength, minimum, other] "1/time" "k" missing "the first correction, or what is known of the next, is as large as the rate, as the barrier is too low",
        /// size of the first correction, what an asymptotic series may be off by: an estimate, not a bound
        rate_error: Vec<f64> => [noise_strength, minimum, other] "1/time" missing "no rate",
        /// the same rate without the correction
        rate_without_correction: Vec<f64> => [noise_strength, minimum, other] "1/time",
        /// mean time until another minimum is reached
        escape_time: Vec<f64> => [noise_strength, minimum] "time" "τ" missing "no saddle leads away, or no rate",
        /// from the errors of the rates
        escape_time_error: Vec<f64> => [noise_strength, minimum] "time" missing "no saddle leads away, or no rate",
        /// slowest relaxation of the chain of minima with these rates
        spectral_gap: Vec<f64> => [noise_strength] "1/time" missing "one minimum, minima without a pass, or no rate",
        /// the largest relative error of a rate
        spectral_gap_error: Vec<f64> => [noise_strength] "1/time" missing "no gap",
    }
}

records! {
    /// the loss in the plane, for a picture of its stationary points
    pub struct CriticalPointsMap in "critical_points_map" {
        /// first variable
        x: Vec<f64> => [x] "1",
        /// second variable
        y: Vec<f64> => [y] "1",
        /// loss
        loss_on_grid: Vec<f64> => [y, x] "loss" "L",
    }
}

/// Points of the picture along an axis.
const PICTURE: usize = 141;

impl Task for CriticalPointsKeys {
    const USES: &'static [&'static str] = &["sgd", "region"];
    const FIGURES: &'static [FigureEntry] = &[
        FigureEntry {
            name: "disconnectivity",
            description: "minima and the lowest passes between them: the tree of barriers",
            group: "critical_points",
            figure,
        },
        FigureEntry {
            name: "critical_points",
            description: "the loss in the plane with its stationary points by index",
            group: "critical_points_map",
            figure: map,
        },
    ];
    const SHAPED_BY: &'static [&'static str] = &["noise_strength.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = CriticalPointsResult::find(file)? else {
            return Ok(Vec::new());
        };
        let numbers: Vec<i64> = (0..result.minimum.len() as i64).collect();
        let minima = Rows::along("minimum", &numbers);
        let at =
            |values: &[f64]| -> Vec<f64> { result.minimum.iter().map(|k| values[*k as usize]).collect() };
        let lowest = result.lowest_barriers();
        let (barriers, errors): (Vec<f64>, Vec<f64>) = lowest.into_iter().unzip();
        let mut all = [
            minima.column("loss", &at(&result.loss), &at(&result.loss_error)),
            minima.column("lowest_barrier", &barriers, &errors),
        ]
        .concat();
        if let Some(rates) = &result.rates {
            let strengths = Rows::along("noise_strength", &rates.noise_strength);
            all.extend(strengths.column("spectral_gap", &rates.spectral_gap, &rates.spectral_gap_error));
            let both = strengths.times("minimum", &numbers);
            all.extend(both.column("escape_time", &rates.escape_time, &rates.escape_time_error));
        }
        Ok(all)
    }

    fn cost(&self, setting: &Setting) -> Cost {
        /// Seconds of a start, and of a point of the picture.
        const SECONDS: (f64, f64) = (5e-4, 1e-6);
        let strengths = self.noise_strength.as_ref().map_or(1.0, ParameterRange::count);
        let picture = match setting.landscape.dimension() {
            Ok(2) => (PICTURE * PICTURE) as f64,
            _ => 0.0,
        };
        Cost::default()
            .with_time("critical_points.starts", SECONDS.0 * self.starts as f64)
            .with_time("region.domain", SECONDS.1 * picture)
            .with_result("region.domain", 8.0 * picture)
            .with_result("critical_points.noise_strength", 1e3 * strengths)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        self.work_in_its_dimension(setting)
    }
}

/// What rates are about: the noise strengths, the variance a + b L of the noise, and M.
struct Noise<const D: usize> {
    of_problem: f64,
    strengths: Vec<f64>,
    /// a and b.
    variance: [f64; 2],
    mobility: Tensor<D>,
}

impl InAnyDimension for CriticalPointsKeys {
    fn work<const D: usize>(&self, setting: &Setting, landscape: Landscape<D>) -> Result<Work> {
        /// Starts that take about a minute.
        const MOST_STARTS: usize = 100_000;
        let fail = |key: &str, message: String| Error::config(&format!("critical_points.{key}"), message);
        if !(1..=MOST_STARTS).contains(&self.starts) {
            let message = format!("{} is not allowed: between 1 and {MOST_STARTS} are", self.starts);
            return Err(fail("starts", message));
        }
        if setting.landscape.drift.is_some() {
            return Err(Error::config(
                "landscape.drift",
                "stationary points are those of a loss: give one in place of a drift",
            ));
        }
        let region = setting.region()?;
        let bounds = *region.domain::<D>().map_err(|e| e.at("region"))?.bounds();
        if !region.is_box() || region.boundaries.is_some() {
            return Err(Error::config(
                "region",
                "points are looked for in a box: give a domain alone",
            ));
        }
        if bounds.iter().flatten().any(|end| !end.is_finite()) {
            return Err(Error::config("region.domain", "finite ends are needed"));
        }
        let loss = landscape(&setting.landscape).map_err(|e| e.at("landscape"))?;
        let (loss, noise) = match &setting.noise {
            Some(noise) => {
                let loss = noise.mean_landscape(loss).map_err(|e| e.at("noise"))?;
                let noise = self.noise(setting, landscape, &loss, &bounds)?;
                (loss, Some(noise))
            }
            None => {
                let given = [
                    ("noise_strength", self.noise_strength.is_some()),
                    ("mobility", self.mobility.is_some()),
                ];
                if let Some((key, _)) = given.iter().find(|(_, given)| *given) {
                    return Err(fail(
                        key,
                        "it is about rates, which need a [noise] section".into(),
                    ));
                }
                (loss, None)
            }
        };
        let (starts, names) = (self.starts, setting.landscape.names::<D>().map(String::from));
        Ok(Box::new(move |progress| {
            let bar = progress.task("critical points", 2);
            let found = landscape::critical_points(&loss, bounds, starts).map_err(|e| match e {
                Error::EmptySet { .. } => Error::config(
                    "region.domain",
                    "no stationary point was found in it: widen it, or raise critical_points.starts",
                ),
                Error::Inconsistent { .. } => Error::config("region.domain", e.to_string()),
                other => other,
            })?;
            bar.advance(1);
            let mut groups = vec![result(&loss, &bounds, &found, noise.as_ref(), &names)?.group()?];
            if found.are_missing() {
                groups[0].set_attribute(WARNING, missing(found.euler_characteristic))?;
            }
            bar.advance(1);
            if let [[left, right], [bottom, top]] = bounds[..] {
                groups.push(picture(&loss, [left, right], [bottom, top])?);
            }
            Ok(groups)
        }))
    }
}

impl CriticalPointsKeys {
    /// The temperatures and M, where the noise is a multiple of the identity everywhere, the same or of the form a + b L.
    fn noise<const D: usize>(
        &self,
        setting: &Setting,
        landscape: Landscape<D>,
        loss: &AnyLandscape<D>,
        bounds: &[[f64; 2]; D],
    ) -> Result<Noise<D>> {
        /// Points at which the noise is looked at, one at the centre.
        const POINTS: usize = 200;
        /// Rounding of formulas.
        const SAME: f64 = 1e-12;
        let sgd = setting.sgd(landscape)?;
        let looked_at = (0..POINTS).map(|k| {
            let theta = spread(bounds, k);
            (loss.loss(&theta), sgd.noise().covariance(&theta))
        });
        // a loss need not be defined everywhere in the box
        let looked_at: Vec<(f64, Tensor<D>)> = looked_at.filter(|(loss, _)| loss.is_finite()).collect();
        if looked_at.is_empty() {
            return Err(Error::config(
                "landscape",
                "the loss is finite at none of 200 points of the domain",
            ));
        }
        let by_loss = |a: &&(f64, Tensor<D>), b: &&(f64, Tensor<D>)| a.0.total_cmp(&b.0);
        let (low, high) = (looked_at.iter().min_by(by_loss), looked_at.iter().max_by(by_loss));
        let same = [looked_at[0].1[(0, 0)], 0.0];
        let line = low.zip(high).map_or(same, |(low, high)| {
            let slope = (high.1[(0, 0)] - low.1[(0, 0)]) / (high.0 - low.0);
            [low.1[(0, 0)] - slope * low.0, slope]
        });
        let holds = |[offset, slope]: &[f64; 2]| {
            looked_at.iter().all(|(loss, covariance)| {
                let variance = offset + slope * loss;
                let rounding = SAME * offset.abs().max((slope * loss).abs());
                (covariance - Tensor::<D>::identity() * variance).amax() <= rounding
            })
        };
        let variance = [same, line].into_iter().find(holds).ok_or_else(|| {
            Error::config(
                "noise",
                "rates need noise that is the same multiple of the identity everywhere, or one that is linear in the loss, a + b L: leave the section out for points and \
                 barriers alone, or ask [escape.path]",
            )
        })?;
        if looked_at.iter().any(|(_, covariance)| covariance[(0, 0)] < 0.0) {
            return Err(Error::config(
                "noise",
                "it is negative at a point of the domain, where no process has this noise: narrow the domain, or add a floor",
            ));
        }
        if variance[1] != 0.0 && setting.noise()?.calculus() != Calculus::Ito {
            return Err(Error::config(
                "noise.calculus",
                "rates under noise that grows with the loss are those of Ito's equation, as that of SGD is",
            ));
        }
        let mobility = match &self.mobility {
            None => Tensor::<D>::identity(),
            Some(rows) => matrix("mobility", rows).map_err(|e| e.at("critical_points"))?,
        };
        let definite = nalgebra::DMatrix::from_iterator(D, D, mobility.iter().copied()).cholesky();
        if mobility != mobility.transpose() || definite.is_none() {
            return Err(Error::config(
                "critical_points.mobility",
                "a symmetric positive definite matrix is needed",
            ));
        }
        let strengths = match &self.noise_strength {
            None => vec![sgd.noise_strength()],
            Some(range) => range.positive("critical_points.noise_strength")?,
        };
        Ok(Noise {
            of_problem: sgd.noise_strength(),
            strengths,
            variance,
            mobility,
        })
    }
}

impl BarrierRates {
    /// The gap of the problem itself, at its own noise strength and without a mobility, with its error.
    pub(crate) fn gap_of_problem(&self) -> Option<(f64, f64)> {
        let size = self.mobility.len().isqrt();
        let is_identity = |(k, entry): (usize, &f64)| *entry == if k / size == k % size { 1.0 } else { 0.0 };
        let own = |strength: &f64| *strength == self.problem_noise_strength;
        let k = self.noise_strength.iter().position(own)?;
        let has = self.mobility.iter().enumerate().all(is_identity) && self.spectral_gap[k].is_finite();
        has.then(|| (self.spectral_gap[k], self.spectral_gap_error[k]))
    }
}

impl CriticalPointsResult {
    /// The lowest barrier of each minimum, with its error; NaN without one.
    fn lowest_barriers(&self) -> Vec<(f64, f64)> {
        let n = self.minimum.len();
        let row = |from: usize| {
            let others = (0..n).map(|to| (self.barrier[from * n + to], self.barrier_error[from * n + to]));
            let lowest = others
                .filter(|(height, _)| height.is_finite())
                .min_by(|a, b| a.0.total_cmp(&b.0));
            lowest.unwrap_or((f64::NAN, f64::NAN))
        };
        (0..n).map(row).collect()
    }
}

fn result<const D: usize>(
    loss: &AnyLandscape<D>,
    bounds: &[[f64; 2]; D],
    found: &CriticalPoints<D>,
    noise: Option<&Noise<D>>,
    names: &[String; D],
) -> Result<CriticalPointsResult> {
    let points = &found.points;
    let mobility = noise.map_or_else(Tensor::<D>::identity, |noise| noise.mobility);
    let graph = BarrierGraph::with_mobility(loss, points, &mobility).map_err(|e| {
        let message = format!("{e}: widen the domain, or raise critical_points.starts");
        Error::config("region.domain", message)
    })?;
    let scale = points.iter().map(|point| point.loss.abs()).fold(0.0, f64::max);
    let errors: Vec<(Point<D>, f64)> = points
        .iter()
        .map(|point| rounding(loss, bounds, point, scale))
        .collect();
    let of_index = |index: usize| -> Vec<u64> {
        let numbered = points
            .iter()
            .enumerate()
            .filter(|(_, point)| point.index == index);
        numbered.map(|(k, _)| k as u64).collect()
    };
    let (minimum, saddle) = (of_index(0), of_index(1));
    let n = minimum.len();
    let pairs = || (0..n).flat_map(|from| (0..n).map(move |to| (from, to)));
    let barrier: Vec<f64> = pairs()
        .map(|(from, to)| match from == to {
            true => f64::NAN,
            false => graph.barrier(from, to).unwrap_or(f64::NAN),
        })
        .collect();
    let loss_error: Vec<f64> = errors.iter().map(|(_, loss)| *loss).collect();
    let worst = loss_error.iter().copied().fold(0.0, f64::max);
    let joins = |side: usize| -> Option<Vec<u64>> {
        let joined = graph.saddles.iter().map(|saddle| saddle.joins[side] as u64);
        (!saddle.is_empty()).then(|| joined.collect())
    };
    let is_quartic = points.iter().any(|point| point.quartic.is_some());
    let quartic = |of: fn(&Quartic) -> f64| -> Option<Vec<f64>> {
        let found = points
            .iter()
            .map(|point| point.quartic.as_ref().map_or(f64::NAN, of));
        is_quartic.then(|| found.collect())
    };
    let rates = noise.map(|noise| rates(loss, &graph, noise)).transpose()?;
    let asymptotic = rates.as_ref().and_then(|rates| asymptotic(&graph, rates));
    let regime = std::iter::once(joined(&minimum, &barrier, found)).chain(asymptotic);
    Ok(CriticalPointsResult {
        starts: found.starts as i64,
        euler_characteristic: found.euler_characteristic,
        regime: Some(regime.collect()),
        variable: names.to_vec(),
        position: points
            .iter()
            .flat_map(|point| point.position.iter().copied())
            .collect(),
        position_error: errors
            .iter()
            .flat_map(|(position, _)| position.iter().copied())
            .collect(),
        loss: points.iter().map(|point| point.loss).collect(),
        index: points.iter().map(|point| point.index as u64).collect(),
        curvature: points
            .iter()
            .flat_map(|point| &point.eigenvalues)
            .map(|value| if value.is_finite() { *value } else { f64::NAN })
            .collect(),
        quartic: quartic(|quartic| quartic.coefficient),
        quartic_error: quartic(|quartic| quartic.coefficient_error),
        first_minimum: joins(0),
        second_minimum: joins(1),
        barrier_error: barrier.iter().map(|height| 2.0 * worst + 0.0 * height).collect(),
        barrier,
        loss_error,
        minimum,
        saddle: (!saddle.is_empty()).then_some(saddle),
        rates,
    })
}

/// Whether passes join all minima, in one line.
fn joined<const D: usize>(minimum: &[u64], barrier: &[f64], found: &CriticalPoints<D>) -> String {
    let apart = (1..minimum.len()).find(|other| barrier[*other].is_nan());
    let passes = match apart {
        None => "passes join all minima".to_string(),
        Some(other) => format!(
            "no pass was found from minimum 0 to minimum {other}: points may be missing, and what needs their rates is; raise starts, widen the domain, declare kinks"
        ),
    };
    let sum = found.euler_characteristic;
    let counted = match found.rises_outward {
        true if sum == 1 => "the sum of (-1)^index is 1, as it must be where the loss rises outward on the whole edge of the domain".to_string(),
        true => missing(sum),
        false => format!(
            "the sum of (-1)^index is {sum}, which tells nothing, as the loss does not rise outward on the whole edge of the domain"
        ),
    };
    format!("{passes}; {counted}")
}

/// That the sum of (−1)^index is wrong.
fn missing(sum: i64) -> String {
    format!(
        "points are missing: the sum of (-1)^index is {sum} and must be 1 where the loss rises outward on the whole edge of the domain; raise critical_points.starts, declare kinks"
    )
}

/// What rates hold for, in one line; none without a pass.
fn asymptotic<const D: usize>(graph: &BarrierGraph<D>, rates: &BarrierRates) -> Option<String> {
    let strongest = (0..rates.temperature.len())
        .max_by(|a, b| rates.temperature[*a].total_cmp(&rates.temperature[*b]))?;
    let slope = rates
        .temperature_slope
        .as_ref()
        .map_or(0.0, |slopes| slopes[strongest]);
    let lowest = graph.minima.first()?.loss;
    let ways = graph
        .saddles
        .iter()
        .filter(|saddle| saddle.joins[0] != saddle.joins[1]);
    let heights = ways.flat_map(|saddle| {
        let temperature = rates.temperature[strongest] + slope * (saddle.point.loss - lowest);
        saddle
            .joins
            .map(|minimum| (saddle.point.loss - graph.minima[minimum].loss) / temperature)
    });
    let height = heights.min_by(f64::total_cmp)?;
    Some(format!(
        "rates are asymptotic, with relative errors in powers of T over the barrier, of its root at quartic points: the lowest barrier is {height:.1} T at the strongest noise"
    ))
}

/// Errors of the position and of the loss of a stationary point, from the numbers next to it; `scale` is that of the losses.
fn rounding<const D: usize>(
    loss: &AnyLandscape<D>,
    bounds: &[[f64; 2]; D],
    point: &CriticalPoint<D>,
    scale: f64,
) -> (Point<D>, f64) {
    /// Distance of the neighbours in units in the last place of the ends of the domain.
    const NEIGHBOUR: f64 = 2.0;
    let loss = AlongCrease::new(loss, point.crease.map(|crease| crease.kink));
    // along a quartic the gradient does not tell the place
    let place = point.quartic.map(|quartic| quartic.place_error);
    let inverse = match place {
        Some(_) => Some(Tensor::<D>::zeros()),
        None => loss.hessian(&point.position).try_inverse(),
    };
    let Some(inverse) = inverse else {
        return (Point::<D>::repeat(f64::INFINITY), f64::INFINITY);
    };
    let neighbour = |d: usize, sign: f64| {
        let mut theta = point.position;
        theta[d] += sign * NEIGHBOUR * f64::EPSILON * bounds[d][0].abs().max(bounds[d][1].abs());
        theta
    };
    let around = (0..D)
        .flat_map(|d| [neighbour(d, 1.0), neighbour(d, -1.0)])
        .chain([point.position]);
    around.fold(
        (Point::<D>::repeat(place.unwrap_or(0.0)), f64::EPSILON * scale),
        |(step, change), theta| {
            (
                step.sup(&(inverse * loss.gradient(&theta)).abs()),
                f64::max(change, (loss.loss(&theta) - point.loss).abs()),
            )
        },
    )
}

/// One way from a minimum over a saddle at one noise strength.
struct Way {
    from: usize,
    to: usize,
    /// Without correction by temperature.
    rate: f64,
    /// What the correction multiplies it by, and its size.
    correction: (f64, f64),
}

/// All ways at all `temperatures`, those of one temperature together.
fn ways<const D: usize>(
    loss: &impl landscape::Landscape<D>,
    graph: &BarrierGraph<D>,
    temperatures: &[f64],
) -> Result<Vec<Vec<Way>>> {
    let mut all: Vec<Vec<Way>> = temperatures.iter().map(|_| Vec::new()).collect();
    for (number, saddle) in graph.saddles.iter().enumerate() {
        let [a, b] = saddle.joins;
        for (from, to) in [(a, b), (b, a)].into_iter().filter(|(from, to)| from != to) {
            let (minimum, saddle) = (&graph.minima[from], &saddle.point);
            let correction = first_correction(loss, minimum, saddle, graph.mobility())?;
            for (ways, t) in all.iter_mut().zip(temperatures) {
                ways.push(Way {
                    from,
                    to,
                    rate: graph.log_rate_over(number, from, *t)?.exp(),
                    correction: (1.0 + correction.change(*t), correction.expected_deviation(*t)),
                });
            }
        }
    }
    Ok(all)
}

/// The ways under noise that grows with the loss, T = `temperature` at the lowest minimum and dT/dL = `slope`.
fn ways_in_temperatures<const D: usize>(
    loss: &AnyLandscape<D>,
    graph: &BarrierGraph<D>,
    temperature: f64,
    slope: f64,
) -> Result<Vec<Way>> {
    let Some(lowest) = graph.minima.first() else {
        return Ok(Vec::new());
    };
    let not_positive = |_: Error| {
        Error::config(
            "noise",
            "it must not vanish at a minimum or a saddle: add a residual loss or a floor",
        )
    };
    let reduced = LossInTemperatures::new(loss, lowest.loss, temperature, slope).map_err(not_positive)?;
    let points = graph
        .minima
        .iter()
        .chain(graph.saddles.iter().map(|saddle| &saddle.point));
    let points: Vec<CriticalPoint<D>> = points
        .map(|point| reduced.at(point))
        .collect::<Result<_>>()
        .map_err(not_positive)?;
    let in_temperatures = BarrierGraph::with_mobility(&reduced, &points, graph.mobility())?;
    // what 1/T adds to the mass of a well: <c|u|^m> = T/m of a cusp, a parabola, a quartic
    let mass = |from: usize| {
        let of = |curvature: &f64| match *curvature {
            0.0 => 0.25,
            curvature if curvature.is_infinite() => 1.0,
            _ => 0.5,
        };
        slope * graph.minima[from].eigenvalues.iter().map(of).sum::<f64>()
    };
    let ways = ways(&reduced, &in_temperatures, &[1.0])?;
    Ok(ways
        .into_iter()
        .flatten()
        .map(|way| Way {
            rate: way.rate * reduced.temperature(graph.minima[way.from].loss),
            correction: (
                way.correction.0 + mass(way.from),
                way.correction.1 + mass(way.from).abs(),
            ),
            ..way
        })
        .collect())
}

fn rates<const D: usize>(
    loss: &AnyLandscape<D>,
    graph: &BarrierGraph<D>,
    noise: &Noise<D>,
) -> Result<BarrierRates> {
    let [offset, slope] = noise.variance;
    let temperature =
        |strength: &f64| strength * (offset + slope * graph.minima.first().map_or(0.0, |lowest| lowest.loss));
    let temperatures: Vec<f64> = noise.strengths.iter().map(temperature).collect();
    if !graph.minima.is_empty() && temperatures.iter().any(|t| !(*t > 0.0)) {
        return Err(Error::config(
            "noise",
            "it must not vanish at a minimum or a saddle: add a residual loss or a floor",
        ));
    }
    let ways = match slope {
        0.0 => ways(loss, graph, &temperatures)?,
        _ => {
            let pairs = noise.strengths.iter().zip(&temperatures);
            let of = |(strength, t): (&f64, &f64)| ways_in_temperatures(loss, graph, *t, strength * slope);
            pairs.map(of).collect::<Result<_>>()?
        }
    };
    let n = graph.minima.len();
    let (strengths, size) = (noise.strengths.len(), n * n);
    let mut result = BarrierRates {
        problem_noise_strength: noise.of_problem,
        noise_strength: noise.strengths.clone(),
        temperature: temperatures,
        temperature_slope: (slope != 0.0).then(|| noise.strengths.iter().map(|s| s * slope).collect()),
        mobility: noise.mobility.iter().copied().collect(),
        rate: vec![0.0; strengths * size],
        rate_error: vec![0.0; strengths * size],
        rate_without_correction: vec![0.0; strengths * size],
        escape_time: Vec::new(),
        escape_time_error: Vec::new(),
        spectral_gap: Vec::new(),
        spectral_gap_error: Vec::new(),
    };
    for (k, ways) in ways.iter().enumerate() {
        for way in ways {
            let cell = k * size + way.from * n + way.to;
            let (factor, relative) = way.correction;
            // a series whose next terms are as large as the first says nothing
            let holds = (factor - 1.0).abs() < 1.0 && relative < 1.0;
            let factor = if holds { factor } else { f64::NAN };
            result.rate_without_correction[cell] += way.rate;
            result.rate[cell] += way.rate * factor;
            // NaN where the factor is
            result.rate_error[cell] += way.rate * relative * factor.signum();
        }
        let matrix = &result.rate[k * size..][..size];
        let errors = &result.rate_error[k * size..][..size];
        for from in 0..n {
            let (sum, error) = (0..n).fold((0.0, 0.0), |(sum, error), to| {
                (sum + matrix[from * n + to], error + errors[from * n + to])
            });
            let time = if sum > 0.0 { 1.0 / sum } else { f64::NAN };
            result.escape_time.push(time);
            result.escape_time_error.push(error * time * time);
        }
        let (gap, error) = spectral_gap(matrix, errors, n)?;
        result.spectral_gap.push(gap);
        result.spectral_gap_error.push(error);
    }
    Ok(result)
}

/// The slowest relaxation of the chain with these rates, with its error; NaN for a single state, for states without a way between them, and where a rate is
/// missing.
///
/// # Method
/// As [`crate::observables::slow_modes`]: Arnoldi's iteration with the inverse of the chain pinned in its most probable state, eliminated without
/// subtraction, so that a gap far below the fastest rate keeps its digits.
fn spectral_gap(rates: &[f64], errors: &[f64], n: usize) -> Result<(f64, f64)> {
    const TOLERANCE: f64 = 1e-10;
    let missing = Ok((f64::NAN, f64::NAN));
    if n < 2 || rates.iter().any(|rate| !rate.is_finite()) {
        return missing;
    }
    let steps = rates.iter().enumerate().filter(|(_, rate)| **rate > 0.0);
    let chain = SparseRates::from_transitions(n, steps.map(|(k, rate)| (k / n, k % n, *rate)))?;
    if chain.require_irreducible().is_err() {
        return missing;
    }
    let gap = if n == 2 {
        rates[1] + rates[2]
    } else {
        let order = |rates: &SparseRates| Ok::<_, Error>(Arc::new(NestedDissection::graph(rates)?));
        let log = Elimination::stationary_logarithm(&chain, order(&chain)?)?;
        let pin = most_probable(&log);
        let weight: Vec<f64> = log.iter().map(|log| log.exp()).collect();
        let rest = chain.restrict(&(0..n).map(|state| state != pin).collect::<Vec<bool>>())?;
        let pinned = Elimination::new(&rest.rates, &rest.killing, order(&rest.rates)?)?;
        let inverse = |f: &[f64]| {
            let mut next = vec![0.0; n];
            let right: Vec<f64> = rest.states.iter().map(|state| f[*state]).collect();
            for (state, value) in rest.states.iter().zip(pinned.solve(&right)?) {
                next[*state] = value;
            }
            remove_mean(&mut next, &weight);
            Ok(next)
        };
        // overlaps with every mode: no symmetry of the problem is one of the golden sequence
        let mut start: Vec<f64> = (0..n)
            .map(|k| (k as f64 * 0.618_033_988_749_894_9).fract() - 0.3)
            .collect();
        remove_mean(&mut start, &weight);
        let options = Arnoldi {
            count: 1,
            tolerance: TOLERANCE,
            dimension: 60.min(n),
        };
        let pairs = dominant_eigenpairs(inverse, &start, &weight, &options)?.pairs;
        1.0 / pairs.first().map_or(f64::NAN, |pair| pair.value.re)
    };
    let relative = rates.iter().zip(errors).filter(|(rate, _)| **rate > 0.0);
    let relative = relative
        .map(|(rate, error)| error / rate)
        .fold(TOLERANCE, f64::max);
    Ok((gap, gap * relative))
}

fn picture<const D: usize>(loss: &AnyLandscape<D>, across: [f64; 2], up: [f64; 2]) -> Result<Group> {
    let line = |[lower, upper]: [f64; 2]| -> Vec<f64> {
        (0..PICTURE)
            .map(|k| lower + (upper - lower) * k as f64 / (PICTURE as f64 - 1.0))
            .collect()
    };
    let (x, y) = (line(across), line(up));
    let at = |x: f64, y: f64| loss.loss(&Point::<D>::from_fn(|d, _| if d == 0 { x } else { y }));
    CriticalPointsMap {
        loss_on_grid: y
            .iter()
            .flat_map(|y| x.iter().map(move |x| (*x, *y)))
            .map(|(x, y)| at(x, y))
            .collect(),
        x,
        y,
    }
    .group()
}

/// A part of the tree of barriers: the minima below it, where it stands, and from which loss its line goes up.
struct Branch {
    leaves: Vec<usize>,
    base: f64,
    /// Number of the joint below it; none for a minimum.
    joint: Option<usize>,
}

/// The tree of barriers: minima at equal distances, joined at the loss of the lowest pass between them.
///
/// # Errors
/// As [`Records::of`]; [`Error::NothingToDraw`] without a minimum.
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = CriticalPointsResult::of(file)?;
    if result.minimum.is_empty() {
        return Err(Error::NothingToDraw {
            message: "no minimum was found in the domain".into(),
        });
    }
    let minima: Vec<f64> = result.minimum.iter().map(|k| result.loss[*k as usize]).collect();
    let passes = passes(&result);
    // lowest pass first, each of which may join two branches
    let mut branches: Vec<Branch> = Vec::new();
    branches.extend(minima.iter().enumerate().map(|(k, loss)| Branch {
        leaves: vec![k],
        base: *loss,
        joint: None,
    }));
    let mut joints: Vec<(Branch, Branch, f64)> = Vec::new();
    for (height, joined) in passes {
        let [a, b] = joined.map(|minimum| {
            branches
                .iter()
                .position(|branch| branch.leaves.contains(&minimum))
        });
        let (Some(a), Some(b)) = (a, b) else { continue };
        if a == b {
            continue;
        }
        let second = branches.remove(a.max(b));
        let first = branches.remove(a.min(b));
        let leaves = [first.leaves.clone(), second.leaves.clone()].concat();
        let branch = Branch {
            leaves,
            base: height,
            joint: Some(joints.len()),
        };
        joints.push((first, second, height));
        branches.insert(a.min(b), branch);
    }
    let order: Vec<usize> = branches.iter().flat_map(|branch| branch.leaves.clone()).collect();
    let mut place = vec![0.0; minima.len()];
    order
        .iter()
        .enumerate()
        .for_each(|(k, minimum)| place[*minimum] = k as f64);
    // a joint stands half-way between its branches
    let mut middles: Vec<f64> = Vec::new();
    let stands =
        |branch: &Branch, middles: &[f64]| branch.joint.map_or(place[branch.leaves[0]], |k| middles[k]);
    for (first, second, _) in &joints {
        middles.push(0.5 * (stands(first, &middles) + stands(second, &middles)));
    }
    let heights = joints
        .iter()
        .map(|(_, _, height)| *height)
        .chain(minima.iter().copied());
    let (low, high) = heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), height| {
        (f64::min(low, height), f64::max(high, height))
    });
    let space = if high > low { high - low } else { 1.0 };
    let line = Style::nth(6);
    let mut panel = Panel::new(
        "",
        Axis::named(&[]).with_range(-0.6, minima.len() as f64 - 0.4),
        Axis::linear("loss *L*").with_range(low - 0.12 * space, high + 0.15 * space),
    );
    for (first, second, height) in &joints {
        let (a, b) = (stands(first, &middles), stands(second, &middles));
        panel = panel.with(Layer::line(
            &[a, a, b, b],
            &[first.base, *height, *height, second.base],
            "",
            line,
        ));
    }
    for branch in &branches {
        let x = stands(branch, &middles);
        panel = panel.with(Layer::line(
            &[x, x],
            &[branch.base, branch.base + 0.1 * space],
            "",
            line,
        ));
    }
    panel = panel.with(Layer::points(&place, &minima, &[], "minimum", of_index(0)));
    let up: Vec<f64> = joints.iter().map(|(_, _, height)| *height).collect();
    if !joints.is_empty() {
        panel = panel.with(Layer::points(&middles, &up, &[], "lowest pass", of_index(1)));
    }
    for (minimum, (x, y)) in place.iter().zip(&minima).enumerate() {
        let text = minimum.to_string();
        panel = panel.with(Layer::Text {
            x: x - 0.011 * (minima.len() as f64 + 1.0) * text.len() as f64,
            y: y - 0.06 * space,
            text,
        });
    }
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.8,
        panels: vec![panel],
    })
}

/// Losses of the saddles with the minima that they join, lowest first.
fn passes(result: &CriticalPointsResult) -> Vec<(f64, [usize; 2])> {
    let (Some(saddle), Some(first), Some(second)) =
        (&result.saddle, &result.first_minimum, &result.second_minimum)
    else {
        return Vec::new();
    };
    let joins = first.iter().zip(second).map(|(a, b)| [*a as usize, *b as usize]);
    saddle
        .iter()
        .map(|k| result.loss[*k as usize])
        .zip(joins)
        .collect()
}

/// How points of an index are drawn.
fn of_index(index: usize) -> Style {
    let (colour, marker) = match index {
        0 => (Colour::nth(4), Marker::Circle),
        1 => (Colour::nth(1), Marker::Diamond),
        _ => (Colour::nth(3), Marker::Triangle),
    };
    Style::nth(0).with_colour(colour).with_marker(marker)
}

/// Map of the loss with its minima, saddles and maxima.
///
/// # Errors
/// As [`Records::of`].
pub fn map(file: &ResultFile) -> Result<Figure> {
    /// About so many contours within the range of colours.
    const CONTOURS: f64 = 16.0;
    /// Height of the range above the highest point, as a fraction of what lies below.
    const ABOVE: f64 = 0.25;
    let result = CriticalPointsResult::of(file)?;
    let CriticalPointsMap { x, y, loss_on_grid } = Records::of(file)?;
    let (low, high) = result
        .loss
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), loss| {
            (f64::min(low, *loss), f64::max(high, *loss))
        });
    let high = high + if high > low { ABOVE * (high - low) } else { 1.0 };
    let step = round_step((high - low) / CONTOURS);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    let ends = |centres: &[f64]| (centres[0], centres[centres.len() - 1]);
    let name = |d: usize| format!("*{}*", result.variable.get(d).map_or("", String::as_str));
    let axis = |d: usize, (lower, upper): (f64, f64)| Axis::linear(&name(d)).with_range(lower, upper);
    let mut panel = Panel::new("", axis(0, ends(&x)), axis(1, ends(&y)))
        .with(Layer::Map {
            x: cell_edges(&x, Scale::Linear)?,
            y: cell_edges(&y, Scale::Linear)?,
            values: loss_on_grid.clone(),
            colours: ColourScale {
                map: ColourMap::Viridis,
                axis: Axis::linear(&format!("loss *L*, lines every {step}")).with_range(low, high),
                bar: true,
            },
        })
        .with(Layer::Contour {
            x,
            y,
            values: loss_on_grid,
            levels: (first..=last).map(|k| k as f64 * step).collect(),
            label: String::new(),
            style: Style::reference()
                .with_dash(Dash::Solid)
                .with_colour(Colour::WHITE)
                .with_width(0.35),
        });
    for (index, label) in ["minimum", "saddle", "maximum"].into_iter().enumerate() {
        let at = |d: usize| -> Vec<f64> {
            let points = result.position.chunks_exact(2).zip(&result.index);
            points
                .filter(|(_, found)| **found == index as u64)
                .map(|(position, _)| position[d])
                .collect()
        };
        if !at(0).is_empty() {
            panel = panel.with(Layer::points(&at(0), &at(1), &[], label, of_index(index)));
        }
    }
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.9,
        panels: vec![panel],
    })
}
