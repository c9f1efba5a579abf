//! P_flat and the freezing time over learning rate and noise.

use super::{numbers, numbers_of};
use crate::error::Result;
use crate::output::ResultFile;
use crate::plot::{Axis, ColourMap, ColourScale, Figure, Layer, Panel, Scale, TWO_COLUMNS, cell_edges};

/// Maps of P_flat and η⟨t_f⟩ over learning rate and σ: ours on the left and the authors' on the right where the file has them, else the
/// two quantities side by side.
///
/// Reads `learning_rate`, `sigma`, `p_flat` and `mean_freezing_iteration` (rows = learning rate) in `/phase_diagram` and, if it exists, in
/// `/paper_phase_diagram`. Maps of a row share one range of colours.
///
/// # Errors
/// [`crate::Error::Input`] when a record is missing, [`crate::Error::DimensionMismatch`] when shapes do not fit.
pub fn phase_diagram(file: &ResultFile) -> Result<Figure> {
    let mut sources = vec![("phase_diagram", "this work")];
    if file.group("paper_phase_diagram").is_some() {
        sources.push(("paper_phase_diagram", "authors' data"));
    }
    let quantities = [
        ("p_flat", "*P*_{flat}", Scale::Linear, ColourMap::Cividis),
        (
            "mean_freezing_iteration",
            "*η*⟨*t*_f⟩",
            Scale::Log,
            ColourMap::Viridis,
        ),
    ];
    let mut panels = Vec::new();
    for (row, (quantity, symbol, scale, map)) in quantities.into_iter().enumerate() {
        let mut diagrams = Vec::new();
        for (group, _) in &sources {
            diagrams.push(diagram(file, group, quantity)?);
        }
        let range = common_range(diagrams.iter().flat_map(|d| d.values.iter().copied()), scale);
        for (n, ((_, source), diagram)) in sources.iter().zip(diagrams).enumerate() {
            let axis = if scale == Scale::Log {
                Axis::log(symbol)
            } else {
                Axis::linear(symbol)
            };
            let axis = match range {
                Some((low, high)) => axis.with_range(low, high),
                None => axis,
            };
            let (mut x, mut y) = (Axis::log("learning rate *η*"), Axis::log("noise *σ*"));
            if sources.len() > 1 && row + 1 < quantities.len() {
                x = x.without_labels();
            }
            if n > 0 || (sources.len() == 1 && row > 0) {
                y = y.without_labels();
            }
            let colours = ColourScale {
                map,
                axis,
                bar: n + 1 == sources.len(),
            };
            let title = if sources.len() > 1 {
                format!("{symbol}, {source}")
            } else {
                String::new()
            };
            panels.push(Panel::new(&title, x, y).with(Layer::Map {
                x: diagram.learning_rate,
                y: diagram.sigma,
                values: diagram.values,
                colours,
            }));
        }
    }
    Ok(Figure {
        width: 0.75 * TWO_COLUMNS,
        columns: 2,
        aspect: 0.85,
        panels,
    })
}

struct Diagram {
    /// Edges of the cells.
    learning_rate: Vec<f64>,
    sigma: Vec<f64>,
    /// Learning rate fastest.
    values: Vec<f64>,
}

fn diagram(file: &ResultFile, group: &str, quantity: &str) -> Result<Diagram> {
    let learning_rate = numbers(file, &format!("{group}/learning_rate"))?;
    let sigma = numbers(file, &format!("{group}/sigma"))?;
    let (rows, columns) = (learning_rate.len(), sigma.len());
    let table = numbers_of(file, &format!("{group}/{quantity}"), rows * columns)?;
    // A freezing time is shown in the time of the gradient flow, eta times iterations.
    let factor = |row: usize| {
        if quantity == "mean_freezing_iteration" {
            learning_rate[row]
        } else {
            1.0
        }
    };
    let transposed = (0..columns).flat_map(|j| (0..rows).map(move |i| (i, j)));
    Ok(Diagram {
        values: transposed
            .map(|(i, j)| factor(i) * table[i * columns + j])
            .collect(),
        learning_rate: cell_edges(&learning_rate, Scale::Log)?,
        sigma: cell_edges(&sigma, Scale::Log)?,
    })
}

fn common_range(values: impl Iterator<Item = f64>, scale: Scale) -> Option<(f64, f64)> {
    let drawn = values.filter(|v| v.is_finite() && (scale == Scale::Linear || *v > 0.0));
    let (low, high) = drawn.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    (low < high).then_some((low, high))
}
