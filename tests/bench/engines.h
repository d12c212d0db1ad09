/*
 * What answers a query in bench_index: hearken's indexes and their peers, one class
 * each, asked in one way. An engine has ladders of efforts: along a ladder an answer
 * takes longer and finds more, and its best setting is the cheapest on any ladder that
 * finds enough.
 */
#ifndef HEARKEN_TESTS_BENCH_ENGINES_H
#define HEARKEN_TESTS_BENCH_ENGINES_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

enum { K = 10 };

struct Vectors {
    const float *rows; /* [n][dim], unit length */
    size_t n, dim;
};

struct Effort {
    unsigned a;       /* probes, cells or length of the list, as the engine counts */
    double b;         /* a second setting, where there is one */
    std::string text; /* both, for the table */
};
typedef std::vector<Effort> Ladder;

class Engine
{
  public:
    explicit Engine(const std::string &its_name) : name(its_name)
    {
    }
    virtual ~Engine()
    {
    }
    Engine(const Engine &) = delete;
    Engine &operator=(const Engine &) = delete;

    std::string name;
    double build_s = 0;   /* as it took when it was built; 0 where nobody knows */
    size_t bytes = 0;     /* of the index on disk, rows included */
    size_t rss_bytes = 0; /* by which the process grew with it */

    /* Builds what is not in a file beside base_path yet, and loads it. */
    virtual void load(const Vectors &base, const std::string &base_path) = 0;
    virtual std::vector<Ladder> ladders() const = 0;
    /* Efforts to be timed whatever they find. */
    virtual Ladder
    fixed() const
    {
        return Ladder();
    }
    virtual void set(const Effort &e) = 0;
    /* The numbers of K rows of base, -1 where fewer were found. */
    virtual void query(const float x[], int64_t ids[K]) = 0;
};

/*
 * An engine by its description:
 *
 *     faiss:FACTORY         of FAISS's index_factory, as faiss:IVF1024,PQ64x4fs,RFlat
 *     hnswlib:M             graph of that many links
 *     LABEL=FILE.hkn        an index of hearken with the rows of base at its frame
 *                           scale
 *     loop:US               finds nothing: arithmetic in registers that takes about US
 *                           microseconds, always the same, to show what the machine
 * adds
 */
std::unique_ptr<Engine> engine_new(const std::string &description);

std::unique_ptr<Engine> hearken_new(const std::string &label, const std::string &path);

/* Says why on stderr and ends the program. */
[[noreturn]] void give_up(const std::string &why, int status);

/* Memory of this process that is resident. */
size_t resident_bytes();

#endif
