#include <errno.h>
#include <modbus.h>
#include <sys/select.h>
#include <unistd.h>

#include "door/link.h"
#include "door/relay.h"

struct relay_coils relay_modbus_coils(const struct settings *settings, const struct door_command *command)
{
    return (struct relay_coils){
        .unit = (int)settings_int(settings, "door.modbus.unit"),
        .first = (int)settings_int(settings, "door.modbus.first_coil") +
                 (command->logic_port > 0 ? command->logic_port - 1 : 0),
        .count = command->logic_port > 0 ? 1 : command->channels,
    };
}

/* Writes and reads the answer; an errno of libmodbus, or 0. */
static int write_coils(modbus_t *modbus, const struct relay_coils *coils, bool on, int64_t deadline_ms)
{
    uint8_t states[DOOR_MAX_CHANNELS];
    uint32_t left_ms = (uint32_t)link_left_ms(deadline_ms);
    int written;

    if (left_ms == 0)
        return ETIMEDOUT;
    if (modbus_set_slave(modbus, coils->unit) != 0 ||
        modbus_set_response_timeout(modbus, left_ms / 1000, left_ms % 1000 * 1000) != 0)
        return errno;
    /* None for single bytes: the one above then holds for the whole answer, however slowly it trickles in. */
    if (modbus_set_byte_timeout(modbus, 0, 0) != 0)
        return errno;
    if (coils->count == 1) {
        written = modbus_write_bit(modbus, coils->first, on);
    } else {
        for (int i = 0; i < coils->count; i++)
            states[i] = on;
        written = modbus_write_bits(modbus, coils->first, coils->count, states);
    }
    return written == coils->count ? 0 : errno;
}

enum aibox_status relay_modbus(struct relay_call *call, const char *host, int port, const struct relay_coils *coils,
                               bool on, struct aibox_error *err)
{
    struct address_list addresses;
    modbus_t *modbus = NULL;
    enum aibox_status status;
    int fd = -1;
    int failure;

    status = resolver_find(call->resolver, host, port, call->deadline_ms, &addresses, err);
    if (status != AIBOX_OK)
        return status;
    /* Connected here: libmodbus would look names up again, without a limit. */
    status = link_connect(&addresses, call->deadline_ms, &fd, err);
    if (status != AIBOX_OK)
        return status;
    if (fd >= FD_SETSIZE) {
        /* libmodbus waits with select(), which writes beyond its sets then. */
        status = link_failed(err, EMFILE);
        goto out;
    }
    modbus = modbus_new_tcp(NULL, port);
    if (!modbus) {
        status = error_set(err, AIBOX_REMOTE_FAILED, "out of memory");
        goto out;
    }
    if (modbus_set_socket(modbus, fd) != 0) {
        status = link_failed(err, errno);
        goto out;
    }
    call->sent = true;
    failure = write_coils(modbus, coils, on, call->deadline_ms);
    /* A refusal is certain: the coils are as they were. */
    if (failure > MODBUS_ENOBASE && failure <= EMBXGTAR)
        call->sent = false;
    if (failure > MODBUS_ENOBASE)
        status = error_set(err, AIBOX_REMOTE_FAILED, "Modbus: %s", modbus_strerror(failure));
    else if (failure != 0)
        status = link_failed(err, failure);

out:
    /* The socket stays the caller's until here: modbus_free does not close. */
    modbus_free(modbus);
    close(fd);
    return status;
}
