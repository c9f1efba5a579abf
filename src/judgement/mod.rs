//! Judgement: do the routes agree, and which claims do the numbers support?

pub mod agreement;
pub mod claims;
pub mod validation;
