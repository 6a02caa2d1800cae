//! The parameters of an address: each once, and none that nobody reads.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use crate::refusal::Refusal;

/// What a handler takes to read them from.
pub(super) type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The parameters of one request.
#[derive(Debug)]
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    /// The parameters, if all of them are among `known`: one more is a mistake, most often in a name.
    pub(super) fn read(parameters: Parameters, known: &[&str]) -> Result<Self, Refusal> {
        let bad = |parameter: &str, detail: String| Refusal::BadQuery { parameter: parameter.into(), detail };
        let Ok(Query(pairs)) = parameters else {
            return Err(bad("?", "what follows it is not name=value, joined by &".into()));
        };
        match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(Self(pairs)),
            Some((name, _)) => {
                let name: String = name.chars().take(40).collect();
                Err(bad(&name, format!("there is no such parameter here; there is {}", known.join(", "))))
            }
        }
    }

    /// The parameter `name`, if it is there.
    ///
    /// # Errors
    /// When it is there twice, or `read` does not take it; the text says that `expected` was.
    pub(super) fn one<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let bad = |detail: String| Refusal::BadQuery { parameter: name.into(), detail };
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => read(value).map(Some).ok_or_else(|| bad(format!("expected {expected}"))),
            (Some(_), Some(_)) => Err(bad("it is there twice; send it once".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Result<Asked, Refusal> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Asked::read(Ok(Query(pairs)), &["limit", "cursor"])
    }

    #[test]
    fn each_parameter_is_known_and_comes_once() {
        let limit = |pairs: &[(&str, &str)]| asked(pairs)?.one("limit", "a number", |text| text.parse::<u8>().ok());
        assert_eq!(limit(&[]), Ok(None));
        assert_eq!(limit(&[("cursor", "x"), ("limit", "7")]), Ok(Some(7)));
        for (pairs, said) in [
            (&[("limit", "7"), ("limit", "7")][..], "limit: it is there twice; send it once"),
            (&[("limit", "many")], "limit: expected a number"),
            (&[("limits", "7")], "limits: there is no such parameter here; there is limit, cursor"),
        ] {
            let Err(Refusal::BadQuery { parameter, detail }) = limit(pairs) else { panic!("{pairs:?} passes") };
            assert_eq!(format!("{parameter}: {detail}"), said);
        }
    }
}
