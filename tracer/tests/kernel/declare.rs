//! Programs that are built with what -h and -G make of a `provider` declaration, as a Makefile written for DTrace does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::harness::{Family, Tracer, run, skip, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "declare",
    tests: &[
        (
            "a_program_is_built_as_a_makefile_for_dtrace_does",
            a_program_is_built_as_a_makefile_for_dtrace_does,
        ),
        ("a_header_alone_makes_probes_in_a_library", a_header_alone_makes_probes_in_a_library),
        ("arguments_are_typed_as_they_are_declared", arguments_are_typed_as_they_are_declared),
    ],
    workloads: &[],
};

const PROVIDER: &str = "provider app {\n\
    probe start();\n\
    probe request__done(int code, string path, uint64_t size, unsigned char kind);\n\
    };\n\
    #pragma D attributes Evolving/Evolving/Common provider app provider\n";

const PROGRAM: &str = r#"
#include <stdint.h>
#include <stdio.h>
#include "app.h"
void serve(int number, const char *path) {
    static int enabled = -1;
    if (APP_REQUEST_DONE_ENABLED()) enabled = number;
    APP_REQUEST_DONE(number - 2, path, (uint64_t)number << 33, 200 + number);
    if (number == 2) fprintf(stderr, "enabled %d\n", enabled);
}
"#;

const MAIN: &str = r#"
#include "app.h"
void serve(int, const char *);
int main(void) {
    APP_START();
    for (int number = 0; number < 3; number++) serve(number, "/index");
    return 0;
}
"#;

/// What a tracer is to see of it.
const TRACE: &str = "app$target:::start { printf(\"start\\n\"); } \
    app$target::serve:request-done { printf(\"%d %s %d %d\\n\", arg0, copyinstr(arg1), arg2, arg3); }";
const SEEN: [&str; 4] = ["start", "-2 /index 0 200", "-1 /index 8589934592 201", "0 /index 17179869184 202"];

/// A directory that is removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("tracer-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        let directory = Self(path);
        for (file, text) in [("app.d", PROVIDER), ("serve.c", PROGRAM), ("main.c", MAIN)] {
            fs::write(directory.path(file), text)?;
        }
        Ok(directory)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    /// Runs the C compiler here.
    fn compile(&self, arguments: &str) -> Result<()> {
        let mut compiler = Command::new("cc");
        let output =
            compiler.current_dir(&self.0).args(["-Wall", "-Werror"]).args(arguments.split(' ')).output()?;
        ensure!(output.status.success(), "cc {arguments}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Runs the tracer here.
    fn declare(&self, arguments: &[&str]) -> Result<()> {
        let mut command = run::command(arguments);
        command.current_dir(&self.0);
        let output = Tracer::spawn(command)?.finish()?.success()?;
        ensure!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        Ok(())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // It is in the way of nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn a_program_is_built_as_a_makefile_for_dtrace_does() -> Result<()> {
    let Some(directory) = with_compiler("makefile")? else { return skip("needs a C compiler, cc") };
    directory.declare(&["-h", "-s", "app.d"])?;
    for optimization in ["-O0", "-O2"] {
        directory.compile(&format!("{optimization} -c main.c -o main.o"))?;
        directory.compile(&format!("{optimization} -c serve.c -o serve.o"))?;
        directory.declare(&["-G", "-s", "app.d", "-o", "probes.o", "main.o", "serve.o"])?;
        directory.compile("main.o serve.o probes.o -o app")?;
        is_traced(&directory.path("app"))?;
    }
    Ok(())
}

fn a_header_alone_makes_probes_in_a_library() -> Result<()> {
    let Some(directory) = with_compiler("library")? else { return skip("needs a C compiler, cc") };
    directory.declare(&["-h", "-s", "app.d", "-o", "app.h"])?;
    directory.compile("-O2 -fPIC -shared serve.c -o libserve.so")?;
    directory.compile("-O2 main.c -L. -lserve -Wl,-rpath,$ORIGIN -o app")?;
    is_traced(&directory.path("app"))
}

fn arguments_are_typed_as_they_are_declared() -> Result<()> {
    const TYPED: &str = "provider typed { probe at(struct point *p, unsigned char kind, string name, const char *text); \
        probe turned(int a, long b) : (long b, int a, int a); };";
    const PASSES: &str = "struct point { int x, y; const char *label; };\n#include \"typed.h\"\n\
        int main(void) { struct point point = { 3, 4, \"origin\" };\n\
        TYPED_AT(&point, 200, \"first\", \"second\"); TYPED_TURNED(1, -7L); return 0; }\n";
    let Some(directory) = with_compiler("typed")? else { return skip("needs a C compiler, cc") };
    fs::write(directory.path("typed.d"), TYPED)?;
    fs::write(directory.path("typed.c"), PASSES)?;
    directory.declare(&["-h", "-s", "typed.d"])?;
    directory.compile("-g -O2 typed.c -o typed")?;
    let program = directory.path("typed");
    let program = program.to_str().context("it is text")?;
    let trace = "struct sum { int sum; string name; }; \
        translator struct sum < struct point *p > { sum = p->x + p->y; name = stringof(p->label); }; \
        typed$target:::at { printf(\"%d %s %d %s %s\\n\", args[0]->y, stringof(args[0]->label), args[1], args[2], copyinstr(args[3])); \
        printf(\"%d %s\\n\", xlate <struct sum>(args[0]).sum, xlate <struct sum>(args[0]).name); } \
        typed$target:::turned { printf(\"%d %d %d %d %d\\n\", args[0], args[1], args[2], arg0, arg1); }";
    let output = tracer(&["-q", "-n", trace, "-c", program])?.success()?;
    ensure!(output.lines() == ["4 origin 200 first second", "7 origin", "-7 1 1 1 -7"], "{output:?}");
    let listed = tracer(&["-l", "-v", "-n", "typed$target:::at", "-c", program])?.success()?;
    for ctype in ["struct point *", "unsigned char", "string", "const char *"] {
        ensure!(listed.stdout.contains(&format!("]: {ctype}")), "{ctype}: {listed:?}");
    }
    let mixed = "typed$target:::at, typed$target:::turned { trace(args[0]); }";
    let refused = tracer(&["-e", "-n", mixed, "-c", program])?;
    ensure!(refused.status.code() == Some(1) && refused.stderr.contains("D_ARGS_MULTI"), "{refused:?}");
    Ok(())
}

/// Traces the program; its library's semaphores count the tracer, too.
fn is_traced(program: &Path) -> Result<()> {
    let output = tracer(&["-q", "-n", TRACE, "-c", program.to_str().context("it is text")?])?.success()?;
    ensure!(output.lines() == SEEN && output.stderr == "enabled 2\n", "{output:?}");
    Ok(())
}

fn with_compiler(name: &str) -> Result<Option<Directory>> {
    let there = Command::new("cc").arg("--version").output().is_ok_and(|output| output.status.success());
    if there { Directory::new(name).map(Some) } else { Ok(None) }
}
