//! The claims decided: the numbers behind each, read from a result file.

use super::claim::{Claim, Verdict};
use super::rules::{
    COLLAPSE, FROZEN, RISE, Robustness, SLACK, TRAPPED, cause, delayed, exploration, falls, favours_flat,
    isotropic, rises, robust, selects, static_paradox, yes,
};
use crate::config::Config;
use crate::diffusion::Calculus;
use crate::error::Result;
use crate::landscape::Side;
use crate::output::{Records, ResultFile};
use crate::rates::paper::FreezingLine as PapersLine;
use crate::rates::width_probability;
use crate::setting::parameter_range::row_of;
use crate::setting::two_valley::TwoValleyModel;
use crate::two_valleys::ablations::{
    AblationsResult, BARRIER_HELD, FLATNESS_HELD, FULL_MODEL, POWERS, Y_HELD,
};
use crate::two_valleys::final_probability::FinalProbabilityResult;
use crate::two_valleys::freezing_line::FreezingLineResult;
use crate::two_valleys::phase_diagram::{PhaseDiagramResult, TransferColumns};
use crate::two_valleys::slices::SlicesResult;
use crate::two_valleys::stationary_map::StationaryMapResult;

/// What a file about the two-valley model holds.
struct Evidence {
    model: TwoValleyModel,
    slices: Option<SlicesResult>,
    map: Option<StationaryMapResult>,
    line: Option<FreezingLineResult>,
    diagram: Option<PhaseDiagramResult>,
    path: Option<FinalProbabilityResult>,
    ablations: Option<AblationsResult>,
}

/// All claims, decided for the landscape and noise of `file` as far as its tasks go; none for a file without any task about the two-valley model.
///
/// # Errors
/// [`crate::Error::Input`] when a group lacks a record it should hold.
pub fn claims(file: &ResultFile, config: &Config) -> Result<Vec<Claim>> {
    let Ok(model) = config.setting().and_then(|setting| setting.two_valley()) else {
        return Ok(Vec::new());
    };
    let evidence = Evidence {
        model,
        slices: SlicesResult::find(file)?,
        map: StationaryMapResult::find(file)?,
        line: FreezingLineResult::find(file)?,
        diagram: PhaseDiagramResult::find(file)?,
        path: FinalProbabilityResult::find(file)?,
        ablations: AblationsResult::find(file)?,
    };
    let is_about_it = [
        evidence.slices.is_some(),
        evidence.map.is_some(),
        evidence.line.is_some(),
        evidence.diagram.is_some(),
        evidence.path.is_some(),
        evidence.ablations.is_some(),
    ];
    if !is_about_it.contains(&true) {
        return Ok(Vec::new());
    }
    Ok(vec![
        evidence.t1(),
        evidence.t2()?,
        evidence.t3(),
        evidence.t4(),
        evidence.t5(),
        evidence.t6()?,
        evidence.t7(),
        evidence.t8()?,
        evidence.t9()?,
        evidence.t10(),
        evidence.s1()?,
        evidence.s2()?,
        evidence.s3()?,
        evidence.s4(),
        evidence.s5(),
    ])
}

fn list(values: &[f64], digits: usize) -> String {
    values
        .iter()
        .map(|v| format!("{v:.digits$}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn powers_of_ten(values: &[f64]) -> String {
    values
        .iter()
        .map(|v| format!("{v:.0e}"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Smallest and largest value.
fn range(values: &[f64]) -> [f64; 2] {
    values
        .iter()
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], v| {
            [l.min(*v), h.max(*v)]
        })
}

/// Hops a run below which an ensemble is one of trapped runs, which say nothing about selection.
const EXPLORES: f64 = 1.0;

/// The rows of runs that have hopped and are frozen at their end.
fn explored(hops: &[f64], unfrozen: &[f64]) -> Vec<usize> {
    let is_free = |k: &usize| hops[*k] >= EXPLORES && unfrozen[*k] <= FROZEN;
    (0..hops.len()).filter(is_free).collect()
}

/// The entries of columns at the rows for which a condition holds.
fn kept(rows: &[usize], column: &[f64]) -> Vec<f64> {
    rows.iter().map(|k| column[*k]).collect()
}

/// Static probabilities at one position, over noise strengths in ascending order.
struct Static {
    y: f64,
    noise: Vec<f64>,
    p: Vec<f64>,
    error: Vec<f64>,
    /// By the paper's formula, at the weakest noise.
    paper: Option<f64>,
}

impl Evidence {
    fn t1(&self) -> Claim {
        const NAME: &str = "T1";
        const CLAIM: &str = "transient exploration: runs from the sharp valley reach the flat one; the hop rate falls to zero";
        let Some(line) = &self.line else {
            return Claim::not_tested(NAME, CLAIM, "[freezing_line]");
        };
        let columns = line.step.len();
        let tenth = (columns / 10).max(1);
        let rows = || 0..line.noise_strength.len();
        let at = |values: &[f64], row: usize, k: usize| values[row * columns + k];
        let early: Vec<f64> = rows()
            .map(|k| at(&line.path_hops, k, tenth.min(columns - 1)))
            .collect();
        let last = columns - 1;
        let late: Vec<f64> = rows()
            .map(|k| at(&line.path_hops, k, last) - at(&line.path_hops, k, last.saturating_sub(tenth)))
            .collect();
        // net share of those who start in the sharp valley that end in the flat one
        let reached: Vec<f64> = rows()
            .map(|k| {
                let (start, end) = (at(&line.path_p_flat, k, 0), line.means.p_flat.value[k]);
                (end - start) / (1.0 - start)
            })
            .filter(|share| share.is_finite())
            .collect();
        if reached.is_empty() {
            return Claim::not_tested(
                NAME,
                CLAIM,
                "runs of [freezing_line] that start in the sharp valley",
            );
        }
        let ([few, many], [_, most], [least, largest]) = (range(&early), range(&late), range(&reached));
        let verdict = exploration(&early, &late, &reached);
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "discrete SGD: hops a run in the first tenth {few:.2}..{many:.1}, in the last tenth at most {most:.3}; net share of sharp starters that end flat {least:.2}..{largest:.2}"
            ),
            verdict,
            reason: if most > 0.0 {
                format!("hops go on to the end: up to {most:.3} a run in the last tenth")
            } else if verdict == Verdict::Reproduced {
                "hops happen early at every noise strength and none are left at the end".into()
            } else {
                "at some noise strength no run leaves the sharp valley for good".into()
            },
        }
    }

    fn t2(&self) -> Result<Claim> {
        const NAME: &str = "T2";
        const CLAIM: &str = "the effective potential favours the flat valley: P_ss >= gamma/(1+gamma)";
        let Some(map) = &self.map else {
            return Ok(Claim::not_tested(NAME, CLAIM, "[stationary_map]"));
        };
        let [lowest, _] = range(&map.p_flat);
        let gamma = self.model.landscape().flatness_ratio();
        let bound = gamma / (1.0 + gamma);
        let mut continuous = f64::INFINITY;
        for &y in &map.y {
            for &strength in &map.noise_strength {
                if let Some(valleys) = self.model.parabolic_valleys(y, strength)? {
                    continuous = continuous.min(valleys.probability(Calculus::Klimontovich));
                }
            }
        }
        let verdict = favours_flat(lowest, bound, continuous.min(1.0));
        let without = if continuous.is_finite() {
            format!(", with a potential continuous at the ridge {continuous:.4}")
        } else {
            String::new()
        };
        Ok(Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!("bound {bound:.4}; lowest P_ss over the map: exact Ito {lowest:.4}{without}"),
            verdict,
            reason: match verdict {
                Verdict::NotSupported => format!("P_ss is as low as {lowest:.4}"),
                Verdict::CorrectedTheory => format!(
                    "the bound needs the Ito jump T_eff ln(gamma) at the ridge; a continuous effective potential goes down to {continuous:.4}"
                ),
                _ => "over this map the bound holds with either potential".into(),
            },
        })
    }

    /// The position with the most noise strengths, on slices or else on the map.
    fn static_probabilities(&self) -> Option<Static> {
        let from_slices = self.slices.as_ref().and_then(|slices| {
            let (all_y, noise_strength) = (&slices.slices.y, &slices.slices.noise_strength);
            let at = |y: f64| -> Vec<usize> {
                let mut rows: Vec<usize> = (0..all_y.len()).filter(|k| all_y[*k] == y).collect();
                rows.sort_by(|a, b| noise_strength[*a].total_cmp(&noise_strength[*b]));
                rows
            };
            let rows = all_y.iter().map(|y| at(*y)).max_by_key(Vec::len)?;
            let p = kept(&rows, &slices.integral.p_flat);
            let errors = kept(&rows, &slices.integral.relative_error);
            Some(Static {
                y: all_y[rows[0]],
                noise: kept(&rows, noise_strength),
                error: p.iter().zip(errors).map(|(p, e)| p * e).collect(),
                paper: slices.paper.as_ref().map(|paper| paper.p_flat[rows[0]]),
                p,
            })
        });
        if from_slices.as_ref().is_some_and(|found| found.p.len() > 1) {
            return from_slices;
        }
        let map = self.map.as_ref().filter(|map| map.noise_strength.len() > 1)?;
        let (row, columns) = (map.y.len() / 2, map.noise_strength.len());
        Some(Static {
            y: map.y[row],
            noise: map.noise_strength.clone(),
            p: map.p_flat[row * columns..(row + 1) * columns].to_vec(),
            error: vec![1e-12; columns],
            paper: None,
        })
    }

    fn t3(&self) -> Claim {
        const NAME: &str = "T3";
        const CLAIM: &str = "static paradox: at fixed y the stationary P_flat falls with the noise";
        let Some(found) = self.static_probabilities() else {
            let needs = "[slices] with two noise strengths at the same y, or [stationary_map]";
            return Claim::not_tested(NAME, CLAIM, needs);
        };
        let Static {
            y,
            noise,
            p,
            error,
            paper,
        } = found;
        let falls = falls(&p, &error);
        let formula_error = paper.map(|paper| (paper - p[0]).abs());
        let verdict = static_paradox(falls, formula_error);
        let formula = paper.map_or(String::new(), |paper| {
            format!("; the paper's formula at {:.0e}: {paper:.4}", noise[0])
        });
        let ([first, last], count) = ([p[0], p[p.len() - 1]], p.len());
        let shown = if count <= 8 {
            format!(": {}", list(&p, 4))
        } else {
            String::new()
        };
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "y = {y}, {count} strengths from {:.0e} to {:.0e}{shown}{formula}",
                noise[0],
                noise[count - 1]
            ),
            verdict,
            reason: match (verdict, formula_error) {
                (Verdict::NotSupported, _) => {
                    format!("P goes from {first:.4} to {last:.4} without falling at each step")
                }
                (Verdict::CorrectedTheory, Some(error)) => format!(
                    "the fall is exact; the paper's P_ss leaves out the splitting at the ridge and is off by {error:.4}"
                ),
                _ => format!("P falls from {first:.4} to {last:.4}"),
            },
        }
    }

    fn t4(&self) -> Claim {
        const NAME: &str = "T4";
        const CLAIM: &str =
            "delayed freezing: eta<t_f> and <y_freeze> rise with Delta and collapse on eta*sigma";
        let exact = self
            .diagram
            .as_ref()
            .and_then(|d| Some((d, d.transfer.as_ref()?)));
        let Some((diagram, exact)) = exact else {
            return Claim::not_tested(NAME, CLAIM, "[phase_diagram] with transfer = true");
        };
        let position = match (&self.path, &self.line) {
            (Some(path), _) => Some((
                "transfer operator",
                &path.transfer.mean_freezing_y,
                &path.transfer.mean_freezing_y_error,
            )),
            (None, Some(line)) => {
                let y = &line.means.mean_freezing_y;
                Some(("SGD", &y.value, &y.standard_error))
            }
            (None, None) => None,
        };
        let Some((route, y, error)) = position else {
            return Claim::not_tested(NAME, CLAIM, "[final_probability] or [freezing_line]");
        };
        let Some(found) = Collapse::new(diagram, exact) else {
            let needs = "cells of [phase_diagram] with equal eta*sigma in which runs are neither trapped at their start nor unfrozen at their end";
            return Claim::not_tested(NAME, CLAIM, needs);
        };
        let rise = rises(y, error);
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "<y_freeze> by {route} {}; {} pairs of cells at equal eta*sigma, those with more than {:.0} % of trapped or unfrozen runs left out: largest spread of eta<t_f> {:.1} % for eta <= {:.2}{}",
                list(y, 2),
                found.pairs,
                100.0 * TRAPPED,
                100.0 * found.spread,
                found.largest,
                match found.collapsed {
                    Some((bound, spread)) if bound < found.largest =>
                        format!(", {:.1} % for eta <= {bound:.2}", 100.0 * spread),
                    _ => String::new(),
                }
            ),
            verdict: delayed(rise, found.collapsed.map(|(bound, _)| bound), found.largest),
            reason: match (rise, found.collapsed) {
                (false, _) => "freezing does not come later with more noise at every step".into(),
                (true, None) => format!(
                    "freezing comes later, but times differ by {:.0} % at equal eta*sigma",
                    100.0 * found.spread
                ),
                (true, Some((bound, _))) if bound < found.largest => format!(
                    "times collapse within {:.0} % up to eta = {bound:.2}: the collapse is the limit eta -> 0, and beyond freezing comes visibly later",
                    100.0 * COLLAPSE
                ),
                _ => "freezing comes later with more noise, and eta*sigma alone decides when".into(),
            },
        }
    }

    fn t5(&self) -> Claim {
        const NAME: &str = "T5";
        const CLAIM: &str = "selection: the final P_flat rises with Delta over the range where runs freeze";
        let mut evidence = Vec::new();
        let mut holds = Vec::new();
        if let Some(path) = self
            .path
            .as_ref()
            .filter(|path| path.runs.noise_strength.len() > 1)
        {
            for (route, p, error) in [
                ("eta -> 0", &path.density.p_flat, &path.density.p_flat_error),
                (
                    "transfer operator",
                    &path.transfer.p_flat,
                    &path.transfer.p_flat_error,
                ),
            ] {
                evidence.push(format!("{route} {}", list(p, 4)));
                holds.push(selects(p, error));
            }
        }
        if let Some(line) = &self.line {
            let (hops, unfrozen) = (&line.means.mean_hops.value, &line.means.unfrozen_fraction);
            let rows = explored(hops, unfrozen);
            let p = kept(&rows, &line.means.p_flat.value);
            if p.len() > 1 {
                let left_out = hops.len() - rows.len();
                evidence.push(format!(
                    "SGD {}, {left_out} strengths with less than {EXPLORES:.0} hop a run or more than {:.0} % of runs unfrozen left out",
                    list(&p, 3),
                    100.0 * FROZEN
                ));
                holds.push(selects(&p, &kept(&rows, &line.means.p_flat.standard_error)));
            }
        }
        if holds.is_empty() {
            let needs = "two noise strengths of [final_probability], or of [freezing_line] at which runs explore and freeze";
            return Claim::not_tested(NAME, CLAIM, needs);
        }
        let verdict = yes(!holds.contains(&false));
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: evidence.join("; "),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => "P rises by every route, beyond its errors".into(),
                _ => format!("by some route P does not rise, or by less than {RISE}"),
            },
        }
    }

    fn t6(&self) -> Result<Claim> {
        const NAME: &str = "T6";
        const CLAIM: &str = "the growing barrier causes freezing: it disappears with the barrier held and survives with the flatness held";
        let Some(ablations) = &self.ablations else {
            return Ok(Claim::not_tested(NAME, CLAIM, "[ablations]"));
        };
        let unfrozen = &ablations.means.unfrozen_fraction;
        let barrier = ablations.row(BARRIER_HELD, unfrozen)?;
        let flatness = ablations.row(FLATNESS_HELD, unfrozen)?;
        let shift = shift_of_freezing(ablations)?;
        let [least, _] = range(barrier);
        let [_, most] = range(flatness);
        let largest = shift.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
        let verdict = cause(least, most, largest);
        let percent: Vec<f64> = shift.iter().map(|s| 100.0 * s).collect();
        Ok(Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "runs that still hop in the last 1 %: barrier held {}, flatness held {}; shift of <y> with the flatness held {} %",
                list(barrier, 2),
                list(flatness, 2),
                list(&percent, 1)
            ),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => format!(
                    "holding the barrier keeps at least {:.0} % of the runs hopping to the end; holding the flatness moves freezing by at most {:.0} %",
                    100.0 * least,
                    100.0 * largest
                ),
                _ => format!(
                    "with the barrier held {:.0} % of the runs still hop, with the flatness held {:.0} %, and freezing moves by up to {:.0} %",
                    100.0 * least,
                    100.0 * most,
                    100.0 * largest
                ),
            },
        })
    }

    fn t7(&self) -> Claim {
        const NAME: &str = "T7";
        const CLAIM: &str = "control: isotropic noise gives the same P_final at every noise strength although freezing is delayed";
        let Some(path) = self
            .path
            .as_ref()
            .filter(|path| path.runs.noise_strength.len() > 1)
        else {
            return Claim::not_tested(NAME, CLAIM, "two noise strengths of [final_probability]");
        };
        let (p, y) = (&path.isotropic.p_flat, &path.isotropic.mean_freezing_y);
        let expected = width_probability(self.model.landscape().flatness_ratio());
        let verdict = isotropic(p, &path.isotropic.p_flat_error, y);
        let [low, high] = range(p);
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "Fokker-Planck, eta -> 0: P_final {} (static law x1/(x1+x2) = {expected:.4}); <y> of the last hop {}",
                list(p, 4),
                list(y, 2)
            ),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => {
                    "without state-dependent noise the odds are those of the widths".into()
                }
                Verdict::InRegime => format!(
                    "the same to {:.4}, not exactly: P drifts from {:.4} to {:.4} and stays below the static {expected:.4}",
                    high - low,
                    p[0],
                    p[p.len() - 1]
                ),
                _ => format!("P goes from {low:.4} to {high:.4}, or freezing is not delayed"),
            },
        }
    }

    fn t8(&self) -> Result<Claim> {
        const NAME: &str = "T8";
        const CLAIM: &str = "control: no motion in y, no freezing";
        let Some(ablations) = &self.ablations else {
            return Ok(Claim::not_tested(NAME, CLAIM, "[ablations]"));
        };
        let unfrozen = ablations.row(Y_HELD, &ablations.means.unfrozen_fraction)?;
        let [least, _] = range(unfrozen);
        Ok(Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "runs that still hop in the last 1 % with y held: {}",
                list(unfrozen, 2)
            ),
            verdict: yes(least > 1.0 / 3.0),
            reason: format!(
                "with y held at least {:.0} % of the runs hop to the end",
                100.0 * least
            ),
        })
    }

    fn t9(&self) -> Result<Claim> {
        const NAME: &str = "T9";
        const CLAIM: &str = "robustness: p = 1.5 and 2 keep T3-T5 (runs that explore and freeze)";
        let Some(ablations) = &self.ablations else {
            return Ok(Claim::not_tested(NAME, CLAIM, "[ablations]"));
        };
        let means = &ablations.means;
        let (mut powers, mut evidence) = (Vec::new(), Vec::new());
        for (k, (name, power)) in POWERS.into_iter().enumerate() {
            // the static law at the noise strengths of the runs
            let (y, model) = (5.0, TwoValleyModel::papers(*self.model.landscape(), power)?);
            let mut static_p = Vec::new();
            for &strength in &ablations.noise_strength {
                let valleys = model.parabolic_valleys(y, strength)?;
                static_p.extend(valleys.map(|valleys| valleys.probability(Calculus::Ito)));
            }
            let (hops, unfrozen) = (
                ablations.row(name, &means.mean_hops.value)?,
                ablations.row(name, &means.unfrozen_fraction)?,
            );
            let rows = explored(hops, unfrozen);
            let column =
                |values: &[f64]| -> Result<Vec<f64>> { Ok(kept(&rows, ablations.row(name, values)?)) };
            let (freezing, error) = (
                column(&means.mean_freezing_y.value)?,
                column(&means.mean_freezing_y.standard_error)?,
            );
            let (p, p_error) = (
                column(&means.p_flat.value)?,
                column(&means.p_flat.standard_error)?,
            );
            if p.len() < 2 {
                let needs =
                    "[ablations] with two noise strengths at which runs explore and freeze at each power";
                return Ok(Claim::not_tested(NAME, CLAIM, needs));
            }
            let Some(collapse) = Collapse::at_power(ablations, k) else {
                let needs = "noise strengths of [ablations] at which runs explore and freeze at two learning rates and each power";
                return Ok(Claim::not_tested(NAME, CLAIM, needs));
            };
            let steps = p.windows(2).zip(p_error.windows(2));
            powers.push(Robustness {
                falls: falls(&static_p, &vec![1e-12; static_p.len()]),
                collapses: collapse.collapsed.map(|(bound, _)| bound) == Some(collapse.largest),
                delayed: rises(&freezing, &error),
                selects: rises(&p, &p_error),
                loses: steps
                    .into_iter()
                    .any(|(p, e)| p[0] - p[1] > SLACK * e[0].hypot(e[1])),
            });
            evidence.push(format!(
                "{name}: P_ss(y = {y}) {}, <y_freeze> {}, eta<t_f> spread by {:.1} % for eta <= {}, P_flat {}",
                list(&static_p, 4),
                list(&freezing, 2),
                100.0 * collapse.spread,
                collapse.largest,
                list(&p, 3)
            ));
        }
        let verdict = robust(&powers);
        Ok(Claim {
            name: NAME,
            statement: CLAIM,
            evidence: evidence.join("; "),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => "stronger alignment shifts the numbers, not the order".into(),
                Verdict::InRegime => {
                    "fall, delay and collapse stay; P_flat is so near 1 at some power that no rise is left to be seen, and none is lost".into()
                }
                _ => "at some power P_ss does not fall, freezing is not delayed or does not collapse, or P_flat falls".into(),
            },
        })
    }

    fn t10(&self) -> Claim {
        const NAME: &str = "T10";
        const CLAIM: &str = "no instability: eta H < 2 everywhere";
        let mut runs: Vec<(f64, f64, f64)> = Vec::new();
        if let Some(diagram) = &self.diagram {
            let [_, end] = range(&diagram.means.mean_final_y);
            runs.extend(
                diagram
                    .learning_rate
                    .iter()
                    .map(|eta| (*eta, diagram.start_y, end)),
            );
        }
        if let Some(line) = &self.line {
            let [_, end] = range(&line.means.mean_final_y);
            runs.push((line.learning_rate, line.start_y, end));
        }
        if runs.is_empty() {
            return Claim::not_tested(NAME, CLAIM, "[phase_diagram] or [freezing_line]");
        }
        // f is monotonic in y: the curvature 2/f is largest at an end of the run
        let landscape = self.model.landscape();
        let ends = |(eta, start, end): &(f64, f64, f64)| {
            let products =
                [*start, *end].map(|y| Side::BOTH.map(|side| (eta * 2.0 / landscape.flatness(side, y), y)));
            products.concat()
        };
        let (largest, at) =
            runs.iter().flat_map(ends).fold(
                (0.0, f64::NAN),
                |most, found| if found.0 > most.0 { found } else { most },
            );
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "largest eta H on the valley floors along the runs of this file: {largest:.3}, at y = {at:.1}"
            ),
            verdict: yes(largest < 2.0),
            reason: match largest < 2.0 {
                true => "freezing is not caused by the edge of stability".into(),
                false => format!("the map is unstable at y = {at:.1}"),
            },
        }
    }

    fn s1(&self) -> Result<Claim> {
        const NAME: &str = "S1";
        const CLAIM: &str = "isotropic noise has P_eq = gamma/(1+gamma)";
        let gamma = self.model.landscape().flatness_ratio();
        let (stated, exact) = (
            gamma / (1.0 + gamma),
            width_probability(self.model.landscape().flatness_ratio()),
        );
        let measured = self.path.as_ref().map(|path| path.isotropic.p_flat.as_slice());
        Ok(Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "stated {stated:.4}; exact at every y and noise strength sqrt(gamma)/(1+sqrt(gamma)) = x1/(x1+x2) = {exact:.4}{}",
                measured.map_or(String::new(), |p| format!(
                    "; final along the path {}",
                    list(p, 4)
                ))
            ),
            verdict: yes((stated - exact).abs() < 1e-3),
            reason: match (stated - exact).abs() < 1e-3 {
                true => "the two laws are the same for these valleys".into(),
                false => format!(
                    "the stated law is too high by {:.4}: isotropic noise weighs valleys by their width, not by their flatness",
                    stated - exact
                ),
            },
        })
    }

    fn s2(&self) -> Result<Claim> {
        const NAME: &str = "S2";
        const CLAIM: &str = "the flattening of the valleys suppresses transitions (revised abstract)";
        let Some(ablations) = &self.ablations else {
            return Ok(Claim::not_tested(NAME, CLAIM, "[ablations]"));
        };
        let unfrozen = &ablations.means.unfrozen_fraction;
        let (full, barrier, flatness) = (
            ablations.row(FULL_MODEL, unfrozen)?,
            ablations.row(BARRIER_HELD, unfrozen)?,
            ablations.row(FLATNESS_HELD, unfrozen)?,
        );
        let ([_, full], [barrier, _], [_, flatness]) = (range(full), range(barrier), range(flatness));
        // without its cause there would be no freezing
        let supported = full <= FROZEN && flatness > 1.0 / 3.0;
        let shift: Vec<f64> = shift_of_freezing(ablations)?.iter().map(|s| 100.0 * s).collect();
        Ok(Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "runs unfrozen at the end: full model at most {full:.2}, flatness held at most {flatness:.2}, barrier held at least {barrier:.2}; freezing without flattening shifts by {} %",
                list(&shift, 1)
            ),
            verdict: yes(supported),
            reason: match supported {
                true => "without flattening the runs do not freeze".into(),
                false => format!(
                    "without flattening {:.0} % of the runs are unfrozen, without growth of the barrier {:.0} %: what suppresses transitions is the barrier",
                    100.0 * flatness,
                    100.0 * barrier
                ),
            },
        })
    }

    fn s3(&self) -> Result<Claim> {
        const NAME: &str = "S3";
        const CLAIM: &str = "the effective potential does not depend on the noise strength";
        let y = 5.0;
        let strengths = [1e-3, 1e-2];
        let mut jumps = Vec::new();
        for strength in strengths {
            if let Some(valleys) = self.model.parabolic_valleys(y, strength)? {
                let (flat, sharp) = (valleys.flat.diffusivity(), valleys.sharp.diffusivity());
                jumps.push((flat * sharp).sqrt() * (sharp / flat).ln() / valleys.flat.barrier());
            }
        }
        if jumps.is_empty() {
            return Ok(Claim::not_tested(
                NAME,
                CLAIM,
                "noise that is a power of the curvature",
            ));
        }
        let supported = jumps.iter().all(|jump| jump.abs() < 1e-9);
        Ok(Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "jump of -T_eff ln p at the ridge, T_eff ln(D_sharp/D_flat), in units of the barrier at y = {y}, Delta = {}: {}",
                powers_of_ten(&strengths),
                list(&jumps, 3)
            ),
            verdict: yes(supported),
            reason: match supported {
                true => "the noise is the same on both sides, so that nothing jumps".into(),
                false => "under Ito pD is continuous, not p: the flat branch is lower by a jump that grows like the noise".into(),
            },
        })
    }

    fn s4(&self) -> Claim {
        const NAME: &str = "S4";
        const CLAIM: &str = "the published freezing line predicts y_freeze with the constant of its text (c = 1, epsilon small)";
        let position = match (&self.path, &self.line) {
            (Some(path), _) => Some((&path.runs.noise_strength, &path.transfer.mean_freezing_y)),
            (None, Some(line)) => Some((&line.noise_strength, &line.means.mean_freezing_y.value)),
            (None, None) => None,
        };
        let Some((noise, measured)) = position.filter(|_| self.model.has_papers_formulas()) else {
            let needs = "the paper's noise, and [final_probability] or [freezing_line]";
            return Claim::not_tested(NAME, CLAIM, needs);
        };
        let landscape = self.model.landscape();
        let text = PapersLine {
            epsilon: PapersLine::AUTHORS.epsilon,
            scale: 1.0,
        };
        let of = |line: &PapersLine| -> Vec<f64> {
            let at = |strength: &f64| line.y_freeze(landscape, *strength).unwrap_or(f64::NAN);
            noise.iter().map(at).collect()
        };
        let (stated, fitted) = (of(&text), of(&PapersLine::AUTHORS));
        let ratios = |line: &[f64]| -> Vec<f64> {
            let pairs = line.iter().zip(measured).map(|(line, y)| line / y);
            pairs.filter(|ratio| ratio.is_finite()).collect()
        };
        let (stated, fitted) = (ratios(&stated), ratios(&fitted));
        if stated.is_empty() {
            return Claim::not_tested(NAME, CLAIM, "noise strengths at which the published line exists");
        }
        let [low, high] = range(&stated);
        let supported = low > 0.75 && high < 1.25;
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "published line over measured y_freeze: epsilon c = {:.2} of the text {}; epsilon c = {:.0} of the plotting script {}",
                text.epsilon,
                list(&stated, 2),
                PapersLine::AUTHORS.epsilon * PapersLine::AUTHORS.scale,
                list(&fitted, 2)
            ),
            verdict: yes(supported),
            reason: match supported {
                true => "the line is within a quarter of what is measured".into(),
                false => format!(
                    "it is off by a factor of {low:.1} to {high:.1}; the figure of the paper multiplies the constant by {:.0}, a fit",
                    PapersLine::AUTHORS.scale
                ),
            },
        }
    }

    fn s5(&self) -> Claim {
        const NAME: &str = "S5";
        const CLAIM: &str = "the rise of P_flat with the noise in the phase diagram is selection";
        let (Some(diagram), Some(path)) = (&self.diagram, &self.path) else {
            return Claim::not_tested(NAME, CLAIM, "[phase_diagram] and [final_probability]");
        };
        let columns = diagram.sigma.len();
        let first_row = &diagram.means.p_flat.value[..columns];
        let (eta, strengths) = (diagram.learning_rate[0], &diagram.sigma);
        let at = |k: usize| {
            let strength = self.model.noise_strength(eta, strengths[k]).ok()?;
            row_of(strength, &path.runs.noise_strength).map(|j| (k, j))
        };
        let shared: Vec<(usize, usize)> = (0..columns).filter_map(at).collect();
        let [first, .., last] = shared.as_slice() else {
            return Claim::not_tested(
                NAME,
                CLAIM,
                "two noise strengths that [phase_diagram] and [final_probability] share",
            );
        };
        let visible = first_row[last.0] - first_row[first.0];
        let intrinsic = path.density.p_flat[last.1] - path.density.p_flat[first.1];
        let share = 1.0 - intrinsic / visible;
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "eta = {eta}, Delta {:.0e} -> {:.0e}: P_flat of the diagram, started at y = {}, {:.3} -> {:.3}; along the whole path from y = {}, {:.4} -> {:.4}",
                path.runs.noise_strength[first.1],
                path.runs.noise_strength[last.1],
                diagram.start_y,
                first_row[first.0],
                first_row[last.0],
                path.runs.start_y,
                path.density.p_flat[first.1],
                path.density.p_flat[last.1]
            ),
            verdict: yes(share < 0.5),
            reason: format!(
                "{:.0} % of the rise is release from the valley in which the runs were put at the start",
                100.0 * share
            ),
        }
    }
}

/// By what part of itself the mean y of the last hop grows when the flatness is held.
fn shift_of_freezing(ablations: &AblationsResult) -> Result<Vec<f64>> {
    let y = &ablations.means.mean_last_hop_y.value;
    let pairs = ablations
        .row(FLATNESS_HELD, y)?
        .iter()
        .zip(ablations.row(FULL_MODEL, y)?);
    Ok(pairs.map(|(held, full)| held / full - 1.0).collect())
}

/// Whether no more than a hundredth of the runs of a cell is trapped at its start or unfrozen at its end.
fn is_free(trapped: &[f64], unfrozen: &[f64], cell: usize) -> bool {
    trapped[cell] <= TRAPPED && unfrozen[cell] <= FROZEN
}

/// Freezing times of cells with equal ησ.
struct Collapse {
    /// Pairs of such cells.
    pairs: usize,
    /// Largest learning rate among them.
    largest: f64,
    /// Largest spread (max − min)/mean of η⟨t_f⟩ at equal ησ.
    spread: f64,
    /// The largest learning rate up to which the spread is at most [`COLLAPSE`], with the spread up to there.
    collapsed: Option<(f64, f64)>,
}

impl Collapse {
    /// Of the cells of a phase diagram; none without a pair in which runs explore and freeze.
    fn new(diagram: &PhaseDiagramResult, exact: &TransferColumns) -> Option<Self> {
        let (eta, sigma) = (&diagram.learning_rate, &diagram.sigma);
        let cell = |k: usize| {
            let (eta, sigma) = (eta[k / sigma.len()], sigma[k % sigma.len()]);
            (eta * sigma, eta, eta * exact.mean_freezing_iteration_transfer[k])
        };
        let all = 0..eta.len() * sigma.len();
        Self::of(
            all.filter(|k| is_free(&exact.trapped_transfer, &exact.unfrozen_transfer, *k))
                .map(cell),
        )
    }

    /// Of the ablation with the k-th power of the noise.
    fn at_power(ablations: &AblationsResult, k: usize) -> Option<Self> {
        let (eta, strengths, found) = (
            &ablations.collapse_learning_rate,
            &ablations.noise_strength,
            &ablations.collapse,
        );
        let columns = strengths.len();
        let cells = eta.len() * columns;
        let own = (k * cells..(k + 1) * cells)
            .filter(|k| is_free(&found.trapped_transfer, &found.unfrozen_transfer, *k))
            .map(|k| {
                (
                    strengths[k % columns],
                    eta[k % cells / columns],
                    found.freezing_time_transfer[k],
                )
            });
        Self::of(own)
    }

    /// Of cells (ησ, η, η⟨t_f⟩).
    fn of(cells: impl Iterator<Item = (f64, f64, f64)>) -> Option<Self> {
        /// Of products of two numbers that are rounded themselves.
        const ROUNDING: f64 = 1e-12;
        let mut cells: Vec<(f64, f64, f64)> = cells.collect();
        cells.sort_by(|a, b| a.0.total_cmp(&b.0));
        let groups: Vec<&[(f64, f64, f64)]> = cells
            .chunk_by(|a, b| (b.0 / a.0 - 1.0).abs() <= ROUNDING)
            .filter(|group| group.len() > 1)
            .collect();
        // the largest spread among cells up to a learning rate, and the number of their pairs
        let up_to = |bound: f64| {
            let (mut spread, mut pairs) = (0.0_f64, 0);
            for group in &groups {
                let times: Vec<f64> = group
                    .iter()
                    .filter(|cell| cell.1 <= bound)
                    .map(|cell| cell.2)
                    .collect();
                if times.len() > 1 {
                    let [low, high] = range(&times);
                    let mean = times.iter().sum::<f64>() / times.len() as f64;
                    spread = spread.max((high - low) / mean);
                    pairs += times.len() * (times.len() - 1) / 2;
                }
            }
            (spread, pairs)
        };
        let mut rates: Vec<f64> = groups
            .iter()
            .flat_map(|group| group.iter().map(|cell| cell.1))
            .collect();
        rates.sort_by(f64::total_cmp);
        let largest = *rates.last()?;
        let (spread, pairs) = up_to(largest);
        let bounds = rates.iter().rev().map(|bound| (*bound, up_to(*bound)));
        let collapsed = bounds
            .filter(|(_, (spread, pairs))| *pairs > 0 && *spread <= COLLAPSE)
            .map(|(bound, (spread, _))| (bound, spread))
            .next();
        Some(Self {
            pairs,
            largest,
            spread,
            collapsed,
        })
    }
}
