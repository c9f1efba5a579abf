//! Schedules that are compared: how their noise goes, what each of them reaches, and what the best gains.

use crate::output::records;
use crate::plot::{Axis, Dash, Layer, Panel, Style};

/// What the first of the probabilities gains over each, and its errors: of discretisation the sum of both, which need not be independent; of independent
/// runs, `f64::hypot`.
pub(crate) fn gains(p: &[f64], errors: &[f64], of_both: impl Fn(f64, f64) -> f64) -> (Vec<f64>, Vec<f64>) {
    let own = |k: usize, error: f64| if k == 0 { 0.0 } else { error };
    let gain = p.iter().map(|other| p[0] - other);
    let error = errors.iter().enumerate();
    (
        gain.collect(),
        error
            .map(|(k, other)| own(k, of_both(errors[0], *other)))
            .collect(),
    )
}

records! {
    /// What the best schedule gains by SGD.
    pub struct SgdGains {
        /// fraction of runs of SGD that reach the valley under the best schedule less that under each
        gain_sgd: Vec<f64> => [] "1",
        /// standard error of gain_sgd
        gain_sgd_standard_error: Vec<f64> => [] "1",
    }
}

impl SgdGains {
    /// Of the fractions of independent runs and their standard errors, the best schedule first.
    pub(crate) fn new(fractions: &[f64], standard_errors: &[f64]) -> Self {
        let (gain_sgd, gain_sgd_standard_error) = gains(fractions, standard_errors, f64::hypot);
        Self {
            gain_sgd,
            gain_sgd_standard_error,
        }
    }
}

/// Schedules that are compared, the best first; its neighbours have names that begin with "best, ".
pub(crate) struct Compared<'a> {
    pub names: &'a [String],
    /// Positions of the strengths.
    pub at: &'a [f64],
    /// One row a schedule.
    pub strength: &'a [f64],
    /// What each reaches, by the route drawn in full and by the one with open points.
    pub full: &'a [f64],
    pub open: &'a [f64],
    /// What runs of SGD reach with standard errors, drawn as bars from one error below to one above.
    pub runs: Option<[&'a [f64]; 2]>,
}

impl Compared<'_> {
    /// The strengths drawn into `noise`, and what is reached beside their names, under the signs of the routes.
    pub fn panels(&self, mut noise: Panel, routes: &str, axis: &str) -> [Panel; 2] {
        let routes = match self.runs {
            Some(_) => format!("{routes}, SGD ▬"),
            None => routes.into(),
        };
        let n = self.at.len();
        let upward: Vec<String> = self.names.iter().rev().cloned().collect();
        let last = self.names.len() as f64 - 1.0;
        let mut reached = Panel::new(
            &routes,
            Axis::linear(axis),
            Axis::named(&upward).with_range(-0.6, last + 0.6),
        );
        let mut colour = 0;
        for (k, name) in self.names.iter().enumerate() {
            let is_neighbour = name.starts_with("best, ");
            let style = if is_neighbour {
                Style::reference()
            } else {
                Style::nth(colour)
            };
            let row = |k: usize| &self.strength[k * n..(k + 1) * n];
            if !is_neighbour {
                let style = if k == 0 { style.with_width(2.0) } else { style };
                // schedules that are the same are drawn once
                if (0..k).all(|other| row(other) != row(k)) {
                    noise = noise.with(Layer::line(self.at, row(k), name, style));
                }
                colour += 1;
            }
            // one above the other where they agree
            const APART: f64 = 0.12;
            for (values, shift, style) in [
                (self.full, APART, style),
                (self.open, -APART, style.with_hollow_points()),
            ] {
                let place = [last - k as f64 + shift];
                reached = reached.with(Layer::points(&[values[k]], &place, &[], "", style));
            }
            if let Some([values, errors]) = self.runs {
                let place = last - k as f64 - 3.0 * APART;
                let ends = [values[k] - errors[k], values[k] + errors[k]];
                let bar = style.with_dash(Dash::Solid).with_width(1.5);
                reached = reached.with(Layer::line(&ends, &[place; 2], "", bar));
            }
        }
        [noise, reached]
    }
}
