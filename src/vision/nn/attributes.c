#include "vision/nn/compiler.h"

const struct onnx_attribute *attribute_of(const struct onnx_node *node, const char *name)
{
    for (size_t i = 0; i < node->n_attr; i++) {
        if (onnx_is(node->attr[i].name, name))
            return &node->attr[i];
    }
    return NULL;
}

int64_t attribute_int(const struct onnx_node *node, const char *name, int64_t otherwise)
{
    const struct onnx_attribute *attr = attribute_of(node, name);

    return attr && attr->has_i ? attr->i : otherwise;
}

float attribute_float(const struct onnx_node *node, const char *name, float otherwise)
{
    const struct onnx_attribute *attr = attribute_of(node, name);

    return attr && attr->has_f ? attr->f : otherwise;
}

struct pb_span attribute_text(const struct onnx_node *node, const char *name)
{
    const struct onnx_attribute *attr = attribute_of(node, name);

    return attr ? attr->s : (struct pb_span){0};
}

bool integers_of(struct compiler *k, const struct onnx_node *node, const char *name, size_t index, int64_t *out,
                 size_t capacity, size_t *n, bool *present)
{
    const struct onnx_attribute *attr = attribute_of(node, name);
    const struct onnx_tensor *tensor;

    *n = 0;
    *present = attr != NULL;
    if (attr) {
        if (attr->n_ints > capacity)
            return refuse(k, "%s has too many numbers", name);
        for (size_t i = 0; i < attr->n_ints; i++)
            out[(*n)++] = attr->ints[i];
        return true;
    }
    if (index == SIZE_MAX || !input_of(k, node, index))
        return true;
    tensor = need_constant(k, node, index, ONNX_INT);
    if (!tensor)
        return false;
    if (tensor->count > capacity)
        return refuse(k, "%s has too many numbers", name);
    for (size_t i = 0; i < tensor->count; i++)
        out[(*n)++] = tensor->i[i];
    *present = true;
    return true;
}

bool axis_of(struct compiler *k, int64_t axis, size_t rank, size_t *out)
{
    int64_t end = (int64_t)rank;

    if (axis < -end || axis >= end)
        return refuse(k, "there is no axis %lld", (long long)axis);
    *out = (size_t)(axis < 0 ? axis + end : axis);
    return true;
}
