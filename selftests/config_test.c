// SPDX-License-Identifier: GPL-2.0
/*
 * All of config space by vfio-pci and by vpv_pci: what it holds, what it takes, and
 * what it holds then.  Each byte, word and dword is written with ones, with zeroes and
 * with what it was; before and after each the dword around it is read, in pieces of
 * that width.  Both drivers show the same, but for the list below, and all in that list
 * still differ.
 *
 * Groups: errno
 */
#include "lib/stock.h"
#include "lib/test.h"
#include "lib/vf.h"

#define THEIRS		"vfio-pci"
#define OURS		"vpv_pci"
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define CONFIG_MAX	4096
#define HEADER		0x40
#define EXTENDED	0x100
#define SHOWN_MAX	40
#define SECONDS		600
#define TOKEN		"8f2a4b0c-1d3e-4f50-8172-93a4b5c6d7e8"
#define NUM(a)		(sizeof(a) / sizeof((a)[0]))

static const unsigned int widths[] = { 1, 2, 4 };

/* ---- Where a register is ---- */

enum kind { HEADER_OF, CAP, EXT };

/**
 * struct reg - Bits of the header or of a capability
 * @kind: Of what.
 * @id: Which capability.
 * @pos: Dword there; of the capability, not of config space.
 * @bits: Of that dword.
 */
struct reg {
	enum kind kind;
	unsigned int id;
	unsigned int pos;
	uint32_t bits;
};

/* Dwords of the function itself: which capability has them, and where it begins. */
struct place {
	enum kind kind;
	unsigned int id;
	unsigned int start;
};

struct map {
	struct place dword[CONFIG_MAX / 4];
};

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* All from @start on, until a later call says that something else begins. */
static void map_fill(struct map *map, unsigned int start, unsigned int end, enum kind kind,
		     unsigned int id)
{
	for (unsigned int i = start / 4; i < end / 4; i++)
		if (map->dword[i].start <= start)
			map->dword[i] = (struct place){ kind, id, start };
}

/* The host sees what the drivers hide. */
static int map_read(const struct slot *slot, struct map *map)
{
	uint8_t all[CONFIG_MAX] = {};
	int fd = vdev_sysfs_open(slot->bdf, "config", O_RDONLY);
	long bytes;

	if (fd < 0)
		return -errno;
	bytes = pread(fd, all, sizeof(all), 0);
	close(fd);
	if (bytes < EXTENDED)
		return -EIO;
	memset(map, 0, sizeof(*map));
	for (unsigned int pos = all[PCI_CAPABILITY_LIST], n = 0; pos >= HEADER && n < 48; n++) {
		map_fill(map, pos, EXTENDED, CAP, all[pos]);
		pos = all[pos + PCI_CAP_LIST_NEXT] & ~3U;
	}
	for (unsigned int pos = EXTENDED, n = 0; pos >= EXTENDED && n < 480; n++) {
		uint32_t head = get32(all + pos);

		if (head)
			map_fill(map, pos, CONFIG_MAX, EXT, PCI_EXT_CAP_ID(head));
		pos = PCI_EXT_CAP_NEXT(head);
	}
	return 0;
}

static bool is_in(const struct place *place, unsigned int pos, const struct reg *reg)
{
	return place->kind == reg->kind && place->id == reg->id &&
	       pos - place->start == reg->pos;
}

/* ---- What is not written, and what differs ---- */

/* They would do something, and other tests look at what they do. */
static const struct reg kept[] = {
	{ CAP, PCI_CAP_ID_PM, PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK },
	{ CAP, PCI_CAP_ID_VPD, 0, 0xffff0000 },
	{ CAP, PCI_CAP_ID_EXP, PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR },
	{ CAP, PCI_CAP_ID_AF, PCI_AF_CTRL, PCI_AF_CTRL_FLR },
};

#define MSI_BITS "64-bit Capable, Per-Vector Masking Capable, Multiple Message Capable"

/**
 * struct difference - Bits that vpv_pci shows or takes differently, on purpose
 * @devices: Where.
 * @reg: Which bits.
 * @why: Beginning of a row of "Differences to vfio-pci" in Documentation/config-space.rst.
 */
static const struct difference {
	const char *devices;
	struct reg reg;
	const char *why;
} differences[] = {
	{ "edu e1000e igb", { CAP, PCI_CAP_ID_MSI, 0, 0x008e0000 }, MSI_BITS },
	{ "edu e1000e igb", { CAP, PCI_CAP_ID_MSI, PCI_MSI_ADDRESS_LO, 0x3 }, MSI_BITS },
	{ "edu e1000e", { CAP, PCI_CAP_ID_MSI, PCI_MSI_DATA_64, 0xffff0000 }, MSI_BITS },
	{ .devices = NULL },
};

/* ---- Asking one driver ---- */

enum look { BEFORE, ONES, ZEROES, BACK, LOOKS };

static const char * const look_names[LOOKS] = { "at first", "ones", "zeroes", "restored" };

/**
 * struct unit - Some bytes of config space
 * @value: Of the dword around it.
 * @err: Of the write before that, or of the read.
 */
struct unit {
	uint32_t value[LOOKS];
	int err[LOOKS];
};

struct record {
	long bytes;
	uint8_t all[CONFIG_MAX];
	struct unit unit[NUM(widths)][CONFIG_MAX];
};

static uint32_t keeps(const struct map *map, unsigned int dword)
{
	for (unsigned int i = 0; i < NUM(kept); i++)
		if (is_in(&map->dword[dword / 4], dword, &kept[i]))
			return kept[i].bits;
	return 0;
}

/* The dword, by reads of so many bytes. */
static void look(struct vdev *v, unsigned int dword, unsigned int bytes, struct unit *unit,
		 enum look when)
{
	for (unsigned int at = 0; at < 4; at += bytes) {
		uint32_t val = 0;
		long n = vdev_pread(v, CONFIG, dword + at, &val, bytes);

		if (n != bytes && !unit->err[when])
			unit->err[when] = n < 0 ? n : -EIO;
		unit->value[when] |= val << 8 * at;
	}
}

static void ask_unit(struct vdev *v, const struct map *map, unsigned int pos,
		     unsigned int bytes, struct unit *unit)
{
	unsigned int dword = pos & ~3U, shift = 8 * (pos - dword);
	uint32_t keep = keeps(map, dword);

	look(v, dword, bytes, unit, BEFORE);
	for (enum look when = ONES; when < LOOKS; when++) {
		uint32_t was = unit->value[BEFORE];
		uint32_t val = when == ONES ? ~0U : when == ZEROES ? 0 : was;

		val = ((val & ~keep) | (was & keep)) >> shift;
		unit->err[when] = vdev_cfg_set(v, pos, bytes, val);
		look(v, dword, bytes, unit, when);
	}
}

static int ask(struct vdev *v, const struct map *map, struct record *r)
{
	struct vfio_region_info info;
	int err = vdev_region(v, CONFIG, &info);

	if (err)
		return err;
	if (info.size != EXTENDED && info.size != CONFIG_MAX)
		return -EINVAL;
	r->bytes = vdev_pread(v, CONFIG, 0, r->all, info.size);
	if (r->bytes != info.size)
		return r->bytes < 0 ? r->bytes : -EIO;
	for (unsigned int w = 0; w < NUM(widths); w++)
		for (unsigned int pos = 0; pos < r->bytes; pos += widths[w])
			ask_unit(v, map, pos, widths[w], &r->unit[w][pos]);
	return 0;
}

/* ---- Comparing ---- */

struct result {
	bool seen[NUM(differences)];
	unsigned int bad;
};

static bool listed(const char *words, const char *word)
{
	const char *at = strstr(words, word);

	return at && (at == words || at[-1] == ' ') && strchr(" ", at[strlen(word)]);
}

/* The bits that nobody knows to differ. */
static uint32_t unknown(const struct map *map, const char *device, unsigned int dword,
			uint32_t differ, struct result *res)
{
	uint32_t left = differ;

	for (unsigned int i = 0; differences[i].devices; i++) {
		const struct difference *d = &differences[i];

		if (!listed(d->devices, device) ||
		    !is_in(&map->dword[dword / 4], dword, &d->reg) || !(differ & d->reg.bits))
			continue;
		res->seen[i] = true;
		left &= ~d->reg.bits;
	}
	return left;
}

static void compare_unit(const struct map *map, const char *device, unsigned int pos,
			 unsigned int bytes, const struct unit *t, const struct unit *o,
			 struct result *res)
{
	const struct place *at = &map->dword[pos / 4];

	for (enum look when = 0; when < LOOKS; when++) {
		uint32_t differ = unknown(map, device, pos & ~3U, t->value[when] ^ o->value[when],
					  res);

		if (!differ && t->err[when] == o->err[when])
			continue;
		if (res->bad++ < SHOWN_MAX)
			printf("# %u bytes at 0x%03x (%s 0x%x + 0x%x), %s: " THEIRS
			       " %08x (%d), " OURS " %08x (%d)\n", bytes, pos,
			       at->kind == CAP ? "capability" : at->kind == EXT ? "extended" :
			       "header", at->id, pos - at->start, look_names[when],
			       t->value[when], t->err[when], o->value[when], o->err[when]);
	}
}

static void compare(const struct map *map, const char *device, const struct record *theirs,
		    const struct record *ours, struct result *res)
{
	for (unsigned int pos = 0; pos < theirs->bytes; pos += 4)
		if (unknown(map, device, pos, get32(theirs->all + pos) ^ get32(ours->all + pos),
			    res) && res->bad++ < SHOWN_MAX)
			printf("# 0x%03x in one read: " THEIRS " %08x, " OURS " %08x\n", pos,
			       get32(theirs->all + pos), get32(ours->all + pos));
	for (unsigned int w = 0; w < NUM(widths); w++)
		for (unsigned int pos = 0; pos < theirs->bytes; pos += widths[w])
			compare_unit(map, device, pos, widths[w], &theirs->unit[w][pos],
				     &ours->unit[w][pos], res);
}

static unsigned int obsolete(const char *device, const struct result *res)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; differences[i].devices; i++) {
		const struct difference *d = &differences[i];

		if (res->seen[i] || !listed(d->devices, device))
			continue;
		printf("# listed, but the same: 0x%x + 0x%x, %08x: %s\n", d->reg.id, d->reg.pos,
		       d->reg.bits, d->why);
		bad++;
	}
	return bad;
}

/* ---- The functions ---- */

FIXTURE(config)
{
	struct slot slot;
	struct slot vf;
	struct vdev v;
	struct vdev pf;
	struct map map;
	struct record *theirs;
	struct record *ours;
};

FIXTURE_VARIANT(config)
{
	const char *device;	/* its name in the list */
	const char *slot;	/* of it, or of its PF */
	unsigned int index;	/* among those */
};

FIXTURE_VARIANT_ADD(config, edu) { .device = "edu", .slot = "edu" };
FIXTURE_VARIANT_ADD(config, e1000e) { .device = "e1000e", .slot = "e1000e" };
FIXTURE_VARIANT_ADD(config, igb) { .device = "igb", .slot = "igb" };
FIXTURE_VARIANT_ADD(config, igb_vf) { .device = "igbvf", .slot = "igb" };
FIXTURE_VARIANT_ADD(config, nvme) { .device = "nvme", .slot = "nvme" };
FIXTURE_VARIANT_ADD(config, virtio_net) { .device = "virtio-net", .slot = "virtio-net" };
FIXTURE_VARIANT_ADD(config, hisi_like) { .device = "hisi_like", .slot = "hisi_like" };
FIXTURE_VARIANT_ADD(config, plain) { .device = "plain", .slot = "plain" };
/* tools/lab/tests.py: with the capability Advanced Features */
FIXTURE_VARIANT_ADD(config, plain_af) { .device = "plain", .slot = "plain", .index = 2 };

static bool is_vf(const char *device)
{
	return !strcmp(device, "igbvf");
}

static void allow_vfs(bool allowed)
{
	vf_allow(THEIRS, allowed);
	vf_allow(OURS, allowed);
}

FIXTURE_SETUP(config)
{
	struct slot slots[SLOT_MAX];

	self->v.fd = self->v.group = self->v.iommu = -1;
	self->pf = self->v;
	if (access("/sys/bus/pci/drivers/" THEIRS, F_OK) && system("modprobe " THEIRS))
		SKIP(return, THEIRS " cannot be loaded");
	if (slots_find(variant->slot, slots, SLOT_MAX) <= (int)variant->index)
		SKIP(return, "no %s in /vpv/stock or /vpv/devices", variant->slot);
	self->slot = slots[variant->index];
	self->theirs = calloc(1, sizeof(*self->theirs));
	self->ours = calloc(1, sizeof(*self->ours));
	ASSERT_TRUE(self->theirs && self->ours);
	if (is_vf(variant->device))
		allow_vfs(true);
}

FIXTURE_TEARDOWN(config)
{
	vdev_close(&self->v);
	vdev_close(&self->pf);
	if (is_vf(variant->device)) {
		vf_set_num(&self->slot, 0);
		allow_vfs(false);
	}
	vdev_unbind(self->slot.bdf);
	free(self->theirs);
	free(self->ours);
}

/* A VF, whose user has the token of whoever has its PF open. */
static int open_vf(FIXTURE_DATA(config) *self, const char *driver)
{
	int err = vf_set_num(&self->slot, 1);

	if (!err)
		err = vf_find(&self->slot, 0, &self->vf);
	if (!err)
		err = vdev_bind(self->vf.bdf, driver);
	if (!err)
		err = vdev_open_token(&self->pf, &self->slot, VDEV_GROUP, TOKEN);
	if (!err)
		err = vdev_open_token(&self->v, &self->vf, VDEV_GROUP, TOKEN);
	return err ?: map_read(&self->vf, &self->map);
}

static int ask_driver(FIXTURE_DATA(config) *self, const char *device, const char *driver,
		      struct record *r)
{
	int err = vdev_bind(self->slot.bdf, driver);

	if (!err && is_vf(device))
		err = open_vf(self, driver);
	else if (!err)
		err = vdev_open(&self->v, &self->slot, VDEV_GROUP) ?:
		      map_read(&self->slot, &self->map);
	if (!err)
		err = ask(&self->v, &self->map, r);
	vdev_close(&self->v);
	vdev_close(&self->pf);
	if (is_vf(device))
		vf_set_num(&self->slot, 0);
	return err;
}

TEST_F_TIMEOUT(config, every_byte_is_as_with_vfio_pci, SECONDS)
{
	struct result res = {};

	ASSERT_EQ(0, ask_driver(self, variant->device, THEIRS, self->theirs));
	ASSERT_EQ(0, ask_driver(self, variant->device, OURS, self->ours));
	ASSERT_EQ(self->theirs->bytes, self->ours->bytes);
	compare(&self->map, variant->device, self->theirs, self->ours, &res);
	EXPECT_EQ(0U, res.bad);
	EXPECT_EQ(0U, obsolete(variant->device, &res));
}

/* ---- BARs that were lost ---- */

#define E1000E_STATUS	0x8	/* in BAR 0: link up and more, never only ones or zeroes */
#define BAR_REGS	6
#define BARS_BYTES	(4 * BAR_REGS)

FIXTURE(backdoor)
{
	struct slot slot;
	struct vdev v;
	int config;		/* the host's own way into config space */
};

FIXTURE_VARIANT(backdoor)
{
	const char *driver;
};

FIXTURE_VARIANT_ADD(backdoor, vpv_pci) { .driver = OURS };
FIXTURE_VARIANT_ADD(backdoor, vfio_pci) { .driver = THEIRS };

FIXTURE_SETUP(backdoor)
{
	self->v.fd = self->v.group = self->v.iommu = self->config = -1;
	if (slots_find("e1000e", &self->slot, 1) != 1)
		SKIP(return, "no e1000e in /vpv/stock");
	if (!strcmp(variant->driver, THEIRS) && system("modprobe " THEIRS))
		SKIP(return, THEIRS " cannot be loaded");
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, variant->driver));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	self->config = vdev_sysfs_open(self->slot.bdf, "config", O_RDWR);
	ASSERT_GE(self->config, 0);
}

FIXTURE_TEARDOWN(backdoor)
{
	close(self->config);
	vdev_close(&self->v);
	vdev_unbind(self->slot.bdf);
}

static bool answers(struct vdev *v)
{
	uint32_t status = bar_get(v, 0, E1000E_STATUS);

	return status && status != ~0U;
}

static bool bars_of_host(int config, uint32_t *bars)
{
	return pread(config, bars, BARS_BYTES, PCI_BASE_ADDRESS_0) == BARS_BYTES;
}

static bool bars_of_user(struct vdev *v, uint32_t *bars)
{
	return vdev_pread(v, CONFIG, PCI_BASE_ADDRESS_0, bars, BARS_BYTES) == BARS_BYTES;
}

static bool same(const uint32_t *bars, const uint32_t *others)
{
	return !memcmp(bars, others, BARS_BYTES);
}

/* As after a reset that only the function knows of.  The next write of COMMAND mends it. */
TEST_F(backdoor, bars_come_back)
{
	uint32_t host[BAR_REGS], user[BAR_REGS], now[BAR_REGS], command;
	const uint32_t none[BAR_REGS] = {};
	uint16_t before, after;

	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	ASSERT_TRUE(answers(&self->v));
	command = vdev_cfg(&self->v, PCI_COMMAND, 2);
	ASSERT_TRUE(command & PCI_COMMAND_MEMORY);
	ASSERT_TRUE(bars_of_user(&self->v, user) && bars_of_host(self->config, host));
	ASSERT_EQ(2, pread(self->config, &before, 2, PCI_COMMAND));

	/* BARs gone, decoding off, both. */
	for (int way = 1; way <= 3; way++) {
		if (way & 1)
			ASSERT_EQ(BARS_BYTES, pwrite(self->config, none, BARS_BYTES,
						     PCI_BASE_ADDRESS_0));
		if (way & 2)
			ASSERT_EQ(2, pwrite(self->config, none, 2, PCI_COMMAND));
		EXPECT_FALSE(answers(&self->v));
		EXPECT_TRUE(bars_of_user(&self->v, now) && same(now, user));

		ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, command));
		EXPECT_TRUE(bars_of_host(self->config, now) && same(now, host))
			TH_LOG("way %d", way);
		EXPECT_TRUE(answers(&self->v))
			TH_LOG("way %d", way);
		/* Whether the function may raise INTx, too. */
		ASSERT_EQ(2, pread(self->config, &after, 2, PCI_COMMAND));
		EXPECT_EQ(before, after)
			TH_LOG("way %d", way);
	}
}

TEST_HARNESS_MAIN
