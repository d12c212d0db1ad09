/* rt/shed.c: what a late analysis does without. */
#include "rt/shed.h"
#include "support.h"

#include <string.h>

enum { RATE = 48000, MS = RATE / 1000 };

static const struct {
    const char *name;
    uint64_t late_ms;
    uint32_t level;
} levels[] = {
    {"on time", 0, RT_SHED_NOTHING},      {"one hop late", 10, RT_SHED_NOTHING},
    {"99 ms", 99, RT_SHED_NOTHING},       {"100 ms", 100, RT_SHED_SCENES},
    {"199 ms", 199, RT_SHED_SCENES},      {"200 ms", 200, RT_SHED_EVENTS},
    {"399 ms", 399, RT_SHED_EVENTS},      {"400 ms", 400, RT_SHED_FRAMES},
    {"an hour", 3600000, RT_SHED_FRAMES},
};

START_TEST(scenes_go_first_then_events_then_frames)
{
    rt_shed s = rt_shed_new(RATE);
    const uint64_t now = UINT64_C(5000000) * RATE; /* two months */
    ck_assert(rt_shed_judge(&s, now - levels[_i].late_ms * MS, now));
    ck_assert_msg(s.level == levels[_i].level, "%s: %u", levels[_i].name, s.level);
}
END_TEST

START_TEST(a_level_stays_until_nothing_is_late)
{
    rt_shed s = rt_shed_new(RATE);
    const uint64_t now = 10 * RATE;
    uint64_t first = now - 450 * MS;
    for (; first < now; first += 64) {
        ck_assert(rt_shed_judge(&s, first, now));
        ck_assert_uint_eq(s.level, RT_SHED_FRAMES);
    }
    ck_assert(rt_shed_judge(&s, first, now));
    ck_assert_uint_eq(s.level, RT_SHED_NOTHING);
}
END_TEST

START_TEST(a_block_of_the_newest_cycle_is_on_time_however_long_that_is)
{
    rt_shed s = rt_shed_new(22050);
    for (uint32_t at = 0; at < 8192; at += RT_BLOCK_FRAMES)
        ck_assert(rt_shed_judge(&s, 1000000 + at, 1000000));
    ck_assert_uint_eq(s.level, RT_SHED_NOTHING);
}
END_TEST

/* ---- A machine with a clock of its own ------------------------------------------- */

/* Cycles come as the clock goes; a block takes its time. */
typedef struct {
    rt_capture capture;
    rt_counts counts;
    sem_t wake;
    rt_shed shed;
    uint32_t cycle;            /* frames */
    uint64_t fed;              /* frames of the stream so far */
    double now;                /* in frames */
    uint64_t expected, gaps;   /* of the analysis */
    uint64_t answered, latest; /* frames at a level that lets frames through; the most
                                  that one of them was late */
    uint64_t at_level[4];      /* frames */
} machine;

static void
machine_open(machine *m, uint32_t cycle)
{
    memset(m, 0, sizeof *m);
    sem_init(&m->wake, 0, 0);
    m->capture.ring = rt_ring_new(RT_BLOCKS, sizeof(rt_block));
    m->capture.wake = &m->wake;
    m->capture.counts = &m->counts;
    m->shed = rt_shed_new(RATE);
    m->cycle = cycle;
    ck_assert_ptr_nonnull(m->capture.ring);
}

static void
machine_close(machine *m)
{
    rt_ring_free(m->capture.ring);
    sem_destroy(&m->wake);
}

/* So many frames of time go by; a cycle is delivered when it is over. */
static void
pass(machine *m, double frames)
{
    static const float x[8192];
    for (m->now += frames; m->fed + m->cycle <= (uint64_t)m->now; m->fed += m->cycle)
        rt_capture_feed(&m->capture, x, m->cycle, m->fed, 0, 0);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The analysis takes what is there; a block takes its length over speed, and over
 * fast where no frames are searched for. */
static void
work(machine *m, double speed, double fast, double seconds)
{
    const double end = m->now + seconds * RATE;
    while (m->now < end) {
        const rt_block *b = rt_shed_front(&m->shed, m->capture.ring, false, &m->counts);
        if (!b) {
            pass(m, (double)(m->fed + m->cycle) - m->now);
            continue;
        }
        const uint64_t over = b->first_frame + b->n_frames;
        const bool answers = m->shed.level < RT_SHED_FRAMES;
        m->gaps += b->first_frame != m->expected;
        m->expected = over;
        m->at_level[m->shed.level] += b->n_frames;
        if (answers) {
            const uint64_t late = m->fed - least(m->fed, over);
            m->answered += b->n_frames;
            m->latest = late > m->latest ? late : m->latest;
        }
        const double took = b->n_frames / (answers ? speed : fast);
        rt_ring_release(m->capture.ring);
        pass(m, took);
    }
}

static const uint32_t cycles[] = {16, 64, 256, 300, 1024, 8192};

START_TEST(a_machine_that_is_fast_enough_sheds_nothing)
{
    machine m;
    machine_open(&m, cycles[_i]);
    work(&m, 1.2, 1000, 60);
    ck_assert_uint_eq(m.at_level[RT_SHED_NOTHING], m.expected);
    ck_assert_uint_gt(m.expected, 59 * RATE);
    ck_assert_uint_eq(m.gaps, 0);
    machine_close(&m);
}
END_TEST

START_TEST(where_searches_take_too_long_answers_come_and_are_never_old)
{
    machine m;
    machine_open(&m, cycles[_i]);
    work(&m, 0.5, 1000, 60);
    /* as many as there is time for, the samples of all of them heard */
    ck_assert_uint_gt(m.answered, 27 * RATE);
    ck_assert_uint_eq(m.gaps, 0);
    ck_assert_uint_eq(rt_counted(&m.counts, RT_N_skipped_blocks), 0);
    ck_assert_uint_eq(rt_counted(&m.counts, RT_N_dropped_blocks), 0);
    ck_assert_uint_lt(m.latest, 400 * MS + 2 * m.cycle);
    machine_close(&m);
}
END_TEST

START_TEST(where_even_hearing_is_too_slow_it_begins_anew_and_still_answers)
{
    machine m;
    machine_open(&m, cycles[_i]);
    work(&m, 0.5, 0.6, 60);
    ck_assert_uint_gt(m.answered, 5 * RATE);
    ck_assert_uint_gt(m.gaps, 10);
    ck_assert_uint_gt(rt_counted(&m.counts, RT_N_skipped_blocks), 0);
    ck_assert_uint_lt(m.latest, 400 * MS + 2 * m.cycle);
    machine_close(&m);
}
END_TEST

START_TEST(after_a_standstill_it_catches_up_at_once_and_loses_nothing)
{
    machine m;
    machine_open(&m, 64);
    work(&m, 20, 1000, 2);
    pass(&m, 3.0 * RATE);
    work(&m, 20, 1000, 0.05);
    ck_assert_uint_eq(m.shed.level, RT_SHED_NOTHING);
    ck_assert_uint_eq(m.gaps, 0);
    ck_assert_uint_eq(rt_counted(&m.counts, RT_N_skipped_blocks), 0);
    ck_assert_uint_gt(m.at_level[RT_SHED_FRAMES], 29 * RATE / 10);
    ck_assert_uint_lt(m.latest, 400 * MS);
    machine_close(&m);
}
END_TEST

START_TEST(what_waits_before_a_loss_of_seconds_is_let_go)
{
    machine m;
    machine_open(&m, 64);
    work(&m, 20, 1000, 1);
    pass(&m, 20.0 * RATE); /* the ring holds 5 s, and the newest finds no room */
    const uint64_t dropped = rt_counted(&m.counts, RT_N_dropped_blocks);
    ck_assert_uint_gt(dropped, 10000);
    work(&m, 20, 1000, 0.1);
    ck_assert_uint_eq(m.shed.level, RT_SHED_NOTHING);
    ck_assert_uint_gt(rt_counted(&m.counts, RT_N_skipped_blocks), 3000);
    ck_assert_uint_gt(m.expected, 209 * RATE / 10);
    machine_close(&m);
}
END_TEST

START_TEST(every_block_is_analysed_skipped_or_dropped)
{
    machine m;
    uint64_t seed = 11, analysed = 0;
    machine_open(&m, 64);
    for (int round = 0; round < 200; round++) {
        pass(&m, 4 * RATE * (random_unit(&seed) > 0.9 ? 2 : 0.1));
        for (int i = 0; i < 500; i++) {
            if (!rt_shed_front(&m.shed, m.capture.ring, false, &m.counts))
                break;
            rt_ring_release(m.capture.ring);
            analysed++;
            pass(&m, 64 * (1 + random_unit(&seed)));
        }
    }
    while (rt_shed_front(&m.shed, m.capture.ring, false, &m.counts)) {
        rt_ring_release(m.capture.ring);
        analysed++;
    }
    ck_assert_uint_gt(rt_counted(&m.counts, RT_N_skipped_blocks), 0);
    ck_assert_uint_gt(rt_counted(&m.counts, RT_N_dropped_blocks), 0);
    ck_assert_uint_eq(rt_counted(&m.counts, RT_N_blocks),
                      analysed + rt_counted(&m.counts, RT_N_skipped_blocks) +
                          rt_counted(&m.counts, RT_N_dropped_blocks));
    machine_close(&m);
}
END_TEST

/* Blocks from..to-1 are next, and nothing is shed. */
static void
takes_all(machine *m, uint64_t from, uint64_t to, bool freewheel)
{
    for (uint64_t at = from; at < to; at += m->cycle) {
        const rt_block *b =
            rt_shed_front(&m->shed, m->capture.ring, freewheel, &m->counts);
        ck_assert(b && b->first_frame == at && m->shed.level == RT_SHED_NOTHING);
        rt_ring_release(m->capture.ring);
    }
}

START_TEST(in_freewheel_and_of_what_it_left_nothing_is_shed)
{
    machine m;
    machine_open(&m, 64);
    pass(&m, 5.0 * RATE);
    takes_all(&m, 0, 64, true);
    takes_all(&m, 64, 5 * RATE, false);
    ck_assert_ptr_null(rt_shed_front(&m.shed, m.capture.ring, false, &m.counts));
    pass(&m, 1.0 * RATE); /* from now on there is hurry again */
    ck_assert_ptr_nonnull(rt_shed_front(&m.shed, m.capture.ring, false, &m.counts));
    ck_assert_uint_eq(m.shed.level, RT_SHED_FRAMES);
    machine_close(&m);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/shed");
    TCase *t = tcase_create("shed");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, scenes_go_first_then_events_then_frames, 0, N(levels));
    tcase_add_test(t, a_level_stays_until_nothing_is_late);
    tcase_add_test(t, a_block_of_the_newest_cycle_is_on_time_however_long_that_is);
    tcase_add_loop_test(t, a_machine_that_is_fast_enough_sheds_nothing, 0, N(cycles));
    tcase_add_loop_test(t, where_searches_take_too_long_answers_come_and_are_never_old,
                        0, N(cycles));
    tcase_add_loop_test(t,
                        where_even_hearing_is_too_slow_it_begins_anew_and_still_answers,
                        0, N(cycles));
    tcase_add_test(t, after_a_standstill_it_catches_up_at_once_and_loses_nothing);
    tcase_add_test(t, what_waits_before_a_loss_of_seconds_is_let_go);
    tcase_add_test(t, every_block_is_analysed_skipped_or_dropped);
    tcase_add_test(t, in_freewheel_and_of_what_it_left_nothing_is_shed);
    suite_add_tcase(s, t);
    return run_suite(s);
}
