//! Long clauses: what one program of the kernel would not take is cut into pieces, and does what it says all the same.

use anyhow::{Result, ensure};

use crate::harness::{Family, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "long",
    tests: &[
        ("a_clause_has_more_aggregations_than_a_program_has_maps", aggregations),
        ("an_expression_has_more_variables_than_a_program_has_maps", variables),
        ("what_a_clause_keeps_is_kept_from_piece_to_piece", kept),
        ("a_fault_ends_a_clause_in_pieces_and_no_other", faults),
        ("a_condition_chooses_between_long_branches", branches),
        ("a_speculation_goes_on_from_piece_to_piece", speculation),
        ("a_clause_calls_a_function_a_hundred_times", functions),
        ("a_number_of_many_ways_is_followed_once", ways),
    ],
    workloads: &[],
};

/// What the program prints.
fn output(program: &str, options: &[&str]) -> Result<String> {
    let output = tracer(&[&["-q"], options, &["-n", program]].concat())?;
    ensure!(output.status.code() == Some(0), "{}: {}", output.status, output.stderr);
    Ok(output.stdout)
}

/// A text made of what each number gives.
fn each(count: usize, of: impl Fn(usize) -> String) -> String {
    (0..count).map(of).collect()
}

/// So many statements that a clause with them is cut, more than once.
fn padding() -> String {
    each(400, |n| format!("pad = pad * 3 + {n};\n"))
}

fn aggregations() -> Result<()> {
    let counted = each(100, |n| format!("@a{n}[{n}, \"k\"] = sum({n} + x);\n"));
    let printed = each(100, |n| format!("printa(\"%d %s %@d\\n\", @a{n});\n"));
    let seen = output(&format!("int x; BEGIN {{ x = 7; {counted} exit(0); }} END {{ {printed} }}"), &[])?;
    let meant = each(100, |n| format!("{n} k {}\n", n + 7));
    ensure!(seen.trim() == meant.trim(), "{seen}");
    Ok(())
}

fn variables() -> Result<()> {
    let set = each(100, |n| format!("self->v{n} = {n}; a{n}[{n}, \"k\"] = {n};\n"));
    let sum = |of: &dyn Fn(usize) -> String| {
        each(20, |row| {
            format!("total += {};\n", (0..5).map(|n| of(row * 5 + n)).collect::<Vec<_>>().join(" + "))
        })
    };
    let (own, elements) = (sum(&|n| format!("self->v{n}")), sum(&|n| format!("a{n}[{n}, \"k\"]")));
    let program = format!("int total; BEGIN {{ {set} {own} {elements} printf(\"%d\\n\", total); exit(0); }}");
    ensure!(output(&program, &[])?.trim() == "9900");
    let all = (0..100).map(|n| format!("self->v{n}")).collect::<Vec<_>>();
    let printed = each(2, |half| format!("printf(\"%d \", {});", all[half * 50..][..50].join(" + ")));
    let seen = output(&format!("BEGIN {{ {set} {printed} exit(0); }}"), &[])?;
    ensure!(seen.trim() == "1225 3725", "{seen}");
    Ok(())
}

fn kept() -> Result<()> {
    let pad = padding();
    let program = format!(
        "int pad; this int n; this string s; self int own;
         BEGIN {{ this->n = 5; this->s = \"text\"; self->own = 6; this->p = (char *)alloca(8); this->p[0] = 'x';
             this->first = strtok(\"a/b/c\", \"/\"); this->time = timestamp; this->pid = pid;
             {pad}
             printf(\"%d %s %d %c %s %s \", this->n, this->s, self->own, this->p[0], this->first, strtok(NULL, \"/\"));
             {pad}
             printf(\"%d %d %s\\n\", this->time == timestamp, this->pid == pid, strtok(NULL, \"/\")); exit(0); }}
         BEGIN {{ printf(\"never\\n\"); }}"
    );
    let seen = output(&program, &[])?;
    ensure!(seen.trim() == "5 text 6 x a b 1 1 c", "{seen}");
    Ok(())
}

fn faults() -> Result<()> {
    let pad = padding();
    let program = format!(
        "int pad, zero, after; BEGIN {{ {pad} after = 1; pad = 5 / zero; after = 2; {pad} after = 3; }}
         BEGIN {{ printf(\"after %d\\n\", after); {pad} exit(0); }}
         ERROR {{ printf(\"action %d kind %d\\n\", arg2, arg4); {pad} printf(\"told\\n\"); }}"
    );
    let seen = output(&program, &[])?;
    ensure!(seen.trim() == "action 402 kind 4\ntold\nafter 1", "{seen}");
    Ok(())
}

fn branches() -> Result<()> {
    let pad = padding();
    for (way, meant) in ["even", "odd one", "two even", "odd three"].iter().enumerate() {
        let program = format!(
            "int pad, way; BEGIN {{ way = {way}; if (way & 1) {{ printf(\"odd \"); {pad}
                 if (way & 2) {{ {pad} printf(\"three \"); }} else {{ printf(\"one \"); {pad} }} }}
             else {{ {pad} if (way == 2) {{ printf(\"two \"); }} {pad} printf(\"even \"); }}
             printf(\"end\\n\"); }}
             BEGIN {{ exit(0); }}"
        );
        let seen = output(&program, &[])?;
        ensure!(seen.trim() == format!("{meant} end"), "{way}: {seen}");
    }
    Ok(())
}

fn speculation() -> Result<()> {
    let pad = padding();
    let program = format!(
        "int pad; BEGIN {{ self->a = speculation(); self->b = speculation(); }}
         BEGIN {{ speculate(self->a); printf(\"kept \"); {pad} printf(\"too\\n\"); }}
         BEGIN {{ speculate(self->b); {pad} printf(\"lost\\n\"); }}
         BEGIN {{ commit(self->a); discard(self->b); }} BEGIN {{ exit(0); }}"
    );
    let seen = output(&program, &["-x", "nspec=2"])?;
    ensure!(seen.trim() == "kept too", "{seen}");
    Ok(())
}

/// Functions with what they give of `s`, which is `/usr/lib//x`.
const FUNCTIONS: [(&str, &str); 14] = [
    ("strjoin(s, \"b\")", "/usr/lib//xb"),
    ("substr(s, 2)", "sr/lib//x"),
    ("lltostr(strlen(s))", "11"),
    ("strstr(s, \"li\")", "lib//x"),
    ("strtok(s, \"/\")", "usr"),
    ("lltostr(index(s, \"l\"))", "5"),
    ("basename(s)", "x"),
    ("dirname(s)", "/usr/lib"),
    ("cleanpath(s)", "/usr/lib/x"),
    ("toupper(s)", "/USR/LIB//X"),
    ("json(strjoin(\"{\\\"a\\\":\\\"\", strjoin(s, \"\\\"}\")), \"a\")", "/usr/lib//x"),
    ("inet_ntop(2, alloca(4))", "0.0.0.0"),
    ("inet_ntoa6((struct in6_addr *)alloca(16))", "::"),
    ("s < strjoin(s, \"a\") ? \"less\" : \"more\"", "less"),
];

fn functions() -> Result<()> {
    for (index, (call, meant)) in FUNCTIONS.iter().enumerate() {
        let strsize = if index % 2 == 0 { "strsize=4096" } else { "strsize=256" };
        let calls = each(100, |n| format!("x{} = {call};\n", n % 5));
        let program = format!("BEGIN {{ s = \"/usr/lib//x\"; {calls} printf(\"%s\\n\", x4); exit(0); }}");
        let seen = output(&program, &["-x", strsize])?;
        ensure!(seen.trim() == *meant, "{call}: {seen}");
    }
    Ok(())
}

fn ways() -> Result<()> {
    // Each of the terms is one of two numbers, and their sum one of 2^30; it decides what follows.
    let sum = each(30, |n| format!(" + (x > {n}) * {}", 1 << n));
    let lengths = each(6, |_| " | (- strlen(s))".into());
    let program = format!(
        "int x, y; string s; BEGIN /!(0{sum}) || (x{lengths}) == 0/ {{ y = (0{sum}) > 5 ? 1 : 2; x = 3; }}
         BEGIN /0{sum} && !(s > \"a\" ? x : strlen(s))/ {{ printf(\"%d %d\\n\", 0{sum}, y); exit(0); }}"
    );
    let seen = output(&program, &[])?;
    ensure!(seen.trim() == "7 2", "{seen}");
    Ok(())
}
