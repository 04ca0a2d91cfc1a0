/* One person of add_users_plus: from what the platform says of them to the gallery. */
#ifndef AIBOX_CLOUD_PERSON_H
#define AIBOX_CLOUD_PERSON_H

#include "cloud/command_internal.h"
#include "core/fetch.h"

/* What became of a person, as the result tells it. */
struct person_outcome {
    int code;      /* 0: enrolled */
    int type;      /* 1..5 */
    char *name;    /* malloc; NULL: not known */
    char *message; /* malloc; NULL: out of memory */
};
void person_outcome_free(struct person_outcome *outcome);
void person_outcome_set(struct person_outcome *outcome, enum aibox_status status, const char *message);
/* As text for the inbox, and back. NULL: out of memory; false: it can't be read. */
char *person_outcome_print(const struct person_outcome *outcome);
bool person_outcome_read(const char *text, struct person_outcome *out);

/* As an element of the result's lists. `brief`: without what may be long, for a result that would not fit. */
void person_outcome_write(struct json_out *out, const char *id, const struct person_outcome *outcome, bool code_as_text,
                          bool brief);

/* What the command says for all of its people. */
struct person_defaults {
    bool has_level;
    enum vision_quality_level level;
    bool import; /* enrol from features */
};

/* How downloads go: shared by those who download side by side. */
struct person_downloads {
    const struct command_context *ctx;
    atomic_uint unanswered; /* in a row: a server that doesn't answer at all is waited for less and less */
};

/*
 * Enrols the person and stores the outcome of `part` with it, in one transaction; a failure changes nothing about the
 * person, and is not stored. `person` is an object; it may be changed. Blocks: downloads, waits for a vision worker.
 * Returns false when the box stops: then nothing is known of the person.
 */
bool person_enrol(struct person_downloads *downloads, struct fetcher *fetcher, const struct person_defaults *defaults,
                  int64_t inbox_id, const char *part, json_t *person, struct person_outcome *outcome);

#endif
