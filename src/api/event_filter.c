#include "api/event_filter.h"

#include <math.h>

int64_t event_filter_ms(double seconds)
{
    int64_t ms;

    if (isnan(seconds))
        return 0;
    ms = (int64_t)(seconds * 1000);
    return ms > 0 ? ms : 1;
}

void event_filter_read(const struct api_request *req, struct store_event_query *query)
{
    *query = (struct store_event_query){
        .from_ms = event_filter_ms(api_float(req, "datetime_gte")),
        .to_ms = event_filter_ms(api_float(req, "datetime_lte")),
        .name_part = api_text(req, "name"),
        .identity_id = api_text(req, "identity_id"),
        .room = api_text(req, "room"),
        .score_min = (float)api_float(req, "score_min"),
        .score_max = (float)api_float(req, "score_max"),
        .person_type = api_given(req, "userType") ? (int)api_int(req, "userType") : 0,
        .reason = api_text(req, "reason"),
        .stranger_id = api_given(req, "stranger") ? api_int(req, "stranger") : 0,
        .strangers_back_only = api_bool(req, "seen_before"),
    };
    query->groups = api_list(req, "groups", &query->n_groups);
    query->ep_ids = api_list(req, "streams", &query->n_ep_ids);
}

bool event_filter_is_one(const struct api_request *req, const struct store_event_query *query)
{
    return query->from_ms != 0 || query->to_ms != 0 || (query->name_part != NULL && query->name_part[0] != '\0') ||
           query->identity_id != NULL || query->room != NULL || !isnan(query->score_min) || !isnan(query->score_max) ||
           api_given(req, "userType") || query->reason != NULL || query->stranger_id != 0 ||
           query->strangers_back_only || query->n_groups > 0 || query->n_ep_ids > 0;
}
