/* Index files that were damaged, by chance or by someone who recomputes checksums. */
#include "tests/idx_damage.h"
#include "tests/idx_support.h"

#include <check.h>

static unsigned char *good;
static size_t n_good;

/* A small index with a hashed scale, an exact one, an absent one and one of codes. */
static void
make_good(void)
{
    char why[200] = "";
    corpus c;
    const char *path = temp_path("damage.hkn");
    corpus_make(&c, (const uint32_t[]){40, 5, 0, 0}, (const uint32_t[]){6, 4, 0, 0}, 3,
                12);
    corpus_add_codes(&c, 4, 70, 13);
    corpus_add_noises(&c, 0, 3, 14);
    c.contents.scales[0].params = (idx_params){.family = IDX_HYPERPLANE,
                                               .n_planes = 3,
                                               .n_tables = 2,
                                               .n_probes = 9,
                                               .max_candidates = 30,
                                               .recall = 0.9F};
    if (idx_write(path, &c.contents, NULL, why, sizeof why))
        fprintf(stderr, "%s\n", why);
    good = read_aligned(path, &n_good);
    unlink(path);
    corpus_free(&c);
}

static unsigned char *
copy_of_good(void)
{
    unsigned char *data =
        aligned_alloc(FMT_ALIGN, (n_good / FMT_ALIGN + 2) * FMT_ALIGN);
    memcpy(data, good, n_good);
    return data;
}

START_TEST(the_undamaged_file_opens)
{
    char why[200] = "";
    ck_assert_msg(good && !open_and_use(good, n_good, why, sizeof why), "%s", why);
}
END_TEST

START_TEST(every_flipped_byte_is_refused)
{
    static const unsigned char flips[] = {0x01, 0x80, 0xff};
    unsigned char *data = copy_of_good();
    for (size_t i = 0; i < n_good; i++)
        for (size_t f = 0; f < sizeof flips; f++) {
            char why[200] = "";
            data[i] ^= flips[f];
            ck_assert_msg(open_and_use(data, n_good, why, sizeof why) == IDX_EFORMAT,
                          "byte %zu ^ %x is accepted", i, flips[f]);
            ck_assert_msg(strstr(why, "the index in memory") == why, "no subject: %s",
                          why);
            data[i] ^= flips[f];
        }
    free(data);
}
END_TEST

START_TEST(every_truncation_and_any_longer_file_is_refused)
{
    unsigned char *data = copy_of_good();
    char why[200] = "";
    for (size_t n = 0; n < n_good; n++)
        ck_assert_msg(open_and_use(data, n, why, sizeof why) == IDX_EFORMAT,
                      "%zu bytes are accepted", n);
    data[n_good] = 0;
    ck_assert_int_eq(open_and_use(data, n_good + 1, why, sizeof why), IDX_EFORMAT);
    free(data);
}
END_TEST

/* ---- With checksums made right -------------------------------------------------- */

/* The entry of a section in the table, which has it. */
static fmt_section *
section_of(unsigned char *data, uint32_t kind, uint32_t scale)
{
    fmt_section *s = (void *)(data + sizeof(fmt_header));
    while (s->kind != kind || s->scale != scale)
        s++;
    return s;
}

/* A value somewhere in a section, and a part of the sentence that must follow. */
static const struct {
    const char *name;
    uint32_t kind, scale;
    size_t at;
    double value;
    const char *says;
} hostile[] = {
    {"text with an early end", FMT_SETTINGS, FMT_SHARED, 0, 0, "does not end where"},
    {"path outside of the strings", FMT_SOUNDS, FMT_SHARED, 0, 1e9,
     "not in section strings"},
    {"label outside of the strings", FMT_SOUNDS, FMT_SHARED, 4, 1e9,
     "not in section strings"},
    {"path at the end of a string", FMT_SOUNDS, FMT_SHARED, 0, 19,
     "not in section strings"},
    {"dim 0", FMT_SCALE, 0, 4, 0, "only one of dim and n_in"},
    {"dim 2^31", FMT_SCALE, 0, 4, 2147483648.0, "dim 2147483648 is above"},
    {"n_in 2^31", FMT_SCALE, 0, 0, 2147483648.0, "n_in 2147483648 is above"},
    {"n_in of another size", FMT_SCALE, 0, 0, 10, "of another size"},
    {"one entry more", FMT_SCALE, 0, 8, 41, "of another size"},
    {"2^32 - 1 entries", FMT_SCALE, 0, 8, 4294967295.0, "of another size"},
    {"no entries", FMT_SCALE, 0, 8, 0, "tables but no entries"},
    {"one knot", FMT_SCALE, 0, 12, 1, "n_knots 1"},
    {"2^30 knots", FMT_SCALE, 0, 12, 1073741824.0, "n_knots"},
    {"matrix that is not there", FMT_SCALE, 1, 16, 1, "missing"},
    {"matrix flag of 2", FMT_SCALE, 0, 16, 2, "matrix"},
    {"unknown family", FMT_SCALE, 0, 20, 7, "family 7"},
    {"codes among the rows", FMT_SCALE, 1, 20, 2, "only scale 6 holds codes"},
    {"rows among the codes", FMT_SCALE, 6, 20, 0, "scale 6 holds no codes"},
    {"planes of codes", FMT_SCALE, 6, 24, 3, "searched exactly"},
    {"codes of another dim", FMT_SCALE, 6, 4, 64, "of another size"},
    {"dim of codes that fits their words only", FMT_SCALE, 6, 4, 71, "of another size"},
    {"one code more", FMT_SCALE, 6, 8, 5, "of another size"},
    {"2^32 - 1 codes", FMT_SCALE, 6, 8, 4294967295.0, "of another size"},
    {"knots of codes of another number", FMT_SCALE, 6, 12, 18, "of another size"},
    {"bit beyond the code", FMT_CODES, 6, 3 * 16 + 8, 0x40, "code[3] has a bit beyond"},
    {"last bit beyond the code", FMT_CODES, 6, 12, 0x80000000,
     "code[0] has a bit beyond"},
    {"entry of codes beyond the sounds", FMT_ENTRIES, 6, 12, 9, "of sound 9"},
    {"knot of Jaccard above 1", FMT_KNOTS, 6, 0, 0x40000000,
     "knots[0] is not a cosine"},
    {"knot of Hamming that is NaN", FMT_HAMMING, 6, 4, 0x7fc00000,
     "hamming knots[1] is not a cosine"},
    {"knots of Hamming that fall", FMT_HAMMING, 6, 4, 0, "hamming knots[1] is below"},
    {"tables in an exact scale", FMT_SCALE, 0, 20, 0, "searched exactly"},
    {"0 planes", FMT_SCALE, 0, 24, 0, "n_planes 0"},
    {"4 planes", FMT_SCALE, 0, 24, 4, "of another size"},
    {"32 planes", FMT_SCALE, 0, 24, 32, "n_planes 32"},
    {"0 tables", FMT_SCALE, 0, 28, 0, "n_tables 0"},
    {"65 tables", FMT_SCALE, 0, 28, 65, "n_tables 65"},
    {"fewer probes than tables", FMT_SCALE, 0, 32, 1, "n_probes 1"},
    {"more probes than buckets", FMT_SCALE, 0, 32, 17, "n_probes 17"},
    {"no candidates", FMT_SCALE, 0, 36, 0, "max_candidates"},
    {"reserved field", FMT_SCALE, 0, 48, 1, "reserved"},
    {"bucket that ends early", FMT_STARTS, 0, 4, 4e9, "do not hold each entry"},
    {"last bucket beyond the entries", FMT_STARTS, 0, 32, 41, "do not hold each entry"},
    {"first bucket not at 0", FMT_STARTS, 0, 36, 1, "do not hold each entry"},
    {"entry beyond the rows", FMT_IDS, 0, 0, 40, "a bucket holds entry 40"},
    {"sound beyond the sounds", FMT_ENTRIES, 0, 0, 3, "of sound 3, and there are 3"},
    {"start that is NaN", FMT_ENTRIES, 0, 4, 0x7fc00000, "not finite"},
    {"length that is infinite", FMT_ENTRIES, 0, 8, 0x7f800000, "not finite"},
    {"row that is NaN", FMT_ROWS, 0, 4, 0x7fc00000, "row[0] is not of unit length"},
    {"row of 1e38", FMT_ROWS, 1, 16, 0x7e967699, "row[1] is not of unit length"},
    {"plane that is NaN", FMT_PLANES, 0, 24, 0x7fc00000,
     "plane[1] is not of unit length"},
    {"centre that is infinite", FMT_CENTRE, 0, 0, 0x7f800000, "hash centre"},
    {"mean that is NaN", FMT_MEAN, 0, 0, 0x7fc00000, "mean[0]"},
    {"spread of 0", FMT_SPREAD, 0, 8, 0, "spread[2]"},
    {"matrix with an infinity", FMT_MATRIX, 0, 12, 0xff800000, "matrix[3]"},
    {"knot that is NaN", FMT_KNOTS, 1, 4, 0x7fc00000, "knots[1]"},
    {"knots that fall", FMT_KNOTS, 1, 4, 0x3f800000, "knots[2] is below"},
    {"one noise more", FMT_SCALE, 0, 100, 4, "of another size"},
    {"2^31 noises", FMT_SCALE, 0, 100, 2147483648.0, "noises or"},
    {"noises without tails", FMT_SCALE, 0, 104, 0, "no tails"},
    {"2^31 tails", FMT_SCALE, 0, 104, 2147483648.0, "tails are above"},
    {"noises of codes", FMT_SCALE, 6, 100, 1, "or holds codes"},
    {"noise that is not there", FMT_SCALE, 1, 100, 1, "no tails"},
    {"tail that is not there", FMT_SCALE, 1, 104, 1, "missing"},
    {"noise of another length", FMT_NOISES, 0, 24, 0x40000000,
     "noise[1] is not of unit length"},
    {"tail that is NaN", FMT_TAILS, 0, 0, 0x7fc00000, "is not finite"},
    {"tail below 0", FMT_TAILS, 0, 12, 0xbf800000, "tail 1 of noises is below 0"},
    {"last reserved field", FMT_SCALE, 0, 124, 1, "reserved"},
    {"recall of 2", FMT_SCALE, 0, 40, 0x40000000, "recall"},
    {"candidates that are NaN", FMT_SCALE, 0, 44, 0x7fc00000, "candidates"},
};

START_TEST(wrong_values_are_refused_by_name_though_checksums_are_right)
{
    unsigned char *data = copy_of_good();
    char why[300] = "";
    const uint32_t value = (uint32_t)hostile[_i].value;
    const fmt_section *s = section_of(data, hostile[_i].kind, hostile[_i].scale);
    memcpy(data + s->offset + hostile[_i].at, &value, sizeof value);
    fix_checksums(data, n_good);
    ck_assert_msg(open_and_use(data, n_good, why, sizeof why) == IDX_EFORMAT,
                  "case: %s", hostile[_i].name);
    ck_assert_msg(strstr(why, hostile[_i].says) != NULL, "case: %s: %s",
                  hostile[_i].name, why);
    free(data);
}
END_TEST

static const struct {
    const char *name;
    uint32_t kind, scale; /* of the section whose entry in the table is changed */
    size_t at;            /* byte in it */
    uint64_t value;
    const char *says;
} tables[] = {
    {"unknown kind", FMT_ROWS, 1, offsetof(fmt_section, kind), FMT_KINDS, "is unknown"},
    {"kind 0", FMT_ROWS, 1, offsetof(fmt_section, kind), 0, "is unknown"},
    {"unknown scale", FMT_ROWS, 1, offsetof(fmt_section, scale), IDX_SCALES,
     "is unknown"},
    {"shared section with a scale", FMT_REPORT, FMT_SHARED,
     offsetof(fmt_section, scale), 0, "is unknown"},
    {"duplicate", FMT_MEAN, 0, offsetof(fmt_section, kind), FMT_SPREAD,
     "two sections spread"},
    {"text missing, other twice", FMT_REPORT, FMT_SHARED, offsetof(fmt_section, kind),
     FMT_SETTINGS, "two sections settings"},
    {"rows of scale 0 given to 2", FMT_ROWS, 0, offsetof(fmt_section, scale), 2,
     "missing"},
    {"offset not aligned", FMT_ROWS, 0, offsetof(fmt_section, offset), 65,
     "lies elsewhere"},
    {"offset beyond the file", FMT_ROWS, 0, offsetof(fmt_section, offset),
     (uint64_t)-64, "lies elsewhere"},
    {"codes given to scale 1", FMT_CODES, 6, offsetof(fmt_section, scale), 1,
     "of another size"},
    {"codes missing", FMT_CODES, 6, offsetof(fmt_section, kind), FMT_ROWS,
     "of another size"},
    {"knots of Hamming as centre", FMT_HAMMING, 6, offsetof(fmt_section, kind),
     FMT_CENTRE, "of another size"},
    {"size beyond the file", FMT_ROWS, 0, offsetof(fmt_section, bytes), (uint64_t)-1,
     "lies elsewhere"},
};

START_TEST(wrong_section_tables_are_refused_though_checksums_are_right)
{
    unsigned char *data = copy_of_good();
    char why[300] = "";
    fmt_section *s = section_of(data, tables[_i].kind, tables[_i].scale);
    const size_t n = tables[_i].at >= offsetof(fmt_section, offset) ? 8 : 4;
    memcpy((unsigned char *)s + tables[_i].at, &tables[_i].value, n);
    fix_checksums(data, n_good);
    ck_assert_msg(open_and_use(data, n_good, why, sizeof why) == IDX_EFORMAT,
                  "case: %s", tables[_i].name);
    ck_assert_msg(strstr(why, tables[_i].says) != NULL, "case: %s: %s", tables[_i].name,
                  why);
    free(data);
}
END_TEST

START_TEST(headers_of_others_are_refused_in_one_sentence)
{
    unsigned char *data = copy_of_good();
    char why[300];
    fmt_header *h = (void *)data;
    h->version = FMT_VERSION + 1;
    fix_checksums(data, n_good);
    ck_assert_int_eq(open_and_use(data, n_good, why, sizeof why), IDX_EFORMAT);
    ck_assert_msg(strstr(why, "newer hearken (format 6); this one reads format 5"),
                  "%s", why);
    h->version = 3; /* had no noises */
    fix_checksums(data, n_good);
    ck_assert_int_eq(open_and_use(data, n_good, why, sizeof why), IDX_EFORMAT);
    ck_assert_msg(strstr(why, "reserved"), "%s", why);
    h->version = FMT_VERSION;
    h->byte_order = 0x04030201;
    ck_assert_int_eq(open_and_use(data, n_good, why, sizeof why), IDX_EFORMAT);
    ck_assert_msg(strstr(why, "byte order"), "%s", why);
    memcpy(data, "RIFF", 4);
    ck_assert_int_eq(open_and_use(data, n_good, why, sizeof why), IDX_EFORMAT);
    ck_assert_msg(strstr(why, "not a hearken index; make one"), "%s", why);
    ck_assert_int_eq(idx_open_memory(&(idx_index *){0}, data + 4, n_good - 4, NULL, 0),
                     IDX_EARG);
    free(data);
}
END_TEST

/* A value that parsers trip over, or any. */
static uint64_t
nasty(uint64_t *state)
{
    static const uint64_t values[] = {0,
                                      1,
                                      2,
                                      63,
                                      64,
                                      0x7f,
                                      0xff,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x7f800000,
                                      0x7fc00000,
                                      1U << 22,
                                      1U << 30,
                                      (uint64_t)-1,
                                      (uint64_t)-64,
                                      1ULL << 62,
                                      1ULL << 63};
    const uint64_t r = rnd_u64(state);
    return r % 4 ? values[(r >> 8) % (sizeof values / sizeof *values)] : rnd_u64(state);
}

START_TEST(random_tampering_is_refused_or_harmless)
{
    uint64_t state = 4711;
    unsigned char *data = copy_of_good();
    uint32_t accepted = 0;
    for (int round = 0; round < 60000; round++) {
        char why[300] = "";
        memcpy(data, good, n_good);
        for (uint64_t m = rnd_u64(&state) % 3 + 1; m > 0; m--) {
            const uint64_t value = nasty(&state);
            const size_t n = rnd_u64(&state) % 2 ? 4 : 8;
            /* half of it where the counts and offsets are */
            const size_t most = rnd_u64(&state) % 2 ? n_good - 8 : 1600;
            memcpy(data + rnd_u64(&state) % most / 4 * 4, &value, n);
        }
        fix_checksums(data, n_good);
        const idx_status st = open_and_use(data, n_good, why, sizeof why);
        ck_assert_msg(st == IDX_OK || (st == IDX_EFORMAT && why[0]), "round %d: %d",
                      round, (int)st);
        accepted += st == IDX_OK;
    }
    ck_assert_msg(accepted > 0, "nothing was accepted: the searches were never tried");
    free(data);
}
END_TEST

int
main(int argc, char **argv)
{
    make_good();
    if (argc > 1) { /* a seed for tests/corpus, which fuzz_index grows from */
        FILE *f = fopen(argv[1], "wb");
        return !f || fwrite(good, 1, n_good, f) != n_good || fclose(f) != 0;
    }
    Suite *s = suite_create("index_damage");
    TCase *tc = tcase_create("damage");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_undamaged_file_opens);
    tcase_add_test(tc, every_flipped_byte_is_refused);
    tcase_add_test(tc, every_truncation_and_any_longer_file_is_refused);
    tcase_add_loop_test(tc, wrong_values_are_refused_by_name_though_checksums_are_right,
                        0, (int)(sizeof hostile / sizeof *hostile));
    tcase_add_loop_test(tc, wrong_section_tables_are_refused_though_checksums_are_right,
                        0, (int)(sizeof tables / sizeof *tables));
    tcase_add_test(tc, headers_of_others_are_refused_in_one_sentence);
    tcase_add_test(tc, random_tampering_is_refused_or_harmless);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    free(good);
    return failed != 0;
}
