/* Any manifest (up to the first NUL) with any file of weights (the rest). */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vision/nn/age_gender.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    size_t manifest = nul ? (size_t)(nul - data) : size;
    size_t weights = nul ? manifest + 1 : size;
    struct nn_model *model;
    struct aibox_error err;

    if (age_gender_read((const char *)data, manifest, data + weights, size - weights, &model, &err) == AIBOX_OK)
        nn_model_free(model);
    return 0;
}
