/* osc/pattern.c: which addresses a pattern of OSC 1.0 fits. */
#include "osc/control.h"
#include "support.h"

#include <lo/lo.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *pattern, *address;
    bool fits;
} cases[] = {
    {"/a", "/a", true},
    {"/a", "/b", false},
    {"/a", "/ab", false},
    {"/ab", "/a", false},
    {"", "", true},
    {"", "/", false},
    {"/a?c", "/abc", true},
    {"/a?c", "/ac", false},
    {"/a?c", "/a/c", false},
    {"/*", "/abc", true},
    {"/*", "/", true},
    {"/*", "/a/b", false}, /* a part is one of those between / */
    {"/*/b", "/a/b", true},
    {"/*/*", "/a/b", true},
    {"/*c", "/abcabc", true},
    {"/*ab*ab*", "/xabyabz", true},
    {"/*ab*ab*", "/xabyaz", false},
    {"/a**b", "/ab", true},
    {"/[abc]", "/b", true},
    {"/[abc]", "/d", false},
    {"/[a-c]x", "/bx", true},
    {"/[a-c]", "/-", false},
    {"/[a-]", "/-", true},
    {"/[!a-c]", "/d", true},
    {"/[!a-c]", "/a", false},
    {"/[!a]b", "//b", false},
    {"/[!]", "/x", true},
    {"/[]", "/x", false},
    {"/a[/]b", "/a/b", false},
    {"/[a", "/a", false},
    {"/{a,bc,d}", "/bc", true},
    {"/{a,bc,d}", "/b", false},
    {"/{a,ab}c", "/abc", true}, /* also where the first one begins alike */
    {"/{a,}b", "/b", true},
    {"/{}b", "/b", true},
    {"/x{a,b}{c,d}y", "/xbcy", true},
    {"/{a,b", "/a", false},
    {"/{a*,b}", "/a*", true}, /* words in braces are meant as they are */
    {"/{a*,b}", "/ab", false},
    {"/{[a],b}", "/[a]", true},
    {"/a,b", "/a,b", true},
    {"/a}b", "/a}b", true},
    {"/hearken/{match,osc}/[ms]*", "/hearken/match/score", true},
    {"/hearken/{match,osc}/[ms]*", "/hearken/osc/mute", true},
    {"/hearken/{match,osc}/[ms]*", "/hearken/match/k", false},
};

START_TEST(patterns_fit_as_osc_says)
{
    ck_assert_msg(osc_pattern_fits(cases[_i].pattern, cases[_i].address) ==
                      cases[_i].fits,
                  "%s and %s", cases[_i].pattern, cases[_i].address);
}
END_TEST

START_TEST(only_what_has_a_sign_is_a_pattern)
{
    static const char *const plain[] = {"", "/a/b", "/a,b}]-!"};
    static const char *const patterns[] = {"/*", "/a?", "/[a]", "/{a}", "/{"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        ck_assert(!osc_is_pattern(plain[i]));
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        ck_assert(osc_is_pattern(patterns[i]));
}
END_TEST

/* ---- The twin: tries one thing after the other -------------------------------------
 */

static bool slow(const char *p, const char *a);

static bool
slow_set(const char *p, const char *a)
{
    const char *close = strchr(p, ']');
    const bool others = p[1] == '!';
    bool found = false;
    for (const char *s = p + 1 + others; s < close; s++)
        if (s[1] == '-' && s + 2 < close) {
            found |= *s <= *a && *a <= s[2];
            s += 2;
        } else {
            found |= *s == *a;
        }
    return *a && *a != '/' && found != others && slow(close + 1, a + 1);
}

static bool
slow_words(const char *p, const char *a)
{
    const char *close = strchr(p, '}');
    for (const char *word = p + 1; word <= close;) {
        const size_t n = strcspn(word, ",}");
        if (!strncmp(word, a, n) && slow(close + 1, a + n))
            return true;
        word += n + 1;
    }
    return false;
}

static bool
slow(const char *p, const char *a)
{
    switch (*p) {
    case 0:
        return !*a;
    case '?':
        return *a && *a != '/' && slow(p + 1, a + 1);
    case '*':
        return slow(p + 1, a) || (*a && *a != '/' && slow(p, a + 1));
    case '[':
        return slow_set(p, a);
    case '{':
        return slow_words(p, a);
    default:
        return *p == *a && slow(p + 1, a + 1);
    }
}

static uint32_t state;

/* One of n, the same at every run. */
static uint32_t
one_of(uint32_t n)
{
    state = state * 1664525U + 1013904223U;
    return (state >> 16) % n;
}

static void
random_text(char *out, const char *const of[], uint32_t n, uint32_t most)
{
    *out = 0;
    for (uint32_t i = one_of(most + 1); i > 0; i--)
        strcat(out, of[one_of(n)]);
}

static const char *const signs[] = {"a",    "b",    "/",       "?",     "*",     "[ab]",
                                    "[!a]", "[a-]", "{a,bb,}", "{b,a}", "{*,/a}"};
static const char *const letters[] = {"a", "b", "/", "*"};

START_TEST(random_patterns_fit_what_the_slow_twin_says)
{
    uint32_t n_fit = 0;
    state = 1;
    for (int i = 0; i < 200000; i++) {
        char pattern[100], address[20];
        random_text(pattern, signs, 11, 8);
        random_text(address, letters, 4, 8);
        const bool want = slow(pattern, address);
        n_fit += want;
        ck_assert_msg(osc_pattern_fits(pattern, address) == want, "%s and %s: not %d",
                      pattern, address, want);
    }
    ck_assert_uint_gt(n_fit, 1000);
}
END_TEST

/* liblo does not go back over words in braces, and lets * go over a /. */
START_TEST(random_patterns_of_one_part_fit_what_liblo_says)
{
    static const char *const some[] = {"a", "b", "?", "*", "[ab]", "[a-b]"};
    uint32_t n_fit = 0;
    state = 2;
    for (int i = 0; i < 100000; i++) {
        char pattern[100], address[20];
        random_text(pattern, some, 6, 6);
        random_text(address, letters, 2, 6);
        const bool want = lo_pattern_match(address, pattern) != 0;
        n_fit += want;
        ck_assert_msg(osc_pattern_fits(pattern, address) == want, "%s and %s: not %d",
                      pattern, address, want);
    }
    ck_assert_uint_gt(n_fit, 1000);
}
END_TEST

/* What would take a lifetime where each way is tried one after the other. */
START_TEST(no_pattern_takes_long)
{
    char pattern[OSC_MAX_PATTERN + 2] = "", address[200];
    for (size_t i = 0; i + 1 < OSC_MAX_PATTERN; i += 2)
        memcpy(pattern + i, "*a", 3);
    memset(address, 'a', sizeof address - 2);
    memcpy(address + sizeof address - 2, "b", 2);
    for (int i = 0; i < 100; i++)
        ck_assert(!osc_pattern_fits(pattern, address));
    pattern[OSC_MAX_PATTERN - 1] = '*';
    ck_assert_uint_eq(strlen(pattern), OSC_MAX_PATTERN);
    ck_assert(osc_pattern_fits(pattern, address));
    pattern[OSC_MAX_PATTERN] = '*';
    pattern[OSC_MAX_PATTERN + 1] = 0;
    ck_assert(!osc_pattern_fits(pattern, address)); /* too long */
}
END_TEST

static Suite *
pattern_suite(void)
{
    Suite *s = suite_create("osc_pattern");
    TCase *t = tcase_create("osc_pattern");
    tcase_add_loop_test(t, patterns_fit_as_osc_says, 0,
                        (int)(sizeof cases / sizeof *cases));
    tcase_add_test(t, only_what_has_a_sign_is_a_pattern);
    tcase_add_test(t, random_patterns_fit_what_the_slow_twin_says);
    tcase_add_test(t, random_patterns_of_one_part_fit_what_liblo_says);
    tcase_add_test(t, no_pattern_takes_long);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return run_suite(pattern_suite());
}
