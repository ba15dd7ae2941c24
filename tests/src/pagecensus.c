// SPDX-License-Identifier: GPL-2.0
/*
 * pagecensus - count pages on the LRU lists by what they hold, from /proc/kpageflags, as lines
 * `KEY PAGES`:
 *
 *	anon	pages of tasks that are not mapped, and not in the swap cache
 *	shmem	pages of shared memory and tmpfs that are not in the swap cache
 *	file	pages of files and block devices
 *
 * A folio whose last user has gone stays there as long as anybody holds a reference to it. Under
 * anon only such pages are counted. For the others the kernel counts the pages that have a user
 * (nr_shmem, nr_file_pages), and the difference is the number of such pages.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

static void print_usage(void)
{
	fputs("usage: pagecensus\n", stderr);
	exit(2);
}

static int has(uint64_t flags, int bit)
{
	return flags >> bit & 1;
}

int main(int argc, char **argv)
{
	static uint64_t flags[8192];
	unsigned long anon = 0, shmem = 0, file = 0, pages = 0;
	ssize_t got;
	int fd;

	(void)argv;
	if (argc > 1)
		print_usage();
	fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("/proc/kpageflags");
	while ((got = read(fd, flags, sizeof(flags))) > 0) {
		for (size_t i = 0; i < (size_t)got / sizeof(*flags); i++) {
			uint64_t f = flags[i];

			pages++;
			if (!has(f, KPF_LRU) || has(f, KPF_SWAPCACHE))
				continue;
			if (has(f, KPF_ANON))
				anon += !has(f, KPF_MMAP);
			else if (has(f, KPF_SWAPBACKED))
				shmem++;
			else
				file++;
		}
	}
	if (got < 0 || !pages)
		die("cannot read the flags");
	printf("anon %lu\nshmem %lu\nfile %lu\n", anon, shmem, file);
	return 0;
}
