// Code that g++ compiles for the CPU and nvcc for both sides, without a torch header.
#pragma once

#if defined(__CUDACC__)
#define SPIKINGRX_INLINE __host__ __device__ __forceinline__
#define SPIKINGRX_UNROLL _Pragma("unroll")
#define SPIKINGRX_ROLLED _Pragma("unroll 1")
#define SPIKINGRX_ANY_BODY _Pragma("nv_exec_check_disable")  // calls a body of either side
#else
// Always inlined: compiled for several instruction sets, and the linker must not merge these.
#define SPIKINGRX_INLINE [[gnu::always_inline]] inline
#define SPIKINGRX_UNROLL
#define SPIKINGRX_ROLLED
#define SPIKINGRX_ANY_BODY
#endif
