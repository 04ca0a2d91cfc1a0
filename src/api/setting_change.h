/* Changing settings by REST: what may be changed, and doing it for good and at once. Any thread. */
#ifndef AIBOX_API_SETTING_CHANGE_H
#define AIBOX_API_SETTING_CHANGE_H

#include <stddef.h>

#include "api/api.h"
#include "core/status.h"

/*
 * PARAM naming the key: unknown, fixed by --set, or a value (text form; NULL: of a type that no setting has) that it
 * doesn't take, on `api` being the server that was asked.
 */
enum aibox_status setting_change_check(const struct api_context *ctx, const struct api *api, const char *key,
                                       const char *value, struct aibox_error *err);

/* PARAM naming the key: a value that doesn't go with the others, changed along with it or not. Each has been checked by
 * itself. */
enum aibox_status setting_change_check_all(const struct api_context *ctx, const char *const *keys,
                                           const char *const *values, size_t n, struct aibox_error *err);

/* Stores checked values, all or nothing, and puts them into force: durable at return. */
enum aibox_status setting_change_apply(struct api_context *ctx, const char *const *keys, const char *const *values,
                                       size_t n, struct aibox_error *err);

/* Forgets every stored value but those of `kept` (keys, ended by NULL); file and default count again. */
enum aibox_status setting_change_reset(struct api_context *ctx, const char *const *kept, struct aibox_error *err);

#endif
