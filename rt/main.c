/* hearken COMMAND: picks the command. The way of the data begins in capture.c. */
#include "control.h"
#include "load.h"
#include "options.h"
#include "rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"build", rt_cmd_build}, {"merge", rt_cmd_merge},   {"listen", rt_cmd_listen},
    {"query", rt_cmd_query}, {"info", rt_cmd_info},     {"tune", rt_cmd_tune},
    {"eval", rt_cmd_eval},   {"import", rt_cmd_import}, {"export", rt_cmd_export},
    {"check", rt_cmd_check}, {"top", rt_cmd_top},
};

int
main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;
    if (argc)
        rt_program = slash ? slash + 1 : argv[0];
    if (argc == 1 && getenv("NSM_URL")) { /* a session manager gives no arguments */
        char listen[] = "listen", *line[] = {listen, NULL};
        return rt_cmd_listen(1, line);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(name, commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        rt_help(stdout, 0);
        return rt_finish_output(RT_OK);
    }
    if (!strcmp(name, "--version")) {
        puts("hearken " RT_VERSION);
        return rt_finish_output(RT_OK);
    }
    if (!strcmp(name, "man")) {
        rt_man(stdout);
        return rt_finish_output(RT_OK);
    }
    if (!strcmp(name, "--completion")) {
        if (rt_completion(stdout, argc > 2 ? argv[2] : ""))
            return rt_finish_output(RT_OK);
        rt_fail("--completion is for one of bash, zsh, fish");
        return RT_USAGE;
    }
    if (!strcmp(name, "osc-reference")) {
        rt_control_reference(stdout);
        return rt_finish_output(RT_OK);
    }
    if (*name)
        rt_fail("there is no command %s", name);
    rt_help(stderr, 0);
    return RT_USAGE;
}
