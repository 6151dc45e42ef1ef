//! Questions about processes.

use probes_common::offsets::ABSENT;

use crate::constants::offset;
use crate::kernel;

/// How far back ancestors are looked for.
const GENERATIONS: u32 = 32;

/// progenyof(): 1 when the process of a thread is `pid` or descends from it, else 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn progeny(pid: u64, task: u64) -> u64 {
    let mut task = task;
    if offset!(task_tgid) == ABSENT || offset!(task_real_parent) == ABSENT {
        return 0;
    }
    for _ in 0..GENERATIONS {
        let ancestor = kernel::read::<u32>(task, offset!(task_tgid));
        if ancestor == pid as u32 {
            return 1;
        }
        // The idle task is its own parent.
        if ancestor == 0 {
            return 0;
        }
        task = kernel::read(task, offset!(task_real_parent));
    }
    0
}
