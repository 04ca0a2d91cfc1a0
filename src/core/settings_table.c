/*
 * The table of settings. Rows are sorted by key (settings_find searches by halves; a test checks it).
 * A row is everything there is to a setting: checks, REST, console and handbook are driven by it.
 */
#include "core/settings.h"

#define ROW_BOOL(name, initial, text)                                                                                  \
    {                                                                                                                  \
        .key = name, .type = SETTINGS_BOOL, .default_text = initial, .help = text                                      \
    }
#define ROW_INT(name, initial, low, high, text)                                                                        \
    {                                                                                                                  \
        .key = name, .type = SETTINGS_INT, .default_text = initial, .min = low, .max = high, .help = text              \
    }
#define ROW_INT_RESTART(name, initial, low, high, text)                                                                \
    {                                                                                                                  \
        .key = name, .type = SETTINGS_INT, .default_text = initial, .min = low, .max = high, .restart = true,          \
        .help = text                                                                                                   \
    }
#define ROW_FLOAT(name, initial, low, high, text)                                                                      \
    {                                                                                                                  \
        .key = name, .type = SETTINGS_FLOAT, .default_text = initial, .min = low, .max = high, .help = text            \
    }
#define ROW_AUTO(name, initial, low, high, text)                                                                       \
    {                                                                                                                  \
        .key = name, .type = SETTINGS_AUTO_FLOAT, .default_text = initial, .min = low, .max = high, .help = text       \
    }
#define ROW_TEXT(name, initial, most, text)                                                                            \
    {                                                                                                                  \
        .key = name, .type = SETTINGS_TEXT, .default_text = initial, .max = most, .help = text                         \
    }
#define ROW_TEXT_RESTART(name, initial, most, text)                                                                    \
    {                                                                                                                  \
        .key = name, .type = SETTINGS_TEXT, .default_text = initial, .max = most, .restart = true, .help = text        \
    }
#define ROW_CHOICE(name, initial, list, text)                                                                          \
    {                                                                                                                  \
        .key = name, .type = SETTINGS_CHOICE, .default_text = initial, .choices = list, .help = text                   \
    }
#define ROW_CHOICE_RESTART(name, initial, list, text)                                                                  \
    {                                                                                                                  \
        .key = name, .type = SETTINGS_CHOICE, .default_text = initial, .choices = list, .restart = true, .help = text  \
    }

const struct settings_entry settings_table[] = {
    ROW_TEXT("access.legacy_allow", "", 2048,
             "Addresses and CIDR networks, separated by commas, whose callers may use the compatible calls without a "
             "credential; empty: nobody."),
    ROW_CHOICE_RESTART("access.mode", "closed", "closed|open",
                       "closed: every call needs a credential; open: calls from this machine itself need none."),
    ROW_TEXT("cloud.dev_sno", "", 64, "Serial number by which the platform knows this box; empty: not connected."),
    ROW_TEXT("cloud.login_url", "", 1024, "URL at which the box logs in to the platform; empty: not connected."),
    ROW_BOOL("cloud.person_code_as_string", "false",
             "Send person codes to the platform as strings even when they are whole numbers."),
    ROW_CHOICE("cloud.send_pictures", "all", "never|events|all",
               "Which pictures leave the box in reports: none, those of events, or all."),
    ROW_CHOICE("door.relay_default", "tcp", "tcp|modbus|http",
               "Protocol of a door relay whose device doesn't name one."),
    ROW_INT("events.keep", "10000", 100, 10000000,
            "Number of events kept; beyond it the oldest go first, with their pictures."),
    ROW_INT("events.keep_days", "0", 0, 36500, "Days an event is kept; 0: no limit by age."),
    ROW_BOOL("events.low_quality", "false", "Also keep an event when a face's quality is below the device's level."),
    ROW_CHOICE("events.spot_picture", "full", "full|face",
               "What is kept as an event's picture: the whole frame or the face with its surroundings."),
    ROW_INT_RESTART("gallery.capacity", "100000", 1, 5000000, "Number of faces the gallery may hold."),
    ROW_INT_RESTART("http.max_body_mib", "16", 1, 64, "Largest body of a request in MiB."),
    ROW_TEXT_RESTART("intake.ftp.directory", "share", 64,
                     "Directory that an FTP camera without an account of its own uploads to."),
    ROW_INT_RESTART("intake.ftp.port", "2121", 1, 65535, "TCP port on which cameras upload pictures by FTP."),
    ROW_TEXT_RESTART("intake.ftp.user", "linaro", 32, "FTP account of cameras without an account of their own."),
    ROW_FLOAT("liveness.threshold", "0.5", 0, 1,
              "Lowest probability (0-1) of a live face that passes, where a device's liveness check is on."),
    ROW_CHOICE("log.level", "info", "debug|info|warn|error", "Lowest level of messages that are logged."),
    ROW_CHOICE("passmode", "normal", "normal|allpass|allforbidden",
               "normal: permissions decide; allpass: everybody known passes; allforbidden: nobody passes."),
    ROW_BOOL("quality.custom.brightness", "true", "Quality level custom: judge the brightness of the face."),
    ROW_BOOL("quality.custom.clarity", "true", "Quality level custom: judge the sharpness of the face."),
    ROW_INT("quality.custom.face_size", "60", 16, 1000,
            "Quality level custom: the shorter side of the face's box must exceed this many pixels."),
    ROW_FLOAT("quality.custom.pitch", "30", 0, 90,
              "Quality level custom: largest angle in degrees by which the head may be tilted up or down."),
    ROW_FLOAT("quality.custom.yaw", "60", 0, 90,
              "Quality level custom: largest angle in degrees by which the head may be turned sideways."),
    ROW_INT("recognition.dedup_seconds", "10", 0, 3600,
            "Seconds within which the same person at the same device gives one event; 0: every time."),
    ROW_INT("recognition.enrol_min_face", "32", 16, 1000,
            "Smallest face that may be enrolled, in pixels of the shorter side of its box."),
    ROW_FLOAT("recognition.false_accept_target", "0.01", 1e-6, 0.5,
              "Share (0-1) of strangers who may be taken for somebody, from which the automatic threshold follows."),
    ROW_AUTO("recognition.max_auto_threshold", "auto", 0, 1,
             "Highest similarity (0-1) that the automatic threshold may reach; auto: the built-in limit."),
    ROW_BOOL("recognition.stranger_memory", "false",
             "Remember strangers under anonymous ids that expire, to tell whether a face was here before."),
    ROW_AUTO("recognition.threshold", "auto", 0, 1,
             "Similarity (0-1) from which a face is taken for a person; auto: chosen for the gallery's size."),
    ROW_CHOICE("recognition.tiles", "auto", "auto|off|2x2|3x3",
               "Tiles into which large pictures are cut to find small faces; auto: by the picture's size."),
    ROW_TEXT("reports.allow", "", 2048,
             "Hosts, addresses and CIDR networks, separated by commas, that reports may be sent to; empty: any."),
    ROW_TEXT("reports.device_info_url", "", 1024,
             "URL that device operations are reported to when the platform names none; empty: not reported."),
    ROW_BOOL("reports.history_batch", "false", "Send several events in one history report instead of one each."),
    ROW_INT_RESTART("vision.workers", "0", 0, 256, "Number of threads that analyse pictures; 0: one per core."),
};

const size_t settings_count = sizeof settings_table / sizeof settings_table[0];
