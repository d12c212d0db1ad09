/* Makes the live page and takes it away; what main writes into it. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "live_private.h"
#include "rt.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static_assert(RT_LIVE_COUNTS - RT_COUNTS >= 0, "the page has room for all counts");
static_assert(sizeof(rt_live_input) == 64, "inputs share no cache line");
static_assert(sizeof(RT_VERSION) <= sizeof((rt_live_page *)0)->version, "");
static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2,
              "a lock inside an atomic would be this process's own");

const char *
rt_live_folder(void)
{
    const char *folder = getenv("HEARKEN_LIVE");
    return folder && *folder ? folder : "/dev/shm";
}

/* Removes a page that nobody holds. One that is younger than ten seconds may be about
 * to get its lock. */
static void
remove_left(int folder, const char *name)
{
    enum { YOUNG_S = 10 };
    struct stat st;
    const int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        st.st_mtime + YOUNG_S < time(NULL) && !flock(fd, LOCK_SH | LOCK_NB))
        unlinkat(folder, name, 0);
    close(fd);
}

static void
remove_those_left(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (!strncmp(e->d_name, RT_LIVE_PREFIX, strlen(RT_LIVE_PREFIX)))
            remove_left(dirfd(dir), e->d_name);
    closedir(dir);
}

/* A locked file with room for a page: room that is not there would end us later, when
 * the page is written to. */
static bool
make_file(rt_live *l, const char *folder, char *why, size_t why_len)
{
    const size_t cap = sizeof l->path;
    int error = ENAMETOOLONG;
    const int n = snprintf(l->path, cap, "%s/%sXXXXXX", folder, RT_LIVE_PREFIX);
    if (n < 0 || (size_t)n >= cap) {
        l->path[0] = 0;
    } else if ((l->fd = mkstemp(l->path)) < 0) {
        error = errno;
        l->path[0] = 0;
    } else if (fcntl(l->fd, F_SETFD, FD_CLOEXEC) || flock(l->fd, LOCK_EX)) {
        error = errno;
    } else if ((error = posix_fallocate(l->fd, 0, sizeof *l->page)) == 0) {
        l->page =
            mmap(NULL, sizeof *l->page, PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);
        error = errno;
        l->page = l->page == MAP_FAILED ? NULL : l->page;
    }
    if (!l->page)
        snprintf(why, why_len,
                 "%s takes no live page (%s), so hearken top will not see this listen; "
                 "HEARKEN_LIVE in the environment can name another folder",
                 folder, strerror(error));
    return l->page;
}

/* The parts that never change; the hash comes last, as a page without is none. */
static void
fill(rt_live *l, const rt_live_config *c)
{
    rt_live_page *p = l->page;
    rt_live_who *who = &p->who;
    memset(p, 0, sizeof *p);
    memcpy(p->magic, RT_LIVE_MAGIC, sizeof p->magic);
    p->layout = RT_LIVE_LAYOUT;
    p->bytes = sizeof *p;
    snprintf(p->version, sizeof p->version, "%s", RT_VERSION);
    who->pid = (uint32_t)getpid();
    who->n_inputs = c->n_inputs < RT_LIVE_INPUTS ? c->n_inputs : RT_LIVE_INPUTS;
    who->n_counts = RT_COUNTS;
    who->n_indexes = 1 + (c->n_further < RT_INDEXES ? c->n_further : RT_INDEXES - 1);
    who->began_s = rt_seconds();
    snprintf(who->client, sizeof who->client, "%s", c->client);
    char *full = realpath(c->index, NULL);
    snprintf(who->index, sizeof who->index, "%s", full ? full : c->index);
    free(full);
    snprintf(who->name[0], sizeof who->name[0], "main");
    for (uint32_t i = 1; i < who->n_indexes; i++)
        snprintf(who->name[i], sizeof who->name[i], "%s", c->further[i - 1]);
    for (uint32_t i = 0; i < who->n_inputs; i++)
        snprintf(who->input[i], sizeof who->input[i], "%s", c->input[i]);
    for (int i = 0; i < RT_COUNTS; i++)
        snprintf(who->count[i], sizeof who->count[i], "%s", rt_count_name[i]);
    who->hash = rt_live_hash(who, sizeof *who);
}

bool
rt_live_open(rt_live **out, const rt_live_config *config, char *why, size_t why_len)
{
    const char *folder = config->folder ? config->folder : rt_live_folder();
    rt_live *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l) {
        snprintf(why, why_len, "there is not enough memory for a live page");
        return false;
    }
    l->fd = -1;
    l->counts = config->counts;
    atomic_init(&l->rate_hz, 48000);
    remove_those_left(folder);
    if (!make_file(l, folder, why, why_len)) {
        rt_live_close(l);
        return false;
    }
    fill(l, config);
    *out = l;
    return true;
}

static void
take_recall(rt_live_recall *to, const rt_truth *truth, uint32_t scale)
{
    rt_tally t;
    memset(to, 0, sizeof *to);
    if (scale >= DSP_SCALES || !rt_truth_tally(truth, scale, &t))
        return;
    to->n_asked = t.n_asked;
    to->recall = t.recall;
    to->low = t.low;
    to->high = t.high;
    to->promised = (double)t.promised;
    to->k = t.k;
}

static void
put_status(rt_live *l)
{
    l->status.at_s = rt_seconds();
    for (int i = 0; i < RT_COUNTS; i++)
        l->status.count[i] = rt_counted(l->counts, i);
    l->status.hash = rt_live_hash(&l->status, sizeof l->status);
    l->page->status = l->status;
}

void
rt_live_tick(rt_live *l, const rt_live_now *now)
{
    enum { A_SECOND = 10 };
    if (!l)
        return;
    rt_live_status *s = &l->status;
    if (!strcmp(s->state, now->state) && rt_seconds() - s->at_s < 1.0 / A_SECOND - 1e-3)
        return;
    memset(s->state, 0, sizeof s->state);
    snprintf(s->state, sizeof s->state, "%s", now->state);
    s->state_since_s = now->since_s;
    s->rate_hz = now->rate_hz;
    s->period = now->period;
    s->scales = now->scales;
    s->k = now->k;
    if (now->rate_hz)
        atomic_store_explicit(&l->rate_hz, now->rate_hz, memory_order_relaxed);
    for (uint32_t i = 0; i < RT_LIVE_SCALES; i++)
        take_recall(&s->recall[i], now->truth, i);
    put_status(l);
}

void
rt_live_close(rt_live *l)
{
    if (!l)
        return;
    if (l->page) {
        memset(l->status.state, 0, sizeof l->status.state);
        snprintf(l->status.state, sizeof l->status.state, "ended");
        l->status.state_since_s = rt_seconds();
        put_status(l);
        munmap(l->page, sizeof *l->page);
    }
    if (l->path[0])
        unlink(l->path);
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}
