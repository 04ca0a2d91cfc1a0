/* The fields of a device, one by one. */
#include "flow/device_dict.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flow/device_key.h"
#include "flow/devices.h"

#define ATTR_MAX       32768 /* bytes of device_attr as JSON */
#define COORDINATE_MAX 65535
#define MIN_FACE_MAX   10000 /* px */

/* One field: how its value is read. A reader returns a new reference, or NULL with `err` (never NULL) filled. */
struct field {
    const char *name, *alias; /* on the wire */
    const char *member;       /* in the document; NULL: `name` */
    json_t *(*read)(const struct field *field, const json_t *given, struct aibox_error *err);
    double min, max;     /* numbers: range; texts: most bytes = max */
    const char *choices; /* "a|b" */
};

static json_t *fail(struct aibox_error *err, enum aibox_status status, const char *text)
{
    (void)error_set(err, status, "%s", text);
    return NULL;
}

static json_t *kept(json_t *value, struct aibox_error *err)
{
    return value != NULL ? value : fail(err, AIBOX_PROCESS_FAILED, "out of memory");
}

/* ---- texts ---------------------------------------------------------------------------------------------- */

#define INTEGER_TEXT_SIZE 24

/* The text of a string, or of an integer in decimal; NULL for anything else. */
static const char *text_of(const json_t *given, char digits[INTEGER_TEXT_SIZE])
{
    if (!json_is_integer(given))
        return json_string_value(given);
    snprintf(digits, INTEGER_TEXT_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(given));
    return digits;
}

static bool has_control(const char *text, const char *allowed)
{
    for (const char *p = text; *p != '\0'; p++)
        if (((unsigned char)*p < ' ' || *p == 0x7f) && strchr(allowed, *p) == NULL)
            return true;
    return false;
}

static const char *read_plain(const struct field *field, const json_t *given, char digits[INTEGER_TEXT_SIZE],
                              const char *allowed, struct aibox_error *err)
{
    const char *text = text_of(given, digits);
    if (text == NULL) {
        (void)error_set(err, AIBOX_PARAM, "expected a text");
        return NULL;
    }
    if ((double)strlen(text) > field->max) {
        (void)error_set(err, AIBOX_PARAM, "expected at most %.0f bytes", field->max);
        return NULL;
    }
    if (has_control(text, allowed)) {
        (void)error_set(err, AIBOX_PARAM, "expected a text without control characters");
        return NULL;
    }
    return text;
}

static json_t *read_text(const struct field *field, const json_t *given, struct aibox_error *err)
{
    char digits[INTEGER_TEXT_SIZE];
    const char *text = read_plain(field, given, digits, "\n\r\t", err);
    return text == NULL ? NULL : kept(json_string(text), err);
}

/* Ids, names, keys: not empty, no ','. */
static json_t *read_name(const struct field *field, const json_t *given, struct aibox_error *err)
{
    char digits[INTEGER_TEXT_SIZE];
    const char *text = read_plain(field, given, digits, "", err);
    if (text == NULL)
        return NULL;
    if (text[0] == '\0')
        return fail(err, AIBOX_GROUP_NAME, "must not be empty");
    if (strchr(text, ',') != NULL)
        return fail(err, AIBOX_GROUP_NAME, "must not hold ','");
    return kept(json_string(text), err);
}

static bool in_choices(const char *choices, const char *word)
{
    size_t size = strlen(word);
    for (const char *choice = choices; choice != NULL;) {
        const char *bar = strchr(choice, '|');
        size_t length = bar != NULL ? (size_t)(bar - choice) : strlen(choice);
        if (length == size && memcmp(choice, word, size) == 0)
            return true;
        choice = bar != NULL ? bar + 1 : NULL;
    }
    return false;
}

static json_t *read_choice(const struct field *field, const json_t *given, struct aibox_error *err)
{
    const char *word = json_string_value(given);
    if (word != NULL && in_choices(field->choices, word))
        return kept(json_string(word), err);
    (void)error_set(err, AIBOX_PARAM, "expected one of %s", field->choices);
    return NULL;
}

static json_t *read_liveness(const struct field *field, const json_t *given, struct aibox_error *err)
{
    static const char prefix[] = "liveness_";
    const char *word = json_string_value(given);
    if (word != NULL && strncmp(word, prefix, strlen(prefix)) == 0)
        word += strlen(prefix);
    if (word != NULL && strcmp(word, "rgb_ir") == 0)
        return fail(err, AIBOX_NOT_IMPLEMENTED, "infrared liveness is not offered on this build");
    if (word != NULL && in_choices(field->choices, word))
        return kept(json_string(word), err);
    (void)error_set(err, AIBOX_PARAM, "expected one of %s", field->choices);
    return NULL;
}

/* ---- numbers -------------------------------------------------------------------------------------------- */

/* -?[0-9]+ with, if `fraction`, a decimal part and an exponent: of what strtod knows only that. */
static bool number_text(const char *text, bool fraction, double *out)
{
    char *end;
    const char *digits = text + (*text == '-');
    if (*digits < '0' || *digits > '9' || strspn(digits, fraction ? "0123456789.eE+-" : "0123456789") != strlen(digits))
        return false;
    errno = 0;
    *out = strtod(text, &end);
    return *end == '\0' && errno == 0 && isfinite(*out);
}

static bool read_number(const json_t *given, bool fraction, double *out)
{
    if (json_is_string(given))
        return number_text(json_string_value(given), fraction, out);
    *out = json_number_value(given);
    return json_is_integer(given) || (fraction && json_is_real(given));
}

static json_t *read_int(const struct field *field, const json_t *given, struct aibox_error *err)
{
    double number;
    if (read_number(given, false, &number) && number >= field->min && number <= field->max)
        return kept(json_integer((json_int_t)number), err);
    (void)error_set(err, AIBOX_PARAM, "expected an integer from %.0f to %.0f", field->min, field->max);
    return NULL;
}

static json_t *read_bool(const struct field *field, const json_t *given, struct aibox_error *err)
{
    char digits[INTEGER_TEXT_SIZE];
    const char *text = text_of(given, digits);
    (void)field;
    if (json_is_boolean(given))
        return kept(json_boolean(json_is_true(given)), err);
    if (text != NULL && in_choices("true|True|1", text))
        return kept(json_true(), err);
    if (text != NULL && in_choices("false|False|0", text))
        return kept(json_false(), err);
    return fail(err, AIBOX_BOOLEAN, "expected true or false");
}

static json_t *read_threshold(const struct field *field, const json_t *given, struct aibox_error *err)
{
    double number;
    const char *word = json_string_value(given);
    if (word != NULL && strcmp(word, "auto") == 0)
        return kept(json_string(word), err);
    if (read_number(given, true, &number) && number >= field->min && number <= field->max)
        return kept(json_real(number), err);
    (void)error_set(err, AIBOX_PARAM, "expected a number from %.0f to %.0f, or auto", field->min, field->max);
    return NULL;
}

/* [x1, y1, x2, y2]; [] and four zeros: everything. */
static json_t *read_roi(const struct field *field, const json_t *given, struct aibox_error *err)
{
    double v[4] = {0};
    size_t count = json_array_size(given);
    bool valid = json_is_array(given) && (count == 0 || count == 4);
    for (size_t i = 0; i < count && valid; i++)
        valid = read_number(json_array_get(given, i), true, &v[i]) && v[i] >= field->min && v[i] <= field->max;
    bool everything = v[0] == 0 && v[1] == 0 && v[2] == 0 && v[3] == 0;
    if (valid && everything)
        return kept(json_array(), err);
    if (!valid || !(v[0] < v[2]) || !(v[1] < v[3])) {
        (void)error_set(err, AIBOX_PARAM, "expected [x1, y1, x2, y2] in pixels, 0 to %.0f, with x1 < x2 and y1 < y2",
                        field->max);
        return NULL;
    }
    json_t *roi = json_array();
    for (size_t i = 0; i < 4; i++) {
        bool whole = floor(v[i]) == v[i];
        if (json_array_append_new(roi, whole ? json_integer((json_int_t)v[i]) : json_real(v[i])) != 0) {
            json_decref(roi);
            return kept(NULL, err);
        }
    }
    return roi;
}

/* ---- lists and dicts ------------------------------------------------------------------------------------ */

static bool list_has(const json_t *list, const char *text, size_t size)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_string_length(item) == size && memcmp(json_string_value(item), text, size) == 0)
            return true;
    }
    return false;
}

/* Names separated by ',': spaces around them, empty ones and repetitions are left out. */
static json_t *read_labels(const struct field *field, const json_t *given, struct aibox_error *err)
{
    char digits[INTEGER_TEXT_SIZE];
    const char *text = read_plain(field, given, digits, "", err);
    json_t *list = json_array();
    if (text == NULL || list == NULL) {
        json_decref(list);
        return text == NULL ? NULL : kept(NULL, err);
    }
    while (*text != '\0') {
        size_t end = strcspn(text, ","), from = strspn(text, " "), to = end;
        while (to > from && text[to - 1] == ' ')
            to--;
        if (to > from && !list_has(list, text + from, to - from) &&
            json_array_append_new(list, json_stringn(text + from, to - from)) != 0) {
            json_decref(list);
            return kept(NULL, err);
        }
        text += end + (text[end] == ',');
    }
    if (json_array_size(list) > DEVICE_MAX_LABELS) {
        json_decref(list);
        (void)error_set(err, AIBOX_PARAM, "expected at most %d names", DEVICE_MAX_LABELS);
        return NULL;
    }
    return list;
}

static json_t *read_dict(const struct field *field, const json_t *given, struct aibox_error *err)
{
    if (!json_is_object(given))
        return fail(err, AIBOX_PARAM, "expected an object");
    if ((double)json_dumpb(given, NULL, 0, JSON_COMPACT) > field->max) {
        (void)error_set(err, AIBOX_PARAM, "expected at most %.0f bytes of JSON", field->max);
        return NULL;
    }
    return kept(json_deep_copy(given), err);
}

static json_t *read_host(const struct field *field, const json_t *given, struct aibox_error *err)
{
    char digits[INTEGER_TEXT_SIZE];
    const char *text = read_plain(field, given, digits, "", err);
    if (text == NULL)
        return NULL;
    if (text[0] != '\0' && !device_host_valid(text))
        return fail(err, AIBOX_PARAM, "expected an IP address or a host name");
    return kept(json_string(text), err);
}

/* ---- the tables ------------------------------------------------------------------------------------------ */

static enum aibox_status read_fields(const struct field *fields, size_t n, const json_t *dict, const char *path,
                                     json_t *doc, struct aibox_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct field *field = &fields[i];
        struct aibox_error why = {0};
        const json_t *given = json_object_get(dict, field->name);
        if ((given == NULL || json_is_null(given)) && field->alias != NULL)
            given = json_object_get(dict, field->alias);
        if (given == NULL || json_is_null(given))
            continue;
        json_t *value = field->read(field, given, &why);
        if (value == NULL)
            return error_set(err, why.status, "%s.%s: %s", path, field->name, why.message);
        if (json_object_set_new(doc, field->member != NULL ? field->member : field->name, value) != 0)
            return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    return AIBOX_OK;
}

static const struct field relay_fields[] = {
    {.name = "ip", .read = read_host, .max = 253},
    {.name = "net_port", .read = read_int, .min = 1, .max = 65535},
    {.name = "door_port", .read = read_int, .min = 0, .max = DEVICE_MAX_CHANNELS},
    {.name = "delay_time", .read = read_int, .min = 1, .max = 255},
    {.name = "relay_type", .alias = "type", .read = read_choice, .choices = "modbus|http|tcp"},
    {.name = "channels", .read = read_int, .min = 1, .max = DEVICE_MAX_CHANNELS},
    {.name = "alarm_port", .read = read_int, .min = 0, .max = DEVICE_MAX_CHANNELS},
    {.name = "user", .read = read_text, .max = 256},
    {.name = "password", .read = read_text, .max = 256},
};

static const struct field device_fields[] = {
    {.name = "device_id", .read = read_name, .max = STORE_MAX_NAME},
    {.name = "device_name", .read = read_name, .max = STORE_MAX_NAME},
    {.name = "ep_type", .read = read_int, .min = 0, .max = 4},
    {.name = "device_key", .read = read_name, .max = DEVICE_URL_MAX},
    {.name = "device_type", .read = read_choice, .choices = "photo|rtsp|file"},
    {.name = "group_id", .alias = "group_name", .member = "groups", .read = read_labels, .max = 16384},
    {.name = "permission_id", .member = "permissions", .read = read_labels, .max = 16384},
    {.name = "device_attr", .read = read_dict, .max = ATTR_MAX},
    {.name = "direction", .read = read_int, .min = 0, .max = 1},
    {.name = "threshold", .read = read_threshold, .min = 0, .max = 1},
    {.name = "fiqa_level", .read = read_choice, .choices = "high|middle|low|custom|no"},
    {.name = "liveness_mode", .read = read_liveness, .choices = "off|rgb"},
    {.name = "roi_area", .read = read_roi, .min = 0, .max = COORDINATE_MAX},
    {.name = "min_face_size", .read = read_int, .min = 0, .max = MIN_FACE_MAX},
    {.name = "dedup_seconds", .read = read_int, .min = 0, .max = 3600},
    {.name = "is_monitor", .read = read_bool},
    {.name = "memo", .read = read_text, .max = DEVICE_TEXT_MAX},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A relay replaces the one there was as a whole. */
static enum aibox_status read_relay(const json_t *dict, const char *path, json_t *doc, struct aibox_error *err)
{
    char relay_path[DEVICE_PATH_SIZE];
    const json_t *given = json_object_get(dict, "netRelay");
    if (given == NULL || json_is_null(given))
        return AIBOX_OK;
    snprintf(relay_path, sizeof relay_path, "%s.netRelay", path);
    if (!json_is_object(given))
        return error_set(err, AIBOX_PARAM, "%s: expected an object", relay_path);
    json_t *relay = json_object();
    if (relay == NULL || json_object_set_new(doc, "netRelay", relay) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return read_fields(relay_fields, COUNT(relay_fields), given, relay_path, relay, err);
}

enum aibox_status device_dict_read(const json_t *dict, const char *path, json_t *doc, struct aibox_error *err)
{
    if (!json_is_object(dict))
        return error_set(err, AIBOX_PARAM, "%s: expected an object", path);
    enum aibox_status status = read_fields(device_fields, COUNT(device_fields), dict, path, doc, err);
    return status == AIBOX_OK ? read_relay(dict, path, doc, err) : status;
}
