/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* Routes that a plugin adds to the REST API. */
#ifndef TROVE_API_EXTENSION_H
#define TROVE_API_EXTENSION_H
#include "trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_API_EXTENSION "trove.api-extension/1"

typedef struct trove_route_1 {
  uint32_t size, flags;
  const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
  /* Below /v1.0/{project}, e.g. "/instances/{id}/users/{name}". The word after {id} is declared in the manifest. One
     {parameter} is one path segment. */
  const char *path;
  const char *policy; /* policy rule name, e.g. "instance:extension:user:show" */
  /* request: api-request.json. Emits api-response.json. A failure becomes the fault of its status. [worker] */
  trove_status (*handle)(trove_call *call, trove_str request);
} trove_route_1;

typedef struct trove_api_extension_1 {
  uint32_t size, count;
  const trove_route_1 *routes;
} trove_api_extension_1;

#ifdef __cplusplus
}
#endif
#endif
