// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: an NVM subsystem: options, life cycle, and the two functions as models.
 * Contract: Documentation/hardware/nvme_cf.rst.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nvme_cf.h"

#define ROOM_TEMPERATURE	300u	/* kelvin */

struct nvcf_ctrl *nvcf_find(const struct nvcf *sub, uint32_t cntlid)
{
	for (unsigned int i = 0; i < sub->num_ctrls; i++)
		if (sub->ctrl[i]->cntlid == cntlid)
			return sub->ctrl[i];
	return NULL;
}

/* ---- options ---- */

static int take_options(struct vu_dev *dev, struct nvcf_options *o)
{
	const struct {
		const char *name;
		uint64_t *val;
		uint64_t def, min, max;
	} numbers[] = {
		{ "serial", &o->serial, 0, 1, UINT64_MAX },
		{ "firmware", &o->firmware, 1, 1, 9 },
		{ "profile", &o->profile, 0, 0, UINT64_MAX },
		{ "size", &o->size, 64, 1, 1u << 20 },
		{ "cache", &o->cache, 1024, 0, 1u << 20 },
		{ "mdts", &o->mdts, NVCF_MAX_MDTS, 1, NVCF_MAX_MDTS },
		{ "queues", &o->queues, NVCF_MAX_IOQ, 1, NVCF_MAX_IOQ },
		{ "entries", &o->entries, NVCF_MAX_ENTRIES, 2, NVCF_MAX_ENTRIES },
		{ "ranges", &o->ranges, 8, 1, NVCF_MAX_RANGES },
		{ "all_ranges", &o->all_ranges, 32, 1, 16 * NVCF_MAX_RANGES },
		{ "track_min", &o->track_min, 0, 0, 18 },
		{ "track_max", &o->track_max, 9, 0, 18 },
		{ "track_power", &o->track_power, 0, 0, 1 },
		{ "track_pages", &o->track_pages, 1u << 24, 64, 1u << 26 },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !err; i++) {
		*numbers[i].val = numbers[i].def;
		err = vu_option_u64(dev, numbers[i].name, numbers[i].min, numbers[i].max,
				    numbers[i].val);
	}
	if (!err && (o->track_min > o->track_max || o->ranges > o->all_ranges)) {
		fprintf(stderr, "vpv-model: a lower limit is above the upper one\n");
		err = -EINVAL;
	}
	/* Unique for a process: good enough to tell subsystems apart. */
	if (!o->serial)
		o->serial = 0x7640ull << 48 |
			((vu_now() ^ (uint64_t)getpid() << 24) & 0xffffffffffffull);
	return err;
}

/* The option of disk @n, from 0; NULL when it was not given. */
static const char *disk_option(const struct vu_dev *dev, const char *what, unsigned int n,
			       char *name, size_t bytes)
{
	snprintf(name, bytes, "%s%u", what, n + 1);
	return vu_option(dev, name);
}

/* "disk1=PATH block1=4096 readonly1=1"; in memory when no file is named. */
static int open_disk(struct vu_dev *dev, struct nvcf *sub, unsigned int n)
{
	uint64_t block = 512, readonly = 0;
	const char *path;
	char name[24];
	int err;

	disk_option(dev, "block", n, name, sizeof(name));
	err = vu_option_u64(dev, name, 512, 4096, &block);
	disk_option(dev, "readonly", n, name, sizeof(name));
	if (err || (block != 512 && block != 4096) || vu_option_u64(dev, name, 0, 1, &readonly))
		return -EINVAL;
	path = disk_option(dev, "disk", n, name, sizeof(name));
	sub->disk[n] = nvcf_disk_open(path, sub->opt.size << 20, sub->opt.cache << 10, readonly);
	if (!sub->disk[n])
		return -EINVAL;
	sub->disk[n]->block_log2 = block == 512 ? 9 : 12;
	sub->num_disks++;
	return 0;
}

/* Those that are named are dealt out to the controllers in order, the same number to each. */
static int open_disks(struct vu_dev *dev, struct nvcf *sub)
{
	uint64_t functions = 1;
	unsigned int named = 1;
	char name[24];
	int err;

	for (unsigned int n = 1; n < NVCF_NAMED_DISKS; n++)
		if (disk_option(dev, "disk", n, name, sizeof(name)))
			named = n + 1;
	err = vu_option_u64(dev, "functions", 1, NVCF_MAX_FUNCTIONS, &functions);
	sub->disks_each = (unsigned int)((named + functions - 1) / functions);
	if (!err && sub->disks_each > NVCF_MAX_NS) {
		fprintf(stderr, "vpv-model: more than %u disks for a controller\n", NVCF_MAX_NS);
		err = -EINVAL;
	}
	for (unsigned int n = 0; n < functions * sub->disks_each && !err; n++)
		err = open_disk(dev, sub, n);
	return err;
}

/* ---- a controller ---- */

static void ctrl_free(struct nvcf_ctrl *c)
{
	free(c->cmds);
	nvcf_record_free(&c->record);
	nvcf_blob_drop(&c->get);
	nvcf_blob_drop(&c->set);
	nvcf_track_drop(c);
	free(c);
}

static struct nvcf_ctrl *ctrl_new(struct vu_dev *dev, struct nvcf *sub)
{
	struct nvcf_ctrl *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->dev = dev;
	c->sub = sub;
	c->index = sub->num_ctrls;
	c->cntlid = (uint16_t)(NVCF_CNTLID_MANAGING + c->index);
	c->kind = c->index ? NVCF_MIGRATABLE : NVCF_MANAGING;
	c->claims.table = c->index ? nvcf_claims : nvcf_managing_claims;
	c->buf = sub->buf;
	c->media = sub->media;
	c->list = sub->list;
	c->cmds = calloc(NVCF_COMMANDS, sizeof(*c->cmds));
	if (!c->cmds) {
		ctrl_free(c);
		return NULL;
	}
	c->powered = vu_now();
	c->temperature = ROOM_TEMPERATURE;
	nvcf_queue_reset(c);
	sub->ctrl[sub->num_ctrls++] = c;
	vu_set_priv(dev, c);
	return c;
}

static void sub_free(struct nvcf *sub)
{
	for (unsigned int i = 0; i < NVCF_MAX_DISKS; i++)
		nvcf_disk_close(sub->disk[i]);
	free(sub->buf);
	free(sub->media);
	free(sub->list);
	free(sub);
}

static struct nvcf *sub_new(void)
{
	struct nvcf *sub = calloc(1, sizeof(*sub));

	if (!sub)
		return NULL;
	sub->buf = calloc(1, NVCF_TRANSFER_BYTES);
	sub->media = calloc(1, NVCF_TRANSFER_BYTES);
	sub->list = calloc(1, 1u << NVCF_MAX_PAGE_LOG2);
	if (sub->buf && sub->media && sub->list)
		return sub;
	sub_free(sub);
	return NULL;
}

static int managing_init(struct vu_dev *dev)
{
	struct nvcf *sub = sub_new();
	struct nvcf_ctrl *c = sub ? ctrl_new(dev, sub) : NULL;
	int err;

	if (sub && !c)
		sub_free(sub);
	if (!c)
		return -ENOMEM;
	err = take_options(dev, &sub->opt);
	if (!err)
		err = open_disks(dev, sub);
	if (err)
		return err;
	nvcf_profile_make(sub, 0, sub->opt.serial, &c->profile);
	c->provisioned = true;
	return nvcf_capabilities(c);
}

static int migratable_init(struct vu_dev *dev)
{
	struct nvcf_ctrl *managing = vu_priv(vu_controlling(dev));
	struct nvcf *sub = managing->sub;
	struct nvcf_ctrl *c = ctrl_new(dev, sub);

	if (!c)
		return -ENOMEM;
	if (sub->opt.profile) {
		nvcf_profile_make(sub, c->index, sub->opt.profile, &c->profile);
		c->provisioned = true;
	}
	return nvcf_capabilities(c);
}

/* Functions go in reverse order; the managing controller is the last, and has the subsystem. */
static void fini(struct vu_dev *dev)
{
	struct nvcf_ctrl *c = vu_priv(dev);
	struct nvcf *sub = c ? c->sub : NULL;

	if (!c)
		return;
	if (c->index < sub->num_ctrls)
		sub->num_ctrls = c->index;
	ctrl_free(c);
	if (!sub->num_ctrls)
		sub_free(sub);
}

/* ---- hooks ---- */

static int revise(const struct vu_dev *dev, struct vu_model *own)
{
	uint64_t firmware = 1, subvendor = own->subvendor;

	if (vu_option_u64(dev, "firmware", 1, 9, &firmware) ||
	    vu_option_u64(dev, "subvendor", 1, 0xfffe, &subvendor))
		return -EINVAL;
	own->revision = (uint8_t)firmware;
	own->subvendor = (uint16_t)subvendor;
	return 0;
}

static void reset(struct vu_dev *dev, enum vu_reset why)
{
	struct nvcf_ctrl *c = vu_priv(dev);

	nvcf_ctrl_reset(c);
	c->health.power_cycles += why == VU_RESET_POWER_ON;
}

static void work(struct vu_dev *dev)
{
	struct nvcf_ctrl *c = vu_priv(dev);

	nvcf_ctrl_work(c);
	if (vu_bus_master(dev))
		nvcf_queue_work(c);
	nvcf_suspend_work(c);
}

static void config_changed(struct vu_dev *dev)
{
	nvcf_intx_update(vu_priv(dev));
	vu_kick(dev);
}

static void stats(struct vu_dev *dev, FILE *out)
{
	const struct nvcf_ctrl *c = vu_priv(dev);
	unsigned int in_work = 0, queues = 0;
	uint64_t unlocked = 0;
	struct nvcf_cmd *cmd;

	TAILQ_FOREACH(cmd, &c->active, link)
		in_work++;
	for (unsigned int i = 0; i < NVCF_QUEUES; i++)
		queues += c->sq[i].live + c->cq[i].live;
	for (unsigned int i = 0; i < c->sub->num_disks; i++)
		unlocked += c->sub->disk[i]->unlocked_writes;
	fprintf(out, "suspended %u\nsuspensions %" PRIu64 "\ntracked_ranges %u\n",
		c->run == NVCF_SUSPENDED, c->suspensions, c->tracker.num);
	fprintf(out, "commands_fetched %" PRIu64 "\ncommands_completed %" PRIu64 "\n"
		"commands_failed %" PRIu64 "\ncommands_dropped %" PRIu64 "\n"
		"commands_in_work %u\nqueues %u\nevents_outstanding %u\n"
		"unlocked_writes %" PRIu64 "\n", c->fetched, c->completed, c->failed, c->dropped,
		in_work, queues, c->events.outstanding, unlocked);
}

/* ---- control commands ---- */

/* "completions [clear | take NUMBER]" */
static int completions(struct nvcf_ctrl *c, int argc, char **argv, FILE *out)
{
	if (argc == 1)
		nvcf_record_print(&c->record, UINT64_MAX, false, out);
	else if (argc == 2 && !strcmp(argv[1], "clear"))
		nvcf_record_clear(&c->record);
	else if (argc == 3 && !strcmp(argv[1], "take"))
		nvcf_record_print(&c->record, strtoull(argv[2], NULL, 0), true, out);
	else
		return -ENOENT;
	return 0;
}

/* A namespace of another size, up to that of the file. */
static int resize(struct nvcf_ctrl *c, uint32_t nsid, uint64_t blocks)
{
	const struct nvcf_profile_ns *ns = nvcf_ns(c, nsid);
	struct nvcf_disk *d = ns ? nvcf_ns_disk(c, ns) : NULL;
	struct nvcf_ctrl *const *one = c->sub->ctrl;

	if (!d || !blocks || blocks > d->file_bytes >> d->block_log2)
		return -EINVAL;
	d->bytes = blocks << d->block_log2;
	for (unsigned int i = 1; i < c->sub->num_ctrls; i++)
		for (uint32_t n = 1; n <= NVCF_MAX_NS; n++)
			if (nvcf_ns(one[i], n) && nvcf_ns_disk(one[i], nvcf_ns(one[i], n)) == d)
				nvcf_ns_changed(one[i], n);
	return 0;
}

static int command(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	struct nvcf_ctrl *c = vu_priv(dev);

	if (!strcmp(argv[0], "completions"))
		return completions(c, argc, argv, out);
	if (!strcmp(argv[0], "claim"))
		return vu_claim_set(&c->claims, argc, argv);
	if (argc == 2 && !strcmp(argv[0], "temperature"))
		nvcf_temperature(c, (uint16_t)strtoul(argv[1], NULL, 0));
	else if (argc == 3 && !strcmp(argv[0], "resize"))
		return resize(c, (uint32_t)strtoul(argv[1], NULL, 0), strtoull(argv[2], NULL, 0));
	else
		return -ENOENT;
	return 0;
}

/* ---- the functions ---- */

#define SHARED_FAULTS \
	"ready", "shutdown", "fetch", "post", "data_in", "data_out", "flip", "identify", \
	"get_log", "set_features", "get_features", "abort", "async_event"

static const char *const migratable_faults[] = {
	SHARED_FAULTS, "create_sq", "delete_sq", "create_cq", "delete_cq", "flush", "write",
	"read", "compare", "write_zeroes", "dsm", "verify", "disk", "pause", "save", "load", "op",
	NULL
};

static const char *const managing_faults[] = {
	SHARED_FAULTS, "suspend", "resume", "set_state", "get_state", "track_send",
	"track_receive", "profile_send", "profile_receive", NULL
};

#define COMMANDS \
	"completions              commands completed: queue, id, opcode, status, LBA, blocks, " \
				 "CRC, stamp\n" \
	"completions clear        forget them\n" \
	"completions take NUMBER  print and forget the oldest\n" \
	"temperature KELVIN       composite temperature\n" \
	"claim NAME VALUE         what the profile, or Identify of the managing controller, says " \
				 "from now on; clear: the truth\n"

static const struct vu_model nvcf_fn_model = {
	.name = "nvme_cf",
	.summary = "NVMe controller that migrates",
	.vendor = NVCF_VENDOR, .device = NVCF_FN_DEVICE, .revision = 1,
	.subvendor = NVCF_VENDOR, .subdevice = NVCF_FN_DEVICE,
	.class_code = NVS_CLASS_IO, .config_bytes = 4096, .intx = true,
	.bars = { [NVCF_BAR] = { .bytes = NVCF_BAR_BYTES, .flags = VU_BAR_64 } },
	.faults = migratable_faults,
	.revise = revise, .init = migratable_init, .fini = fini, .reset = reset, .work = work,
	.bar_read = nvcf_bar_read, .bar_write = nvcf_bar_write, .config_changed = config_changed,
	.regs = nvcf_regs, .stats = stats, .command = command,
	.commands = COMMANDS
		    "resize NSID BLOCKS       change the size of a namespace\n",
};

#define DISK(n) { "disk" n, "" }, { "block" n, "" }, { "readonly" n, "" }

static const struct vu_option options[] = {
	{ "functions", "number of migratable controllers (1)" },
	{ "profile", "seed of the identity that they have from the start; 0: none (0)" },
	{ "serial", "serial of the subsystem" },
	{ "firmware", "version of the firmware, 1 to 9: revision id (1)" },
	{ "subvendor", "vendor of the board: subsystem vendor id (0x1234)" },
	{ "disk1", "file of the first disk (memory), made if there is none; likewise to disk16" },
	{ "block1", "its block size, 512 or 4096 (512)" },
	{ "readonly1", "1: it cannot be written (0)" },
	DISK("2"), DISK("3"), DISK("4"), DISK("5"), DISK("6"), DISK("7"), DISK("8"), DISK("9"),
	DISK("10"), DISK("11"), DISK("12"), DISK("13"), DISK("14"), DISK("15"), DISK("16"),
	{ "size", "MiB of disks in memory and of files that are made (64)" },
	{ "cache", "KiB of the write cache of each disk (1024)" },
	{ "mdts", "log2 of the most pages of a transfer (7)" },
	{ "queues", "most pairs of I/O queues (64)" },
	{ "entries", "most entries of a queue (1024)" },
	{ "ranges", "most memory ranges tracked of a controller (8)" },
	{ "all_ranges", "likewise of all (32)" },
	{ "track_min", "log2 of the smallest granule of tracking, in pages (0)" },
	{ "track_max", "log2 of the largest (9)" },
	{ "track_power", "1: lengths of ranges are powers of two (0)" },
	{ "track_pages", "most granules tracked of a controller (16777216)" },
	{ NULL, NULL },
};

static const struct vu_model nvme_cf_model = {
	.name = "nvme_cf",
	.summary = "NVM subsystem whose controllers migrate by NVMe commands",
	.vendor = NVCF_VENDOR, .device = NVCF_CTRL_DEVICE, .revision = 1,
	.subvendor = NVCF_VENDOR, .subdevice = NVCF_CTRL_DEVICE,
	.class_code = NVS_CLASS_ADMIN, .config_bytes = 4096, .intx = true,
	.bars = { [NVCF_BAR] = { .bytes = NVCF_BAR_BYTES, .flags = VU_BAR_64 } },
	.options = options, .faults = managing_faults,
	.controlled = &nvcf_fn_model, .control = "nvme_ctrl",
	.revise = revise, .init = managing_init, .fini = fini, .reset = reset, .work = work,
	.bar_read = nvcf_bar_read, .bar_write = nvcf_bar_write, .config_changed = config_changed,
	.regs = nvcf_regs, .stats = stats, .command = command, .commands = COMMANDS,
};
VU_MODEL(nvme_cf_model);
