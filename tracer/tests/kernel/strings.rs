//! Subroutines on strings: computed in the kernel, compared with what this program makes of the same strings.

use anyhow::{Result, ensure};
use probes_common::abi::fault;

use crate::expressions::prints;
use crate::harness::{Family, Report, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "strings",
    tests: &[
        ("keys_may_be_longer_than_the_stack", long_keys),
        ("parts_are_found_and_cut", parts),
        ("strings_are_joined_and_changed", changes),
        ("paths_are_taken_apart", paths),
        ("numbers_become_strings_and_back", numbers),
        ("tokens_are_those_between_delimiters", tokens),
        ("json_is_followed_by_its_path", json),
        ("what_is_done_with_no_string_is_a_fault", nothing),
        ("no_string_is_another_than_an_empty_one", none_and_empty),
        ("a_string_is_read_from_the_kernel", kernel_strings),
        ("strings_may_be_long", long),
        ("bytes_change_their_order", byte_order),
        ("wrong_bases_are_faults", bases),
        ("addresses_are_written_as_people_do", addresses),
    ],
    workloads: &[("strings_addresses", hand_addresses)],
};

/// Prints the values of expressions, strings with `%s` and numbers with `%d`, a clause for a few of them.
fn gives(declarations: &str, options: &[&str], rows: &[(&str, char, String)]) -> Result<()> {
    let mut program = declarations.to_owned();
    for some in rows.chunks(6) {
        let prints: String =
            some.iter().map(|(text, kind, _)| format!("printf(\"%{kind}\\n\", {text});\n")).collect();
        program.push_str(&format!("BEGIN {{ {prints} }}\n"));
    }
    program.push_str("BEGIN { exit(0); }");
    let output = tracer(&[options, &["-q", "-n", &program]].concat())?.success()?;
    let lines: Vec<&str> = output.stdout.lines().collect();
    for (number, (text, _, truth)) in rows.iter().enumerate() {
        let line = lines.get(number).copied();
        ensure!(line == Some(truth.as_str()), "{text} is {truth:?}, not {line:?}: {output:?}");
    }
    ensure!(output.stderr.is_empty(), "{output:?}");
    Ok(())
}

fn text(value: impl Into<String>) -> String {
    value.into()
}

const TEXT: &str = "the cat and the hat";

fn parts() -> Result<()> {
    let from = |at: Option<usize>| at.map_or(String::new(), |at| TEXT[at..].to_owned());
    let place = |at: Option<usize>| at.map_or("-1".to_owned(), |at| at.to_string());
    gives(
        &format!("BEGIN {{ s = \"{TEXT}\"; empty = \"\"; the = \"the\"; n = -3; }}"),
        &[],
        &[
            ("strlen(s)", 'd', TEXT.len().to_string()),
            ("strchr(s, 'a')", 's', from(TEXT.find('a'))),
            ("strrchr(s, 'a')", 's', from(TEXT.rfind('a'))),
            ("strchr(s, 'z') == NULL", 'd', text("1")),
            ("strchr(s, 'c') != NULL", 'd', text("1")),
            ("strstr(s, \"and\")", 's', from(TEXT.find("and"))),
            ("strstr(s, \"dog\") == NULL", 'd', text("1")),
            ("strstr(s, empty)", 's', text(TEXT)),
            ("index(s, the)", 'd', place(TEXT.find("the"))),
            ("rindex(s, the)", 'd', place(TEXT.rfind("the"))),
            ("index(s, the, 1)", 'd', place(TEXT[1..].find("the").map(|at| at + 1))),
            ("rindex(s, the, 11)", 'd', text("0")),
            ("rindex(s, the, 12)", 'd', text("12")),
            ("index(s, the, n)", 'd', text("0")),
            ("rindex(s, the, n)", 'd', text("-1")),
            ("index(s, \"\", 100)", 'd', TEXT.len().to_string()),
            ("index(empty, \"\")", 'd', text("0")),
            ("substr(s, 4)", 's', text(&TEXT[4..])),
            ("substr(s, 4, 3)", 's', text(&TEXT[4..7])),
            ("substr(s, n)", 's', text(&TEXT[TEXT.len() - 3..])),
            ("substr(s, n, 2)", 's', text("ha")),
            ("substr(s, 4, n)", 's', text(&TEXT[4..TEXT.len() - 3])),
            ("substr(s, 100)", 's', text("")),
            ("substr(s, -100, 84)", 's', text("the")),
            ("substr(s, 0, 0)", 's', text("")),
        ],
    )
}

fn changes() -> Result<()> {
    gives(
        &format!("BEGIN {{ s = \"{TEXT}\"; m = \"MiXed 09\"; }} BEGIN {{ s = strjoin(s, \"!\"); }}"),
        &[],
        &[
            ("s", 's', format!("{TEXT}!")),
            ("strjoin(strjoin(m, \" \"), s)", 's', format!("MiXed 09 {TEXT}!")),
            ("tolower(m)", 's', "MiXed 09".to_lowercase()),
            ("toupper(m)", 's', "MiXed 09".to_uppercase()),
            ("toupper(probename)", 's', text("BEGIN")),
            ("m + 2", 's', text("Xed 09")),
            ("6 + m", 's', text("09")),
            ("m + 9", 's', text("")),
            ("strjoin(probeprov, probename) == \"dtraceBEGIN\"", 'd', text("1")),
            ("strlen(strjoin(execname, execname))", 'd', text("12")),
        ],
    )
}

fn paths() -> Result<()> {
    let cases = [
        ("/usr/lib/x.so", "x.so", "/usr/lib", "/usr/lib/x.so"),
        ("/usr/", "usr", "/", "/usr/"),
        ("usr", "usr", ".", "usr"),
        ("/", "/", "/", "/"),
        ("", ".", ".", ""),
        ("/a/./b//../c", "c", "/a/./b//..", "/a/c"),
    ];
    let rows: Vec<(String, String)> = cases
        .iter()
        .flat_map(|(path, base, directory, clean)| {
            [("basename", base), ("dirname", directory), ("cleanpath", clean)]
                .map(|(name, truth)| (format!("{name}(\"{path}\")"), (*truth).to_owned()))
        })
        .collect();
    let rows: Vec<_> = rows.iter().map(|(call, truth)| (call.as_str(), 's', truth.clone())).collect();
    gives("", &[], &rows)
}

fn numbers() -> Result<()> {
    gives(
        "BEGIN { n = -1234567890123; u = 255; base = 36; }",
        &[],
        &[
            ("lltostr(n)", 's', text("-1234567890123")),
            ("lltostr(u, 16)", 's', text("0xff")),
            ("lltostr(u, 8)", 's', text("0377")),
            ("lltostr(u, 2)", 's', text("11111111")),
            ("lltostr(u, base)", 's', text("73")),
            ("lltostr(0)", 's', text("0")),
            ("lltostr(n, 2)", 's', format!("{:b}", -1_234_567_890_123_i64)),
            ("strtoll(lltostr(n))", 'd', text("-1234567890123")),
            ("strtoll(\"  +17 apples\")", 'd', text("17")),
            ("strtoll(\"0x1f\", 16)", 'd', text("31")),
            ("strtoll(\"zz\", base)", 'd', (35 * 36 + 35).to_string()),
            ("strtoll(\"none\")", 'd', text("0")),
        ],
    )
}

fn tokens() -> Result<()> {
    // What strtok() keeps belongs to the firing: the clauses that follow go on with it, the next firing does not.
    const PROGRAM: &str = r#"
        BEGIN { line = "one, two;three"; }
        BEGIN {
            this->a = strtok(line, ", ;"); this->b = strtok(NULL, ", "); this->c = strtok(NULL, ";");
            this->d = strtok(NULL, ";");
            printf("%s %s %d %d\n", this->a, this->b, this->c == NULL, this->d == NULL);
            printf("%s\n", strtok("x", "y"));
        }
        BEGIN { printf("%d\n", strtok(NULL, ",") == NULL); this->list = "k=v=w"; }
        BEGIN /(this->key = strtok(this->list, "=")) == NULL/ { exit(1); }
        BEGIN /(this->value = strtok(NULL, "=")) == NULL/ { exit(2); }
        BEGIN { printf("%s %s %s\n", this->key, this->value, strtok(NULL, "")); strtok("left over", " "); exit(0); }
        END { printf("%d\n", strtok(NULL, " ") == NULL); }"#;
    prints(PROGRAM, &[], &["one two;three 1 1", "x", "1", "k v w", "1"].map(str::to_owned))
}

fn nothing() -> Result<()> {
    const USES: [&str; 12] = [
        r#"trace(strchr("abc", 'x'))"#,
        r#"printf("%s", strstr("abc", "x"))"#,
        r#"trace(json("{}", "a"))"#,
        "trace(strlen(strtok(NULL, s)))",
        "trace(strlen(NULL))",
        "trace(strjoin(s, NULL))",
        "trace(index(0, s))",
        "trace(self->never)",
        "trace(never[1])",
        "@[self->never] = count()",
        "self->late = s; self->late = NULL; trace(self->late)",
        r#"this->s = strrchr("abc", 'x'); trace(this->s == NULL ? this->s : s)"#,
    ];
    let clauses: String = USES.iter().map(|use_| format!("BEGIN {{ n++; {use_}; }}\n")).collect();
    let program = format!(
        "self string never; string never[int]; BEGIN {{ s = \"abc\"; }}\n{clauses}
         BEGIN {{ exit(0); }} ERROR {{ printf(\"%d %d %d\\n\", n, arg4, arg5); }}"
    );
    let output = tracer(&["-q", "-n", &program])?.success()?;
    let truth: Vec<String> = (1..=USES.len()).map(|use_| format!("{use_} {} 0", fault::BADADDR)).collect();
    ensure!(output.lines() == truth, "expected {truth:#?} of {program}: {output:?}");
    Ok(())
}

fn none_and_empty() -> Result<()> {
    gives(
        "string empty; self string never; BEGIN { self->s = \"\"; g = \"x\"; } BEGIN { g = NULL; }",
        &[],
        &[
            ("empty == NULL", 'd', text("0")),
            ("empty", 's', text("")),
            ("strlen(empty)", 'd', text("0")),
            ("self->never == NULL", 'd', text("1")),
            ("self->s == NULL", 'd', text("0")),
            ("self->s", 's', text("")),
            ("g == NULL", 'd', text("1")),
            ("(this->t = strtok(\"\", \",\")) == NULL", 'd', text("1")),
            ("json(\"{\\\"a\\\": \\\"\\\"}\", \"a\") == NULL", 'd', text("0")),
        ],
    )
}

fn json() -> Result<()> {
    const TEXT: &str =
        r#"{\"name\":\"a \\\"b\\\"\", \"list\":[1,[2,3],{\"deep\":{\"x\":true}}], \"other\":null}"#;
    gives(
        &format!("BEGIN {{ j = \"{TEXT}\"; where = \"list[2].deep\"; }}"),
        &[],
        &[
            ("json(j, \"name\")", 's', text(r#"a \"b\""#)),
            ("json(j, \"list[1]\")", 's', text("[2,3]")),
            ("json(j, \"list[1][0]\")", 's', text("2")),
            ("json(j, where)", 's', text("{\"x\":true}")),
            ("json(json(j, where), \"x\")", 's', text("true")),
            ("json(j, \"none\") == NULL", 'd', text("1")),
            ("json(j, \"list[7]\") == NULL", 'd', text("1")),
        ],
    )
}

fn kernel_strings() -> Result<()> {
    // The name of the thread, found by its address; an address where nothing lies is a fault.
    const PROGRAM: &str = r#"
        BEGIN { printf("%s\n", stringof((char *)0)); }
        BEGIN { exit(0); }
        ERROR { printf("%d %x\n", arg4, arg5); }"#;
    let output = tracer(&["-q", "-n", PROGRAM])?.success()?;
    ensure!(output.lines() == ["1 0"], "{output:?}");
    Ok(())
}

fn long() -> Result<()> {
    let rows: Vec<(&str, char, String)> = vec![
        ("strlen(s)", 'd', text("3000")),
        ("index(s, \"b\")", 'd', text("2999")),
        ("substr(s, 2998)", 's', text("ab")),
        ("strlen(toupper(s))", 'd', text("3000")),
        ("strchr(s, 'b')", 's', text("b")),
        ("strlen(strjoin(s, s))", 'd', text("4096")),
        ("rindex(s, \"aab\")", 'd', text("2997")),
        ("strlen(basename(s))", 'd', text("3000")),
        ("strlen(strtok(s, \"b\"))", 'd', text("2999")),
        ("strlen(cleanpath(s))", 'd', text("3000")),
    ];
    let literal = "a".repeat(2999) + "b";
    gives(&format!("BEGIN {{ s = \"{literal}\"; }}"), &["-x", "strsize=4096"], &rows)?;
    // As long as what others allow, in variables and keys too.
    let rows = [
        ("strlen(t)", 'd', text("12000")),
        ("index(t, \"ba\")", 'd', text("2999")),
        ("rindex(t, \"ab\")", 'd', text("11998")),
        ("strlen(toupper(t))", 'd', text("12000")),
        ("strlen(strjoin(strjoin(t, t), strjoin(t, t)))", 'd', text("48000")),
        ("found[t, t]", 'd', text("7")),
    ];
    let declarations =
        format!("BEGIN {{ s = \"{literal}\"; t = strjoin(strjoin(s, s), strjoin(s, s)); found[t, t] = 7; }}");
    gives(&declarations, &["-x", "strsize=64k"], &rows)?;
    // A small buffer cuts.
    let rows =
        [("strjoin(s, strjoin(s, s))", 's', text("abcabcab")), ("lltostr(123456789)", 's', text("12345678"))];
    gives("BEGIN { s = \"abc\"; }", &["-x", "strsize=8"], &rows)?;
    // So does what is not a multiple of a word: variables, constants that are put into them, memory, parts.
    let rows = [
        ("s", 's', text("0123456789")),
        ("strlen(s)", 'd', text("10")),
        ("strjoin(s, s)", 's', text("0123456789")),
        ("substr(strjoin(\"abcdefgh\", s), 1)", 's', text("bcdefgh01")),
        ("lltostr(123456789012)", 's', text("1234567890")),
        ("s == \"0123456789\" ? 1 : 0", 'd', text("1")),
    ];
    gives("BEGIN { s = \"0123456789abcdef\"; }", &["-x", "strsize=10"], &rows)
}

fn byte_order() -> Result<()> {
    let hex = |value: u64| format!("{value:x}");
    gives(
        "BEGIN { s = 0x1234; l = 0x12345678; ll = 0x123456789abcdef0; }",
        &[],
        &[
            ("htons(s)", 'x', hex(0x1234_u16.to_be().into())),
            ("ntohs(s)", 'x', hex(0x1234_u16.to_be().into())),
            ("htonl(l)", 'x', hex(0x1234_5678_u32.to_be().into())),
            ("ntohl(l)", 'x', hex(0x1234_5678_u32.to_be().into())),
            ("htonll(ll)", 'x', hex(0x1234_5678_9abc_def0_u64.to_be())),
            ("ntohll(htonll(ll)) == ll", 'd', text("1")),
            ("htons(0xabcd1234)", 'x', hex(0x1234_u16.to_be().into())),
            ("getmajor(0x800012)", 'd', text("8")),
            ("getminor(0x800012)", 'd', text("18")),
        ],
    )
}

const V4: [u8; 4] = [192, 0, 2, 200];
const V6: [u16; 8] = [0x2001, 0xdb8, 0, 0, 1, 0, 0, 0xff];
const LINK: [u8; 6] = [0x02, 0, 0xab, 0xcd, 0xe, 0xff];

/// Hands addresses to calls that do not look at them.
fn hand_addresses(_: &[String]) -> Result<Report> {
    let v6 = std::net::Ipv6Addr::from(V6).octets();
    let mut bytes = [V4.as_slice(), &v6, &LINK].concat();
    // SAFETY: the call refuses the descriptor before it looks at the buffer.
    unsafe { libc::pread(-1, bytes.as_mut_ptr().cast(), bytes.len(), 1) };
    Ok(Report::default())
}

fn addresses() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::pread64:entry /pid == $1/ {
            this->p = (uintptr_t)copyin(arg1, arg2);
            printf("%s\n", inet_ntoa((ipaddr_t *)this->p));
            printf("%s\n", inet_ntop(AF_INET, (void *)this->p));
            printf("%s\n", inet_ntoa6((void *)(this->p + 4)));
            printf("%s\n", inet_ntop(AF_INET6, (void *)(this->p + 4)));
            printf("%s\n", link_ntop(ARPHRD_ETHER, (void *)(this->p + 20)));
        }
        syscall::pread64:entry /pid == $1/ { this->n = 77; printf("%s\n", inet_ntop(this->n, (void *)curthread)); }
        syscall::pread64:entry /pid == $1/ { printf("%s\n", inet_ntoa((ipaddr_t *)0)); }
        ERROR { printf("%d\n", arg4); }"#;
    let seen = observe(PROGRAM, "strings_addresses", &[])?;
    let (v4, v6) = (std::net::Ipv4Addr::from(V4).to_string(), std::net::Ipv6Addr::from(V6).to_string());
    let truth = [&v4, &v4, &v6, &v6, "02:00:ab:cd:0e:ff", "3", "1"];
    ensure!(seen.output.lines() == truth, "{seen:?}");
    Ok(())
}

fn bases() -> Result<()> {
    const PROGRAM: &str = r#"int base;
        BEGIN { base = 37; printf("%s\n", lltostr(5, base)); }
        BEGIN { base = 1; printf("%d\n", strtoll("5", base)); }
        BEGIN { exit(0); }
        ERROR { printf("%d\n", arg4); }"#;
    let output = tracer(&["-q", "-n", PROGRAM])?.success()?;
    let illegal = probes_common::abi::fault::ILLOP.to_string();
    ensure!(output.lines() == [illegal.as_str(), &illegal], "{output:?}");
    ensure!(output.stderr.matches("illegal operation in action #2 at BPF pc").count() == 2, "{output:?}");
    Ok(())
}

fn long_keys() -> Result<()> {
    // Two strings that differ in their last bytes only.
    let (a, b) = ("a".repeat(990) + "first", "a".repeat(990) + "second");
    let program = format!(
        r#"BEGIN {{ x["{a}", 1] = 3; x["{b}", 1] = 4; @["{a}"] = count(); @["{b}"] = count(); @both["{a}", execname] = count(); }}
        BEGIN {{ @["{b}"] = count(); printf("%d %d %d\n", x["{a}", 1], x["{b}", 1], x["{a}", 2]); exit(0); }}
        END {{ printa("%s %@d\n", @); printa("%s %s %@d\n", @both); }}"#
    );
    let run = tracer(&["-q", "-x", "strsize=1024", "-n", &program])?;
    let run = run.success()?;
    let truth = ["3 4 0".to_owned(), format!("{a} 1"), format!("{b} 2"), format!("{a} tracer 1")];
    ensure!(run.lines() == truth, "{run:?}");
    Ok(())
}
