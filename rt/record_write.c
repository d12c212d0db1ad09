/* A recording's files: temporary names until all are whole. */
#include "record_write.h"

#include "layer.h"
#include "out.h"
#include "wav.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What was learned is written by itself, and only where there is any. */
enum { WAV, LINES, FILES, LEARNED = FILES, NAMES };
enum { MOST_TRIES = 1000, NAME_BYTES = RT_TEXT + 300 };
static const char *const ending[NAMES] = {".wav", ".jsonl", ".learned.hkn"};

typedef struct {
    char name[NAMES][NAME_BYTES], temp[NAMES][NAME_BYTES];
    FILE *to[FILES];
    char *why;
    size_t why_len;
} files;

/* ---- Names ----------------------------------------------------------------------- */

/* Appends a name of JACK's, which may hold anything, as part of a file's. */
static void
append(char *to, size_t cap, const char *name)
{
    size_t n = strlen(to);
    for (; *name && n + 2 < cap; name++)
        to[n++] = isalnum((unsigned char)*name) || strchr("-.", *name) ? *name : '-';
    to[n] = 0;
}

/* FOLDER/hearken_20261127-021500_CLIENT_INPUT */
static void
make_stem(char *stem, size_t cap, const rt_record *r)
{
    const rt_options *o = r->config.options;
    const time_t now = time(NULL);
    struct tm t;
    localtime_r(&now, &t);
    const size_t n = (size_t)snprintf(stem, cap, "%s/hearken_", o->record.folder);
    strftime(stem + n, cap - n, "%Y%m%d-%H%M%S_", &t);
    append(stem, cap - 1, o->jack.client_name);
    strcat(stem, "_");
    append(stem, cap, r->config.input);
}

static bool
make_names(files *f, const char *stem, unsigned attempt)
{
    char number[16] = "";
    bool fits = true;
    if (attempt)
        snprintf(number, sizeof number, "_%u", attempt + 1);
    for (int i = 0; i < NAMES; i++) {
        const int n =
            snprintf(f->name[i], NAME_BYTES, "%s%s%s", stem, number, ending[i]);
        const int m =
            snprintf(f->temp[i], NAME_BYTES, "%s%s%s.part", stem, number, ending[i]);
        fits = fits && n < NAME_BYTES && m < NAME_BYTES;
    }
    return fits;
}

static FILE *
create(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "wb");
    if (fd >= 0 && !to) {
        close(fd);
        unlink(path);
    }
    return to;
}

/* Takes the names for itself by creating temporary files; nothing is overwritten. */
static bool
open_names(files *f)
{
    for (int i = 0; i < FILES; i++) {
        f->to[i] = create(f->temp[i]);
        if (!f->to[i])
            return false;
        if (access(f->name[i], F_OK) == 0) {
            errno = EEXIST;
            return false;
        }
    }
    const bool taken = access(f->name[LEARNED], F_OK) == 0;
    errno = EEXIST;
    return !taken;
}

static void
drop(files *f)
{
    for (int i = 0; i < FILES; i++) {
        if (!f->to[i])
            continue;
        fclose(f->to[i]);
        unlink(f->temp[i]);
        f->to[i] = NULL;
    }
}

static bool
refuse(files *f, const char *what)
{
    snprintf(f->why, f->why_len, "%s", what);
    return false;
}

static bool
open_files(files *f, const rt_record *r)
{
    char stem[RT_TEXT + 2 * RT_NAME + 64];
    make_stem(stem, sizeof stem, r);
    for (unsigned attempt = 0; attempt < MOST_TRIES; attempt++) {
        if (!make_names(f, stem, attempt))
            return refuse(f, strerror(ENAMETOOLONG));
        if (open_names(f))
            return true;
        const int error = errno;
        drop(f);
        if (error != EEXIST)
            return refuse(f, strerror(error));
    }
    return refuse(f, "every name for it is taken");
}

/* The lines first: where there is a wav, there are its lines. */
static bool
close_files(files *f)
{
    bool ok = true;
    for (int i = FILES - 1; i >= 0; i--)
        ok = ok && !fflush(f->to[i]) && !fsync(fileno(f->to[i]));
    const int error = errno;
    for (int i = FILES - 1; i >= 0; i--)
        ok = !fclose(f->to[i]) && ok;
    if (ok && !rename(f->temp[LINES], f->name[LINES])) {
        if (!rename(f->temp[WAV], f->name[WAV]))
            return true;
        unlink(f->name[LINES]);
    }
    refuse(f, strerror(ok ? errno : error));
    for (int i = 0; i < FILES; i++)
        unlink(f->temp[i]);
    return false;
}

/* ---- What is in them ------------------------------------------------------------- */

static bool
overtaken(files *f)
{
    return refuse(f, "the disk was so slow that newer sound took the place of what was "
                     "to be written");
}

static bool
write_failed(files *f)
{
    return refuse(f, strerror(errno ? errno : EIO));
}

static bool
write_lines(files *f, const rt_pick *p)
{
    enum { AT_ONCE = 64 };
    const rt_record *r = p->from;
    rt_match m[AT_ONCE];
    rt_out out = {.to = f->to[LINES],
                  .format = RT_FORMAT_JSON,
                  .index = r->config.index,
                  .layer = r->config.layer,
                  .input = r->config.input};
    for (uint64_t at = p->state.at.n_found, end = p->mark.end.n_found; at < end;) {
        const size_t n = end - at < AT_ONCE ? (size_t)(end - at) : AT_ONCE;
        if (!rt_tape_read(r->found, at, n, m))
            return overtaken(f);
        for (size_t i = 0; i < n; i++)
            rt_out_write(&out, &m[i]);
        at += n;
    }
    return !ferror(out.to) || write_failed(f);
}

static bool
write_sound(files *f, const rt_pick *p)
{
    enum { AT_ONCE = 8192 };
    float x[AT_ONCE];
    for (uint64_t at = p->start, end = p->mark.end.pos; at < end;) {
        const size_t n = end - at < AT_ONCE ? (size_t)(end - at) : AT_ONCE;
        if (!rt_tape_read(p->from->sound, at, n, x))
            return overtaken(f);
        if (!rt_wav_samples(f->to[WAV], x, n))
            return write_failed(f);
        at += n;
    }
    return true;
}

static bool
describe(const rt_pick *p, char **text, size_t *n)
{
    FILE *to = open_memstream(text, n);
    const bool ok = to && rt_recording_write(to, &p->recording, &p->options);
    return to && !fclose(to) && ok;
}

static bool
write_wav(files *f, const rt_pick *p)
{
    char *text = NULL;
    size_t n = 0;
    const uint64_t n_samples = p->recording.n_samples;
    bool ok = describe(p, &text, &n) || refuse(f, "there is not enough memory");
    if (ok && n_samples > rt_wav_most(n))
        ok = refuse(f, "it is longer than a wav can be; choose fewer --record-seconds");
    if (ok && !rt_wav_head(f->to[WAV], p->recording.rate_hz, n_samples,
                           RT_RECORDING_CHUNK, text, n))
        ok = write_failed(f);
    free(text);
    return ok && write_sound(f, p);
}

/* Without it, the lines are not found again. */
static bool
write_learned(files *f, const rt_record *r)
{
    return !r->config.layer ||
           rt_layer_save(r->config.layer, f->name[LEARNED], f->why, f->why_len);
}

static bool
write_files(const rt_pick *p, files *f)
{
    bool ok = false;
    errno = 0;
    if (!open_files(f, p->from))
        return false;
    if (write_lines(f, p) && write_wav(f, p) && write_learned(f, p->from))
        ok = close_files(f);
    else
        drop(f);
    if (!ok && p->from->config.layer)
        unlink(f->name[LEARNED]);
    return ok;
}

bool
rt_record_write(rt_record *r, char *text, size_t text_len)
{
    char why[300] = "";
    files f = {.why = why, .why_len = sizeof why};
    rt_pick p;
    double seconds = 0;
    bool ok = rt_pick_make(&p, r, why, sizeof why);
    if (ok) {
        const uint64_t n = p.recording.n_samples - p.recording.n_warm;
        seconds = (double)n / p.recording.rate_hz;
        ok = write_files(&p, &f);
        rt_recording_done(&p.recording);
    }
    rt_count(r->config.counts, ok ? RT_N_recordings : RT_N_failed_recordings, 1);
    if (!ok)
        snprintf(text, text_len, "the last seconds of %s cannot be written to %s: %s",
                 r->config.input, r->config.options->record.folder, why);
    else
        snprintf(text, text_len,
                 "the last %.1f s of %s are in %s, what was found in them beside it",
                 seconds, r->config.input, f.name[WAV]);
    return ok;
}
