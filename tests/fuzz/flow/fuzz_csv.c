/* Tables of people: records, headings, people. A record that is read again is the same. */
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "flow/csv.h"
#include "flow/import_person.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static void read_person(const struct import_header *header, const struct csv_record *record)
{
    struct import_person person;

    if (import_person_of_row(header, record, &person, NULL) == AIBOX_OK) {
        char *text = json_dumps(person.info, JSON_COMPACT);

        require(text != NULL && person.identity_id[0] != '\0');
        require(utf8_valid(person.identity_id, strlen(person.identity_id)));
        free(text);
    }
    import_person_free(&person);
}

static void read_again(const struct csv_reader *reader, const struct csv_record *record)
{
    struct csv_reader second = *reader;
    struct csv_record same;

    second.at = record->at;
    second.line = record->line;
    csv_record_init(&same);
    require(csv_next(&second, &same, NULL) == CSV_RECORD && same.count == record->count && second.at == reader->at &&
            second.line == reader->line);
    for (size_t i = 0; i < same.count; i++)
        require(strcmp(same.cells[i], record->cells[i]) == 0);
    csv_record_free(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct import_header header = {0};
    struct csv_reader reader;
    struct csv_record record;
    bool has_header = false;
    enum csv_step step;

    if (csv_begin(&reader, (const char *)data, size, NULL) != AIBOX_OK)
        return 0;
    csv_record_init(&record);
    while ((step = csv_next(&reader, &record, NULL)) != CSV_END) {
        require(reader.at > record.at && reader.at <= size);
        if (step == CSV_BROKEN)
            continue;
        for (size_t i = 0; i < record.count; i++)
            require(utf8_valid(record.cells[i], strlen(record.cells[i])));
        read_again(&reader, &record);
        if (has_header)
            read_person(&header, &record);
        else if (import_header_read(&record, &header, NULL) == AIBOX_OK)
            has_header = true;
        else
            import_header_free(&header);
    }
    csv_record_free(&record);
    import_header_free(&header);
    return 0;
}
