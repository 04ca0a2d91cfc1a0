/* Templates: never more than the buffer takes, a reason for each refusal, and plain text unchanged. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "door/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void check(bool holds)
{
    if (!holds)
        abort();
}

static void expand(const char *text, enum template_kind kind, int channel)
{
    struct template_values values = {
        .host = "[fe80::1%25eth0]", .port = 65535, .channel = channel, .seconds = 255, .action = "closedoor"};
    struct aibox_error err = {0};
    struct buffer out;
    enum aibox_status status;

    buffer_init(&out, 512);
    status = template_expand(text, kind, &values, &out, &err);
    check(out.size <= 512);
    check(status == AIBOX_OK || (status == AIBOX_PARAM && err.message[0] != '\0'));
    if (status == AIBOX_OK && !strchr(text, '{') && (kind == TEMPLATE_TEXT || !strchr(text, '\\')))
        check(out.size == strlen(text) && (out.size == 0 || memcmp(out.data, text, out.size) == 0));
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    for (int channel = 0; channel <= 64; channel += 64) {
        expand(text, TEMPLATE_TEXT, channel);
        expand(text, TEMPLATE_BYTES, channel);
    }
    (void)template_names_channel(text);
    free(text);
    return 0;
}
