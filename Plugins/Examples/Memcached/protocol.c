/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
#include "protocol.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#define ANSWER_MAX (1u << 20)

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Waits for the socket. */
static exchange_result wait_for(trove_call *call, int fd, short events, int64_t deadline) {
  for (;;) {
    struct pollfd set[2] = {{fd, events, 0}, {kit_host->cancel_fd(call), POLLIN, 0}};
    int64_t left = deadline - now_ms();
    if (kit_host->is_cancelled(call)) return EXCHANGE_CANCELLED;
    if (left <= 0) return EXCHANGE_SILENT;
    int count = poll(set, 2, (int)left);
    if (count < 0 && errno != EINTR) return EXCHANGE_BROKEN;
    if (count > 0 && set[1].revents != 0) return EXCHANGE_CANCELLED;
    if (count > 0 && set[0].revents != 0) return EXCHANGE_OK;
  }
}

static exchange_result open_connection(trove_call *call, const char *address, int port, int64_t deadline, int *fd) {
  struct sockaddr_in place;
  memset(&place, 0, sizeof place);
  place.sin_family = AF_INET;
  place.sin_port = htons((uint16_t)port);
  if (inet_pton(AF_INET, address, &place.sin_addr) != 1) {
    errno = EINVAL;
    return EXCHANGE_BROKEN;
  }
  *fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (*fd < 0) return EXCHANGE_BROKEN;
  if (connect(*fd, (const struct sockaddr *)&place, sizeof place) != 0) {
    if (errno == ECONNREFUSED) return EXCHANGE_REFUSED;
    if (errno != EINPROGRESS) return EXCHANGE_BROKEN;
    exchange_result result = wait_for(call, *fd, POLLOUT, deadline);
    if (result != EXCHANGE_OK) return result;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(*fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return EXCHANGE_BROKEN;
    if (error == ECONNREFUSED) return EXCHANGE_REFUSED;
    errno = error;
    if (error != 0) return EXCHANGE_BROKEN;
  }
  return EXCHANGE_OK;
}

/* Whether the last line of the answer is whole and begins with one of the words. */
static int is_whole(const kit_text *answer, const char *const *ends) {
  if (answer->len < 2 || memcmp(answer->ptr + answer->len - 2, "\r\n", 2) != 0) return 0;
  size_t start = answer->len - 2;
  while (start > 0 && answer->ptr[start - 1] != '\n') start--;
  for (; *ends != NULL; ends++)
    if (strncmp(answer->ptr + start, *ends, strlen(*ends)) == 0) return 1;
  return 0;
}

static exchange_result talk(trove_call *call, int fd, const char *command, const char *const *ends, int64_t deadline,
                            kit_text *out) {
  size_t sent = 0, length = strlen(command);
  char buffer[4096];
  exchange_result result;
  while (sent < length) {
    ssize_t count = send(fd, command + sent, length - sent, MSG_NOSIGNAL);
    if (count > 0) sent += (size_t)count;
    if (count > 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return errno == EPIPE || errno == ECONNRESET ? EXCHANGE_BUSY : EXCHANGE_BROKEN;
    if ((result = wait_for(call, fd, POLLOUT, deadline)) != EXCHANGE_OK) return result;
  }
  while (!is_whole(out, ends)) {
    ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count > 0) {
      kit_bytes(out, buffer, (size_t)count);
      errno = 0;
      if (out->failed || out->len > ANSWER_MAX) return EXCHANGE_BROKEN;
      if (strncmp(out->ptr, "ERROR Too many open connections", 31) == 0) return EXCHANGE_BUSY;
      continue;
    }
    /* A server without room for one more closes. */
    if (count == 0 || errno == ECONNRESET) return EXCHANGE_BUSY;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return EXCHANGE_BROKEN;
    if ((result = wait_for(call, fd, POLLIN, deadline)) != EXCHANGE_OK) return result;
  }
  return EXCHANGE_OK;
}

exchange_result protocol_exchange(trove_call *call, const char *address, int port, const char *command,
                                  const char *const *ends, int timeout_ms, kit_text *out) {
  int fd = -1;
  int64_t left_ns = kit_host->time_left_ns(call), deadline = now_ms() + timeout_ms;
  if (left_ns != INT64_MAX && now_ms() + left_ns / 1000000 < deadline) deadline = now_ms() + left_ns / 1000000;
  exchange_result result = open_connection(call, address, port, deadline, &fd);
  if (result == EXCHANGE_OK) result = talk(call, fd, command, ends, deadline, out);
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return result;
}

trove_status protocol_fail(trove_call *call, exchange_result result, const char *what) {
  switch (result) {
    case EXCHANGE_OK: return TROVE_OK;
    case EXCHANGE_REFUSED: return kit_fail(call, TROVE_UNAVAILABLE, "%s: the server does not listen", what);
    case EXCHANGE_BUSY: return kit_fail(call, TROVE_EXHAUSTED, "%s: the server takes no more connections", what);
    case EXCHANGE_SILENT: return kit_fail(call, TROVE_TIMED_OUT, "%s: the server did not answer in time", what);
    case EXCHANGE_CANCELLED: return kit_fail(call, TROVE_CANCELLED, "%s: the operation was cancelled", what);
    case EXCHANGE_BROKEN: break;
  }
  return kit_fail(call, TROVE_INTERNAL, "%s: %s", what, errno != 0 ? strerror(errno) : "the answer makes no sense");
}
