/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/*
 * The core of the boundary between the host and its plugins.
 *
 * A plugin is a shared library that exports trove_plugin_entry and nothing else. Everything more is asked for by
 * string id through get_extension, in both directions; each extension has a header of its own.
 *
 * Rules, once for all headers:
 *   Layouts    A released struct never changes. A new layout is a new C tag (trove_x_1 -> trove_x_2) under a new id.
 *   Memory     Arguments are borrowed for the duration of the call. Results are pushed out through emit, fail,
 *              progress or a stream; the host copies before it returns. Tables are constant until the process ends.
 *   Threads    [loader]  once, on one thread, while nothing else runs in the plugin; no I/O, no blocking
 *              [worker]  an OS thread with a normal stack; calls on the same self never overlap
 *              [any]     any thread, at the same time as anything else; return at once
 *              [call]    any thread, while the call is open
 *   Errors     A function that fails calls host->fail once and returns its result. Nothing may unwind out of a
 *              plugin function.
 *   JSON       UTF-8, one value, no duplicate keys, integers within 2^53; unknown keys are ignored by readers.
 *   NULL       A function pointer that may be NULL says so; every other one must be set.
 */
#ifndef TROVE_PLUGIN_H
#define TROVE_PLUGIN_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_MAGIC 0x31505254u /* "TRP1" in memory on little endian */
#define TROVE_ABI_MAJOR 1u
#define TROVE_ABI_MINOR 0u
#define TROVE_EXPORT __attribute__((visibility("default")))

/* Borrowed bytes. UTF-8 where text is meant. Not NUL-terminated. ptr may be NULL if and only if len is 0. */
typedef struct trove_str {
  const char *ptr;
  size_t len;
} trove_str;

/* How a call ended. Values travel from plugin to host, so new ones may be appended; the host takes an unknown one for
   TROVE_INTERNAL. */
typedef int32_t trove_status;
enum {
  TROVE_OK = 0,
  TROVE_INVALID_ARGUMENT = 1,    /* the input is wrong by itself */
  TROVE_NOT_FOUND = 2,           /* the named thing is absent */
  TROVE_ALREADY_EXISTS = 3,      /* the name is taken with different content */
  TROVE_UNSUPPORTED = 4,         /* this datastore has no such operation */
  TROVE_PRECONDITION_FAILED = 5, /* right request, wrong state */
  TROVE_CANCELLED = 6,           /* asked to stop, and did */
  TROVE_TIMED_OUT = 7,           /* a deadline passed; may be repeated */
  TROVE_BUSY = 8,                /* another operation holds it; may be repeated */
  TROVE_UNAVAILABLE = 9,         /* the engine or a service cannot be reached; may be repeated */
  TROVE_PERMISSION_DENIED = 10,  /* refused by the engine */
  TROVE_EXHAUSTED = 11,          /* disk, connections, quota */
  TROVE_INTERNAL = 12,           /* a bug, or unknown */
  TROVE_PENDING = 13             /* finishes later through complete */
};

/* One operation in flight. Opaque: a slot number and a generation, never an address. The host looks it up, so a stale
   one is a logged miss. Valid until the function that received it returns or, after TROVE_PENDING, until complete. */
typedef struct trove_call trove_call;

/* What the host offers to one plugin. Valid from init until deinit has returned. */
typedef struct trove_host_1 {
  uint32_t size;  /* sizeof(trove_host_1) */
  uint32_t magic; /* TROVE_MAGIC */
  uint16_t abi_major, abi_minor;
  uint32_t flags;          /* 0 */
  trove_str name, version; /* the host product, for logs; never branch on it */
  /* The host's table for id, or NULL if it is not offered. The table is valid until deinit has returned. [any] */
  const void *(*get_extension)(const struct trove_host_1 *host, const char *id);
  /* Appends result bytes to the call's output. data may be NULL if len is 0. TROVE_EXHAUSTED past 16 MiB. [call] */
  trove_status (*emit)(trove_call *call, const void *data, size_t len);
  /* Records why the call fails and returns code, so: return host->fail(...). message: one sentence for operators,
     without secrets. details: a JSON object, or empty. [call] */
  trove_status (*fail)(trove_call *call, trove_status code, trove_str message, trove_str details);
  /* Non-zero once the caller wants the operation to stop. [call] */
  int32_t (*is_cancelled)(trove_call *call);
  /* A descriptor that becomes readable on cancellation, for poll(). Never read or close it. -1 if there is none. [call] */
  int32_t (*cancel_fd)(trove_call *call);
  /* Nanoseconds of monotonic time left; INT64_MAX without a limit; 0 or less when past. [call] */
  int64_t (*time_left_ns)(trove_call *call);
  /* permille: 0..1000, or -1 for unknown. Frequent reports are thinned out. [call] */
  void (*progress)(trove_call *call, int32_t permille, trove_str message);
  /* Finishes a call that returned TROVE_PENDING, exactly once. [any] */
  void (*complete)(trove_call *call, trove_status status);
} trove_host_1;

/* What a plugin is. Constant until the process ends. */
typedef struct trove_plugin_1 {
  uint32_t size;  /* sizeof(trove_plugin_1) */
  uint32_t magic; /* TROVE_MAGIC */
  uint16_t abi_major, abi_minor;
  uint32_t flags;      /* 0 */
  const char *id;      /* reverse DNS, equal to the manifest's; NUL-terminated UTF-8 */
  const char *version; /* semantic version, equal to the manifest's; NUL-terminated UTF-8 */
  /* Once, before any other call. Fast: no I/O, no threads. Anything but TROVE_OK leaves the plugin unused. [loader] */
  trove_status (*init)(const trove_host_1 *host);
  /* Once, after all calls have ended. Stop own threads here. The library stays mapped. [loader] */
  void (*deinit)(void);
  /* The plugin's constant table for id, or NULL if it is not provided. The same answer every time. [any] */
  const void *(*get_extension)(const char *id);
} trove_plugin_1;

/* The one exported symbol. Returns constant memory, or NULL if no table fits host_major. [loader] */
TROVE_EXPORT const trove_plugin_1 *trove_plugin_entry(uint32_t host_major, uint32_t host_minor);

#ifdef __cplusplus
}
#endif
#endif
