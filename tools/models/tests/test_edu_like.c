// SPDX-License-Identifier: GPL-2.0
/* edu_like (Documentation/hardware/edu_like.rst). */
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <hw/edu_like.h>
#include "test.h"

#define IOVA		0x200000ull
#define MEM_BYTES	0x40000u
#define CTL(reg)	(EDUL_CTL + (reg))

struct user {
	struct rig *r;
	uint32_t *mem;
	int fd, ev;
};

static void user_open(struct user *u, char **options, const struct user *share)
{
	uint16_t enable = PCI_MSI_FLAGS_ENABLE;

	u->r = rig_open(vu_model_find("edu_like"), options);
	if (share) {
		u->mem = share->mem;
		u->fd = share->fd;
		CHECK_EQ(rig_dma_map(u->r, IOVA, MEM_BYTES, 0, 3, u->fd), 0);
	} else {
		u->mem = (uint32_t *)rig_memory(u->r, IOVA, MEM_BYTES, 3, &u->fd);
	}
	rig_enable(u->r);
	CHECK_EQ(rig_write(u->r, VFIO_PCI_CONFIG_REGION_INDEX, u->r->dev->cfg.msi + 2, &enable, 2), 0);
	u->ev = eventfd(0, EFD_NONBLOCK);
	CHECK_EQ(rig_set_irqs(u->r, VFIO_PCI_MSI_IRQ_INDEX,
			      VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1, &u->ev,
			      1), 0);
}

static void user_close(struct user *u, bool memory)
{
	close(u->ev);
	if (memory) {
		munmap(u->mem, MEM_BYTES);
		close(u->fd);
	}
	rig_close(u->r);
}

static uint32_t rd(struct user *u, uint32_t off)
{
	return rig_read32(u->r, EDUL_BAR, off);
}

static void wr(struct user *u, uint32_t off, uint32_t val)
{
	rig_write32(u->r, EDUL_BAR, off, val);
}

static void start(struct user *u, uint64_t address, uint32_t words, uint32_t value)
{
	wr(u, EDUL_ADDRESS, (uint32_t)address);
	wr(u, EDUL_ADDRESS + 4, (uint32_t)(address >> 32));
	wr(u, EDUL_WORDS, words);
	wr(u, EDUL_VALUE, value);
	wr(u, EDUL_CONTROL, EDUL_START);
}

static uint32_t finish(struct user *u)
{
	for (int i = 0; i < 1000 && rd(u, EDUL_CONTROL) & EDUL_BUSY; i++)
		rig_run(u->r, 1);
	return rd(u, EDUL_CONTROL);
}

static bool filled(const struct user *u, uint32_t words, uint32_t value)
{
	for (uint32_t i = 0; i < words; i++)
		if (u->mem[i] != value + i)
			return false;
	return u->mem[words] == 0;
}

static void fill(void)
{
	struct user u;

	user_open(&u, NULL, NULL);
	start(&u, IOVA, 1000, 7);
	CHECK_EQ(finish(&u), EDUL_DONE);
	CHECK(filled(&u, 1000, 7));
	CHECK_EQ(event_count(u.ev), 1);
	CHECK_EQ(rd(&u, EDUL_VALUE), 1007);		/* the next one goes on from there */
	for (int i = 0; i < 3; i++) {
		const uint64_t address[] = { IOVA + 2, IOVA, IOVA + MEM_BYTES };
		const uint32_t words[] = { 1, 65537, 1 };

		start(&u, address[i], words[i], 3);
		CHECK_EQ(finish(&u), EDUL_ERROR);
		CHECK_EQ(event_count(u.ev), 1);
		CHECK_EQ(rd(&u, EDUL_VALUE), 3);
	}
	user_close(&u, true);
}

static void pause_wait(struct user *u)
{
	wr(u, CTL(EDUL_PAUSE), EDUL_PAUSE_REQUEST);
	rig_run(u->r, 5);
	CHECK_EQ(rd(u, CTL(EDUL_PAUSE)), EDUL_PAUSE_REQUEST | EDUL_PAUSED);
}

static void state_read(struct user *u, struct edul_state *s)
{
	for (uint32_t i = 0; i < sizeof(*s); i += 4) {
		uint32_t val = rd(u, CTL(EDUL_WINDOW) + i);

		memcpy((uint8_t *)s + i, &val, 4);
	}
}

static uint32_t commit(struct user *u, const struct edul_state *s)
{
	for (uint32_t i = 0; i < sizeof(*s); i += 4) {
		uint32_t val;

		memcpy(&val, (const uint8_t *)s + i, 4);
		wr(u, CTL(EDUL_WINDOW) + i, val);
	}
	wr(u, CTL(EDUL_COMMIT), 1);
	rig_run(u->r, 5);
	return rd(u, CTL(EDUL_COMMIT));
}

/* Paused in the middle, ended by another device: each word once. */
static void go_on_elsewhere(void)
{
	char *slow[] = { "tile_us=2000", NULL };
	struct edul_state s;
	struct user a, b;

	user_open(&a, slow, NULL);
	start(&a, IOVA, 4096, 1);
	rig_run(a.r, 10);
	pause_wait(&a);
	wr(&a, EDUL_VALUE, 99);				/* ignored */
	state_read(&a, &s);
	CHECK(s.progress && s.progress < s.words);
	CHECK_EQ(s.value, 1);
	vu_ledger_clear(&a.r->dev->ledger);
	rig_run(a.r, 10);
	CHECK_EQ(a.r->dev->ledger.used, 0);		/* silent */

	user_open(&b, NULL, &a);
	CHECK_EQ(commit(&b, &s), EDUL_REFUSED);		/* not paused */
	pause_wait(&b);
	CHECK_EQ(commit(&b, &s), EDUL_COMMITTED);
	CHECK_EQ(event_count(b.ev), 0);
	wr(&b, CTL(EDUL_PAUSE), 0);
	CHECK_EQ(finish(&b), EDUL_DONE);
	CHECK(filled(&b, 4096, 1));
	CHECK_EQ(event_count(b.ev), 1);
	pause_wait(&b);
	wr(&b, CTL(EDUL_PAUSE), 0);
	CHECK_EQ(event_count(b.ev), 1);			/* sent once more */
	user_close(&b, false);
	user_close(&a, true);
}

/* A user who has written one half of the address. */
static void half_written_address(void)
{
	struct edul_state s;
	struct user a, b;

	user_open(&a, NULL, NULL);
	wr(&a, EDUL_ADDRESS + 4, 0x12345);
	wr(&a, EDUL_WORDS, 7);
	pause_wait(&a);
	state_read(&a, &s);
	user_open(&b, NULL, &a);
	pause_wait(&b);
	CHECK_EQ(commit(&b, &s), EDUL_COMMITTED);
	wr(&b, CTL(EDUL_PAUSE), 0);
	CHECK_EQ(rd(&b, EDUL_ADDRESS), 0);
	CHECK_EQ(rd(&b, EDUL_ADDRESS + 4), 0x12345);
	CHECK_EQ(rd(&b, EDUL_WORDS), 7);
	user_close(&b, false);
	user_close(&a, true);
}

static void refused_states(void)
{
	const struct edul_state good = { .address = IOVA, .words = 16, .control = EDUL_BUSY,
					 .progress = 15 };
	const struct {
		size_t at;
		uint32_t val;
	} bad[] = {
		{ offsetof(struct edul_state, control), 8 },
		{ offsetof(struct edul_state, control), EDUL_BUSY | EDUL_DONE },
		{ offsetof(struct edul_state, words), 0 },
		{ offsetof(struct edul_state, words), 65537 },
		{ offsetof(struct edul_state, address), IOVA + 1 },
		{ offsetof(struct edul_state, progress), 16 },
		{ offsetof(struct edul_state, reserved), 1 },
	};
	struct user u;

	user_open(&u, NULL, NULL);
	pause_wait(&u);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct edul_state s = good;

		memcpy((uint8_t *)&s + bad[i].at, &bad[i].val, 4);
		CHECK_EQ(commit(&u, &s), EDUL_REFUSED);
		CHECK_EQ(rd(&u, EDUL_WORDS), 0);
	}
	CHECK_EQ(commit(&u, &good), EDUL_COMMITTED);
	user_close(&u, true);
}

static void faults(void)
{
	struct edul_state s = { 0 };
	struct user u;

	user_open(&u, NULL, NULL);
	rig_control(u.r, "fault op fail count=1");
	start(&u, IOVA, 4, 1);
	CHECK_EQ(finish(&u), EDUL_ERROR);
	rig_control(u.r, "fault pause hang count=1");
	wr(&u, CTL(EDUL_PAUSE), EDUL_PAUSE_REQUEST);
	rig_run(u.r, 5);
	CHECK_EQ(rd(&u, CTL(EDUL_PAUSE)), EDUL_PAUSE_REQUEST);
	wr(&u, CTL(EDUL_PAUSE), 0);
	rig_control(u.r, "fault clear");
	pause_wait(&u);
	rig_control(u.r, "fault load fail count=1");
	CHECK_EQ(commit(&u, &s), EDUL_REFUSED);
	rig_control(u.r, "fault load hang count=1");
	CHECK_EQ(commit(&u, &s), EDUL_COMMITTING);
	rig_control(u.r, "fault clear");
	rig_run(u.r, 5);
	CHECK_EQ(rd(&u, CTL(EDUL_COMMIT)), EDUL_COMMITTED);
	user_close(&u, true);
}

static void claims(void)
{
	struct user u;

	user_open(&u, NULL, NULL);
	CHECK_EQ(rd(&u, CTL(EDUL_MAX_WORDS)), 65536);
	CHECK(!strcmp(rig_control(u.r, "claim max_words 0"), "ok\n"));
	CHECK_EQ(rd(&u, CTL(EDUL_MAX_WORDS)), 0);
	CHECK(strstr(rig_control(u.r, "claim max_words 0x100000000"), "err"));
	CHECK(strstr(rig_control(u.r, "claim id 1"), "err"));
	CHECK(!strcmp(rig_control(u.r, "claim clear"), "ok\n"));
	CHECK_EQ(rd(&u, CTL(EDUL_MAX_WORDS)), 65536);
	user_close(&u, true);
}

static const struct test edu_like_tests[] = {
	{ "edu_like: fills and refuses", fill },
	{ "edu_like: goes on elsewhere", go_on_elsewhere },
	{ "edu_like: an address that is half written", half_written_address },
	{ "edu_like: refuses what is no state", refused_states },
	{ "edu_like: faults", faults },
	{ "edu_like: claims", claims },
	{ NULL, NULL },
};

TEST_SUITE(edu_like_tests);
