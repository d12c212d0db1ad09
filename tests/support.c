#include "support.h"

#include "rt/background.h"
#include "rt/build.h"

#include <dirent.h>
#include <math.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

uint64_t
random_u64(uint64_t *state)
{
    uint64_t x = *state ? *state : 88172645463325252U;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 2685821657736338717U;
}

double
random_unit(uint64_t *state)
{
    return (double)(random_u64(state) >> 11) / 4503599627370496.0 - 1;
}

double
random_normal(uint64_t *state)
{
    const double u = 0.5 * random_unit(state) + 0.5, v = random_unit(state);
    return sqrt(-2 * log(1 - u)) * cos(3.14159265358979323846 * v);
}

void
golden_signal(float x[], uint32_t rate_hz, double scale)
{
    const int64_t sr = rate_hz, f0 = 50, f1 = sr == 11025 ? 5000 : 7500;
    const int64_t den = 2 * sr * sr;
    uint32_t state = 12345;
    for (int64_t n = 0; n < sr; n++) {
        const int64_t num = (2 * sr * f0 * n + (f1 - f0) * n * n) % den;
        state = 1664525U * state + 1013904223U;
        const double u = state / 2147483648.0 - 1.0;
        const double s =
            0.5 * sin(6.283185307179586 * ((double)num / (double)den)) + 0.006 * u;
        x[n] = (float)(scale * floor(32768 * s + 0.5) / 32768);
    }
}

void
make_sound(float x[], size_t n, uint32_t rate_hz, uint64_t seed)
{
    enum { PARTIALS = 5 };
    uint64_t state = seed * 0x9e3779b97f4a7c15U + 1;
    double hz[PARTIALS], decay[PARTIALS], gain[PARTIALS], low = 0, peak = 1e-9;
    for (int i = 0; i < 8; i++)
        random_u64(&state);
    for (int p = 0; p < PARTIALS; p++) {
        hz[p] = 80 * pow(100, 0.5 + 0.5 * random_unit(&state)); /* 80 Hz to 8 kHz */
        decay[p] = pow(10, random_unit(&state));                /* 0.1 to 10 s */
        gain[p] = 0.2 + 0.1 * random_unit(&state);
    }
    const double noise = pow(10, -1.5 + random_unit(&state));
    const double smooth = 0.5 + 0.45 * random_unit(&state);
    for (size_t i = 0; i < n; i++) {
        const double t = (double)i / rate_hz;
        low += smooth * (random_unit(&state) - low);
        double s = noise * low * exp(-t / decay[0]);
        for (int p = 0; p < PARTIALS; p++)
            s += gain[p] * exp(-t / decay[p]) * sin(6.283185307179586 * hz[p] * t);
        x[i] = (float)s;
        peak = fabs(s) > peak ? fabs(s) : peak;
    }
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(x[i] * 0.5 / peak);
}

float *
golden_load(const char *name, size_t *rows, size_t *cols)
{
    char path[256], header[256] = "";
    unsigned char head[10];
    snprintf(path, sizeof path, "tests/golden/%s.npy", name);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "cannot open %s (run from the top folder)", path);
    ck_assert(fread(head, 1, sizeof head, f) == sizeof head);
    const size_t n = head[8] + 256U * head[9];
    ck_assert(n < sizeof header && fread(header, 1, n, f) == n);
    const char *shape = strstr(header, "'shape': (");
    ck_assert(shape && strstr(header, "<f4") && strstr(header, "False"));
    *rows = *cols = 1;
    ck_assert(sscanf(shape + strlen("'shape': ("), "%zu, %zu", rows, cols) >= 1);
    float *x = malloc(*rows * *cols * sizeof *x);
    ck_assert(x && fread(x, sizeof *x, *rows * *cols, f) == *rows * *cols);
    fclose(f);
    return x;
}

void
write_wav(const char *path, const float x[], size_t n, uint32_t rate_hz)
{
    SF_INFO info = {.samplerate = (int)rate_hz,
                    .channels = 1,
                    .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *f = sf_open(path, SFM_WRITE, &info);
    ck_assert_msg(f != NULL, "cannot write %s", path);
    ck_assert(sf_writef_float(f, x, (sf_count_t)n) == (sf_count_t)n);
    sf_close(f);
}

char *
read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f && !fseek(f, 0, SEEK_END), "%s", path);
    *n = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*n + 1);
    ck_assert(fread(bytes, 1, *n, f) == *n && !fclose(f));
    bytes[*n] = 0;
    return bytes;
}

void
same_file(const char *a, const char *b)
{
    size_t n[2];
    char *x = read_file(a, &n[0]), *y = read_file(b, &n[1]);
    ck_assert_msg(n[0] == n[1] && !memcmp(x, y, n[0]), "%s and %s differ", a, b);
    free(x);
    free(y);
}

void
write_corpus(const char *folder)
{
    static const double seconds[CORPUS_SOUNDS] = {0.05, 0.3, 0.7, 2.5, 1,  1.2,
                                                  3,    2,   4,   6,   12, 2};
    for (int i = 0; i < CORPUS_SOUNDS; i++) {
        char path[400];
        const uint32_t rate = i == CORPUS_SOUNDS - 1 ? 44100 : 48000;
        const size_t n = (size_t)(seconds[i] * rate);
        float *x = calloc(n, sizeof *x);
        make_sound(x, n, rate, (uint64_t)i + 1);
        snprintf(path, sizeof path, "%s/%02d.wav", folder, i);
        write_wav(path, x, n, rate);
        free(x);
    }
}

void
build_corpus(const char *folder, const rt_options *o, uint32_t threads,
             const char *index_path)
{
    char why[300] = "";
    rt_files files = {0};
    rt_corpus corpus;
    ck_assert(rt_walk(&files, folder, why, sizeof why));
    rt_files_sort(&files);
    rt_job *jobs = calloc(files.n, sizeof *jobs);
    for (size_t i = 0; i < files.n; i++)
        jobs[i].file = &files.files[i];
    rt_build_share(jobs, files.n, NULL, files.n, o);
    ck_assert_msg(rt_build_analyse(jobs, files.n, threads, o, NULL, why, sizeof why),
                  "%s", why);
    for (size_t i = 0; i < files.n; i++)
        ck_assert_msg(!*jobs[i].trouble, "%s: %s", files.files[i].path,
                      jobs[i].trouble);
    ck_assert_msg(rt_build_merge(&corpus, jobs, files.n, o, NULL, why, sizeof why),
                  "%s", why);
    ck_assert_msg(!idx_write(index_path, &corpus.contents, NULL, why, sizeof why), "%s",
                  why);
    rt_corpus_free(&corpus);
    for (size_t i = 0; i < files.n; i++)
        rt_job_free(&jobs[i]);
    free(jobs);
    rt_files_free(&files);
}

void
store_noises(const char *index_path, const rt_options *o)
{
    char why[1500] = "";
    idx_index *index;
    rt_background *background = NULL;
    ck_assert_msg(!idx_open(&index, index_path, why, sizeof why) &&
                      rt_background_new(&background, index, o, why, sizeof why) &&
                      !idx_rewrite(index_path, index, NULL,
                                   rt_background_noises(background), NULL, why,
                                   sizeof why),
                  "%s", why);
    rt_background_free(background);
    idx_close(index);
}

void
make_folder(char path[], size_t len)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(path, len, "%s/hearken-test-XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_msg(mkdtemp(path) != NULL, "cannot make a folder like %s", path);
}

void
remove_tree(const char *path)
{
    struct stat st;
    DIR *dir = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? opendir(path) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        char below[4096];
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        remove_tree(below);
    }
    if (dir)
        closedir(dir);
    remove(path);
}

_Atomic uint64_t heap_calls, heap_fail_at; /* several threads may allocate */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
char *__wrap_strdup(const char *text);

static bool
refuses(void)
{
    uint64_t left = atomic_load(&heap_fail_at);
    atomic_fetch_add(&heap_calls, 1);
    while (left && !atomic_compare_exchange_weak(&heap_fail_at, &left, left - 1))
        ;
    return left == 1;
}

void *
__wrap_malloc(size_t n)
{
    return refuses() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
    return refuses() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
    return refuses() ? NULL : __real_realloc(p, n);
}

void *
__wrap_aligned_alloc(size_t align, size_t n)
{
    return refuses() ? NULL : __real_aligned_alloc(align, n);
}

char *
__wrap_strdup(const char *text)
{
    return refuses() ? NULL : __real_strdup(text);
}
