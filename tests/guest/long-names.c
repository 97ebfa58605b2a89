/* Names of 255 bytes, paths of 4095, any byte but '/' and NUL. */
#include "lib/check.h"

int main(void)
{
	char name[300], path[5000];
	memset(name, 'x', sizeof(name));
	name[255] = 0;
	write_file(name, "long");
	show_ok(open(name, O_RDONLY));
	name[255] = 'x';
	name[256] = 0;
	show(open(name, O_RDONLY | O_CREAT, 0600));
	show(mkdir(name, 0700));
	for (int i = 0; i < 4095; i++)
		path[i] = i % 2 ? '/' : '.';
	path[4094] = '.';
	path[4095] = 0;
	show(access(path, F_OK));
	path[4095] = '/';
	path[4096] = 0;
	show(access(path, F_OK));
	write_file("\x01\xff \n*\\\"'", "odd");
	show_file("\x01\xff \n*\\\"'");
	write_file("Ünïcödé", "kept");
	write_file("case", "lower");
	write_file("CASE", "upper");
	show_file("Ünïcödé");
	show_file("case");
	show_file("CASE");
	show_file("./////case");
	return 0;
}
