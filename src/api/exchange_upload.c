/* A body that goes to disk: gathered on the HTTP thread, written on a handler thread while the connection rests. */
#include "api/exchange.h"

#define MOST_UPLOADS 4

enum aibox_status exchange_begin_upload(struct exchange *exchange)
{
    struct api *api = exchange->api;
    uint64_t announced = exchange->announced == MHD_SIZE_UNKNOWN ? 0 : exchange->announced;
    enum aibox_status status;

    if (!api->ctx.upload_dir)
        return error_set(&exchange->err, AIBOX_NOT_IMPLEMENTED, "this box takes no uploads");
    if (atomic_fetch_add(&api->uploads, 1) >= MOST_UPLOADS)
        status = error_set(&exchange->err, AIBOX_TOO_MANY_REQUESTS, "too much is being uploaded; try again later");
    else
        status = upload_open(api->ctx.upload_dir, announced, &exchange->upload, &exchange->err);
    if (status != AIBOX_OK)
        (void)atomic_fetch_sub(&api->uploads, 1);
    return status;
}

void exchange_end_upload(struct exchange *exchange)
{
    if (exchange->upload)
        (void)atomic_fetch_sub(&exchange->api->uploads, 1);
    upload_close(exchange->upload);
    exchange->upload = NULL;
}

/* On a handler thread. The exchange is the HTTP thread's all the same; only the upload is not. */
static void run_write(void *worker, void *arg)
{
    const struct exchange *exchange = arg;
    struct api *api = exchange->api;

    (void)worker;
    upload_write(exchange->upload);
    MHD_resume_connection(exchange->mhd);
    exchange_leave_handling(api);
}

static enum aibox_status write_piece(struct exchange *exchange)
{
    struct api *api = exchange->api;

    if (!exchange_begin_handling(api)) {
        upload_write(exchange->upload);
        return exchange_say_closing(exchange);
    }
    MHD_suspend_connection(exchange->mhd);
    /* All handlers are busy: rather slow than lost. */
    if (pool_submit(api->pool, POOL_URGENT, 0, run_write, exchange, NULL) != AIBOX_OK)
        run_write(NULL, exchange);
    return AIBOX_OK;
}

enum aibox_status exchange_take_upload(struct exchange *exchange, const char *bytes, size_t size)
{
    switch (upload_take(exchange->upload, bytes, size)) {
    case UPLOAD_TAKEN:
        return AIBOX_OK;
    case UPLOAD_FULL:
        return write_piece(exchange);
    case UPLOAD_FAILED:
        break;
    }
    return upload_failure(exchange->upload, &exchange->err);
}
