/* rt/analyse_layer.c: what was learned, searched beside the index. */
#include "layer_support.h"

#include <math.h>

enum { MOST_FOUND = 4000 };

typedef struct {
    rt_match m[MOST_FOUND];
    size_t n;
} found;

static void
keep(void *ctx, const rt_match *m)
{
    found *f = ctx;
    if (m->kind == RT_MATCH && f->n < MOST_FOUND)
        f->m[f->n++] = *m;
}

static rt_analyse *
new_analyse(const idx_index *index, const idx_index *layer, const rt_options *o,
            rt_counts *counts, found *f)
{
    const rt_sink sink = {.ctx = f, .match = keep};
    rt_analyse *a;
    ck_assert_msg(rt_analyse_new(&a, RATE, o, index, counts, &sink, why, sizeof why) &&
                      rt_analyse_add(a, layer),
                  "%s", why);
    return a;
}

/* What three strange sounds and one of the corpus are answered with, each after a
 * pause. */
enum { SOUNDS = 4, APART = RATE * 13 / 10 };
static found *
hear(const idx_index *index, const idx_index *layer, const rt_options *o)
{
    static float x[SOUNDS * APART];
    rt_counts counts = {0};
    found *f = calloc(1, sizeof *f);
    rt_analyse *a = new_analyse(index, layer, o, &counts, f);
    for (size_t i = 0; i < SOUNDS; i++)
        if (i < 3)
            memcpy(x + (i + 1) * APART - RATE, strange[i], RATE * sizeof *x);
        else
            make_sound(x + (i + 1) * APART - RATE, RATE, RATE, 5);
    rt_analyse_block(a, x, SOUNDS * APART, 0);
    rt_analyse_free(a);
    return f;
}

START_TEST(what_was_learned_is_found_under_its_label)
{
    idx_index *layer = learn_strange(3);
    found *f = hear(ix, layer, &options);
    uint32_t n_live = 0, n_right = 0, n_other = 0;
    for (size_t i = 0; i < f->n; i++) {
        const rt_match *m = &f->m[i];
        const idx_sound s = rt_sound_in(ix, layer, m->sound);
        const bool live = m->sound >= idx_n_sounds(ix);
        ck_assert(live == !strncmp(s.path, RT_LEARNED_PATH, strlen(RT_LEARNED_PATH)));
        if (m->scale != DSP_EVENT || m->rank != 1)
            continue;
        const uint64_t playing = m->frame / APART;
        n_live += live && playing < 3;
        n_other += !live && playing == 3;
        n_right += live && m->sound - idx_n_sounds(ix) == playing && m->cosine > 0.8F;
    }
    ck_assert_uint_ge(n_live, 25);
    ck_assert_uint_ge(n_right, 20);
    ck_assert_uint_ge(n_other, 4); /* the corpus is found as ever */
    idx_close(layer);
    free(f);
}
END_TEST

/* The best cosine of one scale at a frame, or -2. */
static float
best_at(const found *f, uint32_t scale, uint64_t frame)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->m[i].scale == scale && f->m[i].frame == frame && f->m[i].rank == 1)
            return f->m[i].cosine;
    return -2;
}

START_TEST(answers_are_the_best_of_index_and_layer)
{
    idx_index *layer = learn_strange(2);
    rt_options o = options;
    o.match.score = 0;
    o.match.k = (uint32_t)_i;
    found *both = hear(ix, layer, &o), *index = hear(ix, NULL, &o),
          *alone = hear(layer, NULL, &o); /* a layer is an index, too */
    uint32_t n = 0, n_live = 0;
    for (size_t i = 0; i < both->n; i++) {
        const rt_match *m = &both->m[i];
        if (m->rank != 1)
            continue;
        const float a = best_at(index, m->scale, m->frame),
                    b = best_at(alone, m->scale, m->frame);
        ck_assert_msg(m->cosine >= fmaxf(a, b) && m->cosine <= fmaxf(a, b),
                      "%g is not the best of %g and %g", (double)m->cosine, (double)a,
                      (double)b);
        ck_assert((m->sound >= idx_n_sounds(ix)) == (b > a));
        n_live += b > a;
        n++;
    }
    ck_assert_uint_gt(n, 100);
    ck_assert_uint_gt(n_live, 50);
    ck_assert_uint_lt(n_live, n);
    free(both);
    free(index);
    free(alone);
    idx_close(layer);
}
END_TEST

START_TEST(ranks_fall_in_cosine_and_name_no_sound_twice)
{
    idx_index *layer = learn_strange(3);
    rt_options o = options;
    o.match.score = 0;
    o.match.k = 10;
    found *f = hear(ix, layer, &o);
    uint32_t n_mixed = 0;
    for (size_t i = 1; i < f->n; i++) {
        const rt_match *m = &f->m[i], *before = m - 1;
        if (m->rank == 1)
            continue;
        ck_assert_uint_eq(m->rank, before->rank + 1);
        ck_assert(m->cosine <= before->cosine);
        ck_assert_uint_ne(m->sound, before->sound);
        n_mixed +=
            (m->sound >= idx_n_sounds(ix)) != (before->sound >= idx_n_sounds(ix));
    }
    ck_assert_uint_gt(n_mixed, 100);
    free(f);
    idx_close(layer);
}
END_TEST

START_TEST(what_was_said_of_learned_sounds_is_known_beside_the_next_layer)
{
    rt_options o = options;
    rt_counts counts = {0};
    found *f = calloc(1, sizeof *f);
    o.match.scales = 1U << DSP_EVENT;
    o.match.min_gap_ms = 60000;
    idx_index *three = learn_strange(3), *two;
    ck_assert(rt_layer_forget(&two, three, "a", why, sizeof why));
    rt_analyse *a = new_analyse(ix, three, &o, &counts, f);
    rt_analyse_block(a, strange[1], RATE, 0);
    ck_assert_uint_ge(f->n, 1);
    ck_assert_uint_eq(f->m[0].sound, idx_n_sounds(ix) + 1);
    rt_analyse *b = new_analyse(ix, two, &o, &counts, f);
    ck_assert(rt_analyse_inherit(b, a));
    f->n = 0;
    rt_analyse_block(b, strange[1], RATE, 0);
    for (size_t i = 0; i < f->n; i++) /* it was said less than a minute ago */
        ck_assert_uint_ne(f->m[i].sound, idx_n_sounds(ix) + 0);
    f->n = 0;
    rt_analyse_block(b, strange[2], RATE, 0);
    uint32_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        n += f->m[i].sound == idx_n_sounds(ix) + 1;
    ck_assert_uint_eq(n, 1);
    rt_analyse_free(a);
    rt_analyse_free(b);
    idx_close(two);
    idx_close(three);
    free(f);
}
END_TEST

START_TEST(to_search_a_layer_takes_no_heap)
{
    idx_index *layer = learn_strange(3);
    rt_options o = options;
    rt_counts counts = {0};
    found *f = calloc(1, sizeof *f);
    o.match.k = 5;
    o.match.refine = RT_REFINE_YES;
    rt_analyse *a = new_analyse(ix, layer, &o, &counts, f);
    const uint64_t before = heap_calls;
    rt_analyse_block(a, strange[0], RATE, 0);
    const uint64_t after = heap_calls;
    ck_assert_uint_eq(after, before);
    ck_assert_uint_gt(f->n, 10);
    rt_analyse_free(a);
    idx_close(layer);
    free(f);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("analyse_layer");
    TCase *tc = tcase_create("analyse_layer");
    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, build_once, remove_once);
    tcase_add_test(tc, what_was_learned_is_found_under_its_label);
    tcase_add_loop_test(tc, answers_are_the_best_of_index_and_layer, 1, 3);
    tcase_add_test(tc, ranks_fall_in_cosine_and_name_no_sound_twice);
    tcase_add_test(tc, what_was_said_of_learned_sounds_is_known_beside_the_next_layer);
    tcase_add_test(tc, to_search_a_layer_takes_no_heap);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
