//! Programs that are compiled for their test: the types that they have, those of the arguments of their functions, and libraries that
//! they load later.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::harness::{Family, observe, skip, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "programs",
    tests: &[
        ("structures_are_those_of_the_program", structures_are_those_of_the_program),
        ("arguments_have_the_types_of_the_function", arguments_have_the_types_of_the_function),
        ("types_are_named_with_their_file", types_are_named_with_their_file),
        ("what_is_not_described_is_told", what_is_not_described_is_told),
        (
            "symbols_are_read_that_a_stripped_program_carries",
            symbols_are_read_that_a_stripped_program_carries,
        ),
        (
            "code_that_a_program_makes_has_the_names_that_it_tells",
            code_that_a_program_makes_has_the_names_that_it_tells,
        ),
        ("a_library_is_traced_that_is_loaded_later", a_library_is_traced_that_is_loaded_later),
        ("an_address_of_the_process_is_read_there", an_address_of_the_process_is_read_there),
    ],
    workloads: &[],
};

const PROGRAM: &str = r#"
#include <stdint.h>
#include <string.h>
enum color { RED, GREEN = 5 };
/* The kernel has a structure of this name, too. */
struct node { struct node *next; char name[16]; unsigned flag : 3, kind : 5; enum color color; struct { int x, y; } at; };
typedef struct node node_t;
struct large { long words[4]; };
__attribute__((noinline)) int visit(node_t *node, short step, const char *text, uint64_t mask) {
    return node->at.x + step + (int)strlen(text) + (mask != 0);
}
__attribute__((noinline)) struct large wide(unsigned char first, double second, long third) {
    struct large large = { { first, (long)second, third } };
    return large;
}
int main(void) {
    struct node first = { 0, "first", 1, 2, RED, { 11, 12 } };
    struct node second = { &first, "second", 3, 4, GREEN, { 21, 22 } };
    visit(&second, -1, "some text", 1ull << 40);
    return wide(200, 1.5, -7).words[2] + 7;
}
"#;

/// It brings a probe along, which passes an integer and a number that no probe can read.
const LIBRARY: &str = r#"
int later_twice(int number) {
    double half = number / 2.0;
    __asm__ volatile("990: nop\n"
        ".pushsection .note.stapsdt,\"\",\"note\"\n"
        ".balign 4\n .4byte 8, 992f-991f, 3\n .asciz \"stapsdt\"\n"
        "991: .8byte 990b, 0, 0\n .asciz \"plug\"\n .asciz \"call__twice\"\n .asciz \"-4@%0 8f@%1\"\n"
        "992: .balign 4\n .popsection" :: "r"(number), "x"(half));
    return 2 * number;
}
"#;

/// Makes a function, which calls another, and says what it is called, as virtual machines do.
const MAKER: &str = r#"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
__attribute__((noinline)) void reached(void) { __asm__ volatile(""); }
int main(void) {
    unsigned char *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    /* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret */
    memcpy(code + 16, "\x55\x48\x89\xe5\xff\xd7\x5d\xc3", 8);
    char name[64];
    sprintf(name, "/tmp/perf-%d.map", getpid());
    FILE *map = fopen(name, "w");
    fprintf(map, "%lx 8 made up\n", (unsigned long)(code + 16));
    fclose(map);
    ((void (*)(void *))(code + 16))((void *)reached);
    return 0;
}
"#;

/// Loads the library and calls it.
const LOADER: &str = r#"
#include <dlfcn.h>
int main(int count, char **words) {
    void *library = count > 1 ? dlopen(words[1], RTLD_NOW) : 0;
    int (*twice)(int) = library ? (int (*)(int))dlsym(library, "later_twice") : 0;
    return twice && twice(7) + twice(8) == 30 ? 0 : 1;
}
"#;

/// The program, built with these options; it is removed in the end.
struct Built(PathBuf);

impl Built {
    fn new(name: &str, options: &[&str]) -> Result<Option<Built>> {
        Built::of(name, &[("program", PROGRAM, options)])
    }

    /// Of so many files: their names, their texts and the options.
    fn of(name: &str, files: &[(&str, &str, &[&str])]) -> Result<Option<Built>> {
        let there = Command::new("cc").arg("--version").output().is_ok_and(|output| output.status.success());
        if !there {
            return Ok(None);
        }
        let directory = std::env::temp_dir().join(format!("tracer-types-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        let built = Built(directory);
        for (file, text, options) in files {
            let source = format!("{file}.c");
            fs::write(built.0.join(&source), text)?;
            let mut compiler = Command::new("cc");
            compiler.current_dir(&built.0).args(["-O0", "-o", file, &source]).args(*options);
            let output = compiler.output()?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(Some(built))
    }

    fn program(&self) -> PathBuf {
        self.0.join("program")
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        // It is in the way of nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the tracer says of the program.
fn traced(program: &Path, text: &str) -> Result<Vec<String>> {
    let command = program.to_str().context("it is text")?;
    let output = tracer(&["-q", "-n", text, "-c", command])?.success()?;
    ensure!(output.stderr.is_empty(), "{output:?}");
    Ok(output.lines().into_iter().map(str::to_owned).collect())
}

fn structures_are_those_of_the_program() -> Result<()> {
    let Some(built) = Built::new("structures", &["-g"])? else { return skip("needs a C compiler, cc") };
    let text = "typedef struct node *link_t; \
        pid$target::visit:entry { this->node = (struct node *)copyin(arg0, sizeof (node_t)); \
        printf(\"%s %d %d %d %d\\n\", this->node->name, this->node->at.y, this->node->kind, \
        this->node->color == GREEN, offsetof(struct node, at)); \
        self->next = (link_t)copyin((uintptr_t)this->node->next, sizeof (struct node)); \
        printf(\"%s %d\\n\", self->next->name, self->next->at.x); }";
    let lines = traced(&built.program(), text)?;
    ensure!(lines == ["second 22 4 1 32", "first 11"], "{lines:?}");
    // Without a probe in it, what the kernel does not have is the program's.
    let lines = traced(&built.program(), "BEGIN { printf(\"%d\\n\", sizeof (struct large)); exit(0); }")?;
    ensure!(lines == ["32"], "{lines:?}");
    Ok(())
}

fn symbols_are_read_that_a_stripped_program_carries() -> Result<()> {
    let Some(built) = Built::new("carried", &["-static"])? else { return skip("needs a C compiler, cc") };
    let commands = [
        &["objcopy", "--only-keep-debug", "program", "carried"][..],
        &["xz", "carried"],
        &["strip", "program"],
        &["objcopy", "--add-section", ".gnu_debugdata=carried.xz", "program"],
    ];
    for words in commands {
        let output = Command::new(words[0]).args(&words[1..]).current_dir(&built.0).output();
        if !output.is_ok_and(|output| output.status.success()) {
            return skip("needs objcopy, strip and xz");
        }
    }
    let lines = traced(&built.program(), "pid$target:a.out:visit:entry { ustack(1); exit(0); }")?;
    ensure!(lines.iter().map(|line| line.trim()).eq(["program`visit"]), "{lines:?}");
    Ok(())
}

fn code_that_a_program_makes_has_the_names_that_it_tells() -> Result<()> {
    let files: [(&str, &str, &[&str]); 1] = [("program", MAKER, &[])];
    let Some(built) = Built::of("maker", &files)? else { return skip("needs a C compiler, cc") };
    let lines = traced(&built.program(), "pid$target::reached:entry { printf(\"%d\\n\", pid); ustack(2); }")?;
    fs::remove_file(format!("/tmp/perf-{}.map", lines[0]))?;
    ensure!(lines[1..].iter().map(|line| line.trim()).eq(["program`reached", "made up+0x6"]), "{lines:?}");
    Ok(())
}

fn arguments_have_the_types_of_the_function() -> Result<()> {
    for options in [&["-g"][..], &["-g", "-gz=zlib"], &["-g", "-gdwarf-4", "-static"]] {
        let Some(built) = Built::new("arguments", options)? else { return skip("needs a C compiler, cc") };
        let text = "pid$target:a.out:visit:entry { printf(\"%s %s %d %s %x\\n\", args[0]->name, \
            args[0]->next->name, args[1], stringof(args[2]), args[3]); } \
            pid$target:a.out:visit:return { printf(\"%d\\n\", args[1]); } \
            pid$target:a.out:wide:entry { printf(\"%d %d\\n\", args[0], args[2]); }";
        let lines = traced(&built.program(), text)?;
        ensure!(lines == ["second first -1 some text 10000000000", "30", "200 -7"], "{options:?} {lines:?}");
    }
    Ok(())
}

fn types_are_named_with_their_file() -> Result<()> {
    let Some(built) = Built::new("named", &["-g"])? else { return skip("needs a C compiler, cc") };
    let text = "pid$target::visit:entry { printf(\"%d %d %s\\n\", sizeof (struct pid$target`a.out`node), \
        sizeof (a.out`node_t), ((struct program`node *)copyin(arg0, 40))->name); \
        printf(\"%d\\n\", sizeof (userland struct node)); }";
    let lines = traced(&built.program(), text)?;
    ensure!(lines == ["40 40 second", "40"], "{lines:?}");
    Ok(())
}

fn what_is_not_described_is_told() -> Result<()> {
    let cases = [
        (&["-g"][..], "sizeof (struct pid$target`a.out`none)", "D_TYPE_ERR"),
        (&["-g"], "sizeof (struct pid$target`libnone`node)", "D_PROC_LIB"),
        (&["-g"], "sizeof (struct pidx`a.out`node)", "D_PROC_BADPID"),
        (&["-g"], "args[4]", "D_ARGS_IDX"),
        (&["-g"], "args[0]->none", "D_TYPE_MEMBER"),
        (&["-g0"], "sizeof (struct pid$target`a.out`node)", "it has no debugging information"),
        (&["-g0"], "sizeof (struct large)", "build it with `-g`"),
        (&["-g", "-gsplit-dwarf"], "sizeof (struct large)", "in .dwo files"),
    ];
    for (options, expression, expected) in cases {
        let Some(built) = Built::new("lacking", options)? else { return skip("needs a C compiler, cc") };
        let program = format!("pid$target::visit:entry {{ trace({expression}); }}");
        let command = built.program();
        let output = tracer(&["-e", "-n", &program, "-c", command.to_str().context("it is text")?])?;
        ensure!(output.status.code() == Some(1), "{expression}: {output:?}");
        ensure!(output.stderr.contains(expected), "{expression}: {output:?}");
    }
    // A floating-point number comes in no register for words.
    let Some(built) = Built::new("float", &["-g"])? else { return skip("needs a C compiler, cc") };
    let command = built.program();
    let command = command.to_str().context("it is text")?;
    let output = tracer(&["-e", "-n", "pid$target::wide:entry { trace(args[1]); }", "-c", command])?;
    ensure!(output.stderr.contains("D_ARGS_TYPE"), "{output:?}");
    Ok(())
}

fn a_library_is_traced_that_is_loaded_later() -> Result<()> {
    let files: [(&str, &str, &[&str]); 2] =
        [("liblater.so", LIBRARY, &["-shared", "-fPIC"]), ("program", LOADER, &["-ldl"])];
    let Some(built) = Built::of("later", &files)? else { return skip("needs a C compiler, cc") };
    let command = format!("{} {}", built.program().display(), built.0.join("liblater.so").display());
    let text = "pid$target:liblater.so:later_*:entry { printf(\"%s %d\\n\", probemod, arg0); } \
        pid$target:liblater:later_twice:return { printf(\"%d\\n\", arg1); }";
    let output = tracer(&["-Z", "-q", "-n", text, "-c", &command])?.success()?;
    ensure!(output.lines() == ["liblater.so 7", "14", "liblater.so 8", "16"], "{output:?}");
    // What a library brings along is found where the process has libraries of its own, without the library's name.
    let text = "plug$target:::call-twice { printf(\"%s %s %d %d\\n\", probemod, probefunc, args[0], arg1); }";
    let output = tracer(&["-Z", "-q", "-n", text, "-c", &command])?.success()?;
    ensure!(output.lines() == ["liblater.so later_twice 7 0", "liblater.so later_twice 8 0"], "{output:?}");
    let output = tracer(&["-q", "-n", text, "-c", &command])?;
    ensure!(output.status.code() == Some(1) && output.stderr.contains("D_PDESC_ZERO"), "{output:?}");
    // Without -Z a description is about what is there.
    let text = "pid$target:liblater.so:later_*:entry { trace(arg0); }";
    let output = tracer(&["-q", "-n", text, "-c", &command])?;
    ensure!(output.status.code() == Some(1) && output.stderr.contains("D_PDESC_ZERO"), "{output:?}");
    // What is found nowhere is not traced.
    let output = tracer(&["-Z", "-q", "-n", "pid$target:libnever.so::entry { trace(1); }", "-c", &command])?;
    ensure!(output.status.success() && output.stdout.trim().is_empty(), "{output:?}");
    Ok(())
}

fn an_address_of_the_process_is_read_there() -> Result<()> {
    // A workload of the family `user`: user_fire(int, const char *, long *, long).
    let text = "pid$1::user_fire:entry { printf(\"%d %d %c\\n\", *(userland long *)arg2, ((userland long *)arg2)[2], \
        *(userland char *)arg1); } pid$1::user_fire:entry { trace(*(long *)arg2); } ERROR { printf(\"fault %d\\n\", arg4); }";
    let seen = observe(text, "user-fires", &[])?;
    ensure!(seen.output.lines() == ["1000 -3000 s", "fault 1"], "{seen:?}");
    Ok(())
}
