/*
 * oscstamp: receives OSC over UDP on the loopback and prints each message as one line
 * of JSON, with the time of its arrival on the clocks that JACK servers use. Ends by
 * itself.
 *
 *   oscstamp [-n MESSAGES] [-s SECONDS] [-r] PORT
 *     -n  end after so many messages, status 0
 *     -s  end after so many seconds (default 10); status 1 if -n was not reached
 *     -r  run under SCHED_FIFO (70) if allowed, so that the stamps are those of the
 * packet
 *
 * "raw" is CLOCK_MONOTONIC_RAW in microseconds: what jack_get_time() gives under
 * jackd2. "mono" is CLOCK_MONOTONIC: what it gives under PipeWire. "age_us" is how long
 * the packet lay in the socket before it was read, by the kernel's own stamp. Bundles
 * are unpacked; their time tag is "tt" (NTP seconds with fraction), absent outside of a
 * bundle.
 */
#define _GNU_SOURCE /* SO_TIMESTAMPNS */
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long seen, bad;
static double t_raw, t_mono, age; /* of the packet in hand, microseconds */
static volatile sig_atomic_t stopped;

static double
now_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static uint32_t
be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return ntohl(v);
}

static uint64_t
be64(const uint8_t *p)
{
    return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static double
ntp_seconds(uint64_t tag)
{
    return (double)(tag >> 32) + (double)(uint32_t)tag / 4294967296.0;
}

/* ---- JSON ----------------------------------------------------------------------- */

static void
print_string(const uint8_t *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if (*s < 0x20)
            printf("\\u%04x", *s);
        else
            putchar(*s);
    }
    putchar('"');
}

static void
print_double(double x, int digits)
{
    if (x - x == 0)
        printf("%.*g", digits, x);
    else
        fputs("null", stdout); /* JSON has no NaN and no infinity */
}

/* ---- OSC ------------------------------------------------------------------------ */

/* Bytes of the padded string at p, or 0 when it does not end, with its padding, in n.
 */
static size_t
padded(const uint8_t *p, size_t n)
{
    const uint8_t *end = memchr(p, 0, n);
    const size_t bytes = end ? ((size_t)(end - p) + 4) & ~(size_t)3 : 0;
    return bytes <= n ? bytes : 0;
}

/* Bytes that the argument at p takes, or -1 when it does not end within n. */
static long
arg_bytes(char type, const uint8_t *p, size_t n)
{
    size_t need = 0;
    if (strchr("ifcrm", type))
        need = 4;
    else if (strchr("hdt", type))
        need = 8;
    else if (strchr("sS", type))
        need = n ? padded(p, n) : 0;
    else if (type == 'b' && n >= 4 && be32(p) <= n - 4)
        need = (4 + (size_t)be32(p) + 3) & ~(size_t)3;
    return need && need <= n ? (long)need : -1;
}

static void
print_arg(char type, const uint8_t *p)
{
    const uint32_t u = strchr("sS", type) ? 0 : be32(p);
    float f;
    double d;
    switch (type) {
    case 'i':
        printf("%d", (int32_t)u);
        break;
    case 'f':
        memcpy(&f, &u, sizeof f);
        print_double((double)f, 9);
        break;
    case 's':
    case 'S':
        print_string(p);
        break;
    case 'h':
        printf("%lld", (long long)be64(p));
        break;
    case 'd':
        memcpy(&d, &(uint64_t){be64(p)}, sizeof d);
        print_double(d, 17);
        break;
    case 't':
        printf("%.6f", ntp_seconds(be64(p)));
        break;
    case 'b':
        printf("\"%u bytes\"", u);
        break;
    default: /* c, r, m */
        printf("\"%08x\"", u);
    }
}

/* A type that takes no bytes: its JSON, or NULL. */
static const char *
constant(char type)
{
    switch (type) {
    case 'T':
        return "true";
    case 'F':
        return "false";
    case 'N':
    case 'I':
        return "null";
    case '[':
        return "[";
    case ']':
        return "]";
    }
    return NULL;
}

/* Prints the arguments at p[n]; false when they are not what types says. */
static bool
print_args(const char *types, const uint8_t *p, size_t n)
{
    for (const char *t = types; *t; t++) {
        const char *json = constant(*t);
        const long need = json ? 0 : arg_bytes(*t, p, n);
        if (need < 0)
            return false;
        if (t > types && *t != ']' && t[-1] != '[')
            putchar(',');
        if (json)
            fputs(json, stdout);
        else
            print_arg(*t, p);
        p += need;
        n -= (size_t)need;
    }
    return true;
}

static bool
message(const uint8_t *p, size_t n, const uint64_t *tag)
{
    const size_t path = padded(p, n);
    const size_t tags = path && path < n ? padded(p + path, n - path) : 0;
    if (!path || p[0] != '/' || (path < n && (!tags || p[path] != ',')))
        return false;
    const char *types = tags ? (const char *)p + path + 1 : "";
    printf("{\"raw\":%.1f,\"mono\":%.1f,\"age_us\":%.1f,", t_raw, t_mono, age);
    if (tag)
        printf("\"tt\":%.6f,", ntp_seconds(*tag));
    fputs("\"path\":", stdout);
    print_string(p);
    fputs(",\"types\":", stdout);
    print_string((const uint8_t *)types);
    fputs(",\"args\":[", stdout);
    const bool ok = print_args(types, p + path + tags, n - path - tags);
    puts(ok ? "]}" : "],\"malformed\":true}");
    seen++;
    return ok;
}

static bool
packet(const uint8_t *p, size_t n, const uint64_t *tag, int depth)
{
    if (n < 16 || memcmp(p, "#bundle", 8) != 0)
        return n >= 4 && n % 4 == 0 && message(p, n, tag);
    const uint64_t inner = be64(p + 8);
    size_t at = 16;
    while (at < n) {
        if (depth > 8 || n - at < 4)
            return false;
        const size_t len = be32(p + at);
        at += 4;
        if (len > n - at || !packet(p + at, len, &inner, depth + 1))
            return false;
        at += len;
    }
    return true;
}

/* ---- Socket --------------------------------------------------------------------- */

static int
open_socket(const char *port)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(port)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, bytes = 1 << 20;
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at)) {
        perror("oscstamp: bind");
        exit(2);
    }
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    return fd;
}

static double
age_of(struct msghdr *m)
{
    const double now = now_us(CLOCK_REALTIME);
    struct timespec t;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        return now - ((double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3);
    }
    return 0;
}

static void
receive(int fd)
{
    static uint8_t buf[65536];
    union {
        char bytes[256];
        struct cmsghdr align;
    } control;
    struct iovec v = {buf, sizeof buf};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    const ssize_t n = recvmsg(fd, &m, 0);
    t_raw = now_us(CLOCK_MONOTONIC_RAW);
    t_mono = now_us(CLOCK_MONOTONIC);
    age = age_of(&m);
    if (n < 0 || packet(buf, (size_t)n, NULL, 0))
        return;
    bad++;
    fprintf(stderr, "oscstamp: malformed packet of %zd bytes\n", n);
}

static void
run_fifo(void)
{
    const struct sched_param p = {.sched_priority = 70};
    if (sched_setscheduler(0, SCHED_FIFO, &p))
        perror("oscstamp: SCHED_FIFO");
}

static void
on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

int
main(int argc, char **argv)
{
    long want = 0;
    double secs = 10;
    int o;
    bool ok = true;
    while ((o = getopt(argc, argv, "n:s:r")) != -1) {
        if (o == 'n')
            want = atol(optarg);
        else if (o == 's')
            secs = atof(optarg);
        else if (o == 'r')
            run_fifo();
        else
            ok = false;
    }
    if (!ok || optind + 1 != argc) {
        fputs("usage: oscstamp [-n MESSAGES] [-s SECONDS] [-r] PORT\n", stderr);
        return 2;
    }
    const struct sigaction stop = {.sa_handler = on_signal};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    const int fd = open_socket(argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    fputs("oscstamp: ready\n", stderr);

    const double end = now_us(CLOCK_MONOTONIC) + secs * 1e6;
    while (!stopped && (!want || seen < want)) {
        const double left = end - now_us(CLOCK_MONOTONIC);
        struct pollfd f = {.fd = fd, .events = POLLIN};
        if (left <= 0)
            break;
        if (poll(&f, 1, (int)(left / 1000) + 1) > 0)
            receive(fd);
    }
    fprintf(stderr, "oscstamp: %ld messages, %ld malformed packets\n", seen, bad);
    return bad ? 3 : want && seen < want ? 1 : 0;
}
