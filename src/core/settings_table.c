/*
 * The table of settings. Rows are sorted by key (settings_find searches by halves; a test checks it).
 * A row is everything there is to a setting: checks, REST, console and handbook are driven by it.
 *
 * Columns: key, type, default, min, max, choices, takes effect, help.
 */
#include "core/settings.h"

#define HOT     false
#define RESTART true

const struct settings_entry settings_table[] = {
    {"access.legacy_allow", SETTINGS_TEXT, "", 0, 2048, NULL, HOT,
     "Addresses and CIDR networks, separated by commas, whose callers may use the compatible calls without a "
     "credential; empty: nobody."},
    {"access.mode", SETTINGS_CHOICE, "closed", 0, 0, "closed|open", RESTART,
     "closed: every call needs a credential; open: none does, for a box that listens on the loopback address only."},
    {"cloud.dev_sno", SETTINGS_TEXT, "", 0, 64, NULL, HOT,
     "Serial number by which the platform knows this box; empty: not connected."},
    {"cloud.login_url", SETTINGS_TEXT, "", 0, 1024, NULL, HOT,
     "URL at which the box logs in to the platform; empty: not connected."},
    {"cloud.person_code_as_string", SETTINGS_BOOL, "false", 0, 0, NULL, HOT,
     "Send person codes to the platform as strings even when they are whole numbers."},
    {"cloud.send_pictures", SETTINGS_CHOICE, "all", 0, 0, "never|events|all", HOT,
     "Which pictures leave the box in reports: none, those of events, or all."},
    {"door.relay_default", SETTINGS_CHOICE, "tcp", 0, 0, "tcp|modbus|http", HOT,
     "Protocol of a door relay whose device doesn't name one."},
    {"events.keep", SETTINGS_INT, "10000", 100, 10000000, NULL, HOT,
     "Number of events kept; beyond it the oldest go first, with their pictures."},
    {"events.keep_days", SETTINGS_INT, "0", 0, 36500, NULL, HOT, "Days an event is kept; 0: no limit by age."},
    {"events.low_quality", SETTINGS_BOOL, "false", 0, 0, NULL, HOT,
     "Also keep an event when a face's quality is below the device's level."},
    {"events.spot_picture", SETTINGS_CHOICE, "full", 0, 0, "full|face", HOT,
     "What is kept as an event's picture: the whole frame or the face with its surroundings."},
    {"gallery.capacity", SETTINGS_INT, "100000", 1, 5000000, NULL, RESTART, "Number of faces the gallery may hold."},
    {"http.max_body_mib", SETTINGS_INT, "16", 1, 64, NULL, RESTART, "Largest body of a request in MiB."},
    {"intake.ftp.directory", SETTINGS_TEXT, "share", 0, 64, NULL, RESTART,
     "Directory that an FTP camera without an account of its own uploads to."},
    {"intake.ftp.port", SETTINGS_INT, "2121", 1, 65535, NULL, RESTART,
     "TCP port on which cameras upload pictures by FTP."},
    {"intake.ftp.user", SETTINGS_TEXT, "linaro", 0, 32, NULL, RESTART,
     "FTP account of cameras without an account of their own."},
    {"liveness.threshold", SETTINGS_FLOAT, "0.5", 0, 1, NULL, HOT,
     "Lowest probability (0-1) of a live face that passes, where a device's liveness check is on."},
    {"log.level", SETTINGS_CHOICE, "info", 0, 0, "debug|info|warn|error", HOT,
     "Lowest level of messages that are logged."},
    {"passmode", SETTINGS_CHOICE, "normal", 0, 0, "normal|allpass|allforbidden", HOT,
     "normal: permissions decide; allpass: everybody known passes; allforbidden: nobody passes."},
    {"quality.custom.brightness", SETTINGS_BOOL, "true", 0, 0, NULL, HOT,
     "Quality level custom: judge the brightness of the face."},
    {"quality.custom.clarity", SETTINGS_BOOL, "true", 0, 0, NULL, HOT,
     "Quality level custom: judge the sharpness of the face."},
    {"quality.custom.face_size", SETTINGS_FLOAT, "60", 16, 1000, NULL, HOT,
     "Quality level custom: the shorter side of the face's box must exceed this many pixels."},
    {"quality.custom.pitch", SETTINGS_FLOAT, "30", 0, 90, NULL, HOT,
     "Quality level custom: largest angle in degrees by which the head may be tilted up or down."},
    {"quality.custom.yaw", SETTINGS_FLOAT, "60", 0, 90, NULL, HOT,
     "Quality level custom: largest angle in degrees by which the head may be turned sideways."},
    {"recognition.dedup_seconds", SETTINGS_INT, "10", 0, 3600, NULL, HOT,
     "Seconds within which the same person at the same device gives one event; 0: every time."},
    {"recognition.enrol_min_face", SETTINGS_INT, "32", 16, 1000, NULL, HOT,
     "Smallest face that may be enrolled, in pixels of the shorter side of its box."},
    {"recognition.false_accept_target", SETTINGS_FLOAT, "0.01", 1e-6, 0.5, NULL, HOT,
     "Share (0-1) of strangers who may be taken for somebody, from which the automatic threshold follows."},
    {"recognition.max_auto_threshold", SETTINGS_AUTO_FLOAT, "auto", 0, 1, NULL, HOT,
     "Highest similarity (0-1) that the automatic threshold may reach; auto: the built-in limit."},
    {"recognition.stranger_memory", SETTINGS_BOOL, "false", 0, 0, NULL, HOT,
     "Remember strangers under anonymous ids that expire, to tell whether a face was here before."},
    {"recognition.threshold", SETTINGS_AUTO_FLOAT, "auto", 0, 1, NULL, HOT,
     "Similarity (0-1) from which a face is taken for a person; auto: chosen for the gallery's size."},
    {"recognition.tiles", SETTINGS_CHOICE, "auto", 0, 0, "auto|off|2x2|3x3", HOT,
     "Tiles into which large pictures are cut to find small faces; auto: by the picture's size."},
    {"reports.allow", SETTINGS_TEXT, "", 0, 2048, NULL, HOT,
     "Hosts, addresses and CIDR networks, separated by commas, that reports may be sent to; empty: any."},
    {"reports.device_info_url", SETTINGS_TEXT, "", 0, 1024, NULL, HOT,
     "URL that device operations are reported to when the platform names none; empty: not reported."},
    {"reports.history_batch", SETTINGS_BOOL, "false", 0, 0, NULL, HOT,
     "Send several events in one history report instead of one each."},
    {"vision.workers", SETTINGS_INT, "0", 0, 256, NULL, RESTART,
     "Number of threads that analyse pictures; 0: one per core."},
};

const size_t settings_count = sizeof settings_table / sizeof settings_table[0];
