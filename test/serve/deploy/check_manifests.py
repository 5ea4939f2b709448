"""Checks Kubernetes manifests: kinds of Kubernetes against its JSON schemas (strict: no unknown fields), kinds of KServe
against the tables of fields and types in KServe's own Python client, Kubernetes' parts of them against the schemas again.

Prints JSON: each document, and its first problem or null.
"""
import ast
import json
import pathlib
import re
import sys

import jsonschema
import kubernetes_validate
import yaml
from kubernetes_validate.utils import schema_contents

VERSION = "1.34.0"
PACKAGES = pathlib.Path(kubernetes_validate.__file__).parent.parent
DEFINITIONS = schema_contents(f"kubernetes-json-schema/v{VERSION}-local-strict/_definitions.json", VERSION)["$defs"]


def read_kserve():
    """Fields of each of KServe's types: name in JSON -> type. The files are read, not run."""
    types = {}
    for path in (PACKAGES / "kserve/models").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef):
                continue
            tables = {
                one.targets[0].id: ast.literal_eval(one.value)
                for one in node.body
                if isinstance(one, ast.Assign) and one.targets[0].id in ("openapi_types", "attribute_map")
            }
            names = tables["attribute_map"]
            types[node.name] = {names[field]: kind for field, kind in tables["openapi_types"].items()}
    return types


KSERVE = read_kserve()
PLAIN = {"str": str, "int": int, "bool": bool, "float": float}


def check_core(kind, value, where):
    names = [name for name in DEFINITIONS if name.startswith("io.k8s.api.core.v1.") or ".apis.meta.v1." in name]
    name = next((name for name in names if name.endswith("." + kind.removeprefix("V1"))), None)
    if name is None:
        raise ValueError(f"{where}: unknown type {kind}")
    schema = {"$ref": f"#/$defs/{name}", "$defs": DEFINITIONS}
    problem = next(jsonschema.Draft202012Validator(schema).iter_errors(value), None)
    if problem is not None:
        path = ".".join(map(str, problem.absolute_path))
        raise ValueError(f"{where}.{path}: {problem.message[:200]}")


def check(kind, value, where):
    if kind in PLAIN:
        if not isinstance(value, PLAIN[kind]) or (kind == "int" and isinstance(value, bool)):
            raise ValueError(f"{where}: {value!r} is not {kind}")
    elif inner := re.fullmatch(r"list\[(.+)\]", kind):
        if not isinstance(value, list):
            raise ValueError(f"{where}: is not a list")
        for i, one in enumerate(value):
            check(inner[1], one, f"{where}[{i}]")
    elif inner := re.fullmatch(r"dict\(str, (.+)\)", kind):
        for name, one in value.items():
            check(inner[1], one, f"{where}.{name}")
    elif kind in KSERVE:
        for name, one in value.items():
            if name not in KSERVE[kind]:
                raise ValueError(f"{where}: {kind} has no field {name}")
            check(KSERVE[kind][name], one, f"{where}.{name}")
    else:
        check_core(kind, value, where)


def problem_of(document):
    group, _, version = document["apiVersion"].rpartition("/")
    try:
        if group == "serving.kserve.io":
            check(version.capitalize() + document["kind"], document, document["kind"])
        else:
            kubernetes_validate.validate(document, VERSION, strict=True)
    except ValueError as error:
        return str(error)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message[:200]}"
    return None


documents = [one for path in sys.argv[1:] for one in yaml.safe_load_all(pathlib.Path(path).read_text())]
print(json.dumps([{"document": one, "problem": problem_of(one)} for one in documents]))
