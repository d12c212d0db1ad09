/*
 * Tempo without pitch: a phase vocoder whose phases are locked to spectral peaks.
 *
 * Frames leave every hop and are read speed hops apart. A peak turns between two frames
 * that leave by as much as it turned in the sound during one hop, which a second frame,
 * one hop before the one that is read, tells without unwrapping (Puckette,
 * "Phase-locked vocoder", WASPAA 1995). The bins around a peak turn with it, so that a
 * partial stays one partial ("identity phase locking", Laroche and Dolson, IEEE Trans.
 * Speech and Audio Processing 7(3), 1999).
 *
 * Real and imaginary parts lie apart and no branch depends on a bin, so that compilers
 * find vectors and processors have nothing to guess.
 */
#include "degrade_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OVERLAP = 4, REACH = 2 };     /* a peak exceeds so many bins on either side */
enum { FILL = 8 };                   /* bins that get their turn at once */
static const double onset_rise = 16; /* in power: 12 dB */

typedef struct {
    size_t n_fft, hop, n_bins;
    float *reading; /* [n_fft], half a periodic Hann window */
    float *writing; /* [n_fft], one that makes up for all gains */
    dsp_split time; /* [n_fft] */
    dsp_split freq; /* [n_fft + 1], the first bin appended */
    float *edge;    /* [n_fft], a frame that lies partly outside of the sound */

    dsp_split now;    /* [n_bins], the frame that is read */
    dsp_split out[2]; /* [n_bins], two frames that leave, one after the other */
    dsp_split turn;   /* [n_bins + FILL], from the frame that is read to one of them */
    float *power;     /* [n_bins + 2 REACH], of now, from bin -REACH */
    int32_t *mark;    /* [n_bins], -1 at a peak, else 0 */

    size_t n_peaks;   /* below n_bins / 2, for peaks are three bins apart or more */
    uint32_t *peak;   /* [n_bins], their bins */
    uint32_t *begin;  /* [n_bins], of the bins that turn with each, up to the next */
    dsp_split before; /* [n_peaks], one hop before the frame that is read */
    dsp_split last;   /* [n_peaks], in the frame that left last */
    dsp_split lock;   /* [n_peaks], their turns */
    float *height;    /* [n_peaks], power */

    float *room; /* all floats */
    fftwf_plan plan;
} vocoder;

/* Frames of 31 to 64 ms: long enough to part the partials of a low voice. */
static size_t
fft_size(uint32_t rate_hz)
{
    size_t n = 1024;
    while (32 * n < rate_hz)
        n *= 2;
    return n;
}

static bool
allocate(vocoder *v)
{
    const size_t n = v->n_fft, bins = v->n_bins, peaks = bins / 2;
    const struct {
        float **at;
        size_t n;
    } arrays[] = {
        {&v->reading, n},
        {&v->writing, n},
        {&v->time.re, n},
        {&v->time.im, n},
        {&v->freq.re, n + 1},
        {&v->freq.im, n + 1},
        {&v->edge, n},
        {&v->now.re, bins},
        {&v->now.im, bins},
        {&v->out[0].re, bins},
        {&v->out[0].im, bins},
        {&v->out[1].re, bins},
        {&v->out[1].im, bins},
        {&v->turn.re, bins + FILL},
        {&v->turn.im, bins + FILL},
        {&v->power, bins + 2 * REACH},
        {&v->before.re, peaks},
        {&v->before.im, peaks},
        {&v->last.re, peaks},
        {&v->last.im, peaks},
        {&v->lock.re, peaks},
        {&v->lock.im, peaks},
        {&v->height, peaks},
    };
    enum { ARRAYS = sizeof arrays / sizeof *arrays, LINE = DSP_ALIGN / sizeof(float) };
    size_t total = 0;
    for (size_t i = 0; i < ARRAYS; i++)
        total += (arrays[i].n + LINE - 1) / LINE * LINE;
    v->room = dsp_calloc(total * sizeof *v->room);
    v->mark = dsp_calloc(bins * sizeof *v->mark);
    v->peak = dsp_calloc(bins * sizeof *v->peak);
    v->begin = dsp_calloc(bins * sizeof *v->begin);
    if (!v->room || !v->mark || !v->peak || !v->begin)
        return false;
    float *at = v->room;
    for (size_t i = 0; i < ARRAYS; i++) {
        *arrays[i].at = at;
        at += (arrays[i].n + LINE - 1) / LINE * LINE;
    }
    return true;
}

static bool
vocoder_init(vocoder *v, uint32_t rate_hz)
{
    const double pi = 3.14159265358979323846;
    const size_t n = fft_size(rate_hz);
    *v = (vocoder){.n_fft = n, .hop = n / OVERLAP, .n_bins = n / 2 + 1};
    if (!allocate(v))
        return false;
    for (size_t i = 0; i < n; i++) {
        const double hann = 0.5 - 0.5 * cos(2 * pi * (double)i / (double)n);
        v->reading[i] = (float)(0.5 * hann);
        /* Squared Hann windows a quarter apart add up to 3/2, an FFT and back to n. */
        v->writing[i] = (float)(hann / (1.5 * (double)n));
    }
    v->plan = dsp_fft_kept_split((uint32_t)n, v->time, v->freq);
    return v->plan != NULL;
}

static void
vocoder_free(vocoder *v)
{
    free(v->begin);
    free(v->peak);
    free(v->mark);
    free(v->room);
}

static void
transform(vocoder *v)
{
    fftwf_execute_split_dft(v->plan, v->time.re, v->time.im, v->freq.re, v->freq.im);
}

static void
multiply(float *restrict y, const float *restrict x, const float *restrict w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = w[i] * x[i];
}

/* The spectrum of the real part of what has the spectrum z, twice, and its power. */
static void
take_real(float *restrict re, float *restrict im, float *restrict power,
          const float *restrict z_re, const float *restrict z_im, size_t n)
{
    for (size_t k = 0; k <= n / 2; k++) {
        const float a = z_re[k] + z_re[n - k], b = z_im[k] - z_im[n - k];
        re[k] = a;
        im[k] = b;
        power[k] = a * a + b * b;
    }
}

/* The frame that begins at sample `start`, zeros outside of the sound. */
static const float *
frame_at(const vocoder *v, const float x[], size_t n, int64_t start)
{
    const int64_t size = (int64_t)v->n_fft, end = (int64_t)n - start;
    if (start >= 0 && end >= size)
        return x + start;
    for (int64_t i = 0; i < size; i++)
        v->edge[i] = start + i >= 0 && i < end ? x[start + i] : 0;
    return v->edge;
}

/* Spectrum of the frame at `start`; that of the frame a hop before, which goes through
 * the same FFT as its imaginary part, is only taken where there is a peak. */
static void
analyse(vocoder *v, const float x[], size_t n, int64_t start)
{
    const int64_t before = start - (int64_t)v->hop;
    multiply(v->time.re, frame_at(v, x, n, start), v->reading, v->n_fft);
    multiply(v->time.im, frame_at(v, x, n, before), v->reading, v->n_fft);
    transform(v);
    v->freq.re[v->n_fft] = v->freq.re[0];
    v->freq.im[v->n_fft] = v->freq.im[0];
    take_real(v->now.re, v->now.im, v->power + REACH, v->freq.re, v->freq.im, v->n_fft);
}

/* Of equals the first counts, so that only an empty spectrum has no peak. */
static void
mark_peaks(int32_t *restrict mark, const float *restrict power, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const float *p = power + REACH + k;
        mark[k] = -((p[0] > p[-2]) & (p[0] > p[-1]) & (p[0] >= p[1]) & (p[0] >= p[2]));
    }
}

/* Lists the peaks, and for each the lowest bin since the one before it, from where on
 * bins turn with it; all up to the first peak turn with that. Returns how many there
 * are. A bin is its power's bits, which have the powers' order, above its number. */
static size_t
list_peaks(uint32_t *restrict peak, uint32_t *restrict begin,
           const int32_t *restrict mark, const float *restrict power, size_t n)
{
    size_t n_peaks = 0;
    uint64_t low = 0; /* bin 0, and below all others */
    for (uint32_t k = 0; k < n; k++) {
        uint32_t bits;
        memcpy(&bits, power + REACH + k, sizeof bits);
        const uint64_t here = (uint64_t)bits << 32 | k;
        low = here < low ? here : low;
        peak[n_peaks] = k;
        begin[n_peaks] = (uint32_t)low;
        n_peaks += (size_t)-mark[k];
        low |= (uint64_t)(int64_t)mark[k]; /* after a peak any is lower */
    }
    return n_peaks;
}

static void
gather_peaks(vocoder *v, const dsp_split *last)
{
    for (size_t i = 0; i < v->n_peaks; i++) {
        const size_t k = v->peak[i], j = v->n_fft - k;
        v->before.re[i] = v->freq.im[k] + v->freq.im[j];
        v->before.im[i] = v->freq.re[j] - v->freq.re[k];
        v->last.re[i] = last->re[k];
        v->last.im[i] = last->im[k];
        v->height[i] = v->power[REACH + k];
    }
}

/* By how much each peak has to turn to go on where it left. At an onset it does not:
 * attacks stay sharp when their bins keep the phases that they have. */
static void
lock_peaks(float *restrict re, float *restrict im, const dsp_split *before,
           const dsp_split *last, const float *restrict height, size_t n)
{
    const float *b_re = before->re, *b_im = before->im;
    const float *l_re = last->re, *l_im = last->im;
    for (size_t i = 0; i < n; i++) {
        const double br = (double)b_re[i], bi = (double)b_im[i];
        const double lr = (double)l_re[i], li = (double)l_im[i];
        const double cr = lr * br + li * bi, ci = li * br - lr * bi;
        const double size = cr * cr + ci * ci;
        const double onset =
            onset_rise * (br * br + bi * bi) < (double)height[i] ? 1 : 0;
        const double stay = size > 0 ? onset : 1, go = 1 - stay;
        const double scale = sqrt(go * size + stay);
        re[i] = (float)((go * cr + stay) / scale);
        im[i] = (float)(go * ci / scale);
    }
}

/* Gives the turns of the peaks to the bins around them; may write FILL - 1 more. */
static void
spread_turns(float *restrict re, float *restrict im, const vocoder *v)
{
    size_t k = 0;
    for (size_t i = 0; i < v->n_peaks; i++) {
        const size_t end = i + 1 < v->n_peaks ? v->begin[i + 1] : v->n_bins;
        const float a = v->lock.re[i], b = v->lock.im[i];
        for (; k < end; k += FILL)
            for (size_t j = 0; j < FILL; j++) {
                re[k + j] = a;
                im[k + j] = b;
            }
        k = end;
    }
    for (; k < v->n_bins; k++) {
        re[k] = 1;
        im[k] = 0;
    }
}

static void
turn(float *restrict re, float *restrict im, const dsp_split *x, const dsp_split *by,
     size_t n)
{
    const float *x_re = x->re, *x_im = x->im, *by_re = by->re, *by_im = by->im;
    for (size_t k = 0; k < n; k++) {
        const float a = x_re[k] * by_re[k] - x_im[k] * by_im[k];
        const float b = x_re[k] * by_im[k] + x_im[k] * by_re[k];
        re[k] = a;
        im[k] = b;
    }
}

/* Makes the frame that leaves out of the one that is read and the one that left. */
static void
lock_phases(vocoder *v, dsp_split *out, const dsp_split *last)
{
    mark_peaks(v->mark, v->power, v->n_bins);
    v->n_peaks = list_peaks(v->peak, v->begin, v->mark, v->power, v->n_bins);
    gather_peaks(v, last);
    lock_peaks(v->lock.re, v->lock.im, &v->before, &v->last, v->height, v->n_peaks);
    spread_turns(v->turn.re, v->turn.im, v);
    turn(out->re, out->im, &v->now, &v->turn, v->n_bins);
}

/* The spectrum of a + ib, of which n/2 + 1 bins are known: real signals mirror. */
static void
join(float *restrict re, float *restrict im, const dsp_split *a, const dsp_split *b,
     size_t n)
{
    const float *a_re = a->re, *a_im = a->im, *b_re = b->re, *b_im = b->im;
    re[0] = a_re[0];
    im[0] = b_re[0];
    re[n / 2] = a_re[n / 2];
    im[n / 2] = b_re[n / 2];
    for (size_t k = 1; k < n / 2; k++) {
        re[k] = a_re[k] - b_im[k];
        im[k] = a_im[k] + b_re[k];
        re[n - k] = a_re[k] + b_im[k];
        im[n - k] = b_re[k] - a_im[k];
    }
}

static void
add(float *restrict y, const float *restrict x, const float *restrict w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += w[i] * x[i];
}

/* Adds what lies in y[n] of a frame that begins at sample `start`. */
static void
add_frame(const vocoder *v, float y[], size_t n, int64_t start, const float frame[])
{
    const int64_t end = (int64_t)n - start, size = (int64_t)v->n_fft;
    const int64_t first = start < 0 ? -start : 0, last = end < size ? end : size;
    if (first < last)
        add(y + (start + first), frame + first, v->writing + first,
            (size_t)(last - first));
}

/* Adds the two frames that leave to y, the second a hop later. With real and imaginary
 * part exchanged, both before and after it, an FFT is an inverse one. */
static void
synthesise(vocoder *v, float y[], size_t n, int64_t start)
{
    join(v->time.im, v->time.re, &v->out[0], &v->out[1], v->n_fft);
    transform(v);
    add_frame(v, y, n, start, v->freq.im);
    add_frame(v, y, n, start + (int64_t)v->hop, v->freq.re);
}

static void
run(vocoder *v, const float x[], size_t n, dsp_sound *y, double speed)
{
    const int64_t hop = (int64_t)v->hop, half = (int64_t)v->n_fft / 2;
    /* Centres of the frames, from the first to the last one that reaches into y. Before
     * the first is silence, so that no phase needs to go on. */
    for (int64_t at = -hop; at - half < (int64_t)y->n; at += 2 * hop) {
        for (int64_t i = 0; i < 2; i++) {
            analyse(v, x, n, llround((double)(at + i * hop) * speed) - half);
            lock_phases(v, &v->out[i], &v->out[1 - i]);
        }
        synthesise(v, y->x, y->n, at - half);
    }
}

dsp_status
dsp_stretch(dsp_sound *y, const float x[], size_t n, uint32_t rate_hz, double speed)
{
    vocoder v;
    dsp_sound out = {.n = (size_t)llround((double)n / speed)};
    const bool ready = vocoder_init(&v, rate_hz);
    out.x = ready ? calloc(out.n ? out.n : 1, sizeof *out.x) : NULL;
    if (out.x) {
        run(&v, x, n, &out, speed);
        *y = out;
    }
    vocoder_free(&v);
    return out.x ? DSP_OK : DSP_ENOMEM;
}
