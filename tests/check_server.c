/* rt/server.c: jackd's socket in the system's table of them. */
#include "rt/server.h"
#include "support.h"

#include <string.h>

static const char head[] =
    "Num       RefCount Protocol Flags    Type St Inode Path\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01  1027 @/tmp/.X11-unix/X0\n"
    "0000000000000000: 00000003 00000000 00000000 0001 03 11027\n";

static const struct {
    const char *name, *line;
    bool there;
} tables[] = {
    {"nobody", "", false},
    {"listens",
     "0000000000000000: 00000002 00000000 00010000 0001 01 5 "
     "/dev/shm/jack_default_0_0\n",
     true},
    {"listens in another folder",
     "0000000000000000: 00000002 00000000 00010000 0001 01 5 /tmp/jack_default_0_0\n",
     true},
    {"without an end of line",
     "0000000000000000: 00000002 00000000 00010000 0001 01 5 /dev/shm/jack_default_0_0",
     true},
    {"a connection to it only",
     "0000000000000000: 00000003 00000000 00000000 0001 03 5 "
     "/dev/shm/jack_default_0_0\n",
     false},
    {"another server's",
     "0000000000000000: 00000002 00000000 00010000 0001 01 5 "
     "/dev/shm/jack_default_0_00\n",
     false},
    {"another user's",
     "0000000000000000: 00000002 00000000 00010000 0001 01 5 "
     "/dev/shm/jack_default_1000_0\n",
     false},
};

START_TEST(a_server_is_there_when_its_socket_listens)
{
    char text[1000];
    snprintf(text, sizeof text, "%s%s", head, tables[_i].line);
    FILE *f = fmemopen(text, strlen(text), "r");
    ck_assert_ptr_nonnull(f);
    const bool there = rt_server_listens(f, "jack_default_0_0");
    fclose(f);
    ck_assert_msg(there == tables[_i].there, "case: %s", tables[_i].name);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/server");
    TCase *t = tcase_create("server");
    tcase_add_loop_test(t, a_server_is_there_when_its_socket_listens, 0,
                        (int)(sizeof tables / sizeof *tables));
    suite_add_tcase(s, t);
    return run_suite(s);
}
