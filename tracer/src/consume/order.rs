//! Messages of all CPUs in the order of their times.
//!
//! A message has the time at which its firing first asked for it, and takes its place in the ring when it is sent: one that was
//! interrupted in between, or whose CPU was slow, comes after later ones. So messages are held until none that is earlier can
//! come any more, which is when [`WINDOW`] has gone by.
//!
//! Invariant: what is handed out is in order, and what could not be (it came later than the window allows) is counted.

/// Nanoseconds for which a message is held, at the most. Measured on loaded machines, one of some 500 messages is overtaken, none
/// by more than 0.2 ms.
pub const WINDOW: u64 = 10_000_000;

/// Messages that wait for their turn.
#[derive(Default)]
pub(super) struct Order {
    bytes: Vec<u8>,
    held: Vec<Held>,
    /// The latest time of a message that was taken in.
    latest: u64,
    /// Up to which time all messages are known to be here.
    complete: u64,
    /// The latest time of a message that was handed out.
    shown: u64,
    late: u64,
}

#[derive(Clone, Copy)]
struct Held {
    time: u64,
    start: usize,
    length: usize,
}

impl Order {
    /// Takes in a message.
    pub(super) fn push(&mut self, time: u64, message: &[u8]) {
        self.held.push(Held { time, start: self.bytes.len(), length: message.len() });
        self.bytes.extend_from_slice(message);
        self.latest = self.latest.max(time);
    }

    /// Messages up to that time have all been taken in.
    pub(super) fn complete(&mut self, until: u64) {
        self.complete = self.complete.max(until);
    }

    /// Whether messages wait.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// How many messages were handed out after later ones.
    pub(super) fn late(&self) -> u64 {
        self.late
    }

    /// Hands out, in order, the messages whose turn it is. After an error the rest of them is lost.
    pub(super) fn release<E>(&mut self, mut show: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let until = self.complete.max(self.latest.saturating_sub(WINDOW));
        // Stable: messages of one firing have the same time.
        self.held.sort_by_key(|held| held.time);
        let count = self.held.partition_point(|held| held.time <= until);
        let (mut shown, mut late) = (self.shown, 0);
        let result = self.held.drain(..count).try_for_each(|held| {
            late += u64::from(held.time < shown);
            shown = shown.max(held.time);
            show(&self.bytes[held.start..][..held.length])
        });
        (self.shown, self.late) = (shown, self.late + late);
        self.close_up();
        result
    }

    /// Moves what is still held to the beginning of the memory.
    fn close_up(&mut self) {
        let mut bytes = Vec::with_capacity(self.bytes.capacity());
        for held in &mut self.held {
            let start = bytes.len();
            bytes.extend_from_slice(&self.bytes[held.start..][..held.length]);
            held.start = start;
        }
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(order: &mut Order) -> Vec<u8> {
        let mut messages = Vec::new();
        order
            .release(|message| {
                messages.extend_from_slice(message);
                Ok::<_, ()>(())
            })
            .expect("no error");
        messages
    }

    #[test]
    fn messages_come_in_the_order_of_their_times() {
        let mut order = Order::default();
        for (time, name) in [(30, b"c"), (10, b"a"), (20, b"b"), (20, b"B")] {
            order.push(time, name);
        }
        assert_eq!(taken(&mut order), b"", "earlier ones may come");
        order.complete(20);
        assert_eq!(taken(&mut order), b"abB", "those of one time as they came");
        order.push(25, b"x");
        assert!(order.holds());
        order.complete(u64::MAX);
        assert_eq!(taken(&mut order), b"xc");
        assert!(!order.holds() && order.late() == 0);
    }

    #[test]
    fn a_message_waits_for_the_window_only() {
        let mut order = Order::default();
        order.push(5, b"a");
        order.push(5 + WINDOW, b"b");
        assert_eq!(taken(&mut order), b"a");
        order.push(6 + 2 * WINDOW, b"d");
        order.push(4 + WINDOW, b"c");
        assert_eq!(taken(&mut order), b"cb");
        assert_eq!(order.late(), 0);
    }

    #[test]
    fn what_comes_too_late_is_counted() {
        let mut order = Order::default();
        order.push(10, b"a");
        order.complete(10);
        assert_eq!(taken(&mut order), b"a");
        order.push(9, b"b");
        order.push(11, b"c");
        order.complete(u64::MAX);
        assert_eq!(taken(&mut order), b"bc");
        assert_eq!(order.late(), 1);
    }

    #[test]
    fn an_error_ends_it() {
        let mut order = Order::default();
        order.push(1, b"a");
        order.push(2, b"b");
        order.complete(2);
        assert_eq!(order.release(|_| Err("full")), Err("full"));
    }
}
