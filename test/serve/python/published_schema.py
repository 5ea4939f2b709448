"""Holds responses against the protocol's published OpenAPI document, as MLServer carries it.

Reads {"InferenceResponse": [response, ...], ...} by the names of its schemas; prints {name: [problem, ...]}.
"""

import importlib.util
import json
import pathlib
import sys

import jsonschema_rs

folder = pathlib.Path(importlib.util.find_spec("mlserver").submodule_search_locations[0])
document = json.loads((folder / "rest" / "openapi" / "dataplane.json").read_text())

# Of what tensor data may be it names bytes, which is no type of JSON.
data = document["components"]["schemas"]["TensorData"]
data["oneOf"] = [one for one in data["oneOf"] if one.get("type") != "bytes"]

problems = {}
for name, responses in json.load(sys.stdin).items():
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    validator = jsonschema_rs.Draft4Validator(schema)
    problems[name] = [error.message for response in responses for error in validator.iter_errors(response)]
print(json.dumps(problems))
