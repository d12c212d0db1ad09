/* Makes, frees and reads what history.c keeps. */
#include "history.h"

#include "dsp/dsp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLACK_S = 2 }; /* that the reader may be slower than sound */

static const double lead_s = 0.02, /* before what the gate takes for the beginning */
    hold_s = 0.1,   /* of the gate: a pause, and what is left at an end */
    least_s = 0.03, /* that an embedding can be made of */
    no_pause_s = 2; /* what is taken where there was none */
static const double gate_hysteresis_db = 6; /* as the gate's */

bool
rt_history_new(rt_history *h)
{
    h->tape =
        rt_tape_new((size_t)(RT_HISTORY_S + SLACK_S) * DSP_MAX_RATE_HZ, sizeof(float));
    return h->tape;
}

void
rt_history_free(rt_history *h)
{
    rt_tape_free(h->tape);
    h->tape = NULL;
}

/* A copy of the tape, into *out. False without memory, or where it is gone. */
static bool
copy(const rt_history *h, uint64_t begin, uint64_t end, rt_heard *out)
{
    out->n = (size_t)(end - begin);
    out->x = malloc((out->n + 1) * sizeof *out->x);
    return out->x && rt_tape_read(h->tape, begin, out->n, out->x);
}

static double
magnitude(float x)
{
    return isfinite(x) ? fabs((double)x) : 0;
}

/* The levels that the gate opens and closes at. */
typedef struct {
    double open, close;
} levels;

static levels
levels_of(double gate_db)
{
    return (levels){pow(10, gate_db / 20),
                    pow(10, (gate_db - gate_hysteresis_db) / 20)};
}

/* Where what sounds up to end began after a pause. */
static size_t
begin_of_last(const rt_heard *s, size_t end, double quiet)
{
    const size_t pause = (size_t)(hold_s * s->rate_hz),
                 most = (size_t)(no_pause_s * s->rate_hz);
    size_t run = 0, i = end;
    while (i > 0 && run < pause)
        run = magnitude(s->x[--i]) < quiet ? run + 1 : 0;
    return run == pause ? i + pause : end > most ? end - most : 0;
}

/* Leaves what the gate would let through, with a little at either end. */
static void
trim(rt_heard *s, const levels *at, bool last_only)
{
    const size_t lead = (size_t)(lead_s * s->rate_hz),
                 tail = (size_t)(hold_s * s->rate_hz);
    size_t end = s->n;
    while (end > 0 && magnitude(s->x[end - 1]) < at->open)
        end--;
    if (!end) {
        s->n = 0;
        return;
    }
    size_t first = last_only ? begin_of_last(s, end, at->close) : 0;
    while (magnitude(s->x[first]) < at->open)
        first++;
    first -= first < lead ? first : lead;
    for (size_t i = end; i < s->n && i - end < tail; i++)
        end = magnitude(s->x[i]) < at->close ? end : i + 1;
    end = s->n - end > tail ? end + tail : s->n;
    memmove(s->x, s->x + first, (end - first) * sizeof *s->x);
    s->n = end - first;
}

static bool
refuse(rt_heard *out)
{
    free(out->x);
    out->x = NULL;
    out->n = 0;
    return false;
}

bool
rt_history_take(const rt_history *h, double seconds, double gate_db, rt_heard *out,
                char *why, size_t why_len)
{
    *out = (rt_heard){0};
    if (!h->tape || !rt_tape_end(h->tape)) {
        snprintf(why, why_len, "nothing has been heard yet");
        return false;
    }
    const uint64_t whole = atomic_load_explicit(&h->whole_from, memory_order_acquire);
    const uint64_t end = rt_tape_end(h->tape);
    out->rate_hz = atomic_load_explicit(&h->rate_hz, memory_order_relaxed);
    const bool last_only = !(seconds > 0);
    const uint64_t n = (uint64_t)((last_only ? RT_HISTORY_S : seconds) * out->rate_hz);
    const uint64_t begin = end - whole < n ? whole : end - n;
    const double there_s = (double)(end - begin) / out->rate_hz;
    if (!copy(h, begin, end, out)) {
        snprintf(why, why_len, "there is not enough memory, or time, to learn now");
        return refuse(out);
    }
    if (atomic_load_explicit(&h->whole_from, memory_order_acquire) != whole) {
        snprintf(why, why_len,
                 "sound was lost just now; learn it when it sounds again");
        return refuse(out);
    }
    const levels at = levels_of(gate_db);
    trim(out, &at, last_only);
    if ((double)out->n >= least_s * out->rate_hz)
        return true;
    if (there_s < least_s)
        snprintf(why, why_len,
                 "only %.0f ms were heard, which is too short; learn when more has "
                 "sounded",
                 there_s * 1000);
    else
        snprintf(why, why_len,
                 "nothing above %g dBFS (match.gate-db) sounded in the last %.1f s; "
                 "play it and then learn it",
                 gate_db, there_s);
    return refuse(out);
}
