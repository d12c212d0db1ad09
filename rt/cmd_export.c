/* hearken export x.hkn -o NAME: rows as NAME.npy, what they are as NAME.csv. */
#include "analyse.h"
#include "csv.h"
#include "index/outfile.h"
#include "load.h"
#include "rt.h"
#include "vectors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The set of the index that is wanted, or IDX_SCALES where it has no rows in it. */
static uint32_t
choose_set(const idx_index *index, uint32_t wanted)
{
    static const uint32_t order[] = {DSP_EVENT, DSP_FRAME, DSP_SCENE};
    if (wanted != RT_SCALE_AUTO)
        return idx_scale_of(index, wanted - RT_SCALE_FRAME)->n_entries
                   ? wanted - RT_SCALE_FRAME
                   : IDX_SCALES;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (idx_scale_of(index, order[i])->n_entries)
            return order[i];
    return IDX_SCALES;
}

/* ---- Two files ------------------------------------------------------------------- */

/* What both writers work on. */
typedef struct {
    const idx_index *index;
    uint32_t set;
    rt_progress progress;
} source;

static bool
go_on(source *s, uint32_t row, double from, double to)
{
    const double n = idx_scale_of(s->index, s->set)->n_entries;
    rt_progress_step(&s->progress, from + (to - from) * row / n, 1, "");
    return !atomic_load(&rt_stop);
}

static bool
write_rows(source *s, outfile *f)
{
    enum { FLOATS = 16 * IDX_MAX_DIM };
    const idx_scale *sc = idx_scale_of(s->index, s->set);
    const uint32_t most = FLOATS / sc->dim;
    char head[RT_NPY_HEAD];
    float x[FLOATS];
    rt_npy_head(head, sc->n_entries, sc->dim);
    bool ok = outfile_write(f, head, sizeof head);
    for (uint32_t i = 0; ok && i < sc->n_entries;) {
        const uint32_t left = sc->n_entries - i, n = left < most ? left : most;
        for (uint32_t j = 0; j < n; j++) {
            idx_row(s->index, s->set, i + j, x + (size_t)j * sc->dim);
            if (sc->params.metric == IDX_COSINE) /* 16 bits may be off a little */
                rt_vector_unit(x + (size_t)j * sc->dim, sc->dim);
        }
        i += n;
        ok =
            go_on(s, i, 0, 0.5) && outfile_write(f, x, (size_t)n * sc->dim * sizeof *x);
    }
    return ok;
}

/* One line; floats with the digits that give the same float again. */
static void
print_line(const idx_index *index, idx_entry e, FILE *to)
{
    const idx_sound sound = idx_sound_of(index, e.sound);
    rt_csv_write(to, sound.path);
    fprintf(to, ",%.9g,%.9g,", (double)e.start_s, (double)e.length_s);
    rt_csv_write(to, sound.label);
    fputc('\n', to);
}

/* Text goes through memory, some hundred lines at a time. */
static bool
write_names(source *s, outfile *f)
{
    enum { LINES = 512 };
    const idx_scale *sc = idx_scale_of(s->index, s->set);
    bool ok = true;
    for (uint32_t i = 0; ok && i < sc->n_entries;) {
        char *text = NULL;
        size_t n = 0;
        FILE *to = open_memstream(&text, &n);
        if (!to)
            return false;
        if (!i)
            fputs("sound,start,length,label\n", to);
        for (uint32_t end = i + LINES; i < end && i < sc->n_entries; i++)
            print_line(s->index, sc->entries[i], to);
        ok = !fclose(to) && go_on(s, i, 0.5, 1) && outfile_write(f, text, n);
        free(text);
    }
    return ok;
}

/* Writes both files and then renames them: a failure leaves the old ones. */
static bool
write_both(source *s, const char *const path[2])
{
    outfile f[2];
    bool (*const writer[2])(source *, outfile *) = {write_rows, write_names};
    int n_open = 0, failed = -1;
    for (int i = 0; i < 2 && failed < 0; i++) {
        n_open++;
        if (!outfile_open(&f[i], path[i]) || !writer[i](s, &f[i]))
            failed = i;
    }
    for (int i = 0; i < 2 && failed < 0; i++)
        if (!outfile_commit(&f[i]))
            failed = i;
    if (failed >= 0 && !atomic_load(&rt_stop))
        rt_say("cannot %s %s: %s", f[failed].step, path[failed], strerror(errno));
    while (n_open > 0)
        outfile_close(&f[--n_open]);
    return failed < 0;
}

static int export(const idx_index *index, const rt_options *o, const char *from)
{
    char npy[RT_TEXT + 8], csv[RT_TEXT + 8];
    source s = {.index = index, .set = choose_set(index, o->export.scale)};
    if (s.set == IDX_SCALES) {
        rt_say("%s has no vectors at that scale; hearken info says what it has", from);
        return RT_CONFIG;
    }
    snprintf(npy, sizeof npy, "%s.npy", o->export.output);
    snprintf(csv, sizeof csv, "%s.csv", o->export.output);
    int status = rt_check_output(npy);
    if (!status)
        status = rt_check_output(csv);
    if (status)
        return status;
    rt_progress_begin(&s.progress, "exporting");
    const bool ok = write_both(&s, (const char *const[2]){npy, csv});
    rt_progress_end(&s.progress);
    if (atomic_load(&rt_stop)) {
        rt_say("stopped");
        return RT_INTERRUPTED;
    }
    if (!ok)
        return RT_IO;
    const idx_scale *sc = idx_scale_of(index, s.set);
    printf("%s: %u vectors of %u values, scale %s%s; %s says what they are\n", npy,
           sc->n_entries, sc->dim, rt_scale_name(rt_scale_of_set(s.set)),
           s.set < DSP_SCALES ? "" : " by labels", csv);
    return RT_OK;
}

int
rt_cmd_export(int argc, char **argv)
{
    rt_options o;
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_EXPORT, argc, argv, rest, &status);
    idx_index *index = NULL;
    if (n == 0 || n > 1) {
        rt_say("name one index; see hearken export --help");
        status = RT_USAGE;
    } else if (n == 1) {
        status = rt_load(&index, rest[0], NULL, false);
    }
    if (index) {
        rt_catch_stop();
        status = rt_finish_output(export(index, &o, rest[0]));
    }
    idx_close(index);
    free(rest);
    return status;
}
