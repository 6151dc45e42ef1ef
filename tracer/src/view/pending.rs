//! Signals on their way: sent, and not yet dealt with.
//!
//! Who sent a signal is best known from when it was sent: the target may see another process id, in a PID namespace or of a signal
//! by the kernel, and of one that ends it the kernel keeps none.
//!
//! Invariant: what waits is found as the kernel finds it: a thread's own signals before its process's, of realtime signals the
//! oldest, of the others, of which the kernel keeps one, the newest.

use std::collections::{HashMap, VecDeque};

use crate::event::number::SignalNumber;
use crate::event::{Process, Signal};

/// The first signal of which the kernel keeps more than one (`SIGRTMIN` of include/uapi/asm-generic/signal.h).
const REALTIME: i32 = 32;

/// How many signals are kept of which the kernel keeps one: a thread that has taken one says so a little later.
const KEPT: usize = 8;

/// A signal that waits.
struct Sent<T> {
    /// Its sender's process id, 0 for the kernel.
    sender: u32,
    /// The thread that it is for; none for any of the process.
    thread: Option<u32>,
    kept: T,
}

/// A signal is dealt with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) target: u32,
    /// The thread that does it.
    pub(super) thread: u32,
    pub(super) signal: SignalNumber,
    /// The sender that the target sees.
    pub(super) sender: Option<u32>,
    /// Whether it is told as it happens, not when the thread has taken the signal and goes on.
    pub(super) at_once: bool,
}

impl Settled {
    /// By an event of `process`, where it is one that deals with a signal.
    pub(super) fn by(process: &Process, event: &Signal) -> Option<Settled> {
        let (signal, thread, sender, at_once) = match event {
            Signal::Send { .. } => return None,
            Signal::Handle { signal, thread, sender, .. } => (*signal, *thread, *sender, true),
            Signal::Take { signal, thread } => (*signal, *thread, None, false),
        };
        Some(Settled { target: process.pid, thread, signal, sender, at_once })
    }
}

/// What is kept of signals that wait, by target and signal.
pub(super) struct Pending<T>(HashMap<(u32, SignalNumber), VecDeque<Sent<T>>>);

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Pending(HashMap::new())
    }
}

impl<T> Pending<T> {
    /// One is sent, to a `thread` or the whole process. Gives what was kept of one that must have gone unseen.
    pub(super) fn sent(
        &mut self,
        sender: u32,
        target: u32,
        thread: Option<u32>,
        signal: SignalNumber,
        kept: T,
    ) -> Option<T> {
        let waiting = self.0.entry((target, signal)).or_default();
        let alike = |sent: &Sent<T>| sent.thread == thread;
        let full = signal.0 < REALTIME && waiting.iter().filter(|sent| alike(sent)).count() >= KEPT;
        let gone = if full { waiting.iter().position(alike).and_then(|at| waiting.remove(at)) } else { None };
        waiting.push_back(Sent { sender, thread, kept });
        gone.map(|sent| sent.kept)
    }

    /// The target deals with one: its sender, and what was kept of it. None where it was sent before watching began, or each
    /// thread of an ending process is told of it.
    pub(super) fn settled(&mut self, settled: Settled) -> Option<(u32, T)> {
        let Settled { target, thread, signal, sender, at_once } = settled;
        let waiting = self.0.get_mut(&(target, signal))?;
        let newest = at_once && signal.0 < REALTIME;
        let find = |test: &dyn Fn(&Sent<T>) -> bool| {
            if newest { waiting.iter().rposition(test) } else { waiting.iter().position(test) }
        };
        let sender = sender.unwrap_or(0);
        let at = find(&|sent| sent.thread == Some(thread))
            .or_else(|| find(&|sent| sent.thread.is_none() && sent.sender == sender))
            .or_else(|| find(&|sent| sent.thread.is_none()))?;
        let found = waiting.remove(at)?;
        if waiting.is_empty() {
            self.0.remove(&(target, signal));
        }
        Some((found.sender, found.kept))
    }

    /// What is kept of those that must have gone unseen: a later one like it waits, and the kernel keeps one.
    pub(super) fn gone(&self) -> impl Iterator<Item = (SignalNumber, &T)> {
        self.0.iter().filter(|((_, signal), _)| signal.0 < REALTIME).flat_map(|((_, signal), waiting)| {
            waiting.iter().enumerate().filter_map(|(at, sent)| {
                let later = waiting.iter().skip(at + 1).any(|later| later.thread == sent.thread);
                later.then_some((*signal, &sent.kept))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(signal: SignalNumber, thread: u32, sender: Option<u32>) -> Settled {
        Settled { target: 1, thread, signal, sender, at_once: true }
    }

    #[test]
    fn a_realtime_signal_is_that_of_the_sender_that_the_target_sees_or_the_oldest() {
        let mut pending = Pending::default();
        let signal = SignalNumber(34);
        for (sender, kept) in [(7, 'a'), (8, 'b'), (0, 'c'), (9, 'd')] {
            assert_eq!(pending.sent(sender, 1, None, signal, kept), None);
        }
        let mut settle = |sender| pending.settled(settled(signal, 1, sender));
        assert_eq!(settle(Some(8)), Some((8, 'b')));
        assert_eq!(settle(None), Some((0, 'c')));
        // Ids of a PID namespace, which nobody sent by.
        assert_eq!(settle(Some(2)), Some((7, 'a')));
        assert_eq!(settle(Some(2)), Some((9, 'd')));
        assert_eq!(settle(Some(2)), None);
        assert_eq!(pending.gone().count(), 0);
    }

    #[test]
    fn a_thread_deals_with_its_own_signal_first() {
        let mut pending = Pending::default();
        let signal = SignalNumber(10);
        pending.sent(7, 1, None, signal, 'a');
        pending.sent(7, 1, Some(5), signal, 'b');
        pending.sent(7, 1, Some(6), signal, 'c');
        assert_eq!(pending.settled(settled(signal, 6, Some(7))), Some((7, 'c')));
        assert_eq!(pending.settled(settled(signal, 6, Some(7))), Some((7, 'a')));
        assert_eq!(pending.settled(settled(signal, 6, Some(7))), None);
        assert_eq!(pending.settled(settled(signal, 5, Some(7))), Some((7, 'b')));
    }

    #[test]
    fn of_signals_that_the_kernel_keeps_one_of_the_newest_is_handled_and_those_before_have_gone() {
        let mut pending = Pending::default();
        let signal = SignalNumber(10);
        for kept in 0..3 {
            pending.sent(7, 1, None, signal, kept);
        }
        assert_eq!(pending.gone().map(|(_, kept)| *kept).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(pending.settled(settled(signal, 1, Some(7))), Some((7, 2)));
        // One that sigwait has taken is told of late.
        let late = Settled { at_once: false, ..settled(signal, 1, None) };
        pending.sent(7, 1, None, signal, 3);
        assert_eq!(pending.settled(late), Some((7, 0)));
        // However many are taken unseen, few are remembered.
        let gone: Vec<_> = (4..14).filter_map(|kept| pending.sent(7, 1, None, signal, kept)).collect();
        assert_eq!(gone, [1, 3, 4, 5]);
    }
}
