/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* What is asked of memcached before anything exists. */
#include "settings.h"
#include "tables.h"

static trove_status requirements(trove_call *call, trove_str request) {
  kit_text out = {NULL, 0, 0, 0};
  trove_status status = kit_expect(call, request, "version s");
  if (status != TROVE_OK) return status;
  kit_add(&out, "{\"ports\":[");
  kit_int(&out, MEMCACHED_PORT);
  kit_add(&out, "],\"volume\":{\"required\":false,\"minimum_gib\":0},\"memory_mb_minimum\":");
  kit_int(&out, MEMCACHED_MEMORY_MB_MINIMUM);
  kit_add(&out, ",\"has_template\":false,\"programs\":[\"" MEMCACHED_PROGRAM "\"]}");
  return kit_emit(call, &out);
}

/* The memory of a request, TROVE_INVALID_ARGUMENT without. */
static trove_status memory(trove_call *call, trove_str request, int64_t *memory_mb) {
  if (kit_json_int(kit_member(request, "memory_mb"), memory_mb) && *memory_mb > 0) return TROVE_OK;
  return kit_fail(call, TROVE_INVALID_ARGUMENT, "the member 'memory_mb' must be an integer above 0");
}

static int is_empty_list(trove_str value) {
  return value.ptr == NULL || (value.len >= 2 && kit_json_space(value.ptr + 1, value.ptr + value.len)[0] == ']');
}

static trove_status validate_create(trove_call *call, trove_str request) {
  int64_t memory_mb;
  trove_status status = kit_expect(call, request, "version s, memory_mb i, databases [, users [, configuration {?");
  if (status == TROVE_OK) status = memory(call, request, &memory_mb);
  if (status != TROVE_OK) return status;
  if (memory_mb < MEMCACHED_MEMORY_MB_MINIMUM)
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "The flavor must have %d MiB of memory or more.",
                    MEMCACHED_MEMORY_MB_MINIMUM);
  if (!is_empty_list(kit_member(request, "databases")))
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "memcached has no databases; leave them out.");
  if (!is_empty_list(kit_member(request, "users")))
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "memcached has no users; leave them out.");
  settings_values values = settings_for(memory_mb);
  status = settings_override(call, kit_member(request, "configuration"), &values);
  return status == TROVE_OK ? settings_check(call, &values) : status;
}

static trove_status render_configuration(trove_call *call, trove_str request) {
  int64_t memory_mb;
  trove_status status = kit_expect(call, request, "version s, memory_mb i, overrides {?");
  if (status == TROVE_OK) status = memory(call, request, &memory_mb);
  if (status != TROVE_OK) return status;
  settings_values values = settings_for(memory_mb);
  status = settings_override(call, kit_member(request, "overrides"), &values);
  if (status == TROVE_OK) status = settings_check(call, &values);
  if (status != TROVE_OK) return status;
  kit_text text = {NULL, 0, 0, 0}, out = {NULL, 0, 0, 0};
  settings_write(&values, &text);
  trove_str contents = {text.ptr, text.len};
  kit_add(&out, "{\"config_contents\":");
  kit_quote(&out, contents);
  kit_add(&out, "}");
  out.failed |= text.failed;
  kit_free(&text);
  return kit_emit(call, &out);
}

static trove_status parameters(trove_call *call, trove_str request) {
  kit_text out = {NULL, 0, 0, 0};
  trove_status status = kit_expect(call, request, "version s");
  if (status != TROVE_OK) return status;
  kit_add(&out, "{\"parameters\":[");
  for (int index = 0; index < SETTING_COUNT; index++) {
    const setting *it = &settings[index];
    kit_add(&out, index > 0 ? ",{\"name\":" : "{\"name\":");
    kit_quote(&out, kit_str(it->name));
    kit_add(&out, it->is_boolean ? ",\"type\":\"boolean\"" : ",\"type\":\"integer\",\"minimum\":");
    if (!it->is_boolean) {
      kit_int(&out, it->minimum);
      kit_add(&out, ",\"maximum\":");
      kit_int(&out, it->maximum);
    }
    if (it->is_boolean) {
      kit_add(&out, it->fallback ? ",\"default\":true" : ",\"default\":false");
    } else if (it->fallback >= 0) {
      kit_add(&out, ",\"default\":");
      kit_int(&out, it->fallback);
    }
    kit_add(&out, it->is_live ? ",\"restart_required\":false" : ",\"restart_required\":true");
    kit_add(&out, ",\"summary\":");
    kit_quote(&out, kit_str(it->summary));
    kit_add(&out, "}");
  }
  kit_add(&out, "]}");
  return kit_emit(call, &out);
}

/* Without the flavor only a limit that was given can be held against the item size. */
static trove_status validate_configuration(trove_call *call, trove_str request) {
  settings_values values = settings_for(settings[SETTING_CACHE_MB].maximum * 4 / 3);
  trove_status status = kit_expect(call, request, "version s, values {");
  if (status == TROVE_OK) status = settings_override(call, kit_member(request, "values"), &values);
  return status == TROVE_OK ? settings_check(call, &values) : status;
}

const trove_datastore_policy_1 memcached_policy = {
    .size = sizeof(trove_datastore_policy_1),
    .requirements = requirements,
    .validate_create = validate_create,
    .render_configuration = render_configuration,
    .parameters = parameters,
    .validate_configuration = validate_configuration,
};
