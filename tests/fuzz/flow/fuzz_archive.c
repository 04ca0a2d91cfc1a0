/* ZIP archives: directory, plan, every item and every photo, within limits. */
#include <stdlib.h>
#include <string.h>

#include "flow/import_plan.h"

#define MOST_READ 100000 /* bytes of a photo */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static void read_items(struct import_archive *archive, struct import_plan *plan)
{
    for (size_t i = 0; i < import_plan_count(plan); i++) {
        struct import_task task;
        uint8_t *bytes = NULL;
        size_t read = 0;
        enum aibox_status status = import_plan_task(plan, i, &task, NULL);

        require(task.file[0] != '\0' && strlen(task.file) < sizeof task.file);
        if (status == AIBOX_OK && task.has_entry &&
            import_archive_read(archive, task.entry, MOST_READ, &bytes, &read, NULL) == AIBOX_OK)
            require(read <= MOST_READ);
        free(bytes);
        import_task_free(&task);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const atomic_bool go_on;
    struct import_archive *archive;
    struct import_plan *plan;

    if (import_archive_open_memory(data, size, &archive, NULL) != AIBOX_OK)
        return 0;
    for (size_t i = 0; i < import_archive_count(archive); i++) {
        const char *name = import_archive_name(archive, i);

        require(strlen(name) <= (size_t)IMPORT_MAX_NAME * 2 && name[0] != '/');
    }
    if (import_plan_make(archive, &go_on, &plan, NULL) == AIBOX_OK) {
        read_items(archive, plan);
        import_plan_free(plan);
    }
    import_archive_close(archive);
    return 0;
}
