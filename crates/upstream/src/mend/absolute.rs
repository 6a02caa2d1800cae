//! Addresses made absolute, within bounds.

use std::cell::Cell;

use url::Url;

/// How much longer all addresses of a document may become together by being made absolute, in bytes. Of a hundred
/// thousand short ones and a long base a document would otherwise make a thousand times its size.
const MAX_GROWTH: usize = 16 << 20;

/// What is left of [`MAX_GROWTH`].
pub(super) struct Resolver {
    left: Cell<usize>,
}

impl Resolver {
    pub(super) fn new() -> Self {
        Self { left: Cell::new(MAX_GROWTH) }
    }

    /// The address that `written` is at `base`; as written if it is none, or nothing is left.
    pub(super) fn absolute(&self, base: &Url, written: &str) -> String {
        let written = written.trim();
        if self.left.get() < base.as_str().len() {
            return written.into();
        }
        let Ok(address) = base.join(written) else { return written.into() };
        let growth = address.as_str().len().saturating_sub(written.len());
        self.left.set(self.left.get().saturating_sub(growth));
        address.into()
    }
}
