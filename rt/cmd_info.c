/* hearken info x.hkn: what is in an index and how it was made. */
#include "background.h"
#include "load.h"
#include "out.h"
#include "rt.h"
#include "search_plan.h"

#include <stdlib.h>
#include <string.h>

enum { FALSE_ALARMS = 6 }; /* an hour, as match.false-alarms-per-hour has it built in */

static double
total_hours(const idx_index *ix)
{
    double s = 0;
    for (uint32_t i = 0; i < idx_n_sounds(ix); i++)
        s += idx_sound_of(ix, i).seconds;
    return s / 3600;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Different labels; 0 when memory runs out. */
static uint32_t
count_labels(const idx_index *ix)
{
    const uint32_t n = idx_n_sounds(ix);
    const char **labels = calloc(n + 1U, sizeof *labels);
    uint32_t different = 0;
    for (uint32_t i = 0; labels && i < n; i++)
        labels[i] = idx_sound_of(ix, i).label;
    if (labels && n)
        qsort(labels, n, sizeof *labels, by_text);
    for (uint32_t i = 0; labels && i < n; i++)
        different += i == 0 || strcmp(labels[i - 1], labels[i]) != 0;
    free(labels);
    return different;
}

static void
print_lines(const char *text)
{
    while (*text) {
        const size_t n = strcspn(text, "\n");
        printf("  %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

/* By how much more alike than noise an entry must be, where the scale answers alone. */
static float
margin_of(const idx_index *ix, uint32_t set)
{
    return rt_background_margin(&idx_scale_of(ix, set)->noises, rt_scale_of_set(set),
                                FALSE_ALARMS, 1);
}

static void
print_noises(const idx_index *ix)
{
    if (rt_holds_vectors(ix))
        return;
    if (!rt_background_stored(ix)) {
        puts("not calibrated with noise: that is done each time it is opened; build it "
             "again");
        return;
    }
    printf("calibrated with noise, for %d false alarms an hour:\n", FALSE_ALARMS);
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        if (idx_scale_of(ix, s)->noises.n)
            printf("  %s%s: more alike by %.4f than %u noises are\n",
                   rt_scale_name(rt_scale_of_set(s)), s < DSP_SCALES ? "" : "-labels",
                   (double)margin_of(ix, s), idx_scale_of(ix, s)->noises.n);
}

static void
json_noises(const idx_index *ix)
{
    const char *comma = "";
    fputs(",\"noises\":{", stdout);
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        const idx_noises *n = &idx_scale_of(ix, s)->noises;
        if (!n->n)
            continue;
        printf("%s\"%s%s\":{\"n\":%u,\"margin\":%.6f}", comma,
               rt_scale_name(rt_scale_of_set(s)), s < DSP_SCALES ? "" : "-labels", n->n,
               (double)margin_of(ix, s));
        comma = ",";
    }
    putchar('}');
}

static void
print_table(const idx_index *ix, const char *path)
{
    size_t n_bytes;
    idx_memory(ix, &n_bytes);
    printf("%s: %u sounds under %u labels, %.2f hours, %.1f MB\n\n", path,
           idx_n_sounds(ix), count_labels(ix), total_hours(ix), (double)n_bytes / 1e6);
    const idx_scale *scales[IDX_SCALES];
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        scales[s] = idx_scale_of(ix, s);
    rt_print_scales(scales, "");
    putchar('\n');
    print_noises(ix);
    puts("settings of the analysis:");
    print_lines(idx_settings(ix));
    puts("how it was built:");
    print_lines(idx_report(ix));
}

static void
print_json(const idx_index *ix, const char *path)
{
    size_t n_bytes;
    idx_memory(ix, &n_bytes);
    fputs("{\"path\":", stdout);
    rt_json_string(stdout, path);
    printf(",\"bytes\":%zu,\"sounds\":%u,\"labels\":%u,\"hours\":%.6f,\"scales\":{",
           n_bytes, idx_n_sounds(ix), count_labels(ix), total_hours(ix));
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        const idx_scale *sc = idx_scale_of(ix, s);
        if (s >= DSP_SCALES && !sc->n_in)
            continue;
        printf("%s\"%s%s\":", s ? "," : "", rt_scale_name(rt_scale_of_set(s)),
               s < DSP_SCALES || s == IDX_TIMBRE ? "" : "-labels");
        rt_json_scale(sc);
    }
    putchar('}');
    json_noises(ix);
    fputs(",\"settings\":", stdout);
    rt_json_string(stdout, idx_settings(ix));
    fputs(",\"report\":", stdout);
    rt_json_string(stdout, idx_report(ix));
    puts("}");
}

int
rt_cmd_info(int argc, char **argv)
{
    rt_options o;
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_INFO, argc, argv, rest, &status);
    idx_index *index = NULL;
    if (n == 0 || n > 1) {
        rt_say("name one index; see hearken info --help");
        status = RT_USAGE;
    } else if (n == 1) {
        status = rt_load(&index, rest[0], NULL, false);
    }
    if (index) {
        const rt_format f = rt_out_format(o.out.format, stdout);
        if (f == RT_FORMAT_JSON)
            print_json(index, rest[0]);
        else if (f == RT_FORMAT_TABLE)
            print_table(index, rest[0]);
        status = rt_finish_output(status);
    }
    idx_close(index);
    free(rest);
    return status;
}
