/* Writes small synthetic picture files, one of each kind that the decoder knows. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pictures.h"

enum { WIDTH = 24, HEIGHT = 20 };

static const char *folder;

static void save(const char *name, struct bytes file)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *stream = fopen(path, "wb");
    if (stream == NULL || fwrite(file.data, 1, file.size, stream) != file.size || fclose(stream) != 0) {
        perror(path);
        exit(1);
    }
    bytes_free(&file);
}

static void save_jpegs(const struct image *image, const struct bytes *exif)
{
    save("jpeg-ycbcr", jpeg_file(image, &(struct jpeg_options){.space = JPEG_YCBCR}));
    save("jpeg-exif", jpeg_file(image, &(struct jpeg_options){.space = JPEG_YCBCR, .exif = exif}));
    save("jpeg-restart", jpeg_file(image, &(struct jpeg_options){.restart_interval = 1, .full_chroma = true}));
    save("jpeg-progressive", jpeg_file(image, &(struct jpeg_options){.progressive = true}));
    save("jpeg-grey", jpeg_file(image, &(struct jpeg_options){.space = JPEG_GREY}));
    save("jpeg-rgb", jpeg_file(image, &(struct jpeg_options){.space = JPEG_RGB}));
    save("jpeg-cmyk", jpeg_file(image, &(struct jpeg_options){.space = JPEG_CMYK, .without_adobe = true}));
    save("jpeg-ycck", jpeg_file(image, &(struct jpeg_options){.space = JPEG_YCCK, .progressive = true}));
}

static void save_pngs(const uint8_t *rows, const struct bytes *exif)
{
    static const uint8_t palette[12] = {0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255};
    static const uint8_t alpha[4] = {0, 100, 200, 255};
    static const struct {
        const char *name;
        struct png_options options;
    } kinds[] = {
        {"png-grey1", {.color_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 1}},
        {"png-grey16", {.color_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 16, .transparent_grey = 1}},
        {"png-rgb", {.color_type = PNG_COLOR_TYPE_RGB, .bit_depth = 8}},
        {"png-rgb16-interlaced", {.color_type = PNG_COLOR_TYPE_RGB, .bit_depth = 16, .interlaced = true}},
        {"png-grey-alpha", {.color_type = PNG_COLOR_TYPE_GRAY_ALPHA, .bit_depth = 8}},
        {"png-rgba", {.color_type = PNG_COLOR_TYPE_RGB_ALPHA, .bit_depth = 8, .interlaced = true}},
        {"png-animated", {.color_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 8, .animated = true}},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        save(kinds[i].name, png_file(6, 5, rows, 48, &kinds[i].options));
    struct png_options colours = {.color_type = PNG_COLOR_TYPE_PALETTE,
                                  .bit_depth = 2,
                                  .palette = palette,
                                  .palette_size = 4,
                                  .palette_alpha = alpha,
                                  .palette_alpha_size = 4,
                                  .exif = exif};
    save("png-palette", png_file(6, 5, rows, 48, &colours));
}

static void save_webps(const uint8_t *rgba, const struct bytes *exif)
{
    struct bytes lossless = webp_file(WIDTH, HEIGHT, rgba, true);
    struct bytes extended = webp_extended(WIDTH, HEIGHT, &lossless, exif, true);
    struct bytes animation = webp_animation(WIDTH, HEIGHT, &lossless);
    save("webp-lossy", webp_file(WIDTH, HEIGHT, rgba, false));
    save("webp-lossless", lossless);
    save("webp-exif", extended);
    save("webp-animated", animation);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: image_seeds <folder>\n");
        return 2;
    }
    folder = argv[1];
    struct image image = picture_smooth(WIDTH, HEIGHT);
    struct bytes exif = exif_block(6, false);
    uint8_t rgba[WIDTH * HEIGHT * 4];
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        memcpy(rgba + 4 * i, image.pixels + 3 * i, 3);
        rgba[4 * i + 3] = (uint8_t)(i % WIDTH < WIDTH / 2 ? 255 : 4 * i);
    }
    save_jpegs(&image, &exif);
    save_pngs(rgba, &exif);
    save_webps(rgba, &exif);
    bytes_free(&exif);
    image_free(&image);
    return 0;
}
