#include "vision/nn/kernels.h"

#include <math.h>
#include <string.h>

void nn_kernel_copy(const float *x, size_t x_stride, float *y, size_t y_stride, size_t places, size_t c)
{
    if (x_stride == c && y_stride == c) {
        memcpy(y, x, places * c * sizeof *y);
        return;
    }
    for (size_t p = 0; p < places; p++)
        memcpy(y + p * y_stride, x + p * x_stride, c * sizeof *y);
}

void nn_kernel_transpose(const float *x, size_t x_stride, float *y, size_t y_stride, size_t places, size_t c)
{
    for (size_t k = 0; k < c; k++) {
        for (size_t p = 0; p < places; p++)
            y[k * y_stride + p] = x[p * x_stride + k];
    }
}

void nn_kernel_exp(const float *x, size_t x_stride, float *y, size_t y_stride, size_t places, size_t c)
{
    for (size_t p = 0; p < places; p++) {
        for (size_t k = 0; k < c; k++)
            y[p * y_stride + k] = expf(x[p * x_stride + k]);
    }
}

void nn_kernel_weigh(const float *restrict x, size_t x_stride, float *restrict y, size_t places, size_t c,
                     const float *restrict weights, const float *restrict bias, float minimum, float maximum)
{
    for (size_t k = 0; k < c; k++)
        y[k] = bias ? bias[k] : 0;
    for (size_t p = 0; p < places; p++) {
        for (size_t k = 0; k < c; k++)
            y[k] += x[p * x_stride + k] * weights[p * c + k];
    }
    for (size_t k = 0; k < c; k++)
        y[k] = y[k] < minimum ? minimum : y[k] > maximum ? maximum : y[k];
}
