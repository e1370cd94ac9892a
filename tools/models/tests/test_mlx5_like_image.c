// SPDX-License-Identifier: GPL-2.0
/* mlx5_like: images and trackers. */
#include <linux/pci_regs.h>
#include <stddef.h>
#include <stdlib.h>
#include <zlib.h>

#include "../mlx5_like_image.h"
#include "mlxl_net.h"

#define IMAGE_BYTES	(0x100000u + 18 * 4096)
#define IMAGE(h)	((h)->mem + DATA_OFF)

static char *options[] = { "functions=3", "image=1M", "dirty=0", "chunk=512K", NULL };

static void open_all(struct host *h)
{
	host_open(h, options);
	for (uint16_t n = 0; n < 3; n++)
		host_provision(h, n, 1, 64);
}

static void resume(struct host *h, uint16_t fn)
{
	CHECK_EQ(host_cmd1(h, MLXL_RESUME, fn, MLXL_RESPONDER), 0);
	CHECK_EQ(host_cmd1(h, MLXL_RESUME, fn, MLXL_INITIATOR), 0);
}

/* Sizes and flags of QUERY_IMAGE; the status. */
static uint32_t query(struct host *h, uint16_t fn, uint32_t flags, uint64_t *bytes, uint32_t *out)
{
	struct {
		uint64_t bytes, most;
		uint32_t flags, reserved;
	} o = { 0 };
	uint32_t status = host_cmd(h, MLXL_QUERY_IMAGE, fn, &flags, 4, &o, sizeof(o));

	*bytes = o.bytes;
	*out = o.flags;
	if (!status)
		CHECK_EQ(o.most, IMAGE_BYTES);
	return status;
}

static bool same_content(struct rig *a, struct rig *b)
{
	char first[64];

	snprintf(first, sizeof(first), "%s", rig_control(a, "image"));
	return !strcmp(first, rig_control(b, "image"));
}

/*
 * A guest with an open connection, frames that it has posted and buffers that were fetched
 * goes from function 0 to function 1 and back; the stream goes on.
 */
static void live_migration(void)
{
	struct host h;
	struct nic a, b, *from = &a, *to = &b;
	struct net_tcp t;

	open_all(&h);
	nic_open(&a, &h, 0, NULL);
	nic_open(&b, &h, 1, &a);
	nic_start(&a, F_BASIC, 1);
	rig_write32(a.r, 2, 0x8000, 0x5ca7c4);
	CHECK(net_open(&t, &a, 4000, 7));
	for (uint16_t round = 0; round < 4; round++) {
		uint16_t src = round & 1, dst = !src;
		uint64_t bytes;

		for (unsigned int i = 0; i < 10; i++)
			net_pump(&t, false, false);
		CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, src, 1), 0);
		/* sent while nobody looks, and the frames that wait for the guest */
		net_pump(&t, false, false);
		CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, src, 2), 0);
		bytes = host_save(&h, src, 0, false);
		CHECK_EQ(bytes, IMAGE_BYTES);
		CHECK(((struct mlxl_fn *)vu_priv(from->r->dev))->v.q[0].parked > 0);
		rig_control(from->r, "ledger clear");
		host_suspend(&h, dst);
		CHECK_EQ(host_load(&h, dst, bytes), 0);
		CHECK_EQ(host_flags(&h, dst), 3);
		resume(&h, dst);
		to->q[0] = from->q[0];
		to->q[1] = from->q[1];
		t.nic = to;
		CHECK(strstr(rig_control(h.r, "switch"),
			     dst ? "02:00:00:00:01:00 1\n" : "02:00:00:00:01:00 0\n"));
		CHECK(same_content(from->r, to->r));
		CHECK_EQ(rig_read32(to->r, 2, 0x8000), 0x5ca7c4);
		CHECK_EQ(nic_reg(to, 0x2000, 4), 2);
		net_drain(&t);
		CHECK_EQ(t.sent, t.echoed);
		/* the source never wrote again */
		CHECK(!strcmp(rig_control(from->r, "ledger"), "ok\n"));
		to = from;
		from = t.nic;
	}
	CHECK_EQ(t.bad, 0);
	nic_close(&b);
	nic_close(&a);
	host_close(&h);
}

/* The PCI configuration access capability of a function. */
struct window {
	uint8_t bar;
	uint32_t off, bytes;
};

static unsigned int window_at(const struct rig *fn)
{
	return ((struct mlxl_fn *)vu_priv(fn->dev))->cfg_window;
}

static void window_select(struct rig *fn, const struct window *w)
{
	const unsigned int at = window_at(fn);

	CHECK_EQ(rig_write(fn, VFIO_PCI_CONFIG_REGION_INDEX, at + 4, &w->bar, 1), 0);
	CHECK_EQ(rig_write(fn, VFIO_PCI_CONFIG_REGION_INDEX, at + 8, &w->off, 4), 0);
	CHECK_EQ(rig_write(fn, VFIO_PCI_CONFIG_REGION_INDEX, at + 12, &w->bytes, 4), 0);
}

static void window_check(struct rig *fn, const struct window *want)
{
	const unsigned int at = window_at(fn);
	struct window w;

	CHECK_EQ(rig_read(fn, VFIO_PCI_CONFIG_REGION_INDEX, at + 4, &w.bar, 1), 0);
	CHECK_EQ(rig_read(fn, VFIO_PCI_CONFIG_REGION_INDEX, at + 8, &w.off, 4), 0);
	CHECK_EQ(rig_read(fn, VFIO_PCI_CONFIG_REGION_INDEX, at + 12, &w.bytes, 4), 0);
	CHECK_EQ(w.bar, want->bar);
	CHECK_EQ(w.off, want->off);
	CHECK_EQ(w.bytes, want->bytes);
}

static uint32_t window_read(struct rig *fn)
{
	uint32_t val;

	CHECK_EQ(rig_read(fn, VFIO_PCI_CONFIG_REGION_INDEX, window_at(fn) + 16, &val, 4), 0);
	return val;
}

/* From function 0, which is suspended for it, to function 1, which runs then. */
static void move(struct host *h)
{
	uint64_t bytes;

	host_suspend(h, 0);
	bytes = host_save(h, 0, 0, false);
	CHECK_EQ(bytes, IMAGE_BYTES);
	host_suspend(h, 1);
	CHECK_EQ(host_load(h, 1, bytes), 0);
	resume(h, 1);
	resume(h, 0);
}

/*
 * What a guest has selected is selected at the destination, whether or not that is a register,
 * and although the destination had something else selected.
 */
static void selections_are_moved(void)
{
	static const struct window cases[] = {
		{ 0, 0x2006, 2 },	/* status of the device structure: link up */
		{ 0, 0, 4 },
		{ 2, 0x12345678, 3 },
		{ 0xff, ~0u, ~0u },
		{ 0, 0, 0 },
	}, other = { 4, 0x1000, 1 };
	struct host h;
	struct nic a, b;

	open_all(&h);
	nic_open(&a, &h, 0, NULL);
	nic_open(&b, &h, 1, &a);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		window_select(b.r, &other);
		window_select(a.r, &cases[i]);
		move(&h);
		window_check(b.r, &cases[i]);
		if (!i)
			CHECK_EQ(window_read(b.r), 1);
	}
	/* halves of an address, and the selectors of the common structure */
	nic_set(&a, 0, 4, 1);
	nic_set(&a, 8, 4, 7);
	nic_set(&a, 22, 2, 1);
	nic_set(&a, 36, 4, 0x12);
	move(&h);
	CHECK_EQ(nic_reg(&b, 0, 4), 1);
	CHECK_EQ(nic_reg(&b, 8, 4), 7);
	CHECK_EQ(nic_reg(&b, 22, 2), 1);
	CHECK_EQ(nic_reg(&b, 32, 8), 0x12ull << 32);
	nic_close(&b);
	nic_close(&a);
	host_close(&h);
}

/* Features that nobody offered can be written, and are refused when the driver has done. */
static void features_are_moved(void)
{
	const uint64_t wrong = 1ull << 63 | F_BASIC;
	struct host h;
	struct nic a, b;

	open_all(&h);
	nic_open(&a, &h, 0, NULL);
	nic_open(&b, &h, 1, &a);
	nic_set(&a, C_STATUS, 1, 3);
	for (unsigned int half = 0; half < 2; half++) {
		nic_set(&a, 8, 4, half);
		nic_set(&a, 12, 4, (uint32_t)(wrong >> 32 * half));
	}
	move(&h);
	for (unsigned int half = 0; half < 2; half++) {
		nic_set(&b, 8, 4, half);
		CHECK_EQ(nic_reg(&b, 12, 4), (uint32_t)(wrong >> 32 * half));
	}
	nic_set(&b, C_STATUS, 1, 11);
	CHECK_EQ(nic_reg(&b, C_STATUS, 1), 3);
	nic_close(&b);
	nic_close(&a);
	host_close(&h);
}

static void seal_state(struct host *h)
{
	struct mlxl_header *head = (struct mlxl_header *)IMAGE(h);

	head->state_crc = (uint32_t)crc32(0, IMAGE(h) + MLXL_PAGE, MLXL_STATE_BYTES);
	head->header_crc = mlxl_header_crc(head);
}

/* Whole, but no function could be like this. */
static void impossible_states(void)
{
	static const struct {
		uint32_t off, bytes;
		uint64_t val;
	} cases[] = {
#define VIRTIO(field, val) { offsetof(struct mlxl_virtio, field), \
			     sizeof(((struct mlxl_virtio *)0)->field), val }
		VIRTIO(driver_features, 1ull << 63),
		VIRTIO(config_vector, 100),
		VIRTIO(active_pairs, 0),
		VIRTIO(active_pairs, 2),
		VIRTIO(flows[63], 1),
		VIRTIO(q[0].size, 3),
		VIRTIO(q[1].enabled, 2),
		VIRTIO(q[1].parked, MLXL_PARKED + 1),
		VIRTIO(reserved, 1),
#undef VIRTIO
		{ sizeof(struct mlxl_virtio) + offsetof(struct mlxl_window, bar), 4, 0x100 },
	};
	struct host h;
	struct nic nic;
	uint64_t bytes;

	open_all(&h);
	nic_open(&nic, &h, 0, NULL);
	nic_start(&nic, F_BASIC, 1);
	host_suspend(&h, 0);
	host_suspend(&h, 1);
	bytes = host_save(&h, 0, 0, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *at = IMAGE(&h) + MLXL_PAGE + cases[i].off, before[8];

		memcpy(before, at, sizeof(before));
		memcpy(at, &cases[i].val, cases[i].bytes);
		seal_state(&h);
		CHECK_EQ(host_load(&h, 1, bytes), MLXL_BAD_IMAGE);
		CHECK_EQ(h.syndrome, MLXL_IMAGE_STATE);
		memcpy(at, before, sizeof(before));
	}
	seal_state(&h);
	CHECK_EQ(host_load(&h, 1, bytes), 0);
	nic_close(&nic);
	host_close(&h);
}

static void incremental_images(void)
{
	struct host h;
	struct rig *src, *dst;
	uint64_t bytes, n;
	uint32_t flags;

	open_all(&h);
	src = rig_open_controlled(h.r, 0);
	dst = rig_open_controlled(h.r, 1);
	host_suspend(&h, 1);
	CHECK_EQ(query(&h, 0, 1, &n, &flags), MLXL_BAD_STATE);
	CHECK_EQ(host_save(&h, 0, 1, false), 0);
	CHECK_EQ(h.status, MLXL_BAD_STATE);
	CHECK_EQ(query(&h, 0, 0, &n, &flags), 0);
	CHECK_EQ(n, IMAGE_BYTES);
	bytes = host_save(&h, 0, 0, true);
	CHECK_EQ(host_flags(&h, 0), MLXL_FN_BASE);
	CHECK_EQ(host_load(&h, 1, bytes), 0);
	CHECK_EQ(host_flags(&h, 1), 3 | MLXL_FN_NOT_FINAL);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 1, 2), MLXL_BAD_STATE);
	CHECK_EQ(query(&h, 0, 1, &n, &flags), 0);
	CHECK_EQ(n, 18 * 4096);
	CHECK_EQ(flags, 0);
	for (unsigned int round = 0; round < 3; round++) {
		rig_control(src, "dirty 20");
		CHECK_EQ(query(&h, 0, 1, &n, &flags), 0);
		CHECK(n > 18 * 4096 && n <= 38 * 4096);
		bytes = host_save(&h, 0, 1, true);
		CHECK_EQ(bytes, n);
		CHECK_EQ(host_load(&h, 1, bytes), 0);
	}
	/* a session that is not committed leaves the base alone */
	rig_control(src, "dirty 5");
	{
		uint32_t s[4];

		CHECK_EQ(host_cmd(&h, MLXL_SAVE_BEGIN, 0, (uint32_t[2]) { 1, 1 }, 8, s, 16), 0);
		CHECK_EQ(host_cmd(&h, MLXL_SAVE_BEGIN, 0, (uint32_t[2]) { 1, 1 }, 8, s, 16),
			 MLXL_BUSY);
		CHECK_EQ(h.syndrome, s[0]);
		CHECK_EQ(host_cmd2(&h, MLXL_SAVE_END, 0, s[0], 2), MLXL_BAD_INPUT);
		CHECK_EQ(host_cmd2(&h, MLXL_SAVE_END, 0, s[0], 0), 0);
		CHECK_EQ(host_cmd2(&h, MLXL_SAVE_END, 0, s[0], 0), MLXL_BAD_STATE);
	}
	host_suspend(&h, 0);
	bytes = host_save(&h, 0, 1, false);
	CHECK(bytes > 18 * 4096);
	CHECK_EQ(host_load(&h, 1, bytes), 0);
	CHECK_EQ(host_flags(&h, 1), 3);
	CHECK(same_content(src, dst));
	/* the same again does not fit any more, and not elsewhere */
	CHECK_EQ(host_load(&h, 1, bytes), MLXL_BAD_IMAGE);
	CHECK_EQ(h.syndrome, MLXL_IMAGE_BASE);
	host_suspend(&h, 2);
	CHECK_EQ(host_load(&h, 2, bytes), MLXL_BAD_IMAGE);
	CHECK_EQ(h.syndrome, MLXL_IMAGE_BASE);
	resume(&h, 1);
	rig_close(dst);
	rig_close(src);
	host_close(&h);
}

/* A reset takes the base: the firmware says that all begins again. */
static void reinit(void)
{
	uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR;
	struct host h;
	struct nic nic;
	uint64_t n;
	uint32_t flags;

	open_all(&h);
	nic_open(&nic, &h, 0, NULL);
	for (unsigned int how = 0; how < 3; how++) {
		CHECK(host_save(&h, 0, 0, true));
		if (how == 0)
			nic_set(&nic, C_STATUS, 1, 0);
		else if (how == 1)
			CHECK_EQ(rig_write(nic.r, VFIO_PCI_CONFIG_REGION_INDEX,
					   nic.r->dev->cfg.pcie + PCI_EXP_DEVCTL, &flr, 2), 0);
		else
			CHECK_EQ(host_cmd(&h, MLXL_INJECT_ERROR, 0, (uint32_t[4]) { 3 }, 16,
					  NULL, 0), 0);
		rig_enable(nic.r);
		CHECK_EQ(query(&h, 0, 1, &n, &flags), 0);
		CHECK_EQ(flags, 1);
		CHECK_EQ(n, IMAGE_BYTES);
		CHECK_EQ(host_save(&h, 0, 1, false), 0);
		CHECK_EQ(h.status, MLXL_BAD_STATE);
	}
	CHECK(host_save(&h, 0, 0, true));
	CHECK_EQ(query(&h, 0, 1, &n, &flags), 0);
	CHECK_EQ(flags, 0);
	/* reset by the driver in the middle of a session: what it commits is no base */
	{
		uint32_t s[4];

		CHECK_EQ(host_cmd(&h, MLXL_SAVE_BEGIN, 0, (uint32_t[2]) { 1, 1 }, 8, s, 16), 0);
		nic_set(&nic, C_STATUS, 1, 0);
		CHECK_EQ(host_cmd2(&h, MLXL_SAVE_END, 0, s[0], 1), 0);
		CHECK_EQ(query(&h, 0, 1, &n, &flags), 0);
		CHECK_EQ(flags, 1);
	}
	nic_close(&nic);
	host_close(&h);
}

/* Chunks in any order, twice, and after failures; the snapshot does not move. */
static void chunks(void)
{
	struct host h;
	struct rig *fn;
	uint32_t s[4];
	uint64_t second = HOST_IOVA + DATA_OFF + 0x800000;

	open_all(&h);
	fn = rig_open_controlled(h.r, 0);
	CHECK_EQ(host_cmd(&h, MLXL_SAVE_BEGIN, 0, (uint32_t[2]) { 0, 0 }, 8, s, 16), 0);
	for (uint32_t off = 0; off < IMAGE_BYTES; off += 4096)
		CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0], off, 4096,
				    HOST_IOVA + DATA_OFF + off), 0);
	rig_control(fn, "dirty 200");
	for (uint32_t off = IMAGE_BYTES; off; off -= 2 * 4096)
		CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0], off - 2 * 4096, 2 * 4096,
				    second + off - 2 * 4096), 0);
	CHECK_EQ(memcmp(IMAGE(&h), IMAGE(&h) + 0x800000, IMAGE_BYTES), 0);
	/* what is refused */
	CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0] + 1, 0, 4096, second), MLXL_BAD_STATE);
	CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0], 100, 4096, second), MLXL_BAD_INPUT);
	CHECK_EQ(h.syndrome, 8);
	CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0], IMAGE_BYTES, 4096, second),
		 MLXL_BAD_INPUT);
	CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0], IMAGE_BYTES - 4096, 8192, second),
		 MLXL_BAD_INPUT);
	CHECK_EQ(h.syndrome, 16);
	CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0], 0, 0x81000, second), MLXL_LIMIT);
	CHECK_EQ(h.syndrome, 1);
	CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0], 0, 4096, 0x1000), MLXL_DMA);
	CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0], 0, 4096, second), 0);
	for (unsigned int f = 0; f < 5; f++) {
		uint64_t in[7] = { s[0] | 2ull << 32, 0, 4096, second, 4000, second, 96 };

		if (f == 0)
			in[6] = 97;		/* sum too large */
		else if (f == 1)
			in[6] = 95;
		else if (f == 2)
			in[4] = 0;
		else if (f == 3)
			in[4] |= 1ull << 32;
		else
			in[3] = -1ull;
		CHECK_EQ(host_cmd(&h, MLXL_SAVE_CHUNK, 0, in, sizeof(in), s + 2, 8),
			 MLXL_BAD_INPUT);
	}
	/* 300 segments of odd sizes */
	{
		static struct {
			uint32_t session, count;
			uint64_t off;
			uint32_t bytes, reserved;
			struct mlxl_segment seg[300];
		} in;
		uint64_t at = second + 3;

		memset(IMAGE(&h) + 0x800000, 0, 0x100000);
		in.session = s[0];
		in.count = 300;
		in.bytes = 4096 * 20;
		for (uint32_t i = 0, left = in.bytes; i < 300; i++) {
			uint32_t n = i == 299 ? left : 200 + i % 7;

			in.seg[i] = (struct mlxl_segment) { at, n, 0 };
			at += n;
			left -= n;
		}
		CHECK_EQ(host_cmd(&h, MLXL_SAVE_CHUNK, 0, &in, sizeof(in), s + 2, 8), 0);
		CHECK_EQ(s[2], 4096 * 20);
		CHECK_EQ(memcmp(IMAGE(&h), IMAGE(&h) + 0x800003, 4096 * 20), 0);
	}
	CHECK_EQ(host_cmd2(&h, MLXL_SAVE_END, 0, s[0], 1), MLXL_BAD_STATE);
	CHECK_EQ(host_cmd2(&h, MLXL_SAVE_END, 0, s[0], 0), 0);
	rig_close(fn);
	host_close(&h);
}

/* No damaged image is taken: every byte of header and state, and samples of the content. */
static void damaged_images(void)
{
	struct host h;
	struct rig *dst;
	char before[64];
	uint64_t bytes;
	uint32_t s[2];

	open_all(&h);
	dst = rig_open_controlled(h.r, 1);
	snprintf(before, sizeof(before), "%s", rig_control(dst, "image"));
	host_suspend(&h, 0);
	host_suspend(&h, 1);
	bytes = host_save(&h, 0, 0, false);
	CHECK_EQ(bytes, IMAGE_BYTES);
	for (uint32_t at = 0; at < 4096; at += 3) {
		IMAGE(&h)[at] ^= 1;
		CHECK_EQ(host_cmd(&h, MLXL_LOAD_BEGIN, 1, &bytes, 8, s, 8), 0);
		/* seen at once */
		CHECK_EQ(host_chunk(&h, MLXL_LOAD_CHUNK, 1, s[0], 0, 4096,
				    HOST_IOVA + DATA_OFF), MLXL_BAD_IMAGE);
		CHECK_EQ(host_cmd2(&h, MLXL_LOAD_END, 1, s[0], 1), 0);
		IMAGE(&h)[at] ^= 1;
	}
	for (uint32_t at = 4096; at < IMAGE_BYTES; at += at < 0x5000 ? 333 : 60013) {
		IMAGE(&h)[at] ^= 0x80;
		CHECK_EQ(host_load(&h, 1, bytes), MLXL_BAD_IMAGE);
		CHECK_EQ(h.syndrome, MLXL_IMAGE_CHECKSUM);
		IMAGE(&h)[at] ^= 0x80;
	}
	/* pages that are right, but not here */
	memcpy(IMAGE(&h) + bytes, IMAGE(&h) + 20 * 4096, 4096);
	memcpy(IMAGE(&h) + 20 * 4096, IMAGE(&h) + 21 * 4096, 4096);
	CHECK_EQ(host_load(&h, 1, bytes), MLXL_BAD_IMAGE);
	CHECK_EQ(h.syndrome, MLXL_IMAGE_CHECKSUM);
	memcpy(IMAGE(&h) + 20 * 4096, IMAGE(&h) + bytes, 4096);
	/* lengths */
	CHECK_EQ(host_load(&h, 1, bytes - 4096), MLXL_BAD_IMAGE);
	CHECK_EQ(h.syndrome, MLXL_IMAGE_LENGTH);
	CHECK_EQ(host_load(&h, 1, 4096), MLXL_BAD_IMAGE);
	CHECK_EQ(h.syndrome, MLXL_IMAGE_LENGTH);
	CHECK_EQ(host_load(&h, 1, bytes + 4096), MLXL_LIMIT);
	CHECK_EQ(host_load(&h, 1, bytes - 1), MLXL_BAD_INPUT);
	CHECK_EQ(host_load(&h, 1, 0), MLXL_BAD_INPUT);
	CHECK_EQ(host_cmd(&h, MLXL_LOAD_BEGIN, 1, &bytes, 8, s, 8), 0);
	CHECK_EQ(host_cmd(&h, MLXL_LOAD_BEGIN, 1, &bytes, 8, s + 1, 4), MLXL_BAD_INPUT);
	CHECK_EQ(host_cmd(&h, MLXL_LOAD_BEGIN, 1, &bytes, 8, s, 8), MLXL_BUSY);
	CHECK_EQ(h.syndrome, s[0]);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 1, 2), MLXL_BAD_STATE);
	CHECK_EQ(host_cmd2(&h, MLXL_LOAD_END, 1, s[0], 0), MLXL_BAD_IMAGE);
	CHECK_EQ(h.syndrome, MLXL_IMAGE_INCOMPLETE);
	/* nothing of all this has changed the function */
	CHECK(!strcmp(before, rig_control(dst, "image")));
	CHECK_EQ(host_flags(&h, 1), 3);
	CHECK_EQ(host_load(&h, 1, bytes), 0);
	CHECK_EQ(host_cmd(&h, MLXL_LOAD_BEGIN, 2, &bytes, 8, s, 8), MLXL_BAD_STATE);
	rig_close(dst);
	host_close(&h);
}

/* Another device takes the image if its configuration can, and only then. */
static void other_devices(void)
{
	static const struct {
		char *options[4];
		uint16_t pairs, size;
		uint32_t want;
	} cases[] = {
		{ { "firmware=2", "image=1M" }, 1, 64, 0 },
		{ { "image=1M" }, 1, 256, 0 },
		{ { "image=1M" }, 1, 32, MLXL_IMAGE_CONFIG },
		{ { "image=1M" }, 2, 64, MLXL_IMAGE_CONFIG },
		{ { "image=2M" }, 1, 64, MLXL_IMAGE_CONFIG },
		{ { "image=1M", "version=4", "oldest=3" }, 1, 64, MLXL_IMAGE_VERSION },
		{ { "image=1M", "version=1" }, 1, 64, MLXL_IMAGE_VERSION },
		{ { "image=1M", "version=3" }, 1, 64, 0 },
	};
	uint8_t *image = malloc(IMAGE_BYTES), fn[128];
	struct host h;

	open_all(&h);
	host_suspend(&h, 0);
	CHECK_EQ(host_save(&h, 0, 0, false), IMAGE_BYTES);
	memcpy(image, IMAGE(&h), IMAGE_BYTES);
	host_close(&h);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *opts[4];

		memcpy(opts, cases[i].options, sizeof(opts));
		host_open(&h, opts);
		host_provision(&h, 0, cases[i].pairs, cases[i].size);
		host_suspend(&h, 0);
		memcpy(IMAGE(&h), image, IMAGE_BYTES);
		CHECK_EQ(host_load(&h, 0, IMAGE_BYTES), cases[i].want ? MLXL_BAD_IMAGE : 0);
		CHECK_EQ(h.syndrome, cases[i].want);
		if (!cases[i].want) {
			/* it shows what the source showed, and still knows its own limits */
			CHECK_EQ(host_cmd(&h, MLXL_QUERY_FUNCTION, 0, NULL, 0, fn, 128), 0);
			CHECK_EQ(fn[0x22], 64);
			CHECK_EQ(fn[0x6a] | fn[0x6b] << 8, cases[i].size);
		}
		host_close(&h);
	}
	free(image);
}

/* An image of version 1 is taken; it says nothing of the window, which stays as it is. */
static void image_of_version_1(void)
{
	static const struct window here = { 0, 0x2006, 2 }, there = { 0, C_STATUS, 1 };
	char *old[] = { "image=1M", "version=1", NULL };
	uint8_t *image = malloc(IMAGE_BYTES);
	struct host h;
	struct nic nic;

	host_open(&h, old);
	host_provision(&h, 0, 1, 64);
	nic_open(&nic, &h, 0, NULL);
	window_select(nic.r, &there);
	nic_set(&nic, C_STATUS, 1, 3);
	host_suspend(&h, 0);
	CHECK_EQ(host_save(&h, 0, 0, false), IMAGE_BYTES);
	memcpy(image, IMAGE(&h), IMAGE_BYTES);
	nic_close(&nic);
	host_close(&h);

	open_all(&h);
	nic_open(&nic, &h, 1, NULL);
	window_select(nic.r, &here);
	host_suspend(&h, 1);
	memcpy(IMAGE(&h), image, IMAGE_BYTES);
	CHECK_EQ(host_load(&h, 1, IMAGE_BYTES), 0);
	resume(&h, 1);
	CHECK_EQ(nic_reg(&nic, C_STATUS, 1), 3);
	window_check(nic.r, &here);
	nic_close(&nic);
	host_close(&h);
	free(image);
}

/* ---- trackers ---- */

static uint32_t create(struct host *h, uint32_t log2, uint32_t count, const uint64_t *ranges)
{
	uint64_t in[2 + 2 * 10] = { log2 | (uint64_t)count << 32, 0 };
	uint32_t out[2] = { 0 };

	memcpy(in + 2, ranges, count * 16);
	host_cmd(h, MLXL_TRACKER_CREATE, 0, in, 16 + count * 16, out, 8);
	return out[0];
}

/* The bitmap goes to DATA_OFF; number of bits set. */
static uint64_t report(struct host *h, uint32_t id, uint32_t flags, uint64_t iova, uint64_t bytes,
		       unsigned int log2)
{
	uint64_t words = ((bytes >> log2) + 63) / 64, out[2] = { 0 };
	struct {
		uint32_t id, flags;
		uint64_t iova, bytes;
		uint32_t count, reserved;
		struct mlxl_segment seg;
	} in = { id, flags, iova, bytes, 1, 0,
		 { HOST_IOVA + DATA_OFF, (uint32_t)words * 8, 0 } };

	memset(IMAGE(h), 0xee, words * 8 + 8);
	host_cmd(h, MLXL_TRACKER_QUERY, 0, &in, sizeof(in), out, sizeof(out));
	CHECK_EQ(IMAGE(h)[words * 8], 0xee);
	return out[0];
}

static bool bit(struct host *h, uint64_t n)
{
	return IMAGE(h)[n / 8] >> n % 8 & 1;
}

static void tracker_rules(void)
{
	char *small[] = { "image=1M", "ranges=2", "page_min=13", "page_max=16", "addr_bits=32",
			  "track_pages=64", "query_pages=64", "dirty=0", NULL };
	char *none[] = { "image=1M", "tracker=0", "incremental=0", NULL };
	struct host h;
	uint32_t id, session[4];

	host_open(&h, small);
	host_provision(&h, 0, 1, 64);
	CHECK(!create(&h, 12, 1, (uint64_t[]) { 0, 0x1000 }));
	CHECK_EQ(h.status * 10 + h.syndrome, MLXL_LIMIT * 10 + 1);
	CHECK(!create(&h, 17, 1, (uint64_t[]) { 0, 0x20000 }));
	CHECK_EQ(h.status * 10 + h.syndrome, MLXL_LIMIT * 10 + 1);
	CHECK(!create(&h, 13, 3, (uint64_t[]) { 0, 0x2000, 0x2000, 0x2000, 0x4000, 0x2000 }));
	CHECK_EQ(h.status * 10 + h.syndrome, MLXL_LIMIT * 10 + 2);
	CHECK(!create(&h, 13, 1, (uint64_t[]) { 0xffffe000, 0x4000 }));
	CHECK_EQ(h.status * 10 + h.syndrome, MLXL_LIMIT * 10 + 3);
	CHECK(!create(&h, 13, 1, (uint64_t[]) { 1ull << 32, 0x2000 }));
	CHECK_EQ(h.status * 10 + h.syndrome, MLXL_LIMIT * 10 + 3);
	CHECK(!create(&h, 13, 1, (uint64_t[]) { 0x2000, -0x2000ull }));
	CHECK_EQ(h.status * 10 + h.syndrome, MLXL_LIMIT * 10 + 3);
	CHECK(!create(&h, 13, 2, (uint64_t[]) { 0, 40 * 0x2000, 0x100000, 25 * 0x2000 }));
	CHECK_EQ(h.status * 10 + h.syndrome, MLXL_LIMIT * 10 + 4);
	CHECK(!create(&h, 13, 1, (uint64_t[]) { 0x1000, 0x2000 }));
	CHECK_EQ(h.status, MLXL_BAD_INPUT);
	CHECK(!create(&h, 13, 1, (uint64_t[]) { 0, 0 }));
	CHECK_EQ(h.status, MLXL_BAD_INPUT);
	CHECK(!create(&h, 13, 2, (uint64_t[]) { 0, 0x4000, 0x2000, 0x4000 }));
	CHECK_EQ(h.status, MLXL_BAD_INPUT);
	CHECK_EQ(host_flags(&h, 0), 0);
	id = create(&h, 13, 2, (uint64_t[]) { 0, 0x4000, 0x10000, 0x8000 });
	CHECK(id);
	CHECK(!create(&h, 13, 1, (uint64_t[]) { 0, 0x4000 }));
	CHECK_EQ(h.status, MLXL_BUSY);
	CHECK_EQ(h.syndrome, id);
	report(&h, id, 0, 0, 0x2000, 13);
	CHECK_EQ(h.status, MLXL_BAD_STATE);
	CHECK_EQ(host_cmd1(&h, MLXL_TRACKER_ARM, 0, id + 1), MLXL_BAD_STATE);
	CHECK_EQ(host_cmd1(&h, MLXL_TRACKER_ARM, 0, id), 0);
	CHECK_EQ(report(&h, id, 0, 0, 0x4000, 13), 0);
	CHECK_EQ(h.status, 0);
	report(&h, id, 0, 0, 0x6000, 13);		/* beyond the range */
	CHECK_EQ(h.status, MLXL_BAD_INPUT);
	report(&h, id, 0, 0x4000, 0x2000, 13);		/* between ranges */
	CHECK_EQ(h.status, MLXL_BAD_INPUT);
	report(&h, id, 0, 0x1000, 0x2000, 13);
	CHECK_EQ(h.status, MLXL_BAD_INPUT);
	report(&h, id, 2, 0, 0x2000, 13);
	CHECK_EQ(h.status, MLXL_BAD_INPUT);
	CHECK_EQ(host_cmd(&h, MLXL_INJECT_ERROR, 0, (uint32_t[4]) { 2 }, 16, NULL, 0), 0);
	CHECK_EQ(host_flags(&h, 0),
		 MLXL_FN_TRACKER | MLXL_FN_TRACKER_ARMED | MLXL_FN_TRACKER_ERROR);
	CHECK_EQ(rig_read32(h.r, 0, MLXL_REG_EVENTS), 1);
	report(&h, id, 0, 0, 0x2000, 13);
	CHECK_EQ(h.status, MLXL_INTERNAL);
	CHECK_EQ(host_cmd1(&h, MLXL_TRACKER_ARM, 0, id), 0);
	CHECK_EQ(report(&h, id, 0, 0, 0x2000, 13), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_TRACKER_DESTROY, 0, id), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_TRACKER_DESTROY, 0, id), MLXL_BAD_STATE);
	host_close(&h);
	host_open(&h, none);
	host_provision(&h, 0, 1, 64);
	CHECK(!create(&h, 12, 1, (uint64_t[]) { 0, 0x1000 }));
	CHECK_EQ(h.status, MLXL_UNSUPPORTED);
	CHECK_EQ(host_cmd(&h, MLXL_SAVE_BEGIN, 0, (uint32_t[2]) { 0, 1 }, 8, session, 16),
		 MLXL_UNSUPPORTED);
	host_close(&h);
}

/* Compare the report of all memory with the ledger, both since the last time. */
static void judge(struct host *h, struct nic *nic, uint32_t id, unsigned int log2,
		  unsigned int *pages)
{
	const char *line;
	uint64_t count = report(h, id, 0, NIC_IOVA, NIC_BYTES, log2), seen = 0, truth = 0;
	uint8_t expected[NIC_BYTES / 4096] = { 0 };

	CHECK_EQ(h->status, 0);
	for (uint64_t n = 0; n < NIC_BYTES >> log2; n++)
		seen += bit(h, n);
	CHECK_EQ(seen, count);
	for (line = rig_control(nic->r, "ledger"); !strncmp(line, "0x", 2);
	     line = strchr(line, '\n') + 1) {
		uint64_t page = strtoull(line, NULL, 16) - NIC_IOVA;

		CHECK(bit(h, page >> log2));
		truth += !expected[page >> log2];
		expected[page >> log2] = 1;
		++*pages;
	}
	/* this tracker is exact */
	CHECK_EQ(truth, count);
	rig_control(nic->r, "ledger clear");
}

static void tracker_against_ledger(void)
{
	static const unsigned int sizes[] = { 12, 14, 20 };
	struct host h;
	struct nic nic;
	struct net_tcp t;
	unsigned int pages = 0;

	open_all(&h);
	nic_open(&nic, &h, 0, NULL);
	nic_start(&nic, F_BASIC, 1);
	CHECK(net_open(&t, &nic, 4000, 7));
	for (size_t s = 0; s < 3; s++) {
		uint32_t id = create(&h, sizes[s], 1, (uint64_t[]) { NIC_IOVA, NIC_BYTES });

		/* what was written before it was armed does not count */
		net_pump(&t, false, false);
		CHECK_EQ(host_cmd1(&h, MLXL_TRACKER_ARM, 0, id), 0);
		rig_control(nic.r, "ledger clear");
		judge(&h, &nic, id, sizes[s], &pages);
		for (unsigned int round = 0; round < 40; round++) {
			for (unsigned int i = 0; i <= round % 4; i++)
				net_pump(&t, false, false);
			judge(&h, &nic, id, sizes[s], &pages);
		}
		/* a report that fails takes nothing; one that keeps takes nothing either */
		net_pump(&t, false, false);
		rig_control(h.r, "fault dma_write fail count=1");
		report(&h, id, 0, NIC_IOVA, NIC_BYTES, sizes[s]);
		CHECK_EQ(h.status, MLXL_DMA);
		CHECK(report(&h, id, 1, NIC_IOVA, NIC_BYTES, sizes[s]) > 0);
		judge(&h, &nic, id, sizes[s], &pages);
		/* a reset of the function does not touch it, and a part may be asked for */
		net_pump(&t, false, false);
		nic_set(&nic, C_STATUS, 1, 0);
		CHECK(report(&h, id, 0, NIC_IOVA + (1ull << sizes[s]),
			     NIC_BYTES - (1ull << sizes[s]), sizes[s]) >= (s < 2));
		CHECK_EQ(report(&h, id, 0, NIC_IOVA + (1ull << sizes[s]),
				NIC_BYTES - (1ull << sizes[s]), sizes[s]), 0);
		CHECK_EQ(host_cmd1(&h, MLXL_TRACKER_DESTROY, 0, id), 0);
		nic_start(&nic, F_BASIC, 1);
	}
	CHECK(pages > 300);
	nic_close(&nic);
	host_close(&h);
}

/* Bits at all offsets of a range, with and without a neighbour in the next word. */
static void tracker_bits(void)
{
	struct host h;
	struct mlxl_fn *fn;
	uint32_t id;

	open_all(&h);
	fn = vu_priv(vu_controlled(h.r->dev, 0));
	id = create(&h, 12, 2, (uint64_t[]) { 0x100000, 200 * 4096, 0x400000, 4096 });
	CHECK_EQ(host_cmd1(&h, MLXL_TRACKER_ARM, 0, id), 0);
	for (uint64_t from = 0; from < 200; from += 7) {
		uint64_t count = 200 - from < 131 ? 200 - from : 131;

		for (uint64_t p = 0; p < 200; p += 3)
			mlxl_track_mark(fn, 0x100000 + p * 4096 + 4095, 1);
		report(&h, id, 0, 0x100000 + from * 4096, count * 4096, 12);
		for (uint64_t n = 0; n < count; n++)
			CHECK_EQ(bit(&h, n), (from + n) % 3 == 0);
		/* only those were cleared */
		CHECK_EQ(report(&h, id, 1, 0x100000 + from * 4096, count * 4096, 12), 0);
		report(&h, id, 0, 0x100000, 200 * 4096, 12);
		for (uint64_t n = 0; n < 200; n++)
			CHECK_EQ(bit(&h, n), n % 3 == 0 && (n < from || n >= from + count));
	}
	/* writes that begin before, end behind, and cover all */
	mlxl_track_mark(fn, 0, 0x100001);
	CHECK_EQ(report(&h, id, 0, 0x100000, 200 * 4096, 12), 1);
	mlxl_track_mark(fn, 0x1c7fff, 0x1000);
	CHECK_EQ(report(&h, id, 0, 0x100000, 200 * 4096, 12), 1);
	mlxl_track_mark(fn, 0, 0x800000);
	CHECK_EQ(report(&h, id, 0, 0x100000, 200 * 4096, 12), 200);
	CHECK_EQ(report(&h, id, 0, 0x400000, 4096, 12), 1);
	host_close(&h);
}

/* Points of a function: taken by the commands about it, and by no other's. */
static void faults_of_a_function(void)
{
	const uint32_t initiator = MLXL_INITIATOR;
	struct rig *fn;
	uint64_t bytes;
	struct host h;
	uint32_t s[4];

	open_all(&h);
	fn = rig_open_controlled(h.r, 0);
	rig_control(fn, "fault pause fail count=1");
	host_suspend(&h, 1);
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, MLXL_INITIATOR), MLXL_INTERNAL);
	CHECK_EQ(host_flags(&h, 0), 0);
	rig_control(fn, "fault pause hang count=1");
	host_fill(&h, 3, MLXL_SUSPEND, 0, &initiator, 4, 0);
	host_ring(&h, 8);
	rig_run(h.r, 5);
	CHECK_EQ(host_slot(&h, 3)->owner, 1);
	CHECK_EQ(host_flags(&h, 0), 0);
	rig_control(fn, "fault clear");
	rig_step(h.r);
	CHECK_EQ(host_slot(&h, 3)->owner, 0);
	CHECK_EQ(host_slot(&h, 3)->status, 0);
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, MLXL_RESPONDER), 0);
	CHECK_EQ(host_cmd(&h, MLXL_SAVE_BEGIN, 0, (uint32_t[2]) { 0, 0 }, 8, s, 16), 0);
	rig_control(fn, "fault save fail=7 count=1");
	CHECK_EQ(host_chunk(&h, MLXL_SAVE_CHUNK, 0, s[0], 0, 4096, HOST_IOVA + DATA_OFF),
		 MLXL_NO_RESOURCES);
	CHECK_EQ(host_cmd2(&h, MLXL_SAVE_END, 0, s[0], 0), 0);
	bytes = host_save(&h, 0, 0, false);
	rig_control(fn, "fault load fail count=1");
	CHECK_EQ(host_load(&h, 0, bytes), MLXL_INTERNAL);
	CHECK_EQ(host_load(&h, 0, bytes), 0);
	rig_close(fn);
	host_close(&h);
}

static const struct test mlx5_like_image_tests[] = {
	{ "mlx5_like: live_migration", live_migration },
	{ "mlx5_like: selections_are_moved", selections_are_moved },
	{ "mlx5_like: features_are_moved", features_are_moved },
	{ "mlx5_like: impossible_states", impossible_states },
	{ "mlx5_like: incremental_images", incremental_images },
	{ "mlx5_like: reinit", reinit },
	{ "mlx5_like: chunks", chunks },
	{ "mlx5_like: damaged_images", damaged_images },
	{ "mlx5_like: other_devices", other_devices },
	{ "mlx5_like: image_of_version_1", image_of_version_1 },
	{ "mlx5_like: faults_of_a_function", faults_of_a_function },
	{ "mlx5_like: tracker_rules", tracker_rules },
	{ "mlx5_like: tracker_against_ledger", tracker_against_ledger },
	{ "mlx5_like: tracker_bits", tracker_bits },
	{ NULL, NULL }
};

TEST_SUITE(mlx5_like_image_tests);
