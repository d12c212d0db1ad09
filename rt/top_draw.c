/* The screen and the lines of hearken top. */
#include "top.h"

#include <math.h>
#include <string.h>

enum { SILENT_S = 2, FRESH_S = 2, MOST_SOUNDS = 32 };
static const double floor_db = -60;

/* What is bad news where it is not 0, and worth a word where it is. */
static const struct {
    const char *count;
    rt_style style;
} losses[] = {
    {"dropped_blocks", RT_BAD},  {"lost_frames", RT_BAD}, {"dropped_matches", RT_BAD},
    {"failed", RT_BAD},          {"xruns", RT_WARN},      {"stalls", RT_BAD},
    {"reconnects", RT_WARN},     {"shed_scenes", RT_BAD}, {"shed_events", RT_BAD},
    {"shed_frames", RT_BAD},     {"unprinted", RT_WARN},  {"bad_samples", RT_WARN},
    {"truth_dropped", RT_PLAIN}, {"cut", RT_PLAIN},
};
enum { N_LOSSES = sizeof losses / sizeof *losses };

/* ---- Figures ---------------------------------------------------------------------
 */

static double
share_of(uint64_t now, uint64_t before, double seconds)
{
    return seconds > 0 && now > before ? (double)(now - before) * 1e-9 / seconds : 0;
}

rt_top_load
rt_top_load_of(const rt_top *t)
{
    const double seconds = t->now_s - t->before_s;
    rt_top_load load = {0, 0, 0};
    for (uint32_t i = 0; i < t->now->who.n_inputs; i++) {
        const rt_live_input *a = &t->now->input[i], *b = &t->before->input[i];
        load.analysis += share_of(a->busy_ns, b->busy_ns, seconds);
        load.query += share_of(a->query_ns, b->query_ns, seconds);
    }
    load.publish = share_of(t->now->publish_ns, t->before->publish_ns, seconds);
    return load;
}

rt_top_state
rt_top_state_of(const rt_top *t)
{
    const rt_live_status *s = &t->now->status;
    rt_top_state state = {.for_s = fmax(0, t->now_s - s->state_since_s)};
    const bool running = !strcmp(s->state, "running");
    snprintf(state.text, sizeof state.text, "%s", s->state);
    state.style = running ? RT_GOOD : !strcmp(s->state, "waiting") ? RT_WARN : RT_BAD;
    if (!s->state[0]) {
        state = (rt_top_state){"starting", fmax(0, t->now_s - t->now->who.began_s),
                               RT_WARN};
    } else if (t->now_s - s->at_s > SILENT_S && strcmp(s->state, "ended") != 0) {
        state = (rt_top_state){"no sign of life", t->now_s - s->at_s, RT_BAD};
    }
    return state;
}

static double
level_db(const rt_live_input *in)
{
    const float peak = atomic_load_explicit(&in->peak, memory_order_relaxed);
    return peak > 1e-6F ? 20 * log10((double)peak) : -120;
}

static double
rate_of(const rt_top *t, const char *count)
{
    const double seconds = t->now->status.at_s - t->before->status.at_s;
    const uint64_t now = rt_live_count(t->now, count);
    const uint64_t before = rt_live_count(t->before, count);
    return seconds > 0 && now > before ? (double)(now - before) / seconds : 0;
}

static const char *
name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* How long ago a match sounded. */
static double
ago_s(const rt_top *t, const rt_live_match *m)
{
    return fmin(fmax(0, t->now_s - m->at_s + (double)m->age_ms / 1000), 9999);
}

/* ---- Screen ----------------------------------------------------------------------
 */

static void
put_duration(rt_canvas *c, rt_style style, double seconds)
{
    const unsigned long s = (unsigned long)fmin(seconds, 1e9);
    rt_put(c, style, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
}

static void
head(rt_canvas *c, const rt_top *t)
{
    static const char keys[] = "q quits";
    const rt_top_state state = rt_top_state_of(t);
    rt_put(c, RT_STRONG, "%s", t->now->who.client);
    rt_put(c, RT_PLAIN, " (%u)  ", t->now->who.pid);
    rt_put(c, state.style, "%s", state.text);
    rt_put(c, RT_PLAIN, " ");
    put_duration(c, RT_PLAIN, state.for_s);
    rt_put(c, RT_PLAIN, "  %u Hz, period %u", t->now->status.rate_hz,
           t->now->status.period);
    if (c->at + 2 + (int)strlen(keys) <= c->columns) {
        rt_put_to(c, c->columns - (int)strlen(keys));
        rt_put(c, RT_DIM, "%s", keys);
    }
    rt_put_line(c);
    rt_put(c, RT_DIM, "%s", t->now->who.index);
    rt_put_line(c);
    rt_put_line(c);
}

static void
meter(rt_canvas *c, const rt_top *t, uint32_t i, int names)
{
    enum { FIGURES = 19 }; /* columns of "  -12.3 dBFS open  " */
    const rt_live_input *in = &t->now->input[i];
    const double db = level_db(in);
    const bool open = atomic_load_explicit(&in->open, memory_order_relaxed);
    const int bar = c->columns - names - FIGURES;
    rt_put(c, RT_STRONG, "%s", t->now->who.input[i]);
    rt_put_to(c, names);
    rt_put(c, db > -1 ? RT_BAD : RT_PLAIN, db > -120 ? "%7.1f dBFS" : "  below %.0f",
           db);
    rt_put(c, open ? RT_GOOD : RT_DIM, open ? " open  " : " shut  ");
    if (bar > 0)
        rt_put_bar(c,
                   db > -1   ? RT_BAD
                   : db > -9 ? RT_WARN
                             : RT_GOOD,
                   1 - db / floor_db, bar);
    rt_put_line(c);
}

static void
meters(rt_canvas *c, const rt_top *t)
{
    const uint32_t n = t->now->who.n_inputs;
    const uint32_t room = c->rows > 9 ? (uint32_t)c->rows / 3 : 1;
    int names = 4;
    for (uint32_t i = 0; i < n; i++) {
        const int columns = rt_columns(t->now->who.input[i]);
        names = columns > names ? columns : names;
    }
    names = names > c->columns / 3 ? c->columns / 3 : names;
    for (uint32_t i = 0; i < n && i < room; i++)
        meter(c, t, i, names);
    if (n > room) {
        rt_put(c, RT_DIM, "and %u more, for which there is no room", n - room);
        rt_put_line(c);
    }
    rt_put_line(c);
}

static rt_style
load_style(double share)
{
    return share > 0.9 ? RT_BAD : share > 0.5 ? RT_WARN : RT_PLAIN;
}

static void
loads(rt_canvas *c, const rt_top *t)
{
    const rt_top_load l = rt_top_load_of(t);
    rt_put(c, RT_DIM, "load    ");
    rt_put(c, load_style(l.analysis), "analysis %.1f %%", 100 * l.analysis);
    rt_put(c, RT_PLAIN, " (dsp %.1f, search %.1f)  ",
           100 * fmax(0, l.analysis - l.query), 100 * l.query);
    rt_put(c, load_style(l.publish), "publish %.1f %%", 100 * l.publish);
    rt_put_line(c);
    rt_put(c, RT_DIM, "second  ");
    rt_put(c, RT_PLAIN, "%.0f hops, %.0f answers, %.0f matches, %.0f sent",
           rate_of(t, "hops"), rate_of(t, "answers"), rate_of(t, "matches"),
           rate_of(t, "sent"));
    rt_put_line(c);
}

/* Goes on in a row of its own where the words do not fit. */
static void
lost(rt_canvas *c, const rt_top *t)
{
    bool any = false;
    char text[80];
    rt_put(c, RT_DIM, "lost    ");
    for (size_t i = 0; i < N_LOSSES; i++) {
        const uint64_t n = rt_live_count(t->now, losses[i].count);
        if (!n)
            continue;
        snprintf(text, sizeof text, "%s%s %llu", any ? "  " : "", losses[i].count,
                 (unsigned long long)n);
        if (any && c->at + (int)strlen(text) > c->columns) {
            rt_put_line(c);
            rt_put_to(c, 6);
        }
        rt_put(c, losses[i].style, "%s", text);
        any = true;
    }
    if (!any)
        rt_put(c, RT_GOOD, "nothing");
    rt_put_line(c);
    rt_put_line(c);
}

static void
scale_head(rt_canvas *c, const rt_top *t, uint32_t scale)
{
    const rt_live_recall *r = &t->now->status.recall[scale];
    const rt_live_match *vote;
    rt_put(c, RT_STRONG, "%s", rt_scale_name(scale));
    if (rt_live_newest(t->now, scale, RT_LABEL, &vote, 1) &&
        ago_s(t, vote) < 2 * FRESH_S)
        rt_put(c, RT_GOOD, "  %s: %.2f of %u", vote->label, (double)vote->score,
               vote->rank);
    if (r->n_asked)
        rt_put(c, r->high < r->promised - 0.05 ? RT_BAD : RT_DIM,
               "  recall@%u %.3f (%.3f to %.3f) over %llu answers", r->k, r->recall,
               r->low, r->high, (unsigned long long)r->n_asked);
    rt_put_line(c);
}

static void
match_row(rt_canvas *c, const rt_top *t, const rt_live_match *m)
{
    const int bar = c->columns >= 72 ? 20 : c->columns >= 50 ? 8 : 0;
    const bool fresh = ago_s(t, m) < FRESH_S;
    rt_put(c, fresh ? RT_PLAIN : RT_DIM, "%6.1f s  ", ago_s(t, m));
    if (bar) {
        rt_put_bar(c, fresh ? RT_GOOD : RT_DIM, (double)m->score, bar);
        rt_put(c, RT_PLAIN, " ");
    }
    rt_put(c, fresh ? RT_STRONG : RT_PLAIN, "%.3f", (double)m->score);
    if (t->now->who.n_inputs > 1)
        rt_put(c, RT_DIM, "  %s", t->now->who.input[m->input]);
    if (t->now->who.n_indexes > 1)
        rt_put(c, RT_DIM, "  %s", t->now->who.name[m->index]);
    rt_put(c, fresh ? RT_PLAIN : RT_DIM, "  %s%s%s", m->label, *m->label ? " / " : "",
           name_of(m->path));
    rt_put_line(c);
}

static void
scales(rt_canvas *c, const rt_top *t)
{
    const rt_live_match *m[MOST_SOUNDS];
    int n_scales = 0;
    for (uint32_t s = 0; s < RT_LIVE_SCALES; s++)
        n_scales += (int)(t->now->status.scales >> s & 1U);
    const int room = n_scales ? (c->rows - c->row) / n_scales - 1 : 0;
    for (uint32_t s = 0; s < RT_LIVE_SCALES; s++) {
        if (!(t->now->status.scales >> s & 1U))
            continue;
        const size_t cap = room < 1             ? 1
                           : room < MOST_SOUNDS ? (size_t)room
                                                : MOST_SOUNDS;
        const size_t n = rt_live_newest(t->now, s, RT_MATCH, m, cap);
        scale_head(c, t, s);
        for (size_t i = 0; i < n; i++)
            match_row(c, t, m[i]);
    }
}

void
rt_top_screen(rt_canvas *c, const rt_top *t)
{
    rt_canvas_begin(c);
    head(c, t);
    meters(c, t);
    loads(c, t);
    lost(c, t);
    scales(c, t);
    rt_canvas_end(c);
}

/* ---- Lines -----------------------------------------------------------------------
 */

static void
line_scale(rt_canvas *c, const rt_top *t, uint32_t scale)
{
    const rt_live_match *m;
    rt_put(c, RT_PLAIN, "  %s ", rt_scale_name(scale));
    if (rt_live_newest(t->now, scale, RT_MATCH, &m, 1) && ago_s(t, m) < FRESH_S)
        rt_put(c, RT_PLAIN, "%.3f %s%s%s", (double)m->score, m->label,
               *m->label ? " / " : "", name_of(m->path));
    else
        rt_put(c, RT_PLAIN, "-");
}

static void
line_lost(rt_canvas *c, const rt_top *t)
{
    bool any = false;
    for (size_t i = 0; i < N_LOSSES; i++) {
        const uint64_t n = rt_live_count(t->now, losses[i].count);
        if (n)
            rt_put(c, RT_PLAIN, "%s %s %llu", any ? "," : "  lost:", losses[i].count,
                   (unsigned long long)n);
        any = any || n;
    }
    if (!any)
        rt_put(c, RT_PLAIN, "  lost: nothing");
}

void
rt_top_line(rt_canvas *c, const rt_top *t)
{
    const rt_top_state state = rt_top_state_of(t);
    const rt_top_load load = rt_top_load_of(t);
    rt_canvas_begin(c);
    rt_put(c, RT_PLAIN, "%s ", state.text);
    put_duration(c, RT_PLAIN, state.for_s);
    for (uint32_t i = 0; i < t->now->who.n_inputs; i++) {
        const rt_live_input *in = &t->now->input[i];
        const bool open = atomic_load_explicit(&in->open, memory_order_relaxed);
        rt_put(c, RT_PLAIN, "  %s %.1f dBFS %s", t->now->who.input[i], level_db(in),
               open ? "open" : "shut");
    }
    for (uint32_t s = 0; s < RT_LIVE_SCALES; s++)
        if (t->now->status.scales >> s & 1U)
            line_scale(c, t, s);
    rt_put(c, RT_PLAIN, "  load: analysis %.1f %%, publish %.1f %%",
           100 * load.analysis, 100 * load.publish);
    line_lost(c, t);
    rt_put_line(c);
}
