#include "flow/export_events.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/buffer.h"
#include "core/clock.h"
#include "flow/csv.h"
#include "flow/flow.h"
#include "flow/spool.h"
#include "flow/zip_out.h"

#define PAGE      200 /* events read at a time */
#define ROW_MAX   ((size_t)256 << 10)
#define CELL_SIZE (2 * STORE_MAX_DESCRIPTION)
#define TABLE     "events.csv"
#define UTF8_MARK "\xEF\xBB\xBF"

enum column {
    TIME,
    EVENT_ID,
    IDENTITY_ID,
    NAME,
    PERSON_TYPE,
    GROUP,
    EP_ID,
    DEVICE_IP,
    REASON,
    VERDICT,
    SCORE,
    THRESHOLD,
    ACTION,
    ROOM,
    SPOT,
    FACE,
    COLUMNS
};

static const char *const heading[COLUMNS] = {
    [TIME] = "time",
    [EVENT_ID] = "event_id",
    [IDENTITY_ID] = "identity_id",
    [NAME] = "name",
    [PERSON_TYPE] = "person_type",
    [GROUP] = "group",
    [EP_ID] = "ep_id",
    [DEVICE_IP] = "device_ip",
    [REASON] = "reason",
    [VERDICT] = "verdict",
    [SCORE] = "score",
    [THRESHOLD] = "threshold",
    [ACTION] = "action",
    [ROOM] = "room",
    [SPOT] = "spot_picture",
    [FACE] = "face_picture",
};

struct export
{
    const struct events_export *request;
    struct zip_out zip;
    struct spool table; /* of an archive, until all pictures are written */
    uint32_t table_crc;
    struct buffer row;
    char cells[COLUMNS][CELL_SIZE];
};

/* ---- the table -------------------------------------------------------------------------------------------- */

/* Excel and others calculate what begins so (OWASP, "CSV Injection"). */
static void put_text(char *cell, const char *text)
{
    bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;

    (void)snprintf(cell, CELL_SIZE, "%s%s", formula ? "'" : "", text);
}

static void put_score(char *cell, float score)
{
    if (isnan(score))
        cell[0] = '\0';
    else
        (void)snprintf(cell, CELL_SIZE, "%.4f", (double)score);
}

/* Local time with its distance from UTC, ISO 8601. */
static void put_time(char *cell, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    char zone[8];
    size_t n;

    cell[0] = '\0';
    if (localtime_r(&seconds, &local) == NULL || (n = strftime(cell, CELL_SIZE, "%Y-%m-%dT%H:%M:%S", &local)) == 0 ||
        strftime(zone, sizeof zone, "%z", &local) != 5)
        return;
    (void)snprintf(cell + n, CELL_SIZE - n, ".%03d%.3s:%s", (int)(ms % 1000), zone, zone + 3);
}

static enum aibox_status add_line(struct export *export, const char *const cells[COLUMNS], struct aibox_error *err)
{
    const struct events_export *request = export->request;

    csv_add_line(&export->row, cells, COLUMNS);
    if (export->row.failed)
        return error_set(err, AIBOX_PROCESS_FAILED, "an event is too long for a row, or memory ran out");
    if (!request->with_pictures)
        return request->write(request->ctx, export->row.data, export->row.size)
                   ? AIBOX_OK
                   : error_set(err, AIBOX_PROCESS_FAILED, "nobody takes the export any more");
    export->table_crc = zip_out_crc(export->table_crc, export->row.data, export->row.size);
    return spool_add(&export->table, export->row.data, export->row.size, err);
}

static enum aibox_status add_heading(struct export *export, struct aibox_error *err)
{
    buffer_clear(&export->row);
    (void)buffer_append_text(&export->row, UTF8_MARK);
    return add_line(export, heading, err);
}

static enum aibox_status add_event(struct export *export, const struct store_event *event, struct aibox_error *err)
{
    const char *cells[COLUMNS];

    put_time(export->cells[TIME], event->timestamp_ms);
    put_text(export->cells[EVENT_ID], event->event_id);
    put_text(export->cells[IDENTITY_ID], event->identity_id);
    put_text(export->cells[NAME], event->identity_name);
    (void)snprintf(export->cells[PERSON_TYPE], CELL_SIZE, "%d", event->person_type);
    put_text(export->cells[GROUP], event->group_name);
    put_text(export->cells[EP_ID], event->ep_id);
    put_text(export->cells[DEVICE_IP], event->device_ip);
    put_text(export->cells[REASON], event->reason);
    put_text(export->cells[VERDICT], flow_verdict_names[event->verdict]);
    put_score(export->cells[SCORE], event->score);
    put_score(export->cells[THRESHOLD], event->threshold);
    put_text(export->cells[ACTION], event->action);
    put_text(export->cells[ROOM], event->room);
    for (size_t i = 0; i < COLUMNS; i++)
        cells[i] = export->cells[i];
    buffer_clear(&export->row);
    return add_line(export, cells, err);
}

/* ---- pictures --------------------------------------------------------------------------------------------- */

/* Fills the cell with the name of the entry; one that is not there, or gone meanwhile, leaves it empty. */
static enum aibox_status add_picture(struct export *export, const struct store_event *event, const char *image_id,
                                     const char *kind, char *cell, struct aibox_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = AIBOX_ID_NOT_FOUND;

    cell[0] = '\0';
    if (export->request->with_pictures && image_id[0] != '\0')
        status = store_picture_get(export->request->store, image_id, &bytes, &size, err);
    if (status == AIBOX_ID_NOT_FOUND)
        return AIBOX_OK;
    if (status == AIBOX_OK) {
        (void)snprintf(cell, CELL_SIZE, "pictures/%s-%s.jpg", event->event_id, kind);
        status = zip_out_add(&export->zip, cell, bytes, size, err);
    }
    free(bytes);
    return status;
}

static enum aibox_status add_whole_event(struct export *export, const struct store_event *event,
                                         struct aibox_error *err)
{
    enum aibox_status status = add_picture(export, event, event->spot_id, "spot", export->cells[SPOT], err);

    if (status == AIBOX_OK)
        status = add_picture(export, event, event->face_id, "face", export->cells[FACE], err);
    return status == AIBOX_OK ? add_event(export, event, err) : status;
}

/* ---- walking ------------------------------------------------------------------------------------------------ */

/* Each page begins at the time of the last event written, and skips those of that time that were: a page far behind
 * costs no more than the first. */
static enum aibox_status walk(struct export *export, struct aibox_error *err)
{
    struct store_event_query query = export->request->query;
    enum aibox_status status = AIBOX_OK;
    int64_t now_ms = clock_realtime_ms();
    bool more = true;

    query.oldest_first = true;
    query.skip = 0;
    query.limit = PAGE;
    if (query.to_ms == 0 || query.to_ms > now_ms)
        query.to_ms = now_ms;
    while (more && status == AIBOX_OK) {
        struct store_event_list page = {0};
        status = store_event_list(export->request->store, &query, &page, err);
        for (size_t i = 0; i < page.count && status == AIBOX_OK; i++) {
            int64_t ms = page.items[i].timestamp_ms;
            query.skip = ms == query.from_ms ? query.skip + 1 : 1;
            query.from_ms = ms;
            status = add_whole_event(export, &page.items[i], err);
        }
        more = page.count == PAGE;
        store_event_list_free(&page);
    }
    return status;
}

static enum aibox_status write_archive(struct export *export, struct aibox_error *err)
{
    enum aibox_status status = add_heading(export, err);

    if (status == AIBOX_OK)
        status = walk(export, err);
    if (status == AIBOX_OK && export->request->with_pictures)
        status = zip_out_add_spool(&export->zip, TABLE, &export->table, export->table_crc, err);
    if (status == AIBOX_OK && export->request->with_pictures)
        status = zip_out_finish(&export->zip, err);
    return status;
}

enum aibox_status export_events(const struct events_export *request, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    struct export *export = calloc(1, sizeof *export);

    if (export == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    export->request = request;
    buffer_init(&export->row, ROW_MAX);
    if (request->with_pictures)
        status = zip_out_open(&export->zip, request->folder, request->write, request->ctx, err);
    if (status == AIBOX_OK && request->with_pictures)
        status = spool_open(request->folder, &export->table, err);
    if (status == AIBOX_OK)
        status = write_archive(export, err);
    buffer_free(&export->row);
    if (request->with_pictures) {
        spool_close(&export->table);
        zip_out_close(&export->zip);
    }
    free(export);
    return status;
}
