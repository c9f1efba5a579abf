//! The claims T1-T10 of arXiv 2601.10962 about its model, and five of its statements (S1-S5) that came out otherwise: each decided by a rule from
//! numbers in the result file, for whatever landscape and noise of the two-valley family the file is about. N1-N7 are its claims about networks, decided from `[network]`.
//!
//! A rule sees numbers only, so that it can be tested with numbers that must fail. Monotonicity is judged on runs that are
//! frozen at their end.

mod claim;
mod evidence;
mod networks;
mod rules;

pub use claim::{Claim, ClaimsResult, Verdict, table};

use crate::config::Config;
use crate::error::Result;
use crate::output::{ResultFile, as_one_run};

/// All claims that the tasks of `file` are about: T1-T10 and S1-S5 of the two-valley model, N1-N7 of networks. A sweep over ranges of its tasks is judged as the one
/// run that it is ([`as_one_run`]); cells of any other sweep are not comparable with each other, and nothing is claimed of them.
///
/// # Errors
/// [`crate::Error::Input`] when a group lacks a record it should hold.
pub fn claims(file: &ResultFile, config: &Config) -> Result<Vec<Claim>> {
    let Some(file) = as_one_run(file)? else {
        return Ok(Vec::new());
    };
    let mut all = evidence::claims(&file, config)?;
    all.extend(networks::claims(&file)?);
    Ok(all)
}

/// Adds the claims to the file that they are about, if there are any.
///
/// # Errors
/// As [`claims`].
pub(crate) fn push_claims(file: &mut ResultFile, config: &Config) -> Result<()> {
    match claims(file, config)?.as_slice() {
        [] => Ok(()),
        all => file.push(claim::group(all)?),
    }
}
