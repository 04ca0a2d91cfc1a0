#include "gallery/kernel.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* __builtin_cpu_supports() knows what the operating system saves too, but not every compiler's knows F16C. */
static bool has_f16c(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

size_t gallery_kernels(const struct gallery_kernel **out)
{
    size_t n = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq"))
        out[n++] = &gallery_kernel_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c())
        out[n++] = &gallery_kernel_avx2;
#elif defined(__aarch64__)
    out[n++] = &gallery_kernel_neon;
#endif
    out[n++] = &gallery_kernel_scalar;
    return n;
}

const struct gallery_kernel *gallery_kernel_choose(void)
{
    const struct gallery_kernel *kernels[4];
    size_t n = gallery_kernels(kernels);
    const char *forced = getenv("AIBOX_GALLERY_KERNEL");
    if (forced == NULL || forced[0] == '\0')
        return kernels[0];
    for (size_t i = 0; i < n; i++) {
        if (strcmp(kernels[i]->name, forced) == 0)
            return kernels[i];
    }
    return NULL;
}

const char *gallery_kernel_name(void)
{
    const struct gallery_kernel *kernel = gallery_kernel_choose();
    return kernel != NULL ? kernel->name : "none";
}
