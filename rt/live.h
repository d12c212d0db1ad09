/*
 * The live page: what a running listen hears, finds and loses, for others to look at.
 * It is a file in memory (below /dev/shm) that listen writes and that `hearken top`
 * reads; looking costs listen nothing, and the audio thread knows nothing of it.
 *
 *   analysis --rt_live_block--> \
 *   publish  --rt_live_match-->  page (mmap) --pread--> copy --rt_live_check--> top
 *   main     --rt_live_tick--->  /
 *
 * A part that is written as a whole begins with a hash of the rest of it: what is torn,
 * damaged, foreign or was never written is known by that, whatever order the copy was
 * made in. Readers copy the page and look at the copy only, so nothing can change
 * between a check and its use, and a file that is cut short ends no reader.
 *
 * The file is called hearken-live-XXXXXX, belongs to the user (0600) and is locked
 * (flock) by listen as long as that lives: one without a lock is left from a listen
 * that was killed, holds no name, and goes when the next listen begins.
 */
#ifndef HEARKEN_RT_LIVE_H
#define HEARKEN_RT_LIVE_H

#include "analyse.h"
#include "truth.h"

enum {
    RT_LIVE_LAYOUT = 2, /* grows with every change of rt_live_page */
    RT_LIVE_INPUTS = 16,
    RT_LIVE_COUNTS = 96, /* at most; they are found by their names */
    RT_LIVE_MATCHES = 64,
    RT_LIVE_SCALES = RT_SCALES,
    RT_LIVE_NAME = 64,
    RT_LIVE_COUNT_NAME = 32,
    RT_LIVE_TEXT = 1024,
    RT_LIVE_LABEL = 64,
    RT_LIVE_PATH = 192,
};

/* Texts end with a zero; seconds without another word are those of CLOCK_MONOTONIC. */

/* Who writes the page. Never changes. */
typedef struct {
    uint64_t hash;
    uint32_t pid, n_inputs, n_counts, n_indexes;
    double began_s;
    char client[RT_LIVE_NAME];
    char index[RT_LIVE_TEXT]; /* file of the first, main */
    char name[RT_INDEXES][RT_LIVE_NAME];
    char input[RT_LIVE_INPUTS][RT_LIVE_NAME];
    char count[RT_LIVE_COUNTS][RT_LIVE_COUNT_NAME];
} rt_live_who;

/* Recall of the first index as rt_tally has it; n_asked is 0 where nothing is known. */
typedef struct {
    uint64_t n_asked;
    double recall, low, high, promised;
    uint32_t k, reserved;
} rt_live_recall;

/* What main knows, ten times a second. */
typedef struct {
    uint64_t hash;
    double at_s, state_since_s;
    char state[RT_LIVE_NAME]; /* "ended" when listen has ended by itself */
    uint32_t rate_hz, period;
    uint32_t scales, k; /* match.scales, match.k */
    uint64_t count[RT_LIVE_COUNTS];
    rt_live_recall recall[RT_LIVE_SCALES];
} rt_live_status;

/* One match, or with kind RT_LABEL a vote on the label. */
typedef struct {
    uint64_t hash;
    uint64_t number;   /* 1 is the first of its scale */
    int64_t centre_us; /* as in rt_match: the same for all ranks of an answer */
    double at_s;       /* when it was published */
    uint32_t kind, input, rank, sound;
    float score, cosine, start_s, length_s, age_ms;
    uint32_t index; /* number of its name */
    char label[RT_LIVE_LABEL];
    char path[RT_LIVE_PATH]; /* the end of it where it is longer */
} rt_live_match;

/* What the analysis thread knows of an input; each field is true by itself. */
typedef struct {
    _Atomic float peak;        /* 0..1 and above, falls by RT_LIVE_FALL_DB a second */
    _Atomic uint32_t open;     /* the gate: 0, 1 */
    _Atomic uint64_t busy_ns;  /* in all of the analysis */
    _Atomic uint64_t query_ns; /* of that, in the index */
    uint64_t reserved[5];      /* a cache line */
} rt_live_input;

typedef struct {
    char magic[8];          /* "hkn-live" */
    uint32_t layout, bytes; /* these four stay where they are in every layout */
    char version[16];
    rt_live_who who;
    rt_live_status status;
    rt_live_input input[RT_LIVE_INPUTS];
    _Atomic uint64_t publish_ns; /* busy */
    rt_live_match match[RT_LIVE_SCALES][RT_LIVE_MATCHES];
} rt_live_page;

#define RT_LIVE_FALL_DB 20.0F /* as a peak programme meter falls */

/* ---- Writing ----------------------------------------------------------------------
 */

typedef struct rt_live rt_live;

typedef struct {
    const char *folder; /* NULL: rt_live_folder() */
    const char *client, *index;
    const char *input[RT_LIVE_INPUTS];
    uint32_t n_inputs;
    const char *further[RT_INDEXES]; /* names of indexes beside main */
    uint32_t n_further;
    const rt_counts *counts;
} rt_live_config;

typedef struct {
    const char *state;
    double since_s;
    uint32_t rate_hz, period;
    uint32_t scales, k;
    const rt_truth *truth; /* may be NULL */
} rt_live_now;

/* /dev/shm, or what HEARKEN_LIVE in the environment says. */
const char *rt_live_folder(void);

/*
 * Makes the page, and removes those that killed ones have left. False, with why, when
 * there is no room or no such folder; listen then goes on without. All of the following
 * take NULL.
 */
bool rt_live_open(rt_live **out, const rt_live_config *config, char *why,
                  size_t why_len);

/* Main thread, as often as it likes: the page changes every tenth of a second, and at
 * once where the state does. */
void rt_live_tick(rt_live *l, const rt_live_now *now);

/* Analysis thread, after a block of an input: its samples; whether its gate is open;
 * the time spent in indexes since it began, and when the analysis of the block began,
 * by rt_ns(). */
void rt_live_block(rt_live *l, uint32_t input, const float x[], uint32_t n, bool open,
                   uint64_t query_ns, uint64_t began_ns);

/* Publish thread: a match or a vote (what else there is is left out). */
void rt_live_push(rt_live *l, const rt_match *m, idx_sound sound, float age_ms);
/* And when a turn of its work began. */
void rt_live_published(rt_live *l, uint64_t began_ns);

/* Says that listen has ended, and removes the page. */
void rt_live_close(rt_live *l);

/* ---- Reading ----------------------------------------------------------------------
 */

/* One page that is being looked at. */
typedef struct {
    int fd;            /* -1: none */
    bool alive;        /* listen holds it still */
    rt_live_page page; /* a copy that rt_live_check() has passed */
} rt_live_view;

/* One that runs, for lists. */
typedef struct {
    uint32_t pid;
    char client[RT_LIVE_NAME], index[RT_LIVE_TEXT];
    char refusal[160]; /* "", or why its page cannot be read */
} rt_live_entry;

/*
 * Whether a copy of n bytes is a page that can be read, and makes it safe to: texts
 * end, numbers are in their ranges, parts that are torn are empty. False, with why,
 * when it is damaged or of another version.
 */
bool rt_live_check(rt_live_page *page, size_t n, char *why, size_t why_len);

/* Those that run in a folder (NULL: rt_live_folder()) as this user, or for root as
 * anyone: at most cap of them, in order of client and pid. */
size_t rt_live_list(const char *folder, rt_live_entry out[], size_t cap);

/* Opens the page of the listen whose client or pid is called so; NULL: of the only one
 * that runs. False, with an exit status and why. */
bool rt_live_attach(rt_live_view *view, const char *folder, const char *name,
                    int *status, char *why, size_t why_len);

/* Reads it anew. False, with why, when it cannot be; the copy then stays. */
bool rt_live_refresh(rt_live_view *view, char *why, size_t why_len);
void rt_live_detach(rt_live_view *view);

/* A count by its name, 0 where there is none. */
uint64_t rt_live_count(const rt_live_page *page, const char *name);

/* The matches of a scale (newest first; of one answer, the best first): at most cap,
 * and of several of one kind, input, index and sound only the newest. */
size_t rt_live_newest(const rt_live_page *page, uint32_t scale, rt_kind kind,
                      const rt_live_match *out[], size_t cap);

/* The hash of a part of so many bytes that begins with its hash. */
uint64_t rt_live_hash(const void *part, size_t n);

#endif
