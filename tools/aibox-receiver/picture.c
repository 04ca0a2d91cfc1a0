#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"

static const char *const fields[] = {"reg_pic", "spot_pic", "recognize_face", "reg_photo", "image_base64_str"};
#define N_FIELDS (sizeof fields / sizeof fields[0])

/* The constant of that name, or NULL. */
static const char *field_of(const char *name)
{
    for (size_t i = 0; i < N_FIELDS; i++)
        if (strcmp(fields[i], name) == 0)
            return fields[i];
    return NULL;
}

bool picture_is_field(const char *name)
{
    return field_of(name) != NULL;
}

const char *picture_type(const uint8_t *bytes, size_t size)
{
    if (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        return "image/jpeg";
    if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        return "image/png";
    if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return "image/webp";
    if (size >= 6 && (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0))
        return "image/gif";
    if (size >= 14 && memcmp(bytes, "BM", 2) == 0)
        return "image/bmp";
    return NULL;
}

/* Decodes `text` to the end of the list. *taken: it is there. False: out of memory. */
static bool take(struct pictures *out, const char *field, const json_t *text, bool *taken)
{
    const char *base64 = json_string_value(text);
    size_t length = json_string_length(text);
    struct picture *picture = &out->list[out->count];
    uint8_t *bytes;

    *taken = false;
    if (length == 0 || out->count == PICTURES_MAX)
        return true;
    bytes = malloc(base64_decoded_max(length) + 1);
    if (!bytes)
        return false;
    *picture = (struct picture){.field = field, .bytes = bytes};
    if (base64_decode(base64, length, bytes, &picture->size))
        picture->type = picture_type(bytes, picture->size);
    *taken = picture->type != NULL;
    if (*taken) {
        out->count++;
    } else {
        out->unreadable++;
        free(bytes);
    }
    return true;
}

static bool lift_from(json_t *value, struct pictures *out);

/* One member of an object. */
static bool lift_member(json_t *object, const char *key, json_t *value, struct pictures *out)
{
    const char *field = json_is_string(value) ? field_of(key) : NULL;
    char words[64];
    bool taken;

    if (!field)
        return lift_from(value, out);
    if (!take(out, field, value, &taken))
        return false;
    if (!taken)
        return true;
    (void)snprintf(words, sizeof words, "<%s, %zu bytes>", out->list[out->count - 1].type,
                   out->list[out->count - 1].size);
    /* Replacing the value of a key that is there leaves an iteration valid. */
    return json_object_set_new(object, key, json_string(words)) == 0;
}

/* As deep as the parser let it become. */
static bool lift_from(json_t *value, struct pictures *out)
{
    if (json_is_object(value)) {
        const char *key;
        json_t *member;

        json_object_foreach(value, key, member) if (!lift_member(value, key, member, out)) return false;
    } else if (json_is_array(value)) {
        size_t index;
        json_t *element;

        json_array_foreach(value, index, element) if (!lift_from(element, out)) return false;
    }
    return true;
}

bool pictures_lift(json_t *body, struct pictures *out)
{
    *out = (struct pictures){0};
    if (lift_from(body, out))
        return true;
    pictures_free(out);
    return false;
}

void pictures_free(struct pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++)
        free(pictures->list[i].bytes);
    *pictures = (struct pictures){0};
}
