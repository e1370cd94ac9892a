// SPDX-License-Identifier: GPL-2.0
/*
 * Does a VFIO device with FEATURE_MIGRATION do what users of it rely on?  See README.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mig.h"

#define SKIPPED		4
#define PATTERNS	32
#define DIFFERS		64

static const struct option long_options[] = {
	{ "busy", required_argument, NULL, 'b' },
	{ "verify", required_argument, NULL, 'v' },
	{ "only", required_argument, NULL, 'o' },
	{ "skip", required_argument, NULL, 's' },
	{ "differs", required_argument, NULL, 'd' },
	{ "other-kind", required_argument, NULL, 'k' },
	{ "open", required_argument, NULL, 'p' },
	{ "unbind", no_argument, NULL, 'u' },
	{ "seconds", required_argument, NULL, 't' },
	{ "list", no_argument, NULL, 'l' },
	{ "self-test", no_argument, NULL, 'f' },
	{ "bugs", no_argument, NULL, 'm' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static const char help[] =
"vfio_migration_conformance [OPTION...] DEVICE [DEVICE]\n"
"A DEVICE is a PCI address, the UUID of an mdev, a folder in sysfs or a node in\n"
"/dev/vfio/devices, bound to its VFIO driver; the second one is of the same kind.\n"
"  --busy CMD, --verify CMD  give the device work; wait for it and check it\n"
"  --only ID, --skip ID      rules (patterns), again and again\n"
"  --differs FILE            lines \"ID REASON\": rules that the device is known to break\n"
"  --other-kind FILE         a stream of a device of another kind\n"
"  --open cdev|group         how to open it; else whatever there is\n"
"  --unbind                  the driver may be taken from the device, and given back\n"
"  --seconds N               for one rule (60)\n"
"  --list                    print the rules\n"
"  --self-test               run the rules against a fake device and its bugs\n"
"  --bugs                    print these bugs\n";

static int list(void)
{
	unsigned int num;
	const struct rule *rules = rules_all(&num);

	for (unsigned int i = 0; i < num; i++)
		printf("%s: %s [%s]\n", rules[i].id, rules[i].what, rules[i].source);
	return 0;
}

/* A pattern that no rule has is a mistake, which would go unseen. */
static bool is_pattern(const char *pattern)
{
	if (rules_match(pattern))
		return true;
	fprintf(stderr, "no rule is called %s, see --list\n", pattern);
	return false;
}

/* Return: whether there was place for it, and a rule for it. */
static bool add_pattern(const char **patterns, unsigned int *num, const char *pattern)
{
	if (*num == PATTERNS) {
		fprintf(stderr, "more than %d patterns\n", PATTERNS);
		return false;
	}
	patterns[(*num)++] = pattern;
	return is_pattern(pattern);
}

/* Lines that begin with '#' are none, and neither are empty ones. */
static bool read_differs(const char *path, struct options *o, struct differ *differs)
{
	FILE *file = fopen(path, "re");
	char line[512];
	bool good = true;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	while (good && fgets(line, sizeof(line), file)) {
		struct differ *d = &differs[o->num_differs];

		if (line[0] == '#' || line[0] == '\n')
			continue;
		good = o->num_differs < DIFFERS &&
		       sscanf(line, "%63s %319[^\n]", d->id, d->why) == 2;
		if (!good)
			fprintf(stderr, "%s: not a rule and a reason, or too many: %s", path, line);
		good = good && is_pattern(d->id);
		o->num_differs++;
	}
	fclose(file);
	return good;
}

/* Return: whether it can be read. */
static bool read_other_kind(const char *path, struct ctx *c)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) || !st.st_size) {
		fprintf(stderr, "%s: cannot be read, or is empty\n", path);
		return false;
	}
	p = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	c->other_kind = p;
	c->other_kind_bytes = st.st_size;
	return true;
}

/* Return: whether it is a time. */
static bool read_seconds(const char *text, unsigned int *seconds)
{
	char *end;
	unsigned long val = strtoul(text, &end, 10);

	*seconds = val;
	if (*text >= '0' && *text <= '9' && !*end && val && val <= 86400)
		return true;
	fprintf(stderr, "%s: not a number of seconds from 1 to 86400\n", text);
	return false;
}

static int run(struct ctx *c, const struct options *o, char **devices, int num, unsigned int has)
{
	struct totals t = {};
	int err = vfio_find(&c->a, devices[0]);

	c->two = num > 1;
	if (!err && c->two)
		err = vfio_find(&c->b, devices[1]);
	if (err)
		return err;
	plug.mem_fd = memfd_create("conformance", MFD_CLOEXEC);
	plug.iova = MEM_IOVA;
	plug.bytes = MEM_BYTES;
	if (plug.mem_fd < 0 || ftruncate(plug.mem_fd, MEM_BYTES))
		return -errno;
	c->mem = mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, plug.mem_fd, 0);
	if (c->mem == MAP_FAILED)
		return -errno;
	err = ctx_begin(c, has);
	if (err)
		return err;
	err = rules_run(c, o, &t);
	ctx_end(c);
	return err;
}

int main(int argc, char **argv)
{
	static struct differ differs[DIFFERS];
	const char *only[PATTERNS], *skip[PATTERNS];
	struct options o = { .only = only, .skip = skip, .differs = differs, .seconds = 60 };
	struct ctx c = {};
	unsigned int has = 0;
	bool test = false;
	sigset_t set;
	bool good = true;
	int opt, err;

	/* Waited for, not handled. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	while ((opt = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
		switch (opt) {
		case 'b': plug.busy = optarg; break;
		case 'v': plug.verify = optarg; break;
		case 'd':
			good &= read_differs(optarg, &o, differs);
			break;
		case 'k': good &= read_other_kind(optarg, &c); break;
		case 'p': plug.how = optarg; break;
		case 'u': has |= NEED_UNBIND; break;
		case 't': good &= read_seconds(optarg, &o.seconds); break;
		case 'f': test = true; break;
		case 'l': return list();
		case 'm': return self_test(&o, true);
		case 'o': good &= add_pattern(only, &o.num_only, optarg); break;
		case 's': good &= add_pattern(skip, &o.num_skip, optarg); break;
		case 'h': fputs(help, stdout); return 0;
		default: fputs(help, stderr); return 2;
		}
	}
	if (!good)
		return 2;
	if (test)
		return self_test(&o, false);
	if (optind >= argc) {
		printf("1..0 # SKIP no device was given, see --help\n");
		return SKIPPED;
	}
	sys = &vfio_layer;
	has |= plug.busy && plug.verify ? NEED_PLUG : 0;
	has |= c.other_kind ? NEED_OTHER_KIND : 0;
	err = run(&c, &o, argv + optind, argc - optind, has);
	if (err < 0) {
		printf("Bail out! %s: %s\n", argv[optind], strerror(-err));
		return 1;
	}
	return err;
}
