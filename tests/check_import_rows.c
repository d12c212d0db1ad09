/* rt/import_rows.c: rows become an index that says what they were. */
#include "rt/import.h"
#include "rt/load.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static rt_options o;
static rt_names names;
static rt_import im;
static char folder[200], path[260], why[1400];

static void
begin(void)
{
    rt_options_default(&o);
    names = (rt_names){0};
    im = (rt_import){.o = &o, .names = &names, .file = "f.npy"};
    *why = 0;
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/x.hkn", folder);
}

static void
end(void)
{
    rt_import_free(&im);
    rt_names_free(&names);
    remove_tree(folder);
}

/* Gives a plain row; an AudioSet one where video is not NULL. */
static bool
give(const float x[], uint32_t dim, uint64_t row, const char *video, float start_s,
     int class_id)
{
    const rt_vector v = {.x = x,
                         .dim = dim,
                         .row = row,
                         .sound = video,
                         .start_s = start_s,
                         .length_s = video ? 10 : 0,
                         .class_id = class_id};
    return rt_import_row(&im, &v, why, sizeof why);
}

static bool
give_plain(float a, float b, uint64_t row)
{
    return give((const float[]){a, b}, 2, row, NULL, 0, RT_NO_CLASS);
}

/* Finishes, writes and opens. */
static idx_index *
reopen(void)
{
    idx_index *index;
    ck_assert_msg(rt_import_complete(&im, why, sizeof why), "%s", why);
    ck_assert_msg(rt_import_finish(&im, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_write(path, &im.contents, NULL, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_open(&index, path, why, sizeof why), "%s", why);
    ck_assert(rt_holds_vectors(index));
    return index;
}

static void
name_rows(const char *text)
{
    FILE *file = tmpfile();
    ck_assert(fputs(text, file) >= 0);
    rewind(file);
    ck_assert_msg(rt_names_read(&names, file, "n.csv", why, sizeof why), "%s", why);
    fclose(file);
    snprintf(o.import.labels, sizeof o.import.labels, "n.csv");
}

START_TEST(each_row_is_a_sound_of_its_own_by_file_and_number)
{
    ck_assert(give_plain(3, 4, 0) && give_plain(0, 0, 1) && give_plain(-2, 0, 2));
    ck_assert_uint_eq(im.n_zero, 1);
    idx_index *index = reopen();
    const idx_scale *sc = idx_scale_of(index, 0);
    ck_assert_uint_eq(idx_n_sounds(index), 2);
    ck_assert(sc->n_entries == 2 && sc->dim == 2 && sc->n_in == 2 && !sc->matrix);
    ck_assert_str_eq(idx_sound_of(index, 0).path, "f.npy:0");
    ck_assert_str_eq(idx_sound_of(index, 1).path, "f.npy:2");
    float x[2];
    idx_row(index, 0, 0, x);
    ck_assert(x[0] == 0.6F && x[1] == 0.8F);
    idx_row(index, 0, 1, x);
    ck_assert(x[0] == -1.0F && x[1] == 0.0F);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert(sc->mean[i] == 0.0F && sc->spread[i] == 1.0F);
        ck_assert(sc->entries[i].sound == i && sc->entries[i].length_s == 0.0F);
    }
    ck_assert(strstr(idx_report(index), "vectors = 3\nwithout direction = 1\n"));
    idx_close(index);
}
END_TEST

START_TEST(a_table_says_what_the_rows_are)
{
    name_rows("sound,start,length,label\na,0,1,x\nb,2,0.5,\nz,0,0,z\na,4,1,x\n");
    ck_assert(give_plain(1, 0, 0) && give_plain(0, 1, 1) && give_plain(0, 0, 2));
    im.file = "g.npy"; /* lines go on over files */
    ck_assert_msg(give_plain(1, 1, 0), "%s", why);
    idx_index *index = reopen();
    const idx_scale *sc = idx_scale_of(index, 0);
    ck_assert_uint_eq(idx_n_sounds(index), 2); /* z has no row left */
    ck_assert_str_eq(idx_sound_of(index, 0).path, "a");
    ck_assert_str_eq(idx_sound_of(index, 0).label, "x");
    ck_assert_double_eq(idx_sound_of(index, 0).seconds, 5);
    ck_assert_str_eq(idx_sound_of(index, 1).path, "b");
    ck_assert_uint_eq(sc->entries[2].sound, 0);
    ck_assert_float_eq(sc->entries[2].start_s, 4);
    ck_assert_float_eq(sc->entries[1].length_s, 0.5F);
    idx_close(index);
}
END_TEST

START_TEST(many_named_sounds_are_told_apart)
{
    enum { MANY = 5000 }; /* the slots double three times */
    char *text = malloc(MANY * 20 + 100);
    int n = sprintf(text, "sound,label\n");
    for (int i = 0; i < 2 * MANY; i++)
        n += sprintf(text + n, "%d,%d\n", i % MANY, i % MANY % 7);
    name_rows(text);
    for (int i = 0; i < 2 * MANY; i++)
        ck_assert_msg(give_plain(1, (float)i, (uint64_t)i), "%s", why);
    ck_assert_uint_eq(im.n_sounds, MANY);
    for (uint32_t i = 0; i < 2 * MANY; i++)
        ck_assert_uint_eq(im.entries[i].sound, i % MANY);
    free(text);
}
END_TEST

START_TEST(a_table_has_as_many_lines_as_there_are_rows)
{
    name_rows("sound\na\nb\n");
    ck_assert(give_plain(1, 0, 0));
    ck_assert(!rt_import_complete(&im, why, sizeof why));
    ck_assert_str_eq(why, "n.csv: it has 2 lines, but there are 1 rows");
    ck_assert(give_plain(1, 0, 1) && !give_plain(1, 0, 2));
    ck_assert_str_eq(why, "n.csv: it has 2 lines, and there are more rows");
}
END_TEST

START_TEST(one_sound_has_one_label)
{
    name_rows("sound,label\na,x\na,y\n");
    ck_assert(give_plain(1, 0, 0) && !give_plain(1, 0, 1));
    ck_assert_str_eq(why,
                     "n.csv:3: the label is \"y\", and an earlier line of the same "
                     "sound has \"x\"");
}
END_TEST

START_TEST(segments_of_a_video_are_one_sound_at_scale_scene)
{
    name_rows("index,mid,display_name\n5,/m/5,\"Dog, barking\"\n");
    const float x[] = {1, 2, 3};
    ck_assert_msg(give(x, 3, 0, "v1", 30, 5), "%s", why);
    ck_assert(give(x, 3, 1, "v2", 0, 6) && give(x, 3, 2, "v1", 70, 7));
    ck_assert(give(x, 3, 3, "v3", 0, RT_NO_CLASS));
    idx_index *index = reopen();
    const idx_scale *sc = idx_scale_of(index, 2);
    ck_assert(idx_n_sounds(index) == 3 && sc->n_entries == 4);
    ck_assert_uint_eq(sc->entries[2].sound, 0);
    ck_assert_float_eq(sc->entries[2].start_s, 70);
    ck_assert_float_eq(sc->entries[2].length_s, 10);
    ck_assert_double_eq(idx_sound_of(index, 0).seconds, 80);
    ck_assert_str_eq(idx_sound_of(index, 0).label, "Dog, barking");
    ck_assert_str_eq(idx_sound_of(index, 1).label, "6");
    ck_assert_str_eq(idx_sound_of(index, 2).label, "");
    idx_close(index);
}
END_TEST

START_TEST(what_does_not_fit_together_is_refused)
{
    const float x[] = {1, 2, 3};
    ck_assert(give(x, 3, 0, NULL, 0, RT_NO_CLASS));
    ck_assert(!give(x, 2, 1, NULL, 0, RT_NO_CLASS));
    ck_assert_str_eq(why, "f.npy: its vectors have 2 values, and those before 3");
    ck_assert(!give(x, 3, 1, "v", 0, RT_NO_CLASS));
    ck_assert_str_eq(why,
                     "f.npy: AudioSet's vectors are no frames; take --import-scale "
                     "event, or scene");
    rt_import_free(&im);
    im = (rt_import){.o = &o, .names = &names, .file = "f.npy"};
    name_rows("sound\na\n");
    ck_assert(!give(x, 3, 1, "v", 0, RT_NO_CLASS));
    ck_assert_str_eq(why, "f.npy: its records say themselves what they are; "
                          "--import-labels can only name their classes "
                          "(index,mid,display_name)");
}
END_TEST

START_TEST(no_rows_are_refused)
{
    ck_assert(give_plain(0, 0, 0));
    ck_assert(!rt_import_complete(&im, why, sizeof why));
    ck_assert_str_eq(why, "there are no vectors that have a direction");
}
END_TEST

START_TEST(a_file_with_a_long_name_is_refused)
{
    static char name[IDX_MAX_PATH + 1];
    memset(name, 'n', IDX_MAX_PATH - 2);
    im.file = name;
    ck_assert_msg(give_plain(1, 0, 9), "%s", why);
    ck_assert(!give_plain(1, 0, 10));
    ck_assert(strstr(why, "its name is too long"));
}
END_TEST

START_TEST(the_same_rows_give_the_same_bytes_and_find_themselves)
{
    enum { ROWS = 500, DIM = 16 };
    char *bytes[2];
    long n[2];
    for (int turn = 0; turn < 2; turn++) {
        uint64_t seed = 4;
        rt_import_free(&im);
        im = (rt_import){.o = &o, .names = &names, .file = "f.npy"};
        for (uint64_t i = 0; i < ROWS; i++) {
            float x[DIM];
            for (int j = 0; j < DIM; j++)
                x[j] = (float)random_normal(&seed);
            ck_assert(give(x, DIM, i, NULL, 0, RT_NO_CLASS));
        }
        idx_index *index = reopen();
        idx_scratch *s;
        ck_assert(!idx_scratch_new(&s, index));
        for (uint32_t i = 0; i < ROWS; i++) {
            float x[DIM];
            idx_hit hit;
            uint32_t n_hits;
            idx_row(index, 0, i, x);
            ck_assert(!idx_query(index, 0, s, x, 1, &hit, &n_hits, NULL));
            ck_assert(n_hits == 1 && hit.entry == i);
        }
        idx_scratch_free(s);
        idx_close(index);
        FILE *f = fopen(path, "rb");
        ck_assert(f && !fseek(f, 0, SEEK_END) && (n[turn] = ftell(f)) > 0);
        rewind(f);
        bytes[turn] = malloc((size_t)n[turn]);
        ck_assert(fread(bytes[turn], 1, (size_t)n[turn], f) == (size_t)n[turn]);
        fclose(f);
    }
    ck_assert(n[0] == n[1] && !memcmp(bytes[0], bytes[1], (size_t)n[0]));
    free(bytes[0]);
    free(bytes[1]);
}
END_TEST

START_TEST(each_failing_allocation_ends_it_with_a_sentence)
{
    uint64_t k = 1, left = 0;
    for (; left == 0; k++) {
        rt_import_free(&im);
        im = (rt_import){.o = &o, .names = &names, .file = "f.npy"};
        const float x[] = {1, 2};
        *why = 0;
        heap_fail_at = k;
        const bool ok = give(x, 2, 0, _i ? "v" : NULL, 0, RT_NO_CLASS) &&
                        give(x, 2, 1, _i ? "w" : NULL, 0, RT_NO_CLASS) &&
                        rt_import_finish(&im, why, sizeof why);
        left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert(ok == (left > 0));
        ck_assert_msg(ok == !strstr(why, "memory"), "%s", why);
    }
    ck_assert_uint_gt(k, 9);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/import_rows");
    TCase *t = tcase_create("rows");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, each_row_is_a_sound_of_its_own_by_file_and_number);
    tcase_add_test(t, a_table_says_what_the_rows_are);
    tcase_add_test(t, many_named_sounds_are_told_apart);
    tcase_add_test(t, a_table_has_as_many_lines_as_there_are_rows);
    tcase_add_test(t, one_sound_has_one_label);
    tcase_add_test(t, segments_of_a_video_are_one_sound_at_scale_scene);
    tcase_add_test(t, what_does_not_fit_together_is_refused);
    tcase_add_test(t, no_rows_are_refused);
    tcase_add_test(t, a_file_with_a_long_name_is_refused);
    tcase_add_test(t, the_same_rows_give_the_same_bytes_and_find_themselves);
    tcase_add_loop_test(t, each_failing_allocation_ends_it_with_a_sentence, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
