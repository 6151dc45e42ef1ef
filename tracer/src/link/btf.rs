//! The types that the kernel wants to know of a program: of each of its functions that it is one, and of a global one what it
//! takes. Without them a program may have no functions that are verified by themselves, and none that bpf_loop calls.
//!
//! The format is that of include/uapi/linux/btf.h, Linux 6.1. Invariant: ids count from 1 in the order of adding.

use std::collections::HashMap;

use super::function::Parameter;

/// `kind << 24`, for the word that says what a type is and how many parts it has.
mod kind {
    pub(super) const INT: u32 = 1 << 24;
    pub(super) const PTR: u32 = 2 << 24;
    pub(super) const ARRAY: u32 = 3 << 24;
    pub(super) const STRUCT: u32 = 4 << 24;
    pub(super) const FUNC: u32 = 12 << 24;
    pub(super) const FUNC_PROTO: u32 = 13 << 24;
}

/// BTF_FUNC_GLOBAL, where a function has the number of its parts.
const GLOBAL: u32 = 1;
const MAGIC: u16 = 0xeb9f;
const HEADER: u32 = 24;

/// Types as they are added.
pub(super) struct Btf {
    types: Vec<u8>,
    functions: HashMap<String, u32>,
    strings: Vec<u8>,
    count: u32,
    word: u32,
    byte: u32,
    slot: u32,
    plain: u32,
}

impl Btf {
    /// The types that all functions share: a word, a pointer to a slot of that size, and a function of nothing.
    pub(super) fn new(slot_size: u32) -> Btf {
        let mut btf = Btf {
            types: Vec::new(),
            functions: HashMap::new(),
            strings: vec![0],
            count: 0,
            word: 0,
            byte: 0,
            slot: 0,
            plain: 0,
        };
        btf.word = btf.add("u64", kind::INT, 8, &[64]);
        btf.byte = btf.add("u8", kind::INT, 1, &[8]);
        btf.slot = btf.area(slot_size);
        btf.plain = btf.add("", kind::FUNC_PROTO, btf.word, &[]);
        btf
    }

    /// A pointer to a struct that only has a name, as the kernel knows the context of a program by.
    pub(super) fn context(&mut self, name: &str) -> u32 {
        let context = self.add(name, kind::STRUCT, 0, &[]);
        self.add("", kind::PTR, context, &[])
    }

    /// A static function: what it takes is seen where it is called.
    pub(super) fn static_function(&mut self, name: &str) -> u32 {
        let prototype = self.plain;
        self.function(name, |_| (kind::FUNC, prototype))
    }

    /// A global function of such parameters that gives a word.
    pub(super) fn once(&mut self, name: &str, parameters: &[Parameter]) -> u32 {
        self.function(name, |btf| {
            let mut words = Vec::new();
            for (index, parameter) in parameters.iter().enumerate() {
                let ty = match *parameter {
                    Parameter::Number => btf.word,
                    Parameter::Area(size) => btf.area(size),
                };
                words.extend([btf.string(&format!("parameter{index}")), ty]);
            }
            let count = parameters.len() as u32;
            (kind::FUNC | GLOBAL, btf.add("", kind::FUNC_PROTO | count, btf.word, &words))
        })
    }

    /// A pointer to so many bytes.
    fn area(&mut self, size: u32) -> u32 {
        let bytes = self.add("", kind::ARRAY, 0, &[self.byte, self.word, size]);
        let member = self.string("bytes");
        let area = self.add("area", kind::STRUCT | 1, size, &[member, bytes, 0]);
        self.add("", kind::PTR, area, &[])
    }

    /// A function that is the same in all programs, once.
    fn function(&mut self, name: &str, make: impl FnOnce(&mut Btf) -> (u32, u32)) -> u32 {
        if let Some(id) = self.functions.get(name) {
            return *id;
        }
        let (kind, prototype) = make(self);
        let id = self.add(name, kind, prototype, &[]);
        self.functions.insert(name.to_owned(), id);
        id
    }

    /// A global function of a slot and a context that gives a word.
    pub(super) fn clauses(&mut self, name: &str, context: u32) -> u32 {
        let names = [self.string("slot"), self.string("ctx")];
        let parameters = [names[0], self.slot, names[1], context];
        let prototype = self.add("", kind::FUNC_PROTO | 2, self.word, &parameters);
        self.add(name, kind::FUNC | GLOBAL, prototype, &[])
    }

    /// The section's bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER as usize + self.types.len() + self.strings.len());
        bytes.extend(MAGIC.to_le_bytes());
        bytes.extend([1, 0]);
        let (types, strings) = (self.types.len() as u32, self.strings.len() as u32);
        for word in [HEADER, 0, types, types, strings] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(&self.types);
        bytes.extend(&self.strings);
        bytes
    }

    fn add(&mut self, name: &str, info: u32, size_or_type: u32, parts: &[u32]) -> u32 {
        let name = self.string(name);
        for word in [name, info, size_or_type].iter().chain(parts) {
            self.types.extend(word.to_le_bytes());
        }
        self.count += 1;
        self.count
    }

    /// The offset of a name among the strings. The kernel wants names of C.
    fn string(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        let fit = |byte: u8| if byte.is_ascii_alphanumeric() { byte } else { b'_' };
        self.strings.extend(name.bytes().take(MAX_NAME).map(fit));
        self.strings.push(0);
        at
    }
}

/// The longest name that the kernel takes (KSYM_NAME_LEN is 128 on the oldest).
const MAX_NAME: usize = 127;
