/* Every allocation fails once, in turn: reading and opening then fail cleanly, and leave nothing behind (which
 * AddressSanitizer watches). And a run allocates nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "onnx_writer.h"
#include "vision/nn/nn.h"

/* The linker brings the library's calls here (-Wl,--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static size_t allocations;
static size_t fails_at = SIZE_MAX;

static bool fails(void)
{
    return allocations++ == fails_at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

/* Reads and opens with the allocation number `which` failing; true: all went well, there are not that many. */
static bool survives(const struct buffer *file, size_t which)
{
    struct nn_session *session = NULL;
    struct nn_model *model = NULL;
    struct aibox_error err = {0};
    enum aibox_status status;

    allocations = 0;
    fails_at = which;
    status = nn_model_read(file->data, file->size, NULL, 0, NULL, &model, &err);
    if (status == AIBOX_OK)
        status = nn_session_open(model, &session, &err);
    fails_at = SIZE_MAX;
    if (status == AIBOX_OK) {
        allocations = 0;
        assert_int_equal(nn_run(session, NULL), AIBOX_OK);
        assert_int_equal(allocations, 0);
    } else {
        assert_int_equal(err.status, AIBOX_PROCESS_FAILED);
    }
    nn_session_close(session);
    nn_model_free(model);
    return status == AIBOX_OK;
}

static void test_each_allocation_fails(void **state)
{
    struct buffer file;

    (void)state;
    buffer_init(&file, 1 << 20);
    for (size_t i = 0; onnx_sample(i, &file); i++) {
        size_t which = 0;
        while (!survives(&file, which))
            which++;
        assert_true(which > 20);
        buffer_clear(&file);
    }
    buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation_fails)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
