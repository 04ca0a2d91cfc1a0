#include "intake/try.h"

#include <stdlib.h>

#include "core/clock.h"
#include "flow/device_key.h"
#include "intake/frame.h"
#include "intake/video.h"

#define TRY_JPEG_QUALITY 85

struct trier {
    const _Atomic bool *ended;
    _Atomic int under_way;
};

enum aibox_status trier_open(const _Atomic bool *ended, struct trier **out, struct aibox_error *err)
{
    struct trier *trier = calloc(1, sizeof *trier);
    *out = trier;
    if (trier == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    trier->ended = ended;
    return AIBOX_OK;
}

void trier_close(struct trier *trier)
{
    free(trier);
}

/* `status` is that of the encoding, when it comes to that. */
static enum video_trouble attempt(const struct video_options *options, int64_t until_ms, uint8_t **jpeg, size_t *size,
                                  enum aibox_status *status, struct aibox_error *err)
{
    struct video *video;
    const struct AVFrame *frame;
    unsigned skipped;
    int64_t lag_ms;
    enum video_trouble trouble = video_open(options, &video);
    if (trouble == VIDEO_OK)
        trouble = video_next(video, VIDEO_ALL, until_ms, &frame, &skipped, &lag_ms);
    if (trouble == VIDEO_OK)
        *status = frame_to_jpeg(frame, FRAME_WHOLE_WIDTH, TRY_JPEG_QUALITY, jpeg, size, err);
    video_close(video);
    return trouble;
}

enum aibox_status trier_try(struct trier *trier, const char *key, uint8_t **jpeg, size_t *size, struct aibox_error *err)
{
    int64_t now_ms = clock_monotonic_ms();
    enum aibox_status status = device_url_check(key, err);
    enum video_trouble trouble = VIDEO_MEMORY;
    *jpeg = NULL;
    *size = 0;
    if (status != AIBOX_OK) {
        error_prefix(err, "device_key");
        return status;
    }
    if (atomic_fetch_add(&trier->under_way, 1) >= TRY_MOST) {
        atomic_fetch_sub(&trier->under_way, 1);
        return error_set(err, AIBOX_TOO_MANY_REQUESTS, "as many cameras as may be at a time are being tried already");
    }
    char *host = device_url_host(key);
    struct video_options options = {
        .url = key, .host = host, .stop = trier->ended, .deadline_ms = now_ms + TRY_MS * 5 / 8};
    if (host != NULL)
        trouble = attempt(&options, options.deadline_ms, jpeg, size, &status, err);
    if (trouble == VIDEO_TRANSPORT || trouble == VIDEO_PROTOCOL || trouble == VIDEO_SILENT) {
        options.udp = true;
        options.deadline_ms = now_ms + TRY_MS;
        enum video_trouble by_udp = attempt(&options, options.deadline_ms, jpeg, size, &status, err);
        trouble = by_udp == VIDEO_OK ? VIDEO_OK : trouble;
    }
    free(host);
    atomic_fetch_sub(&trier->under_way, 1);
    if (trouble == VIDEO_MEMORY || trouble == VIDEO_STOPPED)
        return error_set(err, AIBOX_PROCESS_FAILED, "%s", video_trouble_text(trouble));
    if (trouble != VIDEO_OK)
        return error_set(err, AIBOX_PARAM, "device_key: %s", video_trouble_text(trouble));
    return status;
}
