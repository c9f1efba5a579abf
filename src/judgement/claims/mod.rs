//! The claims T1-T10 of arXiv 2601.10962 about its model, and five of its statements (S1-S5) that came out otherwise: each decided by a rule from
//! numbers in the result file, for whatever landscape and noise of the two-valley family the file is about.
//!
//! A rule sees numbers only, so that it can be tested with numbers that must fail. Monotonicity is judged on runs that are
//! frozen at their end.

mod claim;
mod evidence;
mod rules;

pub(crate) use claim::group;
pub use claim::{Claim, ClaimsResult, Verdict, table};
pub use evidence::claims;
