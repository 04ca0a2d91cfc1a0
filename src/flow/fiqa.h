/* Face image quality as the wire knows it (JSON). */
#ifndef AIBOX_FLOW_FIQA_H
#define AIBOX_FLOW_FIQA_H

#include <stdbool.h>

#include "core/buffer.h"
#include "flow/flow.h"

/* `{"brightness", "clarity", "face_size", "feature", "headpose" {…}, "mask", "occlusion" [3], "partial"}` */
void fiqa_info_json(struct buffer *out, const struct vision_quality *quality);

/* `[x1, y1, x2, y2]`, whole pixels. */
void fiqa_bbox_json(struct buffer *out, const struct vision_face *face);

/* One element of a FIQA answer: `{"bbox", "fails", "fiqa_result", "info", "score", "success"}`. */
void fiqa_face_json(struct buffer *out, const struct flow_face *face);

/* `box_fiqa_info` of an event: the same without bbox, plus age and sex when they were estimated. */
void fiqa_event_json(struct buffer *out, const struct flow_face *face, bool with_age_sex);

#endif
