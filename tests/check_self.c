/* rt/self.c: which entries an index does not find by their own rows. */
#include "rt/rt.h"
#include "rt/self.h"
#include "support.h"

#define CORPUS_SOUNDS IDX_CORPUS_SOUNDS /* both headers have one */
#include "tests/idx_support.h"
#undef CORPUS_SOUNDS

enum { N = 3000, DIM = 12, THREADS = 3 };

static const idx_params good = {.family = IDX_HYPERPLANE,
                                .n_planes = 4,
                                .n_tables = 3,
                                .n_probes = 12,
                                .max_candidates = N,
                                .recall = 1};
/* The bucket that an entry lies in is left after a few of its rows. */
static const idx_params lossy = {.family = IDX_HYPERPLANE,
                                 .n_planes = 2,
                                 .n_tables = 1,
                                 .n_probes = 1,
                                 .max_candidates = 200,
                                 .recall = 1};

static char why[300];

/* Frames searched by the given means, events by good ones, scenes exactly; codes. */
static idx_index *
make_index(const idx_params *p, bool all_alike)
{
    idx_index *ix = NULL;
    corpus c;
    const idx_tuning how = {.seed = 1, .target_recall = 0.95F};
    idx_built *built = NULL;
    corpus_make(&c, (const uint32_t[]){N, N / 2, 40, 0},
                (const uint32_t[]){DIM, DIM, DIM, 0}, 30, 3);
    c.contents.scales[0].params = *p;
    if (!p->n_probes)
        ck_assert(!idx_tune(&c.contents.scales[0], &how, &c.contents.scales[0].params,
                            &built));
    c.contents.scales[0].built = built;
    c.contents.scales[1].params = good;
    corpus_add_codes(&c, 50, 70, 8);
    for (uint32_t i = 1; i < N && all_alike; i++)
        memcpy(c.array[0][4] + (size_t)i * DIM, c.array[0][4], DIM * sizeof(float));
    const char *path = temp_path("self.hkn");
    if (!idx_write(path, &c.contents, NULL, why, sizeof why))
        idx_open(&ix, path, why, sizeof why);
    remove(path);
    idx_built_free(built);
    corpus_free(&c);
    ck_assert_msg(ix != NULL, "%s", why);
    return ix;
}

/* The definition: those whose own search has no row as near as they themselves are. */
static uint32_t
lost_by_definition(const idx_index *ix, uint32_t scale, bool lost[])
{
    const idx_scale *sc = idx_scale_of(ix, scale);
    uint32_t n_lost = 0;
    idx_scratch *s;
    ck_assert(!idx_scratch_new(&s, ix));
    for (uint32_t i = 0; i < sc->n_entries; i++) {
        const float *row = sc->rows + (size_t)i * sc->dim;
        idx_hit hits[50];
        uint32_t n;
        lost[i] = true;
        ck_assert(!idx_query(ix, scale, s, row, 50, hits, &n, NULL));
        for (uint32_t k = 0; k < n; k++) {
            double cosine = 0, power = 0;
            for (uint32_t d = 0; d < sc->dim; d++) {
                cosine += (double)row[d] *
                          (double)sc->rows[(size_t)hits[k].entry * sc->dim + d];
                power += (double)row[d] * (double)row[d];
            }
            if (cosine / power > 1 - 1e-6)
                lost[i] = false;
        }
        n_lost += lost[i];
    }
    idx_scratch_free(s);
    return n_lost;
}

START_TEST(a_good_index_loses_nothing)
{
    idx_index *ix = make_index(&good, false);
    rt_self self[IDX_SCALES];
    ck_assert(rt_self_search(self, ix, THREADS, why, sizeof why));
    ck_assert_uint_eq(self[0].n_asked, N);
    ck_assert_uint_eq(self[1].n_asked, N / 2);
    for (uint32_t s = 2; s < IDX_SCALES; s++)
        ck_assert_uint_eq(self[s].n_asked, 0); /* exact, absent, codes */
    ck_assert_uint_eq(rt_self_lost(self), 0);
    idx_close(ix);
}
END_TEST

static const struct {
    const char *name;
    idx_params params; /* the rest as tuned */
} tuned[] = {
    {"hyperplane", {.family = IDX_HYPERPLANE}},
    {"hyperplane, 16 bits", {.family = IDX_HYPERPLANE, .stored = IDX_F16}},
    {"cells", {.family = IDX_CELLS}},
    {"cells, Euclid", {.family = IDX_CELLS, .metric = IDX_EUCLID}},
    {"cells, 16 bits", {.family = IDX_CELLS, .stored = IDX_F16}},
    {"cells, 8 bits", {.family = IDX_CELLS, .stored = IDX_I8}},
};

START_TEST(a_tuned_index_loses_nothing_whatever_its_family)
{
    idx_index *ix = make_index(&tuned[_i].params, false);
    rt_self self[IDX_SCALES];
    ck_assert(rt_self_search(self, ix, THREADS, why, sizeof why));
    ck_assert_uint_eq(self[0].n_asked, N);
    ck_assert_msg(self[0].n_lost == 0, "case: %s: %u lost", tuned[_i].name,
                  self[0].n_lost);
    idx_close(ix);
}
END_TEST

START_TEST(what_a_lossy_index_loses_is_counted_and_listed) /* by so many threads */
{
    static bool lost[N];
    idx_index *ix = make_index(&lossy, false);
    rt_self self[IDX_SCALES];
    const uint32_t n_lost = lost_by_definition(ix, 0, lost);
    ck_assert_uint_gt(n_lost, 3 * RT_SELF_LISTED);
    ck_assert_uint_lt(n_lost, N - 100);
    ck_assert(rt_self_search(self, ix, (uint32_t)_i, why, sizeof why));
    ck_assert_uint_eq(self[0].n_lost, n_lost);
    ck_assert_uint_eq(rt_self_lost(self), n_lost);
    for (uint32_t i = 0, at = 0; i < RT_SELF_LISTED; i++, at++) {
        while (!lost[at])
            at++;
        ck_assert_uint_eq(self[0].lost[i], at);
    }
    idx_close(ix);
}
END_TEST

START_TEST(one_that_is_alike_will_do)
{
    idx_index *ix = make_index(&good, true);
    rt_self self[IDX_SCALES];
    ck_assert(rt_self_search(self, ix, THREADS, why, sizeof why));
    ck_assert_uint_eq(self[0].n_asked, N);
    ck_assert_uint_eq(self[0].n_lost, 0);
    idx_close(ix);
}
END_TEST

START_TEST(the_list_names_sound_and_place)
{
    static bool lost[N];
    char text[8000] = "", want[200];
    idx_index *ix = make_index(&lossy, false);
    rt_self self[IDX_SCALES];
    const uint32_t n_lost = lost_by_definition(ix, 0, lost);
    ck_assert(rt_self_search(self, ix, THREADS, why, sizeof why));
    FILE *file = fmemopen(text, sizeof text - 1, "w");
    rt_self_print(file, self, ix);
    ck_assert(!fclose(file));
    const idx_entry *e = &idx_scale_of(ix, 0)->entries[self[0].lost[0]];
    snprintf(want, sizeof want,
             "entries that do not find themselves: %u\n    frame at %.2f s of %s\n",
             n_lost, (double)e->start_s, idx_sound_of(ix, e->sound).path);
    ck_assert_msg(strstr(text, want) == text, "%s", text);
    snprintf(want, sizeof want, "\n    frame: %u more\n", n_lost - RT_SELF_LISTED);
    ck_assert_msg(strstr(text, want) != NULL, "%s", text);
    idx_close(ix);
}
END_TEST

START_TEST(no_memory_and_a_stop_are_said)
{
    idx_index *ix = make_index(&lossy, false);
    rt_self self[IDX_SCALES];
    bool ok = false;
    uint64_t failed = 0;
    for (uint64_t k = 1; !ok; k++, failed++) {
        heap_fail_at = k;
        ok = rt_self_search(self, ix, 1, why, sizeof why);
        heap_fail_at = 0;
        ck_assert(ok || strstr(why, "memory") || strstr(why, "no thread"));
    }
    ck_assert_uint_ge(failed, 3); /* jobs, a brief scratch, a whole one */
    atomic_store(&rt_stop, 1);
    ok = rt_self_search(self, ix, THREADS, why, sizeof why);
    atomic_store(&rt_stop, 0);
    ck_assert(!ok && strstr(why, "stopped"));
    idx_close(ix);
}
END_TEST

START_TEST(the_sections_of_a_file_are_told)
{
    idx_index *ix = make_index(&good, false);
    uint64_t bytes = 0;
    uint32_t rows = 0;
    size_t n_bytes;
    idx_memory(ix, &n_bytes);
    for (uint32_t i = 0; i < idx_n_sections(ix); i++) {
        const idx_section s = idx_section_of(ix, i);
        bytes += (s.bytes + 63) / 64 * 64;
        if (!strcmp(s.name, "rows") && s.scale == 0) {
            ck_assert_uint_eq(s.bytes, (uint64_t)N * DIM * sizeof(float));
            rows++;
        }
        ck_assert(s.scale < IDX_SCALES || s.scale == UINT32_MAX);
    }
    ck_assert_uint_eq(rows, 1);
    ck_assert(bytes < n_bytes && n_bytes < bytes + 4096); /* and a header */
    idx_close(ix);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/self");
    TCase *t = tcase_create("self");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_good_index_loses_nothing);
    tcase_add_loop_test(t, a_tuned_index_loses_nothing_whatever_its_family, 0,
                        (int)(sizeof tuned / sizeof *tuned));
    tcase_add_loop_test(t, what_a_lossy_index_loses_is_counted_and_listed, 1, 4);
    tcase_add_test(t, one_that_is_alike_will_do);
    tcase_add_test(t, the_list_names_sound_and_place);
    tcase_add_test(t, no_memory_and_a_stop_are_said);
    tcase_add_test(t, the_sections_of_a_file_are_told);
    suite_add_tcase(s, t);
    return run_suite(s);
}
