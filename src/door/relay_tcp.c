#include "door/link.h"
#include "door/relay.h"

static enum aibox_status expand_one(const struct relay_call *call, const struct door_command *command, int channel,
                                    struct buffer *bytes, struct aibox_error *err)
{
    char text[RELAY_TEMPLATE_SIZE];
    const char *key = relay_template(call, RELAY_BYTES, command, channel, text);

    if (text[0] == '\0')
        return error_set(err, AIBOX_PARAM, "%s is empty", key);
    return relay_expand(call, key, text, TEMPLATE_BYTES, command, command->host, channel, bytes, err);
}

/* One order, which for all channels the board understands by itself, unless some of them must stay open. */
static enum aibox_status expand(const struct relay_call *call, const struct door_command *command, struct buffer *bytes,
                                struct aibox_error *err)
{
    uint64_t channels = relay_channels(command);
    enum aibox_status status = AIBOX_OK;

    if (command->logic_port > 0 || command->mode != DOOR_OPEN || (call->held & channels) == 0 ||
        relay_holds(call, command, 0))
        return expand_one(call, command, command->logic_port, bytes, err);
    for (int channel = 1; channel <= command->channels && status == AIBOX_OK; channel++)
        status = expand_one(call, command, channel, bytes, err);
    return status;
}

enum aibox_status relay_tcp(struct relay_call *call, const struct door_command *command, struct aibox_error *err)
{
    struct address_list addresses;
    struct buffer bytes;
    enum aibox_status status;
    int fd = -1;

    buffer_init(&bytes, (size_t)TEMPLATE_RESULT_MAX * DOOR_MAX_CHANNELS);
    status = expand(call, command, &bytes, err);
    if (status != AIBOX_OK)
        goto out;
    status = resolver_find(call->resolver, command->host, command->port, call->deadline_ms, &addresses, err);
    if (status != AIBOX_OK)
        goto out;
    status = link_connect(&addresses, call->deadline_ms, &fd, err);
    if (status != AIBOX_OK)
        goto out;
    call->sent = true;
    status = link_send(fd, bytes.data, bytes.size, call->deadline_ms, err);
    if (status == AIBOX_OK && settings_bool(call->settings, "door.tcp.wait_reply"))
        status = link_wait_reply(fd, call->deadline_ms, err);

out:
    call->parting = fd;
    buffer_free(&bytes);
    return status;
}
