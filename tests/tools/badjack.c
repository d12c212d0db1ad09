/*
 * badjack: a libjack that does once what the real one does now and then.
 *
 *   HOLDCLOSE=FILE LD_PRELOAD=badjack.so client...    closing a client never ends
 *   BUSOPEN=FILE LD_PRELOAD=badjack.so client...      opening one dies of SIGBUS
 *
 * The first call of all that have the same FILE makes that file; when it is there, all
 * is as always.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <jack/jack.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static bool
first(const char *name)
{
    const char *path = getenv(name);
    const int fd =
        path ? open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

jack_client_t *
jack_client_open(const char *name, jack_options_t options, jack_status_t *status, ...)
{
    jack_client_t *(*next)(const char *, jack_options_t, jack_status_t *, ...);
    if (first("BUSOPEN"))
        raise(SIGBUS);
    *(void **)&next = dlsym(RTLD_NEXT, "jack_client_open");
    return next(name, options, status);
}

int
jack_client_close(jack_client_t *c)
{
    int (*next)(jack_client_t *);
    if (first("HOLDCLOSE"))
        for (;;)
            pause();
    *(void **)&next = dlsym(RTLD_NEXT, "jack_client_close");
    return next(c);
}
