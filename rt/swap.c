#include "swap_private.h"

#include "indexes.h"
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
rt_swap_room(rt_swap *w, uint32_t index, char *why, size_t len)
{
    rt_book *b = NULL;
    for (int i = 0; i < MOST_WAITS && !b; i++) {
        rt_shelf_sweep(w->config.shelf);
        b = rt_shelf_empty(w->config.shelf, index);
        if (!b)
            rt_sleep_ms(WAIT_MS);
    }
    if (!b)
        snprintf(why, len, "indexes of before are still in use; try again later");
    return b;
}

void
rt_swap_now(rt_swap *w, uint32_t index, rt_options *out)
{
    const rt_options before = *out;
    w->config.now(w->config.now_ctx, out);
    rt_options_of(out, index);
    out->dsp = before.dsp;
}

/* The settings of the analysis are those of the index, where it has any, else the
 * built-in ones, whatever an index before had. */
static bool
take_settings(rt_swap *w, uint32_t index, rt_book *b, char *why, size_t len)
{
    char reason[400];
    rt_options_default(&b->options);
    rt_swap_now(w, index, &b->options);
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

static rt_searched
searched_of(const rt_shelf *s, uint32_t book)
{
    const rt_book *b = &s->book[book];
    return (rt_searched){&b->options, b->index, b->layer, book};
}

bool
rt_swap_give(rt_swap *w, const rt_book *b, char *why, size_t len)
{
    const uint32_t book = (uint32_t)(b - w->config.shelf->book);
    const rt_searched to = searched_of(w->config.shelf, book);
    pthread_mutex_lock(&w->change);
    const bool ok = rt_inputs_swap(w->config.inputs, rt_index_of(book), &to, why, len);
    if (ok)
        rt_shelf_turn(w->config.shelf, book);
    pthread_mutex_unlock(&w->change);
    return ok;
}

static bool
fill(rt_swap *w, uint32_t index, rt_book *b, const char *path, char *why, size_t len)
{
    if ((size_t)snprintf(b->path, sizeof b->path, "%s", path) >= sizeof b->path) {
        snprintf(why, len, "the path of an index may have %zu bytes",
                 sizeof b->path - 1);
        return false;
    }
    return !idx_load(&b->index, path, why, len) &&
           take_settings(w, index, b, why, len) && rt_book_complete(b, why, len) &&
           make_truth(w, b, why, len);
}

void
rt_swap_tell(rt_swap *w, bool bad, const char *text)
{
    pthread_mutex_lock(&w->news_lock);
    const size_t n = w->news ? strlen(w->text) : 0;
    snprintf(w->text + n, sizeof w->text - n, "%s%s", n ? "; " : "", text);
    w->bad = bad || (w->bad && w->news);
    w->news = true;
    w->swapped = w->swapped || !bad;
    pthread_mutex_unlock(&w->news_lock);
    sem_post(w->config.main_wake);
}

static void
tell_result(rt_swap *w, uint32_t index, const rt_book *b, const char *why)
{
    char text[RT_NEWS], of[RT_NAME + 3] = "";
    if (index)
        snprintf(of, sizeof of, "%s: ", w->config.shelf->name[index]);
    if (b)
        snprintf(text, sizeof text, "%slistens with %.1000s now, %u sounds%s%.400s", of,
                 b->path, idx_n_sounds(b->index), *why ? "; " : "", why);
    else
        snprintf(text, sizeof text, "%s%.1400s; going on with the index in use", of,
                 why);
    rt_swap_tell(w, !b, text);
}

static bool
load(rt_swap *w, uint32_t index, const char *path, char *why, size_t len)
{
    char note[RT_NEWS] = "";
    rt_shelf *s = w->config.shelf;
    rt_book *b = rt_swap_room(w, index, why, len);
    if (!b)
        return false;
    const uint32_t now = rt_shelf_take(s, index);
    bool saves = w->saves,
         ok = fill(w, index, b, *path ? path : s->book[now].path, why, len);
    if (ok && !index) /* which alone learns */
        b->layer = rt_swap_layer(w, b->index, s->book[now].layer, &saves, note);
    ok = ok && rt_swap_give(w, b, why, len);
    rt_shelf_release(s, now);
    if (ok) {
        w->saves = saves;
        tell_result(w, index, b, note);
    } else {
        rt_shelf_drop(s, b);
    }
    return ok;
}

bool
rt_swap_load(rt_swap *w, uint32_t index, const char *path, char *why, size_t len)
{
    pthread_mutex_lock(&w->loading);
    const bool ok = load(w, index, path, why, len);
    if (!ok)
        tell_result(w, index, NULL, why);
    pthread_mutex_unlock(&w->loading);
    return ok;
}

bool
rt_swap_set_rate(rt_swap *w, uint32_t rate_hz, char *why, size_t len)
{
    rt_shelf *s = w->config.shelf;
    rt_searched from[RT_INDEXES];
    pthread_mutex_lock(&w->change);
    for (uint32_t i = 0; i < s->n; i++)
        from[i] = searched_of(s, rt_shelf_take(s, i));
    const bool ok = rt_inputs_set_rate(w->config.inputs, rate_hz, from, why, len);
    for (uint32_t i = 0; i < s->n; i++)
        rt_shelf_release(s, from[i].book);
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
        for (uint32_t i = 0; i < w->config.shelf->n; i++)
            rt_swap_load(w, i, "", why, sizeof why);
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
    rt_book *b = &w->config.shelf->book[w->config.shelf->current[0]];
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
    bool ok = true;
    for (uint32_t i = 0; i < config->shelf->n && ok; i++)
        ok = make_truth(w, &config->shelf->book[config->shelf->current[i]], why,
                        why_len);
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
