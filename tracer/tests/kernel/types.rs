//! C's types in D: structures, unions, bit-fields, arrays, pointers, strings in memory, floating-point numbers; each compared
//! with what this program's own structs of the same declaration say.

use std::mem::{offset_of, size_of};

use anyhow::{Result, ensure};

use super::expressions::prints;
use crate::harness::{Family, Report, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "types",
    tests: &[
        ("layouts_are_those_of_the_c_compiler", layouts),
        ("members_of_every_scope_are_read_and_written", members),
        ("bit_fields_keep_to_their_bits", bit_fields),
        ("arrays_are_indexed_and_their_bounds_hold", arrays),
        ("structures_are_copied_whole", copies),
        ("pointers_lead_to_the_programs_own_memory", pointers),
        ("stores_go_nowhere_else", stores),
        ("kernel_memory_is_read_through_structures", kernel),
        ("characters_become_strings_and_back", characters),
        ("floating_point_numbers_are_printed", floats),
        ("the_effect_of_a_subscript_happens_once", effects),
        ("what_is_folded_is_what_the_kernel_computes", folded),
        ("structures_are_traced_as_bytes", traced),
        ("calls_fill_a_threads_structure", threads),
        ("structures_of_the_process_are_read_by_copyin", copied_in),
        ("memory_of_the_clause_takes_structures", allocated),
    ],
    workloads: &[("types_writes", writes), ("types_vectors", vectors)],
};

fn lines(text: &[&str]) -> Vec<String> {
    text.iter().map(|line| (*line).to_owned()).collect()
}

#[repr(C)]
struct Point {
    x: i32,
    y: i32,
}

#[repr(C)]
struct Mixed {
    a: u8,
    b: u64,
    c: [u16; 3],
    p: Point,
    e: [Point; 2],
    f: u8,
}

fn layouts() -> Result<()> {
    let program = r#"
        struct point { int x; int y; };
        struct mixed { char a; uint64_t b; short c[3]; struct point p; struct point e[2]; unsigned char f; };
        union either { struct mixed m; char text[101]; };
        # 1 "anonymous.h" 1
        struct anonymous { int first; union { long whole; struct { char low; int high; }; }; char last; };
        # 1 "layouts.d" 2
        BEGIN {
            printf("%d %d %d %d %d %d\n", sizeof(struct mixed), offsetof(struct mixed, b), offsetof(struct mixed, c),
                offsetof(struct mixed, p), offsetof(struct mixed, e), offsetof(struct mixed, f));
            printf("%d %d\n", sizeof(union either), sizeof(((struct mixed *)0)->e[1]));
            printf("%d %d %d\n", sizeof(struct anonymous), offsetof(struct anonymous, high), offsetof(struct anonymous, last));
            exit(0);
        }"#;
    let mixed = format!(
        "{} {} {} {} {} {}",
        size_of::<Mixed>(),
        offset_of!(Mixed, b),
        offset_of!(Mixed, c),
        offset_of!(Mixed, p),
        offset_of!(Mixed, e),
        offset_of!(Mixed, f)
    );
    prints(program, &[], &lines(&[&mixed, "104 8", "24 12 16"]))
}

fn members() -> Result<()> {
    let program = r#"
        struct point { int x; int y; };
        struct line { struct point from; struct point to; uint8_t weight; };
        struct line g; this struct line t; self struct line s; struct line a[string, int];
        BEGIN {
            g.from.x = 1; g.to.y = -2; g.weight = 255; g.weight++;
            this->t.from.y = 10; this->t.from.y *= 5; --this->t.to.x;
            self->s.to.x = g.to.y - 40; self->s.weight = 300;
            a["one", 1].to.x = 7; a["one", 1].to.x <<= 2; a["two", 2].from.x++;
            x = a["one", 1].to.x++;
            printf("%d %d %d %d\n", g.from.x, g.from.y, g.to.y, g.weight);
            printf("%d %d %d %d\n", this->t.from.y, this->t.to.x, self->s.to.x, self->s.weight);
            printf("%d %d %d %d\n", a["one", 1].to.x, a["two", 2].from.x, a["three", 3].from.x, x);
        }
        BEGIN { printf("%d %d\n", this->t.from.y, self->s.to.x); exit(0); }"#;
    prints(program, &[], &lines(&["1 0 -2 0", "50 -1 -42 44", "29 1 0 28", "50 -42"]))
}

fn bit_fields() -> Result<()> {
    let program = r#"
        struct bits { unsigned int a : 3; int b : 5; unsigned int c : 24; uint64_t d : 40, e : 24; uint8_t f : 7; };
        struct bits g; this struct bits t;
        BEGIN {
            g.a = 15; g.b = -7; g.c = 0xabcdef; g.d = 0x123456789a; g.e = -1; g.f = 200;
            this->t = g;
            x = (this->t.a = 12);
            this->t.b++; this->t.c -= 1; this->t.e = 0;
            printf("%d %d %x %x %x %d\n", g.a, g.b, g.c, g.d, g.e, g.f);
            printf("%d %d %x %x %x %d %d\n", this->t.a, this->t.b, this->t.c, this->t.d, this->t.e, this->t.f, x);
            printf("%d %d\n", sizeof(struct bits), g.a - 10 < 0);
            exit(0);
        }"#;
    prints(
        program,
        &[],
        &lines(&["7 -7 abcdef 123456789a ffffff 72", "4 -6 abcdee 123456789a 0 72 4", "24 1"]),
    )
}

fn arrays() -> Result<()> {
    let program = r#"
        int a[5]; this short b[3][4]; struct { char pad; long v[3]; } s[2]; string names[3];
        BEGIN {
            i = 3; j = 1;
            a[i] = 30; a[0]--; a[i - 1] += a[3]++;
            this->b[j + 1][i] = -5; this->b[1][0] = this->b[2][3] * 2;
            s[j].v[2] = 1L << 33; names[j] = "second"; names[2] = probename;
            printf("%d %d %d %d\n", a[0], a[2], a[3], a[4]);
            printf("%d %d %d %s %s\n", this->b[2][3], this->b[j][0], s[1].v[j + 1] >> 32, names[j], names[2]);
        }
        BEGIN { printf("before\n"); printf("%d\n", a[i + 2]); }
        BEGIN { k = -1; a[k] = 1; printf("never\n"); }
        BEGIN { printf("%d\n", a[0]); exit(0); }
        ERROR { printf("fault %d\n", arg4); }"#;
    let output = tracer(&["-q", "-n", program])?.success()?;
    let expected = lines(&["-1 30 31 0", "-5 -10 2 second BEGIN", "fault 11", "fault 11", "-1"]);
    ensure!(output.lines() == expected, "{output:#?}");
    Ok(())
}

fn copies() -> Result<()> {
    let program = r#"
        struct large { int before; char text[200]; long numbers[20]; };
        struct large g, h; this struct large t; struct large a[int]; self struct large s;
        BEGIN {
            g.before = 1; g.text[0] = 'c'; g.text[1] = 'o'; g.numbers[19] = 19;
            this->t = g; a[5] = this->t; self->s = a[5]; h = self->s; g.before = 2;
            printf("%d %s %d\n", h.before, h.text, h.numbers[19]);
            h = pid == 0 ? this->t : g;
            printf("%d %d\n", h.before, (h = a[5]).before);
            h = a[6];
            printf("%d [%s]\n", h.before, h.text);
            exit(0);
        }"#;
    prints(program, &[], &lines(&["1 co 19", "2 1", "0 []"]))
}

fn pointers() -> Result<()> {
    let program = r#"
        struct node { struct node *next; int value; } one, two[1]; this struct node local[1];
        int numbers[4]; int scalar[1]; int8_t small[1];
        BEGIN {
            one.next = &two[0]; two[0].next = &this->local[0]; one.value = 1; two[0].value = 2; this->local[0].value = 3;
            this->p = one.next;
            printf("%d %d %d\n", one.value, this->p->value, one.next->next->value);
            one.next->value = 20; this->p->next->value += 27;
            printf("%d %d\n", two[0].value, this->local[0].value);
            this->q = &numbers[1]; this->q[1] = 12; this->q[-1] = 10; *this->q++ = 11; ++*this->q;
            printf("%d %d %d %d\n", numbers[0], numbers[1], numbers[2], this->q - numbers);
            this->i = &scalar[0]; *this->i = -5; scalar[0]--; this->c = &small[0]; *this->c = 0x7f; small[0]++;
            printf("%d %d %d %d\n", scalar[0], *this->i, small[0], &numbers[3] > &numbers[0]);
            printf("%d %d %d\n", this->local[0].next == NULL, !one.next, one.next != 0);
            exit(0);
        }"#;
    prints(program, &[], &lines(&["1 2 3", "20 30", "10 11 13 2", "-6 -6 -128 1", "1 0 1"]))
}

/// A pointer to anything but the program's own memory takes no store.
fn stores() -> Result<()> {
    let program = r#"
        int mine[1];
        BEGIN { this->p = &mine[0]; *this->p = 5; this->l = (long *)curthread; *this->l = 1; }
        BEGIN { this->p = NULL; *this->p = 1; }
        BEGIN { this->p = &mine[0]; this->p[-1000000] = 1; }
        BEGIN { printf("%d\n", mine[0]); exit(0); }
        ERROR { printf("fault %d\n", arg4); }"#;
    let output = tracer(&["-q", "-n", program])?.success()?;
    ensure!(output.lines() == ["fault 1", "fault 1", "fault 1", "5"], "{output:#?}");
    Ok(())
}

/// What a system call's registers hold lies in the kernel's own memory: curthread is an address there.
fn kernel() -> Result<()> {
    let program = r#"
        struct words { uint64_t first; uint32_t second[4]; char bytes[8]; } copy;
        BEGIN {
            this->w = (struct words *)curthread;
            copy = *this->w;
            printf("%d %d\n", copy.first == this->w->first, copy.first == *(uint64_t *)curthread);
            i = 3;
            printf("%d %d\n", copy.second[3] == this->w->second[i], copy.bytes[i] == ((char *)curthread)[24 + i]);
        }
        BEGIN { this->w = NULL; printf("%d\n", this->w->first); }
        BEGIN { trace(stringof((char *)8)); }
        BEGIN { copy = *(struct words *)0; }
        BEGIN { exit(0); }
        ERROR { printf("fault %d at %x\n", arg4, arg5); }"#;
    let output = tracer(&["-q", "-n", program])?.success()?;
    let expected = lines(&["1 1", "1 1", "fault 1 at 0", "fault 1 at 8", "fault 1 at 0"]);
    ensure!(output.lines() == expected, "{output:#?}");
    Ok(())
}

fn characters() -> Result<()> {
    let program = r#"
        struct named { char name[8]; int after; } g; this char text[20]; char *p; string s;
        BEGIN {
            g.name[0] = 'a'; g.name[1] = 'b'; g.name[2] = 'c'; g.after = 5;
            printf("[%s] %d %d\n", g.name, g.after, strlen(g.name));
            g.name[3] = '3'; g.name[4] = '4'; g.name[5] = '5'; g.name[6] = '6';
            printf("[%s] %d\n", g.name, g.after);
            g.name[7] = 'X';
            printf("[%s] %d\n", stringof(g.name), strlen(g.name));
            this->text[0] = 'T'; this->text[1] = execname[1]; this->text[2] = execname[2];
            s = this->text; p = &this->text[1];
            printf("%s %s %s\n", s, stringof(p), (string)p);
            printf("%d %d %d %d\n", g.name == "abc3456X", "0" < g.name, p == "ra", p != stringof(p));
            @[g.name] = count(); a[g.name] = 6;
            printf("%d\n", a["abc3456X"]);
            exit(0);
        }"#;
    let expected = [
        "[abc] 5 3",
        "[abc3456] 5",
        "[abc3456X] 8",
        "Tra ra ra",
        "1 1 1 0",
        "6",
        &format!("  {:50} {:16}", "abc3456X", 1),
    ];
    prints(program, &[], &lines(&expected))
}

fn floats() -> Result<()> {
    let program = r#"
        struct pair { float f; double d; }; union raw { struct pair p; uint32_t words[4]; } u;
        BEGIN {
            u.words[0] = 0x3fc00000; u.words[2] = 0; u.words[3] = 0xc0040000;
            printf("%f %.2f %e %g\n", 1.5, 3.14159, 1e10, 0.0001);
            printf("%g %g %8.3f|\n", u.p.f, u.p.d, u.p.d);
            exit(0);
        }"#;
    prints(program, &[], &lines(&["1.500000 3.14 1.000000e+10 0.0001", "1.5 -2.5   -2.500|"]))
}

fn effects() -> Result<()> {
    let program = r#"
        int a[4]; int b[int]; struct { int v; } s[4];
        BEGIN {
            i = 0;
            a[i++] += 5; a[i++]++; ++a[i++]; s[i--].v -= 7; b[i++] |= 8; b[i]--;
            this->p = &a[0]; *this->p++ += 100; *this->p = 200;
            printf("%d %d %d %d %d %d\n", i, a[0], a[1], a[2], s[3].v, b[2]);
            printf("%d %d\n", b[3], this->p - a);
            exit(0);
        }"#;
    prints(program, &[], &lines(&["3 105 200 1 -7 8", "-1 1"]))
}

/// Constants are folded where one is needed; variables are computed with.
fn folded() -> Result<()> {
    let program = r#"
        enum { A = 1 << 30, B = -8 >> 65, C = 7 >> 64, D = -7 / 2, E = -7 % 3, F = 0x80000000 >> 31, G = (char)200, H = 3 - 4u > 0 };
        int one; int eight; int seven; int two; int three; uint32_t top; int many; unsigned four;
        BEGIN {
            one = 1; eight = -8; seven = 7; two = 2; three = 3; top = 0x80000000; many = 200; four = 4; n = 32; m = 64;
            printf("%d %d %d %d %d %d %d %d\n", A, B, C, D, E, F, G, H);
            printf("%d %d %d %d %d %d %d %d\n", one << (n - 2), eight >> (m + 1), seven >> m, -seven / two, -seven % three,
                top >> (n - 1), (char)many, three - four > 0);
            exit(0);
        }"#;
    let output = tracer(&["-q", "-n", program])?.success()?;
    let said = output.lines();
    ensure!(
        said.len() == 2 && said[0] == said[1] && said[0] == "1073741824 -4 7 -3 -1 1 -56 1",
        "{output:#?}"
    );
    Ok(())
}

fn traced() -> Result<()> {
    let program = r#"struct point { int x; int y; char name[8]; } p;
        BEGIN { p.x = 0x41424344; p.y = -1; p.name[0] = 'l'; p.name[1] = 'a'; p.name[2] = 's'; p.name[3] = 't'; trace(p); }
        BEGIN { trace(p.name); exit(0); }"#;
    // Memory is bytes, also where it could be text.
    let heading = "             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef";
    let expected = [
        heading,
        "         0: 44 43 42 41 ff ff ff ff 6c 61 73 74 00 00 00 00  DCBA....last....",
        heading,
        "         0: 6c 61 73 74 00 00 00 00                          last....",
    ];
    prints(program, &[], &lines(&expected))
}

/// A structure of the thread is filled at the entry of a call and read at its return, as scripts do.
fn threads() -> Result<()> {
    let program = r#"
        struct call { uint64_t begin; int fd; uint64_t bytes[2]; };
        self struct call call; int64_t total, late;
        syscall::write:entry /pid == $1/ { self->call.begin = timestamp; self->call.fd = arg0; self->call.bytes[1] = arg2; }
        syscall::write:return /pid == $1 && self->call.begin && self->call.fd > 2/ {
            total += self->call.bytes[1];
            late += timestamp < self->call.begin;
            calls++;
        }
        END { printf("%d %d %d\n", calls, total, late); }"#;
    let seen = observe(program, "types_writes", &["50"])?;
    let (calls, bytes) = (seen.report.number("calls")?, seen.report.number("bytes")?);
    let line = format!("{calls} {bytes} 0");
    ensure!(seen.output.stdout.lines().any(|said| said == line), "no {line:?} in {:#?}", seen.output);
    Ok(())
}

/// Writes growing pieces to /dev/null so many times.
fn writes(arguments: &[String]) -> Result<Report> {
    use std::io::Write;
    let count: usize = arguments[0].parse()?;
    let mut file = std::fs::File::create("/dev/null")?;
    let mut bytes = 0;
    for length in 1..=count {
        file.write_all(&vec![0; length])?;
        bytes += length;
    }
    Ok(Report::default().with("calls", count).with("bytes", bytes))
}

/// The vector of writev(2) and what its parts point to, as the process has them.
fn copied_in() -> Result<()> {
    let program = r#"
        struct iovec { char *base; uint64_t length; };
        syscall::writev:entry /pid == $1/ {
            this->v = (struct iovec *)copyin(arg1, arg2 * sizeof(struct iovec));
            this->last = *(this->v + (arg2 - 1));
            this->text = (char *)copyin((uintptr_t)this->v->base, this->v->length);
            printf("%d %d %d %c %d %s\n", arg2, this->v[0].length, this->last.length, this->text[1],
                ((struct iovec *)copyin(arg1, 16))->length == this->v->length, copyinstr((uintptr_t)this->v[1].base, 4));
        }"#;
    let seen = observe(program, "types_vectors", &[])?;
    let said: Vec<&str> = seen.output.stdout.lines().filter(|line| !line.is_empty()).collect();
    ensure!(said == ["3 5 7 e 1 worl"], "{:#?}", seen.output);
    Ok(())
}

/// One writev(2) of three pieces to /dev/null.
fn vectors(_: &[String]) -> Result<Report> {
    use std::io::{IoSlice, Write};
    let mut file = std::fs::File::create("/dev/null")?;
    let written =
        file.write_vectored(&["hello", "world", "goodbye"].map(|text| IoSlice::new(text.as_bytes())))?;
    ensure!(written == 17, "{written} bytes were written");
    Ok(Report::default())
}

fn allocated() -> Result<()> {
    let program = r#"
        struct item { struct item *next; int value; char name[8]; };
        BEGIN {
            this->a = (struct item *)alloca(2 * sizeof(struct item));
            this->a[0].value = 1; this->a->next = &this->a[1]; this->a[1].name[0] = 's'; this->a->next->value = 2;
            this->copy = this->a[1]; this->a[0] = this->copy; this->n = (int *)alloca(16);
            this->n[3] = 30; this->n[3]++; *this->n = this->n[3] - 1;
            printf("%s %d %d %d %d\n", this->a->name, this->a->value, this->copy.value, this->n[3], *this->n);
            exit(0);
        }"#;
    prints(program, &[], &lines(&["s 2 2 31 30"]))
}
