/* The peers: FAISS by its factory, and hnswlib. */
#include "engines.h"

#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexRefine.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <hnswlib/hnswlib.h>

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <thread>

void
give_up(const std::string &why, int status)
{
    fprintf(stderr, "bench_index: %s\n", why.c_str());
    exit(status);
}

size_t
resident_bytes()
{
    std::ifstream in("/proc/self/statm");
    size_t total = 0, resident = 0;
    in >> total >> resident;
    return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

namespace
{

size_t
file_bytes(const std::string &path)
{
    struct stat st;
    return stat(path.c_str(), &st) ? 0 : static_cast<size_t>(st.st_size);
}

/* Efforts from least to most, about a fifth apart. */
Ladder
rising(unsigned least, unsigned most, const char *unit, double b,
       const std::string &more)
{
    Ladder out;
    for (double x = least; x <= most; x = std::fmax(x * 1.2, x + 1)) {
        const unsigned a = static_cast<unsigned>(x);
        out.push_back({a, b, unit + std::to_string(a) + more});
    }
    return out;
}

/* An index that is built once and kept in a file, with a second one for the seconds. */
class Peer : public Engine
{
  public:
    explicit Peer(const std::string &its_name) : Engine(its_name)
    {
    }

    void
    load(const Vectors &base, const std::string &base_path) override
    {
        std::string path = base_path + "." + name;
        for (size_t i = base_path.size() + 1; i < path.size(); i++)
            if (path[i] == ':' || path[i] == ',')
                path[i] = '-';
        if (!file_bytes(path)) {
            fprintf(stderr, "bench_index: building %s, to be kept as %s\n",
                    name.c_str(), path.c_str());
            const auto began = std::chrono::steady_clock::now();
            build(base);
            const std::chrono::duration<double> took =
                std::chrono::steady_clock::now() - began;
            write(path + ".part");
            std::ofstream(path + ".seconds") << took.count() << "\n";
            if (rename((path + ".part").c_str(), path.c_str()))
                give_up(path + ": cannot be written", 74);
            forget();
        }
        malloc_trim(0);
        const size_t before = resident_bytes();
        read(path, base);
        rss_bytes = resident_bytes() - before;
        bytes = file_bytes(path);
        std::ifstream(path + ".seconds") >> build_s;
    }

  private:
    virtual void build(const Vectors &base) = 0;
    virtual void write(const std::string &path) = 0;
    virtual void forget() = 0;
    virtual void read(const std::string &path, const Vectors &base) = 0;
};

class Faiss : public Peer
{
  public:
    explicit Faiss(const std::string &its_factory)
        : Peer("faiss:" + its_factory), factory(its_factory)
    {
    }

    std::vector<Ladder>
    ladders() const override
    {
        std::vector<Ladder> out;
        if (hnsw)
            out.push_back(rising(K, 2000, "efSearch ", 0, ""));
        else if (!refine)
            out.push_back(
                rising(1, static_cast<unsigned>(ivf->nlist), "nprobe ", 0, ""));
        for (double k = 1; refine && k <= 128; k *= 2)
            out.push_back(rising(1, static_cast<unsigned>(ivf->nlist), "nprobe ", k,
                                 ", k_factor " + std::to_string(static_cast<int>(k))));
        return out;
    }

    void
    set(const Effort &e) override
    {
        if (hnsw)
            hnsw->hnsw.efSearch = static_cast<int>(e.a);
        else
            ivf->nprobe = e.a;
        if (refine)
            refine->k_factor = static_cast<float>(e.b);
    }

    void
    query(const float x[], int64_t ids[K]) override
    {
        float distance[K];
        index->search(1, x, K, distance, ids);
    }

  private:
    void
    build(const Vectors &base) override
    {
        index.reset(faiss::index_factory(static_cast<int>(base.dim), factory.c_str()));
        index->train(static_cast<faiss::Index::idx_t>(base.n), base.rows);
        index->add(static_cast<faiss::Index::idx_t>(base.n), base.rows);
    }

    void
    write(const std::string &path) override
    {
        faiss::write_index(index.get(), path.c_str());
    }

    void
    forget() override
    {
        index.reset();
    }

    void
    read(const std::string &path, const Vectors &) override
    {
        index.reset(faiss::read_index(path.c_str()));
        refine = dynamic_cast<faiss::IndexRefine *>(index.get());
        faiss::Index *inner = refine ? refine->base_index : index.get();
        ivf = dynamic_cast<faiss::IndexIVF *>(inner);
        hnsw = dynamic_cast<faiss::IndexHNSW *>(inner);
        if (!ivf && !hnsw)
            give_up(name + ": nothing in it that could be set", 64);
    }

    std::string factory;
    std::unique_ptr<faiss::Index> index;
    faiss::IndexRefine *refine = nullptr;
    faiss::IndexIVF *ivf = nullptr;
    faiss::IndexHNSW *hnsw = nullptr;
};

class Hnswlib : public Peer
{
  public:
    explicit Hnswlib(const std::string &links)
        : Peer("hnswlib:" + links), m(std::stoul(links.substr(links[0] == 'M')))
    {
    }

    std::vector<Ladder>
    ladders() const override
    {
        return {rising(K, 2000, "ef ", 0, "")};
    }

    void
    set(const Effort &e) override
    {
        index->setEf(e.a);
    }

    void
    query(const float x[], int64_t ids[K]) override
    {
        auto found = index->searchKnn(x, K);
        for (int i = 0; i < K; i++)
            ids[i] = -1;
        for (int i = static_cast<int>(found.size()) - 1; i >= 0; i--, found.pop())
            ids[i] = static_cast<int64_t>(found.top().second);
    }

  private:
    typedef hnswlib::HierarchicalNSW<float> Graph;

    void
    build(const Vectors &base) override
    {
        const size_t ef_construction = 200;
        space.reset(new hnswlib::L2Space(base.dim));
        index.reset(new Graph(space.get(), base.n, m, ef_construction));
        index->addPoint(base.rows, 0);
        std::atomic<size_t> next(1);
        std::vector<std::thread> workers;
        for (unsigned t = 0; t < std::thread::hardware_concurrency(); t++)
            workers.emplace_back([&] {
                for (size_t i; (i = next++) < base.n;)
                    index->addPoint(base.rows + i * base.dim, i);
            });
        for (auto &w : workers)
            w.join();
    }

    void
    write(const std::string &path) override
    {
        index->saveIndex(path);
    }

    void
    forget() override
    {
        index.reset();
    }

    void
    read(const std::string &path, const Vectors &base) override
    {
        space.reset(new hnswlib::L2Space(base.dim));
        index.reset(new Graph(space.get(), path));
    }

    size_t m;
    std::unique_ptr<hnswlib::L2Space> space;
    std::unique_ptr<Graph> index;
};

/* See engines.h. */
class Loop : public Engine
{
  public:
    explicit Loop(const std::string &its_us)
        : Engine("loop:" + its_us), wanted_us(std::stod(its_us))
    {
    }

    void
    load(const Vectors &, const std::string &) override
    {
        typedef std::chrono::duration<double, std::micro> Us;
        double least = INFINITY;
        n_steps = 100000;
        for (int i = 0; i < 100; i++) {
            const auto began = std::chrono::steady_clock::now();
            spin();
            const Us took = std::chrono::steady_clock::now() - began;
            least = std::fmin(least, took.count());
        }
        n_steps = static_cast<size_t>(static_cast<double>(n_steps) * wanted_us / least);
    }

    std::vector<Ladder>
    ladders() const override
    {
        return {};
    }

    Ladder
    fixed() const override
    {
        return {{0, 0, "always the same"}};
    }

    void
    set(const Effort &) override
    {
    }

    void
    query(const float[], int64_t ids[K]) override
    {
        spin();
        for (int i = 0; i < K; i++)
            ids[i] = -1;
    }

  private:
    void
    spin()
    {
        for (size_t i = 0; i < n_steps; i++)
            state = state * 6364136223846793005U + 1442695040888963407U;
        if (state == 0) /* so that it is not left out */
            give_up("the loop came to zero", 70);
    }

    double wanted_us;
    size_t n_steps = 0;
    uint64_t state = 1;
};

} // namespace

std::unique_ptr<Engine>
engine_new(const std::string &description)
{
    const size_t equals = description.find('='), colon = description.find(':');
    if (equals != std::string::npos)
        return hearken_new(description.substr(0, equals),
                           description.substr(equals + 1));
    if (colon != std::string::npos && colon + 1 < description.size()) {
        const std::string what = description.substr(colon + 1);
        if (!description.compare(0, colon, "faiss"))
            return std::unique_ptr<Engine>(new Faiss(what));
        if (!description.compare(0, colon, "hnswlib"))
            return std::unique_ptr<Engine>(new Hnswlib(what));
        if (!description.compare(0, colon, "loop"))
            return std::unique_ptr<Engine>(new Loop(what));
    }
    give_up("no engine " + description +
                "; take faiss:FACTORY, hnswlib:M16, loop:US or LABEL=FILE.hkn",
            64);
}
