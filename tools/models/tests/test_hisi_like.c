// SPDX-License-Identifier: GPL-2.0
#include "test.h"
const struct test hisi_like_tests[] = { { NULL, NULL } };
