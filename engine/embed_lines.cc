#include "engine/embed_lines.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <future>
#include <istream>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "encoding/json.h"
#include "encoding/wiping_resource.h"

namespace eml {
namespace {

// A window is read, computed and written before the next: this many lines a thread keep the threads busy, and this many
// bytes end a window of long lines early.
constexpr std::size_t kWindowPasses = 4;
constexpr std::size_t kWindowBytes = std::size_t{32} << 20;

// WipingText grows like a string and is wiped like the rest of what a user sent.
using WipingText = WipingVector<char>;

struct Window {
  std::vector<TokenIds> ids;
  std::vector<std::pair<std::size_t, std::size_t>> passes;  // [first, last) of ids
  WipingVector<float> vectors;
  bool is_last = false;
};

// LineReader gives one line at a time, of bounded length.
class LineReader {
 public:
  explicit LineReader(std::istream& in) : in_(in) {}

  // nullopt at the end of the input.
  Result<std::optional<std::string_view>> next() {
    try {
      return read();
    } catch (const std::ios_base::failure&) {  // a directory, a device that fails
      return fail(kEmbedRead, "the input could not be read");
    }
  }

  std::size_t number() const { return number_; }

 private:
  Result<std::optional<std::string_view>> read() {
    line_.clear();
    ++number_;
    std::streambuf* buffer = in_.rdbuf();
    int c = buffer->sbumpc();
    if (c == std::char_traits<char>::eof()) return std::optional<std::string_view>();
    for (; c != std::char_traits<char>::eof() && c != '\n'; c = buffer->sbumpc()) {
      if (line_.size() == kEmbedLineBytesMax) return fail(kEmbedLineTooLong, "a line is too long; line", number_);
      line_.push_back(static_cast<char>(c));
    }
    return std::optional<std::string_view>(std::string_view(line_.data(), line_.size()));
  }

  std::istream& in_;
  WipingText line_;
  std::size_t number_ = 0;
};

Status tokenize_line(const EmbeddingModel& model, TokenIds& ids, TokenizerScratch& scratch, std::string_view line,
                     std::size_t number) {
  WipingResource memory;
  const auto json = parse_json(as_bytes(line), {.bytes_max = kEmbedLineBytesMax, .depth_max = 8}, &memory);
  if (!json || !json->is_object()) return fail(kEmbedLine, "not a JSON object; line", number);
  const Json* text = json->get_object().if_contains("text");
  if (text == nullptr || !text->is_string()) return fail(kEmbedLine, "no member \"text\" that is text; line", number);
  const auto done = model.tokenize(ids, scratch, std::string_view(text->get_string()));
  if (!done) return fail(kTextNotUtf8, "the text is not valid UTF-8; line", number);
  return {};
}

// Passes of consecutive texts: at most `batch` of them, and of tokens as many as are fastest.
void plan_passes(Window& window, std::size_t batch) {
  std::size_t first = 0;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < window.ids.size(); ++i) {
    const std::size_t size = window.ids[i].size();
    const bool is_full = i - first == batch || tokens + size > Encoder::kTokensPerPass;
    if (i != first && is_full) {
      window.passes.emplace_back(first, i);
      first = i;
      tokens = 0;
    }
    tokens += size;
  }
  if (first < window.ids.size()) window.passes.emplace_back(first, window.ids.size());
}

struct ReadWindow {
  Window window;
  Status status;  // of the line after the window's last
};

ReadWindow read_window(const EmbeddingModel& model, LineReader& lines, TokenizerScratch& scratch,
                       const EmbedLinesOptions& options) {
  ReadWindow out;
  const std::size_t lines_max = kWindowPasses * options.batch * options.threads;
  std::size_t bytes = 0;
  while (out.window.ids.size() < lines_max && bytes < kWindowBytes) {
    const auto line = lines.next();
    if (!line || !*line) {
      if (!line) out.status = std::unexpected(line.error());
      out.window.is_last = true;
      break;
    }
    bytes += (*line)->size();
    TokenIds ids;
    out.status = tokenize_line(model, ids, scratch, **line, lines.number());
    if (!out.status) {
      out.window.is_last = true;
      break;
    }
    out.window.ids.emplace_back(ids.begin(), ids.end());  // without the spare capacity
  }
  if (options.ids_only) return out;
  plan_passes(out.window, options.batch);
  out.window.vectors.resize(out.window.ids.size() * model.dimensions());
  return out;
}

Status run_pass(const EmbeddingModel& model, Workspace& workspace, Window& window,
                std::pair<std::size_t, std::size_t> pass) {
  std::vector<TokenSpan> texts(window.ids.begin() + static_cast<std::ptrdiff_t>(pass.first),
                               window.ids.begin() + static_cast<std::ptrdiff_t>(pass.second));
  const std::size_t width = model.dimensions();
  const std::span<float> all(window.vectors);
  return model.encoder().embed(workspace, texts, all.subspan(pass.first * width, texts.size() * width));
}

// False if the system gives no more threads: fewer of them do the same work.
template <typename Work>
bool start_thread(std::vector<std::thread>& threads, Work work) {
  try {
    threads.emplace_back(std::move(work));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

// A window's only pass is cut into parts, one for each thread that the system gives.
Status run_together(const EmbeddingModel& model, std::vector<Workspace>& workspaces, Window& window) {
  const std::vector<TokenSpan> texts(window.ids.begin(), window.ids.end());
  const Encoder& encoder = model.encoder();
  EML_CHECK(encoder.check(workspaces[0], texts, window.vectors));
  std::size_t tokens = 0;
  for (const TokenSpan& text : texts) tokens += text.size();
  Crew::Plan plan = Crew::plan(tokens, workspaces.size());
  std::promise<Crew*> opened;
  const std::shared_future<Crew*> crew_of_all = opened.get_future().share();
  std::vector<std::thread> threads;
  for (std::uint32_t part = 1; part < plan.parts; ++part) {
    const auto work = [&encoder, crew_of_all, part, &own = workspaces[part]] {
      static_cast<void>(encoder.embed_part(*crew_of_all.get(), part, own));
    };
    if (!start_thread(threads, work)) break;
  }
  plan.parts = static_cast<std::uint32_t>(threads.size() + 1);
  Crew crew(workspaces[0], texts, window.vectors, plan);
  opened.set_value(&crew);
  const Status done = encoder.embed_part(crew, 0, workspaces[0]);
  for (std::thread& thread : threads) thread.join();
  return done;
}

// Every thread takes the next pass until none is left.
Status run_window(const EmbeddingModel& model, std::vector<Workspace>& workspaces, Window& window) {
  if (window.passes.size() == 1 && workspaces.size() > 1) return run_together(model, workspaces, window);
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  Status status;
  const auto work = [&](Workspace& workspace) {
    for (std::size_t i = next++; i < window.passes.size(); i = next++) {
      const Status done = run_pass(model, workspace, window, window.passes[i]);
      const std::lock_guard lock(mutex);
      if (!done && status) status = done;
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(workspaces.size(), window.passes.size()); ++i) {
    if (!start_thread(threads, [&work, &own = workspaces[i]] { work(own); })) break;
  }
  work(workspaces[0]);
  for (std::thread& thread : threads) thread.join();
  return status;
}

template <typename Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

template <typename Numbers>
void append_numbers(std::string& out, const Numbers& numbers) {
  bool is_first = true;
  for (const auto number : numbers) {
    if (!is_first) out += ',';
    is_first = false;
    append_number(out, number);
  }
}

Status write_window(const EmbeddingModel& model, std::ostream& out, const Window& window) {
  const std::size_t width = model.dimensions();
  const std::span<const float> all(window.vectors);
  std::string line;
  for (std::size_t i = 0; i < window.ids.size(); ++i) {
    line = "{\"ids\":[";
    append_numbers(line, window.ids[i]);
    if (!all.empty()) {
      line += "],\"embedding\":[";
      append_numbers(line, all.subspan(i * width, width));
    }
    line += "]}\n";
    out.write(line.data(), static_cast<std::streamsize>(line.size()));
  }
  out.flush();
  if (!out) return fail(kEmbedWrite, "the output could not be written");
  return {};
}

}  // namespace

Status embed_lines(const EmbeddingModel& model, std::istream& in, std::ostream& out, const EmbedLinesOptions& options) {
  const EmbedLinesOptions used{.threads = std::max(1U, options.threads),
                               .batch = std::max<std::size_t>(1, options.batch),
                               .ids_only = options.ids_only};
  std::vector<Workspace> workspaces;
  for (unsigned i = 0; i < used.threads; ++i) {
    EML_TRY(Workspace workspace, model.encoder().make_workspace());
    workspaces.push_back(std::move(workspace));
  }
  TokenizerScratch scratch;
  LineReader lines(in);
  while (true) {
    ReadWindow read = read_window(model, lines, scratch, used);
    EML_CHECK(run_window(model, workspaces, read.window));
    EML_CHECK(write_window(model, out, read.window));
    EML_CHECK(std::move(read.status));
    if (read.window.is_last) return {};
  }
}

}  // namespace eml
