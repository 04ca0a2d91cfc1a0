/* IEEE 754-2008 binary16 by integer arithmetic: neither compiler offers the type on every machine we build for. */
#include <string.h>

#include "store/internal.h"

static uint16_t half_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = (bits >> 16) & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;

    if (magnitude > 0x7f800000) /* NaN */
        return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x477ff000) /* would round to infinity */
        return (uint16_t)(sign | 0x7bff);
    if (magnitude < 0x33000001) /* at most half of the smallest subnormal */
        return (uint16_t)sign;

    uint32_t exponent = magnitude >> 23;
    uint32_t shift = 13;
    uint32_t mantissa;
    if (exponent < 113) { /* subnormal in binary16 */
        shift = 126 - exponent;
        mantissa = (magnitude & 0x7fffff) | 0x800000;
    } else {
        mantissa = magnitude - (UINT32_C(112) << 23);
    }
    uint32_t rounded = mantissa >> shift;
    uint32_t rest = mantissa & ((UINT32_C(1) << shift) - 1);
    uint32_t tie = UINT32_C(1) << (shift - 1);
    if (rest > tie || (rest == tie && (rounded & 1)))
        rounded++;
    return (uint16_t)(sign | rounded);
}

static float float_of(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = (half >> 10) & 31;
    uint32_t mantissa = half & 0x3ff;
    uint32_t bits;
    float value;

    if (exponent == 0) {
        value = (float)mantissa * 0x1p-24F;
        return sign ? -value : value;
    }
    if (exponent == 31)
        bits = sign | 0x7f800000 | mantissa << 13;
    else
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void half_from_float(const float *in, uint16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = half_of(in[i]);
}

void half_to_float(const uint16_t *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = float_of(in[i]);
}
