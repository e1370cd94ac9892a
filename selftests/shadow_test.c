// SPDX-License-Identifier: GPL-2.0
/*
 * Registers that are memory of the driver, written and read by several threads: one
 * access is done as a whole before the next.  vfio-pci has no lock there.  On QEMU's
 * e1000e.
 *
 * Groups: self stable
 */
#include "lib/race.h"
#include "lib/test.h"

#define RACE_MS		400
#define HALVES_MS	1000	/* each write goes to the device: a few tens */
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX

FIXTURE(shadow)
{
	struct vdev v;
};

FIXTURE_SETUP(shadow)
{
	struct slot slot;

	self->v.fd = self->v.group = self->v.iommu = -1;
	NEED_STOCK("e1000e", &slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &slot, VDEV_GROUP));
}

FIXTURE_TEARDOWN(shadow)
{
	vdev_close(&self->v);
}

static int result(long n, size_t bytes)
{
	return n < 0 ? n : n == bytes ? 0 : -EIO;
}

/* ---- Many registers in one access ---- */

/*
 * From COMMAND to the ROM's BAR.  Interrupt Disable and the BARs are memory; between
 * them lie registers of the device, which take long.
 */
#define FIRST		PCI_COMMAND
#define ALL_BYTES	(PCI_ROM_ADDRESS + 4 - FIRST)

/* Each writer has a pattern; @shown is what a lone reader finds after it. */
struct pattern {
	struct vdev *v;
	uint16_t command;
	uint8_t byte;
	uint8_t shown[ALL_BYTES];
};

struct watch {
	struct vdev *v;
	const struct pattern *patterns;
	const uint8_t *last;
	unsigned long torn;
	uint8_t example[ALL_BYTES];
};

static int write_all(void *arg, unsigned long n)
{
	struct pattern *p = arg;
	uint8_t buf[ALL_BYTES] = {};

	memcpy(buf, &p->command, sizeof(p->command));
	memset(buf + PCI_BASE_ADDRESS_0 - FIRST, p->byte, ALL_BYTES - (PCI_BASE_ADDRESS_0 - FIRST));
	return result(vdev_pwrite(p->v, CONFIG, FIRST, buf, sizeof(buf)), sizeof(buf));
}

/* Done when the other pattern than the last time is there. */
static int read_all(void *arg, unsigned long n)
{
	struct watch *w = arg;
	uint8_t buf[ALL_BYTES];
	const uint8_t *found = NULL;
	int err = result(vdev_pread(w->v, CONFIG, FIRST, buf, sizeof(buf)), sizeof(buf));

	if (err)
		return err;
	for (unsigned int i = 0; i < 2; i++)
		if (!memcmp(buf, w->patterns[i].shown, sizeof(buf)))
			found = w->patterns[i].shown;
	if (!found) {
		w->torn++;
		memcpy(w->example, buf, sizeof(buf));
		return -EIO;
	}
	if (found == w->last)
		return -EAGAIN;
	w->last = found;
	return 0;
}

TEST_F(shadow, an_access_of_many_registers_is_whole)
{
	struct pattern p[] = {
		{ .v = &self->v, .byte = 0x55, .command = PCI_COMMAND_MEMORY },
		{ .v = &self->v, .byte = 0xaa,
		  .command = PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE },
	};
	struct watch w = { .v = &self->v, .patterns = p };
	struct race_job jobs[] = {
		RACE_JOB(write_all, &p[0]), RACE_JOB(write_all, &p[1]), RACE_JOB(read_all, &w),
	};

	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, write_all(&p[i], 0));
		ASSERT_EQ(ALL_BYTES, vdev_pread(&self->v, CONFIG, FIRST, p[i].shown, ALL_BYTES));
	}
	/* In the first register and in the last. */
	ASSERT_NE(0, memcmp(p[0].shown, p[1].shown, 4));
	ASSERT_NE(0, memcmp(p[0].shown + ALL_BYTES - 4, p[1].shown + ALL_BYTES - 4, 4));

	EXPECT_TRUE(race_run_ms(jobs, ARRAY_SIZE(jobs), RACE_MS));
	EXPECT_EQ(0UL, w.torn) {
		for (unsigned int i = 0; i < ALL_BYTES; i += 4)
			TH_LOG("%#x: %02x%02x%02x%02x", FIRST + i, w.example[i + 3],
			       w.example[i + 2], w.example[i + 1], w.example[i]);
	}
}

/* ---- Two halves of a register that is kept as one ---- */

struct half {
	struct vdev *v;
	unsigned int pos;
	uint8_t bit;
	uint8_t other;	/* bits that stay set */
	unsigned long lost;
};

/* Nobody else writes this half. */
static int write_and_look(void *arg, unsigned long n)
{
	struct half *h = arg;
	uint8_t val = h->other | (n % 2 ? h->bit : 0);
	int err = vdev_cfg_set(h->v, h->pos, 1, val);

	if (err)
		return err;
	if ((vdev_cfg(h->v, h->pos, 1) & (h->bit | h->other)) == val)
		return 0;
	h->lost++;
	return -EIO;
}

TEST_F(shadow, writers_of_two_halves_do_not_undo_each_other)
{
	struct half low = {
		.v = &self->v, .pos = PCI_COMMAND, .bit = PCI_COMMAND_MASTER,
		.other = PCI_COMMAND_MEMORY,
	};
	struct half high = {
		.v = &self->v, .pos = PCI_COMMAND + 1, .bit = PCI_COMMAND_INTX_DISABLE >> 8,
	};
	struct race_job jobs[] = {
		RACE_JOB(write_and_look, &low), RACE_JOB(write_and_look, &high),
	};

	EXPECT_TRUE(race_run_ms(jobs, ARRAY_SIZE(jobs), HALVES_MS));
	EXPECT_EQ(0UL, low.lost);
	EXPECT_EQ(0UL, high.lost);
}

TEST_HARNESS_MAIN
