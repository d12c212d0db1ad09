/* rt/recording.c, rt/recording_read.c: what is written is read, and nothing else is. */
#include "recording_support.h"
#include "support.h"

#include <string.h>

static idx_index *ix;
static rt_options options;
static char *text; /* of a good recording */
static size_t n_text;

static void
setup(void)
{
    static rt_change changes[] = {{0, 7, RT_GAP},
                                  {96000, RT_SHED_EVENTS, RT_SHED},
                                  {96000, 70000, RT_GAP},
                                  {199999, RT_SHED_NOTHING, RT_SHED}};
    static rt_sent sent[] = {{DSP_EVENT, 2, 1000}, {RT_TIMBRE, 0, 140006}};
    rt_recording r = {.input = "the left one",
                      .number = 3,
                      .rate_hz = 44100,
                      .n_samples = 200000,
                      .n_warm = 96000,
                      .first_frame = 44100,
                      .clock = {100, 12.345678901234567},
                      .n_changes = 4,
                      .changes = changes,
                      .n_sent = 2,
                      .sent = sent};
    r.state.open = true;
    r.state.last_loud = 140000;
    r.state.onset_hop = 317;
    for (uint32_t i = 0; i < RT_SCALES; i++) {
        r.state.held[i] = i;
        for (uint32_t j = 0; j < 20 * i; j++)
            r.state.best[i][j] = UINT32_MAX - j % 3;
    }
    for (int i = 0; i < DSP_TIMBRE_FRAMES; i++)
        r.state.timbre[i] = (uint8_t)(i * 4);
    ix = recording_index();
    ck_assert_ptr_nonnull(ix);
    r.index_id = rt_index_id(ix);
    rt_options_default(&options);
    options.match.k = 7;
    options.match.score = 0.1F;
    options.match.scales = 11;
    options.osc.nomatch = 1;
    FILE *to = open_memstream(&text, &n_text);
    ck_assert(rt_recording_write(to, &r, &options));
    fclose(to);
}

static void
teardown(void)
{
    idx_close(ix);
    free(text);
}

START_TEST(what_is_written_is_read)
{
    char why[400], *again;
    size_t n_again;
    rt_recording r;
    rt_options o;
    rt_options_default(&o);
    ck_assert_msg(rt_recording_read(&r, &o, ix, NULL, text, n_text, why, sizeof why),
                  "%s", why);
    ck_assert_str_eq(r.input, "the left one");
    ck_assert_uint_eq(r.state.frame, 44100 + 96000 + 7);
    ck_assert(o.match.k == 7 && o.match.scales == 11 && o.osc.nomatch == 1);
    ck_assert_msg(o.match.score == 0.1F, "every bit of it");
    FILE *to = open_memstream(&again, &n_again);
    ck_assert(rt_recording_write(to, &r, &o));
    fclose(to);
    ck_assert_uint_eq(n_again, n_text);
    ck_assert(!memcmp(text, again, n_text));
    ck_assert_ptr_null(strstr(text, "osc.to")); /* nobody's addresses */
    free(again);
    rt_recording_done(&r);
}
END_TEST

/* The text with one line, which begins with this, in another's place ("": none). */
static char *
with_line(const char *begins, const char *line, size_t *n)
{
    char *out = calloc(1, n_text + strlen(line) + 1);
    const char *at = text;
    while (strncmp(at, begins, strlen(begins)) != 0)
        at = strchr(at, '\n') + 1;
    const char *end = strchr(at, '\n') + 1;
    memcpy(out, text, (size_t)(at - text));
    strcat(out, line);
    strcat(out, end);
    *n = strlen(out);
    return out;
}

static const struct {
    const char *begins, *line, *says;
} damages[] = {
    {"hearken recording", "hearken recording 2\n", "not of the kind"},
    {"index", "index 0123456789abcdef\n", "another index"},
    {"index", "index 123\n", "makes no sense"},
    {"index", "index 0123456789ABCDEF\n", "makes no sense"},
    {"index", "", "not whole"},
    {"input", "input 3\n", "makes no sense"},
    {"input", "input 4294967296 in\n", "makes no sense"},
    {"rate", "rate 0\n", "makes no sense"},
    {"rate", "rate 44100\nrate 44100\n", "makes no sense"},
    {"rate", "rate 1e5\n", "makes no sense"},
    {"samples", "samples 95999\n", "contradicts"},
    {"samples", "samples 18446744073709551615\n", "makes no sense"},
    {"warm", "warm 200001\n", "contradicts"},
    {"warm", "warm -1\n", "makes no sense"},
    {"first", "first 99999999999999999999999999999999\n", "makes no sense"},
    {"clock", "clock 44101 0\n", "contradicts"},
    {"clock", "clock 0 nan\n", "makes no sense"},
    {"clock", "clock 0 1e300\n", "makes no sense"},
    {"clock", "clock 0 -1\n", "makes no sense"},
    {"gate", "gate ajar 1 1\n", "makes no sense"},
    {"gate", "gate open 140108 1\n", "contradicts"},
    {"gate", "gate open 1 318\n", "contradicts"},
    {"agreed frame", "agreed minute 1 1\n", "makes no sense"},
    {"agreed frame", "agreed frame 1 4294967296\n", "makes no sense"},
    {"agreed scene",
     "agreed scene 0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 "
     "1 1 "
     "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n",
     "makes no sense"},
    {"timbre", "timbre 1 2 3\n", "makes no sense"},
    {"timbre", "timbre 129 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
     "makes no sense"},
    {"sent event", "sent event 3 1\n", "makes no sense"},
    {"sent event", "sent event 0 140108\n", "contradicts"},
    {"gap 0", "gap 96001 1\n", "makes no sense"},
    {"shed 199999", "gap 200000 1\n", "contradicts"},
    {"gap 0", "gap 0 1125899906842624\ngap 0 1125899906842624\n", "contradicts"},
    {"shed 199999", "shed 200000 0\n", "contradicts"},
    {"shed 199999", "shed 199999 4\n", "makes no sense"},
    {"shed 199999", "shed 199999\n", "makes no sense"},
    {"shed 199999", "shed 95999 1\n", "makes no sense"},
    {"set match.k", "set match.k 0\n", "match.k cannot be"},
    {"set match.k", "set match.volume 3\n", "there is no setting"},
    {"set match.k", "set build.output /etc/passwd\n", "makes no sense"},
    {"set match.k", "set record.folder /\n", "makes no sense"},
    {"set match.k", "wink 3\n", "makes no sense"},
    {"end", "", "not whole"},
};

START_TEST(each_damage_is_refused_in_a_sentence)
{
    size_t n;
    char why[400] = "", *bad = with_line(damages[_i].begins, damages[_i].line, &n);
    rt_recording r;
    rt_options o;
    rt_options_default(&o);
    ck_assert_msg(!rt_recording_read(&r, &o, ix, NULL, bad, n, why, sizeof why),
                  "case %d", _i);
    ck_assert_msg(strstr(why, damages[_i].says) != NULL, "case %d: \"%s\"", _i, why);
    ck_assert(!r.changes && !r.sent && !r.n_changes && !r.n_sent);
    free(bad);
}
END_TEST

START_TEST(no_beginning_of_it_is_taken_for_the_whole)
{
    char why[400];
    rt_recording r;
    rt_options o;
    for (size_t n = 0; n < n_text; n++) {
        char *exact = malloc(n + 1); /* so that a read beyond it is seen */
        memcpy(exact, text, n);
        rt_options_default(&o);
        ck_assert(!rt_recording_read(&r, &o, ix, NULL, exact, n, why, sizeof why) &&
                  *why);
        free(exact);
    }
}
END_TEST

START_TEST(a_failing_allocation_is_refused)
{
    char why[400] = "";
    rt_recording r;
    rt_options o;
    rt_options_default(&o);
    for (uint64_t k = 1; k <= 2; k++) {
        heap_fail_at = k;
        const bool ok =
            rt_recording_read(&r, &o, ix, NULL, text, n_text, why, sizeof why);
        const uint64_t left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert_msg(!ok && !left && *why, "allocation %d", (int)k);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("recording");
    TCase *t = tcase_create("recording");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_written_is_read);
    tcase_add_loop_test(t, each_damage_is_refused_in_a_sentence, 0,
                        sizeof damages / sizeof *damages);
    tcase_add_test(t, no_beginning_of_it_is_taken_for_the_whole);
    tcase_add_test(t, a_failing_allocation_is_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
