//! One look at markup before it is parsed: what is in it, and whether parsing it would explode.
//!
//! The HTML parsing algorithm reopens every formatting element left open in each following paragraph and searches
//! the stack of open elements at every tag: 40 KiB of `<p><b title=1><b title=2>…<p>x<p>x…` become 137 MB in ten
//! seconds. The sum of the nesting depths at every tag bounds both effects, and the tokenizer alone finds it, in linear
//! time but for a tag with very many attributes, which it is not given to the end.
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

/// Bytes given to the tokenizer at a time, to see whether anything comes out.
const PIECE: usize = 1024;

/// White space, slashes and quotes read without anything coming out: each may begin an attribute, and the tokenizer
/// compares every attribute of a tag with all before it. 10,000 take it a tenth of a second.
const MAX_SEPARATORS: usize = 10_000;

/// The most element names remembered, for a list that a person reads.
pub(super) const MAX_NAMES: usize = 20;

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
    /// Tokens that have come out of the tokenizer.
    tokens: usize,
    /// A tag, or something else of one piece, with more in it than can be attributes of a person's making.
    endless_tag: bool,
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
        let tokenizer = Tokenizer::new(Sink { survey: RefCell::default(), wanted }, Default::default());
        let (mut rest, mut tokens, mut separators) = (html, 0, 0);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.ceil_char_boundary(PIECE));
            rest = after;
            input.push_back(StrTendril::from_slice(piece));
            // The only other result is a script to run, which the sink never asks for.
            while !input.is_empty() {
                let _ = tokenizer.feed(&input);
            }
            let (seen, unsure) = (tokenizer.sink.survey.borrow().tokens, tokenizer.sink.survey.borrow().unsure);
            // Where the parser may read a tag in what is text to us, text is no sign of an end.
            let goes_on = seen == tokens || unsure;
            separators = separators_in(piece) + if goes_on { separators } else { 0 };
            tokens = seen;
            if separators > MAX_SEPARATORS {
                tokenizer.sink.survey.borrow_mut().endless_tag = true;
                return tokenizer.sink.survey.into_inner();
            }
        }
        tokenizer.end();
        tokenizer.sink.survey.into_inner()
    }

    pub(super) fn is_too_tangled(&self) -> bool {
        let look_ahead = self.look_ahead.saturating_add(self.text.saturating_mul(self.stops));
        self.endless_tag || self.depth_sum > MAX_DEPTH_SUM || look_ahead > MAX_LOOK_AHEAD
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

fn separators_in(text: &str) -> usize {
    text.bytes().filter(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'"' | b'\'')).count()
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
        // Complaints come out of the middle of a tag, too.
        survey.tokens += usize::from(!matches!(token, Token::ParseError(_)));
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
    fn a_tag_of_a_hundred_thousand_attributes_is_not_read_to_its_end() {
        let attributes: String = (0..100_000).map(|n| format!(" a{n}")).collect();
        let slashes: String = (0..100_000).map(|n| format!("/a{n}")).collect();
        let quoted: String = (0..50_000).map(|n| format!("a{n}='>'")).collect();
        for (before, attributes) in [
            ("<p", &attributes),
            ("<p", &slashes),
            ("<p ", &quoted),
            ("<svg><style><p", &attributes),
            ("<textarea>x</textarea><p", &attributes),
        ] {
            let html = format!("{before}{attributes}>x</p>");
            assert!(Survey::of(&html, |_| true).is_too_tangled(), "{}", &html[..30]);
        }
        let prose = format!("<p>{}</p>", "many words ".repeat(40_000));
        assert!(!Survey::of(&prose, |_| true).is_too_tangled(), "text may have any number of words");
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
