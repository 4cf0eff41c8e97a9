#include "api/api_pages.h"

namespace gatescope::api {

const std::string_view kApiPage = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Numberscope API</title>
<style>
body { font: 1em/1.5 system-ui, sans-serif; max-width: 42em; margin: 2em auto; padding: 0 1em; }
code { background: #8882; padding: .1em .3em; }
dt { margin-top: .8em; }
</style>
</head>
<body>
<h1>Numberscope API</h1>
<p>Integer sequences of the OEIS as JSON. Every endpoint answers GET and HEAD, from any origin.
<code>ID</code> is an A-number such as <code>A000040</code>.</p>
<dl>
<dt><code>get_oeis_values/ID/COUNT</code></dt>
<dd>The first COUNT terms with their indices; 0 means all of them.</dd>
<dt><code>get_oeis_name_and_values/ID</code></dt>
<dd>All terms, and the name.</dd>
<dt><code>get_commit</code></dt>
<dd>Which version of the program this is.</dd>
</dl>
<p>Terms are strings: they may have thousands of digits. A text that begins with
<code>Error:</code> says why there is no answer. The header <code>X-Sequence-Source</code> is
<code>bfile</code>, or <code>oeisdata</code> when only the first terms are known.</p>
<p>For programs: <a href="/api/openapi.json">openapi.json</a>.</p>
<p>Data: &copy; <a href="https://oeis.org">The On-Line Encyclopedia of Integer Sequences</a> (The
OEIS Foundation Inc.), licensed under
<a href="https://creativecommons.org/licenses/by-sa/4.0/">CC BY-SA 4.0</a>. Terms are passed on as
they are, in another format.</p>
</body>
</html>
)html";

const std::string_view kApiDescription = R"json({
  "openapi": "3.1.0",
  "info": {
    "title": "Numberscope API",
    "version": "1",
    "description": "Integer sequences of the OEIS (https://oeis.org), CC BY-SA 4.0.",
    "license": {"name": "CC BY-SA 4.0 (data)", "identifier": "CC-BY-SA-4.0"}
  },
  "paths": {
    "/api/get_oeis_values/{id}/{count}": {
      "get": {
        "summary": "The first terms of a sequence",
        "parameters": [
          {"$ref": "#/components/parameters/id"},
          {
            "name": "count", "in": "path", "required": true,
            "description": "How many terms; 0 means all, -n all but the last n.",
            "schema": {"type": "integer"}
          }
        ],
        "responses": {
          "200": {"$ref": "#/components/responses/sequence"},
          "400": {"description": "COUNT is no number"},
          "429": {"description": "Too many sequences at the same time; see Retry-After"},
          "503": {"description": "Not now; see Retry-After"}
        }
      }
    },
    "/api/get_oeis_name_and_values/{id}": {
      "get": {
        "summary": "The name and all terms of a sequence",
        "parameters": [{"$ref": "#/components/parameters/id"}],
        "responses": {
          "200": {"$ref": "#/components/responses/sequence"},
          "429": {"description": "Too many sequences at the same time; see Retry-After"},
          "503": {"description": "Not now; see Retry-After"}
        }
      }
    },
    "/api/get_commit": {
      "get": {
        "summary": "Which version of the program answers",
        "responses": {
          "200": {
            "description": "The commit it was built from",
            "content": {"application/json": {"schema": {
              "type": "object", "properties": {"short_commit_hash": {"type": "string"}}
            }}}
          }
        }
      }
    }
  },
  "components": {
    "parameters": {
      "id": {
        "name": "id", "in": "path", "required": true,
        "schema": {"type": "string", "pattern": "^[Aa][0-9]{6}$"}
      }
    },
    "responses": {
      "sequence": {
        "description": "The sequence; or, as text/plain, a line that begins with \"Error: \"",
        "headers": {"X-Sequence-Source": {"schema": {"enum": ["bfile", "oeisdata"]}}},
        "content": {
          "application/json": {"schema": {
            "type": "object",
            "required": ["id", "name", "values"],
            "properties": {
              "id": {"type": "string"},
              "name": {"type": "string"},
              "values": {"type": "object", "additionalProperties": {"type": "string"}}
            }
          }},
          "text/plain": {"schema": {"type": "string"}}
        }
      }
    }
  }
}
)json";

}  // namespace gatescope::api
