/* A live page from the fuzzer, as it is or as changes to a good one: refused with a
 * sentence, or shown so that no terminal comes to harm. */
#include "live_support.h"
#include "rt/top.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

/* Changes: where (three bytes), how many (one), the bytes themselves. */
static void
patch(rt_live_page *page, const uint8_t data[], size_t n)
{
    while (n >= 5) {
        const size_t at =
            ((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % sizeof *page;
        size_t length = data[3] < n - 4 ? data[3] : n - 4;
        length = length < sizeof *page - at ? length : sizeof *page - at;
        memcpy((char *)page + at, data + 4, length);
        data += 4 + length;
        n -= 4 + length;
    }
}

static void
show(const rt_live_page *page, int columns, int rows, bool utf8)
{
    static rt_live_page good;
    char *text = NULL;
    size_t n = 0;
    page_fill(&good);
    const rt_top t = {.now = page, .before = &good, .now_s = 161, .before_s = 160};
    rt_canvas c = {.columns = columns, .rows = rows, .screen = true, .utf8 = utf8};
    c.to = open_memstream(&text, &n);
    must(c.to != NULL);
    rt_top_screen(&c, &t);
    must(!fclose(c.to) && is_tame(text, columns, rows));
    free(text);
    c = (rt_canvas){.columns = columns, .rows = rows};
    c.to = open_memstream(&text, &n);
    must(c.to != NULL);
    rt_top_line(&c, &t);
    rt_top_json(c.to, &t);
    must(!fclose(c.to) && n > 2 && text[n - 1] == '\n');
    int lines = 0;
    for (size_t i = 0; i < n; i++) {
        must((unsigned char)text[i] >= 0x20 || text[i] == '\n');
        lines += text[i] == '\n';
    }
    must(lines == 2);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    static rt_live_page page;
    char why[200];
    if (n < 3)
        return 0;
    setlocale(LC_CTYPE, "C.UTF-8");
    size_t length = sizeof page;
    if (data[0] & 1U) { /* as it is */
        length = n - 3 < sizeof page ? n - 3 : sizeof page;
        memset(&page, 0, sizeof page);
        memcpy(&page, data + 3, length);
    } else {
        page_fill(&page);
        patch(&page, data + 3, n - 3);
        if (data[0] & 2U)
            page_seal(&page);
    }
    memset(why, 'x', sizeof why);
    if (rt_live_check(&page, length, why, sizeof why)) {
        show(&page, 1 + data[1], 1 + data[2], data[0] & 4U);
    } else {
        must(memchr(why, 0, sizeof why) != NULL && *why);
    }
    return 0;
}
