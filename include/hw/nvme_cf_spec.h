/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is used of the NVM Express Base Specification 2.1 and its NVM command set: registers,
 * commands, structures and statuses, with the names of the specification.  For the model of
 * nvme_cf, its drivers and their tests; vendor specific things are in nvme_cf.h.  All are
 * little-endian.
 */
#ifndef HW_NVME_CF_SPEC_H
#define HW_NVME_CF_SPEC_H

#include <linux/types.h>

#define NVS_CLASS_IO		0x010802
#define NVS_CLASS_ADMIN		0x010803
#define NVS_VERSION_2_1		0x00020100

/* ---- Controller properties ---- */

#define NVS_REG_CAP		0x00	/* 64 bits */
#define NVS_REG_VS		0x08
#define NVS_REG_INTMS		0x0c
#define NVS_REG_INTMC		0x10
#define NVS_REG_CC		0x14
#define NVS_REG_CSTS		0x1c
#define NVS_REG_NSSR		0x20
#define NVS_REG_AQA		0x24
#define NVS_REG_ASQ		0x28	/* 64 bits */
#define NVS_REG_ACQ		0x30	/* 64 bits */
#define NVS_REG_CRTO		0x68
#define NVS_REG_DOORBELLS	0x1000	/* SQ tail and CQ head of each queue, 4 bytes each */

#define NVS_CAP_MQES(n)		((__u64)(n))
#define NVS_CAP_CQR		0x10000ULL
#define NVS_CAP_TO(n)		((__u64)(n) << 24)
#define NVS_CAP_TO_GET(cap)	((unsigned int)((cap) >> 24) & 0xff)
#define NVS_CAP_NSSRS		0x1000000000ULL
#define NVS_CAP_CSS_NVM		0x2000000000ULL
#define NVS_CAP_CSS_IOCSS	0x80000000000ULL
#define NVS_CAP_CSS_NONE	0x100000000000ULL
#define NVS_CAP_MPSMAX(n)	((__u64)(n) << 52)
#define NVS_CAP_CRWMS		0x800000000000000ULL
#define NVS_TO_MS		500	/* unit of CAP.TO and CRTO */

#define NVS_CC_EN		0x1U
#define NVS_CC_CSS(cc)		((cc) >> 4 & 0x7)
#define NVS_CC_CSS_NVM		0
#define NVS_CC_CSS_IOCSS	6
#define NVS_CC_CSS_ADMIN	7
#define NVS_CC_MPS(cc)		((cc) >> 7 & 0xf)
#define NVS_CC_AMS(cc)		((cc) >> 11 & 0x7)
#define NVS_CC_SHN(cc)		((cc) >> 14 & 0x3)
#define NVS_CC_SHN_MASK		0xc000U
#define NVS_CC_SHN_NORMAL	1
#define NVS_CC_SHN_ABRUPT	2
#define NVS_CC_IOSQES(cc)	((cc) >> 16 & 0xf)
#define NVS_CC_IOCQES(cc)	((cc) >> 20 & 0xf)
#define NVS_CC_SIZES_MASK	0xff0000U	/* both */
#define NVS_CC_MASK		0x00fffff1U
#define NVS_SQES		6
#define NVS_CQES		4

#define NVS_CSTS_RDY		0x1U
#define NVS_CSTS_CFS		0x2U
#define NVS_CSTS_SHST_BUSY	0x4U
#define NVS_CSTS_SHST_DONE	0x8U
#define NVS_CSTS_SHST_MASK	0xcU
#define NVS_CSTS_NSSRO		0x10U

#define NVS_NSSR_VALUE		0x4e564d65	/* "NVMe" */

#define NVS_AQA_ASQS(aqa)	((aqa) & 0xfff)
#define NVS_AQA_ACQS(aqa)	((aqa) >> 16 & 0xfff)
#define NVS_AQA_MASK		0x0fff0fffU

/* ---- Commands and completions ---- */

/**
 * struct nvs_sgl - SGL descriptor
 * @addr: Address; zero for a bit bucket.
 * @length: In bytes.
 * @reserved: Zero.
 * @id: Type (bits 7:4) and sub type (bits 3:0).
 */
struct nvs_sgl {
	__le64 addr;
	__le32 length;
	__u8 reserved[3];
	__u8 id;
};

#define NVS_SGL_DATA		0x00
#define NVS_SGL_BIT_BUCKET	0x10
#define NVS_SGL_SEGMENT		0x20
#define NVS_SGL_LAST_SEGMENT	0x30

/**
 * struct nvs_sqe - submission queue entry
 * @opcode: Bits 1:0 tell the direction of the data (NVS_DIR_*).
 * @flags: FUSE (bits 1:0), PSDT (bits 7:6).
 * @cid: Command identifier.
 * @nsid: Namespace identifier.
 * @cdw2: Command dword 2.
 * @cdw3: Command dword 3.
 * @mptr: Metadata pointer.
 * @prp1: PRP entry 1; with @prp2 in a union with @sgl.
 * @prp2: PRP entry 2.
 * @sgl: SGL descriptor.
 * @cdw10: Command dword 10.
 * @cdw11: Command dword 11.
 * @cdw12: Command dword 12.
 * @cdw13: Command dword 13.
 * @cdw14: Command dword 14.
 * @cdw15: Command dword 15.
 */
struct nvs_sqe {
	__u8 opcode;
	__u8 flags;
	__le16 cid;
	__le32 nsid;
	__le32 cdw2;
	__le32 cdw3;
	__le64 mptr;
	union {
		struct {
			__le64 prp1;
			__le64 prp2;
		};
		struct nvs_sgl sgl;
	};
	__le32 cdw10;
	__le32 cdw11;
	__le32 cdw12;
	__le32 cdw13;
	__le32 cdw14;
	__le32 cdw15;
};

#define NVS_DIR_NONE		0
#define NVS_DIR_TO_CTRL		1
#define NVS_DIR_TO_HOST		2

#define NVS_FUSE(flags)		((flags) & 0x3)
#define NVS_PSDT(flags)		((flags) >> 6 & 0x3)

/**
 * struct nvs_cqe - completion queue entry
 * @dw0: Command specific.
 * @dw1: Likewise.
 * @sq_head: Entries up to here have been fetched.
 * @sqid: Submission queue of the command.
 * @cid: Command identifier.
 * @status: Phase tag (bit 0), and the status from bit 1 on.
 */
struct nvs_cqe {
	__le32 dw0;
	__le32 dw1;
	__le16 sq_head;
	__le16 sqid;
	__le16 cid;
	__le16 status;
};

#define NVS_NSID_ALL		0xffffffffU

enum nvs_admin_opcode {
	NVS_ADMIN_DELETE_SQ		= 0x00,
	NVS_ADMIN_CREATE_SQ		= 0x01,
	NVS_ADMIN_GET_LOG		= 0x02,
	NVS_ADMIN_DELETE_CQ		= 0x04,
	NVS_ADMIN_CREATE_CQ		= 0x05,
	NVS_ADMIN_IDENTIFY		= 0x06,
	NVS_ADMIN_ABORT			= 0x08,
	NVS_ADMIN_SET_FEATURES		= 0x09,
	NVS_ADMIN_GET_FEATURES		= 0x0a,
	NVS_ADMIN_ASYNC_EVENT		= 0x0c,
	NVS_ADMIN_TRACK_SEND		= 0x3d,
	NVS_ADMIN_TRACK_RECEIVE		= 0x3e,
	NVS_ADMIN_MIGRATION_SEND	= 0x41,
	NVS_ADMIN_MIGRATION_RECEIVE	= 0x42,
};

enum nvs_io_opcode {
	NVS_IO_FLUSH			= 0x00,
	NVS_IO_WRITE			= 0x01,
	NVS_IO_READ			= 0x02,
	NVS_IO_COMPARE			= 0x05,
	NVS_IO_WRITE_ZEROES		= 0x08,
	NVS_IO_DSM			= 0x09,
	NVS_IO_VERIFY			= 0x0c,
};

/* Status: code (bits 7:0), type (bits 10:8), do not retry (bit 14), as behind the phase tag. */
#define NVS_SC_DNR		0x4000
#define NVS_SC_MASK		0x7ffU

enum nvs_status {
	NVS_SC_SUCCESS			= 0x000,
	NVS_SC_INVALID_OPCODE		= 0x001,
	NVS_SC_INVALID_FIELD		= 0x002,
	NVS_SC_CID_CONFLICT		= 0x003,
	NVS_SC_DATA_TRANSFER		= 0x004,
	NVS_SC_INTERNAL			= 0x006,
	NVS_SC_ABORT_REQUESTED		= 0x007,
	NVS_SC_ABORT_SQ_DELETED		= 0x008,
	NVS_SC_INVALID_NAMESPACE	= 0x00b,
	NVS_SC_COMMAND_SEQUENCE		= 0x00c,
	NVS_SC_INVALID_SGL_SEGMENT	= 0x00d,
	NVS_SC_INVALID_SGL_NUMBER	= 0x00e,
	NVS_SC_INVALID_SGL_DATA_LENGTH	= 0x00f,
	NVS_SC_INVALID_SGL_TYPE		= 0x011,
	NVS_SC_INVALID_PRP_OFFSET	= 0x013,
	NVS_SC_WRITE_PROTECTED		= 0x020,
	NVS_SC_LBA_RANGE		= 0x080,
	NVS_SC_NAMESPACE_NOT_READY	= 0x082,

	NVS_SC_CQ_INVALID		= 0x100,
	NVS_SC_INVALID_QID		= 0x101,
	NVS_SC_INVALID_QUEUE_SIZE	= 0x102,
	NVS_SC_ABORT_LIMIT		= 0x103,
	NVS_SC_ASYNC_EVENT_LIMIT	= 0x105,
	NVS_SC_INVALID_VECTOR		= 0x108,
	NVS_SC_INVALID_LOG		= 0x109,
	NVS_SC_INVALID_QUEUE_DELETION	= 0x10c,
	NVS_SC_NOT_SAVEABLE		= 0x10d,
	NVS_SC_NOT_CHANGEABLE		= 0x10e,
	NVS_SC_NOT_NS_SPECIFIC		= 0x10f,
	NVS_SC_INVALID_CNTLID		= 0x11f,
	NVS_SC_NOT_ENOUGH_RESOURCES	= 0x138,
	NVS_SC_SUSPENDED		= 0x139,
	NVS_SC_NOT_SUSPENDED		= 0x13a,

	NVS_SC_WRITE_FAULT		= 0x280,
	NVS_SC_READ_ERROR		= 0x281,
	NVS_SC_COMPARE_FAILURE		= 0x285,
};

/* ---- Queues ---- */

#define NVS_QUEUE_PC		0x1U	/* CDW11 of create */
#define NVS_QUEUE_IEN		0x2U

/* ---- Asynchronous events ---- */

enum nvs_event_type { NVS_EVENT_ERROR, NVS_EVENT_HEALTH, NVS_EVENT_NOTICE, NVS_EVENT_TYPES };

#define NVS_ERROR_DOORBELL_REGISTER	0x00
#define NVS_ERROR_DOORBELL_VALUE	0x01
#define NVS_HEALTH_TEMPERATURE		0x01
#define NVS_NOTICE_NS_CHANGED		0x00

/* ---- Log pages ---- */

enum nvs_log {
	NVS_LOG_SUPPORTED	= 0x00,
	NVS_LOG_ERROR		= 0x01,
	NVS_LOG_HEALTH		= 0x02,
	NVS_LOG_FIRMWARE	= 0x03,
	NVS_LOG_CHANGED_NS	= 0x04,
	NVS_LOG_EFFECTS		= 0x05,
};

#define NVS_LOG_RAE		0x8000U	/* CDW10 */

struct nvs_error_entry {
	__le64 count;
	__le16 sqid;
	__le16 cid;
	__le16 status;
	__le16 location;
	__le64 lba;
	__le32 nsid;
	__u8 vendor;
	__u8 reserved[35];
};

/* Counters are 128 bits wide: their lower halves are followed by zero. */
struct nvs_health {
	__u8 warning;
	__u8 temperature[2];
	__u8 spare;
	__u8 spare_threshold;
	__u8 used;
	__u8 reserved6[26];
	__le64 units_read[2];
	__le64 units_written[2];
	__le64 reads[2];
	__le64 writes[2];
	__le64 busy_minutes[2];
	__le64 power_cycles[2];
	__le64 power_hours[2];
	__le64 unsafe_shutdowns[2];
	__le64 media_errors[2];
	__le64 error_entries[2];
	__u8 reserved192[320];
};

#define NVS_WARNING_TEMPERATURE	0x02

#define NVS_EFFECTS_CSUPP	0x1U
#define NVS_EFFECTS_LBCC	0x2U

/* ---- Features ---- */

enum nvs_feature {
	NVS_FEAT_ARBITRATION	= 0x01,
	NVS_FEAT_POWER		= 0x02,
	NVS_FEAT_TEMPERATURE	= 0x04,
	NVS_FEAT_ERROR_RECOVERY	= 0x05,
	NVS_FEAT_WRITE_CACHE	= 0x06,
	NVS_FEAT_QUEUES		= 0x07,
	NVS_FEAT_COALESCING	= 0x08,
	NVS_FEAT_VECTOR		= 0x09,
	NVS_FEAT_ATOMICITY	= 0x0a,
	NVS_FEAT_ASYNC_EVENT	= 0x0b,
	NVS_FEAT_TIMESTAMP	= 0x0e,
	NVS_FEAT_HOST_ID	= 0x81,
};

#define NVS_FEAT_SAVE		0x80000000U	/* CDW10 of Set Features */
#define NVS_FEAT_SELECT(cdw10)	((cdw10) >> 8 & 0x7)
enum { NVS_SELECT_CURRENT, NVS_SELECT_DEFAULT, NVS_SELECT_SAVED, NVS_SELECT_SUPPORTED };
#define NVS_CAPABLE_NAMESPACE	0x2U
#define NVS_CAPABLE_CHANGE	0x4U

#define NVS_AEC_TEMPERATURE	0x02U
#define NVS_AEC_NS_CHANGED	0x100U

/* ---- Identify ---- */

#define NVS_IDENTIFY_BYTES	4096

enum nvs_cns {
	NVS_CNS_NAMESPACE		= 0x00,
	NVS_CNS_CONTROLLER		= 0x01,
	NVS_CNS_ACTIVE_LIST		= 0x02,
	NVS_CNS_NS_DESCRIPTORS		= 0x03,
	NVS_CNS_CSI_NAMESPACE		= 0x05,
	NVS_CNS_CSI_CONTROLLER		= 0x06,
	NVS_CNS_CSI_ACTIVE_LIST		= 0x07,
	NVS_CNS_INDEPENDENT_NAMESPACE	= 0x08,
	NVS_CNS_ALLOCATED_LIST		= 0x10,
	NVS_CNS_ALLOCATED_NAMESPACE	= 0x11,
	NVS_CNS_ATTACHED_CONTROLLERS	= 0x12,
	NVS_CNS_CONTROLLERS		= 0x13,
	NVS_CNS_PRIMARY			= 0x14,
	NVS_CNS_SECONDARIES		= 0x15,
	NVS_CNS_COMMAND_SETS		= 0x1c,
	NVS_CNS_STATE_FORMATS		= 0x20,
};

enum nvs_controller_type { NVS_TYPE_IO = 1, NVS_TYPE_ADMIN = 3 };

struct nvs_power_state {
	__le16 max_power;
	__u8 reserved2;
	__u8 flags;
	__le32 entry_us;
	__le32 exit_us;
	__u8 reserved12[20];
};

struct nvs_id_ctrl {
	__le16 vid;
	__le16 ssvid;
	__u8 sn[20];
	__u8 mn[40];
	__u8 fr[8];
	__u8 rab;
	__u8 ieee[3];
	__u8 cmic;
	__u8 mdts;
	__le16 cntlid;
	__le32 ver;
	__le32 rtd3r;
	__le32 rtd3e;
	__le32 oaes;
	__le32 ctratt;
	__u8 reserved100[11];
	__u8 cntrltype;
	__u8 fguid[16];
	__u8 reserved128[128];
	__le16 oacs;
	__u8 acl;
	__u8 aerl;
	__u8 frmw;
	__u8 lpa;
	__u8 elpe;
	__u8 npss;
	__u8 avscc;
	__u8 apsta;
	__le16 wctemp;
	__le16 cctemp;
	__u8 reserved270[246];
	__le32 nn;			/* 519:516 */
	__le16 oncs;
	__le16 fuses;
	__u8 fna;
	__u8 vwc;
	__le16 awun;
	__le16 awupf;
	__u8 icsvscc;
	__u8 nwpc;
	__le16 acwu;
	__le16 cdfs;
	__le32 sgls;
	__le32 mnan;
	__u8 reserved544[224];
	__u8 subnqn[256];
	__u8 reserved1024[1024];
	struct nvs_power_state psd[32];
	__u8 vendor[1024];
};

/* In reserved270, and in what lies where the specification has SQES and what follows. */
#define NVS_ID_SQES		512
#define NVS_ID_CQES		513
#define NVS_ID_MAXCMD		514
#define NVS_ID_CMMRTD		570
#define NVS_ID_NMMRTD		572
#define NVS_ID_MINMRTG		574
#define NVS_ID_MAXMRTG		575
#define NVS_ID_TRATTR		576

#define NVS_CMIC_PORTS		0x1U
#define NVS_CMIC_CONTROLLERS	0x2U
#define NVS_OAES_NS_CHANGED	0x100U
#define NVS_CTRATT_HOST_ID_128	0x1U
#define NVS_OACS_HMLMS		0x800U
#define NVS_LPA_EFFECTS		0x2U
#define NVS_LPA_EXTENDED	0x4U
#define NVS_ONCS_COMPARE	0x01U
#define NVS_ONCS_DSM		0x04U
#define NVS_ONCS_WRITE_ZEROES	0x08U
#define NVS_ONCS_SELECT		0x10U
#define NVS_ONCS_TIMESTAMP	0x40U
#define NVS_ONCS_VERIFY		0x80U
#define NVS_VWC_PRESENT		0x1U
#define NVS_VWC_FLUSH_ALL	0x6U
#define NVS_SGLS_SUPPORTED	0x1U
#define NVS_SGLS_BIT_BUCKET	0x10000U
#define NVS_TRATTR_MEMORY	0x1U
#define NVS_TRATTR_POWER_OF_TWO	0x4U

struct nvs_lba_format {
	__le16 ms;
	__u8 lbads;
	__u8 rp;
};

struct nvs_id_ns {
	__le64 nsze;
	__le64 ncap;
	__le64 nuse;
	__u8 nsfeat;
	__u8 nlbaf;
	__u8 flbas;
	__u8 mc;
	__u8 dpc;
	__u8 dps;
	__u8 nmic;
	__u8 rescap;
	__u8 fpi;
	__u8 dlfeat;
	__u8 reserved34[65];
	__u8 nsattr;
	__u8 reserved100[4];
	__u8 nguid[16];
	__u8 eui64[8];
	struct nvs_lba_format lbaf[64];
	__u8 vendor[3712];
};

#define NVS_NMIC_SHARED		0x1U
#define NVS_DLFEAT_ZEROES	0x9U	/* reads as zeroes; Write Zeroes may deallocate */
#define NVS_NSATTR_PROTECTED	0x1U
#define NVS_NSFEAT_UUID		0x8U	/* EUI64 and NGUID are never used again */

/* CNS 08h */
struct nvs_id_ns_independent {
	__u8 nsfeat;
	__u8 nmic;
	__u8 rescap;
	__u8 fpi;
	__le32 anagrpid;
	__u8 nsattr;
	__u8 reserved9;
	__le16 nvmsetid;
	__le16 endgid;
	__u8 nstat;
	__u8 reserved15[4081];
};

#define NVS_NSTAT_READY		0x1U

/* CNS 06h of the NVM command set */
struct nvs_id_ctrl_nvm {
	__u8 vsl;
	__u8 wzsl;
	__u8 wusl;
	__u8 dmrl;
	__le32 dmrsl;
	__le64 dmsl;
	__u8 reserved16[4080];
};

/* Behind it NIDL bytes of identifier. */
struct nvs_ns_descriptor {
	__u8 nidt;
	__u8 nidl;
	__u8 reserved[2];
};

enum { NVS_NIDT_EUI64 = 1, NVS_NIDT_NGUID = 2, NVS_NIDT_UUID = 3, NVS_NIDT_CSI = 4 };

struct nvs_secondary {
	__le16 scid;
	__le16 pcid;
	__u8 scs;
	__u8 reserved5[3];
	__le16 vfn;
	__le16 nvq;
	__le16 nvi;
	__u8 reserved14[18];
};

#define NVS_SECONDARY_ONLINE	0x1U

/* ---- I/O commands ---- */

#define NVS_RW_FUA		0x40000000U	/* CDW12 */
#define NVS_RW_NLB(cdw12)	(((cdw12) & 0xffff) + 1)
#define NVS_DSM_AD		0x4U		/* CDW11 */

struct nvs_dsm_range {
	__le32 attributes;
	__le32 nlb;
	__le64 slba;
};

/* ---- Host managed live migration ---- */

enum { NVS_SEND_SUSPEND, NVS_SEND_RESUME, NVS_SEND_SET_STATE };
enum { NVS_SUSPEND_NOTIFY, NVS_SUSPEND };
enum { NVS_SEQ_MIDDLE, NVS_SEQ_FIRST, NVS_SEQ_LAST, NVS_SEQ_ONLY };
#define NVS_RECEIVE_STATE	0
#define NVS_TRACK_USER_DATA	0
#define NVS_TRACK_MEMORY	1
#define NVS_TRACK_RECEIVE_MEMORY	0
#define NVS_CSUP		0x1U	/* dword 0 of Migration Receive; CSATTR */

/* Sizes are in dwords and 128 bits wide. */
struct nvs_state_header {
	__le16 ver;
	__u8 csattr;
	__u8 reserved3[13];
	__le64 nvmecss[2];
	__le64 vss[2];
};

/* Behind it the entries of submission queues, then those of completion queues. */
struct nvs_state {
	__le16 ver;
	__le16 niosq;
	__le16 niocq;
	__le16 reserved6;
};

struct nvs_state_sq {
	__le64 prp1;
	__le16 qsize;
	__le16 qid;
	__le16 cqid;
	__le16 attr;
	__le16 head;
	__le16 tail;
	__u8 reserved20[4];
};

#define NVS_STATE_SQ_PC		0x1U
#define NVS_STATE_SQ_PRIO(attr)	((attr) >> 1 & 0x3)
#define NVS_STATE_SQ_MASK	0x7U

struct nvs_state_cq {
	__le64 prp1;
	__le16 qsize;
	__le16 qid;
	__le16 head;
	__le16 tail;
	__le32 attr;
	__u8 reserved20[4];
};

#define NVS_STATE_CQ_PC		0x1U
#define NVS_STATE_CQ_IEN	0x2U
#define NVS_STATE_CQ_S0PT	0x4U	/* phase tag of the entry in slot 0 */
#define NVS_STATE_CQ_VECTOR(attr)	((attr) >> 16)
#define NVS_STATE_CQ_MASK	0xffff0007U

/* Track Send: what is tracked. */
struct nvs_track_request {
	__u8 ver;
	__u8 reserved1[2];
	__u8 rmrtg;
	__le32 count;
};

#pragma pack(push, 4)
struct nvs_track_range {
	__le64 addr;
	__le32 length;		/* in granules */
};

#pragma pack(pop)

/* Track Receive: what was written. */
struct nvs_track_report {
	__u8 ver;
	__u8 attr;
	__le16 cntlid;
	__le32 count;
	__le16 mrtg;
	__u8 reserved10[6];
};

#define NVS_TRACK_MORE		0x1U
#define NVS_TRACK_SUSPENDED	0x2U
#define NVS_TRACK_UNIT		4096	/* granule 0 */

struct nvs_track_written {
	__le64 addr;
	__le32 length;
	__le32 reserved;
};

#endif /* HW_NVME_CF_SPEC_H */
