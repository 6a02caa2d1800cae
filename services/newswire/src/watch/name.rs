//! The name a file bears once it is claimed: unique for ever, so that it stands for one content and never for the next file
//! of the old name. `20261122T101530.123Z-3f9a-story.txt`: when it came, a mark, and what it was called.

use jiff::Timestamp;

/// The longest claimed name in bytes: file systems take 255, and the notes beside it need an ending.
const MAX_NAME: usize = 200;

/// `20261122T101530.123Z-3f9a-`
const PREFIX: usize = 26;

/// A claimed name; names sort in the order of the claims.
pub(super) fn claimed(called: &str, at: Timestamp, mark: u16) -> String {
    let safe: String = original(called).chars().map(|c| if c.is_control() || c == '/' { '_' } else { c }).collect();
    format!("{}-{mark:04x}-{}", at.strftime("%Y%m%dT%H%M%S.%3fZ"), shortened(&safe))
}

/// What a file was called before it was claimed.
pub(super) fn original(name: &str) -> &str {
    let shape = b"00000000T000000.000Z-xxxx-";
    let fits = |(byte, expected): (&u8, &u8)| match expected {
        b'0' => byte.is_ascii_digit(),
        b'x' => byte.is_ascii_hexdigit(),
        _ => byte == expected,
    };
    let is_claimed = name.len() > PREFIX && name.bytes().zip(shape).all(|(byte, expected)| fits((&byte, expected)));
    if is_claimed { &name[PREFIX..] } else { name }
}

/// A long name without its middle; the ending, which tells what it is, stays.
fn shortened(name: &str) -> String {
    let room = MAX_NAME - PREFIX;
    if name.len() <= room {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    let ending = if ending.len() > 20 { "" } else { ending };
    let end = (0..=room - ending.len()).rev().find(|end| name.is_char_boundary(*end)).unwrap_or_default();
    format!("{}{ending}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_keeps_the_name_and_sorts_by_time() {
        let at: Timestamp = "2026-11-22T10:15:30.123456Z".parse().unwrap();
        assert_eq!(claimed("story.txt", at, 0x3f9a), "20261122T101530.123Z-3f9a-story.txt");
        let later = claimed("a.txt", "2026-11-22T10:15:30.124Z".parse().unwrap(), 0);
        assert!(claimed("z.txt", at, u16::MAX) < later);
        // Put back into the folder after a failure.
        assert_eq!(claimed(&later, at, 1), "20261122T101530.123Z-0001-a.txt");
        for (called, kept) in [("新闻\n.txt", "新闻_.txt"), ("a\u{7f}b", "a_b")] {
            assert_eq!(original(&claimed(called, at, 7)), kept);
        }
    }

    #[test]
    fn a_name_stays_one_that_a_file_system_takes() {
        let at: Timestamp = "2026-11-22T10:15:30Z".parse().unwrap();
        for called in ["长".repeat(85) + ".txt", "x".repeat(255), format!("a.{}", "y".repeat(240))] {
            let name = claimed(&called, at, 1);
            assert!(name.len() <= MAX_NAME, "{}", name.len());
            assert_eq!(name.ends_with(".txt"), called.ends_with(".txt"), "{name}");
        }
    }

    #[test]
    fn only_our_own_prefix_is_taken_off() {
        for name in ["story.txt", "20261122T101530.123Z-3f9a-", "20261122-report.txt", "新闻新闻新闻新闻新闻新闻.txt"]
        {
            assert_eq!(original(name), name);
        }
    }
}
