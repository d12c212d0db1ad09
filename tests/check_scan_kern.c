/* Kernels of the search in cells: equal to their twin in C bit for bit, and what
 * scan_kern.h says they are. */
#include "tests/idx_support.h"

#include "index/half.h"
#include "index/scan_kern.h"

#include <check.h>
#include <float.h>

enum { ROWS = 9, BLOCKS = 5, SLOTS = BLOCKS * IDX_CODE_ROWS, MOST_DIM = 1024 };

static const idx_scan_kern *list[2];
static size_t n_list;

/* 0 to 67, and two lengths in use. */
static const size_t long_dims[] = {128, 1024};

static size_t
dim_of(int i)
{
    return i < 68 ? (size_t)i : long_dims[i - 68];
}

static float
any(uint64_t *state)
{
    return rnd_normal(state);
}

static int8_t
byte(uint64_t *state) /* -127..127, the ends often: where sums would overflow */
{
    const uint64_t r = rnd_u64(state);
    return (int8_t)(r % 4 == 0 ? (r & 16 ? 127 : -127)
                               : (int)(r >> 8 & 0xff) % 255 - 127);
}

/* ---- Cells ---------------------------------------------------------------------- */

static void
make_coarse(uint8_t *block, size_t dim, uint64_t *state)
{
    const size_t bytes = idx_coarse_bytes(dim);
    for (size_t i = 0; i < bytes - 64; i++)
        block[i] = (uint8_t)byte(state);
    for (size_t i = 0; i < 16; i++) {
        const float side = fabsf(any(state));
        memcpy(block + bytes - 64 + i * sizeof side, &side, sizeof side);
    }
}

/* As the header defines it. */
static double
coarse_slowly(const int8_t *q, double scale, const uint8_t *block, size_t dim, size_t k)
{
    const size_t bytes = idx_coarse_bytes(dim);
    float step, half;
    double sum = 0.0;
    memcpy(&step, block + bytes - 64 + k * sizeof step, sizeof step);
    memcpy(&half, block + bytes - 32 + k * sizeof half, sizeof half);
    for (size_t i = 0; i < (dim + 3) / 4 * 4; i++)
        sum += q[i] * (int8_t)block[i / 4 * 32 + k * 4 + i % 4];
    return scale * (double)step * sum - (double)half;
}

START_TEST(cells_are_scored_as_defined_and_as_by_the_twin)
{
    const size_t dim = dim_of(_i), bytes = idx_coarse_bytes(dim);
    uint64_t state = dim + 1;
    uint8_t *room = malloc(BLOCKS * bytes + 1);
    uint8_t *blocks = room + 1; /* any alignment */
    int8_t q[MOST_DIM];
    const float scale = 0.01F;
    for (size_t i = 0; i < sizeof q; i++)
        q[i] = byte(&state);
    for (size_t b = 0; b < BLOCKS; b++)
        make_coarse(blocks + b * bytes, dim, &state);
    for (size_t n = 0; n <= BLOCKS; n++) {
        float want[BLOCKS * 8 + 1], got[BLOCKS * 8 + 1];
        for (size_t i = 0; i <= BLOCKS * 8; i++)
            want[i] = got[i] = 99.0F;
        list[0]->coarse(want, q, scale, blocks, dim, n);
        ck_assert(want[n * 8] == 99.0F);
        for (size_t k = 1; k < n_list; k++) {
            list[k]->coarse(got, q, scale, blocks, dim, n);
            ck_assert_msg(memcmp(want, got, sizeof want) == 0, "%s: dim %zu, n %zu",
                          list[k]->name, dim, n);
        }
        for (size_t i = 0; i < n * 8; i++) {
            const double slow =
                coarse_slowly(q, (double)scale, blocks + i / 8 * bytes, dim, i % 8);
            ck_assert_double_eq_tol((double)want[i], slow, 1e-6 * (1.0 + fabs(slow)));
        }
    }
    free(room);
}
END_TEST

/* ---- Codes ---------------------------------------------------------------------- */

static const size_t widths[] = {8, 16, 24, 32, 64, 128, 256, 1024};
static const float infinite = INFINITY;

static void
make_block(uint8_t *block, size_t bits, uint64_t *state)
{
    for (size_t i = 0; i < bits * 4; i++)
        block[i] = (uint8_t)rnd_u64(state);
    for (size_t j = 0; j < IDX_CODE_ROWS; j++) {
        const bool none = rnd_u64(state) % 5 == 0;
        const uint16_t factor = idx_to_half(none ? 0.0F : fabsf(any(state)));
        const uint16_t offset = idx_to_half(none ? -infinite : any(state));
        memcpy(block + bits * 4 + 2 * j, &factor, 2);
        memcpy(block + bits * 4 + 64 + 2 * j, &offset, 2);
    }
}

static double
upper_slowly(const idx_scan *s, const uint8_t *block, size_t bits, size_t j)
{
    uint16_t side[2];
    double sum = 0.0;
    for (size_t i = 0; i < bits; i += 4) {
        const uint8_t pair = block[i / 8 * IDX_CODE_ROWS + j];
        sum += s->table[4 * i + (i % 8 ? pair >> 4 : pair & 15)];
    }
    memcpy(&side[0], block + bits * 4 + 2 * j, 2);
    memcpy(&side[1], block + bits * 4 + 64 + 2 * j, 2);
    return (double)idx_from_half(side[0]) *
               ((double)s->scale * sum + (double)s->shift) +
           (double)idx_from_half(side[1]) + (double)s->base;
}

static int
by_upper(const void *a, const void *b)
{
    const float x = ((const idx_survivor *)a)->upper,
                y = ((const idx_survivor *)b)->upper;
    return (x > y) - (x < y);
}

static void
same_survivors(const idx_scan *s, const uint8_t *blocks, size_t bits, size_t n)
{
    for (size_t k = 1; k < n_list; k++) {
        idx_survivor want[SLOTS], got[SLOTS];
        const uint32_t n_want = list[0]->scan(s, blocks, bits, n, want);
        const uint32_t n_got = list[k]->scan(s, blocks, bits, n, got);
        ck_assert_msg(n_want == n_got && memcmp(want, got, n_want * sizeof *want) == 0,
                      "%s: %zu bits, %zu blocks, least %g", list[k]->name, bits, n,
                      (double)s->least);
    }
}

/* All that is there survives -FLT_MAX, each with its upper, and no empty slot. */
static uint32_t
check_all(const idx_scan *s, const uint8_t *blocks, size_t bits, size_t n,
          idx_survivor out[])
{
    const uint32_t n_out = list[0]->scan(s, blocks, bits, n, out);
    uint32_t at = 0;
    for (uint32_t i = 0; i < n * IDX_CODE_ROWS; i++) {
        const uint8_t *block = blocks + i / IDX_CODE_ROWS * idx_block_bytes(bits);
        const double upper = upper_slowly(s, block, bits, i % IDX_CODE_ROWS);
        if (upper < -1e30)
            continue;
        ck_assert(at < n_out && out[at].entry == s->first + i);
        ck_assert_double_eq_tol((double)out[at].upper, upper, 1e-4);
        at++;
    }
    ck_assert_uint_eq(at, n_out);
    return n_out;
}

START_TEST(codes_are_scored_as_defined_and_as_by_the_twin)
{
    const size_t bits = widths[_i], bytes = idx_block_bytes(bits);
    uint64_t state = bits;
    _Alignas(16) uint8_t table[1024 * 4];
    uint8_t *room = malloc(BLOCKS * bytes + 1);
    uint8_t *blocks = room + 1;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < bits * 4; i++) /* at times all at the greatest */
            table[i] = round ? (uint8_t)(rnd_u64(&state) % (IDX_TABLE_MAX + 1))
                             : IDX_TABLE_MAX;
        for (size_t b = 0; b < BLOCKS; b++)
            make_block(blocks + b * bytes, bits, &state);
        idx_scan s = {.table = table,
                      .scale = 0.02F,
                      .shift = any(&state),
                      .base = any(&state),
                      .first = 1000};
        for (size_t n = 0; n <= BLOCKS; n++) {
            idx_survivor all[SLOTS];
            s.least = -FLT_MAX;
            same_survivors(&s, blocks, bits, n);
            const uint32_t n_all = check_all(&s, blocks, bits, n, all);
            qsort(all, n_all, sizeof *all, by_upper);
            s.least = n_all ? all[n_all / 2].upper : 0.0F; /* one is equal to it */
            same_survivors(&s, blocks, bits, n);
            idx_survivor half[SLOTS];
            const uint32_t n_half = list[0]->scan(&s, blocks, bits, n, half);
            ck_assert_uint_ge(n_half, n_all - n_all / 2);
            for (uint32_t i = 0; i < n_half; i++)
                ck_assert(half[i].upper >= s.least);
            s.least = infinite;
            same_survivors(&s, blocks, bits, n);
            ck_assert_uint_eq(list[0]->scan(&s, blocks, bits, n, half), 0);
        }
    }
    free(room);
}
END_TEST

START_TEST(factors_that_are_no_numbers_let_nothing_through)
{
    _Alignas(16) uint8_t table[32] = {0};
    uint8_t block[8 * 4 + 128];
    idx_survivor out[IDX_CODE_ROWS];
    const uint16_t nan = 0x7e00, offset = 0;
    memset(block, 0, sizeof block);
    for (size_t j = 0; j < IDX_CODE_ROWS; j++) {
        memcpy(block + 32 + 2 * j, &nan, 2);
        memcpy(block + 96 + 2 * j, &offset, 2);
    }
    const idx_scan s = {
        .table = table, .scale = 1.0F, .shift = 1.0F, .least = -FLT_MAX};
    for (size_t k = 0; k < n_list; k++)
        ck_assert_uint_eq(list[k]->scan(&s, block, 8, 1, out), 0);
}
END_TEST

/* ---- Rows of bytes -------------------------------------------------------------- */

static double
product(const float x[], const int8_t row[], double step, size_t dim, bool gap)
{
    double sum = 0.0;
    for (size_t i = 0; i < dim; i++) {
        const double y = step * row[i], d = (double)x[i] - y;
        sum += gap ? d * d : (double)x[i] * y;
    }
    return sum;
}

START_TEST(rows_of_bytes_are_compared_as_defined_and_as_by_the_twin)
{
    const size_t dim = dim_of(_i);
    uint64_t state = dim + 77;
    float room[MOST_DIM + 1], *x = room + 1, step[ROWS];
    int8_t *bytes = malloc(ROWS * dim + 1), *rows = bytes + 1;
    static const uint32_t id[ROWS] = {3, 0, 8, 1, 7, 7, 2, 5, 4};
    for (size_t i = 0; i < dim; i++)
        x[i] = any(&state);
    for (size_t i = 0; i < ROWS * dim; i++)
        rows[i] = byte(&state);
    for (size_t i = 0; i < ROWS; i++)
        step[i] = i == 2 ? 0.0F : 0.01F * fabsf(any(&state));
    for (int gap = 0; gap < 2; gap++)
        for (size_t n = 0; n <= ROWS; n++) {
            float want[ROWS + 1], got[ROWS + 1];
            for (size_t i = 0; i <= ROWS; i++)
                want[i] = got[i] = 99.0F;
            (gap ? list[0]->gap_picks8 : list[0]->picks8)(want, x, rows, step, dim, id,
                                                          n);
            ck_assert(want[n] == 99.0F);
            for (size_t k = 1; k < n_list; k++) {
                (gap ? list[k]->gap_picks8 : list[k]->picks8)(got, x, rows, step, dim,
                                                              id, n);
                ck_assert_msg(memcmp(want, got, sizeof want) == 0,
                              "%s: dim %zu, n %zu, gap %d", list[k]->name, dim, n, gap);
            }
            for (size_t i = 0; i < n; i++) {
                const double slow =
                    product(x, rows + id[i] * dim, (double)step[id[i]], dim, gap != 0);
                const double size = 1.0 + (double)dim;
                ck_assert_double_eq_tol((double)want[i], slow, 2e-6 * size);
            }
        }
    free(bytes);
}
END_TEST

START_TEST(the_environment_can_force_the_twin)
{
    setenv("IDX_KERN", "c", 1);
    ck_assert_str_eq(idx_scan_kern_pick()->name, "c");
    setenv("IDX_KERN", "no such kernel", 1);
    ck_assert_ptr_eq(idx_scan_kern_pick(), list[n_list - 1]);
    unsetenv("IDX_KERN");
    ck_assert_ptr_eq(idx_scan_kern_pick(), list[n_list - 1]);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("scan_kern");
    TCase *tc = tcase_create("kernels");
    n_list = idx_scan_kern_list(list);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, cells_are_scored_as_defined_and_as_by_the_twin, 1, 70);
    tcase_add_loop_test(tc, codes_are_scored_as_defined_and_as_by_the_twin, 0,
                        (int)(sizeof widths / sizeof *widths));
    tcase_add_test(tc, factors_that_are_no_numbers_let_nothing_through);
    tcase_add_loop_test(tc, rows_of_bytes_are_compared_as_defined_and_as_by_the_twin, 0,
                        70);
    tcase_add_test(tc, the_environment_can_force_the_twin);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
