/* Findings as lines on stdout: JSON, or a table for people. */
#ifndef HEARKEN_RT_OUT_H
#define HEARKEN_RT_OUT_H

#include "analyse.h"

#include <stdio.h>

typedef struct {
    FILE *to;
    rt_format format;               /* never RT_FORMAT_AUTO */
    const idx_index *index, *layer; /* layer may be NULL */
    const char *input;              /* name of the input, or path of the file */
    const char *name;               /* of the index; NULL: there is one alone */
    uint64_t lines;
} rt_out;

/* Table on a terminal and JSON elsewhere, for RT_FORMAT_AUTO. */
rt_format rt_out_format(uint32_t wanted, FILE *to);

/* One line for one finding. */
void rt_out_write(rt_out *out, const rt_match *m);

/* Text as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void rt_json_string(FILE *to, const char *text);

/* Text for a terminal: without control characters, whatever a file is called. */
void rt_plain_text(FILE *to, const char *text);

#endif
