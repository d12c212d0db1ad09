/* hearken listen x.hkn: JACK in, OSC out. Begins and ends; listen_loop.c is between. */
#include "fence.h"
#include "listen.h"
#include "load.h"
#include "records.h"
#include "rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
push_match(void *ctx, const rt_match *m)
{
    rt_listener *l = ctx;
    rt_publish_push(l->publish, m);
}

static void
push_asked(void *ctx, const rt_asked *q)
{
    rt_listener *l = ctx;
    rt_truth_offer(l->shelf->book[q->book].truth, q);
}

static void *
run_analysis(void *arg)
{
    rt_listener *l = arg;
    dsp_thread_init();
    rt_honest_enter(&l->honest, RT_ANALYSIS);
    while (!atomic_load(&l->stop)) {
        while (sem_wait(&l->blocks_wake)) /* EINTR */
            ;
        rt_inputs_analyse(&l->inputs);
        rt_honest_faults(&l->honest, &l->counts);
    }
    rt_inputs_analyse(&l->inputs); /* what came between the last look and the end */
    return NULL;
}

static int
open_publish(rt_listener *l, char *why, size_t why_len)
{
    const rt_publish_config publish = {.options = &l->options,
                                       .shelf = l->shelf,
                                       .inputs = &l->inputs,
                                       .counts = &l->counts,
                                       .print = l->print,
                                       .live = l->live,
                                       .honest = &l->honest,
                                       .now_us = rt_jack_now_us,
                                       .sequence = l->left.sequence};
    const int status = rt_publish_open(&l->publish, &publish, why, why_len);
    if (status)
        return status;
    l->options.match.asked = rt_publish_asks(l->publish);
    for (uint32_t i = 0; i < l->shelf->n; i++) /* of which analyses take theirs */
        l->shelf->book[l->shelf->current[i]].options.match.asked =
            l->options.match.asked;
    return RT_OK;
}

/* For who asks over OSC: where they will be; main says when they are. */
static bool
dump_records(void *ctx, char *text, size_t len)
{
    const rt_listener *l = ctx;
    const bool asked = rt_records_dump(&l->inputs);
    snprintf(text, len, "%s",
             asked ? l->options.record.folder
                   : "no sound is kept (--record-seconds), or it is being written");
    return asked;
}

static bool
load_index(void *ctx, uint32_t index, const char *path, char *why, size_t len)
{
    rt_listener *l = ctx;
    return rt_swap_load(l->swap, index, path, why, len);
}

static bool
learn_heard(void *ctx, const char *label, double seconds, const char *input,
            rt_learning *out, char *why, size_t len)
{
    rt_listener *l = ctx;
    return rt_swap_learn(l->swap, label, seconds, input, out, why, len);
}

static bool
forget_label(void *ctx, const char *label, uint32_t *n_left, char *why, size_t len)
{
    rt_listener *l = ctx;
    return rt_swap_forget(l->swap, label, n_left, why, len);
}

static void
settings_now(void *ctx, rt_options *out)
{
    const rt_listener *l = ctx;
    *out = l->options;
    rt_control_now(l->control, out);
}

static bool
open_control(rt_listener *l, char *why, size_t why_len)
{
    const rt_control_config control = {.options = &l->options,
                                       .shelf = l->shelf,
                                       .counts = &l->counts,
                                       .publish = l->publish,
                                       .settings = l->inputs.settings,
                                       .settings_wake = &l->blocks_wake,
                                       .dump = dump_records,
                                       .dump_ctx = l,
                                       .load = load_index,
                                       .learn = learn_heard,
                                       .forget = forget_label,
                                       .load_ctx = l,
                                       .subscribed = l->left.subscribed};
    return rt_control_open(&l->control, &control, why, why_len);
}

static bool
open_print(rt_listener *l, char *why, size_t why_len)
{
    const rt_print_config print = {
        .how = {.format = rt_out_format(l->options.out.format, stdout)},
        .shelf = l->shelf,
        .fd = STDOUT_FILENO,
        .inputs = &l->inputs,
        .counts = &l->counts};
    return print.how.format == RT_FORMAT_NONE ||
           (rt_print_new(&l->print, &print, why, why_len) &&
            rt_print_start(l->print, why, why_len));
}

static bool
start_threads(rt_listener *l, char *why, size_t why_len)
{
    const char *file = l->options.learn.file;
    const rt_swap_config swap = {.shelf = l->shelf,
                                 .inputs = &l->inputs,
                                 .learn_file = strcmp(file, "none") ? file : NULL,
                                 .counts = &l->counts,
                                 .main_wake = &l->main_wake,
                                 .now = settings_now,
                                 .now_ctx = l};
    if (!rt_swap_new(&l->swap, &swap, why, why_len) ||
        !rt_publish_start(l->publish, why, why_len))
        return false;
    l->started = rt_thread_start(&l->thread, run_analysis, l, 0, NULL);
    if (!l->started)
        snprintf(why, why_len, "the system gives no thread to analyse with");
    const rt_supervise_config supervise = {.options = &l->options,
                                           .swap = l->swap,
                                           .inputs = &l->inputs,
                                           .counts = &l->counts,
                                           .honest = &l->honest,
                                           .main_wake = &l->main_wake};
    return l->started && rt_control_start(l->control, why, why_len) &&
           rt_supervise_start(&l->supervise, &supervise, why, why_len);
}

static void
open_live(rt_listener *l, const char *path)
{
    char why[300];
    rt_live_config config = {.client = l->options.jack.client_name,
                             .index = path,
                             .n_inputs = l->inputs.n,
                             .n_further = l->shelf->n - 1,
                             .counts = &l->counts};
    for (uint32_t i = 1; i < l->shelf->n; i++)
        config.further[i - 1] = l->shelf->name[i];
    for (uint32_t i = 0; i < l->inputs.n; i++)
        config.input[i] = l->inputs.input[i].name;
    if (!rt_live_open(&l->live, &config, why, sizeof why))
        rt_warn("%s", why);
    l->inputs.live = l->live;
}

static void
summary(rt_listener *l)
{
    const rt_counts *c = &l->counts;
    char text[1800] = "";
    rt_tally tally;
    for (int i = 0, n = 0; i < RT_COUNTS && n < (int)sizeof text; i++)
        if (rt_counted(c, i))
            n += snprintf(text + n, sizeof text - (size_t)n, " %s %llu",
                          rt_count_name[i], (unsigned long long)rt_counted(c, i));
    rt_say("in all:%s", text);
    for (uint32_t i = 0; i < l->shelf->n * DSP_SCALES; i++) {
        const uint32_t index = i / DSP_SCALES, s = i % DSP_SCALES;
        if (!rt_shelf_tally(l->shelf, index, s, &tally))
            continue;
        rt_truth_text(&tally, s, text, sizeof text);
        rt_say("%s%s%s", index ? l->shelf->name[index] : "", index ? ": " : "", text);
    }
}

static int
listen_live(rt_listener *l)
{
    char why[500];
    int status = !rt_record_check(&l->options, why, sizeof why) ? RT_CONFIG
                 : !open_print(l, why, sizeof why)              ? RT_SOFTWARE
                                                   : open_publish(l, why, sizeof why);
    if (!status && !open_control(l, why, sizeof why))
        status = RT_CONFIG;
    if (!status && !start_threads(l, why, sizeof why))
        status = RT_SOFTWARE;
    if (status) {
        rt_fail("%s", why);
        return status;
    }
    return rt_listen_run(l);
}

/* In the order of the data: no more samples, then the rings, then the rest. False when
 * the server holds a thread, which goes on using all that is here. */
static bool
finish(rt_listener *l, int status)
{
    rt_notify_close(&l->notify);
    const bool ended = rt_supervise_stop(l->supervise);
    rt_swap_stop(l->swap); /* these two may wait for the analysis */
    rt_control_stop(l->control);
    l->last = l->options;
    rt_control_now(l->control, &l->last);
    rt_control_close(l->control);
    atomic_store(&l->stop, true);
    sem_post(&l->blocks_wake);
    if (l->started)
        pthread_join(l->thread, NULL);
    for (uint32_t i = 0; i < l->shelf->n; i++)
        rt_truth_stop(l->shelf->book[l->shelf->current[i]].truth);
    rt_records_stop(&l->inputs);
    rt_publish_close(l->publish);
    rt_print_close(l->print);
    rt_handover_leave(&l->left, &l->counts, &l->inputs, l->shelf);
    if (l->connections && status != RT_ANEW)
        summary(l);
    rt_live_close(l->live);
    if (!ended)
        return false;
    rt_supervise_free(l->supervise);
    rt_swap_free(l->swap);
    rt_inputs_free(&l->inputs);
    rt_shelf_free(l->shelf);
    return true;
}

/* An index goes onto the shelf: what the process before this one had, if there was one
 * and it can be had still; else what the command line says. */
static int
load(rt_listener *l, uint32_t i, const char *path, rt_options *o)
{
    const char *left = l->left.index[i];
    char why[300];
    idx_index *index;
    int status = RT_NOINPUT;
    if (*left && strcmp(left, path) != 0 && !(status = rt_load(&index, left, o, true)))
        path = left;
    if (status)
        status = rt_load(&index, path, o, true);
    if (status)
        return status;
    if (rt_shelf_add(l->shelf, l->indexes.name[i], index, o, path, why, sizeof why))
        return RT_OK;
    rt_fail("%s: %s", path, why);
    return RT_SOFTWARE;
}

/* The analysis of further indexes is as these say, not as the first does. */
static int
load_all(rt_listener *l, const char *path)
{
    rt_options fresh;
    rt_options_default(&fresh);
    int status = load(l, 0, path, &l->options);
    for (uint32_t i = 1; i < l->indexes.n && !status; i++) {
        rt_options o = l->options;
        o.dsp = fresh.dsp;
        rt_options_of(&o, i);
        status = load(l, i, l->indexes.path[i], &o);
    }
    return status;
}

/* *ended as finish() returns it. */
static int
listen_to(rt_listener *l, const char *path, bool *ended)
{
    const rt_sink sink = {.ctx = l, .match = push_match, .asked = push_asked};
    char why[300];
    l->shelf = rt_shelf_new();
    if (!l->shelf)
        return RT_SOFTWARE;
    int status = load_all(l, path);
    if (status) {
        rt_shelf_free(l->shelf);
        return status;
    }
    l->inputs.n_ears = l->shelf->n;
    path = l->shelf->book[0].path;
    sem_init(&l->blocks_wake, 0, 0);
    sem_init(&l->main_wake, 0, 0);
    rt_catch_stop();
    rt_fence_build();
    rt_record_catch();
    rt_say_never_waits();
    rt_swap_catch();
    if (!rt_notify_open(&l->notify, why, sizeof why))
        rt_warn("%s", why);
    open_live(l, path);
    rt_inputs_go_on(&l->inputs, &l->left.stream);
    const bool commanded = strcmp(l->options.osc.listen, "none") != 0;
    if (rt_inputs_new(&l->inputs, &l->counts, &sink, &l->blocks_wake) &&
        (!commanded || rt_inputs_remember(&l->inputs)))
        status = listen_live(l);
    else
        status = RT_SOFTWARE;
    *ended = finish(l, status);
    return status;
}

/* By a command line that was taken in; *ended as finish() returns it. */
static int
listen_by(rt_listener *l, const rt_command_line *line, bool *ended)
{
    char why[500];
    if (!rt_inputs_parse(&l->inputs, l->options.jack.inputs, why, sizeof why) ||
        !rt_indexes_parse(&l->indexes, &l->options, why, sizeof why))
        rt_fail("%s", why);
    else if (line->n_rest == 1)
        return listen_to(l, line->rest[0], ended);
    else if (atomic_load(&rt_stop))
        return RT_OK;
    else
        rt_fail("name one index; see hearken listen --help");
    return RT_USAGE;
}

int
rt_cmd_listen(int argc, char **argv)
{
    int status;
    bool ended = true;
    rt_thread_name("hearken"); /* also where the process has started anew */
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    rt_listener *l = calloc(1, sizeof *l);
    if (!rest || !l) {
        free(rest);
        free(l);
        return RT_SOFTWARE;
    }
    rt_command_line line = {argc, argv, &l->options, rest, 0};
    line.n_rest = rt_options_parse(&l->options, RT_LISTEN, argc, argv, rest, &status);
    if (line.n_rest == 0 || line.n_rest == 1)
        status = rt_session_join(&l->session, &line);
    if (!status && line.n_rest >= 0) {
        rt_handover_take(&l->left, &l->options, &l->counts);
        status = listen_by(l, &line, &ended);
    }
    rt_session_leave(l->session);
    if (status == RT_ANEW)
        status = rt_handover_anew(&l->left, &l->last, argc, argv);
    free(rest);
    if (ended)
        free(l);
    return status;
}
