/* The lines of a recording, out. */
#include "recording.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

uint64_t
rt_index_id(const idx_index *index)
{
    uint64_t id = idx_format(index);
    for (uint32_t i = 0; i < idx_n_sections(index); i++) {
        const idx_section s = idx_section_of(index, i);
        const uint64_t part[] = {s.scale, s.bytes, s.checksum};
        id = XXH3_64bits_withSeed(part, sizeof part, id);
    }
    return id;
}

void
rt_recording_done(rt_recording *r)
{
    free(r->changes);
    free(r->sent);
    *r = (rt_recording){0};
}

/* "match.k = 3" becomes "set match.k 3". */
static void
write_settings(FILE *to, const rt_options *o, const char *section, const char *only)
{
    char text[2000];
    const size_t n = rt_options_write(o, section, text, sizeof text);
    for (char *line = text; n < sizeof text && *line;) {
        char *end = line + strcspn(line, "\n"), *equals = strstr(line, " = ");
        if (equals && equals < end && (!only || !strncmp(line, only, strlen(only))))
            fprintf(to, "set %.*s %.*s\n", (int)(equals - line), line,
                    (int)(end - equals - 3), equals + 3);
        line = *end ? end + 1 : end;
    }
}

/* The best of each answer, newest first, up to the last that found any. */
static void
write_agreed(FILE *to, const rt_snapshot *s, uint32_t scale)
{
    uint32_t n = RT_ANSWERS;
    while (n && !s->best[scale][n - 1])
        n--;
    fprintf(to, "agreed %s %u", rt_scale_name(scale), s->held[scale]);
    for (uint32_t i = 0; i < n; i++)
        fprintf(to, " %u", s->best[scale][i]);
    fputc('\n', to);
}

static void
write_state(FILE *to, const rt_snapshot *s)
{
    fprintf(to, "gate %s %" PRIu64 " %" PRIu64 "\n", s->open ? "open" : "closed",
            s->open ? s->last_loud : 0, s->onset_hop);
    fprintf(to, "rose %" PRIu64 "\n", s->rose_hop);
    for (uint32_t i = 0; i < RT_SCALES; i++)
        write_agreed(to, s, i);
    fputs("timbre", to);
    for (uint32_t i = 0; i < DSP_TIMBRE_FRAMES; i++)
        fprintf(to, " %u", s->timbre[i]);
    fputc('\n', to);
}

bool
rt_recording_write(FILE *to, const rt_recording *r, const rt_options *o)
{
    static const char *const kinds[RT_CHANGES] = {[RT_GAP] = "gap", [RT_SHED] = "shed"};
    fprintf(to, "hearken recording 1\nindex %016" PRIx64 "\ninput %u %s\nrate %u\n",
            r->index_id, r->number, r->input, r->rate_hz);
    if (r->layer_id)
        fprintf(to, "layer %016" PRIx64 "\n", r->layer_id);
    fprintf(to, "samples %" PRIu64 "\nwarm %" PRIu64 "\nfirst %" PRIu64 "\n",
            r->n_samples, r->n_warm, r->first_frame);
    fprintf(to, "clock %" PRIu64 " %.17g\n", r->clock.frame, r->clock.s);
    write_state(to, &r->state);
    for (size_t i = 0; i < r->n_sent; i++)
        fprintf(to, "sent %s %u %" PRIu64 "\n", rt_scale_name(r->sent[i].scale),
                r->sent[i].sound, r->sent[i].frame);
    for (size_t i = 0; i < r->n_changes; i++)
        fprintf(to, "%s %" PRIu64 " %" PRIu64 "\n", kinds[r->changes[i].kind],
                r->changes[i].at, r->changes[i].value);
    write_settings(to, o, "match", NULL);
    write_settings(to, o, "search", NULL);
    write_settings(to, o, "osc", "osc.nomatch ");
    write_settings(to, o, "listen", "listen.paused ");
    fputs("end\n", to);
    return !ferror(to);
}
