// UnixPeer serves a Unix socket from a thread: it reads one whole request a connection and gives it to a function that
// says what to do. Test-only.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace eml::test {

class UnixPeer {
 public:
  // Answer: what to write; the connection is closed after it, unless `hold`: then only when the peer ends.
  struct Answer {
    std::string bytes;
    bool hold = false;
  };
  using Handler = std::function<Answer(const std::string& request)>;

  UnixPeer(const std::string& path, Handler handler) : handler_(std::move(handler)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::pipe(stop_), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~UnixPeer() {
    ::close(stop_[1]);
    thread_.join();
    for (const int fd : held_) ::close(fd);
    ::close(listener_);
    ::close(stop_[0]);
  }
  UnixPeer(const UnixPeer&) = delete;
  UnixPeer& operator=(const UnixPeer&) = delete;

  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (true) {
      pollfd fds[2] = {{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
      if (::poll(fds, 2, -1) < 0 || fds[1].revents != 0) return;
      const int fd = ::accept(listener_, nullptr, nullptr);
      const std::string request = read_request(fd);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const Answer answer = handler_(request);
      std::size_t sent = 0;
      while (sent < answer.bytes.size()) {
        const ssize_t n = ::send(fd, answer.bytes.data() + sent, answer.bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
      if (answer.hold) {
        held_.push_back(fd);
      } else {
        ::close(fd);
      }
    }
  }

  static std::string read_request(int fd) {
    std::string text;
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
      char piece[4096];
      const ssize_t n = ::read(fd, piece, sizeof piece);
      if (n <= 0) break;
      text.append(piece, static_cast<std::size_t>(n));
      const std::size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos) wanted = end + 4 + content_length(text.substr(0, end));
    }
    return text;
  }

  static std::size_t content_length(const std::string& head) {
    constexpr std::string_view kName = "Content-Length: ";
    const std::size_t at = head.find(kName);
    std::size_t size = 0;
    if (at != std::string::npos) std::from_chars(head.data() + at + kName.size(), head.data() + head.size(), size);
    return size;
  }

  Handler handler_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::vector<int> held_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace eml::test
