/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TROVE_COPENSSL_SHIM_H
#define TROVE_COPENSSL_SHIM_H
/*
 * libcrypto alone. AES-256-GCM is two functions here because each of its steps goes through
 * EVP_CIPHER_CTX_ctrl with macro commands. Source: EVP_EncryptInit(3), "AEAD Interface".
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
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
#endif
