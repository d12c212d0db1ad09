/* What may be commanded beside settings, in one table: it drives control and its
 * reference. */
#include "control_private.h"

#include <stdio.h>
#include <string.h>

const char *
rt_arg_string(const osc_message *m, uint32_t i)
{
    return i < m->n_args && strchr("sS", m->arg[i].type) ? m->arg[i].s : NULL;
}

bool
rt_arg_number(const osc_message *m, uint32_t i, int least, int most, int *out)
{
    if (i >= m->n_args)
        return true;
    const osc_arg *a = &m->arg[i];
    if (a->type == 'T' || a->type == 'F')
        *out = a->type == 'T';
    else if (a->type == 'i')
        *out = a->i;
    else if (a->type == 'f' && a->f >= -1e6F && a->f <= 1e6F)
        *out = (int)a->f;
    else
        return false;
    return *out >= least && *out <= most;
}

static bool
ping(rt_control *c, const osc_message *m, char *why, size_t len)
{
    (void)m, (void)why, (void)len;
    rt_control_reply(c, "/hearken/pong", &(osc_arg){.type = 's', .s = RT_VERSION}, 1);
    return true;
}

/* The row that a message names first. */
static const rt_field *
named(const osc_message *m, char *why, size_t len)
{
    const char *name = rt_arg_string(m, 0);
    const rt_field *f = name ? rt_field_named(name) : NULL;
    if (!name)
        snprintf(why, len, "%s wants the name of a setting, such as match.score",
                 m->address);
    else if (!f || !(f->commands & RT_LISTEN))
        snprintf(why, len, "there is no setting \"%.60s\" here", name);
    else
        return f;
    return NULL;
}

static bool
get(rt_control *c, const osc_message *m, char *why, size_t len)
{
    const rt_field *f = named(m, why, len);
    return f && rt_setting_tell(c, f, why, len);
}

static bool
set(rt_control *c, const osc_message *m, char *why, size_t len)
{
    const rt_field *f = named(m, why, len);
    if (f && m->n_args < 2) {
        snprintf(why, len, "%s wants a value after the name", m->address);
        return false;
    }
    return f && rt_setting_change(c, f, m, 1, why, len);
}

static bool
list(rt_control *c, const osc_message *m, char *why, size_t len)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    bool ok = true;
    (void)m;
    for (size_t i = 0; i < n; i++)
        if (f[i].commands & RT_LIVE)
            ok = rt_setting_tell(c, &f[i], why, len) && ok;
    return ok;
}

/* Sets a yes|no to the first argument, or to value where there is none. */
static bool
turn(rt_control *c, const char *name, int value, const osc_message *m, char *why,
     size_t len)
{
    const rt_field *f = rt_field_named(name);
    if (!rt_arg_number(m, 0, 0, 1, &value)) {
        snprintf(why, len, "%s takes 1 or 0", m->address);
        return false;
    }
    return rt_setting_change_text(c, f, value ? "yes" : "no", why, len) &&
           rt_setting_tell(c, f, why, len);
}

static bool
mute(rt_control *c, const osc_message *m, char *why, size_t len)
{
    return turn(c, "osc.mute", 1, m, why, len);
}

static bool
pause_answers(rt_control *c, const osc_message *m, char *why, size_t len)
{
    return turn(c, "listen.paused", 1, m, why, len);
}

static bool
resume(rt_control *c, const osc_message *m, char *why, size_t len)
{
    (void)m;
    return turn(c, "listen.paused", 0, &(osc_message){.n_args = 0}, why, len);
}

/* ---- The rest ---------------------------------------------------------------------
 */

static bool
query_file(rt_control *c, const osc_message *m, char *why, size_t len)
{
    const char *path = rt_arg_string(m, 0);
    int k = 10;
    uint32_t index;
    if (!path || !*path || !rt_arg_number(m, 1, 1, RT_MAX_K, &k)) {
        snprintf(why, len,
                 "%s wants the path of a sound file, and perhaps how many sounds, and "
                 "of which index",
                 m->address);
        return false;
    }
    return rt_arg_index(c, m, 2, &index, why, len) &&
           rt_control_query(c, index, path, (uint32_t)k, why, len);
}

static bool
record_dump(rt_control *c, const osc_message *m, char *why, size_t len)
{
    (void)m;
    if (!c->config.dump) {
        snprintf(why, len, "nothing is recorded");
        return false;
    }
    if (!c->config.dump(c->config.dump_ctx, why, len))
        return false;
    rt_control_reply(c, "/hearken/record/dumped", &(osc_arg){.type = 's', .s = why}, 1);
    return true;
}

/* ---- Learning ---------------------------------------------------------------------
 */

/* Argument number i as seconds of a range; false when it is none. Where there is none,
 * or "", *out stays. */
static bool
seconds_at(const osc_message *m, uint32_t i, double least, double most, double *out)
{
    if (i >= m->n_args)
        return true;
    const osc_arg *a = &m->arg[i];
    const double s = a->type == 'f'   ? (double)a->f
                     : a->type == 'd' ? a->d
                     : a->type == 'i' ? a->i
                                      : -1;
    *out = s;
    return !(s < 0) && !(s > 0 && s < least) && s <= most;
}

static bool
learn(rt_control *c, const osc_message *m, char *why, size_t len)
{
    const char *label = rt_arg_string(m, 0);
    const char *input = m->n_args > 2 ? rt_arg_string(m, 2) : "";
    double seconds = 0;
    rt_learning got;
    if (!c->config.learn) {
        snprintf(why, len, "nothing can be learned here");
        return false;
    }
    if (!label || !input || !seconds_at(m, 1, 0.1, RT_HISTORY_S, &seconds)) {
        snprintf(why, len,
                 "%s wants a label, and perhaps 0.1 to %d seconds (0: since the gate "
                 "last opened) and the name of an input",
                 m->address, RT_HISTORY_S);
        return false;
    }
    *why = 0;
    if (!c->config.learn(c->config.load_ctx, label, seconds, input, &got, why, len))
        return false;
    const osc_arg args[] = {{.type = 's', .s = label},
                            {.type = 'i', .i = (int32_t)got.n_entries},
                            {.type = 'f', .f = (float)got.seconds}};
    rt_control_reply(c, "/hearken/learned", args, 3);
    return !*why; /* it is learned, but not saved */
}

static bool
forget(rt_control *c, const osc_message *m, char *why, size_t len)
{
    const char *label = rt_arg_string(m, 0);
    uint32_t n_left = 0;
    if (!c->config.forget || !label) {
        snprintf(why, len, "%s wants a label that was learned, or * for all",
                 m->address);
        return false;
    }
    *why = 0;
    if (!c->config.forget(c->config.load_ctx, label, &n_left, why, len))
        return false;
    const osc_arg args[] = {{.type = 's', .s = label},
                            {.type = 'i', .i = (int32_t)n_left}};
    rt_control_reply(c, "/hearken/forgotten", args, 2);
    return !*why;
}

static const rt_control_command commands[] = {
    {"/hearken/ping", "", "answers with `/hearken/pong`", ping},
    {"/hearken/list", "", "answers with the value of each setting above", list},
    {"/hearken/get", "s name",
     "answers with the value of a setting, such as `match.score`; also of those that "
     "only a start changes",
     get},
    {"/hearken/set", "s name, value",
     "sets it, as its own address does; answers with the value", set},
    {"/hearken/mute", "[i 0 or 1]",
     "sends nothing but the status, with 0 everything again: `osc.mute`", mute},
    {"/hearken/pause", "[i 0 or 1]", "answers nothing: `listen.paused`", pause_answers},
    {"/hearken/resume", "", "answers again", resume},
    {"/hearken/subscribe", "[i port, i seconds, s settings]",
     "sends what destinations get to the asker too, or to another port of its machine "
     "(0: the asker's), for 60 seconds or less; send it again before they are over. 16 "
     "may. Settings are those of [destinations](osc.md#destinations), such as "
     "`at=onsets,k=3`, but no file and no TCP, 255 bytes at most; those of the last "
     "time hold, and without any it gets all, plainly",
     rt_control_subscribe},
    {"/hearken/unsubscribe", "[i port]", "ends that", rt_control_unsubscribe},
    {"/hearken/query/file", "s path, [i k, s index]",
     "answers with the k (10) sounds most like a sound file of hearken's machine, of "
     "at most 10 minutes, at each of `match.scales`; of the first index, or that of a "
     "name",
     query_file},
    {"/hearken/record/dump", "", "has the last seconds written (`record.seconds`)",
     record_dump},
    {"/hearken/index/load", "s path, [s index]",
     "listens with another file of hearken's machine from then on, without a gap; one "
     "that cannot be used changes nothing. Commands wait while it is read. In place of "
     "the first index, or that of a name",
     rt_index_load},
    {"/hearken/index/reload", "[s index]",
     "reads the file of an index anew; without a name those of all, as SIGHUP does",
     rt_index_reload},
    {"/hearken/index/list", "", "answers with `/hearken/index/loaded` for each index",
     rt_index_list},
    {"/hearken/index/set", "s index, s name, value",
     "gives an index of `listen.index` a setting of `match` (but `match.at`) or "
     "`search` of its own, such as `score`",
     rt_index_set},
    {"/hearken/learn", "s label, [f seconds, s input]",
     "learns what just sounded: matches find it from then on, under that label and "
     "with the path `live:` and the label. The last 0.1 to 10 seconds; 0, or none, is "
     "since the gate last opened (if that is longer ago, the last 2). Of the first "
     "input, or that of a name. What is learned again under a label joins it",
     learn},
    {"/hearken/forget", "s label", "forgets what was learned under it; `*` is all",
     forget},
};

const rt_control_command *
rt_control_commands(size_t *n)
{
    *n = sizeof commands / sizeof *commands;
    return commands;
}

static const rt_answer answers[] = {
    {"/hearken/value", "s name, value",
     "a setting as it is now: after it was set, or asked for"},
    {"/hearken/error", "s sentence", "why a message was not obeyed"},
    {"/hearken/pong", "s version", "to ping"},
    {"/hearken/subscribed", "s host:port, i seconds, s settings",
     "who is sent to for so long, and what; 0: no more"},
    {"/hearken/query/match",
     "i query, s scale, i rank, f score, f cosine, i sound, f start, f length, f at, "
     "s label, s path",
     "one sound of the answer to number `query`, as in `/hearken/match`; `at` is where "
     "in the file, in seconds, the compared window ends"},
    {"/hearken/query/done", "i query, i answers, s file", "that was all"},
    {"/hearken/index/loaded", "s path, i sounds, s index",
     "the file of an index in use, after a change or when asked for"},
    {"/hearken/index/value", "s index, s name, value",
     "a setting that an index has of its own, after it was set"},
    {"/hearken/learned", "s label, i entries, f seconds",
     "what was heard is learned: so many entries, from so much sound"},
    {"/hearken/forgotten", "s label, i labels", "it is; so many labels are left"},
    {"/hearken/record/dumped", "s folder", "they are being written there"},
};

const rt_answer *
rt_answers(size_t *n)
{
    *n = sizeof answers / sizeof *answers;
    return answers;
}

static const rt_answer sent[] = {
    {"/hearken/match",
     "i seq, s input, s scale, i rank, f score, f cosine, i sound, f start, f length, "
     "f age, s label, s path",
     "a sound of the corpus resembles what is heard"},
    {"/hearken/onset", "i seq, s input, f level, f age, f strength",
     "something begins to sound"},
    {"/hearken/nomatch", "i seq, s input, s scale, f score, f age",
     "nothing resembles it enough; with osc.nomatch = yes"},
    {"/hearken/reject",
     "i seq, s input, s scale, s reason, f score, f age, s label, s path",
     "an answer was not sent, and why; with debug.rejects = yes"},
    {"/hearken/label", "i seq, s input, s scale, s label, f share, i voters, f age",
     "the label of most of the nearest sounds; with search.space = labels"},
    {"/hearken/status", "i seq, s state",
     "once a second; a name and its count, s and i, follow for each counter"},
};

const rt_answer *
rt_sent(size_t *n)
{
    *n = sizeof sent / sizeof *sent;
    return sent;
}
