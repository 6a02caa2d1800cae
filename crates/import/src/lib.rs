//! A newsroom's page as plain text in, the article's fields out.
//!
//! Nothing is rewritten: every field is a piece of the page exactly as printed, and every non-blank character of
//! the page ends in a field, in a label or mark, or in [`Page::dropped`] with a reason. A page that cannot be read
//! without guessing is refused with a [`Code`], the line, what was seen and what to do.
//!
//! Pure: this crate must not know about clocks, files, networks, or the article model.

mod account;
mod block;
mod date;
mod draft;
mod error;
mod fold;
mod labels;
mod language;
mod layout;
mod lines;
mod names;
mod page;
mod signoff;
mod zone;

pub use account::{Claim, What};
pub use error::{Code, ImportError};
pub use lines::MAX_BYTES;
pub use page::{
    BylineFrom, Dropped, LanguageFrom, Options, Page, PageDate, Precision, Warning, WarningCode, Why, ZoneFrom,
};
pub use zone::{BadZone, Profile, Tell, UnknownProfile, Zone};

/// Reads one page of at most [`MAX_BYTES`] UTF-8 bytes.
///
/// # Errors
/// Every mistake that can be told apart, in the order of the page: a page with a bad date and no body reports both.
/// The list is never empty.
pub fn import_text(bytes: &[u8], options: &Options) -> Result<Page, Vec<ImportError>> {
    let (text, lines) = lines::read(bytes).map_err(|error| vec![error])?;
    let layout = layout::find(&lines).map_err(|error| vec![error])?;
    draft::page(text, &lines, &layout, options)
}
