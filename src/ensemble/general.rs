//! Ensembles of paths of any diffusion in one or two dimensions: first passages into sets, and positions at given times.

use super::first_passage::{CrossingTest, Outcome, Passages};
use super::lanes::{Walkers, in_tasks, shared_outcomes};
use super::langevin::PathProtocol;
use super::stream::{LANES, STEP_BLOCK, StreamKey};
use super::walk::{Draws, PathBlock, Walk};
use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result, require_finite};
use crate::region::{Domain, PointSet};

/// First passages of the paths of `diffusion` into `target`, if there is one, or out of `domain`; `protocol.steps` is the horizon.
///
/// `progress` is called from the working threads with the number of runs just finished.
///
/// # Formula
/// A step is θ' = θ + b h + sqrt(2 D h) z. It is read in one of two ways:
/// - *Langevin path* of time step h, with [`CrossingTest::BrownianBridge`]: a level g that is positive at both ends of
///   the step has been crossed with probability exp(−g g'/(h ∇g·D∇g)), g being itself a diffusion of diffusivity ∇g·D∇g.
///   The time of the crossing is the middle of the step.
/// - *SGD itself*, with h = η and [`CrossingTest::EndOfStep`]: with b = −∇L and D = (η/2B) C the step is
///   θ − η∇L + N(0, η² C/B), exactly; passage is at the first step that ends in the target, at t = ηk.
///
/// # Method
/// Euler-Maruyama. With the bridge, the error of the mean time is of order h where b, D and the edge are smooth, and of
/// order sqrt(h) where b or D jumps, at a target known by membership only, and for a Langevin path with tests at the ends of steps.
/// An edge that a step may cross twice over (a sliver thinner than sqrt(2 D h)) is not resolved, and of several edges
/// only the one most likely crossed is examined. At reflecting edges a step that leaves is mirrored along the conormal Dn (Bossy, Gobet and
/// Talay 2004).
///
/// A run that has not ended by the horizon is censored. Runs are numbered, and run r is the same on any number of
/// threads and in an ensemble of any size.
///
/// # Errors
/// [`Error::EmptySet`] without starts, [`Error::InvalidParameter`] for a protocol out of range, [`Error::Inconsistent`] for a domain that is none,
/// [`Error::OverlappingSets`] when a start lies in the target or outside the domain, [`Error::NotPositive`] where the
/// tensor is not positive semi-definite, [`Error::Diverges`] where a path leaves every bound, [`Error::NotFinite`] where an edge function is not finite or a step
/// cannot be mirrored back into the domain.
///
/// # References
/// E. Gobet, Stoch. Proc. Appl. 87, 167 (2000); M. Bossy, E. Gobet and D. Talay, J. Appl. Probab. 41, 877 (2004).
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::ensemble::{CrossingTest, PathProtocol, first_passage_into};
/// use freezeout::region::{Domain, PointSet};
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
/// let protocol = PathProtocol { starts: vec![[0.0]], runs: 2000, steps: 10_000, time_step: 0.01, seed: 1, experiment: 0 };
/// let (domain, beyond) = (Domain::unbounded(), PointSet::half_space([1.0].into(), 1.0)?);
/// let passages = first_passage_into(&ou, &domain, Some(&beyond), CrossingTest::BrownianBridge, &protocol, &|_| ())?;
/// let mean = passages.mean_time(1e-3)?;
/// assert!((mean.value - 2.093_406_65).abs() < 5.0 * mean.standard_error + 0.02);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn first_passage_into<const D: usize, T: Diffusion<D> + ?Sized>(
    diffusion: &T,
    domain: &Domain<D>,
    target: Option<&PointSet<D>>,
    crossing: CrossingTest,
    protocol: &PathProtocol<D>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Passages> {
    first_passage_in(
        Calculus::Ito,
        diffusion,
        domain,
        target,
        crossing,
        protocol,
        progress,
    )
}

/// [`first_passage_into`] of dθ = b dt + sqrt(2D) dW read in another calculus.
///
/// # Formula
/// With R = sqrt(D), dW = sqrt(2h) z and θ* = θ + R(θ) dW,
/// ```text
/// Stratonovich   θ' = θ + b h + ½ (R(θ) + R(θ*)) dW                   (Heun)
/// Klimontovich   θ' = θ + b h + ½ (1 + D(θ*) D(θ)⁻¹) R(θ) dW          (Hütter and Öttinger)
/// ```
///
/// # Method
/// Weak order one. The drift that the calculus adds to the Ito equation is never formed, so that a simulation is evidence for it.
///
/// # Errors
/// As [`first_passage_into`]; [`Error::NotPositive`] where Klimontovich's D is singular.
///
/// # References
/// P. Kloeden and E. Platen, Numerical Solution of Stochastic Differential Equations, 14.1; M. Hütter and H. C. Öttinger, J. Chem. Soc.,
/// Faraday Trans. 94, 1403 (1998).
pub fn first_passage_in<const D: usize, T: Diffusion<D> + ?Sized>(
    calculus: Calculus,
    diffusion: &T,
    domain: &Domain<D>,
    target: Option<&PointSet<D>>,
    crossing: CrossingTest,
    protocol: &PathProtocol<D>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Passages> {
    let walk = Walk::new(diffusion, calculus, domain, target, protocol)?;
    let paths = || Paths {
        walk: &walk,
        crossing,
        protocol,
        draws: Draws::new(crossing),
        paths: PathBlock::idle(),
        some_begin: false,
        steps: [0; LANES],
        ended: [None; LANES],
    };
    let key = StreamKey::new(protocol.seed, protocol.experiment);
    Ok(Passages {
        outcomes: shared_outcomes(paths, key, protocol.runs, progress)?,
    })
}

/// Paths that advance together.
struct Paths<'a, const D: usize, T: ?Sized> {
    walk: &'a Walk<'a, D, T>,
    crossing: CrossingTest,
    protocol: &'a PathProtocol<D>,
    draws: Draws,
    paths: PathBlock<D>,
    /// Whether paths have begun that have not been looked at.
    some_begin: bool,
    /// Steps that each path had done before these steps.
    steps: [u64; LANES],
    ended: [Option<Outcome>; LANES],
}

impl<const D: usize, T: Diffusion<D> + ?Sized> Paths<'_, D, T> {
    /// Steps until the first of the paths under way reaches the horizon.
    fn steps_to_horizon(&self) -> u64 {
        let steps = self.paths.points().lanes().map(|lane| self.steps[lane]);
        steps.max().map_or(u64::MAX, |most| self.protocol.steps - most)
    }
}

impl<const D: usize, T: Diffusion<D> + ?Sized> Walkers for Paths<'_, D, T> {
    type Outcome = Outcome;
    const STEPS: u64 = 16;

    fn begin(&mut self, lane: usize, run: usize) {
        self.paths.begin(lane, self.protocol.start(run));
        self.steps[lane] = 0;
        self.some_begin = true;
    }

    fn set_stream(&mut self, lane: usize, state: [u64; 4]) {
        self.draws.streams.set(lane, state);
    }

    fn advance(&mut self) -> Result<()> {
        let h = self.protocol.time_step;
        // Between the ends of a step the crossing is half-way on average; SGD exists at the ends only.
        let lag = match self.crossing {
            CrossingTest::BrownianBridge => 0.5,
            CrossingTest::EndOfStep => 0.0,
        };
        let parts = (2 / D) as u64;
        if std::mem::take(&mut self.some_begin) {
            self.walk.look(&mut self.paths);
        }
        let mut horizon = self.steps_to_horizon();
        for k in 0..Self::STEPS {
            if horizon == u64::MAX {
                return Ok(());
            }
            if k % parts == 0 {
                self.draws.next::<D>();
            }
            let (normals, energies) = self.draws.of::<D>((k % parts) as usize);
            let (steps, outcomes) = (&self.steps, &mut self.ended);
            let mut some_ended = false;
            self.walk.step(&mut self.paths, normals, energies, |lane, exit| {
                let time = ((steps[lane] + k + 1) as f64 - lag) * h;
                outcomes[lane] = Some(Outcome::Escaped { time, exit });
                some_ended = true;
            })?;
            if k + 1 == horizon {
                for lane in 0..LANES {
                    if self.paths.points().is_active(lane) && self.steps[lane] + k + 1 == self.protocol.steps
                    {
                        let time = self.protocol.steps as f64 * h;
                        self.ended[lane] = Some(Outcome::Censored { time });
                        self.paths.end(lane);
                        some_ended = true;
                    }
                }
            }
            if some_ended {
                horizon = self.steps_to_horizon();
            }
        }
        self.steps.iter_mut().for_each(|steps| *steps += Self::STEPS);
        Ok(())
    }

    fn ended(&mut self, lane: usize, _done: u64) -> Result<Option<Outcome>> {
        Ok(self.ended[lane].take())
    }
}

/// Positions of the paths of `diffusion` in `domain` at the given ascending times, those that an absorbing edge ended
/// left out: one list a time, in the order of the runs.
///
/// `progress` is called from the working threads with the number of runs just finished.
///
/// # Formula
/// Each list is a sample of the transient law, and its length over the number of runs the survival probability.
///
/// # Method
/// Steps as [`first_passage_into`], weak order 1: of a Langevin path, the variance about a minimum of curvature H is too
/// large by 1/(1 − hH/2); for SGD with h = η that is the law itself. Times are multiples of the time step.
///
/// # Errors
/// As [`first_passage_into`]; [`Error::InvalidParameter`] for a time that is not a multiple of the time step, not above the
/// one before, or beyond the horizon.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::ensemble::{CrossingTest, PathProtocol, positions_at};
/// use freezeout::region::Domain;
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 0.5)?;
/// let protocol = PathProtocol { starts: vec![[2.0]], runs: 4000, steps: 100, time_step: 0.01, seed: 1, experiment: 0 };
/// let lists = positions_at(&ou, &Domain::unbounded(), &[0.0, 1.0], CrossingTest::BrownianBridge, &protocol, &|_| ())?;
/// assert!(lists[0].iter().all(|x| *x == [2.0]));
/// let mean = lists[1].iter().map(|[x]| x).sum::<f64>() / 4000.0;
/// assert!((mean - 2.0 * (-1.0_f64).exp()).abs() < 0.06); // standard error 0.01, bias 0.004
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn positions_at<const D: usize, T: Diffusion<D> + ?Sized>(
    diffusion: &T,
    domain: &Domain<D>,
    times: &[f64],
    crossing: CrossingTest,
    protocol: &PathProtocol<D>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Vec<[f64; D]>>> {
    let walk = Walk::new(diffusion, Calculus::Ito, domain, None, protocol)?;
    let steps = steps_of(times, protocol)?;
    let blocks = in_tasks(protocol.runs, LANES, |first, lanes| {
        let lists = positions_of(&walk, &steps, crossing, protocol, first, lanes)?;
        progress(lanes as u64);
        Ok(lists)
    })?;
    let mut lists = vec![Vec::with_capacity(protocol.runs); times.len()];
    for block in blocks {
        lists
            .iter_mut()
            .zip(block)
            .for_each(|(list, part)| list.extend(part));
    }
    Ok(lists)
}

/// The steps at which the times fall.
fn steps_of<const D: usize>(times: &[f64], protocol: &PathProtocol<D>) -> Result<Vec<u64>> {
    /// Distance from a multiple of the step, in steps: the rounding of times up to 1e9 steps.
    const ROUNDING: f64 = 1e-6;
    let mut steps: Vec<u64> = Vec::with_capacity(times.len());
    for &time in times {
        let quotient = require_finite("times", time)? / protocol.time_step;
        let step = quotient.round();
        let is_new = steps.last().is_none_or(|last| step > *last as f64);
        if !(is_new && step >= 0.0 && step <= protocol.steps as f64 && (quotient - step).abs() <= ROUNDING) {
            return Err(Error::InvalidParameter {
                name: "times".into(),
                value: time,
                requirement: format!(
                    "ascending multiples of the time step {} up to {} steps are needed",
                    protocol.time_step, protocol.steps
                ),
            });
        }
        steps.push(step as u64);
    }
    Ok(steps)
}

fn positions_of<const D: usize, T: Diffusion<D> + ?Sized>(
    walk: &Walk<'_, D, T>,
    steps: &[u64],
    crossing: CrossingTest,
    protocol: &PathProtocol<D>,
    first_run: usize,
    runs: usize,
) -> Result<Vec<Vec<[f64; D]>>> {
    let key = StreamKey::new(protocol.seed, protocol.experiment);
    let mut paths = PathBlock::idle();
    (0..runs).for_each(|lane| paths.begin(lane, protocol.start(first_run + lane)));
    walk.look(&mut paths);
    let mut draws = Draws::new(crossing);
    let parts = 2 / D;
    let mut k = 0;
    let mut lists = Vec::with_capacity(steps.len());
    for &until in steps {
        while k < until {
            if k % STEP_BLOCK == 0 {
                draws.streams.set_block(&key, first_run, k / STEP_BLOCK);
            }
            let part = (k % parts as u64) as usize;
            if part == 0 {
                draws.next::<D>();
            }
            let (normals, energies) = draws.of::<D>(part);
            walk.step(&mut paths, normals, energies, |_, _| ())?;
            k += 1;
        }
        let points = paths.points();
        lists.push(points.lanes().map(|lane| points.point(lane).into()).collect());
    }
    Ok(lists)
}
