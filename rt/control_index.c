/* Commands about indexes; see control_commands.c. */
#include "control_private.h"

#include <stdio.h>

bool
rt_arg_index(const rt_control *c, const osc_message *m, uint32_t i, uint32_t *out,
             char *why, size_t len)
{
    const rt_shelf *s = c->config.shelf;
    const char *name = i < m->n_args ? rt_arg_string(m, i) : "";
    *out = name ? rt_shelf_named(s, name) : RT_INDEXES;
    if (*out < RT_INDEXES)
        return true;
    snprintf(why, len, "there is no index \"%.60s\"; /hearken/index/list tells them",
             name ? name : "");
    return false;
}

/* What is in use. */
static void
tell_index(rt_control *c, uint32_t index)
{
    rt_shelf *s = c->config.shelf;
    const uint32_t book = rt_shelf_take(s, index);
    const rt_book *b = &s->book[book];
    const osc_arg args[] = {{.type = 's', .s = b->path},
                            {.type = 'i', .i = (int32_t)idx_n_sounds(b->index)},
                            {.type = 's', .s = s->name[index]}};
    rt_control_reply(c, "/hearken/index/loaded", args, 3);
    rt_shelf_release(s, book);
}

/* Answers with what is in use then. */
static bool
use_index(rt_control *c, uint32_t index, const char *path, char *why, size_t len)
{
    if (!c->config.load) {
        snprintf(why, len, "the index cannot be changed here");
        return false;
    }
    if (!c->config.load(c->config.load_ctx, index, path, why, len))
        return false;
    tell_index(c, index);
    return true;
}

bool
rt_index_load(rt_control *c, const osc_message *m, char *why, size_t len)
{
    const char *path = rt_arg_string(m, 0);
    uint32_t index;
    if (path && *path)
        return rt_arg_index(c, m, 1, &index, why, len) &&
               use_index(c, index, path, why, len);
    snprintf(why, len, "%s wants the path of an index, and perhaps its name here",
             m->address);
    return false;
}

/* One that cannot be read does not keep others from it. */
bool
rt_index_reload(rt_control *c, const osc_message *m, char *why, size_t len)
{
    bool ok = true;
    uint32_t index;
    if (m->n_args)
        return rt_arg_index(c, m, 0, &index, why, len) &&
               use_index(c, index, "", why, len);
    for (uint32_t i = 0; i < c->config.shelf->n; i++)
        ok = use_index(c, i, "", why, len) && ok;
    return ok;
}

bool
rt_index_list(rt_control *c, const osc_message *m, char *why, size_t len)
{
    (void)m, (void)why, (void)len;
    for (uint32_t i = 0; i < c->config.shelf->n; i++)
        tell_index(c, i);
    return true;
}

bool
rt_index_set(rt_control *c, const osc_message *m, char *why, size_t len)
{
    const char *name = rt_arg_string(m, 0), *key = rt_arg_string(m, 1);
    uint32_t index;
    if (!name || !key || m->n_args < 3) {
        snprintf(why, len,
                 "%s wants the name of an index, that of a setting, such as score, and "
                 "a value",
                 m->address);
        return false;
    }
    if (!rt_arg_index(c, m, 0, &index, why, len))
        return false;
    if (index)
        return rt_setting_change_own(c, index, key, m, 2, why, len);
    snprintf(why, len,
             "main has no settings of its own; it goes by those of all, which "
             "/hearken/set sets");
    return false;
}
