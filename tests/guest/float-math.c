/* The math library's results, printed in full, with rounding modes and exceptions. */
/* test: libs=-lm */
#include <fenv.h>
#include <math.h>
#include <stdio.h>

int main(void)
{
	volatile double x = 0.7, zero = 0;
	printf("%.17g %.17g %.17g %.17g\n", sin(x), exp(x), pow(x, 3.3), atan2(x, -2));
	printf("%.21Lg %.21Lg\n", sinl(0.7L), expl(0.7L));
	fesetround(FE_UPWARD);
	printf("%.17g\n", x / 3);
	fesetround(FE_DOWNWARD);
	printf("%.17g\n", x / 3);
	fesetround(FE_TONEAREST);
	feclearexcept(FE_ALL_EXCEPT);
	x = 1 / zero;
	printf("%d %d %f\n", fetestexcept(FE_DIVBYZERO) != 0, fetestexcept(FE_INVALID) != 0, x);
	x = zero / zero;
	printf("%d %d\n", fetestexcept(FE_INVALID) != 0, x != x);
	return 0;
}
