/*
 * The devices attached to the box: cameras and terminals. In memory, as the store has them; loaded when opened.
 *
 * A device is handed out as an immutable snapshot: who holds one keeps working with it while it is changed or deleted,
 * and lets it go by device_release(). Its live state (contact, counters) is shared by all snapshots of the same device.
 * All functions: any thread. Lookups take a leaf lock for microseconds; changes wait for the store.
 *
 * What a device may hold on the wire: docs/devices.md.
 */
#ifndef AIBOX_FLOW_DEVICES_H
#define AIBOX_FLOW_DEVICES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/settings.h"
#include "core/status.h"
#include "flow/flow.h"
#include "store/store.h"
#include "vision/vision.h"

#define DEVICE_EP_ID_SIZE   2048
#define DEVICE_PAD_DEDUP_S  3     /* seconds, of a PAD that names no other time */
#define DEVICE_CONTACT_MS   60000 /* a PAD or FTP camera is online for so long after its last contact */
#define DEVICE_STREAM_MS    10000 /* a stream is online for so long after its last frame */
#define DEVICE_MAX_CHANNELS 64    /* of a relay */

enum device_type { /* ep_type */
                   DEVICE_GATE_PAD,
                   DEVICE_CAPTURE_CAMERA,
                   DEVICE_IPC_STATIC,
                   DEVICE_IPC_DYNAMIC,
                   DEVICE_DOOR_PAD
};

enum device_relay_type { DEVICE_RELAY_UNSET, DEVICE_RELAY_MODBUS, DEVICE_RELAY_HTTP, DEVICE_RELAY_TCP };

struct device_relay {
    const char *ip; /* address or host name; NULL: the device has no relay */
    int net_port;   /* 0: the driver's usual one */
    int door_port;  /* 1..channels; 0: all */
    int delay_s;    /* 1..255; 255: held open */
    enum device_relay_type type;
    int channels;
    int alarm_port;              /* 1..channels; 0: no alarm output */
    const char *user, *password; /* "" without */
};

/* Strings are never NULL ("" when unset) but where told otherwise. */
struct device {
    const char *device_id, *name, *memo;
    const char *key;           /* address, or stream URL with credentials: never to be shown, logged or sent */
    const char *key_shown;     /* the same with *** for passwords */
    const char *key_public;    /* the same without credentials */
    const char *ip;            /* address or host name: of the device, or of its URL */
    const char *kind;          /* device_type on the wire: photo, rtsp, file */
    enum device_type type;     /* ep_type on the wire */
    const char *ep_name;       /* what follows the box's name in ep_id */
    const char *const *groups; /* at least one; names */
    size_t n_groups;
    const char *const *permissions; /* ids; none: everybody may pass */
    size_t n_permissions;
    int direction;   /* 0 in, 1 out */
    float threshold; /* NAN: the box's */
    enum vision_quality_level fiqa_level;
    bool liveness;
    float roi[4];   /* x1, y1, x2, y2 px of the full frame; all 0: everything */
    float min_face; /* px */
    int dedup_s;    /* -1: none given, see devices_dedup_ms() */
    bool is_monitor;
    struct device_relay relay;
    const char *ftp_user, *ftp_hash; /* of a capture camera; sha512-crypt as crypt(3) reads it */
    int64_t created_ms;
};

struct devices;

/* Both must outlive it. */
enum aibox_status devices_open(struct settings *settings, struct store *store, struct devices **out,
                               struct aibox_error *err);
/* All snapshots must have been released. */
void devices_close(struct devices *devices);

/* ---- looking up ------------------------------------------------------------------------------------- */

/* NULL: there is none. By address: of several a PAD goes before a camera and a camera before a stream, then the older
 * before the newer; addresses are compared as addresses, not as text. */
const struct device *devices_find(struct devices *devices, const char *device_id);
const struct device *devices_find_ip(struct devices *devices, const char *ip);
/* The oldest whose relay has this address. */
const struct device *devices_find_relay(struct devices *devices, const char *host, int port);
const struct device *device_ref(const struct device *device); /* another hold on the same snapshot */
void device_release(const struct device *device);             /* NULL allowed */

struct device_list {
    const struct device **items; /* in the order of creation */
    size_t count;
};
enum aibox_status devices_list(struct devices *devices, struct device_list *out, struct aibox_error *err);
void device_list_free(struct device_list *list); /* releases its devices */

/* ---- changing --------------------------------------------------------------------------------------- */

struct device_saved {
    const struct device *device;
    char ftp_password[24]; /* of an account made by this change, nowhere kept; else "" */
};
struct device_saved_list {
    struct device_saved *items;
    size_t count;
};
void device_saved_list_free(struct device_saved_list *list);

/*
 * Creates or changes the devices told by `dicts`: a list of dicts, or one dict. Durable and in force at return; all or
 * nothing. Unknown keys are ignored, null counts as absent, in an update what is absent stays. `field` names `dicts` in
 * messages ("devices_list[2].group_id: …", "device_info.group_id: …"). `dicts` is only read.
 *
 * PARAM, BOOLEAN: missing, wrong type or range. NOT_IMPLEMENTED: infrared liveness. NOT_FOUND: unknown group,
 * permission group or, in an update, device. GROUP_NAME: empty or taken id, name or key.
 */
enum aibox_status devices_create(struct devices *devices, const json_t *dicts, const char *field,
                                 struct device_saved_list *saved, struct aibox_error *err);
/* `reset_ftp_password`: the capture cameras among them get new FTP passwords. */
enum aibox_status devices_update(struct devices *devices, const json_t *dicts, const char *field,
                                 bool reset_ftp_password, struct device_saved_list *saved, struct aibox_error *err);
/* All or nothing; NOT_FOUND naming the unknown id; an id given twice counts once. `deleted` (may be NULL): they. */
enum aibox_status devices_delete(struct devices *devices, const char *const *device_ids, size_t n,
                                 struct device_list *deleted, struct aibox_error *err);
enum aibox_status devices_clear(struct devices *devices, struct device_list *deleted, struct aibox_error *err);

/* ---- telling of changes --------------------------------------------------------------------------------- */

enum device_operation { DEVICE_ADDED, DEVICE_DELETED };

/* Who makes the messages that tell of devices added and deleted. Both are called on the changing thread, one change at
 * a time, and must not change devices. */
struct devices_reporter {
    void *ctx;
    const char *lane; /* of the outbox; static */
    /* Appends the message, which comes into the outbox with the change. False: none is wanted. */
    bool (*describe)(void *ctx, enum device_operation operation, const struct device *device, struct buffer *out);
    /* A change, also one of which there was no message, is durable and in force. */
    void (*stored)(void *ctx);
};
/* NULL: nobody does any more (nor is at it when this returns). */
void devices_set_reporter(struct devices *devices, const struct devices_reporter *reporter);

#define DEVICES_LISTENERS_MAX 4

/* Called after a change of the list, or of a device in it, is durable and in force: on the changing thread, one change
 * at a time. Must not change devices nor take long. */
typedef void (*devices_listener)(void *ctx);
/* More than DEVICES_LISTENERS_MAX is a bug (assert). */
void devices_listen(struct devices *devices, devices_listener fn, void *ctx);
/* It is not called any more, nor at it when this returns. */
void devices_unlisten(struct devices *devices, devices_listener fn, void *ctx);

/* ---- what follows from a device ----------------------------------------------------------------------- */

/* `<dev_sno, or 0x<mac> without one>__<ep_name>`, after the settings of the moment. */
void devices_ep_id(const struct devices *devices, const struct device *device, char out[DEVICE_EP_ID_SIZE]);
int64_t devices_dedup_ms(const struct devices *devices, const struct device *device);
/* Where a picture of this device comes from, for flow_recognise(). Points into `device` and `ep_id`. */
void devices_place(const struct devices *devices, const struct device *device, char ep_id[DEVICE_EP_ID_SIZE],
                   struct flow_place *place);

/*
 * The device as shown to clients: what was given, defaults filled in, passwords as ***, and device_ip, ep_id, status,
 * last_seen (Unix ms, 0: never since the start), frames, faces, drops, reconnects. A new reference; NULL: out of
 * memory.
 */
json_t *device_json(const struct devices *devices, const struct device *device);

/* ---- live state --------------------------------------------------------------------------------------- */

struct device_state {
    bool online;
    int64_t last_seen_ms; /* Unix time; 0: never since the start */
    uint64_t frames, faces, drops, reconnects;
};

void device_touch(const struct device *device);                     /* it was in contact */
void device_count_frame(const struct device *device, size_t faces); /* a frame was looked at; contact too */
void device_count_drop(const struct device *device);                /* a frame was not looked at; contact too */
void device_count_reconnect(const struct device *device);
void device_state_get(const struct device *device, struct device_state *out);

#endif
