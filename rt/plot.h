/* A picture of an evaluation: precision over recall, and bars per degradation. */
#ifndef HEARKEN_RT_PLOT_H
#define HEARKEN_RT_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { RT_PLOT_CURVES = 6, RT_PLOT_BARS = 16, RT_PLOT_SETS = 4 };

/*
 * One line of the left panel: n points (recall[i], precision[i]) in 0..1, joined in
 * this order. recall NULL is 0, 1/(n-1), .. 1: n = 11 is the interpolated precision of
 * TREC.
 */
typedef struct {
    const char *name;
    const double *recall, *precision;
    size_t n;
} rt_plot_curve;

/* One group of bars of the right panel, a value in 0..1 for each set. */
typedef struct {
    const char *name;
    double value[RT_PLOT_SETS];
} rt_plot_bar;

/*
 * Names are UTF-8, shortened with an ellipsis where they are long; bytes that are none
 * become U+FFFD. A NULL title is left out; set names may be NULL where n_sets is 1.
 * A panel without curves or bars says so.
 */
typedef struct {
    const char *title;       /* of the whole */
    const char *curve_title; /* over the left panel */
    const char *bar_title;   /* over the right panel */
    const char *bar_axis;    /* what the bars are, such as "recall@1" */
    rt_plot_curve curve[RT_PLOT_CURVES];
    size_t n_curves;
    const char *set_name[RT_PLOT_SETS];
    size_t n_sets;
    rt_plot_bar bar[RT_PLOT_BARS];
    size_t n_bars;
} rt_plot;

/*
 * Writes the picture as SVG 1.1 of 900 x 420: no scripts, no fonts or files from
 * elsewhere, a white ground of its own. It appears under its name complete or not at
 * all, and the same plot gives the same bytes.
 *
 * False, with one sentence in why, for a number outside 0..1 (NaN too; 1e-9 above 1
 * is rounding), too many of something, a missing name, or when the file cannot be
 * written or path is there and no regular file.
 */
bool rt_plot_write(const char *path, const rt_plot *plot, char *why, size_t why_len);

/* The same picture, unchecked, to an open stream. */
void rt_plot_draw(FILE *to, const rt_plot *plot);

#endif
