/* SPDX-License-Identifier: GPL-2.0 */
/* What this process makes the kernel allocate: a memory control group of its own. */
#ifndef SELFTEST_CHARGE_H
#define SELFTEST_CHARGE_H

#include <stdbool.h>

/* Enter one; 0 or a negative errno: this kernel has none. */
int charge_enter(void);
void charge_leave(void);
/* Bytes that the group is charged for, or a negative errno. */
long long charge_bytes(void);
/* Wait until the group is charged for more, or less, than @bytes. */
bool charge_wait(bool more, long long bytes);

#endif /* SELFTEST_CHARGE_H */
