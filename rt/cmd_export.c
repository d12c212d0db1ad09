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
#include <xxhash.h>

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

/* ---- Order ------------------------------------------------------------------------
 */

/* An entry, and what decides where it is written. */
typedef struct {
    uint32_t sound, entry;
    float start_s, length_s;
    uint64_t tie;
} place;

static int
by_place(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (x->sound != y->sound)
        return x->sound < y->sound ? -1 : 1;
    if (x->start_s < y->start_s || x->start_s > y->start_s)
        return x->start_s < y->start_s ? -1 : 1;
    if (x->length_s < y->length_s || x->length_s > y->length_s)
        return x->length_s < y->length_s ? -1 : 1;
    if (x->tie != y->tie)
        return x->tie < y->tie ? -1 : 1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

/* A row at unit length, whatever its 16 or 8 bits left of that. */
static void
take_row(const idx_index *index, uint32_t set, uint32_t entry, float x[])
{
    const idx_scale *sc = idx_scale_of(index, set);
    idx_row(index, set, entry, x);
    if (sc->params.metric == IDX_COSINE)
        rt_vector_unit(x, sc->dim);
}

/*
 * By sound and time: how an index orders its entries is its own business. Cells lose
 * the order that entries had, so that of entries at one place the rows themselves have
 * to decide.
 */
static place *
sort_entries(const idx_index *index, uint32_t set)
{
    const idx_scale *sc = idx_scale_of(index, set);
    float x[IDX_MAX_DIM];
    place *places = calloc(sc->n_entries, sizeof *places);
    for (uint32_t i = 0; places && i < sc->n_entries; i++) {
        const idx_entry e = sc->entries[i];
        places[i] = (place){e.sound, i, e.start_s, e.length_s, 0};
        if (sc->params.family != IDX_CELLS)
            continue;
        take_row(index, set, i, x);
        places[i].tie = XXH3_64bits(x, sc->dim * sizeof *x);
    }
    if (places)
        qsort(places, sc->n_entries, sizeof *places, by_place);
    return places;
}

/* ---- Two files ------------------------------------------------------------------- */

/* What both writers work on. */
typedef struct {
    const idx_index *index;
    uint32_t set;
    const place *places; /* [n_entries] in the order of writing */
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
        for (uint32_t j = 0; j < n; j++)
            take_row(s->index, s->set, s->places[i + j].entry, x + (size_t)j * sc->dim);
        i += n;
        ok =
            go_on(s, i, 0, 0.5) && outfile_write(f, x, (size_t)n * sc->dim * sizeof *x);
    }
    return ok;
}

/* One line; floats with the digits that give the same float again. */
static void
print_line(const idx_index *index, const place *at, FILE *to)
{
    const idx_sound sound = idx_sound_of(index, at->sound);
    rt_csv_write(to, sound.path);
    fprintf(to, ",%.9g,%.9g,", (double)at->start_s, (double)at->length_s);
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
            print_line(s->index, &s->places[i], to);
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
    place *places = sort_entries(index, s.set);
    if (!places) {
        rt_say("%s: there is not enough memory to put its entries in order", from);
        return RT_SOFTWARE;
    }
    s.places = places;
    rt_progress_begin(&s.progress, "exporting");
    const bool ok = write_both(&s, (const char *const[2]){npy, csv});
    rt_progress_end(&s.progress);
    free(places);
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
