/* Start of a Cortex-M image under QEMU: newlib's librdimon reaches the host by semihosting. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

extern char stack_top[], data_start[], data_end[], data_load[], bss_start[], bss_end[];
extern void initialise_monitor_handles(void);
extern void __libc_init_array(void);
extern int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
void _init(void);
void _fini(void);

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, STOPPED_BY_APPLICATION = 0x20026 };

void _init(void) {}
void _fini(void) {}

static void semihost(int32_t operation, const void *argument) {
    register int32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void leave(uint32_t status) {
    const uint32_t reason[2] = {STOPPED_BY_APPLICATION, status};
    for (;;) {
        semihost(SYS_EXIT_EXTENDED, reason);
    }
}

void Fault_Handler(void) {
    semihost(SYS_WRITE0, "processor fault\n");
    leave(99);
}

void Reset_Handler(void) {
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: full access to the FPU */
    __asm__ volatile("dsb\n isb");
    memcpy(data_start, data_load, (size_t)(data_end - data_start));
    memset(bss_start, 0, (size_t)(bss_end - bss_start));
    initialise_monitor_handles();
    __libc_init_array();
    uint32_t status = (uint32_t)main();
    fflush(NULL);
    leave(status);
}

typedef void (*handler)(void);

/* The first word is the stack pointer, the others handle the fifteen system exceptions. */
__attribute__((section(".vectors"), used)) static const struct {
    char *stack;
    handler reset, faults[14];
} vectors = {
    stack_top,
    Reset_Handler,
    {Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,
     Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,
     Fault_Handler, Fault_Handler},
};
