/* Written by hand after the interface of a generated model: the smallest one, y = 2 x + 1. */
#ifndef AFFINE_H
#define AFFINE_H
#include <stddef.h>
#include <stdint.h>
#ifdef AFFINE_CONFIG_H
#include AFFINE_CONFIG_H
#endif
#ifndef AFFINE_ARENA_ATTR
#define AFFINE_ARENA_ATTR
#endif
#define AFFINE_LENGTH 5
#define AFFINE_ARENA_BYTES 20
#define AFFINE_ARENA(name) \
    AFFINE_ARENA_ATTR union { float f[AFFINE_LENGTH]; unsigned char b[AFFINE_ARENA_BYTES]; } name

typedef struct {
    void *arena;
    size_t arena_bytes;
} affine_config;
typedef struct {
    float *arena;
} affine_t;
int32_t affine_init(affine_t *m, const affine_config *config);
int32_t affine_run(affine_t *m, const float *input, float *output);
#endif
