// SPDX-License-Identifier: GPL-2.0
/*
 * benchload - the loads of `make bench`, whose content can be verified.
 *
 * A page of a file holds words that follow from (seed, page number, version). The version says
 * which write of the order put the page there (0: it was there before). `verify` goes through the
 * same order again, so it knows what every page must hold. A page that is stale, lost, torn or
 * another's is caught.
 *
 * Numbers come out as `key value` lines.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

enum order { SEQ, HALF, RANDOM };

static struct {
	enum order order;
	unsigned long seed;
	unsigned long count;
	unsigned long chunk_kib;
	unsigned long slice_mib;
	unsigned long tasks;
	int node;
	bool bind;
	bool fsync;
	bool old;
	const char *key;
	const char *stop;
	const char *raw;
} opt = { .seed = 1, .chunk_kib = 128, .slice_mib = 16, .tasks = 1, .node = -1, .key = "load" };

static void print_usage(void)
{
	fputs("usage: benchload [options] COMMAND ...\n"
	      "  fill FILE MIB      write the content that is there before: version 0\n"
	      "  write FILE MIB     write pages in the order of -o, with -c, -b, -y\n"
	      "  verify FILE MIB    verify what `write` leaves with the same options\n"
	      "  map FILE MIB       verify what `fill` left, by a mapping, -c times\n"
	      "  touch MIB          touch that much anonymous memory, once, in a child\n"
	      "  churn MIB          hold that much, renew slices of -m MIB until -S FILE is there\n"
	      "  build DIR COUNT    write, read, rename and delete small files, by -j tasks\n"
	      "  rebuilt DIR COUNT  verify what `build` left\n"
	      "  mark DEVICE N      read the N-th page from the end, which shows in a log\n"
	      "options:\n"
	      "  -o seq|half|random all pages in sequence; every other page, in random order;\n"
	      "                     COUNT pages, each of them any one\n"
	      "  -c COUNT           how many writes `random` makes\n"
	      "  -b KIB             size of one write in sequence (128)\n"
	      "  -y                 fsync at the end\n"
	      "  -O                 the file was filled before\n"
	      "  -D DEVICE          where pages are not cached, verify what DEVICE has, which\n"
	      "                     is another way to the file's own disk\n"
	      "  -s SEED            seed of order and content (1)\n"
	      "  -k KEY             prefix of the keys of numbers (load)\n"
	      "  -N NODE            run on that node's CPUs\n"
	      "  -B NODE            also take memory from that node only\n"
	      "  -m MIB             slice (16)\n"
	      "  -j N               tasks (1)\n",
	      stderr);
	exit(2);
}

static void say(const char *name, unsigned long value)
{
	printf("%s.%s %lu\n", opt.key, name, value);
}

static uint64_t page_key(unsigned long page, unsigned long version)
{
	return mix(opt.seed ^ mix(page + 1) ^ mix(version << 40));
}

/* ---- where to run ---- */

static void set_node(int node, bool bind)
{
	unsigned long mask = 1UL << node;
	char name[64], list[256], *word;
	cpu_set_t cpus;
	FILE *f;

	snprintf(name, sizeof(name), "/sys/devices/system/node/node%d/cpulist", node);
	f = fopen(name, "r");
	if (!f || !fgets(list, sizeof(list), f))
		die(name);
	fclose(f);
	CPU_ZERO(&cpus);
	for (word = strtok(list, ",\n"); word; word = strtok(NULL, ",\n")) {
		unsigned int first, last;
		int n = sscanf(word, "%u-%u", &first, &last);

		for (unsigned int cpu = first; n > 0 && cpu <= (n == 2 ? last : first); cpu++)
			CPU_SET(cpu, &cpus);
	}
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("sched_setaffinity");
	/* The kernel reads one bit less than it is told. */
	if (bind && syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 8 * sizeof(mask)))
		die("set_mempolicy");
}

/* ---- files ---- */

/*
 * The order in which pages are written, and what each holds in the end. version[page] is 0 if
 * nothing was written.
 */
static unsigned int *order_pages(unsigned long pages, unsigned long *count, unsigned int *version)
{
	unsigned long n = 0;
	unsigned int *list;

	*count = opt.order == RANDOM ? opt.count : pages;
	list = map_anon(*count * sizeof(*list) + 1, MAP_PRIVATE);
	for (unsigned long i = 0; i < *count; i++) {
		if (opt.order == RANDOM)
			list[n++] = mix(opt.seed ^ mix(i)) % pages;
		else if (opt.order == SEQ || (mix(opt.seed + i) & 1))
			list[n++] = i;
	}
	*count = n;
	for (unsigned long i = opt.order == HALF ? n : 0; i > 1; i--) {
		unsigned long j = mix(opt.seed ^ mix(i)) % i;
		unsigned int page = list[j];

		list[j] = list[i - 1];
		list[i - 1] = page;
	}
	for (unsigned long i = 0; version && i < n; i++)
		version[list[i]] = opt.order == RANDOM ? i + 1 : 1;
	return list;
}

static void write_fully(int fd, const char *buf, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, buf, len, at);

		if (n <= 0)
			die("write");
		buf += n;
		len -= n;
		at += n;
	}
}

static int write_file(const char *name, unsigned long mib, bool fill)
{
	unsigned long pages = mib * PAGES_PER_MIB, count, chunk = 1, longest = 0, start;
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	unsigned int *list;
	char *buf;

	if (fd < 0)
		die(name);
	list = order_pages(pages, &count, NULL);
	if (opt.order == SEQ)
		chunk = opt.chunk_kib * 1024 / PAGE;
	buf = map_anon(chunk * PAGE, MAP_PRIVATE);
	start = now_us();
	for (unsigned long i = 0; i < count; i += chunk) {
		unsigned long n = count - i < chunk ? count - i : chunk, took;

		for (unsigned long j = 0; j < n; j++) {
			unsigned long version = opt.order == RANDOM ? i + 1 : 1;

			put_words(page_of(buf, j), 0, page_key(list[i + j], fill ? 0 : version));
		}
		took = now_us();
		write_fully(fd, buf, n * PAGE, list[i] * PAGE);
		took = now_us() - took;
		longest = took > longest ? took : longest;
	}
	say("written.us", now_us() - start);
	if (opt.fsync && fsync(fd))
		die("fsync");
	if (close(fd))
		die("close");
	say("us", now_us() - start);
	say("longest.us", longest);
	say("pages", count);
	return 0;
}

/*
 * What the disk has in place of a MiB of the file. It is read from the device, so as not to queue
 * behind a minute of writeback. Blocks that are not there read as zeroes.
 */
static void read_raw(int fd, int raw, unsigned long at, char *buf)
{
	static struct {
		struct fiemap map;
		struct fiemap_extent extents[PAGES_PER_MIB];
	} blocks;
	unsigned long len = PAGES_PER_MIB * PAGE;

	memset(buf, 0, len);
	blocks.map = (struct fiemap) {
		.fm_start = at, .fm_length = len, .fm_extent_count = PAGES_PER_MIB,
	};
	if (ioctl(fd, FS_IOC_FIEMAP, &blocks.map))
		die("FIEMAP");
	for (unsigned int i = 0; i < blocks.map.fm_mapped_extents; i++) {
		const struct fiemap_extent *e = &blocks.extents[i];
		unsigned long from = e->fe_logical > at ? e->fe_logical : at;
		unsigned long to = e->fe_logical + e->fe_length;

		to = to < at + len ? to : at + len;
		if (e->fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_UNWRITTEN) || from >= to)
			continue;
		if (pread(raw, buf + (from - at), to - from,
			  e->fe_physical + (from - e->fe_logical)) != (ssize_t)(to - from))
			die(opt.raw);
	}
}

static int verify_file(const char *name, unsigned long mib)
{
	unsigned long pages = mib * PAGES_PER_MIB, count, checked = 0, bad = 0, on_disk = 0;
	unsigned int *version = map_anon(pages * sizeof(*version), MAP_PRIVATE);
	uint64_t *buf = map_anon(PAGES_PER_MIB * PAGE, MAP_PRIVATE);
	unsigned char *cached = map_anon(pages, MAP_PRIVATE);
	int fd = open(name, O_RDONLY | O_CLOEXEC), raw = -1;

	if (fd < 0)
		die(name);
	if (opt.raw) {
		void *p = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);

		if (p == MAP_FAILED || mincore(p, pages * PAGE, cached))
			die("mincore");
		munmap(p, pages * PAGE);
		raw = open(opt.raw, O_RDONLY | O_DIRECT | O_CLOEXEC);
		if (raw < 0)
			die(opt.raw);
	}
	order_pages(pages, &count, version);
	for (unsigned long page = 0; page < pages; page += PAGES_PER_MIB) {
		if (opt.raw)
			read_raw(fd, raw, page * PAGE, (char *)buf);
		else if (pread(fd, buf, PAGES_PER_MIB * PAGE, page * PAGE) < 0)
			die(name);
		for (unsigned long i = page; i < page + PAGES_PER_MIB; i++) {
			uint64_t *p = buf + (i - page) * WORDS;

			/* Unless it was filled, a page that was not written may hold anything. */
			if (!version[i] && !opt.old)
				continue;
			if (cached[i] & 1) {
				if (pread(fd, p, PAGE, i * PAGE) != (ssize_t)PAGE)
					die(name);
			} else {
				on_disk++;
			}
			checked++;
			if (!words_ok(p, 0, page_key(i, version[i])) && !bad++)
				fprintf(stderr, "benchload: %s: page %lu is wrong (%s)\n", name, i,
					cached[i] & 1 ? "cached" : "disk");
		}
	}
	printf("benchload: verified %lu pages, %lu bad (%lu of them on the disk)\n",
	       checked, bad, on_disk);
	return bad || !checked;
}

static int map_file(const char *name, unsigned long mib)
{
	unsigned long pages = mib * PAGES_PER_MIB, checked = 0, bad = 0;
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	uint64_t *p;

	if (fd < 0)
		die(name);
	p = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	for (unsigned long round = 0; round < (opt.count ?: 1); round++) {
		for (unsigned long i = 0; i < pages; i++) {
			checked++;
			if (!words_ok(p + i * WORDS, 0, page_key(i, 0)) && !bad++)
				fprintf(stderr, "benchload: %s: page %lu is wrong\n", name, i);
		}
	}
	printf("benchload: verified %lu pages, %lu bad\n", checked, bad);
	return bad || !checked;
}

/* ---- memory ---- */

struct progress {
	unsigned long start_us, end_us, pages, longest_us, slow, rounds;
};

/* Touches a page, and notes how long its fault took. A user notices faults over 100 ms. */
static void fault(volatile uint64_t *p, unsigned long n, struct progress *pr)
{
	unsigned long took = now_us();

	*p = mix(n);
	took = now_us() - took;
	if (took > pr->longest_us)
		pr->longest_us = took;
	if (took > 100000)
		pr->slow++;
	pr->pages++;
}

/* When memory runs out, this task is killed first, so that the load notices. */
static void be_victim(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		die("oom_score_adj");
	close(fd);
}

static pid_t fork_victim(void)
{
	pid_t pid = fork_task();

	if (!pid)
		be_victim();
	return pid;
}

static int in_child(int (*load)(unsigned long mib, struct progress *pr), unsigned long mib)
{
	struct progress *pr = map_anon(sizeof(*pr), MAP_SHARED);
	int status;
	pid_t pid = fork_victim();

	if (!pid) {
		pr->start_us = now_us();
		_exit(load(mib, pr));
	}
	if (waitpid(pid, &status, 0) < 0)
		die("wait");
	if (!pr->end_us)
		pr->end_us = now_us();
	say("us", pr->end_us - pr->start_us);
	say("pages", pr->pages);
	say("rounds", pr->rounds);
	say("longest.us", pr->longest_us);
	say("slow", pr->slow);
	say("killed", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL ? 0 : 1;
	return WEXITSTATUS(status);
}

static int touch(unsigned long mib, struct progress *pr)
{
	unsigned long pages = mib * PAGES_PER_MIB;
	char *p = map_anon(pages * PAGE, MAP_PRIVATE);

	for (unsigned long i = 0; i < pages; i++)
		fault((uint64_t *)(p + i * PAGE), i, pr);
	pr->end_us = now_us();
	for (unsigned long i = 0; i < pages; i++)
		if (*(uint64_t *)(p + i * PAGE) != mix(i))
			return 1;
	return 0;
}

static int churn(unsigned long mib, struct progress *pr)
{
	unsigned long slice = opt.slice_mib * PAGES_PER_MIB, slices = mib / opt.slice_mib;
	char *p = map_anon((slices + 1) * slice * PAGE, MAP_PRIVATE);
	struct timespec pause = { .tv_nsec = 20000000 };

	for (unsigned long round = 0; access(opt.stop, F_OK); round++) {
		unsigned long at = round < slices ? round : mix(opt.seed ^ mix(round)) % slices;
		char *base = p + at * slice * PAGE;

		madvise(base, slice * PAGE, MADV_DONTNEED);
		for (unsigned long i = 0; i < slice; i++)
			fault((uint64_t *)(base + i * PAGE), i, pr);
		pr->rounds++;
		/* Others must have a turn, too, if all CPUs are one emulated thread. */
		nanosleep(&pause, NULL);
	}
	pr->end_us = now_us();
	return 0;
}

/* ---- small files, as a build has them ---- */

#define DIRS 16
#define OBJECT_MAX (64 * 1024)

static void file_name(char *name, size_t len, const char *dir, const char *kind,
		      unsigned long task, unsigned long i)
{
	snprintf(name, len, "%s/%lu/%s%lu-%lu", dir, i % DIRS, kind, task, i);
}

static size_t object_size(unsigned long task, unsigned long i, bool object)
{
	uint64_t r = mix(opt.seed ^ mix(task * 2 + object) ^ mix(i));

	return object ? 4096 + r % (OBJECT_MAX - 4096) : 1024 + r % 15360;
}

static void put_object(const char *name, unsigned long task, unsigned long i, bool object,
		       char *buf)
{
	size_t size = object_size(task, i, object);
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		die(name);
	for (size_t at = 0; at < size; at += PAGE)
		put_words((uint64_t *)(buf + at), 0,
			  page_key(i << 8 | at / PAGE, task * 2 + object));
	write_fully(fd, buf, size, 0);
	if (close(fd))
		die(name);
}

static bool object_ok(const char *name, unsigned long task, unsigned long i, bool object,
		      char *buf)
{
	size_t size = object_size(task, i, object);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0;
	uint64_t want[WORDS];

	ok = ok && read(fd, buf, OBJECT_MAX + 1) == (ssize_t)size;
	for (size_t at = 0; ok && at < size; at += PAGE) {
		put_words(want, 0, page_key(i << 8 | at / PAGE, task * 2 + object));
		ok = !memcmp(buf + at, want, size - at < PAGE ? size - at : PAGE);
	}
	if (fd >= 0)
		close(fd);
	if (!ok)
		fprintf(stderr, "benchload: %s is wrong\n", name);
	return ok;
}

/* One of three objects is removed again, some time later. */
static bool removed(unsigned long i)
{
	return i % 3 == 0;
}

/* Writes a source, reads an earlier one, takes memory and gives it back, writes the object. */
static int build_task(const char *dir, unsigned long task, unsigned long count)
{
	char *buf = map_anon(OBJECT_MAX + PAGE, MAP_PRIVATE), name[256], tmp[260];

	for (unsigned long i = 0; i < count; i++) {
		unsigned long earlier = mix(opt.seed ^ mix(i) ^ task) % (i + 1);
		unsigned long mib = 1 + mix(i ^ task) % opt.slice_mib;
		char *heap;

		file_name(name, sizeof(name), dir, "s", task, i);
		put_object(name, task, i, false, buf);
		file_name(name, sizeof(name), dir, "s", task, earlier);
		if (!object_ok(name, task, earlier, false, buf))
			return 1;
		/* Not for each of them: the files are the load. */
		heap = i % 4 ? NULL : map_anon(mib * PAGES_PER_MIB * PAGE, MAP_PRIVATE);
		for (unsigned long n = 0; heap && n < mib * PAGES_PER_MIB; n++)
			heap[n * PAGE] = n;
		file_name(name, sizeof(name), dir, "o", task, i);
		snprintf(tmp, sizeof(tmp), "%s.t", name);
		put_object(tmp, task, i, true, buf);
		if (rename(tmp, name))
			die(name);
		if (heap)
			munmap(heap, mib * PAGES_PER_MIB * PAGE);
		if (i >= 30 && removed(i - 30)) {
			file_name(name, sizeof(name), dir, "o", task, i - 30);
			if (unlink(name))
				die(name);
		}
	}
	return 0;
}

static int build(const char *dir, unsigned long count)
{
	unsigned long start = now_us();
	int rc = 0, status;
	char name[256];

	for (unsigned long i = 0; i < DIRS; i++) {
		snprintf(name, sizeof(name), "%s/%lu", dir, i);
		if (mkdir(name, 0755))
			die(name);
	}
	for (unsigned long task = 0; task < opt.tasks; task++) {
		if (!fork_victim())
			exit(build_task(dir, task, count));
	}
	for (unsigned long task = 0; task < opt.tasks; task++) {
		if (wait(&status) < 0)
			die("wait");
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			fprintf(stderr, "benchload: a task ended with status %#x\n", status);
			rc = 1;
		}
	}
	say("us", now_us() - start);
	return rc;
}

static int verify_build(const char *dir, unsigned long count)
{
	char *buf = map_anon(OBJECT_MAX + PAGE, MAP_PRIVATE), name[256];
	unsigned long checked = 0, bad = 0;

	for (unsigned long task = 0; task < opt.tasks; task++) {
		for (unsigned long i = 0; i < count; i++) {
			file_name(name, sizeof(name), dir, "s", task, i);
			bad += !object_ok(name, task, i, false, buf);
			checked++;
			if (removed(i) && i + 30 < count)
				continue;
			file_name(name, sizeof(name), dir, "o", task, i);
			bad += !object_ok(name, task, i, true, buf);
			checked++;
		}
	}
	printf("benchload: verified %lu files, %lu bad\n", checked, bad);
	return bad || !checked;
}

/* Marks where a phase begins or ends, in the log of the disk's server. */
static int mark(const char *device, unsigned long n)
{
	int fd = open(device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	void *buf = map_anon(PAGE, MAP_PRIVATE);
	off_t size;

	if (fd < 0)
		die(device);
	size = lseek(fd, 0, SEEK_END);
	if (size < 0 || pread(fd, buf, PAGE, size - n * PAGE) != (ssize_t)PAGE)
		die(device);
	close(fd);
	return 0;
}

static int run(int argc, char **argv)
{
	const char *command = argv[0];

	if (argc == 3 && !strcmp(command, "fill"))
		return write_file(argv[1], number(argv[2]), true);
	if (argc == 3 && !strcmp(command, "write"))
		return write_file(argv[1], number(argv[2]), false);
	if (argc == 3 && !strcmp(command, "verify"))
		return verify_file(argv[1], number(argv[2]));
	if (argc == 3 && !strcmp(command, "map"))
		return map_file(argv[1], number(argv[2]));
	if (argc == 2 && !strcmp(command, "touch"))
		return in_child(touch, number(argv[1]));
	if (argc == 2 && !strcmp(command, "churn") && opt.stop)
		return in_child(churn, number(argv[1]));
	if (argc == 3 && !strcmp(command, "build"))
		return build(argv[1], number(argv[2]));
	if (argc == 3 && !strcmp(command, "rebuilt"))
		return verify_build(argv[1], number(argv[2]));
	if (argc == 3 && !strcmp(command, "mark"))
		return mark(argv[1], number(argv[2]));
	print_usage();
	return 2;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "o:c:b:yOs:k:N:B:m:j:S:D:")) != -1) {
		switch (c) {
		case 'o':
			if (!strcmp(optarg, "seq"))
				opt.order = SEQ;
			else if (!strcmp(optarg, "half"))
				opt.order = HALF;
			else if (!strcmp(optarg, "random"))
				opt.order = RANDOM;
			else
				print_usage();
			break;
		case 'c':
			opt.count = number(optarg);
			break;
		case 'b':
			opt.chunk_kib = number(optarg);
			break;
		case 'y':
			opt.fsync = true;
			break;
		case 'O':
			opt.old = true;
			break;
		case 's':
			opt.seed = number(optarg);
			break;
		case 'k':
			opt.key = optarg;
			break;
		case 'N':
		case 'B':
			opt.node = number(optarg);
			opt.bind = c == 'B';
			break;
		case 'm':
			opt.slice_mib = number(optarg);
			break;
		case 'j':
			opt.tasks = number(optarg);
			break;
		case 'S':
			opt.stop = optarg;
			break;
		case 'D':
			opt.raw = optarg;
			break;
		default:
			print_usage();
		}
	}
	if (optind == argc || !opt.chunk_kib || opt.chunk_kib % 4 || !opt.slice_mib || !opt.tasks ||
	    (opt.order == RANDOM && !opt.count))
		print_usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (opt.node >= 0)
		set_node(opt.node, opt.bind);
	return run(argc - optind, argv + optind);
}
