/* rt/print.c: lines to a descriptor, whatever its reader does. */
#include "rt/print.h"
#include "rt/rt.h"
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char why[200];
static rt_counts counts;
static rt_inputs inputs;
static int ends[2]; /* of the pipe that is printed into */

/* Sounds whose paths are of control characters, six bytes each in JSON: lines that are
 * short, that just fill a batch, and that are longer than a pipe takes whole. */
static const size_t path_bytes[] = {1, 600, IDX_MAX_PATH};
enum { SOUNDS = 3 };
static char folder[200];
static idx_index *ix;

static void
open_index(void)
{
    static char paths[SOUNDS][IDX_MAX_PATH + 1];
    static const float mean[1], spread[1] = {1}, knots[2] = {-1, 1};
    idx_sound sounds[SOUNDS];
    char path[300];
    idx_contents c = {
        .n_sounds = SOUNDS, .sounds = sounds, .settings = "", .report = ""};
    for (uint32_t i = 0; i < SOUNDS; i++) {
        memset(paths[i], '\1', path_bytes[i]);
        sounds[i] = (idx_sound){.path = paths[i], .label = "a", .seconds = 1};
    }
    for (int s = 0; s < IDX_TIMBRE; s++)
        c.scales[s] = (idx_scale){.n_in = 1,
                                  .dim = 1,
                                  .n_knots = 2,
                                  .mean = mean,
                                  .spread = spread,
                                  .knots = knots};
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/x.hkn", folder);
    ck_assert_msg(!idx_write(path, &c, NULL, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
}

static void
setup(void)
{
    memset(&counts, 0, sizeof counts);
    ck_assert(rt_inputs_parse(&inputs, "in", why, sizeof why));
    signal(SIGPIPE, SIG_IGN); /* as rt_catch_stop() does */
    ck_assert(!pipe(ends));
    open_index();
}

static void
teardown(void)
{
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    idx_close(ix);
    remove_tree(folder);
}

static rt_print_config
config_of(void)
{
    return (rt_print_config){.how = {.format = RT_FORMAT_JSON, .index = ix},
                             .fd = ends[1],
                             .inputs = &inputs,
                             .counts = &counts};
}

static rt_print *
new_print(void)
{
    rt_print *p;
    const rt_print_config c = config_of();
    ck_assert_msg(rt_print_new(&p, &c, why, sizeof why), "%s", why);
    ck_assert_msg(rt_print_start(p, why, sizeof why), "%s", why);
    return p;
}

/* Matches with a sound, or with each in turn. */
static void
push_with(rt_print *p, uint64_t from, uint64_t to, uint32_t sound)
{
    for (; from < to; from++) {
        const uint32_t which = sound < SOUNDS ? sound : (uint32_t)(from % SOUNDS);
        const rt_match m = {.kind = RT_MATCH, .sound = which, .frame = from};
        rt_print_push(p, &m);
    }
}

static void
push(rt_print *p, uint64_t from, uint64_t to)
{
    push_with(p, from, to, 0);
}

/* What is in the pipe: whole lines, whose frames count up from first on; returns how
 * many. */
static uint64_t
read_lines(FILE *from, uint64_t first)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    uint64_t lines = 0;
    while ((n = getline(&line, &room, from)) > 0) {
        unsigned long long frame;
        ck_assert(line[n - 1] == '\n' && line[n - 2] == '}');
        ck_assert(sscanf(line, "{\"type\":\"match\",\"frame\":%llu,", &frame) == 1);
        ck_assert_uint_eq(frame, first + lines++);
    }
    free(line);
    return lines;
}

typedef struct {
    uint64_t lines;
    pthread_t thread;
} reader;

static void *
read_all(void *arg)
{
    reader *r = arg;
    FILE *from = fdopen(dup(ends[0]), "r");
    r->lines = read_lines(from, 0);
    fclose(from);
    return NULL;
}

static const struct {
    const char *name;
    uint32_t sound;
} lengths[] = {
    {"ordinary lines", 0},
    {"lines that just fill a batch", 1},
    {"lines longer than a pipe takes whole", 2},
    {"all of them", SOUNDS},
};

START_TEST(every_line_arrives_once_whole_and_in_order)
{
    enum { LINES = 2000 };
    reader r;
    rt_inputs_patient(&inputs, true); /* nothing may be lost */
    ck_assert(!pthread_create(&r.thread, NULL, read_all, &r));
    rt_print *p = new_print();
    push_with(p, 0, LINES, lengths[_i].sound);
    rt_print_close(p);
    close(ends[1]);
    ends[1] = -1;
    pthread_join(r.thread, NULL);
    ck_assert_msg(r.lines == LINES, "%s: %llu", lengths[_i].name,
                  (unsigned long long)r.lines);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_unprinted), 0);
}
END_TEST

START_TEST(a_reader_that_never_reads_holds_nobody_and_each_line_is_counted)
{
    enum { LINES = 3 * RT_LINES };
    rt_print *p = new_print();
    push(p, 0, LINES);
    ck_assert_uint_gt(rt_counted(&counts, RT_N_unprinted), RT_LINES);
    rt_print_close(p); /* ends, though the thread waits in write() */
    const uint64_t unprinted = rt_counted(&counts, RT_N_unprinted);
    close(ends[1]);
    ends[1] = -1;
    FILE *from = fdopen(dup(ends[0]), "r");
    ck_assert_uint_eq(read_lines(from, 0) + unprinted, LINES);
    fclose(from);
}
END_TEST

START_TEST(a_reader_that_comes_back_gets_the_lines_that_waited)
{
    reader r;
    rt_print *p = new_print();
    push(p, 0, RT_LINES / 2); /* more than the pipe holds, less than the ring */
    rt_sleep_ms(50);
    ck_assert(!pthread_create(&r.thread, NULL, read_all, &r));
    rt_print_close(p);
    close(ends[1]);
    ends[1] = -1;
    pthread_join(r.thread, NULL);
    ck_assert_uint_eq(r.lines, RT_LINES / 2);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_unprinted), 0);
}
END_TEST

START_TEST(a_reader_that_is_gone_is_no_end_and_each_line_is_counted)
{
    close(ends[0]);
    rt_print *p = new_print();
    push(p, 0, 100);
    uint64_t pushed = 100;
    for (; pushed < 300 && !rt_counted(&counts, RT_N_unprinted); pushed++) {
        rt_sleep_ms(5);
        push(p, pushed, pushed + 1);
    }
    ck_assert_uint_gt(rt_counted(&counts, RT_N_unprinted), 0);
    const uint64_t before = rt_counted(&counts, RT_N_unprinted);
    rt_inputs_patient(&inputs, true); /* not even in freewheel is it waited for */
    push(p, pushed, pushed + 2 * RT_LINES);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_unprinted), before + 2 * RT_LINES);
    rt_print_tick(p);
    rt_print_close(p);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_unprinted), pushed + 2 * RT_LINES);
    ends[0] = dup(ends[1]); /* for the teardown */
}
END_TEST

START_TEST(a_descriptor_that_does_not_wait_is_waited_for)
{
    reader r;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    rt_print *p = new_print();
    push(p, 0, RT_LINES / 2);
    rt_sleep_ms(50);
    ck_assert(!pthread_create(&r.thread, NULL, read_all, &r));
    rt_print_close(p);
    close(ends[1]);
    ends[1] = -1;
    pthread_join(r.thread, NULL);
    ck_assert_uint_eq(r.lines, RT_LINES / 2);
}
END_TEST

START_TEST(new_survives_every_allocation_failing)
{
    const rt_print_config c = config_of();
    rt_print *p = NULL;
    uint64_t k = 1;
    for (; !p; k++) {
        heap_fail_at = k;
        rt_print_new(&p, &c, why, sizeof why);
        heap_fail_at = 0;
        ck_assert(p || strstr(why, "memory"));
    }
    ck_assert_uint_gt(k, 3);
    rt_print_close(p);
    rt_print_close(NULL);
    rt_print_tick(NULL);
    rt_print_push(NULL, NULL);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/print");
    TCase *t = tcase_create("print");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, every_line_arrives_once_whole_and_in_order, 0,
                        sizeof lengths / sizeof *lengths);
    tcase_add_test(t, a_reader_that_never_reads_holds_nobody_and_each_line_is_counted);
    tcase_add_test(t, a_reader_that_comes_back_gets_the_lines_that_waited);
    tcase_add_test(t, a_reader_that_is_gone_is_no_end_and_each_line_is_counted);
    tcase_add_test(t, a_descriptor_that_does_not_wait_is_waited_for);
    tcase_add_test(t, new_survives_every_allocation_failing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
