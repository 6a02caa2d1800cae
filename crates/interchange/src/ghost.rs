//! A post as Ghost's webhooks send it: `{"post": {"current": {…}, "previous": {…}}}`.
//!
//! The state in the document decides, not the name of the event (Ghost does not send it): a post that is published and
//! for everybody is public, every other one is not, whatever it was before. Ghost has no language of a post: it is the
//! webhook's.

use article::Problem;
use serde_json::{Value, json};

use crate::shape::{File, Shape, identity, string, web_url, words};
use crate::{Defaults, Foreign, Wish};

/// The role under which Ghost's id is kept among an article's alternative ids.
pub const ROLE: &str = "ghost";

/// Reads what a Ghost webhook delivers.
///
/// # Errors
/// What is missing for the document to be about a post.
pub fn read(document: &Value, defaults: &Defaults) -> Result<Foreign, Problem> {
    let Some(post) = document.get("post") else {
        let other = document
            .as_object()
            .and_then(|map| map.keys().find(|key| ["page", "tag", "member"].contains(&key.as_str())));
        return match other {
            Some(kind) => Ok(foreign(String::new(), Wish::Nothing { why: format!("a {kind} is no article") })),
            None => Err(Problem::new(
                "/post",
                "required",
                "expected what Ghost sends for a post: post.current, post.previous",
            )),
        };
    };
    let current = post.get("current").unwrap_or(&Value::Null);
    if current.get("id").is_none() {
        // What was deleted has nothing current.
        let id = identity(post.get("previous").unwrap_or(&Value::Null), "id", "/post/current/id")?;
        return Ok(foreign(id, withdraw("it was deleted".into())));
    }
    let id = identity(current, "id", "/post/current/id")?;
    let changed_at = string(current, "updated_at").and_then(|at| at.parse().ok());
    if let Some(why) = not_public(current) {
        return Ok(Foreign { changed_at, ..foreign(id, withdraw(why)) });
    }
    let mut shape = Shape::default();
    text(&mut shape, current, defaults)?;
    people_and_topics(&mut shape, current, defaults);
    picture(&mut shape, current);
    shape.list("alt_ids", vec![json!({ "role": ROLE, "value": id })], 20);
    Ok(Foreign { id, changed_at, wish: Wish::Publish(Value::Object(shape.draft)), warnings: shape.warnings })
}

fn foreign(id: String, wish: Wish) -> Foreign {
    Foreign { id, changed_at: None, wish, warnings: Vec::new() }
}

fn withdraw(why: String) -> Wish {
    Wish::Withdraw { why, note: None }
}

/// Why not everybody may read the post. What is not said is not public: a field that a later Ghost renames must not
/// open what its newsroom keeps closed.
fn not_public(post: &Value) -> Option<String> {
    match (string(post, "status"), string(post, "visibility")) {
        (Some("published"), Some("public")) => None,
        (Some("published"), Some(visibility)) => Some(format!("it is for {} only", brief(visibility))),
        (Some("published"), None) => Some("it does not say for whom it is".into()),
        (Some(status), _) => Some(format!("its status is {}", brief(status))),
        (None, _) => Some("it does not say whether it is published".into()),
    }
}

fn brief(word: &str) -> String {
    word.chars().take(40).filter(|c| !c.is_control()).collect()
}

fn text(shape: &mut Shape, post: &Value, defaults: &Defaults) -> Result<(), Problem> {
    shape.required("headline", string(post, "title").map(crate::shape::one_line).unwrap_or_default());
    match (string(post, "html"), string(post, "plaintext")) {
        (Some(html), _) => shape.required("body", html),
        (None, Some(text)) => shape.required("body_text", text),
        (None, None) => return Err(Problem::new("/post/current/html", "required", "the post has no text")),
    }
    // `excerpt` is cut from the text by Ghost; only `custom_excerpt` is written by somebody.
    shape.text("summary", string(post, "custom_excerpt"), 1000);
    shape.language(None, defaults);
    if let Some(at) = string(post, "published_at") {
        shape.published(at, defaults);
    }
    // A post that Ghost's routing does not reach has the address of its error page.
    let own = string(post, "url").filter(|url| !url.trim_end_matches('/').ends_with("/404"));
    shape.url("canonical_url", string(post, "canonical_url").or(own));
    Ok(())
}

fn people_and_topics(shape: &mut Shape, post: &Value, defaults: &Defaults) {
    let list = |name: &str| post.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut authors = Vec::new();
    for author in list("authors") {
        if let Some(name) = shape.fitting("an author", string(author, "name"), 300) {
            let mut person = json!({ "name": crate::shape::one_line(name), "role": "author" });
            if let Some(url) = string(author, "website").and_then(web_url) {
                person["uri"] = url.as_str().into();
            }
            authors.push(person);
        }
    }
    shape.list("contributors", authors, 50);
    // The names of internal tags begin with a hash: they are for the newsroom's templates.
    let is_public = |tag: &&Value| string(tag, "visibility") != Some("internal");
    let names: Vec<&str> = list("tags").iter().filter(is_public).filter_map(|tag| string(tag, "name")).collect();
    let primary = names.first().copied();
    shape.section(primary.into_iter().collect(), defaults);
    shape.names("keywords", names.into_iter().skip(1), 20);
}

fn picture(shape: &mut Shape, post: &Value) {
    let Some(uri) = string(post, "feature_image") else { return };
    let caption = string(post, "feature_image_caption").map(words);
    let headline = string(post, "title").unwrap_or_default();
    let file = File {
        kind: "picture",
        uri,
        alt_text: string(post, "feature_image_alt"),
        caption: caption.as_deref(),
        ..File::default()
    };
    if let Some(picture) = shape.file(&file, headline) {
        shape.list("associations", vec![picture], 100);
    }
}
