/* The part of gcc's <immintrin.h> that generated C uses. The whole takes gcc longer to read than most
 * kernels to compile. C_INCLUDE_PATH has the tests find this one first: tests/conftest.py.
 * Parts have no stable names. Compilers but the one that was tried read the whole. */
#if defined __GNUC__ && __GNUC__ == 12 && !defined __clang__ && !defined _IMMINTRIN_H_INCLUDED
#define _IMMINTRIN_H_INCLUDED /* without it the parts refuse to be read */
#include <smmintrin.h>
#include <avxintrin.h>
#include <avx2intrin.h>
#include <fmaintrin.h>
#include <f16cintrin.h>
#ifdef __AVX512F__
#include <avx512fintrin.h>
#include <avx512cdintrin.h>
#include <avx512vlintrin.h>
#include <avx512bwintrin.h>
#include <avx512dqintrin.h>
#include <avx512vlbwintrin.h>
#include <avx512vldqintrin.h>
#include <avx512vnniintrin.h>
#include <avx512vnnivlintrin.h>
#endif
#else
#include_next <immintrin.h>
#endif
