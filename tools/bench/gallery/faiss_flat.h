/* FAISS's exact scan (IndexFlatIP, one thread), behind a C interface. */
#ifndef AIBOX_BENCH_FAISS_FLAT_H
#define AIBOX_BENCH_FAISS_FLAT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct faiss_flat;

/* An index over `rows` × `dimension` floats, which it copies; NULL on failure. */
struct faiss_flat *faiss_flat_open(const float *vectors, size_t rows, size_t dimension);
void faiss_flat_close(struct faiss_flat *index);

/* The `k` best rows and scores for each of `n` probes, best first. Returns 0, or -1 on failure. */
int faiss_flat_search(const struct faiss_flat *index, const float *probes, size_t n, size_t k, float *scores,
                      int64_t *rows);

#ifdef __cplusplus
}
#endif

#endif
