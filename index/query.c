/* What all families of search share. Analysis thread. */
#include "family.h"

#include <math.h>

/* Whether a comes after b in an answer. */
static bool
worse(idx_hit a, idx_hit b)
{
    return a.cosine < b.cosine || (a.cosine == b.cosine && a.entry > b.entry);
}

/* Puts hit at place i of a heap of n or below, where none under it is worse. */
static void
sift_down(idx_hit heap[], uint32_t n, uint32_t i, idx_hit hit)
{
    for (uint32_t below = 2 * i + 1; below < n; below = 2 * i + 1) {
        if (below + 1 < n && worse(heap[below + 1], heap[below]))
            below++;
        if (!worse(heap[below], hit))
            break;
        heap[i] = heap[below];
        i = below;
    }
    heap[i] = hit;
}

static void
sift_up(idx_hit heap[], uint32_t i, idx_hit hit)
{
    while (i > 0 && worse(hit, heap[(i - 1) / 2])) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = hit;
}

static void
offer_one(idx_top *top, idx_hit hit)
{
    if (top->n < top->k)
        sift_up(top->hit, top->n++, hit);
    else if (worse(top->hit[0], hit))
        sift_down(top->hit, top->n, 0, hit);
}

void
idx_top_offer(idx_top *top, const uint32_t id[], uint32_t first, const float cosine[],
              uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        /* clamped before it is compared: order is by what the caller will see */
        float c = cosine[i];
        if (top->cosines)
            c = c > 1.0F ? 1.0F : c < -1.0F ? -1.0F : c;
        if (top->n < top->k || c >= top->hit[0].cosine)
            offer_one(top, (idx_hit){.entry = id ? id[i] : first + i, .cosine = c});
    }
}

void
idx_top_sort(idx_top *top)
{
    for (uint32_t n = top->n; n > 1; n--) {
        const idx_hit last = top->hit[n - 1];
        top->hit[n - 1] = top->hit[0];
        sift_down(top->hit, n - 1, 0, last);
    }
}

bool
idx_direction(float unit[], const float x[], uint32_t dim)
{
    double power = 0.0;
    for (uint32_t i = 0; i < dim; i++)
        power += (double)x[i] * (double)x[i];
    if (!isfinite(power) || power < 1e-24) /* (1e-12)^2 */
        return false;
    const double scale = 1.0 / sqrt(power);
    for (uint32_t i = 0; i < dim; i++)
        unit[i] = (float)((double)x[i] * scale);
    return true;
}

/* s->unit becomes the query as the metric wants it; false where it has no place. */
static bool
take_query(idx_scratch *s, const idx_scale *sc, const float x[])
{
    if (sc->params.metric == IDX_COSINE)
        return idx_direction(s->unit, x, sc->dim);
    bool finite = true;
    for (uint32_t i = 0; i < sc->dim; i++) {
        finite = finite && isfinite(x[i]);
        s->unit[i] = x[i];
    }
    return finite;
}

static idx_status
query(const idx_index *index, uint32_t scale, idx_scratch *s, const float x[],
      uint32_t k, idx_hit hits[], uint32_t *n_hits, idx_work *work, uint32_t family)
{
    *n_hits = 0;
    *work = (idx_work){0};
    if (scale >= IDX_SCALES || k == 0 || k > IDX_MAX_K || s->index != index)
        return IDX_EARG;
    const idx_scale *sc = &index->scales[scale];
    if (sc->params.family == IDX_CODES)
        return IDX_EARG;
    if (sc->dim > 0 && !take_query(s, sc, x))
        return IDX_ESILENT;
    if (sc->n_entries == 0)
        return IDX_OK;
    idx_top top = {
        .hit = hits, .n = 0, .k = k, .cosines = sc->params.metric == IDX_COSINE};
    idx_family_of(family)->search(index, scale, s, &top, work);
    idx_top_sort(&top);
    *n_hits = top.n;
    return IDX_OK;
}

idx_status
idx_query(const idx_index *index, uint32_t scale, idx_scratch *scratch, const float x[],
          uint32_t k, idx_hit hits[], uint32_t *n_hits, idx_work *work)
{
    idx_work unwanted;
    const uint32_t family = scale < IDX_SCALES ? index->scales[scale].params.family : 0;
    return query(index, scale, scratch, x, k, hits, n_hits, work ? work : &unwanted,
                 family);
}

idx_status
idx_query_exact(const idx_index *index, uint32_t scale, idx_scratch *scratch,
                const float x[], uint32_t k, idx_hit hits[], uint32_t *n_hits)
{
    idx_work unwanted;
    return query(index, scale, scratch, x, k, hits, n_hits, &unwanted, IDX_EXACT);
}

idx_status
idx_query_codes(const idx_index *index, uint32_t scale, idx_scratch *s,
                const uint64_t code[], uint32_t k, bool by_jaccard, idx_hit hits[],
                uint32_t *n_hits, idx_work *work)
{
    *n_hits = 0;
    if (work)
        *work = (idx_work){0};
    if (scale >= IDX_SCALES || k == 0 || k > IDX_MAX_K || s->index != index)
        return IDX_EARG;
    const idx_scale *sc = &index->scales[scale];
    if (sc->n_entries == 0)
        return IDX_OK;
    if (sc->params.family != IDX_CODES)
        return IDX_EARG;
    const idx_codes codes = {sc->codes, sc->n_entries,
                             (uint32_t)fmt_code_words(sc->dim)};
    const idx_status st =
        by_jaccard ? idx_codes_jaccard(&codes, s->codes, code, k, s->code_hit, n_hits)
                   : idx_codes_hamming(&codes, s->codes, code, k, s->code_hit, n_hits);
    const float whole = by_jaccard ? 1.0F : (float)sc->dim;
    for (uint32_t i = 0; i < *n_hits; i++)
        hits[i] = (idx_hit){.entry = s->code_hit[i].id,
                            .cosine = 1.0F - s->code_hit[i].distance / whole};
    if (work)
        work->n_candidates = sc->n_entries;
    return st;
}

float
idx_likeness(idx_scratch *s, const float x[], uint32_t dim, const float rows[],
             uint32_t n)
{
    float most = -1.0F;
    for (uint32_t at = 0; at < n; at += IDX_SCAN) {
        const uint32_t some = n - at < IDX_SCAN ? n - at : IDX_SCAN;
        s->kern->dots(s->cosine, x, rows + (size_t)at * dim, dim, some);
        for (uint32_t i = 0; i < some; i++)
            most = s->cosine[i] > most ? s->cosine[i] : most;
    }
    return most;
}

/* Number of knots that are < cosine, or also those that are equal, by bisection. */
static uint32_t
knots_below(const float knots[], uint32_t n, float cosine, bool or_equal)
{
    uint32_t lo = 0;
    uint32_t hi = n;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (or_equal ? knots[mid] <= cosine : knots[mid] < cosine)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static float
score(const float knots[], uint32_t n_knots, float cosine, bool or_equal)
{
    const uint32_t n = knots_below(knots, n_knots, cosine, or_equal);
    if (n == 0 || n_knots < 2) /* NaN is below every knot too */
        return 0.0F;
    if (n == n_knots)
        return 1.0F;
    const float k0 = knots[n - 1];
    const float k1 = knots[n];
    return ((float)(n - 1) + (cosine - k0) / (k1 - k0)) / (float)(n_knots - 1);
}

float
idx_score(const idx_scale *scale, float cosine)
{
    return score(scale->knots, scale->n_knots, cosine,
                 scale->params.family != IDX_CODES);
}

float
idx_score_hamming(const idx_scale *scale, float likeness)
{
    return score(scale->hamming_knots, scale->hamming_knots ? scale->n_knots : 0,
                 likeness, false);
}
