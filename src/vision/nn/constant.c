/* ONNX nodes whose result is known before the network runs: mostly arithmetic on shapes. */
#include <string.h>

#include "vision/nn/compiler.h"

static bool finish(struct compiler *k, const struct onnx_node *node, const struct onnx_tensor *tensor)
{
    struct operand operand;

    if (!tensor)
        return false;
    operand = constant_operand(tensor);
    return set_output(k, node, 0, &operand);
}

static bool fold_constant(struct compiler *k, const struct onnx_node *node)
{
    const struct onnx_attribute *attr = attribute_of(node, "value");
    struct onnx_tensor *tensor;
    size_t count;

    if (attr && attr->t)
        return finish(k, node, attr->t);
    attr = node->n_attr == 1 ? &node->attr[0] : NULL;
    if (!attr)
        return refuse(k, "no value");
    if (onnx_is(attr->name, "value_float") || onnx_is(attr->name, "value_floats")) {
        count = attr->has_f ? 1 : attr->n_floats;
        tensor = new_tensor(k, ONNX_FLOAT, attr->has_f ? 0 : 1, &count);
        if (tensor)
            memcpy(tensor->f, attr->has_f ? &attr->f : attr->floats, count * sizeof *tensor->f);
        return finish(k, node, tensor);
    }
    if (onnx_is(attr->name, "value_int") || onnx_is(attr->name, "value_ints")) {
        count = attr->has_i ? 1 : attr->n_ints;
        tensor = new_tensor(k, ONNX_INT, attr->has_i ? 0 : 1, &count);
        if (tensor)
            memcpy(tensor->i, attr->has_i ? &attr->i : attr->ints, count * sizeof *tensor->i);
        return finish(k, node, tensor);
    }
    return refuse(k, "a value of another type");
}

static bool fold_shape(struct compiler *k, const struct onnx_node *node)
{
    const struct operand *x = need_input(k, node, 0);
    struct onnx_tensor *tensor;

    if (!x)
        return false;
    if (attribute_of(node, "start") || attribute_of(node, "end"))
        return refuse(k, "a part of a shape");
    tensor = new_tensor(k, ONNX_INT, 1, &x->rank);
    for (size_t i = 0; tensor && i < x->rank; i++)
        tensor->i[i] = (int64_t)x->dim[i];
    return finish(k, node, tensor);
}

static bool fold_constant_of_shape(struct compiler *k, const struct onnx_node *node)
{
    const struct onnx_tensor *shape = need_constant(k, node, 0, ONNX_INT);
    const struct onnx_attribute *attr = attribute_of(node, "value");
    const struct onnx_tensor *value = attr ? attr->t : NULL;
    size_t dim[ONNX_MAX_RANK];
    struct onnx_tensor *tensor;

    if (!shape)
        return false;
    if (shape->count > ONNX_MAX_RANK || (value && (value->count != 1 || value->type == ONNX_OTHER)))
        return refuse(k, "an unknown shape or value");
    for (size_t i = 0; i < shape->count; i++) {
        if (shape->i[i] < 0 || (uint64_t)shape->i[i] > ONNX_MAX_HEAP)
            return refuse(k, "a size out of range");
        dim[i] = (size_t)shape->i[i];
    }
    tensor = new_tensor(k, value ? value->type : ONNX_FLOAT, shape->count, dim);
    for (size_t i = 0; tensor && value && i < tensor->count; i++) {
        if (tensor->f)
            tensor->f[i] = value->f[0];
        else
            tensor->i[i] = value->i[0];
    }
    return finish(k, node, tensor);
}

/* Copies `count` elements. */
static void copy(struct onnx_tensor *to, size_t at, const struct onnx_tensor *from, size_t first, size_t count)
{
    if (to->type == ONNX_FLOAT)
        memcpy(to->f + at, from->f + first, count * sizeof *to->f);
    else
        memcpy(to->i + at, from->i + first, count * sizeof *to->i);
}

static bool fold_gather(struct compiler *k, const struct onnx_node *node)
{
    const struct onnx_tensor *data = need_input(k, node, 0)->constant;
    const struct onnx_tensor *indices = need_constant(k, node, 1, ONNX_INT);
    size_t dim[2 * ONNX_MAX_RANK];
    struct onnx_tensor *tensor;
    size_t axis, outer, inner, rank = 0;

    if (!indices || !axis_of(k, attribute_int(node, "axis", 0), data->rank, &axis))
        return false;
    for (size_t i = 0; i < axis; i++)
        dim[rank++] = data->dim[i];
    for (size_t i = 0; i < indices->rank; i++)
        dim[rank++] = indices->dim[i];
    for (size_t i = axis + 1; i < data->rank; i++)
        dim[rank++] = data->dim[i];
    if (rank > ONNX_MAX_RANK)
        return refuse(k, "too many dimensions");
    tensor = new_tensor(k, data->type, rank, dim);
    if (!tensor)
        return false;
    outer = count_of(axis, data->dim);
    inner = count_of(data->rank - axis - 1, data->dim + axis + 1);
    for (size_t j = 0; j < indices->count; j++) {
        int64_t extent = (int64_t)data->dim[axis];
        int64_t index = indices->i[j];
        if (index < -extent || index >= extent)
            return refuse(k, "an index out of range");
        index = index < 0 ? index + extent : index;
        for (size_t i = 0; i < outer; i++)
            copy(tensor, (i * indices->count + j) * inner, data, (i * data->dim[axis] + (size_t)index) * inner, inner);
    }
    return finish(k, node, tensor);
}

static bool fold_concat(struct compiler *k, const struct onnx_node *node)
{
    const struct onnx_tensor *first = need_input(k, node, 0)->constant;
    size_t dim[ONNX_MAX_RANK];
    size_t axis, outer, inner, at = 0;
    struct onnx_tensor *tensor;

    if (!axis_of(k, attribute_int(node, "axis", 0), first->rank, &axis))
        return false;
    memcpy(dim, first->dim, sizeof dim);
    dim[axis] = 0;
    for (size_t j = 0; j < node->n_in; j++) {
        const struct onnx_tensor *part = need_input(k, node, j)->constant;
        if (part->rank != first->rank || part->type != first->type)
            return refuse(k, "parts of different kinds");
        for (size_t i = 0; i < first->rank; i++) {
            if (i != axis && part->dim[i] != first->dim[i])
                return refuse(k, "parts of different shapes");
        }
        dim[axis] += part->dim[axis];
    }
    tensor = new_tensor(k, first->type, first->rank, dim);
    if (!tensor)
        return false;
    outer = count_of(axis, dim);
    inner = count_of(first->rank - axis - 1, dim + axis + 1);
    for (size_t j = 0; j < node->n_in; j++) {
        const struct onnx_tensor *part = need_input(k, node, j)->constant;
        size_t run = part->dim[axis] * inner;
        for (size_t i = 0; i < outer; i++)
            copy(tensor, i * dim[axis] * inner + at, part, i * run, run);
        at += run;
    }
    return finish(k, node, tensor);
}

/* Of vectors only: what computing with shapes needs. */
static bool fold_slice(struct compiler *k, const struct onnx_node *node)
{
    const struct onnx_tensor *data = need_input(k, node, 0)->constant;
    int64_t start, end, other;
    size_t n_start, n_end, n, count, extent = data->count;
    struct onnx_tensor *tensor;
    bool present;

    if (data->rank != 1)
        return refuse(k, "a slice of a constant that is not a vector");
    if (!integers_of(k, node, "starts", 1, &start, 1, &n_start, &present) ||
        !integers_of(k, node, "ends", 2, &end, 1, &n_end, &present) ||
        !integers_of(k, node, "steps", 4, &other, 1, &n, &present))
        return false;
    if (n_start != 1 || n_end != 1 || (present && other != 1))
        return refuse(k, "a slice of this kind");
    start = start < 0 ? start + (int64_t)extent : start;
    end = end < 0 ? end + (int64_t)extent : end;
    start = start < 0 ? 0 : start > (int64_t)extent ? (int64_t)extent : start;
    end = end < start ? start : end > (int64_t)extent ? (int64_t)extent : end;
    count = (size_t)(end - start);
    tensor = new_tensor(k, data->type, 1, &count);
    if (tensor)
        copy(tensor, 0, data, (size_t)start, count);
    return finish(k, node, tensor);
}

static bool fold_cast(struct compiler *k, const struct onnx_node *node)
{
    const struct onnx_tensor *data = need_input(k, node, 0)->constant;
    const int64_t to = attribute_int(node, "to", 0);
    const enum onnx_type type = to == 1 || to == 11 ? ONNX_FLOAT : to == 6 || to == 7 ? ONNX_INT : ONNX_OTHER;
    struct onnx_tensor *tensor;

    if (type == ONNX_OTHER)
        return refuse(k, "a cast to type %lld", (long long)to);
    if (type == data->type)
        return finish(k, node, data);
    tensor = new_tensor(k, type, data->rank, data->dim);
    for (size_t i = 0; tensor && i < data->count; i++) {
        if (type == ONNX_FLOAT)
            tensor->f[i] = (float)data->i[i];
        else if (data->f[i] > -1e9F && data->f[i] < 1e9F)
            tensor->i[i] = (int64_t)data->f[i];
        else
            return refuse(k, "a cast of a number out of range");
    }
    return finish(k, node, tensor);
}

static bool calculate_int(struct pb_span op, int64_t a, int64_t b, int64_t *out)
{
    if (onnx_is(op, "Add"))
        return !__builtin_add_overflow(a, b, out);
    if (onnx_is(op, "Sub"))
        return !__builtin_sub_overflow(a, b, out);
    if (onnx_is(op, "Mul"))
        return !__builtin_mul_overflow(a, b, out);
    if (b == 0 || (a == INT64_MIN && b == -1))
        return false;
    *out = a / b;
    return true;
}

static float calculate_float(struct pb_span op, float a, float b)
{
    if (onnx_is(op, "Add"))
        return a + b;
    if (onnx_is(op, "Sub"))
        return a - b;
    return onnx_is(op, "Mul") ? a * b : a / b;
}

static bool fold_arithmetic(struct compiler *k, const struct onnx_node *node)
{
    const struct operand *a = need_input(k, node, 0);
    const struct operand *b = need_input(k, node, 1);
    size_t dim[ONNX_MAX_RANK];
    struct onnx_tensor *tensor;
    size_t rank;

    if (!b)
        return false;
    if (a->constant->type != b->constant->type || !broadcast_shape(a, b, &rank, dim))
        return refuse(k, "constants that do not go together");
    tensor = new_tensor(k, a->constant->type, rank, dim);
    for (size_t i = 0; tensor && i < tensor->count; i++) {
        size_t left = broadcast_index(a->rank, a->dim, rank, dim, i);
        size_t right = broadcast_index(b->rank, b->dim, rank, dim, i);
        if (tensor->f)
            tensor->f[i] = calculate_float(node->op, a->constant->f[left], b->constant->f[right]);
        else if (!calculate_int(node->op, a->constant->i[left], b->constant->i[right], &tensor->i[i]))
            return refuse(k, "integers out of range");
    }
    return finish(k, node, tensor);
}

/* Only Slice may leave inputs out. */
static bool all_known(const struct compiler *k, const struct onnx_node *node)
{
    for (size_t i = 0; i < node->n_in; i++) {
        const struct operand *x = input_of(k, node, i);
        if (i > 0 && node->in[i].size == 0 && onnx_is(node->op, "Slice"))
            continue;
        if (!x || !x->constant || x->constant->type == ONNX_OTHER)
            return false;
    }
    return node->n_in > 0;
}

bool fold_node(struct compiler *k, const struct onnx_node *node, bool *done)
{
    static const struct {
        const char *op;
        node_handler fold;
    } folds[] = {
        {"ConstantOfShape", fold_constant_of_shape},
        {"Gather", fold_gather},
        {"Concat", fold_concat},
        {"Slice", fold_slice},
        {"Cast", fold_cast},
        {"Add", fold_arithmetic},
        {"Sub", fold_arithmetic},
        {"Mul", fold_arithmetic},
        {"Div", fold_arithmetic},
    };

    *done = true;
    if (onnx_is(node->op, "Constant"))
        return fold_constant(k, node);
    if (onnx_is(node->op, "Shape"))
        return fold_shape(k, node);
    for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
        if (onnx_is(node->op, folds[i].op) && all_known(k, node))
            return folds[i].fold(k, node);
    }
    *done = false;
    return true;
}
