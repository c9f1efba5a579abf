//! Lines of constant value by marching squares.

/// Segments of the line `field = level` of a field on a grid in coordinates in which it is interpolated linearly along the cell edges.
///
/// `values` are row by row (x fastest). Cells with a NaN corner have no line. At a saddle the mean of the corners decides.
pub(super) fn segments(x: &[f64], y: &[f64], values: &[f64], level: f64) -> Vec<[(f64, f64); 2]> {
    let mut found = Vec::new();
    let at = |i: usize, j: usize| values[j * x.len() + i] - level;
    for j in 0..y.len().saturating_sub(1) {
        for i in 0..x.len().saturating_sub(1) {
            // Corners against the clock, each with the next one along the edge.
            let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
            let heights = corners.map(|(i, j)| at(i, j));
            if heights.iter().any(|h| !h.is_finite()) {
                continue;
            }
            let mut crossings = Vec::new();
            for k in 0..4 {
                let (a, b) = (heights[k], heights[(k + 1) % 4]);
                if (a >= 0.0) != (b >= 0.0) {
                    let t = a / (a - b);
                    let ((i0, j0), (i1, j1)) = (corners[k], corners[(k + 1) % 4]);
                    crossings.push((x[i0] + t * (x[i1] - x[i0]), y[j0] + t * (y[j1] - y[j0])));
                }
            }
            match crossings[..] {
                [a, b] => found.push([a, b]),
                [a, b, c, d] => {
                    let middle = heights.iter().sum::<f64>() >= 0.0;
                    // The middle belongs to the corners of its sign: cut off the other two.
                    if middle == (heights[0] >= 0.0) {
                        found.extend([[a, b], [c, d]]);
                    } else {
                        found.extend([[d, a], [b, c]]);
                    }
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_cut_exactly_and_a_circle_closes() {
        let axis: Vec<f64> = (0..41).map(|i| -1.0 + 0.05 * f64::from(i)).collect();
        let field = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
            axis.iter()
                .flat_map(|y| axis.iter().map(|x| f(*x, *y)).collect::<Vec<_>>())
                .collect()
        };
        // Linear interpolation is exact for a plane; rounding of a few operations on numbers of order one.
        let plane = segments(&axis, &axis, &field(&|x, y| x + 2.0 * y), 0.3);
        assert!(
            !plane.is_empty()
                && plane
                    .iter()
                    .flatten()
                    .all(|(x, y)| (x + 2.0 * y - 0.3).abs() < 1e-14)
        );
        let circle = segments(&axis, &axis, &field(&|x, y| x * x + y * y), 0.25);
        let length: f64 = circle.iter().map(|[a, b]| (a.0 - b.0).hypot(a.1 - b.1)).sum();
        // Second order: relative error of the order of (0.05/0.5)^2 / 8.
        assert!((length / std::f64::consts::PI - 1.0).abs() < 2e-3, "{length}");
        assert!(segments(&axis, &axis, &field(&|_, _| 1.0), 2.0).is_empty());
    }
}
