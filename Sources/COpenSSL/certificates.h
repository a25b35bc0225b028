/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TROVE_COPENSSL_CERTIFICATES_H
#define TROVE_COPENSSL_CERTIFICATES_H
/*
 * Certificates and private keys as PEM, which is not NUL-terminated. In functions because BIO's are macros.
 * Source: PEM_read_bio_PrivateKey(3), X509_check_private_key(3), X509_check_issued(3).
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <string.h>

struct trove_passphrase {
    const char *text; /* NULL: none */
    int asked;
};

static inline int trove_passphrase_tell(char *buffer, int size, int writing, void *context) {
    struct trove_passphrase *passphrase = (struct trove_passphrase *)context;
    (void)writing;
    passphrase->asked = 1;
    if (passphrase->text == NULL) return -1;
    size_t count = strlen(passphrase->text);
    if (count > (size_t)size) return -1;
    memcpy(buffer, passphrase->text, count);
    return (int)count;
}

/* Writes a private key as unencrypted PKCS#8 PEM. 1; 0 for what is no private key or does not fit `size`; -1 for a key behind a
 * passphrase that is not this one. */
static inline int trove_private_key_open(const uint8_t *pem, int count, const char *text, uint8_t *out, int size,
                                         int *written) {
    struct trove_passphrase passphrase = {text, 0};
    BIO *bio = BIO_new_mem_buf(pem, count), *clear = BIO_new(BIO_s_secmem());
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, trove_passphrase_tell, &passphrase) : NULL;
    int ok = key != NULL ? 1 : passphrase.asked ? -1 : 0;
    if (ok == 1) {
        *written = 0;
        if (clear != NULL && PEM_write_bio_PKCS8PrivateKey(clear, key, NULL, NULL, 0, NULL, NULL) == 1 &&
            BIO_pending(clear) <= size)
            *written = BIO_read(clear, out, size);
        ok = *written > 0;
    }
    EVP_PKEY_free(key);
    BIO_free(clear);
    BIO_free(bio);
    ERR_clear_error();
    return ok;
}

static inline X509 *trove_certificate_read(const uint8_t *pem, int count) {
    BIO *bio = BIO_new_mem_buf(pem, count);
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, (void *)"") : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return certificate;
}

/* 1 for a certificate that it signed itself, 0 for another one, -1 for none. */
static inline int trove_certificate_is_root(const uint8_t *pem, int count) {
    X509 *certificate = trove_certificate_read(pem, count);
    if (certificate == NULL) return -1;
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    int root = key != NULL && X509_check_issued(certificate, certificate) == X509_V_OK && X509_verify(certificate, key) == 1;
    X509_free(certificate);
    ERR_clear_error();
    return root;
}

/* 1 when the private key, unencrypted, is the certificate's. */
static inline int trove_certificate_fits(const uint8_t *pem, int count, const uint8_t *key_pem, int key_count) {
    struct trove_passphrase passphrase = {NULL, 0};
    X509 *certificate = trove_certificate_read(pem, count);
    BIO *bio = BIO_new_mem_buf(key_pem, key_count);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, trove_passphrase_tell, &passphrase) : NULL;
    int fits = certificate != NULL && key != NULL && X509_check_private_key(certificate, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    X509_free(certificate);
    ERR_clear_error();
    return fits;
}

/* 1 when `issuer` signed `pem`. */
static inline int trove_certificate_is_issued(const uint8_t *pem, int count, const uint8_t *issuer_pem, int issuer_count) {
    X509 *certificate = trove_certificate_read(pem, count), *issuer = trove_certificate_read(issuer_pem, issuer_count);
    EVP_PKEY *key = issuer != NULL ? X509_get0_pubkey(issuer) : NULL;
    int issued = certificate != NULL && key != NULL && X509_check_issued(issuer, certificate) == X509_V_OK &&
                 X509_verify(certificate, key) == 1;
    X509_free(certificate);
    X509_free(issuer);
    ERR_clear_error();
    return issued;
}
#endif
