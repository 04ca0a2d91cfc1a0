/* One argument: checks a value against its row of the table and gives it its type. */
#ifndef AIBOX_API_ARGUMENT_H
#define AIBOX_API_ARGUMENT_H

#include <stddef.h>

#include "api/form.h"
#include "api/request.h"
#include "core/status.h"

/*
 * Each fills `value` (zeroed before) and sets `filled`. Texts live in the request's arena or in what they were made of.
 * PARAM or BOOLEAN with a message "limit: expected an integer from 1 to 1000, got "abc""; PROCESS_FAILED when memory
 * runs out.
 */

/* `json`: borrowed; not null. */
enum aibox_status argument_from_json(struct api_request *req, const struct api_field *field, json_t *json,
                                     struct api_value *value, struct aibox_error *err);
/* The parts of that name, at least one. More than one: LIST only. */
enum aibox_status argument_from_form(struct api_request *req, const struct api_field *field,
                                     const struct form_part *const *parts, size_t count, struct api_value *value,
                                     struct aibox_error *err);
/* As one plain form field would be: defaults. */
enum aibox_status argument_from_default(struct api_request *req, const struct api_field *field, struct api_value *value,
                                        struct aibox_error *err);

/* ---- shared by the above ---------------------------------------------------------------------------- */

#define ARGUMENT_SHOWN 96 /* room for a value in a message, with NUL */

/* TEXT, BOOL, INT, FLOAT, NUMBER_OR_WORD and CHOICE from text with a NUL behind it, and nowhere else. */
enum aibox_status argument_scalar(const struct api_field *field, const char *text, struct api_value *value,
                                  struct aibox_error *err);
/* Checks an INT, FLOAT or NUMBER_OR_WORD against the field's range; `shown` is what came. */
enum aibox_status argument_check_range(const struct api_field *field, double number, const char *shown,
                                       struct aibox_error *err);
/* A LIST's items and their number. */
enum aibox_status argument_check_list(const struct api_field *field, const struct api_value *value,
                                      struct aibox_error *err);
enum aibox_status argument_check_count(const struct api_field *field, size_t count, struct aibox_error *err);
/* PICTURE from base64 text; never fails for what the text holds, see api_picture(). */
enum aibox_status argument_picture(struct api_request *req, const char *text, size_t size, struct api_value *value,
                                   struct aibox_error *err);

/* "field: expected …, got …" with `shown` as what came; BOOLEAN for a BOOL, else PARAM. */
enum aibox_status argument_mismatch(const struct api_field *field, const char *shown, struct aibox_error *err);
/* What came, for a message: short, printable, in quotes. */
const char *argument_show_text(const char *text, char shown[ARGUMENT_SHOWN]);
const char *argument_show_json(const json_t *json, char shown[ARGUMENT_SHOWN]);

#endif
