//! A claim, the numbers that decide about it, and the decision.

use crate::error::Result;
use crate::output::{Group, Records, records};

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

records! {
    /// claims of arXiv 2601.10962 about its model, decided by rules from the numbers of this file
    pub struct ClaimsResult in "claims" {
        /// number of the claim
        name: Vec<String> => [claim] "text",
        /// what is claimed
        statement: Vec<String> => [claim] "text",
        /// the numbers that decide
        evidence: Vec<String> => [claim] "text",
        /// the decision
        verdict: Vec<String> => [claim] "text",
        /// why
        reason: Vec<String> => [claim] "text",
    }
}

/// The claims as the group `/claims`.
///
/// # Errors
/// [`crate::Error::DimensionMismatch`] never, the columns having equal lengths.
pub(crate) fn group(claims: &[Claim]) -> Result<Group> {
    let column = |text: fn(&Claim) -> &str| claims.iter().map(|c| text(c).to_string()).collect();
    let result = ClaimsResult {
        name: column(|c| c.name),
        statement: column(|c| c.statement),
        evidence: column(|c| &c.evidence),
        verdict: column(|c| c.verdict.text()),
        reason: column(|c| c.reason),
    };
    result.group()
}

/// The claims for the terminal.
pub fn table(claims: &[Claim]) -> String {
    claims
        .iter()
        .map(|c| {
            format!(
                "{:<4}{}\n      {}\n      => {}: {}\n",
                c.name,
                c.statement,
                c.evidence,
                c.verdict.text().to_uppercase(),
                c.reason
            )
        })
        .collect()
}
