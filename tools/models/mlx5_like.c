// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: the controlling function: registers, reset and options.
 * Contract: Documentation/hardware/mlx5_like.rst.  Commands: mlx5_like_cmdq.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mlx5_like.h"

#define BAR_REGS	0
#define HEALTH_MS	20u

uint32_t mlxl_fw_version(const struct mlxl *m)
{
	return m->opt.firmware == 1 ? 1u << 24 | 17 : 2u << 24 | 1u << 16 | 4;
}

uint32_t mlxl_new_id(struct mlxl *m)
{
	if (!++m->next_id)
		m->next_id = 1;
	return m->next_id;
}

void mlxl_event(struct mlxl *m, unsigned int n)
{
	bool was = m->events >> n & 1;

	m->events |= 1ull << n;
	if (!was && !(m->status & MLXL_STATUS_FATAL))
		vu_msix_raise(m->dev, MLXL_VECTOR_EVENT);
}

void mlxl_fatal(struct mlxl *m, uint32_t syndrome)
{
	mlxl_cmdq_stop(m);
	m->status |= MLXL_STATUS_FATAL;
	m->syndrome = syndrome;
}

static void ready_work(struct mlxl *m)
{
	if (!(m->status & MLXL_STATUS_READY) && vu_wait_over(m->dev, &m->ready))
		m->status |= MLXL_STATUS_READY;
}

static void ctrl_work(struct vu_dev *dev)
{
	struct mlxl *m = vu_priv(dev);

	ready_work(m);
	mlxl_cmdq_work(m);
	mlxl_peer_work(m);
}

/* ---- registers ---- */

static uint32_t health(struct mlxl *m)
{
	if (!(m->status & MLXL_STATUS_FATAL))
		m->health = (uint32_t)(vu_now() / (HEALTH_MS * NSEC_PER_MSEC));
	return m->health;
}

static uint32_t read32(struct vu_dev *dev, uint32_t off)
{
	struct mlxl *m = vu_priv(dev);
	bool known = m->status & MLXL_STATUS_READY;

	switch (off) {
	case MLXL_REG_ID: return MLXL_ID_VALUE;
	case MLXL_REG_FW_VERSION: return mlxl_fw_version(m);
	case MLXL_REG_INTERFACE: return 1;
	case MLXL_REG_STATUS: return m->status;
	case MLXL_REG_LIMITS: return !known ? 0 : m->num_fns << 8 | MLXL_MAX_SLOTS_LOG2;
	case MLXL_REG_SYNDROME: return m->syndrome;
	case MLXL_REG_CMDQ_BASE:
	case MLXL_REG_CMDQ_BASE + 4: return vu_half(m->cmdq_base, off);
	case MLXL_REG_CMDQ_LOG2: return m->cmdq_log2;
	case MLXL_REG_CMDQ_CTRL: return m->cmdq_ctrl;
	case MLXL_REG_TIMEOUT_MS: return !known ? 0 : (uint32_t)m->opt.timeout_ms;
	case MLXL_REG_EVENTS:
	case MLXL_REG_EVENTS + 4: return vu_half(m->events, off);
	case MLXL_REG_HEALTH: return health(m);
	case MLXL_REG_SERIAL:
	case MLXL_REG_SERIAL + 4: return vu_half(m->opt.serial, off);
	}
	return 0;
}

static void write32(struct vu_dev *dev, uint32_t off, uint32_t val)
{
	struct mlxl *m = vu_priv(dev);
	bool set_up = !(m->cmdq_ctrl & MLXL_CTRL_ENABLE);

	switch (off) {
	case MLXL_REG_CMDQ_BASE:
	case MLXL_REG_CMDQ_BASE + 4:
		if (set_up)
			m->cmdq_base = vu_with_half(m->cmdq_base, off, val);
		break;
	case MLXL_REG_CMDQ_LOG2:
		if (set_up)
			m->cmdq_log2 = val;
		break;
	case MLXL_REG_CMDQ_CTRL: mlxl_cmdq_ctrl(m, val); break;
	case MLXL_REG_DOORBELL: mlxl_cmdq_doorbell(m, val); break;
	case MLXL_REG_EVENTS: m->events &= ~(uint64_t)val; break;
	case MLXL_REG_EVENTS + 4: m->events &= ~((uint64_t)val << 32); break;
	}
}

static bool is_wide(uint32_t off)
{
	return off == MLXL_REG_CMDQ_BASE || off == MLXL_REG_EVENTS || off == MLXL_REG_SERIAL;
}

static const struct vu_regs bar_regs = { is_wide, read32, write32 };

/* ---- reset ---- */

static void ctrl_reset(struct vu_dev *dev, enum vu_reset why)
{
	struct mlxl *m = vu_priv(dev);
	struct vu_fault_hit hit;

	mlxl_cmdq_stop(m);
	m->syndrome = 0;
	m->cmdq_base = 0;
	m->cmdq_log2 = 0;
	m->cmdq_ctrl = 0;
	m->events = 0;
	memset(&m->inject, 0, sizeof(m->inject));
	for (unsigned int i = 0; i < m->num_fns; i++) {
		mlxl_save_drop(m->fn[i]);
		mlxl_load_drop(m->fn[i]);
		mlxl_track_drop(m->fn[i]);
		mlxl_base_drop(m->fn[i], false);
		if (why != VU_RESET_FLR)
			mlxl_fn_power_on(m->fn[i]);
	}
	vu_wait_begin(dev, &m->ready, MLXL_FAULT_RESET, 0, &hit);
	m->status = hit.fail ? MLXL_STATUS_FATAL : 0;
	ready_work(m);
	/* Timers of the peer went with the reset. */
	vu_kick(dev);
}

/* ---- options ---- */

/* A number with K, M or G behind it. */
static int option_bytes(struct vu_dev *dev, const char *name, uint64_t min, uint64_t max,
			uint64_t *val)
{
	const char *text = vu_option(dev, name), *unit;
	static const char units[] = "KMG";
	unsigned int shift = 0;
	char *end;

	if (!text)
		return 0;
	errno = 0;
	*val = strtoull(text, &end, 0);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit)
		shift = 10 * (unsigned int)(unit - units + 1);
	if (!errno && end != text && *text != '-' && (!*end || (unit && !end[1])) &&
	    *val <= max >> shift && *val << shift >= min && !((*val << shift) % MLXL_PAGE)) {
		*val <<= shift;
		return 0;
	}
	fprintf(stderr, "vpv-model: option %s=%s: need pages of 4096 bytes, from %" PRIu64
		" to %" PRIu64 "\n", name, text, min, max);
	return -EINVAL;
}

static int take_options(struct mlxl *m)
{
	struct mlxl_options *o = &m->opt;
	const struct {
		const char *name;
		uint64_t *val;
		uint64_t def, min, max;
	} numbers[] = {
		{ "firmware", &o->firmware, 1, 1, 2 },
		{ "dirty", &o->dirty_rate, 200, 0, 1000000 },
		{ "pairs", &o->pairs, MLXL_MAX_PAIRS, 1, MLXL_MAX_PAIRS },
		{ "serial", &o->serial, 0, 1, UINT64_MAX },
		{ "enabled", &o->enabled, 0, 0, MLXL_MAX_PAIRS },
		{ "incremental", &o->incremental, 1, 0, 1 },
		{ "tracker", &o->tracker, 1, 0, 1 },
		{ "segments", &o->segments, 4096, 1, 4096 },
		{ "ranges", &o->ranges, 8, 1, MLXL_MAX_RANGES },
		{ "page_min", &o->page_min, 12, 12, 30 },
		{ "page_max", &o->page_max, 21, 12, 30 },
		{ "addr_bits", &o->addr_bits, 48, 20, 63 },
		{ "track_pages", &o->track_pages, 1u << 24, 64, 1u << 26 },
		{ "query_pages", &o->query_pages, 1u << 20, 64, 1u << 20 },
		{ "version", &o->version, 2, 1, 0xffff },
		{ "oldest", &o->oldest, 1, 1, 0xffff },
		{ "timeout_ms", &o->timeout_ms, 2000, 1, 600000 },
		{ "cmd_us", &o->cmd_us, 0, 0, 60000000 },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !err; i++) {
		*numbers[i].val = numbers[i].def;
		err = vu_option_u64(m->dev, numbers[i].name, numbers[i].min, numbers[i].max,
				    numbers[i].val);
	}
	o->image_bytes = 32u << 20;
	o->chunk = 8u << 20;
	if (!err)
		err = option_bytes(m->dev, "image", 1u << 20, 8ull << 30, &o->image_bytes);
	if (!err)
		err = option_bytes(m->dev, "chunk", MLXL_PAGE, 64u << 20, &o->chunk);
	if (!err && (o->oldest > o->version || o->page_min > o->page_max ||
		     o->enabled > o->pairs)) {
		fprintf(stderr, "vpv-model: a lower limit is above the upper one\n");
		err = -EINVAL;
	}
	/* Unique for a process: good enough to tell devices apart. */
	if (!o->serial)
		o->serial = 0x7620ull << 48 | ((vu_now() ^ (uint64_t)getpid() << 24) >> 4 &
					       0xffffffffffffull);
	return err;
}

/* ---- control commands ---- */

#define REG(name, wide) { #name, MLXL_REG_##name, wide }

static void ctrl_regs(struct vu_dev *dev, FILE *out)
{
	static const struct vu_reg regs[] = {
		REG(ID, false), REG(FW_VERSION, false), REG(INTERFACE, false),
		REG(STATUS, false), REG(LIMITS, false), REG(SYNDROME, false),
		REG(CMDQ_BASE, true), REG(CMDQ_LOG2, false), REG(CMDQ_CTRL, false),
		REG(TIMEOUT_MS, false), REG(EVENTS, true), REG(HEALTH, false),
		REG(SERIAL, true),
	};

	vu_regs_print(dev, read32, 0, "", regs, sizeof(regs) / sizeof(regs[0]), out);
}

static void ctrl_stats(struct vu_dev *dev, FILE *out)
{
	const struct mlxl *m = vu_priv(dev);
	unsigned int in_work = 0;

	for (unsigned int i = 0; i < MLXL_MAX_SLOTS; i++)
		in_work += m->cmds[i].active && !m->cmds[i].dead;
	fprintf(out, "commands_completed %" PRIu64 "\ncommands_in_work %u\n"
		"doorbells_ignored %" PRIu64 "\n", m->completed, in_work, m->doorbells_ignored);
}

static void print_functions(const struct mlxl *m, FILE *out)
{
	static const char *const states[] = { "unprovisioned", "provisioned", "enabled" };

	for (unsigned int i = 0; i < m->num_fns; i++) {
		const struct mlxl_fn *fn = m->fn[i];
		const uint8_t *mac = fn->v.cfg.mac;

		fprintf(out, "%u %s flags 0x%x resets %u mac %02x:%02x:%02x:%02x:%02x:%02x "
			"pairs %u vectors %u queue_size %u\n", i, states[fn->state],
			mlxl_flags(fn), fn->resets, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
			fn->v.cfg.pairs, fn->v.cfg.vectors, fn->v.cfg.queue_size);
	}
}

static int ctrl_command(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	struct mlxl *m = vu_priv(dev);

	if (argc == 1 && !strcmp(argv[0], "functions"))
		print_functions(m, out);
	else if (argc == 1 && !strcmp(argv[0], "switch"))
		mlxl_switch_print(m, out);
	else if (argc == 1 && !strcmp(argv[0], "peer"))
		mlxl_peer_print(m, out);
	else if (argc == 2 && !strcmp(argv[0], "peer") && !strcmp(argv[1], "reset"))
		mlxl_peer_reset(m);
	else if (!strcmp(argv[0], "claim"))
		return vu_claim_set(&m->claims, argc, argv);
	else
		return -ENOENT;
	return 0;
}

/* ---- life cycle ---- */

static int ctrl_init(struct vu_dev *dev)
{
	struct mlxl *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->dev = dev;
	m->claims.table = mlxl_claims;
	vu_set_priv(dev, m);
	err = take_options(m);
	if (err)
		return err;
	m->next_image = m->opt.serial << 20 | 1;
	m->bounce = malloc(MLXL_BOUNCE_BYTES);
	err = m->bounce ? mlxl_peer_init(m) : -ENOMEM;
	return err ? err : mlxl_ctrl_capabilities(m);
}

static void ctrl_fini(struct vu_dev *dev)
{
	struct mlxl *m = vu_priv(dev);

	if (!m)
		return;
	mlxl_cmdq_stop(m);
	mlxl_cmdq_reap(m);
	mlxl_peer_fini(m);
	free(m->bounce);
	free(m);
}

static const struct vu_option mlxl_options[] = {
	{ "functions", "number of controlled functions (1)" },
	{ "firmware", "version of the firmware, 1 or 2: another config space (1)" },
	{ "image", "bytes of a function's image (32M)" },
	{ "dirty", "pages of the image that change in a second (200)" },
	{ "pairs", "most queue pairs of a function (4)" },
	{ "serial", "serial of the device" },
	{ "enabled", "functions are enabled at power-on with so many queue pairs (0)" },
	{ "incremental", "0: no incremental images (1)" },
	{ "tracker", "0: no trackers (1)" },
	{ "chunk", "most bytes of a chunk (8M)" },
	{ "segments", "most segments of a list (4096)" },
	{ "ranges", "most ranges of a tracker (8)" },
	{ "page_min", "log2 of the smallest page of a tracker (12)" },
	{ "page_max", "log2 of the largest (21)" },
	{ "addr_bits", "address width of a tracker (48)" },
	{ "track_pages", "most pages of a tracker (16777216)" },
	{ "query_pages", "most pages of a query of it (1048576)" },
	{ "version", "image version written, which is the newest that is loaded (2)" },
	{ "oldest", "oldest image version that is loaded (1)" },
	{ "timeout_ms", "bound of a command (2000)" },
	{ "cmd_us", "extra time of each command (0)" },
	{ NULL, NULL },
};

static const char *const mlxl_faults[] = {
	"query_caps", "query_function", "provision", "enable", "disable", "suspend_initiator",
	"suspend_responder", "resume_initiator", "resume_responder", "query_image", "save_begin",
	"save_chunk", "save_end", "load_begin", "load_chunk", "load_end", "tracker_create",
	"tracker_arm", "tracker_query", "tracker_destroy", "inject", "fetch", "fatal", "reset",
	NULL
};

static const struct vu_model mlx5_like_model = {
	.name = "mlx5_like",
	.summary = "firmware that controls network functions (virtio-net)",
	.vendor = MLXL_VENDOR,
	.device = MLXL_CTRL_DEVICE,
	.subvendor = MLXL_VENDOR,
	.subdevice = MLXL_CTRL_DEVICE,
	.revision = 1,
	.class_code = 0x088000,
	.config_bytes = 4096,
	.bars = {
		[BAR_REGS] = { .bytes = MLXL_REGS_BYTES, .flags = VU_BAR_64, .regs = &bar_regs },
		[4] = { .bytes = 0x4000, .flags = VU_BAR_64 },
	},
	.options = mlxl_options,
	.faults = mlxl_faults,
	.controlled = &mlxl_fn_model,
	.control = "mlx5_ctrl",
	.init = ctrl_init,
	.fini = ctrl_fini,
	.reset = ctrl_reset,
	.work = ctrl_work,
	.config_changed = vu_kick,
	.regs = ctrl_regs,
	.stats = ctrl_stats,
	.commands = "functions                a line for each controlled function\n"
		    "switch                   what the switch has learnt\n"
		    "peer [reset]             connections of the peer; forget them\n"
		    "claim NAME VALUE         what commands say from now on; clear: the truth\n",
	.command = ctrl_command,
};
VU_MODEL(mlx5_like_model);
