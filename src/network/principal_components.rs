//! Principal components of states, which are fewer than their parameters.

use nalgebra::{DMatrix, SymmetricEigen};

/// States along their principal components.
#[derive(Debug, Clone, PartialEq)]
pub struct PrincipalComponents {
    /// Variances along the components, largest first.
    pub variance: Vec<f64>,
    /// Components of unit length.
    pub components: Vec<Vec<f64>>,
    /// Coordinates of each state about the mean of all: one list a component.
    pub coordinates: Vec<Vec<f64>>,
    /// Sum of the variances of all components.
    pub total: f64,
}

impl PrincipalComponents {
    /// The `count` largest of some states, as far as there are.
    ///
    /// # Method
    /// Eigenvectors of the matrix of scalar products of the states about their mean. Components below 1e-12 of the largest are left out.
    ///
    /// # Examples
    /// ```
    /// use freezeout::network::PrincipalComponents;
    /// let states = [vec![3.0, 0.0, 1.0], vec![-3.0, 0.0, 1.0], vec![0.0, 1.0, 1.0], vec![0.0, -1.0, 1.0]];
    /// let found = PrincipalComponents::new(&states, 3);
    /// assert_eq!(found.components.len(), 2);
    /// assert!((found.variance[0] - 6.0).abs() < 1e-12 && (found.variance[1] - 2.0 / 3.0).abs() < 1e-12);
    /// assert!((found.components[0][0].abs() - 1.0).abs() < 1e-12 && (found.coordinates[0][0].abs() - 3.0).abs() < 1e-12);
    /// ```
    pub fn new(states: &[Vec<f64>], count: usize) -> Self {
        let (n, d) = (states.len(), states.first().map_or(0, Vec::len));
        let mean: Vec<f64> = (0..d)
            .map(|k| states.iter().map(|state| state[k]).sum::<f64>() / n as f64)
            .collect();
        let about: Vec<Vec<f64>> = (states.iter())
            .map(|state| state.iter().zip(&mean).map(|(s, m)| s - m).collect())
            .collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut products = DMatrix::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let product = dot(&about[i], &about[j]);
                products[(i, j)] = product;
                products[(j, i)] = product;
            }
        }
        let freedom = (n as f64 - 1.0).max(1.0);
        let total = products.trace() / freedom;
        let eigen = SymmetricEigen::new(products);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
        let largest = order.first().map_or(0.0, |k| eigen.eigenvalues[*k]);
        order.retain(|k| eigen.eigenvalues[*k] > 1e-12 * largest);
        order.truncate(count);
        let (mut components, mut coordinates) = (Vec::new(), Vec::new());
        for k in &order {
            let length = eigen.eigenvalues[*k].sqrt();
            let weights: Vec<f64> = eigen.eigenvectors.column(*k).iter().copied().collect();
            let mut component = vec![0.0; d];
            for (state, weight) in about.iter().zip(&weights) {
                component
                    .iter_mut()
                    .zip(state)
                    .for_each(|(c, s)| *c += weight * s / length);
            }
            components.push(component);
            coordinates.push(weights.iter().map(|w| w * length).collect());
        }
        Self {
            variance: order.iter().map(|k| eigen.eigenvalues[*k] / freedom).collect(),
            components,
            coordinates,
            total,
        }
    }
}
