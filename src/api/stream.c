#include "api/stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/log.h"

#define MOST_STREAMS 64 /* half of them at most are watched for long, see resource_stream.c */
#define BUFFER_SIZE  ((size_t)256 << 10)
#define BLOCK_SIZE   ((size_t)32 << 10) /* sent at a time */

struct api_stream {
    struct streams *streams;
    struct MHD_Connection *mhd;
    int fd; /* of the connection: open until close_stream(); -1: unknown */
    struct stream_source source;
    stream_watch watch;
    void *watch_ctx;
    struct api_stream *next; /* guarded by streams->mu */
    bool started;            /* HTTP thread only */

    pthread_mutex_t mu; /* guards what follows; taken after streams->mu */
    pthread_cond_t room;
    size_t from, size; /* bytes in the ring: where they begin, how many */
    unsigned holders;  /* connection and producer */
    bool waiting;      /* the connection is suspended */
    bool ended;        /* the producer has ended … */
    bool complete;     /* … with all there is */
    bool broken;       /* nobody wants more */
    uint8_t bytes[BUFFER_SIZE];
};

struct streams {
    pthread_mutex_t mu; /* guards what follows */
    pthread_cond_t gone;
    struct api_stream *first;
    size_t count;
    bool breaking;
};

/* ---- all streams ---------------------------------------------------------------------------------------- */

enum aibox_status streams_open(struct streams **out, struct aibox_error *err)
{
    struct streams *streams = calloc(1, sizeof *streams);

    *out = NULL;
    if (!streams)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (pthread_mutex_init(&streams->mu, NULL) != 0)
        goto no_mutex;
    if (pthread_cond_init(&streams->gone, NULL) != 0)
        goto no_cond;
    *out = streams;
    return AIBOX_OK;

no_cond:
    (void)pthread_mutex_destroy(&streams->mu);
no_mutex:
    free(streams);
    return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
}

/* Nobody wants more. With the stream's lock held. */
static void break_off(struct api_stream *stream)
{
    stream->broken = true;
    (void)pthread_cond_signal(&stream->room);
    if (stream->waiting) {
        stream->waiting = false;
        MHD_resume_connection(stream->mhd);
    }
}

void streams_break(struct streams *streams)
{
    pthread_mutex_lock(&streams->mu);
    streams->breaking = true;
    for (struct api_stream *stream = streams->first; stream; stream = stream->next) {
        pthread_mutex_lock(&stream->mu);
        break_off(stream);
        pthread_mutex_unlock(&stream->mu);
    }
    pthread_mutex_unlock(&streams->mu);
}

void streams_close(struct streams *streams)
{
    if (!streams)
        return;
    pthread_mutex_lock(&streams->mu);
    while (streams->count > 0)
        (void)pthread_cond_wait(&streams->gone, &streams->mu);
    pthread_mutex_unlock(&streams->mu);
    (void)pthread_cond_destroy(&streams->gone);
    (void)pthread_mutex_destroy(&streams->mu);
    free(streams);
}

/* ---- one stream ----------------------------------------------------------------------------------------- */

static bool enlist(struct streams *streams, struct api_stream *stream)
{
    bool room;

    pthread_mutex_lock(&streams->mu);
    room = streams->count < MOST_STREAMS;
    if (room) {
        stream->broken = streams->breaking;
        stream->next = streams->first;
        streams->first = stream;
        streams->count++;
    }
    pthread_mutex_unlock(&streams->mu);
    return room;
}

static void destroy(struct api_stream *stream)
{
    if (stream->source.free_ctx)
        stream->source.free_ctx(stream->source.ctx);
    (void)pthread_cond_destroy(&stream->room);
    (void)pthread_mutex_destroy(&stream->mu);
    free(stream);
}

static void delist(struct api_stream *stream)
{
    struct streams *streams = stream->streams;
    struct api_stream **at;

    pthread_mutex_lock(&streams->mu);
    for (at = &streams->first; *at != stream; at = &(*at)->next)
        ;
    *at = stream->next;
    pthread_mutex_unlock(&streams->mu);
    destroy(stream);
    /* Last, for the source may refer to what is closed after streams_close(). */
    pthread_mutex_lock(&streams->mu);
    streams->count--;
    (void)pthread_cond_broadcast(&streams->gone);
    pthread_mutex_unlock(&streams->mu);
}

static void let_go(struct api_stream *stream)
{
    bool last;

    pthread_mutex_lock(&stream->mu);
    last = --stream->holders == 0;
    pthread_mutex_unlock(&stream->mu);
    if (last)
        delist(stream);
}

/* ---- the producer's side -------------------------------------------------------------------------------- */

bool api_stream_write(struct api_stream *stream, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    bool wanted;

    pthread_mutex_lock(&stream->mu);
    while (size > 0 && !stream->broken) {
        size_t end = (stream->from + stream->size) % BUFFER_SIZE;
        size_t room = BUFFER_SIZE - stream->size;
        size_t piece = room < BUFFER_SIZE - end ? room : BUFFER_SIZE - end;

        if (room == 0) {
            (void)pthread_cond_wait(&stream->room, &stream->mu);
            continue;
        }
        piece = piece < size ? piece : size;
        memcpy(stream->bytes + end, at, piece);
        stream->size += piece;
        at += piece;
        size -= piece;
        if (stream->waiting) {
            stream->waiting = false;
            MHD_resume_connection(stream->mhd);
        }
    }
    wanted = !stream->broken;
    pthread_mutex_unlock(&stream->mu);
    return wanted;
}

/* Nobody looks at a suspended connection, so that its end shows only here, or when something is written. */
bool api_stream_is_wanted(struct api_stream *stream)
{
    bool wanted;
    char byte;

    pthread_mutex_lock(&stream->mu);
    wanted = !stream->broken && (stream->fd < 0 || recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0);
    pthread_mutex_unlock(&stream->mu);
    return wanted;
}

static void *run_producer(void *arg)
{
    struct api_stream *stream = arg;
    bool complete = stream->source.produce(stream->source.ctx, stream);

    pthread_mutex_lock(&stream->mu);
    stream->ended = true;
    stream->complete = complete;
    if (stream->waiting) {
        stream->waiting = false;
        MHD_resume_connection(stream->mhd);
    }
    pthread_mutex_unlock(&stream->mu);
    let_go(stream);
    return NULL;
}

static bool start_producer(struct api_stream *stream)
{
    pthread_attr_t attributes;
    pthread_t thread;
    bool started = false;

    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_mutex_lock(&stream->mu);
    stream->holders++;
    pthread_mutex_unlock(&stream->mu);
    if (pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0)
        started = pthread_create(&thread, &attributes, run_producer, stream) == 0;
    (void)pthread_attr_destroy(&attributes);
    if (!started)
        let_go(stream);
    return started;
}

/* ---- the connection's side, HTTP thread ----------------------------------------------------------------- */

static ssize_t read_stream(void *arg, uint64_t position, char *out, size_t size)
{
    struct api_stream *stream = arg;
    ssize_t result;

    (void)position;
    if (!stream->started && !start_producer(stream)) {
        log_error("api", "the thread of an answer can't be started");
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    stream->started = true;
    pthread_mutex_lock(&stream->mu);
    if (stream->size > 0) {
        size_t piece = stream->size < BUFFER_SIZE - stream->from ? stream->size : BUFFER_SIZE - stream->from;

        piece = piece < size ? piece : size;
        memcpy(out, stream->bytes + stream->from, piece);
        stream->from = (stream->from + piece) % BUFFER_SIZE;
        stream->size -= piece;
        (void)pthread_cond_signal(&stream->room);
        stream->watch(stream->watch_ctx, piece);
        result = (ssize_t)piece;
    } else if (stream->broken || (stream->ended && !stream->complete)) {
        result = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (stream->ended) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->watch(stream->watch_ctx, 0);
        stream->waiting = true;
        MHD_suspend_connection(stream->mhd);
        result = 0;
    }
    pthread_mutex_unlock(&stream->mu);
    return result;
}

static void close_stream(void *arg)
{
    struct api_stream *stream = arg;

    pthread_mutex_lock(&stream->mu);
    stream->waiting = false; /* the connection is gone: not to be resumed */
    break_off(stream);
    pthread_mutex_unlock(&stream->mu);
    let_go(stream);
}

static struct api_stream *create(struct streams *streams, const struct stream_source *source)
{
    struct api_stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return NULL;
    if (pthread_mutex_init(&stream->mu, NULL) != 0) {
        free(stream);
        return NULL;
    }
    if (pthread_cond_init(&stream->room, NULL) != 0) {
        (void)pthread_mutex_destroy(&stream->mu);
        free(stream);
        return NULL;
    }
    stream->streams = streams;
    stream->source = *source;
    stream->holders = 1;
    return stream;
}

struct MHD_Response *stream_respond(struct streams *streams, struct MHD_Connection *mhd,
                                    const struct stream_source *source, stream_watch watch, void *watch_ctx,
                                    struct aibox_error *err)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct api_stream *stream = create(streams, source);
    struct MHD_Response *response;

    if (!stream) {
        if (source->free_ctx)
            source->free_ctx(source->ctx);
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        return NULL;
    }
    stream->mhd = mhd;
    stream->fd = info ? info->connect_fd : -1;
    stream->watch = watch;
    stream->watch_ctx = watch_ctx;
    if (!enlist(streams, stream)) {
        destroy(stream);
        (void)error_set(err, AIBOX_TOO_MANY_REQUESTS, "too many long answers are being sent; try again later");
        return NULL;
    }
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, stream, close_stream);
    if (!response) {
        let_go(stream);
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    return response;
}
