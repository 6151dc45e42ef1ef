//! Calls on sockets as lines: as one would write them in C, then with whom.

use super::Spans;
use crate::event::number::AddressFamily;
use crate::event::{Address, Detail, SocketCall};
use crate::view::{duration, interrupted, plural};

pub(super) fn say(call: &SocketCall) -> Spans {
    let SocketCall { function, result, latency, .. } = call;
    let spans = Spans::verb(function.clone()).then(format!("({}) = ", arguments(call).join(", ")));
    let spans = match call.error {
        Some(error) => spans.trouble(format!("-1 {error}{}", interrupted(error))),
        None => spans.then(returned(call, *result)),
    };
    let spans = match (with(call), call.error) {
        (Some((arrow, address)), error) if error.is_none() || arrow == TO => {
            spans.then(format!(" {arrow} {address}"))
        }
        _ => spans,
    };
    spans.aside(format!("  {}", duration(*latency)))
}

fn arguments(call: &SocketCall) -> Vec<String> {
    let fd = call.fd.to_string();
    let mut arguments = match &call.detail {
        Detail::Make { .. } | Detail::Pair { .. } if call.function != "accept4" => {
            let mut arguments = vec![call.family.to_string(), call.kind.to_string()];
            if call.protocol.number != 0 && call.family != AddressFamily(libc::AF_UNIX) {
                arguments.push(call.protocol.to_string());
            }
            arguments
        }
        Detail::Listen { backlog } => vec![fd, backlog.to_string()],
        Detail::Shutdown { how } => vec![fd, how.to_string()],
        Detail::Data { asked, flags } => {
            let mut arguments = vec![fd, plural(*asked, "byte")];
            arguments.extend(flags.names());
            arguments
        }
        Detail::Option { level, option, value } => {
            let value = value.map_or_else(String::new, |value| format!(" = {value}"));
            vec![fd, level.to_string(), format!("{option}{value}")]
        }
        _ => vec![fd],
    };
    if let Detail::Make { flags } | Detail::Pair { flags, .. } = &call.detail {
        arguments.extend(flags.names());
    }
    if matches!(call.function.as_str(), "bind" | "connect") {
        // Of most families addresses are not read.
        let known = matches!(call.family.0, libc::AF_INET | libc::AF_INET6 | libc::AF_UNIX);
        arguments.extend(
            call.address.as_ref().map(Address::to_string).or((!known).then(|| call.family.to_string())),
        );
    }
    arguments
}

fn returned(call: &SocketCall, result: i64) -> String {
    match &call.detail {
        Detail::Pair { fd2, .. } => format!("{result}: {} and {fd2}", call.fd),
        _ => result.to_string(),
    }
}

/// The directions of what is moved.
const TO: &str = "->";
const FROM: &str = "<-";

/// With whom it was, where that says something: the peer of what was sent, received or accepted.
fn with(call: &SocketCall) -> Option<(&'static str, &Address)> {
    let peer = call.address.as_ref().or(call.remote.as_ref())?;
    match call.function.as_str() {
        "send" | "sendto" | "sendmsg" | "write" | "writev" => Some((TO, peer)),
        "recv" | "recvfrom" | "recvmsg" | "read" | "readv" | "accept" | "accept4" => Some((FROM, peer)),
        _ => None,
    }
}
