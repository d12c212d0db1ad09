/*
 * The indexes that listen searches, and those that it searched before while findings in
 * them are on their way: each finding is told with the index that it was found in. An
 * index is a number, from 0, whose file may become another; each has a row of books.
 *
 *   index 0   book 0: in use   book 1: in use by findings only   book 2: empty   ...
 *   index 1   book 4: in use   book 5: empty                                     ...
 *
 * A book is closed when it is not the current one of its row and nobody holds it. The
 * analysis holds none: it is told of another one (swap.h) before its own leaves.
 */
#ifndef HEARKEN_RT_SHELF_H
#define HEARKEN_RT_SHELF_H

#include "background.h"
#include "truth.h"

#include <pthread.h>

enum { RT_ROW = 4, RT_BOOKS = RT_INDEXES * RT_ROW };

/* Stays as it is while it is held, or current. Books may share an index with its truth,
 * or a layer: the last of them closes it. */
typedef struct {
    idx_index *index;
    idx_index *layer;   /* what was learned (layer.h), or NULL */
    rt_options options; /* of listen, with those of the analysis that index has */
    rt_background *background; /* of index; that of options */
    rt_truth *truth;           /* NULL: nothing to check */
    char path[RT_TEXT];
} rt_book;

typedef struct {
    uint32_t n; /* indexes */
    char name[RT_INDEXES][RT_NAME];
    rt_book book[RT_BOOKS];
    _Atomic uint32_t n_users[RT_BOOKS];
    /* under lock: */
    pthread_mutex_t lock; /* never the analysis thread's */
    bool filled[RT_BOOKS];
    uint32_t current[RT_INDEXES]; /* book of each */
} rt_shelf;

/* The index that a book is of. */
static inline uint32_t
rt_index_of(uint32_t book)
{
    return book / RT_ROW;
}

/* Makes what else a book needs of its index and options; false with why. */
bool rt_book_complete(rt_book *b, char *why, size_t why_len);

/* Without an index; NULL without memory. */
rt_shelf *rt_shelf_new(void);

/* Before any thread uses it: a further index, which the shelf closes; its options are
 * those of its own. False, with why, without memory; rt_shelf_free() closes it too. */
bool rt_shelf_add(rt_shelf *s, const char *name, idx_index *index, const rt_options *o,
                  const char *path, char *why, size_t why_len);

/* The index of a name, "" for the first; RT_INDEXES: there is none. Any thread. */
uint32_t rt_shelf_named(const rt_shelf *s, const char *name);

/* Not while any thread uses it. Takes NULL. */
void rt_shelf_free(rt_shelf *s);

/* Holds the current book of an index, which stays until it is released. Any thread but
 * the audio and analysis threads. */
uint32_t rt_shelf_take(rt_shelf *s, uint32_t index);

/* Holds a book for a finding: on the analysis thread the one that it searches, on
 * others one that they hold already. Any thread; these do not wait. */
static inline void
rt_shelf_hold(rt_shelf *s, uint32_t book)
{
    atomic_fetch_add_explicit(&s->n_users[book], 1, memory_order_relaxed);
}
static inline void
rt_shelf_release(rt_shelf *s, uint32_t book)
{
    /* release: who sees that nobody holds it may close it */
    atomic_fetch_sub_explicit(&s->n_users[book], 1, memory_order_release);
}

/* Of the current book of an index: what is known of its answers (truth.h), false where
 * nothing is. As rt_shelf_take(). */
bool rt_shelf_tally(rt_shelf *s, uint32_t index, uint32_t scale, rt_tally *tally);

/* Whether the answers of all current books are checked at idle priority, or not at all.
 * As rt_shelf_take(). */
bool rt_shelf_is_idle(rt_shelf *s);

/* ---- For swap.c --------------------------------------------------------------------
 */

/* An empty book of an index to fill in, or NULL: all are in use. One thread at a time.
 */
rt_book *rt_shelf_empty(rt_shelf *s, uint32_t index);

/* That book is filled, and the current one of its index. The analysis must use no other
 * already. */
void rt_shelf_turn(rt_shelf *s, uint32_t book);

/* Closes what nobody needs. Not on the analysis thread. */
void rt_shelf_sweep(rt_shelf *s);

/* Closes what is in a book that was filled but did not become the current one. */
void rt_shelf_drop(rt_shelf *s, rt_book *b);

#endif
