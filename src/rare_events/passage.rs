//! Mean first-passage times by the Hill relation.

use super::chain::{Chain, Random};
use super::diffusion_chain::DiffusionChain;
use super::splitting::{split, too_long};
use crate::diffusion::Diffusion;
use crate::ensemble::stream::StreamKey;
use crate::error::{Error, Result, require};
use crate::statistics::{Estimate, mean};
use rayon::prelude::*;

/// How a mean first-passage time is sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageProtocol {
    /// ξ at or below which a loop ends, that of the start at least.
    pub return_level: f64,
    /// ξ beyond which a path counts as under way, above `return_level`.
    pub departure_level: f64,
    /// Replicas of one splitting, as many loops before it, and as many again before those, which are left out.
    pub replicas: usize,
    /// Independent repetitions, at least two.
    pub repetitions: usize,
    /// Steps after which a repetition is given up.
    pub most_steps: u64,
    /// Seed of the random streams.
    pub seed: u64,
    /// Number of the experiment; see [`crate::ensemble::stream::experiment_number`].
    pub experiment: u64,
}

/// A mean first-passage time with what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanPassage {
    /// Mean number of steps to the target.
    pub steps: Estimate,
    /// Mean number of steps of a loop.
    pub loop_steps: Estimate,
    /// Probability that a loop reaches the target.
    pub probability: Estimate,
    /// Simulated steps of all repetitions.
    pub simulated_steps: u64,
}

/// One repetition: mean steps of a loop, probability, simulated steps.
type Repetition = (f64, f64, u64);

/// Mean number of steps from `start` to the target.
///
/// # Formula
/// A path that begins anew at the start whenever it has reached the target is a sequence of loops: from the start or the return to
/// ξ ≤ `return_level`, beyond ξ > `departure_level`, to the next return or the target. In its stationary state
/// ```text
/// E τ = E(steps of a loop)/p,      p the probability that a loop reaches the target
/// ```
/// exactly, for any pair of levels (Hill 1977; Wald): they move the spread only. The law with which loops depart is sampled from such a path itself.
///
/// # Method
/// A repetition follows one path, leaves out as many loops as there are replicas, and takes length and departing state of as many more; p is by
/// [`split`] from these states. Means over repetitions, error of the ratio by its linear part with the covariance of both, bias of second order
/// removed. Repetition r is the same on any number of threads. What remains of the start after the loops left out is a bias, of the order of the
/// correlation of loops that far apart: the number of replicas must exceed the loops in which the start is forgotten.
///
/// # Errors
/// [`Error::InvalidParameter`] for a protocol out of range; [`Error::Inconsistent`] for a start that is not at or below the return level;
/// [`Error::NoneReached`] without a passage in any repetition; [`Error::Unreachable`] after `most_steps`; what a step returns.
///
/// # References
/// T. L. Hill, Free Energy Transduction in Biology (1977); C.-E. Bréhier, T. Lelièvre and M. Rousset, ESAIM: Prob. Stat. 19, 361 (2015).
///
/// # Examples
/// A walk on the integers that goes up with probability 1/3 and stays at 0 in place of falling below it: one level up from i takes t_i = 3 + 2 t_{i−1}
/// steps, t_0 = 3.
/// ```
/// use freezeout::rare_events::{Chain, PassageProtocol, Random, mean_first_passage_time};
/// struct Walk;
/// impl Chain for Walk {
///     type State = i32;
///     fn level(&self, state: &i32) -> f64 {
///         if *state >= 6 { f64::INFINITY } else { f64::from(*state) }
///     }
///     fn step(&self, state: &mut i32, random: &mut Random) -> freezeout::Result<()> {
///         *state = (*state + if random.uniform() < 1.0 / 3.0 { 1 } else { -1 }).max(0);
///         Ok(())
///     }
/// }
/// let protocol = PassageProtocol {
///     return_level: 0.0,
///     departure_level: 0.5,
///     replicas: 20,
///     repetitions: 400,
///     most_steps: 1_000_000,
///     seed: 1,
///     experiment: 0,
/// };
/// let found = mean_first_passage_time(&Walk, &0, &protocol, &|| ())?;
/// let exact: f64 = (0..6).map(|i| 3.0 * (2f64.powi(i + 1) - 1.0)).sum();
/// assert!(found.steps.z_score(exact).abs() < 4.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn mean_first_passage_time<C: Chain>(
    chain: &C,
    start: &C::State,
    protocol: &PassageProtocol,
    progress: &(dyn Fn() + Sync),
) -> Result<MeanPassage> {
    let at_least = |name: &str, value: usize, least: usize| {
        let requirement = format!("at least {least} are needed");
        require(name, value as f64, |v| v >= least as f64, &requirement)
    };
    at_least("replicas", protocol.replicas, 2)?;
    at_least("repetitions", protocol.repetitions, 2)?;
    require(
        "departure_level",
        protocol.departure_level,
        |level| level > protocol.return_level && level.is_finite(),
        "it must be finite and above the return level",
    )?;
    if !(chain.level(start) <= protocol.return_level) {
        return Err(Error::Inconsistent {
            subject: format!("the reaction coordinate {} of the start", chain.level(start)),
            requirement: format!("it must not exceed the return level {}", protocol.return_level),
        });
    }
    let key = StreamKey::new(protocol.seed, protocol.experiment);
    let repetitions: Vec<Repetition> = (0..protocol.repetitions)
        .into_par_iter()
        .with_max_len(1)
        .map(|run| {
            let found = repetition(chain, start, protocol, &mut Random::new(&key, run as u64));
            progress();
            found
        })
        .collect::<Result<_>>()?;
    let estimate = |of: &dyn Fn(&Repetition) -> f64| mean(&repetitions.iter().map(of).collect::<Vec<f64>>());
    let (loops, probability) = (estimate(&|r| r.0)?, estimate(&|r| r.1)?);
    if probability.value == 0.0 {
        return Err(Error::NoneReached {
            what: "replica of any repetition".into(),
            hint: "more replicas, or a reaction coordinate that leads to the target, are needed".into(),
        });
    }
    let ratio = loops.value / probability.value;
    // E(l/p) = (E l/E p)(1 + var p/p² − cov(l, p)/(l p)) to second order
    let (l, p) = (loops.value, probability.value);
    let products = estimate(&|r| (r.1 / p - 1.0) * (r.1 / p - r.0 / l))?;
    let bias = products.value / (products.samples as f64 - 1.0);
    let linear = estimate(&|r| ratio * (r.0 / l - r.1 / p))?;
    Ok(MeanPassage {
        steps: Estimate {
            value: ratio * (1.0 - bias),
            ..linear
        },
        loop_steps: loops,
        probability,
        simulated_steps: repetitions.iter().map(|r| r.2).sum(),
    })
}

fn repetition<C: Chain>(
    chain: &C,
    start: &C::State,
    protocol: &PassageProtocol,
    random: &mut Random,
) -> Result<Repetition> {
    let (mut state, mut steps, mut in_loops) = (start.clone(), 0_u64, 0_u64);
    let mut departures = Vec::with_capacity(protocol.replicas);
    for passed in 0..2 * protocol.replicas {
        let before = steps;
        let mut departure = None;
        loop {
            let level = chain.level(&state);
            if departure.is_none() && level > protocol.departure_level {
                departure = Some(state.clone());
            }
            if level == f64::INFINITY {
                state = start.clone();
                break;
            }
            if departure.is_some() && level <= protocol.return_level {
                break;
            }
            if steps == protocol.most_steps {
                return Err(too_long(protocol.most_steps));
            }
            chain.step(&mut state, random)?;
            steps += 1;
        }
        if passed >= protocol.replicas {
            in_loops += steps - before;
            departures.extend(departure);
        }
    }
    let rest = protocol.most_steps - steps;
    let found = split(chain, &departures, protocol.return_level, rest, random)?;
    let loops = protocol.replicas as f64;
    Ok((in_loops as f64 / loops, found.probability, steps + found.steps))
}

/// Mean number of steps from `start` to the target, by simulating `runs` of them: for passages that are not rare.
///
/// # Errors
/// [`Error::TooFewSamples`] for fewer than two runs; [`Error::Unreachable`] when one takes `most_steps`; what a step returns.
pub fn simulated_first_passage_time<C: Chain>(
    chain: &C,
    start: &C::State,
    runs: usize,
    most_steps: u64,
    key: &StreamKey,
) -> Result<Estimate> {
    let run = |run: usize| {
        let (mut state, mut random) = (start.clone(), Random::new(key, run as u64));
        for steps in 0..most_steps {
            if chain.level(&state) == f64::INFINITY {
                return Ok(steps as f64);
            }
            chain.step(&mut state, &mut random)?;
        }
        Err(too_long(most_steps))
    };
    mean(&(0..runs).into_par_iter().map(run).collect::<Result<Vec<f64>>>()?)
}

impl MeanPassage {
    /// The mean time to the target with the time step of the chain it was found with.
    pub fn time<const D: usize, T: Diffusion<D> + ?Sized>(
        &self,
        chain: &DiffusionChain<'_, D, T>,
    ) -> Estimate {
        let h = chain.time_step();
        Estimate {
            value: h * (self.steps.value - 1.0 + chain.end_of_path()),
            standard_error: h * self.steps.standard_error,
            ..self.steps
        }
    }
}
