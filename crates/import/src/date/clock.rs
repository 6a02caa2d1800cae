//! The time of day behind a date, and its zone.

use jiff::civil::Time;

use super::tokens::Cursor;
use super::{Fault, invalid};
use crate::page::Precision;
use crate::zone::Zone;

impl Cursor<'_> {
    /// `09:30`, `09:30:15`, `9:30 pm`, `上午9时30分`, with what may stand before it.
    pub(super) fn time(&mut self) -> Result<Option<(Time, Precision)>, Fault> {
        let start = self.at;
        self.takes_word(&["t", "at"]);
        let half = match (self.sign(0), self.sign(1)) {
            (Some('上'), Some('午')) => Some("am"),
            (Some('下'), Some('午')) | (Some('晚'), Some('上')) => Some("pm"),
            _ => None,
        };
        self.at += if half.is_some() { 2 } else { 0 };
        let Some((hour, _)) = self.number(0).filter(|_| matches!(self.sign(1), Some(':' | '时' | '点'))) else {
            self.at = start;
            return Ok(None);
        };
        let (minute, _) = self.number(2).ok_or_else(|| invalid("the minutes are missing"))?;
        self.at += 3;
        let ideographs = self.takes_sign(&['分']);
        let mut second = None;
        let follows = if ideographs { self.sign(1) == Some('秒') } else { self.sign(0) == Some(':') };
        if follows {
            self.at += usize::from(!ideographs);
            let (number, _) = self.number(0).ok_or_else(|| invalid("the seconds are missing"))?;
            self.at += 1 + usize::from(ideographs);
            second = Some(number);
            if self.sign(0) == Some('.') && self.number(1).is_some() {
                self.at += 2;
            }
        }
        let half = half.or_else(|| self.half_of_day());
        let hour = match half {
            Some(_) if !(1..=12).contains(&hour) => {
                return Err(invalid(format!("there is no hour {hour} on a 12-hour clock")));
            }
            Some("am") => hour % 12,
            Some(_) => hour % 12 + 12,
            None => hour,
        };
        let field = |number: u32| i8::try_from(number).unwrap_or(i8::MAX);
        let time = Time::new(field(hour), field(minute), field(second.unwrap_or(0)), 0);
        let time = time.map_err(|_| invalid(format!("there is no time {hour:02}:{minute:02}")))?;
        Ok(Some((time, if second.is_some() { Precision::Second } else { Precision::Minute })))
    }

    /// `am`, `p.m.`
    fn half_of_day(&mut self) -> Option<&'static str> {
        let letter = match self.word(0)? {
            "am" => "am",
            "pm" => "pm",
            "a" | "p" if self.sign(1) == Some('.') && self.word(2) == Some("m") => {
                let half = if self.word(0) == Some("a") { "am" } else { "pm" };
                self.at += 2;
                half
            }
            _ => return None,
        };
        self.at += 1;
        self.takes_sign(&['.']);
        Some(letter)
    }

    /// `Z`, `UTC`, `GMT+8`, `+08:00`, `+0800`, `Beijing time`, `北京时间`, in parentheses or not.
    pub(super) fn zone(&mut self) -> Result<Option<Zone>, Fault> {
        let start = self.at;
        let open = self.takes_sign(&['(']);
        let beijing: Vec<char> = (0..4).map_while(|ahead| self.sign(ahead)).collect();
        let zone = if beijing == ['北', '京', '时', '间'] {
            self.at += 4;
            Some(crate::Profile::CnProcuratorate.zone())
        } else if self.word(0) == Some("beijing") && self.word(1) == Some("time") {
            self.at += 2;
            Some(crate::Profile::CnProcuratorate.zone())
        } else if self.takes_word(&["z", "utc", "gmt"]) {
            Some(self.offset()?.unwrap_or_else(Zone::utc))
        } else if self.word(0) == Some("cst") {
            return Err(Fault::Ambiguous("CST is the time of Chicago or of Shanghai".to_owned()));
        } else {
            self.offset()?
        };
        if zone.is_none() {
            self.at = start;
        } else if open && !self.takes_sign(&[')']) {
            return Err(invalid("the parenthesis around the zone is not closed"));
        }
        Ok(zone)
    }

    fn offset(&mut self) -> Result<Option<Zone>, Fault> {
        let sign = match self.sign(0) {
            Some('+') => 1,
            Some('-' | '−') => -1,
            _ => return Ok(None),
        };
        let Some((number, text)) = self.number(1) else { return Ok(None) };
        self.at += 2;
        let (hours, minutes) = match text.len() {
            1 | 2 if self.sign(0) == Some(':') => {
                let (minutes, _) = self.number(1).ok_or_else(|| invalid("the minutes of the offset are missing"))?;
                self.at += 2;
                (number, minutes)
            }
            1 | 2 => (number, 0),
            4 => (number / 100, number % 100),
            _ => return Err(invalid(format!("there is no offset {text}"))),
        };
        let total = i32::try_from(hours.min(99) * 60 + minutes.min(99)).unwrap_or(i32::MAX);
        let zone = Some(minutes).filter(|&minutes| minutes < 60).and_then(|_| Zone::fixed(sign * total));
        zone.map(Some).ok_or_else(|| invalid(format!("there is no offset {hours}:{minutes:02}")))
    }
}
