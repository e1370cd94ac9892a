// SPDX-License-Identifier: GPL-2.0
/*
 * What may be loaded where (match.h).  Pure: also a KUnit suite and a host program.
 */
#include "match.h"

static_assert(sizeof(struct cgpu_cmd) == CGPU_CMD_BYTES);
static_assert(sizeof(struct cgpu_fence) == CGPU_FENCE_BYTES);
static_assert(sizeof(struct cgpu_state) == CGPU_STATE_HEAD_BYTES);
static_assert(sizeof(struct cgpu_state_queue) == CGPU_STATE_QUEUE_BYTES);
static_assert(sizeof(struct cgpu_ident) == CGPU_CP_CMD - CGPU_CP_REV);
static_assert(offsetof(struct cgpu_ident, mem) == CGPU_CP_MEM_BYTES - CGPU_CP_REV);
static_assert(sizeof(struct cgpu_match) == 40);
static_assert(sizeof(struct cgpu_poison) == 16);

#define FIELD(name, rule, field) VMIG_MATCH_FIELD(name, rule, struct cgpu_match, field)

const struct vmig_match_field cgpu_fields[CGPU_NUM_FIELDS] = {
	FIELD("match magic", VMIG_MATCH_CONSTANT, magic),
	FIELD("match reserved", VMIG_MATCH_CONSTANT, reserved),
	FIELD("revision", VMIG_MATCH_EQUAL, rev_major),
	FIELD("state version", VMIG_MATCH_AT_MOST, version),
	VMIG_MATCH_AGAINST("oldest state version", VMIG_MATCH_AT_LEAST, struct cgpu_match,
			   version, oldest),
	FIELD("queues", VMIG_MATCH_EQUAL, queues),
	FIELD("ring size log2", VMIG_MATCH_AT_MOST, log2),
	FIELD("opcodes", VMIG_MATCH_SUBSET, ops),
	FIELD("main memory", VMIG_MATCH_AT_MOST, mem),
	FIELD("carve-out", VMIG_MATCH_AT_MOST, carve),
};

int cgpu_place_check(const struct cgpu_place *place, struct vmig_diff *diff)
{
	const struct vmig_range_rule rules[] = {
		{ "address of the memory, above its alignment",
		  place->base % CGPU_MEM_ALIGN, 0, 0 },
		{ "address of the memory", place->base, CGPU_MEM_ALIGN,
		  U64_MAX - CGPU_MEM_MAX },
		{ "size of the memory", place->bytes, CGPU_MEM_MIN, CGPU_MEM_MAX },
		{ "size of the memory, above its alignment",
		  place->bytes % CGPU_MEM_ALIGN, 0, 0 },
		{ "size of the carve-out, above its alignment",
		  place->carve % CGPU_CARVE_ALIGN, 0, 0 },
		/* There is main memory always. */
		{ "size of the carve-out", place->carve, 0,
		  place->bytes - min_t(u64, place->bytes, CGPU_CARVE_ALIGN) },
	};

	return vmig_in_range(rules, ARRAY_SIZE(rules), -EINVAL, diff);
}

int cgpu_match_place(const struct cgpu_match *fn, const struct cgpu_place *place,
		     struct vmig_diff *diff)
{
	const u64 main = place->bytes - place->carve;
	const struct vmig_range_rule rules[] = {
		{ "main memory of the function", le64_to_cpu(fn->mem), main, main },
		{ "carve-out of the function", le64_to_cpu(fn->carve), place->carve,
		  place->carve },
	};

	return vmig_in_range(rules, ARRAY_SIZE(rules), -EINVAL, diff);
}

void cgpu_match_write(const struct cgpu_ident *id, struct cgpu_match *match)
{
	*match = (struct cgpu_match){
		.magic = cpu_to_le32(CGPU_MATCH_MAGIC),
		.rev_minor = id->rev_minor,
		.rev_major = id->rev_major,
		.version = id->version,
		.oldest = id->oldest,
		.queues = id->queues,
		.log2 = id->log2,
		.unused = id->unused,
		.ops = id->ops,
		.mem = cpu_to_le64(get_unaligned_le64(id->mem)),
		.carve = cpu_to_le64(get_unaligned_le64(id->carve)),
	};
}

int cgpu_match_sane(const struct cgpu_match *now, const struct cgpu_match *before,
		    struct vmig_diff *diff)
{
	static const char *const words[] = {
		"magic", "revision before", "versions before", "queues before",
		"opcodes before", "reserved", "main memory before",
		"main memory before, upper half", "carve-out before",
		"carve-out before, upper half",
	};
	const u16 version = le16_to_cpu(now->version);
	const struct vmig_range_rule rules[] = {
		{ "state version", version, 1, U16_MAX },
		{ "oldest state version", le16_to_cpu(now->oldest), 0, version },
		{ "queues", le16_to_cpu(now->queues), 1, CGPU_MAX_QUEUES },
		{ "ring size log2", now->log2, 1, CGPU_MAX_LOG2 },
	};
	int err;

	static_assert(ARRAY_SIZE(words) * sizeof(__le32) == sizeof(*now));
	err = vmig_same_words(words, ARRAY_SIZE(words), before, now, -EOPNOTSUPP, diff);
	return err ?: vmig_in_range(rules, ARRAY_SIZE(rules), -EOPNOTSUPP, diff);
}

u32 cgpu_state_bytes(const struct cgpu_match *fn)
{
	return CGPU_STATE_BYTES(min_t(u32, le16_to_cpu(fn->queues), CGPU_MAX_QUEUES));
}

int cgpu_state_check(const struct cgpu_match *fn, const void *buf, size_t bytes,
		     struct vmig_diff *diff)
{
	const u32 want = cgpu_state_bytes(fn);
	struct cgpu_state state;

	if (bytes != want)
		return vmig_differs(diff, -EINVAL, "state size", want, bytes);
	memcpy(&state, buf, sizeof(state));

	const struct vmig_range_rule rules[] = {
		{ "state magic", le32_to_cpu(state.magic), CGPU_STATE_MAGIC, CGPU_STATE_MAGIC },
		{ "state version", le32_to_cpu(state.version), le16_to_cpu(fn->oldest),
		  le16_to_cpu(fn->version) },
		{ "state bytes", le32_to_cpu(state.bytes), want, want },
		{ "state queues", le32_to_cpu(state.queues), le16_to_cpu(fn->queues),
		  le16_to_cpu(fn->queues) },
	};

	return vmig_in_range(rules, ARRAY_SIZE(rules), -EINVAL, diff);
}

/* Bytes of memory at a device address, up to the end of its range. */
static u64 memory_behind(const struct cgpu_place *place, u64 addr)
{
	u64 main = place->bytes - place->carve;

	if (addr < CGPU_CARVE_BASE)
		return main - min(main, addr);
	return place->carve - min(place->carve, addr - CGPU_CARVE_BASE);
}

int cgpu_poison_check(const struct cgpu_place *place, const void *buf, size_t bytes,
		      struct vmig_diff *diff)
{
	struct cgpu_poison p;
	u64 least = 0;

	if (!bytes || bytes % sizeof(p) || bytes > CGPU_POISON_MAX * sizeof(p))
		return vmig_differs(diff, -EINVAL, "size of the list of bad pages",
				    CGPU_POISON_MAX * sizeof(p), bytes);
	for (size_t pos = 0; pos < bytes; pos += sizeof(p)) {
		u64 addr;

		memcpy(&p, buf + pos, sizeof(p));
		addr = le64_to_cpu(p.address);

		const struct vmig_range_rule rules[] = {
			{ "next bad page", addr, least, U64_MAX - CGPU_POISON_PAGE },
			{ "bad page, above its alignment", addr % CGPU_POISON_PAGE, 0, 0 },
			{ "memory at a bad page", memory_behind(place, addr), CGPU_POISON_PAGE,
			  U64_MAX },
			{ "flags of a bad page", le32_to_cpu(p.flags), 0,
			  CGPU_POISON_INHERITED },
			{ "reserved field of a bad page", le32_to_cpu(p.reserved), 0, 0 },
		};
		int err = vmig_in_range(rules, ARRAY_SIZE(rules), -EINVAL, diff);

		if (err)
			return err;
		least = addr + CGPU_POISON_PAGE;
	}
	return 0;
}

bool cgpu_poison_has(const struct cgpu_poison *list, u32 num, u64 page)
{
	u32 low = 0, high = num;

	while (low < high) {
		u32 mid = low + (high - low) / 2;
		u64 addr = le64_to_cpu(list[mid].address);

		if (addr == page)
			return true;
		if (addr < page)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}
