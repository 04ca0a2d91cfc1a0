/* multipart/form-data: parts lie within the body, names and texts are what they are said to be. The first byte chooses
 * the boundary. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/form.h"
#include "core/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const boundaries[] = {"B", "-", "--", "----WebKitFormBoundary7MA4YWxkTrZu0gW"};
    const char *boundary;
    struct arena arena;
    struct form form;
    char *body;

    if (size == 0)
        return 0;
    boundary = boundaries[data[0] % 4];
    size--;
    body = malloc(size + 1);
    check(body);
    memcpy(body, data + 1, size);
    body[size] = '\0';
    arena_init(&arena);
    if (form_parse_multipart(&arena, body, size, boundary, &form, NULL) == AIBOX_OK) {
        check(form.count <= FORM_MAX_PARTS);
        for (size_t i = 0; i < form.count; i++) {
            const struct form_part *part = &form.parts[i];

            check(strlen(part->name) <= FORM_MAX_NAME && utf8_valid(part->name, strlen(part->name)));
            check(part->value >= body && part->size <= size && part->value + part->size <= body + size);
            check(part->value[part->size] == '\0');
            check(i == 0 || part->value > form.parts[i - 1].value + form.parts[i - 1].size);
            check(part->file || (strlen(part->value) == part->size && utf8_valid(part->value, part->size)));
        }
    }
    arena_free(&arena);
    free(body);
    return 0;
}
