/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* What is asked before anything exists. Pure functions. */
#include "tables.h"
#include "trove_plugin_kit.h"

static trove_status requirements(trove_call *call, trove_str request) {
  kit_text out = {NULL, 0, 0, 0};
  trove_status expected = kit_expect(call, request, "version s");
  if (expected != TROVE_OK) return expected;
  kit_add(&out, "{\"ports\":[");
  kit_int(&out, SERVER_PORT);
  kit_add(&out, "],\"volume\":{\"required\":false,\"minimum_gib\":0},\"memory_mb_minimum\":");
  kit_int(&out, MEMORY_MB_MINIMUM);
  kit_add(&out, ",\"has_template\":false,\"programs\":[\"" SERVER_PROGRAM "\"]}");
  return kit_emit(call, &out);
}

static int is_empty_list(trove_str value) {
  return value.ptr == NULL || (value.len >= 2 && kit_json_space(value.ptr + 1, value.ptr + value.len)[0] == ']');
}

static trove_status validate_create(trove_call *call, trove_str request) {
  int64_t memory_mb;
  trove_status expected =
      kit_expect(call, request, "version s, memory_mb i, databases [, users [, configuration {?");
  if (expected != TROVE_OK) return expected;
  if (!kit_json_int(kit_member(request, "memory_mb"), &memory_mb) || memory_mb < MEMORY_MB_MINIMUM)
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "The flavor must have %d MiB of memory or more.", MEMORY_MB_MINIMUM);
  if (!is_empty_list(kit_member(request, "databases")) || !is_empty_list(kit_member(request, "users")))
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "This datastore has no databases and no users; leave them out.");
  return TROVE_OK;
}

/* The text is the plugin's own business: what prepare and launch of the guest read. */
static trove_status render_configuration(trove_call *call, trove_str request) {
  kit_text out = {NULL, 0, 0, 0};
  int64_t memory_mb;
  trove_status expected = kit_expect(call, request, "version s, memory_mb i, overrides {?");
  if (expected != TROVE_OK) return expected;
  if (!kit_json_int(kit_member(request, "memory_mb"), &memory_mb) || memory_mb < MEMORY_MB_MINIMUM)
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "the member 'memory_mb' must be an integer from %d", MEMORY_MB_MINIMUM);
  kit_add(&out, "{\"config_contents\":\"memory ");
  kit_int(&out, memory_mb * 3 / 4);
  kit_add(&out, "\\n\"}");
  return kit_emit(call, &out);
}

const trove_datastore_policy_1 policy_table = {
    .size = sizeof(trove_datastore_policy_1),
    .requirements = requirements,
    .validate_create = validate_create,
    .render_configuration = render_configuration,
};
