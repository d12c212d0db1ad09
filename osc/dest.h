/* Private: the text of a destination taken apart, before any resolver is asked, and
 * what is behind it over TCP. */
#ifndef HEARKEN_DEST_H
#define HEARKEN_DEST_H

#include "osc/osc.h"

#include <stdbool.h>

typedef struct {
    char host[254]; /* DNS names have at most 253 bytes */
    char port[6];   /* "1".."65535", without leading zeros */
    bool is_ipv6;   /* host is an IPv6 address, perhaps with "%interface" */
} dest_parts;

/* As osc_dest_open(), without the resolver and the socket: OSC_OK or OSC_EARG. */
osc_status osc_dest_parse(dest_parts *parts, const char *text, char *why,
                          size_t why_len);

/* A TCP connection that is made, and made again, by sending. */
typedef struct osc_stream osc_stream;

struct osc_dest {
    int fd;             /* of UDP */
    osc_stream *stream; /* of TCP, NULL over UDP */
    char text[];
};

/* Copies the address and begins to connect. NULL: out of memory. */
struct addrinfo;
osc_stream *osc_stream_new(const struct addrinfo *address);
void osc_stream_free(osc_stream *s); /* takes NULL */

/*
 * Sends the length of data[n], 1..OSC_MAX_DATAGRAM, in four bytes and then the data
 * (OSC 1.0, for streams). Never waits. OSC_EIO with errno when it is not sent: ENOTCONN
 * while there is no connection (tried again after 0.25 s, then at longer and longer
 * intervals up to 8 s), EAGAIN when the receiver takes nothing more. What was begun is
 * finished by the next call, so that a stream never loses its frames.
 */
osc_status osc_stream_send(osc_stream *s, const uint8_t data[], size_t n);

#endif
