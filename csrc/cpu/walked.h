// Images in the order in which kernels walk them: planes, or pixels with their channels behind.
#pragma once
#include "cpu/rows.h"

namespace kagari {

inline constexpr int kImageDims = 5;  // batch, channels and three axes at most

// An image as the kernel walks it, with its channels behind where it works on pixels. It counts no
// reference: kernels run without the GIL.
struct Walked {
  int64_t geometry[2 * kImageDims];
  TensorImpl image{};
  Walked(const Tensor& t, bool pixels) {
    const TensorImpl* of = t.get();
    int n = of->ndim;
    int64_t step = 1;
    bool contiguous = true;
    for (int i = n - 1; i >= 0; --i) {
      int from = !pixels || i == 0 ? i : i == n - 1 ? 1 : i + 1;
      int64_t size = geometry[i] = of->sizes[from], stride = geometry[n + i] = of->strides()[from];
      contiguous = contiguous && (size == 1 || stride == step);
      step *= size;
    }
    image.data = of->data;
    image.dtype = of->dtype;
    image.ndim = of->ndim;
    image.sizes = geometry;
    image.numel = of->numel;
    image.flags = contiguous ? uint32_t(kContiguous) : 0;
  }
};

}  // namespace kagari
