/* hearken check x.hkn: whether an index is whole, and finds what it holds. */
#include "analyse.h"
#include "load.h"
#include "out.h"
#include "rt.h"
#include "self.h"

#include <stdlib.h>

static const char *
space_of(uint32_t set)
{
    return set < DSP_SCALES || set == IDX_TIMBRE ? "" : "-labels";
}

static uint64_t
total_bytes(const idx_index *ix)
{
    size_t n;
    idx_memory(ix, &n);
    return n;
}

static void
name_set(uint32_t set, char out[32])
{
    if (set < IDX_SCALES)
        snprintf(out, 32, "%s%s", rt_scale_name(rt_scale_of_set(set)), space_of(set));
    else
        snprintf(out, 32, "-");
}

/* self is NULL where entries were not asked for; so in all below. */
static void
print_table(const idx_index *ix, const char *path, const rt_self *self)
{
    char name[32];
    printf("%s: format %u, %llu bytes; header, %u sections and all that is in them "
           "are right\n\n",
           path, idx_format(ix), (unsigned long long)total_bytes(ix),
           idx_n_sections(ix));
    puts("section        scale                bytes  checksum");
    for (uint32_t i = 0; i < idx_n_sections(ix); i++) {
        const idx_section s = idx_section_of(ix, i);
        name_set(s.scale, name);
        printf("%-13s  %-12s  %12llu  %016llx\n", s.name, name,
               (unsigned long long)s.bytes, (unsigned long long)s.checksum);
    }
    puts("\nscale           entries  do not find themselves");
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        const idx_scale *sc = idx_scale_of(ix, s);
        if (!sc->n_in)
            continue;
        name_set(s, name);
        printf("%-12s %10u  ", name, sc->n_entries);
        if (!self)
            puts("not asked");
        else if (!self[s].n_asked)
            puts("0: each search compares all");
        else
            printf("%u\n", self[s].n_lost);
    }
    if (!self || !rt_self_lost(self))
        return;
    putchar('\n');
    rt_self_print(stdout, self, ix);
}

static void
json_lost(const idx_index *ix, uint32_t set, const rt_self *self)
{
    printf(",\"asked\":%u,\"lost\":%u,\"lost_entries\":[", self->n_asked, self->n_lost);
    for (uint32_t i = 0; i < self->n_lost && i < RT_SELF_LISTED; i++) {
        const idx_entry *e = &idx_scale_of(ix, set)->entries[self->lost[i]];
        printf("%s{\"entry\":%u,\"start\":%.3f,\"path\":", i ? "," : "", self->lost[i],
               (double)e->start_s);
        rt_json_string(stdout, idx_sound_of(ix, e->sound).path);
        putchar('}');
    }
    putchar(']');
}

static void
print_json(const idx_index *ix, const char *path, const rt_self *self)
{
    char name[32];
    const char *comma = "";
    fputs("{\"path\":", stdout);
    rt_json_string(stdout, path);
    printf(",\"format\":%u,\"bytes\":%llu,\"sounds\":%u,\"sections\":[", idx_format(ix),
           (unsigned long long)total_bytes(ix), idx_n_sounds(ix));
    for (uint32_t i = 0; i < idx_n_sections(ix); i++) {
        const idx_section s = idx_section_of(ix, i);
        name_set(s.scale, name);
        printf("%s{\"name\":\"%s\",\"scale\":\"%s\",\"bytes\":%llu,\"checksum\":"
               "\"%016llx\"}",
               i ? "," : "", s.name, name, (unsigned long long)s.bytes,
               (unsigned long long)s.checksum);
    }
    fputs("],\"scales\":{", stdout);
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        if (!idx_scale_of(ix, s)->n_in)
            continue;
        name_set(s, name);
        printf("%s\"%s\":{\"entries\":%u", comma, name, idx_scale_of(ix, s)->n_entries);
        if (self)
            json_lost(ix, s, &self[s]);
        putchar('}');
        comma = ",";
    }
    puts("}}");
}

static int
check(const idx_index *ix, const char *path, const rt_options *o)
{
    char why[200];
    rt_self self[IDX_SCALES];
    rt_catch_stop();
    if (o->check.self && !rt_self_search(self, ix, o->build.threads, why, sizeof why)) {
        rt_say("%s: %s", path, why);
        return atomic_load(&rt_stop) ? RT_INTERRUPTED : RT_SOFTWARE;
    }
    const rt_format f = rt_out_format(o->out.format, stdout);
    if (f == RT_FORMAT_JSON)
        print_json(ix, path, o->check.self ? self : NULL);
    else if (f == RT_FORMAT_TABLE)
        print_table(ix, path, o->check.self ? self : NULL);
    return rt_finish_output(RT_OK);
}

int
rt_cmd_check(int argc, char **argv)
{
    rt_options o;
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_CHECK, argc, argv, rest, &status);
    idx_index *index = NULL;
    if (n == 0 || n > 1) {
        rt_say("name one index; see hearken check --help");
        status = RT_USAGE;
    } else if (n == 1) {
        status = rt_load(&index, rest[0], NULL, false);
    }
    if (index)
        status = check(index, rest[0], &o);
    idx_close(index);
    free(rest);
    return status;
}
