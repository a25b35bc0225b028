/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TROVE_COPENSSL_X509_H
#define TROVE_COPENSSL_X509_H
/*
 * X.509 certificates in PEM form, in functions because stacks and BIO's are macros. PEM text is not NUL-terminated.
 * Source: PEM_read_bio_X509(3), X509_check_issued(3), X509_verify(3), X509_get_signature_info(3), ASN1_TIME_to_tm(3).
 */
#include "shim.h"
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Reads the certificates of a text, in order; the count, or -1 for one that cannot be read or more than `limit`. Each is the
 * caller's to free with X509_free. */
static inline int trove_x509_read(const uint8_t *pem, int count, X509 **out, int limit) {
    BIO *bio = BIO_new_mem_buf(pem, count);
    int found = 0, ok = bio != NULL;
    while (ok) {
        ERR_clear_error();
        X509 *next = PEM_read_bio_X509(bio, NULL, trove_pem_no_passphrase, NULL);
        if (next == NULL) {
            unsigned long error = ERR_peek_last_error();
            /* The end of the text looks like this; anything else is a block that is no certificate. */
            ok = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
            break;
        }
        if (found == limit) {
            X509_free(next);
            ok = 0;
            break;
        }
        out[found++] = next;
    }
    BIO_free(bio);
    ERR_clear_error();
    if (ok) return found;
    while (found > 0) X509_free(out[--found]);
    return -1;
}

/* A private key without a passphrase, or NULL. */
static inline EVP_PKEY *trove_x509_key(const uint8_t *pem, int count) {
    BIO *bio = BIO_new_mem_buf(pem, count);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, trove_pem_no_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

/* 1 when the key is that of the certificate. */
static inline int trove_x509_fits(X509 *certificate, EVP_PKEY *key) {
    int ok = X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    return ok;
}

/* 1 when `issuer` signed `subject`. */
static inline int trove_x509_signed(X509 *issuer, X509 *subject) {
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    int ok = key != NULL && X509_check_issued(issuer, subject) == X509_V_OK && X509_verify(subject, key) == 1;
    ERR_clear_error();
    return ok;
}

/* 1 when it may sign others. */
static inline int trove_x509_is_authority(X509 *certificate) { return X509_check_ca(certificate) != 0; }

/* Bits of security: of the key, and of the signature (0 where nothing is known). */
static inline int trove_x509_key_bits(X509 *certificate) {
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    return key == NULL ? 0 : EVP_PKEY_get_security_bits(key);
}
static inline int trove_x509_signature_bits(X509 *certificate) {
    int bits = 0;
    int known = X509_get_signature_info(certificate, NULL, NULL, &bits, NULL);
    ERR_clear_error();
    return known == 1 ? bits : 0;
}

/* Seconds since 1970; 0 for a time that cannot be read. */
static inline int64_t trove_x509_time(const ASN1_TIME *time) {
    struct tm parts;
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return (int64_t)timegm(&parts);
}
static inline int64_t trove_x509_not_before(X509 *certificate) {
    return trove_x509_time(X509_get0_notBefore(certificate));
}
static inline int64_t trove_x509_not_after(X509 *certificate) {
    return trove_x509_time(X509_get0_notAfter(certificate));
}

/* The common name of the subject, NUL-terminated; empty without one or when it does not fit. */
static inline void trove_x509_common_name(X509 *certificate, char *out, int size) {
    X509_NAME *name = X509_get_subject_name(certificate);
    int at = name == NULL ? -1 : X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *text = NULL;
    out[0] = 0;
    if (at >= 0) {
        int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
        if (length > 0 && length < size) {
            memcpy(out, text, (size_t)length);
            out[length] = 0;
        }
        if (length >= 0) OPENSSL_free(text);
    }
    ERR_clear_error();
}

/* The subject's other names that are DNS names or addresses, one a line: "DNS:name" or "IP:address". */
static inline void trove_x509_names(X509 *certificate, char *out, int size) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int used = 0;
    out[0] = 0;
    for (int index = 0; names != NULL && index < sk_GENERAL_NAME_num(names); index++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
        char text[256] = "";
        if (name->type == GEN_DNS) {
            int length = ASN1_STRING_length(name->d.dNSName);
            const unsigned char *data = ASN1_STRING_get0_data(name->d.dNSName);
            int plain = length > 0 && length < (int)sizeof text - 8;
            for (int at = 0; plain && at < length; at++) plain = data[at] > 32 && data[at] < 127;
            if (plain) snprintf(text, sizeof text, "DNS:%.*s\n", length, (const char *)data);
        } else if (name->type == GEN_IPADD) {
            int length = ASN1_STRING_length(name->d.iPAddress);
            char address[INET6_ADDRSTRLEN] = "";
            if ((length == 4 || length == 16) &&
                inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), address,
                          sizeof address) != NULL)
                snprintf(text, sizeof text, "IP:%s\n", address);
        }
        int length = (int)strlen(text);
        if (length == 0 || used + length >= size) continue;
        memcpy(out + used, text, (size_t)length + 1);
        used += length;
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}
#endif
