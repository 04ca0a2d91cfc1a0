/* Reading the tables of a calibration out of a JSON document. */
#ifndef AIBOX_VISION_CALIBRATION_JSON_H
#define AIBOX_VISION_CALIBRATION_JSON_H

#include <jansson.h>

#include "core/status.h"
#include "vision/calibration.h"

/*
 * `fmr` and `genuine` of an object: lists of 2 to CALIBRATION_MAX_POINTS pairs [rate, score]. PROCESS_FAILED says what
 * is wrong with which; `where` comes before the key's name, e.g. "manifest.json: calibration.".
 */
enum aibox_status calibration_parse(const json_t *object, const char *where, struct calibration *out,
                                    struct aibox_error *err);

#endif
