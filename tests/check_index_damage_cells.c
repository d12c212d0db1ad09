/*
 * Cells in index files that were damaged by someone who recomputes checksums. Run with
 * a name of variants[] and a path, it writes that file: a seed for tests/corpus/index,
 * or the pin of format 4 in tests/golden.
 */
#include "tests/idx_damage.h"
#include "tests/idx_support.h"

#include <check.h>

enum { ROWS = 200, DIM = 10, CELLS = 16, MOST_SCALES = 4 };

static const idx_params of_cells = {.family = IDX_CELLS,
                                    .n_tables = 1,
                                    .n_probes = 9,
                                    .max_candidates = 150,
                                    .max_scanned = 1000,
                                    .n_cells = CELLS,
                                    .width = 2.0F,
                                    .recall = 0.9F};

/* Scale 0 of cells; in the last also the next ones, in other ways. */
enum { F32, F16, I8, EUCLID, GROUPS, PIN, VARIANTS };
static const struct {
    const char *name;
    idx_metric metric;
    idx_stored stored;
    uint32_t n_rows, n_cells;
} variants[VARIANTS] = {
    [F32] = {"f32", IDX_COSINE, IDX_F32, ROWS, CELLS},
    [F16] = {"f16", IDX_COSINE, IDX_F16, ROWS, CELLS},
    [I8] = {"i8", IDX_COSINE, IDX_I8, ROWS, CELLS},
    [EUCLID] = {"euclid", IDX_EUCLID, IDX_F32, ROWS, CELLS},
    [GROUPS] = {"groups", IDX_EUCLID, IDX_I8, 600, 1032},
    [PIN] = {"pin", IDX_COSINE, IDX_F32, ROWS, CELLS},
};

static unsigned char *good[VARIANTS];
static size_t n_good[VARIANTS];

/* Scales of the pin beside the first: cells of halves and of bytes, one of halves
 * searched exactly, one of hyperplanes, one of codes. */
static void
add_others(corpus *c)
{
    idx_params p = of_cells;
    p.n_probes = CELLS; /* what is pinned is that all rows are found */
    p.width = 9.0F;
    c->contents.scales[0].params = p;
    p.stored = IDX_F16;
    c->contents.scales[1].params = p;
    p.stored = IDX_I8;
    p.metric = IDX_EUCLID;
    c->contents.scales[2].params = p;
    c->contents.scales[3].params =
        (idx_params){.stored = IDX_F16, .metric = IDX_EUCLID};
    corpus_add_codes(c, 5, 70, 13);
    for (uint32_t s = 0; s < MOST_SCALES; s++)
        corpus_add_noises(c, s, 2, 15 + s);
}

static void
make_good(int v)
{
    char why[200] = "";
    corpus c;
    const char *path = temp_path("damage.hkn");
    const uint32_t more = v == PIN ? 40 : 0, dim = v == PIN ? 6 : 0;
    corpus_make(&c, (const uint32_t[]){variants[v].n_rows, more, more, more},
                (const uint32_t[]){DIM, dim, dim, dim}, 3, 12);
    idx_params *p = &c.contents.scales[0].params;
    *p = of_cells;
    p->metric = variants[v].metric;
    p->stored = variants[v].stored;
    p->n_cells = variants[v].n_cells;
    if (v == PIN)
        add_others(&c);
    if (idx_write(path, &c.contents, NULL, why, sizeof why))
        fprintf(stderr, "%s\n", why);
    good[v] = read_aligned(path, &n_good[v]);
    unlink(path);
    corpus_free(&c);
}

/* On the heap, of just its size, so that a sanitizer sees what reads behind it. */
static unsigned char *
copy_of(int v)
{
    unsigned char *data = NULL;
    ck_assert(posix_memalign((void **)&data, FMT_ALIGN, n_good[v]) == 0);
    memcpy(data, good[v], n_good[v]);
    return data;
}

START_TEST(the_undamaged_files_open_and_find_their_rows)
{
    char why[200] = "";
    idx_index *ix = NULL;
    idx_scratch *s;
    ck_assert_msg(good[_i] != NULL, "%s was not written", variants[_i].name);
    ck_assert_msg(!idx_open_memory(&ix, good[_i], n_good[_i], why, sizeof why), "%s",
                  why);
    use_all(ix);
    ck_assert(!idx_scratch_new(&s, ix));
    ck_assert_uint_eq(idx_scale_of(ix, 0)->params.leaf > 0, 1);
    uint32_t found = 0;
    for (uint32_t e = 0; e < variants[_i].n_rows; e++) {
        float x[DIM];
        idx_hit hit;
        uint32_t n;
        idx_row(ix, 0, e, x);
        ck_assert(!idx_query(ix, 0, s, x, 1, &hit, &n, NULL));
        found += n == 1 && hit.entry == e;
    }
    ck_assert_msg(found >= variants[_i].n_rows * 9 / 10, "%s: %u find themselves",
                  variants[_i].name, found);
    idx_scratch_free(s);
    idx_close(ix);
}
END_TEST

#define IN_SCALE(field) FMT_SCALE, offsetof(fmt_scale, field)

/* A value somewhere in a section of scale 0, and a part of the sentence that must
 * follow. Starts: group[2], cell[17], block[17]. A block of centres: 96 bytes, steps,
 * halves; one of codes: 64 bytes, factors, offsets. */
static const struct {
    const char *name;
    int variant;
    uint32_t kind;
    size_t at;
    double value;
    const char *says;
} hostile[] = {
    {"no cells", F32, IN_SCALE(n_cells), 0, "n_cells 0"},
    {"seven cells", F32, IN_SCALE(n_cells), 7, "n_cells 7 is no multiple of 8"},
    {"twelve cells", F32, IN_SCALE(n_cells), 12, "n_cells 12 is no multiple of 8"},
    {"eight cells more", F32, IN_SCALE(n_cells), 24, "of another size"},
    {"a thousand cells more", F32, IN_SCALE(n_cells), 1032, "of another size"},
    {"2^21 cells", F32, IN_SCALE(n_cells), 2097152, "n_cells 2097152"},
    {"2^32 - 8 cells", F32, IN_SCALE(n_cells), 4294967288.0, "n_cells 4294967288"},
    {"no blocks", F32, IN_SCALE(leaf), 0, "of another size"},
    {"a block more", F32, IN_SCALE(leaf), 17, "of another size"},
    {"2^32 - 1 blocks", F32, IN_SCALE(leaf), 4294967295.0, "more blocks of codes"},
    {"no groups", F32, IN_SCALE(n_tables), 0, "n_tables 0"},
    {"more groups than there are", F32, IN_SCALE(n_tables), 2, "n_tables 2"},
    {"more groups than there are", GROUPS, IN_SCALE(n_tables), 17, "n_tables 17"},
    {"no probes", F32, IN_SCALE(n_probes), 0, "n_probes 0"},
    {"more probes than cells", F32, IN_SCALE(n_probes), 17, "n_probes 17"},
    {"no candidates", F32, IN_SCALE(max_candidates), 0, "max_scanned is 0"},
    {"nothing scanned", F32, IN_SCALE(max_scanned), 0, "max_scanned is 0"},
    {"width NaN", F32, IN_SCALE(width), 0x7fc00000, "width is outside"},
    {"width below 0", F32, IN_SCALE(width), 0xbf800000, "width is outside"},
    {"width of 1e38", F32, IN_SCALE(width), 0x7e967699, "width is outside"},
    {"scanned NaN", F32, IN_SCALE(scanned), 0x7fc00000, "not a count"},
    {"metric 2", F32, IN_SCALE(metric), 2, "metric"},
    {"stored as 3", F32, IN_SCALE(stored), 3, "cannot store"},
    {"floats said to be halves", F32, IN_SCALE(stored), IDX_F16, "of another size"},
    {"halves said to be floats", F16, IN_SCALE(stored), IDX_F32, "of another size"},
    {"bytes said to be floats", I8, IN_SCALE(stored), IDX_F32, "of another size"},
    {"floats said to be bytes", F32, IN_SCALE(stored), IDX_I8, "of another size"},
    {"another dim", F32, IN_SCALE(dim), 11, "of another size"},
    {"one entry more", I8, IN_SCALE(n_entries), ROWS + 1, "of another size"},
    {"no entries", I8, IN_SCALE(n_entries), 0, "cells but no entries"},
    {"cells of the exact family", F32, IN_SCALE(family), IDX_EXACT, "searched exactly"},
    {"cells of hyperplanes", F32, IN_SCALE(family), IDX_HYPERPLANE, "n_planes 0"},
    {"first group not at 0", F32, FMT_STARTS, 0, 8, "do not hold each entry"},
    {"group that ends early", F32, FMT_STARTS, 4, 8, "do not hold each entry"},
    {"group beyond the cells", F32, FMT_STARTS, 4, 24, "do not hold each entry"},
    {"group not of eights", GROUPS, FMT_STARTS, 4, 9, "do not hold each entry"},
    {"empty group", GROUPS, FMT_STARTS, 8, 8, "do not hold each entry"},
    {"groups that fall", GROUPS, FMT_STARTS, 8, 4294967288.0, "do not hold each entry"},
    {"first cell not at 0", F32, FMT_STARTS, 8, 1, "do not hold each entry"},
    {"cell that ends late", F32, FMT_STARTS, 12, 4e9, "do not hold each entry"},
    {"last cell beyond the rows", F32, FMT_STARTS, 72, 201, "do not hold each entry"},
    {"last cell before the rows", F32, FMT_STARTS, 72, 199, "do not hold each entry"},
    {"first block not at 0", F32, FMT_STARTS, 76, 1, "do not hold each entry"},
    {"cell of too many blocks", F32, FMT_STARTS, 80, 9, "do not hold each entry"},
    {"cell of no blocks", F32, FMT_STARTS, 80, 0, "do not hold each entry"},
    {"blocks that are not there", F32, FMT_STARTS, 140, 99, "do not hold each entry"},
    {"group NaN", F32, FMT_GROUPS, 4, 0x7fc00000, "centre of a cell"},
    {"group infinite", GROUPS, FMT_GROUPS, 600, 0x7f800000, "centre of a cell"},
    {"centre NaN", F32, FMT_CELLS, 8, 0x7fc00000, "centre of a cell"},
    {"last centre infinite", EUCLID, FMT_CELLS, 636, 0xff800000, "centre of a cell"},
    {"unit 0", F32, FMT_OFFSETS, 0, 0, "unit of its codes"},
    {"unit NaN", F32, FMT_OFFSETS, 0, 0x7fc00000, "unit of its codes"},
    {"unit below 0", F32, FMT_OFFSETS, 0, 0xbf800000, "unit of its codes"},
    {"unit infinite", EUCLID, FMT_OFFSETS, 0, 0x7f800000, "unit of its codes"},
    {"coordinate of -128", F32, FMT_COARSE, 0, 0x80, "rounded centre"},
    {"last coordinate of -128", F32, FMT_COARSE, 160 + 92, 0x80000000,
     "rounded centre"},
    {"step NaN", F32, FMT_COARSE, 96, 0x7fc00000, "rounded centre"},
    {"step below 0", F32, FMT_COARSE, 160 + 124, 0xbf800000, "rounded centre"},
    {"half infinite", F32, FMT_COARSE, 128, 0x7f800000, "rounded centre"},
    {"factor without a row", F32, FMT_BLOCKS, 64 + 60, 0x3c003c00, "a row too many"},
    {"offset without a row", F32, FMT_BLOCKS, 128 + 60, 0, "a row too many"},
    {"step of a row NaN", I8, FMT_STEPS, 4, 0x7fc00000, "step[1] is not a size"},
    {"step of a row below 0", GROUPS, FMT_STEPS, 0, 0xbf800000,
     "step[0] is not a size"},
    {"row NaN", F32, FMT_ROWS, 4, 0x7fc00000, "row[0] is not of unit length"},
    {"row infinite", EUCLID, FMT_ROWS, 80, 0x7f800000, "row[2] is not finite"},
    {"half of a row NaN", F16, FMT_ROWS, 20, 0x7e00, "row[1] is not finite"},
    {"row of halves too long", F16, FMT_ROWS, 0, 0x3c003c00, "row[0] is not finite"},
    {"entry beyond the sounds", I8, FMT_ENTRIES, 12, 3, "of sound 3, and there are 3"},
};

/* The entry of a section in the table, which has it. */
static fmt_section *
section_of(unsigned char *data, uint32_t kind)
{
    fmt_section *s = (void *)(data + sizeof(fmt_header));
    while (s->kind != kind || s->scale != 0)
        s++;
    return s;
}

START_TEST(wrong_values_are_refused_by_name_though_checksums_are_right)
{
    const int v = hostile[_i].variant;
    unsigned char *data = copy_of(v);
    char why[300] = "";
    const uint32_t value = (uint32_t)hostile[_i].value;
    const fmt_section *s = section_of(data, hostile[_i].kind);
    ck_assert_msg(hostile[_i].at + sizeof value <= s->bytes, "case: %s: no such place",
                  hostile[_i].name);
    memcpy(data + s->offset + hostile[_i].at, &value, sizeof value);
    fix_checksums(data, n_good[v]);
    ck_assert_msg(open_and_use(data, n_good[v], why, sizeof why) == IDX_EFORMAT,
                  "case: %s", hostile[_i].name);
    ck_assert_msg(strstr(why, hostile[_i].says) != NULL, "case: %s: %s",
                  hostile[_i].name, why);
    free(data);
}
END_TEST

static const uint32_t own_kinds[] = {FMT_STARTS, FMT_SIGNS,  FMT_OFFSETS, FMT_GROUPS,
                                     FMT_CELLS,  FMT_COARSE, FMT_BLOCKS,  FMT_STEPS};
enum { OWN_KINDS = sizeof own_kinds / sizeof *own_kinds };

/* Each section in turn is called something else, then given to another scale. */
START_TEST(missing_sections_are_refused)
{
    for (size_t k = 0; k < OWN_KINDS; k++)
        for (uint32_t away = 0; away < 2; away++) {
            unsigned char *data = copy_of(I8);
            char why[300] = "";
            fmt_section *s = section_of(data, own_kinds[k]);
            if (away)
                s->scale = 1;
            else
                s->kind = FMT_NODES;
            fix_checksums(data, n_good[I8]);
            ck_assert_msg(open_and_use(data, n_good[I8], why, sizeof why) ==
                                  IDX_EFORMAT &&
                              why[0],
                          "section %s: %s", fmt_kind_name(own_kinds[k]), why);
            free(data);
        }
}
END_TEST

static uint32_t
nasty(uint64_t *state)
{
    static const uint32_t values[] = {0,          1,          8,          31,
                                      32,         33,         0x80,       0xff,
                                      0x7fffffff, 0x80000000, 0xffffffff, 0x7f800000,
                                      0xff800000, 0x7fc00000, 0x7bff7bff, 0x7e007e00,
                                      0x7f7fffff, 0x00000001, 1U << 22,   1U << 30};
    const uint64_t r = rnd_u64(state);
    return r % 4 ? values[(r >> 8) % (sizeof values / sizeof *values)]
                 : (uint32_t)rnd_u64(state);
}

/* Half of it in sections of cells, the rest anywhere. */
START_TEST(random_tampering_is_refused_or_harmless)
{
    uint64_t state = 4711 + (uint64_t)_i;
    unsigned char *data = copy_of(_i);
    uint32_t accepted = 0;
    for (int round = 0; round < 6000; round++) {
        char why[300] = "";
        memcpy(data, good[_i], n_good[_i]);
        for (uint64_t m = rnd_u64(&state) % 3 + 1; m > 0; m--) {
            const uint32_t value = nasty(&state);
            const uint64_t r = rnd_u64(&state);
            size_t at = r % (n_good[_i] / 4) * 4;
            if (r >> 40 & 1) {
                const fmt_section *s =
                    section_of(data, own_kinds[(r >> 41) % (OWN_KINDS - 1)]);
                at = s->offset + (r >> 8) % (s->bytes / 4) * 4;
            }
            memcpy(data + at, &value, at + 4 <= n_good[_i] ? 4 : n_good[_i] - at);
            if (at < sizeof(fmt_header) + FMT_MAX_SECTIONS * sizeof(fmt_section))
                break; /* the table may lead nowhere now */
        }
        fix_checksums(data, n_good[_i]);
        const idx_status st = open_and_use(data, n_good[_i], why, sizeof why);
        ck_assert_msg(st == IDX_OK || (st == IDX_EFORMAT && why[0]), "round %d: %d",
                      round, (int)st);
        accepted += st == IDX_OK;
    }
    ck_assert_msg(accepted > 500, "%u accepted: searches were hardly tried", accepted);
    free(data);
}
END_TEST

static int
write_variant(const char *name, const char *path)
{
    int v = 0;
    while (v < VARIANTS && strcmp(variants[v].name, name) != 0)
        v++;
    if (v == VARIANTS)
        return 64;
    make_good(v);
    FILE *f = fopen(path, "wb");
    return !f || fwrite(good[v], 1, n_good[v], f) != n_good[v] || fclose(f) != 0;
}

int
main(int argc, char **argv)
{
    if (argc == 3)
        return write_variant(argv[1], argv[2]);
    Suite *s = suite_create("index_damage_cells");
    TCase *tc = tcase_create("damage");
    for (int v = 0; v < VARIANTS; v++)
        make_good(v);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, the_undamaged_files_open_and_find_their_rows, 0, VARIANTS);
    tcase_add_loop_test(tc, wrong_values_are_refused_by_name_though_checksums_are_right,
                        0, (int)(sizeof hostile / sizeof *hostile));
    tcase_add_test(tc, missing_sections_are_refused);
    tcase_add_loop_test(tc, random_tampering_is_refused_or_harmless, 0, VARIANTS);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    for (int v = 0; v < VARIANTS; v++)
        free(good[v]);
    return failed != 0;
}
