//! Options that no other family tests: each shows what it changes.

use anyhow::{Result, ensure};

use crate::harness::{Family, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "options",
    tests: &[
        ("zdefs_lets_a_description_match_nothing", zdefs),
        ("flowindent_is_the_option_f", flowindent),
        ("aggzoom_stretches_the_bars", aggzoom),
        ("stackframes_bounds_a_stack", stackframes),
        ("droptags_names_the_kind_of_a_drop", droptags),
        ("bufresize_takes_its_words", bufresize),
        ("quietresize_keeps_silent_about_a_smaller_buffer", quietresize),
        ("verbose_shows_the_code_as_the_letter_s_does", verbose),
        ("setopt_tells_what_cannot_be_set", failures_of_setopt),
        ("strsize_cuts_constants_too", strsize),
        ("rawbytes_shows_every_value_as_bytes", rawbytes),
    ],
    workloads: &[],
};

fn zdefs() -> Result<()> {
    const PROGRAM: &str = r#"nosuch:::probe { trace(1); } BEGIN { printf("here"); exit(0); }"#;
    let output = tracer(&["-q", "-x", "zdefs", "-n", PROGRAM])?.success()?;
    ensure!(output.stdout.trim() == "here", "{output:?}");
    let refused = tracer(&["-q", "-n", PROGRAM])?;
    ensure!(refused.status.code() == Some(1) && refused.stderr.contains("nosuch"), "{refused:?}");
    Ok(())
}

fn flowindent() -> Result<()> {
    const PROGRAM: &str = "BEGIN { trace(1); exit(0); }";
    let [option, letter, plain] = [&["-x", "flowindent"][..], &["-F"], &[]].map(|arguments| {
        let output = tracer(&[arguments, &["-n", PROGRAM]].concat())?.success()?;
        // Which CPU it was, is chance.
        anyhow::Ok(
            output
                .stdout
                .lines()
                .map(|line| line.get(3..).unwrap_or_default().to_owned())
                .collect::<Vec<_>>(),
        )
    });
    let (option, letter, plain) = (option?, letter?, plain?);
    ensure!(option == letter && option != plain, "{option:?}\n{letter:?}\n{plain:?}");
    Ok(())
}

fn aggzoom() -> Result<()> {
    // Half of them are in each of two buckets.
    const PROGRAM: &str = "BEGIN { @ = quantize(1); @ = quantize(4); exit(0); }";
    let longest = |arguments: &[&str]| -> Result<usize> {
        let output = tracer(&[arguments, &["-q", "-n", PROGRAM]].concat())?.success()?;
        Ok(output.stdout.lines().map(|line| line.matches('@').count()).max().unwrap_or(0))
    };
    let (plain, zoomed) = (longest(&[])?, longest(&["-x", "aggzoom"])?);
    ensure!(plain == 20 && zoomed > 30, "{plain} {zoomed}");
    Ok(())
}

fn stackframes() -> Result<()> {
    let lines = |action: &str, options: &[&str]| -> Result<usize> {
        let program = format!("syscall::exit_group:entry /pid == $target/ {{ {action}; exit(0); }}");
        let output = tracer(&[options, &["-q", "-n", &program, "-c", "true"]].concat())?.success()?;
        Ok(output.lines().len())
    };
    ensure!(lines("stack()", &["-x", "stackframes=1"])? == 1);
    ensure!(lines("jstack(1)", &[])? == 1);
    // More than a stack may have are so many as it may have.
    ensure!(lines("stack()", &["-x", "maxframes=2"])? == 2);
    ensure!(lines("stack(1000)", &["-x", "maxframes=2"])? == 2);
    Ok(())
}

fn strsize() -> Result<()> {
    const PROGRAM: &str =
        r#"BEGIN { x = "123456789"; trace(x); trace("12345"); trace(strlen("123456")); exit(0); }"#;
    let output = tracer(&["-q", "-x", "strsize=4", "-n", PROGRAM])?.success()?;
    ensure!(output.stdout.trim() == "123412344", "{output:?}");
    let long = "x".repeat(300);
    let program = format!(r#"BEGIN {{ x = "{long}"; printf("%d", strlen(x)); exit(0); }}"#);
    let output = tracer(&["-q", "-n", &program])?.success()?;
    ensure!(output.stdout.trim() == "256", "{output:?}");
    Ok(())
}

fn rawbytes() -> Result<()> {
    const PROGRAM: &str = r#"BEGIN { trace((short)-2); trace(1ULL); trace("ab"); exit(0); }"#;
    let output = tracer(&["-q", "-x", "rawbytes", "-n", PROGRAM])?.success()?;
    let rows: Vec<&str> =
        output.stdout.lines().filter_map(|line| line.strip_prefix("         0: ")).collect();
    let shown: Vec<&str> = rows.iter().map(|row| row[..47].trim_end()).collect();
    ensure!(shown == ["fe ff", "01 00 00 00 00 00 00 00", "61 62 00"], "{output:?}");
    Ok(())
}

fn droptags() -> Result<()> {
    const PROGRAM: &str = "syscall::write:entry /pid == $target/ { @[n++] = count(); }";
    const WRITES: &str = "dd if=/dev/zero of=/dev/null bs=1 count=2000";
    let options = ["-q", "-x", "droptags", "-x", "statusrate=20ms", "-x", "aggsize=1k"];
    let output = tracer(&[&options[..], &["-n", PROGRAM, "-c", WRITES]].concat())?.success()?;
    ensure!(output.stderr.contains("[DTRACEDROP_AGGREGATION]"), "{}", output.stderr);
    Ok(())
}

fn bufresize() -> Result<()> {
    for word in ["auto", "manual"] {
        let option = format!("bufresize={word}");
        let program = "BEGIN { printf(\"here\"); exit(0); }";
        let output = tracer(&["-q", "-x", &option, "-x", "bufsize=1m", "-n", program])?.success()?;
        ensure!(output.stdout.trim() == "here", "{output:?}");
    }
    let refused = tracer(&["-x", "bufresize=never", "-n", "BEGIN"])?;
    ensure!(refused.status.code() == Some(1), "{refused:?}");
    Ok(())
}

fn quietresize() -> Result<()> {
    // No machine has a buffer of this size to spare.
    let program = "BEGIN { printf(\"here\"); exit(0); }";
    let said = |options: &[&str]| -> Result<bool> {
        let output = tracer(&[&["-q", "-x", "bufsize=1g"], options, &["-n", program]].concat())?.success()?;
        ensure!(output.stdout.trim() == "here", "{output:?}");
        Ok(output.stderr.contains("buffer size lowered"))
    };
    if said(&[])? {
        ensure!(!said(&["-x", "quietresize"])?);
    }
    Ok(())
}

fn verbose() -> Result<()> {
    let code = |option: &[&str]| -> Result<bool> {
        let output = tracer(&[option, &["-q", "-n", "BEGIN { exit(0); }"]].concat())?.success()?;
        Ok(output.stdout.contains("instructions"))
    };
    ensure!(code(&["-x", "verbose"])? && code(&["-S"])? && !code(&[])?);
    Ok(())
}

fn failures_of_setopt() -> Result<()> {
    let program = r#"BEGIN { setopt("nosuch", "2"); setopt("strsize", "1k"); setopt("aggsortrev", "no way");
        setopt("aggsortrev"); @[1] = count(); @[2] = count(); exit(0); }"#;
    let output = tracer(&["-qn", program])?.success()?;
    let told = |option: &str, value: &str, why: &str| {
        format!(
            "tracer: error on enabled probe ID 2 (ID 1: dtrace:::BEGIN): couldn't set option \"{option}\" to \"{value}\": {why}\n"
        )
    };
    let expected = told("nosuch", "2", "Invalid option name")
        + &told("strsize", "1k", "Operation illegal when tracing is active")
        + &told("aggsortrev", "no way", "Invalid value for specified option");
    ensure!(output.stderr.ends_with(&expected), "{}", output.stderr);
    let keys: Vec<_> = output.lines().iter().filter_map(|line| line.split_whitespace().next()).collect();
    ensure!(keys == ["2", "1"], "{output:?}");
    Ok(())
}
