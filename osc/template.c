#include "template.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const osc_kind_name[OSC_KINDS] = {"match", "onset", "nomatch", "label",
                                              "status"};

enum {
    M = 1 << OSC_MATCH,
    O = 1 << OSC_ONSET,
    N = 1 << OSC_NOMATCH,
    L = 1 << OSC_LABEL,
    S = 1 << OSC_STATUS
};

static const struct {
    char name[9];
    char type;
    uint8_t kinds; /* bits */
} values[OSC_VALUES] = {
    [OSC_V_SEQ] = {"seq", 'i', M | O | N | L | S},
    [OSC_V_INPUT] = {"input", 's', M | O | N | L},
    [OSC_V_SCALE] = {"scale", 's', M | N | L},
    [OSC_V_RANK] = {"rank", 'i', M},
    [OSC_V_SCORE] = {"score", 'f', M | N},
    [OSC_V_COSINE] = {"cosine", 'f', M},
    [OSC_V_SOUND] = {"sound", 'i', M},
    [OSC_V_START] = {"start", 'f', M},
    [OSC_V_LENGTH] = {"length", 'f', M},
    [OSC_V_AGE] = {"age", 'f', M | O | N | L},
    [OSC_V_LABEL] = {"label", 's', M | L},
    [OSC_V_PATH] = {"path", 's', M},
    [OSC_V_LEVEL] = {"level", 'f', O},
    [OSC_V_STRENGTH] = {"strength", 'f', O},
    [OSC_V_SHARE] = {"share", 'f', L},
    [OSC_V_VOTERS] = {"voters", 'i', L},
    [OSC_V_STATE] = {"state", 's', S},
    [OSC_V_INDEX] = {"index", 's', M | N | L},
};

char
osc_value_type(osc_value v)
{
    return values[v].type;
}

/* ---- Reading ------------------------------------------------------------------- */

typedef struct {
    osc_template *t;
    const char *text, *fault; /* fault: where, NULL: none */
    size_t used;              /* of t->text */
    char *why;
    size_t why_len;
} reader;

static bool
fail(reader *r, const char *at, const char *why)
{
    r->fault = at;
    snprintf(r->why, r->why_len, "%s", why);
    return false;
}

static bool
fail_unknown(reader *r, const char *at, size_t n)
{
    char list[120] = "";
    size_t used = 0;
    for (size_t v = 0; v < OSC_VALUES; v++)
        if (values[v].kinds >> r->t->kind & 1)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                     used ? ", " : "", values[v].name);
    r->fault = at;
    snprintf(r->why, r->why_len, "there is no {%.*s} in the message %s; it has %s",
             (int)(n < 20 ? n : 20), at, osc_kind_name[r->t->kind], list);
    return false;
}

/* Keeps n bytes and a zero; false when there is no room. */
static bool
keep(reader *r, const char *text, size_t n)
{
    if (n >= sizeof r->t->text - r->used)
        return fail(r, text, "the template is longer than 1000 characters");
    memcpy(r->t->text + r->used, text, n);
    r->t->text[r->used + n] = 0;
    r->used += n + 1;
    return true;
}

/* The value that n bytes name, or OSC_VALUES. */
static osc_value
value_named(osc_kind kind, const char *name, size_t n)
{
    unsigned v = 0;
    while (v < OSC_VALUES &&
           !(values[v].kinds >> kind & 1 && strlen(values[v].name) == n &&
             !memcmp(values[v].name, name, n)))
        v++;
    return (osc_value)v;
}

static bool
read_factor(reader *r, const char **p, osc_template_arg *a)
{
    char *end;
    const char *at = *p + 1;
    a->factor = strtof(at, &end);
    *p = end;
    if (a->type == 's')
        return fail(r, at, "only a number can be multiplied");
    a->type = 'f';
    /* blanks before a number are strtof()'s idea */
    if (end == at || strchr(" \t", *at) || !isfinite(a->factor))
        return fail(r, at, "after * there is to be a number, as in {score*127:i}");
    return true;
}

static bool
read_cast(reader *r, const char **p, osc_template_arg *a)
{
    const char type = (*p)[1];
    if (type != 'i' && type != 'f')
        return fail(r, *p, "after : there is to be i or f");
    if (a->type == 's')
        return fail(r, *p, "a string cannot become a number");
    a->type = type;
    *p += 2;
    return true;
}

/* From '{' to beyond its '}', or NULL. */
static const char *
read_value(reader *r, const char *open, osc_template_arg *a)
{
    const char *name = open + 1, *p = name + strcspn(name, "*:{} \t");
    const osc_value v = value_named(r->t->kind, name, (size_t)(p - name));
    if (!strchr(name, '}'))
        return fail(r, open, "a { has no }"), NULL;
    if (v == OSC_VALUES)
        return fail_unknown(r, name, (size_t)(p - name)), NULL;
    *a = (osc_template_arg){.type = values[v].type, .value = (uint8_t)v, .factor = 1};
    if (*p == '*' && !read_factor(r, &p, a))
        return NULL;
    if (*p == ':' && !read_cast(r, &p, a))
        return NULL;
    if (*p != '}')
        return fail(r, p, "here is to be a }"), NULL;
    return p + 1;
}

/* To the first blank after the address, or NULL. */
static const char *
read_address(reader *r, const char *text)
{
    const char *p = text;
    osc_template_arg a;
    if (*p != '/')
        return fail(r, p, "a template begins with an address, as in /kick {score}"),
               NULL;
    while (*p && *p != ' ' && *p != '\t') {
        if (*p == '{') {
            const char *open = p;
            if (!(p = read_value(r, p, &a)))
                return NULL;
            if (a.type == 'f' || strcspn(open, "*:") < (size_t)(p - open))
                return fail(r, open,
                            "an address takes strings and whole numbers as "
                            "they are"),
                       NULL;
        } else if (*p < '!' || *p > '~' || strchr("#*,?[]}\"", *p)) {
            return fail(r, p, "this character cannot be in an address"), NULL;
        } else {
            p++;
        }
    }
    return keep(r, text, (size_t)(p - text)) ? p : NULL;
}

static bool
read_string(reader *r, const char *text, size_t n, osc_template_arg *a)
{
    *a = (osc_template_arg){.type = 's', .value = OSC_VALUES, .at = (uint16_t)r->used};
    return keep(r, text, n);
}

/* A word is a number when all of it is. */
static bool
read_word(reader *r, const char *text, size_t n, osc_template_arg *a)
{
    char word[40], *end;
    if (n >= sizeof word || !strchr("+-.0123456789", *text))
        return read_string(r, text, n, a);
    memcpy(word, text, n);
    word[n] = 0;
    *a = (osc_template_arg){.type = 'i', .value = OSC_VALUES};
    errno = 0;
    const long long whole = strtoll(word, &end, 10);
    if (!*end && !errno && whole >= INT32_MIN && whole <= INT32_MAX) {
        a->number.i = (int32_t)whole;
        return true;
    }
    a->type = 'f';
    a->number.f = strtof(word, &end);
    if (*end || end == word)
        return read_string(r, text, n, a);
    return isfinite(a->number.f) || fail(r, text, "this number is too large");
}

/* One argument, to beyond it, or NULL. */
static const char *
read_arg(reader *r, const char *p, osc_template_arg *a)
{
    const char *end = p + strcspn(p, " \t");
    if (*p == '{') {
        end = read_value(r, p, a);
    } else if (*p == '"') {
        end = strchr(p + 1, '"');
        if (!end)
            return fail(r, p, "a \" has no second one"), NULL;
        if (!read_string(r, p + 1, (size_t)(end - p - 1), a))
            return NULL;
        end++;
    } else if (strcspn(p, "{}\"") < (size_t)(end - p)) {
        return fail(r, p + strcspn(p, "{}\""), "here a blank is missing"), NULL;
    } else if (!read_word(r, p, (size_t)(end - p), a)) {
        return NULL;
    }
    if (end && *end && *end != ' ' && *end != '\t')
        return fail(r, end, "here a blank is missing"), NULL;
    return end;
}

static bool
read_all(reader *r)
{
    const char *p = read_address(r, r->text + strspn(r->text, " \t"));
    while (p && *(p += strspn(p, " \t"))) {
        if (r->t->n_args == OSC_MAX_ARGS)
            return fail(r, p, "there are more than 32 arguments");
        p = read_arg(r, p, &r->t->arg[r->t->n_args++]);
    }
    return p != NULL;
}

osc_status
osc_template_parse(osc_template *t, osc_kind kind, const char *text, size_t *column,
                   char *why, size_t why_len)
{
    reader r = {.t = t, .text = text, .why = why, .why_len = why_len};
    *t = (osc_template){.kind = kind};
    *column = 0;
    if (read_all(&r))
        return OSC_OK;
    *column = (size_t)(r.fault - text) + 1;
    return OSC_EARG;
}

/* ---- Writing ------------------------------------------------------------------- */

/* As a part of an address. */
static void
put_part(char **out, const char *end, const char *s)
{
    const char *from = *s ? s : "_";
    for (; *from && *out < end; from++)
        *(*out)++ =
            *from > ' ' && *from <= '~' && !strchr("#*,/?[]{}", *from) ? *from : '_';
}

static void
put_whole(char **out, const char *end, int32_t i)
{
    char digits[12];
    size_t n = sizeof digits - 1;
    uint32_t left = i < 0 ? 0U - (uint32_t)i : (uint32_t)i;
    digits[n] = 0;
    do
        digits[--n] = (char)('0' + left % 10);
    while (left /= 10);
    if (i < 0)
        digits[--n] = '-';
    put_part(out, end, digits + n);
}

/* False when it does not fit. */
static bool
write_address(char out[], size_t cap, const osc_template *t,
              const osc_arg value[OSC_VALUES])
{
    const char *end = out + cap - 1;
    for (const char *p = t->text; *p && out < end;) {
        if (*p != '{') {
            *out++ = *p++;
            continue;
        }
        const size_t n = strcspn(p, "}");
        const osc_arg *a = &value[value_named(t->kind, p + 1, n - 1)];
        if (a->type == 's')
            put_part(&out, end, a->s);
        else
            put_whole(&out, end, a->i);
        p += n + 1;
    }
    *out = 0;
    return out < end;
}

static int32_t
to_whole(double x)
{
    if (!(x > INT32_MIN)) /* of NaN too, which nothing here makes */
        return INT32_MIN;
    return x < INT32_MAX ? (int32_t)lrint(x) : INT32_MAX;
}

/* What is not finite stays so, and is then not sent. */
static osc_arg
number(const osc_template_arg *a, const osc_arg *value)
{
    osc_arg out = *value;
    if (a->factor == 1 && a->type == value->type)
        return out;
    const double x =
        (value->type == 'i' ? (double)value->i : (double)value->f) * (double)a->factor;
    out.type = isfinite(x) ? a->type : 'f';
    if (out.type == 'i')
        out.i = to_whole(x);
    else
        out.f = (float)x;
    return out;
}

static osc_arg
argument(const osc_template *t, const osc_template_arg *a, const osc_arg value[])
{
    osc_arg out = a->number;
    if (a->value < OSC_VALUES)
        return a->type == 's' ? value[a->value] : number(a, &value[a->value]);
    out.type = a->type;
    if (a->type == 's')
        out.s = t->text + a->at;
    return out;
}

size_t
osc_template_encode(uint8_t out[], size_t cap, const osc_template *t,
                    const osc_arg value[OSC_VALUES])
{
    char address[OSC_MAX_DATAGRAM];
    osc_arg args[OSC_MAX_ARGS];
    if (!write_address(address, sizeof address, t, value))
        return 0;
    for (uint32_t i = 0; i < t->n_args; i++)
        args[i] = argument(t, &t->arg[i], value);
    return osc_message_encode(out, cap, address, args, t->n_args);
}
