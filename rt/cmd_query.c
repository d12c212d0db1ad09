/* hearken query x.hkn FILE...: the path of listen over files, without threads. */
#include "best.h"
#include "layer.h"
#include "load.h"
#include "out.h"
#include "query_vectors.h"
#include "replay.h"
#include "rt.h"
#include "sound.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LISTED = 10 }; /* sounds in the list at the end of a file */

/* Where a file's lines go, and its best match with each sound, for the list. */
typedef struct {
    rt_out out;
    uint32_t rate_hz; /* of the file */
    rt_clock clock;   /* of the stream that it records, else zero */
    uint32_t listed;  /* scale that the list is about */
    rt_match *best;   /* [n_sounds]; rank 0: none; NULL: no list */
} query;

static void
write_match(void *ctx, const rt_match *m)
{
    query *q = ctx;
    rt_match told = *m;
    told.time_s = rt_clock_s(&q->clock, m->frame, q->rate_hz);
    rt_out_write(&q->out, &told);
    if (!q->best || m->kind != RT_MATCH || m->scale != q->listed)
        return;
    rt_best_keep(q->best, &told);
}

/* The sounds most like the whole file: what someone who looks for one wants to read. */
static void
write_list(query *q, const char *path)
{
    const uint32_t n = rt_n_sounds_in(q->out.index, q->out.layer);
    if (!q->best || !n)
        return;
    rt_best_sort(q->best, n);
    fputs("\nmost like ", q->out.to);
    rt_plain_text(q->out.to, path);
    fprintf(q->out.to, " at scale %s:\n", rt_scale_name(q->listed));
    for (uint32_t i = 0; i < n && i < LISTED && q->best[i].rank; i++) {
        q->best[i].rank = i + 1;
        rt_out_write(&q->out, &q->best[i]);
    }
    memset(q->best, 0, n * sizeof *q->best);
}

/* A list only goes with the table; JSON is for programs, which make their own. */
static bool
begin_list(query *q, const rt_options *o)
{
    if (q->out.format != RT_FORMAT_TABLE)
        return true;
    q->listed = DSP_EVENT;
    while (!(o->match.scales >> q->listed & 1U))
        q->listed = (q->listed + 1) % RT_SCALES;
    q->best = calloc(rt_n_sounds_in(q->out.index, q->out.layer) + 1U, sizeof *q->best);
    return q->best;
}

/* Whether a file is a recording of listen, which is then answered as listen did; why is
 * filled when it is one that cannot be. */
static bool
begin_replay(rt_replay *p, const rt_options *o, const query *q, rt_sound *sound,
             const rt_sound_info *info, char *why, size_t why_len)
{
    char *text;
    size_t n;
    if (!o->record.replay || !rt_sound_chunk(sound, RT_RECORDING_CHUNK, &text, &n))
        return false;
    const bool ok =
        rt_replay_new(p, o, q->out.index, q->out.layer, text, n, info->file_rate_hz,
                      info->n_channels == 1 ? info->n_frames : 0, why, why_len);
    free(text);
    return ok;
}

/* Feeds all of a sound to the analysis, which replays a recording if that is not NULL.
 */
static void
listen_to(query *q, rt_analyse *a, rt_sound *sound, double seconds, rt_replay *replay,
          char *why, size_t why_len)
{
    enum { READ_FRAMES = 8192 };
    float x[READ_FRAMES];
    const rt_out *out = &q->out;
    double done_s = 0;
    size_t n;
    rt_progress p;
    rt_progress_begin(&p, "listening");
    while (!atomic_load(&rt_stop) && !ferror(out->to) &&
           (n = rt_sound_read(sound, x, READ_FRAMES, why, why_len)) > 0) {
        if (replay)
            rt_replay_block(replay, a, x, n);
        else
            rt_analyse_block(a, x, n, 0);
        done_s += (double)n / q->rate_hz;
        if (out->format != RT_FORMAT_TABLE || !p.terminal)
            rt_progress_step(&p, done_s, seconds, "");
    }
    rt_progress_end(&p);
}

/* Runs one file; an exit status. */
static int
query_file(const rt_options *o, query *q, const char *path)
{
    char why[400] = "";
    rt_sound *sound;
    rt_sound_info info;
    rt_counts counts = {0};
    rt_analyse *a = NULL;
    rt_replay replay = {0};
    const rt_sink sink = {.ctx = q, .match = write_match};
    rt_out *out = &q->out;
    if (rt_vectors_named(path)) {
        rt_say("%s: these are vectors, and the index holds sounds; ask it with sounds, "
               "or make an index of vectors with hearken import",
               path);
        return RT_DATA;
    }
    if (!rt_sound_open(&sound, path, &info, why, sizeof why)) {
        rt_say("%s: %s", path, why);
        return access(path, R_OK) ? RT_NOINPUT : RT_DATA;
    }
    const bool again = begin_replay(&replay, o, q, sound, &info, why, sizeof why);
    out->input = again ? replay.recording.input : path;
    q->rate_hz = info.rate_hz;
    q->clock = again ? replay.recording.clock : (rt_clock){0};
    if (!*why &&
        rt_analyse_new(&a, info.rate_hz, again ? &replay.options : o, out->index,
                       &counts, &sink, why, sizeof why) &&
        !rt_analyse_add(a, out->layer))
        snprintf(why, sizeof why, "there is not enough memory for what was learned");
    if (!*why) {
        if (again)
            rt_replay_begin(&replay, a);
        listen_to(q, a, sound, info.seconds, again ? &replay : NULL, why, sizeof why);
    }
    if (*why)
        rt_say("%s: %s", path, why);
    else
        write_list(q, path);
    rt_replay_done(&replay);
    rt_analyse_free(a);
    rt_sound_close(sound);
    return *why ? RT_DATA : RT_OK;
}

/* Runs all files through an index of sounds; an exit status. */
static int
query_sounds(rt_options *o, const idx_index *index, const idx_index *layer,
             const char *const files[], int n)
{
    query q = {.out = {.to = stdout,
                       .format = rt_out_format(o->out.format, stdout),
                       .index = index,
                       .layer = layer}};
    int status = RT_OK;
    if (o->match.refine == RT_REFINE_AUTO)
        o->match.refine = RT_REFINE_YES;
    dsp_thread_init();
    if (!begin_list(&q, o))
        status = RT_SOFTWARE;
    const int end = status ? 0 : n;
    for (int i = 0; i < end && !atomic_load(&rt_stop) && !ferror(stdout); i++) {
        const int failed = query_file(o, &q, files[i]);
        status = status ? status : failed;
    }
    free(q.best);
    return status;
}

/* With what listen has learned, if a file of that is named. */
static int
query_with_layer(rt_options *o, const idx_index *index, const char *const files[],
                 int n)
{
    char why[1400];
    idx_index *layer = NULL;
    if (strcmp(o->learn.file, "none") != 0 &&
        !rt_layer_load(&layer, o->learn.file, index, why, sizeof why)) {
        rt_fail("%s", why);
        return RT_DATA;
    }
    const int status = query_sounds(o, index, layer, files, n);
    idx_close(layer);
    return status;
}

/* Asks an open index as what it is. */
static int
query_index(rt_options *o, const idx_index *index, const char *const rest[], int n)
{
    rt_background *background = NULL;
    const bool vectors = rt_holds_vectors(index);
    int status = RT_OK;
    rt_catch_stop();
    if (vectors)
        status = rt_query_vectors(index, rest[0], o, rest + 1, n - 1);
    else if (!(status = rt_take_settings(index, rest[0], o)))
        status = rt_take_background(&background, index, o);
    if (!status && !vectors)
        status = query_with_layer(o, index, rest + 1, n - 1);
    rt_background_free(background);
    status = rt_finish_output(status);
    return atomic_load(&rt_stop) ? RT_INTERRUPTED : status;
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
        status = rt_load(&index, rest[0], NULL, false);
    }
    if (index)
        status = query_index(&o, index, rest, n);
    idx_close(index);
    free(rest);
    return status;
}
