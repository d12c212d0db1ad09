#include "swap_private.h"

#include "layer.h"
#include "load.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 5, MOST_WAITS = 1000 };

/* ---- Loading ---------------------------------------------------------------------
 */

static bool
make_truth(rt_swap *w, rt_book *b, char *why, size_t len)
{
    if (!b->options.listen.truth)
        return true;
    return rt_truth_new(&b->truth, b->index, &b->options, w->config.counts, why, len) &&
           (!b->truth || rt_truth_start(b->truth, why, len));
}

/* Findings that are on their way hold a book for some milliseconds. */
rt_book *
rt_swap_room(rt_swap *w, char *why, size_t len)
{
    rt_book *b = NULL;
    for (int i = 0; i < MOST_WAITS && !b; i++) {
        rt_shelf_sweep(w->config.shelf);
        b = rt_shelf_empty(w->config.shelf);
        if (!b)
            rt_sleep_ms(WAIT_MS);
    }
    if (!b)
        snprintf(why, len, "indexes of before are still in use; try again later");
    return b;
}

/* The settings of the analysis are those of the index, where it has any, else the
 * built-in ones, whatever an index before had. */
static bool
take_settings(rt_swap *w, rt_book *b, char *why, size_t len)
{
    rt_options fresh;
    char reason[400];
    rt_options_default(&fresh);
    w->config.now(w->config.now_ctx, &b->options);
    b->options.dsp = fresh.dsp;
    if (rt_holds_vectors(b->index))
        snprintf(why, len,
                 "%.900s: it holds imported vectors, which no sound is compared with",
                 b->path);
    else if (!rt_analyse_settings(&b->options, b->index, reason, sizeof reason))
        snprintf(why, len, "%.900s: %s", b->path, reason);
    else
        return true;
    return false;
}

bool
rt_swap_give(rt_swap *w, const rt_book *b, char *why, size_t len)
{
    const uint32_t book = (uint32_t)(b - w->config.shelf->book);
    pthread_mutex_lock(&w->change);
    const bool ok = rt_inputs_swap(w->config.inputs, &b->options, b->index, b->layer,
                                   book, why, len);
    if (ok)
        rt_shelf_turn(w->config.shelf, book);
    pthread_mutex_unlock(&w->change);
    return ok;
}

static bool
fill(rt_swap *w, rt_book *b, const char *path, char *why, size_t len)
{
    if ((size_t)snprintf(b->path, sizeof b->path, "%s", path) >= sizeof b->path) {
        snprintf(why, len, "the path of an index may have %zu bytes",
                 sizeof b->path - 1);
        return false;
    }
    return !idx_load(&b->index, path, why, len) && take_settings(w, b, why, len) &&
           rt_book_complete(b, why, len) && make_truth(w, b, why, len);
}

void
rt_swap_tell(rt_swap *w, bool bad, const char *text)
{
    pthread_mutex_lock(&w->news_lock);
    w->news = true;
    w->bad = bad;
    w->swapped = w->swapped || !bad;
    snprintf(w->text, sizeof w->text, "%s", text);
    pthread_mutex_unlock(&w->news_lock);
    sem_post(w->config.main_wake);
}

static void
tell_result(rt_swap *w, const rt_book *b, const char *why)
{
    char text[RT_NEWS];
    if (b)
        snprintf(text, sizeof text, "listens with %.1000s now, %u sounds%s%.400s",
                 b->path, idx_n_sounds(b->index), *why ? "; " : "", why);
    else
        snprintf(text, sizeof text, "%.1500s; going on with the index in use", why);
    rt_swap_tell(w, !b, text);
}

static bool
load(rt_swap *w, const char *path, char *why, size_t len)
{
    char note[RT_NEWS] = "";
    rt_shelf *s = w->config.shelf;
    rt_book *b = rt_swap_room(w, why, len);
    if (!b)
        return false;
    const uint32_t now = rt_shelf_take(s);
    bool saves = w->saves, ok = fill(w, b, *path ? path : s->book[now].path, why, len);
    if (ok) {
        b->layer = rt_swap_layer(w, b->index, s->book[now].layer, &saves, note);
        ok = rt_swap_give(w, b, why, len);
    }
    rt_shelf_release(s, now);
    if (ok) {
        w->saves = saves;
        tell_result(w, b, note);
    } else {
        rt_shelf_drop(s, b);
    }
    return ok;
}

bool
rt_swap_load(rt_swap *w, const char *path, char *why, size_t len)
{
    pthread_mutex_lock(&w->loading);
    const bool ok = load(w, path, why, len);
    if (!ok)
        tell_result(w, NULL, why);
    pthread_mutex_unlock(&w->loading);
    return ok;
}

bool
rt_swap_set_rate(rt_swap *w, uint32_t rate_hz, char *why, size_t len)
{
    pthread_mutex_lock(&w->change);
    const uint32_t book = rt_shelf_take(w->config.shelf);
    const rt_book *b = &w->config.shelf->book[book];
    const bool ok = rt_inputs_set_rate(w->config.inputs, rate_hz, &b->options, b->index,
                                       b->layer, why, len);
    rt_shelf_release(w->config.shelf, book);
    pthread_mutex_unlock(&w->change);
    return ok;
}

/* ---- The loader's thread ---------------------------------------------------------
 */

static void *
run(void *arg)
{
    rt_swap *w = arg;
    char why[RT_NEWS];
    for (;;) {
        while (sem_wait(&w->wake)) /* EINTR */
            ;
        if (atomic_load(&w->stop))
            return NULL;
        rt_swap_load(w, "", why, sizeof why);
    }
}

static bool
has_terminal(void)
{
    const int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The layer of the first index. */
static void
begin_layer(rt_swap *w)
{
    char note[RT_NEWS];
    rt_book *b = &w->config.shelf->book[w->config.shelf->current];
    b->layer = rt_swap_layer(w, b->index, NULL, &w->saves, note);
    if (*note)
        rt_warn("%s", note);
}

bool
rt_swap_new(rt_swap **out, const rt_swap_config *config, char *why, size_t why_len)
{
    *out = NULL;
    rt_swap *w = calloc(1, sizeof *w);
    if (!w) {
        snprintf(why, why_len, "there is not enough memory to change the index");
        return false;
    }
    w->config = *config;
    w->had_terminal = has_terminal();
    pthread_mutex_init(&w->loading, NULL);
    pthread_mutex_init(&w->change, NULL);
    pthread_mutex_init(&w->news_lock, NULL);
    sem_init(&w->wake, 0, 0);
    begin_layer(w);
    bool ok = make_truth(w, &config->shelf->book[config->shelf->current], why, why_len);
    if (ok && !(ok = w->started = rt_thread_start(&w->thread, run, w, 0, NULL)))
        snprintf(why, why_len, "the system gives no thread to load indexes with");
    if (ok)
        *out = w;
    else
        rt_swap_free(w);
    return ok;
}

void
rt_swap_stop(rt_swap *w)
{
    if (!w || !w->started)
        return;
    atomic_store(&w->stop, true);
    sem_post(&w->wake);
    pthread_join(w->thread, NULL);
    w->started = false;
}

void
rt_swap_free(rt_swap *w)
{
    if (!w)
        return;
    rt_swap_stop(w);
    pthread_mutex_destroy(&w->loading);
    pthread_mutex_destroy(&w->change);
    pthread_mutex_destroy(&w->news_lock);
    sem_destroy(&w->wake);
    free(w);
}

/* ---- Main thread ----------------------------------------------------------------- */

static sigset_t
hup(void)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGHUP);
    return s;
}

/* As rt_record_catch() does with SIGUSR1. */
void
rt_swap_catch(void)
{
    const sigset_t s = hup();
    pthread_sigmask(SIG_BLOCK, &s, NULL);
}

/* It also comes when the terminal is closed, and then means the end, as ever. */
static void
obey_signal(rt_swap *w)
{
    static const struct timespec at_once = {0};
    const sigset_t s = hup();
    if (sigtimedwait(&s, NULL, &at_once) != SIGHUP)
        return;
    if (w->had_terminal && !has_terminal())
        atomic_store(&rt_stop, 1);
    else
        sem_post(&w->wake);
}

bool
rt_swap_tick(rt_swap *w)
{
    char text[RT_NEWS];
    if (!w)
        return false;
    obey_signal(w);
    rt_shelf_sweep(w->config.shelf);
    pthread_mutex_lock(&w->news_lock);
    const bool news = w->news, bad = w->bad, swapped = w->swapped;
    snprintf(text, sizeof text, "%s", news ? w->text : "");
    w->news = w->swapped = false;
    pthread_mutex_unlock(&w->news_lock);
    if (news)
        rt_tell(bad ? RT_SAY_WARNING : RT_SAY_INFO, "%s", text);
    return swapped;
}
