/* A store in a folder of its own, and a second pair of eyes on its files. */
#ifndef AIBOX_TEST_STORE_FIXTURE_H
#define AIBOX_TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

#define MODEL_SET "test-1"

struct fixture {
    char path[256];
    struct store *store;
    size_t capacity;
};

/* For cmocka_unit_test_setup_teardown. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_reopen(struct fixture *fixture);

/* First column of a query on aibox.db ("main") or pictures.db ("pictures") by a connection of its own. */
int64_t fixture_query(const struct fixture *fixture, const char *database, const char *sql);
/* Runs SQL by a connection of its own. */
void fixture_exec(const struct fixture *fixture, const char *database, const char *sql);
/* In how many files of the folder do these bytes occur? */
size_t fixture_files_with(const struct fixture *fixture, const void *bytes, size_t size);
/* The reverse lists agree with the rows of person, the counters with the tables, every image has a picture, every face
 * in a person's list has its feature. */
void fixture_check_invariants(const struct fixture *fixture);
/* Waits (5 s) until no picture is without a name. */
void fixture_wait_for_sweep(const struct fixture *fixture);

void fill_feature(float feature[STORE_DIMENSION], unsigned seed);
/* A person with one face and photo made from `seed`. */
enum aibox_status save_person(struct store *store, enum store_person_mode mode, const char *identity_id,
                              const char *name, unsigned seed, struct store_person *out, struct aibox_error *err);
/* What a listener was told of people, the last one's faces; ctx of hear_person(), a store_listener's `person`. */
struct heard_people {
    int calls;
    size_t n_faces;
    float first[STORE_MAX_FACES]; /* of each feature */
};
bool hear_person(void *ctx, const struct store_template *state);
/* Text that fails the test unless the status is as expected. */
#define assert_status(expected, call) assert_string_equal(status_name(call), status_name(expected))

#endif
