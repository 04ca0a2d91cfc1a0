/*
 * The config file. Read twice: the first pass only checks, so that a bad line changes nothing; the
 * second takes the values over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/settings.h"
#include "core/utf8.h"

/* A piece of the file, not NUL-terminated. */
struct span {
    const char *text;
    size_t size;
};

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

static struct span trim(struct span span)
{
    while (span.size && is_blank(span.text[0])) {
        span.text++;
        span.size--;
    }
    while (span.size && is_blank(span.text[span.size - 1]))
        span.size--;
    return span;
}

/* Takes the next line off `rest`, without its end. False at the end of the file. */
static bool next_line(struct span *rest, struct span *line)
{
    const char *end;

    if (!rest->size)
        return false;
    end = memchr(rest->text, '\n', rest->size);
    line->text = rest->text;
    line->size = end ? (size_t)(end - rest->text) : rest->size;
    rest->text += line->size + (end ? 1 : 0);
    rest->size -= line->size + (end ? 1 : 0);
    return true;
}

/* Cuts a comment off: from a '#' at the line's start or after white space. */
static struct span without_comment(struct span line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (line.text[i] == '#' && (i == 0 || is_blank(line.text[i - 1]))) {
            line.size = i;
            break;
        }
    }
    return line;
}

/* Takes `key = value` apart into two NUL-terminated copies in one block, freed with free(*key). */
static enum aibox_status split_line(struct span line, char **key, char **value, struct aibox_error *err)
{
    const char *equals = memchr(line.text, '=', line.size);
    struct span left;
    struct span right;

    if (!equals)
        return error_set(err, AIBOX_PARAM, "'key = value' expected");
    left = trim((struct span){line.text, (size_t)(equals - line.text)});
    right = trim((struct span){equals + 1, line.size - (size_t)(equals - line.text) - 1});
    *key = malloc(left.size + right.size + 2);
    if (!*key)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    *value = *key + left.size + 1;
    memcpy(*key, left.text, left.size);
    (*key)[left.size] = '\0';
    memcpy(*value, right.text, right.size);
    (*value)[right.size] = '\0';
    return AIBOX_OK;
}

/*
 * One line. With `settings` NULL it is checked, and its number noted in seen[row of the table];
 * otherwise its value is taken over.
 */
static enum aibox_status load_line(struct settings *settings, struct span line, size_t number, size_t *seen,
                                   struct aibox_error *err)
{
    enum aibox_status status;
    char *key = NULL;
    char *value = NULL;

    line = trim(without_comment(line));
    if (!line.size)
        return AIBOX_OK;
    status = split_line(line, &key, &value, err);
    if (status == AIBOX_OK && settings) {
        status = settings_put(settings, SETTINGS_FILE, key, value, err);
    } else if (status == AIBOX_OK) {
        status = settings_check(key, value, err);
        if (status == AIBOX_OK) {
            size_t *first = &seen[settings_find(key) - settings_table];

            if (*first)
                status = error_set(err, AIBOX_PARAM, "%s is set in line %zu already", key, *first);
            *first = number;
        }
    }
    if (status != AIBOX_OK)
        error_prefix(err, "line %zu", number);
    free(key);
    return status;
}

static enum aibox_status load_lines(struct settings *settings, struct span rest, size_t *seen, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    struct span line;

    for (size_t number = 1; status == AIBOX_OK && next_line(&rest, &line); number++)
        status = load_line(settings, line, number, seen, err);
    return status;
}

enum aibox_status settings_load_text(struct settings *settings, const char *text, size_t size, struct aibox_error *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct span file = {text, size};
    enum aibox_status status;
    size_t *seen;

    if (size > SETTINGS_FILE_MAX)
        return error_set(err, AIBOX_PARAM, "the config file is larger than %d bytes", SETTINGS_FILE_MAX);
    if (!utf8_valid(text, size) || (size && memchr(text, '\0', size)))
        return error_set(err, AIBOX_PARAM, "the config file is not UTF-8 text");
    /* Some editors begin a file with it. */
    if (size >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        file = (struct span){text + 3, size - 3};
    seen = calloc(settings_count, sizeof *seen);
    if (!seen)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    status = load_lines(NULL, file, seen, err);
    if (status == AIBOX_OK) {
        for (size_t i = 0; i < settings_count; i++)
            if (!seen[i])
                settings_forget(settings, SETTINGS_FILE, settings_table[i].key);
        status = load_lines(settings, file, NULL, err);
    }
    free(seen);
    return status;
}

/* Reads until the end or until `text` is full; false on an error, told in errno. */
static bool read_all(int file, char *text, size_t capacity, size_t *size)
{
    *size = 0;
    while (*size < capacity) {
        ssize_t got = read(file, text + *size, capacity - *size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        *size += (size_t)got;
    }
    return true;
}

enum aibox_status settings_load_file(struct settings *settings, const char *path, struct aibox_error *err)
{
    enum aibox_status status;
    size_t size;
    char *text = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        status = errno == ENOENT ? AIBOX_NOT_FOUND : AIBOX_PROCESS_FAILED;
        return error_set(err, status, "the config file can't be opened: %s", strerrordesc_np(errno));
    }
    text = malloc(SETTINGS_FILE_MAX + 1); /* one more tells a file that is too large */
    if (!text)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    else if (!read_all(file, text, SETTINGS_FILE_MAX + 1, &size))
        status = error_set(err, AIBOX_PROCESS_FAILED, "the config file can't be read: %s", strerrordesc_np(errno));
    else
        status = settings_load_text(settings, text, size, err);
    free(text);
    close(file);
    return status;
}
