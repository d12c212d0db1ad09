/* hearken's own indexes as engines of bench_index, through index/index.h alone. */
#ifndef HEARKEN_TESTS_BENCH_ENGINE_HEARKEN_H
#define HEARKEN_TESTS_BENCH_ENGINE_HEARKEN_H

#include "engines.h"

std::unique_ptr<Engine> hearken_new(const std::string &label, const std::string &path);

#endif
