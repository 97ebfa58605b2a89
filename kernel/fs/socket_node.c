/*
 * AF_UNIX names: bind(2) makes a socket inode that carries the socket; connect(2) finds it there.  What the socket is, only
 * kernel/net knows.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"
#include "kernel/mem/heap.h"

struct socket_binding {
	void *object;
	void (*get)(void *);
	void (*put)(void *);
};

void socket_binding_free(struct inode *i)
{
	if (!i->socket)
		return;
	i->socket->put(i->socket->object);
	heap_free(i->socket);
}

int vfs_bind_socket(
	const char *path, uint32_t mode, void *object, void (*get)(void *), void (*put)(void *))
{
	struct dentry *d;
	struct inode_request what = {.mode = S_IFSOCK | (mode & 07777)};
	struct socket_binding *b = heap_alloc(sizeof(*b));
	if (!b)
		return -ENOMEM;
	*b = (struct socket_binding){object, get, put};
	int err = make_node(NULL, path, &what, &d);
	if (err < 0) {
		heap_free(b);
		return err == -EEXIST ? -EADDRINUSE : err;
	}
	get(object);
	mutex_lock(&d->inode->lock);
	d->inode->socket = b;
	mutex_unlock(&d->inode->lock);
	dentry_put(d);
	return 0;
}

int vfs_find_socket(const char *path, void **object)
{
	struct dentry *d;
	int err = vfs_lookup(NULL, path, 0, &d);
	if (err < 0)
		return err;
	struct inode *i = d->inode;
	err = inode_permission(i, W_OK);
	if (!err && !S_ISSOCK(i->mode))
		err = -ECONNREFUSED;
	if (!err) {
		mutex_lock(&i->lock);
		if (i->socket) {
			*object = i->socket->object;
			i->socket->get(*object);
		} else {
			err = -ECONNREFUSED;
		}
		mutex_unlock(&i->lock);
	}
	dentry_put(d);
	return err;
}
