/* rt/build_parts.c: what jobs get back from their records is what analysis gave. */
#include "rt/build.h"
#include "rt/rt.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256], path[300], why[1500];
static rt_options options;
static rt_files files, reference_files;

/* One analysis of all files. */
typedef struct {
    rt_parts *parts;
    rt_store *store;
    rt_job jobs[CORPUS_SOUNDS + 3];
} analysis;
static analysis reference, again;

static void
analyse(analysis *a, const char *parts, uint64_t bound, uint32_t threads)
{
    if (parts)
        ck_assert_msg(
            !rt_parts_open(&a->parts, parts, &options, false, why, sizeof why), "%s",
            why);
    a->store = rt_store_new(path, bound);
    for (size_t i = 0; i < files.n; i++)
        a->jobs[i] = (rt_job){.file = &files.files[i]};
    rt_build_share(a->jobs, files.n, NULL, files.n, &options);
    const rt_disk disk = {a->parts, a->store};
    ck_assert_msg(
        rt_build_analyse(a->jobs, files.n, threads, &options, &disk, why, sizeof why),
        "%s", why);
}

static void
end(analysis *a)
{
    for (size_t i = 0; i < files.n; i++)
        rt_job_free(&a->jobs[i]);
    rt_parts_close(a->parts);
    rt_store_free(a->store);
    *a = (analysis){0};
}

static void
write_sound(const char *name, size_t n, double gain)
{
    char sound[400];
    float *x = calloc(n + 1, sizeof *x);
    make_sound(x, n, 48000, 99);
    for (size_t i = 0; i < n; i++)
        x[i] *= (float)gain;
    snprintf(sound, sizeof sound, "%s/%s", folder, name);
    write_wav(sound, x, n, 48000);
    free(x);
}

static void
setup(void)
{
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/x.hkn.parts", folder);
    rt_options_default(&options);
    options.build.timbre = 1;
    write_corpus(folder);
    write_sound("silent.wav", 48000, 0);
    write_sound("short.wav", 100, 1);
    write_sound("none.wav", 0, 1);
    ck_assert(rt_walk(&files, folder, why, sizeof why));
    rt_files_sort(&files);
    ck_assert_uint_eq(files.n, CORPUS_SOUNDS + 3);
}

static void
teardown(void)
{
    end(&again);
    rt_files_free(&files);
    remove_tree(folder);
}

/* The same files in another folder, once for all tests: it takes its time. */
static void
analyse_reference(void)
{
    setup();
    analyse(&reference, NULL, 0, 2);
    reference_files = files;
    files = (rt_files){0};
    remove_tree(folder);
}

static void
free_reference(void)
{
    files = reference_files;
    end(&reference);
    rt_files_free(&files);
}

static void
same_rows(const rt_rows *a, const rt_rows *b, uint32_t width, const char *what)
{
    ck_assert_msg(a->n == b->n, "%s: %u rows, not %u", what, b->n, a->n);
    ck_assert_msg(!a->n || (!memcmp(a->raw, b->raw, (size_t)a->n * width * 4) &&
                            !memcmp(a->places, b->places, a->n * sizeof *a->places)),
                  "%s", what);
}

/* The same bytes in each row of each job and segment. Returns the jobs taken. */
static size_t
compare(void)
{
    uint32_t widths[RT_MOMENTS];
    size_t taken = 0;
    rt_parts_widths(&options, widths);
    for (size_t i = 0; i < files.n; i++) {
        const rt_job *a = &reference.jobs[i], *b = &again.jobs[i];
        ck_assert_str_eq(a->trouble, b->trouble);
        taken += b->taken;
        if (*a->trouble)
            continue;
        ck_assert_uint_eq(a->n_segments, b->n_segments);
        ck_assert(a->seconds <= b->seconds && a->seconds >= b->seconds);
        ck_assert_uint_eq(a->rate_hz, b->rate_hz);
        ck_assert_uint_eq(a->n_channels, b->n_channels);
        for (uint32_t k = 0; k < RT_MOMENTS; k++)
            same_rows(&a->rows[k], &b->rows[k], widths[k], a->file->path);
        for (uint32_t s = 0; s < a->n_segments; s++)
            for (uint32_t c = 0; c < RT_COPIES; c++) {
                const rt_segment *x = &a->segments[s], *y = &b->segments[s];
                ck_assert_uint_eq(x->first, y->first);
                same_rows(&x->frames[c], &y->frames[c], widths[RT_FRAMES], "segment");
                same_rows(&x->events[c], &y->events[c], widths[RT_EVENTS], "segment");
            }
    }
    return taken;
}

START_TEST(records_give_what_analysis_gave)
{
    analyse(&again, path, 0, 2);
    ck_assert_uint_eq(compare(), 0);
    end(&again);
    analyse(&again, path, 0, 1);
    ck_assert_uint_eq(compare(), files.n);
    for (size_t i = 0; i < files.n; i++)
        ck_assert(again.jobs[i].decode_s <= 0);
}
END_TEST

START_TEST(from_a_file_cut_anywhere_too)
{
    struct stat st;
    uint64_t seed = 3;
    size_t taken = 0;
    analyse(&again, path, 0, 2);
    for (int i = 0; i < 5; i++) {
        end(&again);
        ck_assert(!stat(path, &st));
        const uint64_t cut = random_u64(&seed) % (uint64_t)st.st_size;
        ck_assert(!truncate(path, (off_t)cut));
        analyse(&again, path, 0, 2);
        taken += compare();
    }
    ck_assert_uint_gt(taken, 0);
    ck_assert_uint_lt(taken, 5 * files.n);
}
END_TEST

START_TEST(segments_that_have_no_record_are_added_to_a_sound_that_has)
{
    const float invariance = options.build.invariance;
    options.build.invariance = 0;
    analyse(&again, path, 0, 2);
    end(&again);
    options.build.invariance = invariance;
    analyse(&again, path, 0, 2);
    ck_assert_uint_eq(compare(), files.n);
    end(&again);
    analyse(&again, path, 0, 2);
    ck_assert_uint_eq(compare(), files.n);
    for (size_t i = 0; i < files.n; i++)
        ck_assert(again.jobs[i].copy_s <= 0);
}
END_TEST

START_TEST(another_name_is_another_file_of_the_same_content)
{
    char moved[400];
    analyse(&again, path, 0, 2);
    end(&again);
    for (size_t i = 0; i < files.n; i++) {
        snprintf(moved, sizeof moved, "%s/%zu moved.WAV", folder, i);
        ck_assert(!rename(files.files[i].path, moved));
        free(files.files[i].path);
        files.files[i].path = strdup(moved);
    }
    analyse(&again, path, 0, 2);
    for (size_t i = 0; i < files.n; i++) {
        ck_assert(again.jobs[i].taken);
        ck_assert_str_eq(again.jobs[i].trouble, reference.jobs[i].trouble);
    }
}
END_TEST

START_TEST(rows_that_memory_has_no_room_for_are_the_same)
{
    analyse(&again, _i ? path : NULL, 1, 2);
    compare();
}
END_TEST

START_TEST(a_file_that_cannot_be_read_has_no_record)
{
    free(files.files[0].path);
    files.files[0].path = strdup("/nowhere/x.wav");
    analyse(&again, path, 0, 1);
    ck_assert_str_eq(again.jobs[0].trouble, "No such file or directory");
    ck_assert_uint_eq(again.jobs[0].at, 0);
    ck_assert_uint_eq(again.jobs[0].key.n_bytes, 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/build_parts");
    TCase *t = tcase_create("jobs");
    tcase_set_timeout(t, 200);
    tcase_add_unchecked_fixture(t, analyse_reference, free_reference);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, records_give_what_analysis_gave);
    tcase_add_test(t, from_a_file_cut_anywhere_too);
    tcase_add_test(t, segments_that_have_no_record_are_added_to_a_sound_that_has);
    tcase_add_test(t, another_name_is_another_file_of_the_same_content);
    tcase_add_loop_test(t, rows_that_memory_has_no_room_for_are_the_same, 0, 2);
    tcase_add_test(t, a_file_that_cannot_be_read_has_no_record);
    suite_add_tcase(s, t);
    return run_suite(s);
}
