//! How many rounds there are, and chance.

/// How often something is killed.
pub(crate) fn count() -> usize {
    let given = std::env::var("IMAGE_UPDATER_ROUNDS");
    given.map_or(8, |text| text.parse().unwrap())
}

/// Numbers that look random, and are the same in each run: a failure can be repeated.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}
