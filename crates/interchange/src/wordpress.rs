//! A post as WordPress's REST API shows it (`GET /wp-json/wp/v2/posts/<id>`, best with `?_embed`).
//!
//! It is public when its status is `publish` and it has no password. What the API answers to a deletion
//! (`{"deleted": true, "previous": {…}}`) withdraws the article.

use article::Problem;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::shape::{File, Shape, identity, one_line, string, words};
use crate::{Defaults, Foreign, Wish};

/// The role under which WordPress's id is kept among an article's alternative ids.
pub const ROLE: &str = "wordpress";

/// Types of posts that are part of the site, not of its news.
const NOT_NEWS: [&str; 7] =
    ["page", "attachment", "revision", "nav_menu_item", "wp_block", "wp_template", "wp_navigation"];

/// The category WordPress gives to what has none.
const NO_CATEGORY: &str = "uncategorized";

/// Reads a post.
///
/// # Errors
/// What is missing for the document to be a post.
pub fn read(document: &Value, defaults: &Defaults) -> Result<Foreign, Problem> {
    let deleted = document.get("deleted").and_then(Value::as_bool) == Some(true);
    let post = if deleted { document.get("previous").unwrap_or(&Value::Null) } else { document };
    let id = identity(post, "id", "/id")?;
    let kind = string(post, "type").unwrap_or("post");
    if NOT_NEWS.contains(&kind) {
        return Ok(Foreign {
            id,
            changed_at: None,
            wish: Wish::Nothing { why: format!("its type is {kind}: no article") },
            warnings: Vec::new(),
        });
    }
    // The time of a deletion is not the time of the last change.
    let changed_at = if deleted { None } else { utc(post, "modified_gmt") };
    if let Some(why) = not_public(post, deleted) {
        return Ok(Foreign { id, changed_at, wish: Wish::Withdraw { why, note: None }, warnings: Vec::new() });
    }
    let mut shape = Shape::default();
    let headline = one_line(&words(rendered(post, "title").unwrap_or_default()));
    shape.required("headline", headline.as_str());
    let body = rendered(post, "content");
    shape.required("body", body.ok_or_else(|| Problem::new("/content/rendered", "required", "the post has no text"))?);
    let excerpt = rendered(post, "excerpt").map(words).filter(|excerpt| !is_cut(excerpt));
    shape.text("summary", excerpt.as_deref(), 1000);
    // What Polylang and its kin add.
    shape.language(string(post, "lang"), defaults);
    if let Some(at) = utc(post, "date_gmt") {
        shape.published(&at.to_string(), defaults);
    }
    shape.url("canonical_url", string(post, "link"));
    embedded(&mut shape, post, &headline, defaults);
    shape.list("alt_ids", vec![json!({ "role": ROLE, "value": id })], 20);
    Ok(Foreign { id, changed_at, wish: Wish::Publish(Value::Object(shape.draft)), warnings: shape.warnings })
}

fn not_public(post: &Value, deleted: bool) -> Option<String> {
    if deleted {
        return Some("it was deleted".into());
    }
    let protected = post.pointer("/content/protected").is_some_and(|protected| protected != &Value::Bool(false));
    match string(post, "status") {
        Some("publish") if protected => Some("it has a password".into()),
        Some("publish") => None,
        Some(status) => {
            Some(format!("its status is {}", status.chars().filter(|c| !c.is_control()).take(40).collect::<String>()))
        }
        None => Some("it does not say whether it is published".into()),
    }
}

/// The `rendered` member that texts have.
fn rendered<'a>(post: &'a Value, name: &str) -> Option<&'a str> {
    string(post.get(name)?, "rendered")
}

/// A time in UTC, which WordPress writes without saying so; drafts have zeros.
fn utc(post: &Value, name: &str) -> Option<Timestamp> {
    format!("{}Z", string(post, name)?.trim_end_matches('Z')).parse().ok()
}

/// An excerpt that WordPress made by cutting the text.
fn is_cut(excerpt: &str) -> bool {
    excerpt.ends_with("[…]") || excerpt.ends_with("[...]")
}

/// What `?_embed` adds: names of authors and terms, the picture.
fn embedded(shape: &mut Shape, post: &Value, headline: &str, defaults: &Defaults) {
    let nothing = Value::Null;
    let embedded = post.get("_embedded").unwrap_or(&nothing);
    let list = |name: &str| embedded.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut authors = Vec::new();
    for author in list("author") {
        if let Some(name) = shape.fitting("an author", string(author, "name"), 300) {
            authors.push(json!({ "name": one_line(name), "role": "author" }));
        }
    }
    shape.list("contributors", authors, 50);
    let terms = list("wp:term").iter().filter_map(Value::as_array).flatten();
    let (mut categories, mut tags) = (Vec::new(), Vec::new());
    for term in terms.filter(|term| string(term, "slug") != Some(NO_CATEGORY)) {
        // Names are escaped as for a page.
        let name = string(term, "name").map(words).unwrap_or_default();
        match string(term, "taxonomy") {
            Some("category") => categories.push(name),
            Some("post_tag") => tags.push(name),
            _ => {}
        }
    }
    shape.section(categories.first().map(String::as_str).into_iter().collect(), defaults);
    shape.names("keywords", categories.iter().skip(1).chain(&tags).map(String::as_str), 20);
    if let Some(media) = list("wp:featuredmedia").first()
        && let Some(picture) = picture(shape, media, headline)
    {
        shape.list("associations", vec![picture], 100);
    }
}

fn picture(shape: &mut Shape, media: &Value, headline: &str) -> Option<Value> {
    let number = |pointer: &str| media.pointer(pointer).and_then(Value::as_u64);
    let caption = rendered(media, "caption").map(words);
    let file = File {
        kind: "picture",
        uri: string(media, "source_url")?,
        mime: string(media, "mime_type"),
        width: number("/media_details/width"),
        height: number("/media_details/height"),
        size: number("/media_details/filesize"),
        alt_text: string(media, "alt_text"),
        caption: caption.as_deref(),
        ..File::default()
    };
    shape.file(&file, headline)
}
