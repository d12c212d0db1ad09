/* Making and checking the codes of hash tables. Cold. */
#include "buckets.h"
#include "tables.h"

#include <stdio.h>

uint64_t
idx_tables_code_bytes(const fmt_scale *h, uint32_t kind)
{
    const bool coded = idx_tables_coded(h->leaf, h->max_scanned);
    if (kind == FMT_BLOCKS && coded)
        return (uint64_t)h->n_tables * idx_table_blocks(h->n_entries) *
               idx_block_bytes(h->leaf);
    if (kind == FMT_CODES && h->leaf && !coded) /* and two floats each */
        return (uint64_t)h->n_entries * (h->leaf / 64 + 1) * sizeof(uint64_t);
    return 0;
}

/* Rows of a table on their way to codes. */
typedef struct {
    const idx_scale *sc;
    idx_coding coding;
    const uint32_t *id; /* [n_entries] */
    uint8_t *blocks;    /* of that table */
} job;

static void
code_block(void *ctx, uint32_t b)
{
    const job *j = ctx;
    const size_t bits = idx_code_bits(j->sc->dim);
    const uint32_t first = b * IDX_CODE_ROWS, left = j->sc->n_entries - first;
    uint8_t *block = j->blocks + b * idx_block_bytes(bits);
    for (uint32_t i = 0; i < IDX_CODE_ROWS && i < left; i++)
        idx_code_row(&j->coding, j->sc->rows + (size_t)j->id[first + i] * j->sc->dim,
                     block, i);
    if (left < IDX_CODE_ROWS)
        idx_code_end(block, bits, left);
}

idx_status
idx_tables_code(idx_built *out, const idx_scale *scale, const idx_making *how,
                const uint64_t signs[], float unit)
{
    const idx_params *p = &scale->params;
    const uint32_t n_blocks = idx_table_blocks(scale->n_entries);
    const size_t table_bytes = n_blocks * idx_block_bytes(p->leaf);
    float turned[IDX_MAX_DIM];
    uint8_t *blocks = out->at[FMT_BLOCKS] =
        idx_take(&out->store, p->n_tables, table_bytes);
    job j = {.sc = scale,
             .coding = {.dim = scale->dim,
                        .euclid = p->metric == IDX_EUCLID,
                        .unit = unit,
                        .signs = signs,
                        .centre = out->at[FMT_CENTRE],
                        .turned = turned}};
    if (!blocks)
        return IDX_ENOMEM;
    if (out->params.max_scanned == 0) /* which says that there are codes */
        out->params.max_scanned = UINT32_MAX;
    idx_code_rotate(turned, j.coding.centre, signs, scale->dim);
    for (uint32_t l = 0; l < p->n_tables; l++) {
        j.id = (const uint32_t *)out->at[FMT_IDS] + (size_t)l * scale->n_entries;
        j.blocks = blocks + l * table_bytes;
        if (!idx_tables_each(n_blocks, how, code_block, &j))
            return IDX_EIO;
    }
    return IDX_OK;
}

idx_status
idx_tables_code_own(idx_built *out, const idx_scale *scale, const idx_making *how,
                    float unit)
{
    uint64_t *signs = out->at[FMT_SIGNS] =
        idx_take(&out->store, idx_rotate_words(scale->dim), sizeof *signs);
    if (!signs)
        return IDX_ENOMEM;
    idx_rotate_signs(signs, scale->dim, 1, how->seed ^ 0x5ce7c4e5U);
    return idx_tables_code(out, scale, how, signs, unit);
}

bool
idx_tables_codes_hold(const idx_scale *sc, const uint8_t blocks[], char *fault,
                      size_t fault_len)
{
    const uint32_t rest = sc->n_entries % IDX_CODE_ROWS;
    const size_t n_blocks = idx_table_blocks(sc->n_entries),
                 bytes = idx_block_bytes(sc->params.leaf);
    for (size_t l = 0; blocks && rest && l < sc->params.n_tables; l++)
        if (!idx_code_ends(blocks + ((l + 1) * n_blocks - 1) * bytes, sc->params.leaf,
                           rest))
            return FAULT("the codes of table %zu have a row too many", l);
    return true;
}
