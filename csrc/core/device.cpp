// Device names and the CPU's queue, which is always empty.
#include "core/device.h"

#include <Python.h>

#include <charconv>

#include "core/error.h"

namespace kagari {

Device parse_device(std::string_view text) {
  std::string_view kind = text.substr(0, text.find(':'));
  Device d;
  if (kind == "cpu") {
    d.type = DeviceType::cpu;
  } else if (kind == "meta") {
    d.type = DeviceType::meta;
  } else if (kind == "cuda") {
    d.type = DeviceType::cuda;
  } else {
    KG_FAIL(runtime,
            "expected one of the device types cpu, meta, cuda at the start of the device string: ",
            text, "; write for instance 'cpu' or 'cuda:0'");
  }
  if (kind.size() < text.size()) {
    std::string_view index = text.substr(kind.size() + 1);
    int value = -1;
    auto [end, fault] = std::from_chars(index.data(), index.data() + index.size(), value);
    bool plain = fault == std::errc() && end == index.data() + index.size() && !index.empty() &&
                 value >= 0 && value < 128 && (index.size() == 1 || index[0] != '0');
    KG_CHECK(plain, "Invalid device string: '", text,
             "'; after the colon comes an index such as 0, as in 'cuda:0'");
    d.index = int8_t(value);
  }
  return d;
}

std::ostream& operator<<(std::ostream& out, Device d) {
  constexpr const char* names[] = {"cpu", "meta", "cuda"};
  out << names[int(d.type)];
  if (d.index >= 0) out << ':' << int(d.index);
  return out;
}

namespace {
class HostQueue final : public Queue {
 public:
  explicit HostQueue(Device d) : device_(d) {}
  Device device() const override { return device_; }
  void synchronize() override {}
  uint64_t record() override { return 0; }
  bool reached(uint64_t) override { return true; }
  void wait(uint64_t) override {}

 private:
  Device device_;
};
}  // namespace

Queue& current_queue(Device d) {
  static HostQueue cpu{{DeviceType::cpu, -1}}, meta{{DeviceType::meta, -1}};
  if (d.type == DeviceType::cuda) {
    // The class that PyTorch without CUDA raises: programs catch it and go on without.
    PyErr_Format(PyExc_AssertionError,
                 "kagari not compiled with CUDA enabled: device '%s' cannot be used; use "
                 "device='cpu', or ask kagari.cuda.is_available() first",
                 concat(d).c_str());
    throw_python_error();
  }
  return d.is_meta() ? meta : cpu;
}

}  // namespace kagari
