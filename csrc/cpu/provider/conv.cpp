// Convolutions: which layout is computed in, how weights are arranged, and the products they
// become.
#include "cpu/provider/conv.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "core/error.h"
#include "cpu/provider/depthwise.h"
#include "cpu/provider/direct.h"
#include "cpu/provider/lanes.h"
#include "cpu/provider/unfold.h"
#include "cpu/provider/winograd.h"

namespace kagari::provider {

namespace {

int64_t pixels_of(const int64_t* space) { return space[0] * space[1] * space[2]; }

// --- Layouts ---
// Axes of size one have no stride to speak of.
bool dense_space(const ImageStrides& s, const int64_t* space, int64_t pitch) {
  for (int i = 2; i >= 0; --i) {
    if (space[i] != 1 && s.space[i] != pitch) return false;
    pitch *= space[i];
  }
  return true;
}
int64_t pixel_pitch(const ImageStrides& s, const int64_t* space) {
  for (int i = 2; i >= 0; --i)
    if (space[i] != 1) return s.space[i];
  return s.channel;
}

struct Image {
  char* data;
  ImageStrides strides;
  int64_t channels;
  const int64_t* space;

  bool lines_contiguous() const { return space[2] == 1 || strides.space[2] == 1; }
  bool channels_contiguous() const { return channels == 1 || strides.channel == 1; }
  bool first() const { return dense_space(strides, space, 1); }
  bool last() const {
    int64_t pitch = pixels_of(space) == 1 ? channels : pixel_pitch(strides, space);
    return channels_contiguous() && pitch >= channels && dense_space(strides, space, pitch);
  }
};

// The layout of a result decides how it is computed; where it could be either, the other operand's
// does.
bool computes_channels_last(const Image& result, const Image& other) {
  if (!result.first()) {
    KG_INTERNAL(result.last(),
                "the result of a convolution is neither dense in space nor in channels");
    return true;
  }
  return result.last() && other.channels_contiguous() && !other.lines_contiguous();
}

template <class E>
void copy_elements(const Image& from, int64_t batch, char* to_, const ImageStrides& t) {
  const E* source = reinterpret_cast<const E*>(from.data);
  E* to = reinterpret_cast<E*>(to_);
  const ImageStrides& s = from.strides;
  run_jobs(batch * from.space[0] * from.space[1], [&](int64_t job) {
    int64_t y = job % from.space[1], z = job / from.space[1] % from.space[0];
    int64_t n = job / from.space[1] / from.space[0];
    const E* line = source + n * s.batch + z * s.space[0] + y * s.space[1];
    E* out = to + n * t.batch + z * t.space[0] + y * t.space[1];
    auto copy = [&](int64_t outer, int64_t inner, int64_t so, int64_t si, int64_t to_o,
                    int64_t to_i) {
      for (int64_t a = 0; a < outer; ++a)
        for (int64_t b = 0; b < inner; ++b) out[a * to_o + b * to_i] = line[a * so + b * si];
    };
    if (t.channel == 1)
      copy(from.space[2], from.channels, s.space[2], s.channel, t.space[2], t.channel);
    else
      copy(from.channels, from.space[2], s.channel, s.space[2], t.channel, t.space[2]);
  });
}

Image copied(Kind kind, const Image& image, int64_t batch, bool last, Room where) {
  int64_t size = size_of(kind);
  ImageStrides strides = last ? channels_last(image.channels, image.space)
                              : channels_first(image.channels, image.space);
  Image out{static_cast<char*>(room(where, batch * strides.batch * size)), strides, image.channels,
            image.space};
  switch (size) {
    case 1:
      copy_elements<uint8_t>(image, batch, out.data, strides);
      break;
    case 2:
      copy_elements<uint16_t>(image, batch, out.data, strides);
      break;
    case 4:
      copy_elements<uint32_t>(image, batch, out.data, strides);
      break;
    case 8:
      copy_elements<uint64_t>(image, batch, out.data, strides);
      break;
    default:
      copy_elements<Bytes16>(image, batch, out.data, strides);
  }
  return out;
}

// The image itself where its layout serves, else a dense copy in the wanted one.
Image in_layout(Kind kind, const Image& image, int64_t batch, bool last) {
  bool serves = last ? image.channels_contiguous() : image.lines_contiguous();
  return serves ? image : copied(kind, image, batch, last, Room::image);
}

// --- Windows ---
// One axis of a window: taps by their place in the kernel, and the pixels it is laid over.
struct Axis {
  std::vector<int64_t> kernel, offset;
  int64_t grid, step;
};

Axis forward_axis(const ConvShape& s, int i) {
  Axis a{{}, {}, s.out[i], s.stride[i]};
  for (int64_t k = 0; k < s.kernel[i]; ++k) {
    a.kernel.push_back(k);
    a.offset.push_back(k * s.dilation[i] - s.padding[i]);
  }
  return a;
}
// Input pixels phase, phase + stride, ... meet output pixels one apart, through those taps that
// fall on whole steps.
Axis backward_axis(const ConvShape& s, int i, int64_t phase) {
  Axis a{{}, {}, (s.in[i] - phase + s.stride[i] - 1) / s.stride[i], 1};
  for (int64_t k = 0; k < s.kernel[i]; ++k) {
    int64_t reach = phase + s.padding[i] - k * s.dilation[i];
    if (reach % s.stride[i]) continue;
    a.kernel.push_back(k);
    a.offset.push_back(reach / s.stride[i]);
  }
  return a;
}

struct View {
  Window window;
  std::vector<int64_t> kernel_offsets;  // of each tap in the weight, in elements
};

View view_of(const Axis (&axes)[3], const Image& image, int64_t group_channels,
             const WeightStrides& w) {
  View v;
  v.window.strides = image.strides;
  v.window.channels = group_channels;
  for (int i = 0; i < 3; ++i) {
    v.window.grid[i] = axes[i].grid;
    v.window.step[i] = axes[i].step;
    v.window.size[i] = image.space[i];
  }
  for (size_t z = 0; z < axes[0].kernel.size(); ++z)
    for (size_t y = 0; y < axes[1].kernel.size(); ++y)
      for (size_t x = 0; x < axes[2].kernel.size(); ++x) {
        v.window.taps.push_back({{axes[0].offset[z], axes[1].offset[y], axes[2].offset[x]}});
        v.kernel_offsets.push_back(axes[0].kernel[z] * w.kernel[0] +
                                   axes[1].kernel[y] * w.kernel[1] +
                                   axes[2].kernel[x] * w.kernel[2]);
      }
  v.window.id = id_of(v.window);
  return v;
}

// --- Weights ---
// Four nested counts; the taps' strides come from a list. `tap` says which of the four they are.
struct Arrangement {
  int64_t count[4], stride[4];
  int tap;
  const std::vector<int64_t>* taps;
  int64_t total() const { return count[0] * count[1] * count[2] * count[3]; }
};

template <class E>
void arrange_elements(const Arrangement& a, const char* from_, char* to_) {
  const E* from = reinterpret_cast<const E*>(from_);
  E* to = reinterpret_cast<E*>(to_);
  auto at = [&](int axis, int64_t i) {
    return axis == a.tap ? (*a.taps)[size_t(i)] : i * a.stride[axis];
  };
  // Sixteen of the second axis at a time: where it is the innermost of the source, a line is read
  // once.
  constexpr int64_t block = 16;
  int64_t inner = a.count[2] * a.count[3], blocks = (a.count[1] + block - 1) / block;
  auto outer = [&](int64_t job) {
    int64_t first = job / blocks, second = job % blocks * block;
    int64_t end = std::min(a.count[1], second + block);
    for (int64_t i = 0; i < a.count[2]; ++i)
      for (int64_t b = second; b < end; ++b) {
        const E* base = from + at(0, first) + at(1, b) + at(2, i);
        E* out = to + (first * a.count[1] + b) * inner + i * a.count[3];
        for (int64_t j = 0; j < a.count[3]; ++j) out[j] = base[at(3, j)];
      }
  };
  int64_t jobs = a.count[0] * blocks;
  if (a.total() < 100000) {
    for (int64_t job = 0; job < jobs; ++job) outer(job);
  } else {
    run_jobs(jobs, outer);
  }
}

void arrange(int64_t size, const Arrangement& a, const char* from, char* to) {
  switch (size) {
    case 1:
      return arrange_elements<uint8_t>(a, from, to);
    case 2:
      return arrange_elements<uint16_t>(a, from, to);
    case 4:
      return arrange_elements<uint32_t>(a, from, to);
    case 8:
      return arrange_elements<uint64_t>(a, from, to);
    default:
      return arrange_elements<Bytes16>(a, from, to);
  }
}

uint64_t purpose_of(const ConvShape& s, const WeightStrides& w, bool last, bool backward) {
  uint64_t h = 1469598103934665603u;
  auto add = [&](int64_t x) { h = (h ^ uint64_t(x)) * 1099511628211u; };
  for (int64_t x :
       {s.groups, s.in_channels, s.out_channels, w.out, w.in, int64_t(last), int64_t(backward)})
    add(x);
  for (int i = 0; i < 3; ++i)
    for (int64_t x : {s.kernel[i], w.kernel[i], backward ? s.stride[i] : 0,
                      backward ? s.dilation[i] : 0, backward ? s.padding[i] : 0})
      add(x);
  return h;
}

// Arranged weights, from the cache or into it; `keep` holds the block for the time of the call.
const char* arranged(const WeightRef& w, uint64_t purpose, int64_t bytes, WeightCache::Block& keep,
                     const std::function<void(char*)>& fill) {
  if (!w.cache) {
    char* to = static_cast<char*>(room(Room::weight, bytes));
    fill(to);
    return to;
  }
  keep = w.cache->find(w.data, w.epoch, purpose);
  if (!keep) {
    keep = WeightCache::Block(new char[size_t(bytes)]);
    fill(keep.get());
    w.cache->keep(w.data, w.epoch, purpose, keep);
  }
  return keep.get();
}

// --- Running ---
constexpr int64_t kSmallImage = 400;  // pixels
constexpr int64_t kTurnedPixels = 4;  // of all images, for each result
constexpr int64_t kSeldom = 4;        // packings of weights that cost less than arranging them

struct Call {
  const Kernels* kernels;
  int64_t size;  // of an element
  const ConvShape* shape;
  int64_t batch;
};

// One image and group of a forward product, or all images where rows follow each other.
struct Forward {
  const Call* call;
  const View* view;
  Image image, result;
  const char* weights;             // of all groups
  int64_t group_weights;           // elements
  int64_t weight_row, weight_col;  // channels-last only
  int64_t out;                     // channels of a group in the result
  const char* bias;
  bool relu, last;
  int64_t images;         // folded into one product
  char* apart = nullptr;  // where folded channels-first images go: (channel, image, pixel)
  // Where weights are read as they lie: offsets of the taps, and strides of result and image
  // channels.
  const int64_t* taps = nullptr;
  int64_t tap_row = 0, tap_channel = 0;
};

void forward_at(const void* context, int64_t i, void (*use)(const Product&, void*),
                void* argument) {
  const Forward& f = *static_cast<const Forward*>(context);
  const Kernels& kernels = *f.call->kernels;
  int64_t size = f.call->size, groups = f.call->shape->groups, group = i % groups, n = i / groups;
  const Window& window = f.view->window;
  const char* image =
      f.image.data +
      (n * f.image.strides.batch + group * window.channels * f.image.strides.channel) * size;
  const char* weights = f.weights + group * f.group_weights * size;
  Product p;
  p.kernels = &kernels;
  p.depth = packed_depth(kernels, window.depth());
  p.c = f.result.data +
        (n * f.result.strides.batch + group * f.out * f.result.strides.channel) * size;
  p.bias = f.bias ? f.bias + group * f.out * size : nullptr;
  p.relu = f.relu;
  auto run = [&](auto& source) {
    source.kernels = &kernels;
    source.k = window.depth();
    source.window = &window;
    source.image = image;
    source.weights = weights;
    p.source = &source;
    use(p, argument);
  };
  if (f.last) {
    p.m = window.pixels() * f.images;
    p.n = f.out * kernels.per_column;
    p.c_row = (window.pixels() == 1 ? f.result.strides.batch
                                    : pixel_pitch(f.result.strides, f.result.space)) *
              kernels.per_column;
    UnfoldedRows source;
    source.weight_row = f.weight_row;
    source.weight_col = f.weight_col;
    run(source);
  } else {
    p.m = f.out;
    p.n = window.pixels() * f.images * kernels.per_column;
    p.c_row = f.result.strides.channel * kernels.per_column;
    if (f.apart) {
      p.c_row = p.n;
      p.c = f.apart + group * f.out * window.pixels() * f.images * size;
    }
    p.bias_by_row = true;
    UnfoldedColumns source;
    source.taps = f.taps;
    source.weight_row = f.tap_row;
    source.weight_channel = f.tap_channel;
    if (f.taps) p.groups_a = kGroups;
    run(source);
  }
}

// Images may be one product's rows where the result's pixels are equally far apart across them.
bool folds(const Image& result) {
  int64_t pixels = pixels_of(result.space);
  return pixels == 1 || result.strides.batch == pixels * pixel_pitch(result.strides, result.space);
}

void run_all(const Forward& f, int64_t count) {
  struct All {
    const Forward& f;
    int64_t count;
  } all{f, count};
  forward_at(
      &f, 0,
      [](const Product& shape, void* argument) {
        const All& a = *static_cast<All*>(argument);
        run_products(shape, a.count, &forward_at, &a.f);
      },
      &all);
}

// Small channels-first images are too few columns each to repay the packing of the weights: many
// are one product, whose result is then dealt out. Which are folded together leaves no trace in the
// bits.
void run_folded(Forward f, int64_t batch) {
  int64_t size = f.call->size, groups = f.call->shape->groups;
  int64_t pixels = f.view->window.pixels(), channels = f.out * groups;
  int64_t most = std::clamp<int64_t>((int64_t(16) << 20) / (channels * pixels * size), 1, batch);
  f.apart = static_cast<char*>(room(Room::split_images, most * channels * pixels * size));
  for (int64_t n = 0; n < batch; n += most) {
    f.images = std::min(most, batch - n);
    run_all(f, groups);
    const ImageStrides& t = f.result.strides;
    run_jobs(f.images, [&](int64_t i) {
      for (int64_t c = 0; c < channels; ++c)
        std::memcpy(f.result.data + (i * t.batch + c * t.channel) * size,
                    f.apart + (c * f.images + i) * pixels * size, size_t(pixels * size));
    });
    f.image.data += f.images * f.image.strides.batch * size;
    f.result.data += f.images * f.result.strides.batch * size;
  }
}

bool is_folded(const Window& window, int64_t batch) {
  return batch > 1 && window.pixels() <= kSmallImage;
}

// Whether weights are packed so seldom that arranging them first would not pay.
bool reads_weights_once(const Kernels& kernels, const Window& window, int64_t batch) {
  int64_t columns = 2048 / kernels.compute_size, pixels = window.pixels();
  int64_t blocks = is_folded(window, batch) ? (batch * pixels + columns - 1) / columns
                                            : batch * ((pixels + columns - 1) / columns);
  return kernels.plain && kernels.source_size >= 4 && kernels.per_column == 1 && blocks <= kSeldom;
}

void run_forward(Forward& f, int64_t batch) {
  if (!f.last && is_folded(f.view->window, batch)) {
    run_folded(f, batch);
    return;
  }
  f.images = f.last && folds(f.result) ? batch : 1;
  run_all(f, batch / f.images * f.call->shape->groups);
}

void check(const ConvShape& s) {
  auto positive = [](int64_t x) { return x > 0 && x < (int64_t(1) << 40); };
  KG_CHECK(s.batch >= 0 && positive(s.groups) && s.in_channels >= 0 && s.out_channels >= 0 &&
               s.in_channels % s.groups == 0 && s.out_channels % s.groups == 0,
           "expected channels that ", s.groups, " groups divide, got ", s.in_channels, " in and ",
           s.out_channels, " out");
  for (int i = 0; i < 3; ++i)
    KG_CHECK(s.in[i] >= 0 && s.out[i] >= 0 && positive(s.kernel[i]) && positive(s.stride[i]) &&
                 positive(s.dilation[i]) && std::abs(s.padding[i]) < (int64_t(1) << 40),
             "expected positive kernel, stride and dilation, got kernel ", s.kernel[i], ", stride ",
             s.stride[i], ", dilation ", s.dilation[i]);
  int64_t total = 16;
  for (int64_t x :
       {std::max<int64_t>(s.batch, 1), std::max(s.in_channels, s.out_channels),
        std::max(s.in[0], s.out[0]), std::max(s.in[1], s.out[1]), std::max(s.in[2], s.out[2])})
    KG_CHECK(!__builtin_mul_overflow(total, std::max<int64_t>(x, 1), &total),
             "expected an image within the address space, got batch ", s.batch);
  total = 16;
  for (int64_t x : {s.in_channels, s.out_channels, s.kernel[0], s.kernel[1], s.kernel[2]})
    KG_CHECK(!__builtin_mul_overflow(total, std::max<int64_t>(x, 1), &total),
             "expected a weight within the address space");
}

void by_depthwise(Kind kind, const ConvShape& s, const View& view, const Image& image,
                  const Image& result, const WeightRef& w, const void* bias, bool relu) {
  int64_t taps = int64_t(view.window.taps.size()), size = size_of(kind);
  char* weights =
      static_cast<char*>(room(Room::weight, std::max<int64_t>(taps * s.groups * size, 1)));
  Arrangement a{{1, 1, taps, s.groups}, {0, 0, 0, w.strides.out}, 2, &view.kernel_offsets};
  if (a.total() > 0) arrange(size, a, static_cast<const char*>(w.data), weights);
  run_depthwise({kind, s.batch, s.groups, &view.window, image.data, weights, result.data,
                 result.strides, static_cast<const char*>(bias), relu});
}

}  // namespace

// --- Layouts and the cache, in public ---
ImageStrides channels_first(int64_t channels, const int64_t* space) {
  return {channels * pixels_of(space), pixels_of(space), {space[1] * space[2], space[2], 1}};
}
ImageStrides channels_last(int64_t channels, const int64_t* space) {
  return {channels * pixels_of(space),
          1,
          {space[1] * space[2] * channels, space[2] * channels, channels}};
}
WeightStrides contiguous_weight(const ConvShape& s) {
  int64_t taps = pixels_of(s.kernel);
  return {s.in_channels / s.groups * taps, taps, {s.kernel[1] * s.kernel[2], s.kernel[2], 1}};
}

WeightCache::Block WeightCache::find(const void* data, uint64_t epoch, uint64_t purpose) {
  std::lock_guard hold(lock_);
  for (const Entry& e : entries_)
    if (e.block && e.data == data && e.epoch == epoch && e.purpose == purpose) return e.block;
  return nullptr;
}

void WeightCache::keep(const void* data, uint64_t epoch, uint64_t purpose, Block block) {
  std::lock_guard hold(lock_);
  // What the same use left behind goes first.
  int slot = next_;
  for (int i = 0; i < kKept; ++i)
    if (entries_[i].purpose == purpose) slot = i;
  entries_[slot] = {data, epoch, purpose, std::move(block)};
  next_ = (slot + 1) % kKept;
}

// --- Forward ---
void conv_forward(Kind kind, const ConvShape& s, const void* x, const ImageStrides& x_strides,
                  const WeightRef& w, const void* bias, void* y, const ImageStrides& y_strides,
                  bool relu) {
  check(s);
  if (s.batch == 0 || s.out_channels == 0 || pixels_of(s.out) == 0) return;
  Call call{&kernels_of(kind), size_of(kind), &s, s.batch};
  Image result{static_cast<char*>(y), y_strides, s.out_channels, s.out};
  Image image{static_cast<char*>(const_cast<void*>(x)), x_strides, s.in_channels, s.in};
  bool last = computes_channels_last(result, image);
  image = in_layout(kind, image, s.batch, last);
  const WinogradCall winograd{s,
                              false,
                              reinterpret_cast<const float*>(image.data),
                              image.strides,
                              static_cast<const float*>(w.data),
                              w.strides,
                              static_cast<const float*>(bias),
                              static_cast<float*>(y),
                              y_strides,
                              relu,
                              last};
  if (winograd_serves(kind, s, false) && (last || !lanes_fit(kind, s)))
    return run_winograd(winograd);
  if (!last && !lanes_fit(kind, s) && winograd_tiles_serves(kind, s))
    return run_winograd_tiles(winograd);

  int64_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;
  Axis axes[3] = {forward_axis(s, 0), forward_axis(s, 1), forward_axis(s, 2)};
  View view = view_of(axes, image, group_in, w.strides);
  int64_t taps = int64_t(view.window.taps.size());
  if (last && depthwise_serves(kind, s))
    return by_depthwise(kind, s, view, image, result, w, bias, relu);
  DirectPart part{&view.window, nullptr};
  const int64_t start = 0;
  DirectCall direct{kind,
                    s.batch,
                    s.groups,
                    group_out,
                    &part,
                    &start,
                    1,
                    1,
                    image.data,
                    result.data,
                    result.strides,
                    s.out[2],
                    static_cast<const char*>(bias),
                    relu};
  if (!last) {
    const int64_t* offsets = view.kernel_offsets.data();
    LanesCall lanes{direct,
                    static_cast<const char*>(w.data),
                    group_out * w.strides.out,
                    w.strides.out,
                    w.strides.in,
                    &offsets};
    if (lanes_serve(lanes)) return run_lanes(lanes);
  }
  Forward f{&call,
            &view,
            image,
            result,
            static_cast<const char*>(w.data),
            group_out * group_in * taps,
            0,
            0,
            group_out,
            static_cast<const char*>(bias),
            relu,
            last,
            1};
  WeightStrides plain = contiguous_weight(s);
  WeightCache::Block keep;
  int64_t bytes = s.out_channels * group_in * taps * call.size;
  // Wanted: (out, channel, tap), or (out, tap, channel) where channels are contiguous.
  if (last) {
    plain.in = 1;
    plain.kernel[2] = group_in;
    plain.kernel[1] = group_in * s.kernel[2];
    plain.kernel[0] = group_in * s.kernel[2] * s.kernel[1];
    f.weight_row = 1;
    f.weight_col = group_in * taps;
  }
  bool ready = (w.strides.out == plain.out || s.out_channels == 1) &&
               (w.strides.in == plain.in || group_in == 1);
  for (int i = 0; i < 3; ++i) ready &= s.kernel[i] == 1 || w.strides.kernel[i] == plain.kernel[i];
  if (!ready) {
    Arrangement a = last ? Arrangement{{1, s.out_channels, taps, group_in},
                                       {0, w.strides.out, 0, w.strides.in},
                                       2,
                                       &view.kernel_offsets}
                         : Arrangement{{1, s.out_channels, group_in, taps},
                                       {0, w.strides.out, w.strides.in, 0},
                                       3,
                                       &view.kernel_offsets};
    f.weights = arranged(w, purpose_of(s, w.strides, last, false), bytes, keep, [&](char* to) {
      arrange(call.size, a, static_cast<const char*>(w.data), to);
    });
  }
  part.weights = f.weights;
  if (!last && direct_serves(direct)) return run_direct(direct);
  run_forward(f, s.batch);
}

// --- Backward to the input ---
namespace {

struct Phase {
  int64_t at[3];
  View view;
  int64_t weights;  // where its arranged weights start, in elements
  int64_t result;   // where its pixels of an image start, in pixels
};

// From phases of an image, each dense, to every stride-th pixel of the result.
template <class E>
void spread(const ConvShape& s, const std::vector<Phase>& phases, const char* from_,
            int64_t from_pixels, char* to_, const ImageStrides& t, int64_t batch, bool last) {
  const E* from = reinterpret_cast<const E*>(from_);
  E* to = reinterpret_cast<E*>(to_);
  run_jobs(batch * int64_t(phases.size()), [&](int64_t job) {
    int64_t n = job / int64_t(phases.size());
    const Phase& p = phases[size_t(job % int64_t(phases.size()))];
    const int64_t* grid = p.view.window.grid;
    int64_t pixels = p.view.window.pixels();
    const E* part = from + (n * from_pixels + p.result) * s.in_channels;
    E* image =
        to + n * t.batch + p.at[0] * t.space[0] + p.at[1] * t.space[1] + p.at[2] * t.space[2];
    int64_t outer = last ? 1 : s.in_channels, run = last ? s.in_channels : 1;
    for (int64_t c = 0; c < outer; ++c) {
      const E* source = part + c * pixels;
      for (int64_t z = 0; z < grid[0]; ++z)
        for (int64_t y = 0; y < grid[1]; ++y) {
          E* line =
              image + c * t.channel + z * s.stride[0] * t.space[0] + y * s.stride[1] * t.space[1];
          int64_t step = s.stride[2] * t.space[2];
          for (int64_t x = 0; x < grid[2]; ++x, line += step, source += run) {
            if (run == 1)
              *line = *source;
            else
              std::memcpy((void*)line, source, size_t(run) * sizeof(E));
          }
        }
    }
  });
}

// Phases of one line of the result are computed together and woven into it.
struct PhasesCall {
  std::vector<DirectPart> parts;
  std::vector<int64_t> starts;
  std::vector<const int64_t*> offsets;
  DirectCall call;

  PhasesCall(Kind kind, const ConvShape& s, const std::vector<Phase>& phases, const Image& image,
             const Image& result, const void* bias) {
    int64_t together = std::min(s.stride[2], s.in[2]);
    for (size_t i = 0; i < phases.size(); ++i) {
      const Phase& p = phases[i];
      parts.push_back({&p.view.window, nullptr});
      offsets.push_back(p.view.kernel_offsets.data());
      if (int64_t(i) % together == 0)
        starts.push_back(p.at[0] * result.strides.space[0] + p.at[1] * result.strides.space[1]);
    }
    ImageStrides strides = result.strides;
    strides.space[0] *= s.stride[0];
    strides.space[1] *= s.stride[1];
    call = {kind,
            s.batch,
            s.groups,
            s.in_channels / s.groups,
            parts.data(),
            starts.data(),
            int64_t(starts.size()),
            together,
            image.data,
            result.data,
            strides,
            s.in[2],
            static_cast<const char*>(bias),
            false};
  }

  bool by_lanes(const ConvShape& s, const WeightRef& w) const {
    LanesCall lanes{call,
                    static_cast<const char*>(w.data),
                    s.out_channels / s.groups * w.strides.out,
                    w.strides.in,
                    w.strides.out,
                    offsets.data()};
    if (!lanes_serve(lanes)) return false;
    run_lanes(lanes);
    return true;
  }

  template <class Arrange>
  bool directly(const std::vector<Phase>& phases, const Arrange& arrange_weights) {
    if (!direct_serves(call)) return false;
    const char* weights = arrange_weights();
    for (size_t i = 0; i < phases.size(); ++i)
      parts[i].weights = weights + phases[i].weights * size_of(call.kind);
    run_direct(call);
    return true;
  }
};

}  // namespace

void conv_backward_data(Kind kind, const ConvShape& s, const void* dy,
                        const ImageStrides& dy_strides, const WeightRef& w, const void* bias,
                        void* dx, const ImageStrides& dx_strides) {
  check(s);
  if (s.batch == 0 || s.in_channels == 0 || pixels_of(s.in) == 0) return;
  Call call{&kernels_of(kind), size_of(kind), &s, s.batch};
  Image result{static_cast<char*>(dx), dx_strides, s.in_channels, s.in};
  Image image{static_cast<char*>(const_cast<void*>(dy)), dy_strides, s.out_channels, s.out};
  bool last = computes_channels_last(result, image);
  image = in_layout(kind, image, s.batch, last);
  if (winograd_serves(kind, s, true) && (last || !lanes_fit(kind, s)))
    return run_winograd({s, true, reinterpret_cast<const float*>(image.data), image.strides,
                         static_cast<const float*>(w.data), w.strides,
                         static_cast<const float*>(bias), static_cast<float*>(dx), dx_strides,
                         false, last});
  int64_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;

  std::vector<Phase> phases;
  int64_t weights = 0, pixels = 0;
  for (int64_t z = 0; z < std::min(s.stride[0], s.in[0]); ++z)
    for (int64_t y = 0; y < std::min(s.stride[1], s.in[1]); ++y)
      for (int64_t x = 0; x < std::min(s.stride[2], s.in[2]); ++x) {
        Axis axes[3] = {backward_axis(s, 0, z), backward_axis(s, 1, y), backward_axis(s, 2, x)};
        phases.push_back({{z, y, x}, view_of(axes, image, group_out, w.strides), weights, pixels});
        weights += s.in_channels * phases.back().view.window.depth();
        pixels += phases.back().view.window.pixels();
      }
  if (last && depthwise_serves(kind, s)) {
    for (const Phase& p : phases) {
      Image part = result;
      for (int i = 0; i < 3; ++i) {
        part.data += p.at[i] * result.strides.space[i] * call.size;
        part.strides.space[i] *= s.stride[i];
      }
      by_depthwise(kind, s, p.view, image, part, w, bias, false);
    }
    return;
  }
  PhasesCall together(kind, s, phases, image, result, bias);
  if (!last && together.by_lanes(s, w)) return;
  // Each phase: (group, in, out of group, tap), or (group, tap, out of group, in) where channels
  // are contiguous.
  WeightCache::Block keep;
  auto arrange_all = [&](char* to) {
    for (const Phase& p : phases) {
      int64_t taps = int64_t(p.view.window.taps.size()), group = group_out * w.strides.out;
      Arrangement a = last ? Arrangement{{s.groups, taps, group_out, group_in},
                                         {group, 0, w.strides.out, w.strides.in},
                                         1,
                                         &p.view.kernel_offsets}
                           : Arrangement{{s.groups, group_in, group_out, taps},
                                         {group, w.strides.in, w.strides.out, 0},
                                         3,
                                         &p.view.kernel_offsets};
      if (a.total() > 0)
        arrange(call.size, a, static_cast<const char*>(w.data), to + p.weights * call.size);
    }
  };
  auto arrange_weights = [&] {
    return arranged(w, purpose_of(s, w.strides, last, true),
                    std::max<int64_t>(weights * call.size, 1), keep, arrange_all);
  };
  if (!last && together.directly(phases, arrange_weights)) return;
  bool in_place =
      !last && !w.cache && reads_weights_once(*call.kernels, phases[0].view.window, s.batch);
  const char* arranged_weights = in_place ? nullptr : arrange_weights();
  bool direct = phases.size() == 1;
  // Phases of as many images as fit are computed apart, then spread over the result.
  int64_t image_bytes = pixels * s.in_channels * call.size;
  int64_t most =
      direct ? s.batch : std::clamp<int64_t>((int64_t(32) << 20) / image_bytes, 1, s.batch);
  for (int64_t n = 0; n < s.batch; n += most) {
    int64_t images = std::min(most, s.batch - n);
    char* apart = direct ? nullptr : static_cast<char*>(room(Room::result, images * image_bytes));
    for (const Phase& p : phases) {
      Image part = result, seen = image;
      part.data += n * result.strides.batch * call.size;
      seen.data += n * image.strides.batch * call.size;
      if (!direct) {
        part.space = p.view.window.grid;
        part.strides = last ? channels_last(s.in_channels, part.space)
                            : channels_first(s.in_channels, part.space);
        part.strides.batch = pixels * s.in_channels;
        part.data = apart + p.result * s.in_channels * call.size;
      }
      Forward f{&call,
                &p.view,
                seen,
                part,
                arranged_weights + p.weights * call.size,
                group_in * p.view.window.depth(),
                group_in,
                1,
                group_in,
                static_cast<const char*>(bias),
                false,
                last,
                1};
      if (in_place) {
        f.weights = static_cast<const char*>(w.data);
        f.group_weights = group_out * w.strides.out;
        f.taps = p.view.kernel_offsets.data();
        f.tap_row = w.strides.in;
        f.tap_channel = w.strides.out;
      }
      run_forward(f, images);
    }
    if (direct) continue;
    char* to = result.data + n * result.strides.batch * call.size;
    switch (call.size) {
      case 1:
        spread<uint8_t>(s, phases, apart, pixels, to, result.strides, images, last);
        break;
      case 2:
        spread<uint16_t>(s, phases, apart, pixels, to, result.strides, images, last);
        break;
      case 4:
        spread<uint32_t>(s, phases, apart, pixels, to, result.strides, images, last);
        break;
      case 8:
        spread<uint64_t>(s, phases, apart, pixels, to, result.strides, images, last);
        break;
      default:
        spread<Bytes16>(s, phases, apart, pixels, to, result.strides, images, last);
    }
  }
}

// --- Backward to the weights ---
namespace {

bool is_contiguous(const ConvShape& s, const WeightStrides& t) {
  WeightStrides plain = contiguous_weight(s);
  bool same = (t.out == plain.out || s.out_channels == 1) &&
              (t.in == plain.in || s.in_channels == s.groups);
  for (int i = 0; i < 3; ++i) same &= t.kernel[i] == plain.kernel[i] || s.kernel[i] == 1;
  return same;
}

const void* one_of(Kind kind) {
  static const uint64_t integer = 1;
  static const uint16_t half = 0x3c00, brain = 0x3f80;
  static const float single[2] = {1, 0};
  static const double dual[2] = {1, 0};
  switch (kind) {
    case Kind::f16:
      return &half;
    case Kind::bf16:
      return &brain;
    case Kind::f32:
    case Kind::c64:
      return single;
    case Kind::f64:
    case Kind::c128:
      return dual;
    default:
      return &integer;
  }
}

// Sums lie as (channel · tap [+ ones], out), turned as (out, channel · tap [+ ones]), and where
// channels are contiguous as (out, tap · channel [+ ones]).
enum class SumsLie { first, turned, last };

struct WeightGradient {
  const Call* call;
  const View* view;
  Image image, gradient;
  char* sums;  // of all groups
  int64_t rows, cols;
  Kind kind;
  SumsLie lie;
  Window seen{};  // turned: the gradient's own window
};

void weight_gradient_at(const void* context, int64_t group, void (*use)(const Product&, void*),
                        void* argument) {
  const WeightGradient& g = *static_cast<const WeightGradient*>(context);
  const Kernels& kernels = *g.call->kernels;
  const Window& window = g.view->window;
  int64_t size = g.call->size, group_out = g.call->shape->out_channels / g.call->shape->groups;
  Product p;
  p.kernels = &kernels;
  p.m = g.rows;
  p.n = g.cols * kernels.per_column;
  p.c = g.sums + group * g.rows * g.cols * size;
  p.c_row = g.cols * kernels.per_column;
  auto run = [&](auto& source) {
    source.kernels = &kernels;
    source.k = g.call->batch * window.pixels();
    p.depth = packed_depth(kernels, source.k);
    source.window = &window;
    source.image = g.image.data + group * window.channels * g.image.strides.channel * size;
    source.gradient = {g.gradient.data + group * group_out * g.gradient.strides.channel * size,
                       g.gradient.strides.batch, g.gradient.strides.channel,
                       window.pixels() == 1 ? g.gradient.strides.batch
                                            : pixel_pitch(g.gradient.strides, g.gradient.space)};
    source.one = one_of(g.kind);
    p.source = &source;
    use(p, argument);
  };
  if (g.lie == SumsLie::last) {
    WeightGradientLast source;
    run(source);
  } else if (g.lie == SumsLie::turned) {
    WeightGradientTurned source;
    source.gradient_window = &g.seen;
    run(source);
  } else {
    WeightGradientFirst source;
    run(source);
  }
}

// The gradient's pixels as they are seen by their own window: one tap on each.
Window window_on(const Image& gradient) {
  Window w;
  std::copy_n(gradient.space, 3, w.grid);
  std::copy_n(gradient.space, 3, w.size);
  std::fill_n(w.step, 3, 1);
  w.strides = gradient.strides;
  w.channels = gradient.channels;
  w.taps = {{{0, 0, 0}}};
  w.id = id_of(w);
  return w;
}

template <class E>
void place_gradient(const WeightGradient& g, const ConvShape& s, char* dw_, const WeightStrides& t,
                    char* dbias_) {
  const E* sums = reinterpret_cast<const E*>(g.sums);
  E* dw = reinterpret_cast<E*>(dw_);
  E* dbias = reinterpret_cast<E*>(dbias_);
  int64_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;
  int64_t taps = int64_t(g.view->window.taps.size()), k = group_in * taps;
  const int64_t step_k = g.lie == SumsLie::first ? g.cols : 1;
  const int64_t step_out = g.lie == SumsLie::first ? 1 : g.cols;
  const int64_t tap_step = g.lie == SumsLie::last ? group_in : 1;
  const int64_t tap_step_c = g.lie == SumsLie::last ? 1 : taps;
  // Sixteen channels at a time: sums are read by lines.
  constexpr int64_t block = 16;
  int64_t blocks = (group_out + block - 1) / block;
  auto place = [&](int64_t job) {
    const E* group = sums + job / blocks * g.rows * g.cols;
    int64_t first = job % blocks * block, end = std::min(group_out, first + block);
    E* to = dw + job / blocks * group_out * t.out;
    for (int64_t c = 0; c < group_in; ++c)
      for (int64_t tap = 0; tap < taps; ++tap) {
        int64_t at = c * t.in + g.view->kernel_offsets[size_t(tap)];
        const E* from = group + (c * tap_step_c + tap * tap_step) * step_k;
        for (int64_t o = first; o < end; ++o) to[o * t.out + at] = from[o * step_out];
      }
    for (int64_t o = first; dbias && o < end; ++o)
      dbias[job / blocks * group_out + o] = group[k * step_k + o * step_out];
  };
  int64_t jobs = s.groups * blocks;
  if (s.out_channels * k < 100000) {
    for (int64_t job = 0; job < jobs; ++job) place(job);
  } else {
    run_jobs(jobs, place);
  }
}

// Sums are (out, channel, tap), or by `last` (tap, out).
template <class T>
void round_sums(const ConvShape& s, const View& view, bool last, const double* sums,
                const double* bias_sums, void* dw_, const WeightStrides& t, void* dbias_) {
  T* dw = static_cast<T*>(dw_);
  T* dbias = static_cast<T*>(dbias_);
  for (int64_t o = 0; !last && o < s.out_channels; ++o)
    for (int64_t c = 0; c < s.in_channels / s.groups; ++c)
      for (int64_t at : view.kernel_offsets) dw[o * t.out + c * t.in + at] = T(*sums++);
  for (size_t tap = 0; last && tap < view.kernel_offsets.size(); ++tap)
    for (int64_t o = 0; o < s.out_channels; ++o)
      dw[o * t.out + view.kernel_offsets[tap]] = T(*sums++);
  for (int64_t o = 0; dbias && o < s.out_channels; ++o) dbias[o] = T(bias_sums[o]);
}

// Groups of few channels: a product's tiles would be mostly empty.
bool direct_gradient(Kind kind, const ConvShape& s, const View& view, const Image& image,
                     const Image& gradient, bool last, void* dw, const WeightStrides& dw_strides,
                     void* dbias) {
  LanesWeightCall lanes{kind,
                        s.batch,
                        s.groups,
                        s.out_channels / s.groups,
                        &view.window,
                        image.data,
                        gradient.data,
                        gradient.strides,
                        dw,
                        dw_strides,
                        view.kernel_offsets.data(),
                        dbias};
  if (!last && lanes_weight_serve(lanes)) {
    run_lanes_weight(lanes);
    return true;
  }
  DirectWeightCall call{kind,         s.batch,    s.groups,      s.out_channels / s.groups,
                        &view.window, image.data, gradient.data, gradient.strides,
                        nullptr,      nullptr};
  if (!(last ? depthwise_serves(kind, s) : direct_weight_serves(call))) return false;
  int64_t count = s.out_channels * view.window.depth();
  call.sums =
      static_cast<double*>(room(Room::result, (count + s.out_channels) * int64_t(sizeof(double))));
  if (dbias) call.bias_sums = call.sums + count;
  if (last)
    run_depthwise_weight({kind, s.batch, s.groups, &view.window, image.data, gradient.data,
                          gradient.strides, call.sums, call.bias_sums});
  else
    run_direct_weight(call);
  (kind == Kind::f32 ? round_sums<float> : round_sums<double>)(s, view, last, call.sums,
                                                               call.bias_sums, dw, dw_strides,
                                                               dbias);
  return true;
}

void weights_by_winograd(const ConvShape& s, const Image& image, const Image& gradient, bool last,
                         void* dw, const WeightStrides& dw_strides, void* dbias) {
  WinogradWeightCall c;
  c.batch = s.batch;
  c.in_channels = s.in_channels;
  c.out_channels = s.out_channels;
  c.planes = s.kernel[0];
  std::copy_n(s.in, 3, c.in);
  std::copy_n(s.out, 3, c.out);
  std::copy_n(s.padding, 3, c.padding);
  c.x = reinterpret_cast<const float*>(image.data);
  c.x_strides = image.strides;
  c.dy = reinterpret_cast<const float*>(gradient.data);
  c.dy_strides = gradient.strides;
  c.dw = static_cast<float*>(dw);
  c.dw_strides = dw_strides;
  c.dbias = static_cast<float*>(dbias);
  c.last = last;
  run_winograd_weight(c);
}

}  // namespace

void conv_backward_weight(Kind kind, const ConvShape& s, const void* x,
                          const ImageStrides& x_strides, const void* dy,
                          const ImageStrides& dy_strides, void* dw, const WeightStrides& dw_strides,
                          void* dbias) {
  check(s);
  if (s.out_channels == 0 || (s.in_channels == 0 && !dbias)) return;
  Call call{&kernels_of(kind), size_of(kind), &s, s.batch};
  Image image{static_cast<char*>(const_cast<void*>(x)), x_strides, s.in_channels, s.in};
  Image gradient{static_cast<char*>(const_cast<void*>(dy)), dy_strides, s.out_channels, s.out};
  bool last = image.channels_contiguous() && !image.lines_contiguous();
  image = in_layout(kind, image, s.batch, last);
  if (winograd_weight_serves(kind, s) && (last || !lanes_fit(kind, s))) {
    if (last ? !gradient.channels_contiguous() : !gradient.lines_contiguous())
      gradient = copied(kind, gradient, s.batch, last, Room::other);
    return weights_by_winograd(s, image, gradient, last, dw, dw_strides, dbias);
  }
  // The gradient's pixels must follow each other evenly, in channels-last across images too.
  if (last ? !(gradient.last() && folds(gradient)) : !gradient.first())
    gradient = copied(kind, gradient, s.batch, last, Room::other);

  Axis axes[3] = {forward_axis(s, 0), forward_axis(s, 1), forward_axis(s, 2)};
  View view = view_of(axes, image, s.in_channels / s.groups, dw_strides);
  if (direct_gradient(kind, s, view, image, gradient, last, dw, dw_strides, dbias)) return;
  int64_t unfolded = view.window.depth() + (dbias != nullptr),
          group_out = s.out_channels / s.groups;
  // Turned, what is unfolded is transposed too, which many results repay; sums need not be placed,
  // which few pixels would not repay.
  bool turned = view.window.pixels() * s.batch <= kTurnedPixels * group_out;
  SumsLie lie = last ? SumsLie::last : turned ? SumsLie::turned : SumsLie::first;
  WeightGradient g{&call,
                   &view,
                   image,
                   gradient,
                   nullptr,
                   lie == SumsLie::first ? unfolded : group_out,
                   lie == SumsLie::first ? group_out : unfolded,
                   kind,
                   lie};
  if (lie == SumsLie::turned) g.seen = window_on(gradient);
  // Where the gradient's own layout is that of the sums they are not placed.
  bool in_place = lie == SumsLie::turned && !dbias && is_contiguous(s, dw_strides);
  g.sums = in_place
               ? static_cast<char*>(dw)
               : static_cast<char*>(room(Room::result, s.groups * g.rows * g.cols * call.size));
  weight_gradient_at(
      &g, 0,
      [](const Product& shape, void* argument) {
        const WeightGradient& all = *static_cast<WeightGradient*>(argument);
        run_products(shape, all.call->shape->groups, &weight_gradient_at, &all);
      },
      &g);
  if (in_place) return;
  char* to = static_cast<char*>(dw);
  char* to_bias = static_cast<char*>(dbias);
  switch (call.size) {
    case 1:
      return place_gradient<uint8_t>(g, s, to, dw_strides, to_bias);
    case 2:
      return place_gradient<uint16_t>(g, s, to, dw_strides, to_bias);
    case 4:
      return place_gradient<uint32_t>(g, s, to, dw_strides, to_bias);
    case 8:
      return place_gradient<uint64_t>(g, s, to, dw_strides, to_bias);
    default:
      return place_gradient<Bytes16>(g, s, to, dw_strides, to_bias);
  }
}

}  // namespace kagari::provider
