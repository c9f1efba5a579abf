//! The claims T1-T10 of arXiv 2601.10962 about its model, each decided by a rule from numbers in the result file.
//!
//! A rule sees numbers only, so that it can be tested with numbers that must fail. Monotonicity is judged on runs that are
//! frozen at their end.

mod claim;
mod evidence;
mod rules;

pub(crate) use claim::group;
pub use claim::{Claim, ClaimsResult, Verdict, table};
pub use evidence::claims;
