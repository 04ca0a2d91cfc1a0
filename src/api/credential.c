#include "api/credential.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "core/base64.h"

#define BASIC_MAX 1024 /* characters of base64 */

static const char *skip_blank(const char *text)
{
    return text + strspn(text, " \t");
}

static size_t size_without_blank(const char *text)
{
    size_t size = strlen(text);

    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return size;
}

/* "name:password" in base64. */
static bool read_basic(const char *text, size_t size, struct credential *out)
{
    uint8_t bytes[BASIC_MAX];
    const uint8_t *colon;
    size_t decoded;

    if (size > BASIC_MAX || !base64_decode(text, size, bytes, &decoded))
        return false;
    colon = memchr(bytes, ':', decoded);
    if (!colon || memchr(bytes, '\0', decoded))
        return false;
    size_t name_size = (size_t)(colon - bytes);
    size_t password_size = decoded - name_size - 1;
    if (name_size >= sizeof out->name || password_size >= sizeof out->password)
        return false;
    memcpy(out->name, bytes, name_size);
    out->name[name_size] = '\0';
    memcpy(out->password, colon + 1, password_size);
    out->password[password_size] = '\0';
    return true;
}

enum credential_scheme credential_read(const char *header, struct credential *out)
{
    *out = (struct credential){0};
    if (!header)
        return CREDENTIAL_NONE;
    header = skip_blank(header);
    if (!*header)
        return CREDENTIAL_NONE;
    size_t scheme = strcspn(header, " \t");
    const char *rest = skip_blank(header + scheme);
    size_t size = size_without_blank(rest);
    if (scheme == 6 && strncasecmp(header, "Bearer", 6) == 0 && size > 0) {
        out->token = rest;
        out->token_size = size;
        return CREDENTIAL_BEARER;
    }
    if (scheme == 5 && strncasecmp(header, "Basic", 5) == 0 && read_basic(rest, size, out))
        return CREDENTIAL_BASIC;
    return CREDENTIAL_BAD;
}

const char *credential_find_cookie(const char *header, const char *name, size_t *size)
{
    size_t name_size = strlen(name);

    *size = 0;
    while (header && *header) {
        const char *pair = skip_blank(header);
        size_t length = strcspn(pair, ";");

        if (length > name_size && strncmp(pair, name, name_size) == 0 && pair[name_size] == '=') {
            const char *value = pair + name_size + 1;

            *size = length - name_size - 1;
            while (*size > 0 && (value[*size - 1] == ' ' || value[*size - 1] == '\t'))
                (*size)--;
            return value;
        }
        header = pair[length] ? pair + length + 1 : NULL;
    }
    return NULL;
}
