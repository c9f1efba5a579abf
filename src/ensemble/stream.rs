//! Random streams that are a function of (seed, experiment, run, step block) and of nothing else.
//!
//! # Method
//! Each walker owns a xoshiro256++ generator (Blackman and Vigna 2021). At the start of every block of
//! [`STEP_BLOCK`] steps its 256 bits of state are computed anew from the four keys by the SplitMix64 mixer, so
//! that neither the number of threads, nor the order of work, nor the way runs are gathered into vectors can
//! change a number. The states of [`LANES`] walkers stand side by side, and the compiler turns the
//! loop over them into vector instructions.
//!
//! # Limitations
//! Streams are independent in the sense that two 256-bit states chosen at random are: an overlap of two of
//! 2^40 streams has probability below 2^-120.

use crate::math::elementary;

/// Steps after which a walker's generator is keyed anew; even, because normals come in pairs.
pub const STEP_BLOCK: u64 = 256;

/// Walkers that advance together in one vectorised loop.
pub const LANES: usize = crate::math::LANES;

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64, a bijection of 64-bit words.
#[inline(always)]
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[inline(always)]
fn absorb(word: u64, value: u64) -> u64 {
    mix(word ^ value.wrapping_add(1).wrapping_mul(GOLDEN))
}

/// The part of a stream's key that all runs of an experiment share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamKey([u64; 4]);

impl StreamKey {
    /// Key of one experiment under one seed.
    pub fn new(seed: u64, experiment: u64) -> Self {
        Self(std::array::from_fn(|word| {
            absorb(
                absorb(mix(GOLDEN.wrapping_mul(word as u64 + 1)), seed),
                experiment,
            )
        }))
    }

    /// State of xoshiro256++ for one run in one block of steps.
    #[inline(always)]
    pub fn state(&self, run: u64, step_block: u64) -> [u64; 4] {
        self.0.map(|word| absorb(absorb(word, run), step_block))
    }
}

/// An experiment's number from its name, for [`StreamKey::new`]: the 64-bit FNV-1a hash.
pub fn experiment_number(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Generators of [`LANES`] walkers side by side.
#[derive(Debug, Clone)]
pub struct Streams {
    state: [[u64; LANES]; 4],
}

impl Streams {
    /// Streams without a state; [`Streams::set`] comes first.
    pub fn unset() -> Self {
        Self {
            state: [[0; LANES]; 4],
        }
    }

    /// Gives a lane its state.
    #[inline(always)]
    pub fn set(&mut self, lane: usize, state: [u64; 4]) {
        for (word, value) in self.state.iter_mut().zip(state) {
            word[lane] = value;
        }
    }

    /// Gives every lane the state of its run in one block of steps, the runs being consecutive.
    pub fn set_block(&mut self, key: &StreamKey, first_run: usize, step_block: u64) {
        for lane in 0..LANES {
            self.set(lane, key.state((first_run + lane) as u64, step_block));
        }
    }

    /// The next 64 bits of a lane (xoshiro256++).
    #[inline(always)]
    pub fn bits(&mut self, lane: usize) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let (a, b, c, d) = (s0[lane], s1[lane], s2[lane], s3[lane]);
        let output = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        s1[lane] = b ^ c;
        s0[lane] = a ^ d;
        s2[lane] = c ^ (b << 17);
        s3[lane] = d.rotate_left(45);
        output
    }

    /// A uniform number in (0, 1), never 0 or 1.
    #[inline(always)]
    pub fn uniform(&mut self, lane: usize) -> f64 {
        elementary::open_unit(self.bits(lane))
    }

    /// Two independent standard normals.
    #[inline(always)]
    pub fn normals(&mut self, lane: usize) -> [f64; 2] {
        self.polar(lane).normals()
    }

    /// Two independent standard normals in polar form.
    #[inline(always)]
    pub fn polar(&mut self, lane: usize) -> Polar {
        let squared_radius = -2.0 * elementary::ln(self.uniform(lane));
        let (sine, cosine) = elementary::sin_cos_turns(self.uniform(lane));
        Polar {
            squared_radius,
            direction: [cosine, sine],
        }
    }
}

/// Two independent standard normals z = sqrt(q) (cos φ, sin φ).
///
/// # Formula
/// Box and Muller 1958: q = −2 ln u1, φ = 2πu2. The largest normal is sqrt(106 ln 2) = 8.57.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Polar {
    /// q = |z|², exponential with mean 2. A step that takes the root of its own covariance anyway takes that of q with it.
    pub squared_radius: f64,
    /// (cos φ, sin φ).
    pub direction: [f64; 2],
}

impl Polar {
    /// The polar form of no noise.
    pub const ZERO: Self = Self {
        squared_radius: 0.0,
        direction: [1.0, 0.0],
    };

    /// The two normals.
    #[inline(always)]
    pub fn normals(self) -> [f64; 2] {
        let radius = self.squared_radius.sqrt();
        self.direction.map(|component| radius * component)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    #[test]
    fn a_lane_is_the_reference_generator() {
        let key = StreamKey::new(7, experiment_number("reference"));
        let mut streams = Streams::unset();
        for lane in 0..LANES {
            streams.set(lane, key.state(lane as u64, 3));
        }
        for lane in [0, 1, LANES - 1] {
            let mut seed = [0_u8; 32];
            for (bytes, word) in seed.chunks_exact_mut(8).zip(key.state(lane as u64, 3)) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            let mut reference = Xoshiro256PlusPlus::from_seed(seed);
            for _ in 0..100 {
                assert_eq!(streams.bits(lane), reference.next_u64());
            }
        }
    }

    #[test]
    fn keys_differ_in_every_argument() {
        let base = StreamKey::new(1, 2).state(3, 4);
        for other in [
            StreamKey::new(2, 2).state(3, 4),
            StreamKey::new(1, 3).state(3, 4),
            StreamKey::new(1, 2).state(4, 4),
            StreamKey::new(1, 2).state(3, 5),
            StreamKey::new(2, 1).state(3, 4),
            StreamKey::new(1, 2).state(4, 3),
        ] {
            assert!(base.iter().zip(other).all(|(a, b)| *a != b));
        }
    }
}
