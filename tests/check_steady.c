/* rt/steady.c: which answers go out, by example, and what cannot be met is refused. */
#include "rt/analyse_private.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Three sounds of an entry each; scores are cosines. */
static idx_index *ix;
static rt_analyse *a;
static uint64_t frame;

static void
setup(void)
{
    static const float knots[2] = {0, 1}, zero[2] = {0, 0}, one[2] = {1, 1};
    static const float rows[3][2] = {{1, 0}, {0, 1}, {-1, 0}};
    static const idx_entry entries[3] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}};
    static const idx_sound sounds[3] = {
        {.path = "a.wav", .label = "a", .rate_hz = 44100, .n_channels = 1},
        {.path = "b.wav", .label = "b", .rate_hz = 44100, .n_channels = 1},
        {.path = "c.wav", .label = "c", .rate_hz = 44100, .n_channels = 1}};
    char path[300], why[300];
    idx_contents c = {.settings = "", .report = "", .n_sounds = 3, .sounds = sounds};
    for (int s = 0; s < DSP_SCALES; s++)
        c.scales[s] = (idx_scale){.n_in = 2,
                                  .dim = 2,
                                  .n_entries = 3,
                                  .n_knots = 2,
                                  .mean = zero,
                                  .spread = one,
                                  .knots = knots,
                                  .rows = rows[0],
                                  .entries = entries,
                                  .params = {.family = IDX_EXACT}};
    make_folder(path, sizeof path - 10);
    strcat(path, "/x.hkn");
    ck_assert_msg(!idx_write(path, &c, NULL, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_load(&ix, path, why, sizeof why), "%s", why);
    *strrchr(path, '/') = 0;
    remove_tree(path);
    a = calloc(1, sizeof *a);
    a->index = ix;
    a->n_sounds = 3;
    a->min_score = 0.5F;
    a->hits = calloc(IDX_MAX_K, sizeof *a->hits);
    for (uint32_t s = 0; s < RT_SCALES; s++) {
        a->set[s] = s;
        a->confirm[s] = a->within[s] = 1;
        a->last_sent[s] = calloc(3, sizeof *a->last_sent[s]);
    }
    frame = 0;
}

static void
teardown(void)
{
    for (uint32_t s = 0; s < RT_SCALES; s++)
        free(a->last_sent[s]);
    free(a->hits);
    free(a);
    idx_close(ix);
}

/* An answer of the event scale: the best sound (-1: nothing was heard) and the second,
 * with their cosines. */
typedef struct {
    int best, second;
    float cosine, other;
} step;

static int
judge(const step *s)
{
    rt_match m = {.scale = DSP_EVENT, .frame = frame += 4800};
    if (s->best < 0) {
        rt_judge_none(a, DSP_EVENT);
        return RT_N_silent;
    }
    a->hits[0] = (idx_hit){.entry = (uint32_t)s->best, .cosine = s->cosine};
    a->hits[1] = (idx_hit){.entry = (uint32_t)s->second, .cosine = s->other};
    m.sound = (uint32_t)s->best;
    m.score = rt_score_of(a, m.scale, s->cosine);
    const int fate = rt_judge(a, &m, 2);
    if (fate == RT_N_matched)
        a->last_sent[DSP_EVENT][m.sound] = m.frame + 1;
    return fate;
}

static const struct {
    const char *name;
    float release, better_by;
    uint32_t confirm, within, gap;
    step steps[6];
    const char *fates; /* m, b(elow), h(eld), u(nconfirmed), r(ate), s(ilent) */
} rules[] = {
    {"all is sent by itself",
     0,
     0,
     1,
     1,
     0,
     {{0, 1, 0.6F, 0}, {1, 0, 0.6F, 0.6F}},
     "mm"},
    {"the threshold itself is sent", 0, 0, 1, 1, 0, {{0, 1, 0.5F, 0}}, "m"},
    {"below it is not", 0, 0, 1, 1, 0, {{0, 1, 0.49F, 0}}, "b"},
    {"what was sent may fall by release",
     0.2F,
     0,
     1,
     1,
     0,
     {{0, 1, 0.6F, 0}, {0, 1, 0.31F, 0}, {0, 1, 0.29F, 0}, {0, 1, 0.4F, 0}},
     "mmbb"},
    {"another sound gets no release",
     0.2F,
     0,
     1,
     1,
     0,
     {{0, 1, 0.6F, 0}, {1, 0, 0.4F, 0.3F}},
     "mb"},
    {"release ends with silence",
     0.2F,
     0,
     1,
     1,
     0,
     {{0, 1, 0.6F, 0}, {-1, 0, 0, 0}, {0, 1, 0.4F, 0}},
     "msb"},
    {"another must be better by so much",
     0,
     0.1F,
     1,
     1,
     0,
     {{0, 1, 0.6F, 0}, {1, 0, 0.69F, 0.6F}, {1, 0, 0.75F, 0.6F}, {0, 1, 0.8F, 0.75F}},
     "mhmh"},
    {"it need not when the old one is gone",
     0,
     0.1F,
     1,
     1,
     0,
     {{0, 1, 0.6F, 0}, {1, 2, 0.6F, 0.59F}},
     "mm"},
    {"nor when the old one fell below the score",
     0,
     0.2F,
     1,
     1,
     0,
     {{0, 1, 0.6F, 0}, {1, 0, 0.55F, 0.45F}},
     "mm"},
    {"but below it by release it still holds",
     0.1F,
     0.2F,
     1,
     1,
     0,
     {{0, 1, 0.6F, 0}, {1, 0, 0.55F, 0.45F}},
     "mh"},
    {"three in a row",
     0,
     0,
     3,
     3,
     0,
     {{0, 1, 1, 0},
      {0, 1, 1, 0},
      {1, 0, 1, 0},
      {0, 1, 1, 0},
      {0, 1, 1, 0},
      {0, 1, 1, 0}},
     "uuuuum"},
    {"silence breaks a row",
     0,
     0,
     2,
     2,
     0,
     {{0, 1, 1, 0}, {-1, 0, 0, 0}, {0, 1, 1, 0}, {0, 1, 1, 0}},
     "usum"},
    {"two of three",
     0,
     0,
     2,
     3,
     0,
     {{0, 1, 1, 0},
      {1, 0, 1, 0},
      {0, 1, 1, 0},
      {1, 0, 1, 0},
      {2, 1, 1, 0},
      {0, 1, 1, 0}},
     "uummuu"},
    {"the same sound waits for its gap",
     0,
     0,
     1,
     1,
     10000,
     {{0, 1, 1, 0}, {0, 1, 1, 0}, {1, 0, 1, 0}, {0, 1, 1, 0}},
     "mrmm"},
};

START_TEST(a_rule_holds)
{
    static const struct {
        char letter;
        int fate;
    } names[] = {{'m', RT_N_matched},     {'b', RT_N_below_score},  {'h', RT_N_held},
                 {'u', RT_N_unconfirmed}, {'r', RT_N_rate_limited}, {'s', RT_N_silent}};
    char got[8] = "";
    a->release = rules[_i].release;
    a->better_by = rules[_i].better_by;
    a->confirm[DSP_EVENT] = rules[_i].confirm;
    a->within[DSP_EVENT] = rules[_i].within;
    a->min_gap_frames = rules[_i].gap;
    for (size_t i = 0; i < strlen(rules[_i].fates); i++) {
        const int fate = judge(&rules[_i].steps[i]);
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            if (names[j].fate == fate)
                got[i] = names[j].letter;
    }
    ck_assert_msg(!strcmp(got, rules[_i].fates), "case: %s: %s, not %s", rules[_i].name,
                  got, rules[_i].fates);
}
END_TEST

START_TEST(an_onset_ends_what_was_held_and_a_gap_ends_all)
{
    const step old = {0, 1, 0.6F, 0}, better = {1, 0, 0.65F, 0.6F};
    a->better_by = 0.1F;
    ck_assert_int_eq(judge(&old), RT_N_matched);
    ck_assert_int_eq(judge(&better), RT_N_held);
    rt_judge_onset(a);
    ck_assert_int_eq(judge(&better), RT_N_matched);
    a->confirm[DSP_EVENT] = a->within[DSP_EVENT] = 2;
    ck_assert_int_eq(judge(&better), RT_N_matched);
    rt_judge_gap(a);
    ck_assert_int_eq(judge(&better), RT_N_unconfirmed);
}
END_TEST

START_TEST(the_memory_of_answers_goes_round_for_ever)
{
    const step mine = {0, 1, 1, 0}, other = {1, 0, 1, 0};
    a->confirm[DSP_EVENT] = a->within[DSP_EVENT] = RT_ANSWERS;
    a->agreement[DSP_EVENT].at = UINT32_MAX - 20; /* years later */
    for (int i = 0; i < 3 * RT_ANSWERS; i++)
        ck_assert_int_eq(judge(&mine),
                         i < RT_ANSWERS - 1 ? RT_N_unconfirmed : RT_N_matched);
    ck_assert_int_eq(judge(&other), RT_N_unconfirmed);
    for (int i = 0; i < RT_ANSWERS; i++)
        ck_assert_int_eq(judge(&mine),
                         i < RT_ANSWERS - 1 ? RT_N_unconfirmed : RT_N_matched);
}
END_TEST

static const struct {
    const char *set[6], *why; /* NULL: it can be met */
} combinations[] = {
    {{"match.score", "0.5"}, NULL},
    {{"match.confirm-ms", "300"}, NULL},
    {{"match.confirm-ms", "300", "match.within-ms", "300"}, NULL},
    {{"match.confirm-ms", "301", "match.within-ms", "300"}, "cannot be reached within"},
    {{"match.scales", "frame", "match.confirm-ms", "640"}, NULL},
    {{"match.scales", "frame", "match.confirm-ms", "641"}, "640 ms that scale frame"},
    {{"match.scales", "frame,event", "match.within-ms", "6400"}, "that scale frame"},
    {{"match.scales", "event,scene", "match.within-ms", "6400"}, NULL},
    {{"match.scales", "scene", "match.within-ms", "64000"}, NULL},
    {{"match.score", "0.3", "match.release", "0.3"}, NULL},
    {{"match.score", "0.3", "match.release", "0.4"}, "match.release 0.4 is more than"},
};

START_TEST(what_cannot_be_met_is_refused_with_the_reason)
{
    rt_options o;
    char why[400] = "";
    rt_options_default(&o);
    for (int i = 0; i < 6 && combinations[_i].set[i]; i += 2)
        ck_assert_msg(rt_options_set(&o, combinations[_i].set[i],
                                     combinations[_i].set[i + 1], 0, why, sizeof why),
                      "%s", why);
    const bool ok = rt_analyse_check(&o, why, sizeof why);
    ck_assert_int_eq(ok, !combinations[_i].why);
    if (!ok)
        ck_assert_msg(strstr(why, combinations[_i].why), "%s", why);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/steady");
    TCase *t = tcase_create("steady");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_rule_holds, 0, N(rules));
    tcase_add_test(t, an_onset_ends_what_was_held_and_a_gap_ends_all);
    tcase_add_test(t, the_memory_of_answers_goes_round_for_ever);
    tcase_add_loop_test(t, what_cannot_be_met_is_refused_with_the_reason, 0,
                        N(combinations));
    suite_add_tcase(s, t);
    return run_suite(s);
}
