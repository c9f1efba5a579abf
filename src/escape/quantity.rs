//! The numbers and fields of an escape: what they are called, measured in and mean.

use crate::statistics::Range;

/// A number of a problem of escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quantity {
    /// Probability that reflecting ends cut off, other than walls.
    CutProbability,
    /// Stationary probability of the target.
    StationaryTargetProbability,
    /// Stationary probability of a start set.
    StationaryStartProbability,
    /// Mean velocity along a periodic line.
    MeanVelocity,
    /// Effective diffusivity along a periodic line.
    EffectiveDiffusivity,
    /// Slowest relaxation rate λ1.
    SpectralGap,
    /// Decay rate of slow mode k, counted from 1.
    ModeRate(usize),
    /// Frequency of slow mode k, counted from 1.
    ModeFrequency(usize),
    /// Mean first-passage time τ from the start.
    MeanFirstPassageTime,
    /// Standard deviation of the first-passage time.
    FirstPassageDeviation,
    /// Probability to reach the target before an absorbing end.
    TargetProbability,
    /// Quasi-stationary escape rate k.
    EscapeRate,
    /// Transitions from start to target per time.
    ReactiveRate,
    /// Probability to be on the way from start to target.
    ReactiveProbability,
    /// Mean duration of a transition.
    MeanTransitionDuration,
    /// Rate constant of start → target.
    RateConstant,
}

impl Quantity {
    /// All but those of slow modes, which are counted.
    pub const PLAIN: [Self; 14] = [
        Self::StationaryTargetProbability,
        Self::StationaryStartProbability,
        Self::CutProbability,
        Self::MeanVelocity,
        Self::EffectiveDiffusivity,
        Self::SpectralGap,
        Self::MeanFirstPassageTime,
        Self::FirstPassageDeviation,
        Self::TargetProbability,
        Self::EscapeRate,
        Self::ReactiveRate,
        Self::ReactiveProbability,
        Self::MeanTransitionDuration,
        Self::RateConstant,
    ];

    /// The name under which it is written.
    pub fn name(self) -> String {
        match self {
            Self::CutProbability => "cut_probability",
            Self::StationaryTargetProbability => "stationary_target_probability",
            Self::StationaryStartProbability => "stationary_start_probability",
            Self::MeanVelocity => "mean_velocity",
            Self::EffectiveDiffusivity => "effective_diffusivity",
            Self::SpectralGap => "spectral_gap",
            Self::ModeRate(k) => return format!("mode_{k}_rate"),
            Self::ModeFrequency(k) => return format!("mode_{k}_frequency"),
            Self::MeanFirstPassageTime => "mean_first_passage_time",
            Self::FirstPassageDeviation => "first_passage_deviation",
            Self::TargetProbability => "target_probability",
            Self::EscapeRate => "escape_rate",
            Self::ReactiveRate => "reactive_rate",
            Self::ReactiveProbability => "reactive_probability",
            Self::MeanTransitionDuration => "mean_transition_duration",
            Self::RateConstant => "rate_constant",
        }
        .into()
    }

    /// The quantity of that name, if there is one.
    ///
    /// # Examples
    /// ```
    /// use freezeout::escape::Quantity;
    /// assert_eq!(Quantity::from_name("mode_3_rate"), Some(Quantity::ModeRate(3)));
    /// assert_eq!(Quantity::from_name("escape_rate"), Some(Quantity::EscapeRate));
    /// assert_eq!(Quantity::from_name("entropy"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some((number, kind)) = name.strip_prefix("mode_").and_then(|rest| rest.split_once('_')) {
            let k = number.parse().ok()?;
            return match kind {
                "rate" => Some(Self::ModeRate(k)),
                "frequency" => Some(Self::ModeFrequency(k)),
                _ => None,
            };
        }
        Self::PLAIN.into_iter().find(|quantity| quantity.name() == name)
    }

    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Self::CutProbability
            | Self::StationaryTargetProbability
            | Self::StationaryStartProbability
            | Self::TargetProbability
            | Self::ReactiveProbability => "1",
            Self::MeanFirstPassageTime | Self::FirstPassageDeviation | Self::MeanTransitionDuration => "time",
            Self::MeanVelocity
            | Self::EffectiveDiffusivity
            | Self::SpectralGap
            | Self::ModeRate(_)
            | Self::ModeFrequency(_)
            | Self::EscapeRate
            | Self::ReactiveRate
            | Self::RateConstant => "1/time",
        }
    }

    /// What values it can have.
    pub fn range(self) -> Range {
        match self {
            Self::CutProbability
            | Self::StationaryTargetProbability
            | Self::StationaryStartProbability
            | Self::TargetProbability
            | Self::ReactiveProbability => Range::Probability,
            Self::ModeFrequency(_) | Self::MeanVelocity => Range::Any,
            _ => Range::Positive,
        }
    }

    /// What it means.
    pub fn description(self) -> &'static str {
        match self {
            Self::CutProbability => {
                "most probability that would lie beyond a reflecting end that is not declared a wall, from the density and its decay there"
            }
            Self::StationaryTargetProbability => "stationary probability of the target",
            Self::StationaryStartProbability => "stationary probability of the start set",
            Self::MeanVelocity => "mean velocity along the periodic line after long times, turns counted",
            Self::EffectiveDiffusivity => {
                "half the variance of the position along the periodic line over the time, after long times, turns counted"
            }
            Self::SpectralGap => "slowest relaxation rate, no sets involved",
            Self::ModeRate(_) => "minus the real part of the eigenvalue of a slow mode",
            Self::ModeFrequency(_) => "imaginary part of the eigenvalue of a slow mode",
            Self::MeanFirstPassageTime => {
                "from the start point, or averaged over the start set with the stationary weights"
            }
            Self::FirstPassageDeviation => {
                "standard deviation of the first-passage time from the start point"
            }
            Self::TargetProbability => "probability to reach the target before an absorbing end",
            Self::EscapeRate => "quasi-stationary rate into the target or an absorbing end",
            Self::ReactiveRate => "transitions from start to target per time, stationary",
            Self::ReactiveProbability => "probability to be on the way from start to target, stationary",
            Self::MeanTransitionDuration => "from leaving the start for the last time to the target",
            Self::RateConstant => {
                "transitions per time spent after a visit to the start and before the target"
            }
        }
    }
}

/// A function on the cells of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldQuantity {
    /// L.
    Loss,
    /// ∇·D, the drift that Klimontovich's calculus adds to the Ito equation.
    SpuriousDrift,
    /// Stationary density p.
    StationaryDensity,
    /// Φ = −ln p, zero at its minimum.
    EffectivePotential,
    /// Stationary probability current J.
    StationaryCurrent,
    /// Eigenfunctions of the slowest modes.
    SlowMode,
    /// Mean first-passage time from each cell.
    MeanFirstPassageTime,
    /// Standard deviation of the first-passage time from each cell.
    FirstPassageDeviation,
    /// Probability to reach the target before an absorbing end.
    TargetProbability,
    /// Density of the process that has not escaped yet.
    QuasiStationaryDensity,
    /// Committor q⁺.
    Committor,
    /// Backward committor q⁻.
    BackwardCommittor,
    /// Density of trajectories on their way.
    ReactiveDensity,
    /// Current of trajectories on their way.
    ReactiveCurrent,
}

impl FieldQuantity {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Loss,
        Self::SpuriousDrift,
        Self::StationaryDensity,
        Self::EffectivePotential,
        Self::StationaryCurrent,
        Self::SlowMode,
        Self::MeanFirstPassageTime,
        Self::FirstPassageDeviation,
        Self::TargetProbability,
        Self::QuasiStationaryDensity,
        Self::Committor,
        Self::BackwardCommittor,
        Self::ReactiveDensity,
        Self::ReactiveCurrent,
    ];

    /// The name under which it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::SpuriousDrift => "spurious_drift",
            Self::StationaryDensity => "stationary_density",
            Self::EffectivePotential => "effective_potential",
            Self::StationaryCurrent => "stationary_current",
            Self::SlowMode => "slow_mode",
            Self::MeanFirstPassageTime => "mean_first_passage_time_field",
            Self::FirstPassageDeviation => "first_passage_deviation_field",
            Self::TargetProbability => "target_probability_field",
            Self::QuasiStationaryDensity => "quasi_stationary_density",
            Self::Committor => "committor",
            Self::BackwardCommittor => "backward_committor",
            Self::ReactiveDensity => "reactive_density",
            Self::ReactiveCurrent => "reactive_current",
        }
    }

    /// Its unit, densities per volume of the variables.
    pub fn unit(self) -> &'static str {
        match self {
            Self::SpuriousDrift | Self::StationaryCurrent | Self::ReactiveCurrent => "1/time",
            Self::MeanFirstPassageTime | Self::FirstPassageDeviation => "time",
            _ => "1",
        }
    }

    /// Its symbol.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Loss => "L",
            Self::SpuriousDrift => "∇·D",
            Self::StationaryDensity => "p",
            Self::EffectivePotential => "Φ",
            Self::StationaryCurrent => "J",
            Self::SlowMode => "f",
            Self::MeanFirstPassageTime => "τ",
            Self::FirstPassageDeviation => "σ_τ",
            Self::TargetProbability | Self::Committor => "q",
            Self::QuasiStationaryDensity => "ν",
            Self::BackwardCommittor => "q⁻",
            Self::ReactiveDensity => "p q⁺q⁻",
            Self::ReactiveCurrent => "J_AB",
        }
    }

    /// What it means.
    pub fn description(self) -> &'static str {
        match self {
            Self::Loss => "loss at the cell centres",
            Self::SpuriousDrift => {
                "div D, the drift that Klimontovich's calculus adds to the Ito equation; where D is diagonal Stratonovich's is half of it"
            }
            Self::StationaryDensity => "stationary density",
            Self::EffectivePotential => "-ln p, zero at its minimum",
            Self::StationaryCurrent => "stationary probability current; zero with detailed balance",
            Self::SlowMode => {
                "eigenfunctions of the slowest modes, mean square one, growing along the first variable; real and imaginary part of a complex pair"
            }
            Self::MeanFirstPassageTime => {
                "mean time to reach the target or an absorbing end from the cell centre; zero inside the target"
            }
            Self::FirstPassageDeviation => "standard deviation of that time",
            Self::TargetProbability => Quantity::TargetProbability.description(),
            Self::QuasiStationaryDensity => {
                "density of the process that has not escaped yet, after long times"
            }
            Self::Committor => "probability to reach the target before the start",
            Self::BackwardCommittor => "probability that the start was visited after the target",
            Self::ReactiveDensity => "density of trajectories on their way",
            Self::ReactiveCurrent => "current of trajectories on their way from start to target",
        }
    }

    /// Whether it has one entry a variable in each cell.
    pub fn is_vector(self) -> bool {
        matches!(
            self,
            Self::SpuriousDrift | Self::StationaryCurrent | Self::ReactiveCurrent
        )
    }
}
