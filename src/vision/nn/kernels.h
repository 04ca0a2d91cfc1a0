/* Private to vision/nn: the few operators that XNNPACK does not have. Strides are in floats, per place. */
#ifndef AIBOX_VISION_NN_KERNELS_H
#define AIBOX_VISION_NN_KERNELS_H

#include <stddef.h>

/* y = x, place by place. */
void nn_kernel_copy(const float *x, size_t x_stride, float *y, size_t y_stride, size_t places, size_t c);

/* y[k][p] = x[p][k] */
void nn_kernel_transpose(const float *x, size_t x_stride, float *y, size_t y_stride, size_t places, size_t c);

/* y = e^x; x may be y. */
void nn_kernel_exp(const float *x, size_t x_stride, float *y, size_t y_stride, size_t places, size_t c);

/* y[k] = bias[k] + sum over p of x[p][k] · weights[p][k], within the bounds. bias may be NULL. */
void nn_kernel_weigh(const float *x, size_t x_stride, float *y, size_t places, size_t c, const float *weights,
                     const float *bias, float minimum, float maximum);

#endif
