/* Runs a model on a board: each record of the host's input.bin gives one record of its output.bin.
   The build defines MODEL_HEADER, PREFIX, PREFIX_UPPER, ELEMENT, INPUT_COUNT and OUTPUT_COUNT. */
#include MODEL_HEADER

#include <stdint.h>
#include <stdio.h>

#define PASTE(a, b) a##b
#define JOIN(a, b) PASTE(a, b)
#define NAME(suffix) JOIN(PREFIX, suffix)
#define MACRO(suffix) JOIN(PREFIX_UPPER, suffix)

MACRO(_ARENA)(arena);
static ELEMENT input[INPUT_COUNT], output[OUTPUT_COUNT];

/* Marks for the instruction counter. */
__attribute__((noinline, used)) void bench_begin(void);
__attribute__((noinline, used)) void bench_end(void);
void bench_begin(void) { __asm__ volatile(""); }
void bench_end(void) { __asm__ volatile(""); }

static int fail(const char *what, int32_t status) {
    printf("%s: %ld\n", what, (long)status);
    return 1;
}

static int run_records(NAME(_t) *model, FILE *from, FILE *to) {
    while (fread(input, sizeof input, 1, from) == 1) {
        bench_begin();
        int32_t status = NAME(_run)(model, input, output);
        bench_end();
        if (status != 0) {
            return fail("run", status);
        }
        if (fwrite(output, sizeof output, 1, to) != 1) {
            return fail("write output.bin", 0);
        }
    }
    return 0;
}

int main(void) {
    static NAME(_t) model;
    const NAME(_config) config = {.arena = &arena, .arena_bytes = MACRO(_ARENA_BYTES)};
    int32_t status = NAME(_init)(&model, &config);
    if (status != 0) {
        return fail("init", status);
    }
    FILE *from = fopen("input.bin", "rb");
    FILE *to = fopen("output.bin", "wb");
    if (from == NULL || to == NULL) {
        return fail("open input.bin and output.bin", 0);
    }
    int result = run_records(&model, from, to);
    return fclose(to) == 0 ? result : fail("close output.bin", 0);
}
