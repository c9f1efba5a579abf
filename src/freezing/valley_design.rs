//! Which noise along the path ends with the most runs in a chosen valley of any slow-fast problem.
//!
//! ```text
//! P(end) = e · T_n[c_n] S_n[c_n, c_{n−1}] … S_2[c_2, c_1] T_1[c_1] p   →   largest over the factors c_1 … c_n on the noise
//! ```

use super::valley_path::shares;
use super::{NoiseSchedule, SlowFast, ValleyPath, ValleyPathSettings};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require, require_positive};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Passages between the valleys of a slow-fast problem under each of some factors on its noise in each of some pieces of the path.
///
/// # Formula
/// T_j\[c\] takes the probabilities of the valleys at the start of piece j to those at its end under the factor c on the noise, S_j\[b, a\] those of the
/// valleys under a to those under b where the noise changes; e is 1 in the chosen valley. The choice that makes P(end) largest is looked for.
///
/// # Method
/// Pieces of equal time under the middle factor; factors in equal ratios. T_j from [`ValleyPath::follow`] of runs in each valley, S_j as a path has them
/// where its noise changes.
///
/// # Limitations
/// Adiabatic, as [`ValleyPath`]. The probabilities of three valleys are no number that one schedule makes larger than another in all that follows, so
/// that the optimum is a local one: no change of two pieces improves it. [`ValleyDesign::bound`] says what no schedule exceeds.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::freezing::{SlowFast, ValleyDesign, ValleyPathSettings};
/// use freezeout::landscape::TwoValley;
/// let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 1.0, 1e-3, 0.0)?; // Δ = 1e-3
/// let problem = SlowFast::new(sgd, [-1.1, 1.3], [1.0, 12.0], None)?;
/// let settings = ValleyPathSettings { interpolation: 1e-3, ..Default::default() };
/// let starts = [(-0.01, 0.5), (0.01, 0.5)];
/// let design = ValleyDesign::new(&problem, &starts, 0.5, [0.3, 3.0], 4, 3, &settings)?; // x = 0.5 is in the flat valley
/// let best = design.best();
/// assert!(design.probability(&best)? >= design.probability(&[1; 4])?); // no change of the noise: factor 1 throughout
/// assert!(design.probability(&best)? <= design.bound());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ValleyDesign {
    ends: Vec<f64>,
    factors: Vec<f64>,
    /// Valley of each start under each factor, and its probability.
    starts: Vec<Vec<(usize, f64)>>,
    /// T, one row a piece.
    passages: Vec<Vec<DMatrix<f64>>>,
    /// S at the start of each piece but the first, one row a factor after the change.
    changes: Vec<Vec<Vec<DMatrix<f64>>>>,
    /// e under each factor in the last piece.
    chosen: Vec<DVector<f64>>,
}

/// Local error of a step of the master equation.
const MASTER: f64 = 1e-9;

impl ValleyDesign {
    /// Runs of `problem` start at the points (x, probability) `starts`; the valley that is chosen is the one in which x = `valley` lies at the end. `factors`
    /// factors on the noise from the first to the second of the bounds, in `pieces` pieces of the path.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for bounds that do not ascend, fewer than two pieces or factors, or a valley out of the bounds of x; errors of
    /// [`ValleyPath::new`] and [`ValleyPath::follow`].
    pub fn new<T: Diffusion<2>>(
        problem: &SlowFast<T>,
        starts: &[(f64, f64)],
        valley: f64,
        [weakest, strongest]: [f64; 2],
        pieces: usize,
        factors: usize,
        settings: &ValleyPathSettings,
    ) -> Result<Self> {
        require_positive("weakest", weakest)?;
        require(
            "strongest",
            strongest,
            |f| f > weakest,
            "it must exceed the weakest",
        )?;
        for (name, count) in [("pieces", pieces), ("factors", factors)] {
            require(name, count as f64, |n| n >= 2.0, "at least two are needed")?;
        }
        let [lower, upper] = problem.bounds();
        require(
            "valley",
            valley,
            |x| x > lower && x < upper,
            "it must lie within the bounds of x",
        )?;
        let ratio = (strongest / weakest).powf(1.0 / (factors - 1) as f64);
        let factors: Vec<f64> = (0..factors).map(|k| weakest * ratio.powi(k as i32)).collect();
        let middle = NoiseSchedule::new(&[], &[factors[factors.len() / 2]])?;
        let ends = ValleyPath::new(problem, &middle, settings)?.equal_times(problem.range()[1], pieces);
        let inner = &ends[1..pieces];
        let paths: Vec<ValleyPath> = factors
            .par_iter()
            .map(|factor| {
                let schedule = NoiseSchedule::new(inner, &vec![*factor; pieces])?;
                ValleyPath::new(problem, &schedule, settings)
            })
            .collect::<Result<_>>()?;
        let parts: Vec<_> = paths
            .iter()
            .map(|path| path.passages(inner, MASTER))
            .collect::<Result<_>>()?;
        let changes = (1..pieces)
            .into_par_iter()
            .map(|j| {
                let to = |after: usize| -> Result<Vec<DMatrix<f64>>> {
                    let from = |before: usize| {
                        let (old, new) = (&parts[before][j - 1].last, &parts[after][j].first);
                        shares(problem, ends[j], factors[before], old, new)
                    };
                    (0..factors.len()).map(from).collect()
                };
                (0..factors.len()).map(to).collect()
            })
            .collect::<Result<_>>()?;
        let valley_of = |ridges: &[f64], x: f64| -> usize { ridges.partition_point(|ridge| *ridge < x) };
        let mut e = Vec::with_capacity(factors.len());
        let mut begun = Vec::with_capacity(factors.len());
        for part in &parts {
            let (first, last) = (&part[0].first, &part[pieces - 1].last);
            let mut one = DVector::zeros(last.valleys.len());
            one[valley_of(&last.ridges, valley)] = 1.0;
            e.push(one);
            let of = |&(x, p): &(f64, f64)| (valley_of(&first.ridges, x), p);
            begun.push(starts.iter().map(of).collect());
        }
        let of_piece = |j: usize| parts.iter().map(|part| part[j].matrix.clone()).collect();
        Ok(Self {
            passages: (0..pieces).map(of_piece).collect(),
            starts: begun,
            chosen: e,
            ends,
            factors,
            changes,
        })
    }

    /// Slow positions at the ends of the pieces, one more than there are.
    pub fn ends(&self) -> &[f64] {
        &self.ends
    }

    /// Factors on the noise, ascending.
    pub fn factors(&self) -> &[f64] {
        &self.factors
    }

    /// The factor nearest to a number by ratio.
    pub fn nearest(&self, factor: f64) -> usize {
        let distance = |k: &usize| (self.factors[*k] / factor).ln().abs();
        let all = 0..self.factors.len();
        all.min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .unwrap_or(0)
    }

    fn check(&self, choice: &[usize]) -> Result<()> {
        let pieces = self.passages.len();
        if choice.len() != pieces {
            return Err(Error::DimensionMismatch {
                name: "choice".into(),
                expected: pieces,
                got: choice.len(),
            });
        }
        let count = self.factors.len() as f64;
        for k in choice {
            require(
                "choice",
                *k as f64,
                |k| k < count,
                "it must be the number of a factor",
            )?;
        }
        Ok(())
    }

    fn start(&self, factor: usize) -> DVector<f64> {
        let mut p = DVector::zeros(self.passages[0][factor].ncols());
        self.starts[factor].iter().for_each(|(k, share)| p[*k] += share);
        p
    }

    /// P at the start of each piece under the factors chosen for it and those before.
    fn forward(&self, choice: &[usize]) -> Vec<DVector<f64>> {
        let mut all = vec![self.start(choice[0])];
        for j in 1..choice.len() {
            let end = &self.passages[j - 1][choice[j - 1]] * &all[j - 1];
            all.push(&self.changes[j - 1][choice[j]][choice[j - 1]] * end);
        }
        all
    }

    fn end(&self, choice: &[usize]) -> f64 {
        let last = choice.len() - 1;
        let p = &self.forward(choice)[last];
        self.chosen[choice[last]].dot(&(&self.passages[last][choice[last]] * p))
    }

    /// Final probability of the chosen valley under factors given by their numbers, one a piece.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] or [`Error::InvalidParameter`] for a choice of other pieces or factors.
    pub fn probability(&self, choice: &[usize]) -> Result<f64> {
        self.check(choice)?;
        Ok(self.end(choice))
    }

    /// Final probabilities with the factor of one piece replaced by each of all: one row a piece.
    ///
    /// # Method
    /// The master equation once, and its adjoint a_j, ∂P(end)/∂P at the end of piece j, once: P(end) is linear in what any one piece does.
    ///
    /// # Errors
    /// As [`ValleyDesign::probability`].
    pub fn with_one_changed(&self, choice: &[usize]) -> Result<Vec<Vec<f64>>> {
        self.check(choice)?;
        let (n, p) = (choice.len(), self.forward(choice));
        let mut out = vec![Vec::new(); n];
        // at the start of the piece after j
        let mut adjoint = DVector::zeros(0);
        for j in (0..n).rev() {
            let before = (j > 0).then(|| &self.passages[j - 1][choice[j - 1]] * &p[j - 1]);
            let after = |k: usize| match j + 1 < n {
                true => self.changes[j][choice[j + 1]][k].tr_mul(&adjoint),
                false => self.chosen[k].clone(),
            };
            out[j] = (0..self.factors.len())
                .map(|k| {
                    let start = match &before {
                        Some(before) => &self.changes[j - 1][k][choice[j - 1]] * before,
                        None => self.start(k),
                    };
                    after(k).dot(&(&self.passages[j][k] * start))
                })
                .collect();
            adjoint = self.passages[j][choice[j]].tr_mul(&after(choice[j]));
        }
        Ok(out)
    }

    /// Numbers of the factors, one a piece, that no change of one or two pieces makes better: the best that is reached from any constant noise.
    pub fn best(&self) -> Vec<usize> {
        /// Gain of P up to which two choices are the same: less is in the errors of the passages.
        const SAME: f64 = 1e-7;
        let (n, m) = (self.passages.len(), self.factors.len());
        let climbed = |k: usize| -> (f64, Vec<usize>) {
            let mut choice = vec![k; n];
            let mut reached = self.end(&choice);
            loop {
                let mut better: Option<Vec<usize>> = None;
                for a in 0..n {
                    for b in a + 1..n {
                        for pair in 0..m * m {
                            let mut tried = choice.clone();
                            (tried[a], tried[b]) = (pair / m, pair % m);
                            let p = self.end(&tried);
                            if p > reached + SAME {
                                (reached, better) = (p, Some(tried));
                            }
                        }
                    }
                }
                match better {
                    Some(tried) => choice = tried,
                    None => return (reached, choice),
                }
            }
        };
        let all: Vec<_> = (0..m).into_par_iter().map(climbed).collect();
        let best = all
            .into_iter()
            .reduce(|best, other| if other.0 > best.0 { other } else { best });
        best.map_or_else(Vec::new, |(_, choice)| choice)
    }

    /// A bound of the final probability of any choice: what would be reached if each run had its factors chosen by the valley it is in.
    pub fn bound(&self) -> f64 {
        let m = self.factors.len();
        // under each factor at the end of a piece, with the best to come
        let mut value = self.chosen.clone();
        for (j, passages) in self.passages.iter().enumerate().rev() {
            let start: Vec<DVector<f64>> = (0..m).map(|k| passages[k].tr_mul(&value[k])).collect();
            if j == 0 {
                let of = |run: usize| {
                    let under = |k: usize| start[k][self.starts[k][run].0];
                    self.starts[0][run].1 * (0..m).map(under).fold(0.0, f64::max)
                };
                return (0..self.starts[0].len()).map(of).sum();
            }
            let changed = |before: usize| {
                let all = (0..m).map(|after| self.changes[j - 1][after][before].tr_mul(&start[after]));
                all.reduce(|a, b| a.sup(&b)).unwrap_or_else(|| DVector::zeros(0))
            };
            value = (0..m).map(changed).collect();
        }
        1.0
    }

    /// The factors of a choice, one a piece.
    ///
    /// # Errors
    /// As [`ValleyDesign::probability`].
    pub fn strengths(&self, choice: &[usize]) -> Result<Vec<f64>> {
        self.check(choice)?;
        Ok(choice.iter().map(|k| self.factors[*k]).collect())
    }

    /// Factors on the noise, one a piece and between the tabulated ones or not, as a schedule.
    ///
    /// # Errors
    /// As [`NoiseSchedule::new`].
    pub fn schedule(&self, factors: &[f64]) -> Result<NoiseSchedule> {
        let changed = || (1..factors.len()).filter(|j| factors[*j] != factors[*j - 1]);
        let changes: Vec<f64> = changed().map(|j| self.ends[j]).collect();
        let strengths: Vec<f64> = [0].into_iter().chain(changed()).map(|j| factors[j]).collect();
        NoiseSchedule::new(&changes, &strengths)
    }
}
