//! The article and its parts. Values of these types are valid: they are made by [`crate::Draft`] and
//! [`crate::apply`], or read back from our own log.
//!
//! Enums carry an `Unknown` arm because v1 of the wire format grows by addition only: a consumer that meets a newer
//! word must go on, and knows that it does not know it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ArticleId, Published, PublisherId};

/// A wire enum in snake_case that reads any word it does not know as `Unknown`.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$arm_meta:meta])* $arm:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$arm_meta])* #[serde(rename = $word)] $arm,)+
            /// A word of a newer version; never accepted from a newsroom.
            #[serde(other, rename = "unknown")]
            #[schemars(skip)]
            Unknown,
        }

        impl $name {
            /// Every word of version 1.
            pub const WORDS: &[&str] = &[$($word),+];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$arm => $word,)+
                    Self::Unknown => "unknown",
                }
            }

            /// `None` for a word that is not one of [`Self::WORDS`].
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$arm),)+
                    _ => None,
                }
            }
        }
    };
}

wire_enum! {
    /// Where an article stands in its life.
    Status {
        Embargoed = "embargoed",
        Published = "published",
        Held = "held",
        Withdrawn = "withdrawn",
        Killed = "killed",
    }
}

wire_enum! {
    /// What kind of change a revision is; it decides who hears of it.
    ChangeKind {
        New = "new",
        Minor = "minor",
        Major = "major",
        Correction = "correction",
        Hold = "hold",
        Release = "release",
        Withdraw = "withdraw",
        Kill = "kill",
        Reinstate = "reinstate",
    }
}

wire_enum! {
    /// What a contributor did.
    ContributorRole {
        Author = "author",
        Editor = "editor",
        Photographer = "photographer",
        Translator = "translator",
    }
}

wire_enum! {
    /// What a source is to the article.
    SourceRole {
        /// First published there.
        Publisher = "publisher",
        /// Wrote or supplied it.
        Originator = "originator",
        /// Quoted or drawn upon.
        Reference = "reference",
    }
}

wire_enum! {
    /// How two language versions stand to each other.
    TranslationRel {
        /// The linked article is the original of this one.
        TranslationOf = "translation_of",
        /// The linked article is a translation of this one.
        HasTranslation = "has_translation",
    }
}

wire_enum! {
    /// What an associated file is.
    AssociationKind {
        Picture = "picture",
        Video = "video",
        Audio = "audio",
        Document = "document",
    }
}

/// One revision of an article, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "newswire article v1")]
pub struct Article {
    pub id: ArticleId,
    /// 1 for the first, one more for every accepted change.
    pub revision: u32,
    pub publisher: PublisherId,
    pub status: Status,
    pub change: Change,
    /// A rehearsal: it goes every way that an article goes, and is shown and mailed to nobody who did not ask for
    /// rehearsals. Never changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// One line, 1–300 graphemes, verbatim.
    pub headline: String,
    /// At most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Sanitised HTML, at most 512 KiB; absent only when killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// BCP 47.
    pub language: String,
    /// Verbatim, as it should be printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byline: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<Contributor>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Dateline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub located: Option<String>,
    /// A path, outermost first, at most 5 levels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub section: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<Subject>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genre: Option<Url>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slugline: Option<String>,
    /// 1–9; 1 and 2 are breaking news.
    pub urgency: u8,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub first_created: Timestamp,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub version_created: Timestamp,
    /// Absent until public; never changes after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// The last significant change (major, correction, withdraw, kill, reinstate), never before `published.at`.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub embargoed_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub expires_at: Option<Timestamp>,
    /// The newsroom's own page. None is invented: without one the permalink is our article page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical_url: Option<Url>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translations: Vec<Translation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub associations: Vec<Association>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copyright_holder: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copyright_notice: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_terms: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights_url: Option<Url>,
    /// For editors. It never leaves the newsroom: no feed, page or email may print it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ed_note: Option<String>,
    /// Append-only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alt_ids: Vec<AltId>,
    pub provenance: Provenance,
    /// Whatever else the newsroom keeps, by namespace. Carried, never interpreted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ext: BTreeMap<String, serde_json::Value>,
}

impl Article {
    /// Urgency 1 and 2 are breaking news: their own lane, ahead of everything.
    pub fn is_breaking(&self) -> bool {
        self.urgency <= 2
    }

    /// Whether readers may have it: public, and neither embargoed nor expired at `now`. A withdrawn or killed
    /// article is not readable, but its notice is to be shown.
    pub fn is_readable(&self, now: Timestamp) -> bool {
        self.status == Status::Published
            && !self.is_expired(now)
            && self.embargoed_until.is_none_or(|until| until <= now)
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }

    /// Names of the contributors in `role`, in the newsroom's order.
    pub fn contributors_in(&self, role: ContributorRole) -> impl Iterator<Item = &Contributor> {
        self.contributors.iter().filter(move |contributor| contributor.role == role)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    pub kind: ChangeKind,
    /// What readers are told; required for a correction, a withdrawal and a kill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contributor {
    pub name: String,
    pub role: ContributorRole,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<Url>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    pub name: String,
    pub role: SourceRole,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Such as `medtop` for IPTC Media Topics.
    pub scheme: String,
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Translation {
    pub language: String,
    pub rel: TranslationRel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ArticleId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Association {
    #[serde(rename = "type")]
    pub kind: AssociationKind,
    pub uri: Url,
    /// Media type, such as `image/jpeg`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Bytes; a feed enclosure needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Required for pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_terms: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Correction {
    pub revision: u32,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    pub note: String,
}

/// The article's identity somewhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AltId {
    /// Whose identity: `cms`, `guid`.
    pub role: String,
    pub value: String,
}

/// How the article came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// `api`, `cli-import`, …
    pub channel: String,
    /// SHA-256 of what was received, in hex.
    pub raw_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importer: Option<String>,
    /// What intake noticed and did: markup removed, a time zone assumed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
