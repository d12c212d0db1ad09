/* rt/vectors.c: what a file is, files that cannot be read, and unit length. */
#include "support.h"
#include "vectors_support.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#define N(table) (int)(sizeof(table) / sizeof *(table))

static kept k;

static const struct {
    const char *name;
    const char *data;
    size_t n;
    uint32_t raw_dim;
    const char *why;
} unknown[] = {
    {"a.txt", "no vectors", 10, 0,
     "neither .npy, .fvecs nor TFRecord; if it is raw rows of floats, say of how many "
     "with --import-raw N"},
    {"empty", "", 0, 0,
     "neither .npy, .fvecs nor TFRecord; if it is raw rows of floats, say of how many "
     "with --import-raw N"},
    {"a.npy", "no vectors", 10, 0,
     "neither .npy, .fvecs nor TFRecord; if it is raw rows of floats, say of how many "
     "with --import-raw N"},
    {"a.tfrecord", "\x1f\x8b\x08 and so on", 12, 0,
     "it is compressed; unpack it with gunzip first"},
    {"a.gz", "\x1f\x8b", 2, 0, "it is compressed; unpack it with gunzip first"},
    {"a.npz", "PK\3\4 and so on", 13, 0,
     "it is a zip, as .npz are; unpack it with unzip first"},
    {"a.npy", "\x93NUMPY\1\0", 8, 4,
     "it is no raw rows but .npy; leave out --import-raw"},
};

START_TEST(what_is_no_file_of_vectors_is_refused_with_advice)
{
    char want[300];
    read_bytes_as(&k, unknown[_i].name, unknown[_i].data, unknown[_i].n,
                  (rt_vector_how){.raw_dim = unknown[_i].raw_dim});
    snprintf(want, sizeof want, "%s: %s", unknown[_i].name, unknown[_i].why);
    ck_assert_str_eq(k.why, want);
    ck_assert_uint_eq(k.n, 0);
}
END_TEST

START_TEST(rows_of_memmap_are_offered_and_not_guessed)
{
    static float rows[3][128] = {{1}, {2}, {3}};
    read_bytes_as(&k, "a.npy", rows, sizeof rows, (rt_vector_how){0});
    ck_assert_str_eq(
        k.why, "a.npy: it has no .npy header; if it is raw rows of 128 floats, as "
               "numpy.memmap writes them, say so with --import-raw 128");
    read_bytes_as(&k, "a.npy", rows, sizeof rows, (rt_vector_how){.raw_dim = 128});
    ck_assert(k.ok && k.n == 3 && k.x[2][0] == 3.0F);
}
END_TEST

START_TEST(files_of_vectors_are_known_by_name)
{
    static const char *const yes[] = {"a.npy",      "a/b.NPY", "x.fvecs",
                                      "x.tfrecord", "x.npz",   ".npy"};
    static const char *const no[] = {"npy", "a.npy.wav", "a.wav", "", "a.npy/", "vecs"};
    for (int i = 0; i < N(yes); i++)
        ck_assert_msg(rt_vectors_named(yes[i]), "%s", yes[i]);
    for (int i = 0; i < N(no); i++)
        ck_assert_msg(!rt_vectors_named(no[i]), "%s", no[i]);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
    char folder[200], path[260], want[400];
    const rt_vector_sink sink = {&k, keep_row, keep_left_out};
    const rt_vector_how how = {0};
    make_folder(folder, sizeof folder);
    ck_assert(!rt_vectors_load(folder, &how, &sink, &k.fates, k.why, sizeof k.why));
    snprintf(want, sizeof want, "%s: not a regular file", folder);
    ck_assert_str_eq(k.why, want);
    snprintf(path, sizeof path, "%s/none.npy", folder);
    ck_assert(!rt_vectors_load(path, &how, &sink, &k.fates, k.why, sizeof k.why));
    snprintf(want, sizeof want, "%s: No such file or directory", path);
    ck_assert_str_eq(k.why, want);
    snprintf(path, sizeof path, "%s/pipe.npy", folder);
    ck_assert(!mkfifo(path, 0600)); /* is not waited for */
    ck_assert(!rt_vectors_load(path, &how, &sink, &k.fates, k.why, sizeof k.why));
    snprintf(want, sizeof want, "%s: not a regular file", path);
    ck_assert_str_eq(k.why, want);
    remove_tree(folder);
}
END_TEST

START_TEST(a_file_is_loaded)
{
    char folder[200], path[260];
    static bytes b;
    const rt_vector_sink sink = {&k, keep_row, keep_left_out};
    const rt_vector_how how = {0};
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/a.fvecs", folder);
    put_number(&b, 1, 4);
    put_float(&b, 7);
    FILE *f = fopen(path, "wb");
    ck_assert(f && fwrite(b.b, 1, b.n, f) == b.n && !fclose(f));
    k.n = 0;
    ck_assert(rt_vectors_load(path, &how, &sink, &k.fates, k.why, sizeof k.why));
    ck_assert(k.n == 1 && k.x[0][0] == 7.0F);
    remove_tree(folder);
}
END_TEST

/* ---- Unit length ----------------------------------------------------------------- */

static double
length_of(const float x[], uint32_t dim)
{
    double power = 0;
    for (uint32_t i = 0; i < dim; i++)
        power += (double)x[i] * (double)x[i];
    return sqrt(power);
}

START_TEST(a_row_comes_to_unit_length_and_then_stays_bit_for_bit)
{
    uint64_t seed = 3;
    for (uint32_t dim = 1; dim <= 200; dim++) {
        float x[200], again[200];
        const double size = pow(10, 37 * random_unit(&seed));
        for (uint32_t i = 0; i < dim; i++)
            x[i] = (float)(random_normal(&seed) * size);
        if (size < 1e-11)
            continue;
        ck_assert(rt_vector_unit(x, dim));
        ck_assert_msg(fabs(length_of(x, dim) - 1) < 1e-6, "dim %u", dim);
        memcpy(again, x, sizeof x);
        ck_assert(rt_vector_unit(again, dim));
        ck_assert(!memcmp(again, x, dim * sizeof *x));
    }
}
END_TEST

START_TEST(a_row_near_unit_length_stays_as_it_is)
{
    float x[] = {0.6F, 0.8F};
    for (float off = -2e-5F; off <= 2e-5F; off += 1e-6F) {
        float y[] = {x[0] * (1 + off), x[1] * (1 + off)}, was[2];
        memcpy(was, y, sizeof y);
        ck_assert(rt_vector_unit(y, 2));
        const double before = fabs(length_of(was, 2) - 1);
        ck_assert(before > 1e-5 || !memcmp(was, y, sizeof y));
        ck_assert_double_lt(fabs(length_of(y, 2) - 1), 1.001e-5);
    }
}
END_TEST

START_TEST(a_row_without_direction_is_said_to_have_none)
{
    float zeros[3] = {0}, small[3] = {0, 9e-13F, 0}, least[3] = {0, 1.1e-12F, 0};
    ck_assert(!rt_vector_unit(zeros, 3));
    ck_assert(!rt_vector_unit(small, 3));
    ck_assert(rt_vector_unit(least, 3) && least[1] == 1.0F);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/vectors");
    TCase *t = tcase_create("files");
    tcase_add_loop_test(t, what_is_no_file_of_vectors_is_refused_with_advice, 0,
                        N(unknown));
    tcase_add_test(t, rows_of_memmap_are_offered_and_not_guessed);
    tcase_add_test(t, files_of_vectors_are_known_by_name);
    tcase_add_test(t, what_cannot_be_read_is_named);
    tcase_add_test(t, a_file_is_loaded);
    suite_add_tcase(s, t);
    t = tcase_create("unit length");
    tcase_add_test(t, a_row_comes_to_unit_length_and_then_stays_bit_for_bit);
    tcase_add_test(t, a_row_near_unit_length_stays_as_it_is);
    tcase_add_test(t, a_row_without_direction_is_said_to_have_none);
    suite_add_tcase(s, t);
    return run_suite(s);
}
