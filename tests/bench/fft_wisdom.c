/*
 * fft_wisdom: plans the FFTs of hearken's frames at the usual rates patiently, and
 * those of reverberation, prints how long each takes beside FFTW's estimate, and writes
 * dsp/wisdom.h to stdout. Run it on a quiet machine when FFTW changes, then `make
 * golden`: another plan changes the last bits.
 */
#include <complex.h>
#include <fftw3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double
best_ns(fftwf_plan plan, int m)
{
    enum { ROUNDS = 30, POINTS = 1 << 21 };
    const int runs = POINTS / m;
    double best = 1e9;
    for (int r = 0; r < ROUNDS; r++) {
        const double t = seconds();
        for (int i = 0; i < runs; i++)
            fftwf_execute(plan);
        const double ns = 1e9 * (seconds() - t) / runs;
        best = ns < best ? ns : best;
    }
    return best;
}

static double
plan_and_time(int m, unsigned flags)
{
    fftwf_complex *in = fftwf_alloc_complex((size_t)m);
    fftwf_complex *out = fftwf_alloc_complex((size_t)m);
    for (int k = 0; k < m; k++)
        in[k] = 0.1F * (float)(k % 17) + 1.0F * I;
    fftwf_plan plan = fftwf_plan_dft_1d(m, in, out, FFTW_FORWARD, flags);
    const double ns = plan ? best_ns(plan, m) : -1;
    fftwf_destroy_plan(plan);
    fftwf_free(in);
    fftwf_free(out);
    return ns;
}

/* What FFTW knows now, as one string literal of C. */
static void
print_wisdom(int m)
{
    char *wisdom = fftwf_export_wisdom_to_string();
    printf("    {%d,\n", m);
    for (char *line = strtok(wisdom, "\n"); line; line = strtok(NULL, "\n"))
        printf("     \"%s\\n\"\n", line);
    puts("    },");
    free(wisdom);
}

int
main(void)
{
    /* half of the FFT at 16, 22.05, 24, 32, 44.1, 48, 64, 88.2 and 96 kHz; the tail at
     * 22.05, 48 and 96 kHz */
    static const int sizes[] = {256,  352,  384,  512,   704,   768,
                                1024, 1408, 1536, 32768, 65536, 131072};
    enum { N = sizeof sizes / sizeof *sizes };
    double estimate[N];
    for (int i = 0; i < N; i++) /* before any patient plan leaves its wisdom */
        estimate[i] = plan_and_time(sizes[i], FFTW_ESTIMATE);
    puts("/* Written by tests/bench/fft_wisdom.c; see there. */\n"
         "static const struct {\n"
         "    uint32_t m;\n"
         "    const char *text;\n"
         "} fft_wisdom[] = {");
    for (int i = 0; i < N; i++) {
        fftwf_forget_wisdom();
        const double patient = plan_and_time(sizes[i], FFTW_PATIENT);
        fprintf(stderr, "fft %6d: estimate %6.0f ns, patient %6.0f ns\n", sizes[i],
                estimate[i], patient);
        print_wisdom(sizes[i]);
    }
    puts("};");
    return 0;
}
