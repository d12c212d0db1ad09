/*
 * osc control: takes what others send. No threads; nothing allocates but open.
 *
 *   UDP --osc_control_receive--> uint8_t data[n] --osc_read--> osc_message
 *   osc_arg args[] --osc_message_encode--> uint8_t data[n] --osc_control_reply--> UDP
 *
 * Whatever strangers send is refused or read within its bounds: a datagram is checked
 * whole before the first of its messages is passed on.
 */
#ifndef HEARKEN_OSC_CONTROL_H
#define HEARKEN_OSC_CONTROL_H

#include "osc/osc.h"

#include <stdbool.h>

enum {
    OSC_MAX_RECEIVED = 8192, /* bytes in a datagram */
    OSC_MAX_MESSAGES = 64,   /* in one datagram */
    OSC_MAX_NESTING = 4,     /* bundles in bundles */
    OSC_MAX_ARGS = 32,       /* of a message */
    OSC_MAX_PATTERN = 127,   /* bytes of an address that is a pattern */
    OSC_MAX_RANGES = 16,     /* of addresses that may command */
    OSC_RATE = 1000,         /* messages a second from one address, and at once */
    OSC_RATE_ALL = 4000,     /* from all of them together */
    OSC_SOURCES = 64,        /* addresses whose rate is watched at a time */
};

/* ---- Messages ------------------------------------------------------------------ */

/*
 * One argument. type is that of OSC 1.0 and 1.1: i and c, r, m in i; f; h and t in h;
 * d; s and S in s; T, F, N and I are values by themselves; of b only the size is
 * kept, in i. Floats may be any, also NaN.
 */
typedef struct {
    char type;
    union {
        int32_t i;
        float f;
        int64_t h;
        double d;
        const char *s; /* within the datagram, zero-terminated, any other bytes */
    };
} osc_arg;

typedef struct {
    const char *address; /* within the datagram, begins with '/' */
    uint32_t n_args;
    osc_arg arg[OSC_MAX_ARGS];
} osc_message;

/*
 * Checks data[n], a message or a bundle, and passes its messages to on (may be NULL)
 * in their order; time tags are not looked at. Returns OSC_OK, or OSC_EARG before on
 * was called at all, with what is wrong in *why: a few words, static.
 */
osc_status osc_read(const uint8_t data[], size_t n,
                    void (*on)(void *ctx, const osc_message *m), void *ctx,
                    const char **why);

/* One message with arguments of the types i f s T F; returns as the encoders of osc.h
 * do. A type of another kind returns 0. */
size_t osc_message_encode(uint8_t out[], size_t cap, const char *address,
                          const osc_arg args[], uint32_t n_args);

/*
 * Patterns of OSC 1.0: ? is any character, * any number of them, [a-z] or [!a-z] one of
 * a set or of all others, none of these a /; {in,out} is one of these words. fits:
 * takes as many steps as both texts' lengths multiplied, whatever the pattern. One with
 * a bracket or brace left open, or longer than OSC_MAX_PATTERN, fits nothing.
 */
bool osc_is_pattern(const char *address);
bool osc_pattern_fits(const char *pattern, const char *address);

/* ---- Who may command ----------------------------------------------------------- */

/* Where a datagram came from; IPv4 in the first four bytes. */
typedef struct {
    uint8_t address[16];
    uint32_t scope; /* of a link-local IPv6 address */
    uint16_t port;
    bool is_ipv6;
} osc_peer;

/* "127.0.0.1:57120", as osc_dest_open() takes it. */
enum { OSC_PEER_TEXT = 80 };
void osc_peer_text(const osc_peer *p, char out[OSC_PEER_TEXT]);

/* Reads that again; false for anything else, also for a name. */
bool osc_peer_parse(osc_peer *out, const char *text);
bool osc_peer_is_loopback(const osc_peer *p);

/* The addresses that share the first bits with one. */
typedef struct {
    uint8_t address[16];
    uint32_t bits;
    bool is_ipv6;
} osc_range;

/* Reads "10.0.0.0/8", "192.168.1.20", "fd00::/8" or "::1". OSC_EARG, with a sentence in
 * why. */
osc_status osc_range_parse(osc_range *out, const char *text, char *why, size_t why_len);
bool osc_range_holds(const osc_range *r, const osc_peer *p);

/* ---- The socket ---------------------------------------------------------------- */

typedef struct osc_control osc_control;

/*
 * Binds a socket of its own to "HOST:PORT", "[IPv6]:PORT" or ":PORT" (127.0.0.1).
 * OSC_EARG when the text is not of that form, OSC_ERESOLVE, OSC_ENOMEM, OSC_EIO (with
 * errno; EADDRINUSE: another program has the port); why then gets one sentence.
 */
osc_status osc_control_open(osc_control **out, const char *text,
                            const osc_range allowed[], size_t n_allowed, char *why,
                            size_t why_len);
void osc_control_close(osc_control *c);

/* What it is bound to. */
osc_peer osc_control_self(const osc_control *c);

/* Whether who comes from there may command. */
bool osc_control_may(const osc_control *c, const osc_peer *from);

/* An address of the system as a peer; what is no IPv4 or IPv6 is 0.0.0.0. */
struct sockaddr;
osc_peer osc_peer_of(const struct sockaddr *from, size_t len);

/* A TCP socket that listens at a place written as for osc_control_open(), which errors
 * are like too. */
osc_status osc_tcp_listen(int *fd, const char *text, char *why, size_t why_len);

/* For poll(): readable when something has come. */
int osc_control_fd(const osc_control *c);

typedef enum {
    OSC_GOT,     /* data[n] came, from somebody who may */
    OSC_NOTHING, /* nothing more is there */
    OSC_FOREIGN, /* one came from an address that is not allowed */
    OSC_LIMITED, /* one came too soon after others */
    OSC_TOO_LONG /* one had more than OSC_MAX_RECEIVED bytes, from somebody who may */
} osc_arrival;

/* Takes the next datagram, without waiting; now_s is any clock that does not go back.
 */
osc_arrival osc_control_receive(osc_control *c, double now_s,
                                uint8_t data[OSC_MAX_RECEIVED], size_t *n,
                                osc_peer *from);

/* Each message after the first of a datagram counts too: false when it is too much. */
bool osc_control_spend(osc_control *c, double now_s, const osc_peer *from);

/* Sends data[n] from the socket; never waits. OSC_EIO when the system does not take
 * it. */
osc_status osc_control_reply(const osc_control *c, const osc_peer *to,
                             const uint8_t data[], size_t n);

#endif
