/* Settings of a subscriber from the fuzzer: refused with a sentence, without a file or
 * TCP tried, or they make a destination whose messages osc_read() takes. */
#include "rt/target.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
check(const rt_target *t)
{
    must(!t->dest && t->at <= RT_AT_ANY && t->scales && t->kinds && t->k);
    must(isfinite(t->rate) && t->rate >= 0);
    must(memchr(t->chosen, 0, sizeof t->chosen) != NULL);
    must(rt_target_asks(t) <= 1U << RT_AT_BOTH);
}

static void
encode(rt_target *t)
{
    static const rt_kind kinds[] = {RT_MATCH, RT_ONSET, RT_NOMATCH, RT_LABEL};
    static const idx_sound sound = {.label = "a b", .path = "x/y.wav"};
    uint8_t out[OSC_MAX_DATAGRAM];
    const char *why;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const rt_match m = {.kind = kinds[i], .rank = 1, .score = 0.5F};
        t->dest = (void *)t; /* only its being there is looked at */
        const bool wanted = rt_target_wants(t, &m, 0, RT_AT_CONTINUOUS);
        t->dest = NULL;
        if (!wanted || !t->templated)
            continue;
        const size_t n = rt_target_encode(out, t, &m, "in", "main", sound, 40);
        must(n <= sizeof out && n % 4 == 0);
        must(!n || osc_read(out, n, NULL, NULL, &why) == OSC_OK);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    static const char names[][RT_NAME] = {"main", "drums"};
    char why[400], *text = malloc(n + 1); /* so that a read beyond it is seen */
    rt_target *t = malloc(sizeof *t);
    must(text && t);
    if (n)
        memcpy(text, data, n);
    text[n] = 0;
    memset(why, 'x', sizeof why);
    if (!rt_target_read(t, text, true, why, sizeof why)) {
        must(memchr(why, 0, sizeof why) != NULL && *why);
    } else {
        must(strlen(text) < RT_ITEM);
        check(t);
        encode(t);
        memset(why, 'x', sizeof why);
        if (!rt_target_choose(t, names, 2, why, sizeof why))
            must(memchr(why, 0, sizeof why) != NULL && *why);
    }
    free(text);
    free(t);
    return 0;
}
