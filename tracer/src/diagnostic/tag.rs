//! The tags of diagnostics: DTrace's names, each with a line that says what it means.
//!
//! Invariant: a tag's variant is spelled as users see it, so that a search for one finds the other.

use std::fmt;

macro_rules! tags {
    ($($name:ident: $means:literal,)*) => {
        /// What kind of mistake a diagnostic is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(non_camel_case_types, reason = "the names are DTrace's")]
        pub enum Tag { $(#[doc = $means] $name,)* }

        impl Tag {
            /// Every tag.
            pub const ALL: &'static [Tag] = &[$(Tag::$name,)*];

            /// As users see it.
            pub fn name(self) -> &'static str {
                match self { $(Tag::$name => stringify!($name),)* }
            }

            /// What it means, in one line.
            pub fn means(self) -> &'static str {
                match self { $(Tag::$name => $means,)* }
            }
        }
    };
}

tags! {
    // Text
    D_SYNTAX: "the text is not what the grammar allows at this place",
    D_EMPTY: "the program holds no clause, and none is allowed to be missing",
    D_INT_OFLOW: "an integer constant does not fit in 64 bits",
    D_INT_DIGIT: "a digit is not one of the constant's base",
    D_STR_NL: "a string is not closed before the end of its line",
    D_CHR_NL: "a character constant is not closed before the end of its line",
    D_CHR_NULL: "a character constant holds no character",
    D_CHR_OFLOW: "a character constant holds more characters than fit in a long",
    D_MACRO_UNDEF: "no macro argument or variable has this name",
    D_MACRO_OFLOW: "a macro argument's integer does not fit",
    D_MACRO_UNUSED: "arguments were given that the program never uses",
    D_PRAGERR: "an error that the program asked for with #pragma error",
    D_PRAGCTL_INVAL: "a control line that is not known",
    D_PRAGMA_INVAL: "a pragma that is not known",
    D_PRAGMA_MALFORM: "a pragma whose arguments are missing or of the wrong form",
    D_PRAGMA_OPTSET: "an option that does not exist, or a value that it does not take",
    D_PRAGMA_SCOPE: "a pragma that is not allowed at this place",
    D_PRAGMA_DEPEND: "something that the program depends on is not there",
    D_PRAGMA_UNUSED: "a pragma without effect",
    // Probes
    D_PDESC_ZERO: "a probe description matches no probe",
    D_PDESC_INVAL: "a probe description has too many parts, or an id is not known",
    D_PRED_SCALAR: "a predicate is not a number or pointer",
    D_PROC_BADPID: "a provider of processes without the id of one",
    D_PROC_GRAB: "a process that cannot be looked at",
    D_PROC_CREATEFAIL: "a process, or probes in one, that cannot be made",
    D_PROC_DYN: "a process that cannot have probes: the tracer itself",
    D_PROC_LIB: "a process has mapped no such program or library",
    D_PROC_FUNC: "a function that is not in a process, or cannot be probed",
    D_PROC_OFF: "an offset at which no instruction begins",
    D_PROC_NAME: "functions have no probe of that name",
    D_PROV_INCOMPAT: "a provider's declaration disagrees with the provider",
    D_PROV_BADNAME: "a provider or probe of a name that it cannot have",
    D_PROV_PRDUP: "a probe is declared twice",
    D_PROV_PRARGLEN: "a probe is declared with too many arguments",
    D_PROV_PRXLATOR: "no translator makes a probe's argument as it is declared",
    D_ATTR_MIN: "something is less stable than the program asked for",
    // Names
    D_IDENT_UNDEF: "no variable, function or constant has this name",
    D_IDENT_BADREF: "a name is used as what it is not",
    D_VAR_UNDEF: "a variable is used before anything is assigned to it",
    D_ARGS_NONE: "args[] is used outside of a clause",
    D_ARGS_IDX: "the probe has no argument of this number",
    D_ARGS_TYPE: "the type of an argument is not known",
    D_REGS_IDX: "the process's registers have none of this number",
    D_ARGS_MULTI: "the probes of a clause give an argument different types",
    D_IDENT_AMBIG: "a name is an enumerator and something else",
    D_SYM_BADREF: "a kernel symbol is used as what it is not",
    D_SYM_NOTYPES: "no type information for a kernel symbol",
    D_UNKNOWN: "a member or enumerator of that name is not there, or there already",
    D_TYPE_ERR: "no type has this name, or it has no usable definition",
    D_TYPE_MEMBER: "the structure or union has no member of this name",
    D_TYPEDEF: "a type definition that is not valid",
    D_FUNC_UNDEF: "no function has this name",
    D_FUNC_IDENT: "what is called is not a name",
    D_FUNC_IDKIND: "a name that is not a function is called, or a function is used without a call",
    // Declarations
    D_DECL_SCOPE: "a declaration at a place where it is not allowed",
    D_DECL_CLASS: "a second storage class",
    D_DECL_BADCLASS: "a storage class that D does not have",
    D_DECL_IDENT: "a second name for what is declared, or a type that is none",
    D_DECL_IDRED: "a name is declared again, differently",
    D_DECL_TYPERED: "a type is defined again",
    D_DECL_COMBO: "words that do not make a type together",
    D_DECL_ENCONST: "an enumerator's value is not a constant integer",
    D_DECL_ENOFLOW: "an enumerator's value does not fit",
    D_DECL_INCOMPLETE: "a type is needed whose size is not known",
    D_DECL_BFCONST: "a bit-field's size is not a constant integer that fits",
    D_DECL_BFTYPE: "a bit-field of a type that cannot have bits",
    D_DECL_BFSIZE: "a bit-field wider than its type",
    D_DECL_VOIDATTR: "attributes on void",
    D_DECL_VOIDOBJ: "a variable of type void",
    D_DECL_CHARATTR: "a size on a character type",
    D_DECL_SIGNINT: "signed or unsigned on what is no integer",
    D_DECL_LONGINT: "long on what has no long form",
    D_DECL_USELESS: "a declaration that declares nothing",
    D_DECL_ARRNULL: "an array without its number of elements or the types of its key",
    D_DECL_ARRSUB: "an array's size is not a positive constant integer",
    D_DECL_ARRBIG: "an array of too many elements",
    D_DECL_LOCASSC: "an associative array is declared in clause scope",
    D_DECL_FUNCRET: "a function that returns what cannot be returned",
    D_DECL_PARMCLASS: "a storage class on a parameter",
    D_DECL_PROTO_NAME: "a parameter's name is missing, or given to void",
    D_DECL_PROTO_FORM: "a parameter's name is given twice, or is none of those to choose from",
    D_DECL_PROTO_TYPE: "a parameter or part of a key of a type that cannot be one",
    D_DECL_PROTO_VARARGS: "variable arguments at a place where they are not allowed",
    D_DECL_PROTO_VOID: "void among other parameters",
    D_DECL_DYNOBJ: "a dynamic type where a static one is needed",
    // Expressions
    D_OP_INT: "an operator needs integers",
    D_OP_SCALAR: "an operator needs numbers or pointers",
    D_OP_ARITH: "an operator needs numbers",
    D_OP_PTR: "an operator needs a pointer",
    D_OP_SOU: "an operator needs a structure or union",
    D_OP_ARRFUN: "a name is used without the subscript or call that it needs",
    D_OP_LVAL: "what is assigned to is no place in memory",
    D_OP_WRITE: "what is assigned to cannot be written",
    D_OP_INCOMPAT: "an operator's operands do not go together",
    D_OP_INCOMPLETE: "an operand's type has no known size",
    D_OP_VFPTR: "arithmetic on a pointer to void or to a function",
    D_OP_DYN: "a dynamic value where a static one is needed",
    D_OP_IDENT: "an operator needs a variable's name",
    D_OP_ACT: "an action is an operand of `?:` or a comma",
    D_CAST_INVAL: "a cast between types that cannot be cast",
    D_DIV_ZERO: "a division by a constant zero",
    D_DEREF_NONPTR: "what is dereferenced is not a pointer",
    D_DEREF_VOID: "a pointer to void is dereferenced",
    D_DEREF_FUNC: "a pointer to a function is dereferenced",
    D_ADDROF_LVAL: "the address is taken of what is no place in memory",
    D_ADDROF_VAR: "the address is taken of a D variable",
    D_ADDROF_BITFIELD: "the address is taken of a bit-field",
    D_SIZEOF_TYPE: "the size is asked of a type that has none",
    D_SIZEOF_BITFIELD: "the size is asked of a bit-field",
    D_OFFSETOF_TYPE: "offsetof on what is no structure or union",
    D_OFFSETOF_BITFIELD: "offsetof on a bit-field",
    D_STRINGOF_TYPE: "stringof on what cannot be made a string",
    D_ARR_BADREF: "an array is used without or with the wrong subscript",
    D_ARR_BOUNDS: "a constant subscript beyond an array's elements",
    D_ARR_LOCAL: "an associative array in clause scope",
    D_EXPR_DEPTH: "an expression or statement is nested too deeply",
    D_VERIFIER: "the kernel refuses the code that was made for this: a fault of tracer, not of the program",
    D_LIMIT: "a limit of what can be compiled is exceeded",
    D_EXPR_NULL: "an expression without effect",
    D_XLATE_REDECL: "a translator between these types exists already",
    D_XLATE_NONE: "no translator between these types",
    D_XLATE_NOCONV: "an expression that cannot be translated to this type",
    D_XLATE_INCOMPAT: "a translator's member of an incompatible type",
    D_XLATE_MEMB: "a translator's member that the type has not",
    D_XLATE_SOU: "a translator for what is no structure or union",
    // Functions
    D_PROTO_LEN: "too few or too many arguments",
    D_PROTO_ARG: "an argument of the wrong type",
    D_DESTRUCTIVE: "a destructive action without leave: -w gives it",
    D_NOT_SUPPORTED: "part of DTrace that cannot exist, or does not exist yet, on Linux",
    D_ACT_SPEC: "an action that cannot be speculated",
    D_PRINTF_ARG_FMT: "the format is not a string constant",
    D_PRINTF_ARG_EXTRA: "more arguments than the format has conversions",
    D_PRINTF_ARG_PROTO: "fewer arguments than the format has conversions",
    D_PRINTF_ARG_TYPE: "an argument that its conversion cannot print",
    D_PRINTF_FMT_EMPTY: "an empty format",
    D_PRINTF_DYN_PROTO: "a dynamic width or precision without its argument",
    D_PRINTF_DYN_TYPE: "a dynamic width or precision that is no integer",
    D_PRINTF_AGG_CONV: "%@ outside of printa",
    D_PRINTA_PROTO: "printa with arguments of the wrong number",
    D_PRINTA_AGGARG: "printa of what is no aggregation",
    D_PRINTA_AGGBAD: "printa of an aggregation that the program never fills",
    D_PRINTA_AGGKEY: "aggregations printed together whose keys have different numbers of parts",
    D_PRINTA_AGGPROTO: "aggregations printed together whose keys have parts of different types",
    D_TRACE_VOID: "trace of what has no value",
    D_TRACE_DYN: "trace of a dynamic value",
    D_TRACE_AGG: "trace of an aggregation",
    D_PRINT_VOID: "print of what has no value",
    D_PRINT_DYN: "print of a dynamic value",
    D_PRINT_AGG: "print of an aggregation",
    D_TRACEMEM_ADDR: "tracemem of what is no address",
    D_TRACEMEM_SIZE: "tracemem with a size that is no constant integer that fits",
    D_TRACEMEM_DYNSIZE: "tracemem with a number of bytes that is no integer",
    D_TRACEMEM_ARGS: "tracemem with too many arguments",
    D_PRINTM_ADDR: "printm of what memref() does not name",
    D_PRINTM_SIZE: "printm with a size that is no constant integer that fits",
    D_STACK_PROTO: "stack with arguments of the wrong number",
    D_STACK_SIZE: "stack with a size that is no constant integer that fits",
    D_USTACK_FRAMES: "ustack with a number of frames that is no constant integer that fits",
    D_USTACK_STRSIZE: "ustack with a string size that is no constant integer that fits",
    D_USTACK_PROTO: "ustack with arguments of the wrong number",
    D_FREOPEN_INVALID: "freopen with a name that cannot be one",
    D_ALLOCA_SIZE: "alloca of more than the scratch space",
    D_COPYIN_SIZE: "copyin of more than the scratch space",
    // Aggregations
    D_AGG_FUNC: "no aggregating function has this name, or it is used elsewhere",
    D_AGG_MDIM: "an aggregation's key is written with several brackets",
    D_AGG_REDEF: "an aggregation is filled in two different ways",
    D_AGG_NULL: "a statement that is an aggregation alone",
    D_AGG_KEY: "an aggregation's key of a type that cannot be one",
    D_AGG_SCALAR: "an aggregating function's argument is no number",
    D_KEY_TYPE: "a key of the wrong type, or of a type that cannot be one",
    D_CLEAR_PROTO: "clear with arguments of the wrong number",
    D_CLEAR_AGGARG: "clear of what is no aggregation",
    D_CLEAR_AGGBAD: "clear of an aggregation that the program never fills",
    D_TRUNC_PROTO: "trunc with arguments of the wrong number",
    D_TRUNC_AGGARG: "trunc of what is no aggregation",
    D_TRUNC_AGGBAD: "trunc of an aggregation that the program never fills",
    D_TRUNC_SCALAR: "trunc to what is no integer",
    D_NORMALIZE_PROTO: "normalize with arguments of the wrong number",
    D_NORMALIZE_AGGARG: "normalize of what is no aggregation",
    D_NORMALIZE_AGGBAD: "normalize of an aggregation that the program never fills",
    D_NORMALIZE_SCALAR: "normalize by what is no integer",
    D_QUANT_PROTO: "quantize with arguments of the wrong number",
    D_LQUANT_BASETYPE: "lquantize's lowest value is no constant integer",
    D_LQUANT_BASEVAL: "lquantize's lowest value does not fit in 32 bits",
    D_LQUANT_LIMTYPE: "lquantize's highest value is no constant integer",
    D_LQUANT_LIMVAL: "lquantize's highest value does not fit in 32 bits",
    D_LQUANT_MISMATCH: "lquantize's highest value is below its lowest",
    D_LQUANT_STEPTYPE: "lquantize's step is no constant integer",
    D_LQUANT_STEPVAL: "lquantize's step is no positive 16-bit number",
    D_LQUANT_STEPLARGE: "lquantize's step leaves no level",
    D_LQUANT_STEPSMALL: "lquantize's step makes too many levels",
    D_LQUANT_MATCHBASE: "lquantize's lowest value differs from an earlier use of the aggregation",
    D_LQUANT_MATCHLIM: "lquantize's highest value differs from an earlier use of the aggregation",
    D_LQUANT_MATCHSTEP: "lquantize's step differs from an earlier use of the aggregation",
    D_LLQUANT_FACTORTYPE: "llquantize's factor is no constant integer",
    D_LLQUANT_FACTORVAL: "llquantize's factor does not fit in 16 bits",
    D_LLQUANT_FACTORMATCH: "llquantize's factor differs from an earlier use of the aggregation",
    D_LLQUANT_FACTORSMALL: "llquantize's factor is less than two",
    D_LLQUANT_FACTORNSTEPS: "llquantize's number of steps is less than its factor and does not divide it",
    D_LLQUANT_FACTOREVEN: "llquantize's factor and number of steps do not divide each other's powers",
    D_LLQUANT_LOWTYPE: "llquantize's lowest magnitude is no constant integer",
    D_LLQUANT_LOWVAL: "llquantize's lowest magnitude does not fit in 16 bits",
    D_LLQUANT_LOWMATCH: "llquantize's lowest magnitude differs from an earlier use of the aggregation",
    D_LLQUANT_HIGHTYPE: "llquantize's highest magnitude is no constant integer",
    D_LLQUANT_HIGHVAL: "llquantize's highest magnitude does not fit in 16 bits",
    D_LLQUANT_HIGHMATCH: "llquantize's highest magnitude differs from an earlier use of the aggregation",
    D_LLQUANT_NSTEPTYPE: "llquantize's number of steps is no constant integer",
    D_LLQUANT_NSTEPVAL: "llquantize's number of steps does not fit in 16 bits",
    D_LLQUANT_NSTEPMATCH: "llquantize's number of steps differs from an earlier use of the aggregation",
    D_LLQUANT_MAGRANGE: "llquantize's highest magnitude is below its lowest",
    D_LLQUANT_MAGTOOBIG: "what is above llquantize's highest magnitude does not fit in 64 bits",
    // Clauses
    D_COMM_COMM: "commit twice in a clause",
    D_COMM_DREC: "commit after something was recorded in the same clause",
    D_DREC_COMM: "something is recorded after commit in the same clause",
    D_AGG_COMM: "an aggregation after commit in the same clause",
    D_SPEC_SPEC: "speculate twice in a clause",
    D_SPEC_DREC: "speculate after something was recorded in the same clause",
    D_SPEC_COMM: "speculate after commit in the same clause",
    D_AGG_SPEC: "an aggregation in a speculating clause",
    D_EXIT_SPEC: "exit in a speculating clause",
    D_ASRELO: "the compiled program needs a symbol that nothing defines",
    D_CG_EXPR: "an action or aggregating function where an expression is needed",
    D_CG_DYN: "a translated value or an aggregation used as a whole",
    D_ID_OFLOW: "too many variables, strings or probes",
}

/// Tags that Oracle's DTrace for Linux calls otherwise than those of the other systems.
const OF_ORACLE: &[(Tag, &str)] = &[
    (Tag::D_TRACE_AGG, "D_TRACE_DYN"),
    (Tag::D_PRINT_AGG, "D_PRINT_DYN"),
    (Tag::D_LLQUANT_FACTORSMALL, "D_LLQUANT_FACTORVAL"),
    (Tag::D_LLQUANT_FACTORMATCH, "D_LLQUANT_MATCHFACTOR"),
    (Tag::D_LLQUANT_FACTORNSTEPS, "D_LLQUANT_STEPVAL"),
    (Tag::D_LLQUANT_FACTOREVEN, "D_LLQUANT_STEPVAL"),
    (Tag::D_LLQUANT_LOWTYPE, "D_LLQUANT_LMAGTYPE"),
    (Tag::D_LLQUANT_LOWVAL, "D_LLQUANT_LMAGVAL"),
    (Tag::D_LLQUANT_LOWMATCH, "D_LLQUANT_MATCHLMAG"),
    (Tag::D_LLQUANT_HIGHTYPE, "D_LLQUANT_HMAGTYPE"),
    (Tag::D_LLQUANT_HIGHVAL, "D_LLQUANT_HMAGVAL"),
    (Tag::D_LLQUANT_HIGHMATCH, "D_LLQUANT_MATCHHMAG"),
    (Tag::D_LLQUANT_NSTEPTYPE, "D_LLQUANT_STEPTYPE"),
    (Tag::D_LLQUANT_NSTEPVAL, "D_LLQUANT_STEPVAL"),
    (Tag::D_LLQUANT_NSTEPMATCH, "D_LLQUANT_MATCHSTEPS"),
    (Tag::D_LLQUANT_MAGRANGE, "D_LLQUANT_HMAGVAL"),
    (Tag::D_LLQUANT_MAGTOOBIG, "D_LLQUANT_HMAGVAL"),
];

/// What DTrace sees while it reads a text, before it asks what the clauses mean: how these tags begin.
const READING: &[&str] = &[
    "D_SYNTAX",
    "D_INT_",
    "D_STR_NL",
    "D_CHR_",
    "D_MACRO_",
    "D_PRAG",
    "D_FUNC_",
    "D_OFFSETOF_",
    "D_DIV_ZERO",
    "D_DECL_",
    "D_PROV_",
    "D_PDESC_INVAL",
];
/// What it sees when it makes code of a clause whose names and types are right.
const COMPILING: &[&str] = &[
    "D_TRACE",
    "D_PRINT",
    "D_STACK_",
    "D_USTACK_",
    "D_LQUANT_",
    "D_LLQUANT_",
    "D_QUANT_",
    "D_CLEAR_",
    "D_TRUNC_",
    "D_NORMALIZE_",
    "D_AGG_NULL",
    "D_AGG_SCALAR",
    "D_AGG_COMM",
    "D_AGG_SPEC",
    "D_COMM_",
    "D_SPEC_",
    "D_DREC_",
    "D_EXIT_",
    "D_ACT_",
    "D_CG_",
    "D_FREOPEN_",
    "D_SIG_",
    "D_DESTRUCTIVE",
];

impl Tag {
    fn begins(self, with: &[&str]) -> bool {
        with.iter().any(|start| self.name().starts_with(start))
    }

    /// Whether DTrace sees it while it reads the text.
    pub fn is_of_reading(self) -> bool {
        self.begins(READING)
    }

    /// Whether DTrace sees it only when it makes code.
    pub fn is_of_compiling(self) -> bool {
        self.begins(COMPILING)
    }

    /// As messages name it: as Oracle's DTrace for Linux does.
    pub fn shown(self) -> &'static str {
        OF_ORACLE.iter().find(|(tag, _)| *tag == self).map_or(self.name(), |&(_, name)| name)
    }

    /// How the other systems call it, where that differs.
    pub fn elsewhere(self) -> Option<&'static str> {
        (self.shown() != self.name()).then(|| self.name())
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Tag {
    type Err = ();

    /// The tag of this name, with or without `D_`, in either case.
    fn from_str(name: &str) -> Result<Self, ()> {
        let wanted = name.to_ascii_uppercase();
        let wanted = wanted.strip_prefix("D_").unwrap_or(&wanted);
        let found = Tag::ALL.iter().find(|tag| tag.name().strip_prefix("D_") == Some(wanted));
        found.copied().ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::Tag;

    #[test]
    fn every_tag_is_found_by_its_name_and_says_what_it_means() {
        for &tag in Tag::ALL {
            assert_eq!(tag.name().parse(), Ok(tag));
            assert_eq!(tag.name()[2..].to_lowercase().parse(), Ok(tag));
            assert!(tag.means().len() > 8 && !tag.means().ends_with('.'), "{tag}");
        }
        assert_eq!("D_NO_SUCH".parse::<Tag>(), Err(()));
    }
}
