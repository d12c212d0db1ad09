/* rt/store.c: blocks below and beyond the bound, and how they grow. */
#include "rt/store.h"
#include "support.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MB = 1 << 20 };

static char folder[256], path[300];
static rt_store *store;

static void
setup(void)
{
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/x.hkn", folder);
}

static void
teardown(void)
{
    rt_store_free(store);
    store = NULL;
    remove_tree(folder);
}

static unsigned char
byte_of(size_t i)
{
    return (unsigned char)(i * 2654435761U >> 13);
}

static void
fill(unsigned char *block, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        block[i] = byte_of(i);
}

static void
must_hold(const unsigned char *block, size_t n)
{
    size_t i = 0;
    while (i < n && block[i] == byte_of(i))
        i++;
    ck_assert_msg(i == n, "byte %zu of %zu", i, n);
}

static size_t
count_names(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2; /* . and .. */
}

static const struct {
    const char *name;
    uint64_t bound;
    bool stored;
} stores[] = {
    {"no store", 0, false},
    {"no bound", 0, true},
    {"a bound that is never met", (uint64_t)1 << 40, true},
    {"a bound met on the way", 5 * MB, true},
    {"a bound met at once", 1, true},
};

START_TEST(a_block_keeps_its_bytes_while_it_grows_and_shrinks)
{
    static const size_t sizes[] = {1,      100,        MB - 64, MB - 63,
                                   MB,     3 * MB + 7, 4 * MB,  9 * MB + 1,
                                   2 * MB, 5000,       0,       20 * MB + 3};
    unsigned char *block = NULL;
    size_t before = 0;
    if (stores[_i].stored)
        store = rt_store_new(path, stores[_i].bound);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t n = sizes[i];
        block = rt_store_grow(store, block, n);
        ck_assert_msg(block != NULL, "%s, %zu bytes", stores[_i].name, n);
        ck_assert_uint_eq((uintptr_t)block % 16, 0);
        must_hold(block, n < before ? n : before);
        fill(block, before < n ? before : n, n);
        must_hold(block, n);
        before = n;
    }
    rt_store_drop(store, block);
    rt_store_drop(store, NULL);
    if (store)
        ck_assert_uint_eq(rt_store_held(store), 0);
    ck_assert_uint_eq(count_names(), 0);
}
END_TEST

START_TEST(anonymous_memory_stays_below_the_bound)
{
    enum { BLOCKS = 20 };
    void *blocks[BLOCKS];
    store = rt_store_new(path, 5 * MB);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = rt_store_grow(store, NULL, MB);
        ck_assert(blocks[i] != NULL);
        fill(blocks[i], 0, MB);
        ck_assert_uint_le(rt_store_held(store), 5 * MB);
    }
    ck_assert_uint_gt(rt_store_held(store), 4 * MB);
    for (size_t i = 0; i < BLOCKS; i++) {
        must_hold(blocks[i], MB);
        rt_store_drop(store, blocks[i]);
    }
    ck_assert_uint_eq(rt_store_held(store), 0);
}
END_TEST

START_TEST(memory_that_was_given_back_is_given_out_again)
{
    store = rt_store_new(path, 5 * MB);
    for (int i = 0; i < 3; i++) {
        void *block = rt_store_grow(store, NULL, 4 * MB);
        ck_assert(block != NULL);
        ck_assert_uint_ge(rt_store_held(store), 4 * MB);
        rt_store_drop(store, block);
    }
}
END_TEST

START_TEST(where_no_file_can_be_there_is_none_and_the_old_block_stays)
{
    snprintf(path, sizeof path, "%s/none/x.hkn", folder);
    store = rt_store_new(path, 3 * MB);
    ck_assert(rt_store_grow(store, NULL, 4 * MB) == NULL);
    unsigned char *block = rt_store_grow(store, NULL, 2 * MB);
    ck_assert(block != NULL);
    fill(block, 0, 2 * MB);
    ck_assert(rt_store_grow(store, block, 4 * MB) == NULL);
    must_hold(block, 2 * MB);
    ck_assert(rt_store_grow(store, block, SIZE_MAX) == NULL);
    rt_store_drop(store, block);
    ck_assert_uint_eq(rt_store_held(store), 0);
}
END_TEST

START_TEST(a_full_disk_is_seen_before_a_page_of_it_is_touched)
{
    struct rlimit before, limit;
    store = rt_store_new(path, 1);
    unsigned char *block = rt_store_grow(store, NULL, 2 * MB);
    fill(block, 0, 2 * MB);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 3 * MB;
    setrlimit(RLIMIT_FSIZE, &limit);
    void *grown = rt_store_grow(store, block, 4 * MB);
    void *fresh = rt_store_grow(store, NULL, 4 * MB);
    setrlimit(RLIMIT_FSIZE, &before);
    ck_assert(!grown && !fresh);
    must_hold(block, 2 * MB);
    rt_store_drop(store, block);
    ck_assert_uint_eq(count_names(), 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/store");
    TCase *t = tcase_create("blocks");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_block_keeps_its_bytes_while_it_grows_and_shrinks, 0,
                        (int)(sizeof stores / sizeof *stores));
    tcase_add_test(t, anonymous_memory_stays_below_the_bound);
    tcase_add_test(t, memory_that_was_given_back_is_given_out_again);
    tcase_add_test(t, where_no_file_can_be_there_is_none_and_the_old_block_stays);
    tcase_add_test(t, a_full_disk_is_seen_before_a_page_of_it_is_touched);
    suite_add_tcase(s, t);
    return run_suite(s);
}
