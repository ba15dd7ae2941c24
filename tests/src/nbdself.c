// SPDX-License-Identifier: GPL-2.0
/*
 * nbdself - an NBD device whose server is a process of the same machine.
 *
 * The server must receive and store what reclaim writes to such a device. For that it may need
 * memory, which reclaim may have to write out first. The server stores on a disk, through the page
 * cache if it is not told otherwise, and takes memory of its own for each request if it is told
 * to. One that is written with care locks its memory, says what it is, and writes directly (-c -d).
 *
 * The server's process is a child; this one stays in NBD_DO_IT until `nbd-client -d`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/nbd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

/* More than the block layer gives NBD in one request. */
#define REQUEST_MAX (4UL << 20)

static struct {
	unsigned long mib, need_kib;
	bool careful, direct;
	const char *dev, *store;
} opt = { .mib = 256 };

static void print_usage(void)
{
	fputs("usage: nbdself [options] /dev/nbdN STORE\n"
	      "  -m MIB   size of the device (256)\n"
	      "  -k KIB   memory that the server takes, and gives back, for each request (0)\n"
	      "  -c       the server locks its memory, and is a PR_SET_IO_FLUSHER\n"
	      "  -d       it writes its store directly, not through the page cache\n",
	      stderr);
	exit(2);
}

/* ---- the server ---- */

static bool xmit(int fd, void *buf, size_t len, bool out)
{
	for (char *p = buf; len;) {
		ssize_t n = out ? send(fd, p, len, MSG_NOSIGNAL) : recv(fd, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

/* Reads or writes all of it; what lies behind the end of the store reads as zeros. */
static bool stored(int fd, char *buf, size_t len, off_t at, bool write)
{
	while (len) {
		ssize_t n = write ? pwrite(fd, buf, len, at) : pread(fd, buf, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (!n && !write) {
			memset(buf, 0, len);
			return true;
		}
		if (n <= 0)
			return false;
		buf += n;
		len -= n;
		at += n;
	}
	return true;
}

/* As one does that builds a tree or a buffer for each request. */
static bool take_memory(void)
{
	size_t size = opt.need_kib * 1024;
	char *p;

	if (!size)
		return true;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return false;
	for (size_t i = 0; i < size; i += PAGE)
		p[i] = 1;
	munmap(p, size);
	return true;
}

static void serve(int sock, int store)
{
	char *buf = mmap(NULL, REQUEST_MAX, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct nbd_request request;

	if (buf == MAP_FAILED)
		die("mmap");
	if (opt.careful) {
		if (mlockall(MCL_CURRENT | MCL_FUTURE))
			die("mlockall");
		if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
			die("PR_SET_IO_FLUSHER");
	}
	while (xmit(sock, &request, sizeof(request), false)) {
		uint32_t type = be32toh(request.type) & 0xffff, len = be32toh(request.len);
		off_t at = be64toh(request.from);
		struct nbd_reply reply = { .magic = htobe32(NBD_REPLY_MAGIC) };
		bool ok = true;

		if (be32toh(request.magic) != NBD_REQUEST_MAGIC || len > REQUEST_MAX)
			break;
		memcpy(reply.handle, request.handle, sizeof(reply.handle));
		if (type == NBD_CMD_DISC)
			break;
		if (type == NBD_CMD_WRITE && !xmit(sock, buf, len, false))
			break;
		ok = take_memory();
		if (ok && (type == NBD_CMD_WRITE || type == NBD_CMD_READ))
			ok = stored(store, buf, len, at, type == NBD_CMD_WRITE);
		else if (ok && type == NBD_CMD_FLUSH)
			ok = !fdatasync(store);
		reply.error = htobe32(ok ? 0 : EIO);
		if (!xmit(sock, &reply, sizeof(reply), true))
			break;
		if (ok && type == NBD_CMD_READ && !xmit(sock, buf, len, true))
			break;
	}
	exit(0);
}

/* ---- the device ---- */

/* Over TCP, as between machines: a pair of connected sockets. */
static void connected(int fds[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&at, &len))
		die("listen");
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (fds[0] < 0 || connect(fds[0], (struct sockaddr *)&at, sizeof(at)))
		die("connect");
	fds[1] = accept(listener, NULL, NULL);
	if (fds[1] < 0)
		die("accept");
	close(listener);
	for (int i = 0; i < 2; i++)
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int main(int argc, char **argv)
{
	int c, dev, store, fds[2];
	pid_t server;

	while ((c = getopt(argc, argv, "m:k:cd")) != -1) {
		switch (c) {
		case 'm':
			opt.mib = number(optarg);
			break;
		case 'k':
			opt.need_kib = number(optarg);
			break;
		case 'c':
			opt.careful = true;
			break;
		case 'd':
			opt.direct = true;
			break;
		default:
			print_usage();
		}
	}
	if (argc - optind != 2)
		print_usage();
	opt.dev = argv[optind];
	opt.store = argv[optind + 1];

	store = open(opt.store, O_RDWR | O_CLOEXEC | (opt.direct ? O_DIRECT : 0));
	if (store < 0)
		die(opt.store);
	/* Held open for writing, it could not be mounted (CONFIG_BLK_DEV_WRITE_MOUNTED). */
	dev = open(opt.dev, O_RDONLY | O_CLOEXEC);
	if (dev < 0)
		die(opt.dev);
	connected(fds);
	server = fork();
	if (server < 0)
		die("fork");
	if (!server) {
		close(dev);
		close(fds[0]);
		serve(fds[1], store);
	}
	close(fds[1]);
	close(store);
	if (ioctl(dev, NBD_CLEAR_SOCK) || ioctl(dev, NBD_SET_BLKSIZE, PAGE) ||
	    ioctl(dev, NBD_SET_SIZE_BLOCKS, opt.mib * PAGES_PER_MIB) ||
	    ioctl(dev, NBD_SET_FLAGS, NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH) ||
	    ioctl(dev, NBD_SET_SOCK, fds[0]))
		die("NBD_SET_SOCK");
	/* Else its pages could be swapped out to the device that it holds. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall");
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("nbdself: server %d\n", server);
	c = ioctl(dev, NBD_DO_IT);
	ioctl(dev, NBD_CLEAR_QUE);
	ioctl(dev, NBD_CLEAR_SOCK);
	close(fds[0]);
	waitpid(server, NULL, 0);
	return c ? 1 : 0;
}
