/* Scenes: weighted mean and deviation of a ring of events. */
#include "dsp/dsp.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_IN = 37, SLOTS = 20, PUSHES = 75 };

#define COUNT(table) (sizeof(table) / sizeof *(table))

static dsp_scene *scene;
static float event[PUSHES][N_IN], weight[PUSHES]; /* weight 0: a gap */
static float raw[2][2 * N_IN];

static void
setup(void)
{
    ck_assert_int_eq(dsp_scene_new(&scene, N_IN, SLOTS), DSP_OK);
}

static void
teardown(void)
{
    dsp_scene_free(scene);
}

/* Values as a standardised event's, weights over 100 dB, each third or so a gap. */
static void
make_events(uint64_t seed)
{
    for (size_t e = 0; e < PUSHES; e++) {
        for (size_t i = 0; i < N_IN; i++)
            event[e][i] = (float)(0.3 * random_normal(&seed) + 0.02 * (double)i);
        weight[e] = (float)pow(10, -2.5 + 2.5 * random_unit(&seed));
        if (random_u64(&seed) % 3 == 0)
            weight[e] = 0;
    }
}

static void
push(dsp_scene *s, size_t e)
{
    dsp_scene_push(s, weight[e] > 0 ? event[e] : NULL, weight[e]);
}

/* Of the events first..end-1. */
static uint32_t
define(size_t first, size_t end, double want[2 * N_IN])
{
    double total = 0;
    uint32_t n = 0;
    memset(want, 0, 2 * N_IN * sizeof *want);
    for (size_t e = first; e < end; e++) {
        total += (double)weight[e];
        n += weight[e] > 0;
    }
    for (size_t i = 0; n && i < N_IN; i++) {
        for (size_t e = first; e < end; e++)
            want[i] += (double)weight[e] * (double)event[e][i] / total;
        for (size_t e = first; e < end; e++)
            want[N_IN + i] +=
                (double)weight[e] * pow((double)event[e][i] - want[i], 2) / total;
        want[N_IN + i] = sqrt(want[N_IN + i]);
    }
    return n;
}

/* ---- Mean and deviation ---- */

static const uint32_t sizes[] = {1, 2, 3, 7, 20, 74, 75, 76};

/* Each push, in a ring that goes round up to 75 times. */
START_TEST(windows_equal_the_weighted_mean_and_deviation_of_the_last_events)
{
    const size_t n_slots = sizes[_i];
    double want[2 * N_IN];
    dsp_scene *s;
    ck_assert_int_eq(dsp_scene_new(&s, N_IN, (uint32_t)n_slots), DSP_OK);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        make_events(seed);
        dsp_scene_reset(s);
        for (size_t end = 1; end <= PUSHES; end++) {
            push(s, end - 1);
            const uint32_t n = define(end > n_slots ? end - n_slots : 0, end, want);
            ck_assert_uint_eq(dsp_scene_window(s, raw[0]), n);
            for (size_t i = 0; n && i < COUNT(want); i++)
                ck_assert_msg(fabs((double)raw[0][i] - want[i]) < 1e-6,
                              "%zu slots, push %zu, %zu: %.9g, by definition %.9g",
                              n_slots, end, i, (double)raw[0][i], want[i]);
        }
    }
    dsp_scene_free(s);
}
END_TEST

START_TEST(one_event_is_the_mean_and_has_no_deviation)
{
    static const float weights[] = {1, 1e-30F, 3e-6F, 0.7F, 1e30F};
    make_events(6);
    for (size_t w = 0; w < COUNT(weights); w++)
        for (size_t gaps = 0; gaps < SLOTS; gaps++) {
            dsp_scene_reset(scene);
            dsp_scene_push(scene, event[w], weights[w]);
            for (size_t g = 0; g < gaps; g++)
                dsp_scene_push(scene, NULL, 0);
            ck_assert_uint_eq(dsp_scene_window(scene, raw[0]), 1);
            ck_assert_mem_eq(raw[0], event[w], sizeof event[w]);
            for (size_t i = N_IN; i < COUNT(raw[0]); i++)
                ck_assert_float_eq(raw[0][i], 0);
        }
}
END_TEST

START_TEST(a_loud_event_outweighs_what_is_60_dB_quieter)
{
    make_events(7);
    for (size_t e = 0; e < SLOTS; e++)
        dsp_scene_push(scene, event[e], e == 11 ? 0.3F : 3e-4F);
    ck_assert_uint_eq(dsp_scene_window(scene, raw[0]), SLOTS);
    for (size_t i = 0; i < N_IN; i++) {
        ck_assert_float_eq_tol(raw[0][i], event[11][i], 0.04F); /* 19 times 1/1000 */
        ck_assert_float_le(raw[0][N_IN + i], 0.3F);
    }
}
END_TEST

/* A power of two changes no bit, other gains the last ones. */
START_TEST(weights_are_relative)
{
    static const float gains[] = {1024, 0.0625F, 3, 0.01F, 1e5F};
    make_events(8);
    for (size_t e = 0; e < PUSHES; e++)
        push(scene, e);
    dsp_scene_window(scene, raw[0]);
    for (size_t g = 0; g < COUNT(gains); g++) {
        for (size_t e = 0; e < PUSHES; e++)
            dsp_scene_push(scene, weight[e] > 0 ? event[e] : NULL,
                           gains[g] * weight[e]);
        dsp_scene_window(scene, raw[1]);
        for (size_t i = 0; i < COUNT(raw[0]); i++)
            ck_assert_msg(fabsf(raw[0][i] - raw[1][i]) <= (g < 2 ? 0 : 1e-6F),
                          "times %g, %zu: %.9g not %.9g", (double)gains[g], i,
                          (double)raw[1][i], (double)raw[0][i]);
    }
}
END_TEST

/* ---- The ring ---- */

START_TEST(nothing_but_gaps_leaves_raw_alone)
{
    memset(raw, 0x55, sizeof raw);
    ck_assert_uint_eq(dsp_scene_window(scene, raw[0]), 0);
    make_events(9);
    dsp_scene_push(scene, event[0], 1);
    for (size_t e = 0; e < SLOTS; e++)
        dsp_scene_push(scene, NULL, 1); /* a gap, whatever it is said to weigh */
    ck_assert_uint_eq(dsp_scene_window(scene, raw[0]), 0);
    for (size_t e = 0; e < SLOTS; e++)
        dsp_scene_push(scene, event[e], 0);
    ck_assert_uint_eq(dsp_scene_window(scene, raw[0]), 0);
    ck_assert_mem_eq(raw[0], raw[1], sizeof *raw);
}
END_TEST

/* Wherever the ring stands, and whatever was in it. */
START_TEST(only_the_last_events_count_in_every_bit)
{
    make_events(10);
    for (size_t before = 0; before < 2 * SLOTS + 3; before++) {
        dsp_scene_reset(scene);
        for (size_t e = 0; e < before; e++)
            dsp_scene_push(scene, event[PUSHES - 1 - e % 30], 1e6F);
        for (size_t e = 0; e < SLOTS; e++)
            push(scene, e);
        ck_assert_uint_gt(dsp_scene_window(scene, raw[before > 0]), SLOTS / 3);
        ck_assert_mem_eq(raw[before > 0], raw[0], sizeof *raw);
    }
}
END_TEST

START_TEST(a_reset_scene_is_as_new)
{
    dsp_scene *fresh;
    make_events(11);
    ck_assert_int_eq(dsp_scene_new(&fresh, N_IN, SLOTS), DSP_OK);
    for (size_t e = 0; e < 33; e++)
        push(scene, e);
    dsp_scene_reset(scene);
    memset(raw, 0, sizeof raw);
    ck_assert_uint_eq(dsp_scene_window(scene, raw[0]), 0);
    for (size_t e = 0; e < PUSHES; e++) {
        push(scene, e);
        push(fresh, e);
        ck_assert_uint_eq(dsp_scene_window(scene, raw[0]),
                          dsp_scene_window(fresh, raw[1]));
        ck_assert_mem_eq(raw[0], raw[1], sizeof *raw);
    }
    dsp_scene_free(fresh);
}
END_TEST

START_TEST(an_event_may_change_once_it_is_pushed)
{
    make_events(12);
    dsp_scene_push(scene, event[0], 1);
    dsp_scene_window(scene, raw[0]);
    memset(event[0], 0, sizeof event[0]);
    dsp_scene_window(scene, raw[1]);
    ck_assert_mem_eq(raw[0], raw[1], sizeof *raw);
}
END_TEST

/* ---- Weights ---- */

enum { AT_C0 = 105 + 144 + 256 }; /* behind descriptors, modulation, template */

/* c0 is 8 times the mean level in dB. */
START_TEST(an_event_weighs_as_the_amplitude_of_its_mean_level)
{
    float values[DSP_BLOCK_VALUES];
    for (size_t i = 0; i < COUNT(values); i++)
        values[i] = 1e9F; /* none of its business */
    ck_assert_uint_eq(AT_C0, dsp_block_size[0] + dsp_block_size[1] + dsp_block_size[2]);
    for (double db = -110; db < 120; db += 0.37) {
        values[AT_C0] = (float)(8 * db);
        const double want = pow(10, db / 20);
        ck_assert_double_eq_tol((double)dsp_event_weight(values), want, 1e-5 * want);
    }
}
END_TEST

START_TEST(twice_the_amplitude_weighs_twice)
{
    enum { N = 60 };
    float mel[N][DSP_BANDS], descriptors[N][DSP_DESCRIPTORS] = {{0}};
    float values[DSP_BLOCK_VALUES], weights[2];
    uint64_t seed = 13;
    dsp_blocks *b;
    ck_assert_int_eq(dsp_blocks_new(&b, N), DSP_OK);
    for (size_t t = 0; t < N; t++)
        for (size_t i = 0; i < DSP_BANDS; i++)
            mel[t][i] = (float)(-40 + 10 * random_unit(&seed));
    for (size_t twice = 0; twice < 2; twice++) {
        for (size_t t = 0; twice && t < N; t++)
            for (size_t i = 0; i < DSP_BANDS; i++)
                mel[t][i] += 6.0206F;
        dsp_blocks_window(b, mel[0], descriptors[0], N, values);
        weights[twice] = dsp_event_weight(values);
    }
    ck_assert_float_eq_tol(weights[1] / weights[0], 2, 1e-5F);
    dsp_blocks_free(b);
}
END_TEST

/* ---- Memory ---- */

static const struct {
    uint32_t n_in, n_slots;
    dsp_status st;
} shapes[] = {
    {0, 20, DSP_EARG}, {675, 0, DSP_EARG}, {0, 0, DSP_EARG},
    {1, 1, DSP_OK},    {675, 1, DSP_OK},   {675, 80, DSP_OK},
};

START_TEST(new_accepts_documented_shapes)
{
    dsp_scene *s = scene;
    ck_assert_int_eq(dsp_scene_new(&s, shapes[_i].n_in, shapes[_i].n_slots),
                     shapes[_i].st);
    ck_assert(!!s == (shapes[_i].st == DSP_OK));
    dsp_scene_free(s);
}
END_TEST

START_TEST(new_survives_each_allocation_failing)
{
    dsp_scene *s = NULL;
    uint64_t k = 1;
    for (; !s; k++) {
        s = scene; /* to be overwritten */
        heap_fail_at = k;
        const dsp_status st = dsp_scene_new(&s, N_IN, SLOTS);
        heap_fail_at = 0;
        ck_assert(st == (s ? DSP_OK : DSP_ENOMEM));
    }
    ck_assert_uint_eq(k, 5); /* three of them, and two steps of the count */
    dsp_scene_free(s);
}
END_TEST

START_TEST(pushes_and_windows_leave_the_heap_alone)
{
    uint32_t n = 0;
    make_events(14);
    const uint64_t before = heap_calls;
    for (size_t e = 0; e < PUSHES; e++) {
        push(scene, e);
        n += dsp_scene_window(scene, raw[0]);
    }
    dsp_scene_reset(scene);
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(after, before);
    ck_assert_uint_gt(n, PUSHES);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("scene");
    TCase *t = tcase_create("scene");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(
        t, windows_equal_the_weighted_mean_and_deviation_of_the_last_events, 0,
        COUNT(sizes));
    tcase_add_test(t, one_event_is_the_mean_and_has_no_deviation);
    tcase_add_test(t, a_loud_event_outweighs_what_is_60_dB_quieter);
    tcase_add_test(t, weights_are_relative);
    tcase_add_test(t, nothing_but_gaps_leaves_raw_alone);
    tcase_add_test(t, only_the_last_events_count_in_every_bit);
    tcase_add_test(t, a_reset_scene_is_as_new);
    tcase_add_test(t, an_event_may_change_once_it_is_pushed);
    tcase_add_test(t, an_event_weighs_as_the_amplitude_of_its_mean_level);
    tcase_add_test(t, twice_the_amplitude_weighs_twice);
    tcase_add_loop_test(t, new_accepts_documented_shapes, 0, COUNT(shapes));
    tcase_add_test(t, new_survives_each_allocation_failing);
    tcase_add_test(t, pushes_and_windows_leave_the_heap_alone);
    suite_add_tcase(s, t);
    return run_suite(s);
}
