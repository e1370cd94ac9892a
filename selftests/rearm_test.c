// SPDX-License-Identifier: GPL-2.0
/*
 * An interrupt that is armed gets another eventfd, loses it and gets one again, while
 * the device raises it: each one raised is told to somebody, once, and no message goes
 * to where nobody expects it.  QEMU's edu has MSI without masks, e1000e and hisi_like have
 * MSI-X; e1000e may send a message twice, the others send exactly one each time.
 *
 * Groups: self stable
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/hisil.h"
#include "lib/stock.h"
#include "lib/test.h"

#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX

#define TRIGGER_EVENTFD	(VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD)

#define RAISES	3000
#define CHANGES	200
#define SOON_MS	5000
/* One that has not come by then is lost. */
#define LOST_MS	2000
#define NEVER_MS 50

/* A device that raises interrupts, and a thread that sets them up again and again. */
struct storm {
	struct vdev v;
	struct hisil h;		/* if it is a hisi_like */
	int fd[2];
	unsigned int index;
	int (*raise)(struct storm *s);
	bool twice;		/* it may send one message more */
	int (*step)(struct storm *s, unsigned long n);
	pthread_t thread;
	atomic_bool stop;
	_Atomic unsigned long steps;
	_Atomic int err;
};

static void *storm_thread(void *arg)
{
	struct storm *s = arg;

	while (!s->stop && !s->err) {
		s->err = s->step(s, s->steps);
		s->steps++;
	}
	return NULL;
}

static int exchange(struct storm *s, unsigned long n)
{
	return vdev_irq_eventfds(&s->v, s->index, 0, 1, &s->fd[n % 2]);
}

static int disarm_and_arm(struct storm *s, unsigned long n)
{
	static const int none = -1;
	int err = vdev_irq_eventfds(&s->v, s->index, 0, 1, &none);

	return err ?: exchange(s, n);
}

static int off_and_on(struct storm *s, unsigned long n)
{
	int err = vdev_irq_eventfds(&s->v, s->index, 0, 0, NULL);

	return err ?: exchange(s, n);
}

static int storm_begin(struct storm *s, int (*step)(struct storm *s, unsigned long n))
{
	int err = exchange(s, 0);

	s->step = step;
	s->stop = false;
	s->steps = 0;
	s->err = 0;
	return err ?: -pthread_create(&s->thread, NULL, storm_thread, s);
}

static int storm_end(struct storm *s)
{
	s->stop = true;
	pthread_join(s->thread, NULL);
	return s->err;
}

/* What both eventfds have been told since they were asked last. */
static uint64_t told(struct storm *s)
{
	uint64_t total = 0, count;

	for (unsigned int i = 0; i < 2; i++)
		if (read(s->fd[i], &count, sizeof(count)) == sizeof(count))
			total += count;
	return total;
}

/* Wait until one of them is told something; how often, 0 when the time is up. */
static uint64_t wait_told(struct storm *s, int ms)
{
	struct pollfd fds[2] = {
		{ .fd = s->fd[0], .events = POLLIN }, { .fd = s->fd[1], .events = POLLIN },
	};

	return poll(fds, 2, ms) > 0 ? told(s) : 0;
}

/*
 * Each is raised when the one before has been told, until there were enough of them and
 * of changes beside.  Return: how many were lost, and @extra, how many were told twice.
 */
static unsigned int raise_and_count(struct storm *s, int64_t *extra)
{
	unsigned int lost = 0, raised;
	uint64_t total = 0, count;

	for (raised = 0; (raised < RAISES || s->steps < CHANGES) && !s->err; raised++) {
		count = s->raise(s) ? 0 : wait_told(s, LOST_MS);
		total += count;
		lost += !count;
	}
	usleep(NEVER_MS * 1000);
	total += told(s);
	*extra = total + lost - raised;
	return lost;
}

static void expect_told(struct __test_metadata *_metadata, struct storm *s)
{
	int64_t extra;

	EXPECT_EQ(0U, raise_and_count(s, &extra));
	EXPECT_LE(0, extra);
	if (!s->twice)
		EXPECT_GE(0, extra);
}

/* None is lost, and none is told twice, while all that is done again and again. */
static void each_one_is_told(struct __test_metadata *_metadata, struct storm *s,
			     int (*step)(struct storm *s, unsigned long n))
{
	ASSERT_EQ(0, storm_begin(s, step));
	expect_told(_metadata, s);
	EXPECT_EQ(0, storm_end(s));
}

/* Who stands in for KVM: for what is told to the second eventfd. */
static int kvm_open(const struct storm *s)
{
	int kvm = open("/dev/vpv_test_bypass", O_RDWR | O_CLOEXEC);
	char text[16];

	snprintf(text, sizeof(text), "%d", s->fd[1]);
	if (kvm < 0 || write(kvm, text, strlen(text)) == (ssize_t)strlen(text))
		return kvm;
	close(kvm);
	return -1;
}

/* Which interrupt it has, 0 for none; how often it was given one and lost it. */
static int kvm_irq(int kvm, unsigned int *connected, unsigned int *disconnected)
{
	char text[64] = "";
	int irq = -1;

	if (pread(kvm, text, sizeof(text) - 1, 0) <= 0 ||
	    sscanf(text, "%d %u %u", &irq, connected, disconnected) != 3)
		return -1;
	return irq;
}

/* As when a guest masks and unmasks a vector: from KVM to user space and back. */
static void kvm_comes_and_goes(struct __test_metadata *_metadata, struct storm *s)
{
	unsigned int connected, disconnected;
	int kvm;

	if (access("/dev/vpv_test_bypass", R_OK))
		SKIP(return, "vpv_test_bypass is not loaded");
	kvm = kvm_open(s);
	ASSERT_LE(0, kvm);
	each_one_is_told(_metadata, s, exchange);

	ASSERT_EQ(0, exchange(s, 1));
	EXPECT_LT(0, kvm_irq(kvm, &connected, &disconnected));
	EXPECT_EQ(s->steps / 2 + 1, connected);
	EXPECT_EQ(connected - 1, disconnected);
	ASSERT_EQ(0, exchange(s, 0));
	EXPECT_EQ(0, kvm_irq(kvm, &connected, &disconnected));
	close(kvm);
}

static int storm_open(struct storm *s, const struct slot *slot, unsigned int index,
		      int (*raise)(struct storm *s))
{
	int err = vdev_open(&s->v, slot, VDEV_GROUP);

	s->index = index;
	s->raise = raise;
	for (unsigned int i = 0; i < 2; i++)
		s->fd[i] = eventfd_new();
	return err ?: vdev_bus_master(&s->v, true);
}

static void storm_close(struct storm *s)
{
	vdev_close(&s->v);
	for (unsigned int i = 0; i < 2; i++)
		close(s->fd[i]);
}

/* ---- MSI ---- */

#define PAGE	4096
#define PATTERN	0xa5

static int raise_edu(struct storm *s)
{
	return bar_set(&s->v, 0, EDU_IRQ_RAISE, 1);
}

FIXTURE(msi)
{
	struct slot slot;
	struct storm s;
	uint8_t *zero;
};

FIXTURE_SETUP(msi)
{
	NEED_STOCK("edu", &self->slot, 1);
	ASSERT_EQ(0, storm_open(&self->s, &self->slot, MSI, raise_edu));
	/* Where a message of zeroes goes. */
	self->zero = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->zero);
	memset(self->zero, PATTERN, PAGE);
	ASSERT_EQ(0, vdev_dma_map(&self->s.v, self->zero, 0, PAGE));
}

FIXTURE_TEARDOWN(msi)
{
	storm_close(&self->s);
	munmap(self->zero, PAGE);
}

static unsigned int changed(const uint8_t *page)
{
	unsigned int num = 0;

	for (unsigned int i = 0; i < PAGE; i++)
		num += page[i] != PATTERN;
	return num;
}

TEST_F_TIMEOUT(msi, each_one_is_told_while_the_eventfd_is_exchanged, 600)
{
	each_one_is_told(_metadata, &self->s, exchange);
	EXPECT_EQ(0U, changed(self->zero));
}

TEST_F_TIMEOUT(msi, each_one_is_told_while_it_is_disarmed_and_armed, 600)
{
	each_one_is_told(_metadata, &self->s, disarm_and_arm);
	EXPECT_EQ(0U, changed(self->zero));
}

/* Those that come while MSI is off are lost, but sent nowhere. */
TEST_F_TIMEOUT(msi, none_is_sent_to_address_0_while_it_is_switched, 300)
{
	ASSERT_EQ(0, storm_begin(&self->s, off_and_on));
	for (unsigned int i = 0; i < 10 * RAISES && !changed(self->zero); i++)
		ASSERT_EQ(0, raise_edu(&self->s));
	EXPECT_EQ(0, storm_end(&self->s));
	EXPECT_EQ(0U, changed(self->zero));
	EXPECT_LT(10U, self->s.steps);

	/* And it works. */
	told(&self->s);
	ASSERT_EQ(0, raise_edu(&self->s));
	EXPECT_NE(0U, wait_told(&self->s, SOON_MS));
}

TEST_F(msi, one_that_is_raised_while_nobody_is_told_is_kept)
{
	static const int none = -1;
	struct storm *s = &self->s;

	ASSERT_EQ(0, exchange(s, 0));
	ASSERT_EQ(0, vdev_irq_eventfds(&s->v, MSI, 0, 1, &none));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, raise_edu(s));
	EXPECT_EQ(0U, wait_told(s, NEVER_MS));
	EXPECT_EQ(0U, changed(self->zero));

	ASSERT_EQ(0, exchange(s, 1));
	EXPECT_TRUE(eventfd_wait(s->fd[1], SOON_MS));
	ASSERT_EQ(0, raise_edu(s));
	EXPECT_TRUE(eventfd_wait(s->fd[1], SOON_MS));
	EXPECT_FALSE(eventfd_wait(s->fd[0], 0));
}

TEST_F(msi, an_eventfd_that_is_none_changes_nothing)
{
	struct storm *s = &self->s;

	ASSERT_EQ(0, exchange(s, 0));
	EXPECT_EQ(-EBADF, vdev_irq_one(&s->v, MSI, TRIGGER_EVENTFD, 4000));
	ASSERT_EQ(0, raise_edu(s));
	EXPECT_TRUE(eventfd_wait(s->fd[0], SOON_MS));
}

TEST_F_TIMEOUT(msi, each_one_is_told_while_kvm_comes_and_goes, 600)
{
	kvm_comes_and_goes(_metadata, &self->s);
}

/* ---- MSI-X ---- */

/* BAR 3 is the table and the pending bits. */
#define TABLE_BAR	3
#define ENTRY_CTRL	(PCI_MSIX_ENTRY_VECTOR_CTRL / 4)

/* Mostly once, as the cause is taken back at once; but QEMU may send one message more meanwhile. */
static int raise_e1000e(struct storm *s)
{
	struct vdev *v = &s->v;

	bar_get(v, 0, E1000E_ICR);
	return bar_set(v, 0, E1000E_IMS, E1000E_LSC | E1000E_OTHER) ?:
	       bar_set(v, 0, E1000E_ICS, E1000E_LSC | E1000E_OTHER) ?:
	       bar_set(v, 0, E1000E_IMC, ~0U);
}

FIXTURE(msix)
{
	struct slot slot;
	struct storm s;
};

FIXTURE_SETUP(msix)
{
	NEED_STOCK("e1000e", &self->slot, 1);
	ASSERT_EQ(0, storm_open(&self->s, &self->slot, MSIX, raise_e1000e));
	self->s.twice = true;
	ASSERT_EQ(0, bar_set(&self->s.v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(0)));
}

FIXTURE_TEARDOWN(msix)
{
	storm_close(&self->s);
}

TEST_F_TIMEOUT(msix, each_one_is_told_while_the_eventfd_is_exchanged, 600)
{
	each_one_is_told(_metadata, &self->s, exchange);
}

TEST_F_TIMEOUT(msix, each_one_is_told_while_it_is_disarmed_and_armed, 600)
{
	each_one_is_told(_metadata, &self->s, disarm_and_arm);
}

TEST_F_TIMEOUT(msix, each_one_is_told_while_kvm_comes_and_goes, 600)
{
	kvm_comes_and_goes(_metadata, &self->s);
}

/* A block with a mistake in it leaves the vectors as they are, the armed and the others. */
TEST_F(msix, a_block_with_a_mistake_changes_nothing)
{
	struct storm *s = &self->s;
	int bad[3] = { s->fd[1], s->fd[1], 4000 };
	uint8_t one = 1;

	ASSERT_EQ(0, exchange(s, 0));
	EXPECT_EQ(-EBADF, vdev_irq_eventfds(&s->v, MSIX, 0, 3, bad));
	ASSERT_EQ(0, raise_e1000e(s));
	EXPECT_TRUE(eventfd_wait(s->fd[0], SOON_MS));
	/* Loopback of one that is not armed. */
	ASSERT_EQ(0, vdev_irq_bool(&s->v, MSIX, 1, 1, &one));
	EXPECT_FALSE(eventfd_wait(s->fd[1], NEVER_MS));
}

/* The kernel knows an eventfd once only when it looks for a way past it. */
TEST_F(msix, vectors_may_share_an_eventfd)
{
	struct storm *s = &self->s;
	const int same[2] = { s->fd[0], s->fd[0] };
	static const int none[2] = { -1, -1 };

	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, vdev_irq_eventfds(&s->v, MSIX, 0, 2, same));
		for (int vector = 0; vector < 2; vector++) {
			ASSERT_EQ(0, bar_set(&s->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(vector)));
			ASSERT_EQ(0, raise_e1000e(s));
			EXPECT_TRUE(eventfd_wait(s->fd[0], SOON_MS));
		}
		/* The one that is known leaves first, then last; then both at once. */
		if (round < 2) {
			ASSERT_EQ(0, vdev_irq_eventfds(&s->v, MSIX, round, 1, none));
			ASSERT_EQ(0, vdev_irq_eventfds(&s->v, MSIX, 0, 2, &same[0]));
			ASSERT_EQ(0, vdev_irq_eventfds(&s->v, MSIX, 0, 2, none));
		}
		ASSERT_EQ(0, vdev_irq_eventfds(&s->v, MSIX, 0, 0, NULL));
	}
	ASSERT_EQ(0, vdev_irq_eventfds(&s->v, MSIX, 0, 2, s->fd));
	ASSERT_EQ(0, bar_set(&s->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(1)));
	ASSERT_EQ(0, raise_e1000e(s));
	EXPECT_TRUE(eventfd_wait(s->fd[1], SOON_MS));
}

/* By a reset that the device's own registers begin; here the host writes what it leaves. */
TEST_F(msix, a_table_that_was_cleared_is_restored)
{
	char path[96];
	volatile uint32_t *table;
	int fd;

	ASSERT_EQ(0, exchange(&self->s, 0));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%d", self->slot.bdf,
		 TABLE_BAR);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	table = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (table == MAP_FAILED)
		SKIP(return, "this kernel does not let %s be mapped", path);

	for (unsigned long n = 0; n < 2; n++) {
		table[ENTRY_CTRL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
		for (unsigned int i = 0; i < ENTRY_CTRL; i++)
			table[i] = 0;
		ASSERT_EQ(0, n ? disarm_and_arm(&self->s, n) : exchange(&self->s, n));
		ASSERT_EQ(0, raise_e1000e(&self->s));
		EXPECT_TRUE(eventfd_wait(self->s.fd[n], SOON_MS));
	}
	munmap((void *)table, PAGE);
}

/* ---- The kernel moves it meanwhile ---- */

/* An interrupt, and a thread that moves it from one CPU to another. */
struct mover {
	char path[64];
	pthread_t thread;
	atomic_bool stop;
	_Atomic unsigned long moves;
};

static void *mover_thread(void *arg)
{
	struct mover *m = arg;
	char mask[16];

	for (unsigned long n = 0; !m->stop; n++) {
		snprintf(mask, sizeof(mask), "%x", 1U << n % 2);
		m->moves += !sysfs_write(m->path, mask);
	}
	return NULL;
}

/* The function has one vector. */
static int mover_begin(struct mover *m, const struct slot *slot)
{
	struct dirent *entry;
	char dir[96];
	DIR *irqs;
	int irq = 0;

	snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%s/msi_irqs", slot->bdf);
	irqs = opendir(dir);
	while (irqs && !irq && (entry = readdir(irqs)))
		irq = atoi(entry->d_name);
	if (irqs)
		closedir(irqs);
	if (!irq)
		return -ENOENT;
	snprintf(m->path, sizeof(m->path), "/proc/irq/%d/smp_affinity", irq);
	m->stop = false;
	m->moves = 0;
	return -pthread_create(&m->thread, NULL, mover_thread, m);
}

static void mover_end(struct mover *m)
{
	m->stop = true;
	pthread_join(m->thread, NULL);
}

/* Where interrupts are remapped it keeps its message; otherwise that is written by both. */
static void each_one_is_told_while_moved(struct __test_metadata *_metadata, struct storm *s,
					 const struct slot *slot)
{
	struct mover mover;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "there is one CPU");
	ASSERT_EQ(0, storm_begin(s, disarm_and_arm));
	ASSERT_EQ(0, mover_begin(&mover, slot));
	expect_told(_metadata, s);
	mover_end(&mover);
	EXPECT_EQ(0, storm_end(s));
	EXPECT_LT(CHANGES, mover.moves);
}

TEST_F_TIMEOUT(msix, each_one_is_told_while_it_is_moved, 600)
{
	each_one_is_told_while_moved(_metadata, &self->s, &self->slot);
}

/* ---- MSI-X, of a device that sends one message for each operation ---- */

/* It is done when this returns, and the message is sent next. */
static int raise_hisil(struct storm *s)
{
	struct hisil_sqe e = hisil_op(HISIL_NOP, 1, 0, 0, 0, 0);
	struct hisil_cqe c;

	e.flags = HISIL_SQE_IRQ;
	return hisil_do(&s->h, 0, &e, &c);
}

FIXTURE(msix_exact)
{
	struct slot slot;
	struct storm s;
};

FIXTURE_SETUP(msix_exact)
{
	struct storm *s = &self->s;

	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, hisil_init(&s->h));
	ASSERT_EQ(0, storm_open(s, &self->slot, MSIX, raise_hisil));
	ASSERT_EQ(0, hisil_share(&s->h, &s->v));
	ASSERT_EQ(0, hisil_attach(&s->h, &s->v));
	ASSERT_EQ(0, hisil_enable(&s->h));
	ASSERT_EQ(0, hisil_queue_start(&s->h, 0, 16, true));
}

FIXTURE_TEARDOWN(msix_exact)
{
	hisil_free(&self->s.h);
	storm_close(&self->s);
}

TEST_F_TIMEOUT(msix_exact, each_one_is_told_while_the_eventfd_is_exchanged, 600)
{
	each_one_is_told(_metadata, &self->s, exchange);
}

TEST_F_TIMEOUT(msix_exact, each_one_is_told_while_it_is_disarmed_and_armed, 600)
{
	each_one_is_told(_metadata, &self->s, disarm_and_arm);
}

TEST_F_TIMEOUT(msix_exact, each_one_is_told_while_kvm_comes_and_goes, 600)
{
	kvm_comes_and_goes(_metadata, &self->s);
}

TEST_F_TIMEOUT(msix_exact, each_one_is_told_while_it_is_moved, 600)
{
	each_one_is_told_while_moved(_metadata, &self->s, &self->slot);
}

TEST_HARNESS_MAIN
