// Loops of recurrent layers: the gates of one step of one sequence, forward and backward.
#include "cpu/rnn_table.h"
#include "cpu/simd/each_vector.h"
#include "cpu/simd/math.h"

namespace kagari::KG_ISA {
namespace {

template <class T>
using Vec = typename simd::Lanes<T>::type;

template <class T>
void lstm(const T* x, const T* p, const T* c_in, T* gates, T* c_out, T* h_out, int64_t n) {
  using V = Vec<T>;
  each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
    auto sum = [&](int64_t gate) {
      return V(get(x + gate * n + j, count) + get(p + gate * n + j, count));
    };
    V i = simd::sigmoid(sum(0)), f = simd::sigmoid(sum(1)), g = simd::tanh(sum(2)),
      o = simd::sigmoid(sum(3));
    V c = f * get(c_in + j, count) + i * g;
    put(gates + j, i, count);
    put(gates + n + j, f, count);
    put(gates + 2 * n + j, g, count);
    put(gates + 3 * n + j, o, count);
    put(c_out + j, c, count);
    put(h_out + j, V(o * simd::tanh(c)), count);
  });
}

template <class T>
void lstm_backward(const T* gates, const T* more, const T* c_in, const T* c_out, const T* gh, T* gc,
                   T* dx, int64_t n) {
  using V = Vec<T>;
  each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
    V i = get(gates + j, count), f = get(gates + n + j, count), g = get(gates + 2 * n + j, count),
      o = get(gates + 3 * n + j, count), t = simd::tanh(get(c_out + j, count));
    V h = get(gh + j, count), c = get(gc + j, count) + h * o * (1 - t * t);
    V di = c * g, df = c * get(c_in + j, count), dg = c * i, d_o = h * t;
    if (more) {
      di += get(more + j, count);
      df += get(more + n + j, count);
      dg += get(more + 2 * n + j, count);
      d_o += get(more + 3 * n + j, count);
    }
    put(dx + j, V(di * i * (1 - i)), count);
    put(dx + n + j, V(df * f * (1 - f)), count);
    put(dx + 2 * n + j, V(dg * (1 - g * g)), count);
    put(dx + 3 * n + j, V(d_o * o * (1 - o)), count);
    put(gc + j, V(c * f), count);
  });
}

template <class T>
void gru(const T* x, const T* p, const T* h_in, T* gates, T* h_out, int64_t n) {
  using V = Vec<T>;
  each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
    V q = get(p + 2 * n + j, count);
    V r = simd::sigmoid(V(get(x + j, count) + get(p + j, count)));
    V z = simd::sigmoid(V(get(x + n + j, count) + get(p + n + j, count)));
    V t = simd::tanh(V(get(x + 2 * n + j, count) + r * q));
    put(gates + j, r, count);
    put(gates + n + j, z, count);
    put(gates + 2 * n + j, t, count);
    put(gates + 3 * n + j, q, count);
    put(h_out + j, V(t + z * (get(h_in + j, count) - t)), count);
  });
}

template <class T>
void gru_backward(const T* gates, const T* more, const T* h_in, T* gh, T* dx, T* dp, int64_t n) {
  using V = Vec<T>;
  each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
    V r = get(gates + j, count), z = get(gates + n + j, count), t = get(gates + 2 * n + j, count),
      q = get(gates + 3 * n + j, count), h = get(gh + j, count);
    V dz = h * (get(h_in + j, count) - t), dt = h * (1 - z);
    if (more) {
      dz += get(more + n + j, count);
      dt += get(more + 2 * n + j, count);
    }
    dt = dt * (1 - t * t);
    V dr = dt * q, dq = dt * r;
    if (more) {
      dr += get(more + j, count);
      dq += get(more + 3 * n + j, count);
    }
    dr = dr * r * (1 - r);
    dz = dz * z * (1 - z);
    put(dx + j, dr, count);
    put(dx + n + j, dz, count);
    put(dx + 2 * n + j, dt, count);
    put(dp + j, dr, count);
    put(dp + n + j, dz, count);
    put(dp + 2 * n + j, dq, count);
    put(gh + j, V(h * z), count);
  });
}

template <class T>
void plain(const T* x, const T* p, T* h_out, int64_t n, bool relu) {
  using V = Vec<T>;
  each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
    V a = get(x + j, count) + get(p + j, count);
    put(h_out + j, relu ? V(a < 0 ? V{} : a) : simd::tanh(a), count);
  });
}

template <class T>
void plain_backward(const T* h_out, const T* gh, T* dx, int64_t n, bool relu) {
  using V = Vec<T>;
  each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
    V y = get(h_out + j, count), g = get(gh + j, count);
    put(dx + j, relu ? V(y > 0 ? g : V{}) : V(g * (1 - y * y)), count);
  });
}

template <class T>
void add(T* to, const T* from, int64_t n) {
  each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
    put(to + j, Vec<T>(get(to + j, count) + get(from + j, count)), count);
  });
}

template <class T>
constexpr RnnLoops<T> loops = {lstm<T>,  lstm_backward<T>,  gru<T>, gru_backward<T>,
                               plain<T>, plain_backward<T>, add<T>};

}  // namespace

const RnnTable rnn_table = {loops<float>, loops<double>};

}  // namespace kagari::KG_ISA
