/* The lines of a recording, in, as from a stranger. */
#include "recording.h"

#include "layer.h"

#include <stdlib.h>
#include <string.h>

/* Frame numbers above would overflow when they become hops. */
static const uint64_t most_frames = UINT64_C(1) << 50;

enum { MAX_LINE = 1200 };

typedef struct {
    rt_recording *r;
    rt_options *o;
    const idx_index *index, *layer;
    uint32_t seen; /* bit per row of the table below */
    size_t changes_room, sent_room;
    char *why;
    size_t why_len;
} reader;

static bool
refuse(const reader *in, const char *what)
{
    snprintf(in->why, in->why_len,
             "its recording of the last seconds %s; take it as any other sound with "
             "--record-replay no",
             what);
    return false;
}

/* ---- Words of a line ------------------------------------------------------------- */

/* The next word, which is cut off the line; "" at its end. */
static char *
word(char **line)
{
    char *begin = *line;
    const size_t n = strcspn(begin, " ");
    *line = begin + n + (begin[n] ? 1 : 0);
    begin[n] = 0;
    return begin;
}

/* A word of nothing but digits, up to most. */
static bool
number(char **line, uint64_t most, uint64_t *out)
{
    const char *w = word(line);
    uint64_t x = 0;
    if (!*w || strlen(w) > 19)
        return false;
    for (; *w; w++) {
        if (*w < '0' || *w > '9')
            return false;
        x = 10 * x + (uint64_t)(*w - '0');
    }
    *out = x;
    return x <= most;
}

static bool
number32(char **line, uint32_t most, uint32_t *out)
{
    uint64_t x = 0;
    const bool ok = number(line, most, &x);
    *out = (uint32_t)x;
    return ok;
}

static bool
scale(char **line, uint32_t *out)
{
    const char *w = word(line);
    for (*out = 0; *out < RT_SCALES; ++*out)
        if (!strcmp(w, rt_scale_name(*out)))
            return true;
    return false;
}

/* ---- Lines: each takes all that follows its first word -----------------------------
 */

static bool
read_id(const char *line, uint64_t *id)
{
    *id = strtoull(line, NULL, 16);
    return strlen(line) == 16 && strspn(line, "0123456789abcdef") == 16;
}

static bool
read_index(reader *in, char *line)
{
    return read_id(line, &in->r->index_id);
}

/* At once, as what follows has the numbers of its sounds. */
static bool
read_layer(reader *in, char *line)
{
    rt_recording *r = in->r;
    if (!read_id(line, &r->layer_id) || !r->layer_id)
        return false;
    return (in->layer && r->layer_id == rt_index_id(in->layer)) ||
           refuse(in, "was made beside learned sounds, and wants the .learned.hkn "
                      "beside it as --learn-file");
}

static bool
read_input(reader *in, char *line)
{
    if (!number32(&line, UINT32_MAX, &in->r->number) || !*line ||
        strlen(line) >= RT_NAME)
        return false;
    strcpy(in->r->input, line);
    return true;
}

static bool
read_rate(reader *in, char *line)
{
    return number32(&line, DSP_MAX_RATE_HZ, &in->r->rate_hz) &&
           in->r->rate_hz >= DSP_MIN_RATE_HZ;
}

static bool
read_samples(reader *in, char *line)
{
    return number(&line, most_frames, &in->r->n_samples);
}

static bool
read_warm(reader *in, char *line)
{
    return number(&line, most_frames, &in->r->n_warm);
}

static bool
read_first(reader *in, char *line)
{
    return number(&line, most_frames, &in->r->first_frame);
}

static bool
read_clock(reader *in, char *line)
{
    static const double most_s = 1e12;
    rt_clock *c = &in->r->clock;
    if (!number(&line, most_frames, &c->frame))
        return false;
    const char *w = word(&line);
    char *end;
    c->s = strtod(w, &end);
    return *w >= '0' && *w <= '9' && !*end && c->s >= 0 && c->s < most_s;
}

static bool
read_gate(reader *in, char *line)
{
    const char *w = word(&line);
    in->r->state.open = !strcmp(w, "open");
    return (in->r->state.open || !strcmp(w, "closed")) &&
           number(&line, most_frames, &in->r->state.last_loud) &&
           number(&line, most_frames, &in->r->state.onset_hop);
}

static bool
read_rose(reader *in, char *line)
{
    return number(&line, most_frames, &in->r->state.rose_hop);
}

static bool
read_agreed(reader *in, char *line)
{
    rt_snapshot *state = &in->r->state;
    uint32_t s;
    bool ok = scale(&line, &s) && number32(&line, UINT32_MAX, &state->held[s]);
    for (uint32_t i = 0; ok && *line && i < RT_ANSWERS; i++)
        ok = number32(&line, UINT32_MAX, &state->best[s][i]);
    return ok && !*line;
}

static bool
read_timbre(reader *in, char *line)
{
    rt_snapshot *s = &in->r->state;
    bool ok = true;
    for (uint32_t i = 0, x; ok && i < DSP_TIMBRE_FRAMES; i++) {
        ok = number32(&line, DSP_TIMBRE_BITS, &x);
        s->timbre[i] = (uint8_t)x;
    }
    return ok;
}

/* Room for one more item behind n of them. */
static bool
grow(void **items, size_t n, size_t *room, size_t item_bytes)
{
    if (n < *room)
        return true;
    const size_t more = *room ? 2 * *room : 16;
    void *p = more > SIZE_MAX / item_bytes ? NULL : realloc(*items, more * item_bytes);
    if (!p)
        return false;
    *items = p;
    *room = more;
    return true;
}

static bool
read_sent(reader *in, char *line)
{
    rt_recording *r = in->r;
    rt_sent s;
    void *items = r->sent;
    if (!scale(&line, &s.scale) || !number32(&line, UINT32_MAX, &s.sound) ||
        !number(&line, most_frames, &s.frame) ||
        s.sound >= rt_n_sounds_in(in->index, in->layer) ||
        !grow(&items, r->n_sent, &in->sent_room, sizeof s))
        return false;
    r->sent = items;
    r->sent[r->n_sent++] = s;
    return true;
}

static bool
read_change(reader *in, char *line, rt_change_kind kind, uint64_t most)
{
    rt_recording *r = in->r;
    rt_change c = {.kind = kind};
    void *items = r->changes;
    if (!number(&line, most_frames, &c.at) || !number(&line, most, &c.value) ||
        (r->n_changes && c.at < r->changes[r->n_changes - 1].at) ||
        !grow(&items, r->n_changes, &in->changes_room, sizeof c))
        return false;
    r->changes = items;
    r->changes[r->n_changes++] = c;
    return true;
}

static bool
read_gap(reader *in, char *line)
{
    return read_change(in, line, RT_GAP, most_frames);
}

static bool
read_shed(reader *in, char *line)
{
    return read_change(in, line, RT_SHED, RT_SHED_FRAMES);
}

/* Only what answers depend on: nobody's recording sets where files are written. */
static bool
read_set(reader *in, char *line)
{
    const char *name = word(&line);
    return (!strncmp(name, "match.", 6) || !strncmp(name, "search.", 7) ||
            !strcmp(name, "osc.nomatch") || !strcmp(name, "listen.paused")) &&
           rt_options_set(in->o, name, line, RT_LISTEN, in->why, in->why_len);
}

static bool
read_end(reader *in, char *line)
{
    (void)in;
    return !*line;
}

static const struct {
    const char *name;
    bool (*read)(reader *in, char *line);
    bool many; /* else it is there once */
} lines[] = {
    {"index", read_index, false},   {"input", read_input, false},
    {"rate", read_rate, false},     {"samples", read_samples, false},
    {"warm", read_warm, false},     {"first", read_first, false},
    {"clock", read_clock, false},   {"gate", read_gate, false},
    {"timbre", read_timbre, false}, {"end", read_end, false},
    {"rose", read_rose, true},      {"agreed", read_agreed, true},
    {"sent", read_sent, true},      {"gap", read_gap, true},
    {"shed", read_shed, true},      {"set", read_set, true},
    {"layer", read_layer, true},
};
enum { N_LINES = sizeof lines / sizeof *lines, N_ONCE = 10, END = 9 };

static bool
read_line(reader *in, char *line)
{
    const char *name = word(&line);
    for (uint32_t i = 0; i < N_LINES; i++)
        if (!strcmp(name, lines[i].name)) {
            const bool again = !lines[i].many && in->seen >> i & 1U;
            in->seen |= 1U << i;
            return !again && lines[i].read(in, line);
        }
    return false;
}

/* ---- The whole ------------------------------------------------------------------- */

/* Whether numbers that are right by themselves fit one another. Fills state.frame. */
static bool
agree(rt_recording *r)
{
    uint64_t frame = r->first_frame + r->n_warm, missing = 0;
    if (r->n_warm > r->n_samples || r->clock.frame > r->first_frame)
        return false;
    for (size_t i = 0; i < r->n_changes; i++) {
        const rt_change *c = &r->changes[i];
        const uint64_t n = c->kind == RT_GAP ? c->value : 0;
        if (c->at >= r->n_samples || n > most_frames - missing)
            return false;
        missing += n;
        if (c->at < r->n_warm)
            frame += n;
    }
    r->state.frame = frame;
    for (size_t i = 0; i < r->n_sent; i++)
        if (r->sent[i].frame > frame)
            return false;
    return r->state.last_loud <= frame &&
           r->state.onset_hop <= frame * DSP_HOPS_PER_S / r->rate_hz;
}

/* Splits the text into lines and reads them. */
static bool
read_text(reader *in, const char text[], size_t n)
{
    static const char head[] = "hearken recording 1\n";
    char line[MAX_LINE];
    size_t at = sizeof head - 1;
    if (n < at || memcmp(text, head, at) != 0)
        return refuse(in, "is not of the kind that this hearken knows");
    *in->why = 0;
    while (at < n && !(in->seen >> END & 1U)) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t length = end ? (size_t)(end - text) - at : n - at;
        if (!end || length >= sizeof line || memchr(text + at, 0, length))
            break;
        memcpy(line, text + at, length);
        line[length] = 0;
        at += length + 1;
        if (!read_line(in, line))
            return *in->why ? false : refuse(in, "holds a line that makes no sense");
    }
    if (in->seen != (in->seen | ((1U << N_ONCE) - 1)))
        return refuse(in, "is not whole");
    return true;
}

bool
rt_recording_read(rt_recording *r, rt_options *o, const idx_index *index,
                  const idx_index *layer, const char text[], size_t n, char *why,
                  size_t why_len)
{
    reader in = {
        .r = r, .o = o, .index = index, .layer = layer, .why = why, .why_len = why_len};
    *r = (rt_recording){0};
    bool ok = read_text(&in, text, n);
    if (ok && r->index_id != rt_index_id(index))
        ok = refuse(&in, "was made with another index, or before this one was tuned");
    if (ok && layer && !r->layer_id)
        ok = refuse(&in, "was made without learned sounds; leave --learn-file out");
    if (ok && !agree(r))
        ok = refuse(&in, "contradicts itself");
    if (ok)
        ok = rt_analyse_settings(o, index, why, why_len);
    if (!ok)
        rt_recording_done(r);
    return ok;
}
