/*
 * Parts files from the fuzzer: as they are; and, so that it gets past the checksums, as
 * the records that follow a right beginning, with their checksums made right. What is
 * believed of them must be safe to use: rows lie within the bytes, texts end, events
 * ascend, and each record is found again.
 */
#include "parts_support.h"
#include "rt/rt.h"

#include <stdint.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static rt_options options;
static unsigned char *beginning;
static size_t n_beginning;

static void
must(bool ok)
{
    if (!ok)
        abort();
}

/* Head and settings, as this program writes them. */
static void
make_beginning(void)
{
    char path[] = "/tmp/hearken-fuzz-XXXXXX", why[1500];
    rt_parts *p;
    const int fd = mkstemp(path);
    must(fd >= 0 && !close(fd));
    rt_options_default(&options);
    must(!rt_parts_open(&p, path, &options, false, why, sizeof why));
    n_beginning = (size_t)rt_parts_bytes(p);
    beginning = malloc(n_beginning);
    rt_parts_close(p);
    FILE *f = fopen(path, "rb");
    must(f && beginning && fread(beginning, 1, n_beginning, f) == n_beginning);
    fclose(f);
    unlink(path);
}

/* Adds up all that rows hold, so that a sanitizer sees what is out of bounds. */
static double
sum_rows(const rt_rows *r, uint32_t width)
{
    double sum = 0;
    for (uint32_t j = 0; j < r->n; j++) {
        sum += (double)r->places[j].start_s + (double)r->places[j].end;
        for (uint32_t k = 0; k < width; k++)
            sum += (double)r->raw[(size_t)j * width + k];
    }
    return sum;
}

static void
use_record(const rt_parts *p, uint64_t at, const rt_part *part)
{
    double sum = 0;
    uint32_t widths[RT_MOMENTS];
    rt_rows rows[RT_MAX_GROUPS] = {{0}}, *groups[RT_MAX_GROUPS];
    const bool sound = part->kind == RT_PART_SOUND;
    for (uint32_t g = 0; g < RT_MAX_GROUPS; g++)
        groups[g] = &rows[g];
    rt_parts_widths(&options, widths);
    rt_parts_rows(p, at, groups);
    for (uint32_t g = 0; g < part->n_groups; g++)
        sum += sum_rows(&rows[g], sound           ? widths[g]
                                  : g < RT_COPIES ? widths[RT_FRAMES]
                                                  : widths[RT_EVENTS]);
    must((!sound || part->fault < RT_FAULTS) && (sum <= 0 || sum > 0 || sum != sum));
    const uint64_t found = rt_parts_find(p, part->kind, &part->key, part->first);
    must(found && found <= at); /* or an earlier one of the same content */
}

static void
use_roll(const rt_parts *p)
{
    rt_roll roll;
    if (!rt_parts_roll(p, &roll))
        return;
    must(roll.head.shard >= 1 && roll.head.shard <= roll.head.n_shards);
    for (uint64_t i = 0; i < roll.head.n; i++) {
        const rt_rolled *f = &roll.files[i];
        must(*(roll.text + f->path_at) && f->index < roll.head.n_all);
        must(f->path_at + strlen(roll.text + f->path_at) < roll.head.text_bytes);
        must(f->trouble_at + strlen(roll.text + f->trouble_at) < roll.head.text_bytes);
    }
}

static void
read_bytes(const unsigned char *bytes, size_t n, bool begins_right)
{
    char why[1500];
    rt_parts *p;
    rt_options made;
    memset(why, 'x', sizeof why);
    if (rt_parts_read_memory(&p, bytes, n, &made, why, sizeof why)) {
        must(!p && !begins_right && memchr(why, 0, sizeof why));
        return;
    }
    must(rt_parts_bytes(p) + rt_parts_cut(p) == n);
    if (begins_right)
        for (uint64_t at = n_beginning; at < rt_parts_bytes(p);) {
            const rt_part *part = rt_parts_at(p, at);
            if (part->kind != RT_PART_ROLL)
                use_record(p, at, part);
            at += part->n_bytes;
        }
    use_roll(p);
    rt_parts_close(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    if (!beginning)
        make_beginning();
    unsigned char *bytes = malloc(n_beginning + n); /* no byte more: it is watched */
    must(bytes != NULL);
    memcpy(bytes, beginning, n_beginning);
    if (n)
        memcpy(bytes + n_beginning, data, n);
    reseal(bytes, n_beginning + n);
    read_bytes(bytes, n_beginning + n, true);
    free(bytes);
    bytes = malloc(n + 1);
    must(bytes != NULL);
    if (n)
        memcpy(bytes, data, n);
    read_bytes(bytes, n, false);
    free(bytes);
    return 0;
}
