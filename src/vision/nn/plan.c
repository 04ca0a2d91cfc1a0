/*
 * Where every value lies.
 *
 * A value either is a root, with memory of its own, or lies within another value (its host): a slice
 * in what it was cut from, a part in the concatenation that it belongs to, a reshaped value in its
 * original, an elementwise result in the operand that it replaces. So concatenation and splitting
 * cost nothing where the operators around them can leave gaps between places.
 *
 * Invariants:
 *  - hosts form a forest; place() follows it to the root;
 *  - `dense` values have no gaps between their places: outputs, and what an operator reads or writes
 *    that knows no stride;
 *  - a root's memory is its own from the first operator that writes any value in it to the last that
 *    reads any; the input's and the outputs' for the whole run.
 */
#include <stdlib.h>

#include "vision/nn/ir.h"

#define ALIGN_FLOATS 16 /* 64 bytes: a cache line, an AVX-512 register */
#define SLACK_FLOATS 4  /* XNN_EXTRA_BYTES: read, never written, past a tensor's end */

struct span {
    nn_value root;
    size_t first, last; /* operators */
    size_t size;        /* floats */
    size_t offset;
};

struct work {
    const struct nn_network *net;
    struct nn_plan *plan;
    nn_value *host; /* itself: root */
    size_t *shift;  /* places (rows: true) or channels from the host's beginning */
    bool *rows;
    bool *dense;
    bool *output;
    size_t *first, *last; /* of roots */
    struct span *span;
    nn_value *chain; /* scratch */
};

static bool is_binary(enum nn_kind kind)
{
    return kind == NN_ADD || kind == NN_SUBTRACT || kind == NN_MULTIPLY || kind == NN_DIVIDE;
}

static bool is_view(enum nn_kind kind)
{
    return kind == NN_SLICE || kind == NN_RESHAPE;
}

/* The operator's inputs and result may not have gaps. */
static bool knows_no_stride(enum nn_kind kind)
{
    return is_binary(kind) || kind == NN_PAD;
}

static void find_dense(struct work *k)
{
    const struct nn_network *net = k->net;

    for (size_t i = 0; i < net->n_outputs; i++) {
        k->output[net->output[i]] = true;
        k->dense[net->output[i]] = true;
    }
    for (size_t i = net->n_ops; i-- > 0;) {
        const struct nn_op *op = &net->op[i];
        if (knows_no_stride(op->kind))
            k->dense[i] = true;
        for (size_t j = 0; j < op->n_in; j++) {
            nn_value in = net->in[op->first_in + j];
            if (knows_no_stride(op->kind) || (op->kind == NN_RESHAPE && (k->dense[i] || op->c != net->op[in].c)) ||
                (op->kind == NN_SLICE && op->axis == NN_AXIS_PLACES && k->dense[i]))
                k->dense[in] = true;
        }
    }
}

static void lodge(struct work *k, nn_value guest, nn_value host, size_t shift, bool rows)
{
    k->host[guest] = host;
    k->shift[guest] = shift;
    k->rows[guest] = rows;
    k->plan->computes[guest] = k->plan->computes[guest] && !is_view(k->net->op[guest].kind);
}

/* Do all parts stand side by side in one value already? Then the concatenation is a view of that one. */
static bool is_contiguous(const struct work *k, const struct nn_op *concat)
{
    const nn_value *part = &k->net->in[concat->first_in];
    nn_value host = k->host[part[0]];
    size_t next = k->shift[part[0]];

    for (size_t i = 0; i < concat->n_in; i++) {
        if (k->host[part[i]] == part[i] || k->host[part[i]] != host || k->rows[part[i]] || k->shift[part[i]] != next)
            return false;
        next += k->net->op[part[i]].c;
    }
    return nn_places(&k->net->op[host]) == nn_places(concat);
}

static bool can_lodge(const struct work *k, nn_value part)
{
    enum nn_kind kind = k->net->op[part].kind;

    return k->host[part] == part && !k->dense[part] && !is_view(kind) && kind != NN_INPUT && kind != NN_CONSTANT;
}

/* Later concatenations first, so that a growing chain of them (DenseNet) becomes one value and views of it. */
static void lodge_concats(struct work *k)
{
    const struct nn_network *net = k->net;

    for (size_t i = net->n_ops; i-- > 0;) {
        const struct nn_op *op = &net->op[i];
        size_t shift = 0;
        if (op->kind != NN_CONCAT)
            continue;
        if (op->axis == NN_AXIS_CHANNELS && !k->dense[i] && k->host[i] == i && is_contiguous(k, op)) {
            nn_value part = net->in[op->first_in];
            lodge(k, (nn_value)i, k->host[part], k->shift[part], false);
            k->plan->computes[i] = false;
            continue;
        }
        for (size_t j = 0; j < op->n_in; j++) {
            nn_value part = net->in[op->first_in + j];
            if (can_lodge(k, part))
                lodge(k, part, (nn_value)i, shift, op->axis == NN_AXIS_PLACES);
            shift += op->axis == NN_AXIS_PLACES ? nn_places(&net->op[part]) : net->op[part].c;
        }
    }
}

static void lodge_views(struct work *k)
{
    const struct nn_network *net = k->net;

    for (size_t i = 0; i < net->n_ops; i++) {
        const struct nn_op *op = &net->op[i];
        nn_value in;
        if (!is_view(op->kind))
            continue;
        in = net->in[op->first_in];
        if (op->kind == NN_RESHAPE)
            lodge(k, (nn_value)i, in, 0, true);
        else if (op->axis == NN_AXIS_PLACES || !k->dense[i])
            lodge(k, (nn_value)i, in, op->first, op->axis == NN_AXIS_PLACES);
        /* else: a channel slice that must be dense is a copy */
    }
}

static nn_value root_of(const struct work *k, nn_value x)
{
    while (k->host[x] != x)
        x = k->host[x];
    return x;
}

static void touch(struct work *k, nn_value x, size_t when)
{
    nn_value root = root_of(k, x);

    if (k->first[root] > when)
        k->first[root] = when;
    if (k->last[root] < when)
        k->last[root] = when;
}

static void find_lifetimes(struct work *k)
{
    const struct nn_network *net = k->net;

    for (size_t i = 0; i < net->n_ops; i++)
        k->first[i] = SIZE_MAX;
    for (size_t i = 0; i < net->n_ops; i++) {
        touch(k, (nn_value)i, i);
        for (size_t j = 0; j < net->op[i].n_in; j++)
            touch(k, net->in[net->op[i].first_in + j], i);
    }
    touch(k, net->input, 0);
    touch(k, net->input, net->n_ops);
    for (size_t i = 0; i < net->n_outputs; i++)
        touch(k, net->output[i], net->n_ops);
}

/* Reads element i of its first operand before it writes element i of the result, and never again. */
static bool is_elementwise(const struct nn_op *op)
{
    return is_binary(op->kind) || op->kind == NN_AFFINE || op->kind == NN_PRELU || op->kind == NN_CLAMP ||
           op->kind == NN_SIGMOID || op->kind == NN_EXP;
}

/* Does another operand lie in the same memory, so that it would be overwritten while it is still needed? */
static bool has_alias(const struct work *k, const struct nn_op *op, nn_value x)
{
    for (size_t j = 1; j < op->n_in; j++) {
        nn_value other = k->net->in[op->first_in + j];
        if (other != x && root_of(k, other) == root_of(k, x))
            return true;
    }
    return false;
}

/* Elementwise results overwrite an operand that nobody reads any more: half the memory traffic. */
static void replace_operands(struct work *k)
{
    const struct nn_network *net = k->net;

    for (size_t i = 0; i < net->n_ops; i++) {
        const struct nn_op *op = &net->op[i];
        const struct nn_op *in;
        nn_value x;
        nn_value root;
        if (!is_elementwise(op) || k->host[i] != i)
            continue;
        x = net->in[op->first_in];
        in = &net->op[x];
        root = x;
        /* down a chain of replacements only: there the operand is all of its root */
        while (k->host[root] != root && is_elementwise(&net->op[root]) && !k->rows[root] &&
               k->host[root] == net->in[net->op[root].first_in] && k->shift[root] == 0)
            root = k->host[root];
        if (k->host[root] != root || net->op[root].kind == NN_INPUT || net->op[root].kind == NN_CONSTANT ||
            k->last[root] != i || nn_places(in) != nn_places(op) || in->c != op->c ||
            nn_places(&net->op[root]) != nn_places(op) || net->op[root].c != op->c || has_alias(k, op, x))
            continue;
        lodge(k, (nn_value)i, x, 0, false);
        k->last[root] = k->last[i];
    }
}

/* Follows the hosts to the root, then comes back and adds up. */
static void locate(struct work *k, nn_value x)
{
    struct nn_place *place = k->plan->place;
    size_t n = 0;

    for (;; x = k->host[x]) {
        k->chain[n++] = x;
        if (k->host[x] == x)
            break;
    }
    place[x].stride = k->net->op[x].c;
    place[x].constant = k->net->op[x].kind == NN_CONSTANT ? x : NN_NO_VALUE;
    while (--n > 0) {
        nn_value host = k->chain[n];
        nn_value guest = k->chain[n - 1];
        place[guest] = place[host];
        place[guest].offset += k->shift[guest] * (k->rows[guest] ? place[host].stride : 1);
        if (k->net->op[guest].kind == NN_RESHAPE && k->net->op[guest].c != k->net->op[host].c)
            place[guest].stride = k->net->op[guest].c; /* the host is dense */
    }
}

static int larger_first(const void *left, const void *right)
{
    const struct span *a = left;
    const struct span *b = right;

    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return a->root < b->root ? -1 : 1;
}

/* The lowest offset where no span of an overlapping lifetime is in the way. `order`: the placed ones by offset. */
static size_t lowest_offset(const struct span *span, const nn_value *order, size_t n, const struct span *next)
{
    size_t offset = 0;

    for (size_t i = 0; i < n; i++) {
        const struct span *other = &span[order[i]];
        if (other->first > next->last || next->first > other->last)
            continue;
        if (other->offset >= offset + next->size)
            break; /* it fits before this one, and so before all further ones */
        if (other->offset + other->size > offset)
            offset = other->offset + other->size;
    }
    return offset;
}

static void insert_by_offset(const struct span *span, nn_value *order, size_t n, nn_value next)
{
    size_t at = n;

    for (; at > 0 && span[order[at - 1]].offset > span[next].offset; at--)
        order[at] = order[at - 1];
    order[at] = next;
}

static bool place_roots(struct work *k)
{
    const struct nn_network *net = k->net;
    size_t n = 0;

    for (size_t i = 0; i < net->n_ops; i++) {
        const struct nn_op *op = &net->op[i];
        if (k->host[i] != i || op->kind == NN_CONSTANT)
            continue;
        k->span[n].root = (nn_value)i;
        k->span[n].first = k->first[i];
        k->span[n].last = k->last[i];
        k->span[n].size = (nn_places(op) * op->c + SLACK_FLOATS + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
        n++;
    }
    qsort(k->span, n, sizeof *k->span, larger_first);
    for (size_t i = 0; i < n; i++) {
        struct span *span = &k->span[i];
        span->offset = lowest_offset(k->span, k->chain, i, span);
        if (span->offset > NN_MAX_ELEMENTS - span->size)
            return false;
        if (span->offset + span->size > k->plan->arena)
            k->plan->arena = span->offset + span->size;
        k->plan->place[span->root].offset = span->offset;
        insert_by_offset(k->span, k->chain, i, (nn_value)i);
    }
    return true;
}

static enum aibox_status make(struct work *k, struct aibox_error *err)
{
    const struct nn_network *net = k->net;

    for (size_t i = 0; i < net->n_ops; i++) {
        enum nn_kind kind = net->op[i].kind;
        k->host[i] = (nn_value)i;
        k->plan->computes[i] = kind != NN_INPUT && kind != NN_CONSTANT;
    }
    find_dense(k);
    lodge_concats(k);
    lodge_views(k);
    find_lifetimes(k);
    replace_operands(k);
    if (!place_roots(k))
        return error_set(err, AIBOX_PROCESS_FAILED, "the model's activations take too much memory");
    for (size_t i = 0; i < net->n_ops; i++)
        locate(k, (nn_value)i);
    return AIBOX_OK;
}

enum aibox_status nn_plan_make(const struct nn_network *net, struct nn_plan *plan, struct aibox_error *err)
{
    size_t n = net->n_ops;
    struct work k = {
        .net = net,
        .plan = plan,
        .host = calloc(n, sizeof *k.host),
        .shift = calloc(n, sizeof *k.shift),
        .rows = calloc(n, sizeof *k.rows),
        .dense = calloc(n, sizeof *k.dense),
        .output = calloc(n, sizeof *k.output),
        .first = calloc(n, sizeof *k.first),
        .last = calloc(n, sizeof *k.last),
        .span = calloc(n, sizeof *k.span),
        .chain = calloc(n, sizeof *k.chain),
    };
    enum aibox_status status = AIBOX_PROCESS_FAILED;

    *plan = (struct nn_plan){0};
    plan->place = calloc(n, sizeof *plan->place);
    plan->computes = calloc(n, sizeof *plan->computes);
    if (!plan->place || !plan->computes || !k.host || !k.shift || !k.rows || !k.dense || !k.output || !k.first ||
        !k.last || !k.span || !k.chain) {
        error_set(err, status, "out of memory");
        goto out;
    }
    status = make(&k, err);
out:
    if (status != AIBOX_OK)
        nn_plan_free(plan);
    free(k.host);
    free(k.shift);
    free(k.rows);
    free(k.dense);
    free(k.output);
    free(k.first);
    free(k.last);
    free(k.span);
    free(k.chain);
    return status;
}
