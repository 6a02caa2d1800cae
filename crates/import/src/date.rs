//! Dates as newsrooms print them. What has two readings is an error, never a guess.

mod clock;
mod tokens;

use jiff::civil::{Date, Time};

use self::tokens::{Cursor, tokens};
use crate::fold::Folded;
use crate::page::Precision;
use crate::zone::Zone;

/// Longest date in bytes of its folded form; the longest real ones (weekday, month in words, time, zone) have about 60.
const MAX_DATE: usize = 100;
/// Before 1900 local times had no offset in whole minutes; after 2199 it is a misprint.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

/// A date as printed, not yet placed in a zone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) date: Date,
    pub(crate) time: Option<Time>,
    pub(crate) precision: Precision,
    /// The zone, when the date names one.
    pub(crate) zone: Option<Zone>,
}

/// Why a text is no date.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not look like one at all.
    NotADate,
    Invalid(String),
    Ambiguous(String),
}

/// Whether a text was meant as a date, be it a wrong one.
pub(crate) fn is_datelike(value: &str) -> bool {
    parse(value) != Err(Fault::NotADate)
}

pub(crate) fn parse(value: &str) -> Result<Printed, Fault> {
    // Folding can only make a value longer than a date may be, never shorter by much.
    if value.len() > 3 * MAX_DATE {
        return Err(Fault::NotADate);
    }
    let folded = Folded::new(value).text;
    if folded.len() > MAX_DATE {
        return Err(Fault::NotADate);
    }
    let tokens = tokens(&folded);
    let mut cursor = Cursor { tokens: &tokens, at: 0 };
    cursor.skip_words();
    let date = cursor.date()?;
    cursor.skip_words();
    let zone_before = cursor.zone()?;
    let (time, precision) = match cursor.time()? {
        Some((time, precision)) => (Some(time), precision),
        None => (None, Precision::Date),
    };
    let zone = match cursor.zone()? {
        Some(zone) => Some(zone),
        None => zone_before,
    };
    cursor.skip_words();
    match cursor.tokens.get(cursor.at) {
        None => Ok(Printed { date, time, precision, zone }),
        Some(token) => Err(invalid(format!("“{}” after the date is not understood", token.text()))),
    }
}

fn invalid(why: impl Into<String>) -> Fault {
    Fault::Invalid(why.into())
}

impl Cursor<'_> {
    /// Steps over weekdays and the punctuation around them.
    fn skip_words(&mut self) {
        loop {
            let weekday = self.word(0).is_some_and(is_weekday);
            if weekday || self.takes_word(&["on", "at"]) || self.takes_sign(&[',', '.', '、']) {
                self.at += usize::from(weekday);
            } else if matches!((self.sign(0), self.sign(1)), (Some('星'), Some('期')) | (Some('礼'), Some('拜'))) {
                self.at += 2;
                self.takes_sign(&['一', '二', '三', '四', '五', '六', '日', '天']);
            } else if self.sign(0) == Some('周') {
                self.at += 1;
                self.takes_sign(&['一', '二', '三', '四', '五', '六', '日']);
            } else {
                break;
            }
        }
    }

    fn date(&mut self) -> Result<Date, Fault> {
        if let Some((first, text)) = self.number(0) {
            self.at += 1;
            self.takes_word(&["st", "nd", "rd", "th"]);
            if self.word(0).is_some_and(|word| month(word).is_some() || word == "of")
                || (self.sign(0) == Some('-') && self.word(1).and_then(month).is_some())
            {
                self.takes_sign(&['-']);
                self.takes_word(&["of"]);
                return self.month_and_year(first);
            }
            return self.numeric_date(first, text);
        }
        let Some(month) = self.word(0).and_then(month) else { return Err(Fault::NotADate) };
        self.at += 1;
        self.takes_sign(&['.']);
        let (day, _) = self.number(0).ok_or_else(|| invalid("the day is missing"))?;
        self.at += 1;
        self.takes_word(&["st", "nd", "rd", "th"]);
        self.takes_sign(&[',']);
        let year = self.year_in_words()?;
        civil(year, month, day)
    }

    /// What follows the day in `26 Nov 2018`, `26-Nov-2018`, `26th of November, 2018`.
    fn month_and_year(&mut self, day: u32) -> Result<Date, Fault> {
        let month = self.word(0).and_then(month).ok_or_else(|| invalid("the month is missing"))?;
        self.at += 1;
        self.takes_sign(&['.']);
        self.takes_sign(&[',', '-']);
        let year = self.year_in_words()?;
        civil(year, month, day)
    }

    fn year_in_words(&mut self) -> Result<u32, Fault> {
        // A time of day may follow a date without a year: its hour is no year.
        let found = self.number(0).filter(|_| self.sign(1) != Some(':'));
        let (year, text) = found.ok_or_else(|| invalid("the year is missing"))?;
        self.at += 1;
        if text.len() == 4 { Ok(year) } else { Err(invalid("the year needs four digits")) }
    }

    /// Three numbers: year first in any of its forms, or last with one possible reading.
    fn numeric_date(&mut self, first: u32, text: &str) -> Result<Date, Fault> {
        let Some(sign) = self.sign(0).filter(|sign| matches!(sign, '-' | '/' | '.' | '年' | '月' | '‐' | '‑' | '–'))
        else {
            return Err(Fault::NotADate);
        };
        let Some((second, _)) = self.number(1) else { return Err(Fault::NotADate) };
        self.at += 2;
        if sign == '月' {
            return Err(invalid("the year is missing"));
        }
        let joined = if sign == '年' { self.takes_sign(&['月']) } else { self.takes_sign(&[sign]) };
        let Some((third, third_text)) = self.number(0).filter(|_| joined) else {
            let four = text.len() == 4;
            return Err(if four { invalid("the day is missing") } else { yearless(sign) });
        };
        self.at += 1;
        if sign == '年' {
            self.takes_sign(&['日', '号']);
        }
        if text.len() == 4 {
            return civil(first, second, third);
        }
        if third_text.len() != 4 {
            return Err(invalid("the year needs four digits"));
        }
        match (civil(third, second, first), civil(third, first, second)) {
            (Ok(day_first), Ok(month_first)) if day_first != month_first => {
                Err(Fault::Ambiguous(format!("it is {day_first} or {month_first}")))
            }
            (Ok(date), _) | (_, Ok(date)) => Ok(date),
            (Err(fault), Err(_)) => Err(fault),
        }
    }
}

/// Two numbers without a year are a date cut short; with other signs, they may be anything.
fn yearless(sign: char) -> Fault {
    if sign == '.' { Fault::NotADate } else { invalid("the year is missing") }
}

fn civil(year: u32, month: u32, day: u32) -> Result<Date, Fault> {
    let year = i16::try_from(year).ok().filter(|year| YEARS.contains(year));
    let year = year.ok_or_else(|| invalid(format!("the year is not between {} and {}", YEARS.start(), YEARS.end())))?;
    if !(1..=12).contains(&month) {
        return Err(invalid(format!("there is no month {month}")));
    }
    let field = |number: u32| i8::try_from(number).unwrap_or(i8::MAX);
    Date::new(year, field(month), field(day)).map_err(|_| invalid(format!("month {month} of {year} has no day {day}")))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The number of a month, by its name or an abbreviation of at least three letters.
fn month(word: &str) -> Option<u32> {
    let index = MONTHS.iter().position(|name| word.len() >= 3 && name.starts_with(word))?;
    u32::try_from(index + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    WEEKDAYS.iter().any(|name| word.len() >= 3 && name.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Date, time, zone.
    fn shown(text: &str) -> String {
        match parse(text) {
            Ok(printed) => {
                let time = match (printed.time, printed.precision) {
                    (Some(time), Precision::Minute) => format!(" {}:{:02}", time.hour(), time.minute()),
                    (Some(time), _) => format!(" {}:{:02}:{:02}", time.hour(), time.minute(), time.second()),
                    (None, _) => String::new(),
                };
                let zone = printed.zone.map(|zone| format!(" {zone}")).unwrap_or_default();
                format!("{}{time}{zone}", printed.date)
            }
            Err(Fault::NotADate) => "no date".to_owned(),
            Err(Fault::Invalid(why)) => format!("invalid: {why}"),
            Err(Fault::Ambiguous(why)) => format!("ambiguous: {why}"),
        }
    }

    #[test]
    fn dates_as_printed() {
        for (text, expected) in [
            ("2018-11-26", "2018-11-26"),
            ("2018/1/6", "2018-01-06"),
            ("2018.11.26", "2018-11-26"),
            ("２０１８－１１－２６", "2018-11-26"),
            ("November 26, 2018", "2018-11-26"),
            ("Nov. 26th 2018", "2018-11-26"),
            ("Monday, 26 Nov 2018 09:30", "2018-11-26 9:30"),
            ("26-Nov-2018", "2018-11-26"),
            ("26th of November, 2018", "2018-11-26"),
            ("2018年11月26日", "2018-11-26"),
            ("2018 年 1 月 6 日 星期六 09:30", "2018-01-06 9:30"),
            ("2018年11月26日 下午3时05分", "2018-11-26 15:05"),
            ("2018年11月26日15时05分20秒", "2018-11-26 15:05:20"),
            ("2018-11-26 09:30:15", "2018-11-26 9:30:15"),
            ("2018-11-26T09:30:15.250+08:00", "2018-11-26 9:30:15 +08:00"),
            ("2018-11-26T01:30Z", "2018-11-26 1:30 UTC"),
            ("Mon, 26 Nov 2018 09:30:00 -0330", "2018-11-26 9:30:00 -03:30"),
            ("2018-11-26 09:30 (GMT+8)", "2018-11-26 9:30 +08:00"),
            ("2018-11-26 09:30 Beijing time", "2018-11-26 9:30 Asia/Shanghai"),
            ("2018年11月26日 北京时间09:30", "2018-11-26 9:30 Asia/Shanghai"),
            ("March 3, 2020 at 12:05 a.m.", "2020-03-03 0:05"),
            ("March 3, 2020 12:05 PM", "2020-03-03 12:05"),
            ("26/11/2018", "2018-11-26"),
            ("11/26/2018", "2018-11-26"),
            ("03/03/2018", "2018-03-03"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_says_why() {
        for (text, expected) in [
            ("03/04/2018", "ambiguous: it is 2018-04-03 or 2018-03-04"),
            ("2018-11-26 09:30 CST", "ambiguous: CST is the time of Chicago or of Shanghai"),
            ("2018-13-45", "invalid: there is no month 13"),
            ("February 29, 2018", "invalid: month 2 of 2018 has no day 29"),
            ("11-26 12:00", "invalid: the year is missing"),
            ("11月26日", "invalid: the year is missing"),
            ("November 26 12:00", "invalid: the year is missing"),
            ("November 2018", "invalid: the year is missing"),
            ("2018年11月", "invalid: the day is missing"),
            ("18-11-26", "invalid: the year needs four digits"),
            ("26 Nov 18", "invalid: the year needs four digits"),
            ("1066-10-14", "invalid: the year is not between 1900 and 2199"),
            ("2018-11-26 25:00", "invalid: there is no time 25:00"),
            ("2018-11-26 13:00 pm", "invalid: there is no hour 13 on a 12-hour clock"),
            ("2018-11-26 09:30 EST", "invalid: “est” after the date is not understood"),
            ("2018-11-26 Reviewer: Bo", "invalid: “reviewer” after the date is not understood"),
            ("2018-11-26 09:30+15:00", "invalid: there is no offset 15:00"),
            ("nine o'clock", "no date"),
            ("9 o'clock", "no date"),
            ("yesterday", "no date"),
            ("", "no date"),
            ("99999999999999999999-1-1", "no date"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
