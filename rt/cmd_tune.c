/* hearken tune x.hkn: chooses anew how an index is searched, by the clock of this
 * machine. */
#include "load.h"
#include "out.h"
#include "rt.h"
#include "search_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tunes every scale; false, with why. */
static bool
tune(const idx_index *index, const rt_options *o, idx_params params[IDX_SCALES],
     char *why, size_t why_len)
{
    rt_progress p;
    rt_lender lender = {.n_threads = o->build.threads, .progress = &p};
    const idx_tuning how = {.target_recall = o->index.recall,
                            .by_clock = true,
                            .progress = rt_lender_progress,
                            .ctx = &lender};
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        rt_progress_begin(&p, "asking the index itself");
        const idx_status st = idx_retune(index, s, &how, &params[s]);
        rt_progress_end(&p);
        if (st) {
            snprintf(why, why_len, "%s",
                     atomic_load(&rt_stop) ? "stopped; nothing was written"
                                           : idx_status_text(st));
            return false;
        }
    }
    return true;
}

/* The scales as they are searched from now on. */
static void
report(const idx_index *index, const idx_params params[IDX_SCALES], const rt_options *o)
{
    idx_scale scale[IDX_SCALES];
    const idx_scale *scales[IDX_SCALES];
    const rt_format f = rt_out_format(o->out.format, stdout);
    const char *comma = "";
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        scale[s] = *idx_scale_of(index, s);
        scale[s].params = params[s];
        scales[s] = &scale[s];
    }
    if (f == RT_FORMAT_TABLE)
        rt_print_scales(scales, "");
    if (f != RT_FORMAT_JSON)
        return;
    fputs("{\"scales\":[", stdout);
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        if (scale[s].n_in) {
            printf("%s{\"set\":%u,\"how\":", comma, s);
            rt_json_scale(&scale[s]);
            putchar('}');
            comma = ",";
        }
    puts("]}");
}

static int
tune_file(const idx_index *index, const char *path, const rt_options *o)
{
    char why[1400];
    idx_params params[IDX_SCALES];
    rt_catch_stop();
    if (!tune(index, o, params, why, sizeof why)) {
        rt_say("%s: %s", path, why);
        return atomic_load(&rt_stop) ? RT_INTERRUPTED : RT_SOFTWARE;
    }
    if (idx_rewrite(path, index, params, NULL, &rt_stop, why, sizeof why)) {
        rt_say("%s", why);
        return atomic_load(&rt_stop) ? RT_INTERRUPTED : RT_IO;
    }
    report(index, params, o);
    return rt_finish_output(RT_OK);
}

int
rt_cmd_tune(int argc, char **argv)
{
    rt_options o;
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_TUNE, argc, argv, rest, &status);
    idx_index *index = NULL;
    if (n == 0 || n > 1) {
        rt_say("name one index; see hearken tune --help");
        status = RT_USAGE;
    } else if (n == 1) {
        status = rt_load(&index, rest[0], NULL, true); /* as listen searches it */
    }
    if (index)
        status = tune_file(index, rest[0], &o);
    idx_close(index);
    free(rest);
    return status;
}
