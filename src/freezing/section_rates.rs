//! Hops between the valleys of a section and their relaxation, from its Fokker-Planck generator.
//!
//! ```text
//! m_i = stationary probability that the core of valley i is the one visited last,   ν_i = rate of passages from core i to core i+1
//! hops: up_i = ν_i/m_i,   down_{i+1} = ν_i/m_{i+1};       relaxation: λ_i, the gap of the two basins beside ridge i by themselves
//! ```

use super::section_grid::{section_axis, section_bounds};
use super::{SlowFast, Valleys};
use crate::diffusion::Diffusion;
use crate::error::Result;
use crate::generator::Generator;
use crate::grid::{Axis, CellSet, Grid};
use crate::math::log_domain::log_add_exp;
use crate::observables::{committor, log_stationary_probability, spectral_gap};
use crate::statistics::convergence::extrapolated;

/// What happens at one ridge; see [`section_rates`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RidgeRates {
    /// ln of the hops a time of a run in the valley below the ridge into the one above.
    pub log_up: f64,
    /// ln of the hops a time of a run in the valley above the ridge into the one below.
    pub log_down: f64,
    /// ln λ, the rate at which the two basins beside the ridge come to equilibrium with each other.
    pub log_gap: f64,
    /// ln of the stationary odds of the basin above to the one below.
    pub log_odds: f64,
}

impl RidgeRates {
    /// The numbers in the order of the fields.
    pub fn logarithms(&self) -> [f64; 4] {
        [self.log_up, self.log_down, self.log_gap, self.log_odds]
    }

    /// ln of the rates up and down of the master equation: together λ, in the ratio of the odds.
    pub fn log_transfers(&self) -> [f64; 2] {
        let below = -log_add_exp(0.0, self.log_odds);
        [self.log_gap + self.log_odds + below, self.log_gap + below]
    }
}

/// Rates of a section with the error of their logarithms.
#[derive(Debug, Clone, PartialEq)]
pub struct SectionRates {
    /// One a ridge.
    pub ridges: Vec<RidgeRates>,
    /// Largest discretisation error of a logarithm, by extrapolation.
    pub relative_error: f64,
}

/// Hops between the valleys of `problem` at s with a factor on its noise.
///
/// # Formula
/// A run has hopped when it comes from one core to another; cores end half-way between bottom and ridge. The probabilities of the basins, between
/// the ridges, relax faster than hops say, as a run that has just come over often goes back: two basins by themselves with their gap λ. The
/// master equation of a section of two valleys is therefore exact for its slow mode; with more valleys its ridges act independently, which is right
/// where relaxation in a valley is faster than exchange over its ridges.
///
/// # Method
/// Scharfetter-Gummel generator with faces on kinks, bottoms, ridges and ends of cores and `resolution` cells a
/// standard deviation at the bottoms, growing away from them, halved twice; logarithms extrapolated
/// (Richardson, orders 2 and 4). Committors and gaps without subtraction, sums of logarithms: right at any barrier of up to about 700 noise temperatures.
/// Over a ridge with more than 500 on one side and 60 on the other there are no hops, and its rates are given by the exponent alone.
///
/// # Errors
/// Errors of [`Generator::assemble`] and of the observables.
pub fn section_rates<T: Diffusion<2>>(
    problem: &SlowFast<T>,
    s: f64,
    factor: f64,
    valleys: &Valleys,
    resolution: f64,
) -> Result<SectionRates> {
    if valleys.ridges.is_empty() {
        return Ok(SectionRates {
            ridges: Vec::new(),
            relative_error: 0.0,
        });
    }
    let section = problem.section(s, factor);
    let cores = valleys.cores();
    let mut faces: Vec<f64> = section.kinks().iter().map(|kink| kink.position).collect();
    faces.extend(cores.iter().flatten());
    faces.extend(valleys.valleys.iter().map(|valley| valley.minimum));
    faces.extend(&valleys.ridges);
    let bounds = section_bounds(&section, problem.bounds(), &[valleys]);
    let mut grid = Grid::new([section_axis(
        Some(&section),
        bounds,
        &[valleys],
        &faces,
        resolution,
    )?]);
    let mut levels = Vec::with_capacity(3);
    for _ in 0..3 {
        levels.push(on_grid(&section, &grid, &cores, &valleys.ridges)?);
        grid = grid.refined();
    }
    let mut relative_error: f64 = 0.0;
    let mut best = Vec::with_capacity(levels[0].len());
    for k in 0..levels[0].len() {
        let second = [0, 1].map(|l| extrapolated(levels[l][k], levels[l + 1][k], 2.0, 2.0));
        let fourth = extrapolated(second[0], second[1], 2.0, 4.0);
        relative_error = relative_error.max((fourth - second[1]).abs());
        best.push(fourth);
    }
    let ridges = best.chunks(4).map(|ridge| RidgeRates {
        log_up: ridge[0],
        log_down: ridge[1],
        log_gap: ridge[2],
        log_odds: ridge[3],
    });
    Ok(SectionRates {
        ridges: ridges.collect(),
        relative_error,
    })
}

/// Four logarithms a ridge on one grid.
fn on_grid(
    section: &impl Diffusion<1>,
    grid: &Grid<1>,
    cores: &[[f64; 2]],
    ridges: &[f64],
) -> Result<Vec<f64>> {
    let generator = Generator::assemble(section, grid.clone())?;
    let log_p = log_stationary_probability(&generator)?;
    let sum = |of: &mut dyn Iterator<Item = f64>| of.fold(f64::NEG_INFINITY, log_add_exp);
    let mass = |from: f64, to: f64| sum(&mut within(grid, [from, to]).map(|i| log_p[i]));
    let n = cores.len();
    // the cores' own probabilities, to which the gaps beside them add
    let mut log_m: Vec<f64> = cores.iter().map(|core| mass(core[0], core[1])).collect();
    let mut log_flux = Vec::with_capacity(n - 1);
    let closed: Vec<Option<f64>> = (0..n - 1)
        .map(|i| {
            let highest = |core: [f64; 2]| {
                within(grid, core)
                    .map(|k| log_p[k])
                    .fold(f64::NEG_INFINITY, f64::max)
            };
            let between = within(grid, [cores[i][1], cores[i + 1][0]]);
            let ridge = between.map(|k| log_p[k]).fold(f64::INFINITY, f64::min);
            let [a, b] = [highest(cores[i]) - ridge, highest(cores[i + 1]) - ridge];
            (a.max(b) > BEYOND_RANGE && a.min(b) > NO_HOPS).then_some(-a.min(b))
        })
        .collect();
    for i in 0..n - 1 {
        if let Some(exponent) = closed[i] {
            log_flux.push(exponent);
            for (own, part) in [
                (i, [cores[i][1], ridges[i]]),
                (i + 1, [ridges[i], cores[i + 1][0]]),
            ] {
                log_m[own] = log_add_exp(log_m[own], mass(part[0], part[1]));
            }
            continue;
        }
        let (below, above) = (cores[i][1], cores[i + 1][0]);
        let lower = CellSet::new("lower valley", grid, |x| x[0] < below)?;
        let upper = CellSet::new("upper valley", grid, |x| x[0] > above)?;
        let [to_upper, to_lower] = [
            committor(&generator, &lower, &upper)?,
            committor(&generator, &upper, &lower)?,
        ];
        let into = generator.killing_into(&upper);
        let gap: Vec<usize> = within(grid, [below, above]).collect();
        log_flux.push(sum(&mut gap
            .iter()
            .filter(|k| into[**k] > 0.0)
            .map(|&k| log_p[k] + into[k].ln() + to_lower[k].ln())));
        for (log_m, h) in log_m[i..].iter_mut().zip([&to_lower, &to_upper]) {
            *log_m = log_add_exp(*log_m, sum(&mut gap.iter().map(|&k| log_p[k] + h[k].ln())));
        }
    }
    let mut ends = vec![f64::NEG_INFINITY];
    ends.extend(ridges);
    ends.push(f64::INFINITY);
    let mut out = Vec::with_capacity(4 * (n - 1));
    for i in 0..n - 1 {
        let log_odds = mass(ends[i + 1], ends[i + 2]) - mass(ends[i], ends[i + 1]);
        if let Some(exponent) = closed[i] {
            out.extend([exponent, exponent, exponent, log_odds]);
            continue;
        }
        let faces = grid.axes()[0].faces().iter().copied();
        let inside: Vec<f64> = faces
            .filter(|x| *x > ends[i] - ROUNDING && *x < ends[i + 2] + ROUNDING)
            .collect();
        let pair = Generator::assemble(section, Grid::new([Axis::from_faces(inside)?]))?;
        out.extend([
            log_flux[i] - log_m[i],
            log_flux[i] - log_m[i + 1],
            spectral_gap(&pair)?.rate.ln(),
            log_odds,
        ]);
    }
    Ok(out)
}

/// Barriers in noise temperatures on one side of a ridge above which rates leave the range of numbers, and on its other side above which there are no hops.
const BEYOND_RANGE: f64 = 500.0;
const NO_HOPS: f64 = 60.0;

/// Distance of a ridge from its face, by rounding.
const ROUNDING: f64 = 1e-12;

/// Cells between two positions.
fn within(grid: &Grid<1>, [from, to]: [f64; 2]) -> impl Iterator<Item = usize> {
    let inside = move |i: &usize| (from..to).contains(&grid.centre(*i)[0]);
    (0..grid.cells()).filter(inside)
}
