/* Base64 (RFC 4648 § 4) for pictures in JSON. */
#ifndef AIBOX_CORE_BASE64_H
#define AIBOX_CORE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that `base64_decode` may write for `size` characters. */
size_t base64_decoded_max(size_t size);

/*
 * Decodes `size` characters. Takes an optional `data:image/...;base64,` prefix, white space and line
 * breaks anywhere, '=' padding present or missing; also the URL-safe alphabet. Anything else,
 * or non-zero trailing bits of an impossible length (4n+1): false. `out` holds at least
 * base64_decoded_max(size) bytes and may be the same memory as `text` (decoding in place).
 */
bool base64_decode(const char *text, size_t size, uint8_t *out, size_t *out_size);

/* Characters without NUL for `size` bytes; writes them and a NUL into `out`. Padded, no line breaks. */
size_t base64_encoded_size(size_t size);
void base64_encode(const uint8_t *bytes, size_t size, char *out);

#endif
