/* Bytes of an index that were tampered with: checksums made right, and every search
 * run. */
#ifndef HEARKEN_IDX_DAMAGE_H
#define HEARKEN_IDX_DAMAGE_H

#include "index/format.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Makes all checksums of a file right, as far as its own table can be followed. */
static inline void
fix_checksums(unsigned char *data, size_t n_bytes)
{
    fmt_header h;
    const size_t from = offsetof(fmt_header, total_bytes);
    if (n_bytes < sizeof h)
        return;
    memcpy(&h, data, sizeof h);
    if (h.n_sections > (n_bytes - sizeof h) / sizeof(fmt_section))
        return;
    for (uint32_t i = 0; i < h.n_sections; i++) {
        fmt_section s;
        unsigned char *at = data + sizeof h + i * sizeof s;
        memcpy(&s, at, sizeof s);
        if (s.offset > n_bytes || s.bytes > n_bytes - s.offset)
            continue;
        s.checksum = XXH3_64bits(data + s.offset, s.bytes);
        memcpy(at, &s, sizeof s);
    }
    h.checksum = XXH3_64bits_withSeed(
        data + from, sizeof h - from + h.n_sections * sizeof(fmt_section),
        fmt_seed(h.version));
    memcpy(data, &h, sizeof h);
}

static inline double
use_codes(const idx_index *ix, uint32_t i, idx_scratch *s)
{
    const idx_scale *sc = idx_scale_of(ix, i);
    const uint64_t code[IDX_MAX_DIM / 64] = {0x8000000000000a51, 0x25};
    idx_hit hits[20];
    uint32_t n = 0;
    double sum = 0;
    for (int by_jaccard = 0; by_jaccard < 2; by_jaccard++)
        if (!idx_query_codes(ix, i, s, code, 20, by_jaccard, hits, &n, NULL))
            for (uint32_t h = 0; h < n; h++)
                sum += (double)idx_score(sc, hits[h].cosine) +
                       (double)idx_score_hamming(sc, hits[h].cosine) +
                       sc->entries[hits[h].entry].sound;
    return sum;
}

/* Uses all that an open index offers; returns a sum, to keep the optimiser honest. */
static inline double
use_all(const idx_index *ix)
{
    idx_scratch *s;
    double sum = (double)(strlen(idx_settings(ix)) + strlen(idx_report(ix)));
    for (uint32_t i = 0; i < idx_n_sounds(ix); i++) {
        const idx_sound sound = idx_sound_of(ix, i);
        sum += (double)(strlen(sound.path) + strlen(sound.label)) + sound.seconds;
    }
    if (idx_scratch_new(&s, ix))
        return sum;
    for (uint32_t i = 0; i < IDX_SCALES; i++) {
        const idx_scale *sc = idx_scale_of(ix, i);
        float x[IDX_MAX_DIM];
        idx_hit hits[20];
        uint32_t n = 0;
        for (uint32_t j = 0; j < sc->dim; j++)
            x[j] = (float)((j * 7 + 3) % 11) - 4.5F;
        if (!idx_query(ix, i, s, x, 20, hits, &n, NULL))
            for (uint32_t h = 0; h < n; h++)
                sum += (double)idx_score(sc, hits[h].cosine) +
                       sc->entries[hits[h].entry].sound;
        idx_query_exact(ix, i, s, x, 20, hits, &n);
        sum += use_codes(ix, i, s);
    }
    idx_scratch_free(s);
    return sum;
}

static inline idx_status
open_and_use(const unsigned char *data, size_t n_bytes, char *why, size_t why_len)
{
    idx_index *ix;
    const idx_status st = idx_open_memory(&ix, data, n_bytes, why, why_len);
    if (!st)
        use_all(ix);
    idx_close(ix);
    return st;
}

#endif
