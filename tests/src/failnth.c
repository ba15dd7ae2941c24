// SPDX-License-Identifier: GPL-2.0
/*
 * failnth - make the Nth allocation of a system call fail, as fault injection counts them
 * (Documentation/fault-injection/fault-injection.rst in the kernel). Prints how the call ended,
 * `ok` or the name of its error, and what is left of N: 0 if an allocation was made to fail.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"

static void print_usage(void)
{
	fputs("usage: failnth N insmod FILE [NAME=VALUE]...\n"
	      "       failnth N write FILE TEXT\n"
	      "       failnth N read FILE\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static char params[1024], data[1 << 16], left[16];
	const char *what;
	int nth, fd, err;
	ssize_t n = 0;

	if (argc < 4)
		print_usage();
	what = argv[2];
	nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth < 0)
		die("fail-nth");
	fd = open(argv[3], (!strcmp(what, "write") ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		die(argv[3]);
	for (int i = 4; i < argc; i++) {
		size_t at = strlen(params);

		if (snprintf(params + at, sizeof(params) - at, "%s%s", at ? " " : "", argv[i]) >=
		    (int)(sizeof(params) - at))
			print_usage();
	}
	if (pwrite(nth, argv[1], strlen(argv[1]), 0) < 0)
		die("fail-nth");

	/* From here to the end of the call, this program must not allocate anything. */
	if (!strcmp(what, "insmod"))
		n = syscall(SYS_finit_module, fd, params, 0);
	else if (!strcmp(what, "write"))
		n = write(fd, params, strlen(params));
	else if (!strcmp(what, "read"))
		do {
			n = read(fd, data, sizeof(data));
		} while (n > 0);
	else
		print_usage();
	err = n < 0 ? errno : 0;

	if (pread(nth, left, sizeof(left) - 1, 0) < 0)
		die("fail-nth");
	if (pwrite(nth, "0", 1, 0) < 0)
		die("fail-nth");
	left[strcspn(left, "\n")] = '\0';
	printf("%s %s\n", err ? strerrorname_np(err) : "ok", left);
	return 0;
}
