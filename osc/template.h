/*
 * osc template: messages as the user writes them.
 *
 *   "/dirt/play s {label} gain {score}" --osc_template_parse--> osc_template
 *   osc_arg value[OSC_VALUES] --osc_template_encode--> uint8_t datagram[n]
 *
 * A template is an address and arguments, with blanks between them. An argument is
 *   7 -1        an i
 *   0.5 1e3     an f
 *   word "two words" "7"     an s; there is no escape, and no " within
 *   {score}     a value of the message, of its own type
 *   {sound:f} {score:i}      as float, or rounded to the nearest integer
 *   {score*127:i}            multiplied first; the product of an i is an f without :i
 * An address may hold {label} and other strings, and integers: what OSC does not allow
 * in a part of an address, and '/', becomes '_' there. Neither function allocates or
 * fails to end; texts may come from strangers.
 */
#ifndef HEARKEN_OSC_TEMPLATE_H
#define HEARKEN_OSC_TEMPLATE_H

#include "osc/control.h"

typedef enum {
    OSC_MATCH,
    OSC_ONSET,
    OSC_NOMATCH,
    OSC_LABEL,
    OSC_STATUS,
    OSC_KINDS
} osc_kind;

/* "match", "onset", "nomatch", "label", "status". */
extern const char *const osc_kind_name[OSC_KINDS];

/* What messages tell, named as in docs/osc.md: {seq}, {input} and so on. */
typedef enum {
    OSC_V_SEQ,
    OSC_V_INPUT,
    OSC_V_SCALE,
    OSC_V_RANK,
    OSC_V_SCORE,
    OSC_V_COSINE,
    OSC_V_SOUND,
    OSC_V_START,
    OSC_V_LENGTH,
    OSC_V_AGE,
    OSC_V_LABEL,
    OSC_V_PATH,
    OSC_V_LEVEL,
    OSC_V_STRENGTH,
    OSC_V_SHARE,
    OSC_V_VOTERS,
    OSC_V_STATE,
    OSC_V_INDEX,
    OSC_VALUES
} osc_value;

enum { OSC_TEMPLATE_TEXT = 1024 }; /* bytes, with the zero at its end */

typedef struct {
    char type;      /* of the argument: i, f or s */
    uint8_t value;  /* osc_value, or OSC_VALUES for a literal */
    uint16_t at;    /* of a literal string, in text */
    float factor;   /* of a value; 1 leaves it as it is */
    osc_arg number; /* a literal number */
} osc_template_arg;

typedef struct {
    osc_kind kind;
    uint32_t n_args;
    osc_template_arg arg[OSC_MAX_ARGS];
    char text[OSC_TEMPLATE_TEXT]; /* the address as written, then literal strings */
} osc_template;

/*
 * Reads the template of one kind of message. OSC_EARG when it is none: *column is then
 * the place of the fault, from 1, and why gets a sentence without it.
 */
osc_status osc_template_parse(osc_template *t, osc_kind kind, const char *text,
                              size_t *column, char *why, size_t why_len);

/* Returns as the encoders of osc.h do. value[v] has the type of v for every v that the
 * kind has. */
size_t osc_template_encode(uint8_t out[], size_t cap, const osc_template *t,
                           const osc_arg value[OSC_VALUES]);

/* The type of a value: i, f or s. */
char osc_value_type(osc_value v);

#endif
