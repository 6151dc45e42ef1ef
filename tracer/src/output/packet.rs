//! Captured packets as a file of libpcap's format has them (draft-ietf-opsawg-pcap): a header, and behind it each packet with the time at
//! which it was captured.

/// What pcap() recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// What kind of header it begins with, as libpcap numbers them: a constant PCAP_*.
    pub link: u32,
    /// How many bytes there were.
    pub length: u32,
    /// The most that is recorded.
    pub most: u32,
    /// Those that were recorded.
    pub bytes: Vec<u8>,
}

impl Packet {
    /// The header of a file that has such packets.
    pub(super) fn header(&self) -> Vec<u8> {
        // The mark by which a reader knows the order of bytes and that times are in microseconds; the version, 2.4; zeros; the
        // most bytes of a packet; the kind.
        let version = 2 | 4 << 16;
        [0xa1b2_c3d4, version, 0, 0, self.most, self.link].into_iter().flat_map(u32::to_ne_bytes).collect()
    }

    /// The packet in a file, captured so many nanoseconds after the beginning of 1970.
    pub(super) fn record(&self, time: u64) -> Vec<u8> {
        let (seconds, rest) = (time / 1_000_000_000, time % 1_000_000_000);
        let words = [seconds as u32, rest as u32 / 1000, self.bytes.len() as u32, self.length];
        words.into_iter().flat_map(u32::to_ne_bytes).chain(self.bytes.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Packet;

    #[test]
    fn a_file_is_a_header_and_packets() {
        let packet = Packet { link: 12, length: 60, most: 2, bytes: vec![0x45, 0] };
        let words = |bytes: &[u8]| -> Vec<u32> {
            bytes
                .chunks_exact(4)
                .map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
                .collect()
        };
        assert_eq!(words(&packet.header()), [0xa1b2_c3d4, 0x0004_0002, 0, 0, 2, 12]);
        let record = packet.record(1_700_000_000_000_002_999);
        assert_eq!(words(&record[..16]), [1_700_000_000, 2, 2, 60]);
        assert_eq!(record[16..], [0x45, 0]);
    }
}
