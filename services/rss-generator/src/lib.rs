//! rss-generator: follows the log of articles and serves them as RSS, Atom, JSON Feed and HTML pages.
//!
//! Every replica follows the whole log into memory and shares nothing with the others. What it serves is a function
//! of the last revision of each article, so two replicas answer with the same bytes and ETags. A feed is made when it is
//! first asked for, and from then on written when an article changes: who asks for it again is handed bytes.

mod address;
mod answer;
mod conditional;
mod config;
mod counts;
mod dictionary;
mod document;
mod documents;
mod encode;
mod entries;
mod facts;
mod feeds;
mod follow;
mod history;
mod html;
mod http;
mod hub;
mod library;
mod listings;
mod maker;
mod members;
mod names;
mod parallel;
mod patience;
mod reading;
mod receipts;
mod run;
#[cfg(test)]
mod samples;
mod search;
mod site;
mod stand;
mod state;
#[cfg(test)]
mod table;
mod words;

pub use config::{Config, PREFIX};
pub use fetch::Networks;
pub use run::{RssGenerator, run};
