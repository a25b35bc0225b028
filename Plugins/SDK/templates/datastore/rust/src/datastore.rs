// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
//! One instance, as its guest agent drives it. Every function may be repeated.

use crate::server;
use crate::trove::{json::object, tables, *};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;
use std::{fs, io::Write, thread};

pub struct Instance {
    address: SocketAddr,
    uid: i64,
    /// Memory for the engine's data in MiB, as text.
    memory_path: String,
}

impl tables::Datastore for Instance {
    fn open(config: &Json, _call: &Call) -> Result<Self> {
        config.text("data_dir")?;
        let wrong = |_| Failure::new(TROVE_INVALID_ARGUMENT, "the instance's address or port is none");
        let ip: IpAddr = config.text("address")?.parse().map_err(|_| wrong(()))?;
        let port = u16::try_from(config.int("port")?).map_err(|_| wrong(()))?;
        Ok(Instance {
            address: SocketAddr::new(ip, port),
            uid: config.int("uid")?,
            memory_path: format!("{}/memory", config.text("state_dir")?),
        })
    }

    /// Writes what the engine needs for its first start.
    fn prepare(&mut self, request: &Json, _call: &Call) -> Result<()> {
        if request.flag("restored") {
            return Err(Failure::new(TROVE_UNSUPPORTED, "this datastore keeps no data that could be restored"));
        }
        if request.get("root_password").is_some() {
            return Err(Failure::new(TROVE_UNSUPPORTED, "this datastore has no superuser"));
        }
        let memory = request.text("config_contents")?.trim().strip_prefix("memory ").and_then(|text| text.parse::<u32>().ok());
        let Some(memory) = memory else {
            return Err(Failure::new(TROVE_INVALID_ARGUMENT, "the member 'config_contents' must be 'memory MIB'"));
        };
        write_whole(&self.memory_path, &memory.to_string())
    }

    /// How the host starts the engine. It does so with the instance's uid, in its own cgroup, and stays its parent.
    fn launch(&mut self, _call: &Call) -> Result<Json> {
        let memory = fs::read_to_string(&self.memory_path)
            .map_err(|_| Failure::new(TROVE_PRECONDITION_FAILED, "the instance has not been prepared"))?;
        let (ip, port) = (self.address.ip().to_string(), self.address.port().to_string());
        let mut argv = vec![server::PROGRAM, "-l", &ip, "-p", &port, "-U", "0", "-m", memory.trim()];
        if self.uid == 0 {
            argv.extend(["-u", "root"]);
        }
        Ok(object([
            ("argv", argv.into()),
            ("env", object([])),
            ("ready", "tcp".into()),
            ("port", (self.address.port() as i64).into()),
            ("stop_signal", "TERM".into()),
            ("stop_timeout_s", 10.into()),
            ("start_timeout_s", 30.into()),
        ]))
    }

    /// Returns once the engine answers over the instance's own address.
    fn started(&mut self, call: &Call) -> Result<()> {
        loop {
            match server::ask(call, self.address, "version\r\n", "\r\n", Duration::from_secs(2)) {
                Ok(answer) if answer.starts_with("VERSION ") => return Ok(()),
                Ok(_) => return Err(Failure::new(TROVE_INTERNAL, "the server's answer makes no sense")),
                Err(failure) if ![TROVE_UNAVAILABLE, TROVE_TIMED_OUT].contains(&failure.status) => return Err(failure),
                Err(failure) if call.time_left().is_some_and(|left| left < Duration::from_millis(100)) => return Err(failure),
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
            call.check()?;
        }
    }

    fn status(&mut self, out: &mut trove_service_status_1, call: &Call) -> Result<()> {
        match server::ask(call, self.address, "stats\r\n", "END\r\n", Duration::from_secs(4)) {
            Ok(answer) => {
                out.status = TROVE_SERVICE_HEALTHY;
                out.data_bytes = server::statistic(&answer, "bytes");
                out.connections = server::statistic(&answer, "curr_connections") as u32;
            }
            Err(failure) if failure.status == TROVE_UNAVAILABLE => out.status = TROVE_SERVICE_SHUTDOWN,
            Err(failure) if failure.status == TROVE_TIMED_OUT => out.status = TROVE_SERVICE_BLOCKED,
            Err(failure) => return Err(failure),
        }
        Ok(())
    }
}

/// Replaces a file of the agent's alone (0600), whole or not at all.
fn write_whole(path: &str, text: &str) -> Result<()> {
    let draft = format!("{path}.new");
    let wrong = |error| Failure::io(path, error);
    let _ = fs::remove_file(&draft);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(wrong)?;
    file.write_all(text.as_bytes()).map_err(wrong)?;
    file.sync_all().map_err(wrong)?;
    fs::rename(&draft, path).map_err(wrong)
}
