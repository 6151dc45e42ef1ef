//! Reading the near parts of aggregations; see [`crate::lower::near`].

use crate::lower::near::{Near, READY};

/// The keys that have a place, once for each CPU on which they have one, and the words of their values. `bytes` is the map's value,
/// all CPUs' parts side by side.
pub(super) fn rows(
    bytes: &[u8],
    parts: usize,
    near: Near,
    key_size: usize,
    words: usize,
) -> impl Iterator<Item = (Vec<u8>, Vec<u64>)> {
    let (begin, end) = (near.offset as usize, near.end() as usize);
    let places = bytes
        .chunks_exact(bytes.len() / parts)
        .flat_map(move |cpu| cpu[begin..end].chunks_exact(near.stride as usize));
    places.filter(|place| word(place) == READY).map(move |place| {
        let (key, value) = place[8..].split_at(key_size);
        (key.to_vec(), value.chunks_exact(8).take(words).map(word).collect())
    })
}

/// The word at the beginning.
fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_places_are_read_and_others_are_not() {
        let near = Near { offset: 8, places: 2, stride: 32 };
        let places = [[READY, 7, 3, 0], [0, 8, 4, 0], [1, 9, 5, 0], [READY, 7, 6, 0]];
        let bytes: Vec<u8> = [99]
            .iter()
            .chain(places[..2].iter().flatten())
            .chain([99].iter())
            .chain(places[2..].iter().flatten())
            .flat_map(|word: &u64| word.to_le_bytes())
            .collect();
        let rows: Vec<_> = rows(&bytes, 2, near, 8, 1).collect();
        let key = 7_u64.to_le_bytes().to_vec();
        assert_eq!(rows, [(key.clone(), vec![3]), (key, vec![6])]);
    }
}
