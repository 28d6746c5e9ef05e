#include "attester/tsm_report.h"

#include <cerrno>
#include <charconv>
#include <utility>

#include "base/log.h"

namespace eml {
namespace {

constexpr std::size_t kTextBytesMax = 64;  // provider names are 9 bytes, generations up to 21

bool is_transient(int error) {
  return error == EBUSY || error == EAGAIN || error == EINTR || error == ETXTBSY || error == EEXIST;
}

std::unexpected<Error> io_error(int error) {
  const auto code = static_cast<std::uint64_t>(error);
  if (is_transient(error)) return fail(kAttesterBusy, "the kernel's report device stayed busy", code);
  if (error == EFBIG) return fail(kAttesterAnswerTooLarge, "the kernel's report is larger than its bound");
  return fail(kAttesterDevice, "the kernel's report device failed", code);
}

std::string_view name_of(TsmProvider provider) {
  return provider == TsmProvider::kTdxGuest ? "tdx_guest" : "sev_guest";
}

}  // namespace

// Entry is one request's directory, removed at the end of its scope.
class TsmReports::Entry {
 public:
  static Result<Entry> make(TsmDirectory& directory, Random& random) {
    std::string name = "ephemeralml-" + hex(random.array<16>());
    const auto made = directory.make(name);
    if (made) return Entry(directory, std::move(name));
    if (made.error() == ENOENT || made.error() == ENOTDIR || made.error() == ENXIO) {
      return fail(kAttesterNotHere, "the kernel offers no attestation reports (configfs-tsm)",
                  static_cast<std::uint64_t>(made.error()));
    }
    return io_error(made.error());
  }
  ~Entry() {
    if (name_.empty()) return;
    if (const auto removed = directory_->remove(name_); !removed) {
      log(LogLevel::kWarning, "attester", "a report's directory cannot be removed", {{"errno", removed.error()}});
    }
  }
  Entry(Entry&& other) noexcept : directory_(other.directory_), name_(std::exchange(other.name_, {})) {}
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  Entry& operator=(Entry&&) = delete;

  Result<Bytes> blob(std::string_view attribute) const {
    auto bytes = directory_->read(name_, attribute, kTsmBlobBytesMax);
    if (!bytes) return io_error(bytes.error());
    return *std::move(bytes);
  }
  // An attribute that a provider need not have: empty if it does not.
  Result<Bytes> optional_blob(std::string_view attribute) const {
    auto bytes = directory_->read(name_, attribute, kTsmBlobBytesMax);
    if (!bytes && bytes.error() == ENOENT) return Bytes{};
    if (!bytes) return io_error(bytes.error());
    return *std::move(bytes);
  }
  Result<std::uint64_t> number(std::string_view attribute) const {
    EML_TRY(const std::string text, line(attribute));
    return parse(text);
  }
  Result<TsmProvider> provider() const {
    EML_TRY(const std::string name, line("provider"));
    for (const TsmProvider known : {TsmProvider::kTdxGuest, TsmProvider::kSevGuest}) {
      if (name == name_of(known)) return known;
    }
    return fail(kTsmProviderUnknown, "the kernel's report provider is neither tdx_guest nor sev_guest");
  }
  Status write(std::string_view attribute, ByteView bytes) {
    if (const auto written = directory_->write(name_, attribute, bytes); !written) return io_error(written.error());
    ++writes_;
    return {};
  }
  // An SEV-SNP guest below privilege level 0 must ask for its own: the kernel's default is 0. Older kernels do not say.
  Status choose_privilege_level() {
    EML_TRY(const Bytes floor, optional_blob("privlevel_floor"));
    if (floor.empty()) return {};
    EML_TRY(const std::uint64_t level, parse(without_newline(as_text(floor))));
    if (level == 0) return {};
    return write("privlevel", as_bytes(std::to_string(level)));
  }
  std::uint64_t writes() const { return writes_; }

 private:
  Entry(TsmDirectory& directory, std::string name) : directory_(&directory), name_(std::move(name)) {}

  static std::string_view without_newline(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    return text;
  }
  static Result<std::uint64_t> parse(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    return fail(kAttesterAnswer, "an attribute of the kernel's report device is not a number");
  }
  Result<std::string> line(std::string_view attribute) const {
    const auto bytes = directory_->read(name_, attribute, kTextBytesMax);
    if (!bytes && bytes.error() == EFBIG) {
      return fail(kAttesterAnswer, "an attribute of the kernel's report device is not one short line");
    }
    if (!bytes) return io_error(bytes.error());
    return std::string(without_newline(as_text(*bytes)));
  }

  TsmDirectory* directory_;
  std::string name_;
  std::uint64_t writes_ = 0;
};

Result<TsmProvider> TsmReports::provider() const {
  return with_retries(retry_, [this]() -> Result<TsmProvider> {
    EML_TRY(const Entry entry, Entry::make(*directory_, random_));
    return entry.provider();
  });
}

Result<TsmReport> TsmReports::report(TsmProvider wanted, const ByteArray<kTsmInblobBytes>& inblob) const {
  return with_retries(retry_, [&] { return report_once(wanted, inblob); });
}

Result<TsmReport> TsmReports::report_once(TsmProvider wanted, const ByteArray<kTsmInblobBytes>& inblob) const {
  EML_TRY(Entry entry, Entry::make(*directory_, random_));
  EML_TRY(const TsmProvider provider, entry.provider());
  if (provider != wanted) return fail(kTsmProviderOther, "the kernel's report provider is that of another kind");
  EML_TRY(const std::uint64_t before, entry.number("generation"));
  if (provider == TsmProvider::kSevGuest) EML_CHECK(entry.choose_privilege_level());
  EML_CHECK(entry.write("inblob", inblob));
  TsmReport report;
  EML_TRY(report.outblob, entry.blob("outblob"));
  if (provider == TsmProvider::kSevGuest) {
    EML_TRY(report.auxblob, entry.optional_blob("auxblob"));
  }
  EML_TRY(const std::uint64_t after, entry.number("generation"));
  // Unsigned: the kernel's counter may wrap between the two.
  if (after - before != entry.writes()) {
    return fail(kAttesterBusy, "another process wrote into our report request at every try");
  }
  if (report.outblob.empty()) return fail(kAttesterAnswer, "the kernel gave an empty report");
  return report;
}

}  // namespace eml
