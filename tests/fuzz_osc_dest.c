/* Destination texts from the fuzzer: refused with a sentence, or taken apart into parts
 * that, put together again, are taken apart alike. No resolver is asked. */
#include "osc/dest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
check_parts(const dest_parts *p)
{
    const size_t host = strlen(p->host);
    const int port = atoi(p->port);
    must(host >= 1 && host < sizeof p->host && strlen(p->port) < sizeof p->port);
    must(port >= 1 && port <= 65535 && p->port[0] != '0');
    must(p->is_ipv6 || strcspn(p->host, ":[]%/ ") == host);

    char text[300], why[8];
    dest_parts again;
    snprintf(text, sizeof text, p->is_ipv6 ? "[%s]:%s" : "%s:%s", p->host, p->port);
    must(osc_dest_parse(&again, text, why, sizeof why) == OSC_OK);
    must(!strcmp(again.host, p->host) && !strcmp(again.port, p->port) &&
         again.is_ipv6 == p->is_ipv6);
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    char why[400];
    memset(why, 'x', sizeof why);
    char *text =
        malloc(n + 1); /* of the exact size, so that a read beyond it is seen */
    must(text != NULL);
    memcpy(text, data, n);
    text[n] = '\0';
    dest_parts parts;
    const osc_status st = osc_dest_parse(&parts, text, why, sizeof why);
    if (st == OSC_OK)
        check_parts(&parts);
    else
        must(st == OSC_EARG && memchr(why, '\0', sizeof why) && why[0] == 'd');
    free(text);
    return 0;
}
