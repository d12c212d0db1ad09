/* The exact neighbours of every query, and how many of them an answer holds. */
#ifndef HEARKEN_TESTS_BENCH_TRUTH_H
#define HEARKEN_TESTS_BENCH_TRUTH_H

#include "engines.h"

class Truth
{
  public:
    /* Computes them, or reads them from BASE.QUERIES-HASH.exact, where they are kept.
     */
    Truth(const std::string &base_path, const Vectors &the_base,
          const Vectors &the_queries);

    /* Share of the K nearest of query i that ids[K] holds: a row counts when it is one
     * of them or no further than 1.001 times the last. */
    double recall(size_t i, const int64_t ids[K]) const;

    Vectors base, queries;

  private:
    void compute();
    double distance(size_t i, int64_t row) const;

    std::vector<int64_t> nearest; /* [n of queries][K], nearest first */
};

#endif
