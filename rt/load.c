#include "load.h"

#include "analyse.h"
#include "rt.h"

#include <errno.h>
#include <string.h>

int
rt_load(idx_index **out, const char *path, rt_options *o, bool stays)
{
    char why[1400];
    const idx_status st = (stays ? idx_load : idx_open)(out, path, why, sizeof why);
    if (st) {
        rt_say("%s", why);
        return st == IDX_EIO ? RT_NOINPUT : st == IDX_ENOMEM ? RT_SOFTWARE : RT_DATA;
    }
    if (o && !rt_analyse_settings(o, *out, why, sizeof why)) {
        rt_say("%s: %s", path, why);
        idx_close(*out);
        *out = NULL;
        return RT_CONFIG;
    }
    if (o && o->match.scales >> RT_TIMBRE & 1U &&
        !idx_scale_of(*out, IDX_TIMBRE)->n_entries)
        rt_say("%s has no timbre codes, so that scale timbre will not answer; build it "
               "with --build-timbre yes",
               path);
    return RT_OK;
}

int
rt_finish_output(int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    rt_say("stdout could not be written: %s", strerror(errno ? errno : EIO));
    return status ? status : RT_IO;
}
