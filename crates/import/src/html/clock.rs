//! The time of day beside a date, and its zone.

use jiff::civil::Time;

use super::when::Cursor;
use crate::page::Precision;
use crate::zone::Zone;

impl Cursor<'_> {
    /// `09:30`, `9.30 Uhr`, `9h30`, `9:30:15 pm`, `下午3时05分`.
    pub(super) fn time(&mut self) -> Option<(Time, Precision)> {
        let start = self.at;
        let half = self.half_before();
        let clock = self.clock(half);
        if clock.is_none() {
            self.at = start;
        }
        clock
    }

    fn clock(&mut self, half: Option<bool>) -> Option<(Time, Precision)> {
        let (hour, 1 | 2) = self.number(0)? else { return None };
        let (sign, word) = (self.sign(1), self.word(1));
        let dotted = sign == Some('.');
        let ideograph = matches!(sign, Some('时' | '点' | '時'));
        if !(matches!(sign, Some(':')) || dotted || ideograph || matches!(word, Some("h" | "시"))) {
            return None;
        }
        let (minute, 2) = self.number(2)? else { return None };
        self.at += 3;
        // `16.45` alone may be anything.
        if dotted && !self.word(0).is_some_and(|word| matches!(word, "uhr" | "h" | "am" | "pm" | "hs")) {
            return None;
        }
        self.takes_sign(&['分']);
        let mut second = None;
        let colon = self.sign(0) == Some(':');
        if let Some((number, 2)) = self.number(usize::from(colon)).filter(|_| colon || self.sign(1) == Some('秒')) {
            second = Some(number);
            self.at += 1 + usize::from(colon);
            self.takes_sign(&['秒']);
            if self.sign(0) == Some('.') && self.number(1).is_some_and(|(_, digits)| digits >= 3) {
                self.at += 2;
            }
        }
        let afternoon = half.or_else(|| self.half_after());
        self.takes_word(&["uhr", "h", "hs", "hrs"]);
        let hour = match afternoon {
            Some(true) if hour < 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        let field = |number: u32| i8::try_from(number).ok();
        let time = Time::new(field(hour)?, field(minute)?, field(second.unwrap_or(0))?, 0).ok()?;
        Some((time, if second.is_some() { Precision::Second } else { Precision::Minute }))
    }

    /// Whether it is the second half of the day, as said before the hour.
    fn half_before(&mut self) -> Option<bool> {
        let half = match (self.sign(0), self.sign(1)) {
            (Some('上' | '早'), Some('午' | '上' | '晨')) | (Some('凌'), Some('晨')) | (Some('午'), Some('前')) => {
                false
            }
            (Some('下' | '中'), Some('午')) | (Some('晚'), Some('上')) | (Some('午'), Some('後')) => true,
            _ => return None,
        };
        self.at += 2;
        Some(half)
    }

    fn half_after(&mut self) -> Option<bool> {
        let afternoon = match self.word(0)? {
            "am" => false,
            "pm" => true,
            half @ ("a" | "p") if self.sign(1) == Some('.') && self.word(2) == Some("m") => {
                let afternoon = half == "p";
                self.at += 2;
                afternoon
            }
            _ => return None,
        };
        self.at += 1;
        self.takes_sign(&['.']);
        Some(afternoon)
    }

    /// `Z`, `UTC`, `GMT+8`, `+08:00`, `CET`, `北京时间`.
    pub(super) fn zone(&mut self) -> Option<Zone> {
        let start = self.at;
        self.takes_sign(&['(']);
        let beijing: Vec<char> = (0..4).map_while(|ahead| self.sign(ahead)).collect();
        if beijing == ['北', '京', '时', '间'] {
            self.at += 4;
            return Some(crate::Profile::CnProcuratorate.zone());
        }
        let minutes = match self.word(0) {
            Some("z" | "utc" | "gmt") => 0,
            Some("cet" | "mez") => 60,
            Some("cest" | "mesz") => 120,
            Some("msk" | "trt") => 180,
            Some("jst" | "kst") => 540,
            Some("edt") => -240,
            Some("pdt") => -420,
            Some("pst") => -480,
            // EST, CST, IST, BST and AST are the time of several places.
            _ => i32::MAX,
        };
        if minutes != i32::MAX {
            self.at += 1;
            let zone = if minutes == 0 { self.offset().or_else(|| Some(Zone::utc())) } else { Zone::fixed(minutes) };
            self.takes_sign(&[')']);
            return zone;
        }
        let zone = self.offset();
        if zone.is_none() {
            self.at = start;
        }
        zone
    }

    fn offset(&mut self) -> Option<Zone> {
        let sign = match self.sign(0)? {
            '+' => 1,
            '-' | '−' => -1,
            _ => return None,
        };
        let (number, digits) = self.number(1)?;
        let total = match (digits, self.sign(2), self.number(3)) {
            (1 | 2, Some(':'), Some((minutes, 2))) => {
                self.at += 4;
                number * 60 + minutes
            }
            (1 | 2, ..) => {
                self.at += 2;
                number * 60
            }
            (4, ..) => {
                self.at += 2;
                number / 100 * 60 + number % 100
            }
            _ => return None,
        };
        Zone::fixed(sign * i32::try_from(total).ok()?)
    }
}
