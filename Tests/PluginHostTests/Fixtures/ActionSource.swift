// SPDX-License-Identifier: Apache-2.0

import Model

/// A plugin in C with actions of every kind, and its manifest's declarations.
enum ActionSource {
    static let provides = ["trove.actions/1"]

    /// Says what each argument was; texts in hexadecimal.
    static let text = """
        static trove_status emitf(trove_call *call, const char *format, ...) {
          char out[1024];
          va_list list;
          va_start(list, format);
          int size = vsnprintf(out, sizeof out, format, list);
          va_end(list);
          return host->emit(call, out, (size_t)size);
        }
        static const char *hex(const trove_str *s, char *out) {
          if (s == NULL) return "null";
          for (size_t i = 0; i < s->len && i < 40; i++) sprintf(out + 2 * i, "%02x", (unsigned char)s->ptr[i]);
          if (s->len == 0) out[0] = 0;
          return out;
        }
        static trove_status every(trove_call *call, int32_t b, int32_t i, int64_t l, uint64_t u, double d,
                                  const trove_str *s, const trove_str *y, const trove_str *j) {
          char one[128], two[128], three[128];
          return emitf(call, "[\\"%d\\",\\"%d\\",\\"%lld\\",\\"%llu\\",\\"%.17g\\",\\"%s\\",\\"%s\\",\\"%s\\"]", b, i, (long long)l,
                       (unsigned long long)u, d, hex(s, one), hex(y, two), hex(j, three));
        }
        static trove_status every_packed(trove_call *call, void *user, const trove_value_1 *a, uint32_t count) {
          char one[128], two[128], three[128];
          if (user != (void *)host || count != 8) return TROVE_INTERNAL;
          for (uint32_t i = 0; i < 8; i++) if (a[i].type != i + 1) return TROVE_INTERNAL;
          return emitf(call, "[\\"%d\\",\\"%d\\",\\"%lld\\",\\"%llu\\",\\"%.17g\\",\\"%s\\",\\"%s\\",\\"%s\\"]", a[0].v.i32, a[1].v.i32,
                       (long long)a[2].v.i64, (unsigned long long)a[3].v.u64, a[4].v.f64,
                       a[5].present ? hex(&a[5].v.str, one) : "null", a[6].present ? hex(&a[6].v.str, two) : "null",
                       a[7].present ? hex(&a[7].v.str, three) : "null");
        }
        static trove_status integers(trove_call *call, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f,
                                     int64_t g, int64_t h) {
          return emitf(call, "[%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld]", (long long)a, (long long)b, (long long)c,
                       (long long)d, (long long)e, (long long)f, (long long)g, (long long)h);
        }
        static trove_status floats(trove_call *call, double a, double b, double c, double d, double e, double f, double g,
                                   double h) {
          return emitf(call, "[%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g]", a, b, c, d, e, f, g, h);
        }
        static trove_status mixed(trove_call *call, double a, int64_t b, double c, int32_t d, double e, uint64_t f, double g,
                                  int32_t h) {
          return emitf(call, "[%.17g,%lld,%.17g,%d,%.17g,%llu,%.17g,%d]", a, (long long)b, c, d, e, (unsigned long long)f, g, h);
        }
        static trove_status nothing(trove_call *call) { (void)call; return TROVE_OK; }
        static trove_status negative(trove_call *call) { (void)call; return -5; }
        static trove_status tell(trove_call *call, const trove_str *secret) {
          char out[256];
          snprintf(out, sizeof out, "cannot use %.*s", (int)secret->len, secret->ptr);
          return host->fail(call, TROVE_PERMISSION_DENIED, text(out), text("{\\"errno\\":13}"));
        }
        static trove_status slow(trove_call *call) {
          while (!host->is_cancelled(call)) usleep(1000);
          return TROVE_CANCELLED;
        }
        struct later { trove_call *call; const trove_str *text; };
        static void *later(void *argument) {
          struct later *l = argument;
          usleep(20000);
          host->emit(l->call, l->text->ptr, l->text->len);
          host->complete(l->call, TROVE_OK);
          free(l);
          return NULL;
        }
        static trove_status pending(trove_call *call, const trove_str *json) {
          struct later *l = malloc(sizeof *l);
          *l = (struct later){call, json};
          pthread_t thread;
          pthread_create(&thread, NULL, later, l);
          pthread_detach(thread);
          return TROVE_PENDING;
        }
        static trove_status trap(trove_call *call) { (void)call; __builtin_trap(); }

        static const trove_arg_1 all_types[] = {
          {"b", TROVE_T_BOOL, 0, ""}, {"i", TROVE_T_I32, 0, ""}, {"l", TROVE_T_I64, TROVE_ARG_OPTIONAL, ""},
          {"u", TROVE_T_U64, 0, ""}, {"d", TROVE_T_F64, 0, ""}, {"s", TROVE_T_STR, TROVE_ARG_OPTIONAL, ""},
          {"y", TROVE_T_BYTES, TROVE_ARG_OPTIONAL, ""}, {"j", TROVE_T_JSON, TROVE_ARG_OPTIONAL, ""}};
        #define EIGHT(t) {{"a", t, 0, ""}, {"b", t, 0, ""}, {"c", t, 0, ""}, {"d", t, 0, ""}, {"e", t, 0, ""}, {"f", t, 0, ""}, \\
          {"g", t, 0, ""}, {"h", t, 0, ""}}
        static const trove_arg_1 eight_integers[] = EIGHT(TROVE_T_I64);
        static const trove_arg_1 eight_floats[] = EIGHT(TROVE_T_F64);
        static const trove_arg_1 mixed_args[] = {
          {"a", TROVE_T_F64, 0, ""}, {"b", TROVE_T_I64, 0, ""}, {"c", TROVE_T_F64, 0, ""}, {"d", TROVE_T_I32, 0, ""},
          {"e", TROVE_T_F64, 0, ""}, {"f", TROVE_T_U64, 0, ""}, {"g", TROVE_T_F64, 0, ""}, {"h", TROVE_T_BOOL, 0, ""}};
        static const trove_arg_1 secret_args[] = {{"secret", TROVE_T_STR, TROVE_ARG_SECRET, ""}};
        static const trove_arg_1 json_args[] = {{"json", TROVE_T_JSON, 0, ""}};
        #define ITEM sizeof(trove_action_1)
        static trove_action_1 items[] = {
          {ITEM, 0, "every", "", all_types, 8, 0,
           TROVE_TYPED_FN(every, trove_status (*)(trove_call *, int32_t, int32_t, int64_t, uint64_t, double,
                                                  const trove_str *, const trove_str *, const trove_str *)), NULL},
          {ITEM, TROVE_ACTION_PACKED, "every_packed", "", all_types, 8, 0, (trove_fn)every_packed, NULL},
          {ITEM, 0, "integers", "", eight_integers, 8, 0, (trove_fn)integers, NULL},
          {ITEM, 0, "floats", "", eight_floats, 8, 0, (trove_fn)floats, NULL},
          {ITEM, 0, "mixed", "", mixed_args, 8, 0, (trove_fn)mixed, NULL},
          {ITEM, TROVE_ACTION_READ_ONLY, "nothing", "", NULL, 0, 0, (trove_fn)nothing, NULL},
          {ITEM, 0, "negative", "", NULL, 0, 0, (trove_fn)negative, NULL},
          {ITEM, 0, "tell", "", secret_args, 1, 0, (trove_fn)tell, NULL},
          {ITEM, 0, "slow", "", NULL, 0, 1, (trove_fn)slow, NULL},
          {ITEM, 0, "pending", "", json_args, 1, 0, (trove_fn)pending, NULL},
          {ITEM, 0, "trap", "", NULL, 0, 0, (trove_fn)trap, NULL}};
        #ifndef COUNT
        #define COUNT (sizeof items / sizeof items[0])
        #endif
        static trove_actions_1 table = {sizeof(trove_actions_1), COUNT, items};
        static const void *extension(const char *id) {
          items[1].user = (void *)host;
        #ifdef CHANGE
          CHANGE;
        #endif
          return strcmp(id, TROVE_EXT_ACTIONS) == 0 ? &table : NULL;
        }
        """

    /// The manifest's member; `role` is where all of them run.
    static func declarations(_ role: String = "guest") -> JSONValue {
        func argument(_ name: String, _ type: String, _ more: [String: JSONValue] = [:]) -> JSONValue {
            .object(["name": .string(name), "type": .string(type)].merging(more) { _, new in new })
        }
        func action(_ name: String, _ arguments: [JSONValue], readOnly: Bool = false) -> JSONValue {
            [
                "name": .string(name), "policy": "instance:test", "role": .string(role), "args": .array(arguments),
                "read_only": .bool(readOnly),
            ]
        }
        let all = [
            argument("b", "bool"), argument("i", "i32"), argument("l", "i64", ["default": 7]), argument("u", "u64"),
            argument("d", "f64"), argument("s", "str", ["optional": true]), argument("y", "bytes", ["optional": true]),
            argument("j", "json", ["optional": true]),
        ]
        func eight(_ type: String) -> [JSONValue] { "abcdefgh".map { argument(String($0), type) } }
        let mixed = zip("abcdefgh", ["f64", "i64", "f64", "i32", "f64", "u64", "f64", "bool"]).map {
            argument(String($0.0), $0.1)
        }
        return .array([
            action("every", all), action("every_packed", all), action("integers", eight("i64")),
            action("floats", eight("f64")), action("mixed", mixed), action("nothing", [], readOnly: true),
            action("negative", []), action("tell", [argument("secret", "str", ["secret": true])]), action("slow", []),
            action("pending", [argument("json", "json")]), action("trap", []),
        ])
    }
}
