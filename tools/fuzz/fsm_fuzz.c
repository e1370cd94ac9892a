// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the state machine: a device is sent through any sequence of requests.
 *
 * Input: capabilities, then one request of four bytes after the other, known states
 * and others.  The bits must never leave the table, and sessions must balance.
 */
#include "../../migration/fsm.c"

#include "require.h"

#define SESSION	(VMIG_SAVING | VMIG_RESUMING)

struct device {
	u8 caps;
	u8 bits;
	bool quiesced;
	bool frozen;
	bool saving;
	bool loading;
};

/* What the hooks would see: each only when it makes sense. */
static void do_step(struct device *dev, const struct vmig_step *step, bool last)
{
	u8 opens = step->to & ~step->from & SESSION;
	bool p2p = dev->caps & VMIG_CAP_P2P;

	REQUIRE(step->from == dev->bits);
	REQUIRE(is_power_of_2(step->from ^ step->to));
	REQUIRE(!opens || last);

	switch ((enum vmig_action)step->action) {
	case VMIG_QUIESCE:
		REQUIRE(p2p && !dev->quiesced && !dev->frozen);
		dev->quiesced = true;
		break;
	case VMIG_UNQUIESCE:
		REQUIRE(dev->quiesced && !dev->frozen);
		dev->quiesced = false;
		break;
	case VMIG_SAVE_FREEZE:
		REQUIRE(dev->saving);
		fallthrough;
	case VMIG_FREEZE:
		REQUIRE(!dev->frozen && dev->quiesced == p2p);
		dev->frozen = true;
		break;
	case VMIG_THAW:
		REQUIRE(dev->frozen && !dev->saving && !dev->loading);
		dev->frozen = false;
		break;
	case VMIG_SAVE_RUNNING:
	case VMIG_SAVE_STOPPED:
		REQUIRE(!dev->saving && !dev->loading);
		REQUIRE(dev->frozen == (step->action == VMIG_SAVE_STOPPED));
		dev->saving = true;
		break;
	case VMIG_SAVE_END:
		REQUIRE(dev->saving);
		dev->saving = false;
		break;
	case VMIG_LOAD_BEGIN:
		REQUIRE(dev->frozen && !dev->saving && !dev->loading);
		dev->loading = true;
		break;
	case VMIG_LOAD_END:
		REQUIRE(dev->loading);
		dev->loading = false;
		break;
	case VMIG_ACTIONS:
		REQUIRE(false);
	}
	dev->bits = step->to;
}

static void request(struct device *dev, u32 v2)
{
	struct vmig_path path;
	unsigned int i;
	u8 to;

	if (vmig_fsm_bits(v2, dev->caps, &to))
		return;
	REQUIRE(v2 != VMIG_V2_ERROR && v2 < VMIG_V2_STATES);
	if (vmig_fsm_path(dev->bits, to, dev->caps, &path)) {
		REQUIRE(dev->saving && dev->frozen && (to & VMIG_SAVING));
		return;
	}
	for (i = 0; i < path.steps; i++)
		do_step(dev, path.step[i], i == path.steps - 1);

	REQUIRE(dev->bits == to && vmig_fsm_v2(to) == v2);
	REQUIRE(dev->saving == !!(to & VMIG_SAVING));
	REQUIRE(dev->loading == !!(to & VMIG_RESUMING));
	REQUIRE(dev->frozen == !(to & VMIG_RUNNING));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct device dev = { .bits = VMIG_RUNNING };
	struct vmig_path path;

	if (!bytes)
		return 0;
	dev.caps = *data++ & 3;
	for (bytes--; bytes >= 4; data += 4, bytes -= 4) {
		u32 v2 = get_unaligned_le32(data);

		request(&dev, v2 & 0x80 ? v2 : v2 & 7);
		/* Any two bytes are no reason to crash either. */
		vmig_fsm_path(v2, v2 >> 8, v2 >> 16, &path);
		vmig_fsm_name(vmig_fsm_v2(v2));
	}
	return 0;
}
