//! Every trampoline with every field wanted, and every support beside it, passes this kernel's verifier and attaches.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, ensure};
use probes_common::abi::Scope;
use probes_common::probe::{Attach, Program};
use tracer::bpf::{Code, Insn};
use tracer::consume::Description;
use tracer::kernel::Target;
use tracer::kernel::currents::Currents;
use tracer::kernel::features::Release;
use tracer::link::{Constants, link};
use tracer::lower::{ClauseImage, Image, ProgramImage};
use tracer::provider::{Catalog, Pattern, ProbeInfo};
use tracer::session::Session;

use crate::harness::{Family, skip};

pub(crate) const FAMILY: Family = Family {
    name: "load",
    tests: &[
        ("every_trampoline_loads_and_attaches", every_trampoline),
        ("the_current_thread_is_found_without_a_call_since_6_10", current_thread),
    ],
    workloads: &[],
};

static PROBES: &[u8] = include_bytes!("../../probes.bpf.o");

fn every_trampoline() -> Result<()> {
    let target = match Target::probe() {
        Ok(target) => target,
        Err(refusal) => return skip(refusal.what),
    };
    let mut catalog = Catalog::new(&target);
    for pattern in ["profile-97", "tick-1s", "fbt::vfs_read:"] {
        catalog.matching(&Pattern::parse(pattern).expect("a description"));
    }
    let hosts: BTreeMap<&str, &ProbeInfo> = catalog
        .probes()
        .filter(|probe| probe.lacks.is_none() && probe.program.attach != Attach::Called)
        .map(|probe| (probe.program.name, probe))
        .collect();
    let mut refused = Vec::new();
    let ways = [None].into_iter().chain(currents(&target).map(Some));
    for way in ways {
        for host in hosts.values() {
            if let Err(error) = load(host, &target, &catalog, way.clone()) {
                let how = if way.is_some() { "reading" } else { "calling" };
                refused.push(format!("{}, {how}: {error:#}", host.program.name));
            }
        }
    }
    ensure!(refused.is_empty(), "{} of {} refused:\n{}", refused.len(), hosts.len(), refused.join("\n"));
    Ok(())
}

/// How programs read the current thread on this kernel.
fn currents(target: &Target) -> Option<Currents> {
    let find = |btf| Currents::find(target.machine, &target.release, btf, target.cpus);
    target.types.as_ref().and_then(|types| find(types.kernel()))
}

fn current_thread() -> Result<()> {
    let target = match Target::probe() {
        Ok(target) => target,
        Err(refusal) => return skip(refusal.what),
    };
    let since = Release::parse(&target.release).is_some_and(|release| release >= Release(6, 10));
    let found = currents(&target);
    ensure!(found.is_some() == since, "on {}: {found:?}", target.release);
    let known = found.iter().flat_map(|found| &found.addresses).filter(|&&address| address != 0).count();
    ensure!(!since || known == aya::util::online_cpus().map_or(0, |cpus| cpus.len()), "{found:?}");
    Ok(())
}

fn load(host: &ProbeInfo, target: &Target, catalog: &Catalog, currents: Option<Currents>) -> Result<()> {
    let image = Image { programs: vec![program(host)], ..Image::default() };
    let scope = Scope {
        cpus: target.cpus,
        own_pid: target.own_pid,
        watermark: 1 << 16,
        wall_offset: target.wall_offset,
        tick: target.tick,
        following: 1,
        cpu: 1,
        fill: 1,
        speculations: 4,
        speculation_size: 4096,
    };
    let constants =
        Constants { offsets: target.offsets, scope, ring_size: 1 << 20, currents, most: usize::MAX };
    let linked = link(PROBES, &image, &constants)?;
    let description = Description {
        layouts: Vec::new(),
        aggregations: Vec::new(),
        probes: HashMap::new(),
        programs: Vec::new(),
        symbols: HashMap::new(),
        catalog,
        cpus: target.cpus,
        options: tracer::check::Options::default(),
    };
    Session::start(&linked, description, &Default::default(), std::env::var_os("VERBOSE").is_some())?;
    Ok(())
}

/// The trampoline with one clause, which returns 0.
fn program(host: &ProbeInfo) -> ProgramImage {
    let program: &'static Program = host.program;
    let insns = vec![Insn { opcode: 0xb7, ..Insn::default() }, Insn { opcode: 0x95, ..Insn::default() }];
    let code = Code { name: "clause".into(), insns, ..Code::default() };
    ProgramImage {
        program,
        instance: host.instance,
        wants: u64::MAX,
        hosted: vec![host.discriminator],
        functions: Vec::new(),
        clauses: vec![ClauseImage {
            epid: 1,
            pieces: vec![code],
            discriminators: None,
            light: false,
            gated: None,
        }],
    }
}
