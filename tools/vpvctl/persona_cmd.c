// SPDX-License-Identifier: GPL-2.0
/* "vpvctl persona": compile, decompile, show, diff, check, capture and set. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "persona_map.h"
#include "vpvctl.h"

/* Options of all subcommands; each says which it takes. */
struct args {
	const char *out;
	const char *config;
	const char *device;
	const char *name;
	const char *bars[VPV_PERSONA_BARS + 1];
	unsigned int num_bars;
	char **operands;
	int num;
};

struct subcommand {
	const char *name;
	const char *options;
	int least;
	int most;
	const char *usage;
	int (*run)(const struct args *args);
};

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "config", required_argument, NULL, 'c' },
	{ "device", required_argument, NULL, 'd' },
	{ "bar", required_argument, NULL, 'b' },
	{ "name", required_argument, NULL, 'n' },
	OPTIONS_COMMON,
};

/* Errors that name a place in a file have no prefix, so that editors find it. */
static int complain(char *error)
{
	fflush(stdout);
	fprintf(stderr, "%s\n", error);
	free(error);
	return 1;
}

static struct persona *load(const char *path)
{
	char *error;
	struct persona *persona = persona_load(path, &error);

	if (!persona)
		complain(error);
	return persona;
}

/* Of what is cut off nothing is left; a device that root named stays. */
static void remove_part(const char *path)
{
	struct stat is;

	if (!lstat(path, &is) && S_ISREG(is.st_mode))
		unlink(path);
}

/* All of it, or no file. */
static int write_file(const char *path, const void *data, size_t bytes)
{
	FILE *to = path ? fopen(path, "wbe") : stdout;
	bool good;

	if (!to)
		return fail("%s: %s", path, strerror(errno));
	good = fwrite(data, 1, bytes, to) == bytes;
	if (path)
		good = !fclose(to) && good;
	else
		good = !fflush(to) && good;
	if (good)
		return 0;
	if (path)
		remove_part(path);
	return fail("%s: cannot be written", path ? path : "stdout");
}

static int run_compile(const struct args *args)
{
	struct persona *persona;
	int status;

	if (!args->out && isatty(STDOUT_FILENO))
		usage_error("compile needs --output FILE");
	persona = load(args->operands[0]);
	if (!persona)
		return 1;
	status = write_file(args->out, persona->blob, persona->bytes);
	persona_free(persona);
	return status;
}

static int run_decompile(const struct args *args)
{
	struct persona *persona = load(args->operands[0]);
	char *text = NULL;
	size_t bytes;
	FILE *to;
	int status;

	if (!persona)
		return 1;
	to = open_memstream(&text, &bytes);
	if (!to)
		return fail("out of memory");
	map_print(&persona->p, to);
	fclose(to);
	status = write_file(args->out, text, bytes);
	free(text);
	persona_free(persona);
	return status;
}

static int run_show(const struct args *args)
{
	struct persona *persona = load(args->operands[0]);
	int status = persona ? persona_show(persona) : 1;

	persona_free(persona);
	return status;
}

static int run_diff(const struct args *args)
{
	struct persona *a = load(args->operands[0]);
	struct persona *b = a ? load(args->operands[1]) : NULL;
	int status = b ? persona_diff(a, b) : 1;

	persona_free(a);
	persona_free(b);
	return status;
}

/* The device that the options name; *@there: they name one. */
static struct persona_device *open_device(const struct args *args, bool *there)
{
	struct persona_device *dev;
	char *error = NULL;
	bool good;

	*there = args->config || args->device;
	if (args->config && args->device)
		usage_error("--config and a device exclude each other");
	if (args->num_bars && !args->config)
		usage_error("--bar needs --config");
	if (!*there)
		return NULL;
	dev = xalloc(sizeof(*dev));
	good = args->config ? persona_device_file(dev, args->config, &error) :
			      persona_device_open(dev, args->device, &error);
	if (!good) {
		complain(error);
		free(dev);
		return NULL;
	}
	for (unsigned int i = 0; i < args->num_bars; i++)
		if (!persona_device_bar(dev, args->bars[i]))
			usage_error("--bar %s is not NUMBER=SIZE or rom=SIZE",
				    args->bars[i]);
	return dev;
}

static int check_fails(const char *path, char *error)
{
	struct json_object *obj;

	if (!vpvctl.json)
		return complain(error);
	obj = json_object_new_object();
	put_text(obj, "file", path);
	put_flag(obj, "good", false);
	put_text(obj, "error", error);
	print_json(obj, false);
	free(error);
	return 1;
}

static int check_passes(const struct persona *persona, bool device)
{
	char digest[2 * VPV_PERSONA_DIGEST_BYTES + 1];
	struct json_object *obj;

	persona_digest(persona, digest);
	if (!vpvctl.json) {
		printf("%s: good: %s version %u, %s\n", persona->path, persona->p.name,
		       persona->p.version, device ? "and the device can keep it" :
						     "no device was named");
		return 0;
	}
	obj = json_object_new_object();
	put_text(obj, "file", persona->path);
	put_flag(obj, "good", true);
	put_text(obj, "name", persona->p.name);
	put_number(obj, "version", persona->p.version);
	put_text(obj, "digest", digest);
	put_flag(obj, "device", device);
	print_json(obj, false);
	return 0;
}

static int check_device(const struct persona *persona, const struct persona_device *dev)
{
	struct vcfg_persona_map *map = xalloc(sizeof(*map));
	struct vcfg_persona_why why;
	char *where, *error;
	int err = vcfg_persona_fit(&persona->p, &dev->hw, map, &why);

	free(map);
	if (!err)
		return check_passes(persona, true);
	where = persona_where(persona, &why);
	error = xformat("%s: %s (expected %#llx, found %#llx)", where, why.text,
			(unsigned long long)why.want, (unsigned long long)why.got);
	free(where);
	return check_fails(persona->path, error);
}

static int run_check(const struct args *args)
{
	const char *path = args->operands[0];
	bool there;
	struct persona_device *dev = open_device(args, &there);
	struct persona *persona;
	char *error;
	int status;

	if (there && !dev)
		return 1;
	persona = persona_load(path, &error);
	if (!persona)
		status = check_fails(path, error);
	else if (dev)
		status = check_device(persona, dev);
	else
		status = check_passes(persona, false);
	persona_free(persona);
	free(dev);
	return status;
}

static int run_capture(const struct args *args)
{
	struct args with = *args;
	struct persona_device *dev;
	char *text = NULL;
	size_t bytes;
	bool there;
	FILE *to;
	int status;

	if (args->num == 1 && args->device)
		usage_error("a device is named twice");
	if (args->num == 1)
		with.device = args->operands[0];
	if (!with.device && !with.config)
		usage_error("capture needs a device or --config FILE");
	dev = open_device(&with, &there);
	if (!dev)
		return 1;
	to = open_memstream(&text, &bytes);
	if (!to)
		return fail("out of memory");
	persona_capture(dev, args->name ? args->name : "captured", to);
	fclose(to);
	free(dev);
	status = write_file(args->out, text, bytes);
	free(text);
	return status;
}

static void check_name(const char *what, const char *name)
{
	u8 padded[VPV_PERSONA_NAME_BYTES] = { 0 };

	if (strlen(name) >= sizeof(padded))
		usage_error("%s is longer than %zu characters", what, sizeof(padded) - 1);
	memcpy(padded, name, strlen(name));
	if (!vcfg_persona_name_good(padded))
		usage_error("%s '%s' is not a letter, then letters, digits or . _ -", what,
			    name);
}

static int run_set(const struct args *args)
{
	if (!persona_is_file(args->operands[1]))
		check_name("name", args->operands[1]);
	return persona_set(args->operands[0], args->operands[1]);
}

static const struct subcommand subcommands[] = {
	{ "capture", "cdbno", 0, 1,
	  "persona capture DEVICE | --config FILE [--bar N=SIZE]... [--name NAME] "
	  "[--output FILE]", run_capture },
	{ "check", "cdb", 1, 1,
	  "persona check FILE [--device DEVICE | --config FILE [--bar N=SIZE]...] [--json]",
	  run_check },
	{ "compile", "o", 1, 1, "persona compile MAP --output FILE", run_compile },
	{ "decompile", "o", 1, 1, "persona decompile FILE [--output FILE]", run_decompile },
	{ "diff", "", 2, 2, "persona diff FILE FILE [--json]", run_diff },
	{ "set", "", 2, 2, "persona set DEVICE NAME|FILE|default [--json]", run_set },
	{ "show", "", 1, 1, "persona show FILE [--json]", run_show },
};

static const char overview[] =
	"persona capture|check|compile|decompile|diff|set|show ...\n"
	"       (--help behind one of them tells its arguments)";

static const char *option_name(int opt)
{
	size_t i = 0;

	while (options[i].name && options[i].val != opt)
		i++;
	return options[i].name;
}

static void take_option(struct args *args, const struct subcommand *sub, int opt)
{
	if (!strchr(sub->options, opt))
		usage_error("%s does not take --%s", sub->name, option_name(opt));
	switch (opt) {
	case 'o':
		args->out = optarg;
		break;
	case 'c':
		args->config = optarg;
		break;
	case 'd':
		args->device = optarg;
		break;
	case 'n':
		args->name = optarg;
		break;
	default:
		if (args->num_bars == VPV_PERSONA_BARS + 1)
			usage_error("--bar is there too often");
		args->bars[args->num_bars++] = optarg;
	}
}

static const struct subcommand *find_subcommand(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	usage_error("'%s' is not one of capture, check, compile, decompile, diff, set, show", name);
}

int cmd_persona(int argc, char **argv)
{
	const struct subcommand *sub;
	struct args args = { 0 };
	int opt;

	if (argc < 2)
		usage_error("capture, check, compile, decompile, diff, set or show is missing");
	if (*argv[1] == '-') {
		next_option(argc, argv, options, overview);
		usage_error("the subcommand comes before its options");
	}
	sub = find_subcommand(argv[1]);
	argc--;
	argv++;
	while ((opt = next_option(argc, argv, options, sub->usage)) != -1)
		take_option(&args, sub, opt);
	args.operands = argv + optind;
	args.num = argc - optind;
	if (args.num < sub->least || args.num > sub->most)
		usage_error("usage: %s", sub->usage);
	if (args.name)
		check_name("--name", args.name);
	return sub->run(&args);
}
