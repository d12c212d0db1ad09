#include "tape_private.h"

#include <stdlib.h>

rt_tape *
rt_tape_new(size_t n_items, size_t item_bytes)
{
    const size_t item_words = item_bytes / sizeof(uint32_t);
    if (!n_items || !item_words || item_bytes % sizeof(uint32_t) ||
        n_items > SIZE_MAX / 4 / item_bytes)
        return NULL;
    rt_tape *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->n_items = n_items;
    t->item_words = item_words;
    t->words = malloc(n_items * item_words * sizeof *t->words);
    if (!t->words) {
        free(t);
        return NULL;
    }
    for (size_t i = 0; i < n_items * item_words; i++) /* no page shall fault later */
        atomic_init(&t->words[i], 0x55555555);
    return t;
}

void
rt_tape_free(rt_tape *t)
{
    if (!t)
        return;
    free(t->words);
    free(t);
}

size_t
rt_tape_bytes(const rt_tape *t)
{
    return t->n_items * t->item_words * sizeof *t->words;
}
