/* A finished model: what it tells, and its end. */
#include "vision/nn/nn.h"

#include <stdlib.h>

#include "vision/nn/ir.h"

void nn_model_free(struct nn_model *model)
{
    if (!model)
        return;
    nn_network_free(&model->net);
    nn_plan_free(&model->plan);
    free(model);
}

size_t nn_model_outputs(const struct nn_model *model)
{
    return model->net.n_outputs;
}

struct nn_shape nn_model_input_shape(const struct nn_model *model)
{
    const struct nn_op *op = &model->net.op[model->net.input];

    return (struct nn_shape){.rank = 4, .dim = {1, op->h, op->w, op->c}};
}

struct nn_shape nn_model_output_shape(const struct nn_model *model, size_t index)
{
    return index < model->net.n_outputs ? model->net.output_shape[index] : (struct nn_shape){0};
}
