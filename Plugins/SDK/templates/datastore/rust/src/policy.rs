// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
//! What is asked before anything exists. Pure functions.

use crate::server;
use crate::trove::{json::object, tables, *};

const MEMORY_MB_MINIMUM: i64 = 64;

pub struct Rules;

impl tables::Policy for Rules {
    fn requirements(_request: &Json) -> Result<Json> {
        Ok(object([
            ("ports", vec![server::PORT].into()),
            ("volume", object([("required", false.into()), ("minimum_gib", 0.into())])),
            ("memory_mb_minimum", MEMORY_MB_MINIMUM.into()),
            ("has_template", false.into()),
            ("programs", vec![server::PROGRAM].into()),
        ]))
    }

    fn validate_create(request: &Json) -> Result<()> {
        memory(request)?;
        for member in ["databases", "users"] {
            if !request.list(member)?.is_empty() {
                let message = format!("This datastore has no {member}; leave them out.");
                return Err(Failure::new(TROVE_INVALID_ARGUMENT, message));
            }
        }
        Ok(())
    }

    /// The text is the plugin's own business: what prepare and launch of the guest read.
    fn render_configuration(request: &Json) -> Result<String> {
        Ok(format!("memory {}\n", memory(request)? * 3 / 4))
    }
}

fn memory(request: &Json) -> Result<i64> {
    match request.int("memory_mb")? {
        memory_mb if memory_mb >= MEMORY_MB_MINIMUM => Ok(memory_mb),
        _ => {
            let message = format!("The flavor must have {MEMORY_MB_MINIMUM} MiB of memory or more.");
            Err(Failure::new(TROVE_INVALID_ARGUMENT, message))
        }
    }
}
