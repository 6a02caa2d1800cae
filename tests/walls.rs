//! The walls of the workspace: what may depend on what, and what every file owes its reader. A rule that nobody checks is
//! a wish; each complaint here says what to do.

#[path = "walls/layers.rs"]
mod layers;
#[path = "walls/repository.rs"]
mod repository;
#[path = "walls/text.rs"]
mod text;
#[path = "walls/words.rs"]
mod words;

/// Fails with every complaint, not with the first.
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaints:\n  {}", complaints.len(), complaints.join("\n  "));
}
