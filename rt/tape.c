/*
 * Hot: the writing thread has a deadline. Words are atomic because they may be read
 * while they are overwritten; what was read then is thrown away. Each word is stored
 * with release and loaded with acquire, so that who saw a word of a later item sees the
 * claim that preceded it too (a sequence lock, without fences, which thread sanitizers
 * do not know).
 */
#include "tape_private.h"

#include <string.h>

static void
write_item(rt_tape *t, const unsigned char *item)
{
    _Atomic uint32_t *to = t->words + t->at * t->item_words;
    for (size_t i = 0; i < t->item_words; i++) {
        uint32_t word;
        memcpy(&word, item + i * sizeof word, sizeof word);
        atomic_store_explicit(&to[i], word, memory_order_release);
    }
    t->at = t->at + 1 < t->n_items ? t->at + 1 : 0;
}

void
rt_tape_write(rt_tape *t, const void *items, size_t n)
{
    const unsigned char *item = items;
    const uint64_t end =
        atomic_load_explicit(&t->written, memory_order_relaxed) + (uint64_t)n;
    atomic_store_explicit(&t->claimed, end, memory_order_relaxed);
    for (size_t i = 0; i < n; i++)
        write_item(t, item + i * t->item_words * sizeof *t->words);
    atomic_store_explicit(&t->written, end, memory_order_release);
}

uint64_t
rt_tape_end(const rt_tape *t)
{
    return atomic_load_explicit(&t->written, memory_order_acquire);
}

uint64_t
rt_tape_begin(const rt_tape *t)
{
    const uint64_t claimed = atomic_load_explicit(&t->claimed, memory_order_relaxed);
    return claimed > t->n_items ? claimed - t->n_items : 0;
}

bool
rt_tape_read(const rt_tape *t, uint64_t first, size_t n, void *out)
{
    unsigned char *to = out;
    if (first < rt_tape_begin(t) || n > rt_tape_end(t) || first > rt_tape_end(t) - n)
        return false;
    size_t slot = (size_t)(first % t->n_items);
    for (size_t i = 0; i < n; i++) {
        const _Atomic uint32_t *from = t->words + slot * t->item_words;
        for (size_t j = 0; j < t->item_words; j++) {
            const uint32_t word = atomic_load_explicit(&from[j], memory_order_acquire);
            memcpy(to, &word, sizeof word);
            to += sizeof word;
        }
        slot = slot + 1 < t->n_items ? slot + 1 : 0;
    }
    return first >= rt_tape_begin(t);
}
