/*
 * Pins: whole answers of generated sound, line by line in tests/golden/matches.tsv, and
 * an index of every format version that was ever released, which must open for ever.
 * GOLDEN_WRITE=1 (make golden) rewrites the first and adds the second where it is
 * missing; the difference is reviewed like code.
 */
#include "rt/analyse.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RATE = 48000, N = 14 * RATE, LINE = 100 };
static const char pinned[] = "tests/golden/matches.tsv";
static const char oldest_index[] = "tests/golden/format1.hkn";
static const char newest_index[] = "tests/golden/format2.hkn";
/* of check_index_damage_cells: cells, halves and bytes, by cosine and Euclid, codes */
static const char cells_index[] = "tests/golden/format3.hkn";
/* and with noises */
static const char noises_index[] = "tests/golden/format4.hkn";
/* of check_families_damage: hyperplanes with codes in the order of their buckets */
static const char codes_index[] = "tests/golden/format5.hkn";

typedef struct {
    char (*lines)[LINE];
    size_t n, cap;
} text;

/* Values to two decimals: kernels of different CPUs agree that far. */
static void
keep(void *ctx, const rt_match *m)
{
    text *t = ctx;
    ck_assert_uint_lt(t->n, t->cap);
    snprintf(t->lines[t->n++], LINE, "%d\t%llu\t%s\t%u\t%d\t%.2f\t%.2f\n", m->kind,
             (unsigned long long)m->frame, dsp_scale_name[m->scale], m->rank,
             m->kind == RT_ONSET ? -1 : (int)m->sound, (double)m->score,
             (double)m->cosine);
}

static void
answers(text *t, idx_index *ix, rt_options *o)
{
    char why[300];
    rt_counts counts = {0};
    rt_analyse *a;
    const rt_sink sink = {.ctx = t, .match = keep};
    float *x = calloc(N, sizeof *x);
    make_sound(x + RATE, 2 * RATE, RATE, 4);
    make_sound(x + 5 * RATE, 2 * RATE, RATE, 8);
    make_sound(x + 9 * RATE, RATE / 2, RATE, 500); /* not in the corpus */
    o->match.scales = 6;
    o->match.score = 0.3F;
    o->match.k = 2;
    t->cap = 2000;
    t->lines = calloc(t->cap, LINE);
    ck_assert(rt_analyse_new(&a, RATE, o, ix, &counts, &sink, why, sizeof why));
    rt_analyse_block(a, x, N, 0);
    rt_analyse_free(a);
    free(x);
}

static void
write_pins(const text *t)
{
    FILE *f = fopen(pinned, "w");
    ck_assert_ptr_nonnull(f);
    for (size_t i = 0; i < t->n; i++)
        fputs(t->lines[i], f);
    ck_assert(!fclose(f));
}

/* Ties in the last digit may fall either way on another CPU: a hundredth is allowed. */
static bool
same_line(const char *a, const char *b)
{
    char scale[2][16];
    unsigned long long frame[2];
    int kind[2], sound[2];
    unsigned rank[2];
    double v[2][2];
    if (sscanf(a, "%d %llu %15s %u %d %lf %lf", &kind[0], &frame[0], scale[0], &rank[0],
               &sound[0], &v[0][0], &v[0][1]) != 7 ||
        sscanf(b, "%d %llu %15s %u %d %lf %lf", &kind[1], &frame[1], scale[1], &rank[1],
               &sound[1], &v[1][0], &v[1][1]) != 7)
        return false;
    return kind[0] == kind[1] && frame[0] == frame[1] && !strcmp(scale[0], scale[1]) &&
           rank[0] == rank[1] && sound[0] == sound[1] && v[0][0] - v[1][0] < 0.015 &&
           v[1][0] - v[0][0] < 0.015 && v[0][1] - v[1][1] < 0.015 &&
           v[1][1] - v[0][1] < 0.015;
}

START_TEST(answers_are_the_pinned_ones)
{
    char folder[256], path[300], line[LINE], why[300];
    rt_options o;
    idx_index *ix;
    text t = {0};
    size_t at = 0;
    dsp_thread_init();
    rt_options_default(&o);
    make_folder(folder, sizeof folder);
    write_corpus(folder);
    snprintf(path, sizeof path, "%s/x.hkn", folder);
    build_corpus(folder, &o, 2, path);
    ck_assert(!idx_open(&ix, path, why, sizeof why));
    answers(&t, ix, &o);
    if (getenv("GOLDEN_WRITE"))
        write_pins(&t);
    FILE *f = fopen(pinned, "r");
    ck_assert_msg(f != NULL, "%s is missing; write it with make golden", pinned);
    for (; fgets(line, sizeof line, f); at++)
        ck_assert_msg(at < t.n && same_line(line, t.lines[at]), "line %zu: %snow %s",
                      at + 1, line, at < t.n ? t.lines[at] : "nothing");
    ck_assert_uint_eq(at, t.n);
    ck_assert_uint_gt(at, 40);
    fclose(f);
    idx_close(ix);
    free(t.lines);
    remove_tree(folder);
}
END_TEST

/* Three sounds under three labels: hashed frames, a space of labels, timbre codes. Bark
 * bands, whose matrices are small. */
static void
write_small_index(void)
{
    char folder[256], path[300];
    float x[RATE / 2];
    rt_options o;
    rt_options_default(&o);
    o.index.family = RT_FAMILY_HYPERPLANE;
    o.index.planes = 6;
    o.index.tables = 2;
    o.dsp.frontend = DSP_FRONT_BARK;
    o.build.timbre = 1;
    snprintf(o.build.labels, sizeof o.build.labels, "folders");
    make_folder(folder, sizeof folder);
    for (uint64_t i = 0; i < 3; i++) {
        make_sound(x, RATE / 2, RATE, i + 1);
        snprintf(path, sizeof path, "%s/%d", folder, (int)i);
        ck_assert(!mkdir(path, 0755));
        snprintf(path, sizeof path, "%s/%d/x.wav", folder, (int)i);
        write_wav(path, x, RATE / 2, RATE);
    }
    build_corpus(folder, &o, 1, newest_index);
    remove_tree(folder);
}

static void
finds_itself(idx_index *ix, idx_scratch *scratch, uint32_t set)
{
    idx_hit hits[3];
    uint32_t n;
    const idx_scale *sc = idx_scale_of(ix, set);
    ck_assert_uint_ge(sc->n_entries, 3);
    for (uint32_t e = 0; e < sc->n_entries; e++) {
        float x[IDX_MAX_DIM];
        const float most = sc->params.metric == IDX_EUCLID ? 0.0F : 1.0F;
        idx_row(ix, set, e, x);
        if (!sc->codes)
            ck_assert(!idx_query(ix, set, scratch, x, 3, hits, &n, NULL));
        else
            ck_assert(!idx_query_codes(ix, set, scratch, sc->codes + 2 * (size_t)e, 3,
                                       1, hits, &n, NULL));
        ck_assert(n >= 1 &&
                  hits[0].cosine > most - (sc->rows || sc->codes ? 1e-5F : 1e-3F));
    }
}

static const struct {
    const char *path;
    uint32_t n_sets; /* that hold something */
} formats[] = {{oldest_index, 3},
               {newest_index, 7},
               {cells_index, 7},
               {noises_index, 7},
               {codes_index, 7}};

START_TEST(an_index_of_every_format_still_opens_and_answers)
{
    char why[300] = "";
    idx_index *ix;
    idx_scratch *scratch;
    FILE *f = fopen(newest_index, "r");
    if (f)
        fclose(f);
    else if (getenv("GOLDEN_WRITE"))
        write_small_index();
    ck_assert_msg(!idx_open(&ix, formats[_i].path, why, sizeof why), "%s", why);
    ck_assert_uint_eq(idx_n_sounds(ix), 3);
    ck_assert(!idx_scratch_new(&scratch, ix));
    for (uint32_t s = 0; s < formats[_i].n_sets; s++)
        if (idx_scale_of(ix, s)->n_entries || formats[_i].path == oldest_index ||
            formats[_i].path == newest_index)
            finds_itself(ix, scratch, s);
    for (uint32_t s = 0; s < 4; s++)
        ck_assert_uint_eq(idx_scale_of(ix, s)->noises.n,
                          formats[_i].path == noises_index ? 2 : 0);
    idx_scratch_free(scratch);
    idx_close(ix);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("golden");
    TCase *t = tcase_create("golden");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, answers_are_the_pinned_ones);
    tcase_add_loop_test(t, an_index_of_every_format_still_opens_and_answers, 0,
                        sizeof formats / sizeof *formats);
    suite_add_tcase(s, t);
    return run_suite(s);
}
