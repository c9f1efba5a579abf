//! The claims decided: the numbers behind each, read from a result file.

use super::claim::{Claim, Verdict};
use super::rules::{FROZEN, SLACK, cause, delayed, exploration, falls, favours_flat, isotropic, rises, yes};
use crate::diffusion::Calculus;
use crate::error::Result;
use crate::output::{Records, ResultFile};
use crate::rates::ParabolicValleys;
use crate::setting::two_valley::TwoValleyModel;
use crate::task::Config;
use crate::task::ablations::{
    AblationsResult, BARRIER_HELD, FLATNESS_HELD, FULL_MODEL, POWER_2, POWER_3_2, Y_HELD,
};
use crate::task::final_probability::FinalProbabilityResult;
use crate::task::freezing_line::FreezingLineResult;
use crate::task::freezing_theory::FreezingTheoryResult;
use crate::task::phase_diagram::PhaseDiagramResult;
use crate::task::slices::{PapersSlices, SlicesResult};
use crate::task::stationary_map::StationaryMapResult;

/// All claims for which `file` holds the numbers; empty when a group is missing.
///
/// # Errors
/// [`crate::Error::Input`] when a group lacks a record it should hold.
pub fn claims(file: &ResultFile, config: &Config) -> Result<Vec<Claim>> {
    let (
        Some(SlicesResult {
            papers: Some(slices), ..
        }),
        Some(map),
        Some(line),
        Some(diagram),
        Some(path),
        Some(ablations),
        Some(_),
    ) = (
        SlicesResult::find(file)?,
        StationaryMapResult::find(file)?,
        FreezingLineResult::find(file)?,
        PhaseDiagramResult::find(file)?,
        FinalProbabilityResult::find(file)?,
        AblationsResult::find(file)?,
        FreezingTheoryResult::find(file)?,
    )
    else {
        return Ok(Vec::new());
    };
    let model = config.setting()?.two_valley()?;
    if !model.is_papers() {
        return Ok(Vec::new());
    }
    let mut claims = vec![
        t1(&line),
        t2(&map, &model)?,
        t3(&slices, &model)?,
        t4(&line, &diagram),
        t5(&line, &diagram, &map),
        t6(&ablations)?,
        t7(&path, &model),
        t8(&ablations)?,
        t9(&ablations, &model)?,
        t10(&diagram, &model)?,
    ];
    for claim in &mut claims {
        if claim.verdict == Verdict::NotSupported {
            claim.reason = "the numbers do not meet the rule for this claim";
        }
    }
    Ok(claims)
}

fn list(values: &[f64], digits: usize) -> String {
    values
        .iter()
        .map(|v| format!("{v:.digits$}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn t1(line: &FreezingLineResult) -> Claim {
    let (hops, p) = (&line.path_hops, &line.means.p_flat.value);
    let per_sigma = hops.len() / p.len();
    let tenth = per_sigma / 10;
    let row = |k: usize| &hops[k * per_sigma..(k + 1) * per_sigma];
    let early: Vec<f64> = (0..p.len()).map(|k| row(k)[tenth]).collect();
    let late: Vec<f64> = (0..p.len())
        .map(|k| row(k)[per_sigma - 1] - row(k)[per_sigma - 1 - tenth])
        .collect();
    // Half of the runs start in the sharp valley.
    let reached: Vec<f64> = p.iter().map(|p| 2.0 * (p - 0.5)).collect();
    Claim {
        name: "T1",
        statement: "transient exploration: runs from the sharp valley reach the flat one; the hop rate falls to zero",
        evidence: format!(
            "discrete SGD: hops a run in the first tenth {:.2}..{:.1}, in the last tenth {:.3}; net share of sharp starters that end flat {:.2}..{:.2}",
            early[0],
            early[early.len() - 1],
            late.iter().fold(0.0_f64, |m, v| m.max(*v)),
            reached[0],
            reached[reached.len() - 1]
        ),
        verdict: exploration(&early, &late, &reached),
        reason: "hops happen early at every noise strength and none are left at the end",
    }
}

fn t2(map: &StationaryMapResult, model: &TwoValleyModel) -> Result<Claim> {
    let lowest = map.p_flat.iter().copied().fold(f64::INFINITY, f64::min);
    let gamma = model.landscape().flatness_ratio();
    let mut continuous = f64::INFINITY;
    for &y in &map.y {
        for &strength in &map.noise_strength {
            let valleys = ParabolicValleys::of_two_valley(model.landscape(), y, 1.0, strength)?;
            continuous = continuous.min(valleys.probability(Calculus::Klimontovich));
        }
    }
    let bound = gamma / (1.0 + gamma);
    Ok(Claim {
        name: "T2",
        statement: "the effective potential favours the flat valley: P_ss >= gamma/(1+gamma)",
        evidence: format!(
            "bound {bound:.4}; lowest P_ss over the map: exact Ito {lowest:.4}, with a potential continuous at the ridge {continuous:.4}"
        ),
        verdict: favours_flat(lowest, bound, continuous),
        reason: if continuous < bound {
            "the bound needs the Ito jump T_eff ln(gamma) at the ridge; a continuous effective potential violates it"
        } else {
            "over this map the bound holds with either potential"
        },
    })
}

fn t3(slices: &PapersSlices, model: &TwoValleyModel) -> Result<Claim> {
    let strengths = [1e-3, 2e-3, 3e-3, 1e-2, 1e-1];
    let p = strengths
        .iter()
        .map(|&d| {
            Ok(ParabolicValleys::of_two_valley(model.landscape(), 5.0, 1.0, d)?.probability(Calculus::Ito))
        })
        .collect::<Result<Vec<f64>>>()?;
    let paper = &slices.p_flat_paper;
    Ok(Claim {
        name: "T3",
        statement: "static paradox: at fixed y the stationary P_flat falls with the noise",
        evidence: format!(
            "y = 5, Delta = 1e-3 2e-3 3e-3 1e-2 1e-1: {}; the paper's formula at 1e-3: {:.4}",
            list(&p, 4),
            paper[0]
        ),
        verdict: if !falls(&p) {
            Verdict::NotSupported
        } else if (paper[0] - p[0]).abs() > 1e-3 {
            Verdict::CorrectedTheory
        } else {
            Verdict::Reproduced
        },
        reason: "the fall is exact; the paper's P_ss leaves out the splitting at the ridge and is off by more than 0.001",
    })
}

/// Spread (max − min)/mean of η⟨t_f⟩ among cells of equal ησ, over all η and over η up to `largest` only.
fn collapse(diagram: &PhaseDiagramResult, largest: f64) -> (f64, f64) {
    /// Mean freezing iterations below this belong to runs that never leave their start.
    const FREED: f64 = 1000.0;
    let (eta, sigma) = (&diagram.learning_rate, &diagram.sigma);
    let t = &diagram.means.mean_freezing_iteration.value;
    let mut spreads = [0.0_f64; 2];
    for diagonal in 0..eta.len() + sigma.len() - 1 {
        for (spread, bound) in spreads.iter_mut().zip([f64::INFINITY, largest]) {
            let times: Vec<f64> = (0..eta.len())
                .filter(|i| *i <= diagonal && diagonal - i < sigma.len() && eta[*i] <= bound)
                .map(|i| (eta[i], t[i * sigma.len() + diagonal - i]))
                .filter(|(_, t)| *t > FREED)
                .map(|(eta, t)| eta * t)
                .collect();
            if times.len() > 1 {
                let mean = times.iter().sum::<f64>() / times.len() as f64;
                let (low, high) = times
                    .iter()
                    .fold((f64::INFINITY, 0.0_f64), |(l, h), t| (l.min(*t), h.max(*t)));
                *spread = spread.max((high - low) / mean);
            }
        }
    }
    (spreads[0], spreads[1])
}

fn t4(line: &FreezingLineResult, diagram: &PhaseDiagramResult) -> Claim {
    let y = &line.means.mean_freezing_y;
    let (all, small) = collapse(diagram, 0.03);
    Claim {
        name: "T4",
        statement: "delayed freezing: eta<t_f> and <y_freeze> rise with Delta and collapse on eta*sigma",
        evidence: format!(
            "<y_freeze> {}; largest spread of eta<t_f> at equal eta*sigma, among cells with <t_f> > 1000 only (it is larger below): {:.0} % for eta <= 0.1, {:.0} % for eta <= 0.03",
            list(&y.value, 2),
            100.0 * all,
            100.0 * small
        ),
        verdict: delayed(rises(&y.value, &y.standard_error), all, small),
        reason: "the collapse is the limit eta -> 0; at eta H near 1 freezing comes visibly later",
    }
}

fn t5(line: &FreezingLineResult, diagram: &PhaseDiagramResult, map: &StationaryMapResult) -> Claim {
    let p = &line.means.p_flat;
    let frozen = line.means.unfrozen_fraction.iter().all(|u| *u <= FROZEN);
    let released = &diagram.means.p_flat.value;
    let sigmas = diagram.sigma.len();
    let (strengths, intrinsic) = (&map.noise_strength, &map.final_p_flat);
    let rise = rises(intrinsic, &vec![0.0; intrinsic.len()]);
    let last = intrinsic.len() - 1;
    Claim {
        name: "T5",
        statement: "selection: the final P_flat rises with Delta over the range where runs freeze",
        evidence: format!(
            "(a) release from the barrier at y0 = 5, eta = 0.01: {:.2} -> {:.2}; (b) intrinsic, y0 = 0, Delta {:.0e} -> {:.0e}: {:.3} -> {:.3}; SGD along the whole run: {}",
            released[0],
            released[sigmas - 1],
            strengths[0],
            strengths[last],
            intrinsic[0],
            intrinsic[last],
            list(&p.value, 3)
        ),
        verdict: yes(frozen && rise && rises(&p.value, &p.standard_error)),
        reason: "most of the visible rise is release from the initial trap; the intrinsic rise is smaller but monotonic",
    }
}

fn t6(ablations: &AblationsResult) -> Result<Claim> {
    let unfrozen = &ablations.means.unfrozen_fraction;
    let y = &ablations.means.mean_last_hop_y.value;
    let barrier = ablations.row(BARRIER_HELD, unfrozen)?;
    let flatness = ablations.row(FLATNESS_HELD, unfrozen)?;
    let shift: Vec<f64> = (ablations.row(FLATNESS_HELD, y)?.iter())
        .zip(ablations.row(FULL_MODEL, y)?)
        .map(|(held, full)| held / full - 1.0)
        .collect();
    let largest = shift.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
    let least = barrier.iter().copied().fold(1.0, f64::min);
    let most = flatness.iter().copied().fold(0.0, f64::max);
    Ok(Claim {
        name: "T6",
        statement: "the growing barrier causes freezing: it disappears with the barrier held and survives with the flatness held",
        evidence: format!(
            "runs that still hop in the last 1 %: barrier held {}, flatness held {}; shift of <y> with the flatness held {} %",
            list(barrier, 2),
            list(flatness, 2),
            list(&shift.iter().map(|s| 100.0 * s).collect::<Vec<_>>(), 1)
        ),
        verdict: cause(least, most, largest),
        reason: "holding the barrier keeps runs hopping to the end; holding the flatness moves the freezing position by a few per cent",
    })
}

fn t7(path: &FinalProbabilityResult, model: &TwoValleyModel) -> Claim {
    let (p, y) = (&path.p_flat_isotropic, &path.mean_freezing_y_isotropic);
    let parameters = model.landscape().parameters();
    let expected = parameters.x1 / (parameters.x1 + parameters.x2);
    Claim {
        name: "T7",
        statement: "control: isotropic noise gives the same P_final at every noise strength although freezing is delayed",
        evidence: format!(
            "Fokker-Planck, eta -> 0: P_final {} (x1/(x1+x2) = {expected:.4}); <y> of the last hop {}",
            list(p, 4),
            list(y, 2)
        ),
        verdict: isotropic(p, expected, y),
        reason: "without state-dependent noise the odds are those of the widths; a statement about eta -> 0",
    }
}

fn t8(ablations: &AblationsResult) -> Result<Claim> {
    let unfrozen = ablations.row(Y_HELD, &ablations.means.unfrozen_fraction)?;
    Ok(Claim {
        name: "T8",
        statement: "control: no motion in y, no freezing",
        evidence: format!(
            "runs that still hop in the last 1 % with y held: {}",
            list(unfrozen, 2)
        ),
        verdict: yes(unfrozen.iter().all(|u| *u > 1.0 / 3.0)),
        reason: "with y held the hop rate is constant",
    })
}

fn t9(ablations: &AblationsResult, model: &TwoValleyModel) -> Result<Claim> {
    let means = &ablations.means;
    let mut holds = true;
    let mut evidence = Vec::new();
    for (name, power) in [(POWER_3_2, 1.5), (POWER_2, 2.0)] {
        let p = [1e-4, 1e-3, 1e-2]
            .iter()
            .map(|&d| {
                Ok(ParabolicValleys::of_two_valley(model.landscape(), 5.0, power, d)?
                    .probability(Calculus::Ito))
            })
            .collect::<Result<Vec<f64>>>()?;
        let unfrozen = ablations.row(name, &means.unfrozen_fraction)?;
        let frozen = |column: &[f64]| -> Result<Vec<f64>> {
            let values = ablations.row(name, column)?.iter().zip(unfrozen);
            Ok(values.filter(|(_, u)| **u <= FROZEN).map(|(v, _)| *v).collect())
        };
        let y = frozen(&means.mean_freezing_y.value)?;
        let error = frozen(&means.mean_freezing_y.standard_error)?;
        let q = frozen(&means.p_flat.value)?;
        // P_flat is close to 1 and need not rise beyond its error; it must not fall.
        let q_error = frozen(&means.p_flat.standard_error)?;
        let not_falling = q
            .windows(2)
            .zip(q_error.windows(2))
            .all(|(q, e)| q[1] - q[0] > -SLACK * e[0].hypot(e[1]));
        holds &= falls(&p) && rises(&y, &error) && not_falling;
        evidence.push(format!(
            "{name}: P_ss {}, <y_freeze> {}, P_flat {}",
            list(&p, 4),
            list(&y, 2),
            list(&q, 3)
        ));
    }
    Ok(Claim {
        name: "T9",
        statement: "robustness: p = 1.5 and 2 keep T3-T5 (runs frozen at the end)",
        evidence: evidence.join("; "),
        verdict: yes(holds),
        reason: "stronger alignment shifts the numbers, not the order",
    })
}

fn t10(diagram: &PhaseDiagramResult, model: &TwoValleyModel) -> Result<Claim> {
    let mut largest = 0.0_f64;
    for &eta in &diagram.learning_rate {
        largest = largest.max(model.walk(eta, 0.01)?.check_stability(5.0)?);
    }
    Ok(Claim {
        name: "T10",
        statement: "no instability: eta H < 2 everywhere",
        evidence: format!("largest eta H on the valley floors of the phase diagram: {largest:.3}"),
        verdict: yes(largest < 2.0),
        reason: "freezing is not caused by the edge of stability",
    })
}
