/* hearken top [NAME]: what a running listen hears, finds and loses. */
#include "load.h"
#include "out.h"
#include "rt.h"
#include "top.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

typedef struct {
    const rt_options *options;
    rt_live_view view;
    rt_live_page before; /* about a second older than that of the view */
    double began_s, now_s, before_s, between_s;
    rt_live_page between; /* will be before */
    rt_canvas canvas;
    struct termios saved;
    bool keys; /* of stdin, a terminal */
} watcher;

/* ---- Terminal --------------------------------------------------------------------
 */

/* A terminal on which a cursor can be moved. */
static bool
can_screen(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && term && *term && strcmp(term, "dumb") != 0;
}

static void
enter_screen(watcher *w)
{
    const char *no_colour = getenv("NO_COLOR");
    w->canvas.screen = true;
    w->canvas.colour = !no_colour || !*no_colour;
    w->keys = isatty(STDIN_FILENO) == 1 && !tcgetattr(STDIN_FILENO, &w->saved);
    if (w->keys) {
        struct termios raw = w->saved;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* a stopped one would leave the screen so */
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    fputs("\033[?1049h\033[?25l", stdout); /* a screen of its own, no cursor */
}

static void
leave_screen(watcher *w)
{
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    if (w->keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &w->saved);
}

/* Asked for each picture, so that no signal is needed when a window changes. */
static void
take_size(rt_canvas *c)
{
    struct winsize size;
    const bool known =
        !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col > 0 && size.ws_row > 0;
    c->columns = known ? size.ws_col : 80;
    c->rows = known ? size.ws_row : 24;
}

/* Waits; true when q was pressed. */
static bool
wait_for_key(watcher *w, int ms)
{
    char key[16];
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    if (!w->keys) {
        rt_sleep_ms((unsigned)ms);
        return false;
    }
    if (poll(&in, 1, ms) <= 0)
        return false;
    const ssize_t n = read(STDIN_FILENO, key, sizeof key);
    w->keys = n > 0;
    return n > 0 && (memchr(key, 'q', (size_t)n) || memchr(key, 'Q', (size_t)n));
}

/* ---- Pages -----------------------------------------------------------------------
 */

/* Takes a new copy, and one to compare it with that is one to two seconds older. */
static bool
refresh(watcher *w, char *why, size_t why_len)
{
    if (w->now_s - w->between_s >= 1) {
        w->before = w->between;
        w->before_s = w->between_s;
        w->between = w->view.page;
        w->between_s = w->now_s;
    }
    w->now_s = rt_seconds();
    return rt_live_refresh(&w->view, why, why_len);
}

/* Since listen began, as long as nothing else is known. */
static void
begin_pages(watcher *w)
{
    w->before.who = w->view.page.who;
    w->before.status.at_s = w->before_s = w->view.page.who.began_s;
    w->between = w->before;
    w->between_s = w->before_s;
    w->began_s = w->now_s = rt_seconds();
}

static void
show(watcher *w, rt_format format)
{
    const rt_top t = {.now = &w->view.page,
                      .before = &w->before,
                      .now_s = w->now_s,
                      .before_s = w->before_s};
    if (format == RT_FORMAT_JSON)
        rt_top_json(stdout, &t);
    else if (format == RT_FORMAT_TABLE)
        rt_top_line(&w->canvas, &t);
    else if (w->canvas.screen)
        rt_top_screen(&w->canvas, &t);
}

/* Ten pictures or one line a second, until something ends it; *why is empty when that
 * is the user. */
static int
watch(watcher *w, rt_format format, char *why, size_t why_len)
{
    const uint32_t seconds = w->options->top.seconds;
    double next_s = w->now_s;
    while (!atomic_load(&rt_stop)) {
        if (!refresh(w, why, why_len))
            return RT_DATA;
        if (seconds && w->now_s >= w->began_s + seconds)
            break;
        if (!w->view.alive) {
            const bool ended = !strcmp(w->view.page.status.state, "ended");
            snprintf(why, why_len, ended ? "%s has ended" : "%s was killed or crashed",
                     w->view.page.who.client);
            return ended ? RT_OK : RT_UNAVAILABLE;
        }
        if (w->canvas.screen) {
            take_size(&w->canvas);
            next_s = w->now_s;
        }
        if (w->now_s >= next_s) {
            show(w, format);
            next_s += 1;
        }
        if (fflush(stdout) || wait_for_key(w, 100))
            break;
    }
    return RT_OK;
}

static int
top(watcher *w, const char *name)
{
    char why[2000] = "";
    int status;
    const uint32_t wanted = w->options->out.format;
    const bool screen = wanted == RT_FORMAT_AUTO && can_screen();
    const rt_format format = wanted != RT_FORMAT_AUTO ? (rt_format)wanted
                             : screen                 ? RT_FORMAT_AUTO
                                                      : RT_FORMAT_TABLE;
    if (!rt_live_attach(&w->view, NULL, name, &status, why, sizeof why)) {
        rt_say("%s", why);
        return status;
    }
    setlocale(LC_CTYPE, "");
    w->canvas.to = stdout;
    w->canvas.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
    rt_catch_stop();
    begin_pages(w);
    if (screen)
        enter_screen(w);
    status = watch(w, format, why, sizeof why);
    if (screen)
        leave_screen(w);
    rt_live_detach(&w->view);
    if (*why)
        rt_say("%s", why);
    return rt_finish_output(status);
}

int
rt_cmd_top(int argc, char **argv)
{
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    rt_options *o = calloc(1, sizeof *o);
    watcher *w = calloc(1, sizeof *w);
    if (!rest || !o || !w) {
        rt_say("there is not enough memory to look at a listen");
        status = RT_SOFTWARE;
    } else {
        const int n = rt_options_parse(o, RT_TOP, argc, argv, rest, &status);
        w->options = o;
        if (n == 0 || n == 1) {
            status = top(w, n ? rest[0] : NULL);
        } else if (n > 1) {
            rt_say("name one listen at most; see hearken top --help");
            status = RT_USAGE;
        }
    }
    free(w);
    free(o);
    free(rest);
    return status;
}
