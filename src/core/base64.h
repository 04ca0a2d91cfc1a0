/* Base64 (RFC 4648 §§ 4, 5) for pictures in JSON. Any thread. */
#ifndef AIBOX_CORE_BASE64_H
#define AIBOX_CORE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that `base64_decode` may write for `size` characters. */
size_t base64_decoded_max(size_t size);

/*
 * Decodes `size` characters. Takes a `data:<media type>;base64,` prefix (RFC 2397), white space and line
 * breaks anywhere after it, '=' padding complete or missing, and both alphabets, the standard and the
 * URL-safe one. Bits that the last character carries beyond the last byte are ignored. False for
 * anything else: a foreign character, one lone character at the end, wrong padding, text after the
 * padding; `out` then holds rubbish. `out` has room for base64_decoded_max(size) bytes and may be the
 * same memory as `text` (decoding in place).
 */
bool base64_decode(const char *text, size_t size, uint8_t *out, size_t *out_size);

/* Characters without NUL for `size` bytes; writes them and a NUL into `out`. Padded, no line breaks. */
size_t base64_encoded_size(size_t size);
void base64_encode(const uint8_t *bytes, size_t size, char *out);

#endif
