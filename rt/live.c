/* What the analysis and publish threads write into the live page. Hot. */
#include "live_private.h"
#include "rt.h"
#include "shelf.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

uint64_t
rt_live_hash(const void *part, size_t n)
{
    return XXH64((const char *)part + sizeof(uint64_t), n - sizeof(uint64_t), n);
}

/* What is left of a level after n samples; the power is taken once per length. */
static float
fall_over(rt_live_meter *m, uint32_t n, uint32_t rate_hz)
{
    if (m->fall_frames != n || m->fall_rate_hz != rate_hz) {
        m->fall_frames = n;
        m->fall_rate_hz = rate_hz;
        m->fall = powf(10, -RT_LIVE_FALL_DB / 20 * (float)n / (float)rate_hz);
    }
    return m->fall;
}

void
rt_live_block(rt_live *l, uint32_t input, const float x[], uint32_t n, bool open,
              uint64_t query_ns, uint64_t began_ns)
{
    if (!l || input >= RT_LIVE_INPUTS)
        return;
    rt_live_meter *m = &l->meter[input];
    rt_live_input *to = &l->page->input[input];
    const uint32_t rate_hz = atomic_load_explicit(&l->rate_hz, memory_order_relaxed);
    const float peak = rt_peak(x, n), before = m->peak * fall_over(m, n, rate_hz);
    m->peak = peak > before ? peak : before > 1e-9F ? before : 0;
    m->busy_ns += rt_ns() - began_ns;
    atomic_store_explicit(&to->peak, m->peak, memory_order_relaxed);
    atomic_store_explicit(&to->open, open, memory_order_relaxed);
    atomic_store_explicit(&to->busy_ns, m->busy_ns, memory_order_relaxed);
    atomic_store_explicit(&to->query_ns, query_ns, memory_order_relaxed);
}

/* The beginning or the end of a text, as much as fits, cut between two characters of
 * UTF-8. */
static void
take_text(char to[], size_t cap, const char *text, bool end)
{
    size_t n = strlen(text);
    if (n >= cap && end) {
        text += n - (cap - 1);
        while ((*text & 0xc0) == 0x80)
            text++;
        n = strlen(text);
    } else if (n >= cap) {
        n = cap - 1;
        while (n > 0 && (text[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(to, text, n);
    memset(to + n, 0, cap - n);
}

void
rt_live_push(rt_live *l, const rt_match *m, idx_sound sound, float age_ms)
{
    if (!l || (m->kind != RT_MATCH && m->kind != RT_LABEL))
        return;
    rt_live_match r = {.number = ++l->n_pushed[m->scale],
                       .centre_us = m->centre_us,
                       .at_s = rt_seconds(),
                       .kind = m->kind,
                       .input = m->input,
                       .rank = m->rank,
                       .sound = m->sound,
                       .score = m->score,
                       .cosine = m->cosine,
                       .start_s = m->start_s,
                       .length_s = m->length_s,
                       .age_ms = age_ms,
                       .index = rt_index_of(m->book)};
    take_text(r.label, sizeof r.label, sound.label, false);
    take_text(r.path, sizeof r.path, sound.path, true);
    r.hash = rt_live_hash(&r, sizeof r);
    l->page->match[m->scale][r.number % RT_LIVE_MATCHES] = r;
}

void
rt_live_published(rt_live *l, uint64_t began_ns)
{
    if (!l)
        return;
    l->publish_ns += rt_ns() - began_ns;
    atomic_store_explicit(&l->page->publish_ns, l->publish_ns, memory_order_relaxed);
}
