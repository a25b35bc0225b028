/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* The routes below /v1.0/{project}. */
#include "tables.h"
#include "trove_plugin_kit.h"

static trove_status show_greeting(trove_call *call, trove_str request) {
  kit_text name = {NULL, 0, 0, 0}, text = {NULL, 0, 0, 0}, out = {NULL, 0, 0, 0};
  trove_status expected = kit_expect(call, request, "method s, path s, route s, parameters {, query {");
  if (expected != TROVE_OK) return expected;
  if (!kit_json_text(kit_member(kit_member(request, "parameters"), "name"), &name)) {
    kit_free(&name);
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "the path has no {name}");
  }
  kit_add(&text, "Hello, ");
  kit_bytes(&text, name.ptr, name.len);
  kit_add(&text, "!");
  trove_str said = {text.ptr, text.len};
  kit_add(&out, "{\"status\":200,\"body\":{\"greeting\":");
  kit_quote(&out, said);
  kit_add(&out, "}}");
  out.failed |= name.failed | text.failed;
  kit_free(&name);
  kit_free(&text);
  return kit_emit(call, &out);
}

static const trove_route_1 routes[] = {
    {.size = sizeof(trove_route_1),
     .method = "GET",
     .path = "/x/__ID__/greetings/{name}",
     .policy = "__NAME__:greeting:show",
     .summary = "Says hello",
     .handle = show_greeting},
};

const trove_api_extension_1 extension_table = {sizeof(trove_api_extension_1), sizeof routes / sizeof *routes, routes};
