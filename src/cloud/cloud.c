#include "cloud/cloud.h"

#include <stdlib.h>

#include "cloud/session.h"

struct cloud {
    struct cloud_context context;
    struct session_slot *sessions;
};

enum aibox_status cloud_open(const struct cloud_context *context, struct cloud **out, struct aibox_error *err)
{
    struct cloud *cloud = calloc(1, sizeof *cloud);

    *out = NULL;
    if (!cloud)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    cloud->context = *context;
    enum aibox_status status = session_slot_open(&cloud->sessions, err);
    if (status != AIBOX_OK) {
        cloud_close(cloud);
        return status;
    }
    *out = cloud;
    return AIBOX_OK;
}

void cloud_close(struct cloud *cloud)
{
    if (!cloud)
        return;
    session_slot_close(cloud->sessions);
    free(cloud);
}

void cloud_print(struct cloud *cloud, struct json_out *out)
{
    struct cloud_session *session = session_get(cloud->sessions);

    json_out_object_begin(out);
    json_out_key_bool(out, "logged_in", session != NULL);
    json_out_object_end(out);
    session_release(session);
}

void cloud_metrics(struct cloud *cloud, struct buffer *out)
{
    struct cloud_session *session = session_get(cloud->sessions);

    (void)buffer_appendf(out,
                         "# HELP aibox_cloud_logged_in Whether the box is logged in to the platform.\n"
                         "# TYPE aibox_cloud_logged_in gauge\naibox_cloud_logged_in %d\n",
                         session != NULL);
    session_release(session);
}
