//! Adaptive multilevel splitting.

use super::chain::{Chain, Random};
use crate::error::{Error, Result};

/// What one splitting found.
#[derive(Debug, Clone, PartialEq)]
pub struct Splitting {
    /// Unbiased estimate of the probability to reach the target.
    pub probability: f64,
    /// Steps of the chain.
    pub steps: u64,
}

/// Probability that a path reaches the target before ξ ≤ `floor`, on average over `starts`: one replica starts from each.
///
/// # Formula
/// With N replicas, Z_q the smallest of their largest ξ and K_q replicas that came no farther, p = Π_q (1 − K_q/N).
///
/// # Method
/// As long as a replica has not reached the target, all those with the smallest largest ξ are replaced: each by the path of a survivor up to its
/// first state with ξ > Z_q, strictly, and by new steps from there. In discrete time replicas that branched from one state and fell back at once
/// have the same largest ξ: that all of them are replaced, and that the branching state lies beyond Z_q, is what makes the mean exact at any N and
/// for any ξ. The replicas are independent given the starts, so that these may be any sample, and the mean is that over them. ξ need not be
/// continuous. Relative variance about −ln p/N for a good ξ, cost −N ln p pieces of path: linear in the barrier over the noise at given N,
/// quadratic at given relative error.
///
/// # Errors
/// [`Error::EmptySet`] without starts, [`Error::Unreachable`] after `most_steps`, of a probability too small for a number, and what a step returns.
///
/// # References
/// F. Cérou and A. Guyader, Stoch. Anal. Appl. 25, 417 (2007); C.-E. Bréhier, M. Gazeau, L. Goudenège, T. Lelièvre and M. Rousset, Ann. Appl.
/// Probab. 26, 3559 (2016), Theorem 3.2.
///
/// # Examples
/// A walk on the integers that goes up with probability 1/3 reaches 10 before 0 from 1 with probability (2 − 1)/(2^10 − 1).
/// ```
/// use freezeout::ensemble::stream::StreamKey;
/// use freezeout::rare_events::{Chain, Random, split};
/// struct Walk;
/// impl Chain for Walk {
///     type State = i32;
///     fn level(&self, state: &i32) -> f64 {
///         if *state >= 10 { f64::INFINITY } else { f64::from(*state) }
///     }
///     fn step(&self, state: &mut i32, random: &mut Random) -> freezeout::Result<()> {
///         *state += if random.uniform() < 1.0 / 3.0 { 1 } else { -1 };
///         Ok(())
///     }
/// }
/// let mean = (0..400)
///     .map(|run| split(&Walk, &[1; 20], 0.0, 1_000_000, &mut Random::new(&StreamKey::new(1, 0), run)))
///     .map(|found| found.map(|found| found.probability / 400.0))
///     .sum::<freezeout::Result<f64>>()?;
/// assert!((mean * 1023.0 - 1.0).abs() < 0.2); // three standard errors
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn split<C: Chain>(
    chain: &C,
    starts: &[C::State],
    floor: f64,
    most_steps: u64,
    random: &mut Random,
) -> Result<Splitting> {
    split_with(chain, starts, floor, most_steps, random, |farthest, smallest| {
        (0..farthest.len()).filter(|n| farthest[*n] <= smallest).collect()
    })
}

/// [`split`], with the rule that says which replicas are replaced.
fn split_with<C: Chain>(
    chain: &C,
    starts: &[C::State],
    floor: f64,
    most_steps: u64,
    random: &mut Random,
    replaced: impl Fn(&[f64], f64) -> Vec<usize>,
) -> Result<Splitting> {
    if starts.is_empty() {
        return Err(Error::EmptySet {
            name: "starts".into(),
        });
    }
    let mut steps = 0;
    // The path on from the last of the records, which are the states at which it was farther than ever before.
    let mut follow = |mut records: Vec<(f64, C::State)>, random: &mut Random| {
        let Some((mut farthest, mut state)) = records.last().cloned() else {
            return Ok(records);
        };
        let mut level = farthest;
        while level > floor && level < f64::INFINITY {
            if steps == most_steps {
                return Err(too_long(most_steps));
            }
            chain.step(&mut state, random)?;
            steps += 1;
            level = chain.level(&state);
            if level > farthest {
                farthest = level;
                records.push((level, state.clone()));
            }
        }
        Ok(records)
    };
    let mut replicas = Vec::with_capacity(starts.len());
    for start in starts {
        replicas.push(follow(vec![(chain.level(start), start.clone())], random)?);
    }
    let mut probability = 1.0;
    while probability > 0.0 {
        let farthest = replicas.iter().filter_map(|records| Some(records.last()?.0));
        let farthest: Vec<f64> = farthest.collect();
        let smallest = farthest.iter().copied().fold(f64::INFINITY, f64::min);
        if smallest == f64::INFINITY {
            break;
        }
        let killed = replaced(&farthest, smallest);
        let survivors: Vec<usize> = (0..starts.len()).filter(|n| !killed.contains(n)).collect();
        probability *= survivors.len() as f64 / starts.len() as f64;
        if survivors.is_empty() {
            break;
        }
        for n in killed {
            let parent = &replicas[survivors[random.index(survivors.len())]];
            // up to the first state beyond; without the tie rule there may be none
            let shared = parent.partition_point(|record| record.0 <= smallest) + 1;
            let records = parent[..shared.min(parent.len())].to_vec();
            replicas[n] = follow(records, random)?;
        }
    }
    Ok(Splitting { probability, steps })
}

/// Why a repetition was given up.
pub(super) fn too_long(most_steps: u64) -> Error {
    Error::Unreachable {
        target: "end of a repetition".into(),
        reason: format!(
            "{most_steps} steps did not suffice: paths stay somewhere between start and target, or never leave the start"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::stream::StreamKey;
    use crate::statistics::mean;

    /// A walk on the integers that goes up with probability 1/3, to 12.
    struct Walk;

    impl Chain for Walk {
        type State = i32;
        fn level(&self, state: &i32) -> f64 {
            if *state >= 12 {
                f64::INFINITY
            } else {
                f64::from(*state)
            }
        }
        fn step(&self, state: &mut i32, random: &mut Random) -> Result<()> {
            *state += if random.uniform() < 1.0 / 3.0 { 1 } else { -1 };
            Ok(())
        }
    }

    /// z of the mean of many splittings against gambler's ruin, (2^k − 1)/(2^12 − 1) from k.
    fn z_score(starts: &[i32], replaced: impl Fn(&[f64], f64) -> Vec<usize> + Copy) -> f64 {
        let key = StreamKey::new(5, 0);
        let found: Vec<f64> = (0..20_000)
            .map(|run| {
                split_with(
                    &Walk,
                    starts,
                    0.0,
                    u64::MAX,
                    &mut Random::new(&key, run),
                    replaced,
                )
            })
            .map(|found| found.unwrap().probability)
            .collect();
        let ruin = |k: &i32| (2f64.powi(*k) - 1.0) / (2f64.powi(12) - 1.0);
        let exact = starts.iter().map(ruin).sum::<f64>() / starts.len() as f64;
        mean(&found).unwrap().z_score(exact)
    }

    fn all_of_them(farthest: &[f64], smallest: f64) -> Vec<usize> {
        (0..farthest.len()).filter(|n| farthest[*n] <= smallest).collect()
    }

    #[test]
    fn the_mean_is_exact_at_any_number_of_replicas() {
        for starts in [&[1; 3][..], &[1; 20], &[1, 1, 2, 4, 7, 1, 3]] {
            let z = z_score(starts, all_of_them);
            assert!(z.abs() < 4.0, "{starts:?}: {z}");
        }
    }

    /// Negative control: of replicas that came equally far only one is replaced.
    #[test]
    fn without_ties_it_is_biased() {
        let one = |farthest: &[f64], smallest: f64| all_of_them(farthest, smallest)[..1].to_vec();
        let z = z_score(&[1; 20], one);
        assert!(z.abs() > 10.0, "{z}");
    }

    #[test]
    fn what_does_not_end_is_given_up() {
        let mut random = Random::new(&StreamKey::new(1, 0), 0);
        assert!(split(&Walk, &[1; 10], 0.0, 20, &mut random).is_err());
        assert!(split(&Walk, &[], 0.0, 20, &mut random).is_err());
    }
}
