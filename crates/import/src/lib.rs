//! A newsroom's page in, as plain text or as HTML; the article's fields out.
//!
//! Nothing is rewritten: every field is a piece of the page exactly as printed. Every non-blank character of a text
//! ends in a field, in a label or mark, or in [`Page::dropped`] with a reason. A page that cannot be read
//! without guessing is refused with a [`Code`], the line, what was seen and what to do.
//!
//! Pure: this crate must not know about clocks, files, networks, or the article model.

mod account;
mod block;
mod date;
mod draft;
mod error;
mod fold;
mod html;
mod imported;
mod labels;
mod language;
mod layout;
mod lines;
mod markup;
mod names;
mod page;
mod signoff;
mod zone;

pub use account::{Claim, What};
pub use error::{Code, ImportError};
pub use imported::{Encoding, EncodingFrom, Field, Format, Imported, Rejected, Trace};
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

/// Largest page of any kind in bytes; [`MAX_BYTES`] for text.
pub const MAX_PAGE_BYTES: usize = 15 << 20;

/// Reads one page, whatever its format.
///
/// # Errors
/// As [`import_text`].
pub fn import_bytes(bytes: &[u8], options: &Options) -> Result<Imported, Vec<ImportError>> {
    match Format::of(bytes) {
        Format::Html => import_html(bytes, options),
        Format::Text => import_text(bytes, options).map(|page| Imported::of_text(page, options)),
    }
}

/// Reads one HTML page of at most [`MAX_PAGE_BYTES`], in whatever encoding.
///
/// # Errors
/// As [`import_text`].
pub fn import_html(bytes: &[u8], options: &Options) -> Result<Imported, Vec<ImportError>> {
    html::page(bytes, options)
}
