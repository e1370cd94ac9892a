// SPDX-License-Identifier: GPL-2.0
/* vpvctl stream: print or check a captured migration stream: who reads, and which file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream_read.h"
#include "vpvctl.h"

static const struct option options[] = {
	{ "family", required_argument, NULL, 'f' },
	{ "max-record", required_argument, NULL, 'm' },
	{ "oldest", required_argument, NULL, 'o' },
	{ "persona", required_argument, NULL, 'p' },
	{ "state-version", required_argument, NULL, 's' },
	OPTIONS_COMMON
};

#define USAGE "stream show|check [--family NAME] [--state-version N [--oldest N]] " \
	"[--persona FILE|default] [--max-record BYTES] [--json] FILE|-"

/* The reader shows this one. */
static void adopt_persona(struct reading *r, const char *file)
{
	char *error;

	r->any_persona = false;
	if (!strcmp(file, "default"))
		return;
	r->persona = persona_load(file, &error);
	if (!r->persona)
		exit(fail("%s", error));
	memcpy(r->self.persona, r->persona->p.name, sizeof(r->self.persona));
	r->self.persona_version = r->persona->p.version;
	persona_digest_bytes(r->persona, r->self.persona_digest);
}

static void parse_options(struct reading *r, int argc, char **argv)
{
	int opt;

	while ((opt = next_option(argc, argv, options, USAGE)) != -1) {
		switch (opt) {
		case 'f':
			if (!*optarg || strlen(optarg) >= VPV_STREAM_NAME_BYTES)
				usage_error("'%s' is no name of a family", optarg);
			memset(r->self.family, 0, sizeof(r->self.family));
			memcpy(r->self.family, optarg, strlen(optarg));
			r->family = true;
			break;
		case 'm':
			r->max_record = number("--max-record", optarg, 1, VPV_STREAM_MAX_PAYLOAD);
			break;
		case 'o':
			r->self.state_accepts = number("--oldest", optarg, 0, U32_MAX);
			break;
		case 'p':
			adopt_persona(r, optarg);
			break;
		case 's':
			r->self.state_version = number("--state-version", optarg, 0, U32_MAX);
			r->versions = true;
			break;
		}
	}
	if (r->versions && r->self.state_accepts > r->self.state_version)
		usage_error("--oldest is above --state-version");
	if (argc - optind != 2)
		usage_error("give show or check, and a file or -");
}

static void open_stream(struct reading *r, const char *file)
{
	r->fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (r->fd < 0)
		exit(fail("cannot open %s: %s", file, strerror(errno)));
}

int cmd_stream(int argc, char **argv)
{
	static struct reading r = {
		.max_record = VPV_STREAM_MAX_PAYLOAD, .any_persona = true,
	};
	const char *verb, *file;
	void *payload = NULL;

	parse_options(&r, argc, argv);
	verb = argv[optind];
	file = argv[optind + 1];
	r.show = !strcmp(verb, "show");
	if (!r.show && strcmp(verb, "check"))
		usage_error("'%s' is neither show nor check", verb);
	if (r.show && vpvctl.json)
		r.listed = json_object_new_array();

	open_stream(&r, file);
	vmig_parse_begin(&r.parser, &r.self, r.max_record);
	r.parser.view_wanted = r.persona;
	r.parser.memory = true;
	while (stream_step(&r, &payload))
		;
	free(payload);
	persona_free(r.persona);
	if (r.fd != STDIN_FILENO)
		close(r.fd);

	stream_show_verdict(&r, file);
	return r.fault.err ? 1 : 0;
}
