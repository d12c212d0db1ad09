#include "format.h"

#include <stdarg.h>
#include <stdio.h>

const char *
idx_status_text(idx_status st)
{
    switch (st) {
    case IDX_OK:
        return "done";
    case IDX_EARG:
        return "an argument is outside of what index.h allows";
    case IDX_ENOMEM:
        return "out of memory";
    case IDX_EIO:
        return "the file cannot be read or written";
    case IDX_EFORMAT:
        return "the file is not an intact index of this format";
    case IDX_ESILENT:
        return "the query has no direction: it is silent or not finite";
    }
    return "unknown status";
}

idx_status
idx_because(idx_status st, char *why, size_t why_len, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (why && why_len > 0)
        vsnprintf(why, why_len, format, args);
    va_end(args);
    return st;
}
