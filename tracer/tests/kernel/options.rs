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
    Ok(())
}

fn droptags() -> Result<()> {
    const PROGRAM: &str = "syscall::write:entry /pid == $target/ { @[n++] = count(); }";
    const WRITES: &str = "dd if=/dev/zero of=/dev/null bs=1 count=2000";
    let options = ["-q", "-x", "droptags", "-x", "statusrate=20ms", "-x", "aggsize=1k"];
    let output = tracer(&[&options[..], &["-n", PROGRAM, "-c", WRITES]].concat())?.success()?;
    ensure!(output.stderr.contains("[DROP_AGGREGATION]"), "{}", output.stderr);
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
    ensure!(refused.status.code() == Some(2), "{refused:?}");
    Ok(())
}
