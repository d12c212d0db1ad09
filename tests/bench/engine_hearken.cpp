/* hearken's own indexes, through index/index.h alone. */
#include "engines.h"

#include <atomic>
#include <stdatomic.h> /* empty in C++17: index.h includes it again */
using std::atomic_int;
extern "C" {
#include "index/index.h"
}

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>

namespace
{

enum { FRAME = 0, CHECKED = 1000 };

class Hearken : public Engine
{
  public:
    Hearken(const std::string &label, const std::string &its_path)
        : Engine(label), path(its_path)
    {
    }

    ~Hearken() override
    {
        idx_scratch_free(scratch);
        idx_close(index);
    }

    void
    load(const Vectors &base, const std::string &) override
    {
        char why[500] = "";
        const size_t before = resident_bytes();
        if (idx_load(&index, path.c_str(), why, sizeof why))
            give_up(why, 65);
        if (idx_scratch_new(&scratch, index))
            give_up(path + ": no memory to search with", 70);
        rss_bytes = resident_bytes() - before;
        idx_memory(index, &bytes);
        std::ifstream(path + ".seconds") >> build_s;
        built = idx_scale_of(index, FRAME)->params;
        find_rows(base);
    }

    /* Of cells, rows that are compared cost as well: so do several widths. */
    std::vector<Ladder>
    ladders() const override
    {
        std::vector<Ladder> out;
        if (built.family == IDX_EXACT)
            return {fixed()};
        if (built.family != IDX_CELLS)
            return {probes(0)};
        for (double width = 0.5; width < 3.1; width += 0.5)
            out.push_back(probes(width));
        return out;
    }

    Ladder
    fixed() const override
    {
        char text[120] = "as built";
        if (built.family == IDX_CELLS)
            snprintf(text, sizeof text, "as built: %u cells, %u probes, width %.2f",
                     built.n_cells, built.n_probes, static_cast<double>(built.width));
        else if (built.family != IDX_EXACT)
            snprintf(text, sizeof text, "as built: K %u, L %u, %u probes",
                     built.n_planes, built.n_tables, built.n_probes);
        return {{built.n_probes, static_cast<double>(built.width), text}};
    }

    /* The caps grow as the probes do, or a recall above the one that the index was made
     * for could not be reached; as built, they are the file's. */
    void
    set(const Effort &e) override
    {
        idx_params p = built;
        const double more =
            std::fmax(static_cast<double>(e.a) / std::max(built.n_probes, 1U), 1);
        p.n_probes = e.a;
        if (e.b > 0)
            p.width = static_cast<float>(e.b);
        p.max_candidates = at_most_all(more * built.max_candidates);
        p.max_scanned = at_most_all(more * built.max_scanned);
        if (built.family != IDX_EXACT && idx_scratch_set(scratch, FRAME, &p))
            give_up(path + ": cannot be searched with " + e.text, 70);
    }

    void
    query(const float x[], int64_t ids[K]) override
    {
        idx_hit hits[K];
        uint32_t n = 0;
        if (idx_query(index, FRAME, scratch, x, K, hits, &n, nullptr))
            give_up(path + ": a query failed", 70);
        for (uint32_t i = 0; i < K; i++)
            ids[i] = i < n ? row[hits[i].entry] : -1;
    }

  private:
    uint32_t
    at_most_all(double n) const
    {
        return static_cast<uint32_t>(std::fmin(n, static_cast<double>(row.size())));
    }

    Ladder
    probes(double width) const
    {
        char text[80];
        Ladder out;
        const unsigned least =
            built.family == IDX_CELLS ? 1 : std::max(built.n_tables, 1U);
        const unsigned most =
            built.family == IDX_CELLS ? built.n_cells : 0U + IDX_MAX_PROBES;
        for (double x = least; x <= most; x = std::fmax(x * 1.2, x + 1)) {
            const unsigned a = static_cast<unsigned>(x);
            snprintf(text, sizeof text,
                     width > 0 ? "%u probes, width %.1f" : "%u probes", a, width);
            out.push_back({a, width, text});
        }
        return out;
    }

    /* An index may keep its entries in an order of its own; those of one sound are in
     * their order in time, as the rows of base are. */
    void
    find_rows(const Vectors &base)
    {
        const idx_scale *s = idx_scale_of(index, FRAME);
        if (s->n_entries != base.n || s->dim != base.dim)
            give_up(path + ": does not hold the rows of base", 65);
        std::vector<uint32_t> order(base.n);
        std::iota(order.begin(), order.end(), 0U);
        const idx_entry *e = s->entries;
        std::sort(order.begin(), order.end(), [e](uint32_t a, uint32_t b) {
            if (e[a].sound != e[b].sound)
                return e[a].sound < e[b].sound;
            return e[a].start_s != e[b].start_s ? e[a].start_s < e[b].start_s : a < b;
        });
        row.resize(base.n);
        for (size_t i = 0; i < base.n; i++)
            row[order[i]] = static_cast<int64_t>(i);
        check_rows(base);
    }

    /* Rows may be rounded, to a byte a value at the worst, but not be others. */
    void
    check_rows(const Vectors &base) const
    {
        std::vector<float> x(base.dim);
        for (size_t i = 0; i < CHECKED; i++) {
            const size_t entry = i * base.n / CHECKED;
            const float *y = base.rows + static_cast<size_t>(row[entry]) * base.dim;
            double off = 0;
            idx_row(index, FRAME, static_cast<uint32_t>(entry), x.data());
            for (size_t j = 0; j < base.dim; j++)
                off += std::pow(static_cast<double>(x[j] - y[j]), 2);
            if (std::sqrt(off) > 0.05)
                give_up(path + ": its rows are not those of base, in their order", 65);
        }
    }

    std::string path;
    idx_index *index = nullptr;
    idx_scratch *scratch = nullptr;
    idx_params built = {};
    std::vector<int64_t> row; /* of base, by entry */
};

} // namespace

std::unique_ptr<Engine>
hearken_new(const std::string &label, const std::string &path)
{
    return std::unique_ptr<Engine>(new Hearken(label, path));
}
