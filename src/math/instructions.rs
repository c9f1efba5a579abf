//! Choice of the instruction set at run time.
//!
//! The loops are written once, as plain Rust over arrays; each is compiled for several instruction sets and the
//! best one that the processor has is called. None of them uses fused multiply-add, so that additions,
//! multiplications, divisions and square roots round alike and the results are the same bit for bit.

use pulp::NullaryFnOnce;

/// The instruction set that a loop runs with; results do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Instructions {
    /// The widest that the processor has.
    #[default]
    Native,
    /// At most 256-bit vectors (AVX2 on x86-64); the baseline where there are none.
    Avx2,
    /// What every processor of the architecture has (SSE2 on x86-64).
    Baseline,
}

impl Instructions {
    /// All choices, for tests and benchmarks.
    pub const ALL: [Self; 3] = [Self::Native, Self::Avx2, Self::Baseline];

    /// Runs a piece of work, whose `call` and everything under it must be `#[inline(always)]`.
    pub(crate) fn run<W: NullaryFnOnce>(self, work: W) -> W::Output {
        match self {
            Self::Native => pulp::Arch::new().dispatch(work),
            Self::Avx2 => {
                #[cfg(target_arch = "x86_64")]
                if let Some(instructions) = pulp::x86::V3::try_new() {
                    return instructions.vectorize(work);
                }
                work.call()
            }
            Self::Baseline => work.call(),
        }
    }
}
