//! Colours that colour-blind readers can tell apart, and that keep their order in grey.

/// An opaque sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// Black, for axes and text.
    pub const BLACK: Self = Self(0, 0, 0);
    /// White, the paper.
    pub const WHITE: Self = Self(255, 255, 255);
    /// Grey of reference lines.
    pub const GREY: Self = Self(120, 120, 120);
    /// Light grey of cells without a value.
    pub const MISSING: Self = Self(208, 208, 208);

    /// The palette of Okabe and Ito without yellow, which is too pale for lines: blue, vermillion, green, purple, orange, sky
    /// blue, black; repeated beyond that.
    pub fn nth(n: usize) -> Self {
        const PALETTE: [Colour; 7] = [
            Colour(0x00, 0x72, 0xb2),
            Colour(0xd5, 0x5e, 0x00),
            Colour(0x00, 0x9e, 0x73),
            Colour(0xcc, 0x79, 0xa7),
            Colour(0xe6, 0x9f, 0x00),
            Colour(0x56, 0xb4, 0xe9),
            Colour(0x00, 0x00, 0x00),
        ];
        PALETTE[n % PALETTE.len()]
    }

    fn from_hex(hex: u32) -> Self {
        Self((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
    }
}

/// A continuous range of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourMap {
    /// Perceptually uniform, dark blue to yellow: for quantities with an order.
    Viridis,
    /// Like viridis, the same for readers with and without colour vision deficiency: blue to yellow.
    Cividis,
    /// Blue to white to red: for deviations from the middle of the range, such as z-scores.
    Diverging,
}

impl ColourMap {
    /// Colour at `fraction` of the range; outside of 0 to 1 the end colours.
    pub fn at(self, fraction: f64) -> Colour {
        // Samples at equal distances, interpolated in sRGB; Diverging is RdBu of Brewer, reversed.
        const VIRIDIS: [u32; 17] = [
            0x440154, 0x48186a, 0x472d7b, 0x424086, 0x3b528b, 0x33638d, 0x2c728e, 0x26828e, 0x21918c,
            0x1fa088, 0x28ae80, 0x3fbc73, 0x5ec962, 0x84d44b, 0xaddc30, 0xd8e219, 0xfde725,
        ];
        const CIVIDIS: [u32; 17] = [
            0x00224e, 0x002e6a, 0x1a386f, 0x32436d, 0x434e6c, 0x535a6d, 0x61656f, 0x6f7073, 0x7d7c78,
            0x8c8878, 0x9b9476, 0xaba072, 0xbcae6c, 0xcdbb63, 0xdec958, 0xf0d846, 0xfee838,
        ];
        const DIVERGING: [u32; 11] = [
            0x053061, 0x2065ab, 0x4393c3, 0x90c4dd, 0xd1e5f0, 0xf7f6f6, 0xfddbc7, 0xf3a481, 0xd6604d,
            0xb1182b, 0x67001f,
        ];
        let samples: &[u32] = match self {
            Self::Viridis => &VIRIDIS,
            Self::Cividis => &CIVIDIS,
            Self::Diverging => &DIVERGING,
        };
        let place = fraction.clamp(0.0, 1.0) * (samples.len() - 1) as f64;
        let below = (place as usize).min(samples.len() - 2);
        let weight = place - below as f64;
        let (a, b) = (
            Colour::from_hex(samples[below]),
            Colour::from_hex(samples[below + 1]),
        );
        let mix = |a: u8, b: u8| (f64::from(a) * (1.0 - weight) + f64::from(b) * weight).round() as u8;
        Colour(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
    }
}
