/* Any manifest of a model set: either refused with a reason, or every value is within its limits. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vision/model_set.h"
#include "vision/vision.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static void check_points(const float points[5][2])
{
    for (int i = 0; i < 5; i++)
        for (int axis = 0; axis < 2; axis++)
            require(points[i][axis] >= 0 && points[i][axis] <= VISION_ALIGNED_SIDE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_set set;
    struct aibox_error err = {0};
    if (model_set_parse((const char *)data, size, &set, &err) != AIBOX_OK) {
        require(err.message[0] != '\0');
        return 0;
    }
    require(memchr(set.id, '/', sizeof set.id) != NULL);
    for (int i = 0; i < MODEL_FILES; i++)
        require(memchr(set.files[i].name, '/', sizeof set.files[i].name) == NULL && set.files[i].name[0] != '.');
    check_points(set.feature.points);
    require(set.feature.views >= 1 && set.feature.views <= 2);
    if (model_set_has(&set, MODEL_POINTS)) {
        check_points(set.points.points);
        require(set.points.looks >= 1 && set.points.looks <= 4 && set.points.box >= 0.5f && set.points.box <= 2);
    }
    require(isfinite(calibration_threshold(&set.calibration, 1e-6)));
    require(calibration_fmr(&set.calibration, 0.4) >= 0);
    return 0;
}
