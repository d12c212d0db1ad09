/* What an open file is made of, for people. */
#include "format.h"

static const fmt_header *
header_of(const idx_index *index)
{
    return (const void *)index->data;
}

uint32_t
idx_format(const idx_index *index)
{
    return header_of(index)->version;
}

uint32_t
idx_n_sections(const idx_index *index)
{
    return header_of(index)->n_sections;
}

idx_section
idx_section_of(const idx_index *index, uint32_t i)
{
    const fmt_section *table = (const void *)(header_of(index) + 1);
    return (idx_section){.name = fmt_kind_name(table[i].kind),
                         .scale = table[i].scale,
                         .bytes = table[i].bytes,
                         .checksum = table[i].checksum};
}
