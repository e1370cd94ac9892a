// SPDX-License-Identifier: GPL-2.0
/*
 * Functions for a Prometheus node exporter's textfile collector, in the text format 0.0.4:
 * the samples of one metric stand together behind its HELP and TYPE.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "scheduler.h"
#include "vpvctl.h"

static const char * const states[] = {
	"ERROR", "STOP", "RUNNING", "STOP_COPY", "RESUMING", "RUNNING_P2P", "PRE_COPY",
	"PRE_COPY_P2P",
};

/*
 * A label: backslash, quotes and newline are escaped.  For one byte that is no UTF-8 node
 * exporter would leave out the whole file.
 */
static void label(const char *name, const char *value)
{
	printf(",%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", stdout);
			continue;
		}
		if (strchr("\\\"", *value))
			putchar('\\');
		putchar(isascii((unsigned char)*value) ? *value : '?');
	}
	putchar('"');
}

static void head(const char *name, const struct offer *offer)
{
	printf("%s{device=\"%s\"", name, offer->fn.bdf);
}

static void value(uint64_t number)
{
	printf("} %" PRIu64 "\n", number);
}

static void print_info(const char *name, const struct offer *offer)
{
	char text[16];

	head(name, offer);
	snprintf(text, sizeof(text), "%04x:%04x", offer->fn.vendor, offer->fn.device);
	label("id", text);
	label("driver", offer->fn.driver);
	label("family", offer->mig.family);
	if (offer->persona.known) {
		snprintf(text, sizeof(text), "%u", offer->persona.version);
		label("persona", offer->persona.name);
		label("persona_version", text);
		label("persona_digest", offer->persona.digest);
	}
	value(1);
}

static void print_supported(const char *name, const struct offer *offer)
{
	if (!offer->mig.features_known)
		return;
	head(name, offer);
	value(offer_migrates(offer));
}

static void print_state(const char *name, const struct offer *offer)
{
	for (size_t i = 0; offer->mig.state[0] && i < sizeof(states) / sizeof(states[0]); i++) {
		head(name, offer);
		label("state", states[i]);
		value(!strcmp(states[i], offer->mig.state));
	}
}

static void print_refused(const char *name, const struct offer *offer)
{
	if (!offer->mig.ours)
		return;
	head(name, offer);
	value(offer->mig.error[0] != 0);
}

/* Both directions of what @of gives of a session. */
static void print_sessions(const char *name, const struct offer *offer,
			   uint64_t (*of)(const struct mig_session *s))
{
	const struct mig_session *s[] = { &offer->mig.save, &offer->mig.load };

	for (int i = 0; i < 2; i++) {
		if (!s[i]->any)
			continue;
		head(name, offer);
		label("direction", i ? "load" : "save");
		value(of(s[i]));
	}
}

static uint64_t bytes_of(const struct mig_session *s)
{
	return s->bytes;
}

static uint64_t running_of(const struct mig_session *s)
{
	return s->result == -EINPROGRESS;
}

static uint64_t errno_of(const struct mig_session *s)
{
	return s->result == -EINPROGRESS || s->result > 0 ? 0 : -(int64_t)s->result;
}

static void print_bytes(const char *name, const struct offer *offer)
{
	print_sessions(name, offer, bytes_of);
}

static void print_running(const char *name, const struct offer *offer)
{
	print_sessions(name, offer, running_of);
}

static void print_errno(const char *name, const struct offer *offer)
{
	print_sessions(name, offer, errno_of);
}

static const struct metric {
	const char *name;
	const char *help;
	void (*print)(const char *name, const struct offer *offer);
} metrics[] = {
	{ "vpv_function_info", "A function that a VFIO driver has, and the persona that it shows.",
	  print_info },
	{ "vpv_migration_supported", "Whether the driver can migrate the function.",
	  print_supported },
	{ "vpv_migration_state", "1 for the migration state of the function.", print_state },
	{ "vpv_migration_refused", "Whether the driver has refused something since it was bound.",
	  print_refused },
	{ "vpv_migration_session_bytes", "Bytes of device state in the last session.",
	  print_bytes },
	{ "vpv_migration_session_running", "Whether the last session still runs.",
	  print_running },
	{ "vpv_migration_session_errno", "What ended the last session: 0 if all went well.",
	  print_errno },
};

void print_prometheus(const struct offer *offers, int n)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		printf("# HELP %s %s\n# TYPE %s gauge\n", metrics[i].name, metrics[i].help,
		       metrics[i].name);
		for (int k = 0; k < n; k++)
			metrics[i].print(metrics[i].name, &offers[k]);
	}
}
