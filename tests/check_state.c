/* rt/state.c: when a server is opened and closed, by a clock that the test turns. */
#include "rt/supervise.h"
#include "support.h"

#include <string.h>

/* A server, and the thread that opens it, in steps of 10 ms. */
typedef struct {
    rt_watch watch;
    rt_seen seen;
    double now;
    bool there, frozen, dumb; /* dumb: it opens, but no cycle ever comes */
    rt_action doing;
    double done_at;
    double took_s; /* each action */
    int n_opens, n_closes;
    double opened_at[100];
} world;

static const double step = 0.01;

static world
new_world(void)
{
    return (world){.watch = rt_watch_new(0),
                   .seen = {.period_s = 0.01},
                   .there = true,
                   .took_s = 0.015};
}

static void
end_action(world *w)
{
    if (w->doing == RT_DO_OPEN) {
        w->seen.open = w->there;
        w->seen.gone = false;
        w->seen.cycles = 0;
    } else {
        w->seen.open = false;
    }
    w->doing = RT_DO_NOTHING;
}

static void
begin_action(world *w, rt_action action)
{
    ck_assert(!w->seen.busy);
    ck_assert(w->seen.open == (action == RT_DO_CLOSE));
    if (action == RT_DO_OPEN && w->n_opens < 100)
        w->opened_at[w->n_opens++] = w->now;
    w->n_closes += action == RT_DO_CLOSE;
    w->doing = action;
    w->done_at = w->now + w->took_s;
}

static void
turn(world *w)
{
    w->now += step;
    if (w->doing != RT_DO_NOTHING && w->now >= w->done_at && !w->frozen)
        end_action(w);
    w->seen.busy = w->doing != RT_DO_NOTHING;
    w->seen.gone |= w->seen.open && !w->there;
    w->seen.cycles += w->seen.open && w->there && !w->frozen && !w->dumb;
    const rt_action action = rt_watch_look(&w->watch, &w->seen, w->now);
    if (action != RT_DO_NOTHING)
        begin_action(w, action);
}

static void
turn_for(world *w, double seconds)
{
    const double end = w->now + seconds;
    while (w->now < end)
        turn(w);
}

START_TEST(a_server_that_is_there_runs_at_once)
{
    world w = new_world();
    ck_assert_int_eq(w.watch.state, RT_WAITING);
    turn_for(&w, 0.1);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
    turn_for(&w, 100);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
    ck_assert_int_eq(w.n_opens, 1);
    ck_assert_int_eq(w.n_closes, 0);
}
END_TEST

START_TEST(an_absent_server_is_tried_for_ever_and_ever_more_rarely)
{
    world w = new_world();
    w.there = false;
    turn_for(&w, 60);
    ck_assert_int_eq(w.watch.state, RT_WAITING);
    static const double waits[] = {0.25, 0.5, 1, 2, 2, 2};
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq_tol(w.opened_at[i + 1] - w.opened_at[i], waits[i], 0.03);
    ck_assert_int_gt(w.n_opens, 28);
    w.there = true;
    turn_for(&w, 2.1);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
}
END_TEST

START_TEST(a_server_that_goes_is_closed_and_tried_again_at_once)
{
    world w = new_world();
    w.there = false;
    turn_for(&w, 20); /* waits have grown */
    w.there = true;
    turn_for(&w, 3);
    w.there = false;
    const int before = w.n_opens;
    turn_for(&w, 0.02);
    ck_assert_int_eq(w.watch.state, RT_WAITING);
    ck_assert_int_eq(w.n_closes, 1);
    turn_for(&w, 0.9); /* after 0.03, 0.28 and 0.78 s */
    ck_assert_int_eq(w.n_opens, before + 3);
    w.there = true;
    turn_for(&w, 1.1);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
}
END_TEST

START_TEST(a_server_that_stands_still_is_told_from_a_slow_one)
{
    world w = new_world();
    turn_for(&w, 1);
    w.frozen = true;
    turn_for(&w, 0.95);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
    turn_for(&w, 0.1);
    ck_assert_int_eq(w.watch.state, RT_STALLED);
    w.frozen = false;
    turn_for(&w, 0.02);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
    ck_assert_int_eq(w.n_closes, 0);
    w.seen.period_s = 1.024; /* 8192 frames at 8 kHz */
    w.frozen = true;
    turn_for(&w, 10.2);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
    turn_for(&w, 0.1);
    ck_assert_int_eq(w.watch.state, RT_STALLED);
}
END_TEST

START_TEST(in_freewheel_nobody_is_in_a_hurry)
{
    world w = new_world();
    turn_for(&w, 1);
    w.seen.freewheel = w.frozen = true;
    turn_for(&w, 100);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
    ck_assert_int_eq(w.n_closes, 0);
}
END_TEST

START_TEST(a_call_that_no_frozen_server_holds_is_lost_after_ten_seconds)
{
    world w = new_world();
    turn_for(&w, 1);
    w.frozen = true; /* so that closing is held */
    turn_for(&w, 1 + 5.1);
    ck_assert_int_eq(w.n_closes, 1);
    turn_for(&w, 9.5);
    ck_assert(!rt_watch_is_lost(&w.watch, false, w.now));
    turn_for(&w, 1);
    ck_assert(rt_watch_is_lost(&w.watch, false, w.now));
    ck_assert(!rt_watch_is_lost(&w.watch, true, w.now)); /* it may thaw */
}
END_TEST

START_TEST(a_frozen_server_is_opened_anew_and_may_hold_that_for_long)
{
    world w = new_world();
    turn_for(&w, 1);
    w.frozen = true;
    turn_for(&w, 1 + 4.9);
    ck_assert_int_eq(w.n_closes, 0);
    turn_for(&w, 0.2);
    ck_assert_int_eq(w.n_closes, 1);
    turn_for(&w, 15); /* closing takes as long as it is frozen */
    ck_assert_int_eq(w.watch.state, RT_STALLED);
    ck_assert_int_eq(w.n_closes, 1);
    ck_assert(!rt_watch_is_stuck(&w.watch, w.now));
    turn_for(&w, 10);
    ck_assert(rt_watch_is_stuck(&w.watch, w.now));
    w.frozen = false;
    turn_for(&w, 0.2);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
    ck_assert(!rt_watch_is_stuck(&w.watch, w.now));
    ck_assert_int_eq(w.n_opens, 2);
}
END_TEST

START_TEST(a_server_that_never_runs_is_opened_more_and_more_rarely)
{
    world w = new_world();
    w.dumb = true;
    turn_for(&w, 600);
    ck_assert_int_eq(w.watch.state, RT_STALLED);
    static const double waits[] = {6, 11, 21, 41, 61, 61};
    for (int i = 0; i < 6; i++) /* and the wait of an opening that brought nothing */
        ck_assert_double_eq_tol(w.opened_at[i + 1] - w.opened_at[i], waits[i] + 1, 1.3);
    w.dumb = false;
    turn_for(&w, 0.1);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
}
END_TEST

START_TEST(a_server_that_dies_on_being_opened_is_not_opened_without_a_pause)
{
    world w = new_world();
    w.dumb = true;
    for (int i = 0; i < 1000; i++) {
        turn(&w);
        w.there = !w.seen.open; /* for 10 s */
    }
    ck_assert_int_gt(w.n_opens, 3);
    ck_assert_int_lt(w.n_opens, 9);
}
END_TEST

START_TEST(whatever_happens_actions_fit_and_a_good_server_runs_in_the_end)
{
    uint64_t random = (uint64_t)_i + 1;
    world w = new_world();
    for (int i = 0; i < 300; i++) {
        const uint64_t r = random_u64(&random);
        w.there = r >> 8 & 3;
        w.frozen = !(r >> 10 & 3);
        w.dumb = !(r >> 12 & 7);
        w.took_s = (double)(r >> 15 & 255) / 100;
        turn_for(&w, (double)(r >> 23 & 1023) / 200);
        ck_assert(w.watch.state != RT_RUNNING || w.seen.open);
    }
    w.there = true;
    w.frozen = w.dumb = false;
    w.took_s = 0.1;
    turn_for(&w, 65);
    ck_assert_int_eq(w.watch.state, RT_RUNNING);
}
END_TEST

START_TEST(states_have_the_names_that_osc_tells)
{
    ck_assert_str_eq(rt_state_name(RT_WAITING), "waiting");
    ck_assert_str_eq(rt_state_name(RT_RUNNING), "running");
    ck_assert_str_eq(rt_state_name(RT_STALLED), "stalled");
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/state");
    TCase *t = tcase_create("state");
    tcase_add_test(t, a_server_that_is_there_runs_at_once);
    tcase_add_test(t, an_absent_server_is_tried_for_ever_and_ever_more_rarely);
    tcase_add_test(t, a_server_that_goes_is_closed_and_tried_again_at_once);
    tcase_add_test(t, a_server_that_stands_still_is_told_from_a_slow_one);
    tcase_add_test(t, in_freewheel_nobody_is_in_a_hurry);
    tcase_add_test(t, a_call_that_no_frozen_server_holds_is_lost_after_ten_seconds);
    tcase_add_test(t, a_frozen_server_is_opened_anew_and_may_hold_that_for_long);
    tcase_add_test(t, a_server_that_never_runs_is_opened_more_and_more_rarely);
    tcase_add_test(t, a_server_that_dies_on_being_opened_is_not_opened_without_a_pause);
    tcase_add_loop_test(
        t, whatever_happens_actions_fit_and_a_good_server_runs_in_the_end, 0, 50);
    tcase_add_test(t, states_have_the_names_that_osc_tells);
    suite_add_tcase(s, t);
    return run_suite(s);
}
