/*
 * Power loss: what was acknowledged must be on the disk, not on its way there.
 *
 * A child adds events, or receives and executes commands, and is killed at some moment. The calls by which SQLite
 * changes files are caught in it and noted, each with its bytes. The parent then builds the folder as a disk would have
 * it if power had gone at that moment: a file's changes up to its last completed fsync, and of the later ones none, or
 * some by chance. Every event that was acknowledged must be there, with its picture, and every command, with its
 * result. (That a file exists is taken as safe.)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/id.h"
#include "fixture.h"
#include "store/commands.h"

#define ROUNDS      6
#define MOST_FILES  8
#define NAME_SIZE   64
#define MOST_EVENTS 100000

/* ---- the child's side: noting changes ------------------------------------------------------------------------- */

enum change_kind { WRITTEN, TRUNCATED, SYNCED };

struct note {
    enum change_kind kind;
    char name[NAME_SIZE];
    int64_t offset; /* WRITTEN: where; TRUNCATED: the new size */
    size_t size;    /* of the bytes that follow */
};

static int notes_fd = -1; /* -1: nothing is noted */
static char noted_folder[300];
static pthread_mutex_t notes_mu = PTHREAD_MUTEX_INITIALIZER;

static void put(const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        long n = syscall(SYS_write, notes_fd, at, size);
        if (n <= 0)
            _exit(3);
        at += n;
        size -= (size_t)n;
    }
}

/* The last part of the file's path, if it lies in the folder. */
static bool name_of(int fd, char name[NAME_SIZE])
{
    char link[64], path[512];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    size_t folder = strlen(noted_folder);
    if (n <= 0 || (size_t)n <= folder + 1 || strncmp(path, noted_folder, folder) != 0 || path[folder] != '/')
        return false;
    path[n] = '\0';
    snprintf(name, NAME_SIZE, "%.*s", NAME_SIZE - 1, path + folder + 1);
    return true;
}

static void take_note(enum change_kind kind, int fd, int64_t offset, const void *bytes, size_t size)
{
    struct note note;
    int saved = errno;

    if (notes_fd < 0)
        return;
    memset(&note, 0, sizeof note);
    note.kind = kind;
    note.offset = offset;
    note.size = size;
    if (name_of(fd, note.name)) {
        pthread_mutex_lock(&notes_mu);
        put(&note, sizeof note);
        put(bytes, size);
        pthread_mutex_unlock(&notes_mu);
    }
    errno = saved;
}

/* These take the place of the C library's for everything in this program, SQLite included. A change is noted before it
 * is made, a sync when it is done: a note is never safer than the disk. */
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    take_note(WRITTEN, fd, offset, bytes, size);
    return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    if (notes_fd >= 0)
        take_note(WRITTEN, fd, lseek(fd, 0, SEEK_CUR), bytes, size);
    return syscall(SYS_write, fd, bytes, size);
}

int ftruncate64(int fd, off64_t size)
{
    take_note(TRUNCATED, fd, size, NULL, 0);
    return (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
    int result = (int)syscall(SYS_fdatasync, fd);

    if (result == 0)
        take_note(SYNCED, fd, 0, NULL, 0);
    return result;
}

int fsync(int fd)
{
    int result = (int)syscall(SYS_fsync, fd);

    if (result == 0)
        take_note(SYNCED, fd, 0, NULL, 0);
    return result;
}

struct adder {
    struct store *store;
    int pipe_fd;
};

static void *add_events(void *arg)
{
    const struct adder *adder = arg;
    char text[64];

    for (int i = 0; i < MOST_EVENTS; i++) {
        struct store_event event = {.timestamp_ms = 1, .identity_id = "a", .score = NAN, .mask = -1};
        id_ulid(event.event_id);
        snprintf(text, sizeof text, "picture of %s", event.event_id);
        event.spot = (const uint8_t *)text;
        event.spot_size = strlen(text);
        if (store_event_add(adder->store, &event, NULL) != AIBOX_OK)
            _exit(2);
        if (syscall(SYS_write, adder->pipe_fd, event.event_id, ID_ULID_SIZE) != ID_ULID_SIZE) /* it is acknowledged */
            _exit(0);
    }
    return NULL;
}

/* Receives commands and executes them: an id in the pipe stands for a receipt, the same id once more for a result. */
static void *run_commands(void *arg)
{
    const struct adder *adder = arg;
    char id[ID_ULID_SIZE];

    for (int i = 0; i < MOST_EVENTS; i++) {
        id_ulid(id);
        struct store_command command = {.message_id = id, .body = "{}", .size = 2}, next;
        struct store_message result = {"mq", id, sizeof id};
        enum store_inbox_outcome outcome;
        if (store_inbox_add(adder->store, &command, &outcome, NULL) != AIBOX_OK || outcome != STORE_INBOX_NEW)
            _exit(2);
        if (syscall(SYS_write, adder->pipe_fd, id, ID_ULID_SIZE) != ID_ULID_SIZE)
            _exit(0);
        if (store_inbox_next(adder->store, STORE_INBOX_MAIN, &next, NULL) != AIBOX_OK)
            _exit(2);
        memcpy(id, next.message_id, sizeof id);
        enum aibox_status status = store_inbox_finish(adder->store, next.inbox_id, &result, NULL);
        store_command_free(&next);
        if (status == AIBOX_NOT_FOUND) /* another thread was faster */
            continue;
        if (status != AIBOX_OK)
            _exit(2);
        if (syscall(SYS_write, adder->pipe_fd, id, ID_ULID_SIZE) != ID_ULID_SIZE)
            _exit(0);
    }
    return NULL;
}

static void run_child(const char *folder, const char *notes, void *(*work)(void *arg), int pipe_fd)
{
    struct adder adder = {.pipe_fd = pipe_fd};
    pthread_t threads[3];

    snprintf(noted_folder, sizeof noted_folder, "%s", folder);
    notes_fd = open(notes, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (notes_fd < 0 || store_open(folder, 100, &adder.store, NULL) != AIBOX_OK)
        _exit(1);
    store_set_retention(adder.store, 10 * MOST_EVENTS, 0);
    for (size_t i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, work, &adder);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

/* ---- the parent's side: the disk after the loss ------------------------------------------------------------------ */

struct bytes {
    uint8_t *data;
    size_t size, room;
};

static struct bytes read_file(const char *path)
{
    struct bytes bytes = {0};
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &info) != 0)
        return bytes;
    bytes.size = (size_t)info.st_size;
    bytes.room = bytes.size + 1;
    bytes.data = malloc(bytes.room);
    assert_non_null(bytes.data);
    size_t done = 0;
    while (done < bytes.size) {
        ssize_t n = read(fd, bytes.data + done, bytes.size - done);
        assert_true(n > 0);
        done += (size_t)n;
    }
    close(fd);
    return bytes;
}

static void write_file(const char *path, const struct bytes *bytes)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes->data, 1, bytes->size, file), bytes->size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

struct disk_file {
    char name[NAME_SIZE];
    struct bytes content;
    size_t last_sync; /* number of the note, 0: never */
};

struct disk {
    struct disk_file files[MOST_FILES];
    size_t n;
};

static struct disk_file *file_of(struct disk *disk, const char *name)
{
    for (size_t i = 0; i < disk->n; i++)
        if (strcmp(disk->files[i].name, name) == 0)
            return &disk->files[i];
    assert_true(disk->n < MOST_FILES);
    struct disk_file *file = &disk->files[disk->n++];
    memset(file, 0, sizeof *file);
    memcpy(file->name, name, strlen(name) + 1);
    return file;
}

static void resize(struct bytes *bytes, size_t size)
{
    if (!bytes->data || size > bytes->room) {
        bytes->room = size * 2 + 1;
        bytes->data = realloc(bytes->data, bytes->room);
        assert_non_null(bytes->data);
    }
    if (size > bytes->size)
        memset(bytes->data + bytes->size, 0, size - bytes->size);
    bytes->size = size;
}

static void apply(struct disk_file *file, const struct note *note, const uint8_t *bytes)
{
    size_t offset = (size_t)note->offset;

    if (note->kind == TRUNCATED)
        resize(&file->content, offset);
    if (note->kind != WRITTEN)
        return;
    if (offset + note->size > file->content.size)
        resize(&file->content, offset + note->size);
    memcpy(file->content.data + offset, bytes, note->size);
}

/* Calls `each` for every whole note; the last one may be cut off by the kill. */
static void walk(const struct bytes *notes, struct disk *disk,
                 void (*each)(struct disk *disk, size_t number, const struct note *note, const uint8_t *bytes))
{
    size_t at = 0, number = 0;
    struct note note;

    while (at + sizeof note <= notes->size) {
        memcpy(&note, notes->data + at, sizeof note);
        at += sizeof note;
        if (note.size > notes->size - at)
            break;
        each(disk, ++number, &note, notes->data + at);
        at += note.size;
    }
}

static void find_sync(struct disk *disk, size_t number, const struct note *note, const uint8_t *bytes)
{
    (void)bytes;
    struct disk_file *file = file_of(disk, note->name);
    if (note->kind == SYNCED)
        file->last_sync = number;
}

static void keep_synced(struct disk *disk, size_t number, const struct note *note, const uint8_t *bytes)
{
    struct disk_file *file = file_of(disk, note->name);

    if (number < file->last_sync)
        apply(file, note, bytes);
}

static void keep_some(struct disk *disk, size_t number, const struct note *note, const uint8_t *bytes)
{
    struct disk_file *file = file_of(disk, note->name);
    uint8_t chance;

    id_random(&chance, sizeof chance);
    if (number < file->last_sync || chance < 128)
        apply(file, note, bytes);
}

/* The folder as the disk has it: `before`, and what is left of the changes. */
static void lose_power(const char *before, const struct bytes *notes, bool some, const char *after)
{
    static const char *const names[] = {"aibox.db", "aibox.db-wal", "pictures.db", "pictures.db-wal", "seal.key"};
    struct disk disk = {.n = 0};
    char path[600];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", before, names[i]);
        file_of(&disk, names[i])->content = read_file(path);
    }
    walk(notes, &disk, find_sync);
    walk(notes, &disk, some ? keep_some : keep_synced);
    assert_int_equal(mkdir(after, 0700), 0);
    for (size_t i = 0; i < disk.n; i++) {
        snprintf(path, sizeof path, "%s/%s", after, disk.files[i].name);
        if (disk.files[i].content.data)
            write_file(path, &disk.files[i].content);
        free(disk.files[i].content.data);
    }
}

static void copy_folder(const char *from, const char *to)
{
    static const char *const names[] = {"aibox.db", "pictures.db", "seal.key"};
    char path[600];

    assert_int_equal(mkdir(to, 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", from, names[i]);
        struct bytes bytes = read_file(path);
        assert_non_null(bytes.data);
        snprintf(path, sizeof path, "%s/%s", to, names[i]);
        write_file(path, &bytes);
        free(bytes.data);
    }
}

static void remove_all(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char file[800];

    while (folder && (entry = readdir(folder))) {
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(file);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

/* Every acknowledged event and its picture. */
static void check_events(const char *folder, const char *ids, size_t n)
{
    struct store *store;
    struct store_event event;
    uint8_t *bytes;
    size_t size;
    struct aibox_error err;

    assert_status(AIBOX_OK, store_open(folder, 100, &store, &err));
    for (size_t i = 0; i < n; i++) {
        const char *id = ids + i * ID_ULID_SIZE;
        if (store_event_get(store, id, &event, &err) != AIBOX_OK)
            fail_msg("event %zu of %zu is lost: %s", i + 1, n, err.message);
        assert_status(AIBOX_OK, store_picture_get(store, event.spot_id, &bytes, &size, &err));
        assert_int_equal(size, strlen("picture of ") + ID_ULID_SIZE - 1);
        assert_memory_equal(bytes + strlen("picture of "), id, ID_ULID_SIZE - 1);
        free(bytes);
        store_event_free(&event);
    }
    store_close(store);
}

static bool comes_again(const char *ids, size_t n, size_t i)
{
    for (size_t k = i + 1; k < n; k++)
        if (memcmp(ids + i * ID_ULID_SIZE, ids + k * ID_ULID_SIZE, ID_ULID_SIZE) == 0)
            return true;
    return false;
}

/* Every received command is in the inbox, or has its result in the outbox. */
static void check_commands(const char *folder, const char *ids, size_t n)
{
    struct store *store;
    struct store_outbox_message message;
    enum store_inbox_outcome outcome;
    size_t waiting = 0, results = 0, count;
    int64_t oldest_ms;

    assert_status(AIBOX_OK, store_open(folder, 100, &store, NULL));
    assert_status(AIBOX_OK, store_outbox_count(store, "mq", &count, &oldest_ms, NULL));
    for (; results < count; results++) { /* each once, and of a command that was received */
        assert_status(AIBOX_OK, store_outbox_next(store, "mq", &message, NULL));
        struct store_command command = {.message_id = (const char *)message.payload, .body = "{}", .size = 2};
        assert_status(AIBOX_OK, store_inbox_add(store, &command, &outcome, NULL));
        assert_int_equal(outcome, STORE_INBOX_ANSWERED);
        assert_status(AIBOX_OK, store_outbox_done(store, message.outbox_id, NULL));
        store_outbox_message_free(&message);
    }
    for (size_t i = 0; i < n; i++) {
        struct store_command command = {.message_id = ids + i * ID_ULID_SIZE, .body = "{}", .size = 2};
        assert_status(AIBOX_OK, store_inbox_add(store, &command, &outcome, NULL));
        if (outcome == STORE_INBOX_NEW)
            fail_msg("command %zu of %zu is lost", i + 1, n);
        if (outcome == STORE_INBOX_WAITING) {
            assert_false(comes_again(ids, n, i)); /* it had been answered */
            waiting++;
        }
    }
    assert_status(AIBOX_OK, store_inbox_count(store, STORE_INBOX_MAIN, &count, &oldest_ms, NULL));
    assert_true(count >= waiting && count <= waiting + 3); /* the last ones were perhaps not acknowledged any more */
    store_close(store);
}

/* Lets the child work until `wanted` ids are acknowledged and kills it; all ids that were. */
static struct bytes run_and_kill(const char *folder, const char *notes, void *(*work)(void *arg), size_t wanted)
{
    struct bytes ids = {.data = malloc(MOST_EVENTS)};
    int ends[2], status;

    assert_non_null(ids.data);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        run_child(folder, notes, work, ends[1]);
    }
    close(ends[1]);
    bool killed = false;
    for (;;) {
        ssize_t n = read(ends[0], ids.data + ids.size, MOST_EVENTS - ids.size);
        if (n <= 0)
            break;
        ids.size += (size_t)n;
        if (!killed && ids.size >= wanted * ID_ULID_SIZE) {
            kill(child, SIGKILL);
            killed = true;
        }
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(killed && WIFSIGNALED(status));
    ids.size -= ids.size % ID_ULID_SIZE;
    return ids;
}

static void lose_power_while(struct fixture *fixture, void *(*work)(void *arg),
                             void (*check)(const char *folder, const char *ids, size_t n))
{
    char worked[300], notes_path[300], after[300];

    store_close(fixture->store);
    fixture->store = NULL;
    snprintf(worked, sizeof worked, "%s-worked", fixture->path);
    snprintf(notes_path, sizeof notes_path, "%s-notes", fixture->path);
    snprintf(after, sizeof after, "%s-after", fixture->path);
    for (unsigned round = 0; round < ROUNDS; round++) {
        copy_folder(fixture->path, worked);
        struct bytes ids = run_and_kill(worked, notes_path, work, 20 + round * 150);
        struct bytes notes = read_file(notes_path);
        for (int some = 0; some < 2; some++) {
            lose_power(fixture->path, &notes, some, after);
            check(after, (const char *)ids.data, ids.size / ID_ULID_SIZE);
            remove_all(after);
        }
        free(notes.data);
        free(ids.data);
        remove_all(worked);
        unlink(notes_path);
    }
    assert_status(AIBOX_OK, store_open(fixture->path, fixture->capacity, &fixture->store, NULL));
}

static void test_acknowledged_events_survive_a_power_loss(void **state)
{
    lose_power_while(*state, add_events, check_events);
}

static void test_acknowledged_commands_survive_a_power_loss(void **state)
{
    lose_power_while(*state, run_commands, check_commands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_acknowledged_events_survive_a_power_loss, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_acknowledged_commands_survive_a_power_loss, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
