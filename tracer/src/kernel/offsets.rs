//! The kernel fields that the probes read, found in the running kernel's BTF.

use probes_common::offsets::{ABSENT, Offsets, TABLE};

use super::btf::{Btf, Kind};

/// How many words an [`Offsets`] is.
pub const COUNT: usize = TABLE.len();

const _: () =
    assert!(size_of::<Offsets>() == COUNT * size_of::<u32>(), "Offsets is a word for each row of TABLE");

/// The offsets of all fields of [`TABLE`] in `btf`, in order; [`ABSENT`] for a field that this kernel does not have.
pub fn resolve(btf: &Btf) -> Offsets {
    from_words(std::array::from_fn(|i| resolve_path(btf, TABLE[i].1).unwrap_or(ABSENT)))
}

/// The offsets made of the words of [`TABLE`]'s rows, in order.
pub fn from_words(words: [u32; COUNT]) -> Offsets {
    // SAFETY: Offsets is repr(C) and made of u32 only, of the same size (asserted above); every value is valid.
    unsafe { std::mem::transmute::<[u32; COUNT], Offsets>(words) }
}

/// The words of `offsets`, in the order of [`TABLE`].
pub fn to_words(offsets: Offsets) -> [u32; COUNT] {
    // SAFETY: as above, the other way.
    unsafe { std::mem::transmute::<Offsets, [u32; COUNT]>(offsets) }
}

/// The names of the fields that this kernel does not have.
pub fn absent(offsets: Offsets) -> impl Iterator<Item = &'static str> {
    let words = to_words(offsets);
    TABLE.iter().enumerate().filter(move |(i, _)| words[*i] == ABSENT).map(|(_, (name, _))| *name)
}

/// The first of the alternatives in `paths` that there is: `struct.member.member` is an offset, `struct` a size.
fn resolve_path(btf: &Btf, paths: &str) -> Option<u32> {
    paths.split('|').map(str::trim).find_map(|path| match path.split_once('.') {
        Some((name, path)) => btf.field(name, path).map(|at| at.offset),
        None => {
            let kinds = [Kind::Struct, Kind::Union, Kind::Typedef];
            kinds.into_iter().find_map(|kind| btf.size_of(btf.find(kind, path)?))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::btf::tests::{running, sample, thread_time};

    #[test]
    fn a_path_has_alternatives_and_a_name_alone_is_a_size() {
        let btf = sample();
        assert_eq!(resolve_path(&btf, "outer.gone|outer.deep"), Some(8));
        assert_eq!(resolve_path(&btf, "gone.x | outer.inner.y"), Some(4));
        assert_eq!(resolve_path(&btf, "outer"), Some(24));
        assert_eq!(resolve_path(&btf, "gone"), None);
    }

    #[test]
    fn words_and_fields_are_the_same_order() {
        let offsets = from_words(std::array::from_fn(|i| i as u32));
        assert_eq!(TABLE[0].0, "task_pid");
        assert_eq!(offsets.task_pid, 0);
        assert_eq!(to_words(offsets)[COUNT - 1], COUNT as u32 - 1);
    }

    #[test]
    fn the_running_kernel_has_the_fields_of_every_kernel() {
        let Some(btf) = running() else { return };
        let begin = thread_time();
        let offsets = resolve(&btf);
        let took = thread_time() - begin;
        // About 30 ms in a release build.
        assert!(took.as_secs() < 5, "resolving took {took:?}");
        assert_ne!(offsets.task_pid, ABSENT);
        assert_eq!(offsets.task_tgid, offsets.task_pid + 4);
        assert!(absent(offsets).count() < COUNT / 2, "absent: {:?}", absent(offsets).collect::<Vec<_>>());
        assert_eq!(absent(Offsets::NONE).count(), COUNT);
    }
}
