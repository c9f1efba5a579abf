//! Panels of sixteen Gauss nodes on which drift and diffusivity of a line are sampled.

use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::math::Point;
use crate::math::gauss_legendre::{GaussLegendre, NODES};

/// Largest variation of ∫ b/D over a panel. The exponentials are then resolved to rounding on the halved panels, and no sum
/// there loses more than e^4 in relative accuracy (measured: the same digits as with a limit of 4).
const LARGEST_VARIATION: f64 = 8.0;
/// Relative change of ∫ b/D and ∫ 1/D by halving below which a panel is resolved.
const RESOLVED: f64 = 1e-12;
/// Smallest panel relative to its position, beyond which a jump that was not declared is left to the error estimate.
const SMALLEST_PANEL: f64 = 1e-12;
/// Bound on the number of panels (about 300 MB).
const MAX_PANELS: usize = 1_000_000;

/// Drift and diffusivity along the line, mirrored when `sign` is −1.
pub(super) struct Line<'a, F> {
    pub diffusion: &'a F,
    pub sign: f64,
    /// α of the calculus.
    pub alpha: f64,
    /// Where the loss jumps, and by how many noise units, along the line as it is mirrored.
    pub jumps: Vec<(f64, f64)>,
}

/// b/D, 1/D and D^{−α} at the nodes of one panel.
#[derive(Clone)]
pub(super) struct Panel {
    pub left: f64,
    /// Rise of the loss at the left end, in noise units.
    pub jump: f64,
    pub half_width: f64,
    pub ratio: [f64; NODES],
    pub inverse: [f64; NODES],
    /// D^{−α}.
    pub weight: [f64; NODES],
}

impl Panel {
    fn right(&self) -> f64 {
        self.left + 2.0 * self.half_width
    }

    /// Integrals of b/D and 1/D over the panel.
    fn integrals(&self) -> [f64; 2] {
        let rule = GaussLegendre::get();
        [&self.ratio, &self.inverse].map(|values| self.half_width * rule.integral(values))
    }

    /// Largest minus smallest value of ∫ b/D along the panel.
    fn variation(&self, total: f64) -> f64 {
        let cumulative = GaussLegendre::get().cumulative(&self.ratio);
        let (mut low, mut high) = (total.min(0.0), total.max(0.0));
        for value in cumulative {
            low = low.min(self.half_width * value);
            high = high.max(self.half_width * value);
        }
        high - low
    }
}

impl<F: Diffusion<1>> Line<'_, F> {
    /// b and D at z.
    pub fn at(&self, z: f64) -> Result<(f64, f64)> {
        let theta = Point::<1>::new(self.sign * z);
        let drift = self.sign * self.diffusion.drift(&theta)[0];
        let diffusivity = self.diffusion.tensor(&theta)[0];
        if diffusivity > 0.0 && diffusivity.is_finite() && drift.is_finite() {
            return Ok((drift, diffusivity));
        }
        if diffusivity <= 0.0 {
            return Err(Error::NotPositive {
                name: "diffusion tensor".into(),
                position: format!("x = {:.6e}", theta[0]),
                eigenvalues: format!("{diffusivity:e} (a first passage needs D > 0 everywhere on the way)"),
            });
        }
        Err(Error::NotFinite {
            quantity: "drift or diffusivity".into(),
            reason: format!("b = {drift}, D = {diffusivity} at x = {:.6e}", theta[0]),
        })
    }

    /// The panel on (left, right).
    pub fn sample(&self, left: f64, right: f64) -> Result<Panel> {
        let half_width = 0.5 * (right - left);
        let centre = 0.5 * (left + right);
        let jump = self.jumps.iter().find(|(z, _)| *z == left);
        let mut panel = Panel {
            left,
            jump: jump.map_or(0.0, |(_, jump)| *jump),
            half_width,
            ratio: [0.0; NODES],
            inverse: [0.0; NODES],
            weight: [1.0; NODES],
        };
        for (k, node) in GaussLegendre::get().nodes.iter().enumerate() {
            let (drift, diffusivity) = self.at(centre + half_width * node)?;
            panel.inverse[k] = 1.0 / diffusivity;
            panel.ratio[k] = drift * panel.inverse[k];
            if self.alpha != 0.0 {
                panel.weight[k] = panel.inverse[k].powf(self.alpha);
            }
        }
        Ok(panel)
    }

    /// Both halves of every panel.
    pub fn halve(&self, panels: &[Panel]) -> Result<Vec<Panel>> {
        let mut halves = Vec::with_capacity(2 * panels.len());
        for panel in panels {
            let centre = panel.left + panel.half_width;
            halves.push(self.sample(panel.left, centre)?);
            halves.push(self.sample(centre, panel.right())?);
        }
        Ok(halves)
    }

    /// Panels that resolve b/D and 1/D between the ascending `breakpoints`, and the same panels halved.
    pub fn resolve(&self, breakpoints: &[f64]) -> Result<[Vec<Panel>; 2]> {
        let (mut coarse, mut fine) = (Vec::new(), Vec::new());
        let mut waiting = Vec::new();
        for ends in breakpoints.windows(2).rev() {
            waiting.push(self.sample(ends[0], ends[1])?);
        }
        while let Some(panel) = waiting.pop() {
            let whole = panel.integrals();
            let pieces = (panel.variation(whole[0]) / LARGEST_VARIATION).ceil();
            let smallest =
                2.0 * panel.half_width <= SMALLEST_PANEL * panel.left.abs().max(panel.right().abs());
            if coarse.len() + waiting.len() > MAX_PANELS || pieces > MAX_PANELS as f64 {
                return Err(Error::NotConverged {
                    method: "panel refinement of the first-passage integral".into(),
                    iterations: coarse.len(),
                    residual: panel.variation(whole[0]),
                    tolerance: LARGEST_VARIATION,
                });
            }
            if pieces > 1.0 && !smallest {
                let count = pieces as usize;
                let (left, right) = (panel.left, panel.right());
                let end = |k: usize| {
                    if k == count {
                        right
                    } else {
                        left + (right - left) * k as f64 / pieces
                    }
                };
                for k in (0..count).rev() {
                    waiting.push(self.sample(end(k), end(k + 1))?);
                }
                continue;
            }
            let centre = panel.left + panel.half_width;
            let halves = [
                self.sample(panel.left, centre)?,
                self.sample(centre, panel.right())?,
            ];
            let (first, second) = (halves[0].integrals(), halves[1].integrals());
            let scales = [whole[0].abs().max(1.0), whole[1].abs()];
            let resolved = (0..2).all(|k| (first[k] + second[k] - whole[k]).abs() <= RESOLVED * scales[k]);
            if resolved || smallest {
                coarse.push(panel);
                fine.extend(halves);
            } else {
                let [first, second] = halves;
                waiting.push(second);
                waiting.push(first);
            }
        }
        Ok([coarse, fine])
    }
}
