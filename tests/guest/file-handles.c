/* name_to_handle_at and open_by_handle_at: a file found again by its handle, whatever it is called now. */
#include "lib/check.h"

struct handle {
	struct file_handle head;
	char room[128];
};

int main(void)
{
	struct handle h = {.head.handle_bytes = 128}, other = {.head.handle_bytes = 128};
	int mount = 0, mount2 = 0;
	write_file("f", "contents");
	must(symlink("f", "s"));
	show(name_to_handle_at(AT_FDCWD, "f", &h.head, &mount, 0));
	show(name_to_handle_at(AT_FDCWD, "s", &other.head, &mount2, AT_SYMLINK_FOLLOW));
	is(mount == mount2 && h.head.handle_bytes == other.head.handle_bytes);
	is(!memcmp(&h, &other, 8 + h.head.handle_bytes));
	other.head.handle_bytes = 128;
	show(name_to_handle_at(AT_FDCWD, "s", &other.head, &mount2, 0));
	is(memcmp(&h, &other, 8 + h.head.handle_bytes) != 0);
	other.head.handle_bytes = 0;
	show(name_to_handle_at(AT_FDCWD, "f", &other.head, &mount2, 0));
	is(other.head.handle_bytes == h.head.handle_bytes);
	other.head.handle_bytes = 129;
	show(name_to_handle_at(AT_FDCWD, "f", &other.head, &mount2, 0));
	other.head.handle_bytes = 128;
	show(name_to_handle_at(AT_FDCWD, "absent", &other.head, &mount2, 0));
	show(name_to_handle_at(AT_FDCWD, "f", &other.head, &mount2, 0x10000));
	show(name_to_handle_at(AT_FDCWD, "f", wild(), &mount2, 0));
	show(name_to_handle_at(AT_FDCWD, "f", &other.head, wild(), 0));
	other.head.handle_bytes = 128;
	show(name_to_handle_at(AT_FDCWD, "/proc/self/status", &other.head, &mount2, 0));
	must(rename("f", "g"));
	int dir = must(open(".", O_RDONLY));
	int fd = must(open_by_handle_at(dir, &h.head, O_RDWR));
	char text[16] = "";
	show(read(fd, text, sizeof(text)));
	puts(text);
	must(write(fd, " more", 5));
	must(close(fd));
	show_file("g");
	show(open_by_handle_at(99, &h.head, O_RDONLY));
	show(open_by_handle_at(dir, wild(), O_RDONLY));
	struct handle bad = h;
	bad.head.handle_bytes = 0;
	show(open_by_handle_at(dir, &bad.head, O_RDONLY));
	bad.head.handle_bytes = 1000;
	show(open_by_handle_at(dir, &bad.head, O_RDONLY));
	bad = h;
	memset(bad.head.f_handle, 0x5a, bad.head.handle_bytes);
	show(open_by_handle_at(dir, &bad.head, O_RDONLY));
	must(unlink("g"));
	show(open_by_handle_at(dir, &h.head, O_RDONLY));
	return 0;
}
