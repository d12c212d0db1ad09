/* Parts files as bytes in memory: nothing of them is believed before it was checked. */
#include "parts_private.h"
#include "rt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- Settings ---------------------------------------------------------------------
 */

void
rt_parts_widths(const rt_options *o, uint32_t widths[RT_MOMENTS])
{
    widths[RT_FRAMES] = rt_layout_of(o, DSP_FRAME).n_in;
    widths[RT_EVENTS] = rt_layout_of(o, DSP_EVENT).n_in;
    widths[RT_BEGINNINGS] = widths[RT_EVENTS];
    widths[RT_BFCCS] = DSP_BFCC;
}

void
parts_settings(const rt_options *o, char out[SETTINGS_BYTES])
{
    int n = snprintf(out, SETTINGS_BYTES,
                     "hearken = %s\nfeatures = %s\nbuild.seed = %u\nbuild.timbre = "
                     "%s\n",
                     RT_VERSION, RT_FEATURES, o->build.seed,
                     o->build.timbre ? "yes" : "no");
    rt_options_write(o, "dsp", out + n, (size_t)(SETTINGS_BYTES - n));
}

int
parts_check_head(const char *path, const void *data, size_t n, bool *blank, char *why,
                 size_t why_len)
{
    const parts_head want = {RT_PARTS_MAGIC, RT_PARTS_VERSION, RT_PARTS_ORDER, {0}};
    parts_head head = want;
    if (n)
        memcpy(&head, data, n < sizeof head ? n : sizeof head);
    *blank = n < sizeof head && !memcmp(&head, &want, sizeof head);
    if (*blank || !memcmp(&head, &want, sizeof head))
        return RT_OK;
    if (memcmp(head.magic, want.magic, sizeof head.magic) != 0)
        snprintf(why, why_len,
                 "%s: is no parts file of hearken; move it away, or name another file",
                 path);
    else
        snprintf(why, why_len,
                 "%s: is of version %u, and this hearken takes version %d; remove it "
                 "and build anew",
                 path, head.version, RT_PARTS_VERSION);
    return memcmp(head.magic, want.magic, sizeof head.magic) ? RT_DATA : RT_CONFIG;
}

/* ---- Records ----------------------------------------------------------------------
 */

/* The head of the record at an offset, if it is whole and its checksum right. */
static const rt_part *
whole_part(const rt_parts *p, uint64_t at)
{
    const uint64_t left = at < p->map_bytes ? p->map_bytes - at : 0;
    if (left < sizeof(rt_part))
        return NULL;
    const rt_part *part = (const void *)(p->map + at);
    const uint64_t n = part->n_bytes;
    if (n < sizeof *part || n > left || n % RT_PARTS_ALIGN)
        return NULL;
    return XXH3_64bits(&part->n_bytes, n - sizeof part->checksum) == part->checksum
               ? part
               : NULL;
}

static uint32_t
width_of(const rt_parts *p, const rt_part *part, uint32_t group)
{
    if (part->kind == RT_PART_SOUND)
        return p->widths[group];
    return p->widths[group < RT_COPIES ? RT_FRAMES : RT_EVENTS];
}

static uint64_t
padded(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

/* Whether the groups of a sound or segment are its groups and fill it. */
static bool
groups_fit(const rt_parts *p, const rt_part *part)
{
    const rt_group *g = (const void *)(part + 1);
    const uint32_t want = part->kind == RT_PART_SOUND ? RT_MOMENTS : RT_MAX_GROUPS;
    uint64_t n = sizeof *part + want * sizeof *g;
    if (part->n_groups != want || n > part->n_bytes)
        return false;
    for (uint32_t i = 0; i < want; i++) {
        if (g[i].values != width_of(p, part, i))
            return false;
        n += padded((uint64_t)g[i].n * g[i].values * sizeof(float), 8) +
             (uint64_t)g[i].n * sizeof(rt_place);
    }
    return padded(n, RT_PARTS_ALIGN) == part->n_bytes;
}

/* Scenes are made by stepping to the end of the last event. */
static bool
events_ascend(const rt_parts *p, uint64_t at, double seconds)
{
    rt_rows rows[RT_MOMENTS] = {{0}};
    rt_rows *const groups[RT_MOMENTS] = {&rows[0], &rows[1], &rows[2], &rows[3]};
    rt_parts_rows(p, at, groups);
    const rt_rows *e = &rows[RT_EVENTS];
    for (uint32_t i = 1; i < e->n; i++)
        if (e->places[i].end <= e->places[i - 1].end)
            return false;
    return !e->n || (double)e->places[e->n - 1].end <= (seconds + 60) * DSP_HOPS_PER_S;
}

static bool
sound_fits(const rt_parts *p, const rt_part *part, uint64_t at)
{
    const double most_s = 1e8;
    return groups_fit(p, part) && part->fault < RT_FAULTS && part->seconds >= 0 &&
           part->seconds <= most_s && part->claimed_s >= 0 &&
           part->claimed_s <= most_s && part->rate_hz >= DSP_MIN_RATE_HZ &&
           part->rate_hz <= DSP_MAX_RATE_HZ && events_ascend(p, at, part->seconds);
}

static bool
text_ends(const rt_part *part)
{
    const char *text = (const char *)(part + 1);
    return part->n_bytes > sizeof *part &&
           memchr(text, 0, part->n_bytes - sizeof *part) != NULL;
}

static rt_roll
roll_at(const rt_part *part)
{
    const unsigned char *bytes = (const void *)(part + 1);
    rt_roll r;
    memcpy(&r.head, bytes, sizeof r.head);
    r.files = (const void *)(bytes + sizeof r.head);
    r.text = (const char *)(r.files + r.head.n);
    return r;
}

static bool
roll_fits(const rt_part *part)
{
    const uint64_t n_bytes = part->n_bytes - sizeof *part;
    if (n_bytes < sizeof(rt_roll_head))
        return false;
    const rt_roll_head *h = (const void *)(part + 1);
    const uint64_t room = n_bytes - sizeof *h;
    if (h->n > room / sizeof(rt_rolled))
        return false;
    const rt_roll r = roll_at(part);
    if (!h->n_shards || h->n_shards > RT_MAX_SHARDS || !h->shard ||
        h->shard > h->n_shards || !h->text_bytes ||
        h->text_bytes > room - h->n * sizeof(rt_rolled) || r.text[h->text_bytes - 1])
        return false;
    for (uint64_t i = 0; i < h->n; i++) {
        const rt_rolled *f = &r.files[i];
        if (f->path_at >= h->text_bytes || f->trouble_at >= h->text_bytes ||
            !r.text[f->path_at] || f->index >= h->n_all ||
            (i && f->index <= f[-1].index))
            return false;
    }
    return true;
}

static bool
part_fits(const rt_parts *p, const rt_part *part, uint64_t at)
{
    switch (part->kind) {
    case RT_PART_SOUND:
        return sound_fits(p, part, at);
    case RT_PART_SEGMENT:
        return groups_fit(p, part);
    case RT_PART_ROLL:
        return roll_fits(part);
    default:
        return false;
    }
}

/* ---- The whole file ---------------------------------------------------------------
 */

bool
parts_read_settings(rt_parts *p)
{
    const rt_part *part = whole_part(p, sizeof(parts_head));
    p->end = 0;
    p->cut = p->map_bytes;
    if (!part || part->kind != RT_PART_SETTINGS || !text_ends(part))
        return false;
    const char *text = (const char *)(part + 1);
    if (strlen(text) >= sizeof p->settings)
        return false;
    strcpy(p->settings, text);
    p->end = sizeof(parts_head) + part->n_bytes;
    p->cut = p->map_bytes - p->end;
    return true;
}

static int
by_content(const void *x, const void *y)
{
    const parts_found *a = x, *b = y;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    const int keys = rt_key_compare(&a->key, &b->key);
    if (keys || a->first == b->first)
        return keys;
    return a->first < b->first ? -1 : 1;
}

/* For the sorting: of the same content, the earlier record comes first. */
static int
by_content_and_place(const void *x, const void *y)
{
    const parts_found *a = x, *b = y;
    const int order = by_content(a, b);
    return order ? order : a->at < b->at ? -1 : a->at > b->at;
}

static bool
list_part(rt_parts *p, size_t *cap, const rt_part *part, uint64_t at)
{
    if (p->n_found == *cap) {
        const size_t more = *cap ? 2 * *cap : 256;
        parts_found *grown = realloc(p->found, more * sizeof *grown);
        if (!grown)
            return false;
        p->found = grown;
        *cap = more;
    }
    p->found[p->n_found++] = (parts_found){part->key, part->first, at, part->kind};
    return true;
}

bool
parts_scan(rt_parts *p)
{
    size_t cap = 0;
    for (const rt_part *part; (part = whole_part(p, p->end)) != NULL;) {
        if (!part_fits(p, part, p->end))
            break;
        if (part->kind == RT_PART_ROLL)
            p->roll = p->end;
        else if (!list_part(p, &cap, part, p->end))
            return false;
        p->end += part->n_bytes;
    }
    p->cut = p->map_bytes - p->end;
    if (p->n_found)
        qsort(p->found, p->n_found, sizeof *p->found, by_content_and_place);
    return true;
}

uint64_t
rt_parts_find(const rt_parts *p, rt_part_kind kind, const rt_key *key, uint64_t first)
{
    const parts_found want = {*key, first, 0, kind};
    size_t low = 0, high = p->n_found;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (by_content(&p->found[middle], &want) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->n_found && !by_content(&p->found[low], &want) ? p->found[low].at
                                                                  : 0;
}

const rt_part *
rt_parts_at(const rt_parts *p, uint64_t at)
{
    return (const void *)(p->map + at);
}

void
rt_parts_rows(const rt_parts *p, uint64_t at, rt_rows *const groups[])
{
    const rt_part *part = rt_parts_at(p, at);
    const rt_group *g = (const void *)(part + 1);
    unsigned char *next = (unsigned char *)(g + part->n_groups);
    for (uint32_t i = 0; i < part->n_groups; i++) {
        rt_rows *r = groups[i];
        *r = (rt_rows){.n = g[i].n, .store = r->store};
        r->raw = (void *)next;
        next += padded((uint64_t)g[i].n * g[i].values * sizeof *r->raw, 8);
        r->places = (void *)next;
        next += (uint64_t)g[i].n * sizeof *r->places;
    }
}

bool
rt_parts_roll(const rt_parts *p, rt_roll *roll)
{
    if (p->roll)
        *roll = roll_at(rt_parts_at(p, p->roll));
    return p->roll != 0;
}

const char *
rt_parts_path(const rt_parts *p)
{
    return p->path;
}

const char *
rt_parts_settings(const rt_parts *p)
{
    return p->settings;
}

uint64_t
rt_parts_cut(const rt_parts *p)
{
    return p->cut;
}

uint64_t
rt_parts_bytes(const rt_parts *p)
{
    return p->end;
}

bool
rt_parts_empty(const rt_parts *p)
{
    const uint64_t settings = sizeof(rt_part) + strlen(p->settings) + 1;
    return p->end <= sizeof(parts_head) + padded(settings, RT_PARTS_ALIGN);
}
