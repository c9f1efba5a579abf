//! Exact first passage on a line: b τ' + D τ'' = −1 solved by quadrature in log domain.

use super::nested_quadrature::{Inner, NestedIntegrals, nested_integrals};
use super::panel::Line;
use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result, require, require_finite};
use crate::landscape::loss_jump;
use crate::math::Point;
use crate::math::log_domain::{log_add_exp, probability_from_log_odds};

/// Change of a logarithm between two levels of panels at which refinement stops.
const TARGET_ERROR: f64 = 1e-13;
/// Error above which a result is refused.
const LARGEST_ERROR: f64 = 1e-6;
/// Times that all panels are halved in search of [`TARGET_ERROR`].
const MAX_HALVINGS: usize = 6;
/// Rounding of a logarithm that is a sum of many terms, in units of its size.
const ROUNDING: f64 = 2.0 * f64::EPSILON;

/// A number known through its logarithm, with its relative error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Determined {
    /// ln of the number.
    pub log: f64,
    /// The number itself: 0 or ∞ when it is beyond the range of f64.
    pub value: f64,
    /// Estimated relative error: the change when every panel is halved, at least rounding.
    pub relative_error: f64,
}

impl Determined {
    fn new(log: f64, coarse: f64) -> Self {
        let change = if log == coarse { 0.0 } else { (log - coarse).abs() };
        Self {
            log,
            value: log.exp(),
            relative_error: change.max(ROUNDING * log.abs().max(1.0)),
        }
    }
}

/// Mean and variance of a first-passage time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirstPassage {
    /// Mean first-passage time.
    pub mean: Determined,
    /// Variance of the first-passage time.
    pub variance: Determined,
    /// Panels of the finer level.
    pub panels: usize,
    /// Stationary probability that the reflecting end cuts off, relative to the probability between that end and the target:
    /// the density at the end times its decay length there. Infinite where the drift does not point inward, since the end
    /// is then a wall of the problem and not a truncation.
    pub cut_probability: f64,
}

/// Scale and speed of an Ito diffusion on [lower, upper] with reflecting ends.
///
/// # Formula
/// With ψ = −∫ b/D, scale density s = e^ψ and speed density m = e^{−ψ}/D (the unnormalised stationary density),
/// ```text
/// E τ(a→b)   = ∫_a^b s(x) M(x) dx,                  M(x) = ∫_lower^x m(u) du     (a < b, mirrored for a > b)
/// Var τ(a→b) = ∫_a^b s(x) ∫_lower^x 2 s(u) M(u)² du dx
/// Pr(b before a from x) = ∫_a^x s / ∫_a^b s
/// odds(A : B) = ∫_A m / ∫_B m
/// ```
/// The variance follows from b V' + D V'' = −2 D τ'², which needs no difference of large numbers.
///
/// # Units
/// Times in the unit of the diffusion's time (for SGD t = ηk).
///
/// # Method
/// Panels of 16 Gauss-Legendre nodes between all kinks, sized so that ψ changes by at most 4 on each of the finer level; running
/// integrals by spectral integration matrices; only logarithms are carried between panels, so that neither overflow nor
/// cancellation occurs at any barrier. The result is compared with the one on halved panels, whose change is the error reported.
/// Features narrower than a panel that are neither kinks nor visible at its nodes are missed, see
/// [`ScaleAndSpeed::with_panels_ending_at`]. A jump of the loss on a kink is exact: e^ψ jumps with it.
///
/// # Errors
/// Construction and all methods: [`Error::InvalidParameter`] for points outside the domain or out of order,
/// [`Error::NotPositive`] where D ≤ 0, [`Error::NotFinite`] where b or D is not finite, [`Error::NotConverged`] when
/// the relative error stays above 10⁻⁶.
///
/// # References
/// C. W. Gardiner, Handbook of Stochastic Methods, 5.2.7; S. Karlin and H. Taylor, A Second Course in Stochastic Processes, 15.3.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::rates::ScaleAndSpeed;
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
/// let line = ScaleAndSpeed::new(&ou, -10.0, 10.0)?;
/// let passage = line.first_passage(0.0, 1.0)?; // from 0 to one standard deviation
/// assert!((passage.mean.value / 2.093_406_65 - 1.0).abs() < 1e-8);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ScaleAndSpeed<'a, F> {
    diffusion: &'a F,
    lower: f64,
    upper: f64,
    kinks: Vec<f64>,
    /// Where the loss jumps, and by how many noise units.
    jumps: Vec<(f64, f64)>,
    /// Further ends of panels.
    ends: Vec<f64>,
    /// α of the calculus.
    alpha: f64,
}

/// [`ScaleAndSpeed::first_passage`] from `start` to `target` on a domain given directly.
///
/// # Errors
/// As [`ScaleAndSpeed`].
pub fn first_passage_integral<F: Diffusion<1>>(
    diffusion: &F,
    start: f64,
    target: f64,
    lower: f64,
    upper: f64,
) -> Result<FirstPassage> {
    ScaleAndSpeed::new(diffusion, lower, upper)?.first_passage(start, target)
}

impl<'a, F: Diffusion<1>> ScaleAndSpeed<'a, F> {
    /// `diffusion` on [lower, upper]; [`super::confining_domain`] finds ends that cut off a given probability.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] unless lower < upper are finite.
    pub fn new(diffusion: &'a F, lower: f64, upper: f64) -> Result<Self> {
        require_finite("lower", lower)?;
        require(
            "upper",
            upper,
            |v| v > lower,
            "a finite number above lower is needed",
        )?;
        let mut kinks: Vec<f64> = diffusion.kinks().iter().map(|kink| kink.position).collect();
        kinks.sort_by(f64::total_cmp);
        kinks.dedup();
        let mut jumps = Vec::new();
        if let Some(landscape) = diffusion.landscape() {
            for &kink in kinks.iter().filter(|x| **x > lower && **x < upper) {
                let theta = Point::<1>::new(kink);
                let jump = loss_jump(landscape, &theta, 0, upper - lower);
                if jump != 0.0 {
                    jumps.push((kink, jump / diffusion.tensor(&theta)[0]));
                }
            }
        }
        Ok(Self {
            diffusion,
            lower,
            upper,
            kinks,
            jumps,
            ends: Vec::new(),
            alpha: 0.0,
        })
    }

    /// The same equation read in another calculus.
    ///
    /// # Formula
    /// s = e^ψ D^{−α} and m = e^{−ψ} D^{α−1}, ψ = −∫ b/D as before: D′ is never formed, and D may jump on kinks.
    ///
    /// # Examples
    /// ```
    /// # use freezeout::math::{Point, Tensor};
    /// # use freezeout::diffusion::{Calculus, Diffusion};
    /// # use freezeout::rates::ScaleAndSpeed;
    /// # struct Stretched;
    /// # impl Diffusion<1> for Stretched {
    /// #     fn drift(&self, _: &Point<1>) -> Point<1> { Point::<1>::new(0.0) }
    /// #     fn tensor(&self, x: &Point<1>) -> Tensor<1> { Tensor::<1>::new((1.0 + x[0]).powi(2)) }
    /// # }
    /// // dx = sqrt(2) (1 + x) ∘ dW is Brownian motion of ln(1 + x): D = 1, from ln 1 out of (−ln 2, ln 2).
    /// let line = ScaleAndSpeed::new(&Stretched, -0.9, 3.0)?.in_calculus(Calculus::Stratonovich);
    /// let exit = line.mean_exit_time(0.0, -0.5, 1.0)?;
    /// assert!((exit.value - 2f64.ln().powi(2) / 2.0).abs() < 1e-13);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    #[must_use]
    pub fn in_calculus(mut self, calculus: Calculus) -> Self {
        self.alpha = calculus.alpha();
        self
    }

    /// The same with panels that end at these points at least, so that nothing as wide as the space between two of them is missed.
    #[must_use]
    pub fn with_panels_ending_at(mut self, points: &[f64]) -> Self {
        self.ends = points.to_vec();
        self
    }

    /// Lower and upper end.
    pub fn domain(&self) -> (f64, f64) {
        (self.lower, self.upper)
    }

    /// Mean and variance of the time to reach `target` from `start`; the end behind the start reflects.
    ///
    /// # Errors
    /// See [`ScaleAndSpeed`].
    pub fn first_passage(&self, start: f64, target: f64) -> Result<FirstPassage> {
        self.require_inside("start", start)?;
        self.require_inside("target", target)?;
        require("target", target, |t| t != start, "it must differ from the start")?;
        let sign = if target > start { 1.0 } else { -1.0 };
        let end = if target > start { self.lower } else { -self.upper };
        let ([coarse, fine], panels) = self.levels(sign, [end, sign * start, sign * target], Inner::Speed)?;
        let (inward, _) = self.line(sign).at(end)?;
        let log_mass = fine.inner - fine.potential;
        Ok(FirstPassage {
            mean: Determined::new(fine.mean, coarse.mean),
            variance: Determined::new(fine.variance, coarse.variance),
            panels,
            cut_probability: if inward > 0.0 {
                (-inward.ln() - log_mass).exp()
            } else {
                f64::INFINITY
            },
        })
    }

    /// Probability q of reaching `right` before `left` from `start`.
    ///
    /// # Errors
    /// See [`ScaleAndSpeed`].
    pub fn committor(&self, start: f64, left: f64, right: f64) -> Result<Determined> {
        let towards = self.scale_integrals(start, left, right)?;
        let log = |level: usize| {
            let [from_left, from_right] = [towards[0][level].inner, towards[1][level].inner];
            from_left - log_add_exp(from_left, from_right)
        };
        Ok(Determined::new(log(1), log(0)))
    }

    /// Mean time to leave the interval (left, right) from `start` through either end.
    ///
    /// # Formula
    /// E τ = q ∫_start^right m(z) ∫_z^right s + (1−q) ∫_left^start m(z) ∫_left^z s, q the committor.
    ///
    /// # Errors
    /// See [`ScaleAndSpeed`].
    ///
    /// # Examples
    /// ```
    /// # use freezeout::math::Point;
    /// # use freezeout::diffusion::Diffusion;
    /// # struct Brownian;
    /// # impl Diffusion<1> for Brownian {
    /// #     fn drift(&self, _: &Point<1>) -> Point<1> { Point::<1>::new(0.0) }
    /// #     fn tensor(&self, _: &Point<1>) -> freezeout::math::Tensor<1> { freezeout::math::Tensor::<1>::new(0.5) }
    /// # }
    /// // Brownian motion with D = 1/2 from x = 1 out of (−2, 2): (4 − 1)/(2D).
    /// let line = freezeout::rates::ScaleAndSpeed::new(&Brownian, -2.0, 2.0)?;
    /// assert!((line.mean_exit_time(1.0, -2.0, 2.0)?.value - 3.0).abs() < 1e-13);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn mean_exit_time(&self, start: f64, left: f64, right: f64) -> Result<Determined> {
        let towards = self.scale_integrals(start, left, right)?;
        let log = |level: usize| {
            let [from_left, from_right] = [towards[0][level], towards[1][level]];
            log_add_exp(
                from_left.inner + from_right.mean,
                from_right.inner + from_left.mean,
            ) - log_add_exp(from_left.inner, from_right.inner)
        };
        Ok(Determined::new(log(1), log(0)))
    }

    /// Stationary odds of the interval `first` to the interval `second`; `value` is the odds, `log` their logarithm.
    ///
    /// # Errors
    /// See [`ScaleAndSpeed`].
    pub fn odds(&self, first: (f64, f64), second: (f64, f64)) -> Result<Determined> {
        let [first_coarse, first_fine] = self.log_speed(first)?;
        let [second_coarse, second_fine] = self.log_speed(second)?;
        // Both masses have ψ = 0 at their left ends.
        let (a, b) = (first.0.min(second.0), first.0.max(second.0));
        let [shift_coarse, shift_fine] = if a < b {
            let ([coarse, fine], _) = self.levels(1.0, [a, a, b], Inner::Speed)?;
            let sign = if first.0 < second.0 { 1.0 } else { -1.0 };
            [sign * coarse.potential, sign * fine.potential]
        } else {
            [0.0, 0.0]
        };
        Ok(Determined::new(
            first_fine - second_fine + shift_fine,
            first_coarse - second_coarse + shift_coarse,
        ))
    }

    /// Stationary probability of `first` given that the walker is in `first` or `second`.
    ///
    /// # Errors
    /// See [`ScaleAndSpeed`].
    pub fn probability(&self, first: (f64, f64), second: (f64, f64)) -> Result<Determined> {
        let odds = self.odds(first, second)?;
        let complement = probability_from_log_odds(-odds.log);
        Ok(Determined {
            log: odds.log.min(0.0) - (-odds.log.abs()).exp().ln_1p(),
            value: probability_from_log_odds(odds.log),
            relative_error: (complement * odds.relative_error).max(ROUNDING),
        })
    }

    fn line(&self, sign: f64) -> Line<'a, F> {
        Line {
            diffusion: self.diffusion,
            sign,
            alpha: self.alpha,
            jumps: self
                .jumps
                .iter()
                .map(|(x, jump)| (sign * x, sign * jump))
                .collect(),
        }
    }

    /// Logarithm of ∫ m over an interval, with ψ = 0 at its left end, on both levels.
    fn log_speed(&self, interval: (f64, f64)) -> Result<[f64; 2]> {
        let (left, right) = interval;
        self.require_inside("interval's left end", left)?;
        self.require_inside("interval's right end", right)?;
        require(
            "interval's right end",
            right,
            |r| r > left,
            "it must lie above the left end",
        )?;
        let (levels, _) = self.levels(1.0, [left, left, right], Inner::Speed)?;
        Ok(levels.map(|level| level.inner - level.potential))
    }

    /// Integrals from the left end to the start and (mirrored) from the right end to the start, on both levels.
    fn scale_integrals(&self, start: f64, left: f64, right: f64) -> Result<[[NestedIntegrals; 2]; 2]> {
        self.require_inside("left", left)?;
        self.require_inside("right", right)?;
        let between = |x: f64| left < x && x < right;
        require("start", start, between, "it must lie between the two exits")?;
        let (from_left, _) = self.levels(1.0, [left, left, start], Inner::Scale)?;
        let (from_right, _) = self.levels(-1.0, [-right, -right, -start], Inner::Scale)?;
        Ok([from_left, from_right])
    }

    /// The integrals from points[0] to points[2] on two levels, panels halved until they agree; the outer integral
    /// begins at points[1]. Points are mirrored when `sign` is −1.
    fn levels(&self, sign: f64, points: [f64; 3], inner: Inner) -> Result<([NestedIntegrals; 2], usize)> {
        let line = self.line(sign);
        let mut breakpoints: Vec<f64> = points.to_vec();
        breakpoints.extend(
            self.kinks
                .iter()
                .chain(&self.ends)
                .map(|kink| sign * kink)
                .filter(|z| *z > points[0] && *z < points[2]),
        );
        breakpoints.sort_by(f64::total_cmp);
        breakpoints.dedup();
        let [coarse, mut fine] = line.resolve(&breakpoints)?;
        let mut previous = nested_integrals(&coarse, points[1], inner);
        let mut halvings = 0;
        loop {
            let current = nested_integrals(&fine, points[1], inner);
            let error = [
                (current.mean, previous.mean),
                (current.variance, previous.variance),
                (current.inner, previous.inner),
            ]
            .iter()
            .map(|(a, b)| {
                if a == b {
                    0.0
                } else {
                    (a - b).abs() / a.abs().max(1.0)
                }
            })
            .fold(0.0, f64::max);
            if error.is_nan() {
                return Err(Error::NotFinite {
                    quantity: "first-passage integral".into(),
                    reason: "the potential ∫ b/D leaves the range of f64".into(),
                });
            }
            if error <= TARGET_ERROR || halvings == MAX_HALVINGS {
                if error > LARGEST_ERROR {
                    return Err(Error::NotConverged {
                        method: "first-passage integral".into(),
                        iterations: halvings,
                        residual: error,
                        tolerance: LARGEST_ERROR,
                    });
                }
                return Ok(([previous, current], fine.len()));
            }
            fine = line.halve(&fine)?;
            previous = current;
            halvings += 1;
        }
    }

    fn require_inside(&self, name: &str, value: f64) -> Result<f64> {
        require(
            name,
            value,
            |v| v >= self.lower && v <= self.upper,
            &format!(
                "a number in the domain [{}, {}] is needed",
                self.lower, self.upper
            ),
        )
    }
}
