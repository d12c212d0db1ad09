#define _DEFAULT_SOURCE /* realpath */
#include "session.h"

#include "indexes.h"

#include "nsm.h"
#include "rt.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_PATH = RT_TEXT }; /* rt_nsm_order leaves room for the longest name below */
static const char preset_name[] = "hearken.conf", index_name[] = "corpus.hkn",
                  learned_name[] = "learned.hkn", new_suffix[] = ".new";

struct rt_session {
    rt_nsm *nsm;
    rt_nsm_order open;
    bool opened; /* and the manager knows */
    char preset[FILE_PATH], index[FILE_PATH], index_used[FILE_PATH], learned[FILE_PATH];
    char state[100];
};

/* ---- Saving ----------------------------------------------------------------------
 */

static bool
fail(char *why, size_t why_len, const char *path)
{
    snprintf(why, why_len, "%s: %s", path, strerror(errno));
    return false;
}

/* The settings of `listen`, in the order of the table, section by section. */
static char *
write_settings(const rt_options *o)
{
    enum { CAP = 1 << 16 };
    char *text = calloc(1, CAP);
    size_t n_fields, n = 0;
    const rt_field *f = rt_fields(&n_fields);
    const char *last = "";
    for (size_t i = 0; text && i < n_fields; i++)
        if (f[i].commands & RT_LISTEN && strcmp(last, f[i].section) != 0) {
            last = f[i].section;
            n += rt_options_write(o, last, text + n, CAP - n);
            if (n >= CAP) {
                free(text);
                text = NULL;
            }
        }
    return text;
}

/* A preset has lines of 198 characters and comments: what it would make something else
 * of must not be lost without a word. */
static bool
reads_back(const char *path, const char *text, char *why, size_t why_len)
{
    rt_options *o = malloc(sizeof *o);
    char *again = NULL;
    bool same = false;
    if (o) {
        rt_options_default(o);
        if (!rt_preset_load(o, path, why, why_len)) {
            free(o);
            return false;
        }
        again = write_settings(o);
    }
    same = again && !strcmp(again, text);
    if (!same)
        snprintf(why, why_len, "%s: a setting cannot be written as a preset", path);
    free(again);
    free(o);
    return same;
}

static bool
write_file(const char *path, const char *text, char *why, size_t why_len)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return fail(why, why_len, path);
    fputs("# What hearken listen was told when this session was saved.\n", f);
    fputs(text, f);
    const bool written = fflush(f) == 0 && !ferror(f) && fsync(fileno(f)) == 0;
    const bool ok = written || fail(why, why_len, path);
    fclose(f);
    return ok;
}

static bool
save_preset(const char *path, const rt_options *o, char *why, size_t why_len)
{
    char fresh[FILE_PATH + sizeof new_suffix];
    char *text = write_settings(o);
    snprintf(fresh, sizeof fresh, "%s%s", path, new_suffix);
    bool ok = text && write_file(fresh, text, why, why_len) &&
              reads_back(fresh, text, why, why_len);
    if (!text)
        snprintf(why, why_len, "%s: there is not enough memory to save it", path);
    if (ok && rename(fresh, path))
        ok = fail(why, why_len, path);
    if (!ok)
        unlink(fresh);
    free(text);
    return ok;
}

/* A link to the index, absolute; the file itself may stand there, too. */
static bool
save_index(const char *path, const char *index, char *why, size_t why_len)
{
    char target[PATH_MAX], fresh[FILE_PATH + sizeof new_suffix];
    struct stat at, is;
    if (!realpath(index, target) || stat(target, &is))
        return fail(why, why_len, index);
    if (lstat(path, &at) == 0 && !S_ISLNK(at.st_mode)) {
        if (at.st_dev == is.st_dev && at.st_ino == is.st_ino)
            return true;
        snprintf(why, why_len,
                 "%s: is there already and is no link; move it away to save %s", path,
                 index);
        return false;
    }
    snprintf(fresh, sizeof fresh, "%s%s", path, new_suffix);
    unlink(fresh);
    if (symlink(target, fresh) || rename(fresh, path))
        return fail(why, why_len, path);
    return true;
}

bool
rt_session_save(const char *folder, const char *index, const rt_options *o, char *why,
                size_t why_len)
{
    char path[FILE_PATH];
    if (mkdir(folder, 0777) && errno != EEXIST)
        return fail(why, why_len, folder);
    snprintf(path, sizeof path, "%s/%s", folder, preset_name);
    if (!save_preset(path, o, why, why_len))
        return false;
    snprintf(path, sizeof path, "%s/%s", folder, index_name);
    return !*index || save_index(path, index, why, why_len);
}

/* ---- While it runs ---------------------------------------------------------------
 */

void
rt_session_keep(rt_session *s, const rt_options *o)
{
    char why[1400];
    rt_options kept = *o;
    rt_indexes_absolute(&kept);
    if (!strcmp(kept.learn.file, s->learned)) /* a copy of the session has its own */
        snprintf(kept.learn.file, sizeof kept.learn.file, "none");
    const bool ok =
        rt_session_save(s->open.path, s->index_used, &kept, why, sizeof why);
    if (!ok)
        rt_say("the session cannot be saved: %s", why);
    rt_nsm_reply(s->nsm, RT_NSM_SAVE, ok ? 0 : RT_NSM_CREATE_FAILED,
                 ok ? "saved" : why);
}

static void
tell(rt_session *s, const char *state)
{
    if (!strcmp(s->state, state))
        return;
    snprintf(s->state, sizeof s->state, "%s", state);
    rt_nsm_message(s->nsm, 1, state);
}

bool
rt_session_tick(rt_session *s, const char *state)
{
    rt_nsm_order order;
    if (!s)
        return false;
    if (!s->opened)
        rt_nsm_reply(s->nsm, RT_NSM_OPEN, 0, "listening");
    s->opened = true;
    tell(s, state);
    while (rt_nsm_take(s->nsm, &order)) {
        if (order.kind == RT_NSM_SAVE)
            return true;
        if (order.kind == RT_NSM_OPEN || order.kind == RT_NSM_BAD_OPEN)
            rt_nsm_reply(s->nsm, RT_NSM_OPEN, RT_NSM_GENERAL,
                         "hearken changes sessions by an end and a new start");
    }
    return false;
}

void
rt_session_leave(rt_session *s)
{
    if (!s)
        return;
    if (!s->opened && *s->open.path)
        rt_nsm_reply(s->nsm, RT_NSM_OPEN, RT_NSM_BAD_PROJECT,
                     "hearken could not start with what the session holds; it says why "
                     "on stderr");
    rt_nsm_close(s->nsm);
    free(s);
}

/* ---- Joining ---------------------------------------------------------------------
 */

/* Until one of the orders comes that are awaited: false when time is up or a signal
 * came. */
static bool
await(rt_session *s, rt_nsm_kind from, double seconds)
{
    const double end = rt_seconds() + seconds;
    while (!atomic_load(&rt_stop) && rt_seconds() < end) {
        while (rt_nsm_take(s->nsm, &s->open))
            if (s->open.kind >= from && s->open.kind != RT_NSM_SAVE)
                return true;
        rt_sleep_ms(10);
    }
    return false;
}

/* True when a session is open, and false, having said so, when there is none. */
static bool
enter(rt_session *s)
{
    enum { ANSWER_S = 5, OPEN_S = 20 };
    const char *fault = "it does not answer";
    rt_nsm_announce(s->nsm, rt_program);
    if (await(s, RT_NSM_WELCOME, ANSWER_S)) {
        fault = "it opens no session";
        if (s->open.kind == RT_NSM_WELCOME)
            await(s, RT_NSM_OPEN, OPEN_S);
    }
    if (s->open.kind == RT_NSM_OPEN)
        return true;
    if (s->open.kind == RT_NSM_BAD_OPEN)
        rt_nsm_reply(s->nsm, RT_NSM_OPEN, RT_NSM_BAD_PROJECT, s->open.text);
    if (s->open.kind == RT_NSM_BAD_OPEN || s->open.kind == RT_NSM_REFUSED)
        fault = s->open.text;
    if (!atomic_load(&rt_stop))
        rt_say(
            "the session manager that NSM_URL names is of no use: %s; going on alone",
            fault);
    return false;
}

/* The command line again, the session's preset before all else. */
static int
take_preset(rt_session *s, rt_command_line *line)
{
    int status = RT_OK;
    if (access(s->preset, F_OK) == 0) {
        char **argv = calloc((size_t)line->argc + 3, sizeof *argv);
        if (!argv)
            return RT_SOFTWARE;
        argv[0] = line->argv[0];
        argv[1] = (char[]){"--preset"};
        argv[2] = s->preset;
        for (int i = 1; i < line->argc; i++)
            argv[i + 2] = line->argv[i];
        line->n_rest = rt_options_parse(line->options, RT_LISTEN, line->argc + 2, argv,
                                        line->rest, &status);
        free(argv);
    }
    snprintf(line->options->jack.client_name, RT_NAME, "%s", s->open.client);
    return status;
}

/* Whether there is a file that does not grow any more. */
static bool
is_complete(const char *path, off_t *bytes)
{
    struct stat st;
    const off_t before = *bytes;
    *bytes = stat(path, &st) == 0 ? st.st_size : 0;
    return *bytes > 0 && *bytes == before;
}

/* A new session has no index: only the user can give it one. */
static void
wait_for_index(rt_session *s, const rt_options *o)
{
    char text[FILE_PATH + 80];
    off_t bytes = 0;
    mkdir(s->open.path, 0777);
    snprintf(text, sizeof text,
             "this session has no index yet: put one, or a link to one, at %s",
             s->index);
    if (access(s->index, R_OK) != 0) {
        rt_say("%s", text);
        rt_nsm_message(s->nsm, 2, text);
    }
    for (is_complete(s->index, &bytes);
         !atomic_load(&rt_stop) && !is_complete(s->index, &bytes);) {
        if (rt_session_tick(s, "waiting for an index"))
            rt_session_keep(s, o);
        rt_sleep_ms(250);
    }
}

static int
take_session(rt_session *s, rt_command_line *line)
{
    snprintf(s->preset, sizeof s->preset, "%s/%s", s->open.path, preset_name);
    snprintf(s->index, sizeof s->index, "%s/%s", s->open.path, index_name);
    const int status = take_preset(s, line);
    if (status || line->n_rest < 0)
        return status;
    snprintf(s->learned, sizeof s->learned, "%s/%s", s->open.path, learned_name);
    if (!strcmp(line->options->learn.file, "none")) {
        mkdir(s->open.path, 0777); /* it may be written before the session is */
        snprintf(line->options->learn.file, RT_TEXT, "%s", s->learned);
    }
    if (!line->n_rest)
        wait_for_index(s, line->options);
    if (!line->n_rest && !atomic_load(&rt_stop))
        line->rest[line->n_rest++] = s->index;
    if (line->n_rest)
        snprintf(s->index_used, sizeof s->index_used, "%s", line->rest[0]);
    return RT_OK;
}

int
rt_session_join(rt_session **out, rt_command_line *line)
{
    const char *url = getenv("NSM_URL");
    char why[400];
    *out = NULL;
    if (!url || !*url)
        return RT_OK;
    rt_session *s = calloc(1, sizeof *s);
    if (!s)
        return RT_SOFTWARE;
    rt_catch_stop();
    if (!rt_nsm_open(&s->nsm, url, why, sizeof why))
        rt_say("%s; going on alone", why);
    else if (enter(s))
        *out = s;
    const int status = *out ? take_session(s, line) : RT_OK;
    if (!*out || status) {
        rt_session_leave(s);
        *out = NULL;
    }
    return status;
}
