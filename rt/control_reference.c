/* Control in words, from the tables that drive it: docs/osc-control.md, and a part of
 * the man page. */
#include "control_private.h"

#include <stdio.h>
#include <string.h>

static const char before[] =
    "# Commanding hearken over OSC\n"
    "\n"
    "`hearken osc-reference` writes this page, from the tables that it runs by.\n"
    "\n"
    "While `hearken listen` runs, it takes OSC 1.0 messages and bundles over UDP,\n"
    "by itself at `127.0.0.1:9009` (`--osc-listen`) and from programs of the same\n"
    "machine (`--osc-allow 192.168.1.0/24` lets a network command). Each message\n"
    "is answered: at the address and port that it came from, or at\n"
    "`--osc-reply-port` of that address, for programs that send from one port and\n"
    "listen at another. Time tags of bundles are not waited for. From one address\n"
    "1,000 messages a second are taken; what comes beyond that, or from\n"
    "elsewhere, is dropped and counted (`refused_commands` of the\n"
    "[status](osc.md#hearkenstatus)). A datagram may hold 8,192 bytes and 64\n"
    "messages. An address may be a pattern: `/hearken/match/{score,k}`,\n"
    "`/hearken/*/mute`, with `?`, `*`, `[a-z]`, `[!a-z]` and `{this,that}` as in\n"
    "OSC 1.0; each address of this page that it fits is obeyed as if it had been\n"
    "sent (commands too: `/hearken/*` would also mute and pause), and counts as a\n"
    "message. Who may command may also have sound files of the machine read, by\n"
    "`/hearken/query/file`.\n"
    "\n"
    "    oscsend 127.0.0.1 9009 /hearken/match/score f 0.8\n"
    "    oscsend 127.0.0.1 9009 /hearken/match/scales s frame,event\n"
    "    oscsend 127.0.0.1 9009 /hearken/subscribe i 9001   # to port 9001 for 60 s\n"
    "    oscsend 127.0.0.1 9009 /hearken/subscribe iis 9001 60 at=onsets,k=3\n"
    "\n"
    "Programs that speak OSCQuery find all this, with ranges and values, by HTTP\n"
    "at `127.0.0.1:9009` (`--osc-query`; TCP, so that the port may be the same\n"
    "one):\n"
    "\n"
    "    curl 'http://127.0.0.1:9009/hearken/match/score?VALUE'\n"
    "\n"
    "SuperCollider, whose language answers come back to:\n"
    "\n"
    "    ~hearken = NetAddr(\"127.0.0.1\", 9009);\n"
    "    OSCdef(\\hearkenValue, { |msg| msg.postln }, '/hearken/value');\n"
    "    ~hearken.sendMsg('/hearken/match/score', 0.8);\n"
    "    ~hearken.sendMsg('/hearken/subscribe', 0, 60, \"at=onsets,k=3\");\n"
    "\n"
    "Pure Data, the port being that of a `[netreceive -u -b 9001]`:\n"
    "\n"
    "    [9001 60 at=onsets\\,k=3(    a message box\n"
    "    |\n"
    "    [oscformat hearken subscribe]\n"
    "    |\n"
    "    [list prepend send]\n"
    "    |\n"
    "    [list trim]\n"
    "    |\n"
    "    [netsend -u -b]    told connect 127.0.0.1 9009 before\n";

static const char settings_head[] =
    "\n"
    "## Settings\n"
    "\n"
    "A message with a value sets, one without asks; both are answered by\n"
    "`/hearken/value`. A value out of range, or of another kind, is refused by\n"
    "`/hearken/error`, and nothing changes. Numbers may come as `i`, `f`, `d` or\n"
    "`h`, or as `s`; for 1 and 0 also `T` and `F`, or `yes` and `no`; several\n"
    "words of a list as one string with commas or as several strings. A change is\n"
    "heard from the next block of samples on.\n"
    "\n"
    "| address | type | range | at start | meaning |\n"
    "|---|---|---|---|---|\n";

static void
range_of(const rt_field *f, char *out, size_t len)
{
    size_t n = 0;
    *out = 0;
    if (f->choices && rt_setting_type(f) == 'i')
        snprintf(out, len, "0, 1");
    else if (f->choices)
        for (size_t i = 0; f->choices[i] && n < len; i++)
            n +=
                (size_t)snprintf(out + n, len - n, "%s%s", i ? " " : "", f->choices[i]);
    else if (f->max > f->min)
        snprintf(out, len, "%g to %.10g", f->min, f->max);
}

static const char *
preset_of(const rt_field *f)
{
    if (!f->choices || rt_setting_type(f) != 'i')
        return f->preset;
    return strcmp(f->preset, "yes") ? "0" : "1";
}

static void
settings(FILE *to)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    fputs(settings_head, to);
    for (size_t i = 0; i < n; i++) {
        char address[RT_ADDRESS], range[200];
        if (!(f[i].commands & RT_LIVE))
            continue;
        rt_setting_address(&f[i], address);
        range_of(&f[i], range, sizeof range);
        fprintf(to, "| `%s` | %c | %s | %s | %s |\n", address, rt_setting_type(&f[i]),
                range, preset_of(&f[i]), f[i].help);
    }
}

void
rt_control_reference(FILE *to)
{
    size_t n;
    fputs(before, to);
    settings(to);
    fputs("\n## Commands\n\nIn brackets: may be left out.\n\n"
          "| address | arguments | meaning |\n|---|---|---|\n",
          to);
    const rt_control_command *c = rt_control_commands(&n);
    for (size_t i = 0; i < n; i++)
        fprintf(to, "| `%s` | %s | %s |\n", c[i].address, c[i].args, c[i].help);
    fputs("\n## Answers\n\n| address | arguments | meaning |\n|---|---|---|\n", to);
    const rt_answer *a = rt_answers(&n);
    for (size_t i = 0; i < n; i++)
        fprintf(to, "| `%s` | %s | %s |\n", a[i].address, a[i].args, a[i].help);
    fputs("\nWhat is sent to destinations, and so to subscribers, is in "
          "[osc.md](osc.md).\n",
          to);
}

/* ---- Man page -------------------------------------------------------------------- */

/* Text of the tables as roff, without the marks of Markdown. */
static void
roff(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '-')
            fputc('\\', to);
        if (*text != '`')
            fputc(*text, to);
    }
}

static void
entry(FILE *to, const char *address, const char *args, const char *help)
{
    fputs(".TP\n.B ", to);
    roff(to, address);
    fputc('\n', to);
    roff(to, args);
    fputs(*args ? ": " : "", to);
    roff(to, help);
    fputs(".\n", to);
}

void
rt_control_man(FILE *to)
{
    size_t n;
    fputs(".SH OSC MESSAGES\n", to);
    const rt_answer *sent = rt_sent(&n);
    for (size_t i = 0; i < n; i++)
        entry(to, sent[i].address, sent[i].args, sent[i].help);
    const rt_field *f = rt_fields(&n);
    fputs(
        ".SH CONTROL OVER OSC\nWhile listen runs, it obeys OSC messages at osc.listen, "
        "and answers to where they came from. A setting's address with a value sets it "
        "and without one asks for it; these can change:\n.PP\n",
        to);
    for (size_t i = 0; i < n; i++) {
        char address[RT_ADDRESS];
        if (!(f[i].commands & RT_LIVE))
            continue;
        rt_setting_address(&f[i], address);
        fputs(".br\n", to);
        roff(to, address);
        fprintf(to, " %c\n", rt_setting_type(&f[i]));
    }
    const rt_control_command *c = rt_control_commands(&n);
    for (size_t i = 0; i < n; i++)
        entry(to, c[i].address, c[i].args, c[i].help);
}
