// SPDX-License-Identifier: GPL-2.0
/*
 * tpcount - count the hits of one tracepoint the way perf or BPF does
 *
 * tpcount perf ID READY STOP	a perf_event tracepoint counter on every CPU
 * tpcount bpf NAME READY STOP	a raw tracepoint program that adds to a map
 *
 * Creates the file READY once it is attached, waits for the file STOP (at most 300 seconds),
 * detaches, and prints the count. It needs no perf, libbpf or BTF.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS 256
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int exit_error(const char *what)
{
	fprintf(stderr, "tpcount: %s: %s\n", what, strerror(errno));
	return 1;
}

static int wait_between(const char *ready, const char *stop)
{
	const struct timespec step = { 0, 10000000 };
	FILE *f = fopen(ready, "w");

	if (!f || fclose(f))
		return exit_error(ready);
	for (int i = 0; i < 30000; i++) {
		if (!access(stop, F_OK))
			return 0;
		nanosleep(&step, NULL);
	}
	errno = ETIMEDOUT;
	return exit_error("waiting to be stopped");
}

static int count_perf(uint64_t id, const char *ready, const char *stop)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
	};
	long ncpus = sysconf(_SC_NPROCESSORS_CONF);
	int fd[MAX_CPUS], rc;
	uint64_t total = 0;

	for (long cpu = 0; cpu < ncpus && cpu < MAX_CPUS; cpu++) {
		fd[cpu] = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
		if (fd[cpu] < 0)
			return exit_error("perf_event_open");
	}
	rc = wait_between(ready, stop);
	if (rc)
		return rc;
	for (long cpu = 0; cpu < ncpus && cpu < MAX_CPUS; cpu++) {
		uint64_t n;

		ioctl(fd[cpu], PERF_EVENT_IOC_DISABLE, 0);
		if (read(fd[cpu], &n, sizeof(n)) != sizeof(n))
			return exit_error("reading the counter");
		total += n;
		close(fd[cpu]);
	}
	printf("%llu\n", (unsigned long long)total);
	return 0;
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int count_bpf(const char *name, const char *ready, const char *stop)
{
	static char log[65536];
	union bpf_attr attr;
	uint32_t key = 0;
	uint64_t n = 0;
	int map, prog, link, rc;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(key);
	attr.value_size = sizeof(n);
	attr.max_entries = 1;
	map = bpf(BPF_MAP_CREATE, &attr);
	if (map < 0)
		return exit_error("BPF_MAP_CREATE");

	/* __sync_fetch_and_add(bpf_map_lookup_elem(map, &0), 1) */
	struct bpf_insn insn[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10,
		  .off = -4, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2,
		  .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2,
		  .imm = -4 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0,
		  .off = 2, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1,
		  .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = BPF_REG_0,
		  .src_reg = BPF_REG_1, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0,
		  .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	attr.insns = (uintptr_t)insn;
	attr.insn_cnt = ARRAY_SIZE(insn);
	attr.license = (uintptr_t)"GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	prog = bpf(BPF_PROG_LOAD, &attr);
	if (prog < 0) {
		fputs(log, stderr);
		return exit_error("BPF_PROG_LOAD");
	}

	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (uintptr_t)name;
	attr.raw_tracepoint.prog_fd = prog;
	link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	if (link < 0)
		return exit_error(name);

	rc = wait_between(ready, stop);
	if (rc)
		return rc;
	close(link);

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&n;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
		return exit_error("reading the map");
	printf("%llu\n", (unsigned long long)n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "perf"))
		return count_perf(strtoull(argv[2], NULL, 0), argv[3], argv[4]);
	if (argc == 5 && !strcmp(argv[1], "bpf"))
		return count_bpf(argv[2], argv[3], argv[4]);
	fputs("usage: tpcount perf ID|bpf NAME READY STOP\n", stderr);
	return 2;
}
