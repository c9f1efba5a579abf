//! Loss, curvature and noise along a curve through the parameters of a network, and the escape that they predict.

use super::cross_entropy::CrossEntropy;
use super::curve::Curve;
use crate::diffusion::Sgd;
use crate::error::{Error, Result};
use crate::rates::ScaleAndSpeed;
use crate::statistics::variance;
use crate::{landscape, noise};

/// What is known of a network at a state, along a direction t of unit length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SectionPoint {
    /// L.
    pub loss: f64,
    /// t·∇L.
    pub slope: f64,
    /// t·H t; of a curve that bends, not the second derivative of the loss along it.
    pub curvature: f64,
    /// Var_n(t·∇ℓ_n), the noise of one sample along the section.
    pub noise: f64,
    /// Share of the trace of the covariance that lies along the section.
    pub noise_share: f64,
    /// |∇L − (t·∇L) t|, the force that leads away from the section.
    pub across: f64,
}

/// What is known of a network along a curve.
///
/// # Errors
/// As [`variance`], for fewer than two samples.
pub fn tabulate(curve: &Curve, loss: &mut CrossEntropy<'_>) -> Result<Vec<SectionPoint>> {
    let pairs = curve.states.iter().zip(curve.tangents());
    pairs.map(|(state, tangent)| at(state, &tangent, loss)).collect()
}

fn at(state: &[f64], tangent: &[f64], loss: &mut CrossEntropy<'_>) -> Result<SectionPoint> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let value = loss.evaluate(state).loss;
    let mut here = loss.linearise(state);
    let slope = dot(here.gradient(), tangent);
    let square = dot(here.gradient(), here.gradient());
    let mut image = vec![0.0; tangent.len()];
    here.hessian_product(tangent, 0, &mut image);
    let noise = variance(&here.sample_gradients(tangent))?.value;
    Ok(SectionPoint {
        loss: value,
        slope,
        curvature: dot(&image, tangent),
        noise,
        noise_share: noise / here.noise_trace(),
        across: (square - slope * slope).max(0.0).sqrt(),
    })
}

/// Noise of one sample at one state, along several directions of unit length.
///
/// # Errors
/// As [`variance`], for fewer than two samples.
pub fn noise_along(state: &[f64], directions: &[Vec<f64>], loss: &mut CrossEntropy<'_>) -> Result<Vec<f64>> {
    let here = loss.linearise(state);
    let along = directions.iter();
    along
        .map(|t| variance(&here.sample_gradients(t)).map(|v| v.value))
        .collect()
}

/// Place that counts as the border between the valleys at either end of a section: the highest point between them, or half-way where the loss has no maximum there.
///
/// Returns the place and, for a maximum, its height over the lowest point between it and the first end.
pub fn border(position: &[f64], loss: &[f64], length: f64) -> (f64, Option<f64>) {
    let inside = |k: &usize| position[*k] > 0.0 && position[*k] < length;
    let is_top = |k: &usize| loss[*k] > loss[*k - 1] && loss[*k] >= loss[*k + 1];
    let tops = (1..position.len().saturating_sub(1))
        .filter(inside)
        .filter(is_top);
    let first = position.partition_point(|x| *x < 0.0);
    match tops.max_by(|a, b| loss[*a].total_cmp(&loss[*b])) {
        Some(k) => {
            let lowest = loss[first..k].iter().copied().fold(f64::INFINITY, f64::min);
            (position[k], Some(loss[k] - lowest))
        }
        None => (0.5 * length, None),
    }
}

/// ln of one over the mean time ηk after which SGD that moves along a section only comes from its first end, position 0, to the border.
///
/// # Formula
/// dx = −L' dt + sqrt(2D) dW with D = (η/2B) C; the mean first passage from 0 to the border, x being reflected at the beginning of the table. One formula serves passages
/// over a ridge and those down a slope.
///
/// # Method
/// Cubic splines through loss and covariance, quadrature in the log domain ([`ScaleAndSpeed`]). None where the spline of the covariance is not positive, or the wall is too high for the quadrature.
///
/// # Errors
/// As [`ScaleAndSpeed`], and [`Error::DimensionMismatch`] for fewer than four positions.
///
/// # Examples
/// ```
/// use freezeout::network::log_passage_rate;
/// // a wall of 8 noise temperatures: (x² − 1)²/4 and D = 1/32, from x = −1, at position 0, to the ridge at 1
/// let x: Vec<f64> = (-8..=24).map(|k| f64::from(k) / 16.0).collect();
/// let loss: Vec<f64> = x.iter().map(|x| 0.25 * ((x - 1.0).powi(2) - 1.0).powi(2)).collect();
/// let rate = log_passage_rate(&x, &loss, &vec![1.0; x.len()], [0.1, 1.6], 1.0)?.unwrap();
/// // Kramers: half of the passages to the ridge fall back
/// let kramers = 2.0 * (2.0_f64.sqrt() / (2.0 * std::f64::consts::PI)) * (-8.0_f64).exp();
/// assert!((rate - kramers.ln()).abs() < 0.1, "{rate} {}", kramers.ln());
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn log_passage_rate(
    position: &[f64],
    loss: &[f64],
    covariance: &[f64],
    [learning_rate, batch_size]: [f64; 2],
    border: f64,
) -> Result<Option<f64>> {
    let axis = || [position.to_vec()];
    let sgd = Sgd::new(
        landscape::Tabulated::<1>::new(axis(), loss.to_vec())?,
        noise::Tabulated::<1>::new(axis(), vec![covariance.to_vec()])?,
        learning_rate,
        batch_size,
    )?;
    // the ends belong to the table
    let line = ScaleAndSpeed::new(&sgd, position[0], position[position.len() - 1])
        .map(|line| line.with_panels_ending_at(position));
    match line.and_then(|line| line.first_passage(0.0, border)) {
        Ok(passage) => Ok(Some(-passage.mean.log)),
        Err(Error::NotPositive { .. } | Error::NotConverged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Position of a state on the straight line from `from` to `to`, in units of its length, and its distance from `from` in the same.
pub fn projection(state: &[f64], from: &[f64], to: &[f64]) -> (f64, f64) {
    let (mut along, mut moved, mut length) = (0.0, 0.0, 0.0);
    for ((s, a), b) in state.iter().zip(from).zip(to) {
        along += (s - a) * (b - a);
        moved += (s - a).powi(2);
        length += (b - a).powi(2);
    }
    (along / length, (moved / length).sqrt())
}

/// The loss L(x, s) and the noise C(x, s) on parallel sections, for [`crate::freezing::SlowFast`]: x along one direction, a row for each x and a column for each state.
#[derive(Debug, Clone, PartialEq)]
pub struct SectionTable {
    /// x.
    pub x: Vec<f64>,
    /// L on the line through each end point.
    pub loss: Vec<f64>,
    /// C on the line through each state of training.
    pub covariance: Vec<f64>,
}

/// Parallel sections in the direction from the first of `ends` to `last`, x = 0 being the first.
///
/// # Method
/// Column s: the loss on the line in this direction through end point s, and the noise on the line through state s of training, which leads to that end point: at an end point itself nothing is left of the noise
/// that training has at the time.
///
/// # Errors
/// As [`variance`].
pub fn parallel_sections(
    states: &[Vec<f64>],
    ends: &[Vec<f64>],
    last: &[f64],
    x: Vec<f64>,
    loss: &mut CrossEntropy<'_>,
) -> Result<SectionTable> {
    let (first, count) = (&ends[0], ends.len());
    let length = super::curve::distance(first, last);
    let direction: Vec<f64> = first.iter().zip(last).map(|(a, b)| (b - a) / length).collect();
    let mut table = SectionTable {
        loss: vec![0.0; x.len() * count],
        covariance: vec![0.0; x.len() * count],
        x,
    };
    for (column, (state, end)) in states.iter().zip(ends).enumerate() {
        let here = projection(end, first, last).0 * length;
        for (row, x) in table.x.iter().enumerate() {
            let moved = |from: &[f64]| -> Vec<f64> {
                let pairs = from.iter().zip(&direction);
                pairs.map(|(t, u)| t + (x - here) * u).collect()
            };
            let entry = row * count + column;
            table.loss[entry] = loss.evaluate(&moved(end)).loss;
            let along = loss.linearise(&moved(state)).sample_gradients(&direction);
            table.covariance[entry] = variance(&along)?.value;
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_ridges_or_half_way() {
        let x = [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(
            border(&x, &[9.0, 1.0, 2.0, 5.0, 2.0, 0.0, 9.0], 4.0),
            (2.0, Some(4.0))
        );
        assert_eq!(border(&x, &[9.0, 4.0, 3.0, 2.0, 1.0, 0.0, 9.0], 4.0), (2.0, None));
    }

    #[test]
    fn projections_are_in_units_of_the_section() {
        let (along, moved) = projection(&[1.0, 1.0], &[0.0, 0.0], &[2.0, 0.0]);
        assert_eq!((along, moved), (0.5, 0.5_f64.sqrt()));
    }

    /// From a slope without a ridge the passage is ballistic: time = distance/speed, whatever the noise, as the wall behind is far.
    #[test]
    fn a_slope_is_passed_at_its_speed() {
        let x: Vec<f64> = (-10..=20).map(|k| f64::from(k) / 10.0).collect();
        let loss: Vec<f64> = x.iter().map(|x| -2.0 * x).collect();
        let rate = log_passage_rate(&x, &loss, &vec![1.0; x.len()], [0.1, 10.0], 1.0).unwrap();
        assert!((rate.unwrap() - 2.0_f64.ln()).abs() < 1e-9, "{rate:?}");
        // and against the slope hardly at all
        let up: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
        let rate = log_passage_rate(&x, &up, &vec![1.0; x.len()], [0.1, 10.0], 1.0).unwrap();
        assert!(rate.unwrap() < -390.0, "{rate:?}");
    }
}
