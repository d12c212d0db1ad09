/* rt/roll.c: who takes which file, and what has changed since. */
#include "parts_support.h"
#include "rt/roll.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 300 };

static char names[FILES][32];
static rt_file list[FILES];
static rt_files files;

static void
make_files(size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "/c/%04zu.wav", i);
        list[i] = (rt_file){names[i], random_u64(&seed) % 1000000};
    }
    files = (rt_files){.files = list, .n = n};
}

/* ---- Shards -----------------------------------------------------------------------
 */

static const struct {
    const char *text;
    uint32_t shard, n_shards; /* 0 where it is refused */
} texts[] = {
    {"1/1", 1, 1},   {"2/8", 2, 8},
    {"8/8", 8, 8},   {"1000/1000", 1000, 1000},
    {"01/02", 1, 2}, {"0/3", 0, 0},
    {"4/3", 0, 0},   {"1/1001", 0, 0},
    {"1/0", 0, 0},   {"", 0, 0},
    {"1", 0, 0},     {"1/", 0, 0},
    {"/3", 0, 0},    {"1/3/", 0, 0},
    {"1/3 ", 0, 0},  {" 1/3", 0, 0},
    {"-1/3", 0, 0},  {"1/-3", 0, 0},
    {"+1/3", 0, 0},  {"1.0/3", 0, 0},
    {"a/b", 0, 0},   {"1/99999999999999999999", 0, 0},
};

START_TEST(a_shard_is_two_numbers)
{
    uint32_t shard = 0, n_shards = 0;
    char why[200] = "";
    const bool ok = rt_shard_parse(texts[_i].text, &shard, &n_shards, why, sizeof why);
    ck_assert_msg(ok == (texts[_i].n_shards > 0), "\"%s\"", texts[_i].text);
    ck_assert_uint_eq(shard, texts[_i].shard);
    ck_assert_uint_eq(n_shards, texts[_i].n_shards);
    ck_assert(ok == !*why);
}
END_TEST

START_TEST(each_file_is_of_one_shard_and_shards_are_of_like_size)
{
    static const uint32_t counts[] = {1, 2, 3, 7, 64, 299, 300, 301, RT_MAX_SHARDS};
    make_files(FILES, 5);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        int taken[FILES] = {0};
        uint64_t least = UINT64_MAX, most = 0;
        for (uint32_t s = 1; s <= counts[c]; s++) {
            size_t index[FILES];
            uint64_t bytes = 0;
            const size_t n = rt_shard_files(&files, s, counts[c], index);
            for (size_t i = 0; i < n; i++) {
                ck_assert(!i || index[i] > index[i - 1]);
                taken[index[i]]++;
                bytes += list[index[i]].n_bytes;
            }
            least = bytes < least ? bytes : least;
            most = bytes > most ? bytes : most;
        }
        for (size_t i = 0; i < FILES; i++)
            ck_assert_int_eq(taken[i], 1);
        ck_assert_uint_le(most - least, 1000000 + FILES); /* the largest file */
    }
}
END_TEST

START_TEST(a_sum_depends_on_each_path_and_size)
{
    make_files(10, 5);
    const uint64_t sum = rt_list_sum(&files);
    make_files(10, 5);
    ck_assert_uint_eq(rt_list_sum(&files), sum);
    list[7].n_bytes++;
    ck_assert_uint_ne(rt_list_sum(&files), sum);
    list[7].n_bytes--;
    names[3][5] = 'x';
    ck_assert_uint_ne(rt_list_sum(&files), sum);
    make_files(9, 5);
    ck_assert_uint_ne(rt_list_sum(&files), sum);
}
END_TEST

/* ---- What has changed -------------------------------------------------------------
 */

/* A build's files: path, number of the content; NULL ends. */
typedef struct {
    const char *path;
    uint64_t content;
} sound;

static const struct {
    const char *name;
    sound old[5], now[5];
    rt_changes want;
} histories[] = {
    {"the first build", {{0}}, {{"a", 1}, {"b", 2}}, {.new = 2}},
    {"nothing new", {{"a", 1}, {"b", 2}}, {{"a", 1}, {"b", 2}}, {.kept = 2}},
    {"one more", {{"a", 1}}, {{"a", 1}, {"b", 2}}, {.kept = 1, .new = 1}},
    {"one less", {{"a", 1}, {"b", 2}}, {{"b", 2}}, {.kept = 1, .gone = 1}},
    {"one changed",
     {{"a", 1}, {"b", 2}},
     {{"a", 1}, {"b", 3}},
     {.kept = 1, .changed = 1}},
    {"one renamed",
     {{"a", 1}, {"b", 2}},
     {{"b", 2}, {"c", 1}},
     {.kept = 1, .moved = 1}},
    {"one copied", {{"a", 1}}, {{"a", 1}, {"c", 1}}, {.kept = 1, .moved = 1}},
    {"two that changed places",
     {{"a", 1}, {"b", 2}},
     {{"a", 2}, {"b", 1}},
     {.changed = 2}},
    {"one of two alike gone", {{"a", 1}, {"b", 1}}, {{"b", 1}}, {.kept = 1}},
    {"all else",
     {{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}},
     {{"a", 1}, {"b", 9}, {"e", 3}, {"f", 8}},
     {.kept = 1, .changed = 1, .moved = 1, .new = 1, .gone = 1}},
};

static size_t
make_jobs(rt_job jobs[], rt_file of[], const sound sounds[])
{
    size_t n = 0;
    for (; n < 5 && sounds[n].path; n++) {
        of[n] = (rt_file){.path = (char *)sounds[n].path};
        jobs[n] = (rt_job){.file = &of[n], .key = key_number(sounds[n].content)};
    }
    return n;
}

static char folder[256], path[300], why[500];
static rt_options options;
static rt_parts *p;

static void
setup(void)
{
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/x.hkn.parts", folder);
    rt_options_default(&options);
}

static void
teardown(void)
{
    rt_parts_close(p);
    p = NULL;
    remove_tree(folder);
}

static void
reopen(void)
{
    rt_parts_close(p);
    ck_assert_msg(!rt_parts_open(&p, path, &options, false, why, sizeof why), "%s",
                  why);
}

START_TEST(changes_are_counted_since_the_last_roll)
{
    rt_job old[5], now[5];
    rt_file of_old[5], of_now[5];
    rt_changes c;
    rt_roll roll;
    const size_t n_old = make_jobs(old, of_old, histories[_i].old);
    const size_t n_now = make_jobs(now, of_now, histories[_i].now);
    const rt_roll_head head = {.shard = 1, .n_shards = 1, .n_all = n_old};
    reopen();
    if (n_old) {
        snprintf(old[0].trouble, sizeof old[0].trouble, "silent");
        ck_assert(rt_roll_write(p, old, n_old, NULL, head));
    }
    reopen();
    ck_assert(rt_parts_roll(p, &roll) == (n_old > 0));
    if (n_old) {
        ck_assert_str_eq(roll.text + roll.files[0].trouble_at, "silent");
        ck_assert_str_eq(roll.text + roll.files[0].path_at, "a");
        ck_assert_uint_eq(roll.head.n, n_old);
    }
    ck_assert(rt_roll_compare(&c, n_old ? &roll : NULL, now, n_now));
    const rt_changes *w = &histories[_i].want;
    ck_assert_msg(c.kept == w->kept && c.moved == w->moved &&
                      c.new == w->new &&c.changed == w->changed &&c.gone == w->gone,
                  "%s: kept %zu, moved %zu, new %zu, changed %zu, gone %zu",
                  histories[_i].name, c.kept, c.moved, c.new, c.changed, c.gone);
}
END_TEST

/* ---- Garbage ----------------------------------------------------------------------
 */

/* Appends sounds 1 to 4 and rolls the first n_used; returns the bytes before and after
 * the tidying. */
static void
tidy(size_t n_used, uint64_t *before, uint64_t *after)
{
    rt_job jobs[4] = {{0}};
    rt_file of[4];
    reopen();
    for (size_t i = 0; i < 4; i++) {
        snprintf(names[i], sizeof names[i], "/%zu.wav", i);
        of[i] = (rt_file){.path = names[i]};
        jobs[i].file = &of[i];
        jobs[i].key = key_number(i + 1);
        jobs[i].at = add_part(p, &options, RT_PART_SOUND, i + 1, 2);
    }
    rt_segment segment = {.at = add_part(p, &options, RT_PART_SEGMENT, 1, 0)};
    jobs[0].segments = &segment;
    jobs[0].n_segments = 1;
    const rt_roll_head head = {.shard = 1, .n_shards = 1, .n_all = n_used};
    const uint64_t at = rt_roll_write(p, jobs, n_used, NULL, head);
    *before = rt_parts_bytes(p);
    ck_assert(at && rt_roll_tidy(p, jobs, n_used, at));
    reopen();
    *after = rt_parts_bytes(p);
}

START_TEST(a_file_is_rewritten_where_more_than_half_is_of_no_use)
{
    uint64_t before, after;
    rt_roll roll;
    tidy((size_t)_i, &before, &after);
    ck_assert_msg((after < before) == (_i < 2), "%d of 4: %llu, then %llu", _i,
                  (unsigned long long)before, (unsigned long long)after);
    for (uint32_t i = 1; i <= 4; i++) {
        const rt_key key = key_number(i);
        const bool there = rt_parts_find(p, RT_PART_SOUND, &key, 0) > 0;
        ck_assert(there == (_i >= 2 || i <= (uint32_t)_i));
    }
    const rt_key one = key_number(1);
    ck_assert(rt_parts_find(p, RT_PART_SEGMENT, &one, 100));
    ck_assert(rt_parts_roll(p, &roll) && roll.head.n == (uint64_t)_i);
    ck_assert_uint_eq(rt_parts_cut(p), 0);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/roll");
    TCase *t = tcase_create("shards");
    tcase_add_loop_test(t, a_shard_is_two_numbers, 0, N(texts));
    tcase_add_test(t, each_file_is_of_one_shard_and_shards_are_of_like_size);
    tcase_add_test(t, a_sum_depends_on_each_path_and_size);
    suite_add_tcase(s, t);
    t = tcase_create("rolls");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, changes_are_counted_since_the_last_roll, 0, N(histories));
    tcase_add_loop_test(t, a_file_is_rewritten_where_more_than_half_is_of_no_use, 1, 5);
    suite_add_tcase(s, t);
    return run_suite(s);
}
