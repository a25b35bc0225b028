/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* Routes that a plugin adds to the REST API. */
#ifndef TROVE_API_EXTENSION_H
#define TROVE_API_EXTENSION_H
#include "trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_API_EXTENSION "trove.api-extension/1"

/* The API prefixes that a route may have; each first word after the prefix is declared in the manifest, under
   routes.instances, routes.clusters or routes.x:
     /instances/{id}/WORD...   about one instance
     /clusters/{id}/WORD...    about one cluster
     /x/PLUGIN ID/WORD...      the plugin's own
   One {parameter} is one path segment. A route that a core route or another plugin has is refused at load. */
typedef struct trove_route_1 {
  uint32_t size, flags; /* sizeof(trove_route_1), 0 */
  const char *method;   /* "GET", "POST", "PUT", "PATCH", "DELETE" */
  const char *path;     /* below /v1.0/{project}, e.g. "/instances/{id}/users/{name}" */
  const char *policy;   /* policy rule name, e.g. "instance:extension:user:show" */
  const char *summary;  /* one line, for documents made from the routes */
  /* JSON Schemas of the bodies, as text; they are shown to clients, and a request body that does not fit is refused
     before the plugin is called. NULL: any body, or none. */
  const char *request_schema;
  const char *response_schema;
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
