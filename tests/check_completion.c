/* rt/completion.c as text; tests/e2e_install.sh asks the shells themselves. */
#include "rt/help.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

static const char *const shells[] = {"bash", "zsh", "fish"};

static char *
completion(const char *shell, bool known)
{
    static char text[131072];
    memset(text, 0, sizeof text);
    FILE *file = fmemopen(text, sizeof text - 1, "w");
    ck_assert(rt_completion(file, shell) == known);
    ck_assert(!ferror(file) && !fclose(file));
    return text;
}

/* The line (or, of zsh, the block) that says what a command takes. */
static char *
part_of(char *text, const char *shell, const char *command)
{
    char begin[80];
    if (!strcmp(shell, "fish"))
        return text;
    if (!strcmp(shell, "zsh"))
        snprintf(begin, sizeof begin, "\n    %s)\n", command);
    else
        snprintf(begin, sizeof begin, "\n        %s) words='", command);
    char *part = strstr(text, begin);
    ck_assert_msg(part, "%s: no %s", shell, command);
    char *end = strstr(part, ";;\n");
    ck_assert(end);
    *end = '\0';
    return part;
}

START_TEST(each_option_is_offered_for_its_commands_and_no_other)
{
    size_t n, n_commands;
    const rt_field *f = rt_fields(&n);
    const rt_command *c = rt_commands(&n_commands);
    for (size_t j = 0; j < n_commands; j++) {
        const char *part = part_of(completion(shells[_i], true), shells[_i], c[j].name);
        for (size_t i = 0; i < n; i++) {
            char option[120];
            if (_i == 2)
                snprintf(option, sizeof option, "from %s' -l %s-%s ", c[j].name,
                         f[i].section, f[i].key);
            else
                snprintf(option, sizeof option, "--%s-%s%s", f[i].section, f[i].key,
                         _i == 1 ? "=" : " ");
            ck_assert_msg(!!strstr(part, option) == !!(f[i].commands & c[j].bit),
                          "%s, %s: %s", shells[_i], c[j].name, option);
        }
    }
}
END_TEST

START_TEST(quotes_are_closed_on_each_line)
{
    int lines = 0;
    char *text = completion(shells[_i], true);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        int single = 0, both = 0;
        for (const char *c = line; *c; c++) {
            single += *c == '\'';
            both += *c == '"';
        }
        ck_assert_msg(*line == '#' || (single % 2 == 0 && both % 2 == 0), "%s", line);
    }
    ck_assert_int_gt(lines, 50);
}
END_TEST

START_TEST(another_shell_gets_nothing)
{
    static const char *const others[] = {"", "tcsh", "bash ", "Bash"};
    ck_assert_str_eq(completion(others[_i], false), "");
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/completion");
    TCase *t = tcase_create("completion");
    tcase_add_loop_test(t, each_option_is_offered_for_its_commands_and_no_other, 0, 3);
    tcase_add_loop_test(t, quotes_are_closed_on_each_line, 0, 3);
    tcase_add_loop_test(t, another_shell_gets_nothing, 0, 4);
    suite_add_tcase(s, t);
    return run_suite(s);
}
