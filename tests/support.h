/* Sound, noise, files and a counted heap for the tests. Seeded and in memory. */
#ifndef HEARKEN_TESTS_SUPPORT_H
#define HEARKEN_TESTS_SUPPORT_H

#include "rt/options.h"

#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs the suites of one program; its exit status. */
int run_suite(Suite *suite);

/* xorshift64*: the same numbers everywhere. */
uint64_t random_u64(uint64_t *state);
double random_unit(uint64_t *state);   /* [-1, 1) */
double random_normal(uint64_t *state); /* mean 0, sd 1 */

/* The signal of tests/golden: a chirp and white noise, one second, exact in every bit.
 */
void golden_signal(float x[], uint32_t rate_hz, double scale);

/*
 * A sound of its own for each seed: a few decaying partials and band noise, peak 0.5,
 * so that different seeds are told apart. n samples.
 */
void make_sound(float x[], size_t n, uint32_t rate_hz, uint64_t seed);

/* Reads tests/golden/NAME.npy (float32, 1 or 2 dimensions); aborts the test when it
 * cannot. cols is 1 for one dimension. Free it. */
float *golden_load(const char *name, size_t *rows, size_t *cols);

/* Writes 16-bit mono wav. */
void write_wav(const char *path, const float x[], size_t n, uint32_t rate_hz);

/* What a file holds, and a zero behind it; free it. */
char *read_file(const char *path, size_t *n);
void same_file(const char *a, const char *b);

/* Twelve sounds of 0.05 to 12 s, number i by seed i + 1 as FOLDER/ii.wav at 48 kHz, the
 * last one at 44.1 kHz. */
enum { CORPUS_SOUNDS = 12 };
void write_corpus(const char *folder);

/* What `hearken build` does, with so many threads; every file must be usable. */
void build_corpus(const char *folder, const rt_options *o, uint32_t threads,
                  const char *index_path);

/* Puts into an index what noises answer, as `hearken build` does: opening it to listen
 * then takes no third of a second. */
void store_noises(const char *index_path, const rt_options *o);

/* A fresh folder below $TMPDIR or /tmp; remove_tree() takes it away with all in it. */
void make_folder(char path[], size_t len);
void remove_tree(const char *path);

/*
 * Every malloc, calloc, realloc, aligned_alloc and strdup of the project's objects goes
 * through here in tests (--wrap): heap_calls counts them, and with heap_fail_at k > 0
 * the k-th from now on fails, once.
 */
extern _Atomic uint64_t heap_calls;
extern _Atomic uint64_t heap_fail_at;

#endif
