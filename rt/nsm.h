/*
 * The client's side of the New Session Manager's protocol (its API 1.1) over UDP: what
 * it says is taken apart here, what it means is session.h. Main thread; may allocate.
 *
 * Only the manager is heard: datagrams from any other address or port are passed over,
 * and where it is on this machine, the socket is bound to the loopback.
 */
#ifndef HEARKEN_RT_NSM_H
#define HEARKEN_RT_NSM_H

#include "options.h"

typedef enum {
    RT_NSM_OTHER,   /* nothing that concerns us */
    RT_NSM_WELCOME, /* the announcement was taken */
    RT_NSM_REFUSED, /* it was not; text says why */
    RT_NSM_OPEN,    /* path and client are set */
    RT_NSM_BAD_OPEN /* text says what is wrong with them */,
    RT_NSM_SAVE
} rt_nsm_kind;

typedef struct {
    rt_nsm_kind kind;
    char path[RT_TEXT - 64]; /* of the project: absolute, room for a file's name */
    char client[RT_NAME];    /* the name to have in JACK */
    char text[300];
} rt_nsm_order;

/* Takes any datagram apart; texts hold no control characters. */
void rt_nsm_parse(rt_nsm_order *order, const uint8_t data[], size_t n);

typedef struct rt_nsm rt_nsm;

/* For "osc.udp://HOST:PORT/", which is resolved here. False, with why, when it is not
 * of that form, unknown, or there is no socket. */
bool rt_nsm_open(rt_nsm **out, const char *url, char *why, size_t why_len);
void rt_nsm_close(rt_nsm *nsm); /* takes NULL */

/* The next order that has come, without waiting; false when there is none. After many
 * datagrams of no concern it is false, too, so that a flood ends. */
bool rt_nsm_take(rt_nsm *nsm, rt_nsm_order *order);

/* Says that this program of that name is there, and can send messages. */
void rt_nsm_announce(rt_nsm *nsm, const char *program);

/* Codes of the protocol that we use. */
enum { RT_NSM_GENERAL = -1, RT_NSM_BAD_PROJECT = -9, RT_NSM_CREATE_FAILED = -10 };

/* Answers the order of that kind: code 0 is done. */
void rt_nsm_reply(rt_nsm *nsm, rt_nsm_kind to, int code, const char *text);

/* A line for people; priority 0 (of no importance) to 3. */
void rt_nsm_message(rt_nsm *nsm, int priority, const char *text);

#endif
