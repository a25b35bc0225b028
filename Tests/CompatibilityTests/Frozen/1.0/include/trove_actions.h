/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* Operations that a plugin invents. Each is declared twice: as data in the manifest ("actions": what the host checks before
   the call) and here (how the call is made); the host refuses a plugin whose two declarations differ. */
#ifndef TROVE_ACTIONS_H
#define TROVE_ACTIONS_H
#include "trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_ACTIONS "trove.actions/1"
#define TROVE_ACTION_ARGS_MAX 8u

/* The types of arguments: the whole list. The C type is what a typed action receives. */
enum {
  TROVE_T_BOOL = 1,  /* int32_t, 0 or 1 */
  TROVE_T_I32 = 2,   /* int32_t */
  TROVE_T_I64 = 3,   /* int64_t */
  TROVE_T_U64 = 4,   /* uint64_t */
  TROVE_T_F64 = 5,   /* double */
  TROVE_T_STR = 6,   /* const trove_str *, UTF-8, may hold NUL */
  TROVE_T_BYTES = 7, /* const trove_str *, bytes; base64 in JSON */
  TROVE_T_JSON = 8   /* const trove_str *, one JSON value */
};

enum {
  TROVE_ARG_OPTIONAL = 1u, /* may be absent: STR, BYTES and JSON are then NULL; others have a default in the manifest */
  TROVE_ARG_SECRET = 2u    /* never logged, never echoed */
};

typedef struct trove_arg_1 {
  const char *name;    /* JSON key, snake_case */
  uint32_t type;       /* TROVE_T_* */
  uint32_t flags;      /* TROVE_ARG_* */
  const char *summary; /* one line: meaning, unit, range */
} trove_arg_1;

/* One argument of a packed action. */
typedef struct trove_value_1 {
  uint32_t type;    /* TROVE_T_* */
  uint32_t present; /* 0: absent, and v is zero */
  union {
    int32_t i32; /* BOOL and I32 */
    int64_t i64;
    uint64_t u64;
    double f64;
    trove_str str; /* STR, BYTES, JSON; borrowed until the call ends */
  } v;
} trove_value_1;

enum {
  TROVE_ACTION_PACKED = 1u,   /* fn has the packed form */
  TROVE_ACTION_READ_ONLY = 2u /* changes nothing; may be repeated and retried freely */
};

/* Any function; cast to its own type before it is called. */
typedef void (*trove_fn)(void);

/* fn as a trove_fn; does not compile if fn has another type than the one given, so that a function and the arguments
   declared beside it cannot drift apart:
     TROVE_TYPED_FN(greet, trove_status (*)(trove_call *, const trove_str *, int64_t)) */
#define TROVE_TYPED_FN(fn, ...) ((trove_fn)(1 ? (fn) : (__VA_ARGS__)0))

typedef struct trove_action_1 {
  uint32_t size;  /* sizeof(trove_action_1) */
  uint32_t flags; /* TROVE_ACTION_* */
  const char *name;    /* JSON key of the action, snake_case; equal to the manifest's */
  const char *summary; /* one line */
  const trove_arg_1 *args; /* NULL if and only if arg_count is 0 */
  uint32_t arg_count;      /* at most TROVE_ACTION_ARGS_MAX */
  uint32_t timeout_s;      /* 0: the host's default of 60 */
  /* Emits one JSON value, or nothing. [worker]
     Typed:  trove_status fn(trove_call *call, <the arguments in order>)
     PACKED: trove_status fn(trove_call *call, void *user, const trove_value_1 *args, uint32_t count)
     An action has no self; a guest serves one instance. Calls of one action may overlap. */
  trove_fn fn;
  void *user; /* PACKED: handed back unchanged; typed: NULL */
} trove_action_1;

typedef struct trove_actions_1 {
  uint32_t size; /* sizeof(trove_actions_1) */
  uint32_t count;
  const trove_action_1 *items;
} trove_actions_1;

#ifdef __cplusplus
}
#endif
#endif
