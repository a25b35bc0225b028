/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for many descriptors at once, and a descriptor that wakes such a wait: epoll(7), eventfd(2). */
#ifndef CLINUX_EPOLL_H
#define CLINUX_EPOLL_H
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif
