#ifndef HEARKEN_RT_CONTROL_PRIVATE_H
#define HEARKEN_RT_CONTROL_PRIVATE_H

#include "control.h"
#include "options_private.h"
#include "osc/control.h"
#include "oscquery.h"

enum { RT_SENTENCE = 400 };

typedef struct {
    osc_peer who;
    double until_s;         /* 0: the place is free */
    char settings[RT_ITEM]; /* of target.h */
    uint32_t asks;          /* rt_target_asks() */
} rt_subscriber;

struct rt_control {
    rt_control_config config;
    rt_options options;   /* as they are now; written by the thread, which alone */
    pthread_mutex_t lock; /* needs no lock to read them */
    osc_control *socket;
    rt_oscquery *oscquery; /* NULL: none */
    pthread_t thread;
    bool started;
    atomic_bool stop;
    bool due;       /* the settings are to be pushed */
    uint32_t asked; /* match.asked without subscribers */
    rt_subscriber subscriber[RT_SUBSCRIBERS];
    uint32_t n_queries;
    double now_s;
    osc_peer from; /* who sent the message that is being answered */
};

/* A message that is obeyed. run returns false with one sentence in why. */
typedef struct {
    const char *address, *args, *help;
    bool (*run)(rt_control *c, const osc_message *m, char *why, size_t len);
} rt_control_command;
const rt_control_command *rt_control_commands(size_t *n);

/* Argument number i as a string, or NULL. */
const char *rt_arg_string(const osc_message *m, uint32_t i);

/* Argument number i as a whole number of a range; false when it is none. Where there is
 * none, *out stays. */
bool rt_arg_number(const osc_message *m, uint32_t i, int least, int most, int *out);

/* The index that argument number i names, or the first where there is none. False, with
 * why. */
bool rt_arg_index(const rt_control *c, const osc_message *m, uint32_t i, uint32_t *out,
                  char *why, size_t len);

/* Commands about indexes (control_index.c). */
bool rt_index_load(rt_control *c, const osc_message *m, char *why, size_t len);
bool rt_index_reload(rt_control *c, const osc_message *m, char *why, size_t len);
bool rt_index_list(rt_control *c, const osc_message *m, char *why, size_t len);
bool rt_index_set(rt_control *c, const osc_message *m, char *why, size_t len);

/* Answers of control, for the reference; also what it never answers itself. */
typedef struct {
    const char *address, *args, *help;
} rt_answer;
const rt_answer *rt_answers(size_t *n);
const rt_answer *rt_sent(size_t *n); /* what goes to destinations */

/* Sends one message to who asked. False when it does not fit or is not taken. */
bool rt_control_reply(rt_control *c, const char *address, const osc_arg args[],
                      uint32_t n);

/* Where answers to the one who asks go: osc.reply-port may say another port. */
osc_peer rt_control_asker(const rt_control *c);

/* ---- Settings (control_settings.c) ----------------------------------------------- */

/* Address of a row, "/hearken/match/score". */
enum { RT_ADDRESS = 96 };
void rt_setting_address(const rt_field *f, char out[RT_ADDRESS]);

/* The row of an address, or NULL. */
const rt_field *rt_setting_at(const char *address);

/* Type of its value over OSC: i, f or s; yes|no are i 1 and 0. */
char rt_setting_type(const rt_field *f);

/* Sets a row from arguments, from the one at number first on, and has it used. */
bool rt_setting_change(rt_control *c, const rt_field *f, const osc_message *m,
                       uint32_t first, char *why, size_t len);

/* As rt_setting_change(), from text. */
bool rt_setting_change_text(rt_control *c, const rt_field *f, const char *text,
                            char *why, size_t len);

/* Gives an index a setting of its own, by the arguments from number first on, has it
 * used, and answers with /hearken/index/value. */
bool rt_setting_change_own(rt_control *c, uint32_t index, const char *key,
                           const osc_message *m, uint32_t first, char *why, size_t len);

/* Answers with /hearken/value. */
bool rt_setting_tell(rt_control *c, const rt_field *f, char *why, size_t len);

/* ---- Subscribers (control_subscribe.c) --------------------------------------------
 */

bool rt_control_subscribe(rt_control *c, const osc_message *m, char *why, size_t len);
bool rt_control_unsubscribe(rt_control *c, const osc_message *m, char *why, size_t len);

/* Ends what was not asked for again. */
void rt_control_expire(rt_control *c);

/* While the thread does not run: has those sent to again; one that cannot be is left
 * out. */
void rt_control_resubscribe(rt_control *c, const rt_subscription s[RT_SUBSCRIBERS]);

/* The same: who has subscribed. */
void rt_control_subscribed(const rt_control *c, rt_subscription s[RT_SUBSCRIBERS]);

/* ---- Files (control_query.c) ----------------------------------------------------- */

/* Answers with the k sounds of an index most like a file, for each scale of
 * match.scales. */
bool rt_control_query(rt_control *c, uint32_t index, const char *path, uint32_t k,
                      char *why, size_t len);

#endif
