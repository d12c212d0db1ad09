/*
 * osc: writes what hearken says as OSC 1.0 messages and sends them. No threads or JACK.
 *
 *   osc_match --osc_match_encode--> uint8_t datagram[n] --osc_dest_send--> UDP or TCP
 *
 * Messages are plain, in a bundle only when asked for, and hold only i, f and s
 * arguments: every receiver tried understands those. A datagram never exceeds
 * OSC_MAX_DATAGRAM bytes. A NaN or an infinity is never sent: encoding it fails.
 * docs/osc.md is for receivers.
 */
#ifndef HEARKEN_OSC_H
#define HEARKEN_OSC_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    OSC_OK = 0,
    OSC_EARG,     /* not of the form that the header states; why says what is */
    OSC_ENOMEM,   /* out of memory */
    OSC_ERESOLVE, /* the host is not known; why names it */
    OSC_EIO,      /* the system refused; errno says why */
} osc_status;

/* One sentence for a status, never NULL. */
const char *osc_status_text(osc_status st);

enum { OSC_MAX_DATAGRAM = 1400 };

/* ---- Messages ------------------------------------------------------------------ */

/* The arguments of a message are the fields of its struct, in their order. Strings are
 * UTF-8, passed on byte by byte and not checked. */

/* /hearken/match ,issiffifffss: a sound of the corpus resembles what is heard. Beside
 * an input of 64 bytes, a scale of 5 and a label of 255, a path of 1003 bytes fits. */
typedef struct {
    int32_t seq; /* grows by one with each message to a destination, of any kind */
    const char *input; /* name of the input port */
    const char *scale; /* "frame", "event", "scene" */
    int32_t rank;      /* 1 is the best */
    float score;       /* 0..1: share of unrelated moments that look less alike */
    float cosine;      /* -1..1 */
    int32_t sound;     /* number in the index, from 0 */
    float start_s;     /* where in the sound, seconds */
    float length_s;    /* how long, seconds */
    float age_ms;      /* from the centre of the window to the sending of this */
    const char *label;
    const char *path;
} osc_match;

/* /hearken/onset ,isfff: the gate opened, or something began while it was open. */
typedef struct {
    int32_t seq;
    const char *input;
    float level_db;    /* dBFS of the sample that opened the gate, or of what began */
    float age_ms;      /* from where it began to the sending of this */
    float strength_db; /* how far it is above what it takes to be one */
} osc_onset;

/* /hearken/nomatch ,issff: a query was answered, but its best was not enough. */
typedef struct {
    int32_t seq;
    const char *input;
    const char *scale; /* as in osc_match */
    float score;       /* of the best, 0..1 */
    float age_ms;      /* as in osc_match */
} osc_nomatch;

/* /hearken/label ,isssfif: the label that most of the nearest sounds have. */
typedef struct {
    int32_t seq;
    const char *input;
    const char *scale; /* as in osc_match */
    const char *label;
    float share;    /* of the sounds that voted, 0..1 */
    int32_t voters; /* how many those were */
    float age_ms;   /* as in osc_match */
} osc_label;

/* /hearken/reject ,isssffss: an answer was not sent. */
typedef struct {
    int32_t seq;
    const char *input;
    const char *scale;  /* as in osc_match */
    const char *reason; /* name of the counter that it is counted in */
    float score;        /* of the best, 0..1; 0: nothing was searched */
    float age_ms;       /* as in osc_match */
    const char *label;  /* of the best; "" when there is none */
    const char *path;
} osc_reject;

/*
 * Each writes one message into out[cap] and returns its length in bytes, a multiple of
 * 4; 0 when it does not fit into cap or OSC_MAX_DATAGRAM, a float is not finite or a
 * string is NULL: out then holds nothing to send. Never writes beyond cap. Real-time
 * safe: no allocation, no locale, no stdio.
 */
size_t osc_match_encode(uint8_t out[], size_t cap, const osc_match *m);
size_t osc_onset_encode(uint8_t out[], size_t cap, const osc_onset *m);
size_t osc_nomatch_encode(uint8_t out[], size_t cap, const osc_nomatch *m);
size_t osc_label_encode(uint8_t out[], size_t cap, const osc_label *m);
size_t osc_reject_encode(uint8_t out[], size_t cap, const osc_reject *m);

/* One counter of /hearken/status. */
typedef struct {
    const char *name;
    uint64_t count;
} osc_count;

/*
 * /hearken/status ,is and then si for each of counts[n_counts]: i seq, s state, and s
 * name, i count in the given order; a count beyond 2^31-1 is sent as 2^31-1. Returns as
 * the encoders above. Encoded by liblo: allocates, so not for a thread with a deadline.
 */
size_t osc_status_encode(uint8_t out[], size_t cap, int32_t seq, const char *state,
                         const osc_count counts[], size_t n_counts);

/*
 * Puts the message data[n] into a bundle of its own, in place: data has room for
 * OSC_BUNDLE bytes more. Returns the length, or 0 when n is 0 or the bundle would
 * exceed OSC_MAX_DATAGRAM. The time tag is unix_ns, nanoseconds since 1970.
 */
enum { OSC_BUNDLE = 20 };
size_t osc_bundle_wrap(uint8_t data[], size_t n, int64_t unix_ns);

/*
 * Puts the name of an index into the address of the message data[n], in place:
 * "/hearken/match" becomes "/hearken/NAME/match". data has room for OSC_MAX_DATAGRAM.
 * Returns the length, or 0 when n is 0, the name is empty or longer than OSC_INDEX_NAME
 * or the message would exceed OSC_MAX_DATAGRAM: data then holds nothing to send.
 */
enum { OSC_INDEX_NAME = 31 };
size_t osc_index_put(uint8_t data[], size_t n, const char *name);

/* ---- Destinations -------------------------------------------------------------- */

/* One receiver: a connected, non-blocking socket of its own. */
typedef struct osc_dest osc_dest;

/*
 * Opens "HOST:PORT", "[IPv6]:PORT" or ":PORT" (127.0.0.1); PORT is 1..65535, HOST a
 * name, an IPv4 address, or a multicast or broadcast address. A name is resolved here
 * and never again, and of several addresses the first of IPv4 is taken, because most
 * programs listen for OSC on IPv4 alone; with none of IPv4, the first of IPv6.
 *
 * *out is NULL on failure, and why[why_len] then gets one sentence that names the text
 * and says what is wanted. Blocks on the resolver.
 */
osc_status osc_dest_open(osc_dest **out, const char *text, char *why, size_t why_len);

/* Like it, over TCP. That nobody is there is no error: sending tries to connect again,
 * now and then. */
osc_status osc_dest_open_tcp(osc_dest **out, const char *text, char *why,
                             size_t why_len);
void osc_dest_close(osc_dest *dest);

/* What was given to osc_dest_open(); valid until osc_dest_close(). */
const char *osc_dest_text(const osc_dest *dest);

/*
 * Sends data[n] as one datagram, or over TCP behind its length; never waits. A receiver
 * that is not there is no error on UDP: the "connection refused" with which the kernel
 * answers for an earlier datagram is swallowed and this one sent again, once. OSC_EIO
 * with errno when the system does not take it (EAGAIN: its buffer is full; over TCP
 * also ENOTCONN, and others that ended the connection); OSC_EARG when n is not within
 * 1..OSC_MAX_DATAGRAM.
 */
osc_status osc_dest_send(osc_dest *dest, const uint8_t data[], size_t n);

#endif
