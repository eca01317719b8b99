// Devices: where a tensor's memory lies and which kernels run on it.
#pragma once
#include <cstdint>
#include <ostream>
#include <string_view>

namespace kagari {

enum class DeviceType : uint8_t { cpu, meta, cuda };
inline constexpr int kDeviceTypes = 3;

struct Device {
  DeviceType type = DeviceType::cpu;
  int8_t index = -1;  // -1: the current one
  bool operator==(const Device&) const = default;
  bool is_cpu() const { return type == DeviceType::cpu; }
  bool is_meta() const { return type == DeviceType::meta; }
};

// "cpu", "meta", "cuda:1"; throws with the accepted forms.
Device parse_device(std::string_view text);
std::ostream& operator<<(std::ostream& out, Device d);

// The seam for devices that run beside the host: kernels are enqueued on a queue and report errors
// when it is synchronised. The CPU runs in the caller's thread, so its queue is always empty.
class Queue {
 public:
  virtual ~Queue() = default;
  virtual Device device() const = 0;
  virtual void synchronize() = 0;  // waits; throws what a kernel reported
  virtual uint64_t record() = 0;   // an event: a point in the queue's order
  virtual bool reached(uint64_t event) = 0;
  virtual void wait(uint64_t event) = 0;
};
Queue& current_queue(Device d);

}  // namespace kagari
