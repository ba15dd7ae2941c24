// SPDX-License-Identifier: GPL-2.0
/*
 * filehog - files whose content can be verified, page by page.
 *
 * A page says which seed, file, page number and generation it has, and the rest of it follows from
 * that. A page that is stale, misplaced, zeroed or torn is caught, even after a remount. The exit
 * code is 0 only if all went well, 1 for wrong content, and 2 for an error, whose name is printed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#define MAGIC 0x66696c65686f6731ULL	/* "filehog1" */
#define HEAD 4				/* words before those that follow from them */
#define MAX_BATCH 256UL

enum order { SEQUENTIAL, RANDOM, EVEN, ODD };

static struct {
	unsigned long files, number, first, pages, seed, gen, keep, rounds, batch;
	enum order order;
	bool map, sync, at_least, zero, verify, clone, forever;
	const char *until;
} opt = { .files = 1, .pages = 256, .seed = 1, .gen = 1, .keep = 1, .rounds = 1,
	.batch = 1 };

static void print_usage(void)
{
	fputs("usage: filehog VERB [options] PATH\n"
	      "  write    write pages of the files PATH.0 .. PATH.(N-1)\n"
	      "  verify   verify what write has written\n"
	      "  sync     fsync them\n"
	      "  churn    create, write, unlink and close PATH.0 .. PATH.(N-1), of which\n"
	      "           -k are open at a time\n"
	      "  mutate   rounds of writes, truncates, holes, clones and unlinks on PATH.0\n"
	      "           .. PATH.(N-1), chosen by the seed; -V replays them without I/O,\n"
	      "           to verify what is there\n"
	      "  -n N        files (1)\n"
	      "  -i NUMBER   verify: PATH.0 has this number in its content (0)\n"
	      "  -a PAGE     first page (0)\n"
	      "  -p PAGES    pages from there (256)\n"
	      "  -o ORDER    sequential, random, even (every second page), odd\n"
	      "  -s SEED     content, and order (1)\n"
	      "  -g GEN      generation of the content (1)\n"
	      "  -b PAGES    pages in one write, in sequence (1; large folios want more)\n"
	      "  -m          write by mmap\n"
	      "  -y          fsync each file when it is written, and say so\n"
	      "  -l          verify: a later generation is right as well\n"
	      "  -z          verify: the pages are holes, all zero\n"
	      "  -k FILES    churn: files that are open and unlinked at a time (1)\n"
	      "  -r ROUNDS   write (a generation each), mutate (1)\n"
	      "  -f          write, churn: again and again, until killed\n"
	      "  -u FILE     write: again and again, a generation each, until FILE is there\n"
	      "  -c          mutate: clone files (FICLONE)\n"
	      "  -V          mutate: verify\n",
	      stderr);
	exit(2);
}

/* Ends the program, and names the error as a script can look for it. */
static void fail(const char *what, const char *path)
{
	printf("filehog: %s %s: %s\n", what, path, strerrorname_np(errno));
	exit(2);
}

/* ---- pages ---- */

static void fill_page(uint64_t *p, unsigned long file, unsigned long n, unsigned long gen)
{
	uint64_t key = mix(opt.seed ^ mix(file + 1) ^ mix(gen << 40 ^ n));

	p[0] = MAGIC;
	p[1] = opt.seed;
	p[2] = (uint64_t)file << 32 | n;
	p[3] = gen;
	for (unsigned long i = HEAD; i < WORDS; i++)
		p[i] = scrambled(key, i);
}

static bool page_ok(const uint64_t *p, unsigned long file, unsigned long n, unsigned long gen)
{
	uint64_t right[WORDS];

	if (opt.at_least && p[0] == MAGIC && p[3] > gen)
		gen = p[3];
	fill_page(right, file, n, gen);
	return !memcmp(p, right, PAGE);
}

static bool page_is_zero(const uint64_t *p)
{
	for (unsigned long i = 0; i < WORDS; i++)
		if (p[i])
			return false;
	return true;
}

static unsigned long bad, checked;

static void page_is_wrong(const char *path, unsigned long n, unsigned long gen, const uint64_t *p)
{
	if (bad++ >= 5)
		return;
	printf("filehog: %s page %lu is wrong: generation %lu was expected, ", path, n, gen);
	if (page_is_zero(p))
		printf("it is all zero\n");
	else if (p[0] == MAGIC)
		printf("it says seed %lu file %lu page %lu generation %lu\n", (unsigned long)p[1],
		       (unsigned long)(p[2] >> 32), (unsigned long)(uint32_t)p[2],
		       (unsigned long)p[3]);
	else
		printf("it is foreign\n");
}

/*
 * for i in [0, span): chosen(i, &n) gives each chosen page number n once, in the chosen order. An
 * odd stride walks all of a power of two.
 */
static unsigned long span(void)
{
	unsigned long n = 1;

	while (n < opt.pages)
		n <<= 1;
	return n;
}

static bool chosen(unsigned long i, unsigned long *n)
{
	*n = opt.order == RANDOM ? i * (mix(opt.seed) | 1) & (span() - 1) : i;
	if (*n >= opt.pages)
		return false;
	*n += opt.first;
	return opt.order < EVEN || (*n & 1) == (opt.order == ODD);
}

/* ---- files ---- */

static const char *path_of(const char *base, unsigned long file)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s.%lu", base, file);
	return path;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		fail("open", path);
	return fd;
}

static void close_file(int fd, const char *path)
{
	if (close(fd))
		fail("close", path);
}

static void write_pages(int fd, const char *path, unsigned long file, unsigned long from,
			unsigned long nr, unsigned long gen)
{
	static uint64_t page[MAX_BATCH * WORDS];
	ssize_t len;

	for (unsigned long i = 0; i < nr; i++)
		fill_page(page + i * WORDS, file, from + i, gen);
	do {
		len = pwrite(fd, page, nr * PAGE, from * PAGE);
	} while (len < 0 && errno == EINTR);
	if (len != (ssize_t)(nr * PAGE)) {
		if (len >= 0)
			errno = ENOSPC;	/* a full disk first makes a write short */
		fail("write", path);
	}
}

static void write_page(int fd, const char *path, unsigned long file, unsigned long n,
		       unsigned long gen)
{
	write_pages(fd, path, file, n, 1, gen);
}

static void write_batches(int fd, const char *path, unsigned long file, unsigned long gen)
{
	for (unsigned long n = 0; n < opt.pages; n += opt.batch)
		write_pages(fd, path, file, opt.first + n,
			    opt.batch < opt.pages - n ? opt.batch : opt.pages - n, gen);
}

static void map_pages(int fd, const char *path, unsigned long file, unsigned long gen)
{
	size_t len = (opt.first + opt.pages) * PAGE;
	struct stat st;
	char *p;

	if (fstat(fd, &st) || ((size_t)st.st_size < len && ftruncate(fd, len)))
		fail("ftruncate", path);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		fail("mmap", path);
	for (unsigned long i = 0, n; i < span(); i++)
		if (chosen(i, &n))
			fill_page((uint64_t *)(p + n * PAGE), file, n, gen);
	if (munmap(p, len))
		fail("munmap", path);
}

static void write_file(const char *base, unsigned long file, unsigned long gen)
{
	const char *path = path_of(base, file);
	int fd = open_file(path, O_RDWR | O_CREAT);

	if (opt.map)
		map_pages(fd, path, file, gen);
	else if (opt.batch > 1)
		write_batches(fd, path, file, gen);
	for (unsigned long i = 0, n; !opt.map && opt.batch == 1 && i < span(); i++)
		if (chosen(i, &n))
			write_page(fd, path, file, n, gen);
	if (opt.sync) {
		if (fsync(fd))
			fail("fsync", path);
		printf("filehog: synced file %lu generation %lu\n", file, gen);
		fflush(stdout);
	}
	close_file(fd, path);
}

static void verify_file(const char *base, unsigned long file)
{
	const char *path = path_of(base, file);
	int fd = open_file(path, O_RDONLY);
	uint64_t page[WORDS];

	for (unsigned long i = 0, n; i < span(); i++) {
		if (!chosen(i, &n))
			continue;
		memset(page, 0x5a, PAGE);
		if (pread(fd, page, PAGE, n * PAGE) < 0)
			fail("read", path);
		checked++;
		if (opt.zero ? !page_is_zero(page) :
			       !page_ok(page, file + opt.number, n, opt.gen))
			page_is_wrong(path, n, opt.gen, page);
	}
	close_file(fd, path);
}

static void sync_file(const char *base, unsigned long file)
{
	const char *path = path_of(base, file);
	int fd = open_file(path, O_RDWR);

	if (fsync(fd))
		fail("fsync", path);
	close_file(fd, path);
}

/* ---- churn: files that are gone while their pages are still dirty ---- */

static void churn(const char *base)
{
	int *fds = calloc(opt.keep, sizeof(*fds));
	unsigned long done = 0;

	if (!fds)
		fail("calloc", base);
	for (unsigned long i = 0; i < opt.files || opt.forever; i++) {
		int *fd = &fds[i % opt.keep];
		const char *path = path_of(base, i);

		if (i >= opt.keep)
			close_file(*fd, path);
		*fd = open_file(path, O_RDWR | O_CREAT | O_EXCL);
		for (unsigned long k = 0, n; k < span(); k++)
			if (chosen(k, &n))
				write_page(*fd, path, i, n, opt.gen);
		if (unlink(path))
			fail("unlink", path);
		done++;
	}
	/* They are unlinked, and still there for this process, which has them open. */
	for (unsigned long i = done < opt.keep ? 0 : done - opt.keep; i < done; i++) {
		uint64_t page[WORDS];

		for (unsigned long n = opt.first; n < opt.first + opt.pages; n++) {
			if (opt.order != SEQUENTIAL && opt.order != RANDOM)
				break;
			if (pread(fds[i % opt.keep], page, PAGE, n * PAGE) < 0)
				fail("read", base);
			checked++;
			if (!page_ok(page, i, n, opt.gen))
				page_is_wrong(path_of(base, i), n, opt.gen, page);
		}
		close_file(fds[i % opt.keep], base);
	}
	free(fds);
	printf("filehog: churned %lu files\n", done);
}

/* ---- mutate: the content of a page follows from the rounds so far ---- */

#define NO_FILE ULONG_MAX	/* a hole, or a page beyond the end */

struct origin {			/* what a page holds: a clone has that of another file */
	unsigned long file, gen;
};

struct model {
	struct origin *page;
	unsigned long size;	/* in pages */
};

static uint64_t state;

static unsigned long choose(unsigned long n)
{
	state = mix(state);
	return state % n;
}

static void set_pages(struct model *m, unsigned long from, unsigned long to, unsigned long file,
		      unsigned long gen)
{
	for (unsigned long n = from; n < to; n++)
		m->page[n] = (struct origin){ file, gen };
}

static unsigned long counts[6];

static void mutate_round(const char *base, struct model *models, unsigned long round)
{
	unsigned long file = choose(opt.files), other = choose(opt.files), kind = choose(16);
	unsigned long from = choose(opt.pages), len = 1 + choose(kind < 3 ? 512 : 64);
	unsigned long to = from + len < opt.pages ? from + len : opt.pages;
	struct model *m = &models[file];
	const char *path = path_of(base, file);
	int fd = -1, src;

	if (!opt.verify)
		fd = open_file(path, O_RDWR | O_CREAT);
	if (kind < 9 || (kind == 13 && !opt.clone)) {
		for (unsigned long n = from; n < to && fd >= 0; n++)
			write_page(fd, path, file, n, round);
		if (to > m->size)
			m->size = to;
		set_pages(m, from, to, file, round);
		counts[0]++;
	} else if (kind < 11) {
		/* If the file grows again later, what was cut off must come back as zeroes. */
		if (fd >= 0 && ftruncate(fd, from * PAGE))
			fail("ftruncate", path);
		m->size = from;
		set_pages(m, from, opt.pages, NO_FILE, 0);
		counts[1]++;
	} else if (kind < 13) {
		if (fd >= 0 && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					 from * PAGE, (to - from) * PAGE))
			fail("punch", path);
		set_pages(m, from, to, NO_FILE, 0);
		counts[2]++;
	} else if (kind < 14) {
		if (other != file) {
			if (fd >= 0) {
				src = open_file(path_of(base, other), O_RDWR | O_CREAT);
				if (ftruncate(fd, 0) || ioctl(fd, FICLONE, src))
					fail("clone", path_of(base, other));
				close_file(src, base);
			}
			m->size = models[other].size;
			memcpy(m->page, models[other].page, opt.pages * sizeof(*m->page));
			counts[3]++;
		}
	} else if (kind < 15) {
		if (fd >= 0 && unlink(path_of(base, file)))
			fail("unlink", base);
		m->size = 0;
		set_pages(m, 0, opt.pages, NO_FILE, 0);
		counts[4]++;
	} else {
		if (fd >= 0 && fsync(fd))
			fail("fsync", path);
		counts[5]++;
	}
	if (fd >= 0)
		close_file(fd, base);
}

static void verify_model(const char *base, struct model *m, unsigned long file)
{
	const char *path = path_of(base, file);
	uint64_t page[WORDS];
	struct stat st;
	int fd;

	if (stat(path, &st)) {
		/* The last change unlinked it, or none has touched it. */
		if (errno != ENOENT)
			fail("stat", path);
		if (m->size) {
			printf("filehog: %s is not there\n", path);
			bad++;
		}
		return;
	}
	checked++;
	if ((unsigned long)st.st_size != m->size * PAGE) {
		printf("filehog: %s has %lu bytes, expected %lu\n", path,
		       (unsigned long)st.st_size, m->size * PAGE);
		bad++;
	}
	fd = open_file(path, O_RDONLY);
	for (unsigned long n = 0; n < m->size; n++) {
		struct origin o = m->page[n];

		memset(page, 0x5a, PAGE);
		if (pread(fd, page, PAGE, n * PAGE) < 0)
			fail("read", path);
		checked++;
		if (o.file == NO_FILE ? !page_is_zero(page) : !page_ok(page, o.file, n, o.gen))
			page_is_wrong(path, n, o.gen, page);
	}
	close_file(fd, path);
}

static void mutate(const char *base)
{
	struct model *models = calloc(opt.files, sizeof(*models));

	for (unsigned long i = 0; models && i < opt.files; i++) {
		models[i].page = calloc(opt.pages, sizeof(*models[i].page));
		if (!models[i].page)
			fail("calloc", base);
		set_pages(&models[i], 0, opt.pages, NO_FILE, 0);
	}
	if (!models)
		fail("calloc", base);
	state = mix(opt.seed);
	for (unsigned long r = 1; r <= opt.rounds; r++)
		mutate_round(base, models, r);
	for (unsigned long i = 0; i < opt.files && opt.verify; i++)
		verify_model(base, &models[i], i);
	printf("filehog: writes %lu, truncates %lu, holes %lu, ", counts[0], counts[1], counts[2]);
	printf("clones %lu, unlinks %lu, fsyncs %lu\n", counts[3], counts[4], counts[5]);
}

/* ---- */

static void parse(int argc, char **argv)
{
	static const char *const orders[] = { "sequential", "random", "even", "odd" };
	int c;

	while ((c = getopt(argc, argv, "n:i:a:p:o:s:g:b:mylzk:r:fu:cV")) != -1) {
		switch (c) {
		case 'n':
			opt.files = number(optarg);
			break;
		case 'i':
			opt.number = number(optarg);
			break;
		case 'a':
			opt.first = number(optarg);
			break;
		case 'p':
			opt.pages = number(optarg);
			break;
		case 'o':
			for (c = 0; c < 4 && strcmp(optarg, orders[c]); c++)
				;
			if (c == 4)
				print_usage();
			opt.order = c;
			break;
		case 's':
			opt.seed = number(optarg);
			break;
		case 'g':
			opt.gen = number(optarg);
			break;
		case 'b':
			opt.batch = number(optarg);
			break;
		case 'm':
			opt.map = true;
			break;
		case 'y':
			opt.sync = true;
			break;
		case 'l':
			opt.at_least = true;
			break;
		case 'z':
			opt.zero = true;
			break;
		case 'k':
			opt.keep = number(optarg);
			break;
		case 'r':
			opt.rounds = number(optarg);
			break;
		case 'f':
			opt.forever = true;
			break;
		case 'u':
			opt.until = optarg;
			break;
		case 'c':
			opt.clone = true;
			break;
		case 'V':
			opt.verify = true;
			break;
		default:
			print_usage();
		}
	}
	if (optind != argc - 1 || !opt.files || !opt.pages || !opt.keep || !opt.batch ||
	    opt.batch > MAX_BATCH)
		print_usage();
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "", *base;
	unsigned long i, r;

	if (argc < 2)
		print_usage();
	parse(argc - 1, argv + 1);
	base = argv[argc - 1];
	if (!strcmp(verb, "write")) {
		for (r = 0; r < opt.rounds || opt.forever ||
			    (opt.until && access(opt.until, F_OK)); r++)
			for (i = 0; i < opt.files; i++)
				write_file(base, i, opt.gen + r);
		printf("filehog: wrote %lu files, generation %lu\n", opt.files, opt.gen + r - 1);
		return 0;
	} else if (!strcmp(verb, "sync")) {
		for (i = 0; i < opt.files; i++)
			sync_file(base, i);
		printf("filehog: synced %lu files\n", opt.files);
		return 0;
	} else if (!strcmp(verb, "verify")) {
		for (i = 0; i < opt.files; i++)
			verify_file(base, i);
	} else if (!strcmp(verb, "churn")) {
		churn(base);
	} else if (!strcmp(verb, "mutate")) {
		mutate(base);
		if (!opt.verify)
			return 0;
	} else {
		print_usage();
	}
	/* It is no success to have verified nothing. */
	printf("filehog: verified %lu pages, %lu bad\n", checked, bad);
	return bad || !checked;
}
