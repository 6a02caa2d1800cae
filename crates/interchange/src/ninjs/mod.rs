//! ninjs, the IPTC's news in JSON (iptc.org/standards/ninjs): read in what agencies send of it, written as 3.1.
//!
//! | ninjs 3.1 | article |
//! |---|---|
//! | `uri` | `id` out; an alternative id of role `ninjs` in |
//! | `headlines`, `descriptions`, `bodies` | `headline`, `summary`, `body` |
//! | `by`, `infoSources` | `byline`, `contributors` and `sources`, told apart by their role |
//! | `subjects` | `subjects`; with `rel` `section` the section's levels, without any code `keywords` |
//! | `contentCreated`, else `firstCreated`, else `versionCreated` | `published` |
//! | `embargoedUntil`, `expires`, `urgency`, `language`, `located`, `slugline` | the same |
//! | `pubStatus` | `usable` is public, `withheld` and `canceled` are not |
//! | rendition `web` | `canonical_url` |
//! | `associations` | `associations`; with `rel` `translation_of` or `has_translation` `translations` |
//! | `people`, `organisations`, `places`, `events`, `objects` | kept as they are in `ext`, under [`EXT`] |
//!
//! `edNote` is read and never written: the editors' note does not leave the newsroom.

mod files;
mod members;
mod read;
mod write;

pub use read::read;
pub use write::write;

/// The role under which the `uri` is kept among an article's alternative ids.
pub const ROLE: &str = "ninjs";

/// The namespace of `ext` that holds what an article has no field for.
pub const EXT: &str = "org.iptc.ninjs";

/// Of a Media Topic's address, what comes before the code.
const MEDIA_TOPICS: &str = "http://cv.iptc.org/newscodes/mediatopic/";
/// `rel` of a subject that is a level of the section.
const SECTION: &str = "section";
/// Name of the rendition that is the article's own page.
const WEB: &str = "web";
