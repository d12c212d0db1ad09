/* --help and the command line, from the table of settings. */
#include "help.h"

#include "load.h"
#include "rt.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const rt_command commands[] = {
    {RT_BUILD, "build", "CORPUS...",
     "makes an index of all sounds in the folders (wav flac ogg opus aiff mp3 ...)"},
    {RT_MERGE, "merge", "PARTS...",
     "makes an index of what shards of a build wrote (build --build-shard)"},
    {RT_LISTEN, "listen", "INDEX",
     "finds live sound from JACK in an index; answers by OSC"},
    {RT_QUERY, "query", "INDEX FILE...",
     "finds the sound of files, along the same path; in an index of vectors, the k "
     "nearest of each row"},
    {RT_TOP, "top", "[NAME]",
     "shows what a running listen hears and finds; NAME is its JACK client or number; "
     "q ends it"},
    {RT_INFO, "info", "INDEX", "says what is in an index and how it was made"},
    {RT_TUNE, "tune", "INDEX",
     "chooses anew how an index is searched, by the time that it takes on this "
     "machine, "
     "and writes that into the index"},
    {RT_CHECK, "check", "INDEX",
     "verifies an index: every checksum and value, and that each entry finds itself"},
    {RT_EVAL, "eval", "CORPUS SPLIT.csv",
     "measures how well sounds find what people called alike, by a "
     "file,label,group,split "
     "table (files named from the table's folder), beside baselines"},
    {RT_IMPORT, "import", "FILE...",
     "makes an index of vectors: .npy, .fvecs, AudioSet's TFRecords, raw floats; query "
     "asks it with further ones"},
    {RT_EXPORT, "export", "INDEX",
     "writes the vectors of an index as .npy, and what they are as .csv"},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

const char rt_about[] = "hearken listens to live sound and says over OSC, while it "
                        "still sounds, which sounds of "
                        "a corpus resemble it most.";

const char rt_preset_help[] =
    "read settings from FILE, lines of section.key = value; options win over it";

const rt_command *
rt_commands(size_t *n)
{
    *n = N_COMMANDS;
    return commands;
}

/* Writes text from column to column 80, words unbroken. */
static void
wrap(FILE *to, const char *text, int column)
{
    int at = column;
    for (const char *p = text; *p;) {
        const int n = (int)strcspn(p, " ");
        if (at > column && at + 1 + n > 80) {
            fprintf(to, "\n%*s", column, "");
            at = column;
        } else if (at > column) {
            at += fprintf(to, " ");
        }
        at += fprintf(to, "%.*s", n, p);
        p += n;
        p += strspn(p, " ");
    }
    fputc('\n', to);
}

static void
help_row(FILE *to, const char *option, const char *text)
{
    enum { COLUMN = 30 };
    const int n = fprintf(to, "  %s", option);
    if (n > COLUMN - 2)
        fprintf(to, "\n%*s", COLUMN, "");
    else
        fprintf(to, "%*s", COLUMN - n, "");
    wrap(to, text, COLUMN);
}

void
rt_field_option(const rt_field *f, char *out, size_t len)
{
    const int n = f->letter ? snprintf(out, len, "-%c, ", f->letter) : 0;
    snprintf(out + n, len - (size_t)n, "--%s-%s %s", f->section, f->key, f->arg);
}

void
rt_field_text(const rt_field *f, char *out, size_t len)
{
    size_t n = (size_t)snprintf(out, len, "%s (%s", f->help, f->preset);
    if (f->choices)
        for (size_t i = 0; f->choices[i] && n < len; i++)
            n += (size_t)snprintf(out + n, len - n, "%s%s",
                                  i ? " " : "; of: ", f->choices[i]);
    if (f->max > f->min && n < len)
        n += (size_t)snprintf(out + n, len - n, "; %g to %.10g", f->min, f->max);
    if (n < len)
        snprintf(out + n, len - n, ")");
}

static void
help_all(FILE *to)
{
    wrap(to, rt_about, 0);
    fputs("\nusage: hearken COMMAND [OPTION...] ARGUMENT...\n\n", to);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        char row[80];
        snprintf(row, sizeof row, "%s %s", commands[i].name, commands[i].args);
        help_row(to, row, commands[i].what);
    }
    help_row(to, "man", "writes the manual page, in roff, to stdout");
    help_row(to, "--completion bash|zsh|fish", "writes completion for a shell");
    help_row(to, "COMMAND --help", "all options of a command");
    help_row(to, "--version", "the version");
}

void
rt_help(FILE *to, unsigned bit)
{
    char option[80], text[600];
    size_t n;
    const rt_field *f = rt_fields(&n);
    const rt_command *c = NULL;
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (commands[i].bit == bit)
            c = &commands[i];
    if (!c) {
        help_all(to);
        return;
    }
    fprintf(to, "usage: hearken %s [OPTION...] %s\n", c->name, c->args);
    wrap(to, c->what, 0);
    fputc('\n', to);
    for (size_t i = 0; i < n; i++) {
        if (!(f[i].commands & bit))
            continue;
        rt_field_option(&f[i], option, sizeof option);
        rt_field_text(&f[i], text, sizeof text - 2);
        if (bit == RT_LISTEN && f[i].commands & RT_LIVE)
            strcat(text, " *");
        help_row(to, option, text);
    }
    help_row(to, "--preset FILE", rt_preset_help);
    help_row(to, "--help", "this");
    fputs("\nIn brackets: the built-in value, then what is allowed.\n", to);
    if (bit == RT_LISTEN)
        fputs("* can be changed while it runs, over OSC: /hearken/SECTION/KEY VALUE\n",
              to);
}

enum { CODE_FIRST = 1000, CODE_HELP = 2000, CODE_PRESET };

/* getopt's tables for the rows of one command. */
typedef struct {
    struct option longs[64];
    char names[64][48];
    char shorts[64];
} tables;

static void
make_tables(tables *t, unsigned bit)
{
    size_t n, j = 0, s = 0;
    const rt_field *f = rt_fields(&n);
    memset(t, 0, sizeof *t);
    t->shorts[s++] = ':';
    for (size_t i = 0; i < n; i++) {
        if (!(f[i].commands & bit))
            continue;
        snprintf(t->names[j], sizeof t->names[j], "%s-%s", f[i].section, f[i].key);
        t->longs[j] =
            (struct option){t->names[j], required_argument, NULL, CODE_FIRST + (int)i};
        j++;
        if (f[i].letter) {
            t->shorts[s++] = f[i].letter;
            t->shorts[s++] = ':';
        }
    }
    t->longs[j++] = (struct option){"help", no_argument, NULL, CODE_HELP};
    t->longs[j] = (struct option){"preset", required_argument, NULL, CODE_PRESET};
    t->shorts[s] = 'h';
}

static const rt_field *
field_of(int code, unsigned bit)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    if (code >= CODE_FIRST && code < CODE_FIRST + (int)n)
        return &f[code - CODE_FIRST];
    for (size_t i = 0; i < n; i++)
        if (f[i].letter == code && f[i].letter && f[i].commands & bit)
            return &f[i];
    return NULL;
}

/* One pass over the command line: presets only, or all but presets. */
static int
pass(rt_options *o, const tables *t, unsigned bit, int argc, char **argv, bool presets)
{
    char why[1400] = "", name[80];
    int code;
    optind = 0; /* glibc: start anew, with the order of arguments free */
    opterr = 0;
    while ((code = getopt_long(argc, argv, t->shorts, t->longs, NULL)) != -1) {
        const rt_field *f = field_of(code, bit);
        int status = RT_OK;
        if (code == CODE_HELP || code == 'h') {
            rt_help(stdout, bit);
            return -1;
        } else if (code == ':') {
            snprintf(why, sizeof why, "%s needs a value", argv[optind - 1]);
            status = RT_USAGE;
        } else if (code == '?') {
            if (optopt > 0 && optopt < CODE_FIRST) /* perhaps inside of a word: -xyz */
                snprintf(why, sizeof why, "there is no option -%c", optopt);
            else
                snprintf(why, sizeof why, "there is no option %s", argv[optind - 1]);
            status = RT_USAGE;
        } else if (code == CODE_PRESET) {
            if (presets && !rt_preset_load(o, optarg, why, sizeof why))
                status = RT_CONFIG;
        } else if (f && !presets) {
            snprintf(name, sizeof name, "%s.%s", f->section, f->key);
            if (!rt_options_set(o, name, optarg, bit, why, sizeof why))
                status = RT_USAGE;
        }
        if (status) {
            rt_fail("%s%s%s%s", why, status == RT_USAGE ? "; see hearken " : "",
                    status == RT_USAGE ? argv[0] : "",
                    status == RT_USAGE ? " --help" : "");
            return status;
        }
    }
    return RT_OK;
}

int
rt_options_parse(rt_options *o, unsigned bit, int argc, char **argv, const char *rest[],
                 int *status)
{
    tables t;
    make_tables(&t, bit);
    rt_options_default(o);
    *status = pass(o, &t, bit, argc, argv, true);
    o->list_set = 0; /* an option replaces a list that the preset set */
    if (!*status)
        *status = pass(o, &t, bit, argc, argv, false);
    if (*status < 0) {
        *status = rt_finish_output(RT_OK);
        return -2;
    }
    if (*status)
        return -1;
    int n = 0;
    while (optind < argc)
        rest[n++] = argv[optind++];
    return n;
}
