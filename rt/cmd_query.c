/* hearken query x.hkn FILE...: the path of listen over files, without threads. */
#include "load.h"
#include "out.h"
#include "rt.h"
#include "sound.h"

#include <stdlib.h>
#include <unistd.h>

static void
write_match(void *ctx, const rt_match *m)
{
    rt_out_write(ctx, m);
}

/* Runs one file; an exit status. */
static int
query_file(const rt_options *o, rt_out *out, const char *path)
{
    enum { READ_FRAMES = 8192 };
    char why[400] = "";
    float x[READ_FRAMES];
    rt_sound *sound;
    rt_sound_info info;
    rt_counts counts = {0};
    rt_analyse *a = NULL;
    const rt_sink sink = {.ctx = out, .match = write_match};
    if (!rt_sound_open(&sound, path, &info, why, sizeof why)) {
        rt_say("%s: %s", path, why);
        return access(path, R_OK) ? RT_NOINPUT : RT_DATA;
    }
    out->input = path;
    out->rate_hz = info.rate_hz;
    if (rt_analyse_new(&a, info.rate_hz, o, out->index, &counts, &sink, why,
                       sizeof why)) {
        double done_s = 0;
        size_t n;
        rt_progress p;
        rt_progress_begin(&p, "listening");
        while (!atomic_load(&rt_stop) && !ferror(out->to) &&
               (n = rt_sound_read(sound, x, READ_FRAMES, why, sizeof why)) > 0) {
            rt_analyse_block(a, x, n, 0);
            done_s += (double)n / info.rate_hz;
            if (out->format != RT_FORMAT_TABLE || !p.terminal)
                rt_progress_step(&p, done_s, info.seconds, "");
        }
        rt_progress_end(&p);
    }
    if (*why)
        rt_say("%s: %s", path, why);
    rt_analyse_free(a);
    rt_sound_close(sound);
    return *why ? RT_DATA : RT_OK;
}

int
rt_cmd_query(int argc, char **argv)
{
    rt_options o;
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_QUERY, argc, argv, rest, &status);
    idx_index *index = NULL;
    if (n == 0 || n == 1) {
        rt_say("%s; see hearken query --help",
               n ? "which files? name one or more after the index" : "which index?");
        status = RT_USAGE;
    } else if (n > 1) {
        status = rt_load(&index, rest[0], &o);
    }
    if (index) {
        rt_out out = {.to = stdout,
                      .format = rt_out_format(o.out.format, stdout),
                      .index = index};
        dsp_thread_init();
        rt_catch_stop();
        for (int i = 1; i < n && !atomic_load(&rt_stop) && !ferror(stdout); i++) {
            const int failed = query_file(&o, &out, rest[i]);
            status = status ? status : failed;
        }
        status = rt_finish_output(status);
        if (atomic_load(&rt_stop))
            status = RT_INTERRUPTED;
    }
    idx_close(index);
    free(rest);
    return status;
}
