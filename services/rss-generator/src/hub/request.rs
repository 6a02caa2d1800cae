//! What a subscriber may ask of the hub (W3C WebSub, section 5.1): its form, parsed into what cannot be wrong.

use fetch::{FetchError, Guard};
use service_kit::Secret;
use url::{Url, form_urlencoded};

use crate::hub::record::Mode;
use crate::hub::topic::{NotATopic, Topic};

/// Bytes of a whole form: three addresses and a secret, percent-encoded, fit in well.
pub(crate) const MAX_FORM: usize = 16 * 1024;
/// Bytes of an address.
const MAX_ADDRESS: usize = 2048;
/// Bytes of a secret; WebSub wants fewer than 200.
const MAX_SECRET: usize = 199;

/// Seconds of a subscription: what one gets who names none, and the bounds for whoever does. Under a day a subscriber
/// would have to ask all the time, and one that is gone should not be called for longer than two weeks.
pub(crate) const DEFAULT_LEASE: u32 = 10 * 24 * 60 * 60;
pub(crate) const SHORTEST_LEASE: u32 = 24 * 60 * 60;
pub(crate) const LONGEST_LEASE: u32 = 15 * 24 * 60 * 60;

pub(crate) struct Request {
    pub(crate) mode: Mode,
    pub(crate) topic: Topic,
    /// As it was asked for: this is what the subscriber will compare with.
    pub(crate) topic_as_given: String,
    pub(crate) callback: Url,
    /// Seconds, within the bounds.
    pub(crate) lease: u32,
    pub(crate) secret: Option<Secret>,
}

/// What is wrong with a request; each text names the parameter.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadRequest {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is given more than once")]
    Twice(&'static str),
    #[error("hub.mode must be subscribe or unsubscribe; what is new here the hub knows by itself")]
    Mode,
    #[error("hub.topic {0}")]
    Topic(#[from] NotATopic),
    #[error("{0} has more than {MAX_ADDRESS} bytes")]
    LongAddress(&'static str),
    #[error("hub.callback is no address: write http:// or https://")]
    NoCallback,
    #[error("hub.callback must not have a fragment (#)")]
    Fragment,
    #[error("hub.callback cannot be called: {0}")]
    Callback(#[from] FetchError),
    #[error("hub.lease_seconds must be a whole number of seconds, 1 or more")]
    Lease,
    #[error("hub.secret has more than {MAX_SECRET} bytes")]
    LongSecret,
}

impl Request {
    /// Reads a form. Parameters that WebSub does not know are for others.
    pub(crate) fn read(form: &[u8], home: &Url, guard: &Guard) -> Result<Self, BadRequest> {
        let mode = match required(form, "hub.mode")?.as_str() {
            "subscribe" => Mode::Subscribe,
            "unsubscribe" => Mode::Unsubscribe,
            _ => return Err(BadRequest::Mode),
        };
        let callback = required(form, "hub.callback")?;
        if callback.len() > MAX_ADDRESS {
            return Err(BadRequest::LongAddress("hub.callback"));
        }
        let callback = Url::parse(&callback).map_err(|_| BadRequest::NoCallback)?;
        // Signs that an address cannot have grow threefold.
        if callback.as_str().len() > MAX_ADDRESS {
            return Err(BadRequest::LongAddress("hub.callback"));
        }
        if callback.fragment().is_some() {
            return Err(BadRequest::Fragment);
        }
        guard.check(&callback)?;
        let topic_as_given = required(form, "hub.topic")?;
        if topic_as_given.len() > MAX_ADDRESS {
            return Err(BadRequest::LongAddress("hub.topic"));
        }
        // Parsers of addresses leave them out; in a record each would be six bytes, in a log line whatever they like.
        if topic_as_given.contains(char::is_control) {
            return Err(NotATopic::NoAddress.into());
        }
        let topic = Topic::find(&topic_as_given, home)?;
        let lease = parameter(form, "hub.lease_seconds")?.map_or(Ok(DEFAULT_LEASE), |text| lease(&text))?;
        let secret = parameter(form, "hub.secret")?;
        if secret.as_ref().is_some_and(|secret| secret.len() > MAX_SECRET) {
            return Err(BadRequest::LongSecret);
        }
        Ok(Self { mode, topic, topic_as_given, callback, lease, secret: secret.map(Secret::new) })
    }
}

fn required(form: &[u8], name: &'static str) -> Result<String, BadRequest> {
    parameter(form, name)?.ok_or(BadRequest::Missing(name))
}

/// An empty value is none: forms send those for fields that nobody filled in.
fn parameter(form: &[u8], name: &'static str) -> Result<Option<String>, BadRequest> {
    let mut values = form_urlencoded::parse(form).filter(|(key, _)| key == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() {
        return Err(BadRequest::Twice(name));
    }
    Ok(value.filter(|value| !value.is_empty()))
}

/// However many seconds somebody wants, it is within the bounds that he gets.
fn lease(text: &str) -> Result<u32, BadRequest> {
    let digits = text.trim_start_matches('0');
    if digits.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadRequest::Lease);
    }
    Ok(digits.parse().unwrap_or(u32::MAX).clamp(SHORTEST_LEASE, LONGEST_LEASE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Request, BadRequest> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        Request::read(form.finish().as_bytes(), &"https://news.example/".parse().unwrap(), &Guard::default())
    }

    const MODE: (&str, &str) = ("hub.mode", "subscribe");
    const TOPIC: (&str, &str) = ("hub.topic", "https://news.example/feeds/all.atom");
    const CALLBACK: (&str, &str) = ("hub.callback", "https://reader.example/hook?id=1&k=a%20b");

    #[test]
    fn a_request_is_read_with_its_defaults() {
        let request = read(&[MODE, TOPIC, CALLBACK, ("foo", "bar"), ("hub.foo", "x"), ("hub.secret", "")]).unwrap();
        assert_eq!((request.mode, request.topic.to_string().as_str()), (Mode::Subscribe, "all.atom"));
        assert_eq!(request.callback.as_str(), CALLBACK.1, "the query string is kept");
        assert_eq!((request.lease, request.secret.is_none()), (DEFAULT_LEASE, true));
        let request = read(&[("hub.mode", "unsubscribe"), TOPIC, CALLBACK, ("hub.secret", "党风")]).unwrap();
        assert_eq!((request.mode, request.secret.unwrap().expose()), (Mode::Unsubscribe, "党风"));
        for (wanted, lease) in [
            ("1", SHORTEST_LEASE),
            ("86400", SHORTEST_LEASE),
            ("0000086401", 86401),
            ("864000", DEFAULT_LEASE),
            ("99999999999999999999999999", LONGEST_LEASE),
        ] {
            assert_eq!(read(&[MODE, TOPIC, CALLBACK, ("hub.lease_seconds", wanted)]).unwrap().lease, lease, "{wanted}");
        }
    }

    #[test]
    fn every_mistake_names_its_parameter() {
        let long = format!("https://news.example/{}", "x".repeat(2048));
        let chinese = format!("https://reader.example/{}", "党".repeat(300));
        let callback = |address| [MODE, TOPIC, ("hub.callback", address)];
        let with = |name, value| vec![MODE, TOPIC, CALLBACK, (name, value)];
        let cases: Vec<(Vec<(&str, &str)>, &str)> = vec![
            (vec![], "hub.mode is missing"),
            (vec![("hub.mode", "publish"), TOPIC, CALLBACK], "hub.mode must be"),
            (vec![MODE, CALLBACK], "hub.topic is missing"),
            (vec![MODE, ("hub.topic", "https://other.example/"), CALLBACK], "hub.topic is not an address of this site"),
            (vec![MODE, ("hub.topic", "https://news.example/"), CALLBACK], "hub.topic is no feed"),
            (vec![MODE, ("hub.topic", &long), CALLBACK], "hub.topic has more than"),
            (
                vec![MODE, ("hub.topic", "\u{1}\u{1}https://news.example/feeds/all.atom"), CALLBACK],
                "hub.topic is no address",
            ),
            (vec![MODE, ("hub.topic", "https://news.example/feeds/all.\natom"), CALLBACK], "hub.topic is no address"),
            (vec![MODE, TOPIC], "hub.callback is missing"),
            (callback("/hook").to_vec(), "hub.callback is no address"),
            (callback("https://reader.example/#x").to_vec(), "fragment"),
            (callback("ftp://reader.example/").to_vec(), "hub.callback cannot be called"),
            (callback("http://127.0.0.1/").to_vec(), "loopback"),
            (callback("http://[::ffff:10.0.0.1]/").to_vec(), "private"),
            (callback("http://reader.example:25/").to_vec(), "port 25"),
            (callback("https://a:b@reader.example/").to_vec(), "password"),
            (callback(&long).to_vec(), "hub.callback has more than"),
            (callback(&chinese).to_vec(), "hub.callback has more than"),
            (with("hub.lease_seconds", "-1"), "hub.lease_seconds"),
            (with("hub.lease_seconds", "0"), "hub.lease_seconds"),
            (with("hub.lease_seconds", "１０"), "hub.lease_seconds"),
            (with("hub.lease_seconds", "10d"), "hub.lease_seconds"),
            (with("hub.topic", TOPIC.1), "hub.topic is given more than once"),
        ];
        for (pairs, words) in cases {
            let error = read(&pairs).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(words), "{pairs:?}: {error:?}");
        }
        let secret = "s".repeat(200);
        assert_eq!(read(&with("hub.secret", &secret)).err(), Some(BadRequest::LongSecret));
        assert!(read(&with("hub.secret", &secret[..199])).is_ok());
    }

    #[test]
    fn bytes_that_are_no_form_are_no_request() {
        for form in [&b"\xff\xfe"[..], b"&&&===", b"hub.mode", b"%", "hub.mode=\u{202e}".as_bytes()] {
            let home = "https://news.example/".parse().unwrap();
            assert!(Request::read(form, &home, &Guard::default()).is_err());
        }
    }
}
