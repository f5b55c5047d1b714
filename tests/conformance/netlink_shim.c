/* Lets a libusb that was built without libudev see hot-plug under umockdev.
 *
 * Such a libusb listens to the kernel's own multicast group (1) and reads plain "KEY=value" lists.
 * umockdev delivers every uevent as udev does it: sender group 2, with libudev's 40-byte header.
 * This library remembers which sockets asked for group 1 and shows them what they expect.
 * Preload it before umockdev's:  cc -shared -fPIC -O2 -o netlink_shim.so netlink_shim.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { KERNEL_GROUP = 1, UDEV_HEADER = 40, FILES = 1024 };

static char wants_kernel_events[FILES];

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	int (*real_bind)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");

	if (fd >= 0 && fd < FILES)
		wants_kernel_events[fd] = address && size >= sizeof(struct sockaddr_nl) &&
			address->sa_family == AF_NETLINK &&
			((const struct sockaddr_nl *)address)->nl_groups == KERNEL_GROUP;
	return real_bind(fd, address, size);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t (*real_recvmsg)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
	ssize_t count = real_recvmsg(fd, message, flags);
	char *text;

	if (count <= UDEV_HEADER || fd < 0 || fd >= FILES || !wants_kernel_events[fd] || message->msg_iovlen != 1)
		return count;
	text = message->msg_iov[0].iov_base;
	if (memcmp(text, "libudev", sizeof("libudev")) != 0)
		return count;
	memmove(text, text + UDEV_HEADER, count - UDEV_HEADER);
	if (message->msg_name)
		((struct sockaddr_nl *)message->msg_name)->nl_groups = KERNEL_GROUP;
	return count - UDEV_HEADER;
}
