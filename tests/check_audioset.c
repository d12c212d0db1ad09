/* rt/audioset.c: SequenceExamples in every order, cut short, and wrong. */
#include "support.h"
#include "vectors_support.h"

#include <math.h>

#define N(table) (int)(sizeof(table) / sizeof *(table))

static const record plain = {.video = "a_b-c012345",
                             .start_s = 30,
                             .end_s = 40,
                             .labels = {137, 0, 526},
                             .n_labels = 3,
                             .n_seconds = 10,
                             .seed = 17};

/* Takes the example of a record; the bytes stay until the next call. */
static bool
take(rt_audioset *a, const record *r, char why[200])
{
    static bytes b;
    b.n = 0;
    put_example(&b, r);
    return rt_audioset_take(a, b.b, b.n, why, 200);
}

static void
expect_plain(const rt_audioset *a)
{
    ck_assert_str_eq(a->video, plain.video);
    ck_assert_float_eq(a->start_s, 30);
    ck_assert_float_eq(a->end_s, 40);
    ck_assert_int_eq(a->first_class, 137);
    ck_assert_uint_eq(a->n, plain.n_seconds);
    for (size_t s = 0; s < a->n; s++)
        for (size_t i = 0; i < RT_AUDIOSET_DIM; i++)
            ck_assert_uint_eq(a->seconds[s][i], second_byte(&plain, s, i));
}

START_TEST(an_example_is_read_in_every_order_packed_or_not) /* V2 */
{
    rt_audioset a = {0};
    record r = plain;
    char why[200] = "";
    r.packed = _i & 1;
    r.reversed = _i & 2;
    r.values_first = _i & 4;
    r.unknown = _i & 8;
    ck_assert_msg(take(&a, &r, why), "%s", why);
    expect_plain(&a);
    rt_audioset_free(&a);
}
END_TEST

START_TEST(an_example_cut_at_every_byte_is_read_whole_or_refused) /* V2 */
{
    static bytes b;
    rt_audioset a = {0};
    record r = plain;
    size_t refused = 0;
    r.packed = _i & 1;
    r.reversed = _i & 2;
    r.unknown = _i & 4;
    r.n_seconds = 3;
    b.n = 0;
    put_example(&b, &r);
    for (size_t n = 0; n <= b.n; n++) {
        char why[200] = "";
        unsigned char *exact = malloc(n ? n : 1); /* so that a sanitizer sees the end */
        memcpy(exact, b.b, n);
        const bool ok = rt_audioset_take(&a, exact, n, why, sizeof why);
        ck_assert_msg(ok == (n == b.n), "%zu of %zu: %s", n, b.n, why);
        ck_assert_msg(ok == !*why, "%zu of %zu: %s", n, b.n, why);
        refused += !ok;
        free(exact);
    }
    ck_assert_uint_eq(refused, b.n);
    rt_audioset_free(&a);
}
END_TEST

START_TEST(an_example_with_any_byte_changed_is_read_or_refused_with_a_reason)
{
    static bytes b;
    rt_audioset a = {0};
    record r = plain;
    uint64_t seed = 3;
    r.packed = _i & 1;
    r.n_seconds = 2;
    b.n = 0;
    put_example(&b, &r);
    for (size_t n = 0; n < b.n; n++)
        for (int times = 0; times < 8; times++) {
            char why[200] = "";
            const unsigned char was = b.b[n];
            unsigned char *exact = malloc(b.n);
            b.b[n] ^= (unsigned char)(1 + random_u64(&seed) % 255);
            memcpy(exact, b.b, b.n);
            const bool ok = rt_audioset_take(&a, exact, b.n, why, sizeof why);
            ck_assert_msg(ok == !*why, "byte %zu: %s", n, why);
            ck_assert(!ok || (a.n >= 1 && a.n <= 2 && *a.video));
            free(exact);
            b.b[n] = was;
        }
    rt_audioset_free(&a);
}
END_TEST

static char long_name[IDX_MAX_PATH + 2];

static const struct {
    record r;
    const char *why;
} bad[] = {
    {{.start_s = 0, .end_s = 10, .n_seconds = 1}, "it has no video_id"},
    {{.video = "", .end_s = 10, .n_seconds = 1},
     "its video_id is no text of 1 to 1000 bytes"},
    {{.video = long_name, .end_s = 10, .n_seconds = 1},
     "its video_id is no text of 1 to 1000 bytes"},
    {{.video = "v", .no_start = true, .end_s = 10, .n_seconds = 1},
     "it has no start_time_seconds or no end_time_seconds"},
    {{.video = "v", .no_end = true, .n_seconds = 1},
     "it has no start_time_seconds or no end_time_seconds"},
    {{.video = "v", .start_s = 10, .end_s = 10, .n_seconds = 1},
     "its end_time_seconds is not behind its start_time_seconds"},
    {{.video = "v", .start_s = NAN, .end_s = 10, .n_seconds = 1},
     "its start_time_seconds is no time"},
    {{.video = "v", .start_s = 0, .end_s = INFINITY, .n_seconds = 1},
     "its end_time_seconds is no time"},
    {{.video = "v", .start_s = -1, .end_s = 10, .n_seconds = 1},
     "its start_time_seconds is no time"},
    {{.video = "v", .end_s = 10}, "it has no audio_embedding"},
    {{.video = "v", .end_s = 10, .n_seconds = 1, .labels = {1, 527}, .n_labels = 2},
     "one of its labels is outside of 0 to 526"},
    {{.video = "v", .end_s = 10, .n_seconds = 1, .labels = {-1}, .n_labels = 1},
     "one of its labels is outside of 0 to 526"},
};

START_TEST(an_example_that_lacks_something_is_refused_by_name)
{
    rt_audioset a = {0};
    record r = bad[_i].r;
    memset(long_name, 'v', sizeof long_name - 1);
    for (int packed = 0; packed < 2; packed++) {
        char why[200] = "";
        r.packed = packed;
        ck_assert(!take(&a, &r, why));
        ck_assert_str_eq(why, bad[_i].why);
    }
    rt_audioset_free(&a);
}
END_TEST

START_TEST(labels_may_be_missing)
{
    rt_audioset a = {0};
    record r = plain;
    char why[200] = "";
    ck_assert(take(&a, &r, why) && a.first_class == 137);
    r.n_labels = 0;
    ck_assert(take(&a, &r, why));
    ck_assert_int_eq(a.first_class, RT_NO_CLASS);
    rt_audioset_free(&a);
}
END_TEST

/* An example whose one second is this Feature. */
static bool
take_feature(rt_audioset *a, const bytes *feature, char why[200])
{
    static bytes b, context, lists, seconds;
    b.n = context.n = lists.n = seconds.n = 0;
    for (int part = 0; part < 4; part++)
        put_context_part(&context, &plain, part);
    put_bytes(&seconds, 1, feature->b, feature->n);
    put_entry(&lists, &plain, "audio_embedding", &seconds);
    put_bytes(&b, 1, context.b, context.n);
    put_bytes(&b, 2, lists.b, lists.n);
    return rt_audioset_take(a, b.b, b.n, why, 200);
}

START_TEST(a_second_of_another_shape_is_refused_by_name)
{
    static const struct {
        uint32_t kind; /* of the list; 0: nothing was set */
        size_t n_bytes, times;
        const char *why;
    } cases[] = {
        {1, 128, 1, ""},
        {0, 0, 0, "its audio_embedding has no value"},
        {1, 0, 0, "its audio_embedding has no value"},
        {1, 127, 1, "second 0 has 127 bytes instead of 128"},
        {1, 129, 1, "second 0 has 129 bytes instead of 128"},
        {1, 0, 1, "second 0 has 0 bytes instead of 128"},
        {1, 128, 2, "its audio_embedding has more than one value"},
        {2, 128, 1, "its audio_embedding is of another kind"},
        {3, 128, 1, "its audio_embedding is of another kind"},
    };
    static bytes list, feature;
    for (int i = 0; i < N(cases); i++) {
        const unsigned char q[129] = {0};
        rt_audioset a = {0};
        char why[200] = "";
        list.n = feature.n = 0;
        for (size_t t = 0; t < cases[i].times; t++)
            put_bytes(&list, 1, q, cases[i].n_bytes);
        if (cases[i].kind)
            put_bytes(&feature, cases[i].kind, list.b, list.n);
        ck_assert(take_feature(&a, &feature, why) == !*cases[i].why);
        ck_assert_str_eq(why, cases[i].why);
        rt_audioset_free(&a);
    }
}
END_TEST

START_TEST(of_two_entries_with_one_key_the_later_counts)
{
    static bytes b, map;
    rt_audioset a = {0};
    record first = plain;
    char why[200] = "";
    b.n = map.n = 0;
    put_example(&b, &plain);
    first.seed = 99;
    first.n_seconds = 4;
    put_seconds(&map, &first);
    put_bytes(&b, 2, map.b, map.n);
    ck_assert_msg(rt_audioset_take(&a, b.b, b.n, why, sizeof why), "%s", why);
    ck_assert_uint_eq(a.n, 4);
    ck_assert_uint_eq(a.seconds[0][0], 99);
    rt_audioset_free(&a);
}
END_TEST

/* ---- Values ---------------------------------------------------------------------- */

START_TEST(bytes_become_what_they_stood_for) /* V3 */
{
    double worst = 0, sum = 0;
    enum { STEPS = 40000 };
    for (int i = 0; i < STEPS; i++) {
        const double v = -2 + 4.0 * (i + 0.5) / STEPS;
        const unsigned char q[RT_AUDIOSET_DIM] = {
            (unsigned char)((v + 2) * 255 / 4)}; /* as the release cut it */
        float back[RT_AUDIOSET_DIM];
        rt_audioset_second(q, back);
        worst = fmax(worst, fabs((double)back[0] - v));
        sum += (double)back[0] - v;
    }
    ck_assert_double_lt(worst, 0.0079);
    ck_assert_double_lt(fabs(sum / STEPS), 1e-4); /* no lean: half a step was added */
}
END_TEST

START_TEST(the_mean_is_that_of_the_seconds)
{
    rt_audioset a = {0};
    char why[200] = "";
    float mean[RT_AUDIOSET_DIM], v[RT_AUDIOSET_DIM];
    ck_assert(take(&a, &plain, why));
    rt_audioset_mean(&a, mean);
    for (size_t i = 0; i < RT_AUDIOSET_DIM; i++) {
        double sum = 0;
        for (size_t s = 0; s < a.n; s++) {
            rt_audioset_second(a.seconds[s], v);
            sum += (double)v[i];
        }
        ck_assert_double_lt(fabs(sum / (double)a.n - (double)mean[i]), 1e-6);
    }
    rt_audioset_free(&a);
}
END_TEST

START_TEST(each_failing_allocation_ends_it_with_a_reason)
{
    static bytes b;
    record r = plain;
    r.n_seconds = 20; /* room for 16, then for 32 */
    b.n = 0;
    put_example(&b, &r);
    for (uint64_t k = 1; k <= 3; k++) {
        rt_audioset a = {0};
        char why[200] = "";
        heap_fail_at = k;
        const bool ok = rt_audioset_take(&a, b.b, b.n, why, sizeof why);
        heap_fail_at = 0;
        ck_assert(ok == (k == 3));
        ck_assert_str_eq(why, ok ? "" : "there is not enough memory for it");
        ck_assert(!ok || a.n == 20);
        rt_audioset_free(&a);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/audioset");
    TCase *t = tcase_create("records");
    tcase_add_loop_test(t, an_example_is_read_in_every_order_packed_or_not, 0, 16);
    tcase_add_loop_test(t, an_example_cut_at_every_byte_is_read_whole_or_refused, 0, 8);
    tcase_add_loop_test(
        t, an_example_with_any_byte_changed_is_read_or_refused_with_a_reason, 0, 2);
    tcase_add_loop_test(t, an_example_that_lacks_something_is_refused_by_name, 0,
                        N(bad));
    tcase_add_test(t, labels_may_be_missing);
    tcase_add_test(t, a_second_of_another_shape_is_refused_by_name);
    tcase_add_test(t, of_two_entries_with_one_key_the_later_counts);
    suite_add_tcase(s, t);
    t = tcase_create("values");
    tcase_add_test(t, bytes_become_what_they_stood_for);
    tcase_add_test(t, the_mean_is_that_of_the_seconds);
    tcase_add_test(t, each_failing_allocation_ends_it_with_a_reason);
    suite_add_tcase(s, t);
    return run_suite(s);
}
