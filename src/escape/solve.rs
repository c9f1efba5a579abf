//! From a problem to its numbers: four grids of finer and finer cells, and what they say together.

use super::evolution::{Densities, PassageLaw};
use super::followed::{Followed, followed};
use super::level::{Level, ROUNDING};
use super::problem::{LEVELS, PARTS, Problem};
use super::quantity::{FieldQuantity, Quantity};
use crate::error::{Error, Result};
use crate::grid::Grid;
use crate::statistics::{Extrapolated, Range};

/// What is wanted besides stationary law, first passages and transitions.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Number of slow modes, 1 to 20.
    pub slow_modes: usize,
    /// Times at which the law of the first-passage time is wanted.
    pub first_passage_times: Vec<f64>,
    /// Times at which the density that begins at the start is wanted.
    pub density_times: Vec<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slow_modes: 1,
            first_passage_times: Vec::new(),
            density_times: Vec::new(),
        }
    }
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Config`] naming the one that is out of range.
    pub fn check(&self) -> Result<()> {
        const MOST_MODES: usize = 20;
        if !(1..=MOST_MODES).contains(&self.slow_modes) {
            let message = format!("between 1 and {MOST_MODES} modes are possible");
            return Err(Error::config("slow_modes", message));
        }
        for (key, times) in [
            ("first_passage_times", &self.first_passage_times),
            ("density_times", &self.density_times),
        ] {
            let increasing = times.windows(2).all(|pair| pair[1] > pair[0]);
            if !increasing || times.iter().any(|t| !(*t > 0.0 && t.is_finite())) {
                return Err(Error::config(
                    key,
                    "positive times in increasing order are needed",
                ));
            }
        }
        Ok(())
    }
}

/// What four grids say about a problem of escape.
pub struct EscapeResult<const D: usize> {
    finest: Level<D>,
    numbers: Vec<(Quantity, Extrapolated)>,
    changes: Vec<(FieldQuantity, f64)>,
    left_out: Vec<(Quantity, Error)>,
    passage_law: Option<PassageLaw>,
    densities: Option<Densities>,
}

impl<const D: usize> EscapeResult<D> {
    /// The grid of the fields.
    pub fn grid(&self) -> &Grid<D> {
        self.finest.grid()
    }

    /// The finest level, with the fields and the generator.
    pub fn finest(&self) -> &Level<D> {
        &self.finest
    }

    /// All numbers, each with its error and observed order.
    pub fn numbers(&self) -> &[(Quantity, Extrapolated)] {
        &self.numbers
    }

    /// One number; none where it is not defined for the problem, or did not converge on some grid.
    pub fn number(&self, quantity: Quantity) -> Option<Extrapolated> {
        let found = self.numbers.iter().find(|(q, _)| *q == quantity);
        found.map(|(_, number)| *number)
    }

    /// Mean first-passage time from the start into the target or an absorbing end.
    pub fn mean_first_passage_time(&self) -> Extrapolated {
        // every level has this number
        let unknown = Extrapolated {
            value: f64::NAN,
            error: f64::NAN,
            order: f64::NAN,
        };
        self.number(Quantity::MeanFirstPassageTime).unwrap_or(unknown)
    }

    /// Quasi-stationary escape rate; none when it did not converge.
    pub fn escape_rate(&self) -> Option<Extrapolated> {
        self.number(Quantity::EscapeRate)
    }

    /// Slowest relaxation rate; none when it did not converge, or the process ends.
    pub fn spectral_gap(&self) -> Option<Extrapolated> {
        self.number(Quantity::SpectralGap)
    }

    /// Values of a scalar or vector field on the finest grid, by cell, then by entry.
    pub fn field(&self, quantity: FieldQuantity) -> Option<&[f64]> {
        self.finest.field(quantity).map(|field| field.values.as_slice())
    }

    /// How far each field of the finest grid, averaged over cells twice as wide, is from that of the grid of those cells: the largest change
    /// over the largest value. The error left is a third of it at order 2.
    pub fn changes(&self) -> &[(FieldQuantity, f64)] {
        &self.changes
    }

    /// What did not converge on some grid, and how.
    pub fn left_out(&self) -> &[(Quantity, Error)] {
        &self.left_out
    }

    /// The law of the first-passage time, if times were given.
    pub fn passage_law(&self) -> Option<&PassageLaw> {
        self.passage_law.as_ref()
    }

    /// The density in time, if times were given.
    pub fn densities(&self) -> Option<&Densities> {
        self.densities.as_ref()
    }
}

impl<const D: usize> Problem<D> {
    /// Solves the problem on four grids, whose cells are the coarsest ones cut into 1, 2, 3 and 4 parts.
    ///
    /// `after_level` is called with each level, from coarse to fine; an error that it returns ends the computation. The two coarser grids are
    /// solved at the same time, and then the two finer ones.
    ///
    /// # Method
    /// Numbers are extrapolated as [`Extrapolated::within`] says. A number whose iteration did not converge on some grid is left out; one
    /// whose error is as large as itself is NaN. See [`EscapeResult::left_out`].
    ///
    /// # Errors
    /// Those of [`Settings::check`] and `after_level`; [`Error::Unreachable`] or [`Error::NotFinite`] when part of the domain cannot be
    /// reached by the noise.
    pub fn solve(
        &self,
        settings: &Settings,
        after_level: &dyn Fn(&Level<D>) -> Result<()>,
    ) -> Result<EscapeResult<D>> {
        settings.check()?;
        if !self.ends() && !settings.first_passage_times.is_empty() {
            let message = "there is nothing to reach: give a target, or an end that absorbs";
            return Err(Error::config("first_passage_times", message));
        }
        let level = |parts: usize| Level::new(self, parts, settings.slow_modes).map_err(|e| advised(self, e));
        let told = |level: Result<Level<D>>| {
            let level = level?;
            after_level(&level)?;
            Ok(level)
        };
        let [a, b, c, d] = PARTS;
        // each has parts that only one thread can do: together they leave none idle
        let (coarse, middle) = rayon::join(|| level(a), || level(b));
        let (coarse, middle) = (told(coarse)?, told(middle)?);
        let (third, finest) = rayon::join(|| level(c), || level(d));
        let levels = [coarse, middle, told(third)?, told(finest)?];
        let passage_law = match settings.first_passage_times.as_slice() {
            [] => None,
            times => Some(PassageLaw::new(self, &levels, times)?),
        };
        let [mut coarse, mut middle, mut third, mut finest] = levels;
        let densities = match settings.density_times.as_slice() {
            [] => None,
            times => Some(Densities::new(self, &middle, &finest, times)?),
        };
        let known = finest.numbers().iter().filter_map(|number| {
            // a number that did not converge on a coarser grid is left out
            let levels = [
                coarse.value(number.quantity)?,
                middle.value(number.quantity)?,
                third.value(number.quantity)?,
                number.value,
            ];
            let range = number.quantity.range();
            let extrapolated = Extrapolated::within(range, levels, number.is_smooth, number.solver);
            Some((number.quantity, extrapolated))
        });
        let mut numbers: Vec<(Quantity, Extrapolated)> = known.collect();
        let count = settings.slow_modes;
        let coarser = [&mut coarse, &mut middle, &mut third];
        let following = coarser.map(|level| follow_modes(level, &finest, count));
        if !finest.modes().is_empty() {
            let of_modes = mode_numbers(self, [&coarse, &middle, &third], &finest, &following, count);
            // stationary law and relaxation before what depends on the sets
            numbers.splice(0..0, of_modes);
            let places: Vec<Option<usize>> = (0..finest.modes().len()).map(Some).collect();
            finest.add_mode_field(&places, count);
            let places: Vec<Option<usize>> = following[1].iter().map(|mode| mode.place).collect();
            middle.add_mode_field(&places, count);
        }
        let mut left_out: Vec<(Quantity, Error)> = [&coarse, &middle, &third, &finest]
            .into_iter()
            .flat_map(Level::left_out)
            .cloned()
            .collect();
        for (quantity, number) in &mut numbers {
            if quantity.range() == Range::Positive && !(number.error < number.value) {
                left_out.push((*quantity, without_digits(number)));
                (number.value, number.error) = (f64::NAN, f64::NAN);
            }
        }
        Ok(EscapeResult {
            numbers,
            changes: changes(self, &middle, &finest),
            left_out,
            passage_law,
            densities,
            finest,
        })
    }
}

/// Why a number whose error is as large as itself is not one.
fn without_digits(number: &Extrapolated) -> Error {
    Error::NotConverged {
        method: "refinement (the grids differ by more than the number: give more cells)".into(),
        iterations: LEVELS,
        residual: number.error,
        tolerance: number.value,
    }
}

/// Where the modes of the finest grid stand among those of a coarser one, of which more are found if they are not among those known.
fn follow_modes<const D: usize>(coarse: &mut Level<D>, finest: &Level<D>, count: usize) -> Vec<Followed> {
    /// Modes that may have crossed those that are wanted.
    const MORE: usize = 2;
    let found = |coarse: &Level<D>| {
        followed(
            (coarse.grid(), coarse.modes()),
            (finest.grid(), finest.modes()),
            finest.stationary_probability(),
        )
    };
    let following = found(coarse);
    let is_complete = following.iter().take(count).all(|mode| mode.is_certain);
    if is_complete || coarse.modes().is_empty() || coarse.find_more_modes(count + MORE).is_err() {
        return following;
    }
    found(coarse)
}

/// The numbers of the slow modes; those that were not followed with certainty are not extrapolated.
fn mode_numbers<const D: usize>(
    problem: &Problem<D>,
    coarser: [&Level<D>; 3],
    finest: &Level<D>,
    following: &[Vec<Followed>; 3],
    count: usize,
) -> Vec<(Quantity, Extrapolated)> {
    let number = |quantity: Quantity, k: usize| {
        let mode = finest.modes().get(k)?;
        let value = |grid: usize| coarser[grid].of_mode(quantity, following[grid][k].place?);
        let levels = [value(0)?, value(1)?, value(2)?, finest.of_mode(quantity, k)?];
        let is_certain = following.iter().all(|modes| modes[k].is_certain);
        let smooth = problem.is_regular() && is_certain;
        let solver = mode.residual.max(ROUNDING);
        Some((
            quantity,
            Extrapolated::within(quantity.range(), levels, smooth, solver),
        ))
    };
    let rates = |k: usize| {
        [
            (Quantity::ModeRate(k + 1), k),
            (Quantity::ModeFrequency(k + 1), k),
        ]
    };
    let modes = if count > 1 { count } else { 0 };
    std::iter::once((Quantity::SpectralGap, 0))
        .chain((0..modes).flat_map(rates))
        .filter_map(|(quantity, k)| number(quantity, k))
        .collect()
}

/// Says what may have cut the domain when some cells cannot be reached, or weights leave the range of numbers.
fn advised<const D: usize>(problem: &Problem<D>, error: Error) -> Error {
    let advice = if problem.domain().restriction().is_some() {
        "the set to which the domain is restricted, as by a sublevel, may fall apart"
    } else if problem.jumps_far() {
        "jumps of a tensor that is not diagonal know the drift at their start, which makes steep walls too high: try jump_drift = \"integral\", \
         more cells, or within = { ... } to leave out where the noise never gets"
    } else {
        "the domain may reach where the noise never gets (walls above about 700 in units of the noise), or the cells may be too few for its strength"
    };
    match error {
        Error::Unreachable { target, reason } => Error::Unreachable {
            target,
            reason: format!("{reason}; {advice}"),
        },
        Error::NotFinite { quantity, reason } => Error::NotFinite {
            quantity,
            reason: format!("{reason}; {advice}"),
        },
        other => other,
    }
}

/// See [`EscapeResult::changes`].
fn changes<const D: usize>(
    problem: &Problem<D>,
    middle: &Level<D>,
    fine: &Level<D>,
) -> Vec<(FieldQuantity, f64)> {
    let grid = middle.grid();
    let change = |quantity: FieldQuantity| {
        let (coarse, field) = (middle.field(quantity)?, fine.field(quantity)?);
        let entries = field.entries;
        let mut averages = vec![0.0; coarse.values.len()];
        for (k, value) in field.values.iter().enumerate() {
            let cell = fine.grid().parent(grid, k / entries);
            averages[cell * entries + k % entries] += value / f64::from(1 << D);
        }
        let (mut change, mut largest) = (0.0_f64, 0.0_f64);
        for (k, (a, b)) in coarse.values.iter().zip(&averages).enumerate() {
            if a.is_finite() && b.is_finite() && problem.in_domain(&grid.centre(k / entries)) {
                change = change.max((a - b).abs());
                largest = largest.max(b.abs());
            }
        }
        // a field that is zero everywhere has not changed
        Some(if change == 0.0 { 0.0 } else { change / largest })
    };
    let fields = fine.fields().iter().map(|field| field.quantity);
    fields
        .filter_map(|quantity| Some((quantity, change(quantity)?)))
        .collect()
}
