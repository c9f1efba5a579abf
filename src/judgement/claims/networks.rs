//! The claims about networks decided, from the runs of `[network]`.

use super::claim::{Claim, Verdict};
use super::rules::{SLACK, yes};
use crate::error::Result;
use crate::network::CLASSES;
use crate::output::{Records, ResultFile};
use crate::questions::network::NetworkResult;
use crate::statistics::{Estimate, bootstrap, correlation, mean, rank_correlation};
use std::collections::BTreeMap;

/// The claims N1 to N7, decided for the runs of `file`; none for a file without networks.
///
/// # Errors
/// [`crate::Error::Input`] when the group lacks a record it should hold.
pub fn claims(file: &ResultFile) -> Result<Vec<Claim>> {
    let Some(result) = NetworkResult::find(file)? else {
        return Ok(Vec::new());
    };
    let networks = Networks {
        runs: result.comparable_numbers(),
        result,
    };
    Ok(vec![
        networks.n1(),
        networks.n2(),
        networks.n3(),
        networks.n4(),
        networks.n5(),
        networks.n6(),
        networks.n7(),
    ])
}

/// Runs below which nothing is said about them.
const FEWEST: usize = 10;
/// Resamples of a bootstrap over runs.
const RESAMPLES: usize = 1000;
/// Jaccard index from which on two states are of one basin.
const SAME_BASIN: f64 = 0.9;

/// The converged runs of a file that began at one state.
struct Networks {
    result: NetworkResult,
    runs: Vec<usize>,
}

/// Whether a number is positive by more than its error.
fn is_positive(estimate: &Estimate) -> bool {
    estimate.value > SLACK * estimate.standard_error
}

fn text(estimate: &Estimate) -> String {
    format!("{:.3} ± {:.3}", estimate.value, estimate.standard_error)
}

/// A statistic of pairs, one a run, with its bootstrap error over the runs; a resample in which it is not defined counts as zero.
fn over_runs(pairs: &[(f64, f64)], statistic: fn(&[(f64, f64)]) -> Option<f64>) -> Option<Estimate> {
    let of = |pairs: &[(f64, f64)]| statistic(pairs).unwrap_or(0.0);
    bootstrap(pairs, RESAMPLES, 1, of)
        .ok()
        .map(|found| found.estimate)
}

fn shared_variance(pairs: &[(f64, f64)]) -> Option<f64> {
    correlation(pairs).map(|r| r * r)
}

impl Networks {
    /// η/B of a run.
    fn noise(&self, run: usize) -> f64 {
        2.0 * self.result.noise_strength(run)
    }

    /// Number of different η/B among the converged runs: equal is equal bit by bit.
    fn strengths(&self) -> usize {
        let mut strengths: Vec<f64> = self.runs.iter().map(|run| self.noise(*run)).collect();
        strengths.sort_by(f64::total_cmp);
        strengths.dedup();
        strengths.len()
    }

    /// Rank correlation of a number a run with η/B.
    fn follows_noise(&self, of: impl Fn(usize) -> f64) -> Option<Estimate> {
        let pairs: Vec<(f64, f64)> = (self.runs.iter())
            .map(|run| (self.noise(*run), of(*run)))
            .filter(|pair| pair.1.is_finite())
            .collect();
        over_runs(&pairs, rank_correlation)
    }

    /// The point of the scan at which a run is frozen for the first time, if it was not so from the start.
    fn frozen(&self, run: usize) -> Option<usize> {
        let (time, scan) = (self.result.freezing_time[run], &self.result.continuation_time);
        let point = scan.partition_point(|t| *t < time);
        (point > 0 && point < scan.len()).then_some(point)
    }

    /// Change of a record from the end point of the start of training to that at freezing, over the runs.
    fn change(&self, record: &[f64]) -> Option<Estimate> {
        let changes: Vec<f64> = (self.runs.iter())
            .filter_map(|run| {
                let values = self.result.of_run(record, *run);
                Some(values[self.frozen(*run)?] - values[0])
            })
            .filter(|change| change.is_finite())
            .collect();
        (changes.len() >= FEWEST).then(|| mean(&changes).ok()).flatten()
    }

    fn n1(&self) -> Claim {
        const NAME: &str = "N1";
        const CLAIM: &str = "transient exploration: early checkpoints lead to other end points than the last state, later ones ever more to the same";
        let scan = &self.result.continuation_time;
        // the last checkpoint is its own end point
        let count = scan.len() - 1;
        if self.runs.len() < FEWEST || count < 3 {
            return Claim::not_tested(
                NAME,
                CLAIM,
                "ten converged runs of [network] from one initial state with four scanned checkpoints",
            );
        }
        let similarity = |run: usize| self.result.of_run(&self.result.continued.similarity, run);
        // settings in which most runs start in another basin: with hardly any noise, SGD is gradient descent
        let mut settings: Vec<Vec<usize>> = Vec::new();
        for run in &self.runs {
            match settings.last_mut() {
                Some(runs) if self.result.setting_of(runs[0]) == self.result.setting_of(*run) => {
                    runs.push(*run)
                }
                _ => settings.push(vec![*run]),
            }
        }
        let explores = |runs: &&Vec<usize>| {
            let different = runs
                .iter()
                .filter(|run| similarity(**run)[0] < SAME_BASIN)
                .count();
            2 * different > runs.len()
        };
        let exploring: Vec<&Vec<usize>> = settings.iter().filter(explores).collect();
        let runs: Vec<usize> = exploring.iter().copied().flatten().copied().collect();
        let order = |run: &usize| {
            let pairs: Vec<(f64, f64)> = (scan.iter().copied())
                .zip(similarity(*run).iter().copied())
                .take(count)
                .collect();
            rank_correlation(&pairs).unwrap_or(0.0)
        };
        let orders: Vec<f64> = runs.iter().map(order).collect();
        let order = mean(&orders).ok();
        let rises = order.is_some_and(|order| is_positive(&order));
        let verdict = match (rises, exploring.len() == settings.len()) {
            (false, _) => Verdict::NotSupported,
            (true, true) => Verdict::Reproduced,
            (true, false) => Verdict::InRegime,
        };
        let least = |runs: &[usize]| runs.iter().fold(f64::INFINITY, |l, run| l.min(self.noise(*run)));
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "{} converged runs; at {} of {} settings the start of training leads to another basin (J < {SAME_BASIN}) in most runs{}",
                self.runs.len(),
                exploring.len(),
                settings.len(),
                order.map_or(String::new(), |order| format!(
                    "; there the rank correlation of J with the time of the checkpoint within a run is {}",
                    text(&order)
                ))
            ),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => {
                    "end points differ early and come to agree in the order of the checkpoints".into()
                }
                Verdict::InRegime => format!(
                    "end points differ early and come to agree with enough noise, from eta/B = {:.1e} on; with less the start of training already leads to the final basin",
                    least(&runs)
                ),
                _ if exploring.is_empty() => {
                    "at every setting the start of training already leads to the final basin in most runs"
                        .into()
                }
                _ => "the similarity of end points does not rise with the time of the checkpoint".into(),
            },
        }
    }

    fn n2(&self) -> Claim {
        const NAME: &str = "N2";
        const CLAIM: &str = "delayed freezing: eta t_f rises with eta/B";
        let found = self.follows_noise(|run| self.result.freezing_time[run]);
        let (Some(order), true) = (found, self.strengths() > 2) else {
            return Claim::not_tested(NAME, CLAIM, NEEDS_SETTINGS);
        };
        let verdict = yes(is_positive(&order));
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "{} runs at {} values of eta/B: rank correlation {}",
                self.runs.len(),
                self.strengths(),
                text(&order)
            ),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => {
                    "runs with more noise freeze later, beyond the error over the runs".into()
                }
                _ => "freezing does not come later with more noise, beyond the error over the runs".into(),
            },
        }
    }

    fn n3(&self) -> Claim {
        const NAME: &str = "N3";
        const CLAIM: &str =
            "selection: up to freezing the end points become flatter and better on test images";
        let c = &self.result.continued;
        let (Some(flatness), Some(loss), Some(accuracy)) = (
            self.change(&c.end_flatness),
            self.change(&c.end_test_loss),
            self.change(&c.end_test_accuracy),
        ) else {
            return Claim::not_tested(
                NAME,
                CLAIM,
                "ten converged runs of [network] from one initial state that freeze after their start",
            );
        };
        let better = Estimate {
            value: -loss.value,
            ..loss
        };
        let verdict = match (is_positive(&flatness), is_positive(&better)) {
            (true, true) => Verdict::Reproduced,
            (false, false) => Verdict::NotSupported,
            _ => Verdict::InRegime,
        };
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "from the end point of the start to that at freezing, {} runs: flatness {}, test loss {}, test accuracy {}",
                flatness.samples,
                text(&flatness),
                text(&loss),
                text(&accuracy)
            ),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => "both improve beyond their errors".into(),
                Verdict::InRegime if is_positive(&flatness) => {
                    "end points become flatter, but their test loss does not fall beyond its error".into()
                }
                Verdict::InRegime => {
                    "the test loss falls, but end points do not become flatter beyond their error".into()
                }
                _ => "neither improves beyond its error".into(),
            },
        }
    }

    /// By how much the test accuracy of the last states is above chance, with the error that chance has.
    ///
    /// A network that has learned labels at random gives each test image the label of some training image, which is right with p = 1/10: over n training and m test images the variance of the accuracy is
    /// p(1 − p)(1/n + 1/m). Runs share both, so that more of them do not lower it.
    fn above_chance(&self) -> Estimate {
        let chance = 1.0 / CLASSES as f64;
        let last = |run: &usize| {
            self.result
                .of_run(&self.result.test_accuracy, *run)
                .last()
                .copied()
        };
        let accuracies: Vec<f64> = self.runs.iter().filter_map(last).collect();
        let images = [self.result.training_images, self.result.test_images];
        let variance = images.iter().map(|count| chance * (1.0 - chance) / *count as f64);
        Estimate {
            value: accuracies.iter().sum::<f64>() / accuracies.len() as f64 - chance,
            standard_error: variance.sum::<f64>().sqrt(),
            samples: accuracies.len(),
        }
    }

    fn n4(&self) -> Claim {
        const NAME: &str = "N4";
        const CLAIM: &str =
            "eta/B sets the outcome: spread, flatness and test accuracy of the last states rise with it";
        let last = |record: &[f64], run: usize| {
            self.result
                .of_run(record, run)
                .last()
                .copied()
                .unwrap_or(f64::NAN)
        };
        let c = &self.result.continued;
        let all = [
            (
                "distance from the mean state",
                self.follows_noise(|run| self.result.distance[run]),
            ),
            ("flatness", self.follows_noise(|run| last(&c.end_flatness, run))),
            (
                "test accuracy",
                self.follows_noise(|run| last(&self.result.test_accuracy, run)),
            ),
        ];
        let found: Vec<(&str, Estimate)> = all.iter().filter_map(|(name, e)| Some((*name, (*e)?))).collect();
        if found.len() < all.len() || self.strengths() < 3 {
            return Claim::not_tested(NAME, CLAIM, NEEDS_SETTINGS);
        }
        let above_chance = self.above_chance();
        if !is_positive(&above_chance) {
            let needs = format!(
                "test accuracies above chance by three errors; here they are by {}",
                text(&above_chance)
            );
            return Claim::not_tested(NAME, CLAIM, &needs);
        }
        let rising: Vec<&str> = found
            .iter()
            .filter(|(_, e)| is_positive(e))
            .map(|(name, _)| *name)
            .collect();
        let listed: Vec<String> = found
            .iter()
            .map(|(name, e)| format!("{name} {}", text(e)))
            .collect();
        let verdict = match rising.len() {
            0 => Verdict::NotSupported,
            n if n == found.len() => Verdict::Reproduced,
            _ => Verdict::InRegime,
        };
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "rank correlation with eta/B over {} runs: {}",
                self.runs.len(),
                listed.join(", ")
            ),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => "all three rise beyond their errors".into(),
                Verdict::InRegime => format!(
                    "of the three only these rise beyond their errors: {}",
                    rising.join(", ")
                ),
                _ => "none rises beyond its error".into(),
            },
        }
    }

    fn n5(&self) -> Claim {
        const NAME: &str = "N5";
        const CLAIM: &str = "the definitions of the freezing time measure the same: R^2 with prediction agreement .89, with the loss proxy .90";
        const PUBLISHED: [f64; 2] = [0.89, 0.90];
        let pairs = |other: &[f64]| -> Vec<(f64, f64)> {
            let pairs = self
                .runs
                .iter()
                .map(|run| (self.result.freezing_time[*run], other[*run]));
            pairs.filter(|pair| pair.1.is_finite()).collect()
        };
        let shared = |other: &[f64]| over_runs(&pairs(other), shared_variance);
        let (Some(agreement), Some(loss)) = (
            shared(&self.result.agreement_time),
            shared(&self.result.low_loss_time),
        ) else {
            return Claim::not_tested(NAME, CLAIM, NEEDS_RUNS);
        };
        let is_published = |(found, published): (&Estimate, f64)| {
            is_positive(found) && found.z_score(published).abs() < SLACK
        };
        let holds = [
            is_published((&agreement, PUBLISHED[0])),
            is_published((&loss, PUBLISHED[1])),
        ];
        let verdict = match holds {
            [true, true] => Verdict::Reproduced,
            [false, false] => Verdict::NotSupported,
            _ => Verdict::InRegime,
        };
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "R^2 over {} runs: with prediction agreement {}, with the loss proxy {}",
                self.runs.len(),
                text(&agreement),
                text(&loss)
            ),
            verdict,
            reason: match holds {
                [true, true] => "both are as published within three errors".into(),
                [true, false] => {
                    "only that with prediction agreement is as published within three errors".into()
                }
                [false, true] => "only that with the loss proxy is as published within three errors".into(),
                _ => "neither is as published within three errors".into(),
            },
        }
    }

    /// Partial rank correlation, over the checkpoints of the runs of a setting, of the similarity to the last state with the nearness of the end point's flatness to that of the last state, the logarithm of the loss at the
    /// checkpoint being held; mean over the settings, bootstrap over runs. Over all settings at once both would follow the noise.
    fn at_matched_loss(&self) -> Option<Estimate> {
        let (r, c) = (&self.result, &self.result.continued);
        let points = r.continuation_time.len();
        let stride = (r.time.len() - 1) / (points - 1).max(1);
        let of = |run: usize| -> Vec<[f64; 3]> {
            let (similarity, flatness) = (r.of_run(&c.similarity, run), r.of_run(&c.end_flatness, run));
            let loss = r.of_run(&r.train_loss, run);
            // the last checkpoint is its own end point
            (0..points - 1)
                .map(|k| {
                    let away = (flatness[k] / flatness[points - 1]).ln().abs();
                    [similarity[k], -away, loss[k * stride].ln()]
                })
                .filter(|values| values.iter().all(|v| v.is_finite()))
                .collect()
        };
        let partial = |all: &[[f64; 3]]| -> Option<f64> {
            let pair = |i: usize, j: usize| {
                let pairs: Vec<(f64, f64)> = all.iter().map(|v| (v[i], v[j])).collect();
                rank_correlation(&pairs)
            };
            let (ab, ac, bc) = (pair(0, 1)?, pair(0, 2)?, pair(1, 2)?);
            let rest = (1.0 - ac * ac) * (1.0 - bc * bc);
            (rest > 0.0).then(|| (ab - ac * bc) / rest.sqrt())
        };
        let over_settings = |runs: &[usize]| -> f64 {
            let mut settings: BTreeMap<usize, Vec<[f64; 3]>> = BTreeMap::new();
            for run in runs {
                settings.entry(run / r.repeats()).or_default().extend(of(*run));
            }
            let known: Vec<f64> = settings.values().filter_map(|all| partial(all)).collect();
            known.iter().sum::<f64>() / known.len().max(1) as f64
        };
        bootstrap(&self.runs, RESAMPLES, 1, over_settings)
            .ok()
            .map(|found| found.estimate)
    }

    fn n6(&self) -> Claim {
        const NAME: &str = "N6";
        const CLAIM: &str = "the basin says more than the loss: at matched training loss, end points nearer to the last state in J are nearer to it in flatness";
        let found = self.at_matched_loss();
        let (Some(partial), true) = (found, self.runs.len() >= FEWEST) else {
            return Claim::not_tested(NAME, CLAIM, NEEDS_RUNS);
        };
        let verdict = yes(is_positive(&partial));
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "checkpoints of {} runs: partial rank correlation within a setting, mean over settings, {}",
                self.runs.len(),
                text(&partial)
            ),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => {
                    "the similarity tells more than the loss does, beyond the error over the runs".into()
                }
                _ => "at matched loss the similarity tells nothing beyond the error over the runs".into(),
            },
        }
    }

    fn n7(&self) -> Claim {
        const NAME: &str = "N7";
        const CLAIM: &str = "noise follows curvature: C_ii ~ H_ii^g with 1 <= g <= 2 (arXiv 2602.05600)";
        let points = self.result.continuation_time.len();
        let at = |point: usize| {
            let exponents = &self.result.continued.noise_exponent;
            let all = self
                .runs
                .iter()
                .map(|run| self.result.of_run(exponents, *run)[point]);
            let there: Vec<f64> = all.filter(|g| g.is_finite()).collect();
            (there.len() >= FEWEST).then(|| mean(&there).ok()).flatten()
        };
        let Some(last) = at(points - 1) else {
            return Claim::not_tested(NAME, CLAIM, NEEDS_RUNS);
        };
        let early = at(points / 10).map_or(String::new(), |early| {
            format!(
                "; at eta t = {} it is {}",
                self.result.continuation_time[points / 10],
                text(&early)
            )
        });
        let error = SLACK * last.standard_error;
        let verdict = yes(last.value - error > 0.0 && last.value + error >= 1.0 && last.value - error <= 2.0);
        Claim {
            name: NAME,
            statement: CLAIM,
            evidence: format!(
                "second layer, largest eigenvalues, last states of {} runs: g = {}{early}",
                last.samples,
                text(&last)
            ),
            verdict,
            reason: match verdict {
                Verdict::Reproduced => "the exponent lies in the published range within three errors".into(),
                _ => "the exponent lies outside the published range by more than three errors".into(),
            },
        }
    }
}

/// What claims about single runs need.
const NEEDS_RUNS: &str = "ten converged runs of [network] from one initial state";
/// What claims about the dependence on the noise need.
const NEEDS_SETTINGS: &str =
    "ten converged runs of [network] from one initial state at three values of eta/B";
