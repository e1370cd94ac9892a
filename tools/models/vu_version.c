// SPDX-License-Identifier: GPL-2.0
/*
 * Version negotiation: the JSON capabilities of the VERSION message.
 *
 * Pure apart from the allocations of the JSON library.  Every limit agreed on is the
 * smaller one of ours and the client's.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "vu_msg.h"

#define JSON_DEPTH	8

/*
 * Lower *val to a number of the object.  A value of another type, or below @min, is
 * an error; a missing one means @absent.
 */
static int take_limit(struct json_object *caps, const char *name, uint32_t min,
		      uint32_t absent, uint32_t *val)
{
	struct json_object *obj;
	int64_t num = absent;

	if (json_object_object_get_ex(caps, name, &obj)) {
		if (!json_object_is_type(obj, json_type_int))
			return -EINVAL;
		num = json_object_get_int64(obj);
	}
	if (num < (int64_t)min)
		return -EINVAL;
	if (num < (int64_t)*val)
		*val = (uint32_t)num;
	return 0;
}

static int take_pgsizes(struct json_object *caps, uint64_t *val)
{
	struct json_object *obj;

	if (!json_object_object_get_ex(caps, "pgsizes", &obj))
		return 0;
	if (!json_object_is_type(obj, json_type_int))
		return -EINVAL;
	*val = 4096;
	return json_object_get_int64(obj) & 4096 ? 0 : -EINVAL;
}

static int take_bool(struct json_object *caps, const char *name, bool *val)
{
	struct json_object *obj;

	*val = false;
	if (!json_object_object_get_ex(caps, name, &obj))
		return 0;
	if (!json_object_is_type(obj, json_type_boolean))
		return -EINVAL;
	*val = json_object_get_boolean(obj);
	return 0;
}

static int take_caps(struct json_object *root, struct vu_session *ses)
{
	struct json_object *caps;
	int err;

	if (!json_object_is_type(root, json_type_object))
		return -EINVAL;
	if (!json_object_object_get_ex(root, "capabilities", &caps)) {
		ses->max_fds = 1;
		return 0;
	}
	if (!json_object_is_type(caps, json_type_object))
		return -EINVAL;
	err = take_limit(caps, "max_msg_fds", 0, 1, &ses->max_fds);
	if (!err)
		err = take_limit(caps, "max_data_xfer_size", 4096, VU_MAX_XFER, &ses->max_xfer);
	if (!err)
		err = take_limit(caps, "max_dma_maps", 1, VU_MAX_DMA_MAPS, &ses->max_maps);
	if (!err)
		err = take_pgsizes(caps, &ses->pgsizes);
	if (!err)
		err = take_bool(caps, "write_multiple", &ses->write_multi);
	return err;
}

int vu_version_parse(const struct vu_version_msg *msg, const char *json, struct vu_session *ses)
{
	struct json_tokener *tok;
	struct json_object *root;
	int err = -EINVAL;

	memset(ses, 0, sizeof(*ses));
	if (msg->major != VU_MAJOR)
		return -EPROTONOSUPPORT;
	ses->minor = msg->minor < VU_MINOR ? msg->minor : VU_MINOR;
	ses->max_fds = VU_MAX_FDS;
	ses->max_xfer = VU_MAX_XFER;
	ses->max_maps = VU_MAX_DMA_MAPS;
	ses->pgsizes = 4096;
	if (!json) {
		ses->max_fds = 1;
		return 0;
	}
	tok = json_tokener_new_ex(JSON_DEPTH);
	if (!tok)
		return -ENOMEM;
	root = json_tokener_parse_ex(tok, json, (int)strlen(json) + 1);
	if (root && json_tokener_get_error(tok) == json_tokener_success)
		err = take_caps(root, ses);
	json_object_put(root);
	json_tokener_free(tok);
	return err;
}

int vu_version_format(const struct vu_session *ses, char *buf, size_t len)
{
	int n = snprintf(buf, len,
			 "{\"capabilities\":{\"max_msg_fds\":%u,\"max_data_xfer_size\":%" PRIu32
			 ",\"max_dma_maps\":%" PRIu32 ",\"pgsizes\":%" PRIu64
			 "%s}}", VU_MAX_FDS, ses->max_xfer, ses->max_maps, ses->pgsizes,
			 ses->write_multi ? ",\"write_multiple\":true" : "");

	return n < 0 || (size_t)n >= len ? -ENOSPC : n + 1;
}
