/* One model, several threads, each with sessions of its own: the same results everywhere, no data race. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "onnx_writer.h"
#include "vision/nn/nn.h"

#define THREADS 3
#define RUNS    40

struct worker {
    const struct nn_model *model;
    float output[8];
    bool failed;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct nn_session *session;

    for (size_t run = 0; run < RUNS && !worker->failed; run++) {
        worker->failed = nn_session_open(worker->model, &session, NULL) != AIBOX_OK;
        if (worker->failed)
            break;
        for (size_t i = 0; i < 3 * 8 * 8; i++)
            nn_session_input(session)[i] = (float)(i % 17) / 17 - 0.5F;
        worker->failed = nn_run(session, NULL) != AIBOX_OK;
        memcpy(worker->output, nn_session_output(session, 0), 5 * sizeof(float));
        nn_session_close(session);
    }
    return NULL;
}

static void test_shared_model(void **state)
{
    struct worker worker[THREADS];
    pthread_t thread[THREADS];
    struct nn_model *model;
    struct buffer file;

    (void)state;
    buffer_init(&file, 1 << 20);
    assert_true(onnx_sample(0, &file));
    assert_int_equal(nn_model_read(file.data, file.size, NULL, 0, NULL, &model, NULL), AIBOX_OK);
    buffer_free(&file);
    for (size_t i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){.model = model};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_false(worker[i].failed);
        assert_memory_equal(worker[i].output, worker[0].output, 5 * sizeof(float));
    }
    nn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shared_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
