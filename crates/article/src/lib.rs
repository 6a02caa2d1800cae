//! The article model that every service, feed, email and event speaks.
//!
//! Pure: no clock, network, environment or file system; whoever needs the time passes `now` in. This crate knows
//! nothing of NATS, HTTP, feeds or email. The terms are the news trade's own (IPTC ninjs 3.1, schema.org
//! `NewsArticle`); the wire format is `wire::v1` and changes only by addition.

mod draft;
mod html;
mod id;
mod language;
mod lifecycle;
mod model;
mod problem;
mod published;
mod reader;
mod section;
mod text;
pub mod wire;

pub use draft::{Draft, MAX_BODY_BYTES, MAX_FUTURE, draft_schema};
pub use html::{Sanitised, paragraphs_to_html, sanitise, to_text};
pub use id::{ArticleId, InvalidId, PublisherId};
pub use language::{LanguageName, language_name};
pub use lifecycle::{Command, Rejection, RevisionKind, apply};
pub use model::{
    AltId, Article, Association, AssociationKind, Change, ChangeKind, Contributor, ContributorRole, Correction,
    Provenance, Source, SourceRole, Status, Subject, Translation, TranslationRel,
};
pub use problem::Problem;
pub use published::{Precision, Published};
pub use section::{section_slug, slug};
pub use text::{Direction, direction, is_blank};
