# hearken: one build file, everything under build/. Targets: all demo check check-examples lint bench
# bench-index bench-matching bench-latency bench-receivers faults reconnects killed swaps soak valgrind asan tsan fuzz golden prior
# install uninstall deb clean, and packages (which the first ones call).
B ?= build
PREFIX ?= /usr/local
CC = gcc
# Of what check, demo and the sanitizers build and run, so many at a time.
JOBS ?= $(shell nproc)
CFLAGS ?= -O3 -g
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes \
       -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Werror
LIBS = jack fftw3f liblo sndfile inih libxxhash soxr lapacke openblas libmicrohttpd
# Asked once, and only where something is built: before that they may not be installed.
PKGCFLAGS = $(eval PKGCFLAGS := $(shell pkg-config --cflags $(LIBS)))$(PKGCFLAGS)
PKGLIBS = $(eval PKGLIBS := $(shell pkg-config --libs $(LIBS)))$(PKGLIBS)
COMPILE = $(CC) -std=c11 -D_POSIX_C_SOURCE=200809L -fno-math-errno -pthread -I. $(PKGCFLAGS) -MMD -MP \
          $(WARN) $(CPPFLAGS) $(CFLAGS) $(SAN) $(ISA)
# Short lines by default; make V=1 shows the commands.
Q = $(if $(V),,@)
SAY = @$(if $(V),true,echo)
LINK = $(CC) -pthread $(CFLAGS) $(SAN) $(LDFLAGS)

LIB_SRC = $(filter-out rt/main.c,$(wildcard rt/*.c dsp/*.c index/*.c osc/*.c))
LIB_OBJ = $(LIB_SRC:%.c=$(B)/%.o)
LIB = $(B)/libhearken.a
CHECKS = $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/check_*.c))
PRELOADS = rtguard stall cycletap badjack
TOOLS = $(patsubst tests/tools/%.c,$(B)/tests/tools/%,$(filter-out $(PRELOADS:%=tests/tools/%.c),$(wildcard tests/tools/*.c)))
BENCHES = $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))
REPLAYS = $(patsubst tests/fuzz_%.c,$(B)/tests/replay_%,$(wildcard tests/fuzz_*.c))
FUZZERS = $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/fuzz_*.c))
# What runs per block on the audio and analysis threads: no heap, lock or stdio in these.
HOT = rt/capture rt/follow rt/inputs rt/ring rt/shed rt/honest rt/gate rt/steady rt/background rt/floor rt/onset rt/analyse_onset rt/analyse_moments rt/analyse rt/analyse_set rt/analyse_timbre rt/analyse_layer rt/analyse_snapshot rt/tape rt/history rt/record rt/truth rt/live dsp/logmel dsp/stream dsp/windows \
      dsp/scene dsp/project dsp/descriptors dsp/contrast dsp/blocks dsp/columns dsp/modulation \
      dsp/kern_c dsp/kern_avx2 dsp/kern_frame_c dsp/kern_frame_avx2 \
      dsp/kern_frame_fifths_c dsp/kern_frame_fifths_avx2 dsp/kern_blocks_c \
      dsp/kern_blocks_avx2 dsp/kern_percentiles_avx2 dsp/front dsp/front_tools dsp/morlet \
      dsp/zounds dsp/bark dsp/timbre index/query index/walk index/exact index/row index/cells \
      index/scan_kern_c index/scan_kern_avx2 index/probe index/buckets index/sieve index/polytope index/pstable index/forest index/hyperplane index/rotate index/idxkern_c \
      index/idxkern_avx2 index/codes index/codes_kern_c index/codes_kern_avx2 osc/encode
# All that these may call outside of themselves: nothing that allocates, locks, prints or
# waits (but nanosleep, in freewheel), and of the project what returns a field or the time.
HOT_MAY = memcpy memmove memset memcmp strcmp strlen strnlen fmaxf fminf logf log2f log10f pow powf expf erfcf \
          sqrtf fftwf_execute XXH64 sem_post nanosleep getrusage gettid __assert_fail __stack_chk_fail \
          _GLOBAL_OFFSET_TABLE_ rt_ns rt_seconds rt_set_of idx_scale_of idx_sound_of idx_n_sounds idx_family_of \
          idx_groups_of dsp_bfcc_window dsp_stream_reach

all: $(B)/hearken

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(SAY) "compile $<"
	$(Q)$(COMPILE) -c $< -o $@
$(B)/dsp/prior.o: dsp/prior.bin
# On other processors these objects are empty, or say that they cannot be used.
X86 := $(findstring x86_64,$(shell $(CC) -dumpmachine))
$(B)/%_avx2.o: ISA := $(if $(X86),-mavx2 -mfma -mf16c)
$(B)/%_sse42.o: ISA := $(if $(X86),-msse4.2)
$(LIB): $(LIB_OBJ)
	$(SAY) "archive $@"
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/hearken: $(B)/rt/main.o $(LIB)
	$(SAY) "link    $@"
	$(Q)$(LINK) $^ $(PKGLIBS) -lm -o $@
# Suites are compiled in half the time like this, and run as fast.
$(B)/tests/check_%.o: CFLAGS := -O1 -g
# The heap of the tests is counted, and can be made to fail (tests/support.h).
WRAP = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=strdup
$(CHECKS): $(B)/tests/check_%: $(B)/tests/check_%.o $(B)/tests/support.o $(LIB)
	$(SAY) "link    $@"
	$(Q)$(LINK) $(WRAP) $^ $(PKGLIBS) $$(pkg-config --libs check) -lm -o $@
$(B)/tests/tools/%: $(B)/tests/tools/%.o
	$(SAY) "link    $@"
	$(Q)$(LINK) $^ -ljack -lsndfile -lm -o $@
$(B)/tests/tools/%.so: tests/tools/%.c
	@mkdir -p $(@D)
	$(SAY) "link    $@"
	$(Q)$(CC) -O1 -g -Wall -Wextra -shared -fPIC $< -ldl -lpthread -o $@

# Installs what is missing with apt-get and says so; does nothing where all is there.
packages:
	@tests/packages.sh build test
demo: packages
	@$(MAKE) --no-print-directory -s -j$(JOBS) all tools
	@B=$(B) tests/demo.sh $(CORPUS)
check: packages
	@$(MAKE) --no-print-directory -j$(JOBS) all tools checks
	@B=$(B) JOBS=$(JOBS) tests/run.sh
	@$(MAKE) --no-print-directory lint
# The examples with the programs that they are for, which check does where they are installed.
check-examples: packages
	@tests/packages.sh examples
	@$(MAKE) --no-print-directory -s -j$(JOBS) all tools
	@B=$(B) tests/e2e_dest.sh
checks: $(CHECKS) $(REPLAYS)
$(REPLAYS): $(B)/tests/replay_%: $(B)/tests/fuzz_%.o $(B)/tests/replay.o $(LIB)
	$(SAY) "link    $@"
	$(Q)$(LINK) $^ $(PKGLIBS) -lm -o $@
tools: $(TOOLS) $(PRELOADS:%=$(B)/tests/tools/%.so)

# One command a line, each with a sanitizer build of its own below build/.
asan: SAN = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan: packages
	@$(MAKE) --no-print-directory -j$(JOBS) B=build/asan SAN='$(SAN)' CFLAGS='-O1 -g' all checks tools
	@B=build/asan CK_FORK=no tests/run.sh
tsan: packages
	@$(MAKE) --no-print-directory -j$(JOBS) B=build/tsan SAN=-fsanitize=thread CFLAGS='-O1 -g' \
	    all checks tools
	@B=build/tsan CK_FORK=no TSAN_OPTIONS='halt_on_error=1 suppressions=$(CURDIR)/tests/tsan.supp' \
	    tests/run.sh

# make bench SOUNDS=folder: what is faster than what, on a quiet machine.
bench: packages
	@tests/packages.sh bench
	@$(MAKE) --no-print-directory -s all tools benches
	@B=$(B) tests/bench/run.sh $(SOUNDS)
benches: $(BENCHES)
$(BENCHES): $(B)/tests/bench/%: $(B)/tests/bench/%.o $(LIB)
	$(SAY) "link    $@"
	$(Q)$(LINK) $^ $(PKGLIBS) $$(pkg-config --silence-errors --libs aubio) -lm -o $@
$(B)/tests/bench/%.o: CPPFLAGS += $(shell pkg-config --exists aubio && echo -DHAVE_AUBIO)

# make bench-index SOUNDS=folder: hearken's indexes beside FAISS and hnswlib; an hour.
bench-index: packages
	@tests/packages.sh bench bench-index
	@tests/bench/faiss.sh $(FAISS)
	@$(MAKE) --no-print-directory -s all $(B)/tests/bench/vectors $(B)/tests/bench/bench_index
	@B=$(B) tests/bench/bench_index.sh $(SOUNDS)
FAISS = $(B)/bench-index/faiss
COMPILE_CXX = g++ -std=c++17 -fopenmp -I. -isystem $(FAISS) $(PKGCFLAGS) -MMD -MP -Wall -Wextra \
              -Wshadow $(CFLAGS) $(SAN) -mavx2 -mfma
$(B)/tests/bench/%.o: tests/bench/%.cpp Makefile
	@mkdir -p $(@D)
	$(SAY) "compile $<"
	$(Q)$(COMPILE_CXX) -c $< -o $@
INDEX_BENCH = bench_index engines engine_hearken truth
$(B)/tests/bench/bench_index: $(INDEX_BENCH:%=$(B)/tests/bench/%.o) $(LIB)
	$(SAY) "link    $@"
	$(Q)g++ -fopenmp $(CFLAGS) $(SAN) $^ $(FAISS)/libfaiss.a $(PKGLIBS) -o $@

# make bench-matching SOUNDS=folder: false matches in noise, sounds found in beds and over one
# another (docs/matching.md). OPTIONS='--match-at both' are further ones of query.
bench-matching: packages
	@tests/packages.sh bench-matching
	@$(MAKE) --no-print-directory -s all
	@B=$(B) OPTIONS='$(OPTIONS)' tests/matching/matching.py $(SOUNDS)

# What docs/reliability.md shows. make faults N=100 FAULTS='killed frozen' SERVER=pipewire; make soak
# SECONDS_LONG=3600 SEED=1; both also with the B, SAN and CFLAGS of asan and tsan.
N ?= 100
SERVER ?= jackd
SECONDS_LONG ?= 3600
SEED ?= 1
reliability_tools:
	@tests/packages.sh build test reliability
	@$(MAKE) --no-print-directory -s all tools
faults killed soak reconnects: export TSAN_OPTIONS ?= halt_on_error=1 suppressions=$(CURDIR)/tests/tsan.supp
faults: reliability_tools
	@B=$(B) tests/reliability/faults.py -n $(N) --server $(SERVER) --json $(B)/faults.jsonl $(FAULTS)
reconnects: reliability_tools
	@B=$(B) tests/reliability/faults.py -n $(N) --server $(SERVER) --json $(B)/faults.jsonl reconnects
killed: reliability_tools
	@B=$(B) tests/reliability/killed.py -n $(N) --server $(SERVER)
soak: reliability_tools
	@B=$(B) tests/reliability/soak.py --seconds $(SECONDS_LONG) --seed $(SEED) --server $(SERVER)
valgrind: reliability_tools
	@B=$(B) tests/reliability/valgrind.sh
bench-latency: reliability_tools
	@B=$(B) tests/bench/latency.sh table
# make swaps SWAPS=1000: another index so often while it listens, in one process and beside jackd;
# also with the B, SAN and CFLAGS of asan and tsan.
SWAPS ?= 1000
swaps: export TSAN_OPTIONS ?= halt_on_error=1 suppressions=$(CURDIR)/tests/tsan.supp
swaps: reliability_tools
	@$(MAKE) --no-print-directory -s $(B)/tests/check_swap
	@CK_FORK=no HEARKEN_SWAPS=$(SWAPS) $(B)/tests/check_swap >$(B)/swaps.log 2>&1 || { tail $(B)/swaps.log; false; }
	@tail -n 1 $(B)/swaps.log
	@B=$(B) SWAPS=$(SWAPS) tests/e2e_swap.sh
.PHONY: faults reconnects killed soak swaps valgrind bench-latency reliability_tools

# make bench-receivers MATCHES=10000: what receivers print, against the JSON log, for docs/osc.md.
MATCHES ?= 10000
bench-receivers: packages
	@tests/packages.sh examples
	@$(MAKE) --no-print-directory -s all tools
	@B=$(B) tests/bench/receivers.sh $(MATCHES)
.PHONY: bench-receivers

# make fuzz SECONDS_EACH=600: every fuzzer in tests/fuzz_*.c, by clang's libFuzzer.
SECONDS_EACH ?= 60
fuzz:
	@tests/packages.sh build fuzz
	@$(MAKE) --no-print-directory -s B=build/fuzz CC=clang CFLAGS='-O1 -g' \
	    SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzzers
	@B=build/fuzz tests/fuzz.sh $(SECONDS_EACH)
fuzzers: $(FUZZERS)
$(FUZZERS): $(B)/tests/fuzz_%: $(B)/tests/fuzz_%.o $(LIB)
	$(SAY) "link    $@"
	$(Q)$(LINK) -fsanitize=fuzzer $^ $(PKGLIBS) -lm -o $@

# Layout, static checks, shell scripts; hot objects free of heap, locks and stdio; no AVX
# but in the objects that are chosen for it while running; leaves that know only
# themselves; files of at most 500 lines.
lint: all
	clang-format --dry-run --Werror $$(git ls-files '*.[ch]' '*.cpp' | grep -v tests/tools/rtguard.c)
	shellcheck -x -S warning $$(git ls-files '*.sh') .ci/run
	@for o in $(HOT); do test -f $(B)/$$o.o || { echo "lint: no such hot object: $$o"; exit 1; }; done
	@nm $(HOT:%=$(B)/%.o) | awk 'NF == 3 && $$2 ~ /[TDBR]/ {print $$3}' | sort -u >$(B)/hot.has
	@nm -u $(HOT:%=$(B)/%.o) | awk 'NF == 2 {print $$2}' | sort -u >$(B)/hot.wants
	! comm -13 $(B)/hot.has $(B)/hot.wants | grep -vxF $(HOT_MAY:%=-e %)
	! objdump -d $(filter-out %_avx2.o %_sse42.o,$(LIB_OBJ)) | grep -m 1 -E '%[yz]mm|\<v[a-z]*ps\>'
	! grep -nE '^#include "(rt|dsp|index|osc)/' dsp/*.[ch] index/*.[ch] osc/*.[ch] | \
	    grep -vE '^(dsp|index|osc)/[^:]*:[0-9]*:#include "\1/'
	! wc -l $$(git ls-files '*.c' '*.h' '*.cpp') | awk '$$2 != "total" && $$1 > 500' | grep .

# make prior SOUNDS=folder: what indexes of few sounds lean on, from sonic-pi-samples.
prior: $(B)/tests/bench/prior
	$(B)/tests/bench/prior $(or $(SOUNDS),/usr/share/sonic-pi/samples) $(B)/prior.bin
	mv $(B)/prior.bin dsp/prior.bin

golden: $(B)/tests/check_golden
	GOLDEN_WRITE=1 $(B)/tests/check_golden

install: all
	@B=$(B) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) UNITDIR=$(UNITDIR) packaging/install.sh install
uninstall:
	@B=$(B) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) UNITDIR=$(UNITDIR) packaging/install.sh uninstall
# A Debian package, build/deb/hearken_*.deb, from a copy of the tree.
deb:
	@tests/packages.sh build deb
	@packaging/deb.sh
clean:
	rm -rf build

.PHONY: all packages demo check check-examples checks tools asan tsan bench bench-index bench-matching benches fuzz fuzzers lint golden prior \
        install uninstall deb clean
.SECONDARY:
-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
