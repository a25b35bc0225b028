/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TROVE_CCURL_SHIM_H
#define TROVE_CCURL_SHIM_H
/*
 * libcurl's types and constants. The library itself is not linked: it brings some thirty others with it, and most
 * processes never make a request, so HTTPClient maps it on first use and calls it through pointers. The variadic
 * functions are wrapped here. Source: libcurl(3), curl_easy_setopt(3), curl_easy_getinfo(3).
 */
#include <curl/curl.h>

typedef CURLcode (*trove_curl_setopt_fn)(CURL *, CURLoption, ...);
typedef size_t (*trove_curl_data_fn)(char *, size_t, size_t, void *);

/* setopt is the address of curl_easy_setopt. */
static inline CURLcode trove_curl_set_long(void *setopt, CURL *easy, CURLoption option, long value) {
  return ((trove_curl_setopt_fn)setopt)(easy, option, value);
}
static inline CURLcode trove_curl_set_offset(void *setopt, CURL *easy, CURLoption option, curl_off_t value) {
  return ((trove_curl_setopt_fn)setopt)(easy, option, value);
}
static inline CURLcode trove_curl_set_text(void *setopt, CURL *easy, CURLoption option, const char *value) {
  return ((trove_curl_setopt_fn)setopt)(easy, option, value);
}
static inline CURLcode trove_curl_set_pointer(void *setopt, CURL *easy, CURLoption option, void *value) {
  return ((trove_curl_setopt_fn)setopt)(easy, option, value);
}
static inline CURLcode trove_curl_set_callback(void *setopt, CURL *easy, CURLoption option, trove_curl_data_fn value) {
  return ((trove_curl_setopt_fn)setopt)(easy, option, value);
}
#endif
