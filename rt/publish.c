#include "publish.h"

#include "layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A subscriber comes, wants something else or goes. */
typedef struct {
    uint32_t place;
    rt_target target; /* without dest: goes */
} rt_change;

struct rt_publish {
    rt_publish_config config;
    rt_ring *matches;
    sem_t wake;
    pthread_t thread;
    bool started;
    atomic_bool stop;
    _Atomic(const char *) status_due; /* the state to tell; NULL: none is due */
    const atomic_bool *patient; /* freewheel: wait for rings instead of dropping */
    atomic_bool onsets, mute;
    _Atomic uint32_t at;         /* match.at */
    rt_ring *changes;            /* of rt_change */
    rt_change change;            /* that is being taken: too large for a stack */
    int32_t first[RT_DESTS];     /* number of the first message to each place */
    rt_target targets[RT_DESTS]; /* those of osc.to, then subscribers */
};

void
rt_publish_push(rt_publish *p, const rt_match *m)
{
    rt_shelf_hold(p->config.shelf, m->book);
    if (!rt_ring_push_patiently(p->matches, m, p->patient, &p->wake)) {
        rt_shelf_release(p->config.shelf, m->book);
        rt_count(p->config.counts, RT_N_dropped_matches, 1);
    }
    sem_post(&p->wake);
}

void
rt_publish_status(rt_publish *p, const char *state)
{
    atomic_store(&p->status_due, state);
    sem_post(&p->wake);
}

void
rt_publish_set(rt_publish *p, const rt_options *o)
{
    atomic_store_explicit(&p->onsets, o->osc.onsets, memory_order_relaxed);
    atomic_store_explicit(&p->mute, o->osc.mute, memory_order_relaxed);
    atomic_store_explicit(&p->at, o->match.at, memory_order_relaxed);
}

bool
rt_publish_subscribe(rt_publish *p, uint32_t place, const rt_target *target)
{
    rt_change c = {.place = place};
    if (target)
        c.target = *target;
    const bool taken = rt_ring_push(p->changes, &c);
    sem_post(&p->wake);
    return taken;
}

bool
rt_publish_fifo(rt_publish *p, int priority)
{
    return rt_thread_fifo(p->thread, priority);
}

static float
age_ms(const rt_publish *p, const rt_match *m)
{
    const double ms = (double)(p->config.now_us() - m->centre_us) / 1000;
    return (float)(ms > 0 ? ms : 0);
}

/* The name of a further index, "" for the first. */
static const char *
index_of(const rt_publish *p, const rt_match *m)
{
    const uint32_t i = rt_index_of(m->book);
    return i ? p->config.shelf->name[i] : "";
}

static idx_sound
sound_of(const rt_publish *p, const rt_match *m)
{
    const rt_book *b = &p->config.shelf->book[m->book];
    return rt_sound_in(b->index, b->layer, m->sound);
}

static size_t
encode_reject(const rt_publish *p, const rt_match *m, int32_t seq, uint8_t out[])
{
    idx_sound s = {.path = "", .label = ""};
    if (m->sound != UINT32_MAX)
        s = sound_of(p, m);
    const osc_reject r = {.seq = seq,
                          .input = p->config.inputs->input[m->input].name,
                          .scale = rt_scale_name(m->scale),
                          .reason = rt_count_name[m->fate],
                          .score = m->score,
                          .age_ms = age_ms(p, m),
                          .label = s.label,
                          .path = s.path};
    return osc_reject_encode(out, OSC_MAX_DATAGRAM, &r);
}

static size_t
encode(const rt_publish *p, const rt_match *m, int32_t seq, uint8_t out[])
{
    const char *input = p->config.inputs->input[m->input].name;
    if (m->kind == RT_ONSET) {
        const osc_onset o = {seq, input, m->level_db, age_ms(p, m), m->strength_db};
        return osc_onset_encode(out, OSC_MAX_DATAGRAM, &o);
    }
    if (m->kind == RT_NOMATCH) {
        const osc_nomatch n = {seq, input, rt_scale_name(m->scale), m->score,
                               age_ms(p, m)};
        return osc_nomatch_encode(out, OSC_MAX_DATAGRAM, &n);
    }
    if (m->kind == RT_REJECT)
        return encode_reject(p, m, seq, out);
    const idx_sound s = sound_of(p, m);
    if (m->kind == RT_LABEL) {
        const osc_label l = {seq,         input,    rt_scale_name(m->scale),
                             s.label,     m->score, (int32_t)m->rank,
                             age_ms(p, m)};
        return osc_label_encode(out, OSC_MAX_DATAGRAM, &l);
    }
    const osc_match o = {.seq = seq,
                         .input = input,
                         .scale = rt_scale_name(m->scale),
                         .rank = (int32_t)m->rank,
                         .score = m->score,
                         .cosine = m->cosine,
                         .sound = (int32_t)m->sound,
                         .start_s = m->start_s,
                         .length_s = m->length_s,
                         .age_ms = age_ms(p, m),
                         .label = s.label,
                         .path = s.path};
    return osc_match_encode(out, OSC_MAX_DATAGRAM, &o);
}

static size_t
encode_for(const rt_publish *p, const rt_target *t, const rt_match *m, uint8_t out[])
{
    if (!t->templated) {
        const size_t n = encode(p, m, t->seq, out);
        const char *index = index_of(p, m);
        return *index && m->kind != RT_ONSET ? osc_index_put(out, n, index) : n;
    }
    idx_sound sound = {0};
    if (m->kind == RT_MATCH || m->kind == RT_LABEL)
        sound = sound_of(p, m);
    return rt_target_encode(out, t, m, p->config.inputs->input[m->input].name,
                            p->config.shelf->name[rt_index_of(m->book)], sound,
                            age_ms(p, m));
}

/* data: [OSC_MAX_DATAGRAM], n of them used; it tells of what was age_ms ago. */
static void
send_to(rt_publish *p, rt_target *t, uint8_t data[], size_t n, float age_ms)
{
    struct timespec now = {0};
    if (t->bundle)
        clock_gettime(CLOCK_REALTIME, &now);
    const int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    const bool ok = rt_target_send(t, data, n, ns - (int64_t)((double)age_ms * 1e6));
    rt_count(p->config.counts, ok ? RT_N_sent : RT_N_failed, 1);
}

static void
send_match(rt_publish *p, const rt_match *m)
{
    uint8_t data[OSC_MAX_DATAGRAM];
    if (m->kind == RT_ONSET && !atomic_load_explicit(&p->onsets, memory_order_relaxed))
        return;
    if (atomic_load_explicit(&p->mute, memory_order_relaxed)) {
        rt_count(p->config.counts, RT_N_muted, 1);
        return;
    }
    const rt_match_at at = atomic_load_explicit(&p->at, memory_order_relaxed);
    for (uint32_t d = 0; d < RT_DESTS; d++) {
        rt_target *t = &p->targets[d];
        if (!rt_target_wants(t, m, rt_index_of(m->book), at))
            continue;
        if (rt_target_may(t, rt_seconds()))
            send_to(p, t, data, encode_for(p, t, m, data), age_ms(p, m));
        else
            rt_count(p->config.counts, RT_N_withheld, 1);
    }
}

static void
send_status(rt_publish *p, const char *state)
{
    uint8_t data[OSC_MAX_DATAGRAM];
    osc_count counts[RT_COUNTS];
    for (int i = 0; i < RT_COUNTS; i++)
        counts[i] = (osc_count){rt_count_name[i], rt_counted(p->config.counts, i)};
    for (uint32_t d = 0; d < RT_DESTS; d++) {
        rt_target *t = &p->targets[d];
        if (!rt_target_wants_status(t))
            continue;
        const size_t n = t->templated ? rt_target_encode_status(data, t, state)
                                      : osc_status_encode(data, sizeof data, t->seq,
                                                          state, counts, RT_COUNTS);
        send_to(p, t, data, n, 0);
    }
}

static void
take_changes(rt_publish *p)
{
    const rt_change *c = &p->change;
    while (rt_ring_pop(p->changes, &p->change)) {
        rt_target *t = &p->targets[RT_LIST + c->place];
        int32_t *first = &p->first[RT_LIST + c->place];
        const int32_t seq = t->dest && c->target.dest ? t->seq : *first;
        rt_target_close(t);
        *t = c->target;
        t->seq = seq;
        *first = 0;
    }
}

/* OSC first: what prints may be slow, what listens should not wait for it. */
static void
drain(rt_publish *p)
{
    rt_match m;
    const uint64_t began = rt_ns();
    while (rt_ring_pop(p->matches, &m)) {
        take_changes(p); /* who has an answer is sent all that is found from then on */
        send_match(p, &m);
        if (m.kind == RT_MATCH || m.kind == RT_LABEL)
            rt_live_push(p->config.live, &m, sound_of(p, &m), age_ms(p, &m));
        rt_print_push(p->config.print, &m);
        rt_shelf_release(p->config.shelf, m.book);
    }
    rt_live_published(p->config.live, began);
}

static void *
run(void *arg)
{
    rt_publish *p = arg;
    rt_honest_enter(p->config.honest, RT_PUBLISH);
    for (;;) {
        while (sem_wait(&p->wake)) /* EINTR */
            ;
        take_changes(p);
        drain(p);
        const char *state = atomic_exchange(&p->status_due, NULL);
        if (state)
            send_status(p, state);
        if (atomic_load(&p->stop) && rt_ring_count(p->matches) == 0)
            return NULL;
    }
}

static bool
choose(rt_publish *p, uint32_t d, char *why, size_t why_len)
{
    char reason[200];
    const rt_shelf *s = p->config.shelf;
    if (rt_target_choose(&p->targets[d], (const char(*)[RT_NAME])s->name, s->n, reason,
                         sizeof reason))
        return true;
    snprintf(why, why_len, "destination \"%.80s\": %s",
             p->config.options->osc.to.item[d], reason);
    return false;
}

static int
open_dests(rt_publish *p, char *why, size_t why_len)
{
    const rt_list *to = &p->config.options->osc.to;
    if (to->n == 1 && !strcmp(to->item[0], "none"))
        return RT_OK;
    for (uint32_t d = 0; d < to->n; d++) {
        const int status = rt_target_open(&p->targets[d], to->item[d], why, why_len);
        if (status)
            return status;
        p->targets[d].seq = p->first[d];
        if (!choose(p, d, why, why_len))
            return RT_CONFIG;
        if (!(p->targets[d].scales & p->config.options->match.scales))
            rt_warn(
                "destination \"%.80s\" wants scales that match.scales does not have, "
                "so it gets no matches",
                to->item[d]);
    }
    return RT_OK;
}

int
rt_publish_open(rt_publish **out, const rt_publish_config *config, char *why,
                size_t why_len)
{
    *out = NULL;
    rt_publish *p = calloc(1, sizeof *p);
    if (!p) {
        snprintf(why, why_len, "there is not enough memory to publish");
        return RT_SOFTWARE;
    }
    p->config = *config;
    if (config->sequence)
        memcpy(p->first, config->sequence, sizeof p->first);
    p->patient = &config->inputs->input[0].capture.patient;
    sem_init(&p->wake, 0, 0);
    rt_publish_set(p, config->options);
    p->matches = rt_ring_new(RT_MATCHES, sizeof(rt_match));
    p->changes = rt_ring_new(RT_SUBSCRIBERS, sizeof(rt_change));
    int status = RT_SOFTWARE;
    if (!p->matches || !p->changes)
        snprintf(why, why_len, "there is not enough memory to publish");
    else
        status = open_dests(p, why, why_len);
    if (status)
        rt_publish_close(p);
    else
        *out = p;
    return status;
}

uint32_t
rt_publish_asks(const rt_publish *p)
{
    uint32_t all = 0;
    for (uint32_t d = 0; d < RT_LIST; d++)
        if (p->targets[d].dest)
            all |= rt_target_asks(&p->targets[d]);
    return all;
}

bool
rt_publish_start(rt_publish *p, char *why, size_t why_len)
{
    p->started = rt_thread_start(&p->thread, run, p, 0, NULL);
    if (!p->started)
        snprintf(why, why_len, "the system gives no thread to publish with");
    return p->started;
}

void
rt_publish_close(rt_publish *p)
{
    if (!p)
        return;
    atomic_store(&p->stop, true);
    sem_post(&p->wake);
    if (p->started)
        pthread_join(p->thread, NULL);
    if (p->changes)
        take_changes(p); /* those that the thread did not come to */
    for (uint32_t d = 0; d < RT_DESTS; d++) {
        if (p->config.sequence)
            p->config.sequence[d] = p->targets[d].seq;
        rt_target_close(&p->targets[d]);
    }
    rt_ring_free(p->changes);
    rt_ring_free(p->matches);
    sem_destroy(&p->wake);
    free(p);
}
