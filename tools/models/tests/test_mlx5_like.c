// SPDX-License-Identifier: GPL-2.0
/* mlx5_like, commands and resets, against Documentation/hardware/mlx5_like.rst. */
#include <linux/pci_regs.h>
#include <stddef.h>
#include <stdlib.h>

#include "mlxl_host.h"

static char *options[] = { "functions=3", "image=1M", "dirty=0", "serial=0x1122334455667788",
			   NULL };

static uint32_t cfg_read(struct rig *r, unsigned int off, unsigned int len)
{
	uint32_t val = 0;

	CHECK_EQ(rig_read(r, VFIO_PCI_CONFIG_REGION_INDEX, off, &val, len), 0);
	return val;
}

/* Walk the capabilities: a digit or letter for each. */
static void cap_order(struct rig *r, char *out, unsigned int *identity)
{
	unsigned int at = cfg_read(r, PCI_CAPABILITY_LIST, 1);

	for (; at; at = cfg_read(r, at + 1, 1)) {
		uint8_t id = (uint8_t)cfg_read(r, at, 1), type = (uint8_t)cfg_read(r, at + 3, 1);

		*out++ = id == PCI_CAP_ID_PM ? 'P' : id == PCI_CAP_ID_MSIX ? 'M' :
			 id == PCI_CAP_ID_EXP ? 'E' : type < 6 ? (char)('0' + type) :
			 type == 0xf5 ? 'I' : '?';
		if (id == PCI_CAP_ID_VNDR && type == 0xf5)
			*identity = at;
	}
	*out = 0;
}

static void identity(void)
{
	char *second[] = { "firmware=2", "image=1M", "serial=5", NULL };
	struct host h;
	struct rig *fn;
	char order[32];
	unsigned int at = 0;

	host_open(&h, options);
	CHECK_EQ(cfg_read(h.r, 0, 4), 0x76201234);
	CHECK_EQ(cfg_read(h.r, 8, 4), 0x08800001);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_ID), 0x43584c4d);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_FW_VERSION), 0x01000011);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_LIMITS), 0x305);
	CHECK_EQ(rig_read32(h.r, 0, 0x2c), 2000);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_SERIAL), 0x55667788);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_SERIAL + 4), 0x11223344);
	fn = rig_open_controlled(h.r, 2);
	CHECK_EQ(cfg_read(fn, 0, 4), 0x10411af4);
	CHECK_EQ(cfg_read(fn, 0x2c, 4), 0x76211234);
	cap_order(fn, order, &at);
	CHECK(!strcmp(order, "PME12345I"));
	CHECK_EQ(cfg_read(fn, at + 2, 2), 0xf518);
	CHECK_EQ(cfg_read(fn, at + 4, 2), 0x01ff);
	CHECK_EQ(cfg_read(fn, at + 6, 2), 2);
	CHECK_EQ(cfg_read(fn, at + 8, 4), 0x55667788);
	CHECK_EQ(cfg_read(fn, at + 12, 4), 0x11223344);
	CHECK_EQ(cfg_read(fn, at + 16, 4), 0x01000011);
	CHECK_EQ(cfg_read(fn, 0x100, 4) & 0xffff, PCI_EXT_CAP_ID_VNDR);
	rig_close(fn);
	host_close(&h);

	host_open(&h, second);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_FW_VERSION), 0x02010004);
	fn = rig_open_controlled(h.r, 0);
	cap_order(fn, order, &at);
	CHECK(!strcmp(order, "EP21435MI"));
	CHECK_EQ(cfg_read(fn, at + 16, 4), 0x02010004);
	CHECK_EQ(cfg_read(fn, 0x100, 4) & 0xffff, PCI_EXT_CAP_ID_ERR);
	rig_close(fn);
	host_close(&h);
}

static void registers(void)
{
	struct host h;
	uint64_t wide = 0;
	uint16_t half = 0;

	host_open(&h, options);
	CHECK_EQ(rig_read(h.r, 0, MLXL_REG_CMDQ_BASE, &wide, 8), 0);
	CHECK_EQ(wide, HOST_IOVA);
	CHECK_EQ(rig_read(h.r, 0, MLXL_REG_ID, &wide, 8), 0);
	CHECK_EQ(wide, UINT64_MAX);
	CHECK_EQ(rig_read(h.r, 0, MLXL_REG_ID, &half, 2), 0);
	CHECK_EQ(half, 0xffff);
	CHECK_EQ(rig_read32(h.r, 0, 0x800), 0);
	/* set up only while disabled */
	rig_write32(h.r, 0, MLXL_REG_CMDQ_BASE, 0);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_LOG2, 0);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_CMDQ_BASE), (uint32_t)HOST_IOVA);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_CMDQ_LOG2), 5);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 0);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_LOG2, 6);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 1);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY | MLXL_STATUS_CMDQ_ERROR);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_SYNDROME), 1);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 0);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_LOG2, 0);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_BASE, (uint32_t)HOST_IOVA + 64);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 1);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_SYNDROME), 1);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 0);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_BASE, (uint32_t)HOST_IOVA);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 1);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY | MLXL_STATUS_CMDQ);
	/* one slot: the others' doorbells are ignored */
	host_fill(&h, 1, MLXL_QUERY_FUNCTION, 0, NULL, 0, 128);
	host_ring(&h, 2);
	CHECK_EQ(host_slot(&h, 1)->owner, 1);
	CHECK_EQ(host_cmd(&h, MLXL_DISABLE, 0, NULL, 0, NULL, 0), MLXL_BAD_STATE);
	/* nobody owns the slot: nothing happens */
	host_slot(&h, 0)->status = 77;
	host_ring(&h, 1);
	CHECK_EQ(host_slot(&h, 0)->status, 77);
	CHECK(strstr(rig_control(h.r, "stats"), "doorbells_ignored 1\n"));
	CHECK(strstr(rig_control(h.r, "regs"), "SERIAL 0x1122334455667788\n"));
	CHECK(strstr(rig_control(h.r, "functions"), "2 unprovisioned"));
	host_close(&h);
}

static void queries(void)
{
	struct host h;
	uint8_t caps[128], fn[128];
	uint64_t val;

	host_open(&h, options);
	CHECK_EQ(host_cmd(&h, MLXL_QUERY_CAPS, MLXL_NO_FUNCTION, NULL, 0, caps, 128), 0);
	CHECK_EQ(h.out_len, 128);
	CHECK_EQ(event_count(h.ev[0]), 1);
	CHECK_EQ(caps[3], 1);
	CHECK_EQ(caps[4], 3);
	CHECK_EQ(caps[8], 3);
	memcpy(&val, caps + 0x10, 8);
	CHECK_EQ(val, 0x100000 + 18 * 4096);
	CHECK_EQ(caps[0x2c], 12);
	CHECK_EQ(caps[0x2d], 21);
	CHECK_EQ(caps[0x2e], 48);
	memcpy(&val, caps + 0x40, 8);
	CHECK_EQ(val, 0x1122334455667788);
	CHECK_EQ(host_cmd(&h, MLXL_QUERY_FUNCTION, 1, NULL, 0, fn, 128), 0);
	CHECK_EQ(fn[0], 0);
	host_provision(&h, 1, 2, 64);
	CHECK_EQ(host_cmd(&h, MLXL_QUERY_FUNCTION, 1, NULL, 0, fn, 128), 0);
	CHECK_EQ(fn[0], 2);
	CHECK_EQ(fn[0x18], 2);
	CHECK_EQ(fn[0x1d], 1);
	CHECK_EQ(fn[0x1e], 2);
	CHECK_EQ(fn[0x20], 4);
	CHECK_EQ(fn[0x22], 64);
	memcpy(&val, fn + 0x28, 8);
	CHECK_EQ(val, 1ull << 32 | 1ull << 33 | 1ull << 36 | 1 << 28 | 1 << 5 | 1 << 15 | 1 << 16 |
		      1 << 17 | 1 << 22);
	/* out in mailboxes although small */
	CHECK_EQ(host_cmd(&h, MLXL_QUERY_IMAGE, 1, (uint32_t[]) { 0 }, 4, caps, 24), 0);
	host_fill(&h, 0, MLXL_QUERY_IMAGE, 1, (uint32_t[]) { 0 }, 4, 5000);
	host_ring(&h, 1);
	CHECK_EQ(host_slot(&h, 0)->status, 0);
	CHECK_EQ(host_slot(&h, 0)->out_len, 24);
	host_output(&h, 0, fn, 24);
	CHECK_EQ(memcmp(caps, fn, 24), 0);
	host_close(&h);
}

static void provisioning(void)
{
	static const struct {
		uint8_t in[16];
		uint32_t status, syndrome;
	} cases[] = {
		{ { 3, 0, 0, 0, 0, 1, 1, 0, 4, 0, 64, 0 }, MLXL_BAD_INPUT, 0 },
		{ { 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 64, 0 }, MLXL_BAD_INPUT, 0 },
		{ { 2, 0, 0, 0, 0, 1, 5, 0, 4, 0, 64, 0 }, MLXL_LIMIT, 6 },
		{ { 2, 0, 0, 0, 0, 1, 1, 0, 0, 0, 64, 0 }, MLXL_LIMIT, 8 },
		{ { 2, 0, 0, 0, 0, 1, 1, 0, 10, 0, 64, 0 }, MLXL_LIMIT, 8 },
		{ { 2, 0, 0, 0, 0, 1, 1, 0, 4, 0, 4, 0 }, MLXL_LIMIT, 10 },
		{ { 2, 0, 0, 0, 0, 1, 1, 0, 4, 0, 65, 0 }, MLXL_LIMIT, 10 },
		{ { 2, 0, 0, 0, 0, 1, 1, 0, 4, 0, 0, 2 }, MLXL_LIMIT, 10 },
		{ { 2, 0, 0, 0, 0, 1, 1, 0, 4, 0, 64, 0, 1 }, MLXL_BAD_INPUT, 12 },
		{ { 2, 0, 0, 0, 0, 1, 1, 0, 4, 0, 64, 0 }, MLXL_OK, 0 },
	};
	struct host h;
	struct nic nic;

	host_open(&h, options);
	nic_open(&nic, &h, 0, NULL);
	CHECK_EQ(host_cmd(&h, MLXL_ENABLE, 0, NULL, 0, NULL, 0), MLXL_BAD_STATE);
	CHECK_EQ(nic_reg(&nic, 18, 2), 0);
	nic_set(&nic, C_STATUS, 1, 1);
	CHECK_EQ(nic_reg(&nic, C_STATUS, 1), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_EQ(host_cmd(&h, MLXL_PROVISION, 0, cases[i].in, 16, NULL, 0),
			 cases[i].status);
		CHECK_EQ(h.syndrome, cases[i].syndrome);
	}
	CHECK_EQ(nic_reg(&nic, 18, 2), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 1), MLXL_BAD_STATE);
	CHECK_EQ(host_cmd(&h, MLXL_ENABLE, 0, NULL, 0, NULL, 0), 0);
	CHECK_EQ(nic_reg(&nic, 18, 2), 2);
	CHECK_EQ(nic_reg(&nic, 0x2000, 4), 2);
	CHECK_EQ(nic_reg(&nic, 0x2005, 1), 1);
	CHECK_EQ(host_cmd(&h, MLXL_PROVISION, 0, cases[9].in, 16, NULL, 0), MLXL_BAD_STATE);
	CHECK_EQ(host_cmd(&h, MLXL_DISABLE, 0, NULL, 0, NULL, 0), 0);
	CHECK_EQ(nic_reg(&nic, 18, 2), 0);
	CHECK_EQ(host_cmd(&h, MLXL_PROVISION, 0, (uint8_t[16]) { 0 }, 16, NULL, 0), 0);
	CHECK_EQ(host_cmd(&h, MLXL_ENABLE, 0, NULL, 0, NULL, 0), MLXL_BAD_STATE);
	nic_close(&nic);
	host_close(&h);
}

/* Lengths of all commands, as the page has them. */
static const struct {
	uint16_t opcode;
	uint32_t in, out;
	const char *fault;
} commands[] = {
	{ 0x001, 0, 128, "query_caps" }, { 0x002, 0, 128, "query_function" },
	{ 0x010, 16, 0, "provision" }, { 0x011, 0, 0, "enable" }, { 0x012, 0, 0, "disable" },
	{ 0x020, 4, 0, "suspend_initiator" }, { 0x021, 4, 0, "resume_initiator" },
	{ 0x030, 4, 24, "query_image" }, { 0x031, 8, 16, "save_begin" },
	{ 0x032, 40, 8, "save_chunk" }, { 0x033, 8, 0, "save_end" },
	{ 0x034, 8, 8, "load_begin" }, { 0x035, 40, 8, "load_chunk" },
	{ 0x036, 8, 0, "load_end" }, { 0x040, 32, 8, "tracker_create" },
	{ 0x041, 4, 0, "tracker_arm" }, { 0x042, 48, 16, "tracker_query" },
	{ 0x043, 4, 0, "tracker_destroy" }, { 0x050, 16, 0, "inject" },
};

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static uint32_t raw(struct host *h, size_t c, uint16_t function, uint32_t in, uint32_t out)
{
	uint8_t input[256] = { 0 }, output[256];
	uint32_t one = 1;

	/* lists have one entry */
	if (commands[c].in == 40 || commands[c].opcode == 0x40)
		memcpy(input + 4, &one, 4);
	if (commands[c].in == 48)
		memcpy(input + 24, &one, 4);
	return host_cmd(h, commands[c].opcode, function, input, in, output, out);
}

static void malformed_commands(void)
{
	struct host h;

	host_open(&h, options);
	host_provision(&h, 0, 1, 64);
	CHECK_EQ(host_cmd(&h, 0, 0, NULL, 0, NULL, 0), MLXL_BAD_OPCODE);
	CHECK_EQ(host_cmd(&h, 0xffff, 0, NULL, 0, NULL, 0), MLXL_BAD_OPCODE);
	for (size_t c = 0; c < COMMANDS; c++) {
		uint16_t fn = commands[c].opcode == 1 ? MLXL_NO_FUNCTION : 0;

		CHECK_EQ(raw(&h, c, 3, commands[c].in, commands[c].out), MLXL_BAD_FUNCTION);
		if (commands[c].opcode != 1 && commands[c].opcode != 0x50)
			CHECK_EQ(raw(&h, c, MLXL_NO_FUNCTION, commands[c].in, commands[c].out),
				 MLXL_BAD_FUNCTION);
		CHECK_EQ(raw(&h, c, fn, commands[c].in + 1, commands[c].out), MLXL_BAD_INPUT);
		CHECK_EQ(h.syndrome, 0x1008);
		if (commands[c].in) {
			CHECK_EQ(raw(&h, c, fn, commands[c].in - 1, commands[c].out),
				 MLXL_BAD_INPUT);
			CHECK_EQ(h.syndrome, 0x1008);
		}
		if (commands[c].out) {
			CHECK_EQ(raw(&h, c, fn, commands[c].in, commands[c].out - 1),
				 MLXL_BAD_INPUT);
			CHECK_EQ(h.syndrome, 0x100c);
		}
	}
	CHECK_EQ(raw(&h, 0, 0, 0, 128), MLXL_BAD_FUNCTION);
	/* an empty list, one that is longer than it says, absurd lengths */
	CHECK_EQ(host_cmd(&h, 0x32, 0, (uint8_t[24]) { 0 }, 24, NULL, 8), MLXL_BAD_INPUT);
	CHECK_EQ(h.syndrome, 4);
	for (unsigned int f = 0; f < 4; f++) {
		struct mlxl_slot *s = host_slot(&h, 0);

		host_fill(&h, 0, MLXL_ENABLE, 0, NULL, 0, 0);
		if (f == 0)
			s->in_bytes = 0x20001;
		else if (f == 1)
			s->out_bytes = 0x20001;
		else if (f == 2)
			s->in_box = HOST_IOVA;
		else
			s->reserved[2] = 1;
		host_ring(&h, 1);
		CHECK_EQ(s->status, MLXL_BAD_INPUT);
		CHECK_EQ(s->owner, 0);
	}
	host_close(&h);
}

static void mailboxes(void)
{
	struct host h;
	struct mlxl_slot *s;

	host_open(&h, options);
	s = host_slot(&h, 0);
	for (unsigned int f = 0; f < 9; f++) {
		uint8_t in[24 + 300 * 16] = { 0 };
		struct mlxl_box *b, *c;
		uint32_t want = MLXL_BAD_MAILBOX, count = 300;

		memcpy(in + 4, &count, 4);
		host_fill(&h, 0, MLXL_SAVE_CHUNK, 0, in, sizeof(in), 64);
		b = (struct mlxl_box *)(void *)(h.mem + (s->in_box - HOST_IOVA));
		c = (struct mlxl_box *)(void *)(h.mem + (s->out_box - HOST_IOVA));
		switch (f) {
		case 0: b->tag++; break;
		case 1: b->index = 1; break;
		case 2: b->bytes--; break;
		case 3: b->next = 0; break;
		case 4: b[1].next = s->in_box; break;
		case 5: b->next += 8; break;
		case 6: s->in_box += 16; break;
		case 7: b->next = 0x1000; want = MLXL_DMA; break;
		case 8: c->bytes = 1; break;
		}
		host_ring(&h, 1);
		CHECK_EQ(s->owner, 0);
		CHECK_EQ(s->status, want);
		CHECK_EQ(s->syndrome, f == 8);
	}
	/* the output cannot be written: the command was carried out, but no session is left */
	host_provision(&h, 0, 1, 64);
	host_fill(&h, 0, MLXL_SAVE_BEGIN, 0, (uint32_t[2]) { 0, 0 }, 8, 64);
	rig_control(h.r, "fault dma_write fail count=1");
	host_ring(&h, 1);
	CHECK_EQ(s->status, MLXL_DMA);
	CHECK_EQ(host_flags(&h, 0), 0);
	host_close(&h);
}

static void out_of_order(void)
{
	struct host h;

	host_open(&h, options);
	host_provision(&h, 0, 1, 64);
	event_count(h.ev[0]);
	for (unsigned int n = 0; n < 32; n++)
		host_fill(&h, n, MLXL_QUERY_FUNCTION, n % 3, NULL, 0, 128);
	/* the first one takes long, all others overtake it */
	rig_control(h.r, "fault query_function delay=300 count=1");
	host_ring(&h, 0xffffffff);
	CHECK_EQ(host_slot(&h, 0)->owner, 1);
	for (unsigned int n = 1; n < 32; n++) {
		CHECK_EQ(host_slot(&h, n)->owner, 0);
		CHECK_EQ(host_slot(&h, n)->status, 0);
		CHECK_EQ(host_slot(&h, n)->tag_out, host_slot(&h, n)->tag);
	}
	for (int i = 0; i < 3000 && host_slot(&h, 0)->owner; i++)
		rig_run(h.r, 1);
	CHECK_EQ(host_slot(&h, 0)->owner, 0);
	CHECK_EQ(event_count(h.ev[0]), 32);
	host_close(&h);
}

static void abandoned_commands(void)
{
	struct host h;
	struct mlxl_slot *s;

	host_open(&h, options);
	s = host_slot(&h, 0);
	rig_control(h.r, "fault query_function hang count=1");
	host_fill(&h, 0, MLXL_QUERY_FUNCTION, 0, NULL, 0, 128);
	host_ring(&h, 1);
	/* a doorbell for a slot in work is ignored */
	host_ring(&h, 1);
	rig_run(h.r, 5);
	CHECK_EQ(s->owner, 1);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 0);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY);
	rig_control(h.r, "fault clear");
	memset(h.mem, 0x5a, 0x100000);
	rig_run(h.r, 5);
	for (unsigned int i = 0; i < 0x100000; i += 97)
		CHECK_EQ(h.mem[i], 0x5a);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 3);
	CHECK_EQ(host_cmd(&h, MLXL_QUERY_FUNCTION, 0, NULL, 0, h.mem + DATA_OFF, 128), 0);
	/* a hang that ends */
	rig_control(h.r, "fault query_function hang count=1");
	host_fill(&h, 3, MLXL_QUERY_FUNCTION, 0, NULL, 0, 128);
	host_ring(&h, 8);
	rig_run(h.r, 5);
	CHECK_EQ(host_slot(&h, 3)->owner, 1);
	rig_control(h.r, "fault clear");
	rig_step(h.r);
	CHECK_EQ(host_slot(&h, 3)->owner, 0);
	CHECK_EQ(host_slot(&h, 3)->status, 0);
	host_close(&h);
}

static void command_faults(void)
{
	struct host h;
	char line[64];

	host_open(&h, options);
	for (size_t c = 0; c < COMMANDS; c++) {
		uint16_t fn = commands[c].opcode == 1 ? MLXL_NO_FUNCTION : 0;

		snprintf(line, sizeof(line), "fault %s fail count=1", commands[c].fault);
		CHECK(!strcmp(rig_control(h.r, line), "ok\n"));
		CHECK_EQ(raw(&h, c, fn, commands[c].in, commands[c].out), MLXL_INTERNAL);
		CHECK_EQ(h.out_len, 0);
		snprintf(line, sizeof(line), "fault %s fail=7 count=1", commands[c].fault);
		rig_control(h.r, line);
		CHECK_EQ(raw(&h, c, fn, commands[c].in, commands[c].out), MLXL_NO_RESOURCES);
	}
	/* the halves of a function are told apart; a failure has no effect */
	host_provision(&h, 0, 1, 64);
	rig_control(h.r, "fault suspend_responder fail count=1");
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 1), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 2), MLXL_INTERNAL);
	CHECK_EQ(host_flags(&h, 0), MLXL_FN_INITIATOR);
	rig_control(h.r, "fault resume_initiator fail count=1");
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 0, 1), MLXL_INTERNAL);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 0, 1), 0);
	/* the same by command */
	{
		uint32_t in[4] = { 5, 0x0b000020, 0, 2 };

		CHECK_EQ(host_cmd(&h, MLXL_INJECT_ERROR, MLXL_NO_FUNCTION, in, 16, NULL, 0), 0);
		CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 1), MLXL_ABORTED);
		CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 1), MLXL_ABORTED);
		CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 1), 0);
		CHECK_EQ(host_cmd(&h, MLXL_INJECT_ERROR, 0, in, 16, NULL, 0), MLXL_BAD_FUNCTION);
		in[1] = 0x00030020;
		CHECK_EQ(host_cmd(&h, MLXL_INJECT_ERROR, MLXL_NO_FUNCTION, in, 16, NULL, 0),
			 MLXL_BAD_INPUT);
		in[1] = 0x00020020;
		CHECK_EQ(host_cmd(&h, MLXL_INJECT_ERROR, MLXL_NO_FUNCTION, in, 16, NULL, 0), 0);
		host_fill(&h, 4, MLXL_SUSPEND, 0, (uint32_t[]) { 1 }, 4, 0);
		host_ring(&h, 16);
		CHECK_EQ(host_slot(&h, 4)->owner, 1);
	}
	host_close(&h);
}

static void queue_faults(void)
{
	struct host h;

	host_open(&h, options);
	rig_control(h.r, "fault fetch hang");
	host_fill(&h, 0, MLXL_QUERY_FUNCTION, 0, NULL, 0, 128);
	host_ring(&h, 1);
	CHECK_EQ(host_slot(&h, 0)->owner, 1);
	rig_control(h.r, "fault clear");
	rig_step(h.r);
	CHECK_EQ(host_slot(&h, 0)->owner, 0);
	rig_control(h.r, "fault fetch fail count=1");
	host_ring(&h, 1);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY | MLXL_STATUS_CMDQ_ERROR);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_SYNDROME), 2);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 0);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 3);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY | MLXL_STATUS_CMDQ);
	/* the queue is gone from memory */
	CHECK_EQ(rig_dma_unmap(h.r, HOST_IOVA, HOST_BYTES, 0) >= 0, 1);
	host_ring(&h, 1);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_SYNDROME), 2);
	host_close(&h);
}

static void firmware_death(void)
{
	uint32_t in[4] = { 4, 0, 0, 0 }, health;
	uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR;
	struct host h;

	host_open(&h, options);
	health = rig_read32(h.r, 0, MLXL_REG_HEALTH);
	rig_run(h.r, 50);
	CHECK(rig_read32(h.r, 0, MLXL_REG_HEALTH) != health);
	host_provision(&h, 0, 1, 64);
	host_suspend(&h, 0);
	host_fill(&h, 0, MLXL_INJECT_ERROR, MLXL_NO_FUNCTION, in, 16, 0);
	host_ring(&h, 1);
	CHECK_EQ(host_slot(&h, 0)->owner, 1);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY | MLXL_STATUS_FATAL);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_SYNDROME), 3);
	health = rig_read32(h.r, 0, MLXL_REG_HEALTH);
	rig_run(h.r, 50);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_HEALTH), health);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 0);
	rig_write32(h.r, 0, MLXL_REG_CMDQ_CTRL, 3);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY | MLXL_STATUS_FATAL);
	/* FLR brings it back, late if told so; what was suspended stays so */
	rig_control(h.r, "fault reset delay=300 count=1");
	CHECK_EQ(rig_write(h.r, VFIO_PCI_CONFIG_REGION_INDEX, h.r->dev->cfg.pcie + PCI_EXP_DEVCTL,
			   &flr, 2), 0);
	rig_enable(h.r);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), 0);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_LIMITS), 0);	/* not known yet */
	for (int i = 0; i < 3000 && !rig_read32(h.r, 0, MLXL_REG_STATUS); i++)
		rig_run(h.r, 1);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_CMDQ_BASE), 0);
	CHECK(strstr(rig_control(h.r, "functions"), "0 enabled flags 0x3 "));
	rig_control(h.r, "reset");
	CHECK(strstr(rig_control(h.r, "functions"), "0 unprovisioned flags 0x0 "));
	host_close(&h);
}

/* The firmware says what is not true, and does what it does. */
static void claims(void)
{
	uint64_t out[16], val;
	struct host h;

	host_open(&h, options);
	host_provision(&h, 1, 2, 64);
	CHECK(!strcmp(rig_control(h.r, "claim image 0"), "ok\n"));
	CHECK(!strcmp(rig_control(h.r, "claim page_min 0xff"), "ok\n"));
	CHECK(!strcmp(rig_control(h.r, "claim fn_image 0x1000"), "ok\n"));
	CHECK(!strcmp(rig_control(h.r, "claim save 0xffffffffffffffff"), "ok\n"));
	CHECK_EQ(host_cmd(&h, MLXL_QUERY_CAPS, MLXL_NO_FUNCTION, NULL, 0, out, 128), 0);
	CHECK_EQ(out[2], 0);
	CHECK_EQ(((uint8_t *)out)[0x2c], 0xff);
	CHECK_EQ(host_cmd(&h, MLXL_QUERY_FUNCTION, 1, NULL, 0, out, 128), 0);
	memcpy(&val, (uint8_t *)out + 0x30, 8);
	CHECK_EQ(val, 0x1000);
	CHECK_EQ(host_cmd(&h, MLXL_SAVE_BEGIN, 1, (uint32_t[2]) { 0, 0 }, 8, out, 16), 0);
	CHECK_EQ(out[1], UINT64_MAX);
	CHECK_EQ(host_cmd2(&h, MLXL_SAVE_END, 1, (uint32_t)out[0], 0), 0);
	CHECK(strstr(rig_control(h.r, "claim image"), "err"));
	CHECK(strstr(rig_control(h.r, "claim nothing 1"), "err"));
	CHECK(strstr(rig_control(h.r, "claim image x"), "err"));
	CHECK(!strcmp(rig_control(h.r, "claim clear"), "ok\n"));
	CHECK_EQ(host_save(&h, 1, 0, false), 0x100000 + 18 * 4096);
	host_close(&h);
}

static void function_resets(void)
{
	uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR;
	uint32_t session[4], tracker[2];
	uint64_t create[4] = { 12 | 1ull << 32, 0, 0x1000, 0x2000 };
	struct host h;
	struct rig *fn;

	host_open(&h, options);
	host_provision(&h, 1, 1, 64);
	fn = rig_open_controlled(h.r, 1);
	host_suspend(&h, 1);
	CHECK_EQ(host_cmd(&h, MLXL_SAVE_BEGIN, 1, (uint32_t[2]) { 0, 1 }, 8, session, 16), 0);
	CHECK_EQ(host_cmd(&h, MLXL_TRACKER_CREATE, 1, create, 32, tracker, 8), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_TRACKER_ARM, 1, tracker[0]), 0);
	/* a chunk in work when the reset comes */
	rig_control(h.r, "fault save_chunk hang count=1");
	{
		uint64_t in[5] = { session[0] | 1ull << 32, 0, 4096, HOST_IOVA + DATA_OFF, 4096 };

		host_fill(&h, 7, MLXL_SAVE_CHUNK, 1, in, 40, 8);
		host_ring(&h, 1 << 7);
	}
	CHECK_EQ(host_slot(&h, 7)->owner, 1);
	CHECK_EQ(rig_write(fn, VFIO_PCI_CONFIG_REGION_INDEX, fn->dev->cfg.pcie + PCI_EXP_DEVCTL,
			   &flr, 2), 0);
	rig_step(h.r);
	CHECK_EQ(host_slot(&h, 7)->owner, 0);
	CHECK_EQ(host_slot(&h, 7)->status, MLXL_ABORTED);
	CHECK_EQ(event_count(h.ev[1]), 1);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_EVENTS), 2);
	rig_write32(h.r, 0, MLXL_REG_EVENTS, 2);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_EVENTS), 0);
	CHECK_EQ(host_flags(&h, 1), MLXL_FN_TRACKER | MLXL_FN_TRACKER_ARMED);
	CHECK_EQ(host_cmd2(&h, MLXL_SAVE_END, 1, session[0], 0), MLXL_BAD_STATE);
	/* failure, and its event */
	CHECK_EQ(host_cmd(&h, MLXL_INJECT_ERROR, 1, (uint32_t[4]) { 1 }, 16, NULL, 0), 0);
	CHECK_EQ(event_count(h.ev[1]), 1);
	CHECK(host_flags(&h, 1) & MLXL_FN_FAILED);
	CHECK_EQ(host_cmd(&h, MLXL_SAVE_BEGIN, 1, (uint32_t[2]) { 0, 0 }, 8, session, 16),
		 MLXL_BAD_STATE);
	CHECK_EQ(host_cmd(&h, MLXL_DISABLE, 1, NULL, 0, NULL, 0), 0);
	CHECK_EQ(host_flags(&h, 1), 0);
	rig_close(fn);
	host_close(&h);
}

static void option_errors(void)
{
	static char *bad[] = { "image=1000", "image=0", "image=16G", "image=4MM", "image=-1M",
			       "firmware=3", "functions=65", "functions=0", "chunk=5000",
			       "addr_bits=64", "ranges=65", "oldest=3" };
	char *more[] = { "enabled=3", "pairs=2" };
	char *good[] = { "functions=64", "image=1M", "chunk=64K", "enabled=1", NULL };
	const uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR, memory = PCI_COMMAND_MEMORY;
	struct rig *r, *last;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!vu_dev_new(vu_model_find("mlx5_like"), &bad[i], 1));
	CHECK(!vu_dev_new(vu_model_find("mlx5_like"), more, 2));
	r = rig_open(vu_model_find("mlx5_like"), good);
	CHECK(strstr(rig_control(r, "functions"), "63 enabled flags 0x0 resets 0 "
						  "mac 02:76:20:00:00:40"));
	/* An event of the last one is in the upper half. */
	CHECK_EQ(rig_write(r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &memory, 2), 0);
	last = rig_open_controlled(r, 63);
	CHECK_EQ(rig_write(last, VFIO_PCI_CONFIG_REGION_INDEX, last->dev->cfg.pcie + PCI_EXP_DEVCTL,
			   &flr, 2), 0);
	CHECK_EQ(rig_read32(r, 0, MLXL_REG_EVENTS), 0);
	CHECK_EQ(rig_read32(r, 0, MLXL_REG_EVENTS + 4), 1u << 31);
	rig_write32(r, 0, MLXL_REG_EVENTS + 4, 1u << 31);
	CHECK_EQ(rig_read32(r, 0, MLXL_REG_EVENTS + 4), 0);
	rig_close(last);
	rig_close(r);
}

static const struct test mlx5_like_tests[] = {
	{ "mlx5_like: identity", identity },
	{ "mlx5_like: registers", registers },
	{ "mlx5_like: queries", queries },
	{ "mlx5_like: provisioning", provisioning },
	{ "mlx5_like: malformed_commands", malformed_commands },
	{ "mlx5_like: mailboxes", mailboxes },
	{ "mlx5_like: out_of_order", out_of_order },
	{ "mlx5_like: abandoned_commands", abandoned_commands },
	{ "mlx5_like: command_faults", command_faults },
	{ "mlx5_like: queue_faults", queue_faults },
	{ "mlx5_like: firmware_death", firmware_death },
	{ "mlx5_like: claims", claims },
	{ "mlx5_like: function_resets", function_resets },
	{ "mlx5_like: option_errors", option_errors },
	{ NULL, NULL }
};

TEST_SUITE(mlx5_like_tests);
