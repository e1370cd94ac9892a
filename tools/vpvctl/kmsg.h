/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says about a function while a command works. */
#ifndef VPVCTL_KMSG_H
#define VPVCTL_KMSG_H

/* Listen from now on; -1 if that is not permitted. */
int kmsg_begin(void);

/**
 * kmsg_last() - The last line about a function, and stop listening
 * @fd: From kmsg_begin().
 * @bdf: The function.
 *
 * Return: Its text, behind the address, for the caller to free; NULL if there was none.
 */
char *kmsg_last(int fd, const char *bdf);

#endif /* VPVCTL_KMSG_H */
