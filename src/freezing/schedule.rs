//! Noise that changes along training: schedules, and the two-state theory under them.

use super::slow_path::{floor_position, floor_time};
use super::{HopRates, Regime, two_state};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require, require_positive};
use crate::landscape::TwoValley;

/// How the noise goes from one strength to another.
#[derive(Debug, Clone, PartialEq)]
pub enum ScheduleShape {
    /// At once, at the end.
    Step,
    /// Evenly in time.
    Linear,
    /// By equal factors in equal times.
    Exponential,
    /// As half a cosine in time.
    Cosine,
    /// Evenly to the second strength and back, that many times, and to it at the end.
    Cyclic {
        /// Times that it goes back.
        returns: usize,
    },
    /// (progress, strength) with straight lines between them, from progress 0 to 1.
    Table(Vec<[f64; 2]>),
}

impl ScheduleShape {
    /// The strength at a progress from 0 to 1 on the way from the first of two strengths to the second, which stays beyond.
    pub fn strength(&self, [before, after]: [f64; 2], progress: f64) -> f64 {
        if progress >= 1.0 {
            return after;
        }
        match self {
            Self::Step => before,
            Self::Linear => before + (after - before) * progress,
            Self::Exponential => before * (after / before).powf(progress),
            Self::Cosine => after + 0.5 * (before - after) * (1.0 + (std::f64::consts::PI * progress).cos()),
            Self::Cyclic { returns } => {
                let way = progress * (2 * returns + 1) as f64;
                // 0 at the first strength, 1 at the second
                let part = 1.0 - (way.rem_euclid(2.0) - 1.0).abs();
                before + (after - before) * part
            }
            Self::Table(points) => {
                let k = points
                    .partition_point(|point| point[0] <= progress)
                    .clamp(1, points.len() - 1);
                let ([a, from], [b, to]) = (points[k - 1], points[k]);
                from + (to - from) * (progress - a) / (b - a)
            }
        }
    }

    /// Pieces in which it changes, `pieces` unless it jumps.
    pub fn pieces(&self, pieces: usize) -> usize {
        if *self == Self::Step { 1 } else { pieces.max(1) }
    }

    /// Its largest strength between the two.
    pub fn largest(&self, [before, after]: [f64; 2]) -> f64 {
        match self {
            Self::Table(points) => points
                .iter()
                .map(|point| point[1])
                .fold(before.max(after), f64::max),
            _ => before.max(after),
        }
    }

    /// Refuses a table whose progress does not ascend from 0 to 1, or that does not lead from the first strength to the second.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`], [`Error::EmptySet`] for a table without points.
    pub fn check(&self, [before, after]: [f64; 2]) -> Result<()> {
        let Self::Table(points) = self else {
            return Ok(());
        };
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err(Error::EmptySet { name: "table".into() });
        };
        let wanted = format!(
            "points ascend in progress from [0, {before}] to [1, {after}], the strengths before and after"
        );
        for (point, end) in [(first, [0.0, before]), (last, [1.0, after])] {
            for (value, end) in point.iter().zip(end) {
                require("table", *value, |value| value == end, &wanted)?;
            }
        }
        for pair in points.windows(2) {
            require("table", pair[1][0], |progress| progress > pair[0][0], &wanted)?;
        }
        for point in points {
            require_positive("table", point[1])?;
        }
        Ok(())
    }
}

/// Δ along the slow path, constant between positions: what a training run with steps of its learning rate or batch size has.
///
/// # Examples
/// ```
/// use freezeout::freezing::NoiseSchedule;
/// let drop = NoiseSchedule::new(&[2.0], &[1e-3, 1e-4])?;
/// assert_eq!((drop.at(1.5), drop.at(2.5)), (1e-3, 1e-4));
/// assert!(NoiseSchedule::new(&[2.0, 1.0], &[1.0, 2.0, 3.0]).is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseSchedule {
    /// Positions of the changes, ascending.
    changes: Vec<f64>,
    /// Strengths between them, one more.
    strengths: Vec<f64>,
}

impl NoiseSchedule {
    /// Strengths before, between and after ascending positions of change.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] unless there is one strength more than positions, [`Error::InvalidParameter`] for a strength that is not
    /// positive or positions that do not ascend.
    pub fn new(changes: &[f64], strengths: &[f64]) -> Result<Self> {
        if strengths.len() != changes.len() + 1 {
            return Err(Error::DimensionMismatch {
                name: "strengths".into(),
                expected: changes.len() + 1,
                got: strengths.len(),
            });
        }
        for strength in strengths {
            require_positive("noise_strength", *strength)?;
        }
        for pair in changes.windows(2) {
            require("changes", pair[1], |y| y > pair[0], "positions of change ascend")?;
        }
        Ok(Self {
            changes: changes.to_vec(),
            strengths: strengths.to_vec(),
        })
    }

    /// From strength `before` at y = `start` to `after` from y = `end` on, in `pieces` steps of equal time of the floor, each with the strength of
    /// its middle.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for strengths that are not positive, end ≤ start, or those of [`ScheduleShape::check`]; [`Error::Unreachable`] where
    /// the floor does not lead on.
    pub fn changing(
        model: &TwoValley,
        [start, end]: [f64; 2],
        [before, after]: [f64; 2],
        shape: &ScheduleShape,
        pieces: usize,
    ) -> Result<Self> {
        require("end", end, |y| y > start, "the change ends beyond the start")?;
        let pieces = shape.pieces(pieces);
        let duration = floor_time(model, start, end, 1.0)?;
        let inner = (1..pieces).map(|k| floor_position(model, start, duration * k as f64 / pieces as f64));
        let ends: Vec<f64> = inner.chain([Ok(end)]).collect::<Result<_>>()?;
        Self::through(&ends, [before, after], shape)
    }

    /// From strength `before` to `after` in steps that end at the ascending positions `ends`, which lie in equal times, each with the strength of its
    /// middle; `after` beyond the last.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for strengths that are not positive, positions that do not ascend, or those of [`ScheduleShape::check`].
    pub fn through(ends: &[f64], [before, after]: [f64; 2], shape: &ScheduleShape) -> Result<Self> {
        shape.check([before, after])?;
        let pieces = ends.len() as f64;
        let middle = |k: usize| shape.strength([before, after], (k as f64 + 0.5) / pieces);
        let strengths: Vec<f64> = (0..ends.len()).map(middle).chain([after]).collect();
        Self::new(ends, &strengths)
    }

    /// Δ at y.
    pub fn at(&self, y: f64) -> f64 {
        self.strengths[self.changes.partition_point(|change| *change <= y)]
    }

    /// The pieces (from, to, Δ) of a path from `start` to `end`.
    pub fn pieces(&self, start: f64, end: f64) -> Vec<(f64, f64, f64)> {
        let mut ends: Vec<f64> = self
            .changes
            .iter()
            .copied()
            .filter(|y| *y > start && *y < end)
            .collect();
        ends.push(end);
        let mut from = start;
        ends.into_iter()
            .map(|to| {
                let piece = (from, to, self.at(from));
                from = to;
                piece
            })
            .collect()
    }
}

/// P_flat along the path under a schedule, by the two-state master equation.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledPath {
    /// y at the ends of the intervals.
    pub y: Vec<f64>,
    /// Probability of the flat valley.
    pub p_flat: Vec<f64>,
    /// Error of the final P: steps, slices and their interpolation.
    pub p_flat_error: f64,
    /// Time scales along the path.
    pub regime: Regime,
}

impl ScheduledPath {
    /// P_flat at the end.
    pub fn final_p_flat(&self) -> f64 {
        self.p_flat[self.p_flat.len() - 1]
    }
}

/// The two-state theory of [`two_state`] from y = `start` to `end` under a schedule, from P_f = `initial_p_flat`.
///
/// # Method
/// Piece by piece: the rates of each strength from its own slices, P carried over. Adiabatic within the valleys, whose variance follows the noise at
/// once: right where a change of the noise is slow, or a jump is followed by many relaxation times of a valley.
///
/// # Errors
/// Those of [`HopRates::new`] and [`two_state`].
pub fn two_state_scheduled<S: Diffusion<1>>(
    model: &TwoValley,
    slice: impl Fn(f64, f64) -> Result<S> + Sync,
    schedule: &NoiseSchedule,
    [start, end]: [f64; 2],
    initial_p_flat: f64,
) -> Result<ScheduledPath> {
    /// Slices to begin with, and steps of a piece.
    const NODES: usize = 8;
    const STEPS: usize = 400;
    let mut path = ScheduledPath {
        y: vec![start],
        p_flat: vec![initial_p_flat],
        p_flat_error: 0.0,
        regime: Regime::default(),
    };
    let mut p = initial_p_flat;
    for (from, to, strength) in schedule.pieces(start, end) {
        let rates = HopRates::new(model, |y| slice(y, strength), from, to, NODES)?;
        let piece = two_state(model, &rates, p, 1.0, STEPS)?;
        p = piece.final_p_flat();
        path.p_flat_error += piece.p_flat_error + rates.relative_error() + rates.interpolation_error();
        path.y.extend(&piece.y[1..]);
        path.p_flat.extend(&piece.p_flat[1..]);
        path.regime
            .add_two_valley(model, |y| slice(y, strength), &rates, [from, to], 1.0)?;
        // beyond the last slice hops have died out
        if rates.range().1 < to {
            path.y.push(to);
            path.p_flat.push(p);
        }
    }
    path.regime = path.regime.ended();
    Ok(path)
}
