// SPDX-License-Identifier: GPL-2.0
/*
 * nbdlink - connect an NBD device and keep it connected.
 *
 * nbd-client cannot ask the kernel for what a swap device needs: requests that wait for a new
 * connection and do not fail (NBD_ATTR_DEAD_CONN_TIMEOUT). Nor can it give a device that is in use
 * a new connection (NBD_CMD_RECONFIGURE), from the same server or from another. This program does
 * so, over netlink: it connects and stays. Whenever the kernel says that a connection is dead, it
 * tries the servers in turn until one answers. It never needs a page of its own from the device
 * (mlockall), nor I/O to get memory.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <linux/genetlink.h>
#include <linux/nbd-netlink.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

/* The protocol's fixed newstyle handshake, as far as it is needed. */
#define NBD_INIT_MAGIC		0x4e42444d41474943ULL	/* NBDMAGIC */
#define NBD_OPTS_MAGIC		0x49484156454f5054ULL	/* IHAVEOPT */
#define NBD_OPT_EXPORT_NAME	1
#define NBD_FIXED_NEWSTYLE	1
#define NBD_NO_ZEROES		2

#define MAX_SERVERS		4
#define MAX_CONNECTIONS		16
#define ANSWER_S		2
#define RETRY_US		200000

static struct {
	unsigned long timeout_s, dead_s, connections;
	const char *servers[MAX_SERVERS];
	unsigned int nr_servers, index;
} opt = { .timeout_s = 5, .dead_s = 300, .connections = 1 };

static int genl = -1;
static uint16_t family;
static uint32_t group;

static void print_usage(void)
{
	fputs("usage: nbdlink [options] /dev/nbdN HOST:PORT...\n"
	      "  -t SECONDS   send a request without an answer again after this (5)\n"
	      "  -d SECONDS   let requests wait that long for a connection (300)\n"
	      "  -c N         connections, spread over the servers in turn (1)\n",
	      stderr);
	exit(2);
}

/* ---- the server's side ---- */

static bool xmit(int fd, void *buf, size_t len, bool out)
{
	char *p = buf;

	while (len) {
		ssize_t n = out ? send(fd, p, len, MSG_NOSIGNAL) : recv(fd, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (!n)
			errno = ECONNRESET;
		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static void set_timeouts(int fd, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static bool handshake(int fd, uint64_t *size, uint16_t *flags)
{
	struct {
		uint64_t init, opts;
		uint16_t flags;
	} __attribute__((packed)) hello;
	struct {
		uint32_t flags;
		uint64_t opts;
		uint32_t option, len;
	} __attribute__((packed)) answer = {
		htobe32(NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES), htobe64(NBD_OPTS_MAGIC),
		htobe32(NBD_OPT_EXPORT_NAME), 0,
	};
	struct {
		uint64_t size;
		uint16_t flags;
	} __attribute__((packed)) export;

	if (!xmit(fd, &hello, sizeof(hello), false))
		return false;
	errno = EPROTO;
	if (be64toh(hello.init) != NBD_INIT_MAGIC || be64toh(hello.opts) != NBD_OPTS_MAGIC ||
	    !(be16toh(hello.flags) & NBD_NO_ZEROES))
		return false;
	if (!xmit(fd, &answer, sizeof(answer), true) ||
	    !xmit(fd, &export, sizeof(export), false))
		return false;
	*size = be64toh(export.size);
	*flags = be16toh(export.flags);
	return true;
}

/* A connection to HOST:PORT that is ready for requests, or -1. */
static int reach(const char *server, uint64_t *size, uint16_t *flags)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *colon = strrchr(server, ':');
	char host[INET_ADDRSTRLEN] = "";
	int fd, one = 1;

	if (!colon || colon - server >= (int)sizeof(host))
		print_usage();
	memcpy(host, server, colon - server);
	to.sin_port = htons(number(colon + 1));
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		print_usage();
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	set_timeouts(fd, ANSWER_S);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) || !handshake(fd, size, flags)) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	/* From here on it is the kernel's connection, which waits as long as it takes. */
	set_timeouts(fd, 0);
	return fd;
}

/* ---- the kernel's side: generic netlink ---- */

struct message {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[1024];
};

static struct nlattr *put(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (void *)((char *)m + NLMSG_ALIGN(m->nl.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((char *)a + NLA_HDRLEN, data, len);
	m->nl.nlmsg_len = (char *)a - (char *)m + NLA_ALIGN(a->nla_len);
	return a;
}

static void put_u64(struct message *m, uint16_t type, uint64_t value)
{
	put(m, type, &value, sizeof(value));
}

/* Everything that was put since then is inside of it. */
static void nest_end(struct message *m, struct nlattr *a)
{
	a->nla_type |= NLA_F_NESTED;
	a->nla_len = (char *)m + m->nl.nlmsg_len - (char *)a;
}

static struct message request(uint16_t type, uint8_t cmd)
{
	return (struct message){
		.nl = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN), .nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.genl = { .cmd = cmd, .version = 1 },
	};
}

static const struct nlattr *find(const void *from, size_t len, uint16_t type)
{
	const struct nlattr *a = from;

	while (len >= NLA_HDRLEN && a->nla_len >= NLA_HDRLEN && a->nla_len <= len) {
		size_t step = NLA_ALIGN(a->nla_len);

		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if (step >= len)
			break;
		len -= step;
		a = (const void *)((const char *)a + step);
	}
	return NULL;
}

static const void *value(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

static void learn(const struct nlmsghdr *nl)
{
	const char *attrs = (const char *)NLMSG_DATA(nl) + GENL_HDRLEN;
	size_t len = nl->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
	const struct nlattr *a = find(attrs, len, CTRL_ATTR_FAMILY_ID);

	if (a)
		memcpy(&family, value(a), sizeof(family));
	a = find(attrs, len, CTRL_ATTR_MCAST_GROUPS);
	if (!a)
		return;
	/* The family has only one group. */
	a = value(a);
	a = find(value(a), a->nla_len - NLA_HDRLEN, CTRL_ATTR_MCAST_GRP_ID);
	if (a)
		memcpy(&group, value(a), sizeof(group));
}

/* Sends it and receives until the kernel's answer, which it leaves in errno. */
static bool ask(struct message *m)
{
	char buf[8192];

	if (send(genl, m, m->nl.nlmsg_len, 0) < 0)
		return false;
	for (;;) {
		ssize_t len = recv(genl, buf, sizeof(buf), 0);
		struct nlmsghdr *nl = (void *)buf;

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return false;
		for (; NLMSG_OK(nl, len); nl = NLMSG_NEXT(nl, len)) {
			if (nl->nlmsg_type == NLMSG_ERROR) {
				errno = -((struct nlmsgerr *)NLMSG_DATA(nl))->error;
				return !errno;
			}
			if (nl->nlmsg_type == GENL_ID_CTRL)
				learn(nl);
		}
	}
}

static int open_netlink(void)
{
	struct sockaddr_nl me = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (struct sockaddr *)&me, sizeof(me)))
		die("netlink");
	return fd;
}

static void find_family(void)
{
	struct message m = request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);

	put(&m, CTRL_ATTR_FAMILY_NAME, NBD_GENL_FAMILY_NAME, sizeof(NBD_GENL_FAMILY_NAME));
	if (!ask(&m) || !family)
		die("this kernel has no nbd");
}

static void put_sockets(struct message *m, const int *fds, unsigned int n)
{
	struct nlattr *all = put(m, NBD_ATTR_SOCKETS, NULL, 0);

	for (unsigned int i = 0; i < n; i++) {
		struct nlattr *item = put(m, NBD_SOCK_ITEM, NULL, 0);
		uint32_t fd = fds[i];

		put(m, NBD_SOCK_FD, &fd, sizeof(fd));
		nest_end(m, item);
	}
	nest_end(m, all);
}

static void attach(void)
{
	struct message m = request(family, NBD_CMD_CONNECT);
	int fds[MAX_CONNECTIONS];
	uint32_t index = opt.index;
	uint64_t size = 0;
	uint16_t flags = 0;

	for (unsigned int i = 0; i < opt.connections; i++) {
		fds[i] = reach(opt.servers[i % opt.nr_servers], &size, &flags);
		if (fds[i] < 0)
			die(opt.servers[i % opt.nr_servers]);
	}
	put(&m, NBD_ATTR_INDEX, &index, sizeof(index));
	put_u64(&m, NBD_ATTR_SIZE_BYTES, size);
	put_u64(&m, NBD_ATTR_BLOCK_SIZE_BYTES, PAGE);
	put_u64(&m, NBD_ATTR_TIMEOUT, opt.timeout_s);
	put_u64(&m, NBD_ATTR_DEAD_CONN_TIMEOUT, opt.dead_s);
	put_u64(&m, NBD_ATTR_SERVER_FLAGS, flags);
	put_sockets(&m, fds, opt.connections);
	if (!ask(&m))
		die("the kernel does not connect it");
	for (unsigned int i = 0; i < opt.connections; i++)
		close(fds[i]);
}

static bool renew(const char *server)
{
	struct message m = request(family, NBD_CMD_RECONFIGURE);
	uint32_t index = opt.index;
	uint64_t size;
	uint16_t flags;
	int fd = reach(server, &size, &flags);
	bool ok;

	if (fd < 0)
		return false;
	put(&m, NBD_ATTR_INDEX, &index, sizeof(index));
	put_sockets(&m, &fd, 1);
	ok = ask(&m);
	close(fd);
	return ok;
}

static bool is_mine(const struct nlmsghdr *nl)
{
	const struct genlmsghdr *g = NLMSG_DATA(nl);
	const struct nlattr *a;

	if (nl->nlmsg_type != family || g->cmd != NBD_CMD_LINK_DEAD)
		return false;
	a = find((const char *)g + GENL_HDRLEN, nl->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN),
		 NBD_ATTR_INDEX);
	return a && *(const uint32_t *)value(a) == opt.index;
}

/* Each message means that one connection is gone. */
static void keep(int news)
{
	unsigned int next = 0;

	for (;;) {
		char buf[4096];
		ssize_t len = recv(news, buf, sizeof(buf), 0);
		struct nlmsghdr *nl = (void *)buf;

		if (len < 0 && errno != EINTR && errno != ENOBUFS)
			die("netlink");
		for (; len > 0 && NLMSG_OK(nl, len); nl = NLMSG_NEXT(nl, len)) {
			if (!is_mine(nl))
				continue;
			/* If there is another server, it comes first. */
			while (!renew(opt.servers[++next % opt.nr_servers]))
				usleep(RETRY_US);
			printf("nbdlink: connected again, to %s\n",
			       opt.servers[next % opt.nr_servers]);
		}
	}
}

int main(int argc, char **argv)
{
	int c, news;

	while ((c = getopt(argc, argv, "t:d:c:")) != -1) {
		switch (c) {
		case 't':
			opt.timeout_s = number(optarg);
			break;
		case 'd':
			opt.dead_s = number(optarg);
			break;
		case 'c':
			opt.connections = number(optarg);
			break;
		default:
			print_usage();
		}
	}
	if (argc - optind < 2 || argc - optind - 1 > MAX_SERVERS || !opt.connections ||
	    opt.connections > MAX_CONNECTIONS || strncmp(argv[optind], "/dev/nbd", 8))
		print_usage();
	opt.index = number(argv[optind++] + 8);
	while (optind < argc)
		opt.servers[opt.nr_servers++] = argv[optind++];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall");
	/* Otherwise it could wait, for memory, for the very device that it has to connect. */
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		die("PR_SET_IO_FLUSHER");
	genl = open_netlink();
	find_family();
	/* News have a socket of their own, so that no answer is taken for news. */
	news = open_netlink();
	if (setsockopt(news, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		die("nbd's multicast group");
	attach();
	printf("nbdlink: connected\n");
	keep(news);
}
