#include "truth.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

namespace
{

enum {
    ROWS = 4096,  /* of base compared at a time, */
    ASKED = 64,   /* with so many queries */
    KEPT = 4 * K, /* by floats, to be put in order by doubles */
};
const double slack = 1.001;

/* FNV-1a of a thousand rows, or of all. */
uint64_t
hash_rows(const Vectors &x)
{
    uint64_t h = 14695981039346656037U + x.n * 31 + x.dim;
    const size_t step = std::max<size_t>(x.n / 1000, 1);
    for (size_t i = 0; i < x.n; i += step) {
        const unsigned char *b =
            reinterpret_cast<const unsigned char *>(x.rows + i * x.dim);
        for (size_t j = 0; j < x.dim * sizeof(float); j++)
            h = (h ^ b[j]) * 1099511628211U;
    }
    return h;
}

typedef std::pair<float, int64_t>
    Near; /* minus the dot product, so that less is nearer */

/* Keeps the nearest of n rows from number first on, of which dot[] is with the query.
 */
void
keep(std::vector<Near> &heap, const float dot[], size_t n, size_t first)
{
    for (size_t j = 0; j < n; j++) {
        const Near x(-dot[j], static_cast<int64_t>(first + j));
        if (heap.size() == KEPT && !(x < heap.front()))
            continue;
        if (heap.size() == KEPT) {
            std::pop_heap(heap.begin(), heap.end());
            heap.pop_back();
        }
        heap.push_back(x);
        std::push_heap(heap.begin(), heap.end());
    }
}

} // namespace

Truth::Truth(const std::string &base_path, const Vectors &the_base,
             const Vectors &the_queries)
    : base(the_base), queries(the_queries), nearest(the_queries.n * K)
{
    char suffix[40];
    snprintf(suffix, sizeof suffix, ".%016llx.exact",
             static_cast<unsigned long long>(hash_rows(base) ^ 3 * hash_rows(queries)));
    const std::string path = base_path + suffix;
    const auto n_bytes = static_cast<std::streamsize>(nearest.size() * sizeof(int64_t));
    std::ifstream in(path, std::ios::binary);
    if (in.read(reinterpret_cast<char *>(nearest.data()), n_bytes))
        return;
    fprintf(stderr, "bench_index: looking for the exact neighbours\n");
    compute();
    std::ofstream out(path + ".part", std::ios::binary);
    out.write(reinterpret_cast<const char *>(nearest.data()), n_bytes);
    out.close();
    if (!out || rename((path + ".part").c_str(), path.c_str()))
        give_up(path + ": cannot be written", 74);
}

void
Truth::compute()
{
    const size_t dim = base.dim;
    std::vector<std::vector<Near>> heaps(queries.n);
    std::vector<float> dots(static_cast<size_t>(ASKED) * ROWS);
    for (size_t first = 0; first < base.n; first += ROWS)
        for (size_t q = 0; q < queries.n; q += ASKED) {
            const size_t n = std::min<size_t>(ROWS, base.n - first);
            const size_t m = std::min<size_t>(ASKED, queries.n - q);
            const int width = static_cast<int>(dim);
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(m),
                        static_cast<int>(n), width, 1, queries.rows + q * dim, width,
                        base.rows + first * dim, width, 0, dots.data(), ROWS);
            for (size_t i = 0; i < m; i++)
                keep(heaps[q + i], &dots[i * ROWS], n, first);
        }
    for (size_t q = 0; q < queries.n; q++) {
        std::vector<std::pair<double, int64_t>> found;
        for (const Near &x : heaps[q])
            found.emplace_back(distance(q, x.second), x.second);
        std::sort(found.begin(), found.end());
        for (size_t k = 0; k < K; k++)
            nearest[q * K + k] = found[k].second;
    }
}

double
Truth::distance(size_t i, int64_t row) const
{
    const float *x = queries.rows + i * queries.dim;
    const float *y = base.rows + static_cast<size_t>(row) * base.dim;
    double sum = 0;
    for (size_t j = 0; j < base.dim; j++) {
        const double d = static_cast<double>(x[j]) - static_cast<double>(y[j]);
        sum += d * d;
    }
    return std::sqrt(sum);
}

double
Truth::recall(size_t i, const int64_t ids[K]) const
{
    const int64_t *exact = &nearest[i * K];
    double last = -1; /* computed when it is asked for */
    int found = 0;
    for (int k = 0; k < K; k++) {
        const bool again = std::find(ids, ids + k, ids[k]) != ids + k;
        if (ids[k] < 0 || again)
            continue;
        bool good = std::find(exact, exact + K, ids[k]) != exact + K;
        if (!good) {
            last = last < 0 ? distance(i, exact[K - 1]) : last;
            good = distance(i, ids[k]) <= last * slack;
        }
        found += good;
    }
    return static_cast<double>(found) / K;
}
