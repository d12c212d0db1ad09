#include "load.h"

#include "background.h"
#include "rt.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
rt_holds_vectors(const idx_index *index)
{
    return !strcmp(idx_settings(index), RT_VECTOR_SETTINGS);
}

int
rt_take_settings(const idx_index *index, const char *path, rt_options *o)
{
    char why[400];
    if (rt_holds_vectors(index)) {
        rt_fail(
            "%s: it holds imported vectors, which no sound is compared with; ask it "
            "with hearken query and vectors of the same kind, or build an index of "
            "sounds",
            path);
        return RT_CONFIG;
    }
    if (!rt_analyse_settings(o, index, why, sizeof why)) {
        rt_fail("%s: %s", path, why);
        return RT_CONFIG;
    }
    if (!rt_analyse_check(o, why, sizeof why)) {
        rt_fail("%s", why);
        return RT_CONFIG;
    }
    if (o->match.scales >> RT_TIMBRE & 1U &&
        !idx_scale_of(index, IDX_TIMBRE)->n_entries)
        rt_warn(
            "%s has no timbre codes, so that scale timbre will not answer; build it "
            "with --build-timbre yes",
            path);
    return RT_OK;
}

int
rt_load(idx_index **out, const char *path, rt_options *o, bool stays)
{
    char why[1400];
    const idx_status st = (stays ? idx_load : idx_open)(out, path, why, sizeof why);
    if (st) {
        rt_fail("%s", why);
        return st == IDX_EIO ? RT_NOINPUT : st == IDX_ENOMEM ? RT_SOFTWARE : RT_DATA;
    }
    const int status = o ? rt_take_settings(*out, path, o) : RT_OK;
    if (status) {
        idx_close(*out);
        *out = NULL;
    }
    return status;
}

int
rt_take_background(rt_background **out, const idx_index *index, rt_options *o)
{
    char why[200];
    *out = NULL;
    if (!rt_background_wanted(o))
        return RT_OK;
    if (!rt_background_new(out, index, o, why, sizeof why)) {
        rt_fail("%s", why);
        return RT_SOFTWARE;
    }
    o->background = *out;
    return RT_OK;
}

int
rt_check_output(const char *path)
{
    char folder[RT_TEXT + 2];
    struct stat st;
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s.", slash ? (int)(slash - path + 1) : 0, path);
    if (access(folder, W_OK | X_OK) != 0)
        rt_fail("%s: cannot be written: %s; choose another place with -o", path,
                strerror(errno));
    else if ((slash && !slash[1]) || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
        rt_fail("%s: is no regular file, and the new one would take its place; choose "
                "another name with -o",
                path);
    else
        return RT_OK;
    return RT_IO;
}

int
rt_finish_output(int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    rt_fail("stdout could not be written: %s", strerror(errno ? errno : EIO));
    return status ? status : RT_IO;
}
