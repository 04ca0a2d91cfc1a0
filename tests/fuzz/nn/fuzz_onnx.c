/* Any bytes as an ONNX model; what can be read and is small is opened and run, too. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vision/nn/nn.h"

#define SMALL 65536 /* numbers of the input: larger ones only cost time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t elements(struct nn_shape shape)
{
    size_t count = 1;

    for (size_t i = 0; i < shape.rank; i++)
        count *= shape.dim[i];
    return count;
}

/* Every number that is given out must be there: a sanitizer watches the copying. */
static void use(struct nn_session *session, const struct nn_model *model)
{
    for (size_t i = 0; i < elements(nn_model_input_shape(model)); i++)
        nn_session_input(session)[i] = (float)(i % 19) / 19 - 0.5F;
    if (nn_run(session, NULL) != AIBOX_OK)
        return;
    for (size_t i = 0; i < nn_model_outputs(model); i++) {
        size_t size = elements(nn_model_output_shape(model, i)) * sizeof(float);
        void *copy = malloc(size);
        if (copy)
            memcpy(copy, nn_session_output(session, i), size);
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nn_model *model;
    struct nn_session *session;
    struct aibox_error err;

    if (nn_model_read(data, size, NULL, 0, NULL, &model, &err) != AIBOX_OK)
        return 0;
    if (elements(nn_model_input_shape(model)) <= SMALL && nn_session_open(model, &session, &err) == AIBOX_OK) {
        use(session, model);
        nn_session_close(session);
    }
    nn_model_free(model);
    return 0;
}
