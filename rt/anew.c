#include "anew.h"

#include "rt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 1024 };

int
rt_start_anew(int argc, char **argv)
{
    char name[] = "hearken";
    char **args = calloc((size_t)argc + 2, sizeof *args);
    if (!args)
        return RT_SOFTWARE;
    args[0] = name;
    memcpy(args + 1, argv, (size_t)argc * sizeof *args);
    for (int fd = STDERR_FILENO + 1; fd < FILES; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    rt_warn("libjack does not come back from a call; starting anew");
    execv("/proc/self/exe", args);
    rt_fail("hearken cannot be started anew (%s); start it by hand", strerror(errno));
    free(args);
    return RT_UNAVAILABLE;
}
