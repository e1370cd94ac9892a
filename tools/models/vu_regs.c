// SPDX-License-Identifier: GPL-2.0
/* Registers of a BAR, and numbers that a model is told to say instead of the truth. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vu_dev.h"

static bool access_ok(const struct vu_regs *regs, uint64_t off, size_t len)
{
	return (len == 4 && !(off & 3)) || (len == 8 && regs->wide((uint32_t)off));
}

void vu_regs_access(struct vu_dev *dev, const struct vu_regs *regs, uint64_t off, void *buf,
		    size_t len, bool write)
{
	bool ok = access_ok(regs, off, len);

	if (!ok && !write)
		memset(buf, 0xff, len);
	for (size_t at = 0; ok && at < len; at += 4) {
		uint32_t val;

		memcpy(&val, (uint8_t *)buf + at, sizeof(val));
		if (write) {
			regs->write(dev, (uint32_t)(off + at), le32toh(val));
			continue;
		}
		val = htole32(regs->read(dev, (uint32_t)(off + at)));
		memcpy((uint8_t *)buf + at, &val, sizeof(val));
	}
}

void vu_regs_print(struct vu_dev *dev, uint32_t (*read)(struct vu_dev *dev, uint32_t off),
		   uint32_t base, const char *prefix, const struct vu_reg *regs, size_t num,
		   FILE *out)
{
	for (size_t i = 0; i < num; i++) {
		uint64_t val = read(dev, base + regs[i].off);

		if (regs[i].wide)
			val |= (uint64_t)read(dev, base + regs[i].off + 4) << 32;
		fprintf(out, "%s%s 0x%" PRIx64 "\n", prefix, regs[i].name, val);
	}
}

/* ---- claims ---- */

static bool parse(const char *text, unsigned int bytes, uint64_t *val)
{
	char *end;

	errno = 0;
	*val = strtoull(text, &end, 0);
	return !errno && end != text && !*end && *text != '-' &&
	       (bytes == sizeof(*val) || !(*val >> 8 * bytes));
}

int vu_claim_set(struct vu_claims *claims, int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "clear")) {
		memset(claims->made, 0, sizeof(claims->made));
		return 0;
	}
	for (unsigned int i = 0; argc == 3 && claims->table[i].name; i++) {
		if (strcmp(argv[1], claims->table[i].name))
			continue;
		if (!parse(argv[2], claims->table[i].bytes, &claims->val[i]))
			return -EINVAL;
		claims->made[i] = true;
		return 0;
	}
	return -EINVAL;
}

bool vu_claimed(const struct vu_claims *claims, uint32_t off, uint32_t *val)
{
	for (unsigned int i = 0; claims->table[i].name; i++) {
		uint32_t in = off - claims->table[i].off;

		if (claims->made[i] && in < claims->table[i].bytes) {
			*val = (uint32_t)(claims->val[i] >> 8 * in);
			return true;
		}
	}
	return false;
}

void vu_claims_put(const struct vu_claims *claims, uint32_t off, uint32_t bytes, void *buf)
{
	for (unsigned int i = 0; claims->table[i].name; i++) {
		uint32_t in = claims->table[i].off - off;
		uint64_t val = htole64(claims->val[i]);

		if (claims->made[i] && in < bytes)
			memcpy((uint8_t *)buf + in, &val, claims->table[i].bytes);
	}
}
