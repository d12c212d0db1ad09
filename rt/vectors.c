#include "vectors_private.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

bool
rt_vector_fail(const rt_vector_file *in, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(in->why, in->why_len, "%s: %s", in->name, text);
    return false;
}

bool
rt_vector_take(rt_vector_file *in, void *to, size_t n)
{
    errno = 0;
    const size_t got = fread(to, 1, n, in->file);
    in->at += got;
    if (got == n)
        return true;
    return ferror(in->file) ? rt_vector_fail(in, "%s", strerror(errno ? errno : EIO))
                            : rt_vector_fail(in, "it ends early, after %llu bytes",
                                             (unsigned long long)in->at);
}

bool
rt_vector_dim(const rt_vector_file *in, uint64_t dim)
{
    return (dim >= 1 && dim <= IDX_MAX_DIM) ||
           rt_vector_fail(in, "its vectors have %llu values; an index takes 1 to %d",
                          (unsigned long long)dim, IDX_MAX_DIM);
}

bool
rt_vector_give(const rt_vector_file *in, rt_vector *v)
{
    v->share = in->size ? (double)in->at / (double)in->size : 1;
    for (uint32_t i = 0; i < v->dim; i++)
        if (!isfinite(v->x[i]))
            return rt_vector_fail(
                in,
                "value %u of row %llu is no finite 32-bit float; mend "
                "or remove that row",
                i, (unsigned long long)v->row);
    return in->sink->row(in->sink->ctx, v, in->why, in->why_len);
}

/* ---- Which kind of file ---------------------------------------------------------- */

static bool
ends_with(const char *name, const char *ending)
{
    const size_t n = strlen(name), m = strlen(ending);
    return n >= m && !strcasecmp(name + n - m, ending);
}

bool
rt_vectors_named(const char *path)
{
    return ends_with(path, ".npy") || ends_with(path, ".npz") ||
           ends_with(path, ".fvecs") || ends_with(path, ".tfrecord");
}

static bool
unknown(const rt_vector_file *in)
{
    if (ends_with(in->name, ".npy") && in->size % 512 == 0 && in->size)
        return rt_vector_fail(
            in, "it has no .npy header; if it is raw rows of 128 floats, as "
                "numpy.memmap writes them, say so with --import-raw 128");
    return rt_vector_fail(in, "neither .npy, .fvecs nor TFRecord; if it is raw rows of "
                              "floats, say of how many with --import-raw N");
}

static bool
read_as_it_is(rt_vector_file *in, const unsigned char head[12])
{
    const bool npy = !memcmp(head, "\x93NUMPY", 6);
    if (npy && in->how->raw_dim)
        return rt_vector_fail(in, "it is no raw rows but .npy; leave out --import-raw");
    if (npy)
        return rt_npy_rows(in);
    if (in->how->raw_dim)
        return rt_raw_rows(in);
    if (!memcmp(head, "\x1f\x8b", 2))
        return rt_vector_fail(in, "it is compressed; unpack it with gunzip first");
    if (!memcmp(head, "PK\3\4", 4))
        return rt_vector_fail(in,
                              "it is a zip, as .npz are; unpack it with unzip first");
    if (ends_with(in->name, ".fvecs"))
        return rt_fvecs_rows(in);
    if (ends_with(in->name, ".tfrecord") || rt_tfrecord_begins(head))
        return rt_tfrecord_rows(in);
    return unknown(in);
}

bool
rt_vectors_read(FILE *file, const char *name, const rt_vector_how *how,
                const rt_vector_sink *sink, rt_vector_fates *fates, char *why,
                size_t why_len)
{
    unsigned char head[12] = {0};
    rt_vector_file in = {.file = file,
                         .name = name,
                         .how = how,
                         .sink = sink,
                         .fates = fates,
                         .why = why,
                         .why_len = why_len};
    errno = 0;
    const off_t size = fseeko(file, 0, SEEK_END) ? -1 : ftello(file);
    if (size < 0 || fseeko(file, 0, SEEK_SET))
        return rt_vector_fail(&in, "%s", strerror(errno));
    in.size = (uint64_t)size;
    if (!rt_vector_take(&in, head, in.size < sizeof head ? in.size : sizeof head))
        return false;
    in.at = 0;
    if (fseeko(file, 0, SEEK_SET))
        return rt_vector_fail(&in, "%s", strerror(errno));
    return read_as_it_is(&in, head);
}

bool
rt_vectors_load(const char *path, const rt_vector_how *how, const rt_vector_sink *sink,
                rt_vector_fates *fates, char *why, size_t why_len)
{
    struct stat st;
    const bool missing = stat(path, &st) != 0;
    if (missing || !S_ISREG(st.st_mode)) { /* a pipe would block for ever */
        snprintf(why, why_len, "%s: %s", path,
                 missing ? strerror(errno) : "not a regular file");
        return false;
    }
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(why, why_len, "%s: %s", path, strerror(errno));
        return false;
    }
    const bool ok = rt_vectors_read(file, path, how, sink, fates, why, why_len);
    fclose(file);
    return ok;
}

bool
rt_vector_unit(float x[], uint32_t dim)
{
    double power = 0;
    for (uint32_t i = 0; i < dim; i++)
        power += (double)x[i] * (double)x[i];
    const double length = sqrt(power);
    if (length < 1e-12)
        return false;
    if (fabs(length - 1) > 1e-5)
        for (uint32_t i = 0; i < dim; i++)
            x[i] = (float)((double)x[i] / length);
    return true;
}
