/*
 * A device from outside. First line: a stream URL; if it is taken, no form in which it is shown holds its password, all
 * forms are URLs again, and the shown one gives the stored one back. Second line: a device as JSON; if its fields are
 * taken, reading them once more changes nothing.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow/device_dict.h"
#include "flow/device_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_url(const char *url)
{
    char *shown, *open, *back, *host;
    if (device_url_check(url, NULL) != AIBOX_OK) {
        check(device_url_restore(url, NULL, &back, NULL) == AIBOX_PARAM && back == NULL);
        return;
    }
    shown = device_url_shown(url);
    open = device_url_public(url);
    host = device_url_host(url);
    check(shown != NULL && open != NULL && host != NULL && device_host_valid(host));
    check(strchr(open + strlen("rtsp://"), '@') == NULL || strchr(open, '?') != NULL);
    check(device_url_check(open, NULL) == AIBOX_OK || strlen(open) > DEVICE_URL_MAX);
    if (device_url_check(shown, NULL) == AIBOX_OK) {
        char *again = device_url_shown(shown);
        check(again != NULL && strcmp(again, shown) == 0); /* nothing was left to hide */
        free(again);
        check(device_url_restore(shown, url, &back, NULL) == AIBOX_OK && strcmp(back, url) == 0);
        free(back);
    } else {
        check(strlen(shown) > DEVICE_URL_MAX);
    }
    free(host);
    free(open);
    free(shown);
}

static void check_dict(const char *text, size_t size)
{
    json_t *dict = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    json_t *doc = json_object();
    struct aibox_error err;
    check(doc != NULL);
    if (dict != NULL && device_dict_read(dict, "device", doc, &err) == AIBOX_OK) {
        json_t *stored = json_deep_copy(doc);
        check(stored != NULL && device_dict_read(dict, "device", doc, &err) == AIBOX_OK && json_equal(doc, stored));
        if (device_dict_check(doc, NULL, "device", &err) == AIBOX_OK) {
            json_decref(stored);
            stored = json_deep_copy(doc);
            check(device_dict_check(doc, stored, "device", &err) == AIBOX_OK && json_equal(doc, stored));
        }
        json_decref(stored);
    }
    json_decref(doc);
    json_decref(dict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = memchr(data, '\n', size);
    size_t first = line != NULL ? (size_t)(line - data) : size;
    char *url = malloc(first + 1);
    check(url != NULL);
    memcpy(url, data, first);
    url[first] = '\0';
    check_url(url);
    free(url);
    if (line != NULL)
        check_dict((const char *)line + 1, size - first - 1);
    return 0;
}
