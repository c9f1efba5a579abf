//! The coordinate in which the cells of one axis are equal.
//!
//! ```text
//! t(x) = N ∫ ρ dx / ∫ ρ over the axis + gradings,    v(t) the smoothest curve with v(t_k) = n_k,    faces at v = 0, 1, 2, …
//! ```
//!
//! ρ is what the concentrations want, x_k are the positions that need a face and n_k whole numbers near t(x_k). Widths then vary smoothly
//! (four continuous derivatives of v) from coarse to fine grids, which have their faces at v = 0, 1/m, 2/m, ….

use super::Axis;
use crate::error::{Result, require, require_finite};
use crate::math::NaturalQuintic;

/// Cells that the positions of two faces, or a position and an end of the axis, have at least between them on the coarsest grid.
const FEWEST: usize = 2;
/// Bounds of v′, and of the change of ln v′ in a cell, within which widths are said to vary smoothly.
const STRETCH: f64 = 2.0;
const GROWTH: f64 = 0.5;
/// Strength of a grading: neighbouring cells differ in width by at most its inverse.
const GRADING: f64 = 2.0;

/// Further cells around a place, 1/y away from it: asinh(y/inner) − asinh(y/outer) times [`GRADING`], y the distance.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Grading {
    at: f64,
    inner: f64,
    outer: f64,
}

/// u(x) whose equal steps are the cells of one axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mapping {
    lower: f64,
    upper: f64,
    is_periodic: bool,
    /// (factor − 1, at, width)
    peaks: Vec<(f64, f64, f64)>,
    /// ∫ ρ over the axis.
    total: f64,
    gradings: Vec<Grading>,
    /// Number of coarsest cells wanted, without those of gradings.
    wanted: f64,
    /// Positions with their faces on the coarsest grid, ends included.
    stops: Vec<(f64, usize)>,
    /// v(t); none where v = t.
    curve: Option<NaturalQuintic>,
    is_smooth: bool,
}

impl Mapping {
    /// About `cells` cells between the bounds with faces on `positions`, smaller near the `peaks` (factor − 1, at, width).
    pub fn new(
        [lower, upper]: [f64; 2],
        cells: usize,
        is_periodic: bool,
        peaks: Vec<(f64, f64, f64)>,
        positions: impl Iterator<Item = f64>,
    ) -> Result<Self> {
        require_finite("lower bound of the axis", lower)?;
        let above = "it must exceed the lower bound";
        require("upper bound of the axis", upper, |u| u > lower, above)?;
        require("cells", cells as f64, |n| n >= 1.0, "at least one cell is needed")?;
        for (_, at, _) in &peaks {
            let inside = |at| at >= lower && at <= upper;
            require("at", *at, inside, "it must lie in the domain").map_err(|e| e.at("concentrate"))?;
        }
        let mut mapping = Self {
            lower,
            upper,
            is_periodic,
            peaks,
            total: 1.0,
            gradings: Vec::new(),
            wanted: cells as f64,
            stops: vec![(lower, 0), (upper, cells)],
            curve: None,
            is_smooth: true,
        };
        mapping.total = mapping.concentrated(upper).0;
        // a position nearer than a millionth of a cell to another is that one
        const SAME: f64 = 1e-6;
        let mut inside: Vec<f64> = Vec::new();
        for x in positions.filter(|x| *x > lower && *x < upper) {
            let t = mapping.smooth(x).0;
            let near = |other: &f64| (mapping.smooth(*other).0 - t).abs() <= SAME;
            if !inside.iter().chain([&lower, &upper]).any(near) {
                inside.push(x);
            }
        }
        inside.sort_by(f64::total_cmp);
        if !inside.is_empty() {
            mapping.meet(&inside);
        }
        Ok(mapping)
    }

    /// Number of cells of the coarsest grid.
    pub fn cells(&self) -> usize {
        self.stops[self.stops.len() - 1].1
    }

    /// Whether widths vary smoothly: not where positions crowd so that no smooth coordinate was found.
    pub fn is_smooth(&self) -> bool {
        self.is_smooth
    }

    /// The axis with every coarsest cell cut into `parts`.
    pub fn axis(&self, parts: usize) -> Result<Axis> {
        let mut faces = vec![self.lower];
        for pair in self.stops.windows(2) {
            let ((start, first), (stop, last)) = (pair[0], pair[1]);
            let count = (last - first) * parts;
            let is_even = !self.is_smooth || (self.curve.is_none() && self.is_plain());
            let mut before = start;
            for k in 1..count {
                before = if is_even {
                    start + (stop - start) * (k as f64 / count as f64)
                } else {
                    self.position(first as f64 + k as f64 / parts as f64, before, stop)
                };
                faces.push(before);
            }
            faces.push(stop);
        }
        Axis::from_faces(faces)
    }

    fn is_plain(&self) -> bool {
        self.peaks.is_empty() && self.gradings.is_empty()
    }

    /// ∫ ρ from the lower end, and ρ.
    fn concentrated(&self, x: f64) -> (f64, f64) {
        let mut sum = (x - self.lower, 1.0);
        for (excess, at, width) in &self.peaks {
            let y = (x - at) / width;
            sum.0 += excess * width * (y.atan() - ((self.lower - at) / width).atan());
            sum.1 += excess / (1.0 + y * y);
        }
        sum
    }

    /// t(x), in coarsest cells, and dt/dx.
    fn smooth(&self, x: f64) -> (f64, f64) {
        let (sum, density) = self.concentrated(x);
        let mut t = (
            self.wanted * (sum / self.total),
            self.wanted * density / self.total,
        );
        for grading in &self.gradings {
            let of = |x: f64| {
                let y = x - grading.at;
                GRADING * ((y / grading.inner).asinh() - (y / grading.outer).asinh())
            };
            let y = x - grading.at;
            t.0 += of(x) - of(self.lower);
            t.1 += GRADING * (1.0 / y.hypot(grading.inner) - 1.0 / y.hypot(grading.outer));
        }
        t
    }

    /// v(x), in coarsest cells, and dv/dx.
    fn coordinate(&self, x: f64) -> (f64, f64) {
        let (t, density) = self.smooth(x);
        match &self.curve {
            Some(curve) => {
                let (v, slope) = curve.at(t);
                (v, slope * density)
            }
            None => (t, density),
        }
    }

    /// x between `low` and `high` with v(x) = `v`: Newton's iteration, bisection where it leaves the bracket.
    fn position(&self, v: f64, mut low: f64, mut high: f64) -> f64 {
        let mut x = low;
        loop {
            let (value, slope) = self.coordinate(x);
            if value < v {
                low = x
            } else {
                high = x
            }
            let step = (v - value) / slope;
            let mut next = x + step;
            if !(next > low && next < high) {
                next = 0.5 * (low + high);
                if next <= low || next >= high {
                    return next;
                }
            }
            // two units in the last digit
            if (next - x).abs() <= 2.0 * f64::EPSILON * x.abs().max(next.abs()) {
                return next;
            }
            x = next;
        }
    }

    /// Finds whole numbers for the positions and the curve through them.
    fn meet(&mut self, positions: &[f64]) {
        // more cells make the shifts to whole numbers smaller
        const ROUNDS: usize = 6;
        let wanted = self.wanted;
        for round in 0..ROUNDS {
            self.wanted = (wanted * (1.0 + 0.15 * round as f64)).round();
            self.gradings.clear();
            for _ in 0..=positions.len() {
                let crowded = self.crowded(positions);
                if crowded.is_empty() {
                    break;
                }
                self.gradings.extend(crowded);
            }
            if self.fit(positions) {
                return;
            }
        }
        // no smooth coordinate: equal cells between positions
        self.wanted = wanted;
        self.gradings.clear();
        self.is_smooth = false;
        self.curve = None;
        let mut stops = vec![(self.lower, 0)];
        let mut taken = 0;
        for x in positions.iter().copied().chain([self.upper]) {
            let start = stops[stops.len() - 1].0;
            let share = self.smooth(x).0 - self.smooth(start).0;
            taken += (share.round() as usize).max(FEWEST);
            stops.push((x, taken));
        }
        self.stops = stops;
    }

    /// Gradings for the intervals that have too few cells.
    fn crowded(&self, positions: &[f64]) -> Vec<Grading> {
        let mut start = self.lower;
        let mut gradings = Vec::new();
        for x in positions.iter().copied().chain([self.upper]) {
            let cells = self.smooth(x).0 - self.smooth(start).0;
            if cells < FEWEST as f64 {
                let at = 0.5 * (start + x);
                let (_, density) = self.smooth(at);
                gradings.push(Grading {
                    at,
                    inner: x - start,
                    // beyond, the grading adds less than there is
                    outer: (4.0 * GRADING / density).max(2.0 * (x - start)),
                });
            }
            start = x;
        }
        gradings
    }

    /// Chooses the whole numbers that bend the coordinate least; false when none leaves it smooth.
    fn fit(&mut self, positions: &[f64]) -> bool {
        // up to this many positions every rounding up and down is tried
        const ALL: usize = 5;
        // cost below which nothing better is looked for: with thousands of cells every choice bends little
        const STRAIGHT_ENOUGH: f64 = 1e-3;
        let t: Vec<f64> = positions.iter().map(|x| self.smooth(*x).0).collect();
        let total = self.smooth(self.upper).0;
        let fewest = total.round().max(1.0) as usize;
        let mut best: Option<(f64, usize, Vec<usize>, Option<NaturalQuintic>)> = None;
        for cells in fewest..=fewest + fewest.div_ceil(16).max(2) {
            if best.as_ref().is_some_and(|(least, ..)| *least < STRAIGHT_ENOUGH) {
                break;
            }
            let scale = cells as f64 / total;
            let choices = if t.len() <= ALL { 1_usize << t.len() } else { 1 };
            for choice in 0..choices {
                let numbers: Vec<usize> = (t.iter().enumerate())
                    .map(|(k, t)| match choices {
                        1 => (scale * t).round() as usize,
                        _ => (scale * t).floor() as usize + (choice >> k & 1),
                    })
                    .collect();
                let mut before = 0;
                let apart = numbers.iter().chain([&cells]).all(|n| {
                    let enough = *n >= before + FEWEST;
                    before = *n;
                    enough
                });
                if !apart {
                    continue;
                }
                let Some((curve, bend)) = self.curve_through(&t, &numbers, total, cells) else {
                    continue;
                };
                // a hundredth more cells is worth a hundredth less bend
                let cost = bend + (cells as f64 / total - 1.0).abs();
                if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                    best = Some((cost, cells, numbers, curve));
                }
            }
        }
        let Some((_, cells, numbers, curve)) = best else {
            return false;
        };
        let inner = positions.iter().copied().zip(numbers);
        self.stops = std::iter::once((self.lower, 0))
            .chain(inner)
            .chain([(self.upper, cells)])
            .collect();
        self.curve = curve;
        true
    }

    /// The curve v(t) with its largest |ln v′|; none unless it is smooth.
    fn curve_through(
        &self,
        t: &[f64],
        numbers: &[usize],
        total: f64,
        cells: usize,
    ) -> Option<(Option<NaturalQuintic>, f64)> {
        // rounding of the positions
        const STRAIGHT: f64 = 1e-11;
        let inner = t.iter().zip(numbers).map(|(t, n)| (*t, *n as f64));
        let straight = inner.clone().all(|(t, n)| (t - n).abs() <= STRAIGHT * total)
            && (cells as f64 - total).abs() <= STRAIGHT * total;
        if straight {
            return Some((None, 0.0));
        }
        let curve = if self.is_periodic {
            // v − t is periodic on a circle of v: t is scaled to the number of cells first
            let scale = cells as f64 / total;
            let points: Vec<(f64, f64)> = std::iter::once((0.0, 0.0))
                .chain(inner.map(|(t, n)| (t * scale, n)))
                .collect();
            NaturalQuintic::around(&points, cells as f64)?.stretched(scale)
        } else {
            let points: Vec<(f64, f64)> = std::iter::once((0.0, 0.0))
                .chain(inner)
                .chain([(total, cells as f64)])
                .collect();
            NaturalQuintic::through(&points)?
        };
        let steps = 4 * cells;
        let mut bend = 0.0_f64;
        let mut before: Option<f64> = None;
        for k in 0..=steps {
            let slope = curve.at(total * k as f64 / steps as f64).1;
            if !(1.0 / STRETCH..=STRETCH).contains(&slope) {
                return None;
            }
            let logarithm = slope.ln();
            // four samples a cell
            if before.is_some_and(|b: f64| 4.0 * (logarithm - b).abs() > GROWTH) {
                return None;
            }
            bend = bend.max(logarithm.abs());
            before = Some(logarithm);
        }
        Some((Some(curve), bend))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(bounds: [f64; 2], cells: usize, positions: &[f64]) -> Mapping {
        Mapping::new(bounds, cells, false, Vec::new(), positions.iter().copied()).unwrap()
    }

    /// Largest change of the width from one cell to the next, relative.
    fn roughness(axis: &Axis) -> f64 {
        let widths: Vec<f64> = (0..axis.cells()).map(|i| axis.width(i)).collect();
        widths
            .windows(2)
            .map(|w| (w[1] / w[0] - 1.0).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn widths_vary_smoothly_and_faces_stand_where_wanted() {
        for positions in [
            vec![0.31],
            vec![-0.4, 0.313],
            vec![-0.9, 0.3, 0.35, 0.97],
            vec![0.3, 0.301],
            vec![0.999],
            vec![-0.98, 0.1, 0.15, 0.2, 0.25],
            (1..9).map(|k| -1.0 + 0.217 * f64::from(k)).collect(),
        ] {
            let mapping = mapping([-1.0, 1.0], 30, &positions);
            assert!(mapping.is_smooth(), "{positions:?}");
            assert!(mapping.cells() <= 90, "{positions:?} {}", mapping.cells());
            let rough = [1, 2, 4, 8].map(|parts| {
                let axis = mapping.axis(parts).unwrap();
                assert_eq!(axis.cells(), parts * mapping.cells());
                for x in &positions {
                    assert!(axis.has_face(*x), "{x} {parts}");
                }
                roughness(&axis)
            });
            // the change of the width in a cell is of first order in the cell: it halves with it
            assert!(rough[0] < 0.8, "{positions:?} {rough:?}");
            assert!(rough[3] < 0.7 * rough[2] + 1e-10, "{positions:?} {rough:?}");
        }
    }

    #[test]
    fn equal_cells_stay_equal() {
        // nothing wanted, or faces that equal cells have anyway
        for (cells, positions) in [(28, vec![]), (28, vec![2.0]), (35, vec![]), (32, vec![-2.0, 0.5])] {
            let mapping = mapping([-4.0, 4.0], cells, &positions);
            assert_eq!(mapping.cells(), cells);
            for parts in 1..=4 {
                assert!(roughness(&mapping.axis(parts).unwrap()) < 1e-13);
            }
        }
    }

    #[test]
    fn a_circle_has_no_seam() {
        let mapping = Mapping::new([0.0, 1.0], 24, true, Vec::new(), [0.3, 0.55].into_iter()).unwrap();
        let axis = mapping.axis(4).unwrap();
        let last = axis.cells() - 1;
        let seam = (axis.width(0) / axis.width(last) - 1.0).abs();
        assert!(mapping.is_smooth() && axis.has_face(0.3) && axis.has_face(0.55));
        assert!(seam < 1.1 * roughness(&axis), "{seam}");
    }

    #[test]
    fn crowds_without_a_smooth_coordinate_say_so() {
        // as many positions as cells, at random distances
        let positions: Vec<f64> = (1..60)
            .map(|k| (f64::from(k) * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0)
            .map(|x| x * x * x)
            .collect();
        let mapping = mapping([-1.0, 1.0], 10, &positions);
        let axis = mapping.axis(2).unwrap();
        assert!(positions.iter().all(|x| axis.has_face(*x)));
        assert!(!mapping.is_smooth());
    }
}
