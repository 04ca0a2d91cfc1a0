/* Config files: a file that is taken leaves only values that pass their own check; one that is refused
 * says why and changes nothing. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/settings.h"
#include "core/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_values(struct settings *settings, bool loaded)
{
    for (size_t i = 0; i < settings_count; i++) {
        enum settings_source source;
        char text[4096];

        check(settings_print(settings, settings_table[i].key, text, sizeof text, &source) < sizeof text);
        check(settings_check(settings_table[i].key, text, NULL) == AIBOX_OK);
        check(loaded || source == SETTINGS_DEFAULT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings *settings;
    struct aibox_error err = {0};
    enum aibox_status status;

    check(settings_open(&settings, &err) == AIBOX_OK);
    status = settings_load_text(settings, (const char *)data, size, &err);
    check(status == AIBOX_OK || (status == AIBOX_PARAM && err.message[0] != '\0'));
    check(utf8_valid(err.message, strlen(err.message)));
    check_values(settings, status == AIBOX_OK);
    settings_close(settings);
    return 0;
}
