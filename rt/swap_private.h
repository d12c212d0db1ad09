#ifndef HEARKEN_RT_SWAP_PRIVATE_H
#define HEARKEN_RT_SWAP_PRIVATE_H

#include "rt.h"
#include "swap.h"

enum { RT_NEWS = RT_TEXT + 600 };

struct rt_swap {
    rt_swap_config config;
    pthread_mutex_t loading; /* one load at a time */
    pthread_mutex_t change;  /* who gives inputs another analysis */
    pthread_t thread;        /* loads what SIGHUP wants */
    bool started, had_terminal;
    bool saves; /* under loading: the file of the layer is of the embedding space in
                   use, or there is none yet */
    sem_t wake;
    atomic_bool stop;
    pthread_mutex_t news_lock;
    bool news, bad, swapped;
    char text[RT_NEWS];
};

/* An empty book of an index, when findings that are on their way have left one; else
 * NULL, with why. Under loading, as all below. */
rt_book *rt_swap_room(rt_swap *w, uint32_t index, char *why, size_t why_len);

/* What an index listens with now, into *out: options as they are, but dsp, which stays
 * that of the index. */
void rt_swap_now(rt_swap *w, uint32_t index, rt_options *out);

/* Has the analysis search a book, which becomes the current one. False, with why. */
bool rt_swap_give(rt_swap *w, const rt_book *b, char *why, size_t why_len);

/* News for main. */
void rt_swap_tell(rt_swap *w, bool bad, const char *text);

/*
 * The layer of another index: that of now (may be NULL) if it fits, else what the file
 * holds for it. *saves becomes whether the file may be written then; note what is to be
 * said, or empty.
 */
idx_index *rt_swap_layer(const rt_swap *w, const idx_index *index, idx_index *now,
                         bool *saves, char note[RT_NEWS]);

#endif
