//! The claims T1-T10 of arXiv 2601.10962 about its model, each decided by a rule from numbers in the result file.
//!
//! A rule sees numbers only, so that it can be tested with numbers that must fail. Monotonicity is judged on runs that are
//! frozen at their end.

mod claim;
mod evidence;
mod rules;

pub use claim::{Claim, Verdict};

use crate::error::Result;
use crate::output::{Group, Record, ResultFile};
use crate::task::Config;

/// All claims for which `file` holds the numbers; empty when a group is missing.
///
/// # Errors
/// [`crate::Error::Input`] when a group lacks a record it should hold.
pub fn claims(file: &ResultFile, config: &Config) -> Result<Vec<Claim>> {
    let needed = [
        "slices",
        "stationary_map",
        "freezing_line",
        "phase_diagram",
        "final_probability",
        "ablations",
        "freezing_theory",
    ];
    if needed.iter().any(|name| file.group(name).is_none()) {
        return Ok(Vec::new());
    }
    let model = config.setting()?.two_valley()?;
    if !model.is_papers() {
        return Ok(Vec::new());
    }
    let mut claims = vec![
        evidence::t1(file)?,
        evidence::t2(file, &model)?,
        evidence::t3(file, &model)?,
        evidence::t4(file)?,
        evidence::t5(file)?,
        evidence::t6(file)?,
        evidence::t7(file, &model)?,
        evidence::t8(file)?,
        evidence::t9(file, &model)?,
        evidence::t10(file, &model)?,
    ];
    for claim in &mut claims {
        if claim.verdict == Verdict::NotSupported {
            claim.reason = "the numbers do not meet the rule for this claim";
        }
    }
    Ok(claims)
}

/// The claims as the group `/claims`.
///
/// # Errors
/// [`crate::Error::DimensionMismatch`] never, the columns having equal lengths.
pub(crate) fn group(claims: &[Claim]) -> Result<Group> {
    let mut group = Group::new("claims")?.with_description(
        "claims of arXiv 2601.10962 about its model, decided by rules from the numbers of this file",
    );
    let n = [("claim", claims.len())];
    type Column = (&'static str, &'static str, fn(&Claim) -> String);
    let columns: [Column; 5] = [
        ("name", "number of the claim", |c| c.name.into()),
        ("statement", "what is claimed", |c| c.statement.into()),
        ("evidence", "the numbers that decide", |c| c.evidence.clone()),
        ("verdict", "the decision", |c| c.verdict.text().into()),
        ("reason", "why", |c| c.reason.into()),
    ];
    for (name, text, value) in columns {
        group.push(
            Record::new(
                name,
                "text",
                &n,
                claims.iter().map(value).collect::<Vec<String>>(),
            )?
            .with_description(text),
        )?;
    }
    Ok(group)
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
