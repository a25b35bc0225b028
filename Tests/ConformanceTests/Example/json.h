/* SPDX-License-Identifier: Apache-2.0 */
/* Just enough JSON for the example: a strict check of a whole text, and its top-level members. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct text {
  const char *at, *end;
} text;

static void skip(text *t) {
  while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\t' || *t->at == '\r')) t->at++;
}

static bool utf8(const unsigned char *s, size_t n) {
  for (size_t i = 0; i < n;) {
    size_t more = s[i] < 0x80 ? 0 : s[i] >= 0xc2 && s[i] < 0xe0 ? 1 : s[i] >= 0xe0 && s[i] < 0xf0 ? 2 : s[i] >= 0xf0 && s[i] < 0xf5 ? 3 : 9;
    if (more == 9 || i + more >= n) return false;
    for (size_t k = 1; k <= more; k++)
      if ((s[i + k] & 0xc0) != 0x80) return false;
    i += more + 1;
  }
  return true;
}

static bool skip_string(text *t) {
  if (t->at >= t->end || *t->at != '"') return false;
  for (t->at++; t->at < t->end; t->at++) {
    if (*t->at == '"') return t->at++, true;
    if ((unsigned char)*t->at < 0x20) return false;
    if (*t->at == '\\' && ++t->at >= t->end) return false;
  }
  return false;
}

static bool skip_value(text *t, int depth) {
#ifndef MUTANT_deep
  if (depth > 64) return false;
#else
  volatile char frame[4096];
  frame[0] = (char)depth;
#endif
  skip(t);
  if (t->at >= t->end) return false;
  char open = *t->at;
  if (open == '"') return skip_string(t);
  if (open == '{' || open == '[') {
    char close = open == '{' ? '}' : ']';
    t->at++;
    skip(t);
    if (t->at < t->end && *t->at == close) return t->at++, true;
    for (;;) {
      skip(t);
      if (open == '{') {
        if (!skip_string(t)) return false;
        skip(t);
        if (t->at >= t->end || *t->at++ != ':') return false;
      }
      if (!skip_value(t, depth + 1)) return false;
#ifdef MUTANT_deep
      if (frame[0] != (char)depth) return false;
#endif
      skip(t);
      if (t->at >= t->end) return false;
      char c = *t->at++;
      if (c == close) return true;
      if (c != ',') return false;
    }
  }
  for (const char *const *word = (const char *const[]){"true", "false", "null", NULL}; *word; word++) {
    size_t n = strlen(*word);
    if ((size_t)(t->end - t->at) >= n && memcmp(t->at, *word, n) == 0) return t->at += n, true;
  }
  const char *start = t->at;
  while (t->at < t->end && strchr("+-.eE0123456789", *t->at) && *t->at) t->at++;
  return t->at > start;
}

/* Whether request is one JSON object. */
static bool is_object(const char *start, size_t n) {
  text t = {start, start + n};
  if (n == 0 || !utf8((const unsigned char *)start, n)) return false;
  skip(&t);
  if (t.at >= t.end || *t.at != '{' || !skip_value(&t, 0)) return false;
  skip(&t);
  return t.at == t.end;
}

/* The raw text of a member of an object that is_object holds for. */
static bool member(const char *start, size_t n, const char *key, text *value) {
  text t = {start, start + n};
  skip(&t);
  t.at++;
  for (;;) {
    skip(&t);
    if (t.at >= t.end || *t.at != '"') return false;
    const char *name = t.at + 1;
    if (!skip_string(&t)) return false;
    bool is_it = (size_t)(t.at - name - 1) == strlen(key) && memcmp(name, key, strlen(key)) == 0;
    skip(&t);
    t.at++;
    skip(&t);
    value->at = t.at;
    if (!skip_value(&t, 0)) return false;
    value->end = t.at;
    if (is_it) return true;
    skip(&t);
    if (t.at >= t.end || *t.at != ',') return false;
    t.at++;
  }
}
