#include "out.h"

#include "layer.h"

#include <string.h>
#include <unistd.h>

rt_format
rt_out_format(uint32_t wanted, FILE *to)
{
    if (wanted != RT_FORMAT_AUTO)
        return (rt_format)wanted;
    return isatty(fileno(to)) == 1 ? RT_FORMAT_TABLE : RT_FORMAT_JSON;
}

/* Length of the UTF-8 sequence at p, 0 when it is none (overlong, surrogate, cut
 * short). */
static size_t
utf8_length(const unsigned char *p)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t n = p[0] < 0x80             ? 1
                     : (p[0] & 0xe0) == 0xc0 ? 2
                     : (p[0] & 0xf0) == 0xe0 ? 3
                     : (p[0] & 0xf8) == 0xf0 ? 4
                                             : 0;
    if (n < 2)
        return n;
    uint32_t code = p[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fU);
    }
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    return code >= least[n] && code < 0x110000 && !surrogate ? n : 0;
}

void
rt_json_string(FILE *to, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    fputc('"', to);
    while (*p) {
        const size_t n = utf8_length(p);
        if (n == 0)
            fputs("\\ufffd", to);
        else if (*p == '"' || *p == '\\')
            fprintf(to, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            fprintf(to, "\\u%04x", *p);
        else
            fwrite(p, 1, n, to);
        p += n ? n : 1;
    }
    fputc('"', to);
}

static void
names(rt_out *o, const rt_match *m)
{
    const idx_sound s = rt_sound_in(o->index, o->layer, m->sound);
    fputs(",\"label\":", o->to);
    rt_json_string(o->to, s.label);
    fputs(",\"path\":", o->to);
    rt_json_string(o->to, s.path);
}

static void
json(rt_out *o, const rt_match *m)
{
    static const char *const kind[] = {"match", "onset", "nomatch", "label", "reject"};
    fprintf(o->to,
            "{\"type\":\"%s\",\"frame\":%llu,\"time\":%.6f,\"input\":", kind[m->kind],
            (unsigned long long)m->frame, m->time_s);
    rt_json_string(o->to, o->input);
    if (m->kind == RT_ONSET) {
        fprintf(o->to, ",\"level_db\":%.2f,\"strength_db\":%.2f}\n",
                (double)m->level_db, (double)m->strength_db);
        return;
    }
    if (o->name)
        fprintf(o->to, ",\"index\":\"%s\"", o->name);
    fprintf(o->to, ",\"scale\":\"%s\",\"heard\":%.2f", rt_scale_name(m->scale),
            (double)m->heard_s);
    if (m->kind == RT_LABEL) {
        fputs(",\"label\":", o->to);
        rt_json_string(o->to, rt_sound_in(o->index, o->layer, m->sound).label);
        fprintf(o->to, ",\"share\":%.6f,\"voters\":%u}\n", (double)m->score, m->rank);
        return;
    }
    if (m->kind == RT_REJECT)
        fprintf(o->to, ",\"reason\":\"%s\"", rt_count_name[m->fate]);
    fprintf(o->to, ",\"score\":%.6f", (double)m->score);
    if (m->kind == RT_REJECT && m->sound != UINT32_MAX)
        names(o, m);
    if (m->kind == RT_MATCH) {
        fprintf(
            o->to,
            ",\"rank\":%u,\"cosine\":%.6f,\"sound\":%u,\"start\":%.3f,\"length\":%.3f",
            m->rank, (double)m->cosine, m->sound, (double)m->start_s,
            (double)m->length_s);
        names(o, m);
    }
    fputs("}\n", o->to);
}

void
rt_plain_text(FILE *to, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, to);
}

static void
table(rt_out *o, const rt_match *m)
{
    const double t = m->time_s;
    char of[RT_NAME + 4] = "";
    if (o->name)
        snprintf(of, sizeof of, "%s: ", o->name);
    if (o->lines == 0)
        fprintf(o->to,
                "  time s  scale  rank  score  cosine  at s    %slabel / sound\n",
                o->name ? "index: " : "");
    if (m->kind == RT_ONSET) {
        fprintf(o->to, "%8.2f  onset  %.1f dBFS\n", t, (double)m->level_db);
        return;
    }
    if (m->kind == RT_NOMATCH) {
        fprintf(o->to, "%8.2f  %-6s    -  %5.3f  %sno match\n", t,
                rt_scale_name(m->scale), (double)m->score, of);
        return;
    }
    if (m->kind == RT_REJECT) {
        fprintf(o->to, "%8.2f  %-6s    -  %5.3f  %s%s\n", t, rt_scale_name(m->scale),
                (double)m->score, of, rt_count_name[m->fate]);
        return;
    }
    const idx_sound s = rt_sound_in(o->index, o->layer, m->sound);
    if (m->kind == RT_LABEL) {
        fprintf(o->to, "%8.2f  %-6s label  %s%.2f of %u: ", t, rt_scale_name(m->scale),
                of, (double)m->score, m->rank);
        rt_plain_text(o->to, s.label);
        fputc('\n', o->to);
        return;
    }
    const char *name = strrchr(s.path, '/');
    fprintf(o->to, "%8.2f  %-6s %4u  %5.3f  %6.3f  %6.2f  %s", t,
            rt_scale_name(m->scale), m->rank, (double)m->score, (double)m->cosine,
            (double)m->start_s, of);
    rt_plain_text(o->to, s.label);
    fputs(" / ", o->to);
    rt_plain_text(o->to, name ? name + 1 : s.path);
    fputc('\n', o->to);
}

void
rt_out_write(rt_out *o, const rt_match *m)
{
    if (o->format == RT_FORMAT_JSON)
        json(o, m);
    else if (o->format == RT_FORMAT_TABLE)
        table(o, m);
    o->lines++;
}
