#include "affine.h"

extern const float affine_weights_scale[AFFINE_LENGTH];

int32_t affine_init(affine_t *m, const affine_config *config) {
    if (config->arena_bytes < AFFINE_ARENA_BYTES) {
        return -1;
    }
    m->arena = config->arena;
    return 0;
}

/* A negative first input is refused and a NaN traps, so that tests can see both come back. */
AFFINE_CODE_ATTR int32_t affine_run(affine_t *m, const float *input, float *output) {
    if (input[0] != input[0]) {
        __builtin_trap();
    }
    if (input[0] < 0.0f) {
        return -2;
    }
    for (int i = 0; i < AFFINE_LENGTH; i++) {
        m->arena[i] = affine_weights_scale[i] * input[i];
    }
    for (int i = 0; i < AFFINE_LENGTH; i++) {
        output[i] = m->arena[i] + 1.0f;
    }
    return 0;
}
