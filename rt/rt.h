/* What all commands share: messages for people, exit statuses, progress, threads. */
#ifndef HEARKEN_RT_H
#define HEARKEN_RT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_VERSION "0.1"

/* Exit statuses, as in sysexits.h, and what a shell says of a Ctrl-C. */
enum {
    RT_OK = 0,
    RT_USAGE = 64,       /* the command line */
    RT_DATA = 65,        /* an index or sound is damaged or of another kind */
    RT_NOINPUT = 66,     /* no such file */
    RT_NOHOST = 68,      /* a receiver whose name is not known (yet) */
    RT_UNAVAILABLE = 69, /* no JACK server, or it went away */
    RT_SOFTWARE = 70,    /* out of memory, or a bug */
    RT_IO = 74,          /* reading or writing failed */
    RT_CONFIG = 78,      /* a preset, or a setting that the index does not allow */
    RT_INTERRUPTED = 130,
    RT_ANEW = 256, /* no status: the program is to be started anew */
};

/* What the program is called by, without folders; main sets it. */
extern const char *rt_program;

/* How much a message matters, in the numbers of syslog(3). */
typedef enum {
    RT_SAY_ERROR = 3,   /* why a command ends without doing its work */
    RT_SAY_WARNING = 4, /* something is amiss, and it goes on */
    RT_SAY_INFO = 6
} rt_level;

/* "hearken: ...\n" on stderr, with its level in front where that is the systemd
 * journal; wipes a progress bar first. Main and build threads only.
 */
void rt_tell(rt_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
#define rt_say(...) rt_tell(RT_SAY_INFO, __VA_ARGS__)
#define rt_warn(...) rt_tell(RT_SAY_WARNING, __VA_ARGS__)
#define rt_fail(...) rt_tell(RT_SAY_ERROR, __VA_ARGS__)

/* From now on a message that stderr does not take at once is lost, and the next one
 * says so: for who must not wait for a terminal that is held, or a log that is stuck.
 */
void rt_say_never_waits(void);

/* Set by SIGINT or SIGTERM after rt_catch_stop(); the second signal ends the program.
 */
extern atomic_int rt_stop;
void rt_catch_stop(void);

/* Monotonic clock in seconds, for progress and rates. */
double rt_seconds(void);
uint64_t rt_ns(void); /* the same, in nanoseconds */
/* What the calling thread has computed, in seconds. */
double rt_cpu_seconds(void);
void rt_sleep_ms(unsigned ms);

/*
 * Progress on stderr, from one thread: a bar on a terminal, elsewhere a line every five
 * seconds. done and total in any unit; detail (may be empty) stands at the end.
 */
typedef struct {
    const char *what;
    double began, last;
    bool terminal, shown;
} rt_progress;
void rt_progress_begin(rt_progress *p, const char *what);
void rt_progress_step(rt_progress *p, double done, double total, const char *detail);
void rt_progress_end(rt_progress *p);

/* Starts a thread with every signal blocked, under SCHED_FIFO at that priority where
 * that is above 0 and allowed; *fifo (may be NULL) says what the kernel then reports.
 */
bool rt_thread_start(pthread_t *thread, void *(*run)(void *), void *arg, int priority,
                     bool *fifo);

/* Changes that later: has the thread run under SCHED_FIFO at that priority where that
 * is above 0 and allowed, else as ordinary; returns whether the kernel says so. */
bool rt_thread_fifo(pthread_t thread, int priority);

/* What the calling thread is called in top -H and ps -L; 15 bytes at most. */
void rt_thread_name(const char *name);

/* The commands; argv[0] is the command's name. Each returns the exit status. */
int rt_cmd_build(int argc, char **argv);
int rt_cmd_merge(int argc, char **argv);
int rt_cmd_listen(int argc, char **argv);
int rt_cmd_query(int argc, char **argv);
int rt_cmd_info(int argc, char **argv);
int rt_cmd_tune(int argc, char **argv);
int rt_cmd_eval(int argc, char **argv);
int rt_cmd_check(int argc, char **argv);
int rt_cmd_import(int argc, char **argv);
int rt_cmd_export(int argc, char **argv);
int rt_cmd_top(int argc, char **argv);

#endif
