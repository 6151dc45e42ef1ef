//! Signals on their way: sent, and not yet dealt with.
//!
//! Who sent a signal is best known from when it was sent: the target may see another process id, in a PID namespace or of a signal
//! by the kernel, and of one that ends it the kernel keeps none.

use std::collections::{HashMap, VecDeque};

use crate::event::number::SignalNumber;

/// What is kept of signals that wait, by target and signal, with the sender's process id (0 for the kernel).
pub(super) struct Pending<T>(HashMap<(u32, SignalNumber), VecDeque<(u32, T)>>);

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Pending(HashMap::new())
    }
}

impl<T> Pending<T> {
    /// One is sent.
    pub(super) fn sent(&mut self, sender: u32, target: u32, signal: SignalNumber, kept: T) {
        self.0.entry((target, signal)).or_default().push_back((sender, kept));
    }

    /// The target deals with one. It is that of the sender that the target sees, or else the oldest; none where it was sent before
    /// watching began, or each thread of an ending process is told of it.
    pub(super) fn settled(
        &mut self,
        target: u32,
        signal: SignalNumber,
        seen: Option<u32>,
    ) -> Option<(u32, T)> {
        let waiting = self.0.get_mut(&(target, signal))?;
        let by = waiting.iter().position(|(sender, _)| *sender == seen.unwrap_or(0)).unwrap_or(0);
        let settled = waiting.remove(by);
        if waiting.is_empty() {
            self.0.remove(&(target, signal));
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_that_of_the_sender_that_the_target_sees_or_the_oldest() {
        let mut pending = Pending::default();
        let signal = SignalNumber(34);
        for (sender, kept) in [(7, 'a'), (8, 'b'), (0, 'c'), (9, 'd')] {
            pending.sent(sender, 1, signal, kept);
        }
        assert_eq!(pending.settled(2, signal, Some(7)), None);
        assert_eq!(pending.settled(1, signal, Some(8)), Some((8, 'b')));
        assert_eq!(pending.settled(1, signal, None), Some((0, 'c')));
        // Ids of a PID namespace, which nobody sent by.
        assert_eq!(pending.settled(1, signal, Some(2)), Some((7, 'a')));
        assert_eq!(pending.settled(1, signal, Some(2)), Some((9, 'd')));
        assert_eq!(pending.settled(1, signal, Some(2)), None);
    }
}
