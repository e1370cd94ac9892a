// SPDX-License-Identifier: GPL-2.0
/*
 * That the state of a device survives, told by --busy and --verify; that the device stands
 * still; and what a VMM does to it meanwhile.
 */
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mig.h"

static enum outcome busy(struct ctx *c)
{
	int err = sys->plug(&c->a, "busy");

	CHECK(!err, "--busy fails: %d", err);
	return PASS;
}

static enum outcome verify(struct ctx *c, struct dev *d, const char *when)
{
	int err = sys->plug(d, "verify");

	CHECK(!err, "--verify fails %s", when);
	return PASS;
}

static enum outcome plug_works(struct ctx *c)
{
	return busy(c) == FAIL ? FAIL : verify(c, &c->a, "with no migration between");
}

static enum outcome through(struct ctx *c)
{
	for (unsigned int state = STOP; state < STATES; state++) {
		if (!has_state(c, state) || state == RESUMING)
			continue;
		if (busy(c) == FAIL)
			return FAIL;
		CHECK(!set_state(&c->a, state, NULL), "to %s", state_name(state));
		CHECK(!set_state(&c->a, RUNNING, NULL), "%s -> RUNNING", state_name(state));
		if (verify(c, &c->a, state_name(state)) == FAIL)
			return FAIL;
	}
	return PASS;
}

/* In pre-copy the device works, also when it had been kept from DMA there. */
static enum outcome in_precopy(struct ctx *c)
{
	for (unsigned int p2p = 0; p2p < (has_state(c, PRE_COPY_P2P) ? 2 : 1); p2p++) {
		if (busy(c) == FAIL)
			return FAIL;
		if (p2p)
			CHECK(!set_state(&c->a, PRE_COPY_P2P, NULL), "no PRE_COPY_P2P");
		CHECK(!set_state(&c->a, PRE_COPY, NULL), "no PRE_COPY");
		if (verify(c, &c->a, p2p ? "in PRE_COPY after PRE_COPY_P2P" : "in PRE_COPY") ==
		    FAIL)
			return FAIL;
		CHECK(get_state(&c->a) == PRE_COPY, "it has become %s",
		      state_name(get_state(&c->a)));
		CHECK(!set_state(&c->a, RUNNING, NULL), "back to RUNNING");
	}
	return PASS;
}

static enum outcome move(struct ctx *c, struct dev *to, bool precopy)
{
	struct blob b = {};
	int err;

	if (busy(c) == FAIL)
		return FAIL;
	err = save(&c->a, &b, precopy);
	CHECK(!err, "saving: %d", err);
	/* What is not in the stream must not be found by chance. */
	if (to == &c->a)
		CHECK(!device_reset(to), "RESET");
	err = load(to, &b, RUNNING, NULL);
	CHECK(!err, "loading: %d", err);
	if (verify(c, to, "after the move") == FAIL)
		return FAIL;
	/* The two may share what only one at a time may use. */
	if (to != &c->a)
		device_reset(to);
	return PASS;
}

static enum outcome same_stop(struct ctx *c) { return move(c, &c->a, false); }
static enum outcome same_precopy(struct ctx *c) { return move(c, &c->a, true); }
static enum outcome other_stop(struct ctx *c) { return move(c, &c->b, false); }
static enum outcome other_precopy(struct ctx *c) { return move(c, &c->b, true); }

/* A migration that fails late: the source goes on. */
static enum outcome source_goes_on(struct ctx *c)
{
	struct blob b = {};
	int fd, err;

	if (busy(c) == FAIL)
		return FAIL;
	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(!err, "reading: %d", err);
	CHECK(!set_state(&c->a, RUNNING, NULL), "STOP_COPY -> RUNNING");
	return verify(c, &c->a, "on the source");
}

static enum outcome stands_still(struct ctx *c)
{
	static const unsigned int states[] = { STOP, STOP_COPY };
	uint8_t *before = malloc(MEM_BYTES);

	if (!c->mem)
		return rule_skip(c, "the device has no memory");
	for (unsigned int i = 0; i < 2; i++) {
		if (busy(c) == FAIL)
			return FAIL;
		CHECK(!set_state(&c->a, states[i], NULL), "to %s", state_name(states[i]));
		memcpy(before, c->mem, MEM_BYTES);
		sys->pause(200);
		CHECK(!memcmp(before, c->mem, MEM_BYTES), "memory changes in %s",
		      state_name(states[i]));
		CHECK(!set_state(&c->a, RUNNING, NULL), "back to RUNNING");
		if (verify(c, &c->a, "after it stood still") == FAIL)
			return FAIL;
	}
	return PASS;
}

/* ---- what a VMM does meanwhile ---- */

static int config_offset(struct ctx *c, uint64_t *offset)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index =
					 VFIO_PCI_CONFIG_REGION_INDEX };
	int err = sys->ioctl(&c->a, VFIO_DEVICE_GET_REGION_INFO, &info);

	*offset = info.offset;
	return err;
}

/* Memory space on, and off: whether COMMAND was as it was written; negative: an access failed. */
static int switch_memory(struct ctx *c, uint64_t config)
{
	bool kept = true;

	for (unsigned int i = 0; i < 2; i++) {
		uint16_t want = i ? 0 : PCI_COMMAND_MEMORY, is = ~want;

		if (sys->region_write(&c->a, &want, 2, config + PCI_COMMAND) != 2 ||
		    sys->region(&c->a, &is, 2, config + PCI_COMMAND) != 2)
			return -EIO;
		kept &= (is & PCI_COMMAND_MEMORY) == want;
	}
	return kept;
}

static enum outcome config(struct ctx *c)
{
	uint32_t before, id;
	uint64_t offset;
	int switches;

	CHECK(!config_offset(c, &offset), "no config space");
	CHECK(sys->region(&c->a, &before, 4, offset) == 4, "it cannot be read");
	/* Some devices have no such bit. */
	switches = switch_memory(c, offset);
	for (unsigned int state = STOP; state < STATES; state++) {
		if (!has_state(c, state))
			continue;
		CHECK(!go_to(c, &c->a, state, NULL), "to %s", state_name(state));
		id = 0;
		CHECK(sys->region(&c->a, &id, 4, offset) == 4 && id == before,
		      "in %s it reads %#x instead of %#x", state_name(state), id, before);
		CHECK(switch_memory(c, offset) == switches,
		      "in %s COMMAND is not as it was written", state_name(state));
		CHECK(!settle(c, &c->a), "back to RUNNING");
	}
	return PASS;
}

/* A word at the begin, in the middle and at the end of each BAR, whatever comes of it. */
static unsigned int touch_bars(struct ctx *c)
{
	unsigned int words = 0;

	for (unsigned int i = VFIO_PCI_BAR0_REGION_INDEX; i <= VFIO_PCI_BAR5_REGION_INDEX; i++) {
		struct vfio_region_info info = { .argsz = sizeof(info), .index = i };
		uint32_t word;

		if (sys->ioctl(&c->a, VFIO_DEVICE_GET_REGION_INFO, &info) || info.size < 4 ||
		    !(info.flags & VFIO_REGION_INFO_FLAG_READ))
			continue;
		sys->region(&c->a, &word, 4, info.offset);
		sys->region(&c->a, &word, 4, info.offset + (info.size / 2 & ~3ull));
		sys->region(&c->a, &word, 4, info.offset + info.size - 4);
		words += 3;
	}
	return words;
}

/* A user who does not keep the guest from the device may get anything, but breaks nothing. */
static enum outcome bars(struct ctx *c)
{
	static const unsigned int states[] = { STOP, STOP_COPY, RESUMING };
	uint16_t memory = PCI_COMMAND_MEMORY;
	struct blob b = {};
	uint64_t offset;

	CHECK(!config_offset(c, &offset), "no config space");
	for (unsigned int i = 0; i < 3; i++) {
		sys->region_write(&c->a, &memory, 2, offset + PCI_COMMAND);
		CHECK(!go_to(c, &c->a, states[i], NULL), "to %s", state_name(states[i]));
		if (!touch_bars(c))
			return rule_skip(c, "the device has no BAR that can be read");
		CHECK(get_state(&c->a) == (int)states[i], "%s has become %s",
		      state_name(states[i]), state_name(get_state(&c->a)));
		CHECK(!set_state(&c->a, RUNNING, NULL), "%s -> RUNNING", state_name(states[i]));
	}
	CHECK(!save(&c->a, &b, false), "it cannot be saved afterwards");
	return loads(c, &c->a, &b);
}

static int set_irq(struct ctx *c, unsigned int index, unsigned int count, int fd)
{
	union {
		struct vfio_irq_set set;
		uint8_t raw[sizeof(struct vfio_irq_set) + sizeof(fd)];
	} m = { .set = {
		.argsz = sizeof(m.set) + count * sizeof(fd), .index = index, .count = count,
		.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
			 (count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
	} };

	memcpy(m.set.data, &fd, sizeof(fd));
	return sys->ioctl(&c->a, VFIO_DEVICE_SET_IRQS, &m);
}

/* QEMU restores PCI config space, and with it interrupts, while a state is loaded. */
static enum outcome interrupts(struct ctx *c)
{
	static const unsigned int states[] = { RESUMING, STOP };
	unsigned int index = VFIO_PCI_MSIX_IRQ_INDEX;
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };
	int fd = eventfd(0, EFD_CLOEXEC);

	if (sys->ioctl(&c->a, VFIO_DEVICE_GET_IRQ_INFO, &info) || !info.count) {
		info.index = index = VFIO_PCI_MSI_IRQ_INDEX;
		if (sys->ioctl(&c->a, VFIO_DEVICE_GET_IRQ_INFO, &info) || !info.count)
			return rule_skip(c, "the device has neither MSI nor MSI-X");
	}
	for (unsigned int i = 0; i < 2; i++) {
		int err;

		CHECK(!go_to(c, &c->a, states[i], NULL), "to %s", state_name(states[i]));
		err = set_irq(c, index, 1, fd);
		CHECK(!err, "on, in %s: %d", state_name(states[i]), err);
		err = set_irq(c, index, 0, fd);
		CHECK(!err, "off, in %s: %d", state_name(states[i]), err);
		CHECK(!settle(c, &c->a), "back to RUNNING");
	}
	return PASS;
}

#define STATE	"uAPI: enum vfio_device_mig_state, STOP_COPY"
#define STILL	"uAPI: enum vfio_device_mig_state, STOP"

const struct rule work_rules[] = {
	{ "work.plug", "--busy and --verify agree with each other", "this program", NEED_PLUG,
	  plug_works },
	{ "work.through", "work survives each state", STATE, NEED_PLUG, through },
	{ "work.precopy", "work is done in PRE_COPY", "uAPI: enum vfio_device_mig_state, PRE_COPY",
	  NEED_PLUG | NEED_PRECOPY, in_precopy },
	{ "work.same", "work survives save, RESET and load", STATE, NEED_PLUG | NEED_RESET,
	  same_stop },
	{ "work.same-precopy", "likewise, with pre-copy", STATE,
	  NEED_PLUG | NEED_RESET | NEED_PRECOPY, same_precopy },
	{ "work.other", "work goes on in another device", STATE, NEED_PLUG | NEED_TWO, other_stop },
	{ "work.other-precopy", "likewise, with pre-copy", STATE,
	  NEED_PLUG | NEED_TWO | NEED_PRECOPY, other_precopy },
	{ "work.source", "a source that was read goes on",
	  "QEMU: a migration that fails late", NEED_PLUG, source_goes_on },
	{ "work.still", "memory does not change in STOP and STOP_COPY", STILL, NEED_PLUG,
	  stands_still },
	{ "stop.config", "config space can be read and written in every state", STILL, NEED_PCI,
	  config },
	{ "stop.bars", "a BAR that is read in STOP, STOP_COPY or RESUMING does no harm", STILL,
	  NEED_PCI | NEED_SAMPLE, bars },
	{ "stop.interrupts", "interrupts can be set up in RESUMING and STOP",
	  "QEMU: vfio_pci_load_config", NEED_PCI, interrupts },
	{}
};
