/* CSV as RFC 4180 has it (quotes, CRLF, a UTF-8 mark), with a header that names its
 * columns. */
#ifndef HEARKEN_RT_CSV_H
#define HEARKEN_RT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { RT_CSV_COLUMNS = 8 };

/*
 * The text is taken apart where it stands: what a field loses (quotes, the comma behind
 * it) makes room for the zero at its end. A zero ends the text as well, so that no step
 * asks how much is left.
 */
typedef struct {
    char *text;  /* all of the file; fields point into it; free() it after use */
    char *at;    /* what is not yet read */
    size_t line; /* of at, from 1 */
    const char *name;
    char *why;
    size_t why_len;
    size_t header_line, n_columns; /* of the header */
    size_t n_wanted;               /* columns asked for */
    size_t column[RT_CSV_COLUMNS]; /* where each wanted one stands, from 1; 0: missing
                                    */
} rt_csv;

/* Reads a whole file. False, with why, where it cannot be read, memory runs out or it
 * holds a zero byte. */
bool rt_csv_read(rt_csv *c, FILE *file, const char *name, char *why, size_t why_len);
bool rt_csv_load(rt_csv *c, const char *path, char *why, size_t why_len);

/*
 * Takes the header and finds the n wanted columns in it; further ones are passed over.
 * False, with why, on a malformed line, a wanted column that is named twice, or an
 * empty file ("it begins with BEGINS").
 */
bool rt_csv_header(rt_csv *c, const char *const names[], size_t n, const char *begins);

/* To the next line that has something; false at the end of the text. */
bool rt_csv_more(rt_csv *c);

/* One record into the texts of the wanted columns; those that are missing stay. */
bool rt_csv_record(rt_csv *c, const char *text[]);

/* Fills why with "name:line: ..." and returns false. */
bool rt_csv_fail(const rt_csv *c, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool rt_csv_no_memory(const rt_csv *c);

/* Writes a field, in quotes where it needs them. */
void rt_csv_write(FILE *to, const char *text);

#endif
