/* What hearken top shows of a live page: a screen, lines, or JSON. */
#ifndef HEARKEN_RT_TOP_H
#define HEARKEN_RT_TOP_H

#include "canvas.h"
#include "live.h"

/* Two copies of a page, and when they were made (CLOCK_MONOTONIC): what lies between
 * them gives loads and rates. */
typedef struct {
    const rt_live_page *now, *before;
    double now_s, before_s;
} rt_top;

/* Shares of real time since before. */
typedef struct {
    double analysis, query, publish; /* query: in the index, a part of analysis */
} rt_top_load;
rt_top_load rt_top_load_of(const rt_top *t);

/* What is to be read of the state: "running", or that listen gives no sign of life. */
typedef struct {
    char text[RT_LIVE_NAME];
    double for_s;
    rt_style style;
} rt_top_state;
rt_top_state rt_top_state_of(const rt_top *t);

void rt_top_screen(rt_canvas *c, const rt_top *t);
void rt_top_line(rt_canvas *c, const rt_top *t);
void rt_top_json(FILE *to, const rt_top *t);

#endif
