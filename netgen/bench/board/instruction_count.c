/* QEMU plugin (interface version 1, QEMU 4.2 to 8.2) that counts executed instructions.
   Arguments: begin=ADDRESS,end=ADDRESS,step=ADDRESS,out=FILE; step may be 0.
   When `end` is first reached: a line "total N", then a line "ADDRESS COUNT TAKEN" for each
   instruction that ran since `begin`. TAKEN is how often the next one did not stand behind it.
   Whenever `step` is reached: a line "step N", the instructions since it was reached before; later
   rounds from `begin` to `end` add a line "total N" alone.
   The few entry points are declared here, so that QEMU's header need not be installed; the running
   qemu resolves them. Instructions are not cycles. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { NO_REGISTERS = 0, INLINE_ADD = 0, PLACES = 1 << 18 };

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated)(plugin_id, struct qemu_plugin_tb *);
typedef void (*executed)(unsigned cpu, void *user);

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, translated);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, executed, int, void *);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, executed, int, void *);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *,
                                                       uint64_t);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);

EXPORT int qemu_plugin_version = 1;

/* An instruction, by its address, and the address behind it: that of a free one is 0. */
typedef struct {
    uint64_t address, behind, count, taken;
} place;

/* A block of instructions, of which only the last may jump. */
typedef struct {
    uint64_t address;
    place *last;
} block;

static place places[PLACES];
static uint64_t total, total_at_begin, total_at_step, begin_address, end_address, step_address;
static const block *before;
static int rounds;
static FILE *out;

static place *find_place(struct qemu_plugin_insn *instruction) {
    const uint64_t address = qemu_plugin_insn_vaddr(instruction);
    size_t at = (size_t)(address >> 1) % PLACES;
    for (size_t tried = 0; places[at].behind != 0 && places[at].address != address; tried++) {
        if (tried == PLACES) {
            fprintf(stderr, "instruction_count: more than %d instructions\n", PLACES);
            exit(1);
        }
        at = (at + 1) % PLACES;
    }
    if (places[at].behind == 0) {
        places[at].address = address;
        places[at].behind = address + qemu_plugin_insn_size(instruction);
    }
    return &places[at];
}

static void on_block(unsigned cpu, void *user) {
    const block *const now = user;
    (void)cpu;
    if (before != NULL && before->last->behind != now->address) {
        before->last->taken++;
    }
    before = now;
}

static void on_begin(unsigned cpu, void *user) {
    (void)cpu;
    (void)user;
    for (size_t i = 0; i < PLACES; i++) {
        places[i].count = places[i].taken = 0;
    }
    total_at_begin = total_at_step = total;
}

static void on_end(unsigned cpu, void *user) {
    (void)cpu;
    (void)user;
    fprintf(out, "total %" PRIu64 "\n", total - total_at_begin);
    for (size_t i = 0; i < PLACES && rounds == 0; i++) {
        if (places[i].count > 0) {
            fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", places[i].address,
                    places[i].count, places[i].taken);
        }
    }
    rounds++;
    fflush(out);
}

static void on_step(unsigned cpu, void *user) {
    (void)cpu;
    (void)user;
    fprintf(out, "step %" PRIu64 "\n", total - total_at_step);
    total_at_step = total;
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *translation) {
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(translation);
    place *found = NULL;
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(translation, i);
        found = find_place(instruction);
        const executed at_mark = found->address == begin_address ? on_begin
            : found->address == end_address                      ? on_end
            : found->address == step_address                     ? on_step
                                                                 : NULL;
        if (at_mark != NULL) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, at_mark, NO_REGISTERS, NULL);
        }
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &total, 1);
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &found->count, 1);
    }
    block *const made = malloc(sizeof *made);
    if (found != NULL && made != NULL) {
        made->address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(translation, 0));
        made->last = found;
        qemu_plugin_register_vcpu_tb_exec_cb(translation, on_block, NO_REGISTERS, made);
    }
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "begin=", 6) == 0) {
            begin_address = strtoull(argv[i] + 6, NULL, 0);
        } else if (strncmp(argv[i], "end=", 4) == 0) {
            end_address = strtoull(argv[i] + 4, NULL, 0);
        } else if (strncmp(argv[i], "step=", 5) == 0) {
            step_address = strtoull(argv[i] + 5, NULL, 0);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "w");
        }
    }
    if (begin_address == 0 || end_address == 0 || out == NULL) {
        fprintf(stderr, "instruction_count: needs begin, end and a writable out\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
