#include "shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
rt_book_complete(rt_book *b, char *why, size_t why_len)
{
    b->options.background = NULL; /* may be that of another index */
    if (!rt_background_wanted(&b->options))
        return true;
    if (!rt_background_new(&b->background, b->index, &b->options, why, why_len))
        return false;
    b->options.background = b->background;
    return true;
}

rt_shelf *
rt_shelf_new(void)
{
    rt_shelf *s = calloc(1, sizeof *s);
    if (s)
        pthread_mutex_init(&s->lock, NULL);
    return s;
}

bool
rt_shelf_add(rt_shelf *s, const char *name, idx_index *index, const rt_options *o,
             const char *path, char *why, size_t why_len)
{
    const uint32_t i = s->n++, book = i * RT_ROW;
    rt_book *b = &s->book[book];
    *b = (rt_book){.index = index, .options = *o};
    snprintf(b->path, sizeof b->path, "%s", path);
    snprintf(s->name[i], sizeof s->name[i], "%s", name);
    s->filled[book] = true;
    s->current[i] = book;
    return rt_book_complete(b, why, why_len);
}

uint32_t
rt_shelf_named(const rt_shelf *s, const char *name)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (!*name || !strcmp(s->name[i], name))
            return i;
    return RT_INDEXES;
}

/* ---- Closing: under the lock ------------------------------------------------------
 */

/* Whether one of the filled books, but b, has the index or layer ix. */
static bool
is_shared(const rt_shelf *s, const rt_book *b, const idx_index *ix)
{
    for (uint32_t i = 0; i < RT_BOOKS; i++) {
        const rt_book *other = &s->book[i];
        if (s->filled[i] && other != b && (other->index == ix || other->layer == ix))
            return true;
    }
    return false;
}

/* Closes what is in a book and in no other. */
static void
close_book(const rt_shelf *s, rt_book *b)
{
    if (b->index && !is_shared(s, b, b->index)) {
        rt_truth_stop(b->truth);
        rt_truth_free(b->truth);
        rt_background_free(b->background);
        idx_close(b->index);
    }
    if (b->layer && !is_shared(s, b, b->layer))
        idx_close(b->layer);
    b->background = NULL;
    b->truth = NULL;
    b->index = b->layer = NULL;
}

void
rt_shelf_drop(rt_shelf *s, rt_book *b)
{
    pthread_mutex_lock(&s->lock);
    close_book(s, b);
    pthread_mutex_unlock(&s->lock);
}

void
rt_shelf_free(rt_shelf *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < RT_BOOKS; i++) {
        close_book(s, &s->book[i]);
        s->filled[i] = false;
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

uint32_t
rt_shelf_take(rt_shelf *s, uint32_t index)
{
    pthread_mutex_lock(&s->lock);
    const uint32_t book = s->current[index];
    rt_shelf_hold(s, book);
    pthread_mutex_unlock(&s->lock);
    return book;
}

bool
rt_shelf_tally(rt_shelf *s, uint32_t index, uint32_t scale, rt_tally *tally)
{
    const uint32_t book = rt_shelf_take(s, index);
    const bool known = rt_truth_tally(s->book[book].truth, scale, tally);
    rt_shelf_release(s, book);
    return known;
}

bool
rt_shelf_is_idle(rt_shelf *s)
{
    bool idle = true;
    for (uint32_t i = 0; i < s->n && idle; i++) {
        const uint32_t book = rt_shelf_take(s, i);
        const rt_truth *t = s->book[book].truth;
        idle = !t || rt_truth_is_idle(t);
        rt_shelf_release(s, book);
    }
    return idle;
}

/* Who holds it is counted already, and without the lock nobody begins to. */
static bool
is_idle(rt_shelf *s, uint32_t i)
{
    return s->filled[i] && i != s->current[rt_index_of(i)] &&
           !atomic_load_explicit(&s->n_users[i], memory_order_acquire);
}

void
rt_shelf_sweep(rt_shelf *s)
{
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < RT_BOOKS; i++) {
        if (!is_idle(s, i))
            continue;
        close_book(s, &s->book[i]);
        s->filled[i] = false;
    }
    pthread_mutex_unlock(&s->lock);
}

rt_book *
rt_shelf_empty(rt_shelf *s, uint32_t index)
{
    rt_book *empty = NULL;
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = index * RT_ROW; i < (index + 1) * RT_ROW && !empty; i++)
        empty = s->filled[i] ? NULL : &s->book[i];
    pthread_mutex_unlock(&s->lock);
    return empty;
}

void
rt_shelf_turn(rt_shelf *s, uint32_t book)
{
    pthread_mutex_lock(&s->lock);
    s->filled[book] = true;
    s->current[rt_index_of(book)] = book;
    pthread_mutex_unlock(&s->lock);
}
