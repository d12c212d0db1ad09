/* Private: the text of a destination taken apart, before any resolver is asked. */
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

#endif
