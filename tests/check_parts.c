/* rt/parts.c, parts_file.c, parts_write.c: what is written is read, and nothing else.
 */
#include "parts_case.h"
#include "rt/parts.h"
#include "rt/rt.h"
#include "support.h"

#include <math.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file with sounds 1 to 3, a segment of each, and the roll; ends[i] is where record i
 * ends, the settings being the first. Returns its bytes. */
enum { RECORDS = 8 };
static uint64_t ends[RECORDS];

static unsigned char *
make_file(size_t *n)
{
    must_open();
    ck_assert(rt_parts_empty(p));
    ends[0] = rt_parts_bytes(p);
    for (uint32_t i = 1; i <= 3; i++) {
        ck_assert(add_part(p, &options, RT_PART_SOUND, i, i - 1));
        ends[2 * i - 1] = rt_parts_bytes(p);
        ck_assert(add_part(p, &options, RT_PART_SEGMENT, i, i == 3));
        ends[2 * i] = rt_parts_bytes(p);
    }
    ck_assert(add_roll(p, 3));
    ends[7] = rt_parts_bytes(p);
    ck_assert(!rt_parts_empty(p));
    close_parts();
    FILE *f = fopen(path, "rb");
    *n = (size_t)ends[7];
    unsigned char *bytes = malloc(*n);
    ck_assert(f && fread(bytes, 1, *n, f) == *n && fgetc(f) == EOF);
    fclose(f);
    return bytes;
}

static void
write_bytes(const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert(f && fwrite(bytes, 1, n, f) == n && !fclose(f));
}

/* Whether record i of make_file() is there; if so, what it holds is right. */
static bool
has_record(uint32_t i)
{
    const uint32_t number = (i + 1) / 2;
    const bool sound = i % 2;
    const rt_key key = key_number(number);
    rt_rows rows[RT_MAX_GROUPS] = {{0}}, *groups[RT_MAX_GROUPS];
    rt_roll roll;
    if (i == 7)
        return rt_parts_roll(p, &roll);
    const uint64_t at = rt_parts_find(p, sound ? RT_PART_SOUND : RT_PART_SEGMENT, &key,
                                      sound ? 0 : 100 * number);
    if (!at)
        return false;
    const rt_part *part = rt_parts_at(p, at);
    uint32_t widths[RT_MOMENTS], wrong = 0;
    rt_parts_widths(&options, widths);
    for (uint32_t g = 0; g < RT_MAX_GROUPS; g++)
        groups[g] = &rows[g];
    rt_parts_rows(p, at, groups);
    ck_assert_uint_eq(part->n_groups, sound ? RT_MOMENTS : RT_MAX_GROUPS);
    ck_assert(part->seconds > 12 && part->claimed_s > 11);
    ck_assert_uint_eq(part->file_rate_hz, 44100);
    ck_assert_uint_eq(rows[RT_EVENTS].n, sound ? number - 1 : number == 3);
    for (uint32_t g = 0; g < part->n_groups; g++) {
        const uint32_t width =
            sound ? widths[g] : widths[g < RT_COPIES ? RT_FRAMES : RT_EVENTS];
        ck_assert_uint_eq(rows[g].cap, 0);
        for (uint32_t j = 0; j < rows[g].n; j++) {
            wrong += rows[g].places[j].end != 100 + 10 * j;
            for (uint32_t k = 0; k < width; k++)
                wrong += fabsf(rows[g].raw[(size_t)j * width + k] -
                               value_of(number, g, j, k)) > 0;
        }
    }
    ck_assert_uint_eq(wrong, 0);
    return true;
}

static uint32_t
count_records(void)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < RECORDS; i++)
        n += has_record(i);
    return n;
}

/* ---- What is written is read ------------------------------------------------------
 */

START_TEST(what_was_written_is_read)
{
    size_t n;
    rt_roll roll;
    rt_options made;
    free(make_file(&n));
    must_open();
    ck_assert_uint_eq(count_records(), 7);
    ck_assert_uint_eq(rt_parts_cut(p), 0);
    close_parts();
    ck_assert_msg(!rt_parts_read(&p, path, &made, why, sizeof why), "%s", why);
    ck_assert_uint_eq(count_records(), 7);
    ck_assert(rt_parts_roll(p, &roll));
    ck_assert_uint_eq(roll.head.shard, 2);
    ck_assert_uint_eq(roll.head.n, 3);
    ck_assert_str_eq(roll.text + roll.files[1].path_at, "/a/b.wav");
    ck_assert_str_eq(roll.text + roll.files[1].trouble_at, "");
    ck_assert_str_eq(roll.text + roll.files[2].trouble_at, "silent");
    ck_assert_str_eq(rt_parts_path(p), path);
    const rt_key none = key_number(4), one = key_number(1);
    ck_assert(!rt_parts_find(p, RT_PART_SOUND, &none, 0));
    ck_assert(!rt_parts_find(p, RT_PART_SEGMENT, &one, 101));
}
END_TEST

START_TEST(the_settings_of_the_analysis_come_back)
{
    rt_options made;
    options.dsp.gate_db = -61.25F;
    options.dsp.event_ms = 1500;
    options.build.seed = 77;
    options.build.timbre = 1;
    must_open();
    close_parts();
    ck_assert_msg(!rt_parts_read(&p, path, &made, why, sizeof why), "%s", why);
    ck_assert(!memcmp(&made.dsp, &options.dsp, sizeof made.dsp));
    ck_assert_uint_eq(made.build.seed, 77);
    ck_assert_uint_eq(made.build.timbre, 1);
}
END_TEST

START_TEST(the_last_roll_counts_and_of_one_content_the_first_record)
{
    rt_roll roll;
    must_open();
    const uint64_t first = add_part(p, &options, RT_PART_SOUND, 5, 1);
    add_roll(p, 3);
    add_part(p, &options, RT_PART_SOUND, 5, 1);
    add_roll(p, 9);
    must_open();
    const rt_key key = key_number(5);
    ck_assert_uint_eq(rt_parts_find(p, RT_PART_SOUND, &key, 0), first);
    ck_assert(rt_parts_roll(p, &roll) && roll.head.n == 9);
}
END_TEST

/* ---- What is not whole ------------------------------------------------------------
 */

START_TEST(a_file_cut_at_any_byte_keeps_the_records_before_and_goes_on)
{
    size_t n;
    struct stat st;
    unsigned char *bytes = make_file(&n);
    for (size_t cut = 0; cut < n; cut += cut < 2600 ? 1 : 97) {
        uint32_t whole = 0;
        while (whole < RECORDS - 1 && ends[whole] <= cut)
            whole++; /* records that are, the settings among them */
        write_bytes(bytes, cut);
        must_open();
        ck_assert_msg(count_records() == (whole ? whole - 1 : 0), "cut at %zu", cut);
        ck_assert_uint_eq(rt_parts_bytes(p), ends[whole ? whole - 1 : 0]);
        ck_assert(!stat(path, &st) && (uint64_t)st.st_size == rt_parts_bytes(p));
        ck_assert(add_part(p, &options, RT_PART_SOUND, 50, 1));
        must_open();
        const rt_key key = key_number(50);
        ck_assert(rt_parts_find(p, RT_PART_SOUND, &key, 0) && !rt_parts_cut(p));
    }
    free(bytes);
}
END_TEST

START_TEST(a_changed_byte_costs_its_record_and_what_follows)
{
    size_t n;
    unsigned char *bytes = make_file(&n);
    for (size_t i = 0; i < n; i += i < 2600 ? 1 : 89) {
        uint32_t whole = 0;
        while (ends[whole] <= i)
            whole++;
        bytes[i] ^= (unsigned char)(1U << (i % 8));
        write_bytes(bytes, n);
        const int status = open_parts(false);
        if (i < RT_PARTS_ALIGN)
            ck_assert_msg(status == (i < 8 ? RT_DATA : RT_CONFIG), "byte %zu", i);
        else
            ck_assert_msg(!status && count_records() == (whole ? whole - 1 : 0),
                          "byte %zu: %d, %u of %u", i, status, count_records(), whole);
        bytes[i] ^= (unsigned char)(1U << (i % 8));
    }
    free(bytes);
}
END_TEST

START_TEST(a_reader_tells_of_a_damaged_end_and_leaves_it)
{
    size_t n;
    struct stat st;
    rt_options made;
    unsigned char *bytes = make_file(&n);
    write_bytes(bytes, n - 5);
    ck_assert(!rt_parts_read(&p, path, &made, why, sizeof why));
    ck_assert_uint_eq(rt_parts_cut(p), ends[7] - ends[6] - 5);
    ck_assert(!stat(path, &st) && (size_t)st.st_size == n - 5);
    close_parts();
    write_bytes(bytes, 100);
    ck_assert_int_eq(rt_parts_read(&p, path, &made, why, sizeof why), RT_DATA);
    ck_assert(strstr(why, "damaged") && !p);
    free(bytes);
}
END_TEST

/* Lies with a right checksum: bytes at an offset into a record. */
static const struct {
    const char *name;
    uint32_t record;
    size_t at, n;
    uint64_t value;
} lies[] = {
    {"another kind", 1, offsetof(rt_part, kind), 4, 99},
    {"settings again", 1, offsetof(rt_part, kind), 4, RT_PART_SETTINGS},
    {"a sound as a segment", 1, offsetof(rt_part, kind), 4, RT_PART_SEGMENT},
    {"a segment as a sound", 2, offsetof(rt_part, kind), 4, RT_PART_SOUND},
    {"a sound as a roll", 1, offsetof(rt_part, kind), 4, RT_PART_ROLL},
    {"no groups", 1, offsetof(rt_part, n_groups), 4, 0},
    {"many groups", 1, offsetof(rt_part, n_groups), 4, UINT32_MAX},
    {"an unknown fault", 1, offsetof(rt_part, fault), 4, RT_FAULTS},
    {"seconds that are not a number", 1, offsetof(rt_part, seconds), 8,
     0x7ff8000000000000U},
    {"seconds below zero", 1, offsetof(rt_part, claimed_s), 8, 0xbff0000000000000U},
    {"endless seconds", 1, offsetof(rt_part, claimed_s), 8, 0x7ff0000000000000U},
    {"a rate of zero", 1, offsetof(rt_part, rate_hz), 4, 0},
    {"a row more", 1, sizeof(rt_part), 4, 1},
    {"rows without end", 1, sizeof(rt_part), 4, UINT32_MAX},
    {"rows of another width", 1, sizeof(rt_part) + 4, 4, 148},
    {"rows of a segment without end", 2, sizeof(rt_part) + 8, 4, UINT32_MAX},
    {"shard 0", 7, sizeof(rt_part), 4, 0},
    {"shard 4 of 3", 7, sizeof(rt_part), 4, 4},
    {"too many shards", 7, sizeof(rt_part) + 4, 4, RT_MAX_SHARDS + 1},
    {"more files than there are", 7, sizeof(rt_part) + 24, 8, 4},
    {"files without end", 7, sizeof(rt_part) + 24, 8, UINT64_MAX / 48 + 2},
    {"no text", 7, sizeof(rt_part) + 32, 8, 0},
    {"text without end", 7, sizeof(rt_part) + 32, 8, UINT64_MAX},
    {"text that ends in a word", 7, sizeof(rt_part) + 32, 8, 3},
    {"an index beyond all", 7, sizeof(rt_part) + 40 + 2 * 48 + 24, 8, 3},
    {"an index twice", 7, sizeof(rt_part) + 40 + 2 * 48 + 24, 8, 1},
    {"a path beyond the text", 7, sizeof(rt_part) + 40 + 32, 8, 17},
    {"a path without letters", 7, sizeof(rt_part) + 40 + 32, 8, 0},
    {"a trouble beyond the text", 7, sizeof(rt_part) + 40 + 40, 8, UINT64_MAX},
};

START_TEST(a_lie_with_a_right_checksum_is_not_believed)
{
    size_t n;
    unsigned char *bytes = make_file(&n);
    memcpy(bytes + ends[lies[_i].record - 1] + lies[_i].at, &lies[_i].value,
           lies[_i].n);
    reseal(bytes, n);
    write_bytes(bytes, n);
    must_open();
    ck_assert_msg(count_records() == lies[_i].record - 1, "%s: %u records",
                  lies[_i].name, count_records());
    free(bytes);
}
END_TEST

START_TEST(events_that_do_not_ascend_or_end_beyond_their_sound_are_not_believed)
{
    size_t n;
    uint32_t widths[RT_MOMENTS];
    unsigned char *bytes = make_file(&n);
    rt_parts_widths(&options, widths);
    /* of sound 3: the table, no frame, two events, whose second place holds end */
    const size_t second = ends[4] + sizeof(rt_part) + RT_MOMENTS * sizeof(rt_group) +
                          (size_t)2 * widths[RT_EVENTS] * sizeof(float) +
                          sizeof(rt_place) + offsetof(rt_place, end);
    uint64_t end;
    memcpy(&end, bytes + second, sizeof end);
    ck_assert_uint_eq(end, 110);
    end = _i ? (uint64_t)1 << 60 : 100;
    memcpy(bytes + second, &end, sizeof end);
    reseal(bytes, n);
    write_bytes(bytes, n);
    must_open();
    ck_assert_uint_eq(count_records(), 4);
    free(bytes);
}
END_TEST

/* ---- What is not ours -------------------------------------------------------------
 */

static const struct {
    const char *name;
    size_t at;
    uint32_t value;
    int status;
    const char *words;
} strangers[] = {
    {"another kind of file", 0, 0x46464952, RT_DATA, "no parts file of hearken"},
    {"a newer version", 8, 2, RT_CONFIG, "of version 2"},
    {"bytes the other way round", 12, 0x04030201, RT_CONFIG, "remove it"},
};

START_TEST(what_is_not_ours_is_refused_and_left)
{
    size_t n;
    struct stat st;
    unsigned char *bytes = make_file(&n);
    memcpy(bytes + strangers[_i].at, &strangers[_i].value, 4);
    write_bytes(bytes, n);
    ck_assert_int_eq(open_parts(false), strangers[_i].status);
    ck_assert_msg(strstr(why, strangers[_i].words) && strstr(why, path) == why, "%s",
                  why);
    ck_assert(!stat(path, &st) && (size_t)st.st_size == n);
    ck_assert_int_eq(open_parts(true), _i ? RT_OK : RT_DATA);
    write_bytes("text", 4);
    ck_assert_int_eq(open_parts(true), RT_DATA);
    free(bytes);
}
END_TEST

START_TEST(other_settings_are_named_and_only_anew_empties_the_file)
{
    size_t n;
    free(make_file(&n));
    options.dsp.event_ms = 500;
    ck_assert_int_eq(open_parts(false), RT_CONFIG);
    ck_assert_msg(strstr(why, "\"dsp.event-ms = 1000\"") &&
                      strstr(why, "\"dsp.event-ms = 500\""),
                  "%s", why);
    options.dsp.event_ms = 1000;
    must_open();
    ck_assert_uint_eq(count_records(), 7);
    options.dsp.event_ms = 500;
    ck_assert_int_eq(open_parts(true), RT_OK);
    ck_assert_uint_eq(count_records(), 0);
    must_open();
    ck_assert_uint_eq(rt_parts_bytes(p), ends[0]);
}
END_TEST

/* ---- Writing ----------------------------------------------------------------------
 */

START_TEST(a_rewritten_file_has_what_was_to_be_kept)
{
    size_t n;
    free(make_file(&n));
    must_open();
    const uint64_t keep[] = {ends[1], ends[4], ends[6]};
    ck_assert(rt_parts_map(p) && rt_parts_rewrite(p, keep, 3));
    must_open();
    ck_assert_uint_eq(count_records(), 3);
    ck_assert(has_record(2) && has_record(5) && has_record(7) && !rt_parts_cut(p));
    rt_parts_remove(p);
    ck_assert(access(path, F_OK));
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/parts");
    TCase *t = tcase_create("files");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_was_written_is_read);
    tcase_add_test(t, the_settings_of_the_analysis_come_back);
    tcase_add_test(t, the_last_roll_counts_and_of_one_content_the_first_record);
    tcase_add_test(t, a_file_cut_at_any_byte_keeps_the_records_before_and_goes_on);
    tcase_add_test(t, a_changed_byte_costs_its_record_and_what_follows);
    tcase_add_test(t, a_reader_tells_of_a_damaged_end_and_leaves_it);
    tcase_add_loop_test(t, a_lie_with_a_right_checksum_is_not_believed, 0, N(lies));
    tcase_add_loop_test(
        t, events_that_do_not_ascend_or_end_beyond_their_sound_are_not_believed, 0, 2);
    tcase_add_loop_test(t, what_is_not_ours_is_refused_and_left, 0, N(strangers));
    tcase_add_test(t, other_settings_are_named_and_only_anew_empties_the_file);
    tcase_add_test(t, a_rewritten_file_has_what_was_to_be_kept);
    suite_add_tcase(s, t);
    return run_suite(s);
}
