//! Tests of the reader: on a blob made by hand, on mutated blobs, and on the running kernel's.

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// Writes BTF: types are words, strings are collected on the way.
struct Writer {
    types: Vec<u8>,
    strings: Vec<u8>,
}

impl Writer {
    fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        at
    }

    /// A type: its head, then `extra` words.
    fn add(&mut self, kind: Kind, name: &str, flag: bool, count: usize, value: u32, extra: &[u32]) {
        let info = (kind as u32) << 24 | u32::from(flag) << 31 | count as u32;
        let head = [self.name(name), info, value];
        self.types.extend(head.iter().chain(extra).flat_map(|word| word.to_le_bytes()));
    }

    fn finish(self) -> Vec<u8> {
        let (types, strings) = (self.types.len() as u32, self.strings.len() as u32);
        let header = [0x01_eb9f, 24, 0, types, types, strings];
        let mut bytes: Vec<u8> = header.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
        bytes.extend(self.types);
        bytes.extend(self.strings);
        bytes
    }
}

/// The types of:
/// ```c
/// struct point { int x; int y; };
/// struct outer {
///     const struct point inner;
///     union { struct { point_t deep; }; long other; };
///     unsigned low : 3; unsigned high : 5;
///     int *pointer[0];
/// };
/// enum color { RED = 1, BLUE = -2 };
/// typedef void (*btf_trace_paint)(void *, const struct point *, int);
/// ```
fn sample_bytes() -> Vec<u8> {
    let mut w = Writer { types: Vec::new(), strings: vec![0] };
    let int = 0x0100_0020;
    w.add(Kind::Int, "int", false, 0, 4, &[int]); // 1
    let (x, y) = (w.name("x"), w.name("y"));
    w.add(Kind::Struct, "point", false, 2, 8, &[x, 1, 0, y, 1, 32]); // 2
    w.add(Kind::Const, "", false, 0, 2, &[]); // 3
    w.add(Kind::Typedef, "point_t", false, 0, 2, &[]); // 4
    let deep = w.name("deep");
    w.add(Kind::Struct, "", false, 1, 8, &[deep, 4, 0]); // 5
    w.add(Kind::Int, "long", false, 0, 8, &[int]); // 6
    let other = w.name("other");
    w.add(Kind::Union, "", false, 2, 8, &[0, 5, 0, other, 6, 0]); // 7
    w.add(Kind::Int, "unsigned", false, 0, 4, &[0x20]); // 8
    w.add(Kind::Ptr, "", false, 0, 1, &[]); // 9
    w.add(Kind::Array, "", false, 0, 0, &[9, 8, 3]); // 10
    let (inner, low, high, pointer) = (w.name("inner"), w.name("low"), w.name("high"), w.name("pointer"));
    let members = [inner, 3, 0, 0, 7, 64, low, 8, 128 | 3 << 24, high, 8, 131 | 5 << 24, pointer, 9, 160];
    w.add(Kind::Struct, "outer", true, 5, 24, &members); // 11
    let (red, blue) = (w.name("RED"), w.name("BLUE"));
    w.add(Kind::Enum, "color", true, 2, 4, &[red, 1, blue, -2i32 as u32]); // 12
    w.add(Kind::Ptr, "", false, 0, 3, &[]); // 13
    w.add(Kind::Ptr, "", false, 0, 0, &[]); // 14
    w.add(Kind::FuncProto, "", false, 3, 0, &[0, 14, 0, 13, 0, 1]); // 15
    w.add(Kind::Ptr, "", false, 0, 15, &[]); // 16
    w.add(Kind::Typedef, "btf_trace_paint", false, 0, 16, &[]); // 17
    let big = w.name("BIG");
    w.add(Kind::Enum64, "huge", false, 1, 8, &[big, 1, 2]); // 18
    w.finish()
}

/// What a module adds to the sample: `struct paint { struct point at; enum color color; }; enum { DRY = 7 }; long dry(struct paint *);`
fn module_bytes(base: &Btf) -> Vec<u8> {
    let strings = base.strings.1 as u32;
    let mut w = Writer { types: Vec::new(), strings: vec![0] };
    let own = |at: u32| strings + at;
    let add = |w: &mut Writer, kind, name: &str, count, value, extra: &[u32]| {
        let at = w.name(name);
        let head = [if at == 0 { 0 } else { own(at) }, (kind as u32) << 24 | count, value];
        w.types.extend(head.iter().chain(extra).flat_map(|word: &u32| word.to_le_bytes()));
    };
    let (at, color, dry) = (own(w.name("at")), own(w.name("color")), own(w.name("DRY")));
    add(&mut w, Kind::Struct, "paint", 2, 12, &[at, 2, 0, color, 12, 64]); // 19
    add(&mut w, Kind::Enum, "", 1, 4, &[dry, 7]); // 20
    add(&mut w, Kind::Ptr, "", 0, 19, &[]); // 21
    add(&mut w, Kind::FuncProto, "", 1, 6, &[0, 21]); // 22
    add(&mut w, Kind::Func, "dry", 0, 22, &[]); // 23
    w.finish()
}

/// The sample with a module.
pub(crate) fn sample_module() -> Btf {
    let base = Arc::new(sample());
    let bytes = module_bytes(&base);
    Btf::index(Source::from(bytes), Some(base)).expect("the sample is well-formed")
}

#[test]
fn a_modules_types_go_on_from_the_kernels() {
    let btf = sample_module();
    assert_eq!((btf.first(), btf.len()), (19, 5));
    let paint = btf.find(Kind::Struct, "paint").expect("it is there");
    let members = btf.members(paint).expect("it has members");
    assert_eq!(
        members.iter().map(|member| (member.name, member.ty.0)).collect::<Vec<_>>(),
        [("at", 2), ("color", 12)]
    );
    assert_eq!(
        (btf.name(TypeId(2)), btf.name(paint), btf.size_of(paint)),
        (Some("point"), Some("paint"), Some(12))
    );
    assert_eq!(btf.field("paint", "at.y").map(|at| at.offset), Some(4));
    assert_eq!(btf.enumerator("DRY"), Some((TypeId(20), 7)));
    assert_eq!(btf.enumerator("RED"), None);
    assert_eq!(btf.base().and_then(|base| base.enumerator("BLUE")), Some((TypeId(12), -2)));
    let function = btf.function("dry").expect("it is there");
    assert_eq!(function.params, [Param { name: "", ty: TypeId(21) }]);
    assert_eq!(
        (btf.display(function.params[0].ty), btf.display(function.result)),
        ("struct paint *".into(), "long".into())
    );
}

pub(crate) fn sample() -> Btf {
    Btf::parse(sample_bytes()).expect("the sample is well-formed")
}

/// The time of a CPU that this thread has had: what may be bounded where a machine has other things to do.
pub(crate) fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a place for a time.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The running kernel's BTF; says why it is not there.
pub(crate) fn running() -> Option<Btf> {
    Btf::load().inspect_err(|error| eprintln!("skipped: {error}")).ok()
}

#[test]
fn fields_are_found_through_anonymous_members_and_typedefs() {
    let btf = sample();
    let place = |name, path| btf.field(name, path).map(|at| (at.offset, at.bit, at.bits, at.size));
    assert_eq!(place("point", "y"), Some((4, 0, 0, 4)));
    assert_eq!(place("point_t", "y"), Some((4, 0, 0, 4)));
    assert_eq!(place("outer", "inner.y"), Some((4, 0, 0, 4)));
    assert_eq!(place("outer", "deep.y"), Some((12, 0, 0, 4)));
    assert_eq!(place("outer", "other"), Some((8, 0, 0, 8)));
    assert_eq!(place("outer", "high"), Some((16, 3, 5, 4)));
    for gone in ["z", "", "inner.", "pointer.x", "deep.y.z", "inner..y"] {
        assert_eq!(place("outer", gone), None, "{gone:?}");
    }
}

#[test]
fn sizes_enumerations_and_prototypes() {
    let btf = sample();
    assert_eq!(btf.size_of(TypeId(4)), Some(8));
    assert_eq!(btf.size_of(TypeId(10)), Some(24));
    assert_eq!(btf.size_of(TypeId(0)), None);
    assert_eq!(btf.enum_value("color", "BLUE"), Some(-2));
    assert_eq!(btf.enum_value("huge", "BIG"), Some(2 << 32 | 1));
    assert_eq!(btf.enum_value("", "RED"), Some(1));
    assert_eq!(btf.enum_value("color", "GREEN"), None);
    let params = btf.func_proto_params("btf_trace_paint").expect("it is a pointer to a function");
    let types: Vec<String> = params.iter().map(|param| btf.display(param.ty)).collect();
    assert_eq!(types, ["void *", "const struct point *", "int"]);
    assert_eq!(btf.display(TypeId(10)), "int *[3]");
    assert_eq!(btf.func_proto_params("point_t"), None);
    assert_eq!(btf.find(Kind::Struct, "point"), Some(TypeId(2)));
    assert_eq!(btf.find(Kind::Union, "point"), None);
    assert_eq!(btf.names_with_prefix(Kind::Typedef, "btf_trace_").count(), 1);
}

#[test]
fn what_is_not_btf_is_refused() {
    let refuse = |bytes: Vec<u8>| Btf::parse(bytes).expect_err("it is malformed").to_string();
    assert!(refuse(Vec::new()).contains("the header is cut short"));
    assert!(refuse(vec![0; 64]).contains("the magic number is missing"));
    assert!(refuse([&[0xeb, 0x9f, 1, 0][..], &[0; 20]].concat()).contains("big-endian"));
    let mut bytes = sample_bytes();
    bytes.pop();
    assert!(refuse(bytes).contains("the strings end beyond the data"));
    let mut bytes = sample_bytes();
    bytes[24 + 7] = 0x1f;
    assert!(refuse(bytes).contains("unknown kind"));
}

/// Asks everything of a blob that is well-formed enough to be read.
fn ask_everything(bytes: Vec<u8>) {
    let Ok(btf) = Btf::parse(bytes) else { return };
    for id in 0..=btf.len() as u32 + 1 {
        let id = TypeId(id);
        let _ = (btf.name(id), btf.kind(id), btf.size_of(id), btf.display(id), btf.field_of(id, "deep.y"));
    }
    for path in ["x", "deep.y", "high", "nothing"] {
        btf.field("outer", path);
    }
    btf.enum_value("color", "BLUE");
    btf.enum_value("", "nothing");
    btf.func_proto_params("btf_trace_paint");
}

proptest! {
    #[test]
    fn malformed_bytes_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = sample_bytes();
        for (at, value) in &edits {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        ask_everything(bytes);
    }

    #[test]
    fn arbitrary_references_never_panic(words in prop::collection::vec((0u32..24, any::<prop::sample::Index>()), 1..40)) {
        // Words of the types replaced by small numbers, so that references form cycles.
        let mut bytes = sample_bytes();
        let types = read_u32(&bytes, 12).expect("the header has it") as usize / 4;
        for (word, at) in words {
            let at = 24 + 4 * at.index(types);
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        ask_everything(bytes);
    }
}

#[test]
fn a_structure_inside_itself_ends() {
    let mut w = Writer { types: Vec::new(), strings: vec![0] };
    let members: Vec<u32> = (0..500).flat_map(|_| [0, 1, 0]).collect();
    w.add(Kind::Struct, "knot", false, 500, 8, &members);
    w.add(Kind::Typedef, "loop", false, 0, 2, &[]);
    let btf = Btf::parse(w.finish()).expect("it is well-formed");
    assert_eq!(btf.field("knot", "x"), None);
    assert_eq!(btf.field("loop", "x"), None);
}

#[test]
fn the_running_kernel_is_read_quickly() {
    static KERNEL: LazyLock<Option<Btf>> = LazyLock::new(running);
    let begin = thread_time();
    let Some(btf) = &*KERNEL else { return };
    let loaded = thread_time() - begin;
    let pid = btf.field("task_struct", "pid").expect("every kernel has it");
    assert_eq!((pid.size, pid.bit, pid.bits), (4, 0, 0));
    assert_eq!(btf.size_of(btf.find(Kind::Typedef, "pid_t").expect("every kernel has it")), Some(4));
    assert!(btf.func_proto_params("btf_trace_sched_process_exit").expect("every kernel has it").len() >= 2);
    assert!(btf.field("sock", "__sk_common.skc_dport").is_some(), "through anonymous members");
    let all = thread_time() - begin;
    eprintln!("indexed in {loaded:?}, all in {all:?}");
    assert!(all.as_millis() < 1000, "{all:?}");
}
