//! A double well whose minima differ in curvature, in depth, or in both.

use super::Landscape;
use crate::error::{Result, require, require_positive};
use crate::math::{Point, Tensor};

/// A smooth double well with minima at ±a, a chosen ratio of their curvatures and a chosen difference of their depths.
///
/// # Formula
/// L = ΔL (φ² − 1)² + δ (2 + 3φ − φ³)/4 with an increasing cubic φ of u = x/a,
///
/// ```text
/// φ(u) = u + (1 − u²)(p − |p| u/2),   φ(±1) = ±1,
/// φ'(±1) = 1 + |p| ∓ 2p.
/// ```
///
/// L(−a) = 0 and L(a) = δ; the saddle is at φ = 3δ/(16ΔL), with L = ΔL at δ = 0. Curvatures
/// L″(±a) = φ'(±1)² (8ΔL ∓ 3δ/2)/a², so that a ratio r of the curvatures, left to right, at
/// t = sqrt(r (16ΔL − 3δ)/(16ΔL + 3δ)) = φ'(−1)/φ'(1) gives p = (t − 1)/(t + 3) for t ≥ 1 and p = (t − 1)/(1 + 3t) for t < 1.
///
/// # Method
/// With δ = 0 both wells and both barriers are equal and only the curvature differs: what is left of the preference for a
/// valley is the work of curvature. r = 1, δ = 0 is [`super::DoubleWell`].
///
/// # Errors
/// φ increases for 1/25 < t < 25 and both wells exist for |δ| < 16ΔL/3; anything else is refused.
///
/// # Examples
/// ```
/// use freezeout::landscape::{AsymmetricDoubleWell, Landscape};
/// use freezeout::math::Point;
/// let well = AsymmetricDoubleWell::new(0.25, 1.0, 9.0, 0.0)?;
/// let (left, right) = (Point::<1>::new(-1.0), Point::<1>::new(1.0));
/// assert_eq!((well.loss(&left), well.loss(&right)), (0.0, 0.0));
/// assert!((well.hessian(&left)[0] / well.hessian(&right)[0] - 9.0).abs() < 1e-13);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AsymmetricDoubleWell {
    barrier: f64,
    half_distance: f64,
    depth_difference: f64,
    /// p.
    skew: f64,
}

impl AsymmetricDoubleWell {
    /// Double well with barrier ΔL > 0 (at δ = 0), minima at ±`half_distance`, `curvature_ratio` r = L″(−a)/L″(a) and
    /// `depth_difference` δ = L(a) − L(−a).
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn new(
        barrier: f64,
        half_distance: f64,
        curvature_ratio: f64,
        depth_difference: f64,
    ) -> Result<Self> {
        require_positive("barrier", barrier)?;
        require_positive("half_distance", half_distance)?;
        let most = 16.0 * barrier / 3.0;
        require(
            "depth_difference",
            depth_difference,
            |d| d.abs() < most,
            &format!("both wells exist only for a difference between -{most} and {most}"),
        )?;
        let tilt = (most - depth_difference) / (most + depth_difference);
        let (least, largest) = (1.0 / (625.0 * tilt), 625.0 / tilt);
        require(
            "curvature_ratio",
            curvature_ratio,
            |r| r > least && r < largest,
            &format!("a number between {least} and {largest} is needed"),
        )?;
        let slopes = (curvature_ratio * tilt).sqrt();
        let skew = if slopes >= 1.0 {
            (slopes - 1.0) / (slopes + 3.0)
        } else {
            (slopes - 1.0) / (1.0 + 3.0 * slopes)
        };
        Ok(Self {
            barrier,
            half_distance,
            depth_difference,
            skew,
        })
    }

    /// φ and its two derivatives in x.
    fn coordinate(&self, x: f64) -> [f64; 3] {
        let u = x / self.half_distance;
        let (p, q) = (self.skew, 0.5 * self.skew.abs());
        [
            u + (1.0 - u * u) * (p - q * u),
            (1.0 - q - 2.0 * p * u + 3.0 * q * u * u) / self.half_distance,
            (6.0 * q * u - 2.0 * p) / (self.half_distance * self.half_distance),
        ]
    }

    /// dL/dφ.
    fn slope(&self, phi: f64) -> f64 {
        (phi * phi - 1.0) * (4.0 * self.barrier * phi - 0.75 * self.depth_difference)
    }
}

impl Landscape<1> for AsymmetricDoubleWell {
    fn loss(&self, theta: &Point<1>) -> f64 {
        let [phi, ..] = self.coordinate(theta[0]);
        // 2 + 3φ − φ³ = (2 − φ)(1 + φ)²
        self.barrier * (phi * phi - 1.0).powi(2)
            + 0.25 * self.depth_difference * (2.0 - phi) * (1.0 + phi).powi(2)
    }
    fn gradient(&self, theta: &Point<1>) -> Point<1> {
        let [phi, first, _] = self.coordinate(theta[0]);
        Point::<1>::new(self.slope(phi) * first)
    }
    fn hessian(&self, theta: &Point<1>) -> Tensor<1> {
        let [phi, first, second] = self.coordinate(theta[0]);
        let curvature = self.barrier * (12.0 * phi * phi - 4.0) - 1.5 * self.depth_difference * phi;
        Tensor::<1>::new(curvature * first * first + self.slope(phi) * second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::{DoubleWell, critical_point};

    #[test]
    fn minima_have_the_depths_and_the_ratio_of_curvatures_asked_for() {
        for ratio in [0.002, 0.3, 1.0, 4.0, 300.0] {
            for difference in [-0.5, 0.0, 0.3] {
                let well = AsymmetricDoubleWell::new(0.8, 1.4, ratio, difference).unwrap();
                let [left, right] = [-1.4, 1.4].map(Point::<1>::new);
                let ratio_found = well.hessian(&left)[0] / well.hessian(&right)[0];
                // Few operations of order one; φ' at the flatter well cancels to 1/20.
                assert!((ratio_found / ratio - 1.0).abs() < 1e-12, "{ratio} {difference}");
                assert!(well.loss(&left).abs() < 1e-15);
                assert!((well.loss(&right) - difference).abs() < 1e-14);
                for x in [&left, &right] {
                    assert!(well.hessian(x)[0] > 0.0 && well.gradient(x)[0].abs() < 1e-13);
                }
            }
        }
    }

    #[test]
    fn the_gradient_changes_sign_three_times_and_the_barrier_is_the_one_given() {
        for ratio in [0.0017, 0.1, 10.0, 600.0] {
            let well = AsymmetricDoubleWell::new(0.8, 1.0, ratio, 0.0).unwrap();
            let gradient = |k: i32| well.gradient(&Point::<1>::new(f64::from(k) * 1e-3 + 1e-7))[0];
            let changes: Vec<i32> = (-3000..3000)
                .filter(|&k| (gradient(k) > 0.0) != (gradient(k + 1) > 0.0))
                .collect();
            assert_eq!(changes.len(), 3, "ratio {ratio}: {changes:?}");
            let start = Point::<1>::new(f64::from(changes[1]) * 1e-3);
            let saddle = critical_point(&well, start).unwrap();
            assert_eq!(saddle.index, 1);
            // Rounding of φ near 0.
            assert!((saddle.loss - 0.8).abs() < 1e-14);
        }
    }

    #[test]
    fn derivatives_are_those_of_the_loss() {
        let well = AsymmetricDoubleWell::new(0.8, 1.2, 7.0, 0.4).unwrap();
        let h = 1e-4;
        for x in [-1.5, -0.7, 0.1, 0.6, 1.9] {
            let at = |k: f64| Point::<1>::new(x + k * h);
            let first = (well.loss(&at(1.0)) - well.loss(&at(-1.0))) / (2.0 * h);
            let second = (well.gradient(&at(1.0))[0] - well.gradient(&at(-1.0))[0]) / (2.0 * h);
            // Truncation h²L‴/6 with L‴ up to 1e3 at these points.
            assert!((first - well.gradient(&at(0.0))[0]).abs() < 1e-5);
            assert!((second - well.hessian(&at(0.0))[0]).abs() < 1e-4);
        }
    }

    #[test]
    fn the_symmetric_member_is_the_double_well_and_bad_parameters_are_refused() {
        let (same, plain) = (
            AsymmetricDoubleWell::new(0.3, 1.5, 1.0, 0.0).unwrap(),
            DoubleWell::new(0.3, 1.5).unwrap(),
        );
        let theta = Point::<1>::new(0.4);
        assert_eq!(same.loss(&theta), plain.loss(&theta));
        for (ratio, difference) in [(0.0, 0.0), (700.0, 0.0), (1.0, 6.0), (f64::NAN, 0.0)] {
            assert!(AsymmetricDoubleWell::new(1.0, 1.0, ratio, difference).is_err());
        }
    }
}
