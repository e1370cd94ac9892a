// SPDX-License-Identifier: GPL-2.0
/* Connections: order, broken streams, descriptors, clients coming and going, control. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "test.h"

static void version_first(void)
{
	struct rig *r = rig_open_raw(&test_model, NULL);
	uint32_t info[4] = { 16 };

	CHECK_EQ(rig_call(r, VU_GET_INFO, info, 16, NULL, 0), -EPROTO);
	CHECK_EQ(rig_version(r, "{bad"), -EINVAL);
	CHECK(rig_version(r, NULL) > 0);
	CHECK_EQ(rig_version(r, NULL), -EINVAL);
	CHECK_EQ(rig_call(r, VU_GET_INFO, info, 16, NULL, 0), 16);
	rig_close(r);
	r = rig_open_raw(&test_model, NULL);
	info[0] = 1;		/* major 1 */
	CHECK_EQ(rig_call(r, VU_VERSION, info, 4, NULL, 0), -EPROTONOSUPPORT);
	CHECK(rig_closed(r));
	rig_close(r);
}

static void broken_streams(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	struct vu_hdr h = { .id = 1, .cmd = VU_GET_INFO, .size = 8 };
	uint32_t info[4] = { 16 };
	uint8_t *junk = calloc(1, VU_MAX_PAYLOAD + 100);

	/* truncated header, then disconnect */
	rig_send_raw(r, &h, 7, NULL, 0);
	rig_step(r);
	CHECK(!rig_closed(r));
	rig_connect(r);
	CHECK(rig_version(r, NULL) > 0);
	/* a length below the header: answered, then closed */
	rig_send_raw(r, &h, sizeof(h), NULL, 0);
	CHECK_EQ(rig_recv(r), -EPROTO);
	CHECK(rig_closed(r));
	rig_connect(r);
	CHECK(rig_version(r, NULL) > 0);
	/* too long: refused and skipped, the stream goes on */
	rig_send(r, VU_REGION_WRITE, 0, junk, VU_MAX_PAYLOAD + 100, NULL, 0);
	CHECK_EQ(rig_recv(r), -EMSGSIZE);
	CHECK_EQ(rig_call(r, VU_GET_INFO, info, 16, NULL, 0), 16);
	/* unknown type of message */
	rig_send(r, VU_GET_INFO, 5, info, 16, NULL, 0);
	CHECK_EQ(rig_recv(r), -EINVAL);
	/* a reply nobody asked for */
	rig_send(r, VU_DMA_READ, VU_FLAG_REPLY, junk, 32, NULL, 0);
	CHECK_EQ(rig_call(r, VU_GET_INFO, info, 16, NULL, 0), 16);
	CHECK_EQ(rig_call(r, VU_DMA_READ, info, 16, NULL, 0), -EINVAL);
	CHECK_EQ(rig_call(r, 14, info, 16, NULL, 0), -EINVAL);
	/* byte by byte */
	h.size = 32;
	h.id = 42;
	for (size_t i = 0; i < 16; i++) {
		rig_send_raw(r, (uint8_t *)&h + i, 1, NULL, 0);
		rig_step(r);
	}
	for (size_t i = 0; i < 16; i++) {
		rig_send_raw(r, (uint8_t *)info + i, 1, NULL, 0);
		rig_step(r);
	}
	CHECK_EQ(rig_recv(r), 16);
	CHECK_EQ(r->hdr.id, 42);
	free(junk);
	rig_close(r);
}

static unsigned int open_fds(void)
{
	unsigned int n = 0;
	struct stat st;

	for (int fd = 0; fd < 1024; fd++)
		n += !fstat(fd, &st);
	return n;
}

static void descriptors(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	uint32_t info[4] = { 16 };
	unsigned int before;
	int fds[40];

	for (int i = 0; i < 40; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK);
	before = open_fds();
	CHECK_EQ(rig_call(r, VU_GET_INFO, info, 16, fds, 1), -EINVAL);
	CHECK_EQ(rig_call(r, VU_GET_INFO, info, 16, fds, 40), -EINVAL);
	CHECK_EQ(rig_set_irqs(r, 2, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 16,
			      fds, 17), -EINVAL);
	CHECK_EQ(rig_dma_map(r, 0x1000, 0x1000, 0, 7, -1), -EINVAL);
	CHECK_EQ(rig_dma_map(r, 0x1000, 0x1000, 0, 3, fds[0]), -EINVAL);	/* not a file */
	CHECK_EQ(open_fds(), before);
	CHECK_EQ(rig_set_irqs(r, 2, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 16,
			      fds, 16), 0);
	CHECK_EQ(open_fds(), before + 16);
	/* all of them are closed when the client leaves */
	rig_connect(r);
	rig_step(r);
	for (int i = 0; i < 40; i++)
		close(fds[i]);
	rig_close(r);
}

static int dial(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void clients_come_and_go(void)
{
	char dir[] = "/tmp/vpv-model-test-XXXXXX", path[64], ctl[64];
	struct vu_server_opts opts = {
		.socket_path = path, .control_path = ctl, .timeout_ms = 100,
	};
	struct vu_dev *dev = vu_dev_new(&test_model, NULL, 0);
	struct rig r = { .dev = dev };
	struct vu_server *srv;
	int second, fd, ev = eventfd(0, EFD_NONBLOCK);
	struct stat st;
	uint8_t *mem;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/vu", dir);
	snprintf(ctl, sizeof(ctl), "%s/ctl", dir);
	srv = r.srv = vu_server_new(dev, &opts);
	r.fd = dial(path);
	rig_step(&r);
	CHECK(rig_version(&r, NULL) > 0);
	rig_enable(&r);
	second = dial(path);
	rig_step(&r);
	CHECK_EQ(recv(second, &st, 1, MSG_DONTWAIT), 0);
	close(second);
	/* the first one does not notice; its mappings and eventfds go with it */
	mem = rig_memory(&r, 0x1000, 0x1000, 3, &fd);
	CHECK(mem);
	CHECK_EQ(rig_set_irqs(&r, 3, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1,
			      &ev, 1), 0);
	rig_write32(&r, 1, TM_SCRATCH, 99);
	close(r.fd);
	rig_step(&r);
	CHECK_EQ(dev->dma.count, 0);
	CHECK_EQ(dev->irq.vec[3][0].trigger, -1);
	CHECK_EQ(dev->stats.refused, 1);
	r.fd = dial(path);
	rig_step(&r);
	CHECK(rig_version(&r, NULL) > 0);
	CHECK_EQ(rig_read32(&r, 1, TM_SCRATCH), 99);	/* device state stays */
	close(r.fd);
	close(fd);
	close(ev);
	/* a live socket is not stolen, a dead one is replaced, both are removed */
	fprintf(stderr, "# expect one message: cannot listen\n");
	CHECK(!vu_server_new(dev, &opts));
	dev->front = &srv->front;
	vu_server_free(srv);
	CHECK(stat(path, &st) && stat(ctl, &st));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	{
		struct sockaddr_un addr = { .sun_family = AF_UNIX };

		strcpy(addr.sun_path, path);
		CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	close(fd);
	srv = vu_server_new(dev, &opts);
	CHECK(srv);
	vu_server_free(srv);
	vu_dev_free(dev);
	rmdir(dir);
}

static const char *ctl_talk(struct rig *r, int fd, const char *text, size_t len)
{
	static char buf[1 << 20];
	size_t have = 0;
	ssize_t n;

	CHECK_EQ(write(fd, text, len), (ssize_t)len);
	for (int i = 0; i < 200; i++) {
		rig_step(r);
		n = recv(fd, buf + have, sizeof(buf) - 1 - have, MSG_DONTWAIT);
		have += n > 0 ? (size_t)n : 0;
		if (n == 0)
			break;
	}
	buf[have] = 0;
	return buf;
}

#define TALK(r, fd, text) ctl_talk(r, fd, text, strlen(text))

static void control_socket(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	char longline[5000];
	int sv[2], sw[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sw));
	vu_server_attach_control(r->srv, sv[1]);
	vu_server_attach_control(r->srv, sw[1]);
	CHECK(strstr(TALK(r, sv[0], "help\n"), "ledger"));
	CHECK(strstr(TALK(r, sv[0], "regs\r\n"), "CONFIG.VENDOR 0x1234\n"));
	CHECK(strstr(TALK(r, sw[0], "stats\n"), "requests 1\n"));
	CHECK(!strcmp(TALK(r, sv[0], "nonsense\n"), "err no such command\n"));
	CHECK(!strcmp(TALK(r, sv[0], "ledger x\n"), "err usage: ledger [clear]\n"));
	CHECK(!strcmp(TALK(r, sv[0], "\n\r\n  \nledger\nledger clear\n"), "ok\nok\n"));
	CHECK(!strcmp(TALK(r, sv[0], "led"), ""));
	CHECK(!strcmp(TALK(r, sv[0], "ger\n"), "ok\n"));
	CHECK(!strcmp(TALK(r, sv[0], "a b c d e f g h i j k l m n o p q r\n"),
		      "err too many words\n"));
	memset(longline, 'a', sizeof(longline));
	longline[sizeof(longline) - 1] = '\n';
	CHECK(!strcmp(ctl_talk(r, sv[0], longline, sizeof(longline)), "err line too long\n"));
	CHECK(!strcmp(TALK(r, sv[0], "reset\n"), "ok\n"));
	CHECK_EQ(r->dev->stats.resets, 2);
	/* an answer larger than the socket buffer, commands queued behind it */
	for (uint64_t i = 0; i < 30000; i++)
		vu_ledger_add(&r->dev->ledger, i << 12, 1);
	CHECK(strstr(TALK(r, sv[0], "ledger\nledger clear\n"), "0x752f000 1\nok\nok\n"));
	close(sv[0]);
	rig_step(r);
	CHECK(!strcmp(TALK(r, sw[0], "ledger\n"), "ok\n"));
	close(sw[0]);
	rig_close(r);
}

static void *clear_later(void *arg)
{
	usleep(50000);
	if (write(*(int *)arg, "fault clear\n", 12) != 12)
		abort();
	return NULL;
}

static void hang_is_cleared_by_control(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	pthread_t thread;
	uint64_t start;
	int sv[2];

	test_clock(true);
	start = vu_now();

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	vu_server_attach_control(r->srv, sv[1]);
	rig_enable(r);
	rig_control(r, "fault region_read hang count=1");
	pthread_create(&thread, NULL, clear_later, &sv[0]);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 0);
	CHECK(vu_now() - start > 40000000);
	pthread_join(thread, NULL);
	close(sv[0]);
	rig_close(r);
}

static void options_are_checked(void)
{
	char *bad[] = { "nothing=1" }, *novalue[] = { "level" }, *good[] = { "level=7", "level=9" };
	uint64_t val = 3;
	struct vu_dev *dev;

	fprintf(stderr, "# expect three messages about options\n");
	CHECK(!vu_dev_new(&test_model, bad, 1));
	CHECK(!vu_dev_new(&test_model, novalue, 1));
	dev = vu_dev_new(&test_model, good, 2);
	CHECK(dev);
	CHECK_EQ(vu_option_u64(dev, "level", 0, 8, &val), -EINVAL);
	CHECK_EQ(vu_option_u64(dev, "level", 0, 9, &val), 0);
	CHECK_EQ(val, 9);
	vu_dev_free(dev);
}

static const struct test server_tests[] = {
	{ "server: version_comes_first", version_first },
	{ "server: broken_streams", broken_streams },
	{ "server: descriptors_do_not_leak", descriptors },
	{ "server: clients_come_and_go", clients_come_and_go },
	{ "server: control_socket", control_socket },
	{ "server: hang_is_cleared_by_control", hang_is_cleared_by_control },
	{ "server: options_are_checked", options_are_checked },
	{ NULL, NULL },
};

TEST_SUITE(server_tests);
