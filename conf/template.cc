#include "conf/template.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "proxy/base/text.h"

namespace gatescope::conf {
namespace {

bool is_name_char(char c) {
  return is_alpha(c) || is_digit(c) || c == '_';
}

Error invalid(std::string detail) {
  return make_error(ErrorKind::Invalid, Origin::Internal, std::move(detail));
}

/// The variable's name behind a `$`, and how much of the text it takes, `$` included.
struct Reference {
  std::string_view name;
  std::size_t length = 0;
};

Result<Reference> read_reference(std::string_view text) {
  if (text.size() < 2) return Reference{};
  if (text[1] >= '1' && text[1] <= '9')
    return Reference{text.substr(1, 1), 2};  // "$10" is $1 and a zero
  const bool braces = text[1] == '{';
  const std::size_t begin = braces ? 2 : 1;
  std::size_t end = begin;
  while (end < text.size() && is_name_char(text[end]))
    ++end;
  const std::string_view name = text.substr(begin, end - begin);
  if (!braces) return Reference{name, end};
  if (end == text.size() || text[end] != '}') {
    return invalid(fmt::format("the closing bracket in \"{}\" variable is missing", name));
  }
  return Reference{name, end + 1};
}

}  // namespace

Result<Template> Template::compile(std::string_view text, VariableNames& names,
                                   bool lone_dollar_ok) {
  Template made;
  made.text_ = text;
  std::string literal;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    literal += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;

    auto reference = read_reference(text);
    if (!reference && !lone_dollar_ok) return std::move(reference).error();
    if (!reference || reference->name.empty()) {
      if (!lone_dollar_ok)
        return invalid(fmt::format("invalid variable name in \"{}\"", made.text_));
      literal += '$';
      text.remove_prefix(1);
      continue;
    }
    auto id = names.find(reference->name);
    if (!id) return std::move(id).error();
    made.pieces_.push_back({std::exchange(literal, {}), *id});
    text.remove_prefix(reference->length);
  }
  if (!literal.empty() && !made.pieces_.empty())
    made.pieces_.push_back({std::move(literal), std::nullopt});
  return made;
}

Template Template::literal(std::string text) {
  Template made;
  made.text_ = std::move(text);
  return made;
}

std::string_view Template::evaluate(VariableValues& values, Arena& arena) const {
  if (is_literal()) return text_;
  const auto value_of = [&](const Piece& piece) -> std::string_view {
    if (!piece.variable) return {};
    return values.value(*piece.variable).value_or(std::string_view());
  };
  if (pieces_.size() == 1 && pieces_.front().literal.empty())
    return value_of(pieces_.front());  // "$uri": no copy

  // Each variable is asked once: some change from one reading to the next.
  std::array<std::string_view, 16> few;
  std::vector<std::string_view> many;
  std::span<std::string_view> found(few);
  if (pieces_.size() > few.size()) {
    many.resize(pieces_.size());
    found = many;
  }
  std::size_t total = 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    found[i] = value_of(pieces_[i]);
    total += pieces_[i].literal.size() + found[i].size();
  }
  if (total == 0) return "";
  char* const result = arena.text(total);
  char* to = result;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    to += pieces_[i].literal.copy(to, std::string::npos);
    to += found[i].copy(to, std::string_view::npos);
  }
  return {result, total};
}

void Template::append_to(std::string& out, VariableValues& values) const {
  if (is_literal()) {
    out += text_;
    return;
  }
  for (const Piece& piece : pieces_) {
    out += piece.literal;
    if (!piece.variable) continue;
    if (const auto value = values.value(*piece.variable)) out += *value;
  }
}

std::vector<VariableId> Template::variables() const {
  std::vector<VariableId> ids;
  for (const Piece& piece : pieces_) {
    if (piece.variable) ids.push_back(*piece.variable);
  }
  return ids;
}

}  // namespace gatescope::conf
