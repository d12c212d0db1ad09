/* rt/capture.c: from an audio callback into the ring. */
#include "rt/capture.h"
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { FAR = 20 * RT_BLOCK_FRAMES }; /* samples in the longest single feed */

typedef struct {
    rt_capture cap;
    rt_counts counts;
    sem_t wake;
} bench;

static void
bench_open(bench *b, size_t n_slots)
{
    memset(b, 0, sizeof *b);
    sem_init(&b->wake, 0, 0);
    b->cap.ring = rt_ring_new(n_slots, sizeof(rt_block));
    b->cap.wake = &b->wake;
    b->cap.counts = &b->counts;
    ck_assert(b->cap.ring);
}

static void
bench_close(bench *b)
{
    rt_ring_free(b->cap.ring);
    sem_destroy(&b->wake);
}

/* Samples that are their own numbers: a float tells whole numbers apart up to 2^24. */
static void
number(float x[], uint32_t n, uint64_t first)
{
    for (uint32_t i = 0; i < n; i++)
        x[i] = (float)((first + i) & 0xffffff);
}

/* Samples of a block that are not the ones its frame number promises. */
static uint32_t
wrong_samples(const rt_block *b)
{
    uint32_t wrong = b->n_frames < 1 || b->n_frames > RT_BLOCK_FRAMES;
    for (uint32_t i = 0; i < b->n_frames && i < RT_BLOCK_FRAMES; i++)
        wrong += b->x[i] != (float)((b->first_frame + i) & 0xffffff);
    return wrong;
}

static void
sleep_ms(long ms)
{
    const struct timespec t = {.tv_nsec = ms * 1000000};
    nanosleep(&t, NULL);
}

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const struct {
    const char *name;
    uint32_t feed_frames;
    uint64_t first;
    double us_per_frame;
} feeds[] = {
    {"single samples", 1, 0, 1e6 / 48000},
    {"64 frames", 64, 0, 1e6 / 48000},
    {"one short of a block", RT_BLOCK_FRAMES - 1, 0, 1e6 / 44100},
    {"a block", RT_BLOCK_FRAMES, 0, 1e6 / 44100},
    {"one more than a block", RT_BLOCK_FRAMES + 1, 0, 1e6 / 44100},
    {"999 frames", 999, 0, 1e6 / 96000},
    {"4096 frames", 4096, 0, 1e6 / 48000},
    {"4096 frames after a month", 4096, UINT64_C(3000000) * 48000, 1e6 / 48000},
    {"999 frames without a clock", 999, 7, 0},
};

START_TEST(every_sample_arrives_once_in_order_with_its_number_and_time)
{
    static float x[FAR];
    const uint32_t n = feeds[_i].feed_frames, turns = n < 64 ? 2000 : 60;
    uint64_t frame = feeds[_i].first, expected = frame, blocks = 0, heap = 0;
    bench b;
    bench_open(&b, 32);
    for (uint32_t turn = 0; turn < turns; turn++, frame += n) {
        const int64_t us = 1000000 + 12345 * (int64_t)turn;
        const rt_block *got;
        int posted;
        number(x, n, frame);
        const uint64_t before = heap_calls;
        rt_capture_feed(&b.cap, x, n, frame, us, feeds[_i].us_per_frame);
        heap += heap_calls - before;
        for (; (got = rt_ring_front(b.cap.ring)) != NULL; blocks++) {
            const double late =
                (double)(got->first_frame - frame) * feeds[_i].us_per_frame;
            ck_assert_msg(got->first_frame == expected, "case: %s", feeds[_i].name);
            ck_assert_msg(wrong_samples(got) == 0, "case: %s", feeds[_i].name);
            ck_assert_msg(fabs((double)(got->first_us - us) - late) <= 1,
                          "case: %s: %lld us", feeds[_i].name,
                          (long long)(got->first_us - us));
            expected += got->n_frames;
            rt_ring_release(b.cap.ring);
        }
        ck_assert(expected == frame + n);
        ck_assert(!sem_getvalue(&b.wake, &posted) && posted == (int)turn + 1);
    }
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_blocks), blocks);
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_dropped_blocks), 0);
    ck_assert_uint_eq(heap, 0);
    bench_close(&b);
}
END_TEST

START_TEST(nothing_fed_leaves_no_block)
{
    bench b;
    float x = 0;
    bench_open(&b, 4);
    rt_capture_feed(&b.cap, &x, 0, 5, 0, 1);
    ck_assert_uint_eq(rt_ring_count(b.cap.ring), 0);
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_blocks), 0);
    bench_close(&b);
}
END_TEST

START_TEST(a_full_ring_drops_what_does_not_fit_and_counts_it)
{
    static float x[FAR];
    bench b;
    rt_block got;
    bench_open(&b, 4);
    number(x, FAR, 0);
    rt_capture_feed(&b.cap, x, 10 * RT_BLOCK_FRAMES, 0, 0, 1);
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_blocks), 10);
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_dropped_blocks), 6);
    for (uint64_t i = 0; i < 2; i++) { /* the oldest are kept */
        ck_assert(rt_ring_pop(b.cap.ring, &got) && !wrong_samples(&got));
        ck_assert_uint_eq(got.first_frame, i * RT_BLOCK_FRAMES);
    }
    rt_capture_feed(&b.cap, x + 10 * RT_BLOCK_FRAMES, 3 * RT_BLOCK_FRAMES,
                    10 * RT_BLOCK_FRAMES, 0, 1);
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_dropped_blocks), 7);
    static const uint64_t left[] = {2, 3, 10, 11}; /* a jump tells of the lost ones */
    for (size_t i = 0; i < 4; i++) {
        ck_assert(rt_ring_pop(b.cap.ring, &got) && !wrong_samples(&got));
        ck_assert_uint_eq(got.first_frame, left[i] * RT_BLOCK_FRAMES);
    }
    ck_assert(!rt_ring_pop(b.cap.ring, &got));
    bench_close(&b);
}
END_TEST

/* ---- Freewheel --------------------------------------------------------------------
 */

typedef struct {
    bench *b;
    uint64_t until, expected;
    uint32_t wrong;
} reader;

/* A consumer that is slower than the producer. */
static void *
read_slowly(void *arg)
{
    reader *r = arg;
    while (r->expected < r->until) {
        const rt_block *got;
        sem_wait(&r->b->wake);
        for (; (got = rt_ring_front(r->b->cap.ring)) != NULL;
             rt_ring_release(r->b->cap.ring)) {
            r->wrong += wrong_samples(got) + (got->first_frame != r->expected);
            r->expected = got->first_frame + got->n_frames;
            if (got->first_frame % (64 * RT_BLOCK_FRAMES) == 0)
                sleep_ms(1);
        }
    }
    return NULL;
}

START_TEST(in_freewheel_a_slow_consumer_loses_nothing)
{
    enum { TURNS = 100 };
    static float x[FAR];
    bench b;
    reader r = {.b = &b, .until = (uint64_t)TURNS * FAR};
    pthread_t thread;
    bench_open(&b, 4);
    atomic_store(&b.cap.patient, true);
    ck_assert(!pthread_create(&thread, NULL, read_slowly, &r));
    for (uint64_t turn = 0; turn < TURNS; turn++) {
        number(x, FAR, turn * FAR);
        rt_capture_feed(&b.cap, x, FAR, turn * FAR, 0, 1);
    }
    pthread_join(thread, NULL);
    ck_assert_uint_eq(r.wrong, 0);
    ck_assert_uint_eq(r.expected, r.until);
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_dropped_blocks), 0);
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_blocks), TURNS * 20);
    bench_close(&b);
}
END_TEST

static void *
end_freewheel(void *arg)
{
    rt_capture *cap = arg;
    sleep_ms(100);
    atomic_store(&cap->patient, false);
    return NULL;
}

START_TEST(the_end_of_freewheel_ends_the_waiting)
{
    static float x[2 * RT_BLOCK_FRAMES];
    bench b;
    pthread_t thread;
    bench_open(&b, 1);
    atomic_store(&b.cap.patient, true);
    const double began = seconds();
    ck_assert(!pthread_create(&thread, NULL, end_freewheel, &b.cap));
    rt_capture_feed(&b.cap, x, 2 * RT_BLOCK_FRAMES, 0, 0, 1);
    const double took = seconds() - began;
    pthread_join(thread, NULL);
    ck_assert_msg(took > 0.09 && took < 1.5, "%g s", took);
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_dropped_blocks), 1);
    bench_close(&b);
}
END_TEST

START_TEST(in_freewheel_a_dead_consumer_is_waited_for_only_so_long)
{
    static float x[2 * RT_BLOCK_FRAMES];
    bench b;
    bench_open(&b, 1);
    atomic_store(&b.cap.patient, true);
    const double began = seconds();
    rt_capture_feed(&b.cap, x, 2 * RT_BLOCK_FRAMES, 0, 0, 1);
    ck_assert_double_gt(seconds() - began, 1.9);
    ck_assert_uint_eq(rt_counted(&b.counts, RT_N_dropped_blocks), 1);
    bench_close(&b);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/capture");
    TCase *t = tcase_create("capture");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_sample_arrives_once_in_order_with_its_number_and_time,
                        0, N(feeds));
    tcase_add_test(t, nothing_fed_leaves_no_block);
    tcase_add_test(t, a_full_ring_drops_what_does_not_fit_and_counts_it);
    tcase_add_test(t, in_freewheel_a_slow_consumer_loses_nothing);
    tcase_add_test(t, the_end_of_freewheel_ends_the_waiting);
    tcase_add_test(t, in_freewheel_a_dead_consumer_is_waited_for_only_so_long);
    suite_add_tcase(s, t);
    return run_suite(s);
}
