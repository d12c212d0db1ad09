/* Live pages made by hand, and a terminal that obeys only what hearken top may say. */
#ifndef HEARKEN_TESTS_LIVE_SUPPORT_H
#define HEARKEN_TESTS_LIVE_SUPPORT_H

#include "rt/canvas.h"
#include "rt/live.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The hashes of all parts, as they are now; of matches those that have a number. */
static inline void
page_seal(rt_live_page *p)
{
    p->who.hash = rt_live_hash(&p->who, sizeof p->who);
    p->status.hash = rt_live_hash(&p->status, sizeof p->status);
    for (uint32_t s = 0; s < RT_LIVE_SCALES; s++)
        for (uint32_t i = 0; i < RT_LIVE_MATCHES; i++)
            if (p->match[s][i].number)
                p->match[s][i].hash =
                    rt_live_hash(&p->match[s][i], sizeof p->match[s][i]);
}

/* Of a listen that runs since second 100 and has heard two sounds at second 160. */
static inline void
page_fill(rt_live_page *p)
{
    memset(p, 0, sizeof *p);
    memcpy(p->magic, "hkn-live", 8);
    p->layout = RT_LIVE_LAYOUT;
    p->bytes = sizeof *p;
    strcpy(p->version, "0.1");
    p->who.pid = 4711;
    p->who.n_inputs = 2;
    p->who.n_indexes = 1;
    p->who.began_s = 100;
    strcpy(p->who.client, "hearken");
    strcpy(p->who.index, "/sounds/corpus.hkn");
    strcpy(p->who.input[0], "drums");
    strcpy(p->who.input[1], "voice");
    p->who.n_counts = 3;
    strcpy(p->who.count[0], "hops");
    strcpy(p->who.count[1], "lost_frames");
    strcpy(p->who.count[2], "failed");
    p->status.at_s = 160;
    p->status.state_since_s = 100;
    strcpy(p->status.state, "running");
    p->status.rate_hz = 48000;
    p->status.period = 128;
    p->status.scales = 1U << DSP_EVENT | 1U << DSP_SCENE;
    p->status.k = 1;
    p->status.count[0] = 6000;
    p->status.recall[DSP_EVENT] =
        (rt_live_recall){1234, 0.953, 0.940, 0.964, 0.95, 10, 0};
    atomic_init(&p->input[0].peak, 0.5F);
    atomic_init(&p->input[0].open, 1);
    for (uint32_t i = 1; i <= 2; i++) {
        rt_live_match *m = &p->match[DSP_EVENT][i];
        *m = (rt_live_match){.number = i,
                             .centre_us = (int64_t)i * 100000,
                             .at_s = 158 + i,
                             .kind = RT_MATCH,
                             .input = i - 1,
                             .rank = 1,
                             .sound = i,
                             .score = 0.75F,
                             .cosine = 0.5F,
                             .age_ms = 20};
        strcpy(m->label, i == 1 ? "kick" : "snare");
        strcpy(m->path, i == 1 ? "/sounds/kick/1.wav" : "/sounds/snare/2.wav");
    }
    page_seal(p);
}

/* What is after an escape: its length, or 0 when top must not send it. */
static inline size_t
escape_length(const char *p)
{
    if (p[1] != '[')
        return 0;
    size_t n = 2;
    while (isdigit((unsigned char)p[n]) || p[n] == ';')
        n++;
    return p[n] && strchr("HJKm", p[n]) ? n + 1 : 0;
}

/* Whether a terminal of that size is told nothing but text, styles and where to begin,
 * and no row is longer and none below the last. */
static inline bool
is_tame(const char *screen, int columns, int rows)
{
    char row[8192];
    size_t n = 0;
    int row_number = 1;
    for (const char *p = screen;;) {
        const bool ends = !*p || (p[0] == '\r' && p[1] == '\n');
        if (ends) {
            row[n] = 0;
            if (rt_columns(row) > columns || row_number > rows)
                return false;
            n = 0;
            row_number++;
        }
        if (!*p)
            return true;
        if (ends) {
            p += 2;
        } else if (*p == 033) {
            const size_t skip = escape_length(p);
            if (!skip)
                return false;
            p += skip;
        } else {
            if ((unsigned char)*p < 0x20 || *p == 0x7f || n + 1 >= sizeof row)
                return false;
            row[n++] = *p++;
        }
    }
}

#endif
