/* rt/indexes.c: names, files and settings of several indexes. */
#include "rt/indexes.h"
#include "support.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rt_options o;
static rt_indexes in;
static char why[600];

static void
begin(void)
{
    rt_options_default(&o);
    *why = 0;
}

static bool
parse(const char *items[], uint32_t n)
{
    o.listen.index.n = n;
    for (uint32_t i = 0; i < n; i++)
        snprintf(o.listen.index.item[i], RT_ITEM, "%s", items[i]);
    return rt_indexes_parse(&in, &o, why, sizeof why);
}

static rt_options
of(uint32_t index)
{
    rt_options own = o;
    rt_options_of(&own, index);
    return own;
}

START_TEST(without_any_there_is_the_main_one)
{
    ck_assert(rt_indexes_parse(&in, &o, why, sizeof why));
    ck_assert_uint_eq(in.n, 1);
    ck_assert_str_eq(in.name[0], "main");
}
END_TEST

START_TEST(each_has_a_name_a_file_and_settings_of_its_own)
{
    ck_assert_msg(parse((const char *[]){"drums=a folder/drums.hkn",
                                         "voice-2=v=1.hkn,score=0.25,match.k=3,"
                                         "scales=frame+scene,space=labels"},
                        2),
                  "%s", why);
    ck_assert_uint_eq(in.n, 3);
    ck_assert_str_eq(in.name[1], "drums");
    ck_assert_str_eq(in.path[1], "a folder/drums.hkn");
    ck_assert_str_eq(in.name[2], "voice-2");
    ck_assert_str_eq(in.path[2], "v=1.hkn");
    const rt_options all = o, drums = of(1), voice = of(2);
    ck_assert_mem_eq(&drums.match, &all.match, sizeof all.match);
    ck_assert_float_eq(voice.match.score, 0.25F);
    ck_assert_uint_eq(voice.match.k, 3);
    ck_assert_uint_eq(voice.match.scales, 5);
    ck_assert_uint_eq(voice.search.space, 1);
    ck_assert_uint_eq(voice.match.confirm_ms, all.match.confirm_ms);
}
END_TEST

START_TEST(what_it_has_not_of_its_own_follows_all)
{
    ck_assert(parse((const char *[]){"a=x.hkn,score=0.25"}, 1));
    ck_assert(rt_options_set(&o, "match.score", "0.75", RT_LIVE, why, sizeof why));
    ck_assert(rt_options_set(&o, "match.k", "9", RT_LIVE, why, sizeof why));
    const rt_options a = of(1);
    ck_assert_float_eq(a.match.score, 0.25F);
    ck_assert_uint_eq(a.match.k, 9);
}
END_TEST

static const struct {
    const char *item, *why;
} bad[] = {
    {"x.hkn", "wants NAME=FILE"},
    {"=x.hkn", "wants NAME=FILE"},
    {"a b=x.hkn", "wants NAME=FILE"},
    {"a/b=x.hkn", "wants NAME=FILE"},
    {"abcdefghijklmnopqrstuvwxyz123456=x", "1 to 31 letters"},
    {"", "wants NAME=FILE"},
    {"a=", "file is missing after a="},
    {"a=,score=1", "file is missing after a="},
    {"main=x.hkn", "main is the name of the index on the command line"},
    {"query=x.hkn", "no index can be called query"},
    {"osc=x.hkn", "no index can be called osc"},
    {"drums=x.hkn", "another index has that name"},
    {"a=x.hkn,", "no setting \"\" of its own"},
    {"a=x.hkn,loud=1", "no setting \"loud\" of its own"},
    {"a=x.hkn,at=onsets", "no setting \"at\" of its own"},
    {"a=x.hkn,osc.mute=yes", "no setting \"osc.mute\" of its own"},
    {"a=x.hkn,score", "match.score cannot be \"\""},
    {"a=x.hkn,score=2", "match.score cannot be \"2\"; it wants a number from 0 to 1"},
    {"a=x.hkn,scales=frame+sense", "match.scales cannot be"},
    {"a=x.hkn,confirm-ms=900,within-ms=500", "lower match.confirm-ms"},
};

START_TEST(what_is_wrong_is_refused_with_the_item)
{
    char said[300];
    ck_assert(!parse((const char *[]){"drums=d.hkn", bad[_i].item}, 2));
    snprintf(said, sizeof said, "listen.index \"%s\": ", bad[_i].item);
    ck_assert_msg(!strncmp(why, said, strlen(said)) && strstr(why, bad[_i].why), "%s",
                  why);
}
END_TEST

START_TEST(no_more_than_seven_are_beside_the_main_one)
{
    const char *items[] = {"a=x", "b=x", "c=x", "d=x", "e=x", "f=x", "g=x", "h=x"};
    ck_assert(parse(items, RT_INDEXES - 1));
    ck_assert_uint_eq(in.n, RT_INDEXES);
    ck_assert(!parse(items, RT_INDEXES));
    ck_assert_msg(strstr(why, "7 beside") != NULL, "%s", why);
}
END_TEST

START_TEST(every_setting_that_may_be_its_own_fits_beside_all_others)
{
    size_t n, n_own = 0;
    const rt_field *f = rt_fields(&n);
    ck_assert(parse((const char *[]){"a=x"}, 1));
    for (size_t i = 0; i < n; i++) {
        if (rt_own_field(f[i].key) != &f[i])
            continue;
        n_own++;
        ck_assert_msg(rt_own_set(&o, 1, f[i].key, f[i].preset, why, sizeof why), "%s",
                      why);
    }
    ck_assert_uint_gt(n_own, 10);
    ck_assert_uint_le(n_own, RT_OWN);
    ck_assert_uint_eq(o.own[1].n, n_own);
}
END_TEST

START_TEST(a_change_is_noted_so_that_it_is_read_again)
{
    ck_assert(parse((const char *[]){"a=x", "b=y.hkn,score=0.5,scales=event"}, 2));
    ck_assert(rt_own_set(&o, 2, "score", "0.125", why, sizeof why));
    ck_assert(rt_own_set(&o, 2, "match.k", "4", why, sizeof why));
    ck_assert(rt_own_set(&o, 2, "scales", "frame,event", why, sizeof why));
    ck_assert_str_eq(o.listen.index.item[1],
                     "b=y.hkn,score=0.125,scales=frame+event,k=4");
    ck_assert_str_eq(o.listen.index.item[0], "a=x");
    const rt_options before = of(2);
    ck_assert_msg(rt_indexes_parse(&in, &o, why, sizeof why), "%s", why);
    const rt_options after = of(2);
    ck_assert_mem_eq(&after.match, &before.match, sizeof after.match);
}
END_TEST

START_TEST(a_change_that_cannot_be_changes_nothing)
{
    char item[RT_ITEM], longest[RT_ITEM];
    ck_assert(parse((const char *[]){"a=x,score=0.5"}, 1));
    const rt_options before = o;
    ck_assert(!rt_own_set(&o, 1, "release", "0.75", why, sizeof why));
    ck_assert_msg(strstr(why, "lower match.release first") != NULL, "%s", why);
    ck_assert(!rt_own_set(&o, 1, "k", "0", why, sizeof why));
    ck_assert(!rt_own_set(&o, 1, "seconds", "1", why, sizeof why));
    ck_assert_mem_eq(&o, &before, sizeof o);
    memset(longest, 'x', sizeof longest);
    longest[RT_ITEM - 8] = 0;
    snprintf(item, sizeof item, "a=%.250s", longest);
    ck_assert_msg(parse((const char *[]){item}, 1), "%s", why);
    ck_assert(!rt_own_set(&o, 1, "score", "0.5", why, sizeof why));
    ck_assert_msg(strstr(why, "255 bytes") != NULL, "%s", why);
    ck_assert_uint_eq(o.own[1].n, 0);
}
END_TEST

START_TEST(paths_become_absolute_where_the_files_are)
{
    char folder[256], file[PATH_MAX], item[RT_ITEM], want[RT_ITEM + 20];
    make_folder(folder, sizeof folder);
    snprintf(file, sizeof file, "%s/x.hkn", folder);
    fclose(fopen(file, "w"));
    snprintf(item, sizeof item, "a=%.100s/./x.hkn,score=0.5", folder);
    ck_assert(parse((const char *[]){item, "b=not/there.hkn,k=2"}, 2));
    rt_indexes_absolute(&o);
    snprintf(want, sizeof want, "a=%.100s/x.hkn,score=0.5", folder);
    ck_assert_str_eq(o.listen.index.item[0], want);
    ck_assert_str_eq(o.listen.index.item[1], "b=not/there.hkn,k=2");
    begin();
    rt_indexes_absolute(&o);
    ck_assert_str_eq(o.listen.index.item[0], "none");
    remove_tree(folder);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("indexes");
    TCase *tc = tcase_create("indexes");
    tcase_add_checked_fixture(tc, begin, NULL);
    tcase_add_test(tc, without_any_there_is_the_main_one);
    tcase_add_test(tc, each_has_a_name_a_file_and_settings_of_its_own);
    tcase_add_test(tc, what_it_has_not_of_its_own_follows_all);
    tcase_add_loop_test(tc, what_is_wrong_is_refused_with_the_item, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(tc, no_more_than_seven_are_beside_the_main_one);
    tcase_add_test(tc, every_setting_that_may_be_its_own_fits_beside_all_others);
    tcase_add_test(tc, a_change_is_noted_so_that_it_is_read_again);
    tcase_add_test(tc, a_change_that_cannot_be_changes_nothing);
    tcase_add_test(tc, paths_become_absolute_where_the_files_are);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
