/*
 * A destination with what its receiver wants: which findings, how often, in which form.
 *
 *   HOST:PORT[,key=value...]
 *
 *   as=NAME|FILE   settings of presets/destinations/NAME.conf, or of a FILE: lines of
 *                  key = value; or plain (built in) or numeric, without strings
 *   tcp, udp       how to send
 *   bundle         each message in a bundle, its time tag the time when it sounded
 *   indexes=a+b    only what was found in these
 *   scales=a+b     only these
 *   messages=a+b   only these: match, onset, nomatch, label, status
 *   k=N            ranks up to N
 *   at=NAME        answers as with that match.at; without it as match.at is
 *   rate=N         messages a second at most
 *   match=... onset=... nomatch=... label=... status=...   a template (osc/template.h);
 *                  with one of them, only messages that have one are sent
 */
#ifndef HEARKEN_RT_TARGET_H
#define HEARKEN_RT_TARGET_H

#include "analyse.h"
#include "osc/osc.h"
#include "osc/template.h"

enum { RT_AT_ANY = RT_AT_BOTH + 1 }; /* as match.at says */

typedef struct {
    osc_dest *dest; /* NULL: none */
    int32_t seq;    /* next number */
    bool bundle, templated;
    uint32_t scales, kinds, k; /* bits of scales and of osc_kind; most ranks */
    uint32_t indexes;          /* bits of indexes, once rt_target_choose() was called */
    char chosen[RT_ITEM];      /* their names, "" for all */
    uint32_t at;               /* rt_match_at, or RT_AT_ANY */
    double rate, tokens, last_s; /* rate: 0 for any */
    bool has[OSC_KINDS];         /* a template of that kind */
    osc_template message[OSC_KINDS];
} rt_target;

/* Reads the text and resolves the host. Returns the exit status, with why, as
 * rt_publish_open() does; RT_CONFIG also for a file that cannot be read. */
int rt_target_open(rt_target *t, const char *text, char *why, size_t why_len);

/* As rt_target_open(), without a host and a socket: "key=value,...". A stranger is not
 * to choose files or TCP. */
bool rt_target_read(rt_target *t, const char *settings, bool stranger, char *why,
                    size_t why_len);

/* A destination that wants all, plainly. */
void rt_target_plain(rt_target *t, osc_dest *dest);

/* The bit of rt_match_at that must be found for it beside match.at, or 0. */
uint32_t rt_target_asks(const rt_target *t);

/* Finds the indexes that it wants among names[n]. False, with why, where there is none
 * of that name. */
bool rt_target_choose(rt_target *t, const char names[][RT_NAME], uint32_t n, char *why,
                      size_t why_len);

/* Closes the socket, if there is one. */
void rt_target_close(rt_target *t);

/* Whether the receiver wants it at all; at is match.at as it is now, index the number
 * of the index that it was found in. */
bool rt_target_wants(const rt_target *t, const rt_match *m, uint32_t index,
                     rt_match_at at);
bool rt_target_wants_status(const rt_target *t);

/* Whether it may have one more now; now_s is any clock that does not go back. After a
 * pause, as many at once as fit into a second. */
bool rt_target_may(rt_target *t, double now_s);

/* By its template, with the names of input and index; returns as osc_template_encode()
 * does. sound may be that of no sound. */
size_t rt_target_encode(uint8_t out[OSC_MAX_DATAGRAM], const rt_target *t,
                        const rt_match *m, const char *input, const char *index,
                        idx_sound sound, float age_ms);
size_t rt_target_encode_status(uint8_t out[OSC_MAX_DATAGRAM], const rt_target *t,
                               const char *state);

/* Sends data[n], which has room for OSC_MAX_DATAGRAM, in the bundle of that time where
 * wanted, and counts on; false when it was not taken. */
bool rt_target_send(rt_target *t, uint8_t data[OSC_MAX_DATAGRAM], size_t n,
                    int64_t unix_ns);

#endif
