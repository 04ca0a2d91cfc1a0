/* Recognition of small faces: pictures are shrunk until their faces are so many pixels high, either all of them, or the
 * probes alone, as at a camera that looks for people who were enrolled from good photos. */
#include <stdio.h>
#include <stdlib.h>

#include "accuracy.h"

static json_t *measure_size(struct dataset *data, const struct vision *vision, size_t threads, int face,
                            const float *full)
{
    struct identification small;
    float *shrunk = data->embeddings;
    data->face = face;
    bool ok = extract_faces(data, vision, threads);
    double both = ok ? pairs_accuracy(data, shrunk, shrunk) : 0;
    double one = ok ? pairs_accuracy(data, shrunk, full) : 0;
    /* Galleries are made of what `embeddings` holds. */
    data->embeddings = (float *)full;
    ok = ok && identify_small(data, shrunk, &small);
    data->embeddings = shrunk;
    return ok ? json_pack("{s:f, s:f, s:f, s:f}", "verification_both_small", both, "verification_one_small", one,
                          "rank1_probes_small", small.rank1, "fnir_at_fpir_1e-2_probes_small", small.fnir[0])
              : NULL;
}

json_t *measure_sizes(struct dataset *data, const struct vision *vision, size_t threads)
{
    static const int faces[] = {48, 32, 24};
    float *full = data->embeddings;
    float *shrunk = calloc(data->picture_count * VISION_DIMENSION, sizeof *shrunk);
    json_t *out = json_object();
    bool ok = shrunk && out;
    data->embeddings = shrunk;
    for (size_t i = 0; i < sizeof faces / sizeof faces[0] && ok; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d_px", faces[i]);
        json_t *part = measure_size(data, vision, threads, faces[i], full);
        ok = part && json_object_set_new(out, name, part) == 0;
    }
    data->embeddings = full;
    data->face = 0;
    free(shrunk);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}
