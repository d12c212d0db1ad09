/* Makes and frees what analyse.c runs on. */
#include "analyse_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(name) #name,
const char *const rt_count_name[RT_COUNTS] = {RT_COUNT_LIST};
#undef N

/* Hops between two answers of a scale, and between two entries of one sound: half a
 * window, so that every moment of a sound lies well inside one. */
static const uint32_t answer_every[DSP_SCALES] = {1, 10, 100};
static const uint32_t entry_every[DSP_SCALES] = {5, 50, 500};

static const double gate_hold_s = 0.1, gate_hysteresis_db = 6;

static double
linear(double db)
{
    return pow(10, db / 20);
}

static bool
allocate(rt_analyse *a, const idx_index *index)
{
    uint32_t most = 1;
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        const uint32_t dim = idx_scale_of(index, s)->dim;
        most = dim > most ? dim : most;
        a->last_sent[s] = calloc(idx_n_sounds(index) + 1U, sizeof *a->last_sent[s]);
        if (!a->last_sent[s])
            return false;
    }
    a->query = calloc(most, sizeof *a->query);
    a->hits = calloc(a->n_hits, sizeof *a->hits);
    a->seen = calloc(a->k, sizeof *a->seen);
    return a->query && a->hits && a->seen && !idx_scratch_new(&a->scratch, index);
}

static void
configure(rt_analyse *a, const rt_options *o)
{
    a->k = o->match.k;
    /* The entries of one sound overlap and crowd the first places. */
    a->n_hits = a->k == 1 ? 1 : a->k * 8 + 8 < IDX_MAX_K ? a->k * 8 + 8 : IDX_MAX_K;
    a->confirm = o->match.confirm;
    a->scales = o->match.scales;
    a->want_nomatch = o->osc.nomatch;
    a->min_score = o->match.score;
    a->min_gap_frames = (uint64_t)o->match.min_gap_ms * a->rate_hz / 1000;
    a->gate.open_at = (float)linear((double)o->match.gate_db);
    a->gate.close_at = (float)linear((double)o->match.gate_db - gate_hysteresis_db);
    a->gate.hold_frames = (uint64_t)(gate_hold_s * a->rate_hz);
}

bool
rt_analyse_new(rt_analyse **out, uint32_t rate_hz, const rt_options *o,
               const idx_index *index, rt_counts *counts, const rt_sink *sink,
               char *why, size_t why_len)
{
    *out = NULL;
    rt_analyse *a = calloc(1, sizeof *a);
    if (!a) {
        snprintf(why, why_len, "there is not enough memory for the analysis");
        return false;
    }
    a->index = index;
    a->counts = counts;
    a->sink = *sink;
    a->rate_hz = rate_hz;
    memcpy(a->every, index ? answer_every : entry_every, sizeof a->every);
    configure(a, o);
    const dsp_stream_config c = {.rate_hz = rate_hz, .gate_db = o->dsp.gate_db};
    const dsp_status st = dsp_stream_new(&a->stream, &c);
    if (st == DSP_EARG)
        snprintf(why, why_len,
                 "a sample rate of %u Hz cannot be analysed; %d to %d Hz can", rate_hz,
                 DSP_MIN_RATE_HZ, DSP_MAX_RATE_HZ);
    else if (st || (index && !allocate(a, index)))
        snprintf(why, why_len, "there is not enough memory for the analysis");
    else
        *out = a;
    if (!*out)
        rt_analyse_free(a);
    return *out;
}

void
rt_analyse_free(rt_analyse *a)
{
    if (!a)
        return;
    dsp_stream_free(a->stream);
    idx_scratch_free(a->scratch);
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        free(a->last_sent[s]);
    free(a->query);
    free(a->hits);
    free(a->seen);
    free(a);
}

/* The settings text of an index is "features = NAME", then settings as in a preset. */
bool
rt_analyse_settings(rt_options *o, const idx_index *index, char *why, size_t why_len)
{
    const char *text = idx_settings(index);
    static const char head[] = "features = " RT_FEATURES "\n";
    if (strncmp(text, head, sizeof head - 1) != 0) {
        snprintf(why, why_len,
                 "it was built with other features than this hearken has (%s); build "
                 "it anew",
                 RT_FEATURES);
        return false;
    }
    text += sizeof head - 1;
    FILE *file = *text ? fmemopen((void *)(uintptr_t)text, strlen(text), "r") : NULL;
    const bool ok =
        !*text || (file && rt_preset_read(o, file, "settings", why, why_len));
    if (file)
        fclose(file);
    for (uint32_t s = 0; ok && s < IDX_SCALES; s++) {
        const idx_scale *sc = idx_scale_of(index, s);
        if (sc->n_entries && sc->n_in != DSP_RAW) {
            snprintf(why, why_len,
                     "its features have %u values instead of %d; build it anew",
                     sc->n_in, DSP_RAW);
            return false;
        }
    }
    return ok;
}
