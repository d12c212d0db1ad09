/* rt/wav.c, and rt_sound_chunk(): what libsndfile makes of such files. */
#include "rt/sound.h"
#include "rt/wav.h"
#include "support.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 20001 };
static char folder[256], path[300];
static float x[N], y[N + 1];

static void
setup(void)
{
    uint64_t seed = 4;
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/x.wav", folder);
    for (size_t i = 0; i < N; i++)
        x[i] = (float)random_unit(&seed);
    x[3] = NAN;
    x[4] = -0.0F;
    x[5] = 1e-42F;
    x[6] = -INFINITY;
    x[7] = 3e7F;
}

static void
teardown(void)
{
    remove_tree(folder);
}

static void
write_file(const char *text, size_t n_text, size_t n)
{
    FILE *to = fopen(path, "wb");
    ck_assert(rt_wav_head(to, 44100, n, "hrkn", text, n_text));
    ck_assert(rt_wav_samples(to, x, n / 2) && rt_wav_samples(to, x + n / 2, n - n / 2));
    ck_assert(!fclose(to));
}

static const size_t sizes[] = {0, 1, 2, 999, 70001, 3000000};

START_TEST(samples_and_text_come_back_bit_for_bit)
{
    char why[200], *text = malloc(sizes[_i] + 1), *back;
    size_t n_back;
    rt_sound *sound;
    rt_sound_info info;
    for (size_t i = 0; i < sizes[_i]; i++)
        text[i] = (char)('a' + i % 23);
    write_file(text, sizes[_i], N);
    ck_assert_msg(rt_sound_open(&sound, path, &info, why, sizeof why), "%s", why);
    ck_assert_uint_eq(info.file_rate_hz, 44100);
    ck_assert_uint_eq(info.n_channels, 1);
    ck_assert_uint_eq(info.n_frames, N);
    if (sizes[_i]) {
        ck_assert(rt_sound_chunk(sound, "hrkn", &back, &n_back));
        ck_assert_uint_eq(n_back, sizes[_i]);
        ck_assert(!memcmp(back, text, sizes[_i]));
        free(back);
    }
    ck_assert(!rt_sound_chunk(sound, "none", &back, &n_back) && !back);
    size_t n = 0, got;
    while ((got = rt_sound_read(sound, y + n, N + 1 - n, why, sizeof why)) > 0)
        n += got;
    ck_assert_uint_eq(n, N);
    ck_assert(!memcmp(x, y, sizeof x));
    rt_sound_close(sound);
    free(text);
}
END_TEST

START_TEST(other_programs_see_a_plain_wav)
{
    SF_INFO sf = {0};
    write_file("text", 4, 100);
    SNDFILE *f = sf_open(path, SFM_READ, &sf);
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(sf.format, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    ck_assert_int_eq(sf.frames, 100);
    sf_close(f);
}
END_TEST

START_TEST(a_full_disk_is_seen)
{
    FILE *to = fopen("/dev/full", "wb");
    setvbuf(to, NULL, _IONBF, 0);
    ck_assert(!rt_wav_head(to, 48000, 1, "hrkn", "text", 4));
    ck_assert(!rt_wav_samples(to, x, 1));
    fclose(to);
}
END_TEST

START_TEST(no_size_overflows_its_field)
{
    const uint64_t most = rt_wav_most(1000);
    ck_assert_uint_gt(most, UINT64_C(1000000000));
    ck_assert_uint_le(4 * most + 1000 + 66 + 1, UINT32_MAX);
    ck_assert_uint_eq(rt_wav_most(UINT32_MAX), 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("wav");
    TCase *t = tcase_create("wav");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, samples_and_text_come_back_bit_for_bit, 0,
                        sizeof sizes / sizeof *sizes);
    tcase_add_test(t, other_programs_see_a_plain_wav);
    tcase_add_test(t, a_full_disk_is_seen);
    tcase_add_test(t, no_size_overflows_its_field);
    suite_add_tcase(s, t);
    return run_suite(s);
}
