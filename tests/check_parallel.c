#include "rt/parallel.h"
#include "rt/rt.h"
#include "support.h"

enum { JOBS = 1000 };

typedef struct {
    atomic_int runs[JOBS];
    atomic_int idled;
    int stop_at, pause_ms;
} work;

static void
run(void *ctx, size_t i)
{
    work *w = ctx;
    atomic_fetch_add(&w->runs[i], 1);
    if (w->pause_ms)
        rt_sleep_ms((unsigned)w->pause_ms);
    if (w->stop_at && (int)i == w->stop_at)
        atomic_store(&rt_stop, 1);
}

static void
idle(void *ctx)
{
    work *w = ctx;
    atomic_fetch_add(&w->idled, 1);
}

static const uint32_t threads[] = {0, 1, 2, 7};

START_TEST(each_job_runs_once)
{
    static work w;
    w = (work){0};
    ck_assert(rt_parallel(JOBS, threads[_i], run, idle, &w));
    for (int i = 0; i < JOBS; i++)
        ck_assert_int_eq(w.runs[i], 1);
}
END_TEST

START_TEST(no_jobs_are_no_trouble)
{
    static work w;
    ck_assert(rt_parallel(0, 2, run, idle, &w));
}
END_TEST

START_TEST(the_caller_is_called_back_while_jobs_run)
{
    static work w = {.pause_ms = 30};
    ck_assert(rt_parallel(8, 2, run, idle, &w));
    ck_assert_int_ge(w.idled, 2);
}
END_TEST

START_TEST(a_stop_begins_no_further_job)
{
    static work w = {.stop_at = 10, .pause_ms = 1};
    ck_assert(rt_parallel(JOBS, 2, run, idle, &w));
    int sum = 0;
    for (int i = 0; i < JOBS; i++)
        sum += w.runs[i];
    atomic_store(&rt_stop, 0);
    ck_assert_int_ge(sum, 11);
    ck_assert_int_le(sum, 13);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("parallel");
    TCase *t = tcase_create("parallel");
    tcase_add_loop_test(t, each_job_runs_once, 0, sizeof threads / sizeof *threads);
    tcase_add_test(t, no_jobs_are_no_trouble);
    tcase_add_test(t, the_caller_is_called_back_while_jobs_run);
    tcase_add_test(t, a_stop_begins_no_further_job);
    suite_add_tcase(s, t);
    return run_suite(s);
}
