// Marks what spikingrx.tNNN.so offers to the binding, the C++ tests and other processes; all else stays hidden.
#pragma once

#if defined(_WIN32)
#ifdef SPIKINGRX_BUILDING
#define SPIKINGRX_API __declspec(dllexport)
#else
#define SPIKINGRX_API __declspec(dllimport)
#endif
#else
#define SPIKINGRX_API __attribute__((visibility("default")))
#endif
