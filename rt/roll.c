#include "roll.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- Shards -----------------------------------------------------------------------
 */

bool
rt_shard_parse(const char *text, uint32_t *shard, uint32_t *n_shards, char *why,
               size_t why_len)
{
    char *end;
    const bool digits = strspn(text, "0123456789/") == strlen(text) && *text != '/';
    const unsigned long i = strtoul(text, &end, 10);
    const unsigned long n = *end == '/' && end[1] ? strtoul(end + 1, &end, 10) : 0;
    if (!digits || *end || n < 1 || n > RT_MAX_SHARDS || i < 1 || i > n) {
        snprintf(
            why, why_len,
            "build.shard cannot be \"%.60s\"; it wants I/N, as in 2/8, with I from "
            "1 to N and N at most %d",
            text, RT_MAX_SHARDS);
        return false;
    }
    *shard = (uint32_t)i;
    *n_shards = (uint32_t)n;
    return true;
}

size_t
rt_shard_files(const rt_files *files, uint32_t shard, uint32_t n_shards, size_t index[])
{
    uint64_t bytes[RT_MAX_SHARDS] = {0};
    size_t n = 0;
    for (size_t i = 0; i < files->n; i++) {
        uint32_t least = 0;
        for (uint32_t s = 1; s < n_shards; s++)
            if (bytes[s] < bytes[least])
                least = s;
        bytes[least] += files->files[i].n_bytes + 1;
        if (least + 1 == shard)
            index[n++] = i;
    }
    return n;
}

uint64_t
rt_list_sum(const rt_files *files)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < files->n; i++) {
        const rt_file *f = &files->files[i];
        sum = XXH3_64bits_withSeed(f->path, strlen(f->path), sum);
        sum = XXH3_64bits_withSeed(&f->n_bytes, sizeof f->n_bytes, sum);
    }
    return sum;
}

/* ---- Rolls ------------------------------------------------------------------------
 */

/* Adds a text to the pool; returns where. */
static uint64_t
pool_add(char *pool, uint64_t *at, const char *text)
{
    const uint64_t begin = *at;
    const size_t n = strlen(text) + 1;
    memcpy(pool + begin, text, n);
    *at += n;
    return begin;
}

uint64_t
rt_roll_write(rt_parts *parts, const rt_job jobs[], size_t n, const size_t index[],
              rt_roll_head head)
{
    uint64_t at = 0, text_bytes = 1;
    for (size_t i = 0; i < n; i++)
        text_bytes += strlen(jobs[i].file->path) + strlen(jobs[i].trouble) + 2;
    rt_rolled *files = calloc(n + 1, sizeof *files);
    char *text = malloc(text_bytes);
    head.n = n;
    head.text_bytes = 0;
    if (files && text) {
        pool_add(text, &head.text_bytes, "");
        for (size_t i = 0; i < n; i++) {
            const rt_job *job = &jobs[i];
            files[i].key = job->key;
            files[i].index = index ? index[i] : i;
            files[i].path_at = pool_add(text, &head.text_bytes, job->file->path);
            files[i].trouble_at =
                *job->trouble ? pool_add(text, &head.text_bytes, job->trouble) : 0;
        }
        at = rt_parts_add_roll(parts, &(rt_roll){head, files, text});
    }
    free(files);
    free(text);
    return at;
}

/* A file, for the comparison. */
typedef struct {
    const char *path;
    rt_key key;
} entry;

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}

static int
by_key(const void *a, const void *b)
{
    return rt_key_compare(&((const entry *)a)->key, &((const entry *)b)->key);
}

/* The same files twice, in order of path and of content. */
typedef struct {
    entry *paths, *keys;
    size_t n;
} listing;

static bool
listing_new(listing *l, size_t n)
{
    l->n = n;
    l->paths = calloc(n + 1, sizeof *l->paths);
    l->keys = calloc(n + 1, sizeof *l->keys);
    return l->paths && l->keys;
}

static void
listing_sort(listing *l)
{
    memcpy(l->keys, l->paths, l->n * sizeof *l->keys);
    if (l->n > 1) {
        qsort(l->paths, l->n, sizeof *l->paths, by_path);
        qsort(l->keys, l->n, sizeof *l->keys, by_key);
    }
}

static void
listing_free(listing *l)
{
    free(l->paths);
    free(l->keys);
}

static const entry *
same_path(const listing *l, const entry *e)
{
    return l->n ? bsearch(e, l->paths, l->n, sizeof *e, by_path) : NULL;
}

static bool
has_content(const listing *l, const entry *e)
{
    return l->n && bsearch(e, l->keys, l->n, sizeof *e, by_key);
}

static void
count(rt_changes *c, const listing *old, const listing *now)
{
    for (size_t i = 0; i < now->n; i++) {
        const entry *e = &now->paths[i], *before = same_path(old, e);
        if (before && !rt_key_compare(&before->key, &e->key))
            c->kept++;
        else if (before)
            c->changed++;
        else if (has_content(old, e))
            c->moved++;
        else
            c->new ++;
    }
    for (size_t i = 0; i < old->n; i++)
        c->gone += !same_path(now, &old->paths[i]) && !has_content(now, &old->paths[i]);
}

bool
rt_roll_compare(rt_changes *c, const rt_roll *old, const rt_job jobs[], size_t n)
{
    listing before = {0}, now = {0};
    const size_t n_old = old ? (size_t)old->head.n : 0;
    *c = (rt_changes){0};
    const bool ok = listing_new(&before, n_old) && listing_new(&now, n);
    if (ok) {
        for (size_t i = 0; i < n_old; i++)
            before.paths[i] =
                (entry){old->text + old->files[i].path_at, old->files[i].key};
        for (size_t i = 0; i < n; i++)
            now.paths[i] = (entry){jobs[i].file->path, jobs[i].key};
        listing_sort(&before);
        listing_sort(&now);
        count(c, &before, &now);
    }
    listing_free(&before);
    listing_free(&now);
    return ok;
}

/* ---- Records that are still of use ------------------------------------------------
 */

static int
by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static size_t
list_records(const rt_job *job, uint64_t at[])
{
    size_t n = 0;
    if (job->at)
        at[n++] = job->at;
    for (uint32_t i = 0; job->segments && i < job->n_segments; i++)
        if (job->segments[i].at)
            at[n++] = job->segments[i].at;
    return n;
}

bool
rt_roll_tidy(rt_parts *parts, const rt_job jobs[], size_t n, uint64_t roll_at)
{
    size_t n_at = 0, n_kept = 0;
    uint64_t bytes = 0;
    uint64_t *at = calloc(2 * n + RT_SEGMENTS + 1, sizeof *at);
    if (!at || !rt_parts_map(parts)) {
        free(at);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        n_at += list_records(&jobs[i], at + n_at);
    qsort(at, n_at, sizeof *at, by_number);
    for (size_t i = 0; i < n_at; i++)
        if (!n_kept || at[n_kept - 1] != at[i]) { /* one content at two paths */
            at[n_kept++] = at[i];
            bytes += rt_parts_at(parts, at[i])->n_bytes;
        }
    at[n_kept++] = roll_at;
    bytes += rt_parts_at(parts, roll_at)->n_bytes;
    const bool ok =
        bytes >= rt_parts_bytes(parts) / 2 || rt_parts_rewrite(parts, at, n_kept);
    free(at);
    return ok;
}
