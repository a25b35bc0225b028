/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "clinux_signal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int writer = -1;

static void note(int signal) {
    int saved = errno;
    unsigned char byte = (unsigned char)signal;
    /* A full pipe holds enough signals already. */
    ssize_t ignored = write(writer, &byte, 1);
    (void)ignored;
    errno = saved;
}

int32_t clinux_signal_fd(const int32_t *signals, size_t count) {
    int ends[2];
    if (writer >= 0) return -EALREADY;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    writer = ends[1];
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < count; i++)
        if (sigaction(signals[i], &action, NULL) != 0) return -errno;
    return ends[0];
}

int32_t clinux_read_signal(int32_t fd) {
    unsigned char byte;
    return read(fd, &byte, 1) == 1 ? (int32_t)byte : 0;
}
