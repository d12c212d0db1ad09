/* The manual page, in roff: commands and options from the table of settings. */
#include "control.h"
#include "help.h"
#include "rt.h"

#include <string.h>

typedef struct {
    const char *term, *text;
} entry;

/* docs/osc.md has the ranges and units; a test compares the two. */
static const entry files[] = {
    {"corpus.hkn", "An index, written by build, import and merge, read by the others. "
                   "It names the files of its sounds, and does not hold them."},
    {"corpus.hkn.parts",
     "What a build that was stopped, or one with build.update, has found out about "
     "each file; the next build of that name goes on from there."},
    {"PREFIX/share/hearken/presets",
     "Presets that explain themselves: live.conf, sound-design.conf, "
     "installation.conf. PREFIX is /usr, or /usr/local after make install."},
    {"/etc/hearken/listen.conf",
     "Preset of the system service hearken.service, whose index is "
     "/var/lib/hearken/corpus.hkn. The service of a user (systemctl --user) reads "
     "~/.config/hearken/listen.conf and ~/.local/share/hearken/corpus.hkn."},
    {"PREFIX/share/doc/hearken",
     "The OSC reference (osc.md), installation.md and more, and examples for "
     "SuperCollider and Pure Data."},
};

static const entry signals[] = {
    {"SIGINT, SIGTERM",
     "End in good order: listen sends what is left and says what became of "
     "everything (status 0), build keeps what it has found out (status 130). The "
     "second one ends at once."},
    {"SIGHUP", "listen reads its index anew, without missing a moment of sound."},
    {"SIGUSR1",
     "listen with record.seconds writes the last seconds of sound, and what was found "
     "in them, to record.folder, and goes on."},
    {"SIGPIPE", "Is ignored: a closed pipe is a failure to write, status 74."},
};

static const entry environment[] = {
    {"JACK_DEFAULT_SERVER",
     "Name of the JACK server, if not default. hearken never starts a server."},
    {"JACK_PROMISCUOUS_SERVER",
     "Where server and clients belong to different users: the group of both, set for "
     "server and client alike."},
    {"NSM_URL",
     "hearken listen joins the session of the New Session Manager there, waiting five "
     "seconds for its answer, and takes the client's name that it gives. In the "
     "session's folder hearken.conf is a preset, below the command line, and "
     "corpus.hkn "
     "the index or a link to it; both are written when the session is saved. Without "
     "arguments, as managers start it, hearken is hearken listen."},
    {"PIPEWIRE_LATENCY", "Of PipeWire, with pw-jack hearken listen: the period asked "
                         "for, such as 64/48000."},
    {"NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID",
     "Set by systemd: listen tells it when it is ready, what it does and, as long as "
     "it is analysing or has to wait for a server, that it is alive."},
    {"JOURNAL_STREAM",
     "Set by systemd: messages to the journal begin with their level."},
    {"DSP_KERN, IDX_KERN",
     "c takes the plain C code where the processor could do more, to compare."},
};

static const entry statuses[] = {
    {"0", "Done."},
    {"64", "The command line cannot be used."},
    {"65", "An index or a sound is damaged, or something else."},
    {"66", "An index, a sound or a folder is not there."},
    {"68", "The name of a receiver cannot be resolved."},
    {"69", "There is no JACK server, or it went away, with jack.wait = no."},
    {"70", "Out of memory, or a fault of hearken's."},
    {"74", "Something could not be read or written."},
    {"78", "A preset or a setting that cannot be used."},
    {"130", "Stopped by SIGINT or SIGTERM, without a result."},
};

static const entry examples[] = {
    {"hearken build ~/samples ~/field -o corpus.hkn", "Makes an index of two folders."},
    {"hearken listen corpus.hkn --osc-to 192.168.1.20:7400",
     "Listens to the first capture port, and answers to another machine."},
    {"pw-jack hearken listen corpus.hkn -c 'SuperCollider:out_1'",
     "Listens to SuperCollider, under PipeWire."},
    {"hearken query corpus.hkn take.wav",
     "Says what it would have answered to a recording."},
};

/* Text as roff: a backslash, and a point or quote at the margin, would be commands. */
static void
roff(FILE *to, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", to);
    for (; *text; text++) {
        if (*text == '\\' || *text == '-')
            fputc('\\', to);
        fputc(*text, to);
    }
    fputc('\n', to);
}

static void
man_entry(FILE *to, const char *term, const char *text)
{
    fputs(".TP\n.B ", to);
    roff(to, term);
    roff(to, text);
}

static void
man_command(FILE *to, const rt_command *c)
{
    char option[80], text[600];
    size_t n;
    const rt_field *f = rt_fields(&n);
    fprintf(to, ".SS hearken %s [OPTION...] %s\n", c->name, c->args);
    roff(to, c->what);
    for (size_t i = 0; i < n; i++) {
        if (!(f[i].commands & c->bit))
            continue;
        rt_field_option(&f[i], option, sizeof option);
        rt_field_text(&f[i], text, sizeof text);
        man_entry(to, option, text);
    }
    man_entry(to, "--preset FILE", rt_preset_help);
}

#define ENTRIES(to, heading, table)                                                    \
    man_entries(to, heading, table, sizeof(table) / sizeof *(table))
static void
man_entries(FILE *to, const char *heading, const entry table[], size_t n)
{
    fprintf(to, ".SH %s\n", heading);
    for (size_t i = 0; i < n; i++)
        man_entry(to, table[i].term, table[i].text);
}

void
rt_man(FILE *to)
{
    size_t n;
    const rt_command *c = rt_commands(&n);
    fputs(".TH HEARKEN 1 \"\" \"hearken " RT_VERSION "\" \"User commands\"\n.SH NAME\n"
          "hearken \\- finds live sound in a corpus, over OSC\n.SH SYNOPSIS\n"
          ".B hearken\nCOMMAND [OPTION...] ARGUMENT...\n.br\n.B hearken\nCOMMAND "
          "\\-\\-help | \\-\\-help | \\-\\-version | man\n.SH DESCRIPTION\n",
          to);
    roff(to, rt_about);
    fputs(".SH COMMANDS\n", to);
    for (size_t i = 0; i < n; i++)
        man_command(to, &c[i]);
    fputs(".SH PRESETS\n", to);
    roff(to, "A setting section.key is the option --section-key and the line "
             "section.key = value in a preset. Options win over the preset, the preset "
             "over the built-in values. In brackets above: the built-in value, then "
             "what is allowed.");
    rt_control_man(to);
    ENTRIES(to, "FILES", files);
    ENTRIES(to, "SIGNALS", signals);
    ENTRIES(to, "ENVIRONMENT", environment);
    ENTRIES(to, "EXIT STATUS", statuses);
    ENTRIES(to, "EXAMPLES", examples);
    fputs(".SH SEE ALSO\n.BR jackd (1),\n.BR pw\\-jack (1),\n.BR oscdump (1),\n"
          ".BR systemctl (1)\n",
          to);
}
