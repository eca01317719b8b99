// Instruction sets: kernels are compiled once per set, and the best one that the processor runs is
// chosen at load time.
//
//   KG_ISA_TABLE(FooTable, foo_table);               // in cpu/foo.h: declares foo_table in every
//   set's namespace const FooTable& foo = KG_PICK(foo_table);        // in cpu/foo.cpp
//
// A file in cpu/kernels/ defines `const FooTable foo_table = {...};` in namespace kagari::KG_ISA
// after that header.
#pragma once

namespace kagari {

// 2, 3 or 4: the level of x86-64 whose kernels run here; 0 elsewhere. KAGARI_ISA=v2 (v3, v4) in the
// environment lowers it.
int isa_level();

}  // namespace kagari

#ifdef KG_HAVE_V2
#define KG_DECLARE_V2(T, table) \
  namespace v2 {                \
  extern const T table;         \
  }
#define KG_PICK_V2(table) ::kagari::v2::table
#else
#define KG_DECLARE_V2(T, table)
#endif
#ifdef KG_HAVE_V3
#define KG_DECLARE_V3(T, table) \
  namespace v3 {                \
  extern const T table;         \
  }
#define KG_PICK_V3(table) ::kagari::v3::table
#elif defined(KG_HAVE_V2)
#define KG_DECLARE_V3(T, table)
#define KG_PICK_V3(table) KG_PICK_V2(table)
#else
#define KG_DECLARE_V3(T, table)
#endif
#ifdef KG_HAVE_V4
#define KG_DECLARE_V4(T, table) \
  namespace v4 {                \
  extern const T table;         \
  }
#define KG_PICK_V4(table) ::kagari::v4::table
#else
#define KG_DECLARE_V4(T, table)
#define KG_PICK_V4(table) KG_PICK_V3(table)
#endif
#ifdef KG_HAVE_BASE
#define KG_DECLARE_BASE(T, table) \
  namespace base {                \
  extern const T table;           \
  }
#else
#define KG_DECLARE_BASE(T, table)
#endif

// Stands in namespace kagari.
#define KG_ISA_TABLE(T, table) \
  KG_DECLARE_V2(T, table) KG_DECLARE_V3(T, table) KG_DECLARE_V4(T, table) KG_DECLARE_BASE(T, table)

#if defined(KG_HAVE_BASE)
#define KG_PICK(table) (::kagari::base::table)
#elif defined(KG_HAVE_V2)
#define KG_PICK(table)                              \
  (::kagari::isa_level() >= 4   ? KG_PICK_V4(table) \
   : ::kagari::isa_level() == 3 ? KG_PICK_V3(table) \
                                : KG_PICK_V2(table))
#elif defined(KG_HAVE_V3)  // a development build without the lower sets
#define KG_PICK(table) (::kagari::isa_level() >= 4 ? KG_PICK_V4(table) : KG_PICK_V3(table))
#else
#define KG_PICK(table) KG_PICK_V4(table)
#endif
