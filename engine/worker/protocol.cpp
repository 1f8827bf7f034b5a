#include "engine/worker/protocol.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/uio.h>
#include <type_traits>
#include <unistd.h>

#include "sim/core/error.h"

namespace tangram {
namespace {

static_assert(std::is_trivially_copyable_v<Packet>, "packets are copied as bytes");

// The largest packet; the kernel's default limit of a socket's buffer is a little less.
constexpr std::size_t kLargest = std::size_t{1} << 18;

bool is_gone(int error) {
  return error == EPIPE || error == ECONNRESET || error == ENOTCONN;
}

}  // namespace

std::pair<int, int> connected_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw SystemError(std::string("cannot open a socket: ") + std::strerror(errno));
  }
  return {ends[0], ends[1]};
}

Channel::Channel(int descriptor) : descriptor_(descriptor), buffer_(kLargest) {}

Channel::~Channel() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Channel::send(const Packet& packet, std::string_view text) const {
  std::array<iovec, 2> parts{};
  // sendmsg() does not write to what it sends.
  parts[0] = {const_cast<Packet*>(&packet), sizeof packet};
  parts[1] = {const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  while (::sendmsg(descriptor_, &message, MSG_NOSIGNAL) < 0) {
    if (is_gone(errno)) return false;
    if (errno == EINTR) continue;
    throw SystemError("cannot send " + std::to_string(sizeof packet + text.size()) +
                      " bytes to a process: " + std::strerror(errno));
  }
  return true;
}

std::optional<Channel::Received> Channel::receive() {
  ssize_t n = 0;
  do {
    n = ::recv(descriptor_, buffer_.data(), buffer_.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n == 0 || (n < 0 && is_gone(errno))) return std::nullopt;
  if (n < 0) throw SystemError(std::string("cannot receive: ") + std::strerror(errno));
  Received received;
  const auto size = static_cast<std::size_t>(n);
  if (size < sizeof received.packet)
    throw SystemError("a packet of a foreign program was received");
  std::memcpy(&received.packet, buffer_.data(), sizeof received.packet);
  if (received.packet.kind > PacketKind::kLaneLost) {
    throw SystemError("a packet of a foreign program was received");
  }
  received.text.assign(buffer_.data() + sizeof received.packet, size - sizeof received.packet);
  return received;
}

}  // namespace tangram
