/* Relay boards for tests: a server on all addresses 127.x.y.z (and ::1) that takes down what it is told. Call from the
 * test's thread. */
#ifndef AIBOX_TEST_DOOR_BOARD_H
#define AIBOX_TEST_DOOR_BOARD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/settings.h"
#include "door/door.h"

enum board_kind {
    BOARD_MODBUS, /* 32 coils, all off; records "unit 1: coil 3 on", "unit 1: coils 0..7 off" */
    BOARD_HTTP, /* records "GET /path", with a credential "GET /path Basic …", a POST "POST /path <content type> <body>"
                 */
    BOARD_BYTES, /* records what arrives at once */
    BOARD_SILENT /* takes connections and what is sent, records "silence", answers nothing */
};

struct board;

/* `reply`: what HTTP and BYTES answer; NULL: nothing. Modbus answers by libmodbus's server. Fails the test when it
 * can't. */
struct board *board_start(enum board_kind kind, const char *reply);
int board_port(const struct board *board);
/* Waits until there are `n` records; fails the test when there aren't after 30 s. */
void board_wait(struct board *board, size_t n);
size_t board_count(struct board *board);
/* Record `i` < board_count; valid until the board stops. */
const char *board_record(struct board *board, size_t i);
/* BOARD_MODBUS: the coil's state. */
bool board_coil(struct board *board, int coil);
/* Hangs up on everybody and frees. */
void board_stop(struct board *board);

/* Settings at their defaults and a door; fails the test when it can't. */
struct settings *test_settings(void);
struct door *test_door(struct settings *settings);
void test_put(struct settings *settings, const char *key, const char *text);
/* Opens channel 1 of 8 at 127.0.0.1 for 254 s: nothing that a test would see the end of. */
struct door_command test_command(enum door_driver driver, int port);
/* Drives one command; fails the test unless it is done. */
void test_drive(struct door *door, const struct door_command *command);
/* Drives one command that must fail with a reason that contains `reason`. */
void test_refused(struct door *door, const struct door_command *command, const char *reason);
/* Value of a metric. */
long test_metric(struct door *door, const char *name);

#endif
