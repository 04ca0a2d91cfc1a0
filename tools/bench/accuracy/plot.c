/* The scores of all pairs, same person and different people, as an SVG drawing: share of pairs per hundredth of score
 * on a logarithmic axis, with the thresholds that the model set's calibration gives. */
#include <math.h>
#include <stdio.h>

#include "accuracy.h"

#define LOW     (-0.4)
#define HIGH    1.0
#define BIN     0.01
#define BINS    140
#define LEFT    70.0
#define TOP     30.0
#define WIDTH   800.0
#define HEIGHT  400.0
#define DECADES 7 /* the axis begins at 1e-7 */

static double place_x(double score)
{
    return LEFT + (score - LOW) / (HIGH - LOW) * WIDTH;
}

static double place_y(double share)
{
    double decades = log10(fmax(share, 1e-12)) + DECADES;
    return TOP + HEIGHT - fmin(fmax(decades / DECADES, 0), 1) * HEIGHT;
}

static void draw_curve(FILE *file, const float *scores, size_t count, const char *colour, const char *name)
{
    size_t bins[BINS] = {0};
    for (size_t i = 0; i < count; i++) {
        double at = ((double)scores[i] - LOW) / BIN;
        bins[at < 0 ? 0 : at >= BINS ? BINS - 1 : (size_t)at]++;
    }
    (void)fprintf(file, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
    for (size_t i = 0; i < BINS; i++) {
        (void)fprintf(file, "%.1f,%.1f ", place_x(LOW + ((double)i + 0.5) * BIN),
                      place_y((double)bins[i] / (double)count));
    }
    (void)fprintf(file, "\"><title>%s, %zu pairs</title></polyline>\n", name, count);
}

static void draw_axes(FILE *file)
{
    for (int decade = 0; decade <= DECADES; decade++) {
        double y = place_y(pow(10, decade - DECADES));
        (void)fprintf(file, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", LEFT, y,
                      LEFT + WIDTH, y);
        (void)fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">1e%d</text>\n", LEFT - 8, y + 4,
                      decade - DECADES);
    }
    for (int tenth = -4; tenth <= 10; tenth += 2) {
        (void)fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.1f</text>\n", place_x(tenth / 10.0),
                      TOP + HEIGHT + 18, tenth / 10.0);
    }
    (void)fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">score</text>\n", LEFT + WIDTH / 2,
                  TOP + HEIGHT + 38);
}

static void draw_thresholds(FILE *file, const struct vision *vision)
{
    static const double rates[] = {1e-3, 1e-4, 1e-5, 1e-6};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        float threshold = vision_threshold_for_fmr(vision, rates[i]);
        double x = place_x((double)threshold);
        (void)fprintf(file,
                      "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#888\" stroke-dasharray=\"4 3\"/>"
                      "<text transform=\"translate(%.1f %.1f) rotate(-90)\">FMR %.0e: %.3f, misses %.1f %%</text>\n",
                      x, TOP, x, TOP + HEIGHT, x - 4, TOP + 170, rates[i], (double)threshold,
                      100 * vision_false_reject_at(vision, threshold));
    }
}

bool plot_scores(const struct dataset *data, const struct vision *vision, const char *path)
{
    struct all_pairs all = {0};
    FILE *file = fopen(path, "w");
    bool ok = file && all_pairs_make(data, &all);
    if (ok) {
        (void)fprintf(file,
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 480\" font-family=\"sans-serif\" "
                      "font-size=\"12\">\n<rect width=\"900\" height=\"480\" fill=\"white\"/>\n"
                      "<text x=\"70\" y=\"18\">Scores of different people (red) and of one person (blue), model set "
                      "%s</text>\n",
                      vision_model_set(vision));
        draw_axes(file);
        draw_thresholds(file, vision);
        draw_curve(file, all.impostor, all.impostor_count, "#c0392b", "different people");
        draw_curve(file, all.genuine, all.genuine_count, "#2471a3", "the same person");
        (void)fputs("</svg>\n", file);
    }
    all_pairs_free(&all);
    ok = file && fclose(file) == 0 && ok;
    if (!ok) {
        (void)fprintf(stderr, "bench-accuracy: %s can't be written\n", path);
    }
    return ok;
}
