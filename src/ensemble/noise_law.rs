//! Noise of SGD that is not the fresh Gaussian of the diffusion: momentum, heavy tails, labels.

use super::stream::{LANES, Polar, Streams};
use crate::math::elementary;

/// How the noise R z of a step, whose covariance R² is that of the walk, departs from fresh normals z.
///
/// # References
/// Momentum: B. Polyak, USSR Comput. Math. Math. Phys. 4, 1 (1964), its variance on a parabola K. Liu, L. Ziyin and M. Ueda, ICML (2021); heavy tails:
/// U. Simsekli, L. Sagun and M. Gurbuzbalaban, ICML (2019), their exits P. Imkeller and I. Pavlyukevich, Stoch. Proc. Appl. 116, 611 (2006); labels:
/// G. Blanc, N. Gupta, G. Valiant and P. Valiant, COLT (2020).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoiseLaw {
    /// Fresh normals.
    Gaussian,
    /// Momentum β, 0 ≤ β < 1: v' = βv + the change of a step, θ' = θ + v', v = 0 at the start. In the limit of strong damping this is SGD of learning
    /// rate η/(1 − β) with the same covariance of a gradient. On a parabola of curvature h the motion is damped without swinging below
    /// ηh = (1 − sqrt β)², and the stationary variance is ηC (1 + β)/(h (1 − β) (2(1 + β) − ηh)).
    Momentum(f64),
    /// z replaced by sqrt(A) z, one A a step from the one-sided stable law E exp(−sA) = exp(−s^{α/2}), 0 < α < 2: an α-stable vector without preferred
    /// direction, E exp(ik·z sqrt A) = exp(−(|k|²/2)^{α/2}), which is z itself as α → 2 and has no variance below.
    Stable(f64),
    /// z replaced by (±1, 0), either sign as likely: the gradient noise of one binary label a step, whose covariance is the curvature where the
    /// model fits its labels. Its first two moments along the root's first axis are those of z.
    Labels,
}

/// Draws the noise of a step, and says where the step leads.
pub(super) trait Law: Clone {
    /// z in polar form.
    fn draw(&mut self, streams: &mut Streams, lane: usize) -> Polar;

    /// The new state, given that a step of plain SGD would lead from `from` to `to`.
    #[inline(always)]
    fn moved(&mut self, _lane: usize, _from: [f64; 2], to: [f64; 2]) -> [f64; 2] {
        to
    }
}

/// [`NoiseLaw::Gaussian`].
#[derive(Clone)]
pub(super) struct Fresh;

impl Law for Fresh {
    #[inline(always)]
    fn draw(&mut self, streams: &mut Streams, lane: usize) -> Polar {
        streams.polar(lane)
    }
}

/// [`NoiseLaw::Momentum`], with the last change of every lane.
#[derive(Clone)]
pub(super) struct HeavyBall {
    pub momentum: f64,
    pub change: [[f64; LANES]; 2],
}

impl Law for HeavyBall {
    #[inline(always)]
    fn draw(&mut self, streams: &mut Streams, lane: usize) -> Polar {
        streams.polar(lane)
    }

    #[inline(always)]
    fn moved(&mut self, lane: usize, from: [f64; 2], to: [f64; 2]) -> [f64; 2] {
        let mut changed = from;
        for axis in 0..2 {
            let change = self.momentum * self.change[axis][lane] + (to[axis] - from[axis]);
            self.change[axis][lane] = change;
            changed[axis] += change;
        }
        changed
    }
}

/// [`NoiseLaw::Stable`] with a = α/2.
#[derive(Clone)]
pub(super) struct HeavyTails {
    pub index: f64,
}

impl Law for HeavyTails {
    #[inline(always)]
    fn draw(&mut self, streams: &mut Streams, lane: usize) -> Polar {
        let polar = streams.polar(lane);
        Polar {
            squared_radius: polar.squared_radius * one_sided_stable(self.index, streams, lane),
            ..polar
        }
    }
}

/// A > 0 with E exp(−sA) = exp(−s^a), 0 < a < 1.
///
/// # Formula
/// A = sin(aφ)/sin(φ)^{1/a} (sin((1 − a)φ)/E)^{(1 − a)/a}, φ uniform in (0, π), E exponential (M. Kanter, Ann. Probab. 3, 697 (1975)).
#[inline(always)]
fn one_sided_stable(a: f64, streams: &mut Streams, lane: usize) -> f64 {
    let half_turn = 0.5 * streams.uniform(lane);
    let energy = -elementary::ln(streams.uniform(lane));
    let ln_sine = |turns: f64| elementary::ln(elementary::sin_cos_turns(turns).0);
    let ratio = ln_sine((1.0 - a) * half_turn) - elementary::ln(energy);
    elementary::exp(ln_sine(a * half_turn) + ((1.0 - a) * ratio - ln_sine(half_turn)) / a)
}

/// [`NoiseLaw::Labels`].
#[derive(Clone)]
pub(super) struct Signs;

impl Law for Signs {
    #[inline(always)]
    fn draw(&mut self, streams: &mut Streams, lane: usize) -> Polar {
        let sign = if streams.uniform(lane) < 0.5 { -1.0 } else { 1.0 };
        Polar {
            squared_radius: 1.0,
            direction: [sign, 0.0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::stream::StreamKey;
    use crate::statistics::{Estimate, mean};

    /// Mean of `quantity` of the draws in many lanes.
    fn average(law: &impl Law, draws: usize, quantity: impl Fn(Polar) -> f64) -> Estimate {
        let (mut law, mut streams) = (law.clone(), Streams::unset());
        streams.set_block(&StreamKey::new(5, 1), 0, 0);
        let values: Vec<f64> = (0..draws)
            .map(|k| quantity(law.draw(&mut streams, k % LANES)))
            .collect();
        mean(&values).unwrap()
    }

    /// E cos(k·z sqrt A) = exp(−(|k|²/2)^{α/2}) along both axes and between them.
    #[test]
    fn stable_vectors_have_their_characteristic_function_and_no_preferred_direction() {
        for stability in [1.9, 1.5, 1.0, 0.6] {
            let law = HeavyTails {
                index: 0.5 * stability,
            };
            for k in [[0.5, 0.0], [0.0, 2.0], [1.0, -1.0]] {
                let wave = |polar: Polar| {
                    let [z1, z2] = polar.normals();
                    (k[0] * z1 + k[1] * z2).cos()
                };
                let square: f64 = k[0] * k[0] + k[1] * k[1];
                let exact = (-(0.5 * square).powf(0.5 * stability)).exp();
                let found = average(&law, 200_000, wave);
                assert!(
                    found.z_score(exact).abs() < 4.0,
                    "{stability} {k:?}: {found}, {exact}"
                );
                // Negative control: normals instead.
                let normals = average(&Fresh, 200_000, wave);
                let differ = (exact - (-0.5 * square).exp()).abs() > 0.02;
                assert!(
                    !differ || normals.z_score(exact).abs() > 4.0,
                    "{stability} {k:?}: {normals}"
                );
            }
        }
    }

    /// Exit of (−1, 1) from 0 takes 1/Γ(1 + α) under noise of unit scale: .75225 at α = 1.5. Exits are seen at the ends of steps, too late by a
    /// term of order h^{1/α}, which h and h/4 extrapolate.
    #[test]
    fn stable_noise_leaves_an_interval_in_the_exact_time() {
        const RUNS: usize = 20_000;
        fn exit(law: &impl Law, stability: f64, step: f64, experiment: u64) -> Estimate {
            // of unit scale exp(−|k|^α): sqrt 2 times that of the law
            let scale = 2f64.sqrt() * step.powf(1.0 / stability);
            let key = StreamKey::new(7, experiment);
            let times: Vec<f64> = (0..RUNS)
                .map(|run| {
                    let (mut law, mut streams) = (law.clone(), Streams::unset());
                    streams.set(0, key.state(run as u64, 0));
                    let (mut x, mut steps) = (0.0_f64, 0);
                    while x.abs() < 1.0 {
                        x += scale * law.draw(&mut streams, 0).normals()[0];
                        steps += 1;
                    }
                    step * f64::from(steps)
                })
                .collect();
            mean(&times).unwrap()
        }
        let limit = |law: &dyn Fn(f64, u64) -> Estimate, stability: f64| {
            let (coarse, fine) = (law(4e-3, 0), law(1e-3, 1));
            crate::statistics::convergence::extrapolate(&coarse, &fine, 4.0, 1.0 / stability)
                .unwrap()
                .limit
        };
        let stable = limit(&|step, n| exit(&HeavyTails { index: 0.75 }, 1.5, step, n), 1.5);
        assert!(
            stable.z_score(0.752_252_8).abs() < 4.0 && stable.standard_error < 0.02,
            "{stable}"
        );
        // Negative control: Gaussian noise of the same scale takes 1/2.
        let gaussian = limit(&|step, n| exit(&Fresh, 2.0, step, n), 2.0);
        assert!(gaussian.z_score(0.5).abs() < 4.0, "{gaussian}");
        assert!(gaussian.z_score(0.752_252_8).abs() > 10.0, "{gaussian}");
    }

    #[test]
    fn labels_have_two_values_and_the_moments_of_a_normal() {
        let along = |power: i32| average(&Signs, 100_000, move |polar| polar.normals()[0].powi(power));
        assert!(along(1).z_score(0.0).abs() < 4.0);
        assert_eq!(along(2).value, 1.0);
        // Negative control: the fourth moment of a normal is 3.
        assert_eq!(along(4).value, 1.0);
    }
}
