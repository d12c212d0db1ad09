/* What a destination gets, and in which form. */
#include "target.h"

static bool
wants(const rt_target *t, osc_kind kind)
{
    return t->kinds >> kind & 1 && (!t->templated || t->has[kind]);
}

static osc_kind
kind_of(const rt_match *m)
{
    switch (m->kind) {
    case RT_ONSET:
        return OSC_ONSET;
    case RT_NOMATCH:
        return OSC_NOMATCH;
    case RT_LABEL:
        return OSC_LABEL;
    default:
        return OSC_MATCH;
    }
}

bool
rt_target_wants(const rt_target *t, const rt_match *m, uint32_t index, rt_match_at at)
{
    if (!t->dest || !wants(t, kind_of(m)))
        return false;
    if (m->kind == RT_ONSET) /* of an input, not of an index */
        return true;
    if (!(t->indexes >> index & 1))
        return false;
    const uint32_t when = t->at == RT_AT_ANY ? (uint32_t)at : t->at;
    if (when == RT_AT_ONSETS && !m->at_onset)
        return false;
    return t->scales >> m->scale & 1 && !(m->kind == RT_MATCH && m->rank > t->k);
}

uint32_t
rt_target_asks(const rt_target *t)
{
    return t->at == RT_AT_ANY ? 0 : 1U << t->at;
}

bool
rt_target_wants_status(const rt_target *t)
{
    return t->dest && wants(t, OSC_STATUS);
}

bool
rt_target_may(rt_target *t, double now_s)
{
    if (t->rate <= 0)
        return true;
    const double most = t->rate > 1 ? t->rate : 1;
    t->tokens += t->last_s > 0 ? (now_s - t->last_s) * t->rate : most;
    t->tokens = t->tokens < most ? t->tokens : most;
    t->last_s = now_s > 0 ? now_s : 1e-9;
    if (t->tokens < 1)
        return false;
    t->tokens -= 1;
    return true;
}

static osc_arg
whole(int32_t i)
{
    return (osc_arg){.type = 'i', .i = i};
}

static osc_arg
real(float f)
{
    return (osc_arg){.type = 'f', .f = f};
}

static osc_arg
string(const char *s)
{
    return (osc_arg){.type = 's', .s = s ? s : ""};
}

size_t
rt_target_encode(uint8_t out[OSC_MAX_DATAGRAM], const rt_target *t, const rt_match *m,
                 const char *input, const char *index, idx_sound sound, float age_ms)
{
    const osc_arg value[OSC_VALUES] = {
        [OSC_V_SEQ] = whole(t->seq),
        [OSC_V_INPUT] = string(input),
        [OSC_V_SCALE] = string(m->kind == RT_ONSET ? "" : rt_scale_name(m->scale)),
        [OSC_V_RANK] = whole((int32_t)m->rank),
        [OSC_V_SCORE] = real(m->score),
        [OSC_V_COSINE] = real(m->cosine),
        [OSC_V_SOUND] = whole((int32_t)m->sound),
        [OSC_V_START] = real(m->start_s),
        [OSC_V_LENGTH] = real(m->length_s),
        [OSC_V_AGE] = real(age_ms),
        [OSC_V_LABEL] = string(sound.label),
        [OSC_V_PATH] = string(sound.path),
        [OSC_V_LEVEL] = real(m->level_db),
        [OSC_V_STRENGTH] = real(m->strength_db),
        [OSC_V_SHARE] = real(m->score), /* of a label, as its voters are in rank */
        [OSC_V_VOTERS] = whole((int32_t)m->rank),
        [OSC_V_STATE] = string(NULL),
        [OSC_V_INDEX] = string(index),
    };
    return osc_template_encode(out, OSC_MAX_DATAGRAM, &t->message[kind_of(m)], value);
}

size_t
rt_target_encode_status(uint8_t out[OSC_MAX_DATAGRAM], const rt_target *t,
                        const char *state)
{
    const osc_arg value[OSC_VALUES] = {
        [OSC_V_SEQ] = whole(t->seq), [OSC_V_STATE] = string(state)};
    return osc_template_encode(out, OSC_MAX_DATAGRAM, &t->message[OSC_STATUS], value);
}

bool
rt_target_send(rt_target *t, uint8_t data[OSC_MAX_DATAGRAM], size_t n, int64_t unix_ns)
{
    if (t->bundle)
        n = osc_bundle_wrap(data, n, unix_ns);
    const bool ok = n > 0 && osc_dest_send(t->dest, data, n) == OSC_OK;
    /* A number is used up even when sending failed: the receiver sees the loss. */
    t->seq = t->seq == INT32_MAX ? 0 : t->seq + 1;
    return ok;
}
