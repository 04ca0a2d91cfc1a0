/* The headers Authorization and Cookie. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool lies_within(const char *part, size_t part_size, const char *whole)
{
    return part >= whole && part + part_size <= whole + strlen(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* of its very size: what reads beyond is seen */
    struct credential credential;
    size_t value_size;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    switch (credential_read(text, &credential)) {
    case CREDENTIAL_BEARER:
        check(credential.token_size > 0 && lies_within(credential.token, credential.token_size, text));
        break;
    case CREDENTIAL_BASIC:
        check(strlen(credential.name) < sizeof credential.name && !strchr(credential.name, ':'));
        check(strlen(credential.password) < sizeof credential.password);
        break;
    case CREDENTIAL_NONE:
    case CREDENTIAL_BAD:
        break;
    }
    const char *value = credential_find_cookie(text, "aibox_session", &value_size);
    check(!value || (lies_within(value, value_size, text) && !memchr(value, ';', value_size)));
    free(text);
    return 0;
}
