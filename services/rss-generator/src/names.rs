//! Selections in plain words, with the names that newsrooms write: `World, in English, without Sport`.

use std::borrow::Borrow;
use std::collections::HashMap;

use article::{Article, language_name, slug};
use subscription::{Atom, Expression, Selection};

use crate::words::{Words, fill};

/// Between a section and the one in it.
pub(crate) const INSIDE: &str = " › ";

/// What a selection is called. `articles`, newest first, know the names; what none of them has goes by its slug.
pub(crate) fn name(selection: &Selection, articles: impl IntoIterator<Item: Borrow<Article>>, words: &Words) -> String {
    let atoms: Vec<&Atom> = selection.parts().atoms().collect();
    let mut names = HashMap::new();
    let mut wanted = atoms.iter().filter(|atom| is_named(atom)).count();
    for article in articles {
        if wanted == 0 {
            break;
        }
        for atom in &atoms {
            if !names.contains_key(*atom)
                && let Some(name) = spelled(atom, article.borrow())
            {
                names.insert(*atom, name);
                wanted -= 1;
            }
        }
    }
    let named = |atom: &Atom| names.get(atom).cloned().unwrap_or_else(|| plain(atom, words));
    let phrase = phrase(selection.parts(), &named, words);
    if is_quality(selection.parts()) { format!("{}{}{phrase}", words.all_news, words.and) } else { phrase }
}

/// Whether articles know its name.
fn is_named(atom: &Atom) -> bool {
    matches!(atom, Atom::Section(_) | Atom::Keyword(_) | Atom::Source(_) | Atom::Subject(_))
}

/// The name as this article writes it, if it has it.
fn spelled(atom: &Atom, article: &Article) -> Option<String> {
    match atom {
        Atom::Section(path) => {
            let names = article.section.get(..path.split('/').count())?;
            let same = names.iter().map(|name| slug(name)).eq(path.split('/'));
            same.then(|| names.join(INSIDE))
        }
        Atom::Keyword(wanted) => article.keywords.iter().find(|name| slug(name) == **wanted).cloned(),
        Atom::Source(wanted) => {
            article.sources.iter().map(|source| &source.name).find(|name| slug(name) == **wanted).cloned()
        }
        Atom::Subject(wanted) => {
            let (scheme, code) = wanted.split_once('/')?;
            let found = article.subjects.iter().find(|of| slug(&of.scheme) == scheme && slug(&of.code) == code)?;
            found.name.clone()
        }
        _ => None,
    }
}

/// The name that needs no article, or stands in where none is left.
fn plain(atom: &Atom, words: &Words) -> String {
    match atom {
        Atom::Everything => words.all_news.into(),
        Atom::Test => words.tests.into(),
        Atom::Publisher(publisher) => publisher.to_string(),
        Atom::Section(path) => path.replace('/', INSIDE),
        Atom::Keyword(slug) | Atom::Source(slug) => slug.replace('-', " "),
        Atom::Subject(path) => path.replace('/', " "),
        Atom::Language(tag) => {
            let name = language_name(tag).map(|name| if words.language == "en" { name.english } else { name.chinese });
            fill(words.in_language, name.unwrap_or(tag))
        }
        Atom::Urgency(1) => words.most_urgent.into(),
        Atom::Urgency(most) => fill(words.urgent, &most.to_string()),
        // There is no feed of one.
        Atom::Story(article) => article.token(),
        Atom::Text(text) => fill(words.containing, &text.replace('-', " ")),
    }
}

/// Whether it says how news is, not which: it needs a noun before it.
fn is_quality(expression: &Expression) -> bool {
    matches!(expression, Expression::Not(_) | Expression::Atom(Atom::Language(_)))
}

fn phrase(expression: &Expression, named: &dyn Fn(&Atom) -> String, words: &Words) -> String {
    let nested = |child: &Expression| match child {
        Expression::Atom(_) | Expression::Not(_) => phrase(child, named, words),
        Expression::AllOf(_) | Expression::AnyOf(_) => format!("({})", phrase(child, named, words)),
    };
    match expression {
        Expression::Atom(atom) => named(atom),
        Expression::AllOf(children) => {
            // As one says it: what it is about, then in which language, then what it leaves out.
            let mut children: Vec<&Expression> = children.iter().collect();
            children.sort_by_key(|child| match child {
                Expression::Not(_) => 2,
                Expression::Atom(Atom::Language(_)) => 1,
                _ => 0,
            });
            let all = children.iter().all(|child| is_quality(child)).then(|| words.all_news.to_owned());
            let parts: Vec<String> = all.into_iter().chain(children.into_iter().map(nested)).collect();
            parts.join(words.and)
        }
        Expression::AnyOf(children) => children.iter().map(nested).collect::<Vec<_>>().join(words.or),
        Expression::Not(child) => fill(words.without, &nested(child)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::{create, document};
    use crate::words::{CHINESE, ENGLISH};

    #[test]
    fn a_selection_is_called_what_its_newsroom_calls_its_parts() {
        let mut newest = document("World News", "2026-01-02T00:00:00Z");
        newest["section"] = json!(["World News", "Asia & Pacific"]);
        newest["keywords"] = json!(["Climate Change", "Sport"]);
        newest["sources"] = json!([{"name": "Xinhua News Agency"}]);
        newest["subjects"] = json!([{"scheme": "medtop", "code": "16000000", "name": "conflict, war and peace"}]);
        let mut older = newest.clone();
        older["keywords"] = json!(["climate CHANGE", "Ferries"]);
        let articles = [create(1, &newest, "2026-01-02T00:00:00Z"), create(2, &older, "2026-01-02T00:00:00Z")];
        for (selection, english, chinese) in [
            ("all", "All news", "全部新闻"),
            ("test", "Test articles", "测试文章"),
            ("publisher/riverton", "riverton", "riverton"),
            ("section/world-news", "World News", "World News"),
            ("section/world-news/asia-pacific", "World News › Asia & Pacific", "World News › Asia & Pacific"),
            ("section/world-news/africa", "world-news › africa", "world-news › africa"),
            ("keyword/climate-change", "Climate Change", "Climate Change"),
            ("keyword/ferries", "Ferries", "Ferries"),
            ("keyword/no-such", "no such", "no such"),
            ("source/xinhua-news-agency", "Xinhua News Agency", "Xinhua News Agency"),
            ("subject/medtop/16000000", "conflict, war and peace", "conflict, war and peace"),
            ("subject/medtop/1", "medtop 1", "medtop 1"),
            ("language/zh-hant", "All news, in Traditional Chinese", "全部新闻，繁体中文"),
            ("language/tlh", "All news, in tlh", "全部新闻，tlh"),
            ("urgency/1", "most urgent news (1)", "最紧急新闻（1 级）"),
            ("urgency/3", "urgent news (1 to 3)", "紧急新闻（1 至 3 级）"),
            ("text/党风", "“党风” in the text", "文中有“党风”"),
            ("!keyword/sport", "All news, without Sport", "全部新闻，不含Sport"),
            ("!keyword/sport+language/en", "All news, in English, without Sport", "全部新闻，英语，不含Sport"),
            (
                "section/world-news+language/en+!keyword/sport",
                "World News, in English, without Sport",
                "World News，英语，不含Sport",
            ),
            ("keyword/sport,source/xinhua-news-agency", "Sport or Xinhua News Agency", "Sport或Xinhua News Agency"),
            (
                "section/world-news+!(keyword/sport,source/xinhua-news-agency)",
                "World News, without (Sport or Xinhua News Agency)",
                "World News，不含(Sport或Xinhua News Agency)",
            ),
        ] {
            let parsed: Selection = selection.parse().unwrap();
            assert_eq!(name(&parsed, &articles, &ENGLISH), english, "{selection}");
            assert_eq!(name(&parsed, &articles, &CHINESE), chinese, "{selection}");
        }
        let asked: Selection = "keyword/climate-change+keyword/ferries".parse().unwrap();
        assert_eq!(name(&asked, &articles, &ENGLISH), "Climate Change, Ferries", "each from the newest that has it");
    }
}
