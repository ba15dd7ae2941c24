// SPDX-License-Identifier: GPL-2.0
/*
 * lowwater - how near to empty did the zones come? Samples the free pages of each zone in
 * /proc/zoneinfo until SIGTERM or SIGINT. Then it prints the least of each, with its min watermark,
 * as lines `ZONE FREE MIN` (after its node and a colon, if that is not node 0). It does not see
 * what is shorter than the pause between two samples.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#define ZONES 32

static struct zone {
	unsigned int node;
	char name[16];
	unsigned long free, min;
} zones[ZONES];

static unsigned int nr_zones;
static volatile sig_atomic_t stopping;

static void print_usage(void)
{
	fputs("usage: lowwater [-i MSEC]   a sample so often (10)\n", stderr);
	exit(2);
}

static void stop(int)
{
	stopping = 1;
}

static struct zone *zone_of(unsigned int node, const char *name)
{
	struct zone *z;

	for (z = zones; z < zones + nr_zones; z++)
		if (z->node == node && !strcmp(z->name, name))
			return z;
	if (nr_zones == ZONES)
		return NULL;
	nr_zones++;
	*z = (struct zone){ .node = node, .free = ~0UL };
	snprintf(z->name, sizeof(z->name), "%s", name);
	return z;
}

static void sample(char *text)
{
	struct zone *z = NULL;
	unsigned long free = 0, boost = 0, min = 0, managed;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned int node;
		char name[16];

		if (sscanf(line, "Node %u, zone %15s", &node, name) == 2) {
			z = zone_of(node, name);
		} else if (sscanf(line, " pages free %lu", &free) == 1 ||
			   sscanf(line, " boost %lu", &boost) == 1 ||
			   sscanf(line, " min %lu", &min) == 1) {
			continue;
		} else if (z && sscanf(line, " managed %lu", &managed) == 1 && managed) {
			/* The kernel raises min for a while because of fragmentation. */
			z->min = min - boost;
			if (free < z->free)
				z->free = free;
		}
	}
}

int main(int argc, char **argv)
{
	struct timespec pause = { .tv_nsec = 10000000 };
	struct sched_param prio = { .sched_priority = 1 };
	static char text[1 << 16];
	int c, fd;

	while ((c = getopt(argc, argv, "i:")) != -1) {
		if (c != 'i')
			print_usage();
		pause.tv_nsec = number(optarg) % 1000 * 1000000;
		pause.tv_sec = number(optarg) / 1000;
	}
	if (optind != argc)
		print_usage();
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	fd = open("/proc/zoneinfo", O_RDONLY);
	if (fd < 0)
		die("/proc/zoneinfo");
	if (mlockall(MCL_CURRENT | MCL_FUTURE) || sched_setscheduler(0, SCHED_FIFO, &prio))
		die("mlockall, SCHED_FIFO");
	while (!stopping) {
		ssize_t len = 0, n;

		/* The file has its buffer from the first read on, so this takes no memory. */
		while ((n = pread(fd, text + len, sizeof(text) - 1 - len, len)) > 0)
			len += n;
		text[len] = '\0';
		sample(text);
		nanosleep(&pause, NULL);
	}
	for (struct zone *z = zones; z < zones + nr_zones; z++) {
		if (!z->min)
			continue;
		if (z->node)
			printf("%u:", z->node);
		printf("%s %lu %lu\n", z->name, z->free, z->min);
	}
	return 0;
}
