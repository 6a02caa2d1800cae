//! Feeds as readers get them: golden files, two foreign parsers, hostile text, every state of an article.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says why")]

mod checked;
mod collection;
mod feedparser;
mod golden;
mod hostile;
mod hostile_articles;
mod lifecycle;
mod lists;
mod paging;
mod parsed_back;
mod samples;
