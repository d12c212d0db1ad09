/* Whether a jackd is there, without asking libjack. */
#ifndef HEARKEN_RT_SERVER_H
#define HEARKEN_RT_SERVER_H

#include <stdbool.h>
#include <stdio.h>

/*
 * False when it is sure that no jackd of that name and user takes clients. A
 * jack_client_open() that is tried over and over should ask this first: libjack 1.9.21
 * opens, before it looks for a server, a database that all servers and clients of a
 * user share, and a process that does so while another one is just making it dies of
 * SIGBUS, be it this one or the server.
 *
 * Always true with another libjack (PipeWire's), or where the servers are out of sight.
 */
bool rt_server_may_be_there(void);

/* Whether a table as /proc/net/unix has it lists a socket that listens, called so in
 * any folder. */
bool rt_server_listens(FILE *table, const char *name);

#endif
