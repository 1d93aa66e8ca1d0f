/* Runs of two streams, in turn; between runs nothing is left of the arenas but the states. */
#include "model.h"
#include <stdio.h>
#include <string.h>

#define RUNS 5

MODEL_ARENA(first);
MODEL_ARENA(second);

static float images[RUNS][MODEL_INPUT_ELEMENTS];
static float output[MODEL_OUTPUT_ELEMENTS];

static int stop; /* the step at which the hook cancels, from 1 */

static int32_t hook(void *user, uint32_t step)
{
    (void)user;
    return stop != 0 && (int)step + 1 == stop;
}

static int run(model_t *m, const float *image)
{
    unsigned char *const arena = m->config.arena;
    memset(arena + MODEL_STATE_BYTES, 0xff, MODEL_ARENA_BYTES - MODEL_STATE_BYTES);
    memset(output, 0xff, sizeof output);
    const int32_t status = model_run(m, image, output);
    memset(arena + MODEL_STATE_BYTES, 0xff, MODEL_ARENA_BYTES - MODEL_STATE_BYTES);
    return (int)status;
}

static void write_output(void)
{
    fwrite(output, sizeof output, 1, stdout);
}

int main(void)
{
    static model_t a, b;
    model_config of_a = {0}, of_b = {0};
    if (fread(images, sizeof images, 1, stdin) != 1) {
        return 90;
    }
    if (model_reset(NULL) != MODEL_ERROR_NULL || model_reset(&a) != MODEL_ERROR_INIT) {
        return 91;
    }
    memset(&first, 0xff, sizeof first);
    memset(&second, 0xff, sizeof second);
    of_a.arena = &first;
    of_a.arena_bytes = sizeof first;
    of_a.hook = hook;
    of_b.arena = &second;
    of_b.arena_bytes = sizeof second;
    if (model_init(&a, &of_a) != MODEL_OK || model_init(&b, &of_b) != MODEL_OK) {
        return 92;
    }
    for (int i = 0; i < RUNS; ++i) { /* b is one image behind */
        if (run(&a, images[i]) != MODEL_OK) {
            return 93;
        }
        write_output();
        if (i > 0 && run(&b, images[i - 1]) != MODEL_OK) {
            return 94;
        }
        if (i > 0) {
            write_output();
        }
    }
    stop = MODEL_STEPS;
    if (run(&a, images[0]) != MODEL_ERROR_CANCELLED) {
        return 95;
    }
    stop = 0;
    if (model_reset(&a) != MODEL_OK) {
        return 96;
    }
    for (int i = 0; i < RUNS; ++i) {
        if (run(&a, images[i]) != MODEL_OK) {
            return 97;
        }
        write_output();
    }
    return 0;
}
