//! One look at markup before it is parsed: what is in it, and whether parsing it would explode.
//!
//! The HTML parsing algorithm reopens every formatting element left open in each following paragraph and searches
//! the stack of open elements at every tag: 40 KiB of `<p><b title=1><b title=2>…<p>x<p>x…` become 137 MB in ten
//! seconds. The sum of the nesting depths at every tag bounds both effects, and the tokenizer alone finds it in
//! linear time.
//!
//! The serialiser (html5ever 0.40, `write_escaped`) looks ahead for the next `<` or `>` from every `&` and every
//! character whose UTF-8 begins like a no-break space's: 2 MB of `&` in one text would take it half a minute.

use std::cell::RefCell;
use std::collections::BTreeSet;

use html5ever::LocalName;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

/// The largest sum of depths. A page of 20,000 tags nested 10 deep has 200,000; at the limit parsing takes about a second.
const MAX_DEPTH_SUM: usize = 1_000_000;

/// The largest number of bytes looked at ahead; half a second. A text of 200 KB may hold 200,000 `&`.
const MAX_LOOK_AHEAD: usize = 40_000_000_000;

/// The most element names remembered, for a list that a person reads.
const MAX_NAMES: usize = 20;

/// What the tokens of a document tell.
#[derive(Default)]
pub(super) struct Survey {
    /// Names of the elements that start in it, sorted, as many as a person reads.
    pub(super) unwanted: BTreeSet<String>,
    depth_sum: usize,
    /// Bytes of text, and how many of them make the serialiser look ahead. What the parser joins into one text is
    /// beyond a tokenizer, so all of it is taken for one.
    text: usize,
    stops: usize,
    /// Bytes looked at ahead in attributes, each for itself.
    look_ahead: usize,
    /// Open elements; `None` is something that may be an open element to the parser, and is never closed.
    open: Vec<Option<LocalName>>,
    /// Inside SVG, MathML and a few others the parser reads raw text, comments and CDATA differently from what a
    /// tokenizer alone can know: from then on every `<` it does not show us is taken for an open element.
    unsure: bool,
}

impl Survey {
    /// Reads `html`; `wanted` says which element names are not worth mentioning.
    pub(super) fn of(html: &str, wanted: fn(&str) -> bool) -> Self {
        let input = BufferQueue::default();
        input.push_back(StrTendril::from_slice(html));
        let tokenizer = Tokenizer::new(Sink { survey: RefCell::default(), wanted }, Default::default());
        // The only other result is a script to run, which the sink never asks for.
        while !input.is_empty() {
            let _ = tokenizer.feed(&input);
        }
        tokenizer.end();
        tokenizer.sink.survey.into_inner()
    }

    pub(super) fn is_too_tangled(&self) -> bool {
        let look_ahead = self.look_ahead.saturating_add(self.text.saturating_mul(self.stops));
        self.depth_sum > MAX_DEPTH_SUM || look_ahead > MAX_LOOK_AHEAD
    }

    fn tag(&mut self, tag: &Tag, wanted: fn(&str) -> bool) {
        self.depth_sum = self.depth_sum.saturating_add(self.open.len());
        for attribute in &tag.attrs {
            self.hidden(&attribute.name.local);
            self.hidden(&attribute.value);
            self.look_ahead = self.look_ahead.saturating_add(stops(&attribute.value) * attribute.value.len());
        }
        let name: &str = &tag.name;
        match tag.kind {
            // Only an element that is closed where it was opened is surely closed.
            TagKind::EndTag if self.open.last().is_some_and(|open| open.as_ref() == Some(&tag.name)) => {
                self.open.pop();
            }
            TagKind::EndTag => {}
            TagKind::StartTag => {
                self.unsure |= matches!(name, "svg" | "math" | "select" | "noscript");
                if !closes_itself(name) {
                    self.open.push(Some(tag.name.clone()));
                }
                if self.unwanted.len() < MAX_NAMES && !wanted(name) {
                    self.unwanted.insert(name.chars().take(32).collect());
                }
            }
        }
    }

    fn hidden(&mut self, text: &str) {
        if !self.unsure {
            return;
        }
        for _ in 0..text.bytes().filter(|b| *b == b'<').count() + usize::from(text.starts_with("[CDATA[")) {
            self.depth_sum = self.depth_sum.saturating_add(self.open.len());
            self.open.push(None);
        }
    }
}

fn stops(text: &str) -> usize {
    text.bytes().filter(|b| matches!(b, b'&' | 0xC2)).count()
}

/// Elements without content, and those that a following one of their kind closes: they cannot nest by themselves.
fn closes_itself(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
            | "p"
            | "li"
            | "dd"
            | "dt"
            | "tr"
            | "td"
            | "th"
            | "tbody"
            | "thead"
            | "tfoot"
            | "html"
            | "head"
            | "body"
    )
}

struct Sink {
    survey: RefCell<Survey>,
    wanted: fn(&str) -> bool,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut survey = self.survey.borrow_mut();
        match token {
            Token::TagToken(tag) => {
                survey.tag(&tag, self.wanted);
                if tag.kind == TagKind::StartTag {
                    return content_model(&tag.name);
                }
            }
            // In SVG the parser finds text in what is a comment to a tokenizer.
            Token::CommentToken(text) | Token::CharacterTokens(text) => {
                survey.hidden(&text);
                survey.text += text.len();
                survey.stops += stops(&text);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// How the text after a start tag is to be read (WHATWG HTML, section 13.2.6.4.7).
fn content_model(name: &str) -> TokenSinkResult<()> {
    match name {
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(html: &str) -> Survey {
        Survey::of(html, |_| false)
    }

    #[test]
    fn explosive_markup_is_seen_whatever_hides_it() {
        let open: String = (0..2000).map(|n| format!("<b title={n}>")).collect();
        let more = "<p>x".repeat(2000);
        for (name, html) in [
            ("formatting", format!("<p>{open}{more}")),
            ("nesting", "<div>".repeat(5000)),
            ("ignored end tags", "<div><table></div></table>".repeat(3000)),
            ("end tags in attributes", "<div title='</div>'>".repeat(3000)),
            ("end tags in comments", "<div><!--</div>-->".repeat(3000)),
            ("comment in raw text", format!("<title><!--</title><p>{open}{more}-->")),
            ("raw text that is none", format!("<svg><style><p>{open}{more}</style>")),
            ("entities", "&amp;</b>&nbsp;<font>".repeat(90_000)),
            ("entities in SVG", format!("<svg><![CDATA[{}]]>", "&".repeat(210_000))),
            ("an attribute", format!("<p title='{}'>", "&".repeat(210_000))),
            ("character data", format!("<svg>{}<i>{more}", "<g><![CDATA[></g>]]>".repeat(2000))),
        ] {
            assert!(survey(&html).is_too_tangled(), "{name}: {}", survey(&html).depth_sum);
        }
    }

    #[test]
    fn ordinary_and_sloppy_pages_pass() {
        for (name, html) in [
            ("unclosed paragraphs", "<p>one<br><img src=x>".repeat(20_000)),
            ("a long table", format!("<table>{}</table>", "<tr><td><b>1</b></td><td>2".repeat(10_000))),
            ("misnested", "<p><font><b>x</font></b></p>".repeat(500)),
            ("a script", format!("<script>{}</script><p>x", "if(a<b&&c<d){};".repeat(10_000))),
            ("an icon", format!("<svg><path d='1'/></svg>{}", "<p>a</p>".repeat(5000))),
            ("many entities", "<p>a &amp; b«</p>".repeat(20_000)),
            ("many attributes", format!("<p title='{}'>", "&".repeat(100)).repeat(10_000)),
            ("no markup", "1 < 2 < 3 ".repeat(10_000)),
        ] {
            assert!(!survey(&html).is_too_tangled(), "{name}: {}", survey(&html).depth_sum);
        }
    }

    #[test]
    fn only_elements_are_named() {
        let html = "<P><!-- <form> --><img alt='<object>'><font>a</font><script>'<embed>'</script>2 <3";
        assert_eq!(survey(html).unwanted.into_iter().collect::<Vec<_>>(), ["font", "img", "p", "script"]);
        let many: String = (0..1000).map(|n| format!("<x{n}>")).collect();
        assert_eq!(survey(&many).unwanted.len(), MAX_NAMES);
    }
}
