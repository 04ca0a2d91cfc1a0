/* People as the wire knows them. */
#ifndef AIBOX_API_PERSON_JSON_H
#define AIBOX_API_PERSON_JSON_H

#include <stdbool.h>

#include "core/json_out.h"
#include "core/status.h"
#include "store/store.h"

/* The person's `info`: as stored, plus the keys that the box derives. */
void person_json_info(struct json_out *out, const struct store_person *person);

/* List of texts as JSON array. */
void person_json_texts(struct json_out *out, const struct store_text_list *texts);

/* The newest face's photo as base64, '' when there is none or it is not wanted. PROCESS_FAILED when it can't be read.
 */
enum aibox_status person_json_photo(struct json_out *out, struct store *store, const struct store_person *person,
                                    bool wanted, struct aibox_error *err);

#endif
