// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

use super::*;
use core::ffi::c_void;

type Verb = unsafe extern "C" fn(*mut c_void, *mut trove_call, trove_str) -> trove_status;

/// One instance's datastore: what trove_datastore_1 asks of every engine. Further verbs are added to the table:
/// `trove_datastore_1 { apply_configuration: Some(verb::<Engine>(…)), ..datastore::<Engine>() }`.
pub trait Datastore: Sized {
    /// `config`: instance.json.
    fn open(config: &Json, call: &Call) -> Result<Self>;
    /// `request`: prepare-request.json.
    fn prepare(&mut self, request: &Json, call: &Call) -> Result<()>;
    /// Returns launch.json.
    fn launch(&mut self, call: &Call) -> Result<Json>;
    /// Returns once the engine answers over the instance's address.
    fn started(&mut self, call: &Call) -> Result<()>;
    /// Fills `out`.
    fn status(&mut self, out: &mut trove_service_status_1, call: &Call) -> Result<()>;
}

/// Runs one verb on a self that `open` made.
///
/// # Safety
/// `this` is what `open` gave out for the same type, and the host keeps calls on it apart.
pub unsafe fn on<Engine>(
    this: *mut c_void, call: *mut trove_call, request: trove_str, body: impl FnOnce(&mut Engine, &Json, &Call) -> Result<()>,
) -> trove_status {
    serve(call, |call| {
        let engine = (this as *mut Engine).as_mut().ok_or_else(|| Failure::new(TROVE_INTERNAL, "the host gave no self"))?;
        body(engine, &document(request)?, call)
    })
}

/// The table of a datastore without optional verbs.
pub const fn datastore<Engine: Datastore>() -> trove_datastore_1 {
    unsafe extern "C" fn open<E: Datastore>(call: *mut trove_call, config: trove_str, this: *mut *mut c_void) -> trove_status {
        serve(call, |call| {
            *this = Box::into_raw(Box::new(E::open(&document(config)?, call)?)).cast();
            Ok(())
        })
    }
    unsafe extern "C" fn close<E>(this: *mut c_void) {
        if !this.is_null() {
            drop(Box::from_raw(this as *mut E));
        }
    }
    unsafe extern "C" fn prepare<E: Datastore>(this: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status {
        on::<E>(this, call, request, |engine, request, call| engine.prepare(request, call))
    }
    unsafe extern "C" fn launch<E: Datastore>(this: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status {
        on::<E>(this, call, request, |engine, _, call| call.emit(&engine.launch(call)?))
    }
    unsafe extern "C" fn started<E: Datastore>(this: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status {
        on::<E>(this, call, request, |engine, _, call| engine.started(call))
    }
    unsafe extern "C" fn status<E: Datastore>(
        this: *mut c_void, call: *mut trove_call, out: *mut trove_service_status_1,
    ) -> trove_status {
        on::<E>(this, call, lend("{}"), |engine, _, call| match out.as_mut() {
            Some(out) if out.size as usize >= size_of::<trove_service_status_1>() => engine.status(out, call),
            _ => Err(Failure::new(TROVE_INVALID_ARGUMENT, "the host gave no place for the status")),
        })
    }
    const fn verb(function: Verb) -> Option<Verb> {
        Some(function)
    }
    trove_datastore_1 {
        open: Some(open::<Engine>),
        close: Some(close::<Engine>),
        prepare: verb(prepare::<Engine>),
        launch: verb(launch::<Engine>),
        started: verb(started::<Engine>),
        status: Some(status::<Engine>),
        ..trove_datastore_1::EMPTY
    }
}

/// What is asked of a datastore before anything exists. Pure functions.
pub trait Policy {
    /// Returns requirements.json. `request`: {"version"}.
    fn requirements(request: &Json) -> Result<Json>;
    /// Fails with TROVE_INVALID_ARGUMENT and a sentence for the tenant. `request`: create-request.json.
    fn validate_create(request: &Json) -> Result<()>;
    /// Returns the configuration's text. `request`: configuration-request.json.
    fn render_configuration(request: &Json) -> Result<String>;
}

/// The table of a policy without optional functions.
pub const fn policy<Rules: Policy>() -> trove_datastore_policy_1 {
    unsafe extern "C" fn requirements<P: Policy>(call: *mut trove_call, request: trove_str) -> trove_status {
        serve(call, |call| call.emit(&P::requirements(&document(request)?)?))
    }
    unsafe extern "C" fn validate<P: Policy>(call: *mut trove_call, request: trove_str) -> trove_status {
        serve(call, |_| P::validate_create(&document(request)?))
    }
    unsafe extern "C" fn render<P: Policy>(call: *mut trove_call, request: trove_str) -> trove_status {
        serve(call, |call| {
            let contents = P::render_configuration(&document(request)?)?;
            call.emit(&json::object([("config_contents", contents.into())]))
        })
    }
    trove_datastore_policy_1 {
        requirements: Some(requirements::<Rules>),
        validate_create: Some(validate::<Rules>),
        render_configuration: Some(render::<Rules>),
        ..trove_datastore_policy_1::EMPTY
    }
}

/// A backup strategy.
pub trait Backup: Sized {
    /// `config`: backup-config.json.
    fn open(config: &Json, call: &Call) -> Result<Self>;
    /// Writes a copy to `out`, returns the position, an object. `request`: backup-request.json.
    fn backup(&mut self, request: &Json, out: &trove_ostream_1, call: &Call) -> Result<Json>;
    /// Fills the empty data directory. `request`: restore-request.json.
    fn restore(&mut self, request: &Json, input: &trove_istream_1, call: &Call) -> Result<()>;
}

/// The table of a strategy that makes full backups.
pub const fn backup<Strategy: Backup>() -> trove_backup_1 {
    unsafe extern "C" fn open<S: Backup>(call: *mut trove_call, config: trove_str, this: *mut *mut c_void) -> trove_status {
        serve(call, |call| {
            *this = Box::into_raw(Box::new(S::open(&document(config)?, call)?)).cast();
            Ok(())
        })
    }
    unsafe extern "C" fn close<S>(this: *mut c_void) {
        if !this.is_null() {
            drop(Box::from_raw(this as *mut S));
        }
    }
    unsafe extern "C" fn backup<S: Backup>(
        this: *mut c_void, call: *mut trove_call, request: trove_str, out: *const trove_ostream_1,
    ) -> trove_status {
        on::<S>(this, call, request, |strategy, request, call| {
            let out = out.as_ref().ok_or_else(|| Failure::new(TROVE_INVALID_ARGUMENT, "the host gave no stream"))?;
            let position = strategy.backup(request, out, call)?;
            call.emit(&json::object([("position", position)]))
        })
    }
    unsafe extern "C" fn restore<S: Backup>(
        this: *mut c_void, call: *mut trove_call, request: trove_str, input: *const trove_istream_1,
    ) -> trove_status {
        on::<S>(this, call, request, |strategy, request, call| {
            let input = input.as_ref().ok_or_else(|| Failure::new(TROVE_INVALID_ARGUMENT, "the host gave no stream"))?;
            strategy.restore(request, input, call)
        })
    }
    trove_backup_1 {
        flags: TROVE_BACKUP_FULL,
        open: Some(open::<Strategy>),
        close: Some(close::<Strategy>),
        backup: Some(backup::<Strategy>),
        restore: Some(restore::<Strategy>),
        ..trove_backup_1::EMPTY
    }
}

/// One route of an API extension.
pub trait Handler {
    /// Returns the HTTP status and the body. `request`: api-request.json.
    fn handle(request: &Json, call: &Call) -> Result<(i64, Json)>;
}

/// A route that `H` serves, without body schemas.
pub const fn route<H: Handler>(
    method: &'static CStr, path: &'static CStr, policy: &'static CStr, summary: &'static CStr,
) -> trove_route_1 {
    unsafe extern "C" fn handle<H: Handler>(call: *mut trove_call, request: trove_str) -> trove_status {
        serve(call, |call| {
            let (status, body) = H::handle(&document(request)?, call)?;
            call.emit(&json::object([("status", status.into()), ("body", body)]))
        })
    }
    trove_route_1 {
        method: method.as_ptr(),
        path: path.as_ptr(),
        policy: policy.as_ptr(),
        summary: summary.as_ptr(),
        handle: Some(handle::<H>),
        ..trove_route_1::EMPTY
    }
}

/// The table of an API extension.
pub const fn api_extension<const COUNT: usize>(routes: &'static [trove_route_1; COUNT]) -> trove_api_extension_1 {
    trove_api_extension_1 { count: COUNT as u32, routes: routes.as_ptr(), ..trove_api_extension_1::EMPTY }
}

/// The table of actions.
pub const fn actions<const COUNT: usize>(items: &'static [trove_action_1; COUNT]) -> trove_actions_1 {
    trove_actions_1 { count: COUNT as u32, items: items.as_ptr(), ..trove_actions_1::EMPTY }
}
