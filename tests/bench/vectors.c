/*
 * The vectors that indexes are compared on. All by one seed.
 *
 *     vectors split NAME STORED.npy ASKED.npy N   NAME.npy and NAME.csv of hearken
 *         export to N rows of sounds below /stored/, whole sounds in random order with
 *         their copies, and ASKED rows of those below /asked/
 *     vectors mix IN.npy OUT.npy N     what is not clustered: ten rows of IN, drawn at
 *         random, side by side, through one Gaussian matrix, to unit length
 *     vectors grow IN.npy OUT.npy N    many from few: N / n rows of each of the n of
 *         IN, moved in a random direction by as much as lies between that row and its
 *         nearer neighbour in IN (the frame before or after); of the same sounds
 *     vectors head IN.npy OUT.npy N    the first N rows, and what IN.csv says of them
 *
 * Beside each OUT.npy stands OUT.csv, which tells hearken import which rows are of one
 * sound; in mix, where none are, each thousand. Random numbers come from counters: row
 * i can be made without those before it.
 */
#include "npy.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>

enum {
    SEED = 4,
    MIXED = 10,   /* rows in one */
    BLOCK = 4096, /* rows worked on at a time */
    ASKED = 10000,
    SOUND = 1000, /* rows of one sound, where there are none */
};

static uint64_t
mix64(uint64_t x) /* the output function of splitmix64 */
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Number j of stream i. */
static uint64_t
draw(uint64_t stream, uint64_t j)
{
    return mix64(mix64(SEED ^ mix64(stream)) + j);
}

/* Nearly normal: the sum of four uniform numbers, to unit variance. */
static float
normal(uint64_t bits)
{
    const int64_t sum = (int64_t)((bits & 0xffff) + (bits >> 16 & 0xffff) +
                                  (bits >> 32 & 0xffff) + (bits >> 48));
    return (float)(sum - 131070) / 37837.0F; /* 65536 / sqrt(3) */
}

static void *
need(void *p)
{
    if (!p) {
        fputs("vectors: out of memory\n", stderr);
        exit(70);
    }
    return p;
}

static float
length_of(const float x[], size_t dim)
{
    double sum = 0;
    for (size_t j = 0; j < dim; j++)
        sum += (double)x[j] * (double)x[j];
    return (float)sqrt(sum);
}

static void
to_unit(float x[], size_t dim)
{
    const float length = length_of(x, dim);
    for (size_t j = 0; j < dim; j++)
        x[j] /= length > 0 ? length : 1;
}

/* ---- Rows and what they are of ---- */

typedef struct {
    const char *path;
    FILE *rows, *names;
    size_t dim;
} out;

/* NAME.csv of NAME.npy. */
static void
name_of_table(const char *path, char table[], size_t len)
{
    const size_t stem = strlen(path) > 4 ? strlen(path) - 4 : 0;
    snprintf(table, len, "%.*s.csv", (int)stem, path);
}

static FILE *
create_table(const char *path)
{
    char table[1024];
    name_of_table(path, table, sizeof table);
    FILE *to = fopen(table, "w");
    if (!to)
        npy_give_up(table, "cannot be written", 74);
    return to;
}

static out
out_open(const char *path, size_t n, size_t dim)
{
    out to = {path, npy_create(path, n, dim), create_table(path), dim};
    fputs("sound,start,length,label\n", to.names);
    return to;
}

/* n rows of a sound, which begin at its frame number first. */
static void
out_put(out *to, const float rows[], size_t n, size_t sound, size_t first)
{
    npy_put(to->rows, rows, n, to->dim);
    for (size_t i = first; i < first + n; i++)
        fprintf(to->names, "sound-%zu,%zu.%02zu,0.1,\n", sound, i / 100, i % 100);
}

/* Rows first .. first+n-1 of all, where sounds are a matter of counting. */
static void
out_put_counted(out *to, const float rows[], size_t n, size_t first)
{
    for (size_t i = 0; i < n; i++)
        out_put(to, rows + i * to->dim, 1, (first + i) / SOUND, (first + i) % SOUND);
}

static void
out_close(out *to)
{
    npy_close(to->rows, to->path);
    npy_close(to->names, to->path);
}

/* ---- split ---- */

/* Rows first .. end-1 are of one file, those of equal key of one sound and its copies.
 */
typedef struct {
    size_t first, end;
    uint64_t key;
    bool asked;
} run;

/* A hash of a file's name without its folder; of a copy, NAME.0.wav, of NAME. */
static uint64_t
key_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name);
    uint64_t key = SEED;
    if (strstr(path, "/copies/") && n > strlen(".0.wav"))
        n -= strlen(".0.wav");
    for (size_t i = 0; i < n; i++)
        key = mix64(key ^ (unsigned char)name[i]);
    return key;
}

/* Sounds as export's CSV lists them: one line a row, of which the first field says the
 * sound. */
static run *
read_runs(const char *path, size_t n_rows, size_t *n_runs)
{
    FILE *in = fopen(path, "r");
    char *line = NULL, *before = need(strdup(""));
    size_t cap = 0, row = 0;
    run *runs = need(calloc(n_rows + 1, sizeof *runs));
    *n_runs = 0;
    if (!in || getline(&line, &cap, in) < 0)
        npy_give_up(path, "is not there, or empty; hearken export writes it", 66);
    for (; row < n_rows && getline(&line, &cap, in) > 0; row++) {
        char *end = line[0] == '"' ? strstr(line + 1, "\",") : strchr(line, ',');
        if (!end)
            npy_give_up(path, "has a line without a comma", 65);
        *end = 0;
        if (!row || strcmp(line, before) != 0) {
            runs[(*n_runs)++] = (run){
                .first = row, .key = key_of(line), .asked = strstr(line, "/asked/")};
            free(before);
            before = need(strdup(line));
        }
        runs[*n_runs - 1].end = row + 1;
    }
    if (row < n_rows || getline(&line, &cap, in) > 0)
        npy_give_up(path, "has not one line for each row", 65);
    fclose(in);
    free(before);
    free(line);
    return runs;
}

/* By key, which is as good as at random. */
static int
by_key(const void *a, const void *b)
{
    const run *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* Rows of asked sounds, each as likely as the others, in random order. */
static void
write_asked(const char *path, const npy *x, const run runs[], size_t n_runs)
{
    size_t *row = need(malloc((x->n + 1) * sizeof *row)), n = 0;
    for (size_t i = 0; i < n_runs; i++)
        for (size_t r = runs[i].first; runs[i].asked && r < runs[i].end; r++)
            row[n++] = r;
    const size_t wanted = n < ASKED ? n : ASKED;
    FILE *to = npy_create(path, wanted, x->dim);
    for (size_t i = 0; i < wanted; i++) {
        const size_t j = i + draw(1, i) % (n - i), taken = row[j];
        row[j] = row[i];
        npy_put(to, x->rows + taken * x->dim, 1, x->dim);
    }
    npy_close(to, path);
    printf("%s: %zu rows, of %zu\n", path, wanted, n);
    free(row);
}

static void
write_stored(const char *path, const npy *x, const run runs[], size_t n_runs, size_t n)
{
    size_t there = 0, done = 0, n_sounds = 0, of_sound = 0;
    for (size_t i = 0; i < n_runs; i++)
        there += runs[i].asked ? 0 : runs[i].end - runs[i].first;
    if (there < n)
        fprintf(stderr, "vectors: only %zu stored rows, not %zu\n", there, n);
    const size_t wanted = there < n ? there : n;
    uint64_t key = 0;
    out to = out_open(path, wanted, x->dim);
    for (size_t i = 0; i < n_runs && done < wanted; i++) {
        const size_t all = runs[i].end - runs[i].first;
        const size_t take = all < wanted - done ? all : wanted - done;
        if (runs[i].asked)
            continue;
        if (!done || runs[i].key != key) {
            n_sounds++;
            of_sound = 0;
        }
        key = runs[i].key;
        out_put(&to, x->rows + runs[i].first * x->dim, take, n_sounds, of_sound);
        of_sound += take;
        done += take;
    }
    out_close(&to);
    printf("%s: %zu rows of %zu sounds, of %zu rows\n", path, wanted, n_sounds, there);
}

static int
split(const char *name, const char *stored, const char *asked, size_t n)
{
    char path[1024];
    size_t n_runs;
    snprintf(path, sizeof path, "%s.npy", name);
    npy x = npy_map(path);
    snprintf(path, sizeof path, "%s.csv", name);
    run *runs = read_runs(path, x.n, &n_runs);
    qsort(runs, n_runs, sizeof *runs, by_key);
    write_stored(stored, &x, runs, n_runs, n);
    write_asked(asked, &x, runs, n_runs);
    free(runs);
    npy_unmap(&x);
    return 0;
}

/* ---- mix ---- */

static void
mix_block(const npy *x, const float matrix[], float wide[], float rows[], size_t first,
          size_t n)
{
    const size_t dim = x->dim;
    for (size_t i = 0; i < n * MIXED; i++)
        memcpy(wide + i * dim, x->rows + draw(2, first * MIXED + i) % x->n * dim,
               dim * sizeof *wide);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)dim,
                (int)(MIXED * dim), 1, wide, (int)(MIXED * dim), matrix, (int)dim, 0,
                rows, (int)dim);
    for (size_t i = 0; i < n; i++)
        to_unit(rows + i * dim, dim);
}

static int
mix(const char *in, const char *path, size_t n)
{
    npy x = npy_map(in);
    float *matrix = need(malloc(MIXED * x.dim * x.dim * sizeof *matrix));
    float *wide = need(malloc(BLOCK * MIXED * x.dim * sizeof *wide));
    float *rows = need(malloc(BLOCK * x.dim * sizeof *rows));
    out to = out_open(path, n, x.dim);
    for (size_t i = 0; i < MIXED * x.dim * x.dim; i++)
        matrix[i] = normal(draw(3, i));
    for (size_t i = 0; x.n && i < n; i += BLOCK) {
        const size_t take = n - i < BLOCK ? n - i : BLOCK;
        mix_block(&x, matrix, wide, rows, i, take);
        out_put_counted(&to, rows, take, i);
    }
    out_close(&to);
    free(rows);
    free(wide);
    free(matrix);
    npy_unmap(&x);
    return 0;
}

/* ---- grow ---- */

static float
distance(const float a[], const float b[], size_t dim)
{
    double sum = 0;
    for (size_t j = 0; j < dim; j++) {
        const double d = (double)a[j] - (double)b[j];
        sum += d * d;
    }
    return (float)sqrt(sum);
}

/* To the nearer one of the rows before and behind. */
static float
step_of(const npy *x, size_t row)
{
    const float *at = x->rows + row * x->dim;
    const float back = row ? distance(at, at - x->dim, x->dim) : 2;
    const float on = row + 1 < x->n ? distance(at, at + x->dim, x->dim) : 2;
    return back < on ? back : on;
}

/* Row i of what is made of a row of x. */
static void
grow_row(const npy *x, size_t row, uint64_t i, float moved[])
{
    const float *from = x->rows + row * x->dim;
    for (size_t j = 0; j < x->dim; j++)
        moved[j] = normal(draw(5 + i, j));
    const float scale = step_of(x, row) / length_of(moved, x->dim);
    for (size_t j = 0; j < x->dim; j++)
        moved[j] = from[j] + scale * moved[j];
    to_unit(moved, x->dim);
}

/* What sounds become: their rows follow each other. */
static int
grow(const char *in, const char *path, size_t n)
{
    char table[1024];
    size_t n_runs, made = 0;
    npy x = npy_map(in);
    name_of_table(in, table, sizeof table);
    run *runs = read_runs(table, x.n, &n_runs);
    float *moved = need(malloc(x.dim * sizeof *moved));
    out to = out_open(path, n, x.dim);
    for (size_t r = 0; r < n_runs; r++)
        for (size_t row = runs[r].first, of_sound = 0; row < runs[r].end; row++)
            for (; made < (row + 1) * n / x.n; made++) {
                grow_row(&x, row, made, moved);
                out_put(&to, moved, 1, r, of_sound++);
            }
    out_close(&to);
    free(moved);
    free(runs);
    npy_unmap(&x);
    return 0;
}

/* The first lines of the table beside IN, where one is, go beside OUT. */
static void
copy_names(const char *in, const char *path, size_t n_lines)
{
    char from[1024], *line = NULL;
    size_t cap = 0;
    name_of_table(in, from, sizeof from);
    FILE *old = fopen(from, "r");
    if (!old)
        return; /* queries have none */
    FILE *to = create_table(path);
    for (size_t i = 0; i < n_lines && getline(&line, &cap, old) > 0; i++)
        fputs(line, to);
    free(line);
    fclose(old);
    npy_close(to, path);
}

static int
head(const char *in, const char *path, size_t n)
{
    npy x = npy_map(in);
    const size_t take = x.n < n ? x.n : n;
    FILE *to = npy_create(path, take, x.dim);
    npy_put(to, x.rows, take, x.dim);
    npy_close(to, path);
    npy_unmap(&x);
    copy_names(in, path, 1 + take);
    return 0;
}

int
main(int argc, char **argv)
{
    const size_t n = argc > 1 ? strtoull(argv[argc - 1], NULL, 10) : 0;
    const char *what = argc > 1 ? argv[1] : "";
    if (argc == 6 && n && !strcmp(what, "split"))
        return split(argv[2], argv[3], argv[4], n);
    if (argc == 5 && n && !strcmp(what, "mix"))
        return mix(argv[2], argv[3], n);
    if (argc == 5 && n && !strcmp(what, "grow"))
        return grow(argv[2], argv[3], n);
    if (argc == 5 && n && !strcmp(what, "head"))
        return head(argv[2], argv[3], n);
    fputs("usage: vectors split NAME STORED.npy ASKED.npy N\n"
          "       vectors mix|grow|head IN.npy OUT.npy N\n",
          stderr);
    return 64;
}
