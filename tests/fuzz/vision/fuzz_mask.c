/* Any file for telling masks: either refused with a reason, or it gives probabilities and thresholds. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "vision/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mask_model model;
    float embedding[VISION_DIMENSION] = {0};
    struct aibox_error err = {0};
    if (mask_model_parse((const char *)data, size, &model, &err) != AIBOX_OK) {
        require(err.message[0] != '\0');
        return 0;
    }
    require(mask_probability(&model, embedding) == -1.0f);
    for (size_t i = 0; i < VISION_DIMENSION; i++)
        embedding[i] = (float)(i % 7) - 3;
    float probability = mask_probability(&model, embedding);
    require(probability >= 0 && probability <= 1);
    double threshold = mask_threshold(&model.calibration, &model.calibration, 0.4);
    require(threshold >= -1 && threshold <= 1);
    return 0;
}
