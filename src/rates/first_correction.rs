//! The first correction in T to the Eyring-Kramers law, in any number of variables.

use super::SaddlePassage;
use crate::error::{Error, Result};
use crate::landscape::{CriticalPoint, Landscape};
use crate::math::{Point, Tensor, even_limit, symmetric_root};

/// c_s − c_a of k = k_EK (1 + (c_s − c_a) T + O(T²)); see [`first_correction`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirstCorrection {
    /// c_a, relative change of the mass of the well over T.
    pub minimum: f64,
    /// c_s, relative change of the flow over the saddle over T.
    pub saddle: f64,
    /// What the differences that stand for third and fourth derivatives may leave of both.
    pub error: f64,
}

impl FirstCorrection {
    /// c_s − c_a, in 1/T.
    pub fn coefficient(&self) -> f64 {
        self.saddle - self.minimum
    }

    /// Relative error to expect of k_EK (1 + (c_s − c_a) T): the size of the last terms taken, as of any asymptotic series; an estimate for small T, not a
    /// bound.
    pub fn expected_deviation(&self, temperature: f64) -> f64 {
        (self.saddle.abs() + self.minimum.abs() + self.error) * temperature
    }
}

/// The first correction to the rate [`SaddlePassage::log_rate`] of dθ = −M∇L dt + sqrt(2TM) dW, M symmetric.
///
/// # Formula
/// With the eigenvalues λ_i and orthonormal eigenvectors v_i of M^½ H M^½, and t_ijk and f_iijj the third and fourth derivatives of L along
/// M^½ v_i/|λ_i|^½,
///
/// ```text
/// G   = Σ_j (Σ_i t_iij)²/8 + Σ_ijk t_ijk²/12 − Σ_ij f_iijj/8
/// c_a = G at the minimum
/// c_s = G − (Σ_i t_1ii)²/4 − Σ_jk t_1jk² |λ_1|/(2 (|λ_1| + |λ_j| + |λ_k|)) at the saddle, λ_1 its negative eigenvalue.
/// ```
///
/// On a line c_a = 5L'''²/(24 L''³) − L''''/(8 L''²) and c_s = −5L'''²/(24 |L''|³) − L''''/(8 L''²).
///
/// # Units
/// 1/loss.
///
/// # Method
/// G is the second order of the mean of exp(−(L − L_2)/T) in the Gaussian exp(−Σ|λ_i|u_i²/2T), L_2 the parabola: of the mass of the well, and of
/// T∫|∇h|² e^{−L/T} with the committor h of the parabola. The rest is what the committor gains by its own first correction, g(u_1) q(u), which solves
/// Δq − Σ|λ_i|u_i ∂_i q − |λ_1| q = ∂_1 L_3; its second does not enter, as the form is stationary. Derivatives are differences of the Hessian, extrapolated
/// from steps of a fifth of the distance between the two points, or to the nearest kink. The series is asymptotic: for x⁴/4 − x²/2 it is 1 − 1.5 T − 4.9 T² …,
/// and tells nothing where c T is of order one.
///
/// # Errors
/// Those of [`SaddlePassage::between`]; [`Error::Inconsistent`] for an M that is not symmetric, [`Error::InvalidParameter`] for one that is not positive
/// definite; [`Error::NotFinite`] when the Hessian is not finite around a point.
///
/// # References
/// On a line: O. Edholm and O. Leimar, Physica A 98, 313 (1979). That there is a full series in any dimension: B. Helffer, M. Klein and F. Nier, Mat. Contemp.
/// 26, 41 (2004). The form that is stationary: A. Bovier et al., J. Eur. Math. Soc. 6, 399 (2004).
///
/// # Examples
/// ```
/// use freezeout::landscape::{DoubleWell, critical_point};
/// use freezeout::math::{Point, Tensor};
/// use freezeout::rates::first_correction;
/// let well = DoubleWell::new(0.25, 1.0)?;
/// let [minimum, saddle] = [-1.0, 0.0].map(|x| critical_point(&well, Point::<1>::new(x)));
/// let correction = first_correction(&well, &minimum?, &saddle?, &Tensor::<1>::identity())?;
/// assert!((correction.coefficient() + 1.5).abs() < 1e-8);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn first_correction<const D: usize>(
    landscape: &impl Landscape<D>,
    minimum: &CriticalPoint<D>,
    saddle: &CriticalPoint<D>,
    mobility: &Tensor<D>,
) -> Result<FirstCorrection> {
    /// First step of the differences, in distances.
    const STEP: f64 = 0.2;
    // refuses what is no minimum, no saddle of index one or no mobility
    SaddlePassage::between(landscape, minimum, saddle)?.log_rate(mobility, 1.0)?;
    if *mobility != mobility.transpose() {
        return Err(Error::Inconsistent {
            subject: "mobility".into(),
            requirement: "it must be symmetric: the correction is that of processes in detailed balance"
                .into(),
        });
    }
    let root = symmetric_root(mobility);
    let at = |point: &CriticalPoint<D>| {
        let apart = (saddle.position - minimum.position).norm();
        let kinks = landscape.kinks();
        let free = kinks
            .iter()
            .map(|kink| (point.position[kink.axis] - kink.position).abs());
        let frame = Frame::new(landscape, &point.position, &root);
        // steps along the frame are longer than those of θ by the length of its vectors
        let longest = frame.axes.iter().map(|axis| axis.norm()).fold(0.0, f64::max);
        let first = STEP * free.fold(apart, f64::min) / longest;
        let (value, error) = even_limit(first, |step| frame.coefficient(landscape, step));
        if value.is_finite() {
            return Ok((value, error));
        }
        Err(Error::NotFinite {
            quantity: "first correction to the rate".into(),
            reason: format!("at {:?}", point.position.as_slice()),
        })
    };
    let ((a, of_a), (s, of_s)) = (at(minimum)?, at(saddle)?);
    Ok(FirstCorrection {
        minimum: a,
        saddle: s,
        error: of_a + of_s,
    })
}

/// A stationary point in coordinates in which D = T·I and the curvatures are ±1.
struct Frame<const D: usize> {
    position: Point<D>,
    /// M^½ v_i/|λ_i|^½.
    axes: Vec<Point<D>>,
    /// λ_i.
    curvatures: Vec<f64>,
}

impl<const D: usize> Frame<D> {
    fn new(landscape: &impl Landscape<D>, position: &Point<D>, root: &Tensor<D>) -> Self {
        let hessian = root * landscape.hessian(position) * root;
        let eigen = nalgebra::DMatrix::from_iterator(D, D, hessian.iter().copied()).symmetric_eigen();
        let axis = |k: usize| {
            let vector = Point::<D>::from_iterator(eigen.eigenvectors.column(k).iter().copied());
            root * vector / eigen.eigenvalues[k].abs().sqrt()
        };
        Self {
            position: *position,
            axes: (0..D).map(axis).collect(),
            curvatures: eigen.eigenvalues.iter().copied().collect(),
        }
    }

    /// c_a or c_s with differences of this step for the third and fourth derivatives, an error even in the step.
    fn coefficient(&self, landscape: &impl Landscape<D>, step: f64) -> f64 {
        let along = |k: usize, sign: f64| landscape.hessian(&(self.position + self.axes[k] * (sign * step)));
        let middle = landscape.hessian(&self.position);
        let entry = |matrix: &Tensor<D>, i: usize, j: usize| self.axes[i].dot(&(matrix * self.axes[j]));
        let (mut cubic, mut quartic) = (vec![Tensor::<D>::zeros(); D], 0.0);
        for k in 0..D {
            let (ahead, behind) = (along(k, 1.0), along(k, -1.0));
            let first = (ahead - behind) / (2.0 * step);
            let second = (ahead + behind - middle * 2.0) / (step * step);
            cubic[k] = Tensor::<D>::from_fn(|i, j| entry(&first, i, j));
            quartic += (0..D).map(|i| entry(&second, i, i)).sum::<f64>();
        }
        let traces: f64 = cubic.iter().map(|t| t.trace().powi(2)).sum();
        let squares: f64 = cubic.iter().map(|t| t.norm_squared()).sum();
        let gaussian = traces / 8.0 + squares / 12.0 - quartic / 8.0;
        let Some(unstable) = self.curvatures.iter().position(|value| *value < 0.0) else {
            return gaussian;
        };
        let size = |k: usize| self.curvatures[k].abs();
        let pairs = (0..D).flat_map(|j| (0..D).map(move |k| (j, k)));
        let bent: f64 = pairs
            .map(|(j, k)| {
                let share = size(unstable) / (size(unstable) + size(j) + size(k));
                cubic[unstable][(j, k)].powi(2) * share
            })
            .sum();
        gaussian - cubic[unstable].trace().powi(2) / 4.0 - bent / 2.0
    }
}
