// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
//! The server and its protocol.

use crate::trove::*;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

pub const PROGRAM: &str = "/usr/bin/memcached";
pub const PORT: i64 = 11211;

/// How long a wait goes on before cancellation is looked at.
const SLICE: Duration = Duration::from_millis(100);

/// Sends a command and reads the answer until `end` stands in it; at most `limit`, never past the call's time.
///
/// Fails with TROVE_UNAVAILABLE where nobody listens, TROVE_TIMED_OUT, TROVE_CANCELLED, TROVE_INTERNAL.
pub fn ask(call: &Call, address: SocketAddr, command: &str, end: &str, limit: Duration) -> Result<String> {
    let limit = call.time_left().map_or(limit, |left| left.min(limit));
    let deadline = Instant::now() + limit;
    let wrong = |error| Failure::io("the server", error);
    let mut stream = TcpStream::connect_timeout(&address, limit.max(Duration::from_millis(1))).map_err(wrong)?;
    stream.set_read_timeout(Some(SLICE)).map_err(wrong)?;
    stream.set_write_timeout(Some(limit.max(SLICE))).map_err(wrong)?;
    stream.write_all(command.as_bytes()).map_err(wrong)?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        call.check()?;
        if Instant::now() >= deadline {
            return Err(Failure::new(TROVE_TIMED_OUT, "the server did not answer in time"));
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(Failure::new(TROVE_UNAVAILABLE, "the server closed the connection")),
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(error) => return Err(wrong(error)),
        }
        let text = String::from_utf8_lossy(&answer);
        if text.contains(end) {
            return Ok(text.into_owned());
        }
    }
}

/// The number of a line `STAT name number`; 0 without one.
pub fn statistic(answer: &str, name: &str) -> u64 {
    let prefix = format!("STAT {name} ");
    answer.lines().find_map(|line| line.strip_prefix(&prefix)?.trim().parse().ok()).unwrap_or(0)
}
