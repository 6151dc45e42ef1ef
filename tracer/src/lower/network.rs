//! Addresses of networks in the kernel as text: inet_ntoa() and its kin.

use probes_common::abi::fault;

use super::clause::Clause;
use super::helper;
use super::memory::shift;
use super::text::Text;
use crate::check::typed::{Expr, Subroutine};
use crate::diagnostic::Span;
use crate::ir::{Condition, Label, Operand, Size};

/// AF_INET and AF_INET6 (include/linux/socket.h).
const AF_INET: i64 = 2;
const AF_INET6: i64 = 10;
/// ARPHRD_ETHER and ARPHRD_INFINIBAND (include/uapi/linux/if_arp.h), with the bytes of their addresses.
const HARDWARE: [(i64, u32); 2] = [(1, 6), (32, 20)];

/// Bytes of the buffers that routines write addresses to.
const ADDRESS_TEXT: u32 = 64;

impl Clause<'_> {
    /// An address as text.
    pub(super) fn address_text(
        &mut self,
        subroutine: Subroutine,
        arguments: &[Expr],
        size: u32,
        span: Span,
    ) -> Text {
        let at = self.temporary(ADDRESS_TEXT);
        let text = Text { at, size: ADDRESS_TEXT };
        match subroutine {
            Subroutine::InetNtoa | Subroutine::InetNtoa6 => {
                let address = self.int(&arguments[0]);
                self.inet_text(subroutine == Subroutine::InetNtoa, address, text, span);
            }
            Subroutine::InetNtop => {
                let (family, address) = (self.int(&arguments[0]), self.int(&arguments[1]));
                self.either(family, [AF_INET, AF_INET6], span, |c, family| {
                    c.inet_text(family == AF_INET, address, text, span);
                });
            }
            _ => {
                let (ty, address) = (self.int(&arguments[0]), self.int(&arguments[1]));
                self.either(ty, HARDWARE.map(|row| row.0), span, |c, ty| {
                    let bytes = HARDWARE.iter().find(|row| row.0 == ty).map_or(6, |row| row.1);
                    c.link_text(bytes, address, text, span);
                });
            }
        }
        if size < ADDRESS_TEXT { self.shortened(text, size) } else { text }
    }

    /// Does one thing or another as a number is one or the other; else it is an illegal operation.
    fn either(&mut self, number: Operand, cases: [i64; 2], span: Span, mut then: impl FnMut(&mut Self, i64)) {
        let done = self.b.label();
        let labels: [Label; 2] = [self.b.label(), self.b.label()];
        for (case, label) in cases.iter().zip(labels) {
            self.b.branch(Condition::Eq, number, *case, label);
        }
        self.fault(fault::ILLOP, Operand::Imm(0), span);
        for (case, label) in cases.iter().zip(labels) {
            self.b.place(label);
            self.scoped(|c| then(c, *case));
            self.b.jump(done);
        }
        self.b.place(done);
    }

    /// The address of 4 or 16 bytes that lies there.
    fn inet_text(&mut self, v4: bool, from: Operand, text: Text, span: Span) {
        let ip = self.temporary(16);
        let (to, size) = if v4 {
            self.b.store(Size::B8, ip, 0);
            // ::ffff:0:0, in the order of the network.
            self.b.store(Size::B4, shift(ip, 8), 0xffff_0000_u32 as i32);
            (shift(ip, 12), 4)
        } else {
            (ip, 16)
        };
        self.read_address(to, size, from, span);
        let (ip, to) = (self.address(ip), self.address(text.at));
        self.b.call_void(if v4 { "ip_text" } else { "ipv6_text" }, &[ip.into(), to.into()]);
    }

    /// The hardware address of so many bytes that lies there.
    fn link_text(&mut self, bytes: u32, from: Operand, text: Text, span: Span) {
        let address = self.temporary(24);
        self.read_address(address, bytes, from, span);
        let (address, to) = (self.address(address), self.address(text.at));
        let args = [address.into(), to.into(), Operand::Imm(bytes.into())];
        self.b.call_void("link_text", &args);
    }

    fn read_address(&mut self, to: crate::ir::Memory, size: u32, from: Operand, span: Span) {
        let to = self.address(to);
        let args = [to.into(), Operand::Imm(size.into()), from];
        let status = self.b.helper(helper::PROBE_READ_KERNEL, &args);
        self.check_read(status, from, span);
    }

    /// A string cut to fewer bytes.
    fn shortened(&mut self, text: Text, size: u32) -> Text {
        let at = self.temporary(size);
        self.fill(at, text, size);
        Text { at, size }
    }
}
