/*
 * Text for a terminal, line by line: cut at its right edge and at its last row, counted
 * in columns, free of anything that a terminal would obey but what is written here,
 * whatever files are called.
 */
#ifndef HEARKEN_RT_CANVAS_H
#define HEARKEN_RT_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum { RT_PLAIN, RT_STRONG, RT_DIM, RT_GOOD, RT_WARN, RT_BAD } rt_style;

typedef struct {
    FILE *to;
    int columns, rows; /* of the terminal, 1 at least */
    bool screen;       /* cursor and styles; else plain lines, of any number */
    bool colour, utf8; /* utf8: the locale's characters are */
    int at, row;       /* where the next character goes */
} rt_canvas;

/* The first row of a screen. */
void rt_canvas_begin(rt_canvas *c);

/* Text in this row, as far as it fits; characters that do not print become '?'. */
void rt_put(rt_canvas *c, rt_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Blanks up to a column. */
void rt_put_to(rt_canvas *c, int column);

/* So many columns, of which a share, 0 to 1, is full. */
void rt_put_bar(rt_canvas *c, rt_style style, double share, int columns);

void rt_put_line(rt_canvas *c); /* ends a row */

/* Clears what is below. */
void rt_canvas_end(rt_canvas *c);

/* Columns that a text takes. */
int rt_columns(const char *text);

#endif
