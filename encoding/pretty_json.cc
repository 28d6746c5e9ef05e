#include "encoding/pretty_json.h"

namespace eml {
namespace {

constexpr std::size_t kColumns = 100;

void write(std::string& out, const Json& value, std::size_t indent);

void new_line(std::string& out, std::size_t indent) {
  out += '\n';
  out.append(indent, ' ');
}

void write_object(std::string& out, const JsonObject& object, std::size_t indent) {
  out += '{';
  bool first = true;
  for (const auto& member : object) {
    if (!first) out += ',';
    first = false;
    new_line(out, indent + 2);
    out += compact_json(Json(member.key()));
    out += ": ";
    write(out, member.value(), indent + 2);
  }
  new_line(out, indent);
  out += '}';
}

void write_array(std::string& out, const JsonArray& array, std::size_t indent) {
  out += '[';
  bool first = true;
  for (const Json& item : array) {
    if (!first) out += ',';
    first = false;
    new_line(out, indent + 2);
    write(out, item, indent + 2);
  }
  new_line(out, indent);
  out += ']';
}

void write(std::string& out, const Json& value, std::size_t indent) {
  std::string compact = compact_json(value);
  if (indent + compact.size() <= kColumns || !value.is_structured()) {
    out += compact;
  } else if (value.is_object()) {
    write_object(out, value.get_object(), indent);
  } else {
    write_array(out, value.get_array(), indent);
  }
}

}  // namespace

std::string pretty_json(const Json& value) {
  std::string out;
  write(out, value, 0);
  out += '\n';
  return out;
}

}  // namespace eml
