//! The fast coordinate in units of the distance between the valleys: u = x/s(y), s = x1*(y).
//!
//! ```text
//! du = (b(x)/s − u d(ln s)/dt) dt + sqrt(2 D(x)/s²) dW,   x = s u
//! ```
//!
//! In u both minima and the points half-way to the ridge stand still, so that a fixed grid has faces on them.

use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::grid::{Axis, Grid};
use crate::landscape::{Kink, Landscape, Side, TwoValley};
use crate::math::{Point, Tensor};

/// Slices sampled to find how wide and how fine the grid must be.
const SAMPLES: usize = 60;
/// Half-widths of the grid beyond the minima, in standard deviations of each valley.
const TAIL: f64 = 9.0;
/// Cells outside the minima grow with the distance d as d/(GROWTH · cells per deviation): mass at d = 6 standard
/// deviations sees the nominal resolution.
const GROWTH: f64 = 6.0;
/// Smallest s in standard deviations: at smaller y the two valleys are one, and s stays constant.
const SMALLEST_SCALE: f64 = 0.05;

/// Scale s(y) and the grid in u for a range of y.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MovingFrame {
    model: TwoValley,
    smallest: f64,
    pub grid: Grid<1>,
    /// First cell beyond the half-way point of the sharp side, the ridge, and the half-way point of the flat side.
    pub sharp_half: usize,
    pub ridge: usize,
    pub flat_half: usize,
}

/// The slice diffusion in the coordinate u.
pub(super) struct InFrame<S> {
    pub slice: S,
    pub scale: f64,
    /// d(ln s)/dt.
    pub expansion: f64,
}

impl<S: Diffusion<1>> Diffusion<1> for InFrame<S> {
    fn drift(&self, u: &Point<1>) -> Point<1> {
        self.slice.drift(&(u * self.scale)) / self.scale - u * self.expansion
    }
    fn tensor(&self, u: &Point<1>) -> Tensor<1> {
        self.slice.tensor(&(u * self.scale)) / (self.scale * self.scale)
    }
    fn kinks(&self) -> Vec<Kink> {
        self.slice
            .kinks()
            .into_iter()
            .map(|k| Kink {
                position: k.position / self.scale,
                ..k
            })
            .collect()
    }
}

impl MovingFrame {
    /// Frame for y in [y0, y1] with `resolution` cells a standard deviation, for runs that start at |x| ≤ `farthest`.
    pub fn new<S: Diffusion<1>>(
        model: &TwoValley,
        slice: &impl Fn(f64) -> Result<S>,
        y0: f64,
        y1: f64,
        farthest: f64,
        resolution: f64,
    ) -> Result<Self> {
        // Smallest and largest standard deviation of a valley in units of s, and the position of the sharp minimum.
        let (mut narrow, mut wide, mut sharp) = (f64::INFINITY, 0.0f64, -1.0f64);
        let (mut smallest, mut reach) = (0.0f64, 0.0f64);
        for k in 0..=SAMPLES {
            let y = y0 + (y1 - y0) * (k as f64 / SAMPLES as f64).powi(2);
            let diffusion = slice(y)?;
            let deviation = |side: Side| {
                let d = diffusion.tensor(&Point::<1>::new(model.minimum(side, y)))[0];
                (0.5 * d * model.flatness(side, y)).sqrt()
            };
            let (a, b) = (deviation(Side::Flat), deviation(Side::Sharp));
            if !(a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite()) {
                return Err(Error::NotPositive {
                    name: "diffusion tensor".into(),
                    position: format!("the valley floor at y = {y}"),
                    eigenvalues: format!("standard deviations {a:e}, {b:e}"),
                });
            }
            if k == 0 {
                smallest = SMALLEST_SCALE * a.max(b);
            }
            let flat = model.minimum(Side::Flat, y);
            let scale = flat.max(smallest);
            if flat >= smallest {
                sharp = model.minimum(Side::Sharp, y) / flat;
            }
            narrow = narrow.min(a.min(b) / scale);
            wide = wide.max(a.max(b) / scale);
            if k == 0 {
                reach = farthest / scale;
            }
        }
        let faces = faces(
            sharp,
            narrow / resolution,
            reach + TAIL * wide,
            GROWTH * resolution,
        );
        let index = |position: f64| faces.partition_point(|&f| f < position - 1e-12);
        let (sharp_half, ridge, flat_half) = (index(0.5 * sharp), index(0.0), index(0.5));
        Ok(Self {
            model: *model,
            smallest,
            grid: Grid::new([Axis::from_faces(faces)?]),
            sharp_half,
            ridge,
            flat_half,
        })
    }

    /// s(y).
    pub fn scale(&self, y: f64) -> f64 {
        self.model.minimum(Side::Flat, y).max(self.smallest)
    }

    /// d(ln s)/dy: the minimum moves with dx*/dy = −L_xy/L_xx.
    fn growth(&self, y: f64) -> f64 {
        let minimum = self.model.minimum(Side::Flat, y);
        if minimum < self.smallest {
            return 0.0;
        }
        let hessian = self.model.hessian(&Point::<2>::new(minimum, y));
        -hessian[(0, 1)] / (hessian[(0, 0)] * minimum)
    }

    /// The larger of x1*(y) and the standard deviation of the flat valley.
    pub fn valley_width(&self, diffusion: &impl Diffusion<2>, y: f64) -> f64 {
        let minimum = self.model.minimum(Side::Flat, y);
        let d = diffusion.tensor(&Point::<2>::new(minimum, y))[(0, 0)];
        minimum.max((0.5 * d * self.model.flatness(Side::Flat, y)).sqrt())
    }

    /// The slice at y in the frame, with y moving at speed `velocity`.
    pub fn diffusion<S>(&self, slice: S, y: f64, velocity: f64) -> InFrame<S> {
        InFrame {
            slice,
            scale: self.scale(y),
            expansion: self.growth(y) * velocity,
        }
    }

    /// Cell probabilities of point masses (x, probability) at y: each is shared by the two nearest centres on
    /// its side of the ridge so that its mean is exact.
    pub fn point_masses(&self, y: f64, points: &[(f64, f64)]) -> Vec<f64> {
        let axis = &self.grid.axes()[0];
        let mut p = vec![0.0; axis.cells()];
        for &(x, mass) in points {
            let u = x / self.scale(y);
            let (first, last) = if u < 0.0 {
                (0, self.ridge - 1)
            } else {
                (self.ridge, axis.cells() - 1)
            };
            let right = axis.centres().partition_point(|&c| c < u).clamp(first + 1, last);
            let (a, b) = (axis.centre(right - 1), axis.centre(right));
            let weight = ((u - a) / (b - a)).clamp(0.0, 1.0);
            p[right - 1] += mass * (1.0 - weight);
            p[right] += mass * weight;
        }
        p
    }
}

/// Faces on −|sharp|, sharp/2, 0, 1/2 and 1 with spacing `h` between the minima, growing outside over `reach`.
fn faces(sharp: f64, h: f64, reach: f64, growth: f64) -> Vec<f64> {
    let stops = [sharp, 0.5 * sharp, 0.0, 0.5, 1.0];
    let outside = growth * (1.0 + reach / (growth * h)).ln();
    let count = outside.ceil() as usize;
    let distance = |k: usize| growth * h * ((k as f64 / growth).exp() - 1.0);
    let mut faces: Vec<f64> = (1..=count).rev().map(|k| sharp - distance(k)).collect();
    for pair in stops.windows(2) {
        let cells = ((pair[1] - pair[0]) / h).ceil().max(2.0) as usize;
        faces.extend((0..cells).map(|k| pair[0] + (pair[1] - pair[0]) * (k as f64 / cells as f64)));
    }
    faces.push(1.0);
    faces.extend((1..=count).map(|k| 1.0 + distance(k)));
    faces
}
