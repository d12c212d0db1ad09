/* rt/out.c: findings as lines, byte for byte. */
#include "rt/out.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON strings ------------------------------------------------------------------
 */

#define BAD "\\ufffd"

static const struct {
    const char *name, *text, *json;
} strings[] = {
    {"nothing", "", ""},
    {"plain", "kick 01.wav", "kick 01.wav"},
    {"quotes", "a\"b", "a\\\"b"},
    {"a backslash", "a\\n", "a\\\\n"},
    {"a slash", "a/b", "a/b"},
    {"control characters", "\x01\t\n\r\x1b\x1f",
     "\\u0001\\u0009\\u000a\\u000d\\u001b\\u001f"},
    {"delete", "\x7f", "\\u007f"},
    {"two bytes", "\xc3\xa4\xc2\x80\xdf\xbf", "\xc3\xa4\xc2\x80\xdf\xbf"},
    {"three bytes", "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf",
     "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf"},
    {"four bytes", "\xf0\x90\x80\x80\xf0\x9f\x94\x8a\xf4\x8f\xbf\xbf",
     "\xf0\x90\x80\x80\xf0\x9f\x94\x8a\xf4\x8f\xbf\xbf"},
    {"around the surrogates", "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},
    {"a lone continuation",
     "a\x80"
     "b",
     "a" BAD "b"},
    {"Latin-1", "Ger\xe4t", "Ger" BAD "t"},
    {"cut short at the end", "a\xe2\x82", "a" BAD BAD},
    {"cut short by a letter",
     "\xe2\x82"
     "b",
     BAD BAD "b"},
    {"cut short by a sequence", "\xe2\xc3\xa4", BAD "\xc3\xa4"},
    {"cut short by a quote", "\xf0\x9f\"", BAD BAD "\\\""},
    {"overlong slash of two", "\xc0\xaf", BAD BAD},
    {"overlong of two", "\xc1\xbf", BAD BAD},
    {"overlong of three", "\xe0\x9f\xbf", BAD BAD BAD},
    {"overlong of four", "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD},
    {"a high surrogate", "\xed\xa0\x80", BAD BAD BAD},
    {"a low surrogate", "\xed\xbf\xbf", BAD BAD BAD},
    {"beyond Unicode", "\xf4\x90\x80\x80", BAD BAD BAD BAD},
    {"five bytes", "\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD},
    {"bytes that no sequence has", "\xfe\xff", BAD BAD},
    {"right after wrong", "\xff\xc3\xa4", BAD "\xc3\xa4"},
};

/* Memory that a stream writes to. */
typedef struct {
    char text[4096];
    FILE *to;
} page;

static void
page_open(page *p)
{
    memset(p->text, 0, sizeof p->text);
    p->to = fmemopen(p->text, sizeof p->text - 1, "w");
    ck_assert(p->to != NULL);
}

START_TEST(a_text_becomes_a_json_string)
{
    static page p;
    char want[200];
    page_open(&p);
    rt_json_string(p.to, strings[_i].text);
    fclose(p.to);
    snprintf(want, sizeof want, "\"%s\"", strings[_i].json);
    ck_assert_msg(!strcmp(p.text, want), "case: %s: %s", strings[_i].name, p.text);
}
END_TEST

START_TEST(each_pair_of_bytes_becomes_a_json_string)
{
    for (unsigned i = 1; i < 65536; i++) {
        static page p;
        const char text[3] = {(char)(i >> 8), (char)(i & 255), 0};
        const unsigned char *first = (const unsigned char *)p.text;
        if (!text[0])
            continue;
        page_open(&p);
        rt_json_string(p.to, text);
        fclose(p.to);
        const size_t n = strlen(p.text);
        ck_assert(n >= 3 && p.text[0] == '"' && p.text[n - 1] == '"');
        for (size_t j = 1; j + 1 < n; j++) { /* nothing that would end it, or is none */
            const unsigned char c = first[j];
            ck_assert(c >= 0x20 && c != 0x7f);
            ck_assert(c != '"' || p.text[j - 1] == '\\');
            ck_assert(c < 0x80 || (n == 4 && first[1] >= 0xc2 && first[1] <= 0xdf &&
                                   (first[2] & 0xc0) == 0x80));
        }
    }
}
END_TEST

/* ---- Lines -------------------------------------------------------------------------
 */

static char folder[200];
static idx_index *the_index;

/* An index of two sounds, one of them with a name that is none of the nicest. */
static void
write_index(const char *path)
{
    static const idx_sound sounds[] = {
        {"/s/drums/kick.wav", "drums", 0.5, 48000, 1},
        {"/s/odd \"\n\xff/\xc3\xa4\t.wav", "odd \"\n\xff", 1.5, 44100, 2},
    };
    static const float mean[2], spread[2] = {1, 1}, knots[2] = {-1, 1};
    static const float rows[4] = {1, 0, 0, 1};
    static const idx_entry entries[2] = {{0, 0, 0.5F}, {1, 0.5F, 1}};
    idx_contents c = {.n_sounds = 2, .sounds = sounds, .settings = "", .report = ""};
    char why[400] = "";
    for (uint32_t s = 0; s < IDX_TIMBRE; s++)
        c.scales[s] = (idx_scale){.n_in = 2,
                                  .dim = 2,
                                  .n_entries = 2,
                                  .n_knots = 2,
                                  .mean = mean,
                                  .spread = spread,
                                  .knots = knots,
                                  .rows = rows,
                                  .entries = entries,
                                  .params = {.family = IDX_EXACT, .recall = 1}};
    ck_assert_msg(!idx_write(path, &c, NULL, why, sizeof why), "%s", why);
}

static void
open_index(void)
{
    char path[300], why[400] = "";
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/x.hkn", folder);
    write_index(path);
    ck_assert_msg(!idx_open(&the_index, path, why, sizeof why), "%s", why);
}

static void
close_index(void)
{
    idx_close(the_index);
    remove_tree(folder);
}

#define ODD_INPUT "a \"b\"\n.wav"

static const struct {
    const char *name;
    rt_match m;
    const char *json, *table;
} findings[] = {
    {"a match",
     {.kind = RT_MATCH,
      .scale = DSP_EVENT,
      .rank = 1,
      .sound = 0,
      .score = 0.98765432F,
      .cosine = 0.5F,
      .start_s = 0.25F,
      .length_s = 1,
      .heard_s = 0.4F,
      .frame = 72000},
     "{\"type\":\"match\",\"frame\":72000,\"time\":1.500000,\"input\":\"a "
     "\\\"b\\\"\\u000a.wav\",\"scale\":\"event\",\"heard\":0.40,\"score\":0.987654,"
     "\"rank\":1,"
     "\"cosine\":0.500000,\"sound\":0,\"start\":0.250,\"length\":1.000,\"label\":"
     "\"drums\",\"path\":\"/s/drums/kick.wav\"}\n",
     "    1.50  event     1  0.988   0.500    0.25  drums / kick.wav\n"},
    {"a match with an odd name, after a month",
     {.kind = RT_MATCH,
      .scale = DSP_SCENE,
      .rank = 100,
      .sound = 1,
      .score = 1,
      .cosine = -0.25F,
      .start_s = 3599.5F,
      .length_s = 10,
      .frame = UINT64_C(124416000000)},
     "{\"type\":\"match\",\"frame\":124416000000,\"time\":2592000.000000,\"input\":"
     "\"a "
     "\\\"b\\\"\\u000a.wav\",\"scale\":\"scene\",\"heard\":0.00,\"score\":1.000000,"
     "\"rank\":100,"
     "\"cosine\":-0.250000,\"sound\":1,\"start\":3599.500,\"length\":10.000,\"label\":"
     "\"odd \\\"\\u000a\\ufffd\",\"path\":\"/s/odd \\\"\\u000a\\ufffd/\xc3\xa4\\u0009"
     ".wav\"}\n",
     "2592000.00  scene   100  1.000  -0.250  3599.50  odd \"?\xff / \xc3\xa4?.wav\n"},
    {"an onset",
     {.kind = RT_ONSET,
      .sound = UINT32_MAX,
      .level_db = -12.345F,
      .strength_db = 7.5F,
      .frame = 1},
     "{\"type\":\"onset\",\"frame\":1,\"time\":0.000021,\"input\":\"a "
     "\\\"b\\\"\\u000a.wav\",\"level_db\":-12.35,\"strength_db\":7.50}\n",
     "    0.00  onset  -12.3 dBFS\n"},
    {"no match",
     {.kind = RT_NOMATCH, .scale = DSP_FRAME, .score = 0.125F, .frame = 480},
     "{\"type\":\"nomatch\",\"frame\":480,\"time\":0.010000,\"input\":\"a "
     "\\\"b\\\"\\u000a.wav\",\"scale\":\"frame\",\"heard\":0.00,\"score\":0.125000}\n",
     "    0.01  frame     -  0.125  no match\n"},
    {"a reject",
     {.kind = RT_REJECT,
      .scale = DSP_FRAME,
      .sound = 1,
      .fate = RT_N_held,
      .score = 0.5F,
      .frame = 480},
     "{\"type\":\"reject\",\"frame\":480,\"time\":0.010000,\"input\":\"a "
     "\\\"b\\\"\\u000a.wav\",\"scale\":\"frame\",\"heard\":0.00,\"reason\":\"held\","
     "\"score\":0.500000,\"label\":\"odd \\\"\\u000a\\ufffd\",\"path\":\"/s/odd "
     "\\\"\\u000a\\ufffd/\xc3\xa4\\u0009.wav\"}\n",
     "    0.01  frame     -  0.500  held\n"},
    {"a reject of nothing",
     {.kind = RT_REJECT,
      .scale = DSP_EVENT,
      .sound = UINT32_MAX,
      .fate = RT_N_gated,
      .frame = 480},
     "{\"type\":\"reject\",\"frame\":480,\"time\":0.010000,\"input\":\"a "
     "\\\"b\\\"\\u000a.wav\",\"scale\":\"event\",\"heard\":0.00,\"reason\":\"gated\","
     "\"score\":0.000000}\n",
     "    0.01  event     -  0.000  gated\n"},
    {"a label",
     {.kind = RT_LABEL,
      .scale = DSP_EVENT,
      .sound = 1,
      .rank = 5,
      .score = 0.6F,
      .heard_s = 1,
      .frame = 480},
     "{\"type\":\"label\",\"frame\":480,\"time\":0.010000,\"input\":\"a "
     "\\\"b\\\"\\u000a.wav\",\"scale\":\"event\",\"heard\":1.00,\"label\":"
     "\"odd \\\"\\u000a\\ufffd\",\"share\":0.600000,\"voters\":5}\n",
     "    0.01  event  label  0.60 of 5: odd \"?\xff\n"},
};

static rt_match
finding(int i)
{
    rt_match m = findings[i].m;
    m.time_s = (double)m.frame / 48000;
    return m;
}

static rt_out
out_to(FILE *to, rt_format format)
{
    return (rt_out){.to = to, .format = format, .index = the_index, .input = ODD_INPUT};
}

START_TEST(a_finding_is_one_json_line)
{
    static page p;
    const rt_match m = finding(_i);
    page_open(&p);
    rt_out o = out_to(p.to, RT_FORMAT_JSON);
    rt_out_write(&o, &m);
    fclose(p.to);
    ck_assert_msg(!strcmp(p.text, findings[_i].json), "case: %s: %s", findings[_i].name,
                  p.text);
    ck_assert_uint_eq(o.lines, 1);
}
END_TEST

START_TEST(a_finding_is_one_row_of_a_table_with_one_heading)
{
    static const char heading[] =
        "  time s  scale  rank  score  cosine  at s    label / sound\n";
    static page p;
    char want[1000];
    const rt_match m = finding(_i);
    page_open(&p);
    rt_out o = out_to(p.to, RT_FORMAT_TABLE);
    rt_out_write(&o, &m);
    rt_out_write(&o, &m);
    fclose(p.to);
    snprintf(want, sizeof want, "%s%s%s", heading, findings[_i].table,
             findings[_i].table);
    ck_assert_msg(!strcmp(p.text, want), "case: %s: %s", findings[_i].name, p.text);
}
END_TEST

START_TEST(none_writes_nothing_and_counts)
{
    static page p;
    page_open(&p);
    rt_out o = out_to(p.to, RT_FORMAT_NONE);
    for (uint64_t i = 0; i < 5; i++)
        rt_out_write(&o, &findings[i].m);
    fclose(p.to);
    ck_assert_str_eq(p.text, "");
    ck_assert_uint_eq(o.lines, 5);
}
END_TEST

START_TEST(auto_is_json_where_there_is_no_terminal)
{
    FILE *file = tmpfile();
    ck_assert_int_eq(rt_out_format(RT_FORMAT_AUTO, file), RT_FORMAT_JSON);
    ck_assert_int_eq(rt_out_format(RT_FORMAT_TABLE, file), RT_FORMAT_TABLE);
    ck_assert_int_eq(rt_out_format(RT_FORMAT_JSON, file), RT_FORMAT_JSON);
    ck_assert_int_eq(rt_out_format(RT_FORMAT_NONE, file), RT_FORMAT_NONE);
    fclose(file);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/out");
    TCase *t = tcase_create("strings");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_text_becomes_a_json_string, 0, N(strings));
    tcase_add_test(t, each_pair_of_bytes_becomes_a_json_string);
    suite_add_tcase(s, t);
    t = tcase_create("lines");
    tcase_add_checked_fixture(t, open_index, close_index);
    tcase_add_loop_test(t, a_finding_is_one_json_line, 0, N(findings));
    tcase_add_loop_test(t, a_finding_is_one_row_of_a_table_with_one_heading, 0,
                        N(findings));
    tcase_add_test(t, none_writes_nothing_and_counts);
    tcase_add_test(t, auto_is_json_where_there_is_no_terminal);
    suite_add_tcase(s, t);
    return run_suite(s);
}
