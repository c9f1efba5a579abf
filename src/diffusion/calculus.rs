//! Stochastic calculus: where in the step the noise amplitude is evaluated.

/// Where in the step the amplitude of the noise is evaluated.
///
/// # Formula
/// The equation dθ = b dt + sqrt(2D) ∘_α dW is the Ito equation with drift b + α div D; its stationary density
/// in one dimension is p ∝ D^{−(1−α)} exp(∫ b/D). SGD draws its noise before the step, which is Ito.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Calculus;
/// assert_eq!(Calculus::Stratonovich.alpha(), 0.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Calculus {
    /// Start of the step, α = 0: what SGD does.
    Ito,
    /// Middle of the step, α = 1/2.
    Stratonovich,
    /// End of the step, α = 1 (Hänggi-Klimontovich, isothermal): p ∝ exp(∫ b/D).
    AntiIto,
}

impl Calculus {
    /// All three, in ascending α.
    pub const ALL: [Self; 3] = [Self::Ito, Self::Stratonovich, Self::AntiIto];

    /// α.
    pub fn alpha(self) -> f64 {
        match self {
            Self::Ito => 0.0,
            Self::Stratonovich => 0.5,
            Self::AntiIto => 1.0,
        }
    }
}
