//! A claim, the numbers that decide about it, and the decision.

/// What a claim is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As stated.
    Reproduced,
    /// The statement holds, but not for the reason or by the formula given.
    CorrectedTheory,
    /// Only in part of the range.
    InRegime,
    /// The numbers say otherwise.
    NotSupported,
}

impl Verdict {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::CorrectedTheory => "reproduced with corrected theory",
            Self::InRegime => "holds only in the stated regime",
            Self::NotSupported => "not supported",
        }
    }
}

/// One claim with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// T1 ... T10.
    pub name: &'static str,
    /// What is claimed.
    pub statement: &'static str,
    /// The numbers that decide.
    pub evidence: String,
    /// The decision.
    pub verdict: Verdict,
    /// One sentence why.
    pub reason: &'static str,
}
