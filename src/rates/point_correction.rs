//! What the first correction changes at one stationary point.

/// Relative change c T^p of the mass of a well or of the flow over a saddle; see [`crate::rates::first_correction`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointCorrection {
    /// c, in 1/loss^p.
    pub coefficient: f64,
    /// p: ½ at a quartic, 1 elsewhere.
    pub power: f64,
    /// Sum of the sizes of the terms of c, |c| itself where the power is 1.
    pub size: f64,
    /// What differences that stand for derivatives may leave of c.
    pub error: f64,
    /// Sizes of the terms of order 2p that derivatives along each direction give, over T^2p.
    pub next: f64,
}

impl PointCorrection {
    /// c T^p.
    pub fn change(&self, temperature: f64) -> f64 {
        self.coefficient * temperature.powf(self.power)
    }

    pub(super) fn expected_deviation(&self, temperature: f64) -> f64 {
        let power = temperature.powf(self.power);
        (self.size + self.error) * power + self.next * power * power
    }
}
