//! How a record is written: a thousand recipients in a kilobyte or two.

/// One letter for each recipient's state.
pub(super) mod letters {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::super::State;

    pub(in super::super) fn serialize<S: Serializer>(states: &[State], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&states.iter().map(|state| state.letter()).collect::<String>())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<State>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let states: Option<Vec<State>> = text.chars().map(State::from_letter).collect();
        states.ok_or_else(|| D::Error::custom("an unknown state; it was written by a newer version"))
    }
}

/// Numbers as pairs of a number and how many in a row have it: windows are neighbours.
pub(super) mod runs {
    use serde::de::{DeserializeOwned, Error};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Far more recipients than a chunk has.
    const MAX: usize = 1 << 22;

    pub(in super::super) fn serialize<T, S>(numbers: &[T], serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize + PartialEq,
        S: Serializer,
    {
        let same = numbers.chunk_by(|one, next| one == next);
        serializer.collect_seq(same.map(|run| (&run[0], run.len())))
    }

    pub(in super::super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
    where
        T: DeserializeOwned + Clone,
        D: Deserializer<'de>,
    {
        let runs: Vec<(T, usize)> = Vec::deserialize(deserializer)?;
        if runs.iter().fold(0, |sum: usize, (_, count)| sum.saturating_add(*count)) > MAX {
            return Err(D::Error::custom("more recipients than any chunk has"));
        }
        Ok(runs.into_iter().flat_map(|(number, count)| std::iter::repeat_n(number, count)).collect())
    }
}
