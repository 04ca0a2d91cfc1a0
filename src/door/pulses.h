/*
 * What a lane knows of the doors behind one relay address: which channels are held open, and which Modbus coils the box
 * has to switch off, and when. No I/O, no clock of its own: times are the caller's (monotonic ms). Private to the room.
 */
#ifndef AIBOX_DOOR_PULSES_H
#define AIBOX_DOOR_PULSES_H

#include <stdbool.h>
#include <stdint.h>

#include "door/door.h"
#include "door/relay.h"

struct pulse {
    int64_t off_at_ms; /* 0: nothing to switch off */
    int unit;          /* where the coil is, by the settings of when it was switched on */
    int coil;
};

/* Zero-initialise. One thread at a time. */
struct pulses {
    uint64_t held; /* bit i: channel i + 1 is held open, or its alarm on, until it is closed */
    struct pulse of[DOOR_MAX_CHANNELS];
    int64_t retry_at_ms; /* not before: switching off has failed */
    int64_t backoff_ms;
};

/* Consecutive coils to be switched off by one write. */
struct pulse_run {
    int first; /* index into pulses.of */
    struct relay_coils coils;
};

/*
 * Takes down what became of a command. `coils`: where it went, NULL for boards that have timers of their own. `done`:
 * the relay confirmed it; `sent`: it may have carried it out.
 *
 * A timed opening lasts until `now_ms` + duration, or longer if an earlier one does; it leaves a held channel held. One
 * that may have been carried out counts: better switched off twice than left open. Holding and alarm end the time.
 * Closing ends it when done; and ends holding even if not done, so that the next timed opening closes the door again.
 */
void pulses_note(struct pulses *pulses, const struct door_command *command, const struct relay_coils *coils, bool done,
                 bool sent, int64_t now_ms);

/* When there is something to switch off next; 0: nothing. */
int64_t pulses_next(const struct pulses *pulses);
/* The first coils due at `now_ms`, as many as one write can do. False: none. */
bool pulses_due(const struct pulses *pulses, int64_t now_ms, struct pulse_run *run);

/* That run has been switched off. */
void pulses_off(struct pulses *pulses, const struct pulse_run *run);
/*
 * It couldn't be: nothing is due for a second, then two, … at most 30. A command that the relay confirms ends the wait.
 * Coils that should have been off for an hour are given up; returns how many.
 */
int pulses_failed(struct pulses *pulses, int64_t now_ms);

#endif
