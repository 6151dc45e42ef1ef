//! The command line without privileges: help, listing, each kind of bad input, exit statuses.
//!
//! Each page of `cli/` shows commands in `console` blocks and, below each, what it writes to both outputs and its exit status
//! where that is not 0 (`? 2`). The files that a page's commands read are in the folder `PAGE.in`. `BLESS=1` writes what comes
//! instead of comparing.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let pages = entries.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let trials = pages.map(|page| Trial::test(name(&page), move || compare(&page))).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn name(page: &Path) -> String {
    page.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn compare(page: &Path) -> Result<(), Failed> {
    let wanted = fs::read_to_string(page)?;
    let got = play(&wanted, &page.with_extension("in"))?;
    if std::env::var_os("BLESS").is_some() {
        fs::write(page, got)?;
        return Ok(());
    }
    let differs = wanted.lines().zip(got.lines()).find(|(wanted, got)| wanted != got);
    match differs {
        _ if wanted == got => Ok(()),
        Some((wanted, got)) => Err(format!("the page says\n{wanted}\nand what comes is\n{got}\n").into()),
        None => Err("one is shorter than the other".into()),
    }
}

/// The page with what its commands give now.
fn play(page: &str, folder: &Path) -> Result<String, Failed> {
    let mut text = String::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ => {}
        }
        match line.strip_prefix("$ ") {
            Some(command) if inside => {
                let gap = if text.ends_with("```console\n") { "" } else { "\n" };
                text += &format!("{gap}{line}\n{}", run(command, folder)?);
            }
            _ if inside && line != "```console" => {}
            _ => text += &format!("{line}\n"),
        }
    }
    Ok(text)
}

/// The exit status, where it is not 0, and what the command wrote.
fn run(command: &str, folder: &Path) -> Result<String, Failed> {
    let mut words = shlex::split(command).ok_or("a quote is not closed")?.into_iter();
    if words.next().as_deref() != Some("tracer") {
        return Err(format!("`{command}` is no command of tracer").into());
    }
    let folder =
        if folder.is_dir() { folder.to_path_buf() } else { PathBuf::from(env!("CARGO_MANIFEST_DIR")) };
    let output = Command::new(env!("CARGO_BIN_EXE_tracer"))
        .args(words)
        .current_dir(folder)
        .env("COLUMNS", "100")
        .stdin(Stdio::null())
        .output()?;
    let mut text = String::new();
    match output.status.code() {
        Some(0) => {}
        Some(code) => writeln!(text, "? {code}")?,
        None => return Err(format!("`{command}`: {}", output.status).into()),
    }
    text += &String::from_utf8(output.stdout)?;
    text += &String::from_utf8(output.stderr)?;
    Ok(text)
}
