"""Checks an OpenAPI document, and what a service answers, against each other.

Reads {"document": …, "answers": [{"path": template, "method": …, "status": …, "type": …, "body": …}]} from standard
input. The document must be valid OpenAPI 3.1, every example in it must fit its schema, and every answer the schema of
its operation, status and media type. Prints what was checked, one count a line; what is wrong goes to standard error,
with exit code 1.
"""

import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = "urn:checked"


class Checker:
    def __init__(self, document):
        self.document = document
        resource = Resource(contents=document, specification=DRAFT202012)
        self.registry = Registry().with_resource(ROOT, resource)
        self.wrong = []
        self.checked = {"examples": 0, "answers": 0}

    def fits(self, kind, where, schema, value):
        """Whether a value fits a schema whose references lead into the document."""
        absolute = json.loads(json.dumps(schema).replace('"#/components/', f'"{ROOT}#/components/'))
        formats = Draft202012Validator.FORMAT_CHECKER
        validator = Draft202012Validator(absolute, registry=self.registry, format_checker=formats)
        errors = [f"{where}: {error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]
        self.wrong += errors
        self.checked[kind] += 1

    def examples(self, node, where):
        """Every example beside a schema, wherever in the document."""
        if isinstance(node, list):
            for n, item in enumerate(node):
                self.examples(item, f"{where}/{n}")
        if not isinstance(node, dict):
            return
        if isinstance(node.get("schema"), dict):
            if "example" in node:
                self.fits("examples", where, node["schema"], node["example"])
            for name, example in node.get("examples", {}).items():
                self.fits("examples", f"{where}/{name}", node["schema"], example["value"])
        for key, value in node.items():
            if key not in ("example", "examples", "value"):
                self.examples(value, f"{where}/{key}")

    def answer(self, answer):
        where = f"{answer['method']} {answer['path']} {answer['status']}"
        operation = self.document["paths"][answer["path"]][answer["method"].lower()]
        described = operation["responses"].get(str(answer["status"]))
        if described is None:
            self.wrong.append(f"{where}: the document does not know this status")
            return
        media = described.get("content", {}).get(answer["type"])
        if media is None:
            self.wrong.append(f"{where}: the document does not know the type {answer['type']!r}")
            return
        self.fits("answers", where, media["schema"], answer["body"])


def main():
    asked = json.load(sys.stdin)
    checker = Checker(asked["document"])
    checker.wrong += [f"document: {error.message[:300]}" for error in OpenAPIV31SpecValidator(asked["document"]).iter_errors()]
    checker.examples(asked["document"], "#")
    for answer in asked["answers"]:
        checker.answer(answer)
    for kind, count in checker.checked.items():
        print(kind, count)
    for line in checker.wrong:
        print(line, file=sys.stderr)
    return 1 if checker.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
