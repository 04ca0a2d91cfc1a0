/* Addresses of a platform: whatever comes of them is a URL, and no foreign host sees the token. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char root[] = "http://platform:9061";

static void check(const struct address_platform *platform, enum address_use use, const char *text)
{
    char *url = NULL, *origin = NULL;

    if (address_compose(platform, use, "path", text, &url, NULL) != AIBOX_OK)
        return;
    if (address_origin(url, &origin, NULL) != AIBOX_OK || strlen(url) > ADDRESS_MAX)
        __builtin_trap();
    if (use != ADDRESS_PLATFORM && strstr(url, "t0ken") != NULL && strcmp(origin, root) != 0)
        __builtin_trap();
    for (const char *c = url; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            __builtin_trap();
    free(origin);
    free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address_platform platform = {
        .login_url = "http://platform:9061/login", .img_server = "", .dev_sno = "SE1", .token = "t0ken"};
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (strstr(text, "t0ken") == NULL)
        for (int use = ADDRESS_PLATFORM; use <= ADDRESS_RELATIVE_PICTURE; use++)
            check(&platform, (enum address_use)use, text);
    free(text);
    return 0;
}
