/* The table of settings; options_set.c reads and writes by it. */
#include "options_private.h"

static const char *const families[] = {"auto",           "exact",    "hyperplane",
                                       "cross-polytope", "p-stable", "forest",
                                       "cells",          NULL}; /* as rt_family */
static const char *const metrics[] = {"cosine", "euclid", NULL};
static const char *const rows[] = {"auto", "f32", "f16", "i8", NULL};
static const char *const scales[] = {"frame", "event", "scene", "timbre", NULL};
static const char *const formats[] = {"auto", "json", "table", "none", NULL};
static const char *const refines[] = {"auto", "no", "yes", NULL};
static const char *const fronts[] = {"mel",  "morlet",           "morlet-zounds",
                                     "bark", "bark-zounds-2016", "bark-zounds",
                                     NULL}; /* as dsp_front_name */
static const char *const moments[] = {"continuous", "onsets", "both", NULL};
static const char *const spaces[] = {"acoustic", "labels", NULL};
static const char *const distances[] = {"jaccard", "hamming", NULL};
static const char *const imports[] = {"auto", "frame", "event", "scene", NULL};
static const char *const exports[] = {
    "auto",         "frame",        "event",        "scene",
    "frame-labels", "event-labels", "scene-labels", NULL};
static const char *const yesno[] = {"no", "yes", NULL};

#define AT(member) offsetof(rt_options, member)
#define FIND (RT_LISTEN | RT_QUERY)
#define MAKE (RT_BUILD | RT_IMPORT | RT_MERGE)
#define CORPUS (RT_BUILD | RT_MERGE)

static const rt_field fields[] = {
    {"build", "output", "FILE", T_TEXT, AT(build.output), 0, 0, NULL, CORPUS,
     "corpus.hkn",
     "index file to write; a file of that name is replaced when the new one is "
     "complete",
     'o'},
    {"build", "threads", "N", T_U32, AT(build.threads), 0, 256, NULL,
     RT_BUILD | RT_MERGE | RT_EVAL | RT_CHECK | RT_TUNE, "0",
     "threads that work at a time; 0 takes one per core", 'j'},
    {"build", "seed", "N", T_U32, AT(build.seed), 0, 4294967295.0, NULL,
     RT_BUILD | RT_EVAL | RT_IMPORT, "1",
     "seed of the random hyperplanes and degradations; the same seed gives the same "
     "results",
     0},
    {"build", "invariance", "SHARE", T_FLOAT, AT(build.invariance), 0, 1, NULL,
     CORPUS | RT_EVAL, "0.5",
     "how much of what noise, rooms, loudspeakers, pitch and tempo change is not "
     "listened to: 0 for what is alike, 1 for the very recording",
     0},
    {"build", "labels", "NAME|FILE", T_TEXT, AT(build.labels), 0, 0, NULL, CORPUS,
     "none",
     "add a space in which sounds of one label lie together: folders takes the names "
     "of "
     "folders as labels, FILE is a CSV with the columns file and label; "
     "see search.space",
     0},
    {"build", "timbre", "yes|no", T_CHOICE, AT(build.timbre), 0, 0, yesno, RT_BUILD,
     "no",
     "add timbre codes, for scale timbre of match.scales: which of 128 spectral "
     "envelopes of the corpus occur within 0.6 s",
     0},
    {"build", "update", "yes|no", T_CHOICE, AT(build.update), 0, 0, yesno, RT_BUILD,
     "no",
     "keep what is found out about each file beside the index, in FILE.parts, so that "
     "the next build analyses only what is new or changed",
     0},
    {"build", "shard", "I/N", T_NAME, AT(build.shard), 0, 0, NULL, RT_BUILD, "none",
     "analyse only part I of N of the files, into FILE.parts.I-of-N; hearken merge "
     "makes "
     "the index of all parts",
     0},
    {"build", "memory-mb", "MB", T_U32, AT(build.memory_mb), 0, 1000000000, NULL, MAKE,
     "0",
     "what would take more memory goes to files without a name beside the index, all "
     "but some 200 MB that are always needed; 0 sets no bound",
     0},
    {"dsp", "gate-db", "DBFS", T_FLOAT, AT(dsp.gate_db), -120, 0, NULL,
     RT_BUILD | RT_EVAL, "-70",
     "32 ms windows quieter than this are left out of every embedding; kept in the "
     "index",
     0},
    {"dsp", "frontend", "NAME", T_CHOICE, AT(dsp.frontend), 0, 0, fronts,
     RT_BUILD | RT_EVAL, "mel",
     "how a window becomes a spectrum: mel with the five blocks, or the bands and "
     "cepstra of morlet, morlet-zounds (the published network's filters), bark, "
     "bark-zounds-2016 or bark-zounds; kept in the index",
     0},
    {"dsp", "event-ms", "MS", T_U32, AT(dsp.event_ms), 250, 2000, NULL,
     RT_BUILD | RT_EVAL, "1000",
     "sound that an event is about, in whole 10 ms; kept in the index", 0},
    {"dsp", "frame-ms", "MS", T_U32, AT(dsp.frame_ms), 10, 100, NULL, RT_BUILD, "50",
     "time between two frames of the index, in whole 10 ms; kept in the index", 0},
    {"dsp", "frame-dim", "N", T_U32, AT(dsp.frame_dim), 16, 128, NULL, RT_BUILD, "64",
     "dimensions of a frame; kept in the index", 0},
    {"index", "family", "NAME", T_CHOICE, AT(index.family), 0, 0, families, MAKE,
     "auto",
     "how to search: exact compares all; cells is k-means LSH, its rows ranked by "
     "codes; "
     "hyperplane, cross-polytope and p-stable are LSH with multi-probing; forest is "
     "trees of planes; auto takes exact below 20000 entries or where cells would "
     "compare "
     "more than a quarter, else cells",
     0},
    {"index", "metric", "NAME", T_CHOICE, AT(index.metric), 0, 0, metrics, MAKE,
     "cosine",
     "what near means: by the cosine of two vectors, or by their Euclidean distance, "
     "which for the embeddings of sounds is the same order",
     0},
    {"index", "rows", "NAME", T_CHOICE, AT(index.rows), 0, 0, rows, MAKE, "auto",
     "how embeddings are stored: floats of 32 or 16 bits, or in cells as bytes; auto "
     "takes the finest that index.memory-mb allows",
     0},
    {"index", "memory-mb", "MB", T_U32, AT(index.memory_mb), 0, 1000000, NULL, MAKE,
     "0", "memory that a scale of the index should not exceed; 0 sets no limit", 0},
    {"index", "planes", "K", T_U32, AT(index.planes), 0, 22, NULL, MAKE, "0",
     "bits in a key of hyperplane and cross-polytope, functions (up to 16) of "
     "p-stable; "
     "of a forest 1 takes random planes, 2 planes between two means; 0 chooses",
     0},
    {"index", "tables", "L", T_U32, AT(index.tables), 0, 64, NULL, MAKE, "0",
     "hash tables, or trees of a forest, or groups of cells looked into; 0 chooses", 0},
    {"index", "cells", "N", T_U32, AT(index.cells), 0, 1048576, NULL, MAKE, "0",
     "cells; 0 takes four times the root of the number of entries", 0},
    {"index", "leaf", "N", T_U32, AT(index.leaf), 0, 100000, NULL, MAKE, "0",
     "entries in a leaf of a forest at most; 0 takes 64", 0},
    {"index", "width", "X", T_FLOAT, AT(index.width), 0, 1e6, NULL, MAKE, "0",
     "of a bucket of p-stable; of cells, standard errors that a code is given the "
     "benefit of; 0 chooses",
     0},
    {"index", "probes", "T", T_U32, AT(index.probes), 0, 1000000, NULL, MAKE, "0",
     "buckets, leaves or cells looked into per query, in all tables together; 0 takes "
     "the fewest that reach index.recall",
     0},
    {"index", "max-candidates", "N", T_U32, AT(index.max_candidates), 0, 100000000,
     NULL, MAKE, "0", "entries compared per query at most; 0 chooses", 0},
    {"index", "recall", "SHARE", T_FLOAT, AT(index.recall), 0.5, 1, NULL,
     MAKE | RT_TUNE, "0.95",
     "share of the 10 nearest entries that a query must find, measured while building",
     0},
    {"match", "scales", "LIST", T_SET, AT(match.scales), 0, 0, scales, FIND | RT_LIVE,
     "event,scene",
     "scales to answer at: frame (0.1 s of sound, 100 answers a second), event (1 s, "
     "10 a "
     "second), scene (10 s, 1 a second), timbre (0.6 s, 10 a second, where the index "
     "was built with build.timbre)",
     0},
    {"match", "k", "N", T_U32, AT(match.k), 1, RT_MAX_K, NULL, FIND | RT_LIVE, "1",
     "different sounds in an answer, best first", 'k'},
    {"match", "refine", "NAME", T_CHOICE, AT(match.refine), 0, 0, refines,
     FIND | RT_LIVE, "auto",
     "search again with the mean of the query and its three nearest sounds, for all "
     "ranks but the first; auto does so in query",
     0},
    {"match", "false-alarms-per-hour", "N", T_FLOAT, AT(match.false_alarms), 0.001, 1e6,
     NULL, FIND | RT_LIVE, "6",
     "how many matches an hour of noise, hum or hiss may make, over all scales: sets "
     "how much more like a sound of the corpus than like those what is heard must be; "
     "match.score 0 lets everything through, and so does 1000000, from the start on",
     0},
    {"match", "score", "SHARE", T_FLOAT, AT(match.score), 0, 1, NULL, FIND | RT_LIVE,
     "0.5",
     "least score of a match: the share of the corpus's own moments whose nearest "
     "other "
     "sound is less alike; 0 lets everything through",
     0},
    {"match", "gate-db", "DBFS", T_FLOAT, AT(match.gate_db), -120, 0, NULL,
     FIND | RT_LIVE, "-60",
     "sample peak that opens the gate; it closes 100 ms after the last peak above 6 dB "
     "less; "
     "nothing is matched while it is closed",
     0},
    {"match", "floor-db", "DBFS", T_FLOAT, AT(match.floor_db), -120, 0, NULL,
     FIND | RT_LIVE, "-35",
     "sound that goes on as it is for ten seconds, a fan or hum, is taken for the "
     "floor if its level (root mean square) is not above this; the gate then opens "
     "17 dB above it and closes below 13, and what is compared has it subtracted; "
     "-120 turns that off",
     0},
    {"match", "at", "NAME", T_CHOICE, AT(match.at), 0, 0, moments, FIND | RT_LIVE,
     "continuous",
     "when frames, events and timbre are answered: continuous counts from when the "
     "gate "
     "opened, both begins anew at each onset, onsets does and answers for one event's "
     "length",
     0},
    {"match", "onset-db", "DB", T_FLOAT, AT(match.onset_db), 0, 100, NULL,
     FIND | RT_LIVE, "3",
     "how much more than usual the bands must rise, on the mean, for an onset while "
     "the gate is open; 0 leaves it to the gate",
     0},
    {"match", "release", "SHARE", T_FLOAT, AT(match.release), 0, 1, NULL,
     FIND | RT_LIVE, "0",
     "how far below match.score the sound that was sent last may fall before it ends",
     0},
    {"match", "better-by", "COSINE", T_FLOAT, AT(match.better_by), 0, 2, NULL,
     FIND | RT_LIVE, "0",
     "how much more alike than the sound that was sent last another must be to take "
     "its "
     "place, as long as both go on; an onset ends that",
     0},
    {"match", "confirm-ms", "MS", T_U32, AT(match.confirm_ms), 0, 64000, NULL,
     FIND | RT_LIVE, "0",
     "how long a sound must have been the best at a scale before it is sent; an answer "
     "stands for 10 ms (frame), 100 (event, timbre) or 1000 (scene)",
     0},
    {"match", "within-ms", "MS", T_U32, AT(match.within_ms), 0, 64000, NULL,
     FIND | RT_LIVE, "0",
     "in how much time it must have been the best for match.confirm-ms; 0 wants that "
     "without a break",
     0},
    {"match", "min-gap-ms", "MS", T_U32, AT(match.min_gap_ms), 0, 600000, NULL,
     FIND | RT_LIVE, "0",
     "the same sound is not sent again at a scale before so much time has gone by", 0},
    {"search", "space", "NAME", T_CHOICE, AT(search.space), 0, 0, spaces,
     FIND | RT_LIVE, "acoustic",
     "what alike means: acoustic by sound alone, labels by what tells the labels of "
     "the "
     "corpus apart, where the index was built with build.labels; answers then come "
     "with "
     "a vote on the label",
     0},
    {"search", "codes", "NAME", T_CHOICE, AT(search.codes), 0, 0, distances,
     FIND | RT_LIVE, "jaccard",
     "how timbre codes are compared: jaccard by the share of envelopes in common, "
     "hamming by how many differ, which favours sounds of few",
     0},
    {"osc", "to", "HOST:PORT", T_LIST, AT(osc.to), 0, 0, NULL, RT_LISTEN,
     "127.0.0.1:9000",
     "receiver of OSC messages; repeat it for several; none sends nothing; what it "
     "wants "
     "follows with commas, such as :57120,as=superdirt or :9000,tcp,bundle,rate=20: "
     "see "
     "docs/osc.md",
     0},
    {"osc", "onsets", "yes|no", T_CHOICE, AT(osc.onsets), 0, 0, yesno,
     RT_LISTEN | RT_LIVE, "yes", "send /hearken/onset when the gate opens", 0},
    {"osc", "nomatch", "yes|no", T_CHOICE, AT(osc.nomatch), 0, 0, yesno,
     RT_LISTEN | RT_LIVE, "no",
     "send /hearken/nomatch when the best answer is below match.score", 0},
    {"osc", "mute", "yes|no", T_CHOICE, AT(osc.mute), 0, 0, yesno, RT_LISTEN | RT_LIVE,
     "no", "send nothing but the status; what is found still goes to stdout", 0},
    {"osc", "listen", "HOST:PORT", T_TEXT, AT(osc.listen), 0, 0, NULL, RT_LISTEN,
     "127.0.0.1:9009",
     "where commands are taken, as OSC over UDP; 0.0.0.0:9009 takes them from the "
     "network too, none takes none",
     0},
    {"osc", "allow", "ADDRESS/BITS", T_LIST, AT(osc.allow), 0, 0, NULL, RT_LISTEN,
     "loopback",
     "who may command: loopback, an address, or a range such as 192.168.1.0/24; repeat "
     "it for several",
     0},
    {"osc", "query", "HOST:PORT", T_TEXT, AT(osc.query), 0, 0, NULL, RT_LISTEN,
     "127.0.0.1:9009",
     "where OSCQuery answers over HTTP what can be commanded, with ranges and values, "
     "to those of osc.allow; none does not",
     0},
    {"osc", "reply-port", "PORT", T_U32, AT(osc.reply_port), 0, 65535, NULL,
     RT_LISTEN | RT_LIVE, "0",
     "port that answers to commands go to, at the address that they came from; 0 is "
     "the port that they came from",
     0},
    {"jack", "client-name", "NAME", T_NAME, AT(jack.client_name), 0, 0, NULL, RT_LISTEN,
     "hearken", "name of the JACK client", 'n'},
    {"jack", "inputs", "NAMES", T_TEXT, AT(jack.inputs), 0, 0, NULL, RT_LISTEN, "in",
     "names of its input ports, as in drums,voice: each is listened to by itself, and "
     "named in messages",
     0},
    {"jack", "connect", "PORT", T_LIST, AT(jack.connect), 0, 0, NULL, RT_LISTEN, "auto",
     "port to listen to, a name or a pattern (regular expression), for an input as in "
     "drums=system:capture_2, else for the inputs in turn; repeat it for several; auto "
     "is "
     "the capture port of the input's number, none connects nothing",
     'c'},
    {"jack", "wait", "yes|no", T_CHOICE, AT(jack.wait), 0, 0, yesno, RT_LISTEN, "yes",
     "wait for a server that is not there or went away; no ends with status 69", 0},
    {"out", "format", "NAME", T_CHOICE, AT(out.format), 0, 0, formats,
     FIND | RT_INFO | RT_EVAL | RT_CHECK | RT_TUNE | RT_TOP, "auto",
     "what stdout gets: json lines, a readable table, or none; auto is a table on a "
     "terminal and json elsewhere (of top: a screen on a terminal and a table "
     "elsewhere)",
     'f'},
    {"listen", "index", "NAME=FILE", T_LIST, AT(listen.index), 0, 0, NULL, RT_LISTEN,
     "none",
     "a further index to search at the same time; repeat it for several, up to 7. Its "
     "messages are called /hearken/NAME/match and so on; settings of its own follow "
     "with commas, as in drums=drums.hkn,score=0.8,scales=frame+event",
     0},
    {"listen", "seconds", "N", T_U32, AT(listen.seconds), 0, 1000000000, NULL,
     RT_LISTEN, "0", "end after so long; 0 goes on until Ctrl-C", 0},
    {"listen", "truth", "yes|no", T_CHOICE, AT(listen.truth), 0, 0, yesno, RT_LISTEN,
     "yes",
     "check one answer a second and scale against an exact search, at idle priority, "
     "where an answer may err; the recall is in the status and in the summary",
     0},
    {"listen", "paused", "yes|no", T_CHOICE, AT(listen.paused), 0, 0, yesno,
     RT_LISTEN | RT_LIVE, "no", "listen, but answer nothing", 0},
    {"learn", "file", "FILE", T_TEXT, AT(learn.file), 0, 0, NULL, FIND, "none",
     "what was learned by /hearken/learn: read at start, written at each change; none "
     "keeps it in memory (under a session manager: in the session)",
     0},
    {"debug", "rejects", "yes|no", T_CHOICE, AT(debug.rejects), 0, 0, yesno,
     FIND | RT_LIVE, "no",
     "tell of each answer that is not sent, with the reason, on stdout and as "
     "/hearken/reject",
     0},
    {"top", "seconds", "N", T_U32, AT(top.seconds), 0, 1000000000, NULL, RT_TOP, "0",
     "end after so long, or so many lines; 0 goes on until q, Ctrl-C or the end of "
     "listen",
     0},
    {"record", "seconds", "N", T_U32, AT(record.seconds), 0, 3600, NULL, RT_LISTEN, "0",
     "keep the last N seconds of sound and what was found in memory; SIGUSR1 writes "
     "them as a wav and lines of JSON; 0 keeps nothing",
     0},
    {"record", "folder", "FOLDER", T_TEXT, AT(record.folder), 0, 0, NULL, RT_LISTEN,
     ".", "where such recordings are written", 0},
    {"record", "replay", "yes|no", T_CHOICE, AT(record.replay), 0, 0, yesno, RT_QUERY,
     "yes",
     "answer for a recording of listen as listen did, with the settings and the state "
     "that it had; no takes it as any other sound",
     0},
    {"check", "self", "yes|no", T_CHOICE, AT(check.self), 0, 0, yesno, RT_CHECK, "yes",
     "ask the index for each of its own entries, and list those that it does not find",
     0},
    {"eval", "degrade", "yes|no", T_CHOICE, AT(eval.degrade), 0, 0, yesno, RT_EVAL,
     "yes",
     "measure too how well eleven degraded copies of each stored sound find it again",
     0},
    {"eval", "plot", "FILE", T_TEXT, AT(eval.plot), 0, 0, NULL, RT_EVAL, "none",
     "picture to write (SVG): precision over recall, and the degradations", 0},
    {"import", "output", "FILE", T_TEXT, AT(import.output), 0, 0, NULL, RT_IMPORT,
     "vectors.hkn",
     "index file to write; a file of that name is replaced when the new one is "
     "complete",
     'o'},
    {"import", "labels", "CSV", T_TEXT, AT(import.labels), 0, 0, NULL, RT_IMPORT,
     "none",
     "what the rows are: a CSV with the columns sound, start, length and label, a line "
     "for each row; for AudioSet the table of classes, index, mid and display_name",
     0},
    {"import", "scale", "NAME", T_CHOICE, AT(import.scale), 0, 0, imports, RT_IMPORT,
     "auto",
     "scale of the index that gets the rows; of AudioSet, event takes each second and "
     "scene the mean of a segment; auto is scene for AudioSet and frame elsewhere",
     0},
    {"import", "raw", "N", T_U32, AT(import.raw), 0, 1024, NULL, RT_IMPORT | RT_QUERY,
     "0",
     "read files of vectors as rows of N little-endian floats without a header; 0 does "
     "not",
     0},
    {"export", "output", "NAME", T_TEXT, AT(export.output), 0, 0, NULL, RT_EXPORT,
     "vectors", "writes NAME.npy, the rows, and NAME.csv, what each of them is", 'o'},
    {"export", "scale", "NAME", T_CHOICE, AT(export.scale), 0, 0, exports, RT_EXPORT,
     "auto",
     "scale of the rows; auto is event, or where it has none the first that has any",
     0},
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

const rt_field *
rt_fields(size_t *n)
{
    *n = N_FIELDS;
    return fields;
}
