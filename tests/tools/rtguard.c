/*
 * rtguard: watches what a JACK client does inside its process callback.
 *
 * Build:  cc -shared -fPIC -O1 -g -Wall -Wextra -o rtguard.so rtguard.c -ldl -lpthread
 * Use:    RTGUARD=abort LD_PRELOAD=./rtguard.so  client ...
 *
 * It wraps jack_set_process_callback() of one client; jack_set_process_thread() is refused.
 * While the callback runs, the thread is marked; a marked thread that calls one of the
 * functions below is a violation: heap, locks that may block, sleeping, file and socket
 * calls, stdio. It also compares the thread's own counters before and after the callback:
 * page faults, and voluntary context switches (the callback slept, whatever the means,
 * libc's own inner calls included). The client must be linked to libjack dynamically, and
 * built without a sanitizer.
 *
 * RTGUARD_THREAD=NAME watches another thread too: the one that names itself so by prctl().
 * It is marked from each sem_wait() that returned to the next one that it calls, so it may
 * wait for a semaphore and nothing else; the same functions and counters are judged.
 *
 * RTGUARD=abort   abort() at the first violation, with a back trace on stderr
 * RTGUARD=report  (default) count, back trace of the first of each kind
 * RTGUARD_SKIP=n  leave out the first n callbacks (default 1)
 * RTGUARD_ALLOW=a,b  leave these kinds out (sem_post is never one: waking a thread is allowed)
 * At exit, one JSON line goes to stderr, or to the file named by RTGUARD_OUT.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define KINDS                                                                                 \
    K(malloc) K(calloc) K(realloc) K(free) K(posix_memalign) K(aligned_alloc)                 \
    K(pthread_mutex_lock) K(pthread_rwlock_rdlock) K(pthread_rwlock_wrlock)                   \
    K(pthread_cond_wait) K(pthread_cond_timedwait) K(pthread_cond_signal)                     \
    K(pthread_create) K(pthread_join) K(sem_wait)                                             \
    K(usleep) K(nanosleep) K(clock_nanosleep) K(sleep) K(poll) K(select)                      \
    K(open) K(close) K(read) K(write) K(fopen) K(fwrite) K(fputs) K(puts) K(fflush)           \
    K(vfprintf) K(printf) K(fprintf) K(putchar) K(fputc) K(syslog)                     \
    K(socket) K(send) K(sendto) K(sendmsg) K(recv)           \
    K(recvfrom) K(mmap) K(munmap) K(slept) K(minor_fault) K(major_fault)

enum kind {
#define K(n) k_##n,
    KINDS
#undef K
        n_kinds
};
static const char *const kind_name[] = {
#define K(n) #n,
    KINDS
#undef K
};

static __thread volatile int in_callback __attribute__((tls_model("initial-exec")));
static _Atomic uint64_t count[n_kinds], callbacks, worst_ns;
static _Atomic int told[n_kinds];
static int allowed[n_kinds];
static int abort_on_violation;
static uint64_t skip = 1;
static __thread int seen __attribute__((tls_model("initial-exec")));
static __thread int is_named __attribute__((tls_model("initial-exec")));
static __thread struct rusage woken;
static _Atomic uint64_t wakes;
static const char *named; /* the other thread to watch, or NULL */
static pthread_key_t end_of_thread;

static void tell(enum kind k)
{
    void *pc[24];
    char head[96];
    int n = backtrace(pc, 24);
    int l = snprintf(head, sizeof head, "rtguard: %s inside %s\n", kind_name[k],
                     is_named ? named : "the process callback");
    (void)!syscall(SYS_write, 2, head, (size_t)l);
    backtrace_symbols_fd(pc, n, 2);
}

static void violation(enum kind k)
{
    if (allowed[k])
        return;
    in_callback = 0; /* what follows is ours */
    seen = 1;
    atomic_fetch_add(&count[k], 1);
    if (!atomic_exchange(&told[k], 1))
        tell(k);
    if (abort_on_violation)
        abort();
    in_callback = 1;
}

#define CHECK(n)                                                                              \
    do {                                                                                      \
        if (in_callback)                                                                      \
            violation(k_##n);                                                                 \
    } while (0)

#define REAL(ret, n, ...)                                                                     \
    static ret (*real)(__VA_ARGS__);                                                          \
    if (!real) {                                                                              \
        int was = in_callback;                                                                \
        in_callback = 0;                                                                      \
        real = (ret(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #n);                                     \
        in_callback = was;                                                                    \
    }

/* The heap: glibc's own names, so that no dlsym is needed (dlsym allocates). */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t n) { CHECK(malloc); return __libc_malloc(n); }
void *calloc(size_t n, size_t s) { CHECK(calloc); return __libc_calloc(n, s); }
void *realloc(void *p, size_t n) { CHECK(realloc); return __libc_realloc(p, n); }
void free(void *p)
{
    if (p)
        CHECK(free);
    __libc_free(p);
}
void *aligned_alloc(size_t a, size_t n) { CHECK(aligned_alloc); return __libc_memalign(a, n); }
int posix_memalign(void **p, size_t a, size_t n)
{
    CHECK(posix_memalign);
    void *q = __libc_memalign(a, n);
    if (!q)
        return ENOMEM;
    *p = q;
    return 0;
}

#define WRAP1(ret, n, t1) ret n(t1 a) { CHECK(n); REAL(ret, n, t1); return real(a); }
#define WRAP2(ret, n, t1, t2) ret n(t1 a, t2 b) { CHECK(n); REAL(ret, n, t1, t2); return real(a, b); }
#define WRAP3(ret, n, t1, t2, t3) \
    ret n(t1 a, t2 b, t3 c) { CHECK(n); REAL(ret, n, t1, t2, t3); return real(a, b, c); }
#define WRAP4(ret, n, t1, t2, t3, t4) \
    ret n(t1 a, t2 b, t3 c, t4 d) { CHECK(n); REAL(ret, n, t1, t2, t3, t4); return real(a, b, c, d); }

WRAP1(int, pthread_mutex_lock, pthread_mutex_t *)
WRAP1(int, pthread_rwlock_rdlock, pthread_rwlock_t *)
WRAP1(int, pthread_rwlock_wrlock, pthread_rwlock_t *)
WRAP2(int, pthread_cond_wait, pthread_cond_t *restrict, pthread_mutex_t *restrict)
WRAP3(int, pthread_cond_timedwait, pthread_cond_t *restrict, pthread_mutex_t *restrict,
      const struct timespec *restrict)
WRAP1(int, pthread_cond_signal, pthread_cond_t *)
typedef void *(*thread_fn)(void *);
WRAP4(int, pthread_create, pthread_t *restrict, const pthread_attr_t *restrict, thread_fn,
      void *restrict)
WRAP2(int, pthread_join, pthread_t, void **)
WRAP1(int, usleep, useconds_t)
WRAP1(unsigned, sleep, unsigned)
WRAP2(int, nanosleep, const struct timespec *, struct timespec *)
WRAP4(int, clock_nanosleep, clockid_t, int, const struct timespec *, struct timespec *)
struct pollfd;
WRAP3(int, poll, struct pollfd *, unsigned long, int)
WRAP1(int, close, int)
WRAP3(ssize_t, read, int, void *, size_t)
WRAP3(ssize_t, write, int, const void *, size_t)
WRAP2(FILE *, fopen, const char *restrict, const char *restrict)
WRAP4(size_t, fwrite, const void *restrict, size_t, size_t, FILE *restrict)
WRAP2(int, fputs, const char *restrict, FILE *restrict)
WRAP1(int, puts, const char *)
WRAP1(int, fflush, FILE *)
WRAP1(int, putchar, int)
WRAP2(int, fputc, int, FILE *)
WRAP3(int, socket, int, int, int)
WRAP4(ssize_t, send, int, const void *, size_t, int)
WRAP3(ssize_t, sendmsg, int, const struct msghdr *, int)
WRAP4(ssize_t, recv, int, void *, size_t, int)
WRAP2(int, munmap, void *, size_t)

int select(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict e, struct timeval *restrict t)
{
    CHECK(select);
    REAL(int, select, int, fd_set *, fd_set *, fd_set *, struct timeval *);
    return real(n, r, w, e, t);
}
ssize_t sendto(int s, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l)
{
    CHECK(sendto);
    REAL(ssize_t, sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    return real(s, b, n, f, a, l);
}
ssize_t recvfrom(int s, void *restrict b, size_t n, int f, struct sockaddr *restrict a,
                 socklen_t *restrict l)
{
    CHECK(recvfrom);
    REAL(ssize_t, recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *);
    return real(s, b, n, f, a, l);
}
void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t o)
{
    CHECK(mmap);
    return (void *)syscall(SYS_mmap, p, n, prot, flags, fd, o);
}
int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    int mode = va_arg(ap, int);
    va_end(ap);
    CHECK(open);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
static int out(enum kind k, FILE *f, const char *fmt, va_list ap)
{
    static int (*real)(FILE *, const char *, va_list);
    if (!real) {
        int was = in_callback;
        in_callback = 0;
        real = (int (*)(FILE *, const char *, va_list))dlsym(RTLD_NEXT, "vfprintf");
        in_callback = was;
    }
    if (in_callback)
        violation(k);
    return real(f, fmt, ap);
}
int vfprintf(FILE *restrict f, const char *restrict fmt, va_list ap)
{
    return out(k_vfprintf, f, fmt, ap);
}
int printf(const char *restrict fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = out(k_printf, stdout, fmt, ap);
    va_end(ap);
    return r;
}
int fprintf(FILE *restrict f, const char *restrict fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = out(k_fprintf, f, fmt, ap);
    va_end(ap);
    return r;
}

static void judge(const struct rusage *a)
{
    struct rusage b;
    const int called = seen; /* then the faults may be of our own telling */
    getrusage(RUSAGE_THREAD, &b);
    if (b.ru_nvcsw != a->ru_nvcsw)
        violation(k_slept);
    if (b.ru_minflt != a->ru_minflt && !called)
        violation(k_minor_fault);
    if (b.ru_majflt != a->ru_majflt && !called)
        violation(k_major_fault);
    in_callback = 0;
}

int sem_wait(sem_t *s)
{
    static int (*real)(sem_t *);
    const int watched = is_named;
    if (watched && in_callback) {
        in_callback = 0;
        judge(&woken);
    } else {
        CHECK(sem_wait);
    }
    if (!real)
        real = (int (*)(sem_t *))dlsym(RTLD_NEXT, "sem_wait");
    const int r = real(s);
    if (watched) {
        atomic_fetch_add(&wakes, 1);
        seen = 0;
        getrusage(RUSAGE_THREAD, &woken);
        in_callback = 1;
    }
    return r;
}

/* The first thing when a thread ends, before libc frees what it had for it. */
static void unwatch(void *nothing)
{
    (void)nothing;
    in_callback = is_named = 0;
}

int prctl(int option, ...)
{
    va_list ap;
    unsigned long a[4];
    va_start(ap, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(ap, unsigned long);
    va_end(ap);
    if (option == PR_SET_NAME && named && !strcmp((const char *)a[0], named)) {
        is_named = 1;
        pthread_setspecific(end_of_thread, &wakes);
    }
    return (int)syscall(SYS_prctl, option, a[0], a[1], a[2], a[3]);
}

/* What the same calls become under _FORTIFY_SOURCE. */
int __printf_chk(int flag, const char *restrict fmt, ...);
int __printf_chk(int flag, const char *restrict fmt, ...)
{
    (void)flag;
    va_list ap;
    va_start(ap, fmt);
    int r = out(k_printf, stdout, fmt, ap);
    va_end(ap);
    return r;
}
int __fprintf_chk(FILE *restrict f, int flag, const char *restrict fmt, ...);
int __fprintf_chk(FILE *restrict f, int flag, const char *restrict fmt, ...)
{
    (void)flag;
    va_list ap;
    va_start(ap, fmt);
    int r = out(k_fprintf, f, fmt, ap);
    va_end(ap);
    return r;
}
int __vfprintf_chk(FILE *restrict f, int flag, const char *restrict fmt, va_list ap);
int __vfprintf_chk(FILE *restrict f, int flag, const char *restrict fmt, va_list ap)
{
    (void)flag;
    return out(k_vfprintf, f, fmt, ap);
}
void vsyslog(int priority, const char *fmt, va_list ap)
{
    CHECK(syslog);
    REAL(void, vsyslog, int, const char *, va_list);
    real(priority, fmt, ap);
}
void syslog(int priority, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    CHECK(syslog);
    REAL(void, vsyslog, int, const char *, va_list);
    real(priority, fmt, ap);
    va_end(ap);
}

/* The callback itself. One client per process is what this is for. */
typedef int (*process_fn)(uint32_t, void *);
static process_fn client_process;

static int watched(uint32_t n, void *arg)
{
    uint64_t c = atomic_fetch_add(&callbacks, 1);
    if (c < skip)
        return client_process(n, arg);
    struct rusage a;
    struct timespec s, e;
    getrusage(RUSAGE_THREAD, &a);
    clock_gettime(CLOCK_MONOTONIC, &s);
    seen = 0;
    in_callback = 1;
    int r = client_process(n, arg);
    in_callback = 0;
    clock_gettime(CLOCK_MONOTONIC, &e);
    uint64_t ns = (uint64_t)((e.tv_sec - s.tv_sec) * 1000000000L + (e.tv_nsec - s.tv_nsec));
    if (ns > atomic_load(&worst_ns))
        atomic_store(&worst_ns, ns);
    judge(&a);
    return r;
}

int jack_set_process_callback(void *client, process_fn fn, void *arg)
{
    static int (*real)(void *, process_fn, void *);
    if (!real)
        real = (int (*)(void *, process_fn, void *))dlsym(RTLD_NEXT, "jack_set_process_callback");
    client_process = fn;
    return real(client, fn ? watched : NULL, arg);
}

int jack_set_process_thread(void *client, void *fn, void *arg)
{
    (void)client, (void)fn, (void)arg;
    static const char m[] = "rtguard: jack_set_process_thread is not watched: refused\n";
    (void)!syscall(SYS_write, 2, m, sizeof m - 1);
    return -1;
}

__attribute__((constructor)) static void start(void)
{
    void *pc[2];
    backtrace(pc, 2); /* loads what backtrace needs now, not in the callback */
    const char *m = getenv("RTGUARD"), *s = getenv("RTGUARD_SKIP"), *a = getenv("RTGUARD_ALLOW");
    named = getenv("RTGUARD_THREAD");
    pthread_key_create(&end_of_thread, unwatch);
    abort_on_violation = m && !strcmp(m, "abort");
    if (s)
        skip = strtoull(s, NULL, 10);
    for (int k = 0; a && k < n_kinds; k++) {
        const char *p = a;
        size_t l = strlen(kind_name[k]);
        while ((p = strstr(p, kind_name[k]))) {
            if ((p == a || p[-1] == ',') && (p[l] == 0 || p[l] == ','))
                allowed[k] = 1;
            p += l;
        }
    }
}

__attribute__((destructor)) static void finish(void)
{
    if (!client_process)
        return;
    in_callback = 0;
    char line[2048];
    uint64_t total = 0;
    int l = snprintf(line, sizeof line,
                     "{\"rtguard\":{\"callbacks\":%llu,\"wakes\":%llu,\"worst_us\":%.1f",
                     (unsigned long long)atomic_load(&callbacks),
                     (unsigned long long)atomic_load(&wakes), (double)atomic_load(&worst_ns) / 1e3);
    for (int k = 0; k < n_kinds; k++) {
        uint64_t v = atomic_load(&count[k]);
        total += v;
        if (v && l < (int)sizeof line - 80)
            l += snprintf(line + l, sizeof line - (size_t)l, ",\"%s\":%llu", kind_name[k],
                          (unsigned long long)v);
    }
    l += snprintf(line + l, sizeof line - (size_t)l, ",\"violations\":%llu}}\n",
                  (unsigned long long)total);
    const char *o = getenv("RTGUARD_OUT");
    int fd = o ? (int)syscall(SYS_openat, AT_FDCWD, o, O_WRONLY | O_CREAT | O_TRUNC, 0644) : 2;
    if (fd >= 0) {
        (void)!syscall(SYS_write, fd, line, (size_t)l);
        if (o)
            syscall(SYS_close, fd);
    }
}
