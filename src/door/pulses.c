#include "door/pulses.h"

#define FIRST_BACKOFF_MS   1000
#define LONGEST_BACKOFF_MS 30000
#define GIVE_UP_MS         3600000 /* an address that never was a Modbus relay must not be knocked at for ever */

static void note_opening(struct pulse *pulse, int unit, int coil, int64_t off_at_ms)
{
    if (pulse->off_at_ms > off_at_ms)
        off_at_ms = pulse->off_at_ms;
    *pulse = (struct pulse){.off_at_ms = off_at_ms, .unit = unit, .coil = coil};
}

void pulses_note(struct pulses *pulses, const struct door_command *command, const struct relay_coils *coils, bool done,
                 bool sent, int64_t now_ms)
{
    uint64_t channels = relay_channels(command);
    bool timed = command->mode == DOOR_OPEN && command->duration_s != DOOR_HOLD_SECONDS;
    int first = command->logic_port > 0 ? command->logic_port - 1 : 0;

    if (command->mode == DOOR_CLOSE)
        pulses->held &= ~channels;
    else if (!timed && done)
        pulses->held |= channels;
    for (int i = 0; coils && i < coils->count; i++) {
        struct pulse *pulse = &pulses->of[first + i];

        if (!timed && done)
            pulse->off_at_ms = 0;
        else if (timed && (done || sent) && !(pulses->held & UINT64_C(1) << (first + i)))
            note_opening(pulse, coils->unit, coils->first + i, now_ms + (int64_t)command->duration_s * 1000);
    }
    if (done)
        pulses->retry_at_ms = pulses->backoff_ms = 0;
}

int64_t pulses_next(const struct pulses *pulses)
{
    int64_t next_ms = 0;

    for (int i = 0; i < DOOR_MAX_CHANNELS; i++) {
        int64_t off_at_ms = pulses->of[i].off_at_ms;

        if (off_at_ms != 0 && (next_ms == 0 || off_at_ms < next_ms))
            next_ms = off_at_ms;
    }
    return next_ms != 0 && next_ms < pulses->retry_at_ms ? pulses->retry_at_ms : next_ms;
}

static bool is_due(const struct pulse *pulse, int64_t now_ms)
{
    return pulse->off_at_ms != 0 && pulse->off_at_ms <= now_ms;
}

bool pulses_due(const struct pulses *pulses, int64_t now_ms, struct pulse_run *run)
{
    const struct pulse *pulse = pulses->of;
    const struct pulse *end = pulses->of + DOOR_MAX_CHANNELS;

    if (now_ms < pulses->retry_at_ms)
        return false;
    while (pulse < end && !is_due(pulse, now_ms))
        pulse++;
    if (pulse == end)
        return false;
    *run = (struct pulse_run){.first = (int)(pulse - pulses->of),
                              .coils = {.unit = pulse->unit, .first = pulse->coil, .count = 1}};
    for (pulse++; pulse < end && is_due(pulse, now_ms); pulse++) {
        if (pulse->unit != run->coils.unit || pulse->coil != run->coils.first + run->coils.count)
            break;
        run->coils.count++;
    }
    return true;
}

void pulses_off(struct pulses *pulses, const struct pulse_run *run)
{
    for (int i = 0; i < run->coils.count; i++)
        pulses->of[run->first + i].off_at_ms = 0;
    pulses->retry_at_ms = pulses->backoff_ms = 0;
}

int pulses_failed(struct pulses *pulses, int64_t now_ms)
{
    int given_up = 0;

    pulses->backoff_ms = pulses->backoff_ms == 0 ? FIRST_BACKOFF_MS : pulses->backoff_ms * 2;
    if (pulses->backoff_ms > LONGEST_BACKOFF_MS)
        pulses->backoff_ms = LONGEST_BACKOFF_MS;
    pulses->retry_at_ms = now_ms + pulses->backoff_ms;
    for (int i = 0; i < DOOR_MAX_CHANNELS; i++) {
        if (!is_due(&pulses->of[i], now_ms - GIVE_UP_MS))
            continue;
        pulses->of[i].off_at_ms = 0;
        given_up++;
    }
    return given_up;
}
