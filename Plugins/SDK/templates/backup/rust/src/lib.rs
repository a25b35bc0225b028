// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
//! A strategy that streams the data directory with tar, run as the engine.

#[allow(dead_code)]
mod trove {
    include!(concat!(env!("TROVE_SDK"), "/rust/trove_plugin_kit.rs"));
}
use trove::{json::object, tables, *};

const TAR: &str = "/usr/bin/tar";

struct Strategy {
    data_dir: String,
}

impl tables::Backup for Strategy {
    fn open(config: &Json, _call: &Call) -> Result<Self> {
        Ok(Strategy { data_dir: config.text("data_dir")?.to_string() })
    }

    fn backup(&mut self, request: &Json, out: &trove_ostream_1, call: &Call) -> Result<Json> {
        check(request, out.fd)?;
        self.tar(call, &["--exclude=./lost+found", "-cf", "-", "."], -1, out.fd)?;
        Ok(object([("format", "tar".into())]))
    }

    fn restore(&mut self, request: &Json, input: &trove_istream_1, call: &Call) -> Result<()> {
        check(request, input.fd)?;
        self.tar(call, &["-xpf", "-"], input.fd, -1)
    }
}

impl Strategy {
    fn tar(&self, call: &Call, options: &[&str], input: i32, output: i32) -> Result<()> {
        let argv = [&[TAR, "-C", &self.data_dir], options].concat();
        let request =
            object([("as", "engine".into()), ("env", object([("LC_ALL", "C".into())])), ("argv", argv.into())]);
        let response = run(call, &request, input, output)?;
        match response.int("exit_status") {
            Ok(0) => Ok(()),
            // Source: tar(1), RETURN VALUE.
            Ok(1) => Err(Failure::new(TROVE_BUSY, "files changed while tar read them")),
            _ => {
                let errors = response.text("stderr_tail").unwrap_or("").lines().last().unwrap_or("").to_string();
                Err(Failure::new(TROVE_INTERNAL, format!("{TAR} failed: {errors}")))
            }
        }
    }
}

/// Only full backups, over a descriptor that a child can have.
fn check(request: &Json, fd: i32) -> Result<()> {
    if request.text("type")? != "full" {
        return Err(Failure::new(TROVE_UNSUPPORTED, "only full backups are supported"));
    }
    if fd < 0 {
        return Err(Failure::new(TROVE_UNSUPPORTED, "the host's stream has no descriptor to give to a program"));
    }
    Ok(())
}

static BACKUP: trove_backup_1 = tables::backup::<Strategy>();

trove_plugin! { "__ID__", "1.0.0", { TROVE_EXT_BACKUP => BACKUP } }
