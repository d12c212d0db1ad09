/* A live page as one line of JSON. */
#include "out.h"
#include "top.h"

#include <math.h>

static void
text_field(FILE *to, const char *name, const char *text)
{
    fprintf(to, "\"%s\":", name);
    rt_json_string(to, text);
}

static void
inputs(FILE *to, const rt_live_page *p)
{
    fputs(",\"inputs\":[", to);
    for (uint32_t i = 0; i < p->who.n_inputs; i++) {
        const rt_live_input *in = &p->input[i];
        const float peak = atomic_load_explicit(&in->peak, memory_order_relaxed);
        fputs(i ? ",{" : "{", to);
        text_field(to, "name", p->who.input[i]);
        fprintf(to, ",\"peak_db\":%.2f,\"open\":%s}",
                peak > 1e-6F ? 20 * log10((double)peak) : -120.0,
                atomic_load_explicit(&in->open, memory_order_relaxed) ? "true"
                                                                      : "false");
    }
    fputc(']', to);
}

static void
match(FILE *to, const rt_live_page *p, const rt_live_match *m, double now_s)
{
    fprintf(to,
            "{\"number\":%llu,\"ago\":%.3f,\"rank\":%u,\"score\":%.6f,"
            "\"cosine\":%.6f,\"start\":%.3f,\"length\":%.3f,",
            (unsigned long long)m->number,
            fmax(0, now_s - m->at_s + (double)m->age_ms / 1000), m->rank,
            (double)m->score, (double)m->cosine, (double)m->start_s,
            (double)m->length_s);
    text_field(to, "input", p->who.input[m->input]);
    fputc(',', to);
    if (p->who.n_indexes > 1) {
        text_field(to, "index", p->who.name[m->index]);
        fputc(',', to);
    }
    text_field(to, "label", m->label);
    fputc(',', to);
    text_field(to, "path", m->path);
    fputc('}', to);
}

static void
scale(FILE *to, const rt_top *t, uint32_t s)
{
    const rt_live_recall *r = &t->now->status.recall[s];
    const rt_live_match *m;
    fprintf(to, "\"%s\":{\"recall\":", rt_scale_name(s));
    if (r->n_asked)
        fprintf(to, "{\"at\":%u,\"share\":%.4f,\"low\":%.4f,\"high\":%.4f,\"of\":%llu}",
                r->k, r->recall, r->low, r->high, (unsigned long long)r->n_asked);
    else
        fputs("null", to);
    fputs(",\"last\":", to);
    if (rt_live_newest(t->now, s, RT_MATCH, &m, 1))
        match(to, t->now, m, t->now_s);
    else
        fputs("null", to);
    fputc('}', to);
}

void
rt_top_json(FILE *to, const rt_top *t)
{
    const rt_live_page *p = t->now;
    const rt_top_state state = rt_top_state_of(t);
    const rt_top_load load = rt_top_load_of(t);
    bool any = false;
    fputs("{\"type\":\"live\",", to);
    text_field(to, "version", p->version);
    fputc(',', to);
    text_field(to, "client", p->who.client);
    fprintf(to, ",\"pid\":%u,", p->who.pid);
    text_field(to, "index", p->who.index);
    fprintf(to, ",\"up\":%.1f,", fmax(0, t->now_s - p->who.began_s));
    text_field(to, "state", state.text);
    fprintf(to, ",\"state_for\":%.1f,\"rate\":%u,\"period\":%u", state.for_s,
            p->status.rate_hz, p->status.period);
    inputs(to, p);
    fputs(",\"scales\":{", to);
    for (uint32_t s = 0; s < RT_LIVE_SCALES; s++)
        if (p->status.scales >> s & 1U) {
            if (any)
                fputc(',', to);
            scale(to, t, s);
            any = true;
        }
    fprintf(to,
            "},\"load\":{\"dsp\":%.5f,\"search\":%.5f,\"publish\":%.5f},\"counts\":{",
            fmax(0, load.analysis - load.query), load.query, load.publish);
    for (uint32_t i = 0; i < p->who.n_counts; i++) {
        if (i)
            fputc(',', to);
        rt_json_string(to, p->who.count[i]);
        fprintf(to, ":%llu", (unsigned long long)p->status.count[i]);
    }
    fputs("}}\n", to);
}
