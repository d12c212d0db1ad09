/* The tree of OSCQuery, out of the tables of settings, commands and answers. */
#include "oscquery.h"

#include "control_private.h"
#include "out.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 160, ACCESS_READ = 1, ACCESS_WRITE = 2 };

/* One address that is sent or received; containers are its beginnings. */
typedef struct {
    char address[RT_ADDRESS];
    char types[OSC_MAX_ARGS + 1];
    int access;
    const rt_field *field; /* of a setting, else NULL */
    const char *help;
} node;

typedef struct {
    const rt_oscquery_config *config;
    FILE *to;
    size_t n;
    node nodes[MOST_NODES];
} tree;

/* ---- Nodes ----------------------------------------------------------------------- */

/* Types out of "s path, [i k]"; N, nil, where there is no argument. */
static void
types_of(const char *args, char out[OSC_MAX_ARGS + 1])
{
    size_t n = 0;
    for (const char *p = args; *p && n < OSC_MAX_ARGS;) {
        p += *p == '[';
        if (p[0] && (p[1] == ' ' || !p[1]))
            out[n++] = p[0];
        p += strcspn(p, ",");
        p += strspn(p, ", ");
    }
    if (!n)
        out[n++] = 'N';
    out[n] = 0;
}

static void
add(tree *t, const char *address, const char *args, int access, const rt_field *field,
    const char *help)
{
    if (t->n == MOST_NODES)
        return; /* check_oscquery sees that it does not come to that */
    node *n = &t->nodes[t->n++];
    snprintf(n->address, sizeof n->address, "%s", address);
    types_of(args, n->types);
    n->access = access;
    n->field = field;
    n->help = help;
}

static void
add_all(tree *t)
{
    size_t n;
    char address[RT_ADDRESS];
    const rt_field *f = rt_fields(&n);
    for (size_t i = 0; i < n; i++)
        if (f[i].commands & RT_LIVE) {
            const char type[2] = {rt_setting_type(&f[i]), 0};
            rt_setting_address(&f[i], address);
            add(t, address, type, ACCESS_READ | ACCESS_WRITE, &f[i], f[i].help);
        }
    const rt_control_command *c = rt_control_commands(&n);
    for (size_t i = 0; i < n; i++)
        add(t, c[i].address, c[i].args, ACCESS_WRITE, NULL, c[i].help);
    const rt_answer *a = rt_answers(&n);
    for (size_t i = 0; i < n; i++)
        add(t, a[i].address, a[i].args, ACCESS_READ, NULL, a[i].help);
    const rt_answer *s = rt_sent(&n);
    for (size_t i = 0; i < n; i++)
        add(t, s[i].address, s[i].args, ACCESS_READ, NULL, s[i].help);
}

static const node *
node_at(const tree *t, const char *path, size_t len)
{
    for (size_t i = 0; i < t->n; i++)
        if (strlen(t->nodes[i].address) == len &&
            !strncmp(t->nodes[i].address, path, len))
            return &t->nodes[i];
    return NULL;
}

/* The next part of an address below path[len], or NULL when it is not below. */
static const char *
part_below(const node *n, const char *path, size_t len)
{
    const bool below = !strncmp(n->address, path, len) && n->address[len] == '/' &&
                       n->address[len + 1];
    return below ? n->address + len + 1 : NULL;
}

static bool
has_contents(const tree *t, const char *path, size_t len)
{
    for (size_t i = 0; i < t->n; i++)
        if (part_below(&t->nodes[i], path, len))
            return true;
    return false;
}

/* ---- Attributes ------------------------------------------------------------------ */

/* The finite numbers of the table, as JSON has them. */
static void
put_value(const tree *t, const rt_field *f)
{
    char text[RT_TEXT];
    const void *at = (const char *)t->config->options + f->offset;
    const char type = rt_setting_type(f);
    if (type == 'i') {
        fprintf(t->to, "[%u]", *(const uint32_t *)at);
    } else if (type == 'f') {
        fprintf(t->to, "[%.9g]", (double)*(const float *)at);
    } else {
        rt_options_text(t->config->options, f, 0, text, sizeof text);
        fputc('[', t->to);
        rt_json_string(t->to, text);
        fputc(']', t->to);
    }
}

static void
put_range(const tree *t, const rt_field *f)
{
    if (!f->choices) {
        fprintf(t->to, "[{\"MIN\":%.10g,\"MAX\":%.10g}]", f->min, f->max);
        return;
    }
    const bool number = rt_setting_type(f) == 'i';
    fputs("[{\"VALS\":[", t->to);
    for (int i = 0; f->choices[i]; i++) {
        fputs(i ? "," : "", t->to);
        if (number)
            fprintf(t->to, "%d", i);
        else
            rt_json_string(t->to, f->choices[i]);
    }
    fputs("]}]", t->to);
}

static bool
has_range(const rt_field *f)
{
    return f && (f->type == T_CHOICE || f->max > f->min); /* sets have no range */
}

static void put_node(const tree *t, const char *path, size_t len);

/* Whether a part was there before, among the first i nodes. */
static bool
was_before(const tree *t, size_t i, const char *path, size_t len, const char *part)
{
    const size_t n = strcspn(part, "/");
    for (size_t j = 0; j < i; j++) {
        const char *other = part_below(&t->nodes[j], path, len);
        if (other && strcspn(other, "/") == n && !strncmp(other, part, n))
            return true;
    }
    return false;
}

static void
put_contents(const tree *t, const char *path, size_t len)
{
    bool any = false;
    fputc('{', t->to);
    for (size_t i = 0; i < t->n; i++) {
        const char *part = part_below(&t->nodes[i], path, len);
        if (!part || was_before(t, i, path, len, part))
            continue;
        const int n = (int)strcspn(part, "/");
        fprintf(t->to, "%s\"%.*s\":", any ? "," : "", n, part);
        put_node(t, t->nodes[i].address, len + 1 + (size_t)n);
        any = true;
    }
    fputc('}', t->to);
}

static const char *const attributes[] = {"FULL_PATH", "ACCESS",      "TYPE",    "VALUE",
                                         "RANGE",     "DESCRIPTION", "CONTENTS"};
enum { N_ATTRIBUTES = sizeof attributes / sizeof *attributes };

static bool
has_attribute(const tree *t, const char *name, const char *path, size_t len)
{
    const node *n = node_at(t, path, len);
    if (!strcmp(name, "CONTENTS"))
        return has_contents(t, path, len);
    if (!strcmp(name, "FULL_PATH") || !strcmp(name, "ACCESS"))
        return true;
    if (!strcmp(name, "VALUE"))
        return n && n->field;
    return n && (strcmp(name, "RANGE") != 0 || has_range(n->field));
}

/* Writes an attribute that a path has. */
static void
put_attribute(const tree *t, const char *name, const char *path, size_t len)
{
    const node *n = node_at(t, path, len);
    if (!strcmp(name, "FULL_PATH"))
        fprintf(t->to, "\"%.*s\"", len ? (int)len : 1, len ? path : "/");
    else if (!strcmp(name, "CONTENTS"))
        put_contents(t, path, len);
    else if (!strcmp(name, "ACCESS"))
        fprintf(t->to, "%d", n ? n->access : 0);
    else if (!strcmp(name, "TYPE"))
        fprintf(t->to, "\"%s\"", n->types);
    else if (!strcmp(name, "VALUE"))
        put_value(t, n->field);
    else if (!strcmp(name, "RANGE"))
        put_range(t, n->field);
    else
        rt_json_string(t->to, n->help);
}

static void
put_node(const tree *t, const char *path, size_t len)
{
    bool any = false;
    fputc('{', t->to);
    for (size_t i = 0; i < N_ATTRIBUTES; i++) {
        if (!has_attribute(t, attributes[i], path, len))
            continue;
        fprintf(t->to, "%s\"%s\":", any ? "," : "", attributes[i]);
        put_attribute(t, attributes[i], path, len);
        any = true;
    }
    fputc('}', t->to);
}

/* ---- Answers --------------------------------------------------------------------- */

static void
put_host_info(const tree *t)
{
    const osc_peer self = osc_control_self(t->config->socket);
    static const uint8_t any[16];
    char address[INET6_ADDRSTRLEN] = "";
    inet_ntop(self.is_ipv6 ? AF_INET6 : AF_INET, self.address, address, sizeof address);
    fprintf(t->to, "{\"NAME\":\"hearken\",");
    if (memcmp(self.address, any, sizeof any) != 0) /* else that of the HTTP server */
        fprintf(t->to, "\"OSC_IP\":\"%s\",", address);
    fprintf(t->to,
            "\"OSC_PORT\":%u,\"OSC_TRANSPORT\":\"UDP\",\"EXTENSIONS\":{\"ACCESS\":true,"
            "\"VALUE\":true,\"RANGE\":true,\"DESCRIPTION\":true}}",
            self.port);
}

static bool
is_attribute(const char *name)
{
    for (size_t i = 0; i < N_ATTRIBUTES; i++)
        if (!strcmp(name, attributes[i]))
            return true;
    return false;
}

unsigned
rt_oscquery_answer(const rt_oscquery_config *config, const char *path,
                   const char *attribute, FILE *to)
{
    tree *t = calloc(1, sizeof *t);
    unsigned status = 200;
    if (!t)
        return 500;
    t->config = config;
    t->to = to;
    add_all(t);
    size_t len = strlen(path);
    while (len && path[len - 1] == '/') /* the root is "", a container may end in / */
        len--;
    if (attribute && !strcmp(attribute, "HOST_INFO")) {
        put_host_info(t);
    } else if (!node_at(t, path, len) && !has_contents(t, path, len)) {
        status = 404;
    } else if (!attribute) {
        put_node(t, path, len);
    } else if (is_attribute(attribute) && has_attribute(t, attribute, path, len)) {
        fprintf(to, "{\"%s\":", attribute);
        put_attribute(t, attribute, path, len);
        fputc('}', to);
    } else {
        status = 204;
    }
    free(t);
    return status;
}
