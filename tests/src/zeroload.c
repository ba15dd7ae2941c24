// SPDX-License-Identifier: GPL-2.0
/*
 * zeroload - touch pages with zeros and have them paged out (MADV_PAGEOUT), over and over. Each
 * page goes the whole way through pageout() and needs no I/O, so that under QEMU's -icount the
 * time is the number of instructions. With "swap" it only touches pages that are not zero: the
 * limit of its cgroup pages them out, and touching them again reads them. "nbd" is the same for a
 * device that takes its time: only the time in which a CPU is busy counts. With "alloc" pages are
 * allocated and freed again, and nobody reclaims. Nor does anybody with "switch", where two tasks
 * pass a byte back and forth, or with "net", where packets are sent to nobody; there each of these
 * counts as a page.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

/*
 * After so many pages the load pauses. If the server is slow, all pages of the cgroup are under
 * writeback otherwise, and the OOM killer ends the load.
 */
#define NBD_PAGES	64
#define NBD_PAUSE_US	5000

static void print_usage(void)
{
	fprintf(stderr, "usage: zeroload MIB ROUNDS [swap|nbd|alloc|switch|net]\n"
		"Prints nanoseconds for each page that was touched, and paged out or freed, per round.\n");
	exit(2);
}

static bool only_busy;

/* The time in which CPUs were idle, in ns; a tick of 10 ms is the least. */
static unsigned long idle_ns(void)
{
	unsigned long idle, iowait;
	FILE *f = fopen("/proc/stat", "r");

	if (!f || fscanf(f, "cpu %*u %*u %*u %lu %lu", &idle, &iowait) != 2)
		die("/proc/stat");
	fclose(f);
	return (idle + iowait) * (1000000000UL / sysconf(_SC_CLK_TCK));
}

static unsigned long clock_ns(void)
{
	struct timespec ts;
	unsigned long ns;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ns = ts.tv_sec * 1000000000UL + ts.tv_nsec;
	return only_busy ? ns * sysconf(_SC_NPROCESSORS_ONLN) - idle_ns() : ns;
}

static void print_round(unsigned long n, unsigned long began, unsigned long pages)
{
	printf("round.%lu.ns_per_page %.1f\n", n, (double)(clock_ns() - began) / pages);
}

/* Two tasks that wait for each other: two switches for each byte that comes back. */
static int switch_tasks(unsigned long times, unsigned long rounds)
{
	unsigned long began, i, n;
	int there[2], back[2];
	pid_t pid;
	char c = 0;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	for (n = 0; n < rounds; n++) {
		began = clock_ns();
		for (i = 0; i < times; i++)
			if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
				die("pipe");
		print_round(n, began, times);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

/* Datagrams on the loopback device, which the kernel drops at a socket that is full. */
static int send_packets(unsigned long times, unsigned long rounds)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
		.sin_port = htons(9),
	};
	int s = socket(AF_INET, SOCK_DGRAM, 0), r = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned long began, i, n;
	const struct sockaddr *addr = (const struct sockaddr *)&to;
	char data[64] = "";

	if (s < 0 || r < 0 || bind(r, (struct sockaddr *)&to, sizeof(to)))
		die("socket");
	for (n = 0; n < rounds; n++) {
		began = clock_ns();
		for (i = 0; i < times; i++)
			if (sendto(s, data, sizeof(data), 0, addr, sizeof(to)) < 0)
				die("sendto");
		print_round(n, began, times);
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long pages, rounds, passes, began, i, n;
	const char *what = argc == 4 ? argv[3] : "";
	bool nbd = !strcmp(what, "nbd"), swap = nbd || !strcmp(what, "swap");
	bool alloc = !strcmp(what, "alloc");
	bool switches = !strcmp(what, "switch"), net = !strcmp(what, "net");
	int advice = alloc ? MADV_DONTNEED : MADV_PAGEOUT;
	char *area;

	if (argc != 3 && !swap && !alloc && !switches && !net)
		print_usage();
	only_busy = nbd;
	pages = number(argv[1]) * PAGES_PER_MIB;
	rounds = number(argv[2]);
	if (!pages || !rounds)
		print_usage();
	if (switches)
		return switch_tasks(pages, rounds);
	if (net)
		return send_packets(pages, rounds);
	area = map_anon(pages * PAGE, MAP_PRIVATE);
	madvise(area, pages * PAGE, MADV_NOHUGEPAGE);
	/* A tick is long, and so is a round that is measured in ticks. */
	passes = nbd ? 4 : 1;
	for (n = 0; n < rounds; n++) {
		began = clock_ns();
		for (i = 0; i < passes * pages; i++) {
			if (nbd && i % NBD_PAGES == 0)
				usleep(NBD_PAUSE_US);
			*(volatile unsigned long *)(area + i % pages * PAGE) = swap ? n + i + 1 : 0;
		}
		if (!swap && madvise(area, pages * PAGE, advice))
			die("madvise");
		print_round(n, began, passes * pages);
	}
	return 0;
}
