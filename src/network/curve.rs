//! Curves between two states of a network: the straight line, and the string that gradient descent makes of it.

use super::cross_entropy::CrossEntropy;
use super::finite_sum::{Batch, FiniteSum};

/// States along a curve, the first end at position 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// States.
    pub states: Vec<Vec<f64>>,
    /// Arclength of each state from the first end, negative before it.
    pub position: Vec<f64>,
    /// Arclength from the first end to the second.
    pub length: f64,
}

/// |a − b|.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// a + share (b − a).
pub(super) fn between(a: &[f64], b: &[f64], share: f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + share * (b - a)).collect()
}

impl Curve {
    /// The straight line in `parts` equal parts, continued by `beyond` parts beyond either end.
    pub fn straight(from: &[f64], to: &[f64], parts: usize, beyond: usize) -> Self {
        let inner = (0..=parts).map(|k| between(from, to, k as f64 / parts as f64));
        Self::through(inner.collect(), beyond)
    }

    /// The curve through `inner` states, continued straight by `beyond` steps of its mean spacing beyond either end.
    fn through(inner: Vec<Vec<f64>>, beyond: usize) -> Self {
        let lengths: Vec<f64> = inner
            .windows(2)
            .map(|pair| distance(&pair[0], &pair[1]))
            .collect();
        let (length, parts) = (lengths.iter().sum::<f64>(), lengths.len());
        let step = length / parts as f64;
        let mut out = Self {
            states: Vec::new(),
            position: Vec::new(),
            length,
        };
        for k in (1..=beyond).rev() {
            out.states
                .push(between(&inner[0], &inner[1], -(k as f64) * step / lengths[0]));
            out.position.push(-(k as f64) * step);
        }
        let mut at = 0.0;
        for (k, state) in inner.iter().enumerate() {
            out.states.push(state.clone());
            out.position.push(at);
            at += lengths.get(k).copied().unwrap_or(0.0);
        }
        for k in 1..=beyond {
            let share = 1.0 + k as f64 * step / lengths[parts - 1];
            out.states.push(between(&inner[parts - 1], &inner[parts], share));
            out.position.push(length + k as f64 * step);
        }
        out
    }

    /// The string that `steps` steps of gradient descent at a learning rate make of the straight line between two states, which stay where they are.
    ///
    /// # Method
    /// Simplified string method (E, Ren and Vanden-Eijnden, J. Chem. Phys. 126, 164103, 2007): all inner states descend, then they are spread evenly along the curve by linear interpolation.
    /// Stops after `steps` whether it has settled or not: in a network it goes on falling, as the loss has no minimum at a finite distance; [`SectionPoint::across`](super::SectionPoint) says
    /// what force is left.
    pub fn string(
        from: &[f64],
        to: &[f64],
        [parts, beyond]: [usize; 2],
        steps: usize,
        learning_rate: f64,
        loss: &mut CrossEntropy<'_>,
    ) -> Self {
        let mut inner = Self::straight(from, to, parts, 0).states;
        let mut gradient = vec![0.0; from.len()];
        for _ in 0..steps {
            for state in &mut inner[1..parts] {
                loss.gradient(state, Batch::All, &mut gradient);
                for (t, g) in state.iter_mut().zip(&gradient) {
                    *t -= learning_rate * g;
                }
            }
            inner = spread(&inner);
        }
        Self::through(inner, beyond)
    }

    /// Unit tangent at each state: along the chord of its neighbours.
    pub fn tangents(&self) -> Vec<Vec<f64>> {
        let last = self.states.len() - 1;
        (0..=last)
            .map(|k| {
                let (before, after) = (&self.states[k.saturating_sub(1)], &self.states[(k + 1).min(last)]);
                let length = distance(before, after);
                before.iter().zip(after).map(|(a, b)| (b - a) / length).collect()
            })
            .collect()
    }
}

/// The states spread evenly along their polygon.
fn spread(states: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let parts = states.len() - 1;
    let mut at = vec![0.0];
    for pair in states.windows(2) {
        at.push(at[at.len() - 1] + distance(&pair[0], &pair[1]));
    }
    (0..=parts)
        .map(|k| match k {
            0 => states[0].clone(),
            k if k == parts => states[parts].clone(),
            k => {
                let wanted = at[parts] * k as f64 / parts as f64;
                let i = at.partition_point(|a| *a <= wanted).clamp(1, parts);
                between(
                    &states[i - 1],
                    &states[i],
                    (wanted - at[i - 1]) / (at[i] - at[i - 1]),
                )
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_strings_are_measured_by_their_length() {
        let line = Curve::straight(&[0.0, 0.0], &[3.0, 4.0], 10, 2);
        assert_eq!((line.states.len(), line.position.len()), (15, 15));
        assert!((line.length - 5.0).abs() < 1e-14 && (line.position[0] + 1.0).abs() < 1e-14);
        assert!(distance(&line.states[0], &[-0.6, -0.8]) < 1e-14);
        assert!(distance(&line.states[14], &[3.6, 4.8]) < 1e-14);
        assert!(line.tangents().iter().all(|t| distance(t, &[0.6, 0.8]) < 1e-12));
        // a corner: the spread states keep the ends and have equal steps along it
        let corner = spread(&[vec![0.0, 0.0], vec![1.0, 0.0], vec![1.0, 3.0]]);
        assert!(distance(&corner[1], &[1.0, 1.0]) < 1e-14);
        assert_eq!(
            (corner[0].clone(), corner[2].clone()),
            (vec![0.0, 0.0], vec![1.0, 3.0])
        );
    }
}
