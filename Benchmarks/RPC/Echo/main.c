/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of the RPC benchmark: rabbitmq-c alone carries as many bytes there and back.
 *
 *     rpc-echo HOST PORT USER VHOST QUEUE serve REPLY_BYTES CARE
 *     rpc-echo HOST PORT USER VHOST QUEUE call REQUEST_BYTES CARE WINDOW SECONDS
 *
 * CARE is 1 for confirmed messages and acknowledged deliveries, as RPC has them, and 0 for neither. WINDOW requests are under way
 * at a time. The broker's password is the first line of standard input. Output as of rpc-bench.
 */
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { CHANNEL = 1, MAXIMUM = 1 << 16 };

static amqp_connection_state_t in, out;
static char body[MAXIMUM];

static void check(amqp_rpc_reply_t reply, const char *what) {
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
    fprintf(stderr, "rpc-echo: %s failed\n", what);
    exit(1);
}

static amqp_connection_state_t open_connection(char **argv, const char *password, int confirms) {
    amqp_connection_state_t state = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(state);
    if (socket == NULL || amqp_socket_open(socket, argv[1], atoi(argv[2])) != 0) {
        fprintf(stderr, "rpc-echo: no connection\n");
        exit(1);
    }
    check(amqp_login(state, argv[4], 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, argv[3], password), "login");
    amqp_channel_open(state, CHANNEL);
    check(amqp_get_rpc_reply(state), "channel");
    if (confirms) {
        amqp_confirm_select(state, CHANNEL);
        check(amqp_get_rpc_reply(state), "confirms");
    }
    return state;
}

static void declare(const char *queue, int care) {
    amqp_queue_declare(in, CHANNEL, amqp_cstring_bytes(queue), 0, 0, 0, 1, amqp_empty_table);
    check(amqp_get_rpc_reply(in), "declare");
    amqp_basic_consume(in, CHANNEL, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, !care, 0, amqp_empty_table);
    check(amqp_get_rpc_reply(in), "consume");
}

static void publish(const char *queue, const char *reply_to, size_t count) {
    amqp_basic_properties_t properties;
    memset(&properties, 0, sizeof properties);
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_REPLY_TO_FLAG;
    properties.content_type = amqp_cstring_bytes("application/json");
    properties.delivery_mode = 2;
    properties.reply_to = amqp_cstring_bytes(reply_to);
    amqp_bytes_t bytes = {.len = count, .bytes = body};
    if (amqp_basic_publish(out, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), 1, 0, &properties, bytes) != 0) exit(1);
}

/* Reads confirmations that are there; they are only counted by the broker. */
static void drain(void) {
    amqp_frame_t frame;
    struct timeval none = {0, 0};
    amqp_maybe_release_buffers(out);
    while (amqp_simple_wait_frame_noblock(out, &frame, &none) == AMQP_STATUS_OK) amqp_maybe_release_buffers(out);
}

/* Takes one delivery; copies its reply_to. 0 when none came within a second. */
static int take(int care, char *reply_to, size_t size) {
    amqp_envelope_t envelope;
    struct timeval limit = {1, 0};
    amqp_maybe_release_buffers(in);
    amqp_rpc_reply_t reply = amqp_consume_message(in, &envelope, &limit, 0);
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && reply.library_error == AMQP_STATUS_TIMEOUT) return 0;
    check(reply, "delivery");
    amqp_bytes_t address = envelope.message.properties.reply_to;
    snprintf(reply_to, size, "%.*s", (int)address.len, (char *)address.bytes);
    if (care && amqp_basic_ack(in, CHANNEL, envelope.delivery_tag, 0) != 0) exit(1);
    amqp_destroy_envelope(&envelope);
    return 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int serve(char **argv) {
    size_t bytes = strtoul(argv[7], NULL, 10);
    int care = atoi(argv[8]);
    char reply_to[256];
    declare(argv[5], care);
    puts("ready");
    fflush(stdout);
    while (getppid() != 1) {
        if (!take(care, reply_to, sizeof reply_to)) continue;
        publish(reply_to, "", bytes);
        if (care) drain();
    }
    return 0;
}

static int call(char **argv) {
    size_t bytes = strtoul(argv[7], NULL, 10);
    int care = atoi(argv[8]), window = atoi(argv[9]);
    char own[256], ignored[256], line[16];
    snprintf(own, sizeof own, "%s-reply-%d", argv[5], (int)getpid());
    declare(own, care);
    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) return 0;
    double begin = now(), end = begin + atof(argv[10]);
    long count = 0;
    int under_way = 0;
    for (; under_way < window; under_way++) publish(argv[5], own, bytes);
    while (under_way > 0) {
        if (!take(care, ignored, sizeof ignored)) {
            fprintf(stderr, "rpc-echo: a reply is lost\n");
            return 1;
        }
        under_way--;
        count++;
        if (now() < end) {
            publish(argv[5], own, bytes);
            under_way++;
        }
        if (care) drain();
    }
    printf("{\"calls\": %ld, \"seconds\": %.6f}\n", count, now() - begin);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv) {
    char password[256];
    if (argc < 9 || fgets(password, sizeof password, stdin) == NULL) return 2;
    password[strcspn(password, "\n")] = 0;
    memset(body, 'x', sizeof body);
    int care = atoi(argv[8]);
    if (strtoul(argv[7], NULL, 10) > MAXIMUM) return 2;
    in = open_connection(argv, password, 0);
    out = open_connection(argv, password, care);
    return strcmp(argv[6], "serve") == 0 ? serve(argv) : argc == 11 ? call(argv) : 2;
}
