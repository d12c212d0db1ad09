/* Search over binary codes against its definition. */
#include "support.h"

#include "index/codes.h"
#include "index/codes_kern.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_N = 3000, MAX_WORDS = IDX_CODE_WORDS };

static uint64_t words[MAX_N * MAX_WORDS], query[MAX_WORDS];
static idx_code_hit want[MAX_N], got[MAX_N + 1];

/* Codes with a bit in `sparse` + 1 set, some of them equal, empty or full. */
static void
fill(uint32_t n, uint32_t n_words, int sparse, uint64_t seed)
{
    for (uint32_t i = 0; i < n * n_words; i++) {
        words[i] = random_u64(&seed);
        for (int s = 0; s < sparse; s++)
            words[i] &= random_u64(&seed);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t *code = words + (size_t)i * n_words;
        if (i % 11 == 5)
            memset(code, i % 2 ? 0xff : 0, n_words * sizeof *code);
        if (i % 7 == 3)
            memcpy(code, words, n_words * sizeof *code);
    }
    for (uint32_t w = 0; w < n_words; w++)
        query[w] = random_u64(&seed) & (sparse ? random_u64(&seed) : UINT64_MAX);
}

/* ---- Definition ------------------------------------------------------------------ */

typedef struct {
    uint32_t id;
    int over, under; /* the distance is over / under */
} ranked;

static ranked
measure(uint32_t id, uint32_t n_words, bool jaccard)
{
    int differ = 0, both = 0, either = 0;
    for (uint32_t b = 0; b < n_words * 64; b++) {
        const int x = query[b / 64] >> b % 64 & 1;
        const int y = words[(size_t)id * n_words + b / 64] >> b % 64 & 1;
        differ += x != y;
        both += x && y;
        either += x || y;
    }
    if (!jaccard)
        return (ranked){id, differ, 1};
    return either ? (ranked){id, either - both, either} : (ranked){id, 1, 1};
}

static int
by_distance(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    const int d = x->over * y->under - y->over * x->under; /* exact */
    return d ? d : (x->id > y->id) - (x->id < y->id);
}

static void
search_by_definition(uint32_t n, uint32_t n_words, bool jaccard)
{
    static ranked all[MAX_N];
    for (uint32_t i = 0; i < n; i++)
        all[i] = measure(i, n_words, jaccard);
    qsort(all, n, sizeof *all, by_distance);
    for (uint32_t i = 0; i < n; i++)
        want[i] = (idx_code_hit){all[i].id, (float)all[i].over / (float)all[i].under};
}

/* ---- Search ---------------------------------------------------------------------- */

static idx_code_scratch *
scratch_new(uint32_t max_codes, uint32_t max_hits)
{
    idx_code_scratch *s;
    ck_assert(idx_code_scratch_new(&s, max_codes, max_hits) == IDX_OK);
    return s;
}

static idx_status
search(bool jaccard, const idx_codes *codes, idx_code_scratch *s, uint32_t k,
       uint32_t *n_hits)
{
    return jaccard ? idx_codes_jaccard(codes, s, query, k, got, n_hits)
                   : idx_codes_hamming(codes, s, query, k, got, n_hits);
}

static void
compare(uint32_t n, uint32_t n_words, bool jaccard, idx_code_scratch *s)
{
    static const uint32_t ks[] = {1, 2, 10, 100, MAX_N, UINT32_MAX};
    const idx_codes codes = {words, n, n_words};
    search_by_definition(n, n_words, jaccard);
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
        const uint32_t most = ks[i] < n ? ks[i] : n;
        uint32_t n_hits = 99;
        memset(got, 0xaa, sizeof got);
        ck_assert(search(jaccard, &codes, s, ks[i], &n_hits) == IDX_OK);
        ck_assert_uint_eq(n_hits, most);
        for (uint32_t h = 0; h < most; h++)
            ck_assert_msg(got[h].id == want[h].id && got[h].distance >= 0 &&
                              got[h].distance - want[h].distance < 1e-6F &&
                              want[h].distance - got[h].distance < 1e-6F,
                          "%u codes of %u words, k %u, hit %u: %u at %.9g, not %u at "
                          "%.9g",
                          n, n_words, ks[i], h, got[h].id, (double)got[h].distance,
                          want[h].id, (double)want[h].distance);
        ck_assert_uint_eq(got[most].id, 0xaaaaaaaa); /* nothing behind the hits */
    }
}

START_TEST(search_equals_its_definition)
{
    static const uint32_t ns[] = {0, 1, 2, 63, 64, 65, 500, 1023, 1024, 1025, MAX_N};
    static const uint32_t n_words[] = {1, 2, 3, 5, 16};
    const bool jaccard = _i & 1;
    if (_i & 2)
        setenv("IDX_KERN", "c", 1);
    idx_code_scratch *s = scratch_new(MAX_N, MAX_N);
    for (size_t i = 0; i < sizeof ns / sizeof *ns; i++)
        for (size_t w = 0; w < sizeof n_words / sizeof *n_words; w++) {
            fill(ns[i], n_words[w], (int)(i % 4), i + 20 * w + 1);
            compare(ns[i], n_words[w], jaccard, s);
        }
    idx_code_scratch_free(s);
    unsetenv("IDX_KERN");
}
END_TEST

/* Every fraction of up to 1024 bits: code i has i bits of the query's and 1024 - j. */
START_TEST(jaccard_orders_close_fractions_exactly)
{
    idx_code_scratch *s = scratch_new(MAX_N, MAX_N);
    memset(query, 0, sizeof query);
    for (int b = 0; b < 520; b++)
        query[b / 64] |= (uint64_t)1 << b % 64;
    memset(words, 0, sizeof words);
    for (int i = 0; i < MAX_N; i++) {
        uint64_t *code = words + i * MAX_WORDS;
        for (int b = 0; b < 400 + i % 101; b++)
            code[b / 64] |= (uint64_t)1 << b % 64;
        for (int b = 1023; b > 1023 - i * 7 % 503; b--)
            code[b / 64] |= (uint64_t)1 << b % 64;
    }
    compare(MAX_N, MAX_WORDS, true, s);
    idx_code_scratch_free(s);
}
END_TEST

START_TEST(codes_without_bits_are_at_jaccard_distance_1)
{
    idx_code_scratch *s = scratch_new(3, 3);
    const idx_codes codes = {words, 3, 2};
    uint32_t n_hits;
    memset(words, 0, 6 * sizeof *words);
    memset(query, 0, sizeof query);
    words[3] = 5; /* code 1 */
    ck_assert(idx_codes_jaccard(&codes, s, query, 3, got, &n_hits) == IDX_OK);
    ck_assert_uint_eq(n_hits, 3);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert(got[i].id == i && got[i].distance == 1);
    ck_assert(idx_codes_hamming(&codes, s, query, 3, got, &n_hits) == IDX_OK);
    ck_assert(got[0].id == 0 && got[1].id == 2 && got[2].id == 1);
    ck_assert(got[1].distance == 0 && got[2].distance == 2);
    idx_code_scratch_free(s);
}
END_TEST

START_TEST(permuting_the_codes_permutes_the_ids_only)
{
    enum { N = 1009, K = 50, STEP = 387 }; /* N is prime */
    static uint64_t moved[N * 2];
    idx_code_scratch *s = scratch_new(N, N);
    const idx_codes codes = {words, N, 2}, other = {moved, N, 2};
    const bool jaccard = _i;
    uint32_t n_hits;
    fill(N, 2, 1, 3);
    for (uint32_t i = 0; i < N; i++)
        memcpy(moved + i * STEP % N * 2, words + i * 2, 2 * sizeof *moved);
    ck_assert(search(jaccard, &codes, s, K, &n_hits) == IDX_OK);
    memcpy(want, got, sizeof want);
    ck_assert(search(jaccard, &other, s, K, &n_hits) == IDX_OK);
    for (uint32_t i = 0; i < K; i++) {
        ck_assert(got[i].distance == want[i].distance);
        bool tied = false; /* equal distances may trade places, and the last leave */
        for (uint32_t j = 0; j < K; j++)
            tied |= j != i && want[j].distance == want[i].distance;
        if (!tied && i + 1 < K)
            ck_assert_uint_eq(got[i].id, want[i].id * STEP % N);
    }
    idx_code_scratch_free(s);
}
END_TEST

static const struct {
    const char *name;
    uint32_t n, n_words, k;
    idx_status status;
} arguments[] = {
    {"k of 0", 10, 2, 0, IDX_EARG},
    {"k of 0 and no codes", 0, 2, 0, IDX_EARG},
    {"no words", 10, 0, 1, IDX_EARG},
    {"too many words", 10, IDX_CODE_WORDS + 1, 1, IDX_EARG},
    {"more codes than the scratch has room for", 21, 2, 1, IDX_EARG},
    {"more hits than the scratch has room for", 20, 2, 6, IDX_EARG},
    {"as many as it has", 20, 2, 5, IDX_OK},
    {"k above n, which has room", 5, 2, 1000, IDX_OK},
    {"no codes", 0, 2, 1000, IDX_OK},
};

START_TEST(arguments_out_of_range_are_refused)
{
    idx_code_scratch *s = scratch_new(20, 5);
    const idx_codes codes = {words, arguments[_i].n, arguments[_i].n_words};
    fill(30, 2, 0, 1);
    for (int jaccard = 0; jaccard < 2; jaccard++) {
        uint32_t n_hits = 99;
        ck_assert_msg(search(jaccard, &codes, s, arguments[_i].k, &n_hits) ==
                          arguments[_i].status,
                      "%s", arguments[_i].name);
        ck_assert_uint_le(n_hits, arguments[_i].status ? 0 : 5);
    }
    idx_code_scratch_free(s);
}
END_TEST

START_TEST(searches_leave_the_heap_alone)
{
    idx_code_scratch *s = scratch_new(MAX_N, 100);
    const idx_codes codes = {words, MAX_N, 2};
    uint32_t n_hits;
    fill(MAX_N, 2, 1, 1);
    const uint64_t before = heap_calls;
    for (int i = 0; i < 100; i++)
        search(i & 1, &codes, s, (uint32_t)i + 1, &n_hits);
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(before, after);
    idx_code_scratch_free(s);
}
END_TEST

START_TEST(new_survives_every_allocation_failing)
{
    idx_code_scratch *s = NULL;
    uint64_t k = 1;
    for (; !s; k++) {
        heap_fail_at = k;
        const idx_status st = idx_code_scratch_new(&s, 100, 10);
        heap_fail_at = 0;
        ck_assert(st == (s ? IDX_OK : IDX_ENOMEM));
    }
    ck_assert_uint_eq(k, 5);
    idx_code_scratch_free(s);
    idx_code_scratch_free(NULL);
    idx_code_scratch_free(scratch_new(0, 0));
}
END_TEST

/* ---- Kernels and bit order --------------------------------------------------------
 */

START_TEST(kernels_equal_their_twin)
{
    enum { N = 67 };
    const idx_code_kern *list[2];
    const size_t n_list = idx_code_kern_list(list), n_words = (size_t)_i;
    uint16_t a[2][N + 1] = {{0}}, b[2][N + 1] = {{0}};
    fill(N, (uint32_t)n_words, 0, (uint64_t)_i);
    for (size_t n = 0; n <= N; n++)
        for (size_t k = 1; k < n_list; k++) {
            list[0]->differ(a[0], query, words, n_words, n);
            list[k]->differ(b[0], query, words, n_words, n);
            ck_assert_mem_eq(a, b, sizeof a);
            list[0]->overlap(a[0], a[1], query, words, n_words, n);
            list[k]->overlap(b[0], b[1], query, words, n_words, n);
            ck_assert_mem_eq(a, b, sizeof a);
        }
}
END_TEST

START_TEST(the_environment_can_force_the_twin)
{
    setenv("IDX_KERN", "c", 1);
    ck_assert_str_eq(idx_code_kern_pick()->name, "c");
    unsetenv("IDX_KERN");
}
END_TEST

START_TEST(packbits_has_its_first_bit_on_top)
{
    /* base64 AIAAAAAAAAAAQAAAAAAAEA==, of numpy.packbits */
    static const uint8_t packed[16] = {[1] = 0x80, [9] = 0x40, [15] = 0x10};
    static const uint8_t ones[2] = {0xff, 0xff};
    uint64_t code[2];
    idx_code_from_packbits(packed, 128, code);
    ck_assert_uint_eq(code[0], (uint64_t)1 << 8);
    ck_assert_uint_eq(code[1], (uint64_t)1 << (73 - 64) | (uint64_t)1 << (123 - 64));
    code[1] = 99;
    idx_code_from_packbits(ones, 11, code);
    ck_assert_uint_eq(code[0], 0x7ff);
    ck_assert_uint_eq(code[1], 99);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("codes");
    TCase *t = tcase_create("codes");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, search_equals_its_definition, 0, 4);
    tcase_add_test(t, jaccard_orders_close_fractions_exactly);
    tcase_add_test(t, codes_without_bits_are_at_jaccard_distance_1);
    tcase_add_loop_test(t, permuting_the_codes_permutes_the_ids_only, 0, 2);
    tcase_add_loop_test(t, arguments_out_of_range_are_refused, 0,
                        sizeof arguments / sizeof *arguments);
    tcase_add_test(t, searches_leave_the_heap_alone);
    tcase_add_test(t, new_survives_every_allocation_failing);
    tcase_add_loop_test(t, kernels_equal_their_twin, 1, MAX_WORDS + 1);
    tcase_add_test(t, the_environment_can_force_the_twin);
    tcase_add_test(t, packbits_has_its_first_bit_on_top);
    suite_add_tcase(s, t);
    return run_suite(s);
}
