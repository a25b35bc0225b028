/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TROVE_CRABBITMQ_SHIM_H
#define TROVE_CRABBITMQ_SHIM_H
/*
 * The AMQP 0-9-1 client of rabbitmq-c. In functions what Swift cannot call (variable arguments) or read (macros with casts),
 * and what is made of C's tables. Sources: amqp.h, amqp_framing.h; SSL_CTX_get0_param(3), X509_VERIFY_PARAM_set1_host(3).
 */
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const uint32_t TROVE_AMQP_CONNECTION_CLOSE = AMQP_CONNECTION_CLOSE_METHOD;
static const uint32_t TROVE_AMQP_CONNECTION_BLOCKED = AMQP_CONNECTION_BLOCKED_METHOD;
static const uint32_t TROVE_AMQP_CONNECTION_UNBLOCKED = AMQP_CONNECTION_UNBLOCKED_METHOD;
static const uint32_t TROVE_AMQP_CHANNEL_CLOSE = AMQP_CHANNEL_CLOSE_METHOD;
static const uint32_t TROVE_AMQP_CHANNEL_CLOSE_OK = AMQP_CHANNEL_CLOSE_OK_METHOD;
static const uint32_t TROVE_AMQP_BASIC_DELIVER = AMQP_BASIC_DELIVER_METHOD;
static const uint32_t TROVE_AMQP_BASIC_RETURN = AMQP_BASIC_RETURN_METHOD;
static const uint32_t TROVE_AMQP_BASIC_CANCEL = AMQP_BASIC_CANCEL_METHOD;
static const uint32_t TROVE_AMQP_BASIC_ACK = AMQP_BASIC_ACK_METHOD;
static const uint32_t TROVE_AMQP_BASIC_NACK = AMQP_BASIC_NACK_METHOD;

static inline amqp_bytes_t trove_amqp_text(const char *text) { return amqp_cstring_bytes(text); }

/* Logs in with PLAIN, asking for what a client of ours can take: cancelled consumers, blocked connections. */
static inline amqp_rpc_reply_t trove_amqp_login(amqp_connection_state_t state, const char *vhost, int heartbeat,
                                                const char *name, const char *user, const char *password) {
    amqp_table_entry_t can[3], has[3];
    const char *abilities[] = {"authentication_failure_close", "connection.blocked", "consumer_cancel_notify"};
    for (int i = 0; i < 3; i++) {
        can[i].key = amqp_cstring_bytes(abilities[i]);
        can[i].value.kind = AMQP_FIELD_KIND_BOOLEAN;
        can[i].value.value.boolean = 1;
    }
    has[0].key = amqp_cstring_bytes("product");
    has[0].value.kind = AMQP_FIELD_KIND_UTF8;
    has[0].value.value.bytes = amqp_cstring_bytes("trove");
    has[1].key = amqp_cstring_bytes("connection_name");
    has[1].value.kind = AMQP_FIELD_KIND_UTF8;
    has[1].value.value.bytes = amqp_cstring_bytes(name);
    has[2].key = amqp_cstring_bytes("capabilities");
    has[2].value.kind = AMQP_FIELD_KIND_TABLE;
    has[2].value.value.table.num_entries = 3;
    has[2].value.value.table.entries = can;
    amqp_table_t properties = {.num_entries = 3, .entries = has};
    return amqp_login_with_properties(state, vhost, 2047, 131072, heartbeat, &properties, AMQP_SASL_METHOD_PLAIN, user,
                                      password);
}

/* Publishes JSON as the rabbit driver of oslo.messaging does; `expiration` in milliseconds, NULL for none. */
static inline int trove_amqp_publish(amqp_connection_state_t state, const char *exchange, const char *key, int mandatory,
                                     const char *expiration, const uint8_t *body, size_t count) {
    amqp_basic_properties_t properties;
    memset(&properties, 0, sizeof(properties));
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_HEADERS_FLAG |
                        AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG;
    properties.content_type = amqp_cstring_bytes("application/json");
    properties.content_encoding = amqp_cstring_bytes("utf-8");
    properties.delivery_mode = 2;
    if (expiration != NULL) {
        properties._flags |= AMQP_BASIC_EXPIRATION_FLAG;
        properties.expiration = amqp_cstring_bytes(expiration);
    }
    amqp_bytes_t bytes = {.len = count, .bytes = (void *)body};
    return amqp_basic_publish(state, 1, amqp_cstring_bytes(exchange), amqp_cstring_bytes(key), mandatory, 0, &properties,
                              bytes);
}

/* Declares a queue. `type`, `age` NULL and `expires` 0 for none. */
static inline void trove_amqp_declare_queue(amqp_connection_state_t state, uint16_t channel, const char *name, int durable,
                                            int auto_delete, const char *type, int expires, const char *age) {
    amqp_table_entry_t entries[3];
    amqp_table_t arguments = {.num_entries = 0, .entries = entries};
    if (type != NULL) {
        entries[arguments.num_entries].key = amqp_cstring_bytes("x-queue-type");
        entries[arguments.num_entries].value.kind = AMQP_FIELD_KIND_UTF8;
        entries[arguments.num_entries++].value.value.bytes = amqp_cstring_bytes(type);
    }
    if (expires > 0) {
        entries[arguments.num_entries].key = amqp_cstring_bytes("x-expires");
        entries[arguments.num_entries].value.kind = AMQP_FIELD_KIND_I32;
        entries[arguments.num_entries++].value.value.i32 = expires;
    }
    if (age != NULL) {
        entries[arguments.num_entries].key = amqp_cstring_bytes("x-max-age");
        entries[arguments.num_entries].value.kind = AMQP_FIELD_KIND_UTF8;
        entries[arguments.num_entries++].value.value.bytes = amqp_cstring_bytes(age);
    }
    (void)amqp_queue_declare(state, channel, amqp_cstring_bytes(name), 0, durable, 0, auto_delete, arguments);
}

/* Consumes with acknowledgements. `offset` is where to begin in a stream: -2 for no stream, -1 for its last chunk. */
static inline void trove_amqp_consume(amqp_connection_state_t state, const char *queue, const char *tag, int64_t offset) {
    amqp_table_entry_t entry;
    amqp_table_t arguments = {.num_entries = offset == -2 ? 0 : 1, .entries = &entry};
    entry.key = amqp_cstring_bytes("x-stream-offset");
    if (offset == -1) {
        entry.value.kind = AMQP_FIELD_KIND_UTF8;
        entry.value.value.bytes = amqp_cstring_bytes("last");
    } else {
        entry.value.kind = AMQP_FIELD_KIND_I64;
        entry.value.value.i64 = offset;
    }
    (void)amqp_basic_consume(state, 1, amqp_cstring_bytes(queue), amqp_cstring_bytes(tag), 0, 0, 0, arguments);
}

/* Where in a stream a delivery was; -1 when its headers do not say. */
static inline int64_t trove_amqp_stream_offset(const amqp_basic_properties_t *properties) {
    if (properties == NULL || !(properties->_flags & AMQP_BASIC_HEADERS_FLAG)) return -1;
    for (int i = 0; i < properties->headers.num_entries; i++) {
        const amqp_table_entry_t *entry = &properties->headers.entries[i];
        if (entry->key.len == 15 && memcmp(entry->key.bytes, "x-stream-offset", 15) == 0 &&
            entry->value.kind == AMQP_FIELD_KIND_I64)
            return entry->value.value.i64;
    }
    return -1;
}

/* Whether a sender compressed the body. */
static inline int trove_amqp_is_compressed(const amqp_basic_properties_t *properties) {
    if (properties == NULL || !(properties->_flags & AMQP_BASIC_HEADERS_FLAG)) return 0;
    for (int i = 0; i < properties->headers.num_entries; i++) {
        const amqp_bytes_t *key = &properties->headers.entries[i].key;
        if (key->len == 11 && memcmp(key->bytes, "compression", 11) == 0) return 1;
    }
    return 0;
}

static inline int trove_amqp_has(const amqp_basic_properties_t *properties, uint32_t flag) {
    return properties != NULL && (properties->_flags & flag) != 0;
}

/* Never asked for at a terminal: a key that is behind a passphrase is no key here. */
static inline int trove_amqp_no_passphrase(char *text, int size, int writing, void *context) {
    (void)text, (void)size, (void)writing, (void)context;
    return 0;
}

/* Prepares TLS 1.2 and later to a broker whose certificate must name `host`. 1, or 0. */
static inline int trove_amqp_expect(amqp_socket_t *socket, const char *host, int is_address) {
    SSL_CTX *context = (SSL_CTX *)amqp_ssl_socket_get_context(socket);
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(context);
    /* The library's own check of the name knows no addresses; libssl's does, as part of the peer's verification. */
    amqp_ssl_socket_set_verify_hostname(socket, 0);
    amqp_ssl_socket_set_verify_peer(socket, 1);
    SSL_CTX_set_default_passwd_cb(context, trove_amqp_no_passphrase);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           (is_address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host)
                       : X509_VERIFY_PARAM_set1_host(parameters, host, 0)) == 1;
}

/* Trusts the system's authorities. 1, or 0. */
static inline int trove_amqp_trust_system(amqp_socket_t *socket) {
    return SSL_CTX_set_default_verify_paths((SSL_CTX *)amqp_ssl_socket_get_context(socket)) == 1;
}
#endif
