/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/*
 * Helpers for plugins in C: answers, failures, JSON in and out, small files. Not part of the boundary: a plugin carries its
 * own copy, and may do without.
 *
 * kit_init in the plugin's init; the host's table is then kit_host. Needs POSIX 2008: -std=gnu11, or include it first.
 */
#ifndef TROVE_PLUGIN_KIT_H
#define TROVE_PLUGIN_KIT_H
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include "trove_plugin.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__GNUC__)
#define KIT_UNUSED __attribute__((unused))
#define KIT_FORMAT(text, first) __attribute__((format(printf, text, first)))
#else
#define KIT_UNUSED
#define KIT_FORMAT(text, first)
#endif

/* ---- the host ---- */

/* One for all files of the plugin. */
#if defined(__GNUC__)
__attribute__((weak, visibility("hidden")))
#endif
const trove_host_1 *kit_host;

/* The body of trove_plugin_1.init, or its first lines. */
KIT_UNUSED static trove_status kit_init(const trove_host_1 *host) {
  if (host->magic != TROVE_MAGIC || host->size != sizeof(trove_host_1)) return TROVE_PRECONDITION_FAILED;
  kit_host = host;
  return TROVE_OK;
}

/* A service's table, or NULL if the host does not offer it in this layout. */
KIT_UNUSED static const void *kit_service(const char *id, size_t size) {
  const void *table = kit_host->get_extension(kit_host, id);
  return table != NULL && *(const uint32_t *)table == size ? table : NULL;
}

KIT_UNUSED static trove_str kit_str(const char *text) {
  trove_str str = {text, strlen(text)};
  return str;
}

/* Records why a call fails and returns code: one line, cut off after 511 bytes. No secrets. */
KIT_FORMAT(3, 4) KIT_UNUSED static trove_status kit_fail(trove_call *call, trove_status code, const char *format, ...) {
  char text[512];
  trove_str none = {NULL, 0};
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  size_t end = strlen(text);
  /* What was cut off may have ended inside a character. */
  if (length >= (int)sizeof text)
    while (end > 0 && ((unsigned char)text[end - 1] & 0xC0) == 0x80) text[--end] = 0;
  if (length >= (int)sizeof text && end > 0 && ((unsigned char)text[end - 1] & 0x80) != 0) text[--end] = 0;
  for (size_t index = 0; index < end; index++)
    if ((unsigned char)text[index] < 0x20 || text[index] == 0x7F) text[index] = ' ';
  return kit_host->fail(call, code, kit_str(text), none);
}

/* Fails for a system call's errno. */
KIT_UNUSED static trove_status kit_fail_errno(trove_call *call, const char *what, const char *path) {
  int number = errno;
  trove_status code = number == ENOSPC || number == EDQUOT || number == EMFILE || number == ENFILE ? TROVE_EXHAUSTED
                      : number == EACCES || number == EPERM                                       ? TROVE_PERMISSION_DENIED
                      : number == ENOENT                                                          ? TROVE_NOT_FOUND
                                                                                                  : TROVE_INTERNAL;
  return kit_fail(call, code, "could not %s %s: %s", what, path, strerror(number));
}

/* ---- writing JSON ---- */

/* Text that grows. Zero it before the first use; kit_emit or kit_free ends it. Out of memory is remembered. */
typedef struct kit_text {
  char *ptr;
  size_t len, capacity;
  int failed;
} kit_text;

KIT_UNUSED static void kit_free(kit_text *text) {
  free(text->ptr);
  memset(text, 0, sizeof *text);
}

KIT_UNUSED static void kit_bytes(kit_text *text, const char *bytes, size_t len) {
  if (text->failed) return;
  if (text->len + len + 1 > text->capacity) {
    size_t capacity = (text->len + len + 1) * 2;
    char *grown = (char *)realloc(text->ptr, capacity);
    if (grown == NULL) {
      text->failed = 1;
      return;
    }
    text->ptr = grown;
    text->capacity = capacity;
  }
  if (len > 0) memcpy(text->ptr + text->len, bytes, len);
  text->len += len;
  text->ptr[text->len] = 0;
}

/* Appends text as it is: JSON that the plugin wrote itself. */
KIT_UNUSED static void kit_add(kit_text *text, const char *literal) { kit_bytes(text, literal, strlen(literal)); }

KIT_UNUSED static void kit_int(kit_text *text, int64_t value) {
  char digits[32];
  snprintf(digits, sizeof digits, "%lld", (long long)value);
  kit_add(text, digits);
}

/* Appends a JSON string; value is UTF-8. */
KIT_UNUSED static void kit_quote(kit_text *text, trove_str value) {
  kit_add(text, "\"");
  for (size_t index = 0; index < value.len; index++) {
    unsigned char byte = (unsigned char)value.ptr[index];
    char escaped[8];
    if (byte == '"' || byte == '\\') {
      snprintf(escaped, sizeof escaped, "\\%c", byte);
      kit_add(text, escaped);
    } else if (byte < 0x20) {
      snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      kit_add(text, escaped);
    } else {
      kit_bytes(text, value.ptr + index, 1);
    }
  }
  kit_add(text, "\"");
}

/* Emits the text and frees it. */
KIT_UNUSED static trove_status kit_emit(trove_call *call, kit_text *text) {
  trove_status status = text->failed ? kit_fail(call, TROVE_EXHAUSTED, "out of memory")
                                     : kit_host->emit(call, text->ptr, text->len);
  kit_free(text);
  return status;
}

/* ---- reading JSON ----
   These look into a document without building anything. Ask kit_expect first: the others take the document for valid. A
   value is the bytes of one JSON value. */

#define KIT_JSON_DEPTH 128

KIT_UNUSED static const char *kit_json_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
  return at;
}

/* Behind the value that begins at `at`; NULL if there is no whole one. */
KIT_UNUSED static const char *kit_json_skip(const char *at, const char *end) {
  int depth = 0;
  at = kit_json_space(at, end);
  if (at == end) return NULL;
  do {
    at = kit_json_space(at, end);
    if (at == end) return NULL;
    if (*at == '"') {
      for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
      if (at >= end) return NULL;
      at++;
    } else if (*at == '{' || *at == '[') {
      depth++;
      at++;
    } else if (*at == '}' || *at == ']') {
      depth--;
      at++;
    } else if (*at == ',' || *at == ':') {
      if (depth == 0) return NULL;
      at++;
    } else {
      const char *start = at;
      while (at < end && strchr(" \t\r\n,:{}[]\"", *at) == NULL) at++;
      if (at == start) return NULL;
    }
  } while (depth > 0);
  return depth == 0 ? at : NULL;
}

/* Steps through an object: *at begins at object.ptr. Non-zero with the next member's key (its bytes between the quotes, escapes
   not resolved) and value; 0 at the end or at what is no object. */
KIT_UNUSED static int kit_json_next(trove_str object, const char **at, trove_str *key, trove_str *value) {
  const char *end = object.ptr + object.len, *position = kit_json_space(*at, end);
  if (position == end || (*position != '{' && *position != ',')) return 0;
  position = kit_json_space(position + 1, end);
  if (position == end || *position != '"') return 0;
  const char *stop = kit_json_skip(position, end);
  if (stop == NULL) return 0;
  key->ptr = position + 1;
  key->len = (size_t)(stop - position) - 2;
  position = kit_json_space(stop, end);
  if (position == end || *position != ':') return 0;
  position = kit_json_space(position + 1, end);
  stop = kit_json_skip(position, end);
  if (stop == NULL) return 0;
  value->ptr = position;
  value->len = (size_t)(stop - position);
  *at = kit_json_space(stop, end);
  return 1;
}

/* The member `name` of an object; {NULL, 0} without one or where it is null. */
KIT_UNUSED static trove_str kit_member(trove_str object, const char *name) {
  trove_str key, value, none = {NULL, 0};
  const char *at = object.ptr;
  if (object.ptr == NULL) return none;
  while (kit_json_next(object, &at, &key, &value))
    if (key.len == strlen(name) && memcmp(key.ptr, name, key.len) == 0)
      return value.len == 4 && memcmp(value.ptr, "null", 4) == 0 ? none : value;
  return none;
}

/* A number without fraction. 0 if value is none. */
KIT_UNUSED static int kit_json_int(trove_str value, int64_t *number) {
  char digits[24];
  char *stop;
  if (value.ptr == NULL || value.len == 0 || value.len >= sizeof digits) return 0;
  memcpy(digits, value.ptr, value.len);
  digits[value.len] = 0;
  errno = 0;
  *number = strtoll(digits, &stop, 10);
  return *stop == 0 && errno == 0;
}

KIT_UNUSED static int kit_json_hex(const char *at, const char *end, unsigned *unit) {
  *unit = 0;
  if (end - at < 4) return 0;
  for (int index = 0; index < 4; index++) {
    char digit = at[index];
    unsigned four = digit >= '0' && digit <= '9'   ? (unsigned)(digit - '0')
                    : digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a') + 10
                    : digit >= 'A' && digit <= 'F' ? (unsigned)(digit - 'A') + 10
                                                   : 16;
    if (four > 15) return 0;
    *unit = *unit << 4 | four;
  }
  return 1;
}

KIT_UNUSED static void kit_utf8(kit_text *text, unsigned scalar) {
  char bytes[4];
  size_t len = scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
  for (size_t index = len; index-- > 1; scalar >>= 6) bytes[index] = (char)(0x80 | (scalar & 0x3F));
  bytes[0] = (char)(len == 1 ? scalar : (0xF00u >> len & 0xFFu) | scalar);
  kit_bytes(text, bytes, len);
}

/* Appends what a JSON string says, escapes resolved. 0 if value is no string. */
KIT_UNUSED static int kit_json_text(trove_str value, kit_text *text) {
  if (value.ptr == NULL || value.len < 2 || value.ptr[0] != '"') return 0;
  const char *at = value.ptr + 1, *end = value.ptr + value.len - 1;
  kit_bytes(text, "", 0);
  while (at < end) {
    if (*at != '\\') {
      kit_bytes(text, at++, 1);
      continue;
    }
    if (++at == end) return 0;
    char kind = *at++;
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *simple = strchr(from, kind);
    unsigned unit, low;
    if (kind != 0 && simple != NULL) {
      kit_bytes(text, to + (simple - from), 1);
    } else if (kind == 'u' && kit_json_hex(at, end, &unit)) {
      at += 4;
      if (unit >= 0xD800 && unit < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u' &&
          kit_json_hex(at + 2, end, &low) && low >= 0xDC00 && low < 0xE000) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        at += 6;
      }
      if (unit >= 0xD800 && unit < 0xE000) return 0;
      kit_utf8(text, unit);
    } else {
      return 0;
    }
  }
  return !text->failed;
}

/* A member's text, NUL-terminated, to be freed; NULL without one, or if it holds NUL. */
KIT_UNUSED static char *kit_member_text(trove_str object, const char *name) {
  kit_text text = {NULL, 0, 0, 0};
  if (!kit_json_text(kit_member(object, name), &text) || text.ptr == NULL || strlen(text.ptr) != text.len) {
    kit_free(&text);
    return NULL;
  }
  return text.ptr;
}

/* Behind a valid value that begins at `at`; NULL for anything else. */
KIT_UNUSED static const char *kit_json_check(const char *at, const char *end, int depth) {
  at = kit_json_space(at, end);
  if (at == end || depth > KIT_JSON_DEPTH) return NULL;
  if (*at == '"') {
    const char *start = at;
    for (at++; at < end && *at != '"'; at++) {
      if ((unsigned char)*at < 0x20) return NULL;
      if (*at == '\\') at++;
    }
    if (at >= end) return NULL;
    kit_text text = {NULL, 0, 0, 0};
    trove_str value = {start, (size_t)(at + 1 - start)};
    int is_text = kit_json_text(value, &text);
    kit_free(&text);
    return is_text ? at + 1 : NULL;
  }
  if (*at == '{' || *at == '[') {
    char close = *at == '{' ? '}' : ']';
    at = kit_json_space(at + 1, end);
    if (at < end && *at == close) return at + 1;
    for (;;) {
      at = kit_json_space(at, end);
      if (close == '}') {
        if (at == end || *at != '"') return NULL;
        at = kit_json_check(at, end, depth + 1);
        if (at == NULL) return NULL;
        at = kit_json_space(at, end);
        if (at == end || *at++ != ':') return NULL;
      }
      at = kit_json_check(at, end, depth + 1);
      if (at == NULL) return NULL;
      at = kit_json_space(at, end);
      if (at == end) return NULL;
      if (*at == close) return at + 1;
      if (*at++ != ',') return NULL;
    }
  }
  static const char *const words[] = {"true", "false", "null"};
  for (int index = 0; index < 3; index++) {
    size_t length = strlen(words[index]);
    if ((size_t)(end - at) >= length && memcmp(at, words[index], length) == 0) return at + length;
  }
  const char *digits = *at == '-' ? at + 1 : at, *start = digits;
  while (digits < end && *digits >= '0' && *digits <= '9') digits++;
  if (digits == start || (*start == '0' && digits > start + 1)) return NULL;
  if (digits < end && *digits == '.') {
    start = ++digits;
    while (digits < end && *digits >= '0' && *digits <= '9') digits++;
    if (digits == start) return NULL;
  }
  if (digits < end && (*digits == 'e' || *digits == 'E')) {
    digits++;
    if (digits < end && (*digits == '+' || *digits == '-')) digits++;
    start = digits;
    while (digits < end && *digits >= '0' && *digits <= '9') digits++;
    if (digits == start) return NULL;
  }
  return digits;
}

KIT_UNUSED static int kit_json_is(trove_str value, char type) {
  int64_t number;
  switch (type) {
    case 's': return value.ptr[0] == '"';
    case 'i': return kit_json_int(value, &number);
    case 'b': return value.ptr[0] == 't' || value.ptr[0] == 'f';
    case '[': return value.ptr[0] == '[';
    default: return value.ptr[0] == '{';
  }
}

/* Holds a document against a list of members, "name s, count i, list [, rest {?": s text, i integer, b boolean, [ list, {
   object; with ? it may be absent or null. TROVE_INVALID_ARGUMENT naming the member, also for what is no JSON object. */
KIT_UNUSED static trove_status kit_expect(trove_call *call, trove_str document, const char *members) {
  const char *end = document.ptr + document.len;
  const char *at = document.ptr != NULL ? kit_json_check(document.ptr, end, 0) : NULL;
  if (at == NULL || kit_json_space(at, end) != end || *kit_json_space(document.ptr, end) != '{')
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "the request is not one JSON object");
  while (*members != 0) {
    char name[64];
    size_t length = strcspn(members, " ");
    char type = members[length + 1];
    if (length >= sizeof name) return kit_fail(call, TROVE_INTERNAL, "a member's name is too long");
    memcpy(name, members, length);
    name[length] = 0;
    members += length + 2;
    int is_optional = *members == '?';
    trove_str value = kit_member(document, name);
    if (value.ptr == NULL ? !is_optional : !kit_json_is(value, type))
      return kit_fail(call, TROVE_INVALID_ARGUMENT, "the member '%s' must be %s", name,
                      type == 's'   ? "text"
                      : type == 'i' ? "an integer"
                      : type == 'b' ? "true or false"
                      : type == '[' ? "a list"
                                    : "an object");
    members += strcspn(members, ",");
    members += strspn(members, ", ");
  }
  return TROVE_OK;
}

/* ---- small files ---- */

/* Replaces path by a file of the agent's alone (0600), whole or not at all. */
KIT_UNUSED static trove_status kit_write_file(trove_call *call, const char *path, const char *bytes, size_t len) {
  char draft[4096];
  if ((size_t)snprintf(draft, sizeof draft, "%s.new", path) >= sizeof draft)
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "the path %s is too long", path);
  unlink(draft);
  int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return kit_fail_errno(call, "create", draft);
  size_t done = 0;
  while (done < len) {
    ssize_t count = write(fd, bytes + done, len - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += (size_t)count;
  }
  int ok = done == len && fsync(fd) == 0;
  if (close(fd) != 0) ok = 0;
  if (ok && rename(draft, path) == 0) return TROVE_OK;
  trove_status status = kit_fail_errno(call, "write", path);
  unlink(draft);
  return status;
}

/* Appends a file's bytes. TROVE_OK also for one that is not there, which adds nothing. At most 16 MiB. */
KIT_UNUSED static trove_status kit_read_file(trove_call *call, const char *path, kit_text *text) {
  char buffer[4096];
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? TROVE_OK : kit_fail_errno(call, "open", path);
  trove_status status = TROVE_OK;
  for (;;) {
    ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) status = kit_fail_errno(call, "read", path);
    if (count <= 0) break;
    kit_bytes(text, buffer, (size_t)count);
    if (text->failed || text->len > (16u << 20)) {
      status = kit_fail(call, TROVE_EXHAUSTED, "%s is too large", path);
      break;
    }
  }
  close(fd);
  return status;
}

#endif
