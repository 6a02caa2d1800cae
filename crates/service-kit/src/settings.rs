//! Settings from the environment, read once, all mistakes reported together.
//!
//! Environment variables only: systemd, compose and Kubernetes all speak them, and there is one place to look.
//! A setting's name, default and help stand where it is read; `--help` and `docs/config.md` are made from that.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// One setting, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub name: &'static str,
    /// `None`: optional without a default. `Some("")` never occurs.
    pub default: Option<&'static str>,
    pub required: bool,
    pub help: &'static str,
}

/// A value that must not be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Everything that is wrong with a service's settings, one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Mistakes(pub Vec<String>);

/// Reads settings and remembers what was asked for and what was wrong.
pub struct Settings {
    environment: BTreeMap<String, String>,
    known: Vec<Setting>,
    mistakes: Vec<String>,
}

impl Settings {
    /// The process environment. Values that are not UTF-8 are taken as absent.
    pub fn from_env() -> Self {
        let utf8 =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_pairs(utf8)
    }

    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        // An empty value is an unset one: compose and unit files cannot unset a variable.
        let environment = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        Self { environment, known: Vec::new(), mistakes: Vec::new() }
    }

    /// A setting with a default.
    pub fn value<T>(&mut self, name: &'static str, default: &'static str, help: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.known.push(Setting { name, default: Some(default), required: false, help });
        let text = self.environment.get(name).cloned().unwrap_or_else(|| default.to_owned());
        self.parse(name, &text)
    }

    /// A setting that may be absent: `Some(None)`; `None` when it is wrong.
    pub fn optional<T>(&mut self, name: &'static str, help: &'static str) -> Option<Option<T>>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.known.push(Setting { name, default: None, required: false, help });
        match self.environment.get(name).cloned() {
            None => Some(None),
            Some(text) => self.parse(name, &text).map(Some),
        }
    }

    /// A setting that has no sensible default.
    pub fn required<T>(&mut self, name: &'static str, help: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.known.push(Setting { name, default: None, required: true, help });
        match self.environment.get(name).cloned() {
            Some(text) => self.parse(name, &text),
            None => {
                self.mistakes.push(format!("{name} is not set: {help}"));
                None
            }
        }
    }

    /// A secret, in a file that `name` points to: an environment is inherited, listed and dumped, a file is not.
    pub fn secret_file(&mut self, name: &'static str, help: &'static str) -> Option<Option<Secret>> {
        match self.optional::<PathBuf>(name, help)? {
            None => Some(None),
            Some(path) => self.read_secret(name, &path).map(Some),
        }
    }

    /// A secret that the service cannot do without.
    pub fn required_secret_file(&mut self, name: &'static str, help: &'static str) -> Option<Secret> {
        let path = self.required::<PathBuf>(name, help)?;
        self.read_secret(name, &path)
    }

    fn read_secret(&mut self, name: &'static str, path: &Path) -> Option<Secret> {
        match std::fs::read_to_string(path) {
            Ok(text) if !text.trim().is_empty() => Some(Secret::new(text.trim())),
            Ok(_) => self.mistake(format!("{name}: {} is empty", path.display())),
            Err(error) => self.mistake(format!("{name}: cannot read {}: {error}", path.display())),
        }
    }

    /// Notes a mistake that only the service can see, such as two settings that exclude each other.
    pub fn mistake<T>(&mut self, mistake: String) -> Option<T> {
        self.mistakes.push(mistake);
        None
    }

    fn parse<T>(&mut self, name: &'static str, text: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => self.mistake(format!("{name}: {text:?} will not do: {error}")),
        }
    }

    /// Ends the reading: the configuration, or everything that is wrong. Names that begin with `prefix` and that
    /// nobody asked for are mistakes: a misspelt setting would otherwise be ignored in silence.
    ///
    /// # Errors
    /// [`Mistakes`], all of them.
    pub fn finish<C>(mut self, prefix: &str, config: Option<C>) -> Result<C, Mistakes> {
        for name in self.environment.keys() {
            if name.starts_with(prefix) && !self.known.iter().any(|setting| setting.name == name) {
                self.mistakes.push(format!("{name} is not a setting of this service; see --help"));
            }
        }
        match config {
            Some(config) if self.mistakes.is_empty() => Ok(config),
            _ => Err(Mistakes(self.mistakes)),
        }
    }

    /// What was asked for so far, in order.
    pub fn known(&self) -> &[Setting] {
        &self.known
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        Settings::from_pairs(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let mut s = settings(&[("NEWSWIRE_X_LISTEN", "nowhere"), ("NEWSWIRE_X_LISTN", "1"), ("NEWSWIRE_Y_OTHER", "1")]);
        let listen: Option<SocketAddr> = s.value("NEWSWIRE_X_LISTEN", "127.0.0.1:1", "Address");
        let url: Option<String> = s.required("NEWSWIRE_X_URL", "Where it is");
        let file = s.secret_file("NEWSWIRE_X_KEY_FILE", "Key");
        assert_eq!((listen, url.clone(), file), (None, None, Some(None)));
        let Mistakes(mistakes) = s.finish("NEWSWIRE_X_", url).unwrap_err();
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(
            mistakes[0].contains("nowhere") && mistakes[1].contains("NEWSWIRE_X_URL") && mistakes[2].contains("LISTN")
        );
    }

    #[test]
    fn empty_is_unset_and_defaults_apply() {
        let mut s = settings(&[("A", "")]);
        assert_eq!(s.value::<u16>("A", "7", ""), Some(7));
        assert_eq!(s.optional::<u16>("B", ""), Some(None));
        assert_eq!(s.known().len(), 2);
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(<secret>)");
    }
}
