// SPDX-License-Identifier: GPL-2.0
/* A device with one of everything, to test the runtime with. */
#include <stdlib.h>

#include "test.h"

struct tm_state {
	uint64_t iova;
	uint32_t regs[16];
	uint32_t go;
	uint32_t resets;
	uint8_t buffer[TM_BUFFER_BYTES];
};

uint8_t *test_model_buffer(struct vu_dev *dev)
{
	return ((struct tm_state *)vu_priv(dev))->buffer;
}

static int tm_init(struct vu_dev *dev)
{
	static const uint8_t vendor[] = { 0xab, 0xcd, 0xef };
	struct tm_state *s = calloc(1, sizeof(*s));
	int off;

	if (!s)
		return -ENOMEM;
	vu_set_priv(dev, s);
	off = vu_add_pm(dev);
	if (off >= 0)
		off = vu_add_msi(dev, 4, true);
	if (off >= 0)
		off = vu_add_pcie(dev, true);
	if (off >= 0)
		off = vu_add_msix(dev, 70, 4, 0, 4, 0x800);
	if (off >= 0)
		off = vu_add_vendor(dev, vendor, sizeof(vendor));
	if (off >= 0)
		off = vu_add_aer(dev);
	if (off >= 0)
		off = vu_add_dsn(dev, 0x1122334455667788ull);
	return off < 0 ? off : 0;
}

static void tm_fini(struct vu_dev *dev)
{
	free(vu_priv(dev));
}

static void tm_reset(struct vu_dev *dev, enum vu_reset why)
{
	struct tm_state *s = vu_priv(dev);

	(void)why;
	s->iova = 0;
	s->go = 0;
	memset(s->regs, 0, sizeof(s->regs));
	s->regs[TM_RESETS / 4] = ++s->resets;
}

static void tm_bar_read(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len)
{
	struct tm_state *s = vu_priv(dev);

	memset(buf, 0, len);
	if (bar == 1 && len == 4 && off < sizeof(s->regs) && !(off & 3))
		memcpy(buf, &s->regs[off / 4], 4);
	if (bar == 0)
		memset(buf, 0x5a, len);
}

static void tm_bar_write(struct vu_dev *dev, int bar, uint64_t off, const void *buf, size_t len)
{
	struct tm_state *s = vu_priv(dev);
	uint32_t val;

	if (bar != 1 || len != 4 || off >= sizeof(s->regs) || (off & 3))
		return;
	memcpy(&val, buf, sizeof(val));
	s->regs[off / 4] = val;
	switch (off) {
	case TM_GO: s->go = val; vu_kick(dev); break;
	case TM_INTX: vu_intx_set(dev, val); break;
	case TM_MSI: vu_msi_raise(dev, val); break;
	case TM_MSIX: vu_msix_raise(dev, val); break;
	case TM_ERR: vu_err_raise(dev); break;
	case TM_REQ: vu_req_raise(dev); break;
	}
}

static void tm_work(struct vu_dev *dev)
{
	struct tm_state *s = vu_priv(dev);
	uint64_t iova = s->regs[TM_IOVA / 4] | (uint64_t)s->regs[TM_IOVA / 4 + 1] << 32;
	uint32_t len = s->regs[TM_LEN / 4], go = s->go;
	int err = 0;

	s->go = 0;
	if (len > TM_BUFFER_BYTES)
		return;
	if (go == 1)
		err = vu_dma_read(dev, iova, s->buffer, len);
	else if (go == 2)
		err = vu_dma_write(dev, iova, s->buffer, len);
	if (go)
		s->regs[TM_RESULT / 4] = (uint32_t)err;
}

static const struct vu_area sparse[] = { { 0x1000, 0x1000 }, { 0x3000, 0x1000 } };
static const struct vu_area whole[] = { { 0, 0x2000 } };
static const struct vu_option options[] = { { "level", "a number" }, { NULL, NULL } };
static const char *const faults[] = { "own", NULL };

const struct vu_model test_model = {
	.name = "test",
	.summary = "test of the runtime",
	.vendor = 0x1234,
	.device = 0x7600,
	.revision = 3,
	.class_code = 0xff0000,
	.config_bytes = 4096,
	.intx = true,
	.bars = {
		{ .bytes = 16, .flags = VU_BAR_IO },
		{ .bytes = 0x10000, .areas = sparse, .num_areas = 2 },
		{ .bytes = 0x2000, .flags = VU_BAR_64, .areas = whole, .num_areas = 1 },
		{ 0 },
		{ .bytes = 0x1000 },
	},
	.options = options,
	.faults = faults,
	.init = tm_init,
	.fini = tm_fini,
	.reset = tm_reset,
	.bar_read = tm_bar_read,
	.bar_write = tm_bar_write,
	.work = tm_work,
};
