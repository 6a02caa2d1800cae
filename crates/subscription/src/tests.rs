//! Selections as they are written, as they are kept, and what they find.

mod articles;
mod finding;
mod spelling;
mod words;
