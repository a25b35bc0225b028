/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* A route and two typed actions. */
#include "trove_actions.h"
#include "trove_api_extension.h"
#include "trove_plugin_kit.h"

/* ---- actions ---- */

static trove_status greet(trove_call *call, const trove_str *who, int64_t times) {
  kit_text out = {NULL, 0, 0, 0};
  kit_add(&out, "{\"hello\":");
  kit_quote(&out, *who);
  kit_add(&out, ",\"times\":");
  kit_int(&out, times);
  kit_add(&out, "}");
  return kit_emit(call, &out);
}

static uint64_t check_value(uint64_t value, trove_str text) {
  for (size_t index = 0; index < text.len; index++) value = (value ^ (unsigned char)text.ptr[index]) * 0x100000001b3u;
  return value;
}

static void greeting(kit_text *out, trove_str who, const trove_str *note) {
  kit_add(out, "Hello, ");
  kit_bytes(out, who.ptr, who.len);
  kit_add(out, "!");
  if (note == NULL) return;
  kit_add(out, " ");
  kit_bytes(out, note->ptr, note->len);
}

/* note is NULL where it was left out. */
static trove_status sign_greeting(trove_call *call, const trove_str *who, const trove_str *key, const trove_str *note) {
  char hex[24];
  kit_text text = {NULL, 0, 0, 0}, out = {NULL, 0, 0, 0};
  greeting(&text, *who, note);
  trove_str said = {text.ptr, text.len};
  snprintf(hex, sizeof hex, "%016llx", (unsigned long long)check_value(check_value(0xcbf29ce484222325u, *key), said));
  kit_add(&out, "{\"greeting\":");
  kit_quote(&out, said);
  kit_add(&out, ",\"check\":\"");
  kit_add(&out, hex);
  kit_add(&out, "\"}");
  out.failed |= text.failed;
  kit_free(&text);
  return kit_emit(call, &out);
}

static const trove_arg_1 greet_args[] = {
    {"who", TROVE_T_STR, 0, "name to greet"},
    {"times", TROVE_T_I64, 0, "count"},
};
static const trove_arg_1 sign_args[] = {
    {"who", TROVE_T_STR, 0, "name to greet"},
    {"key", TROVE_T_STR, TROVE_ARG_SECRET, "shared key"},
    {"note", TROVE_T_STR, TROVE_ARG_OPTIONAL, "added to the greeting"},
};
static const trove_action_1 items[] = {
    {sizeof(trove_action_1), TROVE_ACTION_READ_ONLY, "greet", "Says hello a number of times", greet_args, 2, 0,
     TROVE_TYPED_FN(greet, trove_status(*)(trove_call *, const trove_str *, int64_t)), NULL},
    {sizeof(trove_action_1), TROVE_ACTION_READ_ONLY, "sign_greeting",
     "Says hello with a check value that only who knows the key can make", sign_args, 3, 0,
     TROVE_TYPED_FN(sign_greeting, trove_status(*)(trove_call *, const trove_str *, const trove_str *, const trove_str *)),
     NULL},
};
static const trove_actions_1 actions = {sizeof(trove_actions_1), 2, items};

/* ---- the route ---- */

static trove_status show_greeting(trove_call *call, trove_str request) {
  kit_text name = {NULL, 0, 0, 0}, text = {NULL, 0, 0, 0}, out = {NULL, 0, 0, 0};
  trove_status expected = kit_expect(call, request, "method s, path s, route s, parameters {, query {");
  if (expected != TROVE_OK) return expected;
  if (!kit_json_text(kit_member(kit_member(request, "parameters"), "name"), &name)) {
    kit_free(&name);
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "the path has no {name}");
  }
  trove_str who = {name.ptr, name.len};
  greeting(&text, who, NULL);
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
     .path = "/x/org.example.hello-c/greetings/{name}",
     .policy = "hello:greeting:show",
     .summary = "Says hello",
     .response_schema = "{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\"}},\"required\":[\"greeting\"]}",
     .handle = show_greeting},
};
static const trove_api_extension_1 extension = {sizeof(trove_api_extension_1), 1, routes};

/* ---- the plugin ---- */

static trove_status init(const trove_host_1 *host) { return kit_init(host); }

static void deinit(void) {}

static const void *get_extension(const char *id) {
  if (strcmp(id, TROVE_EXT_ACTIONS) == 0) return &actions;
  if (strcmp(id, TROVE_EXT_API_EXTENSION) == 0) return &extension;
  return NULL;
}

static const trove_plugin_1 plugin = {
    sizeof(trove_plugin_1), TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, "org.example.hello-c", "1.0.0", init, deinit,
    get_extension};

const trove_plugin_1 *trove_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_minor;
  return host_major == TROVE_ABI_MAJOR ? &plugin : NULL;
}
