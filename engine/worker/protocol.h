// What passes between the engine and a worker process: packets over a pair of Unix sockets that
// keep the packets' borders. A closed socket is the message that the other side is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/dispatcher.h"

namespace tangram {

enum class PacketKind : std::uint32_t {
  // Engine to worker.
  kOpen,    // text: the WorkerSpec as JSON; once, first
  kRun,     // lane, batch, model, size, begin and end of the window
  kLoad,    // lane, model
  kUnload,  // lane, model
  kTrace,   // lane, model, size: list the kernels of a batch
  kClose,   // finish the batches that run, then exit
  // Worker to engine.
  kReady,       // text: the WorkerGrant as JSON
  kFailed,      // text: why; fault: the RunnerFault; the worker exits
  kStarted,     // lane, batch, begin
  kFinished,    // lane, batch, begin, end
  kRefused,     // lane, batch, refusal; text: why, unless it was too late
  kLoaded,      // lane, model, begin, end, weights_mib
  kUnloaded,    // lane, model, begin, end
  kLoadFailed,  // lane, model, fault; text: why; the answer to kTrace, too
  kTraced,      // lane, model; text: the kernels as JSON
  kLaneLost,    // lane; text: why; the other lanes go on
};

// Times are nanoseconds of the machine's steady clock, which all of its processes share.
struct Packet {
  PacketKind kind = PacketKind::kClose;
  std::uint32_t lane = 0;
  BatchId batch;
  std::uint32_t model = 0;
  std::uint32_t size = 0;
  std::int64_t begin = 0, end = 0;
  double weights_mib = 0;
  Refusal refusal = Refusal::kTooLate;
  std::uint8_t fault = 0;
};

// One end. Sending and receiving are safe from different threads at the same time.
class Channel {
 public:
  // Owns the descriptor of a connected SOCK_SEQPACKET socket.
  explicit Channel(int descriptor);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int descriptor() const { return descriptor_; }
  // Sends a packet with a text. Returns false when the other side is gone; throws SystemError for
  // any other failure (a text beyond the socket's buffer, about 200 KiB).
  bool send(const Packet& packet, std::string_view text = {}) const;

  struct Received {
    Packet packet;
    std::string text;
  };
  // Waits for a packet; nullopt when the other side is gone. Throws SystemError for a packet that
  // this program did not write. One thread at a time.
  std::optional<Received> receive();

 private:
  int descriptor_;
  std::vector<char> buffer_;
};

// Two connected descriptors, closed when a program is started. Throws SystemError.
std::pair<int, int> connected_pair();

}  // namespace tangram
