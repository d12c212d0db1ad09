/*
 * rt/record*.c and rt/replay.c together: whatever is recorded, and whenever, its wav is
 * answered with the lines that were written beside it, which are those that listen
 * gave.
 */
#include "record_support.h"
#include "rt/rt.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { SECONDS = 32, MOST_RATE = 48000, KEPT = 3 };

static char folder[256], dumps[300];
static rt_options built;
static idx_index *ix;
static float *input; /* [SECONDS * rate] */

static void
setup(void)
{
    char why[300] = "", path[300];
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    rt_options_default(&built);
    built.build.invariance = 0; /* learning by copies takes its time */
    built.build.timbre = 1;
    write_corpus(folder);
    snprintf(path, sizeof path, "%s/x.hkn", folder);
    build_corpus(folder, &built, 2, path);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
    snprintf(dumps, sizeof dumps, "%s/dumps", folder);
    ck_assert(!mkdir(dumps, 0777));
    input = malloc((size_t)SECONDS * MOST_RATE * sizeof *input);
}

static void
teardown(void)
{
    idx_close(ix);
    free(input);
    remove_tree(folder);
}

/* Sounds of the corpus and others, loud and quiet, long and short, with pauses of every
 * length, over faint noise; a few samples that are none. */
static void
make_input(uint32_t rate, float noise, uint64_t *seed)
{
    const size_t n = (size_t)SECONDS * rate;
    float *sound = malloc(4 * (size_t)rate * sizeof *sound);
    for (size_t i = 0; i < n; i++)
        input[i] = noise * (float)random_unit(seed);
    for (size_t at = rate / 3; at < n;) {
        size_t length = 64 + random_u64(seed) % (4 * (size_t)rate - 64);
        length = at + length > n ? n - at : length;
        make_sound(sound, length, rate, 1 + random_u64(seed) % 14);
        const float gain = (float)pow(10, -1.5 + 1.5 * random_unit(seed));
        for (size_t i = 0; i < length; i++)
            input[at + i] += gain * sound[i];
        at += length + random_u64(seed) % rate;
    }
    for (int i = 0; i < 20; i++)
        input[random_u64(seed) % n] = i % 2 ? NAN : -0.0F;
    free(sound);
}

/* Replayed it gives the lines beside it, which are the last ones that listen gave. */
static void
check_dump(listener *l, const dump *d, uint64_t n_fed)
{
    fflush(l->out.to);
    ck_assert_uint_le(d->n_lines, l->n_lines);
    ck_assert_msg(!memcmp(l->lines + l->n_lines - d->n_lines, d->lines, d->n_lines),
                  "other lines than those of listen");
    ck_assert_msg(d->n_again == d->n_lines && !memcmp(d->again, d->lines, d->n_lines),
                  "frame %llu: %s: replayed\n%.600s\nrecorded\n%.600s",
                  (unsigned long long)l->frame, d->wav, d->again, d->lines);
    const uint64_t kept = d->n_samples - d->n_warm, wanted = KEPT * l->rate_hz;
    ck_assert_uint_ge(kept, n_fed < wanted ? n_fed : wanted);
}

static const struct {
    const char *name;
    uint32_t rate_hz, scales, k, confirm, min_gap_ms, refine, codes, nomatch;
    float score, gate_db;
    uint32_t gaps, sheds; /* one in so many blocks; 0: none */
    float fan;            /* level of the noise behind all, 0: faint */
} cases[] = {
    {"as built in", 48000, 6, 1, 1, 0, 0, 0, 0, 0.5F, -60, 0, 0, 0},
    {"everything at once", 48000, 15, 5, 1, 0, 2, 0, 1, 0.2F, -50, 0, 0, 0},
    {"confirmed, kept apart", 48000, 15, 3, 4, 900, 0, 0, 1, 0.3F, -40, 0, 0, 0},
    {"seldom", 48000, 7, 2, 1, 60000, 2, 0, 0, 0, -60, 0, 0, 0},
    {"gaps", 44100, 15, 2, 2, 300, 0, 1, 1, 0.3F, -50, 300, 0, 0},
    {"many gaps", 48000, 15, 2, 3, 2000, 0, 0, 0, 0.1F, -50, 30, 40, 0},
    {"hops of uneven length", 22051, 15, 3, 2, 700, 2, 1, 1, 0.2F, -60, 1000, 700, 0},
    {"only scenes", 44100, 4, 1, 2, 1500, 0, 0, 1, 0.4F, -60, 500, 0, 0},
    {"in a hurry", 48000, 15, 3, 3, 800, 2, 0, 1, 0.2F, -50, 0, 300, 0},
    {"always late", 32000, 15, 1, 1, 0, 0, 1, 0, 0.2F, -60, 0, 1, 0},
    {"beside a fan", 48000, 15, 2, 2, 300, 0, 0, 1, 0.2F, -60, 3000, 500, 0.02F},
};

enum {
#ifdef __SANITIZE_THREAD__ /* minutes, and one thread has nothing to show it */
    N_CASES = 1,
#else
    N_CASES = sizeof cases / sizeof *cases,
#endif
};

START_TEST(a_recording_is_answered_as_listen_answered)
{
    uint64_t seed = 1000 + (uint64_t)_i, n_dumps = 0, n_bytes = 0;
    listener *l = calloc(1, sizeof *l);
    l->options = built;
    l->options.record.seconds = KEPT;
    l->options.match.scales = cases[_i].scales;
    l->options.match.k = cases[_i].k;
    l->options.match.confirm_ms = 100 * cases[_i].confirm - 100;
    l->options.match.within_ms = 200 * cases[_i].confirm - 200;
    l->options.match.release = l->options.match.better_by = 0.1F * (float)(_i % 2);
    l->options.match.min_gap_ms = cases[_i].min_gap_ms;
    l->options.match.refine = cases[_i].refine;
    l->options.match.score = cases[_i].score;
    l->options.match.gate_db = cases[_i].gate_db;
    l->options.search.codes = cases[_i].codes;
    l->options.osc.nomatch = cases[_i].nomatch;
    const uint32_t rate = cases[_i].rate_hz;
    const size_t n = (size_t)SECONDS * rate;
    make_input(rate, cases[_i].fan > 0 ? cases[_i].fan : 2e-4F, &seed);
    begin(l, ix, dumps, rate);
    size_t next = random_u64(&seed) % (4 * rate);
    uint64_t n_fed = 0;
    for (size_t at = 0; at < n;) {
        size_t take = 1 + random_u64(&seed) % 256;
        take = at + take > n ? n - at : take;
        const bool gap = cases[_i].gaps && random_u64(&seed) % cases[_i].gaps == 0;
        const size_t missing = gap ? 1 + random_u64(&seed) % (rate / 3) : 0;
        if (at + missing + take > n)
            break;
        at += missing;
        if (cases[_i].sheds && random_u64(&seed) % cases[_i].sheds == 0)
            shed(l, (uint32_t)(random_u64(&seed) % (RT_SHED_FRAMES + 1)));
        feed(l, input + at, (uint32_t)take, missing);
        at += take;
        n_fed += take;
        if (at < next)
            continue;
        dump d;
        take_dump(l, &d);
        check_dump(l, &d, n_fed);
        n_bytes += d.n_lines;
        n_dumps++;
        free_dump(&d);
        next = at + random_u64(&seed) % (6 * rate);
    }
    ck_assert_uint_gt(n_dumps, 5);
    ck_assert_msg(n_bytes > 3000, "%s: %llu bytes of lines prove little",
                  cases[_i].name, (unsigned long long)n_bytes);
    ck_assert_uint_eq(rt_counted(&l->counts, RT_N_recordings), n_dumps);
    ck_assert_uint_eq(rt_counted(&l->counts, RT_N_failed_recordings), 0);
    ck_assert(!rt_counted(&l->counts, RT_N_shed_scenes) == !cases[_i].sheds);
    end(l);
    free(l);
}
END_TEST

/* ---- Files ----------------------------------------------------------------------- */

static listener *
short_listener(void)
{
    uint64_t seed = 77;
    listener *l = calloc(1, sizeof *l);
    l->options = built;
    l->options.record.seconds = KEPT;
    l->options.match.score = 0;
    make_input(48000, 2e-4F, &seed);
    begin(l, ix, dumps, 48000);
    for (size_t at = 0; at < 8 * 48000; at += 256)
        feed(l, input + at, 256, 0);
    return l;
}

static size_t
count_files(const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return n;
}

START_TEST(nothing_is_overwritten_and_names_hold_no_odd_character)
{
    listener *l = short_listener();
    dump d[3];
    const size_t before = count_files(dumps);
    for (int i = 0; i < 3; i++)
        take_dump(l, &d[i]);
    ck_assert_uint_eq(count_files(dumps), before + 6);
    for (int i = 0; i < 3; i++) {
        const char *name = strrchr(d[i].wav, '/') + 1;
        ck_assert_msg(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") ==
                          strlen(name),
                      "%s", name);
        ck_assert_ptr_nonnull(strstr(name, "_hearken_in-1--x-"));
        ck_assert(!i || strcmp(d[i].wav, d[i - 1].wav) != 0);
        ck_assert(d[i].n_lines == d[0].n_lines &&
                  !memcmp(d[i].lines, d[0].lines, d[0].n_lines));
    }
    for (int i = 0; i < 3; i++)
        free_dump(&d[i]);
    end(l);
    free(l);
}
END_TEST

START_TEST(a_full_disk_leaves_nothing_and_is_told)
{
    listener *l = short_listener();
    const size_t before = count_files(dumps);
    const struct rlimit full = {100000, RLIM_INFINITY};
    struct rlimit was;
    char text[2000];
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    setrlimit(RLIMIT_FSIZE, &full);
    const bool written = rt_record_write(l->record, text, sizeof text);
    setrlimit(RLIMIT_FSIZE, &was);
    ck_assert(!written);
    ck_assert_msg(strstr(text, "cannot be written to") != NULL, "%s", text);
    ck_assert_uint_eq(count_files(dumps), before);
    ck_assert_uint_eq(rt_counted(&l->counts, RT_N_failed_recordings), 1);
    dump d;
    take_dump(l, &d); /* later there is room again */
    check_dump(l, &d, 8 * 48000);
    free_dump(&d);
    end(l);
    free(l);
}
END_TEST

START_TEST(a_folder_that_is_gone_is_told)
{
    listener *l = short_listener();
    char text[2000], why[400];
    ck_assert(rt_record_check(&l->options, why, sizeof why));
    snprintf(l->options.record.folder, sizeof l->options.record.folder, "%s/nowhere",
             folder);
    ck_assert(!rt_record_write(l->record, text, sizeof text));
    ck_assert_msg(strstr(text, "No such file") != NULL, "%s", text);
    ck_assert(!rt_record_check(&l->options, why, sizeof why));
    ck_assert_msg(strstr(why, "--record-folder") != NULL, "%s", why);
    end(l);
    free(l);
}
END_TEST

START_TEST(each_failing_allocation_is_told)
{
    listener *l = short_listener();
    const rt_record_config c = {.options = &l->options,
                                .index = ix,
                                .analyse = l->analyse,
                                .counts = &l->counts,
                                .rate_hz = 48000,
                                .input = "in"};
    for (uint64_t k = 1; k <= 13; k++) { /* six tapes of two each, and the recorder */
        rt_record *r;
        char why[400] = "";
        heap_fail_at = k;
        const bool made = rt_record_new(&r, &c, why, sizeof why);
        const uint64_t left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert_msg(!made && !r && !left && *why, "allocation %d", (int)k);
    }
    end(l);
    free(l);
}
END_TEST

START_TEST(a_recording_is_written_while_recording_goes_on)
{
    listener *l = short_listener();
    char text[2000] = "";
    ck_assert(!rt_record_dump(NULL));
    ck_assert(rt_record_news(l->record, text, sizeof text));
    ck_assert_msg(strstr(text, "are kept in 7 MB of memory") != NULL, "%s", text);
    ck_assert(rt_record_dump(l->record));
    for (size_t i = 0; !rt_record_news(l->record, text, sizeof text); i++) {
        ck_assert_uint_lt(i, 10000);
        if (i < 1000) /* 5 s: less than the slack */
            feed(l, input + 8 * 48000 + i * 240, 240, 0);
        rt_sleep_ms(1);
    }
    ck_assert_msg(strstr(text, " are in ") != NULL, "%s", text);
    ck_assert(!rt_record_news(l->record, text, sizeof text));
    ck_assert(rt_record_dump(l->record));
    rt_record_stop(l->record); /* what was asked for is written before the end */
    ck_assert_uint_eq(rt_counted(&l->counts, RT_N_recordings), 2);
    ck_assert(!rt_record_dump(l->record));
    end(l);
    free(l);
}
END_TEST

START_TEST(recording_does_not_touch_the_heap)
{
    listener *l = short_listener();
    fclose(l->out.to);
    free(l->lines);
    l->out.to = fopen("/dev/null", "w");
    l->lines = NULL;
    setvbuf(l->out.to, NULL, _IONBF, 0);
    feed(l, input, 256, 0);
    const uint64_t before = heap_calls;
    for (size_t at = 0; at < 3 * 48000; at += 256)
        feed(l, input + at, 256, at % 65536 ? 0 : 99);
    const uint64_t after = heap_calls;
    ck_assert_uint_eq(after, before);
    end(l);
    free(l);
}
END_TEST

START_TEST(a_stream_at_another_rate_is_recorded_anew)
{
    listener *l = short_listener(); /* at 48 kHz */
    char why[400];
    dump d;
    const rt_sink sink = {.ctx = l, .match = hear_match, .second = hear_second};
    rt_analyse_free(l->analyse);
    ck_assert(rt_analyse_new(&l->analyse, 32000, &l->options, ix, &l->counts, &sink,
                             why, sizeof why));
    l->clock = (rt_clock){l->frame, rt_clock_s(&l->clock, l->frame, 48000)};
    l->rate_hz = 32000;
    rt_analyse_begin(l->analyse, l->frame);
    rt_record_begin(l->record, l->analyse, 32000, &l->clock);
    ck_assert(rt_record_write(l->record, why, sizeof why)); /* of nothing */
    for (size_t at = 0; at < 2 * 32000; at += 250)
        feed(l, input + at, 250, 0);
    take_dump(l, &d);
    ck_assert_msg(strstr(d.text, "the last 2.0 s") != NULL, "%s", d.text);
    ck_assert_uint_eq(d.n_warm, 0);
    check_dump(l, &d, 2 * 32000);
    free_dump(&d);
    for (size_t at = 0; at < 26 * 32000; at += 250) /* round and round */
        feed(l, input + at % (20 * 48000), 250, 0);
    take_dump(l, &d);
    check_dump(l, &d, 28 * 32000);
    ck_assert_uint_eq(d.n_warm, 23 * 32000);
    free_dump(&d);
    end(l);
    free(l);
}
END_TEST

START_TEST(other_settings_are_recorded_from_the_next_second_on)
{
    listener *l = short_listener();
    dump d;
    l->options.match.min_gap_ms = 1234; /* said, but the analysis is not told here */
    l->options.match.refine = RT_REFINE_YES;
    rt_record_set(l->record, &l->options);
    for (size_t at = 0; at < 2 * 48000 + 480; at += 240)
        feed(l, input + at, 240, 0);
    ck_assert_msg(rt_record_write(l->record, d.text, sizeof d.text), "%s", d.text);
    const double seconds = strtod(d.text + strlen("the last "), NULL);
    ck_assert_msg(seconds > 0.9 && seconds < 2.1, "%s", d.text);
    size_t n;
    char path[1500];
    const char *from = strstr(d.text, " are in "), *to = strstr(d.text, ", what");
    snprintf(path, sizeof path, "%.*s", (int)(to - from - 8), from + 8);
    char *wav = read_file(path, &n), *chunk = memchr(wav, 'h', 200);
    while (memcmp(chunk, "hrkn", 4) != 0)
        chunk++;
    ck_assert_ptr_nonnull(strstr(chunk + 8, "set match.min-gap-ms 1234\n"));
    ck_assert_ptr_nonnull(strstr(chunk + 8, "set match.refine yes\n"));
    free(wav);
    end(l);
    free(l);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("record");
    TCase *t = tcase_create("record");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_recording_is_answered_as_listen_answered, 0, N_CASES);
    tcase_add_test(t, nothing_is_overwritten_and_names_hold_no_odd_character);
    tcase_add_test(t, a_full_disk_leaves_nothing_and_is_told);
    tcase_add_test(t, a_folder_that_is_gone_is_told);
    tcase_add_test(t, each_failing_allocation_is_told);
    tcase_add_test(t, a_recording_is_written_while_recording_goes_on);
    tcase_add_test(t, recording_does_not_touch_the_heap);
    tcase_add_test(t, a_stream_at_another_rate_is_recorded_anew);
    tcase_add_test(t, other_settings_are_recorded_from_the_next_second_on);
    suite_add_tcase(s, t);
    return run_suite(s);
}
