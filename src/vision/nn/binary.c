/* ONNX' Add, Sub, Mul and Div with broadcasting. */
#include "vision/nn/compiler.h"

static enum nn_binary kind_of(const struct onnx_node *node)
{
    if (onnx_is(node->op, "Add"))
        return NN_BINARY_ADD;
    if (onnx_is(node->op, "Sub"))
        return NN_BINARY_SUBTRACT;
    return onnx_is(node->op, "Mul") ? NN_BINARY_MULTIPLY : NN_BINARY_DIVIDE;
}

/* Is the constant one number, or one per channel of the value (element i for channel i)? */
static bool is_per_channel(const struct compiler *k, const struct onnx_tensor *t, const struct operand *x)
{
    size_t channel_axis = x->rank - 1;

    if (t->count == 1)
        return true;
    if (x->hwc && !is_nchw(k, x))
        return false;
    if (x->hwc)
        channel_axis = 1;
    /* from the right: that many dimensions follow the channels in x, so in t */
    if (t->rank < x->rank - channel_axis || t->count != x->dim[channel_axis])
        return false;
    return t->dim[t->rank - (x->rank - channel_axis)] == t->count;
}

/* value ∘ constant (or constant ∘ value, where it is one) as scale and shift; false: there is no such. */
static bool affine_of(enum nn_binary kind, bool constant_first, float t, float *scale, float *shift)
{
    *scale = 1;
    *shift = 0;
    switch (kind) {
    case NN_BINARY_ADD:
        *shift = t;
        return true;
    case NN_BINARY_SUBTRACT:
        *scale = constant_first ? -1 : 1;
        *shift = constant_first ? t : -t;
        return true;
    case NN_BINARY_MULTIPLY:
        *scale = t;
        return true;
    default:
        *scale = 1 / t;
        return !constant_first;
    }
}

static bool with_channel_constant(struct compiler *k, enum nn_binary kind, bool constant_first,
                                  const struct onnx_tensor *t, struct operand *x)
{
    size_t h, w, c;
    float *affine;

    nn_builder_sizes(k->builder, x->value, &h, &w, &c);
    affine = onnx_alloc(&k->heap, 2 * c, sizeof *affine);
    if (!affine)
        return refuse(k, "too much memory needed");
    for (size_t i = 0; i < c; i++) {
        float number = t->f[t->count == 1 ? 0 : i];
        if (!affine_of(kind, constant_first, number, &affine[i], &affine[c + i])) {
            nn_value constant = nn_build_constant(k->builder, 1, 1, t->count, t->f);
            x->value = nn_build_binary(k->builder, kind, constant, x->value);
            return true;
        }
    }
    x->value = nn_build_affine(k->builder, x->value, affine, affine + c);
    return true;
}

/* The constant as a value of exactly x's sizes and order. */
static bool spread(struct compiler *k, const struct onnx_tensor *t, const struct operand *x, nn_value *out)
{
    size_t h, w, c, places;
    float *data;

    nn_builder_sizes(k->builder, x->value, &h, &w, &c);
    places = h * w;
    data = onnx_alloc(&k->heap, places * c, sizeof *data);
    if (!data)
        return refuse(k, "too much memory needed");
    for (size_t i = 0; i < places * c; i++) {
        size_t ours = x->hwc ? i % places * c + i / places : i;
        data[ours] = t->f[broadcast_index(t->rank, t->dim, x->rank, x->dim, i)];
    }
    *out = nn_build_constant(k->builder, h, w, c, data);
    return true;
}

static bool with_constant(struct compiler *k, enum nn_binary kind, bool constant_first, const struct onnx_tensor *t,
                          struct operand *x)
{
    nn_value constant = NN_NO_VALUE;

    if (t->type != ONNX_FLOAT || t->count == 0)
        return refuse(k, "a constant that is not of numbers of type float");
    if (is_per_channel(k, t, x))
        return with_channel_constant(k, kind, constant_first, t, x);
    if (!spread(k, t, x, &constant))
        return false;
    x->value =
        nn_build_binary(k->builder, kind, constant_first ? constant : x->value, constant_first ? x->value : constant);
    return true;
}

static bool same_shape(const struct operand *a, const struct operand *b)
{
    if (a->rank != b->rank)
        return false;
    for (size_t i = 0; i < a->rank; i++) {
        if (a->dim[i] != b->dim[i])
            return false;
    }
    return true;
}

/* Both hold their numbers in the same order, with the channels where the channels are. */
static bool same_order(const struct compiler *k, const struct operand *a, const struct operand *b)
{
    size_t h[2], w[2], c[2];

    nn_builder_sizes(k->builder, a->value, &h[0], &w[0], &c[0]);
    nn_builder_sizes(k->builder, b->value, &h[1], &w[1], &c[1]);
    if (a->hwc != b->hwc)
        return false;
    if (same_shape(a, b))
        return h[0] == h[1] && w[0] == w[1] && c[0] == c[1];
    if (!is_nchw(k, a) || !is_nchw(k, b))
        return false;
    return (h[0] == h[1] && w[0] == w[1]) || h[0] * w[0] == 1 || h[1] * w[1] == 1;
}

/* In rows: the dimensions before the last are the same on both sides, or all 1 on one. */
static bool rows_go_together(const struct operand *a, const struct operand *b, size_t rank, const size_t *dim)
{
    const struct operand *side[2] = {a, b};
    size_t lead = rank > 0 ? count_of(rank - 1, dim) : 1;

    for (size_t i = 0; i < 2; i++) {
        size_t own = side[i]->rank > 0 ? count_of(side[i]->rank - 1, side[i]->dim) : 1;
        if (own != lead && own != 1)
            return false;
    }
    return true;
}

static bool between_values(struct compiler *k, enum nn_binary kind, struct operand *a, struct operand *b,
                           struct operand *out)
{
    size_t dim[ONNX_MAX_RANK];
    size_t rank;

    if (!broadcast_shape(a, b, &rank, dim))
        return refuse(k, "shapes that do not go together");
    if (!same_order(k, a, b)) {
        if (!as_rows(k, a) || !as_rows(k, b))
            return false;
        if (!rows_go_together(a, b, rank, dim))
            return refuse(k, "broadcasting of this kind");
    }
    *out = rows_operand(nn_build_binary(k->builder, kind, a->value, b->value), rank, dim);
    out->hwc = a->hwc;
    return true;
}

static bool handle_binary(struct compiler *k, const struct onnx_node *node)
{
    const enum nn_binary kind = kind_of(node);
    struct operand a, b, out;
    size_t dim[ONNX_MAX_RANK];
    size_t rank;

    if (!take_input(k, node, 0, &a) || !take_input(k, node, 1, &b))
        return false;
    if (a.constant || b.constant) {
        const struct onnx_tensor *constant = a.constant ? a.constant : b.constant;
        struct operand *x = a.constant ? &b : &a;
        /* the usual case: the constant does not make the value any larger */
        if (!x->constant && broadcast_shape(&a, &b, &rank, dim) && rank == x->rank &&
            count_of(rank, dim) == count_of(x->rank, x->dim))
            return with_constant(k, kind, a.constant != NULL, constant, x) && set_output(k, node, 0, x);
    }
    return as_value(k, &a) && as_value(k, &b) && between_values(k, kind, &a, &b, &out) && set_output(k, node, 0, &out);
}

node_handler binary_handler(struct pb_span op)
{
    if (onnx_is(op, "Add") || onnx_is(op, "Sub") || onnx_is(op, "Mul") || onnx_is(op, "Div"))
        return handle_binary;
    return NULL;
}
