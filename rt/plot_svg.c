/* The drawing of a plot: SVG, element by element. */
#include "plot.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/*
 * The picture, in its pixels. The panels stand side by side: titles above TOP, bars and
 * lines between TOP and BOTTOM, ticks, axis and legend below.
 */
enum {
    WIDTH = 900,
    HEIGHT = 420,
    TOP = 66,
    BOTTOM = 326,
    LEFT = 62, /* recall 0 */
    LEFT_END = 432,
    NAMES = 470, /* no name of a bar begins before this */
    RIGHT = 604, /* 0 % */
    RIGHT_END = 856,
    TICKS_Y = 342, /* base lines of text */
    AXIS_Y = 359,
    LEGEND_Y = 381,
    LEGEND_STEP = 16,
};

/* How much of a text fits, in letters of a wide sans-serif face. */
enum {
    TITLE_FITS = 80,
    PANEL_FITS = 48,
    AXIS_FITS = 40,
    NAME_FITS = 19,
    SET_FITS = 18,
    POINTS_MARKED = 21, /* more would hide their line */
};

#define INK "#222222"
#define SOFT "#555555"
#define GRID "#e4e4e4"

/* Okabe and Ito's palette (2008), told apart by colour-blind eyes, and dark grey. */
static const char *const colour[RT_PLOT_CURVES] = {"#0072b2", "#d55e00", "#009e73",
                                                   "#cc79a7", "#e69f00", "#444444"};

/* Circle, square, triangle, diamond, the triangle again upside down, cross: the rest of
 * a path that begins at the point. */
static const char *const marker[RT_PLOT_CURVES] = {
    "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z",
    "m-2.9-2.9h5.8v5.8h-5.8z",
    "m0-3.9l3.7 6.4h-7.4z",
    "m0-4.2l4.2 4.2l-4.2 4.2l-4.2-4.2z",
    "m0 3.9l3.7-6.4h-7.4z",
    "m-1.3-3.7h2.6v2.4h2.4v2.6h-2.4v2.4h-2.6v-2.4h-2.4v-2.6h2.4z",
};

/* ---- Text ------------------------------------------------------------------------ */

enum { NO_CHAR = 0xfffd };

/* A character that XML 1.0 allows and that is no control character. */
static bool
is_printable(uint32_t c)
{
    return (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0xd800) ||
           (c >= 0xe000 && c < 0xfffe) || (c >= 0x10000 && c < 0x110000);
}

/* Steps over one UTF-8 sequence, or one byte of what is none. */
static uint32_t
next_char(const char **text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)(*text)++;
    const size_t n = p[0] < 0x80             ? 1
                     : (p[0] & 0xe0) == 0xc0 ? 2
                     : (p[0] & 0xf0) == 0xe0 ? 3
                     : (p[0] & 0xf8) == 0xf0 ? 4
                                             : 0;
    if (n < 2)
        return n && is_printable(p[0]) ? p[0] : NO_CHAR;
    uint32_t code = p[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return NO_CHAR;
        code = code << 6 | (p[i] & 0x3fU);
    }
    if (code < least[n] || !is_printable(code))
        return NO_CHAR;
    *text += n - 1;
    return code;
}

/* Letters that a character takes up: Hangul and all that follows it are wide. */
static size_t
char_width(uint32_t code)
{
    return code >= 0x1100 ? 2 : 1;
}

static bool
fits(const char *text, size_t width)
{
    size_t n = 0;
    while (*text && n <= width)
        n += char_width(next_char(&text));
    return n <= width;
}

static void
put_char(FILE *to, uint32_t code, const char *bytes, size_t n_bytes)
{
    if (code == '&' || code == '<' || code == '>' || code == '"' || code == NO_CHAR)
        fprintf(to, "&#%u;", (unsigned)code);
    else
        fwrite(bytes, 1, n_bytes, to);
}

/* Text as XML, with an ellipsis where it is wider than width; 0 is no limit. */
static void
put_text(FILE *to, const char *text, size_t width)
{
    const bool whole = !width || fits(text, width);
    for (size_t n = 0; *text;) {
        const char *bytes = text;
        const uint32_t code = next_char(&text);
        n += char_width(code);
        if (!whole && n >= width) {
            fputs("\xe2\x80\xa6", to);
            break;
        }
        put_char(to, code, bytes, (size_t)(text - bytes));
    }
}

/* One line of text; format and what follows are the attributes of its element. */
static void label(FILE *to, const char *text, size_t width, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
label(FILE *to, const char *text, size_t width, const char *format, ...)
{
    va_list args;
    if (!text)
        return;
    va_start(args, format);
    fputs("<text ", to);
    vfprintf(to, format, args);
    fputc('>', to);
    put_text(to, text, width);
    fputs("</text>\n", to);
    va_end(args);
}

/* ---- Axes ------------------------------------------------------------------------ */

static double
between(double from, double end, double share)
{
    return from + (end - from) * share;
}

static void
line(FILE *to, double x0, double y0, double x1, double y1)
{
    fprintf(to, "<path d=\"M%.1f %.1fL%.1f %.1f\"/>\n", x0, y0, x1, y1);
}

enum { TICKS = 5 };

static void
put_grid(FILE *to, double left, double right, bool across)
{
    fputs("<g stroke=\"" GRID "\">\n", to);
    for (int i = 0; i <= TICKS; i++) {
        const double share = (double)i / TICKS, x = between(left, right, share);
        line(to, x, TOP, x, BOTTOM);
        if (across)
            line(to, left, between(BOTTOM, TOP, share), right,
                 between(BOTTOM, TOP, share));
    }
    fputs("</g>\n", to);
}

static void
put_curve_axes(FILE *to)
{
    put_grid(to, LEFT, LEFT_END, true);
    fprintf(to, "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"" SOFT "\"/>\n", LEFT,
            TOP, BOTTOM, LEFT_END);
    fputs("<g fill=\"" SOFT "\" text-anchor=\"middle\">\n", to);
    for (int i = 0; i <= TICKS; i++) {
        const double share = (double)i / TICKS;
        fprintf(to, "<text x=\"%.1f\" y=\"%d\">%.1f</text>\n",
                between(LEFT, LEFT_END, share), TICKS_Y, share);
        fprintf(to, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.1f</text>\n",
                LEFT - 8, between(BOTTOM, TOP, share) + 4, share);
    }
    label(to, "recall", 0, "x=\"%d\" y=\"%d\"", (LEFT + LEFT_END) / 2, AXIS_Y);
    label(to, "precision", 0, "transform=\"translate(24,%d) rotate(-90)\"",
          (TOP + BOTTOM) / 2);
    fputs("</g>\n", to);
}

static void
put_bar_axes(FILE *to, const rt_plot *p)
{
    put_grid(to, RIGHT, RIGHT_END, false);
    fputs("<g fill=\"" SOFT "\" text-anchor=\"middle\">\n", to);
    for (int i = 0; i <= TICKS; i++)
        fprintf(to, "<text x=\"%.1f\" y=\"%d\">%d %%</text>\n",
                between(RIGHT, RIGHT_END, (double)i / TICKS), TICKS_Y, 100 / TICKS * i);
    label(to, p->bar_axis, AXIS_FITS, "x=\"%d\" y=\"%d\"", (RIGHT + RIGHT_END) / 2,
          AXIS_Y);
    fputs("</g>\n", to);
}

/* ---- Curves ---------------------------------------------------------------------- */

static double
recall_of(const rt_plot_curve *c, size_t i)
{
    if (c->recall)
        return c->recall[i];
    return c->n > 1 ? (double)i / (double)(c->n - 1) : 0;
}

static void
put_marker(FILE *to, size_t which, double x, double y)
{
    fprintf(to, "<path d=\"M%.1f %.1f%s\" fill=\"%s\" stroke=\"#ffffff\"/>\n", x, y,
            marker[which], colour[which]);
}

static void
put_curve(FILE *to, const rt_plot_curve *c, size_t which)
{
    fputs("<g><title>", to);
    put_text(to, c->name, 0);
    fprintf(to,
            "</title>\n<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
            "stroke-linejoin=\"round\" points=\"",
            colour[which]);
    for (size_t i = 0; i < c->n; i++)
        fprintf(to, "%s%.1f,%.1f", i ? " " : "",
                between(LEFT, LEFT_END, recall_of(c, i)),
                between(BOTTOM, TOP, c->precision[i]));
    fputs("\"/>\n", to);
    for (size_t i = 0; c->n <= POINTS_MARKED && i < c->n; i++)
        put_marker(to, which, between(LEFT, LEFT_END, recall_of(c, i)),
                   between(BOTTOM, TOP, c->precision[i]));
    fputs("</g>\n", to);
}

/* Up to three lines of two names. */
static void
put_curve_legend(FILE *to, const rt_plot *p)
{
    enum { FROM = 30, STEP = 211, SAMPLE = 24, FITS = 27 };
    for (size_t i = 0; i < p->n_curves; i++) {
        const double x = FROM + STEP * (double)(i % 2);
        const double y = LEGEND_Y + LEGEND_STEP * (double)(i / 2);
        fprintf(to, "<g stroke=\"%s\" stroke-width=\"2\">", colour[i]);
        line(to, x, y - 4, x + SAMPLE, y - 4);
        fputs("</g>\n", to);
        if (p->curve[i].n <= POINTS_MARKED)
            put_marker(to, i, x + SAMPLE / 2, y - 4);
        label(to, p->curve[i].name, FITS, "x=\"%.1f\" y=\"%.1f\"", x + SAMPLE + 6, y);
    }
}

/* ---- Bars ------------------------------------------------------------------------ */

static void
put_bar(FILE *to, const rt_plot *p, const rt_plot_bar *b, size_t set, double y,
        double thick)
{
    const double x = between(RIGHT, RIGHT_END, b->value[set]);
    fprintf(to,
            "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
            "fill=\"%s\"><title>",
            RIGHT, y, x - RIGHT, thick, colour[set]);
    put_text(to, b->name, 0);
    if (p->set_name[set]) {
        fputs(", ", to);
        put_text(to, p->set_name[set], 0);
    }
    fprintf(to, ": %.1f %%</title></rect>\n", 100 * b->value[set]);
    if (thick >= 8) /* what 9 pixels of text need to stay apart */
        fprintf(to,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"9\" fill=\"" SOFT
                "\">%.1f</text>\n",
                x + 4, y + thick / 2 + 3.2, 100 * b->value[set]);
}

static void
put_bars(FILE *to, const rt_plot *p)
{
    const double pitch = (double)(BOTTOM - TOP) / (double)p->n_bars;
    double thick = 0.78 * pitch / (double)p->n_sets;
    thick = thick < 24 ? thick : 24;
    for (size_t i = 0; i < p->n_bars; i++) {
        const double middle = TOP + pitch * ((double)i + 0.5);
        const double y = middle - thick * (double)p->n_sets / 2;
        label(to, p->bar[i].name, NAME_FITS, "x=\"%d\" y=\"%.1f\" text-anchor=\"end\"",
              RIGHT - 8, middle + 4);
        for (size_t s = 0; s < p->n_sets; s++)
            put_bar(to, p, &p->bar[i], s, y + thick * (double)s, thick);
    }
    fprintf(to, "<path d=\"M%d %dV%d\" stroke=\"" SOFT "\"/>\n", RIGHT, TOP, BOTTOM);
}

static void
put_bar_legend(FILE *to, const rt_plot *p)
{
    const double step = (double)(WIDTH - 10 - NAMES) / RT_PLOT_SETS;
    for (size_t s = 0; s < p->n_sets; s++) {
        const double x = NAMES + step * (double)s;
        if (!p->set_name[s])
            continue;
        fprintf(to,
                "<rect x=\"%.1f\" y=\"%d\" width=\"10\" height=\"10\" fill=\"%s\"/>\n",
                x, LEGEND_Y - 9, colour[s]);
        label(to, p->set_name[s], SET_FITS, "x=\"%.1f\" y=\"%d\"", x + 16, LEGEND_Y);
    }
}

/* ---- The picture ----------------------------------------------------------------- */

static void
put_nothing(FILE *to, int left, int right)
{
    label(to, "nothing to show", 0,
          "x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"" SOFT "\"",
          (left + right) / 2, (TOP + BOTTOM) / 2);
}

static void
put_head(FILE *to, const rt_plot *p)
{
    fprintf(to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" "
            "height=\"%d\" viewBox=\"0 0 %d %d\" font-size=\"11\" fill=\"" INK "\" "
            "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n<title>",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    put_text(to, p->title ? p->title : "hearken", 0);
    fputs("</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n", to);
    label(to, p->title, TITLE_FITS,
          "x=\"24\" y=\"27\" font-size=\"15\" font-weight=\"bold\"");
    label(to, p->curve_title, PANEL_FITS,
          "x=\"24\" y=\"50\" font-size=\"12\" fill=\"" SOFT "\"");
    label(to, p->bar_title, PANEL_FITS,
          "x=\"%d\" y=\"50\" font-size=\"12\" fill=\"" SOFT "\"", NAMES);
}

void
rt_plot_draw(FILE *to, const rt_plot *p)
{
    put_head(to, p);
    put_curve_axes(to);
    for (size_t i = p->n_curves; i > 0; i--) /* the first one on top */
        put_curve(to, &p->curve[i - 1], i - 1);
    put_curve_legend(to, p);
    if (!p->n_curves)
        put_nothing(to, LEFT, LEFT_END);
    put_bar_axes(to, p);
    if (p->n_bars) {
        put_bars(to, p);
        put_bar_legend(to, p);
    } else {
        put_nothing(to, RIGHT, RIGHT_END);
    }
    fputs("</svg>\n", to);
}
