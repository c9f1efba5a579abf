//! Coordinates that follow the density in the plane: u = x/s(Y), z = y − Y(t) − φ(x, Y).
//!
//! ```text
//! φ_x = T(|x|/ℓ) D_xy/D_xx at y = Y,  T(ξ) = 1 − e^{−ξ²}
//! dz  = (b_y − dY/dt − ∂φ/∂t − φ_x b_x − φ_xx D_xx) dt + noise,
//! D_zz = (D_xy/D_xx − φ_x)² D_xx + det D/D_xx,   D_xz = D_xy − φ_x D_xx
//! ```
//!
//! Noise of rank one kicks along a line; lines of constant z are these lines, so that in the valleys D_zz and D_xz vanish up to
//! the change of direction across the spread of y. T lets φ_x vanish on the ridge, where the direction jumps.

use super::moving_frame::{InFrame, MovingFrame};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::landscape::Kink;
use crate::math::{Chebyshev, Point, Tensor};
use rayon::prelude::*;

/// Treatment of D_xy and D_yy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrossNoise {
    /// Both kept, in coordinates along the direction of the noise.
    #[default]
    Sheared,
    /// D_yy kept, D_xy left out: y diffuses on its own.
    Neglected,
    /// Both left out: y follows the drift alone.
    SlowNoiseless,
}

/// Chebyshev nodes across the window of z.
pub(super) const NODES: usize = 5;

/// The motion of x on the line y(x) as a one-dimensional diffusion.
pub(super) struct Line<'a, D, Y> {
    pub diffusion: &'a D,
    pub y: Y,
}

impl<D: Diffusion<2>, Y: Fn(f64) -> f64 + Sync> Diffusion<1> for Line<'_, D, Y> {
    fn drift(&self, x: &Point<1>) -> Point<1> {
        Point::<1>::new(self.diffusion.drift(&Point::<2>::new(x[0], (self.y)(x[0])))[0])
    }
    fn tensor(&self, x: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.diffusion.tensor(&Point::<2>::new(x[0], (self.y)(x[0])))[(0, 0)])
    }
    fn kinks(&self) -> Vec<Kink> {
        let kinks = self.diffusion.kinks().into_iter();
        kinks.filter(|k| k.axis == 0).collect()
    }
}

/// φ and φ_x on the faces of an axis; φ_x is linear in each cell.
pub(super) struct Shear {
    faces: Vec<f64>,
    slope: Vec<f64>,
    value: Vec<f64>,
}

impl Shear {
    fn value(&self, x: f64) -> f64 {
        let i = self
            .faces
            .partition_point(|&f| f <= x)
            .clamp(1, self.faces.len() - 1)
            - 1;
        let d = x - self.faces[i];
        let bend = (self.slope[i + 1] - self.slope[i]) / (self.faces[i + 1] - self.faces[i]);
        self.value[i] + d * (self.slope[i] + 0.5 * bend * d)
    }
}

/// Polynomial in z/W of the two rates through a face, of the rates themselves or of their logarithms.
#[derive(Clone, Copy)]
pub(super) struct Rate {
    logarithmic: bool,
    coefficients: [f64; NODES],
}

impl Rate {
    /// The interpolant through 5 Chebyshev points exceeds the range of the values by at most its Lebesgue constant
    /// 1.8 times half the range: values within a factor of 2.5 cannot give a negative rate.
    const RATIO: f64 = 2.5;

    fn new(values: [f64; NODES], basis: &[[f64; NODES]; NODES]) -> Self {
        let (low, high) = values
            .iter()
            .fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(*v), h.max(*v)));
        if low <= 0.0 {
            // A rate below the range of f64 somewhere in the window: 700 noise temperatures a cell up the wall.
            return Self {
                logarithmic: false,
                coefficients: [0.0; NODES],
            };
        }
        let logarithmic = high > Self::RATIO * low;
        let values = if logarithmic { values.map(f64::ln) } else { values };
        Self {
            logarithmic,
            coefficients: polynomial(&values, basis),
        }
    }

    /// Rates of the rows at the positions `zeta` in [−1, 1].
    pub fn fill(&self, zeta: &[f64], out: &mut [f64]) {
        for (z, out) in zeta.iter().zip(out.iter_mut()) {
            *out = horner(&self.coefficients, *z);
        }
        if self.logarithmic {
            out.iter_mut().for_each(|v| *v = v.exp());
        }
    }
}

/// Σ c_k ζ^k.
#[inline(always)]
pub(super) fn horner(c: &[f64; NODES], z: f64) -> f64 {
    c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * c[4])))
}

fn polynomial(values: &[f64; NODES], basis: &[[f64; NODES]; NODES]) -> [f64; NODES] {
    let mut out = [0.0; NODES];
    for (value, basis) in values.iter().zip(basis) {
        for (out, b) in out.iter_mut().zip(basis) {
            *out += value * b;
        }
    }
    out
}

/// Rates along the lines of constant z.
pub(super) struct Rates {
    pub up: Vec<Rate>,
    pub down: Vec<Rate>,
}

/// Motion and spreading across the lines, by column.
pub(super) struct Crossing {
    /// Coefficients of dz/dt in ζ = z/W.
    pub velocity: Vec<[f64; NODES]>,
    /// D_zz at the nodes.
    pub spreading: Vec<[f64; NODES]>,
}

/// The moving coordinates of a planar diffusion.
pub(super) struct PlanarFrame<'a, D> {
    pub diffusion: &'a D,
    pub fast: &'a MovingFrame,
    pub cross_noise: CrossNoise,
    /// ℓ in units of the flat minimum and of its standard deviation, whichever is larger.
    pub ridge_width: f64,
    nodes: [f64; NODES],
    /// Monomial coefficients of the Lagrange polynomials of the nodes.
    basis: [[f64; NODES]; NODES],
}

impl<'a, D: Diffusion<2>> PlanarFrame<'a, D> {
    pub fn new(
        diffusion: &'a D,
        fast: &'a MovingFrame,
        cross_noise: CrossNoise,
        ridge_width: f64,
    ) -> Result<Self> {
        let points = Chebyshev::points(-1.0, 1.0, NODES)?;
        let nodes = std::array::from_fn(|k| points[k]);
        Ok(Self {
            diffusion,
            fast,
            cross_noise,
            ridge_width,
            basis: std::array::from_fn(|k| lagrange(&nodes, k)),
            nodes,
        })
    }

    /// φ at Y = `y` on the faces that the grid has when Y = `frame_y`.
    pub fn shear(&self, y: f64, frame_y: f64) -> Shear {
        let scale = self.fast.scale(frame_y);
        let faces: Vec<f64> = self.fast.grid.axes()[0]
            .faces()
            .iter()
            .map(|u| u * scale)
            .collect();
        let n = faces.len();
        if self.cross_noise != CrossNoise::Sheared {
            return Shear {
                slope: vec![0.0; n],
                value: vec![0.0; n],
                faces,
            };
        }
        let width = self.ridge_width * self.fast.valley_width(self.diffusion, y);
        let slope: Vec<f64> = faces
            .iter()
            .map(|&x| {
                let tensor = self.diffusion.tensor(&Point::<2>::new(x, y));
                // 1 − e^{−ξ²}, zero on the ridge.
                let opening = -(-(x / width).powi(2)).exp_m1();
                if opening == 0.0 {
                    0.0
                } else {
                    opening * tensor[(0, 1)] / tensor[(0, 0)]
                }
            })
            .collect();
        let mut value = vec![0.0; n];
        let ridge = self.fast.ridge;
        for i in ridge + 1..n {
            value[i] = value[i - 1] + 0.5 * (slope[i - 1] + slope[i]) * (faces[i] - faces[i - 1]);
        }
        for i in (0..ridge).rev() {
            value[i] = value[i + 1] - 0.5 * (slope[i] + slope[i + 1]) * (faces[i + 1] - faces[i]);
        }
        Shear { faces, slope, value }
    }

    /// φ at the cell centres.
    pub fn shear_at_centres(&self, y: f64) -> Vec<f64> {
        let shear = self.shear(y, y);
        let scale = self.fast.scale(y);
        self.fast.grid.axes()[0]
            .centres()
            .iter()
            .map(|u| shear.value(u * scale))
            .collect()
    }

    /// Rates along the lines when Y = `y` moves at `velocity` and z is in [−w, w].
    pub fn rates(&self, y: f64, velocity: f64, w: f64) -> Result<Rates> {
        let shear = self.shear(y, y);
        let chains = self
            .nodes
            .par_iter()
            .map(|node| {
                let offset = y + w * node;
                let line = Line {
                    diffusion: self.diffusion,
                    y: |x| offset + shear.value(x),
                };
                let diffusion: InFrame<_> = self.fast.diffusion(line, y, velocity);
                Ok(Generator::assemble(&diffusion, self.fast.grid.clone())?
                    .chain()?
                    .clone())
            })
            .collect::<Result<Vec<_>>>()?;
        let rate = |side: fn(&crate::linalg::Chain) -> &[f64], i: usize| {
            Rate::new(std::array::from_fn(|k| side(&chains[k])[i]), &self.basis)
        };
        let n = self.fast.grid.cells();
        Ok(Rates {
            up: (0..n).map(|i| rate(|c| c.up(), i)).collect(),
            down: (0..n).map(|i| rate(|c| c.down(), i)).collect(),
        })
    }

    /// Motion and spreading across the lines.
    pub fn crossing(&self, y: f64, velocity: f64, w: f64) -> Result<Crossing> {
        // Central difference in Y; φ varies on the scale of y + y_b.
        const DIFFERENCE: f64 = 1e-3;
        let shear = self.shear(y, y);
        let (before, after) = (self.shear(y - DIFFERENCE, y), self.shear(y + DIFFERENCE, y));
        let scale = self.fast.scale(y);
        let axis = &self.fast.grid.axes()[0];
        let n = axis.cells();
        let mut out = Crossing {
            velocity: Vec::with_capacity(n),
            spreading: Vec::with_capacity(n),
        };
        for i in 0..n {
            let x = axis.centre(i) * scale;
            let phi = shear.value(x);
            let phi_t = velocity * (after.value(x) - before.value(x)) / (2.0 * DIFFERENCE);
            let phi_x = 0.5 * (shear.slope[i] + shear.slope[i + 1]);
            let phi_xx = (shear.slope[i + 1] - shear.slope[i]) / (axis.width(i) * scale);
            let (mut speeds, mut spreads) = ([0.0; NODES], [0.0; NODES]);
            for k in 0..NODES {
                let theta = Point::<2>::new(x, y + phi + w * self.nodes[k]);
                let (b, d) = (self.diffusion.drift(&theta), self.diffusion.tensor(&theta));
                let (xx, xy, yy) = (d[(0, 0)], d[(0, 1)], d[(1, 1)]);
                speeds[k] = b[1] - velocity - phi_t - phi_x * b[0] - phi_xx * xx;
                spreads[k] = match self.cross_noise {
                    CrossNoise::SlowNoiseless => 0.0,
                    // det D ≥ 0; rounding of a singular tensor is no spreading.
                    _ => (xy / xx - phi_x).powi(2) * xx + ((xx * yy - xy * xy) / xx).max(0.0),
                };
                if !(speeds[k].is_finite() && spreads[k].is_finite()) {
                    return Err(Error::NotFinite {
                        quantity: "motion across the lines of noise".into(),
                        reason: format!("at x = {x}, y = {}", theta[1]),
                    });
                }
            }
            out.velocity.push(polynomial(&speeds, &self.basis));
            out.spreading.push(spreads);
        }
        Ok(out)
    }

    /// D_zz at ζ in [−1, 1], linear between the nodes, hence non-negative.
    pub fn spreading(&self, values: &[f64; NODES], zeta: f64) -> f64 {
        let right = self.nodes.partition_point(|&n| n < zeta).clamp(1, NODES - 1);
        let (a, b) = (self.nodes[right - 1], self.nodes[right]);
        let weight = (zeta - a) / (b - a);
        values[right - 1] * (1.0 - weight) + values[right] * weight
    }
}

/// Monomial coefficients of the k-th Lagrange polynomial.
fn lagrange(nodes: &[f64; NODES], k: usize) -> [f64; NODES] {
    let mut c = [0.0; NODES];
    c[0] = 1.0;
    let mut degree = 0;
    for (j, node) in nodes.iter().enumerate() {
        if j == k {
            continue;
        }
        let scale = 1.0 / (nodes[k] - node);
        for d in (0..=degree).rev() {
            c[d + 1] += c[d] * scale;
            c[d] *= -node * scale;
        }
        degree += 1;
    }
    c
}
