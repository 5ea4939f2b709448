// Symbols of libtorch_cuda.so that the plugin may need: part of libtorch's stable C interface, and nothing else. Linked
// against, never loaded: at run time libtorch's own library of this name is there.
#define SYMBOL(name) \
  void name(void) {}

SYMBOL(aoti_torch_get_current_cuda_stream)
