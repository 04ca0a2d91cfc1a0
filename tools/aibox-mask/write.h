#ifndef AIBOX_MASK_WRITE_H
#define AIBOX_MASK_WRITE_H

#include "regression.h"
#include "scores.h"

/* The file of a model set that src/vision/mask.h reads. */
bool write_mask_model(const char *path, const char *model_set, const struct dataset *data, uint64_t seed,
                      const struct regression *model, const struct scores *scores);

#endif
