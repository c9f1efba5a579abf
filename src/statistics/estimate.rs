//! A value with its standard error.

/// A number known with a standard error from a number of independent samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Best value.
    pub value: f64,
    /// Standard deviation of the value.
    pub standard_error: f64,
    /// Number of independent samples behind it.
    pub samples: usize,
}

impl Estimate {
    /// Mean of independent samples with standard error s/√n.
    pub fn mean(samples: impl Iterator<Item = f64>) -> Self {
        let samples: Vec<f64> = samples.collect();
        let n = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / n;
        let squares: f64 = samples.iter().map(|x| (x - mean).powi(2)).sum();
        Self { value: mean, standard_error: (squares / (n * (n - 1.0))).sqrt(), samples: samples.len() }
    }

    /// Fraction of successes with standard error sqrt(P(1 − P)/n).
    pub fn proportion(successes: usize, n: usize) -> Self {
        let p = successes as f64 / n as f64;
        Self {
            value: p,
            standard_error: (p * (1.0 - p) / n as f64).sqrt(),
            samples: n,
        }
    }
}
