/* rt/cmd_export.c: the same vectors give the same files, however an index holds them.
 */
#include "rt/import.h"
#include "rt/rt.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 3000, DIM = 16, SOUNDS = 40 };

static char folder[200], before[1000];
static rt_options o;

static void
enter(void)
{
    ck_assert(getcwd(before, sizeof before) != NULL);
    make_folder(folder, sizeof folder);
    ck_assert(!chdir(folder));
    rt_options_default(&o);
}

static void
leave(void)
{
    ck_assert(!chdir(before));
    remove_tree(folder);
}

/* Rows around SOUNDS directions, in turns; every third shares its time with others. */
static void
make_rows(rt_import *im, uint64_t seed)
{
    static float centre[SOUNDS][DIM];
    char why[400];
    for (int i = 0; i < SOUNDS * DIM; i++)
        centre[i / DIM][i % DIM] = (float)random_normal(&seed);
    for (int i = 0; i < ROWS; i++) {
        float x[DIM];
        char sound[16];
        for (int j = 0; j < DIM; j++)
            x[j] = centre[i % SOUNDS][j] + 0.1F * (float)random_normal(&seed);
        snprintf(sound, sizeof sound, "v%d", i % SOUNDS);
        const rt_vector v = {.x = x,
                             .dim = DIM,
                             .sound = sound,
                             .start_s = i % 3 ? (float)(ROWS - i) : 0,
                             .length_s = 1,
                             .class_id = i % SOUNDS};
        ck_assert_msg(rt_import_row(im, &v, why, sizeof why), "%s", why);
    }
}

/* Writes an index of the rows as that family has them. */
static void
write_index(const char *path, const idx_params *params)
{
    const rt_names names = {0};
    rt_import im = {.o = &o, .names = &names, .file = "f"};
    const idx_tuning how = {.seed = 1, .target_recall = 0.95F};
    idx_built *built = NULL;
    char why[400];
    make_rows(&im, 5);
    ck_assert_msg(rt_import_finish(&im, why, sizeof why), "%s", why);
    idx_scale *sc = &im.contents.scales[im.set];
    sc->params = *params;
    ck_assert(!idx_tune(sc, &how, &sc->params, &built));
    sc->built = built;
    ck_assert_msg(!idx_write(path, &im.contents, NULL, why, sizeof why), "%s", why);
    idx_built_free(built);
    rt_import_free(&im);
}

static void
run(int (*command)(int, char **), const char *const words[], int want)
{
    char text[12][64], *argv[13] = {NULL};
    int argc = 0;
    for (; words[argc]; argc++) {
        snprintf(text[argc], sizeof text[0], "%s", words[argc]);
        argv[argc] = text[argc];
    }
    fflush(stdout);
    const int out = dup(STDOUT_FILENO);
    ck_assert(out >= 0 && freopen("out", "w", stdout));
    const int status = command(argc, argv);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    ck_assert_int_eq(status, want);
}

static void
export_to(const char *index, const char *name)
{
    run(rt_cmd_export, (const char *const[]){"export", index, "-o", name, NULL}, RT_OK);
}

/* Imports what export wrote and exports it again, with the same result. */
static void
comes_back(const char *name)
{
    char npy[64], csv[64];
    snprintf(npy, sizeof npy, "%s.npy", name);
    snprintf(csv, sizeof csv, "%s.csv", name);
    run(rt_cmd_import,
        (const char *const[]){"import", npy, "--import-labels", csv, "-o", "back.hkn",
                              NULL},
        RT_OK);
    export_to("back.hkn", "back");
    same_file(npy, "back.npy");
    same_file(csv, "back.csv");
}

START_TEST(families_that_order_entries_anew_give_the_same_vectors)
{
    write_index("exact.hkn", &(idx_params){.family = IDX_EXACT});
    write_index("planes.hkn", &(idx_params){.family = IDX_HYPERPLANE});
    write_index("cells.hkn", &(idx_params){.family = IDX_CELLS});
    export_to("exact.hkn", "exact");
    export_to("planes.hkn", "planes");
    export_to("cells.hkn", "cells");
    same_file("exact.npy", "planes.npy");
    same_file("exact.csv", "planes.csv");
    same_file("exact.csv", "cells.csv"); /* rows at one place may have changed theirs */
    comes_back("exact");
    comes_back("cells");
}
END_TEST

START_TEST(rows_of_fewer_bits_come_back_too)
{
    write_index("half.hkn", &(idx_params){.family = IDX_EXACT, .stored = IDX_F16});
    write_index("bytes.hkn", &(idx_params){.family = IDX_CELLS, .stored = IDX_I8});
    export_to("half.hkn", "half");
    export_to("bytes.hkn", "bytes");
    comes_back("half");
    comes_back("bytes");
}
END_TEST

START_TEST(rows_of_cells_are_in_order_of_sound_and_time)
{
    size_t n;
    write_index("cells.hkn", &(idx_params){.family = IDX_CELLS});
    export_to("cells.hkn", "cells");
    char *text = read_file("cells.csv", &n), *line = strchr(text, '\n') + 1;
    int sound = 0, rows = 0;
    for (double before_s = 0; *line; rows++) {
        char *end;
        ck_assert_int_eq(*line, 'v');
        const int s = (int)strtol(line + 1, &end, 10);
        const double start = strtod(end + 1, &end);
        ck_assert(s == sound || s == sound + 1);
        ck_assert(s != sound || start >= before_s);
        sound = s;
        before_s = start;
        line = strchr(line, '\n') + 1;
    }
    ck_assert_int_eq(rows, ROWS);
    free(text);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/cmd_export");
    TCase *t = tcase_create("files");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, enter, leave);
    tcase_add_test(t, families_that_order_entries_anew_give_the_same_vectors);
    tcase_add_test(t, rows_of_fewer_bits_come_back_too);
    tcase_add_test(t, rows_of_cells_are_in_order_of_sound_and_time);
    suite_add_tcase(s, t);
    return run_suite(s);
}
