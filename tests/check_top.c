/* rt/top_draw.c, rt/top_json.c and the check of pages: what is shown of them. */
#include "live_support.h"
#include "rt/top.h"
#include "support.h"

#include <locale.h>
#include <math.h>

#define N(table) (int)(sizeof(table) / sizeof *(table))

static rt_live_page page, before;
static char why[200], *text;
static size_t n_text;

static void
setup(void)
{
    ck_assert(setlocale(LC_CTYPE, "C.UTF-8"));
    page_fill(&page);
    page_fill(&before);
    before.status.at_s = 158;
}

static const rt_top top = {
    .now = &page, .before = &before, .now_s = 160, .before_s = 158};

static FILE *
to_text(void)
{
    FILE *to = open_memstream(&text, &n_text);
    ck_assert(to);
    return to;
}

/* A screen as text, without escapes. */
static const char *
screen_of(int columns, int rows)
{
    rt_canvas c = {.to = to_text(), .columns = columns, .rows = rows, .screen = true};
    rt_top_screen(&c, &top);
    fclose(c.to);
    ck_assert_msg(is_tame(text, columns, rows), "%d x %d: %s", columns, rows, text);
    size_t n = 0;
    for (const char *p = text; *p;) {
        const size_t skip = *p == 033 ? escape_length(p) : *p == '\r';
        if (skip)
            p += skip;
        else
            text[n++] = *p++;
    }
    text[n] = 0;
    return text;
}

static const char *
line_of(void)
{
    rt_canvas c = {.to = to_text()};
    rt_top_line(&c, &top);
    fclose(c.to);
    return text;
}

static const char *
json_of(void)
{
    FILE *to = to_text();
    rt_top_json(to, &top);
    fclose(to);
    return text;
}

START_TEST(a_screen_shows_it_all)
{
    static const char *const wanted =
        "hearken (4711)  running 0:01:00  48000 Hz, period 128                        "
        "q "
        "quits\n"
        "/sounds/corpus.hkn\n"
        "\n"
        "drums   -6.0 dBFS open  "
        "######################################################......\n"
        "voice  below -120 shut  "
        "............................................................\n"
        "\n"
        "load    analysis 25.0 % (dsp 15.0, search 10.0)  publish 5.0 %\n"
        "second  100 hops, 0 answers, 0 matches, 0 sent\n"
        "lost    failed 2\n"
        "\n"
        "event  recall@10 0.953 (0.940 to 0.964) over 1234 answers\n"
        "   0.0 s  ###############..... 0.750  voice  snare / 2.wav\n"
        "   1.0 s  ###############..... 0.750  drums  kick / 1.wav\n"
        "scene\n";
    before.status.count[0] = 5800;
    page.status.count[2] = 2;
    atomic_init(&page.input[0].busy_ns, 500000000);
    atomic_init(&page.input[0].query_ns, 200000000);
    atomic_init(&page.publish_ns, 100000000);
    ck_assert_str_eq(screen_of(84, 24), wanted);
    free(text);
}
END_TEST

START_TEST(no_size_of_a_window_is_too_small_or_large)
{
    for (int columns = 1; columns < 140; columns += columns < 30 ? 1 : 7)
        for (int rows = 1; rows < 60; rows += rows < 20 ? 1 : 5) {
            screen_of(columns, rows);
            free(text);
        }
}
END_TEST

static void
many_inputs(void)
{
    page.who.n_inputs = 16;
    page.status.scales = 15;
}

static void
no_scales(void)
{
    page.status.scales = 0;
}

static void
every_loss(void)
{
    static const char *const names[] = {"dropped_blocks", "lost_frames", "failed",
                                        "xruns",          "unprinted",   "cut",
                                        "stalls"};
    page.who.n_counts = N(names);
    for (uint32_t i = 0; i < N(names); i++) {
        strcpy(page.who.count[i], names[i]);
        page.status.count[i] = UINT64_MAX;
    }
}

static void
a_vote(void)
{
    page.match[DSP_EVENT][2].kind = RT_LABEL;
    page.match[DSP_EVENT][2].rank = 10;
}

static void
low_recall(void)
{
    page.status.recall[DSP_EVENT] = (rt_live_recall){500, 0.5, 0.4, 0.6, 0.95, 10, 0};
}

static void
a_bad_name(void)
{
    strcpy(page.match[DSP_EVENT][2].label, "\033]0;owned\a\xc2\x9b"
                                           "2J");
    strcpy(page.who.client, "a\nb");
    strcpy(page.who.input[0], "\xff\xfe\r\033[5n");
    strcpy(page.who.index, "/\xe2\x80\xae/\177");
    strcpy(page.status.state, "\033c");
}

static void
no_ends(void)
{
    memset(page.who.client, 'c', sizeof page.who.client);
    memset(page.who.index, 'i', sizeof page.who.index);
    memset(page.who.input, 'n', sizeof page.who.input);
    memset(page.who.count, 'k', sizeof page.who.count);
    memset(page.status.state, 's', sizeof page.status.state);
    memset(page.match[DSP_EVENT][1].label, 'l', RT_LIVE_LABEL);
    memset(page.match[DSP_EVENT][1].path, 'p', RT_LIVE_PATH);
    memset(page.version, 'v', sizeof page.version);
}

static void
no_numbers(void)
{
    page.status.at_s = NAN;
    page.status.state_since_s = -INFINITY;
    page.who.began_s = 1e300;
    atomic_init(&page.input[0].peak, NAN);
    atomic_init(&page.input[0].open, 77);
    atomic_init(&page.input[0].busy_ns, UINT64_MAX);
    page.match[DSP_EVENT][1].score = NAN;
    page.match[DSP_EVENT][1].at_s = NAN;
    page.match[DSP_EVENT][1].age_ms = INFINITY;
    page.status.recall[DSP_EVENT].recall = NAN;
}

static const struct {
    const char *name;
    void (*change)(void);
    const char *line; /* has these words */
} changes[] = {
    {"many inputs", many_inputs,
     "drums -6.0 dBFS open  voice -120.0 dBFS shut   -120.0"},
    {"no scales", no_scales, "voice -120.0 dBFS shut  load:"},
    {"every loss", every_loss,
     "lost: dropped_blocks 18446744073709551615, lost_frames"},
    {"a vote", a_vote, "running 0:01:00  drums"},
    {"low recall", low_recall, "event 0.750 snare / 2.wav  scene -  load"},
    {"a bad name", a_bad_name, "?c 0:01:00  ???[5n -6.0 dBFS"},
    {"no ends", no_ends, "sssss 0:01:00  nnnnn"},
    {"no numbers", no_numbers, "drums -120.0 dBFS open"},
};

START_TEST(whatever_a_page_holds_no_terminal_comes_to_harm)
{
    changes[_i].change();
    page_seal(&page);
    ck_assert_msg(rt_live_check(&page, sizeof page, why, sizeof why), "%s", why);
    for (int columns = 1; columns < 100; columns += 9) {
        screen_of(columns, 24);
        free(text);
    }
    line_of();
    ck_assert_msg(strchr(text, '\n') == text + n_text - 1, "case: %s",
                  changes[_i].name);
    /* long lines of names: enough that they begin so */
    ck_assert_msg(strstr(text, changes[_i].line) || !strncmp(text, changes[_i].line, 5),
                  "case: %s: %s", changes[_i].name, text);
    free(text);
    json_of();
    ck_assert_msg(strchr(text, '\n') == text + n_text - 1, "case: %s",
                  changes[_i].name);
    ck_assert(!strstr(text, "nan") && !strstr(text, "inf"));
    free(text);
}
END_TEST

static const struct {
    const char *name, *state;
    double at_s;
    const char *wanted;
} states[] = {
    {"running", "running", 159.9, "running 0:01:00"},
    {"waiting", "waiting", 159.9, "waiting 0:01:00"},
    {"no word yet", "", 0, "starting 0:01:00"},
    {"stopped", "running", 130, "no sign of life 0:00:30"},
    {"ended", "ended", 130, "ended 0:01:00"},
};

START_TEST(the_state_is_what_can_be_seen_of_it)
{
    strcpy(page.status.state, states[_i].state);
    page.status.at_s = states[_i].at_s;
    line_of();
    ck_assert_msg(!strncmp(text, states[_i].wanted, strlen(states[_i].wanted)),
                  "case: %s: %s", states[_i].name, text);
    free(text);
}
END_TEST

START_TEST(a_line_says_it_in_words)
{
    ck_assert_str_eq(
        line_of(), "running 0:01:00  drums -6.0 dBFS open  voice -120.0 dBFS shut  "
                   "event 0.750 snare / 2.wav  scene -  load: analysis 0.0 %, publish "
                   "0.0 %  lost: nothing\n");
    free(text);
}
END_TEST

START_TEST(json_has_every_count_by_its_name)
{
    ck_assert_str_eq(
        json_of(),
        "{\"type\":\"live\",\"version\":\"0.1\",\"client\":\"hearken\",\"pid\":4711,"
        "\"index\":\"/sounds/corpus.hkn\",\"up\":60.0,\"state\":\"running\","
        "\"state_for\":60.0,\"rate\":48000,\"period\":128,\"inputs\":[{\"name\":"
        "\"drums\",\"peak_db\":-6.02,\"open\":true},{\"name\":\"voice\",\"peak_db\":"
        "-120.00,\"open\":false}],\"scales\":{\"event\":{\"recall\":{\"at\":10,"
        "\"share\":"
        "0.9530,\"low\":0.9400,\"high\":0.9640,\"of\":1234},\"last\":{\"number\":2,"
        "\"ago\":"
        "0.020,\"rank\":1,\"score\":0.750000,\"cosine\":0.500000,\"start\":0.000,"
        "\"length\":0.000,\"input\":\"voice\",\"label\":\"snare\",\"path\":"
        "\"/sounds/snare/"
        "2.wav\"}},\"scene\":{\"recall\":null,\"last\":null}},\"load\":{"
        "\"dsp\":0.00000,\"search\":0.00000,\"publish\":0.00000},\"counts\":{\"hops\":"
        "6000,\"lost_frames\":0,\"failed\":0}}\n");
    free(text);
}
END_TEST

static const struct {
    const char *name;
    size_t at, n, bytes; /* n bytes are set to 0xff; bytes: of the page, 0 for all */
    bool seal;
    const char *words; /* NULL: it is taken */
} damages[] = {
    {"whole", 0, 0, 0, false, NULL},
    {"another magic", 3, 1, 0, true, "no live page"},
    {"empty", 0, 0, 1, false, "no live page"},
    {"only a beginning", 0, 0, offsetof(rt_live_page, who) - 1, false, "no live page"},
    {"cut short", 0, 0, sizeof page - 1, false, "damaged"},
    {"longer", 0, 0, sizeof page + 1, false, "damaged"},
    {"another layout", offsetof(rt_live_page, layout), 4, 0, true,
     "hearken 0.1 in a layout"},
    {"another size", offsetof(rt_live_page, bytes), 4, 0, true,
     "hearken 0.1 in a layout"},
    {"a bit of who", offsetof(rt_live_page, who) + 100, 1, 0, false, "damaged"},
    {"too many inputs", offsetof(rt_live_page, who.n_inputs), 4, 0, true, "damaged"},
    {"too many counts", offsetof(rt_live_page, who.n_counts), 4, 0, true, "damaged"},
    {"a torn status", offsetof(rt_live_page, status) + 40, 1, 0, false, NULL},
    {"torn matches", offsetof(rt_live_page, match), sizeof page.match, 0, false, NULL},
    {"a match of no input", offsetof(rt_live_page, match[1][2].input), 4, 0, true,
     NULL},
    {"a match of no kind", offsetof(rt_live_page, match[1][2].kind), 4, 0, true, NULL},
    {"no level", offsetof(rt_live_page, input), 4, 0, true, NULL},
};

START_TEST(damage_is_refused_in_a_sentence_or_left_out)
{
    static rt_live_page longer[2];
    const size_t n = damages[_i].bytes ? damages[_i].bytes : sizeof page;
    memset((char *)&page + damages[_i].at, 0xff, damages[_i].n);
    if (damages[_i].seal)
        page_seal(&page);
    longer[0] = page;
    const bool taken = rt_live_check(longer, n, why, sizeof why);
    ck_assert_msg(taken == !damages[_i].words, "case: %s", damages[_i].name);
    if (!taken)
        ck_assert_msg(strstr(why, damages[_i].words), "case: %s: %s", damages[_i].name,
                      why);
    page = longer[0];
    if (taken) {
        screen_of(80, 24);
        const bool less =
            strstr(damages[_i].name, "match") || strstr(damages[_i].name, "status");
        ck_assert_msg(!strstr(text, "snare") == less, "case: %s", damages[_i].name);
        free(text);
    }
}
END_TEST

START_TEST(torn_status_is_no_status)
{
    page.status.rate_hz++;
    ck_assert(rt_live_check(&page, sizeof page, why, sizeof why));
    ck_assert(page.status.rate_hz == 0 && !page.status.state[0]);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rt/top");
    TCase *t = tcase_create("top");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_screen_shows_it_all);
    tcase_add_test(t, no_size_of_a_window_is_too_small_or_large);
    tcase_add_loop_test(t, whatever_a_page_holds_no_terminal_comes_to_harm, 0,
                        N(changes));
    tcase_add_loop_test(t, the_state_is_what_can_be_seen_of_it, 0, N(states));
    tcase_add_test(t, a_line_says_it_in_words);
    tcase_add_test(t, json_has_every_count_by_its_name);
    tcase_add_loop_test(t, damage_is_refused_in_a_sentence_or_left_out, 0, N(damages));
    tcase_add_test(t, torn_status_is_no_status);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
