/* Settings by their addresses: the table of settings, seen from OSC. */
#include "control_private.h"
#include "indexes.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "/hearken/";

void
rt_setting_address(const rt_field *f, char out[RT_ADDRESS])
{
    snprintf(out, RT_ADDRESS, "%s%s/%s", prefix, f->section, f->key);
}

const rt_field *
rt_setting_at(const char *address)
{
    char name[RT_ADDRESS];
    const size_t n = strlen(address);
    if (n >= sizeof name || strncmp(address, prefix, sizeof prefix - 1) != 0)
        return NULL;
    memcpy(name, address + sizeof prefix - 1, n - (sizeof prefix - 1) + 1);
    char *slash = strchr(name, '/');
    if (!slash)
        return NULL;
    *slash = '.';
    const rt_field *f = rt_field_named(name);
    return f && f->commands & RT_LISTEN ? f : NULL;
}

static bool
is_yes_no(const rt_field *f)
{
    return f->type == T_CHOICE && !strcmp(f->choices[0], "no") &&
           !strcmp(f->choices[1], "yes") && !f->choices[2];
}

char
rt_setting_type(const rt_field *f)
{
    if (f->type == T_U32 || is_yes_no(f))
        return 'i';
    return f->type == T_FLOAT ? 'f' : 's';
}

/* One argument as the text that the parser of settings takes; false when it has none.
 */
static bool
to_text(const rt_field *f, const osc_arg *a, char *out, size_t cap)
{
    const bool yes_no = is_yes_no(f);
    int n = -1;
    if (yes_no && strchr("TFif", a->type))
        n = snprintf(out, cap, "%s",
                     a->type == 'T' || (a->type == 'i' && a->i != 0) ||
                             (a->type == 'f' && (a->f > 0 || a->f < 0))
                         ? "yes"
                         : "no");
    else if (a->type == 'i')
        n = snprintf(out, cap, "%d", a->i);
    else if (a->type == 'h')
        n = snprintf(out, cap, "%lld", (long long)a->h);
    else if (a->type == 'f')
        n = snprintf(out, cap, "%.9g", (double)a->f);
    else if (a->type == 'd')
        n = snprintf(out, cap, "%.17g", a->d);
    else if (a->type == 's' || a->type == 'S')
        n = snprintf(out, cap, "%s", a->s);
    return n >= 0 && (size_t)n < cap;
}

/* Whether a scale has anything to be found at. */
static bool
has_entries(const rt_options *o, const idx_index *index, uint32_t scale)
{
    return idx_scale_of(index, rt_set_of(o, scale))->n_entries > 0;
}

bool
rt_control_check(const rt_options *o, const idx_index *index, char *why, size_t len)
{
    for (uint32_t s = 0; s < RT_SCALES; s++) {
        if (!(o->match.scales >> s & 1U) || has_entries(o, index, s))
            continue;
        snprintf(why, len, "the index has nothing at scale %s%s, so that %s",
                 rt_scale_name(s), o->search.space ? " in the space of labels" : "",
                 s == RT_TIMBRE    ? "it must be built with --build-timbre yes"
                 : o->search.space ? "it must be built with --build-labels"
                                   : "it would never answer");
        return false;
    }
    return true;
}

/* Whether the settings of an index go together and, where scales are others, whether it
 * can answer so. */
static bool
can_answer(rt_shelf *s, uint32_t index, const rt_options *o, bool scales, char *why,
           size_t len)
{
    char reason[RT_SENTENCE];
    rt_options of = *o;
    rt_options_of(&of, index);
    const uint32_t book = rt_shelf_take(s, index);
    const bool ok =
        rt_analyse_check(&of, reason, sizeof reason) &&
        (!scales || rt_control_check(&of, s->book[book].index, reason, sizeof reason));
    rt_shelf_release(s, book);
    if (!ok)
        snprintf(why, len, "%s%s%s%s", index ? "index " : "",
                 index ? s->name[index] : "", index ? ": " : "", reason);
    return ok;
}

/* Whether a row has to do with what there is to be found. */
static bool
is_of_scales(const rt_field *f)
{
    return f->offset == offsetof(rt_options, match.scales) ||
           f->offset == offsetof(rt_options, search.space);
}

/* Has settings used, where all indexes can go by them. */
static bool
use(rt_control *c, const rt_options *wanted, bool scales, char *why, size_t len)
{
    for (uint32_t i = 0; i < c->config.shelf->n; i++)
        if (!can_answer(c->config.shelf, i, wanted, scales, why, len))
            return false;
    pthread_mutex_lock(&c->lock);
    c->options = *wanted;
    pthread_mutex_unlock(&c->lock);
    rt_publish_set(c->config.publish, &c->options);
    c->due = true;
    return true;
}

bool
rt_setting_change_text(rt_control *c, const rt_field *f, const char *text, char *why,
                       size_t len)
{
    char name[RT_ADDRESS];
    rt_options wanted = c->options;
    snprintf(name, sizeof name, "%s.%s", f->section, f->key);
    if (!(f->commands & RT_LIVE)) {
        snprintf(why, len,
                 "%s cannot be changed while hearken runs; start it with --%s-%s", name,
                 f->section, f->key);
        return false;
    }
    return rt_options_set(&wanted, name, text, RT_LIVE, why, len) &&
           use(c, &wanted, is_of_scales(f), why, len);
}

/* The arguments from number first on as text. */
static bool
text_of(const rt_field *f, const osc_message *m, uint32_t first, char text[RT_TEXT],
        char *why, size_t len)
{
    size_t n = 0;
    /* a set of words may come as several */
    if (m->n_args > first + 1 && f->type != T_SET) {
        snprintf(why, len, "%s.%s takes one value, and %u came", f->section, f->key,
                 m->n_args - first);
        return false;
    }
    for (uint32_t i = first; i < m->n_args; i++) {
        if (i > first)
            text[n++] = ',';
        if (!to_text(f, &m->arg[i], text + n, RT_TEXT - n - 1)) {
            snprintf(why, len, "%s.%s wants a value of type %c, not %c", f->section,
                     f->key, rt_setting_type(f), m->arg[i].type);
            return false;
        }
        n += strlen(text + n);
    }
    return true;
}

bool
rt_setting_change(rt_control *c, const rt_field *f, const osc_message *m,
                  uint32_t first, char *why, size_t len)
{
    char text[RT_TEXT] = "";
    return text_of(f, m, first, text, why, len) &&
           rt_setting_change_text(c, f, text, why, len) &&
           rt_setting_tell(c, f, why, len);
}

/* The value of a row as arguments; how many. text[RT_TEXT] is for those that need it.
 */
static uint32_t
values_of(const rt_options *o, const rt_field *f, osc_arg out[RT_LIST],
          char text[RT_TEXT])
{
    const void *at = (const char *)o + f->offset;
    const rt_list *list = at;
    out[0] = (osc_arg){.type = rt_setting_type(f)};
    if (f->type == T_LIST) {
        for (uint32_t i = 0; i < list->n; i++)
            out[i] = (osc_arg){.type = 's', .s = list->item[i]};
        return list->n;
    }
    if (out[0].type == 'f') {
        out[0].f = *(const float *)at;
    } else if (out[0].type == 'i') {
        const uint32_t u = *(const uint32_t *)at;
        out[0].i = u < INT32_MAX ? (int32_t)u : INT32_MAX;
    } else {
        rt_options_text(o, f, 0, text, RT_TEXT);
        out[0].s = text;
    }
    return 1;
}

bool
rt_setting_tell(rt_control *c, const rt_field *f, char *why, size_t len)
{
    char name[RT_ADDRESS], text[RT_TEXT];
    osc_arg args[1 + RT_LIST] = {{.type = 's', .s = name}};
    snprintf(name, sizeof name, "%s.%s", f->section, f->key);
    const uint32_t n = values_of(&c->options, f, args + 1, text);
    if (rt_control_reply(c, "/hearken/value", args, 1 + n))
        return true;
    snprintf(why, len, "the value of %s is too long for one message", name);
    return false;
}

bool
rt_setting_change_own(rt_control *c, uint32_t index, const char *key,
                      const osc_message *m, uint32_t first, char *why, size_t len)
{
    char text[RT_TEXT] = "", name[RT_ADDRESS], value[RT_TEXT];
    const rt_field *f = rt_own_field(key);
    rt_options wanted = c->options;
    if ((f && !text_of(f, m, first, text, why, len)) ||
        !rt_own_set(&wanted, index, key, text, why, len) ||
        !use(c, &wanted, is_of_scales(f), why, len))
        return false;
    rt_options_of(&wanted, index);
    snprintf(name, sizeof name, "%s.%s", f->section, f->key);
    osc_arg args[2 + RT_LIST] = {{.type = 's', .s = c->config.shelf->name[index]},
                                 {.type = 's', .s = name}};
    const uint32_t n = values_of(&wanted, f, args + 2, value);
    rt_control_reply(c, "/hearken/index/value", args, 2 + n);
    return true;
}
