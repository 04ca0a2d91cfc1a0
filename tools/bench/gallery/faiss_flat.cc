#include "faiss_flat.h"

#include <omp.h>

#include <exception>

#include <faiss/IndexFlat.h>

extern "C" void openblas_set_num_threads(int threads);

struct faiss_flat {
    explicit faiss_flat(size_t dimension) : index(static_cast<faiss::Index::idx_t>(dimension))
    {
    }
    faiss::IndexFlatIP index;
};

struct faiss_flat *faiss_flat_open(const float *vectors, size_t rows, size_t dimension)
{
    faiss_flat *flat = nullptr;
    omp_set_num_threads(1);
    openblas_set_num_threads(1);
    try {
        flat = new faiss_flat(dimension);
        flat->index.add(static_cast<faiss::Index::idx_t>(rows), vectors);
        return flat;
    } catch (const std::exception &) {
        delete flat;
        return nullptr;
    }
}

void faiss_flat_close(struct faiss_flat *index)
{
    delete index;
}

int faiss_flat_search(const struct faiss_flat *index, const float *probes, size_t n, size_t k, float *scores,
                      int64_t *rows)
{
    try {
        index->index.search(static_cast<faiss::Index::idx_t>(n), probes, static_cast<faiss::Index::idx_t>(k), scores,
                            rows);
        return 0;
    } catch (const std::exception &) {
        return -1;
    }
}
