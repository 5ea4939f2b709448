#define SPIKINGRX_LEVEL portable
#include "link/kernels/draws.inl"
