/* SPDX-License-Identifier: GPL-2.0 */
/* Unit tests of the device models: TAP output and a client to talk to a server. */
#ifndef TEST_H
#define TEST_H

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../vu_front.h"

struct test {
	const char *name;
	void (*run)(void);
};

/* Each file of tests ends its table with a NULL name and adds it to those that are run. */
#define TEST_SUITE(table) \
	static const struct test *const table##_entry \
		__attribute__((used, section("vu_tests"))) = (table)

/* The test that runs has the clock @of_machine, or, as each at its beginning, one that stands still until somebody waits. */
void test_clock(bool of_machine);
void test_wait(uint64_t ns);

/* Record a failure of the running test, with the place. */
void test_fail(const char *file, int line, const char *what, long long got, long long want);

#define CHECK(x) do { \
	if (!(x)) \
		test_fail(__FILE__, __LINE__, #x, 0, 1); \
} while (0)

#define CHECK_EQ(a, b) do { \
	long long a_ = (long long)(a), b_ = (long long)(b); \
	if (a_ != b_) \
		test_fail(__FILE__, __LINE__, #a " == " #b, a_, b_); \
} while (0)

/* A device, its server, and the client end of the connection. */
struct rig {
	struct vu_dev *dev;
	struct vu_server *srv;
	bool borrowed;			/* the device belongs to another rig */
	int fd;
	uint16_t id;
	struct vu_hdr hdr;		/* of the last reply */
	uint8_t reply[VU_MAX_PAYLOAD];
	int reply_fds[4];
	unsigned int num_reply_fds;
};

/* @options: NULL terminated "key=value" list, or NULL; VERSION is exchanged. */
struct rig *rig_open(const struct vu_model *model, char **options);
/* As rig_open(), but the client has said nothing yet. */
struct rig *rig_open_raw(const struct vu_model *model, char **options);
/* Controlled function @n of @family's device; close it before @family. */
struct rig *rig_open_controlled(struct rig *family, unsigned int n);
void rig_close(struct rig *r);
void rig_connect(struct rig *r);
int rig_version(struct rig *r, const char *json);
/* Let the server and the model do what they have to do now. */
void rig_step(struct rig *r);
/* Likewise for @ms milliseconds. */
void rig_run(struct rig *r, unsigned int ms);
void rig_send_raw(struct rig *r, const void *data, size_t len, const int *fds, unsigned int n);
void rig_send(struct rig *r, uint16_t cmd, uint32_t flags, const void *data, size_t len,
	      const int *fds, unsigned int n);
/* Reply length, negative errno of an error reply, or -ENODATA when there is none. */
int rig_recv(struct rig *r);
int rig_call(struct rig *r, uint16_t cmd, const void *data, size_t len, const int *fds,
	     unsigned int n);
/* True when the server has closed the connection. */
bool rig_closed(struct rig *r);

int rig_read(struct rig *r, uint32_t region, uint64_t off, void *buf, uint32_t len);
int rig_write(struct rig *r, uint32_t region, uint64_t off, const void *buf, uint32_t len);
uint32_t rig_read32(struct rig *r, uint32_t region, uint64_t off);
void rig_write32(struct rig *r, uint32_t region, uint64_t off, uint32_t val);
/* Memory space and bus master on. */
void rig_enable(struct rig *r);
/* A memfd of @bytes mapped at @iova; returns its mapping here and *fd. */
uint8_t *rig_memory(struct rig *r, uint64_t iova, size_t bytes, uint32_t flags, int *fd);
int rig_dma_map(struct rig *r, uint64_t iova, uint64_t size, uint64_t off, uint32_t flags, int fd);
int rig_dma_unmap(struct rig *r, uint64_t iova, uint64_t size, uint32_t flags);
int rig_set_irqs(struct rig *r, uint32_t index, uint32_t flags, uint32_t start, uint32_t count,
		 const int *fds, unsigned int n);
/* Count of events since the last call. */
uint64_t event_count(int fd);
/* Run a control command; the answer is valid until the next call. */
const char *rig_control(struct rig *r, const char *line);

/* ---- the model used to test the runtime (test_model.c) ---- */

/*
 * BAR 0: I/O, 16 bytes.  BAR 1: 32-bit memory, 64 KiB: pages 1 and 3 mappable.
 * BAR 2: 64-bit, 8 KiB, all mappable.  BAR 4: MSI-X.  DMA engine in BAR 1, page 0:
 */
enum {
	TM_IOVA = 0x00,		/* 64-bit */
	TM_LEN = 0x08,
	TM_GO = 0x0c,		/* 1: read to the buffer, 2: write from it */
	TM_RESULT = 0x10,	/* -errno of the last transfer */
	TM_INTX = 0x14,
	TM_MSI = 0x18,
	TM_MSIX = 0x1c,
	TM_ERR = 0x20,
	TM_REQ = 0x24,
	TM_SCRATCH = 0x28,
	TM_RESETS = 0x2c,
};

#define TM_BUFFER_BYTES	(1u << 20)

extern const struct vu_model test_model;
uint8_t *test_model_buffer(struct vu_dev *dev);

#endif /* TEST_H */
