#include "vision/nn/builder_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

nn_value nn_builder_fail(struct nn_builder *b, const char *format, ...)
{
    char text[256];
    va_list args;

    if (b->failed)
        return NN_NO_VALUE;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    b->failed = true;
    error_set(&b->error, AIBOX_PROCESS_FAILED, "%s", text);
    return NN_NO_VALUE;
}

enum aibox_status nn_builder_open(struct nn_builder **out, struct aibox_error *err)
{
    struct nn_builder *b = calloc(1, sizeof *b);

    if (!b)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    b->net.input = NN_NO_VALUE;
    *out = b;
    return AIBOX_OK;
}

void nn_builder_free(struct nn_builder *builder)
{
    if (!builder)
        return;
    nn_network_free(&builder->net);
    free(builder);
}

bool nn_builder_failed(const struct nn_builder *builder, struct aibox_error *err)
{
    if (builder->failed && err)
        *err = builder->error;
    return builder->failed;
}

const struct nn_op *nn_builder_get(struct nn_builder *b, nn_value x)
{
    if (b->failed)
        return NULL;
    if (x >= b->net.n_ops) {
        nn_builder_fail(b, "an operator's input does not exist");
        return NULL;
    }
    return &b->net.op[x];
}

void nn_builder_sizes(const struct nn_builder *builder, nn_value x, size_t *h, size_t *w, size_t *c)
{
    bool known = x < builder->net.n_ops;

    *h = known ? builder->net.op[x].h : 0;
    *w = known ? builder->net.op[x].w : 0;
    *c = known ? builder->net.op[x].c : 0;
}

bool nn_within(size_t a, size_t b, size_t c, size_t d, size_t e)
{
    const size_t factor[] = {a, b, c, d, e};
    size_t product = 1;

    for (size_t i = 0; i < 5; i++) {
        if (factor[i] == 0 || factor[i] > NN_MAX_ELEMENTS / product)
            return false;
        product *= factor[i];
    }
    return true;
}

/* Room for one more operator with n_in inputs. */
static bool reserve(struct nn_builder *b, size_t n_in)
{
    struct nn_network *net = &b->net;

    if (net->n_ops == NN_MAX_OPS || n_in > NN_MAX_INPUTS - net->n_in) {
        nn_builder_fail(b, "too many operators");
        return false;
    }
    if (net->n_ops == net->capacity) {
        size_t capacity = net->capacity ? net->capacity * 2 : 64;
        struct nn_op *grown = realloc(net->op, capacity * sizeof *grown);
        if (!grown)
            goto out_of_memory;
        net->op = grown;
        net->capacity = capacity;
    }
    if (n_in > net->in_capacity - net->n_in) {
        size_t capacity = net->in_capacity * 2 + n_in + 64;
        nn_value *grown = realloc(net->in, capacity * sizeof *grown);
        if (!grown)
            goto out_of_memory;
        net->in = grown;
        net->in_capacity = capacity;
    }
    return true;
out_of_memory:
    nn_builder_fail(b, "out of memory");
    return false;
}

nn_value nn_builder_push(struct nn_builder *b, enum nn_kind kind, const nn_value *in, size_t n_in, size_t h, size_t w,
                         size_t c)
{
    struct nn_network *net = &b->net;

    if (b->failed)
        return NN_NO_VALUE;
    if (!nn_within(h, w, c, 1, 1))
        return nn_builder_fail(b, "a tensor of %zu x %zu x %zu is not possible", h, w, c);
    if (!reserve(b, n_in))
        return NN_NO_VALUE;
    net->op[net->n_ops] = (struct nn_op){
        .kind = kind,
        .h = h,
        .w = w,
        .c = c,
        .first_in = net->n_in,
        .n_in = n_in,
        .minimum = -INFINITY,
        .maximum = INFINITY,
    };
    for (size_t i = 0; i < n_in; i++)
        net->in[net->n_in++] = in[i];
    return (nn_value)net->n_ops++;
}

/* A copy of `count` floats, counted against the bound of all weights. XNNPACK reads some bytes past a tensor's end,
 * and constants are tensors: hence the slack. */
static float *keep(struct nn_builder *b, const float *data, size_t count)
{
    const size_t slack = 16;
    float *copy;

    if (count > NN_MAX_ELEMENTS - b->elements) {
        nn_builder_fail(b, "too many weights");
        return NULL;
    }
    copy = malloc((count + slack) * sizeof *copy);
    if (!copy) {
        nn_builder_fail(b, "out of memory");
        return NULL;
    }
    memcpy(copy, data, count * sizeof *copy);
    memset(copy + count, 0, slack * sizeof *copy);
    b->elements += count;
    return copy;
}

nn_value nn_builder_equip(struct nn_builder *b, nn_value x, const float *weights, size_t n_weights, const float *bias,
                          size_t n_bias)
{
    if (x == NN_NO_VALUE)
        return x;
    if (weights) {
        b->net.op[x].weights = keep(b, weights, n_weights);
        if (!b->net.op[x].weights)
            return NN_NO_VALUE;
    }
    if (bias) {
        b->net.op[x].bias = keep(b, bias, n_bias);
        if (!b->net.op[x].bias)
            return NN_NO_VALUE;
    }
    return x;
}

nn_value nn_build_input(struct nn_builder *b, size_t h, size_t w, size_t c)
{
    if (!b->failed && b->net.input != NN_NO_VALUE)
        return nn_builder_fail(b, "a second input");
    return b->net.input = nn_builder_push(b, NN_INPUT, NULL, 0, h, w, c);
}

nn_value nn_build_constant(struct nn_builder *b, size_t h, size_t w, size_t c, const float *data)
{
    nn_value x = nn_builder_push(b, NN_CONSTANT, NULL, 0, h, w, c);

    return nn_builder_equip(b, x, data, h * w * c, NULL, 0);
}

/* Does the shape that a caller gives an output hold as many floats as the output has? */
static bool fits(const struct nn_shape *shape, const struct nn_op *op)
{
    size_t count = 1;

    if (shape->rank < 1 || shape->rank > 4)
        return false;
    for (size_t i = 0; i < shape->rank; i++) {
        if (!nn_within(count, shape->dim[i], 1, 1, 1))
            return false;
        count *= shape->dim[i];
    }
    return count == nn_places(op) * op->c;
}

static enum aibox_status set_outputs(struct nn_builder *b, const nn_value *outputs, const struct nn_shape *shapes,
                                     size_t n_outputs, struct aibox_error *err)
{
    if (n_outputs == 0 || n_outputs > NN_MAX_PORTS)
        return error_set(err, AIBOX_PROCESS_FAILED, "a model with %zu outputs", n_outputs);
    for (size_t i = 0; i < n_outputs; i++) {
        const struct nn_op *op = nn_builder_get(b, outputs[i]);
        if (!op)
            break;
        b->net.output[i] = outputs[i];
        b->net.output_shape[i] = shapes ? shapes[i] : (struct nn_shape){.rank = 4, .dim = {1, op->h, op->w, op->c}};
        if (!fits(&b->net.output_shape[i], op))
            return error_set(err, AIBOX_PROCESS_FAILED, "output %zu has another shape", i);
    }
    b->net.n_outputs = n_outputs;
    if (nn_builder_failed(b, err))
        return AIBOX_PROCESS_FAILED;
    if (b->net.input == NN_NO_VALUE)
        return error_set(err, AIBOX_PROCESS_FAILED, "a model without input");
    return AIBOX_OK;
}

enum aibox_status nn_builder_finish(struct nn_builder *b, const nn_value *outputs, const struct nn_shape *shapes,
                                    size_t n_outputs, struct nn_model **out, struct aibox_error *err)
{
    struct nn_model *model = NULL;
    enum aibox_status status = set_outputs(b, outputs, shapes, n_outputs, err);

    if (status != AIBOX_OK)
        return status;
    if (nn_count_macs(&b->net) > NN_MAX_MACS)
        return error_set(err, AIBOX_PROCESS_FAILED, "the model needs too many multiplications");
    status = nn_optimise(&b->net, err);
    if (status != AIBOX_OK)
        return status;
    model = calloc(1, sizeof *model);
    if (!model)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    status = nn_plan_make(&b->net, &model->plan, err);
    if (status != AIBOX_OK) {
        free(model);
        return status;
    }
    model->net = b->net;
    b->net = (struct nn_network){.input = NN_NO_VALUE};
    *out = model;
    return AIBOX_OK;
}
