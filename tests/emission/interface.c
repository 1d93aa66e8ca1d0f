/* Checks what PREFIX_init and PREFIX_run answer; exits with the line of the first wrong answer. */
#define _POSIX_C_SOURCE 200112L
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(expression, status)                                                              \
    do {                                                                                         \
        const int32_t found = (expression);                                                      \
        if (found != (status)) {                                                                 \
            printf("line %d: %s is %d\n", __LINE__, #expression, (int)found);                    \
            return 1;                                                                            \
        }                                                                                        \
    } while (0)

MODEL_ARENA(arena);
static float input[MODEL_INPUT_ELEMENTS], output[MODEL_OUTPUT_ELEMENTS];
static uint32_t seen[STEPS + 1];
static uint32_t count, stop_at = STEPS;

/* Notes the steps in order, and cancels at one of them. */
static int32_t note(void *user, uint32_t step)
{
    if (user != (void *)seen || count > STEPS) {
        exit(2);
    }
    seen[count++] = step;
    return step == stop_at ? 1 : 0;
}

static int arenas(model_config good)
{
    model_t m;
    model_config config = good;
    EXPECT(model_init(NULL, &good), MODEL_ERROR_NULL);
    EXPECT(model_init(&m, NULL), MODEL_ERROR_NULL);
    config.arena = NULL;
    EXPECT(model_init(&m, &config), MODEL_ERROR_ARENA_SIZE);
    config = good;
    config.arena_bytes = MODEL_ARENA_BYTES - 1u;
    EXPECT(model_init(&m, &config), MODEL_ERROR_ARENA_SIZE);
    config = good;
    config.arena = (unsigned char *)good.arena + MODEL_ARENA_ALIGN / 2u;
    EXPECT(model_init(&m, &config), MODEL_ERROR_ARENA_ALIGN);
    return 0;
}

/* No function takes a model_t that init has not accepted: zeroed, refused, or never written. */
static int uninitialised(model_config good)
{
    static model_t zeroed;
    static const unsigned char fill[] = {0x00, 0xff, 0xa5, 0x7f};
    model_t m;
    model_config bad = good;
    bad.arena = NULL;
    EXPECT(model_run(&zeroed, input, output), MODEL_ERROR_INIT);
    for (size_t i = 0; i < sizeof fill; ++i) {
        memset(&m, fill[i], sizeof m);
        EXPECT(model_run(&m, input, output), MODEL_ERROR_INIT);
#ifdef MODEL_ERROR_WEIGHTS_SIZE
        EXPECT(model_check_weights(&m), MODEL_ERROR_INIT);
#endif
    }
    EXPECT(model_init(&m, &good), MODEL_OK);
    EXPECT(model_run(&m, input, output), MODEL_OK);
    EXPECT(model_init(&m, &bad), MODEL_ERROR_ARENA_SIZE);
    EXPECT(model_run(&m, input, output), MODEL_ERROR_INIT);
    EXPECT(model_init(&m, &good), MODEL_OK);
    EXPECT(model_init(&m, NULL), MODEL_ERROR_NULL);
    EXPECT(model_run(&m, input, output), MODEL_ERROR_INIT);
    return 0;
}

static int runs(model_config config)
{
    model_t m;
    EXPECT(model_init(&m, &config), MODEL_OK);
    EXPECT(model_run(&m, input, output), MODEL_OK);
    EXPECT(model_run(NULL, input, output), MODEL_ERROR_NULL);
    EXPECT(model_run(&m, NULL, output), MODEL_ERROR_NULL);
    EXPECT(model_run(&m, input, NULL), MODEL_ERROR_NULL);
    config.hook = note;
    config.user = seen;
    EXPECT(model_init(&m, &config), MODEL_OK);
    EXPECT(model_run(&m, input, output), MODEL_OK);
    EXPECT((int32_t)count, STEPS);
    for (uint32_t step = 0; step < STEPS; ++step) {
        EXPECT((int32_t)seen[step], (int32_t)step);
    }
    for (stop_at = 0; stop_at < STEPS; stop_at += 3) {
        count = 0;
        EXPECT(model_run(&m, input, output), MODEL_ERROR_CANCELLED);
        EXPECT((int32_t)count, (int32_t)stop_at + 1);
    }
    return 0;
}

#ifdef MODEL_ERROR_WEIGHTS_SIZE
static unsigned char *blob;
static size_t blob_bytes;

static int read_blob(void)
{
    void *memory = NULL;
    FILE *const file = fopen("model_weights.bin", "rb");
    EXPECT(file != NULL, 1);
    fseek(file, 0, SEEK_END);
    blob_bytes = (size_t)ftell(file);
    rewind(file);
    EXPECT(posix_memalign(&memory, 64, blob_bytes + 64), 0);
    blob = memory;
    EXPECT(fread(blob, 1, blob_bytes, file) == blob_bytes, 1);
    fclose(file);
    return 0;
}

/* The answer of init when one byte of the blob's header is another. */
static int32_t init_with_other_byte(model_config config, size_t at)
{
    model_t m;
    blob[at] ^= 0x55;
    const int32_t status = model_init(&m, &config);
    blob[at] ^= 0x55;
    return status;
}

static int blobs(model_config good)
{
    model_t m;
    model_config config = good;
    config.weights = NULL;
    EXPECT(model_init(&m, &config), MODEL_ERROR_WEIGHTS_SIZE);
    config = good;
    config.weights_bytes = blob_bytes - 1u;
    EXPECT(model_init(&m, &config), MODEL_ERROR_WEIGHTS_SIZE);
    config = good;
    memmove(blob + 2, blob, blob_bytes);
    config.weights = blob + 2;
    EXPECT(model_init(&m, &config), MODEL_ERROR_WEIGHTS_ALIGN);
    memmove(blob, blob + 2, blob_bytes);
    EXPECT(init_with_other_byte(good, 0), MODEL_ERROR_WEIGHTS_LAYOUT);  /* magic */
    EXPECT(init_with_other_byte(good, 8), MODEL_ERROR_WEIGHTS_LAYOUT);  /* version */
    EXPECT(init_with_other_byte(good, 12), MODEL_ERROR_WEIGHTS_LAYOUT); /* byte order */
    EXPECT(init_with_other_byte(good, 64), MODEL_ERROR_WEIGHTS_LAYOUT); /* layout id */
    EXPECT(init_with_other_byte(good, 95), MODEL_ERROR_WEIGHTS_LAYOUT);
    EXPECT(model_check_weights(NULL), MODEL_ERROR_NULL);
    EXPECT(model_init(&m, &good), MODEL_OK);
    EXPECT(model_check_weights(&m), MODEL_OK);
    blob[blob_bytes - 1] ^= 1;
    EXPECT(model_init(&m, &good), MODEL_OK); /* looks at the header alone */
    EXPECT(model_check_weights(&m), MODEL_ERROR_WEIGHTS_CONTENT);
    blob[blob_bytes - 1] ^= 1;
    for (size_t at = 0; at <= 128; ++at) { /* of the header every byte, the checksum itself included */
        blob[at] ^= 1;
        EXPECT(model_check_weights(&m), MODEL_ERROR_WEIGHTS_CONTENT);
        blob[at] ^= 1;
    }
    EXPECT(model_check_weights(&m), MODEL_OK);
    return 0;
}
#endif

int main(void)
{
    model_config config = {0};
    config.arena = &arena;
    config.arena_bytes = sizeof arena;
    EXPECT(sizeof arena == MODEL_ARENA_BYTES, 1);
    EXPECT((uintptr_t)&arena % MODEL_ARENA_ALIGN == 0u, 1);
#ifdef MODEL_ERROR_WEIGHTS_SIZE
    if (read_blob() != 0) {
        return 1;
    }
    config.weights = blob;
    config.weights_bytes = blob_bytes;
    if (blobs(config) != 0) {
        return 1;
    }
#endif
    return arenas(config) || uninitialised(config) || runs(config);
}
