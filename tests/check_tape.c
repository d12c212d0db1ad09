/* rt/tape.c, rt/tape_setup.c: a ring that goes round under its readers. */
#include "rt/tape.h"
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t n_items, item_bytes;
    bool ok;
} sizes[] = {
    {"smallest", 1, 4, true},
    {"not a power of two", 7, 12, true},
    {"no items", 0, 4, false},
    {"no bytes", 4, 0, false},
    {"no whole words", 4, 6, false},
    {"more bytes than size_t counts", SIZE_MAX / 8, 16, false},
};

START_TEST(new_takes_the_documented_sizes)
{
    rt_tape *t = rt_tape_new(sizes[_i].n_items, sizes[_i].item_bytes);
    ck_assert_msg(!!t == sizes[_i].ok, "case: %s", sizes[_i].name);
    if (t)
        ck_assert_uint_eq(rt_tape_bytes(t), sizes[_i].n_items * sizes[_i].item_bytes);
    rt_tape_free(t);
}
END_TEST

START_TEST(new_survives_each_failing_allocation)
{
    for (uint64_t k = 1; k <= 2; k++) {
        heap_fail_at = k;
        rt_tape *t = rt_tape_new(8, 8);
        const uint64_t left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert_msg(!t && !left, "allocation %d", (int)k);
    }
    rt_tape_free(NULL);
}
END_TEST

/* Item i holds i three times over. */
typedef struct {
    uint64_t a;
    uint32_t b, c;
} item;

static void
write_run(rt_tape *t, uint64_t first, size_t n)
{
    item run[64];
    for (size_t i = 0; i < n; i++)
        run[i] = (item){first + i, (uint32_t)(first + i), ~(uint32_t)(first + i)};
    rt_tape_write(t, run, n);
}

static bool
is_item(const item *x, uint64_t i)
{
    return x->a == i && x->b == (uint32_t)i && x->c == ~(uint32_t)i;
}

START_TEST(what_is_still_there_is_read_and_nothing_else)
{
    enum { HOLDS = 37 };
    rt_tape *t = rt_tape_new(HOLDS, sizeof(item));
    uint64_t seed = 3, n = 0;
    item out[HOLDS + 1];
    ck_assert(!rt_tape_read(t, 0, 1, out));
    for (int turn = 0; turn < 500; turn++) {
        const size_t run = random_u64(&seed) % (HOLDS + 1);
        write_run(t, n, run);
        n += run;
        const uint64_t begin = n > HOLDS ? n - HOLDS : 0;
        ck_assert_uint_eq(rt_tape_end(t), n);
        ck_assert_uint_eq(rt_tape_begin(t), begin);
        ck_assert(rt_tape_read(t, begin, (size_t)(n - begin), out));
        for (uint64_t i = begin; i < n; i++)
            ck_assert(is_item(&out[i - begin], i));
        ck_assert(!rt_tape_read(t, n, 1, out));
        ck_assert(!rt_tape_read(t, begin, (size_t)(n - begin) + 1, out));
        ck_assert(!begin || !rt_tape_read(t, begin - 1, 1, out));
        ck_assert(!rt_tape_read(t, UINT64_MAX, 1, out));
    }
    rt_tape_free(t);
}
END_TEST

enum { TAPE = 1000, TOTAL = 1000000 };

static void *
produce(void *arg)
{
    uint64_t seed = 9;
    for (uint64_t n = 0; n < TOTAL;) {
        size_t run = 1 + random_u64(&seed) % 64;
        run = n + run > TOTAL ? (size_t)(TOTAL - n) : run;
        write_run(arg, n, run);
        n += run;
    }
    return NULL;
}

START_TEST(a_reader_beside_the_writer_gets_items_whole_or_learns_that_they_are_gone)
{
    rt_tape *t = rt_tape_new(TAPE, sizeof(item));
    pthread_t thread;
    uint64_t end, good = 0, seed = 5;
    item out[200];
    ck_assert(!pthread_create(&thread, NULL, produce, t));
    while ((end = rt_tape_end(t)) < TOTAL) {
        const uint64_t begin =
            rt_tape_begin(t); /* at the edge, where it is taken away */
        const size_t n = 1 + random_u64(&seed) % 200;
        if (begin + n > end || !rt_tape_read(t, begin, n, out))
            continue;
        for (size_t i = 0; i < n; i++)
            ck_assert(is_item(&out[i], begin + i));
        good++;
    }
    pthread_join(thread, NULL);
    ck_assert(rt_tape_read(t, TOTAL - 200, 200, out) && is_item(out, TOTAL - 200));
    (void)good; /* none, where the writer never pauses */
    rt_tape_free(t);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("tape");
    TCase *t = tcase_create("tape");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, new_takes_the_documented_sizes, 0,
                        sizeof sizes / sizeof *sizes);
    tcase_add_test(t, new_survives_each_failing_allocation);
    tcase_add_test(t, what_is_still_there_is_read_and_nothing_else);
    tcase_add_test(
        t, a_reader_beside_the_writer_gets_items_whole_or_learns_that_they_are_gone);
    suite_add_tcase(s, t);
    return run_suite(s);
}
