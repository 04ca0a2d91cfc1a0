/* Writes small models as seeds into the folder named on the command line. */
#include <stdio.h>

#include "onnx_writer.h"

int main(int argc, char **argv)
{
    struct buffer model;
    int result = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: nn_seeds FOLDER\n");
        return 2;
    }
    buffer_init(&model, 1 << 20);
    for (size_t i = 0; result == 0 && onnx_sample(i, &model); i++) {
        char path[1024];
        FILE *file;
        snprintf(path, sizeof path, "%s/sample%zu.onnx", argv[1], i);
        file = fopen(path, "wb");
        if (!file || fwrite(model.data, 1, model.size, file) != model.size)
            result = 1;
        if (file && fclose(file) != 0)
            result = 1;
        buffer_clear(&model);
    }
    if (result != 0)
        fprintf(stderr, "nn_seeds: %s can't be written to\n", argv[1]);
    buffer_free(&model);
    return result;
}
