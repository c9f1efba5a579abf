//! Cubic splines through values on a product of axes.

use crate::error::{Error, Result};
use crate::math::{Point, Tensor};
use std::ops::Range;

/// The C² cubic spline through values on the points of D axes (the product of splines along each axis).
///
/// # Formula
/// On an interval of length h with a = (x_{i+1} − x)/h, b = 1 − a,
///
/// ```text
/// s = a f_i + b f_{i+1} + h²/6 ((a³ − a) M_i + (b³ − b) M_{i+1}),
/// ```
///
/// with second derivatives M for which s′ is continuous, and s‴ at the second and the last but one point (not-a-knot). With D
/// axes the same holds along each of them, with f, ∂²f/∂x², ∂²f/∂y², ∂⁴f/∂x²∂y² … at each point.
///
/// # Method
/// Values of order 4, first derivatives 3, second derivatives 2 in the distance of the points up to the ends; exact for cubic
/// polynomials. A kink of f inside the table costs these orders. Outside the table every result is NaN: nothing is extrapolated.
///
/// # References
/// C. de Boor, A Practical Guide to Splines (1978), chapters IV and XVII.
///
/// # Examples
/// ```
/// use freezeout::math::{Point, Spline};
/// let x = vec![0.0, 0.5, 1.5, 2.0, 3.0];
/// let cubes = x.iter().map(|x: &f64| x.powi(3)).collect();
/// let spline = Spline::<1>::new([x], cubes)?;
/// assert!((spline.value(&Point::<1>::new(1.0)) - 1.0).abs() < 1e-13);
/// let (_, first, second) = spline.derivatives(&Point::<1>::new(1.0));
/// assert!((first[0] - 3.0).abs() < 1e-13 && (second[0] - 6.0).abs() < 1e-12);
/// assert!(spline.value(&Point::<1>::new(3.1)).is_nan());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Spline<const D: usize> {
    axes: [Vec<f64>; D],
    /// Intervals a unit of length of each axis.
    density: [f64; D],
    /// At each point 2^D numbers; bit d of their index: second derivative along axis d.
    coefficients: Vec<f64>,
}

/// Weights of f_i, f_{i+1}, M_i, M_{i+1} in s, s′ and s″.
type Basis = [[f64; 4]; 3];

impl<const D: usize> Spline<D> {
    /// The spline through `values`, the last axis running fastest, at the points of `axes`.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] with fewer than four points on an axis or the wrong number of values;
    /// [`Error::InvalidParameter`] when an axis is not finite and strictly increasing; [`Error::NotFinite`] when a value is not
    /// finite, or a second derivative overflows.
    pub fn new(axes: [Vec<f64>; D], values: Vec<f64>) -> Result<Self> {
        Self::check(&axes, &values)?;
        Self::of_pieces(axes, values)
    }

    /// Splines on either side of `breaks`, positions along each axis, that meet there: for values whose derivatives jump.
    ///
    /// # Method
    /// Each piece is a spline of its own, and keeps the orders of a smooth table. Breaks outside the table are of no consequence.
    ///
    /// # Errors
    /// Those of [`Spline::new`]; [`Error::InvalidParameter`] for a break that is no point of its axis, or with fewer than three on a side.
    ///
    /// # Examples
    /// ```
    /// use freezeout::math::{Point, Spline};
    /// let x: Vec<f64> = (-4..=4).map(f64::from).collect();
    /// let f = |x: f64| if x < 0.0 { -x } else { x * x };
    /// let values = x.iter().map(|x| f(*x)).collect();
    /// let spline = Spline::<1>::meeting_at([vec![0.0]], [x], values)?;
    /// assert!((spline.value(&Point::<1>::new(-0.3)) - 0.3).abs() < 1e-14 && (spline.value(&Point::<1>::new(0.5)) - 0.25).abs() < 1e-14);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn meeting_at(breaks: [Vec<f64>; D], axes: [Vec<f64>; D], values: Vec<f64>) -> Result<Self> {
        Self::broken(breaks, axes, values, true)
    }

    /// Splines on either side of `breaks`, positions along each axis, that know nothing of each other: for values that jump there.
    ///
    /// # Method
    /// The value that each piece has at a break is that of the cubic polynomial through its four nearest points, an error of order 4; what
    /// the table says at the break itself belongs to neither side and is not used.
    ///
    /// # Errors
    /// Those of [`Spline::new`]; [`Error::InvalidParameter`] for a break with fewer than four points on a side.
    ///
    /// # Examples
    /// ```
    /// use freezeout::math::{Point, Spline};
    /// let x: Vec<f64> = (-4..=4).map(f64::from).collect();
    /// let values = x.iter().map(|x| if *x < 0.0 { 1.0 } else { 5.0 }).collect();
    /// let spline = Spline::<1>::jumping_at([vec![0.0]], [x], values)?;
    /// let at = |x: f64| spline.value(&Point::<1>::new(x));
    /// assert!((at(-0.1) - 1.0).abs() < 1e-14 && (at(0.1) - 5.0).abs() < 1e-14);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn jumping_at(breaks: [Vec<f64>; D], axes: [Vec<f64>; D], values: Vec<f64>) -> Result<Self> {
        Self::broken(breaks, axes, values, false)
    }

    fn broken(
        mut breaks: [Vec<f64>; D],
        mut axes: [Vec<f64>; D],
        mut values: Vec<f64>,
        meets: bool,
    ) -> Result<Self> {
        Self::check(&axes, &values)?;
        for (d, breaks) in breaks.iter_mut().enumerate() {
            breaks.sort_by(f64::total_cmp);
            breaks.dedup();
            for at in breaks {
                values = break_at(&mut axes, values, d, *at, meets)?;
            }
        }
        Self::of_pieces(axes, values)
    }

    fn check(axes: &[Vec<f64>; D], values: &[f64]) -> Result<()> {
        for (number, axis) in axes.iter().enumerate() {
            check_axis(number, axis)?;
        }
        let points: usize = axes.iter().map(Vec::len).product();
        if values.len() != points {
            return Err(Error::DimensionMismatch {
                name: "table".into(),
                expected: points,
                got: values.len(),
            });
        }
        if let Some(entry) = values.iter().position(|v| !v.is_finite()) {
            return Err(Error::NotFinite {
                quantity: "table".into(),
                reason: format!(
                    "value {} at {:?}",
                    values[entry],
                    position(axes, entry).as_slice()
                ),
            });
        }
        Ok(())
    }

    /// The spline of values on axes on which a position that stands twice is where two pieces end.
    fn of_pieces(axes: [Vec<f64>; D], values: Vec<f64>) -> Result<Self> {
        let points = values.len();
        let mut coefficients = vec![0.0; points << D];
        for (at, value) in values.into_iter().enumerate() {
            coefficients[at << D] = value;
        }
        for d in 0..D {
            let n = axes[d].len();
            let stride: usize = axes[d + 1..].iter().map(Vec::len).product();
            for line in 0..points / n {
                let first = line / stride * stride * n + line % stride;
                for kind in 0..1 << d {
                    let along = |k: usize| ((first + k * stride) << D) + kind;
                    let f: Vec<f64> = (0..n).map(|k| coefficients[along(k)]).collect();
                    for piece in pieces(&axes[d]) {
                        let seconds = second_derivatives(&axes[d][piece.clone()], &f[piece.clone()]);
                        for (k, second) in piece.zip(seconds) {
                            coefficients[along(k) + (1 << d)] = second;
                        }
                    }
                }
            }
        }
        if let Some(entry) = coefficients.iter().position(|v| !v.is_finite()) {
            return Err(Error::NotFinite {
                quantity: "second derivative of the table".into(),
                reason: format!("at {:?}", position(&axes, entry >> D).as_slice()),
            });
        }
        let density = std::array::from_fn(|d| {
            let (axis, last) = (&axes[d], axes[d].len() - 1);
            last as f64 / (axis[last] - axis[0])
        });
        Ok(Self {
            axes,
            density,
            coefficients,
        })
    }

    /// The points of the axes.
    pub fn axes(&self) -> &[Vec<f64>; D] {
        &self.axes
    }

    /// Value at `theta`; NaN outside the table.
    pub fn value(&self, theta: &Point<D>) -> f64 {
        match self.basis(theta) {
            Some((first, basis)) => self.sum(first, |d| &basis[d][0]),
            None => f64::NAN,
        }
    }

    /// Value, gradient and Hessian of the spline at `theta`; NaN outside the table.
    pub fn derivatives(&self, theta: &Point<D>) -> (f64, Point<D>, Tensor<D>) {
        let Some((first, basis)) = self.basis(theta) else {
            let nan = f64::NAN;
            return (nan, Point::<D>::from_element(nan), Tensor::<D>::from_element(nan));
        };
        let order = |d: usize, r: usize, c: usize| usize::from(d == r) + usize::from(d == c);
        // An axis that does not exist: no derivative.
        let none = D;
        let value = self.sum(first, |d| &basis[d][0]);
        let gradient = Point::<D>::from_fn(|r, _| self.sum(first, |d| &basis[d][order(d, r, none)]));
        let mut hessian = Tensor::<D>::zeros();
        for r in 0..D {
            for c in r..D {
                let second = self.sum(first, |d| &basis[d][order(d, r, c)]);
                hessian[(r, c)] = second;
                hessian[(c, r)] = second;
            }
        }
        (value, gradient, hessian)
    }

    /// Gradient of the spline at `theta` alone, the same numbers as [`Spline::derivatives`] gives; NaN outside the table.
    pub fn gradient(&self, theta: &Point<D>) -> Point<D> {
        match self.basis(theta) {
            Some((first, basis)) => {
                Point::<D>::from_fn(|r, _| self.sum(first, |d| &basis[d][usize::from(d == r)]))
            }
            None => Point::<D>::from_element(f64::NAN),
        }
    }

    /// The lower corner of the cell that holds `theta`, and the weights along each axis there.
    #[inline(always)]
    fn basis(&self, theta: &Point<D>) -> Option<(usize, [Basis; D])> {
        let mut corner = 0;
        let mut basis = [[[0.0; 4]; 3]; D];
        for (d, axis) in self.axes.iter().enumerate() {
            let (x, last) = (theta[d], axis.len() - 1);
            if !(x >= axis[0] && x <= axis[last]) {
                return None;
            }
            // where it would be among equidistant points, there or one further beyond a break, or by bisection
            let guess = ((x - axis[0]) * self.density[d]) as usize;
            let is_right = |k: &usize| *k < last && axis[*k] <= x && x < axis[*k + 1];
            let left = [guess, guess + 1].into_iter().find(is_right);
            let left = left.unwrap_or_else(|| axis.partition_point(|&p| p <= x).clamp(1, last) - 1);
            basis[d] = weights(axis[left], axis[left + 1], x);
            corner = corner * axis.len() + left;
        }
        Some((corner, basis))
    }

    /// Σ over the corners and kinds of the product of the weights along the axes.
    #[inline(always)]
    fn sum<'a>(&self, corner: usize, weights: impl Fn(usize) -> &'a [f64; 4]) -> f64 {
        let mut total = 0.0;
        for upper in 0..1 << D {
            let (mut at, mut stride) = (corner, 1);
            for d in (0..D).rev() {
                at += stride * (upper >> d & 1);
                stride *= self.axes[d].len();
            }
            for (kind, coefficient) in self.coefficients[at << D..(at + 1) << D].iter().enumerate() {
                let mut product = *coefficient;
                for d in 0..D {
                    product *= weights(d)[(upper >> d & 1) + 2 * (kind >> d & 1)];
                }
                total += product;
            }
        }
        total
    }
}

fn position<const D: usize>(axes: &[Vec<f64>; D], entry: usize) -> Point<D> {
    let mut rest = entry;
    let mut theta = Point::<D>::zeros();
    for (d, axis) in axes.iter().enumerate().rev() {
        theta[d] = axis[rest % axis.len()];
        rest /= axis.len();
    }
    theta
}

fn check_axis(number: usize, axis: &[f64]) -> Result<()> {
    let name = format!("table axis {number}");
    if axis.len() < 4 {
        return Err(Error::DimensionMismatch {
            name: format!("{name} (at least four points)"),
            expected: 4,
            got: axis.len(),
        });
    }
    let wrong = |value, requirement| Error::InvalidParameter {
        name: name.clone(),
        value,
        requirement,
    };
    if let Some(&point) = axis.iter().find(|p| !p.is_finite()) {
        return Err(wrong(point, "finite points are needed".into()));
    }
    match axis.windows(2).find(|pair| pair[1] <= pair[0]) {
        Some(pair) => Err(wrong(
            pair[1],
            format!("points must increase, and this one follows {}", pair[0]),
        )),
        None => Ok(()),
    }
}

/// The points of each piece of an axis.
fn pieces(axis: &[f64]) -> Vec<Range<usize>> {
    let starts = (1..axis.len()).filter(|k| axis[*k] == axis[k - 1]);
    let mut ends: Vec<usize> = std::iter::once(0).chain(starts).collect();
    ends.push(axis.len());
    ends.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// The values where one more position of axis `d`, the last so far, ends two pieces.
fn break_at<const D: usize>(
    axes: &mut [Vec<f64>; D],
    values: Vec<f64>,
    d: usize,
    at: f64,
    meets: bool,
) -> Result<Vec<f64>> {
    let axis = &axes[d];
    let n = axis.len();
    if !(at > axis[0] && at < axis[n - 1]) {
        return Ok(values);
    }
    let wrong = |requirement: &str| {
        Err(Error::InvalidParameter {
            name: format!("kink on table axis {d}"),
            value: at,
            requirement: requirement.into(),
        })
    };
    // its own point, to rounding
    let rounding = 1e-9 * (axis[n - 1] - axis[0]);
    let before = axis.partition_point(|&p| p < at - rounding);
    let after = axis.partition_point(|&p| p <= at + rounding);
    if meets && after != before + 1 {
        return wrong("the table needs a point there");
    }
    let start = pieces(axis).last().map_or(0, |piece| piece.start);
    let fewest = if meets { 3 } else { 4 };
    if before.saturating_sub(start) < fewest || n - after < fewest {
        return wrong(&format!("the table needs {fewest} points on either side of it"));
    }
    let broken = [&axis[..before], &[at, at], &axis[after..]].concat();
    let stride: usize = axes[d + 1..].iter().map(Vec::len).product();
    let lines = values.len() / n;
    let mut result = vec![0.0; lines * broken.len()];
    for line in 0..lines {
        let (block, offset) = (line / stride, line % stride);
        let f: Vec<f64> = (0..n)
            .map(|k| values[(block * n + k) * stride + offset])
            .collect();
        let ends = match meets {
            true => [f[before]; 2],
            false => {
                [before - 4..before, after..after + 4].map(|side| cubic(&axis[side.clone()], &f[side], at))
            }
        };
        let f = [&f[..before], &ends, &f[after..]].concat();
        for (k, value) in f.into_iter().enumerate() {
            result[(block * broken.len() + k) * stride + offset] = value;
        }
    }
    axes[d] = broken;
    Ok(result)
}

/// The cubic polynomial through four points, anywhere.
fn cubic(x: &[f64], f: &[f64], at: f64) -> f64 {
    let term = |i: usize| {
        let others = (0..4).filter(|j| *j != i);
        f[i] * others.map(|j| (at - x[j]) / (x[i] - x[j])).product::<f64>()
    };
    (0..4).map(term).sum()
}

fn weights(left: f64, right: f64, x: f64) -> Basis {
    let h = right - left;
    let (a, b) = ((right - x) / h, (x - left) / h);
    let sixth = h / 6.0;
    [
        [a, b, sixth * h * a * (a * a - 1.0), sixth * h * b * (b * b - 1.0)],
        [
            -1.0 / h,
            1.0 / h,
            sixth * (1.0 - 3.0 * a * a),
            sixth * (3.0 * b * b - 1.0),
        ],
        [0.0, 0.0, a, b],
    ]
}

/// M at the points, from the tridiagonal system of its inner values; the ends by not-a-knot.
fn second_derivatives(x: &[f64], f: &[f64]) -> Vec<f64> {
    let n = x.len();
    let h: Vec<f64> = x.windows(2).map(|p| p[1] - p[0]).collect();
    let slope: Vec<f64> = (0..n - 1).map(|i| (f[i + 1] - f[i]) / h[i]).collect();
    // M_0 = (1 + q) M_1 − q M_2 with q the ratio of the first two lengths, and alike at the other end.
    let (q, r) = (h[0] / h[1], h[n - 2] / h[n - 3]);
    let mut m = vec![0.0; n];
    // Elimination downwards: M_i = m_i − upper_i M_{i+1}. Diagonally dominant, no pivots needed.
    let mut upper = vec![0.0; n];
    for i in 1..n - 1 {
        let (mut lower, mut diagonal, mut above) = (h[i - 1], 2.0 * (h[i - 1] + h[i]), h[i]);
        if i == 1 {
            diagonal += (1.0 + q) * lower;
            above -= q * lower;
            lower = 0.0;
        }
        if i == n - 2 {
            diagonal += (1.0 + r) * above;
            lower -= r * above;
            above = 0.0;
        }
        let pivot = diagonal - lower * upper[i - 1];
        upper[i] = above / pivot;
        m[i] = (6.0 * (slope[i] - slope[i - 1]) - lower * m[i - 1]) / pivot;
    }
    for i in (1..n - 2).rev() {
        m[i] -= upper[i] * m[i + 1];
    }
    m[0] = (1.0 + q) * m[1] - q * m[2];
    m[n - 1] = (1.0 + r) * m[n - 2] - r * m[n - 3];
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points whose distances vary smoothly by a factor of two.
    fn stretched(n: usize) -> Vec<f64> {
        (0..n)
            .map(|k| k as f64 / (n - 1) as f64)
            .map(|s| s + 0.05 * (std::f64::consts::TAU * s).sin())
            .collect()
    }

    fn table(axes: &[Vec<f64>; 2], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        axes[0]
            .iter()
            .flat_map(|&x| axes[1].iter().map(move |&y| (x, y)))
            .map(|(x, y)| f(x, y))
            .collect()
    }

    /// Largest errors of value, gradient and Hessian of exp(x) sin(3y) at nine places in each cell, the ends included.
    fn errors(n: usize) -> [f64; 3] {
        let axes = [stretched(n), stretched(n)];
        let spline = Spline::<2>::new(axes.clone(), table(&axes, |x, y| x.exp() * (3.0 * y).sin())).unwrap();
        let places: Vec<f64> = axes[0]
            .windows(2)
            .flat_map(|p| [0.0, 0.3, 0.5].map(|share| p[0] + share * (p[1] - p[0])))
            .chain([1.0])
            .collect();
        let mut worst = [0.0_f64; 3];
        for &x in &places {
            for &y in &places {
                let (value, gradient, hessian) = spline.derivatives(&Point::<2>::new(x, y));
                let (e, (s, c)) = (x.exp(), (3.0 * y).sin_cos());
                let exact = Tensor::<2>::new(e * s, 3.0 * e * c, 3.0 * e * c, -9.0 * e * s);
                worst[0] = worst[0].max((value - e * s).abs());
                worst[1] = worst[1].max((gradient - Point::<2>::new(e * s, 3.0 * e * c)).amax());
                worst[2] = worst[2].max((hessian - exact).amax());
            }
        }
        worst
    }

    #[test]
    fn orders_are_four_three_and_two_up_to_the_ends() {
        let levels: Vec<[f64; 3]> = [41, 81, 161, 321].map(errors).to_vec();
        for (kind, order) in [4.0, 3.0, 2.0].into_iter().enumerate() {
            for pair in levels.windows(2) {
                let observed = (pair[0][kind] / pair[1][kind]).log2();
                // The largest errors are at the ends, where the next order has the same sign: orders come down to theirs.
                assert!(
                    observed > order - 0.1 && observed < order + 0.4,
                    "{kind}: {observed}, {levels:?}"
                );
            }
        }
    }

    #[test]
    fn cubic_polynomials_are_exact_on_unequal_points() {
        let axes = [vec![-1.0, -0.2, 0.1, 0.9], vec![0.0, 0.3, 1.0, 1.1, 2.0]];
        let spline = Spline::<2>::new(
            axes.clone(),
            table(&axes, |x, y| x.powi(3) * y * y - y.powi(3) * x),
        )
        .unwrap();
        for (x, y) in [(-1.0, 0.0), (-0.7, 1.05), (0.5, 2.0), (0.9, 0.2)] {
            let (value, gradient, hessian) = spline.derivatives(&Point::<2>::new(x, y));
            let first = Point::<2>::new(
                3.0 * x * x * y * y - y.powi(3),
                2.0 * x.powi(3) * y - 3.0 * y * y * x,
            );
            let cross = 6.0 * x * x * y - 3.0 * y * y;
            let second = Tensor::<2>::new(6.0 * x * y * y, cross, cross, 2.0 * x.powi(3) - 6.0 * y * x);
            // Rounding of differences divided by the square of the shortest interval, 0.1.
            assert!((value - (x.powi(3) * y * y - y.powi(3) * x)).abs() < 1e-13);
            assert!((gradient - first).amax() < 1e-12 && (hessian - second).amax() < 1e-11);
            assert_eq!(spline.value(&Point::<2>::new(x, y)), value);
        }
    }

    #[test]
    fn value_slope_and_curvature_are_continuous_at_the_points() {
        let x = stretched(9);
        let f: Vec<f64> = x
            .iter()
            .enumerate()
            .map(|(k, _)| f64::from(k as u32 * 7 % 5))
            .collect();
        let spline = Spline::<1>::new([x.clone()], f.clone()).unwrap();
        for k in 1..8 {
            let at = |x: f64| spline.derivatives(&Point::<1>::new(x));
            let (left, right) = (at(x[k] - 1e-10), at(x[k] + 1e-10));
            assert!((at(x[k]).0 - f[k]).abs() < 1e-13);
            // s‴ is of order 1e4 here, over a distance of 2e-10.
            assert!((left.1 - right.1).amax() < 1e-6 && (left.2 - right.2).amax() < 1e-4);
        }
    }

    #[test]
    fn outside_the_table_everything_is_nan() {
        let axes = [stretched(5), stretched(6)];
        let spline = Spline::<2>::new(axes.clone(), table(&axes, |x, y| x + y)).unwrap();
        for (x, y) in [(-1e-9, 0.5), (0.5, 1.0 + 1e-9), (f64::NAN, 0.5)] {
            let (value, gradient, hessian) = spline.derivatives(&Point::<2>::new(x, y));
            assert!(value.is_nan() && spline.value(&Point::<2>::new(x, y)).is_nan());
            assert!(gradient.iter().chain(hessian.iter()).all(|v| v.is_nan()));
        }
        // The upper ends belong to the table.
        assert!((spline.value(&Point::<2>::new(1.0, 1.0)) - 2.0).abs() < 1e-14);
    }

    #[test]
    fn bad_tables_are_refused_and_named() {
        let good = vec![0.0, 1.0, 2.0, 3.0];
        let error = |x: Vec<f64>, f: Vec<f64>| Spline::<1>::new([x], f).unwrap_err().to_string();
        assert!(error(vec![0.0, 1.0, 2.0], vec![0.0; 3]).contains("axis 0"));
        assert!(error(vec![0.0, 1.0, 1.0, 3.0], vec![0.0; 4]).contains("follows 1"));
        assert!(error(vec![0.0, 1.0, f64::NAN, 3.0], vec![0.0; 4]).contains("finite"));
        assert!(error(good.clone(), vec![0.0; 5]).contains('5'));
        assert!(error(good, vec![0.0, 1.0, f64::INFINITY, 0.0]).contains("[2.0]"));
    }
}
