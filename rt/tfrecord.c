/* TFRecord: a length, its checksum, the bytes of a record, their checksum; and so on.
 */
#include "crc32c.h"
#include "vectors_private.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 12, TAIL = 4, MAX_RECORD = 64 << 20 };

typedef struct {
    rt_vector_file *in;
    const rt_crc32c *kern;
    unsigned char *data; /* of one record, and its checksum */
    size_t cap;
    uint64_t n_records;
    rt_vector v;
    rt_audioset segment;
} reader;

static uint64_t
number(const unsigned char *p, size_t n_bytes)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n_bytes; i++)
        x |= (uint64_t)p[i] << 8 * i;
    return x;
}

static bool
head_holds(const rt_crc32c *kern, const unsigned char head[HEAD])
{
    return number(head + 8, 4) == rt_crc32c_masked(kern, head, 8);
}

bool
rt_tfrecord_begins(const unsigned char head[12])
{
    return head_holds(rt_crc32c_pick(), head);
}

/* ---- Framing --------------------------------------------------------------------- */

/* The rest of the file is left out. */
static void
broken(const reader *r, uint64_t offset, const char *what)
{
    char text[600];
    snprintf(text, sizeof text,
             "%s: the record at byte %llu %s; it and what follows are left out",
             r->in->name, (unsigned long long)offset, what);
    r->in->fates->n_bad++;
    r->in->sink->left_out(r->in->sink->ctx, text);
}

static bool
make_room(reader *r, size_t n)
{
    if (n <= r->cap)
        return true;
    unsigned char *grown = realloc(r->data, n);
    if (!grown)
        return rt_vector_fail(r->in,
                              "there is not enough memory for a record of %zu "
                              "bytes",
                              n);
    r->data = grown;
    r->cap = n;
    return true;
}

typedef enum { RECORD, BROKEN, FAILED } step;

/* The next record into data[n]; there is something left of the file. */
static step
next_record(reader *r, size_t *n)
{
    rt_vector_file *in = r->in;
    unsigned char head[HEAD];
    const uint64_t offset = in->at;
    if (in->size - offset < HEAD) {
        broken(r, offset, "is cut short");
        return BROKEN;
    }
    if (!rt_vector_take(in, head, HEAD))
        return FAILED;
    const uint64_t length = number(head, 8);
    const char *fault = NULL;
    if (!head_holds(r->kern, head))
        fault = "has a damaged length (its checksum differs)";
    else if (length > MAX_RECORD)
        fault = "is longer than 64 MiB";
    else if (length + TAIL > in->size - in->at)
        fault = "is cut short";
    if (fault) {
        broken(r, offset, fault);
        return BROKEN;
    }
    *n = (size_t)length;
    if (!make_room(r, *n + TAIL) || !rt_vector_take(in, r->data, *n + TAIL))
        return FAILED;
    if (number(r->data + *n, TAIL) == rt_crc32c_masked(r->kern, r->data, *n))
        return RECORD;
    broken(r, offset, "is damaged (its checksum differs)");
    return BROKEN;
}

/* ---- Rows ------------------------------------------------------------------------ */

static bool
give_seconds(reader *r, float x[RT_AUDIOSET_DIM])
{
    for (size_t i = 0; i < r->segment.n; i++) {
        rt_audioset_second(r->segment.seconds[i], x);
        r->v.start_s = r->segment.start_s + (float)i;
        r->v.length_s = 1;
        if (!rt_vector_give(r->in, &r->v))
            return false;
        r->v.row++;
    }
    return true;
}

static bool
give_mean(reader *r, float x[RT_AUDIOSET_DIM])
{
    rt_audioset_mean(&r->segment, x);
    r->v.start_s = r->segment.start_s;
    r->v.length_s = r->segment.end_s - r->segment.start_s;
    const bool ok = rt_vector_give(r->in, &r->v);
    r->v.row++;
    return ok;
}

static bool
give_record(reader *r, size_t n, uint64_t offset)
{
    float x[RT_AUDIOSET_DIM];
    char fault[100], text[700];
    if (!rt_audioset_take(&r->segment, r->data, n, fault, sizeof fault)) {
        snprintf(text, sizeof text, "%s: record %llu at byte %llu is left out: %s",
                 r->in->name, (unsigned long long)r->n_records,
                 (unsigned long long)offset, fault);
        r->in->fates->n_bad++;
        r->in->sink->left_out(r->in->sink->ctx, text);
        return true;
    }
    r->v.x = x;
    r->v.sound = r->segment.video;
    r->v.class_id = r->segment.first_class;
    return r->in->how->seconds ? give_seconds(r, x) : give_mean(r, x);
}

bool
rt_tfrecord_rows(rt_vector_file *in)
{
    reader r = {.in = in, .kern = rt_crc32c_pick(), .v.dim = RT_AUDIOSET_DIM};
    step s = RECORD;
    size_t n = 0;
    while (s == RECORD && in->at < in->size) {
        const uint64_t offset = in->at;
        s = next_record(&r, &n);
        if (s == RECORD && !give_record(&r, n, offset))
            s = FAILED;
        r.n_records++;
    }
    rt_audioset_free(&r.segment);
    free(r.data);
    return s != FAILED;
}
