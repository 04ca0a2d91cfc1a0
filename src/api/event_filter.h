/* By which events are chosen: the same arguments wherever events are read, deleted or exported. */
#ifndef AIBOX_API_EVENT_FILTER_H
#define AIBOX_API_EVENT_FILTER_H

#include "api/endpoint.h"
#include "store/store.h"

/* Fields of an endpoint. */
#define EVENT_FILTERS                                                                                                  \
    {.name = "datetime_gte", .type = API_FLOAT, .min = 0, .max = 1e11, .help = "Not before, Unix seconds."},           \
        {.name = "datetime_lte", .type = API_FLOAT, .min = 0, .max = 1e11, .help = "Not after, Unix seconds."},        \
        {.name = "name", .type = API_TEXT, .max = 1024, .help = "Part of the name."},                                  \
        {.name = "identity_id", .type = API_TEXT, .max = 1024, .help = "Exactly this person."},                        \
        {.name = "score_min", .type = API_FLOAT, .min = 0, .max = 1, .help = "Least score."},                          \
        {.name = "score_max", .type = API_FLOAT, .min = 0, .max = 1, .help = "Highest score."},                        \
        {.name = "userType", .type = API_INT, .min = 1, .max = 5, .help = "Type of person."},                          \
        {.name = "groups", .type = API_LIST, .max = 1024, .help = "Matched against any of these groups."},             \
        {.name = "streams", .type = API_LIST, .max = 1024, .help = "From any of these devices (ep_id)."},              \
        {.name = "room", .type = API_TEXT, .max = 1024, .help = "Exactly this room."},                                 \
        {.name = "stranger", .type = API_INT, .min = 1, .max = 1e15, .help = "Of this remembered stranger."},          \
        {.name = "seen_before",                                                                                        \
         .type = API_BOOL,                                                                                             \
         .default_text = "false",                                                                                      \
         .help = "True: remembered strangers who had been here before only."},                                         \
    {                                                                                                                  \
        .name = "reason", .type = API_CHOICE,                                                                          \
        .choices = "passed|stranger|uncertain|no_permission|blacklisted|liveness|low_quality", .help = "Outcome."      \
    }

/* A limit in Unix seconds as the store takes it: 0 s is one, too; NAN is none. */
int64_t event_filter_ms(double seconds);

/* Without skip and limit; strings are the request's. */
void event_filter_read(const struct api_request *req, struct store_event_query *query);
/* A filter that every event passes is none: nobody shall delete everything by leaving a field of a form empty. */
bool event_filter_is_one(const struct api_request *req, const struct store_event_query *query);

#endif
