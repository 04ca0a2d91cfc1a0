#include "vision/nn/compiler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A tensor's name, who makes it, and what it is once that is known. */
struct symbol {
    struct pb_span name;
    const struct onnx_node *maker; /* NULL: an initialiser, the input, or nobody */
    bool wanted;                   /* by an output, directly or through other nodes */
    bool known;
    struct operand operand;
};

struct symbols {
    struct symbol *symbol;
    size_t n, capacity;
    uint32_t *slot; /* open addressing: index + 1, or 0 */
    size_t mask;
};

bool refuse(struct compiler *k, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error_set(k->err, AIBOX_PROCESS_FAILED, "%s", text);
    return false;
}

/* FNV-1a */
static size_t hash(struct pb_span name)
{
    uint64_t value = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < name.size; i++)
        value = (value ^ name.data[i]) * UINT64_C(1099511628211);
    return (size_t)(value ^ value >> 32);
}

/* The slot of a name, or the empty one where it belongs. */
static size_t find_slot(const struct symbols *s, struct pb_span name)
{
    size_t at = hash(name) & s->mask;

    while (s->slot[at] != 0) {
        const struct pb_span *other = &s->symbol[s->slot[at] - 1].name;
        if (other->size == name.size && (name.size == 0 || memcmp(other->data, name.data, name.size) == 0))
            break;
        at = (at + 1) & s->mask;
    }
    return at;
}

static struct symbol *find(const struct symbols *s, struct pb_span name)
{
    uint32_t slot = name.size > 0 ? s->slot[find_slot(s, name)] : 0;

    return slot ? &s->symbol[slot - 1] : NULL;
}

/* The name's symbol, new if there is none yet. There is room: symbols_open() counted all definitions. */
static struct symbol *enter(struct symbols *s, struct pb_span name, bool *fresh)
{
    size_t at = find_slot(s, name);

    *fresh = s->slot[at] == 0;
    if (*fresh) {
        s->symbol[s->n].name = name;
        s->slot[at] = (uint32_t)++s->n;
    }
    return &s->symbol[s->slot[at] - 1];
}

static bool symbols_open(struct compiler *k)
{
    struct symbols *s = onnx_alloc(&k->heap, 1, sizeof *s);
    size_t count = k->graph.n_initializers + k->graph.n_inputs;
    size_t slots = 16;

    for (size_t i = 0; i < k->graph.n_nodes; i++)
        count += k->graph.node[i].n_out;
    while (slots < 2 * count)
        slots *= 2;
    if (!s)
        return refuse(k, "too much memory needed");
    s->symbol = onnx_alloc(&k->heap, count, sizeof *s->symbol);
    s->slot = onnx_alloc(&k->heap, slots, sizeof *s->slot);
    s->capacity = count;
    s->mask = slots - 1;
    k->symbols = s;
    return (s->symbol && s->slot) || refuse(k, "too much memory needed");
}

/* Every tensor has one maker. Old files list initialisers among the inputs, too. */
static bool define_all(struct compiler *k)
{
    const struct onnx_graph *graph = &k->graph;
    bool fresh;

    for (size_t i = 0; i < graph->n_initializers; i++) {
        struct symbol *symbol = enter(k->symbols, graph->initializer[i].name, &fresh);
        if (!fresh)
            return refuse(k, "two initialisers of one name");
        symbol->operand = constant_operand(&graph->initializer[i].tensor);
        symbol->known = true;
    }
    for (size_t i = 0; i < graph->n_inputs; i++)
        enter(k->symbols, graph->input[i].name, &fresh);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct onnx_node *node = &graph->node[i];
        for (size_t j = 0; j < node->n_out; j++) {
            struct symbol *symbol;
            if (node->out[j].size == 0)
                continue;
            symbol = enter(k->symbols, node->out[j], &fresh);
            if (!fresh)
                return refuse(k, "two makers of one tensor");
            symbol->maker = node;
        }
    }
    return true;
}

const struct operand *input_of(const struct compiler *k, const struct onnx_node *node, size_t index)
{
    const struct symbol *symbol = index < node->n_in ? find(k->symbols, node->in[index]) : NULL;

    return symbol && symbol->known ? &symbol->operand : NULL;
}

const struct operand *need_input(struct compiler *k, const struct onnx_node *node, size_t index)
{
    const struct operand *operand = input_of(k, node, index);
    char name[ONNX_NAME_PRINT];

    if (!operand && index < node->n_in)
        refuse(k, "its input %s is not there", onnx_print(node->in[index], name));
    else if (!operand)
        refuse(k, "it has too few inputs");
    return operand;
}

bool take_input(struct compiler *k, const struct onnx_node *node, size_t index, struct operand *out)
{
    const struct operand *operand = need_input(k, node, index);

    if (operand)
        *out = *operand;
    return operand != NULL;
}

const struct onnx_tensor *need_constant(struct compiler *k, const struct onnx_node *node, size_t index,
                                        enum onnx_type type)
{
    const struct operand *operand = need_input(k, node, index);

    if (!operand)
        return NULL;
    if (!operand->constant || operand->constant->type != type) {
        refuse(k, "its input %zu is not a constant of the right type", index);
        return NULL;
    }
    return operand->constant;
}

bool set_output(struct compiler *k, const struct onnx_node *node, size_t index, const struct operand *operand)
{
    struct symbol *symbol;

    if (index >= node->n_out)
        return refuse(k, "it has no output %zu", index);
    symbol = find(k->symbols, node->out[index]);
    if (!symbol)
        return index > 0 || refuse(k, "its output has no name");
    symbol->operand = *operand;
    symbol->known = true;
    return true;
}

/* The names that the model is to give out: the caller's, or the graph's own. */
static bool choose_outputs(struct compiler *k, const char *const *names, size_t n_names, struct symbol **out,
                           size_t *n_out)
{
    size_t n = n_names > 0 ? n_names : k->graph.n_outputs;
    char print[ONNX_NAME_PRINT];

    if (n == 0 || n > NN_MAX_PORTS)
        return refuse(k, "%zu outputs", n);
    for (size_t i = 0; i < n; i++) {
        struct pb_span name;
        if (n_names > 0)
            name = (struct pb_span){.data = (const uint8_t *)names[i], .size = strlen(names[i])};
        else
            name = k->graph.output[i].name;
        out[i] = find(k->symbols, name);
        if (!out[i])
            return refuse(k, "the model has no tensor %s", onnx_print(name, print));
        out[i]->wanted = true;
    }
    *n_out = n;
    return true;
}

/* Nodes stand in running order, so one pass from the last to the first finds all that is wanted. */
static bool is_wanted(const struct compiler *k, const struct onnx_node *node)
{
    for (size_t i = 0; i < node->n_out; i++) {
        const struct symbol *symbol = find(k->symbols, node->out[i]);
        if (symbol && symbol->wanted)
            return true;
    }
    return false;
}

static void mark_wanted(struct compiler *k)
{
    for (size_t i = k->graph.n_nodes; i-- > 0;) {
        const struct onnx_node *node = &k->graph.node[i];
        if (!is_wanted(k, node))
            continue;
        for (size_t j = 0; j < node->n_in; j++) {
            struct symbol *symbol = find(k->symbols, node->in[j]);
            if (symbol)
                symbol->wanted = true;
        }
    }
}

/* ONNX dimensions of the one real input: what `given` says (NHWC), else what the file says, batch 1. */
static bool input_dims(struct compiler *k, const struct onnx_port *port, const struct nn_shape *given,
                       struct operand *operand)
{
    operand->rank = port->rank;
    if (given && given->rank == 4 && port->rank == 4) {
        const size_t nchw[4] = {1, given->dim[3], given->dim[1], given->dim[2]};
        memcpy(operand->dim, nchw, sizeof nchw);
        if (given->dim[0] > 1 || (port->dim[1] >= 0 && (uint64_t)port->dim[1] != nchw[1]))
            return refuse(k, "the model takes pictures of %lld channels, one at a time", (long long)port->dim[1]);
    } else if (given) {
        return refuse(k, "the model's input has %zu dimensions", port->rank);
    }
    for (size_t i = 0; !given && i < port->rank; i++) {
        int64_t dim = port->dim[i] < 0 && i == 0 ? 1 : port->dim[i];
        if (dim < 0)
            return refuse(k, "the model's input size is dynamic: it must be given");
        operand->dim[i] = (size_t)dim;
    }
    for (size_t i = 0; i < port->rank; i++) {
        if (operand->dim[i] == 0 || operand->dim[i] > 65535)
            return refuse(k, "the model's input size is out of range");
    }
    return port->rank > 0 || refuse(k, "the model's input has no dimensions");
}

static bool define_input(struct compiler *k, const struct nn_shape *given)
{
    const struct onnx_port *input = NULL;
    struct operand operand = {.value = NN_NO_VALUE};
    struct symbol *symbol = NULL;
    const size_t *dim = operand.dim;
    size_t last;

    for (size_t i = 0; i < k->graph.n_inputs; i++) {
        struct symbol *candidate = find(k->symbols, k->graph.input[i].name);
        if (!candidate || candidate->known || !candidate->wanted)
            continue;
        if (input)
            return refuse(k, "the model has more than one input");
        input = &k->graph.input[i];
        symbol = candidate;
    }
    if (!input)
        return refuse(k, "the model has no input");
    if (input->element != 1)
        return refuse(k, "the model's input is not of type float");
    if (!input_dims(k, input, given, &operand))
        return false;
    last = dim[operand.rank - 1];
    if (operand.rank == 4 && dim[0] == 1) {
        operand.value = nn_build_input(k->builder, dim[2], dim[3], dim[1]);
        operand.hwc = true;
    } else {
        /* at most six dimensions of 16 bits: no overflow before the fifth, and the builder refuses such sizes */
        if (operand.rank > 3)
            return refuse(k, "the model's input is not one picture");
        operand.value = nn_build_input(k->builder, count_of(operand.rank - 1, dim), 1, last);
    }
    symbol->operand = operand;
    symbol->known = true;
    return true;
}

static bool compile_node(struct compiler *k, const struct onnx_node *node)
{
    node_handler handler;
    bool done;

    if (node->domain.size > 0 && !onnx_is(node->domain, "ai.onnx"))
        return refuse(k, "an operator of another domain");
    if (!fold_node(k, node, &done))
        return false;
    if (done)
        return true;
    handler = layer_handler(node->op);
    if (!handler)
        handler = shape_handler(node->op);
    if (!handler)
        handler = binary_handler(node->op);
    if (!handler)
        return refuse(k, "an operator that is not supported");
    return handler(k, node);
}

static bool compile_nodes(struct compiler *k)
{
    char op[ONNX_NAME_PRINT], name[ONNX_NAME_PRINT];

    for (size_t i = 0; i < k->graph.n_nodes; i++) {
        const struct onnx_node *node = &k->graph.node[i];
        bool compiled;
        if (!is_wanted(k, node))
            continue;
        compiled = compile_node(k, node);
        /* the builder's complaint comes first: what follows from it may be nonsense */
        if (nn_builder_failed(k->builder, k->err) || !compiled) {
            struct pb_span label = node->name.size > 0 || node->n_out == 0 ? node->name : node->out[0];
            error_prefix(k->err, "node %s (%s)", onnx_print(label, name), onnx_print(node->op, op));
            return false;
        }
    }
    return true;
}

/* An output's value as it is given out, and the shape that it is called. */
static bool export(struct compiler *k, const struct symbol *symbol, nn_value *value, struct nn_shape *shape)
{
    struct operand x = symbol->operand;
    char name[ONNX_NAME_PRINT];

    if (!symbol->known)
        return refuse(k, "nothing makes %s", onnx_print(symbol->name, name));
    if (!as_value(k, &x))
        return false;
    if (is_nchw(k, &x)) {
        *shape = (struct nn_shape){.rank = 4, .dim = {1, x.dim[2], x.dim[3], x.dim[1]}};
    } else {
        if (x.rank > 4)
            return refuse(k, "output %s has more than four dimensions", onnx_print(symbol->name, name));
        if (!as_rows(k, &x))
            return false;
        *shape = (struct nn_shape){.rank = x.rank > 0 ? x.rank : 1, .dim = {1}};
        memcpy(shape->dim, x.dim, x.rank * sizeof *x.dim);
    }
    *value = x.value;
    return true;
}

static bool compile(struct compiler *k, const char *const *outputs, size_t n_outputs, const struct nn_shape *input,
                    struct nn_model **out)
{
    struct symbol *wanted[NN_MAX_PORTS];
    nn_value value[NN_MAX_PORTS];
    struct nn_shape shape[NN_MAX_PORTS];
    size_t n = 0;

    if (k->graph.opset < 7 || k->graph.opset > 21)
        return refuse(k, "operator set %lld is not supported", (long long)k->graph.opset);
    if (!symbols_open(k) || !define_all(k) || !choose_outputs(k, outputs, n_outputs, wanted, &n))
        return false;
    mark_wanted(k);
    if (!define_input(k, input) || !compile_nodes(k))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!export(k, wanted[i], &value[i], &shape[i]))
            return false;
    }
    return nn_builder_finish(k->builder, value, shape, n, out, k->err) == AIBOX_OK;
}

enum aibox_status nn_model_read(const void *bytes, size_t size, const char *const *outputs, size_t n_outputs,
                                const struct nn_shape *input, struct nn_model **out, struct aibox_error *err)
{
    struct compiler k = {.err = err};
    enum aibox_status status = onnx_read(bytes, size, &k.heap, &k.graph, err);

    if (status == AIBOX_OK)
        status = nn_builder_open(&k.builder, err);
    if (status == AIBOX_OK && !compile(&k, outputs, n_outputs, input, out))
        status = AIBOX_PROCESS_FAILED;
    nn_builder_free(k.builder);
    onnx_heap_free(&k.heap);
    return status;
}
