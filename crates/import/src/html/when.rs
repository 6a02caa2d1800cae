//! Dates inside lines and values, in the languages of newsrooms.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::months::{is_filler, month};
use super::tokens::{Kind, Token, tokens};
use crate::page::Precision;
use crate::zone::Zone;

/// Longest text searched, in bytes.
const MAX_TEXT: usize = 2000;

/// The day that was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    Certain(Date),
    /// Day and month may be exchanged.
    Either {
        day_first: Date,
        month_first: Date,
    },
}

impl Day {
    pub(super) fn may_be(self, date: Date) -> bool {
        match self {
            Self::Certain(day) => day == date,
            Self::Either { day_first, month_first } => day_first == date || month_first == date,
        }
    }
}

/// A date in a text.
#[derive(Clone, Debug)]
pub(super) struct When {
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    pub(super) day: Day,
    pub(super) time: Option<Time>,
    pub(super) precision: Precision,
    pub(super) zone: Option<Zone>,
}

/// The dates in a text, in order.
pub(super) fn dates(text: &str) -> Vec<When> {
    if text.len() > MAX_TEXT {
        return Vec::new();
    }
    if let Some(when) = unix(text) {
        return vec![when];
    }
    let tokens = tokens(text);
    let mut cursor = Cursor { tokens: &tokens, at: 0 };
    let mut found = Vec::new();
    while cursor.at < tokens.len() {
        let start = cursor.at;
        match cursor.when() {
            Some((day, time, zone)) => {
                let range = tokens[start].range.start..tokens[cursor.at - 1].range.end;
                let (time, precision) =
                    time.map_or((None, Precision::Date), |(time, precision)| (Some(time), precision));
                found.push(When { range, day, time, precision, zone });
            }
            None => cursor.at = start + 1,
        }
    }
    found
}

/// Seconds or milliseconds since 1970, as ten or thirteen digits.
fn unix(text: &str) -> Option<When> {
    let digits = text.trim();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = match digits.len() {
        10 => digits.parse().ok()?,
        13 => digits.parse::<i64>().ok()? / 1000,
        _ => return None,
    };
    let at = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).datetime();
    let (day, time) = (Day::Certain(at.date()), Some(at.time()));
    Some(When { range: 0..text.len(), day, time, precision: Precision::Second, zone: Some(Zone::utc()) })
}

type Clock = Option<(Time, Precision)>;

pub(super) struct Cursor<'t> {
    tokens: &'t [Token],
    pub(super) at: usize,
}

impl Cursor<'_> {
    fn kind(&self, ahead: usize) -> Option<&Kind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    pub(super) fn number(&self, ahead: usize) -> Option<(u32, usize)> {
        if let Some(Kind::Number(number, digits)) = self.kind(ahead) { Some((*number, *digits)) } else { None }
    }

    pub(super) fn word(&self, ahead: usize) -> Option<&str> {
        if let Some(Kind::Word(word)) = self.kind(ahead) { Some(word) } else { None }
    }

    pub(super) fn sign(&self, ahead: usize) -> Option<char> {
        if let Some(Kind::Sign(sign)) = self.kind(ahead) { Some(*sign) } else { None }
    }

    pub(super) fn takes_sign(&mut self, signs: &[char]) -> bool {
        let found = self.sign(0).is_some_and(|sign| signs.contains(&sign));
        self.at += usize::from(found);
        found
    }

    pub(super) fn takes_word(&mut self, words: &[&str]) -> bool {
        let found = self.word(0).is_some_and(|word| words.contains(&word));
        self.at += usize::from(found);
        found
    }

    /// A date, with a time after it or before it.
    fn when(&mut self) -> Option<(Day, Clock, Option<Zone>)> {
        let start = self.at;
        // `GMT 17:27 17.03.2020`, `08:05 7 September 2019`.
        let zone = self.zone();
        if let Some(clock) = self.time() {
            let zone = zone.or_else(|| self.zone());
            self.fillers();
            if let Some(day) = self.day() {
                return Some((day, Some(clock), zone));
            }
        }
        self.at = start;
        let day = self.day()?;
        let end = self.at;
        self.fillers();
        let early = self.zone();
        self.fillers();
        let Some(clock) = self.time() else {
            self.at = end;
            return Some((day, None, None));
        };
        // `Fri Mar 13 21:30:09 2015` has the year behind; by then it was no date.
        let zone = self.zone().or(early);
        Some((day, Some(clock), zone))
    }

    /// What may stand between a date and its time.
    fn fillers(&mut self) {
        for _ in 0..6 {
            let sign = self.sign(0).is_some_and(|sign| {
                matches!(sign, ',' | '|' | '-' | '–' | '—' | '·' | '(' | ')' | '、' | '/' | '•' | '،' | '.')
            });
            let week = matches!((self.sign(0), self.sign(1)), (Some('星'), Some('期')) | (Some('礼'), Some('拜')));
            let day = |c: char| {
                matches!(
                    c,
                    '一' | '二' | '三' | '四' | '五' | '六' | '日' | '天' | '月' | '火' | '水' | '木' | '金' | '土'
                )
            };
            if week {
                self.at += 3;
            } else if self.sign(0) == Some('周') || (self.sign(0) == Some('(') && self.sign(1).is_some_and(day)) {
                self.at += 2;
            } else if sign || self.word(0).is_some_and(is_filler) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    fn day(&mut self) -> Option<Day> {
        let start = self.at;
        let day = self.year_first().or_else(|| {
            self.at = start;
            self.day_first()
        });
        let day = day.or_else(|| {
            self.at = start;
            self.month_first()
        });
        if day.is_none() {
            self.at = start;
        }
        day
    }

    /// `2018-11-26`, `2018年11月26日`, `2018년 11월 26일`.
    fn year_first(&mut self) -> Option<Day> {
        let (year, 4) = self.number(0)? else { return None };
        self.at += 1;
        let sign = self.sign(0).filter(|sign| matches!(sign, '-' | '/' | '.' | '年'));
        let korean = self.word(0) == Some("년");
        if sign.is_none() && !korean {
            return None;
        }
        self.at += 1;
        let (month, _) = self.number(0)?;
        self.at += 1;
        let joined = match sign {
            Some('年') => self.takes_sign(&['月']),
            Some(sign) => self.takes_sign(&[sign]),
            None => self.word(0).is_some(),
        };
        if !joined {
            return None;
        }
        self.at += usize::from(sign.is_none());
        let (day, digits) = self.number(0)?;
        if digits > 2 {
            return None;
        }
        self.at += 1;
        if sign == Some('年') {
            self.takes_sign(&['日', '号']);
        } else if sign.is_none() {
            self.at += usize::from(self.word(0).is_some());
        }
        civil(year, month, day).map(Day::Certain)
    }

    /// `26.11.2018`, `26 November 2018`, `26 de noviembre de 2018`.
    fn day_first(&mut self) -> Option<Day> {
        let (first, digits) = self.number(0)?;
        if digits > 2 {
            return None;
        }
        self.at += 1;
        let sign = self.sign(0);
        if let (Some(sign @ ('.' | '/' | '-')), Some((second, 1 | 2))) = (sign, self.number(1)) {
            if self.sign(2) != Some(sign) {
                return None;
            }
            let (year, 4) = self.number(3)? else { return None };
            self.at += 4;
            let (day_first, month_first) = (civil(year, second, first), civil(year, first, second));
            return match (day_first, month_first) {
                // With full stops the day always comes first.
                (Some(day), _) if sign == '.' => Some(Day::Certain(day)),
                (Some(day_first), Some(month_first)) if day_first != month_first => {
                    Some(Day::Either { day_first, month_first })
                }
                (Some(day), _) | (None, Some(day)) => Some(Day::Certain(day)),
                (None, None) => None,
            };
        }
        self.takes_sign(&['.', '-', 'º', 'ª']);
        self.takes_word(&["st", "nd", "rd", "th", "er", "de", "of", "o", "a"]);
        let month = month(self.word(0)?)?;
        self.at += 1;
        self.between_words();
        let year = self.year()?;
        civil(year, month, first).map(Day::Certain)
    }

    /// `November 26, 2018`, and `Mar 13 21:30:09 EST 2015` as programs print it.
    fn month_first(&mut self) -> Option<Day> {
        let month = month(self.word(0)?)?;
        self.at += 1;
        self.takes_sign(&['.']);
        let (day, 1 | 2) = self.number(0)? else { return None };
        self.at += 1;
        self.takes_word(&["st", "nd", "rd", "th"]);
        self.between_words();
        let year = self.year()?;
        civil(year, month, day).map(Day::Certain)
    }

    fn between_words(&mut self) {
        self.takes_sign(&['.']);
        self.takes_sign(&[',', '-', '/']);
        self.takes_word(&["de", "del", "of", "ve"]);
    }

    fn year(&mut self) -> Option<u32> {
        let (year, 4) = self.number(0)? else { return None };
        self.at += 1;
        Some(year)
    }
}

fn civil(year: u32, month: u32, day: u32) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| (1900..2200).contains(year))?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let dates = dates(text).into_iter().map(|when| {
            let day = match when.day {
                Day::Certain(day) => day.to_string(),
                Day::Either { day_first, month_first } => format!("{day_first} or {month_first}"),
            };
            let time = when.time.map(|time| format!(" {time}")).unwrap_or_default();
            let zone = when.zone.map(|zone| format!(" {zone}")).unwrap_or_default();
            format!("{day}{time}{zone} [{}]", &text[when.range])
        });
        dates.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn dates_in_many_languages() {
        for (text, expected) in [
            ("Published 2024-04-28T08:52:55+02:00!", "2024-04-28 08:52:55 +02:00 [2024-04-28T08:52:55+02:00]"),
            ("2025-01-14T21:17:27+0900", "2025-01-14 21:17:27 +09:00 [2025-01-14T21:17:27+0900]"),
            ("2007-08-20-23:59:59", "2007-08-20 23:59:59 [2007-08-20-23:59:59]"),
            ("发表于2014-08-24 21:30", "2014-08-24 21:30:00 [2014-08-24 21:30]"),
            ("2019年09月07日 星期六 08:05:32 来源", "2019-09-07 08:05:32 [2019年09月07日 星期六 08:05:32]"),
            ("2019年9月7日下午3时05分", "2019-09-07 15:05:00 [2019年9月7日下午3时05分]"),
            ("２０１９年９月７日", "2019-09-07 [２０１９年９月７日]"),
            ("2025/1/14 21:17（最終更新 1/14 21:17）", "2025-01-14 21:17:00 [2025/1/14 21:17]"),
            ("2026년 7월 12일 22:09", "2026-07-12 22:09:00 [2026년 7월 12일 22:09]"),
            ("Mittwoch, 03. November 2021, 16.45 Uhr", "2021-11-03 16:45:00 [03. November 2021, 16.45 Uhr]"),
            ("28.04.2024 um 08:52 Uhr", "2024-04-28 08:52:00 [28.04.2024 um 08:52 Uhr]"),
            ("30.04.2024 - 16:48", "2024-04-30 16:48:00 [30.04.2024 - 16:48]"),
            ("30 avril 2015 à 07:19", "2015-04-30 07:19:00 [30 avril 2015 à 07:19]"),
            ("1er août 2015, 7h19", "2015-08-01 07:19:00 [1er août 2015, 7h19]"),
            ("26 de noviembre de 2018 a las 9:30", "2018-11-26 09:30:00 [26 de noviembre de 2018 a las 9:30]"),
            ("12 Kasım 2024 14:05", "2024-11-12 14:05:00 [12 Kasım 2024 14:05]"),
            ("5 мая 2021, 10:00 (MSK)", "2021-05-05 10:00:00 +03:00 [5 мая 2021, 10:00 (MSK)]"),
            ("Apr 16, 2015 8:02 pm UTC", "2015-04-16 20:02:00 UTC [Apr 16, 2015 8:02 pm UTC]"),
            ("April 28, 2019 at 6:01 a.m.", "2019-04-28 06:01:00 [April 28, 2019 at 6:01 a.m.]"),
            ("March 13, 20159:00PM", ""),
            ("GMT 17:27 17.03.2020", "2020-03-17 17:27:00 UTC [GMT 17:27 17.03.2020]"),
            (
                "10/07/2026 00:50 Actualizado a 10/07/2026 22:39",
                "2026-07-10 or 2026-10-07 00:50:00 [10/07/2026 00:50], 2026-07-10 or 2026-10-07 22:39:00 [10/07/2026 22:39]",
            ),
            ("26/11/2018", "2018-11-26 [26/11/2018]"),
            ("1762513252000", "2025-11-07 11:00:52 UTC [1762513252000]"),
            ("1 day ago", ""),
            ("May 2018", ""),
            ("version 1.2.2018-beta 3", "2018-02-01 [1.2.2018]"),
            ("2018-13-01 2018-02-30", ""),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(dates(&"1-".repeat(2000)).len(), 0);
    }
}
