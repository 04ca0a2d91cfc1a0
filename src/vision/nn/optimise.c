/*
 * Making a network smaller before it is laid out: what no output needs goes; a per-channel scale and
 * shift (BatchNormalization, multiplication with or addition of constants) goes into the weights of the
 * convolution before it; a clamp (Relu, Clip) becomes the output bounds of the operator before it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vision/nn/ir.h"

struct work {
    struct nn_network *net;
    nn_value *same; /* [n_ops] the value that stands for this one now */
    size_t *uses;   /* [n_ops] operators and outputs that read it; 0: dead */
};

static void count_uses(struct work *k)
{
    struct nn_network *net = k->net;

    for (size_t i = 0; i < net->n_outputs; i++)
        k->uses[net->output[i]]++;
    for (size_t i = net->n_ops; i-- > 0;) {
        const struct nn_op *op = &net->op[i];
        k->same[i] = (nn_value)i;
        for (size_t j = 0; k->uses[i] > 0 && j < op->n_in; j++)
            k->uses[net->in[op->first_in + j]]++;
    }
}

static bool unbounded(const struct nn_op *op)
{
    return isinf(op->minimum) && isinf(op->maximum);
}

static bool is_identity(const struct nn_op *affine)
{
    for (size_t i = 0; i < affine->c; i++) {
        if (affine->weights[i] != 1 || affine->bias[i] != 0)
            return false;
    }
    return true;
}

/* Multiplies row `i` of the weights by scale[i], and makes the bias bias · scale + shift. */
static bool fold_affine(struct nn_op *into, const struct nn_op *affine, size_t row)
{
    if (!into->bias) {
        into->bias = calloc(into->c + 16, sizeof *into->bias);
        if (!into->bias)
            return false;
    }
    for (size_t i = 0; i < into->c; i++) {
        for (size_t j = 0; j < row; j++)
            into->weights[i * row + j] *= affine->weights[i];
        into->bias[i] = into->bias[i] * affine->weights[i] + affine->bias[i];
    }
    return true;
}

/* `later` reads `earlier` alone, and its work is now done there. */
static void stand_in(struct work *k, nn_value later, nn_value earlier)
{
    k->same[later] = earlier;
    k->uses[earlier] += k->uses[later] - 1;
}

static bool reduce_affine(struct work *k, nn_value x)
{
    const struct nn_op *affine = &k->net->op[x];
    nn_value y = k->net->in[affine->first_in];
    struct nn_op *before = &k->net->op[y];
    size_t row;

    if (is_identity(affine) && unbounded(affine)) {
        stand_in(k, x, y);
        return true;
    }
    if ((before->kind != NN_CONVOLUTION && before->kind != NN_AFFINE) || k->uses[y] != 1 || !unbounded(before))
        return true;
    row = 1;
    if (before->kind == NN_CONVOLUTION)
        row = before->window.kernel_h * before->window.kernel_w * (nn_in(k->net, before, 0)->c / before->groups);
    if (!fold_affine(before, affine, row))
        return false;
    stand_in(k, x, y);
    return true;
}

static bool can_clamp(enum nn_kind kind)
{
    switch (kind) {
    case NN_CONVOLUTION:
    case NN_AFFINE:
    case NN_CLAMP:
    case NN_ADD:
    case NN_SUBTRACT:
    case NN_MULTIPLY:
    case NN_DIVIDE:
    case NN_MAX_POOL:
    case NN_AVERAGE_POOL:
    case NN_GLOBAL_AVERAGE:
        return true;
    default:
        return false;
    }
}

static void reduce_clamp(struct work *k, nn_value x)
{
    const struct nn_op *clamp = &k->net->op[x];
    nn_value y = k->net->in[clamp->first_in];
    struct nn_op *before = &k->net->op[y];
    float minimum = fmaxf(before->minimum, clamp->minimum);
    float maximum = fminf(before->maximum, clamp->maximum);

    if (!can_clamp(before->kind) || k->uses[y] != 1 || !(minimum < maximum))
        return;
    before->minimum = minimum;
    before->maximum = maximum;
    stand_in(k, x, y);
}

static bool reduce(struct work *k)
{
    struct nn_network *net = k->net;

    for (size_t i = 0; i < net->n_ops; i++) {
        const struct nn_op *op = &net->op[i];
        if (k->uses[i] == 0)
            continue;
        for (size_t j = 0; j < op->n_in; j++)
            net->in[op->first_in + j] = k->same[net->in[op->first_in + j]];
        if (op->kind == NN_AFFINE && !reduce_affine(k, (nn_value)i))
            return false;
        if (op->kind == NN_CLAMP)
            reduce_clamp(k, (nn_value)i);
    }
    return true;
}

/* Takes the operators out that are dead or that another stands in for. The input stays in any case. */
static void compact(struct work *k)
{
    struct nn_network *net = k->net;
    size_t kept = 0;

    for (size_t i = 0; i < net->n_ops; i++) {
        struct nn_op *op = &net->op[i];
        if (i != net->input && (k->uses[i] == 0 || k->same[i] != i)) {
            free(op->weights);
            free(op->bias);
            if (k->same[i] != i)
                k->same[i] = k->same[k->same[i]];
            continue;
        }
        for (size_t j = 0; j < op->n_in; j++)
            net->in[op->first_in + j] = k->same[net->in[op->first_in + j]];
        net->op[kept] = *op;
        k->same[i] = (nn_value)kept++;
    }
    net->n_ops = kept;
    net->input = k->same[net->input];
    for (size_t i = 0; i < net->n_outputs; i++)
        net->output[i] = k->same[net->output[i]];
}

/* [c][places of the window] becomes [places of the window][c] */
static bool arrange_depthwise(struct nn_op *op)
{
    size_t places = op->window.kernel_h * op->window.kernel_w;
    float *arranged = malloc((places * op->c + 16) * sizeof *arranged);

    if (!arranged)
        return false;
    for (size_t i = 0; i < op->c; i++) {
        for (size_t j = 0; j < places; j++)
            arranged[j * op->c + i] = op->weights[i * places + j];
    }
    free(op->weights);
    op->weights = arranged;
    return true;
}

enum aibox_status nn_optimise(struct nn_network *net, struct aibox_error *err)
{
    struct work k = {.net = net};
    enum aibox_status status = AIBOX_PROCESS_FAILED;

    k.same = calloc(net->n_ops, sizeof *k.same);
    k.uses = calloc(net->n_ops, sizeof *k.uses);
    if (!k.same || !k.uses)
        goto out;
    count_uses(&k);
    if (!reduce(&k))
        goto out;
    compact(&k);
    for (size_t i = 0; i < net->n_ops; i++) {
        if (nn_is_depthwise(net, &net->op[i]) && !arrange_depthwise(&net->op[i]))
            goto out;
    }
    status = AIBOX_OK;
out:
    if (status != AIBOX_OK)
        error_set(err, status, "out of memory");
    free(k.same);
    free(k.uses);
    return status;
}
