//! Numbers that look random and are the same on every run.

/// A small generator of numbers (xorshift64*), the same on every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit.max(1)
    }

    pub(crate) fn pick<'a>(&mut self, among: &[&'a [u8]]) -> &'a [u8] {
        among[self.below(among.len())]
    }
}
