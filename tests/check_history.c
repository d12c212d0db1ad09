/* rt/history.c, rt/history_take.c: the last seconds of an input. */
#include "rt/history.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, BLOCK = 240 };
static const double gate_db = -50;

static rt_history h;
static uint64_t frame; /* of the stream, that comes next */

/* So many seconds of a sine of that amplitude, in blocks. */
static void
play(double seconds, double amplitude)
{
    float x[BLOCK];
    for (size_t left = (size_t)(seconds * RATE); left >= BLOCK; left -= BLOCK) {
        for (int i = 0; i < BLOCK; i++)
            x[i] = (float)(amplitude * sin(0.1 * (double)(frame + (uint64_t)i)));
        rt_history_block(&h, x, BLOCK, frame);
        frame += BLOCK;
    }
}

static void
begin(void)
{
    memset(&h, 0, sizeof h);
    frame = 1000;
    ck_assert(rt_history_new(&h));
    rt_history_begin(&h, RATE, frame);
}

static void
end(void)
{
    rt_history_free(&h);
}

/* Seconds of what is taken; 0, with the sentence, when it is refused. */
static char why[400];
static double
taken(double seconds)
{
    rt_heard s;
    *why = 0;
    if (!rt_history_take(&h, seconds, gate_db, &s, why, sizeof why)) {
        ck_assert(*why && !s.x);
        return 0;
    }
    ck_assert_uint_eq(s.rate_hz, RATE);
    const double length = (double)s.n / s.rate_hz;
    free(s.x);
    return length;
}

#define NEAR(a, b) ck_assert_msg(fabs((a) - (b)) < 0.006, "%g is not %g", (a), (b))

START_TEST(the_last_seconds_are_taken_sample_by_sample)
{
    rt_heard s;
    play(3, 0.5);
    ck_assert(rt_history_take(&h, 1.5, gate_db, &s, why, sizeof why));
    ck_assert(s.n > RATE * 3 / 2 - 8 && s.n <= RATE * 3 / 2);
    for (size_t i = 0; i < s.n; i++) {
        const float want = (float)(0.5 * sin(0.1 * (double)(frame - s.n + i)));
        ck_assert(!(s.x[i] < want) && !(s.x[i] > want));
    }
    free(s.x);
    NEAR(taken(10), 3.0); /* as much as there is */
}
END_TEST

START_TEST(without_seconds_it_begins_where_the_gate_last_opened)
{
    play(1.5, 0.5);
    NEAR(taken(0), 1.5); /* no pause yet */
    play(1, 0.5);
    NEAR(taken(0), 2.02); /* but the last two seconds at most */
    play(0.15, 0.0001);
    play(0.7, 0.5);
    NEAR(taken(0), 0.72);
    play(0.05, 0.0001); /* the gate holds through that */
    play(0.3, 0.5);
    NEAR(taken(0), 1.07);
    play(0.5, 0.0001);
    NEAR(taken(0), 1.17);
    play(0.5, 0.002); /* does not open it */
    NEAR(taken(0), 1.17);
    play(11, 0.5); /* too long ago */
    NEAR(taken(0), 2.02);
}
END_TEST

START_TEST(quiet_ends_are_cut_off)
{
    play(1, 0.0001);
    play(0.5, 0.5);
    play(1, 0.0001);
    NEAR(taken(2.5), 0.02 + 0.5 + 0.1);
}
END_TEST

START_TEST(what_was_lost_is_silence_or_an_end)
{
    play(1, 0.5);
    frame += 1000;
    play(0.5, 0.5);
    NEAR(taken(2), 1.5 + 1000.0 / RATE);
    NEAR(taken(0), 1.5 + 1000.0 / RATE);
    frame += RATE / 5; /* as long as a pause */
    play(0.3, 0.5);
    NEAR(taken(2), 2.0);
    NEAR(taken(0), 0.32);
    frame += RATE + 1;
    play(0.5, 0.5);
    NEAR(taken(2), 0.5);
    NEAR(taken(0), 0.5);
    rt_history_begin(&h, RATE, frame); /* another stream */
    ck_assert(!(taken(2) > 0));
    ck_assert_msg(strstr(why, "too short") != NULL, "%s", why);
    play(0.25, 0.5);
    NEAR(taken(2), 0.25);
}
END_TEST

START_TEST(what_is_too_quiet_or_too_short_is_refused_in_a_sentence)
{
    ck_assert(!(taken(1) > 0));
    ck_assert_msg(strstr(why, "nothing has been heard yet") != NULL, "%s", why);
    play(0.02, 0.5);
    ck_assert(!(taken(1) > 0));
    ck_assert_msg(strstr(why, "too short") != NULL, "%s", why);
    play(3, 0.001);
    ck_assert(!(taken(1) > 0) && !(taken(2.9) > 0));
    ck_assert_msg(strstr(why, "-50 dBFS (match.gate-db)") != NULL, "%s", why);
}
END_TEST

START_TEST(samples_that_are_no_numbers_open_no_gate)
{
    float x[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        x[i] = i % 2 ? NAN : INFINITY;
    for (int i = 0; i < 100; i++, frame += BLOCK)
        rt_history_block(&h, x, BLOCK, frame);
    ck_assert(!(taken(1) > 0));
}
END_TEST

START_TEST(one_that_keeps_nothing_takes_all_calls)
{
    float x[BLOCK] = {0};
    rt_heard s;
    rt_history none = {0};
    rt_history_begin(&none, RATE, 0);
    rt_history_block(&none, x, BLOCK, 0);
    ck_assert(!rt_history_take(&none, 1, gate_db, &s, why, sizeof why));
    rt_history_free(&none);
    heap_fail_at = 1;
    ck_assert(!rt_history_new(&none));
    rt_history_free(&none);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("history");
    TCase *tc = tcase_create("history");
    tcase_add_checked_fixture(tc, begin, end);
    tcase_add_test(tc, the_last_seconds_are_taken_sample_by_sample);
    tcase_add_test(tc, without_seconds_it_begins_where_the_gate_last_opened);
    tcase_add_test(tc, quiet_ends_are_cut_off);
    tcase_add_test(tc, what_was_lost_is_silence_or_an_end);
    tcase_add_test(tc, what_is_too_quiet_or_too_short_is_refused_in_a_sentence);
    tcase_add_test(tc, samples_that_are_no_numbers_open_no_gate);
    tcase_add_test(tc, one_that_keeps_nothing_takes_all_calls);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
