/* Asking the platform for people by their ids (`path` of add_users_plus). */
#ifndef AIBOX_CLOUD_PEOPLE_ASK_H
#define AIBOX_CLOUD_PEOPLE_ASK_H

#include <jansson.h>

#include "cloud/command.h"

#define PEOPLE_ASK_MOST 50 /* ids of one request */

struct people_ask;

/* `url`: composed; must outlive it. */
enum aibox_status people_ask_open(const struct command_context *ctx, const char *url, struct people_ask **out,
                                  struct aibox_error *err);
void people_ask_close(struct people_ask *ask); /* NULL is allowed */

/*
 * Asks for the people with these ids (a list of at most PEOPLE_ASK_MOST texts). *people: a new object, identity id →
 * person (an object; of several with one id the last). REMOTE_FAILED: no answer, not 200, or an error told in it, whose
 * message it is; REMOTE_DATA: an answer that can't be used. One thread.
 */
enum aibox_status people_ask(struct people_ask *ask, json_t *ids, json_t **people, struct aibox_error *err);

/* The people of an answer's body, as above. */
enum aibox_status people_ask_read(const void *body, size_t size, int http_status, json_t **people,
                                  struct aibox_error *err);

#endif
