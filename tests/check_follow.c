/* rt/follow.c: cycles as servers were seen to tell of them, and what is missing then.
 */
#include "rt/follow.h"
#include "support.h"

#include <string.h>

enum { RATE = 48000 };
static const double us = 1e6 / RATE;

/* A server with a clock and counters that the test may set. */
typedef struct {
    rt_follow follow;
    rt_cycle c;
    uint64_t heard, lost;
} server;

static server
new_server(uint32_t frame, uint32_t n)
{
    return (server){.c = {.frame = frame,
                          .n = n,
                          .now_us = 1000000,
                          .us_per_frame = us,
                          .timed = true,
                          .begin_us = 1000000,
                          .end_us = 1000000 + (int64_t)(n * us)}};
}

/* Moves the frame counter, the clock of cycles and the time of callbacks. */
static void
move(server *s, int64_t frames, double cycle_frames, double frames_passed)
{
    s->c.frame = (uint32_t)(s->c.frame + frames);
    s->c.begin_us += (int64_t)(cycle_frames * us);
    s->c.end_us = s->c.begin_us + (int64_t)(s->c.n * us);
    s->c.now_us += (int64_t)(frames_passed * us);
}

/* Runs the cycle as it stands; returns what is told to be missing before it. */
static uint64_t
cycle(server *s, bool fresh)
{
    const uint64_t before = s->follow.next;
    const uint64_t first = rt_follow_cycle(&s->follow, &s->c, fresh);
    ck_assert(first >= before && s->follow.next == first + s->c.n);
    s->heard += s->c.n;
    s->lost += first - before;
    ck_assert(s->follow.next == s->heard + s->lost);
    return first - before;
}

static uint64_t
step(server *s, int64_t frames, double cycle_frames, double frames_passed)
{
    move(s, frames, cycle_frames, frames_passed);
    return cycle(s, false);
}

START_TEST(a_stream_begins_at_nought_and_goes_on_through_the_counters_end)
{
    server s = new_server(UINT32_MAX - 5000, 256);
    ck_assert_uint_eq(cycle(&s, true), 0);
    ck_assert_uint_eq(s.follow.next, 256);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(step(&s, 256, 256, 256), 0);
}
END_TEST

/* In frames of 128: what the counter, the cycle's clock and time do in one step. */
static const struct {
    const char *name;
    double frame, clock, passed;
    uint64_t lost;
} steps[] = {
    {"as it should", 128, 128, 128, 0},
    {"called a little late", 128, 128, 200, 0},
    {"called very late, and nothing is missing", 128, 128, 5000, 0},
    {"and then soon after", 128, 128, 5, 0},
    {"one cycle is missing", 256, 256, 256, 128},
    {"a part of one", 168, 168, 168, 40},
    {"five are", 768, 768, 768, 640},
    {"called late, too", 768, 768, 900, 640},
    {"a counter that lies", 48000000, 128, 128, 0},
    {"by two seconds", 96128, 128, 128, 0},
    {"with jackd -S only the clock tells", 128, 12928, 12928, 12800},
    {"that an awaking was late is no loss", 128, 228, 228, 0},
    {"nor that a clock is thrown about while sound comes", 128, 500, 128, 0},
    {"the clock goes back", 128, -1000, 128, 0},
    {"frozen for two seconds, the counter knows of one cycle", 256, 256, 96128, 96000},
    {"of none", 128, 128, 96128, 96000},
    {"of all", 96128, 96128, 96128, 96000},
};

START_TEST(what_is_missing_is_known_from_the_counter_or_the_clock)
{
    server s = new_server(7000, 128);
    cycle(&s, true);
    step(&s, 128, 128, 128);
    const uint64_t lost =
        step(&s, (int64_t)steps[_i].frame, steps[_i].clock, steps[_i].passed);
    ck_assert_msg(lost >= steps[_i].lost - (steps[_i].lost > 1000) &&
                      lost <= steps[_i].lost,
                  "case: %s: %llu", steps[_i].name, (unsigned long long)lost);
    ck_assert_uint_eq(step(&s, 128, 128, 128), 0);
}
END_TEST

START_TEST(a_counter_that_ran_ahead_and_back_is_not_counted_twice)
{
    server s = new_server(0, 256);
    cycle(&s, true);
    for (int i = 0; i < 20; i++) {
        step(&s, 512, 512, 256); /* woken late ... */
        step(&s, 0, 0, 256);     /* ... and taken back */
        step(&s, 256, 256, 256);
    }
    ck_assert_uint_eq(s.lost, 256);
    ck_assert_uint_eq(step(&s, 512, 512, 512), 0); /* this one was counted before */
    ck_assert_uint_eq(step(&s, 512, 512, 512), 256);
    ck_assert_uint_eq(s.lost, 512);
}
END_TEST

START_TEST(a_counter_that_begins_anew_is_followed)
{
    server s = new_server(5000000, 256);
    cycle(&s, true);
    ck_assert_uint_eq(step(&s, -4000000, 256, 256), 0);
    ck_assert_uint_eq(step(&s, 512, 512, 512), 256);
}
END_TEST

static const uint32_t periods[] = {64, 128, 1024, 16, 8192, 256};

START_TEST(a_change_of_period_is_no_loss)
{
    server s = new_server(100, periods[_i]);
    cycle(&s, true);
    const uint32_t before = s.c.n, after = periods[(_i + 1) % 6];
    s.c.n = after;
    if (_i % 2) /* jackd steps by the new period, others by the old one */
        ck_assert_uint_eq(step(&s, after, before, before), 0);
    else
        ck_assert_uint_eq(step(&s, before, before, before), 0);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(step(&s, after, after, after), 0);
    ck_assert_uint_eq(step(&s, after + 999, after + 999, after + 999), 999);
}
END_TEST

START_TEST(a_change_of_period_while_ahead_stays_ahead)
{
    server s = new_server(0, 256);
    cycle(&s, true);
    step(&s, 512, 512, 256);
    step(&s, 0, 0, 256); /* 256 are counted that are not missing */
    s.c.n = 1024;
    ck_assert_uint_eq(step(&s, 1024, 256, 256), 0);
    ck_assert_uint_eq(step(&s, 1024, 1024, 1024), 0);
    ck_assert_uint_eq(step(&s, 2048, 2048, 2048), 768);
    ck_assert_uint_eq(s.lost, 1024);
}
END_TEST

START_TEST(a_clock_that_is_off_with_the_period_is_no_loss)
{
    server s = new_server(100, 1024);
    cycle(&s, true);
    s.c.n = 64;
    ck_assert_uint_eq(step(&s, 1024, 3000, 3000), 0);
}
END_TEST

START_TEST(a_new_connection_is_a_loss_of_the_time_between)
{
    server s = new_server(100, 256);
    cycle(&s, true);
    move(&s, 123456, 0, 48000 + 256);
    const uint64_t lost = cycle(&s, true);
    ck_assert_msg(lost >= 47999 && lost <= 48001, "%llu", (unsigned long long)lost);
    move(&s, 0, 0, 10); /* at once, but a loss all the same */
    ck_assert_uint_eq(cycle(&s, true), 1);
    ck_assert_uint_eq(step(&s, 256, 256, 256), 0);
}
END_TEST

START_TEST(in_freewheel_only_the_counter_counts)
{
    server s = new_server(100, 256);
    cycle(&s, true);
    s.c.freewheel = true;
    ck_assert_uint_eq(step(&s, 256, 9999, 200000), 0);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(step(&s, 256, 3, 3), 0);
    ck_assert_uint_eq(step(&s, 300000, 3, 3), 299744);
    s.c.freewheel = false;
    ck_assert_uint_eq(step(&s, 256, 48000, 300), 0);
}
END_TEST

START_TEST(without_times_the_counter_is_enough)
{
    server s = new_server(100, 256);
    s.c.timed = false;
    cycle(&s, true);
    ck_assert_uint_eq(step(&s, 256, 0, 256), 0);
    ck_assert_uint_eq(step(&s, 512, 0, 512), 256);
}
END_TEST

START_TEST(whatever_a_server_says_numbers_go_up)
{
    uint64_t random = (uint64_t)_i + 1;
    server s = new_server((uint32_t)random_u64(&random), 256);
    for (int i = 0; i < 2000; i++) {
        const uint64_t r = random_u64(&random);
        s.c.n = 1 + (uint32_t)(r & 8191);
        s.c.timed = r >> 13 & 3;
        s.c.freewheel = !(r >> 15 & 7);
        s.c.frame += r >> 18 & 1 ? s.c.n : (uint32_t)random_u64(&random);
        s.c.begin_us += (int64_t)(random_unit(&random) * 1e7);
        s.c.end_us = s.c.begin_us + (int64_t)(s.c.n * us);
        s.c.now_us += (int64_t)(random_unit(&random) * 1e6);
        cycle(&s, !(r >> 19 & 31));
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/follow");
    TCase *t = tcase_create("follow");
    tcase_add_test(t, a_stream_begins_at_nought_and_goes_on_through_the_counters_end);
    tcase_add_loop_test(t, what_is_missing_is_known_from_the_counter_or_the_clock, 0,
                        sizeof steps / sizeof *steps);
    tcase_add_test(t, a_counter_that_ran_ahead_and_back_is_not_counted_twice);
    tcase_add_test(t, a_counter_that_begins_anew_is_followed);
    tcase_add_loop_test(t, a_change_of_period_is_no_loss, 0, 6);
    tcase_add_test(t, a_change_of_period_while_ahead_stays_ahead);
    tcase_add_test(t, a_clock_that_is_off_with_the_period_is_no_loss);
    tcase_add_test(t, a_new_connection_is_a_loss_of_the_time_between);
    tcase_add_test(t, in_freewheel_only_the_counter_counts);
    tcase_add_test(t, without_times_the_counter_is_enough);
    tcase_add_loop_test(t, whatever_a_server_says_numbers_go_up, 0, 20);
    suite_add_tcase(s, t);
    return run_suite(s);
}
