/* rt/rank.c against every order that a tie allows. */
#include "rt/rank.h"
#include "support.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MOST = 8 };

#define NEAR 1e-12

/* ---- The definition, for one order ------------------------------------------------
 */

static double
plain_average_precision(const bool relevant[], size_t n, size_t depth)
{
    const size_t R = depth ? depth : n;
    size_t all = 0, hits = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        all += relevant[i];
        if (i < R && relevant[i])
            sum += (double)++hits / (double)(i + 1);
    }
    return all ? sum / (double)(R < all ? R : all) : 0;
}

static double
plain_precision(const bool relevant[], size_t n, size_t k)
{
    size_t hits = 0;
    for (size_t i = 0; i < n && i < k; i++)
        hits += relevant[i];
    return k ? (double)hits / (double)k : 0;
}

/* ---- All orders -------------------------------------------------------------------
 */

/* Sums over every order of the candidates that no score forbids. */
typedef struct {
    const rt_candidate *c;
    size_t n, cut, target;
    size_t order[MOST];
    bool used[MOST];
    double n_orders, average_precision, precision, recall;
} orders;

static bool
better_left(const orders *o, float score)
{
    for (size_t i = 0; i < o->n; i++)
        if (!o->used[i] && o->c[i].score > score)
            return true;
    return false;
}

static void
count_order(orders *o)
{
    bool relevant[MOST];
    for (size_t i = 0; i < o->n; i++) {
        relevant[i] = o->c[o->order[i]].relevant;
        o->recall += o->order[i] == o->target && i < o->cut;
    }
    o->average_precision += plain_average_precision(relevant, o->n, o->cut);
    o->precision += plain_precision(relevant, o->n, o->cut);
    o->n_orders++;
}

static void
each_order(orders *o, size_t place)
{
    if (place == o->n)
        count_order(o);
    for (size_t i = 0; place < o->n && i < o->n; i++) {
        if (o->used[i] || better_left(o, o->c[i].score))
            continue;
        o->used[i] = true;
        o->order[place] = i;
        each_order(o, place + 1);
        o->used[i] = false;
    }
}

/* A list of n candidates with few scores, so that there are ties. */
static void
make_list(rt_candidate c[], size_t n, unsigned n_scores, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++) {
        c[i].score = (float)(random_u64(seed) % n_scores) - 1;
        c[i].relevant = random_u64(seed) >> 33 & 1;
    }
}

static void
compare_with_all_orders(const rt_candidate list[], size_t n, size_t cut)
{
    orders o = {.c = list, .n = n, .cut = cut, .target = cut % n};
    rt_candidate c[MOST];
    float score[MOST];
    each_order(&o, 0);
    memcpy(c, list, n * sizeof *c);
    ck_assert_double_eq_tol(rt_average_precision(c, n, cut),
                            o.average_precision / o.n_orders, NEAR);
    memcpy(c, list, n * sizeof *c);
    ck_assert_double_eq_tol(rt_precision_at(c, n, cut), o.precision / o.n_orders, NEAR);
    for (size_t i = 0; i < n; i++)
        score[i] = list[i].score;
    ck_assert_double_eq_tol(rt_recall_at(score, n, o.target, cut),
                            o.recall / o.n_orders, NEAR);
}

START_TEST(each_measure_is_the_mean_over_all_orders_of_its_ties)
{
    const size_t n = (size_t)_i;
    uint64_t seed = n;
    for (int round = 0; round < (n < 7 ? 60 : 8); round++) {
        rt_candidate list[MOST];
        make_list(list, n, 1 + (unsigned)round % 4, &seed);
        for (size_t cut = 0; cut <= n + 2; cut++)
            compare_with_all_orders(list, n, cut);
    }
}
END_TEST

/* ---- Values -----------------------------------------------------------------------
 */

/* Runs of equal scores, "n:relevant" best first, in an order that a sort must mend. */
static size_t
make_ties(rt_candidate c[], const char *ties)
{
    size_t n = 0;
    float score = 1;
    for (unsigned long many, hits; sscanf(ties, "%lu:%lu", &many, &hits) == 2;) {
        for (size_t i = 0; i < many; i++)
            c[n++] = (rt_candidate){.score = score, .relevant = i + hits >= many};
        score -= 0.125F;
        ties += strcspn(ties, " ");
        ties += strspn(ties, " ");
    }
    for (size_t i = 0; i < n / 2; i++) { /* worst first */
        const rt_candidate swap = c[i];
        c[i] = c[n - 1 - i];
        c[n - 1 - i] = swap;
    }
    return n;
}

static const struct {
    const char *name, *ties;
    size_t depth;
    double want;
} averages[] = {
    {"methods.md 14.1, 0.40544", "3:1 5:3 1:1 7:2", 10, 298 / 735.0},
    {"nothing at all", "", 0, 0},
    {"nothing at all, with a depth", "", 10, 0},
    {"nothing relevant", "1:0 2:0 1:0", 0, 0},
    {"nothing relevant before the cut", "1:0 1:0 1:1", 2, 0},
    {"all relevant", "1:1 3:3 1:1", 0, 1},
    {"all relevant, fewer than the depth", "1:1 1:1", 10, 1},
    {"all relevant, more than the depth", "1:1 1:1 1:1", 2, 1},
    {"the first one", "1:1 1:0 1:0", 0, 1},
    {"the last one", "1:0 1:0 1:1", 0, 1 / 3.0},
    {"first and third", "1:1 1:0 1:1", 0, (1 + 2 / 3.0) / 2},
    {"first and third, cut between", "1:1 1:0 1:1", 2, 0.5},
    {"no cut is a cut at the end", "1:1 1:0 1:1", 3, (1 + 2 / 3.0) / 2},
    {"all tied, one of two", "2:1", 0, 0.75},
    {"all tied, one of four", "4:1", 0, (1 + 1 / 2.0 + 1 / 3.0 + 1 / 4.0) / 4},
    {"all tied, one of four, the first place", "4:1", 1, 0.25},
};

START_TEST(average_precision_is_what_was_worked_out)
{
    rt_candidate c[32];
    const size_t n = make_ties(c, averages[_i].ties);
    const double got = rt_average_precision(c, n, averages[_i].depth);
    ck_assert_msg(fabs(got - averages[_i].want) < NEAR, "case: %s: %.15f",
                  averages[_i].name, got);
    for (size_t i = 1; i < n; i++)
        ck_assert(c[i - 1].score >= c[i].score);
}
END_TEST

static const struct {
    const char *name, *ties;
    size_t k;
    double want;
} precisions[] = {
    {"nothing at all", "", 5, 0},
    {"no places", "2:2", 0, 0},
    {"nothing relevant", "3:0", 2, 0},
    {"the first of two", "1:1 1:0", 1, 1},
    {"both", "1:1 1:0", 2, 0.5},
    {"fewer candidates than places", "1:1 1:1", 4, 0.5},
    {"the whole of a tie", "3:2 4:0", 3, 2 / 3.0},
    {"part of a tie, (R0 + r(k - N0)/n)/k", "2:1 4:2 1:1", 4, (1 + 2 * 2 / 4.0) / 4},
    {"one place in a tie of all", "8:3", 1, 3 / 8.0},
    {"five places in a tie of all", "8:3", 5, 3 / 8.0},
};

START_TEST(precision_is_what_was_worked_out)
{
    rt_candidate c[32];
    const size_t n = make_ties(c, precisions[_i].ties);
    const double got = rt_precision_at(c, n, precisions[_i].k);
    ck_assert_msg(fabs(got - precisions[_i].want) < NEAR, "case: %s: %.15f",
                  precisions[_i].name, got);
}
END_TEST

static const struct {
    const char *name;
    float score[4];
    size_t n, target, k;
    double want;
} recalls[] = {
    {"no places", {1}, 1, 0, 0, 0},
    {"the only one", {1}, 1, 0, 1, 1},
    {"more places than candidates", {1, 2}, 2, 0, 9, 1},
    {"the best", {3, 1, 2}, 3, 0, 1, 1},
    {"the second best, one place", {3, 1, 2}, 3, 2, 1, 0},
    {"the second best, two places", {3, 1, 2}, 3, 2, 2, 1},
    {"two tie for one place", {1, 1, 0}, 3, 1, 1, 0.5},
    {"two tie for two places", {1, 1, 0}, 3, 1, 2, 1},
    {"three tie for the second place", {2, 1, 1, 1}, 4, 3, 2, 1 / 3.0},
    {"three tie for the second and third", {2, 1, 1, 1}, 4, 1, 3, 2 / 3.0},
    {"all tie", {5, 5, 5, 5}, 4, 2, 1, 0.25},
    {"the zeros tie", {0.0F, -0.0F}, 2, 1, 1, 0.5},
    {"infinities tie", {INFINITY, INFINITY, 1}, 3, 0, 1, 0.5},
    {"NaN is below -inf", {NAN, -INFINITY}, 2, 1, 1, 1},
    {"a target that is NaN", {NAN, -INFINITY}, 2, 0, 1, 0},
    {"all are NaN", {NAN, NAN}, 2, 0, 1, 0.5},
};

START_TEST(recall_is_what_was_worked_out)
{
    const double got = rt_recall_at(recalls[_i].score, recalls[_i].n,
                                    recalls[_i].target, recalls[_i].k);
    ck_assert_msg(fabs(got - recalls[_i].want) < NEAR, "case: %s: %.15f",
                  recalls[_i].name, got);
}
END_TEST

START_TEST(what_is_no_number_stands_last_and_ties_with_its_like)
{
    rt_candidate c[] = {
        {NAN, true}, {-INFINITY, false}, {-NAN, false}, {1, true}, {NAN, false}};
    const double tie = (2 / 3.0 + 2 / 4.0 + 2 / 5.0) / 3; /* second hit at 3, 4 or 5 */
    ck_assert_double_eq_tol(rt_average_precision(c, 5, 0), (1 + tie) / 2, NEAR);
    ck_assert(c[0].score == 1 && isinf(c[1].score) && isnan(c[2].score));
    ck_assert_double_eq_tol(rt_precision_at(c, 5, 3), (1 + 1 / 3.0) / 3, NEAR);
}
END_TEST

START_TEST(the_order_before_makes_no_difference)
{
    enum { N = 200 };
    static rt_candidate c[N];
    uint64_t seed = 7;
    make_list(c, N, 12, &seed);
    const double ap = rt_average_precision(c, N, 50), p = rt_precision_at(c, N, 33);
    for (int round = 0; round < 20; round++) {
        for (size_t i = N - 1; i > 0; i--) {
            const size_t j = random_u64(&seed) % (i + 1);
            const rt_candidate swap = c[i];
            c[i] = c[j];
            c[j] = swap;
        }
        ck_assert(rt_average_precision(c, N, 50) == ap); /* to the last bit */
        ck_assert(rt_precision_at(c, N, 33) == p);
    }
}
END_TEST

START_TEST(nothing_needs_no_array)
{
    ck_assert(rt_average_precision(NULL, 0, 0) == 0);
    ck_assert(rt_average_precision(NULL, 0, 3) == 0);
    ck_assert(rt_precision_at(NULL, 0, 3) == 0);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/rank");
    TCase *t = tcase_create("rank");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, each_measure_is_the_mean_over_all_orders_of_its_ties, 1,
                        MOST + 1);
    tcase_add_loop_test(t, average_precision_is_what_was_worked_out, 0, N(averages));
    tcase_add_loop_test(t, precision_is_what_was_worked_out, 0, N(precisions));
    tcase_add_loop_test(t, recall_is_what_was_worked_out, 0, N(recalls));
    tcase_add_test(t, what_is_no_number_stands_last_and_ties_with_its_like);
    tcase_add_test(t, the_order_before_makes_no_difference);
    tcase_add_test(t, nothing_needs_no_array);
    suite_add_tcase(s, t);
    return run_suite(s);
}
