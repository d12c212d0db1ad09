/* A folder and one parts file in it, for the suites about parts. */
#ifndef HEARKEN_TESTS_PARTS_CASE_H
#define HEARKEN_TESTS_PARTS_CASE_H

#include "parts_support.h"
#include "rt/parts.h"
#include "rt/rt.h"
#include "support.h"

static char folder[256], path[300], why[1500];
static rt_options options;
static rt_parts *p;

static inline void
setup(void)
{
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/x.hkn.parts", folder);
    rt_options_default(&options);
    *why = 0;
}

static inline void
close_parts(void)
{
    rt_parts_close(p);
    p = NULL;
}

static inline void
teardown(void)
{
    close_parts();
    remove_tree(folder);
}

static inline int
open_parts(bool anew)
{
    close_parts();
    return rt_parts_open(&p, path, &options, anew, why, sizeof why);
}

static inline void
must_open(void)
{
    ck_assert_msg(open_parts(false) == RT_OK, "%s", why);
}

#endif
