/* rt/gate.c against a plain definition, sample by sample. */
#include "rt/analyse_private.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOLD = 100, MOST_ONSETS = 1000 };

/* ---- Definition -------------------------------------------------------------------
 */

typedef struct {
    float open_at, close_at;
    uint64_t hold, quiet_for; /* samples since the last one of close_at or more */
    bool open;
} plain_gate;

/* Whether this sample opened the gate. What is not finite is silence. */
static bool
plain_sample(plain_gate *g, float x)
{
    const float level = isfinite(x) ? fabsf(x) : 0;
    if (g->open) {
        g->quiet_for = level >= g->close_at ? 0 : g->quiet_for + 1;
        g->open = g->quiet_for < g->hold;
    } else if (level >= g->open_at) {
        g->open = true;
        g->quiet_for = 0;
        return true;
    }
    return false;
}

static rt_gate
gate_of(float open_at, float close_at)
{
    return (rt_gate){.open_at = open_at, .close_at = close_at, .hold_frames = HOLD};
}

/* Stretches of random level and length, with what a broken driver may send. */
static void
random_signal(float x[], size_t n, uint64_t *seed)
{
    static const float odd[] = {NAN,    -NAN, INFINITY, -INFINITY, -0.0F,
                                1e-42F, 0.5F, -0.5F,    0.25F,     -0.25F};
    double level = 0;
    for (size_t i = 0, left = 0; i < n; i++) {
        if (left-- == 0) {
            left = random_u64(seed) % (3 * HOLD);
            level = random_u64(seed) % 4 ? pow(10, -1.2 + 1.4 * random_unit(seed)) : 0;
        }
        x[i] = (float)(level * random_unit(seed));
        if (random_u64(seed) % 64 == 0)
            x[i] = odd[random_u64(seed) % (sizeof odd / sizeof *odd)];
    }
}

/* Next block: of that size, or random where it is 0. */
static size_t
next_block(size_t size, size_t left, uint64_t *seed)
{
    const size_t n = size ? size : 1 + random_u64(seed) % HOLD;
    return n < left ? n : left;
}

static const struct {
    const char *name;
    size_t block_frames; /* 0: random */
    uint64_t first;
} cuts[] = {
    {"single samples", 1, 0},
    {"blocks of 2", 2, 0},
    {"blocks of 64", 64, 0},
    {"blocks one short of the hold", HOLD - 1, 0},
    {"blocks as long as the hold", HOLD, 0},
    {"random blocks", 0, 0},
    {"random blocks after a month", 0, UINT64_C(3000000) * 48000},
    {"random blocks over 32 bits", 0, UINT32_MAX - 5000U},
};

START_TEST(random_blocks_agree_with_the_definition_at_every_block)
{
    enum { LENGTH = 20000 };
    static float x[LENGTH];
    uint32_t n_onsets = 0, n_open = 0, n_blocks = 0;
    for (uint64_t run = 1; run <= 60; run++) {
        uint64_t seed = 1000 * run + (uint64_t)_i, first = cuts[_i].first;
        plain_gate plain = {.open_at = 0.5F, .close_at = 0.25F, .hold = HOLD};
        rt_gate gate = gate_of(0.5F, 0.25F);
        random_signal(x, LENGTH, &seed);
        for (size_t at = 0, n; at < LENGTH; at += n, n_blocks++) {
            n = next_block(cuts[_i].block_frames, LENGTH - at, &seed);
            size_t want = n;
            for (size_t i = 0; i < n; i++)
                if (plain_sample(&plain, x[at + i]))
                    want = i;
            const size_t got = rt_gate_feed(&gate, x + at, n, first + at);
            ck_assert_msg(got == want && gate.open == plain.open,
                          "%s, seed %d, sample %zu: onset %zu, not %zu; %s",
                          cuts[_i].name, (int)run, at, got, want,
                          gate.open ? "open" : "closed");
            n_onsets += want < n;
            n_open += plain.open;
        }
    }
    /* The signals open and close it often, or this would show nothing. */
    ck_assert_uint_gt(n_onsets, 500);
    ck_assert(n_open > n_blocks / 10 && n_open < n_blocks - n_blocks / 10);
}
END_TEST

START_TEST(the_blocks_do_not_change_the_onsets)
{
    enum { LENGTH = 200000 };
    static uint64_t onsets[2][MOST_ONSETS];
    size_t n_onsets[2] = {0, 0};
    float *x = malloc(LENGTH * sizeof *x);
    uint64_t seed = 5;
    random_signal(x, LENGTH, &seed);
    for (int way = 0; way < 2; way++) {
        rt_gate gate = gate_of(0.5F, 0.25F);
        for (size_t at = 0, n; at < LENGTH; at += n) {
            n = next_block(way ? cuts[_i].block_frames : HOLD, LENGTH - at, &seed);
            const size_t onset = rt_gate_feed(&gate, x + at, n, at);
            if (onset < n && n_onsets[way] < MOST_ONSETS)
                onsets[way][n_onsets[way]++] = at + onset;
        }
    }
    ck_assert_uint_gt(n_onsets[0], 50);
    ck_assert_msg(n_onsets[0] == n_onsets[1] &&
                      !memcmp(onsets[0], onsets[1], n_onsets[0] * sizeof **onsets),
                  "%s", cuts[_i].name);
    free(x);
}
END_TEST

/* ---- Rules, by example ------------------------------------------------------------
 */

/* Runs of one value, in blocks of the hold's length; onset, if any, and open at the
 * end.
 */
static const struct {
    const char *name;
    struct {
        float value;
        uint32_t times;
    } run[4];
    int onsets;
    bool open;
} rules[] = {
    {"silence opens nothing", {{0, 500}}, 0, false},
    {"just below the threshold opens nothing", {{0.49999997F, 500}}, 0, false},
    {"the threshold itself opens", {{0, 50}, {0.5F, 1}}, 1, true},
    {"the lower half wave opens too", {{0, 50}, {-0.5F, 1}}, 1, true},
    {"between the thresholds it stays closed", {{0.3F, 500}}, 0, false},
    {"between the thresholds it stays open", {{0.5F, 1}, {0.3F, 5000}}, 1, true},
    {"the lower threshold itself keeps it", {{0.5F, 1}, {-0.25F, 5000}}, 1, true},
    {"just below the lower one does not", {{0.5F, 1}, {0.24999999F, 500}}, 1, false},
    {"one sample short of the hold it is open", {{0.5F, 1}, {0, HOLD - 1}}, 1, true},
    {"after the hold it is closed", {{0.5F, 1}, {0, HOLD}}, 1, false},
    {"a peak at the last sample prolongs it",
     {{0.5F, 1}, {0, HOLD - 1}, {0.25F, 1}, {0, HOLD - 1}},
     1,
     true},
    {"a peak one sample later opens anew",
     {{0.5F, 1}, {0, HOLD}, {0.5F, 1}, {0, 1}},
     2,
     true},
    {"a weak peak one sample later does not",
     {{0.5F, 1}, {0, HOLD}, {0.3F, 1}},
     1,
     false},
    {"a loud stretch is one onset", {{0.9F, 5000}}, 1, true},
    {"NaN opens nothing", {{NAN, 500}}, 0, false},
    {"infinity opens nothing", {{INFINITY, 250}, {-INFINITY, 250}}, 0, false},
    {"NaN keeps nothing open", {{0.5F, 1}, {NAN, HOLD}}, 1, false},
    {"infinity keeps nothing open", {{0.5F, 1}, {INFINITY, HOLD}}, 1, false},
    {"the largest float opens", {{3.4028235e38F, 1}}, 1, true},
};

START_TEST(a_rule_holds)
{
    rt_gate gate = gate_of(0.5F, 0.25F);
    uint64_t at = 0;
    int onsets = 0;
    for (int r = 0; r < 4; r++)
        for (uint32_t left = rules[_i].run[r].times, n; left > 0; left -= n) {
            float x[HOLD];
            n = left < HOLD ? left : HOLD;
            for (uint32_t i = 0; i < n; i++)
                x[i] = rules[_i].run[r].value;
            onsets += rt_gate_feed(&gate, x, n, at) < n;
            at += n;
        }
    ck_assert_msg(onsets == rules[_i].onsets && gate.open == rules[_i].open,
                  "case: %s: %d onsets, %s", rules[_i].name, onsets,
                  gate.open ? "open" : "closed");
}
END_TEST

START_TEST(what_is_not_finite_hides_no_peak_beside_it)
{
    for (size_t place = 0; place < HOLD; place++) {
        rt_gate gate = gate_of(0.5F, 0.25F);
        float x[HOLD];
        for (size_t i = 0; i < HOLD; i++)
            x[i] = i % 2 ? NAN : INFINITY;
        x[place] = 0.5F;
        ck_assert_uint_eq(rt_gate_feed(&gate, x, HOLD, 0), place);
        ck_assert_uint_eq(gate.last_loud, place);
        x[place] = 0.3F; /* open: the fast way */
        ck_assert_uint_eq(rt_gate_feed(&gate, x, place + 1, place + 1), place + 1);
        ck_assert_uint_eq(gate.last_loud, 2 * place + 1);
    }
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/gate");
    TCase *t = tcase_create("gate");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, random_blocks_agree_with_the_definition_at_every_block, 0,
                        N(cuts));
    tcase_add_loop_test(t, the_blocks_do_not_change_the_onsets, 0, N(cuts));
    tcase_add_loop_test(t, a_rule_holds, 0, N(rules));
    tcase_add_test(t, what_is_not_finite_hides_no_peak_beside_it);
    suite_add_tcase(s, t);
    return run_suite(s);
}
