/*
 * The resources: each file resource_<name>.c exports the rows of its calls, and is named in this list. table.c puts
 * them together.
 */
#ifndef AIBOX_API_RESOURCES_H
#define AIBOX_API_RESOURCES_H

#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "api/endpoint.h"

/* In the order of the documentation. */
#define API_RESOURCES(X)                                                                                               \
    X(groups)                                                                                                          \
    X(users)                                                                                                           \
    X(people)                                                                                                          \
    X(photos)                                                                                                          \
    X(overview)                                                                                                        \
    X(import)                                                                                                          \
    X(jobs)                                                                                                            \
    X(face)                                                                                                            \
    X(match)                                                                                                           \
    X(search)                                                                                                          \
    X(devices)                                                                                                         \
    X(terminals)                                                                                                       \
    X(cameras)                                                                                                         \
    X(events)                                                                                                          \
    X(strangers)                                                                                                       \
    X(rejections)                                                                                                      \
    X(events_export)                                                                                                   \
    X(recognition)                                                                                                     \
    X(model_sets)                                                                                                      \
    X(reports)                                                                                                         \
    X(report_state)                                                                                                    \
    X(stream)                                                                                                          \
    X(doors)                                                                                                           \
    X(platform)                                                                                                        \
    X(platform_state)                                                                                                  \
    X(backup)                                                                                                          \
    X(wipe)                                                                                                            \
    X(settings)                                                                                                        \
    X(network)                                                                                                         \
    X(logs)                                                                                                            \
    X(session)                                                                                                         \
    X(accounts)                                                                                                        \
    X(health)                                                                                                          \
    X(site)                                                                                                            \
    X(openapi)

#define X(name)                                                                                                        \
    extern const struct api_endpoint api_##name##_endpoints[];                                                         \
    extern const size_t api_##name##_count;
API_RESOURCES(X)
#undef X

/* All rows of all resources, one behind the other; never freed. Any thread. */
const struct api_endpoint *api_all_endpoints(size_t *n);

/* Shared by resources that answer a picture: takes `bytes` (malloc), a picture of any kind the box stores, and answers
 * a JPEG. resource_face.c */
enum aibox_status api_answer_jpeg(struct api_response *res, uint8_t *bytes, size_t size, struct aibox_error *err);

#endif
