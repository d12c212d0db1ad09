/* Address patterns of OSC 1.0. */
#include "control.h"

#include <string.h>

/* What is at a place of a pattern: a character for itself, ? * or a set, the { of some
 * alternatives, what ends one of these (, or }). */
typedef enum { ITSELF, ANY, STAR, SET, BRACE, END } kind;

typedef struct {
    const char *p;
    size_t n;
    kind kind[OSC_MAX_PATTERN + 1];
    size_t behind[OSC_MAX_PATTERN + 1]; /* of SET, BRACE and END, the ] or } */
} shape;

/* The places of a pattern that what was read of an address may have come to: all of
 * them at once, so that nothing is ever tried twice. */
typedef struct {
    bool at[OSC_MAX_PATTERN + 1];
} places;

bool
osc_is_pattern(const char *address)
{
    return address[strcspn(address, "*?[{")] != 0;
}

static void
take_alternatives(shape *s, size_t from, size_t end)
{
    s->kind[from] = BRACE;
    for (size_t i = from + 1; i <= end; i++)
        s->kind[i] = i == end || s->p[i] == ',' ? END : ITSELF;
    for (size_t i = from; i <= end; i++)
        s->behind[i] = end + 1;
}

/* False when it is too long, or a bracket or brace is left open. */
static bool
take_apart(shape *s, const char *pattern)
{
    *s = (shape){.p = pattern, .n = strnlen(pattern, OSC_MAX_PATTERN + 1)};
    if (s->n > OSC_MAX_PATTERN)
        return false;
    for (size_t i = 0; i < s->n; i++) {
        const char c = pattern[i];
        s->kind[i] = c == '?' ? ANY : c == '*' ? STAR : ITSELF;
        if (c != '[' && c != '{')
            continue;
        const char *close = strchr(pattern + i, c == '[' ? ']' : '}');
        if (!close)
            return false;
        const size_t end = (size_t)(close - pattern);
        s->kind[i] = SET;
        s->behind[i] = end + 1;
        if (c == '{')
            take_alternatives(s, i, end);
        i = end;
    }
    return true;
}

/* Whether a set, its text from behind the [, holds a character. */
static bool
set_holds(const char *set, char c)
{
    const bool others = *set == '!';
    bool found = false;
    for (set += others; *set != ']'; set++) {
        if (set[1] == '-' && set[2] != ']') {
            found |= set[0] <= c && c <= set[2];
            set += 2;
        } else {
            found |= *set == c;
        }
    }
    return found != others;
}

/* Adds the places that are come to without a further character; all are ahead. */
static void
go_ahead(const shape *s, places *now)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!now->at[i])
            continue;
        if (s->kind[i] == STAR)
            now->at[i + 1] = true;
        else if (s->kind[i] == END)
            now->at[s->behind[i]] = true;
        else if (s->kind[i] == BRACE)
            for (size_t k = i; k + 1 < s->behind[i]; k++)
                now->at[k + 1] |= s->kind[k] != ITSELF; /* behind { and each , */
    }
}

/* The places after one more character of the address. */
static places
step(const shape *s, const places *now, char c)
{
    places next = {.at = {false}};
    const bool in_part = c != '/';
    for (size_t i = 0; i < s->n; i++) {
        if (!now->at[i])
            continue;
        if (s->kind[i] == STAR)
            next.at[i] |= in_part;
        else if (s->kind[i] == ANY)
            next.at[i + 1] |= in_part;
        else if (s->kind[i] == SET)
            next.at[s->behind[i]] |= in_part && set_holds(s->p + i + 1, c);
        else if (s->kind[i] == ITSELF)
            next.at[i + 1] |= s->p[i] == c;
    }
    return next;
}

bool
osc_pattern_fits(const char *pattern, const char *address)
{
    shape s;
    places now = {.at = {true}};
    if (!take_apart(&s, pattern))
        return false;
    go_ahead(&s, &now);
    for (; *address; address++) {
        now = step(&s, &now, *address);
        go_ahead(&s, &now);
    }
    return now.at[s.n];
}
