/* hearken --completion SHELL: what packages install for bash, zsh and fish, from the
 * table of settings. Every option takes a value. */
#include "help.h"

#include <string.h>

/* Where the value of an option comes from. */
static bool
names_file(const rt_field *f)
{
    return strstr(f->arg, "FILE") || strstr(f->arg, "CSV");
}

/* The first thing that the help says, without what would end a quoted text or mean
 * something to zsh's _arguments. */
static void
short_help(FILE *to, const char *help)
{
    size_t n = strcspn(help, ";:(");
    while (n > 0 && help[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < n; i++)
        if (!strchr("'\"[]\\`$", help[i]))
            fputc(help[i], to);
}

static void
words(FILE *to, const char *const list[])
{
    for (size_t i = 0; list[i]; i++)
        fprintf(to, "%s%s", i ? " " : "", list[i]);
}

/* ---- bash ------------------------------------------------------------------------ */

static void
bash_values(FILE *to, const rt_command *c)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    for (size_t i = 0; i < n; i++) {
        if (!(f[i].commands & c->bit) || (!f[i].choices && !names_file(&f[i])))
            continue;
        fprintf(to, "    %s,--%s-%s", c->name, f[i].section, f[i].key);
        if (f[i].letter)
            fprintf(to, " | %s,-%c", c->name, f[i].letter);
        fputs(") ", to);
        if (f[i].choices) {
            fputs("words='", to);
            words(to, f[i].choices);
            fputs("' ;;\n", to);
        } else {
            fputs("files=1 ;;\n", to);
        }
    }
}

static void
bash_options(FILE *to, const rt_command *c)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    fprintf(to, "        %s) words='", c->name);
    for (size_t i = 0; i < n; i++)
        if (f[i].commands & c->bit)
            fprintf(to, "--%s-%s ", f[i].section, f[i].key);
    fputs("--preset --help' ;;\n", to);
}

static void
bash(FILE *to)
{
    size_t n;
    const rt_command *c = rt_commands(&n);
    fputs("# shellcheck shell=bash\n"
          "# bash completion of hearken, made by: hearken --completion bash\n"
          "_hearken()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local command=${COMP_WORDS[1]} words='' files=''\n"
          "    COMPREPLY=()\n"
          "    # bash takes --option=value apart\n"
          "    [ \"$cur\" = = ] && cur=''\n"
          "    [ \"$prev\" = = ] && prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    case $((COMP_CWORD == 1)),$command,$prev in\n"
          "    1,*) words='",
          to);
    for (size_t i = 0; i < n; i++)
        fprintf(to, "%s ", c[i].name);
    fputs("help man --help --version' ;;\n    *,--preset) files=1 ;;\n    esac\n"
          "    [ -n \"$words$files\" ] || case $command,$prev in\n",
          to);
    for (size_t i = 0; i < n; i++)
        bash_values(to, &c[i]);
    fputs("    *,--*) return ;; # a number, a name: nothing to offer\n"
          "    *) files=1\n"
          "        case $command in\n",
          to);
    for (size_t i = 0; i < n; i++)
        bash_options(to, &c[i]);
    fputs("        esac\n"
          "        [[ $cur == -* ]] && files='' || words='' ;;\n"
          "    esac\n"
          "    mapfile -t COMPREPLY < <(\n"
          "        compgen -W \"$words\" -- \"$cur\"\n"
          "        [ -z \"$files\" ] || compgen -f -- \"$cur\"\n"
          "    )\n"
          "    [ -z \"$files\" ] || compopt -o filenames 2>/dev/null\n"
          "}\n"
          "complete -F _hearken hearken\n",
          to);
}

/* ---- zsh ------------------------------------------------------------------------- */

static void
zsh_option(FILE *to, const rt_field *f)
{
    char option[48];
    snprintf(option, sizeof option, "--%s-%s", f->section, f->key);
    fputs("            ", to);
    if (f->letter)
        fprintf(to, "'(%s -%c)'{%s=,-%c+}'[", option, f->letter, option, f->letter);
    else
        fprintf(to, "'%s=[", option);
    short_help(to, f->help);
    fprintf(to, "]:%s:", f->key);
    if (f->choices) {
        fputs("(", to);
        words(to, f->choices);
        fputs(")", to);
    } else if (names_file(f)) {
        fputs("_files", to);
    }
    fputs("' \\\n", to);
}

static void
zsh(FILE *to)
{
    size_t n, n_fields;
    const rt_command *c = rt_commands(&n);
    const rt_field *f = rt_fields(&n_fields);
    fputs("#compdef hearken\n"
          "# zsh completion of hearken, made by: hearken --completion zsh\n"
          "_hearken() {\n"
          "    local -a commands\n"
          "    commands=(\n",
          to);
    for (size_t i = 0; i < n; i++) {
        fprintf(to, "        '%s:", c[i].name);
        short_help(to, c[i].what);
        fputs("'\n", to);
    }
    fputs("        'man:writes the manual page' '--version:the version' "
          "'--help:all commands'\n"
          "    )\n"
          "    if ((CURRENT == 2)); then\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n"
          "    local command=$words[2]\n"
          "    shift words\n"
          "    ((CURRENT--))\n"
          "    case $command in\n",
          to);
    for (size_t i = 0; i < n; i++) {
        fprintf(to, "    %s)\n        _arguments \\\n", c[i].name);
        for (size_t j = 0; j < n_fields; j++)
            if (f[j].commands & c[i].bit)
                zsh_option(to, &f[j]);
        fputs("            '--preset=[read settings from a file]:preset:_files' \\\n"
              "            '(- *)--help[all options]' \\\n"
              "            '*:file:_files' ;;\n",
              to);
    }
    fputs("    esac\n}\n_hearken \"$@\"\n", to);
}

/* ---- fish ------------------------------------------------------------------------ */

static void
fish_option(FILE *to, const rt_command *c, const rt_field *f)
{
    fprintf(to, "complete -c hearken -n '__fish_seen_subcommand_from %s' -l %s-%s",
            c->name, f->section, f->key);
    if (f->letter)
        fprintf(to, " -s %c", f->letter);
    if (f->choices) {
        fputs(" -x -a '", to);
        words(to, f->choices);
        fputs("'", to);
    } else {
        fputs(names_file(f) ? " -r -F" : " -x", to);
    }
    fputs(" -d '", to);
    short_help(to, f->help);
    fputs("'\n", to);
}

static void
fish(FILE *to)
{
    size_t n, n_fields;
    const rt_command *c = rt_commands(&n);
    const rt_field *f = rt_fields(&n_fields);
    fputs("# fish completion of hearken, made by: hearken --completion fish\n", to);
    for (size_t i = 0; i < n; i++) {
        fprintf(to, "complete -c hearken -n __fish_use_subcommand -f -a %s -d '",
                c[i].name);
        short_help(to, c[i].what);
        fputs("'\n", to);
    }
    fputs(
        "complete -c hearken -n __fish_use_subcommand -f -l version -d 'the version'\n"
        "complete -c hearken -l help -d 'all options'\n"
        "complete -c hearken -l preset -r -F -d 'read settings from a file'\n",
        to);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n_fields; j++)
            if (f[j].commands & c[i].bit)
                fish_option(to, &c[i], &f[j]);
}

bool
rt_completion(FILE *to, const char *shell)
{
    static const struct {
        const char *name;
        void (*write)(FILE *to);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (!strcmp(shell, shells[i].name)) {
            shells[i].write(to);
            return true;
        }
    return false;
}
