/* A listen's live page in a folder of the test's own, written and looked at. */
#ifndef HEARKEN_TESTS_LIVE_WRITER_H
#define HEARKEN_TESTS_LIVE_WRITER_H

#include "live_support.h"
#include "rt/analyse_private.h"
#include "rt/rt.h"
#include "support.h"

#include <stdarg.h>
#include <stdio.h>

#define N(table) (int)(sizeof(table) / sizeof *(table))

static char folder[200], why[1000];
static rt_counts counts;
static rt_analyse analyse; /* its gate and clock are all that is asked for */
static rt_live_view view;

static inline void
setup(void)
{
    make_folder(folder, sizeof folder);
    memset(&counts, 0, sizeof counts);
    memset(&analyse, 0, sizeof analyse);
}

static inline void
teardown(void)
{
    remove_tree(folder);
}

static inline rt_live *
open_as(const char *client)
{
    rt_live *l;
    const rt_live_config config = {.folder = folder,
                                   .client = client,
                                   .index = "/",
                                   .input = {"drums", "voice"},
                                   .n_inputs = 2,
                                   .counts = &counts};
    ck_assert_msg(rt_live_open(&l, &config, why, sizeof why), "%s", why);
    return l;
}

static const rt_live_now running = {.state = "running",
                                    .since_s = 5,
                                    .rate_hz = 48000,
                                    .period = 64,
                                    .scales = 3,
                                    .k = 1};

static inline void
attach(const char *name)
{
    int status;
    ck_assert_msg(rt_live_attach(&view, folder, name, &status, why, sizeof why), "%s",
                  why);
}

static inline void
refresh(void)
{
    ck_assert_msg(rt_live_refresh(&view, why, sizeof why), "%s", why);
}

/* Whether there is no page of that name, with that status and those words. */
static inline bool
is_refused(const char *name, int status, const char *words)
{
    int got = 0;
    const bool found = rt_live_attach(&view, folder, name, &got, why, sizeof why);
    if (found)
        rt_live_detach(&view);
    return !found && got == status && strstr(why, words);
}

static inline void
shell(const char *format, ...)
{
    char command[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    ck_assert_int_eq(system(command), 0);
}

static inline int
files(void)
{
    char command[300];
    snprintf(command, sizeof command, "ls '%s' | wc -l", folder);
    FILE *ls = popen(command, "r");
    int n = -1;
    ck_assert(ls && fscanf(ls, "%d", &n) == 1);
    pclose(ls);
    return n;
}

static inline void
push(rt_live *l, uint32_t sound, uint32_t rank, int64_t centre_us, const char *label,
     const char *path)
{
    const rt_match m = {.kind = RT_MATCH,
                        .scale = DSP_EVENT,
                        .rank = rank,
                        .sound = sound,
                        .score = (float)sound / 1000,
                        .centre_us = centre_us};
    rt_live_push(l, &m, (idx_sound){.path = path, .label = label}, 3);
}

#endif
