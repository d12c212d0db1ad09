/* Messages for people, progress, signals and threads. */
#include "rt.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *rt_program = "hearken";
atomic_int rt_stop;
static atomic_bool bar_shown, never_waits;
static atomic_uint n_unsaid;

void
rt_say_never_waits(void)
{
    atomic_store(&never_waits, true);
}

/* A message is shorter than what a pipe that takes anything takes whole. */
static bool
may_say(void)
{
    struct pollfd to = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (!atomic_load(&never_waits) || poll(&to, 1, 0) != 0)
        return true;
    atomic_fetch_add(&n_unsaid, 1);
    return false;
}

/* "<6>", as sd-daemon(3) describes it, where stderr is what systemd said it would be
 * and not a file or terminal instead; "" elsewhere. */
static const char *
journal_level(rt_level level)
{
    static const char *const levels[] = {
        [RT_SAY_ERROR] = "<3>", [RT_SAY_WARNING] = "<4>", [RT_SAY_INFO] = "<6>"};
    const char *stream = getenv("JOURNAL_STREAM");
    char own[64];
    struct stat st;
    if (!stream || fstat(STDERR_FILENO, &st))
        return "";
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, own) ? "" : levels[level];
}

void
rt_tell(rt_level level, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++) /* a file may be named with an escape sequence */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    if (!may_say())
        return;
    const unsigned unsaid = atomic_exchange(&n_unsaid, 0);
    if (unsaid)
        fprintf(stderr,
                "%shearken: messages lost before this, as stderr was full: %u\n",
                journal_level(RT_SAY_WARNING), unsaid);
    fprintf(stderr, "%s%shearken: %s\n", journal_level(level),
            atomic_exchange(&bar_shown, false) ? "\r\033[K" : "", text);
}

static void
on_stop(int signal_number)
{
    (void)signal_number;
    atomic_store(&rt_stop, 1);
}

void
rt_catch_stop(void)
{
    struct sigaction act = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of fwrite, not our end */
}

double
rt_cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint64_t
rt_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

double
rt_seconds(void)
{
    return 1e-9 * (double)rt_ns();
}

void
rt_sleep_ms(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

void
rt_progress_begin(rt_progress *p, const char *what)
{
    *p = (rt_progress){.what = what,
                       .began = rt_seconds(),
                       .last = rt_seconds(),
                       .terminal = isatty(STDERR_FILENO) == 1};
}

static void
draw_bar(const rt_progress *p, double share, double left, const char *detail)
{
    enum { WIDTH = 24 };
    static const char full[] = "########################";
    fprintf(stderr, "\r\033[K%s [%-*.*s] %3.0f %%", p->what, WIDTH,
            (int)(WIDTH * share), full, 100 * share);
    if (left >= 1)
        fprintf(stderr, ", %.0f s left", left);
    fprintf(stderr, "%s%s", *detail ? ", " : "", detail);
    fflush(stderr);
    atomic_store(&bar_shown, true);
}

void
rt_progress_step(rt_progress *p, double done, double total, const char *detail)
{
    const double now = rt_seconds(), gap = p->terminal ? 0.1 : 5;
    if (now - p->last < gap || total <= 0)
        return;
    const double share = done < total ? done / total : 1;
    const double left = share > 0.01 ? (now - p->began) * (1 - share) / share : 0;
    p->last = now;
    p->shown = true;
    if (p->terminal)
        draw_bar(p, share, left, detail);
    else
        rt_say("%s: %.0f %%, %.0f s left%s%s", p->what, 100 * share, left,
               *detail ? ", " : "", detail);
}

void
rt_progress_end(rt_progress *p)
{
    if (p->shown && p->terminal && atomic_exchange(&bar_shown, false))
        fputs("\r\033[K", stderr);
}

static bool
start(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(thread, attr, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

bool
rt_thread_fifo(pthread_t thread, int priority)
{
    const struct sched_param want = {.sched_priority = priority > 0 ? priority : 0};
    pthread_setschedparam(thread, priority > 0 ? SCHED_FIFO : SCHED_OTHER, &want);
    struct sched_param got;
    int policy = SCHED_OTHER;
    pthread_getschedparam(thread, &policy, &got);
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

bool
rt_thread_start(pthread_t *thread, void *(*run)(void *), void *arg, int priority,
                bool *fifo)
{
    if (!start(thread, NULL, run, arg))
        return false;
    const bool is_fifo = rt_thread_fifo(*thread, priority);
    if (fifo)
        *fifo = is_fifo;
    return true;
}

void
rt_thread_name(const char *name)
{
    prctl(PR_SET_NAME, name);
}
