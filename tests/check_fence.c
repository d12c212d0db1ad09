/* rt/fence.c: who faults within a fence stays there, outside the process ends. */
#include "rt/fence.h"
#include "rt/rt.h"
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A page of a file that has none, as of a database that somebody else just makes. */
static const char *
page_of_nothing(void)
{
    FILE *f = tmpfile();
    ck_assert_ptr_nonnull(f);
    const char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
    ck_assert(page != MAP_FAILED);
    fclose(f);
    return page;
}

static void *
fault_within(void *arg)
{
    rt_fence_enter();
    *(atomic_int *)arg = *page_of_nothing();
    rt_fence_leave();
    return NULL;
}

static void *
fault_after(void *arg)
{
    rt_fence_enter();
    rt_fence_leave();
    *(atomic_int *)arg = *page_of_nothing();
    return NULL;
}

/* What becomes of a process, in which a thread does that. */
static int
end_of(void *(*run)(void *))
{
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) {
        atomic_int read = -1;
        pthread_t thread;
        rt_fence_build();
        if (rt_fence_is_broken() || pthread_create(&thread, NULL, run, &read))
            _exit(1);
        for (int i = 0; i < 10000 && !rt_fence_is_broken(); i++)
            rt_sleep_ms(1);
        _exit(rt_fence_is_broken() && atomic_load(&read) == -1 ? 42 : 2);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

START_TEST(a_fault_within_a_fence_ends_only_the_call)
{
    ck_assert_int_eq(end_of(fault_within), 42);
}
END_TEST

START_TEST(a_fault_outside_ends_the_process)
{
    const int end = end_of(fault_after);
    ck_assert_msg(end == -SIGBUS || end == 1, "%d", end); /* 1: a sanitizer's report */
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/fence");
    TCase *t = tcase_create("fence");
    tcase_add_test(t, a_fault_within_a_fence_ends_only_the_call);
    tcase_add_test(t, a_fault_outside_ends_the_process);
    suite_add_tcase(s, t);
    return run_suite(s);
}
