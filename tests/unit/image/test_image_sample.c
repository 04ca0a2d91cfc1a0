/* Sampling against a naive computation in doubles: borders, orders, rotations, positions far off. */
#include "check.h"

#include <math.h>

static double pixel(const struct image *image, bool replicate, double x, double y, int c)
{
    if (replicate) {
        x = fmin(fmax(x, 0), image->width - 1);
        y = fmin(fmax(y, 0), image->height - 1);
    } else if (x < 0 || x > image->width - 1 || y < 0 || y > image->height - 1) {
        return 0;
    }
    return image->pixels[((int)y * image->width + (int)x) * 3 + c];
}

static double bilinear(const struct image *image, const struct image_sampling *how, int x, int y, int c)
{
    const float *m = how->matrix;
    double sx = (double)m[0] * x + (double)m[1] * y + m[2];
    double sy = (double)m[3] * x + (double)m[4] * y + m[5];
    double ix = floor(sx);
    double iy = floor(sy);
    double upper = pixel(image, how->replicate, ix, iy, c) * (1 - (sx - ix)) +
                   pixel(image, how->replicate, ix + 1, iy, c) * (sx - ix);
    double lower = pixel(image, how->replicate, ix, iy + 1, c) * (1 - (sx - ix)) +
                   pixel(image, how->replicate, ix + 1, iy + 1, c) * (sx - ix);
    return upper * (1 - (sy - iy)) + lower * (sy - iy);
}

/* Keys' kernel with a = -0.5. */
static double keys(double d)
{
    d = fabs(d);
    if (d < 1)
        return 1.5 * d * d * d - 2.5 * d * d + 1;
    if (d < 2)
        return -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2;
    return 0;
}

static double sinc(double x)
{
    return fabs(x) < 1e-9 ? 1 : sin(M_PI * x) / (M_PI * x);
}

static double lanczos(double x)
{
    return fabs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static double by_kernel(const struct image *image, const struct image_sampling *how, enum image_kernel kernel, int x,
                        int y, int c)
{
    const float *m = how->matrix;
    double sx = (double)m[0] * x + (double)m[1] * y + m[2];
    double sy = (double)m[3] * x + (double)m[4] * y + m[5];
    double (*weigh)(double) = kernel == IMAGE_LANCZOS ? lanczos : keys;
    double sum = 0;
    double weights = 0;
    for (double j = floor(sy) - 2; j <= floor(sy) + 3; j++) {
        for (double i = floor(sx) - 2; i <= floor(sx) + 3; i++) {
            double weight = weigh(sx - i) * weigh(sy - j);
            sum += weight * pixel(image, how->replicate, i, j, c);
            weights += weight;
        }
    }
    return fmin(fmax(sum / weights, 0), 255);
}

static void check_kernel(const struct image *image, const struct image_sampling *how, enum image_kernel kernel,
                         int out_w, int out_h)
{
    size_t count = (size_t)out_w * (size_t)out_h;
    float *out = malloc(count * 3 * sizeof(*out));
    assert_non_null(out);
    image_sample_kernel(image, how, kernel, out_w, out_h, out);
    for (int y = 0; y < out_h; y++) {
        for (int x = 0; x < out_w; x++) {
            for (int c = 0; c < 3; c++) {
                int place = how->bgr ? 2 - c : c;
                float scale = how->scale[place];
                double expected = (by_kernel(image, how, kernel, x, y, c) - how->mean[place]) * scale;
                size_t at = ((size_t)y * (size_t)out_w + (size_t)x) * 3 + (size_t)place;
                assert_true(fabs(out[at] - expected) < 1e-2 * (double)fabsf(scale));
            }
        }
    }
    free(out);
}

/* All three functions against the naive one, and the longer kernels against their own. */
static void check(const struct image *image, const struct image_sampling *how, int out_w, int out_h)
{
    size_t count = (size_t)out_w * (size_t)out_h;
    /* Of exact size, so that AddressSanitizer sees writes beyond. */
    float *network = malloc(count * 3 * sizeof(*network));
    float *grey = malloc(count * sizeof(*grey));
    struct image warped;
    assert_non_null(network);
    assert_non_null(grey);
    image_sample(image, how, out_w, out_h, network);
    image_sample_grey(image, how, out_w, out_h, grey);
    assert_int_equal(image_warp(image, how, out_w, out_h, &warped, NULL), AIBOX_OK);
    assert_int_equal(warped.width, out_w);
    assert_int_equal(warped.height, out_h);
    for (int y = 0; y < out_h; y++) {
        for (int x = 0; x < out_w; x++) {
            size_t at = (size_t)y * (size_t)out_w + (size_t)x;
            double rgb[3];
            for (int c = 0; c < 3; c++) {
                rgb[c] = bilinear(image, how, x, y, c);
                int place = how->bgr ? 2 - c : c;
                double expected = (rgb[c] - how->mean[place]) * how->scale[place];
                assert_true(fabs(network[at * 3 + (size_t)place] - expected) < 1e-3 * (double)fabsf(how->scale[place]));
                assert_true(fabs(warped.pixels[at * 3 + (size_t)c] - rgb[c]) < 0.501);
            }
            assert_true(fabs(grey[at] - (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2])) < 1e-3);
        }
    }
    image_free(&warped);
    free(network);
    free(grey);
    check_kernel(image, how, IMAGE_CUBIC, out_w, out_h);
    check_kernel(image, how, IMAGE_LANCZOS, out_w, out_h);
}

static struct image_sampling sampling(float a, float b, float c, float d, float e, float f)
{
    return (struct image_sampling){.matrix = {a, b, c, d, e, f}, .scale = {1, 1, 1}};
}

static void agrees_with_a_naive_computation(void **state)
{
    (void)state;
    struct image image = picture_noise(67, 45, 2);
    uint32_t seed = 1;
    for (int round = 0; round < 120; round++) {
        float m[6];
        for (int i = 0; i < 6; i++)
            m[i] = ((float)noise(&seed) - 128) / 64;
        m[2] = (float)noise(&seed) / 2 - 30;
        m[5] = (float)noise(&seed) / 3 - 30;
        struct image_sampling how = {
            .matrix = {m[0], m[1], m[2], m[3], m[4], m[5]},
            .replicate = round % 2 == 0,
            .bgr = round % 3 == 0,
            .mean = {127, 0, 20.5f},
            .scale = {1 / 128.0f, 1, 2.5f},
        };
        check(&image, &how, 1 + round % 90, 1 + round % 31);
    }
    image_free(&image);
}

static void copies_with_the_identity(void **state)
{
    (void)state;
    struct image image = picture_noise(70, 9, 7);
    for (int replicate = 0; replicate <= 1; replicate++) {
        struct image_sampling how = sampling(1, 0, 0, 0, 1, 0);
        how.replicate = replicate != 0;
        struct image copy;
        assert_int_equal(image_warp(&image, &how, 70, 9, &copy, NULL), AIBOX_OK);
        assert_same_picture(&image, &copy);
        image_free(&copy);
    }
    image_free(&image);
}

/* Turned by 90° clockwise: output (x, y) is source (y, height - 1 - x). */
static void turns_by_a_quarter(void **state)
{
    (void)state;
    struct image image = picture_noise(33, 21, 7);
    struct image_sampling how = sampling(0, 1, 0, -1, 0, 20);
    struct image turned;
    assert_int_equal(image_warp(&image, &how, 21, 33, &turned, NULL), AIBOX_OK);
    for (int y = 0; y < 33; y++) {
        for (int x = 0; x < 21; x++)
            assert_memory_equal(turned.pixels + (y * 21 + x) * 3, image.pixels + ((20 - x) * 33 + y) * 3, 3);
    }
    image_free(&turned);
    image_free(&image);
}

static void stretches_with_half_pixel_centres(void **state)
{
    (void)state;
    struct image image = picture_noise(64, 48, 6);
    struct image_sampling how = sampling(2, 0, 0.5f, 0, 2, 0.5f);
    how.replicate = true;
    check(&image, &how, 32, 24);
    how = sampling(0.4f, 0, -0.3f, 0, 0.4f, -0.3f);
    how.replicate = true;
    check(&image, &how, 160, 120);
    image_free(&image);
}

static void blends_with_the_border(void **state)
{
    (void)state;
    struct image image;
    assert_int_equal(image_new(4, 4, &image, NULL), AIBOX_OK);
    memset(image.pixels, 200, 48);
    struct image_sampling how = sampling(1, 0, -1.5f, 0, 1, 1);
    float out[21];
    image_sample(&image, &how, 7, 1, out); /* -1.5 -0.5 0.5 1.5 2.5 3.5 4.5 */
    static const float zero[7] = {0, 100, 200, 200, 200, 100, 0};
    for (int i = 0; i < 7; i++)
        assert_true(fabsf(out[3 * i] - zero[i]) < 1e-3f);
    how.replicate = true;
    image_sample(&image, &how, 7, 1, out);
    for (int i = 0; i < 7; i++)
        assert_true(fabsf(out[3 * i] - 200) < 1e-3f);
    image_free(&image);
}

static void works_on_the_smallest_pictures(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {3, 2}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct image image = picture_noise(sizes[i][0], sizes[i][1], 5);
        struct image_sampling how = sampling(0.5f, 0.1f, -1, -0.1f, 0.5f, -1);
        check(&image, &how, 9, 9);
        how.replicate = true;
        check(&image, &how, 9, 9);
        image_free(&image);
    }
}

/* No crash, nothing read outside; what is far outside is border, what is no number is black. */
static void survives_absurd_matrices(void **state)
{
    (void)state;
    struct image image = picture_noise(20, 20, 5);
    static const float values[] = {0, 1, -1, 1e9f, -1e9f, 3e38f, -3e38f, 1e-38f, INFINITY, -INFINITY, NAN};
    enum { COUNT = sizeof(values) / sizeof(values[0]) };
    uint32_t seed = 3;
    float out[5 * 70 * 3];
    for (int round = 0; round < 4000; round++) {
        struct image_sampling how = {.replicate = round % 2 == 0, .scale = {1, 1, 1}};
        for (int i = 0; i < 6; i++)
            how.matrix[i] = values[noise(&seed) % COUNT];
        image_sample(&image, &how, 70, 5, out);
        for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
            assert_true(out[i] >= 0 && out[i] <= 255.001f);
    }
    struct image_sampling how = sampling(0, 0, NAN, 0, 0, 5);
    how.replicate = true;
    image_sample(&image, &how, 1, 1, out);
    assert_true(out[0] == 0 && out[1] == 0 && out[2] == 0);
    how.matrix[2] = 1e30f;
    image_sample(&image, &how, 1, 1, out);
    assert_true(out[0] == image.pixels[(5 * 20 + 19) * 3]);
    image_free(&image);
}

static void refuses_to_warp_to_a_wrong_size(void **state)
{
    (void)state;
    struct image image = picture_noise(20, 20, 5);
    struct image_sampling how = sampling(1, 0, 0, 0, 1, 0);
    struct image out;
    assert_int_equal(image_warp(&image, &how, 0, 5, &out, NULL), AIBOX_IMAGE);
    assert_int_equal(image_warp(&image, &how, 5, -1, &out, NULL), AIBOX_IMAGE);
    assert_int_equal(image_warp(&image, &how, 16385, 1, &out, NULL), AIBOX_IMAGE_TOO_LARGE);
    assert_null(out.pixels);
    image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_naive_computation),
        cmocka_unit_test(copies_with_the_identity),
        cmocka_unit_test(turns_by_a_quarter),
        cmocka_unit_test(stretches_with_half_pixel_centres),
        cmocka_unit_test(blends_with_the_border),
        cmocka_unit_test(works_on_the_smallest_pictures),
        cmocka_unit_test(survives_absurd_matrices),
        cmocka_unit_test(refuses_to_warp_to_a_wrong_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
