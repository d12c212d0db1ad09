/*
 * prior FOLDER FILE: makes dsp/prior.bin out of a folder of sounds. Needs a build whose
 * prior.bin has the right size; what is in it does not matter.
 */
#include "dsp/prior.h"
#include "rt/build.h"
#include "rt/rt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rt_job *jobs;
static size_t n_jobs;

static size_t
n_values(rt_moments kind)
{
    return dsp_layout_of(kind == RT_FRAMES ? DSP_FRAME : DSP_EVENT).n_in;
}

/* Row number i of a kind, over all files. */
static const float *
row(rt_moments kind, size_t i)
{
    for (size_t j = 0; j < n_jobs; j++) {
        if (i < jobs[j].rows[kind].n)
            return jobs[j].rows[kind].raw + i * n_values(kind);
        i -= jobs[j].rows[kind].n;
    }
    return NULL;
}

static void
write_scale(FILE *to, rt_moments kind)
{
    const size_t n_in = n_values(kind);
    float *mean = calloc(2 * n_in, sizeof *mean), *spread = mean + n_in;
    int8_t *units = calloc(DSP_PRIOR_ROWS, n_in);
    size_t n = 0;
    for (size_t j = 0; j < n_jobs; j++)
        n += jobs[j].rows[kind].n;
    for (size_t i = 0; i < n_in; i++) {
        double sum = 0, square = 0;
        for (size_t r = 0; r < n; r++)
            sum += (double)row(kind, r)[i];
        for (size_t r = 0; r < n; r++)
            square += pow((double)row(kind, r)[i] - sum / (double)n, 2);
        mean[i] = (float)(sum / (double)n);
        spread[i] = (float)fmax(sqrt(square / (double)n), 1e-6);
        for (size_t r = 0; r < DSP_PRIOR_ROWS; r++) {
            const float x = row(kind, r * n / DSP_PRIOR_ROWS)[i];
            const double z = (double)(x - mean[i]) / (double)spread[i];
            units[r * n_in + i] =
                (int8_t)lrint(fmax(-127, fmin(127, DSP_PRIOR_UNIT * z)));
        }
    }
    fwrite(mean, sizeof *mean, 2 * n_in, to);
    fwrite(units, n_in, DSP_PRIOR_ROWS, to);
    printf("%zu rows of %zu values, of %zu\n", (size_t)DSP_PRIOR_ROWS, n_in, n);
    free(mean);
    free(units);
}

int
main(int argc, char **argv)
{
    char why[1400];
    rt_files files = {0};
    rt_options o;
    FILE *to = argc == 3 ? fopen(argv[2], "wb") : NULL;
    rt_options_default(&o);
    o.build.invariance = 0;
    if (!to || !rt_walk(&files, argv[1], why, sizeof why)) {
        fputs("prior: a folder of sounds, and a file that can be written\n", stderr);
        return RT_USAGE;
    }
    dsp_thread_init();
    rt_files_sort(&files);
    n_jobs = files.n;
    jobs = calloc(n_jobs + 1, sizeof *jobs);
    for (size_t i = 0; i < n_jobs; i++)
        jobs[i].file = &files.files[i];
    if (!rt_build_analyse(jobs, n_jobs, 0, &o, NULL, why, sizeof why)) {
        fprintf(stderr, "prior: %s\n", why);
        return RT_SOFTWARE;
    }
    write_scale(to, RT_FRAMES);
    write_scale(to, RT_EVENTS);
    for (size_t i = 0; i < n_jobs; i++)
        rt_job_free(&jobs[i]);
    free(jobs);
    rt_files_free(&files);
    return fclose(to) ? RT_IO : RT_OK;
}
