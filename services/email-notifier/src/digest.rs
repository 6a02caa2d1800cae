//! Digests: what was found since the last one, together, at an hour of the subscriber's own.

pub(crate) mod belong;
