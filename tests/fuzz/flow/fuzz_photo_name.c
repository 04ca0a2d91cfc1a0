/* File names of photos: what is read can be written, and reads as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "flow/gbk.h"
#include "flow/photo_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static void write_and_read(const struct photo_name *name)
{
    char text[PHOTO_NAME_MAX];
    struct photo_name again;
    bool whole = photo_name_build(name, ".webp", text);

    require(strlen(text) < PHOTO_NAME_MAX && strpbrk(text, "/\\,;") == NULL && photo_name_is_picture(text));
    require(photo_name_parse(text, &again, NULL) == AIBOX_OK);
    require(strcmp(again.id, name->id) == 0 && again.number == name->number);
    if (whole)
        require(strcmp(again.name, name->name) == 0 && strcmp(again.department, name->department) == 0 &&
                strcmp(again.card, name->card) == 0 && strcmp(again.description, name->description) == 0 &&
                again.type == name->type);
}

static void read_name(const char *text)
{
    struct photo_name name;

    (void)photo_name_is_picture(text);
    if (photo_name_parse(text, &name, NULL) != AIBOX_OK)
        return;
    require(name.id[0] != '\0' && name.name[0] != '\0' && name.number >= 1);
    require(utf8_valid(name.id, strlen(name.id)) && utf8_valid(name.name, strlen(name.name)));
    write_and_read(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    char *converted = gbk_to_utf8((const char *)data, size, NULL);

    require(text != NULL);
    require(gbk_valid((const char *)data, size) == (converted != NULL));
    read_name(text);
    if (converted)
        read_name(converted);
    free(converted);
    free(text);
    return 0;
}
