//! The wire formats, by version. A released version changes only by addition and keeps a golden file in the tests.

pub mod v1;
