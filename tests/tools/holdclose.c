/*
 * holdclose: a libjack that never comes back from closing a client, once.
 *
 *   HOLDCLOSE=FILE LD_PRELOAD=holdclose.so client...
 *
 * The first jack_client_close() of all that have the same FILE makes that file and
 * waits for ever; when the file is there, closing is as always.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <jack/jack.h>
#include <stdlib.h>
#include <unistd.h>

int
jack_client_close(jack_client_t *c)
{
    int (*next)(jack_client_t *);
    const char *path = getenv("HOLDCLOSE");
    const int fd =
        path ? open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        close(fd);
        for (;;)
            pause();
    }
    *(void **)&next = dlsym(RTLD_NEXT, "jack_client_close");
    return next(c);
}
