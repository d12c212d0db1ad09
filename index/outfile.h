/* A file that appears under its name complete, or not at all. Cold. */
#ifndef HEARKEN_OUTFILE_H
#define HEARKEN_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *temp;       /* the name until outfile_commit(), in the same folder */
    const char *path; /* the name from then on; the caller's */
    const char *step; /* what was tried last, for the sentence after a failure */
    int fd;
    bool created;          /* temp is ours to remove */
    unsigned char *memory; /* goes there instead, or NULL; the next byte */
} outfile;

/* What is written goes to memory, which has room for all of it. */
void outfile_to_memory(outfile *f, void *memory);

/* These return false with errno where the system refused; step then says what. */
bool outfile_open(outfile *f, const char *path);
bool outfile_write(outfile *f, const void *data, size_t n_bytes);

/* Syncs, renames and syncs the folder. */
bool outfile_commit(outfile *f);

/* Closes, and removes the temporary file if it was not committed. Keeps errno. */
void outfile_close(outfile *f);

#endif
