/* rt/ring.c, rt/ring_setup.c: slots between two threads. */
#include "rt/ring_private.h"
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

static const struct {
    const char *name;
    size_t n_slots, slot_bytes, holds; /* 0: refused */
} sizes[] = {
    {"smallest", 1, 1, 1},
    {"two", 2, 3, 2},
    {"not a power of two", 6, 4, 8},
    {"a power of two", 8, 4, 8},
    {"one more than a power of two", 4097, 1, 8192},
    {"large slots", 3, 100000, 4},
    {"no slots", 0, 4, 0},
    {"no bytes", 4, 0, 0},
    {"nothing at all", 0, 0, 0},
    {"more bytes than size_t counts", SIZE_MAX / 8, 16, 0},
    {"a slot of half the address space", 2, SIZE_MAX / 2, 0},
    {"slots whose next power of two overflows", SIZE_MAX, 1, 0},
};

START_TEST(new_takes_the_documented_sizes_and_rounds_up)
{
    const size_t bytes = sizes[_i].slot_bytes;
    rt_ring *ring = rt_ring_new(sizes[_i].n_slots, bytes);
    ck_assert_msg(!!ring == !!sizes[_i].holds, "case: %s", sizes[_i].name);
    size_t n = 0;
    for (void *slot; ring && (slot = rt_ring_slot(ring)) != NULL; n++) {
        memset(slot, (int)n, bytes); /* the sanitizers see a slot that is too short */
        rt_ring_commit(ring);
    }
    ck_assert_msg(n == sizes[_i].holds, "case: %s holds %zu", sizes[_i].name, n);
    rt_ring_free(ring);
}
END_TEST

START_TEST(new_survives_each_failing_allocation)
{
    for (uint64_t k = 1; k <= 2; k++) {
        heap_fail_at = k;
        rt_ring *ring = rt_ring_new(8, 8);
        const uint64_t left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert_msg(!ring && !left, "allocation %d", (int)k);
    }
    rt_ring_free(NULL);
}
END_TEST

START_TEST(a_full_ring_refuses_and_keeps_what_it_has)
{
    rt_ring *ring = rt_ring_new(4, sizeof(int));
    int got = -1;
    ck_assert(!rt_ring_pop(ring, &got) && !rt_ring_front(ring));
    for (int i = 0; i < 4; i++)
        ck_assert(rt_ring_push(ring, &i));
    for (int i = 100; i < 104; i++)
        ck_assert(!rt_ring_push(ring, &i) && !rt_ring_slot(ring));
    ck_assert_uint_eq(rt_ring_count(ring), 4);
    for (int i = 0; i < 4; i++)
        ck_assert(rt_ring_pop(ring, &got) && got == i);
    got = -1;
    ck_assert(!rt_ring_pop(ring, &got) && got == -1 && rt_ring_count(ring) == 0);
    rt_ring_free(ring);
}
END_TEST

/* Pushes and pops runs of random lengths against counters that say what is inside. */
static void
push_and_pop_runs(rt_ring *ring, size_t holds, uint64_t seed)
{
    uint64_t in = 0, out = 0, got;
    for (int turn = 0; turn < 2000; turn++) {
        for (uint64_t n = random_u64(&seed) % (holds + 2); n > 0; n--) {
            const bool fits = in - out < holds;
            ck_assert(rt_ring_push(ring, &in) == fits);
            in += fits;
        }
        for (uint64_t n = random_u64(&seed) % (holds + 2); n > 0; n--) {
            const bool any = out < in;
            ck_assert(rt_ring_pop(ring, &got) == any);
            ck_assert(!any || got == out);
            out += any;
        }
        ck_assert_uint_eq(rt_ring_count(ring), in - out);
    }
    ck_assert_uint_gt(out, 100 * holds);
}

START_TEST(order_survives_going_round_many_times)
{
    const size_t holds = (size_t)1 << _i;
    rt_ring *ring = rt_ring_new(holds, sizeof(uint64_t));
    push_and_pop_runs(ring, holds, 17 + (uint64_t)_i);
    rt_ring_free(ring);
}
END_TEST

START_TEST(order_survives_the_counters_going_past_their_end)
{
    rt_ring *ring = rt_ring_new(8, sizeof(uint64_t));
    atomic_store(&ring->written, SIZE_MAX - 20);
    atomic_store(&ring->read, SIZE_MAX - 20);
    push_and_pop_runs(ring, 8, 23);
    ck_assert_uint_lt(atomic_load(&ring->read), SIZE_MAX / 2);
    rt_ring_free(ring);
}
END_TEST

START_TEST(a_slot_is_seen_only_after_commit_and_kept_until_release)
{
    rt_ring *ring = rt_ring_new(2, sizeof(int));
    int *slot = rt_ring_slot(ring);
    *slot = 1;
    ck_assert(rt_ring_slot(ring) == slot); /* still the same one */
    ck_assert(!rt_ring_front(ring) && rt_ring_count(ring) == 0);
    rt_ring_commit(ring);
    const int *front = rt_ring_front(ring);
    ck_assert(front == slot && *front == 1);

    slot = rt_ring_slot(ring);
    ck_assert(slot && slot != front);
    *slot = 2;
    rt_ring_commit(ring);
    ck_assert(!rt_ring_slot(ring));
    ck_assert(rt_ring_front(ring) == front && *front == 1);
    rt_ring_release(ring);
    ck_assert(rt_ring_slot(ring) == front); /* that one, and no other, is free */
    ck_assert_int_eq(*(const int *)rt_ring_front(ring), 2);
    ck_assert_uint_eq(rt_ring_count(ring), 1);
    rt_ring_free(ring);
}
END_TEST

/* ---- Both ends at once ----------------------------------------------------------- */

enum { MILLION = 1000000, WORDS = 7 };

typedef struct {
    uint64_t word[WORDS]; /* all of them follow from the number of the item */
} item;

typedef struct {
    rt_ring *ring;
    uint64_t refused;
} producer;

static item
make_item(uint64_t n)
{
    item it;
    for (uint64_t i = 0; i < WORDS; i++)
        it.word[i] = n * 2654435761U + i;
    return it;
}

static void *
produce(void *arg)
{
    producer *p = arg;
    for (uint64_t n = 0; n < MILLION; n++) {
        const item it = make_item(n);
        if (n % 3 == 0) {
            item *slot;
            for (; (slot = rt_ring_slot(p->ring)) == NULL; p->refused++)
                sched_yield();
            *slot = it;
            rt_ring_commit(p->ring);
        } else {
            for (; !rt_ring_push(p->ring, &it); p->refused++)
                sched_yield();
        }
    }
    return NULL;
}

/* Takes the next item by one of the two ways. */
static void
consume(rt_ring *ring, uint64_t n, item *out)
{
    if (n % 2) {
        while (!rt_ring_pop(ring, out))
            sched_yield();
        return;
    }
    const item *front;
    while ((front = rt_ring_front(ring)) == NULL)
        sched_yield();
    *out = *front;
    rt_ring_release(ring);
}

START_TEST(a_million_items_cross_two_threads_whole_and_in_order)
{
    producer p = {.ring = rt_ring_new(64, sizeof(item))};
    pthread_t thread;
    uint64_t bad = 0, over = 0;
    ck_assert(!pthread_create(&thread, NULL, produce, &p));
    for (uint64_t n = 0; n < MILLION; n++) {
        item got;
        const item want = make_item(n);
        consume(p.ring, n, &got);
        bad += memcmp(&got, &want, sizeof got) != 0;
        over += rt_ring_count(p.ring) > 64;
    }
    pthread_join(thread, NULL);
    ck_assert_uint_eq(bad, 0);
    ck_assert_uint_eq(over, 0);
    ck_assert_uint_eq(rt_ring_count(p.ring), 0);
    rt_ring_free(p.ring);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/ring");
    TCase *t = tcase_create("ring");
    tcase_set_timeout(t, 120); /* the thread sanitizer is slow */
    tcase_add_loop_test(t, new_takes_the_documented_sizes_and_rounds_up, 0, N(sizes));
    tcase_add_test(t, new_survives_each_failing_allocation);
    tcase_add_test(t, a_full_ring_refuses_and_keeps_what_it_has);
    tcase_add_loop_test(t, order_survives_going_round_many_times, 0, 6);
    tcase_add_test(t, order_survives_the_counters_going_past_their_end);
    tcase_add_test(t, a_slot_is_seen_only_after_commit_and_kept_until_release);
    tcase_add_test(t, a_million_items_cross_two_threads_whole_and_in_order);
    suite_add_tcase(s, t);
    return run_suite(s);
}
