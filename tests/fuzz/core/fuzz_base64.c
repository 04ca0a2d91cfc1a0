/* Base64: exact memory, decoding in place gives the same, and what was decoded survives a round trip. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_round_trip(const uint8_t *bytes, size_t size)
{
    size_t encoded = base64_encoded_size(size);
    char *text = malloc(encoded + 1);
    uint8_t *back = malloc(base64_decoded_max(encoded));
    size_t back_size;

    check(text && back);
    base64_encode(bytes, size, text);
    check(text[encoded] == '\0');
    check(base64_decode(text, encoded, back, &back_size));
    check(back_size == size && (size == 0 || memcmp(back, bytes, size) == 0));
    free(text);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t room = base64_decoded_max(size);
    uint8_t *out = malloc(room);
    uint8_t *same = malloc(room > size ? room : size);
    size_t out_size;
    size_t same_size;
    bool done;

    check(out && same);
    if (size)
        memcpy(same, data, size);
    done = base64_decode((const char *)data, size, out, &out_size);
    check(out_size <= room);
    check(base64_decode((const char *)same, size, same, &same_size) == done);
    check(out_size == same_size && (!done || out_size == 0 || memcmp(out, same, out_size) == 0));
    if (done)
        check_round_trip(out, out_size);
    check_round_trip(data, size);
    free(out);
    free(same);
    return 0;
}
