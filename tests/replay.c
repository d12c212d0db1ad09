/*
 * Runs one fuzzer's target over files, without the fuzzer: every input that ever broke
 * something stays in tests/corpus/NAME and is tried again by `make check`.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    long n = -1;
    if (f && !fseek(f, 0, SEEK_END))
        n = ftell(f);
    uint8_t *data = n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (!data || fseek(f, 0, SEEK_SET) || fread(data, 1, (size_t)n, f) != (size_t)n) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        return 1;
    }
    LLVMFuzzerTestOneInput(data, (size_t)n);
    free(data);
    fclose(f);
    return 0;
}

int
main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    int runs = 0, failed = 0;
    if (!dir) {
        fprintf(stderr, "replay: name a folder of inputs\n");
        return 64;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[1024];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        failed += run_file(path);
        runs++;
    }
    closedir(dir);
    printf("replay of %s: %d inputs\n", argv[1], runs);
    return failed || !runs;
}
