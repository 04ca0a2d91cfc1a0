#include <string.h>

#include "vision/nn/compiler.h"

size_t count_of(size_t rank, const size_t *dim)
{
    size_t count = 1;

    for (size_t i = 0; i < rank; i++)
        count *= dim[i];
    return count;
}

struct operand rows_operand(nn_value value, size_t rank, const size_t *dim)
{
    struct operand operand = {.value = value, .rank = rank};

    memcpy(operand.dim, dim, rank * sizeof *dim);
    return operand;
}

struct operand nchw_operand(const struct compiler *k, nn_value value)
{
    struct operand operand = {.value = value, .hwc = true, .rank = 4, .dim = {1}};

    nn_builder_sizes(k->builder, value, &operand.dim[2], &operand.dim[3], &operand.dim[1]);
    return operand;
}

struct operand constant_operand(const struct onnx_tensor *tensor)
{
    struct operand operand = {.constant = tensor, .value = NN_NO_VALUE, .rank = tensor->rank};

    memcpy(operand.dim, tensor->dim, tensor->rank * sizeof *tensor->dim);
    return operand;
}

bool is_nchw(const struct compiler *k, const struct operand *operand)
{
    size_t h, w, c;

    if (operand->constant || !operand->hwc || operand->rank != 4)
        return false;
    nn_builder_sizes(k->builder, operand->value, &h, &w, &c);
    return operand->dim[0] == 1 && operand->dim[1] == c && operand->dim[2] == h && operand->dim[3] == w;
}

static size_t last_dim(const struct operand *operand)
{
    return operand->rank > 0 ? operand->dim[operand->rank - 1] : 1;
}

bool as_value(struct compiler *k, struct operand *operand)
{
    const struct onnx_tensor *constant = operand->constant;
    size_t last = last_dim(operand);

    if (!constant)
        return true;
    if (constant->type != ONNX_FLOAT || constant->count == 0)
        return refuse(k, "a constant that is not of numbers of type float");
    operand->value = nn_build_constant(k->builder, constant->count / last, 1, last, constant->f);
    operand->constant = NULL;
    operand->hwc = false;
    return true;
}

bool as_rows(struct compiler *k, struct operand *operand)
{
    size_t last = last_dim(operand);

    if (!as_value(k, operand))
        return false;
    if (!operand->hwc)
        return true;
    if (last == 0)
        return refuse(k, "an empty tensor");
    operand->value = nn_build_transpose(k->builder, operand->value);
    operand->value =
        nn_build_reshape(k->builder, operand->value, count_of(operand->rank, operand->dim) / last, 1, last);
    operand->hwc = false;
    return true;
}

bool as_nchw(struct compiler *k, struct operand *operand)
{
    size_t h, w, c;

    if (is_nchw(k, operand))
        return true;
    if (operand->rank != 4 || operand->dim[0] != 1)
        return refuse(k, "a tensor that is not one picture");
    if (!as_rows(k, operand))
        return false;
    c = operand->dim[1];
    h = operand->dim[2];
    w = operand->dim[3];
    operand->value = nn_build_reshape(k->builder, operand->value, c, 1, h * w);
    operand->value = nn_build_transpose(k->builder, operand->value);
    operand->value = nn_build_reshape(k->builder, operand->value, h, w, c);
    operand->hwc = true;
    return true;
}

size_t broadcast_index(size_t rank, const size_t *dim, size_t wide_rank, const size_t *wide, size_t at)
{
    size_t index = 0;
    size_t step = 1;

    for (size_t i = 0; i < wide_rank && i < rank; i++) {
        size_t extent = wide[wide_rank - 1 - i];
        size_t own = dim[rank - 1 - i];
        if (own != 1)
            index += at % extent * step;
        at /= extent;
        step *= own;
    }
    return index;
}

bool broadcast_shape(const struct operand *a, const struct operand *b, size_t *rank, size_t *dim)
{
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (size_t i = 0; i < *rank; i++) {
        size_t left = i < a->rank ? a->dim[a->rank - 1 - i] : 1;
        size_t right = i < b->rank ? b->dim[b->rank - 1 - i] : 1;
        if (left != right && left != 1 && right != 1)
            return false;
        dim[*rank - 1 - i] = left == 1 ? right : left;
    }
    return true;
}

struct onnx_tensor *new_tensor(struct compiler *k, enum onnx_type type, size_t rank, const size_t *dim)
{
    struct onnx_tensor *tensor = onnx_alloc(&k->heap, 1, sizeof *tensor);
    size_t count = 1;

    for (size_t i = 0; i < rank; i++) {
        if (dim[i] > 0 && count > ONNX_MAX_HEAP / dim[i])
            tensor = NULL;
        else
            count *= dim[i];
    }
    if (!tensor) {
        refuse(k, "too much memory needed");
        return NULL;
    }
    tensor->type = type;
    tensor->rank = rank;
    memcpy(tensor->dim, dim, rank * sizeof *dim);
    tensor->count = count;
    if (type == ONNX_FLOAT)
        tensor->f = onnx_alloc(&k->heap, count, sizeof *tensor->f);
    else
        tensor->i = onnx_alloc(&k->heap, count, sizeof *tensor->i);
    if (!tensor->f && !tensor->i) {
        refuse(k, "too much memory needed");
        return NULL;
    }
    return tensor;
}
