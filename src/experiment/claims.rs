//! The claims T1-T10 of arXiv 2601.10962 about its model, each decided by a rule from numbers in the result file.
//!
//! A rule sees numbers only, so that it can be tested with numbers that must fail. Monotonicity is judged on runs that are
//! frozen at their end.

use super::agreement::numbers;
use super::config::Config;
use super::model::Model;
use crate::error::Result;
use crate::output::{Group, Record, ResultFile};

/// What a claim is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As stated.
    Reproduced,
    /// The statement holds, but not for the reason or by the formula given.
    CorrectedTheory,
    /// Only in part of the range.
    InRegime,
    /// The numbers say otherwise.
    NotSupported,
}

impl Verdict {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::CorrectedTheory => "reproduced with corrected theory",
            Self::InRegime => "holds only in the stated regime",
            Self::NotSupported => "not supported",
        }
    }
}

/// One claim with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// T1 ... T10.
    pub name: &'static str,
    /// What is claimed.
    pub statement: &'static str,
    /// The numbers that decide.
    pub evidence: String,
    /// The decision.
    pub verdict: Verdict,
    /// One sentence why.
    pub reason: &'static str,
}

/// Largest share of runs not frozen at their end for which a row counts as frozen.
const FROZEN: f64 = 0.01;
/// Standard errors by which a sequence may step back and still count as rising.
const SLACK: f64 = 3.0;

/// Whether values rise from each to the next, up to `SLACK` combined standard errors, and overall by more than that.
fn rises(values: &[f64], errors: &[f64]) -> bool {
    let combined = |i: usize, j: usize| SLACK * errors[i].hypot(errors[j]);
    let last = values.len() - 1;
    values.len() > 1
        && (0..last).all(|k| values[k + 1] - values[k] > -combined(k, k + 1))
        && values[last] - values[0] > combined(0, last)
}

fn falls(values: &[f64]) -> bool {
    values.windows(2).all(|v| v[1] < v[0])
}

fn yes(holds: bool) -> Verdict {
    if holds {
        Verdict::Reproduced
    } else {
        Verdict::NotSupported
    }
}

/// T1: hops into the flat valley early, none at the end.
fn exploration(early: &[f64], late: &[f64], reached: &[f64]) -> Verdict {
    yes(early.iter().all(|h| *h > 0.0) && late.iter().all(|h| *h == 0.0) && reached.iter().all(|r| *r > 0.0))
}

/// T2: the flat valley has at least γ/(1+γ); the paper's continuous potential alone would allow one half.
fn favours_flat(lowest_p: f64, bound: f64, lowest_continuous: f64) -> Verdict {
    match (lowest_p >= bound, lowest_continuous >= bound) {
        (true, true) => Verdict::Reproduced,
        (true, false) => Verdict::CorrectedTheory,
        _ => Verdict::NotSupported,
    }
}

/// T4: rises with Δ; collapses on ησ to within 10 %, over the whole range of η or only for small η.
fn delayed(rise: bool, spread_all: f64, spread_small: f64) -> Verdict {
    const COLLAPSE: f64 = 0.1;
    match (rise, spread_all <= COLLAPSE, spread_small <= COLLAPSE) {
        (true, true, _) => Verdict::Reproduced,
        (true, false, true) => Verdict::InRegime,
        _ => Verdict::NotSupported,
    }
}

/// T6: without a growing barrier at least a third of the runs still hop at the end; with fixed flatness all freeze,
/// at a y shifted by less than a quarter.
fn cause(unfrozen_barrier: f64, unfrozen_flatness: f64, largest_shift: f64) -> Verdict {
    yes(unfrozen_barrier > 1.0 / 3.0 && unfrozen_flatness <= FROZEN && largest_shift < 0.25)
}

/// T7: isotropic noise selects by width alone, x1/(x1+x2), at every noise strength, and freezes later with more noise.
fn isotropic(p: &[f64], expected: f64, y: &[f64]) -> Verdict {
    yes(p.iter().all(|p| (p - expected).abs() < 0.003) && y.windows(2).all(|y| y[1] > y[0]))
}

/// All claims for which `file` holds the numbers; empty when a group is missing.
///
/// # Errors
/// [`crate::Error::Input`] when a group lacks a record it should hold.
pub fn claims(file: &ResultFile, config: &Config) -> Result<Vec<Claim>> {
    let needed = [
        "slices",
        "stationary_map",
        "freezing_line",
        "phase_diagram",
        "final_probability",
        "ablations",
        "freezing_theory",
    ];
    let model = Model::new(config)?;
    if needed.iter().any(|name| file.group(name).is_none()) || !model.is_papers() {
        return Ok(Vec::new());
    }
    Ok(vec![
        t1(file)?,
        t2(file, &model)?,
        t3(file, &model)?,
        t4(file)?,
        t5(file)?,
        t6(file)?,
        t7(file, &model)?,
        t8(file)?,
        t9(file, &model)?,
        t10(file, &model)?,
    ])
}

fn list(values: &[f64], digits: usize) -> String {
    values
        .iter()
        .map(|v| format!("{v:.digits$}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn t1(file: &ResultFile) -> Result<Claim> {
    let hops = numbers(file, "freezing_line/path_hops")?;
    let p = numbers(file, "freezing_line/p_flat")?;
    let per_sigma = hops.len() / p.len();
    let tenth = per_sigma / 10;
    let row = |k: usize| &hops[k * per_sigma..(k + 1) * per_sigma];
    let early: Vec<f64> = (0..p.len()).map(|k| row(k)[tenth]).collect();
    let late: Vec<f64> = (0..p.len())
        .map(|k| row(k)[per_sigma - 1] - row(k)[per_sigma - 1 - tenth])
        .collect();
    // Half of the runs start in the sharp valley.
    let reached: Vec<f64> = p.iter().map(|p| 2.0 * (p - 0.5)).collect();
    Ok(Claim {
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
    })
}

fn t2(file: &ResultFile, model: &Model) -> Result<Claim> {
    use crate::diffusion::Calculus;
    use crate::rates::ParabolicValleys;
    let map = numbers(file, "stationary_map/p_flat")?;
    let lowest = map.iter().copied().fold(f64::INFINITY, f64::min);
    let gamma = model.landscape().flatness_ratio();
    let mut continuous = f64::INFINITY;
    for y in numbers(file, "stationary_map/y")? {
        for strength in numbers(file, "stationary_map/noise_strength")? {
            let valleys = ParabolicValleys::of_two_valley(model.landscape(), y, 1.0, strength)?;
            continuous = continuous.min(valleys.probability(Calculus::AntiIto));
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
        reason: "the bound needs the Ito jump T_eff ln(gamma) at the ridge; a continuous effective potential violates it",
    })
}

fn t3(file: &ResultFile, model: &Model) -> Result<Claim> {
    use crate::diffusion::Calculus;
    use crate::rates::ParabolicValleys;
    let strengths = [1e-3, 2e-3, 3e-3, 1e-2, 1e-1];
    let p = strengths
        .iter()
        .map(|&d| {
            Ok(ParabolicValleys::of_two_valley(model.landscape(), 5.0, 1.0, d)?.probability(Calculus::Ito))
        })
        .collect::<Result<Vec<f64>>>()?;
    let paper = numbers(file, "slices/p_flat_paper")?;
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
fn collapse(file: &ResultFile, largest: f64) -> Result<(f64, f64)> {
    /// Mean freezing iterations below this belong to runs that never leave their start.
    const FREED: f64 = 1000.0;
    let eta = numbers(file, "phase_diagram/learning_rate")?;
    let sigma = numbers(file, "phase_diagram/sigma")?;
    let t = numbers(file, "phase_diagram/mean_freezing_iteration")?;
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
    Ok((spreads[0], spreads[1]))
}

fn t4(file: &ResultFile) -> Result<Claim> {
    let y = numbers(file, "freezing_line/mean_freezing_y")?;
    let e = numbers(file, "freezing_line/mean_freezing_y_standard_error")?;
    let (all, small) = collapse(file, 0.03)?;
    Ok(Claim {
        name: "T4",
        statement: "delayed freezing: eta<t_f> and <y_freeze> rise with Delta and collapse on eta*sigma",
        evidence: format!(
            "<y_freeze> {}; largest spread of eta<t_f> at equal eta*sigma: {:.0} % for eta <= 0.1, {:.0} % for eta <= 0.03",
            list(&y, 2),
            100.0 * all,
            100.0 * small
        ),
        verdict: delayed(rises(&y, &e), all, small),
        reason: "the collapse is the limit eta -> 0; at eta H near 1 freezing comes visibly later",
    })
}

fn t5(file: &ResultFile) -> Result<Claim> {
    let (p, e) = (
        numbers(file, "freezing_line/p_flat")?,
        numbers(file, "freezing_line/p_flat_standard_error")?,
    );
    let unfrozen = numbers(file, "freezing_line/unfrozen_fraction")?;
    let frozen = unfrozen.iter().all(|u| *u <= FROZEN);
    let released = numbers(file, "phase_diagram/p_flat")?;
    let sigmas = numbers(file, "phase_diagram/sigma")?.len();
    let strengths = numbers(file, "stationary_map/noise_strength")?;
    let intrinsic = numbers(file, "stationary_map/final_p_flat")?;
    let rise = rises(&intrinsic, &vec![0.0; intrinsic.len()]);
    let last = intrinsic.len() - 1;
    Ok(Claim {
        name: "T5",
        statement: "selection: the final P_flat rises with Delta over the range where runs freeze",
        evidence: format!(
            "(a) release from the barrier at y0 = 5, eta = 0.01: {:.2} -> {:.2}; (b) intrinsic, y0 = 0, Delta {:.0e} -> {:.0e}: {:.3} -> {:.3}; SGD from y0 = 1: {}",
            released[0],
            released[sigmas - 1],
            strengths[0],
            strengths[last],
            intrinsic[0],
            intrinsic[last],
            list(&p, 3)
        ),
        verdict: yes(frozen && rise && rises(&p, &e)),
        reason: "most of the visible rise is release from the initial trap; the intrinsic rise is smaller but monotonic",
    })
}

/// The row of one ablation.
fn variant(file: &ResultFile, name: &str, record: &str) -> Result<Vec<f64>> {
    let names = match file.record("ablations/variant")?.values() {
        crate::output::Values::Text(names) => names.clone(),
        _ => Vec::new(),
    };
    let values = numbers(file, &format!("ablations/{record}"))?;
    let n = values.len() / names.len().max(1);
    let k = names
        .iter()
        .position(|n| n == name)
        .ok_or_else(|| crate::Error::Input {
            path: "ablations/variant".into(),
            message: format!("{name} is missing"),
        })?;
    Ok(values[k * n..(k + 1) * n].to_vec())
}

fn t6(file: &ResultFile) -> Result<Claim> {
    let barrier = variant(file, "barrier held", "unfrozen_fraction")?;
    let flatness = variant(file, "flatness held", "unfrozen_fraction")?;
    let shift: Vec<f64> = variant(file, "flatness held", "mean_last_hop_y")?
        .iter()
        .zip(variant(file, "full model", "mean_last_hop_y")?)
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
            list(&barrier, 2),
            list(&flatness, 2),
            list(&shift.iter().map(|s| 100.0 * s).collect::<Vec<_>>(), 1)
        ),
        verdict: cause(least, most, largest),
        reason: "holding the barrier keeps runs hopping to the end; holding the flatness moves the freezing position by a few per cent",
    })
}

fn t7(file: &ResultFile, model: &Model) -> Result<Claim> {
    let p = numbers(file, "final_probability/p_flat_isotropic")?;
    let y = numbers(file, "final_probability/mean_freezing_y_isotropic")?;
    let parameters = model.landscape().parameters();
    let expected = parameters.x1 / (parameters.x1 + parameters.x2);
    Ok(Claim {
        name: "T7",
        statement: "control: isotropic noise gives the same P_final at every noise strength although freezing is delayed",
        evidence: format!(
            "Fokker-Planck, eta -> 0: P_final {} (x1/(x1+x2) = {expected:.4}); <y> of the last hop {}",
            list(&p, 4),
            list(&y, 2)
        ),
        verdict: isotropic(&p, expected, &y),
        reason: "without state-dependent noise the odds are those of the widths; a statement about eta -> 0",
    })
}

fn t8(file: &ResultFile) -> Result<Claim> {
    let unfrozen = variant(file, "y held", "unfrozen_fraction")?;
    Ok(Claim {
        name: "T8",
        statement: "control: no motion in y, no freezing",
        evidence: format!(
            "runs that still hop in the last 1 % with y held at 1: {}",
            list(&unfrozen, 2)
        ),
        verdict: yes(unfrozen.iter().all(|u| *u > 1.0 / 3.0)),
        reason: "with y held the hop rate is constant",
    })
}

fn t9(file: &ResultFile, model: &Model) -> Result<Claim> {
    use crate::diffusion::Calculus;
    use crate::rates::ParabolicValleys;
    let mut holds = true;
    let mut evidence = Vec::new();
    for (name, power) in [("p = 1.5", 1.5), ("p = 2", 2.0)] {
        let p = [1e-4, 1e-3, 1e-2]
            .iter()
            .map(|&d| {
                Ok(ParabolicValleys::of_two_valley(model.landscape(), 5.0, power, d)?
                    .probability(Calculus::Ito))
            })
            .collect::<Result<Vec<f64>>>()?;
        let unfrozen = variant(file, name, "unfrozen_fraction")?;
        let frozen = |values: Vec<f64>| -> Vec<f64> {
            values
                .iter()
                .zip(&unfrozen)
                .filter(|(_, u)| **u <= FROZEN)
                .map(|(v, _)| *v)
                .collect()
        };
        let y = frozen(variant(file, name, "mean_freezing_y")?);
        let error = frozen(variant(file, name, "mean_freezing_y_standard_error")?);
        let q = frozen(variant(file, name, "p_flat")?);
        // P_flat is close to 1 and need not rise beyond its error; it must not fall.
        let q_error = frozen(variant(file, name, "p_flat_standard_error")?);
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

fn t10(file: &ResultFile, model: &Model) -> Result<Claim> {
    let eta = numbers(file, "phase_diagram/learning_rate")?;
    let mut largest = 0.0_f64;
    for &eta in &eta {
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

/// The claims as the group `/claims`.
///
/// # Errors
/// [`crate::Error::DimensionMismatch`] never, the columns having equal lengths.
pub(super) fn group(claims: &[Claim]) -> Result<Group> {
    let mut group = Group::new("claims")?.with_description(
        "claims of arXiv 2601.10962 about its model, decided by rules from the numbers of this file",
    );
    let n = [("claim", claims.len())];
    type Column = (&'static str, fn(&Claim) -> String);
    let columns: [Column; 5] = [
        ("name", |c| c.name.into()),
        ("statement", |c| c.statement.into()),
        ("evidence", |c| c.evidence.clone()),
        ("verdict", |c| c.verdict.text().into()),
        ("reason", |c| c.reason.into()),
    ];
    for (name, value) in columns {
        group.push(Record::new(
            name,
            "text",
            &n,
            claims.iter().map(value).collect::<Vec<String>>(),
        )?)?;
    }
    Ok(group)
}

/// The claims for the terminal.
pub fn table(claims: &[Claim]) -> String {
    claims
        .iter()
        .map(|c| {
            format!(
                "{:<4}{}\n      {}\n      => {}: {}\n",
                c.name,
                c.statement,
                c.evidence,
                c.verdict.text().to_uppercase(),
                c.reason
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_follow_the_numbers() {
        assert_eq!(
            exploration(&[1.0, 2.0], &[0.0, 0.0], &[0.4, 0.9]),
            Verdict::Reproduced
        );
        assert_eq!(
            exploration(&[1.0, 2.0], &[0.0, 0.1], &[0.4, 0.9]),
            Verdict::NotSupported
        );
        assert_eq!(favours_flat(0.61, 0.6, 0.51), Verdict::CorrectedTheory);
        assert_eq!(favours_flat(0.61, 0.6, 0.6), Verdict::Reproduced);
        assert_eq!(favours_flat(0.59, 0.6, 0.51), Verdict::NotSupported);
        assert_eq!(delayed(true, 0.4, 0.05), Verdict::InRegime);
        assert_eq!(delayed(true, 0.05, 0.05), Verdict::Reproduced);
        assert_eq!(delayed(true, 0.4, 0.2), Verdict::NotSupported);
        assert_eq!(delayed(false, 0.05, 0.05), Verdict::NotSupported);
        assert_eq!(cause(0.4, 0.0, 0.1), Verdict::Reproduced);
        assert_eq!(cause(0.1, 0.0, 0.1), Verdict::NotSupported);
        assert_eq!(cause(0.4, 0.2, 0.1), Verdict::NotSupported);
        assert_eq!(
            isotropic(&[0.5517, 0.5512], 0.5517, &[1.0, 2.0]),
            Verdict::Reproduced
        );
        assert_eq!(
            isotropic(&[0.5517, 0.52], 0.5517, &[1.0, 2.0]),
            Verdict::NotSupported
        );
        assert_eq!(
            isotropic(&[0.5517, 0.5512], 0.5517, &[2.0, 1.0]),
            Verdict::NotSupported
        );
    }

    #[test]
    fn a_rise_must_exceed_its_errors() {
        assert!(rises(&[1.0, 1.2, 1.1, 2.0], &[0.1; 4]));
        assert!(!rises(&[1.0, 1.1, 1.2], &[0.1; 3]));
        assert!(!rises(&[1.0, 2.0, 1.2], &[0.1; 3]));
        assert!(!rises(&[1.0], &[0.1]));
        assert!(falls(&[3.0, 2.0, 1.0]) && !falls(&[3.0, 3.0, 1.0]));
    }
}
