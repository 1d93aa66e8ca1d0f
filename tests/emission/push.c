/* Pushes rows in every way, right and wrong, and compares with a run of the same network layer by
   layer; exits with the line of the first wrong answer. Prints, for each row that is pushed by
   itself, how often each step was executed. */
#define _POSIX_C_SOURCE 200112L
#include "pushed.h"
#include "whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(expression, status)                                                              \
    do {                                                                                         \
        const int32_t found = (expression);                                                      \
        if (found != (status)) {                                                                 \
            printf("line %d: %s is %d\n", __LINE__, #expression, (int)found);                    \
            exit(1);                                                                             \
        }                                                                                        \
    } while (0)

enum { H = PUSHED_PUSH_ROWS, ROW = PUSHED_INPUT_WIDTH * PUSHED_INPUT_CHANNELS };
enum { OUT = PUSHED_OUTPUT_ELEMENTS, ROW_BYTES = (int)PUSHED_PUSH_ROW_BYTES };

static float image[2][H * ROW], expected[2][OUT];
static uint32_t executed[STEPS];
static int32_t bands_left = -1; /* until the hook cancels; never if negative */

static int32_t hook(void *user, uint32_t step)
{
    if (user != (void *)executed || step >= STEPS) {
        exit(2);
    }
    ++executed[step];
    return bands_left >= 0 && bands_left-- == 0;
}

static void *aligned(size_t bytes, size_t alignment)
{
    void *block = NULL;
    if (posix_memalign(&block, alignment < sizeof(void *) ? sizeof(void *) : alignment, bytes)) {
        exit(3);
    }
    memset(block, 0xff, bytes);
    return block;
}

static pushed_t new_pushed(void)
{
    pushed_t m;
    pushed_config config = {0};
    memset(&m, 0xff, sizeof m);
    config.arena_bytes = PUSHED_ARENA_BYTES;
    config.arena = aligned(config.arena_bytes, PUSHED_ARENA_ALIGN);
    config.hook = hook;
    config.user = executed;
    EXPECT(pushed_init(&m, &config), PUSHED_OK);
    return m;
}

/* Nothing is pushed into a pushed_t that init has not accepted: zeroed, never written, or refused. */
static void uninitialised(void)
{
    static const unsigned char fill[] = {0x00, 0xff, 0xa5};
    float output[OUT];
    pushed_t m;
    for (size_t i = 0; i < sizeof fill; ++i) {
        const pushed_config nothing = {0};
        memset(&m, fill[i], sizeof m);
        for (int refused = 0; refused < 2; ++refused) {
            EXPECT(pushed_push_begin(&m), PUSHED_ERROR_INIT);
            EXPECT(pushed_push_rows(&m, image[0], ROW_BYTES, 1), PUSHED_ERROR_INIT);
            EXPECT(pushed_push_finish(&m, output), PUSHED_ERROR_INIT);
            EXPECT(pushed_run(&m, image[0], output), PUSHED_ERROR_INIT);
            EXPECT(pushed_init(&m, &nothing), PUSHED_ERROR_ARENA_SIZE);
        }
    }
}

static void run_whole(int n)
{
    whole_t m;
    whole_config config = {0};
    config.arena_bytes = WHOLE_ARENA_BYTES;
    config.arena = aligned(config.arena_bytes, WHOLE_ARENA_ALIGN);
    EXPECT(whole_init(&m, &config), WHOLE_OK);
    EXPECT(whole_run(&m, image[n], expected[n]), WHOLE_OK);
    free(config.arena);
}

static void finish(pushed_t *m, int n)
{
    float output[OUT];
    memset(output, 0xff, sizeof output);
    EXPECT(pushed_push_finish(m, output), PUSHED_OK);
    EXPECT(memcmp(output, expected[n], sizeof output), 0);
}

/* `count` rows at a time, `stride` floats apart in a block that ends with the last row. */
static void push_all(pushed_t *m, int n, int count, int stride)
{
    for (int first = 0; first < H; first += count) {
        const int rows = first + count > H ? H - first : count;
        const size_t floats = (size_t)((rows - 1) * stride + ROW);
        float *const block = aligned(floats * sizeof(float), sizeof(float));
        for (int i = 0; i < rows; ++i) {
            memcpy(block + i * stride, image[n] + (first + i) * ROW, ROW_BYTES);
        }
        const size_t bytes = (size_t)stride * sizeof(float);
        EXPECT(pushed_push_rows(m, block, bytes, (uint32_t)rows), PUSHED_OK);
        free(block);
    }
}

static void odd_pushes(pushed_t *m)
{
    static const int counts[] = {1, 2, 3, 7, H - 1, H, 1, 3};
    static const int strides[] = {ROW, ROW, ROW, ROW + 1, ROW, ROW, 2 * ROW, ROW + 5};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i) {
        memset(m->config.arena, 0xff, PUSHED_ARENA_BYTES);
        EXPECT(pushed_push_begin(m), PUSHED_OK);
        push_all(m, (int)i % 2, counts[i], strides[i]);
        finish(m, (int)i % 2);
    }
}

static void misuse(pushed_t *m)
{
    float output[OUT];
    EXPECT(pushed_push_begin(NULL), PUSHED_ERROR_NULL);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, 1), PUSHED_ERROR_PUSH_ORDER);
    EXPECT(pushed_push_finish(m, output), PUSHED_ERROR_PUSH_ORDER);
    EXPECT(pushed_push_begin(m), PUSHED_OK);
    EXPECT(pushed_push_finish(m, output), PUSHED_ERROR_PUSH_ROWS);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, 0), PUSHED_OK);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, H - 1), PUSHED_OK);
    EXPECT(pushed_push_finish(m, output), PUSHED_ERROR_PUSH_ROWS);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, 2), PUSHED_ERROR_PUSH_ROWS);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, UINT32_MAX), PUSHED_ERROR_PUSH_ROWS);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES - 4, 1), PUSHED_ERROR_PUSH_STRIDE);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES + 2, 1), PUSHED_ERROR_PUSH_STRIDE);
    EXPECT(pushed_push_rows(m, image[0], 0, 1), PUSHED_ERROR_PUSH_STRIDE);
    EXPECT(pushed_push_rows(m, NULL, ROW_BYTES, 1), PUSHED_ERROR_NULL);
    EXPECT(pushed_push_rows(NULL, image[0], ROW_BYTES, 1), PUSHED_ERROR_NULL);
    /* What was refused has changed nothing. */
    EXPECT(pushed_push_rows(m, image[0] + (H - 1) * ROW, ROW_BYTES, 1), PUSHED_OK);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, 1), PUSHED_ERROR_PUSH_ROWS);
    EXPECT(pushed_push_finish(m, NULL), PUSHED_ERROR_NULL);
    EXPECT(pushed_push_finish(NULL, output), PUSHED_ERROR_NULL);
    finish(m, 0);
    EXPECT(pushed_push_finish(m, output), PUSHED_ERROR_PUSH_ORDER);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, 1), PUSHED_ERROR_PUSH_ORDER);
    EXPECT(pushed_run(m, NULL, output), PUSHED_ERROR_NULL);
    EXPECT(pushed_run(m, image[0], NULL), PUSHED_ERROR_NULL);
    EXPECT(pushed_run(NULL, image[0], output), PUSHED_ERROR_NULL);
}

/* Begin, and run, start over whatever was pushed before. */
static void beginnings(pushed_t *m)
{
    float output[OUT];
    EXPECT(pushed_push_begin(m), PUSHED_OK);
    EXPECT(pushed_push_rows(m, image[1], ROW_BYTES, H / 2), PUSHED_OK);
    EXPECT(pushed_push_begin(m), PUSHED_OK);
    push_all(m, 0, H, ROW);
    finish(m, 0);
    EXPECT(pushed_push_begin(m), PUSHED_OK);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, H / 2), PUSHED_OK);
    EXPECT(pushed_run(m, image[1], output), PUSHED_OK);
    EXPECT(memcmp(output, expected[1], sizeof output), 0);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, 1), PUSHED_ERROR_PUSH_ORDER);
}

static void interleaved(pushed_t *m, pushed_t *other)
{
    EXPECT(pushed_push_begin(m), PUSHED_OK);
    EXPECT(pushed_push_begin(other), PUSHED_OK);
    for (int i = 0; i < H; ++i) {
        EXPECT(pushed_push_rows(m, image[0] + i * ROW, ROW_BYTES, 1), PUSHED_OK);
        EXPECT(pushed_push_rows(other, image[1] + i * ROW, ROW_BYTES, 1), PUSHED_OK);
    }
    finish(other, 1);
    finish(m, 0);
}

/* The hook ends the work at some band, while rows are pushed or behind them. */
static void cancelled(pushed_t *m, int32_t bands)
{
    float output[OUT];
    bands_left = bands;
    int32_t status = pushed_push_begin(m);
    for (int i = 0; i < H && status == PUSHED_OK; ++i) {
        status = pushed_push_rows(m, image[1] + i * ROW, ROW_BYTES, 1);
    }
    if (status == PUSHED_OK) {
        status = pushed_push_finish(m, output);
    }
    EXPECT(status, PUSHED_ERROR_CANCELLED);
    EXPECT(bands_left, -1);
    EXPECT(pushed_push_rows(m, image[0], ROW_BYTES, 1), PUSHED_ERROR_PUSH_ORDER);
    EXPECT(pushed_push_finish(m, output), PUSHED_ERROR_PUSH_ORDER);
    bands_left = bands;
    EXPECT(pushed_run(m, image[1], output), PUSHED_ERROR_CANCELLED);
    EXPECT(pushed_push_begin(m), PUSHED_OK);
    push_all(m, 0, 3, ROW);
    finish(m, 0);
}

static void print_counts(void)
{
    for (int step = 0; step < STEPS; ++step) {
        printf("%d ", (int)executed[step]);
        executed[step] = 0;
    }
    printf("\n");
}

int main(void)
{
    uint32_t random = 1;
    for (int n = 0; n < 2; ++n) {
        for (int i = 0; i < H * ROW; ++i) {
            random = random * 1664525u + 1013904223u;
            image[n][i] = (float)(random >> 16) / 32768.0f - 1.0f;
        }
        run_whole(n);
    }
    uninitialised();
    pushed_t m = new_pushed(), other = new_pushed();
    misuse(&m);
    odd_pushes(&m);
    beginnings(&m);
    interleaved(&m, &other);
    for (int32_t bands = 0; bands < BANDS; bands += BANDS / 12 + 1) {
        cancelled(&m, bands);
    }
    cancelled(&m, BANDS - 1);
    memset(executed, 0, sizeof executed);
    EXPECT(pushed_push_begin(&other), PUSHED_OK);
    for (int i = 0; i < H; ++i) {
        EXPECT(pushed_push_rows(&other, image[1] + i * ROW, ROW_BYTES, 1), PUSHED_OK);
        print_counts();
    }
    finish(&other, 1);
    print_counts();
    free(m.config.arena);
    free(other.config.arena);
    return 0;
}
