/* Makes and frees the recorder; its thread; its words with main. */
#include "record_private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Findings that a second can hold at most: those of its answers, and its onsets, which
 * the gate's hold keeps 0.1 s apart and each of which may bring an event answer. */
static size_t
found_a_second(const rt_options *o)
{
    static const size_t answers[RT_SCALES] = {
        [DSP_FRAME] = 100, [DSP_EVENT] = 30, [DSP_SCENE] = 1, [RT_TIMBRE] = 20};
    size_t n = 0;
    for (uint32_t s = 0; s < RT_SCALES; s++)
        if (o->match.scales >> s & 1U)
            n += answers[s] * (o->match.k + 1U);
    return n + 11;
}

static bool
allocate(rt_record *r)
{
    const rt_options *o = r->config.options;
    const size_t rate = r->config.rate_hz;
    /* states are a second apart, so the oldest that is wanted may be one older */
    const size_t seconds = o->record.seconds + 1U + RT_RECORD_SLACK_S;
    const size_t gap_s = (o->match.min_gap_ms + 999U) / 1000;
    r->sound = rt_tape_new((seconds + r->preroll_s) * rate, sizeof(float));
    r->found = rt_tape_new((seconds + gap_s) * found_a_second(o), sizeof(rt_match));
    r->changes =
        rt_tape_new(RT_RECORD_CHANGES + seconds * RT_RECORD_SHEDS, sizeof(rt_change));
    r->states = rt_tape_new(seconds + 1, sizeof(rt_record_state));
    r->marks = rt_tape_new(64, sizeof(rt_record_mark));
    r->settings = rt_tape_new(16, sizeof(rt_record_settings));
    return r->sound && r->found && r->changes && r->states && r->marks && r->settings;
}

/* ---- The thread that writes ------------------------------------------------------ */

static void *
run(void *arg)
{
    enum { NICE = 10 };
    rt_record *r = arg;
    char text[sizeof r->text];
    setpriority(PRIO_PROCESS, 0, NICE); /* of this thread, on Linux */
    for (;;) {
        while (sem_wait(&r->wake)) /* EINTR */
            ;
        if (!atomic_load(&r->busy))
            return NULL; /* stop: a recording that was asked for is written first */
        rt_record_write(r, text, sizeof text);
        pthread_mutex_lock(&r->news_lock);
        memcpy(r->text, text, sizeof text);
        r->news = true;
        pthread_mutex_unlock(&r->news_lock);
        atomic_store(&r->busy, false);
    }
}

/* ---- Made and freed ---------------------------------------------------------------
 */

bool
rt_record_check(const rt_options *o, char *why, size_t why_len)
{
    if (!o->record.seconds || !access(o->record.folder, W_OK | X_OK))
        return true;
    snprintf(why, why_len,
             "%s: recordings cannot be written there: %s; name another folder with "
             "--record-folder",
             o->record.folder, strerror(errno));
    return false;
}

/* The first news. */
static void
tell_memory(rt_record *r)
{
    const rt_tape *tapes[] = {r->sound,  r->found, r->changes,
                              r->states, r->marks, r->settings};
    const rt_options *o = r->config.options;
    size_t n = 0;
    for (size_t i = 0; i < sizeof tapes / sizeof *tapes; i++)
        n += rt_tape_bytes(tapes[i]);
    snprintf(r->text, sizeof r->text,
             "the last %u s of %s are kept in %.0f MB of memory; SIGUSR1 has them "
             "written to %s",
             o->record.seconds, r->config.input, (double)n / 1e6, o->record.folder);
    r->news = true;
}

bool
rt_record_new(rt_record **out, const rt_record_config *c, char *why, size_t why_len)
{
    *out = NULL;
    rt_record *r = calloc(1, sizeof *r);
    if (r) {
        r->config = *c;
        r->config.older = NULL; /* until nothing can fail */
        r->preroll_s = rt_analyse_preroll_s(c->analyse);
        sem_init(&r->wake, 0, 0);
        pthread_mutex_init(&r->news_lock, NULL);
    }
    if (!r || !allocate(r))
        snprintf(why, why_len,
                 "there is not enough memory to keep the last %u seconds; choose fewer "
                 "with --record-seconds",
                 c->options->record.seconds);
    else if (!(r->started = rt_thread_start(&r->thread, run, r, 0, NULL)))
        snprintf(why, why_len, "the system gives no thread to write recordings with");
    if (!r || !r->started) {
        rt_record_free(r);
        return false;
    }
    rt_record_set(r, c->options);
    tell_memory(r);
    r->config.older = c->older;
    *out = r;
    return true;
}

bool
rt_record_does(const rt_record *r, uint32_t rate_hz)
{
    return rate_hz <= r->config.rate_hz;
}

void
rt_record_stop(rt_record *r)
{
    if (r)
        rt_record_stop(r->config.older);
    if (!r || !r->started)
        return;
    sem_post(&r->wake);
    pthread_join(r->thread, NULL);
    r->started = false;
}

void
rt_record_free(rt_record *r)
{
    if (!r)
        return;
    rt_record_stop(r);
    rt_record_free(r->config.older);
    rt_tape_free(r->sound);
    rt_tape_free(r->found);
    rt_tape_free(r->changes);
    rt_tape_free(r->states);
    rt_tape_free(r->marks);
    rt_tape_free(r->settings);
    pthread_mutex_destroy(&r->news_lock);
    sem_destroy(&r->wake);
    free(r);
}

bool
rt_record_dump(rt_record *r)
{
    if (!r || !r->started || atomic_exchange(&r->busy, true))
        return false;
    sem_post(&r->wake);
    return true;
}

bool
rt_record_claim(rt_record *r)
{
    return !r || !atomic_exchange(&r->busy, true);
}

void
rt_record_yield(rt_record *r, const rt_options *o, const idx_index *index,
                const idx_index *layer)
{
    if (!r)
        return;
    if (index) {
        r->config.options = o;
        r->config.index = index;
        r->config.layer = layer;
    }
    atomic_store(&r->busy, false);
}

/* ---- Main thread ----------------------------------------------------------------- */

bool
rt_record_news(rt_record *r, char text[], size_t text_len)
{
    if (!r)
        return false;
    pthread_mutex_lock(&r->news_lock);
    const bool news = r->news;
    if (news)
        snprintf(text, text_len, "%s", r->text);
    r->news = false;
    pthread_mutex_unlock(&r->news_lock);
    return news;
}

static sigset_t
usr1(void)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGUSR1);
    return s;
}

/* Blocked everywhere, it stays pending until it is asked for: no handler, and no
 * system call of JACK's threads is interrupted. */
void
rt_record_catch(void)
{
    const sigset_t s = usr1();
    pthread_sigmask(SIG_BLOCK, &s, NULL);
}

bool
rt_record_signalled(void)
{
    static const struct timespec at_once = {0};
    const sigset_t s = usr1();
    return sigtimedwait(&s, NULL, &at_once) == SIGUSR1;
}
