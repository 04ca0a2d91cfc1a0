#ifndef AIBOX_MASK_TRAIN_H
#define AIBOX_MASK_TRAIN_H

#include "accuracy.h"

/* Learns, prints how well, writes the model set's file. */
bool train_mask(const struct dataset *data, const struct vision *vision, size_t threads, uint64_t seed,
                const char *path);

#endif
