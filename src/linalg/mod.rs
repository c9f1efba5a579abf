//! Linear algebra of continuous-time chains: sparse rates and subtraction-free elimination.

mod elimination;
mod front;
mod nested_dissection;
mod sparse_rates;

pub use elimination::Elimination;
pub use nested_dissection::NestedDissection;
pub use sparse_rates::{Restriction, SparseRates};
