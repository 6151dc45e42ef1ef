//! Trees as the parser gives them, and heaps of tokens.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use tracer::diagnostic::Span;
use tracer::syntax::ast::*;

fn ident(name: impl Into<String>) -> Ident {
    Ident { name: name.into(), span: Span::default() }
}

/// A name that is no keyword and no type's.
fn name() -> impl Strategy<Value = Ident> {
    "[a-z][a-z0-9]{0,3}[A-Z]".prop_map(ident)
}

fn type_word() -> impl Strategy<Value = Ident> {
    "[a-z]{1,4}_t".prop_map(ident)
}

fn expr_of(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

fn int() -> impl Strategy<Value = IntLit> {
    let radix = prop_oneof![Just(Radix::Decimal), Just(Radix::Octal), Just(Radix::Hex)];
    (any::<u64>(), 0..64u32, radix, any::<bool>(), 0..3u8).prop_map(
        |(value, shift, radix, unsigned, longs)| {
            let value = value >> shift;
            // Only these types hold it: what is decimal and has no `u` is signed.
            let unsigned = unsigned || radix == Radix::Decimal && value > i64::MAX as u64;
            IntLit { value, radix, unsigned, longs }
        },
    )
}

fn float() -> impl Strategy<Value = FloatLit> {
    let kind = prop_oneof![Just(FloatKind::Float), Just(FloatKind::Double), Just(FloatKind::LongDouble)];
    let value = any::<f64>().prop_map(|value| if value.is_finite() { value.abs() } else { 0.5 });
    (value, kind).prop_map(|(value, kind)| FloatLit { value, kind })
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![Just(Scope::Global), Just(Scope::Thread), Just(Scope::Clause)]
}

fn leaf() -> impl Strategy<Value = Expr> {
    prop_oneof![
        int().prop_map(ExprKind::Int),
        (any::<u64>(), 0..64u32).prop_map(|(value, shift)| ExprKind::Char(value >> shift)),
        float().prop_map(ExprKind::Float),
        vec(any::<u8>(), 0..6).prop_map(ExprKind::Str),
        ".{0,4}".prop_map(|text: String| ExprKind::Str(text.into_bytes())),
        (scope(), name()).prop_map(|(scope, name)| ExprKind::Var(scope, name)),
        (of(name()), name()).prop_map(|(module, name)| ExprKind::Symbol { module, name }),
        ("[a-z]{1,5}|[0-9]{1,2}", any::<bool>())
            .prop_map(|(name, string)| ExprKind::Macro(MacroArg { name, string })),
    ]
    .prop_map(expr_of)
}

fn unary() -> impl Strategy<Value = UnOp> {
    use UnOp::*;
    proptest::sample::select(vec![
        Plus, Neg, Not, BitNot, Deref, Addr, PreInc, PreDec, PostInc, PostDec, Sizeof, Stringof,
    ])
}

fn binary() -> impl Strategy<Value = BinOp> {
    use BinOp::*;
    proptest::sample::select(vec![
        Mul, Div, Rem, Add, Sub, Shl, Shr, Lt, Le, Gt, Ge, Eq, Ne, And, Xor, Or, LogAnd, LogXor, LogOr, Comma,
    ])
}

/// The operators that have an assignment.
fn assigning() -> impl Strategy<Value = BinOp> {
    use BinOp::*;
    proptest::sample::select(vec![Mul, Div, Rem, Add, Sub, Shl, Shr, And, Xor, Or])
}

fn is_agg(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Agg(_))
}

fn agg(exprs: impl Strategy<Value = Expr>) -> impl Strategy<Value = AggRef> {
    (of(name()), vec(exprs, 0..3)).prop_map(|(name, keys)| AggRef {
        name: name.map_or_else(String::new, |name| name.name),
        keys,
        span: Span::default(),
    })
}

fn expr() -> BoxedStrategy<Expr> {
    let grown = leaf().prop_recursive(5, 40, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let plain = inner
            .clone()
            .prop_filter("an aggregation's own brackets", |expr| !is_agg(expr))
            .prop_map(Box::new);
        prop_oneof![
            agg(inner.clone()).prop_map(ExprKind::Agg),
            (name(), vec(inner.clone(), 0..4)).prop_map(|(func, args)| ExprKind::Call { func, args }),
            (plain.clone(), vec(inner.clone(), 1..3)).prop_map(|(base, keys)| ExprKind::Index { base, keys }),
            (boxed.clone(), any::<bool>(), name()).prop_map(|(base, arrow, member)| ExprKind::Member {
                base,
                arrow,
                member
            }),
            (unary(), boxed.clone()).prop_map(|(op, expr)| ExprKind::Unary { op, expr }),
            (binary(), boxed.clone(), boxed.clone()).prop_map(|(op, left, right)| ExprKind::Binary {
                op,
                left,
                right
            }),
            (of(assigning()), plain, boxed.clone()).prop_map(|(op, place, value)| ExprKind::Assign {
                op,
                place,
                value
            }),
            (boxed.clone(), boxed.clone(), boxed.clone())
                .prop_map(|(cond, then, otherwise)| ExprKind::Cond { cond, then, otherwise }),
            (type_in_bracket(inner.clone()), boxed.clone())
                .prop_map(|(ty, expr)| ExprKind::Cast { ty, expr }),
            type_in_bracket(inner.clone()).prop_map(ExprKind::SizeofType),
            (type_name(inner.clone()), name()).prop_map(|(ty, member)| ExprKind::Offsetof { ty, member }),
            (type_name(inner), boxed).prop_map(|(ty, expr)| ExprKind::Xlate { ty, expr }),
        ]
        .prop_map(expr_of)
    });
    grown.boxed()
}

fn quals() -> impl Strategy<Value = Quals> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(constant, volatile, restrict, userland)| Quals { constant, volatile, restrict, userland })
}

fn plain_kind() -> impl Strategy<Value = BaseKind> {
    use IntWidth::*;
    let width = proptest::sample::select(vec![Char, Short, Int, Long, LongLong]);
    let sign = of(prop_oneof![Just(Sign::Signed), Just(Sign::Unsigned)]);
    prop_oneof![
        Just(BaseKind::String),
        Just(BaseKind::Float),
        Just(BaseKind::Double),
        Just(BaseKind::LongDouble),
        (width, sign).prop_map(|(width, sign)| BaseKind::Int { width, sign }),
        (of(name()), type_word()).prop_map(|(module, name)| BaseKind::Named { module, name }),
        (any::<bool>(), of(name()), name()).prop_map(|(union, module, tag)| BaseKind::Record(Record {
            union,
            module,
            tag: Some(tag),
            members: None
        })),
        name().prop_map(|tag| BaseKind::Enum(Enum {
            module: None,
            tag: Some(tag),
            values: None,
            wide: false
        })),
    ]
}

fn base_of(kind: impl Strategy<Value = BaseKind>) -> impl Strategy<Value = BaseType> {
    (kind, prop_oneof![3 => Just(Quals::default()), 1 => quals()]).prop_map(|(kind, quals)| BaseType {
        kind,
        quals,
        span: Span::default(),
    })
}

fn derived(exprs: impl Strategy<Value = Expr> + Clone + 'static) -> impl Strategy<Value = Vec<Derived>> {
    let key = (base_of(plain_kind()), of(name())).prop_map(|(base, name)| Param {
        ty: TypeName { base, derived: Vec::new(), span: Span::default() },
        name,
    });
    let key = key.boxed();
    vec(
        prop_oneof![
            3 => prop_oneof![Just(Quals::default()), quals()].prop_map(Derived::Pointer),
            1 => of(exprs.prop_map(Box::new)).prop_map(Derived::Array),
            1 => vec(key.clone(), 1..3).prop_map(Derived::Assoc),
            1 => (vec(key, 0..3), any::<bool>())
                .prop_map(|(params, variadic)| Derived::Function { params, variadic }),
        ],
        0..4,
    )
}

fn type_name(exprs: impl Strategy<Value = Expr> + Clone + 'static) -> impl Strategy<Value = TypeName> {
    (base_of(plain_kind()), derived(exprs)).prop_map(|(base, derived)| TypeName {
        base,
        derived,
        span: Span::default(),
    })
}

/// A type that is told from an expression in brackets: after a name, pointers only.
fn type_in_bracket(exprs: impl Strategy<Value = Expr> + Clone + 'static) -> impl Strategy<Value = TypeName> {
    type_name(exprs).prop_map(|mut ty| {
        if matches!(ty.base.kind, BaseKind::Named { .. }) {
            ty.derived.retain(|step| matches!(step, Derived::Pointer(_)));
        }
        ty
    })
}

fn declarator() -> impl Strategy<Value = Declarator> {
    (name(), derived(expr())).prop_map(|(name, derived)| Declarator {
        name: Some(name),
        derived,
        bits: None,
        span: Span::default(),
    })
}

fn member() -> impl Strategy<Value = Declaration> {
    let bits = (of(name()), expr()).prop_map(|(name, bits)| Declarator {
        name,
        derived: Vec::new(),
        bits: Some(Box::new(bits)),
        span: Span::default(),
    });
    let declarators = vec(prop_oneof![3 => declarator().boxed(), 1 => bits.boxed()], 1..3);
    (base_of(plain_kind()), declarators).prop_map(|(base, declarators)| Declaration {
        storage: None,
        base,
        declarators,
        span: Span::default(),
    })
}

fn defining_kind() -> impl Strategy<Value = BaseKind> {
    prop_oneof![
        (any::<bool>(), of(name()), vec(member(), 1..3)).prop_map(|(union, tag, members)| {
            BaseKind::Record(Record { union, module: None, tag, members: Some(members) })
        }),
        (of(name()), vec((name(), of(expr())), 1..3)).prop_map(|(tag, values)| BaseKind::Enum(Enum {
            module: None,
            tag,
            values: Some(values),
            wide: false
        })),
    ]
}

fn declaration() -> impl Strategy<Value = Declaration> {
    use Storage::*;
    let storage = of(proptest::sample::select(vec![Thread, Clause, Extern, Static, Auto, Register, Typedef]));
    // A typedef's name would be a type's from there on; these are spelled as types already.
    let declared = (storage, base_of(plain_kind()), vec(declarator(), 1..3)).prop_map(
        |(storage, base, mut declarators)| {
            if storage == Some(Typedef) {
                for declarator in &mut declarators {
                    declarator.name = Some(ident("made_t"));
                }
            }
            Declaration { storage, base, declarators, span: Span::default() }
        },
    );
    let defined = (base_of(defining_kind()), vec(declarator(), 0..2)).prop_map(|(base, declarators)| {
        Declaration { storage: None, base, declarators, span: Span::default() }
    });
    prop_oneof![declared, defined]
}

fn stmt() -> impl Strategy<Value = Stmt> {
    let plain = prop_oneof![
        expr().prop_map(StmtKind::Expr),
        (agg(expr()), name(), vec(expr(), 0..3)).prop_map(|(agg, func, args)| StmtKind::Aggregate {
            agg,
            func,
            args
        }),
    ];
    let stmt = |kind| Stmt { kind, span: Span::default() };
    plain.prop_map(stmt).prop_recursive(3, 12, 3, move |inner| {
        (expr(), vec(inner.clone(), 0..3), vec(inner, 0..3))
            .prop_map(move |(cond, then, otherwise)| stmt(StmtKind::If { cond, then, otherwise }))
    })
}

fn probe() -> impl Strategy<Value = ProbeDesc> {
    let part = || "[a-zA-Z_$*?.!-][a-zA-Z0-9_$*?.`!-]{0,6}|\\[a-z\\]\\*||[0-9]{1,3}".prop_map(ident);
    prop_oneof![
        (part(), part(), part(), part()).prop_map(|(provider, module, function, name)| {
            ProbeDescKind::Parts { provider, module, function, name }
        }),
        part().prop_map(|name| ProbeDescKind::Parts {
            provider: ident(""),
            module: ident(""),
            function: ident(""),
            name
        }),
        any::<u32>().prop_map(ProbeDescKind::Id),
    ]
    .prop_map(|kind| ProbeDesc { kind, span: Span::default() })
}

fn item() -> impl Strategy<Value = Item> {
    let clause = (vec(probe(), 1..3), of(expr()), vec(stmt(), 0..4)).prop_map(|(probes, predicate, body)| {
        ItemKind::Clause(Clause { probes, predicate, body: Some(body) })
    });
    let inline = (base_of(plain_kind()), declarator(), expr())
        .prop_map(|(base, declarator, value)| ItemKind::Inline(Inline { base, declarator, value }));
    let translator = (type_name(expr()), type_name(expr()), name(), vec((name(), expr()), 0..3)).prop_map(
        |(output, ty, name, members)| {
            let input = Param { ty, name: Some(name) };
            ItemKind::Translator(Translator { output, input, members })
        },
    );
    prop_oneof![
        4 => clause,
        2 => declaration().prop_map(ItemKind::Declaration),
        1 => inline,
        1 => translator,
    ]
    .prop_map(|kind| Item { kind, span: Span::default() })
}

fn pragma() -> impl Strategy<Value = Pragma> {
    let word = || "[a-z]{1,8}".prop_map(ident);
    prop_oneof![
        (word(), of("[a-z0-9=]{1,5}".prop_map(ident)))
            .prop_map(|(name, value)| PragmaKind::Option { name, value }),
        vec(word(), 1..4)
            .prop_map(|target| PragmaKind::Attributes { stability: ident("Stable/Stable/ISA"), target }),
        word().prop_map(|name| PragmaKind::Binding { version: ident("1.2"), name }),
        word().prop_map(|name| PragmaKind::DependsOn { class: ident("module"), name }),
    ]
    .prop_map(|kind| Pragma { kind, span: Span::default() })
}

/// A whole program.
pub(crate) fn program() -> impl Strategy<Value = Program> {
    (vec(item(), 0..4), vec(pragma(), 0..3)).prop_map(|(items, pragmas)| Program {
        items,
        pragmas,
        marks: Vec::new(),
        arguments: Vec::new(),
    })
}

/// Tokens and scraps in any order.
pub(crate) fn tokens() -> impl Strategy<Value = String> {
    const SCRAPS: &[&str] = &[
        "x",
        "foo_t",
        "BEGIN",
        "syscall::read:entry",
        "tick-1s",
        "count",
        "int",
        "string",
        "struct",
        "enum",
        "self",
        "this",
        "->",
        ".",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ";",
        ",",
        "/",
        "/*",
        "*/",
        "//",
        "\n",
        "#",
        "#pragma D option",
        "# 1 \"x\"",
        "+",
        "-",
        "*",
        "&",
        "=",
        "==",
        "?",
        ":",
        "!",
        "~",
        "++",
        "--",
        "@",
        "@a",
        "$1",
        "$$x",
        "$",
        "`",
        "a`b",
        "0",
        "09",
        "0x",
        "1.5",
        "1e",
        "\"s\"",
        "\"",
        "'",
        "'c'",
        "\\",
        "if",
        "else",
        "for",
        "sizeof",
        "stringof",
        "offsetof",
        "xlate",
        "<",
        ">",
        "inline",
        "translator",
        "typedef",
        "const",
        "unsigned",
        "char",
        "...",
        "é",
        "\u{0}",
        "“",
    ];
    vec((proptest::sample::select(SCRAPS.to_vec()), any::<bool>()), 0..30).prop_map(|scraps| {
        scraps.iter().map(|(scrap, blank)| format!("{scrap}{}", if *blank { " " } else { "" })).collect()
    })
}
