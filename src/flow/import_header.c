/* Tables: what the columns mean, and cells. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flow/import_person.h"

/* Headings, in any case. */
static const char *const headings[IMPORT_COLUMNS][5] = {
    [IMPORT_IDENTITY_ID] = {"identity_id", "id", "编号", "工号"},
    [IMPORT_NAME] = {"name", "姓名"},
    [IMPORT_TYPE] = {"type", "类型"},
    [IMPORT_DEPARTMENT] = {"department", "部门"},
    [IMPORT_CARD] = {"card", "卡号"},
    [IMPORT_DESCRIPTION] = {"description", "备注"},
    [IMPORT_GROUPS] = {"group_name", "groups", "group", "分组"},
    [IMPORT_PERMISSIONS] = {"permission_ids", "permissions", "权限"},
    [IMPORT_PHOTO] = {"photo", "photos", "照片"},
    [IMPORT_INFO] = {"info"},
};

/* IMPORT_COLUMNS: another one. */
static int meaning_of(const char *heading)
{
    for (int i = 0; i < IMPORT_COLUMNS; i++)
        for (size_t k = 0; k < sizeof headings[i] / sizeof headings[i][0] && headings[i][k]; k++)
            if (strcasecmp(headings[i][k], heading) == 0)
                return i;
    return IMPORT_COLUMNS;
}

static enum aibox_status take_heading(struct import_header *header, size_t index, const char *heading,
                                      struct aibox_error *err)
{
    int meaning = meaning_of(heading);

    if (meaning < IMPORT_COLUMNS) {
        if (header->column[meaning] >= 0)
            return error_set(err, AIBOX_PARAM, "line 1: two columns are '%s'", headings[meaning][0]);
        header->column[meaning] = (int)index;
        return AIBOX_OK;
    }
    if (heading[0] == '\0')
        return AIBOX_OK;
    header->more[index] = strdup(heading);
    return header->more[index] ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

enum aibox_status import_header_read(const struct csv_record *record, struct import_header *out,
                                     struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    *out = (struct import_header){.count = record->count};
    for (int i = 0; i < IMPORT_COLUMNS; i++)
        out->column[i] = -1;
    for (size_t i = 0; i < record->count && status == AIBOX_OK; i++)
        status = take_heading(out, i, record->cells[i], err);
    if (status == AIBOX_OK && out->column[IMPORT_IDENTITY_ID] < 0)
        status = error_set(err, AIBOX_PARAM, "line 1: there is no column 'identity_id'");
    return status;
}

void import_header_free(struct import_header *header)
{
    for (size_t i = 0; i < CSV_MAX_CELLS; i++)
        free(header->more[i]);
    *header = (struct import_header){0};
}

const char *import_cell(const struct import_header *header, const struct csv_record *record, enum import_column column)
{
    int index = header->column[column];

    return index >= 0 && (size_t)index < record->count ? record->cells[index] : "";
}
