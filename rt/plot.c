/* What a plot may hold, and the file it becomes. */
#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- What is refused ------------------------------------------------------------- */

typedef struct {
    const char *path;
    char *why;
    size_t why_len;
} teller;

static bool refuse(const teller *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool
refuse(const teller *t, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(t->why, t->why_len, "%s: %s", t->path, text);
    return false;
}

/* A mean of ones may come out a little above one. False for NaN. */
static bool
in_range(double x)
{
    return x >= 0 && x <= 1 + 1e-9;
}

static bool
check_curve(const teller *t, const rt_plot_curve *c, size_t which)
{
    if (!c->name || !c->precision || !c->n)
        return refuse(t, "curve %zu has no name or no points", which + 1);
    for (size_t i = 0; i < c->n; i++) {
        if (c->recall && !in_range(c->recall[i]))
            return refuse(t, "curve \"%.60s\", point %zu: recall is %g, not 0 to 1",
                          c->name, i + 1, c->recall[i]);
        if (!in_range(c->precision[i]))
            return refuse(t, "curve \"%.60s\", point %zu: precision is %g, not 0 to 1",
                          c->name, i + 1, c->precision[i]);
    }
    return true;
}

static bool
check_bar(const teller *t, const rt_plot_bar *b, size_t which, size_t n_sets)
{
    if (!b->name)
        return refuse(t, "bar %zu has no name", which + 1);
    for (size_t s = 0; s < n_sets; s++)
        if (!in_range(b->value[s]))
            return refuse(t, "bar \"%.60s\", set %zu: the value is %g, not 0 to 1",
                          b->name, s + 1, b->value[s]);
    return true;
}

static bool
check_sets(const teller *t, const rt_plot *p)
{
    if (p->n_sets > RT_PLOT_SETS || (p->n_bars && !p->n_sets))
        return refuse(t, "%zu sets of bars; 1 to %d can be shown", p->n_sets,
                      RT_PLOT_SETS);
    for (size_t s = 0; p->n_sets > 1 && s < p->n_sets; s++)
        if (!p->set_name[s])
            return refuse(t, "set %zu of the bars has no name", s + 1);
    return true;
}

static bool
check(const teller *t, const rt_plot *p)
{
    bool ok = check_sets(t, p);
    if (ok && p->n_curves > RT_PLOT_CURVES)
        ok = refuse(t, "%zu curves; %d can be shown", p->n_curves, RT_PLOT_CURVES);
    if (ok && p->n_bars > RT_PLOT_BARS)
        ok = refuse(t, "%zu bars; %d can be shown", p->n_bars, RT_PLOT_BARS);
    for (size_t i = 0; ok && i < p->n_curves; i++)
        ok = check_curve(t, &p->curve[i], i);
    for (size_t i = 0; ok && i < p->n_bars; i++)
        ok = check_bar(t, &p->bar[i], i, p->n_sets);
    return ok;
}

/* ---- The file -------------------------------------------------------------------- */

/* A new file next to path; its name into temp. */
static FILE *
create(const char *path, char temp[PATH_MAX])
{
    int fd = -1;
    for (int i = 0; i < 100 && fd < 0; i++) { /* one name may be left from a crash */
        if (snprintf(temp, PATH_MAX, "%s.tmp-%ld-%d", path, (long)getpid(), i) >=
            PATH_MAX) {
            errno = ENAMETOOLONG;
            return NULL;
        }
        fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            return NULL;
    }
    FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (fd >= 0 && !to) {
        close(fd);
        unlink(temp);
    }
    return to;
}

/* Writes and closes; errno says what went wrong. */
static bool
fill(FILE *to, const rt_plot *p)
{
    errno = 0;
    rt_plot_draw(to, p);
    const bool written = !fflush(to) && !ferror(to) && !fsync(fileno(to));
    const int saved = errno;
    const bool closed = !fclose(to);
    if (!written)
        errno = saved ? saved : EIO;
    return written && closed;
}

bool
rt_plot_write(const char *path, const rt_plot *p, char *why, size_t why_len)
{
    const teller t = {.path = path, .why = why, .why_len = why_len};
    char temp[PATH_MAX];
    struct stat st;
    if (!check(&t, p))
        return false;
    if (!stat(path, &st) && !S_ISREG(st.st_mode)) /* a rename would replace /dev/null */
        return refuse(&t, "not a regular file, and so not replaced");
    FILE *to = create(path, temp);
    if (!to)
        return refuse(&t, "cannot create it: %s", strerror(errno));
    bool ok = fill(to, p) || refuse(&t, "cannot write it: %s", strerror(errno));
    if (ok && rename(temp, path) != 0)
        ok = refuse(&t, "cannot rename the finished file: %s", strerror(errno));
    if (!ok)
        unlink(temp);
    return ok;
}
