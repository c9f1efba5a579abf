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
    /// The file lacks the numbers.
    NotTested,
}

impl Verdict {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::CorrectedTheory => "reproduced with corrected theory",
            Self::InRegime => "holds only in the stated regime",
            Self::NotSupported => "not supported",
            Self::NotTested => "not tested",
        }
    }
}

/// One claim with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// T1 to T10, S1 to S5 for statements of the paper that came out otherwise, or N1 to N7 for networks.
    pub name: &'static str,
    /// What is claimed.
    pub statement: &'static str,
    /// The numbers that decide.
    pub evidence: String,
    /// The decision.
    pub verdict: Verdict,
    /// One sentence why, made from the numbers; of a claim that was not tested, what it needs.
    pub reason: String,
}

impl Claim {
    /// A claim that the file cannot decide, and what it would need.
    pub(super) fn not_tested(name: &'static str, statement: &'static str, needs: &str) -> Self {
        Self {
            name,
            statement,
            evidence: String::new(),
            verdict: Verdict::NotTested,
            reason: format!("needs {needs}"),
        }
    }
}

records! {
    /// claims of arXiv 2601.10962 about its model and about networks, decided by rules from the numbers of this file
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
        reason: column(|c| &c.reason),
    };
    result.group()
}

/// Columns that the table keeps to.
const WIDTH: usize = 100;

/// The claims for the terminal; those that were not tested at the end, a line each.
pub fn table(claims: &[Claim]) -> String {
    let mut out = String::new();
    let (untested, tested): (Vec<&Claim>, Vec<&Claim>) = claims
        .iter()
        .partition(|claim| claim.verdict == Verdict::NotTested);
    for claim in tested {
        push_wrapped(&mut out, &format!("{:<4}", claim.name), 4, claim.statement);
        push_wrapped(&mut out, "      ", 6, &claim.evidence);
        let decision = format!("=> {}: {}", claim.verdict.text().to_uppercase(), claim.reason);
        push_wrapped(&mut out, "      ", 9, &decision);
    }
    if !untested.is_empty() {
        out.push_str("not tested\n");
    }
    for claim in untested {
        let text = format!("{}; {}", claim.statement, claim.reason);
        push_wrapped(&mut out, &format!("{:<4}", claim.name), 6, &text);
    }
    out
}

/// A text in lines no longer than the table, the first behind `head`, the others indented.
fn push_wrapped(out: &mut String, head: &str, indent: usize, text: &str) {
    let mut line = head.to_string();
    let mut is_empty = true;
    for word in text.split(' ') {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}
