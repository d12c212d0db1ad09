/* Makes and frees what analyse.c runs on. */
#include "analyse_private.h"
#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(name) #name,
const char *const rt_count_name[RT_COUNTS] = {RT_COUNT_LIST};
#undef N

const char *
rt_scale_name(uint32_t scale)
{
    return scale < DSP_SCALES ? dsp_scale_name[scale] : "timbre";
}

uint32_t
rt_scale_of_set(uint32_t set)
{
    return set == IDX_TIMBRE ? RT_TIMBRE : set % DSP_SCALES;
}

uint32_t
rt_set_of(const rt_options *o, uint32_t scale)
{
    return scale == RT_TIMBRE ? IDX_TIMBRE : o->search.space * DSP_SCALES + scale;
}

dsp_layout
rt_layout_of(const rt_options *o, dsp_scale scale)
{
    return dsp_front_layout((dsp_front_kind)o->dsp.frontend, scale);
}

uint32_t
rt_event_hops(const rt_options *o)
{
    return o->dsp.event_ms * DSP_HOPS_PER_S / 1000;
}

uint32_t
rt_event_step(const rt_options *o)
{
    return rt_event_hops(o) / 2;
}

bool
rt_analyse_check(const rt_options *o, char *why, size_t why_len)
{
    const uint32_t confirm = o->match.confirm_ms, within = o->match.within_ms;
    const uint32_t most = confirm > within ? confirm : within;
    if (within && confirm > within) {
        snprintf(why, why_len,
                 "match.confirm-ms %u cannot be reached within match.within-ms %u; "
                 "raise match.within-ms or lower match.confirm-ms",
                 confirm, within);
        return false;
    }
    if (o->match.release > o->match.score) {
        snprintf(why, why_len,
                 "match.release %g is more than match.score %g, so that a match would "
                 "never end; lower match.release first",
                 (double)o->match.release, (double)o->match.score);
        return false;
    }
    for (uint32_t s = 0; s < RT_SCALES; s++) {
        if (!(o->match.scales >> s & 1U) || most <= RT_ANSWERS * rt_answer_ms[s])
            continue;
        snprintf(why, why_len,
                 "match.%s-ms %u is more than the %u ms that scale %s remembers; lower "
                 "it or leave the scale out of match.scales",
                 confirm > within ? "confirm" : "within", most,
                 RT_ANSWERS * rt_answer_ms[s], rt_scale_name(s));
        return false;
    }
    return true;
}

static const double gate_hold_s = 0.1;

/* Scenes are made of events, standardised as those of the index are. */
static bool
has_scenes(const rt_analyse *a, const idx_index *index)
{
    return (idx_scale_of(index, DSP_SCENE)->n_entries ||
            idx_scale_of(index, DSP_SCALES + DSP_SCENE)->n_entries) &&
           idx_scale_of(index, DSP_EVENT)->n_in == a->layout[DSP_EVENT].n_in;
}

/* Zeros in pages that are there: those of calloc() come when they are first written,
 * which is no time to wait for them. */
static void *
zeros(size_t n, size_t size)
{
    const size_t bytes = (n * size + 63) / 64 * 64;
    void *p = aligned_alloc(64, bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

/* As much as any settings may want: they change while it runs. */
static bool
allocate(rt_analyse *a, const idx_index *index)
{
    uint32_t most = 1;
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        const uint32_t dim = idx_scale_of(index, s)->dim;
        most = dim > most ? dim : most;
    }
    for (uint32_t s = 0; s < RT_SCALES; s++) {
        a->last_sent[s] = zeros(idx_n_sounds(index) + 1U, sizeof *a->last_sent[s]);
        if (!a->last_sent[s])
            return false;
    }
    a->n_sounds = idx_n_sounds(index);
    a->query = zeros(most, sizeof *a->query);
    a->refined = zeros(most, sizeof *a->refined);
    a->row = zeros(most, sizeof *a->row);
    if (has_scenes(a, index) && dsp_scene_new(&a->scene, a->layout[DSP_EVENT].n_in,
                                              DSP_SCENE_HOPS / a->event_step))
        return false;
    a->hits = zeros(IDX_MAX_K, sizeof *a->hits);
    a->seen = zeros(RT_MAX_K, sizeof *a->seen);
    return a->query && a->refined && a->row && a->hits && a->seen &&
           !idx_scratch_new(&a->scratch, index);
}

static void
configure(rt_analyse *a, const rt_options *o)
{
    a->weighs = o->dsp.frontend == DSP_FRONT_MEL;
    a->event_hops = rt_event_hops(o);
    a->event_step = rt_event_step(o);
    a->frame_step = o->dsp.frame_ms * DSP_HOPS_PER_S / 1000;
    for (dsp_scale s = DSP_FRAME; s < DSP_SCALES; s++)
        a->layout[s] = rt_layout_of(o, s);
    a->timbre = !a->index && o->build.timbre;
    if (a->index && rt_background_fits(o->background, a->index))
        a->background = o->background;
    rt_onset_reset(&a->onset);
    a->gate.hold_frames = (uint64_t)(gate_hold_s * a->rate_hz);
    if (a->index)
        rt_analyse_set(a, o);
}

void
rt_analyse_rewind(rt_analyse *a, const rt_sink *sink)
{
    a->sink = *sink;
    a->n_frames = a->begun = 0;
    a->quiet_hops = DSP_HOPS_PER_S; /* before a sound there is silence */
    memset(a->emitted, 0, sizeof a->emitted);
    dsp_stream_reset(a->stream, 0);
}

bool
rt_analyse_new(rt_analyse **out, uint32_t rate_hz, const rt_options *o,
               const idx_index *index, rt_counts *counts, const rt_sink *sink,
               char *why, size_t why_len)
{
    *out = NULL;
    rt_analyse *a = zeros(1, sizeof *a);
    if (!a) {
        snprintf(why, why_len, "there is not enough memory for the analysis");
        return false;
    }
    a->index = index;
    a->counts = counts;
    a->sink = *sink;
    a->rate_hz = rate_hz;
    a->quiet_hops = DSP_HOPS_PER_S; /* before a sound there is silence */
    configure(a, o);
    const dsp_stream_config c = {
        .rate_hz = rate_hz,
        .gate_db = o->dsp.gate_db,
        .event_hops = a->event_hops,
        .front = o->dsp.frontend,
        .timbre = index ? idx_scale_of(index, IDX_TIMBRE)->n_entries > 0 : a->timbre};
    a->how = c;
    a->index_id = index ? rt_index_id(index) : 0;
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

bool
rt_analyse_add(rt_analyse *a, const idx_index *layer)
{
    if (!layer)
        return true;
    a->live_hits = zeros(IDX_MAX_K, sizeof *a->live_hits);
    if (!a->live_hits || idx_scratch_new(&a->layer_scratch, layer))
        return false;
    a->layer = layer;
    return true;
}

void
rt_analyse_free(rt_analyse *a)
{
    if (!a)
        return;
    dsp_stream_free(a->stream);
    dsp_scene_free(a->scene);
    idx_scratch_free(a->scratch);
    idx_scratch_free(a->layer_scratch);
    for (uint32_t s = 0; s < RT_SCALES; s++)
        free(a->last_sent[s]);
    free(a->query);
    free(a->refined);
    free(a->row);
    free(a->hits);
    free(a->live_hits);
    free(a->seen);
    free(a);
}

/* Values of a raw vector of a set of the index. */
static uint32_t
values_of(const rt_options *o, uint32_t set)
{
    return set == IDX_TIMBRE ? DSP_BFCC
                             : rt_layout_of(o, (dsp_scale)(set % DSP_SCALES)).n_in;
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
        const uint32_t n_in = values_of(o, s);
        if (sc->n_entries && sc->n_in != n_in) {
            snprintf(why, why_len,
                     "its features have %u values instead of %u; build it anew",
                     sc->n_in, n_in);
            return false;
        }
    }
    const idx_scale *codes = idx_scale_of(index, IDX_TIMBRE);
    if (codes->n_entries && (codes->dim != DSP_TIMBRE_BITS || !codes->matrix)) {
        snprintf(why, why_len,
                 "its timbre codes have %u bits instead of %d; build it anew",
                 codes->dim, DSP_TIMBRE_BITS);
        return false;
    }
    if (ok && o->search.space && !idx_scale_of(index, DSP_SCALES + DSP_EVENT)->dim) {
        snprintf(why, why_len,
                 "it has no space of labels (search.space = labels); build it with "
                 "--build-labels, from three labels or more");
        return false;
    }
    return ok;
}
