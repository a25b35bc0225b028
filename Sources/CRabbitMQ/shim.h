/* SPDX-License-Identifier: Apache-2.0 */
/* The AMQP 0-9-1 client of rabbitmq-c. */
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
