/* rt/tfrecord.c: records whole, damaged and cut short; and the rows that they become.
 */
#include "support.h"
#include "vectors_support.h"

#include <math.h>

static kept k;
static bytes b;

static const record videos[] = {
    {.video = "first",
     .start_s = 30,
     .end_s = 40,
     .labels = {5},
     .n_labels = 1,
     .n_seconds = 10,
     .seed = 3},
    {.video = "second", .start_s = 0, .end_s = 2.5F, .n_seconds = 2, .seed = 90},
    {.video = "first",
     .start_s = 70,
     .end_s = 80,
     .labels = {5, 6},
     .n_labels = 2,
     .n_seconds = 9,
     .seed = 200,
     .packed = true,
     .reversed = true},
};
enum { N_VIDEOS = sizeof videos / sizeof *videos };

static void
make_file(void)
{
    b.n = 0;
    for (int i = 0; i < N_VIDEOS; i++)
        put_record(&b, &videos[i]);
}

static float
value(const record *r, size_t s, size_t i)
{
    return (float)(second_byte(r, s, i) * 4.0 / 255 + 4.0 / 512 - 2);
}

START_TEST(a_segment_becomes_the_mean_of_its_seconds)
{
    make_file();
    read_bytes_as(&k, _i ? "a.tfrecord" : "without an ending", b.b, b.n,
                  (rt_vector_how){0});
    ck_assert_msg(k.ok && k.n == N_VIDEOS && !k.fates.n_bad, "%s", k.why);
    for (size_t v = 0; v < N_VIDEOS; v++) {
        ck_assert_str_eq(k.sound[v], videos[v].video);
        ck_assert_uint_eq(k.v[v].row, v);
        ck_assert_uint_eq(k.v[v].dim, RT_AUDIOSET_DIM);
        ck_assert_float_eq(k.v[v].start_s, videos[v].start_s);
        ck_assert_float_eq(k.v[v].length_s, videos[v].end_s - videos[v].start_s);
        ck_assert_int_eq(k.v[v].class_id, videos[v].n_labels ? 5 : RT_NO_CLASS);
        for (size_t i = 0; i < RT_AUDIOSET_DIM; i++) {
            double sum = 0;
            for (size_t s = 0; s < videos[v].n_seconds; s++)
                sum += (double)value(&videos[v], s, i);
            ck_assert_double_lt(
                fabs(sum / (double)videos[v].n_seconds - (double)k.x[v][i]), 1e-6);
        }
    }
}
END_TEST

START_TEST(each_second_becomes_a_row_where_events_are_wanted)
{
    size_t at = 0;
    make_file();
    read_bytes_as(&k, "a.tfrecord", b.b, b.n, (rt_vector_how){.seconds = true});
    ck_assert_msg(k.ok && k.n == 21, "%s", k.why);
    for (size_t v = 0; v < N_VIDEOS; v++)
        for (size_t s = 0; s < videos[v].n_seconds; s++, at++) {
            ck_assert_str_eq(k.sound[at], videos[v].video);
            ck_assert_uint_eq(k.v[at].row, at);
            ck_assert_float_eq(k.v[at].start_s, videos[v].start_s + (float)s);
            ck_assert_float_eq(k.v[at].length_s, 1);
            for (size_t i = 0; i < RT_AUDIOSET_DIM; i++)
                ck_assert_float_eq_tol(k.x[at][i], value(&videos[v], s, i), 1e-6F);
        }
}
END_TEST

START_TEST(a_file_cut_at_every_byte_keeps_the_records_before) /* V2 */
{
    size_t ends[N_VIDEOS + 1] = {0};
    b.n = 0;
    for (int i = 0; i < N_VIDEOS; i++) {
        put_record(&b, &videos[i]);
        ends[i + 1] = b.n;
    }
    size_t whole = 0;
    for (size_t n = 0; n <= b.n; n++) {
        while (whole < N_VIDEOS && ends[whole + 1] <= n)
            whole++;
        read_bytes_as(&k, "a.tfrecord", b.b, n, (rt_vector_how){0});
        ck_assert_msg(k.ok && k.n == whole, "%zu bytes: %zu rows", n, k.n);
        ck_assert_uint_eq(k.fates.n_bad, n != ends[whole]);
        ck_assert_uint_eq(k.n_left_out, n != ends[whole]);
        if (k.n_left_out) {
            char want[200];
            snprintf(want, sizeof want,
                     "a.tfrecord: the record at byte %zu is cut short; it and what "
                     "follows are left out",
                     ends[whole]);
            ck_assert_str_eq(k.left_out[0], want);
        }
    }
}
END_TEST

START_TEST(a_file_with_any_bit_flipped_loses_what_follows_it)
{
    size_t ends[N_VIDEOS + 1] = {0};
    uint64_t seed = 8;
    b.n = 0;
    for (int i = 0; i < N_VIDEOS; i++) {
        put_record(&b, &videos[i]);
        ends[i + 1] = b.n;
    }
    size_t whole = 0;
    for (size_t n = 0; n < b.n; n++) {
        while (ends[whole + 1] <= n)
            whole++;
        b.b[n] ^= (unsigned char)(1U << random_u64(&seed) % 8);
        read_bytes_as(&k, "a.tfrecord", b.b, b.n, (rt_vector_how){0});
        make_file();
        ck_assert_msg(k.ok && k.n == whole && k.n_left_out == 1, "byte %zu", n);
        ck_assert(strstr(k.left_out[0], "its checksum differs"));
    }
}
END_TEST

START_TEST(a_record_of_something_else_is_left_out_and_the_rest_stays)
{
    static const record nameless = {.end_s = 1, .n_seconds = 1};
    b.n = 0;
    put_record(&b, &videos[0]);
    const size_t at = b.n;
    put_record(&b, &nameless);
    put_framed(&b, (const unsigned char *)"no message", 10);
    put_framed(&b, (const unsigned char *)"", 0);
    put_record(&b, &videos[1]);
    read_bytes_as(&k, "a.tfrecord", b.b, b.n, (rt_vector_how){0});
    ck_assert_msg(k.ok && k.n == 2 && k.fates.n_bad == 3, "%s", k.why);
    char want[200];
    snprintf(want, sizeof want,
             "a.tfrecord: record 1 at byte %zu is left out: it has no video_id", at);
    ck_assert_str_eq(k.left_out[0], want);
    ck_assert(strstr(k.left_out[1], "it is cut short or no SequenceExample"));
    ck_assert(strstr(k.left_out[2], "record 3 ") && strstr(k.left_out[2], "no video"));
    ck_assert_str_eq(k.sound[1], "second");
}
END_TEST

/* A frame of so many bytes, of which only the head is there, and some zeros. */
static void
promise(uint64_t length)
{
    make_file();
    const size_t at = b.n;
    put_number(&b, length, 8);
    put_number(&b, rt_crc32c_masked(&rt_crc32c_c, b.b + at, 8), 4);
    put_number(&b, 0, 8);
}

START_TEST(a_length_is_not_believed)
{
    static const struct {
        uint64_t length;
        const char *what;
    } cases[] = {{5, "is cut short"},
                 {8, "is cut short"},
                 {64 << 20, "is cut short"},
                 {(64 << 20) + 1, "is longer than 64 MiB"},
                 {UINT64_MAX, "is longer than 64 MiB"},
                 {UINT64_MAX - 3, "is longer than 64 MiB"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        promise(cases[i].length);
        const rt_vector_sink sink = {&k, keep_row, keep_left_out};
        const rt_vector_how how = {0};
        FILE *file = fmemopen(b.b, b.n, "rb");
        k.n = k.n_left_out = 0;
        k.fates = (rt_vector_fates){0};
        ck_assert(
            rt_vectors_read(file, "a", &how, &sink, &k.fates, k.why, sizeof k.why));
        fclose(file);
        ck_assert(k.n == N_VIDEOS && k.fates.n_bad == 1);
        ck_assert_msg(strstr(k.left_out[0], cases[i].what), "%s", k.left_out[0]);
    }
}
END_TEST

START_TEST(both_kernels_read_the_same)
{
    static kept other;
    make_file();
    read_bytes_as(&k, "a", b.b, b.n, (rt_vector_how){0});
    setenv("RT_CRC32C", "c", 1);
    read_bytes_as(&other, "a", b.b, b.n, (rt_vector_how){0});
    unsetenv("RT_CRC32C");
    ck_assert(other.ok && other.n == k.n && !other.fates.n_bad);
    for (size_t i = 0; i < k.n; i++)
        ck_assert(!memcmp(other.x[i], k.x[i], RT_AUDIOSET_DIM * sizeof(float)));
}
END_TEST

START_TEST(what_the_sink_refuses_ends_the_reading)
{
    make_file();
    for (int seconds = 0; seconds < 2; seconds++) {
        k.refuse_at = 2;
        read_bytes_as(&k, "a", b.b, b.n, (rt_vector_how){.seconds = seconds});
        k.refuse_at = 0;
        ck_assert_str_eq(k.why, "refused");
        ck_assert_uint_eq(k.n, 1);
    }
}
END_TEST

START_TEST(each_failing_allocation_ends_it_with_a_sentence)
{
    const rt_vector_sink sink = {&k, keep_row, keep_left_out};
    const rt_vector_how how = {0};
    make_file();
    FILE *file = tmpfile();
    ck_assert(fwrite(b.b, 1, b.n, file) == b.n);
    k.n = k.n_left_out = 0;
    k.fates = (rt_vector_fates){0};
    heap_fail_at = 1; /* of the record */
    bool ok = rt_vectors_read(file, "a", &how, &sink, &k.fates, k.why, sizeof k.why);
    ck_assert(!ok && strstr(k.why, "a: there is not enough memory for a record of "));
    fclose(file);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/tfrecord");
    TCase *t = tcase_create("records");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_segment_becomes_the_mean_of_its_seconds, 0, 2);
    tcase_add_test(t, each_second_becomes_a_row_where_events_are_wanted);
    tcase_add_test(t, a_file_cut_at_every_byte_keeps_the_records_before);
    tcase_add_test(t, a_file_with_any_bit_flipped_loses_what_follows_it);
    tcase_add_test(t, a_record_of_something_else_is_left_out_and_the_rest_stays);
    tcase_add_test(t, a_length_is_not_believed);
    tcase_add_test(t, both_kernels_read_the_same);
    tcase_add_test(t, what_the_sink_refuses_ends_the_reading);
    tcase_add_test(t, each_failing_allocation_ends_it_with_a_sentence);
    suite_add_tcase(s, t);
    return run_suite(s);
}
