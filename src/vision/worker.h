/* Inside of the vision room: the loaded models and one thread's networks. */
#ifndef AIBOX_VISION_WORKER_H
#define AIBOX_VISION_WORKER_H

#include "vision/detect.h"
#include "vision/mask.h"
#include "vision/model_set.h"
#include "vision/nn/age_gender.h"
#include "vision/nn/nn.h"
#include "vision/nn/onet.h"
#include "vision/vision.h"

/* The networks that are ONNX files. */
enum network { NETWORK_DETECT, NETWORK_LANDMARK, NETWORK_FEATURE, NETWORK_LIVENESS, NETWORKS };

/* Immutable once open, shared by the threads. */
struct vision {
    struct model_set set;
    struct nn_model *models[NETWORKS];
    struct nn_model *age_gender;
    struct nn_model *points; /* NULL: the set has none, alignment goes by the landmarks */
    struct mask_model *mask; /* owned; NULL: the set has none that fits it */
    struct detect_map maps[MODEL_DETECT_HEADS];
};

/* One thread's. */
struct vision_worker {
    const struct vision *vision; /* not owned */
    struct nn_session *sessions[NETWORKS];
    struct nn_session *age_gender;
    struct nn_session *points;    /* NULL like the model */
    struct candidate *candidates; /* DETECT_MAX_CANDIDATES: one pass of the detector */
    struct candidate *merged;     /* DETECT_MAX_MERGED: all passes */
    float grey[VISION_ALIGNED_SIDE * VISION_ALIGNED_SIDE];
};

#endif
