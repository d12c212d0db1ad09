/*
 * A session of the New Session Manager: what hearken does there, by nsm.h. Main thread.
 *
 * A manager starts its clients without arguments, so the session has what they would
 * say: in the folder that the manager gives, hearken.conf is a preset, corpus.hkn the
 * index or a link to it, and learned.hkn what was learned, unless learn.file names
 * another file; it is written at each change, not only when all is saved. Options on
 * the command line win over that preset, an index named there over that link.
 */
#ifndef HEARKEN_RT_SESSION_H
#define HEARKEN_RT_SESSION_H

#include "options.h"

typedef struct rt_session rt_session;

/* The command's line: what rt_options_parse() takes, and has made of it. */
typedef struct {
    int argc;
    char **argv;
    rt_options *options;
    const char **rest; /* room for argc + 1 */
    int n_rest;
} rt_command_line;

/*
 * Where NSM_URL names a manager, announces the program and waits some seconds for the
 * session; then reads its preset below the options, takes the client's name, and where
 * no index was named that of the session, for which it waits, saying so. *out stays
 * NULL where there is no manager, or no answer or a refusal, which is said: go on
 * alone.
 *
 * Returns an exit status. With RT_OK there is still nothing to listen to (n_rest is 0)
 * when a signal came, or the user named no index and there is no session.
 */
int rt_session_join(rt_session **out, rt_command_line *line);

/*
 * Has the session opened (at the first call), and tells it the state when that is
 * another one. Whether the manager wants it saved: then do so. Call it once a second or
 * more often; takes NULL.
 */
bool rt_session_tick(rt_session *s, const char *state);
void rt_session_keep(rt_session *s, const rt_options *o);

/* Before a successful tick: the session could not be opened. Takes NULL. */
void rt_session_leave(rt_session *s);

/* Writes hearken.conf and the link into the folder, which is made if need be; both are
 * whole or as they were. False, with why. */
bool rt_session_save(const char *folder, const char *index, const rt_options *o,
                     char *why, size_t why_len);

#endif
