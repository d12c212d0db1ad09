/*
 * stall: stops one thread of a program for good, as a deadlock would, and leaves the
 * others running. Once the file $STALL_FILE exists, the thread of the name
 * $STALL_THREAD does not return from sem_wait() any more.
 *
 * Use:  STALL_FILE=f STALL_THREAD=name LD_PRELOAD=./stall.so program ...
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int
sem_wait(sem_t *sem)
{
    static int (*next)(sem_t *);
    const char *file = getenv("STALL_FILE"), *thread = getenv("STALL_THREAD");
    char name[16] = "";
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "sem_wait");
    prctl(PR_GET_NAME, name);
    while (file && thread && !strcmp(name, thread) && access(file, F_OK) == 0)
        pause();
    return next(sem);
}
