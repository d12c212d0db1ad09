/* Sections of the families that were tampered with, by someone who recomputes
 * checksums.
 */
#include "tests/idx_damage.h"
#include "tests/idx_support.h"

#include "index/forest.h"

#include <check.h>

enum { POLYTOPE, STABLE, FOREST, CODED, N_GOOD, ROWS = 40, DIM = 6, LONG = 34 };

static unsigned char *good[N_GOOD];
static size_t n_good[N_GOOD];

/* 40 rows of 6 floats: two functions to a key, or about ten nodes to a tree. */
static const idx_params params[N_GOOD] = {
    {.family = IDX_CROSS_POLYTOPE, .n_planes = 6, .n_tables = 2, .n_probes = 9},
    {.family = IDX_P_STABLE,
     .metric = IDX_EUCLID,
     .n_planes = 3,
     .n_tables = 2,
     .n_probes = 9,
     .width = 0.5F},
    {.family = IDX_FOREST, .n_planes = 2, .n_tables = 2, .n_probes = 5, .leaf = 8},
    {.family = IDX_HYPERPLANE, .n_planes = 3, .n_tables = 2, .n_probes = 9, .leaf = 64},
};

static void
make_good(int i)
{
    char why[200] = "";
    corpus c;
    const char *path = temp_path("families.hkn");
    corpus_make(&c, (const uint32_t[]){ROWS, 0, 0, 0},
                (const uint32_t[]){i == CODED ? LONG : DIM, 0, 0, 0}, 3, 12);
    c.contents.scales[0].params = params[i];
    c.contents.scales[0].params.max_candidates = 30;
    c.contents.scales[0].params.recall = 0.9F;
    if (idx_write(path, &c.contents, NULL, why, sizeof why))
        fprintf(stderr, "%s\n", why);
    good[i] = read_aligned(path, &n_good[i]);
    unlink(path);
    corpus_free(&c);
}

static unsigned char *
copy_of_good(int i)
{
    unsigned char *data =
        aligned_alloc(FMT_ALIGN, (n_good[i] / FMT_ALIGN + 2) * FMT_ALIGN);
    memcpy(data, good[i], n_good[i]);
    return data;
}

START_TEST(the_undamaged_file_opens)
{
    char why[200] = "";
    ck_assert_msg(good[_i] && !open_and_use(good[_i], n_good[_i], why, sizeof why),
                  "%s", why);
}
END_TEST

static fmt_section *
section_of(unsigned char *data, uint32_t kind)
{
    fmt_section *s = (void *)(data + sizeof(fmt_header));
    while (s->kind != kind || (kind >= FMT_SCALE && s->scale != 0))
        s++;
    return s;
}

#define AT(field) offsetof(fmt_scale, field)

/* A value of 32 bits somewhere in a section, and a part of the sentence that must
 * follow. */
static const struct {
    const char *name;
    int file;
    uint32_t kind;
    size_t at;
    uint32_t value;
    const char *says;
} hostile[] = {
    {"23 bits", POLYTOPE, FMT_SCALE, AT(n_planes), 23, "n_planes 23"},
    {"a bit more", POLYTOPE, FMT_SCALE, AT(n_planes), 7, "of another size"},
    {"no tables", POLYTOPE, FMT_SCALE, AT(n_tables), 0, "n_tables 0"},
    {"more probes than buckets", POLYTOPE, FMT_SCALE, AT(n_probes), 129,
     "n_probes 129"},
    {"Euclid", POLYTOPE, FMT_SCALE, AT(metric), 1, "has no metric 1"},
    {"a third metric", STABLE, FMT_SCALE, AT(metric), 2, "has no metric 2"},
    {"rows of 8 bits", POLYTOPE, FMT_SCALE, AT(stored), 2, "cannot store rows"},
    {"rows of halves", POLYTOPE, FMT_SCALE, AT(stored), 1, "of another size"},
    {"centre that is NaN", POLYTOPE, FMT_CENTRE, 0, 0x7fc00000, "hash centre"},
    {"bucket beyond the entries", POLYTOPE, FMT_STARTS, 4, 99, "do not hold each"},
    {"entry beyond the rows", POLYTOPE, FMT_IDS, 8, 40, "a bucket holds entry 40"},
    {"17 functions", STABLE, FMT_SCALE, AT(n_planes), 17, "n_planes 17"},
    {"no width", STABLE, FMT_SCALE, AT(width), 0, "width is not above 0"},
    {"a width that is NaN", STABLE, FMT_SCALE, AT(width), 0x7fc00000,
     "width is not above 0"},
    {"a width below 0", STABLE, FMT_SCALE, AT(width), 0xbf800000,
     "width is not above 0"},
    {"more probes than combinations", STABLE, FMT_SCALE, AT(n_probes), 55,
     "n_probes 55"},
    {"direction that is NaN", STABLE, FMT_PLANES, 4, 0x7fc00000, "normal deviates"},
    {"direction of 1000", STABLE, FMT_PLANES, 8, 0x447a0000, "normal deviates"},
    {"offset of 2", STABLE, FMT_OFFSETS, 4, 0x40000000, "outside of 0..1"},
    {"offset that is NaN", STABLE, FMT_OFFSETS, 0, 0x7fc00000, "outside of 0..1"},
    {"slot beyond the entries", STABLE, FMT_STARTS, 12, 41, "do not hold each"},
    {"entry beyond the rows", STABLE, FMT_IDS, 0, 0xffffffff, "a bucket holds entry"},
    {"row that is infinite", STABLE, FMT_ROWS, 4, 0x7f800000, "row[0] is not finite"},
    {"codes of short rows", POLYTOPE, FMT_SCALE, AT(leaf), 64, "no codes of 64"},
    {"codes of another size", CODED, FMT_SCALE, AT(leaf), 128, "no codes of 128"},
    {"codes of no size", CODED, FMT_SCALE, AT(leaf), 0, "of another size"},
    {"codes that may not be scored", CODED, FMT_SCALE, AT(max_scanned), 0,
     "section codes of scale 0 is missing"},
    {"code of a row too many", CODED, FMT_BLOCKS, 384 + 256 + 16, 1, "a row too many"},
    {"offset of a row too many", CODED, FMT_BLOCKS, 4 * 384 - 4, 0, "a row too many"},
    {"a third kind of plane", FOREST, FMT_SCALE, AT(n_planes), 3, "no kind of plane"},
    {"a tree more", FOREST, FMT_SCALE, AT(n_tables), 3, "of another size"},
    {"65 trees", FOREST, FMT_SCALE, AT(n_tables), 65, "n_tables 65"},
    {"2^31 entries in trees", FOREST, FMT_SCALE, AT(n_entries), 0x40000000, "too many"},
    {"a node more", FOREST, FMT_SCALE, AT(n_cells), 79, "nodes are more"},
    {"2^32 - 1 nodes", FOREST, FMT_SCALE, AT(n_cells), 0xffffffff, "nodes are more"},
    {"nodes that are missing", FOREST, FMT_SCALE, AT(n_cells), 1, "of another size"},
    {"leaves of nothing", FOREST, FMT_SCALE, AT(leaf), 0, "a leaf of 0"},
    {"no probes", FOREST, FMT_SCALE, AT(n_probes), 0, "n_probes 0"},
    {"root that is another's", FOREST, FMT_NODES, 4, 0, "no trees"},
    {"root beyond the leaves", FOREST, FMT_NODES, 0, 0xffffffff, "no trees"},
    {"child that is its parent", FOREST, FMT_NODES, 8, 0, "no trees"},
    {"child of two", FOREST, FMT_NODES, 12, 1, "no trees"},
    {"offset that is NaN", FOREST, FMT_NODES, 16, 0x7fc00000, "offset of node 0"},
    {"offset that is infinite", FOREST, FMT_NODES, 16, 0xff800000, "offset of node 0"},
    {"plane that is NaN", FOREST, FMT_PLANES, 24, 0x7fc00000, "plane[1]"},
    {"first leaf not at 0", FOREST, FMT_STARTS, 0, 1, "no trees"},
    {"leaf that ends early", FOREST, FMT_STARTS, 4, 0xffffffff, "before it begins"},
    {"entry beyond the rows", FOREST, FMT_IDS, 0, 40, "a leaf holds entry 40"},
};

START_TEST(wrong_values_are_refused_by_name_though_checksums_are_right)
{
    unsigned char *data = copy_of_good(hostile[_i].file);
    const size_t n = n_good[hostile[_i].file];
    char why[300] = "";
    const fmt_section *s = section_of(data, hostile[_i].kind);
    ck_assert_uint_le(hostile[_i].at + 4, s->bytes);
    memcpy(data + s->offset + hostile[_i].at, &hostile[_i].value, 4);
    fix_checksums(data, n);
    ck_assert_msg(open_and_use(data, n, why, sizeof why) == IDX_EFORMAT, "case: %s",
                  hostile[_i].name);
    ck_assert_msg(strstr(why, hostile[_i].says) != NULL, "case: %s: %s",
                  hostile[_i].name, why);
    free(data);
}
END_TEST

START_TEST(checks_that_fall_within_a_slot_are_refused)
{
    unsigned char *data = copy_of_good(STABLE);
    char why[300] = "";
    const fmt_section *s = section_of(data, FMT_CHECKS);
    uint32_t *check = (void *)(data + s->offset);
    const uint32_t *start = (void *)(data + section_of(data, FMT_STARTS)->offset);
    uint32_t k = 0;
    while (start[k + 1] - start[k] < 2) /* 40 entries in 32 slots share one */
        k++;
    check[start[k]] = 2;
    check[start[k] + 1] = 1;
    fix_checksums(data, n_good[STABLE]);
    ck_assert_int_eq(open_and_use(data, n_good[STABLE], why, sizeof why), IDX_EFORMAT);
    ck_assert_msg(strstr(why, "do not rise"), "%s", why);
    free(data);
}
END_TEST

/* Where a section of the family's own, or the scale, is changed. */
static size_t
place_in(unsigned char *data, uint64_t *state)
{
    static const uint32_t kinds[] = {FMT_SCALE, FMT_STARTS, FMT_IDS};
    const fmt_header *h = (const void *)data;
    const fmt_section *table = (const void *)(data + sizeof *h);
    const fmt_section *s = &table[rnd_u64(state) % h->n_sections];
    if (rnd_u64(state) % 2)
        s = section_of(data, kinds[rnd_u64(state) % 3]);
    return s->bytes < 4 ? 0 : s->offset + rnd_u64(state) % (s->bytes / 4) * 4;
}

START_TEST(random_tampering_is_refused_or_harmless)
{
    static const uint32_t values[] = {
        0,    1,          2,          7,          39,         40,         41,        64,
        0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0x3f800000, 0x7f800000, 0x7fc00000};
    uint64_t state = 4711;
    uint32_t accepted = 0;
    for (int round = 0; round < 20000; round++) {
        char why[300] = "";
        unsigned char *data = copy_of_good(_i);
        for (uint64_t m = rnd_u64(&state) % 3 + 1; m > 0; m--) {
            const uint64_t r = rnd_u64(&state);
            const uint32_t value = r % 4 ? values[(r >> 8) % 15] : (uint32_t)(r >> 8);
            memcpy(data + place_in(data, &state), &value, sizeof value);
        }
        fix_checksums(data, n_good[_i]);
        const idx_status st = open_and_use(data, n_good[_i], why, sizeof why);
        ck_assert_msg(st == IDX_OK || (st == IDX_EFORMAT && why[0]), "round %d: %d",
                      round, (int)st);
        accepted += st == IDX_OK;
        free(data);
    }
    ck_assert_msg(accepted > 100, "only %u accepted: searches were hardly tried",
                  accepted);
}
END_TEST

int
main(int argc, char **argv)
{
    for (int i = 0; i < N_GOOD; i++)
        make_good(i);
    if (argc > 2) { /* a seed for tests/corpus, which fuzz_index grows from: 0 to 3 */
        const int i = argv[1][0] - '0';
        FILE *f = i >= 0 && i < N_GOOD ? fopen(argv[2], "wb") : NULL;
        return !f || fwrite(good[i], 1, n_good[i], f) != n_good[i] || fclose(f) != 0;
    }
    Suite *s = suite_create("families_damage");
    TCase *tc = tcase_create("damage");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, the_undamaged_file_opens, 0, N_GOOD);
    tcase_add_loop_test(tc, wrong_values_are_refused_by_name_though_checksums_are_right,
                        0, (int)(sizeof hostile / sizeof *hostile));
    tcase_add_test(tc, checks_that_fall_within_a_slot_are_refused);
    tcase_add_loop_test(tc, random_tampering_is_refused_or_harmless, 0, N_GOOD);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    for (int i = 0; i < N_GOOD; i++)
        free(good[i]);
    return failed != 0;
}
