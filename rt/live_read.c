/* Finds, copies and checks live pages. A page is a stranger's file until it is checked.
 */
#include "live_private.h"
#include "rt.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define END(text) ((text)[sizeof(text) - 1] = 0)

/* ---- Checking --------------------------------------------------------------------
 */

static double
sane(double x)
{
    return isfinite(x) && fabs(x) < 1e15 ? x : 0;
}

static float
sane_float(float x)
{
    return isfinite(x) && fabsf(x) < 1e9F ? x : 0;
}

static void
check_recall(rt_live_recall *r)
{
    const bool shares = r->recall >= 0 && r->recall <= 1 && r->low >= 0 &&
                        r->low <= 1 && r->high >= 0 && r->high <= 1 &&
                        r->promised >= 0 && r->promised <= 1;
    if (!shares)
        memset(r, 0, sizeof *r);
}

static void
check_status(rt_live_status *s)
{
    if (s->hash != rt_live_hash(s, sizeof *s))
        memset(s, 0, sizeof *s);
    END(s->state);
    s->at_s = sane(s->at_s);
    s->state_since_s = sane(s->state_since_s);
    for (uint32_t i = 0; i < RT_LIVE_SCALES; i++)
        check_recall(&s->recall[i]);
}

static void
check_match(rt_live_match *m, const rt_live_who *who)
{
    if (m->hash != rt_live_hash(m, sizeof *m) || m->input >= who->n_inputs ||
        m->index >= who->n_indexes || (m->kind != RT_MATCH && m->kind != RT_LABEL))
        memset(m, 0, sizeof *m);
    END(m->label);
    END(m->path);
    m->at_s = sane(m->at_s);
    float *const numbers[] = {&m->score, &m->cosine, &m->start_s, &m->length_s,
                              &m->age_ms};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = sane_float(*numbers[i]);
}

static void
check_input(rt_live_input *in)
{
    const float peak = atomic_load_explicit(&in->peak, memory_order_relaxed);
    atomic_store_explicit(&in->peak, peak > 0 ? sane_float(peak) : 0,
                          memory_order_relaxed);
    const uint32_t open = atomic_load_explicit(&in->open, memory_order_relaxed);
    atomic_store_explicit(&in->open, open ? 1 : 0, memory_order_relaxed);
}

static bool
check_who(rt_live_who *who)
{
    if (who->hash != rt_live_hash(who, sizeof *who) || who->n_inputs < 1 ||
        who->n_inputs > RT_LIVE_INPUTS || who->n_counts > RT_LIVE_COUNTS ||
        who->n_indexes < 1 || who->n_indexes > RT_INDEXES)
        return false;
    END(who->client);
    END(who->index);
    who->began_s = sane(who->began_s);
    for (uint32_t i = 0; i < RT_LIVE_INPUTS; i++)
        END(who->input[i]);
    for (uint32_t i = 0; i < RT_INDEXES; i++)
        END(who->name[i]);
    for (uint32_t i = 0; i < RT_LIVE_COUNTS; i++)
        END(who->count[i]);
    return true;
}

bool
rt_live_check(rt_live_page *page, size_t n, char *why, size_t why_len)
{
    const size_t known = offsetof(rt_live_page, who);
    if (n < known || memcmp(page->magic, RT_LIVE_MAGIC, sizeof page->magic)) {
        snprintf(why, why_len, "it is no live page of hearken's");
        return false;
    }
    END(page->version);
    if (page->layout != RT_LIVE_LAYOUT || page->bytes != sizeof *page) {
        snprintf(
            why, why_len,
            "it is written by hearken %.16s in a layout of its own; use the top of "
            "that one",
            page->version);
        return false;
    }
    if (n != sizeof *page || !check_who(&page->who)) {
        snprintf(why, why_len, "it is damaged");
        return false;
    }
    check_status(&page->status);
    for (uint32_t i = 0; i < RT_LIVE_INPUTS; i++)
        check_input(&page->input[i]);
    for (uint32_t s = 0; s < RT_LIVE_SCALES; s++)
        for (uint32_t i = 0; i < RT_LIVE_MATCHES; i++)
            check_match(&page->match[s][i], &page->who);
    return true;
}

/* ---- Files -----------------------------------------------------------------------
 */

/* One more byte is asked for than a page has: a longer file is another. */
static bool
copy_page(int fd, rt_live_page *page, char *why, size_t why_len)
{
    char more;
    size_t n = 0;
    for (ssize_t got = 1; got > 0 && n < sizeof *page; n += (size_t)got) {
        got = pread(fd, (char *)page + n, sizeof *page - n, (off_t)n);
        if (got < 0) {
            snprintf(why, why_len, "it cannot be read: %s", strerror(errno));
            return false;
        }
    }
    if (n == sizeof *page && pread(fd, &more, 1, (off_t)n) == 1)
        n++;
    return rt_live_check(page, n, why, why_len);
}

/* A copy in which main was not just writing, as far as a few trials give one. */
static bool
copy_whole(int fd, rt_live_page *page, char *why, size_t why_len)
{
    enum { TRIES = 5 };
    bool ok = true;
    for (int i = 0; i < TRIES && ok; i++) {
        ok = copy_page(fd, page, why, why_len);
        if (page->status.state[0])
            break;
    }
    return ok;
}

static bool
is_held(int fd)
{
    if (flock(fd, LOCK_SH | LOCK_NB))
        return errno == EWOULDBLOCK;
    flock(fd, LOCK_UN);
    return false;
}

/* The file, if it is one that this user may take for a page and a listen holds. */
static int
open_held(int folder, const char *name)
{
    struct stat st;
    if (strncmp(name, RT_LIVE_PREFIX, strlen(RT_LIVE_PREFIX)) != 0)
        return -1;
    const int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
        (st.st_uid == geteuid() || geteuid() == 0) && is_held(fd))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void
take_entry(rt_live_entry *e, int fd, rt_live_page *page)
{
    memset(e, 0, sizeof *e);
    if (!copy_page(fd, page, e->refusal, sizeof e->refusal))
        return;
    e->pid = page->who.pid;
    memcpy(e->client, page->who.client, sizeof e->client);
    memcpy(e->index, page->who.index, sizeof e->index);
}

/* Calls take() for each page that is held, until that returns true; it then owns the
 * descriptor. */
static void
each_held(const char *folder, bool (*take)(void *ctx, int fd), void *ctx)
{
    bool done = false;
    DIR *dir = opendir(folder ? folder : rt_live_folder());
    if (!dir)
        return;
    for (struct dirent *e; !done && (e = readdir(dir)) != NULL;) {
        const int fd = open_held(dirfd(dir), e->d_name);
        if (fd < 0)
            continue;
        done = take(ctx, fd);
        if (!done)
            close(fd);
    }
    closedir(dir);
}

typedef struct {
    rt_live_entry *out;
    size_t n, cap;
    rt_live_page *page;
} list;

static bool
take_listed(void *ctx, int fd)
{
    list *l = ctx;
    if (l->n < l->cap)
        take_entry(&l->out[l->n++], fd, l->page);
    return false;
}

static int
by_client(const void *a, const void *b)
{
    const rt_live_entry *x = a, *y = b;
    const int names = strcmp(x->client, y->client);
    return names ? names : (x->pid > y->pid) - (x->pid < y->pid);
}

size_t
rt_live_list(const char *folder, rt_live_entry out[], size_t cap)
{
    list l = {.out = out, .cap = cap, .page = malloc(sizeof *l.page)};
    if (!l.page)
        return 0;
    each_held(folder, take_listed, &l);
    free(l.page);
    qsort(out, l.n, sizeof *out, by_client);
    return l.n;
}

/* ---- One page --------------------------------------------------------------------
 */

typedef struct {
    const char *name;
    rt_live_view *view;
} wanted;

static bool
take_wanted(void *ctx, int fd)
{
    wanted *w = ctx;
    char why[200], pid[16];
    rt_live_page *page = &w->view->page;
    if (!copy_whole(fd, page, why, sizeof why))
        return false;
    snprintf(pid, sizeof pid, "%u", page->who.pid);
    if (w->name && strcmp(w->name, page->who.client) && strcmp(w->name, pid))
        return false;
    w->view->fd = fd;
    w->view->alive = true;
    return true;
}

static size_t
count_named(const rt_live_entry e[], size_t n, const char *name)
{
    size_t named = 0;
    char pid[16];
    for (size_t i = 0; i < n; i++) {
        snprintf(pid, sizeof pid, "%u", e[i].pid);
        named += !e[i].refusal[0] &&
                 (!name || !strcmp(name, e[i].client) || !strcmp(name, pid));
    }
    return named;
}

/* Why there is not just one of that name; every sentence says what to do. */
static void
explain(const rt_live_entry e[], size_t n, const char *name, int *status, char *why,
        size_t why_len)
{
    const size_t named = count_named(e, n, name);
    size_t at = 0;
    *status = named > 1 ? RT_USAGE : RT_UNAVAILABLE;
    if (named > 1)
        at = (size_t)snprintf(why, why_len,
                              "several listens run%s%s; choose one by its name or, "
                              "where that is shared, its number:",
                              name ? " as " : "", name ? name : "");
    else if (n == 0)
        snprintf(why, why_len,
                 "no hearken listen is running here%s; start one: hearken listen "
                 "corpus.hkn",
                 geteuid() ? " as this user" : "");
    else if (name)
        at = (size_t)snprintf(why, why_len,
                              "no hearken listen runs as %s; those that do:", name);
    else
        snprintf(why, why_len, "the page of the listen that runs is of no use: %s",
                 e[0].refusal);
    const char *between = " ";
    for (size_t i = 0; at && i < n && at < why_len; i++) {
        if (e[i].refusal[0])
            continue;
        at += (size_t)snprintf(why + at, why_len - at, "%s%s (%u)", between,
                               e[i].client, e[i].pid);
        between = ", ";
    }
}

bool
rt_live_attach(rt_live_view *view, const char *folder, const char *name, int *status,
               char *why, size_t why_len)
{
    enum { MOST = 64 };
    wanted w = {name, view};
    rt_live_entry *e = malloc(MOST * sizeof *e);
    view->fd = -1;
    view->alive = false;
    if (!e) {
        snprintf(why, why_len, "there is not enough memory to look for a listen");
        *status = RT_SOFTWARE;
        return false;
    }
    const size_t n = rt_live_list(folder, e, MOST);
    if (count_named(e, n, name) == 1)
        each_held(folder, take_wanted, &w);
    if (view->fd < 0)
        explain(e, n, name, status, why, why_len);
    free(e);
    return view->fd >= 0;
}

bool
rt_live_refresh(rt_live_view *view, char *why, size_t why_len)
{
    rt_live_page *page = malloc(sizeof *page);
    bool ok = page != NULL;
    if (!ok)
        snprintf(why, why_len, "there is not enough memory for a live page");
    /* first whether it lives: what it wrote before it ended is then in the copy */
    view->alive = is_held(view->fd);
    ok = ok && copy_whole(view->fd, page, why, why_len);
    if (ok)
        memcpy(&view->page, page, sizeof *page);
    free(page);
    return ok;
}

void
rt_live_detach(rt_live_view *view)
{
    if (view->fd >= 0)
        close(view->fd);
    view->fd = -1;
}

/* ---- What is in it ----------------------------------------------------------------
 */

uint64_t
rt_live_count(const rt_live_page *page, const char *name)
{
    for (uint32_t i = 0; i < page->who.n_counts; i++)
        if (!strcmp(page->who.count[i], name))
            return page->status.count[i];
    return 0;
}

static int
newer(const void *a, const void *b)
{
    const rt_live_match *x = *(const rt_live_match *const *)a;
    const rt_live_match *y = *(const rt_live_match *const *)b;
    if (x->centre_us != y->centre_us)
        return x->centre_us > y->centre_us ? -1 : 1;
    if (x->input != y->input)
        return x->input < y->input ? -1 : 1;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (y->number > x->number) - (y->number < x->number);
}

static bool
is_among(const rt_live_match *const told[], size_t n, const rt_live_match *m)
{
    for (size_t i = 0; i < n; i++)
        if (told[i]->sound == m->sound && told[i]->input == m->input &&
            told[i]->index == m->index)
            return true;
    return false;
}

size_t
rt_live_newest(const rt_live_page *page, uint32_t scale, rt_kind kind,
               const rt_live_match *out[], size_t cap)
{
    const rt_live_match *all[RT_LIVE_MATCHES];
    size_t n_all = 0, n = 0;
    for (uint32_t i = 0; i < RT_LIVE_MATCHES; i++) {
        const rt_live_match *m = &page->match[scale][i];
        if (m->number && m->kind == kind)
            all[n_all++] = m;
    }
    qsort(all, n_all, sizeof *all, newer);
    for (size_t i = 0; i < n_all && n < cap; i++)
        if (!is_among(out, n, all[i]))
            out[n++] = all[i];
    return n;
}
