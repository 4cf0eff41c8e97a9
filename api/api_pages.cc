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
code { background: #8882; padding: .1em .3em; overflow-wrap: anywhere; }
dt { margin-top: .8em; }
</style>
</head>
<body>
<h1>Numberscope API</h1>
<p>Integer sequences of the OEIS as JSON. Every endpoint answers GET and HEAD, from any origin.
<code>ID</code> is an A-number such as <code>A000040</code>; <code>COUNT</code> says how many terms
are wanted, 0 means all of them.</p>
<dl>
<dt><a href="@PREFIX@/get_oeis_values/A000040/20"><code>get_oeis_values/ID/COUNT</code></a></dt>
<dd>The first COUNT terms with their indices.</dd>
<dt><a href="@PREFIX@/get_oeis_name_and_values/A000040"><code>get_oeis_name_and_values/ID</code></a></dt>
<dd>All terms, and the name.</dd>
<dt><a href="@PREFIX@/get_oeis_factors/A000040/20"><code>get_oeis_factors/ID/COUNT</code></a></dt>
<dd>The prime factors of the first COUNT terms: <code>[2,2;3,1]</code> is 2² · 3. What is not
factored within ten seconds is <code>no_fac_yet</code>; ask again later.</dd>
<dt><a href="@PREFIX@/get_oeis_metadata/A000040"><code>get_oeis_metadata/ID</code></a></dt>
<dd>Name, cross references, and the sequences that mention this one.</dd>
<dt><a href="@PREFIX@/search_oeis/prime%20numbers"><code>search_oeis/TERM</code></a></dt>
<dd>At most ten sequences, best first. TERM: words of a name, an A-number, or terms such as
<code>1,1,2,3,5,8</code>.</dd>
<dt><a href="@PREFIX@/get_commit"><code>get_commit</code></a></dt>
<dd>Which version of the program this is.</dd>
</dl>
<p>Terms are strings: they may have thousands of digits. A text that begins with
<code>Error:</code> says why there is no answer. The header <code>X-Sequence-Source</code> is
<code>bfile</code>, or <code>oeisdata</code> when only the first terms are known.</p>
<p>For programs: <a href="@PREFIX@/openapi.json">openapi.json</a>.</p>
<p>Data: &copy; <a href="https://oeis.org">The On-Line Encyclopedia of Integer Sequences</a> (The
OEIS Foundation Inc.), licensed under
<a href="https://creativecommons.org/licenses/by-sa/4.0/">CC BY-SA 4.0</a>. Terms are passed on as
they are, in another format; the factors are added.</p>
</body>
</html>
)html";

const std::string_view kApiDescription = R"json({
  "openapi": "3.0.3",
  "info": {
    "title": "Numberscope API",
    "version": "1",
    "description": "Integer sequences of the OEIS (https://oeis.org). Data: CC BY-SA 4.0.",
    "license": {
      "name": "CC BY-SA 4.0 (data)",
      "url": "https://creativecommons.org/licenses/by-sa/4.0/"
    }
  },
  "servers": [{"url": "@PREFIX@/"}],
  "paths": {
    "/get_oeis_values/{id}/{count}": {
      "get": {
        "summary": "The first terms of a sequence",
        "parameters": [
          {"$ref": "#/components/parameters/id"},
          {"$ref": "#/components/parameters/count"}
        ],
        "responses": {
          "200": {"$ref": "#/components/responses/values"},
          "304": {"$ref": "#/components/responses/unchanged"},
          "400": {"$ref": "#/components/responses/bad"},
          "429": {"$ref": "#/components/responses/later"},
          "503": {"$ref": "#/components/responses/later"}
        }
      }
    },
    "/get_oeis_name_and_values/{id}": {
      "get": {
        "summary": "The name and all terms of a sequence",
        "parameters": [{"$ref": "#/components/parameters/id"}],
        "responses": {
          "200": {"$ref": "#/components/responses/values"},
          "304": {"$ref": "#/components/responses/unchanged"},
          "429": {"$ref": "#/components/responses/later"},
          "503": {"$ref": "#/components/responses/later"}
        }
      }
    },
    "/get_oeis_factors/{id}/{count}": {
      "get": {
        "summary": "The prime factors of the first terms",
        "parameters": [
          {"$ref": "#/components/parameters/id"},
          {"$ref": "#/components/parameters/count"}
        ],
        "responses": {
          "200": {"$ref": "#/components/responses/factors"},
          "304": {"$ref": "#/components/responses/unchanged"},
          "400": {"$ref": "#/components/responses/bad"},
          "429": {"$ref": "#/components/responses/later"},
          "503": {"$ref": "#/components/responses/later"}
        }
      }
    },
    "/get_oeis_metadata/{id}": {
      "get": {
        "summary": "Name, cross references, and who mentions the sequence",
        "parameters": [{"$ref": "#/components/parameters/id"}],
        "responses": {
          "200": {"$ref": "#/components/responses/metadata"},
          "304": {"$ref": "#/components/responses/unchanged"},
          "429": {"$ref": "#/components/responses/later"},
          "503": {"$ref": "#/components/responses/later"}
        }
      }
    },
    "/search_oeis/{term}": {
      "get": {
        "summary": "At most ten sequences, best first",
        "parameters": [
          {
            "name": "term", "in": "path", "required": true,
            "description": "Words of a name, an A-number, or terms such as 1,1,2,3,5,8. Percent-encoded UTF-8; it may hold slashes.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200}
          }
        ],
        "responses": {
          "200": {"$ref": "#/components/responses/found"},
          "304": {"$ref": "#/components/responses/unchanged"},
          "400": {"$ref": "#/components/responses/bad"},
          "503": {"$ref": "#/components/responses/later"}
        }
      }
    },
    "/get_commit": {
      "get": {
        "summary": "Which version of the program answers",
        "responses": {
          "200": {
            "description": "The commit it was built from",
            "content": {"application/json": {"schema": {
              "type": "object",
              "required": ["short_commit_hash"],
              "additionalProperties": false,
              "properties": {"short_commit_hash": {"type": "string"}}
            }}}
          },
          "304": {"$ref": "#/components/responses/unchanged"}
        }
      }
    }
  },
  "components": {
    "parameters": {
      "id": {
        "name": "id", "in": "path", "required": true,
        "schema": {"type": "string", "pattern": "^[Aa][0-9]{6}$"}
      },
      "count": {
        "name": "count", "in": "path", "required": true,
        "description": "How many; 0, or more than there are, means all; -n all but the last n.",
        "schema": {"type": "integer"}
      }
    },
    "headers": {
      "source": {
        "description": "oeisdata: only the first terms are known",
        "schema": {"type": "string", "enum": ["bfile", "oeisdata"]}
      }
    },
    "schemas": {
      "id": {"type": "string", "pattern": "^A[0-9]{6}$"},
      "byIndex": {
        "type": "object",
        "description": "By the index of the term, ascending",
        "additionalProperties": {"type": "string"}
      }
    },
    "responses": {
      "values": {
        "description": "The sequence; or, as text/plain, a line that begins with \"Error: \"",
        "headers": {"X-Sequence-Source": {"$ref": "#/components/headers/source"}},
        "content": {
          "application/json": {"schema": {
            "type": "object",
            "required": ["id", "name", "values"],
            "additionalProperties": false,
            "properties": {
              "id": {"$ref": "#/components/schemas/id"},
              "name": {"type": "string"},
              "values": {"$ref": "#/components/schemas/byIndex"}
            }
          }},
          "text/plain": {"schema": {"type": "string", "pattern": "^Error: "}}
        }
      },
      "factors": {
        "description": "Factors as [prime,exponent;...], no_fac_yet or no_fac; or a line that begins with \"Error: \"",
        "headers": {"X-Sequence-Source": {"$ref": "#/components/headers/source"}},
        "content": {
          "application/json": {"schema": {
            "type": "object",
            "required": ["factors", "id", "name"],
            "additionalProperties": false,
            "properties": {
              "factors": {"$ref": "#/components/schemas/byIndex"},
              "id": {"$ref": "#/components/schemas/id"},
              "name": {"type": "string"}
            }
          }},
          "text/plain": {"schema": {"type": "string", "pattern": "^Error: "}}
        }
      },
      "metadata": {
        "description": "What is known beside the terms; or a line that begins with \"Error: \"",
        "content": {
          "application/json": {"schema": {
            "type": "object",
            "required": ["backrefs", "id", "name", "xrefs"],
            "additionalProperties": false,
            "properties": {
              "backrefs": {"type": "array", "items": {"$ref": "#/components/schemas/id"}},
              "id": {"$ref": "#/components/schemas/id"},
              "name": {"type": "string"},
              "xrefs": {"type": "string", "description": "Lines of OEIS's cross references"}
            }
          }},
          "text/plain": {"schema": {"type": "string", "pattern": "^Error: "}}
        }
      },
      "found": {
        "description": "What was found, perhaps nothing",
        "content": {
          "application/json": {"schema": {
            "type": "object",
            "required": ["results", "term"],
            "additionalProperties": false,
            "properties": {
              "results": {
                "type": "array",
                "maxItems": 10,
                "items": {
                  "type": "array",
                  "description": "id and name",
                  "minItems": 2,
                  "maxItems": 2,
                  "items": {"type": "string"}
                }
              },
              "term": {"type": "string"}
            }
          }}
        }
      },
      "unchanged": {"description": "The client's copy (If-None-Match) is still good"},
      "bad": {
        "description": "A parameter is not what it must be; the text says how to mend it",
        "content": {"text/plain": {"schema": {"type": "string"}}}
      },
      "later": {
        "description": "Not now, or too much at the same time",
        "headers": {
          "Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}
        },
        "content": {"text/plain": {"schema": {"type": "string"}}}
      }
    }
  }
}
)json";

}  // namespace gatescope::api
