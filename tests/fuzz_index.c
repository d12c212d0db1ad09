/* Any bytes, with the checksums made right, either are refused or can be searched. */
#include "tests/idx_damage.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    char why[200] = "";
    idx_index *ix = NULL;
    unsigned char *data =
        aligned_alloc(FMT_ALIGN, (n_bytes / FMT_ALIGN + 1) * FMT_ALIGN);
    if (!data)
        return 0;
    memcpy(data, bytes, n_bytes);
    fix_checksums(data, n_bytes);
    if (idx_open_memory(&ix, data, n_bytes, why, sizeof why) == IDX_OK)
        use_all(ix);
    else if (why[0] == '\0' || ix)
        abort(); /* a refusal says why, and gives nothing */
    idx_close(ix);
    free(data);
    return 0;
}
