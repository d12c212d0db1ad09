#include "records.h"

#include "rt.h"

static rt_record *
record_of(const rt_inputs *in, uint32_t i)
{
    return atomic_load(&in->input[i].record);
}

uint32_t
rt_records_dump(const rt_inputs *in)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < in->n; i++)
        n += rt_record_dump(record_of(in, i));
    return n;
}

static void
tell_news(const rt_inputs *in)
{
    char text[RT_TEXT + 400];
    for (uint32_t i = 0; i < in->n; i++)
        if (rt_record_news(record_of(in, i), text, sizeof text))
            rt_say("%s", text);
}

void
rt_records_tick(const rt_inputs *in)
{
    if (rt_record_signalled() && !rt_records_dump(in))
        rt_say(
            in->n && record_of(in, 0)
                ? "a recording is being written already; ask again when it is done"
                : "SIGUSR1 came, but no sound is kept; start with --record-seconds N");
    tell_news(in);
}

void
rt_records_stop(const rt_inputs *in)
{
    for (uint32_t i = 0; i < in->n; i++)
        rt_record_stop(record_of(in, i));
    tell_news(in);
}
