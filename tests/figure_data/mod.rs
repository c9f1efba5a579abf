//! Records that look like those of the two-valley model, by formulas that are rough or mean nothing.

use freezeout::output::{Estimates, Group, Record, Records, ResultFile};
use freezeout::questions::coupled::CoupledResult;
use freezeout::questions::critical_points::{CriticalPointsMap, CriticalPointsResult};
use freezeout::questions::freezing::{FreezingResult, FreezingSgd};
use freezeout::questions::freezing_design::FreezingDesignResult;
use freezeout::questions::network::{ContinuedColumns, NetworkResult};
use freezeout::questions::network_escape::{
    CrossingColumns, NetworkEscapeResult, RestartColumns, SectionColumns,
};
use freezeout::questions::network_schedules::{MeanColumns, NetworkSchedulesResult};
use freezeout::questions::noise_laws::NoiseLawsResult;
use freezeout::questions::phase_space::PhaseSpaceResult;
use freezeout::questions::rare_events::RareEventsResult;
use freezeout::questions::stable_exit::StableExitResult;
use freezeout::questions::transfer_operator::TransferOperatorResult;
use freezeout::two_valleys::ablations::{AblationsResult, CollapseColumns};
use freezeout::two_valleys::final_probability::{
    DensityRoute, FinalProbabilityResult, FinalProbabilityRuns, IsotropicControl, PlanarRoute, TransferRoute,
    TwoStateRoute,
};
use freezeout::two_valleys::freezing_line::FreezingLineResult;
use freezeout::two_valleys::freezing_line::LineTransfer;
use freezeout::two_valleys::freezing_theory::FreezingPathResult;
use freezeout::two_valleys::schedule_design::ScheduleDesignResult;
use freezeout::two_valleys::schedules::{SchedulesResult, SgdColumns};
use freezeout::two_valleys::slices::{
    ClosedFormSlices, GridSlices, IntegralSlices, LangevinSlices, PaperSlices, SlicePositions, SlicesResult,
};
use freezeout::two_valleys::static_odds::{self, OddsOverContinuous, RoundedRidgeOdds, StaticOddsResult};
use freezeout::two_valleys::stationary_map::StationaryMapResult;
use freezeout::two_valleys::surface::SurfaceResult;
use freezeout::two_valleys::trajectories::TrajectoriesResult;
use freezeout::two_valleys::valley_columns::TimeScales;
use freezeout::two_valleys::valley_columns::ValleyMeans;

pub fn space(low: f64, high: f64, n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| low + (high - low) * i as f64 / (n - 1) as f64)
        .collect()
}

pub fn log_space(low: f64, high: f64, n: usize) -> Vec<f64> {
    space(low.ln(), high.ln(), n).into_iter().map(f64::exp).collect()
}

fn push(group: &mut Group, name: &str, dimensions: &[(&str, usize)], values: Vec<f64>) {
    group
        .push(Record::new(name, "1", dimensions, values).unwrap())
        .unwrap();
}

/// Between -1 and 1, without a pattern to the eye.
fn jitter(k: usize) -> f64 {
    (k as f64 * 12.9898).sin()
}

fn rate(y: f64, d: f64) -> f64 {
    0.5 / (y * y / (y + 20.0).powi(2) / d * 0.5).exp()
}

fn p_flat(y: f64, d: f64) -> f64 {
    0.5 + 0.46 * (y / (2.0 * d.powf(0.4) * 30.0)).min(1.0).powf(0.3)
}

/// The same relative error for every entry.
pub fn with_error(value: Vec<f64>, error: f64) -> Estimates {
    Estimates {
        standard_error: vec![error; value.len()],
        value,
    }
}

/// Ensembles along the whole of training.
pub fn freezing_line(noise_strength: Vec<f64>, means: ValleyMeans) -> Group {
    let step: Vec<u64> = (1..=200).map(|k| k * 500).collect();
    let y: Vec<f64> = step.iter().map(|k| 1.0 + 0.0215 * *k as f64 * 0.01).collect();
    let (mut p, mut hops, mut mean_y) = (Vec::new(), Vec::new(), Vec::new());
    for (n, d) in noise_strength.iter().enumerate() {
        let mut sum = 0.0;
        for (k, y) in y.iter().enumerate() {
            sum += rate(*y, *d) * 5.0;
            // A mean over 1000 runs counts thousandths.
            hops.push((sum * 1000.0).floor() / 1000.0);
            p.push(p_flat(*y, *d) + 0.004 * jitter(k + n));
            mean_y.push(*y);
        }
    }
    let result = FreezingLineResult {
        regime: None,
        learning_rate: 0.01,
        start_y: 1.0,
        ramp: 1.0,
        runs: 1000,
        steps: 100_000,
        sigma: noise_strength.iter().map(|d| d / 0.01).collect(),
        transfer: Some(LineTransfer {
            p_flat_transfer: means.p_flat.value.clone(),
            p_flat_transfer_error: vec![1e-6; noise_strength.len()],
            mean_freezing_y_transfer: means.mean_freezing_y.value.clone(),
            mean_freezing_y_transfer_error: vec![1e-6; noise_strength.len()],
        }),
        noise_strength,
        means,
        step,
        path_p_flat: p,
        path_mean_y: mean_y,
        path_hops: hops,
    };
    result.group().unwrap()
}

fn freezing_path() -> Group {
    let noise = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3];
    let y = log_space(1.0, 22.0, 101);
    let every = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        noise
            .iter()
            .flat_map(|d| y.iter().map(|y| f(*y, *d)).collect::<Vec<_>>())
            .collect()
    };
    let result = FreezingPathResult {
        noise_strength: noise.to_vec(),
        y: every(&|y, _| y),
        time: every(&|y, _| y.ln()),
        hop_rate: every(&rate),
        p_flat: every(&p_flat),
    };
    result.group().unwrap()
}

fn landscape() -> Group {
    let (x, y) = (space(-1.2, 1.4, 131), space(0.0, 100.0, 101));
    let floor = |side: f64, y: f64| side * y / (y + 30.0);
    let mut loss = Vec::new();
    for y in &y {
        let base = 1.0 + (-y / 100.0).exp();
        for x in &x {
            let side: f64 = if *x > 0.0 { 0.8 } else { 0.65 };
            let f = side.powi(2) * (y + 20.0).powi(2) / (y + 30.0).powi(2);
            loss.push(base + x.abs() * (x.abs() - 2.0 * floor(side, *y)) / f);
        }
    }
    let result = SurfaceResult {
        loss,
        minimum_flat: y.iter().map(|y| floor(0.8, *y)).collect(),
        minimum_sharp: y.iter().map(|y| floor(-0.65, *y)).collect(),
        x,
        y,
    };
    result.group().unwrap()
}

fn trajectories() -> Group {
    let step: Vec<u64> = (0..=20_000).map(|k| k * 5).collect();
    let (mut all_x, mut all_y) = (Vec::new(), Vec::new());
    for run in 0..5_usize {
        let mut side = 1.0;
        for (k, step) in step.iter().enumerate() {
            let y = 1.0 + 0.0215 * *step as f64 * 0.01;
            let chance = 0.01 * (-y).exp() * 10.0;
            if jitter(k * 7 + run * 1013).abs() < chance {
                side = -side;
            }
            if k > 19_000 / (run + 1) {
                side = if run < 3 { 1.0 } else { -1.0 };
            }
            let floor = if side > 0.0 { 0.8 } else { -0.65 } * y / (y + 30.0);
            all_x.push(floor + 0.035 * (jitter(k + run * 31) + jitter(3 * k + run)));
            all_y.push(y + 0.02 * jitter(k + 5 * run));
        }
    }
    let result = TrajectoriesResult {
        regime: None,
        learning_rate: 0.01,
        sigma: 0.05,
        step,
        x: all_x,
        y: all_y,
    };
    result.group().unwrap()
}

fn stationary_map() -> Group {
    let (y, noise_strength) = (log_space(0.5, 50.0, 60), log_space(5e-5, 5e-3, 50));
    let p = |y: f64, d: f64| 0.6 + 0.4 * (y * y / (y + 20.0).powi(2) / d * 0.02).tanh();
    let along = |f: &dyn Fn(f64) -> f64| noise_strength.iter().map(|d| f(*d)).collect::<Vec<f64>>();
    let result = StationaryMapResult {
        regime: vec!["adiabatic".into()],
        freezing_y_error: vec![1e-3; noise_strength.len()],
        final_p_flat_error: vec![1e-5; noise_strength.len()],
        time_scales: time_scales(noise_strength.len()),
        p_flat: y.iter().flat_map(|y| along(&|d| p(*y, d))).collect(),
        freezing_y: along(&|d| 1.0 + 150.0 * d.powf(0.51)),
        final_p_flat: along(&|d| p(50.0, d)),
        y,
        noise_strength,
    };
    result.group().unwrap()
}

fn escape_fields() -> Group {
    let mut group = Group::new("escape/fields").unwrap();
    let (x, y) = (space(-2.0, 2.0, 40), space(-1.5, 1.5, 30));
    let loss = |x: f64, y: f64| 0.25 * (x * x - 1.0).powi(2) + 0.5 * y * y;
    for (name, of) in [
        ("loss", Box::new(loss) as Box<dyn Fn(f64, f64) -> f64>),
        ("effective_potential", Box::new(move |x, y| 10.0 * loss(x, y) + x)),
        (
            "mean_first_passage_time_field",
            Box::new(|x: f64, _| 50.0 * (1.0 - (3.0 * x).tanh())),
        ),
        ("committor", Box::new(|x: f64, _| 0.5 + 0.5 * (3.0 * x).tanh())),
    ] {
        let values = x
            .iter()
            .flat_map(|x| y.iter().map(|y| of(*x, *y)).collect::<Vec<_>>());
        push(
            &mut group,
            name,
            &[("x", x.len()), ("y", y.len())],
            values.collect(),
        );
    }
    group.push(Record::coordinate("x", "1", x).unwrap()).unwrap();
    group.push(Record::coordinate("y", "1", y).unwrap()).unwrap();
    group
}

/// A density that spreads over the cells of the fields.
fn density_in_time() -> Group {
    let mut group = Group::new("escape/density_in_time").unwrap();
    let times = vec![0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
    let density = |t: f64, x: f64, y: f64| (-((x + 1.0).powi(2) + y * y) / (0.1 + 0.05 * t)).exp();
    let (x, y) = (space(-2.0, 2.0, 40), space(-1.5, 1.5, 30));
    let mut values = Vec::new();
    for t in &times {
        for x in &x {
            values.extend(y.iter().map(|y| density(*t, *x, *y)));
        }
    }
    let dimensions = [("density_time", times.len()), ("x", x.len()), ("y", y.len())];
    push(&mut group, "density", &dimensions, values);
    group
        .push(Record::coordinate("density_time", "time", times).unwrap())
        .unwrap();
    group
}

fn transfer_operator() -> Group {
    let node = space(-2.0, 2.0, 200);
    let density = |x: &f64| (-4.0 * (x * x - 1.0).powi(2)).exp();
    let result = TransferOperatorResult {
        learning_rate: 0.01,
        stationary_density: node.iter().map(density).collect(),
        node,
        stationary_variance: 0.9,
        stationary_variance_error: 1e-9,
        mean_first_passage_time: 50.0,
        mean_first_passage_time_error: 1e-7,
        spectral_gap: 0.04,
        spectral_gap_error: 1e-9,
    };
    result.group().unwrap()
}

fn slices() -> Vec<Group> {
    let times = |factor: f64| [1.0, 3.0, 0.2].map(|t| factor * t).to_vec();
    let p = |shift: f64| [0.9, 0.85, 0.95].map(|p| p + shift).to_vec();
    let result = SlicesResult {
        slices: SlicePositions {
            y: vec![5.0, 5.0, 10.0],
            noise_strength: vec![1e-3, 5e-4, 1e-2],
        },
        grid: GridSlices {
            flat_to_sharp: times(100.0),
            sharp_to_flat: times(10.0),
            flat_to_ridge: times(50.0),
            sharp_to_ridge: times(5.0),
            p_flat: p(0.0),
            spectral_gap: vec![0.11, 0.037, 0.55],
            relative_error: vec![1e-9; 3],
        },
        integral: IntegralSlices {
            flat_to_sharp: times(100.0),
            sharp_to_flat: times(10.0),
            p_flat: p(0.0),
            relative_error: vec![1e-12; 3],
        },
        langevin: Some(LangevinSlices {
            sharp_to_flat: with_error(times(10.1), 0.3),
        }),
        paper: Some(PaperSlices {
            flat_to_ridge: times(52.0),
            sharp_to_ridge: times(4.8),
            p_flat: p(-0.02),
        }),
        closed_form: Some(ClosedFormSlices {
            p_flat_ito: p(0.0),
            p_flat_stratonovich: p(-0.03),
            p_flat_antiito: p(-0.06),
        }),
    };
    result.groups().unwrap()
}

/// Time scales of a number of paths.
pub fn time_scales(paths: usize) -> TimeScales {
    TimeScales {
        adiabatic_parameter: vec![0.007; paths],
        freeze_out_y: vec![4.9; paths],
    }
}

fn final_probability() -> Vec<Group> {
    let noise = vec![1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 3e-3];
    let p = |shift: f64| {
        noise
            .iter()
            .enumerate()
            .map(|(k, d)| 0.93 + 0.012 * (d / 1e-4_f64).ln() + shift * (1.0 + 0.3 * jitter(k)))
            .collect::<Vec<f64>>()
    };
    let y = || noise.iter().map(|d| 150.0 * d.powf(0.51)).collect::<Vec<f64>>();
    let runs = FinalProbabilityRuns {
        learning_rate: 0.01,
        start_y: 1.0,
        end_y: vec![50.0; 6],
        regime: vec!["adiabatic".into()],
        time_scales: time_scales(6),
        noise_strength: noise.clone(),
    };
    let two_state = TwoStateRoute {
        noise_strength: noise.clone(),
        p_flat: p(0.0),
        p_flat_error: vec![1e-6; 6],
        mean_freezing_y: y(),
        mean_freezing_y_error: vec![1e-6; 6],
        mean_freezing_y_poisson: y(),
        mean_hops: y(),
        mean_hops_error: vec![1e-5; 6],
    };
    let density = DensityRoute {
        noise_strength: noise.clone(),
        p_flat: p(0.001),
        p_flat_error: vec![4e-4; 6],
        mass_error: vec![1e-15; 6],
        mean_freezing_y: y(),
        mean_freezing_y_error: vec![1e-3; 6],
        mean_ridge_y: y(),
        mean_hops: y(),
        mean_hops_error: vec![1e-4; 6],
    };
    let transfer = TransferRoute {
        noise_strength: noise.clone(),
        p_flat: p(-0.006),
        p_flat_error: vec![1e-6; 6],
        defect: vec![1e-12; 6],
        mean_freezing_y: y(),
        mean_freezing_y_error: vec![1e-4; 6],
    };
    let isotropic = IsotropicControl {
        noise_strength: noise.clone(),
        p_flat: vec![0.5517; 6],
        p_flat_error: vec![1e-6; 6],
        mean_freezing_y: y(),
    };
    let planar = Some(PlanarRoute {
        noise_strength: noise.clone(),
        p_flat: p(0.0005),
        p_flat_error: vec![2e-4; 6],
        mass_error: vec![1e-15; 6],
    });
    let result = FinalProbabilityResult {
        runs,
        two_state,
        density,
        transfer,
        isotropic,
        planar,
    };
    result.groups().unwrap()
}

fn ablations() -> Group {
    let names = [
        "full model",
        "barrier held",
        "flatness held",
        "ramp x 2",
        "ramp / 2",
        "y held",
        "isotropic noise",
        "p = 1.5",
        "p = 2",
    ];
    let noise: Vec<f64> = vec![1e-4, 3e-4, 1e-3, 3e-3];
    let (mut y, mut p, mut unfrozen) = (Vec::new(), Vec::new(), Vec::new());
    for v in 0..names.len() {
        for (k, d) in noise.iter().enumerate() {
            let held = v == 1 || v == 5;
            y.push(if v == 5 {
                1.0
            } else if v == 1 {
                18.0
            } else {
                (1.0 + 150.0 * d.powf(0.51)) * (1.0 + 0.07 * v as f64)
            });
            p.push(if v == 6 {
                0.55
            } else {
                0.93 - 0.03 * v as f64 + 0.012 * (d / 1e-4_f64).ln() + 0.005 * jitter(k)
            });
            unfrozen.push(if held && k > 0 { 0.5 } else { 0.0 });
        }
    }
    let size = y.len();
    let estimates = |value: Vec<f64>, error: &dyn Fn(f64) -> f64| Estimates {
        standard_error: value.iter().map(|v| error(*v)).collect(),
        value,
    };
    let result = AblationsResult {
        regime: None,
        learning_rate: 0.01,
        start_y: 1.0,
        runs: 1000,
        steps: 50_000,
        variant: names.iter().map(|n| (*n).to_string()).collect(),
        power: vec![1.5, 2.0],
        collapse_learning_rate: vec![0.005, 0.01],
        collapse: CollapseColumns {
            freezing_time_transfer: vec![100.0; 16],
            freezing_time_transfer_error: vec![0.01; 16],
            trapped_transfer: vec![0.0; 16],
            unfrozen_transfer: vec![0.0; 16],
        },
        noise_strength: noise,
        means: ValleyMeans {
            p_flat: estimates(p, &|_| 0.008),
            mean_freezing_iteration: estimates(y.iter().map(|y| 100.0 * y).collect(), &|t| 0.03 * t),
            mean_last_hop_y: estimates(y.clone(), &|y| 0.03 * y),
            mean_freezing_y: estimates(y, &|y| 0.03 * y),
            mean_hops: with_error(vec![3.0; size], 0.05),
            unfrozen_fraction: unfrozen,
            mean_final_y: vec![25.0; size],
        },
    };
    result.group().unwrap()
}

fn static_odds() -> Vec<Group> {
    let eta = log_space(1e-3, 0.1, 7);
    let rows = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        [1.0, 0.9, 0.6]
            .iter()
            .flat_map(|size| eta.iter().map(|eta| f(*eta, *size)).collect::<Vec<_>>())
            .collect()
    };
    let width = vec![0.01, 0.03, 0.1, 0.3, 1.0];
    let along = |f: &dyn Fn(f64) -> f64| width.iter().map(|w| f(*w)).collect::<Vec<f64>>();
    let odds = OddsOverContinuous {
        flatness_ratio: 1.5148,
        ridge_y: 5.0,
        ridge_noise_strength: 1e-3,
        ridge_learning_rate: 0.01,
        y: vec![5.0, 10.0, 5.0],
        noise_strength: vec![2e-3, 5e-3, 1e-2],
        odds_continuous: vec![3.0, 3.9, 1.3],
        ratio_stratonovich: vec![1.231; 3],
        ratio_ito: vec![1.5148; 3],
        ratio_sgd: rows(&|eta, size| 1.5 - size * eta.powf(0.4) + 0.02 * (1e4 * eta).sin()),
        ratio_sgd_standard_error: vec![0.025; 21],
        ratio_transfer: rows(&|eta, size| 1.5 - size * eta.powf(0.4)),
        ratio_transfer_error: vec![1e-6; 21],
        learning_rate: eta.clone(),
    };
    let isotropic = static_odds::IsotropicControl {
        p_flat_sgd: rows(&|eta, size| 0.5517 + size * eta + 0.003 * (1e4 * eta).sin()),
        p_flat_sgd_standard_error: vec![0.0035; 21],
        p_flat_transfer: rows(&|eta, size| 0.5517 + size * eta),
        p_flat_transfer_error: vec![1e-6; 21],
        learning_rate: eta,
    };
    let ridge = RoundedRidgeOdds {
        odds_integral: along(&|w| 14.0 / (1.0 + 3.0 * w)),
        odds_integral_error: vec![1e-9; 5],
        odds_grid: along(&|w| 14.0 / (1.0 + 3.0 * w)),
        odds_grid_error: vec![1e-6; 5],
        odds_continuous: along(&|w| 9.2 / (1.0 + 2.0 * w)),
        odds_sgd: along(&|w| 12.0 / (1.0 + 2.5 * w)),
        odds_sgd_standard_error: vec![0.3; 5],
        odds_transfer: along(&|w| 12.2 / (1.0 + 2.5 * w)),
        odds_transfer_error: vec![1e-5; 5],
        odds_transfer_quarter: along(&|w| 13.0 / (1.0 + 2.7 * w)),
        splitting: along(&|w| 0.5 + 0.07 / (1.0 + 4.0 * w)),
        spectral_gap: vec![0.08; 5],
        ridge_width: width,
    };
    let result = StaticOddsResult {
        odds,
        isotropic,
        ridge: Some(ridge),
    };
    result.groups().unwrap()
}

fn schedules() -> Group {
    let change_y = vec![1.2, 1.5, 2.0, 3.0, 5.0, 10.0];
    let p = |shift: f64| -> Vec<f64> {
        let dip = |y: &f64| 0.96 - 0.25 * (-(y / 2.0_f64).ln().powi(2) * 2.0).exp() + shift;
        change_y.iter().chain(&change_y).map(dip).collect()
    };
    let result = SchedulesResult {
        before: 1e-3,
        after: 1e-4,
        start_y: 1.0,
        learning_rate: 0.01,
        lever: vec!["batch_size".into()],
        regime: vec!["adiabatic".into()],
        time_scales: time_scales(12),
        langevin: None,
        shape: vec!["step".into(), "cosine".into()],
        p_flat_transfer_equal_steps: p(-0.01),
        steps: vec![9e4; 12],
        samples: vec![5e5; 12],
        p_flat_two_state: p(0.0),
        p_flat_two_state_error: vec![1e-6; 12],
        continuous: None,
        p_flat_density: p(0.0005),
        p_flat_density_error: vec![1e-5; 12],
        p_flat_transfer: p(-0.01),
        p_flat_transfer_error: vec![1e-5; 12],
        sgd: Some(SgdColumns {
            p_flat_sgd: p(-0.012),
            p_flat_sgd_standard_error: vec![0.005; 12],
        }),
        p_flat_constant: vec![0.961, 0.938],
        p_flat_constant_error: vec![1e-6; 2],
        change_y,
    };
    result.group().unwrap()
}

fn freezing() -> Group {
    let s = space(1.0, 20.0, 21);
    let snapshots = vec![5.0, 10.0, 20.0];
    let x = space(-1.0, 1.0, 41);
    let along = |of: &dyn Fn(f64) -> f64| s.iter().map(|s| of(*s)).collect::<Vec<f64>>();
    let both = |of: &dyn Fn(f64) -> f64, other: &dyn Fn(f64) -> f64| [along(of), along(other)].concat();
    let result = FreezingResult {
        start: 1.0,
        end: 20.0,
        duration: 870.0,
        shallowest: 1.0,
        regime: vec!["adiabatic".into()],
        time: along(&|s| 45.0 * (s - 1.0)),
        valley: Some(vec![1, 2]),
        valley_x: both(&|s| 0.8 * s / (s + 30.0), &|s| -0.65 * s / (s + 30.0)),
        probability: both(&|s| 0.96 - 0.46 / s, &|s| 0.04 + 0.46 / s),
        no_hop_after: along(&|s| 1.0 - 1.0 / s),
        hops: along(&|s| 30.0 * (1.0 - 1.0 / s)),
        exchange_rate: along(&|s| rate(s, 1e-3)),
        adiabatic_parameter: along(&|s| 1e-3 / s),
        p_final: vec![0.96, 0.04],
        p_final_error: 1e-5,
        p_final_density: vec![0.96, 0.04],
        p_final_density_error: 1e-5,
        freezing_position: 4.3,
        freezing_position_error: 1e-3,
        freezing_time: 180.0,
        freezing_time_error: 0.1,
        freeze_out: 5.6,
        density: vec![0.5; 41 * snapshots.len()],
        effective_potential: vec![1.0; 41 * snapshots.len()],
        snapshot_probability: vec![0.9, 0.95, 0.96, 0.1, 0.05, 0.04],
        tables: None,
        continuous: None,
        sgd: Some(FreezingSgd {
            p_final_sgd: vec![0.95, 0.05],
            p_final_sgd_standard_error: vec![0.005; 2],
        }),
        langevin: None,
        snapshot_s: snapshots,
        x,
        s,
    };
    result.group().unwrap()
}

fn freezing_design() -> Group {
    let s = space(0.0, 0.3, 61);
    let names = ["best", "best, a tenth later", "constant, best", "cosine, best"];
    let factors = |k: usize| {
        s.iter()
            .map(move |s| [1.0 + 10.0 * s, 0.9 + 9.0 * s, 2.0, 4.0 - 12.0 * s][k])
    };
    let p = vec![0.97, 0.95, 0.9, 0.6];
    let result = FreezingDesignResult {
        valley: 2.0,
        weakest: 0.4,
        strongest: 4.0,
        piece_end: vec![0.0, 0.1, 0.2, 0.3],
        factor: vec![0.5, 1.0, 2.0, 4.0],
        schedule: names.map(String::from).to_vec(),
        noise_factor: (0..4).flat_map(factors).collect(),
        p_design: 0.97,
        p_bound: 0.98,
        p_one_changed: (0..12).map(|k| 0.97 - 0.08 * f64::from(k % 5)).collect(),
        p_chosen: p.clone(),
        p_chosen_error: vec![1e-6; 4],
        p_chosen_density: p.iter().map(|p| p - 0.02).collect(),
        p_chosen_density_error: vec![1e-5; 4],
        gains: None,
        sgd: None,
        sgd_gains: None,
        s,
    };
    result.group().unwrap()
}

fn schedule_design() -> Group {
    let y = space(1.0, 20.0, 31);
    let names = ["best", "best, a tenth later", "constant, best", "cosine, best"];
    let p = vec![0.984, 0.953, 0.974, 0.958];
    let strengths = |k: usize| y.iter().map(move |y| [1e-4 * y, 8e-5 * y, 3e-3, 3e-3 / y][k]);
    let result = ScheduleDesignResult {
        weakest: 1e-4,
        strongest: 3e-3,
        start_y: 1.0,
        end_y: 20.0,
        learning_rate: 0.01,
        schedule: names.map(String::from).to_vec(),
        regime: vec!["adiabatic".into()],
        time_scales: time_scales(4),
        p_flat_bound: 0.984,
        batches_a_step: vec![4.0; 4],
        noise_strength: (0..4).flat_map(strengths).collect(),
        p_flat_design: p.clone(),
        p_flat_two_state: p.clone(),
        p_flat_two_state_error: vec![1e-5; 4],
        p_flat_density: p.clone(),
        p_flat_density_error: vec![1e-5; 4],
        p_flat_transfer: p.iter().map(|p| p - 0.005).collect(),
        p_flat_transfer_error: vec![1e-5; 4],
        gains: None,
        sgd_gains: None,
        sgd: Some(SgdColumns {
            p_flat_sgd: p,
            p_flat_sgd_standard_error: vec![2e-3; 4],
        }),
        sensitivity: vec![0.0; 6],
        exchange_rate: y[1..].iter().map(|y| 1.0 / y).collect(),
        change_of_rate: y[1..].iter().map(|y| 0.5 / y).collect(),
        p_flat_stationary: vec![0.98; 30],
        y,
    };
    result.group().unwrap()
}

fn network() -> Group {
    let (settings, repeats, times, scan) = (4, 2, 11, 6);
    let runs = settings * repeats;
    let falling =
        |n: usize, from: f64| -> Vec<f64> { (0..runs * n).map(|k| from / (1 + k % n) as f64).collect() };
    let constant = |n: usize, value: f64| vec![value; runs * n];
    let result = NetworkResult {
        training_images: 500,
        test_images: 100,
        parameters: 1000,
        training_time: 100.0,
        learning_rate: vec![0.02, 0.1],
        batch_size: vec![10.0, 50.0],
        time: space(0.0, 100.0, times),
        continuation_time: space(0.0, 100.0, scan),
        converged_runs: vec![repeats as u64; settings],
        spread: vec![0.3, 0.2, 1.0, 0.6],
        converged: vec![1; runs],
        diverged_at: vec![f64::NAN; runs],
        freezing_time: (0..runs).map(|k| 20.0 + 5.0 * jitter(k)).collect(),
        freezing_time_95: vec![30.0; runs],
        freezing_time_99: vec![40.0; runs],
        variance_exponent: vec![2.0; runs],
        variance_exponent_error: vec![0.2; runs],
        explained: vec![0.9; runs],
        component_1: falling(times, 3.0),
        component_2: falling(times, 1.0),
        pair_similarity: constant(scan * scan, 0.9),
        agreement_time: vec![20.0; runs],
        low_loss_time: vec![15.0; runs],
        low_loss_time_resolution: vec![1.0; runs],
        agreement_resolution: 0.01,
        distance: vec![0.5; runs],
        train_loss: falling(times, 2.3),
        test_loss: falling(times, 2.4),
        train_accuracy: constant(times, 0.9),
        test_accuracy: constant(times, 0.85),
        continued: ContinuedColumns {
            flatness: falling(scan, 3.0),
            stability: constant(scan, 1.5),
            noise_exponent: constant(scan, 1.2),
            noise_exponent_error: constant(scan, 0.1),
            residual: constant(scan, 1e-7),
            stability_residual: constant(scan, 1e-4),
            end_residual: constant(scan, 1e-7),
            scaled_sharpness: falling(scan, 0.1),
            end_scaled_sharpness: falling(scan, 0.01),
            excess_kurtosis: constant(scan, 30.0),
            excess_kurtosis_error: constant(scan, 3.0),
            tail_index: constant(scan, 3.0),
            tail_index_error: constant(scan, 0.1),
            normal_tail_index: constant(scan, 6.0),
            end_component_1: falling(scan, 3.0),
            end_component_2: falling(scan, 1.5),
            end_flatness: falling(scan, 4.0),
            end_train_loss: constant(scan, 5e-3),
            end_test_loss: constant(scan, 0.5),
            end_test_accuracy: constant(scan, 0.9),
            similarity: constant(scan, 0.8),
            misclassified: constant(scan, 20.0),
            similarity_resolution: constant(scan, 0.05),
            agreement: constant(scan, 0.98),
            barrier: constant(scan, 0.01),
            barrier_resolution: constant(scan, 1e-4),
        },
    };
    result.group().unwrap()
}

fn network_escape() -> Group {
    let (count, looks, parts) = (4, 3, 9);
    let columns = |value: f64| vec![value; 2 * count];
    let along = |scale: f64| -> Vec<f64> {
        (0..2 * count * parts)
            .map(|k| scale * (1.0 + (k % parts) as f64 / 8.0))
            .collect()
    };
    let looked = |value: f64| vec![value; count * looks];
    let result = NetworkEscapeResult {
        learning_rate: 0.1,
        batch_size: 10.0,
        training_time: 100.0,
        restarts: 20,
        last_accuracy: 1.0,
        checkpoint_time: vec![2.0, 5.0, 10.0, 20.0],
        curve: vec!["line".into(), "string".into()],
        position: space(-0.5, 1.5, parts),
        look: space(5.0, 15.0, looks),
        checkpoint_loss: vec![1.0, 0.5, 0.2, 0.1],
        distance: vec![2.0, 1.5, 1.0, 0.5],
        similarity: vec![0.7, 0.8, 0.9, 0.95],
        section: SectionColumns {
            length: columns(1.5),
            border: columns(0.5),
            barrier: columns(2e-4),
            log10_rate: (0..2 * count)
                .map(|k| -30.0 + 10.0 * (k % count) as f64)
                .collect(),
            log10_rate_training_noise: columns(-2.0),
            loss: along(5e-3),
            curvature: along(1e-3),
            noise: along(1e-4),
            noise_share: along(1e-3),
            across: along(1e-2),
            training_noise: along(1e-2),
        },
        restarted: RestartColumns {
            side_rate: vec![0.06, 0.03, 0.02, f64::NAN],
            side_rate_error: vec![0.01, 0.01, 0.01, f64::NAN],
            side_rate_bound: vec![f64::NAN, f64::NAN, f64::NAN, 7e-3],
            basin_rate: vec![0.6, 0.1, 0.09, f64::NAN],
            basin_rate_error: vec![0.1, 0.02, 0.02, f64::NAN],
            basin_rate_bound: vec![f64::NAN, f64::NAN, f64::NAN, 7e-3],
            side_survival: looked(0.5),
            side_survival_error: looked(0.1),
            basin_survival: looked(0.4),
            basin_survival_error: looked(0.1),
            mean_position: looked(0.3),
            mean_distance: looked(0.8),
            mean_distance_error: looked(0.02),
            iteration_distance: vec![0.02; count],
            iteration_distance_error: vec![0.002; count],
        },
        way_out: vec!["side".into(), "basin".into()],
        crossing: CrossingColumns {
            crossings: vec![10; 2 * count],
            crossing_step: columns(0.02),
            crossing_step_error: columns(0.002),
            crossing_ridge: columns(0.0),
            hop_share: columns(0.0),
            hop_share_error: columns(0.05),
        },
        freezing_note: vec!["adiabatic".into()],
        path_x: space(-1.0, 3.0, 5),
        path_s: space(2.0, 20.0, 4),
        path_loss: vec![5e-3; 20],
        path_covariance: vec![1e-2; 20],
        path_valleys: vec![1],
        predicted_beyond: vec![0.0, 0.1, 0.2, 0.3],
        measured_beyond: vec![0.0, 0.0, 0.4, 0.9],
        measured_beyond_error: vec![0.05; 4],
        predicted_x: vec![0.0, 0.1, 0.2, 0.3],
        measured_x: vec![0.0, 0.3, 0.6, 1.0],
        measured_x_error: vec![0.02; 4],
        predicted_freezing_time: f64::NAN,
        measured_freezing_time: 36.0,
        measured_freezing_time_error: 4.0,
    };
    result.group().unwrap()
}

fn network_schedules() -> Group {
    let (changes, repeats) = (5, 4);
    let rising = |from: f64| -> Vec<f64> { (0..changes).map(|k| from + 0.1 * k as f64).collect() };
    let all = |value: f64| vec![value; changes * repeats];
    let error = || vec![0.05; changes];
    let result = NetworkSchedulesResult {
        learning_rate: 0.1,
        batch_size: 10.0,
        factor: 10.0,
        lever: vec!["batch_size".into()],
        training_time: 100.0,
        change: vec![0.0, 5.0, 20.0, 50.0, 100.0],
        means: MeanColumns {
            mean_flatness: rising(2.0),
            mean_flatness_error: error(),
            flatness_dip: rising(0.0),
            flatness_dip_error: error(),
            mean_scaled_sharpness: rising(0.01),
            mean_scaled_sharpness_error: error(),
            mean_test_loss: rising(0.3),
            mean_test_loss_error: error(),
            test_loss_dip: rising(-0.4),
            test_loss_dip_error: error(),
            mean_test_accuracy: rising(0.5),
            mean_test_accuracy_error: error(),
            mean_barrier: rising(0.1),
            mean_barrier_error: error(),
            mean_freezing_time: rising(20.0),
            mean_freezing_time_error: error(),
        },
        flatness: all(2.0),
        scaled_sharpness: all(0.01),
        train_loss: all(5e-3),
        test_loss: all(0.3),
        test_accuracy: all(0.9),
        barrier: all(0.1),
        freezing_time: all(20.0),
        converged: vec![1; changes * repeats],
    };
    result.group().unwrap()
}

/// Adds the groups that this file knows.
pub fn add_groups(file: &mut ResultFile) {
    for group in [
        freezing_path(),
        landscape(),
        trajectories(),
        stationary_map(),
        ablations(),
        rare_events(),
        phase_space(),
        stable_exit(),
        coupled(),
        critical_points(),
        critical_points_map(),
        schedules(),
        noise_laws(),
        freezing(),
        freezing_design(),
        schedule_design(),
        network(),
        network_escape(),
        network_schedules(),
        Group::new("escape").unwrap(),
        escape_fields(),
        density_in_time(),
        transfer_operator(),
    ]
    .into_iter()
    .chain(final_probability())
    .chain(static_odds())
    .chain(slices())
    {
        file.push(group).unwrap();
    }
}

fn noise_laws() -> Group {
    let (law, parameter): (Vec<&str>, Vec<f64>) = [
        ("Gaussian", f64::NAN),
        ("momentum 0.5", 0.5),
        ("momentum 0.9", 0.9),
        ("momentum 0.99", 0.99),
        ("stable 1.9", 1.9),
        ("stable 1.5", 1.5),
        ("labels", f64::NAN),
        ("divided by rms", f64::NAN),
        ("100 samples with replacement", 100.0),
        ("100 samples without replacement", 100.0),
    ]
    .into_iter()
    .unzip();
    let laws = law.len();
    let noise_strength = vec![2e-4, 5e-4, 1e-3, 2.5e-3];
    let n = noise_strength.len();
    let column = |first: f64, shift: f64| -> Vec<f64> {
        (0..laws * n)
            .map(|k| first + 0.01 * (k % n) as f64 + shift * (k / n) as f64)
            .collect()
    };
    let result = NoiseLawsResult {
        learning_rate: 0.01,
        start_y: 1.0,
        runs: 4000,
        steps: 100_000,
        regime: vec!["overdamped below beta = 0.66".into()],
        overdamped_momentum: 0.66,
        p_flat: with_error(column(0.93, -0.02), 0.005),
        mean_freezing_time: with_error(column(50.0, 10.0), 2.0),
        unfrozen_fraction: with_error(vec![0.0; laws * n], 3e-4),
        p_flat_transfer_rms: Some(vec![0.92, 0.925, 0.93, 0.935]),
        p_flat_transfer_rms_error: Some(vec![1e-5; n]),
        p_flat_transfer: vec![0.93, 0.94, 0.95, 0.96],
        p_flat_transfer_error: vec![1e-5; n],
        difference: with_error(column(0.0, -0.02), 0.005),
        rise: with_error(vec![0.03; laws], 0.006),
        delay: with_error(vec![200.0; laws], 3.0),
        p_flat_of_jumps: law
            .iter()
            .map(|law| if law.contains("stable") { 0.68 } else { f64::NAN })
            .collect(),
        verdict: vec!["flat valley selected".into(); laws],
        law: law.into_iter().map(String::from).collect(),
        parameter,
        noise_strength,
    };
    result.group().unwrap()
}

fn rare_events() -> Group {
    let strengths = vec![0.05, 0.025, 0.0125, 0.25 / 30.0];
    let barriers: Vec<f64> = strengths.iter().map(|d| 0.25 / d).collect();
    let column = |of: &dyn Fn(f64) -> f64| barriers.iter().map(|b| of(*b)).collect::<Vec<f64>>();
    let relative = |value: Vec<f64>, error: f64| Estimates {
        standard_error: value.iter().map(|v| error * v).collect(),
        value,
    };
    let result = RareEventsResult {
        regime: None,
        time_step: 0.04,
        momentum: 0.0,
        problem_noise_strength: Some(0.05),
        replicas: 100,
        repetitions: 200,
        method: vec!["langevin".into()],
        mean_first_passage_time: relative(column(&|b| 4.4 * b.exp()), 0.05),
        mean_first_passage_time_time_step_error: column(&|b| 0.01 * b.exp()),
        loop_probability: relative(column(&|b| 0.4 / b.exp()), 0.03),
        loop_time: relative(column(&|_| 1.9), 0.005),
        return_level: column(&|_| -2.0),
        departure_level: column(&|b| -2.0 + 0.35 / b.sqrt()),
        steps_of_repetition: column(&|b| 2e4 * (b + 3.0)),
        steps_by_splitting: column(&|b| 3e4 * b * b),
        steps_by_brute_force: column(&|b| 4.4e4 * b.exp()),
        noise_strength: strengths,
    };
    result.group().unwrap()
}

fn phase_space() -> Group {
    let friction = log_space(0.03, 10.0, 6);
    let time = |g: &f64| 2e4 * (0.1 / g + 0.8 + 0.6 * g);
    let (x, v) = (space(-1.7, 1.7, 60), space(-0.8, 0.8, 40));
    let field = |of: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        x.iter().flat_map(|x| v.iter().map(|v| of(*x, *v))).collect()
    };
    let result = PhaseSpaceResult {
        regime: None,
        momentum: None,
        temperature: vec![1.0 / 32.0; 6],
        step_time: None,
        mean_first_passage_time: friction.iter().map(time).collect(),
        mean_first_passage_time_error: friction.iter().map(|g| 0.03 * time(g)).collect(),
        spectral_gap: friction.iter().map(|g| 2.0 / time(g)).collect(),
        spectral_gap_error: friction.iter().map(|g| 0.06 / time(g)).collect(),
        turnover_time: friction.iter().map(|g| 0.95 * time(g)).collect(),
        cut_probability: vec![1e-8; 6],
        log_density: field(&|x, v| 1.0 - 8.0 * (x * x - 1.0).powi(2) - 16.0 * v * v),
        committor: field(&|x, v| 0.5 + 0.5 * (6.0 * (x + v)).tanh()),
        friction,
        x,
        v,
    };
    result.group().unwrap()
}

/// Two stable laws, the second Gaussian.
fn stable_exit() -> Group {
    let strength = log_space(0.05, 1.0, 6);
    let missing = vec![f64::NAN; 6];
    let jump: Vec<f64> = strength.iter().map(|e| 2.5 * e.powf(-1.5)).collect();
    let gaussian: Vec<f64> = strength.iter().map(|e| 2.0 * (0.25 / e).exp()).collect();
    let time: Vec<f64> = jump.iter().chain(&gaussian).map(|time| 1.02 * time).collect();
    let result = StableExitResult {
        lower: -1.0,
        upper: 1.0,
        start: 0.0,
        time_step: 0.02,
        runs: 1000,
        regime: vec!["small noise".into()],
        stability: vec![1.5, 2.0],
        mean_exit_time_time_step_error: time.iter().map(|time| 0.02 * time).collect(),
        mean_exit_time: with_error(time, 0.05),
        mean_exit_time_exact: [missing.clone(), gaussian].concat(),
        mean_exit_time_small_noise: [jump, missing].concat(),
        strength,
    };
    result.group().unwrap()
}

/// Gaps that fall with the coupling, the last of which is missing.
fn coupled() -> Group {
    let coupling = space(0.0, 0.1, 6);
    let n = coupling.len();
    let gap = |k: usize| {
        let (d, j) = ((k / n + 2) as f64, coupling[k % n]);
        if k == 5 * n - 1 {
            f64::NAN
        } else {
            0.0335 * (-j * j * 60.0 * d).exp()
        }
    };
    let spectral_gap: Vec<f64> = (0..5 * n).map(gap).collect();
    let result = CoupledResult {
        temperature: 0.1,
        regime: vec!["the strongest coupling is 1.00 T".into()],
        dimension: (2..7).collect(),
        spectral_gap_error: (0..5 * n)
            .map(|k| gap(k) * 1e-4 * (k / n + 1) as f64 * (1 + k % n) as f64)
            .collect(),
        functions: spectral_gap.iter().map(|gap| 500.0 + 0.0 * gap).collect(),
        spectral_gap,
        gap_without_coupling: vec![0.0335; 5],
        gap_without_coupling_error: vec![1e-9; 5],
        planar_gap: Some((0..n).map(gap).collect()),
        planar_gap_error: Some(vec![1e-6; n]),
        coupling,
    };
    result.group().unwrap()
}

/// Four minima on a square, of which the last is joined to nothing.
fn critical_points() -> Group {
    let missing = f64::NAN;
    let barrier = vec![
        missing, 0.3, 0.5, missing, 0.2, missing, 0.4, missing, 0.3, 0.3, missing, missing,
    ];
    let barrier = [barrier, vec![missing; 4]].concat();
    let result = CriticalPointsResult {
        quartic: None,
        quartic_error: None,
        starts: 100,
        euler_characteristic: 1,
        regime: None,
        variable: vec!["x".into(), "y".into()],
        position: vec![
            -1.0, -1.0, 1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 0.0, -1.0, -1.0, 0.0, 0.0, 0.0,
        ],
        position_error: vec![1e-15; 14],
        loss: vec![0.0, 0.1, 0.2, 0.25, 0.3, 0.5, 0.8],
        loss_error: vec![1e-16; 7],
        index: vec![0, 0, 0, 0, 1, 1, 2],
        curvature: [[1.0, 2.0]; 4]
            .into_iter()
            .chain([[-1.0, 2.0]; 2])
            .chain([[-2.0, -1.0]])
            .flatten()
            .collect(),
        minimum: vec![0, 1, 2, 3],
        saddle: Some(vec![4, 5]),
        first_minimum: Some(vec![0, 0]),
        second_minimum: Some(vec![1, 2]),
        barrier_error: barrier.iter().map(|height| 1e-15 + 0.0 * height).collect(),
        barrier,
        rates: None,
    };
    result.group().unwrap()
}

fn critical_points_map() -> Group {
    let line: Vec<f64> = (0..41).map(|k| -2.0 + 0.1 * k as f64).collect();
    let wells = |x: f64| (x * x - 1.0).powi(2) / 4.0;
    let at = |x: f64, y: f64| wells(x) + 2.0 * wells(y) + 0.05 * x + 0.1 * y + 0.15;
    CriticalPointsMap {
        loss_on_grid: line
            .iter()
            .flat_map(|y| line.iter().map(move |x| at(*x, *y)))
            .collect(),
        x: line.clone(),
        y: line.clone(),
    }
    .group()
    .unwrap()
}
