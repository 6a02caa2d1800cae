//! Digests: what was found since the last one, together, at an hour of the subscriber's own.

pub(crate) mod belong;
pub(crate) mod chunk;
pub(crate) mod due;
pub(crate) mod edition;
pub(crate) mod issues;
pub(crate) mod items;
pub(crate) mod news;
pub(crate) mod record;
pub(crate) mod run;

#[cfg(test)]
mod tests;
