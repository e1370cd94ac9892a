// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the migration region of v1: any sequence of accesses, in any order, while
 * sessions come and go.
 *
 * Input: capabilities, then 8 bytes for each access: where, and what is written.  What gets through must be one field
 * or inside of the window, in its session; states are those of the machine, and the paths
 * between them never leave it.
 */
#include "../../migration/fsm.c"
#include "../../migration/v1_regs.c"

#include "require.h"

struct user {
	u8 caps;
	u8 bits;		/* of the machine */
	bool ndma;
	enum vmig_v1_session session;
	bool there;
	u64 filled;
	u64 taken;
};

static void state_write(struct user *u, u32 word)
{
	u32 states = vmig_v1_states(u->caps), seen;
	struct vmig_path path;
	u8 bits, to;

	if (vmig_v1_bits(word, states, &bits)) {
		/* Nothing that could be set is refused. */
		REQUIRE((word & ~states) || (word & VPV_V1_STATE_RESUMING &&
			word & (VPV_V1_STATE_RUNNING | VPV_V1_STATE_SAVING)));
		return;
	}
	REQUIRE(!(word & ~states));
	REQUIRE(!vmig_fsm_bits(vmig_fsm_v2(bits), u->caps, &to));
	if (vmig_fsm_path(u->bits, to, u->caps, &path)) {
		REQUIRE((u->bits & VMIG_SAVING) && !(u->bits & VMIG_RUNNING) &&
			(to & VMIG_SAVING));
		return;
	}
	u->bits = to;
	u->ndma = word & VPV_V1_STATE_NDMA;
	u->there = false;
	u->session = to & VMIG_SAVING ? VMIG_V1_SAVES :
		     to & VMIG_RESUMING ? VMIG_V1_LOADS : VMIG_V1_NONE;
	/* A user reads what he has written. */
	seen = vmig_v1_word(u->bits, u->ndma);
	REQUIRE(seen == word || ((seen ^ word) == VPV_V1_STATE_NDMA && !(u->caps & VMIG_CAP_P2P)));
}

static void done(struct user *u, enum vmig_v1_reg reg, bool write, u64 pos, u64 bytes, u64 val)
{
	switch (reg) {
	case VMIG_V1_DEVICE_STATE:
		REQUIRE(pos == 0 && bytes == 4);
		if (write)
			state_write(u, val);
		break;
	case VMIG_V1_RESERVED:
		REQUIRE(pos == 4 && bytes == 4);
		break;
	case VMIG_V1_PENDING_BYTES:
		REQUIRE(pos == 8 && bytes == 8 && !write);
		if (u->there)
			u->taken += u->filled;
		u->there = false;
		break;
	case VMIG_V1_DATA_OFFSET:
		REQUIRE(pos == 16 && bytes == 8 && !write && u->session != VMIG_V1_NONE);
		u->there = u->session == VMIG_V1_SAVES;
		u->filled = val % VPV_V1_WINDOW_BYTES;
		break;
	case VMIG_V1_DATA_SIZE:
		REQUIRE(pos == 24 && bytes == 8);
		REQUIRE(write ? u->session == VMIG_V1_LOADS : u->there);
		break;
	case VMIG_V1_WINDOW:
		REQUIRE(pos >= VPV_V1_WINDOW && bytes <= VPV_V1_REGION_BYTES - pos);
		REQUIRE(u->session == VMIG_V1_LOADS || (!write && u->session == VMIG_V1_SAVES));
		break;
	case VMIG_V1_REGS:
		REQUIRE(false);
	}
}

/* One field, whole; what is around the head, or around the borders of the window; or anything. */
static void access_at(u32 where, u64 *pos, u64 *count)
{
	u32 n = where >> 4;

	switch (where >> 2 & 3) {
	case 0:
		*pos = fields[n % VMIG_V1_REGS].pos;
		*count = fields[n % VMIG_V1_REGS].bytes;
		break;
	case 1:
		*pos = n & 63;
		*count = 1 + (n >> 6 & 31);
		break;
	case 2:
		*pos = (n & 1 ? VPV_V1_WINDOW : VPV_V1_REGION_BYTES) - 16 + (n >> 1 & 31);
		*count = 1 + (n >> 6 & 31);
		break;
	default:
		*pos = (u64)n << (n & 63);
		*count = 1 + ((u64)n >> (n >> 6 & 15));
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct user u = { .bits = VMIG_RUNNING };

	if (!bytes)
		return 0;
	u.caps = VMIG_CAP_PRE_COPY | (*data++ & VMIG_CAP_P2P);
	for (bytes--; bytes >= 8; data += 8, bytes -= 8) {
		u32 where = get_unaligned_le32(data), val = get_unaligned_le32(data + 4);
		bool write = where & 1;
		u64 pos, count;

		access_at(where, &pos, &count);
		int reg = vmig_v1_reg(pos, count, write);

		REQUIRE(reg < VMIG_V1_REGS);
		if (reg >= 0 && !vmig_v1_order(reg, write, u.session, u.there))
			done(&u, reg, write, pos, count, where & 2 ? val & 15 : val);
		/* A reset comes when it wants to. */
		if (where >> 24 == 0xff) {
			u.bits = VMIG_RUNNING;
			REQUIRE(vmig_v1_word(u.bits, u.ndma) == VPV_V1_STATE_RUNNING);
		}
	}
	return 0;
}
