#include "write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define PER_LINE 8

static void write_weights(FILE *file, const struct regression *model)
{
    (void)fprintf(file, "  \"bias\": %.6g,\n  \"weights\": [", (double)model->bias);
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        const char *before = i == 0 ? "\n    " : i % PER_LINE == 0 ? ",\n    " : ", ";
        (void)fprintf(file, "%s%.5g", before, (double)model->weights[i]);
    }
    (void)fputs("\n  ]\n}\n", file);
}

/*
 * Quantiles as long as there are enough scores for them; below, the tail goes on along the line through the quantiles
 * from 1e-4 to 1e-5 (threshold against the rate's logarithm), as in the model set's own table.
 */
static void write_rates(FILE *file, const struct scores *scores)
{
    static const double rates[] = {1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5};
    static const double tail[] = {3e-6, 1e-6};
    double upper = scores_threshold(scores, 1e-4);
    double lower = scores_threshold(scores, 1e-5);
    (void)fputs("  \"fmr\": [", file);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        (void)fprintf(file, "[%.0e, %.4f], ", rates[i], scores_threshold(scores, rates[i]));
    }
    for (size_t i = 0; i < sizeof tail / sizeof tail[0]; i++) {
        double threshold = lower + (lower - upper) * (-5.0 - log10(tail[i]));
        (void)fprintf(file, "[%.0e, %.4f]%s", tail[i], threshold, i == 0 ? ", " : "],\n");
    }
}

static void write_genuine(FILE *file, const struct scores *scores)
{
    static const double shares[] = {0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999};
    (void)fputs("  \"genuine\": [", file);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        (void)fprintf(file, "%s[%.4g, %.4f]", i == 0 ? "" : ", ", shares[i], scores_reached(scores, shares[i]));
    }
    (void)fputs("],\n", file);
}

bool write_mask_model(const char *path, const char *model_set, const struct dataset *data, uint64_t seed,
                      const struct regression *model, const struct scores *scores)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        (void)fprintf(stderr, "aibox-mask: %s can't be written\n", path);
        return false;
    }
    (void)fprintf(file,
                  "{\n  \"model_set\": \"%s\",\n"
                  "  \"made_by\": \"aibox-mask train --seed %" PRIu64 ": masks drawn on %zu pictures of %zu people\",\n"
                  "  \"impostor_pairs\": %" PRIu64 ",\n  \"genuine_pairs\": %" PRIu64 ",\n",
                  model_set, seed, data->picture_count, data->people_count, scores->impostors, scores->genuines);
    write_rates(file, scores);
    write_genuine(file, scores);
    write_weights(file, model);
    bool ok = ferror(file) == 0;
    ok = fclose(file) == 0 && ok;
    if (!ok) {
        (void)fprintf(stderr, "aibox-mask: %s could not be written whole\n", path);
    }
    return ok;
}
