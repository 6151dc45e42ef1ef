//! Text that a traced program has chosen: any bytes.

use serde::{Serialize, Serializer};

use crate::output::{escape, json};

/// Bytes that are mostly text. Displayed they are escaped, so that a terminal finds nothing to act on; in JSON they are a string
/// where they are UTF-8, and else an object with their bytes in hexadecimal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(pub Vec<u8>);

impl Text {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(text.as_bytes().to_vec())
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&escape::printable(&self.0))
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::text(&self.0).serialize(serializer)
    }
}
