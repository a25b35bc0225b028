/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "clinux_signal.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int32_t clinux_signal_fd(const int32_t *signals, size_t count) {
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < count; i++) sigaddset(&mask, signals[i]);
    int code = pthread_sigmask(SIG_BLOCK, &mask, NULL);
    if (code != 0) return -code;
    int fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int32_t clinux_read_signal(int32_t fd) {
    struct signalfd_siginfo information;
    ssize_t count = read(fd, &information, sizeof information);
    return count == (ssize_t)sizeof information ? (int32_t)information.ssi_signo : 0;
}
