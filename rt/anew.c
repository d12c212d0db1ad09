#define _GNU_SOURCE /* memfd_create(), seals */
#include "anew.h"

#include "rt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 1024, SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };
static const char variable[] = "HEARKEN_LEFT";

/* In a file of no folder, which the next program inherits. False where that fails. */
static bool
leave(const char left[], size_t n)
{
    char number[20];
    const int fd = n ? memfd_create("hearken", MFD_ALLOW_SEALING) : -1;
    snprintf(number, sizeof number, "%d", fd);
    if (fd >= 0 && write(fd, left, n) == (ssize_t)n && !fcntl(fd, F_ADD_SEALS, SEALS) &&
        !setenv(variable, number, 1))
        return true;
    if (fd >= 0)
        close(fd);
    return false;
}

int
rt_start_anew(int argc, char **argv, const char left[], size_t n)
{
    char name[] = "hearken";
    char **args = calloc((size_t)argc + 2, sizeof *args);
    if (!args)
        return RT_SOFTWARE;
    args[0] = name;
    memcpy(args + 1, argv, (size_t)argc * sizeof *args);
    for (int fd = STDERR_FILENO + 1; fd < FILES; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (leave(left, n))
        rt_warn("libjack does not come back from a call; starting anew");
    else
        rt_warn("libjack does not come back from a call; starting anew, without what "
                "was counted and set meanwhile");
    execv("/proc/self/exe", args);
    rt_fail("hearken cannot be started anew (%s); start it by hand", strerror(errno));
    free(args);
    return RT_UNAVAILABLE;
}

/* The file that the environment names, or -1. */
static int
left_file(void)
{
    const char *number = getenv(variable);
    const size_t digits = number ? strspn(number, "0123456789") : 0;
    const int fd =
        digits && digits < 8 && !number[digits] ? (int)strtol(number, NULL, 10) : -1;
    const int seals = fd > STDERR_FILENO ? fcntl(fd, F_GET_SEALS) : -1;
    unsetenv(variable); /* not for what is started from here */
    return seals >= 0 && (seals & SEALS) == SEALS ? fd : -1;
}

size_t
rt_left(char out[], size_t cap)
{
    struct stat st;
    size_t n = 0;
    const int fd = left_file();
    if (fd < 0)
        return 0;
    if (!fstat(fd, &st) && st.st_size > 0 && (size_t)st.st_size <= cap &&
        pread(fd, out, (size_t)st.st_size, 0) == st.st_size)
        n = (size_t)st.st_size;
    close(fd);
    return n;
}
