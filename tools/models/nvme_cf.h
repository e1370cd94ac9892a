/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nvme_cf: what the files of the model share (Documentation/hardware/nvme_cf.rst).
 *
 * A process is one NVM subsystem: a managing controller, which has no I/O queues, and
 * migratable controllers.  Both kinds are a struct nvcf_ctrl; tables tell what a kind has.
 * Registers only note what is to be done; it is done in the work hook.
 *
 * Functions that carry out commands return a status of the specification (0 is success),
 * -ECANCELED: the controller was reset meanwhile, so that nothing of it may be used any more,
 * or -EAGAIN: the command is not done yet, and is to be called again soon.
 */
#ifndef NVME_CF_H
#define NVME_CF_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/queue.h>

#include <hw/nvme_cf.h>
#include <hw/nvme_cf_spec.h>

#include "vu.h"

#define NVCF_QUEUES		(NVCF_MAX_IOQ + 1)
#define NVCF_VECTORS		NVCF_QUEUES
#define NVCF_COMMANDS		256u	/* most commands in work */
#define NVCF_AER_LIMIT		4u
#define NVCF_MAX_PAGE_LOG2	16u
#define NVCF_TRANSFER_BYTES	(4096u << NVCF_MAX_MDTS)
#define NVCF_ERRORS		16u	/* entries of the error log */
#define NVCF_NAMED_DISKS	16u	/* options disk1 and so on */
#define NVCF_MAX_DISKS		(NVCF_MAX_FUNCTIONS * NVCF_MAX_NS)
#define NVCF_RECORD		524288u	/* completions that are remembered */
#define NVCF_MAX_RANGES		64u

/*
 * Fault points.  The two kinds of controllers share the first ones; each has a table of
 * names (nvme_cf.c).
 */
enum nvcf_fault {
	NVCF_FAULT_READY = VU_FAULT_MODEL,
	NVCF_FAULT_SHUTDOWN,
	NVCF_FAULT_FETCH,
	NVCF_FAULT_POST,
	NVCF_FAULT_DATA_IN,
	NVCF_FAULT_DATA_OUT,
	NVCF_FAULT_FLIP,
	NVCF_FAULT_IDENTIFY,
	NVCF_FAULT_GET_LOG,
	NVCF_FAULT_SET_FEATURES,
	NVCF_FAULT_GET_FEATURES,
	NVCF_FAULT_ABORT,
	NVCF_FAULT_ASYNC_EVENT,
	NVCF_FAULT_KIND,

	NVCF_FAULT_CREATE_SQ = NVCF_FAULT_KIND,
	NVCF_FAULT_DELETE_SQ,
	NVCF_FAULT_CREATE_CQ,
	NVCF_FAULT_DELETE_CQ,
	NVCF_FAULT_FLUSH,
	NVCF_FAULT_WRITE,
	NVCF_FAULT_READ,
	NVCF_FAULT_COMPARE,
	NVCF_FAULT_WRITE_ZEROES,
	NVCF_FAULT_DSM,
	NVCF_FAULT_VERIFY,
	NVCF_FAULT_DISK,
	NVCF_FAULT_PAUSE,
	NVCF_FAULT_SAVE,
	NVCF_FAULT_LOAD,
	NVCF_FAULT_OP,

	NVCF_FAULT_SUSPEND = NVCF_FAULT_KIND,
	NVCF_FAULT_RESUME,
	NVCF_FAULT_SET_STATE,
	NVCF_FAULT_GET_STATE,
	NVCF_FAULT_TRACK_SEND,
	NVCF_FAULT_TRACK_RECEIVE,
	NVCF_FAULT_PROFILE_SEND,
	NVCF_FAULT_PROFILE_RECEIVE,
};

/* Bits of the kinds of controllers. */
#define NVCF_MIGRATABLE		0x1u
#define NVCF_MANAGING		0x2u
#define NVCF_BOTH		0x3u

struct nvcf;
struct nvcf_ctrl;
struct nvcf_cmd;

/*
 * struct nvcf_command - a command
 * @dir: of its data, which the opcode tells, too; NVS_DIR_*
 * @kinds: controllers that have it
 * @option: NVCF_OPT_* of the profile without which it does not exist, 0 = mandatory
 * @effects: of the commands and effects log
 * @by_sel: only with the value @sel in the field SEL
 */
struct nvcf_command {
	const char *name;
	uint8_t opcode;
	uint8_t dir;
	uint8_t kinds;
	uint32_t option;
	uint32_t effects;
	unsigned int fault;
	int (*run)(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);
	bool by_sel;
	uint8_t sel;
};

/*
 * What the data of a command were, so that its record can be joined with that of the host.
 * @stamp: the first 8 bytes; @crc: CRC-32 of all
 */
struct nvcf_mark {
	uint64_t lba, stamp;
	uint32_t blocks, crc;
};

/*
 * struct nvcf_cmd - a command in work
 * @what: NULL when the controller does not have it; @known: with another SEL it has
 * @wait: until an injected fault lets it go on
 * @forced: status of an injected failure, or 0
 * @done: carried out, with @status; only the completion is missing
 * @parked: has become an outstanding asynchronous event request
 * @waits: a Suspend that waits until its controller is suspended
 */
struct nvcf_cmd {
	TAILQ_ENTRY(nvcf_cmd) link;
	struct nvs_sqe sqe;
	const struct nvcf_command *what;
	uint16_t sqid;
	uint16_t status;
	uint16_t forced;
	uint32_t dw0, dw1;
	struct nvcf_mark mark;
	struct vu_wait wait;
	bool known, done, parked, waits;
};

TAILQ_HEAD(nvcf_cmds, nvcf_cmd);

struct nvcf_sq {
	bool live;
	uint8_t prio;
	uint16_t cqid;
	uint32_t entries, head, tail;
	uint64_t base;
};

/* @owed: commands in work that will complete here; none is fetched without room for it */
struct nvcf_cq {
	bool live, ien, phase;
	uint16_t vector;
	uint32_t entries, head, tail, owed;
	uint64_t base;
};

#define NVCF_FEATURES		16u

/*
 * @value: dword of each feature, in the order of the table in nvme_cf_feature.c
 * @threshold: of the temperature: over, under
 */
struct nvcf_features {
	uint32_t value[NVCF_FEATURES];
	uint16_t threshold[2];
	uint8_t no_coalescing[NVCF_VECTORS];
	uint64_t timestamp, timestamp_at;
	bool timestamp_set;
	uint8_t host_id[16];
};

/* @pending: events to be told, a bit for each info; @masked: told, and its log not read */
struct nvcf_events {
	uint16_t aer[NVCF_AER_LIMIT];
	unsigned int outstanding;
	uint32_t pending[NVS_EVENT_TYPES];
	bool masked[NVS_EVENT_TYPES];
};

/* Coalescing of a vector: completions not signalled yet, and since when. */
struct nvcf_vector {
	bool raise;
	uint32_t held;
	uint64_t since;
};

struct nvcf_completion {
	struct nvcf_mark mark;
	uint16_t qid, cid, status;
	uint8_t opcode;
};

/* The completions from number @from to @to, in a ring that grows to NVCF_RECORD entries. */
struct nvcf_record {
	struct nvcf_completion *ring;
	uint64_t room, from, to, lost;
};

struct nvcf_health {
	uint64_t read_units, written_units, reads, writes, power_cycles, unsafe_shutdowns;
	uint64_t media_errors, errors;
};

enum nvcf_run { NVCF_RUNNING, NVCF_SUSPENDING, NVCF_SUSPENDED };

/* State in transfer: @sequence: of Set State, begun and not committed. */
struct nvcf_blob {
	uint8_t *data;
	uint32_t bytes;
	bool sequence;
	uint32_t csvi, csuuidi;		/* what it was begun with */
};

struct nvcf_range {
	uint64_t start, granules;
	uint8_t *written;		/* a bit for each */
};

/* Tracking of what a controller writes to host memory; @num 0: none. */
struct nvcf_tracker {
	unsigned int granule_log2, num;
	struct nvcf_range *range;
};

/*
 * struct nvcf_ctrl - a controller
 * @fell: CC.EN was cleared, which work has not seen yet
 * @nssr: likewise a reset of the subsystem
 * @enabled: CC.EN has been seen; CSTS.RDY follows
 * @page: bytes of a memory page (CC.MPS)
 * @buf, @media, @list: those of the subsystem
 * @fetched: commands, and requests for events that have come with state; each is completed,
 *           dropped, in work or outstanding
 */
struct nvcf_ctrl {
	struct vu_dev *dev;
	struct nvcf *sub;
	unsigned int index;
	uint16_t cntlid;
	uint8_t kind;
	unsigned int msix_cap;
	bool provisioned;
	struct nvcf_profile profile;
	struct vu_claims claims;

	uint32_t cc, csts, aqa, intms;
	uint64_t asq, acq;
	bool fell, nssr, enabled;
	struct vu_wait ready, shutdown, fetch;
	bool fetch_begun;
	uint32_t page;

	struct nvcf_sq sq[NVCF_QUEUES];
	struct nvcf_cq cq[NVCF_QUEUES];
	unsigned int next_sq;
	struct nvcf_cmds active, idle;
	struct nvcf_cmd *cursor;	/* the next one to be looked at */
	struct nvcf_cmd *cmds;
	uint8_t *buf, *media;
	uint64_t *list;
	struct nvcf_vector vector[NVCF_VECTORS];

	struct nvcf_features feat;
	struct nvcf_events events;
	struct nvs_error_entry errors[NVCF_ERRORS];
	uint32_t changed_ns;		/* bit n: namespace n + 1 */
	struct nvcf_health health;
	uint16_t temperature;
	uint64_t powered;

	enum nvcf_run run;
	bool suspend_failed;
	uint64_t suspended_at;		/* vu_now() */
	struct nvcf_blob get, set;
	struct nvcf_tracker tracker;
	uint64_t completed, failed, fetched, dropped, suspensions;
	struct nvcf_record record;
};

struct nvcf_options {
	uint64_t serial, firmware, profile, size, cache, mdts, queues, entries;
	uint64_t ranges, all_ranges, track_min, track_max, track_power, track_pages;
};

struct nvcf_disk;

/*
 * struct nvcf - a subsystem
 * @ctrl: the first is the managing controller
 * @buf, @media, @list: for the command that is being carried out, of which there is one in a
 *                      process at any time
 * @disks_each: disks that a profile of a seed has
 */
struct nvcf {
	uint8_t *buf, *media;
	uint64_t *list;
	struct nvcf_options opt;
	struct nvcf_ctrl *ctrl[1 + NVCF_MAX_FUNCTIONS];
	unsigned int num_ctrls;
	struct nvcf_disk *disk[NVCF_MAX_DISKS];
	unsigned int num_disks, disks_each;
};

/* ---- nvme_cf.c, nvme_cf_config.c ---- */

/* Controller with that CNTLID of the identity capability, or NULL. */
struct nvcf_ctrl *nvcf_find(const struct nvcf *sub, uint32_t cntlid);
int nvcf_capabilities(struct nvcf_ctrl *c);

/* ---- nvme_cf_regs.c ---- */

uint64_t nvcf_cap(const struct nvcf_ctrl *c);
void nvcf_bar_read(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len);
void nvcf_bar_write(struct vu_dev *dev, int bar, uint64_t off, const void *buf, size_t len);
void nvcf_regs(struct vu_dev *dev, FILE *out);
/* Note a reset of the whole subsystem. */
void nvcf_subsystem_reset(struct nvcf *sub);

/* ---- nvme_cf_ctrl.c ---- */

void nvcf_fatal(struct nvcf_ctrl *c);
/* As a function level reset does: registers included. */
void nvcf_ctrl_reset(struct nvcf_ctrl *c);
/* Enable, disable, shut down; what CC asks for. */
void nvcf_ctrl_work(struct nvcf_ctrl *c);
/* Commands are fetched and carried out. */
bool nvcf_ctrl_working(const struct nvcf_ctrl *c);

/* ---- nvme_cf_queue.c ---- */

void nvcf_queue_reset(struct nvcf_ctrl *c);
void nvcf_queue_work(struct nvcf_ctrl *c);
void nvcf_doorbell(struct nvcf_ctrl *c, unsigned int n, uint32_t val);
/* Post a completion; 0 or -ECANCELED. */
int nvcf_post(struct nvcf_ctrl *c, const struct nvcf_completion *what, uint32_t dw0,
	      uint32_t dw1);
bool nvcf_cq_room(const struct nvcf_cq *cq);
/* End a command that is in work with @status; 0 or -ECANCELED. */
int nvcf_finish(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint16_t status);
void nvcf_cmd_free(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);

/* ---- nvme_cf_record.c: what was completed, for tests ---- */

void nvcf_mark_data(struct nvcf_mark *m, const uint8_t *data, uint32_t bytes);
void nvcf_record_add(struct nvcf_record *r, const struct nvcf_completion *what);
/* The oldest @most lines; @take: they are forgotten. */
void nvcf_record_print(struct nvcf_record *r, uint64_t most, bool take, FILE *out);
void nvcf_record_clear(struct nvcf_record *r);
void nvcf_record_free(struct nvcf_record *r);

/* ---- nvme_cf_irq.c ---- */

bool nvcf_msix_enabled(const struct nvcf_ctrl *c);
void nvcf_irq_post(struct nvcf_ctrl *c, const struct nvcf_cq *cq, bool io);
void nvcf_irq_work(struct nvcf_ctrl *c);
void nvcf_intx_update(struct nvcf_ctrl *c);

/* ---- nvme_cf_data.c ---- */

int nvcf_dma_read(struct nvcf_ctrl *c, uint64_t iova, void *buf, size_t len);
int nvcf_dma_write(struct nvcf_ctrl *c, uint64_t iova, const void *buf, size_t len);
/* Move @len bytes between c->buf and what the command's data pointer names. */
int nvcf_data(struct nvcf_ctrl *c, const struct nvs_sqe *sqe, bool to_host, uint32_t len);
/* Where a fault is armed, one bit of the @len bytes in c->buf becomes another. */
void nvcf_flip(struct nvcf_ctrl *c, uint32_t len);

/* ---- tables of commands: nvme_cf_admin.c, nvme_cf_io.c ---- */

#define NVCF_COMMAND(_name, _opcode, _dir, _kinds, _option, _effects, _fault, _run) { \
	.name = _name, .opcode = _opcode, .dir = _dir, .kinds = _kinds, .option = _option, \
	.effects = NVS_EFFECTS_CSUPP | (_effects), .fault = _fault, .run = _run, \
}

#define NVCF_COMMAND_SEL(_name, _opcode, _sel, _dir, _kinds, _effects, _fault, _run) { \
	.name = _name, .opcode = _opcode, .by_sel = true, .sel = _sel, .dir = _dir, \
	.kinds = _kinds, .effects = NVS_EFFECTS_CSUPP | (_effects), .fault = _fault, .run = _run, \
}

#define nvcf_for_each_command(w, table) \
	for (const struct nvcf_command *w = (table); w->name; w++)

extern const struct nvcf_command nvcf_admin_commands[], nvcf_io_commands[];

/*
 * The command as this controller has it, or NULL; then *known tells whether it has the opcode
 * with other values of SEL.
 */
const struct nvcf_command *nvcf_command_find(const struct nvcf_ctrl *c, bool io,
					     const struct nvs_sqe *sqe, bool *known);
int nvcf_identify(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);
int nvcf_get_log(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);
int nvcf_set_features(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);
int nvcf_get_features(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);
int nvcf_async_event(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);
int nvcf_create_sq(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);
int nvcf_create_cq(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);
int nvcf_delete_sq(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);
int nvcf_delete_cq(struct nvcf_ctrl *c, struct nvcf_cmd *cmd);

/* ---- nvme_cf_feature.c, nvme_cf_event.c, nvme_cf_log.c ---- */

void nvcf_feature_reset(struct nvcf_ctrl *c);
uint32_t nvcf_feature(const struct nvcf_ctrl *c, uint8_t fid);
/* Likewise of values that are not in force. */
uint32_t nvcf_feature_in(const struct nvcf_ctrl *c, const struct nvcf_features *feat, uint8_t fid);

void nvcf_event(struct nvcf_ctrl *c, enum nvs_event_type type, unsigned int info);
/* All events of the type in @pending, a bit for each info, can come. */
bool nvcf_events_known(enum nvs_event_type type, uint32_t pending);
/* The log of that type was read. */
void nvcf_event_seen(struct nvcf_ctrl *c, enum nvs_event_type type);
int nvcf_event_work(struct nvcf_ctrl *c);
/* Withdraw an outstanding request; true when there was one. */
bool nvcf_event_withdraw(struct nvcf_ctrl *c, uint16_t cid);
void nvcf_temperature(struct nvcf_ctrl *c, uint16_t kelvin);
void nvcf_ns_changed(struct nvcf_ctrl *c, uint32_t nsid);

void nvcf_log_error(struct nvcf_ctrl *c, const struct nvcf_cmd *cmd, uint16_t status);

/* ---- nvme_cf_profile.c ---- */

/* The profile of identity @seed for controller @index, which has disks of its own. */
void nvcf_profile_make(const struct nvcf *sub, unsigned int index, uint64_t seed,
		       struct nvcf_profile *p);
/* As Profile Receive tells it, with the disks. */
void nvcf_profile_show(const struct nvcf_ctrl *c, struct nvcf_profile *p);
/* What it can be told to lie about. */
extern const struct vu_claim nvcf_claims[], nvcf_managing_claims[];
bool nvcf_profile_ok(const struct nvcf *sub, const struct nvcf_profile *p);
bool nvcf_has_option(const struct nvcf_ctrl *c, uint32_t option);
/* Namespace @nsid of the controller's profile, or NULL. */
const struct nvcf_profile_ns *nvcf_ns(const struct nvcf_ctrl *c, uint32_t nsid);
struct nvcf_disk *nvcf_ns_disk(const struct nvcf_ctrl *c, const struct nvcf_profile_ns *ns);

/* ---- nvme_cf_manage.c: commands of the managing controller ---- */

int nvcf_suspend(struct nvcf_ctrl *m, struct nvcf_cmd *cmd);
int nvcf_resume(struct nvcf_ctrl *m, struct nvcf_cmd *cmd);
int nvcf_profile_send(struct nvcf_ctrl *m, struct nvcf_cmd *cmd);
int nvcf_profile_receive(struct nvcf_ctrl *m, struct nvcf_cmd *cmd);
/* The migratable controller that dword 11 names, or NULL. */
struct nvcf_ctrl *nvcf_target(const struct nvcf_ctrl *m, const struct nvcf_cmd *cmd);
/* A suspension that was asked for is complete when nothing is in work any more. */
void nvcf_suspend_work(struct nvcf_ctrl *c);
/* A command that waited for the suspension of @c has been aborted. */
void nvcf_suspend_abandoned(struct nvcf_ctrl *m, struct nvcf_ctrl *c);
/* What a reset of the managing controller ends: suspensions, sequences, tracking. */
void nvcf_managing_reset(struct nvcf *sub);

/* ---- nvme_cf_state.c, nvme_cf_transfer.c ---- */

#define NVCF_STATE_MAX	8192u

/* All of the state at @out (NVCF_STATE_MAX bytes); returns its bytes. */
uint32_t nvcf_state_build(const struct nvcf_ctrl *c, bool standard, bool vendor, uint8_t *out);
/* Check and load what is at @in; a status.  Nothing is changed unless it is 0. */
int nvcf_state_load(struct nvcf_ctrl *c, const uint8_t *in, uint32_t bytes, bool standard,
		    bool vendor);
int nvcf_get_state(struct nvcf_ctrl *m, struct nvcf_cmd *cmd);
int nvcf_set_state(struct nvcf_ctrl *m, struct nvcf_cmd *cmd);
void nvcf_blob_drop(struct nvcf_blob *b);
/* The values of all features, ascending; and the other way round. */
void nvcf_feature_save(const struct nvcf_ctrl *c, struct nvcf_state *s);
bool nvcf_feature_load(const struct nvcf_ctrl *c, const struct nvcf_state *s,
		       struct nvcf_features *out);

/* ---- nvme_cf_track.c ---- */

int nvcf_track_send(struct nvcf_ctrl *m, struct nvcf_cmd *cmd);
int nvcf_track_receive(struct nvcf_ctrl *m, struct nvcf_cmd *cmd);
void nvcf_track_drop(struct nvcf_ctrl *c);
void nvcf_track_write(struct nvcf_ctrl *c, uint64_t iova, size_t len);

/* ---- nvme_cf_disk.c: raw files, their locks, and the write cache ---- */

struct nvcf_disk {
	int fd;
	uint64_t bytes, file_bytes;	/* as namespaces show it, and of the file */
	uint32_t block_log2;
	bool readonly, locked;
	uint32_t holders;		/* bit n: controller n; many only where it is readonly */
	uint64_t unlocked_writes;	/* refused: of a controller that does not hold it */
	struct nvcf_line *lines;
	uint32_t num_lines, used;
};

/* @path: NULL for one of @bytes in memory; @cache: bytes of the write cache. */
struct nvcf_disk *nvcf_disk_open(const char *path, uint64_t bytes, uint64_t cache, bool readonly);
void nvcf_disk_close(struct nvcf_disk *d);
/* Take the lock for controller @holder; false: another one has it, here or elsewhere. */
bool nvcf_disk_hold(struct nvcf_disk *d, unsigned int holder);
bool nvcf_disk_held(const struct nvcf_disk *d, unsigned int holder);
/* Write back, and drop the lock with its last holder; after a failure it is still held. */
int nvcf_disk_release(struct nvcf_disk *d, unsigned int holder);
/* Count what must not be, and say so the first time: the lab fails a run whose logs have it. */
void nvcf_disk_unlocked(struct nvcf_disk *d);
int nvcf_disk_read(struct nvcf_disk *d, uint64_t off, void *buf, size_t len);
/* Writes of controller @holder; -EPERM, and counted, if it does not hold the disk. */
int nvcf_disk_write(struct nvcf_disk *d, unsigned int holder, uint64_t off, const void *buf,
		    size_t len, bool through);
int nvcf_disk_zero(struct nvcf_disk *d, unsigned int holder, uint64_t off, uint64_t len);
/* Likewise, if the file can have holes; otherwise nothing changes. */
int nvcf_disk_deallocate(struct nvcf_disk *d, unsigned int holder, uint64_t off, uint64_t len);
int nvcf_disk_flush(struct nvcf_disk *d);

/* All disks of the controller: flush, or give them up. */
int nvcf_flush_all(struct nvcf_ctrl *c);
int nvcf_release_all(struct nvcf_ctrl *c);

#endif /* NVME_CF_H */
