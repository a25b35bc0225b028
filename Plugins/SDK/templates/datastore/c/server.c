/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
#include "server.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Waits until the socket is ready, the call shall stop or the time is over. */
static trove_status wait_for(trove_call *call, int fd, short events, int64_t deadline) {
  struct pollfd set[2] = {{fd, events, 0}, {kit_host->cancel_fd(call), POLLIN, 0}};
  int64_t left = deadline - now_ms();
  if (kit_host->is_cancelled(call)) return TROVE_CANCELLED;
  if (left <= 0) return TROVE_TIMED_OUT;
  return poll(set, 2, (int)left) < 0 && errno != EINTR ? TROVE_INTERNAL : TROVE_OK;
}

static trove_status talk(trove_call *call, int fd, const struct sockaddr_in *place, const char *command, const char *end,
                         int64_t deadline, char *answer, size_t capacity) {
  int error = 0;
  socklen_t size = sizeof error;
  trove_status status;
  if (connect(fd, (const struct sockaddr *)place, sizeof *place) != 0) {
    if (errno == ECONNREFUSED) return TROVE_UNAVAILABLE;
    if (errno != EINPROGRESS) return TROVE_INTERNAL;
    if ((status = wait_for(call, fd, POLLOUT, deadline)) != TROVE_OK) return status;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return TROVE_INTERNAL;
    if (error == ECONNREFUSED) return TROVE_UNAVAILABLE;
  }
  while (send(fd, command, strlen(command), MSG_NOSIGNAL) < 0) { /* a few bytes: all or nothing */
    if (errno != EAGAIN && errno != EINTR) return TROVE_UNAVAILABLE;
    if ((status = wait_for(call, fd, POLLOUT, deadline)) != TROVE_OK) return status;
  }
  for (size_t len = 0; len + 1 < capacity;) {
    ssize_t count = recv(fd, answer + len, capacity - len - 1, 0);
    if (count == 0 || (count < 0 && errno == ECONNRESET)) return TROVE_UNAVAILABLE;
    if (count < 0 && errno != EAGAIN && errno != EINTR) return TROVE_INTERNAL;
    if (count > 0) len += (size_t)count;
    answer[len] = 0;
    if (strstr(answer, end) != NULL) return TROVE_OK;
    if (count < 0 && (status = wait_for(call, fd, POLLIN, deadline)) != TROVE_OK) return status;
  }
  return TROVE_INTERNAL; /* the answer is longer than expected */
}

trove_status server_ask(trove_call *call, const char *address, int port, const char *command, const char *end,
                        int timeout_ms, char *answer, size_t capacity) {
  struct sockaddr_in place;
  int64_t left_ns = kit_host->time_left_ns(call), deadline = now_ms() + timeout_ms;
  if (left_ns != INT64_MAX && now_ms() + left_ns / 1000000 < deadline) deadline = now_ms() + left_ns / 1000000;
  memset(&place, 0, sizeof place);
  place.sin_family = AF_INET;
  place.sin_port = htons((uint16_t)port);
  if (inet_pton(AF_INET, address, &place.sin_addr) != 1) return TROVE_INTERNAL;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return TROVE_INTERNAL;
  trove_status status = talk(call, fd, &place, command, end, deadline, answer, capacity);
  close(fd);
  return status;
}
