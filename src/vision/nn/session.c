#include "vision/nn/session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include "vision/nn/kernels.h"

#define ARENA_ALIGN 64

struct nn_session {
    const struct nn_model *model;
    float *arena;         /* owned */
    struct nn_step *step; /* owned */
    size_t n_steps, capacity;
    float *input;
    const float *output[NN_MAX_PORTS];
};

static pthread_once_t xnn_once = PTHREAD_ONCE_INIT;
static enum xnn_status xnn_ready = xnn_status_uninitialized;

static void initialise_xnnpack(void)
{
    xnn_ready = xnn_initialize(NULL);
}

static struct nn_step *next_step(struct nn_session *s)
{
    if (s->n_steps == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 128;
        struct nn_step *grown = realloc(s->step, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        s->step = grown;
        s->capacity = capacity;
    }
    s->step[s->n_steps] = (struct nn_step){0};
    return &s->step[s->n_steps];
}

/* One copy for each part that did not get written to its place. */
static bool add_concat(struct nn_session *s, const struct nn_memory *memory, nn_value x)
{
    const struct nn_network *net = &s->model->net;
    const struct nn_op *op = &net->op[x];
    const size_t stride = s->model->plan.place[x].stride;
    float *y = nn_address(memory, x);

    for (size_t i = 0; i < op->n_in; i++) {
        nn_value part = net->in[op->first_in + i];
        if (nn_address(memory, part) != y) {
            struct nn_step *step = next_step(s);
            if (!step)
                return false;
            *step = nn_step_copy(memory, part, y, stride);
            s->n_steps++;
        }
        y += op->axis == NN_AXIS_CHANNELS ? net->op[part].c : nn_places(&net->op[part]) * stride;
    }
    return true;
}

static bool add_step(struct nn_session *s, const struct nn_memory *memory, nn_value x)
{
    struct nn_step *step;
    bool made;

    if (s->model->net.op[x].kind == NN_CONCAT)
        return add_concat(s, memory, x);
    step = next_step(s);
    if (!step)
        return false;
    made = nn_step_make(memory, x, step);
    s->n_steps++; /* also when refused half-way, so that what was made is freed */
    return made;
}

enum aibox_status nn_session_open(const struct nn_model *model, struct nn_session **out, struct aibox_error *err)
{
    const size_t bytes = (model->plan.arena * sizeof(float) + ARENA_ALIGN) / ARENA_ALIGN * ARENA_ALIGN + ARENA_ALIGN;
    struct nn_memory memory = {.model = model};
    struct nn_session *s = NULL;

    pthread_once(&xnn_once, initialise_xnnpack);
    if (xnn_ready != xnn_status_success)
        return error_set(err, AIBOX_PROCESS_FAILED, "XNNPACK does not run on this processor");
    s = calloc(1, sizeof *s);
    if (!s)
        goto out_of_memory;
    s->model = model;
    s->arena = aligned_alloc(ARENA_ALIGN, bytes);
    if (!s->arena)
        goto out_of_memory;
    memset(s->arena, 0, bytes);
    memory.arena = s->arena;
    for (size_t i = 0; i < model->net.n_ops; i++) {
        if (model->plan.computes[i] && !add_step(s, &memory, (nn_value)i)) {
            error_set(err, AIBOX_PROCESS_FAILED, "operator %zu of the network can't be made", i);
            goto fail;
        }
    }
    s->input = nn_address(&memory, model->net.input);
    for (size_t i = 0; i < model->net.n_outputs; i++)
        s->output[i] = nn_address(&memory, model->net.output[i]);
    *out = s;
    return AIBOX_OK;
out_of_memory:
    error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
fail:
    nn_session_close(s);
    return AIBOX_PROCESS_FAILED;
}

void nn_session_close(struct nn_session *session)
{
    if (!session)
        return;
    for (size_t i = 0; i < session->n_steps; i++) {
        if (session->step[i].xnn)
            xnn_delete_operator(session->step[i].xnn);
    }
    free(session->step);
    free(session->arena);
    free(session);
}

float *nn_session_input(struct nn_session *session)
{
    return session->input;
}

const float *nn_session_output(const struct nn_session *session, size_t index)
{
    return index < session->model->net.n_outputs ? session->output[index] : NULL;
}

/*
 * Denormal numbers take a processor's slow path, a hundred times slower, and mean nothing to a network:
 * they count as zero while one runs. Returns the mode to restore.
 */
static uint64_t flush_denormals(void)
{
#if defined(__SSE__)
    const unsigned int flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
    unsigned int before = _mm_getcsr();
    _mm_setcsr(before | flush_to_zero | denormals_are_zero);
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | UINT64_C(1) << 24)); /* FZ */
    return before;
#else
    return 0;
#endif
}

static void restore_denormals(uint64_t before)
{
#if defined(__SSE__)
    _mm_setcsr((unsigned int)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
#else
    (void)before;
#endif
}

static void run_kernel(const struct nn_step *step)
{
    switch (step->kind) {
    case NN_TRANSPOSE:
        nn_kernel_transpose(step->x, step->x_stride, step->y, step->y_stride, step->places, step->c);
        break;
    case NN_EXP:
        nn_kernel_exp(step->x, step->x_stride, step->y, step->y_stride, step->places, step->c);
        break;
    case NN_CONVOLUTION:
        nn_kernel_weigh(step->x, step->x_stride, step->y, step->places, step->c, step->weights, step->bias,
                        step->minimum, step->maximum);
        break;
    default:
        nn_kernel_copy(step->x, step->x_stride, step->y, step->y_stride, step->places, step->c);
        break;
    }
}

enum aibox_status nn_run(struct nn_session *session, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    uint64_t mode = flush_denormals();

    for (size_t i = 0; i < session->n_steps; i++) {
        const struct nn_step *step = &session->step[i];
        if (!step->xnn) {
            run_kernel(step);
        } else if (xnn_run_operator(step->xnn, NULL) != xnn_status_success) {
            status = error_set(err, AIBOX_PROCESS_FAILED, "step %zu of the network failed", i);
            break;
        }
    }
    restore_denormals(mode);
    return status;
}
