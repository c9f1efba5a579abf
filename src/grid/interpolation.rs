//! Functions known at cell centres, between them and on coarser grids.

use super::{Axis, Grid};
use crate::math::Point;

impl<const D: usize> Grid<D> {
    /// Value at a point of a function known at cell centres: multilinear between centres and extrapolated from the two outermost cells of
    /// each axis; second order.
    ///
    /// # Examples
    /// ```
    /// use freezeout::grid::{Axis, Grid};
    /// let axis = Axis::uniform(0.0, 1.0, 4)?;
    /// let grid = Grid::new([axis.clone(), axis]);
    /// let values: Vec<f64> = (0..16).map(|cell| grid.centre(cell)[0] + 2.0 * grid.centre(cell)[1]).collect();
    /// assert!((grid.interpolate(&values, [0.9, 0.3]) - 1.5).abs() < 1e-14);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn interpolate(&self, values: &[f64], at: impl Into<Point<D>>) -> f64 {
        let around = self.shares(at);
        around.into_iter().map(|(cell, share)| share * values[cell]).sum()
    }

    /// The 2^D cells around a point with their shares in its multilinear interpolation.
    pub fn shares(&self, at: impl Into<Point<D>>) -> Vec<(usize, f64)> {
        let at = at.into();
        let (mut low, mut weight) = ([0; D], [0.0; D]);
        for (d, axis) in self.axes().iter().enumerate() {
            if axis.cells() > 1 {
                let right = axis
                    .centres()
                    .partition_point(|&c| c < at[d])
                    .clamp(1, axis.cells() - 1);
                low[d] = right - 1;
                weight[d] = (at[d] - axis.centre(right - 1)) / (axis.centre(right) - axis.centre(right - 1));
            }
        }
        (0..1_usize << D)
            .map(|corner| {
                let (mut cell, mut share) = (0, 1.0);
                for (d, axis) in self.axes().iter().enumerate() {
                    let upper = corner >> d & 1;
                    cell = cell * axis.cells() + (low[d] + upper).min(axis.cells() - 1);
                    share *= if upper == 1 { weight[d] } else { 1.0 - weight[d] };
                }
                (cell, share)
            })
            .collect()
    }

    /// Value at a point of a function known at cell centres that is smooth between `breaks`: sixth order.
    ///
    /// # Method
    /// Along each axis the polynomial through the six nearest centres (fewer where there are no six) on the point's side of the breaks, which are
    /// positions on that axis; the mean of both sides for a point on a break. Fewer centres, 4, 2 or 1, where one of them is not `usable`, or
    /// where a function that is nowhere negative would become so. Multilinear, as [`Grid::interpolate`], where not even one is.
    ///
    /// # Examples
    /// ```
    /// use freezeout::grid::{Axis, Grid};
    /// let grid = Grid::new([Axis::uniform(-1.0, 1.0, 20)?]);
    /// let values: Vec<f64> = (0..20).map(|cell| grid.centre(cell)[0].abs().exp()).collect();
    /// let value = grid.interpolate_between(&values, [0.02], &[vec![0.0]], |_| true);
    /// assert!((value - 0.02_f64.exp()).abs() < 1e-6);
    /// // across the kink
    /// assert!((grid.interpolate_between(&values, [0.02], &[vec![]], |_| true) - 0.02_f64.exp()).abs() > 1e-3);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn interpolate_between(
        &self,
        values: &[f64],
        at: impl Into<Point<D>>,
        breaks: &[Vec<f64>; D],
        usable: impl Fn(usize) -> bool,
    ) -> f64 {
        const POINTS: [usize; 4] = [6, 4, 2, 1];
        let at = at.into();
        let on_break = |d: usize| breaks[d].contains(&at[d]);
        for points in POINTS {
            // from below or above along the axes on whose breaks the point lies
            let sides = (0..1_usize << D).filter(|side| (0..D).all(|d| side >> d & 1 == 0 || on_break(d)));
            let found: Vec<f64> = sides
                .filter_map(|side| {
                    let mut product = vec![(0, 1.0)];
                    for (d, axis) in self.axes().iter().enumerate() {
                        let weights = weights(axis, at[d], &breaks[d], side >> d & 1 == 1, points);
                        let further = product.iter().flat_map(|(cell, share)| {
                            let of = move |(i, w): &(usize, f64)| (cell * axis.cells() + i, share * w);
                            weights.iter().map(of).collect::<Vec<_>>()
                        });
                        product = further.collect();
                    }
                    let mut known = product.iter().filter(|(cell, _)| usable(*cell)).count() == product.len();
                    let value: f64 = product.iter().map(|(cell, share)| share * values[*cell]).sum();
                    known &= !(value < 0.0 && product.iter().all(|(cell, _)| values[*cell] >= 0.0));
                    known.then_some(value)
                })
                .collect();
            if !found.is_empty() {
                return found.iter().sum::<f64>() / found.len() as f64;
            }
        }
        self.interpolate(values, at)
    }

    /// Cells around a point with positive shares of a probability that begins there: quadratic B-splines in the cells' numbers.
    ///
    /// # Method
    /// Up to three cells along each axis. Their spread is a quarter of a squared cell wherever the point lies in its cell, so that the error is of
    /// second order with a factor that is the same on finer grids. Shares beyond an end are those of the outermost cell.
    ///
    /// # Examples
    /// ```
    /// use freezeout::grid::{Axis, Grid};
    /// let grid = Grid::new([Axis::uniform(0.0, 8.0, 8)?]);
    /// let mean = |at: f64| grid.spread([at]).iter().map(|(cell, share)| share * grid.centre(*cell)[0]).sum::<f64>();
    /// assert!((mean(3.3) - 3.3).abs() < 1e-14 && grid.spread([3.3]).iter().all(|(_, share)| *share > 0.0));
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn spread(&self, at: impl Into<Point<D>>) -> Vec<(usize, f64)> {
        let at = at.into();
        let mut product = vec![(0, 1.0)];
        for (d, axis) in self.axes().iter().enumerate() {
            let last = axis.cells() - 1;
            let own = axis.faces().partition_point(|f| *f <= at[d]).clamp(1, last + 1) - 1;
            let s = (at[d] - axis.centre(own)) / axis.width(own);
            let shares = [
                (own.saturating_sub(1), 0.5 * (s - 0.5).powi(2)),
                (own, 0.75 - s * s),
                ((own + 1).min(last), 0.5 * (s + 0.5).powi(2)),
            ];
            let further = product
                .iter()
                .flat_map(|(cell, share)| shares.map(|(i, w)| (cell * axis.cells() + i, share * w)));
            product = further.collect();
        }
        product
    }

    /// The cell of `coarse` that a cell of this grid is a part of, when every cell was halved along every axis.
    pub fn parent(&self, coarse: &Self, cell: usize) -> usize {
        let halved = self.indices(cell).map(|i| i / 2);
        (0..D).fold(0, |parent, d| parent * coarse.axes()[d].cells() + halved[d])
    }
}

/// Cells and weights of the polynomial through up to `points` centres of the axis on one side of the breaks.
fn weights(axis: &Axis, at: f64, breaks: &[f64], below: bool, points: usize) -> Vec<(usize, f64)> {
    let centres = axis.centres();
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    for b in breaks {
        if *b < at || (*b == at && !below) {
            low = low.max(*b);
        } else {
            high = high.min(*b);
        }
    }
    let mut first = centres.partition_point(|c| *c < low);
    let mut end = centres.partition_point(|c| *c < high);
    if first >= end {
        // no centre between two breaks
        (first, end) = (0, centres.len());
    }
    let count = points.min(end - first);
    let next = centres.partition_point(|c| *c < at);
    let start = match count {
        1 => {
            let nearer = next > 0 && (next == centres.len() || at - centres[next - 1] < centres[next] - at);
            next - usize::from(nearer)
        }
        _ => next.saturating_sub(count / 2),
    };
    let start = start.clamp(first, end - count);
    let nodes = start..start + count;
    nodes
        .clone()
        .map(|i| {
            let others = nodes.clone().filter(|j| *j != i);
            let factor = |j: usize| (at - centres[j]) / (centres[i] - centres[j]);
            (i, others.map(factor).product())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error falls like h⁶ between breaks, in two dimensions, wherever the point lies in its cell.
    #[test]
    fn sixth_order_between_breaks() {
        let smooth =
            |p: &Point<2>| (1.3 * p[0] + 0.2).sin() * (0.7 * p[1]).exp() + if p[0] > 0.5 { 1.0 } else { 0.0 };
        let breaks = [vec![0.5], vec![]];
        for at in [[0.53, 0.11], [0.5, 0.9], [0.02, 0.99]] {
            let exact = match at[0] {
                0.5 => smooth(&at.into()) + 0.5,
                _ => smooth(&at.into()),
            };
            let error = |cells: usize| {
                let axis = Axis::uniform(0.0, 1.0, cells).unwrap();
                let grid = Grid::new([axis.clone(), axis]);
                let values: Vec<f64> = (0..grid.cells()).map(|i| smooth(&grid.centre(i))).collect();
                (grid.interpolate_between(&values, at, &breaks, |_| true) - exact).abs()
            };
            assert!(error(80) < 2e-10, "{at:?} {:e}", error(80));
            assert!(error(20) < 1e-5, "{at:?} {:e}", error(20));
        }
    }

    #[test]
    fn neither_unusable_cells_nor_negative_times() {
        let grid = Grid::new([Axis::uniform(0.0, 1.0, 10).unwrap()]);
        let mut values: Vec<f64> = grid.axes()[0].centres().to_vec();
        values[7..].fill(f64::NAN);
        let value = grid.interpolate_between(&values, [0.62], &[vec![]], |cell| cell < 7);
        assert!((value - 0.62).abs() < 1e-14);
        // a front that no polynomial resolves
        let front: Vec<f64> = (0..10).map(|i| if i < 5 { 1.0 } else { 1e-9 }).collect();
        assert!(grid.interpolate_between(&front, [0.62], &[vec![]], |_| true) > 0.0);
    }

    #[test]
    fn the_spread_of_a_point_does_not_depend_on_its_place_in_a_cell() {
        let grid = Grid::new([Axis::uniform(0.0, 8.0, 8).unwrap()]);
        for at in [3.0, 3.2, 3.5, 3.77, 3.999] {
            let shares = grid.spread([at]);
            let moment = |k: i32| -> f64 {
                let of = |(cell, share): &(usize, f64)| share * (grid.centre(*cell)[0] - at).powi(k);
                shares.iter().map(of).sum()
            };
            assert!((moment(0) - 1.0).abs() < 1e-14 && moment(1).abs() < 1e-14);
            assert!((moment(2) - 0.25).abs() < 1e-14, "{at} {}", moment(2));
        }
    }
}
