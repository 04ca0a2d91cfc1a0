#include "inbox.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inbox {
    size_t most;
    /* guarded by `mu` */
    pthread_mutex_t mu;
    struct inbox_entry *ring;
    size_t oldest; /* place of the oldest */
    size_t count;
    size_t bytes;
    uint64_t newest_seq;
};

enum aibox_status inbox_open(size_t most, struct inbox **out, struct aibox_error *err)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);

    *out = NULL;
    if (inbox)
        inbox->ring = calloc(most, sizeof *inbox->ring);
    if (!inbox || !inbox->ring || pthread_mutex_init(&inbox->mu, NULL) != 0) {
        if (inbox)
            free(inbox->ring);
        free(inbox);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    inbox->most = most;
    *out = inbox;
    return AIBOX_OK;
}

/* Number `index` from the oldest. */
static struct inbox_entry *entry_at(const struct inbox *inbox, size_t index)
{
    return &inbox->ring[(inbox->oldest + index) % inbox->most];
}

static size_t bytes_of(const struct inbox_entry *entry)
{
    size_t bytes = strlen(entry->head) + strlen(entry->body);

    for (size_t i = 0; i < entry->pictures.count; i++)
        bytes += entry->pictures.list[i].size;
    return bytes;
}

static void drop_oldest(struct inbox *inbox)
{
    struct inbox_entry *entry = entry_at(inbox, 0);

    inbox->bytes -= bytes_of(entry);
    free(entry->head);
    free(entry->body);
    pictures_free(&entry->pictures);
    inbox->oldest = (inbox->oldest + 1) % inbox->most;
    inbox->count--;
}

void inbox_close(struct inbox *inbox)
{
    if (!inbox)
        return;
    while (inbox->count > 0)
        drop_oldest(inbox);
    free(inbox->ring);
    (void)pthread_mutex_destroy(&inbox->mu);
    free(inbox);
}

void inbox_put_take(struct inbox *inbox, struct inbox_entry *entry)
{
    size_t bytes = bytes_of(entry);

    pthread_mutex_lock(&inbox->mu);
    while (inbox->count > 0 && (inbox->count == inbox->most || inbox->bytes + bytes > INBOX_BYTES))
        drop_oldest(inbox);
    entry->seq = ++inbox->newest_seq;
    *entry_at(inbox, inbox->count) = *entry;
    inbox->count++;
    inbox->bytes += bytes;
    pthread_mutex_unlock(&inbox->mu);
    *entry = (struct inbox_entry){0};
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

static void write_entry(const struct inbox_entry *entry, bool body, struct json_out *out)
{
    json_out_object_begin(out);
    json_out_key_int(out, "seq", (int64_t)entry->seq);
    json_out_members(out, entry->head);
    json_out_key(out, "pictures");
    json_out_array_begin(out);
    for (size_t i = 0; i < entry->pictures.count; i++) {
        const struct picture *picture = &entry->pictures.list[i];
        char url[64];

        (void)snprintf(url, sizeof url, "/api/pictures/%llu/%zu", (unsigned long long)entry->seq, i);
        json_out_object_begin(out);
        json_out_key_text(out, "field", picture->field);
        json_out_key_text(out, "type", picture->type);
        json_out_key_int(out, "size", (int64_t)picture->size);
        json_out_key_text(out, "url", url);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    if (body) {
        json_out_key(out, "body");
        json_out_raw(out, entry->body);
    }
    json_out_object_end(out);
}

static bool is_asked_for(const struct inbox_entry *entry, const struct inbox_query *query)
{
    return entry->seq > query->after && (query->any_kind || entry->kind == query->kind);
}

/* Index of the first message to write, so that `limit` of those asked for come. */
static size_t first_of(const struct inbox *inbox, const struct inbox_query *query)
{
    size_t index = inbox->count;
    size_t found = 0;

    while (index > 0 && found < query->limit) {
        index--;
        found += is_asked_for(entry_at(inbox, index), query);
    }
    return index;
}

void inbox_write(struct inbox *inbox, const struct inbox_query *query, struct json_out *out)
{
    bool cut = false;

    json_out_key(out, "received");
    json_out_array_begin(out);
    pthread_mutex_lock(&inbox->mu);
    for (size_t index = first_of(inbox, query); index < inbox->count; index++) {
        const struct inbox_entry *entry = entry_at(inbox, index);
        bool fits = out->buffer.size + strlen(entry->body) <= INBOX_ANSWER;

        if (!is_asked_for(entry, query))
            continue;
        write_entry(entry, query->bodies && fits, out);
        cut = cut || (query->bodies && !fits);
    }
    json_out_array_end(out);
    json_out_key_int(out, "newest", (int64_t)inbox->newest_seq);
    pthread_mutex_unlock(&inbox->mu);
    json_out_key_bool(out, "cut", cut);
}

static const struct inbox_entry *find(const struct inbox *inbox, uint64_t seq)
{
    for (size_t index = 0; index < inbox->count; index++)
        if (entry_at(inbox, index)->seq == seq)
            return entry_at(inbox, index);
    return NULL;
}

bool inbox_write_one(struct inbox *inbox, uint64_t seq, struct json_out *out)
{
    const struct inbox_entry *entry;

    pthread_mutex_lock(&inbox->mu);
    entry = find(inbox, seq);
    if (entry)
        write_entry(entry, true, out);
    pthread_mutex_unlock(&inbox->mu);
    return entry != NULL;
}

uint8_t *inbox_picture(struct inbox *inbox, uint64_t seq, size_t index, size_t *size, const char **type)
{
    const struct inbox_entry *entry;
    uint8_t *copy = NULL;

    pthread_mutex_lock(&inbox->mu);
    entry = find(inbox, seq);
    if (entry && index < entry->pictures.count) {
        const struct picture *picture = &entry->pictures.list[index];

        copy = malloc(picture->size);
        if (copy)
            memcpy(copy, picture->bytes, picture->size);
        *size = picture->size;
        *type = picture->type;
    }
    pthread_mutex_unlock(&inbox->mu);
    return copy;
}
