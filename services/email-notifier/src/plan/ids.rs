//! Recipients in a message: the ids one after the other, as one string. A list of them would take twice the room.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

use crate::subscriber::SubscriberId;

/// 16 bytes each, base64url.
pub(crate) fn serialize<S: Serializer>(ids: &[SubscriberId], serializer: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
    serializer.serialize_str(&BASE64.encode(bytes))
}

/// Reads lists of ids in hex, too: plans were written so once, and are known for 400 days.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SubscriberId>, D::Error> {
    deserializer.deserialize_any(Ids)
}

struct Ids;

impl<'de> Visitor<'de> for Ids {
    type Value = Vec<SubscriberId>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ids of 16 bytes each in base64url, or a list of them in hex")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let bytes = BASE64.decode(text).map_err(E::custom)?;
        match bytes.as_chunks() {
            (ids, []) => Ok(ids.iter().copied().map(SubscriberId::from_bytes).collect()),
            (_, rest) => Err(E::custom(format!("{} bytes are left after the last id of 16", rest.len()))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut ids = Vec::new();
        while let Some(id) = list.next_element()? {
            ids.push(id);
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Held(#[serde(with = "super")] Vec<SubscriberId>);

    #[test]
    fn ids_read_back_in_order_from_either_form() {
        for count in [0, 1, 2, 3, 1000] {
            let held = Held((0..count).map(|_| SubscriberId::random()).collect());
            let written = serde_json::to_string(&held).unwrap();
            assert_eq!(written.len(), 2 + (count * 16 * 4_usize).div_ceil(3));
            assert_eq!(serde_json::from_str::<Held>(&written).unwrap(), held);
            let listed = serde_json::to_string(&held.0).unwrap();
            assert_eq!(serde_json::from_str::<Held>(&listed).unwrap(), held);
        }
    }

    #[test]
    fn what_is_no_ids_is_refused() {
        for wrong in
            ["\"AAAA\"", "\"-\"", "\"AAAAAAAAAAAAAAAAAAAAAA==\"", "\"你好\"", "[\"x\"]", "[1]", "7", "null", "{}"]
        {
            assert!(serde_json::from_str::<Held>(wrong).is_err(), "{wrong}");
        }
    }
}
