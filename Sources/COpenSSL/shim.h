/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TROVE_COPENSSL_SHIM_H
#define TROVE_COPENSSL_SHIM_H
/*
 * libcrypto alone. AES-256-GCM is two functions here because each of its steps goes through
 * EVP_CIPHER_CTX_ctrl with macro commands. Source: EVP_EncryptInit(3), "AEAD Interface".
 */
#include "certificates.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stddef.h>
#include <stdint.h>

enum { TROVE_GCM_KEY_BYTES = 32, TROVE_GCM_NONCE_BYTES = 12, TROVE_GCM_TAG_BYTES = 16 };

/* Encrypts `count` bytes from `in` to `out` (which may be the same) and writes the tag; 1 on success.
 * A nonce must never be used twice with one key. */
static inline int trove_gcm_seal(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, int aad_count,
                                 const uint8_t *in, int count, uint8_t *out, uint8_t *tag) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    uint8_t rest[16];
    int ok = context != NULL && EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
             (aad_count == 0 || EVP_EncryptUpdate(context, NULL, &written, aad, aad_count) == 1) &&
             (count == 0 || EVP_EncryptUpdate(context, out, &written, in, count) == 1) &&
             EVP_EncryptFinal_ex(context, rest, &written) == 1 &&
             EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TROVE_GCM_TAG_BYTES, tag) == 1;
    EVP_CIPHER_CTX_free(context);
    return ok;
}

/* Decrypts what trove_gcm_seal made; 1 only when the tag fits key, nonce, associated data and bytes.
 * On 0 the contents of `out` are not to be used. */
static inline int trove_gcm_open(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, int aad_count,
                                 const uint8_t *in, int count, uint8_t *out, const uint8_t *tag) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    uint8_t rest[16];
    int ok = context != NULL && EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
             (aad_count == 0 || EVP_DecryptUpdate(context, NULL, &written, aad, aad_count) == 1) &&
             (count == 0 || EVP_DecryptUpdate(context, out, &written, in, count) == 1) &&
             EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TROVE_GCM_TAG_BYTES, (void *)tag) == 1 &&
             EVP_DecryptFinal_ex(context, rest, &written) == 1;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    return ok;
}

/* Ed25519, in functions because BIO's are macros. PEM text is not NUL-terminated. Source: PEM_read_bio_PUBKEY(3),
 * EVP_DigestSign(3), EVP_SIGNATURE-ED25519(7). */
enum { TROVE_ED25519_KEY_BYTES = 32, TROVE_ED25519_SIGNATURE_BYTES = 64 };

/* A key that is behind a passphrase is no key here: nobody is asked. */
static inline int trove_pem_no_passphrase(char *text, int size, int writing, void *context) {
    (void)text, (void)size, (void)writing, (void)context;
    return -1;
}

static inline EVP_PKEY *trove_ed25519_read(const uint8_t *pem, int count, int is_private) {
    BIO *bio = BIO_new_mem_buf(pem, count);
    EVP_PKEY *key = NULL;
    if (bio != NULL)
        key = is_private ? PEM_read_bio_PrivateKey(bio, NULL, trove_pem_no_passphrase, NULL)
                         : PEM_read_bio_PUBKEY(bio, NULL, trove_pem_no_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error();
    if (key != NULL && EVP_PKEY_id(key) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

/* The 32 bytes of a public key, or of a private key's public half; 1, or 0 for what is no Ed25519 key. */
static inline int trove_ed25519_public(const uint8_t *pem, int count, int is_private, uint8_t *out) {
    EVP_PKEY *key = trove_ed25519_read(pem, count, is_private);
    size_t size = TROVE_ED25519_KEY_BYTES;
    int ok = key != NULL && EVP_PKEY_get_raw_public_key(key, out, &size) == 1 && size == TROVE_ED25519_KEY_BYTES;
    EVP_PKEY_free(key);
    return ok;
}

static inline int trove_ed25519_sign(const uint8_t *pem, int pem_count, const uint8_t *message, size_t count,
                                     uint8_t *signature) {
    EVP_PKEY *key = trove_ed25519_read(pem, pem_count, 1);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = TROVE_ED25519_SIGNATURE_BYTES;
    int ok = key != NULL && context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestSign(context, signature, &size, message, count) == 1 && size == TROVE_ED25519_SIGNATURE_BYTES;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok;
}

/* 1 only when the signature is the key's over exactly these bytes. */
static inline int trove_ed25519_verify(const uint8_t *public_key, const uint8_t *message, size_t count,
                                       const uint8_t *signature) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, TROVE_ED25519_KEY_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestVerify(context, signature, TROVE_ED25519_SIGNATURE_BYTES, message, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok;
}

/* A new pair as PEM (PKCS#8, SubjectPublicKeyInfo); the counts are what was written. 1, or 0. */
static inline int trove_ed25519_generate(uint8_t *private_pem, int private_size, int *private_count,
                                         uint8_t *public_pem, int public_size, int *public_count) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
    BIO *secret = BIO_new(BIO_s_mem()), *open = BIO_new(BIO_s_mem());
    int ok = context != NULL && secret != NULL && open != NULL && EVP_PKEY_keygen_init(context) == 1 &&
             EVP_PKEY_keygen(context, &key) == 1 &&
             PEM_write_bio_PKCS8PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1 &&
             PEM_write_bio_PUBKEY(open, key) == 1;
    if (ok) {
        *private_count = BIO_read(secret, private_pem, private_size);
        *public_count = BIO_read(open, public_pem, public_size);
        ok = *private_count > 0 && *public_count > 0;
    }
    BIO_free(secret);
    BIO_free(open);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}
#endif
