/* Runs a model that is divided between threads in all the ways that its header offers, and compares
   each result with that of the same network undivided; exits with the line of the first difference.
   Built with -DFAIL_FROM=N and the linker's --wrap the N-th thread and all later ones do not start. */
#define _POSIX_C_SOURCE 200112L
#include "model.h"
#include "whole.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPECT(condition)                                                                        \
    do {                                                                                         \
        if (!(condition)) {                                                                      \
            printf("line %d: %s\n", __LINE__, #condition);                                       \
            return 1;                                                                            \
        }                                                                                        \
    } while (0)

typedef char inputs_are_equal[MODEL_INPUT_ELEMENTS == WHOLE_INPUT_ELEMENTS ? 1 : -1];

MODEL_ARENA(arena);
MODEL_ARENA(second_arena);
WHOLE_ARENA(whole_arena);
static float input[MODEL_INPUT_ELEMENTS];
static float expected[MODEL_OUTPUT_ELEMENTS], found[MODEL_OUTPUT_ELEMENTS];
static int tasks, hooked, stop_at = -1, owner;

#if defined(FAIL_FROM)
static int started;
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x)
{
    return ++started >= FAIL_FROM ? 11 : __real_pthread_create(t, a, f, x);
}
#endif

static void backwards(void *user, void (*task)(void *context, int part), void *context, int parts)
{
    ++*(int *)user;
    while (parts > 0) {
        task(context, --parts);
    }
}

typedef struct {
    void (*task)(void *context, int part);
    void *context;
    int part;
} job;

static void *work(void *argument)
{
    const job *const mine = argument;
    mine->task(mine->context, mine->part);
    return NULL;
}

/* A new thread for each part of each call. */
static void all_at_once(void *user, void (*task)(void *context, int part), void *context, int parts)
{
    pthread_t threads[64];
    job jobs[64];
    ++*(int *)user;
    for (int i = 0; i < parts; ++i) {
        jobs[i] = (job){task, context, i};
        if (pthread_create(&threads[i], NULL, work, &jobs[i]) != 0) {
            _exit(3);
        }
    }
    for (int i = 0; i < parts; ++i) {
        (void)pthread_join(threads[i], NULL);
    }
}

static int32_t note(void *user, uint32_t step)
{
    (void)user;
    ++hooked;
    return (int)step == stop_at;
}

/* Whether a model with this configuration computes what is expected. */
static int agrees(model_config config)
{
    model_t model;
    memset(config.arena, 0xff, MODEL_ARENA_BYTES);
    memset(found, 0xff, sizeof found);
    return model_init(&model, &config) == MODEL_OK && model_run(&model, input, found) == MODEL_OK &&
           memcmp(found, expected, sizeof found) == 0;
}

static void *run_second(void *argument)
{
    static float output[MODEL_OUTPUT_ELEMENTS];
    model_config config = {0};
    model_t model;
    config.arena = &second_arena;
    config.arena_bytes = MODEL_ARENA_BYTES;
    *(int *)argument = model_init(&model, &config) == MODEL_OK &&
                       model_run(&model, input, output) == MODEL_OK &&
                       memcmp(output, expected, sizeof output) == 0;
    return NULL;
}

int main(void)
{
    model_config config = {0};
    whole_config whole = {0};
    whole_t reference;
    model_t model;
    pthread_t second;
    int right = 0, status = 1;
    unsigned seed = 1u;
    for (int i = 0; i < MODEL_INPUT_ELEMENTS; ++i) {
        seed = seed * 1664525u + 1013904223u;
        input[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
    }
    whole.arena = &whole_arena;
    whole.arena_bytes = WHOLE_ARENA_BYTES;
    EXPECT(whole_init(&reference, &whole) == WHOLE_OK);
    EXPECT(whole_run(&reference, input, expected) == WHOLE_OK);

    config.arena = &arena;
    config.arena_bytes = MODEL_ARENA_BYTES;
    for (int round = 0; round < 3; ++round) {
        EXPECT(agrees(config));
    }
#if defined(FAIL_FROM) && !defined(MODEL_THREADS_NONE)
    EXPECT(started > 0);
#elif !defined(FAIL_FROM)
    for (config.threads = 1u; config.threads < MODEL_THREADS + 2u; ++config.threads) {
        EXPECT(agrees(config));
    }
    config.threads = 0u;

    /* The caller's own parallel_for: in turn and from behind, and all at once. */
    config.user = &tasks;
    config.parallel_for = backwards;
    EXPECT(agrees(config) && tasks > 0);
    tasks = 0;
    config.parallel_for = all_at_once;
    EXPECT(agrees(config) && tasks > 0);
    config.parallel_for = NULL;

    /* Two instances at once, and a process that forks between runs. */
    EXPECT(pthread_create(&second, NULL, run_second, &right) == 0);
    EXPECT(agrees(config));
    EXPECT(pthread_join(second, NULL) == 0 && right);
    owner = (int)fork();
    if (owner == 0) {
        _exit(agrees(config) ? 0 : 4);
    }
    EXPECT(waitpid((pid_t)owner, &status, 0) == owner && status == 0);

    /* The hook sees steps in the caller's thread, and may cancel at any. */
    config.hook = note;
    EXPECT(agrees(config) && hooked > 0);
    EXPECT(model_init(&model, &config) == MODEL_OK);
    for (stop_at = 0; stop_at < STEPS; stop_at += 5) {
        EXPECT(model_run(&model, input, found) == MODEL_ERROR_CANCELLED);
    }
    stop_at = -1;
    EXPECT(agrees(config));
#else
    (void)tasks, (void)hooked, (void)stop_at, (void)owner, (void)status, (void)right, (void)second;
    (void)model, (void)note, (void)backwards, (void)all_at_once, (void)run_second;
#endif
    return 0;
}
