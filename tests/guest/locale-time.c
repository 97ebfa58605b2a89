/* Time zones and locales: what is in the image is found, C everywhere else. */
/* test: env=TZ=UTC0 */
#include "lib/check.h"
#include <locale.h>

int main(void)
{
	time_t t = 1000000000;
	char buf[100];
	struct tm tm;
	printf("%s\n", setlocale(LC_ALL, "C"));
	strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S %Z", localtime(&t));
	puts(buf);
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S %Z", localtime(&t));
	puts(buf);
	memset(&tm, 0, sizeof(tm));
	strptime("2024-02-29 12:34:56", "%Y-%m-%d %H:%M:%S", &tm);
	printf("%d %d\n", tm.tm_yday, tm.tm_year);
	setenv("TZ", "UTC", 1);
	tzset();
	printf("%ld\n", (long)mktime(&tm));
	is(!strcmp(tzname[0], "UTC"));
	return 0;
}
