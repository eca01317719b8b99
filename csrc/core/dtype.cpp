// Facts about element types and PyTorch's promotion lattice.
#include "core/dtype.h"

#include "core/error.h"
#include "core/value.h"

namespace kagari {

const DtypeFacts dtype_facts[kDtypes + 1] = {
    {"bool", nullptr, 1},
    {"uint8", nullptr, 1},
    {"int8", nullptr, 1},
    {"int16", "short", 2},
    {"int32", "int", 4},
    {"int64", "long", 8},
    {"uint16", nullptr, 2},
    {"uint32", nullptr, 4},
    {"uint64", nullptr, 8},
    {"float16", "half", 2},
    {"bfloat16", nullptr, 2},
    {"float32", "float", 4},
    {"float64", "double", 8},
    {"complex64", "cfloat", 8},
    {"complex128", "cdouble", 16},
    {"complex32", "chalf", 4},
    {"float8_e4m3fn", nullptr, 1},
    {"float8_e5m2", nullptr, 1},
    {"float8_e4m3fnuz", nullptr, 1},
    {"float8_e5m2fnuz", nullptr, 1},
    {"float8_e8m0fnu", nullptr, 1},
    {"undefined", nullptr, 1},
};

std::ostream& operator<<(std::ostream& out, Dtype d) { return out << name(d); }

void throw_storage_only(Dtype d) {
  KG_FAIL(not_implemented, name(d),
          " tensors only store values; convert first, for instance with .float()");
}

Dtype real_dtype(Dtype d) {
  switch (d) {
    case Dtype::c32:
      return Dtype::f16;
    case Dtype::c64:
      return Dtype::f32;
    case Dtype::c128:
      return Dtype::f64;
    default:
      return d;
  }
}

Dtype complex_dtype(Dtype d) {
  switch (d) {
    case Dtype::f16:
      return Dtype::c32;
    case Dtype::f64:
      return Dtype::c128;
    case Dtype::bf16:
    case Dtype::f32:
      return Dtype::c64;
    default:
      return is_complex(d) ? d : complex_dtype(default_dtype());
  }
}

namespace {

bool is_float8(Dtype d) { return d >= Dtype::f8_e4m3fn && d <= Dtype::f8_e8m0fnu; }
bool is_wide_unsigned(Dtype d) { return d >= Dtype::u16 && d <= Dtype::u64; }

Dtype promote_floats(Dtype a, Dtype b) {
  if (a == b) return a;
  if (a == Dtype::f64 || b == Dtype::f64) return Dtype::f64;
  return Dtype::f32;  // float32 with a half, or the two different halves
}

Dtype promote_complex(Dtype a, Dtype b) {
  Dtype fa = is_complex(a) ? real_dtype(a) : a, fb = is_complex(b) ? real_dtype(b) : b;
  if (!is_floating(fa)) return b;
  if (!is_floating(fb)) return a;
  return complex_dtype(promote_floats(fa, fb));
}

}  // namespace

Dtype promote(Dtype a, Dtype b) {
  if (a == b) return a;
  if (a == Dtype::undefined) return b;
  if (b == Dtype::undefined) return a;
  KG_CHECK(!is_float8(a) && !is_float8(b),
           "Promotion for Float8 Types is not supported, attempted to promote ", a, " and ", b,
           "; convert one of them first");
  auto refuse = [&] {
    KG_FAIL(runtime,
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote ", a,
            " and ", b, "; convert one of them first");
  };
  bool wide = is_wide_unsigned(a) || is_wide_unsigned(b);
  if (is_complex(a) || is_complex(b)) {
    if (wide) refuse();
    return promote_complex(a, b);
  }
  if (is_floating(a) && is_floating(b)) return promote_floats(a, b);
  if (is_floating(a)) return a;
  if (is_floating(b)) return b;
  if (wide) refuse();
  if (a == Dtype::boolean) return b;
  if (b == Dtype::boolean) return a;
  // uint8 and the signed integers
  if (a == Dtype::u8 || b == Dtype::u8) {
    Dtype other = a == Dtype::u8 ? b : a;
    return other == Dtype::i8 ? Dtype::i16 : other;
  }
  return itemsize(a) > itemsize(b) ? a : b;
}

bool can_cast(Dtype from, Dtype to) {
  if (is_complex(from) && !is_complex(to)) return false;
  if (is_floating(from) && !is_floating(to) && !is_complex(to)) return false;
  if (from != Dtype::boolean && to == Dtype::boolean) return false;
  return true;
}

namespace {
Dtype default_dtype_value = Dtype::f32;
}
Dtype default_dtype() { return default_dtype_value; }
void set_default_dtype(Dtype d) {
  KG_CHECK_TYPE(is_floating(d) && !is_storage_only(d),
                "only floating-point types are supported as the default type, got ", d);
  default_dtype_value = d;
}

Dtype Scalar::dtype() const {
  switch (kind) {
    case Kind::boolean:
      return Dtype::boolean;
    case Kind::integer:
      return is_u64 ? Dtype::u64 : Dtype::i64;
    case Kind::real:
      return default_dtype();
    case Kind::complex:
      return complex_dtype(default_dtype());
  }
  return Dtype::f32;
}

}  // namespace kagari
