/* ONNX operators that move numbers or give them another shape, without computing. */
#include <string.h>

#include "vision/nn/compiler.h"

/* The same numbers in ONNX' order under another shape of as many elements. */
static bool reshape(struct compiler *k, struct operand *x, size_t rank, const size_t *dim)
{
    struct onnx_tensor *tensor;
    size_t last = rank > 0 ? dim[rank - 1] : 1;

    if (x->constant) {
        tensor = onnx_alloc(&k->heap, 1, sizeof *tensor);
        if (!tensor)
            return refuse(k, "too much memory needed");
        *tensor = *x->constant;
        tensor->rank = rank;
        memcpy(tensor->dim, dim, rank * sizeof *dim);
        *x = constant_operand(tensor);
        return true;
    }
    if (!x->hwc)
        x->value = nn_build_reshape(k->builder, x->value, count_of(rank, dim) / last, 1, last);
    x->rank = rank;
    memcpy(x->dim, dim, rank * sizeof *dim);
    return true;
}

static bool handle_identity(struct compiler *k, const struct onnx_node *node)
{
    struct operand x;

    return take_input(k, node, 0, &x) && set_output(k, node, 0, &x);
}

static bool handle_reshape(struct compiler *k, const struct onnx_node *node)
{
    size_t rank, known = 1, wildcard = SIZE_MAX;
    int64_t wanted[ONNX_MAX_RANK];
    size_t dim[ONNX_MAX_RANK];
    struct operand x;
    bool present;
    size_t all;

    if (!take_input(k, node, 0, &x) || !integers_of(k, node, "shape", 1, wanted, ONNX_MAX_RANK, &rank, &present))
        return false;
    if (attribute_int(node, "allowzero", 0) != 0)
        return refuse(k, "allowzero");
    all = count_of(x.rank, x.dim);
    for (size_t i = 0; i < rank; i++) {
        if (wanted[i] == -1 && wildcard == SIZE_MAX) {
            wildcard = i;
            dim[i] = 1;
            continue;
        }
        if (wanted[i] < 0 || (wanted[i] == 0 && i >= x.rank) || (uint64_t)wanted[i] > all)
            return refuse(k, "a shape that does not fit");
        dim[i] = wanted[i] == 0 ? x.dim[i] : (size_t)wanted[i];
        if (dim[i] == 0 || known > all / dim[i])
            return refuse(k, "a shape that does not fit");
        known *= dim[i];
    }
    if (wildcard != SIZE_MAX) {
        dim[wildcard] = all / known;
        known *= dim[wildcard];
    }
    if (!present || known != all || all == 0)
        return refuse(k, "a shape that does not fit");
    return reshape(k, &x, rank, dim) && set_output(k, node, 0, &x);
}

static bool handle_flatten(struct compiler *k, const struct onnx_node *node)
{
    int64_t axis = attribute_int(node, "axis", 1);
    struct operand x;
    size_t dim[2];

    if (!take_input(k, node, 0, &x))
        return false;
    axis = axis < 0 ? axis + (int64_t)x.rank : axis;
    if (axis < 0 || axis > (int64_t)x.rank)
        return refuse(k, "there is no such axis");
    dim[0] = count_of((size_t)axis, x.dim);
    dim[1] = count_of(x.rank - (size_t)axis, x.dim + axis);
    if (dim[0] * dim[1] == 0)
        return refuse(k, "an empty tensor");
    return reshape(k, &x, 2, dim) && set_output(k, node, 0, &x);
}

/* Marks each of the axes; refuses doubles. */
static bool mark_axes(struct compiler *k, const int64_t *axes, size_t n, size_t rank, bool *marked)
{
    size_t axis;

    memset(marked, 0, ONNX_MAX_RANK * sizeof *marked);
    for (size_t i = 0; i < n; i++) {
        if (!axis_of(k, axes[i], rank, &axis))
            return false;
        if (marked[axis])
            return refuse(k, "an axis twice");
        marked[axis] = true;
    }
    return true;
}

static bool handle_squeeze(struct compiler *k, const struct onnx_node *node)
{
    int64_t axes[ONNX_MAX_RANK];
    bool marked[ONNX_MAX_RANK];
    size_t dim[ONNX_MAX_RANK];
    size_t n, rank = 0;
    struct operand x;
    bool present;

    if (!take_input(k, node, 0, &x) || !integers_of(k, node, "axes", 1, axes, ONNX_MAX_RANK, &n, &present) ||
        !mark_axes(k, axes, n, x.rank, marked))
        return false;
    for (size_t i = 0; i < x.rank; i++) {
        if (marked[i] && x.dim[i] != 1)
            return refuse(k, "an axis that is not 1 long");
        if (!(marked[i] || (!present && x.dim[i] == 1)))
            dim[rank++] = x.dim[i];
    }
    if (count_of(rank, dim) == 0)
        return refuse(k, "an empty tensor");
    return reshape(k, &x, rank, dim) && set_output(k, node, 0, &x);
}

static bool handle_unsqueeze(struct compiler *k, const struct onnx_node *node)
{
    int64_t axes[ONNX_MAX_RANK];
    bool marked[ONNX_MAX_RANK];
    size_t dim[ONNX_MAX_RANK];
    size_t n, from = 0;
    struct operand x;
    bool present;

    if (!take_input(k, node, 0, &x) || !integers_of(k, node, "axes", 1, axes, ONNX_MAX_RANK, &n, &present))
        return false;
    if (x.rank + n > ONNX_MAX_RANK)
        return refuse(k, "too many dimensions");
    if (!mark_axes(k, axes, n, x.rank + n, marked))
        return false;
    for (size_t i = 0; i < x.rank + n; i++)
        dim[i] = marked[i] ? 1 : x.dim[from++];
    if (count_of(x.rank, x.dim) == 0)
        return refuse(k, "an empty tensor");
    return reshape(k, &x, x.rank + n, dim) && set_output(k, node, 0, &x);
}

static bool transpose_constant(struct compiler *k, struct operand *x, const size_t *perm)
{
    const struct onnx_tensor *from = x->constant;
    size_t dim[ONNX_MAX_RANK];
    struct onnx_tensor *tensor;

    for (size_t i = 0; i < x->rank; i++)
        dim[i] = x->dim[perm[i]];
    if (from->type == ONNX_OTHER)
        return refuse(k, "a constant of another type");
    tensor = new_tensor(k, from->type, x->rank, dim);
    for (size_t at = 0; tensor && at < tensor->count; at++) {
        size_t rest = at;
        size_t source = 0;
        for (size_t i = x->rank; i-- > 0;) {
            source += rest % dim[i] * count_of(x->rank - perm[i] - 1, x->dim + perm[i] + 1);
            rest /= dim[i];
        }
        if (tensor->f)
            tensor->f[at] = from->f[source];
        else
            tensor->i[at] = from->i[source];
    }
    if (!tensor)
        return false;
    *x = constant_operand(tensor);
    return true;
}

/* How a permutation moves the dimensions that are longer than 1: `n` of them, cut[] their lengths, and the first
 * `lead` of them go behind the others (0: they stay). False: it is none of that kind. */
static bool is_rotation(const struct operand *x, const size_t *perm, size_t *n, size_t *lead, size_t *cut)
{
    size_t order[ONNX_MAX_RANK] = {0}; /* perm of the long dimensions, numbered as they stand in x */
    size_t number[ONNX_MAX_RANK] = {0};

    *n = 0;
    for (size_t i = 0; i < x->rank; i++) {
        number[i] = *n;
        if (x->dim[i] > 1)
            cut[(*n)++] = x->dim[i];
    }
    for (size_t i = 0, j = 0; i < x->rank; i++) {
        if (x->dim[perm[i]] > 1)
            order[j++] = number[perm[i]];
    }
    *lead = *n > 0 ? order[0] : 0;
    for (size_t i = 0; i < *n; i++) {
        if (order[i] != (*lead + i) % *n)
            return false;
    }
    return true;
}

static bool transpose_value(struct compiler *k, struct operand *x, const size_t *perm)
{
    size_t cut[ONNX_MAX_RANK], dim[ONNX_MAX_RANK];
    size_t h, w, c, n, lead;

    for (size_t i = 0; i < x->rank; i++)
        dim[i] = x->dim[perm[i]];
    nn_builder_sizes(k->builder, x->value, &h, &w, &c);
    if (x->rank == 5 && x->hwc && x->dim[0] == 1 && x->dim[1] * x->dim[2] == c && perm[0] == 0 && perm[1] == 2 &&
        perm[2] == 1 && perm[3] == 3 && perm[4] == 4) {
        x->value = nn_build_shuffle(k->builder, x->value, x->dim[1]);
        memcpy(x->dim, dim, sizeof x->dim);
        return true;
    }
    if (!is_rotation(x, perm, &n, &lead, cut))
        return refuse(k, "a transposition of this kind");
    if (lead == 0)
        return reshape(k, x, x->rank, dim);
    if (x->hwc && count_of(lead, cut) == c) {
        x->hwc = false; /* channels last is how it is stored */
        return reshape(k, x, x->rank, dim);
    }
    if (!as_rows(k, x))
        return false;
    /* a matrix of lead × rest, read as rest × lead: just what places first means */
    x->value = nn_build_reshape(k->builder, x->value, count_of(lead, cut), 1, count_of(n - lead, cut + lead));
    x->hwc = true;
    memcpy(x->dim, dim, sizeof x->dim);
    if (x->rank == 4 && x->dim[0] == 1 && x->dim[2] * x->dim[3] == count_of(lead, cut))
        x->value = nn_build_reshape(k->builder, x->value, x->dim[2], x->dim[3], x->dim[1]);
    return true;
}

static bool handle_transpose(struct compiler *k, const struct onnx_node *node)
{
    int64_t wanted[ONNX_MAX_RANK];
    bool marked[ONNX_MAX_RANK];
    size_t perm[ONNX_MAX_RANK];
    struct operand x;
    bool present;
    size_t n;

    if (!take_input(k, node, 0, &x) || !integers_of(k, node, "perm", SIZE_MAX, wanted, ONNX_MAX_RANK, &n, &present))
        return false;
    for (size_t i = 0; !present && i < x.rank; i++)
        wanted[i] = (int64_t)(x.rank - 1 - i);
    if (present && n != x.rank)
        return refuse(k, "a permutation of other dimensions");
    if (!mark_axes(k, wanted, x.rank, x.rank, marked))
        return false;
    for (size_t i = 0; i < x.rank; i++) {
        if (wanted[i] < 0)
            return refuse(k, "a permutation of other dimensions");
        perm[i] = (size_t)wanted[i];
    }
    return (x.constant ? transpose_constant(k, &x, perm) : transpose_value(k, &x, perm)) && set_output(k, node, 0, &x);
}

/* Which of the value's axes is the ONNX axis? `unit`: places per step along it. */
static bool find_axis(struct compiler *k, struct operand *x, size_t axis, enum nn_axis *ours, size_t *unit)
{
    *unit = 1;
    if (is_nchw(k, x) && (axis == 1 || axis == 2)) {
        *ours = axis == 1 ? NN_AXIS_CHANNELS : NN_AXIS_PLACES;
        *unit = axis == 1 ? 1 : x->dim[3];
        return true;
    }
    if (!as_rows(k, x))
        return false;
    if (axis == x->rank - 1) {
        *ours = NN_AXIS_CHANNELS;
        return true;
    }
    if (count_of(axis, x->dim) != 1)
        return refuse(k, "axis %zu of %zu", axis, x->rank);
    *ours = NN_AXIS_PLACES;
    *unit = count_of(x->rank - axis - 2, x->dim + axis + 1);
    return true;
}

/* Gives a picture that was cut or joined along its rows its rows and columns back. */
static void restore_picture(struct compiler *k, struct operand *x)
{
    if (x->hwc && x->rank == 4)
        x->value = nn_build_reshape(k->builder, x->value, x->dim[2], x->dim[3], x->dim[1]);
}

static bool handle_concat(struct compiler *k, const struct onnx_node *node)
{
    nn_value *value = onnx_alloc(&k->heap, node->n_in, sizeof *value);
    struct operand first = {0}, part;
    enum nn_axis ours = NN_AXIS_CHANNELS, other;
    size_t axis = 0, unit, total = 0;
    bool rows = false;

    if (!value)
        return refuse(k, "too much memory needed");
    /* all as pictures, or all as rows */
    for (size_t i = 0; i < node->n_in; i++) {
        if (!take_input(k, node, i, &part))
            return false;
        rows = rows || !is_nchw(k, &part);
    }
    for (size_t i = 0; i < node->n_in; i++) {
        if (!take_input(k, node, i, &part) || (rows && !as_rows(k, &part)))
            return false;
        if (i == 0 && !axis_of(k, attribute_int(node, "axis", 0), part.rank, &axis))
            return false;
        if (!find_axis(k, &part, axis, &other, &unit))
            return false;
        if (i == 0) {
            first = part;
            ours = other;
        }
        if (part.rank != first.rank || part.hwc != first.hwc || other != ours)
            return refuse(k, "parts of different kinds");
        for (size_t j = 0; j < part.rank; j++) {
            if (j != axis && part.dim[j] != first.dim[j])
                return refuse(k, "parts of different shapes");
        }
        total += part.dim[axis];
        value[i] = part.value;
    }
    first.value = nn_build_concat(k->builder, value, node->n_in, ours);
    first.dim[axis] = total;
    restore_picture(k, &first);
    return set_output(k, node, 0, &first);
}

/* x from `first` on along an axis. */
static bool cut(struct compiler *k, struct operand *x, size_t axis, size_t first, size_t count)
{
    enum nn_axis ours = NN_AXIS_CHANNELS;
    size_t unit = 1;

    if (first > x->dim[axis] || count > x->dim[axis] - first || count == 0)
        return refuse(k, "a part of %zu at %zu out of %zu", count, first, x->dim[axis]);
    if (!as_value(k, x) || !find_axis(k, x, axis, &ours, &unit))
        return false;
    x->value = nn_build_slice(k->builder, x->value, ours, first * unit, count * unit);
    x->dim[axis] = count;
    restore_picture(k, x);
    return true;
}

static bool handle_split(struct compiler *k, const struct onnx_node *node)
{
    int64_t size[NN_MAX_PORTS];
    struct operand x;
    bool present;
    size_t axis, n, first = 0;

    if (!take_input(k, node, 0, &x) || !axis_of(k, attribute_int(node, "axis", 0), x.rank, &axis) ||
        !integers_of(k, node, "split", 1, size, NN_MAX_PORTS, &n, &present))
        return false;
    if (node->n_out == 0 || node->n_out > NN_MAX_PORTS || (present && n != node->n_out) ||
        (!present && x.dim[axis] % node->n_out != 0))
        return refuse(k, "%zu parts", node->n_out);
    for (size_t i = 0; i < node->n_out; i++) {
        struct operand part = x;
        size_t count = x.dim[axis] / node->n_out;
        if (present && (size[i] < 1 || (uint64_t)size[i] > x.dim[axis]))
            return refuse(k, "a part of %lld", (long long)size[i]);
        if (present)
            count = (size_t)size[i];
        if (!cut(k, &part, axis, first, count) || !set_output(k, node, i, &part))
            return false;
        first += count;
    }
    return first == x.dim[axis] || refuse(k, "parts that are not all");
}

static size_t clip(int64_t index, size_t extent)
{
    if (index < 0)
        index = index < -(int64_t)extent ? 0 : index + (int64_t)extent;
    return (uint64_t)index > extent ? extent : (size_t)index;
}

static bool handle_slice(struct compiler *k, const struct onnx_node *node)
{
    int64_t start[ONNX_MAX_RANK], end[ONNX_MAX_RANK], axes[ONNX_MAX_RANK], step[ONNX_MAX_RANK];
    size_t n, n_end, n_axes, n_steps;
    bool present, has_axes, has_steps;
    struct operand x;

    if (!take_input(k, node, 0, &x) || !integers_of(k, node, "starts", 1, start, ONNX_MAX_RANK, &n, &present) ||
        !integers_of(k, node, "ends", 2, end, ONNX_MAX_RANK, &n_end, &present) ||
        !integers_of(k, node, "axes", 3, axes, ONNX_MAX_RANK, &n_axes, &has_axes) ||
        !integers_of(k, node, "steps", 4, step, ONNX_MAX_RANK, &n_steps, &has_steps))
        return false;
    if (n_end != n || (has_axes && n_axes != n) || (has_steps && n_steps != n) || n > x.rank)
        return refuse(k, "bounds that do not go together");
    for (size_t i = 0; i < n; i++) {
        size_t axis, first, last;
        if (!axis_of(k, has_axes ? axes[i] : (int64_t)i, x.rank, &axis))
            return false;
        if (has_steps && step[i] != 1)
            return refuse(k, "steps");
        first = clip(start[i], x.dim[axis]);
        last = clip(end[i], x.dim[axis]);
        if (first == 0 && last == x.dim[axis])
            continue;
        if (last <= first)
            return refuse(k, "an empty slice");
        if (!cut(k, &x, axis, first, last - first))
            return false;
    }
    return set_output(k, node, 0, &x);
}

node_handler shape_handler(struct pb_span op)
{
    static const struct {
        const char *op;
        node_handler handler;
    } handlers[] = {
        {"Identity", handle_identity},   {"Dropout", handle_identity}, {"Reshape", handle_reshape},
        {"Flatten", handle_flatten},     {"Squeeze", handle_squeeze},  {"Unsqueeze", handle_unsqueeze},
        {"Transpose", handle_transpose}, {"Concat", handle_concat},    {"Split", handle_split},
        {"Slice", handle_slice},
    };

    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (onnx_is(op, handlers[i].op))
            return handlers[i].handler;
    }
    return NULL;
}
