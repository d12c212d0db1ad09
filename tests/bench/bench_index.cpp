/*
 * hearken's indexes beside FAISS and hnswlib: one query at a time, one thread, one
 * core.
 *
 *     bench_index BASE.npy QUERIES.npy RESULTS.tsv ENGINE...      (engines.h)
 *
 * First every engine is asked along its ladders of efforts, which gives the curves;
 * then its cheapest settings that reach each target take turns over all queries in
 * random order, so that what disturbs the machine disturbs all alike, in several laps,
 * of whose times for a query the least is what it takes undisturbed; then the same
 * again with the engine idle for 5 to 500 ms between two queries. Everything is loaded
 * and locked in memory before. stdout gets Markdown tables, RESULTS.tsv a line for each
 * figure.
 *
 * Recall@10: a row counts as found when it is among the ten nearest or no further than
 * 1.001 times the tenth, by distances in double; the exact answers are kept beside
 * BASE.
 *
 * In the environment: CORE (1), ROUNDS (10; 0 only sweeps), LAPS (5), IDLE (60: queries
 * with pauses, 0 for none), SWEEP (1000: queries of a sweep), ENOUGH (0.995: recall at
 * which it ends), TARGETS (0.95 0.99).
 */
#include "engines.h"
#include "npy.h"
#include "truth.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <random>
#include <sstream>
#include <thread>

namespace
{

typedef std::chrono::steady_clock Clock;

double
us_since(Clock::time_point began)
{
    return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
}

std::string
setting(const char *name, const char *otherwise)
{
    const char *given = getenv(name);
    return given && *given ? given : otherwise;
}

struct Point {
    Engine *engine;
    Effort effort;
    double recall, p50;
};

/* What takes part in the comparison: an engine at one setting, and what became of it.
 */
struct Entrant {
    Engine *engine;
    Effort effort;
    std::string target;
    double recall = 0; /* sum over the queries timed in us */
    std::vector<double> us, idle_us;
    std::vector<double> least_us; /* of each query over the laps, INFINITY: not asked */
};

/* x gets sorted. */
double
quantile(std::vector<double> &x, double share)
{
    if (x.empty())
        return NAN;
    std::sort(x.begin(), x.end());
    return x[std::min(x.size() - 1, static_cast<size_t>(share * x.size()))];
}

class Bench
{
  public:
    Bench(const Vectors &the_base, const Vectors &the_queries, const Truth &the_truth,
          FILE *results)
        : base(the_base), queries(the_queries), truth(the_truth), tsv(results)
    {
    }

    /* Climbs the ladders of an engine. */
    void
    sweep(Engine &e)
    {
        double best = INFINITY; /* time at which all that is asked for was found */
        for (const Ladder &ladder : e.ladders()) {
            double before = -1;
            int flat = 0;
            for (const Effort &effort : ladder) {
                const Point p = measure(e, effort);
                points.push_back(p);
                /* Higher on this ladder there is nothing to be had. */
                flat = p.recall < before + 1e-4 ? flat + 1 : 0;
                before = std::max(before, p.recall);
                if (p.recall >= enough)
                    best = std::min(best, p.p50);
                if (p.recall >= enough || flat >= 6 || p.p50 > 2 * best)
                    break;
            }
        }
    }

    /* The cheapest setting that reaches the target, by more queries than the sweep had.
     */
    void
    enter(Engine &e, const std::string &target)
    {
        const double wanted = std::stod(target),
                     luck = 0.01; /* of the sweep's queries */
        std::vector<Point> likely;
        for (const Point &p : points)
            if (p.engine == &e && p.recall >= wanted - luck)
                likely.push_back(p);
        std::sort(likely.begin(), likely.end(),
                  [](const Point &x, const Point &y) { return x.p50 < y.p50; });
        for (const Point &p : likely)
            if (recall_of_more(p) >= wanted) {
                entrants.push_back({&e, p.effort, target, 0, {}, {}, {}});
                return;
            }
        printf("%s does not reach a recall of %s.\n\n", e.name.c_str(), target.c_str());
    }

    void
    enter_fixed(Engine &e)
    {
        for (const Effort &effort : e.fixed())
            entrants.push_back({&e, effort, "own", 0, {}, {}, {}});
    }

    /* All queries in each lap, in rounds in which all entrants take turns; of the slow
     * a fifth of them. */
    void
    race(size_t n_rounds, size_t n_laps)
    {
        std::vector<size_t> order = shuffled(11);
        for (Entrant &e : entrants) {
            e.us.reserve(queries.n * n_laps);
            e.least_us.assign(queries.n, INFINITY);
        }
        for (size_t r = 0; r < n_rounds * n_laps; r++) {
            const size_t round = r % n_rounds, from = round * queries.n / n_rounds,
                         end = (round + 1) * queries.n / n_rounds;
            for (size_t i = 0; i < entrants.size(); i++)
                run_heat(entrants[(i + r) % entrants.size()], order, from, end);
        }
    }

    /* The same with pauses, each entrant in heats of 25 queries. */
    void
    race_idle(size_t n)
    {
        std::mt19937_64 rng(12);
        std::uniform_real_distribution<double> pause_ms(5, 500);
        std::vector<size_t> order = shuffled(13);
        const size_t heat = 25;
        for (size_t from = 0; from < n; from += heat)
            for (Entrant &e : entrants) {
                int64_t ids[K];
                e.engine->set(e.effort);
                for (size_t i = from; i < std::min(from + heat, n); i++) {
                    const std::chrono::duration<double, std::milli> pause(
                        pause_ms(rng));
                    std::this_thread::sleep_for(pause);
                    const float *x = query(order[i % order.size()]);
                    const auto began = Clock::now();
                    e.engine->query(x, ids);
                    e.idle_us.push_back(us_since(began));
                }
            }
    }

    void
    print_sweeps() const
    {
        std::vector<const Engine *> seen;
        for (const Point &p : points)
            if (std::find(seen.begin(), seen.end(), p.engine) == seen.end()) {
                seen.push_back(p.engine);
                for (const Effort &e : p.engine->fixed())
                    fprintf(tsv, "built\t%s\t%s\n", p.engine->name.c_str(),
                            e.text.c_str());
            }
        for (const Point &p : points)
            fprintf(tsv, "sweep\t%s\t%s\t%.5f\t%.2f\n", p.engine->name.c_str(),
                    p.effort.text.c_str(), p.recall, p.p50);
    }

    void
    print()
    {
        printf("%zu vectors of %zu dimensions, %zu queries\n\n", base.n, base.dim,
               queries.n);
        printf("| recall@10 wanted | engine | setting | recall | p50 µs | p99 | p99.9 "
               "| max | p99.9 / p50 | undisturbed: p50 | p99.9 | p99.9 / p50 "
               "| after pauses: p50 | p99 | max | p99.9 / p50 with them |\n"
               "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
        for (Entrant &e : entrants)
            print_entrant(e);
        print_memory();
        print_ratios();
    }

    double enough = 0.995; /* sweeps end at this recall */
    size_t n_sweep = 1000;

  private:
    const float *
    query(size_t i) const
    {
        return queries.rows + i * queries.dim;
    }

    std::vector<size_t>
    shuffled(unsigned seed) const
    {
        std::vector<size_t> order(queries.n);
        for (size_t i = 0; i < order.size(); i++)
            order[i] = i;
        std::mt19937_64 rng(seed);
        for (size_t i = order.size(); i > 1; i--)
            std::swap(order[i - 1], order[rng() % i]);
        return order;
    }

    Point
    measure(Engine &e, const Effort &effort)
    {
        std::vector<double> us;
        const size_t n = std::min(n_sweep, queries.n);
        double recall = 0;
        int64_t ids[K];
        e.set(effort);
        for (size_t i = 0; i < n / 20; i++)
            e.query(query(i), ids);
        const auto all_began = Clock::now();
        for (size_t i = 0; i < n && worth_it(i, n, all_began); i++) {
            const auto began = Clock::now();
            e.query(query(i), ids);
            us.push_back(us_since(began));
            recall += truth.recall(i, ids);
        }
        return {&e, effort, recall / static_cast<double>(us.size()), quantile(us, 0.5)};
    }

    /* By as many queries as ten seconds allow, less the luck that few may have. */
    double
    recall_of_more(const Point &p) const
    {
        int64_t ids[K];
        double recall = 0;
        size_t i = 0;
        p.engine->set(p.effort);
        const auto began = Clock::now();
        for (; i < queries.n && worth_it(i, queries.n, began, 1e7); i++) {
            p.engine->query(query(i), ids);
            recall += truth.recall(i, ids);
        }
        return recall / static_cast<double>(i) - (i < queries.n ? 0.002 : 0);
    }

    /* A part of the queries, after a few that bring the engine into the caches. */
    void
    run_heat(Entrant &e, const std::vector<size_t> &order, size_t from, size_t end)
    {
        std::vector<int64_t> ids((end - from) * K);
        e.engine->set(e.effort);
        for (size_t i = from; i < std::min(from + 50, end); i++)
            e.engine->query(query(order[(i + order.size() / 2) % order.size()]),
                            ids.data());
        const auto heat_began = Clock::now();
        size_t n = 0;
        for (; n < end - from && worth_it(n, end - from, heat_began); n++) {
            const auto began = Clock::now();
            e.engine->query(query(order[from + n]), &ids[n * K]);
            e.us.push_back(us_since(began));
            double &least = e.least_us[order[from + n]];
            least = std::min(least, e.us.back());
        }
        for (size_t i = 0; i < n; i++)
            e.recall += truth.recall(order[from + i], &ids[i * K]);
    }

    /* Whether to go on after i of n queries: a fifth are always asked, more for so
     * long. */
    static bool
    worth_it(size_t i, size_t n, Clock::time_point began, double most_us = 1e6)
    {
        return i < n / 5 || us_since(began) < most_us;
    }

    void
    print_entrant(Entrant &e)
    {
        const double p50 = quantile(e.us, 0.5), p99 = quantile(e.us, 0.99);
        const double p999 = quantile(e.us, 0.999), most = quantile(e.us, 1);
        const double recall = e.recall / static_cast<double>(e.us.size());
        printf("| %s | %s | %s | %.4f | %.1f | %.1f | %.1f | %.1f | %.2f |",
               e.target.c_str(), e.engine->name.c_str(), e.effort.text.c_str(), recall,
               p50, p99, p999, most, p999 / p50);
        std::vector<double> calm = undisturbed(e);
        const double calm_p50 = quantile(calm, 0.5), calm_p999 = quantile(calm, 0.999);
        printf(" %.1f | %.1f | %.2f |", calm_p50, calm_p999, calm_p999 / calm_p50);
        std::vector<double> both = e.us;
        both.insert(both.end(), e.idle_us.begin(), e.idle_us.end());
        printf(" %.1f | %.1f | %.1f | %.2f |\n", quantile(e.idle_us, 0.5),
               quantile(e.idle_us, 0.99), quantile(e.idle_us, 1),
               quantile(both, 0.999) / p50);
        fprintf(tsv,
                "timed\t%s\t%s\t%s\t%.5f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f"
                "\t%.2f\t%.2f\n",
                e.engine->name.c_str(), e.target.c_str(), e.effort.text.c_str(), recall,
                p50, p99, p999, most, quantile(e.idle_us, 0.5),
                quantile(e.idle_us, 0.99), quantile(e.idle_us, 1), calm_p50, calm_p999);
    }

    /* What each query took at the least: how hard it is, without what came between. */
    static std::vector<double>
    undisturbed(const Entrant &e)
    {
        std::vector<double> out;
        for (double us : e.least_us)
            if (us < INFINITY)
                out.push_back(us);
        return out;
    }

    void
    print_memory()
    {
        std::vector<Engine *> seen;
        printf("\n| engine | index MB | bytes per entry | resident MB | built in s |\n"
               "|---|---|---|---|---|\n");
        for (const Entrant &e : entrants) {
            Engine *x = e.engine;
            if (std::find(seen.begin(), seen.end(), x) != seen.end())
                continue;
            seen.push_back(x);
            const double per_entry =
                static_cast<double>(x->bytes) / static_cast<double>(base.n);
            printf("| %s | %.0f | %.0f | %.0f | ", x->name.c_str(),
                   static_cast<double>(x->bytes) / 1e6, per_entry,
                   static_cast<double>(x->rss_bytes) / 1e6);
            printf(x->build_s > 0 ? "%.0f |\n" : "- |\n", x->build_s);
            fprintf(tsv, "memory\t%s\t%zu\t%.1f\t%zu\t%.1f\n", x->name.c_str(),
                    x->bytes, per_entry, x->rss_bytes, x->build_s);
        }
    }

    /* Against the first engine that is none of ours, target by target. */
    void
    print_ratios()
    {
        printf(
            "\n| recall@10 wanted | engine | p50 / that of the first peer | p99.9 |\n"
            "|---|---|---|---|\n");
        for (Entrant &e : entrants)
            for (Entrant &peer : entrants)
                if (e.target != "own" && peer.target == e.target &&
                    is_peer(*peer.engine)) {
                    printf("| %s | %s | %.3f | %.3f |\n", e.target.c_str(),
                           e.engine->name.c_str(),
                           quantile(e.us, 0.5) / quantile(peer.us, 0.5),
                           quantile(e.us, 0.999) / quantile(peer.us, 0.999));
                    break;
                }
    }

    static bool
    is_peer(const Engine &e)
    {
        return e.name.find(':') != std::string::npos;
    }

    Vectors base, queries;
    const Truth &truth;
    FILE *tsv;
    std::vector<Point> points;
    std::vector<Entrant> entrants;
};

void
stay_on_core(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set))
        fprintf(stderr, "bench_index: not bound to core %d: %s\n", core,
                strerror(errno));
}

void
lock_memory()
{
    if (mlockall(MCL_CURRENT | MCL_ONFAULT))
        fprintf(stderr, "bench_index: memory is not locked: %s\n", strerror(errno));
}

void
race(Bench &bench, const std::vector<std::unique_ptr<Engine>> &engines)
{
    std::istringstream targets(setting("TARGETS", "0.95 0.99"));
    const size_t n_rounds = std::stoul(setting("ROUNDS", "10"));
    if (!n_rounds)
        return;
    fprintf(stderr, "bench_index: racing\n");
    for (std::string target; targets >> target;)
        for (auto &e : engines)
            bench.enter(*e, target);
    for (auto &e : engines)
        bench.enter_fixed(*e);
    bench.race(n_rounds, std::stoul(setting("LAPS", "5")));
    bench.race_idle(std::stoul(setting("IDLE", "60")));
    bench.print();
}

int
run(const char *base_path, const char *query_path, FILE *tsv, char **names, int n_names)
{
    npy base_file = npy_map(base_path);
    const npy query_file = npy_map(query_path);
    if (base_file.dim != query_file.dim || !query_file.n || base_file.n < K)
        give_up("base and queries do not fit each other", 65);
    Truth truth(base_path, {base_file.rows, base_file.n, base_file.dim},
                {query_file.rows, query_file.n, query_file.dim});
    std::vector<std::unique_ptr<Engine>> engines;
    for (int i = 0; i < n_names; i++) {
        engines.push_back(engine_new(names[i]));
        engines.back()->load({base_file.rows, base_file.n, base_file.dim}, base_path);
    }
    npy_unmap(&base_file); /* what was read of it, to be locked only as it is needed */
    base_file = npy_map(base_path);
    truth.base.rows = base_file.rows;

    omp_set_num_threads(1);
    stay_on_core(std::stoi(setting("CORE", "1")));
    lock_memory();
    Bench bench(truth.base, truth.queries, truth, tsv);
    bench.n_sweep = std::stoul(setting("SWEEP", "1000"));
    bench.enough = std::stod(setting("ENOUGH", "0.995"));
    for (auto &e : engines) {
        fprintf(stderr, "bench_index: sweeping %s\n", e->name.c_str());
        bench.sweep(*e);
    }
    bench.print_sweeps();
    race(bench, engines);
    return 0;
}

} // namespace

int
main(int argc, char **argv)
{
    if (argc < 5) {
        fputs("usage: bench_index BASE.npy QUERIES.npy RESULTS.tsv ENGINE...\n",
              stderr);
        return 64;
    }
    FILE *tsv = fopen(argv[3], "w");
    if (!tsv)
        give_up(std::string(argv[3]) + ": cannot be written", 74);
    const int status = run(argv[1], argv[2], tsv, argv + 4, argc - 4);
    return fclose(tsv) ? 74 : status;
}
