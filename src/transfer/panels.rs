//! Gauss-Legendre panels: the quadrature on which densities and kernels live.

use super::gaussian::Gaussian;
use crate::error::{Error, Result, require, require_positive};
use crate::math::gauss_legendre::gauss_legendre;

/// How finely the one-step kernel is discretised.
///
/// # Method
/// Nyström with `order` Gauss-Legendre nodes on each panel; a panel is `panel_length` standard deviations of
/// the narrowest Gaussian that lands on it. On an integrand that is analytic on every panel the error falls
/// like panel_length^(2·order); the kernel is cut at `reach` standard deviations, which neglects
/// erfc(reach/√2) of each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolution {
    /// Nodes on a panel, 2 to 64.
    pub order: usize,
    /// Length of a panel in standard deviations of the narrowest step that lands there.
    pub panel_length: f64,
    /// Half-width of the kernel in standard deviations.
    pub reach: f64,
    /// Largest probability per step that may lie beyond the domain or be lost by quadrature.
    pub allowed_defect: f64,
}

impl Default for Resolution {
    /// Sixteen nodes on six standard deviations, reach 8 (neglects 1.2e-15 of each step).
    fn default() -> Self {
        Self {
            order: 16,
            panel_length: 6.0,
            reach: 8.0,
            allowed_defect: 1e-10,
        }
    }
}

impl Resolution {
    /// The same with panels shorter by `factor`.
    #[must_use]
    pub fn refined(self, factor: f64) -> Self {
        Self {
            panel_length: self.panel_length / factor,
            ..self
        }
    }

    pub(super) fn validate(self) -> Result<Self> {
        require(
            "order",
            self.order as f64,
            |v| (2.0..=64.0).contains(&v),
            "2 to 64 nodes a panel are needed",
        )?;
        require_positive("panel_length", self.panel_length)?;
        require_positive("reach", self.reach)?;
        require_positive("allowed_defect", self.allowed_defect)?;
        Ok(self)
    }
}

/// Gauss-Legendre nodes on consecutive panels, with panel edges on every kink.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelGrid {
    order: usize,
    edges: Vec<f64>,
    nodes: Vec<f64>,
    weights: Vec<f64>,
}

/// Largest number of nodes; beyond it the kernel is too narrow for the domain to be worth a dense band.
const MAX_NODES: usize = 200_000;
/// Points per segment at which the width of the step is sampled.
const WIDTH_SAMPLES: usize = 256;

impl PanelGrid {
    /// Panels on [breaks[0], breaks[last]] with edges on all (increasing) breaks.
    ///
    /// `steps` are the maps whose densities the grid must resolve: one for a fixed slice, several where a
    /// slow coordinate moves while the grid stays.
    pub(super) fn new(
        breaks: &[f64],
        steps: &[&dyn Fn(f64) -> Result<Gaussian>],
        resolution: Resolution,
    ) -> Result<Self> {
        let samples = sample_points(breaks);
        let mut width = vec![f64::INFINITY; samples.len()];
        for step in steps {
            for &x in &samples {
                let g = step(x)?;
                let reach = resolution.reach * g.standard_deviation;
                let first = samples.partition_point(|&v| v < g.mean - reach).saturating_sub(1);
                let last = samples.partition_point(|&v| v <= g.mean + reach);
                for w in &mut width[first..samples.len().min(last + 1)] {
                    *w = w.min(g.standard_deviation);
                }
            }
        }
        let (rule, rule_weights) = gauss_legendre(resolution.order);
        let mut grid = Self {
            order: resolution.order,
            edges: vec![breaks[0]],
            nodes: Vec::new(),
            weights: Vec::new(),
        };
        for (segment, pair) in breaks.windows(2).enumerate() {
            let widths = &width[segment * WIDTH_SAMPLES..(segment + 1) * WIDTH_SAMPLES];
            grid.fill_segment(pair[0], pair[1], widths, resolution.panel_length)?;
        }
        let edges = std::mem::take(&mut grid.edges);
        for pair in edges.windows(2) {
            let (centre, half) = (0.5 * (pair[0] + pair[1]), 0.5 * (pair[1] - pair[0]));
            grid.nodes.extend(rule.iter().map(|&r| centre + half * r));
            grid.weights.extend(rule_weights.iter().map(|&w| half * w));
        }
        grid.edges = edges;
        Ok(grid)
    }

    /// Appends panel edges on [start, end] at equal increments of ∫ dx/(panel_length·width).
    fn fill_segment(&mut self, start: f64, end: f64, widths: &[f64], panel_length: f64) -> Result<()> {
        let cell = (end - start) / widths.len() as f64;
        let rate: Vec<f64> = widths
            .iter()
            .map(|&w| {
                if w.is_finite() {
                    cell / (panel_length * w)
                } else {
                    0.0
                }
            })
            .collect();
        let total: f64 = rate.iter().sum();
        let panels = total.ceil().max(1.0);
        if panels * self.order as f64 > MAX_NODES as f64 {
            return Err(Error::InvalidParameter {
                name: "panel_length".into(),
                value: panel_length,
                requirement: format!(
                    "{panels:.0} panels would be needed between {start} and {end}, because the step's standard deviation falls to {:.3e}; use a smaller domain or a noise floor",
                    widths.iter().copied().fold(f64::INFINITY, f64::min)
                ),
            });
        }
        let mut passed = 0.0;
        let mut next = 1.0;
        for (k, &r) in rate.iter().enumerate() {
            let after = passed + r * panels / total.max(f64::MIN_POSITIVE);
            while next < panels && next <= after {
                let x = start + cell * (k as f64 + (next - passed) / (after - passed));
                self.edges.push(x);
                next += 1.0;
            }
            passed = after;
        }
        self.edges.push(end);
        Ok(())
    }

    /// Nodes on each panel.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Panel edges, increasing.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// All nodes, increasing.
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// Quadrature weights of the nodes.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Range of nodes of the panels that meet [low, high]; empty when there are none.
    pub(super) fn nodes_within(&self, low: f64, high: f64) -> std::ops::Range<usize> {
        let panels = self.edges.len() - 1;
        let first = self.edges[1..].partition_point(|&e| e <= low).min(panels);
        let last = self.edges[..panels].partition_point(|&e| e < high).max(first);
        first * self.order..last * self.order
    }

    /// Number of nodes below `position`.
    pub(super) fn nodes_below(&self, position: f64) -> usize {
        self.nodes.partition_point(|&x| x < position)
    }
}

/// Centres of `WIDTH_SAMPLES` equal cells on every segment.
fn sample_points(breaks: &[f64]) -> Vec<f64> {
    breaks
        .windows(2)
        .flat_map(|pair| {
            let cell = (pair[1] - pair[0]) / WIDTH_SAMPLES as f64;
            let start = pair[0];
            (0..WIDTH_SAMPLES).map(move |k| start + cell * (k as f64 + 0.5))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_stand_on_breaks_and_follow_the_width() {
        let step = |x: f64| {
            Ok(Gaussian {
                mean: x,
                standard_deviation: if x < 0.0 { 0.01 } else { 0.02 },
            })
        };
        let grid = PanelGrid::new(&[-1.0, 0.0, 2.0], &[&step], Resolution::default()).unwrap();
        assert!(grid.edges().contains(&0.0));
        assert!(grid.edges().windows(2).all(|e| e[1] > e[0]));
        let last = grid.edges().len() - 1;
        assert!(grid.edges()[1] - grid.edges()[0] <= 0.06);
        assert!(grid.edges()[last] - grid.edges()[last - 1] > 0.1);
        assert_eq!(grid.nodes_within(-5.0, 5.0), 0..grid.nodes().len());
        assert_eq!(grid.nodes_below(0.0) % grid.order(), 0);
    }
}
