//! The schedules beside which a best one is judged: its neighbours, and the best of the usual families.

use super::ScheduleShape;
use crate::error::Result;

/// Noise strengths in pieces of equal time, with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedSchedule {
    /// What the schedule is.
    pub name: String,
    /// One strength a piece.
    pub strengths: Vec<f64>,
}

/// The best strengths between two bounds, the same a tenth of the path sooner and later and with 1.5 times as much and as little noise, and the best constant, step,
/// cosine and exponential decay from the stronger to the weaker bound by `value`, with the cosine, whole path.
///
/// # Method
/// Strengths of the families are those that are `allowed` for given ones. A family has one parameter, the strength or the share of the path after which the decay is done; 200 values of it are tried.
///
/// # Errors
/// Those of `value`.
pub fn compared_schedules(
    best: &[f64],
    [weakest, strongest]: [f64; 2],
    allowed: impl Fn(f64) -> f64,
    value: impl Fn(&[f64]) -> Result<f64>,
) -> Result<Vec<NamedSchedule>> {
    let n = best.len();
    let within = |d: f64| d.clamp(weakest, strongest);
    let all = |factor: f64| best.iter().map(|d| within(d * factor)).collect::<Vec<f64>>();
    let moved = |pieces: isize| -> Vec<f64> {
        let last = n as isize - 1;
        (0..=last)
            .map(|k| best[(k + pieces).clamp(0, last) as usize])
            .collect()
    };
    let tenth = (n as f64 / 10.0).round().max(1.0) as isize;
    let ratio = (strongest / weakest).ln();
    let constant = |u: f64| vec![allowed(within(weakest * (ratio * u).exp())); n];
    let decayed = |shape: &ScheduleShape, done: f64| -> Vec<f64> {
        let at = |k: usize| {
            let progress = (k as f64 + 0.5) / n as f64 / done;
            allowed(shape.strength([strongest, weakest], progress))
        };
        (0..n).map(at).collect()
    };
    let best_of = |family: &dyn Fn(f64) -> Vec<f64>| -> Result<Vec<f64>> {
        /// Parameters that are tried: more than pieces, where the strengths change by one piece at a time.
        const TRIED: usize = 200;
        let mut best = (f64::NEG_INFINITY, Vec::new());
        for k in 1..=TRIED {
            let strengths = family(k as f64 / TRIED as f64);
            let value = value(&strengths)?;
            if value > best.0 {
                best = (value, strengths);
            }
        }
        Ok(best.1)
    };
    let best_decay = |shape: ScheduleShape| best_of(&|u| decayed(&shape, u));
    let of = |name: &str, strengths| NamedSchedule {
        name: name.into(),
        strengths,
    };
    Ok(vec![
        of("best", best.to_vec()),
        of("best, a tenth sooner", moved(tenth)),
        of("best, a tenth later", moved(-tenth)),
        of("best, noise × 1.5", all(1.5)),
        of("best, noise ÷ 1.5", all(1.0 / 1.5)),
        of("constant, best", best_of(&constant)?),
        of("step, best", best_decay(ScheduleShape::Step)?),
        of("cosine, best", best_decay(ScheduleShape::Cosine)?),
        of("cosine, whole path", decayed(&ScheduleShape::Cosine, 1.0)),
        of("exponential, best", best_decay(ScheduleShape::Exponential)?),
    ])
}
