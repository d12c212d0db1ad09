/*
 * oscflood: sends datagrams to 127.0.0.1 as fast as it is told, and says on stdout, as
 * JSON, how many it sent and how many the system refused.
 *
 *   oscflood [-b ADDRESS] [-r A_SECOND] [-n HOW_MANY] PORT
 *     -b  address to send from (127.0.0.1)
 *     -r  datagrams a second (50000); they go out in bursts of a millisecond
 *     -n  how many in all (250000)
 *
 * In turn: a setting asked for, an address that is not there, a bundle of two messages,
 * bytes that are no OSC, an empty datagram.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BYTES(text)                                                                    \
    {                                                                                  \
        text, sizeof text                                                              \
    }
static const struct {
    const char *data;
    size_t n; /* with the zero at the end of the literal */
} kinds[] = {
    BYTES("/hearken/match/score\0\0\0\0,\0\0"),
    BYTES("/no/such/address\0\0\0\0,f\0\0\0\0\0"),
    BYTES("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\4/a\0\0\0\0\0\4/b\0"),
    BYTES("this is no message, by any means"),
    {"", 0},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int
open_socket(const char *from)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || inet_pton(AF_INET, from, &at.sin_addr) != 1 ||
        bind(fd, (const void *)&at, sizeof at)) {
        perror("oscflood");
        exit(1);
    }
    return fd;
}

int
main(int argc, char **argv)
{
    const char *from = "127.0.0.1";
    double rate = 50000;
    long n = 250000, sent = 0, refused = 0;
    for (int o; (o = getopt(argc, argv, "b:r:n:")) != -1;)
        if (o == 'b')
            from = optarg;
        else if (o == 'r')
            rate = strtod(optarg, NULL);
        else if (o == 'n')
            n = strtol(optarg, NULL, 10);
        else
            return 64;
    if (optind + 1 != argc || !(rate > 0))
        return 64;
    const int fd = open_socket(from);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port =
                                 htons((uint16_t)strtol(argv[optind], NULL, 10))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const double began = seconds();
    for (long i = 0; i < n; i++) {
        const double ahead = (double)i / rate - (seconds() - began);
        if (ahead > 0.001)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (sendto(fd, kinds[i % N_KINDS].data, kinds[i % N_KINDS].n, 0,
                   (const void *)&to, sizeof to) < 0)
            refused++;
        else
            sent++;
    }
    printf("{\"sent\":%ld,\"refused\":%ld,\"seconds\":%.3f,\"a_second\":%.0f}\n", sent,
           refused, seconds() - began, (double)sent / (seconds() - began));
    close(fd);
    return 0;
}
