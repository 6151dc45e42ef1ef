//! Which probes descriptions find, and that ids keep their meaning.

use std::sync::Arc;

use super::*;

fn names(catalog: &mut Catalog, pattern: &str) -> Vec<String> {
    let pattern = Pattern::parse(pattern).expect("it has at most four parts");
    let ids = catalog.matching(&pattern);
    ids.iter().map(|&id| catalog.get(id).expect("it was matched").to_string()).collect()
}

#[test]
fn ids_are_in_the_order_that_is_promised() {
    let catalog = Catalog::new(&Target::fixture());
    let name = |id| catalog.get(ProbeId(id)).map(ToString::to_string);
    assert_eq!(name(1).as_deref(), Some("dtrace:::BEGIN"));
    assert_eq!(name(2).as_deref(), Some("dtrace:::END"));
    assert_eq!(name(3).as_deref(), Some("dtrace:::ERROR"));
    assert_eq!(name(0), None);
    let stable: usize = PROVIDERS.iter().map(|probes| probes.len()).sum();
    assert_eq!(name(stable as u32 + 1).as_deref(), Some("syscall:vmlinux:read:entry"));
    assert_eq!(name(stable as u32 + 2).as_deref(), Some("syscall:vmlinux:read:return"));
    assert_eq!(name(stable as u32 + 3).as_deref(), Some("syscall:vmlinux:write:entry"));
}

#[test]
fn descriptions_match() {
    let mut catalog = Catalog::new(&Target::fixture());
    assert_eq!(names(&mut catalog, "BEGIN"), ["dtrace:::BEGIN"]);
    assert_eq!(names(&mut catalog, "syscall::openat:entry"), ["syscall:vmlinux:openat:entry"]);
    assert_eq!(names(&mut catalog, "openat:").len(), 2);
    assert_eq!(names(&mut catalog, "syscall::*chmodat*:entry").len(), 2);
    let calls = catalog.probes().filter(|probe| probe.provider == "syscall").count();
    assert_eq!(names(&mut catalog, "syscall:::").len(), calls);
    assert_eq!(names(&mut catalog, "syscall:::entry").len(), calls / 2);
    assert_eq!(names(&mut catalog, "proc:::signal-send"), ["proc:vmlinux::signal-send"]);
    assert!(names(&mut catalog, "syscall::opne:entry").is_empty());
    assert_eq!(Pattern::parse("a:b:c:d:e"), None);
}

#[test]
fn rates_are_made_once_when_asked_for() {
    let mut catalog = Catalog::new(&Target::fixture());
    let before = catalog.ids().count();
    assert_eq!(names(&mut catalog, "tick-250ms"), ["profile:::tick-250ms"]);
    assert_eq!(names(&mut catalog, "profile:::tick-250ms"), ["profile:::tick-250ms"]);
    assert_eq!(catalog.ids().count(), before + 1);
    let probe = &catalog.probes[before];
    assert_eq!(
        (probe.program, probe.instance),
        (&profile::TICK, Some(Instance::Rate(Rate { nanoseconds: 250_000_000 })))
    );
    for none in ["tick-0", "tick-1x", "syscall:::tick-7s", "tick-", "tock-1s", "tick-1*x"] {
        assert!(names(&mut catalog, none).is_empty(), "{none}");
    }
    assert_eq!(names(&mut catalog, "profile-99[0-9]"), ["profile:::profile-997"]);
    assert_eq!(catalog.ids().count(), before + 1);
}

#[test]
fn tracepoints_are_added_when_their_provider_is_named() {
    let btf = Arc::new(crate::kernel::btf::tests::sample());
    let target = Target { tracepoints: Tracepoints::Declared(btf), ..Target::fixture() };
    let mut catalog = Catalog::new(&target);
    let before = catalog.ids().count();
    assert!(names(&mut catalog, "BEGIN").len() == 1 && names(&mut catalog, "*:::BEGIN").len() == 1);
    assert_eq!(catalog.ids().count(), before);
    assert_eq!(names(&mut catalog, "paint"), ["rawtp:vmlinux::paint"]);
    assert_eq!(names(&mut catalog, "*:::pai*"), ["rawtp:vmlinux::paint"]);
    assert_eq!(names(&mut catalog, "rawtp:::paint"), ["rawtp:vmlinux::paint"]);
    assert_eq!(names(&mut catalog, "rawtp:::p*"), ["rawtp:vmlinux::paint"]);
    assert!(names(&mut catalog, "rawtp:::pain").is_empty());
    assert_eq!(catalog.ids().count(), before + 1);
    let probe = &catalog.probes[before];
    assert_eq!((probe.args.len(), probe.instance), (2, Some(Instance::Tracepoint("paint"))));
    let types = catalog.argument_types(probe);
    assert_eq!(types, Some(vec!["const struct point *".to_owned(), "int".to_owned()]));
}

#[test]
fn a_firing_leads_back_to_its_probe() {
    let catalog = Catalog::new(&Target::fixture());
    for (id, probe) in catalog.ids().zip(catalog.probes()) {
        assert_eq!(catalog.firing(probe.program, probe.discriminator, probe.instance), Some(id), "{probe}");
    }
    assert_eq!(catalog.firing(&syscall::ENTRY, 400, None), None);
}

#[test]
fn of_two_names_for_a_rate_the_one_asked_for_is_shown() {
    let mut catalog = Catalog::new(&Target::fixture());
    let asked = catalog.matching(&Pattern::parse("tick-1s").expect("it is a description"));
    let second = Instance::Rate(Rate { nanoseconds: 1_000_000_000 });
    assert_eq!(catalog.firing(&profile::TICK, 0, Some(second)), asked.first().copied());
}

#[test]
fn what_the_kernel_lacks_is_known_but_not_matched() {
    let target = Target { tracepoints: Tracepoints::AllBut(["signal_generate"].into()), ..Target::fixture() };
    let mut catalog = Catalog::new(&target);
    assert!(names(&mut catalog, "proc:::signal-send").is_empty());
    let send = Pattern::parse("proc:::signal-send").expect("it is a description");
    let id = catalog.all(&send).next().expect("it is listed");
    assert_eq!(catalog.get(id).and_then(|probe| probe.lacks), Some(Attach::RawTracepoint("signal_generate")));
}

#[test]
fn every_argument_is_a_field_of_the_record() {
    for probe in Catalog::new(&Target::fixture()).probes() {
        for arg in probe.args.iter().filter(|arg| !arg.field.is_empty()) {
            assert!(probe.program.record.field(arg.field).is_some(), "{probe}: {}", arg.field);
        }
        assert!(!probe.doc.is_empty(), "{probe}");
    }
}

#[test]
fn what_other_systems_call_their_kernel_is_ours() {
    let mut catalog = Catalog::new(&Target::fixture());
    let ours = names(&mut catalog, "tcp:vmlinux::send");
    assert_eq!(ours.len(), 1);
    for theirs in [
        "tcp:kernel::send",
        "tcp:unix::send",
        "tcp:genunix::send",
        "tcp:mach_kernel::send",
        "tcp:freebsd::send",
    ] {
        assert_eq!(names(&mut catalog, theirs), ours, "{theirs}");
    }
    assert!(names(&mut catalog, "tcp:nosuchmodule::send").is_empty());
    assert!(names(&mut catalog, "pid1:kernel::entry").is_empty());
}
