// SPDX-License-Identifier: GPL-2.0
/* mlx5_like, a guest's view: virtio-net, the switch and the peer. */
#include <linux/pci_regs.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "mlxl_net.h"

static char *options[] = { "functions=3", "image=1M", "dirty=0", NULL };

static void open_pair(struct host *h, struct nic *a, struct nic *b)
{
	host_open(h, options);
	host_provision(h, 0, 1, 64);
	host_provision(h, 1, 1, 64);
	nic_open(a, h, 0, NULL);
	nic_open(b, h, 1, NULL);
	nic_start(a, F_BASIC, 1);
	nic_start(b, F_BASIC | F_MRG, 1);
}

static void close_pair(struct host *h, struct nic *a, struct nic *b)
{
	nic_close(a);
	nic_close(b);
	host_close(h);
}

static void negotiation(void)
{
	struct host h;
	struct nic nic;

	host_open(&h, options);
	host_provision(&h, 0, 1, 64);
	nic_open(&nic, &h, 0, NULL);
	nic_set(&nic, C_STATUS, 1, 1);
	nic_set(&nic, C_STATUS, 1, 3);
	/* VERSION_1 is a must, and nothing that is not offered is accepted */
	nic_set(&nic, 12, 4, 1 << 5);
	nic_set(&nic, C_STATUS, 1, 11);
	CHECK_EQ(nic_reg(&nic, C_STATUS, 1), 3);
	nic_set(&nic, 8, 4, 1);
	nic_set(&nic, 12, 4, 1);
	nic_set(&nic, 8, 4, 0);
	nic_set(&nic, 12, 4, 1);
	nic_set(&nic, C_STATUS, 1, 11);
	CHECK_EQ(nic_reg(&nic, C_STATUS, 1), 3);
	nic_set(&nic, 12, 4, 1 << 5);
	nic_set(&nic, C_STATUS, 1, 11);
	CHECK_EQ(nic_reg(&nic, C_STATUS, 1), 11);
	nic_set(&nic, 12, 4, 0);
	CHECK_EQ(nic_reg(&nic, 12, 4), 1 << 5);
	/* vectors, sizes, enabling */
	nic_set(&nic, 16, 2, 4);
	CHECK_EQ(nic_reg(&nic, 16, 2), 0xffff);
	nic_set(&nic, 16, 2, 3);
	CHECK_EQ(nic_reg(&nic, 16, 2), 3);
	CHECK_EQ(nic_reg(&nic, 24, 2), 64);
	nic_set(&nic, 24, 2, 128);
	nic_set(&nic, 24, 2, 24);
	CHECK_EQ(nic_reg(&nic, 24, 2), 64);
	nic_set(&nic, 24, 2, 32);
	CHECK_EQ(nic_reg(&nic, 24, 2), 32);
	nic_set(&nic, 32, 8, NIC_IOVA + 8);	/* not aligned */
	nic_set(&nic, 28, 2, 1);
	CHECK_EQ(nic_reg(&nic, 28, 2), 0);
	nic_set(&nic, 32, 8, NIC_IOVA);
	nic_set(&nic, 28, 2, 1);
	CHECK_EQ(nic_reg(&nic, 28, 2), 1);
	nic_set(&nic, 32, 8, 0);
	CHECK_EQ(nic_reg(&nic, 32, 8), NIC_IOVA);
	nic_set(&nic, 22, 2, 7);		/* no such queue */
	CHECK_EQ(nic_reg(&nic, 24, 2), 0);
	nic_set(&nic, 24, 2, 32);
	CHECK_EQ(nic_reg(&nic, 0x2000, 4), 2);
	CHECK_EQ(nic_reg(&nic, 0x2006, 2), 1);
	CHECK_EQ(nic_reg(&nic, 0x1000, 1), 0);
	nic_set(&nic, C_STATUS, 1, 0);
	CHECK_EQ(nic_reg(&nic, C_STATUS, 1), 0);
	nic_set(&nic, 22, 2, 0);
	CHECK_EQ(nic_reg(&nic, 24, 2), 64);
	CHECK_EQ(nic_reg(&nic, 28, 2), 0);
	nic_close(&nic);
	host_close(&h);
}

static void config_window(void)
{
	struct host h;
	struct nic nic;
	unsigned int at;
	uint32_t val;
	uint8_t byte = 0;

	host_open(&h, options);
	host_provision(&h, 0, 1, 64);
	nic_open(&nic, &h, 0, NULL);
	at = ((struct mlxl_fn *)vu_priv(nic.r->dev))->cfg_window;
	val = 0x2000;
	CHECK_EQ(rig_write(nic.r, VFIO_PCI_CONFIG_REGION_INDEX, at + 4, &byte, 1), 0);
	CHECK_EQ(rig_write(nic.r, VFIO_PCI_CONFIG_REGION_INDEX, at + 8, &val, 4), 0);
	val = 4;
	CHECK_EQ(rig_write(nic.r, VFIO_PCI_CONFIG_REGION_INDEX, at + 12, &val, 4), 0);
	CHECK_EQ(rig_read(nic.r, VFIO_PCI_CONFIG_REGION_INDEX, at + 16, &val, 4), 0);
	CHECK_EQ(val, 2);
	val = C_STATUS;
	CHECK_EQ(rig_write(nic.r, VFIO_PCI_CONFIG_REGION_INDEX, at + 8, &val, 4), 0);
	val = 1;
	CHECK_EQ(rig_write(nic.r, VFIO_PCI_CONFIG_REGION_INDEX, at + 12, &val, 4), 0);
	val = 3;
	CHECK_EQ(rig_write(nic.r, VFIO_PCI_CONFIG_REGION_INDEX, at + 16, &val, 1), 0);
	CHECK_EQ(nic_reg(&nic, C_STATUS, 1), 3);
	val = 0xfffffffc;	/* beyond the BAR: nothing */
	CHECK_EQ(rig_write(nic.r, VFIO_PCI_CONFIG_REGION_INDEX, at + 8, &val, 4), 0);
	CHECK_EQ(rig_read(nic.r, VFIO_PCI_CONFIG_REGION_INDEX, at + 16, &val, 4), 0);
	nic_close(&nic);
	host_close(&h);
}

static void between_functions(void)
{
	struct host h;
	struct nic a, b;
	uint8_t frame[1515];

	open_pair(&h, &a, &b);
	memset(frame, 0x3c, sizeof(frame));
	memcpy(frame, "\xff\xff\xff\xff\xff\xff\2\0\0\0\1\0\x88\xb5", 14);
	nic_send(&a, frame, 60);
	CHECK_EQ(event_count(a.ev[1]), 1);
	CHECK_EQ(nic_get(&b, 0), 60);
	CHECK_EQ(event_count(b.ev[0]), 1);
	CHECK_EQ(memcmp(b.frame, frame, 60), 0);
	/* the answer goes to the one that is known */
	memcpy(frame, "\2\0\0\0\1\0\2\0\0\0\1\1", 12);
	nic_send(&b, frame, 1514);
	CHECK_EQ(nic_get(&a, 0), 1514);
	CHECK_EQ(memcmp(a.frame, frame, 1514), 0);
	CHECK(strstr(rig_control(h.r, "switch"), "02:00:00:00:01:01 1\n"));
	/* more than there are buffers: none is lost, the order is kept */
	memcpy(frame, "\2\0\0\0\1\1\2\0\0\0\1\0", 12);
	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int n = 0; n < NIC_SIZE; n++) {
			frame[14] = (uint8_t)(i * NIC_SIZE + n);
			nic_put(&a, 1, frame, 100);
		}
		nic_notify(&a, 1);
	}
	for (unsigned int n = 0; n < 3 * NIC_SIZE; n++) {
		CHECK_EQ(nic_get(&b, 0), 100);
		CHECK_EQ(b.frame[14], n);
		nic_notify(&b, 0);
	}
	/* too short and too long for Ethernet: completed, not sent */
	nic_send(&a, frame, 13);
	nic_put(&a, 1, frame, 1515);
	nic_notify(&a, 1);
	CHECK_EQ(nic_get(&b, 0), 0);
	CHECK_EQ(nic_used(&a, 1), a.q[1].avail);
	rig_control(a.r, "fault op fail count=1");
	nic_send(&a, frame, 100);
	CHECK_EQ(nic_get(&b, 0), 0);
	/* one that has to wait is still the driver's, until it is sent: here, or elsewhere */
	rig_control(a.r, "fault op hang count=1");
	nic_send(&a, frame, 100);
	rig_run(a.r, 5);
	CHECK_EQ(nic_get(&b, 0), 0);
	CHECK(nic_used(&a, 1) != a.q[1].avail);
	host_suspend(&h, 0);
	rig_control(a.r, "fault clear");
	rig_run(a.r, 5);
	CHECK_EQ(nic_get(&b, 0), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 0, MLXL_RESPONDER), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 0, MLXL_INITIATOR), 0);
	rig_run(a.r, 5);
	CHECK_EQ(nic_used(&a, 1), a.q[1].avail);
	CHECK_EQ(nic_get(&b, 0), 100);
	rig_control(a.r, "fault op delay=5 count=1");
	nic_send(&a, frame, 100);
	CHECK_EQ(nic_get(&b, 0), 0);
	rig_run(a.r, 20);
	CHECK_EQ(nic_get(&b, 0), 100);
	/* a reset forgets one that waits: the next one passes the point anew */
	rig_control(a.r, "fault op hang count=1");
	nic_send(&a, frame, 100);
	nic_start(&a, F_BASIC, 1);
	rig_control(a.r, "fault op fail count=1");
	nic_send(&a, frame, 100);
	CHECK_EQ(nic_used(&a, 1), a.q[1].avail);
	CHECK_EQ(nic_get(&b, 0), 0);
	rig_control(b.r, "fault rx fail count=1");
	nic_send(&a, frame, 100);
	CHECK_EQ(nic_get(&b, 0), 0);
	CHECK(strstr(rig_control(b.r, "stats"), "rx_dropped 1\n"));
	close_pair(&h, &a, &b);
}

static void chains(void)
{
	struct host h;
	struct nic a, b;
	uint8_t frame[200];
	uint16_t i, merged;

	open_pair(&h, &a, &b);
	memset(frame, 0x77, sizeof(frame));
	memcpy(frame, "\xff\xff\xff\xff\xff\xff\2\0\0\0\1\0\x88\xb5", 14);
	/* transmit: header, and two parts of the frame, in an indirect table */
	memset(a.mem + 0x1f0000, 0, 12);
	memcpy(a.mem + 0x1f1000, frame, 200);
	for (i = 0; i < 3; i++) {
		uint64_t addr = NIC_IOVA + (i ? 0x1f1000 + (i - 1) * 100u : 0x1f0000);
		uint32_t rest[2] = { i ? 100 : 12, i < 2 ? 1u | (i + 1u) << 16 : 0 };

		memcpy(a.mem + 0x1f2000 + i * 16, &addr, 8);
		memcpy(a.mem + 0x1f2008 + i * 16, rest, 8);
	}
	nic_desc(&a, 1, 0, NIC_IOVA + 0x1f2000, 48, 4, 0);
	nic_avail(&a, 1, 0);
	nic_notify(&a, 1);
	CHECK_EQ(nic_get(&b, 0), 200);
	CHECK_EQ(memcmp(b.frame, frame, 200), 0);
	/* receive: small buffers are merged if that was negotiated */
	nic_start(&b, F_BASIC | F_MRG, 0);
	for (i = 0; i < 4; i++) {
		nic_desc(&b, 0, i, nic_buffer(0, i), 64, 2, 0);
		nic_avail(&b, 0, i);
	}
	nic_notify(&b, 0);
	nic_send(&a, frame, 200);
	CHECK_EQ(nic_used(&b, 0), 4);
	memcpy(&merged, b.mem + (nic_buffer(0, 0) - NIC_IOVA) + 10, 2);
	CHECK_EQ(merged, 4);
	CHECK_EQ(memcmp(b.mem + (nic_buffer(0, 3) - NIC_IOVA), frame + 180, 20), 0);
	/* without, the frame is dropped */
	nic_start(&b, F_BASIC, 0);
	nic_desc(&b, 0, 0, nic_buffer(0, 0), 64, 2, 0);
	nic_avail(&b, 0, 0);
	nic_notify(&b, 0);
	nic_send(&a, frame, 200);
	CHECK_EQ(nic_used(&b, 0), 0);
	CHECK(strstr(rig_control(b.r, "stats"), "rx_dropped 1\n"));
	close_pair(&h, &a, &b);
}

/* Rings that make no sense: the device asks for a reset, and works again after it. */
static void broken_rings(void)
{
	struct host h;
	struct nic a, b;
	uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 1, 0, 0x88, 0xb5 };

	open_pair(&h, &a, &b);
	for (unsigned int f = 0; f < 10; f++) {
		uint16_t far = (uint16_t)(a.q[1].avail + NIC_SIZE + 1);

		event_count(a.ev[3]);
		nic_put(&a, 1, frame, 60);
		switch (f) {
		case 0: nic_desc(&a, 1, 0, NIC_IOVA, 80, 1, 0); break;		/* loop */
		case 1: nic_desc(&a, 1, 0, NIC_IOVA, 80, 1, NIC_SIZE); break;
		case 2: nic_desc(&a, 1, 0, 0x1000, 80, 0, 0); break;
		case 3: nic_desc(&a, 1, 0, -8ull, 80, 0, 0); break;
		case 4: nic_desc(&a, 1, 0, NIC_IOVA, 20, 4, 0); break;		/* odd table */
		case 5: nic_desc(&a, 1, 0, NIC_IOVA, 16 * 65, 4, 0); break;
		case 6: memcpy(a.mem + 0x5002, &far, 2); break;			/* avail index */
		case 7: a.mem[0x5004] = NIC_SIZE; break;			/* head */
		case 8:								/* order */
			nic_desc(&a, 1, 0, NIC_IOVA + 0x1f0000, 80, 3, 1);
			nic_desc(&a, 1, 1, NIC_IOVA + 0x1f0000, 80, 0, 0);
			break;
		case 9: rig_control(a.r, "fault ring fail count=1"); break;
		}
		nic_notify(&a, 1);
		CHECK_EQ(nic_reg(&a, C_STATUS, 1), STATUS_OK | 64);
		CHECK_EQ(event_count(a.ev[3]), 1);
		CHECK(host_flags(&h, 0) & MLXL_FN_FAILED);
		/* it does nothing more */
		nic_notify(&a, 1);
		CHECK_EQ(nic_used(&a, 1), 0);
		nic_start(&a, F_BASIC, 1);
		CHECK_EQ(host_flags(&h, 0) & MLXL_FN_FAILED, 0);
		nic_send(&a, frame, 60);
		CHECK_EQ(nic_get(&b, 0), 60);
		nic_notify(&b, 0);
		nic_start(&a, F_BASIC, 1);
	}
	/* a receive buffer that the device may not write */
	nic_start(&b, F_BASIC, 0);
	nic_desc(&b, 0, 0, nic_buffer(0, 0), 2000, 0, 0);
	nic_avail(&b, 0, 0);
	nic_notify(&b, 0);
	nic_send(&a, frame, 60);
	CHECK_EQ(nic_reg(&b, C_STATUS, 1), STATUS_OK | 64);
	close_pair(&h, &a, &b);
}

static void queue_pairs(void)
{
	struct host h;
	struct nic a, b;
	uint8_t frame[60] = { 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 1, 0x88, 0xb5 };

	host_open(&h, options);
	host_provision(&h, 0, 2, 64);
	host_provision(&h, 1, 1, 64);
	nic_open(&a, &h, 0, NULL);
	nic_open(&b, &h, 1, NULL);
	CHECK_EQ(nic_reg(&a, 18, 2), 5);
	CHECK_EQ(nic_reg(&a, 0x2008, 2), 2);
	nic_start(&a, F_BASIC | 1 << 17 | 1 << 22, 2);
	nic_start(&b, F_BASIC, 1);
	for (unsigned int want = 0; want < 2; want++) {
		/* a command with its data and its answer */
		memcpy(a.mem + 0x1f0000, "\4\0\2\0", 4);
		a.mem[0x1f0010] = 9;
		if (want)
			a.mem[0x1f0002] = 3;	/* more than there are */
		nic_desc(&a, 4, 0, NIC_IOVA + 0x1f0000, 4, 1, 1);
		nic_desc(&a, 4, 1, NIC_IOVA + 0x1f0010, 1, 2, 0);
		nic_avail(&a, 4, 0);
		nic_notify(&a, 4);
		CHECK_EQ(nic_used(&a, 4), want + 1);
		CHECK_EQ(a.mem[0x1f0010], want);
	}
	/* what the second pair sent is answered there */
	memcpy(frame, "\2\0\0\0\1\1\2\0\0\0\1\0", 12);
	nic_put(&a, 3, frame, 60);
	nic_notify(&a, 3);
	CHECK_EQ(nic_get(&b, 0), 60);
	memcpy(frame, "\2\0\0\0\1\0\2\0\0\0\1\1", 12);
	nic_send(&b, frame, 60);
	CHECK_EQ(nic_get(&a, 0), 0);
	CHECK_EQ(nic_get(&a, 2), 60);
	nic_close(&a);
	nic_close(&b);
	host_close(&h);
}

static void arp_icmp_udp(void)
{
	struct host h;
	struct nic a, b;
	uint8_t f[1514];
	size_t n;

	open_pair(&h, &a, &b);
	n = net_arp(f);
	nic_send(&a, f, n);
	CHECK_EQ(nic_get(&a, 0), 42);
	CHECK_EQ(memcmp(a.frame, "\2\0\0\0\1\0\2\x76\x20\0\0\xfe\x08\x06", 14), 0);
	CHECK_EQ(a.frame[21], 2);
	CHECK_EQ(memcmp(a.frame + 22, "\2\x76\x20\0\0\xfe\x0a\x4c\0\1", 10), 0);
	/* nobody else is answered for */
	f[41] = 2;
	nic_send(&a, f, n);
	CHECK_EQ(nic_get(&a, 0), 0);
	n = net_icmp(f, 1400);
	nic_send(&a, f, n);
	CHECK_EQ(nic_get(&a, 0), n);
	CHECK_EQ(a.frame[34], 0);
	CHECK(net_ok(a.frame, n));
	CHECK_EQ(memcmp(a.frame + 38, f + 38, n - 38), 0);
	f[60] ^= 1;		/* damaged */
	nic_send(&a, f, n);
	CHECK_EQ(nic_get(&a, 0), 0);
	n = net_udp(f, 7, "hello", 5);
	nic_send(&a, f, n);
	CHECK_EQ(nic_get(&a, 0), n);
	CHECK(net_ok(a.frame, n));
	CHECK_EQ(memcmp(a.frame + 42, "hello", 5), 0);
	n = net_udp(f, 8, "hello", 5);
	nic_send(&a, f, n);
	CHECK_EQ(nic_get(&a, 0), 0);
	n = net_udp(f, 7, "hello", 5);
	f[43] ^= 1;
	nic_send(&a, f, n);
	CHECK_EQ(nic_get(&a, 0), 0);
	CHECK(strstr(rig_control(h.r, "peer"), "arp 1\nicmp 1\nudp 1\nbad 2\n"));
	/* truncated at every length: nothing happens */
	for (size_t cut = 14; cut < 60; cut++) {
		n = net_icmp(f, 100);
		nic_send(&a, f, cut);
		CHECK_EQ(nic_get(&a, 0), 0);
		nic_notify(&a, 0);
	}
	close_pair(&h, &a, &b);
}

static void tcp_echo(void)
{
	struct host h;
	struct nic a, b;
	struct net_tcp t;

	open_pair(&h, &a, &b);
	CHECK(net_open(&t, &a, 4000, 7));
	/* 200 segments; some are lost on their way there, some on their way back */
	for (unsigned int i = 0; i < 200; i++)
		net_pump(&t, i % 17 == 5, i % 23 == 7);
	net_drain(&t);
	CHECK_EQ(t.sent, t.echoed);
	CHECK(t.sent > 150000);
	CHECK_EQ(t.bad, 0);
	net_shut(&t);
	CHECK(t.closed);
	CHECK(!strstr(rig_control(h.r, "peer"), "connection"));
	/* another port is refused */
	CHECK(!net_open(&t, &a, 4001, 8));
	CHECK(t.refused);
	/* connections without end: the seventeenth is refused */
	for (uint16_t i = 0; i < 16; i++)
		CHECK(net_open(&t, &a, (uint16_t)(5000 + i), 7));
	CHECK(!net_open(&t, &a, 6000, 7));
	CHECK(t.refused);
	/* the same port again: the guest has been restarted */
	CHECK(net_open(&t, &a, 5003, 7));
	net_pump(&t, false, false);
	net_drain(&t);
	CHECK_EQ(t.sent, t.echoed);
	rig_control(h.r, "peer reset");
	CHECK(net_open(&t, &a, 6000, 7));
	close_pair(&h, &a, &b);
}

/* A reader that stops: the window shuts, is probed, and opens again. */
static void tcp_window(void)
{
	struct host h;
	struct nic a, b;
	struct net_tcp t;

	open_pair(&h, &a, &b);
	CHECK(net_open(&t, &a, 4000, 7));
	t.window = 0;
	for (unsigned int i = 0; i < 20; i++)
		net_pump(&t, false, false);
	rig_run(h.r, 250);
	net_drain_once(&t);
	CHECK(t.echoed <= 1);
	t.window = 30000;
	net_drain(&t);
	CHECK_EQ(t.sent, t.echoed);
	CHECK_EQ(t.bad, 0);
	close_pair(&h, &a, &b);
}

static void suspended(void)
{
	struct host h;
	struct nic a, b;
	uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 1, 0, 0x88, 0xb5 };

	open_pair(&h, &a, &b);
	rig_write32(a.r, 2, 0x100, 0xcafe);
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 2), MLXL_BAD_STATE);
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 1), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 1), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 3), MLXL_BAD_INPUT);
	/* registers answer and take writes, doorbells are remembered, nothing is written */
	rig_control(a.r, "ledger clear");
	event_count(a.ev[0]);
	event_count(a.ev[1]);
	nic_send(&a, frame, 60);
	nic_send(&b, frame, 60);
	CHECK_EQ(nic_used(&a, 1), 0);
	CHECK_EQ(nic_used(&a, 0), 0);
	CHECK(!strcmp(rig_control(a.r, "ledger"), "ok\n"));
	nic_set(&a, 8, 4, 1);
	CHECK_EQ(nic_reg(&a, 8, 4), 1);
	CHECK_EQ(rig_read32(a.r, 2, 0x100), 0xcafe);
	rig_write32(a.r, 2, 0x100, 0xbabe);
	CHECK_EQ(host_cmd1(&h, MLXL_SUSPEND, 0, 2), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 0, 1), MLXL_BAD_STATE);
	/* now writes are ignored as well */
	nic_set(&a, 8, 4, 0);
	nic_set(&a, C_STATUS, 1, 0);
	CHECK_EQ(nic_reg(&a, 8, 4), 1);
	CHECK_EQ(nic_reg(&a, C_STATUS, 1), STATUS_OK);
	rig_write32(a.r, 2, 0x100, 0x1234);
	nic_put(&a, 1, frame, 60);
	nic_notify(&a, 1);	/* lost */
	CHECK_EQ(event_count(a.ev[0]) + event_count(a.ev[1]), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 0, 2), 0);
	CHECK_EQ(rig_read32(a.r, 2, 0x100), 0xbabe);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 0, 1), 0);
	rig_step(h.r);
	CHECK_EQ(nic_used(&a, 1), 2);
	CHECK(event_count(a.ev[0]) >= 1);
	CHECK(event_count(a.ev[1]) >= 1);
	CHECK_EQ(nic_get(&a, 0), 60);
	CHECK_EQ(nic_get(&b, 0), 60);
	CHECK_EQ(nic_get(&b, 0), 60);
	/* a broken ring fails the function; it can be suspended and resumed all the same */
	nic_desc(&a, 1, a.q[1].avail % NIC_SIZE, 0x1000, 80, 0, 0);
	nic_avail(&a, 1, a.q[1].avail % NIC_SIZE);
	nic_notify(&a, 1);
	host_suspend(&h, 0);
	CHECK_EQ(host_flags(&h, 0), MLXL_FN_FAILED | 3);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 0, 2), 0);
	CHECK_EQ(host_cmd1(&h, MLXL_RESUME, 0, 1), 0);
	CHECK_EQ(nic_reg(&a, C_STATUS, 1), STATUS_OK | 64);
	close_pair(&h, &a, &b);
}

/* ---- peer-to-peer ---- */

#define P2P_IOVA	0x80000000ull
#define P2P_BYTES	0x10000u

/* A machine that has both functions: what one reads or writes there is the other's BAR 2. */
struct machine {
	int from, to;
	unsigned int reads, writes;
};

static bool get_message(int fd, struct vu_hdr *hdr, uint8_t *body, size_t room)
{
	size_t len;

	if (recv(fd, hdr, sizeof(*hdr), MSG_WAITALL) != sizeof(*hdr))
		return false;
	len = hdr->size - sizeof(*hdr);
	return len <= room && (!len || recv(fd, body, len, MSG_WAITALL) == (ssize_t)len);
}

static bool put_message(int fd, struct vu_hdr hdr, const void *a, size_t a_len, const void *b,
			size_t b_len)
{
	uint8_t out[8192];

	hdr.size = (uint32_t)(sizeof(hdr) + a_len + b_len);
	memcpy(out, &hdr, sizeof(hdr));
	memcpy(out + sizeof(hdr), a, a_len);
	if (b_len)
		memcpy(out + sizeof(hdr) + a_len, b, b_len);
	return write(fd, out, hdr.size) == (ssize_t)hdr.size;
}

static bool forward(struct machine *m, const struct vu_hdr *hdr, uint8_t *body)
{
	struct vu_hdr back = { .id = hdr->id, .cmd = hdr->cmd, .flags = VU_FLAG_REPLY }, reply;
	bool write = hdr->cmd == VU_DMA_WRITE;
	struct vu_region_rw_msg rw = { .region = 2 };
	struct vu_dma_rw_msg dma;
	uint8_t answer[8192];

	memcpy(&dma, body, sizeof(dma));
	if (dma.count > 4096)
		return false;
	rw.offset = dma.iova - P2P_IOVA;
	rw.count = (uint32_t)dma.count;
	if (!put_message(m->to, (struct vu_hdr) { .id = 77, .cmd = write ? VU_REGION_WRITE :
						  VU_REGION_READ }, &rw, sizeof(rw),
			 body + sizeof(dma), write ? dma.count : 0) ||
	    !get_message(m->to, &reply, answer, sizeof(answer)))
		return false;
	m->reads += !write;
	m->writes += write;
	return put_message(m->from, back, &dma, sizeof(dma), answer + sizeof(rw),
			   write ? 0 : dma.count);
}

static void *machine_thread(void *arg)
{
	static uint8_t body[VU_MAX_PAYLOAD];
	struct machine *m = arg;
	struct vu_hdr hdr;

	while (get_message(m->from, &hdr, body, sizeof(body)))
		if ((hdr.cmd != VU_DMA_READ && hdr.cmd != VU_DMA_WRITE) || !forward(m, &hdr, body))
			break;
	return NULL;
}

/* Each waits for the machine, and the machine for the other one: nobody is stuck. */
static void peer_to_peer(void)
{
	struct vu_region_rw_msg bell = { .offset = 0x3004, .count = 2 };
	uint8_t frame[100], msg[sizeof(bell) + 2] = { 0 };
	struct machine machine = { 0 };
	pthread_t thread;
	struct host h;
	struct nic a, b;

	open_pair(&h, &a, &b);
	CHECK_EQ(rig_dma_map(a.r, P2P_IOVA, P2P_BYTES, 0, 3, -1), 0);
	memset(frame, 0x42, sizeof(frame));
	memcpy(frame, "\xff\xff\xff\xff\xff\xff\2\0\0\0\1\0\x88\xb5", 14);
	CHECK_EQ(rig_write(b.r, 2, 0x200, (uint8_t[12]) { 0 }, 12), 0);
	CHECK_EQ(rig_write(b.r, 2, 0x20c, frame, 100), 0);
	nic_desc(&a, 1, 0, P2P_IOVA + 0x200, 112, 0, 0);
	nic_avail(&a, 1, 0);
	memcpy(msg, &bell, sizeof(bell));
	rig_send(a.r, VU_REGION_WRITE, VU_FLAG_NO_REPLY, msg, sizeof(msg), NULL, 0);
	/* a frame from the other side, to a buffer there */
	nic_desc(&a, 0, 0, P2P_IOVA + 0x1000, NIC_BUFFER, 2, 0);
	frame[14] = 0x43;
	nic_put(&b, 1, frame, 100);
	rig_send(b.r, VU_REGION_WRITE, VU_FLAG_NO_REPLY, msg, sizeof(msg), NULL, 0);
	machine.from = a.r->fd;
	machine.to = b.r->fd;
	test_clock(true);
	pthread_create(&thread, NULL, machine_thread, &machine);
	for (int i = 0; i < 3000 && !(nic_used(&a, 0) && nic_used(&a, 1)); i++)
		rig_run(h.r, 1);
	shutdown(a.r->fd, SHUT_RD);
	pthread_join(thread, NULL);
	CHECK_EQ(machine.reads, 1);
	CHECK_EQ(machine.writes, 1);
	CHECK_EQ(nic_used(&a, 1), 1);
	CHECK_EQ(nic_get(&b, 0), 100);
	CHECK_EQ(b.frame[14], 0x42);
	CHECK_EQ(nic_used(&a, 0), 1);
	CHECK_EQ(rig_read32(b.r, 2, 0x1018), 0xb588 | 0x43 << 16 | 0x42u << 24);
	close_pair(&h, &a, &b);
}

static const struct test mlx5_like_net_tests[] = {
	{ "mlx5_like: negotiation", negotiation },
	{ "mlx5_like: config_window", config_window },
	{ "mlx5_like: between_functions", between_functions },
	{ "mlx5_like: chains", chains },
	{ "mlx5_like: broken_rings", broken_rings },
	{ "mlx5_like: queue_pairs", queue_pairs },
	{ "mlx5_like: arp_icmp_udp", arp_icmp_udp },
	{ "mlx5_like: tcp_echo", tcp_echo },
	{ "mlx5_like: tcp_window", tcp_window },
	{ "mlx5_like: suspended", suspended },
	{ "mlx5_like: peer_to_peer", peer_to_peer },
	{ NULL, NULL }
};

TEST_SUITE(mlx5_like_net_tests);
