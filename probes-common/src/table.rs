//! How a provider's file writes its tables: what its programs hang on, what they are called with, its probes.
//!
//! A row says what differs; what is left out is what most have.

/// Programs on raw tracepoints: `NAME = "symbol" on "tracepoint": Record, needs;`, with `family` before the symbol of one that
/// hosts several probes.
macro_rules! programs {
    ($(
        $(#[doc = $doc:literal])*
        $constant:ident = $($family:ident)? $name:literal on $tracepoint:literal: $record:ident, $needs:expr;
    )*) => { $(
        $(#[doc = $doc])*
        pub const $constant: $crate::probe::Program = $crate::probe::Program {
            name: $name,
            attach: $crate::probe::Attach::RawTracepoint($tracepoint),
            family: $crate::table::is_family!($($family)?),
            record: &<$record as $crate::schema::Described>::DEF,
            needs: $needs,
        };
    )* };
}

/// Whether the word is there, and no other.
macro_rules! is_family {
    () => {
        false
    };
    (family) => {
        true
    };
}

/// Programs that only gather what others need: `NAME = "symbol" on "tracepoint";`.
macro_rules! supports {
    ($( $(#[doc = $doc:literal])* $constant:ident = $name:literal on $tracepoint:literal; )*) => { $(
        $(#[doc = $doc])*
        pub const $constant: $crate::probe::Support = $crate::probe::Support {
            name: $name,
            attach: $crate::probe::Attach::RawTracepoint($tracepoint),
        };
    )* };
}

/// The probes of a provider: `"name" in "function", PROGRAM[DISCRIMINATOR], args, documentation;`. Most have no function, and a
/// program of their own.
macro_rules! probes {
    ($provider:literal: $(
        $name:literal $(in $function:literal)?, $program:ident $([$discriminator:expr])?, $args:expr, $doc:expr;
    )*) => {
        /// The probes, in the order of their ids.
        pub const PROBES: &[$crate::probe::Probe] = &[ $( $crate::probe::Probe {
            provider: $provider,
            function: concat!($($function)?),
            name: $name,
            program: &$program,
            discriminator: 0 $(+ $discriminator)?,
            args: $args,
            doc: $doc,
        } ),* ];
    };
}

/// A record of words, and the `args[]` that show them: what a function, a system call or a tracepoint is called with.
macro_rules! words {
    ($(#[doc = $doc:literal])* pub struct $name:ident as $dname:literal, $args:ident: [$ty:ident as $ctype:literal; $count:tt]) => {
        $crate::table::words!(@$count { $(#[doc = $doc])* $name $dname $args $ty $ctype } []);
    };
    (@12 $head:tt [$($rest:tt)*]) => {
        $crate::table::words!(@10 $head [10 arg10 "eleventh argument"; 11 arg11 "twelfth argument"; $($rest)*]);
    };
    (@10 $head:tt [$($rest:tt)*]) => {
        $crate::table::words!(@6 $head [
            6 arg6 "seventh argument"; 7 arg7 "eighth argument"; 8 arg8 "ninth argument"; 9 arg9 "tenth argument"; $($rest)*
        ]);
    };
    (@6 $head:tt [$($rest:tt)*]) => {
        $crate::table::words!(@rows $head [
            0 arg0 "first argument"; 1 arg1 "second argument"; 2 arg2 "third argument"; 3 arg3 "fourth argument";
            4 arg4 "fifth argument"; 5 arg5 "sixth argument"; $($rest)*
        ]);
    };
    (
        @rows { $(#[doc = $doc:literal])* $name:ident $dname:literal $args:ident $ty:ident $ctype:literal }
        [$($bit:literal $field:ident $which:literal;)*]
    ) => {
        $crate::record! {
            $(#[doc = $doc])*
            pub struct $name as $dname { $( #[doc = $which] $bit $field: $ty as $ctype; )* }
        }

        /// The arguments of a probe that has all of them.
        pub const $args: &[$crate::probe::Arg] = &[ $(
            $crate::probe::Arg { ctype: $ctype, field: stringify!($field), doc: $which }
        ),* ];
    };
}

pub(crate) use {is_family, probes, programs, supports, words};
