//! When a story was published: what the page shows, settled by its metadata where that is not enough.

use jiff::civil::Date;

use super::page::Parts;
use super::said::Label;
use super::when::{self, Day, When};
use super::words::{squeezed, within_class};
use crate::error::{Code, ImportError, quote};
use crate::imported::{Field, Rejected, Trace, date_for_people, zone_for_people};
use crate::page::{PageDate, Warning, WarningCode, ZoneFrom};
use crate::zone::{Profile, Tell, Zone};

/// Names of `meta` tags for the time of publication, the best first. Government systems lead.
const METAS: &[&str] = &[
    "pubdate",
    "firstpublishedtime",
    "publishdate",
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "published_time",
    "publicationdate",
    "article:publicationdate",
    "publish_date",
    "published",
    "dc.date.issued",
    "dcterms.issued",
    "dc.date.created",
    "dc.date",
    "sailthru.date",
    "parsely-pub-date",
    "cxenseparse:recs:publishtime",
    "firstcreate",
    "weibo:article:create_at",
    "og:time",
    "datecreated",
    "article:create_at",
    "date",
    "citation_publication_date",
];

/// The rank of a date that counts only for want of any other.
const LAST: u8 = 9;

/// Words before a date, squeezed, that make it the date of something else.
const LATER: &[&str] = &[
    "updated",
    "update",
    "modified",
    "edited",
    "actualizado",
    "actualizacion",
    "aktualisiert",
    "stand",
    "misajour",
    "modifie",
    "aggiornato",
    "atualizado",
    "guncelleme",
    "guncellenme",
    "最終更新",
    "更新",
    "修改",
    "수정",
    "обновлено",
    "محدثة",
    "تحديث",
    "expires",
    "accessed",
    "生成时间",
];

/// A date with where it stands.
struct Stated {
    when: When,
    text: String,
    origin: String,
}

/// The date of a story and how it came about.
pub(super) struct Dated {
    pub(super) date: PageDate,
    pub(super) traces: Vec<Trace>,
    pub(super) warnings: Vec<Warning>,
}

pub(super) fn find(parts: &Parts<'_>, language: &str) -> Result<Dated, ImportError> {
    let stated = stated(parts);
    let shown = shown(parts, !stated.is_empty());
    let line = parts.line(parts.lines.start);
    let (chosen, offset, rejected) = match shown.first() {
        Some(first) => settle(first, &shown, &stated, language)?,
        None => match stated.first() {
            Some(first) => (certain(first, &stated, language)?, None, rest(&stated[1..], "another says so")),
            None => {
                let advice = "put the date into the page, as <meta name=\"PubDate\" content=\"2018-11-26 09:30\">";
                let seen = "no date near the headline, in the metadata or behind the story";
                return Err(ImportError::new(Code::NoDate, line, seen, advice));
            }
        },
    };
    Ok(place(parts, chosen, offset, rejected, language))
}

/// A date without doubt.
struct Chosen<'s> {
    stated: &'s Stated,
    day: Date,
}

fn rest(stated: &[Stated], why: &str) -> Vec<Rejected> {
    stated
        .iter()
        .map(|other| Rejected { value: other.text.clone(), origin: other.origin.clone(), why: why.to_owned() })
        .collect()
}

/// The visible date with what the metadata adds: the order of day and month, the time of day, the offset.
fn settle<'s>(
    first: &'s Stated,
    shown: &'s [Stated],
    stated: &'s [Stated],
    language: &str,
) -> Result<(Chosen<'s>, Option<Zone>, Vec<Rejected>), ImportError> {
    let of_day = |other: &&Stated| matches!(other.when.day, Day::Certain(day) if first.when.day.may_be(day));
    let mut rejected = rest(&shown[1..], "the first shown leads");
    if first.when.time.is_none()
        && let Some(timed) = stated.iter().filter(of_day).find(|other| other.when.time.is_some())
    {
        // Midnight, and the last second of a day, stand for no time at all.
        let time = timed.when.time.unwrap_or_default();
        let filler =
            (time.hour(), time.minute()) == (0, 0) || (time.hour(), time.minute(), time.second()) == (23, 59, 59);
        if !filler {
            rejected.push(Rejected {
                value: first.text.clone(),
                origin: first.origin.clone(),
                why: "has no time of day".to_owned(),
            });
            return Ok((certain(timed, stated, language)?, None, rejected));
        }
    }
    let chosen = match (first.when.day, stated.iter().find(of_day)) {
        (Day::Either { .. }, Some(Stated { when: When { day: Day::Certain(day), .. }, .. })) => {
            Chosen { stated: first, day: *day }
        }
        _ => certain(first, stated, language)?,
    };
    let offset = stated.iter().find_map(|other| implied(&chosen, other));
    let others = stated.iter().filter(|other| other.when.time.is_some() && other.when.time != first.when.time);
    rejected.extend(others.take(6).map(|other| Rejected {
        value: other.text.clone(),
        origin: other.origin.clone(),
        why: "what the page shows leads".to_owned(),
    }));
    Ok((chosen, offset, rejected))
}

/// The offset that a time in the metadata implies for the same moment on the page.
fn implied(chosen: &Chosen<'_>, other: &Stated) -> Option<Zone> {
    let (Some(local), Some(time), Some(zone), Day::Certain(day)) =
        (chosen.stated.when.time, other.when.time, &other.when.zone, other.when.day)
    else {
        return None;
    };
    let shown = chosen.day.to_datetime(local);
    let said = day.to_datetime(time);
    if day == chosen.day && (local.hour(), local.minute()) == (time.hour(), time.minute()) {
        return Some(zone.clone());
    }
    // The same moment told in UTC: the difference is the offset, in quarters of an hour.
    let minutes =
        shown.with().second(0).build().ok()?.duration_since(said.with().second(0).build().ok()?).as_secs() / 60;
    let quarter = minutes % 15 == 0 && minutes.abs() <= 14 * 60;
    (zone.is_utc() && quarter).then(|| i32::try_from(minutes).ok().and_then(Zone::fixed)).flatten()
}

/// A date without doubt about day and month.
fn certain<'s>(stated: &'s Stated, others: &[Stated], language: &str) -> Result<Chosen<'s>, ImportError> {
    let day = match stated.when.day {
        Day::Certain(day) => day,
        Day::Either { day_first, month_first } => {
            let other = others.iter().find_map(|other| match other.when.day {
                Day::Certain(day) if day == day_first || day == month_first => Some(day),
                _ => None,
            });
            let lower = language.to_ascii_lowercase();
            match other {
                Some(day) => day,
                None if lower == "en-us" => month_first,
                None if lower != "en" && lower != "und" => day_first,
                None => {
                    let seen = format!("the date is {}: it is {day_first} or {month_first}", quote(&stated.text));
                    let advice = "name the language of the page (en-GB, en-US), or put the date into its metadata";
                    return Err(ImportError::new(Code::DateAmbiguous, 1, seen, advice));
                }
            }
        }
    };
    Ok(Chosen { stated, day })
}

/// The dates that a reader sees: behind a label, between headline and story, just above the headline; behind the
/// story only with a label, or where the metadata has `told` none.
fn shown(parts: &Parts<'_>, told: bool) -> Vec<Stated> {
    let mut found: Vec<(u8, Stated)> = Vec::new();
    for (at, said) in parts.said.iter().enumerate() {
        let behind = at >= parts.behind;
        let labelled = said.label == Some(Label::Date);
        // Behind the story a date without a label counts only in an element for dates, and only for want of any other.
        let alone = behind
            && !labelled
            && within_class(parts.dom, parts.dom.node(said.node).parent, 1, &["time", "date", "pubtime"]);
        if (behind && !labelled && !alone) || said.label.is_some_and(|label| label != Label::Date) {
            continue;
        }
        let parent = parts.dom.node(said.node).parent;
        let dates = dates_of(&said.value);
        let dated: usize = dates.iter().map(|when| when.range.len()).sum();
        for when in dates {
            let before = squeezed(&said.value[..when.range.start]);
            let later = LATER.iter().any(|word| before.contains(word))
                || within_class(parts.dom, parent, 2, &["modified", "updated", "update", "datemodified", "upd"]);
            let most = 2 * dated >= said.value.len() || labelled;
            if later || !most {
                continue;
            }
            let rank = if alone { LAST } else { 2 * u8::from(behind) + u8::from(!labelled) };
            let text = said.value[when.range.clone()].to_owned();
            let how = if labelled { "label line" } else { "line" };
            found.push((rank, Stated { when, text, origin: format!("{how} {}", parts.line(said.run)) }));
        }
    }
    for at in parts.above.clone().rev().take(4) {
        let run = &parts.outline.runs[at];
        if let Some(when) =
            dates_of(&run.text).into_iter().next().filter(|when| 3 * when.range.len() >= 2 * run.text.len())
        {
            let text = run.text[when.range.clone()].to_owned();
            found.push((4, Stated { when, text, origin: format!("line {}, above the headline", run.line) }));
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    let want = found.first().is_some_and(|(rank, _)| *rank == LAST) && !told;
    found.retain(|(rank, _)| *rank < LAST || want);
    found.into_iter().map(|(_, stated)| stated).collect()
}

fn dates_of(text: &str) -> Vec<When> {
    if text.chars().any(|c| c.is_ascii_digit() || ('\u{ff10}'..='\u{ff19}').contains(&c)) {
        // Ten or thirteen digits are a time in metadata only.
        let digits = text.trim().bytes().all(|byte| byte.is_ascii_digit());
        if digits { Vec::new() } else { when::dates(text) }
    } else {
        Vec::new()
    }
}

/// The dates of the metadata, the best first.
fn stated(parts: &Parts<'_>) -> Vec<Stated> {
    let mut values: Vec<(String, String)> = Vec::new();
    let government = |meta: &super::meta::Meta| (meta.value.clone(), meta.origin.clone());
    values.extend(parts.head.all(&METAS[..1]).map(government));
    values.extend(parts.head.linked.published.iter().map(|date| (date.clone(), "JSON-LD datePublished".to_owned())));
    values.extend(parts.head.all(&METAS[1..]).map(government));
    // What the element of a visible date says beside it.
    for said in &parts.said[..parts.behind] {
        for id in parts.dom.ancestors(said.node).take(3) {
            for name in ["datetime", "title", "data-time", "data-timestamp", "data-date"] {
                let later = within_class(parts.dom, id, 1, &["modified", "updated", "update", "datemodified", "upd"]);
                if let Some(value) = parts.dom.attribute(id, name).filter(|value| value.len() < 100 && !later) {
                    values.push((
                        value.to_owned(),
                        format!("{} {name}, line {}", parts.dom.name(id), parts.line(said.run)),
                    ));
                }
            }
        }
    }
    for id in parts.dom.descendants(super::dom::ROOT).filter(|id| parts.dom.name(*id) == "time").take(50) {
        let published = parts.dom.attribute(id, "itemprop") == Some("datePublished")
            || parts.dom.attribute(id, "pubdate").is_some();
        if let Some(value) = parts.dom.attribute(id, "datetime").filter(|_| published) {
            values.push((value.to_owned(), format!("time datetime, line {}", parts.dom.node(id).line)));
        }
    }
    let mut found: Vec<Stated> = Vec::new();
    for (text, origin) in values {
        if let Some(when) = when::dates(&text).into_iter().next()
            && !found.iter().any(|known| known.text == text)
        {
            found.push(Stated { when, text, origin });
        }
    }
    found
}

/// Puts a date into its zone.
fn place(
    parts: &Parts<'_>,
    chosen: Chosen<'_>,
    offset: Option<Zone>,
    rejected: Vec<Rejected>,
    language: &str,
) -> Dated {
    let mut warnings = Vec::new();
    let options = parts.options;
    let tell = parts.said.iter().any(|said| said.label.is_some_and(|label| label != Label::None));
    let chinese = language.starts_with("zh") && tell;
    let profile = Profile::CnProcuratorate;
    let (zone, from) = match (&chosen.stated.when.zone, offset, options.profile, &options.timezone) {
        (Some(zone), ..) => (zone.clone(), ZoneFrom::Printed),
        (_, Some(zone), ..) => (zone, ZoneFrom::Stated),
        (_, _, Some(profile), _) => (profile.zone(), ZoneFrom::Profile(profile)),
        (.., Some(zone)) => (zone.clone(), ZoneFrom::Option),
        _ if chinese && super::language::zone(language) == Some("Asia/Shanghai") => {
            (profile.zone(), ZoneFrom::Recognised(profile, Tell::ChineseLabel))
        }
        _ => match super::language::zone(language) {
            Some(name) => {
                let text =
                    format!("the time zone was taken to be {name} because of the language: name it if it is another");
                warnings.push(Warning { code: WarningCode::ZoneAssumed, line: None, text });
                (name.parse().expect("the bundled database has it"), ZoneFrom::Language)
            }
            None => {
                let text = "nothing tells the time zone of the date: UTC was assumed; name it with a time zone or a source profile";
                warnings.push(Warning { code: WarningCode::ZoneAssumed, line: None, text: text.to_owned() });
                (Zone::utc(), ZoneFrom::Assumed)
            }
        },
    };
    let when = &chosen.stated.when;
    let (date, clear) = PageDate::placed(&chosen.stated.text, chosen.day, when.time, when.precision, zone, from);
    if !clear {
        let text = format!("the clocks of {} showed {date} twice or not at all", date.timezone);
        warnings.push(Warning { code: WarningCode::TimeUnclear, line: None, text });
    }
    let (zone_origin, zone) = zone_for_people(&date);
    let traces = vec![
        Trace { field: Field::Date, value: date_for_people(&date), origin: chosen.stated.origin.clone(), rejected },
        Trace { field: Field::TimeZone, value: zone, origin: zone_origin.to_owned(), rejected: Vec::new() },
    ];
    Dated { date, traces, warnings }
}
