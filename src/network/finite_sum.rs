//! Losses that are means over samples.

/// Samples of one step.
#[derive(Debug, Clone, Copy)]
pub enum Batch<'a> {
    /// All of them.
    All,
    /// Those with these numbers.
    Some(&'a [usize]),
}

/// L(θ) = (1/m) Σ_n ℓ_n(θ), with what it needs to compute.
pub trait FiniteSum {
    /// Number of parameters.
    fn dimension(&self) -> usize;

    /// Number of samples m.
    fn samples(&self) -> usize;

    /// Mean loss of the batch; its gradient replaces what `gradient` holds.
    fn gradient(&mut self, theta: &[f64], batch: Batch<'_>, gradient: &mut [f64]) -> f64;
}
