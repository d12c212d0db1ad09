/* rt/truth.c and rt/truth_thread.c: recall measured on the answers that were given. */
#include "rt/rt.h"
#include "rt/truth_private.h"
#include "support.h"

#define CORPUS_SOUNDS IDX_CORPUS_SOUNDS /* both headers have one */
#include "tests/idx_support.h"
#undef CORPUS_SOUNDS

enum { N = 4000, DIM = 24, QUERIES = 150 };

static idx_index *ix;
static idx_scratch *scratch;
static rt_options options;
static rt_counts counts;
static rt_truth *truth;

/* Ways to search badly: one table or none, of which one bucket or cell is looked into.
 */
static const struct {
    const char *name;
    idx_params params;
} ways[] = {
    {"hyperplane",
     {.family = IDX_HYPERPLANE, .n_planes = 5, .n_tables = 1, .n_probes = 1}},
    {"hyperplane, 16 bits",
     {.family = IDX_HYPERPLANE,
      .n_planes = 5,
      .n_tables = 1,
      .n_probes = 1,
      .stored = IDX_F16}},
    {"cells", {.family = IDX_CELLS, .n_probes = 1}},
    {"cells, 16 bits", {.family = IDX_CELLS, .n_probes = 1, .stored = IDX_F16}},
    {"cells, 8 bits", {.family = IDX_CELLS, .n_probes = 1, .stored = IDX_I8}},
};

/* Frames exact; events and scenes searched so. */
static void
open_index(const idx_params *bad)
{
    const idx_tuning how = {.seed = 1, .target_recall = 0.9F};
    char why[300] = "";
    corpus c;
    idx_built *built[DSP_SCALES] = {NULL};
    corpus_make(&c, (const uint32_t[]){50, N, N, 0}, (const uint32_t[]){8, DIM, DIM, 0},
                40, 3);
    for (uint32_t s = DSP_EVENT; s < DSP_SCALES; s++) {
        idx_scale *sc = &c.contents.scales[s];
        sc->params = *bad;
        ck_assert(!idx_tune(sc, &how, &sc->params, &built[s]));
        sc->params.recall = 0.9F;
        sc->built = built[s];
    }
    corpus_add_codes(&c, 50, 70, 8);
    const char *path = temp_path("truth.hkn");
    if (!idx_write(path, &c.contents, NULL, why, sizeof why))
        idx_open(&ix, path, why, sizeof why);
    remove(path);
    for (uint32_t s = 0; s < DSP_SCALES; s++)
        idx_built_free(built[s]);
    corpus_free(&c);
    ck_assert_msg(ix && !idx_scratch_new(&scratch, ix), "%s", why);
    rt_options_default(&options);
    options.match.scales = 1U << DSP_EVENT | 1U << DSP_SCENE;
    counts = (rt_counts){0};
    ck_assert(rt_truth_new(&truth, ix, &options, &counts, why, sizeof why));
    ck_assert(truth != NULL);
}

static void
setup(void)
{
    open_index(&ways[0].params);
}

static void
teardown(void)
{
    rt_truth_free(truth);
    idx_scratch_free(scratch);
    idx_close(ix);
}

/* A query near an entry, and what the index answers to it. */
typedef struct {
    float x[DIM];
    idx_hit hits[20];
    rt_asked asked;
} question;

static void
ask(question *q, uint32_t scale, uint32_t k, uint64_t seed)
{
    uint64_t state = seed;
    idx_row(ix, scale, (uint32_t)(rnd_u64(&state) % N), q->x);
    for (uint32_t i = 0; i < DIM; i++)
        q->x[i] = 3 * (q->x[i] + 0.05F * rnd_normal(&state)); /* of any length */
    q->asked =
        (rt_asked){.scale = scale, .set = scale, .k = k, .x = q->x, .hits = q->hits};
    ck_assert(!idx_query(ix, scale, scratch, q->x, k, q->hits, &q->asked.n_hits, NULL));
}

static void
offer(question *q, uint32_t scale, uint32_t k, uint64_t seed)
{
    ask(q, scale, k, seed);
    rt_truth_offer(truth, &q->asked);
}

static double
distance(const question *q, uint32_t scale, uint32_t entry)
{
    float row[DIM];
    double xy = 0, xx = 0;
    idx_row(ix, scale, entry, row);
    for (uint32_t i = 0; i < DIM; i++) {
        xy += (double)q->x[i] * (double)row[i];
        xx += (double)q->x[i] * (double)q->x[i];
    }
    return 1 - xy / sqrt(xx);
}

/* The definition: all distances in double; more than so many nearer rows is a miss. */
static uint32_t
found_by_definition(const question *q, uint32_t scale, uint32_t k)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < k && i < q->asked.n_hits; i++) {
        const double d = distance(q, scale, q->hits[i].entry);
        uint32_t nearer = 0;
        for (uint32_t e = 0; e < N; e++)
            nearer += distance(q, scale, e) * 1.001 < d - 1e-6;
        found += nearer < k;
    }
    return found;
}

/* Asks QUERIES times for k and compares the tally with the definition. */
static void
find_out(uint32_t k, const char *name)
{
    const uint32_t at = k < RT_TRUTH_AT ? k : RT_TRUTH_AT;
    question q;
    rt_tally tally;
    uint64_t found = 0;
    ck_assert(!rt_truth_tally(truth, DSP_SCENE, &tally));
    for (uint64_t i = 0; i < QUERIES; i++) {
        offer(&q, DSP_SCENE, k, i);
        found += found_by_definition(&q, DSP_SCENE, at);
        ck_assert(rt_truth_next(truth));
    }
    ck_assert(rt_truth_tally(truth, DSP_SCENE, &tally));
    ck_assert_uint_eq(tally.k, at);
    ck_assert_uint_eq(tally.n_asked, QUERIES);
    ck_assert_uint_eq(tally.wanted, QUERIES * at);
    ck_assert_msg(tally.found == found, "case: %s: %llu, not %llu", name,
                  (unsigned long long)tally.found, (unsigned long long)found);
    ck_assert_msg(tally.recall > 0.1 && tally.recall < 0.9, "case: %s: %g", name,
                  tally.recall);
    ck_assert(tally.low < tally.recall && tally.recall < tally.high);
    ck_assert_float_eq(tally.promised, 0.9F);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_truth_asked), QUERIES);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_truth_wanted), QUERIES * at);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_truth_found), found);
    ck_assert(!rt_truth_tally(truth, DSP_EVENT, &tally));
}

static const uint32_t asked_for[] = {1, 3, 10, 16};

START_TEST(a_bad_index_is_found_out_whatever_is_asked_for)
{
    find_out(asked_for[_i], ways[0].name);
}
END_TEST

START_TEST(a_bad_index_is_found_out_whatever_its_family)
{
    teardown();
    open_index(&ways[_i].params);
    find_out(10, ways[_i].name);
}
END_TEST

START_TEST(an_exact_answer_is_right_and_a_short_one_is_not)
{
    question q;
    rt_tally tally;
    for (uint64_t i = 0; i < 20; i++) {
        ask(&q, DSP_SCENE, 10, i);
        ck_assert(
            !idx_query_exact(ix, DSP_SCENE, scratch, q.x, 10, q.hits, &q.asked.n_hits));
        q.asked.n_hits = i < 10 ? 10 : 4; /* ten were asked for all the same */
        rt_truth_offer(truth, &q.asked);
        ck_assert(rt_truth_next(truth));
    }
    ck_assert(rt_truth_tally(truth, DSP_SCENE, &tally));
    ck_assert_uint_eq(tally.wanted, 200);
    ck_assert_uint_eq(tally.found, 140);
}
END_TEST

START_TEST(a_full_ring_drops_and_counts)
{
    question q;
    for (uint64_t i = 0; i < 100; i++)
        offer(&q, DSP_SCENE, 10, i);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_truth_dropped), 100 - RT_TRUTH_SLOTS);
    for (int i = 0; i < 6; i++)
        ck_assert(rt_truth_next(truth));
    rt_truth_stop(truth);
    ck_assert(!rt_truth_next(truth)); /* not even the oldest that is left */
    ck_assert_uint_eq(rt_counted(&counts, RT_N_truth_asked), 6);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_truth_dropped), 94);
}
END_TEST

START_TEST(answers_are_taken_at_random_about_once_a_second)
{
    enum { SECONDS = 4000, SLOT = 7 }; /* events come ten a second */
    uint32_t taken = 0, by_slot[SLOT] = {0};
    question q;
    ask(&q, DSP_EVENT, 10, 1);
    for (uint32_t i = 0; i < 10 * SECONDS; i++) {
        rt_truth_query old;
        rt_truth_offer(truth, &q.asked);
        if (!rt_ring_pop(truth->ring, &old))
            continue;
        taken++;
        by_slot[i % SLOT]++;
    }
    ck_assert_msg(taken > 0.95 * SECONDS && taken < 1.05 * SECONDS, "%u", taken);
    for (int i = 0; i < SLOT; i++)
        ck_assert_msg(by_slot[i] > 480 && by_slot[i] < 660, "%u", by_slot[i]);
}
END_TEST

START_TEST(offers_take_no_heap)
{
    question q;
    ask(&q, DSP_SCENE, 10, 1);
    const uint64_t before = heap_calls;
    for (int i = 0; i < 100; i++)
        rt_truth_offer(truth, &q.asked);
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(after, before);
    ck_assert_uint_gt(rt_counted(&counts, RT_N_truth_dropped), 0);
}
END_TEST

START_TEST(the_thread_counts_what_the_plain_call_does_and_gives_way)
{
    rt_truth *plain = truth;
    rt_tally a, b;
    question q;
    char why[300];
    ck_assert(rt_truth_new(&truth, ix, &options, &counts, why, sizeof why));
    ck_assert(rt_truth_start(truth, why, sizeof why));
    ck_assert(rt_truth_is_idle(truth));
    for (uint64_t i = 0; i < 10; i++) {
        ask(&q, DSP_SCENE, 10, i);
        rt_truth_offer(truth, &q.asked);
        rt_truth_offer(plain, &q.asked);
        ck_assert(rt_truth_next(plain));
    }
    for (int i = 0; i < 1000; i++) {
        if (rt_truth_tally(truth, DSP_SCENE, &a) && a.n_asked == 10)
            break;
        rt_sleep_ms(10);
    }
    ck_assert(rt_truth_tally(plain, DSP_SCENE, &b));
    ck_assert_uint_eq(a.n_asked, 10);
    ck_assert_uint_eq(a.wanted, b.wanted);
    ck_assert_uint_eq(a.found, b.found);
    rt_truth_stop(truth);
    rt_truth_free(truth);
    truth = plain;
}
END_TEST

START_TEST(every_query_has_a_fate_when_the_thread_is_stopped_early)
{
    question q;
    char why[300];
    ck_assert(rt_truth_start(truth, why, sizeof why));
    for (uint64_t i = 0; i < 500; i++)
        offer(&q, DSP_SCENE, 10, i);
    const double began = rt_seconds();
    rt_truth_stop(truth);
    ck_assert_double_lt(rt_seconds() - began, 5);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_truth_asked) +
                          rt_counted(&counts, RT_N_truth_dropped),
                      500);
    ck_assert_uint_gt(rt_counted(&counts, RT_N_truth_dropped), 0);
}
END_TEST

/* By Euclidean distance, rows and queries of any length; an exact scale that is called
 * one that may err, so that it is known what is found. */
START_TEST(nearness_is_what_the_metric_says)
{
    char why[300] = "";
    corpus c;
    idx_index *euclid;
    idx_scratch *s;
    rt_tally tally;
    uint64_t state = 5;
    corpus_make(&c, (const uint32_t[]){0, 0, N, 0}, (const uint32_t[]){0, 0, DIM, 0},
                40, 3);
    idx_scale *sc = &c.contents.scales[DSP_SCENE];
    sc->params.metric = IDX_EUCLID;
    for (uint32_t i = 0; i < N * DIM; i++)
        c.array[DSP_SCENE][4][i] *= 1 + 0.2F * (float)(i / DIM % 10);
    const char *path = temp_path("euclid.hkn");
    ck_assert_msg(!idx_write(path, &c.contents, NULL, why, sizeof why) &&
                      !idx_open(&euclid, path, why, sizeof why),
                  "%s", why);
    remove(path);
    corpus_free(&c);
    truth->index = euclid;
    ck_assert(!idx_scratch_new(&s, euclid));
    for (uint32_t i = 0; i < 20; i++) {
        idx_hit hits[10];
        float x[DIM];
        idx_row(euclid, DSP_SCENE, (uint32_t)(rnd_u64(&state) % N), x);
        x[0] += 0.1F;
        rt_asked q = {
            .scale = DSP_SCENE, .set = DSP_SCENE, .k = 10, .x = x, .hits = hits};
        ck_assert(!idx_query(euclid, DSP_SCENE, s, x, 10, hits, &q.n_hits, NULL));
        hits[9].entry = i % N; /* one that is not among them */
        rt_truth_offer(truth, &q);
        ck_assert(rt_truth_next(truth));
    }
    ck_assert(rt_truth_tally(truth, DSP_SCENE, &tally));
    ck_assert_uint_eq(tally.wanted, 200);
    ck_assert_uint_eq(tally.found, 180);
    idx_scratch_free(s);
    idx_close(euclid);
}
END_TEST

START_TEST(what_cannot_err_is_not_checked)
{
    static const unsigned scales[] = {1U << DSP_FRAME, 1U << RT_TIMBRE};
    rt_truth *none;
    char why[300];
    options.match.scales = scales[_i];
    ck_assert(rt_truth_new(&none, ix, &options, &counts, why, sizeof why));
    ck_assert_ptr_null(none);
    rt_truth_offer(none, NULL); /* nothing happens */
    rt_truth_stop(none);
    rt_truth_free(none);
}
END_TEST

START_TEST(no_memory_is_said)
{
    for (uint64_t k = 1; k <= 3; k++) {
        rt_truth *t;
        char why[300] = "";
        heap_fail_at = k;
        const bool ok = rt_truth_new(&t, ix, &options, &counts, why, sizeof why);
        heap_fail_at = 0;
        ck_assert(!ok && !t && strstr(why, "not enough memory"));
    }
}
END_TEST

static const struct {
    uint64_t hits, n;
    double low, high;
} intervals[] = {
    {81, 263, 0.2553, 0.3662}, /* these four of Newcombe, Stat. Med. 17, 1998 */
    {15, 148, 0.0624, 0.1605}, {0, 20, 0.0000, 0.1611},  {1, 29, 0.0061, 0.1718},
    {95, 100, 0.8882, 0.9785}, {10, 10, 0.7225, 1.0000}, {0, 0, 0.0000, 1.0000},
};

START_TEST(the_interval_is_that_of_wilson)
{
    double low, high;
    const uint64_t n = intervals[_i].n;
    rt_wilson(n ? (double)intervals[_i].hits / (double)n : 0, n, &low, &high);
    ck_assert_double_eq_tol(low, intervals[_i].low, 0.5001e-4);
    ck_assert_double_eq_tol(high, intervals[_i].high, 0.5001e-4);
}
END_TEST

static const struct {
    const char *name;
    uint64_t n_asked;
    double high;
    bool low;
} rules[] = {
    {"too few answers", 199, 0.5, false},
    {"surely below the promise", 200, 0.849, true},
    {"perhaps as promised", 200, 0.851, false},
    {"as promised", 5000, 0.91, false},
};

START_TEST(a_scale_that_surely_finds_too_little_is_low)
{
    const rt_tally t = {
        .n_asked = rules[_i].n_asked, .high = rules[_i].high, .promised = 0.9F};
    ck_assert_msg(rt_truth_is_low(&t) == rules[_i].low, "case: %s", rules[_i].name);
}
END_TEST

START_TEST(a_tally_is_one_sentence)
{
    const rt_tally t = {
        .k = 10, .n_asked = 1234, .recall = 0.9531, .low = 0.9397, .high = 0.9635};
    char text[120];
    rt_truth_text(&t, DSP_EVENT, text, sizeof text);
    ck_assert_str_eq(text, "event: recall@10 0.953 (0.940 to 0.964) over 1234 answers");
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/truth");
    TCase *t = tcase_create("truth");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_bad_index_is_found_out_whatever_is_asked_for, 0,
                        ROWS(asked_for));
    tcase_add_loop_test(t, a_bad_index_is_found_out_whatever_its_family, 0, ROWS(ways));
    tcase_add_test(t, an_exact_answer_is_right_and_a_short_one_is_not);
    tcase_add_test(t, nearness_is_what_the_metric_says);
    tcase_add_test(t, a_full_ring_drops_and_counts);
    tcase_add_test(t, answers_are_taken_at_random_about_once_a_second);
    tcase_add_test(t, offers_take_no_heap);
    tcase_add_test(t, the_thread_counts_what_the_plain_call_does_and_gives_way);
    tcase_add_test(t, every_query_has_a_fate_when_the_thread_is_stopped_early);
    tcase_add_loop_test(t, what_cannot_err_is_not_checked, 0, 2);
    tcase_add_test(t, no_memory_is_said);
    suite_add_tcase(s, t);
    t = tcase_create("figures");
    tcase_add_loop_test(t, the_interval_is_that_of_wilson, 0, ROWS(intervals));
    tcase_add_loop_test(t, a_scale_that_surely_finds_too_little_is_low, 0, ROWS(rules));
    tcase_add_test(t, a_tally_is_one_sentence);
    suite_add_tcase(s, t);
    return run_suite(s);
}
