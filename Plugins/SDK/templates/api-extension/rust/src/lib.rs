// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
//! The routes below /v1.0/{project}.

#[allow(dead_code)]
mod trove {
    include!(concat!(env!("TROVE_SDK"), "/rust/trove_plugin_kit.rs"));
}
use trove::{json::object, tables, *};

struct ShowGreeting;
impl tables::Handler for ShowGreeting {
    fn handle(request: &Json, _call: &Call) -> Result<(i64, Json)> {
        let name = request.get("parameters").unwrap_or(&Json::Null).text("name")?;
        Ok((200, object([("greeting", format!("Hello, {name}!").into())])))
    }
}

static ROUTES: [trove_route_1; 1] = [tables::route::<ShowGreeting>(
    c"GET", c"/x/__ID__/greetings/{name}", c"__NAME__:greeting:show", c"Says hello",
)];
static EXTENSION: trove_api_extension_1 = tables::api_extension(&ROUTES);

trove_plugin! { "__ID__", "1.0.0", { TROVE_EXT_API_EXTENSION => EXTENSION } }
