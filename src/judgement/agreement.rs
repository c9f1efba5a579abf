//! Do the routes agree? One row a comparison, on the level on which it is made, written to the file and printed as a table.

use crate::error::Result;
use crate::escape::Quantity;
use crate::output::{Estimates, Group, Records, ResultFile, padded, records};
use crate::questions::coupled::CoupledResult;
use crate::questions::critical_points::CriticalPointsResult;
use crate::questions::escape::{EscapePathResult, EscapeRecords};
use crate::questions::freezing::FreezingResult;
use crate::questions::freezing_design::FreezingDesignResult;
use crate::questions::noise_laws::NoiseLawsResult;
use crate::questions::passage_sets::{have_other_sets, have_the_same_sets};
use crate::questions::phase_space::PhaseSpaceResult;
use crate::questions::rare_events::RareEventsResult;
use crate::questions::stable_exit::StableExitResult;
use crate::questions::transfer_operator::TransferOperatorResult;
use crate::setting::parameter_range::row_of;
use crate::statistics::Estimate;
use crate::two_valleys::final_probability::FinalProbabilityResult;
use crate::two_valleys::freezing_line::FreezingLineResult;
use crate::two_valleys::phase_diagram::{PhaseDiagramResult, SMALLEST_FREEZING_ITERATION, TransferColumns};
use crate::two_valleys::reference::PaperPhaseDiagram;
use crate::two_valleys::schedule_design::ScheduleDesignResult;
use crate::two_valleys::schedules::SchedulesResult;
use crate::two_valleys::slices::SlicesResult;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Largest |z| at which two numbers are called in agreement: one false alarm in 16 000 comparisons.
const LARGEST_Z: f64 = 4.0;
/// Share of tables that agree whose rms z is called too large.
const FALSE_ALARMS: f64 = 1e-3;
/// Verdict of two numbers within their errors.
const AGREE: &str = "agree";

/// What both sides of a comparison are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The diffusion, in the time ηk.
    SmallSteps,
    /// SGD itself at its own learning rate.
    FiniteSteps,
    /// Numbers that others have published.
    Published,
}

impl Level {
    const ALL: [Self; 3] = [Self::SmallSteps, Self::FiniteSteps, Self::Published];

    /// As a heading.
    pub fn name(self) -> &'static str {
        match self {
            Self::SmallSteps => "η → 0",
            Self::FiniteSteps => "finite η",
            Self::Published => "against published data",
        }
    }
}

/// How two numbers, or two tables, compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What both sides are about.
    pub level: Level,
    /// What was computed.
    pub quantity: String,
    /// For which parameters; empty where there is nothing to tell.
    pub at: String,
    /// By which route.
    pub route: String,
    /// Its value and error; for a table, the number of entries is in `samples` and the value is the largest |z|.
    pub value: Estimate,
    /// The route or publication it is held against.
    pub against: String,
    /// Its value and error.
    pub reference: Estimate,
    /// (value − reference)/combined error; for a table, the rms of it; NaN for a difference of models.
    pub z: f64,
    /// `agree`, `differ`, the difference of two models, or what else follows.
    pub verdict: String,
}

impl Comparison {
    /// Compares two numbers by their combined error.
    pub fn of_numbers(
        quantity: &str,
        route: &str,
        value: Estimate,
        against: &str,
        reference: Estimate,
    ) -> Self {
        let z = (value.value - reference.value) / value.standard_error.hypot(reference.standard_error);
        Self {
            level: Level::SmallSteps,
            at: String::new(),
            quantity: quantity.into(),
            route: route.into(),
            value,
            against: against.into(),
            reference,
            z,
            verdict: verdict(z, value.value, reference.value),
        }
    }

    /// The same comparison on another level.
    #[must_use]
    pub fn on(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// The same comparison at these parameters.
    #[must_use]
    pub fn at(self, at: &str) -> Self {
        Self {
            at: at.into(),
            ..self
        }
    }

    /// Whether the two sides are called in agreement.
    pub fn agrees(&self) -> bool {
        self.verdict == AGREE
    }

    /// States the difference of two models of the same thing, which no error explains: no z, no verdict on agreement.
    pub fn of_models(
        quantity: &str,
        route: &str,
        value: Estimate,
        against: &str,
        reference: Estimate,
    ) -> Self {
        let difference = value.minus(&reference);
        Self {
            z: f64::NAN,
            verdict: format!(
                "models differ by {:+.2e} ± {:.0e}",
                difference.value, difference.standard_error
            ),
            ..Self::of_numbers(quantity, route, value, against, reference)
        }
    }

    /// Compares two tables entry by entry, given the z-scores.
    pub fn of_tables(quantity: &str, route: &str, against: &str, z: &[f64]) -> Self {
        let rms = (z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64).sqrt();
        let largest = z.iter().fold(0.0_f64, |m, z| m.max(z.abs()));
        let exact = |value| Estimate {
            value,
            standard_error: 0.0,
            samples: z.len(),
        };
        Self {
            level: Level::Published,
            at: String::new(),
            quantity: quantity.into(),
            route: route.into(),
            value: exact(largest),
            against: against.into(),
            reference: exact(LARGEST_Z),
            z: rms,
            verdict: if largest <= LARGEST_Z && rms <= largest_rms(z.len()) {
                AGREE
            } else {
                "differ"
            }
            .into(),
        }
    }
}

/// Largest rms z of a table of so many independent entries, one false alarm in a thousand: 1.22 for a hundred, 1.93 for six.
fn largest_rms(entries: usize) -> f64 {
    let n = entries as f64;
    ChiSquared::new(n).map_or(0.0, |law| (law.inverse_cdf(1.0 - FALSE_ALARMS) / n).sqrt())
}

/// `agree` within the errors, or by how much two numbers differ.
fn verdict(z: f64, value: f64, reference: f64) -> String {
    if z.abs() <= LARGEST_Z {
        AGREE.into()
    } else {
        format!("differ by {:.2} %", 100.0 * (value / reference - 1.0))
    }
}

/// All comparisons that the groups of `file` allow.
///
/// # Errors
/// [`crate::Error::Input`] when a group lacks a record it should hold.
pub fn comparisons(file: &ResultFile) -> Result<Vec<Comparison>> {
    let mut rows = Vec::new();
    if let Some(result) = SlicesResult::find(file)? {
        rows.extend(slices(&result));
    }
    rows.extend(escape(file)?);
    rows.extend(rare_events(file)?);
    rows.extend(stable_exit(file)?);
    rows.extend(coupled(file)?);
    rows.extend(critical_points(file)?);
    if let (Some(line), Some(path)) = (
        FreezingLineResult::find(file)?,
        FinalProbabilityResult::find(file)?,
    ) {
        rows.extend(freezing(&line, &path));
    }
    if let Some(result) = SchedulesResult::find(file)? {
        rows.extend(schedules(&result));
    }
    if let Some(result) = NoiseLawsResult::find(file)? {
        rows.extend(noise_laws(&result));
    }
    if let Some(result) = ScheduleDesignResult::find(file)? {
        rows.extend(schedule_design(&result));
    }
    if let Some(result) = FreezingResult::find(file)? {
        rows.extend(valleys_along_a_path(&result));
    }
    if let Some(result) = FreezingDesignResult::find(file)? {
        rows.extend(freezing_design(&result));
    }
    if let Some(diagram) = PhaseDiagramResult::find(file)? {
        rows.extend(
            diagram
                .transfer
                .iter()
                .flat_map(|exact| phase_diagram_exact(&diagram, exact)),
        );
        let authors = PaperPhaseDiagram::find(file)?;
        rows.extend(
            authors
                .iter()
                .flat_map(|authors| phase_diagram(&diagram, authors)),
        );
    }
    Ok(rows)
}

/// A sentence for every two tasks of a file whose times would be compared, were they from the same start to the same target.
pub fn not_compared(file: &ResultFile) -> Vec<String> {
    let (escape, splitting) = (EscapeRecords::GROUP, RareEventsResult::GROUP);
    let operator = TransferOperatorResult::GROUP;
    let pairs = [
        (escape, operator),
        (splitting, operator),
        (splitting, escape),
        (splitting, PhaseSpaceResult::GROUP),
    ];
    let apart = pairs
        .into_iter()
        .filter(|(one, other)| have_other_sets(file, one, other));
    apart
        .map(|(one, other)| {
            format!("times of [{one}] and [{other}] are not compared: start or target are not the same")
        })
        .collect()
}

fn number(value: f64, standard_error: f64) -> Estimate {
    Estimate {
        value,
        standard_error,
        samples: 1,
    }
}

/// SGD under fresh Gaussian noise, and with steps divided by its rms, which the transfer operator knows; the other laws are other models.
fn noise_laws(result: &NoiseLawsResult) -> Vec<Comparison> {
    let n = result.noise_strength.len();
    let divided = result.p_flat_transfer_rms.as_ref();
    let divided = divided.zip(result.p_flat_transfer_rms_error.as_ref());
    let plain = (&result.p_flat_transfer, &result.p_flat_transfer_error);
    let laws = [("Gaussian", Some(plain)), ("divided by rms", divided)];
    let mut rows = Vec::new();
    for (law, exact) in laws {
        let row = result.law.iter().position(|other| other == law);
        let Some((first, (exact, error))) = row.map(|row| row * n).zip(exact) else {
            continue;
        };
        for (k, strength) in result.noise_strength.iter().enumerate() {
            let p_flat = &result.p_flat;
            let sgd = number(p_flat.value[first + k], p_flat.standard_error[first + k]);
            let operator = number(exact[k], error[k]);
            let row = Comparison::of_numbers(
                "P_flat, final",
                "discrete SGD",
                sgd,
                "transfer operator",
                operator,
            );
            rows.push(
                row.on(Level::FiniteSteps)
                    .at(&format!("{law}, Δ = {strength:.1e}")),
            );
        }
    }
    rows
}

fn slices(result: &SlicesResult) -> Vec<Comparison> {
    let (y, noise_strength) = (&result.slices.y, &result.slices.noise_strength);
    let slice = |k: usize| format!("y = {}, Δ = {}", y[k], noise_strength[k]);
    let (on_grid, exact) = (&result.grid, &result.integral);
    let errors = (&on_grid.relative_error, &exact.relative_error);
    let mut rows = Vec::new();
    for (symbol, grid, integral) in [
        ("τ flat→sharp", &on_grid.flat_to_sharp, &exact.flat_to_sharp),
        ("τ sharp→flat", &on_grid.sharp_to_flat, &exact.sharp_to_flat),
        ("P_flat", &on_grid.p_flat, &exact.p_flat),
    ] {
        for k in 0..y.len() {
            let row = Comparison::of_numbers(
                symbol,
                "Fokker-Planck grid",
                number(grid[k], grid[k] * errors.0[k]),
                "exact integral",
                number(integral[k], integral[k] * errors.1[k].max(f64::EPSILON)),
            );
            rows.push(row.at(&slice(k)));
        }
    }
    if let Some(langevin) = &result.langevin {
        let (times, integral) = (&langevin.sharp_to_flat, &exact.sharp_to_flat);
        for k in 0..y.len() {
            let row = Comparison::of_numbers(
                "τ sharp→flat",
                "Langevin simulation",
                number(times.value[k], times.standard_error[k]),
                "exact integral",
                number(integral[k], integral[k] * errors.1[k]),
            );
            rows.push(row.at(&slice(k)));
        }
    }
    rows
}

/// Routes along the slow path, each held against another of its own level: finite η with finite η, η → 0 with η → 0. Where two routes are
/// models of the same thing their difference is none of their errors, and is stated: the two-state theory is adiabatic (P lags by the relaxation
/// in the valleys, and a hop starts from rest), the density along the path leaves out the correlation of x and y, and SGD of a finite η sees x at
/// the ends of its steps only, so that it misses hops that return within one.
fn freezing(line: &FreezingLineResult, path: &FinalProbabilityResult) -> Vec<Comparison> {
    // Only runs of one protocol are comparable.
    if (line.learning_rate, line.start_y) != (path.runs.learning_rate, path.runs.start_y) {
        return Vec::new();
    }
    let computed = &path.runs.noise_strength;
    let at = |strength: f64| format!("Δ = {strength:.1e}");
    let (sgd, density, theory) = ("discrete SGD", "Fokker-Planck along the path", "two-state theory");
    let mut rows = Vec::new();
    let simulated = |ours: &Estimates, k: usize| number(ours.value[k], ours.standard_error[k]);
    let both = || {
        let strengths = line.noise_strength.iter().enumerate();
        strengths.filter_map(|(k, &strength)| Some((strength, k, row_of(strength, computed)?)))
    };
    let means = &line.means;
    for (quantity, ours, theirs, error) in [
        (
            "P_flat, final",
            &means.p_flat,
            &path.transfer.p_flat,
            &path.transfer.p_flat_error,
        ),
        (
            "⟨y⟩ of the last sign change",
            &means.mean_freezing_y,
            &path.transfer.mean_freezing_y,
            &path.transfer.mean_freezing_y_error,
        ),
    ] {
        rows.extend(both().map(|(strength, k, j)| {
            let operator = number(theirs[j], error[j]);
            let row =
                Comparison::of_numbers(quantity, sgd, simulated(ours, k), "transfer operator", operator);
            row.on(Level::FiniteSteps).at(&at(strength))
        }));
    }
    for (quantity, ours, theirs, error) in [
        (
            "⟨y⟩ of the last hop",
            &means.mean_last_hop_y,
            &path.density.mean_freezing_y,
            &path.density.mean_freezing_y_error,
        ),
        (
            "hops of a run",
            &means.mean_hops,
            &path.density.mean_hops,
            &path.density.mean_hops_error,
        ),
    ] {
        rows.extend(both().map(|(strength, k, j)| {
            let limit = number(theirs[j], error[j]);
            let row = Comparison::of_models(
                quantity,
                sgd,
                simulated(ours, k),
                "its limit η → 0, density",
                limit,
            );
            row.on(Level::FiniteSteps).at(&at(strength))
        }));
    }
    for (quantity, ours, our_error, theirs, error) in [
        (
            "P_flat, final",
            &path.two_state.p_flat,
            &path.two_state.p_flat_error,
            &path.density.p_flat,
            &path.density.p_flat_error,
        ),
        (
            "⟨y⟩ of the last hop",
            &path.two_state.mean_freezing_y,
            &path.two_state.mean_freezing_y_error,
            &path.density.mean_freezing_y,
            &path.density.mean_freezing_y_error,
        ),
        (
            "hops of a run",
            &path.two_state.mean_hops,
            &path.two_state.mean_hops_error,
            &path.density.mean_hops,
            &path.density.mean_hops_error,
        ),
    ] {
        let known = (0..computed.len()).filter(|j| ours[*j].is_finite());
        rows.extend(known.map(|j| {
            let (value, reference) = (number(ours[j], our_error[j]), number(theirs[j], error[j]));
            Comparison::of_models(quantity, theory, value, density, reference).at(&at(computed[j]))
        }));
    }
    if let Some(planar) = &path.planar {
        rows.extend(computed.iter().enumerate().map(|(j, &strength)| {
            let plane = number(planar.p_flat[j], planar.p_flat_error[j]);
            let along = number(path.density.p_flat[j], path.density.p_flat_error[j]);
            let row = Comparison::of_models(
                "P_flat, final",
                "Fokker-Planck in the plane",
                plane,
                density,
                along,
            );
            row.at(&at(strength))
        }));
    }
    rows
}

/// Final P_flat of designed and usual schedules: SGD against its map, and the theory as a model of the density along the path.
fn schedule_design(result: &ScheduleDesignResult) -> Vec<Comparison> {
    const QUANTITY: &str = "P_flat, final, designed schedules";
    let mut rows = Vec::new();
    for (k, name) in result.schedule.iter().enumerate() {
        let theory = number(result.p_flat_two_state[k], result.p_flat_two_state_error[k]);
        let density = number(result.p_flat_density[k], result.p_flat_density_error[k]);
        let against = "Fokker-Planck along the path";
        rows.push(Comparison::of_models(QUANTITY, "two-state theory", theory, against, density).at(name));
        if let Some(sgd) = &result.sgd {
            let runs = number(sgd.p_flat_sgd[k], sgd.p_flat_sgd_standard_error[k]);
            let map = number(result.p_flat_transfer[k], result.p_flat_transfer_error[k]);
            let row = Comparison::of_numbers(QUANTITY, "discrete SGD", runs, "transfer operator", map);
            rows.push(row.on(Level::FiniteSteps).at(name));
        }
    }
    rows
}

/// Final probability of the chosen valley under designed and usual schedules: the master equation and SGD at its learning rate as models of the density.
fn freezing_design(result: &FreezingDesignResult) -> Vec<Comparison> {
    const QUANTITY: &str = "P of the chosen valley, final";
    let mut rows = Vec::new();
    for (k, name) in result.schedule.iter().enumerate() {
        let against = "Fokker-Planck along the path";
        let density = number(result.p_chosen_density[k], result.p_chosen_density_error[k]);
        let master = number(result.p_chosen[k], result.p_chosen_error[k]);
        rows.push(Comparison::of_models(QUANTITY, "master equation", master, against, density).at(name));
        if let Some(sgd) = &result.sgd {
            let runs = number(sgd.p_chosen_sgd[k], sgd.p_chosen_sgd_standard_error[k]);
            let row = Comparison::of_models(QUANTITY, "SGD at its learning rate", runs, against, density);
            rows.push(row.on(Level::FiniteSteps).at(name));
        }
    }
    rows
}

/// Final probabilities of the valleys along a path: the master equation and SGD at its learning rate as models of the density.
fn valleys_along_a_path(result: &FreezingResult) -> Vec<Comparison> {
    const QUANTITY: &str = "P of a valley, final";
    let mut rows = Vec::new();
    for k in 0..result.p_final.len() {
        let at = format!("valley {}", k + 1);
        let against = "Fokker-Planck along the path";
        let density = number(result.p_final_density[k], result.p_final_density_error);
        let master = number(result.p_final[k], result.p_final_error);
        rows.push(Comparison::of_models(QUANTITY, "master equation", master, against, density).at(&at));
        if let Some(sgd) = &result.sgd {
            let runs = number(sgd.p_final_sgd[k], sgd.p_final_sgd_standard_error[k]);
            let row = Comparison::of_models(QUANTITY, "SGD at its learning rate", runs, against, density);
            rows.push(row.on(Level::FiniteSteps).at(&at));
        }
        if let Some(langevin) = &result.langevin {
            let paths = number(
                langevin.p_final_langevin[k],
                langevin.p_final_langevin_standard_error[k],
            );
            let row = Comparison::of_models(QUANTITY, "Langevin at its time step", paths, against, density);
            rows.push(row.on(Level::FiniteSteps).at(&at));
        }
    }
    rows
}

/// Final P_flat under schedules: SGD against its map, and the two-state theory as a model of the density along the path.
fn schedules(result: &SchedulesResult) -> Vec<Comparison> {
    const QUANTITY: &str = "P_flat, final, schedules";
    let columns = result.change_y.len();
    let at = |k: usize| {
        format!(
            "{}, y = {}",
            result.shape[k / columns],
            result.change_y[k % columns]
        )
    };
    let entry = |values: &[f64], errors: &[f64], k: usize| number(values[k], errors[k]);
    let all = 0..result.p_flat_transfer.len();
    let mut rows: Vec<Comparison> = all
        .clone()
        .map(|k| {
            let theory = entry(&result.p_flat_two_state, &result.p_flat_two_state_error, k);
            let density = entry(&result.p_flat_density, &result.p_flat_density_error, k);
            let against = "Fokker-Planck along the path";
            Comparison::of_models(QUANTITY, "two-state theory", theory, against, density).at(&at(k))
        })
        .collect();
    if let Some(sgd) = &result.sgd {
        rows.extend(all.clone().map(|k| {
            let runs = entry(&sgd.p_flat_sgd, &sgd.p_flat_sgd_standard_error, k);
            let map = entry(&result.p_flat_transfer, &result.p_flat_transfer_error, k);
            let row = Comparison::of_numbers(QUANTITY, "discrete SGD", runs, "transfer operator", map);
            row.on(Level::FiniteSteps).at(&at(k))
        }));
    }
    if let Some(langevin) = &result.langevin {
        rows.extend(all.map(|k| {
            let paths = entry(
                &langevin.p_flat_langevin,
                &langevin.p_flat_langevin_standard_error,
                k,
            );
            let scheme = number(langevin.p_flat_langevin_scheme[k], 0.0);
            let row = Comparison::of_numbers(QUANTITY, "Langevin paths", paths, "their scheme", scheme);
            row.on(Level::FiniteSteps).at(&at(k))
        }));
    }
    rows
}

/// SGD's cells held against the law of SGD's map, y on its mean path.
fn phase_diagram_exact(ours: &PhaseDiagramResult, exact: &TransferColumns) -> Vec<Comparison> {
    let runs = ours.runs as f64;
    let fractions = ours.means.p_flat.value.iter().zip(&exact.p_flat_transfer);
    let probability = fractions
        .zip(&exact.p_flat_transfer_error)
        .map(|((fraction, p), error)| {
            // the sampling error that the law itself predicts, which does not vanish where no run or every run is flat
            (fraction - p) / error.hypot((p * (1.0 - p) / runs).sqrt())
        });
    let iterations = &ours.means.mean_freezing_iteration;
    let both = iterations.value.iter().zip(&iterations.standard_error).zip(
        exact
            .mean_freezing_iteration_transfer
            .iter()
            .zip(&exact.mean_freezing_iteration_transfer_error),
    );
    let time = both
        .filter(|(_, (t, _))| **t > SMALLEST_FREEZING_ITERATION)
        .map(|((t, e), (s, f))| (t - s) / e.hypot(*f));
    [
        ("P_flat(η, σ), all cells", probability.collect::<Vec<f64>>()),
        ("⟨t_f⟩(η, σ) > 20", time.collect()),
    ]
    .into_iter()
    .filter(|(_, z)| !z.is_empty())
    .map(|(quantity, z)| {
        Comparison::of_tables(quantity, "discrete SGD", "transfer operator, cells", &z).on(Level::FiniteSteps)
    })
    .collect()
}

fn phase_diagram(ours: &PhaseDiagramResult, authors: &PaperPhaseDiagram) -> Vec<Comparison> {
    let [probability, time] = ours.z_scores(authors);
    let compared = |z: Vec<f64>| -> Vec<f64> { z.into_iter().filter(|z| !z.is_nan()).collect() };
    [
        ("P_flat(η, σ), all cells", probability),
        ("⟨t_f⟩(η, σ) > 20", compared(time)),
    ]
    .map(|(quantity, z)| Comparison::of_tables(quantity, "discrete SGD", "authors' simulation", &z))
    .into()
}

/// The routes of a user's problem held against its grid, and its action against its loss.
fn escape(file: &ResultFile) -> Result<Vec<Comparison>> {
    let (grid, time) = ("Fokker-Planck grid", "mean first-passage time");
    let mut rows = Vec::new();
    if let Some(escape) = EscapeRecords::find(file)
        && let Some(reference) = escape.number(Quantity::MeanFirstPassageTime)
    {
        if let Some(simulation) = escape.simulation() {
            let value = number(
                simulation.mean_first_passage_time,
                simulation.mean_first_passage_time_standard_error,
            );
            rows.push(if escape.simulates_sgd() {
                let limit = "its limit η → 0, grid";
                Comparison::of_models(time, "discrete SGD", value, limit, reference).on(Level::FiniteSteps)
            } else {
                Comparison::of_numbers(time, "simulation", value, grid, reference)
            });
            let is_comparable = escape.simulates_sgd()
                && have_the_same_sets(file, EscapeRecords::GROUP, TransferOperatorResult::GROUP);
            if let Some(operator) = TransferOperatorResult::find(file)?.filter(|_| is_comparable) {
                let exact = number(
                    operator.mean_first_passage_time,
                    operator.mean_first_passage_time_error,
                );
                let row = Comparison::of_numbers(time, "discrete SGD", value, "transfer operator", exact);
                rows.push(row.on(Level::FiniteSteps));
            }
        }
        if let Some(integral) = escape.integral() {
            let exact = number(
                integral.mean_first_passage_time,
                integral.mean_first_passage_time_error,
            );
            rows.push(Comparison::of_numbers(
                time,
                grid,
                reference,
                "exact integral",
                exact,
            ));
        }
        // the routes share the ends, so that their agreement says nothing about them
        if escape.is_domain_too_small() {
            rows.iter_mut()
                .for_each(|row| row.verdict = "domain too small".into());
        }
    }
    if let Some(path) = EscapePathResult::find(file)? {
        rows.extend(small_noise(&path));
    }
    Ok(rows)
}

/// Splitting at the noise strength of the problem, held against the grid or, of SGD itself, against the transfer operator; with momentum against the limit of
/// small steps in phase space, another model. A route from another start or to another target is none of the same number.
fn rare_events(file: &ResultFile) -> Result<Vec<Comparison>> {
    let Some(result) = RareEventsResult::find(file)? else {
        return Ok(Vec::new());
    };
    let time = "mean first-passage time";
    if result.momentum > 0.0 {
        let Some(phase_space) = PhaseSpaceResult::find(file)? else {
            return Ok(Vec::new());
        };
        let row = phase_space.simulated(file)?.map(|(k, value)| {
            let (limit, error) = (
                phase_space.mean_first_passage_time[k],
                phase_space.mean_first_passage_time_error[k],
            );
            let limit = number(limit, error);
            Comparison::of_models(time, "SGD with momentum, splitting", value, "phase space", limit)
                .at(&format!("β = {}", result.momentum))
        });
        return Ok(row.into_iter().collect());
    }
    let Some(value) = result.time_of_problem() else {
        return Ok(Vec::new());
    };
    let has_sets_of = |other: &str| have_the_same_sets(file, RareEventsResult::GROUP, other);
    if result.is_sgd() {
        let is_comparable = has_sets_of(TransferOperatorResult::GROUP);
        let exact = TransferOperatorResult::find(file)?.filter(|_| is_comparable);
        return Ok(exact
            .map(|exact| number(exact.mean_first_passage_time, exact.mean_first_passage_time_error))
            .map(|exact| Comparison::of_numbers(time, "splitting", value, "transfer operator", exact))
            .map(|row| row.on(Level::FiniteSteps))
            .into_iter()
            .collect());
    }
    let escape = EscapeRecords::find(file).filter(|_| has_sets_of(EscapeRecords::GROUP));
    let grid = escape.and_then(|escape| escape.number(Quantity::MeanFirstPassageTime));
    Ok(grid
        .map(|grid| Comparison::of_numbers(time, "splitting", value, "Fokker-Planck grid", grid))
        .into_iter()
        .collect())
}

/// Simulated exit times under α-stable noise where they are known.
fn stable_exit(file: &ResultFile) -> Result<Vec<Comparison>> {
    let Some(result) = StableExitResult::find(file)? else {
        return Ok(Vec::new());
    };
    let errors = result.errors();
    let count = result.strength.len();
    let known = (result.mean_exit_time_exact.iter().enumerate()).filter(|(_, exact)| exact.is_finite());
    Ok(known
        .map(|(k, exact)| {
            let value = number(result.mean_exit_time.value[k], errors[k]);
            let (alpha, strength) = (result.stability[k / count], result.strength[k % count]);
            Comparison::of_numbers(
                "mean exit time",
                "stable walk",
                value,
                "exact",
                number(*exact, 0.0),
            )
            .at(&format!("α = {alpha}, ε = {strength}"))
        })
        .collect())
}

/// Two coupled variables by their modes, held against the grid in the plane.
fn coupled(file: &ResultFile) -> Result<Vec<Comparison>> {
    let Some(result) = CoupledResult::find(file)? else {
        return Ok(Vec::new());
    };
    let planar = result.planar_gap.as_ref().zip(result.planar_gap_error.as_ref());
    let row = result.dimension.iter().position(|d| *d == 2).zip(planar);
    let Some((row, (gap, error))) = row else {
        return Ok(Vec::new());
    };
    let first = row * result.coupling.len();
    let both = result.coupling.iter().enumerate().map(|(k, coupling)| {
        let modes = number(
            result.spectral_gap[first + k],
            result.spectral_gap_error[first + k],
        );
        let grid = number(gap[k], error[k]);
        (modes, grid, format!("d = 2, J = {coupling}"))
    });
    Ok(both
        .filter(|(modes, ..)| modes.value.is_finite())
        .map(|(modes, grid, at)| {
            Comparison::of_numbers(
                "spectral gap",
                "products of modes",
                modes,
                "Fokker-Planck grid",
                grid,
            )
            .at(&at)
        })
        .collect())
}

/// Multiple of 1/exponent up to which a formula for small noise is called in agreement: the coefficient of its first correction is of
/// order one, 0.4 for the quartic double well and 1.1 for Maier and Stein's process with β = 2.
const LARGEST_SMALL_NOISE_Z: f64 = 2.0;

/// A formula for small noise with its expected deviation, held against the grid.
fn of_small_noise(quantity: &str, formula: &str, value: Estimate, grid: Estimate) -> Comparison {
    let row = Comparison::of_numbers(quantity, formula, value, "Fokker-Planck grid", grid);
    let percent = 100.0 * (value.value / grid.value - 1.0);
    let verdict = if row.z.abs() <= LARGEST_SMALL_NOISE_Z {
        format!("agree to {percent:+.1} %, within O(noise/barrier)")
    } else {
        format!("differ by {percent:.2} %, more than O(noise/barrier)")
    };
    Comparison { verdict, ..row }
}

/// The gap of the chain of minima at the noise strength of the problem itself, held against the grid.
fn critical_points(file: &ResultFile) -> Result<Vec<Comparison>> {
    let rates = CriticalPointsResult::find(file)?.and_then(|result| result.rates);
    let value = rates.and_then(|rates| rates.gap_of_problem());
    let value = value.map(|(gap, error)| number(gap, error));
    let grid = EscapeRecords::find(file).and_then(|escape| escape.number(Quantity::SpectralGap));
    let rows = value
        .zip(grid)
        .map(|(value, grid)| of_small_noise("spectral gap", "Eyring-Kramers-Langer", value, grid));
    Ok(rows.into_iter().collect())
}

/// Formulas for small noise, held against the grid in units of their own expected deviation, never as if they were exact.
fn small_noise(path: &EscapePathResult) -> Vec<Comparison> {
    let both = |value: Option<f64>, error: Option<f64>| Some(number(value?, error?));
    let mut rows = Vec::new();
    if let (Some(grid), Some(mut value), [formula], Some(_)) = (
        both(path.escape_rate, path.escape_rate_error),
        both(
            path.escape_rate_theory,
            path.escape_rate_theory_expected_deviation,
        ),
        path.formula.as_slice(),
        path.escape_rate_ratio,
    ) {
        value.standard_error *= value.value;
        rows.push(of_small_noise("escape rate", formula, value, grid));
    }
    if let (Some(action), Some(reduced)) = (
        both(path.exponent, path.exponent_error),
        both(path.reduced_barrier, path.reduced_barrier_error),
    ) {
        rows.push(Comparison::of_numbers(
            "exponent of the escape rate",
            "least action",
            action,
            "loss barrier over T",
            reduced,
        ));
    }
    rows
}

records! {
    /// comparisons between routes and with published values; for tables, value is the largest |z|, reference its bound, z the rms
    pub struct AgreementResult in "agreement" {
        /// what both sides are about: η → 0, finite η, or published data
        level: Vec<String> => [comparison] "text",
        /// what is compared
        quantity: Vec<String> => [comparison] "text",
        /// at which parameters
        at: Vec<String> => [comparison] "text",
        /// route of the value
        route: Vec<String> => [comparison] "text",
        /// value, or the largest |z| of a table
        value: Vec<f64> => [comparison] "as quantity",
        /// standard error of the value
        error: Vec<f64> => [comparison] "as quantity",
        /// route or publication of the reference
        against: Vec<String> => [comparison] "text",
        /// reference value, or the bound of |z|
        reference: Vec<f64> => [comparison] "as quantity",
        /// standard error of the reference
        reference_error: Vec<f64> => [comparison] "as quantity",
        /// (value - reference)/combined error, or the rms of a table
        z: Vec<f64> => [comparison] "1" missing "a difference of models, which no error explains",
        /// agree, by how much they differ, or the difference of two models
        verdict: Vec<String> => [comparison] "text",
    }
}

/// The comparisons as the group `/agreement`.
///
/// # Errors
/// [`crate::Error::NotFinite`] when an estimate is not a finite number.
pub(crate) fn group(rows: &[Comparison]) -> Result<Group> {
    let text = |f: fn(&Comparison) -> &String| rows.iter().map(|r| f(r).clone()).collect();
    let real = |f: fn(&Comparison) -> f64| rows.iter().map(f).collect();
    let result = AgreementResult {
        level: rows.iter().map(|r| r.level.name().into()).collect(),
        at: text(|r| &r.at),
        quantity: text(|r| &r.quantity),
        route: text(|r| &r.route),
        value: real(|r| r.value.value),
        error: real(|r| r.value.standard_error),
        against: text(|r| &r.against),
        reference: real(|r| r.reference.value),
        reference_error: real(|r| r.reference.standard_error),
        z: real(|r| r.z),
        verdict: text(|r| &r.verdict),
    };
    result.group()
}

/// Rows of a block that are folded into one where all of them agree.
const FOLDED: usize = 4;

/// The comparisons of a result file as a table for a terminal of `width` characters: by level, then by routes, one block for each pair of them. A block of more than
/// four rows that all agree is one line with its worst case; the file keeps all rows.
pub fn table(rows: &[Comparison], width: usize) -> String {
    let mut out = String::new();
    for level in Level::ALL {
        let mut blocks: Vec<Vec<&Comparison>> = Vec::new();
        for row in rows.iter().filter(|row| row.level == level) {
            let is_same = |block: &&mut Vec<&Comparison>| {
                (&block[0].route, &block[0].against) == (&row.route, &row.against)
            };
            match blocks.iter_mut().find(is_same) {
                Some(block) => block.push(row),
                None => blocks.push(vec![row]),
            }
        }
        if blocks.is_empty() {
            continue;
        }
        out.push_str(&format!("{}\n", level.name()));
        // the longest last, so that the short ones are not lost between them
        blocks.sort_by_key(Vec::len);
        for block in blocks {
            push_block(&mut out, &block, width);
        }
    }
    out
}

fn push_block(out: &mut String, block: &[&Comparison], width: usize) {
    let mut push = |line: &str| {
        out.push_str(line.trim_end());
        out.push('\n');
    };
    push(&format!("  {} — {}", block[0].route, block[0].against));
    let worst = block.iter().max_by(|a, b| a.z.abs().total_cmp(&b.z.abs()));
    if let Some(worst) = worst.filter(|_| block.len() > FOLDED && block.iter().all(|row| row.agrees())) {
        let (count, quantity, at) = (block.len(), &worst.quantity, &worst.at);
        push(&format!(
            "    all {count} agree; worst {quantity}, {at}: z {:+.2}",
            worst.z
        ));
        return;
    }
    let cells: Vec<[String; 4]> = block.iter().map(|row| row_cells(row)).collect();
    let widest: [usize; 3] = std::array::from_fn(|c| {
        let lengths = cells.iter().map(|row| row[c].chars().count());
        lengths.max().unwrap_or(0)
    });
    for (k, (comparison, row)) in block.iter().zip(&cells).enumerate() {
        let is_new = k == 0 || block[k - 1].quantity != comparison.quantity;
        if is_new && !comparison.at.is_empty() {
            push(&format!("    {}", comparison.quantity));
        }
        let padded: Vec<String> = (row.iter().zip(widest))
            .map(|(cell, widest)| padded(cell, widest))
            .collect();
        let line = format!("      {}", padded.join("  "));
        // what does not fit stands under its row
        if line.chars().count() + 2 + row[3].chars().count() <= width {
            push(&format!("{line}  {}", row[3]));
        } else {
            push(&line);
            push(&format!("        {}", row[3]));
        }
    }
}

/// Parameters (or the quantity, where there are none), value, reference, verdict.
fn row_cells(row: &Comparison) -> [String; 4] {
    let name = match row.at.as_str() {
        "" => &row.quantity,
        at => at,
    };
    if row.value.samples > 1 && row.value.standard_error == 0.0 {
        let counted = format!("{} cells, max |z| {:.2}", row.value.samples, row.value.value);
        return [
            name.into(),
            counted,
            format!("rms z {:.2}", row.z),
            row.verdict.clone(),
        ];
    }
    let verdict = match row.z.is_nan() {
        true => row.verdict.clone(),
        false => format!("z {:+.2} {}", row.z, row.verdict),
    };
    [
        name.into(),
        row.value.to_string(),
        row.reference.to_string(),
        verdict,
    ]
}
