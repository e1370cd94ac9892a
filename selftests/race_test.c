// SPDX-License-Identifier: GPL-2.0
/*
 * Users who do everything at once: page faults against what takes memory away,
 * SET_IRQS against itself and against interrupts, resets by sysfs against all of that,
 * hot reset against opens.  What is looked for is a report of the kernel (KASAN, lockdep)
 * or a hang; afterwards the function has to work.  RACE_SECONDS=n makes each race
 * longer.  A job tells whether it did what it is for: a race in which one never did was
 * none, and fails.
 *
 * Groups: functions
 */
#include <sys/prctl.h>

#include "lib/race.h"
#include "lib/stock.h"
#include "lib/test.h"

#define MB2		0x200000UL
#define GB		0x40000000UL
#define BIG		(GB + 4 * MB2)
#define BIG_BAR		VFIO_PCI_BAR2_REGION_INDEX
#define SET		VFIO_DEVICE_FEATURE_SET

#define JOB RACE_JOB

/* Of a step that is not what the job is for. */
#define ASIDE		(-ENODATA)

/* ---- What takes memory away, and what wants it ---- */

struct prey {
	struct vdev *v;
	uint8_t *map;
	size_t bytes;
	unsigned int region;
	unsigned int pm;
};

static int loads(void *arg, unsigned long n)
{
	struct prey *p = arg;

	return race_load_faults(p->map + (n * 0x9e3779b1UL % p->bytes & ~3UL)) ? -EFAULT : 0;
}

/* Of all regions; config space always answers. */
static int reads(void *arg, unsigned long n)
{
	struct prey *p = arg;
	uint8_t buf[32];
	long got = vdev_pread(p->v, n % 10, n * 44 % 0x3000, buf, n % sizeof(buf));

	if (got < 0)
		return got;
	return got && n % 10 == p->region ? 0 : ASIDE;
}

static int memory_bit(void *arg, unsigned long n)
{
	struct prey *p = arg;
	int err = vdev_cfg_set(p->v, PCI_COMMAND, 2, n % 2 ? PCI_COMMAND_MEMORY : 0);

	/* Others have to find memory there, too. */
	usleep(n % 2 * 2000);
	return err;
}

static int resets(void *arg, unsigned long n)
{
	struct prey *p = arg;
	int err = ioctl(p->v->fd, VFIO_DEVICE_RESET) ? -errno : 0;

	err = err ?: vdev_cfg_set(p->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	/* A reset takes long and keeps all others out. */
	usleep(n % 4 * 5000);
	return err;
}

/* What the others do soon wakes it; once it has to be seen asleep. */
static int d_states(void *arg, unsigned long n)
{
	struct prey *p = arg;
	int err = vdev_cfg_set(p->v, p->pm + PCI_PM_CTRL, 2, n % 3 ? 0 : 3);

	if (err || n % 3)
		return err ?: ASIDE;
	return (vdev_cfg(p->v, p->pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK) == 3 ? 0 : -EAGAIN;
}

static int low_power(void *arg, unsigned long n)
{
	struct prey *p = arg;
	int err = vdev_feature(p->v, SET | (n % 2 ? VFIO_DEVICE_FEATURE_LOW_POWER_EXIT :
					    VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY), NULL, 0);

	usleep(n % 5 * 100);
	return err ?: n % 2 ? ASIDE : 0;
}

/* Cut pieces out of the mapping, put them back, move them away. */
static int splits(void *arg, unsigned long n)
{
	struct prey *p = arg;
	size_t pos = n * 3 * 4096 * 511 % p->bytes & ~0xfffUL;
	void *spare = p->map + 2 * GB;

	switch (n % 3) {
	case 0:
		mprotect(p->map + pos, 4096, PROT_READ);
		mprotect(p->map + pos, 4096, PROT_READ | PROT_WRITE);
		break;
	case 1:
		if (mremap(p->map + pos, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, spare) == spare)
			munmap(spare, 4096);
		break;
	}
	if (mmap(p->map, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, p->v->fd,
		 (off_t)p->region << 40) == MAP_FAILED)
		return -errno;
	madvise(p->map, p->bytes, MADV_HUGEPAGE);
	return 0;
}

static int forks(void *arg, unsigned long n)
{
	struct prey *p = arg;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		/* Faults in two processes at a time. */
		for (unsigned int i = 0; i < 20; i++)
			race_load_faults(p->map + i * MB2 % p->bytes);
		_exit(0);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : -ECHILD;
}

FIXTURE(race)
{
	struct slot slot;
	struct vdev v;
	struct prey prey;
};

FIXTURE_SETUP(race)
{
	self->v.fd = -1;
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot,
			       access("/dev/iommu", R_OK) ? VDEV_GROUP : VDEV_CDEV));
	self->prey = (struct prey){ .v = &self->v, .region = HISIL_BAR, .bytes = 16 * 4096 };
	self->prey.map = vdev_bar_map(&self->v, HISIL_BAR, self->prey.bytes);
	ASSERT_NE(NULL, self->prey.map);
	self->prey.pm = vdev_find_cap(&self->v, PCI_CAP_ID_PM);
	ASSERT_NE(0U, self->prey.pm);
}

FIXTURE_TEARDOWN(race)
{
	munmap(self->prey.map, self->prey.bytes);
	vdev_close(&self->v);
}

static int still_works(struct vdev *v)
{
	uint32_t id = 0;
	long n;

	vdev_feature(v, SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0);
	if (vdev_reset(v) || vdev_cfg_set(v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY))
		return -EIO;
	n = vdev_pread(v, HISIL_BAR, HISIL_ID, &id, 4);
	return n == 4 && id == HISIL_ID_VALUE ? 0 : -EIO;
}

TEST_F_TIMEOUT(race, faults_against_what_takes_memory, 300)
{
	struct prey *p = &self->prey;
	struct race_job jobs[] = {
		JOB(loads, p), JOB(loads, p), JOB(reads, p), JOB(memory_bit, p),
		JOB(resets, p), JOB(d_states, p), JOB(low_power, p),
	};

	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	EXPECT_EQ(0, still_works(&self->v));
	EXPECT_FALSE(race_load_faults(p->map));
}

/* Of somebody else, who waits for nobody. */
static int sysfs_resets(void *arg, unsigned long n)
{
	struct vdev *v = arg;
	int err = vdev_sysfs_write(v->slot.bdf, "reset", "1");

	/* At other places of what the others do. */
	usleep(n % 8 * 15000);
	return err;
}

TEST_F_TIMEOUT(race, resets_by_sysfs_against_what_takes_memory, 300)
{
	struct prey *p = &self->prey;
	struct race_job jobs[] = {
		JOB(sysfs_resets, &self->v), JOB(loads, p), JOB(reads, p), JOB(memory_bit, p),
		JOB(resets, p), JOB(d_states, p), JOB(low_power, p),
	};

	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	EXPECT_EQ(0, still_works(&self->v));
	EXPECT_FALSE(race_load_faults(p->map));
}

/* ---- SET_IRQS ---- */

struct irqs {
	struct vdev *v;
	int fd[4];
	char count_path[64];	/* edu: how often its INTx has fired */
	unsigned long count;
};

static int set_irqs(struct vdev *v, uint32_t flags, unsigned int index, unsigned int start,
		    unsigned int count, const void *data, size_t bytes)
{
	struct {
		struct vfio_irq_set set;
		uint8_t data[64];
	} b = { .set = { sizeof(b.set) + bytes, flags, index, start, count } };

	memcpy(b.data, data ? data : "", bytes);
	return ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &b) ? -errno : 0;
}

static int on_off(struct irqs *q, unsigned int index, unsigned int vectors, unsigned long n)
{
	int err = vdev_irq_eventfds(q->v, index, 0, vectors, q->fd);

	if (n % 2)
		usleep(1000);
	vdev_irq_eventfds(q->v, index, 0, 0, NULL);
	return err;
}

static int intx_on_off(void *arg, unsigned long n)
{
	return on_off(arg, VFIO_PCI_INTX_IRQ_INDEX, 1, n);
}

static int msi_on_off(void *arg, unsigned long n)
{
	return on_off(arg, VFIO_PCI_MSI_IRQ_INDEX, 1, n);
}

static int msix_on_off(void *arg, unsigned long n)
{
	return on_off(arg, VFIO_PCI_MSIX_IRQ_INDEX, 1 + n % 4, n);
}

static int single_vectors(void *arg, unsigned long n)
{
	struct irqs *q = arg;
	int err = vdev_irq_eventfds(q->v, VFIO_PCI_MSIX_IRQ_INDEX, n % 4, 1,
				    n % 3 ? &q->fd[n % 4] : (int[]){ -1 });

	return err ?: n % 3 ? 0 : ASIDE;
}

static int loopback(void *arg, unsigned long n)
{
	static const uint8_t raise[4] = { 1, 0, 1, 1 };
	unsigned int index = n % VFIO_PCI_NUM_IRQS;
	struct irqs *q = arg;
	int err = vdev_irq_bool(q->v, index, 0, n % 3 ? 1 : 4, raise);

	return err ?: index <= VFIO_PCI_MSIX_IRQ_INDEX ? 0 : ASIDE;
}

static int err_and_req(void *arg, unsigned long n)
{
	struct irqs *q = arg;
	int err = vdev_irq_eventfds(q->v, VFIO_PCI_ERR_IRQ_INDEX + n % 2, 0, 1,
				    n % 5 ? &q->fd[n % 4] : (int[]){ -1 });

	return err ?: n % 5 ? 0 : ASIDE;
}

static int masks(void *arg, unsigned long n)
{
	struct irqs *q = arg;

	return set_irqs(q->v, VFIO_IRQ_SET_DATA_NONE | (n % 2 ? VFIO_IRQ_SET_ACTION_MASK :
							VFIO_IRQ_SET_ACTION_UNMASK),
			VFIO_PCI_INTX_IRQ_INDEX, 0, 1, NULL, 0);
}

/* The unmask eventfd comes and goes, and is the trigger's own every other time. */
static int unmask_eventfd(void *arg, unsigned long n)
{
	const uint64_t one = 1;
	struct irqs *q = arg;
	int fd = n % 3 ? q->fd[n % 2] : -1;
	int err = set_irqs(q->v, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK,
			   VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd, sizeof(fd));

	if (write(q->fd[n % 2], &one, sizeof(one)) != sizeof(one))
		eventfd_wait(q->fd[n % 2], 0);
	return err ?: n % 3 ? 0 : ASIDE;
}

static int intx_disable_bit(void *arg, unsigned long n)
{
	struct irqs *q = arg;

	return vdev_cfg_set(q->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			    (n % 2 ? PCI_COMMAND_INTX_DISABLE : 0));
}

/* The kernel's counts of the line that INTx of this function is on, "0,12". */
static int count_intx(struct irqs *q)
{
	char text[256], *at = text;
	int err = sysfs_read(q->count_path, text, sizeof(text));

	q->count = 0;
	while (!err && *at) {
		q->count += strtoul(at, &at, 10);
		at += strspn(at, ",");
	}
	return err;
}

static int count_intx_init(struct irqs *q, const struct slot *slot)
{
	char irq[16];
	int err = vdev_sysfs_read(slot->bdf, "irq", irq, sizeof(irq));

	snprintf(q->count_path, sizeof(q->count_path), "/sys/kernel/irq/%s/per_cpu_count", irq);
	return err ?: count_intx(q);
}

/* Done when an interrupt has come: eventfds are also signalled by others here. */
static int edu_fires(void *arg, unsigned long n)
{
	struct irqs *q = arg;
	unsigned long before = q->count;
	int err = bar_set(q->v, 0, EDU_IRQ_RAISE, 1);

	err = err ?: bar_set(q->v, 0, EDU_IRQ_ACK, 1);
	eventfd_wait(q->fd[n % 4], 0);
	err = err ?: count_intx(q);
	return err ?: q->count > before ? 0 : -EAGAIN;
}

static bool irqs_open(struct irqs *q, struct vdev *v)
{
	bool ok = true;

	q->v = v;
	for (unsigned int i = 0; i < 4; i++) {
		q->fd[i] = eventfd_new();
		ok &= q->fd[i] >= 0;
	}
	return ok;
}

static void irqs_close(struct irqs *q)
{
	for (unsigned int i = 0; i < 4; i++)
		close(q->fd[i]);
}

static void irqs_off(struct vdev *v)
{
	for (unsigned int i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		vdev_irq_eventfds(v, i, 0, 0, NULL);
}

FIXTURE(irqs)
{
	struct slot slot;
	struct vdev v;
	struct irqs q;
};

FIXTURE_SETUP(irqs)
{
	self->v.fd = self->v.group = self->v.iommu = -1;
	ASSERT_TRUE(irqs_open(&self->q, &self->v));
}

FIXTURE_TEARDOWN(irqs)
{
	vdev_close(&self->v);
	irqs_close(&self->q);
}

/* On a function that has all kinds. */
TEST_F_TIMEOUT(irqs, set_irqs_against_itself, 300)
{
	struct prey prey = { .v = &self->v };
	struct irqs *q = &self->q;
	struct race_job jobs[] = {
		JOB(intx_on_off, q), JOB(msi_on_off, q), JOB(msix_on_off, q),
		JOB(single_vectors, q), JOB(loopback, q), JOB(err_and_req, q),
		JOB(resets, &prey),
	};

	NEED_STOCK("e1000e", &self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	irqs_off(&self->v);
	EXPECT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 4, q->fd));
}

/* On a function that has a function level reset. */
TEST_F_TIMEOUT(irqs, set_irqs_against_resets_by_sysfs, 300)
{
	struct prey prey = { .v = &self->v };
	struct irqs *q = &self->q;
	struct race_job jobs[] = {
		JOB(sysfs_resets, &self->v), JOB(intx_on_off, q), JOB(msix_on_off, q),
		JOB(single_vectors, q), JOB(masks, q), JOB(d_states, &prey),
	};

	NEED_STOCK("igb", &self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	prey.pm = vdev_find_cap(&self->v, PCI_CAP_ID_PM);
	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	irqs_off(&self->v);
	EXPECT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 4, q->fd));
}

TEST_F_TIMEOUT(irqs, set_irqs_against_interrupts, 300)
{
	struct irqs *q = &self->q;
	struct race_job jobs[] = {
		JOB(edu_fires, q), JOB(intx_on_off, q), JOB(msi_on_off, q), JOB(masks, q),
		JOB(unmask_eventfd, q), JOB(intx_disable_bit, q), JOB(loopback, q),
	};

	NEED_STOCK("edu", &self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	ASSERT_EQ(0, count_intx_init(q, &self->slot));
	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));

	/* And one that is not disturbed arrives. */
	irqs_off(&self->v);
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	while (eventfd_wait(q->fd[0], 0) == 1)
		;
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, q->fd));
	EXPECT_EQ(0, bar_set(&self->v, 0, EDU_IRQ_RAISE, 1));
	EXPECT_EQ(1, eventfd_wait(q->fd[0], 2000));
}

/* ---- Close and unbind ---- */

enum visit { ON_THE_WAY, INSIDE, TURNED_AWAY };

struct visitor {
	struct slot *slot;
	volatile enum visit *now;	/* shared with the child */
};

static void visit(const struct visitor *u)
{
	struct prey p = { .region = HISIL_BAR, .bytes = 16 * 4096 };
	int fd = eventfd_new();
	struct vdev v;

	/* Without an owner it does not outlive the race. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (vdev_open(&v, u->slot, VDEV_GROUP))
		return;
	p.v = &v;
	p.map = vdev_bar_map(&v, HISIL_BAR, p.bytes);
	vdev_irq_eventfds(&v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &fd);
	for (unsigned long i = 0; p.map; i++) {
		if (!loads(&p, i))
			*u->now = INSIDE;
		memory_bit(&p, i / 16);
	}
}

/* At any time; every other one has come in before. */
static int users_come_and_die(void *arg, unsigned long n)
{
	struct visitor *u = arg;
	pid_t pid;

	*u->now = ON_THE_WAY;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		visit(u);
		*u->now = TURNED_AWAY;
		_exit(1);
	}
	for (unsigned int i = 0; n % 2 && *u->now == ON_THE_WAY && i < 2000; i++)
		usleep(10000);
	usleep(1000 * (n % 40));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return *u->now == INSIDE ? 0 : -EAGAIN;
}

static int unbinds(void *arg, unsigned long n)
{
	struct slot *slot = arg;
	int err = vdev_unbind(slot->bdf);

	err = err ?: vdev_bind(slot->bdf, DRIVER);
	usleep(20000 + n % 4 * 100000);
	return err;
}

TEST_F_TIMEOUT(race, faults_against_close_and_unbind, 300)
{
	volatile enum visit *now = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct visitor u[] = { { &self->slot, now }, { &self->slot, now + 1 } };
	struct race_job jobs[] = {
		JOB(users_come_and_die, &u[0]), JOB(users_come_and_die, &u[1]),
		JOB(unbinds, &self->slot),
	};

	ASSERT_NE(MAP_FAILED, (void *)now);
	munmap(self->prey.map, self->prey.bytes);
	vdev_close(&self->v);
	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, DRIVER));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	EXPECT_EQ(0, still_works(&self->v));
	self->prey.map = vdev_bar_map(&self->v, HISIL_BAR, self->prey.bytes);
	EXPECT_NE(NULL, self->prey.map);
	munmap((void *)now, 4096);
}

/* ---- A large BAR, and a bus of its own ---- */

FIXTURE(big)
{
	struct slot slot;
	struct vdev v;
	struct prey prey;
};

FIXTURE_SETUP(big)
{
	void *room;

	self->v.fd = -1;
	if (access("/sys/bus/pci/drivers/vpv_test_variant", F_OK))
		SKIP(return, "vpv_test_variant is not loaded");
	if (slots_find("testdev", &self->slot, 1) != 1)
		SKIP(return, "no pci-testdev in /vpv/stock");
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, "vpv_test_variant"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	room = mmap(NULL, 4 * GB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, room);
	self->prey = (struct prey){
		.v = &self->v, .region = BIG_BAR, .bytes = BIG,
		.map = (uint8_t *)(((uintptr_t)room + GB - 1) / GB * GB),
	};
	ASSERT_EQ(0, splits(&self->prey, 2));
}

FIXTURE_TEARDOWN(big)
{
	munmap(self->prey.map, 3 * GB);
	vdev_close(&self->v);
}

TEST_F_TIMEOUT(big, huge_faults_against_what_takes_memory, 300)
{
	struct prey *p = &self->prey;
	struct race_job jobs[] = {
		JOB(loads, p), JOB(loads, p), JOB(memory_bit, p), JOB(resets, p),
		JOB(splits, p), JOB(forks, p),
	};

	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	EXPECT_FALSE(race_load_faults(p->map));
	EXPECT_FALSE(race_load_faults(p->map + BIG - 4));
}

/* ---- Hot reset ---- */

#define MEMBERS 2

/* The functions of a slot, each of which has a group. */
struct opener {
	struct vdev *v;		/* that asks; its fd may be closed */
	const char *bdf;
	int group[MEMBERS];	/* that of @v first */
	unsigned int num;
	int wrong;		/* an errno that a hot reset must not give */
};

static int opens(void *arg, unsigned long n)
{
	struct opener *o = arg;
	int fd = ioctl(o->group[0], VFIO_GROUP_GET_DEVICE_FD, o->bdf);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int hot_reset(int fd, const struct opener *o)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fds[MEMBERS];
	} b = { .reset = { .argsz = sizeof(b), .count = o->num } };

	memcpy(b.fds, o->group, o->num * sizeof(int));
	return ioctl(fd, VFIO_DEVICE_PCI_HOT_RESET, &b) ? -errno : 0;
}

static int hot_resets(void *arg, unsigned long n)
{
	struct opener *o = arg;
	bool own = n % 4 && o->v->fd >= 0;
	int fd = own ? o->v->fd : ioctl(o->group[0], VFIO_GROUP_GET_DEVICE_FD, o->bdf);
	int err;

	if (fd < 0)
		return -errno;
	err = hot_reset(fd, o);
	if (!own)
		close(fd);
	if (err && err != -EBUSY && err != -EAGAIN)
		o->wrong = err;
	return err;
}

TEST_F_TIMEOUT(big, hot_reset_against_opens, 300)
{
	struct opener o = {
		.v = &self->v, .bdf = self->slot.bdf, .group = { self->v.group }, .num = 1,
	};
	struct race_job jobs[] = {
		JOB(opens, &o), JOB(opens, &o), JOB(hot_resets, &o), JOB(loads, &self->prey),
		JOB(resets, &self->prey), JOB(memory_bit, &self->prey),
	};
	struct race_job closed[] = { JOB(opens, &o), JOB(opens, &o), JOB(hot_resets, &o) };

	EXPECT_EQ(0, hot_reset(self->v.fd, &o));
	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));

	/* The same while the only device fd comes and goes. */
	munmap(self->prey.map, 3 * GB);
	close(self->v.fd);
	self->v.fd = -1;
	EXPECT_TRUE(race_run(closed, ARRAY_SIZE(closed)));
	EXPECT_EQ(0, o.wrong);
	self->v.fd = ioctl(o.group[0], VFIO_GROUP_GET_DEVICE_FD, o.bdf);
	ASSERT_GE(self->v.fd, 0);
	EXPECT_EQ(0, hot_reset(self->v.fd, &o));
}

/* Two functions, of which one asks, and the other is used. */
#define SIBLING_BYTES	(16 * 4096)

FIXTURE(pair)
{
	struct slot slot[MEMBERS];
	struct vdev v[MEMBERS];
	struct opener o[MEMBERS];
	struct prey sibling;
};

FIXTURE_SETUP(pair)
{
	for (unsigned int i = 0; i < MEMBERS; i++)
		self->v[i].fd = self->v[i].group = self->v[i].iommu = -1;
	NEED_STOCK("igb-pair", self->slot, MEMBERS);
	for (unsigned int i = 0; i < MEMBERS; i++)
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], VDEV_GROUP));
	for (unsigned int i = 0; i < MEMBERS; i++)
		self->o[i] = (struct opener){
			.v = &self->v[i], .bdf = self->slot[i].bdf, .num = MEMBERS,
			.group = { self->v[i].group, self->v[1 - i].group },
		};
	self->sibling = (struct prey){ .v = &self->v[1], .bytes = SIBLING_BYTES };
	ASSERT_EQ(0, vdev_bus_master(&self->v[1], false));
	self->sibling.map = vdev_bar_map(&self->v[1], 0, SIBLING_BYTES);
	ASSERT_NE(NULL, self->sibling.map);
}

FIXTURE_TEARDOWN(pair)
{
	for (unsigned int i = 0; i < MEMBERS; i++)
		vdev_close(&self->v[i]);
}

/* The first to open it and the last to close it, each time or nearly so. */
static int comes_and_goes(void *arg, unsigned long n)
{
	struct opener *o = arg;
	struct vdev v = { .fd = ioctl(o->group[0], VFIO_GROUP_GET_DEVICE_FD, o->bdf) };
	uint8_t *map;
	int err;

	if (v.fd < 0)
		return -errno;
	err = vdev_bus_master(&v, false);
	map = vdev_bar_map(&v, 0, SIBLING_BYTES);
	if (!map)
		err = err ?: -errno;
	for (unsigned int i = 0; !err && i < 16; i++)
		err = race_load_faults(map + 4096 * i) ? -EFAULT : 0;
	if (map)
		munmap(map, SIBLING_BYTES);
	close(v.fd);
	return err;
}

TEST_F_TIMEOUT(pair, hot_reset_against_the_sibling, 300)
{
	struct opener *asks = &self->o[0], *used = &self->o[1];
	struct prey *p = &self->sibling;
	struct race_job held[] = {
		JOB(hot_resets, asks), JOB(hot_resets, used), JOB(loads, p), JOB(reads, p),
		JOB(memory_bit, p), JOB(opens, used),
	};
	struct race_job closed[] = {
		JOB(hot_resets, asks), JOB(comes_and_goes, used), JOB(comes_and_goes, used),
	};

	EXPECT_EQ(0, hot_reset(self->v[0].fd, asks));
	EXPECT_TRUE(race_run(held, ARRAY_SIZE(held)));
	EXPECT_EQ(0, vdev_bus_master(&self->v[1], false));
	EXPECT_FALSE(race_load_faults(p->map));

	munmap(p->map, SIBLING_BYTES);
	close(self->v[1].fd);
	self->v[1].fd = -1;
	EXPECT_TRUE(race_run(closed, ARRAY_SIZE(closed)));
	EXPECT_EQ(0, asks->wrong);
	EXPECT_EQ(0, used->wrong);
	EXPECT_EQ(0, hot_reset(self->v[0].fd, asks));
	EXPECT_EQ(0, comes_and_goes(used, 0));
}

TEST_HARNESS_MAIN
