#include "conf/syntax.h"

#include <fmt/format.h>

#include <algorithm>

#include "conf/lexer.h"

namespace gatescope::conf {
namespace {

constexpr std::string_view kCommandLine = "command line";  // what errors call the text of -g
constexpr unsigned kMaxBlockDepth = 64;  // far beyond any real file; bounds the recursion

/// Reads files into a Document. Lives for one call of parse_file.
class Parser {
 public:
  Parser(const ParseOptions& options, FileReader& reader, Document& document)
      : options_(options), reader_(reader), document_(document) {}

  Result<void> command_line();
  Result<void> file(const std::string& path, std::vector<Directive>& into);

 private:
  using Token = Lexer::Token;
  using Kind = Lexer::Kind;

  Result<void> statements(Lexer& lexer, Directive* opener, std::vector<Directive>& into);
  Result<void> statement(Lexer& lexer, Token name, std::vector<Directive>& into);
  Result<void> include(const Directive& directive, std::vector<Directive>& into);
  Result<const Document::File*> text_of(const std::string& path);
  Error unexpected_end(const Place& place, std::string_view expected) const;

  const ParseOptions& options_;
  FileReader& reader_;
  Document& document_;
  std::vector<std::string> open_files_;  // from the main file to the one being read
  unsigned depth_ = 0;                   // of blocks
  bool in_command_line_ = false;
};

Error Parser::unexpected_end(const Place& place, std::string_view expected) const {
  return error_at(place, fmt::format("unexpected end of {}, expecting {}",
                                     in_command_line_ ? "parameter" : "file", expected));
}

Result<const Document::File*> Parser::text_of(const std::string& path) {
  // A file that is included in many places (proxy_params) is read once and shown once.
  for (const Document::File& known : document_.files) {
    if (known.path == path) return &known;
  }
  auto text = reader_.read(path);
  if (!text) return std::move(text).error();
  if (text->size() > options_.max_file_bytes) {
    return make_error(
        ErrorKind::TooLarge, Origin::Internal,
        fmt::format("\"{}\" has {} bytes, more than a configuration file may have ({})", path,
                    text->size(), options_.max_file_bytes));
  }
  return &document_.files.emplace_back(Document::File{path, std::move(text).value()});
}

Result<void> Parser::command_line() {
  if (options_.extra.empty()) return {};
  const auto& kept =
      document_.files.emplace_back(Document::File{std::string(kCommandLine), options_.extra});
  Lexer lexer(kept.path, kept.text);
  in_command_line_ = true;
  auto result = statements(lexer, nullptr, document_.directives);
  in_command_line_ = false;
  return result;
}

Result<void> Parser::file(const std::string& path, std::vector<Directive>& into) {
  auto kept = text_of(path);
  if (!kept) return std::move(kept).error();
  open_files_.push_back(path);
  const bool outer = std::exchange(in_command_line_, false);
  Lexer lexer((*kept)->path, (*kept)->text);
  auto result = statements(lexer, nullptr, into);
  in_command_line_ = outer;
  open_files_.pop_back();
  return result;
}

// What stands in a file, or in the block of `opener`.
Result<void> Parser::statements(Lexer& lexer, Directive* opener, std::vector<Directive>& into) {
  for (;;) {
    auto token = lexer.next();
    if (!token) return std::move(token).error();
    switch (token->kind) {
      case Kind::End:
        if (!opener) return {};
        return unexpected_end(token->place, fmt::format("\"}}\" for \"{}\" opened at {}",
                                                        opener->name, to_string(opener->place)));
      case Kind::Close:
        if (!opener) return error_at(token->place, "unexpected \"}\"");
        opener->block_end = token->place;
        return {};
      case Kind::Semicolon:
        return error_at(token->place, "unexpected \";\"");
      case Kind::Open:
        return error_at(token->place, "unexpected \"{\"");
      case Kind::Word:
        if (auto done = statement(lexer, std::move(token).value(), into); !done) return done;
        break;
    }
  }
}

Result<void> Parser::statement(Lexer& lexer, Token name, std::vector<Directive>& into) {
  Directive directive;
  directive.name = std::move(name.text);
  directive.place = name.place;
  for (;;) {
    auto token = lexer.next();
    if (!token) return std::move(token).error();
    switch (token->kind) {
      case Kind::Word:
        directive.arguments.push_back({std::move(token->text), token->place, token->quoted});
        continue;
      case Kind::End:
        return unexpected_end(token->place, in_command_line_ ? "\";\"" : "\";\" or \"}\"");
      case Kind::Close:
        return error_at(
            token->place,
            fmt::format("unexpected \"}}\", expecting \";\" to end \"{}\"", directive.name));
      case Kind::Semicolon:
        if (directive.name == "include") return include(directive, into);
        break;
      case Kind::Open: {
        if (directive.name == "include") {
          return error_at(directive.place, "directive \"include\" is not terminated by \";\"");
        }
        if (in_command_line_)
          return error_at(token->place, "block directives are not supported in -g option");
        if (depth_ == kMaxBlockDepth) {
          return error_at(
              token->place,
              fmt::format("blocks are nested too deeply (the limit is {})", kMaxBlockDepth));
        }
        directive.has_block = true;
        ++depth_;
        auto done = statements(lexer, &directive, directive.block);
        --depth_;
        if (!done) return done;
        break;
      }
    }
    into.push_back(std::move(directive));
    return {};
  }
}

Result<void> Parser::include(const Directive& directive, std::vector<Directive>& into) {
  if (directive.count() != 1) {
    return error_at(
        directive.place,
        "invalid number of arguments in \"include\" directive (syntax: include file | mask;)");
  }
  if (open_files_.size() > options_.max_include_depth) {
    return error_at(directive.place,
                    fmt::format("\"include\" is nested too deeply (the limit is {})",
                                options_.max_include_depth));
  }
  std::string pattern(directive.arg(0));
  if (!pattern.starts_with('/')) pattern = fmt::format("{}/{}", options_.conf_prefix, pattern);

  auto paths = reader_.expand(pattern);
  if (!paths) return error_at(directive.place, paths.error().detail);
  for (const std::string& path : *paths) {
    if (std::find(open_files_.begin(), open_files_.end(), path) != open_files_.end()) {
      return error_at(directive.place, fmt::format("\"{}\" includes itself", path));
    }
    // Read here, so that a missing file is reported at its include.
    if (auto text = text_of(path); !text) return error_at(directive.place, text.error().detail);
    if (auto done = file(path, into); !done) return done;
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

Result<std::unique_ptr<Document>> parse_file(const std::string& path, const ParseOptions& options,
                                             FileReader& reader) {
  ParseOptions complete = options;
  if (complete.conf_prefix.empty()) complete.conf_prefix = folder_of(path);
  while (complete.conf_prefix.ends_with('/'))
    complete.conf_prefix.pop_back();

  auto document = std::make_unique<Document>();
  Parser parser(complete, reader, *document);
  if (auto done = parser.command_line(); !done) return std::move(done).error();
  if (auto done = parser.file(path, document->directives); !done) return std::move(done).error();
  return document;
}

}  // namespace gatescope::conf
