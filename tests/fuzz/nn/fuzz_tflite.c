/* Any bytes as a TensorFlow Lite file: as ONet, and for a tensor that small files can have. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "vision/nn/onet.h"
#include "vision/nn/tflite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t shape[] = {2, 1};
    struct nn_model *model;
    struct tflite file;
    struct aibox_error err;
    float *numbers;

    if (onet_read(data, size, &model, &err) == AIBOX_OK)
        nn_model_free(model);
    if (tflite_open(data, size, &file, &err) != AIBOX_OK)
        return 0;
    if (tflite_floats(&file, "a", shape, 2, &numbers, &err) == AIBOX_OK)
        free(numbers);
    if (tflite_floats(&file, "", shape, 1, &numbers, &err) == AIBOX_OK)
        free(numbers);
    return 0;
}
