/* What a camera says of its picture: what is taken is an object that reads as itself, and every refusal has a reason.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "intake/ftp_files.h"
#include "intake/sidecar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static void read_sidecar(const char *bytes, size_t size)
{
    struct aibox_error err = {.message = ""};
    char *text, *again;
    if (sidecar_parse(bytes, size, &text, &err) != AIBOX_OK) {
        require(text == NULL && err.message[0] != '\0');
        return;
    }
    size_t length = strlen(text);
    require(text[0] == '{' && strchr(text, '\n') == NULL && utf8_valid(text, length));
    if (length <= SIDECAR_MAX_BYTES) {
        require(sidecar_parse(text, length, &again, NULL) == AIBOX_OK && strcmp(text, again) == 0);
        free(again);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int first, last;
    char *text = strndup((const char *)data, size);
    require(text != NULL);
    read_sidecar((const char *)data, size);
    if (ftp_passive_parse(text, &first, &last))
        require(first >= 1 && first <= last && last <= 65535);
    (void)ftp_public_address_valid(text);
    free(text);
    return 0;
}
