/* rt/layer.c, rt/layer_learn.c: sounds learned beside an index. */
#include "layer_support.h"
#include "rt/sound.h"

#include <math.h>

/* Whether it is refused, and the sentence holds the words. */
static bool
refuses(const idx_index *layer, const char *label, const float x[], size_t n,
        const char *words)
{
    idx_index *out;
    uint32_t n_entries;
    const rt_lesson lesson = {label, x, n, RATE};
    *why = 0;
    const bool ok =
        rt_layer_learn(&out, &n_entries, layer, ix, &options, &lesson, why, sizeof why);
    ck_assert(ok == !!out);
    idx_close(out);
    return !ok && strstr(why, words);
}

static float *
read_sound(uint32_t sound, size_t *n, uint32_t *rate_hz)
{
    rt_sound *s;
    rt_sound_info info;
    ck_assert(rt_sound_open(&s, idx_sound_of(ix, sound).path, &info, why, sizeof why));
    float *x = malloc((size_t)(13 * info.rate_hz) * sizeof *x);
    size_t got;
    for (*n = 0; (got = rt_sound_read(s, x + *n, 8192, why, sizeof why)) > 0;)
        *n += got;
    *rate_hz = info.rate_hz;
    rt_sound_close(s);
    return x;
}

/* All entries of one sound, in their order: the same, by what and by which row. */
static void
same_entries(const idx_index *layer, uint32_t sound, uint32_t set)
{
    const idx_scale *a = idx_scale_of(layer, set), *b = idx_scale_of(ix, set);
    float x[IDX_MAX_DIM], y[IDX_MAX_DIM];
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n_entries; i++) {
        if (b->entries[i].sound != sound)
            continue;
        ck_assert_uint_lt(n, a->n_entries);
        idx_row(layer, set, n, x);
        idx_row(ix, set, i, y);
        ck_assert_msg(!memcmp(x, y, a->dim * sizeof *x), "sound %u set %u row %u",
                      sound, set, n);
        ck_assert(
            !memcmp(&a->entries[n].start_s, &b->entries[i].start_s, 2 * sizeof(float)));
        n++;
    }
    ck_assert_uint_eq(n, a->n_entries);
}

START_TEST(a_sound_is_learned_as_build_takes_it_from_a_file)
{
    const uint32_t sound = (uint32_t)_i;
    size_t n;
    idx_index *layer;
    uint32_t n_entries, all = 0;
    rt_lesson lesson = {.label = "x"};
    float *x = read_sound(sound, &n, &lesson.rate_hz);
    lesson.x = x;
    lesson.n = n;
    ck_assert_msg(rt_layer_learn(&layer, &n_entries, NULL, ix, &options, &lesson, why,
                                 sizeof why),
                  "%s", why);
    for (uint32_t s = 0; s < IDX_TIMBRE; s++) {
        same_entries(layer, sound, s);
        all += idx_scale_of(layer, s)->n_entries;
    }
    ck_assert_uint_eq(all, n_entries);
    ck_assert(fabs(idx_sound_of(layer, 0).seconds - idx_sound_of(ix, sound).seconds) <
              1e-9);
    idx_close(layer);
    free(x);
}
END_TEST

START_TEST(each_label_is_one_sound_and_what_is_learned_again_joins_it)
{
    idx_index *layer = learn_strange(3);
    ck_assert_uint_eq(idx_n_sounds(layer), 3);
    ck_assert_str_eq(idx_sound_of(layer, 1).label, "b/c");
    ck_assert_str_eq(idx_sound_of(layer, 1).path, "live:b/c");
    const uint32_t before = idx_scale_of(layer, DSP_EVENT)->n_entries;
    layer = learn(layer, "b/c", strange[0], RATE);
    const idx_scale *sc = idx_scale_of(layer, DSP_EVENT);
    ck_assert_uint_eq(idx_n_sounds(layer), 3);
    ck_assert_uint_gt(sc->n_entries, before);
    ck_assert_uint_eq(sc->entries[before].sound, 1);
    ck_assert(sc->entries[before].start_s >= 1); /* behind the first second */
    ck_assert(fabs(idx_sound_of(layer, 1).seconds - 2) < 1e-9);
    idx_close(layer);
}
END_TEST

START_TEST(to_forget_a_label_leaves_the_others_as_they_were)
{
    idx_index *three = learn_strange(3), *two, *again;
    ck_assert(rt_layer_forget(&two, three, "b/c", why, sizeof why));
    ck_assert_uint_eq(idx_n_sounds(two), 2);
    ck_assert_str_eq(idx_sound_of(two, 1).label, "ü");
    again = learn(learn(NULL, "a", strange[0], RATE), "ü", strange[2], RATE);
    size_t n[2];
    const void *bytes[2] = {idx_memory(two, &n[0]), idx_memory(again, &n[1])};
    ck_assert(n[0] == n[1] && !memcmp(bytes[0], bytes[1], n[0]));
    idx_index *one, *none;
    ck_assert(rt_layer_forget(&one, two, "a", why, sizeof why));
    ck_assert(rt_layer_forget(&none, one, "ü", why, sizeof why) && !none);
    ck_assert(rt_layer_forget(&none, three, "*", why, sizeof why) && !none);
    ck_assert(rt_layer_forget(&none, NULL, "*", why, sizeof why) && !none);
    ck_assert(!rt_layer_forget(&none, three, "d", why, sizeof why) && !none);
    ck_assert_str_eq(why, "nothing was learned as \"d\"");
    ck_assert(!rt_layer_forget(&none, NULL, "a", why, sizeof why));
    idx_close(one);
    idx_close(two);
    idx_close(three);
    idx_close(again);
}
END_TEST

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

START_TEST(what_cannot_be_learned_is_refused_in_a_sentence)
{
    static const char *const labels[] = {"", "*", X64 "x", "a\nb", "\x7f"};
    static float silence[RATE];
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        ck_assert_msg(refuses(NULL, labels[i], strange[0], RATE, "a label has"),
                      "label %zu", i);
    ck_assert(refuses(NULL, "x", silence, RATE, "too little"));
    idx_close(learn(NULL, X64, strange[0], RATE));
}
END_TEST

/* A layer of so many sounds and no entries. */
static idx_index *
many_sounds(uint32_t n)
{
    static char labels[RT_LAYER_SOUNDS + 1][12];
    idx_sound sounds[RT_LAYER_SOUNDS + 1];
    idx_index *out;
    for (uint32_t i = 0; i < n; i++) {
        snprintf(labels[i], sizeof labels[i], "%u", i);
        sounds[i] = (idx_sound){labels[i], labels[i], 1, RATE, 1};
    }
    const idx_contents c = {.n_sounds = n,
                            .sounds = sounds,
                            .settings = idx_settings(ix),
                            .report = "learned = yes\n"};
    ck_assert_msg(!idx_make(&out, &c, why, sizeof why), "%s", why);
    return out;
}

START_TEST(one_that_is_full_is_left_as_it_is)
{
    idx_index *layer = many_sounds(RT_LAYER_SOUNDS);
    ck_assert(refuses(layer, "one more", strange[0], RATE, "no room"));
    layer = learn(layer, "7", strange[0], RATE); /* that is there already */
    idx_close(layer);
    enum { LONG = 10 * RATE };
    float *x = calloc(LONG, sizeof *x);
    make_sound(x, LONG, RATE, 77);
    layer = NULL;
    uint32_t n = 0;
    while (n < 100 && !refuses(layer, "x", x, LONG, "no room")) {
        layer = learn(layer, "x", x, LONG);
        n++;
    }
    ck_assert_uint_gt(n, 15);
    ck_assert_uint_lt(n, 100);
    ck_assert_uint_le(idx_scale_of(layer, DSP_FRAME)->n_entries, RT_LAYER_ENTRIES);
    idx_close(layer);
    free(x);
}
END_TEST

START_TEST(without_memory_nothing_is_learned_and_nothing_leaks)
{
    idx_index *layer = learn_strange(2), *out = NULL;
    const rt_lesson lesson = {"c", strange[2], RATE / 4, RATE};
    uint32_t n_entries;
    bool ok = false;
    for (uint64_t k = 1; !ok && k < 5000; k = k < 40 ? k + 1 : k * 9 / 8) {
        *why = 0;
        heap_fail_at = k;
        ok = rt_layer_learn(&out, &n_entries, layer, ix, &options, &lesson, why,
                            sizeof why);
        heap_fail_at = 0;
        ck_assert(ok == !!out && (ok || *why));
    }
    ck_assert(ok);
    idx_close(out);
    heap_fail_at = 2;
    ok = rt_layer_forget(&out, layer, "a", why, sizeof why);
    heap_fail_at = 0;
    ck_assert(!ok && !out);
    idx_close(layer);
}
END_TEST

/* ---- Files ------------------------------------------------------------------------
 */

START_TEST(a_layer_is_saved_and_comes_back_as_it_was)
{
    char path[300];
    idx_index *layer = learn_strange(2), *again;
    size_t n[2];
    snprintf(path, sizeof path, "%s/learned.hkn", folder);
    ck_assert(rt_layer_load(&again, path, ix, why, sizeof why) && !again);
    ck_assert_msg(rt_layer_save(layer, path, why, sizeof why), "%s", why);
    ck_assert_msg(rt_layer_load(&again, path, ix, why, sizeof why), "%s", why);
    const void *bytes[2] = {idx_memory(layer, &n[0]), idx_memory(again, &n[1])};
    ck_assert(n[0] == n[1] && !memcmp(bytes[0], bytes[1], n[0]));
    idx_close(again);
    ck_assert(rt_layer_save(NULL, path, why, sizeof why));
    ck_assert(rt_layer_save(NULL, path, why, sizeof why));
    ck_assert(rt_layer_load(&again, path, ix, why, sizeof why) && !again);
    ck_assert(!rt_layer_save(layer, "/nowhere/learned.hkn", why, sizeof why));
    ck_assert_msg(strstr(why, "/nowhere/learned.hkn") != NULL, "%s", why);
    idx_close(layer);
}
END_TEST

static void
write_bytes(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert(f && fwrite(bytes, 1, n, f) == n && !fclose(f));
}

/* A corpus of its own. */
static void
write_few(char few[256])
{
    char path[300];
    make_folder(few, 256);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%d.wav", few, i);
        write_wav(path, strange[i], RATE, RATE);
    }
}

START_TEST(a_file_that_is_no_layer_or_of_another_space_is_refused)
{
    char path[300], few[256], other[300];
    size_t n;
    idx_index *layer = learn_strange(1), *out, *stranger;
    const void *bytes = idx_memory(layer, &n);
    snprintf(path, sizeof path, "%s/bad.hkn", folder);
    write_bytes(path, bytes, n - 64);
    ck_assert(!rt_layer_load(&out, path, ix, why, sizeof why) && !out);
    ck_assert_msg(strstr(why, path) != NULL, "%s", why);
    ck_assert(!rt_layer_load(&out, index_path, ix, why, sizeof why) && !out);
    ck_assert_msg(strstr(why, "holds no learned sounds") != NULL, "%s", why);
    write_few(few);
    snprintf(other, sizeof other, "%s/other.hkn", few);
    build_corpus(few, &options, 2, other);
    ck_assert(!idx_open(&stranger, other, why, sizeof why));
    ck_assert(!rt_layer_fits(layer, stranger) && rt_layer_fits(layer, ix));
    write_bytes(path, bytes, n);
    ck_assert(rt_layer_load(&out, path, ix, why, sizeof why) && out);
    idx_close(out);
    ck_assert(!rt_layer_load(&out, path, stranger, why, sizeof why) && !out);
    ck_assert_msg(strstr(why, "another embedding space") != NULL, "%s", why);
    remove(path);
    remove_tree(few);
    idx_close(stranger);
    idx_close(layer);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("layer");
    TCase *tc = tcase_create("layer");
    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, build_once, remove_once);
    tcase_add_loop_test(tc, a_sound_is_learned_as_build_takes_it_from_a_file, 0,
                        CORPUS_SOUNDS);
    tcase_add_test(tc, each_label_is_one_sound_and_what_is_learned_again_joins_it);
    tcase_add_test(tc, to_forget_a_label_leaves_the_others_as_they_were);
    tcase_add_test(tc, what_cannot_be_learned_is_refused_in_a_sentence);
    tcase_add_test(tc, one_that_is_full_is_left_as_it_is);
    tcase_add_test(tc, without_memory_nothing_is_learned_and_nothing_leaks);
    tcase_add_test(tc, a_layer_is_saved_and_comes_back_as_it_was);
    tcase_add_test(tc, a_file_that_is_no_layer_or_of_another_space_is_refused);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
