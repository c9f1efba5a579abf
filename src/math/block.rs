//! Points side by side, for loops that the compiler vectorises.

use super::{Point, Tensor};

/// Points of a block.
pub const LANES: usize = 64;

/// One number for each point of a block.
pub type Lanes = [f64; LANES];

/// Points of D coordinates in structure-of-arrays form; some of them may be of no interest.
///
/// What is computed for a block may leave anything in the lanes that are not active, and must not be misled by what stands there.
///
/// # Examples
/// ```
/// use freezeout::math::{Point, PointBlock};
/// let mut block = PointBlock::<2>::idle();
/// block.set(3, &Point::<2>::new(1.0, 2.0));
/// assert_eq!((block.lanes().collect::<Vec<_>>(), block.coordinates()[1][3]), (vec![3], 2.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PointBlock<const D: usize> {
    coordinates: [Lanes; D],
    /// All bits of the active lanes, as masks.
    active: [u64; LANES],
}

impl<const D: usize> PointBlock<D> {
    /// The origin in every lane, none of them active.
    pub fn idle() -> Self {
        Self {
            coordinates: [[0.0; LANES]; D],
            active: [0; LANES],
        }
    }

    /// The points themselves, at most [`LANES`] of them, in the first lanes; the others hold copies of the last.
    pub fn of(points: &[Point<D>]) -> Self {
        let mut block = Self::idle();
        for lane in 0..LANES {
            if let Some(point) = points.get(lane) {
                block.set(lane, point);
            } else if let Some(last) = points.last() {
                block.set(lane, last);
                block.rest(lane);
            }
        }
        block
    }

    /// Puts a point into a lane and makes it active.
    pub fn set(&mut self, lane: usize, point: &Point<D>) {
        for (coordinate, value) in self.coordinates.iter_mut().zip(point.iter()) {
            coordinate[lane] = *value;
        }
        self.active[lane] = u64::MAX;
    }

    /// Makes a lane inactive; its point stays.
    pub fn rest(&mut self, lane: usize) {
        self.active[lane] = 0;
    }

    /// The point of a lane.
    #[inline(always)]
    pub fn point(&self, lane: usize) -> Point<D> {
        Point::<D>::from_fn(|d, _| self.coordinates[d][lane])
    }

    /// The same points moved by one vector.
    pub fn displaced(&self, by: &Point<D>) -> Self {
        let mut moved = self.clone();
        for (coordinate, shift) in moved.coordinates.iter_mut().zip(by.iter()) {
            coordinate.iter_mut().for_each(|x| *x += shift);
        }
        moved
    }

    /// Each coordinate of all lanes.
    #[inline(always)]
    pub fn coordinates(&self) -> &[Lanes; D] {
        &self.coordinates
    }

    /// Whether a lane is active.
    #[inline(always)]
    pub fn is_active(&self, lane: usize) -> bool {
        self.active[lane] != 0
    }

    /// The active lanes in ascending order.
    pub fn lanes(&self) -> impl Iterator<Item = usize> + '_ {
        (0..LANES).filter(|&lane| self.is_active(lane))
    }

    /// Writes a function of the active points, component by component.
    #[inline(always)]
    pub fn write(&self, result: &mut [Lanes; D], f: impl Fn(&Point<D>) -> Point<D>) {
        for lane in self.lanes() {
            let value = f(&self.point(lane));
            for d in 0..D {
                result[d][lane] = value[d];
            }
        }
    }

    /// Writes a function of the active points, row by row.
    #[inline(always)]
    pub fn write_matrix(&self, result: &mut [[Lanes; D]; D], f: impl Fn(&Point<D>) -> Tensor<D>) {
        for lane in self.lanes() {
            let value = f(&self.point(lane));
            for r in 0..D {
                for c in 0..D {
                    result[r][c][lane] = value[(r, c)];
                }
            }
        }
    }

    /// Moves the points of the active lanes to `coordinates`.
    #[inline(always)]
    pub(crate) fn advance(&mut self, coordinates: &[Lanes; D]) {
        for (here, there) in self.coordinates.iter_mut().zip(coordinates) {
            for lane in 0..LANES {
                let goes = self.active[lane] != 0;
                here[lane] = if goes { there[lane] } else { here[lane] };
            }
        }
    }

    /// Other points in the same lanes.
    #[inline(always)]
    pub(crate) fn coordinates_mut(&mut self) -> &mut [Lanes; D] {
        &mut self.coordinates
    }
}
