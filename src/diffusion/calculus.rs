//! The interpretation of multiplicative noise.

/// Where in a step the noise amplitude is evaluated; SGD evaluates it before the step, hence Ito.
///
/// # Formula
/// dθ = (b + α div D) dt + sqrt(2D) dW in the Ito sense; in one dimension the stationary law is
/// p ∝ D^{−(1−α)} exp(∫ b/D).
///
/// # References
/// Haenggi and Thomas 1982; Klimontovich 1990.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Calculus {
    /// α = 0.
    #[default]
    Ito,
    /// α = 1/2.
    Stratonovich,
    /// α = 1, Haenggi-Klimontovich.
    AntiIto,
}

impl Calculus {
    /// The three calculi in order of α.
    pub const ALL: [Self; 3] = [Self::Ito, Self::Stratonovich, Self::AntiIto];

    /// α.
    pub fn alpha(self) -> f64 {
        match self {
            Self::Ito => 0.0,
            Self::Stratonovich => 0.5,
            Self::AntiIto => 1.0,
        }
    }

    /// Name used in configurations and result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ito => "ito",
            Self::Stratonovich => "stratonovich",
            Self::AntiIto => "anti_ito",
        }
    }
}
