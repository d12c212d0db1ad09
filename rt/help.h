/* The commands, and settings in words: for --help, man page and completion. */
#ifndef HEARKEN_RT_HELP_H
#define HEARKEN_RT_HELP_H

#include "options.h"

typedef struct {
    unsigned bit; /* of rt_field.commands */
    const char *name, *args, *what;
} rt_command;
const rt_command *rt_commands(size_t *n);

extern const char rt_about[], rt_preset_help[];

/* "-k, --match-k N" */
void rt_field_option(const rt_field *f, char *out, size_t len);

/* Help of a row, with what the table knows beside its words. */
void rt_field_text(const rt_field *f, char *out, size_t len);

#endif
